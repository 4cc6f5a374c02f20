//! Formats in which one value holds whole sessions.

use std::{collections::HashSet, io};

use domain::event::{Event, EventKind, SessionHead, Speaker};

use super::{Place, Reader, Spool, files::Source};

/// A session, or a sub-agent's part of one, that was read whole.
#[derive(Default)]
pub struct Conversation {
    /// What is known of it beside its events.
    pub head: SessionHead,
    /// Its events, in order.
    pub events: Vec<Event>,
    /// The sub-agent whose conversation it is; the head's id is then that of the main session.
    pub thread: Option<String>,
    /// The head's id is that of a task alone, which several runs share.
    pub task_alone: bool,
    /// Why there is nothing to read in it, though it is whole.
    left_out: Option<String>,
    /// Messages so far: what a message without an id of its own is known by.
    messages: usize,
}

impl Conversation {
    /// One of which nothing was read yet.
    pub fn new(head: SessionHead) -> Self {
        Self {
            head,
            ..Self::default()
        }
    }

    /// One that holds nothing to read, and why.
    pub fn left_out(head: SessionHead, reason: String) -> Self {
        Self {
            head,
            left_out: Some(reason),
            ..Self::default()
        }
    }

    /// Appends the events of one message, known by its id, else by its number; its further events
    /// by a number after it.
    pub fn message(&mut self, events: Vec<Event>) {
        let number = self.messages.to_string();
        self.messages += 1;
        let own = events
            .iter()
            .find_map(|e| e.external_id.clone())
            .unwrap_or(number);
        for (part, event) in events.into_iter().enumerate() {
            // An id that differs from the message's was given to this event alone.
            let id = match event.external_id.clone().filter(|id| *id != own) {
                Some(id) => id,
                None if part == 0 => own.clone(),
                None => format!("{own}#{part}"),
            };
            // The message's JSON is with its first event only.
            let raw = if part == 0 { event.raw } else { String::new() };
            self.events.push(Event {
                external_id: Some(id),
                raw,
                ..event
            });
        }
    }
}

/// Reads the sessions of one value, or says why it holds none.
pub type Read = fn(&str, &Place) -> Result<Vec<Conversation>, String>;

/// Takes values that hold whole sessions.
pub struct Documents {
    source: &'static str,
    read: Read,
    /// The sessions' own ids in this file.
    ids: HashSet<String>,
}

impl Documents {
    /// Values of one format.
    pub fn of(source: &'static str, read: Read) -> Self {
        Self {
            source,
            read,
            ids: HashSet::new(),
        }
    }
}

impl Reader for Documents {
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
        let conversations = match (self.read)(text, at) {
            Ok(conversations) => conversations,
            Err(reason) => return Ok(Err(reason)),
        };
        write(self.source, conversations, at.source, &mut self.ids, spool)
    }
}

/// Writes sessions that were read whole; `ids` are those that are in the file before them.
pub fn write(
    source: &'static str,
    conversations: Vec<Conversation>,
    from: &Source,
    ids: &mut HashSet<String>,
    spool: &mut Spool,
) -> io::Result<Result<(), String>> {
    for Conversation {
        head,
        events,
        thread,
        left_out,
        task_alone,
        ..
    } in conversations
    {
        if let Some(reason) = left_out {
            spool.skip(&from.name, &reason);
            continue;
        }
        let acts = |e: &&Event| {
            matches!(
                e.kind,
                EventKind::Agent | EventKind::Thinking | EventKind::ToolUse
            )
        };
        let begins = || {
            events
                .iter()
                .find(acts)
                .or(events.first())
                .map_or("", |e| e.text.as_str())
        };
        let id = match (head.external_id.clone(), task_alone) {
            (Some(id), false) => id,
            (Some(task), true) => from.id_of_run(&task, begins()),
            (None, _) => from.id_of(begins()),
        };
        let known = thread
            .as_ref()
            .map_or_else(|| id.clone(), |t| format!("{id}/{t}"));
        if !ids.insert(known.clone()) {
            return Ok(Err(format!(
                "a session with the id {known} stands before it in this file; it would be taken \
                 for the same one"
            )));
        }
        spool.shared_session(source, &id)?;
        spool.note(head);
        for mut event in events {
            if thread.is_some() {
                let id = event.external_id.unwrap_or_default();
                event.external_id = Some(format!("{known}:{id}"));
                event.thread.clone_from(&thread);
                // What a sub-agent is told comes from the agent that began it.
                if event.speaker == Speaker::Person {
                    event.speaker = Speaker::ParentAgent;
                }
            }
            spool.event(event)?;
        }
    }
    Ok(Ok(()))
}
