//! Dreams, what they pinned and what they found.

use domain::{
    Timestamp,
    actor::Visible,
    dream_state::DreamState,
    ids::{ChangeId, ChangesetId, DreamId, SessionId, StoreId},
};
use sqlx::FromRow;

use crate::{Error, Page, Result, Tx, engine::viewer};

statements! {
    INSERT = "INSERT INTO dreams (id, store_id, state, distiller, instructions, requested_by,
        cancel_requested, progress, stats, created_at, chosen)
        VALUES ($1, $2, 'pending', $6, $3, $4, FALSE, '{}', '{}', $5, $7)";
    LIST = "SELECT d.id, d.store_id, s.name AS store_name, d.state, d.distiller, d.instructions,
        d.requested_by, d.base_revision, d.cancel_requested,
            d.progress, d.stats, d.error, d.created_at, d.started_at, d.ended_at, d.chosen,
            (SELECT cs.id FROM changesets cs WHERE cs.dream_id = d.id) AS changeset_id
        FROM dreams d JOIN stores s ON s.id = d.store_id
        WHERE (CAST($1 AS UUID) IS NULL OR d.store_id = $1)
          AND (CAST($2 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g
          WHERE g.store_id = d.store_id AND g.user_id = $2))
          AND (CAST($3 AS UUID) IS NULL OR d.id < $3)
        ORDER BY d.id DESC LIMIT $4";
    GET = "SELECT d.id, d.store_id, s.name AS store_name, d.state, d.distiller, d.instructions,
        d.requested_by, d.base_revision, d.cancel_requested,
            d.progress, d.stats, d.error, d.created_at, d.started_at, d.ended_at, d.chosen,
            (SELECT cs.id FROM changesets cs WHERE cs.dream_id = d.id) AS changeset_id
        FROM dreams d JOIN stores s ON s.id = d.store_id WHERE d.id = $1";
    ACTIVE = "SELECT COUNT(*) FROM dreams WHERE store_id = $1 AND state IN ('pending', 'running')";
    START = "UPDATE dreams SET state = 'running', started_at = $1, base_revision = $2 WHERE id = $3
        AND state IN ('pending', 'running')";
    PIN = "INSERT INTO dream_sessions (dream_id, session_id, last_seq) VALUES ($1, $2, $3)
        ON CONFLICT (dream_id, session_id) DO UPDATE SET last_seq = excluded.last_seq";
    PIN_WINDOW = "INSERT INTO dream_sessions (dream_id, session_id, last_seq)
        SELECT $1, s.id, s.event_count FROM sessions s JOIN session_stores x ON x.session_id = s.id
        WHERE x.store_id = $2 AND s.deleted_at IS NULL AND (s.last_event_at IS NULL
        OR s.last_event_at >= $3)
        ORDER BY s.id DESC LIMIT $4";
    PIN_CHOSEN = "UPDATE dream_sessions SET last_seq = (SELECT s.event_count FROM sessions s
        WHERE s.id = dream_sessions.session_id)
        WHERE dream_id = $1 AND last_seq = 0";
    PINNED = "SELECT session_id, last_seq FROM dream_sessions WHERE dream_id = $1
        ORDER BY session_id";
    PROGRESS = "UPDATE dreams SET progress = $1 WHERE id = $2 AND state = 'running'";
    CANCEL = "UPDATE dreams SET cancel_requested = TRUE WHERE id = $1 AND state IN ('pending',
        'running')";
    CANCEL_ALL = "UPDATE dreams SET cancel_requested = TRUE WHERE store_id = $1
        AND state IN ('pending', 'running')";
    IS_CANCELED = "SELECT cancel_requested FROM dreams WHERE id = $1";
    FINISH = "UPDATE dreams SET state = $1, stats = $2, error = $3, ended_at = $4
        WHERE id = $5 AND state IN ('pending', 'running') AND (CAST($1 AS TEXT) <> 'completed'
        OR NOT cancel_requested)";
    INSERT_FINDING = "INSERT INTO findings (dream_id, position, kind, title, fingerprint, support,
        disposition, reason, change_id, evidence, about)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    FINDINGS = "SELECT position, kind, title, disposition, reason, support, change_id, evidence
        FROM findings WHERE dream_id = $1 ORDER BY position";
}

/// A dream as lists and pages show it.
#[derive(Debug, Clone, FromRow)]
pub struct DreamRow {
    pub id: DreamId,
    pub store_id: StoreId,
    pub store_name: String,
    pub state: DreamState,
    pub distiller: String,
    pub instructions: Option<String>,
    pub requested_by: String,
    /// The store's revision when it started.
    pub base_revision: Option<i64>,
    /// True if somebody asked it to stop.
    pub cancel_requested: bool,
    pub progress: String,
    pub stats: String,
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// True if the person who asked for it chose its sessions: then it says nothing of the others.
    pub chosen: bool,
    pub changeset_id: Option<ChangesetId>,
}

/// A finding of a dream.
#[derive(Debug, Clone, FromRow)]
pub struct FindingRow {
    pub position: i64,
    pub kind: String,
    pub title: String,
    pub disposition: String,
    /// Why it was held back.
    pub reason: String,
    /// Its support, as JSON.
    pub support: String,
    /// The change it became.
    pub change_id: Option<ChangeId>,
    /// Where it was found, as JSON; empty for what became a change, which has its own quotes.
    pub evidence: String,
}

/// A finding to be stored.
#[derive(Debug, Clone)]
pub struct NewFinding {
    pub kind: String,
    pub title: String,
    pub fingerprint: String,
    /// Its support, as JSON.
    pub support: String,
    pub disposition: &'static str,
    /// Why it was held back.
    pub reason: String,
    /// The change it became.
    pub change_id: Option<ChangeId>,
    /// Its quotes, where it makes no change, as JSON.
    pub evidence: String,
    pub about: String,
}

/// Asks for a dream.
pub async fn insert(
    tx: &mut Tx,
    id: DreamId,
    store: StoreId,
    (distiller, instructions, chosen): (&str, Option<&str>, bool),
    requested_by: &str,
    at: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        INSERT,
        id,
        store,
        instructions,
        requested_by,
        at,
        distiller,
        chosen
    )?;
    Ok(())
}

/// A page of the dreams that the viewer may see, of one store or all, before one of them; newest
/// first.
pub async fn list(
    tx: &mut Tx,
    visible: Visible,
    store: Option<StoreId>,
    before: Option<DreamId>,
    limit: i64,
) -> Result<Page<DreamRow>> {
    Ok(Page::of(
        fetch_all!(
            tx,
            DreamRow,
            LIST,
            store,
            viewer(visible),
            before,
            limit + 1
        )?,
        limit,
    ))
}

/// One dream. Rights are the caller's to check.
pub async fn get(tx: &mut Tx, id: DreamId) -> Result<Option<DreamRow>> {
    fetch_optional!(tx, DreamRow, GET, id)
}

/// How many dreams of a store wait or run.
pub async fn active(tx: &mut Tx, store: StoreId) -> Result<i64> {
    fetch_scalar!(tx, i64, ACTIVE, store)
}

/// Names the sessions that a dream is to be over; they are pinned when it starts.
pub async fn choose(tx: &mut Tx, id: DreamId, sessions: &[SessionId]) -> Result<()> {
    for session in sessions {
        execute!(tx, PIN, id, *session, 0_i64)?;
    }
    Ok(())
}

/// Starts a dream on a revision.
pub async fn start(tx: &mut Tx, id: DreamId, revision: i64, at: Timestamp) -> Result<()> {
    if execute!(tx, START, at, revision, id)? == 1 {
        Ok(())
    } else {
        Err(Error::Stale)
    }
}

/// Pins the last events of the newest sessions of a store whose last event is not before `since`;
/// those of unknown time are always in.
pub async fn pin_window(
    tx: &mut Tx,
    id: DreamId,
    store: StoreId,
    since: Timestamp,
    limit: i64,
) -> Result<()> {
    execute!(tx, PIN_WINDOW, id, store, since, limit)?;
    Ok(())
}

/// Pins the last events of the sessions that were chosen; what an earlier try pinned stays.
pub async fn pin_chosen(tx: &mut Tx, id: DreamId) -> Result<()> {
    execute!(tx, PIN_CHOSEN, id)?;
    Ok(())
}

/// Returns what a dream pinned.
pub async fn pinned(tx: &mut Tx, id: DreamId) -> Result<Vec<(SessionId, i64)>> {
    fetch_all!(tx, (SessionId, i64), PINNED, id)
}

/// Records where a running dream is.
pub async fn progress(tx: &mut Tx, id: DreamId, progress: &str) -> Result<()> {
    execute!(tx, PROGRESS, progress, id)?;
    Ok(())
}

/// Asks a dream to stop; false if it has already ended.
pub async fn cancel(tx: &mut Tx, id: DreamId) -> Result<bool> {
    Ok(execute!(tx, CANCEL, id)? == 1)
}

/// Asks every dream of a store to stop.
pub async fn cancel_all(tx: &mut Tx, store: StoreId) -> Result<()> {
    execute!(tx, CANCEL_ALL, store)?;
    Ok(())
}

/// True if somebody asked the dream to stop.
pub async fn is_canceled(tx: &mut Tx, id: DreamId) -> Result<bool> {
    Ok(fetch_optional!(tx, (bool,), IS_CANCELED, id)?.is_some_and(|(asked,)| asked))
}

/// Ends a dream that has not ended; false if it had.
pub async fn finish(
    tx: &mut Tx,
    id: DreamId,
    state: DreamState,
    stats: &str,
    error: Option<&str>,
    at: Timestamp,
) -> Result<bool> {
    Ok(execute!(tx, FINISH, state, stats, error, at, id)? == 1)
}

/// Stores what a dream saw, in order.
pub async fn insert_findings(tx: &mut Tx, id: DreamId, findings: &[NewFinding]) -> Result<()> {
    for (position, f) in (0i64..).zip(findings) {
        execute!(
            tx,
            INSERT_FINDING,
            id,
            position,
            f.kind.as_str(),
            f.title.as_str(),
            f.fingerprint.as_str(),
            f.support.as_str(),
            f.disposition,
            f.reason.as_str(),
            f.change_id,
            f.evidence.as_str(),
            f.about.as_str()
        )?;
    }
    Ok(())
}

/// Returns what a dream saw, in order.
pub async fn findings(tx: &mut Tx, id: DreamId) -> Result<Vec<FindingRow>> {
    fetch_all!(tx, FindingRow, FINDINGS, id)
}
