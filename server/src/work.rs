//! The loops of a worker: jobs, time and housekeeping, each by itself, so that a long dream keeps
//! nothing else waiting.

use std::time::Duration;

use service::{Lucid, Result};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    checkpoints::{self, Sinks},
    cli::WorkArgs,
};

/// How often an idle loop looks for a job, and for schedules whose tick has come.
const IDLE: Duration = Duration::from_millis(500);
/// How often what has grown is trimmed.
const HOUSEKEEPING: Duration = Duration::from_mins(10);
/// How often deferrals and changesets are looked at whose time has come.
const KEEP_TIME: Duration = Duration::from_mins(1);
/// How often it is looked whether the audit trail was verified today.
const VERIFY: Duration = Duration::from_hours(1);
/// How long a job in hand may go on after the worker was told to stop; then it is handed back.
const GRACE: Duration = Duration::from_secs(5);
/// How long a loop waits after it could not reach the database.
const AFTER_ERROR: Duration = Duration::from_secs(2);
/// How often new documents are indexed; a search indexes those that it would miss.
const INDEX: Duration = Duration::from_secs(5);
/// How often small writes are flushed.
const FLUSH: Duration = Duration::from_secs(10);

/// A name for a worker that no other has.
pub fn owner_name() -> String {
    let mut bytes = [0; 8];
    crate::clock::system_random()(&mut bytes);
    format!("{}-{}", std::process::id(), hex::encode(bytes))
}

/// Flushes small writes until it is told to stop; closing the database flushes the last ones.
pub async fn flush_small_writes(lucid: Lucid, stop: CancellationToken) {
    let flush = |lucid: Lucid| async move { lucid.flush_small_writes().await };
    every(
        FLUSH,
        lucid,
        stop,
        "small writes wait for the database",
        flush,
    )
    .await;
}

/// Works until it is told to stop, with so many jobs at once; jobs in hand are finished, or handed
/// back after a few seconds.
pub async fn run(lucid: Lucid, args: WorkArgs, stop: CancellationToken) {
    let mut loops = JoinSet::new();
    for _ in 0..args.jobs.max(1) {
        loops.spawn(work_off_jobs(lucid.clone(), stop.clone()));
    }
    let fire = |lucid: Lucid| async move { lucid.fire_schedules().await.map(drop) };
    loops.spawn(every(
        IDLE,
        lucid.clone(),
        stop.clone(),
        "schedules could not be looked at",
        fire,
    ));
    let keep_time = |lucid: Lucid| async move { lucid.keep_time().await };
    loops.spawn(every(
        KEEP_TIME,
        lucid.clone(),
        stop.clone(),
        "what is due could not be looked at",
        keep_time,
    ));
    let policies = |lucid: Lucid| async move { lucid.keep_policies().await };
    loops.spawn(every(
        IDLE,
        lucid.clone(),
        stop.clone(),
        "policies could not be asked",
        policies,
    ));
    let verify = |lucid: Lucid| async move { lucid.verify_daily().await };
    loops.spawn(every(
        VERIFY,
        lucid.clone(),
        stop.clone(),
        "the audit trail could not be verified",
        verify,
    ));
    let index = |lucid: Lucid| async move { lucid.index_new_documents(usize::MAX).await.map(drop) };
    loops.spawn(every(
        INDEX,
        lucid.clone(),
        stop.clone(),
        "new documents could not be indexed for search",
        index,
    ));
    loops.spawn(checkpoints::send(
        lucid.clone(),
        Sinks::of(&args),
        stop.clone(),
    ));
    let retain = |lucid: Lucid| async move { lucid.apply_retention().await.map(drop) };
    loops.spawn(every(
        HOUSEKEEPING,
        lucid.clone(),
        stop.clone(),
        "old transcripts could not be erased",
        retain,
    ));
    let destroy = |lucid: Lucid| async move { lucid.destroy_keys().await };
    loops.spawn(every(
        KEEP_TIME,
        lucid.clone(),
        stop.clone(),
        "keys of erased transcripts could not be destroyed",
        destroy,
    ));
    let clean = |lucid: Lucid| async move { lucid.clean_after_erasures().await };
    loops.spawn(every(
        KEEP_TIME,
        lucid.clone(),
        stop.clone(),
        "the database's files could not be written anew after an erasure",
        clean,
    ));
    let seal = |lucid: Lucid| async move { lucid.seal_transcripts().await.map(drop) };
    loops.spawn(every(
        HOUSEKEEPING,
        lucid.clone(),
        stop.clone(),
        "older transcripts could not be sealed",
        seal,
    ));
    let trim = |lucid: Lucid| async move { lucid.trim().await.map(drop) };
    loops.spawn(every(
        HOUSEKEEPING,
        lucid,
        stop,
        "what is of no use any more could not be trimmed",
        trim,
    ));
    while loops.join_next().await.is_some() {}
}

/// Does something at once and then again and again until it is told to stop; a failure is logged,
/// and the next time may be luckier.
async fn every<F>(
    pause: Duration,
    lucid: Lucid,
    stop: CancellationToken,
    failed: &'static str,
    work: impl Fn(Lucid) -> F,
) where
    F: Future<Output = Result<()>>,
{
    loop {
        let wait = match work(lucid.clone()).await {
            Ok(()) => pause,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "{failed}");
                pause.max(AFTER_ERROR)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn work_off_jobs(lucid: Lucid, stop: CancellationToken) {
    let owner = owner_name();
    while !stop.is_cancelled() {
        let patience = async {
            stop.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let wait = match lucid.work_until(&owner, patience).await {
            Ok(true) => continue,
            Ok(false) => IDLE,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the worker could not look for work"
                );
                AFTER_ERROR
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(wait) => {}
        }
    }
}
