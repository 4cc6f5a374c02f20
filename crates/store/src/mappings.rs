//! Saved mappings of transcripts.

use domain::Timestamp;
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    ALL = "SELECT name, mapping, updated_by, updated_at FROM mappings ORDER BY name";
    GET = "SELECT name, mapping, updated_by, updated_at FROM mappings WHERE name = $1";
    COUNT = "SELECT COUNT(*) FROM mappings WHERE name <> $1";
    PUT = "INSERT INTO mappings (name, mapping, updated_by, updated_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET mapping = excluded.mapping,
        updated_by = excluded.updated_by, updated_at = excluded.updated_at";
    DELETE = "DELETE FROM mappings WHERE name = $1";
}

/// A mapping as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct MappingRow {
    pub name: String,
    /// The mapping, as JSON.
    pub mapping: String,
    /// Who saved it last, by kind and id.
    pub updated_by: String,
    pub updated_at: Timestamp,
}

/// Every mapping, by name.
pub async fn all(tx: &mut Tx) -> Result<Vec<MappingRow>> {
    fetch_all!(tx, MappingRow, ALL)
}

/// The mapping of a name.
pub async fn get(tx: &mut Tx, name: &str) -> Result<Option<MappingRow>> {
    fetch_optional!(tx, MappingRow, GET, name)
}

/// How many there are beside the one of this name.
pub async fn count_others(tx: &mut Tx, name: &str) -> Result<i64> {
    Ok(fetch_optional!(tx, (i64,), COUNT, name)?.map_or(0, |(n,)| n))
}

/// Saves a mapping, in place of the one of the same name.
pub async fn put(tx: &mut Tx, row: &MappingRow) -> Result<()> {
    execute!(
        tx,
        PUT,
        row.name.as_str(),
        row.mapping.as_str(),
        row.updated_by.as_str(),
        row.updated_at
    )?;
    Ok(())
}

/// Deletes the mapping of a name; whether there was one.
pub async fn delete(tx: &mut Tx, name: &str) -> Result<bool> {
    Ok(execute!(tx, DELETE, name)? > 0)
}
