//! What a version of a policy would have done with changes of the past, by the code that is asked
//! live.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Effect, Input, Member, PolicySet, evaluate::lacks};
use crate::{Timestamp, ids::ChangeId, text_enum::text_enum};

text_enum! {
    Fate {
        /// People approved it as it was proposed.
        Approved => "approved",
        /// People changed it before they approved it.
        EditedFirst => "edited_first",
        Rejected => "rejected",
        /// It was committed, and reverted later.
        Reverted => "reverted",
        /// A policy applied it, and nobody objected.
        Applied => "applied",
        Undecided => "undecided",
    }
}

impl Fate {
    /// True if people decided against the change as it was proposed.
    #[must_use]
    pub const fn is_against(self) -> bool {
        matches!(self, Self::EditedFirst | Self::Rejected | Self::Reverted)
    }
}

/// A change of the past.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    pub change: ChangeId,
    /// When it was proposed.
    pub proposed_at: Timestamp,
    pub input: Input,
    pub fate: Fate,
}

/// How often people said the same, with the 95 % Wilson interval; in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    pub agreed: usize,
    pub of: usize,
    /// Least share that fits.
    pub low_bp: u32,
    /// Greatest share that fits.
    pub high_bp: u32,
}

impl Agreement {
    /// So many of so many; nothing can be said of none.
    #[must_use]
    pub fn new(agreed: usize, of: usize) -> Option<Self> {
        if of == 0 {
            return None;
        }
        // Counts are far below 2^52. 1.96 is the normal quantile for 95 %; the formula is Wilson's
        // (1927).
        #[expect(clippy::cast_precision_loss, reason = "counts of changes")]
        let (k, n, z) = (agreed as f64, of as f64, 1.96_f64);
        let share = k / n;
        let middle = share + z * z / (2.0 * n);
        let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=10,000"
        )]
        let bp = |x: f64| {
            (x / (1.0 + z * z / n) * 10_000.0)
                .round()
                .clamp(0.0, 10_000.0) as u32
        };
        Some(Self {
            agreed,
            of,
            low_bp: bp(middle - spread),
            high_bp: bp(middle + spread),
        })
    }
}

/// Most changes that a report names in one list.
const NAMED: usize = 200;

/// The decisions that a version would have made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackTest {
    /// Changes that were replayed.
    pub replayed: usize,
    /// Changes that it would have applied although people decided against them: rejected, changed
    /// or reverted them. At most 200.
    pub against: Vec<(ChangeId, Fate)>,
    /// By what became of them, how many of all changes it would have applied.
    pub applied: BTreeMap<Fate, usize>,
    /// Changes that it allows and would not have applied that day, because it had applied as many
    /// as it may.
    pub over_cap: usize,
    /// Changes that it leaves to people.
    pub left: usize,
    /// How often people who decided on what it would have applied said the same.
    pub agreement: Option<Agreement>,
    /// Changes that are applied with it and not by the policies that are active now. At most 200.
    pub newly_applied: Vec<ChangeId>,
    /// Changes that the policies that are active now apply, and not with it. At most 200.
    pub newly_gated: Vec<ChangeId>,
    /// Conditions (`rule: condition`) that never decided anything: without them, the same changes
    /// would have been applied.
    pub never_decided: Vec<String>,
    /// Rules that allow nothing that another rule does not allow too, or that nothing matched.
    pub without_effect: Vec<String>,
    /// How often an input was not known that a rule asks for, by the condition.
    pub missing: BTreeMap<String, usize>,
}

impl BackTest {
    /// How many changes it would have applied.
    #[must_use]
    pub fn applied_in_all(&self) -> usize {
        self.applied.values().sum()
    }

    /// How many of these people had decided against.
    #[must_use]
    pub fn applied_against(&self) -> usize {
        self.applied
            .iter()
            .filter(|(fate, _)| fate.is_against())
            .map(|(_, n)| n)
            .sum()
    }

    /// How many of these had that fate.
    #[must_use]
    pub fn applied_of(&self, fate: Fate) -> usize {
        self.applied.get(&fate).copied().unwrap_or(0)
    }
}

/// Replays changes: what would `member` have done, beside the policies that are active?
#[must_use]
pub fn back_test(active: &PolicySet, member: &Member, past: &[Past]) -> BackTest {
    let with = active.with(member.clone());
    let nobody = BTreeSet::new();
    let mut order: Vec<&Past> = past.iter().collect();
    order.sort_by_key(|p| (p.proposed_at, p.change));
    let mut report = BackTest {
        replayed: order.len(),
        ..BackTest::default()
    };
    let mut deciding = Deciding::new(member);
    let mut times: Vec<Timestamp> = Vec::new();
    for one in order {
        let now = active.evaluate(&one.input, &nobody).is_allowed();
        let outcome = with.evaluate(&one.input, &nobody);
        deciding.look(&one.input, outcome.is_allowed());
        match (now, outcome.is_allowed()) {
            (false, true) if report.newly_applied.len() < NAMED => {
                report.newly_applied.push(one.change);
            }
            (true, false) if report.newly_gated.len() < NAMED => {
                report.newly_gated.push(one.change);
            }
            _ => {}
        }
        if !with
            .allowing(&outcome)
            .iter()
            .any(|m| m.policy == member.policy)
        {
            report.left += 1;
            continue;
        }
        let day_ago = one.proposed_at.plus_seconds(-86_400);
        if times.iter().rev().take_while(|at| **at > day_ago).count()
            >= member.applying.most_a_day as usize
        {
            report.over_cap += 1;
            continue;
        }
        times.push(one.proposed_at);
        *report.applied.entry(one.fate).or_default() += 1;
        if one.fate.is_against() && report.against.len() < NAMED {
            report.against.push((one.change, one.fate));
        }
    }
    let agreed = report.applied_of(Fate::Approved);
    report.agreement = Agreement::new(agreed, agreed + report.applied_against());
    deciding.tell(&mut report);
    report
}

/// Which conditions and rules made a difference.
struct Deciding<'m> {
    member: &'m Member,
    decided: BTreeSet<String>,
    effective: BTreeSet<&'m str>,
    missing: BTreeMap<String, usize>,
}

impl<'m> Deciding<'m> {
    const fn new(member: &'m Member) -> Self {
        Self {
            member,
            decided: BTreeSet::new(),
            effective: BTreeSet::new(),
            missing: BTreeMap::new(),
        }
    }

    fn look(&mut self, input: &Input, allowed: bool) {
        let mut matching: Vec<&'m str> = Vec::new();
        for rule in self.member.rules() {
            let unmet = lacks(rule, input);
            for one in unmet.iter().filter(|u| u.missing) {
                *self.missing.entry(one.condition.clone()).or_default() += 1;
            }
            match unmet.as_slice() {
                [] => {
                    if rule.effect == Effect::Forbid {
                        self.effective.insert(&rule.name);
                    } else {
                        matching.push(&rule.name);
                    }
                }
                // The only one that keeps the rule from matching: without it, the change would have
                // been treated differently.
                [one] => drop(
                    self.decided
                        .insert(format!("{}: {}", rule.name, one.condition)),
                ),
                _ => {}
            }
        }
        if let ([only], true) = (matching.as_slice(), allowed) {
            self.effective.insert(only);
        }
    }

    fn tell(self, report: &mut BackTest) {
        for rule in self.member.rules() {
            let all = rule
                .conditions()
                .into_iter()
                .map(|condition| format!("{}: {condition}", rule.name));
            report
                .never_decided
                .extend(all.filter(|condition| !self.decided.contains(condition)));
            if !self.effective.contains(rule.name.as_str()) {
                report.without_effect.push(rule.name.clone());
            }
        }
        report.missing = self.missing;
    }
}
