//! Lists and histories: paged by key, the same on both engines.

use std::fmt::Write;

use domain::{audit_action::AuditAction, ids::SessionId};
use service::{Link, Place};

use crate::world::{World, failing, on_both_engines};

on_both_engines!(
    lists_page_without_gaps,
    paths_are_ordered_by_bytes,
    versions_are_compared,
    accounts_and_links,
    a_burst_of_sign_ins_is_cut,
    the_audit_is_filtered,
    what_a_recorder_calls_things_is_masked,
    sessions_are_filtered,
);

async fn what_a_recorder_calls_things_is_masked(world: World) {
    for n in 1..=3 {
        let text = failing(
            &format!("jane.doe@mail.example {n}"),
            &format!("card 4111 1111 1111 1111 {n}"),
            n,
        );
        let tool = if n == 3 {
            "book_for_jane.doe@mail.example"
        } else {
            "book"
        };
        world
            .import(&text.replace("\"book\"", &format!("\"{tool}\"")))
            .await;
    }
    let id = world.dream().await.expect("a changeset");
    let quotes = world
        .changes(id)
        .await
        .into_iter()
        .flat_map(|c| c.quotes)
        .map(|q| (q.row.tool, q.row.external_id, q.row.task_key));
    let mut shown = format!("{:?}", quotes.collect::<Vec<_>>());
    let sessions = world
        .lucid
        .sessions(&world.reviewer, None, None)
        .await
        .unwrap()
        .rows;
    for session in &sessions {
        let transcript = world
            .lucid
            .transcript(&world.reviewer, session.id, 0)
            .await
            .unwrap();
        let _ = write!(shown, "{session:?} {transcript:?}");
    }
    assert!(
        shown.contains("book") && !shown.contains("jane.doe") && !shown.contains("4111 1111"),
        "{shown}"
    );
    let revealed = world
        .lucid
        .revealed_transcript(&world.reviewer, sessions[0].id, 0)
        .await
        .unwrap();
    assert!(
        format!("{revealed:?}").contains("jane.doe@mail.example"),
        "whoever decides can have it shown"
    );
    // What only looks like a number or a name stays readable.
    for name in [
        "s-20241105-77",
        "01a2149f-4916-7e37-b9b9-7f4a7c153c6e",
        "airline-23",
        "query_logs",
        "task_000482",
    ] {
        assert_eq!(domain::masking::mask(name), name);
    }
}

async fn sessions_are_filtered(world: World) {
    world.import(&failing("failed", "t", 1)).await;
    let plain = r#"{"id":"plain","agent":"writer","messages":[{"role":"user","content":"Hello."},{"role":"assistant","content":"Hello."}]}"#;
    world.import(plain).await;
    let named = async |filter: service::SessionFilter| {
        let rows = world
            .lucid
            .sessions_where(&world.reviewer, &filter)
            .await
            .unwrap()
            .rows;
        rows.into_iter()
            .filter_map(|s| s.external_id)
            .collect::<Vec<_>>()
    };
    let all = || service::SessionFilter {
        store: Some(world.store),
        ..service::SessionFilter::default()
    };
    assert_eq!(named(all()).await, ["plain", "failed"]);
    assert_eq!(
        named(service::SessionFilter {
            errors: true,
            ..all()
        })
        .await,
        ["failed"]
    );
    assert_eq!(
        named(service::SessionFilter {
            agent: Some("nobody".into()),
            ..all()
        })
        .await,
        Vec::<String>::new()
    );
    let unknown = service::SessionFilter {
        outcome: Some(domain::event::OutcomeResult::Unknown),
        ..all()
    };
    assert!(named(unknown).await.contains(&"plain".to_owned()));
    let failed = service::SessionFilter {
        outcome: Some(domain::event::OutcomeResult::Failure),
        ..all()
    };
    assert!(!named(failed).await.contains(&"plain".to_owned()));
}

async fn lists_page_without_gaps(world: World) {
    for n in 0..120 {
        world.import(&failing(&format!("s{n}"), "t", n)).await;
    }
    let mut seen: Vec<SessionId> = Vec::new();
    let mut before = None;
    loop {
        let page = world
            .lucid
            .sessions(&world.reviewer, Some(world.store), before)
            .await
            .unwrap();
        seen.extend(page.rows.iter().map(|s| s.id));
        before = seen.last().copied();
        if !page.more {
            break;
        }
    }
    assert_eq!(seen.len(), 120);
    assert!(
        seen.windows(2).all(|w| w[0] > w[1]),
        "newest first, none twice"
    );
    let mut audit = Vec::new();
    let mut before = None;
    loop {
        let filter = service::AuditFilter {
            before,
            ..service::AuditFilter::default()
        };
        let page = world.lucid.audit(&world.admin, &filter).await.unwrap();
        audit.extend(page.rows.iter().map(|r| r.row.seq));
        before = audit.last().copied();
        if !page.more {
            break;
        }
    }
    assert_eq!(
        audit.len(),
        usize::try_from(world.verified().await).unwrap()
    );
}

async fn paths_are_ordered_by_bytes(world: World) {
    world
        .remember(&[
            ("/b", "1", false),
            ("/B", "2", false),
            ("/a_b", "3", false),
            ("/a-b", "4", false),
            ("/ä", "5", false),
            ("/a/b", "6", false),
        ])
        .await;
    assert_eq!(
        world.paths().await,
        ["/B", "/a-b", "/a/b", "/a_b", "/b", "/ä"]
    );
}

async fn versions_are_compared(world: World) {
    world.remember(&[("/a.md", "one\ntwo\n", false)]).await;
    world.remember(&[("/a.md", "one\n2\n", true)]).await;
    let memory = world
        .lucid
        .memories(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows
        .remove(0);
    assert_eq!((memory.number, memory.by_person), (2, true));
    let view = world
        .lucid
        .compare(&world.reviewer, memory.id, 1, 2)
        .await
        .unwrap();
    let marks: Vec<_> = view.lines.iter().map(|l| l.mark.as_str()).collect();
    assert_eq!(marks, ["same", "removed", "added"]);
    let commits = world
        .lucid
        .history(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows;
    assert_eq!(
        commits
            .iter()
            .map(|c| c.commit.revision)
            .collect::<Vec<_>>(),
        [2, 1]
    );
    let commit = world
        .lucid
        .commit_view(&world.reviewer, commits[0].commit.id, None)
        .await
        .unwrap();
    assert_eq!(commit.versions.len(), 1);
    assert!(
        world
            .lucid
            .compare(&world.reviewer, memory.id, 1, 9)
            .await
            .is_err()
    );
}

async fn accounts_and_links(world: World) {
    use domain::actor::{Role, StoreRole};
    let lucid = &world.lucid;
    assert_eq!(
        lucid.first_admin_link().await.unwrap(),
        None,
        "somebody has an account already"
    );
    let new = service::NewUser {
        email: "Ana@Lucid.Example".into(),
        name: "Ana".into(),
        role: Role::Reviewer,
        grants: vec![domain::actor::Grant::whole(world.store, StoreRole::Reader)],
    };
    let (id, token) = lucid
        .add_user(&domain::actor::Actor::operator(), &new)
        .await
        .unwrap();
    let token = token.shown().unwrap();
    assert!(
        lucid
            .use_link(&token, "short", "", "", Place::default())
            .await
            .is_err()
    );
    assert!(
        lucid
            .use_link(&token, "passwordpassword", "", "", Place::default())
            .await
            .is_err(),
        "a common one"
    );
    assert_eq!(
        lucid
            .use_link(&token, "a long enough phrase", "", "", Place::default())
            .await
            .unwrap()
            .user,
        id
    );
    assert!(
        lucid
            .use_link(&token, "a long enough phrase", "", "", Place::default())
            .await
            .is_err(),
        "a link works once"
    );
    assert_eq!(
        lucid
            .sign_in(
                "ana@lucid.example ",
                "a long enough phrase",
                Place::default()
            )
            .await
            .unwrap()
            .user,
        id
    );
    let refused = lucid
        .sign_in("ana@lucid.example", "another long phrase", Place::default())
        .await
        .unwrap_err();
    let unknown = lucid
        .sign_in(
            "nobody@lucid.example",
            "another long phrase",
            Place::default(),
        )
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        unknown.to_string(),
        "which of the two is wrong is not said"
    );
    for _ in 0..5 {
        let _ = lucid
            .sign_in("ana@lucid.example", "another long phrase", Place::default())
            .await;
    }
    assert_eq!(
        lucid
            .sign_in(
                "ana@lucid.example",
                "a long enough phrase",
                Place::default()
            )
            .await
            .unwrap_err()
            .kind(),
        service::Kind::RateLimit
    );
    world.wait_seconds(61);
    assert_eq!(
        lucid
            .sign_in(
                "ana@lucid.example",
                "a long enough phrase",
                Place::default()
            )
            .await
            .unwrap()
            .user,
        id,
        "nobody is locked out for good"
    );
    assert_eq!(
        lucid
            .add_user(&domain::actor::Actor::operator(), &new)
            .await
            .unwrap(),
        (id, Link::None),
        "who has a password gets no link"
    );
    let expired = lucid
        .reset_password(&domain::actor::Actor::operator(), id)
        .await
        .unwrap()
        .shown()
        .unwrap();
    world.wait_seconds(25 * 3_600);
    assert!(lucid.link_purpose(&expired).await.is_err());
}

async fn a_burst_of_sign_ins_is_cut(world: World) {
    let mut tries = tokio::task::JoinSet::new();
    for n in 0..120 {
        let lucid = world.lucid.clone();
        tries.spawn(async move {
            lucid
                .sign_in(
                    &format!("nobody{n}@lucid.example"),
                    "some long phrase",
                    Place::default(),
                )
                .await
                .unwrap_err()
                .kind()
        });
    }
    let kinds = tries.join_all().await;
    let cut = kinds
        .iter()
        .filter(|k| **k == service::Kind::RateLimit)
        .count();
    let looked_at = kinds
        .iter()
        .filter(|k| **k == service::Kind::Authentication)
        .count();
    assert_eq!(cut + looked_at, 120);
    assert!(
        cut > 0 && looked_at >= 60,
        "{cut} cut, {looked_at} looked at"
    );
}

async fn the_audit_is_filtered(world: World) {
    use service::AuditFilter;
    world.import(&failing("s1", "t1", 1)).await;
    world.wait_seconds(3_600);
    world.remember(&[("/a.md", "Text.", false)]).await;
    let shown = async |filter: AuditFilter| {
        let page = world.lucid.audit(&world.admin, &filter).await.unwrap();
        page.rows
            .into_iter()
            .map(|r| r.row.action)
            .collect::<Vec<_>>()
    };
    let all = shown(AuditFilter::default()).await;
    assert_eq!(
        all,
        [
            "memory.write",
            "session.import",
            "user.add",
            "user.add",
            "user.add",
            "store.create"
        ]
    );
    let by_action = AuditFilter {
        action: Some(AuditAction::UserAdd),
        ..AuditFilter::default()
    };
    assert_eq!(shown(by_action).await.len(), 3);
    let by_store = AuditFilter {
        store: Some(world.store),
        ..AuditFilter::default()
    };
    assert_eq!(
        shown(by_store).await,
        ["memory.write", "session.import", "store.create"]
    );
    let by_operator = AuditFilter {
        actor: Some("operator".into()),
        store: Some(world.store),
        ..AuditFilter::default()
    };
    assert_eq!(
        shown(by_operator).await,
        ["memory.write", "session.import", "store.create"]
    );
    let lately = AuditFilter {
        since: Some(world.lucid.now().plus_seconds(-60)),
        ..AuditFilter::default()
    };
    assert_eq!(shown(lately).await, ["memory.write"]);
    let nothing = AuditFilter {
        actor: Some("' OR 1=1 --".into()),
        ..AuditFilter::default()
    };
    assert!(shown(nothing).await.is_empty());
}
