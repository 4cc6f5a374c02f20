//! Verifying the trail of the database: its chain, its signatures, and every row that it covers.

use audit::{Broken, Checkpoint, Disagreement, Rows, Verifier};
use domain::{Timestamp, actor::Actor, audit_action::AuditAction, rights::Action};
use serde_json::json;
use store::{Tx, audit_log, checkpoints, covered};

use super::checkpoint;
use crate::{Lucid, Record, Result, authority::Authorized, require_in_general};

/// How old the last verification may be before a worker verifies again.
const VERIFY_SECONDS: i64 = 86_400;

/// A trail that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub entries: i64,
    /// Hash of the last one, hexadecimal.
    pub head: String,
    /// The entry from which on the rows of the database are bound, all of which were as the trail
    /// has them.
    pub since: Option<i64>,
    /// How many rows that were.
    pub rows: usize,
    /// The key that signed the end, hexadecimal; none if the trail is not signed.
    pub signed_by: Option<String>,
    /// Entries from which on another key signs, because the one before was said to be lost.
    pub lost_keys: Vec<i64>,
}

/// The result of the last verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastVerified {
    pub at: Timestamp,
    /// Up to which entry it verified; none if it did not.
    pub entries: Option<i64>,
    pub broken: Option<String>,
}

impl Lucid {
    /// Checks the whole trail, as [`Lucid::verify_audit`] does, and leaves no entry: for a check
    /// that runs again and again.
    #[tracing::instrument(skip_all)]
    pub async fn check_audit(
        &self,
        actor: &Actor,
    ) -> Result<std::result::Result<Verified, Broken>> {
        self.check_audit_with(actor, Vec::new(), None).await
    }

    /// Checks the whole trail in the database, and records that it was. The outer error is the
    /// database's; the inner one names what is wrong.
    #[tracing::instrument(skip_all)]
    pub async fn verify_audit(
        &self,
        actor: &Actor,
    ) -> Result<std::result::Result<Verified, Broken>> {
        self.verify_audit_with(actor, Vec::new(), None).await
    }

    /// As [`Lucid::verify_audit`], also against checkpoints that were kept elsewhere, and trusting
    /// only this public key.
    #[tracing::instrument(skip_all)]
    pub async fn verify_audit_with(
        &self,
        actor: &Actor,
        kept: Vec<Checkpoint>,
        key: Option<String>,
    ) -> Result<std::result::Result<Verified, Broken>> {
        let verified = self.check_audit_with(actor, kept, key).await?;
        if let Ok(verified) = &verified {
            let payload = json!({"entries": verified.entries, "head": verified.head});
            // The trail verifies whether that can be written down or not: a full disk must not say
            // otherwise.
            if let Err(error) = self
                .record_about_the_trail(
                    actor,
                    AuditAction::AuditVerify,
                    Action::ReadAudit,
                    &payload,
                )
                .await
            {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "that the trail was verified could not be recorded"
                );
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
        let stored = checkpoints::all(&mut tx).await?;
        let stored = stored.iter().map(checkpoint);
        let mut verifier = match Verifier::expecting(stored.chain(kept).collect(), key) {
            Ok(verifier) => verifier.rebuilding(),
            Err(broken) => return Ok(Err(broken)),
        };
        // Also what has a number below the first or beyond the last.
        let mut after = i64::MIN;
        loop {
            let rows = audit_log::chain(&mut tx, after, 1_000).await?;
            let Some(last) = rows.last().map(|r| r.seq) else {
                break;
            };
            for row in &rows {
                let payload = row.payload.as_deref().map(|p| (row.salt.as_slice(), p));
                if let Err(broken) = verifier.next(&row.entry(), payload, row.rows.as_deref()) {
                    return Ok(Err(broken));
                }
            }
            after = last;
        }
        let (since, mut rows, lost_keys) = (
            verifier.since(),
            verifier.take_rows(),
            verifier.lost_keys().to_vec(),
        );
        let entries = match verifier.finish(head_seq, head_hash, head.signed().as_ref()) {
            Ok(entries) => entries,
            Err(broken) => return Ok(Err(broken)),
        };
        // Anyone who holds the key knows that it is the one that signs.
        let own = self
            .signing_key
            .as_deref()
            .map(audit::checkpoint::public_key);
        if own.is_some() && head.public_key().is_some() && own != head.public_key() {
            return Ok(Err(Broken::Unsigned { found: head_seq }));
        }
        if since.is_some() {
            let mut disagreements = rows.take_found();
            disagreements.extend(self::disagreements(&mut tx, &mut rows).await?);
            disagreements.extend(
                self.db
                    .changed_schema()
                    .await?
                    .into_iter()
                    .map(Disagreement::Schema),
            );
            if !disagreements.is_empty() {
                return Ok(Err(Broken::Rows(disagreements)));
            }
        }
        Ok(Ok(Verified {
            entries,
            head: hex::encode(head_hash),
            since,
            rows: rows.len(),
            signed_by: head.public_key(),
            lost_keys,
        }))
    }

    /// Returns what the last verification found, by the person who ran it; none if there was none.
    #[tracing::instrument(skip_all)]
    pub async fn last_verified(&self, actor: &Actor) -> Result<Option<LastVerified>> {
        require_in_general(actor, Action::ReadAudit)?;
        last_verified(&mut self.db.read().await?).await
    }

    /// Verifies the trail if that was not done for a day, and writes down what it found; what a
    /// worker does by itself. A trail that does not verify is said on the page and in the log each
    /// day until it does.
    #[tracing::instrument(skip_all)]
    pub async fn verify_daily(&self) -> Result<()> {
        let before = self.now().plus_seconds(-VERIFY_SECONDS);
        if last_verified(&mut self.db.read().await?)
            .await?
            .is_some_and(|last| last.at > before && last.at <= self.now())
        {
            return Ok(());
        }
        let (action, payload) = match self.check_audit(&Actor::operator()).await? {
            Ok(verified) => (
                AuditAction::AuditVerify,
                json!({"entries": verified.entries, "head": verified.head}),
            ),
            Err(broken) => {
                tracing::error!(broken = %broken, "the audit trail does not verify");
                (
                    AuditAction::AuditAlarm,
                    json!({"broken": broken.to_string()}),
                )
            }
        };
        let mut tx = self.db.background().await?;
        let record = Record {
            action,
            subject: "installation".into(),
            store: None,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, Authorized::worker(), record).await?;
        Ok(tx.commit().await?)
    }
}

async fn last_verified(tx: &mut Tx) -> Result<Option<LastVerified>> {
    let Some((at, action, payload)) = audit_log::last_verified(tx).await? else {
        return Ok(None);
    };
    let payload: serde_json::Value = payload
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    let entries = payload["entries"]
        .as_i64()
        .filter(|_| action == AuditAction::AuditVerify.as_str());
    Ok(Some(LastVerified {
        at,
        entries,
        broken: payload["broken"].as_str().map(str::to_owned),
    }))
}

/// Every row of the database that the trail has otherwise, with the entry that wrote it last.
async fn disagreements(tx: &mut Tx, rows: &mut Rows) -> Result<Vec<Disagreement>> {
    let mut all = Vec::new();
    for table in covered::TABLES {
        covered::each(tx, table, |key, digest| {
            all.extend(rows.compare(table.name, &key, &digest));
        })
        .await?;
        all.extend(rows.missing(table.name));
    }
    all.extend(
        covered::damage(tx)
            .await?
            .into_iter()
            .map(Disagreement::Damaged),
    );
    all.extend(
        covered::changed_contents(tx)
            .await?
            .into_iter()
            .map(|sha256| Disagreement::Content { sha256 }),
    );
    all.extend(
        covered::missing_contents(tx)
            .await?
            .into_iter()
            .map(|sha256| Disagreement::MissingContent { sha256 }),
    );
    Ok(all)
}
