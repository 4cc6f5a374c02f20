//! Auto-apply policies: typed rules that say which changes may be applied without a person. A rule
//! allows or forbids; `forbid` beats `allow`, and what no rule allows waits for review. There are
//! no free expressions, so that two sets of rules can be compared.

mod applying;
mod back_test;
mod compare;
mod evaluate;
mod file;
mod presets;
mod set;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::{
    applying::{Applying, Window},
    back_test::{Agreement, BackTest, Fate, Past, back_test},
    compare::{Wider, wider},
    evaluate::{BuiltIn, Outcome, Unmet, evaluate},
    file::{Case, CaseResult, OutcomeKind, PolicyFile, Report},
    presets::{PRESETS, Preset},
    set::{Member, PolicySet},
    words::{Difference, differences},
};
use crate::{
    changeset::ChangeKind,
    ids::StoreId,
    risk::{Label, RiskLevel},
    text_enum::text_enum,
};

text_enum! {
    /// The effect of a rule on the changes that it matches.
    Effect {
        /// They may be applied without a person.
        Allow => "allow",
        Forbid => "forbid",
    }
}

text_enum! {
    /// The state of a version of a policy.
    VersionState {
        /// It is being written.
        Draft => "draft",
        /// It is asked about every change, and what it says is recorded; it applies nothing.
        Shadow => "shadow",
        Active => "active",
        /// It was active, and applies nothing until it is resumed.
        Paused => "paused",
        /// It is over; it stays readable.
        Retired => "retired",
    }
}

text_enum! {
    /// The last writer of the content that a change would alter.
    Writer {
        /// Nobody: the memory is new.
        Nobody => "nobody",
        /// A dream, whose change was approved.
        Dream => "dream",
        /// An agent, with its key.
        Agent => "agent",
        Person => "person",
    }
}

text_enum! {
    Engine {
        BuiltIn => "builtin",
        Model => "model",
    }
}

text_enum! {
    /// The kind of finding that a change comes from.
    FindingKind {
        /// What people tell agents to do, in every session.
        Instruction => "instruction",
        /// A fact that has changed.
        Fact => "fact",
        /// A failure and the way out of it.
        Failure => "failure",
        /// How work is done.
        Workflow => "workflow",
        /// Notes that say the same, are out of date, or belong elsewhere.
        Curation => "curation",
        /// Something else, as a model may find it.
        Other => "other",
    }
}

impl FindingKind {
    /// The kind of a finding, by the engine's word for it.
    #[must_use]
    pub fn of(finding: &str) -> Self {
        match finding {
            "standing_instruction" => Self::Instruction,
            "fact_changed" => Self::Fact,
            "recurring_failure" => Self::Failure,
            "workflow" => Self::Workflow,
            "exact_duplicate" | "near_duplicate" | "similar_statements" | "repeated_statement"
            | "stale" | "expired" | "restructure" | "workflow_gone" => Self::Curation,
            _ => Self::Other,
        }
    }
}

text_enum! {
    /// A number of a change that rules set bounds on.
    Figure {
        /// Computed confidence, in hundredths of a percent.
        Confidence => "confidence_bp",
        /// Distinct users behind it.
        Users => "users",
        /// Distinct tasks behind it.
        Tasks => "tasks",
        Sessions => "sessions",
        /// Distinct agents behind it.
        Agents => "agents",
        /// Independent recorders through which its support came.
        Recorders => "recorders",
        /// Quotes that were found word for word.
        Quotes => "quotes",
        /// Quotes that speak against it.
        CounterQuotes => "counter_quotes",
        /// Statements that would be lost.
        StatementsRemoved => "statements_removed",
        /// Bytes that would change.
        BytesChanged => "bytes_changed",
        /// Sessions that read the memory in the last 30 days.
        Readers => "readers",
    }
}

impl Figure {
    /// True if a recorder claims it, and Lucid cannot check it: whose a session was, and what its
    /// task was.
    #[must_use]
    pub const fn is_claimed(self) -> bool {
        matches!(self, Self::Users | Self::Tasks | Self::Agents)
    }
}

/// A bound on a figure; both ends are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    pub figure: Figure,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<u32>,
}

impl Bound {
    /// True if it has an end at all.
    const fn restricts(&self) -> bool {
        self.at_least.is_some() || self.at_most.is_some()
    }
}

/// A rule. A condition that is left out (an empty list, no bound) holds for every change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it is called; one name in a set.
    pub name: String,
    pub effect: Effect,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub stores: BTreeSet<StoreId>,
    /// Where every memory that is touched lies: a path, or a folder with everything in it
    /// (`/style/**`). Of a rule that forbids, where one of them lies; so it is with agents and
    /// engines.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub paths: BTreeSet<String>,
    /// Every session that backs it is of one of these agents. Agents are named by their recorders.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub agents: BTreeSet<String>,
    /// Found by one of these alone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub engines: BTreeSet<Engine>,
    /// From one of these kinds of findings.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub findings: BTreeSet<FindingKind>,
    /// Of one of these kinds.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kinds: BTreeSet<ChangeKind>,
    /// Of this risk or less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_at_most: Option<RiskLevel>,
    /// With none of these labels.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels_none_of: BTreeSet<Label>,
    /// With at least one of these labels.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels_any_of: BTreeSet<Label>,
    /// Altering what one of these wrote last.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub last_writers: BTreeSet<Writer>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bounds: Vec<Bound>,
}

impl Rule {
    /// A rule without conditions.
    #[must_use]
    pub fn new(name: &str, effect: Effect) -> Self {
        Self {
            name: name.to_owned(),
            effect,
            stores: BTreeSet::new(),
            paths: BTreeSet::new(),
            agents: BTreeSet::new(),
            engines: BTreeSet::new(),
            findings: BTreeSet::new(),
            kinds: BTreeSet::new(),
            risk_at_most: None,
            labels_none_of: BTreeSet::new(),
            labels_any_of: BTreeSet::new(),
            last_writers: BTreeSet::new(),
            bounds: Vec::new(),
        }
    }

    /// Why the rule cannot be saved, if it cannot.
    ///
    /// # Errors
    ///
    /// In words: a pattern that is none, a bound that nothing meets, or an `allow` that rests on
    /// what recorders claim alone.
    pub fn check(&self) -> Result<(), String> {
        if let Some(pattern) = self.paths.iter().find(|p| !is_pattern(p)) {
            return Err(format!(
                "`{pattern}` is no path (`/style/tone.md`) and no folder (`/style/**`)"
            ));
        }
        if let Some(bound) = self
            .bounds
            .iter()
            .find(|b| b.at_least.unwrap_or(0) > b.at_most.unwrap_or(u32::MAX))
        {
            return Err(format!(
                "no {} is at least and at most what the rule says",
                bound.figure
            ));
        }
        let computed = !self.kinds.is_empty()
            || !self.findings.is_empty()
            || self.risk_at_most.is_some()
            || !self.labels_none_of.is_empty()
            || !self.labels_any_of.is_empty()
            || !self.last_writers.is_empty()
            || self
                .bounds
                .iter()
                .any(|b| b.restricts() && !b.figure.is_claimed());
        if self.effect == Effect::Allow && !computed {
            let claims = "users, tasks and agents are what a recorder claims";
            return Err(format!(
                "a rule that allows needs a condition that Lucid computes by itself; {claims}"
            ));
        }
        Ok(())
    }
}

/// True if a text is a path or a folder with everything in it.
fn is_pattern(text: &str) -> bool {
    let folder = text.strip_suffix("/**").unwrap_or(text);
    let parts_are_plain = || {
        folder
            .split('/')
            .skip(1)
            .all(|part| !part.is_empty() && !part.contains('*'))
    };
    text == "/**" || (folder.starts_with('/') && parts_are_plain())
}

/// True if a path lies where a pattern says.
fn matches_path(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix("/**") {
        Some(folder) => path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/')),
        None => pattern == path,
    }
}

/// The facts about a change that rules are asked about; stored with the outcome, so that the same
/// question can be asked again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The store; in a case that leaves it out, one that no rule names.
    #[serde(default = "nowhere")]
    pub store: StoreId,
    /// Every path that it touches, before and after; one at least.
    pub paths: BTreeSet<String>,
    /// The agents of the sessions that back it, as their recorders name them; nothing where no
    /// session does.
    #[serde(default)]
    pub agents: BTreeSet<String>,
    /// What found it; nothing where that is not known.
    #[serde(default)]
    pub engines: BTreeSet<Engine>,
    /// What kind of finding it comes from; nothing where that is not known.
    #[serde(default)]
    pub finding: Option<FindingKind>,
    pub kind: ChangeKind,
    pub risk: RiskLevel,
    #[serde(default)]
    pub labels: BTreeSet<Label>,
    /// Who wrote last what it alters; the most protected of several. Nothing where that is not
    /// known.
    #[serde(default)]
    pub last_writer: Option<Writer>,
    /// Its figures, as far as they are known.
    #[serde(default)]
    pub figures: std::collections::BTreeMap<Figure, u32>,
    /// It answers a question, or comes from something else that only a person may decide.
    #[serde(default)]
    pub needs_person: bool,
    /// Dreams may lose no more of this store now.
    #[serde(default)]
    pub over_loss_budget: bool,
    /// People approved what it alters in the last 30 days.
    #[serde(default)]
    pub approved_recently: bool,
}

impl Input {
    /// A change of which nothing more is known.
    #[must_use]
    pub const fn new(store: StoreId, kind: ChangeKind, risk: RiskLevel) -> Self {
        Self {
            store,
            paths: BTreeSet::new(),
            agents: BTreeSet::new(),
            engines: BTreeSet::new(),
            finding: None,
            kind,
            risk,
            labels: BTreeSet::new(),
            last_writer: None,
            figures: std::collections::BTreeMap::new(),
            needs_person: false,
            over_loss_budget: false,
            approved_recently: false,
        }
    }
}

const fn nowhere() -> StoreId {
    StoreId(uuid::Uuid::nil())
}
