//! The review queue, change by change: what waits for a decision, in whose turn, and in which
//! order.

use domain::{
    Timestamp,
    actor::Visible,
    changeset::{ChangeKind, ChangeState, ChangesetOrigin},
    ids::{ChangeId, ChangesetId, StoreId, UserId},
    policy::OutcomeKind,
    risk::RiskLevel,
};
use sqlx::FromRow;

use crate::{
    Page, Result, Tx,
    changesets::{QueueFilter, me_sql},
    engine::viewer,
};

/// When a change (`c`) is due: a day after it was proposed for high risk, three days for medium, a
/// week for low. An index has this very expression.
macro_rules! due_sql {
    () => {
        "(c.created_at + CASE c.risk_level WHEN 'high' THEN 86400000000 WHEN 'medium' THEN \
            259200000000 ELSE 604800000000 END)"
    };
}

/// The condition that a change (`c`) is open, in a store that $1 sees, and in store $4 where that
/// is asked for.
macro_rules! open_sql {
    () => {
        " c.state IN ('pending', 'approved', 'deferred')
          AND NOT EXISTS (SELECT 1 FROM stores z WHERE z.id = c.store_id
          AND z.deleted_at IS NOT NULL)
          AND (CAST($1 AS UUID) IS NULL OR c.store_id IN (SELECT g.store_id FROM user_grants g
          WHERE g.user_id = $1))
          AND (CAST($4 AS UUID) IS NULL OR c.store_id = $4) "
    };
}

/// The condition that a change (`c`) passes a filter. $1 viewer, $2 now, $3 whose turn, $4 store,
/// $5 kind, $6 label, $7 agent, $8 text, $9 assignee, $10 risk, $11 origin, $12 what the policies
/// say.
macro_rules! passes_sql {
    () => {
        concat!(open_sql!(), "
          AND (CAST($5 AS TEXT) IS NULL OR c.kind = $5)
          AND (CAST($6 AS TEXT) IS NULL OR c.labels LIKE $6)
          AND (CAST($7 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM evidence e JOIN sessions n
          ON n.id = e.session_id
                WHERE e.change_id = c.id AND n.agent = $7))
          AND (CAST($8 AS TEXT) IS NULL OR COALESCE(c.title_folded,
          LOWER(c.title)) LIKE $8 ESCAPE '!'
                OR EXISTS (SELECT 1 FROM changesets t WHERE t.id = c.changeset_id
                AND COALESCE(t.title_folded, LOWER(t.title)) LIKE $8 ESCAPE '!')
                OR EXISTS (SELECT 1 FROM change_edits e WHERE e.change_id = c.id
                AND e.revision = c.revision AND LOWER(e.path) LIKE $8 ESCAPE '!'))
          AND (CAST($9 AS TEXT) IS NULL
                OR ($9 = 'nobody' AND NOT EXISTS (SELECT 1 FROM claims k
                WHERE k.changeset_id = c.changeset_id AND k.until > $2))
                OR ($9 = 'me' AND EXISTS (SELECT 1 FROM claims k
                WHERE k.changeset_id = c.changeset_id AND k.until > $2 AND k.user_id = $3))
                OR ($9 = 'others' AND EXISTS (SELECT 1 FROM claims k
                WHERE k.changeset_id = c.changeset_id AND k.until > $2 AND k.user_id <> $3)))
          AND (CAST($10 AS TEXT) IS NULL OR c.risk_level = $10)
          AND (CAST($11 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM changesets t
          WHERE t.id = c.changeset_id AND t.origin = $11))
          AND (CAST($12 AS TEXT) IS NULL
                OR ($12 = 'held' AND EXISTS (SELECT 1 FROM policy_holds h WHERE h.change_id = c.id))
                OR EXISTS (SELECT 1 FROM policy_outcomes o WHERE o.change_id = c.id
                AND o.revision = c.revision AND o.outcome = $12
                    AND NOT EXISTS (SELECT 1 FROM policy_holds h WHERE h.change_id = c.id))) ")
    };
}

/// The condition that a base of a change (`c`) has moved.
macro_rules! conflicted_sql {
    () => {
        " c.id IN (SELECT f.change_id FROM conflicts f CROSS JOIN conflicted_changes x
            WHERE x.change_id = f.change_id) "
    };
}

/// The condition that a change (`c`) waits for a decision of $3 that would count, in a store or at
/// a path that is theirs to decide on.
macro_rules! my_turn_sql {
    () => {
        concat!(" (c.state = 'pending'
            AND c.store_id IN (SELECT g.store_id FROM user_grants g WHERE g.user_id = $3
            AND g.role IN ('reviewer', 'owner'))
            AND NOT EXISTS (SELECT 1 FROM decisions d
                WHERE d.user_id = $3 AND d.change_id = c.id AND d.revision = c.revision
                AND d.taken_back_at IS NULL)
            AND (NOT EXISTS (SELECT 1 FROM change_contributors h WHERE h.change_id = c.id
            AND h.user_id IN (SELECT me.id FROM me))
                OR EXISTS (SELECT 1 FROM settings t WHERE t.name = 'solo' AND t.value = 'on') OR ", conflicted_sql!(), ")
            AND (c.store_id IN (SELECT g.store_id FROM user_grants g
                    WHERE g.user_id = $3 AND g.role IN ('reviewer', 'owner')
                    AND g.path_prefix = '/')
                OR EXISTS (SELECT 1 FROM change_edits e JOIN user_grants g
                ON g.store_id = c.store_id AND g.user_id = $3 AND g.role IN ('reviewer', 'owner')
                    WHERE e.change_id = c.id AND e.revision = c.revision
                        AND (e.path = g.path_prefix OR (e.path > g.path_prefix || '/'
                        AND e.path < g.path_prefix || '0'))))) ")
    };
}

/// A page of the queue; the hint names the index whose order it is read in. $13 which of them, $14
/// and $15 where the page begins, $16 how many.
macro_rules! waiting_sql {
    ($hint:literal) => {
        concat!(me_sql!(), "SELECT c.id, c.changeset_id, c.store_id, s.name AS store_name,
            cs.origin, c.kind, c.title,
            SUBSTR(c.rationale, 1, 400) AS rationale, c.state, c.risk_level, c.created_at, ", due_sql!(), " AS due_at,
            (", conflicted_sql!(), ") AS conflicted,
            (SELECT MIN(e.path) FROM change_edits e WHERE e.change_id = c.id
            AND e.revision = c.revision) AS path,
            CASE c.risk_level WHEN 'high' THEN s.approvals_high
            WHEN 'medium' THEN s.approvals_medium ELSE s.approvals_low END AS needed,
            (SELECT COUNT(DISTINCT d.user_id) FROM decisions d WHERE d.change_id = c.id
            AND d.revision = c.revision
                AND d.verdict = 'approve' AND d.taken_back_at IS NULL) AS given,
            k.user_id AS claimed_by, u.name AS claimed_name, o.outcome, o.due_at AS applies_at,
            p.name AS policy_name, o.number AS policy_version,
            EXISTS (SELECT 1 FROM policy_holds h WHERE h.change_id = c.id) AS held
        FROM changes c", $hint, " CROSS JOIN changesets cs CROSS JOIN stores s
            LEFT JOIN claims k ON k.changeset_id = c.changeset_id AND k.until > $2 LEFT JOIN users u
            ON u.id = k.user_id
            LEFT JOIN policy_outcomes o ON o.change_id = c.id AND o.revision = c.revision LEFT
            JOIN policies p ON p.id = o.policy_id
        WHERE cs.id = c.changeset_id AND s.id = c.store_id AND", passes_sql!(), "
          AND (CAST($13 AS TEXT) IS NULL OR ($13 = 'mine' AND", my_turn_sql!(), ") OR ($13 =
              'others' AND c.state = 'pending' AND NOT", my_turn_sql!(), ")
              OR ($13 = 'ready' AND c.state = 'approved') OR ($13 = 'deferred'
              AND c.state = 'deferred') OR ($13 = 'conflicted' AND", conflicted_sql!(), ")
              OR ($13 = 'overdue' AND c.state <> 'deferred' AND ", due_sql!(), " < $2))
          AND (CAST($14 AS BIGINT) IS NULL OR ", due_sql!(), " > $14 OR (", due_sql!(), " = $14 AND
              c.id > $15))
        ORDER BY ", due_sql!(), ", c.id LIMIT $16")
    };
}

/// How many open changes pass a condition, its state left aside.
macro_rules! counts_sql {
    ($hint:literal, $passes:expr) => {
        concat!(
            me_sql!(),
            ", p AS MATERIALIZED (SELECT c.id, c.changeset_id, c.store_id, c.state, c.revision,
                c.risk_level, c.created_at FROM changes c",
            $hint,
            " WHERE",
            $passes,
            ")
        SELECT COUNT(*) AS n_open,
            (SELECT COUNT(*) FROM (SELECT 1 FROM p c WHERE",
            my_turn_sql!(),
            "LIMIT 1000) turns) AS n_mine,
            CAST(COALESCE(SUM(CASE WHEN c.state = 'pending' THEN 1 ELSE 0 END), 0) AS BIGINT) AS n_pending,
            CAST(COALESCE(SUM(CASE WHEN c.state = 'approved' THEN 1 ELSE 0 END), 0) AS BIGINT) AS n_ready,
            CAST(COALESCE(SUM(CASE WHEN c.state = 'deferred' THEN 1 ELSE 0 END), 0) AS BIGINT) AS n_deferred,
            CAST(COALESCE(SUM(CASE WHEN",
            conflicted_sql!(),
            "THEN 1 ELSE 0 END), 0) AS BIGINT) AS n_conflicted,
            CAST(COALESCE(SUM(CASE WHEN c.state <> 'deferred' AND ",
            due_sql!(),
            " < $2 THEN 1 ELSE 0 END), 0) AS BIGINT) AS n_overdue
        FROM p c"
        )
    };
}

statements! {
    // Without the hint SQLite reads every open change and sorts them.
    WAITING_SQLITE = waiting_sql!(" INDEXED BY changes_by_due");
    WAITING_POSTGRES = waiting_sql!("");
    // Most looks at the queue have no filter: then an index has all that is counted.
    COUNTS_SQLITE = counts_sql!(" INDEXED BY changes_waiting", open_sql!());
    COUNTS_POSTGRES = counts_sql!("", open_sql!());
    COUNTS_FILTERED = counts_sql!("", passes_sql!());
    // $1 viewer, $2 how many at most.
    MY_TURN = concat!(me_sql!(), "SELECT COUNT(*) FROM (SELECT 1 FROM changes c
        WHERE c.state IN ('pending', 'approved', 'deferred') AND c.store_id IN (SELECT s.id
        FROM stores s WHERE s.deleted_at IS NULL)
            AND (CAST($1 AS UUID) IS NULL OR c.store_id IN (SELECT g.store_id FROM user_grants g
            WHERE g.user_id = $1))
            AND", my_turn_sql!(), "LIMIT $2) turns");
}

/// A change as the queue shows it.
#[derive(Debug, Clone, FromRow)]
pub struct WaitingChange {
    pub id: ChangeId,
    pub changeset_id: ChangesetId,
    pub store_id: StoreId,
    pub store_name: String,
    pub origin: ChangesetOrigin,
    pub kind: ChangeKind,
    pub title: String,
    /// Why, its first 400 characters.
    pub rationale: String,
    pub state: ChangeState,
    pub risk_level: RiskLevel,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// When it is due.
    pub due_at: Timestamp,
    /// True if the memory has moved below it.
    pub conflicted: bool,
    /// The first path that it touches.
    pub path: Option<String>,
    /// Approvals that its store asks for at its risk.
    pub needed: i64,
    /// Approvals that it has.
    pub given: i64,
    /// Who works on its changeset just now.
    pub claimed_by: Option<UserId>,
    pub claimed_name: Option<String>,
    /// What the active policies say of it; nothing until they were asked.
    pub outcome: Option<OutcomeKind>,
    /// From when on a policy applies it.
    pub applies_at: Option<Timestamp>,
    pub policy_name: Option<String>,
    /// Which version of it.
    pub policy_version: Option<i64>,
    /// Somebody holds it for review.
    pub held: bool,
}

/// How many changes a filter leaves, its state left aside.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct QueueCounts {
    #[sqlx(rename = "n_open")]
    pub open: i64,
    /// That wait for a decision of the asker; at most [`TURNS_COUNTED`].
    #[sqlx(rename = "n_mine")]
    pub mine: i64,
    /// That wait for a decision of anybody.
    #[sqlx(rename = "n_pending")]
    pub pending: i64,
    /// That may be committed.
    #[sqlx(rename = "n_ready")]
    pub ready: i64,
    /// That were put off.
    #[sqlx(rename = "n_deferred")]
    pub deferred: i64,
    /// Whose memory has moved.
    #[sqlx(rename = "n_conflicted")]
    pub conflicted: i64,
    #[sqlx(rename = "n_overdue")]
    pub overdue: i64,
}

/// Most that [`QueueCounts::mine`] says: whose turn it is has to be looked up change by change.
pub const TURNS_COUNTED: i64 = 1_000;

/// A page of the queue, earliest due first. `me` is whose turn is meant; `after` is the last change
/// of the page before.
pub async fn waiting(
    tx: &mut Tx,
    visible: Visible,
    me: Option<UserId>,
    filter: &QueueFilter,
    after: Option<(i64, ChangeId)>,
    now: Timestamp,
    limit: i64,
) -> Result<Page<WaitingChange>> {
    let (place, id) = after.unzip();
    let sql = match tx {
        Tx::Sqlite(_) => WAITING_SQLITE,
        Tx::Postgres(_) => WAITING_POSTGRES,
    };
    let rows = fetch_all!(
        tx,
        WaitingChange,
        sql,
        viewer(visible),
        now,
        me,
        filter.store,
        filter.kind,
        filter.label_pattern(),
        filter.agent.as_deref(),
        filter.text_pattern(),
        filter.assignee,
        filter.risk,
        filter.origin,
        filter.policy,
        filter.state,
        place,
        id,
        limit + 1
    )?;
    Ok(Page::of(rows, limit))
}

/// How many changes the filter leaves, its state left aside.
pub async fn counts(
    tx: &mut Tx,
    visible: Visible,
    me: Option<UserId>,
    filter: &QueueFilter,
    now: Timestamp,
) -> Result<QueueCounts> {
    if !filter.looks_inside() {
        let sql = match tx {
            Tx::Sqlite(_) => COUNTS_SQLITE,
            Tx::Postgres(_) => COUNTS_POSTGRES,
        };
        return fetch_optional!(tx, QueueCounts, sql, viewer(visible), now, me, filter.store)?
            .ok_or(crate::Error::Stale);
    }
    fetch_optional!(
        tx,
        QueueCounts,
        COUNTS_FILTERED,
        viewer(visible),
        now,
        me,
        filter.store,
        filter.kind,
        filter.label_pattern(),
        filter.agent.as_deref(),
        filter.text_pattern(),
        filter.assignee,
        filter.risk,
        filter.origin,
        filter.policy
    )?
    .ok_or(crate::Error::Stale)
}

/// How many changes wait for a decision of one person, counted up to a limit.
pub async fn my_turn(tx: &mut Tx, visible: Visible, me: UserId, limit: i64) -> Result<i64> {
    fetch_scalar!(tx, i64, MY_TURN, viewer(visible), limit, me)
}
