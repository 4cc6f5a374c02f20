//! The `events` format: Managed Agents event objects, one a value. A `session` object before them
//! names the session and what is known of it; else `session_id` does, else the file's name.

use std::{collections::HashMap, io};

use domain::event::{Event, EventKind, looks_like_error};
use serde_json::Value;

use crate::transcripts::{Place, Reader, Spool, line_id, marks, parse, values, values::kind};

const SOURCE: &str = "events";

/// Reads one event a value.
#[derive(Default)]
pub struct Events {
    current: Option<String>,
    /// How often each line without an id stood there.
    without_id: HashMap<String, usize>,
}

impl Reader for Events {
    fn take(
        &mut self,
        text: &str,
        at: &Place,
        spool: &mut Spool,
    ) -> io::Result<Result<(), String>> {
        let value = match parse(text) {
            Ok(value) => value,
            Err(reason) => return Ok(Err(reason)),
        };
        let own = match kind(&value) {
            "session" => values::text(&value, "id"),
            _ => values::text(&value, "session_id"),
        };
        let id = own
            .or(self.current.take())
            .unwrap_or_else(|| at.source.id_of(text));
        spool.shared_session(SOURCE, &id)?;
        self.current = Some(id);
        if !value.is_object() || kind(&value).is_empty() {
            return Ok(Err("an event is an object with a `type`".to_owned()));
        }
        note_head(&value, at, spool);
        if kind(&value) != "session" {
            let mut event = event(&value, text);
            // Without an id, the same again is another event.
            if event.external_id.is_none() {
                let line = line_id(text);
                let times = self.without_id.entry(line.clone()).or_insert(0);
                *times += 1;
                event.external_id = Some(if *times == 1 {
                    line
                } else {
                    format!("{line}~{times}")
                });
            }
            spool.event(event)?;
        }
        Ok(Ok(()))
    }
}

fn note_head(value: &Value, at: &Place, spool: &mut Spool) {
    let Some(head) = spool.head() else { return };
    match kind(value) {
        "session" => {
            let named = |own: Option<&String>, name| {
                own.and_then(|k| values::text(value, k))
                    .or_else(|| values::text(value, name))
            };
            head.agent = values::text(value, "agent");
            head.team = values::text(value, "team");
            head.subject = named(at.options.subject_key.as_ref(), "subject");
            head.task_key = named(at.options.task_key.as_ref(), "task_key");
            head.outcome = value.get("outcome").and_then(values::outcome);
            if let Some(Value::Object(metadata)) = value.get("metadata") {
                head.metadata.clone_from(metadata);
            }
        }
        "span.outcome_evaluation_end" => {
            head.outcome = value
                .get("result")
                .and_then(values::outcome)
                .or(head.outcome);
        }
        _ => {}
    }
}

/// One event object as an event, or why it is none.
pub fn read(raw: &str) -> Result<Event, String> {
    let value = parse(raw)?;
    if !value.is_object() || kind(&value).is_empty() {
        return Err("an event is an object with a `type`".to_owned());
    }
    Ok(event(&value, raw))
}

fn event(value: &Value, raw: &str) -> Event {
    let text = values::content(value.get("content"));
    let base = Event {
        external_id: values::text(value, "id"),
        occurred_at: ["processed_at", "created_at", "timestamp"]
            .iter()
            .find_map(|k| values::time(value.get(*k))),
        raw: raw.to_owned(),
        ..Event::new(EventKind::Raw, text)
    };
    match kind(value) {
        "user.message" => base.of_kind(EventKind::User),
        "agent.message" => base.of_kind(EventKind::Agent),
        "agent.thinking" => base.of_kind(EventKind::Thinking),
        "agent.tool_use" | "agent.mcp_tool_use" | "agent.custom_tool_use" => Event {
            tool: values::text(value, "name"),
            tool_use_id: base.external_id.clone(),
            text: value
                .get("input")
                .map_or_else(|| "{}".to_owned(), Value::to_string),
            ..base
        }
        .of_kind(EventKind::ToolUse),
        "agent.tool_result"
        | "agent.mcp_tool_result"
        | "user.custom_tool_result"
        | "user.tool_result" => {
            let stated = value.get("is_error").and_then(Value::as_bool);
            let call = ["tool_use_id", "mcp_tool_use_id", "custom_tool_use_id"]
                .iter()
                .find_map(|k| values::text(value, k));
            let base = Event {
                tool: values::text(value, "name"),
                tool_use_id: call,
                ..base
            };
            match marks::refusal(&base.text).filter(|_| stated == Some(true)) {
                Some(refusal) => base.of_kind(EventKind::Denial).by(refusal.by),
                None => Event {
                    is_error: stated.unwrap_or_else(|| looks_like_error(&base.text)),
                    ..base
                }
                .of_kind(EventKind::ToolResult),
            }
        }
        // A person refuses a call, with or without words.
        "user.tool_confirmation" => {
            let denied = value.get("result").and_then(Value::as_str) == Some("deny");
            let base = Event {
                tool_use_id: values::text(value, "tool_use_id"),
                text: values::text(value, "deny_message").unwrap_or_else(|| "denied".to_owned()),
                ..base
            };
            if denied {
                base.of_kind(EventKind::Denial)
            } else {
                Event {
                    text: String::new(),
                    ..base
                }
            }
        }
        "user.interrupt" => Event {
            text: "interrupted".to_owned(),
            ..base
        }
        .of_kind(EventKind::Denial),
        "span.outcome_evaluation_end" => {
            let said = values::text(value, "explanation").or_else(|| values::text(value, "result"));
            Event {
                text: said.unwrap_or_default(),
                ..base
            }
            .of_kind(EventKind::Outcome)
        }
        _ => base,
    }
}
