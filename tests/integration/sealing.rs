//! Sealed transcripts: the database holds no word of them in clear, each key goes with the session
//! that is erased, and a backup from before the erasure cannot be read any more.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use domain::{Timestamp, actor::Actor, ids::SessionId};
use service::{AskedErasure, Kind, Lucid, SealingState};
use store::{Db, sealing::SessionKeys};

use crate::{
    erasure::{everything, everything_in, session_of, sessions_of},
    world::{World, on_both_engines},
};

on_both_engines!(
    what_is_said_is_stored_in_no_table,
    what_was_stored_before_is_sealed_later,
    a_key_is_destroyed_with_its_session,
    old_transcripts_lose_their_key_and_quotes_keep_one,
    a_copy_is_sealed_with_the_key_of_its_session,
    without_its_key_a_session_says_nothing,
    the_wrong_folder_destroys_nothing,
);

const SUBJECT: &str = "cust-4711-zeta";
const SAID: &str =
    "My grandmother Quetzalina always books the window seat next to the sleeping fox.";

/// The same installation, sealing on either engine.
fn sealed(world: World) -> World {
    let keys = SessionKeys::in_folder(world.keys.path()).unwrap();
    World {
        lucid: world.lucid.clone().with_session_keys(keys),
        ..world
    }
}

/// The same installation without the folder of keys.
fn without_keys(world: &World) -> Lucid {
    on(world, world.db.clone())
}

fn on(world: &World, db: Db) -> Lucid {
    let (clock, seed) = (world.clock.clone(), AtomicU64::new(1 << 40));
    let now = move || Timestamp(clock.fetch_add(1, Ordering::Relaxed));
    let random = move |bytes: &mut [u8]| {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(
                &seed.fetch_add(1, Ordering::Relaxed).to_be_bytes()[8 - chunk.len()..],
            );
        }
    };
    Lucid::new(db, Arc::new(now), Arc::new(random))
}

async fn said_in(lucid: &Lucid, world: &World, session: SessionId) -> String {
    let events = lucid
        .transcript(&world.admin, session, 0)
        .await
        .unwrap()
        .events
        .rows;
    events.into_iter().map(|e| e.text + "\n").collect()
}

/// The names of the keys in a table.
async fn key_ids(world: &World, table: &str) -> std::collections::BTreeSet<String> {
    let sql = sqlx::AssertSqlSafe(format!(
        "SELECT DISTINCT key_id FROM {table} WHERE key_id IS NOT NULL"
    ));
    let all: Vec<String> = match &world.db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_all(read).await.unwrap(),
        Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
    };
    all.into_iter().collect()
}

/// The keys whose files are there.
fn keys_in(world: &World) -> usize {
    let parts = std::fs::read_dir(world.keys.path())
        .unwrap()
        .map(|part| part.unwrap().path());
    parts
        .filter(|part| part.is_dir())
        .map(|part| std::fs::read_dir(part).unwrap().count())
        .sum()
}

async fn what_is_said_is_stored_in_no_table(world: World) {
    let world = sealed(world);
    assert_eq!(world.lucid.sealing_state().await.unwrap(), SealingState::On);
    world
        .import(&session_of(SUBJECT, "s1", "t1", 1, SAID))
        .await;
    world
        .import(&session_of(
            "cust-42",
            "s2",
            "t2",
            2,
            "I always book the aisle.",
        ))
        .await;
    let changeset = world.dream().await.expect("a changeset");
    let changes = world.changes(changeset).await;
    let quotes: Vec<_> = changes.iter().flat_map(|c| &c.quotes).collect();
    assert!(
        !quotes.is_empty() && quotes.iter().all(|q| !q.row.quote.is_empty()),
        "{quotes:?}"
    );
    assert!(
        quotes.iter().all(|q| q.verified),
        "each is found in its event: {quotes:?}"
    );
    let session = sessions_of(&world, SUBJECT).await[0];
    assert!(
        said_in(&world.lucid, &world, session)
            .await
            .contains("sleeping fox")
    );
    let all = everything(&world).await.to_lowercase();
    for word in [
        "quetzalina",
        "sleeping fox",
        "not enough seats on flight h1",
    ] {
        let at: Vec<&str> = all.lines().filter(|line| line.contains(word)).collect();
        assert!(
            at.is_empty(),
            "{word} is in clear in\n{}",
            at.join("\n").chars().take(2_000).collect::<String>()
        );
    }
    assert_eq!(keys_in(&world), 2, "one a session");
    // A second dream reads what was kept of both, opened.
    assert!(world.dream().await.is_none(), "it finds the same again");
    world.approve_and_commit(changeset).await;
    world.verified().await;
}

async fn what_was_stored_before_is_sealed_later(world: World) {
    let plain = World {
        lucid: without_keys(&world),
        ..world
    };
    plain
        .import(&session_of(SUBJECT, "s1", "t1", 1, SAID))
        .await;
    plain
        .import(&session_of(
            "cust-42",
            "s2",
            "t2",
            2,
            "I always book the aisle.",
        ))
        .await;
    let changeset = plain.dream().await.expect("a changeset");
    assert!(
        everything(&plain).await.contains("Quetzalina"),
        "it is in clear at first"
    );
    assert_eq!(
        plain.lucid.seal_transcripts().await.unwrap(),
        0,
        "without keys nothing is sealed"
    );
    let world = sealed(plain);
    // Two workers at once seal each session once: none has two keys, of which only one would ever
    // be destroyed.
    let (one, other) = tokio::join!(
        world.lucid.seal_transcripts(),
        world.lucid.seal_transcripts()
    );
    assert_eq!(one.unwrap() + other.unwrap(), 2);
    for event in key_ids(&world, "events")
        .await
        .union(&key_ids(&world, "evidence").await)
    {
        assert!(
            key_ids(&world, "sessions").await.contains(event),
            "each key that seals something is one of a session"
        );
    }
    assert_eq!(world.lucid.seal_transcripts().await.unwrap(), 0);
    let all = everything(&world).await;
    assert!(!all.contains("Quetzalina") && !all.contains("not enough seats on flight H1"));
    let quotes: Vec<_> = world
        .changes(changeset)
        .await
        .into_iter()
        .flat_map(|c| c.quotes)
        .collect();
    assert!(
        !quotes.is_empty() && quotes.iter().all(|q| q.verified && !q.row.quote.is_empty()),
        "{quotes:?}"
    );
    let session = sessions_of(&world, SUBJECT).await[0];
    assert!(
        said_in(&world.lucid, &world, session)
            .await
            .contains("sleeping fox")
    );
    assert!(
        world.dream().await.is_none(),
        "sessions are read again, and say the same"
    );
    assert_eq!(
        without_keys(&world).sealing_state().await.unwrap(),
        SealingState::NoFolder
    );
    world.verified().await;
}

async fn a_key_is_destroyed_with_its_session(world: World) {
    let world = sealed(world);
    world
        .import(&session_of(SUBJECT, "s1", "t1", 1, SAID))
        .await;
    world
        .import(&session_of(
            "cust-42",
            "s2",
            "t2",
            2,
            "I always book the aisle.",
        ))
        .await;
    world.dream().await.expect("a changeset");
    let session = sessions_of(&world, SUBJECT).await[0];
    let keys = SessionKeys::in_folder(world.keys.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut backup = None;
    if let Db::Sqlite { .. } = &world.db {
        let file = folder.path().join("backup.db");
        world.lucid.backup(&file).await.unwrap();
        let db = Db::open(&format!("sqlite:{}", file.display()))
            .await
            .unwrap();
        let restored = on(&world, db.clone()).with_session_keys(keys.clone());
        assert!(
            said_in(&restored, &world, session)
                .await
                .contains("sleeping fox"),
            "with the keys of that day it can be read"
        );
        backup = Some((restored, db));
    }
    // What pg_dump would write.
    assert!(!everything(&world).await.contains("Quetzalina"));
    let asked = AskedErasure {
        kept: &[],
        also: "",
        reason: "They asked for it.",
        confirmed: true,
    };
    world
        .lucid
        .erase_subject(&world.admin, session, &asked)
        .await
        .unwrap();
    world.lucid.destroy_keys().await.unwrap();
    world.lucid.clean_after_erasures().await.unwrap();
    assert_eq!(
        world
            .lucid
            .transcript(&world.admin, session, 0)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    assert_eq!(
        keys_in(&world),
        2,
        "the other session has its key, and the erased one a new one"
    );
    if let Some((restored, db)) = &backup {
        assert_eq!(
            said_in(restored, &world, session).await.trim(),
            "",
            "with the keys of today it cannot"
        );
        let events = restored
            .transcript(&world.admin, session, 0)
            .await
            .unwrap()
            .events
            .rows;
        assert!(
            events.iter().all(|e| e.erased_at.is_some()),
            "it shows as erased"
        );
        assert!(!everything_in(db).await.contains("Quetzalina"));
    }
    world.verified().await;
}

async fn old_transcripts_lose_their_key_and_quotes_keep_one(world: World) {
    let world = sealed(world);
    let changeset = world.proposal().await;
    world.wait_seconds(100 * 86_400);
    world
        .lucid
        .set_transcript_days(&world.admin, Some(90))
        .await
        .unwrap();
    let key = |world: &World| {
        let db = world.db.clone();
        async move {
            let sql = "SELECT key_id FROM sessions ORDER BY id LIMIT 1";
            match &db {
                Db::Sqlite { read, .. } => sqlx::query_scalar::<_, String>(sql)
                    .fetch_one(read)
                    .await
                    .unwrap(),
                Db::Postgres(pool) => sqlx::query_scalar::<_, String>(sql)
                    .fetch_one(pool)
                    .await
                    .unwrap(),
            }
        }
    };
    let before = key(&world).await;
    assert_eq!(world.lucid.apply_retention().await.unwrap(), 2);
    world.lucid.destroy_keys().await.unwrap();
    assert_ne!(key(&world).await, before);
    assert!(
        SessionKeys::in_folder(world.keys.path())
            .unwrap()
            .read(&before)
            .await
            .unwrap()
            .is_none(),
        "the old key is destroyed"
    );
    let quotes: Vec<_> = world
        .changes(changeset)
        .await
        .into_iter()
        .flat_map(|c| c.quotes)
        .collect();
    assert!(
        !quotes.is_empty() && quotes.iter().all(|q| !q.row.quote.is_empty()),
        "quotes stay: {quotes:?}"
    );
    assert!(
        !everything(&world)
            .await
            .contains("not enough seats on flight H1"),
        "sealed with another key"
    );
    world.verified().await;
}

/// A conversation that goes on in another session begins with a copy.
async fn a_copy_is_sealed_with_the_key_of_its_session(world: World) {
    let world = sealed(world);
    let line = |session: &str, id: &str, said: &str| {
        serde_json::json!({"type": "user", "sessionId": session, "uuid": id, "timestamp": "2026-11-20T10:00:00.000Z", "version": "2.0.0",
            "cwd": "/work", "message": {"role": "user", "content": said}})
        .to_string()
    };
    let first = line("one", "11111111-1111-4111-8111-111111111111", SAID);
    world.import(&format!("{first}\n")).await;
    let copy = line("two", "11111111-1111-4111-8111-111111111111", SAID);
    let own = line(
        "two",
        "22222222-2222-4222-8222-222222222222",
        "And now something else entirely.",
    );
    world.import(&format!("{copy}\n{own}\n")).await;
    let rows = world
        .lucid
        .sessions(&world.admin, None, None)
        .await
        .unwrap()
        .rows;
    let id = |name: &str| {
        rows.iter()
            .find(|s| s.external_id.as_deref() == Some(name))
            .expect(name)
            .id
    };
    let sql = "SELECT e.key_id FROM events e JOIN sessions s ON s.id = e.session_id WHERE \
        s.external_id = 'two' ORDER BY e.seq";
    let of_events: Vec<String> = match &world.db {
        Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_all(read).await.unwrap(),
        Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_all(pool).await.unwrap(),
    };
    assert_eq!(of_events.len(), 2);
    assert_ne!(
        of_events[0], of_events[1],
        "the copy has the key of the session that it is a copy of"
    );
    assert!(
        said_in(&world.lucid, &world, id("two"))
            .await
            .contains("sleeping fox")
    );
    // When the first is erased because it is old, the copy stays readable; it is sealed anew.
    let mut tx = world.write().await;
    store::erasing::erase_transcript(&mut tx, id("one"), world.lucid.now())
        .await
        .unwrap();
    store::sealing::change_key(&mut tx, id("one"), world.lucid.now())
        .await
        .unwrap();
    world.record(&mut tx).await;
    tx.commit().await.unwrap();
    let said = said_in(&world.lucid, &world, id("two")).await;
    assert!(
        said.contains("sleeping fox") && said.contains("something else"),
        "{said}"
    );
    assert_eq!(said_in(&world.lucid, &world, id("one")).await.trim(), "");
}

async fn without_its_key_a_session_says_nothing(world: World) {
    let world = sealed(world);
    world
        .import(&session_of(SUBJECT, "s1", "t1", 1, SAID))
        .await;
    let session = sessions_of(&world, SUBJECT).await[0];
    let blind = without_keys(&world);
    assert_eq!(blind.sealing_state().await.unwrap(), SealingState::NoFolder);
    assert_eq!(said_in(&blind, &world, session).await.trim(), "");
    let elsewhere = tempfile::tempdir().unwrap();
    let other = blind.with_session_keys(SessionKeys::in_folder(elsewhere.path()).unwrap());
    assert_eq!(
        other.sealing_state().await.unwrap(),
        SealingState::KeysGone,
        "no folder is noted yet"
    );
    world.lucid.note_folder_of_keys().await.unwrap();
    assert_eq!(
        other.sealing_state().await.unwrap(),
        SealingState::OtherFolder
    );
    assert_eq!(said_in(&other, &world, session).await.trim(), "");
    // What is added cannot be sealed with a key that is not there, and is not stored in clear.
    let mut grown: serde_json::Value =
        serde_json::from_str(&session_of(SUBJECT, "s1", "t1", 1, SAID)).unwrap();
    grown["messages"]
        .as_array_mut()
        .unwrap()
        .push(serde_json::json!({"role": "user", "content": "One more thing."}));
    let (sessions, _, mut reader) = crate::world::spool(&grown.to_string()).finish().unwrap();
    let refused = other
        .import_session(&Actor::operator(), world.store, &sessions[0], &mut reader)
        .await
        .unwrap_err();
    assert!(
        !everything(&world).await.contains("One more thing"),
        "{}",
        refused.message()
    );
    let done = world
        .lucid
        .import_session(&Actor::operator(), world.store, &sessions[0], &mut reader)
        .await
        .unwrap();
    assert!(format!("{done:?}").contains("Grown"), "{done:?}");
    assert!(
        said_in(&world.lucid, &world, session)
            .await
            .contains("One more thing")
    );
}

/// With another folder in its place nothing is lost: quotes stay, and the order to destroy a key
/// stays until the right folder is back.
async fn the_wrong_folder_destroys_nothing(world: World) {
    let world = sealed(world);
    world.lucid.note_folder_of_keys().await.unwrap();
    let changeset = world.proposal().await;
    world.wait_seconds(100 * 86_400);
    world
        .lucid
        .set_transcript_days(&world.admin, Some(90))
        .await
        .unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let other =
        without_keys(&world).with_session_keys(SessionKeys::in_folder(elsewhere.path()).unwrap());
    assert!(
        without_keys(&world).apply_retention().await.is_err(),
        "without keys none can be destroyed"
    );
    assert_eq!(keys_in(&world), 2);
    assert_eq!(world.lucid.apply_retention().await.unwrap(), 2);
    assert_eq!(keys_in(&world), 4);
    assert!(
        other.destroy_keys().await.is_err(),
        "not the folder of this database"
    );
    world.lucid.destroy_keys().await.unwrap();
    assert_eq!(
        keys_in(&world),
        2,
        "two old ones are destroyed, and two new ones seal the quotes"
    );
    let quotes: Vec<_> = world
        .changes(changeset)
        .await
        .into_iter()
        .flat_map(|c| c.quotes)
        .collect();
    assert!(
        !quotes.is_empty() && quotes.iter().all(|q| !q.row.quote.is_empty()),
        "{quotes:?}"
    );
    world.verified().await;
}
