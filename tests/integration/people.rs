//! People: roles, grants by store and path, teams, requests, sign-ins and solo mode, on both
//! engines.

use domain::{
    actor::{Actor, Grant, Role, StoreRole},
    rights::Scope,
};
use service::{Grantee, Kind, Link, NewKey, NewUser, Place, Verdict};

use crate::world::{World, actor, on_both_engines, open_changesets};

on_both_engines!(
    guessing_slows_down_only_the_guesser,
    roles_and_disabling,
    a_grant_on_a_path_decides_there_only,
    teams_give_what_they_have,
    requests_for_access,
    managing_people_opens_no_store,
    own_sign_ins_and_password,
    solo_mode_until_somebody_joins,
);

const GOOD: &str = "a long enough phrase";

async fn person(world: &World, name: &str, role: Role) -> Actor {
    let new = NewUser {
        email: format!("{name}@lucid.example"),
        name: name.to_owned(),
        role,
        grants: Vec::new(),
    };
    let (id, token) = world
        .lucid
        .add_user(&Actor::operator(), &new)
        .await
        .unwrap();
    world
        .lucid
        .use_link(&token.shown().unwrap(), GOOD, "", "", Place::default())
        .await
        .unwrap();
    actor(&world.lucid, id).await
}

async fn guessing_slows_down_only_the_guesser(world: World) {
    let lucid = &world.lucid;
    let ana = person(&world, "ana", Role::Member)
        .await
        .who
        .person()
        .unwrap();
    let sign_in = |password: &'static str, from: &'static str| {
        lucid.sign_in(
            "ana@lucid.example",
            password,
            Place {
                address: Some(from),
                browser: None,
            },
        )
    };
    for _ in 0..6 {
        assert_eq!(
            sign_in("a wrong but long phrase", "192.0.2.1")
                .await
                .unwrap_err()
                .kind(),
            Kind::Authentication
        );
    }
    assert_eq!(
        sign_in(GOOD, "192.0.2.1").await.unwrap_err().kind(),
        Kind::RateLimit,
        "from where somebody guesses"
    );
    assert_eq!(
        sign_in(GOOD, "192.0.2.2").await.unwrap().user,
        ana,
        "its owner, from elsewhere, is let in"
    );
    // One place that tries many accounts is slowed down, too.
    for n in 0..51 {
        let _ = lucid
            .sign_in(
                &format!("nobody{n}@lucid.example"),
                "a wrong but long phrase",
                Place {
                    address: Some("192.0.2.3"),
                    browser: None,
                },
            )
            .await;
    }
    assert_eq!(
        sign_in(GOOD, "192.0.2.3").await.unwrap_err().kind(),
        Kind::RateLimit
    );
    // A clock that is set back locks nobody out for as long as it went back.
    world.wait_seconds(-7_200);
    let Err(service::Error::TooMany(seconds)) = sign_in(GOOD, "192.0.2.1").await else {
        panic!("still slowed down")
    };
    assert!(seconds <= 60, "{seconds}");
    world.wait_seconds(7_300);
    assert_eq!(
        sign_in(GOOD, "192.0.2.1").await.unwrap().user,
        ana,
        "nobody is locked out for good"
    );
}

async fn roles_and_disabling(world: World) {
    let (lucid, admin) = (&world.lucid, &world.admin);
    let me = admin.who.person().unwrap();
    let bo = person(&world, "bo", Role::Reviewer).await;
    let id = bo.who.person().unwrap();
    assert_eq!(
        lucid
            .set_role(&bo, id, Role::Admin)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission,
        "nobody promotes themselves"
    );
    assert_eq!(
        lucid
            .set_role(admin, me, Role::Member)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict,
        "the last admin stays"
    );
    assert_eq!(
        lucid
            .set_disabled(admin, me, true)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    lucid.set_role(admin, id, Role::Member).await.unwrap();
    assert_eq!(actor(lucid, id).await.role, Role::Member);
    let new = NewKey {
        name: "agent".into(),
        owner: Some(id),
        store: Some(world.store),
        scopes: vec![Scope::MemoryRead],
        days: None,
    };
    let (_, secret) = lucid.add_key(admin, &new).await.unwrap();
    lucid.key_actor(&secret).await.unwrap();
    lucid
        .create_web_session(
            b"bo's browser 123",
            (Some(id), None),
            "{}",
            world.lucid.now().plus_seconds(3_600),
        )
        .await
        .unwrap();
    lucid.set_disabled(admin, id, true).await.unwrap();
    assert!(lucid.actor(id, None).await.unwrap().is_none());
    assert!(
        lucid
            .web_session(b"bo's browser 123")
            .await
            .unwrap()
            .is_none(),
        "their sign-ins end"
    );
    assert_eq!(
        lucid.key_actor(&secret).await.unwrap_err().kind(),
        Kind::Authentication,
        "and their keys"
    );
    assert_eq!(
        lucid
            .sign_in("bo@lucid.example", GOOD, Place::default())
            .await
            .unwrap_err()
            .kind(),
        Kind::Authentication
    );
    lucid.set_disabled(admin, id, false).await.unwrap();
    lucid
        .sign_in("bo@lucid.example", GOOD, Place::default())
        .await
        .unwrap();
    let token = lucid.reset_password(admin, id).await.unwrap();
    assert_eq!(
        lucid
            .sign_in("bo@lucid.example", GOOD, Place::default())
            .await
            .unwrap_err()
            .kind(),
        Kind::Authentication,
        "a reset ends the old password"
    );
    lucid
        .use_link(
            &token.shown().unwrap(),
            "another good long phrase",
            "",
            "",
            Place::default(),
        )
        .await
        .unwrap();
    world.verified().await;
}

async fn a_grant_on_a_path_decides_there_only(world: World) {
    let (lucid, admin) = (&world.lucid, &world.admin);
    let id = world.proposal().await;
    let changes = world.changes(id).await;
    let add = changes
        .iter()
        .find(|c| c.edits.iter().all(|e| e.memory_id.is_none()))
        .unwrap();
    let merge = changes.iter().find(|c| c.edits.len() == 2).unwrap();
    let cy = person(&world, "cy", Role::Reviewer)
        .await
        .who
        .person()
        .unwrap();
    let folder = add.edits[0].path.folder().parse().unwrap();
    let grant = Grant {
        store: world.store,
        path: folder,
        role: StoreRole::Reviewer,
    };
    lucid
        .grant(admin, Grantee::Person(cy), &grant)
        .await
        .unwrap();
    let cy_now = actor(lucid, cy).await;
    let seen = lucid.changeset(&cy_now, id).await.unwrap();
    let may = |change: &service::ChangeView| {
        seen.changes
            .iter()
            .find(|c| c.change.id == change.change.id)
            .unwrap()
            .may_decide
    };
    assert!(may(add) && !may(merge), "{:?}", add.edits[0].path);
    world.vote(&cy_now, add, Verdict::Approve).await.unwrap();
    assert_eq!(
        world
            .vote(&cy_now, merge, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    // Somebody else approves the other; who may decide on a part commits that part only.
    world
        .vote(&world.reviewer, merge, Verdict::Approve)
        .await
        .unwrap();
    let all = world.commit_request(id, "all").await;
    assert_eq!(
        lucid.commit(&cy_now, &all).await.unwrap_err().kind(),
        Kind::Permission
    );
    let own = service::CommitRequest {
        expected: all
            .expected
            .iter()
            .filter(|e| e.change == add.change.id)
            .cloned()
            .collect(),
        ..all
    };
    lucid.commit(&cy_now, &own).await.unwrap();
    lucid
        .revoke(admin, Grantee::Person(cy), &grant)
        .await
        .unwrap();
    assert_eq!(
        lucid
            .changeset(&actor(lucid, cy).await, id)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound,
        "without a grant there is nothing"
    );
    world.verified().await;
}

async fn teams_give_what_they_have(world: World) {
    let (lucid, admin) = (&world.lucid, &world.admin);
    let di = person(&world, "di", Role::Reviewer)
        .await
        .who
        .person()
        .unwrap();
    let team = lucid.create_team(admin, "Support").await.unwrap();
    assert_eq!(
        lucid
            .create_team(admin, "Support")
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    lucid
        .grant(
            admin,
            Grantee::Team(team),
            &Grant::whole(world.store, StoreRole::Reviewer),
        )
        .await
        .unwrap();
    assert!(
        lucid
            .stores(&actor(lucid, di).await)
            .await
            .unwrap()
            .is_empty()
    );
    lucid.set_member(admin, team, di, true).await.unwrap();
    let inside = actor(lucid, di).await;
    assert_eq!(lucid.stores(&inside).await.unwrap().len(), 1);
    world.proposal().await;
    assert_eq!(
        open_changesets(lucid, &inside).await.len(),
        1,
        "lists know teams, too"
    );
    assert_eq!(
        lucid
            .grants_on(admin, world.store)
            .await
            .unwrap()
            .iter()
            .filter(|g| g.team_id == Some(team))
            .count(),
        1
    );
    lucid.set_member(admin, team, di, false).await.unwrap();
    let outside = actor(lucid, di).await;
    assert!(
        lucid.stores(&outside).await.unwrap().is_empty()
            && open_changesets(lucid, &outside).await.is_empty()
    );
    // Who was not granted a store can neither give nor see what others have on it.
    let whole = Grant::whole(world.store, StoreRole::Reader);
    let other = person(&world, "other", Role::Admin).await;
    assert_eq!(
        lucid
            .grant(&other, Grantee::Person(di), &whole)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    assert!(
        lucid
            .people(&other)
            .await
            .unwrap()
            .people
            .iter()
            .all(|m| m.grants.is_empty())
    );
}

async fn requests_for_access(world: World) {
    let (lucid, admin) = (&world.lucid, &world.admin);
    let ask = lucid
        .request_access("Eve@Lucid.Example", "Eve", "I answer tickets", None)
        .await
        .unwrap();
    lucid
        .request_access("eve@lucid.example", "Eve", "again", None)
        .await
        .unwrap();
    assert_eq!(
        lucid.people(admin).await.unwrap().requests.len(),
        1,
        "one address waits once"
    );
    assert_eq!(
        lucid
            .request_access("no address", "Eve", "", None)
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
    assert_eq!(
        lucid
            .decline_request(&world.reviewer, ask)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    let grant = Grant::whole(world.store, StoreRole::Reader);
    let (eve, token) = lucid
        .accept_request(admin, ask, Role::Member, Some(&grant))
        .await
        .unwrap();
    assert_eq!(
        lucid
            .use_link(&token.shown().unwrap(), GOOD, "", "", Place::default())
            .await
            .unwrap()
            .user,
        eve
    );
    assert_eq!(
        lucid.stores(&actor(lucid, eve).await).await.unwrap().len(),
        1
    );
    assert_eq!(
        lucid
            .accept_request(admin, ask, Role::Admin, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    let again = lucid
        .request_access("eve@lucid.example", "Eve", "more", None)
        .await
        .unwrap();
    lucid.decline_request(admin, again).await.unwrap();
    // Somebody else's request under a known address gives them no link to that account.
    let posing = lucid
        .request_access("eve@lucid.example", "Eve", "please send me the link", None)
        .await
        .unwrap();
    assert_eq!(
        lucid
            .accept_request(admin, posing, Role::Member, None)
            .await
            .unwrap(),
        (eve, Link::None)
    );
    assert!(lucid.people(admin).await.unwrap().requests.is_empty());
    world.verified().await;
}

async fn own_sign_ins_and_password(world: World) {
    let lucid = &world.lucid;
    let fay = person(&world, "fay", Role::Member).await;
    let id = fay.who.person();
    let until = lucid.now().plus_seconds(3_600);
    for browser in [b"two 456789012345", b"six 456789012345"] {
        let data = r#"{"browser":"Firefox","from":"192.0.2.7"}"#;
        lucid
            .create_web_session(browser, (id, None), data, until)
            .await
            .unwrap();
    }
    lucid
        .create_web_session(
            b"somebody else's.",
            (world.admin.who.person(), None),
            "{}",
            until,
        )
        .await
        .unwrap();
    let mine = lucid.own_sign_ins(&fay).await.unwrap();
    assert_eq!(mine.iter().filter(|s| s.current).count(), 1);
    assert_eq!(
        (
            mine.len(),
            mine[0].from.as_deref(),
            mine[0].browser.as_deref()
        ),
        (3, Some("192.0.2.7"), Some("Firefox"))
    );
    let other = mine.iter().find(|s| !s.current).unwrap();
    assert_eq!(
        lucid
            .end_own_sign_in(&world.admin, Some(&other.handle))
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound,
        "not theirs"
    );
    lucid
        .end_own_sign_in(&fay, Some(&other.handle))
        .await
        .unwrap();
    assert_eq!(lucid.own_sign_ins(&fay).await.unwrap().len(), 2);
    assert_eq!(
        lucid
            .change_password(&fay, "not it at all", "some other good phrase")
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
    lucid
        .change_password(&fay, GOOD, "some other good phrase")
        .await
        .unwrap();
    assert_eq!(
        lucid.own_sign_ins(&fay).await.unwrap().len(),
        1,
        "a new password ends every other sign-in"
    );
    assert!(
        lucid
            .web_session(b"somebody else's.")
            .await
            .unwrap()
            .is_some()
    );
}

async fn solo_mode_until_somebody_joins(world: World) {
    let (lucid, admin) = (&world.lucid, &world.admin);
    assert_eq!(
        lucid.set_solo(admin, true).await.unwrap_err().kind(),
        Kind::Conflict,
        "two may decide"
    );
    lucid
        .set_disabled(admin, world.reviewer.who.person().unwrap(), true)
        .await
        .unwrap();
    let id = world.proposal().await;
    let first = &lucid.changeset(admin, id).await.unwrap().changes[0];
    let shown = (first.change.revision, first.change.digest.as_str());
    let texts: Vec<String> = first
        .edits
        .iter()
        .filter_map(|e| e.content.as_ref())
        .map(|c| format!("{c}Edited.\n"))
        .collect();
    lucid
        .edit_change(admin, first.change.id, shown, &texts)
        .await
        .unwrap();
    let edited = &lucid.changeset(admin, id).await.unwrap().changes[0];
    assert_eq!(
        world
            .vote(admin, edited, Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission,
        "not one's own edit"
    );
    lucid.set_solo(admin, true).await.unwrap();
    world.vote(admin, edited, Verdict::Approve).await.unwrap();
    let expected = vec![service::Expected {
        change: edited.change.id,
        revision: edited.change.revision,
        digest: edited.change.digest.clone(),
    }];
    let request = service::CommitRequest {
        changeset: id,
        expected,
        idempotency_key: "solo-idempotency".into(),
    };
    let done = lucid.commit(admin, &request).await.unwrap();
    let commit = lucid
        .commit_view(admin, done.commit, None)
        .await
        .unwrap()
        .commit;
    assert!(
        commit.approvals.contains("contributed to it; solo mode"),
        "{}",
        commit.approvals
    );
    lucid
        .set_disabled(admin, world.reviewer.who.person().unwrap(), false)
        .await
        .unwrap();
    assert!(
        !lucid.people(admin).await.unwrap().solo,
        "a second person ends it"
    );
    assert_eq!(
        lucid.set_solo(admin, true).await.unwrap_err().kind(),
        Kind::Conflict
    );
    world.verified().await;
}

async fn managing_people_opens_no_store(world: World) {
    let (lucid, admin) = (&world.lucid, &world.admin);
    let other = person(&world, "other", Role::Admin).await;
    let me = other.who.person().unwrap();
    // Not by inviting oneself with a grant, nor by a team that has one.
    let own = NewUser {
        email: "other@lucid.example".into(),
        name: "other".into(),
        role: Role::Admin,
        grants: vec![Grant::whole(world.store, StoreRole::Owner)],
    };
    assert_eq!(
        lucid.add_user(&other, &own).await.unwrap_err().kind(),
        Kind::NotFound
    );
    let team = lucid.create_team(admin, "Insiders").await.unwrap();
    lucid
        .grant(
            admin,
            Grantee::Team(team),
            &Grant::whole(world.store, StoreRole::Reader),
        )
        .await
        .unwrap();
    assert_eq!(
        lucid
            .set_member(&other, team, me, true)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    // Nor by a key in the name of somebody who has one.
    let owner = admin.who.person();
    let key = |store| NewKey {
        name: "borrowed".into(),
        owner,
        store,
        scopes: vec![Scope::MemoryRead, Scope::MemoryWrite],
        days: None,
    };
    assert_eq!(
        lucid.add_key(&other, &key(None)).await.unwrap_err().kind(),
        Kind::Permission
    );
    assert_eq!(
        lucid
            .add_key(&other, &key(Some(world.store)))
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    assert!(
        lucid
            .stores(&actor(lucid, me).await)
            .await
            .unwrap()
            .is_empty()
    );
    // Who makes a key for somebody else has a hand in what comes through it.
    let second = person(&world, "second", Role::Admin)
        .await
        .who
        .person()
        .unwrap();
    lucid
        .grant(
            admin,
            Grantee::Person(second),
            &Grant::whole(world.store, StoreRole::Reviewer),
        )
        .await
        .unwrap();
    let (_, secret) = lucid
        .add_key(&actor(lucid, second).await, &key(Some(world.store)))
        .await
        .unwrap();
    lucid
        .set_gate(admin, world.store, domain::memory::GateMode::AllGated, None)
        .await
        .unwrap();
    let write = service::MemoryWrite::Create {
        path: "/a.md".parse().unwrap(),
        content: "x\n".into(),
    };
    let agent = lucid.key_actor(&secret).await.unwrap();
    let service::Written::Proposed { changeset, .. } = lucid
        .write_memory(&agent, world.store, &write)
        .await
        .unwrap()
    else {
        panic!("gated")
    };
    let change = world.changes(changeset).await.remove(0);
    for hand in [admin, &actor(lucid, second).await] {
        assert_eq!(
            world
                .vote(hand, &change, Verdict::Approve)
                .await
                .unwrap_err()
                .kind(),
            Kind::Permission
        );
    }
    world
        .vote(&world.reviewer, &change, Verdict::Approve)
        .await
        .unwrap();
    // What is approved and waits to be committed is not proposed again.
    let service::Written::Proposed {
        changeset: again, ..
    } = lucid
        .write_memory(&agent, world.store, &write)
        .await
        .unwrap()
    else {
        panic!("gated")
    };
    assert_eq!(again, changeset);
}
