//! What there is and what waits, in numbers: for the metrics and for `lucid doctor`. Numbers of the
//! whole installation, no names.

use store::metrics::{self, Figures};

use crate::{Lucid, Result};

impl Lucid {
    /// How much waits, runs and is there.
    pub async fn figures(&self) -> Result<Figures> {
        let mut tx = self.db.read().await?;
        Ok(metrics::now(&mut tx).await?)
    }

    /// The newest migration that the database has, and the newest that this binary knows.
    pub async fn migrations(&self) -> Result<(i64, i64)> {
        let mut tx = self.db.read().await?;
        Ok((
            metrics::newest_migration(&mut tx).await?,
            store::newest_migration(),
        ))
    }
}
