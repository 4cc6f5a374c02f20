//! The lease of a running job. The worker renews it while it works, so that no other worker starts
//! the same job. A worker that loses the lease stops, and proposes nothing.

use std::time::Duration;

use store::jobs::{self, Claimed};

use crate::{Error, Lucid, Result, worker::LEASE_SECONDS};

/// How often a lease is renewed: well within its length.
const RENEW: Duration = Duration::from_secs(10);
/// Renewals that may fail one after the other while the lease still holds.
const RENEWALS_A_LEASE: u32 = 2;
/// The dream is no longer this worker's, or was canceled at the last moment.
pub const LOST: Error =
    Error::Internal("another worker took this dream over, or it was canceled just now");

impl Lucid {
    /// Renews the lease again and again; ends only when it was lost.
    pub(crate) async fn hold_lease(&self, job: &Claimed, owner: &str) -> Result<()> {
        let mut renewals = Renewals::default();
        loop {
            tokio::time::sleep(RENEW).await;
            if let Some(error) = renewals.after(self.renew_lease(job, owner).await)? {
                tracing::warn!(job = %job.id, error = &error as &dyn std::error::Error, "a lease could not be renewed; it is tried again");
            }
        }
    }

    /// Renews the lease; false if it was lost.
    async fn renew_lease(&self, job: &Claimed, owner: &str) -> Result<bool> {
        let mut tx = self.db.background().await?;
        let held =
            jobs::heartbeat(&mut tx, job, owner, self.now().plus_seconds(LEASE_SECONDS)).await?;
        tx.commit().await?;
        Ok(held)
    }
}

/// How many renewals of a lease failed one after the other.
#[derive(Default)]
struct Renewals {
    failed: u32,
}

impl Renewals {
    /// Counts a renewal: `None` if it worked, the failure if it may be tried again, and an error if
    /// the lease is lost. A lease is as long as three renewals, so a short outage of the database
    /// ends no dream.
    fn after(&mut self, renewed: Result<bool>) -> Result<Option<Error>> {
        match renewed {
            Ok(true) => {
                self.failed = 0;
                Ok(None)
            }
            Ok(false) => Err(LOST),
            Err(error) if self.failed < RENEWALS_A_LEASE => {
                self.failed += 1;
                Ok(Some(error))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_renewed_again_before_a_dream_is_given_up() {
        let gone = || Err(Error::Internal("the database is gone"));
        let mut renewals = Renewals::default();
        for _ in 0..3 {
            assert!(renewals.after(gone()).unwrap().is_some());
            assert!(renewals.after(gone()).unwrap().is_some(), "twice in a row");
            assert!(renewals.after(Ok(true)).unwrap().is_none());
        }
        for _ in 0..RENEWALS_A_LEASE {
            renewals.after(gone()).unwrap();
        }
        assert!(
            renewals.after(gone()).is_err(),
            "the lease has run out by now"
        );
        assert!(
            Renewals::default().after(Ok(false)).is_err(),
            "somebody else has it"
        );
    }
}
