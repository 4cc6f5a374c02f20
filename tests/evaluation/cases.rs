//! What the cases are made of: sessions of people on days after the memory was written, a store
//! that holds a few notes.

use domain::{
    event::{EventKind, OutcomeResult},
    risk::{self, Label},
};
use dream::{Event, Finding, Head, Input, Memory, Reader, Session};

/// A microsecond's worth of days.
const DAY: i64 = 86_400_000_000;
/// When the memory was written.
const WRITTEN: i64 = 20_000 * DAY;

fn event(kind: EventKind, tool: Option<&str>, is_error: bool, text: &str) -> Event {
    Event {
        kind,
        tool: tool.map(Into::into),
        tool_use_id: None,
        is_error,
        text: text.into(),
    }
}

pub fn says(text: &str) -> Event {
    event(EventKind::User, None, false, text)
}

/// What an agent answers.
pub fn answers(text: &str) -> Event {
    event(EventKind::Agent, None, false, text)
}

pub fn call(tool: &str, arguments: &str, answer: &str) -> [Event; 2] {
    let is_error = domain::event::looks_like_error(answer);
    [
        event(EventKind::ToolUse, Some(tool), false, arguments),
        event(EventKind::ToolResult, Some(tool), is_error, answer),
    ]
}

/// A session of a subject on a day after the memory was written (before it, if the day is
/// negative).
pub fn session(n: usize, subject: &str, day: i64, events: Vec<Event>) -> Session {
    let head = Head {
        recorders: Vec::new(),
        key: format!("{n:05}"),
        subject: Some(subject.into()),
        outcome: OutcomeResult::Success,
        at: Some(WRITTEN + day * DAY),
        ..Head::default()
    };
    Session { head, events }
}

pub fn input(sessions: &[Session], memories: Vec<Memory>) -> Input {
    let mut reader = Reader::default();
    Input {
        sessions: sessions.iter().map(|s| reader.see(s)).collect(),
        memories,
        ..Input::default()
    }
}

pub fn memory(path: &str, content: &str) -> Memory {
    Memory {
        updated_at: Some(WRITTEN),
        ..Memory::plain(path, content)
    }
}

pub fn after(finding: &Finding) -> String {
    finding
        .change
        .iter()
        .flat_map(|c| &c.edits)
        .filter_map(|e| e.content.clone())
        .collect()
}

const FILLER: &[&str] = &[
    "Answer customers in the language that they wrote in.",
    "Screenshots belong into the ticket.",
    "Ask for the order number before looking anything up.",
    "Weekly summaries go out before lunch.",
    "Keep the tone friendly and the sentences short.",
    "Name the source below every table.",
];

pub fn store_with(said: &str) -> Vec<Memory> {
    let filler = FILLER.join("\n- ");
    vec![
        memory("/notes/house.md", &format!("# House\n\n- {filler}\n")),
        memory("/facts/one.md", &format!("# Known\n\n- {said}\n")),
    ]
}

/// Whether a proposal carries a label that forbids to apply it without a person.
pub fn waits_for_a_person(finding: &Finding) -> bool {
    let content = after(finding);
    let tool_text = finding.change.as_ref().expect("it is proposed").tool_text;
    let facts = risk::Facts {
        after: vec![&content],
        tool_text,
        memories: 1,
        ..risk::Facts::default()
    };
    let labels = risk::assess(&facts).1;
    let forbidden = [
        Label::ToolText,
        Label::InstructionLike,
        Label::Secret,
        Label::Pii,
        Label::HiddenCharacters,
    ];
    labels.iter().any(|l| forbidden.contains(l))
}
