//! Statements that hold a value ("the export limit is 5 MB"), taken apart into what they are about
//! and what they say of it, so that another value for the same thing is seen. Users' statements are
//! read, and short plain answers of tools; what an agent says is only its own conclusion.

use std::collections::BTreeSet;

use domain::{event::EventKind, statement::statements};
use serde::{Deserialize, Serialize};

use super::{
    Place,
    amounts::is_number_word,
    is_memory_tool,
    phrases::TEMPORARY,
    words::{
        CHANGE_WORDS, CHANGED, COPULAS, HEDGES, MONTHS, OF_OTHERS, SHORT, SINCE, TO_VALUE, UNITS,
    },
};
use crate::{curation::similar, types::Session};

/// Statements of one session that are kept.
const MOST_STATED: usize = 40;
/// Longest answer of a tool that is read as prose, in bytes.
const PROSE_BYTES: usize = 1_000;
/// Most of what one user said at once that is read, in bytes.
const HEAD_BYTES: usize = 65_536;
/// Longest statement of several clauses that is read as a whole, too, in bytes.
const MOST_WHOLE: usize = 160;
/// Longest statement, in bytes.
const LONGEST: usize = 240;

/// A statement that holds a value, as a session states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    pub at: Place,
    /// What it is about: stems of its words, ascending, each once.
    pub about: Vec<String>,
    /// The values that it holds, in order.
    pub values: Vec<String>,
    /// Values that it says were so before, or are not so.
    pub was: Vec<String>,
    /// It says that it is otherwise than before: "now", "was raised".
    pub changed: bool,
    /// A tool said so, not a user.
    pub by_tool: bool,
    /// It tells of somebody else's: "their limit is ..".
    pub of_others: bool,
}

/// A statement taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parted {
    /// Stems of what it is about, ascending, each once.
    pub about: Vec<String>,
    /// Its values in order, each with whether it is after the copula (or there is none).
    pub values: Vec<(String, bool)>,
    /// It says that it is otherwise than before.
    pub changed: bool,
    /// It tells of somebody else's.
    pub of_others: bool,
    /// Which of them are not what it says of the thing: what was so before, what is not so, since
    /// when it is.
    was: Vec<usize>,
}

/// Returns what it says now, and beside it what was so before, is not so, or only tells since when;
/// none if nothing is said now.
fn newest(mut parted: Parted) -> Option<(Parted, Vec<String>)> {
    let was = std::mem::take(&mut parted.was)
        .into_iter()
        .rev()
        .map(|was| parted.values.remove(was).0)
        .collect();
    (!parted.values.is_empty()).then_some((parted, was))
}

/// Every statement of the session that holds a value.
pub fn of(session: &Session) -> Vec<Stated> {
    let mut found = Vec::new();
    for (event, one) in session.events.iter().enumerate() {
        let prose = one.kind == EventKind::ToolResult
            && !one.is_error
            && one.text.len() <= PROSE_BYTES
            && !one.text.trim_start().starts_with(['{', '[', '<'])
            && !one.tool.as_deref().is_some_and(is_memory_tool);
        if !(one.kind == EventKind::User || prose) {
            continue;
        }
        let read = head(&one.text);
        for text in statements(read).iter().flat_map(|s| clauses(s)) {
            if found.len() == MOST_STATED {
                return found;
            }
            if let Some((parted, was)) = stated_in(text).and_then(newest) {
                let Some(start) = read.find(text) else {
                    continue;
                };
                found.push(Stated {
                    at: Place {
                        event,
                        start,
                        end: start + text.len(),
                    },
                    about: parted.about,
                    values: parted.values.into_iter().map(|(v, _)| v).collect(),
                    was,
                    changed: parted.changed,
                    by_tool: prose,
                    of_others: parted.of_others,
                });
            }
        }
    }
    found
}

/// The beginning of a text: what somebody states is in its first pages, and hostile ones have
/// no end.
pub fn head(text: &str) -> &str {
    let mut end = text.len().min(HEAD_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A statement's clauses: it may tell of something else first, or begin with a few words that only
/// lead to it ("By the way: ..").
fn clauses(statement: &str) -> Vec<&str> {
    let parts = statement
        .split([',', ';'])
        .flat_map(|c| c.split(" - "))
        .flat_map(|c| c.split(" — "));
    // Why it is so is not what it is about.
    let reasons = [" because ", " bc ", " due to ", " so that "];
    let mut found: Vec<&str> = parts
        .map(|c| {
            reasons
                .iter()
                .filter_map(|r| c.find(r))
                .min()
                .map_or(c, |at| &c[..at])
        })
        .map(str::trim)
        .collect();
    let led = found
        .iter()
        .filter_map(|c| c.split_once(": "))
        .filter(|(lead, _)| lead.split(' ').count() <= 4 && !has_digit(lead));
    let after: Vec<&str> = led.map(|(_, rest)| rest.trim()).collect();
    found.extend(after);
    // "It is 25 MB these days, not 10, for uploads": only the whole says it.
    if (2..=4).contains(&found.len())
        && statement.len() <= MOST_WHOLE
        && !found.contains(&statement)
    {
        found.push(statement);
    }
    found
}

/// Takes a statement apart; none if it asks, is too long, holds no value, or says hardly what it is
/// about.
pub fn stated_in(statement: &str) -> Option<Parted> {
    if statement.len() > LONGEST || statement.contains('?') {
        return None;
    }
    let tokens = similar::tokens(&with_addresses(statement));
    if !(3..=40).contains(&tokens.len()) {
        return None;
    }
    let lower: Vec<String> = tokens.iter().map(|t| t.to_lowercase()).collect();
    if TEMPORARY.are_in(&lower) || lower.iter().any(|t| HEDGES.contains(&t.as_str())) {
        return None;
    }
    let copula = lower.iter().position(|t| COPULAS.contains(&t.as_str()));
    let mut is_value = vec![false; tokens.len()];
    let mut values: Vec<(String, bool)> = Vec::new();
    let mut before: Vec<String> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let end = value_end(&tokens, &lower, at);
        if end > at {
            is_value[at..end].fill(true);
            let value = tokens[at..end]
                .join(" ")
                .replace("$ ", "$")
                .replace("€ ", "€");
            let value = if value.contains("://") {
                value.replace('`', "")
            } else {
                value
            };
            values.push((value, copula.is_none_or(|c| at > c)));
            before.push(lead(&lower, at));
        }
        at = end.max(at + 1);
    }
    if values.is_empty() {
        values.extend(tail(&tokens, &lower, copula, &mut is_value));
    }
    let changed = lower.iter().any(|t| CHANGED.contains(&t.as_str()));
    let word = |i: usize| {
        // "It's", "the repo's": what is before the apostrophe.
        let t = lower[i].split('\'').next().unwrap_or_default();
        let counts = !is_value[i] && t.chars().any(char::is_alphabetic) && !says_change(t);
        (counts && !COPULAS.contains(&t) && !similar::is_function_word(t)).then(|| root(t))
    };
    let mut about: BTreeSet<String> = (changer(&lower)..lower.len()).filter_map(word).collect();
    if about.is_empty() {
        about = (0..lower.len()).filter_map(word).collect();
    }
    let out = |w: &String| {
        SINCE.contains(&w.as_str())
            || matches!(w.as_str(), "not" | "longer" | "instead of" | "rather than")
            || (w == "from" && changed)
    };
    // One word is enough where something is said of it ("standup is on Tuesday").
    let changed = changed
        || lower
            .iter()
            .any(|t| matches!(t.as_str(), "now" | "longer" | "anymore" | "meanwhile"));
    let was: Vec<usize> = before
        .iter()
        .enumerate()
        .filter(|(_, w)| out(w))
        .map(|(n, _)| n)
        .collect();
    let changed =
        changed || !was.is_empty() || lower.windows(2).any(|w| w[0] == "these" && w[1] == "days");
    let enough = about.len() >= 2
        || about.first().is_some_and(|w| {
            changed && w.len() >= 4 || w.len() >= 5 && copula.is_some_and(|c| c > 0)
        });
    let fits = !values.is_empty() && values.len() <= 4 && enough;
    let of_others = lower.iter().any(|t| OF_OTHERS.contains(&t.as_str()))
        || lower
            .windows(2)
            .any(|w| w[0] == "other" && w[1].ends_with("'s"));
    fits.then(|| Parted {
        about: about.into_iter().collect(),
        values,
        changed,
        of_others,
        was,
    })
}

/// The word before a value; with the one before it where only both say that the value is not so
/// ("instead of").
fn lead(lower: &[String], at: usize) -> String {
    match (
        at.checked_sub(2).map(|n| lower[n].as_str()),
        at.checked_sub(1).map(|n| lower[n].as_str()),
    ) {
        (Some(first @ ("instead" | "rather")), Some(second @ ("of" | "than"))) => {
            format!("{first} {second}")
        }
        (_, word) => word.unwrap_or_default().to_owned(),
    }
}

/// Returns where what somebody changes begins ("the faculty pushed | the deadline"): after a verb
/// of change that is not passive; else at 0.
fn changer(lower: &[String]) -> usize {
    let passive = [
        "was", "were", "is", "are", "been", "got", "be", "being", "has", "have",
    ];
    let active = |(i, t): (usize, &String)| {
        CHANGED.contains(&t.as_str()) && i > 0 && !passive.contains(&lower[i - 1].as_str())
    };
    lower
        .iter()
        .enumerate()
        .find(|&(i, t)| {
            active((i, t))
                && !matches!(
                    t.as_str(),
                    "up" | "down" | "went" | "gone" | "goes" | "became"
                )
        })
        .map_or(0, |(i, _)| i + 1)
}

/// True if a word only says that something is otherwise than before, or says nothing of it.
fn says_change(lower: &str) -> bool {
    CHANGE_WORDS.contains(&lower) || CHANGED.contains(&lower)
}

/// Returns where the value that begins here ends; `at` itself if none does.
fn value_end(tokens: &[String], lower: &[String], at: usize) -> usize {
    let token = tokens[at].as_str();
    if token.starts_with('`') {
        return at + 1;
    }
    // Names: large letters anywhere but in the first word.
    let is_name = |i: usize| {
        let word = &tokens[i];
        // "API" and "URL" are words like others, unless something becomes them.
        let led = i > 0 && TO_VALUE.contains(&lower[i - 1].as_str());
        let short_form = word.len() <= 5 && word.chars().all(char::is_uppercase) && !led;
        // The first word is a name only where a name goes on after it: "Tom Okoye is ..".
        let next = || {
            tokens
                .get(i + 1)
                .is_some_and(|t| t.len() > 1 && t.chars().next().is_some_and(char::is_uppercase))
        };
        let first = i > 0 || (!similar::is_function_word(&lower[0]) && lower.len() > 3 && next());
        first && word.chars().next().is_some_and(char::is_uppercase) && !short_form
    };
    if matches!(token, "$" | "€") && tokens.get(at + 1).is_some_and(|t| has_digit(t)) {
        return at + 2;
    }
    if has_digit(token) || is_number_word(&lower[at]) {
        let unit = lower
            .get(at + 1)
            .is_some_and(|t| UNITS.contains(&t.as_str()) || MONTHS.contains(&t.as_str()));
        // "12 Harbour Street" is one value, as "5 MB" is.
        let names = || {
            (at + 1..tokens.len())
                .find(|&i| !is_name(i))
                .unwrap_or(tokens.len())
        };
        return match (unit, token.contains(':')) {
            (true, _) => at + 2,
            // "18:00 Friday" is a time, and a day.
            (_, true) => at + 1,
            _ => names(),
        };
    }
    if is_name(at) {
        return (at..tokens.len())
            .find(|&i| !is_name(i) && !has_digit(&tokens[i]))
            .unwrap_or(tokens.len());
    }
    at
}

/// A word without plural, `-ed` and `-ing`: "limited" and "limits" are about a limit.
pub fn root(word: &str) -> String {
    let stem = match word {
        "kept" => "keep".to_owned(),
        "held" => "hold".to_owned(),
        "sent" => "send".to_owned(),
        "paid" => "pay".to_owned(),
        "ran" => "run".to_owned(),
        "made" => "make".to_owned(),
        "took" | "taken" => "take".to_owned(),
        "built" => "build".to_owned(),
        // "refreshes", "boxes": the plural or the verb, not a word of its own.
        other
            if ["shes", "ches", "xes", "sses"]
                .iter()
                .any(|end| other.ends_with(end)) =>
        {
            other[..other.len() - 2].to_owned()
        }
        other => similar::stem(
            SHORT
                .iter()
                .find(|(short, _)| *short == other)
                .map_or(other, |(_, long)| long),
        ),
    };
    let cut = ["ing", "ed", "ment", "ly"]
        .iter()
        .find_map(|end| stem.strip_suffix(end).filter(|rest| rest.len() >= 4));
    let Some(cut) = cut else { return stem };
    // "logging" is about a log.
    let mut ends = cut.chars().rev();
    let doubled = ends.next().filter(|last| {
        Some(*last) == ends.next() && matches!(last, 'b' | 'd' | 'g' | 'm' | 'n' | 'p' | 'r' | 't')
    });
    if doubled.is_some() {
        cut[..cut.len() - 1].to_owned()
    } else {
        cut.to_owned()
    }
}

/// The statement with its addresses as spans of code: one value each.
fn with_addresses(statement: &str) -> String {
    if !statement.contains("://") || statement.contains('`') {
        return statement.to_owned();
    }
    let word = |w: &str| {
        let core = w.trim_end_matches(['.', ',', ';', '!', ')']);
        if core.contains("://") {
            format!("`{core}`{}", &w[core.len()..])
        } else {
            w.to_owned()
        }
    };
    statement.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn has_digit(token: &str) -> bool {
    token.chars().any(|c| c.is_ascii_digit())
}

/// The words after the copula as a value, if they are few and nothing else is one.
fn tail(
    tokens: &[String],
    lower: &[String],
    copula: Option<usize>,
    is_value: &mut [bool],
) -> Option<(String, bool)> {
    // "was renamed from main to trunk": what it is now is behind the last "to".
    let to = lower
        .iter()
        .rposition(|t| t == "to")
        .filter(|_| lower.iter().any(|t| CHANGED.contains(&t.as_str())));
    let start = to.or(copula)? + 1;
    if let Some(to) = to
        && let Some(from) = lower[..to]
            .iter()
            .rposition(|t| t == "from")
            .filter(|f| to - f <= 3)
    {
        is_value[from..to].fill(true);
    }
    let words: Vec<usize> = (start..tokens.len())
        .filter(|&i| tokens[i].chars().any(char::is_alphanumeric))
        .skip_while(|&i| similar::is_function_word(&lower[i]) || says_change(&lower[i]))
        .collect();
    if !(1..=2).contains(&words.len()) {
        return None;
    }
    for &i in &words {
        is_value[i] = true;
    }
    Some((
        words
            .iter()
            .map(|&i| lower[i].as_str())
            .collect::<Vec<_>>()
            .join(" "),
        true,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parted(text: &str) -> (String, Vec<String>) {
        let p = stated_in(text).unwrap_or_else(|| panic!("{text}"));
        (
            p.about.join(" "),
            p.values.into_iter().map(|(v, _)| v).collect(),
        )
    }

    #[test]
    fn what_it_is_about_and_what_it_says() {
        assert_eq!(
            parted("The export limit is 5 MB."),
            ("export limit".into(), vec!["5 MB".into()])
        );
        assert_eq!(
            parted("The export limit was raised to 10 MB"),
            ("export limit".into(), vec!["10 MB".into()])
        );
        assert_eq!(
            parted("the release manager is now Ana Li"),
            ("manager release".into(), vec!["Ana Li".into()])
        );
        assert_eq!(
            parted("The default branch is main"),
            ("branch default".into(), vec!["main".into()])
        );
        assert_eq!(
            parted("Exports run on `db-2` at 18:00"),
            ("export run".into(), vec!["`db-2`".into(), "18:00".into()])
        );
        for none in [
            "Is the limit 5 MB?",
            "Thanks!",
            "It is fine",
            "That took 5 minutes.",
        ] {
            assert_eq!(
                stated_in(none).filter(|p| p.about.len() > 1),
                None,
                "{none}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_can_be_taken_apart(text in "(the |limit |is |from |to |5 |MB |\\$|not |, |`a` \
            |Ana |instead of |June |'s |é|“ ){0,20}.{0,20}") {
            for clause in clauses(&text) {
                let _ = stated_in(clause);
            }
        }
    }
}
