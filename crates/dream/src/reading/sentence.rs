//! A sentence's words: lower case, without the marks around them, without politeness and other
//! people's words.

use std::{borrow::Cow, ops::Range};

use super::rule_words::{AFTER_NO, BEFORE, BEFORE_A_MARK};

/// Quoted words that are somebody else's sentence, not a name.
const QUOTED: usize = 4;
/// How far the end of a quotation is looked for, in characters; without one it goes to the end of
/// its paragraph.
const FARTHEST: usize = 4_000;
/// The same in single marks, which may be apostrophes; without an end there is no quotation.
const FARTHEST_SINGLE: usize = 400;

/// A noun of many, as far as its ending says so.
pub fn is_plural(word: &str) -> bool {
    word.len() > 3
        && word.ends_with('s')
        && !word.ends_with("ss")
        && !word.ends_with("us")
        && !word.ends_with("is")
        && !word.ends_with("'s")
        && !matches!(
            word,
            "always"
                | "does"
                | "this"
                | "yes"
                | "thanks"
                | "sometimes"
                | "perhaps"
                | "was"
                | "has"
                | "that's"
                | "it's"
                | "let's"
                | "days"
                | "means"
                | "needs"
        )
}

/// The text without quotations of several words, which are somebody else's.
pub fn without_quotations(text: &str) -> Cow<'_, str> {
    without(text, |quoted| quoted.split_whitespace().count() >= QUOTED)
}

/// The text without quotations of several sentences: cut into sentences, those in the middle would
/// bear no marks.
pub fn without_pasted(text: &str) -> Cow<'_, str> {
    without(text, |quoted| {
        quoted.split_whitespace().count() >= QUOTED
            && quoted
                .trim_end()
                .trim_end_matches(['.', '!', '?'])
                .contains(['.', '!', '?', '\n'])
    })
}

fn without(text: &str, goes: impl Fn(&str) -> bool) -> Cow<'_, str> {
    let gone: Vec<Range<usize>> = quotations(text)
        .into_iter()
        .filter(|q| goes(&text[q.clone()]))
        .collect();
    if gone.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for quotation in gone {
        kept.push_str(&text[from..quotation.start]);
        from = quotation.end;
    }
    kept.push_str(&text[from..]);
    Cow::Owned(kept)
}

/// Returns where quotations stand, with their marks. One that is never closed goes to the end of
/// its paragraph; an apostrophe opens none.
fn quotations(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    if !text.contains(['"', '“', '„', '«', '‘', '\'']) {
        return found;
    }
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let (mut at, mut paragraph) = (0, 0);
    while at < chars.len() {
        let (start, open) = chars[at];
        let before = at.checked_sub(1).map_or(' ', |n| chars[n].1);
        let after = chars.get(at + 1).map_or(' ', |c| c.1);
        let opens =
            (before.is_whitespace() || matches!(before, '(' | ':')) && !after.is_whitespace();
        let closing: &[char] = match open {
            '"' => &['"'],
            '“' => &['”', '“'],
            '„' => &['“', '”', '"'],
            '«' => &['»'],
            '‘' => &['’'],
            '\'' => &['\''],
            _ => &[],
        };
        if closing.is_empty() || !opens {
            at += 1;
            continue;
        }
        let is_single = matches!(open, '\'' | '‘');
        let ends = |n: &usize| {
            let next = chars.get(n + 1).map_or(' ', |c| c.1);
            closing.contains(&chars[*n].1) && (!is_single || !next.is_alphanumeric())
        };
        if paragraph <= at {
            paragraph = (at..chars.len())
                .find(|&n| chars[n].1 == '\n' && chars.get(n + 1).is_some_and(|c| c.1 == '\n'))
                .unwrap_or(chars.len());
        }
        let farthest = paragraph.min(at + if is_single { FARTHEST_SINGLE } else { FARTHEST });
        match (at + 1..farthest).find(ends) {
            Some(close) => {
                found.push(start..chars[close].0 + chars[close].1.len_utf8());
                at = close + 1;
            }
            None if is_single => at += 1,
            None => {
                found.push(start..chars.get(paragraph).map_or(text.len(), |c| c.0));
                at = paragraph;
            }
        }
    }
    found
}

/// The words of a sentence, lower case, without the marks around them.
pub fn plain(text: &str) -> Vec<String> {
    let lower = text
        .to_lowercase()
        .replace('’', "'")
        .replace("don't", "do not")
        .replace(": ", " : ");
    lower
        .split([' ', ',', ';'])
        .map(|w| {
            if w == ":" {
                w
            } else {
                w.trim_matches(['.', '!', '"', '“', '”', '—', '–', ':', '(', ')'])
            }
        })
        .filter(|w| !w.is_empty() && *w != "-")
        .map(str::to_owned)
        .collect()
}

/// How many words at the beginning are one of these.
pub fn begins(words: &[String], with: &[&str]) -> Option<usize> {
    let count = |phrase: &&str| {
        let parts = phrase.split(' ').count();
        (words.len() >= parts
            && words
                .iter()
                .zip(phrase.split(' '))
                .all(|(word, part)| word == part))
        .then_some(parts)
    };
    with.iter().filter_map(count).max()
}

/// The sentence without politeness, and without the "no" of a correction, at its beginning.
pub fn without_politeness(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some(after) = BEFORE
        .iter()
        .filter_map(|p| taken_off(rest, p, false))
        .chain(
            BEFORE_A_MARK
                .iter()
                .filter_map(|p| taken_off(rest, p, true)),
        )
        .min_by_key(|r| r.len())
    {
        rest = after;
    }
    rest
}

/// Returns what follows a phrase at the beginning of a text, without the marks between them; none
/// if it does not begin so.
pub fn taken_off<'t>(text: &'t str, phrase: &str, before_a_mark: bool) -> Option<&'t str> {
    let mut chars = text.chars();
    let same = |wanted: char| {
        chars
            .next()
            .is_some_and(|c| c.eq_ignore_ascii_case(&wanted) || (c == '’' && wanted == '\''))
    };
    if !phrase.chars().all(same) {
        return None;
    }
    let after = chars.as_str();
    let rest = after.trim_start_matches([' ', ',', ':', '!', '.', ';', '—', '–']);
    let rest = rest.strip_prefix("- ").unwrap_or(rest);
    let marked = after.starts_with([',', ':', '!', '.', ';'])
        || [" -", " —", " –"]
            .iter()
            .any(|dash| after.starts_with(dash));
    let corrects = || {
        let next = rest
            .split([' ', ','])
            .next()
            .unwrap_or_default()
            .to_lowercase()
            .replace('’', "'");
        matches!(phrase, "no" | "nope" | "nah") && AFTER_NO.contains(&next.as_str())
    };
    let ends = after.starts_with(' ') || marked;
    (ends && !rest.is_empty() && (!before_a_mark || marked || corrects())).then_some(rest)
}

/// True if a word in lower case is a verb in its past form, as far as its ending tells.
pub fn is_past(word: &str) -> bool {
    (word.len() > 4
        && word.ends_with("ed")
        && !matches!(
            word,
            "need"
                | "needed"
                | "embed"
                | "indeed"
                | "speed"
                | "proceed"
                | "feed"
                | "exceed"
                | "signed"
                | "based"
                | "required"
                | "rounded"
                | "unless"
                | "untouched"
                | "shared"
        ))
        || matches!(
            word,
            "got"
                | "was"
                | "were"
                | "had"
                | "went"
                | "did"
                | "came"
                | "said"
                | "told"
                | "been"
                | "heard"
                | "saw"
                | "felt"
        )
}
