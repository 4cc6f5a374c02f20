//! Which wordings mean the same rule: their vectors are near, and what vectors do not hold well agrees: whether it forbids, and numbers.

use std::collections::BTreeSet;

use crate::{
    curation::similar,
    meaning::{Vector, Vectors},
    reading::plain_words,
};

/// Least cosine of two wordings of one rule, in thousandths. Of the 135,000 pairs of different rules that four authors wrote for training,
/// 40 are nearer, and a third of them are hardly different; of 36 pairs of wordings of one rule, nine in ten are.
const NEAR: i32 = 525;
/// Words that only say that it is a rule.
const SAYS_RULE: &[&str] =
    &["always", "alway", "must", "should", "every", "each", "use", "using", "make", "sure", "need", "now", "whenever", "when", "all"];
/// Letters by which words of one stem begin.
const STEM: usize = 4;
/// So many words of each wording in place of the other's make another rule, where the rest is the same.
const SWAPPED: usize = 2;
/// Pairs that are linked; more of them link nothing that is not linked yet, or are a program's.
const MOST_PAIRS: usize = 100_000;
/// Words that forbid.
const FORBIDS: &[&str] = &[
    "not",
    "no",
    "never",
    "nobody",
    "none",
    "nothing",
    "nowhere",
    "neither",
    "nor",
    "without",
    "stop",
    "quit",
    "avoid",
    "skip",
    "drop",
    "omit",
    "ban",
    "banned",
    "forbidden",
    "dont",
    "cannot",
    "refrain",
];
/// Numbers in words, as they are written in digits.
const NUMBERS: &[(&str, &str)] = &[
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("ten", "10"),
    ("twelve", "12"),
    ("twenty", "20"),
    ("thirty", "30"),
    ("hundred", "100"),
    ("thousand", "1000"),
];

/// A wording, as far as it is compared.
struct Wording<'a> {
    index: usize,
    vector: &'a Vector,
    forbids: bool,
    numbers: BTreeSet<String>,
    words: BTreeSet<String>,
}

/// Pairs of wordings that mean the same, by index, smaller first.
pub fn pairs(wordings: &[String], vectors: &Vectors) -> Vec<(usize, usize)> {
    let known: Vec<Wording> = wordings.iter().enumerate().filter_map(|(n, text)| Some(Wording::of(n, text, vectors.of(text)?))).collect();
    let mut found = Vec::new();
    for (at, a) in known.iter().enumerate() {
        let near = known[at + 1..].iter().filter(|b| a.vector.cosine(b.vector) >= NEAR && a.agrees(b));
        found.extend(near.map(|b| (a.index, b.index)));
        if found.len() >= MOST_PAIRS {
            break;
        }
    }
    found
}

impl<'a> Wording<'a> {
    fn of(index: usize, text: &str, vector: &'a Vector) -> Self {
        let words = plain_words(text);
        Self {
            index,
            vector,
            forbids: words.iter().any(|w| FORBIDS.contains(&w.as_str()) || w.ends_with("n't")),
            numbers: words.iter().filter_map(|w| number(w)).collect(),
            words: similar::content_words(text)
                .into_iter()
                .filter(|w| !FORBIDS.contains(&w.as_str()) && !SAYS_RULE.contains(&w.as_str()))
                .collect(),
        }
    }

    /// Whether what vectors do not hold well is the same: numbers; and whether it forbids, where the words are mostly the same.
    fn agrees(&self, other: &Self) -> bool {
        // "Blur" and "blurred" are one word here.
        let has = |words: &BTreeSet<String>, word: &String| {
            let lead = |w: &str| w.chars().take(STEM).collect::<String>();
            words.contains(word) || (word.chars().count() >= STEM && words.iter().any(|w| lead(w) == lead(word)))
        };
        let common = self.words.iter().filter(|w| has(&other.words, w)).count();
        let alike = 2 * common >= self.words.len().min(other.words.len());
        // "Use tabs for indentation", "Use spaces for indentation": few words differ, and these are what the rule says.
        let own = self.words.len() - common;
        let others = other.words.iter().filter(|w| !has(&self.words, w)).count();
        let swapped = common > 0 && alike && (1..=SWAPPED).contains(&own) && (1..=SWAPPED).contains(&others);
        self.numbers == other.numbers && !swapped && (self.forbids == other.forbids || !alike)
    }
}

/// The digits of a number, or of one in words.
fn number(word: &str) -> Option<String> {
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    let named = || NUMBERS.iter().find(|(name, _)| *name == word).map(|(_, digits)| (*digits).to_owned());
    if digits.is_empty() { named() } else { Some(digits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_vectors_do_not_hold_is_looked_at() {
        let vector = Vector::of(&[1.0, 0.0]).unwrap();
        let agree = |a: &str, b: &str| Wording::of(0, a, &vector).agrees(&Wording::of(1, b, &vector));
        assert!(agree("Over 10% off needs the regional lead", "Any discount above ten percent goes past the regional manager"));
        assert!(!agree("Three quotes for anything over 2k", "Three quotes for anything over 5k"));
        assert!(!agree("Merge duplicate tickets", "Never merge duplicate tickets"));
        assert!(agree("Temperature goes in Celsius", "No Fahrenheit in the reports"));
        assert!(agree("From now on, blur customer names in every screenshot", "Screenshots must have the customer's name blurred"));
        for (a, b) in [
            ("Use tabs for indentation", "Use spaces for indentation"),
            ("Answer in German", "Always answer in French"),
            ("Send invoices to Anna", "Always send invoices to Bob"),
        ] {
            assert!(!agree(a, b), "{a} / {b}");
        }
    }
}
