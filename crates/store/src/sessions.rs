//! Sessions and their events: append-only.

use domain::{
    Timestamp,
    actor::Visible,
    event::{
        Event, EventKind, Outcome, OutcomeResult, OutcomeSource, SessionHead, Speaker, Standing,
        counts_as,
    },
    ids::{DreamId, EventId, SessionId, StoreId},
};
use sqlx::FromRow;

use crate::{Error, Page, Result, Tx, engine::viewer, sealing};

statements! {
    INSERT = "INSERT INTO sessions (id, import_key, source, external_id, agent, subject, team,
        task_key, metadata, trust,
            event_count, events_digest, created_at, updated_at, created_by, key_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, '', $11, $11, $12, $13)";
    RECORDED = "SELECT event_count, events_digest, created_by FROM sessions WHERE id = $1
        AND deleted_at IS NULL";
    RECORDED_BY = "INSERT INTO session_recorders (session_id, recorder) VALUES ($1, $2)
        ON CONFLICT (session_id, recorder) DO NOTHING";
    RECORDERS = "SELECT recorder FROM session_recorders WHERE session_id = $1 ORDER BY recorder";
    RECORDERS_OF_DREAM = "SELECT r.session_id, r.recorder FROM session_recorders r
        JOIN dream_sessions p ON p.session_id = r.session_id
        WHERE p.dream_id = $1 ORDER BY r.session_id, r.recorder";
    BY_EXTERNAL_ID = "SELECT id FROM events WHERE session_id = $1 AND external_id = $2";
    LOCK = "UPDATE sessions SET event_count = event_count WHERE id = $1";
    BY_KEY = "SELECT id, event_count, events_digest FROM sessions WHERE import_key = $1";
    GROW = "UPDATE sessions SET event_count = $1, events_digest = $2, updated_at = $3,
            first_event_at = COALESCE(first_event_at, $4), last_event_at = COALESCE($5,
            last_event_at)
        WHERE id = $6 AND event_count = $7";
    LINK = "INSERT INTO session_stores (store_id, session_id) VALUES ($1, $2) ON CONFLICT (store_id,
        session_id) DO NOTHING";
    STORES_OF = "SELECT store_id FROM session_stores WHERE session_id = $1 ORDER BY store_id";
    INSERT_EVENT = "INSERT INTO events (session_id, seq, id, external_id, kind, tool, tool_use_id,
        is_error, text, raw, occurred_at,
            speaker, thread, standing, copied_from, key_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    OF_SOURCE_IDS = concat!("SELECT e.id, e.external_id, e.kind, e.occurred_at, e.text, e.key_id,
        e.session_id, x.store_id FROM events e
            JOIN session_stores x ON x.session_id = e.session_id
        WHERE e.standing = 'live' AND e.external_id IN (", fifty!(), ") ORDER BY e.id");
    INSERT_OUTCOME = "INSERT INTO outcomes (session_id, seq, result, score, note, created_at,
        source)
        VALUES ($1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM outcomes WHERE session_id = $1), $2, $3,
        $4, $5, $6)";
    LAST_OUTCOME = "SELECT result, score, source FROM outcomes WHERE session_id = $1
        ORDER BY seq DESC LIMIT 1";
    LIST = "SELECT s.id, s.source, s.external_id, s.agent, s.subject, s.team, s.task_key,
        s.event_count, s.first_event_at, s.last_event_at,
            s.created_at, s.metadata, s.trust,
            (SELECT o.result FROM outcomes o WHERE o.session_id = s.id ORDER BY o.seq DESC
            LIMIT 1) AS outcome,
            (SELECT o.source FROM outcomes o WHERE o.session_id = s.id ORDER BY o.seq DESC
            LIMIT 1) AS outcome_source,
            (SELECT COUNT(*) FROM events e WHERE e.session_id = s.id AND e.is_error) AS errors
        FROM sessions s
        WHERE s.deleted_at IS NULL
          AND EXISTS (SELECT 1 FROM session_stores x WHERE x.session_id = s.id
              AND (CAST($1 AS UUID) IS NULL OR x.store_id = $1)
              AND (CAST($2 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g
              WHERE g.store_id = x.store_id AND g.user_id = $2)))
          AND (CAST($3 AS UUID) IS NULL OR s.id < $3)
          AND (CAST($5 AS TEXT) IS NULL OR s.agent = $5)
          AND (CAST($6 AS TEXT) IS NULL
              OR COALESCE((SELECT o.result FROM outcomes o WHERE o.session_id = s.id
              ORDER BY o.seq DESC LIMIT 1), 'unknown') = $6)
          AND ($7 = 0 OR EXISTS (SELECT 1 FROM events e WHERE e.session_id = s.id AND e.is_error))
        ORDER BY s.id DESC LIMIT $4";
    GET = "SELECT s.id, s.source, s.external_id, s.agent, s.subject, s.team, s.task_key,
        s.event_count, s.first_event_at, s.last_event_at,
            s.created_at, s.metadata, s.trust,
            (SELECT o.result FROM outcomes o WHERE o.session_id = s.id ORDER BY o.seq DESC
            LIMIT 1) AS outcome,
            (SELECT o.source FROM outcomes o WHERE o.session_id = s.id ORDER BY o.seq DESC
            LIMIT 1) AS outcome_source,
            (SELECT COUNT(*) FROM events e WHERE e.session_id = s.id AND e.is_error) AS errors
        FROM sessions s WHERE s.id = $1 AND s.deleted_at IS NULL";
    WINDOW_OF = "SELECT s.id, s.event_count FROM sessions s JOIN session_stores x
        ON x.session_id = s.id
        WHERE x.store_id = $1 AND s.deleted_at IS NULL AND (s.last_event_at IS NULL
        OR s.last_event_at >= $2)
        ORDER BY s.id DESC LIMIT $3";
    // What is sealed is a third longer.
    BYTES_OF = "SELECT CAST(COALESCE(SUM(CASE WHEN LENGTH(text) > 2000 THEN 1500
        WHEN key_id IS NOT NULL THEN LENGTH(text) * 3 / 4
            WHEN LENGTH(text) > 1500 THEN 1500 ELSE LENGTH(text) END), 0) AS BIGINT) FROM events
        WHERE session_id = $1 AND kind <> 'system'";
    // A sealed text opens as a whole only; one that is long is read by itself.
    SHOWN_EVENTS = "SELECT id, seq, external_id, kind, tool, tool_use_id, is_error,
            CASE WHEN key_id IS NULL OR LENGTH(text) > $4 * 4 THEN SUBSTR(text, 1, $4)
            ELSE text END AS text, occurred_at, speaker, thread,
            standing, copied_from, redacted_at AS erased_at, key_id, key_id IS NOT NULL
            AND LENGTH(text) > $4 * 4 AS cut
        FROM events WHERE session_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    EVENTS = "SELECT id, seq, external_id, kind, tool, tool_use_id, is_error, text, occurred_at,
        speaker, thread, standing, copied_from,
            redacted_at AS erased_at, key_id, CAST(0 AS BOOLEAN) AS cut
        FROM events WHERE session_id = $1 AND seq > $2 ORDER BY seq LIMIT $3";
    EVENT_AT = "SELECT id, key_id, text FROM events WHERE session_id = $1 AND seq = $2";
    TEXT_OF = "SELECT text FROM events WHERE id = $1";
    PINNED = "SELECT s.id, s.source, s.external_id, s.agent, s.subject, s.team, s.task_key,
        p.last_seq AS event_count, s.first_event_at, s.last_event_at,
            s.created_at, s.metadata, s.trust,
            (SELECT o.result FROM outcomes o WHERE o.session_id = s.id ORDER BY o.seq DESC
            LIMIT 1) AS outcome,
            (SELECT o.source FROM outcomes o WHERE o.session_id = s.id ORDER BY o.seq DESC
            LIMIT 1) AS outcome_source,
            CAST(0 AS BIGINT) AS errors
        FROM sessions s JOIN dream_sessions p ON p.session_id = s.id
        WHERE p.dream_id = $1 AND s.deleted_at IS NULL ORDER BY s.id DESC";
    NEW_SINCE = "SELECT COUNT(*) FROM session_stores x JOIN sessions s ON s.id = x.session_id
        WHERE x.store_id = $1 AND s.deleted_at IS NULL AND (s.last_event_at IS NULL
        OR s.last_event_at >= $2) AND NOT EXISTS (
            SELECT 1 FROM dream_sessions ds JOIN dreams d ON d.id = ds.dream_id
            WHERE ds.session_id = s.id AND d.store_id = $1 AND d.state = 'completed'
            AND ds.last_seq >= s.event_count)";
    NEWEST_IN = "SELECT MAX(s.updated_at) FROM session_stores x JOIN sessions s
        ON s.id = x.session_id WHERE x.store_id = $1";
}

/// A session as lists and pages show it.
#[derive(Debug, Clone, FromRow)]
pub struct SessionRow {
    pub id: SessionId,
    /// The format it came in.
    pub source: String,
    /// The source's own id.
    pub external_id: Option<String>,
    pub agent: Option<String>,
    /// Which end user, by pseudonym.
    pub subject: Option<String>,
    pub team: Option<String>,
    pub task_key: Option<String>,
    pub event_count: i64,
    /// Time of the first event that has one.
    pub first_event_at: Option<Timestamp>,
    /// Time of the last event that has one.
    pub last_event_at: Option<Timestamp>,
    /// When it was taken in.
    pub created_at: Timestamp,
    /// What else the source said, as JSON.
    pub metadata: String,
    /// How far what it says is trusted: 2 an import, 1 an agent.
    pub trust: i64,
    pub outcome: Option<OutcomeResult>,
    pub outcome_source: Option<OutcomeSource>,
    /// How many tool results are errors.
    pub errors: i64,
}

/// An event as pages and dreams read it.
#[derive(Debug, Clone, FromRow)]
pub struct EventRow {
    pub id: EventId,
    /// Position in the session, from 1.
    pub seq: i64,
    /// The source's own id.
    pub external_id: Option<String>,
    pub kind: EventKind,
    pub tool: Option<String>,
    /// Pairs call and answer.
    pub tool_use_id: Option<String>,
    /// True if the tool's answer is an error.
    pub is_error: bool,
    pub text: String,
    pub occurred_at: Option<Timestamp>,
    /// Whose words it holds.
    pub speaker: Speaker,
    /// The sub-agent in whose conversation it stands.
    pub thread: Option<String>,
    /// Tells whether it is part of what happened in its session.
    pub standing: Standing,
    /// The session that it was copied from, as its source or Lucid calls it.
    pub copied_from: Option<String>,
    /// When its text was erased.
    pub erased_at: Option<Timestamp>,
    key_id: Option<String>,
    cut: bool,
}

impl EventRow {
    /// True if its text is there and cannot be opened, because its key is gone.
    #[must_use]
    pub const fn is_unreadable(&self) -> bool {
        self.key_id.is_some() && self.erased_at.is_some()
    }

    /// Returns what it counts as when findings are looked for.
    #[must_use]
    pub fn counts_as(&self) -> EventKind {
        counts_as(self.kind, self.speaker, self.standing)
    }
}

/// The state of a session that was imported before.
#[derive(Debug, Clone, FromRow)]
pub struct Known {
    pub id: SessionId,
    /// How many events are stored.
    pub event_count: i64,
    /// Rolling digest over them.
    pub events_digest: String,
}

/// The session of an import key, if there is one.
pub async fn by_import_key(tx: &mut Tx, key: &str) -> Result<Option<Known>> {
    fetch_optional!(tx, Known, BY_KEY, key)
}

/// The origin of a session.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    pub import_key: &'a str,
    /// The format it came in, or `api`.
    pub source: &'a str,
    /// How far what it says is trusted.
    pub trust: i64,
    pub created_by: Option<&'a str>,
}

/// The state of a session that events are appended to over the API.
#[derive(Debug, Clone, FromRow)]
pub struct Recorded {
    /// How many events are stored.
    pub event_count: i64,
    /// Rolling digest over them.
    pub events_digest: String,
    /// Who recorded it, if it came over the API.
    pub created_by: Option<String>,
}

/// Returns the state of a session that is appended to.
pub async fn recorded(tx: &mut Tx, id: SessionId) -> Result<Option<Recorded>> {
    fetch_optional!(tx, Recorded, RECORDED, id)
}

/// Takes a session's lock: who appends next waits.
pub async fn lock(tx: &mut Tx, id: SessionId) -> Result<()> {
    execute!(tx, LOCK, id)?;
    Ok(())
}

/// The event of a session by the id that its source gave it.
pub async fn by_external_id(tx: &mut Tx, id: SessionId, external: &str) -> Result<Option<EventId>> {
    Ok(fetch_optional!(tx, (EventId,), BY_EXTERNAL_ID, id, external)?.map(|(id,)| id))
}

/// Notes that events of a session came through somebody: kind and id of an actor.
pub async fn recorded_by(tx: &mut Tx, id: SessionId, recorder: &str) -> Result<()> {
    execute!(tx, RECORDED_BY, id, recorder)?;
    Ok(())
}

/// Through whom each session came that a dream pinned.
pub async fn recorders_of_dream(tx: &mut Tx, dream: DreamId) -> Result<Vec<(SessionId, String)>> {
    fetch_all!(tx, (SessionId, String), RECORDERS_OF_DREAM, dream)
}

/// Everybody through whom events of a session came.
pub async fn recorders(tx: &mut Tx, id: SessionId) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), RECORDERS, id)?
        .into_iter()
        .map(|(recorder,)| recorder)
        .collect())
}

/// Makes a session without events.
pub async fn insert(
    tx: &mut Tx,
    id: SessionId,
    new: &NewSession<'_>,
    head: &SessionHead,
    at: Timestamp,
) -> Result<()> {
    let metadata = serde_json::Value::Object(head.metadata.clone()).to_string();
    let key_id = sealing::new_key(tx, id).await?;
    execute!(
        tx,
        INSERT,
        id,
        new.import_key,
        new.source,
        head.external_id.as_deref(),
        head.agent.as_deref(),
        head.subject.as_deref(),
        head.team.as_deref(),
        head.task_key.as_deref(),
        metadata.as_str(),
        new.trust,
        at,
        new.created_by,
        key_id
    )?;
    Ok(())
}

/// A live event that is under an id of its source, in whichever session.
#[derive(Debug, Clone, FromRow)]
pub struct Elsewhere {
    id: EventId,
    key_id: Option<String>,
    /// The source's own id.
    pub external_id: String,
    pub kind: EventKind,
    pub occurred_at: Option<Timestamp>,
    pub text: String,
    pub session_id: SessionId,
    /// A store of that session.
    pub store_id: StoreId,
}

/// The live events that are under some ids of their sources, oldest first. Rights are the
/// caller's to check.
pub async fn of_source_ids(tx: &mut Tx, ids: &[String]) -> Result<Vec<Elsewhere>> {
    let mut found = fetch_listed!(tx, Elsewhere, OF_SOURCE_IDS, ids)?;
    for event in &mut found {
        event.text = opened(
            tx,
            event.key_id.as_deref(),
            event.id,
            std::mem::take(&mut event.text),
        )
        .await?
        .unwrap_or_default();
    }
    Ok(found)
}

/// The text of an event; `None` if its key is gone.
async fn opened(
    tx: &mut Tx,
    key_id: Option<&str>,
    id: EventId,
    stored: String,
) -> Result<Option<String>> {
    sealing::open(tx, key_id, &sealing::place("events", "text", id), stored).await
}

/// Appends one event at a position.
pub async fn insert_event(
    tx: &mut Tx,
    session: SessionId,
    seq: i64,
    id: EventId,
    event: &Event,
) -> Result<()> {
    let key = sealing::key_for(tx, session, event.copied_from.as_deref()).await?;
    let text = sealing::seal(
        key.as_ref(),
        &sealing::place("events", "text", id),
        &event.text,
    )?;
    let raw = sealing::seal(
        key.as_ref(),
        &sealing::place("events", "raw", id),
        &event.raw,
    )?;
    execute!(
        tx,
        INSERT_EVENT,
        session,
        seq,
        id,
        event.external_id.as_deref(),
        event.kind,
        event.tool.as_deref(),
        event.tool_use_id.as_deref(),
        event.is_error,
        text,
        raw,
        event.occurred_at,
        event.speaker,
        event.thread.as_deref(),
        event.standing,
        event.copied_from.as_deref(),
        key.map(|k| k.name)
    )?;
    Ok(())
}

/// The growth of a session.
#[derive(Debug, Clone)]
pub struct Growth {
    /// Events before, as read in this transaction.
    pub from: i64,
    pub to: i64,
    /// Rolling digest over all of them.
    pub digest: String,
    /// Time of the first event that has one.
    pub first_event_at: Option<Timestamp>,
    /// Time of the last event that has one.
    pub last_event_at: Option<Timestamp>,
}

/// Records the growth of a session; [`Error::Stale`] if somebody else appended in between.
pub async fn grow(tx: &mut Tx, id: SessionId, growth: &Growth, at: Timestamp) -> Result<()> {
    let rows = execute!(
        tx,
        GROW,
        growth.to,
        growth.digest.as_str(),
        at,
        growth.first_event_at,
        growth.last_event_at,
        id,
        growth.from
    )?;
    if rows == 1 { Ok(()) } else { Err(Error::Stale) }
}

/// Puts a session into a store.
pub async fn link(tx: &mut Tx, store: StoreId, session: SessionId) -> Result<()> {
    execute!(tx, LINK, store, session)?;
    Ok(())
}

/// The stores that a session belongs to.
pub async fn stores_of(tx: &mut Tx, session: SessionId) -> Result<Vec<StoreId>> {
    Ok(fetch_all!(tx, (StoreId,), STORES_OF, session)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// Records how a session ended; a later outcome stands over an earlier one.
pub async fn insert_outcome(
    tx: &mut Tx,
    session: SessionId,
    outcome: Outcome,
    note: Option<&str>,
    at: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        INSERT_OUTCOME,
        session,
        outcome.result,
        outcome.score,
        note,
        at,
        outcome.source
    )?;
    Ok(())
}

/// The outcome that stands.
pub async fn last_outcome(tx: &mut Tx, session: SessionId) -> Result<Option<Outcome>> {
    let row = fetch_optional!(
        tx,
        (OutcomeResult, Option<i64>, OutcomeSource),
        LAST_OUTCOME,
        session
    )?;
    Ok(row.map(|(result, score, source)| Outcome {
        result,
        score,
        source,
    }))
}

/// The newest sessions before an id that the viewer may see, in one store or all.
pub async fn list(
    tx: &mut Tx,
    visible: Visible,
    filter: &SessionFilter,
    limit: i64,
) -> Result<Page<SessionRow>> {
    let (agent, outcome, errors) = (
        filter.agent.as_deref(),
        filter.outcome,
        i64::from(filter.errors),
    );
    let rows = fetch_all!(
        tx,
        SessionRow,
        LIST,
        filter.store,
        viewer(visible),
        filter.before,
        limit + 1,
        agent,
        outcome.map(OutcomeResult::as_str),
        errors
    )?;
    Ok(Page::of(rows, limit))
}

/// Which sessions are listed.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Of one store only.
    pub store: Option<StoreId>,
    pub agent: Option<String>,
    /// That ended so; `unknown` where nothing says how.
    pub outcome: Option<OutcomeResult>,
    /// Only those in which a tool failed.
    pub errors: bool,
    pub before: Option<SessionId>,
}

/// One session. Rights are the caller's to check.
pub async fn get(tx: &mut Tx, id: SessionId) -> Result<Option<SessionRow>> {
    fetch_optional!(tx, SessionRow, GET, id)
}

/// As [`events`], each text cut to so many characters: for pages, which must not hold a hundred
/// megabytes.
pub async fn shown_events(
    tx: &mut Tx,
    session: SessionId,
    after: i64,
    limit: i64,
    characters: i32,
) -> Result<Page<EventRow>> {
    let mut page = Page::of(
        fetch_all!(
            tx,
            EventRow,
            SHOWN_EVENTS,
            session,
            after,
            limit + 1,
            characters
        )?,
        limit,
    );
    let most = usize::try_from(characters).unwrap_or(0);
    for event in page.rows.iter_mut().filter(|e| e.key_id.is_some()) {
        if event.cut {
            event.text = fetch_optional!(tx, (String,), TEXT_OF, event.id)?
                .map(|(text,)| text)
                .unwrap_or_default();
        }
        unseal(tx, event).await?;
        if let Some((end, _)) = event.text.char_indices().nth(most) {
            event.text.truncate(end);
        }
    }
    Ok(page)
}

/// Opens the text of an event. What cannot be opened, because its key was destroyed after this copy
/// of the database was made, is shown as erased.
async fn unseal(tx: &mut Tx, event: &mut EventRow) -> Result<()> {
    match opened(
        tx,
        event.key_id.as_deref(),
        event.id,
        std::mem::take(&mut event.text),
    )
    .await?
    {
        Some(text) => event.text = text,
        None => event.erased_at = event.erased_at.or(event.occurred_at).or(Some(Timestamp(0))),
    }
    Ok(())
}

/// Events after a position, in order.
pub async fn events(
    tx: &mut Tx,
    session: SessionId,
    after: i64,
    limit: i64,
) -> Result<Page<EventRow>> {
    let mut page = Page::of(
        fetch_all!(tx, EventRow, EVENTS, session, after, limit + 1)?,
        limit,
    );
    for event in &mut page.rows {
        unseal(tx, event).await?;
    }
    Ok(page)
}

/// Id and text of the event at a position.
pub async fn event_at(
    tx: &mut Tx,
    session: SessionId,
    seq: i64,
) -> Result<Option<(EventId, String)>> {
    let Some((id, key_id, text)) = fetch_optional!(
        tx,
        (EventId, Option<String>, String),
        EVENT_AT,
        session,
        seq
    )?
    else {
        return Ok(None);
    };
    Ok(Some((
        id,
        opened(tx, key_id.as_deref(), id, text)
            .await?
            .unwrap_or_default(),
    )))
}

/// The sessions that a dream has pinned, newest first, each with as many events as it had then.
pub async fn pinned(tx: &mut Tx, dream: DreamId) -> Result<Vec<SessionRow>> {
    fetch_all!(tx, SessionRow, PINNED, dream)
}

/// How many sessions of a store, of those in the window, no completed dream has seen to their end.
pub async fn new_for_dreams(tx: &mut Tx, store: StoreId, since: Timestamp) -> Result<i64> {
    fetch_scalar!(tx, i64, NEW_SINCE, store, since)
}

/// The sessions that a dream over a store would pin now, each with its number of events; the newest
/// first.
pub async fn window_of(
    tx: &mut Tx,
    store: StoreId,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<(SessionId, i64)>> {
    fetch_all!(tx, (SessionId, i64), WINDOW_OF, store, since, limit)
}

/// Characters of a session's events, each counted up to 1,500, which a model is shown of one.
pub async fn bytes_of(tx: &mut Tx, session: SessionId) -> Result<i64> {
    fetch_scalar!(tx, i64, BYTES_OF, session)
}

/// When a session of a store last grew.
pub async fn newest_in(tx: &mut Tx, store: StoreId) -> Result<Option<Timestamp>> {
    fetch_scalar!(tx, Option<Timestamp>, NEWEST_IN, store)
}
