//! The worker's loop in a server process.

use std::time::Duration;

use service::Lucid;
use tokio_util::sync::CancellationToken;

/// How often an idle worker looks for work.
const IDLE: Duration = Duration::from_millis(500);
/// How often expired web sessions are removed.
const HOUSEKEEPING: Duration = Duration::from_mins(10);

/// A name for a worker that no other has.
pub fn owner_name() -> String {
    let mut bytes = [0; 8];
    crate::clock::system_random()(&mut bytes);
    format!("{}-{}", std::process::id(), hex::encode(bytes))
}

/// Works off jobs and schedules until it is told to stop; a job in hand is finished first.
pub async fn run(lucid: Lucid, stop: CancellationToken) {
    let owner = owner_name();
    let mut housekeeping = tokio::time::interval(HOUSEKEEPING);
    while !stop.is_cancelled() {
        let worked = match lucid.work_once(&owner).await {
            Ok(worked) => worked,
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the worker could not look for work");
                false
            }
        };
        if worked {
            continue;
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(IDLE) => {}
            _ = housekeeping.tick() => {
                if let Err(error) = lucid.tidy_sign_ins().await {
                    tracing::error!(error = &error as &dyn std::error::Error, "expired web sessions could not be removed");
                }
            }
        }
    }
}
