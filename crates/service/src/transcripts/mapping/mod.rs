//! Transcripts in a form that is none of those known here: a mapping says where in each record its
//! parts stand, as JSON pointers (RFC 6901).

mod guess;
mod preview;

use std::{collections::BTreeMap, io, sync::Arc};

use domain::event::{Event, EventKind, SessionHead, Speaker};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Place, Reader, Spool, messages, values};

pub use preview::{Preview, Seen, preview};

/// The places of a transcript's parts. A part may have several places; the first that holds
/// something counts. Places of a session's parts (`session`, `agent`, `user`, `team`, `task`,
/// `outcome`) are looked for in the record, then in the value around it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    pub name: String,
    /// The list of records in a value; without it each value is a record.
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub records: Places,
    /// The session's id; without it a file is one session.
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub session: Places,
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub agent: Places,
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub user: Places,
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub team: Places,
    /// The task, the same for every try at it.
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub task: Places,
    /// How the session ended: a word, a truth value, or a reward of which 1 is a success.
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub outcome: Places,
    /// The record's own id.
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub id: Places,
    pub role: Places,
    /// What was said, or what a tool answered.
    pub text: Places,
    /// The tool that is called or answers.
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub tool: Places,
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub arguments: Places,
    /// What pairs a call with its answer.
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub call: Places,
    /// The place that says whether the tool failed: a truth value, an exit code, or a text that is
    /// not empty.
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub error: Places,
    /// When it happened: RFC 3339, or seconds or milliseconds since the epoch.
    #[serde(skip_serializing_if = "Places::is_empty")]
    pub time: Places,
    /// What the words under `role` mean, beside the usual ones.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Role>,
}

/// Places of one part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrMany", into = "OneOrMany")]
pub struct Places(pub Vec<String>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Places {
    fn from(places: OneOrMany) -> Self {
        match places {
            OneOrMany::One(place) => Self(vec![place]),
            OneOrMany::Many(places) => Self(places),
        }
    }
}

impl From<Places> for OneOrMany {
    fn from(mut places: Places) -> Self {
        match places.0.len() {
            1 => Self::One(places.0.swap_remove(0)),
            _ => Self::Many(places.0),
        }
    }
}

impl Places {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find<'a>(&self, value: &'a Value) -> Option<&'a Value> {
        self.0
            .iter()
            .filter_map(|place| value.pointer(place))
            .find(|found| !found.is_null() && *found != "")
    }

    fn text(&self, value: &Value) -> Option<String> {
        self.find(value)
            .map(|found| values::content(Some(found)))
            .filter(|text| !text.is_empty())
    }
}

/// The meaning of a word under `role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A person said it.
    #[serde(alias = "human", alias = "person")]
    User,
    /// The agent said it, or calls a tool.
    #[serde(alias = "assistant")]
    Agent,
    /// The agent thought it.
    Thinking,
    /// The agent was told it.
    #[serde(alias = "harness")]
    System,
    /// A tool answered it.
    Tool,
    /// A person refused a call, or stopped the agent.
    Denial,
    /// It is kept as it came.
    Raw,
}

/// Usual words under `role`.
const USUAL: &[(Role, &[&str])] = &[
    (
        Role::User,
        &[
            "user", "human", "customer", "person", "client", "member", "guest",
        ],
    ),
    (
        Role::Agent,
        &[
            "assistant",
            "agent",
            "ai",
            "model",
            "bot",
            "gpt",
            "chatgpt",
            "llm",
            "tool_call",
            "function_call",
            "call",
            "action",
        ],
    ),
    (Role::Thinking, &["thinking", "reasoning", "thought"]),
    (
        Role::System,
        &["system", "developer", "instructions", "prompt"],
    ),
    (
        Role::Tool,
        &[
            "tool",
            "function",
            "tool_result",
            "tool_response",
            "observation",
            "result",
            "environment",
        ],
    ),
];

impl Mapping {
    /// Reads a mapping from its JSON, and says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mapping: Self =
            serde_json::from_str(text).map_err(|e| format!("the mapping cannot be read: {e}"))?;
        mapping.check()?;
        Ok(mapping)
    }

    /// Says what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if self.name.chars().count() > 80 || self.name.chars().any(char::is_control) {
            return Err("the name of a mapping is at most 80 characters on one line".to_owned());
        }
        for (part, places) in self.parts() {
            for place in &places.0 {
                // The list of records may be the value itself.
                let whole = place.is_empty() && part == "records";
                if !whole && !place.starts_with('/') {
                    return Err(format!(
                        "`{part}` is `{place}`, which is no JSON pointer: write it as /key/inner \
                         or /list/0"
                    ));
                }
            }
        }
        if self.role.is_empty() || (self.text.is_empty() && self.tool.is_empty()) {
            return Err("a mapping needs at least `role`, and `text` or `tool`".to_owned());
        }
        Ok(())
    }

    /// The parts with their names, in the order of a form.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, &Places); 15] {
        [
            ("records", &self.records),
            ("role", &self.role),
            ("text", &self.text),
            ("tool", &self.tool),
            ("arguments", &self.arguments),
            ("call", &self.call),
            ("error", &self.error),
            ("time", &self.time),
            ("id", &self.id),
            ("session", &self.session),
            ("user", &self.user),
            ("agent", &self.agent),
            ("team", &self.team),
            ("task", &self.task),
            ("outcome", &self.outcome),
        ]
    }

    fn role_of(&self, record: &Value) -> Option<Role> {
        let word = self.role.text(record)?;
        let usual = |word: &str| {
            USUAL
                .iter()
                .find(|(_, words)| words.contains(&word))
                .map(|(role, _)| *role)
        };
        self.roles
            .get(&word)
            .copied()
            .or_else(|| usual(&word.to_lowercase()))
    }

    fn head(&self, record: &Value, around: &Value) -> SessionHead {
        let text = |places: &Places| places.text(record).or_else(|| places.text(around));
        let outcome = self
            .outcome
            .find(record)
            .or_else(|| self.outcome.find(around));
        SessionHead {
            external_id: text(&self.session),
            agent: text(&self.agent),
            subject: text(&self.user),
            team: text(&self.team),
            task_key: text(&self.task),
            outcome: outcome.and_then(values::outcome),
            ..SessionHead::default()
        }
    }

    /// The events of a record.
    fn events(&self, record: &Value, number: usize) -> Vec<Event> {
        let text = self.text.text(record).unwrap_or_default();
        let tool = self.tool.text(record);
        let base = Event {
            external_id: self.id.text(record).or_else(|| Some(number.to_string())),
            occurred_at: values::time(self.time.find(record)),
            tool_use_id: self.call.text(record),
            ..Event::new(EventKind::Raw, text.clone())
        };
        let plain = |kind: EventKind| {
            vec![
                Event {
                    tool_use_id: None,
                    ..base.clone()
                }
                .of_kind(kind),
            ]
        };
        match self.role_of(record) {
            Some(Role::User) => messages::said_by_user(
                &text,
                &Event {
                    tool_use_id: None,
                    ..base
                },
            ),
            Some(Role::System) => plain(EventKind::System),
            Some(Role::Thinking) => plain(EventKind::Thinking),
            Some(Role::Denial) => vec![Event { tool, ..base }.of_kind(EventKind::Denial)],
            Some(Role::Tool) => vec![messages::answered(
                text,
                self.failed(record),
                Event { tool, ..base },
            )],
            Some(Role::Agent) => {
                let mut events = if text.is_empty() && tool.is_some() {
                    Vec::new()
                } else {
                    plain(EventKind::Agent)
                };
                if tool.is_some() {
                    let arguments = values::arguments(self.arguments.find(record));
                    events.push(
                        Event {
                            tool,
                            text: arguments,
                            ..base
                        }
                        .of_kind(EventKind::ToolUse),
                    );
                }
                events
            }
            Some(Role::Raw) | None => vec![base.by(Speaker::Unknown)],
        }
    }

    fn failed(&self, record: &Value) -> Option<bool> {
        if self.error.is_empty() {
            return None;
        }
        Some(
            self.error
                .0
                .iter()
                .filter_map(|place| record.pointer(place))
                .any(|found| match found {
                    Value::Bool(failed) => *failed,
                    Value::Number(code) => code.as_f64() != Some(0.0),
                    Value::String(text) => !matches!(
                        text.as_str(),
                        "" | "0" | "false" | "ok" | "OK" | "success" | "none"
                    ),
                    Value::Null => false,
                    other => other.as_array().is_none_or(|list| !list.is_empty()),
                }),
        )
    }
}

/// Takes values as a mapping says.
pub struct Mapped {
    mapping: Arc<Mapping>,
    current: Option<String>,
    /// How many records each session had.
    records: BTreeMap<String, usize>,
}

/// The format that sessions of a mapped transcript are shown with.
const SOURCE: &str = "mapped";

impl Mapped {
    /// A reader that reads by this mapping.
    pub fn by(mapping: Arc<Mapping>) -> Self {
        Self {
            mapping,
            current: None,
            records: BTreeMap::new(),
        }
    }
}

impl Reader for Mapped {
    fn holds_whole_sessions(&self) -> bool {
        !self.mapping.records.is_empty()
    }

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
        let mapping = self.mapping.clone();
        let records = if mapping.records.is_empty() {
            std::slice::from_ref(&value)
        } else {
            spool.leave();
            // A value with a list is a session of its own, unless it names another.
            self.current = None;
            match mapping.records.find(&value) {
                Some(Value::Array(list)) => list.as_slice(),
                Some(_) => return Ok(Err("what stands at `records` is no list".to_owned())),
                None => {
                    return Ok(Err(format!(
                        "nothing stands at `records` ({})",
                        mapping.records.0.join(", ")
                    )));
                }
            }
        };
        for record in records {
            let head = mapping.head(record, &value);
            if let Some(id) = &head.external_id {
                self.current = Some(id.clone());
            }
            let id = self
                .current
                .clone()
                .unwrap_or_else(|| at.source.id_of(&records[0].to_string()));
            self.current = Some(id.clone());
            spool.shared_session(SOURCE, &id)?;
            spool.note(head);
            let inside = self.records.entry(id).or_default();
            *inside += 1;
            // A line is known by its number in the file, in which a broken one counts.
            let number = if mapping.records.is_empty() {
                at.number
            } else {
                *inside
            };
            for event in super::numbered(mapping.events(record, number), &record.to_string()) {
                spool.event(event)?;
            }
        }
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::transcripts::{Options, Source};

    fn seen(text: &str, mapping: &str) -> Vec<(EventKind, String, Option<String>, bool)> {
        let options = Options {
            mapping: Some(Arc::new(Mapping::parse(mapping).unwrap())),
            ..Options::default()
        };
        let preview = preview(text.as_bytes(), &Source::named("t.jsonl"), &options).unwrap();
        assert!(preview.problems.is_empty(), "{:?}", preview.problems);
        preview
            .events
            .into_iter()
            .map(|e| (e.kind, e.text, e.tool, e.is_error))
            .collect()
    }

    #[test]
    fn a_record_a_line() {
        let text = concat!(
            r#"{"conv":"a","who":"gast","said":"Please quote prices with tax.","at":1770000000}"#,
            "\n",
            r#"{"conv":"a","who":"bot","fn":"quote","with":{"n":2},"ref":"c1"}"#,
            "\n",
            r#"{"conv":"a","who":"werkzeug","said":"no price list","fn":"quote","ref":"c1","code":3}"#
        );
        let mapping = r#"{"name":"desk","session":"/conv","role":"/who","text":"/said","tool":"/fn","arguments":"/with","call":"/ref",
            "error":"/code","time":"/at","roles":{"gast":"user","werkzeug":"tool"}}"#;
        assert_eq!(
            seen(text, mapping),
            [
                (
                    EventKind::User,
                    "Please quote prices with tax.".into(),
                    None,
                    false
                ),
                (
                    EventKind::ToolUse,
                    r#"{"n":2}"#.into(),
                    Some("quote".into()),
                    false
                ),
                (
                    EventKind::ToolResult,
                    "no price list".into(),
                    Some("quote".into()),
                    true
                ),
            ]
        );
    }

    #[test]
    fn records_in_a_list() {
        let text = r#"{"meta":{"ticket":"T-9"},"conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"Hello"}]}"#;
        let mapping = r#"{"records":"/conversations","role":"/from","text":["/missing","/value"],"task":"/meta/ticket"}"#;
        assert_eq!(
            seen(text, mapping),
            [
                (EventKind::User, "Hi".into(), None, false),
                (EventKind::Agent, "Hello".into(), None, false)
            ]
        );
    }

    #[test]
    fn what_is_wrong_with_a_mapping_is_said() {
        for (mapping, says) in [
            (
                r#"{"role":"who","text":"/t"}"#,
                "`role` is `who`, which is no JSON pointer",
            ),
            (r#"{"text":"/t"}"#, "needs at least `role`"),
            (r#"{"role":"/r"}"#, "`text` or `tool`"),
            (
                r#"{"role":"/r","text":"/t","colour":"/c"}"#,
                "unknown field `colour`",
            ),
            (
                r#"{"role":"/r","text":"/t","roles":{"x":"owner"}}"#,
                "unknown variant `owner`",
            ),
        ] {
            assert!(
                Mapping::parse(mapping).unwrap_err().contains(says),
                "{mapping}"
            );
        }
    }

    #[test]
    fn a_guess_from_the_names_of_keys() {
        let value = json!({"chat_id": "c", "customer": {"user_id": "u"}, "turns": [{"speaker": "human", "body": {"text": "Hi"}, "ts": 1}]});
        let guess = Mapping::guess(&value);
        let place = |p: &Places| p.0.first().cloned().unwrap_or_default();
        assert_eq!(
            [
                place(&guess.records),
                place(&guess.role),
                place(&guess.text),
                place(&guess.time),
                place(&guess.session),
                place(&guess.user)
            ],
            [
                "/turns",
                "/speaker",
                "/body/text",
                "/ts",
                "/chat_id",
                "/customer/user_id"
            ]
        );
        guess.check().unwrap();
        let written = serde_json::to_string(&guess).unwrap();
        assert_eq!(Mapping::parse(&written).unwrap(), guess);
    }
}
