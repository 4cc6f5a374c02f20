//! Changes and their edits: what a reviewer decides on.

use domain::{
    Timestamp,
    changeset::{ChangeKind, ChangeState},
    ids::{ChangeId, ChangesetId, CommitId, DreamId, MemoryId, StoreId, VersionId},
    memory::MemoryPath,
    risk::RiskLevel,
};
use sqlx::FromRow;

use crate::{Error, Result, Tx, engine::folded};

macro_rules! change_sql {
    () => {
        "SELECT c.id, c.changeset_id, c.store_id, c.position, c.kind, c.title, c.rationale,
            c.confidence_bp, c.state, c.revision, c.digest,
                c.risk_level, c.labels, c.finding, c.fingerprint, c.support_sessions,
                c.support_subjects, c.support_tasks, c.occurrences,
                c.eligible_sessions, c.facts, c.recorders, c.defer_until, c.commit_id, c.created_at,
                c.updated_at,
                EXISTS (SELECT 1 FROM conflicted_changes x WHERE x.change_id = c.id) AS conflicted
            FROM changes c"
    };
}

macro_rules! edit_sql {
    () => {
        "SELECT e.change_id, e.memory_id, e.base_version, e.base_sha256, e.path, e.new_path,
            e.content_sha256,
                after.content AS content, before.content AS base_content, now.id AS now_id,
                now.version_id AS now_version,
                now.content_sha256 AS now_sha256, now.path AS now_path,
                now_content.content AS now_content
            FROM change_edits e JOIN changes c ON c.id = e.change_id AND c.revision = e.revision
            LEFT JOIN contents after ON after.sha256 = e.content_sha256
            LEFT JOIN contents before ON before.sha256 = e.base_sha256
            LEFT JOIN memories now ON now.id = e.memory_id OR (e.memory_id IS NULL
            AND now.store_id = c.store_id AND now.path = e.path)
            LEFT JOIN contents now_content ON now_content.sha256 = now.content_sha256"
    };
}

statements! {
    WAITING_SAME = "SELECT c.changeset_id, c.id FROM changes c
        WHERE c.store_id = $1 AND c.fingerprint = $2 AND c.state IN ('pending', 'deferred',
        'approved')
          AND NOT EXISTS (SELECT 1 FROM conflicted_changes x WHERE x.change_id = c.id) ORDER BY c.id
          LIMIT 1";
    UNDECIDED_OF_DREAMS = "SELECT COUNT(*) FROM changes c JOIN changesets cs
        ON cs.id = c.changeset_id
        WHERE c.store_id = $1 AND c.state IN ('pending', 'deferred') AND cs.origin = 'dream'";
    UNFOLDED = "SELECT id, title FROM changes WHERE title_folded IS NULL LIMIT 500";
    FOLD = "UPDATE changes SET title_folded = $1 WHERE id = $2";
    UNDECIDED = "SELECT COUNT(*) FROM changes WHERE store_id = $1 AND state IN ('pending',
        'deferred')";
    INSERT_CHANGE = "INSERT INTO changes (id, changeset_id, store_id, position, kind, title,
        rationale, confidence_bp, state, revision, digest,
            risk_level, labels, finding, fingerprint, support_sessions, support_subjects,
            support_tasks, occurrences, eligible_sessions,
            facts, recorders, created_at, updated_at, title_folded)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', 1, $9, $10, $11, $12, $13, $14, $15, $16,
        $17, $18, $19, $20, $21, $21, $22)";
    CHANGES = concat!(change_sql!(), " WHERE c.changeset_id = $1 ORDER BY c.position");
    CHANGES_OF = concat!(change_sql!(), " WHERE c.changeset_id IN (", fifty!(), ") ORDER BY
        c.changeset_id, c.position");
    FACTS_OF_DREAMS = "SELECT c.facts FROM changes c JOIN changesets cs ON cs.id = c.changeset_id
        WHERE c.store_id = $1 AND cs.origin = 'dream'
          AND (c.state IN ('pending', 'approved', 'deferred')
            OR (c.state = 'committed' AND c.updated_at >= $2
              AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.change_id = c.id
              AND d.revision = c.revision AND d.verdict = 'approve'
                AND d.taken_back_at IS NULL)))";
    DECIDED = "SELECT id, changeset_id, title, state, updated_at FROM changes
        WHERE store_id = $1 AND id <> $2 AND state IN ('committed', 'rejected')
        ORDER BY updated_at DESC, id DESC LIMIT $3";
    CHANGESETS_OF = concat!("SELECT id, changeset_id FROM changes WHERE id IN (", fifty!(), ")");
    REVERTS = "INSERT INTO reverted_changes (change_id, of_change) VALUES ($1, $2)";
    TITLES = concat!("SELECT id, title FROM changes WHERE id IN (", fifty!(), ")");
    CHANGESET_OF = "SELECT changeset_id FROM changes WHERE id = $1";
    SET_CHANGE_STATE = "UPDATE changes SET state = $1, commit_id = $2, updated_at = $3,
        defer_until = NULL WHERE id = $4 AND state = $5 AND revision = $6";
    DEFER_UNTIL = "UPDATE changes SET defer_until = $1 WHERE id = $2 AND state = 'deferred'";
    DEFERRALS_DUE = "SELECT id, changeset_id FROM changes WHERE state = 'deferred'
        AND defer_until <= $1 ORDER BY defer_until LIMIT $2";
    REVISE = "UPDATE changes SET state = 'pending', revision = $1, digest = $2, risk_level = $3,
        labels = $4, kind = $5, defer_until = NULL, updated_at = $6
        WHERE id = $7 AND revision = $8 AND state = $9";
    INSERT_EDIT = "INSERT INTO change_edits (change_id, revision, position, memory_id, base_version,
        base_sha256, path, new_path, content_sha256)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    EDITS = concat!(edit_sql!(), " WHERE c.changeset_id = $1 ORDER BY c.position, e.position");
    EDITS_OF = concat!(edit_sql!(), " WHERE c.id IN (", fifty!(), ") ORDER BY c.id, e.position");
    EDITS_AT = "SELECT e.memory_id, e.base_version, e.base_sha256, e.path, e.new_path, after.content
        FROM change_edits e
        LEFT JOIN contents after ON after.sha256 = e.content_sha256
        WHERE e.change_id = $1 AND e.revision = $2 ORDER BY e.position";
    PATHS_OF = concat!("SELECT e.change_id, e.path, e.new_path, now.path AS now_path,
        COALESCE(after.bytes, 0) + COALESCE(before.bytes, 0) AS bytes
        FROM change_edits e JOIN changes c ON c.id = e.change_id AND c.revision = e.revision
        LEFT JOIN contents after ON after.sha256 = e.content_sha256
        LEFT JOIN contents before ON before.sha256 = e.base_sha256
        LEFT JOIN memories now ON now.id = e.memory_id OR (e.memory_id IS NULL
        AND now.store_id = c.store_id AND now.path = e.path)
        WHERE c.changeset_id IN (", fifty!(), ")");
    FINGERPRINTS = "SELECT c.id, c.changeset_id, c.fingerprint, c.state, c.revision, c.finding,
        c.support_sessions, cs.dream_id,
            EXISTS (SELECT 1 FROM conflicted_changes x WHERE x.change_id = c.id) AS conflicted,
            (SELECT MIN(m.path) FROM memories m JOIN memory_versions v ON v.id = m.version_id
            WHERE v.change_id = c.id) AS memory_path,
            (SELECT t.content FROM change_edits e JOIN contents t ON t.sha256 = e.content_sha256
                WHERE e.change_id = c.id AND e.revision = 1 AND e.position = 0) AS composed,
            (SELECT COALESCE(e.new_path, e.path) FROM change_edits e
                WHERE e.change_id = c.id AND e.revision = c.revision AND e.position = 0) AS path
        FROM changes c JOIN changesets cs ON cs.id = c.changeset_id
        WHERE c.store_id = $1 AND (c.state IN ('pending', 'deferred', 'approved')
            OR (c.state = 'committed' AND c.kind NOT IN ('merge', 'restructure') AND EXISTS (
                SELECT 1 FROM memory_versions v JOIN memories m ON m.id = v.memory_id
                WHERE v.change_id = c.id)))
        ORDER BY c.id";
    OPEN_PATHS = "SELECT COALESCE(e.new_path, e.path) FROM change_edits e JOIN changes c
        ON c.id = e.change_id AND c.revision = e.revision
        WHERE c.store_id = $1 AND c.state IN ('pending', 'deferred', 'approved')
        AND (e.memory_id IS NULL OR e.new_path IS NOT NULL)
        ORDER BY 1";
    CONFLICTS_UNTOLD = "SELECT DISTINCT c.changeset_id FROM changes c JOIN conflicted_changes x
        ON x.change_id = c.id
        WHERE c.store_id = $1 AND c.state IN ('pending', 'approved', 'deferred')
          AND NOT EXISTS (SELECT 1 FROM notices n WHERE n.changeset_id = c.changeset_id
          AND n.reason = 'conflict') ORDER BY 1";
    RECOUNT = "UPDATE changes SET support_sessions = $1, support_subjects = $2, support_tasks = $3,
        occurrences = $4, eligible_sessions = $5
        WHERE id = $6 AND state IN ('pending', 'deferred', 'approved')";
    REPEATED = "SELECT c.id FROM changes c WHERE c.store_id = $1 AND c.id <> $2
          AND (c.fingerprint = $3 OR EXISTS (
            SELECT 1 FROM change_edits a JOIN change_edits b ON b.content_sha256 = a.content_sha256
            AND COALESCE(b.new_path, b.path) = COALESCE(a.new_path, a.path)
            WHERE a.change_id = $2 AND a.content_sha256 IS NOT NULL AND b.change_id = c.id))
          AND c.state <> 'committed' ORDER BY c.id";
    WRITERS = "SELECT DISTINCT v.change_id FROM memory_versions v
        WHERE v.store_id = $1 AND v.path = $2 AND v.content_sha256 = $3
        AND v.change_id IS NOT NULL";
    RETIRE = "UPDATE changes SET state = 'obsolete', updated_at = $1 WHERE id = $2
        AND state IN ('pending', 'deferred', 'approved')";
}

/// A change at its newest revision, without its edits.
#[derive(Debug, Clone, FromRow)]
pub struct ChangeRow {
    pub id: ChangeId,
    pub changeset_id: ChangesetId,
    pub store_id: StoreId,
    /// Its place in the changeset, from 0.
    pub position: i64,
    pub kind: ChangeKind,
    pub title: String,
    pub rationale: String,
    /// How sure the distiller is, in basis points.
    pub confidence_bp: i64,
    pub state: ChangeState,
    /// Its revision, from 1.
    pub revision: i64,
    /// The digest that a decision must name.
    pub digest: String,
    /// How carefully it must be looked at.
    pub risk_level: RiskLevel,
    /// Its labels, as a JSON list.
    pub labels: String,
    /// The kind of finding behind it.
    pub finding: String,
    pub fingerprint: String,
    /// Distinct sessions that back it.
    pub support_sessions: i64,
    /// Distinct subjects that back it.
    pub support_subjects: i64,
    /// Distinct tasks that back it.
    pub support_tasks: i64,
    /// How often it was seen.
    pub occurrences: i64,
    /// In how many sessions it could have been seen.
    pub eligible_sessions: i64,
    /// What it was computed from, as versioned JSON.
    pub facts: String,
    /// Through how many independent recorders its support came; `None` where it rests on no
    /// sessions.
    pub recorders: Option<i64>,
    /// Until when it is put off, if a date was given.
    pub defer_until: Option<Timestamp>,
    /// The commit it is in.
    pub commit_id: Option<CommitId>,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
    /// True if a base moved.
    pub conflicted: bool,
}

/// An edit of a change at its current revision, with base, now and proposed.
#[derive(Debug, Clone, FromRow)]
pub struct EditRow {
    pub change_id: ChangeId,
    /// The memory; none for a new one.
    pub memory_id: Option<MemoryId>,
    /// The version it was proposed against.
    pub base_version: Option<VersionId>,
    /// The hash it was proposed against.
    pub base_sha256: Option<String>,
    /// The path before, or of the new memory.
    pub path: MemoryPath,
    /// The path after, if it moves.
    pub new_path: Option<MemoryPath>,
    /// Hash of the content after; none for a removal.
    pub content_sha256: Option<String>,
    pub content: Option<String>,
    /// The content it was proposed against.
    pub base_content: Option<String>,
    /// The memory that is there now.
    pub now_id: Option<MemoryId>,
    /// Hash of what is there now.
    pub now_sha256: Option<String>,
    /// The version that is there now.
    pub now_version: Option<VersionId>,
    pub now_path: Option<MemoryPath>,
    pub now_content: Option<String>,
}

impl EditRow {
    /// Every path that it touches: before, after, and where the memory is now.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        touched(&self.path, self.new_path.as_ref(), self.now_path.as_ref())
    }

    /// The edit in the domain's form, as the digest takes it.
    #[must_use]
    pub fn edit(&self) -> domain::changeset::Edit {
        domain::changeset::Edit {
            memory_id: self.memory_id,
            base_version: self.base_version,
            base_sha256: self.base_sha256.clone(),
            path: self.path.clone(),
            new_path: self.new_path.clone(),
            content: self.content.clone(),
        }
    }
}

/// How many changes of a store nobody has decided.
pub async fn undecided(tx: &mut Tx, store: StoreId) -> Result<i64> {
    fetch_scalar!(tx, i64, UNDECIDED, store)
}

/// Stores a change at revision 1, pending. State, revision, commit and conflict of the row are not
/// taken from it.
pub async fn insert_change(tx: &mut Tx, c: &ChangeRow) -> Result<()> {
    execute!(
        tx,
        INSERT_CHANGE,
        c.id,
        c.changeset_id,
        c.store_id,
        c.position,
        c.kind,
        c.title.as_str(),
        c.rationale.as_str(),
        c.confidence_bp,
        c.digest.as_str(),
        c.risk_level,
        c.labels.as_str(),
        c.finding.as_str(),
        c.fingerprint.as_str(),
        c.support_sessions,
        c.support_subjects,
        c.support_tasks,
        c.occurrences,
        c.eligible_sessions,
        c.facts.as_str(),
        c.recorders,
        c.updated_at,
        folded(&c.title)
    )?;
    Ok(())
}

/// Folds up to 500 titles that have no form for searching yet; how many it found.
pub(crate) async fn fold_titles(tx: &mut Tx) -> Result<usize> {
    let unfolded = fetch_all!(tx, (ChangeId, String), UNFOLDED)?;
    for (id, title) in &unfolded {
        execute!(tx, FOLD, folded(title), *id)?;
    }
    Ok(unfolded.len())
}

/// Returns what waits under a fingerprint, if it is not conflicted.
pub async fn waiting_same(
    tx: &mut Tx,
    store: StoreId,
    fingerprint: &str,
) -> Result<Option<(ChangesetId, ChangeId)>> {
    fetch_optional!(
        tx,
        (ChangesetId, ChangeId),
        WAITING_SAME,
        store,
        fingerprint
    )
}

/// How many changes that dreams proposed wait for a decision in a store.
pub async fn undecided_of_dreams(tx: &mut Tx, store: StoreId) -> Result<i64> {
    fetch_scalar!(tx, i64, UNDECIDED_OF_DREAMS, store)
}

/// Changes of a store, not committed, that a change repeats: known by the same, or putting the same
/// content at the same place.
pub async fn repeated(
    tx: &mut Tx,
    store: StoreId,
    change: ChangeId,
    fingerprint: &str,
) -> Result<Vec<ChangeId>> {
    Ok(
        fetch_all!(tx, (ChangeId,), REPEATED, store, change, fingerprint)?
            .into_iter()
            .map(|(id,)| id)
            .collect(),
    )
}

/// Changes that once wrote a content at a path of a store.
pub async fn writers(
    tx: &mut Tx,
    store: StoreId,
    path: &MemoryPath,
    sha256: &str,
) -> Result<Vec<ChangeId>> {
    Ok(fetch_all!(tx, (ChangeId,), WRITERS, store, path, sha256)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// Stores the edits of a revision. Their contents must be stored already.
pub async fn insert_edits(
    tx: &mut Tx,
    change: ChangeId,
    revision: i64,
    edits: &[domain::changeset::Edit],
) -> Result<()> {
    for (position, e) in (0i64..).zip(edits) {
        let sha256 = e
            .content
            .as_deref()
            .map(|c| domain::canonical::sha256_hex(c.as_bytes()));
        execute!(
            tx,
            INSERT_EDIT,
            change,
            revision,
            position,
            e.memory_id,
            e.base_version,
            e.base_sha256.as_deref(),
            &e.path,
            e.new_path.as_ref(),
            sha256.as_deref()
        )?;
    }
    Ok(())
}

/// The changes of a changeset in order, each with whether a base moved.
pub async fn changes(tx: &mut Tx, id: ChangesetId) -> Result<Vec<ChangeRow>> {
    fetch_all!(tx, ChangeRow, CHANGES, id)
}

/// The edits of a changeset's changes at their current revisions.
pub async fn edits(tx: &mut Tx, id: ChangesetId) -> Result<Vec<EditRow>> {
    fetch_all!(tx, EditRow, EDITS, id)
}

/// The changes of some changesets, each changeset's in its order.
pub async fn changes_of(tx: &mut Tx, changesets: &[ChangesetId]) -> Result<Vec<ChangeRow>> {
    fetch_listed!(tx, ChangeRow, CHANGES_OF, changesets)
}

/// The edits of some changes at their current revisions, each change's in their order.
pub async fn edits_of(tx: &mut Tx, changes: &[ChangeId]) -> Result<Vec<EditRow>> {
    fetch_listed!(tx, EditRow, EDITS_OF, changes)
}

#[derive(FromRow)]
struct EditAt {
    memory_id: Option<MemoryId>,
    base_version: Option<VersionId>,
    base_sha256: Option<String>,
    path: MemoryPath,
    new_path: Option<MemoryPath>,
    content: Option<String>,
}

/// The edits of a change as they were at a revision, in their order; none if it has no such
/// revision.
pub async fn edits_at(
    tx: &mut Tx,
    id: ChangeId,
    revision: i64,
) -> Result<Vec<domain::changeset::Edit>> {
    let edit = |e: EditAt| domain::changeset::Edit {
        memory_id: e.memory_id,
        base_version: e.base_version,
        base_sha256: e.base_sha256,
        path: e.path,
        new_path: e.new_path,
        content: e.content,
    };
    Ok(fetch_all!(tx, EditAt, EDITS_AT, id, revision)?
        .into_iter()
        .map(edit)
        .collect())
}

/// The paths of an edit, without its contents.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct EditPaths {
    pub change_id: ChangeId,
    /// The path before, or of the new memory.
    pub path: MemoryPath,
    /// The path after, if it moves.
    pub new_path: Option<MemoryPath>,
    pub now_path: Option<MemoryPath>,
    /// Bytes of the content that it was proposed against and of the content after.
    pub bytes: i64,
}

impl EditPaths {
    /// Every path that it touches: before, after, and where the memory is now.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        touched(&self.path, self.new_path.as_ref(), self.now_path.as_ref())
    }
}

fn touched<'a>(
    path: &'a MemoryPath,
    new_path: Option<&'a MemoryPath>,
    now_path: Option<&'a MemoryPath>,
) -> impl Iterator<Item = &'a str> {
    [Some(path), new_path, now_path]
        .into_iter()
        .flatten()
        .map(MemoryPath::as_str)
}

/// Returns where the edits of some changesets are.
pub async fn paths_of(tx: &mut Tx, changesets: &[ChangesetId]) -> Result<Vec<EditPaths>> {
    fetch_listed!(tx, EditPaths, PATHS_OF, changesets)
}

/// The changeset that a change is in.
pub async fn changeset_of(tx: &mut Tx, change: ChangeId) -> Result<Option<ChangesetId>> {
    Ok(fetch_optional!(tx, (ChangesetId,), CHANGESET_OF, change)?.map(|(id,)| id))
}

/// The changesets that some changes are in.
pub async fn changesets_of(
    tx: &mut Tx,
    changes: &[ChangeId],
) -> Result<Vec<(ChangeId, ChangesetId)>> {
    fetch_listed!(tx, (ChangeId, ChangesetId), CHANGESETS_OF, changes)
}

/// The titles of some changes.
pub async fn titles(tx: &mut Tx, changes: &[ChangeId]) -> Result<Vec<(ChangeId, String)>> {
    fetch_listed!(tx, (ChangeId, String), TITLES, changes)
}

/// Notes which change a change of a revert is the inverse of.
pub async fn is_inverse_of(tx: &mut Tx, change: ChangeId, of: ChangeId) -> Result<()> {
    execute!(tx, REVERTS, change, of)?;
    Ok(())
}

/// Moves a change from the state and revision it was read in; [`Error::Stale`] if it is no longer
/// there.
pub async fn set_change_state(
    tx: &mut Tx,
    change: &ChangeRow,
    to: ChangeState,
    commit: Option<CommitId>,
    now: Timestamp,
) -> Result<()> {
    let rows = execute!(
        tx,
        SET_CHANGE_STATE,
        to,
        commit,
        now,
        change.id,
        change.state,
        change.revision
    )?;
    if rows == 1 { Ok(()) } else { Err(Error::Stale) }
}

/// Sets until when a deferred change is put off.
pub async fn defer_until(tx: &mut Tx, id: ChangeId, until: Timestamp) -> Result<()> {
    execute!(tx, DEFER_UNTIL, until, id)?;
    Ok(())
}

/// Deferred changes whose date has come, the earliest first.
pub async fn deferrals_due(
    tx: &mut Tx,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<(ChangeId, ChangesetId)>> {
    fetch_all!(tx, (ChangeId, ChangesetId), DEFERRALS_DUE, now, limit)
}

/// A change's next revision.
#[derive(Debug, Clone)]
pub struct Revision {
    pub number: i64,
    pub digest: String,
    pub risk_level: RiskLevel,
    /// Its labels, as a JSON list.
    pub labels: String,
    pub kind: ChangeKind,
}

/// Gives a change a new revision, pending again; [`Error::Stale`] if it is no longer as it was
/// read.
pub async fn revise(tx: &mut Tx, change: &ChangeRow, to: &Revision, now: Timestamp) -> Result<()> {
    let rows = execute!(
        tx,
        REVISE,
        to.number,
        to.digest.as_str(),
        to.risk_level,
        to.labels.as_str(),
        to.kind,
        now,
        change.id,
        change.revision,
        change.state
    )?;
    if rows == 1 { Ok(()) } else { Err(Error::Stale) }
}

/// The facts of every change of a dream that waits in a store, or was committed since then.
pub async fn facts_of_dreams(tx: &mut Tx, store: StoreId, since: Timestamp) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), FACTS_OF_DREAMS, store, since)?
        .into_iter()
        .map(|(facts,)| facts)
        .collect())
}

/// A change that was decided.
#[derive(Debug, Clone, FromRow)]
pub struct DecidedRow {
    pub id: ChangeId,
    pub changeset_id: ChangesetId,
    pub title: String,
    pub state: ChangeState,
    /// When it came to that.
    pub updated_at: Timestamp,
}

/// The changes of a store that were decided last, without one of them.
pub async fn decided(
    tx: &mut Tx,
    store: StoreId,
    but: ChangeId,
    limit: i64,
) -> Result<Vec<DecidedRow>> {
    fetch_all!(tx, DecidedRow, DECIDED, store, but, limit)
}

/// A pending or committed change of a store, by fingerprint.
#[derive(Debug, Clone, FromRow)]
pub struct KnownRow {
    pub id: ChangeId,
    pub changeset_id: ChangesetId,
    pub fingerprint: String,
    pub state: ChangeState,
    /// Its revision, from 1.
    pub revision: i64,
    /// The kind of finding behind it.
    pub finding: String,
    /// Sessions that backed it when last counted.
    pub support_sessions: i64,
    /// The dream that proposed it.
    pub dream_id: Option<DreamId>,
    /// True if a base moved, so that it can no longer be committed as it is.
    pub conflicted: bool,
    /// Where the memory is that is still as this change left it.
    pub memory_path: Option<String>,
    /// What its first edit was proposed to write, before anybody edited it.
    pub composed: Option<String>,
    /// The path that its first edit writes to, as last revised.
    pub path: Option<String>,
}

/// Returns what a dream should know was proposed before.
pub async fn known(tx: &mut Tx, store: StoreId) -> Result<Vec<KnownRow>> {
    fetch_all!(tx, KnownRow, FINGERPRINTS, store)
}

/// Paths that open changes of a store would write to.
pub async fn open_paths(tx: &mut Tx, store: StoreId) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), OPEN_PATHS, store)?
        .into_iter()
        .map(|(path,)| path)
        .collect())
}

/// Changesets of a store in which the memory has moved below an open change, and nobody was told
/// yet.
pub async fn conflicts_untold(tx: &mut Tx, store: StoreId) -> Result<Vec<ChangesetId>> {
    Ok(fetch_all!(tx, (ChangesetId,), CONFLICTS_UNTOLD, store)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// How much backs a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    pub sessions: i64,
    /// Distinct end users, where known.
    pub subjects: i64,
    /// Distinct tasks, where known.
    pub tasks: i64,
    /// How often it was seen.
    pub occurrences: i64,
    /// In how many sessions it could have been seen.
    pub eligible: i64,
}

/// Counts anew what backs an open change. Its revision and the decisions on it stay.
pub async fn recount(tx: &mut Tx, id: ChangeId, to: Counted) -> Result<()> {
    execute!(
        tx,
        RECOUNT,
        to.sessions,
        to.subjects,
        to.tasks,
        to.occurrences,
        to.eligible,
        id
    )?;
    Ok(())
}

/// Makes an open change obsolete; false if it was no longer open.
pub async fn retire(tx: &mut Tx, id: ChangeId, now: Timestamp) -> Result<bool> {
    Ok(execute!(tx, RETIRE, now, id)? == 1)
}
