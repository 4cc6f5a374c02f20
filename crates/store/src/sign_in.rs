//! What signing in needs: one-time links, web sessions (ids hashed at rest), and the count of
//! failures that slows guessing down.

use domain::{
    Timestamp,
    ids::{SignInId, UserId},
};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    INSERT_LINK = "INSERT INTO sign_in_links (token_hash, purpose, user_id, issued_by, created_at,
        expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
    LINK = "SELECT purpose, user_id, issued_by FROM sign_in_links WHERE token_hash = $1
        AND used_at IS NULL AND expires_at > $2";
    USE_LINK = "UPDATE sign_in_links SET used_at = $1 WHERE token_hash = $2 AND used_at IS NULL
        AND expires_at > $1";
    DROP_FIRST_ADMIN_LINKS = "UPDATE sign_in_links SET used_at = $1 WHERE purpose = 'first_admin'
        AND used_at IS NULL";
    CREATE_SESSION = "INSERT INTO web_sessions (id_hash, user_id, sign_in, data, created_at,
        expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
    // What was confirmed is of one person and one sign-in.
    SAVE_SESSION = "UPDATE web_sessions SET user_id = $1, sign_in = $2, data = $3, expires_at = $4,
            confirmed_at = CASE WHEN user_id = $1 AND sign_in = $2 THEN confirmed_at ELSE NULL END
        WHERE id_hash = $5";
    OF_SESSION = "SELECT sign_in, confirmed_at FROM web_sessions
        WHERE id_hash = $1 AND user_id = $2 AND expires_at > $3 AND sign_in IS NOT NULL";
    CONFIRM = "UPDATE web_sessions SET confirmed_at = $1 WHERE id_hash = $2 AND user_id = $3";
    KNOW_BROWSER = "INSERT INTO known_browsers (token_hash, user_id, created_at, last_at)
        VALUES ($1, $2, $3, $3)
        ON CONFLICT (token_hash, user_id) DO UPDATE SET last_at = excluded.last_at";
    IS_KNOWN_BROWSER = "SELECT COUNT(*) FROM known_browsers WHERE token_hash = $1 AND user_id = $2
        AND last_at > $3";
    DROP_BROWSERS = "DELETE FROM known_browsers WHERE last_at <= $1";
    FORGET_BROWSERS_OF = "DELETE FROM known_browsers WHERE user_id = $1";
    END_SESSIONS_OF = "DELETE FROM web_sessions WHERE user_id = $1";
    END_ONE_OF = "DELETE FROM web_sessions WHERE user_id = $1 AND id_hash = $2";
    END_OTHERS_OF = "DELETE FROM web_sessions WHERE user_id = $1 AND id_hash <> $2";
    SESSIONS_OF = "SELECT id_hash, data, created_at, expires_at FROM web_sessions WHERE user_id = $1
        AND expires_at > $2
        ORDER BY created_at DESC, id_hash";
    END_LINKS_OF = "UPDATE sign_in_links SET used_at = $1 WHERE user_id = $2 AND used_at IS NULL";
    SESSION = "SELECT data, expires_at FROM web_sessions WHERE id_hash = $1 AND expires_at > $2";
    DELETE_SESSION = "DELETE FROM web_sessions WHERE id_hash = $1";
    DELETE_EXPIRED = "DELETE FROM web_sessions WHERE expires_at <= $1";
    FAILURES = "UPDATE sign_in_failures SET failures = failures WHERE name = $1 RETURNING failures,
        last_at";
    COUNT_FAILURE = "INSERT INTO sign_in_failures (name, failures, last_at) VALUES ($1, 1, $2)
        ON CONFLICT (name) DO UPDATE SET last_at = excluded.last_at,
            failures = CASE WHEN sign_in_failures.last_at < $3 THEN 1
            ELSE sign_in_failures.failures + 1 END";
    UNCOUNT_FAILURE = "UPDATE sign_in_failures SET failures = failures - 1 WHERE name = $1
        AND failures > 0";
    CLEAR_FAILURES = "DELETE FROM sign_in_failures WHERE name = $1";
    DROP_FAILURES = "DELETE FROM sign_in_failures WHERE last_at <= $1";
}

/// The purpose of a one-time link.
#[derive(Debug, Clone, FromRow)]
pub struct Link {
    pub purpose: String,
    /// Whose password it sets.
    pub user_id: Option<UserId>,
    /// Who made it and saw it; none where it went by mail or was printed on the server.
    pub issued_by: Option<UserId>,
}

/// Stores a link by the SHA-256 of its token.
pub async fn insert_link(
    tx: &mut Tx,
    token_hash: &[u8],
    purpose: &str,
    user: Option<UserId>,
    issued_by: Option<UserId>,
    (at, expires): (Timestamp, Timestamp),
) -> Result<()> {
    execute!(
        tx,
        INSERT_LINK,
        token_hash,
        purpose,
        user,
        issued_by,
        at,
        expires
    )?;
    Ok(())
}

/// A link that is neither used nor expired.
pub async fn link(tx: &mut Tx, token_hash: &[u8], now: Timestamp) -> Result<Option<Link>> {
    fetch_optional!(tx, Link, LINK, token_hash, now)
}

/// Uses a link up; false if somebody else already did.
pub async fn use_link(tx: &mut Tx, token_hash: &[u8], now: Timestamp) -> Result<bool> {
    Ok(execute!(tx, USE_LINK, now, token_hash)? == 1)
}

/// Ends every unused link for a first admin.
pub async fn drop_first_admin_links(tx: &mut Tx, now: Timestamp) -> Result<()> {
    execute!(tx, DROP_FIRST_ADMIN_LINKS, now)?;
    Ok(())
}

/// Stores a new web session by the SHA-256 of its id.
pub async fn create_session(
    tx: &mut Tx,
    id_hash: &[u8],
    (user, sign_in): (Option<UserId>, Option<SignInId>),
    data: &str,
    (at, expires): (Timestamp, Timestamp),
) -> Result<()> {
    execute!(
        tx,
        CREATE_SESSION,
        id_hash,
        user,
        sign_in,
        data,
        at,
        expires
    )?;
    Ok(())
}

/// Stores what a web session holds now. One that was ended meanwhile stays ended.
pub async fn save_session(
    tx: &mut Tx,
    id_hash: &[u8],
    (user, sign_in): (Option<UserId>, Option<SignInId>),
    data: &str,
    expires: Timestamp,
) -> Result<()> {
    execute!(tx, SAVE_SESSION, user, sign_in, data, expires, id_hash)?;
    Ok(())
}

/// The sign-in of a person's web session, and when the password was last confirmed in it; `None` if
/// it ended.
pub async fn of_session(
    tx: &mut Tx,
    id_hash: &[u8],
    user: UserId,
    now: Timestamp,
) -> Result<Option<(SignInId, Option<Timestamp>)>> {
    fetch_optional!(
        tx,
        (SignInId, Option<Timestamp>),
        OF_SESSION,
        id_hash,
        user,
        now
    )
}

/// Notes that the password was confirmed in a web session; false if it ended, or is somebody
/// else's.
pub async fn confirm(tx: &mut Tx, id_hash: &[u8], user: UserId, at: Timestamp) -> Result<bool> {
    Ok(execute!(tx, CONFIRM, at, id_hash, user)? == 1)
}

/// Notes that a person signed in from a browser, known by the SHA-256 of a token that it keeps.
pub async fn know_browser(
    tx: &mut Tx,
    token_hash: &[u8],
    user: UserId,
    at: Timestamp,
) -> Result<()> {
    execute!(tx, KNOW_BROWSER, token_hash, user, at)?;
    Ok(())
}

/// True if a person has signed in from a browser since a time.
pub async fn is_known_browser(
    tx: &mut Tx,
    token_hash: &[u8],
    user: UserId,
    since: Timestamp,
) -> Result<bool> {
    Ok(fetch_scalar!(tx, i64, IS_KNOWN_BROWSER, token_hash, user, since)? > 0)
}

/// Forgets browsers that were not used since a time.
pub async fn drop_browsers(tx: &mut Tx, until: Timestamp) -> Result<u64> {
    execute!(tx, DROP_BROWSERS, until)
}

/// Forgets every browser of a person: their password was reset, so anyone who knew the one before
/// is a stranger.
pub async fn forget_browsers_of(tx: &mut Tx, user: UserId) -> Result<()> {
    execute!(tx, FORGET_BROWSERS_OF, user)?;
    Ok(())
}

/// Ends every web session of a person and every unused link for them: their password is being set.
pub async fn end_all_of(tx: &mut Tx, user: UserId, at: Timestamp) -> Result<()> {
    execute!(tx, END_SESSIONS_OF, user)?;
    execute!(tx, END_LINKS_OF, at, user)?;
    Ok(())
}

/// A web session as its owner may see it.
#[derive(Debug, Clone, FromRow)]
pub struct SessionRow {
    /// SHA-256 of its id.
    pub id_hash: Vec<u8>,
    pub data: String,
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// The web sessions of a person that have not expired, newest first.
pub async fn sessions_of(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<Vec<SessionRow>> {
    fetch_all!(tx, SessionRow, SESSIONS_OF, user, now)
}

/// Ends one web session of a person; false if it is not theirs.
pub async fn end_one_of(tx: &mut Tx, user: UserId, id_hash: &[u8]) -> Result<bool> {
    Ok(execute!(tx, END_ONE_OF, user, id_hash)? == 1)
}

/// Ends every web session of a person but one.
pub async fn end_others_of(tx: &mut Tx, user: UserId, id_hash: &[u8]) -> Result<()> {
    execute!(tx, END_OTHERS_OF, user, id_hash)?;
    Ok(())
}

/// A web session that has not expired, and when it will.
pub async fn session(
    tx: &mut Tx,
    id_hash: &[u8],
    now: Timestamp,
) -> Result<Option<(String, Timestamp)>> {
    fetch_optional!(tx, (String, Timestamp), SESSION, id_hash, now)
}

/// Ends a web session, under the lock of all rights.
pub async fn delete_session(tx: &mut Tx, id_hash: &[u8]) -> Result<()> {
    execute!(tx, DELETE_SESSION, id_hash)?;
    Ok(())
}

/// Removes expired web sessions.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    execute!(tx, DELETE_EXPIRED, now)
}

/// Failed sign-ins under a name since the last good one, and when the last was. Takes their lock:
/// who tries at the same time waits, and sees this try counted.
pub async fn failures(tx: &mut Tx, name: &str) -> Result<Option<(i64, Timestamp)>> {
    fetch_optional!(tx, (i64, Timestamp), FAILURES, name)
}

/// Counts a failed sign-in; those before `forgotten` no longer count.
pub async fn count_failure(
    tx: &mut Tx,
    name: &str,
    at: Timestamp,
    forgotten: Timestamp,
) -> Result<()> {
    execute!(tx, COUNT_FAILURE, name, at, forgotten)?;
    Ok(())
}

/// Takes one failure back, or all of them.
pub async fn uncount_failure(tx: &mut Tx, name: &str, all: bool) -> Result<()> {
    execute!(tx, if all { CLEAR_FAILURES } else { UNCOUNT_FAILURE }, name)?;
    Ok(())
}

/// Forgets failures up to a time.
pub async fn drop_failures(tx: &mut Tx, until: Timestamp) -> Result<u64> {
    execute!(tx, DROP_FAILURES, until)
}
