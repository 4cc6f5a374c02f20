//! The `openclaw` format: sessions of OpenClaw and of pi, on which it stands. A conversation may
//! branch; the branch of its last line is what happened.

use domain::event::{Event, EventKind, SessionHead, Speaker};
use serde_json::{Value, json};

use crate::transcripts::{
    lines::{Line, keep},
    messages, values,
    values::kind,
};

/// How the heading ends of a block that the program puts before what a person wrote.
const METADATA: &str = "(untrusted metadata):";

/// Reads one line a value.
pub struct OpenClaw;

impl Line for OpenClaw {
    fn session(&mut self, line: &Value) -> Option<String> {
        values::text(line, "id").filter(|_| kind(line) == "session")
    }

    fn head(&mut self, line: &Value, head: &mut SessionHead) {
        match kind(line) {
            "session" => keep(line, &["cwd", "parentSession"], head),
            "model_change" => keep(line, &["modelId", "provider"], head),
            _ => {}
        }
    }

    fn events(&mut self, line: &Value, base: Event) -> Result<Vec<Event>, String> {
        let told = |text: String| {
            vec![
                Event {
                    text,
                    ..base.clone()
                }
                .of_kind(EventKind::System),
            ]
        };
        Ok(match kind(line) {
            "message" => message_events(line.get("message").unwrap_or(&Value::Null), &base)?,
            "compaction" | "branch_summary" => {
                told(values::text(line, "summary").unwrap_or_default())
            }
            "custom_message" => told(values::content(line.get("content"))),
            "session" => Vec::new(),
            _ => vec![base],
        })
    }

    fn parent(&self, line: &Value) -> Option<(String, Option<String>)> {
        if kind(line) == "session" {
            return None;
        }
        Some((values::text(line, "id")?, values::text(line, "parentId")))
    }
}

fn message_events(message: &Value, base: &Event) -> Result<Vec<Event>, String> {
    let text = || values::content(message.get("content"));
    Ok(match message.get("role").and_then(Value::as_str) {
        Some("user") => {
            let (told, said) = apart(&text());
            let mut events: Vec<Event> = told
                .map(|text| {
                    Event {
                        text,
                        ..base.clone()
                    }
                    .of_kind(EventKind::System)
                })
                .into_iter()
                .collect();
            if !said.trim().is_empty() || events.is_empty() {
                // A date that the program put in front hides the words by which its own messages
                // are known.
                let undated = said
                    .trim_start()
                    .strip_prefix('[')
                    .and_then(|s| s.split_once("] "))
                    .filter(|(d, _)| is_date(d))
                    .map(|(_, s)| s);
                events.extend(messages::said_by_user(undated.unwrap_or(&said), base));
            }
            events
        }
        Some("bashExecution") => {
            let command = json!({"command": message.get("command")}).to_string();
            let call = Event {
                tool: Some("bash".to_owned()),
                text: command,
                ..base.clone()
            }
            .of_kind(EventKind::ToolUse)
            .by(Speaker::Person);
            let code = message.get("exitCode").and_then(Value::as_i64);
            let answer = Event {
                tool: Some("bash".to_owned()),
                ..base.clone()
            };
            vec![
                call,
                messages::answered(
                    values::content(message.get("output")),
                    code.map(|c| c != 0),
                    answer,
                ),
            ]
        }
        Some("custom" | "compactionSummary" | "branchSummary") => {
            let text = values::text(message, "summary").unwrap_or_else(text);
            vec![
                Event {
                    text,
                    ..base.clone()
                }
                .of_kind(EventKind::System),
            ]
        }
        Some(_) => {
            let mut events: Vec<Event> = messages::events(message, &base.raw)?
                .into_iter()
                .map(|e| Event {
                    external_id: base.external_id.clone(),
                    occurred_at: e.occurred_at.or(base.occurred_at),
                    ..e
                })
                .collect();
            match values::text(message, "stopReason").as_deref() {
                Some("aborted") => events.push(
                    Event {
                        text: "interrupted".to_owned(),
                        ..base.clone()
                    }
                    .of_kind(EventKind::Denial),
                ),
                Some("error") => {
                    let text = values::text(message, "errorMessage").unwrap_or_default();
                    events.push(
                        Event {
                            text,
                            ..base.clone()
                        }
                        .by(Speaker::Harness),
                    );
                }
                _ => {}
            }
            events
        }
        None => vec![base.clone()],
    })
}

/// True if a text between brackets is a date: short, with digits and a colon.
fn is_date(text: &str) -> bool {
    text.len() <= 40
        && text.contains(':')
        && text.chars().any(|c| c.is_ascii_digit())
        && !text.starts_with("cron:")
}

/// Returns what the program put before a text about who wrote it and where, and the text.
fn apart(text: &str) -> (Option<String>, String) {
    let mut rest = text;
    while let Some((heading, after)) = rest.trim_start().split_once('\n')
        && heading.trim_end().ends_with(METADATA)
        && let Some(block) = after.strip_prefix("```json\n")
        && let Some((_, after)) = block.split_once("\n```")
    {
        rest = after;
    }
    let told = text[..text.len() - rest.len()].trim();
    (
        (!told.is_empty()).then(|| told.to_owned()),
        rest.trim_start_matches('\n').to_owned(),
    )
}
