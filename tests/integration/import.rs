//! Sessions in: known again, grown, refused whole.

use domain::event::EventKind;
use service::{Imported, Kind};

use crate::world::{World, failing, on_both_engines, spool};

on_both_engines!(the_same_again_adds_nothing, a_transcript_grows, what_changed_is_refused_whole, texts_survive_the_database);

fn line(session: &str, uuid: &str, text: &str) -> String {
    serde_json::json!({"type": "user", "sessionId": session, "uuid": uuid, "message": {"content": text}}).to_string() + "\n"
}

async fn the_same_again_adds_nothing(world: World) {
    let text = failing("s1", "t1", 1);
    assert!(matches!(world.import(&text).await[..], [Imported::Added(_)]));
    let entries = world.verified().await;
    assert!(matches!(world.import(&text).await[..], [Imported::Unchanged(_)]));
    let without_id = text.replace("\"id\":\"s1\",", "");
    assert!(matches!(world.import(&without_id).await[..], [Imported::Added(_)]));
    assert!(matches!(world.import(&without_id).await[..], [Imported::Unchanged(_)]));
    assert_eq!(world.lucid.sessions(&world.admin, Some(world.store), None).await.unwrap().rows.len(), 2);
    assert_eq!(world.verified().await, entries + 1, "one entry a session that was taken in");
}

async fn a_transcript_grows(world: World) {
    let short = line("s", "1", "a") + &line("s", "2", "b");
    let long = short.clone() + &line("s", "3", "c");
    let [Imported::Added(id)] = world.import(&short).await[..] else { panic!("not added") };
    assert_eq!(world.import(&long).await, [Imported::Grown(id, 1)]);
    assert_eq!(world.import(&long).await, [Imported::Unchanged(id)]);
    assert_eq!(world.import(&short).await, [Imported::Unchanged(id)], "an older copy takes nothing away");
    let seen = world.lucid.transcript(&world.reviewer, id, 0).await.unwrap();
    let texts: Vec<_> = seen.events.rows.iter().map(|e| e.text.as_str()).collect();
    assert_eq!(texts, ["a", "b", "c"]);
}

async fn what_changed_is_refused_whole(world: World) {
    world.import(&(line("s", "1", "a") + &line("s", "2", "b"))).await;
    let changed = line("s", "1", "other") + &line("s", "2", "b") + &line("s", "3", "c");
    let (sessions, _, mut reader) = spool(&changed).finish().unwrap();
    let refused = world.lucid.import_session(&world.admin, world.store, &sessions[0], &mut reader).await.unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict, "{refused}");
    let rows = world.lucid.sessions(&world.admin, None, None).await.unwrap().rows;
    assert_eq!((rows.len(), rows[0].event_count), (1, 2));
}

async fn texts_survive_the_database(world: World) {
    let hostile = "'; DROP TABLE events; -- \u{202e} 👍🏽 \u{feff} \\u0000 \"quoted\" \r\n tab\t end";
    let [Imported::Added(id)] = world.import(&line("s", "1", hostile)).await[..] else { panic!("not added") };
    let with_nul = "{\"type\":\"user\",\"sessionId\":\"n\",\"message\":{\"content\":\"a\\u0000b \\ud83d\"}}\n";
    let [Imported::Added(cleaned)] = world.import(with_nul).await[..] else { panic!("not added") };
    let text = |view: service::TranscriptView| (view.events.rows[0].kind, view.events.rows[0].text.clone());
    assert_eq!(text(world.lucid.transcript(&world.reviewer, id, 0).await.unwrap()), (EventKind::User, hostile.to_owned()));
    assert_eq!(text(world.lucid.transcript(&world.reviewer, cleaned, 0).await.unwrap()).1, "a\u{fffd}b \u{fffd}");
    // What is sensitive is masked where it is shown.
    let [Imported::Added(secret)] = world.import(&line("p", "1", "mail ana@example.com")).await[..] else { panic!("not added") };
    assert_eq!(text(world.lucid.transcript(&world.reviewer, secret, 0).await.unwrap()).1, "mail [personal]");
}
