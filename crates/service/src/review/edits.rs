//! New revisions of a change: other contents, or the same ones carried over to a memory that has
//! moved. Anyone who makes one does not count as its approver, and the decisions on the revision
//! before are outdated.

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    canonical::{change_digest, sha256_hex},
    changeset::{Action, ChangeKind, Contribution, Edit},
    ids::{ChangeId, ChangesetId, MemoryId, VersionId},
    memory::check_content,
    merge::{Merged, has_conflict, merge},
    risk::{Facts, Label},
};
use serde_json::json;
use store::{
    Tx,
    changes::{self, ChangeRow, EditRow, Revision},
    commits, decisions, memories,
};

use super::{Opened, same, stale};
use crate::{
    Error, Lucid, Result, assessment::assess, authority::Acting, single_proposals::UNFREEZE,
};

/// How a conflicted change would be carried over: one entry for each of its edits that still makes
/// sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebase {
    pub edits: Vec<RebaseEdit>,
}

/// One edit, carried over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebaseEdit {
    pub path: String,
    /// What the memory held when it was proposed.
    pub base: String,
    /// What it holds now; nothing if it is gone.
    pub now: Option<String>,
    /// What was proposed; nothing for a removal.
    pub proposed: Option<String>,
    /// Both brought together by lines; nothing for a removal.
    pub merged: Option<Merged>,
    /// The version that is there now.
    pub version: Option<VersionId>,
}

/// How each edit of a change would be carried over, and to what.
fn carried(rows: &[&EditRow]) -> Vec<(Edit, RebaseEdit)> {
    let one = |row: &&EditRow| {
        let now_there = row.now_id.is_some();
        // What was to go is gone already.
        if row.content.is_none() && !now_there {
            return None;
        }
        let moved_to = row
            .new_path
            .clone()
            .filter(|to| Some(to) != row.now_path.as_ref());
        let path = row
            .now_path
            .clone()
            .unwrap_or_else(|| row.new_path.clone().unwrap_or_else(|| row.path.clone()));
        let edit = Edit {
            memory_id: row.now_id,
            base_version: row.now_version,
            base_sha256: row.now_sha256.clone(),
            new_path: moved_to.filter(|_| now_there),
            path: path.clone(),
            content: row.content.clone(),
        };
        let base = row.base_content.clone().unwrap_or_default();
        let merged = row
            .content
            .as_deref()
            .map(|proposed| match &row.now_content {
                Some(now) => merge(&base, now, proposed),
                None => Merged {
                    text: proposed.to_owned(),
                    both: 0,
                },
            });
        let shown = RebaseEdit {
            path: path.to_string(),
            base,
            now: row.now_content.clone(),
            proposed: row.content.clone(),
            merged,
            version: row.now_version,
        };
        Some((edit, shown))
    };
    rows.iter().filter_map(one).collect()
}

/// How a conflicted change would be carried over, for the page that offers it.
pub fn rebase_of(rows: &[&EditRow]) -> Rebase {
    Rebase {
        edits: carried(rows).into_iter().map(|(_, shown)| shown).collect(),
    }
}

impl Lucid {
    /// Gives a change other contents: a new revision, pending again. `contents` holds one text for
    /// each edit that puts one, in order.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn edit_change(
        &self,
        actor: &Actor,
        id: ChangeId,
        shown: (i64, &str),
        contents: &[String],
    ) -> Result<ChangesetId> {
        let (mut tx, actor) = self.begin(actor).await?;
        let opened = self.open(&mut tx, &actor, id).await?;
        same(&opened.change, shown.0, shown.1)?;
        let before: Vec<Edit> = opened.rows().map(EditRow::edit).collect();
        let edits = with_contents(before.clone(), contents)?;
        if edits == before {
            return Err(Error::Invalid("nothing was changed".to_owned()));
        }
        self.revise(
            &mut tx,
            &actor,
            &opened,
            (opened.change.kind, edits),
            AuditAction::ChangeEdit,
        )
        .await?;
        tx.commit().await?;
        Ok(opened.changeset)
    }

    /// Carries a conflicted change over to the memory as it is now: a new revision against it.
    /// `against` names the version that was shown for each edit, in order (none where nothing
    /// stands); refused whole, if one has moved since.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn rebase_change(
        &self,
        actor: &Actor,
        id: ChangeId,
        shown: (i64, &str),
        against: &[Option<VersionId>],
        contents: &[String],
    ) -> Result<ChangesetId> {
        let (mut tx, actor) = self.begin(actor).await?;
        let opened = self.open(&mut tx, &actor, id).await?;
        let change = &opened.change;
        same(change, shown.0, shown.1)?;
        if !change.conflicted {
            return Err(Error::Conflict(
                "nothing has moved below this change, so there is nothing to rebase".to_owned(),
            ));
        }
        let rows: Vec<&EditRow> = opened.rows().collect();
        let edits: Vec<Edit> = carried(&rows).into_iter().map(|(edit, _)| edit).collect();
        if edits
            .iter()
            .map(|e| e.base_version)
            .ne(against.iter().copied())
        {
            return Err(Error::Stale(vec![stale(
                change,
                "the memory has changed once more since this was shown",
            )]));
        }
        if edits.is_empty() {
            return Err(Error::Invalid(
                "everything that it would remove is gone already; reject it".to_owned(),
            ));
        }
        if contents.iter().any(|text| has_conflict(text)) {
            let how = "keep the lines that are right, and delete the lines that begin with \
                <<<<<<<, ======= and >>>>>>>";
            return Err(Error::Invalid(format!(
                "resolve each marked conflict first: {how}"
            )));
        }
        let edits = with_contents(edits, contents)?;
        self.revise(
            &mut tx,
            &actor,
            &opened,
            (kind_of(change.kind, &edits), edits),
            AuditAction::ChangeRebase,
        )
        .await?;
        tx.commit().await?;
        Ok(opened.changeset)
    }

    /// Takes back the last edit of a change: a new revision with what the one before said. Who
    /// edited it still does not count as its approver.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn discard_revision(
        &self,
        actor: &Actor,
        id: ChangeId,
        shown: (i64, &str),
    ) -> Result<ChangesetId> {
        let (mut tx, actor) = self.begin(actor).await?;
        let opened = self.open(&mut tx, &actor, id).await?;
        let change = &opened.change;
        same(change, shown.0, shown.1)?;
        let edits = changes::edits_at(&mut tx, change.id, change.revision - 1).await?;
        if edits.is_empty() {
            return Err(Error::Conflict(
                "this is the first revision; reject the change instead".to_owned(),
            ));
        }
        self.revise(
            &mut tx,
            &actor,
            &opened,
            (kind_of(change.kind, &edits), edits),
            AuditAction::ChangeDiscard,
        )
        .await?;
        tx.commit().await?;
        Ok(opened.changeset)
    }

    /// Lets a proposed new memory take the place of one that says nearly the same: a new revision
    /// that replaces its content.
    #[tracing::instrument(skip_all, fields(%id, %memory))]
    pub async fn replace_instead(
        &self,
        actor: &Actor,
        id: ChangeId,
        shown: (i64, &str),
        memory: MemoryId,
    ) -> Result<ChangesetId> {
        let (mut tx, actor) = self.begin(actor).await?;
        let opened = self.open(&mut tx, &actor, id).await?;
        same(&opened.change, shown.0, shown.1)?;
        let rows: Vec<&EditRow> = opened.rows().collect();
        let content = match rows[..] {
            [one] if opened.change.kind == ChangeKind::Add => one.content.clone(),
            _ => {
                return Err(Error::Invalid(
                    "only one new memory can take the place of another".to_owned(),
                ));
            }
        };
        let there = memories::get(&mut tx, memory)
            .await?
            .filter(|m| m.store_id == opened.change.store_id);
        let there = there.ok_or(Error::NotFound("memory"))?;
        if !actor.may_at(
            domain::rights::Action::Decide,
            there.store_id,
            &[there.path.as_str()],
        ) {
            return Err(Error::Forbidden(domain::rights::Action::Decide.needs()));
        }
        let edit = Edit {
            memory_id: Some(there.id),
            base_version: Some(there.version_id),
            base_sha256: Some(there.content_sha256),
            path: there.path,
            new_path: None,
            content,
        };
        self.revise(
            &mut tx,
            &actor,
            &opened,
            (ChangeKind::Supersede, vec![edit]),
            AuditAction::ChangeEdit,
        )
        .await?;
        tx.commit().await?;
        Ok(opened.changeset)
    }

    async fn revise(
        &self,
        tx: &mut Tx,
        actor: &Acting,
        opened: &Opened,
        (kind, edits): (ChangeKind, Vec<Edit>),
        action: AuditAction,
    ) -> Result<()> {
        let (change, now) = (&opened.change, self.now());
        change
            .state
            .after(Action::Revise)
            .map_err(|e| Error::Conflict(e.to_string()))?;
        self.unclaimed(tx, actor, opened.changeset, opened.user, now)
            .await?;
        // Inside one changeset no two open changes touch the same memory or path.
        let touches = |e: &&EditRow| e.change_id != change.id && opened.is_open(e.change_id);
        for other in opened.edits.iter().filter(touches) {
            let clash = edits.iter().any(|e| {
                (e.memory_id.is_some() && e.memory_id == other.memory_id)
                    || e.new_path.as_ref().unwrap_or(&e.path)
                        == other.new_path.as_ref().unwrap_or(&other.path)
            });
            if clash {
                return Err(Error::Conflict(format!(
                    "another open change in this changeset touches {} as well",
                    other.path
                )));
            }
        }
        for edit in edits.iter().filter(|e| e.content.is_some()) {
            let place = edit.new_path.as_ref().unwrap_or(&edit.path);
            let there = memories::at_path(tx, change.store_id, place)
                .await?
                .map(|m| m.id);
            if there.is_some_and(|id| {
                Some(id) != edit.memory_id && !edits.iter().any(|e| e.memory_id == Some(id))
            }) {
                return Err(Error::Conflict(format!(
                    "{place} is taken by another memory; reject this, or make room there first"
                )));
            }
        }
        let quotes = self.stored_quotes(tx, opened.changeset, change.id).await?;
        let (risk_level, labels) = assess(tx, &change.title, &edits, known(change, kind)).await?;
        let number = change.revision + 1;
        let labels = serde_json::to_string(&labels)
            .map_err(|_| Error::Internal("labels could not be written"))?;
        let revision = Revision {
            number,
            digest: change_digest(kind, &edits, &quotes),
            risk_level,
            labels,
            kind,
        };
        for content in edits.iter().filter_map(|e| e.content.as_deref()) {
            commits::put_content(tx, &sha256_hex(content.as_bytes()), content).await?;
        }
        changes::insert_edits(tx, change.id, number, &edits).await?;
        changes::revise(tx, change, &revision, now).await?;
        decisions::contribute(tx, change.id, opened.user, Contribution::Edited, now).await?;
        self.carry_contributors(tx, change, &edits).await?;
        self.settle(tx, opened.changeset).await?;
        self.tell_turn(tx, opened.changeset, Some(opened.user))
            .await?;
        let payload = json!({"revision": number, "digest": revision.digest, "was": change.digest});
        self.record_change(tx, opened.right, action, change, &payload)
            .await
    }
}

impl Opened {
    /// The change's own edits.
    fn rows(&self) -> impl Iterator<Item = &EditRow> {
        self.edits.iter().filter(|e| e.change_id == self.change.id)
    }

    fn is_open(&self, id: ChangeId) -> bool {
        self.open_changes.contains(&id)
    }
}

/// Returns what a change does once it was carried over: what was new may now change what somebody
/// else has put there, and the other way round.
fn kind_of(before: ChangeKind, edits: &[Edit]) -> ChangeKind {
    match edits {
        [one] if one.memory_id.is_none() => ChangeKind::Add,
        [one] if one.content.is_none() => ChangeKind::Remove,
        [_] if matches!(before, ChangeKind::Supersede | ChangeKind::Move) => before,
        [_] => ChangeKind::Update,
        _ => before,
    }
}

fn with_contents(mut edits: Vec<Edit>, contents: &[String]) -> Result<Vec<Edit>> {
    let mut contents = contents.iter();
    for edit in edits.iter_mut().filter(|e| e.content.is_some()) {
        let text = contents
            .next()
            .ok_or_else(|| Error::Invalid("a text is missing".to_owned()))?;
        // Browsers send CRLF; it is the person's only where it stood there before.
        let had_crlf = edit.content.as_deref().is_some_and(|c| c.contains("\r\n"));
        let text = if had_crlf {
            text.clone()
        } else {
            text.replace("\r\n", "\n")
        };
        check_content(&text).map_err(|e| Error::Invalid(e.to_string()))?;
        if text.trim().is_empty() {
            return Err(Error::Invalid(
                "a memory cannot be empty; reject the change instead".to_owned(),
            ));
        }
        edit.content = Some(text);
    }
    if contents.next().is_some() {
        return Err(Error::Invalid(
            "there are more texts than this change has".to_owned(),
        ));
    }
    Ok(edits)
}

/// Returns what an edit does not change about a change: where its evidence came from, and what kind
/// of finding it is.
fn known(change: &ChangeRow, kind: ChangeKind) -> Facts<'static> {
    let was: Vec<Label> = serde_json::from_str(&change.labels).unwrap_or_default();
    Facts {
        tool_text: was.contains(&Label::ToolText),
        single_source: was.contains(&Label::SingleSource),
        standing: change.finding == "standing_instruction",
        frozen: change.finding == UNFREEZE,
        merge: kind == ChangeKind::Merge,
        ..Facts::default()
    }
}
