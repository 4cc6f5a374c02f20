//! The `opencode` format: what `opencode export` prints, one session a value, and `opencode run
//! --format json`, a part a line.

use domain::event::{Event, EventKind, SessionHead, Speaker};
use serde_json::Value;

use crate::transcripts::{
    Place,
    documents::Conversation,
    lines::{Line, keep},
    messages, values,
    values::kind,
};

/// The session of an export.
pub fn read(text: &str, _: &Place) -> Result<Vec<Conversation>, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| values::not_json(&e))?;
    let info = value.get("info").unwrap_or(&Value::Null);
    let (own, parent) = (values::text(info, "id"), values::text(info, "parentID"));
    let mut head = SessionHead {
        external_id: parent.clone().or_else(|| own.clone()),
        ..SessionHead::default()
    };
    if parent.is_none() {
        keep(info, &["title", "directory", "version"], &mut head);
    }
    let mut conversation = Conversation::new(head);
    conversation.thread = parent.and(own);
    let list = value
        .get("messages")
        .and_then(Value::as_array)
        .ok_or("an export needs a list `messages`")?;
    for message in list {
        conversation.message(message_events(message));
    }
    Ok(vec![conversation])
}

fn message_events(message: &Value) -> Vec<Event> {
    let info = message.get("info").unwrap_or(&Value::Null);
    let base = Event {
        external_id: values::text(info, "id"),
        occurred_at: info
            .get("time")
            .and_then(|t| values::time(t.get("created"))),
        raw: message.to_string(),
        ..Event::new(EventKind::Raw, String::new())
    };
    let by_user = info.get("role").is_some_and(|r| r == "user");
    let parts = message
        .get("parts")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut events: Vec<Event> = parts
        .flat_map(|part| part_events(part, by_user, &base))
        .collect();
    if info.get("summary") == Some(&Value::Bool(true)) && !by_user {
        // The program asked for it, and the agent is told it again.
        let told = |e: Event| {
            if e.kind == EventKind::Agent {
                e.of_kind(EventKind::System)
            } else {
                e
            }
        };
        events = events.into_iter().map(told).collect();
    }
    if let Some(error) = info.get("error").filter(|e| e.is_object()) {
        let why = error
            .get("data")
            .and_then(|d| values::text(d, "message"))
            .or_else(|| values::text(error, "name"))
            .unwrap_or_default();
        events.push(match values::text(error, "name").as_deref() {
            Some("MessageAbortedError") => Event {
                text: "interrupted".to_owned(),
                ..base.clone()
            }
            .of_kind(EventKind::Denial),
            _ => Event {
                text: why,
                ..base.clone()
            }
            .by(Speaker::Harness),
        });
    }
    if events.is_empty() {
        events.push(base);
    }
    events
}

/// Returns what a part says; parts that only note the state of the program say nothing.
fn part_events(part: &Value, by_user: bool, base: &Event) -> Vec<Event> {
    let text = values::text(part, "text").unwrap_or_default();
    let flag = |key: &str| part.get(key) == Some(&Value::Bool(true));
    match kind(part) {
        "text" if flag("synthetic") || flag("ignored") => vec![
            Event {
                text,
                ..base.clone()
            }
            .of_kind(EventKind::System),
        ],
        "text" if by_user => messages::said_by_user(&text, base),
        "text" => vec![
            Event {
                text,
                ..base.clone()
            }
            .of_kind(EventKind::Agent),
        ],
        "reasoning" => vec![
            Event {
                text,
                ..base.clone()
            }
            .of_kind(EventKind::Thinking),
        ],
        "tool" => tool_events(part, base),
        "subtask" => {
            let text = values::text(part, "prompt").unwrap_or_default();
            vec![
                Event {
                    text,
                    ..base.clone()
                }
                .of_kind(EventKind::System),
            ]
        }
        _ => Vec::new(),
    }
}

fn tool_events(part: &Value, base: &Event) -> Vec<Event> {
    let state = part.get("state").unwrap_or(&Value::Null);
    let base = Event {
        tool: values::text(part, "tool"),
        tool_use_id: values::text(part, "callID"),
        ..base.clone()
    };
    let input = state
        .get("input")
        .map_or_else(|| "{}".to_owned(), Value::to_string);
    let call = Event {
        text: input,
        ..base.clone()
    }
    .of_kind(EventKind::ToolUse);
    let time = state.get("time").and_then(|t| values::time(t.get("end")));
    let base = Event {
        occurred_at: time.or(base.occurred_at),
        ..base
    };
    match values::text(state, "status").as_deref() {
        Some("completed") => {
            let code = state
                .get("metadata")
                .and_then(|m| m.get("exit"))
                .and_then(Value::as_i64);
            let answer = messages::answered(
                values::content(state.get("output")),
                code.map(|c| c != 0),
                base,
            );
            vec![call, answer]
        }
        Some("error") => vec![
            call,
            messages::answered(values::content(state.get("error")), Some(true), base),
        ],
        _ => vec![call],
    }
}

/// Parts, one a line.
pub struct Run;

impl Line for Run {
    fn session(&mut self, line: &Value) -> Option<String> {
        values::text(line, "sessionID")
    }

    fn events(&mut self, line: &Value, base: Event) -> Result<Vec<Event>, String> {
        let part = line.get("part").unwrap_or(&Value::Null);
        let base = Event {
            external_id: values::text(part, "id").or(base.external_id),
            ..base
        };
        let events = part_events(part, false, &base);
        Ok(if events.is_empty() {
            vec![base]
        } else {
            events
        })
    }
}
