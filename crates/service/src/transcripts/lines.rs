//! Formats in which each value is an event, or a few, of a session that goes on over the file.

use std::{collections::HashMap, io};

use domain::event::{Event, EventKind, SessionHead};
use serde_json::Value;

use super::{Place, Reader, Spool, parse, values};

/// Reads the lines of one format.
pub trait Line {
    /// The session that a line names, where it names one.
    fn session(&mut self, line: &Value) -> Option<String>;

    /// What a line says of the session beside its events.
    fn head(&mut self, _line: &Value, _head: &mut SessionHead) {}

    /// The events of a line; `base` has its id and time, and is what an unknown line becomes.
    fn events(&mut self, line: &Value, base: Event) -> Result<Vec<Event>, String>;

    /// The line before this one, where a conversation may branch: a line's own id with that of the
    /// one before it.
    fn parent(&self, _line: &Value) -> Option<(String, Option<String>)> {
        None
    }
}

/// Takes values that are lines of one format.
pub struct Lines<L> {
    source: &'static str,
    format: L,
    current: Option<String>,
}

impl<L: Line> Lines<L> {
    /// Lines of one format.
    pub fn of(source: &'static str, format: L) -> Self {
        Self {
            source,
            format,
            current: None,
        }
    }
}

impl<L: Line> Reader for Lines<L> {
    fn take(
        &mut self,
        text: &str,
        at: &Place,
        spool: &mut Spool,
    ) -> io::Result<Result<(), String>> {
        let line = match parse(text) {
            Ok(line) if line.is_object() => line,
            Ok(_) => return Ok(Err("it is no JSON object".to_owned())),
            Err(reason) => return Ok(Err(reason)),
        };
        if let Some(id) = self.format.session(&line) {
            self.current = Some(id);
        }
        let id = self
            .current
            .get_or_insert_with(|| at.source.id_of(text))
            .clone();
        spool.shared_session(self.source, &id)?;
        if let Some(head) = spool.head() {
            self.format.head(&line, head);
        }
        let base = Event {
            // Lines without ids of their own are known by their number: a file only grows at its
            // end, and a broken line counts.
            external_id: values::text(&line, "id")
                .or_else(|| values::text(&line, "uuid"))
                .or_else(|| Some(at.number.to_string())),
            occurred_at: ["timestamp", "created_at", "ts", "time"]
                .iter()
                .find_map(|k| values::time(line.get(*k))),
            ..Event::new(EventKind::Raw, String::new())
        };
        let from = spool.events_so_far();
        let events = match self.format.events(&line, base.clone()) {
            Ok(events) => events,
            Err(reason) => return Ok(Err(reason)),
        };
        let typed = events.iter().any(|e| e.kind == EventKind::User);
        for event in known_apart(events, &base, text) {
            spool.event(event)?;
        }
        if let Some((own, parent)) = self.format.parent(&line) {
            spool.turn(&own, parent, typed, from);
        }
        Ok(Ok(()))
    }
}

/// The events of a line, each with the id that its format gave it, else with the line's; of several
/// with one id the further ones have a number after it. The line's JSON is with the first.
fn known_apart(mut events: Vec<Event>, base: &Event, raw: &str) -> Vec<Event> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for (n, event) in events.iter_mut().enumerate() {
        let id = event
            .external_id
            .take()
            .or_else(|| base.external_id.clone())
            .unwrap_or_default();
        let times = seen.entry(id.clone()).or_default();
        event.external_id = Some(if *times == 0 {
            id
        } else {
            format!("{id}#{times}")
        });
        *times += 1;
        event.raw = if n == 0 {
            raw.to_owned()
        } else {
            String::new()
        };
    }
    events
}

/// Keeps what a line says under these keys with the session, once.
pub fn keep(line: &Value, keys: &[&str], head: &mut SessionHead) {
    for key in keys {
        if let Some(text) = values::text(line, key) {
            head.metadata.entry(*key).or_insert(Value::String(text));
        }
    }
}
