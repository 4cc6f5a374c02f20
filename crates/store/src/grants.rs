//! Who was granted what: people directly, and teams, whose people have what the team has.

use domain::{
    Timestamp,
    actor::{Grant, StoreRole},
    ids::{GrantId, StoreId, TeamId, UserId},
    memory::PathPrefix,
};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    GRANT = "INSERT INTO grants (id, user_id, store_id, path_prefix, role, created_by, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (user_id, store_id, path_prefix) DO UPDATE SET role = excluded.role";
    GRANT_TEAM = "INSERT INTO team_grants (id, team_id, store_id, path_prefix, role, created_by,
        created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (team_id, store_id, path_prefix) DO UPDATE SET role = excluded.role";
    REVOKE = "DELETE FROM grants WHERE user_id = $1 AND store_id = $2 AND path_prefix = $3";
    REVOKE_TEAM = "DELETE FROM team_grants WHERE team_id = $1 AND store_id = $2
        AND path_prefix = $3";
    OF_USER = "SELECT store_id, path_prefix, role FROM user_grants WHERE user_id = $1
        ORDER BY store_id, path_prefix, role";
    OF_STORE = "SELECT u.id AS user_id, NULL AS team_id, u.name, g.path_prefix, g.role FROM grants g
        JOIN users u ON u.id = g.user_id
            WHERE g.store_id = $1
        UNION ALL
        SELECT NULL, t.id, t.name, g.path_prefix, g.role FROM team_grants g JOIN teams t
        ON t.id = g.team_id WHERE g.store_id = $1
        ORDER BY 3, 4";
    OF_TEAM = "SELECT store_id, path_prefix, role FROM team_grants WHERE team_id = $1
        ORDER BY store_id, path_prefix";
    OF_ALL = "SELECT user_id, store_id, path_prefix, role FROM user_grants ORDER BY user_id,
        store_id, path_prefix, role";
    ELIGIBLE = "SELECT DISTINCT g.user_id FROM user_grants g JOIN users u ON u.id = g.user_id
        WHERE u.disabled_at IS NULL AND u.role IN ('admin', 'reviewer') AND g.role IN ('reviewer',
        'owner')
          AND (CAST($1 AS UUID) IS NULL OR g.store_id = $1) ORDER BY 1";
    DECIDERS = "SELECT g.user_id, u.name, g.path_prefix, g.role FROM user_grants g JOIN users u
        ON u.id = g.user_id
        WHERE g.store_id = $1 AND g.role IN ('reviewer', 'owner') AND u.role IN ('admin',
        'reviewer') AND u.disabled_at IS NULL
        ORDER BY u.name, g.user_id";
    // Also those whose account is disabled, or who are no reviewers any more: that somebody is
    // named is what counts.
    OWNERS = "SELECT g.user_id, g.path_prefix FROM user_grants g WHERE g.store_id = $1
        AND g.role = 'owner' ORDER BY g.user_id, g.path_prefix";
    STORES_OF_TEAM = "SELECT DISTINCT g.store_id FROM team_grants g JOIN stores s
        ON s.id = g.store_id WHERE g.team_id = $1 AND s.deleted_at IS NULL";
    INSERT_TEAM = "INSERT INTO teams (id, name, created_by, created_at) VALUES ($1, $2, $3, $4)";
    TEAMS = "SELECT id, name FROM teams ORDER BY name";
    TEAM = "SELECT id, name FROM teams WHERE id = $1";
    JOIN = "INSERT INTO team_members (team_id, user_id) VALUES ($1, $2) ON CONFLICT (team_id,
        user_id) DO NOTHING";
    LEAVE = "DELETE FROM team_members WHERE team_id = $1 AND user_id = $2";
    MEMBERS = "SELECT team_id, user_id FROM team_members ORDER BY team_id, user_id";
}

/// The receiver of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grantee {
    Person(UserId),
    /// Everybody in a team.
    Team(TeamId),
}

/// A team with the number of its members.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct TeamRow {
    pub id: TeamId,
    pub name: String,
}

/// A grant on a store with who has it.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct GrantRow {
    /// The person, if it is one's own.
    pub user_id: Option<UserId>,
    /// The team, if it is a team's.
    pub team_id: Option<TeamId>,
    /// How person or team is called.
    pub name: String,
    /// On which part of the store.
    pub path_prefix: PathPrefix,
    pub role: StoreRole,
}

/// Gives a role on a store or path, in place of the one that was given there before.
pub async fn grant(
    tx: &mut Tx,
    id: GrantId,
    to: Grantee,
    grant: &Grant,
    created_by: &str,
    at: Timestamp,
) -> Result<()> {
    match to {
        Grantee::Person(user) => execute!(
            tx,
            GRANT,
            id,
            user,
            grant.store,
            &grant.path,
            grant.role,
            created_by,
            at
        )?,
        Grantee::Team(team) => execute!(
            tx,
            GRANT_TEAM,
            id,
            team,
            grant.store,
            &grant.path,
            grant.role,
            created_by,
            at
        )?,
    };
    Ok(())
}

/// Takes a grant back; false if there was none.
pub async fn revoke(tx: &mut Tx, from: Grantee, store: StoreId, path: &PathPrefix) -> Result<bool> {
    let rows = match from {
        Grantee::Person(user) => execute!(tx, REVOKE, user, store, path)?,
        Grantee::Team(team) => execute!(tx, REVOKE_TEAM, team, store, path)?,
    };
    Ok(rows == 1)
}

/// Returns what a person was granted, also by their teams.
pub async fn of_user(tx: &mut Tx, user: UserId) -> Result<Vec<Grant>> {
    let rows = fetch_all!(tx, (StoreId, PathPrefix, StoreRole), OF_USER, user)?;
    Ok(rows
        .into_iter()
        .map(|(store, path, role)| Grant { store, path, role })
        .collect())
}

/// Returns who was granted what on a store, by name.
pub async fn of_store(tx: &mut Tx, store: StoreId) -> Result<Vec<GrantRow>> {
    fetch_all!(tx, GrantRow, OF_STORE, store)
}

/// Returns what everybody was granted, also by their teams.
pub async fn of_all(tx: &mut Tx) -> Result<Vec<(UserId, Grant)>> {
    let rows = fetch_all!(tx, (UserId, StoreId, PathPrefix, StoreRole), OF_ALL)?;
    Ok(rows
        .into_iter()
        .map(|(user, store, path, role)| (user, Grant { store, path, role }))
        .collect())
}

/// Returns what a team was granted.
pub async fn of_team(tx: &mut Tx, team: TeamId) -> Result<Vec<Grant>> {
    let rows = fetch_all!(tx, (StoreId, PathPrefix, StoreRole), OF_TEAM, team)?;
    Ok(rows
        .into_iter()
        .map(|(store, path, role)| Grant { store, path, role })
        .collect())
}

/// Accounts that may decide somewhere in a store, or in any store.
pub async fn eligible(tx: &mut Tx, store: Option<StoreId>) -> Result<Vec<UserId>> {
    Ok(fetch_all!(tx, (UserId,), ELIGIBLE, store)?
        .into_iter()
        .map(|(user,)| user)
        .collect())
}

/// Somebody who may decide in a part of a store.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct DeciderRow {
    pub user_id: UserId,
    pub name: String,
    pub path_prefix: PathPrefix,
    pub role: StoreRole,
}

/// Returns who may decide where in a store, each person once for each of their grants.
pub async fn deciders(tx: &mut Tx, store: StoreId) -> Result<Vec<DeciderRow>> {
    fetch_all!(tx, DeciderRow, DECIDERS, store)
}

/// Returns who is named owner of which part of a store, whether they can still decide or not.
pub async fn owners(tx: &mut Tx, store: StoreId) -> Result<Vec<(UserId, PathPrefix)>> {
    fetch_all!(tx, (UserId, PathPrefix), OWNERS, store)
}

/// Makes a team; a duplicate name is a unique violation.
pub async fn insert_team(
    tx: &mut Tx,
    team: &TeamRow,
    created_by: &str,
    at: Timestamp,
) -> Result<()> {
    execute!(tx, INSERT_TEAM, team.id, team.name.as_str(), created_by, at)?;
    Ok(())
}

/// Every team, by name.
pub async fn teams(tx: &mut Tx) -> Result<Vec<TeamRow>> {
    fetch_all!(tx, TeamRow, TEAMS)
}

/// A team by id.
pub async fn team(tx: &mut Tx, id: TeamId) -> Result<Option<TeamRow>> {
    fetch_optional!(tx, TeamRow, TEAM, id)
}

/// Puts somebody into a team.
pub async fn join(tx: &mut Tx, team: TeamId, user: UserId) -> Result<()> {
    execute!(tx, JOIN, team, user)?;
    Ok(())
}

/// Takes somebody out of a team.
pub async fn leave(tx: &mut Tx, team: TeamId, user: UserId) -> Result<()> {
    execute!(tx, LEAVE, team, user)?;
    Ok(())
}

/// The stores on which a team has a grant.
pub async fn stores_of_team(tx: &mut Tx, team: TeamId) -> Result<Vec<StoreId>> {
    Ok(fetch_all!(tx, (StoreId,), STORES_OF_TEAM, team)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// Returns who is in which team.
pub async fn members(tx: &mut Tx) -> Result<Vec<(TeamId, UserId)>> {
    fetch_all!(tx, (TeamId, UserId), MEMBERS)
}
