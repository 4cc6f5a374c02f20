//! People with an account.

use domain::{
    Timestamp,
    actor::{Role, Visible},
    ids::UserId,
};
use sqlx::FromRow;

use crate::{Result, Tx, engine::viewer};

statements! {
    INSERT = "INSERT INTO users (id, email, name, password_hash, role, created_at) VALUES ($1, $2,
        $3, $4, $5, $6)";
    GET = "SELECT id, email, name, password_hash, role, created_at, disabled_at, credential_issuer
        FROM users WHERE id = $1";
    BY_EMAIL = "SELECT id, email, name, password_hash, role, created_at, disabled_at,
        credential_issuer FROM users WHERE email = $1";
    ALL = "SELECT id, email, name, password_hash, role, created_at, disabled_at, credential_issuer
        FROM users ORDER BY name, id";
    KNOWN = "SELECT u.id, u.name FROM users u WHERE CAST($1 AS UUID) IS NULL
            OR EXISTS (SELECT 1 FROM user_grants g JOIN user_grants mine
            ON mine.store_id = g.store_id WHERE g.user_id = u.id AND mine.user_id = $1)
            OR EXISTS (SELECT 1 FROM decisions d JOIN changes c ON c.id = d.change_id
            JOIN user_grants mine ON mine.store_id = c.store_id
                WHERE d.user_id = u.id AND mine.user_id = $1)
        ORDER BY u.name, u.id";
    NAMES = concat!("SELECT id, name FROM users WHERE id IN (", fifty!(), ")");
    COUNT = "SELECT COUNT(*) FROM users";
    FORGET_PASSWORD = "UPDATE users SET password_hash = NULL WHERE id = $1";
    SET_ROLE = "UPDATE users SET role = $1 WHERE id = $2 AND role = $3";
    DISABLE = "UPDATE users SET disabled_at = $1 WHERE id = $2 AND disabled_at IS NULL";
    ENABLE = "UPDATE users SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL";
    ADMINS = "SELECT COUNT(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL";
    SET_PASSWORD = "UPDATE users SET password_hash = $1, credential_issuer = $3 WHERE id = $2
        AND disabled_at IS NULL";
    CHANGE_PASSWORD = "UPDATE users SET password_hash = $1 WHERE id = $2 AND disabled_at IS NULL
        AND password_hash = $3";
    ISSUERS = "SELECT id, credential_issuer FROM users WHERE credential_issuer IS NOT NULL";
}

/// The account of a person.
#[derive(Clone, FromRow)]
pub struct UserRow {
    pub id: UserId,
    /// Address, lower case, unique.
    pub email: String,
    /// How the person is called on pages.
    pub name: String,
    /// argon2id, in PHC form; none before the first sign-in.
    pub password_hash: Option<String>,
    pub role: Role,
    pub created_at: Timestamp,
    /// Since when they may not sign in.
    pub disabled_at: Option<Timestamp>,
    /// Who issued the current credential and saw the link, if anybody did.
    pub credential_issuer: Option<UserId>,
}

impl std::fmt::Debug for UserRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRow")
            .field("id", &self.id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

/// Adds an account; a duplicate address is a unique violation.
pub async fn insert(tx: &mut Tx, user: &UserRow) -> Result<()> {
    let hash = user.password_hash.as_deref();
    execute!(
        tx,
        INSERT,
        user.id,
        user.email.as_str(),
        user.name.as_str(),
        hash,
        user.role,
        user.created_at
    )?;
    Ok(())
}

/// An account by id.
pub async fn get(tx: &mut Tx, id: UserId) -> Result<Option<UserRow>> {
    fetch_optional!(tx, UserRow, GET, id)
}

/// The account of an address (lower case).
pub async fn by_email(tx: &mut Tx, email: &str) -> Result<Option<UserRow>> {
    fetch_optional!(tx, UserRow, BY_EMAIL, email)
}

/// Every account, by name.
pub async fn all(tx: &mut Tx) -> Result<Vec<UserRow>> {
    fetch_all!(tx, UserRow, ALL)
}

/// The people, by name, who may see a store that the viewer sees, or decided on something in it.
pub async fn known(tx: &mut Tx, visible: Visible) -> Result<Vec<(UserId, String)>> {
    fetch_all!(tx, (UserId, String), KNOWN, viewer(visible))
}

/// How the people of these accounts are called.
pub async fn names(tx: &mut Tx, ids: &[UserId]) -> Result<Vec<(UserId, String)>> {
    fetch_listed!(tx, (UserId, String), NAMES, ids)
}

/// How many accounts there are.
pub async fn count(tx: &mut Tx) -> Result<i64> {
    fetch_scalar!(tx, i64, COUNT)
}

/// Sets a password hash by a one-time link, and who saw that link; false if the account is disabled
/// or gone.
pub async fn set_password(
    tx: &mut Tx,
    id: UserId,
    hash: &str,
    issuer: Option<UserId>,
) -> Result<bool> {
    Ok(execute!(tx, SET_PASSWORD, hash, id, issuer)? == 1)
}

/// Replaces a password hash by another; false if it is no longer the one before, or the account is
/// disabled. Anyone who saw the link that the account began with may have chosen the one before,
/// and so this one: that stays recorded.
pub async fn change_password(tx: &mut Tx, id: UserId, before: &str, after: &str) -> Result<bool> {
    Ok(execute!(tx, CHANGE_PASSWORD, after, id, before)? == 1)
}

/// Accounts whose current credential was issued by somebody who saw it, with that somebody.
pub async fn issuers(tx: &mut Tx) -> Result<Vec<(UserId, UserId)>> {
    fetch_all!(tx, (UserId, UserId), ISSUERS)
}

/// Changes what somebody is; false if they are no longer what they were.
pub async fn set_role(tx: &mut Tx, id: UserId, from: Role, to: Role) -> Result<bool> {
    Ok(execute!(tx, SET_ROLE, to, id, from)? == 1)
}

/// Disables an account at a time, or with none enables it again; false if it was so already.
pub async fn set_disabled(tx: &mut Tx, id: UserId, at: Option<Timestamp>) -> Result<bool> {
    let rows = match at {
        Some(at) => execute!(tx, DISABLE, at, id)?,
        None => execute!(tx, ENABLE, id)?,
    };
    Ok(rows == 1)
}

/// How many admins can sign in.
pub async fn admins(tx: &mut Tx) -> Result<i64> {
    fetch_scalar!(tx, i64, ADMINS)
}

/// Forgets a password: nobody signs in with it any more.
pub async fn forget_password(tx: &mut Tx, id: UserId) -> Result<()> {
    execute!(tx, FORGET_PASSWORD, id)?;
    Ok(())
}
