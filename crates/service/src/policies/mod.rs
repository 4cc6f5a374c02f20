//! Auto-apply policies: what people see of them. Writing them is in `life`, asking them in
//! `asking`, and what they do in `applying`; `watching` is for the people who look after it,
//! `stops` for what keeps them from applying.

mod applying;
mod evaluation;
mod lifecycle;
mod monitoring;
mod stops;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    changeset::ChangeState,
    ids::{ChangeId, ChangesetId, PolicyId, StoreId},
    policy::{
        BackTest, Difference, Fate, Input, Member, Outcome, OutcomeKind, PRESETS, Past, PolicyFile,
        PolicySet, Preset, Report, Rule, VersionState, Wider, back_test, differences, wider,
    },
    rights::Action,
};
use serde_json::json;
use store::{
    Tx, changes,
    policies::{self, AuthorRow, BackTestRow, StopRow, VersionRow},
    policy_outcomes::{self, ApplicationRow, OutcomeRow, PastRow, SumRow},
};

pub(crate) use self::evaluation::Policies;
pub use self::{
    lifecycle::weaker,
    stops::{Frozen, NewFreeze, SetStop},
};
use crate::{Error, Lucid, Result, names::Names, require_in_general};

/// How far back the figures of a policy go, in days.
const FIGURE_DAYS: i64 = 30;
/// How far back presets are tried, in days.
pub const PRESET_DAYS: i64 = 90;
/// Most changes that a back-test replays.
const MOST_REPLAYED: i64 = 10_000;
/// Most days that a back-test goes back.
const MOST_DAYS: i64 = 3_650;
/// Most changes of the queue that a draft is tried on.
const MOST_TRIED: i64 = 200;
/// Changes that a policy's page lists of those that it applied.
const LISTED: i64 = 20;

/// All policies, and what is to be seen of them together.
#[derive(Debug, Clone)]
pub struct PoliciesView {
    /// Each policy, by name.
    pub policies: Vec<PolicySummary>,
    /// The stops that hold in stores that the actor knows, with the names of who set them.
    pub stops: Vec<(StopRow, String)>,
    /// Freezes that hold or will.
    pub freezes: Vec<Frozen>,
    /// Changes on which people decided in the last 30 days.
    pub by_people: i64,
    /// True if the actor may write policies.
    pub may_manage: bool,
    /// True if the actor may stop them.
    pub may_stop: bool,
}

/// A policy in a list.
#[derive(Debug, Clone)]
pub struct PolicySummary {
    pub id: PolicyId,
    pub name: String,
    /// The version in force, or else the one to come, or else the last.
    pub version: VersionRow,
    /// A draft or a version in shadow beside the one in force.
    pub to_come: Option<VersionRow>,
    pub file: PolicyFile,
    /// What it did in the last 30 days.
    pub did: Option<SumRow>,
    /// What its version in shadow would have done in the last 30 days.
    pub shadow: Option<ShadowSums>,
}

/// The sums of what a version in shadow would have done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShadowSums {
    /// Changes that it was asked about.
    pub asked: i64,
    /// Of these, changes that it would have applied.
    pub allowed: i64,
    /// Of these, changes that people rejected.
    pub rejected: i64,
    /// Of these, changes that people approved.
    pub approved: i64,
}

/// A policy with one of its versions.
#[derive(Debug, Clone)]
pub struct PolicyView {
    /// The policy in one line.
    pub summary: PolicySummary,
    /// The version that is shown.
    pub version: VersionRow,
    pub file: PolicyFile,
    pub authors: Vec<String>,
    pub tests: Report,
    pub back_test: Option<BackTested>,
    /// What it would do with the changes that wait now.
    pub against_queue: Vec<WouldApply>,
    /// What differs from the version in force.
    pub differences: Vec<Difference>,
    /// The version in force that it would take the place of.
    pub in_force: Option<i64>,
    /// Tells whether its rules apply a change that the version in force does not.
    pub wider: Option<Wider>,
    /// In which ways it applies more, sooner or less watched than that.
    pub looser: Vec<String>,
    /// What the policy applied last, the newest first.
    pub applied: Vec<ApplicationRow>,
    /// Every version, the newest first.
    pub versions: Vec<VersionRow>,
}

/// A back-test as people see it.
#[derive(Debug, Clone)]
pub struct BackTested {
    pub row: BackTestRow,
    pub run_by: String,
    pub report: BackTest,
    /// True if it is of the text that the version has now.
    pub current: bool,
    /// Title and changeset of the changes that it names.
    pub titles: BTreeMap<ChangeId, (String, ChangesetId)>,
}

/// The effect that a version would have on a pending change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WouldApply {
    pub change: ChangeId,
    pub changeset: ChangesetId,
    pub title: String,
    pub outcome: Outcome,
}

/// The answer of the policies about a change, as the desk and the queue show it.
#[derive(Debug, Clone)]
pub struct Answered {
    pub row: OutcomeRow,
    pub outcome: Outcome,
}

impl Lucid {
    /// Every policy with what it did.
    #[tracing::instrument(skip_all)]
    pub async fn policies(&self, actor: &Actor) -> Result<PoliciesView> {
        require_in_general(actor, Action::SeePolicies)?;
        let visible = actor.visible(Action::SeeChanges);
        let since = self.now().plus_seconds(-FIGURE_DAYS * 86_400);
        let mut tx = self.db.read().await?;
        let all = policies::all(&mut tx).await?;
        let sums = policy_outcomes::sums(&mut tx, since, visible).await?;
        let shadows = policy_outcomes::shadows(&mut tx, since, visible).await?;
        let by_people = policy_outcomes::decided_by_people(&mut tx, since, visible).await?;
        let scopes_seen = |row: &StopRow| {
            row.scope == "all" || row.scope.parse().is_ok_and(|store| actor.knows(store))
        };
        let stops: Vec<StopRow> = policies::stops(&mut tx)
            .await?
            .into_iter()
            .filter(scopes_seen)
            .collect();
        let names = Names::of_actors(&mut tx, stops.iter().map(|s| s.stopped_by.as_str())).await?;
        drop(tx);
        let mut by_policy: BTreeMap<(String, PolicyId), Vec<VersionRow>> = BTreeMap::new();
        for row in all {
            by_policy
                .entry((row.name.clone(), row.policy_id))
                .or_default()
                .push(row);
        }
        let summaries = by_policy
            .into_values()
            .map(|versions| summary(&versions, &sums, &shadows))
            .collect::<Result<_>>()?;
        Ok(PoliciesView {
            policies: summaries,
            stops: stops
                .into_iter()
                .map(|s| {
                    let by = names.of(&s.stopped_by);
                    (s, by)
                })
                .collect(),
            freezes: self.freezes(actor).await?,
            by_people,
            may_manage: actor.may_in_general(Action::ManagePolicies),
            may_stop: actor.may_in_general(Action::StopPolicies),
        })
    }

    /// A policy with one of its versions; without a number, the one that is to come, or else the
    /// newest.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn policy(
        &self,
        actor: &Actor,
        id: PolicyId,
        number: Option<i64>,
    ) -> Result<PolicyView> {
        require_in_general(actor, Action::SeePolicies)?;
        let visible = actor.visible(Action::SeeChanges);
        let since = self.now().plus_seconds(-FIGURE_DAYS * 86_400);
        let mut tx = self.db.read().await?;
        let versions = policies::of_policy(&mut tx, id).await?;
        let version = match number {
            Some(number) => versions.iter().find(|v| v.number == number),
            None => versions.first(),
        };
        let version = version.cloned().ok_or(Error::NotFound("policy"))?;
        let sums = policy_outcomes::sums(&mut tx, since, visible).await?;
        let shadows = policy_outcomes::shadows(&mut tx, since, visible).await?;
        let summary = summary(&versions, &sums, &shadows)?;
        let file = seen_by(actor, evaluation::file_of(&version)?);
        let wrote = |a: &AuthorRow| (a.policy_id, a.number) == (id, version.number);
        let authors = policies::authors(&mut tx)
            .await?
            .into_iter()
            .filter(wrote)
            .map(|a| a.name)
            .collect();
        // What a back-test counts is of stores that not everybody sees.
        let sees_all = file
            .stores()
            .is_some_and(|stores| stores.iter().all(|store| actor.knows(*store)));
        let back_test = match policies::last_back_test(&mut tx, id, version.number).await? {
            Some(row) if sees_all || actor.may_in_general(Action::ManagePolicies) => {
                Some(back_tested(&mut tx, actor, row, &version).await?)
            }
            _ => None,
        };
        let active = evaluation::Policies::read(&mut tx, self.now())
            .await?
            .active;
        let open = policy_outcomes::open_inputs(&mut tx, visible, MOST_TRIED).await?;
        let against_queue = against(&active, &evaluation::member(&version)?, open);
        let before = versions.iter().find(|v| {
            v.number != version.number
                && matches!(v.state, VersionState::Active | VersionState::Paused)
        });
        let before_file = before
            .map(evaluation::file_of)
            .transpose()?
            .map(|file| seen_by(actor, file));
        let rules = |file: &PolicyFile| file.rules.clone();
        Ok(PolicyView {
            authors,
            tests: file.run(),
            back_test,
            against_queue,
            differences: before_file
                .as_ref()
                .map(|b| differences(b, &file))
                .unwrap_or_default(),
            in_force: before.map(|v| v.number),
            wider: before_file
                .as_ref()
                .map(|b| wider(&rules(b), &rules(&file))),
            looser: before_file
                .as_ref()
                .map(|b| file.applying.looser_than(&b.applying))
                .unwrap_or_default(),
            applied: policy_outcomes::applications_by(&mut tx, id, visible, LISTED).await?,
            summary,
            version,
            file,
            versions,
        })
    }

    /// Policies of the actor's own that paused themselves: the inbox tells it.
    #[tracing::instrument(skip_all)]
    pub async fn paused_policies(&self, actor: &Actor) -> Result<Vec<VersionRow>> {
        let Some(me) = actor.who.person() else {
            return Ok(Vec::new());
        };
        let mut paused =
            policies::in_state(&mut self.db.read().await?, VersionState::Paused).await?;
        paused.retain(|row| row.owner_id == me && !row.note.is_empty());
        Ok(paused)
    }

    /// Returns what a file that is not saved would do with the changes that wait now, beside the
    /// active policies.
    #[tracing::instrument(skip_all)]
    pub async fn try_policy(&self, actor: &Actor, file: &PolicyFile) -> Result<Vec<WouldApply>> {
        require_in_general(actor, Action::SeePolicies)?;
        file.check().map_err(Error::Invalid)?;
        let mut tx = self.db.read().await?;
        let open =
            policy_outcomes::open_inputs(&mut tx, actor.visible(Action::SeeChanges), MOST_TRIED)
                .await?;
        let known = policies::by_name(&mut tx, file.name.trim()).await?;
        let id = known.unwrap_or(PolicyId(uuid::Uuid::nil()));
        let active = evaluation::Policies::read(&mut tx, self.now())
            .await?
            .active;
        Ok(against(
            &active,
            &Member::new(id, &file.name, 0, file),
            open,
        ))
    }

    /// Returns what each preset would have done with the changes of the last 90 days, in a store or
    /// in all that the actor sees, beside the active policies. Nothing is kept.
    #[tracing::instrument(skip_all)]
    pub async fn try_presets(
        &self,
        actor: &Actor,
        store: Option<StoreId>,
    ) -> Result<Vec<(&'static Preset, BackTest)>> {
        require_in_general(actor, Action::ManagePolicies)?;
        let since = self.now().plus_seconds(-PRESET_DAYS * 86_400);
        let mut tx = self.db.read().await?;
        let rows = policy_outcomes::past(
            &mut tx,
            since,
            actor.visible(Action::SeeChanges),
            MOST_REPLAYED,
        )
        .await?;
        let past: Vec<Past> = rows
            .iter()
            .filter_map(past_of)
            .filter(|p| store.is_none_or(|s| s == p.input.store))
            .collect();
        let active = evaluation::Policies::read(&mut tx, self.now())
            .await?
            .active;
        let one = |preset: &'static Preset| {
            let member = Member::new(
                PolicyId(uuid::Uuid::nil()),
                preset.name,
                0,
                &preset.file(store.as_slice()),
            );
            (preset, back_test(&active, &member, &past))
        };
        Ok(PRESETS.iter().map(one).collect())
    }

    /// Replays the changes of the last days through a version, beside the active policies, and
    /// keeps the report: those of stores that anyone who runs it sees.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn back_test_policy(
        &self,
        actor: &Actor,
        id: PolicyId,
        number: i64,
        days: i64,
    ) -> Result<BackTest> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_in_installation(Action::ManagePolicies)?;
        if !(1..=MOST_DAYS).contains(&days) {
            return Err(Error::Invalid(format!(
                "a back-test goes back 1 to {MOST_DAYS} days"
            )));
        }
        let version = lifecycle::version(&mut tx, id, number).await?;
        let since = self.now().plus_seconds(-days * 86_400);
        let rows = policy_outcomes::past(
            &mut tx,
            since,
            actor.visible(Action::SeeChanges),
            MOST_REPLAYED,
        )
        .await?;
        let past: Vec<Past> = rows.iter().filter_map(past_of).collect();
        let active = evaluation::Policies::read(&mut tx, self.now())
            .await?
            .active;
        let report = back_test(&active, &evaluation::member(&version)?, &past);
        let row = BackTestRow {
            sha256: version.sha256,
            days,
            run_by: actor.who.to_string(),
            run_at: self.now(),
            report: serde_json::to_string(&report)
                .map_err(|_| Error::Internal("a report could not be written"))?,
        };
        policies::put_back_test(&mut tx, id, number, &row).await?;
        let payload = json!({"version": number, "sha256": row.sha256, "days": days, "replayed": report.replayed, "applied": report.applied});
        self.record_policy(&mut tx, right, AuditAction::PolicyBackTest, id, &payload)
            .await?;
        tx.commit().await?;
        Ok(report)
    }

    /// Returns what the policies say of the changes of some changesets that the actor sees, by
    /// change; and what they applied.
    #[tracing::instrument(skip_all)]
    pub async fn policy_answers(
        &self,
        actor: &Actor,
        ids: &[ChangesetId],
    ) -> Result<(
        BTreeMap<ChangeId, Answered>,
        BTreeMap<ChangeId, ApplicationRow>,
    )> {
        require_in_general(actor, Action::SeePolicies)?;
        let mut tx = self.db.read().await?;
        let answered = |row: OutcomeRow| {
            Some((
                row.change_id,
                Answered {
                    outcome: serde_json::from_str(&row.detail).ok()?,
                    row,
                },
            ))
        };
        let answers = policy_outcomes::of_changesets(&mut tx, ids)
            .await?
            .into_iter()
            .filter_map(answered)
            .collect();
        let applied = policy_outcomes::applications_of(&mut tx, ids)
            .await?
            .into_iter()
            .map(|a| (a.change_id, a))
            .collect();
        Ok((answers, applied))
    }
}

/// A policy as somebody sees it: without the rules and cases of stores that they do not know.
fn seen_by(actor: &Actor, mut file: PolicyFile) -> PolicyFile {
    for (n, rule) in file.rules.iter_mut().enumerate() {
        if !rule.stores.is_empty() && !rule.stores.iter().any(|store| actor.knows(*store)) {
            *rule = Rule::new(
                &format!("rule {} is for stores that you do not see", n + 1),
                rule.effect,
            );
        }
    }
    let nowhere = StoreId(uuid::Uuid::nil());
    file.tests
        .retain(|case| case.change.store == nowhere || actor.knows(case.change.store));
    file
}

fn summary(
    versions: &[VersionRow],
    sums: &[SumRow],
    shadows: &[policy_outcomes::ShadowRow],
) -> Result<PolicySummary> {
    let newest = versions.first().ok_or(Error::NotFound("policy"))?;
    let in_force = versions
        .iter()
        .find(|v| matches!(v.state, VersionState::Active | VersionState::Paused));
    let to_come = versions
        .iter()
        .find(|v| matches!(v.state, VersionState::Draft | VersionState::Shadow));
    let version = in_force.or(to_come).unwrap_or(newest).clone();
    let shadow = to_come
        .filter(|v| v.state == VersionState::Shadow)
        .map(|v| {
            let own = shadows
                .iter()
                .filter(|s| (s.policy_id, s.number) == (v.policy_id, v.number));
            own.fold(ShadowSums::default(), |mut sums, row| {
                sums.asked += row.times;
                if row.outcome == OutcomeKind::Allow {
                    sums.allowed += row.times;
                    match row.state {
                        ChangeState::Rejected => sums.rejected += row.times,
                        ChangeState::Approved | ChangeState::Committed => {
                            sums.approved += row.times;
                        }
                        _ => {}
                    }
                }
                sums
            })
        });
    Ok(PolicySummary {
        id: newest.policy_id,
        name: newest.name.clone(),
        file: evaluation::file_of(&version)?,
        to_come: to_come.filter(|_| in_force.is_some()).cloned(),
        did: sums
            .iter()
            .find(|s| s.policy_id == newest.policy_id)
            .copied(),
        shadow,
        version,
    })
}

fn against(
    active: &PolicySet,
    member: &Member,
    open: Vec<(ChangeId, ChangesetId, String, String)>,
) -> Vec<WouldApply> {
    let set = active.with(member.clone());
    let one = |(change, changeset, title, input): (ChangeId, ChangesetId, String, String)| {
        let input: Input = serde_json::from_str(&input).ok()?;
        Some(WouldApply {
            change,
            changeset,
            title,
            outcome: set.evaluate(&input, &BTreeSet::new()),
        })
    };
    let mut tried: Vec<WouldApply> = open.into_iter().filter_map(one).collect();
    tried.sort_by_key(|w| !w.outcome.is_allowed());
    tried
}

async fn back_tested(
    tx: &mut Tx,
    actor: &Actor,
    row: BackTestRow,
    version: &VersionRow,
) -> Result<BackTested> {
    let report: BackTest = serde_json::from_str(&row.report).unwrap_or_default();
    let named: Vec<ChangeId> = report
        .against
        .iter()
        .map(|(id, _)| *id)
        .chain(
            report
                .newly_applied
                .iter()
                .chain(&report.newly_gated)
                .copied(),
        )
        .collect();
    let changesets: BTreeMap<ChangeId, ChangesetId> = changes::changesets_of(tx, &named)
        .await?
        .into_iter()
        .collect();
    let all: Vec<ChangesetId> = changesets
        .values()
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let seen: BTreeSet<ChangesetId> = store::changesets::stores_of(tx, &all)
        .await?
        .into_iter()
        .filter(|(_, store)| actor.may(Action::SeeChanges, *store))
        .map(|(id, _)| id)
        .collect();
    let titled = |(id, title): (ChangeId, String)| {
        let changeset = changesets.get(&id).copied().filter(|c| seen.contains(c))?;
        Some((id, (title, changeset)))
    };
    let titles = changes::titles(tx, &named)
        .await?
        .into_iter()
        .filter_map(titled)
        .collect();
    let run_by = Names::of_one(tx, &row.run_by).await?;
    Ok(BackTested {
        current: row.sha256 == version.sha256,
        run_by,
        report,
        titles,
        row,
    })
}

/// A change of the past, with what became of it.
fn past_of(row: &PastRow) -> Option<Past> {
    let input: Input = serde_json::from_str(&row.input).ok()?;
    let fate = match row.state {
        _ if row.reverted || row.objected => Fate::Reverted,
        ChangeState::Rejected => Fate::Rejected,
        ChangeState::Approved | ChangeState::Committed if row.applied => Fate::Applied,
        ChangeState::Approved | ChangeState::Committed if row.edited => Fate::EditedFirst,
        ChangeState::Approved | ChangeState::Committed => Fate::Approved,
        _ => Fate::Undecided,
    };
    Some(Past {
        change: row.change_id,
        proposed_at: row.created_at,
        input,
        fate,
    })
}
