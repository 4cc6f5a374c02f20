//! Vectors of texts, by the SHA-256 of the sentence model's name and the text.

use domain::Timestamp;

use crate::{Result, Tx};

statements! {
    GET = concat!("SELECT name, parts FROM vectors WHERE name IN (", fifty!(), ")");
    PUT = "INSERT INTO vectors (name, parts, created_at) VALUES ($1, $2, $3) ON CONFLICT (name)
        DO NOTHING";
    DROP = "DELETE FROM vectors WHERE created_at <= $1";
}

/// The parts of those vectors that are known, with their names.
pub async fn get(tx: &mut Tx, names: &[String]) -> Result<Vec<(String, Vec<u8>)>> {
    fetch_listed!(tx, (String, Vec<u8>), GET, names)
}

/// Stores a vector; one that is there already stays.
pub async fn put(tx: &mut Tx, name: &str, parts: &[u8], at: Timestamp) -> Result<()> {
    execute!(tx, PUT, name, parts, at)?;
    Ok(())
}

/// Forgets the vectors that were made up to a time.
pub async fn drop_until(tx: &mut Tx, until: Timestamp) -> Result<u64> {
    execute!(tx, DROP, until)
}
