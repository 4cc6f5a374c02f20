//! Writing spooled sessions: one transaction a session, known by its source and own id, else by its
//! content.

use std::collections::HashMap;

use domain::{
    actor::{Actor, Who},
    audit_action::AuditAction,
    event::{Event, Standing},
    ids::{EventId, SessionId, StoreId},
    rights::Action,
};
use serde_json::json;
use store::{
    Tx, erasing,
    sessions::{self, NewSession},
};

use crate::{
    Error, Lucid, Record, Result,
    recording::AGENT_TRUST,
    transcripts::{SpoolReader, Spooled, is_of_source, roll, says_what, second_id, words},
};

/// The result for one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    Added(SessionId),
    /// It has grown by so many events.
    Grown(SessionId, usize),
    /// It was there already.
    Unchanged(SessionId),
}

/// Trust of what an import brings (person 3, import 2, agent 1, tool text 0).
const IMPORT_TRUST: i64 = 2;

/// Within what a session is known: its store, and for a key also its owner, so that no key appends
/// to what others brought.
fn scope(store: StoreId, who: Who) -> String {
    match who {
        Who::Key(_, owner) => format!("{store}\0key of {owner}"),
        _ => store.to_string(),
    }
}

impl Lucid {
    /// Writes one session, or the events by which it has grown. All of it or nothing. Sessions are
    /// known within their store only, so that nobody can append to, or find out about, a session of
    /// a store that they may not see.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn import_session(
        &self,
        actor: &Actor,
        store: StoreId,
        spooled: &Spooled,
        events: &mut SpoolReader,
    ) -> Result<Imported> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_on(Action::RecordSessions, store)?;
        let (key, known) = known(&mut tx, spooled, &scope(store, actor.who)).await?;
        // Who erases it, or seals it, is waited for; so it is looked at again.
        let known = match known {
            Some(known) => {
                sessions::lock(&mut tx, known.id).await?;
                let again = sessions::by_import_key(&mut tx, &key)
                    .await?
                    .filter(|again| again.id == known.id);
                Some(again.ok_or_else(|| busy(spooled))?)
            }
            None => None,
        };
        refuse_erased(&mut tx, spooled, &scope(store, actor.who), known.as_ref()).await?;
        let (id, from, digest) = match &known {
            Some(known) => (
                known.id,
                usize::try_from(known.event_count).unwrap_or(0),
                known.events_digest.clone(),
            ),
            None => (self.id(SessionId::new), 0, String::new()),
        };
        if known.is_none() {
            // What a machine sends by a key is what an agent says of itself.
            let trust = if actor.who.is_key() {
                AGENT_TRUST
            } else {
                IMPORT_TRUST
            };
            let new = NewSession {
                import_key: &key,
                source: spooled.source,
                trust,
                created_by: None,
            };
            sessions::insert(&mut tx, id, &new, &spooled.head, self.now())
                .await
                .map_err(|error| {
                    if error.is_duplicate() {
                        busy(spooled)
                    } else {
                        error.into()
                    }
                })?;
            sessions::link(&mut tx, store, id).await?;
        }
        if !spooled.by_id && spooled.len() < from {
            // An older copy of what is stored: it takes nothing away, its outcome neither.
            return Ok(Imported::Unchanged(id));
        }
        let added = if spooled.by_id {
            self.append_new(&mut tx, (store, id), (from, &digest), spooled, events)
                .await?
        } else {
            self.append(&mut tx, id, (from, &digest), spooled, events)
                .await?
        };
        if known.is_none() && added == 0 {
            return Err(Error::Invalid(format!("{} has no events", spooled.name)));
        }
        let changed_outcome = self.note_outcome(&mut tx, id, spooled).await?;
        if added == 0 && !changed_outcome {
            return Ok(Imported::Unchanged(id));
        }
        let digest = sessions::by_import_key(&mut tx, &key)
            .await?
            .map_or(String::new(), |s| s.events_digest);
        let payload = json!({"source": spooled.source, "events": {"first": from + 1, "last": from + added, "digest": digest}});
        let action = if known.is_none() {
            AuditAction::SessionImport
        } else {
            AuditAction::SessionGrow
        };
        sessions::recorded_by(&mut tx, id, &actor.who.to_string()).await?;
        self.record(
            &mut tx,
            right,
            Record {
                action,
                subject: id.to_string(),
                store: Some(store),
                commit: None,
                payload: &payload,
            },
        )
        .await?;
        tx.commit().await?;
        Ok(if known.is_none() {
            Imported::Added(id)
        } else {
            Imported::Grown(id, added)
        })
    }

    /// Appends what comes after the first `known` events, whose digest must be the one that is
    /// stored.
    async fn append(
        &self,
        tx: &mut Tx,
        id: SessionId,
        known: (usize, &str),
        spooled: &Spooled,
        events: &mut SpoolReader,
    ) -> Result<usize> {
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

    /// Appends the events that are not stored yet, wherever they are in the transcript: a line
    /// that was torn before, another file of the same session, what came after. What another
    /// session of the store holds already is a copy.
    async fn append_new(
        &self,
        tx: &mut Tx,
        (store, id): (StoreId, SessionId),
        known: (usize, &str),
        spooled: &Spooled,
        events: &mut SpoolReader,
    ) -> Result<usize> {
        let (from, digest) = known;
        let stored = stored(tx, id).await?;
        let mut growth = sessions::Growth {
            from: i64::try_from(from).unwrap_or(i64::MAX),
            to: i64::try_from(from).unwrap_or(i64::MAX),
            digest: digest.to_owned(),
            first_event_at: None,
            last_event_at: None,
        };
        let mut batch: Vec<Event> = Vec::new();
        for index in 0..=spooled.len() {
            if index < spooled.len() {
                let event = events.event(spooled, index)?;
                let own = event.external_id.clone().unwrap_or_default();
                let external_id = match stored.get(&own) {
                    None => event.external_id.clone(),
                    Some(known)
                        if *known == words(event.kind, event.occurred_at, &event.text)
                            || says_what(&own) =>
                    {
                        continue;
                    }
                    // Under this id stands something else: both stay.
                    Some(_) => {
                        Some(second_id(&own, &event)).filter(|other| !stored.contains_key(other))
                    }
                };
                let Some(external_id) = external_id else {
                    continue;
                };
                batch.push(Event {
                    external_id: Some(external_id),
                    ..event
                });
                if batch.len() < BATCH {
                    continue;
                }
            }
            if spooled.copies_keep_ids() {
                mark_copies(tx, store, id, &mut batch).await?;
            }
            for event in batch.drain(..) {
                growth.digest = roll(&growth.digest, &event);
                growth.to += 1;
                growth.first_event_at = growth.first_event_at.or(event.occurred_at);
                growth.last_event_at = event.occurred_at.or(growth.last_event_at);
                sessions::insert_event(tx, id, growth.to, self.id(EventId::new), &event).await?;
            }
        }
        let added = usize::try_from(growth.to - growth.from).unwrap_or(0);
        if added > 0 {
            sessions::grow(tx, id, &growth, self.now()).await?;
        }
        Ok(added)
    }

    async fn note_outcome(&self, tx: &mut Tx, id: SessionId, spooled: &Spooled) -> Result<bool> {
        let Some(outcome) = spooled.head.outcome else {
            return Ok(false);
        };
        let last = sessions::last_outcome(tx, id).await?;
        if last.is_some_and(|l| l == outcome || l.source.weight() > outcome.source.weight()) {
            return Ok(false);
        }
        sessions::insert_outcome(tx, id, outcome, None, self.now()).await?;
        Ok(true)
    }
}

/// The key of a session, and the session itself if it is there. One without an id of its own may
/// have been taken in by a version that knew it by its content alone: it is the same if it is of
/// the same user and task.
async fn known(
    tx: &mut Tx,
    spooled: &Spooled,
    scope: &str,
) -> Result<(String, Option<sessions::Known>)> {
    let key = spooled.import_key(scope);
    let known = sessions::by_import_key(tx, &key).await?;
    if known.is_some() {
        return Ok((key, known));
    }
    if let Some(earlier) = spooled
        .earlier_import_key(scope)
        .filter(|earlier| *earlier != key)
        && let Some(known) = sessions::by_import_key(tx, &earlier).await?
        && let Some(row) = sessions::get(tx, known.id).await?
        && (row.subject, row.task_key)
            == (spooled.head.subject.clone(), spooled.head.task_key.clone())
    {
        return Ok((earlier, Some(known)));
    }
    Ok((key, None))
}

/// Returns what was erased is not taken in again, also if the recorder still has the file and sends
/// it each night.
async fn refuse_erased(
    tx: &mut Tx,
    spooled: &Spooled,
    scope: &str,
    known: Option<&sessions::Known>,
) -> Result<()> {
    let mut erased = match known {
        Some(known) => erasing::is_erased(tx, known.id).await?,
        None => false,
    };
    for key in [
        Some(spooled.import_key(scope)),
        spooled.earlier_import_key(scope),
    ]
    .into_iter()
    .flatten()
    {
        erased |= sessions::by_import_key(tx, &erasing::erased_key(&key))
            .await?
            .is_some();
    }
    if erased {
        return Err(Error::Conflict(format!(
            "{} was erased here, so it is not imported again; delete it where it comes from",
            spooled.name
        )));
    }
    Ok(())
}

/// Events that are looked up and written together.
const BATCH: usize = 200;

/// The ids of a session's events, each with a hash of what the event says.
async fn stored(tx: &mut Tx, id: SessionId) -> Result<HashMap<String, u64>> {
    let (mut found, mut after) = (HashMap::new(), 0);
    loop {
        let page = sessions::events(tx, id, after, 500).await?;
        let hash = |e: &sessions::EventRow| words(e.kind, e.occurred_at, &e.text);
        found.extend(
            page.rows
                .iter()
                .map(|e| (e.external_id.clone().unwrap_or_default(), hash(e))),
        );
        match page.rows.last() {
            Some(last) if page.more => after = last.seq,
            _ => return Ok(found),
        }
    }
}

/// Marks what another session of the store holds under the same id with the same words.
async fn mark_copies(
    tx: &mut Tx,
    store: StoreId,
    id: SessionId,
    events: &mut [Event],
) -> Result<()> {
    let of_source = |e: &&Event| {
        e.standing == Standing::Live && e.external_id.as_deref().is_some_and(is_of_source)
    };
    let ids: Vec<String> = events
        .iter()
        .filter(of_source)
        .filter_map(|e| e.external_id.clone())
        .collect();
    let elsewhere = sessions::of_source_ids(tx, &ids).await?;
    let others: HashMap<(&str, u64), SessionId> = elsewhere
        .iter()
        .rev()
        .filter(|e| e.store_id == store && e.session_id != id)
        .map(|e| {
            (
                (
                    e.external_id.as_str(),
                    words(e.kind, e.occurred_at, &e.text),
                ),
                e.session_id,
            )
        })
        .collect();
    for event in events.iter_mut().filter(|e| e.standing == Standing::Live) {
        let key = (
            event.external_id.as_deref().unwrap_or_default(),
            words(event.kind, event.occurred_at, &event.text),
        );
        if let Some(other) = others.get(&key) {
            event.standing = Standing::Copied;
            event.copied_from = Some(other.to_string());
        }
    }
    Ok(())
}

fn busy(spooled: &Spooled) -> Error {
    Error::Conflict(format!(
        "{} is being taken in by another import just now; import it again",
        spooled.name
    ))
}

fn differs(spooled: &Spooled) -> Error {
    Error::Conflict(format!(
        "{} differs from what was imported before under the same id; sessions only grow, so it was \
         left as it is",
        spooled.name
    ))
}
