//! API keys: hashed at rest, each of one person, with scopes, and maybe for one store only.

use domain::{
    Timestamp,
    ids::{KeyId, StoreId, UserId},
};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    INSERT = "INSERT INTO api_keys (id, user_id, store_id, name, secret_hash, scopes, created_at,
        expires_at, created_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    BY_SECRET = "SELECT k.id, k.user_id, u.name AS owner, k.store_id, k.name, k.scopes,
        k.created_at, k.expires_at, k.last_used_at, k.revoked_at, k.created_by
        FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.secret_hash = $1
        AND u.disabled_at IS NULL";
    GET = "SELECT k.id, k.user_id, u.name AS owner, k.store_id, k.name, k.scopes, k.created_at,
        k.expires_at, k.last_used_at, k.revoked_at, k.created_by
        FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.id = $1";
    ALL = "SELECT k.id, k.user_id, u.name AS owner, k.store_id, k.name, k.scopes, k.created_at,
        k.expires_at, k.last_used_at, k.revoked_at, k.created_by
        FROM api_keys k JOIN users u ON u.id = k.user_id ORDER BY k.id";
    NAMES = concat!("SELECT k.id, k.name, u.name FROM api_keys k JOIN users u ON u.id = k.user_id
        WHERE k.id IN (", fifty!(), ")");
    ANSWER_FOR = "SELECT user_id, created_by FROM api_keys WHERE id = $1";
    REVOKE = "UPDATE api_keys SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
    USED = "UPDATE api_keys SET last_used_at = $1 WHERE id = $2 AND (last_used_at IS NULL
        OR last_used_at < $1)";
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct KeyRow {
    pub id: KeyId,
    pub user_id: UserId,
    /// How its owner is called.
    pub owner: String,
    /// The only store that it is for.
    pub store_id: Option<StoreId>,
    pub name: String,
    /// Its scopes, with spaces between.
    pub scopes: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to within the interval of small writes.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Who made it; none on the command line.
    pub created_by: Option<UserId>,
}

impl KeyRow {
    /// True if it still opens anything.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
}

/// Stores a key by the SHA-256 of its secret.
pub async fn insert(tx: &mut Tx, key: &KeyRow, secret_hash: &[u8]) -> Result<()> {
    let (name, scopes) = (key.name.as_str(), key.scopes.as_str());
    execute!(
        tx,
        INSERT,
        key.id,
        key.user_id,
        key.store_id,
        name,
        secret_hash,
        scopes,
        key.created_at,
        key.expires_at,
        key.created_by
    )?;
    Ok(())
}

/// The key of a secret, whether it is still good or not, if its owner's account is.
pub async fn by_secret(tx: &mut Tx, secret_hash: &[u8]) -> Result<Option<KeyRow>> {
    fetch_optional!(tx, KeyRow, BY_SECRET, secret_hash)
}

/// One key, whether it is still good or not.
pub async fn get(tx: &mut Tx, id: KeyId) -> Result<Option<KeyRow>> {
    fetch_optional!(tx, KeyRow, GET, id)
}

/// Every key, oldest first.
pub async fn all(tx: &mut Tx) -> Result<Vec<KeyRow>> {
    fetch_all!(tx, KeyRow, ALL)
}

/// How these keys and their owners are called.
pub async fn names(tx: &mut Tx, ids: &[KeyId]) -> Result<Vec<(KeyId, String, String)>> {
    fetch_listed!(tx, (KeyId, String, String), NAMES, ids)
}

/// Returns who owns a key, and who made it.
pub async fn answer_for(tx: &mut Tx, id: KeyId) -> Result<Vec<UserId>> {
    let row = fetch_optional!(tx, (UserId, Option<UserId>), ANSWER_FOR, id)?;
    let mut people: Vec<UserId> = row
        .into_iter()
        .flat_map(|(owner, maker)| [Some(owner), maker])
        .flatten()
        .collect();
    people.dedup();
    Ok(people)
}

/// Ends a key; false if it had ended.
pub async fn revoke(tx: &mut Tx, id: KeyId, at: Timestamp) -> Result<bool> {
    Ok(execute!(tx, REVOKE, at, id)? == 1)
}

/// Notes when a key was last used.
pub async fn used(tx: &mut Tx, id: KeyId, at: Timestamp) -> Result<()> {
    execute!(tx, USED, at, id)?;
    Ok(())
}
