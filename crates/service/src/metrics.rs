//! What there is and what waits, in numbers: for the metrics and for `lucid doctor`. Numbers of the
//! whole installation, no names.

use store::metrics::{self, InstallationCounts};

use crate::{Lucid, Result};

impl Lucid {
    /// How much waits, runs and is there.
    #[tracing::instrument(skip_all)]
    pub async fn installation_counts(&self) -> Result<InstallationCounts> {
        let mut tx = self.db.read().await?;
        Ok(metrics::counts(&mut tx).await?)
    }

    /// The newest migration that the database has, and the newest that this binary knows.
    #[tracing::instrument(skip_all)]
    pub async fn migrations(&self) -> Result<(i64, i64)> {
        let mut tx = self.db.read().await?;
        Ok((
            metrics::newest_migration(&mut tx).await?,
            store::newest_migration(),
        ))
    }
}
