//! The `batch` format: lines of OpenAI's and Anthropic's batches, requests and results. `custom_id`
//! is the task. A request that failed is named and left out.

use domain::event::SessionHead;
use serde_json::Value;

use super::plain;
use crate::transcripts::{Place, documents::Conversation, messages, parse, values};

/// The session of one line.
pub fn read(text: &str, _: &Place) -> Result<Vec<Conversation>, String> {
    let value = parse(text)?;
    let task = values::text(&value, "custom_id");
    let name = task.clone().unwrap_or_default();
    let head = SessionHead {
        external_id: values::text(&value, "id").or_else(|| task.clone()),
        task_key: task,
        ..SessionHead::default()
    };
    if let Some(reason) = failure(&value) {
        return Ok(vec![Conversation::left_out(
            head,
            format!("the request {name} failed: {reason}"),
        )]);
    }
    let body = [
        &["body"][..],
        &["response", "body"],
        &["params"],
        &["result", "message"],
    ]
    .iter()
    .find_map(|path| within(&value, path));
    let body = body.ok_or("a line of a batch needs `body`, `response`, `params` or `result`")?;
    let mut conversation = Conversation::new(head);
    // A `custom_id` says which request it is of a batch, and the next batch has the same.
    conversation.task_alone = values::text(&value, "id").is_none();
    for message in asked_and_answered(body) {
        conversation.message(messages::events(message, &message.to_string())?);
    }
    if conversation.events.is_empty() {
        let read = plain::read(body)?;
        conversation.events = read.events;
    }
    Ok(vec![conversation])
}

fn within<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter()
        .try_fold(value, |value, key| value.get(*key))
        .filter(|v| v.is_object())
}

/// The messages of a request, or those of a result.
fn asked_and_answered(body: &Value) -> Vec<&Value> {
    let listed = body
        .get("messages")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let chosen = body
        .get("choices")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|c| c.get("message"));
    listed
        .chain(chosen)
        .chain(body.get("role").is_some().then_some(body))
        .collect()
}

fn failure(value: &Value) -> Option<String> {
    let said = |error: &Value| {
        let inner = error
            .get("error")
            .filter(|e| e.is_object())
            .unwrap_or(error);
        values::text(inner, "message")
            .or_else(|| values::text(inner, "type"))
            .unwrap_or_else(|| inner.to_string())
    };
    if let Some(error) = value.get("error").filter(|e| e.is_object()) {
        return Some(said(error));
    }
    if let Some(result) = value
        .get("result")
        .filter(|r| r.get("type").is_some_and(|t| t != "succeeded"))
    {
        return Some(
            result
                .get("error")
                .map_or_else(|| values::text(result, "type").unwrap_or_default(), said),
        );
    }
    let response = value.get("response")?;
    let code = response
        .get("status_code")
        .and_then(Value::as_i64)
        .filter(|c| *c >= 400)?;
    let why = response.get("body").map(said).unwrap_or_default();
    Some(format!("status {code} {why}"))
}
