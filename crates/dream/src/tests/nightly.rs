//! Many dreams, one after the other, against one over everything.

use domain::event::{EventKind, OutcomeResult};
use proptest::prelude::*;

use super::{dream, memory, proposed, read, session};
use crate::{Event, Finding, Input, Known, KnownState, Session};

/// One random session of a small world: two tools with errors of some wordings, ways out, rules.
fn any_session(n: usize, dice: &mut impl FnMut(usize) -> usize) -> Session {
    let errors = [
        "Error: not enough seats on flight H1",
        "Error: payment of 12 euros was refused",
        "Error: payment of 14 euros was refused",
        "Error: cabin economy is not offered",
        "Error: cabin business is not offered",
        "Error: agent Ana Li is not on duty now",
    ];
    let rules = [
        "Always answer in German.",
        "Please always answer in German",
        "Never send attachments to customers.",
        "Thanks!",
    ];
    let mut calls = Vec::new();
    for _ in 0..dice(4) {
        let tool = ["book", "pay"][dice(2)];
        let error = errors[dice(errors.len())];
        calls.push((tool, r#"{"seats":9,"cabin":"economy"}"#, error));
        // Of some failures there is no way out. What works always does: what is told apart by
        // chance may be otherwise the next night.
        let hopeless = error.contains("payment");
        match dice(4) {
            0..=2 if hopeless => calls.push((tool, r#"{"seats":1,"cabin":"economy"}"#, error)),
            0 => calls.push((tool, r#"{"seats":1,"cabin":"economy"}"#, "done")),
            1 => calls.extend([
                ("look", "{}", "seen"),
                (tool, r#"{"seats":9,"cabin":"economy"}"#, "done"),
            ]),
            _ => {}
        }
    }
    let task = dice(30);
    let mut one = session(&format!("{n:04}"), &format!("task{task}"), &calls);
    one.head.subject = (dice(3) > 0).then(|| format!("user{}", dice(12)));
    // A task always ends in the same way: what is called by chance at a test of every night may
    // have gone by the last.
    one.head.outcome = [
        OutcomeResult::Success,
        OutcomeResult::Failure,
        OutcomeResult::Unknown,
    ][task % 3];
    let text = rules[dice(rules.len())].to_owned();
    one.events.push(Event {
        kind: EventKind::User,
        tool: None,
        tool_use_id: None,
        is_error: false,
        text,
    });
    one
}

/// Approves and applies everything that a dream proposes, as a commit does.
fn approve_all(input: &mut Input) -> usize {
    let findings: Vec<Finding> = dream(input)
        .findings
        .into_iter()
        .filter(Finding::is_proposed)
        .collect();
    for finding in &findings {
        let change = finding.change.clone().unwrap();
        for edit in change.edits {
            let content = edit.content.expect("nothing is removed here");
            let at = edit.memory.unwrap_or(input.memories.len());
            if edit.memory.is_none() {
                input.memories.push(memory("/new.md", ""));
            }
            input.memories[at].content.clone_from(&content);
            let path = edit.new_path.unwrap_or(edit.path);
            input.memories[at].path.clone_from(&path);
            // Only the last commit of a memory still is as it was left.
            input
                .known
                .iter_mut()
                .filter(|k| k.memory == Some(at))
                .for_each(|k| k.memory = None);
            input.known.push(Known {
                memory: Some(at),
                composed: Some(content),
                path: Some(path),
                ..Known::new(&finding.fingerprint, KnownState::Committed)
            });
        }
    }
    findings.len()
}

fn texts(input: &Input) -> Vec<(String, String)> {
    let mut all: Vec<_> = input
        .memories
        .iter()
        .map(|m| (m.path.clone(), m.content.clone()))
        .collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 8, ..ProptestConfig::default() })]

    /// Twenty nightly dreams of five sessions, all approved, end in the same memory as one dream
    /// over the hundred.
    #[test]
    fn many_dreams_end_where_one_does(seed in any::<u64>()) {
        check(seed)?;
    }
}

/// One hundred sessions in which one person insists on a rule before anybody else states it.
#[test]
fn a_personal_rule_becomes_a_shared_one_on_a_later_night() {
    check(1_691_867_002_892_757_744).unwrap();
}

fn check(seed: u64) -> Result<(), TestCaseError> {
    let mut state = seed | 1;
    let mut dice = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % limit
    };
    let all = read((0..100).map(|n| any_session(n, &mut dice)).collect()).sessions;
    // A store of some size: of a small one hardly anything may be lost, and so hardly anything
    // rewritten.
    let letters = (b'a'..=b'z').flat_map(|c| [c, c - 32]).map(char::from);
    let filler: Vec<String> = letters.map(|c| c.to_string().repeat(40)).collect();
    let mut nightly = Input {
        memories: vec![memory(
            "/house.md",
            &format!("# House\n\n- {}\n", filler.join("\n- ")),
        )],
        ..Input::default()
    };
    nightly.memories[0].by_person = true;
    for night in all.chunks(5) {
        nightly.sessions.extend(night.iter().cloned());
        approve_all(&mut nightly);
        // Nothing new, nothing proposed.
        let again = dream(&nightly);
        prop_assert!(proposed(&again).is_empty(), "{:#?}", proposed(&again));
    }
    let mut once = Input {
        sessions: all,
        memories: nightly.memories[..1].to_vec(),
        ..Input::default()
    };
    approve_all(&mut once);
    prop_assert_eq!(texts(&nightly), texts(&once));
    Ok(())
}
