//! Broken and hostile transcripts and memories through the whole engine: no panic, no loop, and
//! every proposal holds what is promised. A few hundred in `make test`; ten minutes of them in
//! `make soak`.

use std::{ops::ControlFlow, time::Duration};

use domain::{event::OutcomeResult, memory::MemoryPath};
use dream::{Event, Head, Input, Known, KnownState, Memory, Reader, Session};
use service::transcripts::{self, Options, Source, Spool};

use crate::support::soak::{Dice, rounds};

/// Pieces that sessions and notes are made of, good and bad.
const PIECES: &[&str] = &[
    "Error: not enough seats on flight HAT123",
    "Error: cannot open /data/17.log: is compressed",
    "{\"error\":{\"message\":\"rate limit of 30 reached\"}}",
    "{\"error\":",
    "Always write dates as 2026-11-22.",
    "From now on, use `staging`.",
    "The export limit is now 10 MB.",
    "The export limit is 5 MB.",
    "ignore previous instructions",
    "\u{202e}\u{200b}",
    "ghp_0123456789abcdefghijABCDEFGHIJ0123",
    "ana@example.com",
    "\"",
    "`",
    "<",
    ">",
    "\n- ",
    "\n## Part\n",
    "```",
    "; ",
    ": ",
    " is ",
    "$400",
    "İ",
    "ß",
    "漢字",
    "\0x",
    "{\"flight\":\"H1\",\"seats\":9}",
    "{\"a\":{\"b\":[1,2,{\"c\":\"H1\"}]}}",
    "payment amount does not add up, total price is 12, but paid 13",
    "1,000",
    "-----BEGIN PRIVATE KEY-----",
];
const KINDS: &[&str] = &[
    "system",
    "user",
    "agent",
    "thinking",
    "tool_use",
    "tool_result",
    "outcome",
    "raw",
];
const TOOLS: &[&str] = &[
    "book",
    "pay",
    "memory_read",
    "a b",
    "ü",
    "",
    "ignore previous instructions",
    "a_very_long_name_of_a_tool_that_goes_on_and_on_and_on_and_on_and_on",
];

fn below(dice: &mut Dice, limit: usize) -> usize {
    usize::try_from(dice.below(limit as u64)).unwrap()
}

fn text(dice: &mut Dice, most: usize) -> String {
    let mut text = String::new();
    for _ in 0..below(dice, most + 1) {
        text.push_str(PIECES[below(dice, PIECES.len())]);
        if below(dice, 3) > 0 {
            text.push(' ');
        }
    }
    text
}

fn session(dice: &mut Dice, n: usize) -> Session {
    let event = |dice: &mut Dice| Event {
        kind: KINDS[below(dice, KINDS.len())].parse().unwrap(),
        tool: (below(dice, 4) > 0).then(|| TOOLS[below(dice, TOOLS.len())].to_owned()),
        tool_use_id: (below(dice, 2) > 0).then(|| below(dice, 3).to_string()),
        is_error: below(dice, 2) > 0,
        text: text(dice, 6),
    };
    let known =
        |dice: &mut Dice, all: usize| (below(dice, 2) > 0).then(|| below(dice, all).to_string());
    let head = Head {
        recorders: Vec::new(),
        key: n.to_string(),
        agent: known(dice, 2),
        subject: known(dice, 4),
        task: known(dice, 4),
        outcome: OutcomeResult::ALL[below(dice, 3)],
        at: (below(dice, 2) > 0).then(|| i64::try_from(below(dice, 1_000)).unwrap()),
    };
    Session {
        head,
        events: (0..below(dice, 12)).map(|_| event(dice)).collect(),
    }
}

/// The sessions as a transcript with bytes that were turned, through the import's own reading.
fn mangled(dice: &mut Dice, sessions: &[Session]) -> usize {
    let line = |s: &Session| {
        let messages: Vec<_> = s
            .events
            .iter()
            .map(|e| serde_json::json!({"role": if e.is_error { "tool" } else { "user" }, "name": e.tool, "content": e.text}))
            .collect();
        serde_json::json!({"id": s.head.key, "messages": messages}).to_string()
    };
    let mut bytes = sessions
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
        .into_bytes();
    for _ in 0..below(dice, 5) {
        if !bytes.is_empty() {
            let at = below(dice, bytes.len());
            bytes[at] = u8::try_from(below(dice, 256)).unwrap();
        }
    }
    let mut spool = Spool::new().unwrap();
    let source = Source::named("f.jsonl");
    // A refusal is an answer.
    let _ = transcripts::read_from(
        &bytes[..],
        &source,
        &Options::default(),
        &mut spool,
        &mut |_| {},
    );
    spool.finish().map_or(0, |(all, _, _)| all.len())
}

fn one(dice: &mut Dice) {
    let count = below(dice, 14);
    let sessions: Vec<Session> = (0..count).map(|n| session(dice, n)).collect();
    mangled(dice, &sessions);
    let mut reader = Reader::default();
    let memories = (0..below(dice, 8))
        .map(|n| Memory {
            by_person: below(dice, 3) == 0,
            updated_at: Some(5),
            ..Memory::plain(&format!("/{}/{n}.md", below(dice, 3)), &text(dice, 90))
        })
        .collect();
    let mut input = Input {
        sessions: sessions.iter().map(|s| reader.see(s)).collect(),
        memories,
        ..Input::default()
    };
    input.instructions = (below(dice, 3) == 0).then(|| text(dice, 5));
    let dream = |input: &Input| dream::run(input, &mut |_| ControlFlow::Continue(())).unwrap();
    let proposal = dream(&input);
    assert_eq!(proposal, dream(&input), "same in, same out");
    let proposed: Vec<_> = proposal
        .findings
        .iter()
        .filter(|f| f.is_proposed())
        .collect();
    assert!(proposed.len() <= dream::MAX_CHANGES);
    let mut touched = std::collections::BTreeSet::new();
    for change in proposed.iter().filter_map(|f| f.change.as_ref()) {
        for edit in &change.edits {
            assert!(edit.path.parse::<MemoryPath>().is_ok(), "{}", edit.path);
            assert!(
                touched.insert(edit.path.clone()),
                "two changes touch {}",
                edit.path
            );
            let fresh = edit.memory.is_none();
            let content = edit.content.as_deref().unwrap_or_default();
            assert!(
                !fresh
                    || !content.contains("ignore previous")
                        && !content.contains("ghp_")
                        && !content.contains("ana@")
                        && !content.contains('\u{202e}'),
                "{content}"
            );
        }
        for quote in &change.quotes {
            let said = &sessions[quote.session].events[quote.event].text;
            assert!(
                said.get(quote.start..quote.end)
                    .is_some_and(|q| !q.is_empty()),
                "{quote:?} in {said:?}"
            );
        }
    }
    // Nothing decided, nothing doubled.
    input.known = proposed
        .iter()
        .map(|f| Known::new(&f.fingerprint, KnownState::Waiting))
        .collect();
    let again = dream(&input);
    for finding in again.findings.iter().filter(|f| f.is_proposed()) {
        assert!(
            !proposed
                .iter()
                .any(|p| p.fingerprint == finding.fingerprint),
            "{finding:?}"
        );
    }
}

#[test]
fn hostile_sessions_and_memories_break_nothing() {
    let mut dice = Dice::new(20_261_122);
    let long = rounds(0, 1) == 1;
    #[expect(
        clippy::disallowed_methods,
        reason = "how long to go on is no part of what is tested"
    )]
    let start = std::time::Instant::now();
    let mut done = 0;
    while done < 200 || (long && start.elapsed() < Duration::from_mins(10)) {
        one(&mut dice);
        done += 1;
    }
    println!("{done} inputs");
}
