//! Committing: what was approved of a changeset goes into the memory in one transaction, all of it
//! or nothing, and only if every approval names the very bytes that are there.

use std::collections::BTreeSet;

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    canonical::{change_digest, sha256_hex},
    changeset::{Action, ChangeState, Contribution, Edit},
    ids::{ChangeId, ChangesetId, CommitId, MemoryId, StoreId, VersionId},
    limits,
    memory::Operation,
    plural::count,
    review::Requirement,
    rights::Action as Right,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{
    Tx,
    changes::{self, ChangeRow},
    changesets,
    commits::{self, NewCommit, Outcome, Write},
    decisions::{self, Contributor, DecisionRow},
    evidence, forms, memories, memory_stores,
};

use crate::{
    Error, Lucid, Record, Result,
    assessment::stays,
    authority::Authorized,
    changesets::touched,
    review::{self, Facts, Requirements},
    single_proposals::UNFREEZE,
};

/// A change as it was shown when the commit was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    pub change: ChangeId,
    pub revision: i64,
    pub digest: String,
}

/// A request to commit approved changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRequest {
    pub changeset: ChangesetId,
    /// The approved changes that were shown.
    pub expected: Vec<Expected>,
    /// The same key again gives the same answer and commits nothing.
    pub idempotency_key: String,
}

/// The result of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committed {
    pub commit: CommitId,
    /// The store's new revision.
    pub revision: i64,
    pub added: usize,
    pub modified: usize,
    pub removed: usize,
}

/// Everything of a changeset that a commit checks, read under its locks.
pub struct Standing {
    pub changes: Vec<ChangeRow>,
    pub edits: Vec<changes::EditRow>,
    quotes: Vec<evidence::EvidenceRow>,
    votes: Vec<DecisionRow>,
    pub hands: Vec<Contributor>,
    /// What the store asks for, as it is now.
    pub rules: Requirements,
}

/// Changes that may be committed, and by whom they were approved.
pub struct Landing<'a> {
    pub changeset: ChangesetId,
    pub store: StoreId,
    /// The changes, in order.
    pub ready: &'a [ChangeRow],
    pub actor: String,
    pub approvals: String,
}

impl Lucid {
    /// Commits the approved changes that were shown. Refused whole, with the list, if one of them
    /// is no longer as it was shown, lacks the approval of somebody who had no hand in it, or was
    /// made for a memory that has moved.
    #[tracing::instrument(skip_all)]
    pub async fn commit(&self, actor: &Actor, request: &CommitRequest) -> Result<Committed> {
        if request.expected.is_empty() {
            return Err(Error::Invalid(
                "nothing is approved yet, so there is nothing to commit".to_owned(),
            ));
        }
        if !(8..=200).contains(&request.idempotency_key.len()) {
            return Err(Error::Invalid(
                "the idempotency key has 8 to 200 characters".to_owned(),
            ));
        }
        let asked = sha256_hex(
            serde_json::to_string(request)
                .map_err(|_| Error::Internal("a request could not be written"))?
                .as_bytes(),
        );
        let by = actor.who.to_string();
        let (mut tx, actor) = self.begin(actor).await?;
        let row = changesets::get(&mut tx, request.changeset)
            .await?
            .ok_or(Error::NotFound("changeset"))?;
        actor.may_on(Right::SeeChanges, row.store_id)?;
        memory_stores::lock(&mut tx, row.store_id).await?;
        if let Some(answer) = answered(&mut tx, &by, &request.idempotency_key, &asked).await? {
            return Ok(answer);
        }
        review::still_reviewed(changesets::lock(&mut tx, request.changeset, self.now()).await?)?;
        let standing = read(&mut tx, request.changeset, row.store_id).await?;
        let asked_for = standing
            .changes
            .iter()
            .filter(|c| request.expected.iter().any(|e| e.change == c.id));
        let paths: BTreeSet<&str> = asked_for
            .flat_map(|change| touched(change, &standing.edits))
            .collect();
        let right = actor.may_on_paths(
            Right::Decide,
            row.store_id,
            &paths.into_iter().collect::<Vec<_>>(),
        )?;
        let ready = standing.ready(&request.expected)?;
        self.refuse_while_frozen(&mut tx, row.store_id, actor.who.person())
            .await?;
        let approvals = standing.approvals(&ready);
        let landing = Landing {
            changeset: request.changeset,
            store: row.store_id,
            ready: &ready,
            actor: by.clone(),
            approvals,
        };
        let (done, payload) = self.land(&mut tx, &standing, &landing).await?;
        let answer = serde_json::to_string(&done)
            .map_err(|_| Error::Internal("an answer could not be written"))?;
        forms::put_answer(
            &mut tx,
            &by,
            &request.idempotency_key,
            &asked,
            &answer,
            self.now(),
        )
        .await?;
        self.record_commit(&mut tx, right, row.store_id, done.commit, &payload)
            .await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Writes changes into the memory; what the audit entry says of it. The caller has checked that
    /// they may be committed.
    pub(crate) async fn land(
        &self,
        tx: &mut Tx,
        standing: &Standing,
        landing: &Landing<'_>,
    ) -> Result<(Committed, serde_json::Value)> {
        let (ready, store) = (landing.ready, landing.store);
        let commit = CommitId::new(self.now(), self.random_bytes());
        let writes: Vec<Write> = ready
            .iter()
            .flat_map(|c| self.writes(c, standing))
            .collect();
        let new = NewCommit {
            id: commit,
            store_id: store,
            at: self.now(),
            actor: landing.actor.clone(),
            message: message(ready),
            changeset_id: Some(landing.changeset),
            approvals: landing.approvals.clone(),
        };
        let revision = commits::write(tx, &new, &writes).await?;
        if commits::memory_count(tx, store).await? > limits::MEMORIES_PER_STORE {
            return Err(Error::Invalid(format!(
                "a store holds at most {} memories",
                limits::MEMORIES_PER_STORE
            )));
        }
        let mut unfrozen = Vec::new();
        for change in ready
            .iter()
            .filter(|c| c.finding == UNFREEZE && standing.only_unfreezes(c))
        {
            for memory in standing.edits_of(change).iter().filter_map(|e| e.memory_id) {
                if memories::unfreeze(tx, memory).await? {
                    unfrozen.push(memory);
                }
            }
        }
        for change in ready {
            changes::set_change_state(tx, change, ChangeState::Committed, Some(commit), self.now())
                .await?;
        }
        self.settle(tx, landing.changeset).await?;
        self.tell_conflicts(tx, store).await?;
        let changes: Vec<_> = ready
            .iter()
            .map(|c| json!({"change": c.id, "revision": c.revision, "digest": c.digest}))
            .collect();
        let versions: Vec<_> = writes.iter().map(recorded).collect();
        let payload = json!({"changeset": landing.changeset, "revision": revision, "changes": changes, "versions": versions, "unfrozen": unfrozen, "solo": standing.rules.solo});
        Ok((counted(commit, revision, &writes), payload))
    }

    /// The audit entry of a commit, the last statement of its transaction.
    pub(crate) async fn record_commit(
        &self,
        tx: &mut Tx,
        right: Authorized,
        store: StoreId,
        commit: CommitId,
        payload: &serde_json::Value,
    ) -> Result<()> {
        let subject = commit.to_string();
        let record = Record {
            action: AuditAction::ChangesetCommit,
            subject,
            store: Some(store),
            commit: Some(commit),
            payload,
        };
        self.record(tx, right, record).await
    }

    fn writes(&self, change: &ChangeRow, standing: &Standing) -> Vec<Write> {
        let edited = standing.hands.iter().any(|h| {
            h.change_id == change.id && matches!(h.how, Contribution::Edited | Contribution::Wrote)
        });
        let facts: serde_json::Value = serde_json::from_str(&change.facts).unwrap_or_default();
        let restored = |edit: &Edit| {
            let place = edit.new_path.as_ref().unwrap_or(&edit.path).as_str();
            facts["by_person"]
                .as_array()
                .is_some_and(|all| all.iter().any(|p| p == place))
        };
        let one = |edit: Edit| Write {
            by_person: edited || restored(&edit),
            memory_id: edit.memory_id.unwrap_or_else(|| self.id(MemoryId::new)),
            version_id: self.id(VersionId::new),
            base: edit.base_version,
            to: match edit.content {
                Some(content) => Outcome::Put {
                    path: edit.new_path.unwrap_or(edit.path),
                    sha256: sha256_hex(content.as_bytes()),
                    content,
                },
                None => Outcome::Delete,
            },
            change_id: Some(change.id),
        };
        // What stays as it is was checked with the rest; it gets no version, and keeps who wrote
        // it.
        standing
            .edits_of(change)
            .into_iter()
            .filter(|e| !stays(e))
            .map(one)
            .collect()
    }
}

async fn answered(tx: &mut Tx, by: &str, key: &str, asked: &str) -> Result<Option<Committed>> {
    match forms::answer(tx, by, key).await? {
        None => Ok(None),
        Some((before, answer)) if before == asked => Ok(serde_json::from_str(&answer).ok()),
        Some(_) => Err(Error::Conflict(
            "this idempotency key was used for another request".to_owned(),
        )),
    }
}

/// Reads what a commit checks.
pub async fn read(tx: &mut Tx, id: ChangesetId, store: StoreId) -> Result<Standing> {
    Ok(Standing {
        changes: changes::changes(tx, id).await?,
        edits: changes::edits(tx, id).await?,
        quotes: evidence::of_changeset(tx, id, None).await?,
        votes: decisions::of_changeset(tx, id).await?,
        hands: decisions::contributors_of_changeset(tx, id).await?,
        rules: Requirements::read(tx, store).await?,
    })
}

impl Standing {
    /// The expected changes, if every one of them may be committed; else the list of what is stale.
    fn ready(&self, expected: &[Expected]) -> Result<Vec<ChangeRow>> {
        let mut ready: Vec<ChangeRow> = Vec::new();
        let mut stale = Vec::new();
        for wanted in expected {
            let Some(change) = self.changes.iter().find(|c| c.id == wanted.change) else {
                return Err(Error::NotFound("change"));
            };
            if ready.iter().any(|r| r.id == change.id) {
                continue;
            }
            match self.why_not(change, wanted) {
                Some(why) => stale.push(review::stale(change, &why)),
                None => ready.push(change.clone()),
            }
        }
        for (i, change) in ready.iter().enumerate() {
            if let Some(other) = ready[..i].iter().find(|other| self.clash(change, other)) {
                stale.push(review::stale(
                    change,
                    &format!(
                        "it touches the same memory as “{}”: take one back, commit the other, then \
                         rebase",
                        other.title
                    ),
                ));
            }
        }
        ready.sort_by_key(|c| c.position);
        if stale.is_empty() {
            Ok(ready)
        } else {
            Err(Error::Stale(stale))
        }
    }

    fn why_not(&self, change: &ChangeRow, wanted: &Expected) -> Option<String> {
        if change.state == ChangeState::Committed {
            return Some("it was already committed".to_owned());
        }
        if change.state.after(Action::Commit).is_err() {
            return Some(format!("it is {}, not approved", change.state));
        }
        if (change.revision, &change.digest) != (wanted.revision, &wanted.digest) {
            return Some(format!(
                "you saw revision {}, now it is at {}",
                wanted.revision, change.revision
            ));
        }
        if change.conflicted {
            return Some("the memory that it changes has changed since".to_owned());
        }
        if !self.is_intact(change) {
            return Some("its stored content is not what was approved".to_owned());
        }
        match self.rules.of(self.facts(change), None) {
            Requirement::Satisfied => None,
            Requirement::Missing { approvals, .. } => Some(format!(
                "it lacks {} of independent people",
                count(approvals, "approval")
            )),
            Requirement::Impossible { needed, could } => Some(format!(
                "it needs {}, and only {} could give one",
                count(needed, "approval"),
                could.len()
            )),
        }
    }

    /// True if the stored edits and quotes of a change are those of its digest.
    pub fn is_intact(&self, change: &ChangeRow) -> bool {
        let quotes: Vec<_> = self
            .quotes
            .iter()
            .filter(|q| q.change_id == change.id && !q.appendix)
            .map(review::quote)
            .collect();
        change_digest(change.kind, &self.edits_of(change), &quotes) == change.digest
    }

    /// True if two changes touch the same memory, or put something at the same place.
    fn clash(&self, a: &ChangeRow, b: &ChangeRow) -> bool {
        let touches = |c: &ChangeRow| {
            self.edits
                .iter()
                .filter(|e| e.change_id == c.id)
                .collect::<Vec<_>>()
        };
        let place = |e: &changes::EditRow| {
            e.content
                .as_ref()
                .map(|_| e.new_path.as_ref().unwrap_or(&e.path).clone())
        };
        let (ours, theirs) = (touches(a), touches(b));
        let same = |x: &changes::EditRow, y: &changes::EditRow| {
            (x.memory_id.is_some() && x.memory_id == y.memory_id)
                || (place(x).is_some() && place(x) == place(y))
        };
        ours.iter().any(|x| theirs.iter().any(|y| same(x, y)))
    }

    /// The edits of a change, in their order.
    pub fn edits_of(&self, change: &ChangeRow) -> Vec<Edit> {
        self.edits
            .iter()
            .filter(|e| e.change_id == change.id)
            .map(changes::EditRow::edit)
            .collect()
    }

    /// True if a change writes nothing: it only ends a memory's being frozen. One that was edited
    /// since says something else, and does not.
    fn only_unfreezes(&self, change: &ChangeRow) -> bool {
        self.edits_of(change).iter().all(stays)
    }

    fn facts<'a>(&'a self, change: &'a ChangeRow) -> Facts<'a> {
        Facts {
            change,
            edits: &self.edits,
            hands: &self.hands,
            votes: &self.votes,
        }
    }

    fn approvals(&self, ready: &[ChangeRow]) -> String {
        let of = |change: &ChangeRow| {
            let approver = |d: &DecisionRow| {
                let overridden = self
                    .rules
                    .contributed(self.facts(change), d.user_id)
                    .then_some("contributed to it; solo mode");
                let signed = d.meaning.as_ref().map(|meaning| {
                    json!({
                    "meaning": meaning, "confirmed_at": d.confirmed_at, "sign_in": d.sign_in, "digest": d.digest, "signature": d.signature})
                });
                json!({"user": d.user_id, "name": d.user_name, "at": d.created_at, "independence_overridden": overridden, "signed": signed,
                    "credential_issued_by": self.rules.issuer(d.user_id)})
            };
            let by: Vec<_> = self
                .rules
                .approvals(self.facts(change))
                .into_iter()
                .map(approver)
                .collect();
            json!({"change": change.id, "revision": change.revision, "digest": change.digest, "solo": self.rules.solo, "by": by})
        };
        json!(ready.iter().map(of).collect::<Vec<_>>()).to_string()
    }
}

fn message(ready: &[ChangeRow]) -> String {
    match ready {
        [one] => one.title.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.title, rest.len()),
        [] => String::new(),
    }
}

/// Returns what the trail says of a write: the version, what it did, and where and what it put, by
/// its SHA-256.
pub fn recorded(write: &Write) -> serde_json::Value {
    let (path, sha256) = match &write.to {
        Outcome::Put { path, sha256, .. } => (Some(path), Some(sha256)),
        Outcome::Delete => (None, None),
    };
    json!({"memory": write.memory_id, "version": write.version_id, "operation": operation(write), "path": path, "sha256": sha256})
}

const fn operation(write: &Write) -> Operation {
    match (&write.to, write.base) {
        (Outcome::Delete, _) => Operation::Deleted,
        (Outcome::Put { .. }, Some(_)) => Operation::Modified,
        (Outcome::Put { .. }, None) => Operation::Created,
    }
}

fn counted(commit: CommitId, revision: i64, writes: &[Write]) -> Committed {
    let count = |of: Operation| writes.iter().filter(|w| operation(w) == of).count();
    Committed {
        commit,
        revision,
        added: count(Operation::Created),
        modified: count(Operation::Modified),
        removed: count(Operation::Deleted),
    }
}
