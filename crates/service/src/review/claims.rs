//! Claims: who works on a changeset just now. Anyone who wants it for themselves claims it; the
//! claim lasts ten minutes, is renewed while they work, is seen by everybody, and keeps other
//! reviewers from deciding meanwhile; an admin is never kept. Deciding claims nothing by itself:
//! two who decide on different changes do not keep each other.

use domain::{
    Timestamp,
    actor::{Actor, Role},
    audit_action::AuditAction,
    changeset::ChangeState,
    ids::{ChangesetId, UserId},
    review::CLAIM_SECONDS,
    rights::Action as Right,
};
use serde_json::json;
use store::{
    Tx,
    changes::{self, ChangeRow},
    changesets, claims, decisions,
};

use super::Opened;
use crate::{
    Error, Lucid, Record, Result,
    authority::{Acting, Authorized},
    changesets::{seen, touched},
};

impl Lucid {
    /// Claims a changeset, or renews one's claim. Refused while somebody else's holds, but not to
    /// an admin.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn claim(&self, actor: &Actor, id: ChangesetId) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let (user, right) = self.works_on(&mut tx, &actor, id).await?;
        let now = self.now();
        let held = claims::of_changeset(&mut tx, id, now).await?;
        self.unclaimed(&mut tx, &actor, id, user, now).await?;
        claims::put(&mut tx, id, user, now, now.plus_seconds(CLAIM_SECONDS)).await?;
        if held.is_none_or(|c| c.user_id != user) {
            let store = changesets::get(&mut tx, id).await?.map(|c| c.store_id);
            let payload = json!({"until": now.plus_seconds(CLAIM_SECONDS)});
            let record = Record {
                action: AuditAction::ChangesetClaim,
                subject: id.to_string(),
                store,
                commit: None,
                payload: &payload,
            };
            self.record(&mut tx, right, record).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Renews a claim that is held and half used up, and does nothing else: what a page that is
    /// being looked at does by itself.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn renew_claim(&self, actor: &Actor, id: ChangesetId) -> Result<()> {
        let now = self.now();
        let Some(user) = actor.who.person() else {
            return Ok(());
        };
        let half = |c: claims::ClaimRow| {
            c.user_id == user && c.until < now.plus_seconds(CLAIM_SECONDS / 2)
        };
        if !claims::of_changeset(&mut self.db.read().await?, id, now)
            .await?
            .is_some_and(half)
        {
            return Ok(());
        }
        let (mut tx, actor) = self.begin(actor).await?;
        self.works_on(&mut tx, &actor, id).await?;
        if claims::of_changeset(&mut tx, id, now)
            .await?
            .is_some_and(|c| c.user_id == user)
        {
            claims::put(&mut tx, id, user, now, now.plus_seconds(CLAIM_SECONDS)).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Lets go of one's claim.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn release(&self, actor: &Actor, id: ChangesetId) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let (user, right) = self.works_on(&mut tx, &actor, id).await?;
        if !claims::release(&mut tx, id, user).await? {
            return Err(Error::Conflict(
                "you have no claim on this changeset".to_owned(),
            ));
        }
        let store = changesets::get(&mut tx, id).await?.map(|c| c.store_id);
        let record = Record {
            action: AuditAction::ChangesetRelease,
            subject: id.to_string(),
            store,
            commit: None,
            payload: &json!({}),
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    /// Lets go of the person's claim once nothing in the changeset waits for their vote, so that
    /// the next can go on.
    pub(super) async fn release_if_done(&self, tx: &mut Tx, opened: &Opened) -> Result<()> {
        let votes = decisions::of_changeset(tx, opened.changeset).await?;
        let user = opened.user;
        let voted = |c: &ChangeRow| {
            votes.iter().any(|d| {
                d.change_id == c.id
                    && d.revision == c.revision
                    && d.user_id == user
                    && d.taken_back_at.is_none()
            })
        };
        let waits = |c: &ChangeRow| c.state == ChangeState::Pending && !voted(c);
        if !changes::changes(tx, opened.changeset)
            .await?
            .iter()
            .any(waits)
        {
            claims::release(tx, opened.changeset, user).await?;
        }
        Ok(())
    }

    /// The person, who may decide on something in the changeset; its lock is taken.
    async fn works_on(
        &self,
        tx: &mut Tx,
        actor: &Acting,
        id: ChangesetId,
    ) -> Result<(UserId, Authorized)> {
        let row = seen(tx, actor, id).await?;
        let user = actor
            .who
            .person()
            .filter(|_| !actor.who.is_key())
            .ok_or(Error::Forbidden("only a person claims a changeset"))?;
        super::still_reviewed(changesets::lock(tx, row.id, self.now()).await?)?;
        let edits = changes::edits(tx, id).await?;
        let all = changes::changes(tx, id).await?;
        let somewhere = all.iter().find_map(|c| {
            actor
                .may_on_paths(Right::Decide, c.store_id, &touched(c, &edits))
                .ok()
        });
        Ok((
            user,
            somewhere.ok_or(Error::Forbidden(Right::Decide.needs()))?,
        ))
    }

    /// Returns what everybody does who changes something in a changeset, under its lock: refused
    /// while somebody else has claimed it, and one's own claim is renewed.
    pub(super) async fn unclaimed(
        &self,
        tx: &mut Tx,
        actor: &Acting,
        id: ChangesetId,
        user: UserId,
        now: Timestamp,
    ) -> Result<()> {
        match claims::of_changeset(tx, id, now).await? {
            Some(claim) if claim.user_id == user => {
                claims::put(tx, id, user, now, now.plus_seconds(CLAIM_SECONDS)).await?;
            }
            // An admin steps in and leaves the claim where it is.
            Some(claim) if actor.role != Role::Admin => {
                return Err(Error::Conflict(format!(
                    "{} works on this changeset, until {} at the latest; an admin can decide \
                     nevertheless",
                    claim.user_name,
                    claim.until.exact()
                )));
            }
            _ => {}
        }
        Ok(())
    }
}
