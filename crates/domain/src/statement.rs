//! The unit of comparison: one bullet or sentence of a memory. A statement that still stands word
//! for word somewhere is not lost.

use std::collections::{HashMap, HashSet};

/// The statements of a content, normalised: bullets and sentences, markers and outer white space
/// dropped, white space folded. Headings count, fenced code counts line by line.
#[must_use]
pub fn statements(content: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in content.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            push(&mut found, line);
        } else {
            sentences(without_marker(line.trim()), &mut found);
        }
    }
    found
}

/// The line without the marker of a heading, bullet or quotation. A marker is one only before a
/// space: `-5` and `>10` are not.
fn without_marker(line: &str) -> &str {
    let mut rest = line;
    while let Some((marker, after)) = rest.split_once(' ') {
        if marker.is_empty() || !marker.chars().all(|c| matches!(c, '#' | '-' | '*' | '>')) {
            break;
        }
        rest = after.trim_start();
    }
    rest
}

fn sentences(line: &str, found: &mut Vec<String>) {
    let mut start = 0;
    for (at, c) in line.char_indices() {
        let next = at + c.len_utf8();
        let ends = matches!(c, '!' | '?') || (c == '.' && !is_title(&line[start..at]));
        if ends
            && line[next..].starts_with(' ')
            && line[next..].trim_start().starts_with(char::is_uppercase)
        {
            push(found, &line[start..next]);
            start = next;
        }
    }
    push(found, &line[start..]);
}

/// Titles whose full stop ends no sentence: a name follows.
const TITLES: &[&str] = &["Mr", "Mrs", "Ms", "Dr", "Prof", "Rev", "St"];

fn is_title(before: &str) -> bool {
    before
        .rsplit(' ')
        .next()
        .is_some_and(|word| TITLES.contains(&word.trim_start_matches(|c: char| !c.is_alphabetic())))
}

fn push(found: &mut Vec<String>, text: &str) {
    let folded = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if folded.chars().any(char::is_alphanumeric) {
        found.push(folded);
    }
}

/// A statement without the full stop at its end.
#[must_use]
pub fn bare(statement: &str) -> &str {
    statement.strip_suffix('.').unwrap_or(statement)
}

/// All that a statement tells: itself, and where it tells several things together ("one; another"),
/// each of them; without full stops.
#[must_use]
pub fn told(statement: &str) -> Vec<String> {
    let whole = std::iter::once(bare(statement));
    let parts = statement
        .split("; ")
        .filter(|_| statement.contains("; "))
        .map(bare);
    whole.chain(parts).map(str::to_owned).collect()
}

/// The fate of a statement when several texts become several others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The statement as it stood.
    pub statement: String,
    /// In which of the texts before.
    pub from: Vec<usize>,
    /// In which of the texts after it is told; in none, if it is lost.
    pub to: Vec<usize>,
}

/// Returns what becomes of each statement of `before` in `after`, in order, each once.
#[must_use]
pub fn fates(before: &[&str], after: &[&str]) -> Vec<Fate> {
    let told_after: Vec<HashSet<String>> = after
        .iter()
        .map(|t| statements(t).iter().flat_map(|s| told(s)).collect())
        .collect();
    let mut fates: Vec<Fate> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (from, text) in before.iter().enumerate() {
        for statement in statements(text) {
            if let Some(&at) = known.get(bare(&statement)) {
                let before: &mut Fate = &mut fates[at];
                if before.from.last() != Some(&from) {
                    before.from.push(from);
                }
                continue;
            }
            known.insert(bare(&statement).to_owned(), fates.len());
            let stands_in = |set: &HashSet<String>| set.contains(bare(&statement));
            let to = told_after
                .iter()
                .enumerate()
                .filter(|(_, set)| stands_in(set))
                .map(|(i, _)| i)
                .collect();
            fates.push(Fate {
                statement,
                from: vec![from],
                to,
            });
        }
    }
    fates
}

/// The statements of `before` that are nowhere in `after`, in order.
#[must_use]
pub fn lost(before: &[String], after: &[String]) -> Vec<String> {
    let kept: HashSet<String> = after.iter().flat_map(|s| told(s)).collect();
    before
        .iter()
        .filter(|s| !kept.contains(bare(s)))
        .cloned()
        .collect()
}

/// Words by which a statement says the opposite, more, or less: where one of these changes, its
/// meaning does.
const TURNING: &[&str] = &[
    "not", "no", "never", "none", "nobody", "nothing", "without", "with", "except", "unless",
    "only", "always", "all", "any", "every", "must", "should", "may", "can", "cannot", "dont",
    "doesnt", "isnt", "wont", "cant", "nicht", "kein", "keine", "keinen", "nie", "niemals", "ohne",
    "immer", "nur", "alle", "ne", "pas", "jamais", "sans", "aucun", "toujours", "nunca", "sin",
    "siempre", "solo", "jamás", "non", "mai", "senza", "sempre", "não", "nao", "sem", "zero",
];

/// Words for values that are written in small letters: units, numbers, days and months.
const VALUE_WORDS: &[&str] = &[
    "second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "week", "weeks",
    "month", "months", "year", "years", "ms", "s", "min", "h", "kb", "mb", "gb", "tb", "kib",
    "mib", "gib", "percent", "am", "pm", "one", "two", "three", "four", "five", "six", "seven",
    "eight", "nine", "ten", "eleven", "twelve", "twenty", "thirty", "sixty", "hundred", "thousand",
];

/// True if `after` is the statement `before` with other values in it: a number, a unit, a name,
/// something in quotation marks. At least half of the words stay, in their order. Another address
/// or link is no value of that kind: it may lead elsewhere.
#[must_use]
pub fn changes_a_value(before: &str, after: &str) -> bool {
    let (a, b): (Vec<&str>, Vec<&str>) = (
        before.split_whitespace().collect(),
        after.split_whitespace().collect(),
    );
    let plain_a: Vec<&str> = a.iter().map(|w| core(w)).collect();
    let plain_b: Vec<&str> = b.iter().map(|w| core(w)).collect();
    let ops = similar::capture_diff_slices(similar::Algorithm::Myers, &plain_a, &plain_b);
    let mut kept = 0;
    for op in ops {
        let (tag, old, new) = op.as_tag_tuple();
        if tag == similar::DiffTag::Equal {
            kept += old.len();
            continue;
        }
        // A value is replaced by a value: one that only appears or disappears changes what is said.
        if old.is_empty() || new.is_empty() {
            return false;
        }
        let value = |all: &[&str], range: std::ops::Range<usize>| {
            range.into_iter().all(|at| is_value(all[at], at == 0))
        };
        if !value(&a, old) || !value(&b, new) {
            return false;
        }
    }
    kept * 2 >= a.len().max(b.len()) && kept > 0
}

/// A word without the punctuation around it.
fn core(word: &str) -> &str {
    word.trim_matches(|c: char| c.is_ascii_punctuation() && !matches!(c, '%' | '$' | '+' | '-'))
}

fn is_value(word: &str, first: bool) -> bool {
    let plain = core(word).to_lowercase().replace('\'', "");
    if TURNING.contains(&plain.as_str())
        || word.contains("://")
        || word.contains('@')
        || looks_like_host(&plain)
    {
        return false;
    }
    let quoted = word.starts_with(['`', '"', '\'', '“', '‘', '«', '„']);
    let name = !first && core(word).chars().next().is_some_and(char::is_uppercase);
    plain.chars().any(|c| c.is_ascii_digit())
        || quoted
        || name
        || VALUE_WORDS.contains(&plain.as_str())
}

/// True if a word may be the name of a host: parts of letters with dots between, the last of at
/// least two letters.
fn looks_like_host(word: &str) -> bool {
    let host = word.split('/').next().unwrap_or_default();
    let parts: Vec<&str> = host.split('.').collect();
    let is_part = |p: &&str| !p.is_empty() && p.chars().all(|c| c.is_alphanumeric() || c == '-');
    parts.len() >= 2
        && parts.iter().all(is_part)
        && parts
            .last()
            .is_some_and(|p| p.len() >= 2 && p.chars().all(char::is_alphabetic))
        && host.chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_ends_no_sentence() {
        assert_eq!(
            statements("Ask Dr. Ewa Nowak. She knows."),
            ["Ask Dr. Ewa Nowak.", "She knows."]
        );
    }

    #[test]
    fn each_statement_of_a_merge_has_a_fate() {
        let fates = fates(
            &["- One.\n- Two.\n", "- One\n- Three.\n"],
            &["- One.\n- Three; and more.\n"],
        );
        let short: Vec<_> = fates
            .iter()
            .map(|f| (f.statement.as_str(), f.from.clone(), f.to.clone()))
            .collect();
        assert_eq!(
            short,
            [
                ("One.", vec![0, 1], vec![0]),
                ("Two.", vec![0], vec![]),
                ("Three.", vec![1], vec![0])
            ]
        );
    }

    #[test]
    fn bullets_and_sentences() {
        let text = "# Title\n\n- First thing.  Second thing, v1.2 e.g. this.\n* Third\n\n```\nlet \
            x = 1. + 2.\n```\n---\n";
        assert_eq!(
            statements(text),
            [
                "Title",
                "First thing.",
                "Second thing, v1.2 e.g. this.",
                "Third",
                "let x = 1. + 2."
            ]
        );
    }

    #[test]
    fn signs_and_code_are_no_markers() {
        let same = |a: &str, b: &str| statements(a) == statements(b);
        assert!(same("- Use ISO dates", "* Use ISO dates") && same("> - a b", "a b"));
        assert!(!same("-5 is the limit", "5 is the limit") && !same(">10 ms", "10 ms"));
        assert!(!same("```\n# restart db\n```", "```\nrestart db\n```"));
    }

    #[test]
    fn what_moved_is_not_lost() {
        let before = statements("- a b\n- c d");
        assert_eq!(
            lost(&before, &statements("c d\n\na  b")),
            Vec::<String>::new()
        );
        assert_eq!(lost(&before, &statements("a b")), ["c d"]);
        assert_eq!(
            lost(&before, &statements("- a b; c d.")),
            Vec::<String>::new(),
            "told together"
        );
        assert_eq!(lost(&before, &statements("- a b c d")), ["a b", "c d"]);
    }
}
