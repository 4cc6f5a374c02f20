//! What goes into a dream and what comes out of it.

use domain::{
    changeset::{ChangeKind, RejectCode},
    event::{EventKind, OutcomeResult},
};
use serde::Serialize;

use crate::loss::Loss;

/// Everything that a dream may look at.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// The sessions of the window.
    pub sessions: Vec<Session>,
    /// The memories of the store.
    pub memories: Vec<Memory>,
    /// What was proposed before and still counts.
    pub known: Vec<Known>,
    /// Paths that open changes would write new memories to.
    pub taken_paths: Vec<String>,
    /// What dreams have lost of this store in the last 30 days, and what waits would lose.
    pub lost_recently: Loss,
}

/// A session in the engine's form.
#[derive(Debug, Clone)]
pub struct Session {
    /// Unique among the sessions; decides the order.
    pub key: String,
    /// Which agent worked.
    pub agent: Option<String>,
    /// The pseudonymous end user.
    pub subject: Option<String>,
    /// What the task was.
    pub task: Option<String>,
    /// How it ended.
    pub outcome: OutcomeResult,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// An event in the engine's form.
#[derive(Debug, Clone)]
pub struct Event {
    /// What it is.
    pub kind: EventKind,
    /// The tool that is called or answers.
    pub tool: Option<String>,
    /// Pairs a call with its answer.
    pub tool_use_id: Option<String>,
    /// Whether a tool's answer is an error.
    pub is_error: bool,
    /// The normalised text.
    pub text: String,
}

/// A memory in the engine's form.
#[derive(Debug, Clone)]
pub struct Memory {
    /// Where it stands.
    pub path: String,
    /// What it says.
    pub content: String,
    /// Only a person may change it.
    pub frozen: bool,
    /// A person wrote what it says.
    pub by_person: bool,
}

/// A finding that was proposed before.
#[derive(Debug, Clone)]
pub struct Known {
    /// What it is known by.
    pub fingerprint: String,
    /// What came of it.
    pub state: KnownState,
}

/// What came of an earlier proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownState {
    /// It still waits.
    Waiting,
    /// It was committed.
    Committed,
    /// It was rejected, with this many distinct subjects, tasks or sessions behind it.
    Rejected(RejectCode, usize),
}

impl Known {
    /// Why the finding is not proposed again, or `None` if it may come back (rule 10).
    pub(crate) fn holds_back(&self, support: &Support) -> Option<String> {
        match &self.state {
            KnownState::Waiting => Some("the same already waits for a decision".to_owned()),
            KnownState::Committed => Some("the same was already committed".to_owned()),
            KnownState::Rejected(code, before) => {
                let returns = match code {
                    RejectCode::Never | RejectCode::AlreadyInInstructions | RejectCode::FixToolOrPrompt => false,
                    RejectCode::OneCustomer => support.subjects >= 2 && support.distinct() > *before,
                    RejectCode::NotYet | RejectCode::WrongPlace | RejectCode::Wording => {
                        support.distinct() >= before.saturating_mul(2).max(1)
                    }
                };
                (!returns).then(|| format!("it was rejected ({code}) when {before} backed it; now {} do", support.distinct()))
            }
        }
    }
}

/// How far a dream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Sessions read.
    pub sessions_done: usize,
    /// Sessions to read.
    pub sessions: usize,
}

/// What a dream found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Every finding, best supported first; those with the disposition `Proposed` become changes.
    pub findings: Vec<Finding>,
    /// Statements that are alike, for a person to look at; nothing follows from them by itself.
    pub questions: Vec<Question>,
    /// What was counted.
    pub stats: Stats,
}

/// Two statements that are alike and not the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Where they stand: indices into the input's memories.
    pub memories: [usize; 2],
    /// What they say.
    pub statements: [String; 2],
    /// In one line, masked.
    pub title: String,
}

/// What a dream counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Sessions in the window.
    pub sessions: usize,
    /// Their events.
    pub events: usize,
    /// Memories in the store.
    pub memories: usize,
    /// Tool answers that are errors.
    pub tool_errors: usize,
    /// Distinct signatures of errors.
    pub signatures: usize,
    /// Steps and orders of steps that were held against outcomes.
    pub steps_tried: usize,
    /// Findings that are proposed.
    pub proposed: usize,
    /// Findings that are held back.
    pub held_back: usize,
}

/// How much backs a finding, counted by the engine and never claimed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Support {
    /// Distinct sessions.
    pub sessions: usize,
    /// Distinct end users, where known.
    pub subjects: usize,
    /// Distinct tasks, where known.
    pub tasks: usize,
    /// How often it was seen.
    pub occurrences: usize,
    /// Sessions in which it could have been seen.
    #[serde(skip)]
    pub eligible: usize,
}

impl Support {
    /// Distinct subjects; where none is known, distinct tasks; where none is known either, sessions (rule 7); for what was
    /// found in no session, how often it was seen.
    #[must_use]
    pub fn distinct(&self) -> usize {
        match (self.subjects, self.tasks) {
            (0, 0) if self.sessions == 0 => self.occurrences,
            (0, 0) => self.sessions,
            (0, tasks) => tasks,
            (subjects, _) => subjects,
        }
    }
}

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// It becomes a change.
    Proposed,
    /// It does not, and why.
    HeldBack(String),
}

/// Something that a dream saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `recurring_failure`, `workflow`, `standing_instruction`, `exact_duplicate` or `near_duplicate`.
    pub kind: &'static str,
    /// What it is known by across dreams: a SHA-256, hexadecimal.
    pub fingerprint: String,
    /// In one line.
    pub title: String,
    /// What backs it.
    pub support: Support,
    /// What became of it.
    pub disposition: Disposition,
    /// The change that it would make.
    pub change: Option<Change>,
}

impl Finding {
    /// Whether it becomes a change.
    #[must_use]
    pub fn is_proposed(&self) -> bool {
        self.disposition == Disposition::Proposed && self.change.is_some()
    }
}

/// A change that is proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it does.
    pub kind: ChangeKind,
    /// Why, with the counts, for the reviewer.
    pub rationale: String,
    /// How sure the engine is, in basis points.
    pub confidence_bp: i64,
    /// The content repeats words that only a tool said.
    pub tool_text: bool,
    /// Its edits.
    pub edits: Vec<Edit>,
    /// Quotes for and against.
    pub quotes: Vec<Quote>,
}

/// An edit, by index of the memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Index into the input's memories; none for a new one.
    pub memory: Option<usize>,
    /// Where it stands, or will.
    pub path: String,
    /// The content after; none for a removal.
    pub content: Option<String>,
}

/// A verbatim quote, by index of session and event in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// Index into the input's sessions.
    pub session: usize,
    /// Index into the session's events.
    pub event: usize,
    /// First byte of the event's text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Whether it speaks against the change.
    pub counter: bool,
}
