//! Views of the queue that people saved under a name.

use domain::{Timestamp, ids::UserId};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    OF = "SELECT name, query FROM saved_views WHERE user_id = $1 ORDER BY name";
    PUT = "INSERT INTO saved_views (user_id, name, query, created_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, name) DO UPDATE SET query = excluded.query";
    DELETE = "DELETE FROM saved_views WHERE user_id = $1 AND name = $2";
}

/// A person's saved filter of the queue.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SavedView {
    pub name: String,
    /// The filters, as the query of the queue's address: `store=..&risk=high`.
    pub query: String,
}

/// Somebody's views, by name.
pub async fn of(tx: &mut Tx, user: UserId) -> Result<Vec<SavedView>> {
    fetch_all!(tx, SavedView, OF, user)
}

/// Saves a view, in place of the one of the same name.
pub async fn put(tx: &mut Tx, user: UserId, view: &SavedView, now: Timestamp) -> Result<()> {
    execute!(tx, PUT, user, view.name.as_str(), view.query.as_str(), now)?;
    Ok(())
}

/// Deletes a view; whether there was one.
pub async fn delete(tx: &mut Tx, user: UserId, name: &str) -> Result<bool> {
    Ok(execute!(tx, DELETE, user, name)? > 0)
}
