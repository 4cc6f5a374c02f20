//! What a mapping, or a format, makes of the beginning of a transcript.

use std::io;

use domain::event::{EventKind, Speaker};
use serde::Serialize;

use crate::transcripts::{Options, Source, Spool, read_from};

/// The result of a mapping for the first records of a file, for a person to judge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// Each event, in order.
    pub events: Vec<Seen>,
    pub problems: Vec<String>,
    /// How many of the events have a speaker and a text.
    pub understood: usize,
}

/// An event of a preview.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Its session, as the source calls it.
    pub session: String,
    /// Beside the session's id, what is known of it: `user`, `task` and the like, each with its
    /// value.
    pub about: Vec<(String, String)>,
    pub kind: EventKind,
    /// Whose words it holds.
    pub speaker: Speaker,
    /// The tool, if any.
    pub tool: Option<String>,
    /// True if it is an error.
    pub is_error: bool,
    pub time: Option<String>,
    /// The beginning of what it says.
    pub text: String,
}

/// How many events a preview shows, and how much of each.
const SHOWN: usize = 10;
const SHOWN_CHARACTERS: usize = 200;

/// Returns what is made of the beginning of a transcript, by a mapping or a format.
pub fn preview(bytes: &[u8], source: &Source, options: &Options) -> io::Result<Preview> {
    let mut spool = Spool::new()?;
    read_from(bytes, source, options, &mut spool, &mut |_| {})?;
    let mut done = spool.finish_with_what_says_nothing()?;
    let mut preview = Preview::default();
    for session in &done.sessions {
        for index in 0..session
            .len()
            .min(SHOWN.saturating_sub(preview.events.len()))
        {
            let event = done.reader.event(session, index)?;
            let head = &session.head;
            let outcome = head.outcome.map(|o| o.result.as_str().to_owned());
            let about = [
                ("agent", &head.agent),
                ("user", &head.subject),
                ("team", &head.team),
                ("task", &head.task_key),
                ("outcome", &outcome),
            ];
            preview.understood +=
                usize::from(event.speaker != Speaker::Unknown && !event.text.is_empty());
            preview.events.push(Seen {
                session: head
                    .external_id
                    .clone()
                    .unwrap_or_else(|| session.name.clone()),
                about: about
                    .into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)))
                    .collect(),
                kind: event.kind,
                speaker: event.speaker,
                tool: event.tool,
                is_error: event.is_error,
                time: event.occurred_at.map(domain::Timestamp::rfc3339),
                text: event.text.chars().take(SHOWN_CHARACTERS).collect(),
            });
        }
    }
    preview.problems = done
        .problems
        .iter()
        .chain(&done.skipped)
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    Ok(preview)
}
