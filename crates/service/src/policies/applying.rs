//! Applying: a change whose cooling-off is over goes into the memory by a policy, if the policies
//! still allow it inside the transaction that writes it. A stop, a freeze, a hold, a claim or a
//! limit leaves it where it is.

use std::collections::BTreeSet;

use domain::{
    Timestamp,
    audit_action::AuditAction,
    changeset::{Action, ChangeState},
    ids::{ChangeId, ChangesetId, PolicyId, StoreId},
    plural::count,
    policy::{Applying, Input, Member, Outcome, VersionState},
};
use serde_json::json;
use store::{
    Tx,
    changes::ChangeRow,
    changesets, claims, commits, memory_stores,
    policies::{self, VersionRow},
    policy_outcomes::{self, NewApplication},
    settings,
};

use super::evaluation::{self, Policies};
use crate::{
    Error, Lucid, Record, Result,
    assessment::stays,
    authority::Authorized,
    commit::{self, Landing},
    schedules,
};

/// Changes that one round applies.
const A_ROUND: i64 = 50;
/// Seconds after which a change is tried again that is allowed but has no room today, or not at
/// this hour.
const AGAIN: i64 = 300;
/// Seconds in which the limits of a day count.
const DAY: i64 = 86_400;

/// A change that is to be applied, read under its locks.
struct Candidate {
    change: ChangeRow,
    input: Input,
    outcome: Outcome,
    member: Member,
}

/// The answer to whether a change may be applied.
enum Ready {
    /// By this version, now.
    Now(Box<Candidate>),
    /// It is allowed, but not yet, not at this hour, or not one more today: it is tried again then.
    Later(Timestamp),
    /// The policies say something else now.
    No,
}

impl Lucid {
    /// Applies what is due. What cannot be applied now is tried again in the next round.
    #[tracing::instrument(skip_all)]
    pub async fn apply_due(&self) -> Result<()> {
        // The connection goes back before the first change is applied.
        let due = policy_outcomes::due(&mut self.db.read().await?, self.now(), A_ROUND).await?;
        for policy in due
            .iter()
            .map(|(_, _, policy, _)| *policy)
            .collect::<BTreeSet<_>>()
        {
            self.pause_if_overridden(policy).await?;
        }
        for (change, changeset, ..) in due {
            if let Err(error) = self.apply_one(change, changeset).await {
                tracing::error!(%change, error = &error as &dyn std::error::Error, "a policy could \
                    not apply a change; the others go on");
                let mut tx = self.db.background().await?;
                policy_outcomes::postpone(&mut tx, change, self.now().plus_seconds(AGAIN)).await?;
                tx.commit().await?;
            }
        }
        Ok(())
    }

    async fn apply_one(&self, id: ChangeId, changeset: ChangesetId) -> Result<()> {
        let now = self.now();
        let mut tx = self.db.background().await?;
        // Who a rule's authors are, and whether they count as one person with somebody, does not
        // change under it.
        settings::share_people(&mut tx).await?;
        let Some(row) = changesets::get(&mut tx, changeset).await? else {
            return Ok(());
        };
        memory_stores::lock(&mut tx, row.store_id).await?;
        let stopped = policies::stopped(&mut tx, row.store_id).await?.is_some();
        if stopped || self.freeze_in(&mut tx, row.store_id, None).await?.is_some() {
            // Others are looked at meanwhile.
            policy_outcomes::postpone(&mut tx, id, now.plus_seconds(AGAIN)).await?;
            return Ok(tx.commit().await?);
        }
        changesets::lock(&mut tx, changeset, now).await?;
        if claims::of_changeset(&mut tx, changeset, now)
            .await?
            .is_some()
        {
            return Ok(());
        }
        let standing = commit::read(&mut tx, changeset, row.store_id).await?;
        let pending = |c: &&ChangeRow| {
            c.id == id && c.state == ChangeState::Pending && !c.conflicted && standing.is_intact(c)
        };
        let Some(change) = standing.changes.iter().find(pending).cloned() else {
            return Ok(());
        };
        if policy_outcomes::is_held(&mut tx, id).await? {
            return Ok(());
        }
        let policies = Policies::read(&mut tx, now).await?;
        let input = evaluation::input_of(
            &mut tx,
            &change,
            &standing.edits,
            row.origin,
            &standing.hands,
            now,
        )
        .await?;
        let ready = match self
            .candidate(&mut tx, &policies, &standing, (change, input))
            .await?
        {
            Ready::Now(ready) => ready,
            Ready::Later(at) => {
                policy_outcomes::postpone(&mut tx, id, at).await?;
                return Ok(tx.commit().await?);
            }
            Ready::No => {
                policy_outcomes::forget(&mut tx, id).await?;
                tx.commit().await?;
                self.asked_of
                    .store(-1, std::sync::atomic::Ordering::Relaxed);
                return Ok(());
            }
        };
        self.apply_by_policy(&mut tx, &standing, changeset, &ready)
            .await?;
        tx.commit().await?;
        tracing::info!(change = %id, policy = %ready.member.policy, version = ready.member.version, "a policy applied a \
            change");
        Ok(())
    }

    /// The change with the version that may apply it now, which stays locked.
    async fn candidate(
        &self,
        tx: &mut Tx,
        policies: &Policies,
        standing: &commit::Standing,
        (change, input): (ChangeRow, Input),
    ) -> Result<Ready> {
        let recorded = evaluation::recorded_since(tx, change.id).await?;
        let not = policies.of_contributors(&policies.active, &standing.hands, change.id, &recorded);
        let outcome = policies.active.evaluate(&input, &not);
        let Some(since) = policy_outcomes::allowed_since(tx, change.id, change.revision).await?
        else {
            return Ok(Ready::No);
        };
        let mut allowing: Vec<(Timestamp, &Member)> = policies
            .active
            .allowing(&outcome)
            .into_iter()
            .map(|member| (policies.due(member, since), member))
            .collect();
        // Locked in one order, whichever is due first.
        for policy in allowing
            .iter()
            .map(|(_, member)| member.policy)
            .collect::<BTreeSet<_>>()
        {
            policies::lock(tx, policy).await?;
        }
        allowing.sort_by_key(|(due, member)| (*due, member.policy));
        let Some((first, _)) = allowing.first() else {
            return Ok(Ready::No);
        };
        let later = (*first).max(self.now().plus_seconds(AGAIN));
        let memories = i64::try_from(
            standing
                .edits_of(&change)
                .iter()
                .filter(|edit| !stays(edit))
                .count(),
        )
        .unwrap_or(i64::MAX);
        for (due, member) in allowing {
            if due > self.now() || !is_open(&member.applying, self.now())? {
                continue;
            }
            if is_active(tx, member).await?
                && has_room(tx, member, change.store_id, memories, self.now()).await?
            {
                return Ok(Ready::Now(Box::new(Candidate {
                    member: member.clone(),
                    change,
                    input,
                    outcome,
                })));
            }
        }
        Ok(Ready::Later(later))
    }

    async fn apply_by_policy(
        &self,
        tx: &mut Tx,
        standing: &commit::Standing,
        changeset: ChangesetId,
        ready: &Candidate,
    ) -> Result<()> {
        let Candidate {
            change,
            input,
            outcome,
            member,
        } = ready;
        change
            .state
            .after(Action::Apply)
            .map_err(|e| Error::Conflict(e.to_string()))?;
        let name = format!("{} v{}", member.name, member.version);
        let by = json!([{"policy": member.policy, "version": member.version, "name": format!("the policy {name}")}]);
        let approvals = json!([{"change": change.id, "revision": change.revision, "digest": change.digest, "solo": standing.rules.solo, "by": by}]);
        let landing = Landing {
            changeset,
            store: change.store_id,
            ready: std::slice::from_ref(change),
            actor: Authorized::worker().who().to_string(),
            approvals: approvals.to_string(),
        };
        let (done, mut payload) = self.land(tx, standing, &landing).await?;
        let sampled =
            u32::from(self.random_bytes::<1>()[0]) * 100 < member.applying.sample_percent * 256;
        let detail = evaluation::detail(outcome)?;
        let text = serde_json::to_string(input)
            .map_err(|_| Error::Internal("an input could not be written"))?;
        let applied = NewApplication {
            change: change.id,
            store: change.store_id,
            by: (member.policy, member.version),
            commit: done.commit,
            revision: change.revision,
            input: &text,
            detail: &detail,
            memories: i64::try_from(done.added + done.modified + done.removed).unwrap_or(i64::MAX),
            at: self.now(),
            sampled,
        };
        policy_outcomes::applied(tx, &applied).await?;
        policy_outcomes::put_input(tx, change.id, change.revision, &text, self.now()).await?;
        payload["policy"] = json!({"policy": member.policy, "name": member.name, "version": member.version, "input": input, "outcome": outcome, "sampled": sampled});
        self.record_commit(
            tx,
            Authorized::worker(),
            change.store_id,
            done.commit,
            &payload,
        )
        .await
    }

    /// Pauses a policy in which people decided against too many of its last changes, and says why
    /// in its note.
    pub(crate) async fn pause_if_overridden(&self, policy: PolicyId) -> Result<()> {
        if !is_over_limit(&mut self.db.read().await?, policy)
            .await?
            .is_some_and(|(.., over)| over)
        {
            return Ok(());
        }
        let mut tx = self.db.background().await?;
        settings::lock_people(&mut tx).await?;
        policies::lock(&mut tx, policy).await?;
        let Some((row, of, overridden, true)) = is_over_limit(&mut tx, policy).await? else {
            return Ok(());
        };
        let limit = evaluation::file_of(&row)?.applying.pause_over_percent;
        let note = format!(
            "People overrode {overridden} of its last {}; its limit is {limit}%.",
            count(of, "change")
        );
        if !policies::set_state(&mut tx, &row, VersionState::Paused, &note, self.now()).await? {
            return Ok(());
        }
        evaluation::next_epoch(&mut tx).await?;
        let payload = json!({"version": row.number, "from": VersionState::Active, "to": VersionState::Paused, "note": note});
        let record = Record {
            action: AuditAction::PolicyState,
            subject: policy.to_string(),
            store: None,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, Authorized::worker(), record).await?;
        tx.commit().await?;
        tracing::warn!(%policy, overridden, of, "a policy paused itself");
        Ok(())
    }
}

/// The active version of a policy, with how many changes it applied since it became active, in how
/// many of these people decided against it, and whether that is more than it bears.
async fn is_over_limit(
    tx: &mut Tx,
    policy: PolicyId,
) -> Result<Option<(VersionRow, usize, usize, bool)>> {
    let active = policies::in_state(tx, VersionState::Active).await?;
    let Some(row) = active.into_iter().find(|row| row.policy_id == policy) else {
        return Ok(None);
    };
    let applying = evaluation::file_of(&row)?.applying;
    let (of, overridden) =
        policy_outcomes::last(tx, policy, i64::from(applying.of_last), row.state_since).await?;
    let number = |n: i64| usize::try_from(n).unwrap_or(0);
    let over = applying.is_over_limit(number(overridden), number(of));
    Ok(Some((row, number(of), number(overridden), over)))
}

/// True if the version is still the one in force, now that its policy is locked.
async fn is_active(tx: &mut Tx, member: &Member) -> Result<bool> {
    let versions = policies::of_policy(tx, member.policy).await?;
    Ok(versions
        .iter()
        .any(|v| v.number == member.version && v.state == VersionState::Active))
}

/// True if the version may apply one more change, of so many memories, today. Under its policy's
/// lock.
async fn has_room(
    tx: &mut Tx,
    member: &Member,
    store: StoreId,
    memories: i64,
    now: Timestamp,
) -> Result<bool> {
    let (changes, changed) =
        policy_outcomes::applied_since(tx, member.policy, store, now.plus_seconds(-DAY)).await?;
    if changes >= i64::from(member.applying.most_a_day) {
        return Ok(false);
    }
    let held = commits::memory_count(tx, store).await?;
    Ok(changed.saturating_add(memories) <= member.applying.share_of(held))
}

/// True if the version applies changes at this hour.
pub fn is_open(applying: &Applying, now: Timestamp) -> Result<bool> {
    match &applying.window {
        Some(window) => {
            schedules::is_within_hours_of(&window.cron, &window.time_zone, window.hours, now)
        }
        None => Ok(true),
    }
}
