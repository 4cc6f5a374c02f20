//! What was rejected and stays away, and how it is let back (rule 12).

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    ids::{ChangeId, StoreId},
    rights::Action,
};
use serde_json::json;
use store::decisions::{self, MutedRow};

use crate::{Error, Lucid, Record, Result, require};

impl Lucid {
    /// Returns what stays away from a store, newest first.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn muted(&self, actor: &Actor, store: StoreId) -> Result<Vec<MutedRow>> {
        require(actor, Action::SeeChanges, store)?;
        let mut tx = self.db.read().await?;
        Ok(decisions::muted_of_store(&mut tx, store).await?)
    }

    /// Lets what was rejected come back with the next dream that finds it. The rejection itself
    /// stands.
    #[tracing::instrument(skip_all, fields(%store, %change))]
    pub async fn unmute(&self, actor: &Actor, store: StoreId, change: ChangeId) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_on(Action::Decide, store)?;
        let muted = decisions::muted_of_store(&mut tx, store)
            .await?
            .into_iter()
            .find(|m| m.change_id == change);
        let muted =
            muted.ok_or_else(|| Error::Conflict("this is not muted any more".to_owned()))?;
        decisions::unmute(&mut tx, store, &muted.fingerprint, change, self.now()).await?;
        let payload = json!({"reject_code": muted.reject_code, "support": muted.support});
        let record = Record {
            action: AuditAction::FindingUnmute,
            subject: change.to_string(),
            store: Some(store),
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }
}
