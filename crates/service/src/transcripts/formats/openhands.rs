//! The `openhands` format: trajectories of OpenHands, lists of actions and observations, also
//! inside the results of an evaluation; and the events of its SDK.

use domain::event::{Event, EventKind, SessionHead, Speaker};
use serde_json::{Value, json};

use crate::transcripts::{Place, documents::Conversation, lines::Line, messages, values};

/// The session of one result of an evaluation.
pub fn read(text: &str, _: &Place) -> Result<Vec<Conversation>, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| values::not_json(&e))?;
    let task = values::text(&value, "instance_id");
    let resolved = ["test_result", "report"]
        .iter()
        .find_map(|k| value.get(*k))
        .and_then(resolved);
    let head = SessionHead {
        external_id: task.clone(),
        task_key: task,
        outcome: resolved.and_then(|r| values::outcome(&Value::Bool(r))),
        ..SessionHead::default()
    };
    let mut conversation = Conversation::new(head);
    conversation.task_alone = true;
    let list = value
        .get("history")
        .and_then(Value::as_array)
        .ok_or("a result needs a list `history`")?;
    // Older results pair each action with its observation.
    let flat = list
        .iter()
        .flat_map(|e| e.as_array().map_or(std::slice::from_ref(e), Vec::as_slice));
    for event in flat {
        let base = Event {
            external_id: values::text(event, "id"),
            occurred_at: values::time(event.get("timestamp")),
            raw: event.to_string(),
            ..Event::new(EventKind::Raw, String::new())
        };
        // In an evaluation no person speaks: the task and what the agent is told to go on with come
        // from the program.
        let told = |e: Event| {
            if e.speaker == Speaker::Person && e.kind == EventKind::User {
                e.of_kind(EventKind::System)
            } else {
                e
            }
        };
        conversation.message(event_events(event, &base).into_iter().map(told).collect());
    }
    Ok(vec![conversation])
}

fn resolved(result: &Value) -> Option<bool> {
    result
        .get("resolved")
        .or_else(|| result.get("report").and_then(|r| r.get("resolved")))
        .and_then(Value::as_bool)
}

/// Events, one a value.
pub struct OpenHands;

impl Line for OpenHands {
    fn session(&mut self, line: &Value) -> Option<String> {
        values::text(line, "session_id").or_else(|| values::text(line, "conversation_id"))
    }

    fn events(&mut self, line: &Value, base: Event) -> Result<Vec<Event>, String> {
        Ok(event_events(line, &base))
    }
}

fn event_events(event: &Value, base: &Event) -> Vec<Event> {
    if let Some(kind) = values::text(event, "kind") {
        sdk_events(&kind, event, base)
    } else if let Some(action) = values::text(event, "action") {
        action_events(&action, event, base)
    } else if let Some(observation) = values::text(event, "observation") {
        vec![observed(&observation, event, base.clone())]
    } else {
        vec![base.clone()]
    }
}

fn action_events(action: &str, event: &Value, base: &Event) -> Vec<Event> {
    let args = event.get("args").unwrap_or(&Value::Null);
    let said = || {
        ["content", "final_thought", "thought"]
            .iter()
            .find_map(|k| values::text(args, k))
            .unwrap_or_default()
    };
    let by_user = event.get("source").is_some_and(|s| s == "user");
    match action {
        "message" if by_user => messages::said_by_user(&said(), base),
        "message" | "finish" => vec![
            Event {
                text: said(),
                ..base.clone()
            }
            .of_kind(EventKind::Agent),
        ],
        "system" => vec![
            Event {
                text: said(),
                ..base.clone()
            }
            .of_kind(EventKind::System),
        ],
        "think" => vec![
            Event {
                text: said(),
                ..base.clone()
            }
            .of_kind(EventKind::Thinking),
        ],
        "null" | "change_agent_state" | "recall" | "condensation" | "condensation_request" => {
            vec![base.clone()]
        }
        _ => {
            let (tool, id) = called(event);
            let mut kept = args.clone();
            let thought = kept
                .as_object_mut()
                .and_then(|a| a.remove("thought"))
                .filter(|t| t.as_str().is_some_and(|t| !t.is_empty()));
            if let Some(kept) = kept.as_object_mut() {
                kept.retain(|key, value| {
                    !value.is_null()
                        && !matches!(
                            key.as_str(),
                            "is_input" | "hidden" | "confirmation_state" | "blocking"
                        )
                });
            }
            let call = Event {
                tool: tool.or_else(|| Some(action.to_owned())),
                tool_use_id: id,
                text: kept.to_string(),
                ..base.clone()
            };
            // A command that a person ran by hand is theirs.
            let call = call.of_kind(EventKind::ToolUse).by(if by_user {
                Speaker::Person
            } else {
                Speaker::Agent
            });
            let thought = thought.map(|t| {
                Event {
                    text: values::content(Some(&t)),
                    ..base.clone()
                }
                .of_kind(EventKind::Agent)
            });
            thought.into_iter().chain([call]).collect()
        }
    }
}

/// The tool and the call's id: of the model's call, else of the action that caused it.
fn called(event: &Value) -> (Option<String>, Option<String>) {
    let call = event.get("tool_call_metadata").unwrap_or(&Value::Null);
    let own = if event.get("cause").is_some() {
        values::text(event, "cause")
    } else {
        values::text(event, "id")
    };
    (
        values::text(call, "function_name"),
        values::text(call, "tool_call_id").or(own),
    )
}

fn observed(observation: &str, event: &Value, base: Event) -> Event {
    let extras = event.get("extras").unwrap_or(&Value::Null);
    let (tool, id) = called(event);
    let text = values::content(event.get("content"));
    if matches!(
        observation,
        "null" | "agent_state_changed" | "recall" | "condense" | "think"
    ) {
        return base;
    }
    if observation == "user_rejected" {
        return Event {
            text,
            tool,
            tool_use_id: id,
            ..base
        }
        .of_kind(EventKind::Denial);
    }
    let base = Event {
        tool: tool.or_else(|| Some(observation.to_owned()).filter(|o| o != "error")),
        tool_use_id: id,
        ..base
    };
    let code = extras
        .get("metadata")
        .unwrap_or(extras)
        .get("exit_code")
        .and_then(Value::as_i64);
    let success = event.get("success").and_then(Value::as_bool);
    let failed = if observation == "error" {
        Some(true)
    } else {
        code.map(|c| c != 0).or(success.map(|s| !s))
    };
    messages::answered(text, failed, base)
}

/// Events of the SDK.
fn sdk_events(kind: &str, event: &Value, base: &Event) -> Vec<Event> {
    let id = values::text(event, "tool_call_id").or_else(|| values::text(event, "action_id"));
    let base_of_tool = Event {
        tool: values::text(event, "tool_name"),
        tool_use_id: id,
        ..base.clone()
    };
    match kind {
        "SystemPromptEvent" => {
            let prompt = event.get("system_prompt").unwrap_or(&Value::Null);
            vec![
                Event {
                    text: values::content(Some(prompt.get("text").unwrap_or(prompt))),
                    ..base.clone()
                }
                .of_kind(EventKind::System),
            ]
        }
        "MessageEvent" => {
            let text = event
                .get("llm_message")
                .map(|m| values::content(m.get("content")))
                .unwrap_or_default();
            match event.get("source").and_then(Value::as_str) {
                Some("user") => messages::said_by_user(&text, base),
                Some("agent") => vec![
                    Event {
                        text,
                        ..base.clone()
                    }
                    .of_kind(EventKind::Agent),
                ],
                _ => vec![
                    Event {
                        text,
                        ..base.clone()
                    }
                    .of_kind(EventKind::System),
                ],
            }
        }
        "ActionEvent" => {
            let thought = values::content(
                event
                    .get("thought")
                    .filter(|t| t.as_array().is_none_or(|a| !a.is_empty())),
            );
            let arguments = event
                .get("action")
                .filter(|a| !a.is_null())
                .cloned()
                .unwrap_or_else(|| json!({}));
            let call = Event {
                text: arguments.to_string(),
                ..base_of_tool
            }
            .of_kind(EventKind::ToolUse);
            let thought = (!thought.is_empty()).then(|| {
                Event {
                    text: thought,
                    ..base.clone()
                }
                .of_kind(EventKind::Agent)
            });
            thought.into_iter().chain([call]).collect()
        }
        "ObservationEvent" => {
            let seen = event.get("observation").unwrap_or(&Value::Null);
            let text = values::content(
                ["content", "output", "text"]
                    .iter()
                    .find_map(|k| seen.get(*k)),
            );
            let code = seen
                .get("exit_code")
                .or_else(|| seen.get("metadata").and_then(|m| m.get("exit_code")))
                .and_then(Value::as_i64);
            let stated = seen.get("is_error").and_then(Value::as_bool).filter(|e| *e);
            vec![messages::answered(
                text,
                stated.or(code.map(|c| c != 0)),
                base_of_tool,
            )]
        }
        "AgentErrorEvent" => {
            vec![messages::answered(
                values::text(event, "error").unwrap_or_default(),
                Some(true),
                base_of_tool,
            )]
        }
        "UserRejectObservation" => {
            let text = values::text(event, "rejection_reason").unwrap_or_default();
            vec![
                Event {
                    text,
                    ..base_of_tool
                }
                .of_kind(EventKind::Denial),
            ]
        }
        "PauseEvent" => vec![
            Event {
                text: "interrupted".to_owned(),
                ..base.clone()
            }
            .of_kind(EventKind::Denial),
        ],
        _ => vec![base.clone()],
    }
}
