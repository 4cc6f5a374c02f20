//! Saved mappings: who may, what is wrong with one, and an import with one.

use std::sync::Arc;

use domain::{
    actor::{Actor, Role},
    event::Speaker,
};
use service::{
    Imported, Kind,
    transcripts::{self, Options, Source, Spool, mapping::Mapping},
};

use crate::world::{World, on_both_engines};

on_both_engines!(a_mapping_is_saved_used_and_deleted);

pub const TEXT: &str = r#"{"name":" desk ","session":"/c","role":"/who","text":"/said","tool":"/fn","roles":{"gast":"user"}}"#;

async fn a_mapping_is_saved_used_and_deleted(world: World) {
    let lucid = &world.lucid;
    let mapping = Mapping::parse(TEXT).unwrap();
    let member = Actor {
        role: Role::Member,
        ..world.stranger.clone()
    };
    assert_eq!(
        lucid.mappings(&member).await.unwrap_err().kind(),
        Kind::Permission
    );
    let nameless = Mapping {
        name: "  ".into(),
        ..mapping.clone()
    };
    assert_eq!(
        lucid
            .save_mapping(&world.reviewer, &nameless)
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
    lucid.save_mapping(&world.reviewer, &mapping).await.unwrap();
    let saved = lucid.mappings(&world.admin).await.unwrap();
    assert_eq!((saved.len(), saved[0].mapping.name.as_str()), (1, "desk"));
    // The same name again takes its place.
    let other = Mapping {
        name: "desk".into(),
        ..mapping.clone()
    };
    lucid.save_mapping(&world.admin, &other).await.unwrap();
    assert_eq!(lucid.mappings(&world.admin).await.unwrap().len(), 1);

    let options = Options {
        mapping: Some(lucid.mapping(&world.reviewer, "desk").await.unwrap()),
        ..Options::default()
    };
    assert!(Arc::ptr_eq(
        options.mapping.as_ref().unwrap(),
        &options.clone().mapping.unwrap()
    ));
    let mut spool = Spool::new().unwrap();
    let text = "{\"c\":\"x\",\"who\":\"gast\",\"said\":\"No ice, \
        please.\"}\n{\"c\":\"x\",\"who\":\"bot\",\"fn\":\"pour\"}\n";
    transcripts::read_from(
        text.as_bytes(),
        &Source::named("bar.jsonl"),
        &options,
        &mut spool,
        &mut |_| {},
    )
    .unwrap();
    let (sessions, problems, mut reader) = spool.finish().unwrap();
    assert!(problems.is_empty(), "{problems:?}");
    let Imported::Added(id) = lucid
        .import_session(&world.reviewer, world.store, &sessions[0], &mut reader)
        .await
        .unwrap()
    else {
        panic!("not added")
    };
    let seen = lucid.transcript(&world.reviewer, id, 0).await.unwrap();
    let said: Vec<_> = seen
        .events
        .rows
        .iter()
        .map(|e| (e.speaker, e.tool.as_deref()))
        .collect();
    assert_eq!(
        said,
        [(Speaker::Person, None), (Speaker::Agent, Some("pour"))]
    );

    lucid.delete_mapping(&world.reviewer, "desk").await.unwrap();
    assert_eq!(
        lucid
            .delete_mapping(&world.reviewer, "desk")
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    assert!(lucid.mappings(&world.admin).await.unwrap().is_empty());
    world.verified().await;
}
