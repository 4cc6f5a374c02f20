//! New revisions and inverse changesets: rebases, reverts, a proposal in another memory's place,
//! one that is withdrawn.

use domain::{
    actor::{Actor, Role, StoreRole},
    changeset::{ChangeKind, ChangeState, ChangesetState, RejectCode},
    notice::NoticeReason,
    rights::Scope,
    risk::RiskLevel,
};
use service::{Error, Kind, NewKey, Verdict};

use super::again;
use crate::world::{World, add, keep_both, on_both_engines};

on_both_engines!(
    a_rebase_is_a_new_revision_against_the_current_memory,
    a_discarded_revision_says_what_the_one_before_said,
    what_was_taken_or_went_is_rebased_too,
    lines_may_end_in_any_way,
    a_move_whose_place_was_taken_is_refused,
    a_revert_passes_the_gate,
    a_revert_is_looked_at_as_anything_new_is,
    similar_memories_are_a_question,
    a_proposal_is_withdrawn_by_who_made_it,
);

async fn a_rebase_is_a_new_revision_against_the_current_memory(world: World) {
    let base = "# Same\n\n- one\n- two\n- three\n";
    world
        .remember(&[("/a.md", base, false), ("/b.md", base, false)])
        .await;
    let changeset = world.dream().await.unwrap();
    let change = world.changes(changeset).await.remove(0);
    world
        .vote(&world.reviewer, &change, Verdict::Approve)
        .await
        .unwrap();
    let shown = (1, change.change.digest.as_str());
    let refused = world
        .lucid
        .rebase_change(&world.admin, change.change.id, shown, &[], &[])
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict, "nothing has moved");
    world
        .remember(&[("/a.md", "# Same\n\n- one\n- two\n- three\n- four\n", false)])
        .await;
    let moved = again(&world, &change).await;
    assert!(moved.change.conflicted);
    assert!(
        world
            .lucid
            .inbox(&world.reviewer)
            .await
            .unwrap()
            .iter()
            .any(|n| n.reason == NoticeReason::YourTurn)
    );
    let rebase = moved.rebase().unwrap();
    let merged: Vec<String> = rebase
        .edits
        .iter()
        .filter_map(|e| e.merged.as_ref())
        .map(|m| m.text.clone())
        .collect();
    assert!(
        merged[0].contains("- four"),
        "what came meanwhile is in it: {merged:?}"
    );
    let against: Vec<_> = rebase.edits.iter().map(|e| e.version).collect();
    // It moves once more while one looks.
    world
        .remember(&[("/b.md", "# Same\n\n- one\n- two\n- three\n- five\n", false)])
        .await;
    let late = world
        .lucid
        .rebase_change(&world.reviewer, change.change.id, shown, &against, &merged)
        .await
        .unwrap_err();
    assert!(matches!(late, Error::Stale(_)), "{late}");
    let rebase = again(&world, &change).await.rebase().unwrap();
    let against: Vec<_> = rebase.edits.iter().map(|e| e.version).collect();
    world
        .lucid
        .rebase_change(&world.reviewer, change.change.id, shown, &against, &merged)
        .await
        .unwrap();
    let rebased = again(&world, &change).await;
    assert_eq!(
        (
            rebased.change.revision,
            rebased.change.state,
            rebased.change.conflicted
        ),
        (2, ChangeState::Pending, false)
    );
    assert_eq!(
        rebased.change.risk_level,
        RiskLevel::High,
        "`five` would be lost, and that is said"
    );
    assert!(rebased.contributed, "whoever rebases does not approve");
    assert_eq!(
        world
            .vote(&world.reviewer, &rebased, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    assert!(
        world
            .vote(&world.admin, &change, Verdict::Approve)
            .await
            .is_err(),
        "the revision before is outdated"
    );
    world
        .vote(&world.admin, &rebased, Verdict::Approve)
        .await
        .unwrap();
    world.verified().await;
}

async fn a_discarded_revision_says_what_the_one_before_said(world: World) {
    let changeset = world.proposal().await;
    let first = world.changes(changeset).await.remove(0);
    let (id, text) = (first.change.id, first.edits[0].content.clone().unwrap());
    let nothing = world
        .lucid
        .discard_revision(&world.reviewer, id, (1, &first.change.digest))
        .await
        .unwrap_err();
    assert_eq!(
        nothing.kind(),
        Kind::Conflict,
        "the first revision is what was proposed"
    );
    let longer = vec![format!("{text}- One line more.\n")];
    world
        .lucid
        .edit_change(&world.reviewer, id, (1, &first.change.digest), &longer)
        .await
        .unwrap();
    let edited = again(&world, &first).await;
    let stale = world
        .lucid
        .discard_revision(&world.admin, id, (1, &first.change.digest))
        .await
        .unwrap_err();
    assert!(matches!(stale, Error::Stale(_)), "{stale}");
    world
        .lucid
        .discard_revision(&world.reviewer, id, (2, &edited.change.digest))
        .await
        .unwrap();
    let back = again(&world, &first).await;
    assert_eq!(
        (back.change.revision, back.change.state),
        (3, ChangeState::Pending)
    );
    assert_eq!(
        (&back.change.digest, &back.change.labels),
        (&first.change.digest, &first.change.labels),
        "it says the same"
    );
    assert!(back.contributed, "an editor stays one");
    assert_eq!(
        world
            .vote(&world.reviewer, &back, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    assert!(
        world
            .vote(&world.admin, &edited, Verdict::Approve)
            .await
            .is_err(),
        "the revision before is outdated"
    );
    world
        .vote(&world.admin, &back, Verdict::Approve)
        .await
        .unwrap();
    world.verified().await;
}

async fn what_was_taken_or_went_is_rebased_too(world: World) {
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    // The new memory's place was taken: it becomes a change of what stands there.
    let path = changes[0].edits[0].path.to_string();
    world
        .remember(&[(&path, "# Somebody was quicker\n", false)])
        .await;
    let taken = again(&world, &changes[0]).await;
    assert!(taken.change.conflicted && taken.change.kind == ChangeKind::Add);
    assert!(
        world
            .told_now(&world.reviewer)
            .await
            .contains(&"conflict".to_owned())
    );
    world
        .remember(&[("/elsewhere.md", "Another commit.\n", false)])
        .await;
    assert!(
        world.told_now(&world.reviewer).await.is_empty(),
        "a conflict that stays is told once"
    );
    let rebase = taken.rebase().unwrap();
    assert_eq!(
        rebase.edits[0].merged.as_ref().unwrap().both,
        1,
        "both wrote the whole text"
    );
    let marked = vec![rebase.edits[0].merged.as_ref().unwrap().text.clone()];
    let against = [rebase.edits[0].version];
    let refused = world
        .lucid
        .rebase_change(
            &world.reviewer,
            taken.change.id,
            (1, &taken.change.digest),
            &against,
            &marked,
        )
        .await;
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("resolve each marked conflict"),
        "marks are not saved"
    );
    let text = vec![keep_both(&marked[0])];
    world
        .lucid
        .rebase_change(
            &world.reviewer,
            taken.change.id,
            (1, &taken.change.digest),
            &against,
            &text,
        )
        .await
        .unwrap();
    let update = again(&world, &changes[0]).await;
    assert_eq!(
        (update.change.kind, update.change.conflicted),
        (ChangeKind::Update, false)
    );
    // Of the two that were to become one, the one that was to stay was removed by somebody else.
    let merge = again(&world, &changes[1]).await;
    let stays = merge
        .edits
        .iter()
        .find(|e| e.content.is_some())
        .unwrap()
        .memory_id
        .unwrap();
    let sha256 = domain::canonical::sha256_hex(b"Same.");
    let write = service::MemoryWrite::Delete {
        id: stays,
        expected_sha256: Some(sha256),
    };
    world
        .lucid
        .write_memory(&Actor::operator(), world.store, &write)
        .await
        .unwrap();
    assert!(
        world
            .told_now(&world.reviewer)
            .await
            .contains(&"conflict".to_owned()),
        "the first was mended, so the second is told"
    );
    let gone = again(&world, &changes[1]).await;
    let rebase = gone.rebase().unwrap();
    assert!(
        rebase
            .edits
            .iter()
            .any(|e| e.now.is_none() && e.merged.is_some()),
        "what went comes back where it stood"
    );
    let text: Vec<String> = rebase
        .edits
        .iter()
        .filter_map(|e| e.merged.as_ref())
        .map(|m| keep_both(&m.text))
        .collect();
    let against: Vec<_> = rebase.edits.iter().map(|e| e.version).collect();
    world
        .lucid
        .rebase_change(
            &world.reviewer,
            gone.change.id,
            (1, &gone.change.digest),
            &against,
            &text,
        )
        .await
        .unwrap();
    for change in world.changes(changeset).await {
        assert!(!change.change.conflicted);
        world
            .vote(&world.admin, &change, Verdict::Approve)
            .await
            .unwrap();
        if change.change.risk_level == RiskLevel::High {
            let third = add(
                &world.lucid,
                "third",
                Role::Reviewer,
                vec![(world.store, StoreRole::Reviewer)],
            )
            .await;
            world.vote(&third, &change, Verdict::Approve).await.unwrap();
        }
    }
    let request = world.commit_request(changeset, "carried").await;
    world.lucid.commit(&world.admin, &request).await.unwrap();
    assert_eq!(world.paths().await.len(), 3);
    world.verified().await;
}

async fn lines_may_end_in_any_way(world: World) {
    let text = "a\rb\rc\n";
    world
        .remember(&[("/a.md", text, false), ("/b.md", text, false)])
        .await;
    let changeset = world.dream().await.unwrap();
    world.remember(&[("/a.md", "a\rX\rc\n", false)]).await;
    let change = world.changes(changeset).await.remove(0);
    assert!(change.change.conflicted && change.rebase().is_some());
    world
        .vote(&world.reviewer, &change, Verdict::Reject(RejectCode::Never))
        .await
        .unwrap();
}

async fn a_move_whose_place_was_taken_is_refused(world: World) {
    world.remember(&[("/old.md", "It moves.", false)]).await;
    world
        .lucid
        .set_gate(
            &world.admin,
            world.store,
            domain::memory::GateMode::AllGated,
            None,
        )
        .await
        .unwrap();
    let new = NewKey {
        name: "k".into(),
        owner: None,
        store: None,
        scopes: vec![Scope::MemoryWrite],
        days: None,
    };
    let new = NewKey {
        owner: world.admin.who.person(),
        ..new
    };
    let (_, secret) = world.lucid.add_key(&Actor::operator(), &new).await.unwrap();
    let key = world.lucid.key_actor(&secret).await.unwrap();
    let id = world
        .lucid
        .memories(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows[0]
        .id;
    let write = service::MemoryWrite::Update {
        id,
        path: Some("/new.md".parse().unwrap()),
        content: None,
        expected_sha256: None,
    };
    let service::Written::Proposed { changeset, .. } = world
        .lucid
        .write_memory(&key, world.store, &write)
        .await
        .unwrap()
    else {
        panic!("it is proposed")
    };
    world
        .remember(&[("/new.md", "Somebody else is there.", false)])
        .await;
    let change = world.changes(changeset).await.remove(0);
    let rebase = change.rebase().unwrap();
    let against: Vec<_> = rebase.edits.iter().map(|e| e.version).collect();
    let text = vec!["It moves.".to_owned()];
    let refused = world
        .lucid
        .rebase_change(
            &world.reviewer,
            change.change.id,
            (1, &change.change.digest),
            &against,
            &text,
        )
        .await;
    assert!(refused.unwrap_err().message().contains("/new.md is taken"));
    // Rejected wholly, its proposer is told.
    world
        .vote(
            &world.reviewer,
            &change,
            Verdict::Reject(RejectCode::WrongPlace),
        )
        .await
        .unwrap();
    assert!(
        world
            .lucid
            .inbox(&world.admin)
            .await
            .unwrap()
            .iter()
            .any(|n| n.reason == NoticeReason::Decided)
    );
}

async fn a_revert_passes_the_gate(world: World) {
    let changeset = world.proposal().await;
    for change in world.changes(changeset).await {
        world
            .vote(&world.reviewer, &change, Verdict::Approve)
            .await
            .unwrap();
    }
    let before = ["/a.md", "/b.md"];
    let request = world.commit_request(changeset, "all").await;
    let done = world.lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(
        world
            .lucid
            .revert(&world.stranger, done.commit)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    let revert = world
        .lucid
        .revert(&world.reviewer, done.commit)
        .await
        .unwrap();
    assert_eq!(
        world.lucid.revert(&world.admin, done.commit).await.unwrap(),
        revert,
        "asked twice, it is one"
    );
    let changes = world.changes(revert).await;
    assert!(
        changes.iter().all(|c| c.contributed),
        "whoever asks for it does not count as its approver"
    );
    let removes = changes
        .iter()
        .find(|c| c.edits.iter().all(|e| e.content.is_none()))
        .expect("what was added is removed again");
    assert_eq!(
        removes.change.risk_level,
        RiskLevel::High,
        "a revert is judged by what it does"
    );
    let third = add(
        &world.lucid,
        "third",
        Role::Reviewer,
        vec![(world.store, StoreRole::Reviewer)],
    )
    .await;
    for change in &changes {
        assert_eq!(
            world
                .vote(&world.reviewer, change, Verdict::Approve)
                .await
                .unwrap_err()
                .kind(),
            Kind::Permission
        );
        world
            .vote(&world.admin, change, Verdict::Approve)
            .await
            .unwrap();
        if !again(&world, change).await.needs.satisfied {
            world.vote(&third, change, Verdict::Approve).await.unwrap();
        }
    }
    let request = world.commit_request(revert, "back").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(world.paths().await, before);
    for memory in world
        .lucid
        .memories(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows
    {
        assert_eq!(
            world
                .lucid
                .read_memory(&world.reviewer, world.store, memory.id, None)
                .await
                .unwrap()
                .1,
            "Same."
        );
    }
    // What has changed since is a conflict, shown before anybody clicks.
    let a = world
        .lucid
        .memories(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows
        .remove(0);
    world.remember(&[("/a.md", "Newer.", false)]).await;
    let commit = world
        .lucid
        .memory(&world.reviewer, a.id, None)
        .await
        .unwrap()
        .versions[0]
        .version
        .commit_id;
    world.remember(&[("/a.md", "Newest.", false)]).await;
    let late = world.lucid.revert(&world.reviewer, commit).await.unwrap();
    assert!(
        world
            .changes(late)
            .await
            .iter()
            .all(|c| c.change.conflicted)
    );
    world.verified().await;
}

async fn a_revert_is_looked_at_as_anything_new_is(world: World) {
    world
        .remember(&[(
            "/notes.md",
            "- Write to ana@example.com about it.\n- Keep it short.\n",
            false,
        )])
        .await;
    world
        .remember(&[("/notes.md", "- Keep it short.\n", false)])
        .await;
    let memory = world
        .lucid
        .memories(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows
        .remove(0);
    let commit = world
        .lucid
        .memory(&world.reviewer, memory.id, None)
        .await
        .unwrap()
        .versions[0]
        .version
        .commit_id;
    let revert = world.lucid.revert(&world.reviewer, commit).await.unwrap();
    let change = world.changes(revert).await.remove(0);
    assert_eq!(
        (change.change.risk_level, change.labels.as_slice()),
        (RiskLevel::High, &[domain::risk::Label::Pii][..])
    );
}

async fn similar_memories_are_a_question(world: World) {
    let changeset = world.proposal().await;
    let change = world.changes(changeset).await.remove(0);
    let said = "- What to do: call `book` again with another `seats` please.\n";
    world.remember(&[("/old.md", said, false)]).await;
    let beside = world
        .lucid
        .beside(&world.reviewer, change.change.id)
        .await
        .unwrap();
    assert_eq!(
        beside
            .similar
            .iter()
            .map(|s| s.path.as_str())
            .collect::<Vec<_>>(),
        ["/old.md"],
        "{:?}",
        beside.similar
    );
    assert!(beside.may_replace && beside.touched.is_empty());
    assert_eq!(
        world
            .lucid
            .beside(&world.stranger, change.change.id)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    // The answer “replace”: a new revision in the other's place, which loses what it said, and so
    // is of high risk.
    let memory = beside.similar[0].id;
    world
        .lucid
        .replace_instead(
            &world.reviewer,
            change.change.id,
            (1, &change.change.digest),
            memory,
        )
        .await
        .unwrap();
    let replaced = again(&world, &change).await;
    assert_eq!(
        (
            replaced.change.kind,
            replaced.change.revision,
            replaced.change.risk_level
        ),
        (ChangeKind::Supersede, 2, RiskLevel::High)
    );
    assert_eq!(replaced.edits[0].path.as_str(), "/old.md");
    let merge = world.changes(changeset).await.remove(1);
    let refused = world
        .lucid
        .replace_instead(
            &world.reviewer,
            merge.change.id,
            (1, &merge.change.digest),
            memory,
        )
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
    world
        .vote(&world.admin, &merge, Verdict::Reject(RejectCode::Never))
        .await
        .unwrap();
    let beside = world
        .lucid
        .beside(&world.reviewer, merge.change.id)
        .await
        .unwrap();
    assert_eq!(beside.touched.len(), 2);
}

async fn a_proposal_is_withdrawn_by_who_made_it(world: World) {
    let changeset = world.proposal().await;
    assert_eq!(
        world
            .lucid
            .withdraw(&world.reviewer, changeset)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict,
        "a dream's is nobody's"
    );
    for change in world.changes(changeset).await {
        world
            .vote(&world.reviewer, &change, Verdict::Approve)
            .await
            .unwrap();
    }
    let request = world.commit_request(changeset, "all").await;
    let done = world.lucid.commit(&world.reviewer, &request).await.unwrap();
    let revert = world
        .lucid
        .revert(&world.reviewer, done.commit)
        .await
        .unwrap();
    assert_eq!(
        world
            .lucid
            .withdraw(&world.admin, revert)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    assert_eq!(
        world
            .lucid
            .withdraw(&world.stranger, revert)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    world.lucid.withdraw(&world.reviewer, revert).await.unwrap();
    let view = world
        .lucid
        .changeset(&world.reviewer, revert)
        .await
        .unwrap();
    assert_eq!(view.changeset.state, ChangesetState::Withdrawn);
    assert_eq!(
        world
            .lucid
            .withdraw(&world.reviewer, revert)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    assert_ne!(
        world
            .lucid
            .revert(&world.reviewer, done.commit)
            .await
            .unwrap(),
        revert,
        "it can be asked for again"
    );
    world.verified().await;
}
