//! Erasures that were asked for and done, and legal holds, which refuse them.

use domain::{
    Timestamp,
    erasure::{ErasureKind, ErasureState},
    ids::{ErasureId, HoldId, MemoryId, StoreId, UserId, VersionId},
};
use sqlx::FromRow;

use crate::{Error, Result, Tx};

macro_rules! erasure_sql {
    () => {
        "SELECT id, kind, state, subject, also, version_id, reason, kept, asked_by, asked_at,
            decided_by, done_at, counts, cleaned_at FROM erasures"
    };
}

macro_rules! hold_sql {
    () => {
        "SELECT h.id, h.store_id, s.name AS store_name, h.memory_id,
            (SELECT v.path FROM memory_versions v WHERE v.memory_id = h.memory_id
            ORDER BY v.number DESC LIMIT 1) AS path,
            COALESCE(h.store_id, (SELECT v.store_id FROM memory_versions v
            WHERE v.memory_id = h.memory_id LIMIT 1)) AS of_store,
            h.subject, h.reason, h.placed_by, h.placed_at, h.released_by, h.released_at,
            h.release_reason
        FROM legal_holds h LEFT JOIN stores s ON s.id = h.store_id"
    };
}

statements! {
    INSERT = "INSERT INTO erasures (id, kind, state, subject, also, version_id, reason, kept,
        asked_by, asked_at, decided_by, done_at, counts)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    GET = concat!(erasure_sql!(), " WHERE id = $1");
    LIST = concat!(erasure_sql!(), " ORDER BY CASE WHEN state = 'waiting' THEN 0 ELSE 1 END, id DESC
        LIMIT $1");
    WAITING_FOR = "SELECT id FROM erasures WHERE state = 'waiting' AND subject = $1";
    END = "UPDATE erasures SET state = $2, subject = NULL, also = NULL, decided_by = $3,
        done_at = $4, counts = $5 WHERE id = $1 AND state = 'waiting'";
    LAST_RETENTION = "SELECT MAX(asked_at) FROM erasures WHERE kind = 'retention'";
    TO_CLEAN = "SELECT COUNT(*) FROM erasures WHERE state = 'done' AND cleaned_at IS NULL
        AND done_at <= $1";
    CLEANED = "UPDATE erasures SET cleaned_at = $2 WHERE state = 'done' AND cleaned_at IS NULL
        AND done_at <= $1";
    PLACE = "INSERT INTO legal_holds (id, store_id, memory_id, subject, reason, placed_by,
        placed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    RELEASE = "UPDATE legal_holds SET released_by = $2, released_at = $3, release_reason = $4
        WHERE id = $1 AND released_at IS NULL";
    HOLD = concat!(hold_sql!(), " WHERE h.id = $1");
    HOLDS = concat!(hold_sql!(), " ORDER BY CASE WHEN h.released_at IS NULL THEN 0 ELSE 1 END,
        h.id DESC LIMIT $1");
    IN_FORCE = concat!(hold_sql!(), " WHERE h.released_at IS NULL ORDER BY h.id");
}

/// An erasure that was asked for, with its progress.
#[derive(Debug, Clone, FromRow)]
pub struct ErasureRow {
    pub id: ErasureId,
    pub kind: ErasureKind,
    pub state: ErasureState,
    /// The end user, while it waits.
    pub subject: Option<String>,
    /// Names and the like that are to be erased as well, one a line, while it waits.
    pub also: Option<String>,
    /// The version that was redacted.
    pub version_id: Option<VersionId>,
    pub reason: String,
    /// Memories that hold nothing of the end user, as a JSON list of ids.
    pub kept: String,
    /// Kind and id of an actor.
    pub asked_by: String,
    pub asked_at: Timestamp,
    pub decided_by: Option<UserId>,
    pub done_at: Option<Timestamp>,
    /// How much was erased, by what it was, as JSON.
    pub counts: String,
    /// When the database's files were written anew.
    pub cleaned_at: Option<Timestamp>,
}

impl ErasureRow {
    /// One that is done at once, by kind and id of an actor.
    #[must_use]
    pub fn done(
        id: ErasureId,
        kind: ErasureKind,
        reason: String,
        by: String,
        counts: String,
        at: Timestamp,
    ) -> Self {
        Self {
            id,
            kind,
            state: ErasureState::Done,
            subject: None,
            also: None,
            version_id: None,
            reason,
            kept: "[]".to_owned(),
            asked_by: by,
            asked_at: at,
            decided_by: None,
            done_at: Some(at),
            counts,
            cleaned_at: None,
        }
    }
}

/// A legal hold on a store, a memory or an end user.
#[derive(Debug, Clone, FromRow)]
pub struct HoldRow {
    pub id: HoldId,
    pub store_id: Option<StoreId>,
    pub store_name: Option<String>,
    pub memory_id: Option<MemoryId>,
    /// Where the memory is, or was last.
    pub path: Option<String>,
    /// The store, or that of the memory.
    pub of_store: Option<StoreId>,
    pub subject: Option<String>,
    pub reason: String,
    pub placed_by: UserId,
    pub placed_at: Timestamp,
    pub released_by: Option<UserId>,
    pub released_at: Option<Timestamp>,
    pub release_reason: Option<String>,
}

/// Stores an erasure that was asked for.
pub async fn insert(tx: &mut Tx, row: &ErasureRow) -> Result<()> {
    execute!(
        tx,
        INSERT,
        row.id,
        row.kind,
        row.state,
        row.subject.as_deref(),
        row.also.as_deref(),
        row.version_id,
        row.reason.as_str(),
        row.kept.as_str(),
        row.asked_by.as_str(),
        row.asked_at,
        row.decided_by,
        row.done_at,
        row.counts.as_str()
    )?;
    Ok(())
}

/// An erasure by id.
pub async fn get(tx: &mut Tx, id: ErasureId) -> Result<Option<ErasureRow>> {
    fetch_optional!(tx, ErasureRow, GET, id)
}

/// Erasures: those that wait first, then the newest.
pub async fn list(tx: &mut Tx, limit: i64) -> Result<Vec<ErasureRow>> {
    fetch_all!(tx, ErasureRow, LIST, limit)
}

/// The erasure of an end user that waits for a second admin.
pub async fn waiting_for(tx: &mut Tx, subject: &str) -> Result<Option<ErasureId>> {
    Ok(fetch_optional!(tx, (ErasureId,), WAITING_FOR, subject)?.map(|(id,)| id))
}

/// Ends an erasure that waits, and forgets whom it was about; [`Error::Stale`] if it does not wait.
pub async fn end(
    tx: &mut Tx,
    id: ErasureId,
    state: ErasureState,
    by: Option<UserId>,
    at: Timestamp,
    counts: &str,
) -> Result<()> {
    let done_at = (state == ErasureState::Done).then_some(at);
    if execute!(tx, END, id, state, by, done_at, counts)? == 1 {
        Ok(())
    } else {
        Err(Error::Stale)
    }
}

/// When old transcripts were last erased.
pub async fn last_retention(tx: &mut Tx) -> Result<Option<Timestamp>> {
    fetch_scalar!(tx, Option<Timestamp>, LAST_RETENTION)
}

/// True if something was erased up to a time of which the database's files may still hold a trace.
pub async fn is_to_clean(tx: &mut Tx, until: Timestamp) -> Result<bool> {
    Ok(fetch_scalar!(tx, i64, TO_CLEAN, until)? > 0)
}

/// Notes that the files hold no trace of what was erased up to a time.
pub async fn cleaned(tx: &mut Tx, until: Timestamp, at: Timestamp) -> Result<()> {
    execute!(tx, CLEANED, until, at)?;
    Ok(())
}

/// The object of a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Held {
    /// Every memory and session of a store.
    Store(StoreId),
    /// Every version of a memory.
    Memory(MemoryId),
    /// Everything of an end user.
    Subject(String),
}

/// Stores a new legal hold.
pub async fn place(
    tx: &mut Tx,
    id: HoldId,
    held: &Held,
    reason: &str,
    by: UserId,
    at: Timestamp,
) -> Result<()> {
    let (store, memory, subject) = match held {
        Held::Store(id) => (Some(*id), None, None),
        Held::Memory(id) => (None, Some(*id), None),
        Held::Subject(name) => (None, None, Some(name.as_str())),
    };
    execute!(tx, PLACE, id, store, memory, subject, reason, by, at)?;
    Ok(())
}

/// Releases a hold; [`Error::Stale`] if it is not in force.
pub async fn release(
    tx: &mut Tx,
    id: HoldId,
    by: UserId,
    at: Timestamp,
    reason: &str,
) -> Result<()> {
    if execute!(tx, RELEASE, id, by, at, reason)? == 1 {
        Ok(())
    } else {
        Err(Error::Stale)
    }
}

/// A legal hold by id.
pub async fn hold(tx: &mut Tx, id: HoldId) -> Result<Option<HoldRow>> {
    fetch_optional!(tx, HoldRow, HOLD, id)
}

/// Holds: those in force first, then the newest.
pub async fn holds(tx: &mut Tx, limit: i64) -> Result<Vec<HoldRow>> {
    fetch_all!(tx, HoldRow, HOLDS, limit)
}

/// Every hold that is in force.
pub async fn holds_in_force(tx: &mut Tx) -> Result<Vec<HoldRow>> {
    fetch_all!(tx, HoldRow, IN_FORCE)
}
