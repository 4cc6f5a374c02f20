//! What agents may do with a key: record, read, write as the gate lets them, and be briefed. On
//! both engines.

use domain::{
    actor::Actor,
    event::{Outcome, OutcomeResult, SessionHead},
    memory::GateMode,
    rights::Scope,
};
use service::{
    BriefingRequest, Kind, MemoryWrite, NewKey, NewRecording, Once, Verdict, Written,
    transcripts::read_event,
};

use crate::world::{World, create, on_both_engines, open_changesets};

on_both_engines!(
    a_key_does_what_its_scopes_say,
    recording_is_idempotent,
    writes_go_through_the_gate_that_the_store_has,
    a_budget_is_checked_when_something_is_proposed,
    a_briefing_holds_committed_memory_only,
    a_briefing_leaves_out_what_is_not_valid,
    a_deleted_store_is_gone_for_everybody,
    a_dream_over_chosen_sessions,
);

async fn key(world: &World, scopes: &[Scope], bound: bool) -> Actor {
    let store = bound.then_some(world.store);
    let new = NewKey {
        name: "agent".into(),
        owner: None,
        store,
        scopes: scopes.to_vec(),
        days: Some(30),
    };
    let (_, secret) = world.lucid.add_key(&world.admin, &new).await.unwrap();
    world.lucid.key_actor(&secret).await.unwrap()
}

async fn a_key_does_what_its_scopes_say(world: World) {
    let lucid = &world.lucid;
    let reader = key(&world, &[Scope::MemoryRead], true).await;
    assert_eq!(lucid.stores(&reader).await.unwrap().len(), 1);
    assert_eq!(
        lucid
            .write_memory(&reader, world.store, &create("/a.md", "x"))
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    assert_eq!(
        lucid
            .request_dream(&reader, world.store, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    assert!(
        lucid
            .sessions(&reader, None, None)
            .await
            .unwrap()
            .rows
            .is_empty()
            && open_changesets(lucid, &reader).await.is_empty()
    );
    assert_eq!(
        lucid
            .create_store(&reader, "Another", "")
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    assert_eq!(
        lucid
            .people(&key(&world, &[Scope::MemoryWrite], false).await)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    // Nobody makes a key that decides as somebody else, and no key without a scope or an end within
    // reason.
    let reviewer = world.reviewer.who.person();
    let new = NewKey {
        name: "agent".into(),
        owner: reviewer,
        store: None,
        scopes: vec![Scope::Review],
        days: None,
    };
    assert_eq!(
        lucid.add_key(&world.admin, &new).await.unwrap_err().kind(),
        Kind::Permission
    );
    assert_eq!(
        lucid
            .add_key(&world.reviewer, &new)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    for bad in [
        NewKey {
            scopes: vec![],
            ..new.clone()
        },
        NewKey {
            days: Some(0),
            ..new.clone()
        },
        NewKey {
            name: " ".into(),
            ..new
        },
    ] {
        assert_eq!(
            lucid
                .add_key(&world.admin, &NewKey { owner: None, ..bad })
                .await
                .unwrap_err()
                .kind(),
            Kind::Invalid
        );
    }
    // It ends by itself, and is good until then; its use is noted.
    let short = NewKey {
        name: "short".into(),
        owner: None,
        store: None,
        scopes: vec![Scope::MemoryRead],
        days: Some(1),
    };
    let (id, secret) = lucid.add_key(&world.admin, &short).await.unwrap();
    lucid.key_actor(&secret).await.unwrap();
    lucid.flush_small_writes().await.unwrap();
    let row = lucid
        .keys(&world.admin)
        .await
        .unwrap()
        .into_iter()
        .find(|k| k.row.id == id)
        .unwrap()
        .row;
    assert!(
        row.last_used_at.is_some_and(|at| at <= lucid.now()),
        "{:?}",
        row.last_used_at
    );
    world.wait_seconds(86_401);
    assert_eq!(
        lucid.key_actor(&secret).await.unwrap_err().kind(),
        Kind::Authentication
    );
    let lasting = NewKey {
        days: None,
        ..short
    };
    let (id, secret) = lucid.add_key(&world.admin, &lasting).await.unwrap();
    lucid.revoke_key(&world.admin, id).await.unwrap();
    assert_eq!(
        lucid.key_actor(&secret).await.unwrap_err().kind(),
        Kind::Authentication
    );
    assert_eq!(
        lucid.revoke_key(&world.admin, id).await.unwrap_err().kind(),
        Kind::Conflict
    );
    world.verified().await;
}

async fn recording_is_idempotent(world: World) {
    let lucid = &world.lucid;
    let agent = key(&world, &[Scope::SessionsWrite, Scope::SessionsRead], true).await;
    let event = |id: &str, text: &str| {
        let raw = serde_json::json!({"type": "user.message", "id": id, "content": [{"type": "text", "text": text}]}).to_string();
        read_event(&raw).unwrap()
    };
    let head = SessionHead {
        agent: Some("triage".into()),
        subject: Some("u1".into()),
        ..SessionHead::default()
    };
    let new = NewRecording {
        head,
        stores: Vec::new(),
        events: vec![event("e1", "hello")],
    };
    let once = Once::new("retry-1", "POST /v1/sessions", b"body").unwrap();
    let first = lucid
        .record_session(&agent, &new, Some(&once))
        .await
        .unwrap();
    assert_eq!(
        lucid
            .record_session(&agent, &new, Some(&once))
            .await
            .unwrap(),
        first,
        "the same request is one session"
    );
    let other = Once::new("retry-1", "POST /v1/sessions", b"another body").unwrap();
    assert_eq!(
        lucid
            .record_session(&agent, &new, Some(&other))
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    let (session, stores) = lucid.session(&agent, first.session).await.unwrap();
    assert_eq!(
        (session.event_count, stores),
        (1, vec![world.store]),
        "it belongs to the key's only store"
    );
    // An event that is there already is not appended again, whatever request brings it.
    let more = [event("e1", "hello"), event("e2", "again")];
    let sent = lucid
        .record_events(&agent, first.session, &more, None)
        .await
        .unwrap();
    assert_eq!(sent.events[0], first.events[0]);
    let again = lucid
        .record_events(&agent, first.session, &more, None)
        .await
        .unwrap();
    assert_eq!(again.events, sent.events);
    lucid
        .record_outcome(
            &agent,
            first.session,
            Outcome {
                score: Some(500_000),
                ..Outcome::stated(OutcomeResult::Success)
            },
            Some("done"),
        )
        .await
        .unwrap();
    let (session, _) = lucid.session(&agent, first.session).await.unwrap();
    assert_eq!(
        (session.event_count, session.outcome),
        (2, Some(OutcomeResult::Success))
    );
    // Two at once append one after the other, and lose nothing.
    let mut both = tokio::task::JoinSet::new();
    for n in 0..8 {
        let (lucid, agent, event) = (
            lucid.clone(),
            agent.clone(),
            event(&format!("p{n}"), "at once"),
        );
        both.spawn(async move {
            lucid
                .record_events(&agent, first.session, &[event], None)
                .await
        });
    }
    while let Some(done) = both.join_next().await {
        done.unwrap().unwrap();
    }
    assert_eq!(
        lucid
            .session(&agent, first.session)
            .await
            .unwrap()
            .0
            .event_count,
        10
    );
    // Without a store it is its recorder's alone; and what was imported is not appended to.
    let lone = key(&world, &[Scope::SessionsWrite, Scope::SessionsRead], false).await;
    let empty = NewRecording {
        stores: Vec::new(),
        ..NewRecording::default()
    };
    lucid
        .create_store(&world.admin, "Second", "")
        .await
        .unwrap();
    let lone = lucid.refreshed(&lone).await.unwrap().unwrap();
    let nowhere = lucid
        .record_session(&lone, &empty, None)
        .await
        .unwrap()
        .session;
    assert_eq!(lucid.session(&lone, nowhere).await.unwrap().1, []);
    assert_eq!(
        lucid.session(&agent, nowhere).await.unwrap_err().kind(),
        Kind::NotFound
    );
    assert_eq!(
        lucid
            .session(&world.admin, nowhere)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    world.import(&crate::world::failing("s1", "t1", 1)).await;
    let imported = lucid
        .sessions(&world.admin, None, None)
        .await
        .unwrap()
        .rows
        .into_iter()
        .find(|s| s.source == "openai")
        .unwrap();
    assert_eq!(
        lucid
            .record_events(&agent, imported.id, &more, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    world.verified().await;
}

async fn writes_go_through_the_gate_that_the_store_has(world: World) {
    let lucid = &world.lucid;
    let agent = key(
        &world,
        &[Scope::MemoryRead, Scope::MemoryWrite, Scope::MemoryDelete],
        true,
    )
    .await;
    let Written::Committed {
        memory: Some(memory),
        id,
    } = lucid
        .write_memory(&agent, world.store, &create("/a.md", "one\n"))
        .await
        .unwrap()
    else {
        panic!("dreams are gated here, agents are not")
    };
    assert_eq!(
        lucid
            .write_memory(&agent, world.store, &create("/a.md", "two\n"))
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    let update = |content: &str, expected: Option<String>| MemoryWrite::Update {
        id,
        path: None,
        content: Some(content.into()),
        expected_sha256: expected,
    };
    assert_eq!(
        lucid
            .write_memory(&agent, world.store, &update("two\n", Some("0".repeat(64))))
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    lucid
        .write_memory(
            &agent,
            world.store,
            &update("two\n", Some(memory.content_sha256)),
        )
        .await
        .unwrap();
    lucid
        .write_memory(&agent, world.store, &update("two\n", None))
        .await
        .unwrap();
    let view = lucid.memory(&world.admin, id, None).await.unwrap();
    assert_eq!(view.versions.len(), 2, "the same again is no version");
    assert_eq!(view.versions[0].committed_by, "agent (key of admin)");
    // What a person wrote, a person changes.
    world.remember(&[("/b.md", "by hand\n", true)]).await;
    let by_hand = lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows
        .into_iter()
        .find(|m| m.by_person)
        .unwrap();
    let delete = MemoryWrite::Delete {
        id: by_hand.id,
        expected_sha256: None,
    };
    assert!(matches!(
        lucid
            .write_memory(&agent, world.store, &delete)
            .await
            .unwrap(),
        Written::Proposed { .. }
    ));
    lucid
        .set_gate(&world.admin, world.store, GateMode::AllGated, None)
        .await
        .unwrap();
    assert_eq!(
        lucid
            .delete_store(&agent, world.store, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    let Written::Proposed {
        changeset, change, ..
    } = lucid
        .write_memory(&agent, world.store, &create("/c.md", "three\n"))
        .await
        .unwrap()
    else {
        panic!("everything is gated")
    };
    let Written::Proposed { change: again, .. } = lucid
        .write_memory(&agent, world.store, &create("/c.md", "three\n"))
        .await
        .unwrap()
    else {
        panic!("everything is gated")
    };
    assert_eq!(again, change, "what waits is not proposed again");
    assert_eq!(world.paths().await, ["/a.md", "/b.md"]);
    let proposed = world.changes(changeset).await;
    assert_eq!(
        world
            .vote(&world.admin, &proposed[0], Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission,
        "the key is theirs"
    );
    world
        .vote(&world.reviewer, &proposed[0], Verdict::Approve)
        .await
        .unwrap();
    let request = world.commit_request(changeset, "agent").await;
    lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(world.paths().await, ["/a.md", "/b.md", "/c.md"]);
    // What was rejected does not come back by the same key.
    let Written::Proposed { changeset, .. } = lucid
        .write_memory(&agent, world.store, &create("/d.md", "four\n"))
        .await
        .unwrap()
    else {
        panic!("everything is gated")
    };
    let no = Verdict::Reject(domain::changeset::RejectCode::ALL[0]);
    world
        .vote(&world.reviewer, &world.changes(changeset).await[0], no)
        .await
        .unwrap();
    assert_eq!(
        lucid
            .write_memory(&agent, world.store, &create("/d.md", "four\n"))
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    world.verified().await;
}

async fn a_budget_is_checked_when_something_is_proposed(world: World) {
    let lucid = &world.lucid;
    world.remember(&[("/a.md", &"x".repeat(400), false)]).await;
    lucid
        .set_gate(&world.admin, world.store, GateMode::AllGated, Some(120))
        .await
        .unwrap();
    let agent = key(&world, &[Scope::MemoryWrite], true).await;
    let refused = lucid
        .write_memory(&agent, world.store, &create("/b.md", &"y".repeat(100)))
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("budget is 120 tokens; it holds 100, and this would add 25"),
        "{refused}"
    );
    lucid
        .write_memory(&agent, world.store, &create("/c.md", &"z".repeat(80)))
        .await
        .unwrap();
    // A dream holds back what does not fit, and says so.
    world.import(&crate::world::failing("s1", "t1", 1)).await;
    world.import(&crate::world::failing("s2", "t2", 2)).await;
    assert_eq!(world.dream().await, None);
    let dream = lucid.dreams(&world.admin, None, None).await.unwrap().rows[0].id;
    let findings = lucid.dream(&world.admin, dream).await.unwrap().findings;
    assert!(
        findings.iter().any(|f| f.reason.contains("budget")),
        "{findings:?}"
    );
    // Without the budget the same is proposed.
    lucid
        .set_gate(&world.admin, world.store, GateMode::AllGated, None)
        .await
        .unwrap();
    assert!(world.dream().await.is_some());
    assert_eq!(
        lucid
            .set_gate(&world.admin, world.store, GateMode::AllGated, Some(0))
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
}

async fn a_briefing_holds_committed_memory_only(world: World) {
    let lucid = &world.lucid;
    let agent = key(&world, &[Scope::MemoryRead, Scope::SessionsWrite], true).await;
    let session = lucid
        .record_session(&agent, &NewRecording::default(), None)
        .await
        .unwrap()
        .session;
    let id = world.proposal().await;
    let asked = BriefingRequest {
        session: Some(session),
        ..BriefingRequest::default()
    };
    let before = lucid.briefing(&agent, world.store, &asked).await.unwrap();
    assert_eq!(
        before
            .memories
            .iter()
            .map(|m| m.path.as_str())
            .collect::<Vec<_>>(),
        ["/a.md", "/b.md"]
    );
    assert!(
        !before.text.contains("book"),
        "what waits is not told: {}",
        before.text
    );
    assert_eq!(
        lucid
            .briefing(&agent, world.store, &asked)
            .await
            .unwrap()
            .text,
        before.text,
        "the same again"
    );
    let changes = world.changes(id).await;
    let add = changes
        .iter()
        .find(|c| c.edits.iter().all(|e| e.memory_id.is_none()))
        .unwrap();
    world
        .vote(&world.reviewer, add, Verdict::Approve)
        .await
        .unwrap();
    assert_eq!(
        lucid
            .briefing(&agent, world.store, &asked)
            .await
            .unwrap()
            .text,
        before.text,
        "approved is not committed"
    );
    let request = world.commit_request(id, "briefing").await;
    lucid.commit(&world.reviewer, &request).await.unwrap();
    let after = lucid.briefing(&agent, world.store, &asked).await.unwrap();
    assert_eq!(after.memories[0].support, 2, "the best supported first");
    assert!(after.text.contains("book: not enough seats") && after.tokens <= after.budget_tokens);
    // What is known about that failure, and about none.
    let about = |tool: &str, error: &str| BriefingRequest {
        tool: Some(tool.into()),
        error: Some(error.into()),
        ..BriefingRequest::default()
    };
    let known = lucid
        .briefing(
            &agent,
            world.store,
            &about("book", "Error: not enough seats on flight H999"),
        )
        .await
        .unwrap();
    assert_eq!(known.memories.len(), 1, "{}", known.text);
    let unknown = lucid
        .briefing(&agent, world.store, &about("pay", "Error: card declined"))
        .await
        .unwrap();
    assert!(unknown.memories.is_empty() && unknown.text.contains("Nothing is known"));
    // What was read is recorded with its version.
    lucid.flush_small_writes().await.unwrap();
    let read = lucid
        .memory(&world.admin, before.memories[0].id, None)
        .await
        .unwrap()
        .reads
        .unwrap();
    assert_eq!((read.times, read.sessions), (4, 1));
    let other = key(&world, &[Scope::MemoryWrite], true).await;
    assert_eq!(
        lucid
            .briefing(&other, world.store, &BriefingRequest::default())
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    let small = BriefingRequest {
        budget_tokens: Some(5),
        ..BriefingRequest::default()
    };
    assert_eq!(
        lucid
            .briefing(&agent, world.store, &small)
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
}

/// The days at the end of a statement are honoured by the briefing, and everything else shows the
/// memory as it is.
async fn a_briefing_leaves_out_what_is_not_valid(world: World) {
    let lucid = &world.lucid;
    let text = "# Freezes\n\n- Never on a Friday.\n- No deployment at all. (valid from 2026-11-23 \
        until 2026-11-24)\n";
    let only = "Ask Ana. (valid until 2026-11-22)\n";
    world
        .remember(&[("/freeze.md", text, false), ("/ana.md", only, false)])
        .await;
    let agent = key(&world, &[Scope::MemoryRead], true).await;
    let paths = |view: &service::BriefingView| {
        view.memories
            .iter()
            .map(|m| m.path.to_string())
            .collect::<Vec<_>>()
    };
    // On 22 November.
    let first = lucid
        .briefing(&agent, world.store, &BriefingRequest::default())
        .await
        .unwrap();
    assert_eq!(
        (paths(&first), first.not_valid),
        (vec!["/ana.md".to_owned(), "/freeze.md".to_owned()], 1)
    );
    assert!(
        first.text.contains("Never on a Friday") && !first.text.contains("No deployment"),
        "{}",
        first.text
    );
    world.wait_seconds(86_400);
    let second = lucid
        .briefing(&agent, world.store, &BriefingRequest::default())
        .await
        .unwrap();
    assert_eq!(
        (paths(&second), second.not_valid),
        (vec!["/freeze.md".to_owned()], 1),
        "nothing is left of the other"
    );
    assert!(
        second.text.contains("No deployment at all. (valid from"),
        "{}",
        second.text
    );
    let all = BriefingRequest {
        all_times: true,
        ..BriefingRequest::default()
    };
    let all = lucid.briefing(&agent, world.store, &all).await.unwrap();
    assert!(
        all.not_valid == 0 && all.text.contains("Ask Ana") && all.text.contains("No deployment"),
        "{}",
        all.text
    );
    let about = BriefingRequest {
        tool: Some("deploy".into()),
        error: Some("x".into()),
        ..BriefingRequest::default()
    };
    assert_eq!(
        lucid
            .briefing(&agent, world.store, &about)
            .await
            .unwrap()
            .not_valid,
        1
    );
    let memory = lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows
        .into_iter()
        .find(|m| m.path.as_str() == "/ana.md")
        .unwrap();
    assert_eq!(
        lucid
            .read_memory(&agent, world.store, memory.id, None)
            .await
            .unwrap()
            .1,
        only,
        "a read is of the memory as it is"
    );
}

async fn a_deleted_store_is_gone_for_everybody(world: World) {
    let lucid = &world.lucid;
    world.proposal().await;
    let writer = key(&world, &[Scope::MemoryRead, Scope::MemoryWrite], true).await;
    assert_eq!(
        lucid
            .delete_store(&writer, world.store, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission,
        "deleting has its own scope"
    );
    let agent = key(&world, &[Scope::MemoryRead, Scope::MemoryDelete], true).await;
    lucid.delete_store(&agent, world.store, None).await.unwrap();
    for actor in [&world.admin, &world.reviewer, &agent] {
        let now = lucid.refreshed(actor).await.unwrap().unwrap();
        assert!(
            lucid.stores(&now).await.unwrap().is_empty()
                && open_changesets(lucid, &now).await.is_empty()
        );
        assert_eq!(
            lucid
                .memories(&now, world.store, None)
                .await
                .unwrap_err()
                .kind(),
            Kind::NotFound
        );
    }
    lucid
        .create_store(&world.admin, "Support", "")
        .await
        .expect("its name is free again");
    world.verified().await;
}

async fn a_dream_over_chosen_sessions(world: World) {
    let lucid = &world.lucid;
    for n in 1..=3 {
        world
            .import(&crate::world::failing(
                &format!("s{n}"),
                &format!("t{n}"),
                n,
            ))
            .await;
    }
    let sessions: Vec<_> = lucid
        .sessions(&world.admin, None, None)
        .await
        .unwrap()
        .rows
        .iter()
        .map(|s| s.id)
        .collect();
    let agent = key(&world, &[Scope::DreamsWrite], true).await;
    let dream = lucid
        .request_dream_over(&agent, world.store, "builtin", None, &sessions[..1])
        .await
        .unwrap();
    assert!(lucid.work_once("test").await.unwrap());
    let (row, seen) = lucid.dream_with_sessions(&agent, dream).await.unwrap();
    assert_eq!(
        (row.state.as_str(), seen, row.changeset_id),
        ("completed", sessions[..1].to_vec(), None),
        "one task is no pattern"
    );
    let dream = lucid
        .request_dream_over(
            &agent,
            world.store,
            "builtin",
            Some("look at bookings"),
            &sessions[..2],
        )
        .await
        .unwrap();
    assert!(lucid.work_once("test").await.unwrap());
    let id = lucid
        .dream_with_sessions(&agent, dream)
        .await
        .unwrap()
        .0
        .changeset_id
        .expect("two are");
    // Who owns the key that gave instructions does not count as its approver (rule 5).
    let proposed = world.changes(id).await;
    assert_eq!(
        world
            .vote(&world.admin, &proposed[0], Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    world
        .vote(&world.reviewer, &proposed[0], Verdict::Approve)
        .await
        .unwrap();
    let foreign = lucid
        .request_dream_over(
            &agent,
            world.store,
            "builtin",
            None,
            &[domain::ids::SessionId(uuid::Uuid::nil())],
        )
        .await
        .unwrap_err();
    assert_eq!(foreign.kind(), Kind::Invalid);
}
