//! Spans of OpenTelemetry, of OpenInference and of OpenLLMetry: attributes by their dotted names,
//! however they are nested.

use std::collections::BTreeMap;

use domain::Timestamp;
use serde_json::{Map, Value, json};

use super::{DEPTH, Span, common, inside::messages_of};
use crate::transcripts::values;

/// A span of OpenTelemetry: in its own JSON, in that of its SDK, or flat as Phoenix exports it.
pub fn otel(value: &Value) -> Span {
    let mut span = common(value);
    let context = value.get("context").unwrap_or(&Value::Null);
    span.trace = span.trace.or_else(|| values::text(context, "trace_id"));
    span.start = span.start.or_else(|| nanos(value.get("startTimeUnixNano")));
    span.end = span.end.or_else(|| nanos(value.get("endTimeUnixNano")));
    let attributes = attributes(value);
    let first = |names: &[&str]| {
        names
            .iter()
            .find_map(|n| attributes.get(*n))
            .map(|v| values::content(Some(v)))
            .filter(|t| !t.is_empty())
    };
    span.session = first(&[
        "gen_ai.conversation.id",
        "session.id",
        "langfuse.session.id",
        "traceloop.association.properties.session_id",
    ]);
    span.user = first(&["user.id", "enduser.id", "langfuse.user.id"]);
    span.agent = first(&["gen_ai.agent.name"]);
    span.system = first(&["gen_ai.system_instructions"]).map(|text| {
        let parts = serde_json::from_str::<Value>(&text)
            .ok()
            .filter(Value::is_array);
        parts.map_or(text, |parts| {
            parts
                .as_array()
                .into_iter()
                .flatten()
                .map(|p| values::content(p.get("content").or(Some(p))))
                .collect()
        })
    });
    let status = value.get("status").unwrap_or(&Value::Null);
    let code = values::text(status, "code")
        .or_else(|| values::text(status, "status_code"))
        .or_else(|| values::text(value, "status_code"));
    if code.is_some_and(|c| matches!(c.as_str(), "2" | "STATUS_CODE_ERROR" | "ERROR")) {
        let said = values::text(status, "message")
            .or_else(|| values::text(status, "description"))
            .or_else(|| values::text(value, "status_message"));
        span.error = said.or_else(|| first(&["error.message", "exception.message", "error.type"]));
    }
    let operation = first(&[
        "gen_ai.operation.name",
        "openinference.span.kind",
        "traceloop.span.kind",
    ])
    .unwrap_or_default();
    let is_tool = matches!(operation.as_str(), "execute_tool" | "TOOL" | "tool")
        || attributes.contains_key("gen_ai.tool.call.id");
    if is_tool {
        let name = first(&["gen_ai.tool.name", "tool.name", "traceloop.entity.name"])
            .or_else(|| values::text(value, "name"));
        let arguments = first(&[
            "gen_ai.tool.call.arguments",
            "tool.parameters",
            "input.value",
            "traceloop.entity.input",
        ]);
        let answer = first(&[
            "gen_ai.tool.call.result",
            "output.value",
            "traceloop.entity.output",
        ]);
        let id = first(&["gen_ai.tool.call.id", "tool_call.id", "tool.id"]);
        span.tool = name.map(|name| {
            (
                name,
                id,
                arguments.unwrap_or_else(|| "{}".to_owned()),
                answer,
            )
        });
        return span;
    }
    span.input = listed(
        &attributes,
        &[
            "gen_ai.input.messages",
            "gen_ai.prompt",
            "llm.input_messages",
        ],
        "user",
    );
    span.output = listed(
        &attributes,
        &[
            "gen_ai.output.messages",
            "gen_ai.completion",
            "llm.output_messages",
        ],
        "assistant",
    );
    for event in value
        .get("events")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        from_event(event, &mut span);
    }
    span
}

/// A message that is in an event of a span, as the conventions had it before 2025.
fn from_event(event: &Value, span: &mut Span) {
    let name = values::text(event, "name").unwrap_or_default();
    let mut fields: Map<String, Value> = attributes(event).into_iter().collect();
    let nested = |fields: &Map<String, Value>, key: &str| {
        fields
            .get(key)
            .and_then(Value::as_str)
            .and_then(|t| serde_json::from_str(t).ok())
    };
    for key in ["tool_calls", "message", "content", "function_call"] {
        if let Some(inner @ (Value::Array(_) | Value::Object(_))) = nested(&fields, key) {
            fields.insert(key.to_owned(), inner);
        }
    }
    match name.as_str() {
        "gen_ai.client.inference.operation.details" => {
            let all: BTreeMap<String, Value> = fields.into_iter().collect();
            span.input
                .extend(listed(&all, &["gen_ai.input.messages"], "user"));
            span.output
                .extend(listed(&all, &["gen_ai.output.messages"], "assistant"));
        }
        "gen_ai.content.prompt" => span
            .input
            .extend(messages_of(fields.get("gen_ai.prompt"), "user")),
        "gen_ai.content.completion" => span
            .output
            .extend(messages_of(fields.get("gen_ai.completion"), "assistant")),
        "gen_ai.choice" => {
            span.output.extend(messages_of(
                fields
                    .get("message")
                    .cloned()
                    .or(Some(Value::Object(fields)))
                    .as_ref(),
                "assistant",
            ));
        }
        _ => {
            let role = name
                .strip_prefix("gen_ai.")
                .and_then(|n| n.strip_suffix(".message"));
            let Some(role) = role else { return };
            fields.entry("role").or_insert_with(|| json!(role));
            if role == "tool"
                && let Some(id) = fields.remove("id")
            {
                fields.insert("tool_call_id".to_owned(), id);
            }
            span.input.push(Value::Object(fields));
        }
    }
}

fn nanos(value: Option<&Value>) -> Option<Timestamp> {
    let nanos = match value? {
        Value::String(text) => text.parse::<i64>().ok()?,
        Value::Number(n) => n.as_i64()?,
        _ => return None,
    };
    (nanos > 0).then_some(Timestamp(nanos / 1_000))
}

/// Attributes by their dotted names, however they are nested.
fn attributes(value: &Value) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    match value.get("attributes") {
        Some(Value::Array(list)) => {
            for entry in list {
                if let Some(key) = values::text(entry, "key") {
                    found.insert(key, entry.get("value").map_or(Value::Null, any_value));
                }
            }
        }
        Some(Value::Object(object)) => flatten("", object, &mut found, 0),
        _ => {}
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        if let Some(name) = key.strip_prefix("attributes.") {
            match value {
                Value::Object(inner) => flatten(name, inner, &mut found, 0),
                Value::Null => {}
                other => drop(found.insert(name.to_owned(), other.clone())),
            }
        }
    }
    found
}

fn flatten(
    prefix: &str,
    object: &Map<String, Value>,
    found: &mut BTreeMap<String, Value>,
    depth: usize,
) {
    for (key, value) in object {
        let name = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            Value::Object(inner) if depth < DEPTH => flatten(&name, inner, found, depth + 1),
            Value::Null => {}
            other => drop(found.insert(name, other.clone())),
        }
    }
}

/// A value as OpenTelemetry's JSON wraps it.
fn any_value(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|o| o.iter().next()) else {
        return value.clone();
    };
    match kind.as_str() {
        "arrayValue" => inner
            .get("values")
            .and_then(Value::as_array)
            .map_or(Value::Null, |l| l.iter().map(any_value).collect()),
        "kvlistValue" => {
            let entries = inner
                .get("values")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            let pair = |e: &Value| {
                Some((
                    values::text(e, "key")?,
                    e.get("value").map_or(Value::Null, any_value),
                ))
            };
            Value::Object(entries.filter_map(pair).collect())
        }
        "intValue" => inner
            .as_str()
            .and_then(|t| t.parse::<i64>().ok())
            .map_or_else(|| inner.clone(), Value::from),
        _ => inner.clone(),
    }
}

/// The messages under one of the names: as a list, as JSON in a text, or each field under a name
/// with the message's number.
fn listed(attributes: &BTreeMap<String, Value>, names: &[&str], role: &str) -> Vec<Value> {
    for name in names {
        if let Some(value) = attributes.get(*name) {
            return messages_of(Some(value), role);
        }
        let prefix = format!("{name}.");
        let mut numbered: BTreeMap<usize, Map<String, Value>> = BTreeMap::new();
        for (key, value) in attributes
            .range(prefix.clone()..)
            .take_while(|(k, _)| k.starts_with(&prefix))
        {
            let Some((number, field)) = key[prefix.len()..].split_once('.') else {
                continue;
            };
            let Ok(number) = number.parse() else { continue };
            numbered
                .entry(number)
                .or_default()
                .insert(field.to_owned(), value.clone());
        }
        if !numbered.is_empty() {
            return numbered
                .into_values()
                .map(|fields| from_fields(fields, role))
                .collect();
        }
    }
    Vec::new()
}

/// A message of which the fields have dotted names: `message.content`, `tool_calls.0.name`,
/// `message.tool_calls.0.tool_call.function.name`.
pub fn from_fields(fields: Map<String, Value>, role: &str) -> Value {
    let mut message = Map::new();
    let mut calls: BTreeMap<usize, Map<String, Value>> = BTreeMap::new();
    let mut texts: BTreeMap<String, Value> = BTreeMap::new();
    for (name, value) in fields {
        let name = name.strip_prefix("message.").unwrap_or(&name);
        if let Some((number, field)) = name
            .strip_prefix("tool_calls.")
            .and_then(|n| n.split_once('.'))
            && let Ok(number) = number.parse()
        {
            let field = field.strip_prefix("tool_call.").unwrap_or(field);
            calls.entry(number).or_default().insert(
                field.strip_prefix("function.").unwrap_or(field).to_owned(),
                value,
            );
        } else if name.starts_with("contents.") && name.rsplit('.').next() == Some("text") {
            texts.insert(name.to_owned(), value);
        } else if name == "tool_calls" {
            let unwrapped = value.as_array().into_iter().flatten().map(unwrapped_call);
            message.insert(name.to_owned(), unwrapped.collect());
        } else {
            message.insert(name.to_owned(), value);
        }
    }
    if !texts.is_empty() {
        let text: Vec<String> = texts.values().map(|t| values::content(Some(t))).collect();
        message.insert("content".to_owned(), json!(text.join("\n")));
    }
    if !calls.is_empty() {
        message.insert(
            "tool_calls".to_owned(),
            calls.into_values().map(Value::Object).collect(),
        );
    }
    message.entry("role").or_insert_with(|| json!(role));
    message.entry("content").or_insert(Value::Null);
    Value::Object(message)
}

/// A call inside an object of its own: `{"tool_call": {"function": {..}}}`, or with dotted names.
fn unwrapped_call(call: &Value) -> Value {
    if let Some(inner) = call.get("tool_call") {
        return inner.clone();
    }
    let short = |key: &str| {
        key.trim_start_matches("tool_call.")
            .trim_start_matches("function.")
            .to_owned()
    };
    call.as_object().map_or_else(
        || call.clone(),
        |o| Value::Object(o.iter().map(|(k, v)| (short(k), v.clone())).collect()),
    )
}
