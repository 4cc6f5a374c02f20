//! From when and until when a statement of a memory is valid. It is written at the end of the
//! statement, where people and agents read it, too: `(valid from 2026-12-01 until 2026-12-31)`, or
//! only one of the two. Days are of UTC, and the last one counts.

use std::ops::Range;

use crate::Timestamp;

/// The text before the days.
const BEGIN: &str = "(valid ";
const DAY_SECONDS: i64 = 86_400;

/// When a statement is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Validity {
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment: the end of the last day.
    pub until: Option<Timestamp>,
}

/// A statement of a memory with when it is valid: a bullet, a paragraph or a heading, with all of
/// its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its lines in the memory, from 0.
    pub lines: Range<usize>,
    /// What it says, without its marker and without when it is valid.
    pub text: String,
    /// When it is valid; always if nothing says so.
    pub validity: Option<Validity>,
}

impl Validity {
    /// From and until these days (`2026-12-01`), either of which may be empty. An error says what
    /// is wrong with them.
    pub fn of_days(from: &str, until: &str) -> Result<Self, String> {
        let of = |text: &str| match text.trim() {
            "" => Ok(None),
            text => day(text)
                .map(Some)
                .ok_or_else(|| format!("`{text}` is no day; write it as 2026-12-31")),
        };
        let validity = Self {
            from: of(from)?,
            until: of(until)?.map(|at| at.plus_seconds(DAY_SECONDS)),
        };
        match validity {
            Self {
                from: Some(from),
                until: Some(until),
            } if until <= from => Err("the last day is before the first".to_owned()),
            _ => Ok(validity),
        }
    }

    /// True if it is valid at a moment.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// The first and the last day, as they are written.
    #[must_use]
    pub fn days(&self) -> (Option<String>, Option<String>) {
        let day = |at: Timestamp| at.rfc3339().chars().take(10).collect();
        (
            self.from.map(day),
            self.until
                .map(|until| day(until.plus_seconds(-DAY_SECONDS))),
        )
    }

    /// As it is written at the end of a statement; nothing if it is always valid.
    #[must_use]
    pub fn written(&self) -> String {
        match self.days() {
            (Some(from), Some(until)) => format!("{BEGIN}from {from} until {until})"),
            (Some(from), None) => format!("{BEGIN}from {from})"),
            (None, Some(until)) => format!("{BEGIN}until {until})"),
            (None, None) => String::new(),
        }
    }

    /// Returns what the end of a line says, and where that begins.
    fn at_end_of(line: &str) -> Option<(usize, Self)> {
        let line = line.trim_end();
        let line = line.strip_suffix('.').unwrap_or(line).strip_suffix(')')?;
        let start = line.rfind(BEGIN)?;
        let mut words = line[start + BEGIN.len()..].split(' ');
        let (mut validity, mut word) = (Self::default(), words.next());
        if word == Some("from") {
            validity.from = Some(day(words.next()?)?);
            word = words.next();
        }
        if word == Some("until") {
            validity.until = Some(day(words.next()?)?.plus_seconds(DAY_SECONDS));
            word = words.next();
        }
        (word.is_none() && validity != Self::default()).then_some((start, validity))
    }
}

/// The beginning of a day, written as `2026-12-31`.
fn day(text: &str) -> Option<Timestamp> {
    (text.len() == 10)
        .then(|| Timestamp::parse(&format!("{text}T00:00:00Z")))
        .flatten()
}

/// True if a line begins a bullet or a numbered item.
fn is_item(line: &str) -> bool {
    let line = line.trim_start();
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let begins = |rest: &str, marker: &str| {
        rest.strip_prefix(marker)
            .is_some_and(|after| after.is_empty() || after.starts_with(' '))
    };
    ["-", "*", "+"].iter().any(|marker| begins(line, marker))
        || (number.len() < line.len() && begins(number, "."))
}

/// The statements of a memory in order. Fenced code is none.
#[must_use]
pub fn statements(content: &str) -> Vec<Statement> {
    let lines: Vec<&str> = content.lines().collect();
    let mut all: Vec<Range<usize>> = Vec::new();
    let (mut fenced, mut open) = (false, false);
    for (number, line) in lines.iter().enumerate() {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        if is_fence || fenced || line.trim().is_empty() {
            open = false;
            continue;
        }
        let is_heading = line.starts_with('#');
        match all.last_mut() {
            Some(last) if open && !is_heading && !is_item(line) => last.end = number + 1,
            _ => all.push(number..number + 1),
        }
        open = !is_heading;
    }
    let statement = |range: Range<usize>| {
        let last = lines[range.end - 1];
        let end = Validity::at_end_of(last);
        let mut text: Vec<&str> = lines[range.clone()].to_vec();
        if let (Some((start, _)), Some(line)) = (end, text.last_mut()) {
            *line = &last[..start];
        }
        let text = text
            .join(" ")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let text = text
            .trim_start_matches(['#', '-', '*', '+', ' '])
            .to_owned();
        Statement {
            lines: range,
            text,
            validity: end.map(|(_, validity)| validity),
        }
    };
    all.into_iter().map(statement).collect()
}

/// Removes the statements that are not valid at a moment, and returns the rest and how many were
/// removed; `None` if all are valid.
#[must_use]
pub fn valid_at(content: &str, at: Timestamp) -> Option<(String, usize)> {
    // Few memories say it at all.
    if !content.contains(BEGIN) {
        return None;
    }
    let gone: Vec<Range<usize>> = statements(content)
        .into_iter()
        .filter(|s| s.validity.is_some_and(|v| !v.holds(at)))
        .map(|s| s.lines)
        .collect();
    if gone.is_empty() {
        return None;
    }
    let left = content
        .split_inclusive('\n')
        .enumerate()
        .filter(|(number, _)| !gone.iter().any(|lines| lines.contains(number)));
    Some((left.map(|(_, line)| line).collect(), gone.len()))
}

/// True if a memory says anything but headings.
#[must_use]
pub fn says_anything(content: &str) -> bool {
    content
        .lines()
        .any(|line| !line.trim().is_empty() && !line.starts_with('#'))
}

/// A memory in which one statement, by its number from 0, is valid as given; nothing if there is no
/// such statement.
#[must_use]
pub fn with_validity(content: &str, number: usize, validity: Validity) -> Option<String> {
    let statement = statements(content).into_iter().nth(number)?;
    let last = statement.lines.end - 1;
    let mut text = String::with_capacity(content.len() + 48);
    for (at, line) in content.split_inclusive('\n').enumerate() {
        if at != last {
            text.push_str(line);
            continue;
        }
        let said = line.trim_end_matches(['\n', '\r']);
        let end = &line[said.len()..];
        let said = Validity::at_end_of(said)
            .map_or(said, |(start, _)| &said[..start])
            .trim_end();
        text.push_str(said);
        let written = validity.written();
        if !written.is_empty() {
            text.push(' ');
            text.push_str(&written);
        }
        text.push_str(end);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MEMORY: &str = "# Freezes\n\n- Never deploy on a Friday.\n- No deployment at all. (valid \
        from 2026-12-20 until 2027-01-03)\n- Ask Ana,\n  who is in \
                          Lisbon (valid until 2026-11-30).\n\n```\n- code (valid until \
                          2000-01-01)\n```\nA paragraph\nof two lines (valid from 2027-01-01)\n";

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn statements_are_told_with_when_they_are_valid() {
        let all = statements(MEMORY);
        let texts: Vec<&str> = all.iter().map(|s| s.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "Freezes",
                "Never deploy on a Friday.",
                "No deployment at all.",
                "Ask Ana, who is in Lisbon",
                "A paragraph of two lines"
            ]
        );
        assert_eq!(all[1].validity, None);
        assert_eq!(
            all[2].validity.unwrap().days(),
            (Some("2026-12-20".into()), Some("2027-01-03".into()))
        );
        assert_eq!(all[3].lines, 4..6);
    }

    #[test]
    fn what_is_not_valid_is_left_out_whole() {
        let (text, gone) = valid_at(MEMORY, at("2026-12-01T00:00:00Z")).unwrap();
        assert_eq!(gone, 3);
        assert_eq!(
            text,
            "# Freezes\n\n- Never deploy on a Friday.\n\n```\n- code (valid until \
             2000-01-01)\n```\n"
        );
        let (text, _) = valid_at(MEMORY, at("2026-11-30T23:59:59Z")).unwrap();
        assert!(text.contains("Lisbon"), "the last day counts");
        let (text, _) = valid_at(MEMORY, at("2027-01-03T23:59:59Z")).unwrap();
        assert!(
            text.contains("No deployment at all") && text.contains("of two lines"),
            "{text}"
        );
        assert_eq!(valid_at("- Always.\n", at("2027-01-01T00:00:00Z")), None);
        assert!(!says_anything("# Freezes\n\n") && says_anything("# A\nb\n"));
    }

    #[test]
    fn only_days_at_the_end_are_read() {
        for line in [
            "(valid until tomorrow)",
            "x (valid)",
            "x (valid from 2026-01-01 to 2026-02-01)",
            "x (valid until 2026-02-30)",
            "x (valid until 2026-1-1)",
            "x (valid until 2026-01-01) still",
            "x (valid until  2026-01-01)",
            "x (valid from 2026-01-01 until)",
        ] {
            assert_eq!(statements(line)[0].validity, None, "{line}");
        }
        assert!(Validity::of_days("2026-02-01", "2026-01-01").is_err());
        assert!(Validity::of_days("soon", "").is_err());
        assert_eq!(Validity::of_days(" ", "").unwrap(), Validity::default());
    }

    #[test]
    fn a_statement_gets_other_days_or_none() {
        let days = Validity::of_days("", "2026-12-24").unwrap();
        let text = with_validity(MEMORY, 1, days).unwrap();
        assert!(
            text.contains("- Never deploy on a Friday. (valid until 2026-12-24)\n"),
            "{text}"
        );
        let text = with_validity(&text, 1, Validity::default()).unwrap();
        assert_eq!(text, MEMORY);
        let text = with_validity(MEMORY, 3, days).unwrap();
        assert!(
            text.contains("  who is in Lisbon (valid until 2026-12-24)\n"),
            "{text}"
        );
        assert_eq!(with_validity(MEMORY, 9, days), None);
        assert_eq!(
            with_validity("a", 0, days).as_deref(),
            Some("a (valid until 2026-12-24)")
        );
    }

    proptest! {
        #[test]
        fn days_are_read_back_as_they_were_written(text in "[ -~\n]{0,200}", number in 0..6_usize, first in 0..9_000_i64, days in 0..400_i64) {
            let from = Timestamp(first * DAY_SECONDS * 1_000_000);
            let validity = Validity { from: Some(from), until: Some(from.plus_seconds((days + 1) * DAY_SECONDS)) };
            if let Some(with) = with_validity(&text, number, validity) {
                prop_assert_eq!(statements(&with)[number].validity, Some(validity));
                prop_assert_eq!(statements(&with).len(), statements(&text).len());
                prop_assert!(valid_at(&with, from).is_none_or(|(left, _)| left.contains(&validity.written())));
            }
        }
    }
}
