//! What happened in stores week by week: sessions and how they ended, what was written, and what
//! became of proposals.

use domain::{
    Timestamp,
    actor::Visible,
    changeset::{ChangeKind, ChangeState},
    event::{OutcomeResult, OutcomeSource},
    ids::{DreamId, StoreId},
};
use sqlx::FromRow;

use crate::{Result, Tx, engine::viewer};

/// Microseconds of a week.
pub const WEEK: i64 = 7 * 86_400 * 1_000_000;

/// The sessions of the stores that are asked about: task, when each ended, how, and who says so.
macro_rules! ended_sql {
    () => {
        concat!(
            "(SELECT s.task_key, COALESCE(s.last_event_at, s.created_at) AS at,
                (SELECT o.result FROM outcomes o WHERE o.session_id = s.id
                    ORDER BY o.seq DESC LIMIT 1) AS result,
                (SELECT o.source FROM outcomes o WHERE o.session_id = s.id
                    ORDER BY o.seq DESC LIMIT 1) AS source
            FROM sessions s WHERE s.deleted_at IS NULL
                AND EXISTS (SELECT 1 FROM session_stores t WHERE t.session_id = s.id
                    AND ",
            seen_sql!("t.store_id"),
            "))"
        )
    };
}

statements! {
    SESSIONS = concat!("SELECT CAST((x.at - $3) / $4 AS BIGINT) AS week, x.result, x.source,
            COUNT(*) AS number
        FROM ", ended_sql!(), " x
        WHERE x.at >= $3 AND x.at < $5 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3");
    TASKS = concat!("SELECT x.task_key, x.at >= $4 AS is_after, x.result, x.source,
            COUNT(*) AS number
        FROM ", ended_sql!(), " x
        WHERE x.at >= $3 AND x.at < $5 AND x.task_key IS NOT NULL AND x.result IS NOT NULL
        GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4");
    COMMITS = concat!("SELECT CAST((c.created_at - $3) / $4 AS BIGINT) AS week, COUNT(*) AS number
        FROM commits c WHERE c.created_at >= $3 AND ", seen_sql!("c.store_id"), " GROUP BY 1
            ORDER BY 1");
    WRITTEN = concat!("SELECT CAST((v.created_at - $3) / $4 AS BIGINT) AS week,
            CAST(SUM(CASE WHEN v.operation = 'created' THEN 1 ELSE 0 END) AS BIGINT) AS added,
            CAST(SUM(CASE WHEN v.operation = 'modified' THEN 1 ELSE 0 END) AS BIGINT) AS changed,
            CAST(SUM(CASE WHEN v.operation = 'deleted' THEN 1 ELSE 0 END) AS BIGINT) AS removed,
            CAST(SUM(COALESCE(a.bytes, 0) - COALESCE(b.bytes, 0)) AS BIGINT) AS bytes
        FROM memory_versions v LEFT JOIN contents a ON a.sha256 = v.content_sha256
            LEFT JOIN memory_versions w ON w.memory_id = v.memory_id AND w.number = v.number - 1
            LEFT JOIN contents b ON b.sha256 = w.content_sha256
        WHERE v.created_at >= $3 AND ", seen_sql!("v.store_id"), " GROUP BY 1 ORDER BY 1");
    SIZE = concat!("SELECT COUNT(*) AS memories, CAST(COALESCE(SUM(c.bytes), 0) AS BIGINT) AS bytes
        FROM memories m JOIN contents c ON c.sha256 = m.content_sha256 WHERE ", seen_sql!("m.store_id"));
    PROPOSALS = concat!("SELECT c.kind, CASE WHEN cs.origin = 'dream' THEN COALESCE(d.distiller,
        'builtin') ELSE cs.origin END AS source, c.state,
            COUNT(*) AS number
        FROM changes c JOIN changesets cs ON cs.id = c.changeset_id LEFT JOIN dreams d
        ON d.id = cs.dream_id
        WHERE c.created_at >= $3 AND ", seen_sql!("c.store_id"), " GROUP BY 1, 2, 3 ORDER BY 1, 2,
            3");
    // What models cost since a time, and how many of the changes that they proposed were accepted.
    COST = concat!("SELECT CAST(COALESCE(SUM(b.cost_micros), 0) AS BIGINT) FROM model_batches b
        WHERE b.created_at >= $3 AND ", seen_sql!("b.store_id"));
    OPEN = concat!("SELECT f.title, f.support, f.dream_id, s.name AS store_name FROM findings f
        JOIN dreams d ON d.id = f.dream_id
            JOIN stores s ON s.id = d.store_id
        WHERE f.kind = 'recurring_failure' AND f.disposition = 'open' AND ", seen_sql!("d.store_id"), "
            AND d.id = (SELECT x.id FROM dreams x WHERE x.store_id = d.store_id
            AND x.state = 'completed' AND NOT x.chosen
                ORDER BY x.ended_at DESC, x.id DESC LIMIT 1)
        ORDER BY f.position, f.dream_id LIMIT $3");
    WAITING = concat!("SELECT CAST(CASE WHEN $3 - c.created_at < 86400000000 THEN 0
        WHEN $3 - c.created_at < 604800000000 THEN 1
                WHEN $3 - c.created_at < 2592000000000 THEN 2 ELSE 3 END AS BIGINT) AS age,
                COUNT(*) AS number
        FROM changes c
        WHERE c.state IN ('pending', 'deferred', 'approved') AND ", seen_sql!("c.store_id"), " GROUP BY 1
            ORDER BY 1");
}

/// Which stores are counted: those that somebody sees, or one of them.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub visible: Visible,
    pub store: Option<StoreId>,
}

/// Sessions of a week that ended alike.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SessionsRow {
    pub week: i64,
    pub result: Option<OutcomeResult>,
    pub source: Option<OutcomeSource>,
    pub number: i64,
}

/// Sessions of one task, before or after a moment, that ended alike.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TaskRow {
    pub task_key: String,
    pub is_after: bool,
    pub result: OutcomeResult,
    pub source: OutcomeSource,
    pub number: i64,
}

/// The memories that were written in a week.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct WrittenRow {
    pub week: i64,
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
    /// By how many bytes the memory grew; negative if it shrank.
    pub bytes: i64,
}

/// Proposals of one kind and source in one state.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ProposalsRow {
    pub kind: ChangeKind,
    /// The engine of a dream; else `agent`, `person` or `revert`.
    pub source: String,
    pub state: ChangeState,
    pub number: i64,
}

/// Sessions by week since a time, and by how they ended.
pub async fn sessions(
    tx: &mut Tx,
    seen: Seen,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<SessionsRow>> {
    fetch_all!(
        tx,
        SessionsRow,
        SESSIONS,
        seen.store,
        viewer(seen.visible),
        from,
        WEEK,
        to
    )
}

/// Sessions with a task and an outcome from one time to another, by task and by whether they ended
/// before or after a moment.
pub async fn tasks(
    tx: &mut Tx,
    seen: Seen,
    from: Timestamp,
    moment: Timestamp,
    to: Timestamp,
) -> Result<Vec<TaskRow>> {
    fetch_all!(
        tx,
        TaskRow,
        TASKS,
        seen.store,
        viewer(seen.visible),
        from,
        moment,
        to
    )
}

/// How many commits there were by week since a time.
pub async fn commits(tx: &mut Tx, seen: Seen, from: Timestamp) -> Result<Vec<(i64, i64)>> {
    fetch_all!(
        tx,
        (i64, i64),
        COMMITS,
        seen.store,
        viewer(seen.visible),
        from,
        WEEK
    )
}

/// Returns what was written by week since a time.
pub async fn written(tx: &mut Tx, seen: Seen, from: Timestamp) -> Result<Vec<WrittenRow>> {
    fetch_all!(
        tx,
        WrittenRow,
        WRITTEN,
        seen.store,
        viewer(seen.visible),
        from,
        WEEK
    )
}

/// How many memories there are now, and their bytes.
pub async fn size(tx: &mut Tx, seen: Seen) -> Result<(i64, i64)> {
    Ok(
        fetch_optional!(tx, (i64, i64), SIZE, seen.store, viewer(seen.visible))?
            .unwrap_or_default(),
    )
}

/// Returns what became of the changes that were proposed since a time.
pub async fn proposals(tx: &mut Tx, seen: Seen, from: Timestamp) -> Result<Vec<ProposalsRow>> {
    fetch_all!(
        tx,
        ProposalsRow,
        PROPOSALS,
        seen.store,
        viewer(seen.visible),
        from
    )
}

/// How many changes wait for up to a day, a week, thirty days, or longer (0 to 3).
pub async fn waiting(tx: &mut Tx, seen: Seen, now: Timestamp) -> Result<Vec<(i64, i64)>> {
    fetch_all!(
        tx,
        (i64, i64),
        WAITING,
        seen.store,
        viewer(seen.visible),
        now
    )
}

/// A failure that recurs and that nobody found a way out of, as the newest dream over the whole
/// store saw it.
#[derive(Debug, Clone, FromRow)]
pub struct OpenFailure {
    pub title: String,
    pub support: String,
    pub dream_id: DreamId,
    pub store_name: String,
}

/// Returns what models cost since a time, in millionths.
pub async fn cost(tx: &mut Tx, seen: Seen, from: Timestamp) -> Result<i64> {
    fetch_scalar!(tx, i64, COST, seen.store, viewer(seen.visible), from)
}

/// Failures that nobody found a way out of.
pub async fn open_failures(tx: &mut Tx, seen: Seen, limit: i64) -> Result<Vec<OpenFailure>> {
    fetch_all!(
        tx,
        OpenFailure,
        OPEN,
        seen.store,
        viewer(seen.visible),
        limit
    )
}
