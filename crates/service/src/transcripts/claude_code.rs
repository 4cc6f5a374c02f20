//! The `claude-code` format: the lines of a project folder's files and of `stream-json`. A line of an unknown type is kept as it
//! came. A line without a session id belongs to the session before it, else to the one after it, else to the file's name.

use std::io;

use domain::event::{Event, EventKind, Outcome, OutcomeResult, looks_like_error};
use serde_json::Value;

use super::{Place, Reader, Spool, parse, values};

const SOURCE: &str = "claude-code";

/// Reads one line a value.
#[derive(Default)]
pub struct ClaudeCode {
    current: Option<String>,
}

impl Reader for ClaudeCode {
    fn take(&mut self, text: &str, at: &Place, spool: &mut Spool) -> io::Result<Result<(), String>> {
        let line = match parse(text) {
            Ok(line) => line,
            Err(reason) => {
                spool.doom_next();
                return Ok(Err(reason));
            }
        };
        if let Some(id) = values::text(&line, "sessionId").or_else(|| values::text(&line, "session_id")) {
            // A sub-agent's transcript carries its parent's session id, and is a session of its own.
            self.current = Some(match values::text(&line, "agentId") {
                Some(agent) => format!("{id}/{agent}"),
                None => id,
            });
        } else if line.get("type").and_then(Value::as_str) == Some("summary") && self.current.is_none() {
            // Claude Code puts summaries of earlier sessions at the top of a file; they are of none in it.
            return Ok(Ok(()));
        }
        self.stay(at, spool);
        note_head(&line, spool);
        for event in line_events(&line, text) {
            spool.event(event)?;
        }
        Ok(Ok(()))
    }
}

impl ClaudeCode {
    fn stay(&mut self, at: &Place, spool: &mut Spool) {
        let id = self.current.get_or_insert_with(|| at.source.stem.clone());
        spool.session(SOURCE, id);
    }
}

fn note_head(line: &Value, spool: &mut Spool) {
    let Some(head) = spool.head() else { return };
    for key in ["cwd", "gitBranch", "version", "model"] {
        if let Some(text) = values::text(line, key) {
            head.metadata.entry(key).or_insert(Value::String(text));
        }
    }
    if line.get("type").and_then(Value::as_str) == Some("result") {
        let good = line.get("subtype").and_then(Value::as_str) == Some("success") && line.get("is_error") != Some(&Value::Bool(true));
        let result = if good { OutcomeResult::Success } else { OutcomeResult::Failure };
        head.outcome = Some(Outcome { result, score: None });
    }
}

fn line_events(line: &Value, raw: &str) -> Vec<Event> {
    let kind = line.get("type").and_then(Value::as_str).unwrap_or_default();
    let base = Event {
        external_id: values::text(line, "uuid"),
        kind: EventKind::Raw,
        tool: None,
        tool_use_id: None,
        is_error: false,
        text: String::new(),
        occurred_at: values::time(line.get("timestamp")),
        raw: raw.to_owned(),
    };
    let content = line.get("message").and_then(|m| m.get("content"));
    match (kind, content) {
        ("user" | "assistant", Some(content)) => message_events(kind, content, &base),
        ("system", _) => {
            vec![Event { kind: EventKind::System, text: values::content(line.get("content").or_else(|| line.get("subtype"))), ..base }]
        }
        ("result", _) => vec![Event { kind: EventKind::Outcome, text: values::content(line.get("result")), ..base }],
        ("summary", _) => vec![Event { text: values::content(line.get("summary")), ..base }],
        _ => vec![base],
    }
}

fn message_events(role: &str, content: &Value, base: &Event) -> Vec<Event> {
    let speaker = if role == "user" { EventKind::User } else { EventKind::Agent };
    let Value::Array(blocks) = content else {
        return vec![Event { kind: speaker, text: values::content(Some(content)), ..base.clone() }];
    };
    let mut events: Vec<Event> = blocks.iter().map(|block| block_event(block, speaker, base)).collect();
    for (number, event) in events.iter_mut().enumerate().skip(1) {
        // The line's JSON stands once; its further events are told apart by number.
        event.raw = String::new();
        event.external_id = event.external_id.as_ref().map(|id| format!("{id}#{number}"));
    }
    events
}

fn block_event(block: &Value, speaker: EventKind, base: &Event) -> Event {
    let base = base.clone();
    match block.get("type").and_then(Value::as_str).unwrap_or_default() {
        "text" => Event { kind: speaker, text: values::content(block.get("text")), ..base },
        "thinking" => Event { kind: EventKind::Thinking, text: values::content(block.get("thinking")), ..base },
        "tool_use" => Event {
            kind: EventKind::ToolUse,
            tool: values::text(block, "name"),
            tool_use_id: values::text(block, "id"),
            text: block.get("input").map_or_else(|| "{}".to_owned(), Value::to_string),
            ..base
        },
        "tool_result" => {
            let text = values::content(block.get("content"));
            let stated = block.get("is_error").and_then(Value::as_bool);
            Event {
                kind: EventKind::ToolResult,
                tool_use_id: values::text(block, "tool_use_id"),
                is_error: stated.unwrap_or_else(|| looks_like_error(&text)),
                text,
                ..base
            }
        }
        _ => base,
    }
}
