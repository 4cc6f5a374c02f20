//! Stores with changes of every kind that wait: what dreams propose over made-up sessions and
//! notes, and what agents' keys wanted to write. Made through the same doors as real ones; the same
//! each time.

use std::fmt::Write;

use domain::{
    Timestamp,
    actor::{Actor, Grant, Role, StoreRole},
    ids::StoreId,
    memory::GateMode,
    rights::Scope,
};
use serde_json::json;
use service::{
    Lucid, MemoryWrite, NewKey, NewMemory, NewUser,
    transcripts::{self, Options, Source, Spool},
};

/// Tools, what they answer when they fail, and the argument that makes it work: name, wrong value,
/// right value.
const TROUBLES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "export_report",
        "Error: page size {n} is larger than the limit",
        "page_size",
        "large",
        "small",
    ),
    (
        "charge_card",
        "Error: currency is not accepted for account {n}",
        "currency",
        "local",
        "euro",
    ),
    (
        "search_orders",
        "Error: filter needs a date range, got {n} rows",
        "range",
        "all",
        "month",
    ),
    (
        "send_letter",
        "Error: template is archived since version {n}",
        "template",
        "old",
        "current",
    ),
    (
        "resize_image",
        "Error: width {n} exceeds the plan",
        "width",
        "huge",
        "wide",
    ),
    (
        "open_ticket",
        "Error: queue is closed, next opening in {n} hours",
        "queue",
        "first",
        "second",
    ),
    (
        "book_room",
        "Error: room needs an approval of its owner, request {n}",
        "room",
        "board",
        "open",
    ),
    (
        "sync_calendar",
        "Error: token has expired {n} minutes ago",
        "token",
        "cached",
        "fresh",
    ),
];

/// Opens a database as a process of its own would.
pub async fn open(url: &str) -> Lucid {
    let db = store::Db::open(url).await.expect("the database opens");
    Lucid::new(db, server::clock::system(), server::clock::system_random())
}

/// People who decide: their tokens for a one-time link, in this order.
pub async fn people(lucid: &Lucid, stores: &[StoreId], names: &[(&str, Role)]) -> Vec<String> {
    let mut tokens = Vec::new();
    for (name, role) in names {
        let grants = stores
            .iter()
            .map(|&s| Grant::whole(s, StoreRole::Reviewer))
            .collect();
        let new = NewUser {
            email: format!("{name}@lucid.example"),
            name: (*name).to_owned(),
            role: *role,
            grants,
        };
        tokens.push(
            lucid
                .add_user(&Actor::operator(), &new)
                .await
                .expect("the person is added")
                .1
                .shown()
                .expect("a link"),
        );
    }
    tokens
}

/// A store with about a dozen changes that wait: eight failures, three merges of which one is of
/// what a person wrote, a line that stands twice, and what a key wanted to write.
pub async fn store(lucid: &Lucid, number: usize) -> StoreId {
    let operator = Actor::operator();
    let id = lucid
        .create_store(&operator, &format!("Store {number:03}"), "")
        .await
        .expect("a store");
    lucid
        .write_memories(&operator, id, &notes(number), "Notes from before")
        .await
        .expect("the notes");
    import(lucid, id, &sessions(number)).await;
    lucid
        .request_dream(&operator, id, None)
        .await
        .expect("a dream");
    while lucid.work_once("mixed").await.expect("the dream runs") {}
    writes(lucid, id, number).await;
    id
}

fn notes(number: usize) -> Vec<NewMemory> {
    let note = |path: String, content: String, by_person| NewMemory {
        path: path.parse().expect("a path"),
        content,
        by_person,
    };
    let times = format!(
        "# Times\n\n- Write the zone with every time.\n- The office of region {number} opens at \
         9.\n"
    );
    let tone =
        format!("# Tone\n\n- Say what happens next.\n- Sign with the name of team {number}.\n");
    let shared = format!("- Backups of region {number} run at night, between two and four.\n");
    vec![
        note("/style/times.md".into(), times.clone(), false),
        note("/old/times.md".into(), times.clone(), false),
        note("/old/2/times.md".into(), times, false),
        note("/style/tone.md".into(), tone.clone(), true),
        note("/old/tone.md".into(), tone, true),
        note(
            "/ops/backups.md".into(),
            format!("# Backups\n\n{shared}- Restores are tested each month.\n"),
            false,
        ),
        note(
            "/ops/regions.md".into(),
            format!("# Regions\n\n{shared}- Region {number} stands in Frankfurt.\n"),
            false,
        ),
        note(
            "/ops/rates.md".into(),
            "# Rates\n\n- The rate is 20 calls a minute.\n- Ask before a burst.\n".into(),
            false,
        ),
    ]
}

/// Three users meet each trouble, and find the way out.
fn sessions(number: usize) -> String {
    let mut out = String::new();
    for (t, &(tool, error, argument, wrong, right)) in TROUBLES.iter().enumerate() {
        for user in 0..3 {
            let id = format!("m{number}-{t}-{user}");
            let agent = ["desk-agent", "ops-agent"][(t + user) % 2];
            let line = json!({"type": "session", "id": id, "agent": agent, "subject": format!("customer-{user}"), "task_key": format!("task-{}", t + user)});
            let _ = writeln!(out, "{line}");
            let mut event = 0;
            let mut say = |mut value: serde_json::Value| {
                event += 1;
                value["id"] = json!(format!("{id}-{event}"));
                value["session_id"] = json!(id);
                value["processed_at"] = json!(
                    Timestamp(
                        1_794_000_000_000_000
                            + i64::try_from(t * 100 + user * 10 + event).expect("small")
                                * 60_000_000
                    )
                    .rfc3339()
                );
                let _ = writeln!(out, "{value}");
            };
            say(
                json!({"type": "user.message", "content": [{"type": "text", "text": "Please take \
                    care of it."}]}),
            );
            for (value, answer) in [
                (wrong, error.replace("{n}", &(40 + 7 * user).to_string())),
                (right, "done".to_owned()),
            ] {
                let call = format!("{id}-{value}");
                say(
                    json!({"type": "agent.tool_use", "id": call, "name": tool, "input": {argument: value, "region": number}}),
                );
                let last = format!("{id}-{}", if value == wrong { 2 } else { 4 });
                say(
                    json!({"type": "agent.tool_result", "tool_use_id": last, "content": [{"type": "text", "text": answer}]}),
                );
            }
            let result = if user == 2 && t % 3 == 0 {
                "unsatisfied"
            } else {
                "satisfied"
            };
            say(json!({"type": "span.outcome_evaluation_end", "result": result}));
        }
    }
    out
}

/// Takes transcripts into a store.
pub async fn import(lucid: &Lucid, store: StoreId, text: &str) {
    let mut spool = Spool::new().expect("a temporary file");
    let source = Source::named("mixed.jsonl");
    transcripts::read_from(
        text.as_bytes(),
        &source,
        &Options::default(),
        &mut spool,
        &mut |_| {},
    )
    .expect("it reads");
    let (sessions, problems, mut reader) = spool.finish().expect("the spool");
    assert!(problems.is_empty(), "{problems:?}");
    for session in &sessions {
        lucid
            .import_session(&Actor::operator(), store, session, &mut reader)
            .await
            .expect("the session");
    }
}

/// What a key wants to write where everything is gated: a new memory, other content, another place,
/// a removal.
async fn writes(lucid: &Lucid, store: StoreId, number: usize) {
    let operator = Actor::operator();
    let key = gated_key(lucid, store, number).await;
    let at = |path: &str| path.parse().expect("a path");
    let memories = lucid
        .memories(&operator, store, None)
        .await
        .expect("memories")
        .rows;
    let rates = memories
        .iter()
        .find(|m| m.path.as_str() == "/ops/rates.md")
        .expect("it is there")
        .id;
    let regions = memories
        .iter()
        .find(|m| m.path.as_str() == "/ops/regions.md")
        .expect("it is there")
        .id;
    let more = "# Rates\n\n- The rate is 20 calls a minute.\n- Ask before a burst.\n- Bursts end \
        after a minute.\n"
        .to_owned();
    for write in [
        MemoryWrite::Create {
            path: at("/agents/handover.md"),
            content: format!("# Handover\n\n- Shift {number} hands over in writing.\n"),
        },
        MemoryWrite::Update {
            id: rates,
            path: None,
            content: Some(more),
            expected_sha256: None,
        },
        MemoryWrite::Update {
            id: regions,
            path: Some(at("/places/regions.md")),
            content: None,
            expected_sha256: None,
        },
        MemoryWrite::Delete {
            id: rates,
            expected_sha256: None,
        },
    ] {
        lucid
            .write_memory(&key, store, &write)
            .await
            .expect("it is proposed");
    }
}

/// Gates everything in a store; a key whose writes are proposals.
async fn gated_key(lucid: &Lucid, store: StoreId, number: usize) -> Actor {
    let operator = Actor::operator();
    lucid
        .set_gate(&operator, store, GateMode::AllGated, None)
        .await
        .expect("the gate");
    let grants = vec![Grant::whole(store, StoreRole::Reader)];
    let owner = NewUser {
        email: "keys@lucid.example".into(),
        name: "Keys".into(),
        role: Role::Member,
        grants,
    };
    let (owner, _) = lucid
        .add_user(&operator, &owner)
        .await
        .expect("the key's owner");
    let scopes = vec![Scope::MemoryWrite, Scope::MemoryDelete, Scope::MemoryRead];
    let new = NewKey {
        name: format!("agent {number}"),
        owner: Some(owner),
        store: Some(store),
        scopes,
        days: None,
    };
    let secret = lucid.add_key(&operator, &new).await.expect("a key").1;
    lucid.key_actor(&secret).await.expect("the key works")
}

/// Proposals of one key that may wait at once.
const OF_A_KEY: usize = 50;

/// Proposes new memories as agents would, each with its own key: each is a changeset of its own.
pub async fn propose(lucid: &Lucid, store: StoreId, memories: Vec<(String, String)>) {
    for (number, part) in memories.chunks(OF_A_KEY).enumerate() {
        let key = gated_key(lucid, store, number).await;
        for (path, content) in part {
            let write = MemoryWrite::Create {
                path: path.parse().expect("a path"),
                content: content.clone(),
            };
            lucid
                .write_memory(&key, store, &write)
                .await
                .expect("it is proposed");
        }
    }
}
