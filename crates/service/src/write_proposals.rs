//! What an agent wanted to write and the gate did not let through: a changeset of one change, in the queue like any other.

use domain::{
    actor::Actor,
    canonical::{change_digest, sha256_hex},
    changeset::{ChangeKind, ChangeState, Edit},
    ids::{ChangeId, ChangesetId},
    risk,
};
use serde_json::json;
use store::{
    Tx,
    changes::{self, ChangeRow},
    changesets::{self, NewChangeset},
    commits, decisions, memories,
    memory_stores::StoreRow,
};

use crate::{Error, Lucid, Record, Result, briefing, keys::answer_for, memory_writes::Target};

/// Undecided changes of a store above which agents' writes are refused: a queue that nobody can finish protects nothing.
const MOST_WAITING: i64 = 500;

impl Lucid {
    /// Proposes a write. What waits already is not proposed again: the answer then names what waits. Appends its own audit entry,
    /// so nothing may follow it in the transaction.
    pub(crate) async fn propose_write(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        store: &StoreRow,
        target: &Target,
    ) -> Result<(ChangesetId, ChangeId)> {
        let edit = edit(target);
        let kind = match (&target.before, &target.content) {
            (None, _) => ChangeKind::Add,
            (Some(_), None) => ChangeKind::Remove,
            (Some(before), Some(content)) if before.content_sha256 == sha256_hex(content.as_bytes()) => ChangeKind::Move,
            (Some(_), Some(_)) => ChangeKind::Update,
        };
        let digest = change_digest(kind, std::slice::from_ref(&edit), &[]);
        let fingerprint = format!("write:{digest}");
        if let Some(waits) = waiting(tx, store, &fingerprint).await? {
            return Ok(waits);
        }
        let before = match &target.before {
            Some(memory) => memories::content(tx, &memory.content_sha256).await?,
            None => None,
        };
        briefing::fits_budget(tx, store, before.as_deref(), target.content.as_deref()).await?;
        let (risk_level, labels) = assess(target, before.as_deref());
        let (changeset, id, now) = (self.id(ChangesetId::new), self.id(ChangeId::new), self.now());
        let title = format!("{} {}", verb(kind), target.path);
        let new = NewChangeset {
            id: changeset,
            store_id: store.id,
            dream_id: None,
            origin: "agent",
            title: title.clone(),
            base_revision: store.revision,
            reverts: None,
            created_by: actor.who.to_string(),
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
            rationale: "An agent wanted to write this with its key. It gave no evidence.".to_owned(),
            confidence_bp: 0,
            state: ChangeState::Pending,
            revision: 1,
            digest,
            risk_level,
            labels: serde_json::to_string(&labels).map_err(|_| Error::Internal("labels could not be written"))?,
            finding: "agent_write".to_owned(),
            fingerprint,
            support_sessions: 0,
            support_subjects: 0,
            support_tasks: 0,
            occurrences: 1,
            eligible_sessions: 0,
            facts: json!({"version": 1, "key": actor.who.is_key()}).to_string(),
            defer_until: None,
            commit_id: None,
            created_at: now,
            updated_at: now,
            conflicted: false,
        };
        changes::insert_change(tx, &row).await?;
        changes::insert_edits(tx, id, 1, &[edit]).await?;
        // Whoever owns the key it came through, or made it, does not count as its approver (rule 5).
        for person in answer_for(tx, &actor.who.to_string()).await? {
            decisions::contribute(tx, id, person, "proposed", now).await?;
        }
        self.tell_turn(tx, changeset, None).await?;
        let payload = json!({"changes": [id], "origin": "agent"});
        let record =
            Record { action: "changeset.propose", subject: changeset.to_string(), store: Some(store.id), commit: None, payload: &payload };
        self.record(tx, actor, record).await?;
        Ok((changeset, id))
    }
}

/// What waits already for the same write. Refused, if the same was rejected before, or too much waits.
async fn waiting(tx: &mut Tx, store: &StoreRow, fingerprint: &str) -> Result<Option<(ChangesetId, ChangeId)>> {
    let waits = |s: ChangeState| matches!(s, ChangeState::Pending | ChangeState::Deferred | ChangeState::Approved);
    let same = |k: &changes::KnownRow| k.fingerprint == fingerprint && waits(k.state) && !k.conflicted;
    if let Some(waits) = changes::known(tx, store.id).await?.into_iter().find(same) {
        return Ok(Some((waits.changeset_id, waits.id)));
    }
    if let Some(muted) = decisions::muted(tx, store.id).await?.into_iter().find(|m| m.fingerprint == fingerprint) {
        let why = muted.reject_code;
        return Err(Error::Conflict(format!("the same was rejected before ({why}); a person can write it, a key cannot")));
    }
    if changes::undecided(tx, store.id).await? >= MOST_WAITING {
        return Err(Error::Conflict(format!(
            "{MOST_WAITING} changes wait for a decision in this store; nothing more is taken until some are decided"
        )));
    }
    Ok(None)
}

fn assess(target: &Target, before: Option<&str>) -> (risk::RiskLevel, Vec<risk::Label>) {
    risk::assess(&risk::Facts {
        before: before.into_iter().collect(),
        after: target.content.as_deref().into_iter().collect(),
        human_written: target.before.as_ref().is_some_and(|m| m.by_person),
        frozen: target.before.as_ref().is_some_and(|m| m.frozen),
        memories: 1,
        ..risk::Facts::default()
    })
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
