//! What time does to what waits: a deferral ends on its date, a changeset in which nobody decides
//! expires, its proposer may take it back before that. Nothing that was decided is touched.

use domain::{
    Timestamp,
    actor::{Actor, Who},
    audit_action::AuditAction,
    changeset::{Action, ChangesetOrigin, ChangesetState},
    ids::{ChangeId, ChangesetId},
    rights::Action as Right,
};
use serde_json::json;
use store::{Tx, changes, changesets, decisions, keys};

use crate::{Error, Lucid, Record, Result, authority::Authorized, changesets::seen};

/// Rows that one round looks at; the next comes a minute later.
const A_ROUND: i64 = 200;

impl Lucid {
    /// Brings back what was put off until now, and ends what nobody decided in time. Called by
    /// every worker each minute; each does what the others have not.
    #[tracing::instrument(skip_all)]
    pub async fn keep_time(&self) -> Result<()> {
        let now = self.now();
        let due = changes::deferrals_due(&mut self.db.read().await?, now, A_ROUND).await?;
        for (change, changeset) in due {
            if let Err(error) = self.resume(change, changeset).await {
                tracing::error!(%change, error = &error as &dyn std::error::Error, "a deferral \
                    could not be ended; the others go on");
            }
        }
        if self.expiry_days > 0 {
            let since = self.expiring_since();
            for id in changesets::expired(&mut self.db.read().await?, None, since, A_ROUND).await? {
                if let Err(error) = self
                    .end(&Actor::worker(), id, ChangesetState::Expired)
                    .await
                {
                    tracing::error!(changeset = %id, error = &error as &dyn std::error::Error, "a changeset could not expire; the others go on");
                }
            }
        }
        Ok(())
    }

    /// A changeset whose last decision is older than this has waited too long.
    fn expiring_since(&self) -> Timestamp {
        self.now()
            .plus_seconds(-i64::from(self.expiry_days) * 86_400)
    }

    async fn resume(&self, id: ChangeId, changeset: ChangesetId) -> Result<()> {
        let mut tx = self.db.background().await?;
        changesets::lock(&mut tx, changeset, self.now()).await?;
        let due =
            |c: &changes::ChangeRow| c.id == id && c.defer_until.is_some_and(|at| at <= self.now());
        let Some(change) = changes::changes(&mut tx, changeset)
            .await?
            .into_iter()
            .find(due)
        else {
            return Ok(());
        };
        // Another process may have been here first.
        let Ok((to, _)) = change.state.after(Action::TakeBack) else {
            return Ok(());
        };
        decisions::end_deferrals(&mut tx, id, self.now()).await?;
        changes::set_change_state(&mut tx, &change, to, None, self.now()).await?;
        self.tell_turn(&mut tx, changeset, None).await?;
        self.record_change(
            &mut tx,
            Authorized::worker(),
            AuditAction::ChangeResume,
            &change,
            &json!({"until": change.defer_until}),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Takes a changeset back that one proposed: what is still open in it becomes obsolete, what
    /// was committed stays.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn withdraw(&self, actor: &Actor, id: ChangesetId) -> Result<()> {
        let mut tx = self.db.read().await?;
        let row = seen(&mut tx, actor, id).await?;
        let person = actor.who.person().filter(|_| !actor.who.is_key());
        let of_own_key = |k: &keys::KeyRow| {
            Some(k.user_id) == person && Who::Key(k.id, k.user_id).to_string() == row.created_by
        };
        let own = person.is_some_and(|p| Who::Person(p).to_string() == row.created_by)
            || keys::all(&mut tx).await?.iter().any(of_own_key);
        drop(tx);
        if row.origin == ChangesetOrigin::Dream {
            return Err(Error::Conflict(
                "what a dream proposes is rejected change by change; nobody takes it back"
                    .to_owned(),
            ));
        }
        if !own {
            return Err(Error::Forbidden(
                "only whoever proposed a changeset takes it back",
            ));
        }
        self.end(actor, id, ChangesetState::Withdrawn).await
    }

    /// Ends an open changeset; not if it was ended in between.
    async fn end(&self, actor: &Actor, id: ChangesetId, state: ChangesetState) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let of = changesets::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("changeset"))?;
        let right = actor.may_on(Right::SeeChanges, of.store_id)?;
        if changesets::lock(&mut tx, id, self.now()).await? != ChangesetState::Open {
            return if actor.who == Who::Worker {
                Ok(())
            } else {
                Err(Error::Conflict(
                    "this changeset is not open any more".to_owned(),
                ))
            };
        }
        // Somebody may have decided since it was looked at.
        let since = self.expiring_since();
        if state == ChangesetState::Expired
            && changesets::expired(&mut tx, Some(id), since, 1)
                .await?
                .is_empty()
        {
            return Ok(());
        }
        let row = changesets::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("changeset"))?;
        let retired = self.retire_open(&mut tx, id).await?;
        changesets::set_state(&mut tx, id, state, self.now()).await?;
        if state == ChangesetState::Expired {
            self.tell_proposer(&mut tx, id).await?;
        }
        let action = if state == ChangesetState::Expired {
            AuditAction::ChangesetExpire
        } else {
            AuditAction::ChangesetWithdraw
        };
        let payload = json!({"obsolete": retired});
        let record = Record {
            action,
            subject: id.to_string(),
            store: Some(row.store_id),
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    async fn retire_open(&self, tx: &mut Tx, id: ChangesetId) -> Result<Vec<ChangeId>> {
        let mut retired = Vec::new();
        for change in changes::changes(tx, id)
            .await?
            .into_iter()
            .filter(|c| c.state.is_open())
        {
            if changes::retire(tx, change.id, self.now()).await? {
                retired.push(change.id);
            }
        }
        Ok(retired)
    }
}
