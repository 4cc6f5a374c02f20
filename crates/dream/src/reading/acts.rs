//! What an agent did: which tools it called first in which order, which last, and the calls that
//! change something outside.

use domain::event::EventKind;
use serde::{Deserialize, Serialize};

use super::{Place, calls::quoted, command, has_part, hash};
use crate::types::Session;

/// Tools of one session that are kept.
const MOST_TOOLS: usize = 100;
/// Changing calls of one session that are kept.
const MOST_ACTS: usize = 50;
/// How the names of tools begin, or what they hold, that only look.
const LOOKING: &[&str] = &[
    "get",
    "list",
    "search",
    "find",
    "read",
    "query",
    "fetch",
    "show",
    "describe",
    "view",
    "calculate",
    "think",
    "check",
    "lookup",
    "look",
    "count",
    "browse",
    "inspect",
    "grep",
    "glob",
    "ls",
    "cat",
    "status",
];

/// The tools of coding agents by which they edit files, in lower case without signs.
const EDITORS: &[&str] = &[
    "edit",
    "multiedit",
    "notebookedit",
    "write",
    "editfile",
    "writefile",
    "writetofile",
    "createfile",
    "replace",
    "replaceinfile",
    "searchreplace",
    "strreplace",
    "strreplaceeditor",
    "strreplacebasededittool",
    "applypatch",
    "applydiff",
    "patch",
    "fsedit",
    "fswrite",
];

/// True if a coding agent edits files by this tool.
pub fn edits_files(tool: &str) -> bool {
    let name: String = tool.chars().filter(char::is_ascii_alphanumeric).collect();
    EDITORS.contains(&name.to_ascii_lowercase().as_str())
}

/// The first call of a tool; of a shell, of each program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct First {
    pub tool: String,
    /// Of a shell, the program that it ran, with its verb.
    pub program: Option<String>,
    /// Its arguments, as far as they hold nothing personal.
    pub at: Place,
}

impl First {
    /// Returns what was called, as a person would say.
    pub fn name(&self) -> &str {
        self.program.as_deref().unwrap_or(&self.tool)
    }
}

/// A call that changes something outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    pub tool: String,
    /// Hash of its arguments.
    pub arguments: u64,
    /// Index of the call among the events.
    pub event: usize,
}

/// True if a tool's or argument's name may be in content: letters, digits, `_`, `-`, `.`, `:`,
/// at most 64.
pub fn is_plain_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
}

/// The first call of each tool and program, in order, and the name of the last one of all.
pub fn firsts(session: &Session) -> (Vec<First>, Option<String>) {
    let mut found: Vec<First> = Vec::new();
    let mut last = None;
    for (event, tool, text) in uses(session) {
        let program = program(tool, text);
        last = Some(program.clone().unwrap_or_else(|| tool.to_owned()));
        if found.len() < MOST_TOOLS && !found.iter().any(|f| f.tool == tool && f.program == program)
        {
            found.push(First {
                tool: tool.to_owned(),
                program,
                at: quoted(event, text),
            });
        }
    }
    (found, last)
}

/// The program that a shell's call runs.
fn program(tool: &str, text: &str) -> Option<String> {
    if !command::is_shell(tool) {
        return None;
    }
    let arguments = serde_json::from_str(text).ok()?;
    command::program(&command::line_of(tool, &arguments)?, "")
}

/// The calls that change something, by their tools' names.
pub fn of(session: &Session) -> Vec<Act> {
    // What a shell runs, or an agent edits, differs between any two sessions.
    let works = |tool: &str| command::is_shell(tool) || edits_files(tool);
    let changing = uses(session).filter(|(_, tool, _)| !only_looks(tool) && !works(tool));
    let act = |(event, tool, text): (usize, &str, &str)| Act {
        tool: tool.to_owned(),
        arguments: hash(text.as_bytes()),
        event,
    };
    changing.map(act).take(MOST_ACTS).collect()
}

fn uses(session: &Session) -> impl Iterator<Item = (usize, &str, &str)> {
    let calls = session
        .events
        .iter()
        .enumerate()
        .filter(|(_, e)| e.kind == EventKind::ToolUse);
    calls.filter_map(|(n, e)| {
        Some((
            n,
            e.tool.as_deref().filter(|t| is_plain_name(t))?,
            e.text.as_str(),
        ))
    })
}

/// True if a tool changes nothing, as far as its name says so.
pub fn only_looks(tool: &str) -> bool {
    has_part(tool, LOOKING)
}
