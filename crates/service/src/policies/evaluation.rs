//! Asking the policies about changes: what is known of a change, what the active versions say of
//! it, and what those in shadow would have done. It is asked when a change is proposed or edited,
//! when a policy starts or stops, once a day, and again inside the transaction that applies the
//! change.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
};

use domain::{
    Timestamp,
    changeset::{ChangesetOrigin, Contribution},
    ids::{ChangeId, ChangesetId, PolicyId, StoreId, UserId},
    policy::{
        Effect, Engine, Figure, FindingKind, Input, Member, Outcome, OutcomeKind, PolicyFile,
        PolicySet, VersionState, Writer,
    },
    risk::Label,
    statement,
};
use store::{
    Tx, audit_log,
    changes::{self, ChangeRow, EditRow},
    changesets,
    decisions::Contributor,
    memories, memory_stores,
    policies::{self, VersionRow},
    policy_outcomes::{self, NewOutcome},
    sessions, settings,
};

use crate::{
    Error, Lucid, Result, assessment::stays, changesets::touched, independence::Identities,
    keys::answer_for, people::is_solo,
};

/// The setting that counts how often the policies in force have changed.
const EPOCH: &str = "policy_epoch";
/// Changes that one transaction asks about.
const A_ROUND: i64 = 50;
/// An open change is asked about again after so long: who read a memory, and what people approved
/// recently, moves on by itself.
const AGAIN_SECONDS: i64 = 86_400;
/// How far back readers and approvals are looked at.
const RECENT_DAYS: i64 = 30;
/// Seconds between two looks at the open changes while the audit has no new entry.
const IDLE_SECONDS: i64 = 60;

/// The policies that are asked.
pub struct Policies {
    pub active: PolicySet,
    /// When each became active.
    pub since: BTreeMap<PolicyId, Timestamp>,
    shadows: Vec<Member>,
    authors: BTreeMap<(PolicyId, i64), Vec<UserId>>,
    identities: Identities,
    solo: bool,
    /// How often this has changed.
    epoch: i64,
}

/// A stored version in the form that is asked.
pub fn member(row: &VersionRow) -> Result<Member> {
    Ok(Member::new(
        row.policy_id,
        &row.name,
        row.number,
        &file_of(row)?,
    ))
}

/// Returns what a stored version says.
pub fn file_of(row: &VersionRow) -> Result<PolicyFile> {
    serde_json::from_str(&row.content).map_err(|_| {
        Error::Internal("a version of a policy cannot be read; a newer Lucid wrote it")
    })
}

impl Policies {
    /// Reads the active policies and those in shadow.
    pub async fn read(tx: &mut Tx, now: Timestamp) -> Result<Self> {
        // First, so that an answer of older policies is never kept under a newer number.
        let epoch = epoch(tx).await?;
        let active = policies::in_state(tx, VersionState::Active).await?;
        // Of a version that has expired, what it forbids stays forbidden until it is retired.
        // So it does of one that paused itself: what an admin pauses, they pause as a whole.
        let in_force = |row: &VersionRow| {
            let mut file = file_of(row)?;
            if row.state == VersionState::Paused
                || file.applying.expires_at().is_some_and(|ends| ends <= now)
            {
                file.rules.retain(|rule| rule.effect == Effect::Forbid);
            }
            Ok(Member::new(row.policy_id, &row.name, row.number, &file))
        };
        let mut paused = policies::in_state(tx, VersionState::Paused).await?;
        paused.retain(|row| !row.note.is_empty());
        let members = active
            .iter()
            .chain(&paused)
            .map(in_force)
            .collect::<Result<_>>()?;
        let shadows = policies::in_state(tx, VersionState::Shadow)
            .await?
            .iter()
            .map(member)
            .collect::<Result<_>>()?;
        let mut authors: BTreeMap<(PolicyId, i64), Vec<UserId>> = BTreeMap::new();
        for row in policies::authors(tx).await? {
            authors
                .entry((row.policy_id, row.number))
                .or_default()
                .push(row.user_id);
        }
        Ok(Self {
            since: active
                .iter()
                .map(|row| (row.policy_id, row.state_since))
                .collect(),
            active: PolicySet(members),
            shadows,
            authors,
            identities: Identities::read(tx).await?,
            solo: is_solo(tx).await?,
            epoch,
        })
    }

    /// The policies of a set whose authors contributed to a change, or recorded what backs it
    /// since: they do not allow it.
    pub fn of_contributors(
        &self,
        set: &PolicySet,
        hands: &[Contributor],
        change: ChangeId,
        since: &[UserId],
    ) -> BTreeSet<PolicyId> {
        let had_part = |author: &UserId| {
            self.identities.contributed(hands, change, *author)
                || since
                    .iter()
                    .any(|user| self.identities.same(*user, *author))
        };
        let contributed = |member: &&Member| {
            let authors = self.authors.get(&(member.policy, member.version));
            !self.solo && authors.into_iter().flatten().any(had_part)
        };
        set.0
            .iter()
            .filter(contributed)
            .map(|member| member.policy)
            .collect()
    }

    /// The version that applies an allowed change first, and from when on.
    pub fn first_due(
        &self,
        outcome: &Outcome,
        allowed_since: Timestamp,
    ) -> Option<(PolicyId, i64, Timestamp)> {
        let due = |member: &&Member| {
            (
                self.due(member, allowed_since),
                member.policy,
                member.version,
            )
        };
        self.active
            .allowing(outcome)
            .iter()
            .map(due)
            .min()
            .map(|(at, policy, version)| (policy, version, at))
    }
}

impl Policies {
    /// When a version may apply a change that has been allowed since then: its cooling-off begins
    /// neither before that nor before the version became active.
    pub fn due(&self, member: &Member, allowed_since: Timestamp) -> Timestamp {
        let active_since = self
            .since
            .get(&member.policy)
            .copied()
            .unwrap_or(allowed_since);
        member.applying.due(active_since.max(allowed_since))
    }
}

/// How often the policies in force have changed.
pub async fn epoch(tx: &mut Tx) -> Result<i64> {
    Ok(settings::get(tx, EPOCH)
        .await?
        .and_then(|n| n.parse().ok())
        .unwrap_or(0))
}

/// Counts a change of the policies in force, so that every open change is asked about again. Under
/// the lock of all rights.
pub async fn next_epoch(tx: &mut Tx) -> Result<()> {
    let next = epoch(tx).await? + 1;
    Ok(settings::put(tx, EPOCH, &next.to_string()).await?)
}

impl Lucid {
    /// Asks the policies about every open change that has to be asked about, then applies what is
    /// due. Any number of processes may do it.
    #[tracing::instrument(skip_all)]
    pub async fn keep_policies(&self) -> Result<()> {
        if self.is_to_ask().await? {
            self.retire_expired().await?;
            while self.ask_policies().await? {}
        }
        self.apply_due().await
    }

    /// True if anything was written since the last look, or that was long ago.
    async fn is_to_ask(&self) -> Result<bool> {
        let head = audit_log::head(&mut self.db.read().await?).await?.seq;
        // Both in one number: entries grow, and the minute comes round at least.
        let mark = head
            .wrapping_mul(1 << 20)
            .wrapping_add(self.now().0 / 1_000_000 / IDLE_SECONDS % (1 << 20));
        Ok(self.asked_of.swap(mark, Ordering::Relaxed) != mark)
    }

    /// Asks about a round of changes; false if there was nothing to ask.
    #[tracing::instrument(skip_all)]
    pub async fn ask_policies(&self) -> Result<bool> {
        let now = self.now();
        let mut tx = self.db.read().await?;
        let before = now.plus_seconds(-AGAIN_SECONDS);
        let current = epoch(&mut tx).await?;
        let to_ask = policy_outcomes::to_ask(&mut tx, current, before, A_ROUND).await?;
        let to_read = policy_outcomes::to_read(&mut tx, A_ROUND).await?;
        drop(tx);
        if to_ask.is_empty() && to_read.is_empty() {
            return Ok(false);
        }
        let mut tx = self.db.background().await?;
        let policies = Policies::read(&mut tx, now).await?;
        let mut by_changeset: BTreeMap<ChangesetId, BTreeSet<ChangeId>> = BTreeMap::new();
        for (change, changeset) in to_ask.into_iter().chain(to_read) {
            by_changeset.entry(changeset).or_default().insert(change);
        }
        for (changeset, wanted) in by_changeset {
            self.ask_about(&mut tx, &policies, changeset, &wanted)
                .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    async fn ask_about(
        &self,
        tx: &mut Tx,
        policies: &Policies,
        changeset: ChangesetId,
        wanted: &BTreeSet<ChangeId>,
    ) -> Result<()> {
        let Some(row) = changesets::get(tx, changeset).await? else {
            return Ok(());
        };
        let edits = changes::edits(tx, changeset).await?;
        let hands = store::decisions::contributors_of_changeset(tx, changeset).await?;
        for change in changes::changes(tx, changeset)
            .await?
            .into_iter()
            .filter(|c| wanted.contains(&c.id))
        {
            // Of the past, what was known when it was proposed.
            let at = if change.state.is_open() {
                self.now()
            } else {
                change.created_at
            };
            let input = input_of(tx, &change, &edits, row.origin, &hands, at).await?;
            let text = serde_json::to_string(&input)
                .map_err(|_| Error::Internal("an input could not be written"))?;
            policy_outcomes::put_input(tx, change.id, change.revision, &text, self.now()).await?;
            if change.state.is_open() {
                self.keep_outcomes(tx, policies, &change, &hands, &input)
                    .await?;
            }
        }
        Ok(())
    }

    async fn keep_outcomes(
        &self,
        tx: &mut Tx,
        policies: &Policies,
        change: &ChangeRow,
        hands: &[Contributor],
        input: &Input,
    ) -> Result<()> {
        let since = recorded_since(tx, change.id).await?;
        let ask = |set: &PolicySet| {
            set.evaluate(
                input,
                &policies.of_contributors(set, hands, change.id, &since),
            )
        };
        let outcome = ask(&policies.active);
        let why = detail(&outcome)?;
        let before = policy_outcomes::allowed_since(tx, change.id, change.revision).await?;
        let allowed_since = outcome
            .is_allowed()
            .then(|| before.unwrap_or_else(|| self.now()));
        let kept = NewOutcome {
            change: change.id,
            revision: change.revision,
            outcome: OutcomeKind::of(&outcome),
            detail: &why,
            by: allowed_since.and_then(|since| policies.first_due(&outcome, since)),
            epoch: policies.epoch,
            at: self.now(),
            allowed_since,
        };
        policy_outcomes::put(tx, &kept).await?;
        for shadow in &policies.shadows {
            let outcome = ask(&policies.active.with(shadow.clone()));
            let why = detail(&outcome)?;
            let said = NewOutcome {
                outcome: OutcomeKind::of(&outcome),
                detail: &why,
                by: None,
                ..kept.clone()
            };
            policy_outcomes::put_shadow(tx, (shadow.policy, shadow.version), &said).await?;
        }
        Ok(())
    }
}

/// The people through whom quotes came that a change got after it was proposed. They may approve
/// it, for its digest does not cover these; but a rule of theirs does not apply it, for its figures
/// count them.
pub async fn recorded_since(tx: &mut Tx, change: ChangeId) -> Result<Vec<UserId>> {
    let mut people = Vec::new();
    for session in policy_outcomes::appended(tx, change).await? {
        for recorder in sessions::recorders(tx, session).await? {
            people.extend(answer_for(tx, &recorder).await?);
        }
    }
    Ok(people)
}

/// An outcome as it is stored.
pub fn detail(outcome: &Outcome) -> Result<String> {
    serde_json::to_string(outcome).map_err(|_| Error::Internal("an outcome could not be written"))
}

/// Returns what is known of a change at a time.
pub async fn input_of(
    tx: &mut Tx,
    change: &ChangeRow,
    edits: &[EditRow],
    origin: ChangesetOrigin,
    hands: &[Contributor],
    at: Timestamp,
) -> Result<Input> {
    let own: Vec<&EditRow> = edits.iter().filter(|e| e.change_id == change.id).collect();
    let since = at.plus_seconds(-RECENT_DAYS * 86_400);
    let bases = policy_outcomes::bases(tx, change.id, change.revision, since).await?;
    let spoken = policy_outcomes::spoken(tx, change.id).await?;
    // What cannot be read might be a label that only a person may pass.
    let labels_read: Option<BTreeSet<Label>> = serde_json::from_str(&change.labels).ok();
    let unreadable = labels_read.is_none();
    let mut labels = labels_read.unwrap_or_default();
    if bases.iter().any(|base| base.frozen) {
        labels.insert(Label::Frozen);
    }
    let facts: serde_json::Value = serde_json::from_str(&change.facts).unwrap_or_default();
    let by_people = hands
        .iter()
        .any(|h| h.change_id == change.id && h.how == Contribution::Edited);
    let mut input = Input::new(change.store_id, change.kind, change.risk_level);
    input.paths = touched(change, edits)
        .into_iter()
        .map(str::to_owned)
        .collect();
    input.agents = if spoken.iter().any(|(agent, ..)| agent.is_none()) {
        BTreeSet::new()
    } else {
        spoken
            .iter()
            .filter_map(|(agent, ..)| agent.clone())
            .collect()
    };
    input.engines = engines(&facts);
    input.finding = Some(FindingKind::of(&change.finding));
    input.labels = labels;
    input.last_writer = last_writer(&own, &bases);
    input.figures = figures(change, &own, &bases, &spoken);
    // What people and agents propose, answers to questions, and what a person edited, people decide
    // on.
    let loss_unknown = facts["lost"].is_null()
        && input
            .figures
            .get(&Figure::StatementsRemoved)
            .is_some_and(|n| *n > 0);
    input.needs_person = origin != ChangesetOrigin::Dream
        || by_people
        || unreadable
        || loss_unknown
        || input.last_writer.is_none();
    input.over_loss_budget = is_over_loss_budget(tx, change, at).await?;
    input.approved_recently = bases.iter().any(|base| base.approved_recently);
    Ok(input)
}

fn engines(facts: &serde_json::Value) -> BTreeSet<Engine> {
    let engine = |name: &str| {
        if name == "builtin" {
            Engine::BuiltIn
        } else {
            Engine::Model
        }
    };
    facts["found_by"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str())
        .map(engine)
        .collect()
}

/// Returns who wrote last what is altered; the most protected of several, and nothing as soon as
/// one is not known.
fn last_writer(edits: &[&EditRow], bases: &[policy_outcomes::BaseRow]) -> Option<Writer> {
    let altered = edits
        .iter()
        .filter(|e| e.base_version.is_some() && !stays(&e.edit()))
        .count();
    if altered == 0 {
        return Some(Writer::Nobody);
    }
    let of = |base: &policy_outcomes::BaseRow| match base.origin {
        _ if base.by_person => Writer::Person,
        Some(ChangesetOrigin::Dream | ChangesetOrigin::Revert) => Writer::Dream,
        Some(ChangesetOrigin::Person) => Writer::Person,
        // By an agent through the queue, or past it: by a key, or by the command line, which says
        // whether a person wrote it.
        _ => Writer::Agent,
    };
    if bases.len() < altered {
        return None;
    }
    bases.iter().map(of).max()
}

fn figures(
    change: &ChangeRow,
    edits: &[&EditRow],
    bases: &[policy_outcomes::BaseRow],
    spoken: &[(Option<String>, i64, i64)],
) -> BTreeMap<Figure, u32> {
    let count = |n: i64| u32::try_from(n.max(0)).unwrap_or(u32::MAX);
    let sized = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let (mut before, mut after, mut bytes) = (Vec::new(), Vec::new(), 0);
    for edit in edits {
        let (old, new) = (
            edit.base_content.as_deref().unwrap_or_default(),
            edit.content.as_deref().unwrap_or_default(),
        );
        before.extend(statement::statements(old));
        after.extend(statement::statements(new));
        bytes += changed_bytes(old, new);
    }
    let against: i64 = spoken.iter().map(|s| s.1).sum();
    let quotes: i64 = spoken.iter().map(|s| s.2).sum();
    let agents = spoken.iter().filter(|s| s.0.is_some()).count();
    let mut all = BTreeMap::from([
        (Figure::Confidence, count(change.confidence_bp)),
        (Figure::Sessions, count(change.support_sessions)),
        (Figure::Quotes, count(quotes - against)),
        (Figure::CounterQuotes, count(against)),
        (
            Figure::StatementsRemoved,
            sized(statement::lost(&before, &after).len()),
        ),
        (Figure::BytesChanged, sized(bytes)),
        (
            Figure::Readers,
            count(bases.iter().map(|base| base.readers).max().unwrap_or(0)),
        ),
    ]);
    // Nobody said whose the sessions were, what they were about, or whose agents: these numbers are
    // not known.
    let known = [
        (Figure::Users, change.support_subjects),
        (Figure::Tasks, change.support_tasks),
    ];
    all.extend(
        known
            .into_iter()
            .filter(|(_, n)| *n > 0)
            .map(|(figure, n)| (figure, count(n))),
    );
    all.extend((agents > 0).then(|| (Figure::Agents, sized(agents))));
    all.extend(change.recorders.map(|n| (Figure::Recorders, count(n))));
    all
}

/// Bytes of the lines that are only in one of two texts.
fn changed_bytes(old: &str, new: &str) -> usize {
    let mut lines: BTreeMap<&str, i64> = BTreeMap::new();
    for line in old.lines() {
        *lines.entry(line).or_default() -= 1;
    }
    for line in new.lines() {
        *lines.entry(line).or_default() += 1;
    }
    lines
        .iter()
        .map(|(line, n)| {
            line.len()
                .saturating_add(1)
                .saturating_mul(usize::try_from(n.unsigned_abs()).unwrap_or(0))
        })
        .sum()
}

/// True if what dreams have lost of the store in 30 days, and what waits would lose, is more than
/// they may (rule 11). A change that loses nothing is never over it, and neither is any while an
/// admin has a clean-up open.
async fn is_over_loss_budget(tx: &mut Tx, change: &ChangeRow, at: Timestamp) -> Result<bool> {
    let loses = |facts: &str| -> dream::Loss {
        let facts: serde_json::Value = serde_json::from_str(facts).unwrap_or_default();
        serde_json::from_value(facts["lost"].clone()).unwrap_or_default()
    };
    if loses(&change.facts) == dream::Loss::default() {
        return Ok(false);
    }
    let store: StoreId = change.store_id;
    let clean_up = memory_stores::get(tx, store)
        .await?
        .and_then(|s| s.clean_up_until)
        .is_some_and(|until| until > at);
    if clean_up {
        return Ok(false);
    }
    let lost = changes::facts_of_dreams(tx, store, at.plus_seconds(-RECENT_DAYS * 86_400)).await?;
    let lost = lost
        .iter()
        .map(|facts| loses(facts))
        .fold(dream::Loss::default(), dream::Loss::and);
    let mut said = dream::Loss::default();
    for memory in memories::contents_of_store(tx, store).await? {
        for one in statement::statements(&memory.content) {
            said = said.and(dream::Loss {
                statements: 1,
                bytes: one.len(),
            });
        }
    }
    Ok(!lost.is_within(said))
}
