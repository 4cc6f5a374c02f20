//! A mapping to begin with, from the names of the keys of a transcript's first value.

use serde_json::Value;

use super::{Mapping, Places};

/// Names under which parts usually stand, best first.
const GUESSES: &[(&str, &[&str])] = &[
    (
        "role",
        &[
            "role", "from", "speaker", "author", "sender", "actor", "who", "source", "kind", "type",
        ],
    ),
    (
        "text",
        &[
            "text",
            "content",
            "value",
            "message",
            "body",
            "utterance",
            "output",
            "said",
            "msg",
        ],
    ),
    (
        "tool",
        &["tool", "tool_name", "toolName", "function", "fn", "name"],
    ),
    (
        "arguments",
        &["arguments", "args", "input", "parameters", "params"],
    ),
    (
        "call",
        &["call_id", "tool_call_id", "toolCallId", "callId", "call"],
    ),
    (
        "error",
        &[
            "error",
            "is_error",
            "isError",
            "failed",
            "exit_code",
            "exitCode",
        ],
    ),
    (
        "time",
        &[
            "timestamp",
            "time",
            "created_at",
            "createdAt",
            "ts",
            "at",
            "date",
            "when",
        ],
    ),
    ("id", &["id", "uuid", "message_id", "messageId"]),
    (
        "session",
        &[
            "session_id",
            "sessionId",
            "conversation_id",
            "conversationId",
            "thread_id",
            "chat_id",
            "session",
            "conversation",
        ],
    ),
    (
        "user",
        &["user_id", "userId", "user", "customer_id", "customer"],
    ),
    ("agent", &["agent", "agent_name", "assistant_id"]),
    ("task", &["task_id", "task", "ticket", "case_id"]),
    (
        "outcome",
        &["outcome", "reward", "success", "resolved", "result"],
    ),
];
/// How deep a value is looked through for its parts.
const GUESS_DEPTH: usize = 4;

impl Mapping {
    /// A mapping to begin with, from the names of the keys of a transcript's first value.
    #[must_use]
    pub fn guess(value: &Value) -> Self {
        let mut mapping = Self::default();
        let mut record = value;
        if let Some((place, list)) = lists(value, String::new(), 0)
            .into_iter()
            .max_by_key(|(_, list)| list.len())
        {
            mapping.records = Places(vec![place]);
            record = &list[0];
        }
        let mut here = Vec::new();
        leaves(record, String::new(), 0, &mut here);
        let mut around = Vec::new();
        leaves(value, String::new(), 0, &mut around);
        for (part, names) in GUESSES {
            let of_session = matches!(
                *part,
                "session" | "user" | "agent" | "team" | "task" | "outcome"
            );
            let all = here.iter().chain(around.iter().filter(|_| of_session));
            let named = |name: &str| {
                all.clone()
                    .find(|(place, _)| place.rsplit('/').next() == Some(name))
                    .map(|(place, _)| place.clone())
            };
            let found = names.iter().find_map(|name| named(name));
            if let (Some(place), Some(places)) = (found, mapping.part_mut(part)) {
                places.0 = vec![place];
            }
        }
        // Around a list, an id is that of the session.
        if mapping.session.is_empty() && !mapping.records.is_empty() && value.get("id").is_some() {
            mapping.session.0.push("/id".to_owned());
        }
        mapping
    }

    /// The same from the bytes of a transcript, as JSON; none where they begin with no JSON object.
    #[must_use]
    pub fn guess_from(bytes: &[u8]) -> Option<String> {
        let bytes = bytes.strip_prefix(b"[").unwrap_or(bytes);
        let value: Value = serde_json::Deserializer::from_slice(bytes)
            .into_iter()
            .next()?
            .ok()?;
        value
            .is_object()
            .then(|| serde_json::to_string_pretty(&Self::guess(&value)).ok())?
    }

    /// A part by its name.
    pub fn part_mut(&mut self, name: &str) -> Option<&mut Places> {
        Some(match name {
            "records" => &mut self.records,
            "role" => &mut self.role,
            "text" => &mut self.text,
            "tool" => &mut self.tool,
            "arguments" => &mut self.arguments,
            "call" => &mut self.call,
            "error" => &mut self.error,
            "time" => &mut self.time,
            "id" => &mut self.id,
            "session" => &mut self.session,
            "user" => &mut self.user,
            "agent" => &mut self.agent,
            "team" => &mut self.team,
            "task" => &mut self.task,
            "outcome" => &mut self.outcome,
            _ => return None,
        })
    }
}

/// The lists of objects in a value, each with its place.
fn lists(value: &Value, place: String, depth: usize) -> Vec<(String, &Vec<Value>)> {
    match value {
        Value::Array(list) if list.first().is_some_and(Value::is_object) => vec![(place, list)],
        Value::Object(object) if depth < GUESS_DEPTH => object
            .iter()
            .flat_map(|(key, inner)| lists(inner, format!("{place}/{}", escaped(key)), depth + 1))
            .collect(),
        _ => Vec::new(),
    }
}

/// The values in an object that are no objects and no lists of objects, each with its place, the
/// shallow ones first.
fn leaves<'a>(value: &'a Value, place: String, depth: usize, found: &mut Vec<(String, &'a Value)>) {
    let Value::Object(object) = value else { return };
    let inner = |v: &Value| {
        v.is_object()
            || v.as_array()
                .is_some_and(|l| l.first().is_some_and(Value::is_object))
    };
    let at = |key: &str| format!("{place}/{}", escaped(key));
    found.extend(
        object
            .iter()
            .filter(|(_, v)| !inner(v))
            .map(|(key, v)| (at(key), v)),
    );
    if depth < GUESS_DEPTH {
        object
            .iter()
            .for_each(|(key, v)| leaves(v, at(key), depth + 1, found));
    }
}

/// A key as it is in a pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
