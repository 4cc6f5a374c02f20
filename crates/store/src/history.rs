//! What a store held at a revision, and what became of it between two; versions of one memory with
//! what they said.

use domain::{
    Timestamp,
    ids::{CommitId, MemoryId, StoreId, VersionId},
    memory::{MemoryPath, Operation},
};
use sqlx::FromRow;

use crate::{Page, Result, Tx};

statements! {
    AS_OF = "SELECT v.memory_id, v.number, v.path, v.created_at FROM memory_versions v
        JOIN commits c ON c.id = v.commit_id
        WHERE v.store_id = $1 AND v.path > $3 AND c.revision <= $2 AND v.operation <> 'deleted'
            AND NOT EXISTS (SELECT 1 FROM memory_versions w JOIN commits d ON d.id = w.commit_id
                WHERE w.memory_id = v.memory_id AND w.number > v.number AND d.revision <= $2)
        ORDER BY v.path LIMIT $4";
    REVISION_AT = "SELECT COALESCE(MAX(revision), 0) FROM commits WHERE store_id = $1
        AND created_at <= $2";
    MADE_AT = "SELECT created_at FROM commits WHERE store_id = $1 AND revision = $2";
    BETWEEN = "SELECT x.memory_id, b.path AS path_before, bc.content AS before,
        a.path AS path_after, ac.content AS after
        FROM (SELECT DISTINCT v.memory_id FROM memory_versions v JOIN commits c
        ON c.id = v.commit_id
                WHERE v.store_id = $1 AND c.revision > $2 AND c.revision <= $3
                AND (CAST($4 AS UUID) IS NULL OR v.memory_id > $4)
                ORDER BY v.memory_id LIMIT $5) x
            LEFT JOIN memory_versions b ON b.memory_id = x.memory_id
            AND b.number = (SELECT MAX(w.number) FROM memory_versions w
                JOIN commits d ON d.id = w.commit_id WHERE w.memory_id = x.memory_id
                AND d.revision <= $2)
            LEFT JOIN contents bc ON bc.sha256 = b.content_sha256
            LEFT JOIN memory_versions a ON a.memory_id = x.memory_id
            AND a.number = (SELECT MAX(w.number) FROM memory_versions w
                JOIN commits d ON d.id = w.commit_id WHERE w.memory_id = x.memory_id
                AND d.revision <= $3)
            LEFT JOIN contents ac ON ac.sha256 = a.content_sha256
        ORDER BY x.memory_id";
    SAID = "SELECT v.id, v.number, k.content FROM memory_versions v LEFT JOIN contents k
        ON k.sha256 = v.content_sha256
        WHERE v.memory_id = $1 AND v.number < $2 ORDER BY v.number DESC LIMIT $3";
    PATHS = concat!("SELECT v.memory_id, v.path FROM memory_versions v WHERE v.memory_id IN (", fifty!(), ")
            AND v.number = (SELECT MAX(w.number) FROM memory_versions w
            WHERE w.memory_id = v.memory_id)");
    MESSAGES = concat!("SELECT id, message FROM commits WHERE id IN (", fifty!(), ")");
    WRITTEN = "SELECT v.memory_id, v.number, v.operation, v.path, k.content, b.path AS path_before
        FROM memory_versions v LEFT JOIN contents k ON k.sha256 = v.content_sha256
            LEFT JOIN memory_versions b ON b.memory_id = v.memory_id AND b.number = v.number - 1
        WHERE v.commit_id = (SELECT id FROM commits WHERE store_id = $1 AND revision = $2)
        ORDER BY v.path, v.memory_id";
}

/// A memory as it was at a revision.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PastRow {
    pub memory_id: MemoryId,
    /// The version that it had then.
    pub number: i64,
    pub path: MemoryPath,
    /// Since when it said that.
    pub created_at: Timestamp,
}

/// Returns what a store held at a revision, by path, after a path.
pub async fn as_of(
    tx: &mut Tx,
    store: StoreId,
    revision: i64,
    after: &str,
    limit: i64,
) -> Result<Page<PastRow>> {
    Ok(Page::of(
        fetch_all!(tx, PastRow, AS_OF, store, revision, after, limit + 1)?,
        limit,
    ))
}

/// The revision that a store had at a time; 0 before its first commit.
pub async fn revision_at(tx: &mut Tx, store: StoreId, at: Timestamp) -> Result<i64> {
    fetch_scalar!(tx, i64, REVISION_AT, store, at)
}

/// When a revision was committed.
pub async fn made_at(tx: &mut Tx, store: StoreId, revision: i64) -> Result<Option<Timestamp>> {
    Ok(fetch_optional!(tx, (Timestamp,), MADE_AT, store, revision)?.map(|(at,)| at))
}

/// A memory that two revisions have otherwise. Without a content, it was not there.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct BetweenRow {
    pub memory_id: MemoryId,
    pub path_before: Option<MemoryPath>,
    pub before: Option<String>,
    pub path_after: Option<MemoryPath>,
    pub after: Option<String>,
}

/// The memories that were written after one revision and up to another, with what they said at
/// both; by id, after an id.
pub async fn between(
    tx: &mut Tx,
    store: StoreId,
    (from, to): (i64, i64),
    after: Option<MemoryId>,
    limit: i64,
) -> Result<Page<BetweenRow>> {
    Ok(Page::of(
        fetch_all!(tx, BetweenRow, BETWEEN, store, from, to, after, limit + 1)?,
        limit,
    ))
}

/// The content of a version.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SaidRow {
    pub id: VersionId,
    pub number: i64,
    /// What it said; none if it deleted, or was redacted.
    pub content: Option<String>,
}

/// Versions of a memory before a number, the newest first.
pub async fn said(tx: &mut Tx, memory: MemoryId, before: i64, limit: i64) -> Result<Vec<SaidRow>> {
    fetch_all!(tx, SaidRow, SAID, memory, before, limit)
}

/// A version as a commit wrote it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct CommittedRow {
    pub memory_id: MemoryId,
    /// Its number in the memory.
    pub number: i64,
    pub operation: Operation,
    pub path: MemoryPath,
    /// What it said; none if it deleted, or was redacted.
    pub content: Option<String>,
    pub path_before: Option<MemoryPath>,
}

/// Returns what the commit of a revision wrote.
pub async fn written(tx: &mut Tx, store: StoreId, revision: i64) -> Result<Vec<CommittedRow>> {
    fetch_all!(tx, CommittedRow, WRITTEN, store, revision)
}

/// Returns where memories are, or were last.
pub async fn paths(tx: &mut Tx, ids: &[MemoryId]) -> Result<Vec<(MemoryId, String)>> {
    fetch_listed!(tx, (MemoryId, String), PATHS, ids)
}

/// Returns what commits are about.
pub async fn messages(tx: &mut Tx, ids: &[CommitId]) -> Result<Vec<(CommitId, String)>> {
    fetch_listed!(tx, (CommitId, String), MESSAGES, ids)
}
