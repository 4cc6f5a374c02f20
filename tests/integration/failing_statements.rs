//! Every statement of a write failed once in turn, as if the connection broke just then: all-before
//! each time, and the trail verifies.

use domain::{
    dream_state::DreamState,
    memory::GateMode,
    policy::{Applying, PRESETS, PolicyFile, VersionState},
    rights::Scope,
};
use service::{NewKey, Verdict};
use store::faults::failing_at;

use crate::world::{World, create, failing, on_both_engines};

on_both_engines!(
    every_statement_of_a_commit_fails_once,
    every_statement_of_an_application_fails_once,
    every_statement_of_other_writes_fails_once,
);

/// Everything that a failed write must not have touched.
#[derive(Debug, PartialEq, Eq)]
struct Before {
    paths: Vec<String>,
    revision: i64,
    states: Vec<domain::changeset::ChangeState>,
    entries: i64,
}

impl Before {
    async fn of(world: &World, id: domain::ids::ChangesetId) -> Self {
        Self {
            paths: world.paths().await,
            revision: world
                .lucid
                .store(&world.admin, world.store)
                .await
                .unwrap()
                .revision,
            states: world
                .changes(id)
                .await
                .iter()
                .map(|c| c.change.state)
                .collect(),
            entries: world.verified().await,
        }
    }
}

async fn every_statement_of_a_commit_fails_once(world: World) {
    let id = world.proposal().await;
    for change in world.changes(id).await {
        world
            .vote(&world.reviewer, &change, Verdict::Approve)
            .await
            .unwrap();
    }
    let request = world.commit_request(id, "faults").await;
    let before = Before::of(&world, id).await;
    let mut statements = 0;
    loop {
        let (done, failed) = Box::pin(failing_at(
            statements,
            world.lucid.commit(&world.reviewer, &request),
        ))
        .await;
        if !failed {
            done.unwrap();
            break;
        }
        assert!(
            done.is_err(),
            "statement {statements} failed, and the commit did not say so"
        );
        assert_eq!(
            Before::of(&world, id).await,
            before,
            "after statement {statements} failed"
        );
        statements += 1;
    }
    assert!(statements > 20, "{statements}");
    let after = Before::of(&world, id).await;
    assert_eq!(
        (after.revision, after.entries),
        (before.revision + 1, before.entries + 1)
    );
    assert_eq!(
        world
            .lucid
            .commit(&world.reviewer, &request)
            .await
            .unwrap()
            .revision,
        after.revision,
        "the first answer again"
    );
}

/// A policy that applies a change is all or nothing as well; what failed is tried again in the next
/// round.
async fn every_statement_of_an_application_fails_once(world: World) {
    let lucid = &world.lucid;
    let file = PolicyFile {
        applying: Applying {
            after_hours: 0,
            sample_percent: 0,
            ..Applying::default()
        },
        ..PRESETS[0].file(&[world.store])
    };
    let policy = lucid
        .create_policy(&world.admin, &file, None)
        .await
        .unwrap();
    lucid
        .move_policy_on(&world.admin, policy, 1, VersionState::Shadow)
        .await
        .unwrap();
    lucid
        .back_test_policy(&world.admin, policy, 1, 30)
        .await
        .unwrap();
    lucid
        .move_policy_on(&world.admin, policy, 1, VersionState::Active)
        .await
        .unwrap();
    let id = world.proposal().await;
    while lucid.ask_policies().await.unwrap() {}
    let before = Before::of(&world, id).await;
    let mut statements = 0;
    loop {
        let (_, failed) = Box::pin(failing_at(statements, lucid.apply_due())).await;
        let now = Before::of(&world, id).await;
        if now
            .states
            .contains(&domain::changeset::ChangeState::Committed)
        {
            assert_eq!(
                (now.revision, now.entries),
                (before.revision + 1, before.entries + 1),
                "statement {statements}"
            );
            break;
        }
        assert!(failed, "it applies the change unless a statement fails");
        assert_eq!(now, before, "after statement {statements} failed");
        // What failed is put off a little, so that it keeps nothing else waiting.
        world.wait_seconds(301);
        statements += 1;
    }
    assert!(statements > 30, "{statements}");
}

/// Fails each statement of a write in turn until it succeeds; after each failure the trail verifies
/// and is as long as before.
macro_rules! fail_each {
    ($world:expr, $what:literal, $write:expr) => {{
        let before = $world.verified().await;
        let mut statements = 0;
        loop {
            let (done, failed) = failing_at(statements, $write).await;
            if !failed {
                break done.unwrap();
            }
            assert!(
                done.is_err(),
                "{}: statement {statements} failed silently",
                $what
            );
            assert_eq!(
                $world.verified().await,
                before,
                "{}: after statement {statements}",
                $what
            );
            statements += 1;
        }
    }};
}

async fn every_statement_of_other_writes_fails_once(world: World) {
    let lucid = &world.lucid;
    let id = world.proposal().await;
    let change = world.changes(id).await.remove(0);
    world.confirm(&world.reviewer).await;
    let c = &change.change;
    let vote = service::Decision {
        change: c.id,
        revision: c.revision,
        digest: c.digest.clone(),
        verdict: Verdict::Approve,
        note: String::new(),
    };
    fail_each!(world, "a vote", lucid.decide(&world.reviewer, &vote));
    let new = NewKey {
        name: "agent".into(),
        owner: None,
        store: Some(world.store),
        scopes: vec![Scope::MemoryWrite, Scope::SessionsWrite],
        days: None,
    };
    let (_, secret) = fail_each!(world, "a key", lucid.add_key(&world.admin, &new));
    let agent = lucid.key_actor(&secret).await.unwrap();
    let write = create("/fault.md", "x\n");
    fail_each!(
        world,
        "a write",
        lucid.write_memory(&agent, world.store, &write)
    );
    lucid
        .set_gate(&world.admin, world.store, GateMode::AllGated, None)
        .await
        .unwrap();
    let write = create("/gated.md", "x\n");
    fail_each!(
        world,
        "a proposal",
        lucid.write_memory(&agent, world.store, &write)
    );
    let recording = service::NewRecording::default();
    fail_each!(
        world,
        "a session",
        lucid.record_session(&agent, &recording, None)
    );
    let edited = world
        .changes(id)
        .await
        .into_iter()
        .find(|c| c.change.state == domain::changeset::ChangeState::Pending)
        .unwrap();
    let texts: Vec<String> = edited
        .edits
        .iter()
        .filter_map(|e| e.content.as_ref())
        .map(|c| format!("{c}More.\n"))
        .collect();
    let shown = (edited.change.revision, edited.change.digest.as_str());
    fail_each!(
        world,
        "an edit",
        lucid.edit_change(&world.reviewer, edited.change.id, shown, &texts)
    );
    // A dream whose last transaction breaks is tried again, and proposes once.
    world
        .import(&failing("s8", "t8", 8).replace("\"book\"", "\"rent\""))
        .await;
    world
        .import(&failing("s9", "t9", 9).replace("\"book\"", "\"rent\""))
        .await;
    let dream = lucid
        .request_dream(&world.admin, world.store, None)
        .await
        .unwrap();
    let mut tries = 0;
    for n in [3, 30] {
        let _ = Box::pin(failing_at(n, lucid.work_once("test"))).await;
        world.wait_seconds(120);
        tries += 1;
    }
    while lucid.dream(&world.admin, dream).await.unwrap().dream.state != DreamState::Completed {
        lucid.work_once("test").await.unwrap();
        world.wait_seconds(120);
        tries += 1;
        assert!(tries < 6);
    }
    let found = lucid
        .dream(&world.admin, dream)
        .await
        .unwrap()
        .dream
        .changeset_id
        .expect("it proposes");
    assert_eq!(world.changes(found).await.len(), 1, "once");
    world.verified().await;
}
