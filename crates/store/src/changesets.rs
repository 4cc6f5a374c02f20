//! Changesets, their changes and edits.

use domain::{
    Timestamp,
    actor::Visible,
    changeset::{ChangeKind, ChangeState, ChangesetState},
    ids::{ChangeId, ChangesetId, CommitId, DreamId, MemoryId, StoreId, VersionId},
    memory::MemoryPath,
    risk::RiskLevel,
};
use sqlx::FromRow;

use crate::{Error, Page, Result, Tx, engine::viewer};

statements! {
    INSERT = "INSERT INTO changesets (id, store_id, dream_id, origin, title, state, base_revision, created_by, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8, $8)";
    LOCK = "UPDATE changesets SET updated_at = $1 WHERE id = $2 RETURNING state";
    SET_STATE = "UPDATE changesets SET state = $1, closed_at = $2, updated_at = $3 WHERE id = $4";
    QUEUE = "SELECT q.* FROM (
            SELECT cs.id, cs.store_id, s.name AS store_name, cs.dream_id, cs.origin, cs.title, cs.state, cs.created_by, cs.created_at, cs.updated_at,
                CAST(SUM(CASE WHEN c.state = 'pending' THEN 1 ELSE 0 END) AS BIGINT) AS pending,
                CAST(SUM(CASE WHEN c.state = 'approved' THEN 1 ELSE 0 END) AS BIGINT) AS approved,
                CAST(SUM(CASE WHEN c.state = 'rejected' THEN 1 ELSE 0 END) AS BIGINT) AS rejected,
                CAST(SUM(CASE WHEN c.state = 'deferred' THEN 1 ELSE 0 END) AS BIGINT) AS deferred,
                CAST(SUM(CASE WHEN c.state = 'committed' THEN 1 ELSE 0 END) AS BIGINT) AS committed,
                CAST(MAX(CASE WHEN c.state NOT IN ('pending', 'approved', 'deferred') THEN 0
                    WHEN c.risk_level = 'high' THEN 3 WHEN c.risk_level = 'medium' THEN 2 ELSE 1 END) AS BIGINT) AS risk
            FROM changesets cs JOIN stores s ON s.id = cs.store_id JOIN changes c ON c.changeset_id = cs.id
            WHERE s.deleted_at IS NULL AND ((cs.state = 'open') = $1)
              AND (CAST($2 AS UUID) IS NULL OR cs.store_id = $2)
              AND (CAST($3 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM grants g WHERE g.store_id = cs.store_id AND g.user_id = $3))
            GROUP BY cs.id, cs.store_id, s.name, cs.dream_id, cs.origin, cs.title, cs.state, cs.created_by, cs.created_at, cs.updated_at
        ) q
        WHERE CAST($4 AS BIGINT) IS NULL OR q.risk < $4 OR (q.risk = $4 AND q.id > $5)
        ORDER BY q.risk DESC, q.id LIMIT $6";
    GET = "SELECT cs.id, cs.store_id, s.name AS store_name, cs.dream_id, cs.origin, cs.title, cs.state, cs.created_by, cs.created_at, cs.updated_at
        FROM changesets cs JOIN stores s ON s.id = cs.store_id WHERE cs.id = $1 AND s.deleted_at IS NULL";
    WAITING = "SELECT COUNT(*) FROM changes c JOIN changesets cs ON cs.id = c.changeset_id
        WHERE cs.state = 'open' AND c.state IN ('pending', 'deferred', 'approved')
          AND (CAST($1 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM grants g WHERE g.store_id = c.store_id AND g.user_id = $1))";
    UNDECIDED = "SELECT COUNT(*) FROM changes WHERE store_id = $1 AND state IN ('pending', 'deferred')";
    INSERT_CHANGE = "INSERT INTO changes (id, changeset_id, store_id, position, kind, title, rationale, confidence_bp, state, revision, digest,
            risk_level, labels, finding, fingerprint, support_sessions, support_subjects, support_tasks, occurrences, eligible_sessions,
            facts, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', 1, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $20)";
    CHANGES = "SELECT c.id, c.changeset_id, c.store_id, c.position, c.kind, c.title, c.rationale, c.confidence_bp, c.state, c.revision, c.digest,
            c.risk_level, c.labels, c.finding, c.fingerprint, c.support_sessions, c.support_subjects, c.support_tasks, c.occurrences,
            c.eligible_sessions, c.facts, c.commit_id, c.updated_at,
            CASE WHEN c.state IN ('pending', 'approved', 'deferred') AND EXISTS (
                SELECT 1 FROM change_edits e LEFT JOIN memories m ON m.id = e.memory_id
                WHERE e.change_id = c.id AND e.revision = c.revision AND (
                    (e.memory_id IS NOT NULL AND (m.version_id IS NULL OR m.version_id <> e.base_version))
                    OR ((e.memory_id IS NULL OR e.new_path IS NOT NULL) AND EXISTS (
                        SELECT 1 FROM memories o WHERE o.store_id = c.store_id AND o.path = COALESCE(e.new_path, e.path)
                            AND (e.memory_id IS NULL OR o.id <> e.memory_id)))))
            THEN TRUE ELSE FALSE END AS conflicted
        FROM changes c WHERE c.changeset_id = $1 ORDER BY c.position";
    CHANGESET_OF = "SELECT changeset_id FROM changes WHERE id = $1";
    SET_CHANGE_STATE = "UPDATE changes SET state = $1, commit_id = $2, updated_at = $3 WHERE id = $4 AND state = $5 AND revision = $6";
    REVISE = "UPDATE changes SET state = 'pending', revision = $1, digest = $2, risk_level = $3, labels = $4, updated_at = $5
        WHERE id = $6 AND revision = $7 AND state = $8";
    INSERT_EDIT = "INSERT INTO change_edits (change_id, revision, position, memory_id, base_version, base_sha256, path, new_path, content_sha256)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    EDITS = "SELECT e.change_id, e.memory_id, e.base_version, e.base_sha256, e.path, e.new_path, e.content_sha256,
            after.content AS content, before.content AS base_content, now.version_id AS now_version, now.path AS now_path, now_content.content AS now_content
        FROM change_edits e JOIN changes c ON c.id = e.change_id AND c.revision = e.revision
        LEFT JOIN contents after ON after.sha256 = e.content_sha256
        LEFT JOIN contents before ON before.sha256 = e.base_sha256
        LEFT JOIN memories now ON now.id = e.memory_id OR (e.memory_id IS NULL AND now.store_id = c.store_id AND now.path = e.path)
        LEFT JOIN contents now_content ON now_content.sha256 = now.content_sha256
        WHERE c.changeset_id = $1 ORDER BY c.position, e.position";
    FINGERPRINTS = "SELECT c.id, c.changeset_id, c.fingerprint, c.state,
            CASE WHEN c.state <> 'committed' AND EXISTS (
                SELECT 1 FROM change_edits e LEFT JOIN memories m ON m.id = e.memory_id
                WHERE e.change_id = c.id AND e.revision = c.revision AND (
                    (e.memory_id IS NOT NULL AND (m.version_id IS NULL OR m.version_id <> e.base_version))
                    OR ((e.memory_id IS NULL OR e.new_path IS NOT NULL) AND EXISTS (
                        SELECT 1 FROM memories o WHERE o.store_id = c.store_id AND o.path = COALESCE(e.new_path, e.path)
                            AND (e.memory_id IS NULL OR o.id <> e.memory_id)))))
            THEN TRUE ELSE FALSE END AS conflicted
        FROM changes c
        WHERE c.store_id = $1 AND (c.state IN ('pending', 'deferred', 'approved')
            OR (c.state = 'committed' AND c.kind <> 'merge' AND EXISTS (
                SELECT 1 FROM memory_versions v JOIN memories m ON m.id = v.memory_id WHERE v.change_id = c.id)))
        ORDER BY c.id";
    OPEN_PATHS = "SELECT COALESCE(e.new_path, e.path) FROM change_edits e JOIN changes c ON c.id = e.change_id AND c.revision = e.revision
        WHERE c.store_id = $1 AND c.state IN ('pending', 'deferred', 'approved') AND (e.memory_id IS NULL OR e.new_path IS NOT NULL)
        ORDER BY 1";
    RETIRE = "UPDATE changes SET state = 'obsolete', updated_at = $1 WHERE id = $2 AND state IN ('pending', 'deferred', 'approved')";
}

/// A changeset as the queue shows it.
#[derive(Debug, Clone, FromRow)]
pub struct QueueRow {
    /// Id.
    pub id: ChangesetId,
    /// Its store.
    pub store_id: StoreId,
    /// The store's name.
    pub store_name: String,
    /// The dream it comes from.
    pub dream_id: Option<DreamId>,
    /// `dream`, `person`, `revert` or `agent`.
    pub origin: String,
    /// In one line.
    pub title: String,
    /// Where it stands.
    pub state: ChangesetState,
    /// Who proposed it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
    /// Changes that wait for a decision.
    pub pending: i64,
    /// Changes that may be committed.
    pub approved: i64,
    /// Changes turned down.
    pub rejected: i64,
    /// Changes put off.
    pub deferred: i64,
    /// Changes in the memory.
    pub committed: i64,
    /// Highest risk among what is open: 3 high, 2 medium, 1 low, 0 nothing open.
    pub risk: i64,
}

/// A changeset.
#[derive(Debug, Clone, FromRow)]
pub struct ChangesetRow {
    /// Id.
    pub id: ChangesetId,
    /// Its store.
    pub store_id: StoreId,
    /// The store's name.
    pub store_name: String,
    /// The dream it comes from.
    pub dream_id: Option<DreamId>,
    /// `dream`, `person`, `revert` or `agent`.
    pub origin: String,
    /// In one line.
    pub title: String,
    /// Where it stands.
    pub state: ChangesetState,
    /// Who proposed it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
}

/// A change.
#[derive(Debug, Clone, FromRow)]
pub struct ChangeRow {
    /// Id.
    pub id: ChangeId,
    /// Its changeset.
    pub changeset_id: ChangesetId,
    /// Its store.
    pub store_id: StoreId,
    /// Its place in the changeset, from 0.
    pub position: i64,
    /// What it does.
    pub kind: ChangeKind,
    /// In one line.
    pub title: String,
    /// Why.
    pub rationale: String,
    /// How sure the distiller is, in basis points.
    pub confidence_bp: i64,
    /// Where it stands.
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
    /// What the finding is known by.
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
    /// The commit it is in.
    pub commit_id: Option<CommitId>,
    /// When anything last happened to it.
    pub updated_at: Timestamp,
    /// Whether a base moved.
    pub conflicted: bool,
}

/// An edit of a change at its current revision, with base, now and proposed.
#[derive(Debug, Clone, FromRow)]
pub struct EditRow {
    /// Its change.
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
    /// The content after.
    pub content: Option<String>,
    /// The content it was proposed against.
    pub base_content: Option<String>,
    /// The version that stands there now.
    pub now_version: Option<VersionId>,
    /// Where it stands now.
    pub now_path: Option<MemoryPath>,
    /// What stands there now.
    pub now_content: Option<String>,
}

impl EditRow {
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

/// A changeset to be stored.
#[derive(Debug, Clone)]
pub struct NewChangeset {
    /// Id.
    pub id: ChangesetId,
    /// Its store.
    pub store_id: StoreId,
    /// The dream it comes from.
    pub dream_id: Option<DreamId>,
    /// `dream`, `person`, `revert` or `agent`.
    pub origin: &'static str,
    /// In one line.
    pub title: String,
    /// The store's revision it was made against.
    pub base_revision: i64,
    /// Who proposes it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// Stores an open changeset without changes.
pub async fn insert(tx: &mut Tx, new: &NewChangeset) -> Result<()> {
    execute!(
        tx,
        INSERT,
        new.id,
        new.store_id,
        new.dream_id,
        new.origin,
        new.title.as_str(),
        new.base_revision,
        new.created_by.as_str(),
        new.created_at
    )?;
    Ok(())
}

/// Takes a changeset's lock (second in the order of locks, after its store's) and returns its state.
pub async fn lock(tx: &mut Tx, id: ChangesetId, now: Timestamp) -> Result<ChangesetState> {
    fetch_optional!(tx, (ChangesetState,), LOCK, now, id)?.map(|(state,)| state).ok_or(Error::Stale)
}

/// Sets a changeset's state under its lock.
pub async fn set_state(tx: &mut Tx, id: ChangesetId, state: ChangesetState, now: Timestamp) -> Result<()> {
    let closed = (state != ChangesetState::Open).then_some(now);
    execute!(tx, SET_STATE, state, closed, now, id)?;
    Ok(())
}

/// Which changesets a queue shows.
#[derive(Debug, Clone, Copy)]
pub struct QueueFilter {
    /// Open ones, or the others.
    pub open: bool,
    /// Of one store only.
    pub store: Option<StoreId>,
    /// After the last row of the page before: its risk and id.
    pub after: Option<(i64, ChangesetId)>,
}

/// A page of the queue: highest risk first, then oldest.
pub async fn queue(tx: &mut Tx, visible: Visible, filter: QueueFilter, limit: i64) -> Result<Page<QueueRow>> {
    let (risk, id) = filter.after.unzip();
    Ok(Page::of(fetch_all!(tx, QueueRow, QUEUE, filter.open, filter.store, viewer(visible), risk, id, limit + 1)?, limit))
}

/// One changeset. Rights are the caller's to check.
pub async fn get(tx: &mut Tx, id: ChangesetId) -> Result<Option<ChangesetRow>> {
    fetch_optional!(tx, ChangesetRow, GET, id)
}

/// How many changes that the viewer may see wait for something.
pub async fn waiting(tx: &mut Tx, visible: Visible) -> Result<i64> {
    fetch_scalar!(tx, i64, WAITING, viewer(visible))
}

/// How many changes of a store nobody has decided.
pub async fn undecided(tx: &mut Tx, store: StoreId) -> Result<i64> {
    fetch_scalar!(tx, i64, UNDECIDED, store)
}

/// Stores a change at revision 1, pending. State, revision, commit and conflict of the row are not taken from it.
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
        c.updated_at
    )?;
    Ok(())
}

/// Stores the edits of a revision. Their contents must be stored already.
pub async fn insert_edits(tx: &mut Tx, change: ChangeId, revision: i64, edits: &[domain::changeset::Edit]) -> Result<()> {
    for (position, e) in (0i64..).zip(edits) {
        let sha256 = e.content.as_deref().map(|c| domain::canonical::sha256_hex(c.as_bytes()));
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

/// The changeset that a change is in.
pub async fn changeset_of(tx: &mut Tx, change: ChangeId) -> Result<Option<ChangesetId>> {
    Ok(fetch_optional!(tx, (ChangesetId,), CHANGESET_OF, change)?.map(|(id,)| id))
}

/// Moves a change from the state and revision it was read in; [`Error::Stale`] if it is no longer there.
pub async fn set_change_state(tx: &mut Tx, change: &ChangeRow, to: ChangeState, commit: Option<CommitId>, now: Timestamp) -> Result<()> {
    let rows = execute!(tx, SET_CHANGE_STATE, to, commit, now, change.id, change.state, change.revision)?;
    if rows == 1 { Ok(()) } else { Err(Error::Stale) }
}

/// A change's next revision.
#[derive(Debug, Clone)]
pub struct Revision {
    /// Its number.
    pub number: i64,
    /// Its digest.
    pub digest: String,
    /// Its risk.
    pub risk_level: RiskLevel,
    /// Its labels, as a JSON list.
    pub labels: String,
}

/// Gives a change a new revision, pending again; [`Error::Stale`] if it is no longer as it was read.
pub async fn revise(tx: &mut Tx, change: &ChangeRow, to: &Revision, now: Timestamp) -> Result<()> {
    let rows = execute!(
        tx,
        REVISE,
        to.number,
        to.digest.as_str(),
        to.risk_level,
        to.labels.as_str(),
        now,
        change.id,
        change.revision,
        change.state
    )?;
    if rows == 1 { Ok(()) } else { Err(Error::Stale) }
}

/// What waits in a store, and what was committed and still stands there, by fingerprint.
#[derive(Debug, Clone, FromRow)]
pub struct KnownRow {
    /// The change.
    pub id: ChangeId,
    /// Its changeset.
    pub changeset_id: ChangesetId,
    /// What its finding is known by.
    pub fingerprint: String,
    /// Where it stands.
    pub state: ChangeState,
    /// Whether a base moved, so that it can no longer be committed as it is.
    pub conflicted: bool,
}

/// What a dream should know was proposed before.
pub async fn known(tx: &mut Tx, store: StoreId) -> Result<Vec<KnownRow>> {
    fetch_all!(tx, KnownRow, FINGERPRINTS, store)
}

/// Paths that open changes of a store would write to.
pub async fn open_paths(tx: &mut Tx, store: StoreId) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), OPEN_PATHS, store)?.into_iter().map(|(path,)| path).collect())
}

/// Makes an open change obsolete; false if it was no longer open.
pub async fn retire(tx: &mut Tx, id: ChangeId, now: Timestamp) -> Result<bool> {
    Ok(execute!(tx, RETIRE, now, id)? == 1)
}
