//! The `spans` format: traces of agents as OpenTelemetry's conventions for generative AI describe
//! them, as OpenInference and OpenLLMetry write them, and as Langfuse, LangSmith, Phoenix and the
//! Agents SDK export them. Every call of a model repeats the history before it; a message counts as
//! often as it is in the longest history that was seen, and is known by what it says.

mod exports;
mod inside;
mod otel;

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    io,
};

use domain::{
    Timestamp,
    canonical::sha256_hex,
    event::{Event, EventKind, SessionHead, Speaker},
};
use serde_json::{Value, json};

use super::Line;
use crate::transcripts::{Place, Reader, Spool, messages, spool::SAID, values};

/// How deep lists of messages are looked for inside inputs and outputs.
const DEPTH: usize = 8;

/// True if a value is a span, a trace or an export of spans.
pub fn is_span(line: &Line) -> bool {
    line.has_any(&["resourceSpans", "spans"])
        || (line.has_all(&["input", "output", "timestamp"]) && !line.has_any(&["role", "type"]))
        || (line.has_all(&["data", "meta"]) && line.start("data").contains("\"traceId\""))
        || line.has("run_type")
        || line.has("observations")
        || (line.has_any(&["traceId", "trace_id", "context", "context.trace_id"])
            && line.has_any(&[
                "spanId",
                "span_id",
                "context.span_id",
                "attributes",
                "startTime",
                "start_time",
                "span_data",
            ]))
        || (line.text("object").is_some_and(|o| o.starts_with("trace")))
}

/// Reads exports, spans and traces.
pub struct Spans {
    source: &'static str,
    sessions: HashMap<String, Seen>,
    /// The sessions of traces that were named apart from their spans.
    traces: HashMap<String, String>,
}

impl Spans {
    /// Spans, or what is read like them.
    pub fn of(source: &'static str) -> Self {
        Self {
            source,
            sessions: HashMap::new(),
            traces: HashMap::new(),
        }
    }
}

impl Reader for Spans {
    fn take(
        &mut self,
        text: &str,
        at: &Place,
        spool: &mut Spool,
    ) -> io::Result<Result<(), String>> {
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
        spans.sort_by_key(|s| (s.end.or(s.start), std::cmp::Reverse(s.start)));
        // A trace's session may be named by one of its spans only.
        for span in &spans {
            if let (Some(trace), Some(session)) = (&span.trace, &span.session) {
                self.traces.insert(trace.clone(), session.clone());
            }
        }
        for span in spans {
            let known =
                |trace: &Option<String>| trace.as_ref().and_then(|t| self.traces.get(t)).cloned();
            let session = span
                .session
                .clone()
                .or_else(|| known(&span.trace))
                .or_else(|| known(&span.follows));
            if let (Some(trace), Some(session)) =
                (&span.trace, session.as_ref().or(span.trace.as_ref()))
            {
                self.traces.insert(trace.clone(), session.clone());
            }
            let id = session
                .or(span.trace.clone())
                .unwrap_or_else(|| at.source.id_of(text));
            spool.shared_session(self.source, &id)?;
            spool.note(SessionHead {
                subject: span.user.clone(),
                agent: span.agent.clone(),
                ..SessionHead::default()
            });
            for event in self.sessions.entry(id).or_default().events(&span) {
                spool.event(event)?;
            }
        }
        Ok(Ok(()))
    }
}

/// The messages of a session with their number, and the calls and answers of its tools, so far.
#[derive(Default)]
struct Seen {
    times: HashMap<u64, usize>,
    /// Calls of each tool that were not answered yet.
    open: HashMap<String, VecDeque<String>>,
}

impl Seen {
    /// Returns what a span says that was not said before.
    fn events(&mut self, span: &Span) -> Vec<Event> {
        let mut new = Vec::new();
        // How often each message is in this span's history.
        let mut here: HashMap<u64, usize> = HashMap::new();
        let system = span
            .system
            .as_ref()
            .map(|text| json!({"role": "system", "content": text}));
        let input = system.iter().chain(&span.input).map(|m| (m, span.start));
        for (message, time) in input.chain(span.output.iter().map(|m| (m, span.end))) {
            for event in messages::events(message, "").unwrap_or_default() {
                self.say(
                    Event {
                        occurred_at: event.occurred_at.or(time),
                        ..event
                    },
                    &mut here,
                    &mut new,
                );
            }
        }
        if let Some((tool, id, arguments, answer)) = &span.tool {
            // A tool that does not say which call it answers answers the oldest one.
            let id = id
                .clone()
                .or_else(|| self.open.get(tool).and_then(|ids| ids.front().cloned()));
            let base = Event {
                tool: Some(tool.clone()),
                tool_use_id: id,
                ..Event::new(EventKind::Raw, String::new())
            };
            let call = Event {
                text: arguments.clone(),
                occurred_at: span.start,
                ..base.clone()
            }
            .of_kind(EventKind::ToolUse);
            self.say(call, &mut here, &mut new);
            if let Some(text) = answer
                .as_ref()
                .filter(|a| !a.is_empty())
                .or(span.error.as_ref())
            {
                let answered = messages::answered(
                    text.clone(),
                    span.error.is_some().then_some(true),
                    Event {
                        occurred_at: span.end,
                        ..base
                    },
                );
                self.say(answered, &mut here, &mut new);
            }
        } else if let Some(error) = &span.error {
            let event = Event {
                text: error.clone(),
                occurred_at: span.end,
                ..Event::new(EventKind::Raw, String::new())
            };
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
        let id = if *seen == 1 {
            format!("{SAID}{key}")
        } else {
            format!("{SAID}{key}~{seen}")
        };
        if let (Some(tool), Some(call)) = (&event.tool, &event.tool_use_id)
            && event.kind == EventKind::ToolUse
        {
            self.open
                .entry(tool.clone())
                .or_default()
                .push_back(call.clone());
        } else if let Some(call) = &event.tool_use_id {
            self.open
                .values_mut()
                .for_each(|ids| ids.retain(|id| id != call));
        }
        new.push(Event {
            external_id: Some(id),
            ..event
        });
    }
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

/// Returns what an event is known by, and whether it can be there only once: a call and its answer
/// have an id in the world, words do not.
fn known_by(event: &Event) -> (Vec<&str>, bool) {
    match (event.kind, &event.tool_use_id) {
        (EventKind::ToolUse, Some(id)) => (vec!["call", id], true),
        (EventKind::ToolResult | EventKind::Denial, Some(id)) => (vec!["answer", id], true),
        (kind, _) => (
            vec![
                kind.as_str(),
                event.tool.as_deref().unwrap_or_default(),
                event.text.trim(),
            ],
            false,
        ),
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The spans of a value, whatever wrote it.
fn spans_of(value: &Value) -> Vec<Span> {
    let kept = |value: &Value, span: Span| Span {
        raw: value.to_string(),
        ..span
    };
    if value.get("resourceSpans").is_some() {
        let scopes = list(value, "resourceSpans").iter().flat_map(|r| {
            list(r, "scopeSpans")
                .iter()
                .chain(list(r, "instrumentationLibrarySpans"))
        });
        return scopes
            .flat_map(|scope| list(scope, "spans"))
            .map(|span| kept(span, otel::otel(span)))
            .collect();
    }
    if let Some(Value::Array(spans)) = value.get("spans").or_else(|| value.get("data")) {
        return spans.iter().flat_map(spans_of).collect();
    }
    if value.get("observations").is_some() {
        let session = values::text(value, "sessionId");
        let user = values::text(value, "userId");
        let read = |o: &Value| Span {
            session: session.clone(),
            user: user.clone(),
            ..kept(o, exports::langfuse(o))
        };
        let mut found: Vec<Span> = list(value, "observations").iter().map(read).collect();
        let last = found.iter().filter_map(|s| s.end.or(s.start)).max();
        found.push(Span {
            end: last,
            ..exports::langfuse(value)
        });
        return found;
    }
    if value.get("run_type").is_some() {
        let children = list(value, "child_runs");
        return std::iter::once(exports::langsmith(value))
            .chain(children.iter().flat_map(spans_of))
            .collect();
    }
    if values::text(value, "object").is_some_and(|o| o.starts_with("trace")) {
        return vec![exports::agents_sdk(value)];
    }
    if values::text(value, "object").as_deref() == Some("response") {
        return vec![exports::response(value)];
    }
    // A trace of Langfuse without its observations.
    let otel_like = value.get("attributes").is_some()
        || value
            .as_object()
            .is_some_and(|o| o.keys().any(|k| k.starts_with("attributes.")));
    vec![if otel_like {
        otel::otel(value)
    } else {
        exports::langfuse(value)
    }]
}

/// Returns what spans of all exports name alike.
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
