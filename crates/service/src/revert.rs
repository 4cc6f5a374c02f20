//! Reverting a commit, or one change of it: a new changeset that holds the inverse and goes through
//! the same gate. What has changed since then is a conflict like any other, shown before anybody
//! clicks.

use std::collections::BTreeMap;

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    canonical::{change_digest, sha256_hex},
    changeset::{ChangeKind, ChangeState, ChangesetOrigin, Contribution, Edit},
    ids::{ChangeId, ChangesetId, CommitId},
    memory::{MemoryPath, Operation},
    plural::count,
    rights::Action as Right,
    risk::Facts,
};
use serde_json::json;
use store::{
    Tx,
    changes::{self, ChangeRow},
    changesets::{self, NewChangeset},
    commits, decisions,
    memories::{self, VersionRow},
    memory_stores,
};

use crate::{Error, Lucid, Record, Result, assessment::assess};

impl Lucid {
    /// Proposes to revert a commit. The same commit again, while that waits, is the same changeset.
    #[tracing::instrument(skip_all, fields(%commit))]
    pub async fn revert(&self, actor: &Actor, commit: CommitId) -> Result<ChangesetId> {
        self.revert_of(actor, commit, None).await
    }

    /// Proposes to revert one change of a commit.
    #[tracing::instrument(skip_all, fields(%commit, %change))]
    pub async fn revert_change(
        &self,
        actor: &Actor,
        commit: CommitId,
        change: ChangeId,
    ) -> Result<ChangesetId> {
        self.revert_of(actor, commit, Some(change)).await
    }

    async fn revert_of(
        &self,
        actor: &Actor,
        commit: CommitId,
        only: Option<ChangeId>,
    ) -> Result<ChangesetId> {
        let (mut tx, actor) = self.begin(actor).await?;
        let row = commits::get(&mut tx, commit)
            .await?
            .filter(|c| actor.may(Right::SeeMemory, c.store_id))
            .ok_or(Error::NotFound("commit"))?;
        let mut versions = memories::versions_of_commit(&mut tx, commit).await?;
        versions.retain(|v| only.is_none() || v.change_id == only);
        if versions.is_empty() {
            return Err(Error::NotFound("change in this commit"));
        }
        let paths: Vec<&str> = versions.iter().map(|v| v.path.as_str()).collect();
        let right = actor.may_on_paths(Right::Decide, row.store_id, &paths)?;
        let person = actor
            .who
            .person()
            .ok_or(Error::Forbidden("a person: nothing else reverts a commit"))?;
        // Two who ask at once ask for one.
        memory_stores::lock(&mut tx, row.store_id).await?;
        let open = changesets::open_reverts(&mut tx, commit).await?;
        if let Some((open, _)) = open.into_iter().find(|(_, facts)| reverts(facts) == only) {
            return Ok(open);
        }
        let mut groups: BTreeMap<Option<ChangeId>, Vec<Inverse>> = BTreeMap::new();
        for version in &versions {
            groups
                .entry(version.change_id)
                .or_default()
                .push(inverse(&mut tx, version).await?);
        }
        let (id, now) = (self.id(ChangesetId::new), self.now());
        let new = NewChangeset {
            id,
            store_id: row.store_id,
            dream_id: None,
            origin: ChangesetOrigin::Revert,
            title: match (
                only,
                versions.first().and_then(|v| v.change_title.as_deref()),
            ) {
                (Some(_), Some(title)) => format!("Revert “{title}” of commit {}", row.revision),
                _ => format!("Revert commit {} “{}”", row.revision, row.message),
            },
            base_revision: row.revision,
            reverts: Some(commit),
            created_by: actor.who.to_string(),
            created_at: now,
        };
        changesets::insert(&mut tx, &new).await?;
        let mut made = Vec::new();
        for (position, (of, edits)) in (0..).zip(groups) {
            let change = self
                .inverse_change(&mut tx, (&new, position), (of, only.is_some()), &edits)
                .await?;
            if let Some(of) = of {
                changes::is_inverse_of(&mut tx, change, of).await?;
            }
            // Anyone who asks for a revert does not count as its approver (rule 5).
            decisions::contribute(&mut tx, change, person, Contribution::Reverted, now).await?;
            made.push(change);
        }
        self.tell_turn(&mut tx, id, None).await?;
        let payload = json!({"changes": made, "origin": "revert", "reverts": commit});
        let record = Record {
            action: AuditAction::ChangesetPropose,
            subject: id.to_string(),
            store: Some(row.store_id),
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok(id)
    }

    async fn inverse_change(
        &self,
        tx: &mut Tx,
        (changeset, position): (&NewChangeset, i64),
        (of_change, alone): (Option<ChangeId>, bool),
        inverse: &[Inverse],
    ) -> Result<ChangeId> {
        let edits: &[Edit] = &inverse.iter().map(|i| i.edit.clone()).collect::<Vec<_>>();
        // Whose words they were is restored with them: by the place that they go back to.
        let by_person: Vec<&MemoryPath> = inverse
            .iter()
            .filter(|i| i.by_person)
            .map(|i| i.edit.new_path.as_ref().unwrap_or(&i.edit.path))
            .collect();
        let (kind, title) = match edits {
            [one] if one.content.is_none() => {
                (ChangeKind::Remove, format!("Remove {} again", one.path))
            }
            [one] if one.memory_id.is_none() => (ChangeKind::Add, format!("Put {} back", one.path)),
            [one] => (
                ChangeKind::Update,
                format!("Bring {} back to what it was", one.path),
            ),
            several => (
                ChangeKind::Restructure,
                format!(
                    "Bring {} back to what they were",
                    count(several.len(), "memory")
                ),
            ),
        };
        let digest = change_digest(kind, edits, &[]);
        let (level, labels) = assess(tx, &title, edits, Facts::default()).await?;
        for content in edits.iter().filter_map(|e| e.content.as_deref()) {
            commits::put_content(tx, &sha256_hex(content.as_bytes()), content).await?;
        }
        let row = ChangeRow {
            id: self.id(ChangeId::new),
            changeset_id: changeset.id,
            store_id: changeset.store_id,
            position,
            kind,
            title,
            rationale: "A person asked to revert what a commit did. The memory says again what it \
                said before that commit.".to_owned(),
            confidence_bp: 10_000,
            state: ChangeState::Pending,
            revision: 1,
            fingerprint: format!("revert:{digest}"),
            digest,
            risk_level: level,
            labels: serde_json::to_string(&labels).map_err(|_| Error::Internal("labels could not \
                be written"))?,
            finding: "revert".to_owned(),
            support_sessions: 0,
            support_subjects: 0,
            support_tasks: 0,
            occurrences: 1,
            eligible_sessions: 0,
            facts: json!({"version": 1, "reverts": changeset.reverts, "of_change": of_change, "alone": alone, "by_person": by_person})
                .to_string(),
            recorders: None,
            defer_until: None,
            commit_id: None,
            created_at: changeset.created_at,
            updated_at: changeset.created_at,
            conflicted: false,
        };
        changes::insert_change(tx, &row).await?;
        changes::insert_edits(tx, row.id, 1, edits).await?;
        self.carry_contributors(tx, &row, edits).await?;
        Ok(row.id)
    }
}

/// The one change that a change of a revert is the inverse of, if only that was asked for.
fn reverts(facts: &str) -> Option<ChangeId> {
    let facts: serde_json::Value = serde_json::from_str(facts).unwrap_or_default();
    facts["of_change"]
        .as_str()
        .filter(|_| facts["alone"] == true)
        .and_then(|id| id.parse().ok())
}

/// The edit that reverts a version, and whether a person wrote what it restores.
struct Inverse {
    edit: Edit,
    by_person: bool,
}

async fn inverse(tx: &mut Tx, version: &VersionRow) -> Result<Inverse> {
    let erased = || {
        Error::Conflict(format!(
            "what {} held before was erased, so it cannot be brought back",
            version.path
        ))
    };
    let before = match version.operation {
        Operation::Created => None,
        Operation::Modified | Operation::Deleted => {
            let before =
                memories::version_numbered(tx, version.memory_id, version.number - 1).await?;
            let before = before
                .filter(|before| before.redacted_at.is_none())
                .ok_or_else(erased)?;
            let sha256 = before.content_sha256.ok_or_else(erased)?;
            Some((
                memories::content(tx, &sha256).await?.ok_or_else(erased)?,
                before.path,
                before.by_person,
            ))
        }
    };
    let gone = version.operation == Operation::Deleted;
    let back_to = before
        .as_ref()
        .map(|(_, path, _)| path.clone())
        .filter(|path| *path != version.path);
    let by_person = before.as_ref().is_some_and(|(_, _, by_person)| *by_person);
    let edit = Edit {
        memory_id: (!gone).then_some(version.memory_id),
        base_version: (!gone).then_some(version.id),
        base_sha256: if gone {
            None
        } else {
            version.content_sha256.clone()
        },
        path: version.path.clone(),
        new_path: back_to.filter(|_| !gone),
        content: before.map(|(content, _, _)| content),
    };
    Ok(Inverse { edit, by_person })
}
