//! The `copilot` format: `events.jsonl` of a session of Copilot CLI.

use std::collections::HashSet;

use domain::event::{Event, EventKind, SessionHead, Speaker};
use serde_json::Value;

use crate::transcripts::{
    lines::{Line, keep},
    messages, values,
    values::kind,
};

/// Reads one line a value.
#[derive(Default)]
pub struct Copilot {
    /// Calls that a message of the agent announced.
    announced: HashSet<String>,
}

impl Line for Copilot {
    fn session(&mut self, line: &Value) -> Option<String> {
        line.get("data")
            .filter(|_| kind(line) == "session.start")
            .and_then(|d| values::text(d, "sessionId"))
    }

    fn head(&mut self, line: &Value, head: &mut SessionHead) {
        if !matches!(kind(line), "session.start" | "session.model_change") {
            return;
        }
        let data = line.get("data").unwrap_or(&Value::Null);
        keep(data, &["copilotVersion", "selectedModel", "newModel"], head);
        keep(
            data.get("context").unwrap_or(&Value::Null),
            &["cwd", "branch", "repository"],
            head,
        );
    }

    fn events(&mut self, line: &Value, base: Event) -> Result<Vec<Event>, String> {
        let data = line.get("data").unwrap_or(&Value::Null);
        let thread =
            values::text(data, "parentToolCallId").or_else(|| values::text(line, "agentId"));
        let base = Event { thread, ..base };
        let said = || values::content(data.get("content"));
        let harness = |text: String| {
            vec![
                Event {
                    text,
                    ..base.clone()
                }
                .by(Speaker::Harness),
            ]
        };
        Ok(match kind(line) {
            "user.message" => {
                let typed = matches!(
                    data.get("source").and_then(Value::as_str),
                    None | Some("user" | "human" | "cli")
                );
                match (typed, &base.thread) {
                    (true, None) => messages::said_by_user(&said(), &base),
                    (true, Some(_)) => vec![
                        Event {
                            text: said(),
                            ..base
                        }
                        .of_kind(EventKind::User)
                        .by(Speaker::ParentAgent),
                    ],
                    (false, _) => vec![
                        Event {
                            text: said(),
                            ..base
                        }
                        .of_kind(EventKind::System),
                    ],
                }
            }
            "system.message" => vec![
                Event {
                    text: said(),
                    ..base
                }
                .of_kind(EventKind::System),
            ],
            "assistant.message" => self.answer(data, said(), &base),
            "assistant.reasoning" => vec![
                Event {
                    text: said(),
                    ..base
                }
                .of_kind(EventKind::Thinking),
            ],
            "tool.execution_start" => {
                let call = messages::call_event(data, base.clone());
                let known = call
                    .tool_use_id
                    .as_ref()
                    .is_some_and(|id| self.announced.contains(id));
                vec![if known { base } else { call }]
            }
            "tool.execution_complete" => vec![ended(data, base)],
            "abort" => vec![
                Event {
                    text: "interrupted".to_owned(),
                    ..base
                }
                .of_kind(EventKind::Denial),
            ],
            "session.error" => harness(values::text(data, "message").unwrap_or_default()),
            _ => vec![base],
        })
    }
}

impl Copilot {
    fn answer(&mut self, data: &Value, said: String, base: &Event) -> Vec<Event> {
        let thought = values::text(data, "reasoningText");
        let mut events: Vec<Event> = thought
            .map(|text| {
                Event {
                    text,
                    ..base.clone()
                }
                .of_kind(EventKind::Thinking)
            })
            .into_iter()
            .collect();
        let calls = data
            .get("toolRequests")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let calls: Vec<Event> = calls
            .map(|call| messages::call_event(call, base.clone()))
            .collect();
        self.announced
            .extend(calls.iter().filter_map(|c| c.tool_use_id.clone()));
        if !said.is_empty() || (calls.is_empty() && events.is_empty()) {
            events.push(
                Event {
                    text: said,
                    ..base.clone()
                }
                .of_kind(EventKind::Agent),
            );
        }
        events.extend(calls);
        events
    }
}

fn ended(data: &Value, base: Event) -> Event {
    let failed = data.get("success").and_then(Value::as_bool).map(|s| !s);
    let error = data.get("error").filter(|e| !e.is_null());
    let result = data.get("result").map(|r| r.get("content").unwrap_or(r));
    let text = match error {
        Some(error) => {
            values::text(error, "message").unwrap_or_else(|| values::content(Some(error)))
        }
        None => values::content(result),
    };
    let base = Event {
        tool: values::text(data, "toolName"),
        tool_use_id: values::text(data, "toolCallId"),
        ..base
    };
    match error.and_then(|e| values::text(e, "code")).as_deref() {
        Some("rejected" | "denied") => {
            let by = if text.contains("hook") || text.contains("policy") {
                Speaker::Harness
            } else {
                Speaker::Person
            };
            Event { text, ..base }.of_kind(EventKind::Denial).by(by)
        }
        _ => messages::answered(text, failed, base),
    }
}
