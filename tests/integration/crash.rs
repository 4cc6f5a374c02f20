//! What is killed in the middle leaves all of it or nothing: imports, dreams and commits, by
//! SIGKILL at random points, on both engines. A few rounds with a fixed seed in `make test`, 200 in
//! `make soak`.

use std::{
    fmt::Write,
    fs,
    io::Read,
    process::{Command, Stdio},
    time::Duration,
};

use domain::{
    actor::Actor, changeset::ChangeState, dream_state::DreamState, ids::ChangesetId,
    memory::GateMode, rights::Scope,
};
use service::{MemoryWrite, NewKey, Verdict, Written};

use crate::{
    support::{
        databases::TestDb,
        process::{LUCID, run},
        soak::{Dice, rounds},
    },
    world::{World, failing, on_both_engines},
};

const SESSIONS: u32 = 400;

/// Kills an import again and again at different points, then lets it finish.
fn kill_imports(database: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.jsonl");
    let mut text = String::new();
    for n in 0..SESSIONS {
        writeln!(
            text,
            "{}",
            failing(&format!("s{n}"), &format!("t{}", n % 7), n)
        )
        .unwrap();
    }
    fs::write(&file, text).unwrap();
    let path = file.display().to_string();
    let mut dice = Dice::new(7);
    let mut verified = 0;
    for _ in 0..rounds(4, 200) {
        let wait = dice.below(300);
        let mut import = Command::new(LUCID)
            .args(["--database", database, "import", &path, "--store", "Air"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        // SIGKILL: nothing in the process can tidy up.
        import.kill().unwrap();
        import.wait().unwrap();
        let (code, out, err) = run(&["--database", database, "audit", "verify"]);
        verified += usize::from(code == 0);
        // Killed before it had even made the database, it left nothing.
        assert!(
            code == 0 || err.contains("there is no database at"),
            "after {wait} ms: {out}{err}"
        );
    }
    let (code, out, err) = run(&["--database", database, "import", &path, "--store", "Air"]);
    assert_eq!(code, 0, "{out}{err}");
    let numbers: Vec<u32> = out
        .lines()
        .next()
        .unwrap_or_default()
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|n| n.parse().ok())
        .collect();
    let [added, grown, _, unchanged, left_out] = numbers[..] else {
        panic!("{out}")
    };
    assert_eq!(
        (added + unchanged, grown, left_out),
        (SESSIONS, 0, 0),
        "no session is half there: {out}"
    );
    let (code, out, _) = run(&["--database", database, "audit", "verify"]);
    assert_eq!(code, 0, "{out}");
    // One entry a session and one for the store, however often the import was killed, and one for
    // each look at the trail.
    assert!(
        out.starts_with(&format!(
            "{} entries verify",
            SESSIONS as usize + 1 + verified
        )),
        "{out}"
    );
}

#[test]
fn a_killed_import_on_sqlite() {
    let database = TestDb::sqlite();
    kill_imports(&database.url);
}

#[tokio::test]
async fn a_killed_import_on_postgres() {
    let database = TestDb::postgres().await;
    let url = database.url.clone();
    tokio::task::spawn_blocking(move || kill_imports(&url))
        .await
        .unwrap();
}

on_both_engines!(killed_commits, killed_dreams);

/// The database that the helper process below works on, and whose approved changes it commits.
const VICTIM_DATABASE: &str = "LUCID_TEST_VICTIM_DATABASE";
const VICTIM_REVIEWER: &str = "LUCID_TEST_VICTIM_REVIEWER";

/// No test of its own: the process that `killed_commits` kills. It commits everything that is
/// approved.
#[tokio::test]
async fn victim_that_commits() {
    let (Ok(database), Ok(reviewer)) = (
        std::env::var(VICTIM_DATABASE),
        std::env::var(VICTIM_REVIEWER),
    ) else {
        return;
    };
    let db = store::Db::open(&database).await.unwrap();
    let clock = || domain::Timestamp(crate::world::START + 1_000_000);
    // A real process has real randomness: what it did not finish must not come again with the same
    // ids.
    let lucid = service::Lucid::new(
        db,
        std::sync::Arc::new(clock),
        std::sync::Arc::new(|b: &mut [u8]| {
            fs::File::open("/dev/urandom")
                .unwrap()
                .read_exact(b)
                .unwrap();
        }),
    );
    let reviewer = crate::world::actor(&lucid, reviewer.parse().unwrap()).await;
    for changeset in crate::world::open_changesets(&lucid, &reviewer).await {
        let changes = lucid.changeset(&reviewer, changeset).await.unwrap().changes;
        let approved = changes
            .into_iter()
            .filter(|c| c.change.state == ChangeState::Approved);
        let expected: Vec<_> = approved
            .map(|c| service::Expected {
                change: c.change.id,
                revision: c.change.revision,
                digest: c.change.digest,
            })
            .collect();
        if !expected.is_empty() {
            let request = service::CommitRequest {
                changeset,
                expected,
                idempotency_key: changeset.to_string(),
            };
            lucid.commit(&reviewer, &request).await.unwrap();
        }
    }
}

/// Proposals by an agent, each approved: each a changeset of one change.
async fn approved(world: &World, from: usize, count: usize) -> Vec<ChangesetId> {
    let new = NewKey {
        name: "agent".into(),
        owner: None,
        store: Some(world.store),
        scopes: vec![Scope::MemoryWrite],
        days: None,
    };
    let (_, secret) = world.lucid.add_key(&world.admin, &new).await.unwrap();
    let agent = world.lucid.key_actor(&secret).await.unwrap();
    let mut made = Vec::new();
    for n in from..from + count {
        let write = MemoryWrite::Create {
            path: format!("/m{n}.md").parse().unwrap(),
            content: format!("{n}\n").repeat(50),
        };
        let Written::Proposed { changeset, .. } = world
            .lucid
            .write_memory(&agent, world.store, &write)
            .await
            .unwrap()
        else {
            panic!("gated")
        };
        world
            .vote(
                &world.reviewer,
                &world.changes(changeset).await[0],
                Verdict::Approve,
            )
            .await
            .unwrap();
        made.push(changeset);
    }
    made
}

async fn killed_commits(world: World) {
    let lucid = &world.lucid;
    lucid
        .set_gate(&world.admin, world.store, GateMode::AllGated, None)
        .await
        .unwrap();
    let reviewer = world.reviewer.who.person().unwrap();
    let mut dice = Dice::new(11);
    let (mut cut, mut before) = (0, 0);
    for round in 0..rounds(8, 200) {
        let batch = approved(&world, round * 10, 10).await;
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::victim_that_commits", "--quiet"])
            .env(VICTIM_DATABASE, world.url())
            .env(VICTIM_REVIEWER, reviewer.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Killed once it has begun, and a random moment later.
        for _ in 0..500 {
            if lucid
                .store(&world.admin, world.store)
                .await
                .unwrap()
                .revision
                > before
            {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        tokio::time::sleep(Duration::from_micros(dice.below(30_000))).await;
        victim.kill().unwrap();
        victim.wait().unwrap();
        let paths = world.paths().await;
        let mut committed = 0;
        for (n, &id) in batch.iter().enumerate() {
            let change = &world.changes(id).await[0].change;
            let there = paths.contains(&format!("/m{}.md", round * 10 + n));
            // All of it: the change, its commit, the memory. Or nothing.
            assert_eq!(
                (
                    change.state == ChangeState::Committed,
                    change.commit_id.is_some()
                ),
                (there, there),
                "round {round}, change {n}"
            );
            committed += usize::from(there);
        }
        let revision = lucid
            .store(&world.admin, world.store)
            .await
            .unwrap()
            .revision;
        assert_eq!(
            revision,
            before + i64::try_from(committed).unwrap(),
            "a commit each, none twice"
        );
        world.verified().await;
        cut += usize::from(committed < batch.len());
        // The next round begins with nothing left over.
        for &id in &batch {
            let request = world.commit_request(id, &id.to_string()).await;
            if !request.expected.is_empty() {
                lucid.commit(&world.reviewer, &request).await.unwrap();
            }
        }
        before += i64::try_from(batch.len()).unwrap();
    }
    assert!(
        cut > 0,
        "no kill came in the middle; the times to wait are wrong for this machine"
    );
}

async fn killed_dreams(world: World) {
    let operator = Actor::operator();
    // The workers' clock is the system's; what is asked for here must lie in their past, whatever
    // day it is.
    world.wait_seconds(-10 * 365 * 86_400);
    let mut dreams = Vec::new();
    for n in 0..rounds(6, 200) {
        let store = world
            .lucid
            .create_store(&operator, &format!("Store {n}"), "")
            .await
            .unwrap();
        let n = u32::try_from(n).unwrap();
        let text = (0..20).fold(String::new(), |all, s| {
            all + &failing(&format!("s{s}"), &format!("t{s}"), n) + "\n"
        });
        let (sessions, _, mut reader) = crate::world::spool(&text).finish().unwrap();
        for session in &sessions {
            world
                .lucid
                .import_session(&operator, store, session, &mut reader)
                .await
                .unwrap();
        }
        dreams.push(
            world
                .lucid
                .request_dream(&operator, store, None)
                .await
                .unwrap(),
        );
    }
    let mut dice = Dice::new(13);
    let worker = |database: &str| {
        let mut command = Command::new(LUCID);
        command
            .args([
                "--database",
                database,
                "--session-keys",
                world.keys(),
                "worker",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().unwrap()
    };
    for _ in 0..rounds(6, 200) {
        let mut victim = worker(world.url());
        tokio::time::sleep(Duration::from_millis(20 + dice.below(150))).await;
        victim.kill().unwrap();
        victim.wait().unwrap();
        world.verified().await;
        for &id in &dreams {
            let view = world.lucid.dream(&operator, id).await.unwrap();
            let done = view.dream.state == DreamState::Completed;
            assert_eq!(
                (view.dream.changeset_id.is_some(), view.findings.len()),
                (done, usize::from(done)),
                "{}",
                view.dream.state
            );
        }
    }
    // A worker that lives finishes what is left, as soon as the leases of the killed ones have run
    // out.
    let mut last = worker(world.url());
    for _ in 0..900 {
        let mut left = 0;
        for &id in &dreams {
            left += usize::from(
                world.lucid.dream(&operator, id).await.unwrap().dream.state
                    != DreamState::Completed,
            );
        }
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    last.kill().unwrap();
    last.wait().unwrap();
    for &id in &dreams {
        let view = world.lucid.dream(&operator, id).await.unwrap();
        assert_eq!(
            (view.dream.state.as_str(), view.findings.len()),
            ("completed", 1),
            "{id}: {:?}",
            view.dream.error
        );
    }
    world.verified().await;
}
