//! The `tau2` format: results of tau2-bench, one session a simulation. The user is played by a
//! model, which stands for a person here as it does in the benchmark.

use domain::event::SessionHead;
use serde_json::{Value, value::RawValue};

use crate::transcripts::{Place, documents::Conversation, messages, parse, values};

/// The sessions of a file of results.
pub fn read(text: &str, _: &Place) -> Result<Vec<Conversation>, String> {
    let keys: values::Keys = serde_json::from_str(text).map_err(|e| values::not_json(&e))?;
    let list = keys
        .0
        .get("simulations")
        .ok_or("results need a list `simulations`")?;
    let simulations: Vec<&RawValue> =
        serde_json::from_str(list.get()).map_err(|_| "`simulations` is not a list")?;
    let info = keys
        .0
        .get("info")
        .and_then(|raw| parse(raw.get()).ok())
        .unwrap_or(Value::Null);
    let agent = info
        .get("agent_info")
        .and_then(|a| values::text(a, "implementation").or_else(|| values::text(a, "llm")));
    // One that cannot be read is named; the others go in.
    let one = |(n, raw): (usize, &&RawValue)| {
        simulation(raw.get(), agent.as_deref()).unwrap_or_else(|reason| {
            Conversation::left_out(
                SessionHead::default(),
                format!("simulation {}: {reason}", n + 1),
            )
        })
    };
    Ok(simulations.iter().enumerate().map(one).collect())
}

fn simulation(text: &str, agent: Option<&str>) -> Result<Conversation, String> {
    let value = serde_json::from_str::<Value>(text).map_err(|e| values::not_json(&e))?;
    let mut head = SessionHead {
        external_id: values::text(&value, "id"),
        agent: agent.map(str::to_owned),
        task_key: values::text(&value, "task_id"),
        outcome: value
            .get("reward_info")
            .and_then(|r| r.get("reward"))
            .and_then(values::outcome),
        ..SessionHead::default()
    };
    for key in ["trial", "termination_reason", "duration", "seed"] {
        if let Some(kept) = value.get(key).filter(|v| !v.is_object() && !v.is_array()) {
            head.metadata.insert(key.to_owned(), kept.clone());
        }
    }
    let mut conversation = Conversation::new(head);
    let list = value
        .get("messages")
        .and_then(Value::as_array)
        .ok_or("it has no list `messages`")?;
    for message in list {
        // Answers of several tools are in one message.
        let several = message.get("tool_messages").and_then(Value::as_array);
        for message in several.map_or(std::slice::from_ref(message), Vec::as_slice) {
            let mut events = messages::events(message, &message.to_string())?;
            if message.get("role").is_some_and(|r| r == "tool") {
                // Its id is that of the call that it answers.
                let call = values::text(message, "id");
                for event in &mut events {
                    event.tool_use_id = event.tool_use_id.take().or_else(|| call.clone());
                    event.external_id = None;
                }
            }
            conversation.message(events);
        }
    }
    Ok(conversation)
}
