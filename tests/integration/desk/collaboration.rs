//! Several people at one queue: claims, comments and the inbox, deferrals, expiry, whose turn it
//! is.

use domain::audit_action::AuditAction;
use domain::{
    actor::{Actor, Grant, Role, StoreRole},
    changeset::{ChangeKind, ChangeState, ChangesetOrigin, ChangesetState, RejectCode},
    notice::NoticeReason,
    review::{CLAIM_SECONDS, EXPIRY_DAYS},
};
use service::{Kind, QueueFilter, Verdict};

use super::{again, risky};
use crate::world::{World, add, on_both_engines, waiting};

on_both_engines!(
    a_claim_keeps_others_and_no_admin,
    comments_notify_everybody_involved,
    a_deferral_ends_on_its_date,
    what_nobody_decides_expires,
    the_queue_shows_whose_turn_it_is,
    every_filter_of_the_queue_runs,
    a_saved_view_is_ones_own,
    quotes_are_revealed_to_who_decides_and_the_audit_says_so,
);

async fn a_claim_keeps_others_and_no_admin(world: World) {
    let changeset = world.proposal().await;
    let other = add(
        &world.lucid,
        "other",
        Role::Reviewer,
        vec![(world.store, StoreRole::Reviewer)],
    )
    .await;
    world.lucid.claim(&world.reviewer, changeset).await.unwrap();
    world.lucid.claim(&world.reviewer, changeset).await.unwrap();
    let changes = world.changes(changeset).await;
    assert_eq!(
        world
            .lucid
            .claim(&other, changeset)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    let refused = world
        .vote(&other, &changes[0], Verdict::Approve)
        .await
        .unwrap_err();
    assert!(
        refused
            .message()
            .contains("reviewer works on this changeset"),
        "{}",
        refused.message()
    );
    assert_eq!(
        world
            .lucid
            .claim(&world.stranger, changeset)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    world
        .vote(&world.admin, &changes[0], Verdict::Approve)
        .await
        .unwrap();
    let row = waiting(&world.lucid, &other, &QueueFilter::default())
        .await
        .remove(0);
    assert_eq!(
        row.claimed_name.as_deref(),
        Some("reviewer"),
        "everybody sees it"
    );
    // It is renewed while its owner works, and runs out when they do not.
    world.wait_seconds(CLAIM_SECONDS - 60);
    world
        .lucid
        .renew_claim(&world.reviewer, changeset)
        .await
        .unwrap();
    world.wait_seconds(120);
    assert_eq!(
        world
            .vote(&other, &changes[1], Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    world.wait_seconds(CLAIM_SECONDS);
    world.lucid.claim(&other, changeset).await.unwrap();
    world
        .vote(&other, &changes[1], Verdict::Approve)
        .await
        .unwrap();
    // Nothing is left for them to decide: the claim is gone.
    assert!(
        world
            .lucid
            .changeset(&other, changeset)
            .await
            .unwrap()
            .claim
            .is_none()
    );
    assert_eq!(
        world
            .lucid
            .release(&other, changeset)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    let claims = world
        .lucid
        .audit(
            &world.admin,
            &service::AuditFilter {
                action: Some(AuditAction::ChangesetClaim),
                ..Default::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(claims.rows.len(), 2, "renewing says nothing new");
}

async fn comments_notify_everybody_involved(world: World) {
    let at = async |path: &str, name: &str| {
        let somebody = add(&world.lucid, name, Role::Reviewer, vec![]).await;
        let grant = Grant {
            store: world.store,
            path: path.parse().unwrap(),
            role: StoreRole::Reviewer,
        };
        let person = service::Grantee::Person(somebody.who.person().unwrap());
        world
            .lucid
            .grant(&Actor::operator(), person, &grant)
            .await
            .unwrap();
        somebody
    };
    let (elsewhere, failures) = (
        at("/elsewhere", "elsewhere").await,
        at("/failures", "failures").await,
    );
    let changeset = world.proposal().await;
    assert!(
        world.told_now(&elsewhere).await.is_empty(),
        "nothing in it is theirs to decide"
    );
    assert_eq!(world.told_now(&failures).await, ["your_turn"]);
    let change = world.changes(changeset).await.remove(0);
    assert_eq!(
        world.lucid.inbox(&world.reviewer).await.unwrap()[0].reason,
        NoticeReason::YourTurn
    );
    world
        .lucid
        .mark_read(&world.reviewer, Some(changeset))
        .await
        .unwrap();
    assert_eq!(world.lucid.unread(&world.reviewer).await.unwrap(), 0);
    world
        .vote(
            &world.reviewer,
            &change,
            Verdict::Reject(RejectCode::NotYet),
        )
        .await
        .unwrap();
    for wrong in ["", "  \n ", &"x".repeat(4_001)] {
        assert_eq!(
            world
                .lucid
                .comment(&world.admin, change.change.id, wrong)
                .await
                .unwrap_err()
                .kind(),
            Kind::Invalid
        );
    }
    world
        .lucid
        .comment(&world.admin, change.change.id, "Why not?\u{202e}")
        .await
        .unwrap();
    let inbox = world.lucid.inbox(&world.reviewer).await.unwrap();
    assert_eq!(
        (inbox[0].reason.as_str(), inbox[0].read_at),
        ("comment", None)
    );
    assert_eq!(
        again(&world, &change).await.comments[0].body,
        "Why not?\u{202e}",
        "kept as it was written; pages show what hides in it"
    );
    assert!(world.lucid.inbox(&world.stranger).await.unwrap().is_empty());
    assert_eq!(
        world
            .lucid
            .comment(&world.stranger, change.change.id, "x")
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    world.lucid.mark_read(&world.reviewer, None).await.unwrap();
    assert_eq!(world.lucid.unread(&world.reviewer).await.unwrap(), 0);
    // Mail: only who asked for it, each item once.
    assert!(
        world.lucid.take_mail().await.unwrap().is_none(),
        "off unless somebody asks for it"
    );
    world
        .lucid
        .set_wants_mail(&world.admin, true)
        .await
        .unwrap();
    let mail = world.lucid.take_mail().await.unwrap().unwrap();
    assert_eq!(
        (mail.email.as_str(), mail.reason.as_str()),
        ("admin@lucid.example", "your_turn")
    );
    assert!(world.lucid.take_mail().await.unwrap().is_none(), "once");
    world.lucid.not_mailed(mail.id).await.unwrap();
    assert!(
        world.lucid.take_mail().await.unwrap().is_some(),
        "again, if it could not be sent"
    );
}

async fn a_deferral_ends_on_its_date(world: World) {
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    let (now, day) = (world.lucid.now(), 86_400);
    for wrong in [now.plus_seconds(-1), now.plus_seconds(366 * day)] {
        let refused = world
            .vote(&world.reviewer, &changes[0], Verdict::Defer(Some(wrong)))
            .await
            .unwrap_err();
        assert_eq!(refused.kind(), Kind::Invalid);
    }
    world
        .vote(
            &world.reviewer,
            &changes[0],
            Verdict::Defer(Some(now.plus_seconds(day))),
        )
        .await
        .unwrap();
    world
        .vote(&world.reviewer, &changes[1], Verdict::Approve)
        .await
        .unwrap();
    // One that is put off does not hold up the rest.
    let request = world.commit_request(changeset, "rest").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    world.lucid.keep_time().await.unwrap();
    assert_eq!(
        again(&world, &changes[0]).await.change.state,
        ChangeState::Deferred
    );
    world.wait_seconds(day + 1);
    world.lucid.mark_read(&world.reviewer, None).await.unwrap();
    world.lucid.keep_time().await.unwrap();
    world.lucid.keep_time().await.unwrap();
    let back = again(&world, &changes[0]).await;
    assert_eq!(
        (back.change.state, back.change.defer_until),
        (ChangeState::Pending, None)
    );
    assert_eq!(
        world.lucid.unread(&world.reviewer).await.unwrap(),
        1,
        "it is somebody's turn again"
    );
    world
        .vote(&world.reviewer, &back, Verdict::Defer(None))
        .await
        .unwrap();
    world.wait_seconds(30 * day);
    world.lucid.keep_time().await.unwrap();
    assert_eq!(
        again(&world, &changes[0]).await.change.state,
        ChangeState::Deferred,
        "without a date it waits"
    );
    world.verified().await;
}

async fn what_nobody_decides_expires(world: World) {
    let changeset = world.proposal().await;
    let changes = world.changes(changeset).await;
    world.wait_seconds(i64::from(EXPIRY_DAYS - 1) * 86_400);
    world
        .vote(&world.reviewer, &changes[0], Verdict::Approve)
        .await
        .unwrap();
    world.wait_seconds(2 * 86_400);
    world.lucid.keep_time().await.unwrap();
    assert_eq!(
        world
            .lucid
            .changeset(&world.reviewer, changeset)
            .await
            .unwrap()
            .changeset
            .state,
        ChangesetState::Open,
        "somebody decided"
    );
    world.wait_seconds(i64::from(EXPIRY_DAYS - 1) * 86_400);
    world
        .lucid
        .clone()
        .with_expiry_days(0)
        .keep_time()
        .await
        .unwrap();
    world
        .lucid
        .clone()
        .with_expiry_days(EXPIRY_DAYS * 3)
        .keep_time()
        .await
        .unwrap();
    assert_eq!(
        world
            .lucid
            .changeset(&world.reviewer, changeset)
            .await
            .unwrap()
            .changeset
            .state,
        ChangesetState::Open,
        "another number of days"
    );
    world.lucid.keep_time().await.unwrap();
    let ended = world
        .lucid
        .changeset(&world.reviewer, changeset)
        .await
        .unwrap();
    assert_eq!(ended.changeset.state, ChangesetState::Expired);
    assert!(
        ended
            .changes
            .iter()
            .all(|c| c.change.state == ChangeState::Obsolete)
    );
    assert_eq!(
        world
            .vote(&world.reviewer, &changes[1], Verdict::Approve)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    assert_eq!(
        world
            .lucid
            .done(&world.reviewer, &QueueFilter::default(), None)
            .await
            .unwrap()
            .rows
            .len(),
        1
    );
    world.verified().await;
}

async fn the_queue_shows_whose_turn_it_is(world: World) {
    let changeset = world.proposal().await;
    let mine = QueueFilter {
        state: Some("mine"),
        ..QueueFilter::default()
    };
    let turn = async |actor: &Actor| waiting(&world.lucid, actor, &mine).await.len();
    let reader = add(
        &world.lucid,
        "reader",
        Role::Member,
        vec![(world.store, StoreRole::Reader)],
    )
    .await;
    let changes = world.changes(changeset).await;
    let turns = [
        turn(&world.reviewer).await,
        turn(&world.admin).await,
        turn(&reader).await,
        turn(&world.stranger).await,
    ];
    assert_eq!(turns, [changes.len(), changes.len(), 0, 0]);
    for change in changes {
        world
            .vote(&world.reviewer, &change, Verdict::Approve)
            .await
            .unwrap();
    }
    let counts = world
        .lucid
        .queue_counts(&world.reviewer, &QueueFilter::default())
        .await
        .unwrap();
    let all = i64::try_from(world.changes(changeset).await.len()).unwrap();
    assert_eq!(
        (counts.open, counts.mine, counts.ready, counts.overdue),
        (all, 0, all, 0),
        "approved changes wait for their commit"
    );
    assert_eq!(
        badge(&world, &world.reviewer).await,
        0,
        "and for no decision"
    );
    world.wait_seconds(8 * 86_400);
    assert_eq!(
        world
            .lucid
            .queue_counts(&world.reviewer, &QueueFilter::default())
            .await
            .unwrap()
            .overdue,
        all
    );
    let request = world.commit_request(changeset, "all").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    assert_eq!(turn(&world.reviewer).await, 0);
    // High risk, of which one has given the first of two approvals, is the other's turn.
    let high = risky(&world).await;
    world
        .vote(&world.reviewer, &high, Verdict::Approve)
        .await
        .unwrap();
    assert_eq!(
        (turn(&world.reviewer).await, turn(&world.admin).await),
        (0, 1)
    );
    assert_eq!(
        (
            badge(&world, &world.reviewer).await,
            badge(&world, &world.admin).await
        ),
        (0, 1)
    );
    let others = QueueFilter {
        state: Some("others"),
        ..QueueFilter::default()
    };
    let (waits, _) = world
        .lucid
        .waiting_changes(&world.reviewer, &others, None)
        .await
        .unwrap();
    assert_eq!(
        waits
            .rows
            .iter()
            .map(|c| (c.id, c.given, c.needed))
            .collect::<Vec<_>>(),
        [(high.change.id, 1, 2)]
    );
    assert!(
        world
            .lucid
            .waiting_changes(&world.admin, &others, None)
            .await
            .unwrap()
            .0
            .rows
            .is_empty()
    );
    assert_eq!(
        world
            .lucid
            .neighbour(&world.admin, changeset, true)
            .await
            .unwrap(),
        Some(high.change.changeset_id)
    );
    assert_eq!(
        world
            .lucid
            .neighbour(&world.reviewer, changeset, false)
            .await
            .unwrap(),
        None
    );
}

/// What the queue's badge says.
async fn badge(world: &World, actor: &Actor) -> i64 {
    world.lucid.my_turn(actor, 100).await.unwrap()
}

async fn every_filter_of_the_queue_runs(world: World) {
    let changeset = world.proposal().await;
    let me = &world.reviewer;
    let changes = world.changes(changeset).await;
    let all = changes.len();
    let merges = changes
        .iter()
        .filter(|c| c.change.kind == ChangeKind::Merge)
        .count();
    let rows = async |filter: QueueFilter| {
        let (page, counts) = world
            .lucid
            .waiting_changes(me, &filter, None)
            .await
            .unwrap();
        assert!(
            counts.open >= i64::try_from(page.rows.len()).unwrap(),
            "{filter:?}"
        );
        page.rows.len()
    };
    let with = || QueueFilter::default();
    for (state, expected) in [
        (None, all),
        (Some("mine"), all),
        (Some("others"), 0),
        (Some("conflicted"), 0),
        (Some("deferred"), 0),
        (Some("ready"), 0),
        (Some("overdue"), 0),
    ] {
        assert_eq!(
            rows(QueueFilter { state, ..with() }).await,
            expected,
            "{state:?}"
        );
    }
    let path = changes[0].edits[0].path.to_string();
    let found = [
        (
            QueueFilter {
                kind: Some(ChangeKind::Merge),
                ..with()
            },
            merges,
        ),
        (
            QueueFilter {
                kind: Some(ChangeKind::Move),
                ..with()
            },
            0,
        ),
        (
            QueueFilter {
                label: Some(domain::risk::Label::Pii),
                ..with()
            },
            0,
        ),
        (
            QueueFilter {
                agent: Some("nobody".into()),
                ..with()
            },
            0,
        ),
        (
            QueueFilter {
                text: Some("50%_!".into()),
                ..with()
            },
            0,
        ),
        (
            QueueFilter {
                assignee: Some("nobody"),
                ..with()
            },
            all,
        ),
        (
            QueueFilter {
                assignee: Some("me"),
                ..with()
            },
            0,
        ),
        (
            QueueFilter {
                origin: Some(ChangesetOrigin::Dream),
                ..with()
            },
            all,
        ),
        (
            QueueFilter {
                origin: Some(ChangesetOrigin::Revert),
                ..with()
            },
            0,
        ),
        (
            QueueFilter {
                risk: Some(domain::risk::RiskLevel::High),
                ..with()
            },
            changes
                .iter()
                .filter(|c| c.change.risk_level == domain::risk::RiskLevel::High)
                .count(),
        ),
        (
            QueueFilter {
                store: Some(world.store),
                ..with()
            },
            all,
        ),
    ];
    for (filter, expected) in found {
        assert_eq!(rows(filter.clone()).await, expected, "{filter:?}");
    }
    assert!(
        rows(QueueFilter {
            text: Some(path.to_uppercase()),
            ..with()
        })
        .await
            >= 1,
        "a path is found in any case"
    );
    // Pages follow each other by due time and id.
    let (first, _) = world
        .lucid
        .waiting_changes(me, &with(), None)
        .await
        .unwrap();
    let last = first.rows.last().unwrap();
    assert!(first.rows.is_sorted_by_key(|c| (c.due_at, c.id)));
    assert!(
        world
            .lucid
            .waiting_changes(me, &with(), Some((last.due_at.0, last.id)))
            .await
            .unwrap()
            .0
            .rows
            .is_empty()
    );
    let (rest, _) = world
        .lucid
        .waiting_changes(
            me,
            &with(),
            Some((first.rows[0].due_at.0, first.rows[0].id)),
        )
        .await
        .unwrap();
    assert_eq!(rest.rows.len(), all - 1);
    // Whoever has no grant sees nothing.
    assert!(
        world
            .lucid
            .waiting_changes(&world.stranger, &with(), None)
            .await
            .unwrap()
            .0
            .rows
            .is_empty()
    );
    assert_eq!(badge(&world, &world.stranger).await, 0);
}

async fn quotes_are_revealed_to_who_decides_and_the_audit_says_so(world: World) {
    let changeset = world.proposal().await;
    let mut change = world.changes(changeset).await.remove(0);
    world
        .lucid
        .reveal_quotes(&world.reviewer, change.change.id)
        .await
        .unwrap();
    change.unmask();
    assert!(change.quotes.iter().all(|q| q.masked == q.row.quote));
    let reader = add(
        &world.lucid,
        "reader",
        Role::Member,
        vec![(world.store, StoreRole::Reader)],
    )
    .await;
    let seen = world
        .lucid
        .changeset(&reader, changeset)
        .await
        .unwrap()
        .changes
        .remove(0);
    assert!(
        !seen.may_decide,
        "what is unmasked is unmasked for who decides"
    );
    assert_eq!(
        world
            .lucid
            .reveal_quotes(&reader, seen.change.id)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    let entries = world
        .lucid
        .audit(
            &world.admin,
            &service::AuditFilter {
                action: Some(AuditAction::ChangeReveal),
                ..Default::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(entries.rows.len(), 1);
}

async fn a_saved_view_is_ones_own(world: World) {
    let lucid = &world.lucid;
    lucid
        .save_view(&world.reviewer, " High risk ", "risk=high")
        .await
        .unwrap();
    lucid
        .save_view(&world.reviewer, "Äpfel", "kind=add&q=%C3%A4")
        .await
        .unwrap();
    lucid
        .save_view(&world.reviewer, "High risk", "risk=high&kind=remove")
        .await
        .unwrap();
    let mine = lucid.saved_views(&world.reviewer).await.unwrap();
    let shown: Vec<(&str, &str)> = mine
        .iter()
        .map(|v| (v.name.as_str(), v.query.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("High risk", "risk=high&kind=remove"),
            ("Äpfel", "kind=add&q=%C3%A4")
        ],
        "the last of a name counts"
    );
    assert!(
        lucid.saved_views(&world.admin).await.unwrap().is_empty(),
        "nobody sees those of others"
    );
    assert_eq!(
        lucid
            .delete_view(&world.admin, "High risk")
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    for (name, query) in [
        ("", "a=b"),
        ("x\u{202e}y", "a=b"),
        (&"x".repeat(41), "a=b"),
        ("x", "a\r\nb"),
        ("x", &"a".repeat(1_001)),
    ] {
        assert_eq!(
            lucid
                .save_view(&world.reviewer, name, query)
                .await
                .unwrap_err()
                .kind(),
            Kind::Invalid,
            "{name:?} {query:?}"
        );
    }
    for n in 2..20 {
        lucid
            .save_view(&world.reviewer, &format!("View {n}"), "risk=low")
            .await
            .unwrap();
    }
    let full = lucid
        .save_view(&world.reviewer, "One more", "risk=low")
        .await
        .unwrap_err();
    assert!(full.to_string().contains("20 saved views"), "{full}");
    lucid
        .save_view(&world.reviewer, "View 2", "risk=medium")
        .await
        .unwrap();
    lucid.delete_view(&world.reviewer, "View 2").await.unwrap();
    lucid
        .save_view(&world.reviewer, "One more", "risk=low")
        .await
        .unwrap();
    assert_eq!(
        lucid
            .save_view(&Actor::operator(), "x", "a=b")
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission,
        "a view is a person's"
    );
}
