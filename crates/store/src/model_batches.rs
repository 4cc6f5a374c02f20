//! What models answered, a request each: finished work that a crash, a cancel or the next dream
//! does not repeat.

use domain::{
    Timestamp,
    ids::{DreamId, StoreId},
};
use sqlx::FromRow;

use crate::{Error, Result, Tx, sealing};

statements! {
    PUT = "INSERT INTO model_batches (store_id, request_sha256, dream_id, model, sessions,
        candidates, dropped, input_tokens, output_tokens,
            cost_micros, created_at, sealed)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (store_id,
        request_sha256) DO UPDATE SET
            candidates = excluded.candidates, sealed = excluded.sealed, dropped = excluded.dropped,
            created_at = excluded.created_at,
            input_tokens = model_batches.input_tokens + excluded.input_tokens,
            output_tokens = model_batches.output_tokens + excluded.output_tokens,
            cost_micros = model_batches.cost_micros + excluded.cost_micros";
    GET = "SELECT request_sha256, model, sessions, candidates, dropped, input_tokens, output_tokens,
        cost_micros, sealed
        FROM model_batches WHERE store_id = $1 AND request_sha256 = $2";
    OF_STORE = "SELECT request_sha256, model, sessions, candidates, dropped, input_tokens,
        output_tokens, cost_micros, sealed
        FROM model_batches WHERE store_id = $1 AND model = $2 AND sessions <> '{}'
        AND sessions NOT LIKE '[%' AND created_at >= $3 ORDER BY created_at, request_sha256";
    SHOWN = "SELECT sessions FROM model_batches WHERE store_id = $1 AND model = $2
        AND sessions <> '{}' AND sessions NOT LIKE '[%' AND created_at >= $3
        ORDER BY created_at, request_sha256";
    DROP = "DELETE FROM model_batches WHERE created_at <= $1";
    SPENT_SINCE = "SELECT CAST(COALESCE(SUM(input_tokens + output_tokens), 0) AS BIGINT) AS tokens,
            CAST(COALESCE(SUM(cost_micros), 0) AS BIGINT) AS cost_micros FROM model_batches
            WHERE created_at >= $1";
    SPENT_BY = "SELECT CAST(COALESCE(SUM(input_tokens + output_tokens), 0) AS BIGINT) AS tokens,
            CAST(COALESCE(SUM(cost_micros), 0) AS BIGINT) AS cost_micros FROM model_batches
            WHERE dream_id = $1";
}

/// Forgets answers up to a time.
pub async fn drop_until(tx: &mut Tx, until: Timestamp) -> Result<u64> {
    execute!(tx, DROP, until)
}

/// One request that was answered.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct BatchRow {
    /// Of the request, with the model's name.
    pub request_sha256: String,
    pub model: String,
    /// Session id to number of events that it was shown, as a JSON object; of what brings
    /// candidates together and reads them a second time, the ids of the sessions that it rests on,
    /// as a list.
    pub sessions: String,
    /// What it proposed and was found in the sessions, as JSON.
    pub candidates: String,
    /// Candidates and answers that were dropped.
    pub dropped: i64,
    /// Tokens of the request.
    pub input_tokens: i64,
    /// Tokens of the answer.
    pub output_tokens: i64,
    pub cost_micros: i64,
    /// True if the candidates are sealed, with a key that takes the keys of all these sessions;
    /// never in what this module returns.
    pub sealed: bool,
}

/// The tokens and money that were spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct Spent {
    /// Tokens, asked and answered.
    pub tokens: i64,
    pub cost_micros: i64,
}

/// Stores the answer of a model, so that the same request is not paid twice.
pub async fn put(
    tx: &mut Tx,
    store: StoreId,
    dream: DreamId,
    batch: &BatchRow,
    at: Timestamp,
) -> Result<()> {
    let (key, is_gone) = match sealing::joint_key(tx, &batch.sessions).await {
        Err(Error::SessionKey(_)) => (None, true),
        key => (key?, false),
    };
    // What cannot be sealed is not kept, only what it cost.
    let candidates = if is_gone {
        "[]"
    } else {
        batch.candidates.as_str()
    };
    let candidates = sealing::seal(key.as_ref(), &place(&batch.request_sha256), candidates)?;
    execute!(
        tx,
        PUT,
        store,
        batch.request_sha256.as_str(),
        dream,
        batch.model.as_str(),
        batch.sessions.as_str(),
        candidates,
        batch.dropped,
        batch.input_tokens,
        batch.output_tokens,
        batch.cost_micros,
        at,
        key.is_some()
    )?;
    Ok(())
}

/// The answer to a request that was asked before.
pub async fn get(tx: &mut Tx, store: StoreId, request_sha256: &str) -> Result<Option<BatchRow>> {
    match fetch_optional!(tx, BatchRow, GET, store, request_sha256)? {
        Some(row) => opened(tx, row).await,
        None => Ok(None),
    }
}

/// An answer with its candidates; `None` if the key of a session is gone, whose words they may
/// hold.
async fn opened(tx: &mut Tx, row: BatchRow) -> Result<Option<BatchRow>> {
    if !row.sealed {
        return Ok(Some(row));
    }
    let key = match sealing::joint_key(tx, &row.sessions).await {
        Ok(key) => key,
        Err(Error::SessionKey(_)) => None,
        Err(error) => return Err(error),
    };
    let candidates = key.and_then(|key| key.open(&place(&row.request_sha256), &row.candidates));
    Ok(candidates.map(|candidates| BatchRow {
        candidates,
        sealed: false,
        ..row
    }))
}

fn place(request_sha256: &str) -> String {
    sealing::place("model_batches", "candidates", request_sha256)
}

/// Every answer of a model over sessions of a store since then.
pub async fn of_store(
    tx: &mut Tx,
    store: StoreId,
    model: &str,
    since: Timestamp,
) -> Result<Vec<BatchRow>> {
    let mut found = Vec::new();
    for row in fetch_all!(tx, BatchRow, OF_STORE, store, model, since)? {
        found.extend(opened(tx, row).await?);
    }
    Ok(found)
}

/// Which sessions a model was shown of a store since then: session id to number of events, a JSON
/// object for each answer.
pub async fn shown(
    tx: &mut Tx,
    store: StoreId,
    model: &str,
    since: Timestamp,
) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), SHOWN, store, model, since)?
        .into_iter()
        .map(|(sessions,)| sessions)
        .collect())
}

/// Returns what the whole installation spent since then.
pub async fn spent_since(tx: &mut Tx, since: Timestamp) -> Result<Spent> {
    Ok(fetch_optional!(tx, Spent, SPENT_SINCE, since)?.unwrap_or_default())
}

/// Returns what a dream spent.
pub async fn spent_by(tx: &mut Tx, dream: DreamId) -> Result<Spent> {
    Ok(fetch_optional!(tx, Spent, SPENT_BY, dream)?.unwrap_or_default())
}
