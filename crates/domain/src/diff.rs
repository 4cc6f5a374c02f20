//! Word-level diff of two texts, by lines with the changed words marked inside them; inside a very
//! long word, the changed characters. The work is bounded (a deadline falls back to whole lines),
//! because contents are hostile and up to 100 kB.
//!
//! Lines and words are numbered before they are compared, so that one comparison of numbers serves
//! both: the browser loads this, too.

use std::{collections::HashMap, ops::Range, time::Duration};

use serde::{Deserialize, Serialize};
use similar::{
    DiffOp, Instant,
    algorithms::{Capture, Replace, patience},
};

use crate::text_enum::text_enum;

text_enum! {
    /// The fate of a line or a word.
    Mark {
        Same => "same",
        Removed => "removed",
        Added => "added",
    }
}

/// A run of text inside a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// True if these words themselves changed.
    pub changed: bool,
    pub text: String,
}

/// One line of the diff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub mark: Mark,
    /// Line number before, from 1.
    pub before: Option<usize>,
    /// Line number after, from 1.
    pub after: Option<usize>,
    /// The line in runs, without its line break.
    pub runs: Vec<Run>,
    /// Where the same line is on the other side, if it only moved: its number there, from 1.
    pub moved: Option<usize>,
    /// True if it is the last of a text that does not end with a line break.
    pub unended: bool,
}

/// How long a diff may take. What is left then is shown as replaced.
const LIMIT: Duration = Duration::from_millis(200);
/// Most words of lines that replace each other which are compared; of longer ones no words are
/// marked.
const WORDS: usize = 20_000;
/// Least share of words in both, in percent, for which words are marked: else the lines have
/// nothing to do with each other.
const ALIKE_PERCENT: usize = 35;
/// Fewest letters and digits of a line that counts as moved: shorter ones recur by chance.
const MOVED: usize = 8;
/// Characters from which on the changed part of a word is marked, not the word.
const LONG_WORD: usize = 24;

/// The lines of `before` and `after` with what became of each.
#[must_use]
#[cfg_attr(
    not(target_arch = "wasm32"),
    expect(
        clippy::disallowed_methods,
        reason = "a hostile comparison is cut off; its result is only shown, never stored"
    )
)]
pub fn lines(before: &str, after: &str) -> Vec<Line> {
    let deadline = Instant::now().checked_add(LIMIT);
    let (old, new): (Vec<&str>, Vec<&str>) = (
        before.split_inclusive('\n').collect(),
        after.split_inclusive('\n').collect(),
    );
    let ops = compare(&old, &new, deadline);
    let moved = moves(&ops, &old, &new);
    let mut lines = Vec::new();
    for op in ops {
        let (removed, added) = (op.old_range(), op.new_range());
        match op {
            DiffOp::Equal { .. } => lines.extend(removed.zip(added).map(|(o, n)| Line {
                mark: Mark::Same,
                before: Some(o + 1),
                after: Some(n + 1),
                runs: runs([(false, old[o])].into_iter()),
                moved: None,
                unended: !old[o].ends_with('\n'),
            })),
            _ => lines.extend(replaced((&old, removed), (&new, added), &moved, deadline)),
        }
    }
    lines
}

/// Lines that only moved: the number of each on the other side, from 0.
#[derive(Default)]
struct Moves {
    removed: HashMap<usize, usize>,
    added: HashMap<usize, usize>,
}

/// The lines that were removed once and added once, the same but for blanks at their ends.
fn moves(ops: &[DiffOp], old: &[&str], new: &[&str]) -> Moves {
    // Of each text, how often it was removed and added, and where last.
    let mut places: HashMap<&str, [(usize, usize); 2]> = HashMap::new();
    for op in ops.iter().filter(|op| !matches!(op, DiffOp::Equal { .. })) {
        for (side, text, range) in [(0, old, op.old_range()), (1, new, op.new_range())] {
            for at in range.filter(|at| {
                text[*at]
                    .chars()
                    .filter(|c| c.is_alphanumeric())
                    .nth(MOVED - 1)
                    .is_some()
            }) {
                let place = &mut places.entry(text[at].trim_end()).or_default()[side];
                *place = (place.0 + 1, at);
            }
        }
    }
    let mut moves = Moves::default();
    for [(removals, from), (additions, to)] in places.into_values() {
        if removals == 1 && additions == 1 {
            moves.removed.insert(from, to);
            moves.added.insert(to, from);
        }
    }
    moves
}

/// Returns what turns one list into the other.
fn compare(old: &[&str], new: &[&str], deadline: Option<Instant>) -> Vec<DiffOp> {
    let mut numbers = HashMap::new();
    let mut number = |text: &&str| {
        let next = numbers.len();
        *numbers.entry((*text).to_owned()).or_insert(next)
    };
    let old: Vec<usize> = old.iter().map(&mut number).collect();
    let new: Vec<usize> = new.iter().map(&mut number).collect();
    let mut found = Replace::new(Capture::new());
    let Ok(()) = patience::diff_deadline(
        &mut found,
        &old[..],
        0..old.len(),
        &new[..],
        0..new.len(),
        deadline,
    );
    found.into_inner().into_ops()
}

/// Lines that take the place of others, the changed words marked where most of them stay. In what
/// only moved none are marked.
fn replaced(
    old: (&[&str], Range<usize>),
    new: (&[&str], Range<usize>),
    moved: &Moves,
    deadline: Option<Instant>,
) -> Vec<Line> {
    let stay = |text: &[&str], range: Range<usize>, moved: &HashMap<usize, usize>| -> Vec<String> {
        range
            .filter(|n| !moved.contains_key(n))
            .map(|n| text[n].to_owned())
            .collect()
    };
    let (old_lines, new_lines) = (
        stay(old.0, old.1.clone(), &moved.removed),
        stay(new.0, new.1.clone(), &moved.added),
    );
    let (mut old_parts, mut new_parts) = compared(&old_lines, &new_lines, deadline);
    let mut line = |mark: Mark, at: usize| {
        let removed = mark == Mark::Removed;
        let (text, other) = if removed {
            (old.0[at], moved.removed.get(&at))
        } else {
            (new.0[at], moved.added.get(&at))
        };
        let parts = if removed {
            &mut old_parts
        } else {
            &mut new_parts
        };
        let parts = if other.is_some() {
            vec![(false, text.to_owned())]
        } else {
            parts.next().unwrap_or_default()
        };
        Line {
            mark,
            before: removed.then_some(at + 1),
            after: (!removed).then_some(at + 1),
            runs: runs(
                parts
                    .iter()
                    .map(|(changed, text)| (*changed, text.as_str())),
            ),
            moved: other.map(|n| n + 1),
            unended: !text.ends_with('\n'),
        }
    };
    let mut lines: Vec<Line> = old.1.map(|at| line(Mark::Removed, at)).collect();
    lines.extend(new.1.map(|at| line(Mark::Added, at)));
    lines
}

/// A line in parts, and whether each of them changed.
type Parts = Vec<(bool, String)>;

/// The parts of lines and of those that take their place.
fn compared(
    old: &[String],
    new: &[String],
    deadline: Option<Instant>,
) -> (std::vec::IntoIter<Parts>, std::vec::IntoIter<Parts>) {
    let (old_words, new_words) = (words(old), words(new));
    let mut marked = (vec![Vec::new(); old.len()], vec![Vec::new(); new.len()]);
    let too_many = old_words.len().max(new_words.len()) > WORDS;
    let ops = if too_many || old_words.is_empty() || new_words.is_empty() {
        Vec::new()
    } else {
        compare(&old_words, &new_words, deadline)
    };
    let length = |words: &[&str]| words.iter().map(|w| w.trim().len()).sum::<usize>();
    let same: usize = ops
        .iter()
        .filter(|op| matches!(op, DiffOp::Equal { .. }))
        .map(|op| length(&old_words[op.old_range()]))
        .sum();
    let (mut old_at, mut new_at) = (0, 0);
    let long = old_words.iter().any(|w| w.chars().count() >= LONG_WORD);
    if !ops.is_empty()
        && (long || same * 200 >= ALIKE_PERCENT * (length(&old_words) + length(&new_words)))
    {
        for op in &ops {
            let (o, n) = (&old_words[op.old_range()], &new_words[op.new_range()]);
            if matches!(op, DiffOp::Equal { .. }) {
                put(&mut marked.0, &mut old_at, &[(false, &o.concat())]);
                put(&mut marked.1, &mut new_at, &[(false, &n.concat())]);
            } else {
                let (o, n) = (o.concat(), n.concat());
                let (start, end) = shared(&o, &n);
                put(
                    &mut marked.0,
                    &mut old_at,
                    &[
                        (false, &o[..start]),
                        (true, &o[start..o.len() - end]),
                        (false, &o[o.len() - end..]),
                    ],
                );
                put(
                    &mut marked.1,
                    &mut new_at,
                    &[
                        (false, &n[..start]),
                        (true, &n[start..n.len() - end]),
                        (false, &n[n.len() - end..]),
                    ],
                );
            }
        }
    } else {
        put(&mut marked.0, &mut old_at, &[(false, &old_words.concat())]);
        put(&mut marked.1, &mut new_at, &[(false, &new_words.concat())]);
    }
    (marked.0.into_iter(), marked.1.into_iter())
}

/// Bytes at the start and at the end that two texts share, where they are long; never inside a
/// character.
fn shared(old: &str, new: &str) -> (usize, usize) {
    if old.chars().count().min(new.chars().count()) < LONG_WORD {
        return (0, 0);
    }
    let start: usize = old
        .chars()
        .zip(new.chars())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    let (old, new) = (&old[start..], &new[start..]);
    let end = old
        .chars()
        .rev()
        .zip(new.chars().rev())
        .take_while(|(a, b)| a == b)
        .map(|(a, _)| a.len_utf8())
        .sum();
    (start, end)
}

/// Adds parts to the lines that they belong to; a line break ends a line.
fn put(lines: &mut [Vec<(bool, String)>], at: &mut usize, parts: &[(bool, &str)]) {
    for (changed, text) in parts {
        for piece in text.split_inclusive('\n') {
            if let Some(line) = lines.get_mut(*at) {
                line.push((*changed, piece.to_owned()));
            }
            *at += usize::from(piece.ends_with('\n'));
        }
    }
}

/// The words of some lines, with what is between them: runs of letters and digits, runs of blanks,
/// and any other character by itself. Where a script has no blanks between words, each of its
/// characters is one.
fn words(lines: &[String]) -> Vec<&str> {
    let kind = |c: char| match c {
        '\n' => 0,
        c if is_unspaced(c) => 0,
        c if c.is_alphanumeric() || c == '_' => 1,
        c if c.is_whitespace() => 2,
        _ => 0,
    };
    let mut all = Vec::new();
    for line in lines {
        let mut start = 0;
        let mut last = 0;
        for (at, c) in line.char_indices() {
            let now = kind(c);
            if at > start && (now != last || now == 0) {
                all.push(&line[start..at]);
                start = at;
            }
            last = now;
        }
        if start < line.len() {
            all.push(&line[start..]);
        }
    }
    all
}

/// True if a character is of a script that is written without blanks between words: Thai, Lao,
/// Myanmar, Khmer, Chinese, Japanese.
const fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn runs<'a>(parts: impl Iterator<Item = (bool, &'a str)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (changed, text) in parts.filter(|(_, text)| !text.is_empty()) {
        match runs.last_mut() {
            Some(last) if last.changed == changed => last.text.push_str(text),
            _ => runs.push(Run {
                changed,
                text: text.to_owned(),
            }),
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
        lines
            .iter()
            .filter(|l| l.mark == Mark::Same || l.mark == keep)
            .map(text)
            .collect()
    }

    #[test]
    fn marks_the_word_that_changed() {
        let diff = lines(
            "retry after 5 seconds\nthen stop\n",
            "retry after 30 seconds\nthen stop\n",
        );
        let added = diff.iter().find(|l| l.mark == Mark::Added).unwrap();
        let changed: Vec<&str> = added
            .runs
            .iter()
            .filter(|r| r.changed)
            .map(|r| r.text.as_str())
            .collect();
        assert_eq!(changed, ["30"]);
        assert_eq!(diff.last().unwrap().mark, Mark::Same);
    }

    fn changed(line: &Line) -> Vec<&str> {
        line.runs
            .iter()
            .filter(|r| r.changed)
            .map(|r| r.text.as_str())
            .collect()
    }

    #[test]
    fn characters_are_marked_inside_a_long_line() {
        let before = "x".repeat(9_000);
        let after = format!("{}abcdef{}", &before[..4_000], &before[4_006..]);
        let diff = lines(&before, &after);
        assert_eq!(
            diff.iter().map(changed).collect::<Vec<_>>(),
            [vec!["xxxxxx"], vec!["abcdef"]]
        );
        let diff = lines("日志保留三十天。\n", "日志保留六十天。\n");
        assert_eq!(
            diff.iter().map(changed).collect::<Vec<_>>(),
            [vec!["三"], vec!["六"]]
        );
    }

    #[test]
    fn a_line_that_moved_names_its_other_place() {
        let (one, two) = (
            "Ask for the order number first.\n",
            "Refund within 14 days.\n",
        );
        let diff = lines(
            &format!("# Refunds\n{one}{two}\n- end\n"),
            &format!("# Refunds\n{two}\n{one}- end\n"),
        );
        let moved: Vec<_> = diff
            .iter()
            .filter_map(|l| Some((l.mark, l.before, l.after, l.moved?)))
            .collect();
        let of = |mark| moved.iter().find(|m| m.0 == mark).copied();
        let (from, to) = (of(Mark::Removed).unwrap(), of(Mark::Added).unwrap());
        assert_eq!((moved.len(), from.1, to.2), (2, Some(to.3), Some(from.3)));
        assert!(
            diff.iter()
                .filter(|l| l.moved.is_some())
                .all(|l| changed(l).is_empty()),
            "no word of it changed"
        );
        // A line that is there twice, or is short, does not count as moved.
        let twice = lines(&format!("{one}a\nb\n"), &format!("a\n{one}b\n{one}"));
        assert!(
            twice
                .iter()
                .all(|l| l.moved.is_none() || l.mark != Mark::Same),
            "{twice:?}"
        );
        assert!(
            lines("- yes\na\n", "a\n- yes\n")
                .iter()
                .all(|l| l.moved.is_none())
        );
        // Of other indentation it is another line.
        assert!(
            lines(&format!("{one}a\nb\n"), &format!("a\nb\n  {one}"))
                .iter()
                .all(|l| l.moved.is_none())
        );
    }

    #[test]
    fn a_last_line_without_a_line_break_is_told_apart() {
        let diff = lines("one\ntwo", "one\ntwo\n");
        assert_eq!(
            diff.iter().map(|l| (l.mark, l.unended)).collect::<Vec<_>>(),
            [
                (Mark::Same, false),
                (Mark::Removed, true),
                (Mark::Added, false)
            ]
        );
    }

    #[test]
    fn lines_that_have_nothing_in_common_are_not_marked() {
        let diff = lines("Use title case.\n", "Rows are counted twice a day.\n");
        assert!(diff.iter().all(|l| changed(l).is_empty()), "{diff:?}");
    }

    #[test]
    fn a_hostile_text_takes_no_longer_than_its_limit_by_much() {
        let lines_of = |every: usize| {
            (0..20_000)
                .map(|n| (n % every).to_string())
                .collect::<Vec<_>>()
                .join("\n")
                + "\n"
        };
        let (before, after) = (lines_of(7), lines_of(11));
        let diff = lines(&before, &after);
        assert_eq!(side(&diff, Mark::Added).len(), 20_000);
    }

    proptest! {
        #[test]
        fn both_sides_can_be_read_off_in_any_script(before in "([a日é_ .]{0,9}\n?){0,6}", after in "([a日é_ .]{0,9}\n?){0,6}") {
            let diff = lines(&before, &after);
            prop_assert_eq!(side(&diff, Mark::Removed), before.lines().map(str::to_owned).collect::<Vec<_>>());
            prop_assert_eq!(side(&diff, Mark::Added), after.lines().map(str::to_owned).collect::<Vec<_>>());
        }

        #[test]
        fn both_sides_can_be_read_off(before in "([ab ]{0,5}\n){0,6}", after in "([ab ]{0,5}\n){0,6}") {
            let diff = lines(&before, &after);
            prop_assert_eq!(side(&diff, Mark::Removed), before.lines().map(str::to_owned).collect::<Vec<_>>());
            prop_assert_eq!(side(&diff, Mark::Added), after.lines().map(str::to_owned).collect::<Vec<_>>());
        }
    }
}
