//! Messages of a chat as the APIs of models write them: a role, a content of text or parts, calls
//! and answers of tools beside or among them. One reader for all, because logs mix them.

use domain::event::{Event, EventKind, Speaker, looks_like_error};
use serde::Deserialize;
use serde_json::Value;

use super::{marks, values, values::kind};

/// True if an object is a message: it has a role and something said, or is an item of the Responses
/// API.
pub fn is_message(value: &Value) -> bool {
    let said = [
        "content",
        "parts",
        "message",
        "tool_calls",
        "function_call",
        "text",
    ]
    .iter()
    .any(|k| value.get(*k).is_some());
    (value.get("role").is_some_and(Value::is_string) && said) || is_item(kind(value))
}

/// True if this is a type of an item of the Responses API that is no message.
pub fn is_item(kind: &str) -> bool {
    kind == "reasoning" || is_call(kind) || is_answer(kind)
}

fn is_call(kind: &str) -> bool {
    kind == "mcp_call" || (kind.ends_with("_call") && !kind.starts_with("tool"))
}

fn is_answer(kind: &str) -> bool {
    kind.ends_with("_call_output")
}

/// The events of one message: what was said, then each call. Only the first holds the message's own
/// JSON.
pub fn events(message: &Value, raw: &str) -> Result<Vec<Event>, String> {
    let base = Event {
        external_id: values::text(message, "id"),
        occurred_at: ["timestamp", "created_at", "createdAt"]
            .iter()
            .find_map(|k| values::time(message.get(*k))),
        ..Event::new(EventKind::Raw, String::new())
    };
    let mut events = of_role(message, &base)?;
    if let Some(first) = events.first_mut() {
        raw.clone_into(&mut first.raw);
    }
    Ok(events)
}

fn of_role(message: &Value, base: &Event) -> Result<Vec<Event>, String> {
    let Some(role) = message.get("role").and_then(Value::as_str) else {
        if is_item(kind(message)) {
            return Ok(item(message, base.clone()));
        }
        return Err("it has no `role`".to_owned());
    };
    let inner = message.get("message").and_then(|m| m.get("content"));
    let content = message
        .get("content")
        .or_else(|| message.get("parts"))
        .or(inner)
        .or_else(|| message.get("text"));
    Ok(match (role, content) {
        ("user" | "human" | "assistant" | "model" | "ai", Some(Value::Array(parts)))
            if parts.iter().any(is_more_than_text) =>
        {
            let mut events = parts_events(is_user(role), parts, base);
            if !is_user(role) {
                events.extend(calls(message, base)?);
            }
            events
        }
        ("system" | "developer", content) => vec![
            Event {
                text: values::content(content),
                ..base.clone()
            }
            .of_kind(EventKind::System),
        ],
        ("user" | "human", content) => {
            // In some settings the user has tools as well.
            let calls: Vec<Event> = calls(message, base)?
                .into_iter()
                .map(|call| call.by(Speaker::Person))
                .collect();
            let text = values::content(content);
            let said = if text.is_empty() && !calls.is_empty() {
                Vec::new()
            } else {
                said_by_user(&text, base)
            };
            said.into_iter().chain(calls).collect()
        }
        ("assistant" | "model" | "ai", content) => {
            assistant(message, values::content(content), base)?
        }
        ("tool" | "function" | "toolResult", content) => {
            let first = |names: &[&str]| names.iter().find_map(|n| values::text(message, n));
            let answer = Event {
                tool: first(&["name", "toolName", "tool_name"]),
                tool_use_id: first(&["tool_call_id", "toolCallId", "tool_use_id"]),
                ..base.clone()
            };
            match content {
                // Answers of several tools in one message.
                Some(Value::Array(parts)) if parts.iter().any(is_more_than_text) => {
                    let text = |part: &Value| {
                        vec![answered(
                            values::content(Some(part)),
                            stated(message),
                            answer.clone(),
                        )]
                    };
                    let one = |part: &Value| {
                        if is_more_than_text(part) {
                            part_events(true, part, base.clone())
                        } else {
                            text(part)
                        }
                    };
                    parts.iter().flat_map(one).collect()
                }
                content => vec![answered(values::content(content), stated(message), answer)],
            }
        }
        (_, content) => vec![Event {
            text: values::content(content),
            ..base.clone()
        }],
    })
}

fn is_user(role: &str) -> bool {
    matches!(role, "user" | "human")
}

/// Returns what a message or a part says of whether a tool failed.
fn stated(value: &Value) -> Option<bool> {
    match ["is_error", "isError", "error"]
        .iter()
        .find_map(|k| value.get(*k))?
    {
        Value::Bool(failed) => Some(*failed),
        Value::Null => None,
        // An error that is described has happened.
        Value::String(text) => Some(!text.is_empty()),
        other => Some(!other.is_null()),
    }
}

/// True if a part is a call of a tool, its answer, or a thought: parts that have no place in a
/// plain text.
fn is_more_than_text(part: &Value) -> bool {
    part_kind(part) != PartKind::Said
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PartKind {
    Said,
    Thought,
    Call,
    Answer,
}

fn part_kind(part: &Value) -> PartKind {
    match kind(part) {
        "tool_use" | "server_tool_use" | "mcp_tool_use" | "tool_call" | "toolCall"
        | "function_call" | "tool-call" => PartKind::Call,
        "tool_result"
        | "mcp_tool_result"
        | "tool_call_response"
        | "function_call_output"
        | "tool-result" => PartKind::Answer,
        k if k.ends_with("_tool_result") => PartKind::Answer,
        "thinking" | "redacted_thinking" | "reasoning" => PartKind::Thought,
        "" if part.get("functionCall").is_some() => PartKind::Call,
        "" if part.get("functionResponse").is_some() => PartKind::Answer,
        "" if part.get("thought") == Some(&Value::Bool(true)) => PartKind::Thought,
        _ => PartKind::Said,
    }
}

/// The parts of a message, in order.
fn parts_events(by_user: bool, parts: &[Value], base: &Event) -> Vec<Event> {
    parts
        .iter()
        .flat_map(|part| part_events(by_user, part, base.clone()))
        .collect()
}

fn part_events(by_user: bool, part: &Value, base: Event) -> Vec<Event> {
    match part_kind(part) {
        PartKind::Call => {
            let call = part.get("functionCall").unwrap_or(part);
            vec![call_event(call, base)]
        }
        PartKind::Answer => {
            let answer = part.get("functionResponse").unwrap_or(part);
            let first = |names: &[&str]| names.iter().find_map(|n| values::text(answer, n));
            let content = ["content", "response", "result", "output"]
                .iter()
                .find_map(|k| answer.get(*k));
            let base = Event {
                tool: first(&["name", "toolName"]),
                tool_use_id: first(&["tool_use_id", "toolCallId", "call_id", "id"]),
                ..base
            };
            vec![answered(
                answer_text(content),
                stated(answer).or_else(|| content.and_then(failed_inside)),
                base,
            )]
        }
        PartKind::Thought => {
            let text = ["thinking", "text", "content", "reasoning"]
                .iter()
                .find_map(|k| part.get(*k).filter(|v| v.is_string()));
            vec![
                Event {
                    text: values::content(text),
                    ..base
                }
                .of_kind(EventKind::Thinking),
            ]
        }
        PartKind::Said => {
            let text = match part
                .get("content")
                .filter(|_| kind(part) == "text" && part.get("text").is_none())
            {
                Some(content) => values::content(Some(content)),
                None => values::content(Some(&Value::Array(vec![part.clone()]))),
            };
            if by_user {
                said_by_user(&text, &base)
            } else {
                vec![Event { text, ..base }.of_kind(EventKind::Agent)]
            }
        }
    }
}

/// The text of a tool's answer: the `output`, `content` or `error` of an object that holds nothing
/// else to read.
pub fn answer_text(content: Option<&Value>) -> String {
    if let Some(Value::Object(object)) = content
        && let Some(text) = ["output", "content", "error", "result"]
            .iter()
            .find_map(|k| object.get(*k).and_then(Value::as_str))
        && object.len() <= 2
    {
        return text.to_owned();
    }
    values::content(content)
}

/// True if an answer that is an object names an error and no output.
fn failed_inside(content: &Value) -> Option<bool> {
    let error = content.get("error").filter(|e| !e.is_null())?;
    Some(error.as_str().is_none_or(|e| !e.is_empty()))
}

/// A call of a tool, however it names its arguments.
pub fn call_event(call: &Value, base: Event) -> Event {
    let function = call
        .get("function")
        .filter(|f| f.is_object())
        .or_else(|| call.get("custom"))
        .unwrap_or(call);
    let first = |value: &Value, names: &[&str]| names.iter().find_map(|n| values::text(value, n));
    let arguments = ["arguments", "input", "args", "parameters", "action"]
        .iter()
        .find_map(|k| function.get(*k));
    let text = values::arguments(arguments);
    let tool = first(
        function,
        &["name", "toolName", "tool_name", "function_name"],
    )
    .or_else(|| kind(call).strip_suffix("_call").map(str::to_owned));
    let tool_use_id = first(
        call,
        &["call_id", "toolCallId", "tool_call_id", "callID", "id"],
    );
    Event {
        tool,
        tool_use_id,
        text,
        ..base
    }
    .of_kind(EventKind::ToolUse)
}

/// A text in the user's role: a person's, but for what a program marked as its own.
pub fn said_by_user(text: &str, base: &Event) -> Vec<Event> {
    if marks::is_interruption(text) {
        return vec![
            Event {
                text: text.trim().to_owned(),
                ..base.clone()
            }
            .of_kind(EventKind::Denial),
        ];
    }
    let events = marks::events(text, Speaker::Person, base);
    // Where nothing is marked the text stays as it is, white space and all.
    if events.is_empty()
        || (events.len() == 1
            && events[0].text == text.trim()
            && events[0].speaker == Speaker::Person)
    {
        return vec![
            Event {
                text: text.to_owned(),
                ..base.clone()
            }
            .of_kind(EventKind::User),
        ];
    }
    events
}

/// Returns what a tool answered, or that it was refused before it ran.
///
/// A text alone cannot say that: what a tool prints may hold the same words. The answer must be
/// stated as failed.
pub fn answered(text: String, failed: Option<bool>, base: Event) -> Event {
    if let Some(refusal) = marks::refusal(&text).filter(|_| failed == Some(true)) {
        return Event { text, ..base }
            .of_kind(EventKind::Denial)
            .by(refusal.by);
    }
    Event {
        is_error: failed.unwrap_or_else(|| looks_like_error(&text)),
        text,
        ..base
    }
    .of_kind(EventKind::ToolResult)
}

fn assistant(message: &Value, text: String, base: &Event) -> Result<Vec<Event>, String> {
    let calls = calls(message, base)?;
    let refusal = values::text(message, "refusal");
    let thought = ["reasoning_content", "reasoning"]
        .iter()
        .find_map(|k| message.get(*k).and_then(Value::as_str))
        .filter(|t| !t.is_empty());
    let text = if text.is_empty() {
        refusal.unwrap_or_default()
    } else {
        text
    };
    let mut events: Vec<Event> = thought
        .map(|t| {
            Event {
                text: t.to_owned(),
                ..base.clone()
            }
            .of_kind(EventKind::Thinking)
        })
        .into_iter()
        .collect();
    if !text.is_empty() || (calls.is_empty() && events.is_empty()) {
        events.push(
            Event {
                text,
                ..base.clone()
            }
            .of_kind(EventKind::Agent),
        );
    }
    events.extend(calls);
    Ok(events)
}

/// The calls that are beside what a message says.
fn calls(message: &Value, base: &Event) -> Result<Vec<Event>, String> {
    let listed = message
        .get("tool_calls")
        .or_else(|| message.get("toolCalls"))
        .or_else(|| message.get("toolRequests"));
    let calls = match listed {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(calls)) => calls,
        Some(_) => return Err("`tool_calls` is not a list".to_owned()),
    };
    // One call, in the form that came before `tool_calls`.
    let legacy = message.get("function_call").filter(|c| c.is_object());
    Ok(calls
        .iter()
        .chain(legacy)
        .map(|call| call_event(call, base.clone()))
        .collect())
}

/// An item of the Responses API that is no message.
pub fn item(item: &Value, base: Event) -> Vec<Event> {
    match kind(item) {
        "reasoning" => {
            let summary = values::content(item.get("summary"));
            let text = if summary.is_empty() {
                values::content(item.get("content"))
            } else {
                summary
            };
            vec![Event { text, ..base }.of_kind(EventKind::Thinking)]
        }
        k if is_answer(k) => vec![item_answer(item, base)],
        k if is_call(k) => {
            let call = call_event(item, base.clone());
            // A tool that the API itself runs answers in its call.
            let output = ["output", "error"]
                .iter()
                .find_map(|k| item.get(*k).filter(|o| !o.is_null()));
            let Some(output) = output else {
                return vec![call];
            };
            let base = Event {
                tool: call.tool.clone(),
                tool_use_id: call.tool_use_id.clone(),
                ..base
            };
            vec![
                call,
                answered(values::content(Some(output)), stated(item), base),
            ]
        }
        _ => vec![base],
    }
}

/// An answer inside an object; the rest of it, which may be long, is not kept.
#[derive(Deserialize)]
struct Wrapped {
    output: Option<Value>,
    content: Option<Value>,
    metadata: Option<Value>,
    success: Option<Value>,
}

/// Returns what a tool answered: text, or an object with `output` or `content` and what it ended
/// with.
fn item_answer(item: &Value, base: Event) -> Event {
    let output = item.get("output").unwrap_or(&Value::Null);
    let inner = match output {
        Value::String(text) if text.trim_start().starts_with('{') => {
            serde_json::from_str::<Wrapped>(text).ok()
        }
        Value::Object(_) => Wrapped::deserialize(output).ok(),
        _ => None,
    };
    let said = inner
        .as_ref()
        .and_then(|o| o.output.as_ref().or(o.content.as_ref()));
    let text = said.map_or_else(
        || values::content(Some(output)),
        |s| values::content(Some(s)),
    );
    let code = inner
        .as_ref()
        .and_then(|o| o.metadata.as_ref())
        .and_then(|m| m.get("exit_code"))
        .and_then(Value::as_i64);
    let success = inner
        .as_ref()
        .and_then(|o| o.success.as_ref())
        .and_then(Value::as_bool);
    let failed = code
        .map(|c| c != 0)
        .or(success.map(|s| !s))
        .or_else(|| exited_badly(&text).then_some(true));
    answered(
        text,
        failed,
        Event {
            tool_use_id: values::text(item, "call_id"),
            ..base
        },
    )
}

/// True if the text of a command's answer says with which code it ended, and that is not 0.
fn exited_badly(text: &str) -> bool {
    let cue = |line: &str| {
        line.trim()
            .strip_prefix("Process exited with code ")
            .and_then(|n| n.trim_end_matches('.').trim().parse::<i64>().ok())
    };
    text.lines().find_map(cue).is_some_and(|code| code != 0)
}
