//! The `openai` format: chats with `messages` or `traj`. A chat may be long, so its messages are taken one by one.

use std::io;

use domain::event::{Event, EventKind, SessionHead, looks_like_error};
use serde_json::{Map, Value, value::RawValue};

use super::{Place, Reader, Spool, parse, values};

/// Most bytes of metadata kept beside a chat.
const METADATA_BYTES: usize = 64 * 1024;

/// Reads one chat a value.
pub struct OpenAi;

impl Reader for OpenAi {
    fn holds_whole_sessions(&self) -> bool {
        true
    }

    fn take(&mut self, text: &str, at: &Place, spool: &mut Spool) -> io::Result<Result<(), String>> {
        spool.leave();
        let keys: values::Keys = match serde_json::from_str(text) {
            Ok(keys) => keys,
            Err(error) => return Ok(Err(values::not_json(&error))),
        };
        let Some(list) = keys.0.get("messages").or_else(|| keys.0.get("traj")) else {
            return Ok(Err("a chat needs a list `messages` or `traj`".to_owned()));
        };
        let messages: Vec<&RawValue> = match serde_json::from_str(list.get()) {
            Ok(messages) => messages,
            Err(_) => return Ok(Err("`messages` is not a list".to_owned())),
        };
        let head = match head(&keys, at) {
            Ok(head) => head,
            Err(reason) => return Ok(Err(reason)),
        };
        spool.forgive();
        spool.begin("openai", head);
        for (number, raw) in messages.iter().enumerate() {
            let events = match parse(raw.get()).and_then(|message| message_events(&message, raw.get())) {
                Ok(events) => events,
                Err(reason) => return Ok(Err(format!("message {}: {reason}", number + 1))),
            };
            for (part, mut event) in events.into_iter().enumerate() {
                // A message without an id of its own is known by its index; its further events by a number after it.
                let id = event.external_id.unwrap_or_else(|| number.to_string());
                event.external_id = Some(if part == 0 { id } else { format!("{id}#{part}") });
                spool.event(event)?;
            }
        }
        Ok(Ok(()))
    }
}

fn head(keys: &values::Keys, at: &Place) -> Result<SessionHead, String> {
    let mut fields = Map::new();
    let mut size = 0;
    for (key, raw) in keys.0.iter().filter(|(k, _)| *k != "messages" && *k != "traj") {
        size += raw.get().len();
        if size > METADATA_BYTES {
            return Err(format!("what stands beside the messages is over {METADATA_BYTES} bytes"));
        }
        fields.insert(key.to_string(), parse(raw.get())?);
    }
    let fields_value = Value::Object(fields);
    let first = |names: &[Option<&str>]| names.iter().flatten().find_map(|name| values::text(&fields_value, name));
    let head = SessionHead {
        external_id: first(&[Some("session_id"), Some("conversation_id"), Some("id")]),
        agent: first(&[Some("agent")]),
        subject: first(&[at.options.subject_key.as_deref(), Some("user")]),
        team: first(&[Some("team")]),
        task_key: first(&[at.options.task_key.as_deref(), Some("task_id")]),
        outcome: ["outcome", "reward"].iter().find_map(|k| fields_value.get(*k)).and_then(values::outcome),
        metadata: Map::new(),
    };
    let Value::Object(mut fields) = fields_value else { return Ok(head) };
    for used in ["session_id", "conversation_id", "id", "agent", "user", "team", "task_id"] {
        fields.remove(used);
    }
    Ok(SessionHead { metadata: fields, ..head })
}

/// The events of one message: what was said, then each call.
fn message_events(message: &Value, raw: &str) -> Result<Vec<Event>, String> {
    let role = message.get("role").and_then(Value::as_str).ok_or("it has no `role`")?;
    let text = values::content(message.get("content"));
    let occurred_at = values::time(message.get("timestamp").or_else(|| message.get("created_at")));
    let plain = |kind| Event {
        external_id: values::text(message, "id"),
        kind,
        tool: None,
        tool_use_id: None,
        is_error: false,
        text: text.clone(),
        occurred_at,
        raw: raw.to_owned(),
    };
    Ok(match role {
        "system" | "developer" => vec![plain(EventKind::System)],
        "user" => vec![plain(EventKind::User)],
        "assistant" => assistant(message, plain(EventKind::Agent))?,
        "tool" | "function" => {
            let stated = message.get("is_error").and_then(Value::as_bool);
            vec![Event {
                tool: values::text(message, "name"),
                tool_use_id: values::text(message, "tool_call_id"),
                is_error: stated.unwrap_or_else(|| looks_like_error(&text)),
                ..plain(EventKind::ToolResult)
            }]
        }
        _ => vec![plain(EventKind::Raw)],
    })
}

fn assistant(message: &Value, said: Event) -> Result<Vec<Event>, String> {
    let calls = match message.get("tool_calls") {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(calls)) => calls,
        Some(_) => return Err("`tool_calls` is not a list".to_owned()),
    };
    let mut events = Vec::new();
    if calls.is_empty() || !said.text.is_empty() {
        events.push(said.clone());
    }
    for call in calls {
        let function = call.get("function").unwrap_or(call);
        let arguments = match function.get("arguments") {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "{}".to_owned(),
        };
        // The message's JSON stands once, beside its first event.
        let raw = if events.is_empty() { said.raw.clone() } else { String::new() };
        events.push(Event {
            kind: EventKind::ToolUse,
            tool: values::text(function, "name"),
            tool_use_id: values::text(call, "id"),
            text: arguments,
            raw,
            ..said.clone()
        });
    }
    Ok(events)
}
