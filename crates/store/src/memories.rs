//! Reading memories and their versions. Writing them is `commits::write`'s alone.

use domain::{
    Timestamp,
    ids::{ChangeId, ChangesetId, CommitId, DreamId, MemoryId, StoreId, VersionId},
    memory::{MemoryPath, Operation},
};
use sqlx::FromRow;

use crate::{Page, Result, Tx, engine::folded};

macro_rules! version_sql {
    () => {
        "SELECT v.id, v.memory_id, v.store_id, v.commit_id, v.number, v.operation, v.path,
            v.content_sha256, v.created_at, v.by_person, v.change_id,
            v.redacted_at, c.revision, c.actor, c.message, c.approvals, ch.title AS change_title,
            ch.changeset_id"
    };
}

macro_rules! version_from_sql {
    () => {
        " FROM memory_versions v JOIN commits c ON c.id = v.commit_id LEFT JOIN changes ch
            ON ch.id = v.change_id"
    };
}

statements! {
    WITH_WORDS = "SELECT m.id, m.path, c.content FROM memories m JOIN contents c
        ON c.sha256 = m.content_sha256
        WHERE m.store_id = $1 AND (LOWER(c.content) LIKE $2 ESCAPE '!'
        OR LOWER(c.content) LIKE $3 ESCAPE '!' OR LOWER(c.content) LIKE $4 ESCAPE '!'
            OR LOWER(c.content) LIKE $5 ESCAPE '!' OR LOWER(c.content) LIKE $6 ESCAPE '!'
            OR LOWER(c.content) LIKE $7 ESCAPE '!')
        ORDER BY m.path LIMIT $8";
    RANGE = "SELECT m.id, m.store_id, m.path, m.version_id, m.content_sha256, m.frozen,
        m.created_at, m.updated_at, c.bytes, v.number, v.by_person,
        v.change_id IS NOT NULL AS approved,
            m.frozen_reason, m.frozen_by, m.frozen_at
        FROM memories m JOIN contents c ON c.sha256 = m.content_sha256 JOIN memory_versions v
        ON v.id = m.version_id
        WHERE m.store_id = $1 AND m.path >= $2 AND m.path < $3 ORDER BY m.path LIMIT $4";
    ONE = "SELECT m.id, m.store_id, m.path, m.version_id, m.content_sha256, m.frozen, m.created_at,
        m.updated_at, c.bytes, v.number, v.by_person, v.change_id IS NOT NULL AS approved,
            m.frozen_reason, m.frozen_by, m.frozen_at
        FROM memories m JOIN contents c ON c.sha256 = m.content_sha256 JOIN memory_versions v
        ON v.id = m.version_id
        WHERE m.id = $1";
    AT_PATH = "SELECT m.id, m.store_id, m.path, m.version_id, m.content_sha256, m.frozen,
        m.created_at, m.updated_at, c.bytes, v.number, v.by_person,
        v.change_id IS NOT NULL AS approved,
            m.frozen_reason, m.frozen_by, m.frozen_at
        FROM memories m JOIN contents c ON c.sha256 = m.content_sha256 JOIN memory_versions v
        ON v.id = m.version_id
        WHERE m.store_id = $1 AND m.path = $2";
    CONTENTS = concat!("SELECT sha256, content FROM contents WHERE sha256 IN (", fifty!(), ")");
    CONTENT = "SELECT content FROM contents WHERE sha256 = $1";
    CONTENTS_OF_STORE = "SELECT m.id, m.path, m.version_id, m.content_sha256, m.frozen,
        m.updated_at, v.by_person, c.content
        FROM memories m JOIN contents c ON c.sha256 = m.content_sha256 JOIN memory_versions v
        ON v.id = m.version_id
        WHERE m.store_id = $1 ORDER BY m.path";
    FOR_BRIEFING = "SELECT m.id, m.path, m.version_id, m.frozen, c.bytes <= $2 AS whole,
            CASE WHEN c.bytes <= $2 THEN c.content ELSE SUBSTR(c.content, 1, 400) END AS content,
            COALESCE(NULLIF(ch.support_subjects, 0), NULLIF(ch.support_tasks, 0),
            ch.support_sessions, 0) AS support, m.support AS refreshed
        FROM memories m JOIN contents c ON c.sha256 = m.content_sha256 JOIN memory_versions v
        ON v.id = m.version_id
        LEFT JOIN changes ch ON ch.id = v.change_id
        WHERE m.store_id = $1 ORDER BY m.path";
    RANKED = "SELECT m.id, m.path, m.version_id, m.content_sha256, m.frozen, c.bytes,
            COALESCE(NULLIF(ch.support_subjects, 0), NULLIF(ch.support_tasks, 0),
            ch.support_sessions, 0) AS support, m.support AS refreshed
        FROM memories m JOIN contents c ON c.sha256 = m.content_sha256 JOIN memory_versions v
        ON v.id = m.version_id
        LEFT JOIN changes ch ON ch.id = v.change_id
        WHERE m.store_id = $1 ORDER BY m.path";
    BEGINNINGS = concat!("SELECT sha256, SUBSTR(content, 1, 400) FROM contents WHERE sha256 IN (", fifty!(), ")");
    TOKENS_OF_STORE = "SELECT CAST(COALESCE(SUM((c.bytes + 3) / 4), 0) AS BIGINT) FROM memories m
        JOIN contents c ON c.sha256 = m.content_sha256
        WHERE m.store_id = $1";
    VERSIONS = concat!(version_sql!(), version_from_sql!(), " WHERE v.memory_id = $1
        AND v.number < $2 ORDER BY v.number DESC LIMIT $3");
    VERSION = concat!(version_sql!(), version_from_sql!(), " WHERE v.memory_id = $1
        AND v.number = $2");
    VERSIONS_IN = concat!(version_sql!(), version_from_sql!(), " WHERE v.id IN (", fifty!(), ")");
    LAST_SAID = "SELECT content_sha256 FROM memory_versions WHERE memory_id = $1
        AND content_sha256 IS NOT NULL ORDER BY number DESC LIMIT 1";
    VERSIONS_OF_COMMIT = concat!(version_sql!(), version_from_sql!(), " WHERE v.commit_id = $1
        ORDER BY v.path, v.id");
    WRITTEN_BY_COMMIT = concat!(version_sql!(), ", before.content AS content_before, after.content \
        AS content_after", version_from_sql!(), "
        LEFT JOIN memory_versions b ON b.memory_id = v.memory_id AND b.number = v.number - 1
        LEFT JOIN contents before ON before.sha256 = b.content_sha256 LEFT JOIN contents after
        ON after.sha256 = v.content_sha256
        WHERE v.commit_id = $1 AND (CAST($2 AS UUID) IS NULL OR v.id > $2) ORDER BY v.id LIMIT $3");
    TREE = "SELECT id, path, frozen, updated_at FROM memories WHERE store_id = $1 AND path >= $2
        AND path < $3 ORDER BY path LIMIT $4";
    OPEN_CHANGES = "SELECT DISTINCT c.id, c.changeset_id, c.title FROM open_targets t JOIN changes c
        ON c.id = t.change_id
        WHERE t.memory_id = $1 ORDER BY c.id LIMIT $2";
    ORIGIN = "SELECT ch.id, ch.changeset_id, cs.dream_id, ch.title, ch.rationale,
        ch.support_sessions, ch.eligible_sessions
        FROM memory_versions v JOIN changes ch ON ch.id = v.change_id JOIN changesets cs
        ON cs.id = ch.changeset_id WHERE v.id = $1";
    SUPPORT_OF_STORE = "SELECT support FROM memories WHERE store_id = $1 ORDER BY path";
    REFRESH_SUPPORT = "UPDATE memories SET support = $1 WHERE id = $2";
    FREEZE = "UPDATE memories SET frozen = TRUE, frozen_reason = $1, frozen_by = $2, frozen_at = $3
        WHERE id = $4 AND NOT frozen";
    UNFREEZE = "UPDATE memories SET frozen = FALSE, frozen_reason = NULL, frozen_by = NULL,
        frozen_at = NULL WHERE id = $1 AND frozen";
    VERSION_BEFORE = "SELECT content_sha256, redacted_at, path, by_person FROM memory_versions
        WHERE memory_id = $1 AND number = $2";
}

/// A memory without its content.
#[derive(Debug, Clone, FromRow)]
pub struct MemoryRow {
    pub id: MemoryId,
    pub store_id: StoreId,
    pub path: MemoryPath,
    pub version_id: VersionId,
    /// SHA-256 of its content.
    pub content_sha256: String,
    /// True if only a person may change it.
    pub frozen: bool,
    /// Since when it is there.
    pub created_at: Timestamp,
    /// Since when it says what it says.
    pub updated_at: Timestamp,
    /// Size of the content.
    pub bytes: i64,
    /// Number of the current version.
    pub number: i64,
    /// True if a person wrote the current version.
    pub by_person: bool,
    /// True if people approved the current version through the gate.
    pub approved: bool,
    /// Why it is frozen.
    pub frozen_reason: Option<String>,
    pub frozen_by: Option<String>,
    pub frozen_at: Option<Timestamp>,
}

/// A memory with its content, as a dream loads it.
#[derive(Debug, Clone, FromRow)]
pub struct MemoryContent {
    pub id: MemoryId,
    pub path: MemoryPath,
    pub version_id: VersionId,
    /// SHA-256 of its content.
    pub content_sha256: String,
    /// True if only a person may change it.
    pub frozen: bool,
    /// Since when it says what it says.
    pub updated_at: Timestamp,
    /// True if a person wrote the current version.
    pub by_person: bool,
    pub content: String,
}

/// A memory as a briefing reads it.
#[derive(Debug, Clone, FromRow)]
pub struct BriefingRow {
    pub id: MemoryId,
    pub path: MemoryPath,
    pub version_id: VersionId,
    /// True if only a person may change it.
    pub frozen: bool,
    /// True if the content is all of it, or only how it begins: what is over the limit that was
    /// asked for could not be told anyway.
    pub whole: bool,
    pub content: String,
    /// Distinct subjects, else tasks, else sessions behind the change that wrote it; 0 if no change
    /// did.
    pub support: i64,
    /// What dreams have counted since, as JSON.
    pub refreshed: String,
}

/// A memory as a briefing chooses it: everything but what it says.
#[derive(Debug, Clone, FromRow)]
pub struct RankedRow {
    pub id: MemoryId,
    pub path: MemoryPath,
    pub version_id: VersionId,
    /// SHA-256 of its content.
    pub content_sha256: String,
    /// True if only a person may change it.
    pub frozen: bool,
    /// Size of the content.
    pub bytes: i64,
    /// Distinct subjects, else tasks, else sessions behind the change that wrote it; 0 if no change
    /// did.
    pub support: i64,
    /// What dreams have counted since, as JSON.
    pub refreshed: String,
}

/// A version with the commit that wrote it.
#[derive(Debug, Clone, FromRow)]
pub struct VersionRow {
    pub id: VersionId,
    pub memory_id: MemoryId,
    pub store_id: StoreId,
    pub commit_id: CommitId,
    /// Its number in the memory, from 1.
    pub number: i64,
    pub operation: Operation,
    /// The path it stood at.
    pub path: MemoryPath,
    /// SHA-256 of what it said; none if it deleted.
    pub content_sha256: Option<String>,
    /// When its text was erased; what it says since is [`domain::erasure::ERASED`].
    pub redacted_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// True if a person wrote it.
    pub by_person: bool,
    /// The change it came from.
    pub change_id: Option<ChangeId>,
    /// The commit's number in the store.
    pub revision: i64,
    pub actor: String,
    pub message: String,
    pub approvals: String,
    /// The title of the change it came from.
    pub change_title: Option<String>,
    /// The changeset of that change.
    pub changeset_id: Option<ChangesetId>,
}

/// Versions of any memories, by id.
pub async fn versions_in(tx: &mut Tx, ids: &[VersionId]) -> Result<Vec<VersionRow>> {
    fetch_listed!(tx, VersionRow, VERSIONS_IN, ids)
}

/// One version of a memory, by number.
pub async fn version_whole(
    tx: &mut Tx,
    memory: MemoryId,
    number: i64,
) -> Result<Option<VersionRow>> {
    fetch_optional!(tx, VersionRow, VERSION, memory, number)
}

/// A memory in the tree of its store.
#[derive(Debug, Clone, FromRow)]
pub struct TreeRow {
    pub id: MemoryId,
    pub path: MemoryPath,
    /// True if only people may change it.
    pub frozen: bool,
    /// Since when it says what it says.
    pub updated_at: Timestamp,
}

/// The paths of a store from the first on, up to before the second, at most so many.
pub async fn tree(
    tx: &mut Tx,
    store: StoreId,
    from: &str,
    before: &str,
    limit: i64,
) -> Result<Vec<TreeRow>> {
    fetch_all!(tx, TreeRow, TREE, store, from, before, limit)
}

/// An open change that touches a memory.
#[derive(Debug, Clone, FromRow)]
pub struct OpenChangeRow {
    pub id: ChangeId,
    pub changeset_id: ChangesetId,
    pub title: String,
}

/// Open changes that touch a memory, at most so many.
pub async fn open_changes(tx: &mut Tx, memory: MemoryId, limit: i64) -> Result<Vec<OpenChangeRow>> {
    fetch_all!(tx, OpenChangeRow, OPEN_CHANGES, memory, limit)
}

/// The change that a version came from.
#[derive(Debug, Clone, FromRow)]
pub struct OriginRow {
    pub id: ChangeId,
    pub changeset_id: ChangesetId,
    /// The dream that proposed it, if one did.
    pub dream_id: Option<DreamId>,
    pub title: String,
    /// Why it was proposed.
    pub rationale: String,
    /// Sessions that backed it.
    pub support_sessions: i64,
    /// Sessions that could have.
    pub eligible_sessions: i64,
}

/// The change behind a version; none for a direct write.
pub async fn origin(tx: &mut Tx, version: VersionId) -> Result<Option<OriginRow>> {
    fetch_optional!(tx, OriginRow, ORIGIN, version)
}

/// Memories of a store by path, without contents: from the first path on, up to before the second,
/// at most so many.
pub async fn range(
    tx: &mut Tx,
    store: StoreId,
    from: &str,
    before: &str,
    limit: i64,
) -> Result<Vec<MemoryRow>> {
    fetch_all!(tx, MemoryRow, RANGE, store, from, before, limit)
}

/// One memory, if it still exists.
pub async fn get(tx: &mut Tx, id: MemoryId) -> Result<Option<MemoryRow>> {
    fetch_optional!(tx, MemoryRow, ONE, id)
}

/// The memory at a path.
pub async fn at_path(tx: &mut Tx, store: StoreId, path: &MemoryPath) -> Result<Option<MemoryRow>> {
    fetch_optional!(tx, MemoryRow, AT_PATH, store, path)
}

/// A content by its hash.
pub async fn content(tx: &mut Tx, sha256: &str) -> Result<Option<String>> {
    Ok(fetch_optional!(tx, (String,), CONTENT, sha256)?.map(|(content,)| content))
}

/// Contents by their hashes; those that are not there are left out.
pub async fn contents(tx: &mut Tx, hashes: &[&str]) -> Result<Vec<(String, String)>> {
    fetch_listed!(tx, (String, String), CONTENTS, hashes)
}

/// Every memory of a store with its content, by path.
pub async fn contents_of_store(tx: &mut Tx, store: StoreId) -> Result<Vec<MemoryContent>> {
    fetch_all!(tx, MemoryContent, CONTENTS_OF_STORE, store)
}

/// Every memory of a store with its support, by path; with its content where that has at most so
/// many bytes, else with its beginning.
pub async fn for_briefing(tx: &mut Tx, store: StoreId, bytes: i64) -> Result<Vec<BriefingRow>> {
    fetch_all!(tx, BriefingRow, FOR_BRIEFING, store, bytes)
}

/// Every memory of a store by path, as a briefing chooses among them.
pub async fn ranked(tx: &mut Tx, store: StoreId) -> Result<Vec<RankedRow>> {
    fetch_all!(tx, RankedRow, RANKED, store)
}

/// The first 400 characters of contents by their hashes.
pub async fn beginnings(tx: &mut Tx, hashes: &[&str]) -> Result<Vec<(String, String)>> {
    fetch_listed!(tx, (String, String), BEGINNINGS, hashes)
}

/// Tokens (4 bytes each, rounded up for each memory) of all memories of a store.
pub async fn tokens_of_store(tx: &mut Tx, store: StoreId) -> Result<i64> {
    fetch_scalar!(tx, i64, TOKENS_OF_STORE, store)
}

/// A page of a memory's versions before a number, newest first.
pub async fn versions(
    tx: &mut Tx,
    id: MemoryId,
    before: i64,
    limit: i64,
) -> Result<Page<VersionRow>> {
    Ok(Page::of(
        fetch_all!(tx, VersionRow, VERSIONS, id, before, limit + 1)?,
        limit,
    ))
}

/// The hash of what a memory says, or last said.
pub async fn last_said(tx: &mut Tx, id: MemoryId) -> Result<Option<String>> {
    Ok(fetch_optional!(tx, (String,), LAST_SAID, id)?.map(|(sha256,)| sha256))
}

/// A version that a commit wrote, with what the memory said before and says after.
#[derive(Debug, Clone, FromRow)]
pub struct WrittenRow {
    #[sqlx(flatten)]
    pub version: VersionRow,
    /// What the version before said, if there was one.
    pub content_before: Option<String>,
    pub content_after: Option<String>,
}

/// A page of what a commit wrote, in the order in which it was written, after a version.
pub async fn written_by_commit(
    tx: &mut Tx,
    commit: CommitId,
    after: Option<VersionId>,
    limit: i64,
) -> Result<Page<WrittenRow>> {
    Ok(Page::of(
        fetch_all!(tx, WrittenRow, WRITTEN_BY_COMMIT, commit, after, limit + 1)?,
        limit,
    ))
}

/// Every version that a commit wrote, by path.
pub async fn versions_of_commit(tx: &mut Tx, commit: CommitId) -> Result<Vec<VersionRow>> {
    fetch_all!(tx, VersionRow, VERSIONS_OF_COMMIT, commit)
}

/// The content and path of a memory's version with a number, and whether a person wrote it.
#[derive(Debug, Clone, FromRow)]
pub struct Numbered {
    /// SHA-256 of what it said; none if it deleted.
    pub content_sha256: Option<String>,
    /// When its text was erased.
    pub redacted_at: Option<Timestamp>,
    pub path: MemoryPath,
    /// True if a person wrote it.
    pub by_person: bool,
}

/// A memory's version by number.
pub async fn version_numbered(
    tx: &mut Tx,
    memory: MemoryId,
    number: i64,
) -> Result<Option<Numbered>> {
    fetch_optional!(tx, Numbered, VERSION_BEFORE, memory, number)
}

/// Freezes a memory: only people change it from now on. False if it is frozen already, or gone.
pub async fn freeze(
    tx: &mut Tx,
    id: MemoryId,
    reason: &str,
    by: &str,
    at: Timestamp,
) -> Result<bool> {
    Ok(execute!(tx, FREEZE, reason, by, at, id)? == 1)
}

/// Ends that; false if it was not frozen.
pub async fn unfreeze(tx: &mut Tx, id: MemoryId) -> Result<bool> {
    Ok(execute!(tx, UNFREEZE, id)? == 1)
}

/// Returns what is known of each memory's support, as JSON, in the order of their paths.
pub async fn support_of_store(tx: &mut Tx, store: StoreId) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), SUPPORT_OF_STORE, store)?
        .into_iter()
        .map(|(support,)| support)
        .collect())
}

/// Replaces what is known of a memory's support, as JSON: numbers beside the memory, not a change
/// of it.
pub async fn refresh_support(tx: &mut Tx, id: MemoryId, support: &str) -> Result<()> {
    execute!(tx, REFRESH_SUPPORT, support, id)?;
    Ok(())
}

/// Memories of a store that hold any of up to three words, in lower case or with a capital; at most
/// so many, by path.
pub async fn with_words(
    tx: &mut Tx,
    store: StoreId,
    words: &[String],
    limit: i64,
) -> Result<Vec<(MemoryId, MemoryPath, String)>> {
    let pattern = |text: String| {
        format!(
            "%{}%",
            text.replace('!', "!!")
                .replace('%', "!%")
                .replace('_', "!_")
        )
    };
    let small = |n: usize| words.get(n).map(|w| pattern(folded(w)));
    // SQLite's LOWER leaves a capital outside of ASCII as it is: such a word is looked for with it,
    // too.
    let capital = |n: usize| {
        words
            .get(n)
            .filter(|w| !w.starts_with(|c: char| c.is_ascii()))
            .map(|w| pattern(capitalised(w)))
    };
    let (a, b, c) = (small(0), small(1), small(2));
    fetch_all!(
        tx,
        (MemoryId, MemoryPath, String),
        WITH_WORDS,
        store,
        a,
        b,
        c,
        capital(0),
        capital(1),
        capital(2),
        limit
    )
}

fn capitalised(word: &str) -> String {
    let word = folded(word);
    let mut chars = word.chars();
    chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(chars)
        .collect()
}
