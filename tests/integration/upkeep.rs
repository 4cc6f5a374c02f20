//! What Lucid does by itself: it trims what is of no use any more, tells what happened without
//! gaps, and goes on with the rest where one thing fails.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    actor::Actor,
    event::{Outcome, OutcomeResult},
    ids::ChangesetId,
    rights::Scope,
};
use service::{Error, NewKey, NewRecording, NewSchedule, Once, Verdict};

use crate::{
    memory_guard::raw,
    world::{World, create, on_both_engines},
};

on_both_engines!(
    what_is_of_no_use_is_trimmed_and_nothing_else,
    the_feed_has_no_gaps,
    what_fails_keeps_nothing_else_waiting,
    insights_count_what_happened
);

async fn what_is_of_no_use_is_trimmed_and_nothing_else(world: World) {
    let lucid = &world.lucid;
    let changeset = world.proposal().await;
    let change = world.changes(changeset).await.remove(0);
    world
        .vote(&world.reviewer, &change, Verdict::Approve)
        .await
        .unwrap();
    let fields = BTreeMap::from([("name".to_owned(), "typed".to_owned())]);
    lucid
        .keep_refused_form(None, &Error::Invalid("no".into()), &fields)
        .await
        .unwrap();
    let scopes = vec![Scope::MemoryRead, Scope::SessionsWrite];
    let new = NewKey {
        name: "agent".into(),
        owner: None,
        store: Some(world.store),
        scopes,
        days: None,
    };
    let key = lucid
        .key_actor(&lucid.add_key(&world.admin, &new).await.unwrap().1)
        .await
        .unwrap();
    let once = Once::new("retry-1", "POST /v1/sessions", b"body").unwrap();
    lucid
        .record_session(&key, &NewRecording::default(), Some(&once))
        .await
        .unwrap();
    let memory = lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows[0]
        .id;
    lucid
        .read_memory(&key, world.store, memory, None)
        .await
        .unwrap();
    lucid.flush_small_writes().await.unwrap();
    assert_eq!(
        lucid.trim().await.unwrap(),
        service::Trimmed::default(),
        "nothing of it is old yet"
    );
    let before = world.verified().await;
    world.wait_seconds(401 * 86_400);
    let trimmed = lucid.trim().await.unwrap();
    assert_eq!(
        (trimmed.forms, trimmed.answers, trimmed.reads),
        (1, 1, 1),
        "{trimmed:?}"
    );
    assert_eq!(lucid.trim().await.unwrap(), service::Trimmed::default());
    assert_eq!(world.verified().await, before, "the trail is never trimmed");
    assert_eq!(world.changes(changeset).await[0].decisions.len(), 1);
    assert_eq!(world.paths().await, ["/a.md", "/b.md"]);
}

async fn the_feed_has_no_gaps(world: World) {
    let lucid = &world.lucid;
    let start = lucid.position().await.unwrap();
    let mut wanted: BTreeSet<ChangesetId> = BTreeSet::new();
    for n in 0..30 {
        let write = create(&format!("/{n}.md"), "Noted.\n");
        wanted.insert(
            lucid
                .propose_change(&world.admin, world.store, &write, "It was agreed.")
                .await
                .unwrap()
                .0,
        );
    }
    // Writers and a reader at once: whatever lands between two looks is told by the next.
    let writers: Vec<_> = (0..4)
        .map(|w| {
            let (lucid, admin, store) = (lucid.clone(), world.admin.clone(), world.store);
            tokio::spawn(async move {
                let mut made = Vec::new();
                for n in 0..10 {
                    let write = create(&format!("/w{w}/{n}.md"), "Noted.\n");
                    made.push(
                        lucid
                            .propose_change(&admin, store, &write, "It was agreed.")
                            .await
                            .unwrap()
                            .0,
                    );
                }
                made
            })
        })
        .collect();
    let (mut told, mut at) = (BTreeSet::new(), start);
    let mut made = Vec::new();
    let look = async |at: &mut i64, told: &mut BTreeSet<ChangesetId>| {
        let (news, position) = lucid.news(&world.reviewer, *at).await.unwrap();
        assert!(position >= *at);
        *at = position;
        told.extend(news.into_iter().filter_map(|n| n.changeset));
    };
    while !writers.iter().all(tokio::task::JoinHandle::is_finished) {
        look(&mut at, &mut told).await;
        tokio::task::yield_now().await;
    }
    for writer in writers {
        made.extend(writer.await.unwrap());
    }
    look(&mut at, &mut told).await;
    wanted.extend(made);
    assert_eq!(told, wanted);
    assert_eq!(at, lucid.position().await.unwrap());
    assert!(
        lucid
            .news(&world.stranger, start)
            .await
            .unwrap()
            .0
            .is_empty(),
        "nobody is told of what they may not see"
    );
    assert!(
        !lucid.news(&world.reviewer, 0).await.unwrap().0.is_empty(),
        "who asks from the beginning is told the newest"
    );
}

async fn what_fails_keeps_nothing_else_waiting(world: World) {
    let lucid = &world.lucid;
    let nightly = NewSchedule {
        cron: "0 3 * * *".into(),
        time_zone: "UTC".into(),
        min_sessions: 0,
        idle_minutes: 0,
        enabled: true,
        distiller: "builtin".into(),
    };
    let other = lucid
        .create_store(&Actor::operator(), "Other", "")
        .await
        .unwrap();
    for store in [world.store, other] {
        lucid
            .set_schedule(&Actor::operator(), store, &nightly)
            .await
            .unwrap();
    }
    raw(
        &world.db,
        "UPDATE schedules SET cron = 'nonsense' WHERE store_id IN (SELECT id FROM stores WHERE \
         name = 'Support')",
    )
    .await
    .unwrap();
    // What was put off until an hour from now.
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    let until = lucid.now().plus_seconds(3_600);
    for change in &changes {
        world
            .vote(&world.reviewer, change, Verdict::Defer(Some(until)))
            .await
            .unwrap();
    }
    world.wait_seconds(2 * 86_400);
    assert_eq!(
        lucid.fire_schedules().await.unwrap(),
        1,
        "the one that can be read fires"
    );
    let dreams = lucid
        .dreams(&Actor::operator(), None, None)
        .await
        .unwrap()
        .rows;
    assert!(dreams.iter().any(|d| d.store_id == other));
    // While a dream is worked on, time is kept.
    let busy = lucid.clone();
    let worker = tokio::spawn(async move { busy.work_once("busy").await.unwrap() });
    lucid.keep_time().await.unwrap();
    let pending =
        |c: &service::ChangeView| c.change.state == domain::changeset::ChangeState::Pending;
    assert!(
        world.changes(changeset).await.iter().all(pending),
        "both came back"
    );
    worker.await.unwrap();
    let broken = lucid
        .check_audit(&world.admin)
        .await
        .unwrap()
        .unwrap_err()
        .to_string();
    assert!(
        broken.starts_with("schedules ")
            && broken.contains("was changed past the trail")
            && broken.lines().count() == 1,
        "{broken}"
    );
}

/// The page's numbers are those that a person would count.
async fn insights_count_what_happened(world: World) {
    let lucid = &world.lucid;
    world.remember(&[("/old.md", "Old.\n", false)]).await;
    world.wait_seconds(8 * 86_400);
    let changeset = world.proposal().await;
    let session = lucid.sessions(&world.admin, None, None).await.unwrap().rows[0].id;
    lucid
        .record_outcome(
            &Actor::operator(),
            session,
            Outcome::stated(OutcomeResult::Success),
            None,
        )
        .await
        .unwrap();
    let change = world.changes(changeset).await.remove(0);
    world
        .vote(&world.reviewer, &change, Verdict::Approve)
        .await
        .unwrap();
    let seen = lucid.insights(&world.reviewer, None, None).await.unwrap();
    let (last, before) = (
        seen.weeks[service::WEEKS - 1],
        seen.weeks[service::WEEKS - 2],
    );
    assert_eq!((before.added, before.memories, before.commits), (1, 1, 1));
    assert_eq!((last.added, last.memories, last.commits), (2, 3, 1));
    assert_eq!(
        (last.bytes, before.bytes),
        (5 + 2 * 5, 5),
        "of what there is now, and of what there was a week ago"
    );
    let sessions: i64 = seen
        .weeks
        .iter()
        .map(|w| w.succeeded + w.failed + w.unknown)
        .sum();
    assert_eq!(
        (
            sessions,
            seen.weeks.iter().map(|w| w.succeeded).sum::<i64>()
        ),
        (2, 1)
    );
    let accepted: i64 = seen.proposals.values().map(|p| p.accepted).sum();
    let open: i64 = seen.proposals.values().map(|p| p.open).sum();
    assert_eq!((accepted, open, seen.waiting), (1, 1, [2, 0, 0, 0]));
    assert!(
        seen.proposals.keys().all(|(_, source)| source == "builtin"),
        "{:?}",
        seen.proposals
    );
    let tasks = async |split| {
        let seen = lucid
            .insights(&world.reviewer, None, Some(split))
            .await
            .unwrap();
        seen.tasks
            .iter()
            .map(|t| {
                (
                    t.task.clone(),
                    t.before.known,
                    t.after.known,
                    t.after.succeeded,
                )
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        tasks(1).await,
        [("t2".to_owned(), 0, 1, 1)],
        "of the other session nobody said how it ended"
    );
    assert_eq!(
        tasks(service::WEEKS).await,
        tasks(service::WEEKS - 4).await,
        "such a week there is not"
    );
    assert!(
        lucid
            .insights(&world.stranger, None, Some(1))
            .await
            .unwrap()
            .tasks
            .is_empty()
    );
    let nothing = lucid.insights(&world.stranger, None, None).await.unwrap();
    assert!(
        nothing.proposals.is_empty()
            && nothing
                .weeks
                .iter()
                .all(|w| w.memories == 0 && w.commits == 0)
    );
    let elsewhere = lucid
        .insights(&world.stranger, Some(world.store), None)
        .await
        .unwrap();
    assert!(
        elsewhere.weeks.iter().all(|w| w.commits == 0) && elsewhere.waiting == [0; 4],
        "asking for a store by its id opens nothing"
    );
}
