//! Settings of the installation: a word by name.

use crate::{Result, Tx};

statements! {
    GET = "SELECT value FROM settings WHERE name = $1";
    SHARE_POSTGRES = "SELECT value FROM settings WHERE name = $1 FOR SHARE";
    PUT = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE
        SET value = excluded.value";
}

/// A setting, if it was ever set.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<String>> {
    Ok(fetch_optional!(tx, (String,), GET, name)?.map(|(value,)| value))
}

/// Name of the row that is the lock of all rights.
const PEOPLE: &str = "people";

/// Takes the lock of all rights for itself, the first in the order of locks: what changes people,
/// roles, grants or keys waits for every write that relies on them, and two such changes cannot
/// each take the other's last right.
pub async fn lock_people(tx: &mut Tx) -> Result<()> {
    put(tx, PEOPLE, "locked while they are changed").await
}

/// Shares the lock of all rights until the transaction ends: nothing that it relies on changes
/// meanwhile. SQLite has one writer, so that nothing is needed there.
pub async fn share_people(tx: &mut Tx) -> Result<()> {
    if matches!(tx, Tx::Postgres(_)) {
        fetch_optional!(tx, (String,), SHARE_POSTGRES, PEOPLE)?;
    }
    Ok(())
}

/// Stores a setting of the installation.
pub async fn put(tx: &mut Tx, name: &str, value: &str) -> Result<()> {
    execute!(tx, PUT, name, value)?;
    Ok(())
}
