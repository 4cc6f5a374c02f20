//! Signed tree heads, and proofs that one entry is in the trail or that the trail only grew. The
//! tree is kept in memory and grows with the trail; each entry is checked against the one before as
//! it is taken in, so nothing is signed that the chain does not hold.

use audit::{
    Verifier,
    export::ExportedEntry,
    merkle::{self, Hash},
    tlog::{Proof, TreeHead, leaf_of, verifier_key},
    witness::WitnessKey,
};
use domain::{actor::Actor, rights::Action};
use store::{
    Tx, audit_log,
    checkpoints::{self, Cosignature},
};

use crate::{Error, Lucid, Result, require_in_general};

/// Entries that are read at once.
const PAGE: i64 = 1_000;

/// The leaves of the tree so far: 32 bytes an entry.
#[derive(Default)]
pub struct Tree {
    leaves: Vec<Hash>,
    /// Hash of the last entry.
    last: Option<Hash>,
}

/// The name and key of a trail, as witnesses and auditors need them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailKey {
    /// Its name in tree heads.
    pub origin: String,
    /// Public key, 64 hexadecimal digits.
    pub public_key: String,
    /// As witnesses are told it.
    pub verifier_key: String,
}

impl Tree {
    /// Takes in what the trail has beyond the tree. An error if the trail does not continue it, or
    /// does not lead to its signed end.
    async fn grow(&mut self, tx: &mut Tx) -> Result<()> {
        let broken = || Error::Store(store::Error::Trail);
        let head = audit_log::head(tx).await?;
        let mut verifier = Verifier::default();
        let mut after = i64::try_from(self.leaves.len()).unwrap_or(i64::MAX);
        if let Some(last) = self.last {
            verifier.begin_after(after, last).map_err(|_| broken())?;
        }
        while after < head.seq {
            let rows = audit_log::chain(tx, after, PAGE).await?;
            after = rows.last().map(|row| row.seq).ok_or_else(broken)?;
            let mut page = Vec::with_capacity(rows.len());
            for row in &rows {
                verifier
                    .next(&row.entry(), None, row.rows.as_deref())
                    .map_err(|_| broken())?;
                page.push(leaf_of(&row.entry()));
            }
            self.leaves.append(&mut page);
            // What was checked is kept, also if the person who asked does not wait for the rest.
            self.last = Some(verifier.hash());
        }
        let end = self.last.unwrap_or(audit::GENESIS);
        let signed = head.signed().ok_or_else(broken)?;
        if end != head.hash()
            || signed
                .verify_head(None)
                .and_then(|()| signed.covers(end))
                .is_err()
        {
            return Err(broken());
        }
        Ok(())
    }
}

impl Lucid {
    /// Name and key of the trail; none if it is not signed.
    #[tracing::instrument(skip_all)]
    pub async fn trail_key(&self) -> Result<Option<TrailKey>> {
        let Some(secret) = self.signing_key.as_deref() else {
            return Ok(None);
        };
        let origin = self.trail_origin().await?;
        let public_key = audit::checkpoint::public_key(secret);
        let mut public = [0; 32];
        hex::decode_to_slice(&public_key, &mut public)
            .map_err(|_| Error::Internal("a public key could not be read"))?;
        let verifier_key = verifier_key(&origin, &public);
        Ok(Some(TrailKey {
            origin,
            public_key,
            verifier_key,
        }))
    }

    /// Returns what tree heads call this trail: the host of its address, and `/audit`.
    async fn trail_origin(&self) -> Result<String> {
        let url = self.public_url().await?.unwrap_or_default();
        let host = url
            .split_once("://")
            .map_or(url.as_str(), |(_, rest)| rest)
            .split('/')
            .next()
            .unwrap_or_default();
        Ok(format!(
            "{}/audit",
            if host.is_empty() { "lucid" } else { host }
        ))
    }

    /// The signed tree head of the trail as it is now (C2SP tlog-checkpoint).
    #[tracing::instrument(skip_all)]
    pub async fn tree_head(&self, actor: &Actor) -> Result<String> {
        require_in_general(actor, Action::ReadAudit)?;
        self.signed_tree(|_| Some(())).await.map(|(note, ())| note)
    }

    /// A proof that an entry is in the trail, for who may export it.
    #[tracing::instrument(skip_all)]
    pub async fn prove_entry(&self, actor: &Actor, seq: i64) -> Result<Proof> {
        require_in_general(actor, Action::ExportAudit)?;
        let index = usize::try_from(seq)
            .ok()
            .and_then(|seq| seq.checked_sub(1))
            .ok_or(Error::NotFound("entry"))?;
        let rows = audit_log::chain(&mut self.db.read().await?, seq - 1, 1).await?;
        let row = rows
            .into_iter()
            .find(|row| row.seq == seq)
            .ok_or(Error::NotFound("entry"))?;
        let (checkpoint, path) = self
            .signed_tree(|leaves| merkle::inclusion(leaves, index))
            .await?;
        let entry = Box::new(ExportedEntry::new(
            &row.entry(),
            &row.salt,
            row.payload.clone(),
            row.rows.clone(),
        ));
        Ok(Proof::Entry {
            entry,
            path: path.iter().map(hex::encode).collect(),
            checkpoint,
        })
    }

    /// A proof that the trail continues the one that had so many entries.
    #[tracing::instrument(skip_all)]
    pub async fn prove_growth(&self, actor: &Actor, from: u64) -> Result<Proof> {
        require_in_general(actor, Action::ReadAudit)?;
        let size = usize::try_from(from).unwrap_or(usize::MAX);
        let shorter = || {
            Error::Invalid(format!(
                "the trail has fewer than {from} entries: its end was cut off, or the tree head is \
                 of another trail"
            ))
        };
        let (checkpoint, path) = self
            .signed_tree_or(|leaves| merkle::consistency(leaves, size), shorter)
            .await?;
        Ok(Proof::Growth {
            from,
            path: path.iter().map(hex::encode).collect(),
            checkpoint,
        })
    }

    /// The newest tree head that each witness cosigned.
    #[tracing::instrument(skip_all)]
    pub async fn cosignatures(&self, actor: &Actor) -> Result<Vec<Cosignature>> {
        require_in_general(actor, Action::ReadAudit)?;
        let mut all = checkpoints::cosignatures(&mut self.db.read().await?).await?;
        // The database is not believed: each is checked with the key of its witness and that of the
        // trail.
        let Some(key) = self.trail_key().await? else {
            return Ok(Vec::new());
        };
        all.retain(|one| {
            let Some((note, line)) = one
                .note
                .trim_end()
                .rfind('\n')
                .map(|end| one.note.split_at(end + 1))
            else {
                return false;
            };
            let cosigned = one
                .witness
                .parse::<WitnessKey>()
                .is_ok_and(|witness| witness.cosigned(note, line).is_ok());
            cosigned
                && TreeHead::read(note, &key.public_key)
                    .is_ok_and(|head| i64::try_from(head.size) == Ok(one.size))
        });
        Ok(all)
    }

    /// Keeps a tree head that a witness cosigned.
    #[tracing::instrument(skip_all)]
    pub async fn keep_cosignature(&self, one: &Cosignature) -> Result<()> {
        let mut tx = self.db.background().await?;
        checkpoints::cosigned(&mut tx, one).await?;
        Ok(tx.commit().await?)
    }

    async fn signed_tree<T>(&self, of: impl FnOnce(&[Hash]) -> Option<T>) -> Result<(String, T)> {
        self.signed_tree_or(of, || Error::NotFound("entry")).await
    }

    /// The signed tree head, and what is taken from the leaves under it.
    async fn signed_tree_or<T>(
        &self,
        of: impl FnOnce(&[Hash]) -> Option<T>,
        missing: impl FnOnce() -> Error,
    ) -> Result<(String, T)> {
        let Some(secret) = self.signing_key.as_deref() else {
            return Err(Error::Conflict(
                "there is no key to sign with: start Lucid with --signing-key FILE".to_owned(),
            ));
        };
        let origin = self.trail_origin().await?;
        let mut tree = self.tree.lock().await;
        let mut tx = self.db.read().await?;
        // Who signs must be who signed the end.
        let own = audit::checkpoint::public_key(secret);
        if audit_log::head(&mut tx)
            .await?
            .public_key()
            .is_some_and(|key| key != own)
        {
            return Err(store::Error::SigningKey(own).into());
        }
        tree.grow(&mut tx).await?;
        drop(tx);
        let taken = of(&tree.leaves).ok_or_else(missing)?;
        let size = u64::try_from(tree.leaves.len()).unwrap_or(u64::MAX);
        let root = merkle::root(&tree.leaves);
        Ok((TreeHead { origin, size, root }.sign(secret), taken))
    }
}
