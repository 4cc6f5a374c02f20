//! Which wordings mean the same rule. A small trained classifier weighs how near their vectors are,
//! beside how near each is to everything else that was said, what vectors do not hold well
//! (numbers, names, polarity, swapped words), and how likely each is a rule at all: that two people
//! say nearly the same is itself evidence for one.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::LazyLock,
};

use domain::linear::Named;

use super::{count, yes};
use crate::{
    curation::similar,
    meaning::{Vector, Vectors},
    reading::{digits_of, plain_words},
};

/// The features of the classifier of pairs, in the order of its weights.
pub const NAMES: [&str; 18] = [
    "likelier_odds",
    "less_likely_odds",
    "cosine",
    "cosine_squared",
    "above_crowd_least",
    "above_crowd_most",
    "crowd",
    "share_of_words",
    "words_in_common",
    "longest_in_common",
    "numbers_in_common",
    "numbers_of_both_differ",
    "numbers_differ",
    "names_in_common",
    "names_of_both_differ",
    "polarity_differs",
    "polarity_differs_by_share",
    "swapped",
];

/// The index of the feature "how likely the less likely of the two is said for good".
const LESS_LIKELY: usize = 1;
/// Least log-odds of a pair that is joined. By `make train`, over windows of authors whose
/// sentences were not learned from, six in seven joined pairs are one rule there, among sentences
/// that were written to be mistaken for rules.
const JOINED: f64 = -0.5;
/// How likely each wording of such a pair is said for good, in log-odds: 7 in 10. What two people
/// ask for once is near, too.
const JOINED_LIKELY: f64 = 0.84;
/// Least log-odds, on average, of wordings of three people and more that are one rule together. By
/// `make train`, three in four groups are, in windows of two authors who taught nothing and who
/// wrote many requests that two people share.
const NEAR_ON_AVERAGE: f64 = -2.4;
/// Log-odds of pairs that are not weighed.
const FARTHEST: f64 = -5.0;
/// Pairs that are farther apart are not weighed, in thousandths.
const LEAST_COSINE: i32 = 300;
/// Size of a wording's crowd: the other wordings that are nearest to it.
const CROWD: usize = 10;
/// How near others are, in thousandths, where fewer were said.
const CROWD_BASE: i32 = 250;
/// Words that only say that it is a rule.
const SAYS_RULE: &[&str] = &[
    "always", "alway", "must", "should", "every", "each", "use", "using", "make", "sure", "need",
    "now", "whenever", "when", "all",
];
/// Letters by which words of one stem begin.
const STEM: usize = 4;
/// So many words of each wording in place of the other's make another rule, where the rest is the
/// same.
const SWAPPED: usize = 2;
/// Pairs that are weighed; more of them are a program's.
const MOST_PAIRS: usize = 1_000_000;
/// Words that make a sentence forbid something.
#[rustfmt::skip]
const FORBIDS: &[&str] = &[
    "not", "no", "never", "nobody", "none", "nothing", "nowhere", "neither", "nor", "without", "stop", "quit", "avoid", "skip", "drop",
    "omit", "ban", "banned", "forbidden", "dont", "cannot", "refrain",
];
static MODEL: LazyLock<Option<Named>> =
    LazyLock::new(|| Named::of(include_str!("same_rule.weights"), &NAMES));

/// A wording, and how likely it is said for good, in thousandths.
pub type Worded<'a> = (&'a str, u16);

/// How likely pairs of wordings mean the same.
pub struct Likely {
    wordings: usize,
    /// Log-odds of each pair, by index, smaller first; of pairs that cannot be one, none.
    odds: BTreeMap<(usize, usize), Option<f64>>,
    /// Pairs that mean the same by themselves.
    pairs: Vec<(usize, usize)>,
}

impl Likely {
    /// Weighs every pair of wordings.
    pub fn of(wordings: &[Worded], vectors: &Vectors) -> Self {
        let none = Self {
            wordings: wordings.len(),
            odds: BTreeMap::new(),
            pairs: Vec::new(),
        };
        MODEL
            .as_ref()
            .map_or(none, |model| Self::by(model, wordings, vectors))
    }

    /// Weighs all pairs by these weights.
    #[must_use]
    pub fn by(model: &Named, wordings: &[Worded], vectors: &Vectors) -> Self {
        let odds = |pair: &Weighed| pair.may_be_one.then(|| model.odds(&pair.values));
        let mut all = Self {
            wordings: wordings.len(),
            odds: BTreeMap::new(),
            pairs: Vec::new(),
        };
        for pair in weighed(wordings, vectors) {
            let odds = odds(&pair);
            if odds.is_some_and(|o| o >= JOINED) && pair.values[LESS_LIKELY] >= JOINED_LIKELY {
                all.pairs.push((pair.first, pair.second));
            }
            if odds.is_none_or(|o| o > FARTHEST) {
                all.odds.insert((pair.first, pair.second), odds);
            }
        }
        all
    }

    /// Pairs that mean the same by themselves, by index, smaller first.
    pub fn pairs(&self) -> &[(usize, usize)] {
        &self.pairs
    }

    /// The log-odds of one with all others of a group, on average.
    fn near(&self, one: usize, members: &[usize]) -> f64 {
        let others = members.iter().filter(|other| **other != one);
        let sum: f64 = others
            .map(|other| {
                self.odds
                    .get(&(one.min(*other), one.max(*other)))
                    .copied()
                    .flatten()
                    .unwrap_or(FARTHEST)
            })
            .sum();
        sum / count(members.len().saturating_sub(1).max(1))
    }

    /// The member that is nearest to all others.
    pub fn middle(&self, members: &[usize]) -> Option<usize> {
        members.iter().copied().max_by(|a, b| {
            self.near(*a, members)
                .total_cmp(&self.near(*b, members))
                .then(b.cmp(a))
        })
    }

    /// A group without those that only the nearness of the others let in.
    fn near_all(&self, mut members: Vec<usize>, least: f64) -> Vec<usize> {
        while members.len() > 1 {
            let near = members.iter().map(|one| self.near(*one, &members));
            let farthest = near
                .enumerate()
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .filter(|(_, near)| *near < least);
            let Some((n, _)) = farthest else { break };
            members.remove(n);
        }
        members
    }

    /// Wordings that perhaps mean the same, each in one group at most: what is nearest is joined
    /// first, as long as all of two groups are near enough on average and no pair of them cannot be
    /// one (average linkage). Three people who say nearly the same are as good a sign of a rule as
    /// two who say the same.
    pub fn groups(&self) -> Vec<Vec<usize>> {
        self.groups_from(NEAR_ON_AVERAGE)
    }

    /// The same with another least log-odds on average.
    #[must_use]
    pub fn groups_from(&self, least: f64) -> Vec<Vec<usize>> {
        let mut clusters = Clusters::of(self, least);
        while let Some((a, b)) = clusters.nearest() {
            clusters.join(a, b);
        }
        clusters
            .members
            .into_iter()
            .map(|members| self.near_all(members, least))
            .filter(|m| m.len() > 1)
            .collect()
    }
}

/// How near two clusters are.
#[derive(Clone, Copy, Default)]
struct Between {
    /// By how much the log-odds of their pairs are above [`FARTHEST`], together.
    above: f64,
    /// A pair of them cannot be one.
    apart: bool,
}

/// Two clusters that may be joined: how near they are in millionths, which they are, and how often
/// each had been joined then.
type Candidate = (i64, Reverse<(usize, usize)>, [usize; 2]);

/// Clusters on their way. Those that were joined into others have no members.
struct Clusters {
    members: Vec<Vec<usize>>,
    near: Vec<BTreeMap<usize, Between>>,
    queue: BinaryHeap<Candidate>,
    joined: Vec<usize>,
    /// Least log-odds on average.
    least: f64,
}

impl Clusters {
    fn of(likely: &Likely, least: f64) -> Self {
        let mut all = Self {
            members: (0..likely.wordings).map(|n| vec![n]).collect(),
            near: vec![BTreeMap::new(); likely.wordings],
            queue: BinaryHeap::new(),
            joined: vec![0; likely.wordings],
            least,
        };
        for ((a, b), odds) in &likely.odds {
            let between = Between {
                above: odds.map_or(0.0, |o| o - FARTHEST),
                apart: odds.is_none(),
            };
            all.near[*a].insert(*b, between);
            all.near[*b].insert(*a, between);
            all.look_at(*a, *b);
        }
        all
    }

    /// Puts two clusters in the queue, if they may be joined as they are.
    fn look_at(&mut self, a: usize, b: usize) {
        let between = self.near[a].get(&b).copied().unwrap_or_default();
        let average = FARTHEST
            + between.above / (count(self.members[a].len()) * count(self.members[b].len()));
        if !between.apart && average >= self.least {
            #[expect(clippy::cast_possible_truncation, reason = "log-odds of some units")]
            let millionths = (average * 1e6) as i64;
            self.queue.push((
                millionths,
                Reverse((a, b)),
                [self.joined[a], self.joined[b]],
            ));
        }
    }

    fn nearest(&mut self) -> Option<(usize, usize)> {
        while let Some((_, Reverse((a, b)), joined)) = self.queue.pop() {
            if joined == [self.joined[a], self.joined[b]]
                && !self.members[a].is_empty()
                && !self.members[b].is_empty()
            {
                return Some((a, b));
            }
        }
        None
    }

    /// Puts the second cluster into the first.
    fn join(&mut self, a: usize, b: usize) {
        let moved = std::mem::take(&mut self.members[b]);
        self.members[a].extend(moved);
        self.joined[a] += 1;
        for (other, between) in std::mem::take(&mut self.near[b]) {
            self.near[other].remove(&b);
            if other != a {
                let sum = self.near[a].entry(other).or_default();
                *sum = Between {
                    above: sum.above + between.above,
                    apart: sum.apart || between.apart,
                };
                let sum = *sum;
                self.near[other].insert(a, sum);
            }
        }
        let others: Vec<usize> = self.near[a].keys().copied().collect();
        for other in others {
            self.look_at(a.min(other), a.max(other));
        }
    }
}

/// A pair of wordings, as far as it is weighed.
#[derive(Debug, Clone)]
pub struct Weighed {
    /// Index of the first wording.
    pub first: usize,
    /// Index of the second, which is larger.
    pub second: usize,
    /// Values in the order of [`NAMES`].
    pub values: [f64; NAMES.len()],
    /// Nothing speaks against it that no likelihood outweighs: other numbers, or swapped words.
    pub may_be_one: bool,
}

/// Every pair that is near enough to be weighed.
#[must_use]
pub fn weighed(wordings: &[Worded], vectors: &Vectors) -> Vec<Weighed> {
    let known: Vec<Wording> = wordings
        .iter()
        .enumerate()
        .filter_map(|(n, text)| Some(Wording::of(n, *text, vectors.of(text.0)?)))
        .collect();
    let mut near: Vec<(usize, usize, i32)> = Vec::new();
    let mut crowds: Vec<Vec<i32>> = vec![vec![CROWD_BASE; CROWD]; known.len()];
    for (a, one) in known.iter().enumerate() {
        for (b, other) in known.iter().enumerate().skip(a + 1) {
            let cosine = one.vector.cosine(other.vector);
            for crowd in [a, b] {
                joins(&mut crowds[crowd], cosine);
            }
            if cosine >= LEAST_COSINE && near.len() < MOST_PAIRS {
                near.push((a, b, cosine));
            }
        }
    }
    let crowds: Vec<f64> = crowds
        .iter()
        .map(|c| f64::from(c.iter().sum::<i32>()) / 10_000.0)
        .collect();
    near.into_iter()
        .map(|(a, b, cosine)| Weighed::of((&known[a], crowds[a]), (&known[b], crowds[b]), cosine))
        .collect()
}

/// Puts a cosine in a crowd, which keeps the largest, largest first.
fn joins(crowd: &mut [i32], cosine: i32) {
    if crowd.last().is_some_and(|least| cosine > *least) {
        let at = crowd.partition_point(|one| *one >= cosine);
        crowd[at..].rotate_right(1);
        crowd[at] = cosine;
    }
}

/// A wording, as far as it is compared.
struct Wording<'a> {
    index: usize,
    vector: &'a Vector,
    odds: f64,
    forbids: bool,
    numbers: BTreeSet<String>,
    names: BTreeSet<String>,
    words: BTreeSet<String>,
}

impl<'a> Wording<'a> {
    fn of(index: usize, (text, likely): Worded, vector: &'a Vector) -> Self {
        let words = plain_words(text);
        let p = f64::from(likely.clamp(1, 999)) / 1_000.0;
        let large = |w: &&str| {
            w.chars().next().is_some_and(char::is_uppercase) && *w != "I" && !w.starts_with("I'")
        };
        Self {
            index,
            vector,
            odds: (p / (1.0 - p)).ln(),
            forbids: words
                .iter()
                .any(|w| FORBIDS.contains(&w.as_str()) || w.ends_with("n't")),
            numbers: words.iter().filter_map(|w| number(w)).collect(),
            names: text
                .split(' ')
                .skip(1)
                .map(|w| w.trim_matches(|c: char| !c.is_alphanumeric()))
                .filter(large)
                .map(str::to_lowercase)
                .collect(),
            words: similar::content_words(text)
                .into_iter()
                .filter(|w| !FORBIDS.contains(&w.as_str()) && !SAYS_RULE.contains(&w.as_str()))
                .collect(),
        }
    }

    /// Words that both hold, in any form.
    fn common<'w>(&'w self, other: &Self) -> Vec<&'w String> {
        self.words.iter().filter(|w| has(&other.words, w)).collect()
    }
}

/// True if a word is among others: "blur" and "blurred" are one word here.
fn has(words: &BTreeSet<String>, word: &str) -> bool {
    let lead = |w: &str| w.chars().take(STEM).collect::<String>();
    words.contains(word)
        || (word.chars().count() >= STEM && words.iter().any(|w| lead(w) == lead(word)))
}

impl Weighed {
    fn of((a, crowd_a): (&Wording, f64), (b, crowd_b): (&Wording, f64), cosine: i32) -> Self {
        let cosine = f64::from(cosine) / 1_000.0;
        let common = a.common(b);
        let least = a.words.len().min(b.words.len()).max(1);
        let share = count(common.len().min(least)) / count(least);
        let longest = common.iter().map(|w| w.chars().count()).max().unwrap_or(0);
        // "Use tabs for indentation", "Use spaces for indentation": few words differ, and these are
        // what the rule says.
        let own = a.words.len() - common.len();
        let others = b.words.iter().filter(|w| !has(&a.words, w)).count();
        let swapped = !common.is_empty()
            && share >= 0.5
            && (1..=SWAPPED).contains(&own)
            && (1..=SWAPPED).contains(&others);
        let apart = |one: &BTreeSet<String>, other: &BTreeSet<String>, words: &BTreeSet<String>| {
            one.iter().any(|w| !other.contains(w) && !has(words, w))
        };
        let names_differ =
            apart(&a.names, &b.names, &b.words) && apart(&b.names, &a.names, &a.words);
        let names = a
            .names
            .iter()
            .filter(|n| b.names.contains(*n) || has(&b.words, n))
            .count();
        let (not_in_b, not_in_a) = (
            a.numbers.difference(&b.numbers).next().is_some(),
            b.numbers.difference(&a.numbers).next().is_some(),
        );
        let polarity = a.forbids != b.forbids;
        let above = [cosine - crowd_a, cosine - crowd_b];
        let values = [
            a.odds.max(b.odds),
            a.odds.min(b.odds),
            cosine,
            cosine * cosine,
            above[0].min(above[1]),
            above[0].max(above[1]),
            crowd_a + crowd_b,
            share,
            count(common.len().min(3)),
            count(longest.min(12)) / 10.0,
            count(a.numbers.intersection(&b.numbers).count().min(2)),
            yes(not_in_a && not_in_b),
            yes(not_in_a || not_in_b),
            count(names.min(2)),
            yes(names_differ),
            yes(polarity),
            yes(polarity) * share,
            yes(swapped),
        ];
        let may_be_one = !(not_in_a && not_in_b || swapped) && (!polarity || share < 0.5);
        Self {
            first: a.index,
            second: b.index,
            values,
            may_be_one,
        }
    }
}

/// The digits of a number, or of one in words.
fn number(word: &str) -> Option<String> {
    let digits: String = word.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        digits_of(word).map(str::to_owned)
    } else {
        Some(digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_vectors_do_not_hold_is_looked_at() {
        let vector = Vector::of(&[1.0, 0.0]).unwrap();
        let wording = |text| (Wording::of(0, (text, 500), &vector), 0.2);
        let agree = |a, b| {
            let ((a, crowd_a), (b, crowd_b)) = (wording(a), wording(b));
            Weighed::of((&a, crowd_a), (&b, crowd_b), 900).may_be_one
        };
        assert!(agree(
            "Over 10% off needs the regional lead",
            "Any discount above ten percent goes past the regional manager"
        ));
        assert!(!agree(
            "Three quotes for anything over 2k",
            "Three quotes for anything over 5k"
        ));
        assert!(!agree(
            "Merge duplicate tickets",
            "Never merge duplicate tickets"
        ));
        assert!(agree(
            "Temperature goes in Celsius",
            "No Fahrenheit in the reports"
        ));
        assert!(agree(
            "From now on, blur customer names in every screenshot",
            "Screenshots must have the customer's name blurred"
        ));
        for (a, b) in [
            ("Use tabs for indentation", "Use spaces for indentation"),
            ("Answer in German", "Always answer in French"),
            ("Send invoices to Anna", "Always send invoices to Bob"),
        ] {
            assert!(!agree(a, b), "{a} / {b}");
        }
    }

    #[test]
    fn the_weights_are_whole_and_a_crowd_keeps_the_nearest() {
        assert!(MODEL.is_some());
        let mut crowd = vec![250; 3];
        for cosine in [100, 400, 300, 500, 350] {
            joins(&mut crowd, cosine);
        }
        assert_eq!(crowd, [500, 400, 350]);
    }
}
