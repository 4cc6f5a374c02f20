//! Sessions and events in the one form that every import format is brought to.
//! An event has one normalised `text`; byte ranges of evidence refer to it and to nothing else.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, text_enum::text_enum};

text_enum! {
    EventKind {
        /// Instructions that the agent was given.
        System => "system",
        User => "user",
        Agent => "agent",
        Thinking => "thinking",
        /// A call of a tool; the text is its arguments as JSON.
        ToolUse => "tool_use",
        ToolResult => "tool_result",
        /// A call of a tool that was refused before it ran; the text says how.
        Denial => "denial",
        /// How the session ended.
        Outcome => "outcome",
        /// Lines of a transcript that could not be read; the text says which, and why.
        Gap => "gap",
        /// A line of a transcript that is kept as it came.
        Raw => "raw",
    }
}

text_enum! {
    /// Whose words an event holds. Only a person's can back a preference, a rule or a fact.
    #[derive(Default)]
    Speaker {
        /// Somebody typed or said it.
        Person => "person",
        /// The agent of the session.
        Agent => "agent",
        Tool => "tool",
        /// The program around the agent: prompts, reminders, hooks, summaries, loaded files. The
        /// agent was told it.
        Harness => "harness",
        /// The agent that gave a sub-agent its task.
        ParentAgent => "parent_agent",
        /// Nothing says whose they are.
        #[default]
        Unknown => "unknown",
    }
}

impl Speaker {
    /// Whose words an event of a kind holds where the transcript says no more than the kind.
    #[must_use]
    pub const fn of(kind: EventKind) -> Self {
        match kind {
            EventKind::User | EventKind::Denial => Self::Person,
            EventKind::Agent | EventKind::Thinking | EventKind::ToolUse => Self::Agent,
            EventKind::ToolResult => Self::Tool,
            EventKind::System | EventKind::Outcome => Self::Harness,
            EventKind::Raw | EventKind::Gap => Self::Unknown,
        }
    }

    /// Its name on pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ParentAgent => "parent agent",
            other => other.as_str(),
        }
    }
}

text_enum! {
    /// The standing of an event in its session: part of what happened, or not.
    #[derive(Default)]
    Standing {
        #[default]
        Live => "live",
        /// It happened in another session, of which this one holds a copy.
        Copied => "copied",
        /// It was on a branch of the conversation that somebody went back from.
        Abandoned => "abandoned",
    }
}

/// Returns what an event counts as when findings are looked for: what was copied or abandoned as
/// nothing, and what is in the user's role but was said by no person as something that the agent
/// was told.
#[must_use]
pub fn counts_as(kind: EventKind, speaker: Speaker, standing: Standing) -> EventKind {
    match (standing, kind, speaker) {
        (Standing::Copied | Standing::Abandoned, ..) => EventKind::Raw,
        (Standing::Live, EventKind::User, Speaker::Person) => EventKind::User,
        (Standing::Live, EventKind::User, _) => EventKind::System,
        (Standing::Live, kind, _) => kind,
    }
}

text_enum! {
    /// How a session ended.
    #[derive(Default)]
    OutcomeResult {
        /// The task was done.
        Success => "success",
        /// The task was not done.
        Failure => "failure",
        #[default]
        Unknown => "unknown",
    }
}

text_enum! {
    /// The source of a session's outcome.
    #[derive(Default)]
    OutcomeSource {
        /// The person who recorded it, or the transcript itself.
        #[default]
        Stated => "stated",
        /// The pull request of its work was merged or closed.
        PullRequest => "pull_request",
        /// A person's thumbs in an export.
        Feedback => "feedback",
        /// The tests or builds that it ran last.
        Checks => "checks",
        /// The person said at the end that it worked.
        Claimed => "claimed",
    }
}

impl OutcomeSource {
    /// How far it is believed: an outcome stands over those that are believed no more.
    #[must_use]
    pub const fn weight(self) -> u8 {
        match self {
            Self::Stated | Self::PullRequest => 3,
            Self::Feedback => 2,
            Self::Checks => 1,
            Self::Claimed => 0,
        }
    }

    /// True if conclusions may be drawn from it.
    #[must_use]
    pub const fn decides(self) -> bool {
        !matches!(self, Self::Claimed)
    }
}

/// An event as an import reads it, before it has an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The source's own id of the event.
    pub external_id: Option<String>,
    pub kind: EventKind,
    /// Whose words it holds.
    #[serde(default)]
    pub speaker: Speaker,
    /// The sub-agent in whose conversation it stands; none in the session's own.
    #[serde(default)]
    pub thread: Option<String>,
    /// Tells whether it is part of what happened in its session.
    #[serde(default)]
    pub standing: Standing,
    /// The session that it was copied from, as the source or Lucid calls it.
    #[serde(default)]
    pub copied_from: Option<String>,
    /// The tool that is called or answers.
    pub tool: Option<String>,
    /// Pairs a call with its answer.
    pub tool_use_id: Option<String>,
    /// True if a tool's answer is an error.
    pub is_error: bool,
    pub text: String,
    /// When it happened, if known.
    pub occurred_at: Option<Timestamp>,
    /// The source's own JSON, as it came.
    pub raw: String,
}

impl Event {
    /// An event of a kind of which no more is known than what it says.
    #[must_use]
    pub fn new(kind: EventKind, text: String) -> Self {
        Self {
            external_id: None,
            kind,
            speaker: Speaker::of(kind),
            thread: None,
            standing: Standing::Live,
            copied_from: None,
            tool: None,
            tool_use_id: None,
            is_error: false,
            text,
            occurred_at: None,
            raw: String::new(),
        }
    }

    /// This event with another kind, and the speaker that is usual for that kind.
    #[must_use]
    pub fn of_kind(self, kind: EventKind) -> Self {
        Self {
            kind,
            speaker: Speaker::of(kind),
            ..self
        }
    }

    /// The same with another speaker.
    #[must_use]
    pub fn by(self, speaker: Speaker) -> Self {
        Self { speaker, ..self }
    }
}

/// How a session ended, with an optional score from 0 to 1,000,000 (millionths), and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Success, failure or unknown.
    pub result: OutcomeResult,
    pub score: Option<i64>,
    #[serde(default)]
    pub source: OutcomeSource,
}

impl Outcome {
    /// A stated outcome without a score.
    #[must_use]
    pub const fn stated(result: OutcomeResult) -> Self {
        Self {
            result,
            score: None,
            source: OutcomeSource::Stated,
        }
    }

    /// Returns what it says as far as conclusions may be drawn from it: of a claim, nothing.
    #[must_use]
    pub const fn decided(self) -> OutcomeResult {
        if self.source.decides() {
            self.result
        } else {
            OutcomeResult::Unknown
        }
    }

    /// The outcome that a reward means: 1 and above is a success, anything below a failure
    /// (tau-bench's convention: 1 only if the end state is right).
    #[must_use]
    pub fn from_reward(reward: f64) -> Self {
        let result = if reward >= 1.0 {
            OutcomeResult::Success
        } else {
            OutcomeResult::Failure
        };
        #[expect(clippy::cast_possible_truncation, reason = "clamped to 0..=1 before")]
        let score = reward
            .is_finite()
            .then(|| (reward.clamp(0.0, 1.0) * 1_000_000.0) as i64);
        Self {
            result,
            score,
            source: OutcomeSource::Stated,
        }
    }
}

/// The facts about a session besides its events. Every field may be unknown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionHead {
    /// The source's own id.
    pub external_id: Option<String>,
    pub agent: Option<String>,
    /// The pseudonymous end user.
    pub subject: Option<String>,
    /// The team it belongs to.
    pub team: Option<String>,
    /// What the task was, the same for every try at it.
    pub task_key: Option<String>,
    /// What else the source said of it.
    pub metadata: serde_json::Map<String, serde_json::Value>,
    pub outcome: Option<Outcome>,
}

/// True if a tool's answer is an error where the source does not say: a text that begins with
/// `Error`, a JSON object with a non-empty `error`, a non-zero exit code (`exit_code`, `exitCode`
/// or `returncode` in a JSON object, or a text whose first or last line is `Exit code N` / `exit
/// status N`), a first line that names an exception (`AccessDenied: ..`, `fatal: ..`), or a Python
/// traceback that ends the text.
#[must_use]
pub fn looks_like_error(text: &str) -> bool {
    let text = text.trim();
    if text
        .get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("error"))
    {
        return !text[5..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    }
    if text.starts_with('{') {
        return serde_json::from_str::<Ended>(text).is_ok_and(|ended| ended.is_error());
    }
    let mut lines = text.lines();
    let (first, last) = (lines.next(), lines.next_back());
    if first.into_iter().chain(last).any(names_failed_exit)
        || first.is_some_and(|line| names_an_exception(line) || is_fatal(line))
    {
        return true;
    }
    let ends_in_exception = || {
        last.or(first)
            .is_some_and(|line| names_an_exception(line) || is_exception_name(line))
    };
    text.lines().any(|line| line.trim_end() == TRACEBACK) && ends_in_exception()
}

/// How a Python traceback begins.
const TRACEBACK: &str = "Traceback (most recent call last):";
/// How names of exceptions and of a service's refusals end.
const EXCEPTIONS: &[&str] = &[
    "Error",
    "Exception",
    "Denied",
    "Failure",
    "Fault",
    "Timeout",
    "TimedOut",
    "Refused",
    "Forbidden",
    "NotFound",
    "Unauthorized",
    "Exceeded",
    "Interrupt",
    "Throttled",
    "Throttling",
    "Conflict",
];

/// True if a line begins with the name of an exception and a colon: `ValueError: ..`,
/// `AccessDenied: ..`, `botocore.exceptions.ClientError: ..`.
#[must_use]
pub fn names_an_exception(line: &str) -> bool {
    line.split_once(": ")
        .is_some_and(|(name, said)| is_exception_name(name) && !said.trim().is_empty())
}

fn is_exception_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    name.len() <= 120
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
        && last.starts_with(|c: char| c.is_ascii_uppercase())
        // "Timeout: 30" may be a setting; "ReadTimeout: .." is none.
        && EXCEPTIONS.iter().any(|e| last.len() > e.len() && last.ends_with(e))
}

fn is_fatal(line: &str) -> bool {
    line.get(..6)
        .is_some_and(|start| start.eq_ignore_ascii_case("fatal:"))
        && line.len() > 7
}

/// The part of a tool's answer that says how it ended; the rest, which may be long, is not kept.
#[derive(Deserialize)]
struct Ended {
    exit_code: Option<serde_json::Value>,
    #[serde(rename = "exitCode")]
    exit_code_camel: Option<serde_json::Value>,
    returncode: Option<serde_json::Value>,
    error: Option<serde_json::Value>,
}

impl Ended {
    fn is_error(&self) -> bool {
        use serde_json::Value;
        let codes = [&self.exit_code, &self.exit_code_camel, &self.returncode];
        codes
            .into_iter()
            .flatten()
            .any(|code| code.as_i64().is_some_and(|n| n != 0))
            || match &self.error {
                Some(Value::String(s)) => !s.trim().is_empty(),
                Some(Value::Object(o)) => !o.is_empty(),
                Some(Value::Array(a)) => !a.is_empty(),
                Some(Value::Bool(b)) => *b,
                Some(Value::Number(n)) => n.as_f64() != Some(0.0),
                Some(Value::Null) | None => false,
            }
    }
}

fn names_failed_exit(line: &str) -> bool {
    let line = line.trim().to_ascii_lowercase();
    ["exit code", "exit status"].iter().any(|cue| {
        line.strip_prefix(cue).is_some_and(|rest| {
            let digits: String = rest
                .trim_start_matches([':', ' ', '='])
                .chars()
                .take_while(char::is_ascii_digit)
                .collect();
            digits.parse::<i64>().is_ok_and(|code| code != 0)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_cues_and_no_others() {
        for error in [
            "Error: payment amount does not add up",
            "  error",
            r#"{"error":"no such file"}"#,
            r#"{"error":{"code":3}}"#,
            r#"{"exit_code":2,"output":""}"#,
            "Exit code 1\nmake: *** failed",
            "some output\nexit status 127",
            "AccessDenied: User etl is not authorized to perform s3:PutObject",
            "botocore.exceptions.ClientError: An error occurred",
            "Traceback (most recent call last):\n  File \"a.py\", line 1\nKeyError: 'id'",
            "loading\nTraceback (most recent call last):\n  File \"a.py\", line \
             1\nKeyboardInterrupt",
            "fatal: not a git repository",
        ] {
            assert!(looks_like_error(error), "{error:?}");
        }
        for fine in [
            "errors_total 0",
            "Errors: none were found",
            r#"{"error":""}"#,
            r#"{"error":null,"ok":true}"#,
            r#"{"exit_code":0}"#,
            "Exit code 0",
            "the word Error inside",
            "Terrorist: a film of 1978",
            "a log with\nTraceback (most recent call last):\nKeyError: 'id'\nand 40 lines after it",
            "Note: ValueError is raised",
            "Timeout: 30",
            "fatal:",
            "",
            "{not json",
        ] {
            assert!(!looks_like_error(fine), "{fine:?}");
        }
    }

    #[test]
    fn rewards() {
        assert_eq!(
            Outcome::from_reward(1.0),
            Outcome {
                score: Some(1_000_000),
                ..Outcome::stated(OutcomeResult::Success)
            }
        );
        assert_eq!(Outcome::from_reward(0.0).result, OutcomeResult::Failure);
        assert_eq!(
            Outcome::from_reward(f64::NAN),
            Outcome::stated(OutcomeResult::Failure)
        );
    }
}
