//! Changesets, and the queue of them.

use domain::{
    Timestamp,
    actor::Visible,
    changeset::ChangesetState,
    ids::{ChangesetId, DreamId, StoreId},
};
use sqlx::FromRow;

use crate::{Error, Page, Result, Tx, engine::viewer};

statements! {
    INSERT = "INSERT INTO changesets (id, store_id, dream_id, origin, title, state, base_revision, created_by, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $8)";
    LOCK = "UPDATE changesets SET updated_at = $1 WHERE id = $2 RETURNING state";
    SET_STATE = "UPDATE changesets SET state = $1, closed_at = $2, updated_at = $3 WHERE id = $4";
    QUEUE = "SELECT q.* FROM (
            SELECT cs.id, cs.store_id, s.name AS store_name, cs.dream_id, cs.origin, cs.title, cs.state, cs.created_by, cs.created_at, cs.updated_at,
                CAST(SUM(CASE WHEN c.state = 'pending' THEN 1 ELSE 0 END) AS BIGINT) AS pending,
                CAST(SUM(CASE WHEN c.state = 'approved' THEN 1 ELSE 0 END) AS BIGINT) AS approved,
                CAST(SUM(CASE WHEN c.state = 'rejected' THEN 1 ELSE 0 END) AS BIGINT) AS rejected,
                CAST(SUM(CASE WHEN c.state = 'deferred' THEN 1 ELSE 0 END) AS BIGINT) AS deferred,
                CAST(SUM(CASE WHEN c.state = 'committed' THEN 1 ELSE 0 END) AS BIGINT) AS committed,
                CAST(SUM(CASE WHEN x.change_id IS NULL THEN 0 ELSE 1 END) AS BIGINT) AS conflicted,
                CAST(MAX(CASE WHEN c.state NOT IN ('pending', 'approved', 'deferred') THEN 0
                    WHEN c.risk_level = 'high' THEN 3 WHEN c.risk_level = 'medium' THEN 2 ELSE 1 END) AS BIGINT) AS risk
            FROM changesets cs JOIN stores s ON s.id = cs.store_id JOIN changes c ON c.changeset_id = cs.id
                LEFT JOIN conflicted_changes x ON x.change_id = c.id
            WHERE s.deleted_at IS NULL AND ((cs.state = 'open') = $1)
              AND (CAST($2 AS UUID) IS NULL OR cs.store_id = $2)
              AND (CAST($3 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g WHERE g.store_id = cs.store_id AND g.user_id = $3))
            GROUP BY cs.id, cs.store_id, s.name, cs.dream_id, cs.origin, cs.title, cs.state, cs.created_by, cs.created_at, cs.updated_at
        ) q
        WHERE CAST($4 AS BIGINT) IS NULL OR q.risk < $4 OR (q.risk = $4 AND q.id > $5)
        ORDER BY q.risk DESC, q.id LIMIT $6";
    GET = "SELECT cs.id, cs.store_id, s.name AS store_name, cs.dream_id, cs.origin, cs.title, cs.state, cs.created_by, cs.created_at, cs.updated_at
        FROM changesets cs JOIN stores s ON s.id = cs.store_id WHERE cs.id = $1 AND s.deleted_at IS NULL";
    WAITING = "SELECT COUNT(*) FROM changes c JOIN changesets cs ON cs.id = c.changeset_id
        WHERE cs.state = 'open' AND c.state IN ('pending', 'deferred', 'approved')
          AND (CAST($1 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g WHERE g.store_id = c.store_id AND g.user_id = $1))";
}

/// A changeset as the queue shows it.
#[derive(Debug, Clone, FromRow)]
pub struct QueueRow {
    /// The changeset.
    #[sqlx(flatten)]
    pub changeset: ChangesetRow,
    /// Changes that wait for a decision.
    pub pending: i64,
    /// Changes that may be committed.
    pub approved: i64,
    /// Changes turned down.
    pub rejected: i64,
    /// Changes put off.
    pub deferred: i64,
    /// Changes in the memory.
    pub committed: i64,
    /// Open changes whose memory has moved.
    pub conflicted: i64,
    /// Highest risk among what is open: 3 high, 2 medium, 1 low, 0 nothing open.
    pub risk: i64,
}

/// A changeset.
#[derive(Debug, Clone, FromRow)]
pub struct ChangesetRow {
    /// Id.
    pub id: ChangesetId,
    /// Its store.
    pub store_id: StoreId,
    /// The store's name.
    pub store_name: String,
    /// The dream it comes from.
    pub dream_id: Option<DreamId>,
    /// `dream`, `person`, `revert` or `agent`.
    pub origin: String,
    /// In one line.
    pub title: String,
    /// Where it stands.
    pub state: ChangesetState,
    /// Who proposed it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
}

/// A changeset to be stored.
#[derive(Debug, Clone)]
pub struct NewChangeset {
    /// Id.
    pub id: ChangesetId,
    /// Its store.
    pub store_id: StoreId,
    /// The dream it comes from.
    pub dream_id: Option<DreamId>,
    /// `dream`, `person`, `revert` or `agent`.
    pub origin: &'static str,
    /// In one line.
    pub title: String,
    /// The store's revision it was made against.
    pub base_revision: i64,
    /// Who proposes it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// Stores an open changeset without changes.
pub async fn insert(tx: &mut Tx, new: &NewChangeset) -> Result<()> {
    execute!(
        tx,
        INSERT,
        new.id,
        new.store_id,
        new.dream_id,
        new.origin,
        new.title.as_str(),
        new.base_revision,
        new.created_by.as_str(),
        new.created_at
    )?;
    Ok(())
}

/// Takes a changeset's lock (second in the order of locks, after its store's) and returns its state.
pub async fn lock(tx: &mut Tx, id: ChangesetId, now: Timestamp) -> Result<ChangesetState> {
    fetch_optional!(tx, (ChangesetState,), LOCK, now, id)?.map(|(state,)| state).ok_or(Error::Stale)
}

/// Sets a changeset's state under its lock.
pub async fn set_state(tx: &mut Tx, id: ChangesetId, state: ChangesetState, now: Timestamp) -> Result<()> {
    let closed = (state != ChangesetState::Open).then_some(now);
    execute!(tx, SET_STATE, state, closed, now, id)?;
    Ok(())
}

/// Which changesets a queue shows.
#[derive(Debug, Clone, Copy)]
pub struct QueueFilter {
    /// Open ones, or the others.
    pub open: bool,
    /// Of one store only.
    pub store: Option<StoreId>,
    /// After the last row of the page before: its risk and id.
    pub after: Option<(i64, ChangesetId)>,
}

/// A page of the queue: highest risk first, then oldest.
pub async fn queue(tx: &mut Tx, visible: Visible, filter: QueueFilter, limit: i64) -> Result<Page<QueueRow>> {
    let (risk, id) = filter.after.unzip();
    Ok(Page::of(fetch_all!(tx, QueueRow, QUEUE, filter.open, filter.store, viewer(visible), risk, id, limit + 1)?, limit))
}

/// One changeset. Rights are the caller's to check.
pub async fn get(tx: &mut Tx, id: ChangesetId) -> Result<Option<ChangesetRow>> {
    fetch_optional!(tx, ChangesetRow, GET, id)
}

/// How many changes that the viewer may see wait for something.
pub async fn waiting(tx: &mut Tx, visible: Visible) -> Result<i64> {
    fetch_scalar!(tx, i64, WAITING, viewer(visible))
}
