//! How a language model is asked: the trait that clients of models implement, and the words of a
//! request and an answer. What is asked and what becomes of it is in [`crate::curator`].

use std::{future::Future, pin::Pin};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The speaker of a turn in a conversation with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    User,
    Assistant,
}

/// A request to a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ask {
    pub system: String,
    /// The conversation, ours first.
    pub turns: Vec<(Role, String)>,
    /// JSON schema of the answer, an object.
    pub schema: Value,
    /// Most tokens of the answer.
    pub max_tokens: u32,
}

/// Tokens that an answer took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens of what was asked.
    pub input: u64,
    /// Tokens of the answer.
    pub output: u64,
}

impl Usage {
    /// The sum of the tokens of both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            input: self.input + other.input,
            output: self.output + other.output,
        }
    }

    /// The number of tokens that were read and written.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.input + self.output
    }
}

/// The answer of a model: text that should be the JSON asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub text: String,
    pub usage: Usage,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// Trying again later may help; it was tried until its deadline.
    #[error("the model could not be reached in time: {0}")]
    Unreachable(String),
    /// The model's server refuses; trying again does not help.
    #[error("the model's server refused: {0}")]
    Refused(String),
    /// The model's server refuses this request, perhaps not another one: it is too large, or of a
    /// form that it does not take.
    #[error("the model's server refused one request: {0}")]
    Unfit(String),
    /// What came back is not an answer.
    #[error("the model's server answered with what is no answer: {0}")]
    Nonsense(String),
}

/// A model that can be asked.
pub trait Model: Send + Sync {
    /// Its name, as `anthropic/claude-..`.
    fn name(&self) -> String;
    /// Asks it, with retries, until a deadline.
    fn ask<'a>(
        &'a self,
        ask: &'a Ask,
    ) -> Pin<Box<dyn Future<Output = Result<Answer, Failed>> + Send + 'a>>;
}
