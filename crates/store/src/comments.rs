//! What people say about a change, and who has had it before their eyes.

use domain::{
    Timestamp,
    ids::{ChangeId, ChangesetId, CommentId, UserId},
};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    INSERT = "INSERT INTO comments (id, change_id, revision, user_id, body, created_at) VALUES ($1,
        $2, $3, $4, $5, $6)";
    OF_CHANGESET = "SELECT k.id, k.change_id, k.revision, k.user_id, u.name AS user_name, k.body,
        k.created_at
        FROM comments k JOIN changes c ON c.id = k.change_id JOIN users u ON u.id = k.user_id
        WHERE c.changeset_id = $1 ORDER BY k.created_at, k.id";
    COUNT = "SELECT COUNT(*) FROM comments WHERE change_id = $1";
    OPENED = "INSERT INTO change_openings (change_id, revision, user_id, first_at) VALUES ($1, $2,
        $3, $4)
        ON CONFLICT (change_id, revision, user_id) DO NOTHING";
    IS_OPENED = "SELECT COUNT(*) FROM change_openings WHERE change_id = $1 AND revision = $2
        AND user_id = $3";
}

/// A comment on a change.
#[derive(Debug, Clone, FromRow)]
pub struct CommentRow {
    pub id: CommentId,
    pub change_id: ChangeId,
    /// The revision that it was written about.
    pub revision: i64,
    pub user_id: UserId,
    pub user_name: String,
    pub body: String,
    pub created_at: Timestamp,
}

/// Stores a comment. The writer's name is not taken from it.
pub async fn insert(tx: &mut Tx, c: &CommentRow) -> Result<()> {
    execute!(
        tx,
        INSERT,
        c.id,
        c.change_id,
        c.revision,
        c.user_id,
        c.body.as_str(),
        c.created_at
    )?;
    Ok(())
}

/// Every comment in a changeset, oldest first.
pub async fn of_changeset(tx: &mut Tx, id: ChangesetId) -> Result<Vec<CommentRow>> {
    fetch_all!(tx, CommentRow, OF_CHANGESET, id)
}

/// How many comments a change has.
pub async fn count(tx: &mut Tx, change: ChangeId) -> Result<i64> {
    fetch_scalar!(tx, i64, COUNT, change)
}

/// Notes that a person has this revision before their eyes; the first time counts.
pub async fn opened(
    tx: &mut Tx,
    change: ChangeId,
    revision: i64,
    user: UserId,
    at: Timestamp,
) -> Result<()> {
    execute!(tx, OPENED, change, revision, user, at)?;
    Ok(())
}

/// True if they had.
pub async fn is_opened(tx: &mut Tx, change: ChangeId, revision: i64, user: UserId) -> Result<bool> {
    Ok(fetch_scalar!(tx, i64, IS_OPENED, change, revision, user)? > 0)
}
