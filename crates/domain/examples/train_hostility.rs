//! Trains the weights of `domain::hostility` on the labelled notes of `tests/evaluation/training`,
//! and prints how it does on each file when it was trained on the others. Run as `make train`; the
//! same files give the same weights.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a tool of developers, which stops where it cannot go on"
)]

use std::path::Path;

use domain::{
    linear::{
        Hashed, Linear, features,
        learn::{self, Pace},
    },
    redirection::{folded, has_a_hostile_form, holds_a_phrase, is_short, passages},
};

const PACE: Pace = Pace {
    passes: 40,
    rate: 0.5,
    decay: 2e-5,
};

/// A note: the features of all of it and of its sentences, what the patterns find in it, whether it
/// is hostile.
struct Note {
    whole: Hashed,
    /// What is judged; nothing of a short text.
    passages: Vec<Hashed>,
    form: bool,
    phrase: bool,
    hostile: bool,
}

impl Note {
    fn worst(&self, learned: &Linear) -> f32 {
        self.passages
            .iter()
            .map(|p| learned.odds(p))
            .fold(f32::NEG_INFINITY, f32::max)
    }
}

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("../../tests/evaluation/training");
    let both = |name: &str| -> Vec<Note> {
        let of = |hostile: bool| {
            read(
                &folder.join(name.replace("KIND", if hostile { "hostile" } else { "honest" })),
                hostile,
            )
        };
        of(true).into_iter().chain(of(false)).collect()
    };
    let files: Vec<Vec<Note>> = (1..=6).map(|n| both(&format!("KIND_{n}.json"))).collect();
    // The development sets shaped the phrases, and what people say of their wishes shaped the
    // engine; notes have the form in which dreams and teams write them. They teach, and judge
    // nothing.
    let wishes = ["rules.json", "facts.json"]
        .iter()
        .flat_map(|n| read(&folder.join("../heldout").join(n), false));
    let notes = read(&folder.join("notes.json"), false);
    let developed: Vec<Note> = ["guard_KIND.json", "guard_KIND_2.json"]
        .iter()
        .flat_map(|n| both(&format!("../heldout/{n}")))
        .chain(wishes)
        .chain(notes)
        .collect();
    let mut scores: Vec<(f32, &Note)> = Vec::new();
    for held in 0..files.len() {
        let rest: Vec<&Note> = files
            .iter()
            .enumerate()
            .filter(|(n, _)| *n != held)
            .flat_map(|(_, f)| f)
            .chain(&developed)
            .collect();
        let learned = train(&rest);
        scores.extend(files[held].iter().map(|note| (note.worst(&learned), note)));
    }
    for alone in [2.0, 2.5, 3.0, 3.25, 3.5, 3.75, 4.0, 4.25] {
        for named in [0.0, 0.5, 1.0, 1.5, 2.0] {
            let labelled = |hostile: bool| {
                let all = scores.iter().filter(|(_, n)| n.hostile == hostile).count();
                let is_hit = |(score, n): &&(f32, &Note)| {
                    n.form || *score > alone || (n.phrase && *score > named)
                };
                let hit = scores
                    .iter()
                    .filter(|(_, n)| n.hostile == hostile)
                    .filter(is_hit)
                    .count();
                100.0 * f64::from(u32::try_from(hit).unwrap_or(0))
                    / f64::from(u32::try_from(all).unwrap_or(1))
            };
            println!(
                "alone > {alone:>5.2}, with a pattern > {named:>5.2}: hostile {:>5.1} %, honest \
                 {:>5.2} %",
                labelled(true),
                labelled(false)
            );
        }
    }
    let all: Vec<&Note> = files.iter().flatten().chain(&developed).collect();
    std::fs::write(here.join("src/hostility.weights"), train(&all).bytes())
        .expect("the weights are written");
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
        .flat_map(|n| {
            n["messages"]
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![n["text"].clone()])
        })
        .filter_map(|t| t.as_str().map(note))
        .collect()
}

fn train(notes: &[&Note]) -> Linear {
    learn::linear(
        &notes
            .iter()
            .map(|n| (&n.whole, n.hostile))
            .collect::<Vec<_>>(),
        PACE,
    )
}
