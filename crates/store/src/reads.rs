//! What agents read: which version, in which session. Buffered by the caller, written in batches.

use domain::{
    Timestamp,
    ids::{ChangeId, CommitId, MemoryId, SessionId, StoreId, VersionId},
    memory::MemoryPath,
};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    READERS = "SELECT n.agent, COUNT(*) AS times, MAX(r.read_at) AS last_at FROM recorded_reads r
        JOIN memory_versions v ON v.id = r.version_id
            LEFT JOIN sessions n ON n.id = r.session_id
        WHERE v.memory_id = $1 AND r.read_at >= $2 GROUP BY n.agent ORDER BY 2 DESC, 1 LIMIT 20";
    INSERT = "INSERT INTO recorded_reads (store_id, version_id, session_id, read_at, reader)
        VALUES ($1, $2, $3, $4, $5)";
    OF_VERSION = "SELECT COUNT(*) AS times, COUNT(DISTINCT session_id) AS sessions,
        MAX(read_at) AS last_at FROM recorded_reads
        WHERE version_id = $1";
    DROP = "DELETE FROM recorded_reads WHERE read_at <= $1 AND NOT EXISTS (SELECT 1
        FROM memory_versions v
            JOIN recalls c ON c.memory_id = v.memory_id AND v.number >= c.first_version
            AND v.number <= c.last_version
        WHERE v.id = recorded_reads.version_id)";
    OF_SESSION = "SELECT v.id AS version_id, v.memory_id, v.store_id, s.name AS store_name,
        v.number, v.path, CASE WHEN v.redacted_at IS NULL THEN v.content_sha256 END AS
        content_sha256, v.commit_id, c.revision,
            c.created_at AS committed_at, c.actor, c.approvals, v.change_id, r.times, r.first_at,
            r.last_at
        FROM (SELECT version_id, COUNT(*) AS times, MIN(read_at) AS first_at,
        MAX(read_at) AS last_at FROM recorded_reads
                WHERE session_id = $1 GROUP BY version_id) r
            JOIN memory_versions v ON v.id = r.version_id JOIN commits c ON c.id = v.commit_id
            JOIN stores s ON s.id = v.store_id AND s.deleted_at IS NULL
        ORDER BY r.first_at, v.path, v.id LIMIT $2";
    OF_STORE = "SELECT version_id, COUNT(*) AS times FROM recorded_reads WHERE store_id = $1
        AND read_at >= $2 GROUP BY version_id";
}

/// Forgets reads up to a time, but for those of recalled versions.
pub async fn drop_until(tx: &mut Tx, until: Timestamp) -> Result<u64> {
    execute!(tx, DROP, until)
}

/// A read of one version by an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    pub store: StoreId,
    pub version: VersionId,
    /// In which session, if the reader said.
    pub session: Option<SessionId>,
    pub at: Timestamp,
    pub reader: String,
}

/// How often a version was read.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ReadCount {
    pub times: i64,
    /// In how many sessions that are known.
    pub sessions: i64,
    pub last_at: Option<Timestamp>,
}

/// How often each version of a store was read since then; those that nobody read are not among
/// them.
pub async fn of_store(
    tx: &mut Tx,
    store: StoreId,
    since: Timestamp,
) -> Result<Vec<(VersionId, i64)>> {
    fetch_all!(tx, (VersionId, i64), OF_STORE, store, since)
}

/// Stores a batch of reads.
pub async fn insert(tx: &mut Tx, reads: &[Read]) -> Result<()> {
    for read in reads {
        execute!(
            tx,
            INSERT,
            read.store,
            read.version,
            read.session,
            read.at,
            read.reader.as_str()
        )?;
    }
    Ok(())
}

/// How often a version was read.
pub async fn of_version(tx: &mut Tx, version: VersionId) -> Result<ReadCount> {
    Ok(
        fetch_optional!(tx, ReadCount, OF_VERSION, version)?.unwrap_or(ReadCount {
            times: 0,
            sessions: 0,
            last_at: None,
        }),
    )
}

/// An agent that has read a memory.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ReaderRow {
    /// Which; not known where the read belongs to no session.
    pub agent: Option<String>,
    pub times: i64,
    pub last_at: Timestamp,
}

/// Which agents have read a memory since then, in any of its versions, most often first.
pub async fn readers(tx: &mut Tx, memory: MemoryId, since: Timestamp) -> Result<Vec<ReaderRow>> {
    fetch_all!(tx, ReaderRow, READERS, memory, since)
}

/// A version that a session was given.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct GivenRow {
    pub version_id: VersionId,
    pub memory_id: MemoryId,
    pub store_id: StoreId,
    pub store_name: String,
    /// The version's number in its memory.
    pub number: i64,
    pub path: MemoryPath,
    /// SHA-256 of the content; none if it was redacted.
    pub content_sha256: Option<String>,
    pub commit_id: CommitId,
    /// The commit's number in the store.
    pub revision: i64,
    pub committed_at: Timestamp,
    pub actor: String,
    pub approvals: String,
    pub change_id: Option<ChangeId>,
    pub times: i64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
}

/// The versions that a session was given, in the order in which it first loaded them, at most so
/// many.
pub async fn of_session(tx: &mut Tx, session: SessionId, limit: i64) -> Result<Vec<GivenRow>> {
    fetch_all!(tx, GivenRow, OF_SESSION, session, limit)
}
