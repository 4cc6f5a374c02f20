//! What dreams ask people: findings of the last whole dream of each store that make no change, and
//! what was answered.

use domain::{
    Timestamp,
    actor::Visible,
    ids::{AnswerId, ChangeId, ChangesetId, DreamId, StoreId, UserId},
    question::{Answer, QuestionKind},
};
use sqlx::FromRow;

use crate::{Result, Tx, engine::viewer};

statements! {
    // Of each store the last dream over its whole window speaks; what was answered since is left
    // out. A dream asks again what an answer covers no longer.
    OPEN = "SELECT d.store_id, s.name AS store_name, d.id AS dream_id, d.ended_at AS asked_at,
        d.started_at, f.kind, f.title, f.fingerprint, f.support,
            f.disposition, f.reason, f.evidence, f.about
        FROM findings f JOIN dreams d ON d.id = f.dream_id JOIN stores s ON s.id = d.store_id
        WHERE f.disposition IN ('question', 'insight', 'open')
          AND d.id = (SELECT l.id FROM dreams l WHERE l.store_id = d.store_id
          AND l.state = 'completed' AND NOT l.chosen ORDER BY l.id DESC LIMIT 1)
          AND (CAST($1 AS UUID) IS NULL OR d.store_id = $1)
          AND (CAST($2 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g
          WHERE g.store_id = d.store_id AND g.user_id = $2))
          AND NOT EXISTS (SELECT 1 FROM answers a WHERE a.store_id = d.store_id
          AND a.fingerprint = f.fingerprint AND a.reopened_at IS NULL
              AND a.created_at >= d.started_at)
        ORDER BY CASE f.disposition WHEN 'question' THEN 0 WHEN 'open' THEN 1 ELSE 2 END, d.id DESC,
        f.position LIMIT $3";
    ONE = "SELECT d.store_id, s.name AS store_name, d.id AS dream_id, d.ended_at AS asked_at,
        d.started_at, f.kind, f.title, f.fingerprint, f.support,
            f.disposition, f.reason, f.evidence, f.about
        FROM findings f JOIN dreams d ON d.id = f.dream_id JOIN stores s ON s.id = d.store_id
        WHERE f.disposition IN ('question', 'insight', 'open') AND d.store_id = $1
        AND f.fingerprint = $2
        ORDER BY d.id DESC LIMIT 1";
    ANSWER = "INSERT INTO answers (id, store_id, fingerprint, kind, title, answer, support,
        answered_by, change_id, near, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    STANDS = "SELECT COUNT(*) FROM answers WHERE store_id = $1 AND fingerprint = $2
        AND reopened_at IS NULL AND created_at >= $3";
    REPLACE = "UPDATE answers SET reopened_at = $1 WHERE store_id = $2 AND fingerprint = $3
        AND reopened_at IS NULL";
    REOPEN = "UPDATE answers SET reopened_at = $1 WHERE id = $2 AND reopened_at IS NULL";
    GET = "SELECT a.id, a.store_id, s.name AS store_name, a.fingerprint, a.kind, a.title, a.answer,
        a.support, u.name AS answered_by, a.created_at,
            c.changeset_id
        FROM answers a JOIN stores s ON s.id = a.store_id JOIN users u ON u.id = a.answered_by LEFT
        JOIN changes c ON c.id = a.change_id
        WHERE a.id = $1 AND a.reopened_at IS NULL";
    ANSWERED = "SELECT a.id, a.store_id, s.name AS store_name, a.fingerprint, a.kind, a.title,
        a.answer, a.support, u.name AS answered_by, a.created_at,
            c.changeset_id
        FROM answers a JOIN stores s ON s.id = a.store_id JOIN users u ON u.id = a.answered_by LEFT
        JOIN changes c ON c.id = a.change_id
        WHERE a.reopened_at IS NULL
          AND (CAST($1 AS UUID) IS NULL OR a.store_id = $1)
          AND (CAST($2 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g
          WHERE g.store_id = a.store_id AND g.user_id = $2))
        ORDER BY a.created_at DESC, a.id DESC LIMIT $3";
    TAUGHT = "SELECT kind, near, answer FROM answers
        WHERE store_id = $1 AND reopened_at IS NULL AND near IS NOT NULL ORDER BY created_at DESC,
        id DESC LIMIT $2";
    KNOWN = "SELECT fingerprint, answer, support FROM answers WHERE store_id = $1
        AND reopened_at IS NULL ORDER BY fingerprint";
}

/// A question as a dream stored it.
#[derive(Debug, Clone, FromRow)]
pub struct AskedRow {
    pub store_id: StoreId,
    pub store_name: String,
    /// The dream that asks.
    pub dream_id: DreamId,
    /// When that dream ended.
    pub asked_at: Option<Timestamp>,
    /// When it began: it knew the answers that were given before.
    pub started_at: Option<Timestamp>,
    pub kind: String,
    pub title: String,
    pub fingerprint: String,
    /// Its support, as JSON.
    pub support: String,
    /// `question`, `insight` or `open`.
    pub disposition: String,
    /// Why it is asked.
    pub reason: String,
    /// Its quotes, as JSON.
    pub evidence: String,
    pub about: String,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnswer {
    pub id: AnswerId,
    pub store_id: StoreId,
    pub fingerprint: String,
    pub kind: QuestionKind,
    pub title: String,
    pub answer: Answer,
    /// Distinct subjects, tasks or sessions behind it.
    pub support: i64,
    pub answered_by: UserId,
    pub change_id: Option<ChangeId>,
    /// How near in meaning its two statements are, in thousandths of a cosine.
    pub near: Option<i64>,
}

/// An answer as a list shows it.
#[derive(Debug, Clone, FromRow)]
pub struct AnsweredRow {
    pub id: AnswerId,
    pub store_id: StoreId,
    pub store_name: String,
    pub fingerprint: String,
    pub kind: QuestionKind,
    pub title: String,
    pub answer: Answer,
    /// Distinct subjects, tasks or sessions behind it then.
    pub support: i64,
    pub answered_by: String,
    pub created_at: Timestamp,
    /// The changeset that was proposed in consequence.
    pub changeset_id: Option<ChangesetId>,
}

/// Returns what is open in the stores that the viewer may see, or in one of them; questions before
/// open failures before what is to be known, at most so many.
pub async fn open(
    tx: &mut Tx,
    visible: Visible,
    store: Option<StoreId>,
    limit: i64,
) -> Result<Vec<AskedRow>> {
    fetch_all!(tx, AskedRow, OPEN, store, viewer(visible), limit)
}

/// The last asking of a question. Rights are the caller's to check.
pub async fn asked(tx: &mut Tx, store: StoreId, fingerprint: &str) -> Result<Option<AskedRow>> {
    fetch_optional!(tx, AskedRow, ONE, store, fingerprint)
}

/// True if an answer stands that was given since then.
pub async fn is_answered(
    tx: &mut Tx,
    store: StoreId,
    fingerprint: &str,
    since: Timestamp,
) -> Result<bool> {
    Ok(fetch_scalar!(tx, i64, STANDS, store, fingerprint, since)? > 0)
}

/// Stores an answer in the place of an earlier one.
pub async fn answer(tx: &mut Tx, new: &NewAnswer, at: Timestamp) -> Result<()> {
    execute!(tx, REPLACE, at, new.store_id, new.fingerprint.as_str())?;
    execute!(
        tx,
        ANSWER,
        new.id,
        new.store_id,
        new.fingerprint.as_str(),
        new.kind,
        new.title.as_str(),
        new.answer,
        new.support,
        new.answered_by,
        new.change_id,
        new.near,
        at
    )?;
    Ok(())
}

/// An answer that stands.
pub async fn get(tx: &mut Tx, id: AnswerId) -> Result<Option<AnsweredRow>> {
    fetch_optional!(tx, AnsweredRow, GET, id)
}

/// Takes an answer back: the question may be asked again. False if it was withdrawn already.
pub async fn reopen(tx: &mut Tx, id: AnswerId, at: Timestamp) -> Result<bool> {
    Ok(execute!(tx, REOPEN, at, id)? == 1)
}

/// The answers that are in the stores that the viewer may see, or in one of them; newest first.
pub async fn answered(
    tx: &mut Tx,
    visible: Visible,
    store: Option<StoreId>,
    limit: i64,
) -> Result<Vec<AnsweredRow>> {
    fetch_all!(tx, AnsweredRow, ANSWERED, store, viewer(visible), limit)
}

/// The answers that are in a store: what the question is known by, what was answered, and how
/// much was behind it.
pub async fn known(tx: &mut Tx, store: StoreId) -> Result<Vec<(String, Answer, i64)>> {
    fetch_all!(tx, (String, Answer, i64), KNOWN, store)
}

/// The last answers about statements that are near in meaning: what was asked, how near in
/// thousandths of a cosine, and the answer.
pub async fn taught(
    tx: &mut Tx,
    store: StoreId,
    limit: i64,
) -> Result<Vec<(QuestionKind, i64, Answer)>> {
    fetch_all!(tx, (QuestionKind, i64, Answer), TAUGHT, store, limit)
}
