//! The `cline` format: tasks of Cline and its relatives. `api_conversation_history.json` is a list
//! of Anthropic's messages in which calls of tools are elements of the agent's text and answers are
//! texts in the user's role; `ui_messages.json` is what the screen showed.

use domain::event::{Event, EventKind, Speaker};
use serde_json::{Map, Value, json};

use crate::transcripts::{lines::Line, messages, values};

/// Tools that are called by an element of this name.
const TOOLS: &[&str] = &[
    "execute_command",
    "read_file",
    "write_to_file",
    "replace_in_file",
    "apply_diff",
    "insert_content",
    "search_and_replace",
    "search_files",
    "list_files",
    "list_code_definition_names",
    "browser_action",
    "use_mcp_tool",
    "access_mcp_resource",
    "ask_followup_question",
    "attempt_completion",
    "plan_mode_respond",
    "new_task",
    "switch_mode",
    "fetch_instructions",
    "web_fetch",
];

/// Reads one message a value.
#[derive(Default)]
pub struct Cline {
    /// That an answer's text is still to come, and its tool.
    answering: Option<String>,
}

impl Line for Cline {
    fn session(&mut self, _: &Value) -> Option<String> {
        None
    }

    fn events(&mut self, line: &Value, base: Event) -> Result<Vec<Event>, String> {
        if line.get("say").is_some() || line.get("ask").is_some() {
            return Ok(shown(line, base));
        }
        let texts = match line.get("content") {
            Some(Value::String(text)) => vec![json!({"type": "text", "text": text})],
            Some(Value::Array(parts)) => parts.clone(),
            _ => return messages::events(line, &base.raw),
        };
        let by_user = line.get("role").is_some_and(|r| r == "user");
        let mut events = Vec::new();
        for part in &texts {
            match values::text(part, "text").filter(|_| values::kind(part) == "text") {
                Some(text) if by_user => events.extend(self.said_to_agent(&text, &base)),
                Some(text) => events.extend(Self::said_by_agent(&text, &base)),
                None if values::kind(part) == "tool_result" => {
                    let text = values::content(part.get("content"));
                    let (tool, rest) = result_heading(&text).unwrap_or(("", &text));
                    let base = Event {
                        tool_use_id: values::text(part, "tool_use_id"),
                        ..base.clone()
                    };
                    let named = |e: Event| Event {
                        tool: e.tool.filter(|t| !t.is_empty()),
                        ..e
                    };
                    events.extend(answer(tool, rest.trim(), &base).into_iter().map(named));
                }
                None => {
                    let one = json!({"role": line.get("role"), "content": [part]});
                    events.extend(messages::events(&one, "")?.into_iter().map(|e| Event {
                        occurred_at: base.occurred_at,
                        ..e
                    }));
                }
            }
        }
        self.answering = None;
        if events.is_empty() {
            events.push(base.clone());
        }
        Ok(events)
    }
}

impl Cline {
    fn said_to_agent(&mut self, text: &str, base: &Event) -> Vec<Event> {
        if let Some((tool, rest)) = result_heading(text) {
            let rest = rest.trim();
            if rest.is_empty() {
                self.answering = Some(tool.to_owned());
                return Vec::new();
            }
            return answer(tool, rest, base);
        }
        if let Some(tool) = self.answering.take() {
            return answer(&tool, text, base);
        }
        if text.trim_start().starts_with("[ERROR]")
            || text.trim_start().starts_with("[TASK RESUMPTION]")
        {
            return vec![
                Event {
                    text: text.to_owned(),
                    ..base.clone()
                }
                .of_kind(EventKind::System),
            ];
        }
        messages::said_by_user(text, base)
    }

    fn said_by_agent(text: &str, base: &Event) -> Vec<Event> {
        let opens = |tool: &&&str| text.contains(&format!("<{tool}>"));
        let first = TOOLS
            .iter()
            .filter(opens)
            .min_by_key(|tool| text.find(&format!("<{tool}>")));
        let agent = |text: &str| {
            Event {
                text: text.trim().to_owned(),
                ..base.clone()
            }
            .of_kind(EventKind::Agent)
        };
        let Some(tool) = first else {
            return vec![agent(text)];
        };
        let (before, inside) = text.split_once(&format!("<{tool}>")).unwrap_or((text, ""));
        let inside = inside.split(&format!("</{tool}>")).next().unwrap_or(inside);
        let (thought, said) = match before
            .split_once("<thinking>")
            .and_then(|(_, r)| r.split_once("</thinking>"))
        {
            Some((thought, after)) => (Some(thought), after),
            None => (None, before),
        };
        let mut events = Vec::new();
        if let Some(thought) = thought {
            events.push(
                Event {
                    text: thought.trim().to_owned(),
                    ..base.clone()
                }
                .of_kind(EventKind::Thinking),
            );
        }
        if !said.trim().is_empty() {
            events.push(agent(said));
        }
        let arguments = parameters(inside);
        if *tool == "attempt_completion" {
            events.push(agent(
                arguments
                    .get("result")
                    .and_then(Value::as_str)
                    .unwrap_or(inside),
            ));
            return events;
        }
        let text = Value::Object(arguments).to_string();
        events.push(
            Event {
                tool: Some((*tool).to_owned()),
                text,
                ..base.clone()
            }
            .of_kind(EventKind::ToolUse),
        );
        events
    }
}

/// Calls that ask a person, whose words are the answer.
const ASKING: &[&str] = &[
    "ask_followup_question",
    "attempt_completion",
    "plan_mode_respond",
];

fn answer(tool: &str, text: &str, base: &Event) -> Vec<Event> {
    if ASKING.contains(&tool) {
        return messages::said_by_user(text, base);
    }
    let refused = text
        .trim_start()
        .starts_with("The user denied this operation");
    let failed = text.trim_start().starts_with("The tool execution failed")
        || text.contains("Command failed with exit code")
        || refused;
    let answer = Event {
        tool: Some(tool.to_owned()),
        ..base.clone()
    };
    let answered = messages::answered(text.to_owned(), failed.then_some(true), answer);
    // What a person said with a refusal is theirs.
    let words = text
        .split_once("<feedback>")
        .and_then(|(_, t)| t.split_once("</feedback>"))
        .filter(|_| refused)
        .map(|(words, _)| words.trim());
    let words = words.map(|words| {
        Event {
            text: words.to_owned(),
            ..base.clone()
        }
        .of_kind(EventKind::User)
    });
    [answered].into_iter().chain(words).collect()
}

/// The tool whose answer a text is: it begins with `[TOOL for '..'] Result:`.
fn result_heading(text: &str) -> Option<(&str, &str)> {
    let inner = text.trim_start().strip_prefix('[')?;
    // A command may go over several lines.
    let (heading, rest) = inner.split_once("] Result:")?;
    let tool = heading.split(' ').next().filter(|t| TOOLS.contains(t))?;
    Some((tool, rest))
}

/// Longest name of an argument, in bytes.
const NAME_BYTES: usize = 60;

/// The elements inside a call, by their names.
fn parameters(inside: &str) -> Map<String, Value> {
    let mut found = Map::new();
    let mut rest = inside;
    while let Some((_, after)) = rest.split_once('<')
        && let Some((name, after)) = after.split_once('>')
    {
        let plain =
            !name.is_empty() && name.len() <= NAME_BYTES && !name.contains(['<', ' ', '/', '\n']);
        let closed = plain
            .then(|| after.split_once(&format!("</{name}>")))
            .flatten();
        let Some((value, after_value)) = closed else {
            // One that is not closed goes to the end.
            if plain {
                found.insert(name.to_owned(), Value::String(after.trim().to_owned()));
                break;
            }
            rest = after;
            continue;
        };
        found.insert(name.to_owned(), Value::String(value.trim().to_owned()));
        rest = after_value;
    }
    found
}

/// Returns what the screen showed.
fn shown(line: &Value, base: Event) -> Vec<Event> {
    let text = values::text(line, "text").unwrap_or_default();
    let what = values::text(line, "say")
        .or_else(|| values::text(line, "ask"))
        .unwrap_or_default();
    let base = Event {
        external_id: values::text(line, "ts"),
        ..base
    };
    let event = |kind: EventKind, text: String| {
        vec![
            Event {
                text,
                ..base.clone()
            }
            .of_kind(kind),
        ]
    };
    match what.as_str() {
        // What was still being written is there again when it is whole.
        _ if line.get("partial") == Some(&Value::Bool(true)) => vec![base.clone()],
        "task" | "user_feedback" => messages::said_by_user(&text, &base),
        "text" | "completion_result" | "followup" | "plan_mode_respond" if !text.is_empty() => {
            event(EventKind::Agent, text)
        }
        "reasoning" => event(EventKind::Thinking, text),
        "command" => {
            let base = Event {
                tool: Some("execute_command".to_owned()),
                text: json!({"command": text}).to_string(),
                ..base.clone()
            };
            vec![base.of_kind(EventKind::ToolUse)]
        }
        "command_output" => answer("execute_command", &text, &base),
        "tool" => {
            let tool = serde_json::from_str::<Value>(&text)
                .ok()
                .and_then(|v| values::text(&v, "tool"));
            vec![
                Event {
                    tool,
                    text,
                    ..base.clone()
                }
                .of_kind(EventKind::ToolUse),
            ]
        }
        "error" => vec![
            Event {
                text,
                ..base.clone()
            }
            .by(Speaker::Harness),
        ],
        _ => vec![base.clone()],
    }
}
