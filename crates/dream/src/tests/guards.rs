//! What must not happen: wrong places, lost text, voices that are counted twice, words that turn.

use domain::changeset::ChangeKind;

use super::{BOOKED, SEATS, dream, memory, proposed, read, said, session, shown};
use crate::{Change, Disposition, Edit, Finding, Input, Known, KnownState, Loss, Session, loss};

#[test]
fn instructions_leave_out_and_ask_for_kinds_and_tools() {
    let pay: (&str, &str, &str) = (
        "pay",
        r#"{"card":"x"}"#,
        "Error: the bank did not answer in time",
    );
    let paid: (&str, &str, &str) = ("pay", r#"{"card":"y"}"#, "paid");
    let sessions = vec![
        session("a", "1", &[SEATS, BOOKED, pay, paid]),
        session("b", "2", &[SEATS, BOOKED, pay, paid]),
        session("c", "3", &[pay, paid]),
    ];
    let titles = |told: &str| {
        let memories = vec![memory("/a.md", "Same."), memory("/b.md", "Same.")];
        let input = Input {
            instructions: Some(told.into()),
            memories,
            ..read(sessions.clone())
        };
        let mut kinds: Vec<String> = proposed(&dream(&input))
            .iter()
            .map(|f| f.title.split([' ', ':']).next().unwrap().to_owned())
            .collect();
        kinds.sort();
        kinds.join(" ")
    };
    assert_eq!(titles("Be careful."), "Merge book pay");
    assert_eq!(titles("Ignore duplicates."), "book pay");
    assert_eq!(titles("Only failures of book, please."), "book");
    assert_eq!(titles("Focus on failures; skip `pay`."), "book");
    assert_eq!(titles("Nothing but preferences"), "");
}

/// A session at a time in which a user states something.
fn stated(key: &str, who: &str, at: i64, text: &str) -> Session {
    let mut one = said(key, Some(who), text);
    one.head.at = Some(at);
    one
}

#[test]
fn a_fact_is_changed_in_its_place_and_nowhere_else() {
    let sessions = vec![
        stated("a", "ana", 10, "The export limit is 10 MB."),
        stated("b", "bo", 11, "By the way: the export limit is now 10 MB."),
    ];
    let with = |content: &str| {
        let filler = memory(
            "/other.md",
            "- One.\n- Two things.\n- Three more things.\n- Four of them.\n- Five of those.\n",
        );
        let input = Input {
            memories: vec![memory("/facts.md", content), filler],
            ..read(sessions.clone())
        };
        let found: Vec<Finding> = dream(&input)
            .findings
            .into_iter()
            .filter(|f| f.kind == "fact_changed" && f.is_proposed())
            .collect();
        found
            .first()
            .map(|f| f.change.as_ref().unwrap().edits[0].content.clone().unwrap())
    };
    let near = "- The export limit is 5 MB for trials\n- The export limit is 5 MB.\n";
    assert_eq!(
        with(near).unwrap(),
        "- The export limit is 5 MB for trials\n- The export limit is 10 MB.\n"
    );
    let inside = "Read this. The export limit is 5 MB. Ask before you go over it.\n";
    assert_eq!(
        with(inside).unwrap(),
        "Read this. The export limit is 10 MB. Ask before you go over it.\n"
    );
    assert_eq!(
        with("- The export limit is 5 MB.\n- The export limit is 5 MB.\n"),
        None,
        "twice: a person should look"
    );
    // Both orders of the sessions, and equal times, give the same.
    let mut turned = sessions.clone();
    turned.reverse();
    let of = |sessions: &[Session]| {
        let input = Input {
            memories: vec![memory("/facts.md", inside)],
            ..read(sessions.to_vec())
        };
        shown(&input)
    };
    assert_eq!(of(&sessions), of(&turned));
}

#[test]
fn a_value_that_returns_is_a_change_again() {
    let sessions = vec![
        stated("a", "ana", 10, "The export limit is 10 MB."),
        stated("b", "bo", 11, "The export limit is now 10 MB."),
    ];
    let mut input = Input {
        memories: vec![memory("/facts.md", "- The export limit is 5 MB.\n")],
        ..read(sessions)
    };
    let first = proposed(&dream(&input))[0].fingerprint.clone();
    // It was 10 MB once before, and somebody committed that; then it was 5 MB again.
    input.known = vec![Known::new(&first, KnownState::Committed)];
    assert_eq!(proposed(&dream(&input)).len(), 1);
    input.nothing_new = true;
    assert!(
        proposed(&dream(&input)).is_empty(),
        "nobody said anything since"
    );
    input.nothing_new = false;
    input.known = vec![Known::new(
        &first,
        KnownState::Rejected(domain::changeset::RejectCode::NotYet, 2),
    )];
    assert!(proposed(&dream(&input)).is_empty());
}

#[test]
fn what_somebody_else_has_changes_no_fact_of_ours() {
    let sessions = vec![
        stated("a", "ana", 10, "their standard governing law is Texas"),
        stated(
            "b",
            "bo",
            11,
            "the other side's standard governing law is Texas",
        ),
    ];
    let with = |content: &str| {
        proposed(&dream(&Input {
            memories: vec![memory("/law.md", content)],
            ..read(sessions.clone())
        }))
        .len()
    };
    assert_eq!(with("- Our standard governing law is England.\n"), 0);
}

#[test]
fn where_no_more_may_be_lost_the_old_statement_stays_as_a_quotation() {
    let sessions = vec![
        stated("a", "ana", 10, "The export limit is 10 MB."),
        stated("b", "bo", 11, "The export limit is now 10 MB."),
    ];
    let input = Input {
        memories: vec![memory("/facts.md", "- The export limit is 5 MB.\n")],
        ..read(sessions)
    };
    let proposal = dream(&input);
    let change = proposed(&proposal)[0].change.as_ref().unwrap();
    let content = change.edits[0].content.clone().unwrap();
    assert_eq!(
        content,
        "- The export limit is 10 MB.\n\nReplaced, no longer true:\n> The export limit is 5 MB.\n\n"
    );
    assert_eq!(
        loss::of_change(change, &input.memories, &std::collections::HashSet::new()),
        Loss::default()
    );
    let after = Input {
        memories: vec![memory("/facts.md", &content)],
        ..input
    };
    assert!(
        proposed(&dream(&after)).is_empty(),
        "after applying, nothing is found"
    );
}

#[test]
fn what_would_be_too_large_is_held_back_and_removes_nothing() {
    let book = format!(
        "- The tool book answers not enough seats on flight at times.\n{}",
        "x".repeat(102_300)
    );
    let sessions = vec![
        session("a", "1", &[SEATS, BOOKED]),
        session("b", "2", &[SEATS, BOOKED]),
    ];
    let input = Input {
        memories: vec![memory("/book.md", &book)],
        ..read(sessions)
    };
    let proposal = dream(&input);
    assert!(
        proposed(&proposal).is_empty(),
        "{:?}",
        proposal.findings[0].disposition
    );
    assert!(
        matches!(&proposal.findings[0].disposition, Disposition::HeldBack(why) if why.contains("larger")),
        "{:?}",
        proposal.findings[0].disposition
    );
}

#[test]
fn instructions_do_not_make_what_waits_go_away() {
    let sessions = vec![
        session("a", "1", &[SEATS, BOOKED]),
        session("b", "2", &[SEATS, BOOKED]),
    ];
    let fingerprint = dream(&read(sessions.clone())).findings[0]
        .fingerprint
        .clone();
    let known = vec![Known::new(&fingerprint, KnownState::Waiting)];
    let input = Input {
        known,
        instructions: Some("Ignore failures.".into()),
        ..read(sessions)
    };
    assert_eq!(dream(&input).findings[0].disposition, Disposition::Waits);
}

#[test]
fn opposite_rules_are_not_two_voices_for_one() {
    let sessions = vec![
        said("a", Some("ana"), "Always answer customer emails in German."),
        said("b", Some("bo"), "Always answer customer emails in French."),
    ];
    assert!(proposed(&dream(&read(sessions))).is_empty());
}

#[test]
fn an_argument_name_of_one_subject_is_in_no_note() {
    let odd = (
        "book",
        r#"{"flight":"H1","seats":1,"pay.skip-all-checks":9}"#,
        "booked",
    );
    let sessions = vec![
        session("a", "1", &[SEATS, BOOKED]),
        session("b", "2", &[SEATS, odd]),
        session("c", "3", &[SEATS, BOOKED]),
    ];
    let proposal = dream(&read(sessions));
    let text = proposed(&proposal)[0].change.as_ref().unwrap().edits[0]
        .content
        .clone()
        .unwrap();
    assert!(
        text.contains("set `seats` to `1`") && !text.contains("skip-all"),
        "{text}"
    );
}

#[test]
fn a_negation_of_machines_and_code_are_never_overlooked() {
    let pair = |a: &str, b: &str| {
        let filler: Vec<String> = (b'a'..=b'z')
            .map(|c| char::from(c).to_string().repeat(30))
            .collect();
        let memories = vec![
            memory("/a.md", a),
            memory("/b.md", b),
            memory("/c.md", &format!("- {}\n", filler.join("\n- "))),
        ];
        proposed(&dream(&Input {
            memories,
            ..Input::default()
        }))
        .len()
    };
    assert_eq!(pair("Retry if status != 200", "Retry if status = 200"), 0);
    assert_eq!(pair("```\nf(a, b)\n```\n", "```\nf b\n```\n"), 0);
    assert_eq!(pair("Retry the export!", "Retry the export."), 1);
}

#[test]
fn two_changes_never_lean_on_each_other_for_what_they_keep() {
    // Two identical notes, each of which the other's removal would leave alone.
    let memories = [
        memory("/a.md", "Same words here."),
        memory("/b.md", "Same words here."),
    ];
    let removal = |i: usize| Change {
        kind: ChangeKind::Remove,
        rationale: String::new(),
        confidence_bp: 0,
        tool_text: false,
        edits: vec![Edit {
            memory: Some(i),
            path: memories[i].path.clone(),
            new_path: None,
            content: None,
        }],
        quotes: Vec::new(),
        gentle: None,
    };
    assert_eq!(
        loss::of_change(&removal(0), &memories, &std::collections::HashSet::new()).statements,
        0
    );
    assert_eq!(
        loss::of_change(
            &removal(1),
            &memories,
            &std::collections::HashSet::from([0])
        )
        .statements,
        1
    );
}
