//! Quotes that back or contradict changes.

use domain::{
    Timestamp,
    event::{OutcomeResult, OutcomeSource},
    ids::{ChangeId, EventId, EvidenceId, SessionId},
};
use sqlx::FromRow;

use crate::{Result, Tx, sealing};

statements! {
    INSERT = "INSERT INTO evidence (id, change_id, position, counter, appendix, session_id,
        event_id, byte_start, byte_end, sha256, quote, key_id)
        VALUES ($1, $2, $3, $4, $11, $5, $6, $7, $8, $9, $10, $12)";
    OF_CHANGESET = "SELECT e.id, e.change_id, e.counter, e.appendix, e.session_id, e.event_id,
        e.byte_start, e.byte_end, e.quote,
            e.key_id, (SELECT COUNT(*) FROM events g WHERE g.session_id = e.session_id
            AND g.kind = 'gap' AND g.seq BETWEEN v.seq - 10 AND v.seq + 10)
                AS gaps_near,
            v.seq, v.kind, v.tool, v.occurred_at, v.redacted_at, s.agent, s.subject, s.task_key,
            s.external_id,
            (SELECT o.result FROM outcomes o WHERE o.session_id = s.id ORDER BY o.seq DESC
            LIMIT 1) AS outcome,
            (SELECT o.source FROM outcomes o WHERE o.session_id = s.id ORDER BY o.seq DESC
            LIMIT 1) AS outcome_source
        FROM evidence e JOIN changes c ON c.id = e.change_id JOIN events v ON v.id = e.event_id
        JOIN sessions s ON s.id = e.session_id
        WHERE c.changeset_id = $1 AND (CAST($2 AS UUID) IS NULL OR c.id = $2) ORDER BY e.change_id,
        e.position";
    OF_CHANGE = "SELECT event_id, byte_start, counter FROM evidence WHERE change_id = $1
        ORDER BY position";
    // Compared byte by byte where the text is, which may be ten megabytes long.
    VERIFIED_SQLITE = "SELECT e.id FROM evidence e JOIN changes c ON c.id = e.change_id
        JOIN events v ON v.id = e.event_id
        WHERE c.changeset_id = $1 AND e.key_id IS NULL AND v.key_id IS NULL
          AND SUBSTR(CAST(v.text AS BLOB), e.byte_start + 1,
          e.byte_end - e.byte_start) = CAST(e.quote AS BLOB)";
    VERIFIED_POSTGRES = "SELECT e.id FROM evidence e JOIN changes c ON c.id = e.change_id
        JOIN events v ON v.id = e.event_id
        WHERE c.changeset_id = $1 AND e.key_id IS NULL AND v.key_id IS NULL
          AND SUBSTRING(CONVERT_TO(v.text, 'UTF8') FROM CAST(e.byte_start + 1 AS INT) FOR
          CAST(e.byte_end - e.byte_start AS INT))
              = CONVERT_TO(e.quote, 'UTF8')";
    // What is sealed is compared once it is open.
    SEALED = "SELECT e.id, e.key_id, e.quote, e.byte_start, e.byte_end, e.event_id FROM evidence e
        JOIN changes c ON c.id = e.change_id
            JOIN events v ON v.id = e.event_id
        WHERE c.changeset_id = $1 AND (e.key_id IS NOT NULL OR v.key_id IS NOT NULL)
        ORDER BY e.event_id, e.id";
    EVENT = "SELECT key_id, text FROM events WHERE id = $1";
}

/// A quote with where it is.
#[derive(Debug, Clone, FromRow)]
pub struct EvidenceRow {
    pub id: EvidenceId,
    pub change_id: ChangeId,
    /// True if it speaks against the change.
    pub counter: bool,
    /// True if it arrived after the revision.
    pub appendix: bool,
    pub session_id: SessionId,
    pub event_id: EventId,
    /// First byte in the event's text.
    pub byte_start: i64,
    /// One past the last byte.
    pub byte_end: i64,
    /// The quoted text; empty once it was erased.
    pub quote: String,
    /// Position of the event in its session.
    pub seq: i64,
    pub kind: domain::event::EventKind,
    /// Which tool said it.
    pub tool: Option<String>,
    /// When it was said, if known.
    pub occurred_at: Option<Timestamp>,
    /// When the text of the event was erased.
    pub redacted_at: Option<Timestamp>,
    pub agent: Option<String>,
    pub subject: Option<String>,
    pub task_key: Option<String>,
    /// The session's own id at its source.
    pub external_id: Option<String>,
    /// How the session ended.
    pub outcome: Option<OutcomeResult>,
    /// Gaps among the ten events before it and after it.
    pub gaps_near: i64,
    pub outcome_source: Option<OutcomeSource>,
    key_id: Option<String>,
}

#[derive(Debug, FromRow)]
struct SealedQuote {
    id: EvidenceId,
    key_id: Option<String>,
    quote: String,
    byte_start: i64,
    byte_end: i64,
    event_id: EventId,
}

/// Stores a quote of a change.
/// An appendix arrived after the revision, and is no part of its digest.
pub async fn insert(
    tx: &mut Tx,
    id: EvidenceId,
    (change, position): (ChangeId, i64),
    quote: &domain::changeset::Quote,
    appendix: bool,
) -> Result<()> {
    let bytes = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let key = sealing::key_of_event(tx, quote.event_id).await?;
    let stored = sealing::seal(
        key.as_ref(),
        &sealing::place("evidence", "quote", id),
        &quote.text,
    )?;
    // Of what is stored: that of a short text would give it away.
    let sha256 = domain::canonical::sha256_hex(stored.as_bytes());
    execute!(
        tx,
        INSERT,
        id,
        change,
        position,
        quote.counter,
        quote.session_id,
        quote.event_id,
        bytes(quote.start),
        bytes(quote.end),
        sha256.as_str(),
        stored,
        appendix,
        key.map(|k| k.name)
    )?;
    Ok(())
}

/// Which places a change quotes: event, first byte, and whether against it.
pub async fn of_change(tx: &mut Tx, id: ChangeId) -> Result<Vec<(EventId, i64, bool)>> {
    fetch_all!(tx, (EventId, i64, bool), OF_CHANGE, id)
}

/// The quotes of a changeset, or of one change of it, by change and order.
pub async fn of_changeset(
    tx: &mut Tx,
    id: domain::ids::ChangesetId,
    only: Option<ChangeId>,
) -> Result<Vec<EvidenceRow>> {
    let mut rows = fetch_all!(tx, EvidenceRow, OF_CHANGESET, id, only)?;
    for row in rows.iter_mut().filter(|r| r.key_id.is_some()) {
        match opened(
            tx,
            row.key_id.as_deref(),
            row.id,
            std::mem::take(&mut row.quote),
        )
        .await?
        {
            Some(quote) => row.quote = quote,
            None => row.redacted_at = row.redacted_at.or(row.occurred_at).or(Some(Timestamp(0))),
        }
    }
    Ok(rows)
}

/// A quote; `None` if its key is gone.
pub(crate) async fn opened(
    tx: &mut Tx,
    key_id: Option<&str>,
    id: EvidenceId,
    stored: String,
) -> Result<Option<String>> {
    sealing::open(tx, key_id, &sealing::place("evidence", "quote", id), stored).await
}

/// The sealed quotes of a changeset that are in their events. The text of one event, which may be
/// long, is held at a time.
async fn sealed_and_verified(tx: &mut Tx, id: domain::ids::ChangesetId) -> Result<Vec<EvidenceId>> {
    let mut verified = Vec::new();
    let mut event: Option<(EventId, String)> = None;
    for row in fetch_all!(tx, SealedQuote, SEALED, id)? {
        if event.as_ref().is_none_or(|(id, _)| *id != row.event_id) {
            let Some((key_id, text)) =
                fetch_optional!(tx, (Option<String>, String), EVENT, row.event_id)?
            else {
                continue;
            };
            let place = sealing::place("events", "text", row.event_id);
            event = sealing::open(tx, key_id.as_deref(), &place, text)
                .await?
                .map(|text| (row.event_id, text));
        }
        let quote = opened(tx, row.key_id.as_deref(), row.id, row.quote).await?;
        let (start, end) = (
            usize::try_from(row.byte_start).ok(),
            usize::try_from(row.byte_end).ok(),
        );
        let stands = event
            .as_ref()
            .zip(start.zip(end))
            .and_then(|((_, text), (start, end))| text.get(start..end));
        if quote.is_some() && stands == quote.as_deref() {
            verified.push(row.id);
        }
    }
    Ok(verified)
}

/// The quotes of a changeset that are in their events, byte for byte.
pub async fn verified(tx: &mut Tx, id: domain::ids::ChangesetId) -> Result<Vec<EvidenceId>> {
    let sql = match tx {
        Tx::Sqlite(_) => VERIFIED_SQLITE,
        Tx::Postgres(_) => VERIFIED_POSTGRES,
    };
    let mut verified: Vec<EvidenceId> = fetch_all!(tx, (EvidenceId,), sql, id)?
        .into_iter()
        .map(|(id,)| id)
        .collect();
    verified.extend(sealed_and_verified(tx, id).await?);
    Ok(verified)
}
