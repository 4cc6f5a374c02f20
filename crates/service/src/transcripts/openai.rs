//! The `openai` format: chats with `messages` or `traj`, of OpenAI's and of Anthropic's API: there, calls and answers of tools are parts of
//! messages. A chat may be long, so its messages are taken one by one.

use std::{collections::HashSet, io};

use domain::event::{Event, EventKind, SessionHead, Speaker, looks_like_error};
use serde_json::{Map, Value, value::RawValue};

use super::{Place, Reader, Spool, marks, parse, values};

/// Most bytes of metadata kept beside a chat.
const METADATA_BYTES: usize = 64 * 1024;
/// Where the names of what was too long to be kept stand in the metadata.
const LEFT_OUT: &str = "left_out";

/// Reads one chat a value.
#[derive(Default)]
pub struct OpenAi {
    /// The chats' own ids in this file.
    ids: HashSet<String>,
}

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
        if let Some(id) = head.external_id.as_ref().filter(|id| !self.ids.insert((*id).clone())) {
            return Ok(Err(format!("a chat with the id {id} stands before it in this file; it would be taken for the same session")));
        }
        spool.begin("openai", head);
        if let Some(system) = keys.0.get("system").and_then(|raw| parse(raw.get()).ok()) {
            let text = values::content(Some(&system));
            spool.event(Event { external_id: Some("system".to_owned()), ..Event::new(EventKind::System, text) })?;
        }
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
    let mut left_out = Vec::new();
    let mut size = 0;
    for (key, raw) in keys.0.iter().filter(|(k, _)| *k != "messages" && *k != "traj") {
        // A long list of tools says nothing of the session; that it was there is kept.
        if size + raw.get().len() > METADATA_BYTES {
            left_out.push(Value::String(format!("{key} ({} bytes)", raw.get().len())));
            continue;
        }
        size += raw.get().len();
        fields.insert(key.to_string(), parse(raw.get())?);
    }
    // What the agent was told stands beside the messages in Anthropic's API; it becomes an event.
    fields.remove("system");
    if !left_out.is_empty() {
        fields.insert(LEFT_OUT.to_owned(), Value::Array(left_out));
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
    let base = Event {
        external_id: values::text(message, "id"),
        occurred_at: values::time(message.get("timestamp").or_else(|| message.get("created_at"))),
        raw: raw.to_owned(),
        ..Event::new(EventKind::Raw, String::new())
    };
    let mut events = match (role, message.get("content")) {
        ("user" | "assistant", Some(Value::Array(blocks))) if blocks.iter().any(is_tool_block) => blocks_events(role, blocks, &base),
        ("system" | "developer", content) => vec![Event { text: values::content(content), ..base }.of_kind(EventKind::System)],
        ("user", content) => said_by_user(&values::content(content), &base),
        ("assistant", content) => assistant(message, Event { text: values::content(content), ..base }.of_kind(EventKind::Agent))?,
        ("tool" | "function", content) => {
            let answer = Event { tool: values::text(message, "name"), tool_use_id: values::text(message, "tool_call_id"), ..base };
            vec![answered(values::content(content), message.get("is_error"), answer)]
        }
        (_, content) => vec![Event { text: values::content(content), ..base }],
    };
    for event in events.iter_mut().skip(1) {
        // The message's JSON stands once, beside its first event.
        event.raw = String::new();
    }
    Ok(events)
}

/// Whether a part of a message is a call of a tool, its answer, or a thought: parts that have no place in OpenAI's messages.
fn is_tool_block(block: &Value) -> bool {
    matches!(
        block.get("type").and_then(Value::as_str),
        Some("tool_use" | "tool_result" | "thinking" | "redacted_thinking" | "server_tool_use")
    )
}

/// The parts of a message of Anthropic's API, in order.
fn blocks_events(role: &str, blocks: &[Value], base: &Event) -> Vec<Event> {
    let mut events = Vec::new();
    for block in blocks {
        let base = base.clone();
        match block.get("type").and_then(Value::as_str).unwrap_or_default() {
            "tool_use" | "server_tool_use" => events.push(
                Event {
                    tool: values::text(block, "name"),
                    tool_use_id: values::text(block, "id"),
                    text: block.get("input").map_or_else(|| "{}".to_owned(), Value::to_string),
                    ..base
                }
                .of_kind(EventKind::ToolUse),
            ),
            "tool_result" => {
                let answer = Event { tool_use_id: values::text(block, "tool_use_id"), ..base };
                events.push(answered(values::content(block.get("content")), block.get("is_error"), answer));
            }
            "thinking" => events.push(Event { text: values::content(block.get("thinking")), ..base }.of_kind(EventKind::Thinking)),
            _ => {
                let text = values::content(Some(&Value::Array(vec![block.clone()])));
                if role == "user" {
                    events.extend(said_by_user(&text, &base));
                } else {
                    events.push(Event { text, ..base }.of_kind(EventKind::Agent));
                }
            }
        }
    }
    events
}

/// A text in the user's role: a person's, but for what a program marked as its own.
fn said_by_user(text: &str, base: &Event) -> Vec<Event> {
    let events = marks::events(text, Speaker::Person, base);
    // Where nothing is marked the text stays as it is, white space and all.
    if events.iter().all(|e| e.speaker == Speaker::Person) && events.len() < 2 {
        return vec![Event { text: text.to_owned(), ..base.clone() }.of_kind(EventKind::User)];
    }
    events
}

fn answered(text: String, stated: Option<&Value>, base: Event) -> Event {
    if let Some(refusal) = marks::refusal(&text) {
        return Event { text, ..base }.of_kind(EventKind::Denial).by(refusal.by);
    }
    let stated = stated.and_then(Value::as_bool);
    Event { is_error: stated.unwrap_or_else(|| looks_like_error(&text)), text, ..base }.of_kind(EventKind::ToolResult)
}

fn assistant(message: &Value, said: Event) -> Result<Vec<Event>, String> {
    let calls = match message.get("tool_calls") {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(calls)) => calls,
        Some(_) => return Err("`tool_calls` is not a list".to_owned()),
    };
    // One call, in the form that came before `tool_calls`.
    let legacy = message.get("function_call").filter(|c| c.is_object());
    let refusal = values::text(message, "refusal");
    let said = Event { text: if said.text.is_empty() { refusal.unwrap_or_default() } else { said.text }, ..said };
    let mut events = Vec::new();
    if (calls.is_empty() && legacy.is_none()) || !said.text.is_empty() {
        events.push(said.clone());
    }
    for call in calls.iter().chain(legacy) {
        let function = call.get("function").or_else(|| call.get("custom")).unwrap_or(call);
        let arguments = match function.get("arguments").or_else(|| function.get("input")) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => "{}".to_owned(),
        };
        events.push(
            Event { tool: values::text(function, "name"), tool_use_id: values::text(call, "id"), text: arguments, ..said.clone() }
                .of_kind(EventKind::ToolUse),
        );
    }
    Ok(events)
}
