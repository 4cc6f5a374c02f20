//! Memory stores: names, settings, budgets and tombstones.

use domain::{
    Timestamp,
    actor::Visible,
    ids::{StoreId, UserId},
    memory::GateMode,
    review::Approvals,
};
use sqlx::FromRow;

use crate::{Error, Page, Result, Tx, engine::viewer};

statements! {
    INSERT = "INSERT INTO stores (id, name, description, metadata, gate_mode, revision, created_by,
        created_at)
        VALUES ($1, $2, $3, $4, 'dreams_gated', 0, $5, $6)";
    DESCRIBE = "UPDATE stores SET name = $1, description = $2, metadata = $3, updated_at = $4
        WHERE id = $5 AND deleted_at IS NULL";
    GATE = "UPDATE stores SET gate_mode = $1, budget_tokens = $2, updated_at = $3 WHERE id = $4
        AND deleted_at IS NULL";
    // The name is kept for the person who restores it, and is free for others meanwhile.
    DELETE = "UPDATE stores SET deleted_at = $1, name = $2 || name WHERE id = $3
        AND deleted_at IS NULL";
    DELETED_SINCE = "SELECT s.id, s.name, s.deleted_at FROM stores s
        WHERE s.deleted_at > $1
          AND (CAST($2 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM grants g WHERE g.store_id = s.id
          AND g.user_id = $2)
            OR EXISTS (SELECT 1 FROM team_grants g JOIN team_members m ON m.team_id = g.team_id
            WHERE g.store_id = s.id AND m.user_id = $2))
        ORDER BY s.deleted_at DESC";
    RESTORE = "UPDATE stores SET deleted_at = NULL, name = $1, updated_at = $2 WHERE id = $3
        AND deleted_at IS NOT NULL";
    OF_PEOPLE = "SELECT COUNT(*) FROM memories m JOIN memory_versions v ON v.id = m.version_id
        WHERE m.store_id = $1 AND (m.frozen OR v.by_person OR v.change_id IS NOT NULL)";
    LIST = "SELECT s.id, s.name, s.description, s.metadata, s.gate_mode, s.revision,
        s.budget_tokens, s.clean_up_until, s.created_at, COALESCE(s.updated_at,
        s.created_at) AS updated_at,
            (SELECT COUNT(*) FROM memories m WHERE m.store_id = s.id) AS memories,
            (SELECT COUNT(*) FROM session_stores x WHERE x.store_id = s.id) AS sessions,
            (SELECT COUNT(*) FROM changes c WHERE c.store_id = s.id AND c.state IN ('pending',
            'deferred', 'approved')) AS waiting
        FROM stores s
        WHERE s.deleted_at IS NULL
          AND (CAST($1 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g
          WHERE g.store_id = s.id AND g.user_id = $1))
        ORDER BY s.name";
    NEWEST = "SELECT s.id, s.name, s.description, s.metadata, s.gate_mode, s.revision,
        s.budget_tokens, s.clean_up_until, s.created_at, COALESCE(s.updated_at,
        s.created_at) AS updated_at,
            (SELECT COUNT(*) FROM memories m WHERE m.store_id = s.id) AS memories,
            (SELECT COUNT(*) FROM session_stores x WHERE x.store_id = s.id) AS sessions,
            (SELECT COUNT(*) FROM changes c WHERE c.store_id = s.id AND c.state IN ('pending',
            'deferred', 'approved')) AS waiting
        FROM stores s
        WHERE s.deleted_at IS NULL
          AND (CAST($1 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g
          WHERE g.store_id = s.id AND g.user_id = $1))
          AND (CAST($2 AS UUID) IS NULL OR s.id = $2) AND (CAST($3 AS UUID) IS NULL OR s.id < $3)
        ORDER BY s.id DESC LIMIT $4";
    CALLED = concat!("SELECT id, name FROM stores WHERE id IN (", fifty!(), ")");
    NAMES = "SELECT s.id, s.name FROM stores s
        WHERE s.deleted_at IS NULL
          AND (CAST($1 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g
          WHERE g.store_id = s.id AND g.user_id = $1))
        ORDER BY s.name";
    GET = "SELECT s.id, s.name, s.description, s.metadata, s.gate_mode, s.revision, s.budget_tokens,
        s.clean_up_until, s.created_at, COALESCE(s.updated_at, s.created_at) AS updated_at,
            (SELECT COUNT(*) FROM memories m WHERE m.store_id = s.id) AS memories,
            (SELECT COUNT(*) FROM session_stores x WHERE x.store_id = s.id) AS sessions,
            (SELECT COUNT(*) FROM changes c WHERE c.store_id = s.id AND c.state IN ('pending',
            'deferred', 'approved')) AS waiting
        FROM stores s WHERE s.id = $1 AND s.deleted_at IS NULL";
    BY_NAME = "SELECT id FROM stores WHERE name = $1 AND deleted_at IS NULL";
    APPROVALS = "SELECT approvals_low, approvals_medium, approvals_high, owners_only FROM stores
        WHERE id = $1";
    SET_APPROVALS = "UPDATE stores SET approvals_low = $1, approvals_medium = $2,
        approvals_high = $3, owners_only = $4, updated_at = $5 WHERE id = $6
        AND deleted_at IS NULL";
    CLEAN_UP = "UPDATE stores SET clean_up_until = $1, updated_at = $2 WHERE id = $3
        AND deleted_at IS NULL";
    LOCK = "UPDATE stores SET revision = revision WHERE id = $1 RETURNING revision";
}

/// A store and what is in it.
#[derive(Debug, Clone, FromRow)]
pub struct StoreRow {
    pub id: StoreId,
    pub name: String,
    pub description: String,
    /// Key-value pairs of the person who uses it, as JSON.
    pub metadata: String,
    pub gate_mode: GateMode,
    /// Number of the last commit; 0 before the first.
    pub revision: i64,
    /// Most tokens that its memories may have together, if it has a budget.
    pub budget_tokens: Option<i64>,
    /// Until when a clean-up is open; in the past if it has ended by itself.
    pub clean_up_until: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its name, description, metadata or settings were last changed.
    pub updated_at: Timestamp,
    /// How many memories it holds.
    pub memories: i64,
    /// How many sessions belong to it.
    pub sessions: i64,
    /// How many changes are pending, deferred, or approved and not committed.
    pub waiting: i64,
}

/// How a store is called and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    pub name: String,
    pub description: String,
    /// Key-value pairs, as a JSON object.
    pub metadata: String,
}

/// Makes an empty store; a duplicate name is a unique violation.
pub async fn insert(
    tx: &mut Tx,
    id: StoreId,
    about: &Description,
    created_by: &str,
    at: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        INSERT,
        id,
        about.name.as_str(),
        about.description.as_str(),
        about.metadata.as_str(),
        created_by,
        at
    )?;
    Ok(())
}

/// Calls and describes it otherwise; a duplicate name is a unique violation.
pub async fn describe(tx: &mut Tx, id: StoreId, about: &Description, at: Timestamp) -> Result<()> {
    execute!(
        tx,
        DESCRIBE,
        about.name.as_str(),
        about.description.as_str(),
        about.metadata.as_str(),
        at,
        id
    )?;
    Ok(())
}

/// Sets what goes through the gate, and the budget.
pub async fn set_gate(
    tx: &mut Tx,
    id: StoreId,
    mode: GateMode,
    budget_tokens: Option<i64>,
    at: Timestamp,
) -> Result<()> {
    execute!(tx, GATE, mode, budget_tokens, at, id)?;
    Ok(())
}

/// Opens a clean-up until then, or ends it.
pub async fn set_clean_up(
    tx: &mut Tx,
    id: StoreId,
    until: Option<Timestamp>,
    at: Timestamp,
) -> Result<()> {
    execute!(tx, CLEAN_UP, until, at, id)?;
    Ok(())
}

/// Leaves a tombstone: the rows stay, nobody sees them, and the name is free again.
pub async fn delete(tx: &mut Tx, id: StoreId, at: Timestamp) -> Result<()> {
    execute!(tx, DELETE, at, tombstone(id), id)?;
    Ok(())
}

/// Returns what is before the name of a deleted store.
fn tombstone(id: StoreId) -> String {
    format!("deleted {id} ")
}

/// A store that was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedStore {
    pub id: StoreId,
    /// How it was called.
    pub name: String,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

/// Stores that were deleted after a time, of those on which a person holds a grant, or of all; the
/// last first.
pub async fn deleted_since(
    tx: &mut Tx,
    since: Timestamp,
    holder: Option<UserId>,
) -> Result<Vec<DeletedStore>> {
    let rows = fetch_all!(
        tx,
        (StoreId, String, Timestamp),
        DELETED_SINCE,
        since,
        holder
    )?;
    let shown = |(id, name, deleted_at): (StoreId, String, Timestamp)| DeletedStore {
        id,
        // Before names were kept, nothing stood after the tombstone.
        name: name
            .strip_prefix(&tombstone(id))
            .unwrap_or_default()
            .to_owned(),
        deleted_at,
    };
    Ok(rows.into_iter().map(shown).collect())
}

/// Ends the tombstone under a name; false if it had ended.
pub async fn restore(tx: &mut Tx, id: StoreId, name: &str, at: Timestamp) -> Result<bool> {
    Ok(execute!(tx, RESTORE, name, at, id)? == 1)
}

/// True if a store holds any memory that a person wrote or froze, or that people approved.
pub async fn holds_what_people_decided(tx: &mut Tx, id: StoreId) -> Result<bool> {
    Ok(fetch_scalar!(tx, i64, OF_PEOPLE, id)? > 0)
}

/// The stores that the viewer may see, by name.
pub async fn list(tx: &mut Tx, visible: Visible) -> Result<Vec<StoreRow>> {
    fetch_all!(tx, StoreRow, LIST, viewer(visible))
}

/// A page of the stores that the viewer may see, or of one of them, before a store; newest first.
pub async fn newest(
    tx: &mut Tx,
    visible: Visible,
    only: Option<StoreId>,
    before: Option<StoreId>,
    limit: i64,
) -> Result<Page<StoreRow>> {
    Ok(Page::of(
        fetch_all!(
            tx,
            StoreRow,
            NEWEST,
            viewer(visible),
            only,
            before,
            limit + 1
        )?,
        limit,
    ))
}

/// A store by its name, without what is counted in it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StoreName {
    pub id: StoreId,
    pub name: String,
}

/// Returns what stores are called, also those that were deleted.
pub async fn called(tx: &mut Tx, ids: &[StoreId]) -> Result<Vec<(StoreId, String)>> {
    fetch_listed!(tx, (StoreId, String), CALLED, ids)
}

/// The names of the stores that the viewer may see.
pub async fn names(tx: &mut Tx, visible: Visible) -> Result<Vec<StoreName>> {
    fetch_all!(tx, StoreName, NAMES, viewer(visible))
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
    fetch_optional!(tx, (i64,), LOCK, id)?
        .map(|(revision,)| revision)
        .ok_or(Error::Stale)
}

/// How many approvals its changes need.
pub async fn approvals(tx: &mut Tx, id: StoreId) -> Result<Approvals> {
    let (low, medium, high, owners_only) =
        fetch_optional!(tx, (i64, i64, i64, bool), APPROVALS, id)?.ok_or(Error::Stale)?;
    Ok(Approvals {
        low,
        medium,
        high,
        owners_only,
    })
}

/// Sets how many approvals a store requires.
pub async fn set_approvals(tx: &mut Tx, id: StoreId, to: Approvals, at: Timestamp) -> Result<()> {
    execute!(
        tx,
        SET_APPROVALS,
        to.low,
        to.medium,
        to.high,
        to.owners_only,
        at,
        id
    )?;
    Ok(())
}
