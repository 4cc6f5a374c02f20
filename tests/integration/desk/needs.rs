//! What a change needs before it is committed: requirements by risk and owner, signatures, undo,
//! many at once, and how well it goes.

use domain::{
    actor::{Actor, Grant, Role, StoreRole},
    changeset::{ChangeState, RejectCode},
    review::{Approvals, SIGNING_SECONDS},
    rights::Scope,
};
use service::{Error, Kind, NewKey, Verdict};

use super::{again, decision, risky};
use crate::world::{World, add, failing, on_both_engines};

on_both_engines!(
    high_risk_needs_two_signatures,
    an_approval_counts_once_and_only_of_who_may_decide,
    owners_of_a_path_are_asked,
    an_owner_who_is_gone_leaves_nobody_in_their_place,
    a_store_says_how_many_approvals,
    fewer_approvals_asked_for_make_one_enough,
    undo_takes_the_last_ten_back_one_by_one,
    bulk_decides_each_by_itself,
    figures_say_how_well_we_review,
);

async fn high_risk_needs_two_signatures(world: World) {
    let change = risky(&world).await;
    assert_eq!((change.needs.approvals, change.needs.satisfied), (2, false));
    // Not signed, or signed too long ago.
    let unsigned = decision(&change, Verdict::Approve);
    assert!(matches!(
        world.lucid.decide(&world.reviewer, &unsigned).await,
        Err(Error::Sign)
    ));
    world.confirm(&world.reviewer).await;
    world.wait_seconds(SIGNING_SECONDS + 1);
    assert!(matches!(
        world.lucid.decide(&world.reviewer, &unsigned).await,
        Err(Error::Sign)
    ));
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
    assert_eq!(
        world
            .vote(&key, &change, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    assert_eq!(
        world
            .lucid
            .claim(&key, change.change.changeset_id)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    world
        .vote(&world.reviewer, &change, Verdict::Approve)
        .await
        .unwrap();
    let half = again(&world, &change).await;
    assert_eq!(
        (
            half.change.state,
            half.needs.given.as_slice(),
            half.needs.from.as_slice()
        ),
        (
            ChangeState::Pending,
            &["reviewer".to_owned()][..],
            &["admin".to_owned()][..]
        )
    );
    assert!(half.approved_by_me);
    // One of two is not committed, also if somebody says that it is approved.
    let request = service::CommitRequest {
        changeset: change.change.changeset_id,
        expected: vec![service::Expected {
            change: change.change.id,
            revision: 1,
            digest: change.change.digest.clone(),
        }],
        idempotency_key: "too-early".into(),
    };
    assert_eq!(
        world
            .lucid
            .commit(&world.reviewer, &request)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    world
        .vote(&world.admin, &half, Verdict::Approve)
        .await
        .unwrap();
    let whole = again(&world, &change).await;
    assert_eq!(whole.change.state, ChangeState::Approved);
    assert!(
        whole
            .decisions
            .iter()
            .all(|d| d.meaning.as_deref() == Some("approved") && d.confirmed_at.is_some())
    );
    let done = world.lucid.commit(&world.reviewer, &request).await.unwrap();
    let approvals = world
        .lucid
        .commit_view(&world.reviewer, done.commit, None)
        .await
        .unwrap()
        .commit
        .approvals;
    assert_eq!(
        approvals.matches("\"meaning\":\"approved\"").count(),
        2,
        "{approvals}"
    );
    world.verified().await;
}

async fn an_approval_counts_once_and_only_of_who_may_decide(world: World) {
    let change = risky(&world).await;
    world
        .vote(&world.reviewer, &change, Verdict::Approve)
        .await
        .unwrap();
    assert_eq!(
        world
            .vote(&world.reviewer, &change, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    world
        .vote(&world.admin, &change, Verdict::Approve)
        .await
        .unwrap();
    assert_eq!(
        again(&world, &change).await.change.state,
        ChangeState::Approved
    );
    // Who may no longer decide no longer counts: what was approved is held, and says why.
    let request = world
        .commit_request(change.change.changeset_id, "held")
        .await;
    let person = world.admin.who.person().unwrap();
    world
        .lucid
        .revoke(
            &Actor::operator(),
            service::Grantee::Person(person),
            &Grant::whole(world.store, StoreRole::Owner),
        )
        .await
        .unwrap();
    let held = again(&world, &change).await;
    assert!(
        !held.needs.satisfied && held.needs.impossible,
        "{:?}",
        held.needs
    );
    let refused = world
        .lucid
        .commit(&world.reviewer, &request)
        .await
        .unwrap_err();
    assert!(
        refused.message().contains("only 1 could give one"),
        "{}",
        refused.message()
    );
    let third = add(
        &world.lucid,
        "third",
        Role::Reviewer,
        vec![(world.store, StoreRole::Reviewer)],
    )
    .await;
    assert_eq!(again(&world, &change).await.needs.from, ["third"]);
    world.vote(&third, &change, Verdict::Approve).await.unwrap();
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
}

async fn owners_of_a_path_are_asked(world: World) {
    world
        .remember(&[
            ("/billing/a.md", "Same.", false),
            ("/billing/b.md", "Same.", false),
        ])
        .await;
    let owner = add(&world.lucid, "owner", Role::Reviewer, vec![]).await;
    let path = "/billing".parse().unwrap();
    let grant = Grant {
        store: world.store,
        path,
        role: StoreRole::Owner,
    };
    world
        .lucid
        .grant(
            &world.admin,
            service::Grantee::Person(owner.who.person().unwrap()),
            &grant,
        )
        .await
        .unwrap();
    let owner = crate::world::actor(&world.lucid, owner.who.person().unwrap()).await;
    let changeset = world.dream().await.unwrap();
    let change = world.changes(changeset).await.remove(0);
    assert_eq!(
        change.needs.from,
        ["owner"],
        "who is named for the path is asked, and nobody else"
    );
    world
        .vote(&world.reviewer, &change, Verdict::Approve)
        .await
        .unwrap();
    assert_eq!(
        again(&world, &change).await.change.state,
        ChangeState::Pending,
        "an approval of somebody else does not count there"
    );
    world.vote(&owner, &change, Verdict::Approve).await.unwrap();
    assert_eq!(
        again(&world, &change).await.change.state,
        ChangeState::Approved
    );
}

async fn an_owner_who_is_gone_leaves_nobody_in_their_place(world: World) {
    world
        .remember(&[
            ("/legal/a.md", "Same.", false),
            ("/legal/b.md", "Same.", false),
        ])
        .await;
    let owner = add(&world.lucid, "owner", Role::Reviewer, vec![])
        .await
        .who
        .person()
        .unwrap();
    let grant = Grant {
        store: world.store,
        path: "/legal".parse().unwrap(),
        role: StoreRole::Owner,
    };
    world
        .lucid
        .grant(&world.admin, service::Grantee::Person(owner), &grant)
        .await
        .unwrap();
    let changeset = world.dream().await.unwrap();
    world
        .lucid
        .set_disabled(&world.admin, owner, true)
        .await
        .unwrap();
    let change = world.changes(changeset).await.remove(0);
    assert!(change.needs.impossible, "{:?}", change.needs);
    for by in [&world.reviewer, &world.admin] {
        world.vote(by, &change, Verdict::Approve).await.unwrap();
    }
    assert_eq!(
        again(&world, &change).await.change.state,
        ChangeState::Pending,
        "nobody steps in by themselves"
    );
    // An admin names somebody else, or takes the name away.
    world
        .lucid
        .revoke(&world.admin, service::Grantee::Person(owner), &grant)
        .await
        .unwrap();
    assert!(again(&world, &change).await.needs.satisfied);
}

async fn a_store_says_how_many_approvals(world: World) {
    let changeset = world.proposal().await;
    let approvals = |low, medium, high, owners_only| Approvals {
        low,
        medium,
        high,
        owners_only,
    };
    for wrong in [
        approvals(0, 1, 1, false),
        approvals(2, 1, 2, false),
        approvals(1, 1, 6, false),
    ] {
        assert_eq!(
            world
                .lucid
                .set_approvals(&world.admin, world.store, wrong)
                .await
                .unwrap_err()
                .kind(),
            Kind::Invalid
        );
    }
    assert_eq!(
        world
            .lucid
            .set_approvals(&world.reviewer, world.store, approvals(1, 1, 1, false))
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    let changes = world.changes(changeset).await;
    world
        .vote(&world.reviewer, &changes[0], Verdict::Approve)
        .await
        .unwrap();
    let request = world.commit_request(changeset, "before").await;
    // Raised meanwhile: what was enough is not enough any more, and is not committed before it is.
    world
        .lucid
        .set_approvals(&world.admin, world.store, approvals(2, 2, 2, false))
        .await
        .unwrap();
    assert!(
        world
            .lucid
            .commit(&world.reviewer, &request)
            .await
            .unwrap_err()
            .message()
            .contains("lacks 1 approval")
    );
    world
        .vote(&world.admin, &changes[0], Verdict::Approve)
        .await
        .unwrap();
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    // Only owners: the reviewer's does not count.
    world
        .lucid
        .set_approvals(&world.admin, world.store, approvals(1, 1, 1, true))
        .await
        .unwrap();
    world
        .vote(&world.reviewer, &changes[1], Verdict::Approve)
        .await
        .unwrap();
    let asked = again(&world, &changes[1]).await;
    assert_eq!(
        (asked.change.state, asked.needs.from.as_slice()),
        (ChangeState::Pending, &["admin".to_owned()][..])
    );
}

async fn fewer_approvals_asked_for_make_one_enough(world: World) {
    let change = risky(&world).await;
    world
        .vote(&world.reviewer, &change, Verdict::Approve)
        .await
        .unwrap();
    let fewer = Approvals {
        low: 1,
        medium: 1,
        high: 1,
        owners_only: false,
    };
    world
        .lucid
        .set_approvals(&world.admin, world.store, fewer)
        .await
        .unwrap();
    let half = again(&world, &change).await;
    assert!(half.needs.satisfied && half.change.state == ChangeState::Pending);
    world
        .vote(&world.reviewer, &half, Verdict::Approve)
        .await
        .unwrap();
    let whole = again(&world, &change).await;
    assert_eq!(
        (whole.change.state, whole.decisions.len()),
        (ChangeState::Approved, 1),
        "one approval, given once"
    );
}

async fn undo_takes_the_last_ten_back_one_by_one(world: World) {
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    world
        .vote(&world.reviewer, &changes[0], Verdict::Approve)
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
    assert_eq!(
        world.lucid.undo(&world.admin).await.unwrap_err().kind(),
        Kind::Conflict,
        "another's decisions are not one's own"
    );
    let last = world.lucid.undo(&world.reviewer).await.unwrap();
    assert_eq!(
        (last.change, last.verdict.as_str()),
        (changes[1].change.id, "reject")
    );
    assert!(
        world
            .lucid
            .muted(&world.reviewer, world.store)
            .await
            .unwrap()
            .is_empty(),
        "what it muted is heard again"
    );
    world.lucid.undo(&world.reviewer).await.unwrap();
    assert!(
        world
            .changes(changeset)
            .await
            .iter()
            .all(|c| c.change.state == ChangeState::Pending)
    );
    assert_eq!(
        world.lucid.undo(&world.reviewer).await.unwrap_err().kind(),
        Kind::Conflict
    );
    // What was committed is not undone but reverted.
    world
        .vote(&world.reviewer, &changes[0], Verdict::Approve)
        .await
        .unwrap();
    let request = world.commit_request(changeset, "done").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(
        world.lucid.undo(&world.reviewer).await.unwrap_err().kind(),
        Kind::Conflict
    );
    // Ten at most.
    for _ in 0..6 {
        world
            .vote(&world.reviewer, &changes[1], Verdict::Defer(None))
            .await
            .unwrap();
        world
            .lucid
            .take_back(&world.reviewer, changes[1].change.id, 1)
            .await
            .unwrap();
    }
    world
        .vote(&world.reviewer, &changes[1], Verdict::Approve)
        .await
        .unwrap();
    assert_eq!(
        world.lucid.undoable(&world.reviewer).await.unwrap().len(),
        1
    );
    // Somebody else's votes are taken back by who may decide, and that is an override.
    world
        .lucid
        .take_back(&world.admin, changes[1].change.id, 1)
        .await
        .unwrap();
    assert_eq!(
        again(&world, &changes[1]).await.change.state,
        ChangeState::Pending
    );
    world.verified().await;
}

async fn bulk_decides_each_by_itself(world: World) {
    let high = risky(&world).await;
    world.import(&failing("s1", "t1", 1)).await;
    world.import(&failing("s2", "t2", 2)).await;
    let changeset = world.dream().await.unwrap();
    let low = world.changes(changeset).await.remove(0);
    let mut stale = decision(&low, Verdict::Approve);
    stale.revision = 7;
    world.confirm(&world.reviewer).await;
    let all = [decision(&high, Verdict::Approve), stale];
    let results = world
        .lucid
        .decide_many(&world.reviewer, &all)
        .await
        .unwrap();
    let why: Vec<String> = results
        .iter()
        .map(|r| r.refused.as_ref().unwrap().message())
        .collect();
    assert!(
        why[0].contains("open it") && why[1].contains("you saw revision 7"),
        "{why:?}"
    );
    world
        .lucid
        .note_opened(&world.reviewer, high.change.id, 1)
        .await
        .unwrap();
    let both = [
        decision(&high, Verdict::Approve),
        decision(&low, Verdict::Approve),
        decision(&low, Verdict::Approve),
    ];
    let before = world.verified().await;
    let results = world
        .lucid
        .decide_many(&world.reviewer, &both)
        .await
        .unwrap();
    assert!(
        results.len() == 2 && results.iter().all(|r| r.refused.is_none()),
        "{results:?}"
    );
    assert_eq!(world.verified().await - before, 2, "each has its own entry");
    assert_eq!(
        again(&world, &low).await.change.state,
        ChangeState::Approved
    );
    assert_eq!(
        again(&world, &high).await.change.state,
        ChangeState::Pending,
        "one of two"
    );
    for wrong in [0, 201] {
        let many = vec![decision(&low, Verdict::Approve); wrong];
        assert_eq!(
            world
                .lucid
                .decide_many(&world.reviewer, &many)
                .await
                .unwrap_err()
                .kind(),
            Kind::Invalid
        );
    }
    // Another's changes: refused one by one, as if they were not there.
    let results = world
        .lucid
        .decide_many(&world.stranger, &both)
        .await
        .unwrap();
    assert!(results.iter().all(|r| {
        r.refused
            .as_ref()
            .is_some_and(|e| e.kind() == Kind::NotFound)
            && r.title.is_empty()
    }));
}

async fn figures_say_how_well_we_review(world: World) {
    let high = risky(&world).await;
    world
        .lucid
        .note_opened(&world.reviewer, high.change.id, 1)
        .await
        .unwrap();
    world.wait_seconds(60);
    world
        .lucid
        .note_opened(&world.reviewer, high.change.id, 1)
        .await
        .unwrap();
    world
        .vote(&world.reviewer, &high, Verdict::Approve)
        .await
        .unwrap();
    world
        .vote(&world.admin, &high, Verdict::Reject(RejectCode::NotYet))
        .await
        .unwrap();
    let all = world.lucid.review_statistics(&world.admin).await.unwrap();
    assert_eq!(
        (
            all.overall.decisions,
            all.overall.shared,
            all.overall.agreed
        ),
        (2, 1, 0)
    );
    assert_eq!(
        all.each
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>(),
        ["admin", "reviewer"]
    );
    let own = world
        .lucid
        .review_statistics(&world.reviewer)
        .await
        .unwrap();
    assert_eq!(own.each.len(), 1, "one's own, and nobody else's");
    assert_eq!(own.each[0].1.seconds_looking, Some((60, 1)));
    // Undoing one's own approval leaves the other's rejection where it is; taking that back
    // overrides them.
    world.lucid.undo(&world.reviewer).await.unwrap();
    assert_eq!(
        again(&world, &high).await.change.state,
        ChangeState::Rejected
    );
    world
        .lucid
        .take_back(&world.reviewer, high.change.id, 1)
        .await
        .unwrap();
    assert_eq!(
        again(&world, &high).await.change.state,
        ChangeState::Pending
    );
    let all = world.lucid.review_statistics(&world.admin).await.unwrap();
    let of = |name: &str| all.each.iter().find(|(n, _)| n == name).unwrap().1.clone();
    assert_eq!(
        (of("admin").overridden, of("reviewer").overridden),
        (1, 0),
        "undoing one's own overrides nobody"
    );
    assert_eq!(
        world
            .lucid
            .review_statistics(&world.stranger)
            .await
            .unwrap()
            .overall
            .decisions,
        0
    );
}
