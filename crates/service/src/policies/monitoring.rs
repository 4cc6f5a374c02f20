//! Watching what policies do: changes that people take away from them, and the share of what they
//! applied that a person checks.

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    ids::{ChangeId, ChangesetId},
    rights::Action,
};
use serde_json::json;
use store::{
    Page, Tx,
    changes::{self, ChangeRow},
    changesets, decisions,
    policies::{self, AuthorRow},
    policy_outcomes::{self, ApplicationRow},
};

use crate::{
    Error, Lucid, Record, Result,
    authority::{Acting, Authorized},
    changesets::touched,
    independence::Identities,
    people::is_solo,
};

/// Longest note of a check, in characters.
const NOTE_CHARS: usize = 2_000;

impl Lucid {
    /// Takes a change away from the policies: people decide on it. Asked for twice, it is held
    /// once.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn hold_change(&self, actor: &Actor, id: ChangeId) -> Result<ChangesetId> {
        let (mut tx, actor) = self.begin(actor).await?;
        let (change, right) = self.locked(&mut tx, &actor, id).await?;
        let person = actor
            .who
            .person()
            .ok_or(Error::Forbidden("a person holds a change"))?;
        if !change.state.is_open() {
            return Err(Error::Conflict(format!("it is {} already", change.state)));
        }
        if policy_outcomes::hold(&mut tx, id, person, self.now()).await? {
            self.record_held(&mut tx, right, AuditAction::PolicyHold, &change)
                .await?;
            tx.commit().await?;
        }
        Ok(change.changeset_id)
    }

    /// Gives a change back to the policies.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn release_change(&self, actor: &Actor, id: ChangeId) -> Result<ChangesetId> {
        let (mut tx, actor) = self.begin(actor).await?;
        let (change, right) = self.locked(&mut tx, &actor, id).await?;
        if policy_outcomes::let_go(&mut tx, id).await? {
            self.record_held(&mut tx, right, AuditAction::PolicyRelease, &change)
                .await?;
            tx.commit().await?;
        }
        Ok(change.changeset_id)
    }

    /// As [`decidable`], under the changeset's lock: the worker that applies a change looks for a
    /// hold under the same.
    async fn locked(
        &self,
        tx: &mut Tx,
        actor: &Acting,
        id: ChangeId,
    ) -> Result<(ChangeRow, Authorized)> {
        if let Some(changeset) = changes::changeset_of(tx, id).await? {
            changesets::lock(tx, changeset, self.now()).await?;
        }
        decidable(tx, actor, id).await
    }

    async fn record_held(
        &self,
        tx: &mut Tx,
        right: Authorized,
        action: AuditAction,
        change: &ChangeRow,
    ) -> Result<()> {
        let payload = json!({"revision": change.revision, "digest": change.digest});
        let record = Record {
            action,
            subject: change.id.to_string(),
            store: Some(change.store_id),
            commit: None,
            payload: &payload,
        };
        self.record(tx, right, record).await
    }

    /// Returns what policies applied and a person is asked to check, the oldest first, in stores
    /// that the actor may see.
    #[tracing::instrument(skip_all)]
    pub async fn samples(&self, actor: &Actor) -> Result<Page<ApplicationRow>> {
        let visible = actor.visible(Action::SeeChanges);
        Ok(
            policy_outcomes::to_check(&mut self.db.read().await?, visible, domain::limits::PAGE)
                .await?,
        )
    }

    /// Records what a person says of a change that a policy applied. An objection counts as an
    /// override, and a policy over its limit pauses itself. The policy's authors, and whoever
    /// contributed to the change, do not check it.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn check_application(
        &self,
        actor: &Actor,
        id: ChangeId,
        confirmed: bool,
        note: &str,
    ) -> Result<ChangesetId> {
        let note = note.trim();
        if note.chars().count() > NOTE_CHARS {
            return Err(Error::Invalid(format!(
                "a note has at most {NOTE_CHARS} characters"
            )));
        }
        let (mut tx, actor) = self.begin(actor).await?;
        let (change, right) = decidable(&mut tx, &actor, id).await?;
        let person = actor
            .who
            .person()
            .ok_or(Error::Forbidden("a person checks what a policy applied"))?;
        let applied = policy_outcomes::application(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("change"))?;
        let identities = Identities::read(&mut tx).await?;
        let wrote = |a: &AuthorRow| {
            (a.policy_id, a.number) == (applied.policy_id, applied.number)
                && identities.same(a.user_id, person)
        };
        let hands = decisions::contributors_of_changeset(&mut tx, change.changeset_id).await?;
        let involved = policies::authors(&mut tx).await?.iter().any(wrote)
            || identities.contributed(&hands, id, person);
        if involved && !is_solo(&mut tx).await? {
            return Err(Error::Forbidden(
                "you wrote the policy or contributed to the change, so somebody else has to check \
                 it",
            ));
        }
        if !policy_outcomes::check(&mut tx, id, person, confirmed, note, self.now()).await? {
            return Err(Error::Conflict(
                "somebody has checked this already".to_owned(),
            ));
        }
        let payload = json!({"confirmed": confirmed, "note": note, "policy": applied.policy_id, "version": applied.number});
        let record = Record {
            action: AuditAction::PolicyCheck,
            subject: id.to_string(),
            store: Some(change.store_id),
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        if !confirmed {
            self.pause_if_overridden(applied.policy_id).await?;
        }
        Ok(change.changeset_id)
    }
}

/// A change that the actor may decide on, whatever its state.
async fn decidable(tx: &mut Tx, actor: &Acting, id: ChangeId) -> Result<(ChangeRow, Authorized)> {
    let changeset = changes::changeset_of(tx, id)
        .await?
        .ok_or(Error::NotFound("change"))?;
    changesets::get(tx, changeset)
        .await?
        .filter(|row| actor.knows(row.store_id))
        .ok_or(Error::NotFound("change"))?;
    let edits = changes::edits(tx, changeset).await?;
    let change = changes::changes(tx, changeset)
        .await?
        .into_iter()
        .find(|c| c.id == id)
        .ok_or(Error::NotFound("change"))?;
    let right = actor.may_on_paths(Action::Decide, change.store_id, &touched(&change, &edits))?;
    Ok((change, right))
}
