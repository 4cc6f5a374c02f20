//! Linear classifiers that are trained here, from labelled texts in the project: over hashed words
//! and letter groups ([`Linear`]) and over a few named numbers ([`Named`]). Their weights are files
//! beside the code that uses them; [`learn`] writes them (`make train`).

pub mod learn;

use std::{borrow::Cow, collections::BTreeMap};

/// How many places the hashed features share.
pub const PLACES: usize = 1 << 16;
/// Bytes before the weights in the file: the bias and the size of one step of a weight, both
/// little-endian `f32`.
const HEAD: usize = 8;
/// Longest text that is read, in characters.
const READ_CHARS: usize = 4_000;

/// The name that addresses in written examples have (RFC 2606): in hostile notes far more often
/// than in honest ones, which says nothing about real ones.
const RESERVED: &str = "example";

/// Hashed features of a text: places, each with a value.
pub type Hashed = Vec<(usize, f32)>;

/// A linear classifier over hashed features: the bias, and for each place a weight in steps of one
/// size, as [`learn`] writes them.
#[derive(Debug, Clone)]
pub struct Linear {
    bias: f32,
    step: f32,
    weights: Cow<'static, [u8]>,
}

impl Linear {
    /// Reads a file of weights; none if it is broken.
    #[must_use]
    pub fn of(bytes: impl Into<Cow<'static, [u8]>>) -> Option<Self> {
        let bytes = bytes.into();
        let number = |at: usize| Some(f32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let (bias, step) = (number(0)?, number(4)?);
        let weights = match bytes {
            Cow::Borrowed(all) => Cow::Borrowed(all.get(HEAD..)?),
            Cow::Owned(mut all) => Cow::Owned(all.split_off(HEAD)),
        };
        (weights.len() == PLACES).then_some(Self {
            bias,
            step,
            weights,
        })
    }

    /// The log-odds of what was seen of a text.
    #[must_use]
    pub fn odds(&self, features: &[(usize, f32)]) -> f32 {
        let weight = |place: usize| f32::from(self.weights[place].cast_signed()) * self.step;
        features.iter().fold(self.bias, |sum, (place, value)| {
            sum + weight(*place) * value
        })
    }
}

/// A logistic regression over a few named numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    bias: f64,
    weights: Vec<f64>,
}

impl Named {
    /// Reads a file with a line for the bias and for each name, `name<tab>weight`; none if one is
    /// missing or no number.
    #[must_use]
    pub fn of(text: &str, names: &[&str]) -> Option<Self> {
        let by_name: BTreeMap<&str, f64> = text
            .lines()
            .filter_map(|l| l.split_once('\t'))
            .filter_map(|(n, w)| Some((n, w.trim().parse().ok()?)))
            .collect();
        let weights: Option<Vec<f64>> = names.iter().map(|n| by_name.get(n).copied()).collect();
        Some(Self {
            bias: *by_name.get("bias")?,
            weights: weights?,
        })
    }

    /// The file that [`Named::of`] reads.
    #[must_use]
    pub fn text(&self, names: &[&str]) -> String {
        let line = |(name, weight): (&&str, &f64)| format!("{name}\t{weight:.4}\n");
        format!("bias\t{:.4}\n", self.bias)
            + &names
                .iter()
                .zip(&self.weights)
                .map(line)
                .collect::<String>()
    }

    /// The log-odds of values in the order of their names.
    #[must_use]
    pub fn odds(&self, values: &[f64]) -> f64 {
        self.bias
            + self
                .weights
                .iter()
                .zip(values)
                .map(|(w, v)| w * v)
                .sum::<f64>()
    }
}

/// Returns what a classifier sees of a text: words, pairs of words, and groups of two to five
/// letters inside words. Each half has the length 1, so that long and short texts weigh the same;
/// what comes again counts less each time.
#[must_use]
pub fn features(folded: &str) -> Hashed {
    let text: String = folded.chars().take(READ_CHARS).collect();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty() && *w != RESERVED)
        .collect();
    let (mut by_word, mut by_letters) = (BTreeMap::new(), BTreeMap::new());
    for (n, word) in words.iter().enumerate() {
        *by_word.entry(place(1, word.chars())).or_insert(0_u16) += 1;
        if let Some(next) = words.get(n + 1) {
            *by_word
                .entry(place(2, word.chars().chain([' ']).chain(next.chars())))
                .or_insert(0) += 1;
        }
        let letters: Vec<char> = [' '].into_iter().chain(word.chars()).chain([' ']).collect();
        for length in 2..=5 {
            for group in letters.windows(length) {
                *by_letters
                    .entry(place(3, group.iter().copied()))
                    .or_insert(0_u16) += 1;
            }
        }
    }
    [by_word, by_letters]
        .into_iter()
        .flat_map(of_length_one)
        .collect()
}

/// How often each place was seen, as a vector of length 1; what comes again counts less each time.
#[must_use]
pub fn of_length_one(counts: BTreeMap<usize, u16>) -> Hashed {
    let values: Hashed = counts
        .into_iter()
        .map(|(place, n)| (place, 1.0 + f32::from(n).ln()))
        .collect();
    let length = values
        .iter()
        .map(|(_, v)| v * v)
        .sum::<f32>()
        .sqrt()
        .max(1.0);
    values
        .into_iter()
        .map(|(place, v)| (place, v / length))
        .collect()
}

/// The place of a feature: FNV-1a over its kind and characters.
pub fn place(kind: u32, chars: impl Iterator<Item = char>) -> usize {
    let hash = [kind]
        .into_iter()
        .chain(chars.map(u32::from))
        .fold(0x811c_9dc5_u32, |hash, c| {
            c.to_le_bytes().into_iter().fold(hash, |hash, byte| {
                (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
            })
        });
    usize::try_from(hash ^ (hash >> 16)).unwrap_or(0) % PLACES
}
