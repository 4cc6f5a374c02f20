//! Trains what dreams learned: how likely a sentence is said for good (`dream::reading::standing`),
//! which wordings are one rule, and which facts changed (`dream::learned`). Reads the labelled
//! texts of `tests/evaluation/training`, prints how it does on what each file's author wrote when
//! it was trained on the others', and writes the weights. Run as `make train`, or with the name of
//! one of the three alone; the same files give the same weights.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a tool of developers, which stops where it cannot go on"
)]

mod changed;
mod same_rule;
mod standing;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use dream::meaning::{Embedder, Vector, Vectors};
use embed::SentenceModel;
use serde_json::Value;

/// The folders of the labelled texts, and of the engine whose weights are written.
struct Folders {
    training: PathBuf,
    engine: PathBuf,
}

/// The sentence model, and the vectors that it gave.
struct Meanings {
    model: SentenceModel,
    known: HashMap<String, Vector>,
}

impl Meanings {
    fn of(&mut self, texts: &[String]) -> Vectors {
        let mut vectors = Vectors::default();
        for text in texts {
            if !self.known.contains_key(text) {
                let vector = self
                    .model
                    .embed(std::slice::from_ref(text))
                    .expect("the model works")
                    .remove(0);
                self.known.insert(text.clone(), vector);
            }
            vectors.put(text.clone(), self.known[text].clone());
        }
        vectors
    }
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = Folders {
        training: root.join("tests/evaluation/training"),
        engine: root.join("crates/dream/src"),
    };
    let model = SentenceModel::load(&root.join("target/models/all-minilm-l6-v2"))
        .expect("models/fetch.sh fetches the model");
    let mut meanings = Meanings {
        model,
        known: HashMap::new(),
    };
    let only = std::env::args().nth(1);
    let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    let sentences = standing::Sentences::read(&folders);
    if wanted("standing") {
        standing::train(&sentences, &folders);
    }
    if wanted("same_rule") {
        same_rule::train(&sentences, &folders, &mut meanings);
    }
    if wanted("changed") {
        changed::train(&folders, &mut meanings);
    }
}

/// The objects of a list, or of a file with one object a line.
fn objects(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).expect("a file to learn from");
    serde_json::from_str(&text).unwrap_or_else(|_| {
        text.lines()
            .map(|line| serde_json::from_str(line).expect("an object a line"))
            .collect()
    })
}

fn text(object: &Value, name: &str) -> String {
    object[name].as_str().expect("a text").to_owned()
}

fn texts(object: &Value, name: &str) -> Vec<String> {
    object[name]
        .as_array()
        .expect("a list of texts")
        .iter()
        .map(|t| t.as_str().expect("a text").to_owned())
        .collect()
}

/// A number as the share of another.
fn share(part: usize, all: usize) -> f64 {
    let number = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    number(part) / number(all.max(1))
}

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % most.max(1)
    }

    fn shuffle<T>(&mut self, all: &mut [T]) {
        for i in (1..all.len()).rev() {
            all.swap(i, self.below(i + 1));
        }
    }
}
