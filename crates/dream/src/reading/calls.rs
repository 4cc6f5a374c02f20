//! Pairs the calls of a session with their answers, and keeps of the failed ones what was tried next.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::EventKind;
use serde_json::{Map, Value};

use super::{Next, Place, ToolError, signature};
use crate::types::Session;

/// A call of a tool with its answer.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The tool.
    pub tool: &'a str,
    /// Its arguments; empty where they are not a JSON object.
    pub arguments: Map<String, Value>,
    /// Index of the answer among the session's events.
    pub answer: usize,
    /// What it answered.
    pub text: &'a str,
    /// Whether that is an error.
    pub is_error: bool,
}

/// Calls that may wait for their answer at once; older ones are taken to have none.
const MOST_OPEN: usize = 256;
/// Errors of one session that are kept: what fails more often in one session says nothing new.
const MOST_ERRORS: usize = 200;
/// Short words of one session's arguments that are kept.
const MOST_WORDS: usize = 200;
/// How many calls after a failure the next try of the tool is looked for: later it has hardly to do with it.
const LOOKED_AHEAD: usize = 20;
/// Most tools between failure and next try: with more nobody can say which of them helped.
const TOOLS_BETWEEN: usize = 5;
/// Shortest part of an answer that says enough to be quoted without the rest, in bytes.
const LEAST_QUOTE: usize = 8;
/// Longest quote of an answer, in characters.
pub const QUOTE_CHARS: usize = 300;

/// The calls of a session that were answered, in order of the answers. An answer belongs to the call of the same id,
/// else to the last unanswered call of its tool; one without any call counts as a call without arguments.
pub fn of(session: &Session) -> Vec<Call<'_>> {
    let mut open: Vec<usize> = Vec::new();
    let mut calls = Vec::new();
    for (at, event) in session.events.iter().enumerate() {
        match event.kind {
            EventKind::ToolUse => {
                if open.len() == MOST_OPEN {
                    open.remove(0);
                }
                open.push(at);
            }
            EventKind::ToolResult => {
                let same_id = |&i: &usize| event.tool_use_id.is_some() && session.events[i].tool_use_id == event.tool_use_id;
                let same_tool = |&i: &usize| event.tool.is_none() || session.events[i].tool == event.tool;
                let found = open.iter().rposition(same_id).or_else(|| open.iter().rposition(same_tool));
                let call = found.map(|i| &session.events[open.remove(i)]);
                let Some(tool) = event.tool.as_deref().or(call.and_then(|c| c.tool.as_deref())) else { continue };
                let arguments = call.and_then(|c| serde_json::from_str(&c.text).ok()).unwrap_or_default();
                calls.push(Call { tool, arguments, answer: at, text: &event.text, is_error: event.is_error });
            }
            // What was refused never ran, and has no answer.
            EventKind::Denial => {
                if let Some(at) =
                    open.iter().rposition(|&i| event.tool_use_id.is_some() && session.events[i].tool_use_id == event.tool_use_id)
                {
                    open.remove(at);
                }
            }
            _ => {}
        }
    }
    calls
}

/// The failed calls, each with its next try.
pub fn errors(calls: &[Call]) -> Vec<ToolError> {
    let failed = calls.iter().enumerate().filter(|(_, c)| c.is_error).take(MOST_ERRORS);
    let error = |(at, call): (usize, &Call)| ToolError {
        tool: call.tool.to_owned(),
        signature: signature::of_call(call.text, &call.arguments),
        at: place(call),
        arguments: call.arguments.keys().cloned().collect(),
        next: next(calls, at),
    };
    failed.map(error).collect()
}

fn place(call: &Call) -> Place {
    let (mut start, mut end) = signature::said(call.text, QUOTE_CHARS);
    if start == end {
        (start, end) = (0, call.text.char_indices().nth(QUOTE_CHARS).map_or(call.text.len(), |(n, _)| n));
    }
    let (start, end) = without_personal(call.text, start, end);
    Place { event: call.answer, start, end }
}

/// The longest part of a span that holds no personal data and no credential; the span itself where it holds none, or nothing else.
fn without_personal(text: &str, start: usize, end: usize) -> (usize, usize) {
    let span = &text[start..end];
    let sensitive = domain::sensitive::sensitive_spans(span);
    let edges = sensitive.iter().map(|s| (s.start, s.end)).chain([(span.len(), span.len())]);
    let mut from = 0;
    let mut best = (0, 0);
    for (begins, ends) in edges {
        let part = &span[from..begins];
        let (lead, trimmed) = (part.len() - part.trim_start().len(), part.trim());
        if trimmed.len() > best.1 - best.0 {
            best = (from + lead, from + lead + trimmed.len());
        }
        from = ends;
    }
    if best.1 - best.0 < LEAST_QUOTE { (start, end) } else { (start + best.0, start + best.1) }
}

/// What the next call of the same tool after the failed one did differently, whether it worked or not.
fn next(calls: &[Call], failed: usize) -> Option<Next> {
    let before = &calls[failed];
    let offset = calls[failed + 1..].iter().take(LOOKED_AHEAD).position(|c| c.tool == before.tool)?;
    let next = &calls[failed + 1 + offset];
    let between: BTreeSet<&str> = calls[failed + 1..=failed + offset].iter().filter(|c| !c.is_error).map(|c| c.tool).collect();
    if between.len() > TOOLS_BETWEEN {
        return None;
    }
    let arguments = changed(&before.arguments, &next.arguments);
    if arguments.is_empty() && between.is_empty() {
        return None;
    }
    let values: BTreeMap<&String, String> = arguments.iter().filter_map(|key| Some((key, word(next.arguments.get(key)?)?))).collect();
    Some(Next {
        values: values.into_iter().map(|(key, value)| (key.clone(), value)).collect(),
        tools: between.into_iter().map(str::to_owned).collect(),
        worked: !next.is_error,
        at: place(next),
        arguments,
    })
}

fn changed(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<String> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter(|k| before.get(*k) != after.get(*k)).cloned().collect()
}

/// Every short word that stood as an argument, each once.
pub fn words(calls: &[Call]) -> Vec<(String, String, String)> {
    let mut found = BTreeSet::new();
    for call in calls {
        for (key, value) in &call.arguments {
            if let Some(word) = word(value)
                && found.len() < MOST_WORDS
            {
                found.insert((call.tool.to_owned(), key.clone(), word));
            }
        }
    }
    found.into_iter().collect()
}

/// A value that may belong to a tool's vocabulary: a boolean, or a short word of letters.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::Bool(b) => Some(b.to_string()),
        Value::String(s) if (1..=24).contains(&s.len()) && s.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '-' | '.')) => {
            Some(s.clone())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_leaves_personal_data_out_where_it_can() {
        let part = |text: &str| {
            let (start, end) = without_personal(text, 0, text.len());
            text[start..end].to_owned()
        };
        assert_eq!(part("Error: no such seat"), "Error: no such seat");
        assert_eq!(part("Error: mail to ana.li@example.com could not be delivered in time"), "could not be delivered in time");
        assert_eq!(part("ana.li@example.com"), "ana.li@example.com", "then it is shown masked");
        assert_eq!(part("Error: card 4111 1111 1111 1111 was declined"), "was declined");
    }
}
