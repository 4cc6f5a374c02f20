//! The rows of the audit trail. Appending takes the head row, which serialises writers: it is the
//! last statement of a transaction.

use audit::{Checkpoint, Entry, rows};
use domain::{
    Timestamp,
    actor::Visible,
    audit_action::AuditAction,
    ids::{ChangesetId, CommitId, StoreId},
};
use sqlx::FromRow;

use crate::{Error, Page, Result, Tx, checkpoints, covered, engine::viewer};

statements! {
    LOCK_HEAD = "UPDATE audit_head SET seq = seq WHERE id = 1 RETURNING seq, hash, baseline,
        signed_at, public_key, signature";
    MOVE_HEAD = "UPDATE audit_head SET seq = $1, hash = $2, baseline = $3, signed_at = $4,
        public_key = $5, signature = $6 WHERE id = 1";
    HEAD = "SELECT seq, hash, baseline, signed_at, public_key, signature FROM audit_head
        WHERE id = 1";
    INSERT = "INSERT INTO audit (seq, at, actor, action, subject, store_id, commit_id, rows, salt,
        payload, commitment, prev, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    LIST = "SELECT seq, at, actor, action, subject, store_id, commit_id, CAST(NULL AS TEXT) AS rows,
        salt, payload, commitment, prev, hash FROM audit a
        WHERE seq < $1
          AND (CAST($2 AS UUID) IS NULL OR (a.store_id IS NULL AND $3)
            OR EXISTS (SELECT 1 FROM user_grants g WHERE g.store_id = a.store_id
            AND g.user_id = $2))
          AND (CAST($4 AS UUID) IS NULL OR a.store_id = $4)
          AND (CAST($5 AS TEXT) IS NULL OR a.actor = $5)
          AND (CAST($6 AS TEXT) IS NULL OR a.action = $6)
          AND (CAST($7 AS BIGINT) IS NULL OR a.at >= $7)
        ORDER BY seq DESC LIMIT $8";
    ACTORS = "SELECT a.actor FROM audit a
        WHERE CAST($1 AS UUID) IS NULL OR (a.store_id IS NULL AND $2)
            OR EXISTS (SELECT 1 FROM user_grants g WHERE g.store_id = a.store_id AND g.user_id = $1)
        GROUP BY a.actor ORDER BY COUNT(*) DESC, a.actor LIMIT $3";
    NEWS = "SELECT a.seq, a.actor, a.action, a.subject, a.store_id, k.changeset_id FROM audit a LEFT
        JOIN commits k ON k.id = a.commit_id
        WHERE a.seq > $1 AND a.store_id IS NOT NULL ORDER BY a.seq LIMIT $2";
    LAST_VERIFIED = "SELECT at, action, payload FROM audit WHERE action IN ('audit.verify',
        'audit.alarm') ORDER BY seq DESC LIMIT 1";
    LAST_BEFORE = "SELECT COALESCE(MAX(seq), 0) FROM audit WHERE at < $1";
    HASH_OF = "SELECT hash FROM audit WHERE seq = $1";
    CHAIN = "SELECT seq, at, actor, action, subject, store_id, commit_id, rows, salt, payload,
        commitment, prev, hash FROM audit
        WHERE seq > $1 ORDER BY seq LIMIT $2";
}

/// An entry to be appended.
#[derive(Debug, Clone)]
pub struct NewEntry {
    pub at: Timestamp,
    /// Kind and id of the actor.
    pub actor: String,
    pub action: AuditAction,
    pub subject: String,
    /// In which store, if in one.
    pub store_id: Option<StoreId>,
    /// The commit that this entry stands for.
    pub commit_id: Option<CommitId>,
    pub salt: [u8; 16],
    /// The details, as JSON.
    pub payload: String,
}

/// A row of the trail.
#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub seq: i64,
    pub at: Timestamp,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub store_id: Option<StoreId>,
    /// The commit that it is of.
    pub commit_id: Option<CommitId>,
    /// The rows that it binds; read only for the verifier.
    pub rows: Option<String>,
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
            store: self.store_id.map(|id| plain(id.0)),
            commit: self.commit_id.map(|id| plain(id.0)),
            rows: self.rows.as_deref().map(audit::sha256),
            commitment: hash32(&self.commitment),
            prev: hash32(&self.prev),
            hash: hash32(&self.hash),
        }
    }
}

/// Hash bytes of a row; one of another length can only come from tampering and becomes zeros, which
/// match nothing.
fn hash32(bytes: &[u8]) -> [u8; 32] {
    bytes.try_into().unwrap_or([0; 32])
}

/// An id as 32 hexadecimal digits.
fn plain(id: uuid::Uuid) -> String {
    id.simple().to_string()
}

/// The end of the chain.
#[derive(Debug, Clone, FromRow)]
pub struct Head {
    /// Position of the last entry.
    pub seq: i64,
    hash: Vec<u8>,
    /// The first entry that binds rows; none before anything was written since there are such.
    pub baseline: Option<i64>,
    signed_at: Option<Timestamp>,
    public_key: Option<Vec<u8>>,
    signature: Option<Vec<u8>>,
}

impl Head {
    /// Hash of the last entry.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        hash32(&self.hash)
    }

    /// The checkpoint of the end, if the trail is signed.
    #[must_use]
    pub fn signed(&self) -> Option<Checkpoint> {
        let (at, key, signature) = (
            self.signed_at?.0,
            self.public_key.as_ref()?,
            self.signature.as_ref()?,
        );
        Some(Checkpoint {
            size: self.seq,
            at,
            head: hex::encode(&self.hash),
            public_key: hex::encode(key),
            signature: hex::encode(signature),
        })
    }

    /// The key that signs, hexadecimal, if one does.
    #[must_use]
    pub fn public_key(&self) -> Option<String> {
        self.public_key.as_ref().map(hex::encode)
    }
}

/// A checkpoint is kept so often.
const CHECKPOINT_EVERY: i64 = 100;

/// Appends an entry, which binds every covered row that the transaction wrote before; returns its
/// position. With a key, the end is signed; a trail that is signed goes on only with its key.
pub async fn append(tx: &mut Tx, new: &NewEntry, key: Option<&[u8; 32]>) -> Result<i64> {
    append_erasing(tx, new, key, &[]).await
}

/// As [`append`], and says that the payloads of these earlier entries were erased in this
/// transaction.
pub async fn append_erasing(
    tx: &mut Tx,
    new: &NewEntry,
    key: Option<&[u8; 32]>,
    erased: &[i64],
) -> Result<i64> {
    let head = fetch_optional!(tx, Head, LOCK_HEAD)?.ok_or(Error::Stale)?;
    let public = key.map(audit::checkpoint::public_key);
    let mut named: Vec<rows::Row> = erased
        .iter()
        .map(|seq| (rows::ERASED.to_owned(), seq.to_string(), None, None))
        .collect();
    match (head.public_key(), public) {
        (Some(signer), public) if public.as_ref() != Some(&signer) => {
            Err(Error::SigningKey(signer))
        }
        (None, Some(public)) => {
            named.push((
                rows::KEY.to_owned(),
                public.clone(),
                Some(hex::encode(audit::sha256(&public))),
                None,
            ));
            append_after(tx, head, new, key, named).await
        }
        _ => append_after(tx, head, new, key, named).await,
    }
}

/// As [`append`], and from this entry on another key signs; without the old one, the trail says
/// that it was lost.
pub async fn append_with_new_key(
    tx: &mut Tx,
    new: &NewEntry,
    old: Option<&[u8; 32]>,
    key: &[u8; 32],
) -> Result<i64> {
    let head = fetch_optional!(tx, Head, LOCK_HEAD)?.ok_or(Error::Stale)?;
    if let (Some(signer), Some(old)) = (head.public_key(), old)
        && audit::checkpoint::public_key(old) != signer
    {
        return Err(Error::SigningKey(signer));
    }
    let public = audit::checkpoint::public_key(key);
    let word = old.map_or_else(
        || rows::LOST.to_owned(),
        |old| audit::checkpoint::vouch(old, &public),
    );
    append_after(
        tx,
        head,
        new,
        Some(key),
        vec![(rows::KEY.to_owned(), public, Some(word), None)],
    )
    .await
}

/// The end of the trail is as the last honest entry left it: the signature holds, and the last
/// entry has the hash that is signed. Nothing is appended to another end, because the signature
/// would then vouch for it.
async fn is_intact(tx: &mut Tx, head: &Head) -> Result<()> {
    if hash_of(tx, head.seq).await? != head.hash() {
        return Err(Error::Trail);
    }
    match (head.public_key(), head.signed()) {
        (None, None) => Ok(()),
        (Some(key), Some(signed)) if signed.verify_head(Some(&key)).is_ok() => Ok(()),
        _ => Err(Error::Trail),
    }
}

async fn append_after(
    tx: &mut Tx,
    mut head: Head,
    new: &NewEntry,
    key: Option<&[u8; 32]>,
    named: Vec<rows::Row>,
) -> Result<i64> {
    is_intact(tx, &head).await?;
    let mut bound = covered::take(tx).await?;
    if head.baseline.is_none() {
        bound = baseline(tx, head.seq).await?;
    }
    bound.extend(named);
    let text = rows::text(&bound);
    let entry = Entry {
        seq: head.seq + 1,
        at: new.at.0,
        actor: new.actor.clone(),
        action: new.action.as_str().to_owned(),
        subject: new.subject.clone(),
        store: new.store_id.map(|id| plain(id.0)),
        commit: new.commit_id.map(|id| plain(id.0)),
        rows: Some(audit::sha256(&text)),
        commitment: audit::commitment(&new.salt, &new.payload),
        prev: head.hash(),
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
        text.as_str(),
        new.salt.as_slice(),
        new.payload.as_str(),
        entry.commitment.as_slice(),
        entry.prev.as_slice(),
        entry.hash.as_slice()
    )?;
    (head.seq, head.hash) = (entry.seq, entry.hash.to_vec());
    head.baseline = head.baseline.or(Some(entry.seq));
    sign(&mut head, new.at, key);
    let (public, signature) = (head.public_key.as_deref(), head.signature.as_deref());
    execute!(
        tx,
        MOVE_HEAD,
        head.seq,
        head.hash.as_slice(),
        head.baseline,
        head.signed_at,
        public,
        signature
    )?;
    if let Some(key) = key.filter(|_| entry.seq % CHECKPOINT_EVERY == 0) {
        let checkpoint = Checkpoint::sign(key, entry.seq, new.at.0, entry.hash);
        checkpoints::insert(tx, &checkpoints::CheckpointRow::from(&checkpoint)).await?;
    }
    Ok(entry.seq)
}

fn sign(head: &mut Head, at: Timestamp, key: Option<&[u8; 32]>) {
    let signed = key.map(|key| Checkpoint::sign_head(key, head.seq, at.0, head.hash()));
    let bytes = |text: &str| hex::decode(text).ok();
    head.signed_at = signed.as_ref().map(|_| at);
    head.public_key = signed.as_ref().and_then(|s| bytes(&s.public_key));
    head.signature = signed.as_ref().and_then(|s| bytes(&s.signature));
}

/// Every covered row as it is now, and what the entries before do not bind themselves.
async fn baseline(tx: &mut Tx, last: i64) -> Result<Vec<rows::Row>> {
    let mut earlier = rows::Earlier::default();
    let mut after = 0;
    while after < last {
        let page = chain(tx, after, 1_000).await?;
        let Some(end) = page.last().map(|row| row.seq) else {
            break;
        };
        for row in &page {
            earlier.take(&row.entry());
        }
        after = end;
    }
    let mut all = vec![(
        rows::EARLIER.to_owned(),
        last.to_string(),
        Some(earlier.digest()),
        None,
    )];
    for table in covered::TABLES {
        covered::each(tx, table, |key, digest| {
            all.push((table.name.to_owned(), key, Some(digest), None));
        })
        .await?;
    }
    Ok(all)
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
    pub before: Option<i64>,
}

/// The newest entries that the viewer may see; those of no store only if `storeless`.
pub async fn list(
    tx: &mut Tx,
    visible: Visible,
    storeless: bool,
    filter: &Filter,
    limit: i64,
) -> Result<Page<Row>> {
    let before = filter.before.unwrap_or(i64::MAX);
    let (actor, action) = (filter.actor.as_deref(), filter.action);
    let rows = fetch_all!(
        tx,
        Row,
        LIST,
        before,
        viewer(visible),
        storeless,
        filter.store,
        actor,
        action,
        filter.since,
        limit + 1
    )?;
    Ok(Page::of(rows, limit))
}

/// Returns who made entries that the viewer may see, who made most of them first.
pub async fn actors(
    tx: &mut Tx,
    visible: Visible,
    storeless: bool,
    limit: i64,
) -> Result<Vec<String>> {
    Ok(
        fetch_all!(tx, (String,), ACTORS, viewer(visible), storeless, limit)?
            .into_iter()
            .map(|(actor,)| actor)
            .collect(),
    )
}

/// Entries after `after` in order, for the verifier.
pub async fn chain(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<Row>> {
    fetch_all!(tx, Row, CHAIN, after, limit)
}

/// When and how the newest entry about a verification came about, with its payload.
pub async fn last_verified(tx: &mut Tx) -> Result<Option<(Timestamp, String, Option<String>)>> {
    fetch_optional!(tx, (Timestamp, String, Option<String>), LAST_VERIFIED)
}

/// The last entry before a time; 0 if there is none.
pub async fn last_before(tx: &mut Tx, at: Timestamp) -> Result<i64> {
    fetch_scalar!(tx, i64, LAST_BEFORE, at)
}

/// The hash of an entry; of none, what the first entry follows.
pub async fn hash_of(tx: &mut Tx, seq: i64) -> Result<[u8; 32]> {
    Ok(fetch_optional!(tx, (Vec<u8>,), HASH_OF, seq)?
        .map_or(audit::GENESIS, |(hash,)| hash32(&hash)))
}

/// Returns what the chain must end with.
pub async fn head(tx: &mut Tx) -> Result<Head> {
    fetch_optional!(tx, Head, HEAD)?.ok_or(Error::Stale)
}

/// Something that happened in a store, for those who look at it just now.
#[derive(Debug, Clone, FromRow)]
pub struct NewsRow {
    pub seq: i64,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub store_id: StoreId,
    /// The changeset that a commit is of.
    pub changeset_id: Option<ChangesetId>,
}

/// Returns what happened in stores after a position, in order, at most so much.
pub async fn news(tx: &mut Tx, after: i64, limit: i64) -> Result<Vec<NewsRow>> {
    fetch_all!(tx, NewsRow, NEWS, after, limit)
}
