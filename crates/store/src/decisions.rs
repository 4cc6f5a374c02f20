//! Votes on changes, and who contributed to them.

use domain::{
    Timestamp,
    actor::Visible,
    changeset::{Contribution, DecisionKind, RejectCode},
    ids::{ChangeId, ChangesetId, DecisionId, SignInId, StoreId, UserId},
};
use sqlx::FromRow;

use crate::{Result, Tx, engine::viewer};

statements! {
    INSERT = "INSERT INTO decisions (id, change_id, revision, digest, user_id, verdict, reject_code,
        note, meaning, confirmed_at, sign_in, signature, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    TAKE_BACK = "UPDATE decisions SET taken_back_at = $1, taken_back_by = $3 WHERE change_id = $2
        AND taken_back_at IS NULL";
    TAKE_BACK_OWN = "UPDATE decisions SET taken_back_at = $1, taken_back_by = $3
        WHERE change_id = $2 AND user_id = $3 AND revision = $4 AND taken_back_at IS NULL";
    END_DEFERRALS = "UPDATE decisions SET taken_back_at = $1 WHERE change_id = $2
        AND verdict = 'defer' AND taken_back_at IS NULL";
    LAST_OF = "SELECT d.change_id, c.changeset_id, c.revision, d.verdict, c.title
        FROM (SELECT id, change_id, revision, verdict, taken_back_at, created_at FROM decisions
        WHERE user_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2) d
        JOIN changes c ON c.id = d.change_id AND c.revision = d.revision JOIN changesets cs
        ON cs.id = c.changeset_id
            JOIN stores s ON s.id = c.store_id AND s.deleted_at IS NULL
        WHERE EXISTS (SELECT 1 FROM user_grants g WHERE g.store_id = c.store_id AND g.user_id = $1)
        AND d.taken_back_at IS NULL AND c.state IN ('pending', 'approved', 'rejected', 'deferred')
        AND cs.state IN ('open', 'closed')
        ORDER BY d.created_at DESC, d.id DESC";
    LIKE = "SELECT d.verdict, d.reject_code, COUNT(*) AS times FROM decisions d JOIN changes c
        ON c.id = d.change_id
        WHERE c.store_id = $1 AND c.finding = $2 AND c.kind = $3 AND c.id <> $4
        AND d.taken_back_at IS NULL AND d.verdict <> 'defer'
        GROUP BY d.verdict, d.reject_code ORDER BY 3 DESC, 1, 2";
    SINCE = "SELECT d.user_id, u.name AS user_name, d.change_id, d.revision, d.verdict,
        d.created_at, d.taken_back_at, d.taken_back_by, o.first_at AS opened_at,
            c.created_at AS proposed_at,
            d.revision = c.revision AND EXISTS (SELECT 1 FROM reverted_changes r JOIN changes rc
            ON rc.id = r.change_id
                WHERE r.of_change = c.id AND rc.state = 'committed') AS reverted
        FROM decisions d JOIN changes c ON c.id = d.change_id JOIN users u ON u.id = d.user_id
            JOIN stores s ON s.id = c.store_id AND s.deleted_at IS NULL
            LEFT JOIN change_openings o ON o.change_id = d.change_id AND o.revision = d.revision
            AND o.user_id = d.user_id
        WHERE d.created_at >= $1 AND (CAST($2 AS UUID) IS NULL OR EXISTS (SELECT 1
        FROM user_grants g WHERE g.store_id = c.store_id AND g.user_id = $2))
        ORDER BY d.created_at DESC, d.id DESC LIMIT $3";
    OF_CHANGESET = "SELECT d.id, d.change_id, d.revision, d.digest, d.user_id, u.name AS user_name,
        d.verdict, d.reject_code, d.note,
            d.meaning, d.confirmed_at, d.sign_in, d.signature, d.created_at, d.taken_back_at
        FROM decisions d JOIN changes c ON c.id = d.change_id JOIN users u ON u.id = d.user_id
        WHERE c.changeset_id = $1 ORDER BY d.created_at, d.id";
    CONTRIBUTE = "INSERT INTO change_contributors (change_id, user_id, how, created_at) VALUES ($1,
        $2, $3, $4)
        ON CONFLICT (change_id, user_id, how) DO NOTHING";
    CONTRIBUTORS_OF_CHANGESET = "SELECT x.change_id, x.user_id, x.how FROM change_contributors x
        JOIN changes c ON c.id = x.change_id
        WHERE c.changeset_id = $1";
    CONTRIBUTORS_OF = concat!("SELECT x.change_id, x.user_id, x.how FROM change_contributors x
        JOIN changes c ON c.id = x.change_id
        WHERE c.changeset_id IN (", fifty!(), ")");
    APPROVERS_OF = concat!("SELECT d.change_id, d.user_id FROM decisions d JOIN changes c
        ON c.id = d.change_id AND c.revision = d.revision
        WHERE d.verdict = 'approve' AND d.taken_back_at IS NULL AND c.changeset_id IN (", fifty!(), ")");
    CARRY = "INSERT INTO change_contributors (change_id, user_id, how, created_at)
        SELECT $2, x.user_id, x.how, $3 FROM change_contributors x WHERE x.change_id = $1
        ON CONFLICT (change_id, user_id, how) DO NOTHING";
    MUTE = "INSERT INTO fingerprints (store_id, fingerprint, reject_code, support, change_id,
        created_at) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (store_id, fingerprint) DO UPDATE SET reject_code = excluded.reject_code,
        support = excluded.support,
            change_id = excluded.change_id, created_at = excluded.created_at, unmuted_at = NULL";
    UNMUTE = "UPDATE fingerprints SET unmuted_at = $1 WHERE store_id = $2 AND fingerprint = $3
        AND change_id = $4";
    MUTED_OF_STORE = "SELECT f.fingerprint, f.reject_code, f.support, f.change_id, f.created_at,
        c.title, c.finding, c.changeset_id
        FROM fingerprints f JOIN changes c ON c.id = f.change_id WHERE f.store_id = $1
        AND f.unmuted_at IS NULL ORDER BY f.created_at DESC, f.fingerprint";
    MUTED_AS = "SELECT reject_code FROM fingerprints WHERE store_id = $1 AND fingerprint = $2
        AND unmuted_at IS NULL";
    MUTED = "SELECT fingerprint, reject_code, support FROM fingerprints WHERE store_id = $1
        AND unmuted_at IS NULL ORDER BY fingerprint";
}

/// Why something stays away from a store, if it does.
pub async fn muted_as(
    tx: &mut Tx,
    store: StoreId,
    fingerprint: &str,
) -> Result<Option<RejectCode>> {
    Ok(fetch_optional!(tx, (RejectCode,), MUTED_AS, store, fingerprint)?.map(|(code,)| code))
}

/// Makes everybody who contributed to one change a contributor to another, too.
pub async fn carry(tx: &mut Tx, from: ChangeId, to: ChangeId, at: Timestamp) -> Result<()> {
    execute!(tx, CARRY, from, to, at)?;
    Ok(())
}

/// A decision of one person on one change.
#[derive(Debug, Clone, FromRow)]
pub struct DecisionRow {
    pub id: DecisionId,
    pub change_id: ChangeId,
    pub revision: i64,
    pub digest: String,
    pub user_id: UserId,
    pub user_name: String,
    pub verdict: DecisionKind,
    /// Why it was rejected.
    pub reject_code: Option<RejectCode>,
    pub note: String,
    /// What the signer means by it, if it is signed: `approved` or `reviewed`.
    pub meaning: Option<String>,
    /// When the password was entered that the signature rests on.
    pub confirmed_at: Option<Timestamp>,
    /// The sign-in in which that was.
    pub sign_in: Option<SignInId>,
    /// SHA-256 over all that the signature stands for ([`domain::canonical::signature_digest`]).
    pub signature: Option<String>,
    pub created_at: Timestamp,
    /// When it was withdrawn.
    pub taken_back_at: Option<Timestamp>,
}

/// Stores a new decision.
pub async fn insert(tx: &mut Tx, d: &DecisionRow) -> Result<()> {
    execute!(
        tx,
        INSERT,
        d.id,
        d.change_id,
        d.revision,
        d.digest.as_str(),
        d.user_id,
        d.verdict,
        d.reject_code,
        d.note.as_str(),
        d.meaning.as_deref(),
        d.confirmed_at,
        d.sign_in,
        d.signature.as_deref(),
        d.created_at
    )?;
    Ok(())
}

/// Takes back every standing vote on a change.
pub async fn take_back(tx: &mut Tx, change: ChangeId, by: UserId, at: Timestamp) -> Result<()> {
    execute!(tx, TAKE_BACK, at, change, by)?;
    Ok(())
}

/// Takes back a person's standing votes on a revision of a change.
pub async fn take_back_own(
    tx: &mut Tx,
    change: ChangeId,
    revision: i64,
    user: UserId,
    at: Timestamp,
) -> Result<()> {
    execute!(tx, TAKE_BACK_OWN, at, change, user, revision)?;
    Ok(())
}

/// Ends the standing deferrals of a change; approvals stand.
pub async fn end_deferrals(tx: &mut Tx, change: ChangeId, at: Timestamp) -> Result<()> {
    execute!(tx, END_DEFERRALS, at, change)?;
    Ok(())
}

/// A decision that its maker can undo.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct UndoRow {
    pub change_id: ChangeId,
    pub changeset_id: ChangesetId,
    pub revision: i64,
    pub verdict: DecisionKind,
    pub title: String,
}

/// Of a person's last decisions, those that can be undone: on what is not committed, at the
/// revision that stands. The last first.
pub async fn last_of(tx: &mut Tx, user: UserId, limit: i64) -> Result<Vec<UndoRow>> {
    fetch_all!(tx, UndoRow, LAST_OF, user, limit)
}

/// Every vote on a changeset, oldest first, those withdrawn included.
pub async fn of_changeset(tx: &mut Tx, id: ChangesetId) -> Result<Vec<DecisionRow>> {
    fetch_all!(tx, DecisionRow, OF_CHANGESET, id)
}

/// Records that a person contributed to a change (`edited`, `instructed`), and so does not count as
/// its approver.
pub async fn contribute(
    tx: &mut Tx,
    change: ChangeId,
    user: UserId,
    how: Contribution,
    at: Timestamp,
) -> Result<()> {
    execute!(tx, CONTRIBUTE, change, user, how, at)?;
    Ok(())
}

/// Somebody's hand in a change.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Contributor {
    pub change_id: ChangeId,
    pub user_id: UserId,
    pub how: Contribution,
}

/// Returns who contributed to each change of a changeset.
pub async fn contributors_of_changeset(tx: &mut Tx, id: ChangesetId) -> Result<Vec<Contributor>> {
    fetch_all!(tx, Contributor, CONTRIBUTORS_OF_CHANGESET, id)
}

/// The hands in the changes of some changesets.
pub async fn contributors_of(tx: &mut Tx, changesets: &[ChangesetId]) -> Result<Vec<Contributor>> {
    fetch_listed!(tx, Contributor, CONTRIBUTORS_OF, changesets)
}

/// Returns who approved which change of some changesets, at the revision that it has now.
pub async fn approvers_of(
    tx: &mut Tx,
    changesets: &[ChangesetId],
) -> Result<Vec<(ChangeId, UserId)>> {
    fetch_listed!(tx, (ChangeId, UserId), APPROVERS_OF, changesets)
}

/// A rejected proposal of a store: fingerprint, code and the support it had.
#[derive(Debug, Clone, FromRow)]
pub struct Muted {
    pub fingerprint: String,
    /// Why it was rejected.
    pub reject_code: RejectCode,
    /// Distinct subjects, tasks or sessions it had.
    pub support: i64,
}

/// A muted finding as a list shows it.
#[derive(Debug, Clone, FromRow)]
pub struct MutedRow {
    pub fingerprint: String,
    /// Why it was rejected.
    pub reject_code: RejectCode,
    /// Distinct subjects, tasks or sessions it had.
    pub support: i64,
    /// The change that was rejected.
    pub change_id: ChangeId,
    pub created_at: Timestamp,
    pub title: String,
    /// The kind of finding.
    pub finding: String,
    /// The changeset that it was in.
    pub changeset_id: ChangesetId,
}

/// Every muted finding of a store, newest first.
pub async fn muted_of_store(tx: &mut Tx, store: StoreId) -> Result<Vec<MutedRow>> {
    fetch_all!(tx, MutedRow, MUTED_OF_STORE, store)
}

/// Leaves a rejected finding's fingerprint (rule 12).
pub async fn mute(
    tx: &mut Tx,
    store: StoreId,
    muted: &Muted,
    change: ChangeId,
    at: Timestamp,
) -> Result<()> {
    execute!(
        tx,
        MUTE,
        store,
        muted.fingerprint.as_str(),
        muted.reject_code,
        muted.support,
        change,
        at
    )?;
    Ok(())
}

/// Lifts the fingerprint that a change's rejection left.
pub async fn unmute(
    tx: &mut Tx,
    store: StoreId,
    fingerprint: &str,
    change: ChangeId,
    at: Timestamp,
) -> Result<()> {
    execute!(tx, UNMUTE, at, store, fingerprint, change)?;
    Ok(())
}

/// Every fingerprint that is in a store.
pub async fn muted(tx: &mut Tx, store: StoreId) -> Result<Vec<Muted>> {
    fetch_all!(tx, Muted, MUTED, store)
}

/// How often something was decided on changes of the same kind, from the same kind of finding, in
/// the same store.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct LikeRow {
    pub verdict: DecisionKind,
    /// Why it was rejected.
    pub reject_code: Option<RejectCode>,
    pub times: i64,
}

/// Returns what was decided on changes like this one.
pub async fn like(tx: &mut Tx, change: &crate::changes::ChangeRow) -> Result<Vec<LikeRow>> {
    fetch_all!(
        tx,
        LikeRow,
        LIKE,
        change.store_id,
        change.finding.as_str(),
        change.kind,
        change.id
    )
}

/// A decision with what says how well it was made.
#[derive(Debug, Clone, FromRow)]
pub struct JudgedRow {
    pub user_id: UserId,
    pub user_name: String,
    pub change_id: ChangeId,
    pub revision: i64,
    pub verdict: DecisionKind,
    pub created_at: Timestamp,
    /// When it was withdrawn.
    pub taken_back_at: Option<Timestamp>,
    pub taken_back_by: Option<UserId>,
    /// When they first had the revision before their eyes.
    pub opened_at: Option<Timestamp>,
    /// When the change was proposed.
    pub proposed_at: Timestamp,
    /// True if the commit that it is in was reverted.
    pub reverted: bool,
}

/// Decisions since then, in stores that the viewer may see; the newest first, at most so many.
pub async fn since(
    tx: &mut Tx,
    since: Timestamp,
    visible: Visible,
    limit: i64,
) -> Result<Vec<JudgedRow>> {
    fetch_all!(tx, JudgedRow, SINCE, since, viewer(visible), limit)
}
