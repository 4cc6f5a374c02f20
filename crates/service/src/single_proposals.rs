//! Changesets of one change each: what an agent wanted to write and the gate did not let through,
//! and what a person proposes. They are in the queue like any other.

use std::collections::BTreeSet;

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    canonical::{change_digest, sha256_hex},
    changeset::{ChangeKind, ChangeState, ChangesetOrigin, Contribution, Edit, Quote},
    ids::{ChangeId, ChangesetId, EvidenceId, MemoryId, SessionId, StoreId},
    rights::Action,
    risk::Facts,
};
use serde_json::json;
use store::{
    Tx,
    changes::{self, ChangeRow},
    changesets::{self, NewChangeset},
    commits, decisions, evidence,
    memories::{self, MemoryRow},
    memory_stores::{self, StoreRow},
    sessions,
};

use crate::{
    Error, Lucid, Record, Result,
    assessment::assess,
    authority::{Acting, Authorized},
    briefing,
    direct_writes::{MemoryWrite, Target, check, target},
    keys::answer_for,
};

/// Undecided proposals of a store above which no more are taken: a queue that nobody can finish
/// protects nothing.
const MOST_WAITING: i64 = 500;
/// Undecided proposals of one key.
const MOST_WAITING_OF_A_KEY: i64 = 50;
/// Proposals of one key within 24 hours, whatever became of them.
const PROPOSALS_A_DAY: i64 = 100;
/// Longest reason, in characters.
const REASON_CHARS: usize = 2_000;

/// A proposed change and its reason.
pub struct Proposal {
    target: Target,
    title: Option<String>,
    rationale: String,
    origin: ChangesetOrigin,
    finding: &'static str,
    kind: Option<ChangeKind>,
    quotes: Vec<Quote>,
}

/// A proposal that is stored, or one that waited already.
pub struct Made {
    pub changeset: ChangesetId,
    pub change: ChangeId,
    /// What the audit says of it; nothing if it waited already.
    origin: Option<ChangesetOrigin>,
}

impl Proposal {
    /// Returns what a key wanted to write.
    pub fn by_key(target: Target) -> Self {
        let rationale =
            "An agent wanted to write this with its key. It gave no evidence.".to_owned();
        Self {
            target,
            title: None,
            rationale,
            origin: ChangesetOrigin::Agent,
            finding: "agent_write",
            kind: None,
            quotes: Vec::new(),
        }
    }

    /// Returns what follows from a person's answer to a dream's question, with the quotes that it
    /// rests on.
    pub fn by_answer(
        target: Target,
        (title, rationale): (String, String),
        kind: Option<ChangeKind>,
        quotes: Vec<Quote>,
    ) -> Self {
        Self {
            target,
            title: Some(title),
            rationale,
            origin: ChangesetOrigin::Person,
            finding: "person_edit",
            kind,
            quotes,
        }
    }

    fn kind(&self) -> ChangeKind {
        if let Some(kind) = self.kind {
            return kind;
        }
        match (&self.target.before, &self.target.content) {
            (None, _) => ChangeKind::Add,
            (Some(_), None) => ChangeKind::Remove,
            (Some(before), Some(content))
                if before.path != self.target.path
                    && before.content_sha256 == sha256_hex(content.as_bytes()) =>
            {
                ChangeKind::Move
            }
            (Some(_), Some(_)) => ChangeKind::Update,
        }
    }
}

impl Lucid {
    /// Proposes a new memory, other content, another path or a removal, as a person (or a key with
    /// `changesets:write`) who gives a reason of 1 to 2,000 characters. It is decided on like any
    /// other change, by somebody else.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn propose_change(
        &self,
        actor: &Actor,
        store: StoreId,
        write: &MemoryWrite,
        reason: &str,
    ) -> Result<(ChangesetId, ChangeId)> {
        let (mut tx, actor) = self.begin(actor).await?;
        actor.may_on(Action::SeeMemory, store)?;
        memory_stores::lock(&mut tx, store).await?;
        let row = memory_stores::get(&mut tx, store)
            .await?
            .ok_or(Error::NotFound("store"))?;
        let target = target(&mut tx, store, write).await?;
        let right = actor.may_on_paths(Action::Propose, store, &target.paths())?;
        let rationale = checked_reason(reason)?;
        check(&mut tx, store, &target, write).await?;
        if let (Some(before), Some(content)) = (&target.before, &target.content)
            && before.path == target.path
            && before.content_sha256 == sha256_hex(content.as_bytes())
        {
            return Err(Error::Invalid("nothing was changed".to_owned()));
        }
        let (origin, finding) = if actor.who.is_key() {
            (ChangesetOrigin::Agent, "agent_write")
        } else {
            (ChangesetOrigin::Person, "person_edit")
        };
        let made = self
            .propose_write(
                &mut tx,
                right,
                &row,
                &Proposal {
                    target,
                    title: None,
                    rationale,
                    origin,
                    finding,
                    kind: None,
                    quotes: Vec::new(),
                },
            )
            .await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Freezes a memory at once, with a reason: from now on only people change it, through the
    /// queue.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn freeze(&self, actor: &Actor, id: MemoryId, reason: &str) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let memory = seen_memory(&mut tx, &actor, id).await?;
        let right = actor.may_on_paths(Action::Freeze, memory.store_id, &[memory.path.as_str()])?;
        let reason = checked_reason(reason)?;
        memory_stores::lock(&mut tx, memory.store_id).await?;
        if !memories::freeze(&mut tx, id, &reason, &actor.who.to_string(), self.now()).await? {
            return Err(Error::Conflict(
                "this memory is frozen already, or gone".to_owned(),
            ));
        }
        let payload = json!({"path": memory.path, "reason": reason, "version": memory.version_id});
        let record = Record {
            action: AuditAction::MemoryFreeze,
            subject: id.to_string(),
            store: Some(memory.store_id),
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    /// Proposes to end that: a change of high risk, which says what the memory says now and nothing
    /// else.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn propose_unfreeze(
        &self,
        actor: &Actor,
        id: MemoryId,
        reason: &str,
    ) -> Result<(ChangesetId, ChangeId)> {
        let (mut tx, actor) = self.begin(actor).await?;
        let memory = seen_memory(&mut tx, &actor, id).await?;
        let right =
            actor.may_on_paths(Action::Propose, memory.store_id, &[memory.path.as_str()])?;
        let rationale = checked_reason(reason)?;
        memory_stores::lock(&mut tx, memory.store_id).await?;
        let row = memory_stores::get(&mut tx, memory.store_id)
            .await?
            .ok_or(Error::NotFound("store"))?;
        if !memory.frozen {
            return Err(Error::Conflict("this memory is not frozen".to_owned()));
        }
        let content = memories::content(&mut tx, &memory.content_sha256)
            .await?
            .unwrap_or_default();
        let target = Target {
            path: memory.path.clone(),
            before: Some(memory),
            content: Some(content),
        };
        let proposal = Proposal {
            target,
            title: None,
            rationale,
            origin: ChangesetOrigin::Person,
            finding: UNFREEZE,
            kind: None,
            quotes: Vec::new(),
        };
        let made = self.propose_write(&mut tx, right, &row, &proposal).await?;
        tx.commit().await?;
        Ok(made)
    }

    /// Stores a proposal. What waits already is not proposed again: the answer then names what
    /// waits. Appends its own audit entry, so nothing may follow it in the transaction.
    pub(crate) async fn propose_write(
        &self,
        tx: &mut Tx,
        right: Authorized,
        store: &StoreRow,
        proposal: &Proposal,
    ) -> Result<(ChangesetId, ChangeId)> {
        let made = self.put_proposal(tx, right, store, proposal).await?;
        self.record_proposal(tx, right, store.id, &made).await?;
        Ok((made.changeset, made.change))
    }

    /// As [`Lucid::propose_write`], without the audit entry, which [`Lucid::record_proposal`]
    /// appends.
    pub(crate) async fn put_proposal(
        &self,
        tx: &mut Tx,
        right: Authorized,
        store: &StoreRow,
        proposal: &Proposal,
    ) -> Result<Made> {
        let target = &proposal.target;
        let (edit, kind) = (edit(target), proposal.kind());
        let digest = change_digest(kind, std::slice::from_ref(&edit), &proposal.quotes);
        let fingerprint = format!("write:{digest}");
        if let Some((changeset, change)) = changes::waiting_same(tx, store.id, &fingerprint).await?
        {
            return Ok(Made {
                changeset,
                change,
                origin: None,
            });
        }
        self.has_room(tx, right, store.id, &fingerprint).await?;
        let before = match &target.before {
            Some(memory) => memories::content(tx, &memory.content_sha256).await?,
            None => None,
        };
        briefing::fits_budget(tx, store, before.as_deref(), target.content.as_deref()).await?;
        let (changeset, id, now) = (
            self.id(ChangesetId::new),
            self.id(ChangeId::new),
            self.now(),
        );
        let verb = if proposal.finding == UNFREEZE {
            "Unfreeze"
        } else {
            verb(kind)
        };
        let title = proposal
            .title
            .clone()
            .unwrap_or_else(|| format!("{verb} {}", target.path));
        let known = Facts {
            frozen: proposal.finding == UNFREEZE,
            ..Facts::default()
        };
        let (risk_level, labels) = assess(tx, &title, std::slice::from_ref(&edit), known).await?;
        let new = NewChangeset {
            id: changeset,
            store_id: store.id,
            dream_id: None,
            origin: proposal.origin,
            title: title.clone(),
            base_revision: store.revision,
            reverts: None,
            created_by: right.who().to_string(),
            created_at: now,
        };
        if let Some(content) = &target.content {
            commits::put_content(tx, &sha256_hex(content.as_bytes()), content).await?;
        }
        changesets::insert(tx, &new).await?;
        let row = ChangeRow {
            id,
            changeset_id: changeset,
            store_id: store.id,
            position: 0,
            kind,
            title,
            rationale: proposal.rationale.clone(),
            confidence_bp: 0,
            state: ChangeState::Pending,
            revision: 1,
            digest,
            risk_level,
            labels: serde_json::to_string(&labels)
                .map_err(|_| Error::Internal("labels could not be written"))?,
            finding: proposal.finding.to_owned(),
            fingerprint,
            support_sessions: 0,
            support_subjects: 0,
            support_tasks: 0,
            occurrences: 1,
            eligible_sessions: 0,
            facts: json!({"version": 1, "key": right.who().is_key()}).to_string(),
            recorders: None,
            defer_until: None,
            commit_id: None,
            created_at: now,
            updated_at: now,
            conflicted: false,
        };
        changes::insert_change(tx, &row).await?;
        changes::insert_edits(tx, id, 1, std::slice::from_ref(&edit)).await?;
        for (position, quote) in (0..).zip(&proposal.quotes) {
            evidence::insert(tx, self.id(EvidenceId::new), (id, position), quote, false).await?;
        }
        self.proposer_contributed(tx, right, &row, &edit).await?;
        // Anyone who brought the evidence does not count as approver of what rests on it (rule 5).
        let through: BTreeSet<SessionId> = proposal.quotes.iter().map(|q| q.session_id).collect();
        for session in through {
            for recorder in sessions::recorders(tx, session).await? {
                for person in answer_for(tx, &recorder).await? {
                    decisions::contribute(tx, id, person, Contribution::Recorded, now).await?;
                }
            }
        }
        self.tell_turn(
            tx,
            changeset,
            right.who().person().filter(|_| !right.who().is_key()),
        )
        .await?;
        Ok(Made {
            changeset,
            change: id,
            origin: Some(proposal.origin),
        })
    }

    /// Returns what the audit says of a proposal that is new. Nothing but other audit entries may
    /// follow it in the transaction.
    pub(crate) async fn record_proposal(
        &self,
        tx: &mut Tx,
        right: Authorized,
        store: StoreId,
        made: &Made,
    ) -> Result<()> {
        let Some(origin) = made.origin else {
            return Ok(());
        };
        let payload = json!({"changes": [made.change], "origin": origin});
        let record = Record {
            action: AuditAction::ChangesetPropose,
            subject: made.changeset.to_string(),
            store: Some(store),
            commit: None,
            payload: &payload,
        };
        self.record(tx, right, record).await
    }

    /// A person who proposes is no approver of it; nor is anyone who owns the key it came through,
    /// or made it (rule 5).
    async fn proposer_contributed(
        &self,
        tx: &mut Tx,
        right: Authorized,
        row: &ChangeRow,
        edit: &Edit,
    ) -> Result<()> {
        let how = match (row.finding.as_str(), right.who().is_key()) {
            ("person_edit", false) => Contribution::Wrote,
            _ => Contribution::Proposed,
        };
        for person in answer_for(tx, &right.who().to_string()).await? {
            decisions::contribute(tx, row.id, person, how, row.created_at).await?;
        }
        self.carry_contributors(tx, row, std::slice::from_ref(edit))
            .await
    }

    /// Refuses what was rejected before, and what would fill the queue. One key cannot take the
    /// room of the others.
    async fn has_room(
        &self,
        tx: &mut Tx,
        right: Authorized,
        store: StoreId,
        fingerprint: &str,
    ) -> Result<()> {
        if let Some(why) = decisions::muted_as(tx, store, fingerprint).await? {
            return Err(Error::Conflict(format!(
                "the same was rejected before ({why}); it stays away until somebody lets it back"
            )));
        }
        if changes::undecided(tx, store).await? >= MOST_WAITING {
            return Err(Error::Conflict(format!(
                "{MOST_WAITING} changes wait for a decision in this store; nothing more is taken \
                 until some are decided"
            )));
        }
        if !right.who().is_key() {
            return Ok(());
        }
        let by = right.who().to_string();
        if changesets::undecided_of(tx, &by).await? >= MOST_WAITING_OF_A_KEY {
            return Err(Error::Conflict(format!(
                "{MOST_WAITING_OF_A_KEY} proposals of this key wait for a decision; it can propose \
                 more once some are decided"
            )));
        }
        if changesets::proposed_since(tx, &by, self.now().plus_seconds(-86_400)).await?
            >= PROPOSALS_A_DAY
        {
            return Err(Error::TooMany(3_600));
        }
        Ok(())
    }
}

/// The finding behind a change that ends a memory's being frozen.
pub const UNFREEZE: &str = "unfreeze";

fn checked_reason(reason: &str) -> Result<String> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS || reason.contains('\0') {
        return Err(Error::Invalid(format!(
            "say why, in 1 to {REASON_CHARS} characters"
        )));
    }
    Ok(reason.replace("\r\n", "\n"))
}

async fn seen_memory(tx: &mut Tx, actor: &Acting, id: MemoryId) -> Result<MemoryRow> {
    let memory = memories::get(tx, id).await?;
    memory
        .filter(|m| actor.may(Action::SeeMemory, m.store_id))
        .ok_or(Error::NotFound("memory"))
}

fn edit(target: &Target) -> Edit {
    let before = target.before.as_ref();
    let path = before.map_or_else(|| target.path.clone(), |m| m.path.clone());
    Edit {
        memory_id: before.map(|m| m.id),
        base_version: before.map(|m| m.version_id),
        base_sha256: before.map(|m| m.content_sha256.clone()),
        new_path: (path != target.path).then(|| target.path.clone()),
        path,
        content: target.content.clone(),
    }
}

const fn verb(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Add => "Add",
        ChangeKind::Remove => "Remove",
        ChangeKind::Move => "Move",
        _ => "Update",
    }
}
