use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const KINDS: [ChangeKind; 3] = [ChangeKind::Add, ChangeKind::Merge, ChangeKind::Remove];
const LABELS: [Label; 3] = [Label::Large, Label::WideScope, Label::Pii];
const PATHS: [&str; 4] = [
    "/style/tone.md",
    "/style/deep/voice.md",
    "/legal/price.md",
    "/top.md",
];
const PATTERNS: [&str; 4] = ["/style/**", "/style/deep/**", "/legal/price.md", "/**"];
const AGENTS: [&str; 2] = ["support", "billing"];
const FIGURES: [Figure; 2] = [Figure::Users, Figure::Recorders];

fn store(n: u128) -> StoreId {
    StoreId(uuid::Uuid::from_u128(n))
}

fn some_of<T: Clone + Ord + std::fmt::Debug + 'static>(
    all: &'static [T],
) -> impl Strategy<Value = BTreeSet<T>> {
    prop_oneof![2 => Just(BTreeSet::new()), 1 => proptest::sample::subsequence(all, 0..=all.len()).prop_map(|v| v.into_iter().collect())]
}

fn any_bound() -> impl Strategy<Value = Bound> {
    (
        0..FIGURES.len(),
        proptest::option::of(0_u32..5),
        proptest::option::of(0_u32..5),
    )
        .prop_map(|(figure, at_least, at_most)| Bound {
            figure: FIGURES[figure],
            at_least,
            at_most,
        })
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let scope = (
        some_of(&[0_u128, 1]),
        some_of(&PATTERNS),
        some_of(Engine::ALL),
        some_of(&AGENTS),
    );
    let what = (
        some_of(&KINDS),
        proptest::option::of(prop_oneof![Just(RiskLevel::Low), Just(RiskLevel::Medium)]),
        some_of(&LABELS),
        some_of(FindingKind::ALL),
    );
    let rest = (
        some_of(&LABELS),
        some_of(Writer::ALL),
        proptest::collection::vec(any_bound(), 0..3),
    );
    (proptest::bool::weighted(0.7), scope, what, rest).prop_map(|(allow, scope, what, rest)| Rule {
        stores: scope.0.into_iter().map(store).collect(),
        paths: scope.1.into_iter().map(str::to_owned).collect(),
        engines: scope.2,
        agents: scope.3.into_iter().map(str::to_owned).collect(),
        kinds: what.0,
        risk_at_most: what.1,
        labels_none_of: what.2,
        findings: what.3,
        labels_any_of: rest.0,
        last_writers: rest.1,
        bounds: rest.2,
        ..Rule::new("", if allow { Effect::Allow } else { Effect::Forbid })
    })
}

/// Rules, each with a name of its own.
fn any_rules() -> impl Strategy<Value = Vec<Rule>> {
    let named = |rules: Vec<Rule>| {
        rules
            .into_iter()
            .enumerate()
            .map(|(n, rule)| Rule {
                name: format!("rule {n}"),
                ..rule
            })
            .collect()
    };
    proptest::collection::vec(any_rule(), 0..5).prop_map(named)
}

fn any_input() -> impl Strategy<Value = Input> {
    let figure = || proptest::option::weighted(0.8, 0_u32..6);
    let labels = proptest::sample::subsequence(&LABELS[..], 0..=LABELS.len());
    let paths = proptest::sample::subsequence(&PATHS[..], 1..=PATHS.len());
    let engines = proptest::sample::subsequence(Engine::ALL, 0..=2);
    let agents = proptest::sample::subsequence(&["billing", "other", "support"][..], 0..=3);
    let risk = prop_oneof![
        Just(RiskLevel::Low),
        Just(RiskLevel::Medium),
        Just(RiskLevel::High)
    ];
    let writer = proptest::option::weighted(0.8, proptest::sample::select(Writer::ALL));
    let numbers = (figure(), figure());
    let finding = proptest::option::weighted(0.8, proptest::sample::select(FindingKind::ALL));
    (
        0_u128..3,
        paths,
        (engines, agents, finding),
        proptest::sample::select(&KINDS[..]),
        risk,
        labels,
        writer,
        numbers,
    )
        .prop_map(
            |(at, paths, (engines, agents, finding), kind, risk, labels, last_writer, numbers)| {
                Input {
                    paths: paths.into_iter().map(str::to_owned).collect(),
                    agents: agents.into_iter().map(str::to_owned).collect(),
                    engines: engines.into_iter().collect(),
                    finding,
                    labels: labels.into_iter().collect(),
                    last_writer,
                    figures: FIGURES
                        .into_iter()
                        .zip([numbers.0, numbers.1])
                        .filter_map(|(f, n)| Some((f, n?)))
                        .collect(),
                    ..Input::new(store(at), kind, risk)
                }
            },
        )
}

proptest! {
    #[test]
    fn the_order_of_rules_changes_nothing(rules in any_rules().prop_shuffle(), input in any_input()) {
        let mut sorted = rules.clone();
        sorted.sort_by(|a, b| a.name.cmp(&b.name));
        prop_assert_eq!(evaluate(&rules, &input), evaluate(&sorted, &input));
    }

    #[test]
    fn what_is_not_known_never_helps(rules in any_rules(), input in any_input()) {
        if !evaluate(&rules, &input).is_allowed() {
            for figure in FIGURES {
                let mut less = input.clone();
                less.figures.remove(&figure);
                prop_assert!(!evaluate(&rules, &less).is_allowed(), "without {}", figure);
            }
            let unknown = [
                Input { last_writer: None, ..input.clone() },
                Input { engines: BTreeSet::new(), ..input.clone() },
                Input { agents: BTreeSet::new(), ..input.clone() },
                Input { finding: None, ..input.clone() },
            ];
            // A person's own writing is protected whatever else is known, so who wrote it is never
            // unknown where it matters.
            for less in unknown.into_iter().filter(|_| input.last_writer != Some(Writer::Person)) {
                prop_assert!(!evaluate(&rules, &less).is_allowed());
            }
        }
    }

    #[test]
    fn a_label_that_only_a_person_may_pass_is_never_passed(rules in any_rules(), input in any_input()) {
        let mut labelled = input;
        labelled.labels.insert(Label::InstructionLike);
        prop_assert!(!evaluate(&rules, &labelled).is_allowed());
    }

    #[test]
    fn a_stricter_bound_never_widens(rules in any_rules(), at in 0_usize..5, input in any_input()) {
        let mut stricter = rules.clone();
        let Some(rule) = stricter.get_mut(at).filter(|r| r.effect == Effect::Allow) else { return Ok(()) };
        for bound in &mut rule.bounds {
            bound.at_least = bound.at_least.map(|n| n + 1);
            bound.at_most = bound.at_most.map(|n| n.saturating_sub(1));
        }
        prop_assert!(evaluate(&rules, &input).is_allowed() || !evaluate(&stricter, &input).is_allowed());
        prop_assert_eq!(wider(&rules, &stricter), Wider::No);
    }

    #[test]
    fn the_comparison_is_what_trying_says(
        before in any_rules(), after in any_rules(), inputs in proptest::collection::vec(any_input(), 200)
    ) {
        let differs = |input: &Input| evaluate(&after, input).is_allowed() && !evaluate(&before, input).is_allowed();
        match wider(&before, &after) {
            Wider::Yes(example) => prop_assert!(differs(&example), "{:#?}", example),
            Wider::No => prop_assert!(!inputs.iter().any(differs)),
            Wider::Undecided => prop_assert!(false, "so few rules can be compared"),
        }
        prop_assert_eq!(wider(&after, &after), Wider::No);
    }

    #[test]
    fn a_rule_is_read_as_it_was_written(rules in any_rules()) {
        let text = serde_json::to_string(&rules).unwrap();
        prop_assert_eq!(serde_json::from_str::<Vec<Rule>>(&text).unwrap(), rules);
    }
}

fn allow(name: &str) -> Rule {
    Rule {
        kinds: BTreeSet::from([ChangeKind::Merge]),
        ..Rule::new(name, Effect::Allow)
    }
}

fn merge() -> Input {
    Input {
        paths: BTreeSet::from(["/style/tone.md".to_owned()]),
        engines: BTreeSet::from([Engine::BuiltIn]),
        last_writer: Some(Writer::Dream),
        figures: BTreeMap::from([(Figure::Users, 3)]),
        ..Input::new(store(0), ChangeKind::Merge, RiskLevel::Medium)
    }
}

#[test]
fn an_outcome_says_why() {
    assert_eq!(
        evaluate(&[allow("merges")], &merge()),
        Outcome::Allow {
            rules: vec!["merges".into()]
        }
    );
    let bound = Bound {
        figure: Figure::Users,
        at_least: Some(5),
        at_most: None,
    };
    let strict = Rule {
        bounds: vec![bound],
        ..allow("merges")
    };
    let unmet = |condition: &str, missing| Unmet {
        rule: "merges".into(),
        condition: condition.into(),
        missing,
    };
    assert_eq!(
        evaluate(&[strict], &merge()),
        Outcome::Review {
            unmet: vec![unmet("users", false)]
        }
    );
    let unknown = Rule {
        bounds: vec![Bound {
            figure: Figure::Readers,
            ..bound
        }],
        ..allow("merges")
    };
    assert_eq!(
        evaluate(&[unknown], &merge()),
        Outcome::Review {
            unmet: vec![unmet("readers", true)]
        }
    );
    let legal = Rule {
        paths: BTreeSet::from(["/style/**".to_owned()]),
        ..Rule::new("style", Effect::Forbid)
    };
    let forbidden = Outcome::Forbid {
        built_in: vec![],
        labels: vec![],
        rules: vec!["style".into()],
    };
    assert_eq!(
        evaluate(&[allow("merges"), legal], &merge()),
        forbidden,
        "forbid beats allow"
    );
    for (why, input) in [
        (
            BuiltIn::HighRisk,
            Input {
                risk: RiskLevel::High,
                ..merge()
            },
        ),
        (
            BuiltIn::PersonWritten,
            Input {
                last_writer: Some(Writer::Person),
                ..merge()
            },
        ),
        (
            BuiltIn::NeedsPerson,
            Input {
                needs_person: true,
                ..merge()
            },
        ),
        (
            BuiltIn::LossBudget,
            Input {
                over_loss_budget: true,
                ..merge()
            },
        ),
        (
            BuiltIn::ApprovedRecently,
            Input {
                approved_recently: true,
                ..merge()
            },
        ),
        (
            BuiltIn::Label,
            Input {
                labels: BTreeSet::from([Label::ToolText]),
                ..merge()
            },
        ),
    ] {
        let labels = input.labels.iter().copied().collect();
        assert_eq!(
            evaluate(&[allow("merges")], &input),
            Outcome::Forbid {
                built_in: vec![why],
                labels,
                rules: vec![]
            }
        );
    }
}

#[test]
fn what_is_forbidden_in_a_folder_is_so_for_a_change_that_touches_another_too() {
    let legal = Rule {
        paths: BTreeSet::from(["/legal/**".to_owned()]),
        ..Rule::new("legal", Effect::Forbid)
    };
    let both = Input {
        paths: BTreeSet::from(["/legal/price.md".to_owned(), "/style/tone.md".to_owned()]),
        ..merge()
    };
    assert!(!evaluate(&[allow("merges"), legal.clone()], &both).is_allowed());
    // An allow rule for the folder is about changes that lie in it wholly.
    assert!(
        !evaluate(
            &[Rule {
                effect: Effect::Allow,
                kinds: BTreeSet::from([ChangeKind::Merge]),
                ..legal
            }],
            &both
        )
        .is_allowed()
    );
}

#[test]
fn a_wider_version_is_shown_by_an_example() {
    let before = [Rule {
        paths: BTreeSet::from(["/style/**".to_owned()]),
        ..allow("merges")
    }];
    let after = [Rule {
        paths: BTreeSet::from(["/style/**".to_owned(), "/content/**".to_owned()]),
        ..allow("merges")
    }];
    assert_eq!(wider(&after, &before), Wider::No);
    let Wider::Yes(example) = wider(&before, &after) else {
        panic!("it is wider")
    };
    assert!(
        example
            .paths
            .iter()
            .any(|path| path.starts_with("/content/")),
        "{example:?}"
    );
    // Two rules for a folder each do not allow a change that touches both; one rule for both does.
    let each = |folder: &str| Rule {
        paths: BTreeSet::from([format!("/{folder}/**")]),
        ..allow(folder)
    };
    let Wider::Yes(example) = wider(&[each("style"), each("content")][..], &after[..]) else {
        panic!("it is wider")
    };
    assert_eq!(example.paths.len(), 2, "{example:?}");
}

#[test]
fn cases_are_run_and_what_they_never_decide_is_named() {
    let text = r#"{
        "rules": [{"name": "merges", "effect": "allow", "kinds": ["merge"], "risk_at_most": "medium",
                   "bounds": [{"figure": "recorders", "at_least": 2}]}],
        "tests": [
            {"name": "a merge", "expect": "allow", "change": {"paths": ["/a.md"], "kind": "merge", "risk": "low", "figures": {"recorders": 2}}},
            {"name": "one <recorder>", "expect": "allow", "change": {"paths": ["/a.md"], "kind": "merge", "risk": "low", "figures": {"recorders": 1}}},
            {"name": "nobody knows", "expect": "review", "change": {"paths": ["/a.md"], "kind": "merge", "risk": "low"}},
            {"name": "high risk", "expect": "forbid", "change": {"paths": ["/a.md"], "kind": "merge", "risk": "high", "figures": {"recorders": 9}}}
        ]
    }"#;
    let report = PolicyFile::parse(text).unwrap().run();
    assert_eq!(
        report.cases.iter().map(|c| c.passed).collect::<Vec<_>>(),
        [true, false, true, true]
    );
    assert!(!report.passed());
    assert_eq!(report.never_decided, ["merges: kinds"]);
    let xml = report.junit();
    assert!(
        xml.contains("failures=\"1\"")
            && xml.contains("one &lt;recorder&gt;")
            && xml.contains("expected allow: review: recorders (merges)"),
        "{xml}"
    );
    assert_eq!(
        report.cases[3].outcome.to_string(),
        "forbidden by high_risk"
    );
    for (wrong, says) in [
        (
            r#"{"rules": [{"name": "x", "effect": "allow"}]}"#,
            "computes by itself",
        ),
        (
            r#"{"rules": [{"name": "x", "effect": "forbid"}, {"name": "x", "effect": "forbid"}]}"#,
            "two rules",
        ),
        (
            r#"{"rules": [{"name": "x", "effect": "forbid", "labels_none_off": []}]}"#,
            "unknown field",
        ),
        (
            r#"{"rules": [{"name": "x", "effect": "forbid", "labels_none_of": ["new_label"]}]}"#,
            "new_label",
        ),
        ("{", "EOF"),
    ] {
        let error = PolicyFile::parse(wrong).unwrap_err();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn a_rule_that_allows_rests_on_what_is_computed() {
    let claimed = Bound {
        figure: Figure::Users,
        at_least: Some(5),
        at_most: None,
    };
    let refused = |rule: Rule| rule.check().unwrap_err();
    assert!(refused(Rule::new("all", Effect::Allow)).contains("computes by itself"));
    assert!(
        refused(Rule {
            bounds: vec![claimed],
            ..Rule::new("users", Effect::Allow)
        })
        .contains("computes by itself")
    );
    let recorders = Bound {
        figure: Figure::Recorders,
        at_least: Some(2),
        at_most: None,
    };
    Rule {
        bounds: vec![claimed, recorders],
        ..Rule::new("both", Effect::Allow)
    }
    .check()
    .unwrap();
    Rule::new("nothing", Effect::Forbid).check().unwrap();
    let none = Bound {
        figure: Figure::Quotes,
        at_least: Some(3),
        at_most: Some(2),
    };
    assert!(
        refused(Rule {
            bounds: vec![none],
            ..allow("none")
        })
        .contains("quotes")
    );
    for (pattern, good) in [
        ("/**", true),
        ("/style/**", true),
        ("/a.md", true),
        ("style/**", false),
        ("/st*", false),
        ("/a/", false),
        ("", false),
    ] {
        let rule = Rule {
            paths: BTreeSet::from([pattern.to_owned()]),
            ..allow("paths")
        };
        assert_eq!(rule.check().is_ok(), good, "{pattern}");
    }
}

fn member(id: u128, rules: Vec<Rule>) -> Member {
    Member::new(
        crate::ids::PolicyId(uuid::Uuid::from_u128(id)),
        &format!("policy {id}"),
        1,
        &PolicyFile {
            rules,
            ..PolicyFile::default()
        },
    )
}

fn past(n: u128, input: Input, fate: Fate) -> Past {
    let proposed_at = crate::Timestamp(0).plus_seconds(i64::try_from(n).unwrap() * 60);
    Past {
        change: crate::ids::ChangeId(uuid::Uuid::from_u128(n)),
        proposed_at,
        input,
        fate,
    }
}

#[test]
fn a_back_test_names_first_what_people_decided_against() {
    let removal = Input {
        kind: ChangeKind::Update,
        ..merge()
    };
    let history = [
        past(1, merge(), Fate::Approved),
        past(2, merge(), Fate::Rejected),
        past(3, merge(), Fate::Reverted),
        past(4, merge(), Fate::EditedFirst),
        past(5, removal, Fate::Approved),
        past(6, merge(), Fate::Undecided),
    ];
    let all_merges = member(
        1,
        vec![
            allow("merges"),
            Rule {
                paths: BTreeSet::from(["/style/**".to_owned()]),
                ..allow("style")
            },
        ],
    );
    let report = back_test(&PolicySet::default(), &all_merges, &history);
    assert_eq!(
        report
            .against
            .iter()
            .map(|(_, fate)| *fate)
            .collect::<Vec<_>>(),
        [Fate::Rejected, Fate::Reverted, Fate::EditedFirst]
    );
    assert_eq!(
        (
            report.replayed,
            report.applied_in_all(),
            report.left,
            report.over_cap
        ),
        (6, 5, 1, 0)
    );
    assert_eq!(report.newly_applied.len(), 5);
    let agreement = report.agreement.unwrap();
    assert_eq!((agreement.agreed, agreement.of), (1, 4));
    assert!(
        agreement.low_bp < 2_500 && agreement.high_bp > 2_500,
        "{agreement:?}"
    );
    assert_eq!(
        report.without_effect,
        ["policy 1: merges", "policy 1: style"],
        "each allows what the other allows"
    );
    assert_eq!(
        report.never_decided,
        ["policy 1: style: paths"],
        "the kind decided on the update"
    );
    assert_eq!(
        back_test(&PolicySet::default(), &all_merges, &history),
        report,
        "twice the same"
    );
    let mut capped = all_merges.clone();
    capped.applying.most_a_day = 2;
    assert_eq!(
        back_test(&PolicySet::default(), &capped, &history).over_cap,
        3
    );
    // What another policy forbids stays gated, and what this one forbids becomes so.
    let never = member(
        2,
        vec![Rule {
            kinds: BTreeSet::from([ChangeKind::Merge]),
            ..Rule::new("no merges", Effect::Forbid)
        }],
    );
    assert_eq!(
        back_test(&PolicySet(vec![never.clone()]), &all_merges, &history).applied_in_all(),
        0
    );
    assert_eq!(
        back_test(&PolicySet(vec![all_merges]), &never, &history)
            .newly_gated
            .len(),
        5
    );
}

#[test]
fn an_agreement_has_the_interval_of_wilson() {
    // 81 of 263: 0.2553 to 0.3662, the example of Newcombe (1998), table I.
    let interval = Agreement::new(81, 263).unwrap();
    assert_eq!((interval.low_bp, interval.high_bp), (2_553, 3_662));
    assert_eq!(Agreement::new(0, 0), None);
    assert_eq!(Agreement::new(3, 3).unwrap().high_bp, 10_000);
}

#[test]
fn a_contributor_cannot_allow_a_change_by_a_rule_but_may_forbid_it() {
    let set = PolicySet(vec![member(1, vec![allow("merges")])]);
    let mine = BTreeSet::from([set.0[0].policy]);
    assert!(set.evaluate(&merge(), &BTreeSet::new()).is_allowed());
    assert_eq!(
        set.evaluate(&merge(), &mine),
        Outcome::Review { unmet: vec![] }
    );
    let never = PolicySet(vec![member(1, vec![Rule::new("nothing", Effect::Forbid)])]);
    assert!(matches!(
        never.evaluate(&merge(), &mine),
        Outcome::Forbid { .. }
    ));
}

#[test]
fn what_differs_between_versions_is_told_in_words() {
    let in_style = |rules| PolicyFile {
        rules,
        ..PolicyFile::default()
    };
    let before = in_style(vec![Rule {
        paths: BTreeSet::from(["/style/**".to_owned()]),
        ..allow("merges")
    }]);
    let mut after = in_style(vec![allow("merges")]);
    after.applying.after_hours = 1;
    let told: Vec<String> = differences(&before, &after)
        .iter()
        .map(|d| format!("{}: {:?} {:?}", d.about, d.before, d.after))
        .collect();
    assert_eq!(
        told,
        [
            "merges: path: Some(\"/style/**\") None",
            "cooling-off: Some(\"24 hours\") Some(\"1 hours\")"
        ]
    );
    assert_eq!(
        before.rules[0].sentence(|_| String::new()),
        "Apply merge changes in /style/**"
    );
}
