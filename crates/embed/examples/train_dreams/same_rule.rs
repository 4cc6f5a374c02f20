//! Which wordings are one rule. Learned from windows as a dream sees them: a few rules, each in two
//! voices, a near rule beside each, and many sentences that are none.

use domain::linear::{Linear, Named, learn};
use dream::{
    learned::{
        LEAST_LIKELY,
        meanings::{Likely, NAMES, Weighed, weighed},
    },
    meaning::Vectors,
    reading::{may_stand, standing::likelihood_by, without_opening},
};

use crate::{
    Dice, Folders, Meanings, share,
    standing::{Sentences, Voiced},
};

/// Rules in one window.
const RULES: usize = 10;
/// Sentences in one window that are no rules.
const OTHERS: usize = 200;
/// Authors whose windows teach. Those of the others only judge: they hold what two people ask for
/// in nearly the same words, and no two of the labelled wordings of one rule are as near as that,
/// so that nearness would be learned to speak against being one rule.
const TEACHERS: usize = 4;
/// How strongly weights are drawn to zero.
const DECAY: f64 = 1.0;

/// The label of a pair of sentences.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pair {
    OneRule,
    /// A rule, and one that is hardly another.
    Near,
    Different,
}

/// Which rule a sentence says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Rule(usize),
    NearRule(usize),
    None,
}

pub fn train(sentences: &Sentences, folders: &Folders, meanings: &mut Meanings) {
    let mut by_author: Vec<Vec<(Weighed, Pair)>> = Vec::new();
    for (held, voices) in sentences.voices.iter().enumerate().take(TEACHERS) {
        // What the windows hold was not learned from, as a dream's sentences were not.
        let unseen = [held, held + 4, 8 + held % 2];
        let others = sentences.not_rules(&unseen);
        let weights = sentences.learned(&unseen, Some(held));
        let mut dice = Dice(u64::try_from(held).unwrap_or(0) + 7);
        let mut order: Vec<&Voiced> = voices.iter().collect();
        dice.shuffle(&mut order);
        let windows = order
            .chunks(RULES)
            .flat_map(|rules| window(rules, &others, &weights, meanings, &mut dice));
        by_author.push(windows.collect());
    }
    let rules: usize = sentences.voices.iter().take(TEACHERS).map(Vec::len).sum();
    let mut scores: Vec<(f64, Pair, bool)> = Vec::new();
    for (held, pairs) in by_author.iter().enumerate() {
        let model = learn::named(
            &rows(
                by_author
                    .iter()
                    .enumerate()
                    .filter(|(n, _)| *n != held)
                    .flat_map(|(_, p)| p),
            ),
            DECAY,
        );
        scores.extend(
            pairs
                .iter()
                .map(|(w, pair)| (model.odds(&w.values), *pair, w.may_be_one)),
        );
    }
    for least in [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0] {
        for guarded in [false, true] {
            let count = |pair| {
                scores
                    .iter()
                    .filter(|s| s.0 >= least && s.1 == pair && (s.2 || !guarded))
                    .count()
            };
            let (right, wrong, near) = (
                count(Pair::OneRule),
                count(Pair::Different),
                count(Pair::Near),
            );
            println!(
                "one rule, log-odds from {least}{}: recall {:.3} of {rules}, precision {:.3}; near \
                 rules joined: {near} of {}",
                if guarded { ", guarded" } else { "" },
                share(right, rules),
                share(right, right + wrong),
                2 * rules
            );
        }
    }
    let model = learn::named(&rows(by_author.iter().flatten()), DECAY);
    several(sentences, &model, meanings);
    std::fs::write(
        folders.engine.join("findings/same_rule.weights"),
        model.text(&NAMES),
    )
    .expect("the weights are written");
}

/// Prints how many rules that three people say are found as groups, over windows of authors that
/// taught neither model.
fn several(sentences: &Sentences, model: &Named, meanings: &mut Meanings) {
    let mut windows: Vec<(Likely, Vec<Known>)> = Vec::new();
    for (held, voices) in sentences.voices.iter().enumerate().skip(TEACHERS) {
        let unseen = [held % 4, held % 4 + 4, held + 6];
        let others = sentences.not_rules(&unseen);
        let weights = sentences.learned(&unseen, Some(held));
        let mut dice = Dice(u64::try_from(held).unwrap_or(0) + 7);
        let mut order: Vec<&Voiced> = voices.iter().collect();
        dice.shuffle(&mut order);
        for rules in order.chunks(RULES) {
            let known = said(rules, 3, (&others, true), &weights, &mut dice);
            let (wordings, vectors) = weighable(&known, meanings);
            windows.push((Likely::by(model, &wordings, &vectors), known));
        }
    }
    let rules: usize = sentences.voices.iter().skip(TEACHERS).map(Vec::len).sum();
    for least in [-4.0, -3.6, -3.2, -2.8, -2.4, -2.0, -1.6, -1.2] {
        for likely in [400, 500, 600, 700, 800] {
            let (mut right, mut wrong, mut mixed) = (0, 0, 0);
            for (odds, known) in &windows {
                for group in odds.groups_from(least).iter().filter(|g| g.len() >= 3) {
                    let mut all: Vec<u16> = group.iter().map(|&n| known[n].1).collect();
                    all.sort_unstable_by(|a, b| b.cmp(a));
                    if all.iter().take(3).map(|l| u32::from(*l)).sum::<u32>() < 3 * likely {
                        continue;
                    }
                    let of = |says: Says| group.iter().filter(|&&n| known[n].2 == says).count();
                    let is_one = (0..RULES).any(|n| 3 * of(Says::Rule(n)) >= 2 * group.len());
                    let is_mixed = !(0..RULES).any(|n| of(Says::Rule(n)) == group.len());
                    if is_one {
                        right += 1;
                    } else {
                        wrong += 1;
                    }
                    mixed += usize::from(is_one && is_mixed);
                }
            }
            println!(
                "three voices, average log-odds from {least}, likelihood from {likely}: recall \
                 {:.3} of {rules}, precision {:.3}; {mixed} groups hold another sentence",
                share(right, rules),
                share(right, right + wrong)
            );
        }
    }
}

fn rows<'a>(pairs: impl Iterator<Item = &'a (Weighed, Pair)>) -> Vec<(Vec<f64>, bool)> {
    pairs
        .map(|(w, pair)| (w.values.to_vec(), *pair == Pair::OneRule))
        .collect()
}

/// The pairs of one window that a dream would weigh.
fn window(
    rules: &[&Voiced],
    others: &[&str],
    weights: &Linear,
    meanings: &mut Meanings,
    dice: &mut Dice,
) -> Vec<(Weighed, Pair)> {
    let known = said(rules, 2, (others, false), weights, dice);
    let (wordings, vectors) = weighable(&known, meanings);
    let pair = |w: &Weighed| match (known[w.first].2, known[w.second].2) {
        (Says::Rule(a), Says::Rule(b)) if a == b => Pair::OneRule,
        (Says::Rule(a), Says::NearRule(b)) | (Says::NearRule(a), Says::Rule(b)) if a == b => {
            Pair::Near
        }
        _ => Pair::Different,
    };
    weighed(&wordings, &vectors)
        .into_iter()
        .map(|w| (w.clone(), pair(&w)))
        .collect()
}

/// A sentence that is likely enough to be a rule, how likely, and what it says.
type Known = (String, u16, Says);

/// Returns what the engine weighs of these sentences: each with its likelihood, and the vectors of
/// all.
fn weighable<'k>(known: &'k [Known], meanings: &mut Meanings) -> (Vec<(&'k str, u16)>, Vectors) {
    let texts: Vec<String> = known.iter().map(|k| k.0.clone()).collect();
    (
        known.iter().map(|k| (k.0.as_str(), k.1)).collect(),
        meanings.of(&texts),
    )
}

/// The sentences of one window: each rule in the words of `people` speakers, and sentences that are
/// no rule. With `paired`, sentences that follow each other in their file stay together.
fn said(
    rules: &[&Voiced],
    people: usize,
    (others, paired): (&[&str], bool),
    weights: &Linear,
    dice: &mut Dice,
) -> Vec<Known> {
    let mut said: Vec<(String, Says)> = Vec::new();
    for (n, rule) in rules.iter().enumerate() {
        let mut voices: Vec<&String> = rule.said.iter().collect();
        dice.shuffle(&mut voices);
        said.extend(
            voices
                .into_iter()
                .take(people)
                .map(|t| (t.clone(), Says::Rule(n))),
        );
        said.push((rule.near.clone(), Says::NearRule(n)));
    }
    let mut others: Vec<&[&str]> = others.chunks(if paired { 2 } else { 1 }).collect();
    dice.shuffle(&mut others);
    said.extend(
        others
            .concat()
            .into_iter()
            .take(OTHERS)
            .map(|t| (t.to_owned(), Says::None)),
    );
    said.into_iter()
        .filter(|(text, _)| may_stand(text))
        .map(|(text, says)| (without_opening(&text), likelihood_by(weights, &text), says))
        .filter(|(_, likely, _)| *likely >= LEAST_LIKELY)
        .collect()
}
