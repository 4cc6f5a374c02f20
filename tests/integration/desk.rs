//! The desk: requirements by risk and owner, signing, claims, comments, deferrals, undo, bulk decisions, rebases, reverts, the inbox,
//! and how well we review.

use domain::{
    Timestamp,
    actor::{Actor, Grant, Role, StoreRole},
    changeset::{ChangeKind, ChangeState, ChangesetState, RejectCode},
    review::{Approvals, CLAIM_SECONDS, EXPIRY_DAYS, SIGNING_SECONDS},
    rights::Scope,
    risk::RiskLevel,
};
use service::{ChangeView, Decision, Error, Kind, NewKey, QueueFilter, Verdict};

use crate::world::{World, add, failing, on_both_engines};

on_both_engines!(
    high_risk_needs_two_signatures,
    an_approval_counts_once_and_only_of_who_may_decide,
    owners_of_a_path_are_asked,
    an_owner_who_is_gone_leaves_nobody_in_their_place,
    a_revert_is_looked_at_as_anything_new_is,
    lines_may_end_in_any_way,
    fewer_approvals_asked_for_make_one_enough,
    a_move_whose_place_was_taken_is_refused,
    a_store_says_how_many_approvals,
    a_claim_keeps_others_and_no_admin,
    comments_are_told_to_whoever_had_to_do_with_it,
    a_deferral_ends_on_its_date,
    what_nobody_decides_expires,
    undo_takes_the_last_ten_back_one_by_one,
    bulk_decides_each_by_itself,
    a_rebase_is_a_new_revision_against_what_stands_now,
    what_was_taken_or_went_is_rebased_too,
    a_revert_goes_through_the_gate,
    the_queue_shows_whose_turn_it_is,
    every_filter_of_the_queue_runs,
    similar_memories_are_a_question,
    quotes_are_revealed_to_who_decides_and_the_audit_says_so,
    figures_say_how_well_we_review,
    a_proposal_is_withdrawn_by_who_made_it,
);

/// A decision on a change as it is shown, signed just now.
fn decision(world: &World, view: &ChangeView, verdict: Verdict) -> Decision {
    let c = &view.change;
    Decision {
        change: c.id,
        revision: c.revision,
        digest: c.digest.clone(),
        verdict,
        note: String::new(),
        confirmed_at: Some(world.lucid.now()),
    }
}

/// A dream's change of high risk: two notes that say the same, written by a person.
async fn risky(world: &World) -> ChangeView {
    world.remember(&[("/a.md", "Same.", true), ("/b.md", "Same.", true)]).await;
    let changeset = world.dream().await.expect("a merge");
    let change = world.changes(changeset).await.remove(0);
    assert_eq!(change.change.risk_level, RiskLevel::High);
    change
}

async fn again(world: &World, view: &ChangeView) -> ChangeView {
    let all = world.changes(view.change.changeset_id).await;
    all.into_iter().find(|c| c.change.id == view.change.id).unwrap()
}

async fn high_risk_needs_two_signatures(world: World) {
    let change = risky(&world).await;
    assert_eq!((change.needs.approvals, change.needs.satisfied), (2, false));
    // Not signed, or signed too long ago.
    for confirmed_at in [None, Some(Timestamp(world.lucid.now().0 - (SIGNING_SECONDS + 1) * 1_000_000))] {
        let unsigned = Decision { confirmed_at, ..decision(&world, &change, Verdict::Approve) };
        assert!(matches!(world.lucid.decide(&world.reviewer, &unsigned).await, Err(Error::Sign)));
    }
    // A key that decides as its owner does not sign.
    let new = NewKey {
        name: "k".into(),
        owner: world.reviewer.who.person(),
        store: None,
        scopes: vec![Scope::Review, Scope::ChangesetsRead],
        days: None,
    };
    let (_, secret) = world.lucid.add_key(&Actor::operator(), &new).await.unwrap();
    let key = world.lucid.key_actor(&secret).await.unwrap();
    assert_eq!(world.vote(&key, &change, Verdict::Approve).await.unwrap_err().kind(), Kind::Permission);
    assert_eq!(world.lucid.claim(&key, change.change.changeset_id).await.unwrap_err().kind(), Kind::Permission);
    world.vote(&world.reviewer, &change, Verdict::Approve).await.unwrap();
    let half = again(&world, &change).await;
    assert_eq!(
        (half.change.state, half.needs.given.as_slice(), half.needs.from.as_slice()),
        (ChangeState::Pending, &["reviewer".to_owned()][..], &["admin".to_owned()][..])
    );
    assert!(half.approved_by_me);
    // One of two is not committed, also if somebody says that it is approved.
    let request = service::CommitRequest {
        changeset: change.change.changeset_id,
        expected: vec![service::Expected { change: change.change.id, revision: 1, digest: change.change.digest.clone() }],
        idempotency_key: "too-early".into(),
    };
    assert_eq!(world.lucid.commit(&world.reviewer, &request).await.unwrap_err().kind(), Kind::Conflict);
    world.vote(&world.admin, &half, Verdict::Approve).await.unwrap();
    let whole = again(&world, &change).await;
    assert_eq!(whole.change.state, ChangeState::Approved);
    assert!(whole.decisions.iter().all(|d| d.meaning.as_deref() == Some("approved") && d.confirmed_at.is_some()));
    let done = world.lucid.commit(&world.reviewer, &request).await.unwrap();
    let approvals = world.lucid.commit_view(&world.reviewer, done.commit).await.unwrap().commit.approvals;
    assert_eq!(approvals.matches("\"meaning\":\"approved\"").count(), 2, "{approvals}");
    world.verified().await;
}

async fn an_approval_counts_once_and_only_of_who_may_decide(world: World) {
    let change = risky(&world).await;
    world.vote(&world.reviewer, &change, Verdict::Approve).await.unwrap();
    assert_eq!(world.vote(&world.reviewer, &change, Verdict::Approve).await.unwrap_err().kind(), Kind::Conflict);
    world.vote(&world.admin, &change, Verdict::Approve).await.unwrap();
    assert_eq!(again(&world, &change).await.change.state, ChangeState::Approved);
    // Who may no longer decide no longer counts: what was approved is held, and says why.
    let request = world.commit_request(change.change.changeset_id, "held").await;
    let person = world.admin.who.person().unwrap();
    world.lucid.revoke(&Actor::operator(), service::Grantee::Person(person), &Grant::whole(world.store, StoreRole::Owner)).await.unwrap();
    let held = again(&world, &change).await;
    assert!(!held.needs.satisfied && held.needs.impossible, "{:?}", held.needs);
    let refused = world.lucid.commit(&world.reviewer, &request).await.unwrap_err();
    assert!(refused.message().contains("only 1 could give one"), "{}", refused.message());
    let third = add(&world.lucid, "third", Role::Reviewer, vec![(world.store, StoreRole::Reviewer)]).await;
    assert_eq!(again(&world, &change).await.needs.from, ["third"]);
    world.vote(&third, &change, Verdict::Approve).await.unwrap();
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
}

async fn owners_of_a_path_are_asked(world: World) {
    world.remember(&[("/billing/a.md", "Same.", false), ("/billing/b.md", "Same.", false)]).await;
    let owner = add(&world.lucid, "owner", Role::Reviewer, vec![]).await;
    let path = "/billing".parse().unwrap();
    let grant = Grant { store: world.store, path, role: StoreRole::Owner };
    world.lucid.grant(&world.admin, service::Grantee::Person(owner.who.person().unwrap()), &grant).await.unwrap();
    let owner = crate::world::actor(&world.lucid, owner.who.person().unwrap()).await;
    let changeset = world.dream().await.unwrap();
    let change = world.changes(changeset).await.remove(0);
    assert_eq!(change.needs.from, ["owner"], "who is named for the path is asked, and nobody else");
    world.vote(&world.reviewer, &change, Verdict::Approve).await.unwrap();
    assert_eq!(again(&world, &change).await.change.state, ChangeState::Pending, "an approval of somebody else does not count there");
    world.vote(&owner, &change, Verdict::Approve).await.unwrap();
    assert_eq!(again(&world, &change).await.change.state, ChangeState::Approved);
}

async fn a_store_says_how_many_approvals(world: World) {
    let changeset = world.proposal().await;
    let approvals = |low, medium, high, owners_only| Approvals { low, medium, high, owners_only };
    for wrong in [approvals(0, 1, 1, false), approvals(2, 1, 2, false), approvals(1, 1, 6, false)] {
        assert_eq!(world.lucid.set_approvals(&world.admin, world.store, wrong).await.unwrap_err().kind(), Kind::Invalid);
    }
    assert_eq!(
        world.lucid.set_approvals(&world.reviewer, world.store, approvals(1, 1, 1, false)).await.unwrap_err().kind(),
        Kind::Permission
    );
    let changes = world.changes(changeset).await;
    world.vote(&world.reviewer, &changes[0], Verdict::Approve).await.unwrap();
    let request = world.commit_request(changeset, "before").await;
    // Raised meanwhile: what was enough is not enough any more, and is not committed before it is.
    world.lucid.set_approvals(&world.admin, world.store, approvals(2, 2, 2, false)).await.unwrap();
    assert!(world.lucid.commit(&world.reviewer, &request).await.unwrap_err().message().contains("lacks 1 approval"));
    world.vote(&world.admin, &changes[0], Verdict::Approve).await.unwrap();
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    // Only owners: the reviewer's does not count.
    world.lucid.set_approvals(&world.admin, world.store, approvals(1, 1, 1, true)).await.unwrap();
    world.vote(&world.reviewer, &changes[1], Verdict::Approve).await.unwrap();
    let asked = again(&world, &changes[1]).await;
    assert_eq!((asked.change.state, asked.needs.from.as_slice()), (ChangeState::Pending, &["admin".to_owned()][..]));
}

async fn a_claim_keeps_others_and_no_admin(world: World) {
    let changeset = world.proposal().await;
    let other = add(&world.lucid, "other", Role::Reviewer, vec![(world.store, StoreRole::Reviewer)]).await;
    world.lucid.claim(&world.reviewer, changeset).await.unwrap();
    world.lucid.claim(&world.reviewer, changeset).await.unwrap();
    let changes = world.changes(changeset).await;
    assert_eq!(world.lucid.claim(&other, changeset).await.unwrap_err().kind(), Kind::Conflict);
    let refused = world.vote(&other, &changes[0], Verdict::Approve).await.unwrap_err();
    assert!(refused.message().contains("reviewer works on this changeset"), "{}", refused.message());
    assert_eq!(world.lucid.claim(&world.stranger, changeset).await.unwrap_err().kind(), Kind::NotFound);
    world.vote(&world.admin, &changes[0], Verdict::Approve).await.unwrap();
    let row = world.lucid.queue(&other, &QueueFilter::default()).await.unwrap().rows.remove(0);
    assert_eq!(row.claimed_name.as_deref(), Some("reviewer"), "everybody sees it");
    // It is renewed while its owner works, and runs out when they do not.
    world.wait_seconds(CLAIM_SECONDS - 60);
    world.lucid.renew_claim(&world.reviewer, changeset).await.unwrap();
    world.wait_seconds(120);
    assert_eq!(world.vote(&other, &changes[1], Verdict::Approve).await.unwrap_err().kind(), Kind::Conflict);
    world.wait_seconds(CLAIM_SECONDS);
    world.lucid.claim(&other, changeset).await.unwrap();
    world.vote(&other, &changes[1], Verdict::Approve).await.unwrap();
    // Nothing is left for them to decide: the claim is gone.
    assert!(world.lucid.changeset(&other, changeset).await.unwrap().claim.is_none());
    assert_eq!(world.lucid.release(&other, changeset).await.unwrap_err().kind(), Kind::Conflict);
    let claims = world
        .lucid
        .audit(&world.admin, &service::AuditFilter { action: Some("changeset.claim".into()), ..Default::default() })
        .await
        .unwrap();
    assert_eq!(claims.rows.len(), 2, "renewing says nothing new");
}

async fn comments_are_told_to_whoever_had_to_do_with_it(world: World) {
    let changeset = world.proposal().await;
    let change = world.changes(changeset).await.remove(0);
    assert_eq!(world.lucid.inbox(&world.reviewer).await.unwrap()[0].reason, "your_turn");
    world.lucid.mark_read(&world.reviewer, Some(changeset)).await.unwrap();
    assert_eq!(world.lucid.unread(&world.reviewer).await.unwrap(), 0);
    world.vote(&world.reviewer, &change, Verdict::Reject(RejectCode::NotYet)).await.unwrap();
    for wrong in ["", "  \n ", &"x".repeat(4_001)] {
        assert_eq!(world.lucid.comment(&world.admin, change.change.id, wrong).await.unwrap_err().kind(), Kind::Invalid);
    }
    world.lucid.comment(&world.admin, change.change.id, "Why not?\u{202e}").await.unwrap();
    let inbox = world.lucid.inbox(&world.reviewer).await.unwrap();
    assert_eq!((inbox[0].reason.as_str(), inbox[0].read_at), ("comment", None));
    assert_eq!(again(&world, &change).await.comments[0].body, "Why not?\u{202e}", "kept as it was written; pages show what hides in it");
    assert!(world.lucid.inbox(&world.stranger).await.unwrap().is_empty());
    assert_eq!(world.lucid.comment(&world.stranger, change.change.id, "x").await.unwrap_err().kind(), Kind::NotFound);
    world.lucid.mark_read(&world.reviewer, None).await.unwrap();
    assert_eq!(world.lucid.unread(&world.reviewer).await.unwrap(), 0);
    // Mail: only who asked for it, each item once.
    assert!(world.lucid.take_mail().await.unwrap().is_none(), "off unless somebody asks for it");
    world.lucid.set_wants_mail(&world.admin, true).await.unwrap();
    let mail = world.lucid.take_mail().await.unwrap().unwrap();
    assert_eq!((mail.email.as_str(), mail.reason.as_str()), ("admin@lucid.example", "your_turn"));
    assert!(world.lucid.take_mail().await.unwrap().is_none(), "once");
    world.lucid.not_mailed(mail.id).await.unwrap();
    assert!(world.lucid.take_mail().await.unwrap().is_some(), "again, if it could not be sent");
}

async fn a_deferral_ends_on_its_date(world: World) {
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    let (now, day) = (world.lucid.now(), 86_400);
    for wrong in [now.plus_seconds(-1), now.plus_seconds(366 * day)] {
        let refused = world.vote(&world.reviewer, &changes[0], Verdict::Defer(Some(wrong))).await.unwrap_err();
        assert_eq!(refused.kind(), Kind::Invalid);
    }
    world.vote(&world.reviewer, &changes[0], Verdict::Defer(Some(now.plus_seconds(day)))).await.unwrap();
    world.vote(&world.reviewer, &changes[1], Verdict::Approve).await.unwrap();
    // One that is put off does not hold up the rest.
    let request = world.commit_request(changeset, "rest").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    world.lucid.keep_time().await.unwrap();
    assert_eq!(again(&world, &changes[0]).await.change.state, ChangeState::Deferred);
    world.wait_seconds(day + 1);
    world.lucid.mark_read(&world.reviewer, None).await.unwrap();
    world.lucid.keep_time().await.unwrap();
    world.lucid.keep_time().await.unwrap();
    let back = again(&world, &changes[0]).await;
    assert_eq!((back.change.state, back.change.defer_until), (ChangeState::Pending, None));
    assert_eq!(world.lucid.unread(&world.reviewer).await.unwrap(), 1, "it is somebody's turn again");
    world.vote(&world.reviewer, &back, Verdict::Defer(None)).await.unwrap();
    world.wait_seconds(30 * day);
    world.lucid.keep_time().await.unwrap();
    assert_eq!(again(&world, &changes[0]).await.change.state, ChangeState::Deferred, "without a date it waits");
    world.verified().await;
}

async fn what_nobody_decides_expires(world: World) {
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    world.wait_seconds((EXPIRY_DAYS - 1) * 86_400);
    world.vote(&world.reviewer, &changes[0], Verdict::Approve).await.unwrap();
    world.wait_seconds(2 * 86_400);
    world.lucid.keep_time().await.unwrap();
    assert_eq!(world.lucid.changeset(&world.reviewer, changeset).await.unwrap().changeset.state, ChangesetState::Open, "somebody decided");
    world.wait_seconds((EXPIRY_DAYS - 1) * 86_400);
    world.lucid.keep_time().await.unwrap();
    let ended = world.lucid.changeset(&world.reviewer, changeset).await.unwrap();
    assert_eq!(ended.changeset.state, ChangesetState::Expired);
    assert!(ended.changes.iter().all(|c| c.change.state == ChangeState::Obsolete));
    assert_eq!(world.vote(&world.reviewer, &changes[1], Verdict::Approve).await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(world.lucid.done(&world.reviewer, &QueueFilter::default(), None).await.unwrap().rows.len(), 1);
    world.verified().await;
}

async fn undo_takes_the_last_ten_back_one_by_one(world: World) {
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    world.vote(&world.reviewer, &changes[0], Verdict::Approve).await.unwrap();
    world.vote(&world.reviewer, &changes[1], Verdict::Reject(RejectCode::Never)).await.unwrap();
    assert_eq!(world.lucid.undo(&world.admin).await.unwrap_err().kind(), Kind::Conflict, "another's decisions are not one's own");
    let last = world.lucid.undo(&world.reviewer).await.unwrap();
    assert_eq!((last.change, last.verdict.as_str()), (changes[1].change.id, "reject"));
    assert!(world.lucid.muted(&world.reviewer, world.store).await.unwrap().is_empty(), "what it muted is heard again");
    world.lucid.undo(&world.reviewer).await.unwrap();
    assert!(world.changes(changeset).await.iter().all(|c| c.change.state == ChangeState::Pending));
    assert_eq!(world.lucid.undo(&world.reviewer).await.unwrap_err().kind(), Kind::Conflict);
    // What was committed is not undone but reverted.
    world.vote(&world.reviewer, &changes[0], Verdict::Approve).await.unwrap();
    let request = world.commit_request(changeset, "done").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(world.lucid.undo(&world.reviewer).await.unwrap_err().kind(), Kind::Conflict);
    // Ten at most.
    for _ in 0..6 {
        world.vote(&world.reviewer, &changes[1], Verdict::Defer(None)).await.unwrap();
        world.lucid.take_back(&world.reviewer, changes[1].change.id, 1).await.unwrap();
    }
    world.vote(&world.reviewer, &changes[1], Verdict::Approve).await.unwrap();
    assert_eq!(world.lucid.undoable(&world.reviewer).await.unwrap().len(), 1);
    // Somebody else's votes are taken back by who may decide, and that is an override.
    world.lucid.take_back(&world.admin, changes[1].change.id, 1).await.unwrap();
    assert_eq!(again(&world, &changes[1]).await.change.state, ChangeState::Pending);
    world.verified().await;
}

async fn bulk_decides_each_by_itself(world: World) {
    let high = risky(&world).await;
    world.import(&failing("s1", "t1", 1)).await;
    world.import(&failing("s2", "t2", 2)).await;
    let changeset = world.dream().await.unwrap();
    let low = world.changes(changeset).await.remove(0);
    let mut stale = decision(&world, &low, Verdict::Approve);
    stale.revision = 7;
    let all = [decision(&world, &high, Verdict::Approve), stale];
    let results = world.lucid.decide_many(&world.reviewer, &all).await.unwrap();
    let why: Vec<String> = results.iter().map(|r| r.refused.as_ref().unwrap().message()).collect();
    assert!(why[0].contains("open it") && why[1].contains("you saw revision 7"), "{why:?}");
    world.lucid.note_opened(&world.reviewer, high.change.id, 1).await.unwrap();
    let both =
        [decision(&world, &high, Verdict::Approve), decision(&world, &low, Verdict::Approve), decision(&world, &low, Verdict::Approve)];
    let before = world.verified().await;
    let results = world.lucid.decide_many(&world.reviewer, &both).await.unwrap();
    assert!(results.len() == 2 && results.iter().all(|r| r.refused.is_none()), "{results:?}");
    assert_eq!(world.verified().await - before, 2, "each has its own entry");
    assert_eq!(again(&world, &low).await.change.state, ChangeState::Approved);
    assert_eq!(again(&world, &high).await.change.state, ChangeState::Pending, "one of two");
    for wrong in [0, 201] {
        let many = vec![decision(&world, &low, Verdict::Approve); wrong];
        assert_eq!(world.lucid.decide_many(&world.reviewer, &many).await.unwrap_err().kind(), Kind::Invalid);
    }
    // Another's changes: refused one by one, as if they were not there.
    let results = world.lucid.decide_many(&world.stranger, &both).await.unwrap();
    assert!(results.iter().all(|r| r.refused.as_ref().is_some_and(|e| e.kind() == Kind::NotFound) && r.title.is_empty()));
}

async fn a_rebase_is_a_new_revision_against_what_stands_now(world: World) {
    let base = "# Same\n\n- one\n- two\n- three\n";
    world.remember(&[("/a.md", base, false), ("/b.md", base, false)]).await;
    let changeset = world.dream().await.unwrap();
    let change = world.changes(changeset).await.remove(0);
    world.vote(&world.reviewer, &change, Verdict::Approve).await.unwrap();
    let shown = (1, change.change.digest.as_str());
    let refused = world.lucid.rebase_change(&world.admin, change.change.id, shown, &[], &[]).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict, "nothing has moved");
    world.remember(&[("/a.md", "# Same\n\n- one\n- two\n- three\n- four\n", false)]).await;
    let moved = again(&world, &change).await;
    assert!(moved.change.conflicted);
    assert!(world.lucid.inbox(&world.reviewer).await.unwrap().iter().any(|n| n.reason == "your_turn"));
    let rebase = moved.rebase().unwrap();
    let merged: Vec<String> = rebase.edits.iter().filter_map(|e| e.merged.as_ref()).map(|m| m.text.clone()).collect();
    assert!(merged[0].contains("- four"), "what came meanwhile is in it: {merged:?}");
    let against: Vec<_> = rebase.edits.iter().map(|e| e.version).collect();
    // It moves once more while one looks.
    world.remember(&[("/b.md", "# Same\n\n- one\n- two\n- three\n- five\n", false)]).await;
    let late = world.lucid.rebase_change(&world.reviewer, change.change.id, shown, &against, &merged).await.unwrap_err();
    assert!(matches!(late, Error::Stale(_)), "{late}");
    let rebase = again(&world, &change).await.rebase().unwrap();
    let against: Vec<_> = rebase.edits.iter().map(|e| e.version).collect();
    world.lucid.rebase_change(&world.reviewer, change.change.id, shown, &against, &merged).await.unwrap();
    let rebased = again(&world, &change).await;
    assert_eq!((rebased.change.revision, rebased.change.state, rebased.change.conflicted), (2, ChangeState::Pending, false));
    assert_eq!(rebased.change.risk_level, RiskLevel::High, "`five` would be lost, and that is said");
    assert!(rebased.contributed, "whoever rebases does not approve");
    assert_eq!(world.vote(&world.reviewer, &rebased, Verdict::Approve).await.unwrap_err().kind(), Kind::Permission);
    assert!(world.vote(&world.admin, &change, Verdict::Approve).await.is_err(), "the revision before is outdated");
    world.vote(&world.admin, &rebased, Verdict::Approve).await.unwrap();
    world.verified().await;
}

async fn what_was_taken_or_went_is_rebased_too(world: World) {
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    // The new memory's place was taken: it becomes a change of what stands there.
    let path = changes[0].edits[0].path.to_string();
    world.remember(&[(&path, "# Somebody was quicker\n", false)]).await;
    let taken = again(&world, &changes[0]).await;
    assert!(taken.change.conflicted && taken.change.kind == ChangeKind::Add);
    let rebase = taken.rebase().unwrap();
    assert_eq!(rebase.edits[0].merged.as_ref().unwrap().both, 1, "both wrote the whole text");
    let text = vec![rebase.edits[0].merged.as_ref().unwrap().text.clone()];
    let against = [rebase.edits[0].version];
    world.lucid.rebase_change(&world.reviewer, taken.change.id, (1, &taken.change.digest), &against, &text).await.unwrap();
    let update = again(&world, &changes[0]).await;
    assert_eq!((update.change.kind, update.change.conflicted), (ChangeKind::Update, false));
    // Of the two that were to become one, the one that was to stay was removed by somebody else.
    let merge = again(&world, &changes[1]).await;
    let stays = merge.edits.iter().find(|e| e.content.is_some()).unwrap().memory_id.unwrap();
    let sha256 = domain::canonical::sha256_hex(b"Same.");
    let write = service::MemoryWrite::Delete { id: stays, expected_sha256: Some(sha256) };
    world.lucid.write_memory(&Actor::operator(), world.store, &write).await.unwrap();
    let gone = again(&world, &changes[1]).await;
    let rebase = gone.rebase().unwrap();
    assert!(rebase.edits.iter().any(|e| e.now.is_none() && e.merged.is_some()), "what went comes back where it stood");
    let text: Vec<String> = rebase.edits.iter().filter_map(|e| e.merged.as_ref()).map(|m| m.text.clone()).collect();
    let against: Vec<_> = rebase.edits.iter().map(|e| e.version).collect();
    world.lucid.rebase_change(&world.reviewer, gone.change.id, (1, &gone.change.digest), &against, &text).await.unwrap();
    for change in world.changes(changeset).await {
        assert!(!change.change.conflicted);
        world.vote(&world.admin, &change, Verdict::Approve).await.unwrap();
        if change.change.risk_level == RiskLevel::High {
            let third = add(&world.lucid, "third", Role::Reviewer, vec![(world.store, StoreRole::Reviewer)]).await;
            world.vote(&third, &change, Verdict::Approve).await.unwrap();
        }
    }
    let request = world.commit_request(changeset, "carried").await;
    world.lucid.commit(&world.admin, &request).await.unwrap();
    assert_eq!(world.paths().await.len(), 2);
    world.verified().await;
}

async fn a_revert_goes_through_the_gate(world: World) {
    let changeset = world.proposal().await;
    for change in world.changes(changeset).await {
        world.vote(&world.reviewer, &change, Verdict::Approve).await.unwrap();
    }
    let before = ["/a.md", "/b.md"];
    let request = world.commit_request(changeset, "all").await;
    let done = world.lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(world.lucid.revert(&world.stranger, done.commit).await.unwrap_err().kind(), Kind::NotFound);
    let revert = world.lucid.revert(&world.reviewer, done.commit).await.unwrap();
    assert_eq!(world.lucid.revert(&world.admin, done.commit).await.unwrap(), revert, "asked twice, it is one");
    let changes = world.changes(revert).await;
    assert!(changes.iter().all(|c| c.contributed && c.change.risk_level != RiskLevel::High), "nothing is lost that stood there before");
    for change in &changes {
        assert_eq!(world.vote(&world.reviewer, change, Verdict::Approve).await.unwrap_err().kind(), Kind::Permission);
        world.vote(&world.admin, change, Verdict::Approve).await.unwrap();
    }
    let request = world.commit_request(revert, "back").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(world.paths().await, before);
    for memory in world.lucid.memories(&world.reviewer, world.store).await.unwrap() {
        assert_eq!(world.lucid.read_memory(&world.reviewer, world.store, memory.id).await.unwrap().1, "Same.");
    }
    // What has changed since is a conflict, shown before anybody clicks.
    let a = world.lucid.memories(&world.reviewer, world.store).await.unwrap().remove(0);
    world.remember(&[("/a.md", "Newer.", false)]).await;
    let commit = world.lucid.memory(&world.reviewer, a.id).await.unwrap().versions[0].version.commit_id;
    world.remember(&[("/a.md", "Newest.", false)]).await;
    let late = world.lucid.revert(&world.reviewer, commit).await.unwrap();
    assert!(world.changes(late).await.iter().all(|c| c.change.conflicted));
    world.verified().await;
}

async fn the_queue_shows_whose_turn_it_is(world: World) {
    let changeset = world.proposal().await;
    let mine = QueueFilter { state: Some("mine"), ..QueueFilter::default() };
    let turn = async |actor: &Actor| world.lucid.queue(actor, &mine).await.unwrap().rows.len();
    let reader = add(&world.lucid, "reader", Role::Member, vec![(world.store, StoreRole::Reader)]).await;
    assert_eq!((turn(&world.reviewer).await, turn(&world.admin).await, turn(&reader).await, turn(&world.stranger).await), (1, 1, 0, 0));
    for change in world.changes(changeset).await {
        world.vote(&world.reviewer, &change, Verdict::Approve).await.unwrap();
    }
    let counts = world.lucid.queue_counts(&world.reviewer, &QueueFilter::default()).await.unwrap();
    assert_eq!((counts.open, counts.mine, counts.ready, counts.overdue), (1, 1, 1, 0), "what is approved waits to be committed");
    world.wait_seconds(8 * 86_400);
    assert_eq!(world.lucid.queue_counts(&world.reviewer, &QueueFilter::default()).await.unwrap().overdue, 1);
    let request = world.commit_request(changeset, "all").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(turn(&world.reviewer).await, 0);
    // High risk, of which one has given the first of two approvals, is the other's turn.
    let high = risky(&world).await;
    world.vote(&world.reviewer, &high, Verdict::Approve).await.unwrap();
    assert_eq!((turn(&world.reviewer).await, turn(&world.admin).await), (0, 1));
    assert_eq!(world.lucid.neighbour(&world.admin, changeset, true).await.unwrap(), Some(high.change.changeset_id));
    assert_eq!(world.lucid.neighbour(&world.reviewer, changeset, false).await.unwrap(), None);
    assert_eq!(world.lucid.waiting(&world.reviewer).await.unwrap(), 1);
}

async fn every_filter_of_the_queue_runs(world: World) {
    let changeset = world.proposal().await;
    let me = &world.reviewer;
    let rows = async |filter: QueueFilter| {
        let page = world.lucid.queue(me, &filter).await.unwrap();
        world.lucid.queue_counts(me, &filter).await.unwrap();
        page.rows.len()
    };
    let all = || QueueFilter::default();
    for state in [None, Some("mine"), Some("conflicted"), Some("deferred"), Some("ready"), Some("overdue")] {
        for by_age in [false, true] {
            let expected = usize::from(matches!(state, None | Some("mine")));
            assert_eq!(rows(QueueFilter { state, by_age, ..all() }).await, expected, "{state:?} {by_age}");
        }
    }
    let found = [
        (QueueFilter { kind: Some(ChangeKind::Merge), ..all() }, 1),
        (QueueFilter { kind: Some(ChangeKind::Move), ..all() }, 0),
        (QueueFilter { label: Some(domain::risk::Label::ToolText), ..all() }, 1),
        (QueueFilter { label: Some(domain::risk::Label::Pii), ..all() }, 0),
        (QueueFilter { agent: Some("nobody".into()), ..all() }, 0),
        (QueueFilter { text: Some("BOOK fails".into()), ..all() }, 1),
        (QueueFilter { text: Some("50%_!".into()), ..all() }, 0),
        (QueueFilter { assignee: Some("nobody"), ..all() }, 1),
        (QueueFilter { assignee: Some("me"), ..all() }, 0),
        (QueueFilter { assignee: Some("others"), ..all() }, 0),
        (QueueFilter { store: Some(world.store), ..all() }, 1),
    ];
    for (filter, expected) in found {
        assert_eq!(rows(filter.clone()).await, expected, "{filter:?}");
    }
    // Pages follow each other by place and id, in both orders, and nothing is shown twice.
    for by_age in [false, true] {
        let first = world.lucid.queue(me, &QueueFilter { by_age, ..all() }).await.unwrap().rows;
        let after = Some((first[0].place(by_age), changeset));
        assert!(world.lucid.queue(me, &QueueFilter { by_age, after, ..all() }).await.unwrap().rows.is_empty());
    }
    assert!(world.lucid.agents(me).await.unwrap().is_empty());
}

async fn similar_memories_are_a_question(world: World) {
    let changeset = world.proposal().await;
    let change = world.changes(changeset).await.remove(0);
    let said =
        "- What to do: before calling `book`, check `seats` against what the answer names, and do not repeat the call unchanged please.\n";
    world.remember(&[("/old.md", said, false)]).await;
    let beside = world.lucid.beside(&world.reviewer, change.change.id).await.unwrap();
    assert_eq!(beside.similar.iter().map(|s| s.path.as_str()).collect::<Vec<_>>(), ["/old.md"], "{:?}", beside.similar);
    assert!(beside.may_replace && beside.touched.is_empty());
    assert_eq!(world.lucid.beside(&world.stranger, change.change.id).await.unwrap_err().kind(), Kind::NotFound);
    // The answer “replace”: a new revision in the other's place, which loses what it said, and so is of high risk.
    let memory = beside.similar[0].id;
    world.lucid.replace_instead(&world.reviewer, change.change.id, (1, &change.change.digest), memory).await.unwrap();
    let replaced = again(&world, &change).await;
    assert_eq!((replaced.change.kind, replaced.change.revision, replaced.change.risk_level), (ChangeKind::Supersede, 2, RiskLevel::High));
    assert_eq!(replaced.edits[0].path.as_str(), "/old.md");
    let merge = world.changes(changeset).await.remove(1);
    let refused = world.lucid.replace_instead(&world.reviewer, merge.change.id, (1, &merge.change.digest), memory).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Invalid);
    world.vote(&world.admin, &merge, Verdict::Reject(RejectCode::Never)).await.unwrap();
    let beside = world.lucid.beside(&world.reviewer, merge.change.id).await.unwrap();
    assert_eq!(beside.touched.len(), 2);
}

async fn quotes_are_revealed_to_who_decides_and_the_audit_says_so(world: World) {
    let changeset = world.proposal().await;
    let mut change = world.changes(changeset).await.remove(0);
    world.lucid.reveal_quotes(&world.reviewer, &mut change).await.unwrap();
    assert!(change.quotes.iter().all(|q| q.masked == q.row.quote));
    let reader = add(&world.lucid, "reader", Role::Member, vec![(world.store, StoreRole::Reader)]).await;
    let mut seen = world.lucid.changeset(&reader, changeset).await.unwrap().changes.remove(0);
    assert_eq!(world.lucid.reveal_quotes(&reader, &mut seen).await.unwrap_err().kind(), Kind::Permission);
    let entries = world
        .lucid
        .audit(&world.admin, &service::AuditFilter { action: Some("change.reveal".into()), ..Default::default() })
        .await
        .unwrap();
    assert_eq!(entries.rows.len(), 1);
}

async fn figures_say_how_well_we_review(world: World) {
    let high = risky(&world).await;
    world.lucid.note_opened(&world.reviewer, high.change.id, 1).await.unwrap();
    world.wait_seconds(60);
    world.lucid.note_opened(&world.reviewer, high.change.id, 1).await.unwrap();
    world.vote(&world.reviewer, &high, Verdict::Approve).await.unwrap();
    world.vote(&world.admin, &high, Verdict::Reject(RejectCode::NotYet)).await.unwrap();
    let all = world.lucid.review_figures(&world.admin).await.unwrap();
    assert_eq!((all.overall.decisions, all.overall.shared, all.overall.agreed), (2, 1, 0));
    assert_eq!(all.each.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["admin", "reviewer"]);
    let own = world.lucid.review_figures(&world.reviewer).await.unwrap();
    assert_eq!(own.each.len(), 1, "one's own, and nobody else's");
    assert_eq!(own.each[0].1.seconds_looking, Some((60, 1)));
    // Undoing one's own approval leaves the other's rejection where it is; taking that back overrides them.
    world.lucid.undo(&world.reviewer).await.unwrap();
    assert_eq!(again(&world, &high).await.change.state, ChangeState::Rejected);
    world.lucid.take_back(&world.reviewer, high.change.id, 1).await.unwrap();
    assert_eq!(again(&world, &high).await.change.state, ChangeState::Pending);
    let all = world.lucid.review_figures(&world.admin).await.unwrap();
    let of = |name: &str| all.each.iter().find(|(n, _)| n == name).unwrap().1.clone();
    assert_eq!((of("admin").overridden, of("reviewer").overridden), (1, 0), "undoing one's own overrides nobody");
    assert_eq!(world.lucid.review_figures(&world.stranger).await.unwrap().overall.decisions, 0);
}

async fn a_proposal_is_withdrawn_by_who_made_it(world: World) {
    let changeset = world.proposal().await;
    assert_eq!(world.lucid.withdraw(&world.reviewer, changeset).await.unwrap_err().kind(), Kind::Conflict, "a dream's is nobody's");
    for change in world.changes(changeset).await {
        world.vote(&world.reviewer, &change, Verdict::Approve).await.unwrap();
    }
    let request = world.commit_request(changeset, "all").await;
    let done = world.lucid.commit(&world.reviewer, &request).await.unwrap();
    let revert = world.lucid.revert(&world.reviewer, done.commit).await.unwrap();
    assert_eq!(world.lucid.withdraw(&world.admin, revert).await.unwrap_err().kind(), Kind::Permission);
    assert_eq!(world.lucid.withdraw(&world.stranger, revert).await.unwrap_err().kind(), Kind::NotFound);
    world.lucid.withdraw(&world.reviewer, revert).await.unwrap();
    let view = world.lucid.changeset(&world.reviewer, revert).await.unwrap();
    assert_eq!(view.changeset.state, ChangesetState::Withdrawn);
    assert_eq!(world.lucid.withdraw(&world.reviewer, revert).await.unwrap_err().kind(), Kind::Conflict);
    assert_ne!(world.lucid.revert(&world.reviewer, done.commit).await.unwrap(), revert, "it can be asked for again");
    world.verified().await;
}

async fn an_owner_who_is_gone_leaves_nobody_in_their_place(world: World) {
    world.remember(&[("/legal/a.md", "Same.", false), ("/legal/b.md", "Same.", false)]).await;
    let owner = add(&world.lucid, "owner", Role::Reviewer, vec![]).await.who.person().unwrap();
    let grant = Grant { store: world.store, path: "/legal".parse().unwrap(), role: StoreRole::Owner };
    world.lucid.grant(&world.admin, service::Grantee::Person(owner), &grant).await.unwrap();
    let changeset = world.dream().await.unwrap();
    world.lucid.set_disabled(&world.admin, owner, true).await.unwrap();
    let change = world.changes(changeset).await.remove(0);
    assert!(change.needs.impossible, "{:?}", change.needs);
    for by in [&world.reviewer, &world.admin] {
        world.vote(by, &change, Verdict::Approve).await.unwrap();
    }
    assert_eq!(again(&world, &change).await.change.state, ChangeState::Pending, "nobody steps in by themselves");
    // An admin names somebody else, or takes the name away.
    world.lucid.revoke(&world.admin, service::Grantee::Person(owner), &grant).await.unwrap();
    assert!(again(&world, &change).await.needs.satisfied);
}

async fn a_revert_is_looked_at_as_anything_new_is(world: World) {
    world.remember(&[("/notes.md", "- Write to ana@example.com about it.\n- Keep it short.\n", false)]).await;
    world.remember(&[("/notes.md", "- Keep it short.\n", false)]).await;
    let memory = world.lucid.memories(&world.reviewer, world.store).await.unwrap().remove(0);
    let commit = world.lucid.memory(&world.reviewer, memory.id).await.unwrap().versions[0].version.commit_id;
    let revert = world.lucid.revert(&world.reviewer, commit).await.unwrap();
    let change = world.changes(revert).await.remove(0);
    assert_eq!((change.change.risk_level, change.labels.as_slice()), (RiskLevel::High, &[domain::risk::Label::Pii][..]));
}

async fn lines_may_end_in_any_way(world: World) {
    let text = "a\rb\rc\n";
    world.remember(&[("/a.md", text, false), ("/b.md", text, false)]).await;
    let changeset = world.dream().await.unwrap();
    world.remember(&[("/a.md", "a\rX\rc\n", false)]).await;
    let change = world.changes(changeset).await.remove(0);
    assert!(change.change.conflicted && change.rebase().is_some());
    world.vote(&world.reviewer, &change, Verdict::Reject(RejectCode::Never)).await.unwrap();
}

async fn fewer_approvals_asked_for_make_one_enough(world: World) {
    let change = risky(&world).await;
    world.vote(&world.reviewer, &change, Verdict::Approve).await.unwrap();
    let fewer = Approvals { low: 1, medium: 1, high: 1, owners_only: false };
    world.lucid.set_approvals(&world.admin, world.store, fewer).await.unwrap();
    let half = again(&world, &change).await;
    assert!(half.needs.satisfied && half.change.state == ChangeState::Pending);
    world.vote(&world.reviewer, &half, Verdict::Approve).await.unwrap();
    let whole = again(&world, &change).await;
    assert_eq!((whole.change.state, whole.decisions.len()), (ChangeState::Approved, 1), "one approval, given once");
}

async fn a_move_whose_place_was_taken_is_refused(world: World) {
    world.remember(&[("/old.md", "It moves.", false)]).await;
    world.lucid.set_gate(&world.admin, world.store, domain::memory::GateMode::AllGated, None).await.unwrap();
    let new = NewKey { name: "k".into(), owner: None, store: None, scopes: vec![Scope::MemoryWrite], days: None };
    let new = NewKey { owner: world.admin.who.person(), ..new };
    let (_, secret) = world.lucid.add_key(&Actor::operator(), &new).await.unwrap();
    let key = world.lucid.key_actor(&secret).await.unwrap();
    let id = world.lucid.memories(&world.reviewer, world.store).await.unwrap()[0].id;
    let write = service::MemoryWrite::Update { id, path: Some("/new.md".parse().unwrap()), content: None, expected_sha256: None };
    let service::Written::Proposed { changeset, .. } = world.lucid.write_memory(&key, world.store, &write).await.unwrap() else {
        panic!("it is proposed")
    };
    world.remember(&[("/new.md", "Somebody else is there.", false)]).await;
    let change = world.changes(changeset).await.remove(0);
    let rebase = change.rebase().unwrap();
    let against: Vec<_> = rebase.edits.iter().map(|e| e.version).collect();
    let text = vec!["It moves.".to_owned()];
    let refused = world.lucid.rebase_change(&world.reviewer, change.change.id, (1, &change.change.digest), &against, &text).await;
    assert!(refused.unwrap_err().message().contains("/new.md is taken"));
    // Rejected wholly, its proposer is told.
    world.vote(&world.reviewer, &change, Verdict::Reject(RejectCode::WrongPlace)).await.unwrap();
    assert!(world.lucid.inbox(&world.admin).await.unwrap().iter().any(|n| n.reason == "decided"));
}
