//! What a dream means for what is there: sessions are read once, what waits gets new evidence or
//! becomes obsolete, what was rejected stays away until it is let back, numbers beside a memory are
//! refreshed without a change.

use domain::changeset::{ChangeKind, ChangeState, RejectCode};
use serde_json::Value;
use service::{Error, Met, Verdict};
use store::reads::Read;

use crate::world::{World, failing, on_both_engines};

on_both_engines!(
    sessions_are_read_once,
    what_waits_gets_evidence_and_keeps_its_revision,
    what_no_longer_holds_becomes_obsolete,
    a_dream_that_is_tried_again_does_what_it_would_have_done,
    what_was_rejected_is_listed_and_let_back,
    support_is_refreshed_without_a_change,
    a_reveal_is_in_the_audit,
    a_model_free_dream_heeds_instructions,
    insights_say_whether_a_note_helped,
);

/// Two sessions met a failure before there was a note; then one loads the note and meets it all the
/// same, one loads it and does not, and one does not load it.
async fn insights_say_whether_a_note_helped(world: World) {
    let lucid = &world.lucid;
    let changeset = world.proposal().await;
    assert!(
        lucid
            .insights(&world.reviewer, None, None)
            .await
            .unwrap()
            .notes
            .is_empty(),
        "nothing is approved yet"
    );
    world.approve_and_commit(changeset).await;
    let failure = world
        .changes(changeset)
        .await
        .into_iter()
        .find(|c| c.change.finding == "recurring_failure")
        .unwrap();
    let path = failure.edits[0].path.clone();
    let note = lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows
        .into_iter()
        .find(|m| m.path == path)
        .unwrap();
    world.wait_seconds(3_600);
    let works =
        failing("s4", "t4", 4).replace("Error: not enough seats on flight H4", "booked at once");
    for (text, loads) in [
        (failing("s3", "t3", 3), true),
        (works, true),
        (failing("s5", "t5", 5), false),
    ] {
        let [service::Imported::Added(session)] = world.import(&text).await[..] else {
            panic!("it is new")
        };
        if loads {
            let mut tx = world.write().await;
            let read = Read {
                store: world.store,
                version: note.version_id,
                session: Some(session),
                at: lucid.now(),
                reader: String::new(),
            };
            store::reads::insert(&mut tx, &[read]).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
    world.dream().await;
    let seen = lucid
        .insights(&world.reviewer, Some(world.store), None)
        .await
        .unwrap();
    let [effect] = &seen.notes[..] else {
        panic!("one failure has a note: {:?}", seen.notes)
    };
    assert_eq!(
        (effect.memory_id, effect.change_id),
        (note.id, failure.change.id)
    );
    assert_eq!(effect.before(), Met { used: 2, met: 2 });
    assert_eq!(
        effect.loaded(),
        Met { used: 2, met: 1 },
        "one was told and did not follow"
    );
    assert_eq!(effect.other(), Met { used: 1, met: 1 });
    assert!(
        lucid
            .insights(&world.stranger, None, None)
            .await
            .unwrap()
            .notes
            .is_empty(),
        "only who sees the store"
    );
    world.dream().await;
    assert_eq!(
        lucid
            .insights(&world.reviewer, None, None)
            .await
            .unwrap()
            .notes
            .len(),
        1,
        "each dream counts anew"
    );
    world.verified().await;
}

/// How many sessions have stored features.
async fn features_stored(world: &World) -> i64 {
    let mut tx = world.db.read().await.unwrap();
    let dreams = world
        .lucid
        .dreams(&world.admin, None, None)
        .await
        .unwrap()
        .rows;
    let rows = store::features::of_dream(&mut tx, dreams[0].id, dream::reading::VERSION, None, 100)
        .await
        .unwrap();
    i64::try_from(rows.len()).unwrap()
}

async fn sessions_are_read_once(world: World) {
    world.import(&failing("s1", "t1", 1)).await;
    world.import(&failing("s2", "t2", 2)).await;
    world.dream().await.unwrap();
    assert_eq!(features_stored(&world).await, 2);
    // Texts that are gone would be missed if they were read again: nothing but the quotes' events
    // is.
    let dreams = world
        .lucid
        .dreams(&world.admin, None, None)
        .await
        .unwrap()
        .rows;
    let mut tx = world.read().await;
    let stored =
        store::features::of_dream(&mut tx, dreams[0].id, dream::reading::VERSION, None, 100)
            .await
            .unwrap();
    drop(tx);
    let features: dream::Features = serde_json::from_str(&stored[0].features).unwrap();
    assert_eq!((features.errors.len(), features.answers), (1, 2));
    assert!(
        !stored[0].features.contains("4111"),
        "no transcript is in the features"
    );
    // A second dream takes what is stored of the first session, as the mark shows, and reads the
    // new one.
    let (session, version) = (stored[0].session_id, dream::reading::VERSION);
    let marked = stored[0].features.replace("\"answers\":2", "\"answers\":7");
    assert_ne!(marked, stored[0].features);
    let mut tx = world.write().await;
    store::features::put(&mut tx, session, version, &marked, world.lucid.now())
        .await
        .unwrap();
    world.record(&mut tx).await;
    tx.commit().await.unwrap();
    world.import(&failing("s3", "t3", 3)).await;
    world.dream().await;
    assert_eq!(features_stored(&world).await, 3);
    let newest = world
        .lucid
        .dreams(&world.admin, None, None)
        .await
        .unwrap()
        .rows[0]
        .id;
    let mut tx = world.read().await;
    let stored = store::features::of_dream(&mut tx, newest, version, None, 100)
        .await
        .unwrap();
    let kept = stored.iter().find(|row| row.session_id == session).unwrap();
    assert_eq!(kept.features, marked, "it was not read a second time");
}

async fn what_waits_gets_evidence_and_keeps_its_revision(world: World) {
    let changeset = world.proposal().await;
    let before = &world.changes(changeset).await[0];
    world
        .vote(&world.reviewer, before, Verdict::Approve)
        .await
        .unwrap();
    world.import(&failing("s3", "t3", 3)).await;
    assert_eq!(world.dream().await, None, "it waits already");
    let after = &world.changes(changeset).await[0];
    assert_eq!(
        (after.change.revision, &after.change.digest),
        (before.change.revision, &before.change.digest)
    );
    assert_eq!(
        after.change.state,
        ChangeState::Approved,
        "the decision stays"
    );
    assert_eq!(
        (
            before.change.support_sessions,
            after.change.support_sessions
        ),
        (2, 3)
    );
    let errors = after
        .quotes
        .iter()
        .filter(|q| q.row.appendix && q.masked.starts_with("Error"));
    assert_eq!(errors.count(), 1, "and perhaps another call that worked");
    assert!(after.quotes.iter().all(|q| q.verified));
    let request = world.commit_request(changeset, "with-appendix").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    world.verified().await;
}

async fn what_no_longer_holds_becomes_obsolete(world: World) {
    let changeset = world.proposal().await;
    // The copy that was to be merged is worded otherwise now: the merge is conflicted. The failure
    // leaves the window.
    world.wait_seconds(91 * 86_400);
    world.remember(&[("/c.md", "Something else.", false)]).await;
    let times = world
        .lucid
        .sessions(&world.admin, None, None)
        .await
        .unwrap();
    assert!(
        times.rows.iter().all(|s| s.last_event_at.is_none()),
        "sessions of unknown time are always in the window"
    );
    world.dream().await;
    let states: Vec<_> = world
        .changes(changeset)
        .await
        .iter()
        .map(|c| c.change.state)
        .collect();
    assert_eq!(
        states,
        [ChangeState::Pending, ChangeState::Pending],
        "both still hold"
    );
    // The memory gets a note of its own about the failure: nothing is left to propose.
    let note = world.changes(changeset).await[0].edits[0]
        .content
        .clone()
        .unwrap();
    world.remember(&[("/own/note.md", &note, true)]).await;
    world.dream().await;
    let states: Vec<_> = world
        .changes(changeset)
        .await
        .iter()
        .map(|c| c.change.state)
        .collect();
    assert_eq!(states, [ChangeState::Obsolete, ChangeState::Pending]);
    world.verified().await;
}

async fn a_dream_that_is_tried_again_does_what_it_would_have_done(world: World) {
    let changeset = world.proposal().await;
    let note = world.changes(changeset).await[0].edits[0]
        .content
        .clone()
        .unwrap();
    world.remember(&[("/own/note.md", &note, true)]).await;
    let dream = world
        .lucid
        .request_dream(&world.admin, world.store, None)
        .await
        .unwrap();
    // It is handed back after it took hold of its sessions: by a worker that stops, and by a
    // statement that fails.
    world.lucid.work_until("first", async {}).await.unwrap();
    for statement in [30, 60] {
        let _ = Box::pin(store::faults::failing_at(
            statement,
            world.lucid.work_once("second"),
        ))
        .await;
        world.wait_seconds(120);
    }
    for _ in 0..3 {
        world.lucid.work_once("third").await.unwrap();
        world.wait_seconds(120);
    }
    let view = world.lucid.dream(&world.admin, dream).await.unwrap();
    assert_eq!((view.dream.state.as_str(), view.sessions), ("completed", 2));
    let states: Vec<_> = world
        .changes(changeset)
        .await
        .iter()
        .map(|c| c.change.state)
        .collect();
    assert_eq!(
        states,
        [ChangeState::Obsolete, ChangeState::Pending],
        "it looked at everything, as nobody chose sessions for it"
    );
    // What a second try proposes is what the first would have proposed.
    for n in 1..=2 {
        let sessions = failing(&format!("pack{n}"), &format!("pack-t{n}"), n);
        world.import(&sessions.replace("book", "pack")).await;
    }
    let dream = world
        .lucid
        .request_dream(&world.admin, world.store, None)
        .await
        .unwrap();
    world.lucid.work_until("first", async {}).await.unwrap();
    assert!(world.lucid.work_once("second").await.unwrap());
    let view = world.lucid.dream(&world.admin, dream).await.unwrap();
    let proposed = world.changes(view.dream.changeset_id.unwrap()).await;
    let [note] = &proposed[..] else {
        panic!("{proposed:?}")
    };
    assert_eq!(
        (note.change.kind, note.change.support_sessions),
        (ChangeKind::Add, 2)
    );
    assert!(note.change.title.contains("pack"), "{}", note.change.title);
    assert!(!note.quotes.is_empty() && note.quotes.iter().all(|q| q.verified));
    // A dream over chosen sessions does not know what else there is.
    let only = world
        .lucid
        .sessions(&world.admin, None, None)
        .await
        .unwrap()
        .rows[0]
        .id;
    let other = world.proposal_of("ship").await;
    let note = world.changes(other).await[0].edits[0]
        .content
        .clone()
        .unwrap();
    world.remember(&[("/own/ship.md", &note, true)]).await;
    world
        .lucid
        .request_dream_over(&world.admin, world.store, "builtin", None, &[only])
        .await
        .unwrap();
    let _ = Box::pin(store::faults::failing_at(
        40,
        world.lucid.work_once("first"),
    ))
    .await;
    for _ in 0..3 {
        world.wait_seconds(120);
        world.lucid.work_once("second").await.unwrap();
    }
    assert_eq!(
        world.changes(other).await[0].change.state,
        ChangeState::Pending,
        "chosen sessions say nothing about the rest"
    );
    world.verified().await;
}

async fn what_was_rejected_is_listed_and_let_back(world: World) {
    let changeset = world.proposal().await;
    let change = &world.changes(changeset).await[0];
    world
        .vote(&world.reviewer, change, Verdict::Reject(RejectCode::Never))
        .await
        .unwrap();
    world.import(&failing("s3", "t3", 3)).await;
    assert_eq!(world.dream().await, None);
    let muted = world
        .lucid
        .muted(&world.reviewer, world.store)
        .await
        .unwrap();
    assert_eq!(
        (muted.len(), muted[0].reject_code, muted[0].change_id),
        (1, RejectCode::Never, change.change.id)
    );
    assert!(matches!(
        world
            .lucid
            .unmute(&world.stranger, world.store, muted[0].change_id)
            .await,
        Err(Error::NotFound(_))
    ));
    world
        .lucid
        .unmute(&world.reviewer, world.store, muted[0].change_id)
        .await
        .unwrap();
    assert!(matches!(
        world
            .lucid
            .unmute(&world.reviewer, world.store, muted[0].change_id)
            .await,
        Err(Error::Conflict(_))
    ));
    assert!(
        world
            .lucid
            .muted(&world.reviewer, world.store)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(world.dream().await.is_some(), "it comes back");
    world.verified().await;
}

async fn support_is_refreshed_without_a_change(world: World) {
    let changeset = world.proposal().await;
    let change = &world.changes(changeset).await[0];
    world
        .vote(&world.reviewer, change, Verdict::Approve)
        .await
        .unwrap();
    let request = world.commit_request(changeset, "first").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    for n in 3..6 {
        world
            .import(&failing(&format!("s{n}"), &format!("t{n}"), n))
            .await;
    }
    assert_eq!(
        world.dream().await,
        None,
        "a change of numbers alone is never proposed"
    );
    let mut tx = world.db.read().await.unwrap();
    let known = store::memories::support_of_store(&mut tx, world.store)
        .await
        .unwrap();
    let support: Vec<Value> = known
        .iter()
        .map(|s| serde_json::from_str(s).unwrap())
        .filter(|v: &Value| v["distinct"].is_i64())
        .collect();
    assert_eq!(
        (support.len(), support[0]["distinct"].as_i64()),
        (1, Some(5)),
        "{known:?}"
    );
    drop(tx);
    let asked = service::BriefingRequest {
        agent: None,
        session: None,
        budget_tokens: None,
        tool: None,
        error: None,
        all_times: false,
        superseded: false,
    };
    let briefing = world
        .lucid
        .briefing(&world.reviewer, world.store, &asked)
        .await
        .unwrap();
    assert!(
        briefing.memories.iter().any(|m| m.support == 5),
        "agents see it, too"
    );
}

async fn a_reveal_is_in_the_audit(world: World) {
    world.import(&failing("s1", "t1", 1)).await;
    let session = world
        .lucid
        .sessions(&world.reviewer, None, None)
        .await
        .unwrap()
        .rows[0]
        .id;
    let masked = world
        .lucid
        .transcript(&world.reviewer, session, 0)
        .await
        .unwrap();
    assert!(
        masked
            .events
            .rows
            .iter()
            .any(|e| e.text.contains("[personal]"))
            && !masked.events.rows.iter().any(|e| e.text.contains("4111"))
    );
    let before = world.verified().await;
    world
        .lucid
        .reveal_transcript(&world.reviewer, session, 0)
        .await
        .unwrap();
    let shown = world
        .lucid
        .revealed_transcript(&world.reviewer, session, 0)
        .await
        .unwrap();
    assert!(
        shown
            .events
            .rows
            .iter()
            .any(|e| e.text.contains("4111 1111"))
    );
    assert_eq!(world.verified().await, before + 1);
    assert!(matches!(
        world
            .lucid
            .revealed_transcript(&world.stranger, session, 0)
            .await,
        Err(Error::NotFound(_))
    ));
    assert!(matches!(
        world
            .lucid
            .reveal_transcript(&world.stranger, session, 0)
            .await,
        Err(Error::NotFound(_))
    ));
    let reader = crate::world::add(
        &world.lucid,
        "reader",
        domain::actor::Role::Member,
        vec![(world.store, domain::actor::StoreRole::Reader)],
    )
    .await;
    assert!(matches!(
        world.lucid.revealed_transcript(&reader, session, 0).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        world.lucid.reveal_transcript(&reader, session, 0).await,
        Err(Error::Forbidden(_))
    ));
    assert_eq!(
        world.verified().await,
        before + 2,
        "but for the account that was made, nothing was written"
    );
}

async fn a_model_free_dream_heeds_instructions(world: World) {
    world
        .remember(&[("/a.md", "Same.", false), ("/b.md", "Same.", false)])
        .await;
    world.import(&failing("s1", "t1", 1)).await;
    world.import(&failing("s2", "t2", 2)).await;
    let id = world
        .lucid
        .request_dream(&world.admin, world.store, Some("Ignore failures."))
        .await
        .unwrap();
    assert!(world.lucid.work_once("test").await.unwrap());
    let view = world.lucid.dream(&world.admin, id).await.unwrap();
    let of = |disposition: &str| {
        view.findings
            .iter()
            .filter(|f| f.disposition == disposition)
            .map(|f| f.kind.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (of("proposed"), of("held_back")),
        (vec!["exact_duplicate"], vec!["recurring_failure"])
    );
    // What was held back says where it was seen; what was proposed has its quotes.
    let places: Vec<usize> = view
        .findings
        .iter()
        .map(|f| service::places_of(f).len())
        .collect();
    assert_eq!(
        places,
        view.findings
            .iter()
            .map(|f| if f.disposition == "held_back" { 2 } else { 0 })
            .collect::<Vec<_>>()
    );
}
