//! Pairs the calls of a session with their answers, and keeps of the failed ones what was tried
//! next.

use std::collections::BTreeSet;

use domain::event::EventKind;
use serde_json::{Map, Value};

use super::{Between, Changed, Next, Place, ToolError, command, has_part, salient, signature};
use crate::types::Session;

/// A call of a tool with its answer.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    pub tool: &'a str,
    /// Its arguments; empty where they are not a JSON object.
    pub arguments: Map<String, Value>,
    /// Where the arguments are; none for an answer without a call.
    asked: Option<Place>,
    /// Of a shell, the command line.
    line: Option<String>,
    /// Index of the answer among the session's events.
    pub answer: usize,
    pub text: &'a str,
    /// True if that is an error.
    pub is_error: bool,
}

/// Calls that may wait for their answer at once; older ones are taken to have none.
const MOST_OPEN: usize = 256;
/// Errors of one session that are kept: what fails more often in one session says nothing new.
const MOST_ERRORS: usize = 200;
/// How many calls after a failure the next try of the tool is looked for: later it has hardly to do
/// with it.
const LOOKED_AHEAD: usize = 20;
/// How many calls after a failed command another one may stand in for it.
const INSTEAD_AHEAD: usize = 2;
/// Arguments of one next try that are kept.
const MOST_CHANGED: usize = 12;
/// Longest value of an argument that is kept, in characters.
const LONGEST_VALUE: usize = 60;
/// Most tools between failure and next try: with more nobody can say which of them helped.
const TOOLS_BETWEEN: usize = 5;
/// Shortest part of an answer that says enough to be quoted without the rest, in bytes.
const LEAST_QUOTE: usize = 8;
/// Longest quote of an answer, in characters.
pub const QUOTE_CHARS: usize = 300;

/// The calls of a session that were answered, in order of the answers. An answer belongs to the
/// call of the same id, else to the last unanswered call of its tool; one without any call counts
/// as a call without arguments.
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
                let same_id = |&i: &usize| {
                    event.tool_use_id.is_some()
                        && session.events[i].tool_use_id == event.tool_use_id
                };
                let same_tool =
                    |&i: &usize| event.tool.is_none() || session.events[i].tool == event.tool;
                let found = open
                    .iter()
                    .rposition(same_id)
                    .or_else(|| open.iter().rposition(same_tool));
                let asked = found.map(|i| open.remove(i));
                let call = asked.map(|i| &session.events[i]);
                let Some(tool) = event
                    .tool
                    .as_deref()
                    .or(call.and_then(|c| c.tool.as_deref()))
                else {
                    continue;
                };
                let arguments: Map<String, Value> = call
                    .and_then(|c| serde_json::from_str(&c.text).ok())
                    .unwrap_or_default();
                let line = command::line_of(tool, &arguments);
                let asked = asked.map(|event| quoted(event, &session.events[event].text));
                calls.push(Call {
                    tool,
                    arguments,
                    asked,
                    line,
                    answer: at,
                    text: &event.text,
                    is_error: event.is_error,
                });
            }
            // What was refused never ran, and has no answer.
            EventKind::Denial => {
                if let Some(at) = open.iter().rposition(|&i| {
                    event.tool_use_id.is_some()
                        && session.events[i].tool_use_id == event.tool_use_id
                }) {
                    open.remove(at);
                }
            }
            _ => {}
        }
    }
    calls
}

/// The failed calls, with what was tried next.
pub fn errors(calls: &[Call]) -> Vec<ToolError> {
    let programs: Vec<Option<String>> = calls.iter().map(program).collect();
    let failed = calls
        .iter()
        .enumerate()
        .filter(|(_, c)| c.is_error)
        .take(MOST_ERRORS);
    let error = |(at, call): (usize, &Call)| {
        let signature = signature::of_call(call.text, &call.arguments);
        ToolError {
            tool: call.tool.to_owned(),
            program: programs[at].clone(),
            signature: signature.line,
            masked: signature.masked,
            at: place(call),
            next: next(calls, &programs, at),
        }
    };
    failed.map(error).collect()
}

/// Of a shell's call, the program that failed, or did the work.
fn program(call: &Call) -> Option<String> {
    let line = call.line.as_deref()?;
    let (start, end) = if call.is_error {
        salient::said(call.text, QUOTE_CHARS)
    } else {
        (0, 0)
    };
    command::program(line, &call.text[start..end])
}

fn place(call: &Call) -> Place {
    let (start, end) = salient::said(call.text, QUOTE_CHARS);
    if start == end {
        return quoted(call.answer, call.text);
    }
    let (start, end) = without_personal(call.text, start, end);
    Place {
        event: call.answer,
        start,
        end,
    }
}

/// The first part of an event's text, as far as it holds nothing personal.
pub(super) fn quoted(event: usize, text: &str) -> Place {
    let end = text
        .char_indices()
        .nth(QUOTE_CHARS)
        .map_or(text.len(), |(n, _)| n);
    let (start, end) = without_personal(text, 0, end);
    Place { event, start, end }
}

/// The longest part of a span that holds no personal data and no credential; the span itself where
/// it holds none, or nothing else.
fn without_personal(text: &str, start: usize, end: usize) -> (usize, usize) {
    let span = &text[start..end];
    let sensitive = domain::sensitive::sensitive_spans(span);
    let edges = sensitive
        .iter()
        .map(|s| (s.start, s.end))
        .chain([(span.len(), span.len())]);
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
    if best.1 - best.0 < LEAST_QUOTE {
        (start, end)
    } else {
        (start + best.0, start + best.1)
    }
}

/// Returns what the next try after the failed call did differently, whether it worked or not.
fn next(calls: &[Call], programs: &[Option<String>], failed: usize) -> Option<Next> {
    let before = &calls[failed];
    let ahead = failed + 1..calls.len().min(failed + 1 + LOOKED_AHEAD);
    let same = |&n: &usize| calls[n].tool == before.tool && programs[n] == programs[failed];
    // `dbt deps` after a failed `dbt build` is no next try of it, if `dbt build` is run again after
    // that.
    let verb = |n: usize| calls[n].line.as_deref().and_then(command::verb);
    let same_verb = |n: &usize| before.line.is_some() && same(n) && verb(*n) == verb(failed);
    // Another command stands in for one that failed only if its program is not there, or if it is
    // the same one with another verb.
    let base = |n: usize| programs[n].as_deref().and_then(|p| p.split(' ').next());
    let is_missing = before.line.is_some() && before.text.contains("not found");
    let instead = |&n: &usize| {
        let stands_in =
            calls[n].line.is_some() && !calls[n].is_error && n <= failed + INSTEAD_AHEAD;
        before.line.is_some()
            && stands_in
            && (is_missing || (base(n).is_some() && base(n) == base(failed)))
    };
    let at = ahead
        .clone()
        .find(same_verb)
        .or_else(|| ahead.clone().find(same))
        .or_else(|| ahead.clone().find(instead))?;
    let next = &calls[at];
    let mut between: Vec<Between> = calls[failed + 1..at]
        .iter()
        .filter(|c| !c.is_error)
        .map(between)
        .collect();
    between.sort();
    between.dedup_by(|a, b| (&a.tool, &a.command) == (&b.tool, &b.command));
    if between.len() > TOOLS_BETWEEN {
        return None;
    }
    let shell = before.line.is_some();
    Some(Next {
        changed: if shell {
            Vec::new()
        } else {
            changed(&before.arguments, &next.arguments)
        },
        between,
        command: before
            .line
            .as_deref()
            .zip(next.line.as_deref())
            .filter(|(a, b)| a != b)
            .map(|(a, b)| Changed {
                name: "command".to_owned(),
                before: Some(shown_line(a)),
                after: Some(shown_line(b)),
            }),
        worked: !next.is_error,
        at: place(next),
        call: next.asked,
    })
}

fn between(call: &Call) -> Between {
    Between {
        tool: call.tool.to_owned(),
        command: call.line.as_deref().map(shown_line),
        call: call.asked,
    }
}

/// A command line in one line; empty where it is long or holds something personal.
fn shown_line(line: &str) -> String {
    let fit = |shown: &String| {
        domain::sensitive::sensitive_spans(shown).is_empty()
            && !command::may_hold_a_credential(shown)
    };
    command::shown(line).filter(fit).unwrap_or_default()
}

fn changed(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<Changed> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let different = keys
        .into_iter()
        .filter(|k| before.get(*k) != after.get(*k))
        .take(MOST_CHANGED);
    different
        .map(|key| Changed {
            name: key.clone(),
            before: before.get(key).map(|v| shown_value(key, v)),
            after: after.get(key).map(|v| shown_value(key, v)),
        })
        .collect()
}

/// Parts of arguments' names whose values are nobody's to repeat.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "apikey",
    "key",
    "pin",
    "otp",
    "cvv",
    "cvc",
    "auth",
    "authorization",
    "credential",
    "credentials",
    "cookie",
    "session",
    "signature",
    "passphrase",
];

/// A value as it is written; empty where it is long, of several parts, personal or a credential.
fn shown_value(name: &str, value: &Value) -> String {
    if has_part(name, SECRET_NAMES) {
        return String::new();
    }
    let text = match value {
        Value::String(s) => s.clone(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return String::new(),
    };
    let fits = text.chars().count() <= LONGEST_VALUE && !text.chars().any(char::is_control);
    // Some values are known for what they are by their name only.
    let named = format!("{name}: \"{text}\"");
    if fits && domain::sensitive::sensitive_spans(&named).is_empty() {
        text
    } else {
        String::new()
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
        assert_eq!(
            part("Error: mail to ana.li@example.com could not be delivered in time"),
            "could not be delivered in time"
        );
        assert_eq!(
            part("ana.li@example.com"),
            "ana.li@example.com",
            "then it is shown masked"
        );
        assert_eq!(
            part("Error: card 4111 1111 1111 1111 was declined"),
            "was declined"
        );
    }
}
