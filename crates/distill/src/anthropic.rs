//! Anthropic's Messages API, with one forced tool whose input is the answer (docs: "Tool use",
//! `tool_choice`).

use dream::model::{Answer, Ask, Failed, Role, Usage};
use serde_json::{Value, json};

use crate::wire::Wire;

/// Version of the API that this file was written against.
const VERSION: &str = "2023-06-01";
/// The tool that carries the answer.
const TOOL: &str = "answer";

/// Sends a request to the Messages API and returns the text of the answer.
pub async fn ask(wire: &Wire, model: &str, ask: &Ask) -> Result<Answer, Failed> {
    let role = |r: &Role| {
        if *r == Role::User {
            "user"
        } else {
            "assistant"
        }
    };
    let messages: Vec<Value> = ask
        .turns
        .iter()
        .map(|(r, text)| json!({"role": role(r), "content": text}))
        .collect();
    let body = json!({
        "model": model,
        "max_tokens": ask.max_tokens,
        // The task is the same in every request of a pass: the server keeps it, with the tool
        // before it, and takes a tenth of the price.
        "system": [{"type": "text", "text": ask.system, "cache_control": {"type": "ephemeral"}}],
        "messages": messages,
        "tools": [{"name": TOOL, "description": "Carries the answer.", "input_schema": ask.schema}],
        "tool_choice": {"type": "tool", "name": TOOL},
    });
    let mut headers = vec![("anthropic-version", VERSION.to_owned())];
    headers.extend(wire.key().map(|key| ("x-api-key", key.to_owned())));
    read(&wire.post("v1/messages", &headers, &body).await?)
}

fn read(answer: &Value) -> Result<Answer, Failed> {
    let blocks = answer["content"]
        .as_array()
        .ok_or_else(|| Failed::Nonsense("it has no content".to_owned()))?;
    let used = blocks
        .iter()
        .find(|b| b["type"] == "tool_use" && b["name"] == TOOL)
        .map(|b| b["input"].to_string());
    let said = || {
        blocks
            .iter()
            .filter_map(|b| b["text"].as_str())
            .collect::<String>()
    };
    let count = |name: &str| answer["usage"][name].as_u64().unwrap_or(0);
    let input = count("input_tokens")
        + count("cache_creation_input_tokens")
        + count("cache_read_input_tokens");
    Ok(Answer {
        text: used.unwrap_or_else(said),
        usage: Usage {
            input,
            output: count("output_tokens"),
        },
    })
}
