//! The unit of comparison: one bullet or sentence of a memory. A statement that still stands word for word somewhere is not lost.

use std::collections::{HashMap, HashSet};

/// The statements of a content, normalised: bullets and sentences, markers and outer white space dropped, white space folded.
/// Headings count, fenced code counts line by line.
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

/// The line without the marker of a heading, bullet or quotation. A marker is one only before a space: `-5` and `>10` are not.
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
        if matches!(c, '.' | '!' | '?') && line[next..].starts_with(' ') && line[next..].trim_start().starts_with(char::is_uppercase) {
            push(found, &line[start..next]);
            start = next;
        }
    }
    push(found, &line[start..]);
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

/// All that a statement tells: itself, and where it tells several things together ("one; another"), each of them; without full stops.
#[must_use]
pub fn told(statement: &str) -> Vec<String> {
    let whole = std::iter::once(bare(statement));
    let parts = statement.split("; ").filter(|_| statement.contains("; ")).map(bare);
    whole.chain(parts).map(str::to_owned).collect()
}

/// What becomes of a statement when several texts become several others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The statement as it stood.
    pub statement: String,
    /// In which of the texts before.
    pub from: Vec<usize>,
    /// In which of the texts after it is told; in none, if it is lost.
    pub to: Vec<usize>,
}

/// What becomes of each statement of `before` in `after`, in order, each once.
#[must_use]
pub fn fates(before: &[&str], after: &[&str]) -> Vec<Fate> {
    let told_after: Vec<HashSet<String>> = after.iter().map(|t| statements(t).iter().flat_map(|s| told(s)).collect()).collect();
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
            let to = told_after.iter().enumerate().filter(|(_, set)| stands_in(set)).map(|(i, _)| i).collect();
            fates.push(Fate { statement, from: vec![from], to });
        }
    }
    fates
}

/// The statements of `before` that stand nowhere in `after`, in order.
#[must_use]
pub fn lost(before: &[String], after: &[String]) -> Vec<String> {
    let kept: HashSet<String> = after.iter().flat_map(|s| told(s)).collect();
    before.iter().filter(|s| !kept.contains(bare(s))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_statement_of_a_merge_has_a_fate() {
        let fates = fates(&["- One.\n- Two.\n", "- One\n- Three.\n"], &["- One.\n- Three; and more.\n"]);
        let short: Vec<_> = fates.iter().map(|f| (f.statement.as_str(), f.from.clone(), f.to.clone())).collect();
        assert_eq!(short, [("One.", vec![0, 1], vec![0]), ("Two.", vec![0], vec![]), ("Three.", vec![1], vec![0])]);
    }

    #[test]
    fn bullets_and_sentences() {
        let text = "# Title\n\n- First thing.  Second thing, v1.2 e.g. this.\n* Third\n\n```\nlet x = 1. + 2.\n```\n---\n";
        assert_eq!(statements(text), ["Title", "First thing.", "Second thing, v1.2 e.g. this.", "Third", "let x = 1. + 2."]);
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
        assert_eq!(lost(&before, &statements("c d\n\na  b")), Vec::<String>::new());
        assert_eq!(lost(&before, &statements("a b")), ["c d"]);
        assert_eq!(lost(&before, &statements("- a b; c d.")), Vec::<String>::new(), "told together");
        assert_eq!(lost(&before, &statements("- a b c d")), ["a b", "c d"]);
    }
}
