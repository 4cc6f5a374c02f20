//! A session between reading and writing: by what its events are known, and what of them is a copy
//! or was left.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use domain::{
    Timestamp,
    canonical::sha256_hex,
    event::{Event, EventKind, SessionHead, Standing},
};
use sha2::{Digest, Sha256};

use crate::transcripts::{
    endings::Ending,
    formats::{claude_code, codex},
    line_id,
};

/// A session in the spool.
#[derive(Debug, Clone)]
pub struct Spooled {
    /// What is known of it beside its events.
    pub head: SessionHead,
    /// The format it came in.
    pub source: &'static str,
    /// `FILE#N`, counted from 1 in its file.
    pub name: String,
    /// Rolling digest over its events, where they are known by their order.
    pub digest: String,
    /// Time of the first event that has one.
    pub first_event_at: Option<Timestamp>,
    /// Time of the last event that has one.
    pub last_event_at: Option<Timestamp>,
    /// Its events are known by the ids that the source gave them, so that it grows wherever new
    /// ones stand; else by their order.
    pub by_id: bool,
    /// Where each event begins in the file, and how long its JSON, its text and its source's JSON
    /// are.
    pub(super) lines: Vec<(u64, [u32; 3])>,
    pub(super) broken: bool,
    pub(super) tools: HashMap<String, String>,
    /// The ids of its events with a hash of what they say, where it grows by them.
    pub(super) ids: HashMap<String, u64>,
    /// The places of those ids among its events.
    pub(super) places: Vec<(String, usize)>,
    /// What is not live, though its line alone does not say so.
    pub(super) standing: HashMap<usize, (Standing, Option<String>)>,
    pub(super) turns: Vec<Turn>,
    pub(super) understood: usize,
    pub(super) ending: Ending,
    /// Of a format in which forks are written anew: a hash of what each event says, without when.
    pub(super) words: Vec<Option<u64>>,
}

/// A line of a conversation that may branch: a line with its own id and that of the line before it.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    pub(super) id: String,
    pub(super) parent: Option<String>,
    /// A person typed it, so that it may begin a branch that somebody went back to.
    pub(super) typed: bool,
    pub(super) events: std::ops::Range<usize>,
}

impl Spooled {
    /// How many events it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// True if it has no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// True if a copy of an event has the id of the original, and no other event has it: only where
    /// ids are unique in the world.
    #[must_use]
    pub fn copies_keep_ids(&self) -> bool {
        self.source == claude_code::SOURCE
    }

    /// Returns what makes it the same session in another import: its source and own id, else its
    /// content, its user and its task.
    #[must_use]
    pub fn import_key(&self, scope: &str) -> String {
        let of = |name: &str, value: &Option<String>| {
            value
                .as_ref()
                .map(|v| format!("\0{name}\0{v}"))
                .unwrap_or_default()
        };
        if let Some(id) = &self.head.external_id {
            return sha256_hex(format!("{scope}\0{}\0id\0{id}", self.source).as_bytes());
        }
        let more = of("user", &self.head.subject) + &of("task", &self.head.task_key);
        sha256_hex((self.content_key(scope) + &more).as_bytes())
    }

    /// The key under which earlier versions knew a session without an id, by its content alone.
    #[must_use]
    pub fn earlier_import_key(&self, scope: &str) -> Option<String> {
        self.head
            .external_id
            .is_none()
            .then(|| sha256_hex(self.content_key(scope).as_bytes()))
    }

    fn content_key(&self, scope: &str) -> String {
        format!("{scope}\0{}\0content\0{}", self.source, self.digest)
    }
}

/// The rolling digest after one more event.
#[must_use]
pub fn roll(digest: &str, event: &Event) -> String {
    let mut hash = Sha256::new();
    for part in [digest, event.kind.as_str(), &event.text, &event.raw] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

/// A format, an id that its source gave, and a hash of what is under it.
type Known = (&'static str, String, u64);

impl Spooled {
    /// The id by which an event is known in its session; `None` where it is there already. Two
    /// of one id that say different things both stay, the second under an id of its own.
    pub(super) fn id_of(&mut self, event: &Event) -> Option<String> {
        let words = words(event.kind, event.occurred_at, &event.text);
        let own = event
            .external_id
            .clone()
            .unwrap_or_else(|| line_id(&event.raw));
        let id = match self.ids.get(&own) {
            None => own,
            Some(known) if *known == words || says_what(&own) => return None,
            Some(_) => second_id(&own, event),
        };
        // What says the same under the second id is there already.
        self.ids.insert(id.clone(), words).is_none().then_some(id)
    }

    /// Of a conversation that somebody went back in, the branch that its last line is on is
    /// what happened.
    pub(super) fn mark_abandoned(&mut self) {
        let turns = std::mem::take(&mut self.turns);
        let by_id: HashMap<&str, &Turn> = turns.iter().map(|t| (t.id.as_str(), t)).collect();
        let mut living: HashSet<&str> = HashSet::new();
        let mut at = turns.last();
        while let Some(turn) = at.filter(|t| living.insert(&t.id)) {
            at = turn.parent.as_deref().and_then(|p| by_id.get(p)).copied();
        }
        // A branch that was left begins with what a person typed after a line that has gone on
        // without it.
        let mut left: HashSet<&str> = HashSet::new();
        for turn in turns.iter().filter(|t| !living.contains(t.id.as_str())) {
            let Some(parent) = turn.parent.as_deref() else {
                continue;
            };
            if left.contains(parent) || (turn.typed && living.contains(parent)) {
                left.insert(&turn.id);
                self.standing.extend(
                    turn.events
                        .clone()
                        .map(|n| (n, (Standing::Abandoned, None))),
                );
            }
        }
    }
}

/// What is in several sessions under one id happened in one of them: the one that ended first.
pub(super) fn mark_copies(sessions: &mut [Spooled]) {
    let mut holders: HashMap<Known, Vec<(usize, usize)>> = HashMap::new();
    for (n, session) in sessions
        .iter_mut()
        .enumerate()
        .filter(|(_, s)| s.copies_keep_ids() && !s.broken)
    {
        for (id, place) in std::mem::take(&mut session.places) {
            if let Some(&hash) = session.ids.get(&id).filter(|_| is_of_source(&id)) {
                holders
                    .entry((session.source, id, hash))
                    .or_default()
                    .push((n, place));
            }
        }
    }
    for held in holders.into_values().filter(|h| h.len() > 1) {
        let ended = |n: usize| {
            (
                sessions[n].last_event_at.is_none(),
                sessions[n].last_event_at,
                sessions[n].len(),
                sessions[n].name.clone(),
            )
        };
        let Some(&(first, _)) = held.iter().min_by_key(|(n, _)| ended(*n)) else {
            continue;
        };
        let from = sessions[first].head.external_id.clone();
        for (n, place) in held.into_iter().filter(|(n, _)| *n != first) {
            sessions[n]
                .standing
                .insert(place, (Standing::Copied, from.clone()));
        }
    }
    for session in sessions {
        session.ids = HashMap::new();
    }
}

/// A fork begins with what was said in the session that it was forked from.
pub(super) fn mark_forks(sessions: &mut [Spooled]) {
    let origin = |s: &Spooled| {
        s.head
            .metadata
            .get(codex::FORKED_FROM)
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
    };
    for fork in 0..sessions.len() {
        let Some(from) = origin(&sessions[fork]) else {
            continue;
        };
        let is_origin =
            |s: &&Spooled| s.source == codex::SOURCE && s.head.external_id.as_ref() == Some(&from);
        let Some(first) = sessions.iter().find(is_origin) else {
            continue;
        };
        let own = sessions[fork]
            .words
            .iter()
            .enumerate()
            .filter_map(|(n, words)| Some((n, (*words)?)));
        let copied: Vec<usize> = own
            .zip(first.words.iter().flatten())
            .take_while(|((_, own), other)| own == *other)
            .map(|((n, _), _)| n)
            .collect();
        sessions[fork].standing.extend(
            copied
                .into_iter()
                .map(|n| (n, (Standing::Copied, Some(from.clone())))),
        );
    }
}

/// How the ids begin that are made from what an event says: where a history is written again and
/// again, without times.
pub(in crate::transcripts) const SAID: &str = "said:";

/// True if an id alone says that two events are the same, whenever they were written.
pub(crate) fn says_what(id: &str) -> bool {
    id.starts_with(SAID)
}

/// True if an id came from the source, so that it is in every copy.
pub(crate) fn is_of_source(id: &str) -> bool {
    !id.starts_with("line:") && !id.starts_with("gap:") && !says_what(id)
}

/// A hash of what an event says and when: two of one id that differ in it are two events. It is
/// kept nowhere.
pub(crate) fn words(kind: EventKind, at: Option<Timestamp>, text: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    (kind.as_str(), at.map_or(0, |t| t.0), text).hash(&mut hash);
    hash.finish()
}

/// The id of an event under whose own id something else stands.
pub(crate) fn second_id(own: &str, event: &Event) -> String {
    format!(
        "{own}~{:016x}",
        said(event.kind, event.occurred_at, &event.text)
    )
}

/// As [`words`], the same in every version of Lucid.
fn said(kind: EventKind, at: Option<Timestamp>, text: &str) -> u64 {
    let mut hash = Sha256::new();
    for part in [kind.as_str(), &at.map_or(0, |t| t.0).to_string(), text] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let digest = hash.finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
}
