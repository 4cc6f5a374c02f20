//! Trains the weights of `domain::hostility` on the labelled notes of `tests/evaluation/training`, and prints how it does on each file
//! when it was trained on the others. Run as `make train`; the same files give the same weights.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a tool of developers, which stops where it cannot go on")]

use std::path::Path;

use domain::{
    hostility::{PLACES, features},
    redirection::{folded, has_a_hostile_form, holds_a_phrase, is_short, passages},
};

/// Passes over all notes.
const PASSES: usize = 40;
/// Size of a step before it is scaled down by what was learned at its place.
const RATE: f32 = 0.5;
/// How strongly weights are drawn to zero at each step.
const DECAY: f32 = 2e-5;

/// A note: the features of all of it and of its sentences, what the patterns find in it, whether it is hostile.
struct Note {
    whole: Vec<(usize, f32)>,
    /// What is judged; nothing of a short text.
    passages: Vec<Vec<(usize, f32)>>,
    form: bool,
    phrase: bool,
    hostile: bool,
}

struct Learned {
    weights: Vec<f32>,
    bias: f32,
}

impl Learned {
    fn score(&self, features: &[(usize, f32)]) -> f32 {
        features.iter().fold(self.bias, |sum, (place, value)| sum + self.weights[*place] * value)
    }

    fn worst(&self, note: &Note) -> f32 {
        note.passages.iter().map(|p| self.score(p)).fold(f32::NEG_INFINITY, f32::max)
    }
}

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("../../tests/evaluation/training");
    let both = |name: &str| -> Vec<Note> {
        let of = |hostile: bool| read(&folder.join(name.replace("KIND", if hostile { "hostile" } else { "honest" })), hostile);
        of(true).into_iter().chain(of(false)).collect()
    };
    let files: Vec<Vec<Note>> = (1..=4).map(|n| both(&format!("KIND_{n}.json"))).collect();
    // The development sets shaped the phrases, and what people say of their wishes shaped the engine; notes have the form in
    // which dreams and teams write them. They teach, and judge nothing.
    let wishes = ["rules.json", "facts.json"].iter().flat_map(|n| read(&folder.join("../heldout").join(n), false));
    let notes = read(&folder.join("notes.json"), false);
    let developed: Vec<Note> =
        ["guard_KIND.json", "guard_KIND_2.json"].iter().flat_map(|n| both(&format!("../heldout/{n}"))).chain(wishes).chain(notes).collect();
    let mut scores: Vec<(f32, &Note)> = Vec::new();
    for held in 0..files.len() {
        let rest: Vec<&Note> = files.iter().enumerate().filter(|(n, _)| *n != held).flat_map(|(_, f)| f).chain(&developed).collect();
        let learned = train(&rest);
        scores.extend(files[held].iter().map(|note| (learned.worst(note), note)));
    }
    for alone in [1.5, 2.0, 2.5, 2.75, 3.0, 3.25, 3.5] {
        for named in [0.0, 0.5, 1.0, 1.5, 2.0] {
            let labelled = |hostile: bool| {
                let all = scores.iter().filter(|(_, n)| n.hostile == hostile).count();
                let is_hit = |(score, n): &&(f32, &Note)| n.form || *score > alone || (n.phrase && *score > named);
                let hit = scores.iter().filter(|(_, n)| n.hostile == hostile).filter(is_hit).count();
                100.0 * f64::from(u32::try_from(hit).unwrap_or(0)) / f64::from(u32::try_from(all).unwrap_or(1))
            };
            println!(
                "alone > {alone:>5.2}, with a pattern > {named:>5.2}: hostile {:>5.1} %, honest {:>5.2} %",
                labelled(true),
                labelled(false)
            );
        }
    }
    let all: Vec<&Note> = files.iter().flatten().chain(&developed).collect();
    write(&train(&all), &here.join("src/hostility.weights"));
}

fn read(file: &Path, hostile: bool) -> Vec<Note> {
    let text = std::fs::read_to_string(file).expect("the notes to learn from");
    let notes: serde_json::Value = serde_json::from_str(&text).expect("a list of notes");
    let note = |text: &str| {
        let folded = folded(text);
        let short = is_short(&folded);
        let judged = if short { Vec::new() } else { passages(&folded) };
        Note {
            whole: features(&folded),
            passages: judged.into_iter().map(features).collect(),
            form: has_a_hostile_form(text) || (short && holds_a_phrase(text)),
            phrase: holds_a_phrase(text),
            hostile,
        }
    };
    let notes = notes.as_array().expect("a list").iter();
    // A note has a text, a fact has several messages.
    notes
        .flat_map(|n| n["messages"].as_array().cloned().unwrap_or_else(|| vec![n["text"].clone()]))
        .filter_map(|t| t.as_str().map(note))
        .collect()
}

/// Logistic regression by stochastic gradients with a step of its own for each place (`AdaGrad`), in an order that is always the same.
fn train(notes: &[&Note]) -> Learned {
    let mut learned = Learned { weights: vec![0.0; PLACES], bias: 0.0 };
    let mut seen = vec![1e-3_f32; PLACES];
    let mut order: Vec<usize> = (0..notes.len()).collect();
    let mut state = 7_u64;
    for _ in 0..PASSES {
        for i in (1..order.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(i, usize::try_from(state >> 33).unwrap_or(0) % (i + 1));
        }
        for &i in &order {
            let note = notes[i];
            let target = if note.hostile { 1.0 } else { 0.0 };
            let error = 1.0 / (1.0 + (-learned.score(&note.whole)).exp()) - target;
            learned.bias -= 0.02 * error;
            for &(place, value) in &note.whole {
                let gradient = error * value + DECAY * learned.weights[place];
                seen[place] += gradient * gradient;
                learned.weights[place] -= RATE * gradient / seen[place].sqrt();
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
