//! Several processes on one PostgreSQL: each dream runs once.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use domain::audit_action::AuditAction;
use domain::{actor::Actor, dream_state::DreamState};

use crate::{
    support::{
        databases::TestDb,
        process::{LUCID, Served},
        soak::{Dice, rounds},
    },
    world::{World, failing, spool},
};

/// A `lucid worker`, ended with the test.
struct Worker(Child);

impl Worker {
    fn start(database: &str, keys: &str) -> Self {
        Self(
            Command::new(LUCID)
                .args(["--database", database, "--session-keys", keys, "worker"])
                .stdout(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Servers and workers on one database, some of them killed meanwhile: each dream runs once, and a
/// schedule's tick fires once.
#[tokio::test(flavor = "multi_thread")]
async fn two_servers_and_three_workers_run_each_dream_once() {
    let count = rounds(30, 200);
    let on = TestDb::postgres().await;
    let url = on.url.clone();
    let world = World::on(on).await;
    // The workers' clock is the system's; what is asked for here must lie in their past, whatever
    // day it is.
    world.wait_seconds(-10 * 365 * 86_400);
    let operator = Actor::operator();
    let mut dreams = Vec::new();
    for n in 0..u32::try_from(count).unwrap() {
        let store = world
            .lucid
            .create_store(&operator, &format!("Store {n}"), "")
            .await
            .unwrap();
        let text = format!("{}\n{}\n", failing("s1", "t1", n), failing("s2", "t2", n));
        let (sessions, _, mut reader) = spool(&text).finish().unwrap();
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
    // A tick that is long due; its cron comes again only in years.
    let scheduled = world
        .lucid
        .create_store(&operator, "Scheduled", "")
        .await
        .unwrap();
    let nightly = service::NewSchedule {
        cron: "0 3 1 1 *".into(),
        time_zone: "UTC".into(),
        min_sessions: 0,
        idle_minutes: 0,
        enabled: true,
        distiller: "builtin".into(),
    };
    world
        .lucid
        .set_schedule(&operator, scheduled, &nightly)
        .await
        .unwrap();
    let servers: Vec<Served> = (0..2)
        .map(|_| Served::start(&url, &["--session-keys", world.keys()]))
        .collect();
    let mut workers: Vec<Worker> = (0..3).map(|_| Worker::start(&url, world.keys())).collect();
    let mut dice = Dice::new(17);
    let mut left = dreams.clone();
    for look in 0..1_200 {
        let mut still = Vec::new();
        for id in left {
            if matches!(
                world
                    .lucid
                    .dream(&operator, id)
                    .await
                    .unwrap()
                    .dream
                    .state
                    .as_str(),
                "pending" | "running"
            ) {
                still.push(id);
            }
        }
        left = still;
        // The dream of the schedule is one more, and may be the last to end.
        if left.is_empty() && entries(&world, AuditAction::DreamEnd).await > count {
            break;
        }
        // One of them is killed now and then, and another takes its place.
        if look % 4 == 0 && look < rounds(16, 120) {
            let victim = usize::try_from(dice.below(3)).unwrap();
            workers[victim] = Worker::start(&url, world.keys());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop((workers, servers));
    assert!(left.is_empty(), "{} dreams did not end", left.len());
    for id in &dreams {
        let view = world.lucid.dream(&operator, *id).await.unwrap();
        assert_eq!(
            (
                view.dream.state.as_str(),
                view.dream.changeset_id.is_some(),
                view.findings.len()
            ),
            ("completed", true, 1),
            "{id}"
        );
    }
    // Begun again after a kill, but ended and proposed once.
    assert!(entries(&world, AuditAction::DreamStart).await >= count);
    assert_eq!(entries(&world, AuditAction::DreamEnd).await, count + 1);
    assert_eq!(entries(&world, AuditAction::ChangesetPropose).await, count);
    assert_eq!(
        world
            .lucid
            .dreams(&operator, Some(scheduled), None)
            .await
            .unwrap()
            .rows
            .len(),
        1,
        "one tick, one dream"
    );
    world.verified().await;
}

/// How many entries of an action the trail has.
async fn entries(world: &World, action: AuditAction) -> usize {
    let (mut count, mut before) = (0, None);
    loop {
        let filter = service::AuditFilter {
            action: Some(action),
            before,
            ..service::AuditFilter::default()
        };
        let page = world
            .lucid
            .audit(&Actor::operator(), &filter)
            .await
            .unwrap();
        count += page.rows.len();
        before = page.rows.last().map(|r| r.row.seq);
        if !page.more {
            return count;
        }
    }
}

/// A worker that is told to stop finishes or hands back what it has in hand, at once for the next.
#[tokio::test]
async fn a_stopped_worker_hands_its_job_back() {
    let world = World::on(TestDb::sqlite()).await;
    world.proposal().await;
    world.import(&failing("s3", "t3", 3)).await;
    let dream = world
        .lucid
        .request_dream(&world.admin, world.store, None)
        .await
        .unwrap();
    assert!(
        world.lucid.work_until("first", async {}).await.unwrap(),
        "it had a job, and was told to stop"
    );
    let state = world
        .lucid
        .dream(&world.admin, dream)
        .await
        .unwrap()
        .dream
        .state;
    if state != DreamState::Completed {
        // No lease has to run out.
        assert!(world.lucid.work_once("second").await.unwrap());
    }
    assert_eq!(
        world
            .lucid
            .dream(&world.admin, dream)
            .await
            .unwrap()
            .dream
            .state,
        DreamState::Completed
    );
}
