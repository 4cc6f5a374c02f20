//! Settings of the installation: a word by name.

use crate::{Result, Tx};

statements! {
    GET = "SELECT value FROM settings WHERE name = $1";
    PUT = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
}

/// A setting, if it was ever set.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<String>> {
    Ok(fetch_optional!(tx, (String,), GET, name)?.map(|(value,)| value))
}

/// Takes the lock that changes of people, roles and grants take first: two at once must not each take the other's last right.
pub async fn lock_people(tx: &mut Tx) -> Result<()> {
    put(tx, "people", "locked while they are changed").await
}

/// Sets it.
pub async fn put(tx: &mut Tx, name: &str, value: &str) -> Result<()> {
    execute!(tx, PUT, name, value)?;
    Ok(())
}
