//! Checkpoints, and the key that signs the trail.

use audit::Checkpoint;
use domain::{actor::Actor, audit_action::AuditAction, rights::Action};
use serde_json::json;
use store::{
    audit_log,
    checkpoints::{self, CheckpointRow},
};

use crate::{Error, Lucid, Record, Result, require_in_general};

impl Lucid {
    /// Signs how long the trail is now and what it ends with, and stores that; for the person who
    /// keeps it elsewhere.
    #[tracing::instrument(skip_all)]
    pub async fn sign_checkpoint(&self, actor: &Actor) -> Result<Checkpoint> {
        require_in_general(actor, Action::ReadAudit)?;
        let secret = self.signing_key.as_deref().ok_or_else(|| {
            Error::Conflict(
                "there is no key to sign with: start Lucid with --signing-key FILE (or \
                 LUCID_SIGNING_KEY)"
                    .to_owned(),
            )
        })?;
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_in_installation(Action::ReadAudit)?;
        let end = audit_log::head(&mut tx).await?;
        let (size, head) = (end.seq, end.hash());
        if size == 0 {
            return Err(Error::Conflict(
                "the trail has no entry yet, so there is nothing to sign".to_owned(),
            ));
        }
        let at = self.now();
        let signed = Checkpoint::sign(secret, size, at.0, head);
        checkpoints::insert(&mut tx, &CheckpointRow::from(&signed)).await?;
        let payload = json!({"size": size, "head": signed.head, "public_key": signed.public_key});
        let record = Record {
            action: AuditAction::AuditCheckpoint,
            subject: size.to_string(),
            store: None,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok(signed)
    }

    /// Lets another key sign the trail from now on; for the person who runs the command line. The
    /// key before must be the one that Lucid has, or `lost` says that nobody has it, which
    /// everybody who verifies the trail is told.
    #[tracing::instrument(skip_all)]
    pub async fn replace_signing_key(&self, new: &[u8; 32], lost: bool) -> Result<String> {
        let (mut tx, actor) = self.begin(&Actor::operator()).await?;
        let right = actor.may_in_installation(Action::ReadAudit)?;
        let old = self.signing_key.as_deref().filter(|_| !lost);
        let Some(before) = audit_log::head(&mut tx).await?.public_key() else {
            return Err(Error::Conflict(
                "the trail is not signed yet: its next entry will be, with the key that Lucid is \
                 given"
                    .to_owned(),
            ));
        };
        if old.is_none() && !lost {
            return Err(store::Error::SigningKey(before).into());
        }
        let public = audit::checkpoint::public_key(new);
        if public == before {
            return Err(Error::Conflict(
                "this key signs the trail already".to_owned(),
            ));
        }
        let payload = json!({"before": before, "key": public, "lost": lost});
        let record = Record {
            action: AuditAction::AuditKey,
            subject: "installation".to_owned(),
            store: None,
            commit: None,
            payload: &payload,
        };
        let entry = self.entry(right, record);
        audit_log::append_with_new_key(&mut tx, &entry, old, new).await?;
        tx.commit().await?;
        Ok(public)
    }

    /// The checkpoints that are kept in the database, smallest first.
    #[tracing::instrument(skip_all)]
    pub async fn checkpoints(&self, actor: &Actor) -> Result<Vec<Checkpoint>> {
        require_in_general(actor, Action::ReadAudit)?;
        Ok(checkpoints::all(&mut self.db.read().await?)
            .await?
            .iter()
            .map(super::checkpoint)
            .collect())
    }

    /// The end of the trail as it was signed with its last entry; none if the trail is not signed.
    #[tracing::instrument(skip_all)]
    pub async fn signed_head(&self) -> Result<Option<Checkpoint>> {
        Ok(audit_log::head(&mut self.db.read().await?).await?.signed())
    }

    /// A checkpoint of the end, signed now; none if the trail is not signed, or its end does not
    /// hold.
    #[tracing::instrument(skip_all)]
    pub async fn signed_end(&self) -> Result<Option<Checkpoint>> {
        let head = audit_log::head(&mut self.db.read().await?).await?;
        let key = self.signing_key.as_deref().filter(|_| {
            head.signed()
                .is_some_and(|signed| signed.verify_head(None).is_ok())
        });
        Ok(key.map(|key| Checkpoint::sign(key, head.seq, self.now().0, head.hash())))
    }
}
