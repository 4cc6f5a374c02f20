//! What there is and what waits, in numbers.

use domain::Timestamp;
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    NOW = "SELECT
        (SELECT COUNT(*) FROM jobs WHERE state = 'queued') AS jobs_queued,
        (SELECT COUNT(*) FROM jobs WHERE state = 'running') AS jobs_running,
        (SELECT COUNT(*) FROM jobs WHERE state = 'failed') AS jobs_failed,
        (SELECT COUNT(*) FROM changes WHERE state IN ('pending', 'deferred')) AS changes_undecided,
        (SELECT MIN(cs.created_at) FROM changes c JOIN changesets cs ON cs.id = c.changeset_id
        WHERE c.state IN ('pending', 'deferred'))
            AS oldest_undecided_at,
        (SELECT COUNT(*) FROM dreams WHERE state = 'completed') AS dreams_completed,
        (SELECT COUNT(*) FROM dreams WHERE state = 'failed') AS dreams_failed,
        (SELECT COUNT(*) FROM commits) AS commits,
        (SELECT seq FROM audit_head WHERE id = 1) AS audit_seq";
    NEWEST_MIGRATION = "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations
        WHERE success";
}

/// Numbers of the whole installation.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct InstallationCounts {
    /// Jobs that wait for a worker.
    pub jobs_queued: i64,
    /// Jobs that a worker holds.
    pub jobs_running: i64,
    /// Jobs that failed for good.
    pub jobs_failed: i64,
    /// Changes that wait for a decision.
    pub changes_undecided: i64,
    /// Since when the oldest of them waits.
    pub oldest_undecided_at: Option<Timestamp>,
    pub dreams_completed: i64,
    pub dreams_failed: i64,
    /// Commits to all stores.
    pub commits: i64,
    /// Position of the last audit entry.
    pub audit_seq: i64,
}

/// Counts everything as it is now.
pub async fn counts(tx: &mut Tx) -> Result<InstallationCounts> {
    fetch_optional!(tx, InstallationCounts, NOW)?.ok_or(crate::Error::Stale)
}

/// The newest migration that was applied.
pub async fn newest_migration(tx: &mut Tx) -> Result<i64> {
    fetch_scalar!(tx, i64, NEWEST_MIGRATION)
}
