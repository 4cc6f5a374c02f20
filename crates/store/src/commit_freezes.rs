//! Times in which nothing is committed.

use domain::{
    Timestamp,
    ids::{FreezeId, StoreId},
};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    INSERT = "INSERT INTO commit_freezes (id, store_id, starts_at, ends_at, reason, exceptions,
        created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    // One that has not begun ends before it does.
    END = "UPDATE commit_freezes SET ends_at = CASE WHEN starts_at < $1 THEN $1
        ELSE starts_at + 1 END WHERE id = $2 AND ends_at > $1";
    TO_COME = "SELECT f.id, f.store_id, s.name AS store_name, f.starts_at, f.ends_at, f.reason,
        f.exceptions, f.created_by, f.created_at
        FROM commit_freezes f LEFT JOIN stores s ON s.id = f.store_id WHERE f.ends_at > $1
        ORDER BY f.starts_at, f.id";
}

/// A period in which nobody commits.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct FreezeRow {
    pub id: FreezeId,
    /// In this store; nothing for all.
    pub store_id: Option<StoreId>,
    pub store_name: Option<String>,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub reason: String,
    /// The people who may commit all the same, as a JSON list of ids.
    pub exceptions: String,
    pub created_by: String,
    pub created_at: Timestamp,
}

/// Stores a new freeze.
pub async fn insert(tx: &mut Tx, f: &FreezeRow) -> Result<()> {
    execute!(
        tx,
        INSERT,
        f.id,
        f.store_id,
        f.starts_at,
        f.ends_at,
        f.reason.as_str(),
        f.exceptions.as_str(),
        f.created_by.as_str(),
        f.created_at
    )?;
    Ok(())
}

/// Ends a freeze now; false if it is over.
pub async fn end(tx: &mut Tx, id: FreezeId, now: Timestamp) -> Result<bool> {
    Ok(execute!(tx, END, now, id)? == 1)
}

/// The freezes that are not over, the first to begin first.
pub async fn to_come(tx: &mut Tx, now: Timestamp) -> Result<Vec<FreezeRow>> {
    fetch_all!(tx, FreezeRow, TO_COME, now)
}
