//! Filling the search index. Triggers of the database note each new document; its words are added
//! here.

use store::search;

use crate::{Lucid, Result};

/// Documents that are indexed in one transaction.
const INDEXED_AT_ONCE: i64 = 500;

impl Lucid {
    /// Indexes about `most` new documents. Returns whether more are left.
    #[tracing::instrument(skip_all)]
    pub async fn index_new_documents(&self, most: usize) -> Result<bool> {
        let mut done = 0;
        while search::is_pending(&mut self.db.read().await?).await? {
            if done >= most {
                return Ok(true);
            }
            let mut tx = self.db.background().await?;
            let indexed = search::index(&mut tx, INDEXED_AT_ONCE).await?;
            tx.commit().await?;
            // Another process has the rest in hand.
            if indexed == 0 {
                return Ok(false);
            }
            done += indexed;
        }
        Ok(false)
    }
}
