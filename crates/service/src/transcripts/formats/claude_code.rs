//! The `claude-code` format: the lines of a project folder's files and of `stream-json`. Who speaks
//! is read from the marks that the program leaves (see `marks`). A sub-agent's lines belong to its
//! main session, as a conversation of their own in it, whichever file they are in. A line of an
//! unknown type is kept as it came; one without a session id belongs to the session before it, else
//! to the one after it, else to the file's name.

use std::{collections::HashMap, io};

use domain::event::{
    Event, EventKind, Outcome, OutcomeResult, Speaker, Standing, looks_like_error,
};
use serde_json::Value;

use crate::transcripts::{
    Place, Reader, Spool, line_id, marks, messages, numbered, parse, values, values::kind,
};

pub(crate) const SOURCE: &str = "claude-code";
/// Texts typed while the agent worked that are remembered, to know them again when they are
/// delivered.
const MOST_QUEUED: usize = 200;

/// Reads one line a value.
#[derive(Default)]
pub struct ClaudeCode {
    current: Option<String>,
    /// What people typed while the agent worked and was read when they did; how often it is still
    /// to be delivered.
    queued: HashMap<String, usize>,
}

impl Reader for ClaudeCode {
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
        if let Some(id) =
            values::text(&line, "sessionId").or_else(|| values::text(&line, "session_id"))
        {
            self.current = Some(id);
        } else if kind(&line) == "summary" && self.current.is_none() {
            // Claude Code puts summaries of earlier sessions at the top of a file; they are of none
            // in it.
            return Ok(Ok(()));
        }
        let id = self
            .current
            .get_or_insert_with(|| at.source.id_of(text))
            .clone();
        spool.shared_session(SOURCE, &id)?;
        note_head(&line, spool);
        let from = spool.events_so_far();
        let events = self.events(&line, text);
        let typed = events.iter().any(|e| {
            e.kind == EventKind::User && e.speaker == Speaker::Person && e.thread.is_none()
        });
        for event in events {
            spool.event(event)?;
        }
        if let Some(uuid) =
            values::text(&line, "uuid").filter(|_| values::text(&line, "agentId").is_none())
        {
            let parent = values::text(&line, "parentUuid")
                .or_else(|| values::text(&line, "logicalParentUuid"));
            spool.turn(&uuid, parent, typed, from);
        }
        Ok(Ok(()))
    }
}

fn is(line: &Value, key: &str) -> bool {
    line.get(key) == Some(&Value::Bool(true))
}

fn note_head(line: &Value, spool: &mut Spool) {
    let Some(head) = spool.head() else { return };
    for key in ["cwd", "gitBranch", "version", "model"] {
        if let Some(text) = values::text(line, key) {
            head.metadata.entry(key).or_insert(Value::String(text));
        }
    }
    match kind(line) {
        "result" => {
            let good = line.get("subtype").and_then(Value::as_str) == Some("success")
                && !is(line, "is_error");
            let result = if good {
                OutcomeResult::Success
            } else {
                OutcomeResult::Failure
            };
            head.outcome = Some(Outcome::stated(result));
        }
        "pr-link" => {
            if let Some(url) = values::text(line, "prUrl").or_else(|| values::text(line, "url")) {
                head.metadata
                    .insert("pull_request".to_owned(), Value::String(url));
            }
        }
        _ => {}
    }
}

impl ClaudeCode {
    fn events(&mut self, line: &Value, raw: &str) -> Vec<Event> {
        let forked = line.get("forkedFrom");
        let base = Event {
            external_id: values::text(line, "uuid").or_else(|| Some(line_id(raw))),
            thread: values::text(line, "agentId")
                .or_else(|| is(line, "isSidechain").then(|| "sub-agent".to_owned())),
            standing: if forked.is_some_and(|f| !f.is_null()) {
                Standing::Copied
            } else {
                Standing::Live
            },
            copied_from: forked.and_then(|f| values::text(f, "sessionId")),
            occurred_at: values::time(line.get("timestamp")),
            ..Event::new(EventKind::Raw, String::new())
        };
        let content = line.get("message").and_then(|m| m.get("content"));
        let events = match (kind(line), content) {
            ("user", Some(content)) => self.message(
                content,
                user_speaker(line),
                &base,
                line.get("toolUseResult").is_some_and(Value::is_object),
            ),
            ("assistant", Some(content))
                if is(line, "isApiErrorMessage") || model(line) == Some("<synthetic>") =>
            {
                vec![
                    Event {
                        text: values::content(Some(content)),
                        ..base
                    }
                    .by(Speaker::Harness),
                ]
            }
            ("assistant", Some(content)) => self.message(content, Speaker::Agent, &base, false),
            ("system", _) => {
                let text = values::content(line.get("content").or_else(|| line.get("subtype")));
                vec![Event { text, ..base }.of_kind(EventKind::System)]
            }
            ("result", _) => vec![
                Event {
                    text: values::content(line.get("result")),
                    ..base
                }
                .of_kind(EventKind::Outcome),
            ],
            ("summary", _) => vec![Event {
                text: values::content(line.get("summary")),
                ..base
            }],
            ("tool_call", _) => cursor_call(line, base),
            ("queue-operation", _) => self.enqueued(line, base),
            ("attachment", _) => self.attached(line, base),
            _ => vec![base],
        };
        numbered(events, raw)
    }

    /// Returns what was put into the queue while the agent worked: read when it was typed. Other
    /// operations only move it.
    fn enqueued(&mut self, line: &Value, base: Event) -> Vec<Event> {
        let text = values::content(line.get("content"));
        if line.get("operation").and_then(Value::as_str) != Some("enqueue")
            || text.trim().is_empty()
        {
            return vec![base];
        }
        if self.queued.len() < MOST_QUEUED {
            *self.queued.entry(text.trim().to_owned()).or_default() += 1;
        }
        said(&text, Speaker::Person, &base)
    }

    /// Returns what the program attached: a queued command is what a person typed, unless it was
    /// read when it was put into the queue.
    fn attached(&mut self, line: &Value, base: Event) -> Vec<Event> {
        let attachment = line.get("attachment").unwrap_or(&Value::Null);
        if kind(attachment) != "queued_command" {
            return vec![base];
        }
        let text = values::content(
            attachment
                .get("prompt")
                .or_else(|| attachment.get("content")),
        );
        let typed = matches!(
            attachment.get("commandMode").and_then(Value::as_str),
            None | Some("prompt")
        );
        if text.trim().is_empty() || self.is_delivered(&text) {
            return vec![base];
        }
        said(
            &text,
            if typed {
                Speaker::Person
            } else {
                Speaker::Harness
            },
            &base,
        )
    }

    /// True if a text was read before, when it was put into the queue.
    fn is_delivered(&mut self, text: &str) -> bool {
        let Some(count) = self.queued.get_mut(text.trim()) else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            self.queued.remove(text.trim());
        }
        true
    }

    /// `ran` says that a tool's result is beside the message, so that the tool was not refused.
    fn message(
        &mut self,
        content: &Value,
        speaker: Speaker,
        base: &Event,
        ran: bool,
    ) -> Vec<Event> {
        let by_person = speaker == Speaker::Person;
        let Value::Array(blocks) = content else {
            let text = values::content(Some(content));
            return if by_person && self.is_delivered(&text) {
                vec![base.clone()]
            } else {
                said(&text, speaker, base)
            };
        };
        blocks
            .iter()
            .flat_map(|block| match kind(block) {
                "text" => {
                    let text = values::content(block.get("text"));
                    if by_person && self.is_delivered(&text) {
                        vec![base.clone()]
                    } else {
                        said(&text, speaker, base)
                    }
                }
                _ => block_events(block, base, ran),
            })
            .collect()
    }
}

/// A call of Cursor's agent, begun or ended: an object with the tool as its only key.
fn cursor_call(line: &Value, base: Event) -> Vec<Event> {
    let call = line
        .get("tool_call")
        .and_then(Value::as_object)
        .and_then(|o| o.iter().next());
    let Some((name, call)) = call else {
        return vec![base];
    };
    let id = values::text(line, "call_id");
    let subtype = values::text(line, "subtype").unwrap_or_default();
    let base = Event {
        external_id: id
            .as_ref()
            .map(|id| format!("{subtype}:{id}"))
            .or(base.external_id),
        tool: Some(name.strip_suffix("ToolCall").unwrap_or(name).to_owned()),
        tool_use_id: id,
        occurred_at: base
            .occurred_at
            .or_else(|| values::time(line.get("timestamp_ms"))),
        ..base
    };
    if subtype == "started" {
        let arguments = call
            .get("args")
            .map_or_else(|| "{}".to_owned(), Value::to_string);
        return vec![
            Event {
                text: arguments,
                ..base
            }
            .of_kind(EventKind::ToolUse),
        ];
    }
    let result = call.get("result").unwrap_or(&Value::Null);
    if let Some(rejected) = result.get("rejected") {
        return vec![
            Event {
                text: values::text(rejected, "reason").unwrap_or_else(|| "rejected".to_owned()),
                ..base
            }
            .of_kind(EventKind::Denial),
        ];
    }
    let error = result.get("error");
    let said = error.or_else(|| result.get("success")).unwrap_or(result);
    let text = ["errorMessage", "content", "stdout", "output", "message"]
        .iter()
        .find_map(|k| values::text(said, k));
    vec![messages::answered(
        text.unwrap_or_else(|| said.to_string()),
        error.map(|_| true),
        base,
    )]
}

/// Whose words a line in the user's role holds, beside what is marked in it.
fn user_speaker(line: &Value) -> Speaker {
    let written = [
        "isMeta",
        "isSynthetic",
        "isCompactSummary",
        "isVisibleInTranscriptOnly",
    ]
    .iter()
    .any(|k| is(line, k));
    let origin = line
        .get("origin")
        .and_then(|o| o.get("kind"))
        .and_then(Value::as_str);
    if written || origin.is_some_and(|o| !matches!(o, "human" | "user" | "person" | "keyboard")) {
        Speaker::Harness
    } else if is(line, "isSidechain") || values::text(line, "agentId").is_some() {
        Speaker::ParentAgent
    } else {
        Speaker::Person
    }
}

fn model(line: &Value) -> Option<&str> {
    line.get("message")
        .and_then(|m| m.get("model"))
        .and_then(Value::as_str)
}

/// A text as events: of the user's role, what is marked in it apart from the rest.
fn said(text: &str, speaker: Speaker, base: &Event) -> Vec<Event> {
    if speaker == Speaker::Agent {
        return vec![
            Event {
                text: text.to_owned(),
                ..base.clone()
            }
            .of_kind(EventKind::Agent),
        ];
    }
    if marks::is_interruption(text) {
        return vec![
            Event {
                text: text.trim().to_owned(),
                ..base.clone()
            }
            .of_kind(EventKind::Denial),
        ];
    }
    let events = marks::events(text, speaker, base);
    if events.is_empty() {
        vec![base.clone()]
    } else {
        events
    }
}

fn block_events(block: &Value, base: &Event, ran: bool) -> Vec<Event> {
    let base = base.clone();
    match kind(block) {
        "thinking" => vec![
            Event {
                text: values::content(block.get("thinking")),
                ..base
            }
            .of_kind(EventKind::Thinking),
        ],
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            let call = Event {
                tool: values::text(block, "name"),
                tool_use_id: values::text(block, "id"),
                text: block
                    .get("input")
                    .map_or_else(|| "{}".to_owned(), Value::to_string),
                ..base
            };
            vec![call.of_kind(EventKind::ToolUse)]
        }
        "tool_result" | "mcp_tool_result" | "web_search_tool_result" => answer(block, base, ran),
        // The bytes of images and documents are not text; their place is.
        "image" | "document" => vec![Event {
            text: values::content(Some(&Value::Array(vec![block.clone()]))),
            ..base
        }],
        _ => vec![base],
    }
}

/// Returns what a tool answered; what was refused is no answer of the tool.
fn answer(block: &Value, base: Event, ran: bool) -> Vec<Event> {
    let text = values::content(block.get("content"));
    let base = Event {
        tool_use_id: values::text(block, "tool_use_id"),
        ..base
    };
    let stated = block.get("is_error").and_then(Value::as_bool);
    // What a tool prints may hold the same words: the program states a refusal as failed, and has
    // no result of the tool beside it.
    if let Some(refusal) = marks::refusal(&text).filter(|_| stated == Some(true) && !ran) {
        let words = refusal.words.map(|words| {
            Event {
                text: words,
                tool_use_id: None,
                ..base.clone()
            }
            .of_kind(EventKind::User)
        });
        let denial = Event { text, ..base }
            .of_kind(EventKind::Denial)
            .by(refusal.by);
        return [denial].into_iter().chain(words).collect();
    }
    vec![
        Event {
            is_error: stated.unwrap_or_else(|| looks_like_error(&text)),
            text,
            ..base
        }
        .of_kind(EventKind::ToolResult),
    ]
}
