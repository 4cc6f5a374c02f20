//! The gate: what may be decided and committed by whom, and that an approval covers exactly what
//! was approved.

use domain::{
    actor::Actor,
    changeset::{ChangeKind, ChangeState, ChangesetState, RejectCode},
    dream_state::DreamState,
};
use service::{CommitRequest, Error, Kind, Verdict};

use crate::world::{World, failing, on_both_engines, waiting};

on_both_engines!(
    from_sessions_to_memory,
    a_decision_names_what_was_shown,
    an_editor_does_not_approve,
    a_base_that_moved_is_a_conflict,
    a_commit_is_all_or_nothing,
    the_same_key_commits_once,
    parallel_commits_commit_once,
    decisions_can_be_withdrawn,
    what_was_rejected_stays_away,
    nobody_without_a_grant_sees_or_does_anything,
    instructions_make_a_person_dependent,
    dreams_wait_for_their_turn,
    a_conflict_is_proposed_anew,
    a_duplicate_that_comes_back_is_found_again,
    a_job_that_kills_its_worker_ends,
);

async fn from_sessions_to_memory(world: World) {
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    let kinds: Vec<_> = changes.iter().map(|c| c.change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Add, ChangeKind::Merge]);
    let mut quotes: Vec<_> = changes[0]
        .quotes
        .iter()
        .map(|q| (q.masked.as_str(), q.verified))
        .collect();
    quotes.sort_unstable();
    assert_eq!(
        quotes,
        [
            ("Error: not enough seats on flight H1", true),
            ("Error: not enough seats on flight H2", true),
            ("{\"seats\":1}", true)
        ]
    );
    for change in &changes {
        world
            .vote(&world.reviewer, change, Verdict::Approve)
            .await
            .unwrap();
    }
    let request = world.commit_request(changeset, "all").await;
    let done = world.lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(
        (done.revision, done.added, done.modified, done.removed),
        (2, 1, 0, 1)
    );
    assert_eq!(
        world.paths().await,
        ["/a.md", "/failures/book-not-enough-seats-on-flight.md"]
    );
    let view = world
        .lucid
        .changeset(&world.reviewer, changeset)
        .await
        .unwrap();
    assert_eq!(view.changeset.state, ChangesetState::Closed);
    // Who approved stands in the memory's history.
    let memories = world
        .lucid
        .memories(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows;
    let note = world
        .lucid
        .memory(&world.reviewer, memories[1].id, None)
        .await
        .unwrap();
    assert_eq!(note.versions[0].approved_by, ["reviewer"]);
    // A second dream over nothing new proposes nothing.
    assert_eq!(world.dream().await, None);
    world.verified().await;
}

async fn a_decision_names_what_was_shown(world: World) {
    let changeset = world.proposal().await;
    let before = world.changes(changeset).await.remove(0);
    let content = "# Other words\n\nCheck the seats.\n".to_owned();
    world
        .lucid
        .edit_change(
            &world.admin,
            before.change.id,
            (1, &before.change.digest),
            &[content],
        )
        .await
        .unwrap();
    let refused = world
        .vote(&world.reviewer, &before, Verdict::Approve)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::Stale(_)), "{refused}");
    let mut forged = world.changes(changeset).await.remove(0);
    assert_eq!(forged.change.revision, 2);
    forged.change.digest = before.change.digest.clone();
    assert_eq!(
        world
            .vote(&world.reviewer, &forged, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    let now = world.changes(changeset).await.remove(0);
    world
        .vote(&world.reviewer, &now, Verdict::Approve)
        .await
        .unwrap();
    let request = world.commit_request(changeset, "edited").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    let memories = world
        .lucid
        .memories(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows;
    assert!(
        memories.iter().any(|m| m.by_person),
        "what a person edited is a person's"
    );
}

async fn an_editor_does_not_approve(world: World) {
    let changeset = world.proposal().await;
    let change = world.changes(changeset).await.remove(0);
    let content = "Mine now.".to_owned();
    world
        .lucid
        .edit_change(
            &world.reviewer,
            change.change.id,
            (1, &change.change.digest),
            &[content],
        )
        .await
        .unwrap();
    let edited = world.changes(changeset).await.remove(0);
    assert!(edited.contributed);
    let refused = world
        .vote(&world.reviewer, &edited, Verdict::Approve)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Permission, "{refused}");
    world
        .vote(&world.admin, &edited, Verdict::Approve)
        .await
        .unwrap();
    // The approval does not outlive another edit.
    let content = "Mine again.".to_owned();
    world
        .lucid
        .edit_change(
            &world.reviewer,
            edited.change.id,
            (2, &edited.change.digest),
            &[content],
        )
        .await
        .unwrap();
    assert_eq!(
        world.changes(changeset).await[0].change.state,
        ChangeState::Pending
    );
}

async fn a_base_that_moved_is_a_conflict(world: World) {
    let changeset = world.proposal().await;
    let merge = world.changes(changeset).await.remove(1);
    world
        .vote(&world.reviewer, &merge, Verdict::Approve)
        .await
        .unwrap();
    let request = world.commit_request(changeset, "late").await;
    world
        .remember(&[("/b.md", "Same, but newer.", false)])
        .await;
    let queue = waiting(
        &world.lucid,
        &world.reviewer,
        &service::QueueFilter::default(),
    )
    .await;
    assert_eq!(
        queue
            .iter()
            .filter(|c| c.conflicted)
            .map(|c| c.id)
            .collect::<Vec<_>>(),
        [merge.change.id],
        "the queue says so too"
    );
    let shown = world.changes(changeset).await.remove(1);
    assert!(
        shown.change.conflicted,
        "the conflict is shown before anybody clicks"
    );
    assert_eq!(
        shown.edits[1].now_content.as_deref(),
        Some("Same, but newer.")
    );
    let refused = world
        .lucid
        .commit(&world.reviewer, &request)
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, Error::Stale(list) if list.len() == 1),
        "{refused}"
    );
    assert_eq!(world.paths().await, ["/a.md", "/b.md"]);
    // Taken back, it cannot be approved again as it stands.
    world
        .lucid
        .take_back(&world.reviewer, shown.change.id, 1)
        .await
        .unwrap();
    let refused = world
        .vote(&world.reviewer, &shown, Verdict::Approve)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
}

async fn a_commit_is_all_or_nothing(world: World) {
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    for change in &changes {
        world
            .vote(&world.reviewer, change, Verdict::Approve)
            .await
            .unwrap();
    }
    let request = world.commit_request(changeset, "stale").await;
    world
        .lucid
        .take_back(&world.reviewer, changes[0].change.id, 1)
        .await
        .unwrap();
    let entries = world.verified().await;
    let refused = world
        .lucid
        .commit(&world.reviewer, &request)
        .await
        .unwrap_err();
    assert!(matches!(refused, Error::Stale(_)), "{refused}");
    assert_eq!(world.paths().await, ["/a.md", "/b.md"]);
    assert_eq!(
        world.verified().await,
        entries,
        "a refused commit leaves no trace"
    );
    // What is still approved can be committed alone.
    let request = world.commit_request(changeset, "rest").await;
    assert_eq!(request.expected.len(), 1);
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    let nothing = CommitRequest {
        expected: vec![],
        ..request
    };
    assert_eq!(
        world
            .lucid
            .commit(&world.reviewer, &nothing)
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
}

async fn the_same_key_commits_once(world: World) {
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    world
        .vote(&world.reviewer, &changes[0], Verdict::Approve)
        .await
        .unwrap();
    let request = world.commit_request(changeset, "twice").await;
    let first = world.lucid.commit(&world.reviewer, &request).await.unwrap();
    let again = world.lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(first, again);
    let other = CommitRequest {
        expected: vec![],
        ..request.clone()
    };
    assert!(world.lucid.commit(&world.reviewer, &other).await.is_err());
    let mut other = request;
    other.expected[0].revision = 7;
    assert_eq!(
        world
            .lucid
            .commit(&world.reviewer, &other)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    assert_eq!(
        world
            .lucid
            .history(&world.reviewer, world.store, None)
            .await
            .unwrap()
            .rows
            .len(),
        2
    );
}

async fn parallel_commits_commit_once(world: World) {
    let changeset = world.proposal().await;
    for change in &world.changes(changeset).await {
        world
            .vote(&world.reviewer, change, Verdict::Approve)
            .await
            .unwrap();
    }
    let request = world.commit_request(changeset, "parallel").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let (lucid, actor, request) =
            (world.lucid.clone(), world.reviewer.clone(), request.clone());
        tasks.spawn(async move { lucid.commit(&actor, &request).await.map(|c| c.commit) });
    }
    let mut commits = Vec::new();
    while let Some(done) = tasks.join_next().await {
        commits.push(done.unwrap().expect("each gets the same answer"));
    }
    commits.dedup();
    assert_eq!(commits.len(), 1);
    assert_eq!(
        world
            .lucid
            .history(&world.reviewer, world.store, None)
            .await
            .unwrap()
            .rows
            .len(),
        2
    );
    world.verified().await;
}

async fn decisions_can_be_withdrawn(world: World) {
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    world
        .vote(
            &world.reviewer,
            &changes[0],
            Verdict::Reject(RejectCode::Wording),
        )
        .await
        .unwrap();
    world
        .vote(
            &world.reviewer,
            &changes[1],
            Verdict::Reject(RejectCode::Never),
        )
        .await
        .unwrap();
    let state = |view: service::ChangesetView| view.changeset.state;
    assert_eq!(
        state(
            world
                .lucid
                .changeset(&world.reviewer, changeset)
                .await
                .unwrap()
        ),
        ChangesetState::Closed
    );
    world
        .lucid
        .take_back(&world.admin, changes[0].change.id, 1)
        .await
        .unwrap();
    assert_eq!(
        state(
            world
                .lucid
                .changeset(&world.reviewer, changeset)
                .await
                .unwrap()
        ),
        ChangesetState::Open
    );
    let twice = world
        .lucid
        .take_back(&world.admin, changes[0].change.id, 1)
        .await
        .unwrap_err();
    assert_eq!(twice.kind(), Kind::Conflict);
    let votes = &world.changes(changeset).await[0].decisions;
    assert!(
        votes.len() == 1 && votes[0].taken_back_at.is_some(),
        "the vote stays in the record: {votes:?}"
    );
}

async fn what_was_rejected_stays_away(world: World) {
    let changeset = world.proposal().await;
    for change in &world.changes(changeset).await {
        world
            .vote(&world.reviewer, change, Verdict::Reject(RejectCode::NotYet))
            .await
            .unwrap();
    }
    world.import(&failing("s3", "t3", 3)).await;
    assert_eq!(world.dream().await, None, "three tasks are not twice two");
    world.import(&failing("s4", "t4", 4)).await;
    let again = world.dream().await.expect("support has doubled");
    let kinds: Vec<_> = world
        .changes(again)
        .await
        .iter()
        .map(|c| c.change.kind)
        .collect();
    assert_eq!(kinds, [ChangeKind::Add]);
}

async fn nobody_without_a_grant_sees_or_does_anything(world: World) {
    let changeset = world.proposal().await;
    let change = world.changes(changeset).await.remove(0);
    let lucid = &world.lucid;
    let stranger = &world.stranger;
    assert!(lucid.stores(stranger).await.unwrap().is_empty());
    for store in [None, Some(world.store)] {
        let filter = service::QueueFilter {
            store,
            ..service::QueueFilter::default()
        };
        assert!(waiting(lucid, stranger, &filter).await.is_empty());
    }
    assert!(
        lucid
            .sessions(stranger, None, None)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    assert!(
        lucid
            .dreams(stranger, None, None)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    assert!(
        lucid
            .audit(stranger, &service::AuditFilter::default())
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    assert_eq!(
        lucid
            .queue_counts(stranger, &service::QueueFilter::default())
            .await
            .unwrap()
            .open,
        0
    );
    let session = lucid
        .sessions(&world.reviewer, None, None)
        .await
        .unwrap()
        .rows
        .remove(0);
    let memory = lucid
        .memories(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows
        .remove(0);
    let not_found = |kind: Kind| assert_eq!(kind, Kind::NotFound);
    not_found(lucid.store(stranger, world.store).await.unwrap_err().kind());
    not_found(
        lucid
            .changeset(stranger, changeset)
            .await
            .unwrap_err()
            .kind(),
    );
    not_found(
        lucid
            .transcript(stranger, session.id, 0)
            .await
            .unwrap_err()
            .kind(),
    );
    not_found(
        lucid
            .memory(stranger, memory.id, None)
            .await
            .unwrap_err()
            .kind(),
    );
    not_found(
        lucid
            .memories(stranger, world.store, None)
            .await
            .unwrap_err()
            .kind(),
    );
    not_found(
        lucid
            .history(stranger, world.store, None)
            .await
            .unwrap_err()
            .kind(),
    );
    not_found(
        lucid
            .request_dream(stranger, world.store, None)
            .await
            .unwrap_err()
            .kind(),
    );
    not_found(
        world
            .vote(stranger, &change, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
    );
    not_found(
        lucid
            .take_back(stranger, change.change.id, 1)
            .await
            .unwrap_err()
            .kind(),
    );
    let request = world.commit_request(changeset, "stranger").await;
    assert!(
        lucid
            .commit(
                stranger,
                &CommitRequest {
                    expected: vec![service::Expected {
                        change: change.change.id,
                        revision: 1,
                        digest: String::new()
                    }],
                    ..request
                }
            )
            .await
            .is_err()
    );
    // And the machine itself never decides.
    let refused = world
        .vote(&Actor::operator(), &change, Verdict::Approve)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Permission);
}

async fn instructions_make_a_person_dependent(world: World) {
    world.import(&failing("s1", "t1", 1)).await;
    world.import(&failing("s2", "t2", 2)).await;
    let dream = world
        .lucid
        .request_dream(&world.reviewer, world.store, Some("Look at bookings"))
        .await
        .unwrap();
    world.lucid.work_once("test").await.unwrap();
    let changeset = world
        .lucid
        .dream(&world.reviewer, dream)
        .await
        .unwrap()
        .dream
        .changeset_id
        .unwrap();
    let change = world.changes(changeset).await.remove(0);
    assert_eq!(
        world
            .vote(&world.reviewer, &change, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    world
        .vote(&world.admin, &change, Verdict::Approve)
        .await
        .unwrap();
}

async fn dreams_wait_for_their_turn(world: World) {
    world.import(&failing("s1", "t1", 1)).await;
    let first = world
        .lucid
        .request_dream(&world.admin, world.store, None)
        .await
        .unwrap();
    assert_eq!(
        world
            .lucid
            .request_dream(&world.admin, world.store, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    world.lucid.cancel_dream(&world.admin, first).await.unwrap();
    world.lucid.work_once("test").await.unwrap();
    assert_eq!(
        world
            .lucid
            .dream(&world.admin, first)
            .await
            .unwrap()
            .dream
            .state,
        DreamState::Canceled
    );
    assert_eq!(
        world
            .lucid
            .cancel_dream(&world.admin, first)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    assert_eq!(world.dream().await, None);
    let long = "x".repeat(4_097);
    assert_eq!(
        world
            .lucid
            .request_dream(&world.admin, world.store, Some(&long))
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
}

async fn a_conflict_is_proposed_anew(world: World) {
    let first = world.proposal().await;
    let merge = world.changes(first).await.remove(1);
    world.remember(&[("/b.md", "* Same.", false)]).await;
    let second = world
        .dream()
        .await
        .expect("the merge is proposed against the memory as it is now");
    assert_eq!(
        world.changes(first).await[1].change.state,
        ChangeState::Obsolete
    );
    let anew = world.changes(second).await.remove(0);
    assert_eq!(
        (anew.change.kind, anew.change.conflicted),
        (ChangeKind::Merge, false)
    );
    let refused = world
        .vote(&world.reviewer, &merge, Verdict::Approve)
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    world
        .vote(&world.reviewer, &anew, Verdict::Approve)
        .await
        .unwrap();
    let request = world.commit_request(second, "anew").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(world.paths().await, ["/a.md"]);
}

async fn a_duplicate_that_comes_back_is_found_again(world: World) {
    let first = world.proposal().await;
    let merge = world.changes(first).await.remove(1);
    world
        .vote(&world.reviewer, &merge, Verdict::Approve)
        .await
        .unwrap();
    let request = world.commit_request(first, "merge").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    let kept = world
        .lucid
        .memories(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows
        .remove(0);
    assert_eq!(kept.number, 1, "what stays as it is gets no new version");
    world.remember(&[("/c.md", "Same.", false)]).await;
    let again = world.dream().await.expect("the copy is back");
    assert_eq!(
        world.changes(again).await.remove(0).change.kind,
        ChangeKind::Merge
    );
}

async fn a_job_that_kills_its_worker_ends(world: World) {
    let dream = world
        .lucid
        .request_dream(&world.admin, world.store, None)
        .await
        .unwrap();
    for _ in 0..5 {
        // A worker claims it and is never heard of again.
        let mut tx = world.db.write().await.unwrap();
        let now = world.lucid.now();
        assert!(
            store::jobs::claim(&mut tx, "dead", now, now.plus_seconds(30))
                .await
                .unwrap()
                .is_some()
        );
        tx.commit().await.unwrap();
        world.wait_seconds(31);
    }
    assert!(world.lucid.work_once("alive").await.unwrap());
    let view = world.lucid.dream(&world.admin, dream).await.unwrap().dream;
    assert_eq!(view.state, DreamState::Failed);
    assert!(
        !world.lucid.work_once("alive").await.unwrap(),
        "it is not tried for ever"
    );
    world.verified().await;
}
