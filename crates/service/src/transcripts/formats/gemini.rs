//! The `gemini` format: sessions of Gemini CLI, whole in one value or a message a line. In the
//! second form a line may take the conversation back to before a message; what came after it was
//! abandoned.

use std::collections::HashMap;

use domain::event::{Event, EventKind, SessionHead, Speaker};
use serde_json::Value;

use crate::transcripts::{
    Place,
    documents::Conversation,
    lines::{Line, keep},
    messages, values,
    values::kind,
};

const KEPT: &[&str] = &["projectHash", "summary", "model"];

/// The session of a file in the first form.
pub fn read(text: &str, at: &Place) -> Result<Vec<Conversation>, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| values::not_json(&e))?;
    let mut head = SessionHead {
        external_id: values::text(&value, "sessionId"),
        ..SessionHead::default()
    };
    keep(&value, KEPT, &mut head);
    let mut conversation = Conversation::new(head);
    if kind_of(&value) == Some("subagent") {
        conversation.thread = Some(at.source.stem.clone());
    }
    let list = value
        .get("messages")
        .and_then(Value::as_array)
        .ok_or("a session needs a list `messages`")?;
    for message in list {
        let base = Event {
            external_id: values::text(message, "id"),
            occurred_at: values::time(message.get("timestamp")),
            raw: message.to_string(),
            ..Event::new(EventKind::Raw, String::new())
        };
        conversation.message(message_events(message, &base));
    }
    Ok(vec![conversation])
}

fn kind_of(value: &Value) -> Option<&str> {
    value.get("kind").and_then(Value::as_str)
}

/// Lines in the second form.
#[derive(Default)]
pub struct Gemini {
    /// The messages that stand, in order, and the place of each.
    living: Vec<String>,
    places: HashMap<String, usize>,
}

impl Line for Gemini {
    fn session(&mut self, line: &Value) -> Option<String> {
        let id = values::text(line, "sessionId");
        if let Some(back_to) = values::text(line, "$rewindTo") {
            let at = self.places.get(&back_to).copied().unwrap_or(0);
            for id in self.living.drain(at..) {
                self.places.remove(&id);
            }
        }
        id
    }

    fn head(&mut self, line: &Value, head: &mut SessionHead) {
        keep(line, KEPT, head);
    }

    fn events(&mut self, line: &Value, base: Event) -> Result<Vec<Event>, String> {
        if kind(line).is_empty() {
            // What the program notes of the session.
            return Ok(Vec::new());
        }
        let events = message_events(line, &base);
        if let Some(id) = values::text(line, "id")
            && !self.places.contains_key(&id)
        {
            self.places.insert(id.clone(), self.living.len());
            self.living.push(id);
        }
        Ok(events)
    }

    fn parent(&self, line: &Value) -> Option<(String, Option<String>)> {
        let id = values::text(line, "id")?;
        let at = *self.places.get(&id)?;
        Some((id, at.checked_sub(1).map(|n| self.living[n].clone())))
    }
}

fn message_events(message: &Value, base: &Event) -> Vec<Event> {
    let text = values::content(message.get("content"));
    match kind(message) {
        "user" => typed(message, &text, base),
        "gemini" | "model" | "assistant" => {
            let thoughts = message
                .get("thoughts")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let thought = |t: &Value| {
                let parts = [values::text(t, "subject"), values::text(t, "description")];
                let text = parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
                Event {
                    text,
                    ..base.clone()
                }
                .of_kind(EventKind::Thinking)
            };
            let mut events: Vec<Event> = thoughts.map(thought).collect();
            let calls = message
                .get("toolCalls")
                .and_then(Value::as_array)
                .map_or(&[][..], Vec::as_slice);
            if !text.is_empty() || (events.is_empty() && calls.is_empty()) {
                events.push(
                    Event {
                        text,
                        ..base.clone()
                    }
                    .of_kind(EventKind::Agent),
                );
            }
            events.extend(calls.iter().flat_map(|call| call_events(call, base)));
            events
        }
        "error" | "info" | "warning" => vec![
            Event {
                text,
                ..base.clone()
            }
            .by(Speaker::Harness),
        ],
        _ => vec![base.clone()],
    }
}

/// The line after which the program appends the files that a person named.
const REFERENCED: &str = "--- Content from referenced files ---";

/// Returns what a person typed, apart from the files that the program put behind it.
fn typed(message: &Value, text: &str, base: &Event) -> Vec<Event> {
    let shown = message
        .get("displayContent")
        .map(|c| values::content(Some(c)))
        .filter(|t| !t.is_empty());
    let (own, files) = text
        .find(REFERENCED)
        .map_or((text, ""), |at| text.split_at(at));
    let mut events = messages::said_by_user(shown.as_deref().unwrap_or(own.trim_end()), base);
    if !files.is_empty() {
        events.push(
            Event {
                text: files.to_owned(),
                ..base.clone()
            }
            .of_kind(EventKind::System),
        );
    }
    events
}

/// A call and its answer, each known by the call's id: a message is written again when its calls
/// have ended.
fn call_events(call: &Value, base: &Event) -> Vec<Event> {
    let mut called = messages::call_event(call, base.clone());
    let id = called.tool_use_id.clone();
    let known = |what: &str| {
        id.as_ref()
            .map(|id| format!("{what}:{id}"))
            .or_else(|| base.external_id.clone())
    };
    called.external_id = known("call");
    let answer = Event {
        external_id: known("answer"),
        tool: called.tool.clone(),
        tool_use_id: id.clone(),
        ..base.clone()
    };
    let status = values::text(call, "status").unwrap_or_default();
    if status == "cancelled" {
        return vec![
            called,
            Event {
                text: "cancelled".to_owned(),
                ..answer
            }
            .of_kind(EventKind::Denial),
        ];
    }
    let parts: Vec<String> = match call.get("result") {
        Some(Value::Array(parts)) => parts.iter().map(answer_text).collect(),
        Some(Value::Null) | None => return vec![called],
        Some(other) => vec![values::content(Some(other))],
    };
    vec![
        called,
        messages::answered(parts.join("\n"), Some(status == "error"), answer),
    ]
}

fn answer_text(part: &Value) -> String {
    match part.get("functionResponse").and_then(|f| f.get("response")) {
        Some(response) => messages::answer_text(Some(response)),
        None => values::content(Some(&Value::Array(vec![part.clone()]))),
    }
}
