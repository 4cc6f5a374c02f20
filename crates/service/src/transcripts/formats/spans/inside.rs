//! Messages inside inputs and outputs, wherever in them they stand.

use serde_json::{Map, Value, json};

use super::{DEPTH, otel::from_fields};
use crate::transcripts::{messages, values};

/// The messages that an input or output holds, wherever in it; a text alone is one of `role`.
pub fn messages_of(value: Option<&Value>, role: &str) -> Vec<Value> {
    let mut found = Vec::new();
    if let Some(value) = value {
        collect(value, role, 0, &mut found);
    }
    found
}

fn collect(value: &Value, role: &str, depth: usize, found: &mut Vec<Value>) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Null => {}
        Value::Array(list) => list.iter().for_each(|v| collect(v, role, depth + 1, found)),
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Array(_) | Value::Object(_))) => {
                collect(&inner, role, depth + 1, found);
            }
            _ => found.push(json!({"role": role, "content": text})),
        },
        Value::Object(object) => {
            if let Some(message) = lang_chain(object) {
                found.push(message);
            } else if object.get("role").is_some_and(Value::is_string)
                || messages::is_item(values::kind(value))
            {
                found.push(value.clone());
            } else if object.keys().any(|k| k.starts_with("message.")) {
                found.push(from_fields(object.clone(), role));
            } else {
                let keys = [
                    "messages",
                    "message",
                    "choices",
                    "generations",
                    "input",
                    "output",
                    "kwargs",
                    "response",
                    "content",
                    "text",
                    "parts",
                ];
                match keys.iter().find_map(|k| object.get(*k)) {
                    Some(inner) => collect(inner, role, depth + 1, found),
                    // Arguments, or something else that nobody said.
                    None => found.push(json!({"role": "data", "content": value.to_string()})),
                }
            }
        }
        other => found.push(json!({"role": "data", "content": other.to_string()})),
    }
}

/// A message as LangChain writes it: its class as the last part of `id` or as `type`, the rest in
/// `kwargs` or `data`.
fn lang_chain(object: &Map<String, Value>) -> Option<Value> {
    let class = object
        .get("id")
        .and_then(Value::as_array)
        .and_then(|id| id.last())
        .and_then(Value::as_str);
    let inner = object
        .get("kwargs")
        .or_else(|| object.get("data"))
        .and_then(Value::as_object);
    let fields = inner.or_else(|| object.contains_key("content").then_some(object))?;
    let named = class
        .or_else(|| object.get("type").and_then(Value::as_str))
        .or_else(|| fields.get("type").and_then(Value::as_str))?;
    let role = match named
        .trim_end_matches("Chunk")
        .trim_end_matches("Message")
        .to_ascii_lowercase()
        .as_str()
    {
        "human" => "user",
        "ai" => "assistant",
        "system" => "system",
        "tool" | "function" => "tool",
        _ => return None,
    };
    let mut message = fields.clone();
    for key in ["id", "type"] {
        message.remove(key);
    }
    message.insert("role".to_owned(), json!(role));
    if role == "tool" {
        let failed = message.get("status").is_some_and(|s| s == "error");
        message.insert("is_error".to_owned(), json!(failed));
    }
    Some(Value::Object(message))
}
