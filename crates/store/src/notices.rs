//! The inbox: what somebody is told, once for each person, reason and changeset.

use domain::{
    Timestamp,
    ids::{ChangesetId, NoticeId, StoreId, UserId},
    notice::NoticeReason,
};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    // What was read and happens again is new again; what was mailed is not mailed twice.
    PUT = "INSERT INTO notices (id, user_id, reason, changeset_id, created_at) VALUES ($1, $2, $3,
        $4, $5)
        ON CONFLICT (user_id, reason, changeset_id) DO UPDATE SET created_at = excluded.created_at,
        read_at = NULL";
    OF_USER = "SELECT n.id, n.user_id, n.reason, n.changeset_id, n.created_at, n.read_at, cs.title,
        s.name AS store_name
        FROM notices n JOIN changesets cs ON cs.id = n.changeset_id JOIN stores s
        ON s.id = cs.store_id
        WHERE n.user_id = $1 AND s.deleted_at IS NULL AND EXISTS (SELECT 1 FROM user_grants g
        JOIN users u ON u.id = g.user_id
                WHERE g.store_id = cs.store_id AND g.user_id = $1 AND u.role <> 'auditor')
          AND (cs.state = 'open' OR n.reason IN ('comment', 'decided'))
        ORDER BY CASE WHEN n.read_at IS NULL THEN 0 ELSE 1 END, n.created_at DESC, n.id LIMIT $2";
    UNREAD_OF = "SELECT COUNT(*) FROM notices WHERE user_id = $1 AND changeset_id = $2
        AND read_at IS NULL";
    UNREAD = "SELECT COUNT(*) FROM notices n JOIN changesets cs ON cs.id = n.changeset_id
        JOIN stores s ON s.id = cs.store_id
        WHERE n.user_id = $1 AND n.read_at IS NULL AND s.deleted_at IS NULL
          AND EXISTS (SELECT 1 FROM user_grants g JOIN users u ON u.id = g.user_id
                WHERE g.store_id = cs.store_id AND g.user_id = $1 AND u.role <> 'auditor')
          AND (cs.state = 'open' OR n.reason IN ('comment', 'decided'))";
    MENDED = "DELETE FROM notices WHERE changeset_id = $1 AND reason = 'conflict'";
    MENDED_IN_STORE = "DELETE FROM notices WHERE reason = 'conflict' AND changeset_id IN (SELECT id
        FROM changesets WHERE store_id = $1 AND state = 'open')
          AND NOT EXISTS (SELECT 1 FROM changes c JOIN conflicted_changes x ON x.change_id = c.id
                WHERE c.changeset_id = notices.changeset_id AND c.state IN ('pending', 'approved',
                'deferred'))";
    READ = "UPDATE notices SET read_at = $1 WHERE user_id = $2 AND changeset_id = $3 AND reason = $4
        AND read_at IS NULL";
    READ_ALL = "UPDATE notices SET read_at = $1 WHERE user_id = $2 AND reason = $3
        AND read_at IS NULL";
    TO_MAIL = "SELECT n.id, n.user_id, n.reason, n.changeset_id, u.email, u.name, cs.title,
        s.name AS store_name
        FROM notices n JOIN users u ON u.id = n.user_id JOIN changesets cs ON cs.id = n.changeset_id
        JOIN stores s ON s.id = cs.store_id
        WHERE n.mailed_at IS NULL AND n.read_at IS NULL AND n.reason = 'your_turn'
        AND u.mail_notices AND u.disabled_at IS NULL
          AND cs.state = 'open' AND u.role IN ('admin', 'reviewer')
          AND s.deleted_at IS NULL AND EXISTS (SELECT 1 FROM user_grants g
          WHERE g.store_id = cs.store_id AND g.user_id = u.id)
        ORDER BY n.id LIMIT $1";
    MAILED = "UPDATE notices SET mailed_at = $1 WHERE id = $2 AND mailed_at IS NULL";
    NOT_MAILED = "UPDATE notices SET mailed_at = NULL WHERE id = $1";
    WANTS_MAIL = "SELECT mail_notices FROM users WHERE id = $1";
    SET_WANTS_MAIL = "UPDATE users SET mail_notices = $1 WHERE id = $2";
}

/// A notice as the inbox shows it.
#[derive(Debug, Clone, FromRow)]
pub struct NoticeRow {
    pub id: NoticeId,
    pub user_id: UserId,
    pub reason: NoticeReason,
    pub changeset_id: ChangesetId,
    /// When it last happened.
    pub created_at: Timestamp,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    pub title: String,
    pub store_name: String,
}

/// A notice that is to be sent by email.
#[derive(Clone, FromRow)]
pub struct MailRow {
    pub id: NoticeId,
    pub user_id: UserId,
    pub reason: NoticeReason,
    pub changeset_id: ChangesetId,
    pub email: String,
    /// How the person is called.
    pub name: String,
    pub title: String,
    pub store_name: String,
}

/// Tells somebody something; the same again is the same notice, unread.
pub async fn put(
    tx: &mut Tx,
    id: NoticeId,
    user: UserId,
    reason: NoticeReason,
    changeset: ChangesetId,
    at: Timestamp,
) -> Result<()> {
    execute!(tx, PUT, id, user, reason, changeset, at)?;
    Ok(())
}

/// Returns what a person was told about stores that they may see, and what is still so: unread
/// first, then newest.
pub async fn of_user(tx: &mut Tx, user: UserId, limit: i64) -> Result<Vec<NoticeRow>> {
    fetch_all!(tx, NoticeRow, OF_USER, user, limit)
}

/// How much of it is unread.
pub async fn unread(tx: &mut Tx, user: UserId) -> Result<i64> {
    fetch_scalar!(tx, i64, UNREAD, user)
}

/// How much a person has not read of what they were told of a changeset.
pub async fn unread_of(tx: &mut Tx, user: UserId, changeset: ChangesetId) -> Result<i64> {
    fetch_scalar!(tx, i64, UNREAD_OF, user, changeset)
}

/// Nothing conflicts in a changeset any more: the next conflict in it is told anew.
pub async fn mended(tx: &mut Tx, changeset: ChangesetId) -> Result<()> {
    execute!(tx, MENDED, changeset)?;
    Ok(())
}

/// The same for every changeset of a store whose conflicts went by themselves, with what was
/// written since.
pub async fn mended_in_store(tx: &mut Tx, store: StoreId) -> Result<()> {
    execute!(tx, MENDED_IN_STORE, store)?;
    Ok(())
}

/// Marks what was said about a changeset as read.
pub async fn read(tx: &mut Tx, user: UserId, changeset: ChangesetId, at: Timestamp) -> Result<()> {
    for reason in NoticeReason::ALL {
        execute!(tx, READ, at, user, changeset, *reason)?;
    }
    Ok(())
}

/// Marks everything as read.
pub async fn read_all(tx: &mut Tx, user: UserId, at: Timestamp) -> Result<()> {
    for reason in NoticeReason::ALL {
        execute!(tx, READ_ALL, at, user, *reason)?;
    }
    Ok(())
}

/// Returns what is to be sent to those who want it, oldest first.
pub async fn to_mail(tx: &mut Tx, limit: i64) -> Result<Vec<MailRow>> {
    fetch_all!(tx, MailRow, TO_MAIL, limit)
}

/// Takes a notice for sending; false if another process has taken it.
pub async fn take_for_mail(tx: &mut Tx, id: NoticeId, at: Timestamp) -> Result<bool> {
    Ok(execute!(tx, MAILED, at, id)? == 1)
}

/// Puts a notice back that could not be sent.
pub async fn not_mailed(tx: &mut Tx, id: NoticeId) -> Result<()> {
    execute!(tx, NOT_MAILED, id)?;
    Ok(())
}

/// True if a person wants to be told by email, too.
pub async fn wants_mail(tx: &mut Tx, user: UserId) -> Result<bool> {
    fetch_scalar!(tx, bool, WANTS_MAIL, user)
}

/// Sets whether a person wants mail.
pub async fn set_wants_mail(tx: &mut Tx, user: UserId, wants: bool) -> Result<()> {
    execute!(tx, SET_WANTS_MAIL, wants, user)?;
    Ok(())
}
