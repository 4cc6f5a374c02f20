//! A language model as a curator. It reads in three passes, and each one asks for less than a
//! person would have to trust:
//!
//! 1. [`observe`]: of each session by itself, what is worth knowing, with verbatim quotes;
//! 2. [`curate`]: of all observations together, beside the memory, which changes follow from them;
//! 3. [`verify`]: of each change, whether its quotes show what it says.
//!
//! What it answers is text and is trusted by nobody: `findings::candidates` makes changes of it
//! under the same checks as everything else, and counts by itself. The prompts are in `prompts/`;
//! `tests/prompts` holds whole requests.

mod answer;
pub mod curate;
pub mod observe;
pub mod verify;

use domain::canonical::sha256_hex;
use serde::{Deserialize, Serialize};

pub use answer::{Item, Lost, items};

use crate::reading::Place;

/// Most tokens of an answer: thirty observations with their quotes, or twenty changes, and room to
/// think first.
pub const ANSWER_TOKENS: u32 = 8_192;

const PROMPTS: [&str; 3] = [
    include_str!("prompts/observe.md"),
    include_str!("prompts/curate.md"),
    include_str!("prompts/verify.md"),
];

/// Which prompts these are: answers to others are not taken for answers to these.
#[must_use]
pub fn prompts_version() -> String {
    sha256_hex(PROMPTS.join("\0").as_bytes())[..12].to_owned()
}

/// The subject of an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Topic {
    Preference,
    Fact,
    /// A tool that fails, and the way out.
    Failure,
    /// A way of working on which success depended.
    Workflow,
}

impl Topic {
    /// The folder of its notes.
    pub(crate) const fn folder(self) -> &'static str {
        match self {
            Self::Failure => "failures",
            Self::Workflow => "workflows",
            Self::Preference => "preferences",
            Self::Fact => "facts",
        }
    }
}

/// The speaker of a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    Person,
    /// A tool, in its answer.
    Tool,
    /// The agent, in a call.
    Call,
    /// The agent, in words.
    Agent,
}

/// The effect that a model proposes on the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Add,
    /// Other or more lines in one.
    Update,
    Merge,
    Move,
    Remove,
}

/// A verbatim quote from a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    pub session: String,
    /// Where; in the event's own text.
    pub at: Place,
    pub text: String,
    pub by: Speaker,
}

/// An observation about a session in a model's words, with at least one quote that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    pub topic: Topic,
    pub statement: String,
    /// All of one session.
    pub quotes: Vec<Found>,
}

impl Observation {
    /// The key of its session.
    #[must_use]
    pub fn session(&self) -> &str {
        self.quotes.first().map_or("", |q| q.session.as_str())
    }
}

/// A change that a model proposes, with the quotes of the observations that it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub model: String,
    pub action: Action,
    pub topic: Topic,
    pub title: String,
    /// The lines that it would write.
    pub statements: Vec<String>,
    /// Paths of the notes that it is about.
    pub targets: Vec<String>,
    /// Lines of these that would go.
    pub replaces: Vec<String>,
    pub new_path: Option<String>,
    /// Why, in one line.
    pub reason: String,
    pub quotes: Vec<Found>,
    pub second: Second,
}

/// The result of a second reading of a change.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Second {
    /// There was none, or nothing came of it.
    #[default]
    None,
    /// The quotes show all of it.
    Entailed,
    /// They show most of it; and what not.
    Partly(String),
    /// They do not show it; and why.
    Not(String),
}

/// Thoughts before an answer, and the longest one in characters. Small models find no end by
/// themselves, and servers that hold a model to a grammar (llama.cpp) take no text of a thousand
/// characters.
const THOUGHTS: (usize, usize) = (10, 240);

/// A schema's text of at most so many characters.
fn text(most: usize) -> serde_json::Value {
    serde_json::json!({"type": "string", "maxLength": most})
}

/// A schema's list of at most so many.
fn list(of: serde_json::Value, most: usize) -> serde_json::Value {
    serde_json::json!({"type": "array", "maxItems": most, "items": of})
}

/// On one line, with single spaces.
pub(crate) fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text between marks that nothing in it can forge: the mark is made of the text.
pub(crate) fn marked(name: &str, about: &str, text: &str) -> String {
    let mark = &sha256_hex(text.as_bytes())[..32];
    let about = if about.is_empty() {
        String::new()
    } else {
        format!(" {about}")
    };
    format!("<{name} {mark}{about}>\n{text}</{name} {mark}>\n")
}

/// Returns what stands for a user or a task wherever a model sees one: the same in every request,
/// and no name.
pub(crate) fn pseudonym(letter: char, name: &str) -> String {
    format!("{letter}-{}", &sha256_hex(name.as_bytes())[..6])
}

/// Returns what a model is told to do, with what the person who asked for the dream adds.
fn task(prompt: &str, instructions: Option<&str>) -> String {
    match instructions {
        Some(told) => format!(
            "{prompt}\nWhoever asked for this says: {}\n",
            domain::masking::mask(told)
        ),
        None => prompt.to_owned(),
    }
}

#[cfg(test)]
mod tests;
