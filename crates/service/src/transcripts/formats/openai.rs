//! The `openai` format: chats with `messages` or `traj`, of OpenAI's and of Anthropic's API: there,
//! calls and answers of tools are parts of messages. A chat may be long, so its messages are taken
//! one by one.

use std::{
    collections::{HashMap, HashSet},
    io,
};

use domain::event::{Event, EventKind, SessionHead};
use serde_json::{Map, Value, value::RawValue};
use sha2::{Digest, Sha256};

use crate::transcripts::{Place, Reader, Spool, messages, parse, values};

/// Most bytes of metadata kept beside a chat.
const METADATA_BYTES: usize = 64 * 1024;
/// The key of the metadata that names what was too long to be kept.
const LEFT_OUT: &str = "left_out";

/// Reads one chat a value.
#[derive(Default)]
pub struct OpenAi {
    /// The chats' own ids in this file.
    ids: HashSet<String>,
    /// Chats without one, by a hash of their user and messages: a log of requests holds each chat
    /// again with every answer.
    chats: HashMap<[u8; 32], usize>,
}

/// How few messages a chat has that may be the beginning of any other.
const TOO_SHORT: usize = 2;

impl Reader for OpenAi {
    fn holds_whole_sessions(&self) -> bool {
        true
    }

    fn take(
        &mut self,
        text: &str,
        at: &Place,
        spool: &mut Spool,
    ) -> io::Result<Result<(), String>> {
        spool.leave();
        let keys: values::Keys = match serde_json::from_str(text) {
            Ok(keys) => keys,
            Err(error) => return Ok(Err(values::not_json(&error))),
        };
        let Some(list) = keys.0.get("messages").or_else(|| keys.0.get("traj")) else {
            return Ok(Err("a chat needs a list `messages` or `traj`".to_owned()));
        };
        let messages: Vec<&RawValue> = match serde_json::from_str(list.get()) {
            Ok(messages) => messages,
            Err(_) => return Ok(Err("`messages` is not a list".to_owned())),
        };
        let head = match head(&keys, at) {
            Ok(head) => head,
            Err(reason) => return Ok(Err(reason)),
        };
        if let Some(id) = head
            .external_id
            .as_ref()
            .filter(|id| !self.ids.insert((*id).clone()))
        {
            return Ok(Err(format!(
                "a chat with the id {id} stands before it in this file; it would be taken for the \
                 same session"
            )));
        }
        let is_unnamed = head.external_id.is_none();
        let mut hash = Sha256::new();
        hash.update(head.subject.as_deref().unwrap_or_default());
        let session = spool.begin("openai", head);
        let mut beginning = None;
        if let Some(system) = keys.0.get("system").and_then(|raw| parse(raw.get()).ok()) {
            let text = values::content(Some(&system));
            spool.event(Event {
                external_id: Some("system".to_owned()),
                ..Event::new(EventKind::System, text)
            })?;
        }
        for (number, raw) in messages.iter().enumerate() {
            if is_unnamed {
                if number >= TOO_SHORT {
                    beginning = self
                        .chats
                        .remove(&<[u8; 32]>::from(hash.clone().finalize()))
                        .or(beginning);
                }
                hash.update([0]);
                hash.update(raw.get());
            }
            let events =
                match parse(raw.get()).and_then(|message| messages::events(&message, raw.get())) {
                    Ok(events) => events,
                    Err(reason) => return Ok(Err(format!("message {}: {reason}", number + 1))),
                };
            for (part, mut event) in events.into_iter().enumerate() {
                // A message without an id of its own is known by its index; its further events by a
                // number after it.
                let id = event.external_id.unwrap_or_else(|| number.to_string());
                event.external_id = Some(if part == 0 {
                    id
                } else {
                    format!("{id}#{part}")
                });
                spool.event(event)?;
            }
        }
        if is_unnamed {
            self.chats.insert(hash.finalize().into(), session);
        }
        if let Some(beginning) = beginning {
            spool.supersede(beginning);
        }
        Ok(Ok(()))
    }
}

fn head(keys: &values::Keys, at: &Place) -> Result<SessionHead, String> {
    let mut fields = Map::new();
    let mut left_out = Vec::new();
    let mut size = 0;
    for (key, raw) in keys
        .0
        .iter()
        .filter(|(k, _)| *k != "messages" && *k != "traj")
    {
        // A long list of tools says nothing of the session; that it was there is kept.
        if size + raw.get().len() > METADATA_BYTES {
            left_out.push(Value::String(format!("{key} ({} bytes)", raw.get().len())));
            continue;
        }
        size += raw.get().len();
        fields.insert(key.to_string(), parse(raw.get())?);
    }
    // What the agent was told is beside the messages in Anthropic's API; it becomes an event.
    fields.remove("system");
    if !left_out.is_empty() {
        fields.insert(LEFT_OUT.to_owned(), Value::Array(left_out));
    }
    let fields_value = Value::Object(fields);
    let first = |names: &[Option<&str>]| {
        names
            .iter()
            .flatten()
            .find_map(|name| values::text(&fields_value, name))
    };
    let head = SessionHead {
        external_id: first(&[Some("session_id"), Some("conversation_id"), Some("id")]),
        agent: first(&[Some("agent")]),
        subject: first(&[at.options.subject_key.as_deref(), Some("user")]),
        team: first(&[Some("team")]),
        task_key: first(&[at.options.task_key.as_deref(), Some("task_id")]),
        outcome: ["outcome", "reward"]
            .iter()
            .find_map(|k| fields_value.get(*k))
            .and_then(values::outcome),
        metadata: Map::new(),
    };
    let Value::Object(mut fields) = fields_value else {
        return Ok(head);
    };
    for used in [
        "session_id",
        "conversation_id",
        "id",
        "agent",
        "user",
        "team",
        "task_id",
    ] {
        fields.remove(used);
    }
    Ok(SessionHead {
        metadata: fields,
        ..head
    })
}
