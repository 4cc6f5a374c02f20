//! Policies: from a draft to a change that was applied, who may let them, and everything that keeps
//! them from it. On both engines.

use std::{collections::BTreeSet, sync::Arc};

use domain::{
    actor::{Actor, Grant, Role, StoreRole},
    audit_action::AuditAction,
    changeset::{ChangeKind, ChangeState, Contribution, RejectCode},
    ids::{ChangesetId, PolicyId},
    policy::{
        Applying, Effect, Outcome as Said, OutcomeKind, PRESETS, PolicyFile, Rule, VersionState,
        Wider, Window,
    },
};
use service::{
    AuditFilter, ChangeView, Kind, NewFreeze, NewUser, Outcome, Place, PolicyView, SetStop, Verdict,
};

use crate::world::{World, actor, on_both_engines};

on_both_engines!(
    a_preset_becomes_an_active_policy_and_applies_a_change,
    a_policy_needs_a_test_a_back_test_and_a_second_admin,
    a_version_that_was_tested_never_changes,
    what_is_held_waits_for_people,
    a_sample_is_checked_by_somebody_else_and_an_objection_pauses_the_policy,
    a_stop_holds_at_once_and_two_admins_lift_it,
    nothing_is_committed_during_a_freeze,
    a_rule_does_not_apply_what_its_author_contributed_to,
    a_rule_does_not_apply_what_its_author_backs_later,
    limits_hold_with_fifty_workers,
    the_stop_wins_against_fifty_workers,
    a_policy_applies_only_in_stores_that_its_admins_own,
    what_was_asked_for_is_what_is_confirmed,
    forbids_outlive_a_pause_and_a_newer_version,
    what_becomes_allowed_cools_off_first,
    a_deleted_store_keeps_nobody_asking,
    what_forbids_is_retired_by_two_admins_only,
    the_inputs_of_the_past_are_asked_as_live_ones_are,
    a_back_test_names_what_people_rejected,
    a_policy_ends_on_its_day_and_applies_in_its_hours,
    what_is_edited_frozen_or_approved_lately_waits_for_people,
    stores_that_are_not_seen_are_not_named,
);

const GOOD: &str = "a long enough phrase";

/// A second admin, who could confirm what the first asks for.
pub async fn second_admin(world: &World) -> Actor {
    let grants = vec![Grant::whole(world.store, StoreRole::Owner)];
    let new = NewUser {
        email: "second@lucid.example".to_owned(),
        name: "second".to_owned(),
        role: Role::Admin,
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

/// A preset with other limits.
pub fn preset(world: &World, key: usize, applying: Applying) -> PolicyFile {
    PolicyFile {
        applying,
        ..PRESETS[key].file(&[world.store])
    }
}

/// Applies at once, and has nobody check it.
pub fn at_once() -> Applying {
    Applying {
        after_hours: 0,
        sample_percent: 0,
        most_a_day: 100,
        ..Applying::default()
    }
}

/// A policy that is active; where one admin is alone, that is recorded as overridden.
pub async fn active(world: &World, file: &PolicyFile) -> PolicyId {
    let lucid = &world.lucid;
    let id = lucid.create_policy(&world.admin, file, None).await.unwrap();
    lucid
        .move_policy_on(&world.admin, id, 1, VersionState::Shadow)
        .await
        .unwrap();
    lucid
        .back_test_policy(&world.admin, id, 1, 90)
        .await
        .unwrap();
    assert_eq!(
        lucid
            .move_policy_on(&world.admin, id, 1, VersionState::Active)
            .await
            .unwrap(),
        Outcome::Done
    );
    id
}

/// Asks and applies, as a worker does.
pub async fn work(world: &World) {
    world.lucid.keep_policies().await.unwrap();
}

async fn view(world: &World, id: PolicyId) -> PolicyView {
    world.lucid.policy(&world.admin, id, None).await.unwrap()
}

async fn merge_of(world: &World, id: ChangesetId) -> ChangeView {
    world
        .changes(id)
        .await
        .into_iter()
        .find(|c| c.change.kind == ChangeKind::Merge)
        .unwrap()
}

async fn state_of_merge(world: &World, id: ChangesetId) -> ChangeState {
    merge_of(world, id).await.change.state
}

async fn said(world: &World, id: ChangesetId, kind: ChangeKind) -> service::Answered {
    let change = world
        .changes(id)
        .await
        .into_iter()
        .find(|c| c.change.kind == kind)
        .unwrap()
        .change
        .id;
    world
        .lucid
        .policy_answers(&world.reviewer, &[id])
        .await
        .unwrap()
        .0
        .remove(&change)
        .unwrap()
}

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

/// So many pairs of notes that say the same, as many merges in one changeset.
pub async fn merges(world: &World, n: usize) -> ChangesetId {
    let texts: Vec<(String, String)> = (0..n * 2)
        .map(|i| {
            (
                format!("/notes/{i}.md"),
                format!(
                    "The office of region {} opens at nine on each day.",
                    word(i / 2)
                ),
            )
        })
        .collect();
    let all: Vec<(&str, &str, bool)> = texts
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str(), false))
        .collect();
    world.remember(&all).await;
    let id = world.dream().await.expect("merges");
    assert_eq!(world.changes(id).await.len(), n);
    id
}

/// A word of letters for a number.
fn word(n: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
    [n, n / 26, n * 7, n * 11].into_iter().map(letter).collect()
}

async fn a_preset_becomes_an_active_policy_and_applies_a_change(world: World) {
    let lucid = &world.lucid;
    let id = active(
        &world,
        &preset(
            &world,
            0,
            Applying {
                sample_percent: 0,
                ..Applying::default()
            },
        ),
    )
    .await;
    let changeset = world.proposal().await;
    work(&world).await;
    let answer = said(&world, changeset, ChangeKind::Merge).await;
    assert!(answer.outcome.is_allowed(), "{:?}", answer.outcome);
    assert_eq!(
        (answer.row.policy_name.as_deref(), answer.row.number),
        (Some("Safe housekeeping"), Some(1))
    );
    let failure = said(&world, changeset, ChangeKind::Add).await;
    assert!(
        matches!(&failure.outcome, Said::Review { unmet } if !unmet.is_empty())
            || matches!(failure.outcome, Said::Forbid { .. })
    );
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Pending,
        "the cooling-off is not over"
    );
    world.wait_seconds(23 * 3_600);
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Pending
    );
    world.wait_seconds(2 * 3_600);
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Committed
    );
    assert_eq!(world.paths().await, ["/a.md"]);
    // Who approved it is the policy, wherever that is asked.
    let (_, applied) = lucid
        .policy_answers(&world.reviewer, &[changeset])
        .await
        .unwrap();
    let applied = applied.into_values().next().unwrap();
    assert_eq!(
        (applied.policy_id, applied.number, applied.sampled),
        (id, 1, false)
    );
    let commit = lucid
        .history(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows
        .remove(0)
        .commit;
    assert!(
        commit.approvals.contains("the policy Safe housekeeping v1"),
        "{}",
        commit.approvals
    );
    let did = view(&world, id).await.summary.did.unwrap();
    assert_eq!((did.applied, did.overridden), (1, 0));
    // Whoever has it taken back overrides the policy.
    let revert = lucid.revert(&world.admin, commit.id).await.unwrap();
    let inverse = world.changes(revert).await.remove(0);
    world
        .vote(&world.reviewer, &inverse, Verdict::Approve)
        .await
        .unwrap();
    lucid
        .commit(
            &world.reviewer,
            &world.commit_request(revert, "revert").await,
        )
        .await
        .unwrap();
    assert_eq!(view(&world, id).await.summary.did.unwrap().overridden, 1);
    world.verified().await;
}

async fn a_policy_needs_a_test_a_back_test_and_a_second_admin(world: World) {
    let lucid = &world.lucid;
    let second = second_admin(&world).await;
    let refused = |error: service::Error| {
        assert_eq!(error.kind(), Kind::Conflict, "{error}");
        error.to_string()
    };
    let untested = PolicyFile {
        tests: Vec::new(),
        ..preset(&world, 0, at_once())
    };
    let id = lucid
        .create_policy(&world.admin, &untested, None)
        .await
        .unwrap();
    let go = |number, to| lucid.move_policy_on(&world.admin, id, number, to);
    assert!(refused(go(1, VersionState::Active).await.unwrap_err()).contains("draft"));
    go(1, VersionState::Shadow).await.unwrap();
    lucid
        .back_test_policy(&world.admin, id, 1, 30)
        .await
        .unwrap();
    assert!(refused(go(1, VersionState::Active).await.unwrap_err()).contains("test"));
    // A test that fails keeps it from becoming active, too.
    let mut failing = preset(&world, 0, at_once());
    failing.tests[0].expect = OutcomeKind::Forbid;
    let shown = view(&world, id).await.version.sha256;
    assert_eq!(
        lucid
            .edit_policy(&world.admin, id, &shown, &failing)
            .await
            .unwrap(),
        2
    );
    go(2, VersionState::Shadow).await.unwrap();
    lucid
        .back_test_policy(&world.admin, id, 2, 30)
        .await
        .unwrap();
    assert!(
        refused(go(2, VersionState::Active).await.unwrap_err()).contains(&failing.tests[0].name)
    );
    let shown = view(&world, id).await.version.sha256;
    assert_eq!(
        lucid
            .edit_policy(&world.admin, id, &shown, &preset(&world, 0, at_once()))
            .await
            .unwrap(),
        3
    );
    go(3, VersionState::Shadow).await.unwrap();
    assert!(refused(go(3, VersionState::Active).await.unwrap_err()).contains("back-test"));
    lucid
        .back_test_policy(&world.admin, id, 3, 30)
        .await
        .unwrap();
    world.wait_seconds(86_401);
    assert!(
        refused(go(3, VersionState::Active).await.unwrap_err()).contains("back-test"),
        "it counts for a day"
    );
    lucid
        .back_test_policy(&world.admin, id, 3, 30)
        .await
        .unwrap();
    let Outcome::Waits(waits) = go(3, VersionState::Active).await.unwrap() else {
        panic!("nobody activates alone")
    };
    let changeset = world.proposal().await;
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Pending,
        "it waits for a second admin"
    );
    assert_eq!(
        lucid
            .confirm_setting(&world.admin, waits)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    assert_eq!(
        lucid
            .confirm_setting(&world.reviewer, waits)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    lucid.confirm_setting(&second, waits).await.unwrap();
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Committed
    );
    // Pausing is for one; resuming is for two, with a fresh back-test.
    assert_eq!(go(3, VersionState::Paused).await.unwrap(), Outcome::Done);
    let Outcome::Waits(waits) = go(3, VersionState::Active).await.unwrap() else {
        panic!("nobody resumes alone")
    };
    world.wait_seconds(86_401);
    assert!(
        refused(lucid.confirm_setting(&second, waits).await.unwrap_err()).contains("back-test")
    );
    lucid.back_test_policy(&second, id, 3, 30).await.unwrap();
    lucid.confirm_setting(&second, waits).await.unwrap();
    // Nobody who is not an admin writes, moves or tests one.
    for who in [&world.reviewer, &world.stranger] {
        assert_eq!(
            lucid
                .create_policy(who, &preset(&world, 1, at_once()), None)
                .await
                .unwrap_err()
                .kind(),
            Kind::Permission
        );
        assert_eq!(
            lucid
                .move_policy_on(who, id, 3, VersionState::Paused)
                .await
                .unwrap_err()
                .kind(),
            Kind::Permission
        );
        assert_eq!(
            lucid
                .back_test_policy(who, id, 3, 30)
                .await
                .unwrap_err()
                .kind(),
            Kind::Permission
        );
    }
    let saved = AuditFilter {
        action: Some(AuditAction::PolicySave),
        ..Default::default()
    };
    let text = lucid.audit(&world.admin, &saved).await.unwrap().rows[0]
        .row
        .payload
        .clone()
        .unwrap();
    assert!(
        text.contains("merges that lose nothing"),
        "the trail has the text of the rules: {text}"
    );
    world.verified().await;
}

async fn a_version_that_was_tested_never_changes(world: World) {
    let lucid = &world.lucid;
    let id = active(&world, &preset(&world, 0, Applying::default())).await;
    let first = view(&world, id).await.version;
    let number = lucid
        .edit_policy(
            &world.admin,
            id,
            &first.sha256,
            &preset(&world, 0, at_once()),
        )
        .await
        .unwrap();
    assert_eq!(number, 2);
    let shown = view(&world, id).await;
    assert_eq!(
        (shown.version.number, shown.version.state, shown.in_force),
        (2, VersionState::Draft, Some(1))
    );
    assert_eq!(shown.wider, Some(Wider::No), "the rules are the same");
    assert_eq!(shown.looser[0], "after 0 instead of 24 hours");
    assert!(
        shown.differences.iter().any(|d| d.about == "cooling-off"),
        "{:?}",
        shown.differences
    );
    // Who edits what somebody else has saved meanwhile, is told.
    let stale = lucid
        .edit_policy(
            &world.admin,
            id,
            &first.sha256,
            &preset(&world, 0, at_once()),
        )
        .await
        .unwrap_err();
    assert_eq!(stale.kind(), Kind::Conflict);
    for sql in [
        "UPDATE policy_versions SET content = 'x' WHERE number = 1",
        "DELETE FROM policy_versions",
        "DELETE FROM policy_applications WHERE 1 = 1",
    ] {
        let done = match &world.db {
            store::Db::Sqlite { write, .. } => sqlx::query(sql)
                .execute(write)
                .await
                .map(|d| d.rows_affected()),
            store::Db::Postgres(pool) => sqlx::query(sql)
                .execute(pool)
                .await
                .map(|d| d.rows_affected()),
        };
        assert!(done.is_err() || done.unwrap() == 0, "{sql}");
    }
    // The new version takes the place of the old one.
    lucid
        .move_policy_on(&world.admin, id, 2, VersionState::Shadow)
        .await
        .unwrap();
    lucid
        .back_test_policy(&world.admin, id, 2, 30)
        .await
        .unwrap();
    lucid
        .move_policy_on(&world.admin, id, 2, VersionState::Active)
        .await
        .unwrap();
    let states: Vec<_> = view(&world, id)
        .await
        .versions
        .iter()
        .map(|v| (v.number, v.state))
        .collect();
    assert_eq!(
        states,
        [(2, VersionState::Active), (1, VersionState::Retired)]
    );
    world.verified().await;
}

async fn what_is_held_waits_for_people(world: World) {
    let lucid = &world.lucid;
    active(
        &world,
        &preset(
            &world,
            0,
            Applying {
                sample_percent: 0,
                ..Applying::default()
            },
        ),
    )
    .await;
    let changeset = world.proposal().await;
    work(&world).await;
    let merge = merge_of(&world, changeset).await.change.id;
    assert_eq!(
        lucid
            .hold_change(&world.stranger, merge)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    lucid.hold_change(&world.reviewer, merge).await.unwrap();
    lucid.hold_change(&world.reviewer, merge).await.unwrap();
    assert_eq!(
        said(&world, changeset, ChangeKind::Merge)
            .await
            .row
            .held_by
            .as_deref(),
        Some("reviewer")
    );
    world.wait_seconds(48 * 3_600);
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Pending
    );
    // Somebody who works on the changeset is not overtaken either.
    lucid.release_change(&world.reviewer, merge).await.unwrap();
    lucid.claim(&world.reviewer, changeset).await.unwrap();
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Pending
    );
    lucid.release(&world.reviewer, changeset).await.unwrap();
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Committed
    );
    assert_eq!(
        (
            entries(&world, AuditAction::PolicyHold).await,
            entries(&world, AuditAction::PolicyRelease).await
        ),
        (1, 1)
    );
    world.verified().await;
}

async fn a_sample_is_checked_by_somebody_else_and_an_objection_pauses_the_policy(world: World) {
    let lucid = &world.lucid;
    let id = active(
        &world,
        &preset(
            &world,
            0,
            Applying {
                sample_percent: 100,
                ..at_once()
            },
        ),
    )
    .await;
    let changeset = world.proposal().await;
    work(&world).await;
    let waiting = lucid.samples(&world.reviewer).await.unwrap().rows;
    assert_eq!(waiting.len(), 1);
    assert!(
        lucid
            .samples(&world.stranger)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    let change = waiting[0].change_id;
    assert_eq!(waiting[0].changeset_id, changeset);
    let own = lucid
        .check_application(&world.admin, change, true, "")
        .await
        .unwrap_err();
    assert_eq!(
        own.kind(),
        Kind::Permission,
        "whoever wrote the policy does not check it"
    );
    assert_eq!(
        lucid
            .check_application(&world.stranger, change, true, "")
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    lucid
        .check_application(&world.reviewer, change, false, "Both were needed.")
        .await
        .unwrap();
    assert_eq!(
        lucid
            .check_application(&world.reviewer, change, true, "")
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    let version = view(&world, id).await.version;
    assert_eq!(version.state, VersionState::Paused);
    assert!(
        version.note.contains("overrode 1 of its last 1 change"),
        "{}",
        version.note
    );
    assert!(
        lucid
            .samples(&world.reviewer)
            .await
            .unwrap()
            .rows
            .is_empty()
    );
    // Its owner is told, and nobody else.
    assert_eq!(lucid.paused_policies(&world.admin).await.unwrap().len(), 1);
    assert!(
        lucid
            .paused_policies(&world.reviewer)
            .await
            .unwrap()
            .is_empty()
    );
    world.verified().await;
}

async fn a_stop_holds_at_once_and_two_admins_lift_it(world: World) {
    let lucid = &world.lucid;
    active(&world, &preset(&world, 0, at_once())).await;
    let second = second_admin(&world).await;
    let changeset = world.proposal().await;
    let stop = |store| SetStop {
        store,
        reason: "Something is odd.".to_owned(),
    };
    let foreign = lucid
        .stop_policies(&world.stranger, &stop(Some(world.store)))
        .await
        .unwrap_err();
    assert_eq!(
        foreign.kind(),
        Kind::NotFound,
        "a store that somebody does not know is not there for them"
    );
    for store in [None, Some(world.store)] {
        lucid
            .stop_policies(&world.reviewer, &stop(store))
            .await
            .unwrap();
        work(&world).await;
        assert_eq!(
            state_of_merge(&world, changeset).await,
            ChangeState::Pending
        );
        let stops = lucid.policies(&world.reviewer).await.unwrap().stops;
        assert_eq!(
            (stops.len(), stops[0].1.as_str(), stops[0].0.reason.as_str()),
            (1, "reviewer", "Something is odd.")
        );
        assert_eq!(
            lucid
                .lift_stop(&world.reviewer, store)
                .await
                .unwrap_err()
                .kind(),
            Kind::Permission
        );
        let Outcome::Waits(waits) = lucid.lift_stop(&world.admin, store).await.unwrap() else {
            panic!("two admins lift a stop")
        };
        if store.is_none() {
            lucid.confirm_setting(&second, waits).await.unwrap();
            assert!(
                lucid
                    .policies(&world.reviewer)
                    .await
                    .unwrap()
                    .stops
                    .is_empty()
            );
        }
    }
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Pending,
        "the store is stopped still"
    );
    let waits = lucid
        .waiting_settings(&second)
        .await
        .unwrap()
        .remove(0)
        .row
        .id;
    lucid.confirm_setting(&second, waits).await.unwrap();
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Committed
    );
    world.verified().await;
}

async fn nothing_is_committed_during_a_freeze(world: World) {
    let lucid = &world.lucid;
    active(&world, &preset(&world, 0, at_once())).await;
    let changeset = world.proposal().await;
    let now = lucid.now();
    let freeze = NewFreeze {
        store: None,
        starts_at: now,
        ends_at: now.plus_seconds(3_600),
        reason: "Quarter-end.".to_owned(),
        exceptions: vec!["admin@lucid.example".to_owned()],
    };
    assert_eq!(
        lucid
            .freeze_commits(&world.reviewer, &freeze)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    for bad in [
        NewFreeze {
            reason: " ".to_owned(),
            ..freeze.clone()
        },
        NewFreeze {
            ends_at: now,
            ..freeze.clone()
        },
        NewFreeze {
            exceptions: vec!["nobody@lucid.example".to_owned()],
            ..freeze.clone()
        },
    ] {
        assert_eq!(
            lucid
                .freeze_commits(&world.admin, &bad)
                .await
                .unwrap_err()
                .kind(),
            Kind::Invalid,
            "{bad:?}"
        );
    }
    let id = lucid.freeze_commits(&world.admin, &freeze).await.unwrap();
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Pending
    );
    let add = world
        .changes(changeset)
        .await
        .into_iter()
        .find(|c| c.change.kind == ChangeKind::Add)
        .unwrap();
    world
        .vote(&world.reviewer, &add, Verdict::Approve)
        .await
        .unwrap();
    let request = world.commit_request(changeset, "frozen").await;
    let refused = lucid.commit(&world.reviewer, &request).await.unwrap_err();
    assert!(refused.to_string().contains("Quarter-end."), "{refused}");
    assert_eq!(
        world.changes(changeset).await[0].change.state,
        ChangeState::Approved,
        "the decision stays"
    );
    // Whoever is named may commit.
    lucid.commit(&world.admin, &request).await.unwrap();
    let frozen = lucid.freezes(&world.reviewer).await.unwrap();
    assert_eq!(
        (frozen.len(), frozen[0].now, &frozen[0].exceptions[..]),
        (1, true, &["admin".to_owned()][..])
    );
    lucid.end_freeze(&world.admin, id).await.unwrap();
    world.wait_seconds(301);
    assert_eq!(
        lucid.end_freeze(&world.admin, id).await.unwrap_err().kind(),
        Kind::NotFound
    );
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Committed
    );
    world.verified().await;
}

async fn a_rule_does_not_apply_what_its_author_contributed_to(world: World) {
    let lucid = &world.lucid;
    let changeset = world.proposal().await;
    let merge = merge_of(&world, changeset).await.change.id;
    let author = world.admin.who.person().unwrap();
    let mut tx = world.db.write().await.unwrap();
    store::decisions::contribute(&mut tx, merge, author, Contribution::Recorded, lucid.now())
        .await
        .unwrap();
    world.record(&mut tx).await;
    tx.commit().await.unwrap();
    active(&world, &preset(&world, 0, at_once())).await;
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Pending
    );
    assert!(matches!(
        said(&world, changeset, ChangeKind::Merge).await.outcome,
        Said::Review { .. }
    ));
    // In solo mode one person alone decides, and that is recorded on the commit.
    lucid
        .set_disabled(&world.admin, world.reviewer.who.person().unwrap(), true)
        .await
        .unwrap();
    lucid
        .set_disabled(&world.admin, world.stranger.who.person().unwrap(), true)
        .await
        .unwrap();
    lucid.set_solo(&world.admin, true).await.unwrap();
    world.wait_seconds(86_401);
    work(&world).await;
    assert_eq!(
        world
            .lucid
            .changeset(&world.admin, changeset)
            .await
            .unwrap()
            .changes[1]
            .change
            .state,
        ChangeState::Committed
    );
    let commit = lucid
        .history(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows
        .remove(0);
    assert!(commit.solo);
    world.verified().await;
}

/// Evidence that comes later is an appendix, so that whoever recorded it may approve the change; a
/// rule of theirs does not apply it.
async fn a_rule_does_not_apply_what_its_author_backs_later(world: World) {
    let lucid = &world.lucid;
    let changeset = world.proposal().await;
    let merge = merge_of(&world, changeset).await.change;
    let taken_in = world
        .import_as(&world.admin, &crate::world::failing("late", "t9", 9))
        .await;
    let [service::Imported::Added(late)] = taken_in[..] else {
        panic!("{taken_in:?}")
    };
    let mut tx = world.write().await;
    let (event_id, text) = store::sessions::event_at(&mut tx, late, 1)
        .await
        .unwrap()
        .unwrap();
    let quote = domain::changeset::Quote {
        session_id: late,
        event_id,
        start: 0,
        end: 4,
        text: text[..4].to_owned(),
        counter: false,
    };
    let id = domain::ids::EvidenceId::new(lucid.now(), [7; 10]);
    store::evidence::insert(&mut tx, id, (merge.id, 7), &quote, true)
        .await
        .unwrap();
    world.record(&mut tx).await;
    tx.commit().await.unwrap();
    active(&world, &preset(&world, 0, at_once())).await;
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Pending
    );
    let view = merge_of(&world, changeset).await;
    world
        .vote(&world.admin, &view, Verdict::Approve)
        .await
        .unwrap();
    world.verified().await;
}

async fn limits_hold_with_fifty_workers(world: World) {
    let id = active(
        &world,
        &preset(
            &world,
            0,
            Applying {
                most_a_day: 5,
                ..at_once()
            },
        ),
    )
    .await;
    let changeset = merges(&world, 12).await;
    while world.lucid.ask_policies().await.unwrap() {}
    let world = Arc::new(world);
    at_once_by_fifty(&world).await;
    assert_eq!(committed(&world, changeset).await, 5);
    // Of a day that is over, nothing counts any more.
    world.wait_seconds(86_401);
    at_once_by_fifty(&world).await;
    assert_eq!(committed(&world, changeset).await, 10);
    assert_eq!(view(&world, id).await.summary.did.unwrap().applied, 10);
    world.verified().await;
}

async fn at_once_by_fifty(world: &Arc<World>) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let lucid = world.lucid.clone();
        tasks.spawn(async move { lucid.apply_due().await.unwrap() });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

async fn committed(world: &World, id: ChangesetId) -> usize {
    world
        .changes(id)
        .await
        .iter()
        .filter(|c| c.change.state == ChangeState::Committed)
        .count()
}

async fn the_stop_wins_against_fifty_workers(world: World) {
    active(&world, &preset(&world, 0, at_once())).await;
    let changeset = merges(&world, 12).await;
    while world.lucid.ask_policies().await.unwrap() {}
    let world = Arc::new(world);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let lucid = world.lucid.clone();
        tasks.spawn(async move { lucid.apply_due().await.unwrap() });
    }
    // In the middle of it, if the machine gives it a turn.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    world
        .lucid
        .stop_policies(
            &world.admin,
            &SetStop {
                store: None,
                reason: String::new(),
            },
        )
        .await
        .unwrap();
    let when_it_returned = committed(&world, changeset).await;
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    at_once_by_fifty(&world).await;
    assert_eq!(
        committed(&world, changeset).await,
        when_it_returned,
        "nothing lands once the stop has returned"
    );
    world.verified().await;
}

async fn a_policy_applies_only_in_stores_that_its_admins_own(world: World) {
    let lucid = &world.lucid;
    let anywhere = PolicyFile {
        applying: at_once(),
        ..PRESETS[0].file(&[])
    };
    let id = lucid
        .create_policy(&world.admin, &anywhere, None)
        .await
        .unwrap();
    lucid
        .move_policy_on(&world.admin, id, 1, VersionState::Shadow)
        .await
        .unwrap();
    lucid
        .back_test_policy(&world.admin, id, 1, 30)
        .await
        .unwrap();
    let refused = lucid
        .move_policy_on(&world.admin, id, 1, VersionState::Active)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("name the stores"), "{refused}");
    let shown = view(&world, id).await.version.sha256;
    lucid
        .edit_policy(&world.admin, id, &shown, &preset(&world, 0, at_once()))
        .await
        .unwrap();
    lucid
        .move_policy_on(&world.admin, id, 2, VersionState::Shadow)
        .await
        .unwrap();
    lucid
        .back_test_policy(&world.admin, id, 2, 30)
        .await
        .unwrap();
    // An admin without a grant on the store neither activates it nor confirms it, and does not
    // count as the second.
    let elsewhere = crate::world::add(lucid, "elsewhere", Role::Admin, Vec::new()).await;
    let foreign = lucid
        .move_policy_on(&elsewhere, id, 2, VersionState::Active)
        .await
        .unwrap_err();
    assert_eq!(foreign.kind(), Kind::NotFound);
    let second = second_admin(&world).await;
    let Outcome::Waits(waits) = lucid
        .move_policy_on(&world.admin, id, 2, VersionState::Active)
        .await
        .unwrap()
    else {
        panic!("two admins activate it")
    };
    assert_eq!(
        lucid
            .confirm_setting(&elsewhere, waits)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    lucid.confirm_setting(&second, waits).await.unwrap();
    world.verified().await;
}

async fn what_forbids_is_retired_by_two_admins_only(world: World) {
    let lucid = &world.lucid;
    active(&world, &preset(&world, 0, at_once())).await;
    let forbid = PolicyFile {
        name: "No merges".to_owned(),
        rules: vec![Rule {
            kinds: BTreeSet::from([ChangeKind::Merge]),
            ..Rule::new("merges", Effect::Forbid)
        }],
        tests: vec![domain::policy::Case {
            name: "a merge waits".to_owned(),
            change: domain::policy::Input {
                paths: BTreeSet::from(["/a.md".to_owned()]),
                ..domain::policy::Input::new(
                    world.store,
                    ChangeKind::Merge,
                    domain::risk::RiskLevel::Low,
                )
            },
            expect: OutcomeKind::Forbid,
        }],
        ..PolicyFile::default()
    };
    let second = second_admin(&world).await;
    let id = lucid
        .create_policy(&world.admin, &forbid, None)
        .await
        .unwrap();
    lucid
        .move_policy_on(&world.admin, id, 1, VersionState::Shadow)
        .await
        .unwrap();
    lucid
        .back_test_policy(&world.admin, id, 1, 30)
        .await
        .unwrap();
    let done = lucid
        .move_policy_on(&world.admin, id, 1, VersionState::Active)
        .await
        .unwrap();
    assert_eq!(
        done,
        Outcome::Done,
        "what only forbids makes the gate stronger"
    );
    let changeset = world.proposal().await;
    work(&world).await;
    let answer = said(&world, changeset, ChangeKind::Merge).await;
    assert!(
        matches!(&answer.outcome, Said::Forbid { rules, .. } if rules == &["No merges: merges"]),
        "{:?}",
        answer.outcome
    );
    let Outcome::Waits(waits) = lucid
        .move_policy_on(&world.admin, id, 1, VersionState::Retired)
        .await
        .unwrap()
    else {
        panic!("what it forbids could be applied")
    };
    lucid.confirm_setting(&second, waits).await.unwrap();
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Committed
    );
    world.verified().await;
}

async fn the_inputs_of_the_past_are_asked_as_live_ones_are(world: World) {
    let lucid = &world.lucid;
    let live = active(
        &world,
        &preset(
            &world,
            0,
            Applying {
                after_hours: 100,
                ..at_once()
            },
        ),
    )
    .await;
    let changeset = world.proposal().await;
    work(&world).await;
    let answers = lucid
        .policy_answers(&world.reviewer, &[changeset])
        .await
        .unwrap()
        .0;
    let allowed = answers.values().filter(|a| a.outcome.is_allowed()).count();
    let report = lucid
        .back_test_policy(&world.admin, live, 1, 30)
        .await
        .unwrap();
    assert_eq!(
        (report.replayed, report.applied_in_all()),
        (answers.len(), allowed)
    );
    assert_eq!(
        lucid
            .back_test_policy(&world.admin, live, 1, 30)
            .await
            .unwrap(),
        report,
        "twice the same"
    );
    // A change that waits becomes a test, with what the version says of it.
    let merge = merge_of(&world, changeset).await.change.id;
    let shown = view(&world, live).await.version.sha256;
    assert_eq!(
        lucid
            .add_policy_test(&world.reviewer, live, &shown, merge)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    assert_eq!(
        lucid
            .add_policy_test(&world.admin, live, &shown, merge)
            .await
            .unwrap(),
        2
    );
    let draft = view(&world, live).await;
    assert!(
        draft.tests.passed()
            && draft
                .file
                .tests
                .last()
                .unwrap()
                .name
                .ends_with("merge of medium risk (allow)"),
        "{:?}",
        draft.file.tests.last()
    );
    // A draft is tried on what waits by the same code.
    let tried = lucid
        .try_policy(&world.admin, &preset(&world, 0, at_once()))
        .await
        .unwrap();
    assert_eq!(
        tried.iter().filter(|w| w.outcome.is_allowed()).count(),
        allowed
    );
    for one in &tried {
        assert_eq!(
            one.outcome.is_allowed(),
            answers[&one.change].outcome.is_allowed()
        );
    }
}

async fn a_back_test_names_what_people_rejected(world: World) {
    let lucid = &world.lucid;
    let changeset = world.proposal().await;
    for change in world.changes(changeset).await {
        world
            .vote(&world.reviewer, &change, Verdict::Reject(RejectCode::Never))
            .await
            .unwrap();
    }
    // Decided before any worker had looked: its inputs are read from what is stored.
    work(&world).await;
    let id = lucid
        .create_policy(&world.admin, &preset(&world, 0, at_once()), None)
        .await
        .unwrap();
    lucid
        .back_test_policy(&world.admin, id, 1, 30)
        .await
        .unwrap();
    let shown = view(&world, id).await.back_test.unwrap();
    assert!(shown.current);
    assert_eq!(shown.report.against.len(), 1);
    let (change, fate) = shown.report.against[0];
    assert_eq!(fate, domain::policy::Fate::Rejected);
    assert_eq!(shown.titles[&change].1, changeset);
    assert_eq!(shown.report.agreement.unwrap().agreed, 0);
    world.verified().await;
}

async fn a_policy_ends_on_its_day_and_applies_in_its_hours(world: World) {
    let lucid = &world.lucid;
    // The clock begins at 3:00 UTC on 22 November 2026.
    let window = Some(Window {
        cron: "0 22 * * *".to_owned(),
        time_zone: "UTC".to_owned(),
        hours: 2,
    });
    let id = active(
        &world,
        &preset(
            &world,
            0,
            Applying {
                window,
                expires_on: Some("2026-11-24".to_owned()),
                ..at_once()
            },
        ),
    )
    .await;
    let changeset = merges(&world, 1).await;
    work(&world).await;
    assert_eq!(
        committed(&world, changeset).await,
        0,
        "its hours are from ten to midnight"
    );
    world.wait_seconds(20 * 3_600);
    work(&world).await;
    assert_eq!(committed(&world, changeset).await, 1);
    world.wait_seconds(2 * 86_400);
    work(&world).await;
    let version = view(&world, id).await.version;
    assert_eq!(
        (version.state, version.note.as_str()),
        (VersionState::Retired, "It expired.")
    );
    let wrong = Window {
        cron: "never".to_owned(),
        time_zone: "UTC".to_owned(),
        hours: 2,
    };
    let bad = PolicyFile {
        name: "Bad".to_owned(),
        ..preset(
            &world,
            0,
            Applying {
                window: Some(wrong),
                ..at_once()
            },
        )
    };
    assert_eq!(
        lucid
            .create_policy(&world.admin, &bad, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
    world.verified().await;
}

async fn what_is_edited_frozen_or_approved_lately_waits_for_people(world: World) {
    let lucid = &world.lucid;
    let trusting = active(&world, &preset(&world, 1, at_once())).await;
    lucid
        .stop_policies(
            &world.admin,
            &SetStop {
                store: None,
                reason: String::new(),
            },
        )
        .await
        .unwrap();
    let changeset = world.proposal().await;
    let add = world
        .changes(changeset)
        .await
        .into_iter()
        .find(|c| c.change.kind == ChangeKind::Add)
        .unwrap();
    lucid
        .edit_change(
            &world.admin,
            add.change.id,
            (1, &add.change.digest),
            &["# Seats\n\nBook one seat.\n".to_owned()],
        )
        .await
        .unwrap();
    work(&world).await;
    let edited = said(&world, changeset, ChangeKind::Add).await;
    assert!(
        matches!(&edited.outcome, Said::Forbid { built_in, .. } if built_in.contains(&domain::policy::BuiltIn::NeedsPerson))
    );
    // A memory that is frozen after the proposal is frozen for policies, too.
    let removed = lucid
        .memories(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows
        .remove(1);
    assert_eq!(removed.path.as_str(), "/b.md");
    lucid
        .freeze(&world.reviewer, removed.id, "Checked.")
        .await
        .unwrap();
    lucid.lift_stop(&world.admin, None).await.unwrap();
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Pending
    );
    assert_eq!(view(&world, trusting).await.summary.did, None);
    world.verified().await;
}

async fn stores_that_are_not_seen_are_not_named(world: World) {
    let lucid = &world.lucid;
    let other = crate::world::add(lucid, "other", Role::Admin, Vec::new()).await;
    let named = PRESETS[0].file(&[world.store]);
    assert_eq!(
        lucid
            .create_policy(&other, &named, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    let id = active(&world, &preset(&world, 0, at_once())).await;
    let changeset = world.proposal().await;
    work(&world).await;
    assert_eq!(committed(&world, changeset).await, 1);
    let seen = lucid.policy(&world.stranger, id, None).await.unwrap();
    assert!(seen.applied.is_empty() && seen.summary.did.is_none() && seen.against_queue.is_empty());
    assert!(
        lucid
            .policy(&world.stranger, id, None)
            .await
            .unwrap()
            .back_test
            .is_none()
    );
    let file = lucid.policy(&world.stranger, id, None).await.unwrap().file;
    assert!(
        file.tests.is_empty()
            && file
                .rules
                .iter()
                .all(|r| r.stores.is_empty() && r.kinds.is_empty()),
        "{file:?}"
    );
    let shown = lucid.policy(&other, id, None).await.unwrap().version.sha256;
    let blind = lucid
        .edit_policy(&other, id, &shown, &PRESETS[0].file(&[]))
        .await
        .unwrap_err();
    assert_eq!(
        blind.kind(),
        Kind::NotFound,
        "what somebody does not see, they do not take away"
    );
    assert_eq!(lucid.policies(&world.stranger).await.unwrap().by_people, 0);
}

async fn what_was_asked_for_is_what_is_confirmed(world: World) {
    let lucid = &world.lucid;
    let second = second_admin(&world).await;
    let id = lucid
        .create_policy(&world.admin, &preset(&world, 0, Applying::default()), None)
        .await
        .unwrap();
    lucid
        .move_policy_on(&world.admin, id, 1, VersionState::Shadow)
        .await
        .unwrap();
    lucid
        .back_test_policy(&world.admin, id, 1, 30)
        .await
        .unwrap();
    let Outcome::Waits(waits) = lucid
        .move_policy_on(&world.admin, id, 1, VersionState::Active)
        .await
        .unwrap()
    else {
        panic!()
    };
    // Back to a draft is a new version; the one that was asked for is over, and says what it said.
    lucid
        .move_policy_on(&world.admin, id, 1, VersionState::Draft)
        .await
        .unwrap();
    let shown = view(&world, id).await.version;
    assert_eq!((shown.number, shown.state), (2, VersionState::Draft));
    lucid
        .edit_policy(
            &world.admin,
            id,
            &shown.sha256,
            &preset(&world, 1, at_once()),
        )
        .await
        .unwrap();
    assert_eq!(
        lucid
            .confirm_setting(&second, waits)
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    // Nor does a store that only one admin knows turn the second one off.
    let own = lucid.create_store(&world.admin, "Own", "").await.unwrap();
    let own_admin = lucid.refreshed(&world.admin).await.unwrap().unwrap();
    let both = PolicyFile {
        name: "Both".to_owned(),
        applying: at_once(),
        ..PRESETS[0].file(&[world.store, own])
    };
    let id = lucid.create_policy(&own_admin, &both, None).await.unwrap();
    lucid
        .move_policy_on(&own_admin, id, 1, VersionState::Shadow)
        .await
        .unwrap();
    lucid.back_test_policy(&own_admin, id, 1, 30).await.unwrap();
    let alone = lucid
        .move_policy_on(&own_admin, id, 1, VersionState::Active)
        .await
        .unwrap_err();
    assert!(
        alone.to_string().contains("no other admin has a grant"),
        "{alone}"
    );
    world.verified().await;
}

fn forbidding(world: &World, path: &str) -> PolicyFile {
    let paths = BTreeSet::from([path.to_owned()]);
    let change = domain::policy::Input {
        paths: BTreeSet::from([path.replace("/**", "/x.md")]),
        ..domain::policy::Input::new(world.store, ChangeKind::Merge, domain::risk::RiskLevel::Low)
    };
    PolicyFile {
        name: "Legal".to_owned(),
        rules: vec![Rule {
            paths,
            ..Rule::new("legal", Effect::Forbid)
        }],
        tests: vec![domain::policy::Case {
            name: "legal".to_owned(),
            change,
            expect: OutcomeKind::Forbid,
        }],
        ..PolicyFile::default()
    }
}

async fn forbids_outlive_a_pause_and_a_newer_version(world: World) {
    let lucid = &world.lucid;
    // One policy that allows and forbids, paused by an objection, and another that allows: what the
    // first forbids stays forbidden.
    let mut file = preset(
        &world,
        0,
        Applying {
            sample_percent: 100,
            ..at_once()
        },
    );
    "Both".clone_into(&mut file.name);
    file.rules.push(Rule {
        paths: BTreeSet::from(["/a.md".to_owned()]),
        ..Rule::new("not a", Effect::Forbid)
    });
    let both = active(&world, &file).await;
    let notes = [
        ("/x.md", "The desk opens at nine.", false),
        ("/y.md", "The desk opens at nine.", false),
    ];
    world.remember(&notes).await;
    let first = world.dream().await.unwrap();
    work(&world).await;
    let applied = world.changes(first).await.remove(0).change;
    assert_eq!(applied.state, ChangeState::Committed);
    lucid
        .check_application(&world.reviewer, applied.id, false, "")
        .await
        .unwrap();
    assert_eq!(view(&world, both).await.version.state, VersionState::Paused);
    active(&world, &preset(&world, 0, at_once())).await;
    let changeset = world.proposal().await;
    work(&world).await;
    let answer = said(&world, changeset, ChangeKind::Merge).await;
    assert!(
        matches!(&answer.outcome, Said::Forbid { rules, .. } if rules == &["Both: not a"]),
        "{:?}",
        answer.outcome
    );
    // A newer version that forbids less takes two admins.
    let second = second_admin(&world).await;
    let legal = lucid
        .create_policy(&world.admin, &forbidding(&world, "/legal/**"), None)
        .await
        .unwrap();
    for (number, file) in [(1, None), (2, Some(forbidding(&world, "/nowhere/**")))] {
        if let Some(file) = file {
            let shown = view(&world, legal).await.version.sha256;
            lucid
                .edit_policy(&world.admin, legal, &shown, &file)
                .await
                .unwrap();
        }
        lucid
            .move_policy_on(&world.admin, legal, number, VersionState::Shadow)
            .await
            .unwrap();
        lucid
            .back_test_policy(&world.admin, legal, number, 30)
            .await
            .unwrap();
        let done = lucid
            .move_policy_on(&world.admin, legal, number, VersionState::Active)
            .await
            .unwrap();
        match (number, done) {
            (1, Outcome::Done) => {}
            (2, Outcome::Waits(waits)) => lucid.confirm_setting(&second, waits).await.unwrap(),
            (n, other) => panic!("version {n}: {other:?}"),
        }
    }
    // No name of a policy can be taken for a rule of another.
    let confusing = PolicyFile {
        name: "Safe housekeeping: merges that lose nothing".to_owned(),
        ..forbidding(&world, "/z/**")
    };
    assert_eq!(
        lucid
            .create_policy(&world.admin, &confusing, None)
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
    world.verified().await;
}

async fn what_becomes_allowed_cools_off_first(world: World) {
    let lucid = &world.lucid;
    active(
        &world,
        &preset(
            &world,
            0,
            Applying {
                sample_percent: 0,
                ..Applying::default()
            },
        ),
    )
    .await;
    let legal = active(&world, &forbidding(&world, "/**")).await;
    let changeset = world.proposal().await;
    work(&world).await;
    world.wait_seconds(3 * 86_400);
    lucid
        .move_policy_on(&world.admin, legal, 1, VersionState::Retired)
        .await
        .unwrap();
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Pending,
        "nobody could have held it yet"
    );
    world.wait_seconds(25 * 3_600);
    work(&world).await;
    assert_eq!(
        state_of_merge(&world, changeset).await,
        ChangeState::Committed
    );
    world.verified().await;
}

async fn a_deleted_store_keeps_nobody_asking(world: World) {
    let lucid = &world.lucid;
    world.proposal().await;
    work(&world).await;
    lucid
        .delete_store(&Actor::operator(), world.store, None)
        .await
        .unwrap();
    world.wait_seconds(2 * 86_400);
    assert!(
        !lucid.ask_policies().await.unwrap(),
        "there is nothing to ask about"
    );
}
