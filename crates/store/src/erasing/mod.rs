//! Erasing: the texts of sessions, of contents, and of every other column that may hold what
//! somebody said. Which texts those are is decided by the caller, who reads each column through
//! [`each_text`] and gives back what takes a text's place.

mod columns;

use domain::{
    Timestamp,
    changeset::ChangeState,
    erasure::{ERASED, ERASED_SHA256},
    ids::{ChangeId, ChangesetId, EvidenceId, MemoryId, SessionId, StoreId, VersionId},
    memory::MemoryPath,
};
use sqlx::FromRow;

pub use self::columns::{Erased, NOT_SEARCHED, TEXTS, TextColumn, each_text, replace_text};
use crate::{Result, Tx};

statements! {
    OF_SUBJECT = "SELECT id FROM sessions WHERE subject = $1 ORDER BY id";
    SUBJECT_OF = "SELECT subject FROM sessions WHERE id = $1";
    OLD = "SELECT s.id FROM sessions s WHERE s.deleted_at IS NULL AND COALESCE(s.last_event_at,
        s.updated_at) < $1 AND s.updated_at < $1
            AND EXISTS (SELECT 1 FROM events e WHERE e.session_id = s.id AND e.seq = s.event_count
            AND e.redacted_at IS NULL)
            AND NOT EXISTS (SELECT 1 FROM legal_holds h WHERE h.released_at IS NULL
            AND h.memory_id IS NULL
                AND (h.subject = s.subject OR EXISTS (SELECT 1 FROM session_stores x
                WHERE x.session_id = s.id AND x.store_id = h.store_id)))
        ORDER BY s.id LIMIT $2";
    // A copy can be erased in a session that is not.
    IS_ERASED = "SELECT EXISTS (SELECT 1 FROM events WHERE session_id = $1
        AND redacted_at IS NOT NULL AND copied_from IS NULL)";
    EVENTS = "UPDATE events SET text = '', raw = '', key_id = NULL, redacted_at = $2
        WHERE session_id = $1 AND redacted_at IS NULL";
    COPIES = "UPDATE events SET text = '', raw = '', key_id = NULL, redacted_at = $2
        WHERE redacted_at IS NULL AND copied_from IN ($1,
            (SELECT s.external_id FROM sessions s WHERE s.id = $3))";
    QUOTED_COPIES = "UPDATE evidence SET quote = '', sha256 = '', key_id = NULL
        WHERE event_id IN (SELECT e.id FROM events e WHERE e.copied_from IN ($1,
            (SELECT s.external_id FROM sessions s WHERE s.id = $2)))";
    FEATURES_OF_COPIES = "DELETE FROM session_features WHERE session_id IN (SELECT e.session_id
        FROM events e WHERE e.copied_from IN ($1,
            (SELECT s.external_id FROM sessions s WHERE s.id = $2)))";
    FEATURES = "DELETE FROM session_features WHERE session_id = $1";
    BATCHES = "UPDATE model_batches SET sessions = '{}', candidates = '[]', sealed = FALSE,
        request_sha256 = $2 || request_sha256 WHERE sessions LIKE $1";
    FINDINGS = "UPDATE findings SET evidence = '[]', about = '{}' WHERE evidence LIKE $1";
    OUTCOMES = "UPDATE outcomes SET note = NULL WHERE session_id = $1 AND note IS NOT NULL";
    QUOTES = "UPDATE evidence SET quote = '', sha256 = '', key_id = NULL WHERE session_id = $1";
    FORGET_SESSION = "UPDATE sessions SET import_key = $2, external_id = NULL, subject = NULL,
        task_key = NULL, metadata = '{}', events_digest = '',
            deleted_at = $3 WHERE id = $1";
    UNFIND = "DELETE FROM search_documents WHERE subject_id = $1 RETURNING id";
    UNFIND_SQLITE = "DELETE FROM search_index WHERE rowid = $1";
    // The words of changes that were erased go at once; those of what is left of them are read
    // again.
    FIND_AGAIN_SQLITE = "UPDATE search_documents SET indexed = FALSE WHERE kind = 'change'
        AND subject_id IN (SELECT id FROM changes WHERE title = $1 OR rationale = $1) RETURNING id";
    FIND_AGAIN_POSTGRES = "UPDATE search_documents SET indexed = FALSE, terms = NULL
        WHERE kind = 'change'
        AND subject_id IN (SELECT id FROM changes WHERE title = $1 OR rationale = $1) RETURNING id";
    IMPORT_KEY = "SELECT import_key FROM sessions WHERE id = $1";
    VECTORS = "DELETE FROM vectors";
    RESTS_ON = "SELECT DISTINCT change_id FROM evidence WHERE session_id = $1 AND NOT counter
        ORDER BY change_id";
    QUOTED_IN = "SELECT DISTINCT change_id FROM evidence WHERE session_id = $1 ORDER BY change_id";
    BACKED_BY = "SELECT DISTINCT session_id FROM evidence WHERE change_id = $1 AND NOT counter
        AND quote <> ''";
    OF_CHANGE = "SELECT id, changeset_id, store_id, state FROM changes WHERE id = $1";
    EDITS_OF = "SELECT DISTINCT content_sha256 FROM change_edits WHERE change_id = $1
        AND content_sha256 IS NOT NULL";
    TEXT_OF_CHANGE = "UPDATE changes SET title = $2, title_folded = $2, rationale = $2, facts = '{}'
        WHERE id = $1";
    CONTENTS = "SELECT sha256, content FROM contents";
    LIVE = "SELECT m.id, m.store_id, s.name AS store_name, m.path FROM memories m JOIN stores s
        ON s.id = m.store_id
        WHERE m.content_sha256 = $1 AND s.deleted_at IS NULL ORDER BY m.path";
    LIVE_PATHS = "SELECT m.id, m.store_id, s.name AS store_name, m.path FROM memories m
        JOIN stores s ON s.id = m.store_id
        WHERE s.deleted_at IS NULL ORDER BY m.path";
    PROPOSED_IN = "SELECT DISTINCT c.id FROM change_edits e JOIN changes c ON c.id = e.change_id
        WHERE (e.content_sha256 = $1 OR e.base_sha256 = $1) AND c.state IN ('pending', 'approved',
        'deferred') ORDER BY c.id";
    MEMORIES_WITH = "SELECT DISTINCT memory_id, store_id FROM memory_versions
        WHERE content_sha256 = $1";
    WRITTEN = "SELECT memory_id, store_id, MIN(number) FROM memory_versions WHERE change_id = $1
        GROUP BY memory_id, store_id";
    SAID_SINCE = "SELECT DISTINCT content_sha256 FROM memory_versions WHERE memory_id = $1
        AND number >= $2 AND content_sha256 IS NOT NULL";
    LIVE_ONE = "SELECT m.id, m.store_id, s.name AS store_name, m.path FROM memories m JOIN stores s
        ON s.id = m.store_id WHERE m.id = $1 AND s.deleted_at IS NULL";
    EVENTS_OF = "SELECT COUNT(*) FROM events WHERE session_id = $1";
    QUOTES_OF = "SELECT COUNT(*) FROM evidence WHERE session_id = $1";
    PAST_VERSIONS = "SELECT v.id FROM memory_versions v
        WHERE v.content_sha256 = $1 AND NOT EXISTS (SELECT 1 FROM memories m
        WHERE m.version_id = v.id AND m.content_sha256 = $1) ORDER BY v.id";
    // A memory of a deleted store is not changed by anybody before; if the store is restored, the
    // memory says that it was erased.
    REDACT_DELETED = "UPDATE memories SET content_sha256 = $2 WHERE content_sha256 = $1
        AND EXISTS (SELECT 1 FROM stores s WHERE s.id = memories.store_id
        AND s.deleted_at IS NOT NULL)";
    REDACT = "UPDATE memory_versions SET content_sha256 = $2, redacted_at = $3
        WHERE content_sha256 = $1
        AND NOT EXISTS (SELECT 1 FROM memories m WHERE m.version_id = memory_versions.id
        AND m.content_sha256 = $1)";
    EDITS = "UPDATE change_edits SET content_sha256 = $2 WHERE content_sha256 = $1";
    BASES = "UPDATE change_edits SET base_sha256 = $2 WHERE base_sha256 = $1";
    IS_NAMED = "SELECT EXISTS (SELECT 1 FROM memory_versions WHERE content_sha256 = $1)
        OR EXISTS (SELECT 1 FROM memories WHERE content_sha256 = $1)
        OR EXISTS (SELECT 1 FROM change_edits WHERE content_sha256 = $1 OR base_sha256 = $1)";
    QUOTED_FOR = "SELECT DISTINCT v.memory_id FROM evidence e JOIN memory_versions v
        ON v.change_id = e.change_id WHERE e.session_id = $1";
    QUOTES_FOR = "SELECT DISTINCT e.id, e.key_id, e.quote FROM evidence e JOIN memory_versions v
        ON v.change_id = e.change_id
        WHERE e.session_id = $1 AND v.memory_id = $2 AND e.quote <> '' AND NOT e.counter
        ORDER BY e.id";
    DROP_CONTENT = "DELETE FROM contents WHERE sha256 = $1";
    PAST_PATHS = "SELECT DISTINCT v.path FROM memory_versions v UNION SELECT path FROM change_edits
        UNION SELECT new_path FROM change_edits WHERE new_path IS NOT NULL";
    MOVE_DELETED = "UPDATE memories SET path = $2 WHERE path = $1
        AND EXISTS (SELECT 1 FROM stores s WHERE s.id = memories.store_id
        AND s.deleted_at IS NOT NULL)";
    OF_PATH = "SELECT v.id FROM memory_versions v WHERE v.path = $1
        AND NOT EXISTS (SELECT 1 FROM memories m WHERE m.version_id = v.id AND m.path = $1)";
    AGAIN_SQLITE = "UPDATE search_documents SET indexed = FALSE WHERE subject_id = $1 RETURNING id";
    AGAIN_POSTGRES = "UPDATE search_documents SET indexed = FALSE, terms = NULL
        WHERE subject_id = $1 RETURNING id";
    PATH_OF = "SELECT memory_id, store_id FROM memory_versions WHERE path = $1
        UNION SELECT e.memory_id, c.store_id FROM change_edits e JOIN changes c
        ON c.id = e.change_id WHERE e.path = $1 OR e.new_path = $1";
    OPEN_AT_PATH = "SELECT DISTINCT c.id FROM change_edits e JOIN changes c ON c.id = e.change_id
        WHERE (e.path = $1 OR e.new_path = $1) AND c.state IN ('pending', 'approved', 'deferred')
        ORDER BY c.id";
    OPEN_TEXTS = "SELECT c.id, c.title, c.rationale, c.facts FROM changes c
        WHERE c.state IN ('pending', 'approved', 'deferred') ORDER BY c.id";
    STORES_OF_EDITS = "SELECT DISTINCT c.store_id FROM change_edits e JOIN changes c
        ON c.id = e.change_id
        WHERE e.content_sha256 = $1 OR e.base_sha256 = $1";
    RELEASED = "UPDATE legal_holds SET subject = NULL WHERE subject = $1
        AND released_at IS NOT NULL";
    MOVE_VERSIONS = "UPDATE memory_versions SET path = $2 WHERE path = $1
        AND NOT EXISTS (SELECT 1 FROM memories m WHERE m.version_id = memory_versions.id
        AND m.path = $1)";
    MOVE_EDITS = "UPDATE change_edits SET path = $2 WHERE path = $1";
    MOVE_NEW = "UPDATE change_edits SET new_path = $2 WHERE new_path = $1";
    PAYLOADS = "SELECT seq, payload FROM audit WHERE payload IS NOT NULL";
    DROP_PAYLOAD = "UPDATE audit SET payload = NULL, salt = $2 WHERE seq = $1";
    // Of one version, for the person who redacts it.
    VERSION = "SELECT v.memory_id, v.store_id, v.path, v.number, v.content_sha256, v.redacted_at,
            EXISTS (SELECT 1 FROM memories m WHERE m.version_id = v.id) AS live
        FROM memory_versions v WHERE v.id = $1";
}

/// A memory that is not deleted, with its store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub struct LiveMemory {
    pub id: MemoryId,
    pub store_id: StoreId,
    pub store_name: String,
    pub path: MemoryPath,
}

/// A version whose text may be erased.
#[derive(Debug, Clone, FromRow)]
pub struct ErasableVersion {
    pub memory_id: MemoryId,
    pub store_id: StoreId,
    pub path: MemoryPath,
    pub number: i64,
    pub content_sha256: Option<String>,
    pub redacted_at: Option<Timestamp>,
    /// True if its memory says this now.
    pub live: bool,
}

/// The sessions of an end user, deleted ones among them.
pub async fn sessions_of(tx: &mut Tx, subject: &str) -> Result<Vec<SessionId>> {
    Ok(fetch_all!(tx, (SessionId,), OF_SUBJECT, subject)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// The end user of a session.
pub async fn subject_of(tx: &mut Tx, session: SessionId) -> Result<Option<String>> {
    Ok(fetch_optional!(tx, (Option<String>,), SUBJECT_OF, session)?.and_then(|(subject,)| subject))
}

/// Sessions in which nothing happened since a time, whose text is still there and under no hold.
pub async fn old_sessions(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<SessionId>> {
    Ok(fetch_all!(tx, (SessionId,), OLD, before, limit)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// True if the text of a session was erased.
pub async fn is_erased(tx: &mut Tx, session: SessionId) -> Result<bool> {
    fetch_scalar!(tx, bool, IS_ERASED, session)
}

/// The key under which an erased session is kept, so that its transcript is not imported again.
#[must_use]
pub fn erased_key(import_key: &str) -> String {
    format!(
        "erased:{}",
        domain::canonical::sha256_hex(import_key.as_bytes())
    )
}

/// Erases what a session's events say, and what was read out of them. Returns how many events there
/// were.
pub async fn erase_transcript(tx: &mut Tx, session: SessionId, at: Timestamp) -> Result<u64> {
    let events = execute!(tx, EVENTS, session, at)?;
    execute!(tx, FEATURES, session)?;
    let holding = format!("%{session}%");
    execute!(tx, BATCHES, holding, "erased:")?;
    Ok(events)
}

/// Erases everything else that is kept of a session: copies of its events in others, quotes, notes,
/// names, and its place in the search index. Returns how many quotes there were.
pub async fn erase_session(tx: &mut Tx, session: SessionId, at: Timestamp) -> Result<u64> {
    execute!(tx, QUOTED_COPIES, session.to_string(), session)?;
    execute!(tx, FEATURES_OF_COPIES, session.to_string(), session)?;
    execute!(tx, COPIES, session.to_string(), at, session)?;
    execute!(tx, FINDINGS, format!("%{session}%"))?;
    execute!(tx, OUTCOMES, session)?;
    let quotes = execute!(tx, QUOTES, session)?;
    let key = fetch_scalar!(tx, String, IMPORT_KEY, session)?;
    let key = if key.starts_with("erased:") {
        key
    } else {
        erased_key(&key)
    };
    execute!(tx, FORGET_SESSION, session, key, at)?;
    unfind(tx, session.0).await?;
    Ok(quotes)
}

/// Takes what a version or session says out of the search index.
async fn unfind(tx: &mut Tx, subject: uuid::Uuid) -> Result<()> {
    let documents = fetch_all!(tx, (i64,), UNFIND, subject)?;
    forget_words(tx, documents).await
}

/// Changes that were erased are found by what is left of them.
pub async fn find_changes_again(tx: &mut Tx) -> Result<()> {
    let sql = if matches!(tx, Tx::Sqlite(_)) {
        FIND_AGAIN_SQLITE
    } else {
        FIND_AGAIN_POSTGRES
    };
    let documents = fetch_all!(tx, (i64,), sql, ERASED)?;
    forget_words(tx, documents).await
}

/// On SQLite the words of documents are in a table of their own.
async fn forget_words(tx: &mut Tx, documents: Vec<(i64,)>) -> Result<()> {
    if matches!(tx, Tx::Sqlite(_)) {
        for (id,) in documents {
            execute!(tx, UNFIND_SQLITE, id)?;
        }
    }
    Ok(())
}

/// Forgets every vector: which text one was made of is not known, and each is made anew when it is
/// needed.
pub async fn drop_vectors(tx: &mut Tx) -> Result<()> {
    execute!(tx, VECTORS)?;
    Ok(())
}

/// Changes that a session speaks for, or, with `any`, that quote it at all.
pub async fn changes_on(tx: &mut Tx, session: SessionId, any: bool) -> Result<Vec<ChangeId>> {
    let sql = if any { QUOTED_IN } else { RESTS_ON };
    Ok(fetch_all!(tx, (ChangeId,), sql, session)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// The sessions that speak for a change, but for those that were erased.
pub async fn backed_by(tx: &mut Tx, change: ChangeId) -> Result<Vec<SessionId>> {
    Ok(fetch_all!(tx, (SessionId,), BACKED_BY, change)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// A change with its changeset, its store and how far it is.
pub async fn change(
    tx: &mut Tx,
    id: ChangeId,
) -> Result<Option<(ChangeId, ChangesetId, StoreId, ChangeState)>> {
    fetch_optional!(
        tx,
        (ChangeId, ChangesetId, StoreId, ChangeState),
        OF_CHANGE,
        id
    )
}

/// The SHA-256 of every text that a change proposed, in whichever revision.
pub async fn texts_of_change(tx: &mut Tx, id: ChangeId) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), EDITS_OF, id)?
        .into_iter()
        .map(|(sha256,)| sha256)
        .collect())
}

/// The memories that a change wrote, each with its store and the number of the first version that
/// it wrote.
pub async fn written_by(tx: &mut Tx, id: ChangeId) -> Result<Vec<(MemoryId, StoreId, i64)>> {
    fetch_all!(tx, (MemoryId, StoreId, i64), WRITTEN, id)
}

/// The SHA-256 of what a memory said from a version on.
pub async fn said_since(tx: &mut Tx, memory: MemoryId, number: i64) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), SAID_SINCE, memory, number)?
        .into_iter()
        .map(|(sha256,)| sha256)
        .collect())
}

/// A memory, unless it or its store is deleted.
pub async fn live_memory(tx: &mut Tx, id: MemoryId) -> Result<Option<LiveMemory>> {
    fetch_optional!(tx, LiveMemory, LIVE_ONE, id)
}

/// The memories that changes wrote which quote a session.
pub async fn quoted_for(tx: &mut Tx, session: SessionId) -> Result<Vec<MemoryId>> {
    Ok(fetch_all!(tx, (MemoryId,), QUOTED_FOR, session)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// Returns what of a session is quoted for a memory.
pub async fn quotes_for(tx: &mut Tx, session: SessionId, memory: MemoryId) -> Result<Vec<String>> {
    let mut quotes = std::collections::BTreeSet::new();
    for (id, key_id, quote) in fetch_all!(
        tx,
        (EvidenceId, Option<String>, String),
        QUOTES_FOR,
        session,
        memory
    )? {
        quotes.extend(crate::evidence::opened(tx, key_id.as_deref(), id, quote).await?);
    }
    Ok(quotes.into_iter().collect())
}

/// How many events and quotes there are of a session.
pub async fn size_of(tx: &mut Tx, session: SessionId) -> Result<(i64, i64)> {
    Ok((
        fetch_scalar!(tx, i64, EVENTS_OF, session)?,
        fetch_scalar!(tx, i64, QUOTES_OF, session)?,
    ))
}

/// Erases what a change says of itself.
pub async fn erase_change(tx: &mut Tx, id: ChangeId) -> Result<()> {
    execute!(tx, TEXT_OF_CHANGE, id, ERASED)?;
    Ok(())
}

/// Gives the SHA-256 and the text of every content to `take`.
pub async fn each_content(tx: &mut Tx, mut take: impl FnMut(String, String)) -> Result<()> {
    each_row!(tx, (String, String), CONTENTS, |(sha256, content)| take(
        sha256, content
    ));
    Ok(())
}

/// The memories that say this now.
pub async fn live_with(tx: &mut Tx, sha256: &str) -> Result<Vec<LiveMemory>> {
    fetch_all!(tx, LiveMemory, LIVE, sha256)
}

/// Every memory that is not deleted.
pub async fn live_memories(tx: &mut Tx) -> Result<Vec<LiveMemory>> {
    fetch_all!(tx, LiveMemory, LIVE_PATHS)
}

/// Open changes that propose a content, or to change it.
pub async fn proposed_in(tx: &mut Tx, sha256: &str) -> Result<Vec<ChangeId>> {
    Ok(fetch_all!(tx, (ChangeId,), PROPOSED_IN, sha256)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// The memories that say, or once said, this, each with its store.
pub async fn memories_with(tx: &mut Tx, sha256: &str) -> Result<Vec<(MemoryId, StoreId)>> {
    fetch_all!(tx, (MemoryId, StoreId), MEMORIES_WITH, sha256)
}

/// The versions that say this and are no memory's newest.
async fn past_versions(tx: &mut Tx, sha256: &str) -> Result<Vec<VersionId>> {
    Ok(fetch_all!(tx, (VersionId,), PAST_VERSIONS, sha256)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// Erases a text from every past version and every edit, and forgets it unless a memory still says
/// it. Returns how many versions said it.
pub async fn erase_content(tx: &mut Tx, sha256: &str, at: Timestamp) -> Result<u64> {
    execute!(tx, REDACT_DELETED, sha256, ERASED_SHA256)?;
    for version in past_versions(tx, sha256).await? {
        unfind(tx, version.0).await?;
    }
    let versions = execute!(tx, REDACT, sha256, ERASED_SHA256, at)?;
    execute!(tx, EDITS, sha256, ERASED_SHA256)?;
    execute!(tx, BASES, sha256, ERASED_SHA256)?;
    if !fetch_scalar!(tx, bool, IS_NAMED, sha256)? {
        execute!(tx, DROP_CONTENT, sha256)?;
    }
    Ok(versions)
}

/// Every path that a version or an edit names.
pub async fn paths(tx: &mut Tx) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), PAST_PATHS)?
        .into_iter()
        .map(|(path,)| path)
        .collect())
}

/// Puts a path that says nothing in the place of another, in past versions and in edits.
pub async fn erase_path(tx: &mut Tx, old: &str, new: &str) -> Result<()> {
    let again = if matches!(tx, Tx::Sqlite(_)) {
        AGAIN_SQLITE
    } else {
        AGAIN_POSTGRES
    };
    for (version,) in fetch_all!(tx, (VersionId,), OF_PATH, old)? {
        let documents = fetch_all!(tx, (i64,), again, version.0)?;
        forget_words(tx, documents).await?;
    }
    execute!(tx, MOVE_DELETED, old, new)?;
    execute!(tx, MOVE_VERSIONS, old, new)?;
    execute!(tx, MOVE_EDITS, old, new)?;
    execute!(tx, MOVE_NEW, old, new)?;
    Ok(())
}

/// The memories and stores that a path is, or was, of; no memory of one that is only proposed.
pub async fn of_path(tx: &mut Tx, path: &str) -> Result<Vec<(Option<MemoryId>, StoreId)>> {
    fetch_all!(tx, (Option<MemoryId>, StoreId), PATH_OF, path)
}

/// Open changes that have an edit at a path.
pub async fn open_at_path(tx: &mut Tx, path: &str) -> Result<Vec<ChangeId>> {
    Ok(fetch_all!(tx, (ChangeId,), OPEN_AT_PATH, path)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// Open changes with what they say of themselves: title, reason and facts.
pub async fn open_texts(tx: &mut Tx) -> Result<Vec<(ChangeId, String, String, String)>> {
    fetch_all!(tx, (ChangeId, String, String, String), OPEN_TEXTS)
}

/// The stores in which a content was proposed, or a change of it.
pub async fn stores_of_edits(tx: &mut Tx, sha256: &str) -> Result<Vec<StoreId>> {
    Ok(fetch_all!(tx, (StoreId,), STORES_OF_EDITS, sha256)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// Forgets of whom holds were that are released.
pub async fn erase_released_holds(tx: &mut Tx, subject: &str) -> Result<()> {
    execute!(tx, RELEASED, subject)?;
    Ok(())
}

/// Gives position and payload of every entry of the trail to `take`.
pub async fn each_payload(tx: &mut Tx, mut take: impl FnMut(i64, String)) -> Result<()> {
    each_row!(tx, (i64, String), PAYLOADS, |(seq, payload)| take(
        seq, payload
    ));
    Ok(())
}

/// Erases the payload of an entry with its salt. The entry that is appended next must name it.
pub async fn erase_payload(tx: &mut Tx, seq: i64) -> Result<()> {
    let no_salt: &[u8] = &[];
    execute!(tx, DROP_PAYLOAD, seq, no_salt)?;
    Ok(())
}

/// A version, for the person who erases its text.
pub async fn version(tx: &mut Tx, id: VersionId) -> Result<Option<ErasableVersion>> {
    fetch_optional!(tx, ErasableVersion, VERSION, id)
}
