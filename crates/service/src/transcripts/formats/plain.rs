//! The `messages` format: messages, or items of the Responses API, that are one session together, a
//! list or one a line.

use domain::event::{Event, EventKind, SessionHead};
use serde_json::Value;

use crate::transcripts::{documents::Conversation, lines::Line, messages, values};

/// Lines that are messages.
pub struct Messages;

impl Line for Messages {
    fn session(&mut self, line: &Value) -> Option<String> {
        [
            "session_id",
            "sessionId",
            "conversation_id",
            "conversationId",
            "thread_id",
        ]
        .iter()
        .find_map(|k| values::text(line, k))
    }

    fn events(&mut self, line: &Value, base: Event) -> Result<Vec<Event>, String> {
        messages::events(line, &base.raw)
    }
}

/// A request to the Responses API or its answer, as a session of its own.
pub fn read(value: &Value) -> Result<Conversation, String> {
    let head = SessionHead {
        external_id: values::text(value, "id"),
        subject: values::text(value, "user").or_else(|| values::text(value, "safety_identifier")),
        ..SessionHead::default()
    };
    let mut conversation = Conversation::new(head);
    if let Some(told) = values::text(value, "instructions") {
        conversation.message(vec![Event::new(EventKind::System, told)]);
    }
    match value.get("input") {
        Some(Value::String(said)) => conversation.message(messages::said_by_user(
            said,
            &Event::new(EventKind::Raw, String::new()),
        )),
        Some(Value::Array(items)) => items_into(items, &mut conversation)?,
        _ => {}
    }
    match value.get("output") {
        Some(Value::Array(items)) => items_into(items, &mut conversation)?,
        Some(Value::String(text)) => {
            conversation.message(vec![Event::new(EventKind::Agent, text.clone())]);
        }
        _ => {}
    }
    if let Some(reason) = value.get("error").and_then(|e| values::text(e, "message")) {
        conversation.message(vec![
            Event::new(EventKind::Raw, reason).by(domain::event::Speaker::Harness),
        ]);
    }
    if conversation.events.is_empty() {
        return Err("an answer needs `output`".to_owned());
    }
    Ok(conversation)
}

fn items_into(items: &[Value], conversation: &mut Conversation) -> Result<(), String> {
    for item in items {
        conversation.message(messages::events(item, &item.to_string())?);
    }
    Ok(())
}
