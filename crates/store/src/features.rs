//! What was read out of each session, once: the engine's features, as JSON, by the version of their
//! form.

use domain::{
    Timestamp,
    ids::{DreamId, SessionId},
};
use sqlx::FromRow;

use crate::{Error, Result, Tx, sealing};

statements! {
    OF_DREAM = "SELECT f.session_id, f.features, f.key_id FROM session_features f
        JOIN dream_sessions p ON p.session_id = f.session_id
        WHERE p.dream_id = $1 AND f.version = $2 AND (CAST($3 AS UUID) IS NULL
        OR f.session_id > $3) ORDER BY f.session_id LIMIT $4";
    // Nothing is kept of a session whose text was erased while it was read.
    PUT = "INSERT INTO session_features (session_id, version, features, created_at, key_id)
        SELECT s.id, CAST($2 AS BIGINT), $3, CAST($4 AS BIGINT), CAST($5 AS TEXT) FROM sessions s
        WHERE s.id = $1
            AND NOT EXISTS (SELECT 1 FROM events e WHERE e.session_id = s.id
            AND e.redacted_at IS NOT NULL)
        ON CONFLICT (session_id, version) DO UPDATE SET features = excluded.features,
        key_id = excluded.key_id, created_at = excluded.created_at";
}

/// The features of a session.
#[derive(Debug, Clone, FromRow)]
pub struct FeaturesRow {
    pub session_id: SessionId,
    /// The features, as JSON.
    pub features: String,
    key_id: Option<String>,
}

/// Stored features of the sessions that a dream has pinned, in order of the sessions, after one of
/// them.
pub async fn of_dream(
    tx: &mut Tx,
    dream: DreamId,
    version: i64,
    after: Option<SessionId>,
    limit: i64,
) -> Result<Vec<FeaturesRow>> {
    let mut rows = fetch_all!(tx, FeaturesRow, OF_DREAM, dream, version, after, limit)?;
    for row in rows.iter_mut().filter(|r| r.key_id.is_some()) {
        let stored = std::mem::take(&mut row.features);
        row.features = sealing::open(
            tx,
            row.key_id.as_deref(),
            &place(row.session_id, version),
            stored,
        )
        .await?
        .unwrap_or_default();
    }
    Ok(rows)
}

fn place(session: SessionId, version: i64) -> String {
    sealing::place(
        "session_features",
        "features",
        format_args!("{session} {version}"),
    )
}

/// Stores a session's features in place of older ones.
pub async fn put(
    tx: &mut Tx,
    session: SessionId,
    version: i64,
    features: &str,
    at: Timestamp,
) -> Result<()> {
    let key = match sealing::key_for(tx, session, None).await {
        // Of a transcript that can no longer be read there is nothing to keep.
        Err(Error::SessionKey(_)) => return Ok(()),
        key => key?,
    };
    let stored = sealing::seal(key.as_ref(), &place(session, version), features)?;
    execute!(tx, PUT, session, version, stored, at, key.map(|k| k.name))?;
    Ok(())
}
