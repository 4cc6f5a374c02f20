//! Erasure: an end user's words go from every table and file, holds refuse it, a second admin
//! confirms it, and the trail still verifies.

use std::{collections::BTreeSet, fmt::Write};

use domain::{
    actor::{Actor, Grant, Role, StoreRole},
    changeset::ChangeState,
    ids::{MemoryId, SessionId, VersionId},
    memory::Operation,
};
use service::{
    AskedErasure, ChangeView, Erasure, Grantee, HoldOn, Keeping, Kind, MemoryWrite, NewUser, Place,
    SearchRequest, Verdict,
};
use store::{Db, faults::failing_at};

use crate::{
    policies,
    world::{World, actor, add, create, failing, on_both_engines, spool},
};

on_both_engines!(
    what_holds_or_proposes_it_elsewhere_counts_too,
    one_person_with_two_accounts_is_no_second_admin,
    an_end_user_is_erased_from_every_table_and_file,
    what_others_said_stays,
    a_second_admin_confirms_an_erasure,
    a_hold_refuses_every_erasure,
    the_text_of_a_past_version_is_erased,
    a_letter_says_what_is_known,
    old_transcripts_are_erased,
    an_erasure_that_fails_at_any_statement_changes_nothing,
    an_open_reader_puts_the_rewriting_off,
);

const SUBJECT: &str = "cust-4711-zeta";
/// What only this end user said; some of it reads the same in any table and file.
const SAID: &str =
    "My grandmother Quetzalina always books the window seat next to the sleeping fox.";
const WORD: &str = "quetzalina";

/// A session of an end user in which a tool fails, and in which they say something of their own.
pub fn session_of(subject: &str, id: &str, task: &str, number: u32, said: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(&failing(id, task, number)).unwrap();
    value["user"] = subject.into();
    let messages = value["messages"].as_array_mut().unwrap();
    messages.insert(1, serde_json::json!({"role": "user", "content": said}));
    value.to_string()
}

const fn because(reason: &str) -> AskedErasure<'_> {
    AskedErasure {
        kept: &[],
        also: "",
        reason,
        confirmed: true,
    }
}

pub async fn sessions_of(world: &World, subject: &str) -> Vec<SessionId> {
    let mut tx = world.db.read().await.unwrap();
    store::erasing::sessions_of(&mut tx, subject).await.unwrap()
}

async fn memory_at(world: &World, path: &str) -> Option<MemoryId> {
    let all = world
        .lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows;
    all.into_iter()
        .find(|m| m.path.as_str() == path)
        .map(|m| m.id)
}

async fn change_to(world: &World, write: MemoryWrite, reason: &str) -> ChangeView {
    let (changeset, _) = world
        .lucid
        .propose_change(&world.admin, world.store, &write, reason)
        .await
        .unwrap();
    world.approve_and_commit(changeset).await;
    world.changes(changeset).await.remove(0)
}

/// Everything in which a text may be left behind: the rows of every table, as text.
pub async fn everything(world: &World) -> String {
    everything_in(&world.db).await
}

/// As [`everything`], of a database.
pub async fn everything_in(db: &Db) -> String {
    let mut all = String::new();
    match db {
        Db::Sqlite { read, .. } => {
            let tables: Vec<String> =
                sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
                    .fetch_all(read)
                    .await
                    .unwrap();
            for table in tables {
                let columns: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
                    "SELECT name FROM pragma_table_info('{table}')"
                )))
                .fetch_all(read)
                .await
                .unwrap();
                for column in columns {
                    let sql = sqlx::AssertSqlSafe(format!(
                        "SELECT CAST(\"{column}\" AS TEXT) FROM \"{table}\" WHERE \"{column}\" IS \
                         NOT NULL"
                    ));
                    // Bytes that are no text are shown by nobody.
                    let rows: Vec<Vec<u8>> = sqlx::query_scalar::<_, Vec<u8>>(sqlx::AssertSqlSafe(
                        sql.0.replace("AS TEXT", "AS BLOB"),
                    ))
                    .fetch_all(read)
                    .await
                    .unwrap_or_default();
                    for row in rows {
                        writeln!(all, "{table}.{column}: {}", String::from_utf8_lossy(&row))
                            .unwrap();
                    }
                }
            }
        }
        Db::Postgres(pool) => {
            let tables: Vec<String> =
                sqlx::query_scalar("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
                    .fetch_all(pool)
                    .await
                    .unwrap();
            for table in tables {
                let sql = sqlx::AssertSqlSafe(format!("SELECT CAST(t.* AS TEXT) FROM {table} t"));
                let rows: Vec<String> = sqlx::query_scalar(sql).fetch_all(pool).await.unwrap();
                for row in rows {
                    writeln!(all, "{table}: {row}").unwrap();
                }
            }
        }
    }
    all
}

/// The bytes of every file that the database has, but for PostgreSQL's log of writes, which its
/// server keeps for a while.
async fn files(world: &World) -> Vec<(String, Vec<u8>)> {
    match &world.db {
        Db::Sqlite { .. } => {
            let path = world
                .url()
                .strip_prefix("sqlite:")
                .unwrap()
                .trim_start_matches("//")
                .to_owned();
            let folder = std::path::Path::new(&path).parent().unwrap();
            let name = std::path::Path::new(&path)
                .file_name()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let all = std::fs::read_dir(folder)
                .unwrap()
                .map(|f| f.unwrap().path());
            let own = all.filter(|f| f.file_name().unwrap().to_str().unwrap().starts_with(&name));
            own.map(|f| (f.display().to_string(), std::fs::read(f).unwrap()))
                .collect()
        }
        Db::Postgres(pool) => {
            sqlx::query("CHECKPOINT").execute(pool).await.unwrap();
            let folder: String = sqlx::query_scalar(
                "SELECT current_setting('data_directory') || '/base/' || (SELECT oid FROM \
                 pg_database WHERE datname = current_database())",
            )
            .fetch_one(pool)
            .await
            .unwrap();
            let all = std::fs::read_dir(folder)
                .expect("the tests read the files of their own PostgreSQL")
                .map(|f| f.unwrap().path());
            all.filter_map(|f| {
                std::fs::read(&f)
                    .ok()
                    .map(|bytes| (f.display().to_string(), bytes))
            })
            .collect()
        }
    }
}

fn holds(bytes: &[u8], word: &str) -> bool {
    let lower: Vec<u8> = bytes.iter().map(u8::to_ascii_lowercase).collect();
    lower
        .windows(word.len())
        .any(|part| part == word.as_bytes())
}

async fn assert_nothing_is_left(world: &World, words: &[&str]) {
    let all = everything(world).await;
    for word in words {
        let at: Vec<&str> = all
            .lines()
            .filter(|line| line.to_lowercase().contains(word))
            .collect();
        assert!(
            at.is_empty(),
            "{word} is left in\n{}",
            at.join("\n").chars().take(3_000).collect::<String>()
        );
    }
    for (name, bytes) in files(world).await {
        for word in words {
            assert!(
                !holds(&bytes, word),
                "{word} is left in the bytes of {name}"
            );
        }
    }
}

async fn search(world: &World, text: &str) -> usize {
    let request = SearchRequest {
        text: text.to_owned(),
        ..SearchRequest::default()
    };
    let found = world.lucid.search(&world.admin, &request).await.unwrap();
    found.memories.len() + found.past.len() + found.changes.len() + found.sessions.len()
}

/// An end user who left traces wherever one can: sessions, quotes, memory, past versions,
/// proposals, comments, notes, messages.
async fn traces(world: &World) -> Vec<SessionId> {
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
    let changeset = world.dream().await.expect("two end users make a proposal");
    world.approve_and_commit(changeset).await;
    // The other one is erased first: what both made known rests on this one alone from then on.
    let other = sessions_of(world, "cust-42").await[0];
    world
        .lucid
        .erase_subject(&world.admin, other, &because("Asked for."))
        .await
        .unwrap();
    world
        .import(&session_of(SUBJECT, "s3", "t3", 3, SAID))
        .await;
    let path = format!("/customers/{SUBJECT}.md");
    let change = change_to(
        world,
        create(&path, &format!("{SAID}\n")),
        &format!("Said by {SUBJECT}."),
    )
    .await;
    world
        .lucid
        .comment(
            &world.reviewer,
            change.change.id,
            &format!("As {WORD} asked."),
        )
        .await
        .unwrap();
    let write = create("/never.md", &format!("They said: {SAID}"));
    let (rejected, _) = world
        .lucid
        .propose_change(&world.admin, world.store, &write, SAID)
        .await
        .unwrap();
    let change = world.changes(rejected).await.remove(0);
    let note = format!("{SUBJECT} does not want that");
    let decision = service::Decision {
        change: change.change.id,
        revision: change.change.revision,
        digest: change.change.digest.clone(),
        verdict: Verdict::Reject(domain::changeset::RejectCode::ALL[0]),
        note,
    };
    world.decide(&world.reviewer, &decision).await.unwrap();
    world.lucid.index_new_documents(usize::MAX).await.unwrap();
    sessions_of(world, SUBJECT).await
}

async fn an_end_user_is_erased_from_every_table_and_file(world: World) {
    let lucid = &world.lucid;
    let sessions = traces(&world).await;
    assert_eq!(sessions.len(), 2);
    assert!(search(&world, WORD).await >= 1, "search knows the word");
    let known = lucid.subject(&world.admin, sessions[0], "").await.unwrap();
    assert_eq!((known.sessions, known.waits), (2, false));
    assert!(known.quotes >= 1 && known.texts >= 2, "{known:?}");
    let why: BTreeSet<Keeping> = known.memories.iter().map(|(_, why)| *why).collect();
    assert_eq!(
        why,
        BTreeSet::from([Keeping::Words, Keeping::Alone]),
        "{:?}",
        known.memories
    );

    // While memory says any of it, nothing is erased.
    let refused = lucid
        .erase_subject(&world.admin, sessions[0], &because("They asked for it."))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(
        refused.message().contains("change or remove"),
        "{}",
        refused.message()
    );
    let own = memory_at(&world, &format!("/customers/{SUBJECT}.md"))
        .await
        .unwrap();
    change_to(
        &world,
        MemoryWrite::Delete {
            id: own,
            expected_sha256: None,
        },
        "Asked for.",
    )
    .await;
    let kept: Vec<MemoryId> = lucid
        .subject(&world.admin, sessions[0], "")
        .await
        .unwrap()
        .memories
        .iter()
        .map(|(m, _)| m.id)
        .collect();
    assert_eq!(
        kept.len(),
        1,
        "the note about the failure holds nothing of them"
    );
    let trail = world.verified().await;

    let done = {
        let asked = AskedErasure {
            kept: &kept,
            also: "Quetzalina",
            reason: &format!("{SUBJECT} asked for it."),
            confirmed: true,
        };
        lucid
            .erase_subject(&world.admin, sessions[0], &asked)
            .await
            .unwrap()
    };
    assert!(matches!(done, Erasure::Done(_)), "there is one admin");
    lucid.clean_after_erasures().await.unwrap();
    assert_nothing_is_left(&world, &[SUBJECT, WORD, "window seat next", "4111 1111"]).await;
    assert_eq!(
        world.verified().await,
        trail + 1,
        "the trail verifies, with one entry more"
    );
    assert_eq!(search(&world, WORD).await, 0);
    let view = lucid.privacy(&world.admin).await.unwrap();
    assert!(
        view.erasures[0].row.cleaned_at.is_some() && view.erasures[0].row.subject.is_none(),
        "{view:?}"
    );

    // What was erased is shown as such, wherever it was, and is not imported again.
    let past = lucid.memory(&world.admin, own, None).await.unwrap();
    assert!(past.path.as_str().starts_with("/erased/"), "{}", past.path);
    assert_eq!(
        lucid
            .past_version(&world.admin, own, 1)
            .await
            .unwrap()
            .content,
        "[erased]"
    );
    for row in lucid
        .history(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows
    {
        lucid
            .commit_view(&world.admin, row.commit.id, None)
            .await
            .unwrap();
        lucid
            .as_of(&world.admin, world.store, row.commit.revision, None)
            .await
            .unwrap();
    }
    lucid
        .compare_revisions(&world.admin, world.store, (0, 9), None)
        .await
        .unwrap();
    assert_eq!(
        lucid
            .propose_restore(&world.admin, own, 1, "")
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict,
        "nothing is left to bring back"
    );
    let (again, _, mut reader) = spool(&session_of(SUBJECT, "s1", "t1", 1, SAID))
        .finish()
        .unwrap();
    let refused = lucid
        .import_session(&Actor::operator(), world.store, &again[0], &mut reader)
        .await
        .unwrap_err();
    assert!(
        refused.message().contains("was erased"),
        "{}",
        refused.message()
    );
    // Another dream over what is left runs as before.
    world.dream().await;
}

async fn what_others_said_stays(world: World) {
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
    let changeset = world.dream().await.expect("two end users make a proposal");
    world.approve_and_commit(changeset).await;
    let before = world
        .lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows;
    let session = sessions_of(&world, SUBJECT).await[0];
    assert!(
        world
            .lucid
            .subject(&world.admin, session, "")
            .await
            .unwrap()
            .memories
            .is_empty(),
        "it rests on others, too"
    );
    world
        .lucid
        .erase_subject(&world.admin, session, &because("Asked for."))
        .await
        .unwrap();
    let after = world
        .lucid
        .memories(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows;
    let said = |rows: &[store::memories::MemoryRow]| {
        rows.iter()
            .map(|m| m.content_sha256.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(said(&before), said(&after), "the memory is as it was");
    let quotes: Vec<(String, bool)> = world
        .changes(changeset)
        .await
        .iter()
        .flat_map(|c| &c.quotes)
        .map(|q| (q.row.quote.clone(), q.verified))
        .collect();
    assert!(
        quotes
            .iter()
            .any(|(quote, verified)| !quote.is_empty() && *verified),
        "{quotes:?}"
    );
    assert!(
        quotes.iter().any(|(quote, _)| quote.is_empty()),
        "{quotes:?}"
    );
    let other = sessions_of(&world, "cust-42").await[0];
    let transcript = world
        .lucid
        .transcript(&world.admin, other, 0)
        .await
        .unwrap();
    assert!(
        transcript
            .events
            .rows
            .iter()
            .any(|e| e.text.contains("aisle")),
        "the other's session is whole"
    );
    assert_eq!(
        world
            .lucid
            .transcript(&world.admin, session, 0)
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    world.verified().await;
}

async fn a_second_admin_confirms_an_erasure(world: World) {
    let lucid = &world.lucid;
    world
        .import(&session_of(SUBJECT, "s1", "t1", 1, SAID))
        .await;
    let session = sessions_of(&world, SUBJECT).await[0];
    let second = policies::second_admin(&world).await;
    let Erasure::Waits(id) = lucid
        .erase_subject(&world.admin, session, &because("Asked for."))
        .await
        .unwrap()
    else {
        panic!("it does not wait")
    };
    assert_eq!(
        lucid
            .erase_subject(&world.admin, session, &because("Again."))
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict,
        "one waits already"
    );
    assert_eq!(
        sessions_of(&world, SUBJECT).await.len(),
        1,
        "nothing is erased yet"
    );
    assert_eq!(
        lucid
            .confirm_erasure(&world.admin, id)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission,
        "not by whoever asked"
    );
    assert_eq!(
        lucid
            .confirm_erasure(&world.reviewer, id)
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    lucid.decline_erasure(&second, id).await.unwrap();
    assert_eq!(
        lucid.confirm_erasure(&second, id).await.unwrap_err().kind(),
        Kind::Conflict,
        "it was declined"
    );
    let Erasure::Waits(id) = lucid
        .erase_subject(&world.admin, session, &because("Asked for."))
        .await
        .unwrap()
    else {
        panic!("it does not wait")
    };
    let both = (
        lucid.confirm_erasure(&second, id),
        lucid.confirm_erasure(&second, id),
    );
    let both = tokio::join!(both.0, both.1);
    assert!(
        both.0.is_ok() != both.1.is_ok(),
        "it is done once: {both:?}"
    );
    assert!(sessions_of(&world, SUBJECT).await.is_empty());
    let row = lucid
        .privacy(&world.admin)
        .await
        .unwrap()
        .erasures
        .remove(0)
        .row;
    assert_eq!((row.subject, row.decided_by), (None, second.who.person()));
    world.verified().await;
}

async fn what_holds_or_proposes_it_elsewhere_counts_too(world: World) {
    let lucid = &world.lucid;
    world
        .import(&session_of(SUBJECT, "s1", "t1", 1, SAID))
        .await;
    let session = sessions_of(&world, SUBJECT).await[0];
    // A past path in another store names them, and an open change here is about them.
    let operator = Actor::operator();
    let held = lucid.create_store(&operator, "Held", "").await.unwrap();
    let me = world.admin.who.person().unwrap();
    lucid
        .grant(
            &operator,
            Grantee::Person(me),
            &Grant::whole(held, StoreRole::Owner),
        )
        .await
        .unwrap();
    let admin = actor(lucid, me).await;
    let path = format!("/customers/{SUBJECT}.md");
    let new = service::NewMemory {
        path: path.parse().unwrap(),
        content: "Ship on Tuesdays.\n".into(),
        by_person: false,
    };
    lucid
        .write_memories(&operator, held, &[new], "before")
        .await
        .unwrap();
    let memory = lucid.memories(&admin, held, None).await.unwrap().rows[0].id;
    lucid
        .write_memory(
            &operator,
            held,
            &MemoryWrite::Delete {
                id: memory,
                expected_sha256: None,
            },
        )
        .await
        .unwrap();
    let invoices = create(
        &format!("/customers/{SUBJECT}/invoices.md"),
        "They pay late.\n",
    );
    let (open, _) = lucid
        .propose_change(&admin, world.store, &invoices, "Seen twice.")
        .await
        .unwrap();
    let (unrelated, _) = lucid
        .propose_change(
            &admin,
            world.store,
            &create("/other.md", "Else.\n"),
            "Seen twice.",
        )
        .await
        .unwrap();
    lucid.index_new_documents(usize::MAX).await.unwrap();
    let hold = lucid
        .place_hold(&admin, HoldOn::Store(held), "Case 12.")
        .await
        .unwrap();
    let error = lucid
        .erase_subject(&admin, session, &because("Asked for."))
        .await
        .unwrap_err();
    assert!(error.message().contains("Case 12."), "{}", error.message());
    lucid.release_hold(&admin, hold, "Closed.").await.unwrap();
    let hold = lucid
        .place_hold(&admin, HoldOn::SubjectOf(session), "Case 13.")
        .await
        .unwrap();
    lucid.release_hold(&admin, hold, "Closed.").await.unwrap();
    lucid
        .erase_subject(&admin, session, &because("Asked for."))
        .await
        .unwrap();
    lucid.index_new_documents(usize::MAX).await.unwrap();
    lucid.clean_after_erasures().await.unwrap();
    assert_nothing_is_left(&world, &[SUBJECT, WORD]).await;
    assert_eq!(
        world.changes(open).await[0].change.state,
        ChangeState::Obsolete,
        "what cannot be committed any more is withdrawn"
    );
    assert_eq!(
        world.changes(unrelated).await[0].change.state,
        ChangeState::Pending
    );
    let past = lucid.past_version(&admin, memory, 1).await.unwrap();
    assert_eq!(
        (past.content.as_str(), past.version.version.redacted_at),
        ("Ship on Tuesdays.\n", None),
        "only its path named them"
    );
    world.verified().await;
}

async fn one_person_with_two_accounts_is_no_second_admin(world: World) {
    let lucid = &world.lucid;
    world
        .import(&session_of(SUBJECT, "s1", "t1", 1, SAID))
        .await;
    let session = sessions_of(&world, SUBJECT).await[0];
    // The admin invites another account, whose link they see.
    let new = NewUser {
        email: "alt@lucid.example".into(),
        name: "alt".into(),
        role: Role::Admin,
        grants: vec![],
    };
    let (alt, link) = lucid.add_user(&world.admin, &new).await.unwrap();
    lucid
        .use_link(
            &link.shown().unwrap(),
            "four plain words here",
            "",
            "",
            Place::default(),
        )
        .await
        .unwrap();
    let alt = actor(lucid, alt).await;
    // Once there is an independent one, neither confirms for the other.
    let second = policies::second_admin(&world).await;
    world
        .remember(&[("/note.md", &format!("{SAID}\n"), false)])
        .await;
    let note = memory_at(&world, "/note.md").await.unwrap();
    let asked = AskedErasure {
        kept: &[note],
        also: "",
        reason: "Asked for.",
        confirmed: true,
    };
    let Erasure::Waits(id) = lucid
        .erase_subject(&world.admin, session, &asked)
        .await
        .unwrap()
    else {
        panic!("it does not wait")
    };
    assert_eq!(
        lucid.confirm_erasure(&alt, id).await.unwrap_err().kind(),
        Kind::Permission,
        "they count as one person"
    );
    assert!(!lucid.privacy(&alt).await.unwrap().erasures[0].may_confirm);
    let shown = lucid.privacy(&second).await.unwrap().erasures.remove(0);
    assert!(
        shown.may_confirm && shown.kept == ["/note.md"],
        "{:?}",
        shown.kept
    );
    // What was said to hold nothing of them was changed since.
    let other = MemoryWrite::Update {
        id: note,
        path: None,
        content: Some(format!("{SAID} Twice.\n")),
        expected_sha256: None,
    };
    lucid
        .write_memory(&Actor::operator(), world.store, &other)
        .await
        .unwrap();
    assert_eq!(
        lucid.confirm_erasure(&second, id).await.unwrap_err().kind(),
        Kind::Conflict
    );
    lucid.decline_erasure(&second, id).await.unwrap();
    // Without the independent one it is done at once, and the trail says so.
    lucid
        .set_disabled(&Actor::operator(), second.who.person().unwrap(), true)
        .await
        .unwrap();
    let done = lucid
        .erase_subject(&world.admin, session, &asked)
        .await
        .unwrap();
    assert!(matches!(done, Erasure::Done(_)));
    let counts = lucid
        .privacy(&world.admin)
        .await
        .unwrap()
        .erasures
        .remove(0)
        .row
        .counts;
    assert!(counts.contains("overridden"), "{counts}");
}

async fn a_hold_refuses_every_erasure(world: World) {
    let lucid = &world.lucid;
    world
        .import(&session_of(SUBJECT, "s1", "t1", 1, SAID))
        .await;
    let session = sessions_of(&world, SUBJECT).await[0];
    world.remember(&[("/a.md", "One.\n", false)]).await;
    let memory = memory_at(&world, "/a.md").await.unwrap();
    change_to(
        &world,
        MemoryWrite::Update {
            id: memory,
            path: None,
            content: Some("Two.\n".into()),
            expected_sha256: None,
        },
        "Better.",
    )
    .await;
    let first = lucid
        .past_version(&world.admin, memory, 1)
        .await
        .unwrap()
        .version
        .version
        .id;
    let auditor = add(lucid, "auditor", Role::Auditor, vec![]).await;
    for who in [&world.reviewer, &auditor, &Actor::operator()] {
        assert_eq!(
            lucid
                .place_hold(who, HoldOn::Store(world.store), "A case.")
                .await
                .unwrap_err()
                .kind(),
            Kind::Permission
        );
    }
    assert_eq!(
        lucid
            .place_hold(&world.admin, HoldOn::Store(world.store), " ")
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
    for (on, subject, version) in [
        (HoldOn::SubjectOf(session), true, false),
        (HoldOn::Memory(memory), false, true),
        (HoldOn::Store(world.store), true, true),
    ] {
        let hold = lucid
            .place_hold(&world.admin, on, "Case 12 of the court.")
            .await
            .unwrap();
        let mut refused = Vec::new();
        if subject {
            refused.push(
                lucid
                    .erase_subject(&world.admin, session, &because("Asked for."))
                    .await
                    .map(drop),
            );
        }
        if version {
            refused.push(lucid.redact(&world.admin, first, "A slip.").await.map(drop));
        }
        for refused in refused {
            let error = refused.unwrap_err();
            assert!(
                error.kind() == Kind::Conflict && error.message().contains("Case 12 of the court."),
                "{on:?}: {}",
                error.message()
            );
        }
        if subject {
            // An old transcript is not erased either.
            lucid
                .set_transcript_days(&world.admin, Some(90))
                .await
                .unwrap();
            world.wait_seconds(200 * 86_400);
            assert_eq!(lucid.apply_retention().await.unwrap(), 0, "{on:?}");
            lucid.set_transcript_days(&world.admin, None).await.unwrap();
        }
        assert!(
            lucid
                .privacy(&auditor)
                .await
                .unwrap()
                .holds
                .iter()
                .any(|h| h.row.id == hold && h.row.released_at.is_none())
        );
        lucid
            .release_hold(&world.admin, hold, "The case is closed.")
            .await
            .unwrap();
        assert_eq!(
            lucid
                .release_hold(&world.admin, hold, "Again.")
                .await
                .unwrap_err()
                .kind(),
            Kind::Conflict
        );
        if subject && version {
            lucid
                .erase_subject(&world.admin, session, &because("Asked for."))
                .await
                .unwrap();
            assert!(sessions_of(&world, SUBJECT).await.is_empty());
        }
    }
    world.verified().await;
}

/// As long as a transaction may still read the erased rows, the files keep them.
async fn an_open_reader_puts_the_rewriting_off(world: World) {
    world
        .import(&session_of(SUBJECT, "s1", "t1", 1, SAID))
        .await;
    let lucid = &world.lucid;
    let session = sessions_of(&world, SUBJECT).await[0];
    let cleaned = || async {
        let shown = lucid.privacy(&world.admin).await.unwrap();
        shown.erasures[0].row.cleaned_at
    };
    let db = store::Db::open(world.url()).await.unwrap();
    let mut reader = db.read().await.unwrap();
    store::audit_log::head(&mut reader).await.unwrap();
    lucid
        .erase_subject(&world.admin, session, &because("Asked for."))
        .await
        .unwrap();
    lucid.clean_after_erasures().await.unwrap();
    assert_eq!(cleaned().await, None);
    reader.commit().await.unwrap();
    db.close().await;
    lucid.clean_after_erasures().await.unwrap();
    assert!(cleaned().await.is_some());
    assert_nothing_is_left(&world, &[WORD]).await;
}

async fn the_text_of_a_past_version_is_erased(world: World) {
    let lucid = &world.lucid;
    let secret = "The key of the safe is under the stuffed Quetzalina.";
    world
        .remember(&[
            ("/safe.md", &format!("{secret}\nAsk Ana.\n"), false),
            ("/twin.md", "Else.\n", false),
        ])
        .await;
    let memory = memory_at(&world, "/safe.md").await.unwrap();
    let of_it = &world;
    let version = |number: i64| async move {
        of_it
            .lucid
            .past_version(&of_it.admin, memory, number)
            .await
            .unwrap()
            .version
            .version
    };
    let first: VersionId = version(1).await.id;
    assert_eq!(
        lucid
            .redact(&world.admin, first, "A slip.")
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict,
        "the memory still says it"
    );
    let text = "Ask Ana.\n".to_owned();
    change_to(
        &world,
        MemoryWrite::Update {
            id: memory,
            path: None,
            content: Some(text),
            expected_sha256: None,
        },
        "No secrets here.",
    )
    .await;
    for who in [&world.reviewer, &world.stranger] {
        assert!(matches!(
            lucid
                .redact(who, first, "A slip.")
                .await
                .unwrap_err()
                .kind(),
            Kind::Permission | Kind::NotFound
        ));
    }
    assert_eq!(
        lucid
            .redact(&world.admin, first, "")
            .await
            .unwrap_err()
            .kind(),
        Kind::Invalid
    );
    // An open change that would bring it back stands in the way, and so does another memory that
    // says the same.
    let back = lucid
        .propose_restore(&world.admin, memory, 1, "")
        .await
        .unwrap();
    assert_eq!(
        lucid
            .redact(&world.admin, first, "A slip.")
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict
    );
    lucid.withdraw(&world.admin, back).await.unwrap();
    lucid.redact(&world.admin, first, "A slip.").await.unwrap();
    lucid.clean_after_erasures().await.unwrap();
    assert_nothing_is_left(&world, &[WORD]).await;
    assert!(version(1).await.redacted_at.is_some());
    assert_eq!(
        lucid
            .redact(&world.admin, first, "A slip.")
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict,
        "once is enough"
    );
    let blamed = lucid.blame(&world.admin, memory).await.unwrap();
    assert_eq!(
        blamed
            .iter()
            .map(|b| b.version.version.number)
            .collect::<Vec<_>>(),
        [2],
        "the line is known since the version after it"
    );
    let shown = lucid.compare(&world.admin, memory, 1, 2).await.unwrap();
    assert!(
        shown.lines.iter().any(|line| line
            .runs
            .iter()
            .map(|run| run.text.as_str())
            .collect::<String>()
            == "[erased]"),
        "{:?}",
        shown.lines
    );
    // A commit that it was part of can no longer be reverted to it.
    let commits = lucid
        .history(&world.admin, world.store, None)
        .await
        .unwrap()
        .rows;
    let error = lucid
        .revert(&world.admin, commits[0].commit.id)
        .await
        .unwrap_err();
    assert!(
        error.kind() == Kind::Conflict && error.message().contains("erased"),
        "{}",
        error.message()
    );
    assert_eq!(version(2).await.operation, Operation::Modified);
    world.verified().await;
}

async fn a_letter_says_what_is_known(world: World) {
    let world = World {
        lucid: world.lucid.clone().with_signing_key([9; 32]),
        ..world
    };
    let lucid = &world.lucid;
    let sessions = traces(&world).await;
    world
        .import(&session_of(
            "cust-42",
            "s9",
            "t9",
            9,
            "write to bob@example.com",
        ))
        .await;
    let path = format!("/customers/{SUBJECT}.md");
    let own = memory_at(&world, &path).await.unwrap();
    let text = format!("{SAID}\nHer neighbour is carol@example.com.\n");
    change_to(
        &world,
        MemoryWrite::Update {
            id: own,
            path: None,
            content: Some(text),
            expected_sha256: None,
        },
        "More.",
    )
    .await;
    let letter = lucid
        .subject_letter(&world.admin, sessions[0])
        .await
        .unwrap();
    let key = audit::checkpoint::public_key(&[9; 32]);
    let (_, body) = audit::letter::verify(&letter.text, Some(&key)).unwrap();
    for part in [
        SUBJECT,
        "2 sessions",
        path.as_str(),
        SAID,
        "Approved by reviewer",
        "It rests on these words",
        "> […]",
    ] {
        assert!(body.contains(part), "{part} is missing in\n{body}");
    }
    assert!(
        !body.contains("neighbour") && !body.contains("bob@"),
        "what others are told of is left out: {body}"
    );
    // An admin without a grant makes no letter that tells what stores hold.
    let other = add(lucid, "other-admin", Role::Admin, vec![]).await;
    let letter = lucid
        .subject_letter(&other, sessions[0])
        .await
        .unwrap()
        .text;
    assert!(
        letter.contains("may not see are not told here") && !letter.contains("grandmother"),
        "{letter}"
    );
    let known = lucid.subject(&other, sessions[0], "").await.unwrap();
    assert!(
        known.memories.is_empty() && known.elsewhere > 0,
        "{known:?}"
    );
    let auditor = add(lucid, "auditor", Role::Auditor, vec![]).await;
    for who in [&world.reviewer, &auditor] {
        assert_eq!(
            lucid
                .subject_letter(who, sessions[0])
                .await
                .unwrap_err()
                .kind(),
            Kind::Permission
        );
        assert_eq!(
            lucid
                .subject(who, sessions[0], "")
                .await
                .unwrap_err()
                .kind(),
            Kind::Permission
        );
    }
    let error = lucid
        .session_of_subject(&world.admin, "nobody")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Invalid);
    assert_eq!(
        lucid
            .session_of_subject(&world.admin, &format!(" {SUBJECT} "))
            .await
            .unwrap(),
        *sessions.last().unwrap()
    );
}

async fn old_transcripts_are_erased(world: World) {
    let lucid = &world.lucid;
    let changeset = world.proposal().await;
    lucid.index_new_documents(usize::MAX).await.unwrap();
    world.wait_seconds(100 * 86_400);
    world.import(&failing("new", "t9", 9)).await;
    assert_eq!(
        lucid.apply_retention().await.unwrap(),
        0,
        "without a limit nothing is erased"
    );
    for days in [0, 89, -1, 40_000] {
        assert_eq!(
            lucid
                .set_transcript_days(&world.admin, Some(days))
                .await
                .unwrap_err()
                .kind(),
            Kind::Invalid,
            "{days}"
        );
    }
    assert_eq!(
        lucid
            .set_transcript_days(&world.reviewer, Some(90))
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    lucid
        .set_transcript_days(&world.admin, Some(90))
        .await
        .unwrap();
    assert_eq!(lucid.apply_retention().await.unwrap(), 2);
    assert_eq!(lucid.apply_retention().await.unwrap(), 0, "once a day");
    world.wait_seconds(2 * 86_400);
    assert_eq!(
        lucid.apply_retention().await.unwrap(),
        0,
        "nothing else is old"
    );
    let sessions = lucid.sessions(&world.admin, None, None).await.unwrap().rows;
    assert_eq!(sessions.len(), 3, "that there were sessions is still known");
    for session in &sessions {
        let events = lucid
            .transcript(&world.admin, session.id, 0)
            .await
            .unwrap()
            .events
            .rows;
        let empty = events.iter().all(|e| e.text.is_empty());
        assert_eq!(
            empty,
            session.external_id.as_deref() != Some("new"),
            "{session:?}"
        );
    }
    let quotes: Vec<_> = world
        .changes(changeset)
        .await
        .into_iter()
        .flat_map(|c| c.quotes)
        .collect();
    assert!(
        !quotes.is_empty() && quotes.iter().all(|q| !q.row.quote.is_empty() && q.erased),
        "quotes stay: {quotes:?}"
    );
    let (again, _, mut reader) = spool(&failing("s1", "t1", 1)).finish().unwrap();
    let refused = lucid
        .import_session(&Actor::operator(), world.store, &again[0], &mut reader)
        .await
        .unwrap_err();
    assert!(
        refused.message().contains("was erased"),
        "{}",
        refused.message()
    );
    world.verified().await;
}

/// All of it or nothing, whichever statement fails.
async fn an_erasure_that_fails_at_any_statement_changes_nothing(world: World) {
    let lucid = &world.lucid;
    world
        .import(&session_of(SUBJECT, "s1", "t1", 1, SAID))
        .await;
    let session = sessions_of(&world, SUBJECT).await[0];
    let before = everything(&world).await;
    let mut failed = 0;
    for skipped in (0..).step_by(7) {
        let (done, is_failed) = Box::pin(failing_at(
            skipped,
            lucid.erase_subject(&world.admin, session, &because("Asked for.")),
        ))
        .await;
        if !is_failed {
            done.unwrap();
            break;
        }
        assert!(
            done.is_err(),
            "statement {skipped} failed, and the erasure did not say so"
        );
        failed += 1;
        assert_eq!(sessions_of(&world, SUBJECT).await, [session]);
        assert_eq!(
            everything(&world).await.len(),
            before.len(),
            "after {skipped} statements"
        );
    }
    assert!(failed > 10, "{failed}");
    world.verified().await;
}

#[tokio::test]
async fn every_column_of_text_is_searched_or_said_not_to_be() {
    let world = World::on(crate::support::databases::TestDb::sqlite()).await;
    let Db::Sqlite { read, .. } = &world.db else {
        panic!("not SQLite")
    };
    let all: Vec<String> = sqlx::query_scalar(
        "SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
            WHERE m.type = 'table' AND c.type = 'TEXT' AND m.name NOT LIKE 'search_index%' AND m.name NOT LIKE '_sqlx%' ORDER BY 1",
    )
    .fetch_all(read)
    .await
    .unwrap();
    let searched: BTreeSet<&str> = store::erasing::TEXTS
        .iter()
        .map(|column| column.name)
        .collect();
    let exempt: BTreeSet<String> = store::erasing::NOT_SEARCHED
        .iter()
        .flat_map(|(table, columns, _)| {
            columns
                .split(' ')
                .map(move |column| format!("{table}.{column}"))
        })
        .collect();
    let missing: Vec<&String> = all
        .iter()
        .filter(|c| !searched.contains(c.as_str()) && !exempt.contains(*c))
        .collect();
    assert!(
        missing.is_empty(),
        "an erasure does not search {missing:?}; add them to TEXTS, or to NOT_SEARCHED with the \
         reason"
    );
    for column in searched.iter().map(|c| (*c).to_owned()).chain(exempt) {
        assert!(all.contains(&column), "{column} is no column of text");
    }
}
