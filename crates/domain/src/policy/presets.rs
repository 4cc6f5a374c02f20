//! Policies that can be taken as they are.

use std::collections::BTreeSet;

use super::{
    Applying, Bound, Case, Effect, Figure, FindingKind, Input, OutcomeKind, PolicyFile, Rule,
    Writer,
};
use crate::{
    changeset::ChangeKind,
    ids::StoreId,
    risk::{Label, RiskLevel},
};

/// A policy that can be taken as it is.
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    pub key: &'static str,
    pub name: &'static str,
    pub sentence: &'static str,
    make: fn() -> PolicyFile,
}

/// All of them. Without any policy everything is reviewed, so that this needs no preset.
pub const PRESETS: [Preset; 2] = [
    Preset {
        key: "safe-housekeeping",
        name: "Safe housekeeping",
        sentence: "Applies merges in which no statement is lost, and new notes of low risk with at \
            least five users or tasks through two recorders, 24 hours after they were proposed, \
            and has a person check one in ten.",
        make: safe_housekeeping,
    },
    Preset {
        key: "trusting",
        name: "Trusting",
        sentence: "Applies every change of low or medium risk that no built-in rule forbids, \
            except what people tell agents to do or say has changed, one hour after it was \
            proposed, and has a person check one in ten.",
        make: trusting,
    },
];

impl Preset {
    /// The preset of this key.
    #[must_use]
    pub fn of(key: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.key == key)
    }

    /// Its policy, in these stores. Without any, it can be tested and not activated.
    #[must_use]
    pub fn file(&self, stores: &[StoreId]) -> PolicyFile {
        let mut file = (self.make)();
        for rule in &mut file.rules {
            rule.stores.extend(stores);
        }
        if let Some(first) = stores.first() {
            for case in &mut file.tests {
                case.change.store = *first;
            }
        }
        PolicyFile {
            name: self.name.to_owned(),
            reason: self.sentence.to_owned(),
            ..file
        }
    }
}

fn at_least(figure: Figure, n: u32) -> Bound {
    Bound {
        figure,
        at_least: Some(n),
        at_most: None,
    }
}

fn safe_housekeeping() -> PolicyFile {
    let addition = |name: &str, figure: Figure| Rule {
        kinds: BTreeSet::from([ChangeKind::Add]),
        risk_at_most: Some(RiskLevel::Low),
        bounds: vec![at_least(figure, 5), at_least(Figure::Recorders, 2)],
        ..Rule::new(name, Effect::Allow)
    };
    let merges = Rule {
        kinds: BTreeSet::from([ChangeKind::Merge]),
        risk_at_most: Some(RiskLevel::Medium),
        bounds: vec![Bound {
            figure: Figure::StatementsRemoved,
            at_least: None,
            at_most: Some(0),
        }],
        ..Rule::new("merges that lose nothing", Effect::Allow)
    };
    let merge = |removed: u32| Input {
        last_writer: Some(Writer::Dream),
        figures: [(Figure::StatementsRemoved, removed)].into(),
        ..example(ChangeKind::Merge, RiskLevel::Medium)
    };
    let note = |figure: Figure, n: u32, recorders: u32| Input {
        last_writer: Some(Writer::Nobody),
        figures: [(figure, n), (Figure::Recorders, recorders)].into(),
        ..example(ChangeKind::Add, RiskLevel::Low)
    };
    let large = Input {
        risk: RiskLevel::Medium,
        labels: BTreeSet::from([Label::Large]),
        ..note(Figure::Users, 9, 3)
    };
    PolicyFile {
        rules: vec![
            merges,
            addition("notes of five users", Figure::Users),
            addition("notes of five tasks", Figure::Tasks),
        ],
        tests: vec![
            case(
                "a merge that loses nothing is applied",
                merge(0),
                OutcomeKind::Allow,
            ),
            case(
                "a merge that loses a statement waits",
                merge(1),
                OutcomeKind::Review,
            ),
            case(
                "a merge of high risk is never applied",
                Input {
                    risk: RiskLevel::High,
                    ..merge(0)
                },
                OutcomeKind::Forbid,
            ),
            case(
                "a note of five users through two recorders is applied",
                note(Figure::Users, 5, 2),
                OutcomeKind::Allow,
            ),
            case(
                "a note of five tasks through two recorders is applied",
                note(Figure::Tasks, 5, 2),
                OutcomeKind::Allow,
            ),
            case(
                "a note of four users waits",
                note(Figure::Users, 4, 2),
                OutcomeKind::Review,
            ),
            case(
                "a note of four tasks waits",
                note(Figure::Tasks, 4, 2),
                OutcomeKind::Review,
            ),
            case(
                "a note through one recorder waits",
                note(Figure::Users, 5, 1),
                OutcomeKind::Review,
            ),
            case("a large note waits", large, OutcomeKind::Review),
            case(
                "an update waits",
                Input {
                    kind: ChangeKind::Update,
                    ..note(Figure::Users, 9, 9)
                },
                OutcomeKind::Review,
            ),
            case(
                "a person's words are never changed",
                Input {
                    last_writer: Some(Writer::Person),
                    ..merge(0)
                },
                OutcomeKind::Forbid,
            ),
        ],
        ..PolicyFile::default()
    }
}

fn trusting() -> PolicyFile {
    // What people say, people confirm: made-up users can ask for a rule in many words, through
    // several recorders.
    let spoken = [FindingKind::Instruction, FindingKind::Fact];
    let findings = FindingKind::ALL
        .iter()
        .copied()
        .filter(|finding| !spoken.contains(finding))
        .collect();
    let anything = Rule {
        risk_at_most: Some(RiskLevel::Medium),
        findings,
        ..Rule::new("low and medium risk", Effect::Allow)
    };
    let example = |kind, risk| Input {
        finding: Some(FindingKind::Curation),
        ..example(kind, risk)
    };
    let rule = Input {
        finding: Some(FindingKind::Instruction),
        ..example(ChangeKind::Add, RiskLevel::Medium)
    };
    let tool_text = Input {
        labels: BTreeSet::from([Label::ToolText]),
        ..example(ChangeKind::Add, RiskLevel::Medium)
    };
    PolicyFile {
        rules: vec![anything],
        applying: Applying {
            after_hours: 1,
            most_a_day: 50,
            ..Applying::default()
        },
        tests: vec![
            case(
                "a low-risk update is applied",
                example(ChangeKind::Update, RiskLevel::Low),
                OutcomeKind::Allow,
            ),
            case(
                "a medium-risk merge is applied",
                example(ChangeKind::Merge, RiskLevel::Medium),
                OutcomeKind::Allow,
            ),
            case(
                "a high-risk change is never applied",
                example(ChangeKind::Remove, RiskLevel::High),
                OutcomeKind::Forbid,
            ),
            case(
                "what people tell agents to do waits",
                rule,
                OutcomeKind::Review,
            ),
            case(
                "what only a tool said is never applied",
                tool_text,
                OutcomeKind::Forbid,
            ),
        ],
        ..PolicyFile::default()
    }
}

fn case(name: &str, change: Input, expect: OutcomeKind) -> Case {
    Case {
        name: name.to_owned(),
        change,
        expect,
    }
}

fn example(kind: ChangeKind, risk: RiskLevel) -> Input {
    Input {
        paths: BTreeSet::from(["/notes/example.md".to_owned()]),
        ..Input::new(StoreId(uuid::Uuid::nil()), kind, risk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Wider, wider};

    #[test]
    fn every_preset_passes_its_own_tests_in_one_store_and_in_all() {
        for preset in &PRESETS {
            for stores in [&[][..], &[StoreId(uuid::Uuid::from_u128(7))]] {
                let file = preset.file(stores);
                assert_eq!(file.check(), Ok(()), "{}", preset.key);
                let report = file.run();
                assert!(report.passed(), "{}: {:?}", preset.key, report.cases);
                let undecided = report
                    .never_decided
                    .iter()
                    .filter(|c| !c.ends_with(": stores"))
                    .collect::<Vec<_>>();
                assert!(
                    preset.key == "trusting" || undecided.is_empty(),
                    "{undecided:?}"
                );
            }
        }
    }

    #[test]
    fn trusting_is_wider_than_safe_housekeeping() {
        let files = [PRESETS[0].file(&[]), PRESETS[1].file(&[])];
        let rules = |n: usize| files[n].rules.iter().collect::<Vec<_>>();
        assert!(matches!(wider(&rules(0), &rules(1)), Wider::Yes(_)));
    }
}
