//! The one door: every write of a memory goes through [`write`] (rule 1), and the history of what
//! went through it.

use domain::{
    Timestamp,
    actor::Who,
    ids::{
        ChangeId, ChangesetId, CommitId, DreamId, MemoryId, PolicyId, StoreId, UserId, VersionId,
    },
    memory::{CommitSource, MemoryPath, Operation},
};
use sqlx::FromRow;

use crate::{Error, Page, Result, Tx};

statements! {
    BUMP = "UPDATE stores SET revision = revision + 1 WHERE id = $1 AND deleted_at IS NULL
        RETURNING revision";
    INSERT = "INSERT INTO commits (id, store_id, revision, created_at, actor, message, changeset_id,
        approvals)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    PUT_CONTENT = "INSERT INTO contents (sha256, bytes, content) VALUES ($1, $2, $3)
        ON CONFLICT (sha256) DO NOTHING";
    NEXT_NUMBER = "SELECT COALESCE(MAX(number), 0) + 1 FROM memory_versions WHERE memory_id = $1";
    INSERT_VERSION = "INSERT INTO memory_versions
            (id, memory_id, store_id, commit_id, number, operation, path, content_sha256,
            created_at, by_person, change_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    INSERT_MEMORY = "INSERT INTO memories (id, store_id, path, version_id, content_sha256, frozen,
        support, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, FALSE, '{}', $6, $6)";
    UPDATE_MEMORY = "UPDATE memories SET path = $1, version_id = $2, content_sha256 = $3,
        updated_at = $4
        WHERE id = $5 AND store_id = $6 AND version_id = $7";
    DELETE_MEMORY = "DELETE FROM memories WHERE id = $1 AND store_id = $2 AND version_id = $3";
    PATH_OF = "SELECT path FROM memories WHERE id = $1 AND version_id = $2";
    COUNT = "SELECT COUNT(*) FROM memories WHERE store_id = $1";
    LIST = "SELECT id, store_id, revision, created_at, actor, message, changeset_id, approvals,
            (SELECT COUNT(*) FROM memory_versions v WHERE v.commit_id = commits.id) AS versions
        FROM commits WHERE store_id = $1 AND revision < $2 AND created_at >= $4 AND created_at < $5
            AND (CAST($6 AS TEXT) IS NULL OR ($6 = 'direct' AND changeset_id IS NULL)
                OR ($6 = 'policy' AND EXISTS (SELECT 1 FROM policy_applications a
                WHERE a.commit_id = commits.id))
                OR EXISTS (SELECT 1 FROM changesets cs WHERE cs.id = commits.changeset_id
                AND cs.origin = $6))
            AND (CAST($7 AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM memory_versions v
                WHERE v.commit_id = commits.id AND (v.path = $7 OR SUBSTR(v.path, 1,
                LENGTH($8)) = $8)))
            AND (CAST($9 AS TEXT) IS NULL OR actor = $9 OR approvals LIKE $10)
            AND (CAST($11 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM changesets cs
            WHERE cs.id = commits.changeset_id AND cs.dream_id = $11))
            AND (CAST($12 AS UUID) IS NULL
                OR EXISTS (SELECT 1 FROM policy_applications a WHERE a.commit_id = commits.id
                AND a.policy_id = $12))
        ORDER BY revision DESC LIMIT $3";
    NEXT = "SELECT id, store_id, revision, created_at, actor, message, changeset_id, approvals,
            (SELECT COUNT(*) FROM memory_versions v WHERE v.commit_id = commits.id) AS versions
        FROM commits WHERE store_id = $1 AND revision > $2 ORDER BY revision LIMIT 1";
    CHANGES = "SELECT COUNT(DISTINCT change_id) FROM memory_versions WHERE commit_id = $1";
    GET = "SELECT id, store_id, revision, created_at, actor, message, changeset_id, approvals,
            (SELECT COUNT(*) FROM memory_versions v WHERE v.commit_id = commits.id) AS versions
        FROM commits WHERE id = $1";
}

/// A commit before it has a revision.
#[derive(Debug, Clone)]
pub struct NewCommit {
    pub id: CommitId,
    /// The store it writes to.
    pub store_id: StoreId,
    pub at: Timestamp,
    /// Kind and id of who commits.
    pub actor: String,
    pub message: String,
    /// The changeset it comes from.
    pub changeset_id: Option<ChangesetId>,
    pub approvals: String,
}

/// One write of a memory.
#[derive(Debug, Clone)]
pub struct Write {
    pub memory_id: MemoryId,
    /// The version that the write makes.
    pub version_id: VersionId,
    /// The version it replaces; none for a new memory.
    pub base: Option<VersionId>,
    pub to: Outcome,
    /// The change it comes from.
    pub change_id: Option<ChangeId>,
    /// True if a person wrote the content.
    pub by_person: bool,
}

/// The effect of a commit on a memory.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is at this path with this content.
    Put {
        path: MemoryPath,
        /// SHA-256 of the content, hexadecimal.
        sha256: String,
        content: String,
    },
    Delete,
}

/// A commit as the history shows it.
#[derive(Debug, Clone, FromRow)]
pub struct CommitRow {
    pub id: CommitId,
    pub store_id: StoreId,
    /// Its number in the store.
    pub revision: i64,
    pub created_at: Timestamp,
    pub actor: String,
    pub message: String,
    /// The changeset it came from.
    pub changeset_id: Option<ChangesetId>,
    pub approvals: String,
    /// How many versions it wrote.
    pub versions: i64,
}

/// Writes a commit: bumps the store's revision (its lock), removes, then puts, and returns the new
/// revision.
///
/// The caller appends the audit entry that names the commit in the same transaction, or the
/// database refuses it. [`Error::Moved`] if a base is no longer the memory's version, or a path is
/// taken; then nothing may be committed.
pub async fn write(tx: &mut Tx, commit: &NewCommit, writes: &[Write]) -> Result<i64> {
    let (revision,) = fetch_optional!(tx, (i64,), BUMP, commit.store_id)?.ok_or(Error::Stale)?;
    execute!(
        tx,
        INSERT,
        commit.id,
        commit.store_id,
        revision,
        commit.at,
        commit.actor.as_str(),
        commit.message.as_str(),
        commit.changeset_id,
        commit.approvals.as_str()
    )?;
    let (removals, puts): (Vec<&Write>, Vec<&Write>) =
        writes.iter().partition(|w| matches!(w.to, Outcome::Delete));
    for one in removals {
        remove(tx, commit, one).await?;
    }
    for one in puts {
        put(tx, commit, one).await?;
    }
    Ok(revision)
}

async fn remove(tx: &mut Tx, commit: &NewCommit, write: &Write) -> Result<()> {
    let base = write.base.ok_or(Error::Moved)?;
    let (path,) =
        fetch_optional!(tx, (MemoryPath,), PATH_OF, write.memory_id, base)?.ok_or(Error::Moved)?;
    version(tx, commit, write, Operation::Deleted, &path, None).await?;
    if execute!(tx, DELETE_MEMORY, write.memory_id, commit.store_id, base)? == 1 {
        Ok(())
    } else {
        Err(Error::Moved)
    }
}

async fn put(tx: &mut Tx, commit: &NewCommit, write: &Write) -> Result<()> {
    let Outcome::Put {
        path,
        sha256,
        content,
    } = &write.to
    else {
        return Ok(());
    };
    execute!(
        tx,
        PUT_CONTENT,
        sha256.as_str(),
        i64::try_from(content.len()).unwrap_or(i64::MAX),
        content.as_str()
    )?;
    let operation = if write.base.is_some() {
        Operation::Modified
    } else {
        Operation::Created
    };
    version(tx, commit, write, operation, path, Some(sha256)).await?;
    let written = match write.base {
        Some(base) => {
            execute!(
                tx,
                UPDATE_MEMORY,
                path,
                write.version_id,
                sha256.as_str(),
                commit.at,
                write.memory_id,
                commit.store_id,
                base
            )
        }
        None => execute!(
            tx,
            INSERT_MEMORY,
            write.memory_id,
            commit.store_id,
            path,
            write.version_id,
            sha256.as_str(),
            commit.at
        ),
    };
    match written {
        Ok(1) => Ok(()),
        Ok(_) => Err(Error::Moved),
        Err(error) if error.is_duplicate() => Err(Error::Moved),
        Err(error) => Err(error),
    }
}

async fn version(
    tx: &mut Tx,
    commit: &NewCommit,
    write: &Write,
    operation: Operation,
    path: &MemoryPath,
    sha256: Option<&str>,
) -> Result<()> {
    let number = fetch_scalar!(tx, i64, NEXT_NUMBER, write.memory_id)?;
    execute!(
        tx,
        INSERT_VERSION,
        write.version_id,
        write.memory_id,
        commit.store_id,
        commit.id,
        number,
        operation,
        path,
        sha256,
        commit.at,
        write.by_person,
        write.change_id
    )?;
    Ok(())
}

/// Stores a content so that an edit may point to it.
pub async fn put_content(tx: &mut Tx, sha256: &str, content: &str) -> Result<()> {
    execute!(
        tx,
        PUT_CONTENT,
        sha256,
        i64::try_from(content.len()).unwrap_or(i64::MAX),
        content
    )?;
    Ok(())
}

/// How many memories a store holds.
pub async fn memory_count(tx: &mut Tx, store: StoreId) -> Result<i64> {
    fetch_scalar!(tx, i64, COUNT, store)
}

/// Which commits of a store are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitFilter {
    pub before: Option<i64>,
    /// At this time or later.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub source: Option<CommitSource>,
    /// That wrote the memory at this path, or one in this folder.
    pub path: Option<String>,
    /// That this person made or approved.
    pub person: Option<UserId>,
    /// That this dream proposed.
    pub dream: Option<DreamId>,
    /// That this policy applied.
    pub policy: Option<PolicyId>,
}

/// A page of a store's commits, newest first.
pub async fn list(
    tx: &mut Tx,
    store: StoreId,
    filter: &CommitFilter,
    limit: i64,
) -> Result<Page<CommitRow>> {
    let (before, path) = (filter.before.unwrap_or(i64::MAX), filter.path.as_deref());
    let (since, until) = (
        filter.since.unwrap_or(Timestamp(i64::MIN)),
        filter.until.unwrap_or(Timestamp(i64::MAX)),
    );
    let folder = path.map(|path| format!("{}/", path.trim_end_matches('/')));
    let actor = filter.person.map(|user| Who::Person(user).to_string());
    let approved = filter.person.map(|user| format!("%{user}%"));
    let rows = fetch_all!(
        tx,
        CommitRow,
        LIST,
        store,
        before,
        limit + 1,
        since,
        until,
        filter.source,
        path,
        folder.as_deref(),
        actor.as_deref(),
        approved.as_deref(),
        filter.dream,
        filter.policy
    )?;
    Ok(Page::of(rows, limit))
}

/// The first commit of a store after a revision.
pub async fn next(tx: &mut Tx, store: StoreId, after: i64) -> Result<Option<CommitRow>> {
    fetch_optional!(tx, CommitRow, NEXT, store, after)
}

/// A commit by id.
pub async fn get(tx: &mut Tx, id: CommitId) -> Result<Option<CommitRow>> {
    fetch_optional!(tx, CommitRow, GET, id)
}

/// How many changes a commit is of.
pub async fn changes(tx: &mut Tx, id: CommitId) -> Result<i64> {
    fetch_scalar!(tx, i64, CHANGES, id)
}
