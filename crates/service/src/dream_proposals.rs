//! From what a dream found to a changeset: quotes are checked against the stored events, risk is
//! computed here and never taken from the distiller, and what waits already is left out.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::{
    briefing::tokens,
    canonical::{change_digest, sha256_hex},
    changeset::{ChangeKind, ChangeState, ChangesetOrigin, Contribution, Edit, Quote},
    ids::{ChangeId, ChangesetId, EvidenceId, SessionId, StoreId, UserId},
    plural,
    risk::{self, Label, RiskLevel},
};
use dream::{Change, Disposition, Finding, Input, Proposal, QuestionKind};
use serde_json::json;
use store::{
    Tx, changes, changesets, commits, decisions,
    dreams::{DreamRow, NewFinding},
    evidence,
    memories::MemoryContent,
    memory_stores,
    note_effects::{self, Met},
    sessions,
};

use crate::{
    Error, Lucid, Result,
    briefing::over_budget,
    keys::answer_for,
    pending_refresh::{no_longer_found, refresh_support},
    questions::{self, About, AboutSide, Spoken},
};

/// Quotes that a pattern of several sessions needs to be proposed at all (rule 9).
const MIN_QUOTES: usize = 2;
/// Findings that were held back of which a dream keeps where they were seen; the best supported
/// ones.
const MOST_HELD_BACK: usize = 100;
/// Places that are kept of each.
const HELD_BACK_QUOTES: usize = 3;
/// How far what a person wrote is trusted; an import is 2, an agent 1, a tool's text 0.
const PERSON_TRUST: i64 = 3;

/// The data that a dream loaded: the engine's input, and the ids that its indices mean.
pub struct Loaded {
    pub input: Input,
    /// Session ids, in the input's order.
    pub sessions: Vec<SessionId>,
    /// How far each session is trusted.
    pub trust: Vec<i64>,
    /// The accounts through which each session came: of a key, its owner's and anyone who made it.
    pub recorders: Vec<BTreeSet<UserId>>,
    /// The memories, in the input's order.
    pub memories: Vec<MemoryContent>,
    /// With which sentence model meanings were compared; none: words alone were.
    pub sentence_model: Option<String>,
    /// It looks at the whole window, not at chosen sessions: what it does not find is no longer
    /// there.
    pub whole: bool,
}

/// Risk and labels of a change that the engine proposes. `recorders` is through how many
/// independent ones its support came.
pub(crate) fn assess(
    finding: &Finding,
    change: &Change,
    memories: &[dream::Memory],
    recorders: Option<i64>,
) -> (RiskLevel, Vec<Label>) {
    let (title, standing) = (
        finding.title.as_str(),
        finding.kind == "standing_instruction",
    );
    let touched: Vec<&dream::Memory> = change
        .edits
        .iter()
        .filter_map(|e| e.memory)
        .map(|i| &memories[i])
        .collect();
    let changed = change
        .edits
        .iter()
        .filter_map(|e| e.memory.map(|i| (&memories[i], &e.content)));
    let changed: Vec<&dream::Memory> = changed
        .filter(|(m, content)| content.as_deref() != Some(&m.content))
        .map(|(m, _)| m)
        .collect();
    risk::assess(&risk::Facts {
        before: touched.iter().map(|m| m.content.as_str()).collect(),
        after: change
            .edits
            .iter()
            .filter_map(|e| e.content.as_deref())
            .collect(),
        human_written: changed.iter().any(|m| m.by_person),
        frozen: changed.iter().any(|m| m.frozen),
        names: std::iter::once(title)
            .chain(
                change
                    .edits
                    .iter()
                    .flat_map(|e| e.new_path.as_deref().into_iter().chain([e.path.as_str()])),
            )
            .collect(),
        tool_text: change.tool_text,
        single_source: recorders.is_some_and(|n| n < 2),
        standing,
        merge: change.kind == ChangeKind::Merge,
        memories: change.edits.len(),
    })
}

impl Lucid {
    /// Stores what a dream proposes as a changeset, and everything that it saw as findings, inside
    /// the dream's last transaction. The caller appends the audit entries: the audit's head is the
    /// last lock to take.
    pub(crate) async fn propose(
        &self,
        tx: &mut Tx,
        dream: &DreamRow,
        loaded: &Loaded,
        proposal: &Proposal,
    ) -> Result<Proposed> {
        let known = changes::known(tx, dream.store_id).await?;
        let waits = |f: &Finding| {
            known
                .iter()
                .any(|k| !k.conflicted && k.state.is_open() && k.fingerprint == f.fingerprint)
        };
        let mut candidates: Vec<(&Finding, Ready)> = Vec::new();
        let mut touched = HashSet::new();
        for finding in proposal
            .findings
            .iter()
            .filter(|f| f.is_proposed() && !waits(f))
        {
            if let Some(ready) = Self::ready(tx, finding, loaded, &touched).await? {
                touched.extend(
                    finding
                        .change
                        .iter()
                        .flat_map(|c| &c.edits)
                        .filter_map(|e| e.memory),
                );
                candidates.push((finding, ready));
            }
        }
        let (ready, over) =
            within_budget(tx, dream.store_id, candidates, &loaded.input.memories).await?;
        let id = self.id(ChangesetId::new);
        let mut made: Vec<(&str, ChangeId)> = Vec::new();
        let is_replaced = |k: &&changes::KnownRow| {
            k.conflicted && ready.iter().any(|(f, _)| f.fingerprint == k.fingerprint)
        };
        let replaced: Vec<(ChangeId, ChangesetId)> = known
            .iter()
            .filter(is_replaced)
            .map(|k| (k.id, k.changeset_id))
            .collect();
        put_contents(tx, &ready).await?;
        if !ready.is_empty() {
            changesets::insert(tx, &self.new_changeset(id, dream, ready.len())).await?;
            for (position, (finding, ready)) in (0..).zip(&ready) {
                let change = self
                    .insert_change(tx, (id, dream, position), finding, ready)
                    .await?;
                made.push((&finding.fingerprint, change));
            }
            self.tell_turn(tx, id, None).await?;
        }
        let mut findings: Vec<NewFinding> =
            Vec::with_capacity(proposal.findings.len() + proposal.questions.len());
        let mut held_back = 0;
        for finding in &proposal.findings {
            let shown = match finding.disposition {
                Disposition::Insight(_) | Disposition::Open => questions::QUOTES,
                Disposition::HeldBack(_) if held_back < MOST_HELD_BACK => {
                    held_back += 1;
                    HELD_BACK_QUOTES
                }
                _ => 0,
            };
            let kept = NewFinding {
                evidence: spoken(tx, finding, loaded, shown).await?,
                ..stored(finding, &made, &over, loaded)
            };
            findings.push(kept);
        }
        findings.extend(proposal.questions.iter().map(|q| question(q, loaded)));
        store::dreams::insert_findings(tx, dream.id, &findings).await?;
        let changes: Vec<ChangeId> = made.iter().map(|(_, change)| *change).collect();
        let retired = self.retire(tx, &replaced).await?;
        let appended = self.append_evidence(tx, &known, loaded, proposal).await?;
        refresh_support(tx, loaded, proposal).await?;
        if loaded.whole {
            count_note_effects(tx, dream, &known, loaded, proposal).await?;
        }
        let gone = if loaded.whole {
            no_longer_found(&known, proposal, !loaded.input.vectors.is_empty())
        } else {
            Vec::new()
        };
        let obsolete = self.retire(tx, &gone).await?;
        Ok(Proposed {
            changeset: (!changes.is_empty()).then_some(id),
            changes,
            retired,
            obsolete,
            appended,
        })
    }

    /// Makes open changes obsolete: those that a dream has proposed anew, no longer finds, or whose
    /// text is erased.
    pub(crate) async fn retire(
        &self,
        tx: &mut Tx,
        replaced: &[(ChangeId, ChangesetId)],
    ) -> Result<Vec<ChangeId>> {
        let mut retired = Vec::new();
        for &(change, changeset) in replaced {
            changesets::lock(tx, changeset, self.now()).await?;
            if changes::retire(tx, change, self.now()).await? {
                retired.push(change);
                self.settle(tx, changeset).await?;
            }
        }
        Ok(retired)
    }

    fn new_changeset(
        &self,
        id: ChangesetId,
        dream: &DreamRow,
        changes: usize,
    ) -> changesets::NewChangeset {
        changesets::NewChangeset {
            id,
            store_id: dream.store_id,
            dream_id: Some(dream.id),
            origin: ChangesetOrigin::Dream,
            title: format!(
                "{} from a dream over {}",
                plural::count(changes, "change"),
                dream.store_name
            ),
            base_revision: dream.base_revision.unwrap_or(0),
            reverts: None,
            created_by: dream.requested_by.clone(),
            created_at: self.now(),
        }
    }

    /// The change with ids in place of indices; `None` if too little of its evidence holds.
    async fn ready(
        tx: &mut Tx,
        finding: &Finding,
        loaded: &Loaded,
        touched: &HashSet<usize>,
    ) -> Result<Option<Ready>> {
        let Some(change) = &finding.change else {
            return Ok(None);
        };
        let mut quotes: Vec<Quote> = Vec::new();
        for quote in &change.quotes {
            quotes.extend(checked(tx, quote, loaded).await?);
        }
        if quotes.iter().filter(|q| !q.counter).count() < needed(finding) {
            return Ok(None);
        }
        let Some(edits) = change
            .edits
            .iter()
            .map(|e| edit(e, loaded))
            .collect::<Option<Vec<_>>>()
        else {
            return Ok(None);
        };
        let recorders = (finding.support.sessions > 0)
            .then(|| i64::try_from(finding.support.recorders).unwrap_or(i64::MAX));
        let (level, labels) = assess(finding, change, &loaded.input.memories, recorders);
        let through: BTreeSet<UserId> = change
            .quotes
            .iter()
            .flat_map(|q| &loaded.recorders[q.session])
            .copied()
            .collect();
        // As far as the least trusted of what it comes from: what only a tool said not at all, else
        // a session's, else a person's memory.
        let trust = if change.tool_text {
            0
        } else {
            change
                .quotes
                .iter()
                .map(|q| loaded.trust[q.session])
                .min()
                .unwrap_or(PERSON_TRUST)
        };
        Ok(Some(Ready {
            kind: change.kind,
            rationale: change.rationale.clone(),
            confidence_bp: change.confidence_bp,
            edits,
            quotes,
            level,
            labels,
            lost: dream::loss::of_change(change, &loaded.input.memories, touched),
            trust,
            recorders,
            through,
        }))
    }

    async fn insert_change(
        &self,
        tx: &mut Tx,
        at: (ChangesetId, &DreamRow, i64),
        finding: &Finding,
        ready: &Ready,
    ) -> Result<ChangeId> {
        let (changeset_id, dream, position) = at;
        let id = self.id(ChangeId::new);
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let labels = serde_json::to_string(&ready.labels)
            .map_err(|_| Error::Internal("labels could not be written"))?;
        let row = changes::ChangeRow {
            id,
            changeset_id,
            store_id: dream.store_id,
            position,
            kind: ready.kind,
            title: finding.title.clone(),
            rationale: ready.rationale.clone(),
            confidence_bp: ready.confidence_bp,
            state: ChangeState::Pending,
            revision: 1,
            digest: change_digest(ready.kind, &ready.edits, &ready.quotes),
            risk_level: ready.level,
            labels,
            finding: finding.kind.to_owned(),
            fingerprint: finding.fingerprint.clone(),
            support_sessions: count(finding.support.sessions),
            support_subjects: count(finding.support.subjects),
            support_tasks: count(finding.support.tasks),
            occurrences: count(finding.support.occurrences),
            eligible_sessions: count(finding.support.eligible),
            facts: json!({
                "version": 1,
                "distiller": dream.distiller,
                "found_by": finding.found_by,
                "tool_text": ready.labels.contains(&Label::ToolText),
                "lost": ready.lost,
                "trust": ready.trust,
                "distinct": finding.support.distinct(),
            })
            .to_string(),
            recorders: ready.recorders,
            defer_until: None,
            commit_id: None,
            created_at: self.now(),
            updated_at: self.now(),
            conflicted: false,
        };
        changes::insert_change(tx, &row).await?;
        changes::insert_edits(tx, id, 1, &ready.edits).await?;
        for (position, quote) in (0..).zip(&ready.quotes) {
            evidence::insert(tx, self.id(EvidenceId::new), (id, position), quote, false).await?;
        }
        // Anyone who brought the evidence does not count as approver of what rests on it (rule 5).
        for user in &ready.through {
            decisions::contribute(tx, id, *user, Contribution::Recorded, self.now()).await?;
        }
        // Instructions make a person part of the proposal; only starting a dream does not (rule 5).
        if dream.instructions.is_some() {
            for user in answer_for(tx, &dream.requested_by).await? {
                decisions::contribute(tx, id, user, Contribution::Instructed, self.now()).await?;
            }
        }
        self.carry_contributors(tx, &row, &ready.edits).await?;
        Ok(id)
    }

    /// Anyone who contributed to an earlier copy of a change contributes to this one: to one that
    /// was withdrawn, rejected or became obsolete, and to the change that first wrote what this one
    /// brings back (rule 5).
    pub(crate) async fn carry_contributors(
        &self,
        tx: &mut Tx,
        change: &changes::ChangeRow,
        edits: &[Edit],
    ) -> Result<()> {
        let mut earlier =
            changes::repeated(tx, change.store_id, change.id, &change.fingerprint).await?;
        for edit in edits {
            let Some(content) = &edit.content else {
                continue;
            };
            let place = edit.new_path.as_ref().unwrap_or(&edit.path);
            earlier.extend(
                changes::writers(tx, change.store_id, place, &sha256_hex(content.as_bytes()))
                    .await?,
            );
        }
        for from in earlier.into_iter().filter(|id| *id != change.id) {
            decisions::carry(tx, from, change.id, self.now()).await?;
        }
        Ok(())
    }
}

/// The result of a dream.
#[derive(Default)]
pub struct Proposed {
    /// The changeset, if it proposes anything.
    pub changeset: Option<ChangesetId>,
    pub changes: Vec<ChangeId>,
    /// Conflicted changes whose place they take.
    pub retired: Vec<ChangeId>,
    /// Waiting changes that no longer hold.
    pub obsolete: Vec<ChangeId>,
    /// Quotes that waiting changes got.
    pub appended: usize,
}

/// Quotes without which a finding is not proposed.
fn needed(finding: &Finding) -> usize {
    match finding.kind {
        "recurring_failure" | "workflow" | "fact_changed" => MIN_QUOTES,
        // Notes that only go elsewhere or become one rest on no session.
        "model_candidate" if finding.support.sessions > 0 => MIN_QUOTES,
        // One speaker is enough who asked for it to be remembered.
        "standing_instruction" => finding.support.distinct().min(MIN_QUOTES),
        _ => 0,
    }
}

/// Stores every content once, in the order of their hashes: two dreams that write the same ones
/// never wait for each other.
async fn put_contents(tx: &mut Tx, ready: &[(&Finding, Ready)]) -> Result<()> {
    let texts = ready
        .iter()
        .flat_map(|(_, r)| &r.edits)
        .filter_map(|e| e.content.as_deref());
    let by_hash: BTreeMap<String, &str> = texts
        .map(|text| (sha256_hex(text.as_bytes()), text))
        .collect();
    for (sha256, text) in by_hash {
        commits::put_content(tx, &sha256, text).await?;
    }
    Ok(())
}

/// A change that is ready to be stored.
struct Ready {
    kind: ChangeKind,
    rationale: String,
    confidence_bp: i64,
    edits: Vec<Edit>,
    quotes: Vec<Quote>,
    level: RiskLevel,
    labels: Vec<Label>,
    lost: dream::Loss,
    trust: i64,
    /// Through how many independent recorders the support came; `None` without sessions.
    recorders: Option<i64>,
    /// The accounts through which the quoted sessions came.
    through: BTreeSet<UserId>,
}

/// Counts how each failure went on that a note is about: before the note, with it loaded, and since
/// then without.
async fn count_note_effects(
    tx: &mut Tx,
    dream: &DreamRow,
    known: &[changes::KnownRow],
    loaded: &Loaded,
    proposal: &Proposal,
) -> Result<()> {
    note_effects::forget(tx, dream.store_id).await?;
    if proposal.noted.is_empty() {
        return Ok(());
    }
    let began = note_effects::began(tx, dream.id).await?;
    for failure in &proposal.noted {
        let is_note = |k: &&changes::KnownRow| {
            k.state == ChangeState::Committed && k.fingerprint == failure.fingerprint
        };
        let Some(change) = known.iter().rev().find(is_note).map(|k| k.id) else {
            continue;
        };
        let Some((memory, at)) = note_effects::written(tx, change).await? else {
            continue;
        };
        let with_it = note_effects::loaded(tx, memory, at).await?;
        let mut counted = [Met::default(); 3];
        for &index in &failure.used {
            let Some(session) = loaded.sessions.get(index) else {
                continue;
            };
            let is_before = began.get(session).is_none_or(|began| *began < at);
            let group = match (with_it.contains(session), is_before) {
                (true, _) => 1,
                (false, true) => 0,
                (false, false) => 2,
            };
            counted[group].used += 1;
            counted[group].met += i64::from(failure.met.contains(&index));
        }
        note_effects::put(tx, (dream.store_id, change, memory), counted).await?;
    }
    Ok(())
}

/// The quote by ids, if it is in its event (rule 9).
pub(crate) async fn checked(
    tx: &mut Tx,
    quote: &dream::Quote,
    loaded: &Loaded,
) -> Result<Option<Quote>> {
    let (Some(&session_id), Ok(seq)) = (
        loaded.sessions.get(quote.session),
        i64::try_from(quote.event + 1),
    ) else {
        return Ok(None);
    };
    let Some((event_id, event_text)) = sessions::event_at(tx, session_id, seq).await? else {
        return Ok(None);
    };
    let Some(text) = event_text.get(quote.start..quote.end) else {
        return Ok(None);
    };
    let by_id = Quote {
        session_id,
        event_id,
        start: quote.start,
        end: quote.end,
        text: text.to_owned(),
        counter: quote.counter,
    };
    Ok(by_id.holds_in(&event_text).then_some(by_id))
}

fn edit(edit: &dream::Edit, loaded: &Loaded) -> Option<Edit> {
    // What may not be written is no removal either.
    if edit
        .content
        .as_deref()
        .is_some_and(|c| domain::memory::check_content(c).is_err())
    {
        return None;
    }
    let memory = edit.memory.map(|i| &loaded.memories[i]);
    Some(Edit {
        memory_id: memory.map(|m| m.id),
        base_version: memory.map(|m| m.version_id),
        base_sha256: memory.map(|m| m.content_sha256.clone()),
        path: edit.path.parse().ok()?,
        new_path: match &edit.new_path {
            Some(path) => Some(path.parse().ok()?),
            None => None,
        },
        content: edit.content.clone(),
    })
}

/// Parts what fits the store's budget of tokens, best supported first, from what does not, with the
/// reason.
async fn within_budget<'a>(
    tx: &mut Tx,
    store: StoreId,
    candidates: Vec<(&'a Finding, Ready)>,
    memories: &[dream::Memory],
) -> Result<(Vec<(&'a Finding, Ready)>, BTreeMap<&'a str, String>)> {
    let row = memory_stores::get(tx, store).await?;
    let Some(budget) = row.and_then(|s| s.budget_tokens) else {
        return Ok((candidates, BTreeMap::new()));
    };
    let mut held = store::memories::tokens_of_store(tx, store).await?;
    let (mut ready, mut over) = (Vec::new(), BTreeMap::new());
    for (finding, one) in candidates {
        let change = finding.change.iter().flat_map(|c| &c.edits);
        let added: i64 = change
            .map(|e| {
                e.content.as_deref().map_or(0, tokens)
                    - e.memory.map_or(0, |i| tokens(&memories[i].content))
            })
            .sum();
        if added > 0 && held + added > budget {
            over.insert(
                finding.fingerprint.as_str(),
                over_budget(held, added, budget),
            );
        } else {
            held += added;
            ready.push((finding, one));
        }
    }
    Ok((ready, over))
}

/// The first quotes of what makes no change, at most this many, as JSON; those that are not found
/// in their events are left out.
async fn spoken(tx: &mut Tx, finding: &Finding, loaded: &Loaded, most: usize) -> Result<String> {
    let quotes = match &finding.change {
        Some(change) if finding.evidence.is_empty() => &change.quotes,
        _ => &finding.evidence,
    };
    let mut kept = Vec::new();
    for quote in quotes.iter().take(most) {
        let Some(held) = checked(tx, quote, loaded).await? else {
            continue;
        };
        let seq = i64::try_from(quote.event + 1).unwrap_or(i64::MAX);
        kept.push(Spoken {
            session: held.session_id,
            seq,
            start: held.start,
            end: held.end,
            counter: held.counter,
        });
    }
    Ok(json!(kept).to_string())
}

fn stored(
    finding: &Finding,
    made: &[(&str, ChangeId)],
    over: &BTreeMap<&str, String>,
    loaded: &Loaded,
) -> NewFinding {
    let asks = finding.asks.as_ref().filter(|asks| {
        domain::sensitive::sensitive_spans(asks.new.as_deref().unwrap_or_default()).is_empty()
    });
    let about = asks.map(|asks| About {
        sides: vec![AboutSide::of(
            loaded.memories[asks.memory].id,
            &asks.statement,
        )],
        new: asks.new.clone(),
        near: None,
    });
    let change_id = made
        .iter()
        .find(|(print, _)| *print == finding.fingerprint)
        .map(|(_, id)| *id);
    let reason = match (&finding.disposition, change_id) {
        (Disposition::HeldBack(reason) | Disposition::Insight(reason), _) => reason.clone(),
        (Disposition::Open, _) => {
            "nobody found a way out of it; whoever knows one can write it down".to_owned()
        }
        (Disposition::Waits, _) => "the same already waits for a decision".to_owned(),
        (Disposition::Proposed, Some(_)) => String::new(),
        (Disposition::Proposed, None) if over.contains_key(finding.fingerprint.as_str()) => {
            over[finding.fingerprint.as_str()].clone()
        }
        (Disposition::Proposed, None) => {
            "the same already waits, or its evidence did not hold".to_owned()
        }
    };
    NewFinding {
        kind: finding.kind.to_owned(),
        title: finding.title.clone(),
        fingerprint: finding.fingerprint.clone(),
        support: json!(finding.support).to_string(),
        disposition: match (change_id, &finding.disposition) {
            (Some(_), _) => "proposed",
            (None, Disposition::Insight(_)) => "insight",
            (None, Disposition::Open) => "open",
            (None, _) => "held_back",
        },
        reason,
        change_id,
        evidence: String::new(),
        about: json!(about.unwrap_or_default()).to_string(),
    }
}

/// A question as a finding that is never proposed.
fn question(question: &dream::Question, loaded: &Loaded) -> NewFinding {
    let [a, b] = question.memories.map(|i| loaded.memories[i].path.as_str());
    let sides = question
        .memories
        .iter()
        .zip(&question.statements)
        .map(|(i, said)| AboutSide::of(loaded.memories[*i].id, said))
        .collect();
    let (kind, what) = match question.kind {
        QuestionKind::Contradiction => ("contradiction", "say different things of the same"),
        QuestionKind::Similar => ("similar_statements", "are alike, not the same"),
    };
    let place = if a == b {
        format!("both stand in {a}")
    } else {
        format!("they stand in {a} and {b}")
    };
    NewFinding {
        kind: kind.to_owned(),
        title: question.title.clone(),
        fingerprint: question.fingerprint(),
        support: json!({"occurrences": 2}).to_string(),
        disposition: "question",
        reason: format!("a question for a person: {place}, and {what}"),
        change_id: None,
        evidence: "[]".to_owned(),
        about: json!(About {
            sides,
            new: None,
            near: question.near.map(i64::from)
        })
        .to_string(),
    }
}
