//! The `swe-agent` format: trajectories of SWE-agent and mini-swe-agent. No person speaks in them:
//! the task, demonstrations and the answers of commands are in the user's role.

use std::collections::VecDeque;

use domain::event::{Event, EventKind, SessionHead, Speaker};
use serde_json::{Value, json};

use crate::transcripts::{Place, documents::Conversation, messages, values};

/// Most bytes of what the program noted of a run that are kept beside it.
const INFO_BYTES: usize = 8 * 1024;

/// The session of a trajectory.
pub fn read(text: &str, _: &Place) -> Result<Vec<Conversation>, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| values::not_json(&e))?;
    let mut head = SessionHead {
        external_id: values::text(&value, "instance_id"),
        task_key: values::text(&value, "instance_id"),
        ..SessionHead::default()
    };
    if let Some(Value::Object(info)) = value.get("info") {
        let small = info
            .iter()
            .filter(|(key, kept)| *key != "submission" && kept.to_string().len() <= INFO_BYTES);
        head.metadata = small
            .map(|(key, kept)| (key.clone(), kept.clone()))
            .collect();
    }
    let mut conversation = Conversation::new(head);
    conversation.task_alone = true;
    let list = |key: &str| {
        value
            .get(key)
            .and_then(Value::as_array)
            .filter(|l| !l.is_empty())
    };
    if let Some(history) = list("history").or_else(|| list("messages")) {
        let mut running = Running::new();
        for message in history {
            conversation.message(message_events(message, &mut running));
        }
    } else if let Some(steps) = list("trajectory") {
        for step in steps {
            conversation.message(step_events(step));
        }
    } else {
        return Err("a trajectory needs `history`, `messages` or `trajectory`".to_owned());
    }
    Ok(vec![conversation])
}

/// Commands that were run and are to be answered, in order: the tool and the call's id of each.
type Running = VecDeque<(String, Option<String>)>;

fn message_events(message: &Value, running: &mut Running) -> Vec<Event> {
    let base = Event {
        raw: message.to_string(),
        ..Event::new(EventKind::Raw, String::new())
    };
    let text = values::content(message.get("content"));
    let shown = message.get("is_demo") == Some(&Value::Bool(true))
        || values::text(message, "message_type").as_deref() == Some("demonstration");
    let role = message
        .get("role")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match role {
        _ if shown => vec![Event { text, ..base }.of_kind(EventKind::System)],
        "assistant" => {
            let actions = actions(message, &text);
            let thought = values::text(message, "thought").unwrap_or(text);
            let mut events = Vec::new();
            if !thought.is_empty() {
                events.push(
                    Event {
                        text: thought,
                        ..base.clone()
                    }
                    .of_kind(EventKind::Agent),
                );
            }
            for (tool, id, arguments) in actions {
                running.push_back((tool.clone(), id.clone()));
                events.push(
                    Event {
                        tool: Some(tool),
                        tool_use_id: id,
                        text: arguments,
                        ..base.clone()
                    }
                    .of_kind(EventKind::ToolUse),
                );
            }
            if events.is_empty() {
                vec![base]
            } else {
                events
            }
        }
        "user" | "tool" => match running.pop_front() {
            Some((tool, id)) => {
                let failed = returned(&text).map(|code| code != 0);
                vec![messages::answered(
                    text,
                    failed,
                    Event {
                        tool: Some(tool),
                        tool_use_id: id,
                        ..base
                    },
                )]
            }
            None => vec![
                Event { text, ..base }
                    .of_kind(EventKind::System)
                    .by(Speaker::Harness),
            ],
        },
        "system" => vec![Event { text, ..base }.of_kind(EventKind::System)],
        _ => vec![Event { text, ..base }],
    }
}

/// The commands that a message runs: the tool, the call's id and the arguments of each.
fn actions(message: &Value, text: &str) -> Vec<(String, Option<String>, String)> {
    let calls = message
        .get("tool_calls")
        .and_then(Value::as_array)
        .filter(|calls| !calls.is_empty());
    if let Some(calls) = calls {
        let read =
            |call: &Value| messages::call_event(call, Event::new(EventKind::Raw, String::new()));
        return calls
            .iter()
            .map(read)
            .filter_map(|e| Some((e.tool?, e.tool_use_id, e.text)))
            .collect();
    }
    action(message, text).into_iter().collect()
}

fn action(message: &Value, text: &str) -> Option<(String, Option<String>, String)> {
    let noted = message
        .get("extra")
        .and_then(|e| e.get("actions"))
        .and_then(|a| a.get(0));
    let noted = noted.and_then(|a| {
        a.as_str()
            .map(str::to_owned)
            .or_else(|| values::text(a, "command"))
    });
    let command = values::text(message, "action")
        .or(noted)
        .or_else(|| fenced(text))?;
    let command = command.trim();
    let tool = command.split_whitespace().next()?.to_owned();
    Some((tool, None, json!({"command": command}).to_string()))
}

/// The only block of shell commands in a text.
fn fenced(text: &str) -> Option<String> {
    let mut blocks = ["```bash\n", "```mswea_bash_command\n"]
        .iter()
        .flat_map(|fence| text.split(fence).skip(1));
    let block = blocks.next()?.split("```").next()?;
    blocks.next().is_none().then(|| block.to_owned())
}

/// The code with which a command ended, where its answer says so.
fn returned(text: &str) -> Option<i64> {
    text.split("<returncode>")
        .nth(1)?
        .split("</returncode>")
        .next()?
        .trim()
        .parse()
        .ok()
}

fn step_events(step: &Value) -> Vec<Event> {
    let base = Event {
        raw: step.to_string(),
        ..Event::new(EventKind::Raw, String::new())
    };
    let mut running = Running::new();
    let said = values::text(step, "thought")
        .or_else(|| values::text(step, "response"))
        .unwrap_or_default();
    let mut events = message_events(
        &json!({"role": "assistant", "content": said, "action": step.get("action")}),
        &mut running,
    );
    if let Some(answer) = values::text(step, "observation").filter(|_| !running.is_empty()) {
        events.extend(message_events(
            &json!({"role": "user", "content": answer}),
            &mut running,
        ));
    }
    if let Some(first) = events.first_mut() {
        first.raw = base.raw;
    }
    events
}
