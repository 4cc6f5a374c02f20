//! Words as search knows them: folded so that case, width and accents of any script do not matter,
//! and cut into pairs of letters where a script writes no spaces. The same rule reads what is
//! stored and what is asked, so both engines find the same.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use crate::text_enum::text_enum;

/// Longest token, in characters: what is longer is no word that anybody types, and would only fill
/// the index.
const LONGEST: usize = 64;
/// Most terms of a query; the others are ignored.
const TERMS: usize = 16;

/// The tokens of a text, in order.
#[must_use]
pub fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for run in runs(text) {
        match run {
            Run::Word(word) => tokens.push(word),
            Run::Pairs(letters) => {
                tokens.extend(
                    letters
                        .windows(2)
                        .map(|pair| pair.iter().collect::<String>()),
                );
                // The last letter by itself, so that each letter begins a token.
                tokens.extend(letters.last().map(char::to_string));
            }
        }
    }
    tokens
}

text_enum! {
    DocumentKind {
        /// A version of a memory.
        Memory => "memory",
        /// A session in one of its stores.
        Session => "session",
        Change => "change",
    }
}

/// A part of a query: tokens that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub tokens: Vec<String>,
    /// The last one may be the beginning of a word.
    pub prefix: bool,
}

/// The terms of what somebody typed: words, `"phrases in quotes"`, and beginnings of words followed
/// by `*`. Each must be found.
#[must_use]
pub fn terms(asked: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    for (n, part) in asked.split('"').enumerate() {
        // Every second part is between quotes; a quote without its other begins a phrase that ends
        // with the text.
        let pieces: Vec<&str> = if n % 2 == 1 {
            vec![part]
        } else {
            part.split_whitespace().collect()
        };
        terms.extend(pieces.into_iter().flat_map(terms_of));
    }
    terms.truncate(TERMS);
    terms
}

/// The terms of a piece: words that follow each other are one, and so is each stretch of a script
/// without spaces.
fn terms_of(piece: &str) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    let mut words = false;
    for run in runs(piece) {
        match run {
            Run::Word(word) => {
                match terms.last_mut().filter(|_| words) {
                    Some(term) => term.tokens.push(word),
                    None => terms.push(Term {
                        tokens: vec![word],
                        prefix: false,
                    }),
                }
                words = true;
            }
            Run::Pairs(letters) => {
                // One letter begins the pairs in which another follows it.
                let alone = letters.len() == 1;
                let tokens = if alone {
                    vec![letters[0].to_string()]
                } else {
                    letters
                        .windows(2)
                        .map(|pair| pair.iter().collect())
                        .collect()
                };
                terms.push(Term {
                    tokens,
                    prefix: alone,
                });
                words = false;
            }
        }
    }
    if let Some(last) = terms.last_mut().filter(|_| piece.ends_with('*')) {
        last.prefix = true;
    }
    terms
}

impl Term {
    /// How often a text, by its tokens, has it.
    #[must_use]
    pub fn count(&self, tokens: &[String]) -> usize {
        tokens
            .windows(self.tokens.len())
            .filter(|window| self.is(window))
            .count()
    }

    /// True if these tokens, as many as it has, are it.
    fn is(&self, window: &[String]) -> bool {
        let (Some((end, start)), Some((last, before))) =
            (self.tokens.split_last(), window.split_last())
        else {
            return false;
        };
        start == before
            && if self.prefix {
                last.starts_with(end.as_str())
            } else {
                last == end
            }
    }
}

/// The bytes of a text in which words of the terms are, to be marked; in order, none overlaps
/// another. Words of a phrase are marked wherever they are.
#[must_use]
pub fn marks(text: &str, terms: &[Term]) -> Vec<Range<usize>> {
    let alone = |word: &String, prefix: bool| Term {
        tokens: vec![word.clone()],
        prefix,
    };
    let wanted: Vec<Term> = terms
        .iter()
        .flat_map(|term| {
            term.tokens
                .iter()
                .enumerate()
                .map(|(n, word)| alone(word, term.prefix && n + 1 == term.tokens.len()))
        })
        .collect();
    let has = |piece: &str| {
        let tokens = tokens(piece);
        tokens.iter().any(|token| {
            wanted
                .iter()
                .any(|term| term.is(std::slice::from_ref(token)))
        })
    };
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut mark = |range: Range<usize>| match found.last_mut() {
        Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
        _ => found.push(range),
    };
    let mut word: Option<usize> = None;
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    for (n, &(at, letter)) in letters.iter().enumerate() {
        let in_word = !is_spaceless(letter) && (letter.is_alphanumeric() || is_accent(letter));
        if let Some(start) = word.filter(|_| !in_word) {
            if has(&text[start..at]) {
                mark(start..at);
            }
            word = None;
        }
        if in_word {
            word.get_or_insert(at);
        } else if is_spaceless(letter) {
            // Two letters together, or the last one alone.
            let next = letters.get(n + 1).filter(|(_, next)| is_spaceless(*next));
            let end = next.map_or(at + letter.len_utf8(), |(next, c)| next + c.len_utf8());
            if has(&text[at..end]) {
                mark(at..end);
            }
        }
    }
    if let Some(start) = word.filter(|start| has(&text[*start..])) {
        mark(start..text.len());
    }
    found
}

/// Letters that belong together.
enum Run {
    /// A word of a script with spaces.
    Word(String),
    /// A stretch of a script without.
    Pairs(Vec<char>),
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut open = false;
    for letter in folded(text) {
        if !letter.is_alphanumeric() {
            open = false;
            continue;
        }
        match (runs.last_mut().filter(|_| open), is_spaceless(letter)) {
            (Some(Run::Word(word)), false) => {
                if word.chars().count() < LONGEST {
                    word.push(letter);
                }
            }
            (Some(Run::Pairs(letters)), true) => letters.push(letter),
            (_, true) => runs.push(Run::Pairs(vec![letter])),
            (_, false) => runs.push(Run::Word(letter.to_string())),
        }
        open = true;
    }
    runs
}

/// The letters without case, width (NFKD) and accents, which is how people type what they look for.
fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    let bare = text.nfkd().filter(|c| !is_accent(*c)).nfc();
    bare.flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
}

/// Accents of Latin, Greek and Cyrillic, and the points of Hebrew and Arabic. Other marks are
/// letters of their own: vowels of Indic scripts, the voicing of kana.
const fn is_accent(c: char) -> bool {
    matches!(c as u32, 0x0300..=0x036F | 0x0591..=0x05C7 | 0x064B..=0x065F | 0x0670)
}

/// True if a script writes words without spaces between them: Chinese, Japanese, Korean (whose
/// words carry endings), Thai, Lao, Khmer, Burmese.
const fn is_spaceless(c: char) -> bool {
    matches!(c as u32,
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1100..=0x11FF | 0x1780..=0x17FF | 0x3005..=0x3007 | 0x3040..=0x30FF | 0x3130..=0x318F
        | 0x31F0..=0x31FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xA960..=0xA97F | 0xAC00..=0xD7FF | 0xF900..=0xFAFF | 0x2_0000..=0x3_FFFF)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn phrase(tokens: &[&str]) -> Term {
        Term {
            tokens: tokens.iter().map(ToString::to_string).collect(),
            prefix: false,
        }
    }

    #[test]
    fn case_width_and_accents_do_not_matter() {
        for (one, other) in [
            ("Straße", "STRASSE"),
            ("Zürich", "zurich"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("ｆｕｌｌ", "full"),
            ("ﬁle", "FILE"),
        ] {
            assert_eq!(tokens(one), tokens(other), "{one} {other}");
        }
        assert_eq!(tokens("a_b-c/d.e"), ["a", "b", "c", "d", "e"]);
        assert_eq!(tokens("v2.10, 30 days"), ["v2", "10", "30", "days"]);
        assert_eq!(tokens("👩‍🚀 … \u{e000}"), Vec::<String>::new());
        assert_eq!(tokens(&"x".repeat(500))[0].len(), LONGEST);
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_pairs() {
        assert_eq!(tokens("한국어"), ["한국", "국어", "어"]);
        assert_ne!(tokens("か"), tokens("が"));
        assert_eq!(
            terms("APIを使う"),
            [phrase(&["api"]), phrase(&["を使", "使う"])]
        );
        assert_eq!(tokens("東京都"), ["東京", "京都", "都"]);
        assert_eq!(tokens("API を使う"), ["api", "を使", "使う", "う"]);
        assert_eq!(terms("京都"), [phrase(&["京都"])]);
        assert_eq!(terms("東京都"), [phrase(&["東京", "京都"])]);
        assert_eq!(
            terms("京"),
            [Term {
                prefix: true,
                ..phrase(&["京"])
            }],
            "any pair that it begins"
        );
    }

    #[test]
    fn a_query_has_words_phrases_and_beginnings() {
        let asked = terms("deploy \"ask first\" back* foo_bar !!");
        let prefix = Term {
            prefix: true,
            ..phrase(&["back"])
        };
        assert_eq!(
            asked,
            [
                phrase(&["deploy"]),
                phrase(&["ask", "first"]),
                prefix,
                phrase(&["foo", "bar"])
            ]
        );
        assert_eq!(
            terms("\"unclosed phrase"),
            [phrase(&["unclosed", "phrase"])]
        );
        assert!(terms(" \"\" * ").is_empty());
    }

    #[test]
    fn what_was_found_is_marked_in_the_text_as_it_is() {
        let marked = |text: &str, asked: &str| {
            marks(text, &terms(asked))
                .into_iter()
                .map(|range| text[range].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            marked("Die STRASSE nach Zürich.", "straße zurich"),
            ["STRASSE", "Zürich"]
        );
        assert_eq!(marked("Back up the backup_file", "backu*"), ["backup"]);
        assert_eq!(marked("東京都に住む", "京都"), ["京都"]);
        assert_eq!(marked("東京都に住む", "東京都"), ["東京都"]);
        assert_eq!(marked("ends here", "here"), ["here"]);
        assert!(marked("nothing", "else").is_empty());
    }

    proptest! {
        #[test]
        fn marks_are_in_order_at_letters(text in ".{0,80}", asked in ".{0,20}") {
            let mut end = 0;
            for range in marks(&text, &terms(&asked)) {
                prop_assert!(range.start >= end && range.start < range.end && text.get(range.clone()).is_some());
                end = range.end;
            }
        }

        #[test]
        fn tokens_hold_letters_and_digits_only_and_a_word_of_a_text_is_found(text in ".{0,200}") {
            let all = tokens(&text);
            prop_assert!(all.iter().all(|t| !t.is_empty() && t.chars().all(char::is_alphanumeric)), "{all:?}");
            for term in terms(&text.replace('"', " ")) {
                let found = term.count(&all) > 0;
                prop_assert!(found, "{term:?} in {all:?}");
            }
        }
    }
}
