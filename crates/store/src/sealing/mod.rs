//! Sealed transcripts. What a session says, and quotes of it, are sealed with the key of that
//! session, which is no part of the database: [`SessionKeys`] keeps it as a file. When the file is
//! destroyed, no backup of the database can be read any more. Each sealed row names its key in
//! `key_id`. The functions of this module are how other modules of this crate seal what they write
//! and open what they read.

mod keys;

use std::collections::HashMap;

use domain::{
    Timestamp,
    ids::{EventId, EvidenceId, SessionId},
};
use sqlx::FromRow;

pub use self::keys::{Key, SessionKeys};
use crate::{Error, Result, Tx};

statements! {
    KEY_OF = "SELECT key_id FROM sessions WHERE id = $1";
    // A source's own id is known within a store only.
    KEY_OF_EXTERNAL = "SELECT s.key_id FROM sessions s JOIN sessions own ON own.id = $2
        AND own.source = s.source
        WHERE s.external_id = $1 AND s.key_id IS NOT NULL AND EXISTS (SELECT 1 FROM session_stores a
            JOIN session_stores b ON b.store_id = a.store_id AND b.session_id = own.id
            WHERE a.session_id = s.id) ORDER BY s.id LIMIT 1";
    KEY_OF_EVENT = "SELECT key_id FROM events WHERE id = $1";
    SET_KEY = "UPDATE sessions SET key_id = $2 WHERE id = $1";
    ANY_SEALED = "SELECT EXISTS (SELECT 1 FROM sessions WHERE key_id IS NOT NULL)";
    NEWEST_KEYS = "SELECT key_id FROM sessions WHERE key_id IS NOT NULL ORDER BY id DESC LIMIT $1";
    UNSEALED = "SELECT id FROM sessions WHERE key_id IS NULL AND deleted_at IS NULL ORDER BY id
        LIMIT $1";
    PLAIN_EVENTS = "SELECT id, seq, key_id, copied_from, text, raw FROM events WHERE session_id = $1
        AND key_id IS NULL AND redacted_at IS NULL AND seq > $2
        ORDER BY seq LIMIT $3";
    EVENTS_WITH = "SELECT id FROM events WHERE key_id = $1 ORDER BY session_id, seq";
    EVENT = "SELECT id, seq, key_id, copied_from, text, raw FROM events WHERE id = $1";
    USED = "SELECT EXISTS (SELECT 1 FROM events WHERE key_id = $1) OR EXISTS (SELECT 1 FROM evidence
        WHERE key_id = $1 AND quote <> '')";
    // What was written while its session was being sealed.
    LATE_QUOTES = "SELECT e.id, e.event_id, e.key_id, e.quote FROM evidence e JOIN events v
        ON v.id = e.event_id
        WHERE e.key_id IS NULL AND e.quote <> '' AND v.key_id IS NOT NULL ORDER BY e.id LIMIT $1";
    LATE_FEATURES = "DELETE FROM session_features WHERE key_id IS NULL
        AND EXISTS (SELECT 1 FROM sessions s WHERE s.id = session_features.session_id
        AND s.key_id IS NOT NULL)";
    SEAL_EVENT = "UPDATE events SET text = $2, raw = $3, key_id = $4 WHERE id = $1";
    PLAIN_QUOTES = "SELECT id, event_id, key_id, quote FROM evidence WHERE session_id = $1
        AND key_id IS NULL AND quote <> '' ORDER BY id";
    QUOTES_WITH = "SELECT id, event_id, key_id, quote FROM evidence WHERE key_id = $1
        AND quote <> '' ORDER BY id";
    SEAL_QUOTE = "UPDATE evidence SET quote = $2, sha256 = $3, key_id = $4 WHERE id = $1";
    DROP_FEATURES = "DELETE FROM session_features WHERE session_id = $1";
    PLAIN_ANSWERS = "SELECT COUNT(*) FROM model_batches
        WHERE NOT sealed AND candidates <> 'null' AND request_sha256 NOT LIKE 'sealed:%'
        AND request_sha256 NOT LIKE 'erased:%'";
    DROP_PLAIN_ANSWERS = "UPDATE model_batches SET sessions = '{}', candidates = '[]',
        request_sha256 = 'sealed:' || request_sha256
        WHERE NOT sealed AND candidates <> 'null' AND request_sha256 NOT LIKE 'sealed:%'
        AND request_sha256 NOT LIKE 'erased:%'";
    TO_DESTROY = "INSERT INTO keys_to_destroy (key_id, since) VALUES ($1, $2) ON CONFLICT (key_id)
        DO NOTHING";
    KEYS_TO_DESTROY = "SELECT key_id FROM keys_to_destroy ORDER BY since, key_id LIMIT $1";
    DESTROYED = "DELETE FROM keys_to_destroy WHERE key_id = $1";
}

/// Events that are read at once; each may be ten megabytes long.
const AT_ONCE: i64 = 20;
/// Events after which no other session is sealed in the same transaction: writers wait for it.
const MOST_EVENTS: usize = 2_000;

/// The keys that one transaction has opened.
#[derive(Debug, Default)]
pub struct Sealing {
    keys: Option<SessionKeys>,
    read: HashMap<String, Option<Key>>,
    of: HashMap<SessionId, Option<String>>,
}

impl Sealing {
    /// With the keys in a folder.
    #[must_use]
    pub fn with(keys: Option<SessionKeys>) -> Self {
        Self {
            keys,
            ..Self::default()
        }
    }

    async fn key(&mut self, name: &str) -> Result<Option<Key>> {
        if let Some(key) = self.read.get(name) {
            return Ok(key.clone());
        }
        let key = match &self.keys {
            Some(keys) => keys.read(name).await?,
            None => None,
        };
        self.read.insert(name.to_owned(), key.clone());
        Ok(key)
    }
}

/// A key with its name.
#[derive(Debug, Clone)]
pub struct NamedKey {
    pub name: String,
    key: Key,
}

impl NamedKey {
    /// The text that was sealed for a place; `None` if it was sealed with another key.
    pub(crate) fn open(&self, place: &str, stored: &str) -> Option<String> {
        self.key.open(place, stored)
    }
}

/// How much was sealed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sealed {
    pub sessions: usize,
    pub events: usize,
    pub quotes: usize,
}

#[derive(Debug, FromRow)]
struct StoredEvent {
    id: EventId,
    seq: i64,
    key_id: Option<String>,
    copied_from: Option<String>,
    text: String,
    raw: String,
}

#[derive(Debug, FromRow)]
struct StoredQuote {
    id: EvidenceId,
    event_id: EventId,
    key_id: Option<String>,
    quote: String,
}

/// Returns where a sealed text is; it opens nowhere else.
pub(crate) fn place(table: &str, column: &str, id: impl std::fmt::Display) -> String {
    format!("{table}.{column} {id}")
}

/// Makes the key of a new session, where sessions are sealed; its name.
pub(crate) async fn new_key(tx: &mut Tx, session: SessionId) -> Result<Option<String>> {
    let sealing = tx.sealing();
    let Some(keys) = &sealing.keys else {
        return Ok(None);
    };
    let (name, key) = keys.make().await?;
    sealing.read.insert(name.clone(), Some(key));
    sealing.of.insert(session, Some(name.clone()));
    Ok(Some(name))
}

/// The key of a session; none if it is not sealed. An error if its key is gone: what is said in it
/// from now on could not be sealed.
pub(crate) async fn key_of(tx: &mut Tx, session: SessionId) -> Result<Option<NamedKey>> {
    let name = match tx.sealing().of.get(&session) {
        Some(name) => name.clone(),
        None => fetch_optional!(tx, (Option<String>,), KEY_OF, session)?.and_then(|(name,)| name),
    };
    tx.sealing().of.insert(session, name.clone());
    let Some(name) = name else { return Ok(None) };
    match tx.sealing().key(&name).await? {
        Some(key) => Ok(Some(NamedKey { name, key })),
        None => Err(Error::SessionKey(format!(
            "the key {name} of this session's transcript is gone"
        ))),
    }
}

/// The key with which an event is sealed: a copy with that of the session that it was copied from,
/// so that it goes with that one.
pub(crate) async fn key_for(
    tx: &mut Tx,
    session: SessionId,
    copied_from: Option<&str>,
) -> Result<Option<NamedKey>> {
    let own = key_of(tx, session).await?;
    let Some(origin) = copied_from else {
        return Ok(own);
    };
    let name = match origin.parse::<SessionId>() {
        Ok(id) => fetch_optional!(tx, (Option<String>,), KEY_OF, id)?.and_then(|(name,)| name),
        Err(_) => {
            fetch_optional!(tx, (String,), KEY_OF_EXTERNAL, origin, session)?.map(|(name,)| name)
        }
    };
    let Some(name) = name else { return Ok(own) };
    Ok(tx
        .sealing()
        .key(&name)
        .await?
        .map(|key| NamedKey { name, key })
        .or(own))
}

/// The key of an event; none if it is not sealed.
pub(crate) async fn key_of_event(tx: &mut Tx, event: EventId) -> Result<Option<NamedKey>> {
    let Some((Some(name),)) = fetch_optional!(tx, (Option<String>,), KEY_OF_EVENT, event)? else {
        return Ok(None);
    };
    match tx.sealing().key(&name).await? {
        Some(key) => Ok(Some(NamedKey { name, key })),
        None => Err(Error::SessionKey(format!(
            "the key {name} of the quoted event is gone"
        ))),
    }
}

/// A text as it is stored.
pub(crate) fn seal(key: Option<&NamedKey>, place: &str, text: &str) -> Result<String> {
    key.map_or_else(|| Ok(text.to_owned()), |named| named.key.seal(place, text))
}

/// A text that was stored with a key of this name, or with none; `None` if the key is gone.
pub(crate) async fn open(
    tx: &mut Tx,
    key_id: Option<&str>,
    place: &str,
    stored: String,
) -> Result<Option<String>> {
    let Some(name) = key_id else {
        return Ok(Some(stored));
    };
    Ok(tx
        .sealing()
        .key(name)
        .await?
        .and_then(|key| key.open(place, &stored)))
}

/// The key of what was read out of several sessions: only with the keys of all of them can it be
/// made. None if none is sealed; an error if the key of one is gone.
pub(crate) async fn joint_key(tx: &mut Tx, sessions: &str) -> Result<Option<NamedKey>> {
    let ids = match serde_json::from_str::<serde_json::Value>(sessions).unwrap_or_default() {
        serde_json::Value::Object(shown) => shown.into_iter().map(|(id, _)| id).collect(),
        serde_json::Value::Array(ids) => ids
            .iter()
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect(),
        _ => std::collections::BTreeSet::new(),
    };
    let mut keys = Vec::new();
    for session in ids.iter().filter_map(|id| id.parse().ok()) {
        keys.extend(key_of(tx, session).await?.map(|named| named.key));
    }
    Ok((!keys.is_empty()).then(|| NamedKey {
        name: String::new(),
        key: Key::of_all(&keys),
    }))
}

/// True if the transcript of any session is sealed.
pub async fn is_used(tx: &mut Tx) -> Result<bool> {
    fetch_scalar!(tx, bool, ANY_SEALED)
}

/// How many of the newest sealed sessions, at most so many, have their key in the folder, and how
/// many were looked at.
pub async fn keys_there(tx: &mut Tx, most: i64) -> Result<(usize, usize)> {
    let names = fetch_all!(tx, (String,), NEWEST_KEYS, most)?;
    let mut there = 0;
    for (name,) in &names {
        there += usize::from(tx.sealing().key(name).await?.is_some());
    }
    Ok((there, names.len()))
}

/// Seals the transcripts of some sessions that are not sealed yet, and the quotes of them; it stops
/// early after many events. What was read out of them is read anew.
pub async fn seal_next(tx: &mut Tx, limit: i64) -> Result<Sealed> {
    let mut sealed = Sealed::default();
    if tx.sealing().keys.is_none() {
        return Ok(sealed);
    }
    for (session,) in fetch_all!(tx, (SessionId,), UNSEALED, limit)? {
        if sealed.events >= MOST_EVENTS {
            break;
        }
        crate::sessions::lock(tx, session).await?;
        // Another worker may have been faster.
        if fetch_scalar!(tx, Option<String>, KEY_OF, session)?.is_some() {
            continue;
        }
        let name = new_key(tx, session).await?;
        execute!(tx, SET_KEY, session, name)?;
        seal_session(tx, session, &mut sealed).await?;
        sealed.sessions += 1;
    }
    if sealed.sessions == 0 {
        for quote in fetch_all!(tx, StoredQuote, LATE_QUOTES, limit)? {
            let key = key_of_event(tx, quote.event_id).await?;
            seal_quote(tx, quote.id, &quote.quote, key.as_ref()).await?;
            sealed.quotes += 1;
        }
        execute!(tx, LATE_FEATURES)?;
        if fetch_scalar!(tx, i64, PLAIN_ANSWERS)? > 0 {
            execute!(tx, DROP_PLAIN_ANSWERS)?;
        }
    }
    Ok(sealed)
}

async fn seal_session(tx: &mut Tx, session: SessionId, sealed: &mut Sealed) -> Result<()> {
    let mut after = 0;
    loop {
        let events = fetch_all!(tx, StoredEvent, PLAIN_EVENTS, session, after, AT_ONCE)?;
        let Some(last) = events.last() else { break };
        after = last.seq;
        sealed.events += events.len();
        for event in events {
            let key = key_for(tx, session, event.copied_from.as_deref()).await?;
            seal_event(tx, (event.id, &event.text, &event.raw), key.as_ref()).await?;
        }
    }
    for quote in fetch_all!(tx, StoredQuote, PLAIN_QUOTES, session)? {
        let key = key_of_event(tx, quote.event_id).await?;
        seal_quote(tx, quote.id, &quote.quote, key.as_ref()).await?;
        sealed.quotes += 1;
    }
    execute!(tx, DROP_FEATURES, session)?;
    Ok(())
}

/// Gives a locked session whose text was erased another key, and has the old one destroyed. What is
/// left under it, quotes that changes rest on and copies of events in other sessions, is sealed
/// with the new key.
pub async fn change_key(tx: &mut Tx, session: SessionId, at: Timestamp) -> Result<()> {
    let Some((Some(old),)) = fetch_optional!(tx, (Option<String>,), KEY_OF, session)? else {
        return Ok(());
    };
    let Some(name) = new_key(tx, session).await? else {
        return Err(Error::SessionKey(format!(
            "the key {old} of this session's transcript cannot be destroyed"
        )));
    };
    execute!(tx, SET_KEY, session, name)?;
    seal_anew(tx, &old, session).await?;
    execute!(tx, TO_DESTROY, old.as_str(), at)?;
    Ok(())
}

/// Seals what a key seals with that of a session instead. What cannot be opened stays as it is.
async fn seal_anew(tx: &mut Tx, old: &str, session: SessionId) -> Result<()> {
    let key = key_of(tx, session).await?;
    for (id,) in fetch_all!(tx, (EventId,), EVENTS_WITH, old)? {
        let Some(stored) = fetch_optional!(tx, StoredEvent, EVENT, id)? else {
            continue;
        };
        let text = open(
            tx,
            stored.key_id.as_deref(),
            &place("events", "text", id),
            stored.text,
        )
        .await?;
        let raw = open(
            tx,
            stored.key_id.as_deref(),
            &place("events", "raw", id),
            stored.raw,
        )
        .await?;
        if let (Some(text), Some(raw)) = (text, raw) {
            seal_event(tx, (id, &text, &raw), key.as_ref()).await?;
        }
    }
    for stored in fetch_all!(tx, StoredQuote, QUOTES_WITH, old)? {
        if let Some(quote) = open(
            tx,
            stored.key_id.as_deref(),
            &place("evidence", "quote", stored.id),
            stored.quote,
        )
        .await?
        {
            seal_quote(tx, stored.id, &quote, key.as_ref()).await?;
        }
    }
    Ok(())
}

/// True if a key that is to be destroyed seals something that was written meanwhile.
pub async fn is_needed(tx: &mut Tx, name: &str) -> Result<bool> {
    fetch_scalar!(tx, bool, USED, name)
}

async fn seal_event(
    tx: &mut Tx,
    (id, text, raw): (EventId, &str, &str),
    key: Option<&NamedKey>,
) -> Result<()> {
    let text = seal(key, &place("events", "text", id), text)?;
    let raw = seal(key, &place("events", "raw", id), raw)?;
    execute!(tx, SEAL_EVENT, id, text, raw, key.map(|k| k.name.as_str()))?;
    Ok(())
}

async fn seal_quote(
    tx: &mut Tx,
    id: EvidenceId,
    quote: &str,
    key: Option<&NamedKey>,
) -> Result<()> {
    let stored = seal(key, &place("evidence", "quote", id), quote)?;
    let sha256 = if stored.is_empty() {
        String::new()
    } else {
        domain::canonical::sha256_hex(stored.as_bytes())
    };
    execute!(
        tx,
        SEAL_QUOTE,
        id,
        stored,
        sha256,
        key.map(|k| k.name.as_str())
    )?;
    Ok(())
}

/// Keys that nothing needs any more, whose files are still to be destroyed.
pub async fn keys_to_destroy(tx: &mut Tx, limit: i64) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), KEYS_TO_DESTROY, limit)?
        .into_iter()
        .map(|(name,)| name)
        .collect())
}

/// Notes that the file of a key is destroyed.
pub async fn destroyed(tx: &mut Tx, name: &str) -> Result<()> {
    execute!(tx, DESTROYED, name)?;
    Ok(())
}
