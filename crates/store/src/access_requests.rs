//! Requests for access, from people who may not even have an account.

use domain::{Timestamp, ids::AccessRequestId};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    INSERT = "INSERT INTO access_requests (id, email, name, reason, state, network, created_at)
        VALUES ($1, $2, $3, $4, 'waiting', $5, $6)";
    FROM_NETWORK = "SELECT COUNT(*) FROM access_requests WHERE network = $1 AND created_at > $2";
    DROP_WAITING = "DELETE FROM access_requests WHERE state = 'waiting' AND created_at <= $1";
    WAITING = "SELECT id, email, name, reason, state, created_at FROM access_requests
        WHERE state = 'waiting' ORDER BY id";
    WAITING_OF = "SELECT COUNT(*) FROM access_requests WHERE state = 'waiting' AND email = $1";
    GET = "SELECT id, email, name, reason, state, created_at FROM access_requests WHERE id = $1";
    DECIDE = "UPDATE access_requests SET state = $1, decided_at = $2, decided_by = $3 WHERE id = $4
        AND state = 'waiting'";
}

/// A request for access to Lucid.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct RequestRow {
    pub id: AccessRequestId,
    pub email: String,
    pub name: String,
    pub reason: String,
    /// `waiting`, `accepted` or `declined`.
    pub state: String,
    pub created_at: Timestamp,
}

/// Stores a request, with the network it came from.
pub async fn insert(tx: &mut Tx, request: &RequestRow, network: Option<&str>) -> Result<()> {
    let (email, name, reason) = (
        request.email.as_str(),
        request.name.as_str(),
        request.reason.as_str(),
    );
    execute!(
        tx,
        INSERT,
        request.id,
        email,
        name,
        reason,
        network,
        request.created_at
    )?;
    Ok(())
}

/// Every request that waits, oldest first.
pub async fn waiting(tx: &mut Tx) -> Result<Vec<RequestRow>> {
    fetch_all!(tx, RequestRow, WAITING)
}

/// How many requests of one mail address wait.
pub async fn count_waiting(tx: &mut Tx, email: &str) -> Result<i64> {
    fetch_scalar!(tx, i64, WAITING_OF, email)
}

/// How many came from one network since a time, whatever became of them.
pub async fn count_from(tx: &mut Tx, network: &str, since: Timestamp) -> Result<i64> {
    fetch_scalar!(tx, i64, FROM_NETWORK, network, since)
}

/// Forgets requests that nobody answered until a time.
pub async fn drop_waiting(tx: &mut Tx, until: Timestamp) -> Result<u64> {
    execute!(tx, DROP_WAITING, until)
}

/// A request by id.
pub async fn get(tx: &mut Tx, id: AccessRequestId) -> Result<Option<RequestRow>> {
    fetch_optional!(tx, RequestRow, GET, id)
}

/// Accepts or declines it; false if somebody had.
pub async fn decide(
    tx: &mut Tx,
    id: AccessRequestId,
    state: &str,
    by: &str,
    at: Timestamp,
) -> Result<bool> {
    Ok(execute!(tx, DECIDE, state, at, by, id)? == 1)
}
