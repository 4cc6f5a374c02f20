//! Refused form input, and answers already given under an idempotency key.

use domain::{
    Timestamp,
    ids::{DraftId, UserId},
};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    INSERT_DRAFT = "INSERT INTO form_drafts (id, user_id, message, status, fields, created_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    DRAFT = "SELECT message, status, fields FROM form_drafts
        WHERE id = $1 AND (user_id = $2 OR (user_id IS NULL AND CAST($2 AS UUID) IS NULL))
        AND created_at > $3";
    DROP_DRAFTS = "DELETE FROM form_drafts WHERE created_at <= $1";
    DROP_ANSWERS = "DELETE FROM idempotency_keys WHERE created_at <= $1";
    ANSWER = "SELECT request_sha256, response FROM idempotency_keys WHERE actor = $1
        AND idempotency_key = $2";
    PUT_ANSWER = "INSERT INTO idempotency_keys (actor, idempotency_key, request_sha256, response,
        created_at) VALUES ($1, $2, $3, $4, $5)";
}

/// The fields of a refused form, and the reason for the refusal.
#[derive(Debug, Clone, FromRow)]
pub struct Draft {
    pub message: String,
    /// HTTP status of the page that shows it.
    pub status: i64,
    /// The fields, as JSON.
    pub fields: String,
}

/// Keeps a refused form.
pub async fn insert_draft(
    tx: &mut Tx,
    id: DraftId,
    user: Option<UserId>,
    draft: &Draft,
    at: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        INSERT_DRAFT,
        id,
        user,
        draft.message.as_str(),
        draft.status,
        draft.fields.as_str(),
        at
    )?;
    Ok(())
}

/// The refused form of a person, if it was kept after `since`.
pub async fn draft(
    tx: &mut Tx,
    id: DraftId,
    user: Option<UserId>,
    since: Timestamp,
) -> Result<Option<Draft>> {
    fetch_optional!(tx, Draft, DRAFT, id, user, since)
}

/// Forgets refused forms up to a time.
pub async fn drop_drafts(tx: &mut Tx, until: Timestamp) -> Result<u64> {
    execute!(tx, DROP_DRAFTS, until)
}

/// Forgets answers up to a time; a request that comes again later is a new one.
pub async fn drop_answers(tx: &mut Tx, until: Timestamp) -> Result<u64> {
    execute!(tx, DROP_ANSWERS, until)
}

/// The answer given under a key: the request's hash and the response.
pub async fn answer(tx: &mut Tx, actor: &str, key: &str) -> Result<Option<(String, String)>> {
    fetch_optional!(tx, (String, String), ANSWER, actor, key)
}

/// Records an answer in the transaction of what it answers; a duplicate key is a unique violation.
pub async fn put_answer(
    tx: &mut Tx,
    actor: &str,
    key: &str,
    request_sha256: &str,
    response: &str,
    at: Timestamp,
) -> Result<()> {
    execute!(tx, PUT_ANSWER, actor, key, request_sha256, response, at)?;
    Ok(())
}
