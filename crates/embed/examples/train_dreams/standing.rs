//! How likely a sentence is said for good.

use domain::linear::{
    Hashed, Linear,
    learn::{self, Pace},
};
use dream::reading::standing::seen;

use crate::{Folders, objects, share, text, texts};

const PACE: Pace = Pace {
    passes: 10,
    rate: 0.35,
    decay: 1e-4,
};

/// A labelled sentence.
pub struct Sentence {
    pub text: String,
    pub standing: bool,
    features: Hashed,
}

/// A rule that several people say in their own words, and a near one that is another.
pub struct Voiced {
    pub said: Vec<String>,
    pub near: String,
}

/// The labelled sentences, by author.
pub struct Sentences {
    /// Of one author each; the last file, what people say of their own case, teaches and judges
    /// nothing.
    files: Vec<Vec<Sentence>>,
    /// Files whose author is not among those that are judged.
    others: Vec<Sentence>,
    /// Rules in several voices, by author.
    pub voices: Vec<Vec<Voiced>>,
}

impl Sentences {
    pub fn read(folders: &Folders) -> Self {
        let labelled = |n: usize| objects(&folders.training.join(format!("statements_{n}.jsonl")));
        let file = |n: usize| {
            labelled(n)
                .iter()
                .map(|o| Sentence::of(text(o, "text"), o["label"] == "rule"))
                .collect::<Vec<_>>()
        };
        let not_rules = |n: usize| objects(&folders.training.join(format!("not_rules_{n}.json")));
        let not: Vec<Vec<Sentence>> = (1..=4)
            .map(|n| {
                not_rules(n)
                    .iter()
                    .map(|o| Sentence::of(text(o, "text"), false))
                    .collect()
            })
            .collect();
        let voiced = |o: &serde_json::Value| Voiced {
            said: texts(o, "said"),
            near: text(o, "near"),
        };
        let voices: Vec<Vec<Voiced>> = (1..=6)
            .map(|n| {
                objects(&folders.training.join(format!("voices_{n}.json")))
                    .iter()
                    .map(voiced)
                    .collect()
            })
            .collect();
        let facts =
            (1..=5).flat_map(|n| objects(&folders.training.join(format!("changed_{n}.json"))));
        let told = facts
            .flat_map(|f| texts(&f, "said"))
            .map(|t| Sentence::of(t, false));
        Self {
            files: (1..=4).chain(6..=9).map(file).chain(not).collect(),
            others: file(5).into_iter().chain(told).collect(),
            voices,
        }
    }

    /// Those of these files that are no rule.
    pub fn not_rules(&self, files: &[usize]) -> Vec<&str> {
        files
            .iter()
            .flat_map(|n| &self.files[*n])
            .filter(|s| !s.standing)
            .map(|s| s.text.as_str())
            .collect()
    }

    /// Weights from all but some files of sentences and one file of voices.
    pub fn learned(&self, without_files: &[usize], without_voices: Option<usize>) -> Linear {
        let voiced: Vec<Sentence> = self
            .voices
            .iter()
            .enumerate()
            .filter(|(n, _)| Some(*n) != without_voices)
            .flat_map(|(_, v)| v)
            .flat_map(|v| {
                v.said
                    .iter()
                    .chain([&v.near])
                    .map(|t| Sentence::of(t.clone(), true))
            })
            .collect();
        let files = self
            .files
            .iter()
            .enumerate()
            .filter(|(n, _)| !without_files.contains(n))
            .flat_map(|(_, f)| f);
        let all: Vec<(&Hashed, bool)> = files
            .chain(&self.others)
            .chain(&voiced)
            .map(|s| (&s.features, s.standing))
            .collect();
        learn::linear(&all, PACE)
    }
}

impl Sentence {
    fn of(text: String, standing: bool) -> Self {
        Self {
            features: seen(&text),
            text,
            standing,
        }
    }
}

pub fn train(sentences: &Sentences, folders: &Folders) {
    let mut scores: Vec<(f32, bool)> = Vec::new();
    for (held, file) in sentences.files.iter().enumerate() {
        let weights = sentences.learned(&[held], None);
        scores.extend(file.iter().map(|s| (weights.odds(&s.features), s.standing)));
    }
    let all = scores.iter().filter(|s| s.1).count();
    for likely in [0.2_f32, 0.3, 0.5, 0.7, 0.8, 0.9] {
        let called = scores
            .iter()
            .filter(|s| s.0 >= (likely / (1.0 - likely)).ln());
        let (called, right) = (called.clone().count(), called.filter(|s| s.1).count());
        println!(
            "said for good, from {likely:.1}, other authors, n {all}: precision {:.3}, recall \
             {:.3}",
            share(right, called),
            share(right, all)
        );
    }
    for (held, voices) in sentences.voices.iter().enumerate() {
        let weights = sentences.learned(&[], Some(held));
        let said: Vec<&String> = voices.iter().flat_map(|v| &v.said).collect();
        let known = said
            .iter()
            .filter(|t| weights.odds(&seen(t)) >= 0.0)
            .count();
        println!(
            "  rules in voices of author {}: {known} of {} known",
            held + 1,
            said.len()
        );
    }
    std::fs::write(
        folders.engine.join("reading/standing.weights"),
        sentences.learned(&[], None).bytes(),
    )
    .expect("the weights are written");
}
