//! The worker's loop in a server process.

use std::time::Duration;

use service::Lucid;
use tokio_util::sync::CancellationToken;

/// How often an idle worker looks for work.
const IDLE: Duration = Duration::from_millis(500);
/// How often expired web sessions are removed.
const HOUSEKEEPING: Duration = Duration::from_mins(10);
/// How often deferrals and changesets are looked at whose time has come.
const KEEP_TIME: Duration = Duration::from_mins(1);

/// A name for a worker that no other has.
pub fn owner_name() -> String {
    let mut bytes = [0; 8];
    crate::clock::system_random()(&mut bytes);
    format!("{}-{}", std::process::id(), hex::encode(bytes))
}

/// How long a job in hand may go on after the worker was told to stop; then it is handed back.
const GRACE: Duration = Duration::from_secs(5);
/// How long a worker waits after it could not reach the database.
const AFTER_ERROR: Duration = Duration::from_secs(2);
/// How often small writes are flushed.
const FLUSH: Duration = Duration::from_secs(10);

/// Flushes small writes until it is told to stop; closing the database flushes the last ones.
pub async fn flush_small_writes(lucid: Lucid, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(FLUSH) => {}
        }
        if let Err(error) = lucid.flush_small_writes().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "small writes were lost");
        }
    }
}

/// Works off jobs and schedules until it is told to stop; a job in hand is finished, or handed back after a few seconds.
pub async fn run(lucid: Lucid, stop: CancellationToken) {
    let owner = owner_name();
    let mut housekeeping = tokio::time::interval(HOUSEKEEPING);
    let mut time = tokio::time::interval(KEEP_TIME);
    while !stop.is_cancelled() {
        let patience = async {
            stop.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        let wait = match lucid.work_until(&owner, patience).await {
            Ok(true) => continue,
            Ok(false) => IDLE,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the worker could not look for work");
                AFTER_ERROR
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(wait) => {}
            _ = time.tick() => {
                if let Err(error) = lucid.keep_time().await {
                    tracing::error!(error = &error as &dyn std::error::Error, "what is due could not be looked at");
                }
            }
            _ = housekeeping.tick() => {
                if let Err(error) = lucid.tidy_sign_ins().await {
                    tracing::error!(error = &error as &dyn std::error::Error, "expired web sessions could not be removed");
                }
            }
        }
    }
}
