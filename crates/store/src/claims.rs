//! Who works on a changeset just now, so that two people do not decide the same twice.

use domain::{
    Timestamp,
    ids::{ChangesetId, UserId},
};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    OF_CHANGESET = "SELECT x.user_id, u.name AS user_name, x.claimed_at, x.until FROM claims x
        JOIN users u ON u.id = x.user_id
        WHERE x.changeset_id = $1 AND x.until > $2";
    PUT = "INSERT INTO claims (changeset_id, user_id, claimed_at, until) VALUES ($1, $2, $3, $4)
        ON CONFLICT (changeset_id) DO UPDATE SET
            claimed_at = CASE WHEN claims.user_id = excluded.user_id
            AND claims.until > excluded.claimed_at THEN claims.claimed_at
            ELSE excluded.claimed_at END,
            user_id = excluded.user_id, until = excluded.until";
    RELEASE = "DELETE FROM claims WHERE changeset_id = $1 AND user_id = $2";
}

/// A claim that holds.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ClaimRow {
    pub user_id: UserId,
    pub user_name: String,
    pub claimed_at: Timestamp,
    /// Until when, if it is not renewed.
    pub until: Timestamp,
}

/// The claim on a changeset that holds at this time, if there is one.
pub async fn of_changeset(
    tx: &mut Tx,
    id: ChangesetId,
    now: Timestamp,
) -> Result<Option<ClaimRow>> {
    fetch_optional!(tx, ClaimRow, OF_CHANGESET, id, now)
}

/// Claims or renews, in place of the earlier claim. Who may is the caller's to check,
/// under the changeset's lock.
pub async fn put(
    tx: &mut Tx,
    id: ChangesetId,
    user: UserId,
    now: Timestamp,
    until: Timestamp,
) -> Result<()> {
    execute!(tx, PUT, id, user, now, until)?;
    Ok(())
}

/// Lets go of a claim; false if it was not this person's.
pub async fn release(tx: &mut Tx, id: ChangesetId, user: UserId) -> Result<bool> {
    Ok(execute!(tx, RELEASE, id, user)? == 1)
}
