//! Changesets, and the queue of them.

use domain::{
    Timestamp,
    actor::Visible,
    changeset::{ChangeKind, ChangesetOrigin, ChangesetState},
    ids::{ChangesetId, CommitId, DreamId, StoreId},
    risk::{Label, RiskLevel},
};
use sqlx::FromRow;

use crate::{
    Error, Page, Result, Tx,
    engine::{folded, like, viewer},
};

/// Everybody who counts as the same person as $3: accounts of which one issued the other's
/// credential. What an account contributed counts for all of them.
macro_rules! me_sql {
    () => {
        "WITH RECURSIVE me (id) AS (
            SELECT id FROM users WHERE id = $3
            UNION SELECT CASE WHEN u.id = me.id THEN u.credential_issuer ELSE u.id END
                FROM me JOIN users u ON u.credential_issuer IS NOT NULL AND (u.id = me.id
                OR u.credential_issuer = me.id)
        ) "
    };
}
pub(crate) use me_sql;

statements! {
    INSERT = "INSERT INTO changesets (id, store_id, dream_id, origin, title, title_folded, state,
        base_revision, reverts, created_by, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $10, 'open', $6, $7, $8, $9, $9)";
    UNFOLDED = "SELECT id, title FROM changesets WHERE title_folded IS NULL LIMIT 500";
    FOLD = "UPDATE changesets SET title_folded = $1 WHERE id = $2";
    UNDECIDED_OF = "SELECT COUNT(*) FROM changesets cs JOIN changes c ON c.changeset_id = cs.id
        WHERE cs.created_by = $1 AND c.state IN ('pending', 'deferred')";
    PROPOSED_SINCE = "SELECT COUNT(*) FROM changesets WHERE created_by = $1 AND created_at > $2
        AND origin = 'agent'";
    LOCK = "UPDATE changesets SET updated_at = $1 WHERE id = $2 RETURNING state";
    SET_STATE = "UPDATE changesets SET state = $1, closed_at = $2, updated_at = $3 WHERE id = $4";
    DONE = "SELECT cs.id, cs.store_id, s.name AS store_name, cs.dream_id, cs.origin, cs.title,
        cs.state, cs.created_by, cs.created_at, cs.updated_at,
            (SELECT COUNT(*) FROM changes c WHERE c.changeset_id = cs.id
            AND c.state = 'rejected') AS rejected,
            (SELECT COUNT(*) FROM changes c WHERE c.changeset_id = cs.id
            AND c.state = 'committed') AS committed
        FROM changesets cs JOIN stores s ON s.id = cs.store_id
        WHERE cs.state <> 'open' AND s.deleted_at IS NULL
          AND (CAST($1 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g
          WHERE g.store_id = cs.store_id AND g.user_id = $1))
          AND (CAST($2 AS UUID) IS NULL OR cs.store_id = $2)
          AND (CAST($3 AS TEXT) IS NULL OR COALESCE(cs.title_folded,
          LOWER(cs.title)) LIKE $3 ESCAPE '!')
          AND (CAST($4 AS UUID) IS NULL OR cs.id < $4)
        ORDER BY cs.id DESC LIMIT $5";
    // Steps from one name to the next over the index of names, not over every session.
    AGENTS = "WITH RECURSIVE names (agent) AS (
            SELECT (SELECT MIN(agent) FROM sessions WHERE agent > '')
            UNION ALL SELECT (SELECT MIN(s.agent) FROM sessions s WHERE s.agent > names.agent)
            FROM names WHERE names.agent IS NOT NULL
        ) SELECT a.agent FROM names a WHERE a.agent IS NOT NULL AND EXISTS (
            SELECT 1 FROM sessions n JOIN session_stores x ON x.session_id = n.id
            WHERE n.agent = a.agent AND n.deleted_at IS NULL
              AND (CAST($1 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g
              WHERE g.store_id = x.store_id AND g.user_id = $1)))
        LIMIT 200";
    GET = "SELECT cs.id, cs.store_id, s.name AS store_name, cs.dream_id, cs.origin, cs.title,
        cs.state, cs.created_by, cs.created_at, cs.updated_at
        FROM changesets cs JOIN stores s ON s.id = cs.store_id WHERE cs.id = $1
        AND s.deleted_at IS NULL";
    STORES_OF = concat!("SELECT cs.id, cs.store_id FROM changesets cs JOIN stores s
        ON s.id = cs.store_id
        WHERE s.deleted_at IS NULL AND cs.id IN (", fifty!(), ")");
    TITLES = concat!("SELECT id, title FROM changesets WHERE id IN (", fifty!(), ")");
    OPEN_REVERTS = "SELECT cs.id, c.facts FROM changesets cs JOIN changes c
        ON c.changeset_id = cs.id
        WHERE cs.reverts = $1 AND cs.state = 'open' ORDER BY cs.id, c.position";
    EXPIRED = "SELECT cs.id FROM changesets cs WHERE cs.state = 'open' AND cs.created_at < $1
        AND (CAST($3 AS UUID) IS NULL OR cs.id = $3)
        AND NOT EXISTS (SELECT 1 FROM changes p WHERE p.changeset_id = cs.id
        AND p.state = 'deferred' AND p.defer_until IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM decisions d JOIN changes c ON c.id = d.change_id
        WHERE c.changeset_id = cs.id AND d.created_at >= $1)
        ORDER BY cs.id LIMIT $2";
}

/// A changeset in which nothing is left to do.
#[derive(Debug, Clone, FromRow)]
pub struct DoneRow {
    #[sqlx(flatten)]
    pub changeset: ChangesetRow,
    pub rejected: i64,
    /// Changes in the memory.
    pub committed: i64,
}

/// A changeset without its changes.
#[derive(Debug, Clone, FromRow)]
pub struct ChangesetRow {
    pub id: ChangesetId,
    pub store_id: StoreId,
    pub store_name: String,
    /// The dream it comes from.
    pub dream_id: Option<DreamId>,
    /// `dream`, `person`, `revert` or `agent`.
    pub origin: ChangesetOrigin,
    pub title: String,
    pub state: ChangesetState,
    pub created_by: String,
    pub created_at: Timestamp,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
}

/// A changeset to be stored.
#[derive(Debug, Clone)]
pub struct NewChangeset {
    pub id: ChangesetId,
    pub store_id: StoreId,
    /// The dream it comes from.
    pub dream_id: Option<DreamId>,
    /// `dream`, `person`, `revert` or `agent`.
    pub origin: ChangesetOrigin,
    pub title: String,
    /// The store's revision it was made against.
    pub base_revision: i64,
    /// The commit that it reverts, if it is a revert.
    pub reverts: Option<CommitId>,
    pub created_by: String,
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
        new.reverts,
        new.created_by.as_str(),
        new.created_at,
        folded(&new.title)
    )?;
    Ok(())
}

/// Folds up to 500 titles that have no form for searching yet; how many it found.
pub(crate) async fn fold_titles(tx: &mut Tx) -> Result<usize> {
    let unfolded = fetch_all!(tx, (ChangesetId, String), UNFOLDED)?;
    for (id, title) in &unfolded {
        execute!(tx, FOLD, folded(title), *id)?;
    }
    Ok(unfolded.len())
}

/// How many undecided changes somebody proposed: kind and id.
pub async fn undecided_of(tx: &mut Tx, by: &str) -> Result<i64> {
    fetch_scalar!(tx, i64, UNDECIDED_OF, by)
}

/// How many changesets a key proposed since a time.
pub async fn proposed_since(tx: &mut Tx, by: &str, since: Timestamp) -> Result<i64> {
    fetch_scalar!(tx, i64, PROPOSED_SINCE, by, since)
}

/// Takes a changeset's lock (second in the order of locks, after its store's) and returns its
/// state.
pub async fn lock(tx: &mut Tx, id: ChangesetId, now: Timestamp) -> Result<ChangesetState> {
    fetch_optional!(tx, (ChangesetState,), LOCK, now, id)?
        .map(|(state,)| state)
        .ok_or(Error::Stale)
}

/// Sets a changeset's state under its lock.
pub async fn set_state(
    tx: &mut Tx,
    id: ChangesetId,
    state: ChangesetState,
    now: Timestamp,
) -> Result<()> {
    let closed = (state != ChangesetState::Open).then_some(now);
    execute!(tx, SET_STATE, state, closed, now, id)?;
    Ok(())
}

/// Which open changesets a queue shows.
#[derive(Debug, Clone, Default)]
pub struct QueueFilter {
    /// Of one store only.
    pub store: Option<StoreId>,
    /// With an open change of this kind.
    pub kind: Option<ChangeKind>,
    /// With an open change that bears this label.
    pub label: Option<Label>,
    /// With evidence from this agent.
    pub agent: Option<String>,
    /// With this in a title, in any case.
    pub text: Option<String>,
    /// Who works on it: `me`, `nobody` or `others`.
    pub assignee: Option<&'static str>,
    /// Changes of this risk.
    pub risk: Option<RiskLevel>,
    /// Changes that this proposed: `dream`, `person`, `revert` or `agent`.
    pub origin: Option<ChangesetOrigin>,
    /// Changes of which the active policies say this: `allow`, `review` or `forbid`; or that
    /// somebody holds: `held`.
    pub policy: Option<&'static str>,
    /// `mine`, `others`, `conflicted`, `deferred`, `ready` or `overdue`; everything open without.
    pub state: Option<&'static str>,
}

impl QueueFilter {
    pub(crate) fn label_pattern(&self) -> Option<String> {
        self.label.map(|l| format!("%\"{l}\"%"))
    }

    /// True if it asks for more than a store and a state.
    pub(crate) fn looks_inside(&self) -> bool {
        let words = self.agent.is_some()
            || self.text.is_some()
            || self.assignee.is_some()
            || self.origin.is_some()
            || self.policy.is_some();
        words || self.kind.is_some() || self.label.is_some() || self.risk.is_some()
    }

    pub(crate) fn text_pattern(&self) -> Option<String> {
        self.text.as_deref().map(like)
    }
}

/// Changesets that are closed, withdrawn or expired, newest first.
pub async fn done(
    tx: &mut Tx,
    visible: Visible,
    store: Option<StoreId>,
    text: Option<&str>,
    before: Option<ChangesetId>,
    limit: i64,
) -> Result<Page<DoneRow>> {
    Ok(Page::of(
        fetch_all!(
            tx,
            DoneRow,
            DONE,
            viewer(visible),
            store,
            text.map(like),
            before,
            limit + 1
        )?,
        limit,
    ))
}

/// Agents whose sessions the viewer may see, by name.
pub async fn agents(tx: &mut Tx, visible: Visible) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), AGENTS, viewer(visible))?
        .into_iter()
        .map(|(agent,)| agent)
        .collect())
}

/// The store of each of some changesets, where it is not deleted.
pub async fn stores_of(
    tx: &mut Tx,
    changesets: &[ChangesetId],
) -> Result<Vec<(ChangesetId, StoreId)>> {
    fetch_listed!(tx, (ChangesetId, StoreId), STORES_OF, changesets)
}

/// The titles of some changesets.
pub async fn titles(tx: &mut Tx, changesets: &[ChangesetId]) -> Result<Vec<(ChangesetId, String)>> {
    fetch_listed!(tx, (ChangesetId, String), TITLES, changesets)
}

/// One changeset. Rights are the caller's to check.
pub async fn get(tx: &mut Tx, id: ChangesetId) -> Result<Option<ChangesetRow>> {
    fetch_optional!(tx, ChangesetRow, GET, id)
}

/// The changes of open changesets that revert a commit, each as its changeset and its facts as
/// JSON.
pub async fn open_reverts(tx: &mut Tx, commit: CommitId) -> Result<Vec<(ChangesetId, String)>> {
    fetch_all!(tx, (ChangesetId, String), OPEN_REVERTS, commit)
}

/// Open changesets (or one) that were proposed before this time, in which nobody has decided since,
/// and nothing is put off until a day.
pub async fn expired(
    tx: &mut Tx,
    one: Option<ChangesetId>,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<ChangesetId>> {
    Ok(fetch_all!(tx, (ChangesetId,), EXPIRED, since, limit, one)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}
