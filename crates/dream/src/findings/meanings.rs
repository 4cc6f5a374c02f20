//! Which wordings mean the same rule: their vectors are near, and what vectors do not hold well agrees: whether it forbids, and numbers.

use crate::{
    curation::similar::Prepared,
    meaning::{Vector, Vectors},
    reading::plain_words,
};

/// Least cosine of two wordings of one rule, in thousandths. Of the 135,000 pairs of different rules that four authors wrote for training,
/// eight are nearer, and five of them are hardly different.
const NEAR: i32 = 600;
/// Words that forbid.
const FORBIDS: &[&str] = &[
    "not", "no", "never", "nobody", "none", "nothing", "nowhere", "neither", "nor", "without", "stop", "quit", "avoid", "skip", "drop", "omit",
    "ban", "banned", "forbidden", "don't", "dont", "doesn't", "won't", "can't", "cannot", "isn't", "aren't", "shouldn't", "mustn't", "out",
    "off", "leave", "instead", "refrain", "hate", "hates",
];

/// Pairs of wordings that mean the same, by index, smaller first.
pub fn pairs(wordings: &[String], prepared: &[Prepared], vectors: &Vectors) -> Vec<(usize, usize)> {
    let known: Vec<(usize, &Vector, bool, Vec<String>)> = wordings
        .iter()
        .enumerate()
        .filter_map(|(n, text)| vectors.of(text).map(|vector| (n, vector, forbids(text), numbers(text))))
        .collect();
    let mut found = Vec::new();
    for (at, (a, near, forbidden, amounts)) in known.iter().enumerate() {
        for (b, other, also, others) in &known[at + 1..] {
            let agree = forbidden == also && amounts == others && prepared[*a].same_numbers(&prepared[*b]);
            if agree && near.cosine(other) >= NEAR {
                found.push((*a, *b));
            }
        }
    }
    found
}

fn forbids(text: &str) -> bool {
    plain_words(text).iter().any(|w| FORBIDS.contains(&w.as_str()) || w.ends_with("n't"))
}

/// Numbers in words, in order of the alphabet.
fn numbers(text: &str) -> Vec<String> {
    let is_number = |w: &String| {
        matches!(w.as_str(), "two" | "three" | "four" | "five" | "six" | "seven" | "eight" | "nine" | "ten" | "twelve" | "twenty" | "thirty" | "hundred" | "thousand")
    };
    let mut found: Vec<String> = plain_words(text).into_iter().filter(is_number).collect();
    found.sort();
    found
}
