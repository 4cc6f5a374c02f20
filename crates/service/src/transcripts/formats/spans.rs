//! The `spans` format: traces of agents as OpenTelemetry's conventions for generative AI describe them, as OpenInference and OpenLLMetry
//! write them, and as Langfuse, LangSmith, Phoenix and the Agents SDK export them. Every call of a model repeats the history before it; a
//! message counts as often as it stands in the longest history that was seen, and is known by what it says.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    io,
};

use domain::{
    Timestamp,
    canonical::sha256_hex,
    event::{Event, EventKind, SessionHead, Speaker},
};
use serde_json::{Map, Value, json};

use super::Line;
use crate::transcripts::{Place, Reader, Spool, messages, spool::SAID, values};

/// How deep lists of messages are looked for inside inputs and outputs.
const DEPTH: usize = 8;

/// Whether a value is a span, a trace or an export of spans.
pub fn is_span(line: &Line) -> bool {
    line.has_any(&["resourceSpans", "spans"])
        || line.has("run_type")
        || line.has("observations")
        || (line.has_any(&["traceId", "trace_id", "context", "context.trace_id"])
            && line.has_any(&["spanId", "span_id", "context.span_id", "attributes", "startTime", "start_time", "span_data"]))
        || (line.text("object").is_some_and(|o| o.starts_with("trace")))
}

/// Reads exports, spans and traces.
pub struct Spans {
    source: &'static str,
    sessions: HashMap<String, Seen>,
    /// The sessions of traces that were named apart from their spans.
    traces: HashMap<String, String>,
}

/// What was read of a session: how often each message, and which calls and answers of tools.
#[derive(Default)]
struct Seen {
    times: HashMap<u64, usize>,
    /// Calls of each tool that were not answered yet.
    open: HashMap<String, VecDeque<String>>,
}

/// A step of an agent: what went in and came out.
#[derive(Default)]
struct Span {
    trace: Option<String>,
    session: Option<String>,
    /// The one whose session it goes on with.
    follows: Option<String>,
    user: Option<String>,
    agent: Option<String>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    system: Option<String>,
    /// Messages in the form of a model's API.
    input: Vec<Value>,
    output: Vec<Value>,
    /// The tool that was run, its call's id, arguments and answer.
    tool: Option<(String, Option<String>, String, Option<String>)>,
    error: Option<String>,
    raw: String,
}

impl Spans {
    /// Spans, or what is read like them.
    pub fn of(source: &'static str) -> Self {
        Self { source, sessions: HashMap::new(), traces: HashMap::new() }
    }
}

impl Reader for Spans {
    fn take(&mut self, text: &str, at: &Place, spool: &mut Spool) -> io::Result<Result<(), String>> {
        let value: Value = match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => return Ok(Err(values::not_json(&error))),
        };
        let mut spans = spans_of(&value);
        if spans.is_empty() {
            return Ok(Err("it holds no spans".to_owned()));
        }
        // What holds others ends after them and repeats what they said.
        if let [only] = &mut spans[..] {
            text.clone_into(&mut only.raw);
        }
        spans.sort_by_key(|s| s.end.or(s.start));
        for span in spans {
            let known = |trace: &Option<String>| trace.as_ref().and_then(|t| self.traces.get(t)).cloned();
            let session = span.session.clone().or_else(|| known(&span.trace)).or_else(|| known(&span.follows));
            if let (Some(trace), Some(session)) = (&span.trace, session.as_ref().or(span.trace.as_ref())) {
                self.traces.insert(trace.clone(), session.clone());
            }
            let id = session.or(span.trace.clone()).unwrap_or_else(|| at.source.id_of(text));
            spool.shared_session(self.source, &id)?;
            spool.note(SessionHead { subject: span.user.clone(), agent: span.agent.clone(), ..SessionHead::default() });
            for event in self.sessions.entry(id).or_default().events(&span) {
                spool.event(event)?;
            }
        }
        Ok(Ok(()))
    }
}

impl Seen {
    /// What a span says that was not said before.
    fn events(&mut self, span: &Span) -> Vec<Event> {
        let mut new = Vec::new();
        // How often each message stands in this span's history.
        let mut here: HashMap<u64, usize> = HashMap::new();
        let system = span.system.as_ref().map(|text| json!({"role": "system", "content": text}));
        let input = system.iter().chain(&span.input).map(|m| (m, span.start));
        for (message, time) in input.chain(span.output.iter().map(|m| (m, span.end))) {
            for event in messages::events(message, "").unwrap_or_default() {
                self.say(Event { occurred_at: event.occurred_at.or(time), ..event }, &mut here, &mut new);
            }
        }
        if let Some((tool, id, arguments, answer)) = &span.tool {
            // A tool that does not say which call it answers answers the oldest one.
            let id = id.clone().or_else(|| self.open.get(tool).and_then(|ids| ids.front().cloned()));
            let base = Event { tool: Some(tool.clone()), tool_use_id: id, ..Event::new(EventKind::Raw, String::new()) };
            let call = Event { text: arguments.clone(), occurred_at: span.start, ..base.clone() }.of_kind(EventKind::ToolUse);
            self.say(call, &mut here, &mut new);
            if let Some(text) = span.error.as_ref().or(answer.as_ref()) {
                let answered =
                    messages::answered(text.clone(), span.error.is_some().then_some(true), Event { occurred_at: span.end, ..base });
                self.say(answered, &mut here, &mut new);
            }
        } else if let Some(error) = &span.error {
            let event = Event { text: error.clone(), occurred_at: span.end, ..Event::new(EventKind::Raw, String::new()) };
            self.say(event.by(Speaker::Harness), &mut here, &mut new);
        }
        if let Some(first) = new.first_mut() {
            first.raw.clone_from(&span.raw);
        }
        new
    }

    fn say(&mut self, event: Event, here: &mut HashMap<u64, usize>, new: &mut Vec<Event>) {
        let (parts, once) = known_by(&event);
        let mut hash = DefaultHasher::new();
        parts.hash(&mut hash);
        let quick = hash.finish();
        let times = here.entry(quick).or_default();
        *times += 1;
        let seen = self.times.entry(quick).or_default();
        if *times <= *seen || (once && *seen > 0) {
            return;
        }
        *seen += 1;
        let key = &sha256_hex(parts.join("\0").as_bytes())[..24];
        let id = if *seen == 1 { format!("{SAID}{key}") } else { format!("{SAID}{key}~{seen}") };
        if let (Some(tool), Some(call)) = (&event.tool, &event.tool_use_id)
            && event.kind == EventKind::ToolUse
        {
            self.open.entry(tool.clone()).or_default().push_back(call.clone());
        } else if let Some(call) = &event.tool_use_id {
            self.open.values_mut().for_each(|ids| ids.retain(|id| id != call));
        }
        new.push(Event { external_id: Some(id), ..event });
    }
}

/// What an event is known by, and whether it can be there only once: a call and its answer have an id in the world, words do not.
fn known_by(event: &Event) -> (Vec<&str>, bool) {
    match (event.kind, &event.tool_use_id) {
        (EventKind::ToolUse, Some(id)) => (vec!["call", id], true),
        (EventKind::ToolResult | EventKind::Denial, Some(id)) => (vec!["answer", id], true),
        (kind, _) => (vec![kind.as_str(), event.tool.as_deref().unwrap_or_default(), event.text.trim()], false),
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The spans of a value, whatever wrote it.
fn spans_of(value: &Value) -> Vec<Span> {
    let kept = |value: &Value, span: Span| Span { raw: value.to_string(), ..span };
    if value.get("resourceSpans").is_some() {
        let scopes =
            list(value, "resourceSpans").iter().flat_map(|r| list(r, "scopeSpans").iter().chain(list(r, "instrumentationLibrarySpans")));
        return scopes.flat_map(|scope| list(scope, "spans")).map(|span| kept(span, otel(span))).collect();
    }
    if let Some(Value::Array(spans)) = value.get("spans") {
        return spans.iter().flat_map(spans_of).collect();
    }
    if value.get("observations").is_some() {
        let session = values::text(value, "sessionId");
        let user = values::text(value, "userId");
        let read = |o: &Value| Span { session: session.clone(), user: user.clone(), ..kept(o, langfuse(o)) };
        let mut found: Vec<Span> = list(value, "observations").iter().map(read).collect();
        let last = found.iter().filter_map(|s| s.end.or(s.start)).max();
        found.push(Span { end: last, ..langfuse(value) });
        return found;
    }
    if value.get("run_type").is_some() {
        let children = list(value, "child_runs");
        return std::iter::once(langsmith(value)).chain(children.iter().flat_map(spans_of)).collect();
    }
    if values::text(value, "object").is_some_and(|o| o.starts_with("trace")) {
        return vec![agents_sdk(value)];
    }
    if values::text(value, "object").as_deref() == Some("response") {
        return vec![response(value)];
    }
    let otel_like = value.get("attributes").is_some() || value.as_object().is_some_and(|o| o.keys().any(|k| k.starts_with("attributes.")));
    vec![if otel_like { otel(value) } else { langfuse(value) }]
}

/// A span of the Agents SDK, or the trace that it belongs to.
fn agents_sdk(value: &Value) -> Span {
    let mut span = common(value);
    span.trace = values::text(value, "trace_id").or_else(|| values::text(value, "id"));
    span.session = values::text(value, "group_id");
    let data = value.get("span_data").unwrap_or(&Value::Null);
    match values::kind(data) {
        "function" => {
            let text = |key| data.get(key).filter(|v: &&Value| !v.is_null()).map(|v| values::content(Some(v)));
            span.tool = values::text(data, "name").map(|name| (name, None, text("input").unwrap_or_default(), text("output")));
        }
        "generation" | "response" => {
            span.input = messages_of(data.get("input"), "user");
            span.output = messages_of(data.get("output").or_else(|| data.get("response")), "assistant");
        }
        _ => {}
    }
    span
}

/// An answer of the Responses API, with what it answers where that was logged.
fn response(value: &Value) -> Span {
    let conversation = value.get("conversation").and_then(|c| c.as_str().map(str::to_owned).or_else(|| values::text(c, "id")));
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

/// What spans of all exports name alike.
fn common(value: &Value) -> Span {
    let first = |names: &[&str]| names.iter().find_map(|n| values::text(value, n));
    let time = |names: &[&str]| names.iter().find_map(|n| values::time(value.get(*n)));
    let error = value
        .get("error")
        .filter(|e| !e.is_null() && **e != Value::Bool(false))
        .map(|e| values::text(e, "message").unwrap_or_else(|| values::content(Some(e))));
    Span {
        trace: first(&["traceId", "trace_id", "context.trace_id"]),
        start: time(&["startTime", "start_time", "started_at", "timestamp"]),
        end: time(&["endTime", "end_time", "ended_at"]),
        error: error.filter(|e| !e.is_empty()),
        ..Span::default()
    }
}

fn langfuse(value: &Value) -> Span {
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
        span.tool = values::text(value, "name").map(|name| (name, None, text("input").unwrap_or_default(), text("output")));
    } else {
        span.input = messages_of(part("input"), "user");
        span.output = messages_of(part("output"), "assistant");
    }
    span
}

fn langsmith(value: &Value) -> Span {
    let mut span = common(value);
    let metadata = value.get("extra").and_then(|e| e.get("metadata")).unwrap_or(&Value::Null);
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
            let said = outputs.filter(|o| !o.is_null()).map(|o| o.get("output").unwrap_or(o));
            let answer = said.map(|o| messages::answer_text(Some(o.get("content").unwrap_or(o))));
            let called = inputs.map(|i| i.get("input").map_or_else(|| i.to_string(), |i| values::content(Some(i)))).unwrap_or_default();
            let id = outputs.and_then(|o| o.get("output")).and_then(|o| values::text(o, "tool_call_id"));
            span.tool = values::text(value, "name").map(|name| (name, id, called, answer));
        }
        // Chains repeat what their models and tools say.
        _ => {}
    }
    span
}

/// A span of OpenTelemetry: in its own JSON, in that of its SDK, or flat as Phoenix exports it.
fn otel(value: &Value) -> Span {
    let mut span = common(value);
    let context = value.get("context").unwrap_or(&Value::Null);
    span.trace = span.trace.or_else(|| values::text(context, "trace_id"));
    span.start = span.start.or_else(|| nanos(value.get("startTimeUnixNano")));
    span.end = span.end.or_else(|| nanos(value.get("endTimeUnixNano")));
    let attributes = attributes(value);
    let first = |names: &[&str]| names.iter().find_map(|n| attributes.get(*n)).map(|v| values::content(Some(v))).filter(|t| !t.is_empty());
    span.session = first(&["gen_ai.conversation.id", "session.id", "langfuse.session.id", "traceloop.association.properties.session_id"]);
    span.user = first(&["user.id", "enduser.id", "langfuse.user.id"]);
    span.agent = first(&["gen_ai.agent.name"]);
    span.system = first(&["gen_ai.system_instructions"]).map(|text| {
        let parts = serde_json::from_str::<Value>(&text).ok().filter(Value::is_array);
        parts.map_or(text, |parts| parts.as_array().into_iter().flatten().map(|p| values::content(p.get("content").or(Some(p)))).collect())
    });
    let status = value.get("status").unwrap_or(&Value::Null);
    let code = values::text(status, "code").or_else(|| values::text(status, "status_code")).or_else(|| values::text(value, "status_code"));
    if code.is_some_and(|c| matches!(c.as_str(), "2" | "STATUS_CODE_ERROR" | "ERROR")) {
        let said = values::text(status, "message")
            .or_else(|| values::text(status, "description"))
            .or_else(|| values::text(value, "status_message"));
        span.error = said.or_else(|| first(&["error.message", "exception.message", "error.type"]));
    }
    let operation = first(&["gen_ai.operation.name", "openinference.span.kind", "traceloop.span.kind"]).unwrap_or_default();
    let is_tool = matches!(operation.as_str(), "execute_tool" | "TOOL" | "tool") || attributes.contains_key("gen_ai.tool.call.id");
    if is_tool {
        let name = first(&["gen_ai.tool.name", "tool.name", "traceloop.entity.name"]).or_else(|| values::text(value, "name"));
        let arguments = first(&["gen_ai.tool.call.arguments", "tool.parameters", "input.value", "traceloop.entity.input"]);
        let answer = first(&["gen_ai.tool.call.result", "output.value", "traceloop.entity.output"]);
        let id = first(&["gen_ai.tool.call.id", "tool_call.id", "tool.id"]);
        span.tool = name.map(|name| (name, id, arguments.unwrap_or_else(|| "{}".to_owned()), answer));
        return span;
    }
    span.input = listed(&attributes, &["gen_ai.input.messages", "gen_ai.prompt", "llm.input_messages"], "user");
    span.output = listed(&attributes, &["gen_ai.output.messages", "gen_ai.completion", "llm.output_messages"], "assistant");
    for event in value.get("events").and_then(Value::as_array).into_iter().flatten() {
        from_event(event, &mut span);
    }
    span
}

/// A message that stands in an event of a span, as the conventions had it before 2025.
fn from_event(event: &Value, span: &mut Span) {
    let name = values::text(event, "name").unwrap_or_default();
    let mut fields: Map<String, Value> = attributes(event).into_iter().collect();
    let nested =
        |fields: &Map<String, Value>, key: &str| fields.get(key).and_then(Value::as_str).and_then(|t| serde_json::from_str(t).ok());
    for key in ["tool_calls", "message", "content", "function_call"] {
        if let Some(inner @ (Value::Array(_) | Value::Object(_))) = nested(&fields, key) {
            fields.insert(key.to_owned(), inner);
        }
    }
    match name.as_str() {
        "gen_ai.client.inference.operation.details" => {
            let all: BTreeMap<String, Value> = fields.into_iter().collect();
            span.input.extend(listed(&all, &["gen_ai.input.messages"], "user"));
            span.output.extend(listed(&all, &["gen_ai.output.messages"], "assistant"));
        }
        "gen_ai.content.prompt" => span.input.extend(messages_of(fields.get("gen_ai.prompt"), "user")),
        "gen_ai.content.completion" => span.output.extend(messages_of(fields.get("gen_ai.completion"), "assistant")),
        "gen_ai.choice" => {
            span.output.extend(messages_of(fields.get("message").cloned().or(Some(Value::Object(fields))).as_ref(), "assistant"));
        }
        _ => {
            let role = name.strip_prefix("gen_ai.").and_then(|n| n.strip_suffix(".message"));
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

fn flatten(prefix: &str, object: &Map<String, Value>, found: &mut BTreeMap<String, Value>, depth: usize) {
    for (key, value) in object {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Object(inner) if depth < DEPTH => flatten(&name, inner, found, depth + 1),
            Value::Null => {}
            other => drop(found.insert(name, other.clone())),
        }
    }
}

/// A value as OpenTelemetry's JSON wraps it.
fn any_value(value: &Value) -> Value {
    let Some((kind, inner)) = value.as_object().and_then(|o| o.iter().next()) else { return value.clone() };
    match kind.as_str() {
        "arrayValue" => inner.get("values").and_then(Value::as_array).map_or(Value::Null, |l| l.iter().map(any_value).collect()),
        "kvlistValue" => {
            let entries = inner.get("values").and_then(Value::as_array).into_iter().flatten();
            let pair = |e: &Value| Some((values::text(e, "key")?, e.get("value").map_or(Value::Null, any_value)));
            Value::Object(entries.filter_map(pair).collect())
        }
        "intValue" => inner.as_str().and_then(|t| t.parse::<i64>().ok()).map_or_else(|| inner.clone(), Value::from),
        _ => inner.clone(),
    }
}

/// The messages under one of the names: as a list, as JSON in a text, or each field under a name with the message's number.
fn listed(attributes: &BTreeMap<String, Value>, names: &[&str], role: &str) -> Vec<Value> {
    for name in names {
        if let Some(value) = attributes.get(*name) {
            return messages_of(Some(value), role);
        }
        let prefix = format!("{name}.");
        let mut numbered: BTreeMap<usize, Map<String, Value>> = BTreeMap::new();
        for (key, value) in attributes.range(prefix.clone()..).take_while(|(k, _)| k.starts_with(&prefix)) {
            let Some((number, field)) = key[prefix.len()..].split_once('.') else { continue };
            let Ok(number) = number.parse() else { continue };
            numbered.entry(number).or_default().insert(field.to_owned(), value.clone());
        }
        if !numbered.is_empty() {
            return numbered.into_values().map(|fields| from_fields(fields, role)).collect();
        }
    }
    Vec::new()
}

/// A message of which the fields have dotted names: `message.content`, `tool_calls.0.name`, `message.tool_calls.0.tool_call.function.name`.
fn from_fields(fields: Map<String, Value>, role: &str) -> Value {
    let mut message = Map::new();
    let mut calls: BTreeMap<usize, Map<String, Value>> = BTreeMap::new();
    let mut texts: BTreeMap<String, Value> = BTreeMap::new();
    for (name, value) in fields {
        let name = name.strip_prefix("message.").unwrap_or(&name);
        if let Some((number, field)) = name.strip_prefix("tool_calls.").and_then(|n| n.split_once('.'))
            && let Ok(number) = number.parse()
        {
            let field = field.strip_prefix("tool_call.").unwrap_or(field);
            calls.entry(number).or_default().insert(field.strip_prefix("function.").unwrap_or(field).to_owned(), value);
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
        message.insert("tool_calls".to_owned(), calls.into_values().map(Value::Object).collect());
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
    let short = |key: &str| key.trim_start_matches("tool_call.").trim_start_matches("function.").to_owned();
    call.as_object().map_or_else(|| call.clone(), |o| Value::Object(o.iter().map(|(k, v)| (short(k), v.clone())).collect()))
}

/// The messages that an input or output holds, wherever in it; a text alone is one of `role`.
fn messages_of(value: Option<&Value>, role: &str) -> Vec<Value> {
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
            Ok(inner @ (Value::Array(_) | Value::Object(_))) => collect(&inner, role, depth + 1, found),
            _ => found.push(json!({"role": role, "content": text})),
        },
        Value::Object(object) => {
            if let Some(message) = lang_chain(object) {
                found.push(message);
            } else if object.get("role").is_some_and(Value::is_string) || messages::is_item(values::kind(value)) {
                found.push(value.clone());
            } else if object.keys().any(|k| k.starts_with("message.")) {
                found.push(from_fields(object.clone(), role));
            } else {
                let keys =
                    ["messages", "message", "choices", "generations", "input", "output", "kwargs", "response", "content", "text", "parts"];
                match keys.iter().find_map(|k| object.get(*k)) {
                    Some(inner) => collect(inner, role, depth + 1, found),
                    None => found.push(json!({"role": role, "content": value.to_string()})),
                }
            }
        }
        other => found.push(json!({"role": role, "content": other.to_string()})),
    }
}

/// A message as LangChain writes it: its class as the last part of `id` or as `type`, the rest in `kwargs` or `data`.
fn lang_chain(object: &Map<String, Value>) -> Option<Value> {
    let class = object.get("id").and_then(Value::as_array).and_then(|id| id.last()).and_then(Value::as_str);
    let inner = object.get("kwargs").or_else(|| object.get("data")).and_then(Value::as_object);
    let fields = inner.or_else(|| object.contains_key("content").then_some(object))?;
    let named = class.or_else(|| object.get("type").and_then(Value::as_str)).or_else(|| fields.get("type").and_then(Value::as_str))?;
    let role = match named.trim_end_matches("Chunk").trim_end_matches("Message").to_ascii_lowercase().as_str() {
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
