//! Turns sentences into vectors, on this machine and without a service: a sentence transformer in
//! ONNX form with its tokenizer, as `models/fetch.sh` lays one down. The same folder gives the same
//! vectors, whatever else runs: one thread a sentence, and what comes out is rounded to eight bits.

use std::{
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::Arc,
};

use dream::meaning::{EmbedError, Embedder, Vector};
use rten::{Model, NodeId, RunOptions, ThreadPool, ValueOrView};
use rten_tensor::{NdTensor, Tensor, prelude::*};
use rten_text::Tokenizer;
use sha2::{Digest, Sha256};

/// Most tokens of a sentence that are read; what follows says little more, and costs as much.
const MOST_TOKENS: usize = 128;
/// Longest word that is read, in characters.
const LONGEST_WORD: usize = 32;

/// Why a model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file is missing or cannot be read.
    #[error("{}: {error}. The folder must hold model.onnx and tokenizer.json; models/fetch.sh \
        fetches a small one.", path.display())]
    File {
        path: PathBuf,
        error: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{}: {problem}", path.display())]
    Format { path: PathBuf, problem: String },
}

/// A sentence transformer that was loaded from a file.
pub struct SentenceModel {
    name: String,
    model: Model,
    /// The tokenizer as JSON: taken apart, it cannot be shared between threads.
    tokenizer: String,
    thread: Arc<ThreadPool>,
    inputs: Vec<(Input, NodeId)>,
    output: NodeId,
}

/// An input of the model.
#[derive(Debug, Clone, Copy)]
enum Input {
    Ids,
    Mask,
    Types,
}

impl SentenceModel {
    /// Loads `model.onnx` and `tokenizer.json` from a folder.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read(&path).map_err(|e| LoadError::File { path, error: e })
        };
        let (weights, tokenizer) = (read("model.onnx")?, read("tokenizer.json")?);
        // The name covers both files: vectors of another model are never compared with these.
        let digest = Sha256::new()
            .chain_update(&weights)
            .chain_update(&tokenizer)
            .finalize();
        let bad = |name: &str, what: String| LoadError::Format {
            path: folder.join(name),
            problem: what,
        };
        let tokenizer =
            String::from_utf8(tokenizer).map_err(|e| bad("tokenizer.json", e.to_string()))?;
        Tokenizer::from_json(&tokenizer).map_err(|e| bad("tokenizer.json", e.to_string()))?;
        let model = Model::load(weights).map_err(|e| bad("model.onnx", e.to_string()))?;
        let known = [
            ("input_ids", Input::Ids),
            ("attention_mask", Input::Mask),
            ("token_type_ids", Input::Types),
        ];
        let inputs: Vec<(Input, NodeId)> = known
            .iter()
            .filter_map(|(name, input)| Some((*input, model.find_node(name)?)))
            .collect();
        let output = model
            .output_ids()
            .first()
            .copied()
            .filter(|_| matches!(inputs.first(), Some((Input::Ids, _))));
        let output = output.ok_or_else(|| {
            bad(
                "model.onnx",
                "it is no sentence transformer: it has no input_ids".to_owned(),
            )
        })?;
        let name = format!(
            "{}-{}",
            folder.file_name().unwrap_or_default().to_string_lossy(),
            &hex::encode(digest)[..12]
        );
        let one = Self {
            name,
            model,
            tokenizer,
            thread: Arc::new(ThreadPool::with_num_threads(1)),
            inputs,
            output,
        };
        // What does not work at all is said at the start and not in a dream.
        one.embed(&["It works.".to_owned()])
            .map_err(|e| bad("model.onnx", e.to_string()))?;
        Ok(one)
    }

    fn vector(&self, tokenizer: &Tokenizer, text: &str) -> Result<Vector, EmbedError> {
        let failed = |e: &dyn std::fmt::Display| EmbedError(e.to_string());
        // The tokenizer panics on words of many pieces; where it does so nevertheless, the text has
        // no vector.
        let text = with_short_words(text);
        let encoded = std::panic::catch_unwind(AssertUnwindSafe(|| {
            tokenizer
                .encode(text.as_str(), None)
                .map(|e| e.token_ids().to_vec())
        }));
        let encoded = encoded
            .map_err(|_| failed(&"the tokenizer cannot read it"))?
            .map_err(|e| failed(&e))?;
        let mut ids: Vec<i32> = encoded.into_iter().map(u32::cast_signed).collect();
        if ids.len() > MOST_TOKENS {
            // The last token says that the text ends.
            let end = ids[ids.len() - 1];
            ids.truncate(MOST_TOKENS - 1);
            ids.push(end);
        }
        let count = ids.len();
        let [ids, mask, types] =
            [ids, vec![1; count], vec![0; count]].map(|data| NdTensor::from_data([1, count], data));
        let value = |input: Input| -> ValueOrView {
            match input {
                Input::Ids => ids.view().into(),
                Input::Mask => mask.view().into(),
                Input::Types => types.view().into(),
            }
        };
        let inputs = self
            .inputs
            .iter()
            .map(|(input, node)| (*node, value(*input)))
            .collect();
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.thread)));
        let out = self
            .model
            .run(inputs, &[self.output], Some(options))
            .map_err(|e| failed(&e))?;
        let out: Tensor<f32> = out
            .into_iter()
            .next()
            .and_then(rten::Value::into_tensor)
            .ok_or_else(|| failed(&"no vector came out"))?;
        let width = out
            .shape()
            .last()
            .copied()
            .filter(|width| *width > 0)
            .ok_or_else(|| failed(&"an empty vector came out"))?;
        // One vector for each token, or one for all; the sentence's is their mean.
        let values: Vec<f32> = out.iter().copied().collect();
        let mut sum = vec![0.0_f32; width];
        for token in values.chunks_exact(width) {
            for (all, one) in sum.iter_mut().zip(token) {
                *all += one;
            }
        }
        Vector::of(&sum).ok_or_else(|| failed(&"a vector without a direction came out"))
    }
}

/// The text without words longer than those of any language, which are hashes and the like and mean
/// nothing.
fn with_short_words(text: &str) -> String {
    let short = |word: &&str| {
        word.split(|c: char| !c.is_alphanumeric())
            .all(|run| run.chars().count() <= LONGEST_WORD)
    };
    let kept = text
        .split_whitespace()
        .filter(short)
        .collect::<Vec<_>>()
        .join(" ");
    if kept.is_empty() {
        text.chars().take(LONGEST_WORD).collect()
    } else {
        kept
    }
}

impl Embedder for SentenceModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        let tokenizer =
            Tokenizer::from_json(&self.tokenizer).map_err(|e| EmbedError(e.to_string()))?;
        texts
            .iter()
            .map(|text| self.vector(&tokenizer, text))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> SentenceModel {
        let folder = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../target/models/all-minilm-l6-v2"
        );
        SentenceModel::load(Path::new(folder)).expect("models/fetch.sh fetches it")
    }

    #[test]
    fn what_means_the_same_is_near() {
        let texts = [
            "Keep secrets out of the repo; they belong in Vault.",
            "Secrets live in Vault, not in the repository.",
            "The cafeteria offers vegetarian meals.",
        ]
        .map(str::to_owned);
        let vectors = model().embed(&texts).unwrap();
        let near = vectors[0].cosine(&vectors[1]);
        assert!(near > 750 && vectors[0].cosine(&vectors[2]) < 300, "{near}");
        assert_eq!(vectors, model().embed(&texts).unwrap(), "the same again");
    }

    #[test]
    fn hostile_texts_have_a_vector_or_an_error() {
        let model = model();
        for text in [
            "",
            " ",
            "\u{0}",
            "💥\u{200d}\u{fe0f}",
            "[CLS] [SEP] [MASK]",
            &"ü ".repeat(50_000),
        ] {
            let _ = model.embed(&[text.to_owned()]);
        }
    }

    #[test]
    fn a_folder_without_a_model_says_what_to_do() {
        let error = SentenceModel::load(Path::new("/nowhere"))
            .err()
            .map(|e| e.to_string())
            .unwrap_or_default();
        assert!(
            error.contains("/nowhere/model.onnx") && error.contains("models/fetch.sh"),
            "{error}"
        );
    }
}
