//! Word-level diff of two texts, by lines with the changed words marked inside them.
//! The work is bounded (a deadline falls back to whole lines), because contents are hostile and up to 100 kB.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use similar::{Algorithm, ChangeTag, TextDiff};

use crate::text_enum::text_enum;

text_enum! {
    /// What became of a line or a word.
    Mark {
        /// In both.
        Same => "same",
        /// Only before.
        Removed => "removed",
        /// Only after.
        Added => "added",
    }
}

/// A run of text inside a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Whether these words themselves changed.
    pub changed: bool,
    /// The words.
    pub text: String,
}

/// One line of the diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What became of the line.
    pub mark: Mark,
    /// Line number before, from 1.
    pub before: Option<usize>,
    /// Line number after, from 1.
    pub after: Option<usize>,
    /// The line in runs, without its line break.
    pub runs: Vec<Run>,
}

/// The lines of `before` and `after` with what became of each.
#[must_use]
pub fn lines(before: &str, after: &str) -> Vec<Line> {
    let mut config = TextDiff::configure();
    config.algorithm(Algorithm::Patience).timeout(Duration::from_millis(200));
    let diff = config.diff_lines(before, after);
    let mut lines = Vec::new();
    for op in diff.ops() {
        for change in diff.iter_inline_changes(op) {
            lines.push(Line {
                mark: match change.tag() {
                    ChangeTag::Equal => Mark::Same,
                    ChangeTag::Delete => Mark::Removed,
                    ChangeTag::Insert => Mark::Added,
                },
                before: change.old_index().map(|n| n + 1),
                after: change.new_index().map(|n| n + 1),
                runs: runs(change.iter_strings_lossy().map(|(changed, text)| (changed, text.into_owned()))),
            });
        }
    }
    lines
}

fn runs(parts: impl Iterator<Item = (bool, String)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (changed, text) in parts {
        match runs.last_mut() {
            Some(last) if last.changed == changed => last.text.push_str(&text),
            _ => runs.push(Run { changed, text }),
        }
    }
    if let Some(last) = runs.last_mut() {
        if last.text.ends_with('\n') {
            last.text.pop();
        }
        if last.text.is_empty() {
            runs.pop();
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn side(lines: &[Line], keep: Mark) -> Vec<String> {
        let text = |l: &Line| l.runs.iter().map(|r| r.text.as_str()).collect();
        lines.iter().filter(|l| l.mark == Mark::Same || l.mark == keep).map(text).collect()
    }

    #[test]
    fn marks_the_word_that_changed() {
        let diff = lines("retry after 5 seconds\nthen stop\n", "retry after 30 seconds\nthen stop\n");
        let added = diff.iter().find(|l| l.mark == Mark::Added).unwrap();
        let changed: Vec<&str> = added.runs.iter().filter(|r| r.changed).map(|r| r.text.as_str()).collect();
        assert_eq!(changed, ["30"]);
        assert_eq!(diff.last().unwrap().mark, Mark::Same);
    }

    proptest! {
        #[test]
        fn both_sides_can_be_read_off(before in "([ab ]{0,5}\n){0,6}", after in "([ab ]{0,5}\n){0,6}") {
            let diff = lines(&before, &after);
            prop_assert_eq!(side(&diff, Mark::Removed), before.lines().map(str::to_owned).collect::<Vec<_>>());
            prop_assert_eq!(side(&diff, Mark::Added), after.lines().map(str::to_owned).collect::<Vec<_>>());
        }
    }
}
