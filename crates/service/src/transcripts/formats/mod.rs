//! One module for each format, or for a few that are alike, and what tells them apart.

mod atif;
mod batch;
pub(super) mod claude_code;
mod cline;
pub(super) mod codex;
mod copilot;
mod cursor;
mod events;
mod gemini;
mod openai;
mod openclaw;
mod opencode;
mod openhands;
mod plain;
mod spans;
mod swe_agent;
mod tau2;

use serde_json::Value;

use super::{Options, Reader, documents::Documents, lines::Lines, mapping, messages, values};

pub use cursor::read_markdown;
pub use events::read as read_event;

/// In which form a transcript is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Found out from the first values of each file.
    Auto,
    /// Chats of OpenAI's or Anthropic's messages, a JSON list or one a line.
    OpenAi,
    /// Messages, or items of the Responses API, that are one session together.
    Messages,
    /// Answers of the Responses API, each with its input where that was logged; what answers an
    /// earlier one is of its session.
    Responses,
    /// Input and output of OpenAI's and Anthropic's batches.
    Batch,
    /// What Claude Code writes, one object a line; also Cursor's agent with `stream-json`.
    ClaudeCode,
    /// What Codex writes: rollouts, and the items of `exec --json`.
    Codex,
    /// Managed Agents event objects.
    Events,
    /// Sessions of Gemini CLI.
    Gemini,
    /// `events.jsonl` of Copilot CLI.
    Copilot,
    /// What `opencode export` and `opencode run --format json` print.
    OpenCode,
    /// Tasks of Cline and of its relatives.
    Cline,
    /// Sessions of OpenClaw and of pi.
    OpenClaw,
    OpenHands,
    /// Trajectories of SWE-agent and mini-swe-agent.
    SweAgent,
    Tau2,
    /// The Agent Trajectory Interchange Format.
    Atif,
    /// Spans of a trace: OpenTelemetry, Langfuse, LangSmith, Phoenix, the Agents SDK.
    Spans,
}

impl Format {
    /// Every format, with the word for it.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("auto", Self::Auto),
        ("openai", Self::OpenAi),
        ("messages", Self::Messages),
        ("responses", Self::Responses),
        ("batch", Self::Batch),
        ("claude-code", Self::ClaudeCode),
        ("codex", Self::Codex),
        ("events", Self::Events),
        ("gemini", Self::Gemini),
        ("copilot", Self::Copilot),
        ("opencode", Self::OpenCode),
        ("cline", Self::Cline),
        ("openclaw", Self::OpenClaw),
        ("openhands", Self::OpenHands),
        ("swe-agent", Self::SweAgent),
        ("tau2", Self::Tau2),
        ("atif", Self::Atif),
        ("spans", Self::Spans),
    ];

    /// Returns what it is called on pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "find out",
            Self::OpenAi => "OpenAI or Anthropic chats",
            Self::Messages => "List of messages",
            Self::Responses => "Responses API",
            Self::Batch => "Batches",
            Self::ClaudeCode => "Claude Code",
            Self::Codex => "Codex",
            Self::Events => "Managed Agents events",
            Self::Gemini => "Gemini CLI",
            Self::Copilot => "Copilot CLI",
            Self::OpenCode => "OpenCode",
            Self::Cline => "Cline",
            Self::OpenClaw => "OpenClaw",
            Self::OpenHands => "OpenHands",
            Self::SweAgent => "SWE-agent",
            Self::Tau2 => "tau2-bench",
            Self::Atif => "ATIF trajectories",
            Self::Spans => "Traces (OpenTelemetry, Langfuse, LangSmith, Phoenix)",
        }
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = Self::ALL
            .iter()
            .find(|(_, format)| format == self)
            .map_or("auto", |(name, _)| *name);
        f.write_str(name)
    }
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .find(|(name, _)| *name == word)
            .map(|(_, format)| *format)
            .ok_or_else(|| {
                let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
                format!("`{word}` is not a format; formats are {}", names.join(", "))
            })
    }
}

/// The reader of a file's format: what a mapping says, else the format that is given, else what its
/// value says.
pub fn reader(options: &Options, text: &str) -> Result<Box<dyn Reader>, String> {
    if let Some(mapping) = &options.mapping {
        return Ok(Box::new(mapping::Mapped::by(mapping.clone())));
    }
    let line = Line::read(text);
    let format = options.format;
    let format = if format == Format::Auto {
        detect(line.as_ref().map_err(Clone::clone)?)?
    } else {
        format
    };
    // Some formats have a whole session in a value, or a line of one.
    let whole = |key: &str| line.as_ref().is_ok_and(|l| l.has(key));
    Ok(match format {
        Format::OpenAi | Format::Auto => Box::new(openai::OpenAi::default()),
        Format::Messages => Box::new(Lines::of("messages", plain::Messages)),
        Format::Responses => Box::new(spans::Spans::of("responses")),
        Format::Batch => Box::new(Documents::of("batch", batch::read)),
        Format::ClaudeCode => Box::new(claude_code::ClaudeCode::default()),
        Format::Codex => Box::new(codex::Codex::default()),
        Format::Events => Box::new(events::Events::default()),
        Format::Gemini if whole("messages") => Box::new(Documents::of("gemini", gemini::read)),
        Format::Gemini => Box::new(Lines::of("gemini", gemini::Gemini::default())),
        Format::Copilot => Box::new(Lines::of("copilot", copilot::Copilot::default())),
        Format::OpenCode if whole("messages") => {
            Box::new(Documents::of("opencode", opencode::read))
        }
        Format::OpenCode => Box::new(Lines::of("opencode", opencode::Run)),
        Format::Cline => Box::new(Lines::of("cline", cline::Cline::default())),
        Format::OpenClaw => Box::new(Lines::of("openclaw", openclaw::OpenClaw)),
        Format::OpenHands if whole("history") => {
            Box::new(Documents::of("openhands", openhands::read))
        }
        Format::OpenHands => Box::new(Lines::of("openhands", openhands::OpenHands)),
        Format::SweAgent => Box::new(Documents::of("swe-agent", swe_agent::read)),
        Format::Tau2 => Box::new(Documents::of("tau2", tau2::read)),
        Format::Atif => Box::new(Documents::of("atif", atif::read)),
        Format::Spans => Box::new(spans::Spans::of("spans")),
    })
}

/// The top of a value, for finding out what it is.
struct Line<'a> {
    keys: values::Keys<'a>,
    kind: String,
}

impl<'a> Line<'a> {
    fn read(text: &'a str) -> Result<Self, String> {
        let keys: values::Keys = serde_json::from_str(text).map_err(|e| values::not_json(&e))?;
        let mut line = Self {
            keys,
            kind: String::new(),
        };
        line.kind = line.text("type").unwrap_or_default();
        Ok(line)
    }

    fn has(&self, key: &str) -> bool {
        self.keys.0.contains_key(key)
    }

    fn has_all(&self, keys: &[&str]) -> bool {
        keys.iter().all(|k| self.has(k))
    }

    fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|k| self.has(k))
    }

    fn text(&self, key: &str) -> Option<String> {
        self.keys
            .0
            .get(key)
            .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok())
    }

    fn value(&self, key: &str) -> Option<Value> {
        self.keys
            .0
            .get(key)
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
    }

    /// How the JSON under a key begins, which is enough to know the shape of a list's first
    /// element.
    fn start(&self, key: &str) -> &str {
        let raw = self.keys.0.get(key).map_or("", |raw| raw.get());
        raw.char_indices()
            .nth(LOOKED_AT)
            .map_or(raw, |(end, _)| &raw[..end])
    }
}

/// How many characters of a list are looked at.
const LOOKED_AT: usize = 400;

/// Returns what a value is. What is particular to one format is asked before what several have.
fn detect(line: &Line) -> Result<Format, String> {
    type Test = fn(&Line) -> bool;
    let tests: &[(Format, Test)] = &[
        (Format::Atif, |l| {
            l.text("schema_version")
                .is_some_and(|v| v.starts_with("ATIF"))
                || l.has_all(&["steps", "agent"])
        }),
        (Format::Tau2, |l| l.has("simulations")),
        (Format::Batch, |l| l.has("custom_id")),
        (Format::Spans, spans::is_span),
        (Format::SweAgent, |l| {
            l.has("trajectory") && l.has_any(&["history", "info", "environment"])
        }),
        (Format::SweAgent, |l| {
            l.has("messages") && l.has("trajectory_format")
        }),
        (Format::Gemini, |l| l.has_all(&["sessionId", "projectHash"])),
        (Format::OpenCode, |l| {
            l.has_all(&["info", "messages"]) && l.start("messages").contains("\"info\"")
        }),
        (Format::OpenCode, |l| l.has_all(&["sessionID", "part"])),
        (Format::OpenHands, |l| {
            l.has("history") && l.has_any(&["instance_id", "test_result"])
        }),
        (Format::SweAgent, |l| {
            l.has("history") && l.start("history").contains("\"role\"")
        }),
        (Format::OpenAi, |l| l.has_any(&["messages", "traj"])),
        (Format::Responses, |l| {
            l.text("object").as_deref() == Some("response")
        }),
        (Format::Copilot, |l| l.kind.contains('.') && l.has("data")),
        (Format::Codex, |l| codex::is_line(&l.kind, l.has("payload"))),
        (Format::OpenClaw, |l| {
            l.kind == "session" && l.has_any(&["version", "cwd"])
        }),
        (Format::Events, |l| {
            l.kind == "session" || l.kind.contains('.')
        }),
        (Format::OpenHands, |l| {
            l.has_any(&["action", "observation"]) && l.has_any(&["source", "cause"])
        }),
        (Format::OpenHands, |l| {
            l.has("source")
                && l.text("kind")
                    .is_some_and(|k| k.ends_with("Event") || k.ends_with("Observation"))
        }),
        (Format::Cline, |l| l.has("ts") && l.has_any(&["say", "ask"])),
        (Format::Cline, |l| {
            l.has("role")
                && ["<task>", "<environment_details>"]
                    .iter()
                    .any(|m| l.start("content").contains(m))
        }),
        (Format::ClaudeCode, |l| {
            !l.kind.is_empty() && !l.has("role") && l.has_any(CLAUDE_CODE)
        }),
        (Format::Messages, |l| {
            l.has("role") && messages::is_message(&l.plain())
        }),
        (Format::Messages, |l| messages::is_item(&l.kind)),
    ];
    if let Some((format, _)) = tests.iter().find(|(_, is)| is(line)) {
        return Ok(*format);
    }
    let keys: Vec<String> = line
        .keys
        .0
        .keys()
        .take(SHOWN_KEYS)
        .map(|k| format!("`{}`", k.chars().take(40).collect::<String>()))
        .collect();
    let seen = if keys.is_empty() {
        "an object without keys".to_owned()
    } else {
        format!("an object with {}", keys.join(", "))
    };
    Err(format!(
        "it is {seen}, which is none of the formats known here; say which with --format, or where \
         its parts stand with --map"
    ))
}

/// Keys of which the lines of Claude Code have at least one.
const CLAUDE_CODE: &[&str] = &[
    "message",
    "sessionId",
    "session_id",
    "uuid",
    "summary",
    "leafUuid",
    "messageId",
    "timestamp",
];
/// How many keys of an unknown value are named.
const SHOWN_KEYS: usize = 8;

impl Line<'_> {
    /// The value with its keys, those that tell a message apart whole.
    fn plain(&self) -> Value {
        let role = self.value("role").unwrap_or(Value::Null);
        let rest = self
            .keys
            .0
            .keys()
            .filter(|k| *k != "role")
            .map(|k| (k.to_string(), Value::Bool(true)));
        Value::Object(rest.chain([("role".to_owned(), role)]).collect())
    }
}
