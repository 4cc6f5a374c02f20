//! Reads a session once and keeps what findings need of it: its *features*. They are small, hold no
//! transcript, and say by event and byte range where everything is, so that a dream over a long
//! history loads features only and each session is read one time. What the agent was told (its
//! system prompt, its own memory) is kept apart from what happened.

mod acts;
mod amounts;
mod calls;
pub mod command;
pub mod dates;
mod mentions;
mod other_languages;
mod phrases;
mod rule_words;
mod rules;
mod ruling;
mod salient;
mod sentence;
pub mod signature;
pub mod spans;
pub mod standing;
mod values;
mod words;

use std::collections::{BTreeSet, HashMap};

use domain::{event::EventKind, statement::statements};
use serde::{Deserialize, Serialize};

pub use acts::{Act, First, edits_files, is_plain_name, only_looks};
pub use amounts::{Amount, digits_of, is_alike, same_value, with_unit};
pub use mentions::Mention;
pub use rule_words::COMMANDS;
pub use rules::{LEAST_LIKELY, Rule, unquoted, without_opening};
pub use ruling::{is_for_good, may_stand};
pub use salient::says_nothing;
pub use sentence::plain as plain_words;
pub use values::{Stated, root, stated_in};

use crate::{
    curation::similar,
    types::{Seen, Session},
};

/// The form of the features. Stored ones of another version are read from the session again.
pub const VERSION: i64 = 7;
/// Statements of what an agent was told that are remembered of one session.
const MOST_TOLD: usize = 2_000;
/// System prompts whose statements are kept at hand while many sessions are read.
const PROMPTS_AT_HAND: usize = 64;
/// Tools that give back what an agent itself, or Lucid, remembered.
const MEMORY_TOOLS: &[&str] = &["memory", "memories", "recall", "briefing", "remember"];

/// A place in a session's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Index of the event.
    pub event: usize,
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// The features of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// How many events it has.
    pub events: usize,
    pub answers: usize,
    /// Those that are errors.
    pub failed: usize,
    /// Tools in the order of their first calls, with where those are.
    pub firsts: Vec<First>,
    /// The tool of the last call; of a shell, the program.
    pub last: Option<String>,
    /// Calls that change something outside, in order.
    pub acts: Vec<Act>,
    /// Answers that are errors.
    pub errors: Vec<ToolError>,
    pub rules: Vec<Rule>,
    /// Statements that hold a value.
    pub stated: Vec<Stated>,
    /// What people said that names a value.
    #[serde(default)]
    pub mentions: Vec<Mention>,
    /// Hashes of the statements that the agent was told by its system prompt or its own memory,
    /// ascending.
    pub told: Vec<u64>,
    /// Hashes of the content words of the first request, ascending.
    pub request: Vec<u64>,
}

/// An answer that is an error, and what was tried next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolError {
    pub tool: String,
    /// Of a shell, the program that failed, with its verb (`npm ci`).
    pub program: Option<String>,
    /// The line that says what failed, with all that varies masked.
    pub signature: String,
    /// What each mask of the signature covers; empty where that is long or personal.
    pub masked: Vec<String>,
    pub at: Place,
    pub next: Option<Next>,
}

/// The next try after an error: the next call of the same tool, or of the same program; for a
/// shell, else the next command that worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Next {
    /// Arguments that are different, by name.
    pub changed: Vec<Changed>,
    /// What was called in between with success, each once, in order of names.
    pub between: Vec<Between>,
    /// Of a shell, the command line that was run in place of the failed one.
    pub command: Option<Changed>,
    pub worked: bool,
    pub at: Place,
    pub call: Option<Place>,
}

/// An argument before and after.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Changed {
    pub name: String,
    /// What it was; none if it was left out, empty where it is long or personal.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A call between a failure and the next try.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Between {
    pub tool: String,
    /// Of a shell, the command line.
    pub command: Option<String>,
    pub call: Option<Place>,
}

/// Reads sessions. Keeps the statements of the last system prompts at hand, which are mostly the
/// same.
#[derive(Debug, Default)]
pub struct Reader {
    prompts: HashMap<u64, Vec<u64>>,
}

impl Reader {
    /// The features of a session, in one pass over its events.
    pub fn read(&mut self, session: &Session) -> Features {
        let calls = calls::of(session);
        let (firsts, last) = acts::firsts(session);
        let mut told = BTreeSet::new();
        for event in &session.events {
            let own = event.kind == EventKind::ToolResult
                && event.tool.as_deref().is_some_and(is_memory_tool);
            if (event.kind == EventKind::System || own) && told.len() < MOST_TOLD {
                told.extend(self.statements_of(&event.text));
            }
        }
        Features {
            events: session.events.len(),
            answers: calls.len(),
            failed: calls.iter().filter(|c| c.is_error).count(),
            firsts,
            last,
            acts: acts::of(session),
            errors: calls::errors(&calls),
            rules: rules::of(session),
            stated: values::of(session),
            mentions: mentions::of(session),
            told: told.into_iter().take(MOST_TOLD).collect(),
            request: request(session),
        }
    }

    /// The session with its features in place of its events.
    pub fn see(&mut self, session: &Session) -> Seen {
        Seen {
            head: session.head.clone(),
            features: self.read(session),
        }
    }

    fn statements_of(&mut self, text: &str) -> Vec<u64> {
        let name = hash(text.as_bytes());
        if let Some(known) = self.prompts.get(&name) {
            return known.clone();
        }
        let said: Vec<u64> = statements(text)
            .iter()
            .take(MOST_TOLD)
            .filter_map(|s| statement_hash(s))
            .collect();
        if self.prompts.len() >= PROMPTS_AT_HAND {
            self.prompts.clear();
        }
        self.prompts.insert(name, said.clone());
        said
    }
}

/// Returns what of a person's message are their own words: not what they quote, fence or paste.
#[must_use]
pub fn own_words(text: &str) -> String {
    sentence::without_pasted(&unquoted(text)).into_owned()
}

/// True if a tool gives back what was remembered.
pub fn is_memory_tool(tool: &str) -> bool {
    has_part(tool, MEMORY_TOOLS)
}

/// True if a name holds one of these words, in lower case, between its signs: `get_user` holds
/// `get`.
pub fn has_part(name: &str, words: &[&str]) -> bool {
    name.to_ascii_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
        .any(|part| words.contains(&part))
}

/// Returns what statements that say the same have in common, as a hash; none for a statement
/// without words.
pub fn statement_hash(statement: &str) -> Option<u64> {
    let key = similar::key_of(statement);
    (!key.is_empty()).then(|| hash(key.join(" ").as_bytes()))
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo): the same on every machine and in every version, because it
/// is stored.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The content words of what the user asked first.
fn request(session: &Session) -> Vec<u64> {
    let Some(first) = session.events.iter().find(|e| e.kind == EventKind::User) else {
        return Vec::new();
    };
    let text: String = first.text.chars().take(2_000).collect();
    let words: BTreeSet<u64> = similar::content_words(&text)
        .iter()
        .map(|w| hash(w.as_bytes()))
        .collect();
    words.into_iter().take(64).collect()
}
