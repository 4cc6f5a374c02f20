//! The `codex` format: rollouts of a sessions folder, and what `exec --json` prints. A message
//! is in a rollout twice, as an event and as an item of the answer: what a person typed is read
//! from the event, everything else from the items. After a compaction the history is there
//! again and is not read again.

use std::io;

use domain::event::{Event, EventKind, Outcome, OutcomeResult, Speaker};
use serde_json::Value;

use crate::transcripts::{
    Place, Reader, Spool, marks, messages, numbered, parse, values, values::kind,
};

pub(crate) const SOURCE: &str = "codex";
/// The session from which a rollout was forked; it begins with a copy of what was said there,
/// written anew.
pub(crate) const FORKED_FROM: &str = "forked_from_id";
/// Kinds of lines of a rollout, each with a `payload`.
const LINES: &[&str] = &[
    "session_meta",
    "response_item",
    "event_msg",
    "turn_context",
    "compacted",
];
/// Kinds of lines of `exec --json`.
const EXEC: &[&str] = &[
    "thread.started",
    "turn.started",
    "turn.completed",
    "turn.failed",
    "item.started",
    "item.updated",
    "item.completed",
];

/// True if a line of this type is of this format.
pub fn is_line(kind: &str, has_payload: bool) -> bool {
    (has_payload && LINES.contains(&kind)) || EXEC.contains(&kind)
}

/// Reads one line a value.
#[derive(Default)]
pub struct Codex {
    current: Option<String>,
    /// A rollout has events of what people typed; without them the items are all there is.
    typed: bool,
    /// What a person typed as the item before said it, before it was known that there are events.
    said: Option<String>,
    /// It is the rollout of a sub-agent: what is in the user's role is its parent's.
    sub_agent: bool,
}

impl Reader for Codex {
    fn take(
        &mut self,
        text: &str,
        at: &Place,
        spool: &mut Spool,
    ) -> io::Result<Result<(), String>> {
        let line = match parse(text) {
            Ok(line) => line,
            Err(reason) => return Ok(Err(reason)),
        };
        let payload = line.get("payload").unwrap_or(&Value::Null);
        if kind(&line) == "session_meta" && self.current.is_none() {
            self.current = values::text(payload, "id");
            self.sub_agent = payload
                .get("source")
                .is_some_and(|s| s.get("subagent").or_else(|| s.get("subAgent")).is_some());
        } else if kind(&line) == "thread.started" {
            self.current = values::text(&line, "thread_id");
        }
        let id = self
            .current
            .get_or_insert_with(|| at.source.id_of(text))
            .clone();
        spool.shared_session(SOURCE, &id)?;
        note_head(&line, payload, spool);
        let base = Event {
            // Lines have no ids of their own; a file only grows at its end, and a broken line
            // counts.
            external_id: Some(at.number.to_string()),
            occurred_at: values::time(line.get("timestamp")),
            ..Event::new(EventKind::Raw, String::new())
        };
        let events = match kind(&line) {
            "event_msg" => self.event(payload, base),
            "response_item" => self.item(payload, base),
            "item.completed" => exec_item(line.get("item").unwrap_or(&Value::Null), base),
            "turn.failed" | "error" => vec![
                Event {
                    text: failure(&line),
                    ..base
                }
                .by(Speaker::Harness),
            ],
            _ => vec![base],
        };
        for event in numbered(events, text) {
            spool.event(event)?;
        }
        Ok(Ok(()))
    }
}

fn note_head(line: &Value, payload: &Value, spool: &mut Spool) {
    let Some(head) = spool.head() else { return };
    match kind(line) {
        "session_meta" | "turn_context" => {
            for key in ["cwd", "cli_version", "model", "originator", FORKED_FROM] {
                if let Some(text) = values::text(payload, key) {
                    head.metadata.entry(key).or_insert(Value::String(text));
                }
            }
        }
        "turn.failed" => head.outcome = Some(Outcome::stated(OutcomeResult::Failure)),
        _ => {}
    }
}

fn failure(line: &Value) -> String {
    line.get("error")
        .and_then(|e| values::text(e, "message"))
        .or_else(|| values::text(line, "message"))
        .unwrap_or_default()
}

impl Codex {
    fn event(&mut self, payload: &Value, base: Event) -> Vec<Event> {
        match kind(payload) {
            "user_message" => {
                self.typed = true;
                let text = values::content(payload.get("message"));
                if self
                    .said
                    .take()
                    .is_some_and(|said| said.trim() == text.trim())
                {
                    return vec![base];
                }
                typed(&text, self.speaker(), &base)
            }
            "turn_aborted" => vec![
                Event {
                    text: "interrupted".to_owned(),
                    ..base
                }
                .of_kind(EventKind::Denial),
            ],
            // The items say the rest.
            _ => vec![base],
        }
    }

    /// Returns who speaks in the user's role, but for what is marked.
    fn speaker(&self) -> Speaker {
        if self.sub_agent {
            Speaker::ParentAgent
        } else {
            Speaker::Person
        }
    }

    fn item(&mut self, item: &Value, base: Event) -> Vec<Event> {
        let said = || message_text(item);
        match kind(item) {
            "message" => match item.get("role").and_then(Value::as_str).unwrap_or_default() {
                "assistant" => vec![
                    Event {
                        text: said(),
                        ..base
                    }
                    .of_kind(EventKind::Agent),
                ],
                "user" => {
                    let text = said();
                    let parts = typed(&text, self.speaker(), &base);
                    // What a person typed is read from its event, where there are events; the first
                    // of them comes after its item.
                    let told = |e: &Event| e.speaker == Speaker::Harness;
                    if parts.iter().all(told) {
                        return parts;
                    }
                    if self.typed {
                        return vec![base];
                    }
                    self.said = Some(text);
                    parts
                }
                "developer" | "system" => vec![
                    Event {
                        text: said(),
                        ..base
                    }
                    .of_kind(EventKind::System),
                ],
                _ => vec![base],
            },
            _ => messages::item(item, base),
        }
    }
}

/// A text in the user's role, what the program marks in it apart from the rest.
fn typed(text: &str, speaker: Speaker, base: &Event) -> Vec<Event> {
    let events = marks::events(text, speaker, base);
    if events.is_empty() {
        vec![base.clone()]
    } else {
        events
    }
}

fn message_text(item: &Value) -> String {
    values::content(item.get("content"))
}

/// An item of `exec --json`.
fn exec_item(item: &Value, base: Event) -> Vec<Event> {
    let text = |key: &str| values::content(item.get(key));
    let id = values::text(item, "id");
    match values::text(item, "type")
        .or_else(|| values::text(item, "item_type"))
        .as_deref()
    {
        Some("agent_message" | "assistant_message") => vec![
            Event {
                text: text("text"),
                ..base
            }
            .of_kind(EventKind::Agent),
        ],
        Some("reasoning") => vec![
            Event {
                text: text("text"),
                ..base
            }
            .of_kind(EventKind::Thinking),
        ],
        Some("command_execution") => {
            let code = item.get("exit_code").and_then(Value::as_i64);
            let call = Event {
                tool: Some("command_execution".to_owned()),
                tool_use_id: id.clone(),
                text: serde_json::json!({"command": text("command")}).to_string(),
                ..base.clone()
            };
            let answered = Event {
                tool: Some("command_execution".to_owned()),
                tool_use_id: id,
                is_error: code.is_some_and(|c| c != 0)
                    || values::text(item, "status").as_deref() == Some("failed"),
                text: text("aggregated_output"),
                ..base
            };
            vec![
                call.of_kind(EventKind::ToolUse),
                answered.of_kind(EventKind::ToolResult),
            ]
        }
        Some("mcp_tool_call") => {
            let tool = values::text(item, "tool");
            let call = Event {
                tool: tool.clone(),
                tool_use_id: id.clone(),
                text: item
                    .get("arguments")
                    .map_or_else(|| "{}".to_owned(), Value::to_string),
                ..base.clone()
            };
            let failed = item.get("error").is_some_and(|e| !e.is_null());
            let said = if failed {
                failure(item)
            } else {
                text("result")
            };
            let answered = Event {
                tool,
                tool_use_id: id,
                is_error: failed,
                text: said,
                ..base
            };
            vec![
                call.of_kind(EventKind::ToolUse),
                answered.of_kind(EventKind::ToolResult),
            ]
        }
        Some("error") => vec![
            Event {
                text: text("message"),
                ..base
            }
            .by(Speaker::Harness),
        ],
        _ => vec![base],
    }
}
