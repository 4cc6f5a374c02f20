//! What a set of rules says of a change. The order of the rules changes nothing.

use serde::{Deserialize, Serialize};

use super::{Effect, Engine, Figure, Input, Rule, Writer, matches_path};
use crate::{
    risk::{Label, RiskLevel},
    text_enum::text_enum,
};

text_enum! {
    /// Why no rule can allow a change, whatever it says (rules 8 and 11).
    BuiltIn {
        /// It alters a frozen memory.
        Frozen => "frozen",
        /// It alters what a person wrote.
        PersonWritten => "person_written",
        /// It has a label that only a person may pass.
        Label => "label",
        /// Its risk is high.
        HighRisk => "high_risk",
        /// It answers a question.
        NeedsPerson => "needs_person",
        /// Dreams may lose no more of the store now.
        LossBudget => "loss_budget",
        /// People approved what it alters in the last 30 days.
        ApprovedRecently => "approved_recently",
    }
}

/// Labels with which a change is never applied without a person.
pub const NEVER: &[Label] = &[
    Label::Frozen,
    Label::HumanWritten,
    Label::Secret,
    Label::Pii,
    Label::InstructionLike,
    Label::HiddenCharacters,
    Label::ToolText,
    Label::SingleSource,
];

/// A condition of a rule that a change does not meet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unmet {
    pub rule: String,
    /// Which condition, by its field's name or its figure's.
    pub condition: String,
    /// True if it could not be asked, because the input is not known.
    pub missing: bool,
}

/// The result of asking the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It is applied, by these rules; one at least.
    Allow {
        /// Their names, in order.
        rules: Vec<String>,
    },
    /// It is never applied without a person.
    Forbid {
        built_in: Vec<BuiltIn>,
        /// Labels that only a person may pass.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        labels: Vec<Label>,
        /// Rules that forbid it.
        rules: Vec<String>,
    },
    /// A person decides: no rule allows it, or a rule that forbids could not be asked.
    Review {
        /// What each rule that allows lacks, and what each rule that forbids could not tell.
        unmet: Vec<Unmet>,
    },
}

impl Outcome {
    /// True if the change is applied without a person.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow { .. })
    }
}

/// Asks a set of rules about a change.
#[must_use]
pub fn evaluate<'r>(rules: impl IntoIterator<Item = &'r Rule>, input: &Input) -> Outcome {
    let built_in = built_in(input);
    let (mut allowing, mut forbidding, mut unmet, mut unsure) =
        (Vec::new(), Vec::new(), Vec::new(), false);
    for rule in rules {
        let lacks = lacks(rule, input);
        let only_missing = lacks.iter().all(|u| u.missing);
        match rule.effect {
            Effect::Allow if lacks.is_empty() => allowing.push(rule.name.clone()),
            Effect::Forbid if lacks.is_empty() => forbidding.push(rule.name.clone()),
            Effect::Allow => unmet.extend(lacks),
            // What could not be asked might be forbidden.
            Effect::Forbid if only_missing => {
                unsure = true;
                unmet.extend(lacks);
            }
            Effect::Forbid => {}
        }
    }
    allowing.sort();
    forbidding.sort();
    unmet.sort();
    if !built_in.is_empty() || !forbidding.is_empty() {
        let labels = input
            .labels
            .iter()
            .copied()
            .filter(|label| NEVER.contains(label))
            .collect();
        return Outcome::Forbid {
            built_in,
            labels,
            rules: forbidding,
        };
    }
    if allowing.is_empty() || unsure {
        Outcome::Review { unmet }
    } else {
        Outcome::Allow { rules: allowing }
    }
}

/// Returns what no rule lifts.
fn built_in(input: &Input) -> Vec<BuiltIn> {
    let has = |label: &Label| input.labels.contains(label);
    let all = [
        (BuiltIn::Frozen, has(&Label::Frozen)),
        (
            BuiltIn::PersonWritten,
            has(&Label::HumanWritten) || input.last_writer == Some(Writer::Person),
        ),
        (BuiltIn::Label, NEVER.iter().any(has)),
        (BuiltIn::HighRisk, input.risk == RiskLevel::High),
        (BuiltIn::NeedsPerson, input.needs_person),
        (BuiltIn::LossBudget, input.over_loss_budget),
        (BuiltIn::ApprovedRecently, input.approved_recently),
    ];
    all.into_iter()
        .filter(|(_, holds)| *holds)
        .map(|(why, _)| why)
        .collect()
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Allow { rules } => write!(f, "allowed by {}", rules.join(", ")),
            Self::Forbid {
                built_in, rules, ..
            } => {
                let why = built_in
                    .iter()
                    .map(ToString::to_string)
                    .chain(rules.iter().cloned());
                write!(f, "forbidden by {}", why.collect::<Vec<_>>().join(", "))
            }
            Self::Review { unmet } if unmet.is_empty() => {
                f.write_str("review: no rule is about it")
            }
            Self::Review { unmet } => {
                let one = |u: &Unmet| {
                    format!(
                        "{} ({}{})",
                        u.condition,
                        u.rule,
                        if u.missing { ", not known" } else { "" }
                    )
                };
                write!(
                    f,
                    "review: {}",
                    unmet.iter().map(one).collect::<Vec<_>>().join(", ")
                )
            }
        }
    }
}

impl Rule {
    /// The conditions that the rule has, by the names that an outcome gives them.
    pub(super) fn conditions(&self) -> Vec<&'static str> {
        let sets = [
            ("stores", !self.stores.is_empty()),
            ("paths", !self.paths.is_empty()),
            ("agents", !self.agents.is_empty()),
            ("engines", !self.engines.is_empty()),
            ("findings", !self.findings.is_empty()),
            ("kinds", !self.kinds.is_empty()),
            ("risk_at_most", self.risk_at_most.is_some()),
            ("labels_none_of", !self.labels_none_of.is_empty()),
            ("labels_any_of", !self.labels_any_of.is_empty()),
            ("last_writers", !self.last_writers.is_empty()),
        ];
        let bounded = |figure: &&Figure| {
            self.bounds
                .iter()
                .any(|b| b.figure == **figure && b.restricts())
        };
        let figures = Figure::ALL
            .iter()
            .filter(bounded)
            .map(|figure| figure.as_str());
        sets.into_iter()
            .filter(|(_, asked)| *asked)
            .map(|(name, _)| name)
            .chain(figures)
            .collect()
    }
}

/// The conditions of a rule that a change does not meet.
pub(super) fn lacks(rule: &Rule, input: &Input) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    let mut ask = |condition: &str, holds: Option<bool>| {
        if holds != Some(true) {
            unmet.push(Unmet {
                rule: rule.name.clone(),
                condition: condition.to_owned(),
                missing: holds.is_none(),
            });
        }
    };
    let one_of = |allowed: bool, empty: bool| Some(empty || allowed);
    ask(
        "stores",
        one_of(rule.stores.contains(&input.store), rule.stores.is_empty()),
    );
    // What is allowed lies wholly where the rule says; what is forbidden is so as soon as a part of
    // it does.
    let forbids = rule.effect == Effect::Forbid;
    let lies = |path: &String| rule.paths.iter().any(|pattern| matches_path(pattern, path));
    let inside = if forbids {
        input.paths.iter().any(lies)
    } else {
        !input.paths.is_empty() && input.paths.iter().all(lies)
    };
    ask("paths", one_of(inside, rule.paths.is_empty()));
    let of_agents = if forbids {
        !input.agents.is_disjoint(&rule.agents)
    } else {
        input.agents.is_subset(&rule.agents)
    };
    let agents = if input.agents.is_empty() {
        None
    } else {
        Some(of_agents)
    };
    ask(
        "agents",
        if rule.agents.is_empty() {
            Some(true)
        } else {
            agents
        },
    );
    let found = |engine: &Engine| rule.engines.contains(engine);
    let by = if forbids {
        input.engines.iter().any(found)
    } else {
        input.engines.iter().all(found)
    };
    let engines = if input.engines.is_empty() {
        None
    } else {
        Some(by)
    };
    ask(
        "engines",
        if rule.engines.is_empty() {
            Some(true)
        } else {
            engines
        },
    );
    let finding = input
        .finding
        .map(|finding| rule.findings.contains(&finding));
    ask(
        "findings",
        if rule.findings.is_empty() {
            Some(true)
        } else {
            finding
        },
    );
    ask(
        "kinds",
        one_of(rule.kinds.contains(&input.kind), rule.kinds.is_empty()),
    );
    ask(
        "risk_at_most",
        Some(rule.risk_at_most.is_none_or(|most| input.risk <= most)),
    );
    ask(
        "labels_none_of",
        Some(rule.labels_none_of.is_disjoint(&input.labels)),
    );
    ask(
        "labels_any_of",
        one_of(
            !rule.labels_any_of.is_disjoint(&input.labels),
            rule.labels_any_of.is_empty(),
        ),
    );
    let writer = input
        .last_writer
        .map(|writer| rule.last_writers.contains(&writer));
    ask(
        "last_writers",
        if rule.last_writers.is_empty() {
            Some(true)
        } else {
            writer
        },
    );
    for figure in Figure::ALL {
        let bounds = || {
            rule.bounds
                .iter()
                .filter(|b| b.figure == *figure && b.restricts())
        };
        if bounds().next().is_some() {
            let value = input.figures.get(figure);
            let within = |n: u32| {
                bounds().all(|b| {
                    b.at_least.is_none_or(|least| n >= least)
                        && b.at_most.is_none_or(|most| n <= most)
                })
            };
            ask(figure.as_str(), value.map(|n| within(*n)));
        }
    }
    unmet
}
