//! Whatever is changed past Lucid is found, and named: every column of every table that the trail
//! covers, rows that are added, removed or put back, entries of the trail itself, and texts that
//! are stored by their hash.

use std::collections::BTreeSet;

use audit::{Broken, Disagreement};
use domain::actor::{Actor, Grant, StoreRole};
use domain::{
    event::{Outcome, OutcomeResult},
    memory::GateMode,
    recall::RecallMark,
};
use service::{Grantee, HoldOn, Marked, NewMemory, NewSchedule, transcripts::mapping::Mapping};
use sqlx::{AssertSqlSafe, Row};
use store::{Db, covered};

use crate::{
    lists::rows_of_every_kind,
    mappings, policies, questions,
    world::{World, actor, on_both_engines},
};

on_both_engines!(
    every_column_of_every_covered_table,
    the_trail_itself,
    what_an_older_database_holds,
    forged_entries,
    an_honest_write_hides_nothing,
    rows_are_not_bound_a_second_time,
    many_writers_leave_no_gap,
);

const KEY: [u8; 32] = [9; 32];

/// Somebody who can write to the database and knows how to get around its triggers and constraints.
struct Attacker<'a> {
    world: &'a World,
}

impl Attacker<'_> {
    /// Runs a statement with every guard of the database off.
    async fn run(&self, sql: &str) {
        let text = AssertSqlSafe(sql.to_owned());
        match &self.world.db {
            Db::Sqlite { write, .. } => drop(
                sqlx::query(text)
                    .execute(write)
                    .await
                    .unwrap_or_else(|e| panic!("{sql}: {e}")),
            ),
            Db::Postgres(pool) => {
                let mut connection = pool.acquire().await.unwrap();
                sqlx::query("SET session_replication_role = replica")
                    .execute(&mut *connection)
                    .await
                    .unwrap();
                sqlx::query(text)
                    .execute(&mut *connection)
                    .await
                    .unwrap_or_else(|e| panic!("{sql}: {e}"));
                sqlx::query("SET session_replication_role = DEFAULT")
                    .execute(&mut *connection)
                    .await
                    .unwrap();
            }
        }
    }

    /// Names or numbers that a query gives.
    async fn ask(&self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        match &self.world.db {
            Db::Sqlite { write, .. } => sqlx::query(sql)
                .fetch_all(write)
                .await
                .unwrap()
                .iter()
                .map(|row| row.get(0))
                .collect(),
            Db::Postgres(pool) => sqlx::query(sql)
                .fetch_all(pool)
                .await
                .unwrap()
                .iter()
                .map(|row| row.get(0))
                .collect(),
        }
    }

    const fn is_sqlite(&self) -> bool {
        matches!(self.world.db, Db::Sqlite { .. })
    }

    /// Takes away what would refuse an attack for another reason than the trail.
    async fn disarm(&self) {
        if self.is_sqlite() {
            for trigger in self
                .ask("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                .await
            {
                self.run(&format!("DROP TRIGGER {trigger}")).await;
            }
            self.run("PRAGMA foreign_keys = OFF").await;
            self.run("PRAGMA ignore_check_constraints = ON").await;
            return;
        }
        self.drop_constraints("'c', 'f'").await;
    }

    /// Drops PostgreSQL's constraints of some kinds, as its catalogue calls them.
    async fn drop_constraints(&self, kinds: &str) {
        let drops = format!(
            "SELECT 'ALTER TABLE ' || conrelid::regclass || ' DROP CONSTRAINT ' || quote_ident(conname) || ' CASCADE' FROM pg_constraint
            WHERE contype IN ({kinds}) AND connamespace = 'public'::regnamespace"
        );
        for drop in self.ask(&drops).await {
            self.run(&drop).await;
        }
    }

    /// Takes away what would refuse two rows with the same value: on SQLite, that is a part of
    /// their table, which is made anew.
    async fn disarm_unique(&self) {
        if self.is_sqlite() {
            for table in covered::TABLES {
                self.keep(table.name).await;
                self.run(&format!("DROP TABLE {}", table.name)).await;
                self.run(&format!(
                    "CREATE TABLE {0} AS SELECT * FROM kept_{0}",
                    table.name
                ))
                .await;
                self.run(&format!("DROP TABLE kept_{}", table.name)).await;
            }
            return;
        }
        self.drop_constraints("'u', 'p'").await;
        for index in self
            .ask(
                "SELECT indexrelid::regclass::text FROM pg_index i JOIN pg_class c ON c.oid = \
                 i.indrelid WHERE indisunique AND NOT indisprimary AND c.relnamespace = \
                 'public'::regnamespace",
            )
            .await
        {
            self.run(&format!("DROP INDEX {index}")).await;
        }
    }

    /// The columns of a table, in order.
    async fn columns(&self, table: &str) -> Vec<String> {
        if self.is_sqlite() {
            return self
                .ask(&format!(
                    "SELECT name FROM pragma_table_info('{table}') ORDER BY cid"
                ))
                .await;
        }
        let sql = "SELECT CAST(column_name AS TEXT) FROM information_schema.columns WHERE \
            table_schema = 'public' AND table_name = ";
        self.ask(&format!("{sql}'{table}' ORDER BY ordinal_position"))
            .await
    }

    /// Keeps a table as it is, to put it back later.
    async fn keep(&self, table: &str) {
        // Beside the schema, whose changes are found as well. SQLite has one connection that
        // writes.
        let kind = if self.is_sqlite() {
            "TEMP TABLE"
        } else {
            "TABLE"
        };
        self.run(&format!(
            "CREATE {kind} kept_{table} AS SELECT * FROM {table}"
        ))
        .await;
    }

    async fn put_back(&self, table: &str) {
        self.run(&format!("DELETE FROM {table}")).await;
        self.run(&format!("INSERT INTO {table} SELECT * FROM kept_{table}"))
            .await;
    }

    /// A value that differs from a column's, of the same kind.
    fn other(&self, column: &str, kind: &str) -> String {
        match (kind, self.is_sqlite()) {
            ("t", _) => format!("COALESCE({column}, '') || 'x'"),
            ("b", true) => format!("1 - COALESCE({column}, 0)"),
            ("b", false) => format!("NOT COALESCE({column}, FALSE)"),
            ("u", true) => "X'00112233445566778899AABBCCDDEEFF'".to_owned(),
            ("u", false) => "'00112233-4455-6677-8899-aabbccddeeff'::uuid".to_owned(),
            ("x", true) => "X'0011'".to_owned(),
            ("x", false) => "'\\x0011'::bytea".to_owned(),
            _ => format!("COALESCE({column}, 0) + 1"),
        }
    }

    /// One row of a table, as a condition.
    fn one(&self, table: &str) -> String {
        let id = if self.is_sqlite() { "rowid" } else { "ctid" };
        let only = if table == "settings" {
            " WHERE name <> 'people'"
        } else {
            ""
        };
        format!("{id} = (SELECT {id} FROM {table}{only} ORDER BY {id} LIMIT 1)")
    }
}

/// Nothing is wrong but that triggers were dropped.
async fn holds(world: &World) {
    if let Err(broken) = world.lucid.check_audit(&Actor::operator()).await.unwrap() {
        assert_eq!(disagreements(broken), []);
    }
}

async fn found(world: &World) -> Broken {
    world
        .lucid
        .check_audit(&Actor::operator())
        .await
        .unwrap()
        .expect_err("it is found")
}

/// The rows that disagree; that the test's attacker dropped triggers is another matter.
fn disagreements(broken: Broken) -> Vec<Disagreement> {
    match broken {
        Broken::Rows(all) => all
            .into_iter()
            .filter(|d| !matches!(d, Disagreement::Schema(_)))
            .collect(),
        other => panic!("{other}"),
    }
}

/// An installation whose trail is signed, with rows in every covered table.
async fn full(world: World) -> World {
    let world = World {
        lucid: world.lucid.clone().with_signing_key(KEY),
        ..world
    };
    let me = world.admin.clone();
    let stranger = Grantee::Person(world.stranger.who.person().unwrap());
    world
        .lucid
        .grant(
            &Actor::operator(),
            stranger,
            &Grant::whole(world.store, StoreRole::Reader),
        )
        .await
        .unwrap();
    let lucid = &world.lucid;
    lucid
        .note_public_url("https://lucid.example")
        .await
        .unwrap();
    let question = questions::alike(&world).await;
    questions::answer(&world, &question, domain::question::Answer::Both, "")
        .await
        .unwrap();
    let changeset = policies::merges(&world, 2).await;
    lucid
        .hold_change(&world.reviewer, world.changes(changeset).await[0].change.id)
        .await
        .unwrap();
    policies::active(&world, &policies::preset(&world, 0, policies::at_once())).await;
    policies::work(&world).await;
    rows_of_every_kind(&world, &me, 0..2).await;
    let nightly = NewSchedule {
        cron: "0 3 * * *".into(),
        time_zone: "UTC".into(),
        min_sessions: 0,
        idle_minutes: 0,
        enabled: true,
        distiller: "builtin".into(),
    };
    lucid
        .set_schedule(&Actor::operator(), world.store, &nightly)
        .await
        .unwrap();
    lucid
        .save_mapping(&me, &Mapping::parse(mappings::TEXT).unwrap())
        .await
        .unwrap();
    let session = lucid
        .sessions(&me, Some(world.store), None)
        .await
        .unwrap()
        .rows[0]
        .id;
    lucid
        .record_outcome(
            &Actor::operator(),
            session,
            Outcome::stated(OutcomeResult::Success),
            None,
        )
        .await
        .unwrap();
    let memory = lucid
        .memories(&me, world.store, None)
        .await
        .unwrap()
        .rows
        .remove(0);
    lucid
        .read_memory(&Actor::operator(), world.store, memory.id, Some(session))
        .await
        .unwrap();
    let recall = lucid
        .open_recall(
            &me,
            memory.id,
            (memory.number, memory.number),
            "It is wrong.",
        )
        .await
        .unwrap();
    lucid
        .mark_recalled(&me, recall, &Marked::Left, RecallMark::Harmless, "")
        .await
        .unwrap();
    // Old transcripts are erased, and a memory is held.
    lucid.set_transcript_days(&me, Some(90)).await.unwrap();
    world.wait_seconds(200 * 86_400);
    assert!(lucid.apply_retention().await.unwrap() > 0);
    lucid
        .place_hold(&me, HoldOn::Memory(memory.id), "A case.")
        .await
        .unwrap();
    policies::second_admin(&world).await;
    lucid
        .set_gate(
            &actor(lucid, me.who.person().unwrap()).await,
            world.store,
            GateMode::DreamsGated,
            None,
        )
        .await
        .unwrap();
    world
}

async fn every_column_of_every_covered_table(world: World) {
    let world = Box::pin(full(world)).await;
    let attacker = Attacker { world: &world };
    let verified = world
        .lucid
        .check_audit(&Actor::operator())
        .await
        .unwrap()
        .expect("nothing was changed yet");
    assert_eq!(verified.since, Some(1));
    assert_eq!(
        verified.signed_by,
        Some(audit::checkpoint::public_key(&KEY))
    );
    attacker.disarm().await;
    attacker.disarm_unique().await;
    let mut empty = BTreeSet::new();
    let mut columns = 0;
    for table in covered::TABLES {
        let name = table.name;
        if attacker
            .ask(&format!(
                "SELECT 'x' FROM {name} WHERE {}",
                attacker.one(name)
            ))
            .await
            .is_empty()
        {
            empty.insert(name);
            continue;
        }
        attacker.keep(name).await;
        let one = attacker.one(name);
        for (column, kind) in table.columns() {
            attacker
                .run(&format!(
                    "UPDATE {name} SET {column} = {} WHERE {one}",
                    attacker.other(column, kind)
                ))
                .await;
            let all = disagreements(found(&world).await);
            let named = |d: &Disagreement| match d {
                Disagreement::Changed { table, entry, .. }
                | Disagreement::Removed { table, entry, .. } => table == name && *entry > 0,
                Disagreement::Added { table, .. } | Disagreement::Twice { table, .. } => {
                    table == name
                }
                Disagreement::MissingContent { .. } => column.ends_with("sha256"),
                _ => false,
            };
            assert!(all.iter().all(named), "{name}.{column}: {all:?}");
            assert!(
                all.iter()
                    .any(|d| !matches!(d, Disagreement::MissingContent { .. })),
                "{name}.{column}: {all:?}"
            );
            attacker.put_back(name).await;
            columns += 1;
        }
        attacker
            .run(&format!("DELETE FROM {name} WHERE {one}"))
            .await;
        let all = disagreements(found(&world).await);
        assert!(
            matches!(&all[..], [Disagreement::Removed { table, .. }] if table == name),
            "{name}: {all:?}"
        );
        // A copy of the row under another name.
        let key = table.key();
        let copied = attacker.columns(name).await.into_iter().map(|column| {
            let kind = table
                .columns()
                .find(|(c, _)| *c == column)
                .map(|(_, kind)| kind)
                .filter(|_| key.contains(&column.as_str()));
            kind.map_or(column.clone(), |kind| attacker.other(&column, kind))
        });
        let copied = copied.collect::<Vec<_>>().join(", ");
        attacker.put_back(name).await;
        attacker
            .run(&format!(
                "INSERT INTO {name} SELECT {copied} FROM {name} WHERE {one}"
            ))
            .await;
        let all = disagreements(found(&world).await);
        assert!(
            matches!(&all[..], [Disagreement::Added { table, .. }] if table == name),
            "{name}: {all:?}"
        );
        attacker.put_back(name).await;
        holds(&world).await;
    }
    assert!(empty.is_empty(), "the test has no row of {empty:?}");
    assert!(columns > 250, "{columns}");
    for (change, wanted) in [
        ("content = content || 'x'", "was changed in place"),
        ("bytes = bytes + 1", "was changed in place"),
    ] {
        attacker.keep("contents").await;
        attacker
            .run(&format!(
                "UPDATE contents SET {change} WHERE {}",
                attacker.one("contents")
            ))
            .await;
        assert!(found(&world).await.to_string().contains(wanted));
        attacker.put_back("contents").await;
        attacker.run("DROP TABLE kept_contents").await;
    }
    attacker.run("DELETE FROM contents").await;
    assert!(found(&world).await.to_string().contains("is missing"));
}

async fn the_trail_itself(world: World) {
    let world = Box::pin(full(world)).await;
    let attacker = Attacker { world: &world };
    let last = world
        .lucid
        .check_audit(&Actor::operator())
        .await
        .unwrap()
        .unwrap()
        .entries;
    attacker.disarm().await;
    attacker.keep("audit").await;
    attacker.keep("audit_head").await;
    let at = last / 2;
    let mut attacks: Vec<(String, Vec<String>)> = Vec::new();
    let kinds = [
        ("at", "i"),
        ("actor", "t"),
        ("action", "t"),
        ("subject", "t"),
        ("store_id", "u"),
        ("commit_id", "u"),
        ("rows", "t"),
        ("salt", "x"),
        ("payload", "t"),
        ("commitment", "x"),
        ("prev", "x"),
        ("hash", "x"),
    ];
    for (column, kind) in kinds {
        attacks.push((
            column.to_owned(),
            vec![format!(
                "UPDATE audit SET {column} = {} WHERE seq = {at}",
                attacker.other(column, kind)
            )],
        ));
    }
    let mut add = |name: &str, sql: &[String]| attacks.push((name.to_owned(), sql.to_vec()));
    add(
        "a payload erased",
        &[format!("UPDATE audit SET payload = NULL WHERE seq = {at}")],
    );
    add(
        "all payloads and salts erased",
        &[format!(
            "UPDATE audit SET payload = NULL, salt = {}",
            attacker.other("salt", "x")
        )],
    );
    add(
        "an entry removed",
        &[format!("DELETE FROM audit WHERE seq = {at}")],
    );
    add(
        "the front cut off",
        &["DELETE FROM audit WHERE seq < 3".to_owned()],
    );
    add(
        "everything removed",
        &[
            "DELETE FROM audit".to_owned(),
            "DELETE FROM audit_head".to_owned(),
        ],
    );
    add(
        "two entries swapped",
        &[
            format!("UPDATE audit SET seq = -1 WHERE seq = {at}"),
            format!("UPDATE audit SET seq = {at} WHERE seq = {}", at + 1),
            format!("UPDATE audit SET seq = {} WHERE seq = -1", at + 1),
        ],
    );
    for k in [1, 2, 5] {
        let to = last - k;
        let end = |column: &str| format!("(SELECT {column} FROM audit WHERE seq = {to})");
        let head = format!("UPDATE audit_head SET seq = {to}, hash = {}", end("hash"));
        add(
            "the end cut off",
            &[format!("DELETE FROM audit WHERE seq > {to}")],
        );
        add(
            "the end cut off, with a head that fits",
            &[format!("DELETE FROM audit WHERE seq > {to}"), head],
        );
    }
    for (name, seq) in [
        ("an entry beyond the end", "seq + 1000000"),
        ("an entry before the first", "-seq"),
    ] {
        let rest = "at, actor, action, subject, store_id, NULL, salt, payload, commitment, prev, \
            hash, rows";
        add(
            name,
            &[format!(
                "INSERT INTO audit SELECT {seq}, {rest} FROM audit WHERE seq = {at}"
            )],
        );
    }
    add(
        "the signature removed",
        &[
            "UPDATE audit_head SET signature = NULL, public_key = NULL, signed_at = NULL"
                .to_owned(),
        ],
    );
    add(
        "the signature changed",
        &[format!(
            "UPDATE audit_head SET signature = {}",
            attacker.other("signature", "x")
        )],
    );
    add(
        "the key changed",
        &[format!(
            "UPDATE audit_head SET public_key = {}",
            attacker.other("public_key", "x")
        )],
    );
    add(
        "the time of the signature changed",
        &["UPDATE audit_head SET signed_at = signed_at + 1".to_owned()],
    );
    let mut said = BTreeSet::new();
    for (name, sql) in attacks {
        for one in &sql {
            attacker.run(one).await;
        }
        match world.lucid.check_audit(&Actor::operator()).await {
            Ok(checked) => drop(said.insert(checked.expect_err(&name).to_string())),
            // Without its head, nothing at all is said of the trail.
            Err(error) => assert!(name == "everything removed", "{name}: {error:?}"),
        }
        attacker.put_back("audit").await;
        attacker.put_back("audit_head").await;
        holds(&world).await;
    }
    for kind in [
        "was changed",
        "the payload of entry",
        "no entry says that it was erased",
        "front was cut off",
        "what was between was removed",
        "end was cut off",
        "not up to its end",
    ] {
        assert!(said.iter().any(|s| s.contains(kind)), "{kind}: {said:#?}");
    }
}

/// Whoever makes Lucid bind all rows anew has what they changed bound with them; that it was bound
/// anew is found.
async fn rows_are_not_bound_a_second_time(world: World) {
    let attacker = Attacker { world: &world };
    attacker.run("UPDATE audit_head SET baseline = NULL").await;
    world
        .lucid
        .create_store(&Actor::operator(), "Later", "")
        .await
        .unwrap();
    let broken = found(&world).await;
    assert!(matches!(broken, Broken::Again { .. }), "{broken}");
}

/// Writers at once, and entries of each: in `make test`, and in `make soak`.
const WRITERS: u32 = 20;
const ENTRIES: (u32, u32) = (5, 1_000);

async fn many_writers_leave_no_gap(world: World) {
    let world = World {
        lucid: world.lucid.clone().with_signing_key(KEY),
        ..world
    };
    let before = world.verified().await;
    let entries = if std::env::var_os("LUCID_SOAK").is_some() {
        ENTRIES.1
    } else {
        ENTRIES.0
    };
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (lucid, store) = (world.lucid.clone(), world.store);
            tokio::spawn(async move {
                for n in 0..entries {
                    let note = NewMemory {
                        path: format!("/{writer}/{}.md", n % 50).parse().unwrap(),
                        content: format!("{n}\n"),
                        by_person: false,
                    };
                    lucid
                        .write_memories(&Actor::operator(), store, &[note], "at once")
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(
        world.verified().await,
        before + i64::from(WRITERS * entries)
    );
}

#[tokio::test]
async fn a_planted_trigger_is_named() {
    let world = World::on(crate::support::databases::TestDb::sqlite()).await;
    let attacker = Attacker { world: &world };
    attacker
        .run(
            "CREATE TRIGGER planted AFTER INSERT ON audit BEGIN UPDATE users SET role = 'admin' \
             WHERE email LIKE 'stranger%'; END",
        )
        .await;
    world
        .lucid
        .create_store(&Actor::operator(), "Later", "")
        .await
        .unwrap_err();
    let Broken::Rows(all) = found(&world).await else {
        panic!("rows disagree")
    };
    assert_eq!(all, [Disagreement::Schema("trigger planted".to_owned())]);
    attacker.run("DROP TRIGGER planted").await;
    attacker.run("DROP TRIGGER users_covered_update").await;
    let Broken::Rows(all) = found(&world).await else {
        panic!("rows disagree")
    };
    assert_eq!(
        all,
        [Disagreement::Schema(
            "trigger users_covered_update".to_owned()
        )]
    );
}

/// An entry with a hash that fits, put behind the last one by somebody who has no key; Lucid does
/// not sign it with its next one.
async fn forged_entries(world: World) {
    let world = World {
        lucid: world.lucid.clone().with_signing_key(KEY),
        ..world
    };
    world
        .lucid
        .create_store(&Actor::operator(), "Before", "")
        .await
        .unwrap();
    let last = world.verified().await;
    let attacker = Attacker { world: &world };
    attacker.keep("audit_head").await;
    for change in [
        "seq = seq + 1".to_owned(),
        format!("hash = {}", attacker.other("hash", "x")),
        format!("signature = {}", attacker.other("signature", "x")),
        "signed_at = signed_at + 1".to_owned(),
    ] {
        attacker
            .run(&format!("UPDATE audit_head SET {change}"))
            .await;
        let refused = world
            .lucid
            .create_store(&Actor::operator(), "Later", "")
            .await
            .unwrap_err();
        assert!(
            matches!(refused, service::Error::Store(store::Error::Trail)),
            "{change}: {refused:?}"
        );
        attacker.put_back("audit_head").await;
    }
    attacker.run("DROP TABLE kept_audit_head").await;
    let other = Db::open(world.url()).await.unwrap();
    let mut tx = other.write().await.unwrap();
    let head = store::audit_log::head(&mut tx).await.unwrap();
    let entry = store::audit_log::NewEntry {
        at: world.lucid.now(),
        actor: "system:operator".to_owned(),
        action: domain::audit_action::AuditAction::StoreGate,
        subject: "forged".to_owned(),
        store_id: None,
        commit_id: None,
        salt: [1; 16],
        payload: "{}".to_owned(),
    };
    let refused = store::audit_log::append(&mut tx, &entry, None)
        .await
        .unwrap_err();
    assert!(matches!(refused, store::Error::SigningKey(_)), "{refused}");
    drop(tx);
    assert_eq!(head.seq, last);
    assert_eq!(
        world
            .lucid
            .replace_signing_key(&KEY, false)
            .await
            .unwrap_err()
            .kind(),
        service::Kind::Conflict
    );
    // Another key, under which the attacker's own entry is signed.
    attacker
        .run("UPDATE audit_head SET public_key = NULL, signature = NULL, signed_at = NULL")
        .await;
    let mut tx = other.write().await.unwrap();
    store::audit_log::append(&mut tx, &entry, Some(&[1; 32]))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    // A second key needs the first one's word, whichever of them one knows.
    for key in [None, Some(audit::checkpoint::public_key(&KEY))] {
        let checked = world
            .lucid
            .verify_audit_with(&Actor::operator(), Vec::new(), key)
            .await
            .unwrap();
        let broken = checked
            .expect_err("it is signed with another key")
            .to_string();
        assert!(
            broken.contains("without the word of the key before"),
            "{broken}"
        );
    }
}

/// What was changed past Lucid stays found when Lucid itself writes the same row later.
async fn an_honest_write_hides_nothing(world: World) {
    let changed = "UPDATE stores SET approvals_high = 0 WHERE name = 'Support'";
    crate::memory_guard::raw(&world.db, changed).await.unwrap();
    assert!(matches!(
        &disagreements(found(&world).await)[..],
        [Disagreement::Changed { .. }]
    ));
    // Each commit writes the row of its store.
    world.remember(&[("/a.md", "First.\n", false)]).await;
    world.remember(&[("/a.md", "Second.\n", false)]).await;
    let all = disagreements(found(&world).await);
    assert!(
        matches!(&all[..], [Disagreement::Overwritten { table, .. }] if table == "stores"),
        "{all:?}"
    );
}

/// A database from before entries bound rows: the first entry that does binds all that there is.
async fn what_an_older_database_holds(world: World) {
    let changeset = world.proposal().await;
    let change = world.changes(changeset).await.remove(0);
    world
        .vote(&world.reviewer, &change, service::Verdict::Approve)
        .await
        .unwrap();
    let attacker = Attacker { world: &world };
    let triggers = if attacker.is_sqlite() {
        attacker
            .ask("SELECT sql FROM sqlite_master WHERE type = 'trigger'")
            .await
    } else {
        Vec::new()
    };
    attacker.disarm().await;
    let last = as_before(&world, &attacker).await;
    for trigger in &triggers {
        attacker.run(trigger).await;
    }
    let before = world
        .lucid
        .check_audit(&Actor::operator())
        .await
        .unwrap()
        .expect("an old trail verifies");
    assert_eq!((before.entries, before.since, before.rows), (last, None, 0));
    world
        .lucid
        .create_store(&Actor::operator(), "Later", "")
        .await
        .unwrap();
    let after = world
        .lucid
        .check_audit(&Actor::operator())
        .await
        .unwrap()
        .expect("it still does");
    assert_eq!((after.entries, after.since), (last + 1, Some(last + 1)));
    assert!(after.rows > 10, "{}", after.rows);
    attacker.disarm().await;
    attacker.keep("audit").await;
    attacker.keep("decisions").await;
    attacker.run("UPDATE decisions SET note = 'other'").await;
    assert!(found(&world).await.to_string().contains("decisions "));
    attacker.put_back("decisions").await;
    attacker
        .run(&format!(
            "UPDATE audit SET store_id = {} WHERE seq = 2",
            attacker.other("store_id", "u")
        ))
        .await;
    assert_eq!(found(&world).await, Broken::Earlier { seq: last + 1 });
    attacker.put_back("audit").await;
    attacker
        .run(&format!(
            "UPDATE audit SET rows = NULL WHERE seq = {}",
            last + 1
        ))
        .await;
    assert_eq!(found(&world).await, Broken::Changed { seq: last + 1 });
}

/// Writes the trail anew as a Lucid did whose entries bound no rows; how many entries there are.
async fn as_before(world: &World, attacker: &Attacker<'_>) -> i64 {
    let mut tx = world.db.read().await.unwrap();
    let rows = store::audit_log::chain(&mut tx, 0, 1_000).await.unwrap();
    drop(tx);
    let bytes = |bytes: [u8; 32]| {
        let hex = hex::encode(bytes);
        if attacker.is_sqlite() {
            format!("X'{hex}'")
        } else {
            format!("'\\x{hex}'::bytea")
        }
    };
    let mut prev = audit::GENESIS;
    for row in &rows {
        let entry = audit::Entry {
            rows: None,
            prev,
            ..row.entry()
        }
        .sealed();
        let (seq, hash) = (entry.seq, bytes(entry.hash));
        attacker
            .run(&format!(
                "UPDATE audit SET rows = NULL, prev = {}, hash = {hash} WHERE seq = {seq}",
                bytes(prev)
            ))
            .await;
        prev = entry.hash;
    }
    attacker
        .run(&format!(
            "UPDATE audit_head SET hash = {}, baseline = NULL",
            bytes(prev)
        ))
        .await;
    i64::try_from(rows.len()).unwrap()
}

/// Every table is covered or listed with the reason why not, and every column of a covered one is
/// covered or left out by name.
#[tokio::test]
async fn every_table_and_column_is_covered_or_said_not_to_be() {
    let world = World::on(crate::support::databases::TestDb::sqlite()).await;
    let attacker = Attacker { world: &world };
    // The full-text index keeps itself in tables of its own.
    let all = attacker
        .ask(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND \
             name NOT LIKE '_sqlx%' AND name NOT LIKE 'search_index_%'",
        )
        .await;
    let said: BTreeSet<&str> = covered::TABLES
        .iter()
        .map(|t| t.name)
        .chain(covered::NOT_COVERED.iter().map(|(name, _)| *name))
        .collect();
    assert_eq!(
        all.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        said
    );
    for table in covered::TABLES {
        let columns: BTreeSet<String> = attacker.columns(table.name).await.into_iter().collect();
        let listed: BTreeSet<String> = table
            .columns()
            .map(|(c, _)| c)
            .chain(table.left_out.iter().copied())
            .map(str::to_owned)
            .collect();
        assert_eq!(columns, listed, "{}", table.name);
    }
    let docs =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/audit.md")).unwrap();
    for (name, _) in covered::NOT_COVERED {
        assert!(
            docs.contains(&format!("`{name}`")),
            "docs/audit.md does not say that {name} is not covered"
        );
    }
    for table in covered::TABLES {
        for column in table.left_out {
            assert!(
                docs.contains(&format!("`{}.{column}`", table.name)),
                "docs/audit.md does not say that {}.{column} is not covered",
                table.name
            );
        }
    }
}
