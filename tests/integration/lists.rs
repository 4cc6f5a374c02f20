//! Lists of any length: a page at a time by key, found in any case and script, and with as many
//! statements for many rows as for few.

use std::{collections::BTreeSet, fmt::Write};

use domain::{
    actor::{Actor, Grant, Role, StoreRole},
    changeset::RejectCode,
    memory::GateMode,
    policy::{PRESETS, PolicyFile},
    rights::Scope,
};
use reqwest::StatusCode;
use service::{
    Grantee, Kind, Listed, Listing, NewFreeze, NewKey, NewMemory, NewUser, QueueFilter, Verdict,
};

use crate::{
    http::Visitor,
    support::{
        databases::TestDb,
        process::{Served, user_link},
        soak::Dice,
    },
    world::{World, actor, create, failing, on_both_engines, open_changesets, waiting},
};

on_both_engines!(
    pages_of_a_listing_together_are_the_whole_of_it,
    versions_commits_and_dreams_have_pages,
    titles_are_found_in_any_case_of_any_script,
    a_deleted_store_can_be_restored_for_thirty_days,
    a_key_proposes_so_much_a_day,
);

fn note(path: &str, content: &str) -> NewMemory {
    NewMemory {
        path: path.parse().unwrap(),
        content: content.to_owned(),
        by_person: false,
    }
}

async fn key_of(world: &World, owner: &Actor, scopes: &[Scope]) -> Actor {
    let owner = owner.who.person();
    let new = NewKey {
        name: "lists".into(),
        owner,
        store: None,
        scopes: scopes.to_vec(),
        days: None,
    };
    let (_, secret) = world.lucid.add_key(&Actor::operator(), &new).await.unwrap();
    world.lucid.key_actor(&secret).await.unwrap()
}

/// What a listing is to return, worked out from the paths alone.
fn expected(paths: &BTreeSet<String>, prefix: &str, children_only: bool) -> Vec<String> {
    let below = paths.iter().filter_map(|p| p.strip_prefix(prefix));
    let shown = below.map(|rest| match rest.split_once('/') {
        Some((folder, _)) if children_only => format!("{prefix}{folder}/"),
        _ => format!("{prefix}{rest}"),
    });
    shown.collect::<BTreeSet<_>>().into_iter().collect()
}

async fn pages_of_a_listing_together_are_the_whole_of_it(world: World) {
    // Names around `/` in the order of bytes, a memory beside a folder of the same name, and
    // letters of more than one byte.
    let names = ["a", "a-b", "a.md", "a0", "b", "B", "ä", "z", "ж", "~"];
    let mut dice = Dice::new(11);
    let mut name = || names[usize::try_from(dice.below(names.len() as u64)).unwrap()];
    let mut paths = BTreeSet::new();
    for n in 0..400 {
        let path = (0..=n % 4).fold(String::new(), |path, _| format!("{path}/{}", name()));
        paths.insert(path);
    }
    let notes: Vec<NewMemory> = paths
        .iter()
        .map(|p| note(p, &format!("It is about {p}.\n")))
        .collect();
    world
        .lucid
        .write_memories(&Actor::operator(), world.store, &notes, "many")
        .await
        .unwrap();
    for prefix in ["/", "/a/", "/a/b/", "/ä/", "/nowhere/"] {
        for children_only in [false, true] {
            for limit in [1, 7, 1_000] {
                let mut listing = Listing {
                    prefix: prefix.into(),
                    children_only,
                    after: None,
                    limit,
                    contents: true,
                    session: None,
                };
                let mut found = Vec::new();
                loop {
                    let (items, next) = world
                        .lucid
                        .list_memories(&world.reviewer, world.store, &listing)
                        .await
                        .unwrap();
                    assert!(items.len() <= limit);
                    for item in items {
                        match item {
                            Listed::Memory(memory, content) => {
                                assert_eq!(
                                    content.unwrap(),
                                    format!("It is about {}.\n", memory.path)
                                );
                                found.push(memory.path.to_string());
                            }
                            Listed::Prefix(path) => found.push(path),
                        }
                    }
                    let Some(next) = next else { break };
                    listing.after = Some(next);
                }
                assert_eq!(
                    found,
                    expected(&paths, prefix, children_only),
                    "{prefix}, children only {children_only}, {limit} a page"
                );
            }
        }
    }
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = world
            .lucid
            .memories(&world.reviewer, world.store, after.as_deref())
            .await
            .unwrap();
        found.extend(page.rows.iter().map(|m| m.path.to_string()));
        after = found.last().cloned();
        if !page.more {
            break;
        }
    }
    assert_eq!(found, paths.into_iter().collect::<Vec<_>>());
}

async fn versions_commits_and_dreams_have_pages(world: World) {
    let lucid = &world.lucid;
    for n in 0..53 {
        world
            .remember(&[("/grows.md", &format!("Edition {n}.\n"), false)])
            .await;
    }
    let memory = lucid
        .memories(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows[0]
        .id;
    let newest = lucid.memory(&world.reviewer, memory, None).await.unwrap();
    assert_eq!((newest.versions.len(), newest.more), (50, true));
    let oldest = lucid
        .memory(
            &world.reviewer,
            memory,
            newest.versions.last().map(|v| v.version.number),
        )
        .await
        .unwrap();
    assert_eq!(
        oldest
            .versions
            .iter()
            .map(|v| v.version.number)
            .collect::<Vec<_>>(),
        [3, 2, 1]
    );
    assert_eq!(
        (oldest.more, &oldest.content),
        (false, &newest.content),
        "the memory itself stays as it is now"
    );
    let history = lucid
        .history(&world.reviewer, world.store, None)
        .await
        .unwrap();
    assert_eq!((history.rows.len(), history.more), (50, true));
    let many: Vec<NewMemory> = (0..45)
        .map(|n| note(&format!("/many/{n:02}.md"), &format!("Number {n}.\n")))
        .collect();
    lucid
        .write_memories(&Actor::operator(), world.store, &many, "many at once")
        .await
        .unwrap();
    let commit = lucid
        .history(&world.reviewer, world.store, None)
        .await
        .unwrap()
        .rows[0]
        .commit
        .id;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let view = lucid
            .commit_view(&world.reviewer, commit, after)
            .await
            .unwrap();
        assert!(view.versions.len() <= 20);
        after = view.versions.last().map(|(v, _)| v.version.id);
        seen.extend(
            view.versions
                .iter()
                .map(|(v, _)| v.version.path.to_string()),
        );
        if !view.more {
            break;
        }
    }
    seen.sort();
    assert_eq!(
        seen,
        many.iter().map(|m| m.path.to_string()).collect::<Vec<_>>()
    );
    for _ in 0..52 {
        assert_eq!(world.dream().await, None);
    }
    let first = lucid
        .dreams(&world.reviewer, Some(world.store), None)
        .await
        .unwrap();
    let second = lucid
        .dreams(
            &world.reviewer,
            Some(world.store),
            first.rows.last().map(|d| d.id),
        )
        .await
        .unwrap();
    assert_eq!(
        (first.rows.len(), first.more, second.rows.len(), second.more),
        (50, true, 2, false)
    );
    let all: BTreeSet<_> = first
        .rows
        .iter()
        .chain(&second.rows)
        .map(|d| d.id)
        .collect();
    assert_eq!(all.len(), 52, "none is on both pages");
}

async fn titles_are_found_in_any_case_of_any_script(world: World) {
    let lucid = &world.lucid;
    for path in [
        "/team/ÄNDERUNG.md",
        "/отчёт/ГОДОВОЙ.md",
        "/ΣΊΣΥΦΟΣ.md",
        "/straße.md",
        "/100%_sure.md",
    ] {
        lucid
            .propose_change(
                &world.admin,
                world.store,
                &create(path, "Noted.\n"),
                "It was agreed.",
            )
            .await
            .unwrap();
    }
    let found = async |text: &str| {
        let filter = QueueFilter {
            text: Some(text.to_owned()),
            ..QueueFilter::default()
        };
        waiting(lucid, &world.reviewer, &filter).await.len()
    };
    for text in [
        "änderung",
        "ÄNDERUNG",
        "Änderung",
        "годовой",
        "σίσυφος",
        "ΣΊΣΥΦΟΣ",
        "STRASSE",
        "100%_SURE",
    ] {
        assert_eq!(found(text).await, 1, "{text}");
    }
    assert_eq!(
        found("anderung").await,
        0,
        "an accent is a letter of its own"
    );
    assert_eq!(
        (found("%_").await, found("_00").await),
        (1, 0),
        "% and _ are no wildcards"
    );
    assert_eq!(found("").await, 5);
}

async fn a_deleted_store_can_be_restored_for_thirty_days(world: World) {
    let lucid = &world.lucid;
    world
        .remember(&[("/kept.md", "It comes back.\n", false)])
        .await;
    lucid
        .delete_store(&world.admin, world.store, Some("Support"))
        .await
        .unwrap();
    assert!(lucid.stores(&world.admin).await.unwrap().is_empty());
    assert_eq!(
        lucid
            .restore_store(&world.reviewer, world.store, "Support")
            .await
            .unwrap_err()
            .kind(),
        Kind::Permission
    );
    let other = crate::world::add(lucid, "elsewhere", Role::Admin, Vec::new()).await;
    assert!(
        lucid.deleted_stores(&other).await.unwrap().is_empty(),
        "an admin without a grant on it sees nothing of it"
    );
    assert_eq!(
        lucid
            .restore_store(&other, world.store, "Support")
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    lucid
        .create_store(&Actor::operator(), "Support", "")
        .await
        .unwrap();
    assert_eq!(
        lucid
            .restore_store(&world.admin, world.store, "Support")
            .await
            .unwrap_err()
            .kind(),
        Kind::Conflict,
        "its name is taken"
    );
    world.wait_seconds(29 * 86_400);
    assert_eq!(
        lucid.deleted_stores(&world.admin).await.unwrap()[0].id,
        world.store
    );
    lucid
        .restore_store(&world.admin, world.store, "Support of before")
        .await
        .unwrap();
    assert_eq!(world.paths().await, ["/kept.md"]);
    assert_eq!(
        lucid
            .restore_store(&world.admin, world.store, "Again")
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    lucid
        .delete_store(&world.admin, world.store, Some("Support of before"))
        .await
        .unwrap();
    world.wait_seconds(31 * 86_400);
    assert!(lucid.deleted_stores(&world.admin).await.unwrap().is_empty());
    assert_eq!(
        lucid
            .restore_store(&world.admin, world.store, "Late")
            .await
            .unwrap_err()
            .kind(),
        Kind::NotFound
    );
    world.verified().await;
}

async fn a_key_proposes_so_much_a_day(world: World) {
    let lucid = &world.lucid;
    lucid
        .set_gate(&Actor::operator(), world.store, GateMode::AllGated, None)
        .await
        .unwrap();
    let key = key_of(&world, &world.admin, &[Scope::MemoryWrite]).await;
    let propose = async |key: &Actor, n: usize| {
        lucid
            .write_memory(
                key,
                world.store,
                &create(&format!("/{n:03}.md"), "Noted.\n"),
            )
            .await
    };
    for half in 0..2 {
        for n in 0..50 {
            propose(&key, half * 50 + n).await.unwrap();
        }
        assert_eq!(
            propose(&key, 900).await.unwrap_err().kind(),
            Kind::Conflict,
            "50 proposals of one key wait"
        );
        // All are decided, so nothing of this key waits any more.
        for changeset in open_changesets(lucid, &world.reviewer).await {
            let change = world.changes(changeset).await.remove(0);
            world
                .vote(
                    &world.reviewer,
                    &change,
                    Verdict::Reject(RejectCode::NotYet),
                )
                .await
                .unwrap();
        }
    }
    assert_eq!(
        propose(&key, 901).await.unwrap_err().kind(),
        Kind::RateLimit,
        "and 100 were made today"
    );
    let other = key_of(&world, &world.admin, &[Scope::MemoryWrite]).await;
    propose(&other, 902).await.unwrap();
    world.wait_seconds(86_401);
    propose(&key, 903).await.unwrap();
}

/// What a page costs: the statements that a server ran for it.
struct Counter {
    served: Served,
    visitor: Visitor,
    cookie: String,
}

impl Counter {
    async fn new(url: &str, email: &str) -> Self {
        let served = Served::start(url, &["--no-worker", "--metrics-token", "numbers"]);
        let visitor = Visitor::new(&served);
        let cookie = visitor.sign_in(&user_link(url, email)).await;
        Self {
            served,
            visitor,
            cookie,
        }
    }

    async fn total(&self) -> i64 {
        let request = self
            .visitor
            .client
            .get(format!("{}/metrics", self.served.url))
            .bearer_auth("numbers");
        let text = request.send().await.unwrap().text().await.unwrap();
        let line = text
            .lines()
            .find_map(|l| l.strip_prefix("lucid_database_statements_total "))
            .expect("statements are counted");
        line.trim().parse().unwrap()
    }

    /// The least of three: the server also runs statements by the clock, which are not the page's.
    async fn of(&self, address: &str) -> i64 {
        let mut least = i64::MAX;
        for _ in 0..3 {
            let before = self.total().await;
            let answer = self.visitor.get(address, &self.cookie).await;
            let status = answer.status();
            answer.text().await.unwrap();
            assert!(
                status == StatusCode::OK || status.is_redirection(),
                "{address} is {status}"
            );
            least = least.min(self.total().await - before);
        }
        least
    }
}

/// Rows of every kind, numbered from one number to another.
pub async fn rows_of_every_kind(world: &World, me: &Actor, numbers: std::ops::Range<u32>) {
    let (lucid, store, operator) = (&world.lucid, world.store, Actor::operator());
    let proposer = key_of(
        world,
        &world.stranger,
        &[Scope::MemoryWrite, Scope::MemoryRead],
    )
    .await;
    let round = numbers.start;
    // One commit of many, and pairs that say the same: a dream proposes to merge each. Above 50
    // open changes it would pause.
    let notes: Vec<NewMemory> = numbers
        .clone()
        .filter(|n| n % 2 == 0)
        .flat_map(|n| {
            [0, 1].map(|copy| {
                note(
                    &format!("/pair/{copy}/{n}.md"),
                    &format!("# Pair {n}\n\n- Desk {n} hands over at {n} past nine.\n"),
                )
            })
        })
        .collect();
    lucid
        .set_gate(&operator, store, GateMode::DreamsGated, None)
        .await
        .unwrap();
    lucid
        .write_memories(&operator, store, &notes, "pairs")
        .await
        .unwrap();
    for n in numbers.clone() {
        world
            .remember(&[("/grows.md", &format!("Edition {n}.\n"), false)])
            .await;
        world
            .import(&failing(&format!("s{n}"), &format!("t{n}"), n))
            .await;
        world
            .import(
                &failing(&format!("x{n}"), &format!("u{n}"), n)
                    .replace("book", &format!("book{}", n % 12)),
            )
            .await;
        let id = lucid.request_dream(&operator, store, None).await.unwrap();
        assert!(lucid.work_once("test").await.unwrap(), "{id}");
    }
    let mut long = String::from(r#"{"id":"LONG","task_id":"long","messages":["#)
        .replace("LONG", &format!("long{round}"));
    for n in numbers.clone() {
        let _ = write!(long, r#"{{"role":"user","content":"And number {n}?"}},"#);
    }
    world
        .import(&format!("{}]}}", long.trim_end_matches(',')))
        .await;
    lucid
        .set_gate(&operator, store, GateMode::AllGated, None)
        .await
        .unwrap();
    for n in numbers.clone() {
        let id = lucid
            .create_store(&operator, &format!("Store {n}"), "")
            .await
            .unwrap();
        lucid
            .grant(
                &operator,
                Grantee::Person(me.who.person().unwrap()),
                &Grant::whole(id, StoreRole::Owner),
            )
            .await
            .unwrap();
        let gone = lucid
            .create_store(&operator, &format!("Gone {n}"), "")
            .await
            .unwrap();
        lucid
            .grant(
                &operator,
                Grantee::Person(me.who.person().unwrap()),
                &Grant::whole(gone, StoreRole::Owner),
            )
            .await
            .unwrap();
        lucid.delete_store(&operator, gone, None).await.unwrap();
        let grants = vec![Grant::whole(store, StoreRole::Reader)];
        let new = NewUser {
            email: format!("p{n}@lucid.example"),
            name: format!("Person {n}"),
            role: Role::Member,
            grants,
        };
        let (person, _) = lucid.add_user(&operator, &new).await.unwrap();
        let team = lucid
            .create_team(&operator, &format!("Team {n}"))
            .await
            .unwrap();
        lucid
            .set_member(&operator, team, person, true)
            .await
            .unwrap();
        lucid
            .grant(
                &operator,
                Grantee::Team(team),
                &Grant::whole(store, StoreRole::Reader),
            )
            .await
            .unwrap();
        lucid
            .request_access(
                &format!("ask{n}@lucid.example"),
                "Ask",
                "",
                Some(&format!("192.0.{n}.1")),
            )
            .await
            .unwrap();
        let key = actor(lucid, person).await;
        key_of(world, &key, &[Scope::MemoryRead]).await;
        actor(lucid, me.who.person().unwrap()).await;
        lucid
            .write_memory(
                &proposer,
                store,
                &create(&format!("/proposed/{n}.md"), &format!("Proposal {n}.\n")),
            )
            .await
            .unwrap();
        let by_hand = create(&format!("/by-hand/{n}.md"), &format!("By hand {n}.\n"));
        let (changeset, change) = lucid
            .propose_change(&world.reviewer, store, &by_hand, "It was agreed.")
            .await
            .unwrap();
        lucid.comment(me, change, "Seen.").await.unwrap();
        let policy = PolicyFile {
            name: format!("Policy {n}"),
            ..PRESETS[0].file(&[store])
        };
        lucid.create_policy(me, &policy, None).await.unwrap();
        let (starts_at, ends_at) = (
            lucid.now().plus_seconds(86_400),
            lucid.now().plus_seconds(90_000),
        );
        let exceptions = vec![format!("p{n}@lucid.example")];
        let freeze = NewFreeze {
            store: Some(store),
            starts_at,
            ends_at,
            reason: format!("Freeze {n}"),
            exceptions,
        };
        lucid.freeze_commits(me, &freeze).await.unwrap();
        let view = lucid
            .changeset(me, changeset)
            .await
            .unwrap()
            .changes
            .remove(0);
        world
            .vote(me, &view, Verdict::Reject(RejectCode::ALL[0]))
            .await
            .unwrap();
    }
}

/// The pages with most on them, of those that there are.
async fn fullest_pages(world: &World, me: &Actor) -> Vec<(&'static str, String)> {
    let (lucid, store) = (&world.lucid, world.store);
    let mut pages: Vec<(&'static str, String)> = [
        "/",
        "/queue",
        "/inbox",
        "/insights",
        "/stores",
        "/dreams",
        "/sessions",
        "/import",
        "/audit",
        "/audit/integrity",
        "/erasure",
        "/account",
        "/people",
        "/keys",
    ]
    .map(|route| (route, route.to_owned()))
    .to_vec();
    pages.push(("/policies", "/policies".into()));
    pages.push(("/policies/drill", format!("/policies/drill?store={store}")));
    pages.push(("/policies/new", "/policies/new".into()));
    pages.push((
        "/policies/:id",
        format!(
            "/policies/{}",
            lucid.policies(me).await.unwrap().policies[0].id
        ),
    ));
    pages.push(("/queue, open", "/queue?state=open".into()));
    pages.push(("/search", "/search?q=pair".into()));
    pages.push(("/queue, done", "/queue?state=done".into()));
    for tab in [
        "",
        "/history",
        "/at",
        "/compare?from=0",
        "/dreams",
        "/sessions",
        "/briefing",
        "/muted",
        "/settings",
    ] {
        pages.push((
            if tab.is_empty() { "/stores/:id" } else { tab },
            format!("/stores/{store}{tab}"),
        ));
    }
    let mut bulk = String::from("/bulk?");
    let mut most = None;
    for changeset in open_changesets(lucid, me).await {
        let changes = lucid.changeset(me, changeset).await.unwrap().changes;
        let _ = write!(bulk, "{}=on&", changes[0].change.id);
        most = most.max(Some((changes.len(), changeset, changes[0].change.id)));
    }
    let (_, changeset, change) = most.unwrap();
    pages.push(("/changesets/:id", format!("/changesets/{changeset}")));
    pages.push(("/changes/:id/related", format!("/changes/{change}/related")));
    pages.push(("/bulk", bulk));
    let rows = lucid.memories(me, store, None).await.unwrap().rows;
    pages.push((
        "/memories/:id, line by line",
        format!(
            "/memories/{}?view=blame",
            rows.iter()
                .find(|m| m.path.as_str() == "/grows.md")
                .unwrap()
                .id
        ),
    ));
    pages.push((
        "/memories/:id",
        format!(
            "/memories/{}",
            rows.iter()
                .find(|m| m.path.as_str() == "/grows.md")
                .unwrap()
                .id
        ),
    ));
    let history = lucid.history(me, store, None).await.unwrap().rows;
    let pairs = history
        .iter()
        .find(|r| r.commit.message == "pairs")
        .unwrap();
    pages.push(("/commits/:id", format!("/commits/{}", pairs.commit.id)));
    let dreams = lucid.dreams(me, None, None).await.unwrap().rows;
    pages.push((
        "/dreams/:id",
        format!(
            "/dreams/{}",
            dreams.iter().find(|d| d.changeset_id.is_some()).unwrap().id
        ),
    ));
    let sessions = lucid.sessions(me, None, None).await.unwrap().rows;
    pages.push((
        "/sessions/:id",
        format!(
            "/sessions/{}",
            sessions.iter().max_by_key(|s| s.event_count).unwrap().id
        ),
    ));
    pages.push((
        "/people/:id",
        format!("/people/{}", me.who.person().unwrap()),
    ));
    pages
}

#[tokio::test]
async fn a_page_runs_as_many_statements_for_forty_rows_as_for_two() {
    // The server's clock is the system's; what happened must lie a little before.
    let start = server::clock::system()().plus_seconds(-600).0;
    let world = World::since(TestDb::sqlite(), start).await;
    let grants = Grant::whole(world.store, StoreRole::Reader);
    let stranger = world.stranger.who.person().unwrap();
    world
        .lucid
        .grant(&Actor::operator(), Grantee::Person(stranger), &grants)
        .await
        .unwrap();
    let counter = Counter::new(world.url(), "admin@lucid.example").await;
    // The server signs the trail from its first entry on, and whoever writes beside it does, too.
    let key = store::Db::open(world.url())
        .await
        .unwrap()
        .signing_key()
        .expect("the key is beside the database");
    let world = World {
        lucid: world.lucid.clone().with_signing_key(key),
        ..world
    };
    // Setting the password ended the sign-ins from before.
    let me = actor(&world.lucid, world.admin.who.person().unwrap()).await;
    rows_of_every_kind(&world, &me, 0..2).await;
    let me = world.lucid.refreshed(&me).await.unwrap().unwrap();
    let mut few = Vec::new();
    for (page, address) in fullest_pages(&world, &me).await {
        few.push((page, counter.of(&address).await));
    }
    rows_of_every_kind(&world, &me, 2..40).await;
    let me = world.lucid.refreshed(&me).await.unwrap().unwrap();
    let mut wrong = Vec::new();
    for ((page, before), (_, address)) in few.into_iter().zip(fullest_pages(&world, &me).await) {
        let after = counter.of(&address).await;
        println!("{page:<24} {before:>4} statements for two rows, {after:>4} for forty");
        // What stands beside a change is looked for by ten statements of it and for five memories
        // at most, however many there are. A search looks into five stores at most.
        let bound = if matches!(page, "/changes/:id/related" | "/search") {
            20
        } else {
            3
        };
        if after > before + bound {
            wrong.push(format!(
                "{page}: {before} statements for two rows, {after} for forty"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
