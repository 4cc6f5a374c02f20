//! Search over everything: what is found, in which languages, for whom; the same on both engines.

use domain::{
    actor::{Actor, Grant, Role, StoreRole},
    changeset::RejectCode,
    ids::StoreId,
};
use reqwest::StatusCode;
use service::{Grantee, Kind, MemoryWrite, SearchRequest, SearchResults, Verdict};

use crate::{
    http::Visitor,
    support::process::{Served, user_link},
    world::{World, actor, add, create, failing, on_both_engines},
};

on_both_engines!(
    words_phrases_and_beginnings_are_found_in_every_language,
    past_memory_is_found,
    search_finds_only_visible_things,
    changes_sessions_and_people_are_found,
    a_database_from_before_is_indexed,
    hostile_queries_find_nothing_and_break_nothing,
);

async fn search_as(world: &World, who: &Actor, request: &SearchRequest) -> SearchResults {
    world.lucid.search(who, request).await.unwrap()
}

fn asked(text: &str) -> SearchRequest {
    SearchRequest {
        text: text.to_owned(),
        ..SearchRequest::default()
    }
}

/// The paths of the memories that are found, the best first.
async fn paths(world: &World, text: &str) -> Vec<String> {
    search_as(world, &world.reviewer, &asked(text))
        .await
        .memories
        .into_iter()
        .map(|hit| hit.path.to_string())
        .collect()
}

async fn words_phrases_and_beginnings_are_found_in_every_language(world: World) {
    world
        .remember(&[
            (
                "/deploy.md",
                "# Deployments\n\n- Ask first before each deployment.\n- Never on a Friday.\n",
                false,
            ),
            (
                "/backup.md",
                "# Backups\n\n- The first of each month: ask for a full backup. Nightly runs are \
                 on host backup_7.\n",
                false,
            ),
            (
                "/umlaut.md",
                "Die Straße nach Zürich ist gesperrt.\n",
                false,
            ),
            ("/greek.md", "Ο ΣΊΣΥΦΟΣ σπρώχνει.\n", false),
            ("/cyrillic.md", "Отчёт отправлять по Пятницам.\n", false),
            ("/japanese.md", "東京都の倉庫は月曜日に開く。\n", false),
            ("/korean.md", "서울에서는 월요일에 배포한다.\n", false),
            ("/thai.md", "กรุณาสำรองข้อมูลทุกคืน\n", false),
            ("/arabic.md", "أرسل التقرير يوم الجمعة\n", false),
            ("/hindi.md", "रिपोर्ट शुक्रवार को भेजें\n", false),
        ])
        .await;
    for (query, path) in [
        ("friday", "/deploy.md"),
        ("FRIDAY never", "/deploy.md"),
        ("strasse", "/umlaut.md"),
        ("zurich", "/umlaut.md"),
        ("σίσυφος", "/greek.md"),
        ("пятницам", "/cyrillic.md"),
        ("отчет", "/cyrillic.md"),
        ("倉庫", "/japanese.md"),
        ("東京都", "/japanese.md"),
        ("曜", "/japanese.md"),
        ("월요일", "/korean.md"),
        ("ข้อมูล", "/thai.md"),
        ("التقرير", "/arabic.md"),
        ("शुक्रवार", "/hindi.md"),
        ("\"ask first\"", "/deploy.md"),
        ("backup_7", "/backup.md"),
        ("nightl*", "/backup.md"),
        ("greek", "/greek.md"),
    ] {
        assert_eq!(paths(&world, query).await, [path], "{query}");
    }
    assert_eq!(paths(&world, "first").await.len(), 2);
    assert_eq!(paths(&world, "backups").await[0], "/backup.md");
    assert!(
        paths(&world, "\"first ask\"").await.is_empty(),
        "the words are there, but not in this order"
    );
    let some = search_as(&world, &world.reviewer, &asked("friday xylophone")).await;
    assert!(
        some.some_words && some.memories[0].path.as_str() == "/deploy.md",
        "nothing has both words"
    );
    assert!(
        paths(&world, "京")
            .await
            .contains(&"/japanese.md".to_owned())
    );
    assert!(paths(&world, "大阪").await.is_empty());
    let found = search_as(&world, &world.reviewer, &asked("ask friday")).await;
    let excerpt = &found.memories[0].excerpt;
    assert!(
        excerpt
            .marks
            .iter()
            .all(|mark| ["Ask", "Friday"].contains(&&excerpt.text[mark.clone()]))
            && !excerpt.marks.is_empty()
    );
}

async fn past_memory_is_found(world: World) {
    let lucid = &world.lucid;
    world
        .remember(&[
            ("/a.md", "The relay is called Ostrich.\n", false),
            ("/b.md", "The printer is called Heron.\n", false),
        ])
        .await;
    world.wait_seconds(86_400);
    let later = lucid.now();
    world
        .remember(&[("/a.md", "The relay is called Falcon.\n", false)])
        .await;
    let printer = lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows[1]
        .id;
    let delete = MemoryWrite::Delete {
        id: printer,
        expected_sha256: None,
    };
    lucid
        .write_memory(&Actor::operator(), world.store, &delete)
        .await
        .unwrap();
    assert_eq!(paths(&world, "falcon").await, ["/a.md"]);
    assert!(
        paths(&world, "ostrich heron").await.is_empty(),
        "what is not so any more is not among what is"
    );
    let past = search_as(&world, &world.reviewer, &asked("ostrich"))
        .await
        .past;
    assert_eq!((past.len(), past[0].number, past[0].alive), (1, 1, true));
    let past = search_as(&world, &world.reviewer, &asked("heron"))
        .await
        .past;
    assert_eq!((past[0].path.as_str(), past[0].alive), ("/b.md", false));
    // By time.
    let since = SearchRequest {
        since: Some(later),
        ..asked("relay")
    };
    let found = search_as(&world, &world.reviewer, &since).await;
    assert_eq!((found.memories.len(), found.past.len()), (1, 0));
    let until = SearchRequest {
        until: Some(later),
        ..asked("relay")
    };
    let found = search_as(&world, &world.reviewer, &until).await;
    assert_eq!((found.memories.len(), found.past.len()), (0, 1));
}

async fn search_finds_only_visible_things(world: World) {
    let lucid = &world.lucid;
    world
        .remember(&[("/a.md", "The code word is Nightingale.\n", false)])
        .await;
    let other = lucid
        .create_store(&Actor::operator(), "Other", "")
        .await
        .unwrap();
    let note = service::NewMemory {
        path: "/o.md".parse().unwrap(),
        content: "Nightingale sings.\n".into(),
        by_person: false,
    };
    lucid
        .write_memories(&Actor::operator(), other, &[note], "other")
        .await
        .unwrap();
    let count = async |who: &Actor, store: Option<StoreId>| {
        let found = lucid
            .search(
                who,
                &SearchRequest {
                    store,
                    ..asked("nightingale")
                },
            )
            .await
            .unwrap();
        found.memories.len() + found.past.len()
    };
    assert_eq!(count(&world.reviewer, None).await, 1);
    assert_eq!(count(&world.stranger, None).await, 0);
    assert_eq!(
        count(&world.reviewer, Some(other)).await,
        0,
        "asking for a store by its id opens nothing"
    );
    assert_eq!(count(&Actor::operator(), None).await, 2);
    assert_eq!(count(&Actor::operator(), Some(other)).await, 1);
    let auditor = add(lucid, "auditor", Role::Auditor, vec![]).await;
    assert_eq!(
        count(&auditor, None).await,
        2,
        "an auditor reads every store"
    );
    lucid
        .grant(
            &Actor::operator(),
            Grantee::Person(world.stranger.who.person().unwrap()),
            &Grant::whole(other, StoreRole::Reader),
        )
        .await
        .unwrap();
    let stranger = actor(lucid, world.stranger.who.person().unwrap()).await;
    assert_eq!(count(&stranger, None).await, 1);
    lucid
        .delete_store(&Actor::operator(), other, None)
        .await
        .unwrap();
    assert_eq!(
        (
            count(&stranger, None).await,
            count(&Actor::operator(), None).await
        ),
        (0, 1),
        "a deleted store is searched by nobody"
    );
    // What waits in the queue is no memory, and is found only by those who see changes.
    lucid
        .propose_change(
            &world.admin,
            world.store,
            &create("/draft.md", "A Woodpecker knocks.\n"),
            "It was heard.",
        )
        .await
        .unwrap();
    let found = search_as(&world, &world.reviewer, &asked("woodpecker")).await;
    assert!(
        found.memories.is_empty() && found.past.is_empty(),
        "a draft is no memory"
    );
}

async fn changes_sessions_and_people_are_found(world: World) {
    let lucid = &world.lucid;
    world
        .import(&failing("session-kingfisher", "booking-task", 1))
        .await;
    let found = search_as(&world, &world.reviewer, &asked("kingfisher")).await;
    assert_eq!(found.sessions.len(), 1, "{found:?}");
    assert!(
        search_as(&world, &world.stranger, &asked("kingfisher"))
            .await
            .sessions
            .is_empty()
    );
    let (changeset, _) = lucid
        .propose_change(
            &world.admin,
            world.store,
            &create("/lapwing.md", "It nests.\n"),
            "The lapwing was seen.",
        )
        .await
        .unwrap();
    let found = search_as(&world, &world.reviewer, &asked("lapwing")).await;
    assert_eq!(
        (found.changes.len(), found.changes[0].changeset_id),
        (1, changeset)
    );
    assert!(
        search_as(&world, &world.stranger, &asked("lapwing"))
            .await
            .changes
            .is_empty()
    );
    // By person: the one who decided, and the ones who approved what was committed.
    let change = world.changes(changeset).await.remove(0);
    world
        .vote(
            &world.reviewer,
            &change,
            Verdict::Reject(RejectCode::ALL[0]),
        )
        .await
        .unwrap();
    let by = |name: &str, text: &str| SearchRequest {
        person: Some(name.to_owned()),
        ..asked(text)
    };
    assert_eq!(
        search_as(&world, &world.reviewer, &by("reviewer", "lapwing"))
            .await
            .changes
            .len(),
        1
    );
    let third = add(
        lucid,
        "uninvolved",
        Role::Reviewer,
        vec![(world.store, StoreRole::Reviewer)],
    )
    .await;
    assert!(
        search_as(&world, &third, &by("uninvolved", "lapwing"))
            .await
            .changes
            .is_empty()
    );
    let (made, _) = lucid
        .propose_change(
            &world.admin,
            world.store,
            &create("/plover.md", "A plover.\n"),
            "Seen.",
        )
        .await
        .unwrap();
    world.approve_and_commit(made).await;
    assert_eq!(
        search_as(&world, &third, &by("reviewer", "plover"))
            .await
            .memories
            .len(),
        1
    );
    assert!(
        search_as(&world, &third, &by("uninvolved", "plover"))
            .await
            .memories
            .is_empty()
    );
    assert_eq!(
        lucid
            .search(&third, &by("nobody at all", "plover"))
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
    assert_eq!(
        search_as(&world, &world.admin, &asked("uninv"))
            .await
            .people
            .len(),
        1
    );
    assert!(
        search_as(&world, &world.reviewer, &asked("uninvolved"))
            .await
            .people
            .is_empty(),
        "people are for those who manage them"
    );
}

/// What a migration lists without words is indexed by the first search, a batch at a time.
async fn a_database_from_before_is_indexed(world: World) {
    let notes: Vec<(String, String)> = (0..1_200)
        .map(|n| (format!("/{n}.md"), format!("Bird number {n} is a wren.\n")))
        .collect();
    let notes: Vec<(&str, &str, bool)> = notes
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str(), false))
        .collect();
    world.remember(&notes).await;
    assert!(
        world.lucid.index_new_documents(1).await.unwrap(),
        "more is left"
    );
    assert!(!world.lucid.index_new_documents(usize::MAX).await.unwrap());
    assert_eq!(paths(&world, "1107").await, ["/1107.md"]);
    assert_eq!(paths(&world, "wren").await.len(), 20);
    assert_eq!(
        paths(&world, "wren \"number 3\"").await[0],
        "/3.md",
        "the word itself is before words that begin so"
    );
}

async fn hostile_queries_find_nothing_and_break_nothing(world: World) {
    world
        .remember(&[(
            "/a.md",
            "Plain words: NEAR AND OR NOT, (a) \"b\" 'c' terms:d \\ ^ * : & | ! <-> %\n",
            false,
        )])
        .await;
    for query in [
        "\"",
        "*",
        "' OR 1=1 --",
        "a AND",
        "NEAR(a b)",
        "terms:a",
        "-a",
        "^a",
        "a & | !",
        "<->",
        "\\",
        "(",
        ")",
        "a:*",
        "\0",
        "\u{e000}memory",
        "\u{202e}",
        "{}",
        "%",
        "_",
        "a\"b\"c",
        "😀",
        &"x ".repeat(100),
        &"\"".repeat(200),
    ] {
        world
            .lucid
            .search(&world.reviewer, &asked(query))
            .await
            .map(drop)
            .or_else(|e| {
                if e.kind() == Kind::Invalid {
                    Ok(())
                } else {
                    Err(e)
                }
            })
            .unwrap();
    }
    for bad in ["", "   ", &"x".repeat(201)] {
        assert_eq!(
            world
                .lucid
                .search(&world.reviewer, &asked(bad))
                .await
                .unwrap_err()
                .kind(),
            Kind::Invalid
        );
    }
    assert_eq!(
        paths(&world, "near and or not").await,
        ["/a.md"],
        "no word is an operator"
    );
    assert!(
        paths(&world, "\u{e000}memory").await.is_empty(),
        "the index's own tokens cannot be asked for"
    );
}

#[tokio::test]
async fn the_page_finds_marks_and_links() {
    let world = World::on(crate::support::databases::TestDb::sqlite()).await;
    world
        .remember(&[("/a.md", "The <b>Wagtail</b> is grey.\n", false)])
        .await;
    let served = Served::start(world.url(), &["--no-worker"]);
    let visitor = Visitor::new(&served);
    let cookie = visitor
        .sign_in(&user_link(world.url(), "reviewer@lucid.example"))
        .await;
    let page = visitor
        .get("/search?q=wagtail", &cookie)
        .await
        .text()
        .await
        .unwrap();
    assert!(
        page.contains("<mark>") && page.contains("Wagtail") && !page.contains("<b>Wagtail"),
        "{page}"
    );
    let bad = visitor
        .get("/search?q=wagtail&person=nobody", &cookie)
        .await;
    assert_eq!(bad.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(bad.text().await.unwrap().contains("is called"));
}
