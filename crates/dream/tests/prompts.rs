//! What a model is asked, whole, as files that a reviewer reads when prompts change.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::event::{EventKind, OutcomeResult};
use dream::{
    Event, Head, Memory, Session,
    curator::{
        Observation, Topic,
        curate::{self, Rejected, Sources},
        items,
        observe::{self, Dropped, Raw},
        verify,
    },
    model::Ask,
};

fn session(key: &str, events: &[(EventKind, &str)]) -> Session {
    let event = |&(kind, text): &(EventKind, &str)| Event {
        kind,
        tool: matches!(kind, EventKind::ToolUse | EventKind::ToolResult)
            .then(|| "query_logs".to_owned()),
        tool_use_id: None,
        is_error: kind == EventKind::ToolResult && text.starts_with("Error"),
        text: text.into(),
    };
    let head = Head {
        key: key.into(),
        agent: Some("ops bot>".into()),
        subject: Some(format!("subject of {key}")),
        task: Some("month's end".into()),
        outcome: OutcomeResult::Failure,
        at: Some(1_767_225_600_000_000),
        ..Head::default()
    };
    Session {
        head,
        events: events.iter().map(event).collect(),
    }
}

fn raw(session: &str, statement: &str, quotes: &[&str]) -> Raw {
    let quotes = quotes.iter().map(|q| (*q).to_owned()).collect();
    Raw {
        session: session.into(),
        kind: Topic::Preference,
        statement: statement.into(),
        quotes,
    }
}

/// The whole of what a model is asked, as a file that a reviewer reads when prompts change.
/// `LUCID_WRITE_SNAPSHOTS=1` writes them anew.
#[test]
fn requests_are_as_reviewed() {
    let a = session(
        "a",
        &[
            (
                EventKind::User,
                "start every commit msg with the ticket no pls",
            ),
            (
                EventKind::ToolUse,
                r#"{"from": "2026-03-01", "to": "2026-03-09"}"#,
            ),
            (EventKind::ToolResult, "Error: time range exceeds 24 hours"),
        ],
    );
    let b = session(
        "b",
        &[(
            EventKind::User,
            "Our commits begin with the ticket, please do that always.",
        )],
    );
    let text = observe::shown("s1", &a) + &observe::shown("s2", &b);
    snapshot(
        "observe",
        &observe::ask(text, Some("Only what concerns commits.")),
    );

    let mut dropped = Dropped::default();
    let sessions = [("s1".to_owned(), &a), ("s2".to_owned(), &b)];
    let observations: Vec<Observation> = [
        raw(
            "s1",
            "Start commit messages with the ticket number.",
            &["start every commit msg with the ticket no"],
        ),
        raw(
            "s2",
            "Begin commits with the ticket.",
            &["Our commits begin with the ticket"],
        ),
    ]
    .into_iter()
    .filter_map(|raw| observe::ground(raw, &sessions, &mut dropped))
    .collect();
    let heads = [&a, &b]
        .map(|s| (s.head.key.clone(), s.head.clone()))
        .into();
    let memories = [
        Memory::plain(
            "/preferences/commits.md",
            "# Commits\n\n- Commit messages are in English.\n",
        ),
        Memory::plain(
            "/facts/logging.md",
            "# Logging\n\n- Raw logs are kept for 30 days.\n",
        ),
    ];
    let rejected = [Rejected {
        title: "Squash every commit".into(),
        why: "Never propose this again".into(),
    }];
    let notes = curate::words_of(&memories);
    let sources = Sources {
        observations: &observations,
        heads: &heads,
        memories: &memories,
        notes: &notes,
        rejected: &rejected,
        instructions: None,
    };
    let parts = curate::parts(&sources);
    assert_eq!(parts, [[0, 1]]);
    snapshot("curate", &curate::ask(&parts[0], &sources));

    let change = r#"{"analysis": "", "changes": [{"action": "update", "kind": "preference", "title": "Commits begin with the ticket",
        "statements": ["Begin commit messages with the ticket number."], "targets": ["/preferences/commits.md"], "replaces": [],
        "new_path": "", "observations": ["o1", "o2", "o9"], "reason": "Two people ask for it."}]}"#;
    let (changes, _) = items::<curate::Raw>(change).unwrap();
    let candidate = curate::ground(changes[0].clone(), &observations, "some/model");
    assert_eq!(candidate.quotes.len(), 2);
    snapshot(
        "verify",
        &verify::ask(&[("c1".to_owned(), &candidate)], &memories, None),
    );
}

fn snapshot(name: &str, ask: &Ask) {
    let turns: Vec<&str> = ask.turns.iter().map(|(_, text)| text.as_str()).collect();
    let schema = serde_json::to_string_pretty(&ask.schema).unwrap();
    let text = format!(
        "{}\n----- we say\n{}\n----- the answer's schema, at most {} tokens\n{schema}\n",
        ask.system,
        turns.concat(),
        ask.max_tokens
    );
    let path = format!("{}/tests/prompts/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("LUCID_WRITE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        reviewed, text,
        "{name}: read the new request, then write it with LUCID_WRITE_SNAPSHOTS=1"
    );
}
