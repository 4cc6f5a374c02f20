//! Policies: their versions, who wrote them, their back-tests, and the stops.

use domain::{
    Timestamp,
    ids::{PolicyId, StoreId, UserId},
    policy::VersionState,
};
use sqlx::FromRow;

use crate::{Result, Tx};

macro_rules! version_sql {
    () => {
        "SELECT v.policy_id, p.name, p.owner_id, u.name AS owner_name, v.number, v.content,
            v.sha256, v.state, v.state_since, v.note, v.created_at
            FROM policy_versions v JOIN policies p ON p.id = v.policy_id JOIN users u
            ON u.id = p.owner_id"
    };
}

statements! {
    INSERT = "INSERT INTO policies (id, name, owner_id, created_at) VALUES ($1, $2, $3, $4)";
    LOCK_POSTGRES = "SELECT id FROM policies WHERE id = $1 FOR UPDATE";
    RENAME = "UPDATE policies SET name = $1 WHERE id = $2";
    NAMES = concat!("SELECT id, name FROM policies WHERE id IN (", fifty!(), ")");
    BY_NAME = "SELECT id FROM policies WHERE name = $1";
    INSERT_VERSION = "INSERT INTO policy_versions (policy_id, number, content, sha256, state,
        state_since, created_at)
        VALUES ($1, $2, $3, $4, 'draft', $5, $5)";
    REWRITE = "UPDATE policy_versions SET content = $1, sha256 = $2 WHERE policy_id = $3
        AND number = $4 AND state = 'draft'";
    SET_STATE = "UPDATE policy_versions SET state = $1, state_since = $2, note = $3
        WHERE policy_id = $4 AND number = $5 AND state = $6";
    ALL = concat!(version_sql!(), " ORDER BY p.name, v.number DESC");
    OF_POLICY = concat!(version_sql!(), " WHERE v.policy_id = $1 ORDER BY v.number DESC");
    IN_STATE = concat!(version_sql!(), " WHERE v.state = $1 ORDER BY v.policy_id");
    WROTE = "INSERT INTO policy_authors (policy_id, number, user_id) VALUES ($1, $2, $3)
        ON CONFLICT (policy_id, number, user_id) DO NOTHING";
    COPY_AUTHORS = "INSERT INTO policy_authors (policy_id, number, user_id)
        SELECT a.policy_id, $3, a.user_id FROM policy_authors a WHERE a.policy_id = $1
        AND a.number = $2
        ON CONFLICT (policy_id, number, user_id) DO NOTHING";
    AUTHORS = "SELECT a.policy_id, a.number, a.user_id, u.name FROM policy_authors a JOIN users u
        ON u.id = a.user_id
        ORDER BY a.policy_id, a.number, u.name";
    PUT_BACK_TEST = "INSERT INTO policy_back_tests (policy_id, number, sha256, days, run_by, run_at,
        report) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (policy_id, number, run_at) DO UPDATE SET report = excluded.report,
        days = excluded.days, sha256 = excluded.sha256";
    LAST_BACK_TEST = "SELECT sha256, days, run_by, run_at, report FROM policy_back_tests
        WHERE policy_id = $1 AND number = $2
        ORDER BY run_at DESC LIMIT 1";
    STOP = "INSERT INTO policy_stops (scope, stopped_at, stopped_by, reason) VALUES ($1, $2, $3, $4)
        ON CONFLICT (scope) DO UPDATE SET stopped_at = excluded.stopped_at,
        stopped_by = excluded.stopped_by, reason = excluded.reason";
    STOPS = "SELECT scope, stopped_at, stopped_by, reason FROM policy_stops
        WHERE stopped_at IS NOT NULL ORDER BY scope";
    STOPS_OF = "SELECT scope, stopped_at, stopped_by, reason FROM policy_stops
        WHERE scope IN ('all', $1) ORDER BY scope";
    STOPS_OF_POSTGRES = "SELECT scope, stopped_at, stopped_by, reason FROM policy_stops
        WHERE scope IN ('all', $1) ORDER BY scope FOR SHARE";
}

/// A version of a policy.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct VersionRow {
    pub policy_id: PolicyId,
    pub name: String,
    /// Who is told when it pauses itself.
    pub owner_id: UserId,
    pub owner_name: String,
    /// Its number, from 1.
    pub number: i64,
    /// Rules, limits and tests, as JSON ([`domain::policy::PolicyFile`]).
    pub content: String,
    /// SHA-256 of these, hexadecimal.
    pub sha256: String,
    pub state: VersionState,
    pub state_since: Timestamp,
    /// Why it is paused or retired.
    pub note: String,
    /// When it was first saved.
    pub created_at: Timestamp,
}

/// Somebody who wrote a version.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct AuthorRow {
    pub policy_id: PolicyId,
    pub number: i64,
    pub user_id: UserId,
    pub name: String,
}

/// The stored result of a back-test.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct BackTestRow {
    /// Of which text of the version.
    pub sha256: String,
    /// Over so many days.
    pub days: i64,
    pub run_by: String,
    pub run_at: Timestamp,
    /// What came of it, as JSON ([`domain::policy::BackTest`]).
    pub report: String,
}

/// A stop of all policies, or of a store's.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StopRow {
    /// `all`, or the store's id.
    pub scope: String,
    /// Since when; nothing if it was lifted.
    pub stopped_at: Option<Timestamp>,
    pub stopped_by: String,
    pub reason: String,
}

impl StopRow {
    /// Returns what a stop is stored under.
    #[must_use]
    pub fn scope_of(store: Option<StoreId>) -> String {
        store.map_or_else(|| "all".to_owned(), |store| store.to_string())
    }
}

/// Makes a policy, without a version.
pub async fn insert(
    tx: &mut Tx,
    id: PolicyId,
    name: &str,
    owner: UserId,
    now: Timestamp,
) -> Result<()> {
    execute!(tx, INSERT, id, name, owner, now)?;
    Ok(())
}

/// Locks a policy until the transaction ends: what it applied is counted by one at a time. `SQLite`
/// has one writer.
pub async fn lock(tx: &mut Tx, id: PolicyId) -> Result<()> {
    if matches!(tx, Tx::Postgres(_)) {
        fetch_optional!(tx, (PolicyId,), LOCK_POSTGRES, id)?;
    }
    Ok(())
}

/// Calls it something else.
pub async fn rename(tx: &mut Tx, id: PolicyId, name: &str) -> Result<()> {
    execute!(tx, RENAME, name, id)?;
    Ok(())
}

/// The names of some policies.
pub async fn names(tx: &mut Tx, ids: &[PolicyId]) -> Result<Vec<(PolicyId, String)>> {
    fetch_listed!(tx, (PolicyId, String), NAMES, ids)
}

/// The policy of this name.
pub async fn by_name(tx: &mut Tx, name: &str) -> Result<Option<PolicyId>> {
    Ok(fetch_optional!(tx, (PolicyId,), BY_NAME, name)?.map(|(id,)| id))
}

/// Adds a draft version.
pub async fn insert_version(
    tx: &mut Tx,
    id: PolicyId,
    number: i64,
    (content, sha256): (&str, &str),
    now: Timestamp,
) -> Result<()> {
    execute!(tx, INSERT_VERSION, id, number, content, sha256, now)?;
    Ok(())
}

/// Gives a draft another text; false if it is no draft any more.
pub async fn rewrite(
    tx: &mut Tx,
    id: PolicyId,
    number: i64,
    (content, sha256): (&str, &str),
) -> Result<bool> {
    Ok(execute!(tx, REWRITE, content, sha256, id, number)? == 1)
}

/// Moves a version on; false if it is not in the state that it was read in.
pub async fn set_state(
    tx: &mut Tx,
    version: &VersionRow,
    to: VersionState,
    note: &str,
    now: Timestamp,
) -> Result<bool> {
    Ok(execute!(
        tx,
        SET_STATE,
        to,
        now,
        note,
        version.policy_id,
        version.number,
        version.state
    )? == 1)
}

/// Every version of every policy, by name, the newest first.
pub async fn all(tx: &mut Tx) -> Result<Vec<VersionRow>> {
    fetch_all!(tx, VersionRow, ALL)
}

/// Every version of a policy, the newest first.
pub async fn of_policy(tx: &mut Tx, id: PolicyId) -> Result<Vec<VersionRow>> {
    fetch_all!(tx, VersionRow, OF_POLICY, id)
}

/// The versions in a state, one of a policy at most for each but `retired`.
pub async fn in_state(tx: &mut Tx, state: VersionState) -> Result<Vec<VersionRow>> {
    fetch_all!(tx, VersionRow, IN_STATE, state)
}

/// Records who wrote a version.
pub async fn wrote(tx: &mut Tx, id: PolicyId, number: i64, user: UserId) -> Result<()> {
    execute!(tx, WROTE, id, number, user)?;
    Ok(())
}

/// Makes the authors of one version authors of another, too.
pub async fn copy_authors(tx: &mut Tx, id: PolicyId, from: i64, to: i64) -> Result<()> {
    execute!(tx, COPY_AUTHORS, id, from, to)?;
    Ok(())
}

/// Returns who wrote which version.
pub async fn authors(tx: &mut Tx) -> Result<Vec<AuthorRow>> {
    fetch_all!(tx, AuthorRow, AUTHORS)
}

/// Stores the result of a back-test.
pub async fn put_back_test(
    tx: &mut Tx,
    id: PolicyId,
    number: i64,
    row: &BackTestRow,
) -> Result<()> {
    execute!(
        tx,
        PUT_BACK_TEST,
        id,
        number,
        row.sha256.as_str(),
        row.days,
        row.run_by.as_str(),
        row.run_at,
        row.report.as_str()
    )?;
    Ok(())
}

/// The last back-test of a version.
pub async fn last_back_test(tx: &mut Tx, id: PolicyId, number: i64) -> Result<Option<BackTestRow>> {
    fetch_optional!(tx, BackTestRow, LAST_BACK_TEST, id, number)
}

/// Stops applying in a store or everywhere, or lifts the stop.
pub async fn stop(
    tx: &mut Tx,
    store: Option<StoreId>,
    at: Option<Timestamp>,
    by: &str,
    reason: &str,
) -> Result<()> {
    execute!(tx, STOP, StopRow::scope_of(store), at, by, reason)?;
    Ok(())
}

/// The stops that hold.
pub async fn stops(tx: &mut Tx) -> Result<Vec<StopRow>> {
    fetch_all!(tx, StopRow, STOPS)
}

/// The stop that holds in a store, its own or everybody's, locked against being changed until the
/// transaction ends.
pub async fn stopped(tx: &mut Tx, store: StoreId) -> Result<Option<StopRow>> {
    let sql = match tx {
        Tx::Sqlite(_) => STOPS_OF,
        Tx::Postgres(_) => STOPS_OF_POSTGRES,
    };
    let rows = fetch_all!(tx, StopRow, sql, store.to_string())?;
    Ok(rows.into_iter().find(|row| row.stopped_at.is_some()))
}
