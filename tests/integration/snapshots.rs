//! What a decision is made on is read from one snapshot: an edit that lands in the middle of the
//! reading changes nothing of it.

use domain::{
    actor::{Role, StoreRole},
    changeset::Contribution,
};
use store::{changes, decisions};

use crate::world::{World, add, on_both_engines};

on_both_engines!(
    an_edit_in_the_middle_of_a_page_is_not_seen_by_half,
    digests_and_contents_agree_while_others_edit
);

async fn an_edit_in_the_middle_of_a_page_is_not_seen_by_half(world: World) {
    let id = world.proposal().await;
    let change = world
        .changes(id)
        .await
        .into_iter()
        .find(|c| c.edits.iter().any(|e| e.content.is_some()))
        .unwrap();
    let before = change
        .edits
        .iter()
        .filter_map(|e| e.content.clone())
        .collect::<Vec<_>>();
    let mut page = world.db.read().await.unwrap();
    let read = changes::edits(&mut page, id).await.unwrap();
    // Meanwhile somebody edits it, and that is committed.
    let shown = (change.change.revision, change.change.digest.as_str());
    let texts: Vec<String> = before
        .iter()
        .map(|_| "# Another text\n".to_owned())
        .collect();
    world
        .lucid
        .edit_change(&world.reviewer, change.change.id, shown, &texts)
        .await
        .unwrap();
    let row = changes::changes(&mut page, id)
        .await
        .unwrap()
        .into_iter()
        .find(|c| c.id == change.change.id)
        .unwrap();
    assert_eq!(
        (row.revision, &row.digest),
        (change.change.revision, &change.change.digest),
        "the page goes on with what it began with"
    );
    let again = changes::edits(&mut page, id).await.unwrap();
    let contents = |rows: &[changes::EditRow]| {
        rows.iter()
            .map(|e| (e.change_id, e.content.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(contents(&again), contents(&read));
    assert!(
        decisions::contributors_of_changeset(&mut page, id)
            .await
            .unwrap()
            .iter()
            .all(|c| c.how != Contribution::Edited)
    );
    drop(page);
    let now = world
        .changes(id)
        .await
        .into_iter()
        .find(|c| c.change.id == change.change.id)
        .unwrap();
    assert_eq!(now.change.revision, change.change.revision + 1);
    assert!(
        now.edits
            .iter()
            .filter_map(|e| e.content.as_ref())
            .all(|c| c == "# Another text\n")
    );
    // The digest that was shown approves nothing any more.
    let other = add(
        &world.lucid,
        "other",
        Role::Reviewer,
        vec![(world.store, StoreRole::Reviewer)],
    )
    .await;
    assert!(
        world
            .vote(&other, &change, service::Verdict::Approve)
            .await
            .is_err()
    );
    world.verified().await;
}

async fn digests_and_contents_agree_while_others_edit(world: World) {
    let id = world.proposal().await;
    let change = world
        .changes(id)
        .await
        .into_iter()
        .find(|c| c.edits.iter().any(|e| e.content.is_some()))
        .unwrap()
        .change
        .id;
    let view = move |all: Vec<service::ChangeView>| {
        all.into_iter().find(|c| c.change.id == change).unwrap()
    };
    let editor = {
        let (lucid, reviewer) = (world.lucid.clone(), world.reviewer.clone());
        tokio::spawn(async move {
            for _ in 0..40 {
                let now = view(lucid.changeset(&reviewer, id).await.unwrap().changes);
                let next = format!("# Revision {}\n", now.change.revision + 1);
                let texts: Vec<String> = now
                    .edits
                    .iter()
                    .filter(|e| e.content.is_some())
                    .map(|_| next.clone())
                    .collect();
                lucid
                    .edit_change(
                        &reviewer,
                        change,
                        (now.change.revision, &now.change.digest),
                        &texts,
                    )
                    .await
                    .unwrap();
            }
        })
    };
    let mut revisions = std::collections::BTreeSet::new();
    while !editor.is_finished() {
        let now = view(
            world
                .lucid
                .changeset(&world.admin, id)
                .await
                .unwrap()
                .changes,
        );
        if now.change.revision > 1 {
            let expected = format!("# Revision {}\n", now.change.revision);
            assert!(
                now.edits
                    .iter()
                    .filter_map(|e| e.content.as_ref())
                    .all(|c| *c == expected),
                "{:?} at {expected}",
                now.edits
            );
        }
        revisions.insert(now.change.revision);
    }
    editor.await.unwrap();
    assert!(
        revisions.len() > 3,
        "it was read while it changed: {revisions:?}"
    );
    world.verified().await;
}
