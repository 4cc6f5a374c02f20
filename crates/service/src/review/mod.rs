//! Deciding: a vote names the change, its revision and its digest, and counts only if that is what
//! is there now (rule 2). Beside it: what a change still needs, claims, comments, edits and
//! rebases, bulk decisions, undo, and what time does.

mod bulk;
mod claims;
mod comments;
mod edits;
mod expiry;
mod requirements;
mod statistics;
mod undo;

use domain::{
    Timestamp,
    actor::Actor,
    audit_action::AuditAction,
    canonical::{Signature, signature_digest},
    changeset::{
        Action, ChangeState, ChangesetState, DecisionKind, Guard, RejectCode, derived_state,
    },
    ids::{ChangeId, ChangesetId, DecisionId, UserId},
    notice::NoticeReason,
    review::{DEFERRAL_DAYS, Requirement, signs},
    rights::Action as Right,
    risk::RiskLevel,
};
use serde_json::json;
use store::{
    Tx,
    changes::{self, ChangeRow, EditRow},
    changesets,
    decisions::{self, DecisionRow, Muted},
    evidence, notices,
};

pub use self::requirements::{Facts, Requirements};
use crate::{
    Error, Lucid, Record, Result, Stale,
    authority::{Acting, Authorized, SignIn},
    changesets::touched,
};

pub use bulk::{BulkResult, Choice, ChosenChange};
pub use edits::{Rebase, RebaseEdit, rebase_of};
pub use statistics::{DAYS, ReviewStatistics, Reviewing};
pub use undo::Undone;

/// A vote, naming exactly what was shown.
#[derive(Debug, Clone)]
pub struct Decision {
    pub change: ChangeId,
    /// The revision that was shown.
    pub revision: i64,
    /// The digest that was shown.
    pub digest: String,
    pub verdict: Verdict,
    /// In the reviewer's words; at most 2,000 characters. A decision on a change of high risk is
    /// signed: the reviewer confirmed their password in this sign-in within the last five minutes
    /// ([`Lucid::confirm_password`]).
    pub note: String,
}

/// The verdict of a reviewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may go into the memory.
    Approve,
    /// It may not, and why.
    Reject(RejectCode),
    /// Later: at this time it comes back by itself, at most [`DEFERRAL_DAYS`] from now; without one
    /// when somebody takes it back.
    Defer(Option<Timestamp>),
}

/// The start of every use case here: the changeset, locked, with the change as it is now and its
/// requirements.
struct Opened {
    changeset: ChangesetId,
    change: ChangeRow,
    /// Changes of the changeset of which something may still come.
    open_changes: Vec<ChangeId>,
    edits: Vec<EditRow>,
    votes: Vec<DecisionRow>,
    hands: Vec<decisions::Contributor>,
    user: UserId,
    /// The right to decide on the change.
    right: Authorized,
    /// The sign-in through which the person acts.
    sign_in: Option<SignIn>,
}

impl Opened {
    /// True if the person's approval of this revision stands.
    fn has_approved(&self) -> bool {
        let c = &self.change;
        let mine = |d: &&DecisionRow| {
            d.change_id == c.id && d.user_id == self.user && d.revision == c.revision
        };
        self.votes
            .iter()
            .filter(mine)
            .any(|d| d.verdict == DecisionKind::Approve && d.taken_back_at.is_none())
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            change: &self.change,
            edits: &self.edits,
            hands: &self.hands,
            votes: &self.votes,
        }
    }
}

impl Lucid {
    /// Casts a vote. Refused whole if the change is not at the revision and digest that were shown,
    /// if its memory moved, if somebody else works on the changeset, or, for an approval, if the
    /// person contributed to the change or does not sign where they must. An approval makes the
    /// change approved once it has as many as its risk needs.
    #[tracing::instrument(skip_all)]
    pub async fn decide(&self, actor: &Actor, decision: &Decision) -> Result<ChangesetId> {
        if decision.note.chars().count() > 2_000 {
            return Err(Error::Invalid(
                "a note has at most 2,000 characters".to_owned(),
            ));
        }
        let (mut tx, actor) = self.begin(actor).await?;
        let opened = self.open(&mut tx, &actor, decision.change).await?;
        self.cast(&mut tx, &actor, &opened, decision).await?;
        tx.commit().await?;
        Ok(opened.changeset)
    }

    async fn cast(
        &self,
        tx: &mut Tx,
        actor: &Acting,
        opened: &Opened,
        decision: &Decision,
    ) -> Result<()> {
        let Opened {
            changeset,
            change,
            user,
            ..
        } = opened;
        same(change, decision.revision, &decision.digest)?;
        let now = self.now();
        let rules = Requirements::read(tx, change.store_id).await?;
        let missing = rules.of(opened.facts(), Some(*user));
        let (to, guard) = self.next(change, decision.verdict, &missing)?;
        // The store may ask for fewer approvals than when they were given: then the one that stands
        // is enough, and is not given twice.
        let was_enough = rules.of(opened.facts(), None) == Requirement::Satisfied;
        let again = change.state == ChangeState::Pending
            && to == ChangeState::Approved
            && was_enough
            && opened.has_approved();
        if guard == Guard::Fresh && !again {
            may_approve(opened, &rules)?;
        }
        let row = self.vote(actor, opened, decision, now)?;
        self.unclaimed(tx, actor, *changeset, *user, now).await?;
        if !again {
            decisions::insert(tx, &row).await?;
        }
        changes::set_change_state(tx, change, to, None, now).await?;
        if let Verdict::Defer(Some(until)) = decision.verdict {
            changes::defer_until(tx, change.id, until).await?;
        }
        if let Some(reject_code) = row.reject_code {
            let muted = Muted {
                fingerprint: change.fingerprint.clone(),
                reject_code,
                support: support(change),
            };
            decisions::mute(tx, change.store_id, &muted, change.id, now).await?;
        }
        self.settle(tx, *changeset).await?;
        self.release_if_done(tx, opened).await?;
        if let (Requirement::Missing { from, .. }, Verdict::Approve) = (&missing, decision.verdict)
        {
            self.tell(
                tx,
                NoticeReason::YourTurn,
                *changeset,
                from.iter().copied().filter(|u| u != user),
            )
            .await?;
        }
        let payload = json!({
            "verdict": row.verdict, "revision": change.revision, "digest": change.digest, "reject_code": row.reject_code, "note": row.note,
            "meaning": row.meaning, "confirmed_at": row.confirmed_at, "sign_in": row.sign_in, "signature": row.signature, "state": to,
            "until": match decision.verdict { Verdict::Defer(until) => until, _ => None },
        });
        self.record_change(
            tx,
            opened.right,
            AuditAction::ChangeDecide,
            change,
            &payload,
        )
        .await
    }

    /// The state after a vote, and what must hold for it.
    fn next(
        &self,
        change: &ChangeRow,
        verdict: Verdict,
        missing: &Requirement,
    ) -> Result<(ChangeState, Guard)> {
        let action = match verdict {
            Verdict::Approve
                if change.state == ChangeState::Pending && *missing == Requirement::Satisfied =>
            {
                Action::Approve
            }
            Verdict::Approve => Action::Endorse,
            Verdict::Reject(_) => Action::Reject,
            Verdict::Defer(_) => Action::Defer,
        };
        if let Verdict::Defer(Some(until)) = verdict
            && (until <= self.now() || until > self.now().plus_seconds(DEFERRAL_DAYS * 86_400))
        {
            return Err(Error::Invalid(format!(
                "a change is put off until a day that is yet to come, at most {DEFERRAL_DAYS} days \
                 from now"
            )));
        }
        let word = match action {
            Action::Reject => "rejected",
            Action::Defer => "deferred",
            _ => "approved",
        };
        let refused = |_| {
            Error::Conflict(format!(
                "it is {} meanwhile, so it cannot be {word}; take that back first, if it should be",
                change.state
            ))
        };
        change.state.after(action).map_err(refused)
    }

    fn vote(
        &self,
        actor: &Acting,
        opened: &Opened,
        decision: &Decision,
        now: Timestamp,
    ) -> Result<DecisionRow> {
        let change = &opened.change;
        let (verdict, reject_code) = match decision.verdict {
            Verdict::Approve => (DecisionKind::Approve, None),
            Verdict::Reject(code) => (DecisionKind::Reject, Some(code)),
            Verdict::Defer(_) => (DecisionKind::Defer, None),
        };
        let sign_in = opened.sign_in.filter(|s| signs(s.confirmed_at, now));
        let signed = sign_in.is_some();
        if change.risk_level == RiskLevel::High && verdict == DecisionKind::Approve && !signed {
            return Err(if actor.who.is_key() {
                Error::Forbidden(
                    "a change of high risk is signed with a password, so a key cannot approve it",
                )
            } else {
                Error::Sign
            });
        }
        let meaning = match (change.risk_level, verdict) {
            (RiskLevel::High, DecisionKind::Approve) => Some("approved"),
            (RiskLevel::High, DecisionKind::Reject) if signed => Some("reviewed"),
            _ => None,
        };
        let signature = meaning
            .zip(sign_in.and_then(|s| s.confirmed_at.map(|at| (s.id, at))))
            .map(|(meaning, (sign_in, confirmed_at))| {
                signature_digest(&Signature {
                    user: opened.user,
                    sign_in,
                    confirmed_at,
                    meaning,
                    change: change.id,
                    revision: change.revision,
                    digest: &change.digest,
                })
            });
        Ok(DecisionRow {
            id: self.id(DecisionId::new),
            change_id: change.id,
            revision: change.revision,
            digest: change.digest.clone(),
            user_id: opened.user,
            user_name: String::new(),
            verdict,
            reject_code,
            note: decision.note.trim().to_owned(),
            meaning: meaning.map(str::to_owned),
            confirmed_at: sign_in
                .and_then(|s| s.confirmed_at)
                .filter(|_| meaning.is_some()),
            sign_in: sign_in.map(|s| s.id).filter(|_| meaning.is_some()),
            signature,
            created_at: now,
            taken_back_at: None,
        })
    }

    /// Checks rights, locks the changeset and reads the change.
    async fn open(&self, tx: &mut Tx, actor: &Acting, id: ChangeId) -> Result<Opened> {
        let missing = || Error::NotFound("change");
        let changeset = changes::changeset_of(tx, id).await?.ok_or_else(missing)?;
        let row = changesets::get(tx, changeset).await?.ok_or_else(missing)?;
        actor.may_on(Right::SeeChanges, row.store_id)?;
        let user = actor
            .who
            .person()
            .ok_or(Error::Forbidden("only a person decides"))?;
        still_reviewed(changesets::lock(tx, changeset, self.now()).await?)?;
        let all = changes::changes(tx, changeset).await?;
        let open_changes = all
            .iter()
            .filter(|c| c.state.is_open())
            .map(|c| c.id)
            .collect();
        let change = all.into_iter().find(|c| c.id == id).ok_or_else(missing)?;
        let edits = changes::edits(tx, changeset).await?;
        let right =
            actor.may_on_paths(Right::Decide, change.store_id, &touched(&change, &edits))?;
        let votes = decisions::of_changeset(tx, changeset).await?;
        let hands = decisions::contributors_of_changeset(tx, changeset).await?;
        Ok(Opened {
            changeset,
            change,
            open_changes,
            edits,
            votes,
            hands,
            user,
            right,
            sign_in: actor.sign_in(),
        })
    }

    /// Sets the changeset's state to what its changes mean.
    pub(crate) async fn settle(&self, tx: &mut Tx, id: ChangesetId) -> Result<()> {
        let all = changes::changes(tx, id).await?;
        let state = derived_state(all.iter().map(|c| c.state));
        changesets::set_state(tx, id, state, self.now()).await?;
        if !all.iter().any(|c| c.conflicted && c.state.is_open()) {
            notices::mended(tx, id).await?;
        }
        if state == ChangesetState::Closed {
            self.tell_proposer(tx, id).await?;
        }
        Ok(())
    }

    async fn record_change(
        &self,
        tx: &mut Tx,
        right: Authorized,
        action: AuditAction,
        change: &ChangeRow,
        payload: &serde_json::Value,
    ) -> Result<()> {
        let record = Record {
            action,
            subject: change.id.to_string(),
            store: Some(change.store_id),
            commit: None,
            payload,
        };
        self.record(tx, right, record).await
    }

    /// The quotes of a change in the form that the digest takes.
    pub(crate) async fn stored_quotes(
        &self,
        tx: &mut Tx,
        changeset: ChangesetId,
        change: ChangeId,
    ) -> Result<Vec<domain::changeset::Quote>> {
        let rows = evidence::of_changeset(tx, changeset, None).await?;
        Ok(rows
            .into_iter()
            .filter(|r| r.change_id == change && !r.appendix)
            .map(|r| quote(&r))
            .collect())
    }
}

/// Refuses an approval that would not count.
fn may_approve(opened: &Opened, rules: &Requirements) -> Result<()> {
    let (change, user) = (&opened.change, opened.user);
    if change.conflicted {
        return Err(Error::Stale(vec![stale(
            change,
            "the memory that it changes has changed since",
        )]));
    }
    if rules.contributed(opened.facts(), user) && !rules.solo {
        return Err(Error::Forbidden(
            "you contributed to this change or brought its evidence (or count as one person with \
             somebody who did), so somebody else has to approve it",
        ));
    }
    if opened.has_approved() {
        return Err(Error::Conflict(
            "you have approved this revision already".to_owned(),
        ));
    }
    Ok(())
}

/// Refuses what is done to a changeset that was withdrawn or has expired.
pub fn still_reviewed(state: ChangesetState) -> Result<()> {
    if state.is_reviewed() {
        return Ok(());
    }
    Err(Error::Conflict(format!(
        "this changeset is {state}; nothing can be decided in it any more"
    )))
}

/// A stored quote in the form that the digest takes.
pub fn quote(row: &evidence::EvidenceRow) -> domain::changeset::Quote {
    domain::changeset::Quote {
        session_id: row.session_id,
        event_id: row.event_id,
        start: usize::try_from(row.byte_start).unwrap_or(usize::MAX),
        end: usize::try_from(row.byte_end).unwrap_or(usize::MAX),
        text: row.quote.clone(),
        counter: row.counter,
    }
}

fn same(change: &ChangeRow, revision: i64, digest: &str) -> Result<()> {
    if change.revision == revision && change.digest == digest {
        return Ok(());
    }
    Err(Error::Stale(vec![stale(
        change,
        &format!(
            "you saw revision {revision}, now it is at {}",
            change.revision
        ),
    )]))
}

/// Why what was shown of a change no longer holds, with its title.
pub fn stale(change: &ChangeRow, why: &str) -> Stale {
    Stale {
        what: format!("“{}”", change.title),
        why: why.to_owned(),
    }
}

/// How many surely distinct cases are behind a change, as the engine counted them; from the plain
/// counts where it did not say.
fn support(change: &ChangeRow) -> i64 {
    let facts: serde_json::Value = serde_json::from_str(&change.facts).unwrap_or_default();
    if let Some(distinct) = facts["distinct"].as_i64() {
        return distinct;
    }
    match (change.support_subjects, change.support_tasks) {
        (0, 0) if change.support_sessions == 0 => change.occurrences,
        (0, 0) => change.support_sessions,
        (0, tasks) => tasks,
        (subjects, _) => subjects,
    }
}
