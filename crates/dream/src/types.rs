//! What goes into a dream and what comes out of it.

use std::collections::BTreeSet;

use domain::{
    canonical::sha256_hex,
    changeset::{ChangeKind, RejectCode},
    event::{EventKind, OutcomeResult},
};
use serde::Serialize;

use crate::{curation::loss::Loss, curator::Candidate, meaning::Vectors, reading::Features};

/// Everything that a dream may look at.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// The sessions of the window.
    pub sessions: Vec<Seen>,
    /// The memories of the store.
    pub memories: Vec<Memory>,
    /// What was proposed before and still counts.
    pub known: Vec<Known>,
    /// Paths that open changes would write new memories to.
    pub taken_paths: Vec<String>,
    /// What a model proposed, with its quotes found.
    pub candidates: Vec<Candidate>,
    /// Instructions of the person who asked for the dream.
    pub instructions: Option<String>,
    /// Every session was dreamed over before: what was said of them stands.
    pub nothing_new: bool,
    /// Vectors of the texts that [`crate::wanted`] names; empty without a sentence model.
    pub vectors: Vectors,
    /// What dreams have lost of this store in the last 30 days, and what waits would lose.
    pub lost_recently: Loss,
    /// An admin has opened a clean-up: how much may be lost holds nothing back.
    pub clean_up: bool,
    /// What people answered lately about statements that are near in meaning.
    pub taught: Vec<Taught>,
}

/// The facts about a session besides its events. Every field but the key may be unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Unique among the sessions; decides the order.
    pub key: String,
    pub agent: Option<String>,
    /// The pseudonymous end user.
    pub subject: Option<String>,
    pub task: Option<String>,
    pub outcome: OutcomeResult,
    /// When its last event was, in microseconds since the epoch.
    pub at: Option<i64>,
    /// Through whom it came, each independent of the others, by number. Agent, subject and task are
    /// what these say.
    pub recorders: Vec<u32>,
}

/// A session in the engine's form, to be read.
#[derive(Debug, Clone)]
pub struct Session {
    pub head: Head,
    pub events: Vec<Event>,
}

/// A session that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub head: Head,
    pub features: Features,
}

/// An event in the engine's form.
#[derive(Debug, Clone)]
pub struct Event {
    pub kind: EventKind,
    /// The tool that is called or answers.
    pub tool: Option<String>,
    /// Pairs a call with its answer.
    pub tool_use_id: Option<String>,
    /// True if a tool's answer is an error.
    pub is_error: bool,
    pub text: String,
}

/// A memory in the engine's form.
#[derive(Debug, Clone)]
pub struct Memory {
    pub path: String,
    pub content: String,
    /// Only a person may change it.
    pub frozen: bool,
    /// A person wrote what it says.
    pub by_person: bool,
    /// When it was last written, in microseconds since the epoch; unknown for a folder of files.
    pub updated_at: Option<i64>,
    /// How often agents read it in the last 30 days; unknown where nobody records what is read.
    pub reads: Option<usize>,
}

impl Memory {
    /// True if it belongs to the whole team: not below `/people`. Models neither see nor change a
    /// person's own notes.
    pub(crate) fn is_shared(&self) -> bool {
        !self.path.starts_with("/people/")
    }

    /// A memory of which no more is known than where it is and what it says.
    #[must_use]
    pub fn plain(path: &str, content: &str) -> Self {
        Self {
            path: path.to_owned(),
            content: content.to_owned(),
            frozen: false,
            by_person: false,
            updated_at: None,
            reads: None,
        }
    }
}

/// A finding that was proposed before.
#[derive(Debug, Clone)]
pub struct Known {
    pub fingerprint: String,
    pub state: KnownState,
    /// The memory that is as the change left it; none if it has changed since, or the change
    /// left none.
    pub memory: Option<usize>,
    /// What the engine proposed to write, before anybody edited it.
    pub composed: Option<String>,
    /// The path that its first edit writes to, as last revised; none if that is not known.
    pub path: Option<String>,
}

impl Known {
    /// Something that was proposed before, and what came of it.
    #[must_use]
    pub fn new(fingerprint: &str, state: KnownState) -> Self {
        Self {
            fingerprint: fingerprint.to_owned(),
            state,
            memory: None,
            composed: None,
            path: None,
        }
    }
}

/// The fate of an earlier proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KnownState {
    Waiting,
    Committed,
    /// It was rejected, with this many distinct subjects, tasks or sessions behind it.
    Rejected(RejectCode, usize),
    /// Somebody answered the question that it was, with this many behind it; for good, or until
    /// there are twice as many.
    Answered {
        /// It is not asked again.
        for_good: bool,
        /// Distinct subjects, tasks or sessions behind it then.
        support: usize,
    },
}

impl Known {
    /// True if this is the finding.
    pub(crate) fn is(&self, finding: &Finding) -> bool {
        finding.is_known_by(&self.fingerprint)
    }

    /// Why the finding is not proposed again, or `None` if it may come back (rule 12).
    pub(crate) fn holds_back(&self, support: &Support) -> Option<String> {
        match &self.state {
            KnownState::Waiting | KnownState::Committed => None,
            KnownState::Answered {
                for_good,
                support: before,
            } => {
                let returns = !for_good && support.distinct() >= before.saturating_mul(2).max(1);
                (!returns).then(|| "somebody answered this question".to_owned())
            }
            KnownState::Rejected(code, before) => {
                let returns = match code {
                    RejectCode::Never
                    | RejectCode::AlreadyInInstructions
                    | RejectCode::FixToolOrPrompt => false,
                    RejectCode::OneCustomer => {
                        support.subjects >= 2 && support.distinct() > *before
                    }
                    RejectCode::NotYet | RejectCode::WrongPlace | RejectCode::Wording => {
                        support.distinct() >= before.saturating_mul(2).max(1)
                    }
                };
                (!returns).then(|| {
                    format!(
                        "it was rejected ({code}) when {before} backed it; now {} do",
                        support.distinct()
                    )
                })
            }
        }
    }
}

/// How far a dream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Progress {
    pub sessions_done: usize,
    pub sessions: usize,
}

/// The result of a dream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Every finding, best supported first; those with the disposition `Proposed` become changes.
    pub findings: Vec<Finding>,
    /// Statements that are alike, for a person to look at; nothing follows from them by itself.
    pub questions: Vec<Question>,
    /// How each failure went on about which a note is in the memory.
    pub noted: Vec<NotedFailure>,
    pub stats: Stats,
}

/// A recurring failure about which a note is in the memory, and the sessions, by their place in the
/// input, that it may have met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedFailure {
    /// What the finding behind the note is known by.
    pub fingerprint: String,
    /// Sessions that used the tool.
    pub used: BTreeSet<usize>,
    /// Those among them that met the failure.
    pub met: BTreeSet<usize>,
}

/// The question about two statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuestionKind {
    /// They say different things of the same.
    Contradiction,
    /// They are alike, and not the same.
    Similar,
}

/// Two statements that a person should look at together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    pub kind: QuestionKind,
    /// Where they are: indices into the input's memories.
    pub memories: [usize; 2],
    pub statements: [String; 2],
    /// In one line, masked.
    pub title: String,
    /// How near they are in meaning, in thousandths of a cosine, where that is why they are asked
    /// about.
    pub near: Option<i32>,
}

/// An answer about two statements that were asked about because they are near in meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taught {
    pub kind: QuestionKind,
    /// How near they are, in thousandths of a cosine.
    pub near: i32,
    /// One of them had to go: it was worth asking.
    pub worth: bool,
}

impl Question {
    /// Returns what it is known by across dreams.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let kind = match self.kind {
            QuestionKind::Contradiction => "contradiction",
            QuestionKind::Similar => "similar_statements",
        };
        sha256_hex(format!("{kind}\0{}\0{}", self.statements[0], self.statements[1]).as_bytes())
    }
}

/// The counts of a dream.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Sessions in the window.
    pub sessions: usize,
    pub events: usize,
    /// Memories in the store.
    pub memories: usize,
    pub answers: usize,
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
    /// Findings that are for people to know and no memory.
    pub insights: usize,
    /// Failures that recur and that nobody found a way out of.
    pub open_failures: usize,
    pub failed: usize,
    /// Sessions that failed and in which nothing was found that recurs.
    pub unexplained: usize,
    pub subjects: usize,
    pub tasks: usize,
    /// Statements that dreams have taken out in the last 30 days without a person's approval, and
    /// that what waits would take out.
    pub lost: usize,
    /// Statements that may go in that way.
    pub may_lose: usize,
    /// A clean-up is open, in which more may go.
    pub clean_up: bool,
}

/// How much backs a finding, counted by the engine and never claimed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Support {
    pub sessions: usize,
    /// Distinct end users, where known.
    pub subjects: usize,
    /// Distinct tasks, where known.
    pub tasks: usize,
    /// How often it was seen.
    pub occurrences: usize,
    /// Independent recorders through whom these sessions came.
    #[serde(skip)]
    pub recorders: usize,
    /// Sessions in which it could have been seen.
    #[serde(skip)]
    pub eligible: usize,
    /// Distinct subjects; among sessions of unknown subject distinct tasks; among those of unknown
    /// task, too, sessions: the largest of the three, so that more evidence never counts less.
    #[serde(skip)]
    pub(crate) known_apart: usize,
}

impl Support {
    /// Independent backers: distinct users, else tasks, else sessions (rule 9). For what was found
    /// in no session, how often it was seen.
    #[must_use]
    pub const fn distinct(&self) -> usize {
        if self.sessions == 0 {
            self.occurrences
        } else {
            self.known_apart
        }
    }
}

/// The fate of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    /// It becomes a change.
    Proposed,
    /// A change that came of it earlier still waits for a decision.
    Waits,
    /// It does not, and why.
    HeldBack(String),
    /// It is for people to know, and why it is no memory.
    Insight(String),
    /// A failure that recurs and that nobody found a way out of: a person may know one.
    Open,
}

/// Something that a dream saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub kind: &'static str,
    /// What it is known by across dreams: a SHA-256, hexadecimal.
    pub fingerprint: String,
    /// What else it may have been known by, when less had been seen of it.
    pub aliases: Vec<String>,
    pub title: String,
    pub support: Support,
    pub disposition: Disposition,
    /// The change that it would make.
    pub change: Option<Change>,
    /// Quotes for it, where it makes no change.
    pub evidence: Vec<Quote>,
    /// Who found it, each by itself: `builtin`, or a model's name.
    pub found_by: Vec<String>,
    /// The statement of a memory that it asks about.
    pub asks: Option<Asks>,
}

/// A question whether a statement of a memory still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asks {
    /// Index into the input's memories.
    pub memory: usize,
    pub statement: String,
    /// What it would say instead; none if it would go.
    pub new: Option<String>,
}

/// The name of the engine that needs no model, as a finder.
pub const BUILTIN: &str = "builtin";

impl Finding {
    /// True if this is what it is known by, now or when less had been seen of it.
    #[must_use]
    pub fn is_known_by(&self, fingerprint: &str) -> bool {
        self.fingerprint == fingerprint || self.aliases.iter().any(|a| a == fingerprint)
    }

    /// A finding that nobody has judged yet.
    pub(crate) fn new(kind: &'static str, name: &str, title: String, support: Support) -> Self {
        let fingerprint = fingerprint(kind, name);
        Self {
            kind,
            fingerprint,
            aliases: Vec::new(),
            title,
            support,
            disposition: Disposition::Proposed,
            change: None,
            evidence: Vec::new(),
            found_by: vec![BUILTIN.to_owned()],
            asks: None,
        }
    }

    /// The same, held back.
    pub(crate) fn held_back(mut self, reason: impl Into<String>) -> Self {
        self.disposition = Disposition::HeldBack(reason.into());
        self
    }

    /// The same, for people to know.
    pub(crate) fn insight(mut self, reason: impl Into<String>) -> Self {
        self.disposition = Disposition::Insight(reason.into());
        self
    }

    /// The same, as a failure that nobody found a way out of.
    pub(crate) fn open(mut self) -> Self {
        self.disposition = Disposition::Open;
        self
    }

    /// True if it becomes a change.
    #[must_use]
    pub fn is_proposed(&self) -> bool {
        self.disposition == Disposition::Proposed && self.change.is_some()
    }
}

/// Returns what a finding of this kind and name is known by.
pub(crate) fn fingerprint(kind: &str, name: &str) -> String {
    sha256_hex(format!("{kind}\0{name}").as_bytes())
}

/// A change that is proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub kind: ChangeKind,
    /// Why, with the counts, for the reviewer.
    pub rationale: String,
    /// How sure the engine is, in basis points.
    pub confidence_bp: i64,
    /// The content repeats words that only a tool said.
    pub tool_text: bool,
    pub edits: Vec<Edit>,
    /// Quotes for and against.
    pub quotes: Vec<Quote>,
    /// Edits that lose nothing, in place of these where no more may be lost.
    pub gentle: Option<Vec<Edit>>,
}

/// An edit, by index of the memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Index into the input's memories; none for a new one.
    pub memory: Option<usize>,
    pub path: String,
    pub new_path: Option<String>,
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
    /// True if it speaks against the change.
    pub counter: bool,
}
