//! Three-way merge by lines: what two people made of one text, merged where they do not touch the
//! same lines. Where both changed the same lines, both versions are in the result between marks,
//! and a person resolves the conflict.

use std::{ops::Range, time::Duration};

use similar::{Algorithm, DiffOp, TextDiff};

/// The result of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The text. Where both sides changed the same lines, both are in it between marks: first what
    /// is there now, then what was proposed.
    pub text: String,
    /// How many such conflicts there are.
    pub both: usize,
}

/// Before what is there now, in a conflict.
const NOW: &str = "<<<<<<< now";
/// Between what is there now and what was proposed.
const BETWEEN: &str = "=======";
/// After what was proposed.
const PROPOSED: &str = ">>>>>>> proposed";

/// True if a text still has the marks of a conflict.
#[must_use]
pub fn has_conflict(text: &str) -> bool {
    text.lines().any(|l| l == NOW || l == PROPOSED)
}

/// One marked conflict of a text: the lines of each side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub now: String,
    pub proposed: String,
    /// The bytes of the text that it takes, marks and all.
    at: Range<usize>,
}

/// The resolution of a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    Now,
    Proposed,
    /// Both, what is there now first.
    Both,
}

/// The conflicts that are marked in a text and whole: a mark without its others is none.
#[must_use]
pub fn conflicts(text: &str) -> Vec<Conflict> {
    let mut found = Vec::new();
    let (mut start, mut between, mut at) = (None, None, 0);
    for line in text.split_inclusive('\n') {
        let after = at + line.len();
        match (line.trim_end_matches(['\n', '\r']), start, between) {
            (NOW, ..) => (start, between) = (Some((at, after)), None),
            (BETWEEN, Some(_), None) => between = Some((at, after)),
            (PROPOSED, Some((first, now)), Some((end, proposed))) => {
                found.push(Conflict {
                    now: text[now..end].to_owned(),
                    proposed: text[proposed..at].to_owned(),
                    at: first..after,
                });
                (start, between) = (None, None);
            }
            _ => {}
        }
        at = after;
    }
    found
}

impl Conflict {
    /// The text that this conflict is of, with the choice in its place.
    #[must_use]
    pub fn resolve(&self, text: &str, choice: Choice) -> String {
        let chosen = match choice {
            Choice::Now => self.now.clone(),
            Choice::Proposed => self.proposed.clone(),
            Choice::Both => format!("{}{}", self.now, self.proposed),
        };
        format!("{}{chosen}{}", &text[..self.at.start], &text[self.at.end..])
    }
}

/// A stretch of the base that one side replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Hunk {
    start: usize,
    end: usize,
    with: Vec<String>,
}

/// Brings together what became of `base` on two sides.
#[must_use]
pub fn merge(base: &str, now: &str, proposed: &str) -> Merged {
    let lines: Vec<&str> = base.split_inclusive('\n').collect();
    let (ours, theirs) = (hunks(base, now), hunks(base, proposed));
    let (mut text, mut both, mut at) = (String::new(), 0, 0);
    let (mut o, mut t) = (ours.iter().peekable(), theirs.iter().peekable());
    loop {
        let next = match (o.peek(), t.peek()) {
            (None, None) => break,
            (Some(a), Some(b)) => a.start.min(b.start),
            (Some(one), None) | (None, Some(one)) => one.start,
        };
        // Everything that overlaps, from either side, is one place.
        let (mut end, mut mine, mut yours) = (next, Vec::new(), Vec::new());
        loop {
            let before = (mine.len(), yours.len());
            while let Some(h) = o.next_if(|h| h.start < end || h.start == next) {
                end = end.max(h.end);
                mine.push(h);
            }
            while let Some(h) = t.next_if(|h| h.start < end || h.start == next) {
                end = end.max(h.end);
                yours.push(h);
            }
            if (mine.len(), yours.len()) == before {
                break;
            }
        }
        for line in &lines[at..next] {
            put(&mut text, line);
        }
        let (left, right) = (
            side(&lines, next, end, &mine),
            side(&lines, next, end, &yours),
        );
        match (mine.is_empty(), yours.is_empty()) {
            (false, true) => left.iter().for_each(|l| put(&mut text, l)),
            (true, false) => right.iter().for_each(|l| put(&mut text, l)),
            _ if left == right => left.iter().for_each(|l| put(&mut text, l)),
            _ => {
                both += 1;
                put(&mut text, &format!("{NOW}\n"));
                for line in &left {
                    put(&mut text, line);
                }
                put(&mut text, &format!("{BETWEEN}\n"));
                for line in &right {
                    put(&mut text, line);
                }
                put(&mut text, &format!("{PROPOSED}\n"));
            }
        }
        at = end;
    }
    for line in &lines[at..] {
        put(&mut text, line);
    }
    Merged { text, both }
}

/// Adds a line; one that stood last in its text may lack its line break.
fn put(text: &mut String, line: &str) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
}

/// A stretch of the base as one side has it.
fn side(lines: &[&str], start: usize, end: usize, hunks: &[&Hunk]) -> Vec<String> {
    let (mut out, mut at) = (Vec::new(), start);
    for hunk in hunks {
        out.extend(lines[at..hunk.start].iter().map(|&l| l.to_owned()));
        out.extend(hunk.with.iter().cloned());
        at = hunk.end;
    }
    out.extend(lines[at..end].iter().map(|&l| l.to_owned()));
    out
}

fn hunks(base: &str, other: &str) -> Vec<Hunk> {
    let mut config = TextDiff::configure();
    config
        .algorithm(Algorithm::Patience)
        .timeout(Duration::from_millis(200));
    // The same lines on both sides as everywhere here: the library's own also end at a carriage
    // return.
    let (lines, theirs): (Vec<&str>, Vec<&str>) = (
        base.split_inclusive('\n').collect(),
        other.split_inclusive('\n').collect(),
    );
    let diff = config.diff_slices(&lines, &theirs);
    let mut hunks: Vec<Hunk> = Vec::new();
    for op in diff
        .ops()
        .iter()
        .filter(|op| !matches!(op, DiffOp::Equal { .. }))
    {
        let (old, new) = (op.old_range(), op.new_range());
        let with = theirs[new].iter().map(|&l| l.to_owned()).collect();
        match hunks.last_mut() {
            Some(last) if last.end == old.start => {
                last.end = old.end;
                last.with.extend::<Vec<String>>(with);
            }
            _ => hunks.push(Hunk {
                start: old.start,
                end: old.end,
                with,
            }),
        }
    }
    hunks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_conflict_is_resolved_to_either_side_or_both() {
        let merged = merge(
            "a\nb\nc\nd\ne\n",
            "a\nnow\nc\nd\nNOW\n",
            "a\nprop\nc\nd\nPROP\n",
        );
        let all = conflicts(&merged.text);
        assert_eq!(
            all.iter()
                .map(|c| (c.now.as_str(), c.proposed.as_str()))
                .collect::<Vec<_>>(),
            [("now\n", "prop\n"), ("NOW\n", "PROP\n")]
        );
        let text = all[1].resolve(&merged.text, Choice::Both);
        assert_eq!(conflicts(&text).len(), 1);
        let text = conflicts(&text)[0].resolve(&text, Choice::Proposed);
        assert_eq!(text, "a\nprop\nc\nd\nNOW\nPROP\n");
        assert!(!has_conflict(&text));
        // Marks that do not belong together are no conflict, and nothing is cut out of the text.
        assert!(conflicts("=======\n<<<<<<< now\nx\n>>>>>>> proposed\n").is_empty());
        // Browsers send carriage returns.
        assert_eq!(conflicts(&merged.text.replace('\n', "\r\n")).len(), 2);
    }

    #[test]
    fn what_does_not_touch_is_brought_together() {
        let merged = merge("a\nb\nc\nd\n", "A\nb\nc\nd\n", "a\nb\nc\nD\ne\n");
        assert_eq!(
            merged,
            Merged {
                text: "A\nb\nc\nD\ne\n".into(),
                both: 0
            }
        );
        assert_eq!(merge("a\nb", "a\nb", "a\nc").text, "a\nc");
        assert_eq!(
            merge("", "now\n", "proposed\n"),
            Merged {
                text: "<<<<<<< now\nnow\n=======\nproposed\n>>>>>>> proposed\n".into(),
                both: 1
            }
        );
    }

    #[test]
    fn a_conflict_is_marked_with_both_versions() {
        let merged = merge("limit 5\nrest\n", "limit 10\nrest\n", "limit 20\nrest\n");
        let text = "<<<<<<< now\nlimit 10\n=======\nlimit 20\n>>>>>>> proposed\nrest\n";
        assert_eq!(
            merged,
            Merged {
                text: text.into(),
                both: 1
            }
        );
        assert!(has_conflict(text) && !has_conflict("Title\n=======\nlimit 10\nrest\n"));
        // The same on both sides is no question.
        assert_eq!(
            merge("a\n", "b\n", "b\n"),
            Merged {
                text: "b\n".into(),
                both: 0
            }
        );
    }

    proptest! {
        #[test]
        fn one_side_alone_is_taken(base in "([abc]\r?\n|a\r){0,8}", other in "([abcd]\r?\n|d\r){0,8}") {
            prop_assert_eq!(merge(&base, &base, &other), Merged { text: other.clone(), both: 0 });
            prop_assert_eq!(merge(&base, &other, &base), Merged { text: other.clone(), both: 0 });
            prop_assert_eq!(merge(&base, &other, &other), Merged { text: other, both: 0 });
        }

        /// No line that either side brought is lost, and nothing comes from nowhere.
        #[test]
        fn nothing_new_is_lost(base in "([a-c]\n){0,6}", now in "([a-f]\n){0,6}", proposed in "([a-cx-z]\n){0,6}") {
            let merged = merge(&base, &now, &proposed);
            let has = |text: &str, line: &str| text.lines().any(|l| l == line);
            for line in now.lines().chain(proposed.lines()).filter(|l| !has(&base, l)) {
                prop_assert!(has(&merged.text, line), "{line} is lost in {:?}", merged.text);
            }
            prop_assert_eq!(merged.both > 0, has_conflict(&merged.text));
            for line in merged.text.lines().filter(|l| ![NOW, BETWEEN, PROPOSED].contains(l)) {
                prop_assert!(has(&base, line) || has(&now, line) || has(&proposed, line));
            }
        }
    }
}
