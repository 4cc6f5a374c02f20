//! Pairs the calls of a session with their answers.

use domain::event::EventKind;
use serde_json::{Map, Value};

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
            _ => {}
        }
    }
    calls
}
