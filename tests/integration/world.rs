//! A small installation on either engine: a store, an admin and a reviewer who are granted it, a
//! clock that stands still until it is moved, and numbers that are random but the same each time.

use std::sync::{
    Arc,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use domain::{
    Timestamp,
    actor::{Actor, Grant, Role, StoreRole},
    changeset::ChangeState,
    dream_state::DreamState,
    ids::{ChangesetId, SignInId, StoreId, UserId},
};
use service::{
    ChangeView, CommitRequest, Decision, Expected, Imported, Lucid, MemoryWrite, NewUser,
    QueueFilter, Verdict, WaitingChange,
    transcripts::{self, Options, Source, Spool},
};
use store::{Db, sealing::SessionKeys};

use crate::support::databases::TestDb;

/// Runs each test function on both engines.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test]
            async fn on_sqlite() {
                super::$name($crate::world::World::on($crate::support::databases::TestDb::sqlite()).await).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                super::$name($crate::world::World::on($crate::support::databases::TestDb::postgres().await).await).await;
            }
        }
    )+};
}
pub(crate) use on_both_engines;

/// The installation.
pub struct World {
    pub lucid: Lucid,
    pub db: Db,
    pub store: StoreId,
    pub admin: Actor,
    pub reviewer: Actor,
    /// Somebody without a grant.
    pub stranger: Actor,
    pub clock: Arc<AtomicI64>,
    pub on: TestDb,
    /// The keys of sealed transcripts: on PostgreSQL they are sealed, on SQLite they are not.
    pub keys: tempfile::TempDir,
}

/// When the tests begin: 2026-11-22 03:00 UTC.
pub const START: i64 = 1_795_316_400_000_000;

impl World {
    pub async fn on(test_db: TestDb) -> Self {
        Self::since(test_db, START).await
    }

    /// The same, begun at another time.
    pub async fn since(test_db: TestDb, start: i64) -> Self {
        let db = test_db.open().await;
        let clock = Arc::new(AtomicI64::new(start));
        let time = clock.clone();
        let seed = AtomicU64::new(1);
        let random = move |bytes: &mut [u8]| {
            for chunk in bytes.chunks_mut(8) {
                let n = seed
                    .fetch_add(1, Ordering::Relaxed)
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15);
                chunk.copy_from_slice(&n.to_be_bytes()[..chunk.len()]);
            }
        };
        // Each reading is a microsecond later, so that ids stay in the order in which they were
        // made.
        let now = move || Timestamp(time.fetch_add(1, Ordering::Relaxed));
        let lucid = Lucid::new(db.clone(), Arc::new(now), Arc::new(random));
        let keys = tempfile::tempdir().unwrap();
        let lucid = match &db {
            Db::Sqlite { .. } => lucid,
            Db::Postgres(_) => {
                lucid.with_session_keys(SessionKeys::in_folder(keys.path()).unwrap())
            }
        };
        let operator = Actor::operator();
        let store = lucid.create_store(&operator, "Support", "").await.unwrap();
        let admin = add(
            &lucid,
            "admin",
            Role::Admin,
            vec![(store, StoreRole::Owner)],
        )
        .await;
        let reviewer = add(
            &lucid,
            "reviewer",
            Role::Reviewer,
            vec![(store, StoreRole::Reviewer)],
        )
        .await;
        let stranger = add(&lucid, "stranger", Role::Reviewer, vec![]).await;
        Self {
            lucid,
            db,
            store,
            admin,
            reviewer,
            stranger,
            clock,
            on: test_db,
            keys,
        }
    }

    /// A transaction for reading that opens what is sealed.
    pub async fn read(&self) -> store::Tx {
        self.db
            .read()
            .await
            .unwrap()
            .with_session_keys(Some(SessionKeys::in_folder(self.keys.path()).unwrap()))
    }

    /// A transaction for writing that seals what is to be sealed.
    pub async fn write(&self) -> store::Tx {
        self.db
            .write()
            .await
            .unwrap()
            .with_session_keys(Some(SessionKeys::in_folder(self.keys.path()).unwrap()))
    }

    /// The folder of keys, for another process.
    pub fn keys(&self) -> &str {
        self.keys.path().to_str().unwrap()
    }

    /// Moves the clock.
    pub fn wait_seconds(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }

    /// Takes transcripts in on the command line: nobody who decides brought them.
    pub async fn import(&self, text: &str) -> Vec<Imported> {
        self.import_as(&Actor::operator(), text).await
    }

    /// Takes transcripts in as somebody.
    pub async fn import_as(&self, who: &Actor, text: &str) -> Vec<Imported> {
        let (sessions, problems, mut reader) = spool(text).finish().unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        let mut done = Vec::new();
        for session in &sessions {
            done.push(
                self.lucid
                    .import_session(who, self.store, session, &mut reader)
                    .await
                    .unwrap(),
            );
        }
        done
    }

    /// The database's URL, for another process.
    pub fn url(&self) -> &str {
        &self.on.url
    }

    /// Writes memories directly: path, content, whether by a person.
    pub async fn remember(&self, memories: &[(&str, &str, bool)]) {
        let new = |&(path, content, by_person): &(&str, &str, bool)| service::NewMemory {
            path: path.parse().unwrap(),
            content: content.to_owned(),
            by_person,
        };
        let all: Vec<_> = memories.iter().map(new).collect();
        self.lucid
            .write_memories(&Actor::operator(), self.store, &all, "before")
            .await
            .unwrap();
    }

    /// Dreams and works it off; what it proposes.
    pub async fn dream(&self) -> Option<ChangesetId> {
        let id = self
            .lucid
            .request_dream(&self.admin, self.store, None)
            .await
            .unwrap();
        assert!(self.lucid.work_once("test").await.unwrap());
        let view = self.lucid.dream(&self.admin, id).await.unwrap();
        assert_eq!(
            view.dream.state,
            DreamState::Completed,
            "{:?}",
            view.dream.error
        );
        view.dream.changeset_id
    }

    /// A store with two notes that say the same and an error in two tasks: the dream proposes one
    /// change for each.
    pub async fn proposal(&self) -> ChangesetId {
        self.remember(&[("/a.md", "Same.", false), ("/b.md", "Same.", false)])
            .await;
        self.import(&failing("s1", "t1", 1)).await;
        self.import(&failing("s2", "t2", 2)).await;
        self.dream().await.expect("a changeset")
    }

    /// A proposal about another tool that fails in two tasks.
    pub async fn proposal_of(&self, tool: &str) -> ChangesetId {
        for n in 1..=2 {
            self.import(
                &failing(&format!("{tool}{n}"), &format!("{tool}-t{n}"), n).replace("book", tool),
            )
            .await;
        }
        self.dream().await.expect("a changeset")
    }

    /// The changes of a changeset.
    pub async fn changes(&self, id: ChangesetId) -> Vec<ChangeView> {
        self.lucid
            .changeset(&self.reviewer, id)
            .await
            .unwrap()
            .changes
    }

    /// Votes as shown.
    pub async fn vote(
        &self,
        by: &Actor,
        change: &ChangeView,
        verdict: Verdict,
    ) -> service::Result<ChangesetId> {
        let c = &change.change;
        let decision = Decision {
            change: c.id,
            revision: c.revision,
            digest: c.digest.clone(),
            verdict,
            note: String::new(),
        };
        self.decide(by, &decision).await
    }

    /// Decides, with the password entered just before, as the page asks for it.
    pub async fn decide(&self, by: &Actor, decision: &Decision) -> service::Result<ChangesetId> {
        self.confirm(by).await;
        self.lucid.decide(by, decision).await
    }

    /// Somebody who is signed in has just entered their password again. (That it is looked at has
    /// tests of its own.)
    pub async fn confirm(&self, who: &Actor) {
        let (Some(session), Some(user)) = (who.web_session, who.who.person()) else {
            return;
        };
        let mut tx = self.db.write().await.unwrap();
        store::sign_in::confirm(&mut tx, &session.0, user, self.lucid.now())
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }

    /// The commit of everything that is approved, as shown.
    pub async fn commit_request(&self, id: ChangesetId, key: &str) -> CommitRequest {
        let approved = self
            .changes(id)
            .await
            .into_iter()
            .filter(|c| c.change.state == ChangeState::Approved);
        let expected = approved
            .map(|c| Expected {
                change: c.change.id,
                revision: c.change.revision,
                digest: c.change.digest,
            })
            .collect();
        CommitRequest {
            changeset: id,
            expected,
            idempotency_key: format!("{key}-idempotency"),
        }
    }

    /// Reverts the newest commit of the store, through the gate.
    pub async fn revert_newest(&self) {
        let commit = self
            .lucid
            .history(&self.admin, self.store, None)
            .await
            .unwrap()
            .rows[0]
            .commit
            .id;
        let revert = self.lucid.revert(&self.reviewer, commit).await.unwrap();
        self.land_revert(revert).await;
    }

    /// Two others than the reviewer, who asked for it, approve and commit a revert.
    pub async fn land_revert(&self, revert: ChangesetId) {
        let third = add(
            &self.lucid,
            &format!("third-{revert}"),
            Role::Reviewer,
            vec![(self.store, StoreRole::Reviewer)],
        )
        .await;
        for change in self.changes(revert).await {
            for who in [&third, &self.admin] {
                self.vote(who, &change, Verdict::Approve).await.unwrap();
            }
        }
        let request = self.commit_request(revert, &revert.to_string()).await;
        self.lucid.commit(&third, &request).await.unwrap();
    }

    /// Two people approve a changeset, as a high risk needs, and it is committed.
    pub async fn approve_and_commit(&self, changeset: ChangesetId) {
        let name = format!("second-{changeset}");
        let second = add(
            &self.lucid,
            &name,
            Role::Reviewer,
            vec![(self.store, StoreRole::Reviewer)],
        )
        .await;
        for who in [&self.reviewer, &second] {
            for change in self.changes(changeset).await {
                if change.change.state == ChangeState::Pending {
                    self.vote(who, &change, Verdict::Approve).await.unwrap();
                }
            }
        }
        let request = self.commit_request(changeset, &changeset.to_string()).await;
        self.lucid.commit(&self.reviewer, &request).await.unwrap();
    }

    /// What somebody has not read yet in their inbox, by reason; reads it.
    pub async fn told_now(&self, who: &Actor) -> Vec<String> {
        let inbox = self.lucid.inbox(who).await.unwrap();
        self.lucid.mark_read(who, None).await.unwrap();
        inbox
            .into_iter()
            .filter(|n| n.read_at.is_none())
            .map(|n| n.reason.to_string())
            .collect()
    }

    /// The paths of the store's memories.
    pub async fn paths(&self) -> Vec<String> {
        self.lucid
            .memories(&self.reviewer, self.store, None)
            .await
            .unwrap()
            .rows
            .into_iter()
            .map(|m| m.path.to_string())
            .collect()
    }

    /// Appends an entry for what a test wrote itself.
    pub async fn record(&self, tx: &mut store::Tx) {
        let entry = store::audit_log::NewEntry {
            at: self.lucid.now(),
            actor: "system:operator".to_owned(),
            action: domain::audit_action::AuditAction::DreamEnd,
            subject: "a test".to_owned(),
            store_id: Some(self.store),
            commit_id: None,
            salt: [7; 16],
            payload: "{}".to_owned(),
        };
        store::audit_log::append(tx, &entry, None).await.unwrap();
    }

    /// The trail verifies; how many entries it has.
    pub async fn verified(&self) -> i64 {
        self.conflicts_agree().await;
        self.lucid
            .check_audit(&self.admin)
            .await
            .unwrap()
            .expect("the audit trail verifies")
            .entries
    }

    /// The conflicts that triggers keep are those that the view names.
    pub async fn conflicts_agree(&self) {
        const CONFLICTED: &str = "SELECT c.changeset_id, COUNT(*) FROM conflicted_changes x JOIN changes c ON c.id = x.change_id
            JOIN stores s ON s.id = c.store_id AND s.deleted_at IS NULL GROUP BY c.changeset_id";
        const SHOWN: &str = "SELECT f.changeset_id, COUNT(*) FROM conflicts f JOIN conflicted_changes x ON x.change_id = f.change_id
            JOIN changes c ON c.id = f.change_id JOIN stores s ON s.id = c.store_id AND s.deleted_at IS NULL GROUP BY f.changeset_id";
        for (one, other) in [(CONFLICTED, SHOWN), (SHOWN, CONFLICTED)] {
            let sql = sqlx::AssertSqlSafe(format!(
                "SELECT COUNT(*) FROM ({one} EXCEPT {other}) differs"
            ));
            let differing: i64 = match &self.db {
                Db::Sqlite { read, .. } => sqlx::query_scalar(sql).fetch_one(read).await.unwrap(),
                Db::Postgres(pool) => sqlx::query_scalar(sql).fetch_one(pool).await.unwrap(),
            };
            assert_eq!(differing, 0, "{one}, but not: {other}");
        }
    }
}

/// The first page of the changes that wait and fit a filter.
pub async fn waiting(lucid: &Lucid, actor: &Actor, filter: &QueueFilter) -> Vec<WaitingChange> {
    lucid
        .waiting_changes(actor, filter, None)
        .await
        .unwrap()
        .0
        .rows
}

/// The changesets of the changes that wait, each once, in the order of the queue.
pub async fn open_changesets(lucid: &Lucid, actor: &Actor) -> Vec<ChangesetId> {
    let mut all: Vec<ChangesetId> = Vec::new();
    for change in waiting(lucid, actor, &QueueFilter::default()).await {
        if !all.contains(&change.changeset_id) {
            all.push(change.changeset_id);
        }
    }
    all
}

/// A new memory, as somebody asks for it.
pub fn create(path: &str, content: &str) -> MemoryWrite {
    MemoryWrite::Create {
        path: path.parse().unwrap(),
        content: content.to_owned(),
    }
}

/// Transcripts in a spool.
pub fn spool(text: &str) -> Spool {
    let mut spool = Spool::new().unwrap();
    let source = Source::named("t.jsonl");
    transcripts::read_from(
        text.as_bytes(),
        &source,
        &Options::default(),
        &mut spool,
        &mut |_| {},
    )
    .unwrap();
    spool
}

/// A session in which a tool fails, and works with another argument.
pub fn failing(id: &str, task: &str, number: u32) -> String {
    let call = |n: u32, seats: u32| serde_json::json!({"role": "assistant", "tool_calls": [{"id": format!("c{n}"), "function": {"name": "book", "arguments": format!("{{\"seats\":{seats}}}")}}]});
    let answer = |n: u32, text: String| serde_json::json!({"role": "tool", "tool_call_id": format!("c{n}"), "content": text});
    let messages = [
        serde_json::json!({"role": "user", "content": "Book it, my card is 4111 1111 1111 1111"}),
        call(1, 9),
        answer(1, format!("Error: not enough seats on flight H{number}")),
        call(2, 1),
        answer(2, "booked".into()),
    ];
    serde_json::json!({"id": id, "task_id": task, "messages": messages}).to_string()
}

pub async fn add(
    lucid: &Lucid,
    name: &str,
    role: Role,
    grants: Vec<(StoreId, StoreRole)>,
) -> Actor {
    let grants = grants
        .into_iter()
        .map(|(store, role)| Grant::whole(store, role))
        .collect();
    let new = NewUser {
        email: format!("{name}@lucid.example"),
        name: name.to_owned(),
        role,
        grants,
    };
    let (id, _) = lucid.add_user(&Actor::operator(), &new).await.unwrap();
    actor(lucid, id).await
}

/// Who somebody is now, signed in in a browser of their own.
pub async fn actor(lucid: &Lucid, id: UserId) -> Actor {
    sign_in(lucid, id).await.expect("the account is there")
}

/// The same, if the account stands.
pub async fn sign_in(lucid: &Lucid, id: UserId) -> Option<Actor> {
    let browser = next();
    let sign_in = SignInId(uuid::Uuid::from_bytes(browser));
    let until = lucid.now().plus_seconds(10 * 365 * 86_400);
    lucid
        .create_web_session(&browser, (Some(id), Some(sign_in)), "{}", until)
        .await
        .unwrap();
    lucid
        .actor(id, Some(service::web_session_of(&browser)))
        .await
        .unwrap()
        .map(|(actor, _)| actor)
}

/// Sixteen bytes that no other call returns, in this process or another.
fn next() -> [u8; 16] {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    bytes[8..].copy_from_slice(&u64::from(std::process::id()).to_be_bytes());
    bytes
}

/// A merged text with its conflicts resolved by keeping both versions.
pub fn keep_both(text: &str) -> String {
    let marks = ["<<<<<<< now", "=======", ">>>>>>> proposed"];
    text.split_inclusive('\n')
        .filter(|l| !marks.contains(&l.trim_end_matches('\n')))
        .collect()
}
