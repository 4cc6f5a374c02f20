//! Trains the weights of `dream::reading::standing` on the labelled sentences of `tests/evaluation/training`, and prints how it does on
//! each author's when it was trained on the others'. Run as `make train`; the same files give the same weights.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a tool of developers, which stops where it cannot go on")]

use std::path::Path;

use domain::hostility::PLACES;
use dream::reading::standing::seen;

/// Passes over all sentences.
const PASSES: usize = 30;
/// Size of a step before it is scaled down by what was learned at its place.
const RATE: f32 = 0.35;
/// How strongly weights are drawn to zero at each step.
const DECAY: f32 = 1e-4;

struct Sentence {
    features: Vec<(usize, f32)>,
    standing: bool,
}

struct Learned {
    weights: Vec<f32>,
    bias: f32,
}

impl Learned {
    fn score(&self, features: &[(usize, f32)]) -> f32 {
        features.iter().fold(self.bias, |sum, (place, value)| sum + self.weights[*place] * value)
    }
}

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("../../tests/evaluation/training");
    let files: Vec<Vec<Sentence>> = (1..=4).map(|n| read(&folder.join(format!("statements_{n}.jsonl")))).collect();
    // What people say of their own case; it teaches, and judges nothing.
    let cases = read(&folder.join("statements_5.jsonl"));
    let mut scores: Vec<(f32, bool)> = Vec::new();
    for held in 0..files.len() {
        let rest: Vec<&Sentence> = files.iter().enumerate().filter(|(n, _)| *n != held).flat_map(|(_, f)| f).chain(&cases).collect();
        let learned = train(&rest);
        scores.extend(files[held].iter().map(|s| (1.0 / (1.0 + (-learned.score(&s.features)).exp()), s.standing)));
    }
    for least in [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8] {
        let called = scores.iter().filter(|(p, _)| *p >= least).count();
        let right = scores.iter().filter(|(p, standing)| *p >= least && *standing).count();
        let all = scores.iter().filter(|s| s.1).count();
        println!("least likelihood {least:.1}: precision {right} of {called}, recall {right} of {all} (other authors)");
    }
    let all: Vec<&Sentence> = files.iter().flatten().chain(&cases).collect();
    write(&train(&all), &here.join("src/reading/standing.weights"));
}

fn read(file: &Path) -> Vec<Sentence> {
    let text = std::fs::read_to_string(file).expect("the sentences to learn from");
    let sentence = |line: &str| {
        let one: serde_json::Value = serde_json::from_str(line).expect("a sentence with its label");
        let label = one["label"].as_str().expect("a label");
        Sentence { features: seen(one["text"].as_str().expect("a text")), standing: label == "rule" }
    };
    text.lines().map(sentence).collect()
}

/// Logistic regression by stochastic gradients with a step of its own for each place (`AdaGrad`), in an order that is always the same.
fn train(sentences: &[&Sentence]) -> Learned {
    let mut learned = Learned { weights: vec![0.0; PLACES], bias: 0.0 };
    let mut squares = vec![1e-3_f32; PLACES];
    let mut order: Vec<usize> = (0..sentences.len()).collect();
    let mut state = 7_u64;
    for _ in 0..PASSES {
        for i in (1..order.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(i, usize::try_from(state >> 33).unwrap_or(0) % (i + 1));
        }
        for &i in &order {
            let one = sentences[i];
            let target = if one.standing { 1.0 } else { 0.0 };
            let error = 1.0 / (1.0 + (-learned.score(&one.features)).exp()) - target;
            learned.bias -= 0.02 * error;
            for &(place, value) in &one.features {
                let gradient = error * value + DECAY * learned.weights[place];
                squares[place] += gradient * gradient;
                learned.weights[place] -= RATE * gradient / squares[place].sqrt();
            }
        }
    }
    learned
}

/// The bias, the step, and each weight as a number of steps.
fn write(learned: &Learned, to: &Path) {
    let most = learned.weights.iter().fold(0.0_f32, |most, w| most.max(w.abs()));
    let step = (most / 127.0).max(1e-9);
    let mut bytes = [learned.bias.to_le_bytes(), step.to_le_bytes()].concat();
    #[expect(clippy::cast_possible_truncation, reason = "between -127 and 127")]
    bytes.extend(learned.weights.iter().map(|w| ((w / step).round() as i8).cast_unsigned()));
    std::fs::write(to, bytes).expect("the weights are written");
}
