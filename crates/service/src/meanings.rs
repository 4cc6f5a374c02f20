//! The vectors of what a dream compares: known ones are loaded, the others are made by the sentence
//! model and stored. A dream without a model, or whose model fails, compares words alone and says
//! so.

use std::{collections::HashMap, sync::Arc};

use domain::canonical::sha256_hex;
use dream::{
    Input, Progress,
    meaning::{Embedder, Vector, Vectors},
};
use store::{dreams::DreamRow, vectors};

use crate::{Lucid, Result};

/// The text in place of a model's name when it failed.
pub const FAILED: &str = "failed";
/// Texts that are turned into vectors before these are stored: a few seconds' work.
const TOGETHER: usize = 200;
/// Vectors are asked for and stored in parts of so many texts, so that no transaction is long.
const PART: usize = 1_000;

impl Lucid {
    /// Puts the vectors of what the dream compares into its input. Says which model made them;
    /// `None` without one. The second is whether the dream goes on: it may have been canceled.
    pub(crate) async fn give_meanings(
        &self,
        dream: &DreamRow,
        input: &mut Input,
    ) -> Result<(Option<String>, bool)> {
        let Some(model) = self.embedder.clone() else {
            return Ok((None, true));
        };
        let wanted = dream::wanted(input);
        let names: Vec<String> = wanted
            .iter()
            .map(|text| name(model.as_ref(), text))
            .collect();
        let mut known = HashMap::with_capacity(names.len());
        for part in names.chunks(PART) {
            let mut tx = self.db.read().await?;
            known.extend(vectors::get(&mut tx, part).await?);
        }
        let mut missing: Vec<(String, String)> = Vec::new();
        for (text, name) in wanted.into_iter().zip(names) {
            match known.get(&name).and_then(|parts| Vector::from_bytes(parts)) {
                Some(vector) => input.vectors.put(text, vector),
                None => missing.push((name, text)),
            }
        }
        for part in missing.chunks(TOGETHER) {
            let texts: Vec<String> = part.iter().map(|(_, text)| text.clone()).collect();
            let model = Arc::clone(&model);
            // A text that the model fails on is left out; a model that fails on all is as good as
            // none.
            let made = tokio::task::spawn_blocking(move || each(model.as_ref(), &texts))
                .await
                .unwrap_or_else(|_| vec![None; part.len()]);
            if made.iter().all(Option::is_none) {
                // The rest of the dream is worth having without it.
                tracing::warn!(dream = %dream.id, texts = part.len(), "the sentence model fails; \
                    the dream compares words alone");
                input.vectors = Vectors::default();
                return Ok((Some(FAILED.to_owned()), true));
            }
            let mut tx = self.db.background().await?;
            for ((name, text), vector) in part
                .iter()
                .zip(made)
                .filter_map(|(text, vector)| Some((text, vector?)))
            {
                vectors::put(&mut tx, name, &vector.to_bytes(), self.now()).await?;
                input.vectors.put(text.clone(), vector);
            }
            tx.commit().await?;
            let sessions = input.sessions.len();
            if !self
                .beat(
                    dream.id,
                    Progress {
                        sessions_done: 0,
                        sessions,
                    },
                )
                .await?
            {
                return Ok((None, false));
            }
        }
        Ok((Some(model.name().to_owned()), true))
    }
}

impl Lucid {
    /// The vectors of texts, for somebody who waits: known ones, and of the others so many, the
    /// first ones. Empty without a sentence model, or if it fails.
    pub(crate) async fn vectors_of(&self, texts: &[String], most_new: usize) -> Result<Vectors> {
        let mut all = Vectors::default();
        let Some(model) = self.embedder.clone() else {
            return Ok(all);
        };
        let names: Vec<String> = texts
            .iter()
            .map(|text| name(model.as_ref(), text))
            .collect();
        let mut known = HashMap::with_capacity(names.len());
        for part in names.chunks(PART) {
            known.extend(vectors::get(&mut self.db.read().await?, part).await?);
        }
        let mut missing: Vec<(String, String)> = Vec::new();
        for (text, name) in texts.iter().zip(names) {
            match known.get(&name).and_then(|parts| Vector::from_bytes(parts)) {
                Some(vector) => all.put(text.clone(), vector),
                None if missing.len() < most_new
                    && !missing.iter().any(|(known, _)| *known == name) =>
                {
                    missing.push((name, text.clone()));
                }
                None => {}
            }
        }
        if missing.is_empty() {
            return Ok(all);
        }
        // In one order, so that no two who store the same wait for each other.
        missing.sort();
        let wanted: Vec<String> = missing.iter().map(|(_, text)| text.clone()).collect();
        let made = tokio::task::spawn_blocking(move || each(model.as_ref(), &wanted))
            .await
            .unwrap_or_default();
        let mut tx = self.db.background().await?;
        for ((name, text), vector) in missing.into_iter().zip(made) {
            let Some(vector) = vector else { continue };
            vectors::put(&mut tx, &name, &vector.to_bytes(), self.now()).await?;
            all.put(text, vector);
        }
        tx.commit().await?;
        Ok(all)
    }
}

/// The vectors of texts; a text that the model fails on has none, and if it fails on all, none has.
fn each(model: &dyn Embedder, texts: &[String]) -> Vec<Option<Vector>> {
    let one = |text: &String| {
        model
            .embed(std::slice::from_ref(text))
            .ok()
            .and_then(|mut v| v.pop())
    };
    model.embed(texts).map_or_else(
        |_| texts.iter().map(one).collect(),
        |all| all.into_iter().map(Some).collect(),
    )
}

/// Puts the vectors of what is compared into an input that no database knows; the preview's way.
pub fn with_meanings(
    input: &mut Input,
    model: &dyn Embedder,
) -> std::result::Result<(), dream::meaning::EmbedError> {
    let wanted = dream::wanted(input);
    for (text, vector) in wanted.iter().zip(model.embed(&wanted)?) {
        input.vectors.put(text.clone(), vector);
    }
    Ok(())
}

fn name(model: &dyn Embedder, text: &str) -> String {
    sha256_hex(format!("{}\0{text}", model.name()).as_bytes())
}
