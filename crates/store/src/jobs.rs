//! Background jobs: claimed under a lease with a heartbeat, and fenced by owner and attempt, so
//! that a worker that lost its lease can no longer end the job.

use domain::{Timestamp, ids::JobId};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Result, Tx};

statements! {
    INSERT = "INSERT INTO jobs (id, kind, subject_id, state, attempt, max_attempts, run_at,
        created_at)
        VALUES ($1, $2, $3, 'queued', 0, 5, $4, $4)";
    CLAIM_SQLITE = "UPDATE jobs SET state = 'running', lease_owner = $1, lease_until = $2,
        attempt = attempt + 1
        WHERE id = (SELECT id FROM jobs WHERE (state = 'queued' AND run_at <= $3)
        OR (state = 'running' AND lease_until < $3)
            ORDER BY run_at, id LIMIT 1)
        RETURNING id, kind, subject_id, attempt, max_attempts";
    CLAIM_POSTGRES = "UPDATE jobs SET state = 'running', lease_owner = $1, lease_until = $2,
        attempt = attempt + 1
        WHERE id = (SELECT id FROM jobs WHERE (state = 'queued' AND run_at <= $3)
        OR (state = 'running' AND lease_until < $3)
            ORDER BY run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, kind, subject_id, attempt, max_attempts";
    DUE = "SELECT COUNT(*) FROM jobs WHERE (state = 'queued' AND run_at <= $1) OR (state = 'running'
        AND lease_until < $1)";
    HEARTBEAT = "UPDATE jobs SET lease_until = $1 WHERE id = $2 AND lease_owner = $3
        AND attempt = $4 AND state = 'running'";
    FINISH = "UPDATE jobs SET state = $1, error = $2, ended_at = $3 WHERE id = $4
        AND lease_owner = $5 AND attempt = $6 AND state = 'running'";
    HAND_BACK = "UPDATE jobs SET state = 'queued', attempt = attempt - 1, run_at = $1,
        lease_owner = NULL, lease_until = NULL
        WHERE id = $2 AND lease_owner = $3 AND attempt = $4 AND state = 'running'";
    RETRY = "UPDATE jobs SET state = 'queued', error = $1, run_at = $2 WHERE id = $3
        AND lease_owner = $4 AND attempt = $5 AND state = 'running'";
}

/// A job that a worker holds.
#[derive(Debug, Clone, FromRow)]
pub struct Claimed {
    pub id: JobId,
    /// What to do: `dream`.
    pub kind: String,
    pub subject_id: Uuid,
    /// Which try this is, from 1.
    pub attempt: i64,
    /// After how many it fails for good.
    pub max_attempts: i64,
}

/// Queues a job to run now.
pub async fn insert(
    tx: &mut Tx,
    id: JobId,
    kind: &str,
    subject: Uuid,
    at: Timestamp,
) -> Result<()> {
    execute!(tx, INSERT, id, kind, subject, at)?;
    Ok(())
}

/// True if a job waits to be claimed: asked before the writer is taken, which an idle worker should
/// not do.
pub async fn is_due(tx: &mut Tx, now: Timestamp) -> Result<bool> {
    Ok(fetch_scalar!(tx, i64, DUE, now)? > 0)
}

/// Takes the job that is due longest, or one whose worker stopped renewing its lease.
pub async fn claim(
    tx: &mut Tx,
    owner: &str,
    now: Timestamp,
    lease_until: Timestamp,
) -> Result<Option<Claimed>> {
    let sql = match tx {
        Tx::Sqlite(_) => CLAIM_SQLITE,
        Tx::Postgres(_) => CLAIM_POSTGRES,
    };
    fetch_optional!(tx, Claimed, sql, owner, lease_until, now)
}

/// Renews a lease; false if it was lost.
pub async fn heartbeat(
    tx: &mut Tx,
    job: &Claimed,
    owner: &str,
    lease_until: Timestamp,
) -> Result<bool> {
    Ok(execute!(tx, HEARTBEAT, lease_until, job.id, owner, job.attempt)? == 1)
}

/// Ends a job as done or failed; false if the lease was lost.
pub async fn finish(
    tx: &mut Tx,
    job: &Claimed,
    owner: &str,
    error: Option<&str>,
    at: Timestamp,
) -> Result<bool> {
    let state = if error.is_some() { "failed" } else { "done" };
    Ok(execute!(tx, FINISH, state, error, at, job.id, owner, job.attempt)? == 1)
}

/// Gives a job back to the next worker, as if it had not been tried; false if the lease
/// was lost.
pub async fn hand_back(tx: &mut Tx, job: &Claimed, owner: &str, at: Timestamp) -> Result<bool> {
    Ok(execute!(tx, HAND_BACK, at, job.id, owner, job.attempt)? == 1)
}

/// Gives a job back to be tried again later; false if the lease was lost.
pub async fn retry(
    tx: &mut Tx,
    job: &Claimed,
    owner: &str,
    error: &str,
    run_at: Timestamp,
) -> Result<bool> {
    Ok(execute!(tx, RETRY, error, run_at, job.id, owner, job.attempt)? == 1)
}
