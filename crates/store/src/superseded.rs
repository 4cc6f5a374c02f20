//! Memories that a change replaced by others: what took their place, and what they last said.

use domain::{
    Timestamp,
    ids::{MemoryId, StoreId, VersionId},
    memory::MemoryPath,
};
use sqlx::FromRow;

use crate::{Result, Tx, memories::MemoryRow};

/// The condition that what a version (`v`) removed was not restored since. A restored memory has a
/// new id at the old path.
macro_rules! gone_sql {
    () => {
        "NOT EXISTS (SELECT 1 FROM memory_versions l
            WHERE l.memory_id = v.memory_id AND l.number > v.number)
        AND NOT EXISTS (SELECT 1 FROM memories p
            WHERE p.store_id = v.store_id AND p.path = v.path)"
    };
}

statements! {
    // A change that removes a memory and writes another has replaced the one by the other. Of two
    // copies, merging leaves one as it is: nothing is written there, so it is found by what it
    // says.
    SUCCESSORS = "SELECT DISTINCT w.memory_id, w.path FROM memory_versions v JOIN memory_versions w
            ON w.commit_id = v.commit_id AND w.change_id = v.change_id
            AND w.memory_id <> v.memory_id AND w.operation <> 'deleted'
        WHERE v.id = $1 AND v.operation = 'deleted'
        UNION SELECT m.id, m.path FROM memory_versions v
            JOIN memory_versions b ON b.memory_id = v.memory_id AND b.number = v.number - 1
            JOIN memories m ON m.store_id = v.store_id AND m.content_sha256 = b.content_sha256
        WHERE v.id = $1 AND v.operation = 'deleted' ORDER BY 2 LIMIT 10";
    SUPERSEDED_BY = concat!("SELECT m.id AS successor, v.store_id, v.memory_id, v.path,
        v.created_at AS superseded_at, b.id AS version_id, b.content_sha256
        FROM memories m
        JOIN memory_versions w ON w.memory_id = m.id AND w.operation <> 'deleted'
        JOIN memory_versions v ON v.change_id = w.change_id AND v.commit_id = w.commit_id
        AND v.memory_id <> w.memory_id
            AND v.operation = 'deleted'
        JOIN memory_versions b ON b.memory_id = v.memory_id AND b.number = v.number - 1
        WHERE m.id IN (", fifty!(), ") AND ", gone_sql!(), "
        UNION SELECT m.id, v.store_id, v.memory_id, v.path, v.created_at, b.id, b.content_sha256
        FROM memories m
        JOIN memory_versions b ON b.content_sha256 = m.content_sha256 AND b.store_id = m.store_id
        AND b.memory_id <> m.id
        JOIN memory_versions v ON v.memory_id = b.memory_id AND v.number = b.number + 1
        AND v.operation = 'deleted'
        WHERE m.id IN (", fifty!(), ") AND ", gone_sql!(), "
        ORDER BY 1, 5, 3");
    REMOVED = concat!("SELECT v.id AS removal, v.memory_id AS id, v.store_id, v.path,
            v.created_at AS superseded_at, b.id AS version_id, b.content_sha256, c.content, c.bytes,
            b.created_at AS updated_at, f.created_at, b.number, b.by_person,
            b.change_id IS NOT NULL AS approved, FALSE AS frozen, CAST(NULL AS TEXT) AS frozen_reason,
            CAST(NULL AS TEXT) AS frozen_by, CAST(NULL AS BIGINT) AS frozen_at
        FROM memory_versions v
        JOIN memory_versions b ON b.memory_id = v.memory_id AND b.number = v.number - 1
        JOIN memory_versions f ON f.memory_id = v.memory_id AND f.number = 1
        JOIN contents c ON c.sha256 = b.content_sha256
        WHERE v.memory_id = $1 AND v.operation = 'deleted' AND ", gone_sql!());
}

/// A memory that another one replaced.
#[derive(Debug, Clone, FromRow)]
pub struct SupersededRow {
    /// The memory that replaced it.
    pub successor: MemoryId,
    /// The store of both.
    pub store_id: StoreId,
    /// The memory that was replaced.
    pub memory_id: MemoryId,
    pub path: MemoryPath,
    /// When it was replaced.
    pub superseded_at: Timestamp,
    /// The version that it had until then.
    pub version_id: VersionId,
    /// SHA-256 of what it said.
    pub content_sha256: String,
}

/// A memory that is no longer there, as it was last.
#[derive(Debug, Clone, FromRow)]
pub struct RemovedRow {
    /// The version that removed it.
    pub removal: VersionId,
    /// When it was removed.
    pub superseded_at: Timestamp,
    pub content: String,
    /// The memory as it was before.
    #[sqlx(flatten)]
    pub row: MemoryRow,
}

/// The memories that replaced the one that a version removed: those that the same change wrote, or
/// that say the same. At most 10.
pub async fn successors(tx: &mut Tx, removal: VersionId) -> Result<Vec<(MemoryId, MemoryPath)>> {
    fetch_all!(tx, (MemoryId, MemoryPath), SUCCESSORS, removal)
}

/// The memories that these ones replaced and that were not restored since, by successor and time.
pub async fn superseded_by(tx: &mut Tx, successors: &[MemoryId]) -> Result<Vec<SupersededRow>> {
    fetch_listed!(tx, SupersededRow, SUPERSEDED_BY, successors)
}

/// A memory that was removed and not restored since.
pub async fn removed(tx: &mut Tx, id: MemoryId) -> Result<Option<RemovedRow>> {
    fetch_optional!(tx, RemovedRow, REMOVED, id)
}
