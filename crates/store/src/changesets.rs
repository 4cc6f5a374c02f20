//! Changesets, and the queue of them.

use domain::{
    Timestamp,
    actor::Visible,
    changeset::{ChangeKind, ChangesetState},
    ids::{ChangesetId, CommitId, DreamId, StoreId, UserId},
    risk::{Label, RiskLevel},
};
use sqlx::FromRow;

use crate::{
    Error, Page, Result, Tx,
    engine::{folded, like, viewer},
};

/// Everybody who counts as the same person as $3: accounts of which one issued the other's credential. What an account contributed counts
/// for all of them.
macro_rules! me_sql {
    () => {
        "WITH RECURSIVE me (id) AS (
            SELECT id FROM users WHERE id = $3
            UNION SELECT CASE WHEN u.id = me.id THEN u.credential_issuer ELSE u.id END
                FROM me JOIN users u ON u.credential_issuer IS NOT NULL AND (u.id = me.id OR u.credential_issuer = me.id)
        ) "
    };
}
pub(crate) use me_sql;

/// Whether a row of the queue (`q`) passes a filter.
/// $1 viewer, $2 now, $3 whose turn, $4 store, $5 kind, $6 label, $7 agent, $8 text, $9 assignee.
macro_rules! passes_sql {
    () => {
        " q.store_id IN (SELECT s.id FROM stores s WHERE s.deleted_at IS NULL)
          AND (CAST($1 AS UUID) IS NULL OR q.store_id IN (SELECT g.store_id FROM user_grants g WHERE g.user_id = $1))
          AND (CAST($4 AS UUID) IS NULL OR q.store_id = $4)
          AND (CAST($5 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM changes f
                WHERE f.changeset_id = q.changeset_id AND f.kind = $5 AND f.state IN ('pending', 'approved', 'deferred')))
          AND (CAST($6 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM changes f
                WHERE f.changeset_id = q.changeset_id AND f.labels LIKE $6 AND f.state IN ('pending', 'approved', 'deferred')))
          AND (CAST($7 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM changes f JOIN evidence e ON e.change_id = f.id JOIN sessions n ON n.id = e.session_id
                WHERE f.changeset_id = q.changeset_id AND n.agent = $7))
          AND (CAST($8 AS TEXT) IS NULL
                OR EXISTS (SELECT 1 FROM changesets t WHERE t.id = q.changeset_id AND COALESCE(t.title_folded, LOWER(t.title)) LIKE $8 ESCAPE '!')
                OR EXISTS (SELECT 1 FROM changes f WHERE f.changeset_id = q.changeset_id AND COALESCE(f.title_folded, LOWER(f.title)) LIKE $8 ESCAPE '!'))
          AND (CAST($9 AS TEXT) IS NULL
                OR ($9 = 'nobody' AND NOT EXISTS (SELECT 1 FROM claims k WHERE k.changeset_id = q.changeset_id AND k.until > $2))
                OR ($9 = 'me' AND EXISTS (SELECT 1 FROM claims k WHERE k.changeset_id = q.changeset_id AND k.until > $2 AND k.user_id = $3))
                OR ($9 = 'others' AND EXISTS (SELECT 1 FROM claims k WHERE k.changeset_id = q.changeset_id AND k.until > $2 AND k.user_id <> $3))) "
    };
}

/// Whether the memory has moved below a row of the queue.
macro_rules! conflicted_sql {
    () => {
        " q.changeset_id IN (SELECT f.changeset_id FROM conflicts f CROSS JOIN conflicted_changes x WHERE x.change_id = f.change_id) "
    };
}

/// Whether it is the turn of $3 in a row of the queue: something in it may be committed, or waits for a decision that counts, in a store or
/// at a path that is theirs to decide on.
macro_rules! my_turn_sql {
    () => {
        concat!(" q.store_id IN (SELECT g.store_id FROM user_grants g WHERE g.user_id = $3 AND g.role IN ('reviewer', 'owner'))
            AND EXISTS (SELECT 1 FROM changes c
                WHERE c.changeset_id = q.changeset_id
                    AND (c.state = 'approved' OR (c.state = 'pending'
                        AND (NOT EXISTS (SELECT 1 FROM change_contributors h WHERE h.change_id = c.id AND h.user_id IN (SELECT me.id FROM me))
                            OR EXISTS (SELECT 1 FROM settings t WHERE t.name = 'solo' AND t.value = 'on') OR ", conflicted_sql!(), ")
                        AND NOT EXISTS (SELECT 1 FROM decisions d
                            WHERE d.user_id = $3 AND d.change_id = c.id AND d.revision = c.revision AND d.taken_back_at IS NULL)))
                    AND (q.store_id IN (SELECT g.store_id FROM user_grants g
                            WHERE g.user_id = $3 AND g.role IN ('reviewer', 'owner') AND g.path_prefix = '/')
                        OR EXISTS (SELECT 1 FROM change_edits e JOIN user_grants g ON g.store_id = q.store_id AND g.user_id = $3 AND g.role IN ('reviewer', 'owner')
                            WHERE e.change_id = c.id AND e.revision = c.revision
                                AND (e.path = g.path_prefix OR (e.path > g.path_prefix || '/' AND e.path < g.path_prefix || '0'))))) ")
    };
}

/// A page of the queue in an order, which an index of its rows has. $10 which of them, $11 and $12 where it begins, $13 how many.
macro_rules! queue_sql {
    ($place:literal) => {
        concat!(me_sql!(), "SELECT cs.id, cs.store_id, s.name AS store_name, cs.dream_id, cs.origin, cs.title, cs.state, cs.created_by, cs.created_at, cs.updated_at,
            q.pending, q.approved, q.rejected, q.deferred, q.committed,
            (SELECT COUNT(*) FROM conflicts f JOIN conflicted_changes x ON x.change_id = f.change_id WHERE f.changeset_id = q.changeset_id) AS conflicted,
            q.risk, q.due_at, k.user_id AS claimed_by, u.name AS claimed_name
        FROM queue_rows q CROSS JOIN changesets cs CROSS JOIN stores s
            LEFT JOIN claims k ON k.changeset_id = q.changeset_id AND k.until > $2 LEFT JOIN users u ON u.id = k.user_id
        WHERE cs.id = q.changeset_id AND s.id = q.store_id AND", passes_sql!(), "
          AND (CAST($10 AS TEXT) IS NULL OR ($10 = 'deferred' AND q.deferred > 0) OR ($10 = 'ready' AND q.approved > 0)
              OR ($10 = 'overdue' AND q.due_at < $2) OR ($10 = 'conflicted' AND", conflicted_sql!(), ") OR ($10 = 'mine' AND", my_turn_sql!(), "))
          AND (CAST($11 AS BIGINT) IS NULL OR ", $place, " > $11 OR (", $place, " = $11 AND q.changeset_id > $12))
        ORDER BY ", $place, ", q.changeset_id LIMIT $13")
    };
}

statements! {
    INSERT = "INSERT INTO changesets (id, store_id, dream_id, origin, title, title_folded, state, base_revision, reverts, created_by, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $10, 'open', $6, $7, $8, $9, $9)";
    UNFOLDED = "SELECT id, title FROM changesets WHERE title_folded IS NULL LIMIT 500";
    FOLD = "UPDATE changesets SET title_folded = $1 WHERE id = $2";
    UNDECIDED_OF = "SELECT COUNT(*) FROM changesets cs JOIN changes c ON c.changeset_id = cs.id
        WHERE cs.created_by = $1 AND c.state IN ('pending', 'deferred')";
    PROPOSED_SINCE = "SELECT COUNT(*) FROM changesets WHERE created_by = $1 AND created_at > $2 AND origin = 'agent'";
    LOCK = "UPDATE changesets SET updated_at = $1 WHERE id = $2 RETURNING state";
    SET_STATE = "UPDATE changesets SET state = $1, closed_at = $2, updated_at = $3 WHERE id = $4";
    BY_RISK = queue_sql!("-q.risk");
    BY_DUE = queue_sql!("COALESCE(q.due_at, 9223372036854775807)");
    DONE = "SELECT cs.id, cs.store_id, s.name AS store_name, cs.dream_id, cs.origin, cs.title, cs.state, cs.created_by, cs.created_at, cs.updated_at,
            CAST(0 AS BIGINT) AS pending, CAST(0 AS BIGINT) AS approved,
            (SELECT COUNT(*) FROM changes c WHERE c.changeset_id = cs.id AND c.state = 'rejected') AS rejected, CAST(0 AS BIGINT) AS deferred,
            (SELECT COUNT(*) FROM changes c WHERE c.changeset_id = cs.id AND c.state = 'committed') AS committed,
            CAST(0 AS BIGINT) AS conflicted, CAST(0 AS BIGINT) AS risk, CAST(NULL AS BIGINT) AS due_at, CAST(NULL AS UUID) AS claimed_by,
            CAST(NULL AS TEXT) AS claimed_name
        FROM changesets cs JOIN stores s ON s.id = cs.store_id
        WHERE cs.state <> 'open' AND s.deleted_at IS NULL
          AND (CAST($1 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g WHERE g.store_id = cs.store_id AND g.user_id = $1))
          AND (CAST($2 AS UUID) IS NULL OR cs.store_id = $2)
          AND (CAST($3 AS TEXT) IS NULL OR COALESCE(cs.title_folded, LOWER(cs.title)) LIKE $3 ESCAPE '!')
          AND (CAST($4 AS UUID) IS NULL OR cs.id < $4)
        ORDER BY cs.id DESC LIMIT $5";
    // Steps from one name to the next over the index of names, not over every session.
    AGENTS = "WITH RECURSIVE names (agent) AS (
            SELECT (SELECT MIN(agent) FROM sessions WHERE agent > '')
            UNION ALL SELECT (SELECT MIN(s.agent) FROM sessions s WHERE s.agent > names.agent) FROM names WHERE names.agent IS NOT NULL
        ) SELECT a.agent FROM names a WHERE a.agent IS NOT NULL AND EXISTS (
            SELECT 1 FROM sessions n JOIN session_stores x ON x.session_id = n.id
            WHERE n.agent = a.agent AND n.deleted_at IS NULL
              AND (CAST($1 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g WHERE g.store_id = x.store_id AND g.user_id = $1)))
        LIMIT 200";
    GET = "SELECT cs.id, cs.store_id, s.name AS store_name, cs.dream_id, cs.origin, cs.title, cs.state, cs.created_by, cs.created_at, cs.updated_at
        FROM changesets cs JOIN stores s ON s.id = cs.store_id WHERE cs.id = $1 AND s.deleted_at IS NULL";
    STORES_OF = concat!("SELECT cs.id, cs.store_id FROM changesets cs JOIN stores s ON s.id = cs.store_id
        WHERE s.deleted_at IS NULL AND cs.id IN (", fifty!(), ")");
    TITLES = concat!("SELECT id, title FROM changesets WHERE id IN (", fifty!(), ")");
    OPEN_REVERT = "SELECT id FROM changesets WHERE reverts = $1 AND state = 'open' ORDER BY id LIMIT 1";
    EXPIRED = "SELECT cs.id FROM changesets cs WHERE cs.state = 'open' AND cs.created_at < $1 AND (CAST($3 AS UUID) IS NULL OR cs.id = $3)
        AND NOT EXISTS (SELECT 1 FROM changes p WHERE p.changeset_id = cs.id AND p.state = 'deferred' AND p.defer_until IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM decisions d JOIN changes c ON c.id = d.change_id WHERE c.changeset_id = cs.id AND d.created_at >= $1)
        ORDER BY cs.id LIMIT $2";
    WAITING = "SELECT CAST(COALESCE(SUM(q.pending + q.deferred + q.approved), 0) AS BIGINT)
        FROM queue_rows q JOIN stores s ON s.id = q.store_id
        WHERE s.deleted_at IS NULL AND (CAST($1 AS UUID) IS NULL OR q.store_id IN (SELECT g.store_id FROM user_grants g WHERE g.user_id = $1))";
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
    /// When the first of it is due.
    pub due_at: Option<Timestamp>,
    /// Who works on it just now.
    pub claimed_by: Option<UserId>,
    /// How they are called.
    pub claimed_name: Option<String>,
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
    /// The commit that it takes back, if it is a revert.
    pub reverts: Option<CommitId>,
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
    pub origin: Option<&'static str>,
    /// `mine`, `others`, `conflicted`, `deferred`, `ready` or `overdue`; everything open without.
    pub state: Option<&'static str>,
    /// By due time, earliest first; else by risk, highest first.
    pub by_age: bool,
    /// After the last row of the page before: its place in the order and its id.
    pub after: Option<(i64, ChangesetId)>,
}

impl QueueFilter {
    pub(crate) fn label_pattern(&self) -> Option<String> {
        self.label.map(|l| format!("%\"{l}\"%"))
    }

    /// Whether it asks for more than a store and a state.
    pub(crate) fn looks_inside(&self) -> bool {
        let words = self.agent.is_some() || self.text.is_some() || self.assignee.is_some() || self.origin.is_some();
        words || self.kind.is_some() || self.label.is_some() || self.risk.is_some()
    }

    pub(crate) fn text_pattern(&self) -> Option<String> {
        self.text.as_deref().map(like)
    }
}

impl QueueRow {
    /// Its place in the order, for the page that comes after it.
    #[must_use]
    pub fn place(&self, by_age: bool) -> i64 {
        if by_age { self.due_at.map_or(i64::MAX, |at| at.0) } else { -self.risk }
    }
}

/// A page of the queue. `me` is whose turn is meant.
pub async fn queue(
    tx: &mut Tx,
    visible: Visible,
    me: Option<UserId>,
    filter: &QueueFilter,
    now: Timestamp,
    limit: i64,
) -> Result<Page<QueueRow>> {
    let (place, id) = filter.after.unzip();
    let statement = if filter.by_age { BY_DUE } else { BY_RISK };
    let rows = fetch_all!(
        tx,
        QueueRow,
        statement,
        viewer(visible),
        now,
        me,
        filter.store,
        filter.kind,
        filter.label_pattern(),
        filter.agent.as_deref(),
        filter.text_pattern(),
        filter.assignee,
        filter.state,
        place,
        id,
        limit + 1
    )?;
    Ok(Page::of(rows, limit))
}

/// Changesets that are closed, withdrawn or expired, newest first.
pub async fn done(
    tx: &mut Tx,
    visible: Visible,
    store: Option<StoreId>,
    text: Option<&str>,
    before: Option<ChangesetId>,
    limit: i64,
) -> Result<Page<QueueRow>> {
    Ok(Page::of(fetch_all!(tx, QueueRow, DONE, viewer(visible), store, text.map(like), before, limit + 1)?, limit))
}

/// Agents whose sessions the viewer may see, by name.
pub async fn agents(tx: &mut Tx, visible: Visible) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), AGENTS, viewer(visible))?.into_iter().map(|(agent,)| agent).collect())
}

/// The store of each of some changesets, where it is not deleted.
pub async fn stores_of(tx: &mut Tx, changesets: &[ChangesetId]) -> Result<Vec<(ChangesetId, StoreId)>> {
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

/// The open changeset that takes a commit back, if there is one.
pub async fn open_revert(tx: &mut Tx, commit: CommitId) -> Result<Option<ChangesetId>> {
    Ok(fetch_optional!(tx, (ChangesetId,), OPEN_REVERT, commit)?.map(|(id,)| id))
}

/// Open changesets (or one) that were proposed before this time, in which nobody has decided since, and nothing is put off until a day.
pub async fn expired(tx: &mut Tx, one: Option<ChangesetId>, since: Timestamp, limit: i64) -> Result<Vec<ChangesetId>> {
    Ok(fetch_all!(tx, (ChangesetId,), EXPIRED, since, limit, one)?.into_iter().map(|(id,)| id).collect())
}

/// How many changes that the viewer may see wait for something.
pub async fn waiting(tx: &mut Tx, visible: Visible) -> Result<i64> {
    fetch_scalar!(tx, i64, WAITING, viewer(visible))
}
