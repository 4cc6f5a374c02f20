//! The `atif` format: trajectories in the Agent Trajectory Interchange Format.

use domain::event::{Event, EventKind, SessionHead};
use serde_json::Value;

use crate::transcripts::{Place, documents::Conversation, messages, values};

/// The session of a trajectory.
pub fn read(text: &str, _: &Place) -> Result<Vec<Conversation>, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| values::not_json(&e))?;
    let agent = value.get("agent").unwrap_or(&Value::Null);
    let mut head = SessionHead {
        external_id: values::text(&value, "session_id"),
        agent: values::text(agent, "name"),
        ..SessionHead::default()
    };
    for (key, kept) in [
        ("model", values::text(agent, "model_name")),
        ("version", values::text(agent, "version")),
    ] {
        head.metadata
            .extend(kept.map(|text| (key.to_owned(), Value::String(text))));
    }
    let mut conversation = Conversation::new(head);
    let steps = value
        .get("steps")
        .and_then(Value::as_array)
        .ok_or("a trajectory needs a list `steps`")?;
    for step in steps {
        conversation.message(step_events(step));
    }
    Ok(vec![conversation])
}

fn step_events(step: &Value) -> Vec<Event> {
    let base = Event {
        external_id: values::text(step, "step_id"),
        occurred_at: values::time(step.get("timestamp")),
        raw: step.to_string(),
        ..Event::new(EventKind::Raw, String::new())
    };
    let said = values::content(step.get("message"));
    let mut events = match step
        .get("source")
        .and_then(Value::as_str)
        .unwrap_or_default()
    {
        "user" => messages::said_by_user(&said, &base),
        "agent" => {
            let thought = values::text(step, "reasoning_content");
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
            if !said.is_empty() {
                events.push(
                    Event {
                        text: said,
                        ..base.clone()
                    }
                    .of_kind(EventKind::Agent),
                );
            }
            events
        }
        "system" => vec![
            Event {
                text: said,
                ..base.clone()
            }
            .of_kind(EventKind::System),
        ],
        _ => vec![Event {
            text: said,
            ..base.clone()
        }],
    };
    let calls = step
        .get("tool_calls")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    events.extend(calls.map(|call| messages::call_event(call, base.clone())));
    let results = step
        .get("observation")
        .and_then(|o| o.get("results"))
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    events.extend(results.map(|result| {
        let base = Event {
            tool_use_id: values::text(result, "source_call_id"),
            ..base.clone()
        };
        messages::answered(values::content(result.get("content")), None, base)
    }));
    if events.is_empty() {
        events.push(base);
    }
    events
}
