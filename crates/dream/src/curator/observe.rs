//! The first pass: what each session shows by itself.

use std::fmt::Write;

use domain::{Timestamp, event::EventKind, masking::mask};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ANSWER_TOKENS, Found, Item, Observation, Speaker, THOUGHTS, Topic, answer::is_line, folded,
    list, marked, pseudonym, task, text,
};
use crate::{
    model::{Ask, Role},
    reading::{Place, own_words},
    types::Session,
};

/// Characters of an event's beginning and of its end that a model is shown: an error's last line
/// often says the most.
const EVENT_CHARS: (usize, usize) = (1_000, 500);
/// Bytes of a session's beginning and of its end that a model is shown.
const SESSION_BYTES: (usize, usize) = (40_000, 20_000);
/// Bytes of one token, roughly (vendors' rule of thumb for English).
pub const TOKEN_BYTES: usize = 4;
/// Shortest quote, in characters, and in words: what is shorter is everywhere.
const LEAST_QUOTE: (usize, usize) = (12, 2);
/// Quotes of one observation.
const MOST_QUOTES: usize = 3;
/// Places of an event in which a quote is looked for whose white space was folded.
const MOST_PLACES: usize = 10_000;
/// Longest quote, in characters.
const QUOTE_CHARS: usize = 300;
/// Longest statement, in characters.
pub(super) const STATEMENT_CHARS: usize = 240;
/// Most observations of one answer.
const MOST: usize = 30;

/// An observation as a model gives it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Raw {
    /// The label of a session that it was shown.
    pub session: String,
    pub kind: Topic,
    pub statement: String,
    pub quotes: Vec<String>,
}

impl Item for Raw {
    const LIST: &'static str = "observations";
    const MOST: usize = MOST;

    fn wrong(&self) -> Option<&'static str> {
        if !is_line(&self.statement, STATEMENT_CHARS) {
            Some("statement is empty, has several lines or more than 240 characters")
        } else if self.quotes.is_empty() {
            Some("it has no quotes")
        } else {
            None
        }
    }
}

/// Quotes that were not kept, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// They are not in the session.
    pub unfound: usize,
    /// They are too short to prove anything, or too long.
    pub unfit: usize,
    /// They hold personal data or a credential.
    pub personal: usize,
}

/// Sessions that are shown to a model together, by index.
#[must_use]
pub fn batches(sizes: &[usize], tokens: usize) -> Vec<std::ops::Range<usize>> {
    let (mut all, mut start, mut sum) = (Vec::new(), 0, 0);
    for (n, size) in sizes.iter().enumerate() {
        if sum > 0 && sum + size / TOKEN_BYTES > tokens {
            all.push(start..n);
            (start, sum) = (n, 0);
        }
        sum += size / TOKEN_BYTES;
    }
    if start < sizes.len() {
        all.push(start..sizes.len());
    }
    all
}

/// A session as a model is shown it: masked, shortened in its middle, and between marks that
/// nothing in it can forge.
#[must_use]
pub fn shown(label: &str, session: &Session) -> String {
    let lines: Vec<String> = session.events.iter().filter_map(line).collect();
    let mut first = 0;
    let mut bytes = 0;
    while first < lines.len() && bytes + lines[first].len() <= SESSION_BYTES.0 {
        bytes += lines[first].len();
        first += 1;
    }
    let (mut last, mut bytes) = (lines.len(), 0);
    while last > first && bytes + lines[last - 1].len() <= SESSION_BYTES.1 {
        last -= 1;
        bytes += lines[last].len();
    }
    let mut text = lines[..first].concat();
    if last > first {
        let _ = writeln!(text, "({} events are left out here)", last - first);
    }
    text.push_str(&lines[last..].concat());
    let marked = marked("session", &about(session), &text);
    marked.replacen("<session ", &format!("<session {label} "), 1)
}

fn line(event: &crate::types::Event) -> Option<String> {
    let who = match (event.kind, event.is_error) {
        (EventKind::User, _) => "user",
        (EventKind::Agent, _) => "agent",
        (EventKind::ToolUse, _) => "call",
        (EventKind::ToolResult, true) => "error",
        (EventKind::ToolResult, false) => "answer",
        _ => return None,
    };
    let tool = event
        .tool
        .as_deref()
        .map(|t| format!(" {}", plain(t)))
        .unwrap_or_default();
    let said = mask(&event.text);
    let count = said.chars().count();
    let said = if count > EVENT_CHARS.0 + EVENT_CHARS.1 {
        let head: String = said.chars().take(EVENT_CHARS.0).collect();
        let tail: String = said.chars().skip(count - EVENT_CHARS.1).collect();
        format!(
            "{head} (.. {} characters ..) {tail}",
            count - EVENT_CHARS.0 - EVENT_CHARS.1
        )
    } else {
        said
    };
    // Lines after the first are set in, so that no text can begin a line as another speaker.
    Some(format!(
        "{who}{tool}: {}\n",
        said.replace('\r', "").replace('\n', "\n  ")
    ))
}

/// Returns what is known of a session: whose, of which task, by which agent, when, and how it
/// ended.
pub(super) fn about(session: &Session) -> String {
    head(&session.head)
}

/// The same of its head.
pub(super) fn head(head: &crate::types::Head) -> String {
    let mut known = Vec::new();
    known.extend(
        head.subject
            .as_deref()
            .map(|s| format!("user={}", pseudonym('u', s))),
    );
    known.extend(
        head.task
            .as_deref()
            .map(|t| format!("task={}", pseudonym('t', t))),
    );
    known.extend(
        head.agent
            .as_deref()
            .map(|a| format!("agent={}", plain(&mask(a)))),
    );
    known.extend(head.at.map(|at| format!("date={}", Timestamp(at).date())));
    known.push(format!("outcome={}", head.outcome));
    known.join(" ")
}

/// A name without anything that could end a mark or begin a sentence.
fn plain(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "_-./".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(40)
        .collect()
}

/// Returns what is asked of some sessions' texts, each as [`shown`].
#[must_use]
pub fn ask(text: String, instructions: Option<&str>) -> Ask {
    let system = task(super::PROMPTS[0], instructions);
    Ask {
        system,
        turns: vec![(Role::User, text)],
        schema: schema(),
        max_tokens: ANSWER_TOKENS,
    }
}

/// Of the answer. Servers that hold a model to a schema write the properties in the order of their
/// names: `analysis` comes first.
fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["analysis", "observations"],
        "properties": {"analysis": list(text(THOUGHTS.1), THOUGHTS.0), "observations": list(json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["session", "kind", "statement", "quotes"],
            "properties": {
                "session": text(20),
                "kind": {"type": "string", "enum": [Topic::Preference, Topic::Fact, Topic::Failure, Topic::Workflow]},
                "statement": text(STATEMENT_CHARS),
                "quotes": list(text(QUOTE_CHARS), MOST_QUOTES),
            },
        }), MOST)},
    })
}

/// The observation with those of its quotes that are in the session that it names; none if no
/// quote does. Counts the others.
#[must_use]
pub fn ground(
    raw: Raw,
    sessions: &[(String, &Session)],
    dropped: &mut Dropped,
) -> Option<Observation> {
    let Some((_, session)) = sessions.iter().find(|(label, _)| *label == raw.session) else {
        dropped.unfound += raw.quotes.len();
        return None;
    };
    let mut quotes: Vec<Found> = Vec::new();
    for quote in raw.quotes.iter().take(MOST_QUOTES) {
        let (characters, words) = (
            quote.trim().chars().count(),
            quote.split_whitespace().count(),
        );
        if characters < LEAST_QUOTE.0 || words < LEAST_QUOTE.1 || characters > QUOTE_CHARS {
            dropped.unfit += 1;
        } else if !domain::sensitive::sensitive_spans(quote).is_empty() {
            dropped.personal += 1;
        } else {
            match find(session, quote) {
                Some(found) if !quotes.iter().any(|q| q.at == found.at) => quotes.push(found),
                Some(_) => {}
                None => dropped.unfound += 1,
            }
        }
    }
    (!quotes.is_empty()).then_some(Observation {
        topic: raw.kind,
        statement: raw.statement.trim().to_owned(),
        quotes,
    })
}

/// Returns where the words of a quote are in a session: what people said before what tools
/// answered, then calls, then the agent.
fn find(session: &Session, quote: &str) -> Option<Found> {
    let kinds = [
        (EventKind::User, Speaker::Person),
        (EventKind::ToolResult, Speaker::Tool),
        (EventKind::ToolUse, Speaker::Call),
        (EventKind::Agent, Speaker::Agent),
    ];
    kinds.into_iter().find_map(|(kind, by)| {
        let mut events = session
            .events
            .iter()
            .enumerate()
            .filter(|(_, e)| e.kind == kind);
        events.find_map(|(event, e)| {
            let (start, end) = place(&e.text, quote.trim())?;
            let at = Place { event, start, end };
            // What somebody pasted or quotes are somebody else's words.
            let own = by != Speaker::Person
                || folded(&own_words(&e.text)).contains(&folded(&e.text[start..end]));
            let by = if own { by } else { Speaker::Tool };
            Some(Found {
                session: session.head.key.clone(),
                at,
                text: e.text[start..end].to_owned(),
                by,
            })
        })
    })
}

/// Returns where the words are one after the other, with any white space between them: models
/// fold it.
fn place(text: &str, quote: &str) -> Option<(usize, usize)> {
    if let Some(start) = text.find(quote) {
        return Some((start, start + quote.len()));
    }
    let words: Vec<&str> = quote.split_whitespace().collect();
    let (first, rest) = words.split_first()?;
    text.match_indices(first)
        .take(MOST_PLACES)
        .find_map(|(start, _)| {
            let mut end = start + first.len();
            for word in rest {
                let after = &text[end..];
                let next = after.trim_start();
                if next.len() == after.len() || !next.starts_with(word) {
                    return None;
                }
                end = text.len() - next.len() + word.len();
            }
            Some((start, end))
        })
}
