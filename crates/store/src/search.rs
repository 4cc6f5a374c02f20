//! The search index: memory versions, changes and sessions. [`domain::search`] makes the tokens, so
//! both engines find the same; only the queries differ, and they are in this file.

use std::{collections::BTreeMap, fmt::Write as _};

use domain::{
    Timestamp,
    ids::{ChangeId, ChangesetId, MemoryId, SessionId, StoreId, UserId, VersionId},
    masking::mask,
    memory::MemoryPath,
    search::{DocumentKind, Term, tokens},
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{Result, Tx};

/// Most tokens of one document that are indexed. With more, PostgreSQL's largest `tsvector` (1 MB)
/// could be exceeded.
const MOST_TOKENS: usize = 40_000;
/// Before tokens that say where a document belongs. It is a character for private use, which is no
/// letter, so no word of a text begins with it.
const MARK: char = '\u{e000}';

/// The conditions that both engines share.
macro_rules! found_sql {
    () => {
        "AND s.deleted_at IS NULL AND d.current = $2 AND d.at >= $3 AND d.at < $4
            AND (CAST($5 AS UUID) IS NULL
                OR (d.kind = 'memory' AND EXISTS (SELECT 1 FROM memory_versions v JOIN commits c
                ON c.id = v.commit_id
                    WHERE v.id = d.subject_id AND (c.actor = $6 OR c.approvals LIKE $7)))
                OR (d.kind = 'change' AND (EXISTS (SELECT 1 FROM decisions x
                WHERE x.change_id = d.subject_id AND x.user_id = $5)
                    OR EXISTS (SELECT 1 FROM change_contributors x WHERE x.change_id = d.subject_id
                    AND x.user_id = $5)))
                OR (d.kind = 'session' AND EXISTS (SELECT 1 FROM session_recorders x
                WHERE x.session_id = d.subject_id AND x.recorder = $6)))
        "
    };
}

statements! {
    PENDING_VERSIONS = "SELECT d.id, d.store_id, d.current, v.path, c.content
        FROM search_documents d JOIN memory_versions v ON v.id = d.subject_id
            LEFT JOIN contents c ON c.sha256 = v.content_sha256
        WHERE d.kind = 'memory' AND NOT d.indexed ORDER BY d.id LIMIT $1";
    PENDING_CHANGES = "SELECT d.id, d.store_id, d.current, c.title, c.rationale
        FROM search_documents d JOIN changes c ON c.id = d.subject_id
        WHERE d.kind = 'change' AND NOT d.indexed ORDER BY d.id LIMIT $1";
    PENDING_SESSIONS = "SELECT d.id, d.store_id, d.current, COALESCE(s.external_id, '') AS name,
            COALESCE(s.agent, '') || ' ' || COALESCE(s.subject, '') || ' ' || COALESCE(s.team,
            '') || ' ' || COALESCE(s.task_key, '') AS more
        FROM search_documents d JOIN sessions s ON s.id = d.subject_id WHERE d.kind = 'session'
        AND NOT d.indexed ORDER BY d.id LIMIT $1";
    IS_PENDING = "SELECT EXISTS (SELECT 1 FROM search_documents WHERE NOT indexed)";
    // A version that is no longer what its memory says is indexed again.
    FORGET_SQLITE = "DELETE FROM search_index WHERE rowid = $1";
    INDEX_SQLITE = "INSERT INTO search_index (rowid, terms) VALUES ($1, $2)";
    INDEXED_SQLITE = "UPDATE search_documents SET indexed = TRUE WHERE id = $1";
    INDEX_POSTGRES = "UPDATE search_documents SET terms = CAST($2 AS TSVECTOR), indexed = TRUE
        WHERE id = $1";
    MERGE_SQLITE = "INSERT INTO search_index (search_index) VALUES ('optimize')";
    // In the order of the index itself, so that it stops once enough is found.
    FIND_SQLITE = concat!("SELECT d.id, d.store_id, d.subject_id, d.memory_id, d.at
        FROM search_index
            JOIN search_documents d ON d.id = search_index.rowid JOIN stores s ON s.id = d.store_id
        WHERE search_index MATCH $1 ", found_sql!(), "ORDER BY search_index.rowid DESC LIMIT $8");
    FIND_POSTGRES = concat!("SELECT d.id, d.store_id, d.subject_id, d.memory_id, d.at
        FROM search_documents d JOIN stores s ON s.id = d.store_id
        WHERE d.terms @@ CAST($1 AS TSQUERY) ", found_sql!(), "ORDER BY d.id DESC LIMIT $8");
    VERSIONS = concat!("SELECT v.id, v.memory_id, v.store_id, v.number, v.path, v.created_at,
        c.content,
            EXISTS (SELECT 1 FROM memories m WHERE m.id = v.memory_id) AS alive
        FROM memory_versions v LEFT JOIN contents c ON c.sha256 = v.content_sha256 WHERE v.id IN (", fifty!(), ")");
    CHANGES = concat!("SELECT id, changeset_id, store_id, title, rationale, state, created_at
        FROM changes WHERE id IN (", fifty!(), ")");
    SESSIONS = concat!("SELECT id, external_id, agent, subject, team, task_key, created_at
        FROM sessions
        WHERE deleted_at IS NULL AND id IN (", fifty!(), ")");
}

/// A document that waits: its number and store, whether it is what a memory says now, and what it
/// is called and says.
type Pending = (i64, StoreId, bool, String, Option<String>);

/// A query of the index.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    pub kind: DocumentKind,
    /// In these stores; `None` in all.
    pub stores: Option<&'a [StoreId]>,
    pub terms: &'a [Term],
    /// True if one of the terms is enough.
    pub any: bool,
    /// Versions that are what their memory says now, or those that no longer are.
    pub current: bool,
    /// From this time on.
    pub since: Timestamp,
    pub until: Timestamp,
    /// Only what this person wrote, approved, decided on or recorded.
    pub person: Option<UserId>,
    /// At most so many.
    pub limit: i64,
}

/// A document that was found.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct FoundRow {
    /// Its number: later documents have higher ones.
    pub id: i64,
    pub store_id: StoreId,
    /// The version, session or change.
    pub subject_id: Uuid,
    /// The memory, of a version.
    pub memory_id: Option<MemoryId>,
    /// When it was made.
    pub at: Timestamp,
}

/// True if something waits to be indexed.
pub async fn is_pending(tx: &mut Tx) -> Result<bool> {
    fetch_scalar!(tx, bool, IS_PENDING)
}

/// Indexes new documents, at most so many of each kind. Returns how many.
pub async fn index(tx: &mut Tx, limit: i64) -> Result<usize> {
    let mut all: Vec<(DocumentKind, Pending)> = Vec::new();
    for (kind, sql) in [
        (DocumentKind::Memory, PENDING_VERSIONS),
        (DocumentKind::Change, PENDING_CHANGES),
        (DocumentKind::Session, PENDING_SESSIONS),
    ] {
        all.extend(
            fetch_all!(tx, Pending, sql, limit)?
                .into_iter()
                .map(|row| (kind, row)),
        );
    }
    let count = all.len();
    for (kind, (id, store, current, title, text)) in all {
        // What a recorder says of a session is only ever shown masked, so nobody finds it
        // otherwise.
        let read = |text: &str| {
            if kind == DocumentKind::Session {
                mask(text)
            } else {
                text.to_owned()
            }
        };
        let words = words_of(
            (kind, current),
            store,
            &read(&title),
            &read(text.as_deref().unwrap_or_default()),
        );
        match tx {
            Tx::Sqlite(_) => {
                execute!(tx, FORGET_SQLITE, id)?;
                execute!(tx, INDEX_SQLITE, id, words.join(" "))?;
                execute!(tx, INDEXED_SQLITE, id)?;
            }
            Tx::Postgres(_) => {
                execute!(tx, INDEX_POSTGRES, id, vector(&words))?;
            }
        }
    }
    Ok(count)
}

/// Writes SQLite's index anew, so that it holds no words of documents that were taken out of it.
pub async fn merge(tx: &mut Tx) -> Result<()> {
    if matches!(tx, Tx::Sqlite(_)) {
        execute!(tx, MERGE_SQLITE)?;
    }
    Ok(())
}

/// The tokens by which a document is found: where it belongs, then its words.
fn words_of(kind: (DocumentKind, bool), store: StoreId, title: &str, text: &str) -> Vec<String> {
    let places = [kind_token(kind), store_token(store)];
    // Where title and text meet, no phrase can be found.
    let words = tokens(title)
        .into_iter()
        .chain([MARK.to_string()])
        .chain(tokens(text));
    places.into_iter().chain(words.take(MOST_TOKENS)).collect()
}

/// Past versions have a token of their own, so that a search for either kind reads nothing of the
/// other.
fn kind_token((kind, current): (DocumentKind, bool)) -> String {
    format!("{MARK}{kind}{}", if current { "" } else { "past" })
}

fn store_token(store: StoreId) -> String {
    format!("{MARK}{}", store.0.simple())
}

/// Tokens as a `tsvector`. They hold letters and digits alone, so nothing needs to be escaped.
fn vector(words: &[String]) -> String {
    let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, word) in (1..).zip(words) {
        places.entry(word).or_default().push(place);
    }
    let mut text = String::new();
    for (word, places) in places {
        // 16,383 is the last place that PostgreSQL knows, and 255 the most places of a word.
        let places: Vec<String> = places
            .iter()
            .filter(|p| **p < 16_383)
            .take(255)
            .map(usize::to_string)
            .collect();
        let places = if places.is_empty() {
            String::new()
        } else {
            format!(":{}", places.join(","))
        };
        let _ = write!(text, "'{word}'{places} ");
    }
    text
}

/// The query as FTS5 takes it.
fn match_of(asked: &Asked<'_>) -> String {
    let term = |term: &Term| {
        format!(
            "\"{}\"{}",
            term.tokens.join(" "),
            if term.prefix { " *" } else { "" }
        )
    };
    let stores = |stores: &[StoreId]| {
        stores
            .iter()
            .map(|s| format!("\"{}\"", store_token(*s)))
            .collect::<Vec<_>>()
            .join(" OR ")
    };
    let terms = asked
        .terms
        .iter()
        .map(term)
        .collect::<Vec<_>>()
        .join(if asked.any { " OR " } else { " AND " });
    let places = asked
        .stores
        .map(|all| format!(" AND ({})", stores(all)))
        .unwrap_or_default();
    format!(
        "({terms}) AND \"{}\"{places}",
        kind_token((asked.kind, asked.current))
    )
}

/// The query as PostgreSQL takes it.
fn query_of(asked: &Asked<'_>) -> String {
    let term = |term: &Term| {
        let words = term
            .tokens
            .iter()
            .map(|word| format!("'{word}'"))
            .collect::<Vec<_>>()
            .join(" <-> ");
        format!("({words}{})", if term.prefix { ":*" } else { "" })
    };
    let stores = |stores: &[StoreId]| {
        stores
            .iter()
            .map(|s| format!("'{}'", store_token(*s)))
            .collect::<Vec<_>>()
            .join(" | ")
    };
    let terms = asked
        .terms
        .iter()
        .map(term)
        .collect::<Vec<_>>()
        .join(if asked.any { " | " } else { " & " });
    let places = asked
        .stores
        .map(|all| format!(" & ({})", stores(all)))
        .unwrap_or_default();
    format!(
        "({terms}) & '{}'{places}",
        kind_token((asked.kind, asked.current))
    )
}

/// The documents that fit, the newest first; none without a term, or in no store.
pub async fn find(tx: &mut Tx, asked: &Asked<'_>) -> Result<Vec<FoundRow>> {
    if asked.terms.is_empty() || asked.stores.is_some_and(<[StoreId]>::is_empty) {
        return Ok(Vec::new());
    }
    let actor = asked.person.map(|user| format!("person:{user}"));
    let approved = asked.person.map(|user| format!("%{user}%"));
    let (sql, query) = match tx {
        Tx::Sqlite(_) => (FIND_SQLITE, match_of(asked)),
        Tx::Postgres(_) => (FIND_POSTGRES, query_of(asked)),
    };
    fetch_all!(
        tx,
        FoundRow,
        sql,
        query,
        asked.current,
        asked.since,
        asked.until,
        asked.person,
        actor,
        approved,
        asked.limit
    )
}

/// A version that was found.
#[derive(Debug, Clone, FromRow)]
pub struct FoundVersion {
    pub id: VersionId,
    pub memory_id: MemoryId,
    pub store_id: StoreId,
    pub number: i64,
    pub path: MemoryPath,
    pub created_at: Timestamp,
    /// None if it was redacted.
    pub content: Option<String>,
    /// True if its memory still exists.
    pub alive: bool,
}

/// Versions with what they say.
pub async fn versions(tx: &mut Tx, ids: &[VersionId]) -> Result<Vec<FoundVersion>> {
    fetch_listed!(tx, FoundVersion, VERSIONS, ids)
}

/// A change that was found.
#[derive(Debug, Clone, FromRow)]
pub struct FoundChange {
    pub id: ChangeId,
    pub changeset_id: ChangesetId,
    pub store_id: StoreId,
    pub title: String,
    pub rationale: String,
    pub state: domain::changeset::ChangeState,
    pub created_at: Timestamp,
}

/// Changes with their titles.
pub async fn changes(tx: &mut Tx, ids: &[ChangeId]) -> Result<Vec<FoundChange>> {
    fetch_listed!(tx, FoundChange, CHANGES, ids)
}

/// A session that was found.
#[derive(Debug, Clone, FromRow)]
pub struct FoundSession {
    pub id: SessionId,
    pub external_id: Option<String>,
    pub agent: Option<String>,
    pub subject: Option<String>,
    pub team: Option<String>,
    pub task_key: Option<String>,
    pub created_at: Timestamp,
}

/// Sessions with what names them.
pub async fn sessions(tx: &mut Tx, ids: &[SessionId]) -> Result<Vec<FoundSession>> {
    fetch_listed!(tx, FoundSession, SESSIONS, ids)
}
