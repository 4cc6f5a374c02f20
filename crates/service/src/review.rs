//! Deciding: a vote names the change, its revision and its digest, and counts only if that is what stands there now (rule 2).

use domain::{
    actor::Actor,
    canonical::{change_digest, sha256_hex},
    changeset::{Action, ChangeKind, ChangesetState, Edit, Guard, RejectCode, derived_state},
    ids::{ChangeId, ChangesetId, DecisionId, UserId},
    memory::check_content,
    rights::Action as Right,
    risk::{self, Label},
};
use serde_json::json;
use store::{
    Tx,
    changes::{self, ChangeRow, Revision},
    changesets, commits,
    decisions::{self, DecisionRow, Muted},
    evidence, memories,
};

use crate::{Error, Lucid, Record, Result, Stale, changesets::may_decide, people::is_solo, require};

/// A vote, naming exactly what was shown.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The change.
    pub change: ChangeId,
    /// The revision that was shown.
    pub revision: i64,
    /// The digest that was shown.
    pub digest: String,
    /// The vote.
    pub verdict: Verdict,
    /// In the reviewer's words; at most 2,000 characters.
    pub note: String,
}

/// What a reviewer may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may go into the memory.
    Approve,
    /// It may not, and why.
    Reject(RejectCode),
    /// Later.
    Defer,
}

impl Verdict {
    const fn action(self) -> Action {
        match self {
            Self::Approve => Action::Approve,
            Self::Reject(_) => Action::Reject,
            Self::Defer => Action::Defer,
        }
    }
}

/// What every use case here begins with: the locked changeset's change, as it stands now.
struct Opened {
    changeset: ChangesetId,
    change: ChangeRow,
    user: UserId,
}

impl Lucid {
    /// Casts a vote. Refused whole if the change is not at the revision and digest that were shown, if its memory moved,
    /// or, for an approval, if the person had a hand in the change.
    pub async fn decide(&self, actor: &Actor, decision: &Decision) -> Result<ChangesetId> {
        if decision.note.chars().count() > 2_000 {
            return Err(Error::Invalid("a note has at most 2,000 characters".to_owned()));
        }
        let mut tx = self.db.write().await?;
        let Opened { changeset, change, user } = self.open(&mut tx, actor, decision.change).await?;
        same(&change, decision.revision, &decision.digest)?;
        let action = decision.verdict.action();
        let (to, guard) = change.state.after(action).map_err(|e| Error::Conflict(e.to_string()))?;
        if guard == Guard::Fresh {
            if change.conflicted {
                return Err(Error::Stale(vec![stale(&change, "the memory that it changes has changed since")]));
            }
            let hands = decisions::contributors_of_changeset(&mut tx, changeset).await?;
            let own = hands.iter().any(|h| h.change_id == change.id && h.user_id == user);
            if own && !is_solo(&mut tx).await? {
                return Err(Error::Forbidden("you had a hand in this change, so somebody else has to approve it"));
            }
        }
        let now = self.now();
        let (verdict, reject_code) = match decision.verdict {
            Verdict::Approve => ("approve", None),
            Verdict::Reject(code) => ("reject", Some(code)),
            Verdict::Defer => ("defer", None),
        };
        let row = DecisionRow {
            id: self.id(DecisionId::new),
            change_id: change.id,
            revision: change.revision,
            digest: change.digest.clone(),
            user_id: user,
            user_name: String::new(),
            verdict: verdict.to_owned(),
            reject_code,
            note: decision.note.trim().to_owned(),
            created_at: now,
            taken_back_at: None,
        };
        decisions::insert(&mut tx, &row).await?;
        changes::set_change_state(&mut tx, &change, to, None, now).await?;
        if let Some(reject_code) = reject_code {
            let muted = Muted { fingerprint: change.fingerprint.clone(), reject_code, support: support(&change) };
            decisions::mute(&mut tx, change.store_id, &muted, change.id, now).await?;
        }
        self.settle(&mut tx, changeset).await?;
        let payload =
            json!({"verdict": verdict, "revision": change.revision, "digest": change.digest, "reject_code": reject_code, "note": row.note});
        self.record_change(&mut tx, actor, "change.decide", &change, &payload).await?;
        tx.commit().await?;
        Ok(changeset)
    }

    /// Takes every standing vote on a change back; a closed changeset opens again.
    pub async fn take_back(&self, actor: &Actor, id: ChangeId, revision: i64) -> Result<ChangesetId> {
        let mut tx = self.db.write().await?;
        let Opened { changeset, change, .. } = self.open(&mut tx, actor, id).await?;
        if change.revision != revision {
            return Err(Error::Stale(vec![stale(&change, "it has a newer revision")]));
        }
        let (to, _) = change.state.after(Action::TakeBack).map_err(|e| Error::Conflict(e.to_string()))?;
        let now = self.now();
        decisions::take_back(&mut tx, id, now).await?;
        decisions::unmute(&mut tx, change.store_id, &change.fingerprint, id, now).await?;
        changes::set_change_state(&mut tx, &change, to, None, now).await?;
        self.settle(&mut tx, changeset).await?;
        self.record_change(&mut tx, actor, "change.take_back", &change, &json!({"from": change.state, "revision": revision})).await?;
        tx.commit().await?;
        Ok(changeset)
    }

    /// Gives a change other contents: a new revision, pending again. Whoever edits does not count as its approver.
    /// `contents` holds one text for each edit that puts one, in order.
    pub async fn edit_change(&self, actor: &Actor, id: ChangeId, shown: (i64, &str), contents: &[String]) -> Result<ChangesetId> {
        let mut tx = self.db.write().await?;
        let Opened { changeset, change, user } = self.open(&mut tx, actor, id).await?;
        same(&change, shown.0, shown.1)?;
        change.state.after(Action::Revise).map_err(|e| Error::Conflict(e.to_string()))?;
        let rows: Vec<_> = changes::edits(&mut tx, changeset).await?.into_iter().filter(|e| e.change_id == id).collect();
        let before: Vec<Edit> = rows.iter().map(changes::EditRow::edit).collect();
        let edits = with_contents(before.clone(), contents)?;
        if edits == before {
            return Err(Error::Invalid("nothing was changed".to_owned()));
        }
        let quotes = self.stored_quotes(&mut tx, changeset, id).await?;
        let (risk_level, labels) = reassess(&mut tx, &change, &rows, &edits).await?;
        let number = change.revision + 1;
        let labels = serde_json::to_string(&labels).map_err(|_| Error::Internal("labels could not be written"))?;
        let revision = Revision { number, digest: change_digest(change.kind, &edits, &quotes), risk_level, labels };
        let now = self.now();
        for content in edits.iter().filter_map(|e| e.content.as_deref()) {
            commits::put_content(&mut tx, &sha256_hex(content.as_bytes()), content).await?;
        }
        changes::insert_edits(&mut tx, id, number, &edits).await?;
        changes::revise(&mut tx, &change, &revision, now).await?;
        decisions::contribute(&mut tx, id, user, "edited", now).await?;
        self.settle(&mut tx, changeset).await?;
        let payload = json!({"revision": number, "digest": revision.digest, "was": change.digest});
        self.record_change(&mut tx, actor, "change.edit", &change, &payload).await?;
        tx.commit().await?;
        Ok(changeset)
    }

    /// Checks rights, locks the changeset and reads the change.
    async fn open(&self, tx: &mut Tx, actor: &Actor, id: ChangeId) -> Result<Opened> {
        let missing = || Error::NotFound("change");
        let changeset = changes::changeset_of(tx, id).await?.ok_or_else(missing)?;
        let row = changesets::get(tx, changeset).await?.ok_or_else(missing)?;
        require(actor, Right::SeeChanges, row.store_id)?;
        let user = actor.who.person().ok_or(Error::Forbidden("only a person decides"))?;
        still_reviewed(changesets::lock(tx, changeset, self.now()).await?)?;
        let change = changes::changes(tx, changeset).await?.into_iter().find(|c| c.id == id).ok_or_else(missing)?;
        if !may_decide(actor, &change, &changes::edits(tx, changeset).await?) {
            return Err(Error::Forbidden(Right::Decide.needs()));
        }
        Ok(Opened { changeset, change, user })
    }

    /// Sets the changeset's state to what its changes mean.
    pub(crate) async fn settle(&self, tx: &mut Tx, id: ChangesetId) -> Result<()> {
        let state = derived_state(changes::changes(tx, id).await?.iter().map(|c| c.state));
        changesets::set_state(tx, id, state, self.now()).await?;
        Ok(())
    }

    async fn record_change(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        action: &'static str,
        change: &ChangeRow,
        payload: &serde_json::Value,
    ) -> Result<()> {
        let record = Record { action, subject: change.id.to_string(), store: Some(change.store_id), commit: None, payload };
        self.record(tx, actor, record).await
    }

    /// The quotes of a change in the form that the digest takes.
    pub(crate) async fn stored_quotes(
        &self,
        tx: &mut Tx,
        changeset: ChangesetId,
        change: ChangeId,
    ) -> Result<Vec<domain::changeset::Quote>> {
        let rows = evidence::of_changeset(tx, changeset).await?;
        Ok(rows.into_iter().filter(|r| r.change_id == change && !r.appendix).map(|r| quote(&r)).collect())
    }
}

/// Refuses what is done to a changeset that was withdrawn or has expired.
pub fn still_reviewed(state: ChangesetState) -> Result<()> {
    match state {
        ChangesetState::Open | ChangesetState::Closed => Ok(()),
        ended => Err(Error::Conflict(format!("this changeset is {ended}; nothing can be decided in it any more"))),
    }
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
    Err(Error::Stale(vec![stale(change, &format!("you saw revision {revision}, now it is at {}", change.revision))]))
}

pub fn stale(change: &ChangeRow, why: &str) -> Stale {
    Stale { what: format!("“{}”", change.title), why: why.to_owned() }
}

/// How many surely distinct cases are behind a change, as the engine counted them; from the plain counts where it did not say.
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

fn with_contents(mut edits: Vec<Edit>, contents: &[String]) -> Result<Vec<Edit>> {
    let mut contents = contents.iter();
    for edit in edits.iter_mut().filter(|e| e.content.is_some()) {
        let text = contents.next().ok_or_else(|| Error::Invalid("a text is missing".to_owned()))?;
        // Browsers send CRLF; it is the person's only where it stood there before.
        let had_crlf = edit.content.as_deref().is_some_and(|c| c.contains("\r\n"));
        let text = if had_crlf { text.clone() } else { text.replace("\r\n", "\n") };
        check_content(&text).map_err(|e| Error::Invalid(e.to_string()))?;
        if text.trim().is_empty() {
            return Err(Error::Invalid("a memory cannot be empty; reject the change instead".to_owned()));
        }
        edit.content = Some(text);
    }
    if contents.next().is_some() {
        return Err(Error::Invalid("there are more texts than this change has".to_owned()));
    }
    Ok(edits)
}

async fn reassess(tx: &mut Tx, change: &ChangeRow, rows: &[changes::EditRow], edits: &[Edit]) -> Result<(risk::RiskLevel, Vec<Label>)> {
    let was: Vec<Label> = serde_json::from_str(&change.labels).unwrap_or_default();
    let mut facts = risk::Facts {
        before: rows.iter().filter_map(|r| r.base_content.as_deref()).collect(),
        after: edits.iter().filter_map(|e| e.content.as_deref()).collect(),
        tool_text: was.contains(&Label::ToolText),
        merge: change.kind == ChangeKind::Merge,
        memories: edits.len(),
        ..risk::Facts::default()
    };
    for (row, edit) in rows.iter().zip(edits).filter(|(row, edit)| row.base_content != edit.content) {
        let Some(id) = edit.memory_id else { continue };
        if let Some(memory) = memories::get(tx, id).await?.filter(|m| Some(m.version_id) == row.base_version) {
            facts.human_written |= memory.by_person;
            facts.frozen |= memory.frozen;
        }
    }
    Ok(risk::assess(&facts))
}
