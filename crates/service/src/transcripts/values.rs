//! Reading loosely shaped JSON.

use std::{borrow::Cow, collections::BTreeMap};

use domain::{
    Timestamp,
    event::{Outcome, OutcomeResult},
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

/// The keys of an object with their values unparsed; borrowed, so that a long chat is not held
/// twice.
#[derive(Deserialize)]
pub struct Keys<'a>(#[serde(borrow)] pub BTreeMap<Cow<'a, str>, &'a RawValue>);

/// Returns what an object says that it is: its `type`.
pub fn kind(value: &Value) -> &str {
    value
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Says that a text is not JSON, and where.
pub fn not_json(error: &serde_json::Error) -> String {
    let said = error.to_string();
    // Of one line, the column alone says where.
    format!(
        "it is not valid JSON: {}",
        said.replace(" at line 1 column ", " at column ")
    )
}

/// A field as text: a string as it is, a number or boolean as JSON; empty is none.
pub fn text(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(s) if !s.is_empty() => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

/// The text of a content: a string, or the `text` parts of a list; other parts as JSON.
pub fn content(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(s)) => s.clone(),
        Some(Value::Array(parts)) => parts.iter().map(part).collect::<Vec<_>>().join("\n"),
        Some(other) => other.to_string(),
    }
}

/// Parts of the type names of contents that are not text.
const MEDIA: &[&str] = &["image", "audio", "video", "document", "file", "blob", "uri"];

fn part(part: &Value) -> String {
    match part {
        Value::String(s) => s.clone(),
        Value::Object(o) => {
            match (
                o.get("text")
                    .or_else(|| o.get("content"))
                    .or_else(|| o.get("refusal")),
                o.get("type").and_then(Value::as_str),
            ) {
                (Some(Value::String(s)), _) => s.clone(),
                // The bytes of images and documents are not text; their place is.
                (_, Some(kind)) if MEDIA.iter().any(|m| kind.contains(m)) => format!("[{kind}]"),
                _ if ["inlineData", "inline_data", "fileData", "file_data"]
                    .iter()
                    .any(|k| o.contains_key(*k)) =>
                {
                    "[file]".to_owned()
                }
                _ => part.to_string(),
            }
        }
        other => other.to_string(),
    }
}

/// The arguments of a call as the text of its event: what is a text already stays as it is.
pub fn arguments(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "{}".to_owned(),
    }
}

/// A time as RFC 3339 text, which without a zone is taken as UTC, or seconds or milliseconds since
/// the epoch.
pub fn time(value: Option<&Value>) -> Option<Timestamp> {
    match value? {
        Value::String(s) => Timestamp::parse(s).or_else(|| Timestamp::parse(&format!("{s}Z"))),
        Value::Number(n) => {
            let n = n.as_f64().filter(|n| *n > 0.0 && *n < 1e14)?;
            let seconds = if n > 1e11 { n / 1_000.0 } else { n };
            #[expect(
                clippy::cast_possible_truncation,
                reason = "below 1e17 by the bound above"
            )]
            Some(Timestamp((seconds * 1e6) as i64))
        }
        _ => None,
    }
}

/// An outcome: a reward, `success` or `failure`, a boolean, or an object with `result` and `score`.
pub fn outcome(value: &Value) -> Option<Outcome> {
    let plain = |good: bool| {
        Outcome::stated(if good {
            OutcomeResult::Success
        } else {
            OutcomeResult::Failure
        })
    };
    match value {
        Value::Number(n) => n.as_f64().map(Outcome::from_reward),
        Value::Bool(good) => Some(plain(*good)),
        Value::String(word) => match word.as_str() {
            "success" | "succeeded" | "satisfied" | "passed" => Some(plain(true)),
            "failure" | "failed" | "unsatisfied" | "needs_revision" | "max_iterations_reached" => {
                Some(plain(false))
            }
            _ => None,
        },
        Value::Object(o) => {
            let mut found = o.get("result").and_then(outcome)?;
            found.score = o.get("score").and_then(outcome).and_then(|o| o.score);
            Some(found)
        }
        _ => None,
    }
}
