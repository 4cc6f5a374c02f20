//! Several processes on one PostgreSQL: each dream runs once.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use domain::actor::Actor;

use crate::{
    support::{databases::TestDb, process::LUCID},
    world::{World, failing, spool},
};

/// A `lucid worker`, ended with the test.
struct Worker(Child);

impl Worker {
    fn start(database: &str) -> Self {
        Self(Command::new(LUCID).args(["--database", database, "worker"]).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn three_workers_run_each_dream_once() {
    let on = TestDb::postgres().await;
    let url = on.url.clone();
    let world = World::on(on).await;
    // The workers' clock is the system's; what is asked for here must lie in their past, whatever day it is.
    world.wait_seconds(-10 * 365 * 86_400);
    let operator = Actor::operator();
    let mut dreams = Vec::new();
    for n in 0..30 {
        let store = world.lucid.create_store(&operator, &format!("Store {n}"), "").await.unwrap();
        let text = format!("{}\n{}\n", failing("s1", "t1", n), failing("s2", "t2", n));
        let (sessions, _, mut reader) = spool(&text).finish().unwrap();
        for session in &sessions {
            world.lucid.import_session(&operator, store, session, &mut reader).await.unwrap();
        }
        dreams.push(world.lucid.request_dream(&operator, store, None).await.unwrap());
    }
    let workers: Vec<Worker> = (0..3).map(|_| Worker::start(&url)).collect();
    let mut left = dreams.clone();
    for _ in 0..300 {
        let mut still = Vec::new();
        for id in left {
            if matches!(world.lucid.dream(&operator, id).await.unwrap().dream.state.as_str(), "pending" | "running") {
                still.push(id);
            }
        }
        left = still;
        if left.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(workers);
    assert!(left.is_empty(), "{} dreams did not end", left.len());
    for id in &dreams {
        let view = world.lucid.dream(&operator, *id).await.unwrap();
        assert_eq!((view.dream.state.as_str(), view.dream.changeset_id.is_some(), view.findings.len()), ("completed", true, 1), "{id}");
    }
    let filter = |action: &str| service::AuditFilter { action: Some(action.to_owned()), ..service::AuditFilter::default() };
    for action in ["dream.start", "dream.end", "changeset.propose"] {
        let entries = world.lucid.audit(&operator, &filter(action)).await.unwrap();
        assert_eq!((entries.rows.len(), entries.more), (30, false), "{action}: once each");
    }
    world.verified().await;
}
