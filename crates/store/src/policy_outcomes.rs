//! What policies say of changes: the inputs that they were asked with, outcomes, holds, shadows,
//! and what was applied.

use domain::{
    Timestamp,
    actor::Visible,
    changeset::{ChangeState, ChangesetOrigin},
    ids::{ChangeId, ChangesetId, CommitId, PolicyId, SessionId, StoreId, UserId},
    policy::OutcomeKind,
};
use sqlx::FromRow;

use crate::{Page, Result, Tx, engine::viewer};

/// The condition that a change (`c`) was reverted later.
macro_rules! reverted_sql {
    () => {
        "EXISTS (SELECT 1 FROM reverted_changes r JOIN changes rc ON rc.id = r.change_id
            WHERE r.of_change = c.id AND rc.state = 'committed')"
    };
}

macro_rules! application_sql {
    () => {
        concat!(
            "SELECT a.change_id, c.changeset_id, c.title, a.store_id, s.name AS store_name,
                a.policy_id, p.name AS policy_name, a.number,
                a.commit_id, a.applied_at, a.sampled, a.checked_at, u.name AS checked_by,
                a.confirmed, a.note, ",
            reverted_sql!(),
            " AS reverted
            FROM policy_applications a JOIN changes c ON c.id = a.change_id JOIN stores s
            ON s.id = a.store_id
                JOIN policies p ON p.id = a.policy_id LEFT JOIN users u ON u.id = a.checked_by"
        )
    };
}

statements! {
    // Who wrote what a revision of a change would alter: the versions that it was proposed against,
    // but for those that it leaves as they are. $3 is 30 days before.
    BASES = "SELECT v.by_person, cs.origin, COALESCE(m.frozen, FALSE) AS frozen,
            (v.created_at >= $3 AND EXISTS (SELECT 1 FROM decisions d
            WHERE d.change_id = v.change_id AND d.verdict = 'approve' AND d.taken_back_at IS NULL))
                AS approved_recently,
            (SELECT COUNT(DISTINCT r.session_id) FROM recorded_reads r JOIN memory_versions w
            ON w.id = r.version_id
                WHERE w.memory_id = v.memory_id AND r.read_at >= $3) AS readers
        FROM change_edits e JOIN memory_versions v ON v.id = e.base_version
            LEFT JOIN changes c ON c.id = v.change_id LEFT JOIN changesets cs
            ON cs.id = c.changeset_id
            LEFT JOIN memories m ON m.id = v.memory_id
        WHERE e.change_id = $1 AND e.revision = $2
            AND (e.content_sha256 IS NULL OR e.content_sha256 <> e.base_sha256
            OR e.new_path IS NOT NULL)";
    SPOKEN = "SELECT s.agent, CAST(SUM(CASE WHEN e.counter = $2 THEN 1
        ELSE 0 END) AS BIGINT) AS against, COUNT(*) AS quotes
        FROM evidence e JOIN sessions s ON s.id = e.session_id WHERE e.change_id = $1
        GROUP BY s.agent ORDER BY s.agent";
    // What was proposed first stays: a back-test asks what would have become of that, not of what a
    // person made of it.
    PUT_INPUT = "INSERT INTO policy_inputs (change_id, revision, input, read_at) VALUES ($1, $2, $3,
        $4)
        ON CONFLICT (change_id) DO UPDATE SET revision = excluded.revision, input = excluded.input,
        read_at = excluded.read_at
        WHERE policy_inputs.revision >= excluded.revision";
    APPENDED = "SELECT DISTINCT e.session_id FROM evidence e WHERE e.change_id = $1
        AND e.appendix ORDER BY e.session_id";
    PUT_OUTCOME = "INSERT INTO policy_outcomes (change_id, revision, outcome, detail, policy_id,
        number, due_at, epoch, asked_at, allowed_since)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (change_id) DO UPDATE SET revision = excluded.revision,
        outcome = excluded.outcome, detail = excluded.detail,
            policy_id = excluded.policy_id, number = excluded.number, due_at = excluded.due_at,
            epoch = excluded.epoch, asked_at = excluded.asked_at,
            allowed_since = excluded.allowed_since";
    ALLOWED_SINCE = "SELECT allowed_since FROM policy_outcomes WHERE change_id = $1
        AND revision = $2 AND allowed_since IS NOT NULL";
    FORGET_ALL = "DELETE FROM policy_outcomes WHERE change_id IN (SELECT c.id FROM changes c
        WHERE c.state = 'pending'
        AND (CAST($1 AS UUID) IS NULL OR c.store_id = $1))";
    POSTPONE = "UPDATE policy_outcomes SET due_at = $1 WHERE change_id = $2 AND due_at IS NOT NULL";
    DROP_OUTCOME = "DELETE FROM policy_outcomes WHERE change_id = $1";
    PUT_SHADOW = "INSERT INTO policy_shadows (policy_id, number, change_id, revision, outcome,
        detail, asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (policy_id, number, change_id) DO UPDATE SET revision = excluded.revision,
        outcome = excluded.outcome,
            detail = excluded.detail, asked_at = excluded.asked_at";
    // What the policies said of changes that are decided by now.
    DROP_ANSWERED = "DELETE FROM policy_outcomes WHERE asked_at < $1
        AND change_id IN (SELECT c.id FROM changes c WHERE c.state IN ('committed', 'rejected',
        'obsolete'))";
    DROP_SHADOWS = "DELETE FROM policy_shadows WHERE asked_at < $1";
    // Open changes that were never asked about, or whose revision or whose policies are others now,
    // or that were asked about long ago.
    TO_ASK = "SELECT c.id, c.changeset_id FROM changes c JOIN stores s ON s.id = c.store_id
        AND s.deleted_at IS NULL LEFT JOIN policy_outcomes o ON o.change_id = c.id
        WHERE c.state IN ('pending', 'approved', 'deferred') AND (o.change_id IS NULL
        OR o.revision <> c.revision OR o.epoch <> $1 OR o.asked_at < $2)
        ORDER BY c.id LIMIT $3";
    // Decided or committed changes of which no input was kept: they were proposed before policies
    // were there.
    TO_READ = "SELECT c.id, c.changeset_id FROM changes c JOIN stores s ON s.id = c.store_id
        AND s.deleted_at IS NULL WHERE c.state IN ('committed', 'rejected', 'obsolete')
        AND NOT EXISTS (SELECT 1 FROM policy_inputs i WHERE i.change_id = c.id) ORDER BY c.id DESC
        LIMIT $1";
    DUE = "SELECT o.change_id, c.changeset_id, o.policy_id, o.number FROM policy_outcomes o
        JOIN changes c ON c.id = o.change_id
            JOIN stores s ON s.id = c.store_id AND s.deleted_at IS NULL
        WHERE o.due_at <= $1 AND c.state = 'pending' AND o.revision = c.revision
            AND NOT EXISTS (SELECT 1 FROM policy_holds h WHERE h.change_id = c.id)
            AND NOT EXISTS (SELECT 1 FROM claims k WHERE k.changeset_id = c.changeset_id
            AND k.until > $1)
            AND NOT EXISTS (SELECT 1 FROM conflicted_changes x WHERE x.change_id = c.id)
        ORDER BY o.due_at, o.change_id LIMIT $2";
    HOLD = "INSERT INTO policy_holds (change_id, held_by, held_at) VALUES ($1, $2, $3)
        ON CONFLICT (change_id) DO NOTHING";
    LET_GO = "DELETE FROM policy_holds WHERE change_id = $1";
    IS_HELD = "SELECT COUNT(*) FROM policy_holds WHERE change_id = $1";
    OF_CHANGESETS = concat!("SELECT o.change_id, o.revision, o.outcome, o.detail, o.policy_id,
        p.name AS policy_name, o.number, o.due_at, o.asked_at,
            h.held_at, u.name AS held_by
        FROM policy_outcomes o JOIN changes c ON c.id = o.change_id LEFT JOIN policies p
        ON p.id = o.policy_id
            LEFT JOIN policy_holds h ON h.change_id = o.change_id LEFT JOIN users u
            ON u.id = h.held_by
        WHERE c.changeset_id IN (", fifty!(), ")");
    INSERT_APPLICATION = "INSERT INTO policy_applications (change_id, store_id, policy_id, number,
        commit_id, revision, input, detail, memories, applied_at, sampled)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    APPLIED_SINCE = "SELECT COUNT(*) FROM policy_applications WHERE policy_id = $1
        AND applied_at > $2";
    MEMORIES_SINCE = "SELECT CAST(COALESCE(SUM(memories), 0) AS BIGINT) FROM policy_applications
        WHERE policy_id = $1 AND store_id = $2 AND applied_at > $3";
    APPLIED_OF = concat!(application_sql!(), " WHERE a.change_id = $1");
    APPLIED_OF_CHANGESETS = concat!(application_sql!(), " WHERE c.changeset_id IN (", fifty!(), ")");
    APPLIED_BY = concat!(application_sql!(), " WHERE a.policy_id = $1
        AND (CAST($2 AS UUID) IS NULL OR a.store_id IN (SELECT g.store_id FROM user_grants g
        WHERE g.user_id = $2))
        ORDER BY a.applied_at DESC, a.change_id DESC LIMIT $3");
    TO_CHECK = concat!(application_sql!(), " WHERE a.sampled AND a.checked_at IS NULL
        AND s.deleted_at IS NULL
        AND (CAST($1 AS UUID) IS NULL OR a.store_id IN (SELECT g.store_id FROM user_grants g
        WHERE g.user_id = $1))
        ORDER BY a.applied_at, a.change_id LIMIT $2");
    CHECK = "UPDATE policy_applications SET checked_at = $1, checked_by = $2, confirmed = $3,
        note = $4 WHERE change_id = $5 AND checked_at IS NULL";
    // Of the last $2 changes of a policy: how many there are, and in how many people decided
    // against it.
    LAST = concat!("SELECT COUNT(*) AS applied, CAST(COALESCE(SUM(CASE WHEN x.against THEN 1
        ELSE 0 END), 0) AS BIGINT) AS overridden FROM (
            SELECT (COALESCE(a.confirmed, TRUE) = FALSE OR ", reverted_sql!(), ") AS against
            FROM policy_applications a JOIN changes c ON c.id = a.change_id WHERE a.policy_id = $1
            AND a.applied_at >= $3
            ORDER BY a.applied_at DESC, a.change_id DESC LIMIT $2) x");
    SUMS = concat!("SELECT a.policy_id, COUNT(*) AS applied,
            CAST(SUM(CASE WHEN COALESCE(a.confirmed, TRUE) = FALSE OR ", reverted_sql!(), " THEN 1 ELSE 0 END) AS BIGINT) AS overridden,
            CAST(SUM(CASE WHEN a.sampled THEN 1 ELSE 0 END) AS BIGINT) AS sampled,
            CAST(SUM(CASE WHEN a.checked_at IS NOT NULL THEN 1 ELSE 0 END) AS BIGINT) AS checked,
            CAST(SUM(CASE WHEN COALESCE(a.confirmed, FALSE) THEN 1
            ELSE 0 END) AS BIGINT) AS confirmed
        FROM policy_applications a JOIN changes c ON c.id = a.change_id
        WHERE a.applied_at >= $1 AND (CAST($2 AS UUID) IS NULL OR a.store_id IN (SELECT g.store_id
        FROM user_grants g WHERE g.user_id = $2))
        GROUP BY a.policy_id");
    DECIDED_BY_PEOPLE = "SELECT COUNT(DISTINCT d.change_id) FROM decisions d JOIN changes c
        ON c.id = d.change_id
        WHERE d.created_at >= $1 AND d.taken_back_at IS NULL AND d.verdict <> 'defer'
            AND (CAST($2 AS UUID) IS NULL OR c.store_id IN (SELECT g.store_id FROM user_grants g
            WHERE g.user_id = $2))";
    SHADOW_SUMS = "SELECT x.policy_id, x.number, x.outcome, c.state, COUNT(*) AS times
        FROM policy_shadows x JOIN changes c ON c.id = x.change_id
        WHERE x.asked_at >= $1 AND (CAST($2 AS UUID) IS NULL OR c.store_id IN (SELECT g.store_id
        FROM user_grants g WHERE g.user_id = $2))
        GROUP BY x.policy_id, x.number, x.outcome, c.state";
    PAST = concat!("SELECT i.change_id, c.title, c.changeset_id, c.created_at, i.input, c.state,
        c.revision,
            EXISTS (SELECT 1 FROM policy_applications a WHERE a.change_id = c.id) AS applied,
            EXISTS (SELECT 1 FROM change_contributors h WHERE h.change_id = c.id
            AND h.how = 'edited') AS edited,
            EXISTS (SELECT 1 FROM policy_applications a WHERE a.change_id = c.id
            AND a.confirmed = $4) AS objected, ", reverted_sql!(), " AS reverted
        FROM policy_inputs i JOIN changes c ON c.id = i.change_id
        WHERE c.created_at >= $1 AND (CAST($2 AS UUID) IS NULL OR c.store_id IN (SELECT g.store_id
        FROM user_grants g WHERE g.user_id = $2))
        ORDER BY c.created_at DESC, c.id DESC LIMIT $3");
    INPUT = "SELECT i.input FROM policy_inputs i JOIN changes c ON c.id = i.change_id
        WHERE i.change_id = $1 AND (CAST($2 AS UUID) IS NULL OR c.store_id IN (SELECT g.store_id
        FROM user_grants g WHERE g.user_id = $2))";
    OPEN_INPUTS = "SELECT i.change_id, c.changeset_id, c.title, i.input FROM policy_inputs i
        JOIN changes c ON c.id = i.change_id
        JOIN stores s ON s.id = c.store_id
        WHERE c.state = 'pending' AND i.revision = c.revision AND s.deleted_at IS NULL
            AND (CAST($1 AS UUID) IS NULL OR c.store_id IN (SELECT g.store_id FROM user_grants g
            WHERE g.user_id = $1))
        ORDER BY c.id LIMIT $2";
}

/// The writers of the content that a change would alter.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct BaseRow {
    /// A person wrote it.
    pub by_person: bool,
    /// Where the change came from that wrote it; nothing if it was written past the queue.
    pub origin: Option<ChangesetOrigin>,
    /// It is frozen now.
    pub frozen: bool,
    /// People approved it in the last 30 days.
    pub approved_recently: bool,
    /// Sessions that read the memory in the last 30 days.
    pub readers: i64,
}

/// Returns what a revision of a change would alter.
pub async fn bases(
    tx: &mut Tx,
    change: ChangeId,
    revision: i64,
    since: Timestamp,
) -> Result<Vec<BaseRow>> {
    fetch_all!(tx, BaseRow, BASES, change, revision, since)
}

/// By agent, how many quotes against a change there are, and how many in all.
pub async fn spoken(tx: &mut Tx, change: ChangeId) -> Result<Vec<(Option<String>, i64, i64)>> {
    fetch_all!(tx, (Option<String>, i64, i64), SPOKEN, change, true)
}

/// The sessions of quotes that a change got after it was proposed.
pub async fn appended(tx: &mut Tx, change: ChangeId) -> Result<Vec<SessionId>> {
    Ok(fetch_all!(tx, (SessionId,), APPENDED, change)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// Keeps what is known of a change.
pub async fn put_input(
    tx: &mut Tx,
    change: ChangeId,
    revision: i64,
    input: &str,
    now: Timestamp,
) -> Result<()> {
    execute!(tx, PUT_INPUT, change, revision, input, now)?;
    Ok(())
}

/// The answer of the active policies about a change.
#[derive(Debug, Clone)]
pub struct NewOutcome<'a> {
    pub change: ChangeId,
    pub revision: i64,
    /// `allow`, `forbid` or `review`.
    pub outcome: OutcomeKind,
    /// Why, as JSON ([`domain::policy::Outcome`]).
    pub detail: &'a str,
    /// The version that applies it, and from when on.
    pub by: Option<(PolicyId, i64, Timestamp)>,
    /// Which state of all policies was asked.
    pub epoch: i64,
    pub at: Timestamp,
    /// Since when it has been allowed without a break.
    pub allowed_since: Option<Timestamp>,
}

/// Stores the answer of the policies about a change.
pub async fn put(tx: &mut Tx, o: &NewOutcome<'_>) -> Result<()> {
    let (policy, number, due) = (
        o.by.map(|by| by.0),
        o.by.map(|by| by.1),
        o.by.map(|by| by.2),
    );
    execute!(
        tx,
        PUT_OUTCOME,
        o.change,
        o.revision,
        o.outcome,
        o.detail,
        policy,
        number,
        due,
        o.epoch,
        o.at,
        o.allowed_since
    )?;
    Ok(())
}

/// Since when a revision of a change has been allowed without a break.
pub async fn allowed_since(
    tx: &mut Tx,
    change: ChangeId,
    revision: i64,
) -> Result<Option<Timestamp>> {
    Ok(fetch_optional!(tx, (Timestamp,), ALLOWED_SINCE, change, revision)?.map(|(at,)| at))
}

/// Forgets what the policies said of every change that waits in a store, or in all.
pub async fn forget_all(tx: &mut Tx, store: Option<StoreId>) -> Result<()> {
    execute!(tx, FORGET_ALL, store)?;
    Ok(())
}

/// Tries to apply an allowed change again at a later time.
pub async fn postpone(tx: &mut Tx, change: ChangeId, until: Timestamp) -> Result<()> {
    execute!(tx, POSTPONE, until, change)?;
    Ok(())
}

/// Forgets what the policies said of a change, so that they are asked again.
pub async fn forget(tx: &mut Tx, change: ChangeId) -> Result<()> {
    execute!(tx, DROP_OUTCOME, change)?;
    Ok(())
}

/// Keeps what a version in shadow would have done.
pub async fn put_shadow(
    tx: &mut Tx,
    (policy, number): (PolicyId, i64),
    o: &NewOutcome<'_>,
) -> Result<()> {
    execute!(
        tx, PUT_SHADOW, policy, number, o.change, o.revision, o.outcome, o.detail, o.at
    )?;
    Ok(())
}

/// Drops what was said before a time of changes that are decided by now, and what shadows said
/// before another.
pub async fn drop_until(tx: &mut Tx, decided: Timestamp, shadows: Timestamp) -> Result<u64> {
    Ok(execute!(tx, DROP_ANSWERED, decided)? + execute!(tx, DROP_SHADOWS, shadows)?)
}

/// Open changes about which the policies are to be asked.
pub async fn to_ask(
    tx: &mut Tx,
    epoch: i64,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<(ChangeId, ChangesetId)>> {
    fetch_all!(tx, (ChangeId, ChangesetId), TO_ASK, epoch, before, limit)
}

/// Changes of the past of which nothing is kept that policies could be asked with.
pub async fn to_read(tx: &mut Tx, limit: i64) -> Result<Vec<(ChangeId, ChangesetId)>> {
    fetch_all!(tx, (ChangeId, ChangesetId), TO_READ, limit)
}

/// Changes that are to be applied now, the first due first.
pub async fn due(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(ChangeId, ChangesetId, PolicyId, i64)>> {
    fetch_all!(tx, (ChangeId, ChangesetId, PolicyId, i64), DUE, now, limit)
}

/// Takes a change away from the policies; false if somebody had.
pub async fn hold(tx: &mut Tx, change: ChangeId, by: UserId, now: Timestamp) -> Result<bool> {
    Ok(execute!(tx, HOLD, change, by, now)? == 1)
}

/// Gives it back to them; false if nobody held it.
pub async fn let_go(tx: &mut Tx, change: ChangeId) -> Result<bool> {
    Ok(execute!(tx, LET_GO, change)? == 1)
}

/// True if somebody holds it.
pub async fn is_held(tx: &mut Tx, change: ChangeId) -> Result<bool> {
    Ok(fetch_scalar!(tx, i64, IS_HELD, change)? > 0)
}

/// An outcome as pages show it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OutcomeRow {
    pub change_id: ChangeId,
    pub revision: i64,
    pub outcome: OutcomeKind,
    pub detail: String,
    /// The policy that applies it.
    pub policy_id: Option<PolicyId>,
    pub policy_name: Option<String>,
    pub number: Option<i64>,
    pub due_at: Option<Timestamp>,
    /// When the policies were asked.
    pub asked_at: Timestamp,
    /// When somebody took it away from them.
    pub held_at: Option<Timestamp>,
    pub held_by: Option<String>,
}

/// Outcomes of the changes of some changesets.
pub async fn of_changesets(tx: &mut Tx, ids: &[ChangesetId]) -> Result<Vec<OutcomeRow>> {
    fetch_listed!(tx, OutcomeRow, OF_CHANGESETS, ids)
}

/// A change that a policy applied.
#[derive(Debug, Clone)]
pub struct NewApplication<'a> {
    pub change: ChangeId,
    pub store: StoreId,
    /// By which version of which policy.
    pub by: (PolicyId, i64),
    pub commit: CommitId,
    pub revision: i64,
    /// What was known of it, as JSON.
    pub input: &'a str,
    /// Why it was allowed, as JSON.
    pub detail: &'a str,
    /// How many memories it changed.
    pub memories: i64,
    pub at: Timestamp,
    /// True if a person is to check it.
    pub sampled: bool,
}

/// Records that a policy applied a change.
pub async fn applied(tx: &mut Tx, a: &NewApplication<'_>) -> Result<()> {
    let (policy, number) = a.by;
    execute!(
        tx,
        INSERT_APPLICATION,
        a.change,
        a.store,
        policy,
        number,
        a.commit,
        a.revision,
        a.input,
        a.detail,
        a.memories,
        a.at,
        a.sampled
    )?;
    Ok(())
}

/// How many changes a policy applied after a time, and how many memories of a store it changed.
/// Under the policy's lock.
pub async fn applied_since(
    tx: &mut Tx,
    policy: PolicyId,
    store: StoreId,
    after: Timestamp,
) -> Result<(i64, i64)> {
    let changes = fetch_scalar!(tx, i64, APPLIED_SINCE, policy, after)?;
    Ok((
        changes,
        fetch_scalar!(tx, i64, MEMORIES_SINCE, policy, store, after)?,
    ))
}

/// An application as pages show it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ApplicationRow {
    pub change_id: ChangeId,
    pub changeset_id: ChangesetId,
    pub title: String,
    pub store_id: StoreId,
    pub store_name: String,
    pub policy_id: PolicyId,
    pub policy_name: String,
    pub number: i64,
    pub commit_id: CommitId,
    pub applied_at: Timestamp,
    /// True if a person is asked to check it.
    pub sampled: bool,
    pub checked_at: Option<Timestamp>,
    pub checked_by: Option<String>,
    /// What they said; false is an objection.
    pub confirmed: Option<bool>,
    pub note: String,
    /// True if its commit was reverted.
    pub reverted: bool,
}

/// The application of a change, if a policy applied it.
pub async fn application(tx: &mut Tx, change: ChangeId) -> Result<Option<ApplicationRow>> {
    fetch_optional!(tx, ApplicationRow, APPLIED_OF, change)
}

/// Returns what policies applied of some changesets.
pub async fn applications_of(tx: &mut Tx, ids: &[ChangesetId]) -> Result<Vec<ApplicationRow>> {
    fetch_listed!(tx, ApplicationRow, APPLIED_OF_CHANGESETS, ids)
}

/// Returns what a policy applied, the newest first.
pub async fn applications_by(
    tx: &mut Tx,
    policy: PolicyId,
    visible: Visible,
    limit: i64,
) -> Result<Vec<ApplicationRow>> {
    fetch_all!(
        tx,
        ApplicationRow,
        APPLIED_BY,
        policy,
        viewer(visible),
        limit
    )
}

/// Returns what waits to be checked, the oldest first.
pub async fn to_check(tx: &mut Tx, visible: Visible, limit: i64) -> Result<Page<ApplicationRow>> {
    Ok(Page::of(
        fetch_all!(tx, ApplicationRow, TO_CHECK, viewer(visible), limit + 1)?,
        limit,
    ))
}

/// Records what a person says of an application; false if somebody has.
pub async fn check(
    tx: &mut Tx,
    change: ChangeId,
    by: UserId,
    confirmed: bool,
    note: &str,
    now: Timestamp,
) -> Result<bool> {
    Ok(execute!(tx, CHECK, now, by, confirmed, note, change)? == 1)
}

/// Of the last so many changes of a policy since then, how many there are and in how many people
/// decided against it.
pub async fn last(tx: &mut Tx, policy: PolicyId, of: i64, since: Timestamp) -> Result<(i64, i64)> {
    Ok(fetch_optional!(tx, (i64, i64), LAST, policy, of, since)?.unwrap_or_default())
}

/// The sums of what a policy did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct SumRow {
    pub policy_id: PolicyId,
    /// Changes that it applied.
    pub applied: i64,
    /// Of these, in how many people decided against it: objected when they checked it, or reverted
    /// it.
    pub overridden: i64,
    /// How many people are asked to check.
    pub sampled: i64,
    /// How many they checked.
    pub checked: i64,
    /// How many they confirmed.
    pub confirmed: i64,
}

/// Returns what each policy did since then in stores that the viewer may see.
pub async fn sums(tx: &mut Tx, since: Timestamp, visible: Visible) -> Result<Vec<SumRow>> {
    fetch_all!(tx, SumRow, SUMS, since, viewer(visible))
}

/// On how many changes people decided since then.
pub async fn decided_by_people(tx: &mut Tx, since: Timestamp, visible: Visible) -> Result<i64> {
    fetch_scalar!(tx, i64, DECIDED_BY_PEOPLE, since, viewer(visible))
}

/// The answer of a version in shadow since then, and the fate of the change.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ShadowRow {
    pub policy_id: PolicyId,
    pub number: i64,
    pub outcome: OutcomeKind,
    pub state: ChangeState,
    pub times: i64,
}

/// Returns what versions in shadow said since then.
pub async fn shadows(tx: &mut Tx, since: Timestamp, visible: Visible) -> Result<Vec<ShadowRow>> {
    fetch_all!(tx, ShadowRow, SHADOW_SUMS, since, viewer(visible))
}

/// A change of the past.
#[derive(Debug, Clone, FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct PastRow {
    pub change_id: ChangeId,
    pub title: String,
    pub changeset_id: ChangesetId,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// What was known of it, as JSON.
    pub input: String,
    pub state: ChangeState,
    pub revision: i64,
    /// A policy applied it.
    pub applied: bool,
    /// A person edited it.
    pub edited: bool,
    /// A person who checked it objected.
    pub objected: bool,
    /// Its commit was reverted.
    pub reverted: bool,
}

/// Changes that were proposed since then, the newest first.
pub async fn past(
    tx: &mut Tx,
    since: Timestamp,
    visible: Visible,
    limit: i64,
) -> Result<Vec<PastRow>> {
    fetch_all!(tx, PastRow, PAST, since, viewer(visible), limit, false)
}

/// Returns what is known of a change, as JSON.
pub async fn input(tx: &mut Tx, change: ChangeId, visible: Visible) -> Result<Option<String>> {
    Ok(fetch_optional!(tx, (String,), INPUT, change, viewer(visible))?.map(|(input,)| input))
}

/// Returns what is known of the changes that wait now: change, changeset, title, input.
pub async fn open_inputs(
    tx: &mut Tx,
    visible: Visible,
    limit: i64,
) -> Result<Vec<(ChangeId, ChangesetId, String, String)>> {
    fetch_all!(
        tx,
        (ChangeId, ChangesetId, String, String),
        OPEN_INPUTS,
        viewer(visible),
        limit
    )
}
