//! Taking decisions back: one's own, the last ten one after the other, or everybody's where none of
//! them is one's own.

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    changeset::{Action, ChangeState, DecisionKind},
    ids::{ChangeId, ChangesetId},
    review::Requirement,
};
use serde_json::json;
use store::{
    Tx, changes,
    decisions::{self, DecisionRow},
    memory_stores,
};

use super::{Opened, Requirements, stale};
use crate::{Error, Lucid, Result, authority::Acting, changesets::seen};

/// A decision that was undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    pub changeset: ChangesetId,
    pub change: ChangeId,
    pub verdict: DecisionKind,
    pub title: String,
}

impl Lucid {
    /// Takes a decision back; a closed changeset opens again. One's own, if it is what made the
    /// state; else every standing vote, which overrides those who cast them and is recorded as
    /// that.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn take_back(
        &self,
        actor: &Actor,
        id: ChangeId,
        revision: i64,
    ) -> Result<ChangesetId> {
        self.take_back_as(actor, id, revision, true).await
    }

    async fn take_back_as(
        &self,
        actor: &Actor,
        id: ChangeId,
        revision: i64,
        may_override: bool,
    ) -> Result<ChangesetId> {
        let (mut tx, actor) = self.begin(actor).await?;
        // What waits again is held against memories that nobody writes meanwhile.
        let changeset = changes::changeset_of(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("change"))?;
        let store = seen(&mut tx, &actor, changeset).await?.store_id;
        memory_stores::lock(&mut tx, store).await?;
        let opened = self.open(&mut tx, &actor, id).await?;
        if opened.change.revision != revision {
            return Err(Error::Stale(vec![stale(
                &opened.change,
                "it has a newer revision",
            )]));
        }
        self.take_back_open(&mut tx, &actor, &opened, may_override)
            .await?;
        tx.commit().await?;
        Ok(opened.changeset)
    }

    /// Undoes one's last decision that can be undone.
    #[tracing::instrument(skip_all)]
    pub async fn undo(&self, actor: &Actor) -> Result<Undone> {
        let last = self.undoable(actor).await?.into_iter().next();
        let last = last.ok_or_else(|| {
            Error::Conflict(
                "there is nothing to undo: what was committed is undone by a revert".to_owned(),
            )
        })?;
        let changeset = self
            .take_back_as(actor, last.change_id, last.revision, false)
            .await?;
        Ok(Undone {
            changeset,
            change: last.change_id,
            verdict: last.verdict,
            title: last.title,
        })
    }

    /// Takes one's own vote back, or, where the state is not of one's own making and it may
    /// override, everybody's.
    async fn take_back_open(
        &self,
        tx: &mut Tx,
        actor: &Acting,
        opened: &Opened,
        may_override: bool,
    ) -> Result<()> {
        let (change, user, now) = (&opened.change, opened.user, self.now());
        let (to, _) = change
            .state
            .after(Action::TakeBack)
            .map_err(|e| Error::Conflict(e.to_string()))?;
        self.unclaimed(tx, actor, opened.changeset, user, now)
            .await?;
        let standing = |d: &&DecisionRow| {
            d.change_id == change.id && d.taken_back_at.is_none() && d.revision == change.revision
        };
        let made =
            |d: &DecisionRow| verdict_of(change.state).is_none_or(|verdict| d.verdict == verdict);
        let own: Vec<&DecisionRow> = opened
            .votes
            .iter()
            .filter(standing)
            .filter(|d| d.user_id == user)
            .collect();
        // The rejection that holds may be somebody else's while an approval of one's own stands
        // beside it.
        let own_made_it = own.iter().any(|d| made(d));
        if opened.votes.iter().filter(standing).count() == 0 && change.state == ChangeState::Pending
        {
            return Err(Error::Conflict("nobody has decided on it".to_owned()));
        }
        let overrides = !own_made_it && may_override;
        if overrides {
            decisions::take_back(tx, change.id, user, now).await?;
        } else {
            decisions::take_back_own(tx, change.id, change.revision, user, now).await?;
        }
        let moves = overrides || own_made_it;
        if moves && change.state == ChangeState::Rejected {
            decisions::unmute(tx, change.store_id, &change.fingerprint, change.id, now).await?;
        }
        // What has enough approvals without this one stays approved.
        let rules = Requirements::read(tx, change.store_id).await?;
        let votes = decisions::of_changeset(tx, opened.changeset).await?;
        let facts = super::Facts {
            votes: &votes,
            ..opened.facts()
        };
        let stays = change.state == ChangeState::Approved
            && rules.of(facts, None) == Requirement::Satisfied;
        if moves && !stays {
            changes::set_change_state(tx, change, to, None, now).await?;
        }
        self.settle(tx, opened.changeset).await?;
        let payload =
            json!({"from": change.state, "revision": change.revision, "overrides": overrides});
        self.record_change(
            tx,
            opened.right,
            AuditAction::ChangeTakeBack,
            change,
            &payload,
        )
        .await
    }
}

/// The verdict that makes this state; none makes what is pending.
const fn verdict_of(state: ChangeState) -> Option<DecisionKind> {
    match state {
        ChangeState::Approved => Some(DecisionKind::Approve),
        ChangeState::Rejected => Some(DecisionKind::Reject),
        ChangeState::Deferred => Some(DecisionKind::Defer),
        _ => None,
    }
}
