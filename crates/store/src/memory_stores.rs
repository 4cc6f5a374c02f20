//! Memory stores and the grants on them.

use domain::{
    Timestamp,
    actor::{Grant, StoreRole, Visible},
    ids::{GrantId, StoreId, UserId},
    memory::GateMode,
};
use sqlx::FromRow;

use crate::{Error, Result, Tx, engine::viewer};

statements! {
    INSERT = "INSERT INTO stores (id, name, description, metadata, gate_mode, revision, created_by, created_at)
        VALUES ($1, $2, $3, '{}', 'dreams_gated', 0, $4, $5)";
    LIST = "SELECT s.id, s.name, s.description, s.gate_mode, s.revision, s.created_at,
            (SELECT COUNT(*) FROM memories m WHERE m.store_id = s.id) AS memories,
            (SELECT COUNT(*) FROM session_stores x WHERE x.store_id = s.id) AS sessions,
            (SELECT COUNT(*) FROM changes c WHERE c.store_id = s.id AND c.state IN ('pending', 'deferred', 'approved')) AS waiting
        FROM stores s
        WHERE s.deleted_at IS NULL
          AND (CAST($1 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM grants g WHERE g.store_id = s.id AND g.user_id = $1))
        ORDER BY s.name";
    GET = "SELECT s.id, s.name, s.description, s.gate_mode, s.revision, s.created_at,
            (SELECT COUNT(*) FROM memories m WHERE m.store_id = s.id) AS memories,
            (SELECT COUNT(*) FROM session_stores x WHERE x.store_id = s.id) AS sessions,
            (SELECT COUNT(*) FROM changes c WHERE c.store_id = s.id AND c.state IN ('pending', 'deferred', 'approved')) AS waiting
        FROM stores s WHERE s.id = $1 AND s.deleted_at IS NULL";
    BY_NAME = "SELECT id FROM stores WHERE name = $1 AND deleted_at IS NULL";
    LOCK = "UPDATE stores SET revision = revision WHERE id = $1 RETURNING revision";
    INSERT_GRANT = "INSERT INTO grants (id, user_id, store_id, path_prefix, role, created_by, created_at)
        VALUES ($1, $2, $3, '/', $4, $5, $6)
        ON CONFLICT (user_id, store_id, path_prefix) DO UPDATE SET role = excluded.role";
    GRANTS_OF = "SELECT store_id, role FROM grants WHERE user_id = $1 AND path_prefix = '/'";
}

/// A store and what is in it.
#[derive(Debug, Clone, FromRow)]
pub struct StoreRow {
    /// Id.
    pub id: StoreId,
    /// Name, unique.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What goes through the gate.
    pub gate_mode: GateMode,
    /// Number of the last commit; 0 before the first.
    pub revision: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// How many memories it holds.
    pub memories: i64,
    /// How many sessions belong to it.
    pub sessions: i64,
    /// How many changes are pending, deferred, or approved and not committed.
    pub waiting: i64,
}

/// Makes an empty store.
pub async fn insert(tx: &mut Tx, id: StoreId, name: &str, description: &str, created_by: &str, at: Timestamp) -> Result<()> {
    execute!(tx, INSERT, id, name, description, created_by, at)?;
    Ok(())
}

/// The stores that the viewer may see, by name.
pub async fn list(tx: &mut Tx, visible: Visible) -> Result<Vec<StoreRow>> {
    fetch_all!(tx, StoreRow, LIST, viewer(visible))
}

/// One store. Rights are the caller's to check.
pub async fn get(tx: &mut Tx, id: StoreId) -> Result<Option<StoreRow>> {
    fetch_optional!(tx, StoreRow, GET, id)
}

/// The store of a name.
pub async fn by_name(tx: &mut Tx, name: &str) -> Result<Option<StoreId>> {
    Ok(fetch_optional!(tx, (StoreId,), BY_NAME, name)?.map(|(id,)| id))
}

/// Takes the store's lock, the first in the order of locks, and returns its revision.
pub async fn lock(tx: &mut Tx, id: StoreId) -> Result<i64> {
    fetch_optional!(tx, (i64,), LOCK, id)?.map(|(revision,)| revision).ok_or(Error::Stale)
}

/// Gives a person a role on a store, in place of the one they had.
pub async fn grant(tx: &mut Tx, id: GrantId, user: UserId, grant: Grant, created_by: &str, at: Timestamp) -> Result<()> {
    execute!(tx, INSERT_GRANT, id, user, grant.store, grant.role, created_by, at)?;
    Ok(())
}

/// What a person was granted.
pub async fn grants_of(tx: &mut Tx, user: UserId) -> Result<Vec<Grant>> {
    let rows = fetch_all!(tx, (StoreId, StoreRole), GRANTS_OF, user)?;
    Ok(rows.into_iter().map(|(store, role)| Grant { store, role }).collect())
}
