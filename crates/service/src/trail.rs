//! Reading and verifying the audit trail.

use std::collections::BTreeMap;

use audit::{
    Broken, Checkpoint, Disagreement, Rows, Verifier,
    export::{ExportedEntry, Line},
};
use domain::{
    actor::Actor,
    audit_action::AuditAction,
    ids::{ChangeId, ChangesetId, PolicyId},
    rights::Action,
};
use serde_json::{Value, json};
use store::{
    Page, Tx,
    audit_log::{self, Filter},
    changes, changesets,
    checkpoints::{self, CheckpointRow},
    covered, policies,
};

use crate::{Error, Lucid, Record, Result, names::Names, require_in_general};

/// An entry as the page shows it.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// The row.
    pub row: audit_log::Row,
    /// The actor by name.
    pub actor: String,
    /// The entry's hash, hexadecimal.
    pub hash: String,
    /// The title of the change or changeset, or the name of the policy, that it is about.
    pub title: Option<String>,
    /// The changeset that it is about, or that its change is in.
    pub changeset: Option<ChangesetId>,
}

/// A trail that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many entries.
    pub entries: i64,
    /// Hash of the last one, hexadecimal.
    pub head: String,
    /// The entry from which on the rows of the database are bound, all of which were as the trail has them.
    pub since: Option<i64>,
    /// How many rows that were.
    pub rows: usize,
    /// The key that signed the end, hexadecimal; none if the trail is not signed.
    pub signed_by: Option<String>,
    /// Entries from which on another key signs, because the one before was said to be lost.
    pub lost_keys: Vec<i64>,
}

impl Lucid {
    /// The newest entries that the actor may see, of those that the filter names.
    pub async fn audit(&self, actor: &Actor, filter: &Filter) -> Result<Page<AuditRow>> {
        let mut tx = self.db.read().await?;
        let (visible, store) = actor.visible(Action::ReadStoreAudit).narrowed(filter.store);
        let filter = Filter { store, ..filter.clone() };
        let storeless = actor.may_in_general(Action::ReadAudit);
        let page = audit_log::list(&mut tx, visible, storeless, &filter, domain::limits::PAGE).await?;
        let names = Names::of_actors(&mut tx, page.rows.iter().map(|r| r.actor.as_str())).await?;
        let subjects = page.rows.iter().map(|r| r.subject.as_str());
        let of_change: Vec<ChangeId> = subjects.clone().filter_map(|s| s.parse().ok()).collect();
        let of_changeset: Vec<ChangesetId> = subjects.filter_map(|s| s.parse().ok()).collect();
        let of_policy: Vec<PolicyId> = page.rows.iter().filter_map(|r| r.subject.parse().ok()).collect();
        let in_changeset: BTreeMap<ChangeId, ChangesetId> = changes::changesets_of(&mut tx, &of_change).await?.into_iter().collect();
        let mut titles: BTreeMap<String, String> = BTreeMap::new();
        titles.extend(changes::titles(&mut tx, &of_change).await?.into_iter().map(|(id, title)| (id.to_string(), title)));
        titles.extend(changesets::titles(&mut tx, &of_changeset).await?.into_iter().map(|(id, title)| (id.to_string(), title)));
        titles.extend(policies::names(&mut tx, &of_policy).await?.into_iter().map(|(id, name)| (id.to_string(), name)));
        let rows = page.rows.into_iter().map(|row| AuditRow {
            actor: names.of(&row.actor),
            hash: hex::encode(row.entry().hash),
            title: titles.get(&row.subject).cloned(),
            changeset: row.subject.parse().ok().or_else(|| in_changeset.get(&row.subject.parse().ok()?).copied()),
            row,
        });
        Ok(Page { rows: rows.collect(), more: page.more })
    }

    /// Checks the whole trail, as [`Lucid::verify_audit`] does, and leaves no entry: for a check that runs again and again.
    pub async fn check_audit(&self, actor: &Actor) -> Result<std::result::Result<Verified, Broken>> {
        self.check_audit_with(actor, Vec::new(), None).await
    }

    /// Checks the whole trail in the database, and records that it was. The outer error is the database's; the inner one names what is wrong.
    pub async fn verify_audit(&self, actor: &Actor) -> Result<std::result::Result<Verified, Broken>> {
        self.verify_audit_with(actor, Vec::new(), None).await
    }

    /// As [`Lucid::verify_audit`], also against checkpoints that were kept elsewhere, and trusting only this public key.
    pub async fn verify_audit_with(
        &self,
        actor: &Actor,
        kept: Vec<Checkpoint>,
        key: Option<String>,
    ) -> Result<std::result::Result<Verified, Broken>> {
        let verified = self.check_audit_with(actor, kept, key).await?;
        if let Ok(verified) = &verified {
            let payload = json!({"entries": verified.entries, "head": verified.head});
            // The trail verifies whether that can be written down or not: a full disk must not say otherwise.
            if let Err(error) = self.record_about_the_trail(actor, AuditAction::AuditVerify, Action::ReadAudit, &payload).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "that the trail was verified could not be recorded");
            }
        }
        Ok(verified)
    }

    async fn check_audit_with(
        &self,
        actor: &Actor,
        kept: Vec<Checkpoint>,
        key: Option<String>,
    ) -> Result<std::result::Result<Verified, Broken>> {
        require_in_general(actor, Action::ReadAudit)?;
        let mut tx = self.db.read().await?;
        let head = audit_log::head(&mut tx).await?;
        let (head_seq, head_hash) = (head.seq, head.hash());
        // One that was signed after the head was read is looked at the next time.
        let stored = checkpoints::all(&mut tx).await?;
        let stored = stored.iter().map(checkpoint).filter(|c| c.size <= head_seq);
        let mut verifier = match Verifier::expecting(stored.chain(kept).collect(), key) {
            Ok(verifier) => verifier.rebuilding(),
            Err(broken) => return Ok(Err(broken)),
        };
        let mut after = 0;
        loop {
            let rows = audit_log::chain(&mut tx, after, 1_000).await?;
            let Some(last) = rows.last().map(|r| r.seq) else { break };
            for row in rows.iter().filter(|r| r.seq <= head_seq) {
                let payload = row.payload.as_deref().map(|p| (row.salt.as_slice(), p));
                if let Err(broken) = verifier.next(&row.entry(), payload, row.rows.as_deref()) {
                    return Ok(Err(broken));
                }
            }
            after = last;
        }
        let (since, mut rows, lost_keys) = (verifier.since(), verifier.take_rows(), verifier.lost_keys().to_vec());
        let entries = match verifier.finish(head_seq, head_hash, head.signed().as_ref()) {
            Ok(entries) => entries,
            Err(broken) => return Ok(Err(broken)),
        };
        if since.is_some() {
            let disagreements = disagreements(&mut tx, &mut rows).await?;
            if !disagreements.is_empty() {
                return Ok(Err(Broken::Rows(disagreements)));
            }
        }
        Ok(Ok(Verified { entries, head: hex::encode(head_hash), since, rows: rows.len(), signed_by: head.public_key(), lost_keys }))
    }

    /// An entry that says what was done with the trail as a whole.
    async fn record_about_the_trail(&self, actor: &Actor, action: AuditAction, needs: Action, payload: &Value) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_in_installation(needs)?;
        let record = Record { action, subject: "installation".into(), store: None, commit: None, payload };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }
}

impl Lucid {
    /// Gives every entry and then the head to `take`, in the form of an export: everything that verifying offline needs.
    pub async fn export_audit(&self, actor: &Actor, take: &mut (dyn FnMut(&Line) -> std::io::Result<()> + Send)) -> Result<i64> {
        require_in_general(actor, Action::ExportAudit)?;
        let mut tx = self.db.read().await?;
        let head = audit_log::head(&mut tx).await?;
        let head_seq = head.seq;
        let mut signed = checkpoints::all(&mut tx).await?.into_iter().map(|c| checkpoint(&c)).peekable();
        let mut after = 0;
        while after < head_seq {
            let rows = audit_log::chain(&mut tx, after, 1_000).await?;
            let Some(last) = rows.last().map(|r| r.seq) else { break };
            for row in rows.iter().filter(|r| r.seq <= head_seq) {
                take(&Line::Entry(ExportedEntry::new(&row.entry(), &row.salt, row.payload.clone(), row.rows.clone())))?;
                while let Some(checkpoint) = signed.next_if(|c| c.size <= row.seq) {
                    take(&Line::Checkpoint(checkpoint))?;
                }
            }
            after = last;
        }
        let hash = hex::encode(head.hash());
        take(&Line::Head { seq: head_seq, hash: hash.clone(), signed: head.signed() })?;
        drop(tx);
        let payload = json!({"entries": head_seq, "head": hash});
        self.record_about_the_trail(actor, AuditAction::AuditExport, Action::ExportAudit, &payload).await?;
        Ok(head_seq)
    }
}

impl Lucid {
    /// Signs how long the trail is now and what it ends with, and stores that; for whoever keeps it elsewhere.
    pub async fn sign_checkpoint(&self, actor: &Actor) -> Result<Checkpoint> {
        require_in_general(actor, Action::ReadAudit)?;
        let secret = self.signing_key.as_deref().ok_or_else(|| {
            Error::Conflict("there is no key to sign with: start Lucid with --signing-key FILE (or LUCID_SIGNING_KEY)".to_owned())
        })?;
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_in_installation(Action::ReadAudit)?;
        let end = audit_log::head(&mut tx).await?;
        let (size, head) = (end.seq, end.hash());
        if size == 0 {
            return Err(Error::Conflict("the trail has no entry yet, so there is nothing to sign".to_owned()));
        }
        let at = self.now();
        let signed = Checkpoint::sign(secret, size, at.0, head);
        checkpoints::insert(&mut tx, &CheckpointRow::from(&signed)).await?;
        let payload = json!({"size": size, "head": signed.head, "public_key": signed.public_key});
        let record =
            Record { action: AuditAction::AuditCheckpoint, subject: size.to_string(), store: None, commit: None, payload: &payload };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok(signed)
    }

    /// Lets another key sign the trail from now on; for whoever runs the command line. The key before must be the one that Lucid has, or
    /// `lost` says that nobody has it, which everybody who verifies the trail is told.
    pub async fn replace_signing_key(&self, new: &[u8; 32], lost: bool) -> Result<String> {
        let (mut tx, actor) = self.begin(&Actor::operator()).await?;
        let right = actor.may_in_installation(Action::ReadAudit)?;
        let old = self.signing_key.as_deref().filter(|_| !lost);
        let Some(before) = audit_log::head(&mut tx).await?.public_key() else {
            return Err(Error::Conflict("the trail is not signed yet: its next entry will be, with the key that Lucid is given".to_owned()));
        };
        if old.is_none() && !lost {
            return Err(store::Error::SigningKey(before).into());
        }
        let public = audit::checkpoint::public_key(new);
        if public == before {
            return Err(Error::Conflict("this key signs the trail already".to_owned()));
        }
        let entry = audit_log::NewEntry {
            at: self.now(),
            actor: right.who().to_string(),
            action: AuditAction::AuditKey,
            subject: "installation".to_owned(),
            store_id: None,
            commit_id: None,
            salt: self.random_bytes(),
            payload: json!({"before": before, "key": public, "lost": lost}).to_string(),
        };
        audit_log::append_with_new_key(&mut tx, &entry, old, new).await?;
        tx.commit().await?;
        Ok(public)
    }

    /// The key that signs the trail, hexadecimal; none if it is not signed.
    pub async fn trail_key(&self) -> Result<Option<String>> {
        Ok(audit_log::head(&mut self.db.read().await?).await?.public_key())
    }

    /// The newest checkpoint, if one was ever signed.
    pub async fn last_checkpoint(&self, actor: &Actor) -> Result<Option<Checkpoint>> {
        require_in_general(actor, Action::ReadAudit)?;
        Ok(checkpoints::last(&mut self.db.read().await?).await?.map(|row| checkpoint(&row)))
    }
}

/// Every row of the database that the trail has otherwise, with the entry that wrote it last.
async fn disagreements(tx: &mut Tx, rows: &mut Rows) -> Result<Vec<Disagreement>> {
    let mut all = Vec::new();
    for table in covered::TABLES {
        covered::each(tx, table, |key, digest| all.extend(rows.compare(table.name, &key, &digest))).await?;
        all.extend(rows.missing(table.name));
    }
    all.extend(covered::changed_contents(tx).await?.into_iter().map(|sha256| Disagreement::Content { sha256 }));
    all.extend(covered::missing_contents(tx).await?.into_iter().map(|sha256| Disagreement::MissingContent { sha256 }));
    Ok(all)
}

fn checkpoint(row: &CheckpointRow) -> Checkpoint {
    Checkpoint {
        size: row.size,
        at: row.at.0,
        head: hex::encode(&row.head_hash),
        public_key: hex::encode(&row.public_key),
        signature: hex::encode(&row.signature),
    }
}
