//! What the gate rests on: rights as they are when something is written, one person as one voice,
//! two admins for what weakens the gate, and an audit trail that nothing slips past. On both
//! engines.

use domain::{
    actor::{Actor, Grant, Role, StoreRole},
    audit_action::AuditAction,
    changeset::ChangeState,
    memory::GateMode,
    review::Approvals,
    rights::Scope,
};
use service::{AuditFilter, Grantee, Kind, MemoryWrite, NewKey, NewUser, Outcome, Place, Verdict};

use crate::world::{World, actor, add, create, failing, on_both_engines, waiting};

on_both_engines!(
    a_right_that_ended_ends_with_requests_in_hand,
    a_password_is_entered_in_the_sign_in_that_signs,
    a_changed_password_needs_the_one_before_and_is_counted,
    guesses_from_everywhere_lock_no_known_browser_out,
    who_issued_a_credential_counts_as_its_account,
    what_weakens_the_gate_takes_two_admins,
    one_admin_alone_overrides_and_everybody_can_see_it,
    who_brought_the_evidence_does_not_approve,
    a_key_deletes_only_with_its_scope_and_never_what_people_decided,
    a_frozen_memory_changes_through_the_queue_alone,
    whatever_touches_the_trail_or_the_doors_is_in_the_trail,
);

const GOOD: &str = "a long enough phrase";

async fn entries(world: &World, action: AuditAction) -> usize {
    let filter = AuditFilter {
        action: Some(action),
        ..Default::default()
    };
    world
        .lucid
        .audit(&world.admin, &filter)
        .await
        .unwrap()
        .rows
        .len()
}

/// Somebody with a password, signed in.
async fn with_password(world: &World, name: &str, role: Role, grants: Vec<Grant>) -> Actor {
    let new = NewUser {
        email: format!("{name}@lucid.example"),
        name: name.to_owned(),
        role,
        grants,
    };
    let (id, link) = world
        .lucid
        .add_user(&Actor::operator(), &new)
        .await
        .unwrap();
    world
        .lucid
        .use_link(&link.shown().unwrap(), GOOD, "", "", Place::default())
        .await
        .unwrap();
    actor(&world.lucid, id).await
}

async fn a_right_that_ended_ends_with_requests_in_hand(world: World) {
    let id = world.proposal().await;
    let change = world.changes(id).await.remove(0);
    let owner = world.reviewer.who.person().unwrap();
    let new = NewKey {
        name: "agent".into(),
        owner: Some(owner),
        store: None,
        scopes: vec![Scope::MemoryWrite, Scope::SessionsWrite],
        days: None,
    };
    let (key, secret) = world.lucid.add_key(&Actor::operator(), &new).await.unwrap();
    let agent = world.lucid.key_actor(&secret).await.unwrap();
    // Read before it was revoked, as by a request whose body is still on its way.
    world
        .lucid
        .revoke_key(&Actor::operator(), key)
        .await
        .unwrap();
    assert_eq!(
        world
            .lucid
            .write_memory(&agent, world.store, &create("/late.md", "Late.\n"))
            .await
            .unwrap_err()
            .kind(),
        Kind::Authentication
    );
    // A sign-in that was ended, and an account that was disabled.
    let other = actor(&world.lucid, owner).await;
    world
        .lucid
        .end_own_sign_in(&world.reviewer, None)
        .await
        .unwrap();
    assert_eq!(
        world
            .vote(&other, &change, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Authentication,
        "this sign-in ended"
    );
    let again = actor(&world.lucid, owner).await;
    world
        .lucid
        .set_disabled(&world.admin, owner, true)
        .await
        .unwrap();
    assert_eq!(
        world
            .vote(&again, &change, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Authentication,
        "this account is disabled"
    );
    assert_eq!(
        world
            .lucid
            .changeset(&world.admin, id)
            .await
            .unwrap()
            .changes[0]
            .change
            .state,
        ChangeState::Pending
    );
    assert!(
        !world
            .lucid
            .memories(&world.admin, world.store, None)
            .await
            .unwrap()
            .rows
            .iter()
            .any(|m| m.path.as_str() == "/late.md")
    );
    world.verified().await;
}

async fn a_password_is_entered_in_the_sign_in_that_signs(world: World) {
    let lucid = &world.lucid;
    let here = with_password(
        &world,
        "ana",
        Role::Reviewer,
        vec![Grant::whole(world.store, StoreRole::Reviewer)],
    )
    .await;
    let elsewhere = actor(lucid, here.who.person().unwrap()).await;
    lucid.confirm_password(&here, GOOD).await.unwrap();
    assert!(lucid.is_confirmed(&here).await.unwrap());
    assert!(
        !lucid.is_confirmed(&elsewhere).await.unwrap(),
        "another browser of the same person signs for itself"
    );
    // Whoever guesses in one sign-in keeps nobody else from signing.
    for _ in 0..8 {
        let _ = lucid
            .confirm_password(&elsewhere, "a wrong but long phrase")
            .await
            .unwrap_err();
    }
    assert_eq!(
        lucid
            .confirm_password(&elsewhere, GOOD)
            .await
            .unwrap_err()
            .kind(),
        Kind::RateLimit
    );
    lucid.confirm_password(&here, GOOD).await.unwrap();
    world.wait_seconds(301);
    assert!(
        !lucid.is_confirmed(&here).await.unwrap(),
        "after five minutes it is asked for again"
    );
    assert!(entries(&world, AuditAction::PasswordFail).await >= 5);
    world.verified().await;
}

async fn a_changed_password_needs_the_one_before_and_is_counted(world: World) {
    let lucid = &world.lucid;
    let ana = with_password(&world, "ana", Role::Member, Vec::new()).await;
    for _ in 0..6 {
        let _ = lucid
            .change_password(&ana, "a wrong but long phrase", "another good long phrase")
            .await
            .unwrap_err();
    }
    assert_eq!(
        lucid
            .change_password(&ana, GOOD, "another good long phrase")
            .await
            .unwrap_err()
            .kind(),
        Kind::RateLimit,
        "guesses are counted here, too"
    );
    world.wait_seconds(120);
    lucid
        .change_password(&ana, GOOD, "another good long phrase")
        .await
        .unwrap();
    assert_eq!(entries(&world, AuditAction::PasswordChange).await, 1);
    world.verified().await;
}

async fn guesses_from_everywhere_lock_no_known_browser_out(world: World) {
    let lucid = &world.lucid;
    with_password(&world, "ana", Role::Member, Vec::new()).await;
    let email = "ana@lucid.example";
    let home = Place {
        address: Some("192.0.2.7"),
        browser: None,
    };
    let browser = lucid.sign_in(email, GOOD, home).await.unwrap().browser;
    for n in 0..60 {
        let address = format!("198.51.100.{n}");
        let from = Place {
            address: Some(&address),
            browser: None,
        };
        let _ = lucid
            .sign_in(email, "a wrong but long phrase", from)
            .await
            .unwrap_err();
    }
    let strange = Place {
        address: Some("203.0.113.9"),
        browser: None,
    };
    assert_eq!(
        lucid
            .sign_in(email, GOOD, strange)
            .await
            .unwrap_err()
            .kind(),
        Kind::RateLimit,
        "the account waits for strangers"
    );
    let known = Place {
        browser: Some(&browser),
        ..home
    };
    lucid
        .sign_in(email, GOOD, known)
        .await
        .expect("its own browser does not wait");
    let forged = "0".repeat(64);
    let invented = Place {
        address: Some("203.0.113.9"),
        browser: Some(&forged),
    };
    assert_eq!(
        lucid
            .sign_in(email, GOOD, invented)
            .await
            .unwrap_err()
            .kind(),
        Kind::RateLimit,
        "nobody invents a known browser"
    );
    // A known browser that guesses waits itself.
    for _ in 0..8 {
        let _ = lucid
            .sign_in(email, "a wrong but long phrase", known)
            .await
            .unwrap_err();
    }
    assert_eq!(
        lucid.sign_in(email, GOOD, known).await.unwrap_err().kind(),
        Kind::RateLimit
    );
    // After a reset, every browser is a stranger.
    let link = lucid
        .operator_link(&Actor::operator(), email)
        .await
        .unwrap();
    lucid
        .use_link(&link, "another good long phrase", "", "", Place::default())
        .await
        .unwrap();
    world.wait_seconds(61);
    for n in 0..60 {
        let address = format!("198.51.101.{n}");
        let from = Place {
            address: Some(&address),
            browser: None,
        };
        let _ = lucid
            .sign_in(email, "a wrong but long phrase", from)
            .await
            .unwrap_err();
    }
    let before = Place {
        address: Some("203.0.113.8"),
        browser: Some(&browser),
    };
    assert_eq!(
        lucid
            .sign_in(email, "another good long phrase", before)
            .await
            .unwrap_err()
            .kind(),
        Kind::RateLimit
    );
    world.verified().await;
}

async fn who_issued_a_credential_counts_as_its_account(world: World) {
    let (lucid, admin) = (&world.lucid, &world.admin);
    let new = NewUser {
        email: "puppet@lucid.example".into(),
        name: "Puppet".into(),
        role: Role::Reviewer,
        grants: vec![Grant::whole(world.store, StoreRole::Reviewer)],
    };
    let (id, link) = lucid.add_user(admin, &new).await.unwrap();
    lucid
        .use_link(&link.shown().unwrap(), GOOD, "", "", Place::default())
        .await
        .unwrap();
    let puppet = actor(lucid, id).await;
    let write = create("/rule.md", "Refunds need two people.\n");
    let (changeset, _) = lucid
        .propose_change(admin, world.store, &write, "It was agreed.")
        .await
        .unwrap();
    let change = lucid
        .changeset(&puppet, changeset)
        .await
        .unwrap()
        .changes
        .remove(0);
    assert!(
        change.contributed,
        "the admin saw the link, so the account may be theirs"
    );
    assert_eq!(
        world
            .vote(&puppet, &change, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    let mine = service::QueueFilter {
        state: Some("mine"),
        ..service::QueueFilter::default()
    };
    assert!(
        waiting(lucid, &puppet, &mine).await.is_empty(),
        "nor is it their turn"
    );
    // A password that the admin did not see the link of: made on the machine itself.
    let link = lucid
        .operator_link(&Actor::operator(), "puppet@lucid.example")
        .await
        .unwrap();
    lucid
        .use_link(&link, "another good long phrase", "", "", Place::default())
        .await
        .unwrap();
    let own = actor(lucid, id).await;
    let change = lucid
        .changeset(&own, changeset)
        .await
        .unwrap()
        .changes
        .remove(0);
    assert_eq!(waiting(lucid, &own, &mine).await.len(), 1);
    world.vote(&own, &change, Verdict::Approve).await.unwrap();
    world.verified().await;
}

async fn what_weakens_the_gate_takes_two_admins(world: World) {
    let (lucid, store) = (&world.lucid, world.store);
    let first = with_password(
        &world,
        "ada",
        Role::Admin,
        vec![Grant::whole(store, StoreRole::Owner)],
    )
    .await;
    let second = with_password(
        &world,
        "bea",
        Role::Admin,
        vec![Grant::whole(store, StoreRole::Owner)],
    )
    .await;
    lucid
        .set_gate(&first, store, GateMode::AllGated, None)
        .await
        .unwrap();
    let Outcome::Waits(gate) = lucid
        .set_gate(&first, store, GateMode::DreamsGated, None)
        .await
        .unwrap()
    else {
        panic!("it waits")
    };
    assert_eq!(
        lucid.store(&first, store).await.unwrap().gate_mode,
        GateMode::AllGated,
        "nothing happened yet"
    );
    world.confirm(&first).await;
    assert_eq!(
        lucid
            .confirm_setting(&first, gate)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission,
        "nobody is their own second"
    );
    let own = Grant::whole(store, StoreRole::Owner);
    let somebody = Grantee::Person(world.admin.who.person().unwrap());
    assert!(
        matches!(
            lucid.revoke(&first, somebody, &own).await.unwrap(),
            Outcome::Waits(_)
        ),
        "an owner does not vanish by one admin"
    );
    let less = Approvals {
        high: 1,
        ..lucid.approvals(&first, store).await.unwrap()
    };
    assert!(matches!(
        lucid.set_approvals(&first, store, less).await.unwrap(),
        Outcome::Waits(_)
    ));
    assert_eq!(lucid.waiting_settings(&second).await.unwrap().len(), 3);
    world.confirm(&second).await;
    lucid.confirm_setting(&second, gate).await.unwrap();
    assert_eq!(
        lucid.store(&first, store).await.unwrap().gate_mode,
        GateMode::DreamsGated
    );
    // What makes it stricter needs nobody.
    assert_eq!(
        lucid
            .set_gate(&first, store, GateMode::AllGated, None)
            .await
            .unwrap(),
        Outcome::Done
    );
    world.verified().await;
}

async fn one_admin_alone_overrides_and_everybody_can_see_it(world: World) {
    let (lucid, store) = (&world.lucid, world.store);
    lucid
        .set_gate(&world.admin, store, GateMode::AllGated, None)
        .await
        .unwrap();
    assert_eq!(
        lucid
            .set_gate(&world.admin, store, GateMode::DreamsGated, None)
            .await
            .unwrap(),
        Outcome::Done
    );
    let filter = AuditFilter {
        action: Some(AuditAction::StoreGate),
        ..Default::default()
    };
    let rows = lucid.audit(&world.admin, &filter).await.unwrap().rows;
    assert!(
        rows.iter().any(|r| r
            .row
            .payload
            .as_deref()
            .is_some_and(|p| p.contains("overridden"))),
        "{rows:?}"
    );
    world.verified().await;
}

async fn who_brought_the_evidence_does_not_approve(world: World) {
    world
        .import_as(&world.reviewer, &failing("s1", "t1", 1))
        .await;
    world
        .import_as(&world.reviewer, &failing("s2", "t2", 2))
        .await;
    let id = world.dream().await.expect("a changeset");
    let change = world.changes(id).await.remove(0);
    assert!(change.contributed, "the reviewer recorded the sessions");
    assert!(
        change.change.labels.contains("single_source"),
        "{:?}",
        change.change.labels
    );
    assert_eq!(
        world
            .vote(&world.reviewer, &change, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    let other = add(
        &world.lucid,
        "other",
        Role::Reviewer,
        vec![(world.store, StoreRole::Reviewer)],
    )
    .await;
    let seen = world
        .lucid
        .changeset(&other, id)
        .await
        .unwrap()
        .changes
        .remove(0);
    world.vote(&other, &seen, Verdict::Approve).await.unwrap();
    world.verified().await;
}

async fn a_key_deletes_only_with_its_scope_and_never_what_people_decided(world: World) {
    let lucid = &world.lucid;
    world
        .remember(&[
            ("/agents/a.md", "Agents wrote this.", false),
            ("/agents/b.md", "A person wrote this.", true),
            ("/ops/c.md", "Elsewhere.", false),
        ])
        .await;
    let path = "/agents".parse().unwrap();
    let grants = vec![Grant {
        store: world.store,
        path,
        role: StoreRole::Reader,
    }];
    let owner = with_password(&world, "keys", Role::Member, grants)
        .await
        .who
        .person()
        .unwrap();
    let key = |scopes: Vec<Scope>, name: &str| NewKey {
        name: name.into(),
        owner: Some(owner),
        store: None,
        scopes,
        days: None,
    };
    let with = |secret: String| async move { lucid.key_actor(&secret).await.unwrap() };
    let (_, writes) = lucid
        .add_key(
            &Actor::operator(),
            &key(vec![Scope::MemoryRead, Scope::MemoryWrite], "writes"),
        )
        .await
        .unwrap();
    let (_, deletes) = lucid
        .add_key(
            &Actor::operator(),
            &key(vec![Scope::MemoryRead, Scope::MemoryDelete], "deletes"),
        )
        .await
        .unwrap();
    let (writes, deletes) = (with(writes).await, with(deletes).await);
    let all = lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows;
    let delete = |path: &str| MemoryWrite::Delete {
        id: all.iter().find(|m| m.path.as_str() == path).unwrap().id,
        expected_sha256: None,
    };
    assert_eq!(
        lucid
            .write_memory(&writes, world.store, &delete("/agents/a.md"))
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    assert_eq!(
        lucid
            .write_memory(&deletes, world.store, &delete("/ops/c.md"))
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission,
        "not under the owner's path"
    );
    assert_eq!(
        lucid
            .write_memory(&writes, world.store, &create("/ops/d.md", "No.\n"))
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    assert!(matches!(
        lucid
            .write_memory(&deletes, world.store, &delete("/agents/a.md"))
            .await
            .unwrap(),
        service::Written::Committed { memory: None, .. }
    ));
    assert!(matches!(
        lucid
            .write_memory(&deletes, world.store, &delete("/agents/b.md"))
            .await
            .unwrap(),
        service::Written::Proposed { .. }
    ));
    world.verified().await;
}

async fn a_frozen_memory_changes_through_the_queue_alone(world: World) {
    let lucid = &world.lucid;
    world
        .remember(&[("/a.md", "The limit is 5.\n", false)])
        .await;
    let id = lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows[0]
        .id;
    assert_eq!(
        lucid
            .freeze(&world.admin, id, "  ")
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid,
        "a reason is needed"
    );
    lucid
        .freeze(&world.admin, id, "It is a rule of the house.")
        .await
        .unwrap();
    assert_eq!(
        lucid
            .freeze(&world.admin, id, "Again.")
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    let (changeset, _) = lucid
        .propose_unfreeze(&world.admin, id, "The rule ended.")
        .await
        .unwrap();
    let change = world.changes(changeset).await.remove(0);
    assert_eq!(change.change.risk_level, domain::risk::RiskLevel::High);
    assert_eq!(
        world
            .vote(
                &world.admin,
                &lucid
                    .changeset(&world.admin, changeset)
                    .await
                    .unwrap()
                    .changes[0],
                Verdict::Approve
            )
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    assert_eq!(entries(&world, AuditAction::MemoryFreeze).await, 1);
    world.verified().await;
}

async fn whatever_touches_the_trail_or_the_doors_is_in_the_trail(world: World) {
    let lucid = &world.lucid;
    let ana = with_password(
        &world,
        "ana",
        Role::Reviewer,
        vec![Grant::whole(world.store, StoreRole::Reviewer)],
    )
    .await;
    let place = Place::default();
    let _ = lucid
        .sign_in("nobody@lucid.example", GOOD, place)
        .await
        .unwrap_err();
    let _ = lucid
        .sign_in("ana@lucid.example", "a wrong but long phrase", place)
        .await
        .unwrap_err();
    let _ = lucid
        .confirm_password(&ana, "a wrong but long phrase")
        .await
        .unwrap_err();
    let _ = lucid
        .change_password(&ana, "a wrong but long phrase", "another good long phrase")
        .await
        .unwrap_err();
    lucid
        .request_access("ask@lucid.example", "Ask", "For a look.", Some("192.0.2.1"))
        .await
        .unwrap();
    lucid.keys(&world.admin).await.unwrap();
    lucid
        .export_audit(&Actor::operator(), service::ExportPeriod::default())
        .await
        .unwrap();
    lucid.verify_audit(&world.admin).await.unwrap().unwrap();
    let counted = [
        (AuditAction::SignInFail, 2),
        (AuditAction::PasswordFail, 2),
        (AuditAction::AccessRequest, 1),
        (AuditAction::KeyList, 1),
        (AuditAction::AuditExport, 1),
        (AuditAction::AuditVerify, 1),
    ];
    let filtered = async |action| {
        let filter = AuditFilter {
            action: Some(action),
            ..Default::default()
        };
        lucid.audit(&Actor::operator(), &filter).await.unwrap().rows
    };
    for (action, count) in counted {
        assert_eq!(filtered(action).await.len(), count, "{action}");
    }
    let wrong = filtered(AuditAction::PasswordFail).await.remove(0);
    assert_eq!(
        wrong.row.actor,
        ana.who.to_string(),
        "it names who entered it, not the worker"
    );
    world.verified().await;
}
