//! Workflow contrast: what is found by chance, and what is found of what was planted.

use std::collections::BTreeMap;

use domain::event::{EventKind, OutcomeResult};
use dream::{Event, Head, Session};

use crate::{
    airline::{Corpus, proposals},
    figures::{Dice, ratio},
};

/// Runs of 200 in which a workflow is proposed though outcomes are shuffled within their tasks: at
/// most 5 % should.
pub fn shuffled(corpus: &Corpus) {
    let input = corpus.input();
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut found = 0;
    for _ in 0..200 {
        let mut shuffled = input.clone();
        let mut by_task: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
        for (i, session) in input.sessions.iter().enumerate() {
            by_task
                .entry(session.head.task.clone())
                .or_default()
                .push(i);
        }
        for tries in by_task.values() {
            let mut outcomes: Vec<OutcomeResult> = tries
                .iter()
                .map(|&i| input.sessions[i].head.outcome)
                .collect();
            for n in (1..outcomes.len()).rev() {
                outcomes.swap(n, dice.below(n + 1));
            }
            for (&i, outcome) in tries.iter().zip(outcomes) {
                shuffled.sessions[i].head.outcome = outcome;
            }
        }
        found += usize::from(proposals(&shuffled).iter().any(|f| f.kind == "workflow"));
    }
    println!(
        "{:<34} {:>8} {found:>8} {:>8.3}   at most 0.050",
        "tau: workflows by chance",
        200,
        ratio(found, 200)
    );
}

/// Runs of 200 in which a planted order of steps (85 % success with it, 15 % without) is found, and
/// in which one is found by chance.
pub fn planted() {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    for (name, with, without, bound) in [
        ("planted step found (85/15)", 85, 15, "at least 0.700"),
        ("no step planted (50/50)", 50, 50, "at most 0.050"),
    ] {
        let mut found = 0;
        for _ in 0..200 {
            let corpus = Corpus {
                sessions: (0..60)
                    .map(|n| planted_session(n, &mut dice, with, without))
                    .collect(),
            };
            found += usize::from(
                proposals(&corpus.input())
                    .iter()
                    .any(|f| f.kind == "workflow"),
            );
        }
        println!(
            "{name:<34} {:>8} {found:>8} {:>8.3}   {bound}",
            200,
            ratio(found, 200)
        );
    }
}

fn planted_session(n: usize, dice: &mut Dice, with: usize, without: usize) -> Session {
    let call = |tool: &str| {
        let use_it = Event {
            kind: EventKind::ToolUse,
            tool: Some(tool.into()),
            tool_use_id: Some(tool.into()),
            is_error: false,
            text: r#"{"id":"1"}"#.into(),
        };
        let answer = Event {
            kind: EventKind::ToolResult,
            text: "done".into(),
            ..use_it.clone()
        };
        [use_it, answer]
    };
    let step = dice.below(2) == 0;
    // Other tools come and go by chance.
    let mut tools: Vec<&str> = ["list", "read", "note"]
        .into_iter()
        .filter(|_| dice.below(2) == 0)
        .collect();
    tools.extend(if step {
        ["check", "write"]
    } else {
        ["write", "check"]
    });
    let outcome = if dice.below(100) < if step { with } else { without } {
        OutcomeResult::Success
    } else {
        OutcomeResult::Failure
    };
    Session {
        head: Head {
            key: format!("{n:04}"),
            task: Some(format!("t{}", n % 12)),
            outcome,
            ..Head::default()
        },
        events: tools.into_iter().flat_map(call).collect(),
    }
}
