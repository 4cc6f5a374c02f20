//! A sentence's words: lower case, without the marks around them, without politeness and other people's words.

use std::borrow::Cow;

use super::phrases::BEFORE;

/// Quoted words that are somebody else's sentence, not a name.
const QUOTED: usize = 4;

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
    if !text.contains(['"', '“', '„']) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(['"', '“', '„']) {
        let after = &rest[open..];
        let skip = after.chars().next().map_or(1, char::len_utf8);
        let Some(close) = after[skip..].find(['"', '”', '“']).map(|c| skip + c) else { break };
        let end = close + after[close..].chars().next().map_or(1, char::len_utf8);
        kept.push_str(&rest[..open]);
        if after[skip..close].split_whitespace().count() < QUOTED {
            kept.push_str(&after[..end]);
        }
        rest = &after[end..];
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// The words of a sentence, lower case, without the marks around them.
pub fn plain(text: &str) -> Vec<String> {
    let lower = text.to_lowercase().replace('’', "'").replace("don't", "do not").replace(": ", " : ");
    lower
        .split([' ', ',', ';'])
        .map(|w| if w == ":" { w } else { w.trim_matches(['.', '!', '"', '“', '”', '—', '–', ':', '(', ')']) })
        .filter(|w| !w.is_empty() && *w != "-")
        .map(str::to_owned)
        .collect()
}

/// How many words at the beginning are one of these.
pub fn begins(words: &[String], with: &[&str]) -> Option<usize> {
    let count = |phrase: &&str| {
        let parts = phrase.split(' ').count();
        (words.len() >= parts && words.iter().zip(phrase.split(' ')).all(|(word, part)| word == part)).then_some(parts)
    };
    with.iter().filter_map(count).max()
}

/// The rest without politeness at its beginning.
pub fn after_politeness(mut words: &[String]) -> &[String] {
    while let Some(n) = BEFORE.begin(words) {
        words = &words[n..];
        while words.first().is_some_and(|w| w == ":") {
            words = &words[1..];
        }
    }
    words
}

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
        || matches!(word, "got" | "was" | "were" | "had" | "went" | "did" | "came" | "said" | "told" | "been" | "heard" | "saw" | "felt")
}
