//! A contributor to a change stays one (rule 5): after later edits by others, after the change is
//! withdrawn and proposed again, and after it is committed and reverted. Random sequences of these
//! steps, with the same seeds each time, on both engines.

use std::{collections::BTreeSet, fmt::Write};

use domain::{
    actor::{Actor, Role, StoreRole},
    ids::{ChangesetId, UserId},
    memory::GateMode,
    rights::Scope,
};
use service::{ChangeView, Kind, NewKey, Verdict, Written};

use crate::{
    support::soak::{Dice, rounds},
    world::{World, add, create, on_both_engines},
};

on_both_engines!(
    anyone_who_shaped_a_change_stays_its_contributor,
    every_key_and_account_behind_a_proposal_counts
);

/// Sequences in `make test`, and in `make soak`.
const STORIES: (usize, usize) = (8, 400);
/// People who edit; two more never do, and approve at last.
const EDITORS: usize = 3;

async fn people(world: &World) -> Vec<Actor> {
    let mut all = Vec::new();
    for n in 0..EDITORS + 2 {
        all.push(
            add(
                &world.lucid,
                &format!("p{n}"),
                Role::Reviewer,
                vec![(world.store, StoreRole::Reviewer)],
            )
            .await,
        );
    }
    all
}

fn person(actor: &Actor) -> UserId {
    actor.who.person().unwrap()
}

async fn only_change(world: &World, id: ChangesetId, as_seen_by: &Actor) -> ChangeView {
    world
        .lucid
        .changeset(as_seen_by, id)
        .await
        .unwrap()
        .changes
        .remove(0)
}

/// The contributors, and only they, see that they contributed and cannot approve the change.
async fn shaped_by(
    world: &World,
    id: ChangesetId,
    people: &[Actor],
    shaped: &BTreeSet<UserId>,
    story: &str,
) {
    for actor in people {
        let view = only_change(world, id, actor).await;
        let expected = shaped.contains(&person(actor));
        assert_eq!(view.contributed, expected, "{story}: {:?}", actor.who);
        if expected
            && view.change.state == domain::changeset::ChangeState::Pending
            && !view.change.conflicted
        {
            assert_eq!(
                world
                    .vote(actor, &view, Verdict::Approve)
                    .await
                    .unwrap_err()
                    .kind(),
                Kind::Permission,
                "{story}"
            );
        }
    }
}

/// Proposes this content at this path as a person, unless it waits already.
async fn proposed(world: &World, by: &Actor, path: &str, content: &str) -> ChangesetId {
    world
        .lucid
        .propose_change(by, world.store, &create(path, content), "It was agreed.")
        .await
        .unwrap()
        .0
}

async fn anyone_who_shaped_a_change_stays_its_contributor(world: World) {
    let lucid = &world.lucid;
    let people = people(&world).await;
    for seed in 0..rounds(STORIES.0, STORIES.1) {
        let mut dice = Dice::new(seed as u64 + 1);
        let mut pick = |among: usize| usize::try_from(dice.below(among as u64)).unwrap();
        let path = format!("/stories/{seed}.md");
        let (mut shaped, mut story) = (BTreeSet::new(), format!("story {seed}:"));
        let first = pick(EDITORS);
        let mut content = format!("# Story {seed}\n\n- It begins.\n");
        let mut id = proposed(&world, &people[first], &path, &content).await;
        let mut proposer = first;
        shaped.insert(person(&people[first]));
        for step in 0..2 + pick(4) {
            let who = pick(EDITORS);
            let view = only_change(&world, id, &people[who]).await;
            if pick(3) == 0 {
                // What was written stays as it is, under another proposer: an earlier copy of the
                // same change.
                let _ = write!(story, " {proposer} withdraws, {who} proposes it again;");
                lucid.withdraw(&people[proposer], id).await.unwrap();
                id = proposed(&world, &people[who], &path, &content).await;
                proposer = who;
            } else {
                let _ = write!(story, " {who} edits;");
                content = format!("# Story {seed}\n\n- Step {step} by {who}.\n");
                let shown = (view.change.revision, view.change.digest.as_str());
                lucid
                    .edit_change(
                        &people[who],
                        view.change.id,
                        shown,
                        std::slice::from_ref(&content),
                    )
                    .await
                    .unwrap();
            }
            shaped.insert(person(&people[who]));
            shaped_by(&world, id, &people, &shaped, &story).await;
        }
        // The last two have shaped nothing. One approves it, or both do; then it is reverted, and
        // the revert is reverted.
        for actor in &people[EDITORS..] {
            let view = only_change(&world, id, actor).await;
            if view.change.state == domain::changeset::ChangeState::Pending {
                world.vote(actor, &view, Verdict::Approve).await.unwrap();
            }
        }
        let request = world.commit_request(id, &format!("story-{seed}")).await;
        let commit = lucid
            .commit(&people[EDITORS], &request)
            .await
            .unwrap()
            .commit;
        let removal = lucid.revert(&people[EDITORS], commit).await.unwrap();
        assert!(
            only_change(&world, removal, &people[EDITORS])
                .await
                .contributed,
            "{story}: who asked for the revert"
        );
        // Two others approve the removal.
        for actor in [&world.reviewer, &world.admin] {
            let view = only_change(&world, removal, actor).await;
            if view.change.state == domain::changeset::ChangeState::Pending {
                world.vote(actor, &view, Verdict::Approve).await.unwrap();
            }
        }
        let request = world
            .commit_request(removal, &format!("removal-{seed}"))
            .await;
        let removed = lucid
            .commit(&world.reviewer, &request)
            .await
            .unwrap()
            .commit;
        let back = lucid.revert(&world.reviewer, removed).await.unwrap();
        story += " removed and brought back";
        let view = only_change(&world, back, &world.reviewer).await;
        assert!(view.contributed, "{story}: who asked for the revert");
        for actor in &people[..EDITORS] {
            let view = only_change(&world, back, actor).await;
            assert_eq!(
                view.contributed,
                shaped.contains(&person(actor)),
                "{story}: whose text comes back"
            );
        }
        lucid.withdraw(&world.reviewer, back).await.unwrap();
    }
    world.verified().await;
}

async fn every_key_and_account_behind_a_proposal_counts(world: World) {
    let lucid = &world.lucid;
    lucid
        .set_gate(&Actor::operator(), world.store, GateMode::AllGated, None)
        .await
        .unwrap();
    let (owner, maker) = (&world.reviewer, &world.admin);
    // Somebody else's key that an admin made: both answer for it. A second key of the owner is the
    // same owner.
    let mut keys = Vec::new();
    for name in ["one", "two"] {
        let store = Some(world.store);
        let new = NewKey {
            name: name.into(),
            owner: Some(person(owner)),
            store,
            scopes: vec![Scope::MemoryWrite],
            days: None,
        };
        let (_, secret) = lucid.add_key(maker, &new).await.unwrap();
        keys.push(lucid.key_actor(&secret).await.unwrap());
    }
    let write = create("/by-key.md", "Written.\n");
    let Written::Proposed { changeset, .. } = lucid
        .write_memory(&keys[0], world.store, &write)
        .await
        .unwrap()
    else {
        panic!("everything is gated")
    };
    for actor in [owner, maker] {
        assert!(
            only_change(&world, changeset, actor).await.contributed,
            "{:?}",
            actor.who
        );
    }
    let other = add(
        lucid,
        "other",
        Role::Reviewer,
        vec![(world.store, StoreRole::Reviewer)],
    )
    .await;
    assert!(!only_change(&world, changeset, &other).await.contributed);
    // The same through the other key, after the first was withdrawn by its owner.
    lucid.withdraw(owner, changeset).await.unwrap();
    let Written::Proposed { changeset, .. } = lucid
        .write_memory(&keys[1], world.store, &write)
        .await
        .unwrap()
    else {
        panic!("everything is gated")
    };
    for actor in [owner, maker] {
        assert!(
            only_change(&world, changeset, actor).await.contributed,
            "{:?}",
            actor.who
        );
    }
    world.verified().await;
}
