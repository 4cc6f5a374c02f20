//! Statements that hold a value ("the export limit is 5 MB"), taken apart into what they are about and what they say of it, so that
//! another value for the same thing is seen. Users' statements are read, and short plain answers of tools; what an agent says is only
//! its own conclusion.

use std::collections::BTreeSet;

use domain::{event::EventKind, statement::statements};
use serde::{Deserialize, Serialize};

use super::{
    Place, is_memory_tool,
    words::{CHANGE_WORDS, CHANGED, COPULAS, HEDGES, SINCE, UNITS},
};
use crate::{curation::similar, types::Session};

/// Statements of one session that are kept.
const MOST_STATED: usize = 40;
/// Longest answer of a tool that is read as prose, in bytes.
const PROSE_BYTES: usize = 1_000;
/// Most of what one user said at once that is read, in bytes.
const HEAD_BYTES: usize = 65_536;
/// Longest statement, in bytes.
const LONGEST: usize = 240;

/// A statement that holds a value, as a session states it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// Where.
    pub at: Place,
    /// What it is about: stems of its words, ascending, each once.
    pub about: Vec<String>,
    /// The values that it holds, in order.
    pub values: Vec<String>,
    /// A tool said so, not a user.
    pub by_tool: bool,
}

/// A statement taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parted {
    /// Stems of what it is about, ascending, each once.
    pub about: Vec<String>,
    /// Its values in order, each with whether it stands after the copula (or there is none).
    pub values: Vec<(String, bool)>,
    /// Which of them are not what it says of the thing: what was so before, what is not so, since when it is.
    was: Vec<usize>,
}

/// Without what was so before, is not so, or only tells since when; none if nothing is left.
fn newest(mut parted: Parted) -> Option<Parted> {
    for was in std::mem::take(&mut parted.was).into_iter().rev() {
        parted.values.remove(was);
    }
    (!parted.values.is_empty()).then_some(parted)
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
            if let Some(parted) = stated_in(text).and_then(newest) {
                let Some(start) = read.find(text) else { continue };
                found.push(Stated {
                    at: Place { event, start, end: start + text.len() },
                    about: parted.about,
                    values: parted.values.into_iter().map(|(v, _)| v).collect(),
                    by_tool: prose,
                });
            }
        }
    }
    found
}

/// The beginning of a text: what somebody states stands in its first pages, and hostile ones have no end.
pub fn head(text: &str) -> &str {
    let mut end = text.len().min(HEAD_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A statement's clauses: it may tell of something else first, or begin with a few words that only lead to it ("By the way: ..").
fn clauses(statement: &str) -> Vec<&str> {
    let mut found: Vec<&str> =
        statement.split([',', ';']).flat_map(|c| c.split(" - ")).flat_map(|c| c.split(" — ")).map(str::trim).collect();
    let led = found.iter().filter_map(|c| c.split_once(": ")).filter(|(lead, _)| lead.split(' ').count() <= 4 && !has_digit(lead));
    let after: Vec<&str> = led.map(|(_, rest)| rest.trim()).collect();
    found.extend(after);
    found
}

/// Takes a statement apart; none if it asks, is too long, holds no value, or says hardly what it is about.
pub fn stated_in(statement: &str) -> Option<Parted> {
    if statement.len() > LONGEST || statement.contains('?') {
        return None;
    }
    let tokens = similar::tokens(&with_addresses(statement));
    if !(3..=40).contains(&tokens.len()) {
        return None;
    }
    let lower: Vec<String> = tokens.iter().map(|t| t.to_lowercase()).collect();
    if lower.iter().any(|t| HEDGES.contains(&t.as_str())) {
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
            let value = tokens[at..end].join(" ").replace("$ ", "$").replace("€ ", "€");
            let value = if value.contains("://") { value.replace('`', "") } else { value };
            values.push((value, copula.is_none_or(|c| at > c)));
            before.push(at.checked_sub(1).map(|n| lower[n].clone()).unwrap_or_default());
        }
        at = end.max(at + 1);
    }
    if values.is_empty() {
        values.extend(tail(&tokens, &lower, copula, &mut is_value));
    }
    let about: BTreeSet<String> = lower
        .iter()
        .zip(&is_value)
        .filter(|(t, value)| !**value && t.chars().any(char::is_alphabetic) && !says_change(t))
        .filter(|(t, _)| !COPULAS.contains(&t.as_str()) && !similar::is_function_word(t))
        .map(|(t, _)| root(t))
        .collect();
    let changed = lower.iter().any(|t| CHANGED.contains(&t.as_str()));
    let out = |w: &String| SINCE.contains(&w.as_str()) || matches!(w.as_str(), "not" | "longer") || (w == "from" && changed);
    let was = before.iter().enumerate().filter(|(_, w)| out(w)).map(|(n, _)| n).collect();
    // One word is enough where something is said of it ("standup is on Tuesday").
    let enough = about.len() >= 2 || (about.first().is_some_and(|w| w.len() >= 5) && (copula.is_some_and(|c| c > 0) || changed));
    let fits = !values.is_empty() && values.len() <= 4 && enough;
    fits.then(|| Parted { about: about.into_iter().collect(), values, was })
}

/// Whether a word only says that something is otherwise than before, or says nothing of it.
fn says_change(lower: &str) -> bool {
    CHANGE_WORDS.contains(&lower) || CHANGED.contains(&lower)
}

/// Where the value that begins here ends; `at` itself if none does.
fn value_end(tokens: &[String], lower: &[String], at: usize) -> usize {
    let token = tokens[at].as_str();
    if token.starts_with('`') {
        return at + 1;
    }
    if matches!(token, "$" | "€") && tokens.get(at + 1).is_some_and(|t| has_digit(t)) {
        return at + 2;
    }
    if has_digit(token) {
        let unit = lower.get(at + 1).is_some_and(|t| UNITS.contains(&t.as_str()));
        return at + 1 + usize::from(unit);
    }
    // Names: large letters anywhere but in the first word.
    let is_name = |i: usize| {
        let word = &tokens[i];
        // "API" and "URL" are words like others, wherever they stand.
        let short_form = word.len() <= 5 && word.chars().all(char::is_uppercase);
        i > 0 && word.chars().next().is_some_and(char::is_uppercase) && !short_form
    };
    if is_name(at) {
        return (at..tokens.len()).find(|&i| !is_name(i) && !has_digit(&tokens[i])).unwrap_or(tokens.len());
    }
    at
}

/// A word without plural, `-ed` and `-ing`: "limited" and "limits" are about a limit.
fn root(word: &str) -> String {
    let stem = match word {
        "kept" => "keep".to_owned(),
        "held" => "hold".to_owned(),
        "sent" => "send".to_owned(),
        "paid" => "pay".to_owned(),
        "ran" => "run".to_owned(),
        "made" => "make".to_owned(),
        "took" | "taken" => "take".to_owned(),
        "built" => "build".to_owned(),
        other => similar::stem(other),
    };
    let cut = ["ing", "ed"].iter().find_map(|end| stem.strip_suffix(end).filter(|rest| rest.len() >= 4));
    cut.map_or(stem.clone(), str::to_owned)
}

/// The statement with its addresses as spans of code: one value each.
fn with_addresses(statement: &str) -> String {
    if !statement.contains("://") || statement.contains('`') {
        return statement.to_owned();
    }
    let word = |w: &str| {
        let core = w.trim_end_matches(['.', ',', ';', '!', ')']);
        if core.contains("://") { format!("`{core}`{}", &w[core.len()..]) } else { w.to_owned() }
    };
    statement.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn has_digit(token: &str) -> bool {
    token.chars().any(|c| c.is_ascii_digit())
}

/// The words after the copula as a value, if they are few and nothing else is one.
fn tail(tokens: &[String], lower: &[String], copula: Option<usize>, is_value: &mut [bool]) -> Option<(String, bool)> {
    // "was renamed from main to trunk": what it is now stands behind the last "to".
    let to = lower.iter().rposition(|t| t == "to").filter(|_| lower.iter().any(|t| CHANGED.contains(&t.as_str())));
    let start = to.or(copula)? + 1;
    if let Some(to) = to
        && let Some(from) = lower[..to].iter().rposition(|t| t == "from").filter(|f| to - f <= 3)
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
    Some((words.iter().map(|&i| lower[i].as_str()).collect::<Vec<_>>().join(" "), true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parted(text: &str) -> (String, Vec<String>) {
        let p = stated_in(text).unwrap_or_else(|| panic!("{text}"));
        (p.about.join(" "), p.values.into_iter().map(|(v, _)| v).collect())
    }

    #[test]
    fn what_it_is_about_and_what_it_says() {
        assert_eq!(parted("The export limit is 5 MB."), ("export limit".into(), vec!["5 MB".into()]));
        assert_eq!(parted("The export limit was raised to 10 MB"), ("export limit".into(), vec!["10 MB".into()]));
        assert_eq!(parted("the release manager is now Ana Li"), ("manager release".into(), vec!["Ana Li".into()]));
        assert_eq!(parted("The default branch is main"), ("branch default".into(), vec!["main".into()]));
        assert_eq!(parted("Exports run on `db-2` at 18:00"), ("export run".into(), vec!["`db-2`".into(), "18:00".into()]));
        for none in ["Is the limit 5 MB?", "Thanks!", "It is fine", "That took 5 minutes."] {
            assert_eq!(stated_in(none).filter(|p| p.about.len() > 1), None, "{none}");
        }
    }
}
