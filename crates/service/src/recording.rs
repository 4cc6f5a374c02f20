//! Sessions that agents record over the API while they work: made, appended to, ended with an
//! outcome. One transaction a request, one audit entry a request, and nothing twice: a request with
//! the same idempotency key gets the first answer, and an event with an id of its own that is there
//! already is not appended again.

use std::collections::BTreeMap;

use domain::{
    actor::{Actor, Who},
    audit_action::AuditAction,
    canonical::sha256_hex,
    event::{Event, Outcome, SessionHead},
    ids::{EventId, SessionId, StoreId},
    rights::Action,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Tx, forms,
    sessions::{self, Growth, NewSession, SessionRow},
};

use crate::{
    Error, Lucid, Record, Result,
    authority::{Acting, Authorized},
    transcripts::roll,
};

/// Trust of what an agent says of itself (person 3, import 2, agent 1, tool text 0).
pub(crate) const AGENT_TRUST: i64 = 1;
/// Most events in one request.
pub const EVENTS_A_REQUEST: usize = 1_000;
/// Longest note on an outcome, in characters.
const NOTE_CHARS: usize = 2_000;

/// A session to be recorded.
#[derive(Debug, Clone, Default)]
pub struct NewRecording {
    pub head: SessionHead,
    /// The stores it belongs to; with none named, the key's only store, if it has only one.
    pub stores: Vec<StoreId>,
    pub events: Vec<Event>,
}

/// A request that may come again: its key, and the hash of what it asks.
#[derive(Debug, Clone)]
pub struct Once {
    /// What the client calls this request; 1 to 200 characters.
    pub key: String,
    /// SHA-256 of method, path and body.
    pub request_sha256: String,
}

/// The result of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    pub session: SessionId,
    /// The events that were sent, in order, by the ids that they have.
    pub events: Vec<EventId>,
}

impl Lucid {
    /// Records a new session.
    #[tracing::instrument(skip_all)]
    pub async fn record_session(
        &self,
        actor: &Actor,
        new: &NewRecording,
        once: Option<&Once>,
    ) -> Result<Recorded> {
        check_count(&new.events)?;
        let (mut tx, actor) = self.begin(actor).await?;
        let (stores, right) = stores_for(&actor, &new.stores)?;
        let by = actor.who.to_string();
        if let Some(answer) = answered(&mut tx, &by, once).await? {
            return Ok(answer);
        }
        let id = self.id(SessionId::new);
        let new_session = NewSession {
            import_key: &format!("api {id}"),
            source: "api",
            trust: AGENT_TRUST,
            created_by: Some(&by),
        };
        sessions::insert(&mut tx, id, &new_session, &new.head, self.now()).await?;
        for &store in &stores {
            sessions::link(&mut tx, store, id).await?;
        }
        let (events, digest) = self.append_events(&mut tx, id, &new.events).await?;
        let done = Recorded {
            session: id,
            events,
        };
        sessions::recorded_by(&mut tx, id, &by).await?;
        self.answer(&mut tx, &by, once, &done).await?;
        let payload = json!({"stores": stores, "events": {"first": 1, "last": done.events.len(), "digest": digest}});
        let record = Record {
            action: AuditAction::SessionRecord,
            subject: id.to_string(),
            store: stores.first().copied(),
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Appends events to a session that was recorded over the API.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn record_events(
        &self,
        actor: &Actor,
        id: SessionId,
        events: &[Event],
        once: Option<&Once>,
    ) -> Result<Recorded> {
        check_count(events)?;
        if events.is_empty() {
            return Err(Error::Invalid("send at least one event".to_owned()));
        }
        let (mut tx, actor) = self.begin(actor).await?;
        let by = actor.who.to_string();
        let stores = self
            .recorded_session(&mut tx, &actor, id, Action::RecordSessions)
            .await?;
        let right = actor.may_record(&stores)?;
        if let Some(answer) = answered(&mut tx, &by, once).await? {
            return Ok(answer);
        }
        sessions::lock(&mut tx, id).await?;
        let before = sessions::recorded(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("session"))?;
        if before.created_by.is_none() {
            return Err(Error::Conflict(
                "this session was imported; import its grown transcript again instead".to_owned(),
            ));
        }
        let (events, digest) = self.append_events(&mut tx, id, events).await?;
        let done = Recorded {
            session: id,
            events,
        };
        let after = sessions::recorded(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("session"))?;
        sessions::recorded_by(&mut tx, id, &by).await?;
        self.answer(&mut tx, &by, once, &done).await?;
        if after.event_count > before.event_count {
            let payload = json!({"events": {"first": before.event_count + 1, "last": after.event_count, "digest": digest}});
            let record = Record {
                action: AuditAction::SessionGrow,
                subject: id.to_string(),
                store: stores.first().copied(),
                commit: None,
                payload: &payload,
            };
            self.record(&mut tx, right, record).await?;
        }
        tx.commit().await?;
        Ok(done)
    }

    /// Says how a session ended; a later outcome stands over an earlier one.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn record_outcome(
        &self,
        actor: &Actor,
        id: SessionId,
        outcome: Outcome,
        note: Option<&str>,
    ) -> Result<()> {
        let note = note.map(str::trim).filter(|n| !n.is_empty());
        if note.is_some_and(|n| n.chars().count() > NOTE_CHARS || n.contains('\0')) {
            return Err(Error::Invalid(format!(
                "a note has at most {NOTE_CHARS} characters, and no U+0000"
            )));
        }
        let (mut tx, actor) = self.begin(actor).await?;
        let stores = self
            .recorded_session(&mut tx, &actor, id, Action::RecordSessions)
            .await?;
        let right = actor.may_record(&stores)?;
        sessions::recorded_by(&mut tx, id, &actor.who.to_string()).await?;
        sessions::lock(&mut tx, id).await?;
        sessions::insert_outcome(&mut tx, id, outcome, note, self.now()).await?;
        let payload = json!({"result": outcome.result, "score_millionths": outcome.score, "note": note.is_some()});
        let record = Record {
            action: AuditAction::SessionOutcome,
            subject: id.to_string(),
            store: stores.first().copied(),
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    /// A session that the actor has just recorded, whether its key may read sessions or not.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn recorded(&self, actor: &Actor, id: SessionId) -> Result<SessionRow> {
        let mut tx = self.db.read().await?;
        self.recorded_session(&mut tx, actor, id, Action::RecordSessions)
            .await?;
        sessions::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("session"))
    }

    /// A session with the stores it belongs to, of those that the actor may see.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn session(
        &self,
        actor: &Actor,
        id: SessionId,
    ) -> Result<(SessionRow, Vec<StoreId>)> {
        let mut tx = self.db.read().await?;
        let stores = self
            .recorded_session(&mut tx, actor, id, Action::SeeSessions)
            .await?;
        Ok((
            sessions::get(&mut tx, id)
                .await?
                .ok_or(Error::NotFound("session"))?,
            stores,
        ))
    }

    /// The stores of a session for which the actor may do this; a session of no store is for
    /// anyone who recorded it.
    pub(crate) async fn recorded_session(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: SessionId,
        action: Action,
    ) -> Result<Vec<StoreId>> {
        let recorded = sessions::recorded(tx, id)
            .await?
            .ok_or(Error::NotFound("session"))?;
        let mut stores = sessions::stores_of(tx, id).await?;
        if stores.is_empty() {
            let own = recorded.created_by.as_deref() == Some(&actor.who.to_string())
                && actor.has_scope(action);
            return if own {
                Ok(stores)
            } else {
                Err(Error::NotFound("session"))
            };
        }
        let known = stores.iter().any(|&s| actor.knows(s));
        stores.retain(|&s| actor.may(action, s));
        match (stores.is_empty(), known) {
            (false, _) => Ok(stores),
            (true, true) => Err(Error::Forbidden(action.needs())),
            (true, false) => Err(Error::NotFound("session")),
        }
    }

    /// Appends what is not there yet; the ids of all of them in order, and the digest over the
    /// whole session.
    async fn append_events(
        &self,
        tx: &mut Tx,
        id: SessionId,
        events: &[Event],
    ) -> Result<(Vec<EventId>, String)> {
        let at = sessions::recorded(tx, id)
            .await?
            .ok_or(Error::NotFound("session"))?;
        let mut known: BTreeMap<String, EventId> = BTreeMap::new();
        for own in events.iter().filter_map(|e| e.external_id.as_ref()) {
            if let Some(there) = sessions::by_external_id(tx, id, own).await? {
                known.insert(own.clone(), there);
            }
        }
        let (mut seq, mut digest) = (at.event_count, at.events_digest);
        let (mut first_event_at, mut last_event_at) = (None, None);
        let mut ids = Vec::new();
        for event in events {
            if let Some(&there) = event.external_id.as_ref().and_then(|own| known.get(own)) {
                ids.push(there);
                continue;
            }
            seq += 1;
            digest = roll(&digest, event);
            let event_id = self.id(EventId::new);
            sessions::insert_event(tx, id, seq, event_id, event).await?;
            first_event_at = first_event_at.or(event.occurred_at);
            last_event_at = event.occurred_at.or(last_event_at);
            if let Some(own) = &event.external_id {
                known.insert(own.clone(), event_id);
            }
            ids.push(event_id);
        }
        if seq > at.event_count {
            let growth = Growth {
                from: at.event_count,
                to: seq,
                digest: digest.clone(),
                first_event_at,
                last_event_at,
            };
            sessions::grow(tx, id, &growth, self.now()).await?;
        }
        Ok((ids, digest))
    }

    async fn answer(
        &self,
        tx: &mut Tx,
        by: &str,
        once: Option<&Once>,
        done: &Recorded,
    ) -> Result<()> {
        let Some(once) = once else { return Ok(()) };
        let text = serde_json::to_string(done)
            .map_err(|_| Error::Internal("an answer could not be written"))?;
        forms::put_answer(tx, by, &once.key, &once.request_sha256, &text, self.now())
            .await
            .map_err(|error| {
                if error.is_duplicate() {
                    Error::Conflict(
                        "the same request is being answered just now; send it again for its answer"
                            .to_owned(),
                    )
                } else {
                    error.into()
                }
            })
    }
}

impl Once {
    /// A request under the client's key.
    pub fn new(key: &str, method_and_path: &str, body: &[u8]) -> Result<Self> {
        if !(1..=200).contains(&key.len()) {
            return Err(Error::Invalid(
                "an Idempotency-Key has 1 to 200 characters".to_owned(),
            ));
        }
        let request_sha256 = sha256_hex(&[method_and_path.as_bytes(), b"\0", body].concat());
        Ok(Self {
            key: format!("api {key}"),
            request_sha256,
        })
    }
}

async fn answered(tx: &mut Tx, by: &str, once: Option<&Once>) -> Result<Option<Recorded>> {
    let Some(once) = once else { return Ok(None) };
    match forms::answer(tx, by, &once.key).await? {
        None => Ok(None),
        Some((asked, answer)) if asked == once.request_sha256 => {
            Ok(serde_json::from_str(&answer).ok())
        }
        Some(_) => Err(Error::Conflict(
            "this Idempotency-Key was used for another request".to_owned(),
        )),
    }
}

/// The stores that a new session belongs to.
fn stores_for(actor: &Acting, named: &[StoreId]) -> Result<(Vec<StoreId>, Authorized)> {
    if !actor.has_scope(Action::RecordSessions) || !matches!(actor.who, Who::Key(..)) {
        return Err(Error::Forbidden(
            "recording sessions over the API needs a key with the scope sessions:write",
        ));
    }
    let mut stores = named.to_vec();
    if stores.is_empty() {
        stores = actor.only_store().into_iter().collect();
    }
    stores.sort();
    stores.dedup();
    let right = actor.may_record(&stores)?;
    Ok((stores, right))
}

impl Acting {
    /// The right to record into these stores, all of them. A session of no store is its recorder's
    /// own.
    fn may_record(&self, stores: &[StoreId]) -> Result<Authorized> {
        for &store in stores {
            self.may_on(Action::RecordSessions, store)?;
        }
        self.with_scope(Action::RecordSessions)
    }
}

fn check_count(events: &[Event]) -> Result<()> {
    if events.len() <= EVENTS_A_REQUEST {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "a request has at most {EVENTS_A_REQUEST} events; this has {}",
        events.len()
    )))
}
