//! Policies: 10,000 changes against 50 rules, a back-test over them, and the comparison of two sets
//! of rules; beside `serde_json` reading the stored inputs, which every one of these needs.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    changeset::ChangeKind,
    ids::{ChangeId, PolicyId, StoreId},
    policy::{
        Bound, Effect, Engine, Fate, Figure, FindingKind, Input, Member, Past, PolicyFile,
        PolicySet, Rule, Writer, back_test, evaluate, wider,
    },
    risk::{Label, RiskLevel},
};

use crate::{line, median};

const CHANGES: u64 = 10_000;
const RULES: u64 = 50;

/// A number below a limit, the same each time (splitmix64, Steele et al. 2014).
fn below(seed: u64, limit: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % limit
}

fn one_of<T: Copy>(all: &[T], seed: u64) -> T {
    let at = below(seed, all.len() as u64);
    all[usize::try_from(at).unwrap_or(0)]
}

fn input(n: u64) -> Input {
    let figure = |k: u64| u32::try_from(below(n * 31 + k, 12)).unwrap_or(0);
    Input {
        paths: BTreeSet::from([format!("/folder-{}/note-{n}.md", below(n, 20))]),
        agents: BTreeSet::from([format!("agent-{}", below(n, 5))]),
        engines: BTreeSet::from([one_of(Engine::ALL, n)]),
        finding: Some(one_of(FindingKind::ALL, n * 3)),
        labels: if below(n, 4) == 0 {
            BTreeSet::from([one_of(Label::ALL, n * 5)])
        } else {
            BTreeSet::new()
        },
        last_writer: Some(one_of(Writer::ALL, n * 7)),
        figures: Figure::ALL
            .iter()
            .zip(0..)
            .map(|(figure_of, k)| (*figure_of, figure(k)))
            .collect::<BTreeMap<_, _>>(),
        ..Input::new(
            StoreId(uuid::Uuid::from_u128(u128::from(below(n, 3)))),
            one_of(ChangeKind::ALL, n * 11),
            one_of(RiskLevel::ALL, n * 13),
        )
    }
}

fn rule(n: u64) -> Rule {
    let effect = if below(n, 5) == 0 {
        Effect::Forbid
    } else {
        Effect::Allow
    };
    Rule {
        paths: BTreeSet::from([format!("/folder-{}/**", below(n * 17, 20))]),
        kinds: BTreeSet::from([
            one_of(ChangeKind::ALL, n * 19),
            one_of(ChangeKind::ALL, n * 23),
        ]),
        risk_at_most: Some(one_of(&[RiskLevel::Low, RiskLevel::Medium], n * 29)),
        bounds: vec![Bound {
            figure: one_of(Figure::ALL, n * 37),
            at_least: Some(u32::try_from(below(n * 41, 6)).unwrap_or(0)),
            at_most: None,
        }],
        ..Rule::new(&format!("rule {n}"), effect)
    }
}

/// Measures them.
pub fn run() {
    let inputs: Vec<Input> = (0..CHANGES).map(input).collect();
    let stored: Vec<String> = inputs
        .iter()
        .map(|i| serde_json::to_string(i).expect("it is written"))
        .collect();
    let rules: Vec<Rule> = (0..RULES).map(rule).collect();
    let others: Vec<Rule> = (RULES..RULES * 2).map(rule).collect();
    let file = PolicyFile {
        rules: rules.clone(),
        ..PolicyFile::default()
    };
    let member = Member::new(PolicyId(uuid::Uuid::from_u128(1)), "Many rules", 1, &file);
    let past = |(n, input): (u64, &Input)| Past {
        change: ChangeId(uuid::Uuid::from_u128(u128::from(n))),
        proposed_at: Timestamp(0).plus_seconds(i64::try_from(n).unwrap_or(0) * 60),
        input: input.clone(),
        fate: one_of(Fate::ALL, n),
    };
    let history: Vec<Past> = (0..).zip(&inputs).map(past).collect();
    let read = median(|| {
        assert!(
            stored
                .iter()
                .all(|text| serde_json::from_str::<Input>(text).is_ok())
        );
    });
    let beside = "serde_json reads the inputs";
    line(
        "10,000 changes against 50 rules",
        median(|| {
            drop(
                inputs
                    .iter()
                    .map(|i| evaluate(&rules, i))
                    .collect::<Vec<_>>(),
            );
        }),
        beside,
        read,
    );
    let empty = PolicySet::default();
    line(
        "back-test of 50 rules over 10,000 changes",
        median(|| drop(back_test(&empty, &member, &history))),
        beside,
        read,
    );
    line(
        "50 rules compared with 50 others",
        median(|| drop(wider(&rules, &others))),
        beside,
        read,
    );
    line(
        "50 rules compared with themselves",
        median(|| drop(wider(&rules, &rules))),
        beside,
        read,
    );
}
