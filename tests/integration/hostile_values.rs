//! Every page, with markup in every field that an agent, a key, an import, a colleague or an
//! anonymous visitor fills. Two installations are filled alike, one with markup and one with
//! harmless text of the same length; their pages must be built of the same elements.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    rc::Rc,
};

use domain::{
    actor::{Actor, Grant, Role, StoreRole},
    changeset::{ChangesetOrigin, RejectCode},
    memory::GateMode,
    policy::{PRESETS, VersionState},
    recall::RecallMark,
    rights::Scope,
};
use html5ever::{parse_document, tendril::TendrilSink};
use markup5ever_rcdom::{Node, NodeData, RcDom};
use reqwest::StatusCode;
use serde_json::json;
use service::{
    AskedErasure, Erasure, Grantee, HoldOn, Marked, NewFreeze, NewKey, NewMemory, NewUser, Place,
    SetStop, StoreText, Verdict,
};

use crate::{
    http::Visitor,
    support::{
        databases::TestDb,
        process::{Served, user_link},
    },
    world::{World, create, open_changesets, waiting},
};

/// Closes every element and attribute that it can be in, and opens an element that no page has.
const MARKUP: &str =
    r#"q"'></title></textarea></script></style><zqx data-key="a" onclick='b'>&lt;<!--"#;
/// As long, and nothing but text. `/` stays: paths have folders.
const HARMLESS: &str =
    "q--)(/title)(/textarea)(/script)(/style)(zqx data-key--a- onclick--b-)+lt,(.--";

/// The fields that are filled. Each value begins with the field's name, so that it is found on the
/// pages.
const FIELDS: &[&str] = &[
    "store",
    "description",
    "deletedstore",
    "admin",
    "member",
    "team",
    "key",
    "askname",
    "askreason",
    "session",
    "subagent",
    "original",
    "agent",
    "subject",
    "teamclaim",
    "task",
    "tool",
    "argument",
    "said",
    "error",
    "path",
    "content",
    "message",
    "proposedpath",
    "proposed",
    "reason",
    "frozen",
    "instructions",
    "comment",
    "note",
    "refused",
    "query",
    "policy",
    "policyreason",
    "rule",
    "stopreason",
    "freezereason",
    "recallreason",
    "recallnote",
    "recalloutcome",
    "erasurereason",
    "holdreason",
    "releasereason",
];

/// The attributes whose values decide what an element does.
const ACTING: &[&str] = &[
    "action",
    "class",
    "data-key",
    "formaction",
    "method",
    "name",
    "rel",
    "role",
    "src",
    "type",
];
const PASSWORD: &str = "four plain words here";

/// What fills the fields of one installation.
struct Filling(&'static str);

impl Filling {
    fn of(&self, field: &str) -> String {
        debug_assert!(FIELDS.contains(&field));
        format!("zq{field} {}", self.0)
    }

    fn path(&self, field: &str) -> String {
        format!("/{}.md", self.of(field))
    }
}

/// An installation, its pages by what they show.
struct Twin {
    world: World,
    filling: Filling,
    admin: Actor,
}

impl Twin {
    async fn new(text: &'static str, start: i64) -> Self {
        let world = World::since(TestDb::sqlite(), start).await;
        let filling = Filling(text);
        let new = NewUser {
            email: "ada@lucid.example".into(),
            name: filling.of("admin"),
            role: Role::Admin,
            grants: vec![Grant::whole(world.store, StoreRole::Owner)],
        };
        let (id, link) = world
            .lucid
            .add_user(&Actor::operator(), &new)
            .await
            .unwrap();
        world
            .lucid
            .use_link(&link.shown().unwrap(), PASSWORD, "", "", Place::default())
            .await
            .unwrap();
        let admin = crate::world::actor(&world.lucid, id).await;
        let twin = Self {
            world,
            filling,
            admin,
        };
        twin.places_and_people().await;
        twin.memories().await;
        twin.sessions().await;
        twin.changes().await;
        twin.a_waiting_setting().await;
        twin.policies().await;
        twin.a_recall().await;
        twin.an_erasure_and_holds().await;
        twin
    }

    /// One that is asked in shadow, with a test and a back-test; a stop and a freeze that is to
    /// come.
    async fn policies(&self) {
        let (lucid, of) = (&self.world.lucid, |field: &str| self.filling.of(field));
        let mut file = PRESETS[1].file(&[]);
        file.name = of("policy");
        file.reason = of("policyreason");
        file.rules[0].name = of("rule");
        file.rules[0].agents = [of("agent")].into();
        file.tests[0].name = of("rule");
        let id = lucid.create_policy(&self.admin, &file, None).await.unwrap();
        lucid
            .move_policy_on(&self.admin, id, 1, VersionState::Shadow)
            .await
            .unwrap();
        lucid
            .back_test_policy(&self.admin, id, 1, 30)
            .await
            .unwrap();
        while lucid.ask_policies().await.unwrap() {}
        let stop = SetStop {
            store: Some(self.world.store),
            reason: of("stopreason"),
        };
        lucid.stop_policies(&self.admin, &stop).await.unwrap();
        let tomorrow = lucid.now().plus_seconds(86_400);
        let freeze = NewFreeze {
            store: Some(self.world.store),
            starts_at: tomorrow,
            ends_at: tomorrow.plus_seconds(3_600),
            reason: of("freezereason"),
            exceptions: vec!["ada@lucid.example".to_owned()],
        };
        lucid.freeze_commits(&self.admin, &freeze).await.unwrap();
    }

    /// Of a memory that a session loaded.
    async fn a_recall(&self) {
        let (lucid, of) = (&self.world.lucid, |field: &str| self.filling.of(field));
        let memory = lucid
            .memories(&self.admin, self.world.store, None)
            .await
            .unwrap()
            .rows[0]
            .id;
        let session = lucid.sessions(&self.admin, None, None).await.unwrap().rows[0].id;
        lucid
            .read_memory(&Actor::operator(), self.world.store, memory, Some(session))
            .await
            .unwrap();
        let recall = lucid
            .open_recall(&self.admin, memory, (1, 1), &of("recallreason"))
            .await
            .unwrap();
        lucid
            .mark_recalled(
                &self.admin,
                recall,
                &Marked::Left,
                RecallMark::Told,
                &of("recallnote"),
            )
            .await
            .unwrap();
        lucid
            .close_recall(&self.admin, recall, &of("recalloutcome"))
            .await
            .unwrap();
    }

    /// An erasure that waits for the second admin, a hold that is released and one in force.
    async fn an_erasure_and_holds(&self) {
        let (lucid, of) = (&self.world.lucid, |field: &str| self.filling.of(field));
        let session = lucid.sessions(&self.admin, None, None).await.unwrap().rows[0].id;
        let kept: Vec<_> = lucid
            .subject(&self.admin, session, "")
            .await
            .unwrap()
            .memories
            .into_iter()
            .map(|(m, _)| m.id)
            .collect();
        let asked = AskedErasure {
            kept: &kept,
            also: "",
            reason: &of("erasurereason"),
            confirmed: true,
        };
        assert!(matches!(
            lucid
                .erase_subject(&self.admin, session, &asked)
                .await
                .unwrap(),
            Erasure::Waits(_)
        ));
        let memory = lucid
            .memories(&self.admin, self.world.store, None)
            .await
            .unwrap()
            .rows[0]
            .id;
        for on in [
            HoldOn::Store(self.world.store),
            HoldOn::Memory(memory),
            HoldOn::SubjectOf(session),
        ] {
            lucid
                .place_hold(&self.admin, on, &of("holdreason"))
                .await
                .unwrap();
        }
        let hold = lucid
            .place_hold(
                &self.admin,
                HoldOn::Store(self.world.store),
                &of("holdreason"),
            )
            .await
            .unwrap();
        lucid
            .release_hold(&self.admin, hold, &of("releasereason"))
            .await
            .unwrap();
    }

    async fn places_and_people(&self) {
        let (lucid, of) = (&self.world.lucid, |field: &str| self.filling.of(field));
        let doomed = lucid
            .create_store(&Actor::operator(), &of("deletedstore"), "")
            .await
            .unwrap();
        lucid
            .delete_store(&Actor::operator(), doomed, None)
            .await
            .unwrap();
        let text = StoreText {
            name: Some(of("store")),
            description: Some(of("description")),
            ..StoreText::default()
        };
        lucid
            .describe_store(&Actor::operator(), self.world.store, &text)
            .await
            .unwrap();
        let new = NewUser {
            email: "mem@lucid.example".into(),
            name: of("member"),
            role: Role::Member,
            grants: Vec::new(),
        };
        let (member, _) = lucid.add_user(&Actor::operator(), &new).await.unwrap();
        let team = lucid
            .create_team(&Actor::operator(), &of("team"))
            .await
            .unwrap();
        lucid
            .set_member(&Actor::operator(), team, member, true)
            .await
            .unwrap();
        lucid
            .grant(
                &Actor::operator(),
                Grantee::Team(team),
                &Grant::whole(self.world.store, StoreRole::Reader),
            )
            .await
            .unwrap();
        lucid
            .request_access(
                "ask@lucid.example",
                &of("askname"),
                &of("askreason"),
                Some("192.0.2.1"),
            )
            .await
            .unwrap();
    }

    async fn memories(&self) {
        let content = format!("# {0}\n\n- {0}\n", self.filling.of("content"));
        let note = |path: String, content: &str| NewMemory {
            path: path.parse().unwrap(),
            content: content.to_owned(),
            by_person: false,
        };
        let notes = [
            note(self.filling.path("path"), &content),
            note(format!("/twice{}", self.filling.path("path")), &content),
            note("/frozen.md".into(), "Kept as it is.\n"),
        ];
        self.world
            .lucid
            .write_memories(
                &Actor::operator(),
                self.world.store,
                &notes,
                &self.filling.of("message"),
            )
            .await
            .unwrap();
        let memories = self
            .world
            .lucid
            .memories(&self.admin, self.world.store, None)
            .await
            .unwrap()
            .rows;
        let kept = memories
            .iter()
            .find(|m| m.path.as_str() == "/frozen.md")
            .unwrap()
            .id;
        self.world
            .lucid
            .freeze(&self.admin, kept, &self.filling.of("frozen"))
            .await
            .unwrap();
    }

    /// Three in which a tool fails and works with another argument.
    async fn sessions(&self) {
        let of = |field: &str| self.filling.of(field);
        let mut text = String::new();
        for n in 0..3 {
            let id = format!("{} {n}", of("session"));
            let head = json!({"type": "session", "id": id, "agent": of("agent"), "subject": format!("{} {n}", of("subject")),
                "team": of("teamclaim"), "task_key": format!("{} {n}", of("task"))});
            let _ = writeln!(text, "{head}");
            let calls = [
                ("wrong", format!("Error: {}", of("error"))),
                ("right", "done".to_owned()),
            ];
            let _ = writeln!(
                text,
                "{}",
                json!({"type": "user.message", "id": format!("u{n}"), "session_id": id, "content": [{"type": "text", "text": of("said")}]})
            );
            for (value, answer) in calls {
                let call = format!("{n}-{value}");
                let input = json!({of("argument"): format!("{value} {}", of("argument"))});
                let _ = writeln!(
                    text,
                    "{}",
                    json!({"type": "agent.tool_use", "id": call, "session_id": id, "name": of("tool"), "input": input})
                );
                let content = json!([{"type": "text", "text": answer}]);
                let _ = writeln!(
                    text,
                    "{}",
                    json!({"type": "agent.tool_result", "id": format!("{call}-r"), "session_id": id, "tool_use_id": call, "content": content})
                );
            }
        }
        self.world.import(&text).await;
        // A sub-agent's lines, a copy of another session's, and a line that cannot be read.
        let line = |uuid: &str, more: serde_json::Value| {
            let mut value = json!({"type": "user", "sessionId": format!("{} c", of("session")), "uuid": uuid, "message": {"content": of("said")}});
            value
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            format!("{value}\n")
        };
        let text = line("c1", json!({}))
            + &line(
                "c2",
                json!({"agentId": of("subagent"), "isSidechain": true}),
            )
            + &line("c3", json!({"forkedFrom": {"sessionId": of("original")}}))
            + "{torn\n";
        self.world.import(&text).await;
    }

    /// A dream's, a key's and a person's; one rejected, one committed, one spoken about.
    async fn changes(&self) {
        let (lucid, store) = (&self.world.lucid, self.world.store);
        let of = |field: &str| self.filling.of(field);
        lucid
            .request_dream(&self.admin, store, Some(&of("instructions")))
            .await
            .unwrap();
        assert!(lucid.work_once("test").await.unwrap());
        lucid
            .set_gate(&Actor::operator(), store, GateMode::AllGated, None)
            .await
            .unwrap();
        let owner = self.world.stranger.who.person();
        lucid
            .grant(
                &Actor::operator(),
                Grantee::Person(owner.unwrap()),
                &Grant::whole(store, StoreRole::Reader),
            )
            .await
            .unwrap();
        let new = NewKey {
            name: of("key"),
            owner,
            store: None,
            scopes: vec![Scope::MemoryWrite, Scope::MemoryRead],
            days: None,
        };
        let key = lucid
            .key_actor(&lucid.add_key(&Actor::operator(), &new).await.unwrap().1)
            .await
            .unwrap();
        let write = |path: &str| create(path, &format!("# N\n\n- {}\n", of("proposed")));
        for path in [
            self.filling.path("proposedpath"),
            format!("/2{}", self.filling.path("proposedpath")),
            "/third.md".into(),
        ] {
            lucid
                .write_memory(&key, store, &write(&path))
                .await
                .unwrap();
        }
        lucid
            .propose_change(
                &self.world.reviewer,
                store,
                &write("/by-hand.md"),
                &of("reason"),
            )
            .await
            .unwrap();
        let mut written = Vec::new();
        for row in waiting(lucid, &self.admin, &service::QueueFilter::default())
            .await
            .iter()
            .filter(|c| c.origin == ChangesetOrigin::Agent)
        {
            written.push(
                lucid
                    .changeset(&self.admin, row.changeset_id)
                    .await
                    .unwrap()
                    .changes
                    .remove(0),
            );
        }
        lucid
            .comment(&self.admin, written[0].change.id, &of("comment"))
            .await
            .unwrap();
        let no = Verdict::Reject(RejectCode::ALL[0]);
        for (change, verdict) in [(&written[1], no), (&written[2], Verdict::Approve)] {
            let c = &change.change;
            let decision = service::Decision {
                change: c.id,
                revision: c.revision,
                digest: c.digest.clone(),
                verdict,
                note: of("note"),
            };
            self.world.decide(&self.admin, &decision).await.unwrap();
        }
        let request = self
            .world
            .commit_request(written[2].change.changeset_id, "twin")
            .await;
        lucid.commit(&self.admin, &request).await.unwrap();
    }

    async fn a_waiting_setting(&self) {
        let lucid = &self.world.lucid;
        let grants = vec![Grant::whole(self.world.store, StoreRole::Owner)];
        let second = NewUser {
            email: "bea@lucid.example".into(),
            name: "Bea".into(),
            role: Role::Admin,
            grants,
        };
        let (_, link) = lucid.add_user(&Actor::operator(), &second).await.unwrap();
        lucid
            .use_link(&link.shown().unwrap(), PASSWORD, "", "", Place::default())
            .await
            .unwrap();
        lucid
            .set_gate(&self.admin, self.world.store, GateMode::DreamsGated, None)
            .await
            .unwrap();
        assert_eq!(lucid.waiting_settings(&self.admin).await.unwrap().len(), 1);
    }

    /// The address of every page of everything that there is, with its route.
    #[expect(clippy::too_many_lines, reason = "a list of pages")]
    async fn pages(&self) -> Vec<(&'static str, String)> {
        let (lucid, me, store) = (&self.world.lucid, &self.admin, self.world.store);
        let encoded = |field: &str| {
            let mut out = String::new();
            for byte in self.filling.of(field).bytes() {
                let _ = write!(out, "%{byte:02X}");
            }
            out
        };
        let query = encoded("query");
        let mut all = Vec::new();
        let mut page = |route, address: String| all.push((route, address));
        for route in [
            "/",
            "/queue",
            "/inbox",
            "/questions",
            "/insights",
            "/stores",
            "/dreams",
            "/sessions",
            "/import",
            "/mappings",
            "/mappings/edit",
            "/audit",
            "/account",
            "/search",
            "/people",
            "/policies",
            "/policies/new",
            "/policies/drill",
            "/rights",
            "/keys",
            "/sign-in",
            "/request-access",
        ] {
            page(route, route.to_owned());
            page(
                route,
                format!(
                    "{route}?q={query}&agent={query}&who={query}&next=/{query}&after={query}&state={query}&sort={query}"
                ),
            );
        }
        page("/policies/drill", format!("/policies/drill?store={store}"));
        for policy in lucid.policies(me).await.unwrap().policies {
            page("/policies/:id", format!("/policies/{}", policy.id));
            page(
                "/policies/:id",
                format!("/policies/{}?edit=yes&version=1", policy.id),
            );
        }
        page("/queue", "/queue?state=open".into());
        page("/queue", "/queue?state=done".into());
        page("/link/:token", format!("/link/{query}"));
        page("/nowhere", format!("/nowhere/{query}"));
        for tab in [
            "",
            "/history",
            "/at",
            "/compare",
            "/dreams",
            "/sessions",
            "/briefing",
            "/muted",
            "/settings",
        ] {
            page(store_route(tab), format!("/stores/{store}{tab}"));
        }
        page("/stores/:id", format!("/stores/{store}?after={query}"));
        page(
            "/stores/:id/briefing",
            format!(
                "/stores/{store}/briefing?agent={query}&tool={}&error={}",
                encoded("tool"),
                encoded("error")
            ),
        );
        for member in lucid.people(me).await.unwrap().people {
            page("/people/:id", format!("/people/{}", member.user.id));
        }
        let mut bulk = String::from("/bulk?");
        let open = open_changesets(lucid, me).await;
        let done = lucid
            .done(me, &service::QueueFilter::default(), None)
            .await
            .unwrap()
            .rows;
        for id in open.into_iter().chain(done.iter().map(|d| d.changeset.id)) {
            page("/changesets/:id", format!("/changesets/{id}"));
            page("/changesets/:id/after", format!("/changesets/{id}/after"));
            page("/changesets/:id/before", format!("/changesets/{id}/before"));
            for change in lucid.changeset(me, id).await.unwrap().changes {
                let change = change.change.id;
                let _ = write!(bulk, "{change}=on&");
                page(
                    "/changesets/:id",
                    format!("/changesets/{id}?change={change}"),
                );
                page(
                    "/changesets/:id",
                    format!("/changesets/{id}?change={change}&edit=1"),
                );
                page("/changes/:id/related", format!("/changes/{change}/related"));
            }
        }
        page("/bulk", bulk);
        for memory in lucid.memories(me, store, None).await.unwrap().rows {
            page("/memories/:id", format!("/memories/{}", memory.id));
            page(
                "/memories/:id",
                format!("/memories/{}?view=source&suggest=edit", memory.id),
            );
            page(
                "/memories/:id",
                format!("/memories/{}?view=blame", memory.id),
            );
            page(
                "/memories/:id/loads",
                format!("/memories/{}/loads?from=1", memory.id),
            );
            page(
                "/memories/:id/compare",
                format!("/memories/{}/compare?from=1&to=1", memory.id),
            );
        }
        page("/recalls", "/recalls".into());
        page("/erasure", "/erasure".into());
        page("/audit/integrity", "/audit/integrity".into());
        for recall in lucid.recalls(me, None).await.unwrap() {
            page("/recalls/:id", format!("/recalls/{}", recall.id));
        }
        for row in lucid.history(me, store, None).await.unwrap().rows {
            page("/commits/:id", format!("/commits/{}", row.commit.id));
        }
        for dream in lucid.dreams(me, None, None).await.unwrap().rows {
            page("/dreams/:id", format!("/dreams/{}", dream.id));
        }
        for session in lucid.sessions(me, None, None).await.unwrap().rows {
            page("/sessions/:id", format!("/sessions/{}", session.id));
            if session.subject.is_some() {
                page("/subjects/:id", format!("/subjects/{}", session.id));
            }
        }
        all
    }

    /// Forms that are refused, and so keep what was typed.
    fn refused_forms(&self) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
        let of = |field: &str| self.filling.of(field);
        let store = self.world.store.to_string();
        vec![
            (
                "create_store",
                vec![("name", of("store")), ("description", of("refused"))],
            ),
            (
                "describe_store",
                vec![
                    ("store", store.clone()),
                    ("name", of("refused").repeat(9)),
                    ("description", of("refused")),
                ],
            ),
            (
                "propose_memory",
                vec![
                    ("store", store.clone()),
                    ("path", of("refused")),
                    ("content", of("refused")),
                    ("reason", of("refused")),
                ],
            ),
            (
                "dream",
                vec![
                    ("store", store.clone()),
                    ("instructions", of("refused").repeat(90)),
                ],
            ),
            (
                "schedule",
                vec![
                    ("store", store),
                    ("cron", of("refused")),
                    ("time_zone", of("refused")),
                    ("min_sessions", "1".into()),
                    ("idle_minutes", "1".into()),
                ],
            ),
            (
                "edit_mapping",
                vec![
                    ("what", "preview".into()),
                    ("name", of("refused")),
                    ("sample", of("refused")),
                    ("roles", of("refused")),
                    ("parts[role]", of("refused")),
                ],
            ),
            ("add_key", vec![("name", of("refused").repeat(9))]),
            (
                "invite",
                vec![
                    ("email", of("refused")),
                    ("name", of("refused")),
                    ("role", "member".into()),
                ],
            ),
            ("create_team", vec![("name", of("team"))]),
            (
                "create_policy",
                vec![("name", of("refused").repeat(9)), ("reason", of("refused"))],
            ),
            ("stop_policies", vec![("reason", of("refused").repeat(9))]),
            (
                "set_freeze",
                vec![
                    ("starts_at", of("refused")),
                    ("ends_at", of("refused")),
                    ("reason", of("refused")),
                    ("exceptions", of("refused")),
                ],
            ),
            (
                "request_access",
                vec![
                    ("email", of("refused")),
                    ("name", of("refused")),
                    ("reason", of("refused")),
                ],
            ),
            (
                "sign_in",
                vec![
                    ("email", of("refused")),
                    ("password", "x".into()),
                    ("next", of("refused")),
                ],
            ),
        ]
    }
}

fn store_route(tab: &str) -> &'static str {
    match tab {
        "/history" => "/stores/:id/history",
        "/at" => "/stores/:id/at",
        "/compare" => "/stores/:id/compare",
        "/dreams" => "/stores/:id/dreams",
        "/sessions" => "/stores/:id/sessions",
        "/briefing" => "/stores/:id/briefing",
        "/muted" => "/stores/:id/muted",
        "/settings" => "/stores/:id/settings",
        _ => "/stores/:id",
    }
}

/// Somebody's browser, without scripts.
struct Browser {
    visitor: Visitor,
    cookie: String,
    _served: Served,
}

impl Browser {
    async fn of(twin: &Twin) -> Self {
        let served = Served::start(twin.world.url(), &["--no-worker"]);
        let visitor = Visitor::new(&served);
        let cookie = visitor
            .sign_in(&user_link(twin.world.url(), "ada@lucid.example"))
            .await;
        Self {
            visitor,
            cookie,
            _served: served,
        }
    }

    async fn get(&self, address: &str) -> (StatusCode, String) {
        let answer = self.visitor.get(address, &self.cookie).await;
        (answer.status(), answer.text().await.unwrap())
    }

    /// The page that a refused form leads back to.
    async fn refused(&self, action: &str, form: &[(&'static str, String)]) -> (StatusCode, String) {
        let form: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let answer = self
            .visitor
            .post(&format!("/do/{action}"), &self.cookie, &form)
            .await;
        self.visitor.shown(answer, &self.cookie).await
    }
}

/// What a page is built of: a line for each element, with its attributes' names and the values of
/// those that act.
fn built_of(html: &str) -> (Vec<String>, String) {
    let dom = parse_document(RcDom::default(), html5ever::ParseOpts::default()).one(html);
    let (mut lines, mut texts) = (Vec::new(), String::new());
    visit(&dom.document, 0, &mut lines, &mut texts);
    (lines, texts)
}

fn visit(node: &Rc<Node>, depth: usize, lines: &mut Vec<String>, texts: &mut String) {
    match &node.data {
        NodeData::Element { name, attrs, .. } => {
            let mut all: BTreeMap<String, String> = BTreeMap::new();
            for attribute in attrs.borrow().iter() {
                texts.push_str(&attribute.value);
                texts.push('\n');
                let name = attribute.name.local.to_string();
                let acts = (ACTING.contains(&name.as_str()) || name.starts_with("on"))
                    && !attribute.value.contains("zq");
                all.insert(
                    name,
                    if acts {
                        attribute.value.to_string()
                    } else {
                        String::new()
                    },
                );
            }
            lines.push(format!("{:depth$}{} {all:?}", "", name.local));
        }
        NodeData::Text { contents } => texts.push_str(&contents.borrow()),
        NodeData::Comment { contents } => lines.push(format!("{:depth$}comment {contents}", "")),
        _ => {}
    }
    for child in node.children.borrow().iter() {
        visit(child, depth + 1, lines, texts);
    }
}

fn same(page: &str, hostile: &[String], harmless: &[String]) -> Result<(), String> {
    if let Some(line) = hostile.iter().find(|l| l.contains("zqx")) {
        return Err(format!("{page}: an element came from a value: {line}"));
    }
    if let Some(at) =
        (0..hostile.len().max(harmless.len())).find(|&n| hostile.get(n) != harmless.get(n))
    {
        let around = |lines: &[String]| {
            lines[at.saturating_sub(3).min(lines.len())..(at + 3).min(lines.len())].join("\n")
        };
        return Err(format!(
            "{page}: built differently at {at}:\n{}\nand with harmless text\n{}",
            around(hostile),
            around(harmless)
        ));
    }
    Ok(())
}

#[tokio::test]
async fn markup_in_any_field_stays_text_on_every_page() {
    // The server's clock is the system's; what happened must lie a little before.
    let start = server::clock::system()().plus_seconds(-600).0;
    let (hostile, harmless) = (
        Box::pin(Twin::new(MARKUP, start)).await,
        Box::pin(Twin::new(HARMLESS, start)).await,
    );
    let pages = hostile.pages().await;
    let others = harmless.pages().await;
    let visited: BTreeSet<String> = pages
        .iter()
        .map(|(route, _)| (*route).to_owned())
        .filter(|r| r != "/nowhere")
        .collect();
    assert_eq!(
        visited,
        crate::rights::page_routes(),
        "every route is visited"
    );
    assert_eq!(pages.len(), others.len());
    let (one, two) = (Browser::of(&hostile).await, Browser::of(&harmless).await);
    let (mut wrong, mut texts) = (Vec::new(), String::new());
    let mut compare = |page: &str, one: (StatusCode, String), two: (StatusCode, String)| {
        assert!(!one.0.is_server_error(), "{page}: {}", one.0);
        assert_eq!(one.0, two.0, "{page}");
        let ((lines, text), (other, _)) = (built_of(&one.1), built_of(&two.1));
        wrong.extend(same(page, &lines, &other).err());
        texts.push_str(&text);
        texts.push('\n');
    };
    for ((_, address), (_, other)) in pages.iter().zip(&others) {
        compare(address, one.get(address).await, two.get(other).await);
    }
    for ((action, form), (_, other)) in hostile
        .refused_forms()
        .iter()
        .zip(&harmless.refused_forms())
    {
        compare(
            action,
            one.refused(action, form).await,
            two.refused(action, other).await,
        );
    }
    assert!(
        wrong.is_empty(),
        "{} of {} pages:\n{}",
        wrong.len(),
        pages.len(),
        wrong.join("\n\n")
    );
    // A tool's arguments are shown as the JSON that they are.
    let shown = |value: String| {
        texts.contains(&value) || texts.contains(json!(value).to_string().trim_matches('"'))
    };
    let unseen: Vec<&&str> = FIELDS
        .iter()
        .filter(|f| !shown(hostile.filling.of(f)))
        .collect();
    assert!(
        unseen.is_empty(),
        "these fields are on no page as they are, so nothing was shown of them: {unseen:?}"
    );
}
