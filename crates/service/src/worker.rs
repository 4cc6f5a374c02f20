//! What runs in the background: jobs, schedules and housekeeping. Any number of processes may do it
//! on one database.

use std::time::Duration;

use domain::ids::DreamId;
use store::jobs::{self, Claimed};

use crate::{Error, Kind, Lucid, Result};

/// How long a job is a worker's without a sign of life.
pub const LEASE_SECONDS: i64 = 30;

impl Lucid {
    /// Fires what is due, then claims one job and works it off. False if there was nothing to do.
    #[tracing::instrument(skip_all)]
    pub async fn work_once(&self, owner: &str) -> Result<bool> {
        self.fire_schedules().await?;
        self.work_until(owner, std::future::pending()).await
    }

    /// Claims one job and works it off, but hands the job back for another worker as soon as `stop`
    /// is done: as if it had not been tried.
    #[tracing::instrument(skip_all)]
    pub async fn work_until(
        &self,
        owner: &str,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<bool> {
        let now = self.now();
        if !jobs::is_due(&mut self.db.read().await?, now).await? {
            return Ok(false);
        }
        let mut tx = self.db.background().await?;
        let claimed = jobs::claim(&mut tx, owner, now, now.plus_seconds(LEASE_SECONDS)).await?;
        tx.commit().await?;
        let Some(job) = claimed else { return Ok(false) };
        let worked = match job.kind.as_str() {
            // Its worker died each time before it could say so.
            _ if job.attempt > job.max_attempts => Err(Error::Internal(
                "it was tried as often as may be, and ended its process each time",
            )),
            "dream" => tokio::select! {
                worked = self.run_dream(&job, owner) => worked,
                () = stop => {
                    let mut tx = self.db.background().await?;
                    jobs::hand_back(&mut tx, &job, owner, self.now()).await?;
                    tx.commit().await?;
                    tracing::info!(job = %job.id, "a job was handed back");
                    return Ok(true);
                }
            },
            _ => Err(Error::Internal(
                "a job of an unknown kind; a newer Lucid wrote it",
            )),
        };
        if let Err(error) = worked {
            tracing::error!(job = %job.id, kind = job.kind, attempt = job.attempt, error = &error as &dyn std::error::Error, "a job failed");
            self.give_back_at_last(&job, owner, &error).await?;
        }
        Ok(true)
    }

    /// Gives a failed job back, also if the database that made it fail comes back only later: else
    /// nobody could try it before its lease has run out.
    async fn give_back_at_last(&self, job: &Claimed, owner: &str, error: &Error) -> Result<()> {
        for _ in 1..LEASE_SECONDS {
            match self.give_back(job, owner, error).await {
                Err(gone) if gone.kind() == Kind::Unavailable => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                done => return done,
            }
        }
        self.give_back(job, owner, error).await
    }

    /// Puts a failed job back to be tried again (after 5, 10, 20 .. seconds), or ends it after its
    /// last try.
    async fn give_back(&self, job: &Claimed, owner: &str, error: &Error) -> Result<()> {
        let mut tx = self.db.background().await?;
        let now = self.now();
        if job.attempt < job.max_attempts {
            let wait = 5_i64.saturating_mul(1 << job.attempt.clamp(1, 6)) / 2;
            jobs::retry(
                &mut tx,
                job,
                owner,
                &error.message(),
                now.plus_seconds(wait),
            )
            .await?;
        } else if jobs::finish(&mut tx, job, owner, Some(&error.message()), now).await?
            && job.kind == "dream"
        {
            self.fail_dream(&mut tx, DreamId(job.subject_id), error)
                .await?;
        }
        Ok(tx.commit().await?)
    }
}
