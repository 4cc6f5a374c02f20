//! Writing spooled sessions: one transaction a session, known by its source and own id, else by its content.

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    ids::{EventId, SessionId, StoreId},
    rights::Action,
};
use serde_json::json;
use store::{
    Tx,
    sessions::{self, NewSession},
};

use crate::{
    Error, Lucid, Record, Result,
    transcripts::{SpoolReader, Spooled, roll},
};

/// What became of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// It is new.
    Added(SessionId),
    /// It has grown by so many events.
    Grown(SessionId, usize),
    /// It was there already.
    Unchanged(SessionId),
}

/// Trust of what an import brings (person 3, import 2, agent 1, tool text 0).
const IMPORT_TRUST: i64 = 2;

impl Lucid {
    /// Writes one session, or the events by which it has grown. All of it or nothing. Sessions are known within their store
    /// only, so that nobody can append to, or find out about, a session of a store that they may not see.
    pub async fn import_session(&self, actor: &Actor, store: StoreId, spooled: &Spooled, events: &mut SpoolReader) -> Result<Imported> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_on(Action::RecordSessions, store)?;
        let key = spooled.import_key(&store.to_string());
        let known = sessions::by_import_key(&mut tx, &key).await?;
        let (id, from, digest) = match &known {
            Some(known) => (known.id, usize::try_from(known.event_count).unwrap_or(0), known.events_digest.clone()),
            None => (self.id(SessionId::new), 0, String::new()),
        };
        if known.is_none() {
            let new = NewSession { import_key: &key, source: spooled.source, trust: IMPORT_TRUST, created_by: None };
            sessions::insert(&mut tx, id, &new, &spooled.head, self.now())
                .await
                .map_err(|error| if error.is_duplicate() { busy(spooled) } else { error.into() })?;
            sessions::link(&mut tx, store, id).await?;
        }
        if spooled.len() < from {
            // An older copy of what is stored: it takes nothing away, its outcome neither.
            return Ok(Imported::Unchanged(id));
        }
        let added = self.append(&mut tx, id, (from, &digest), spooled, events).await?;
        let changed_outcome = self.note_outcome(&mut tx, id, spooled).await?;
        if added == 0 && !changed_outcome {
            return Ok(Imported::Unchanged(id));
        }
        let payload = json!({"source": spooled.source, "events": {"first": from + 1, "last": from + added, "digest": spooled.digest}});
        let action = if known.is_none() { AuditAction::SessionImport } else { AuditAction::SessionGrow };
        sessions::recorded_by(&mut tx, id, &actor.who.to_string()).await?;
        self.record(&mut tx, right, Record { action, subject: id.to_string(), store: Some(store), commit: None, payload: &payload })
            .await?;
        tx.commit().await?;
        Ok(if known.is_none() { Imported::Added(id) } else { Imported::Grown(id, added) })
    }

    /// Appends what comes after the first `known` events, whose digest must be the one that is stored.
    async fn append(&self, tx: &mut Tx, id: SessionId, known: (usize, &str), spooled: &Spooled, events: &mut SpoolReader) -> Result<usize> {
        let (from, stored) = known;
        if from == spooled.len() && stored == spooled.digest {
            return Ok(0);
        }
        let mut digest = String::new();
        let mut seq = 0_i64;
        for index in 0..spooled.len() {
            let event = events.event(spooled, index)?;
            digest = roll(&digest, &event);
            seq += 1;
            if index >= from {
                sessions::insert_event(tx, id, seq, self.id(EventId::new), &event).await?;
            }
            if index + 1 == from && digest != stored {
                return Err(differs(spooled));
            }
        }
        if digest != spooled.digest || from == spooled.len() {
            return Err(differs(spooled));
        }
        let growth = sessions::Growth {
            from: i64::try_from(from).unwrap_or(i64::MAX),
            to: seq,
            digest,
            first_event_at: spooled.first_event_at,
            last_event_at: spooled.last_event_at,
        };
        sessions::grow(tx, id, &growth, self.now()).await?;
        Ok(spooled.len() - from)
    }

    async fn note_outcome(&self, tx: &mut Tx, id: SessionId, spooled: &Spooled) -> Result<bool> {
        let Some(outcome) = spooled.head.outcome else { return Ok(false) };
        if sessions::last_outcome(tx, id).await? == Some(outcome) {
            return Ok(false);
        }
        sessions::insert_outcome(tx, id, outcome, None, self.now()).await?;
        Ok(true)
    }
}

fn busy(spooled: &Spooled) -> Error {
    Error::Conflict(format!("{} is being taken in by another import just now; import it again", spooled.name))
}

fn differs(spooled: &Spooled) -> Error {
    Error::Conflict(format!(
        "{} differs from what was imported before under the same id; sessions only grow, so it was left as it is",
        spooled.name
    ))
}
