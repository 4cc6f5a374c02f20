//! The rows of the audit trail. Appending takes the head row, which serialises writers: it is the last statement of a transaction.

use audit::Entry;
use domain::{
    Timestamp,
    actor::Visible,
    audit_action::AuditAction,
    ids::{ChangesetId, CommitId, StoreId},
};
use sqlx::FromRow;

use crate::{Error, Page, Result, Tx, engine::viewer};

statements! {
    LOCK_HEAD = "UPDATE audit_head SET seq = seq WHERE id = 1 RETURNING seq, hash";
    MOVE_HEAD = "UPDATE audit_head SET seq = $1, hash = $2 WHERE id = 1";
    HEAD = "SELECT seq, hash FROM audit_head WHERE id = 1";
    INSERT = "INSERT INTO audit (seq, at, actor, action, subject, store_id, commit_id, salt, payload, commitment, prev, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    LIST = "SELECT seq, at, actor, action, subject, store_id, salt, payload, commitment, prev, hash FROM audit a
        WHERE seq < $1
          AND (CAST($2 AS UUID) IS NULL OR (a.store_id IS NULL AND $3)
            OR EXISTS (SELECT 1 FROM user_grants g WHERE g.store_id = a.store_id AND g.user_id = $2))
          AND (CAST($4 AS UUID) IS NULL OR a.store_id = $4)
          AND (CAST($5 AS TEXT) IS NULL OR a.actor = $5)
          AND (CAST($6 AS TEXT) IS NULL OR a.action = $6)
          AND (CAST($7 AS BIGINT) IS NULL OR a.at >= $7)
        ORDER BY seq DESC LIMIT $8";
    NEWS = "SELECT a.seq, a.actor, a.action, a.subject, a.store_id, k.changeset_id FROM audit a LEFT JOIN commits k ON k.id = a.commit_id
        WHERE a.seq > $1 AND a.store_id IS NOT NULL ORDER BY a.seq LIMIT $2";
    CHAIN = "SELECT seq, at, actor, action, subject, store_id, salt, payload, commitment, prev, hash FROM audit
        WHERE seq > $1 ORDER BY seq LIMIT $2";
}

/// What is to be recorded.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// When.
    pub at: Timestamp,
    /// Kind and id of the actor.
    pub actor: String,
    /// What was done.
    pub action: AuditAction,
    /// To what.
    pub subject: String,
    /// In which store, if in one.
    pub store_id: Option<StoreId>,
    /// The commit that this entry stands for.
    pub commit_id: Option<CommitId>,
    /// 16 random bytes.
    pub salt: [u8; 16],
    /// The details, as JSON.
    pub payload: String,
}

/// A row of the trail.
#[derive(Debug, Clone, FromRow)]
pub struct Row {
    /// Position.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// In which store.
    pub store_id: Option<StoreId>,
    /// Salt of the commitment.
    pub salt: Vec<u8>,
    /// Details; gone once erased.
    pub payload: Option<String>,
    commitment: Vec<u8>,
    prev: Vec<u8>,
    hash: Vec<u8>,
}

impl Row {
    /// The entry of the chain that the row holds.
    #[must_use]
    pub fn entry(&self) -> Entry {
        Entry {
            seq: self.seq,
            at: self.at.0,
            actor: self.actor.clone(),
            action: self.action.clone(),
            subject: self.subject.clone(),
            commitment: hash32(&self.commitment),
            prev: hash32(&self.prev),
            hash: hash32(&self.hash),
        }
    }
}

/// Hash bytes of a row; one of another length can only come from tampering and becomes zeros, which match nothing.
fn hash32(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().unwrap_or([0; 32])
}

/// Appends an entry; returns its position.
pub async fn append(tx: &mut Tx, new: &NewEntry) -> Result<i64> {
    let (seq, prev) = fetch_optional!(tx, (i64, Vec<u8>), LOCK_HEAD)?.ok_or(Error::Stale)?;
    let entry = Entry {
        seq: seq + 1,
        at: new.at.0,
        actor: new.actor.clone(),
        action: new.action.as_str().to_owned(),
        subject: new.subject.clone(),
        commitment: audit::commitment(&new.salt, &new.payload),
        prev: hash32(&prev),
        hash: audit::GENESIS,
    }
    .sealed();
    execute!(
        tx,
        INSERT,
        entry.seq,
        new.at,
        entry.actor.as_str(),
        new.action,
        entry.subject.as_str(),
        new.store_id,
        new.commit_id,
        new.salt.as_slice(),
        new.payload.as_str(),
        entry.commitment.as_slice(),
        entry.prev.as_slice(),
        entry.hash.as_slice()
    )?;
    execute!(tx, MOVE_HEAD, entry.seq, entry.hash.as_slice())?;
    Ok(entry.seq)
}

/// Which entries a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of one store only.
    pub store: Option<StoreId>,
    /// By one actor only: kind and id.
    pub actor: Option<String>,
    /// Of one action only.
    pub action: Option<AuditAction>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Before this position.
    pub before: Option<i64>,
}

/// The newest entries that the viewer may see; those of no store only if `storeless`.
pub async fn list(tx: &mut Tx, visible: Visible, storeless: bool, filter: &Filter, limit: i64) -> Result<Page<Row>> {
    let before = filter.before.unwrap_or(i64::MAX);
    let (actor, action) = (filter.actor.as_deref(), filter.action);
    let rows = fetch_all!(tx, Row, LIST, before, viewer(visible), storeless, filter.store, actor, action, filter.since, limit + 1)?;
    Ok(Page::of(rows, limit))
}

/// Entries after `after` in order, for the verifier.
pub async fn chain(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<Row>> {
    fetch_all!(tx, Row, CHAIN, after, limit)
}

/// Position and hash that the chain must end with.
pub async fn head(tx: &mut Tx) -> Result<(i64, [u8; 32])> {
    let (seq, hash) = fetch_optional!(tx, (i64, Vec<u8>), HEAD)?.ok_or(Error::Stale)?;
    Ok((seq, hash32(&hash)))
}

/// Something that happened in a store, for those who look at it just now.
#[derive(Debug, Clone, FromRow)]
pub struct NewsRow {
    /// Position.
    pub seq: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// In which store.
    pub store_id: StoreId,
    /// The changeset that a commit is of.
    pub changeset_id: Option<ChangesetId>,
}

/// What happened in stores after a position, in order, at most so much.
pub async fn news(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<NewsRow>> {
    fetch_all!(tx, NewsRow, NEWS, after, limit)
}
