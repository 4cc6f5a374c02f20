//! Settings that would make the gate weaker, until a second admin confirms or declines them.

use domain::{
    Timestamp,
    ids::{SettingChangeId, StoreId, UserId},
};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    INSERT = "INSERT INTO setting_changes (id, store_id, setting, summary, proposed_by, state,
        created_at) VALUES ($1, $2, $3, $4, $5, 'waiting', $6)";
    WAITING = "SELECT x.id, x.store_id, s.name AS store_name, x.setting, x.summary, x.proposed_by,
        u.name AS proposer, x.state, x.created_at
        FROM setting_changes x JOIN users u ON u.id = x.proposed_by LEFT JOIN stores s
        ON s.id = x.store_id
        WHERE x.state = 'waiting' ORDER BY x.id";
    GET = "SELECT x.id, x.store_id, s.name AS store_name, x.setting, x.summary, x.proposed_by,
        u.name AS proposer, x.state, x.created_at
        FROM setting_changes x JOIN users u ON u.id = x.proposed_by LEFT JOIN stores s
        ON s.id = x.store_id WHERE x.id = $1";
    DECIDE = "UPDATE setting_changes SET state = $1, decided_at = $2, decided_by = $3 WHERE id = $4
        AND state = 'waiting'";
}

/// A setting that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SettingChangeRow {
    pub id: SettingChangeId,
    /// The store that it is of; none if it is the installation's.
    pub store_id: Option<StoreId>,
    /// How that store is called.
    pub store_name: Option<String>,
    /// What is to be set, as JSON.
    pub setting: String,
    pub summary: String,
    pub proposed_by: UserId,
    pub proposer: String,
    /// `waiting`, `confirmed`, `declined` or `withdrawn`.
    pub state: String,
    pub created_at: Timestamp,
}

/// Keeps a setting until it is confirmed or declined.
pub async fn insert(
    tx: &mut Tx,
    id: SettingChangeId,
    store: Option<StoreId>,
    (setting, summary): (&str, &str),
    proposed_by: UserId,
    at: Timestamp,
) -> Result<()> {
    execute!(tx, INSERT, id, store, setting, summary, proposed_by, at)?;
    Ok(())
}

/// Everything that waits, oldest first.
pub async fn waiting(tx: &mut Tx) -> Result<Vec<SettingChangeRow>> {
    fetch_all!(tx, SettingChangeRow, WAITING)
}

/// One of them, whatever became of it.
pub async fn get(tx: &mut Tx, id: SettingChangeId) -> Result<Option<SettingChangeRow>> {
    fetch_optional!(tx, SettingChangeRow, GET, id)
}

/// Ends the waiting; false if somebody had.
pub async fn decide(
    tx: &mut Tx,
    id: SettingChangeId,
    state: &str,
    by: UserId,
    at: Timestamp,
) -> Result<bool> {
    Ok(execute!(tx, DECIDE, state, at, by, id)? == 1)
}
