//! Recalls of memory that turned out wrong, who loaded it, and what was done about each of them.

use domain::{
    Timestamp,
    actor::Visible,
    event::{OutcomeResult, OutcomeSource},
    ids::{MemoryId, RecallId, SessionId, StoreId, UserId},
    memory::MemoryPath,
    recall::RecallMark,
};
use sqlx::FromRow;

use crate::{Result, Tx, engine::viewer};

/// The columns of a recall.
macro_rules! recall_sql {
    () => {
        "SELECT r.id, r.store_id, s.name AS store_name, r.memory_id, r.first_version,
            r.last_version, r.reason, r.opened_by, r.opened_at,
            r.closed_by, r.closed_at, r.outcome,
            (SELECT v.path FROM memory_versions v WHERE v.memory_id = r.memory_id
            AND v.number = r.last_version) AS path,
            (SELECT COUNT(DISTINCT d.session_id) FROM recorded_reads d JOIN memory_versions v
            ON v.id = d.version_id
                WHERE v.memory_id = r.memory_id AND v.number >= r.first_version
                AND v.number <= r.last_version)
            + (SELECT COUNT(DISTINCT COALESCE(d.reader, 'unknown')) FROM recorded_reads d
            JOIN memory_versions v ON v.id = d.version_id
                WHERE d.session_id IS NULL AND v.memory_id = r.memory_id
                AND v.number >= r.first_version AND v.number <= r.last_version) AS loaded,
            (SELECT COUNT(*) FROM recall_marks m WHERE m.recall_id = r.id) AS marked
        FROM recalls r JOIN stores s ON s.id = r.store_id AND s.deleted_at IS NULL "
    };
}

/// Sessions, and readers outside of sessions, that loaded versions of a memory, with their marks in
/// a recall.
macro_rules! loaded_sql {
    () => {
        "FROM (SELECT r.session_id, CASE WHEN r.session_id IS NULL THEN COALESCE(r.reader,
            'unknown') ELSE '' END AS reader, COUNT(*) AS times,
                MIN(r.read_at) AS first_at, MAX(r.read_at) AS last_at
            FROM recorded_reads r JOIN memory_versions v ON v.id = r.version_id
            WHERE v.memory_id = $1 AND v.number >= $2 AND v.number <= $3
            GROUP BY r.session_id, CASE WHEN r.session_id IS NULL THEN COALESCE(r.reader, 'unknown')
            ELSE '' END) x
        LEFT JOIN recall_marks ms ON ms.recall_id = $4 AND ms.session_id = x.session_id
        LEFT JOIN recall_marks mr ON mr.recall_id = $4 AND mr.loaded_by = x.reader "
    };
}

/// The notices of a person about recalls that are open.
macro_rules! told_sql {
    () => {
        "FROM recall_notices n JOIN recalls r ON r.id = n.recall_id JOIN stores s
            ON s.id = r.store_id AND s.deleted_at IS NULL
        WHERE n.user_id = $1 AND r.closed_at IS NULL
            AND EXISTS (SELECT 1 FROM user_grants g WHERE g.store_id = r.store_id
            AND g.user_id = $1) "
    };
}

statements! {
    INSERT = "INSERT INTO recalls (id, store_id, memory_id, first_version, last_version, reason,
        opened_by, opened_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    GET = concat!(recall_sql!(), "WHERE r.id = $1");
    LIST = concat!(recall_sql!(), "WHERE (CAST($1 AS UUID) IS NULL OR r.store_id = $1)
            AND (CAST($2 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g
            WHERE g.store_id = r.store_id AND g.user_id = $2))
        ORDER BY CASE WHEN r.closed_at IS NULL THEN 0 ELSE 1 END, r.opened_at DESC, r.id LIMIT $3");
    OF_MEMORY = concat!(recall_sql!(), "WHERE r.memory_id = $1 ORDER BY CASE
        WHEN r.closed_at IS NULL THEN 0 ELSE 1 END, r.opened_at DESC, r.id LIMIT 200");
    CLOSE = "UPDATE recalls SET closed_by = $1, closed_at = $2, outcome = $3 WHERE id = $4
        AND closed_at IS NULL";
    REOPEN = "UPDATE recalls SET closed_by = NULL, closed_at = NULL, outcome = NULL WHERE id = $1
        AND closed_at IS NOT NULL";
    LOADED = concat!("SELECT x.session_id, x.reader, x.times, x.first_at, x.last_at, n.agent,
        n.team, n.external_id,
            (SELECT MIN(q.recorder) FROM session_recorders q
            WHERE q.session_id = x.session_id) AS recorder,
            (SELECT o.result FROM outcomes o WHERE o.session_id = x.session_id ORDER BY o.seq DESC
            LIMIT 1) AS outcome,
            (SELECT o.source FROM outcomes o WHERE o.session_id = x.session_id ORDER BY o.seq DESC
            LIMIT 1) AS outcome_source,
            x.session_id IS NULL OR EXISTS (SELECT 1 FROM session_stores t
            WHERE t.session_id = x.session_id AND t.store_id = $6) AS here,
            COALESCE(ms.mark, mr.mark) AS mark, COALESCE(ms.note, mr.note) AS note,
            COALESCE(ms.marked_by, mr.marked_by) AS marked_by,
            COALESCE(ms.marked_at, mr.marked_at) AS marked_at
        ", loaded_sql!(), "LEFT JOIN sessions n ON n.id = x.session_id
        ORDER BY CASE WHEN ms.mark IS NULL AND mr.mark IS NULL THEN 0 ELSE 1 END, x.last_at DESC,
        x.first_at, x.session_id, x.reader LIMIT $5");
    COUNTS = concat!("SELECT COUNT(*) AS loaded, COUNT(x.session_id) AS sessions,
        COUNT(COALESCE(ms.mark, mr.mark)) AS marked,
            CAST(COALESCE(SUM(x.times), 0) AS BIGINT) AS times
        ", loaded_sql!());
    PATHS = concat!("SELECT r.id, v.path FROM recalls r JOIN memory_versions v
        ON v.memory_id = r.memory_id AND v.number = r.last_version
        WHERE r.id IN (", fifty!(), ")");
    OWNERS = "SELECT DISTINCT COALESCE(q.recorder, r.reader) FROM recorded_reads r
        JOIN memory_versions v ON v.id = r.version_id
            LEFT JOIN session_recorders q ON q.session_id = r.session_id
        WHERE v.memory_id = $1 AND v.number >= $2 AND v.number <= $3 AND COALESCE(q.recorder,
        r.reader) IS NOT NULL ORDER BY 1";
    TELL = "INSERT INTO recall_notices (recall_id, user_id, created_at) VALUES ($1, $2, $3)
        ON CONFLICT (recall_id, user_id) DO NOTHING";
    // Open ones, of stores that the person still sees the sessions of.
    TOLD = concat!("SELECT n.recall_id, n.created_at, n.read_at, r.reason, s.name AS store_name,
            (SELECT v.path FROM memory_versions v WHERE v.memory_id = r.memory_id
            AND v.number = r.last_version) AS path ", told_sql!(),
        "ORDER BY CASE WHEN n.read_at IS NULL THEN 0 ELSE 1 END, n.created_at DESC, n.recall_id
            LIMIT $2");
    UNREAD = concat!("SELECT COUNT(*) ", told_sql!(), "AND n.read_at IS NULL");
    READ = "UPDATE recall_notices SET read_at = $2 WHERE user_id = $1 AND read_at IS NULL";
    READ_ONE = "UPDATE recall_notices SET read_at = $3 WHERE user_id = $1 AND recall_id = $2
        AND read_at IS NULL";
    MARK = "INSERT INTO recall_marks (recall_id, loaded_by, session_id, mark, note, marked_by,
        marked_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (recall_id, loaded_by) DO UPDATE SET mark = excluded.mark, note = excluded.note,
        marked_by = excluded.marked_by,
            marked_at = excluded.marked_at";
}

/// A recall of versions that turned out wrong.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RecallRow {
    pub id: RecallId,
    pub store_id: StoreId,
    pub store_name: String,
    pub memory_id: MemoryId,
    /// Number of the first version that was wrong.
    pub first_version: i64,
    /// Number of the last one.
    pub last_version: i64,
    /// The path of the last one.
    pub path: MemoryPath,
    pub reason: String,
    pub opened_by: UserId,
    pub opened_at: Timestamp,
    pub closed_by: Option<UserId>,
    pub closed_at: Option<Timestamp>,
    /// What came of it, in the words of the person who closed it.
    pub outcome: Option<String>,
    /// Sessions, and readers outside of sessions, that loaded the versions.
    pub loaded: i64,
    /// How many of them are marked.
    pub marked: i64,
}

/// The versions of a memory that a recall, or a question before one, is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recalled {
    pub store: StoreId,
    pub memory: MemoryId,
    pub first: i64,
    pub last: i64,
    /// The recall whose marks are wanted, if there is one.
    pub recall: Option<RecallId>,
}

/// A session that loaded recalled versions, or a reader who did so outside of sessions.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct LoadedRow {
    pub session_id: Option<SessionId>,
    /// True if the session belongs to the memory's store.
    pub here: bool,
    /// Kind and id of a reader outside of sessions, or `unknown`; empty for sessions.
    pub reader: String,
    pub times: i64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub agent: Option<String>,
    pub team: Option<String>,
    /// The id that the source of the transcript gave the session.
    pub external_id: Option<String>,
    /// Who recorded or imported the session: kind and id.
    pub recorder: Option<String>,
    pub outcome: Option<OutcomeResult>,
    pub outcome_source: Option<OutcomeSource>,
    pub mark: Option<RecallMark>,
    pub note: Option<String>,
    pub marked_by: Option<UserId>,
    pub marked_at: Option<Timestamp>,
}

/// How many loaded recalled versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct LoadedCounts {
    /// Sessions, and readers outside of sessions.
    pub loaded: i64,
    pub sessions: i64,
    /// How many of all are marked.
    pub marked: i64,
    /// How often it was loaded in all.
    pub times: i64,
}

/// A recall that is opened.
#[derive(Debug, Clone)]
pub struct NewRecall<'a> {
    pub id: RecallId,
    pub store: StoreId,
    pub memory: MemoryId,
    pub first: i64,
    pub last: i64,
    pub reason: &'a str,
    pub opened_by: UserId,
    pub at: Timestamp,
}

/// Stores a new recall.
pub async fn insert(tx: &mut Tx, new: &NewRecall<'_>) -> Result<()> {
    execute!(
        tx,
        INSERT,
        new.id,
        new.store,
        new.memory,
        new.first,
        new.last,
        new.reason,
        new.opened_by,
        new.at
    )?;
    Ok(())
}

/// A recall by id.
pub async fn get(tx: &mut Tx, id: RecallId) -> Result<Option<RecallRow>> {
    fetch_optional!(tx, RecallRow, GET, id)
}

/// The recalls of visible stores, or of one of them: open ones first, then the newest, at most so
/// many.
pub async fn list(
    tx: &mut Tx,
    visible: Visible,
    store: Option<StoreId>,
    limit: i64,
) -> Result<Vec<RecallRow>> {
    fetch_all!(tx, RecallRow, LIST, store, viewer(visible), limit)
}

/// The paths of recalled memory, by recall.
pub async fn paths(tx: &mut Tx, ids: &[RecallId]) -> Result<Vec<(RecallId, String)>> {
    fetch_listed!(tx, (RecallId, String), PATHS, ids)
}

/// The recalls of a memory: open ones first, then the newest, at most 200.
pub async fn of_memory(tx: &mut Tx, memory: MemoryId) -> Result<Vec<RecallRow>> {
    fetch_all!(tx, RecallRow, OF_MEMORY, memory)
}

/// Closes a recall; false if it is closed.
pub async fn close(
    tx: &mut Tx,
    id: RecallId,
    by: UserId,
    at: Timestamp,
    outcome: &str,
) -> Result<bool> {
    Ok(execute!(tx, CLOSE, by, at, outcome, id)? == 1)
}

/// Opens a closed recall again; false if it is open.
pub async fn reopen(tx: &mut Tx, id: RecallId) -> Result<bool> {
    Ok(execute!(tx, REOPEN, id)? == 1)
}

/// Returns who loaded these versions: those without a mark first, then the latest, at most so many.
pub async fn loaded(tx: &mut Tx, of: Recalled, limit: i64) -> Result<Vec<LoadedRow>> {
    fetch_all!(
        tx, LoadedRow, LOADED, of.memory, of.first, of.last, of.recall, limit, of.store
    )
}

/// How many loaded these versions.
pub async fn counts(tx: &mut Tx, of: Recalled) -> Result<LoadedCounts> {
    Ok(fetch_optional!(
        tx,
        LoadedCounts,
        COUNTS,
        of.memory,
        of.first,
        of.last,
        of.recall
    )?
    .unwrap_or(LoadedCounts {
        loaded: 0,
        sessions: 0,
        marked: 0,
        times: 0,
    }))
}

/// A mark of a recall.
#[derive(Debug, Clone)]
pub struct NewMark<'a> {
    pub recall: RecallId,
    /// The session's id as text, or the reader.
    pub loaded_by: &'a str,
    pub session: Option<SessionId>,
    pub mark: RecallMark,
    pub note: &'a str,
    pub by: UserId,
    pub at: Timestamp,
}

/// Marks who loaded recalled memory; a later mark replaces an earlier one.
pub async fn mark(tx: &mut Tx, new: &NewMark<'_>) -> Result<()> {
    execute!(
        tx,
        MARK,
        new.recall,
        new.loaded_by,
        new.session,
        new.mark,
        new.note,
        new.by,
        new.at
    )?;
    Ok(())
}

/// A notice to a person whose sessions loaded memory that was recalled.
#[derive(Debug, Clone, FromRow)]
pub struct RecallNotice {
    pub recall_id: RecallId,
    pub created_at: Timestamp,
    pub read_at: Option<Timestamp>,
    pub reason: String,
    pub store_name: String,
    pub path: MemoryPath,
}

/// Everybody who recorded a session that loaded versions of a memory, or read them outside of one:
/// kinds and ids of actors.
pub async fn owners(
    tx: &mut Tx,
    memory: MemoryId,
    (first, last): (i64, i64),
) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), OWNERS, memory, first, last)?
        .into_iter()
        .map(|(owner,)| owner)
        .collect())
}

/// Notifies a person of a recall, once.
pub async fn tell(tx: &mut Tx, recall: RecallId, user: UserId, at: Timestamp) -> Result<()> {
    execute!(tx, TELL, recall, user, at)?;
    Ok(())
}

/// A person's notices of open recalls: unread ones first, then the newest.
pub async fn told(tx: &mut Tx, user: UserId, limit: i64) -> Result<Vec<RecallNotice>> {
    fetch_all!(tx, RecallNotice, TOLD, user, limit)
}

/// How many of them are unread.
pub async fn unread(tx: &mut Tx, user: UserId) -> Result<i64> {
    fetch_scalar!(tx, i64, UNREAD, user)
}

/// Marks all of a person's recall notices as read, or the one of this recall.
pub async fn read(
    tx: &mut Tx,
    user: UserId,
    recall: Option<RecallId>,
    at: Timestamp,
) -> Result<()> {
    match recall {
        Some(recall) => execute!(tx, READ_ONE, user, recall, at)?,
        None => execute!(tx, READ, user, at)?,
    };
    Ok(())
}
