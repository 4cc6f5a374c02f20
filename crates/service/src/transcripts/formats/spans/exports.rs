//! What Langfuse, LangSmith, the Agents SDK and the Responses API export.

use serde_json::Value;

use super::{Span, common, inside::messages_of};
use crate::transcripts::{messages, values};

/// A span of the Agents SDK, or the trace that it belongs to.
pub fn agents_sdk(value: &Value) -> Span {
    let mut span = common(value);
    span.trace = values::text(value, "trace_id").or_else(|| values::text(value, "id"));
    span.session = values::text(value, "group_id");
    let data = value.get("span_data").unwrap_or(&Value::Null);
    match values::kind(data) {
        "function" => {
            let text = |key| {
                data.get(key)
                    .filter(|v: &&Value| !v.is_null())
                    .map(|v| values::content(Some(v)))
            };
            span.tool = values::text(data, "name").map(|name| {
                (
                    name,
                    None,
                    text("input").unwrap_or_default(),
                    text("output"),
                )
            });
        }
        "generation" | "response" => {
            span.input = messages_of(data.get("input"), "user");
            span.output = messages_of(
                data.get("output").or_else(|| data.get("response")),
                "assistant",
            );
        }
        _ => {}
    }
    span
}

/// An observation, or the trace itself, of a Langfuse export.
pub fn langfuse(value: &Value) -> Span {
    let mut span = common(value);
    if span.trace.is_none() {
        span.trace = values::text(value, "id");
    }
    span.session = values::text(value, "sessionId");
    span.user = values::text(value, "userId");
    if values::text(value, "level").as_deref() == Some("ERROR") {
        span.error = values::text(value, "statusMessage").or(span.error);
    }
    let part = |key: &str| value.get(key).filter(|v| !v.is_null());
    if values::kind(value).eq_ignore_ascii_case("tool") {
        let text = |key: &str| part(key).map(|v| values::content(Some(v)));
        span.tool = values::text(value, "name").map(|name| {
            (
                name,
                None,
                text("input").unwrap_or_default(),
                text("output"),
            )
        });
        return span;
    }
    // Other steps hold arguments and what was found: only a call of a model, or the trace itself,
    // begins with what a person says.
    let of_model = matches!(
        values::kind(value).to_ascii_uppercase().as_str(),
        "" | "GENERATION" | "LLM"
    );
    if of_model {
        span.input = messages_of(part("input"), "user");
        span.output = messages_of(part("output"), "assistant");
    }
    span
}

/// A run of a LangSmith export.
pub fn langsmith(value: &Value) -> Span {
    let mut span = common(value);
    let metadata = value
        .get("extra")
        .and_then(|e| e.get("metadata"))
        .unwrap_or(&Value::Null);
    let first = |names: &[&str]| names.iter().find_map(|n| values::text(metadata, n));
    span.session = first(&["thread_id", "session_id", "conversation_id"]);
    span.user = first(&["user_id", "user"]);
    let (inputs, outputs) = (value.get("inputs"), value.get("outputs"));
    match values::text(value, "run_type").as_deref() {
        Some("llm") => {
            span.input = messages_of(inputs, "user");
            span.output = messages_of(outputs, "assistant");
        }
        Some("tool") => {
            let said = outputs
                .filter(|o| !o.is_null())
                .map(|o| o.get("output").unwrap_or(o));
            let answer = said.map(|o| messages::answer_text(Some(o.get("content").unwrap_or(o))));
            let called = inputs
                .map(|i| {
                    i.get("input")
                        .map_or_else(|| i.to_string(), |i| values::content(Some(i)))
                })
                .unwrap_or_default();
            let failed = said.is_some_and(|o| o.get("status").is_some_and(|s| s == "error"));
            span.error = span
                .error
                .or_else(|| failed.then(|| answer.clone().unwrap_or_default()));
            let id = outputs
                .and_then(|o| o.get("output"))
                .and_then(|o| values::text(o, "tool_call_id"));
            span.tool = values::text(value, "name").map(|name| (name, id, called, answer));
        }
        // Chains repeat what their models and tools say.
        _ => {}
    }
    span
}

/// An answer of the Responses API, with what it answers where that was logged.
pub fn response(value: &Value) -> Span {
    let conversation = value.get("conversation").and_then(|c| {
        c.as_str()
            .map(str::to_owned)
            .or_else(|| values::text(c, "id"))
    });
    let created = values::time(value.get("created_at"));
    Span {
        trace: values::text(value, "id"),
        session: conversation,
        follows: values::text(value, "previous_response_id"),
        user: values::text(value, "user").or_else(|| values::text(value, "safety_identifier")),
        start: created,
        end: created,
        system: values::text(value, "instructions"),
        input: messages_of(value.get("input"), "user"),
        output: messages_of(value.get("output"), "assistant"),
        ..common(value)
    }
}
