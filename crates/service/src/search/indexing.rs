//! Filling the index that is searched. What is new is noted by the database itself; here its words are added.

use store::search;

use crate::{Lucid, Result};

/// Documents that are indexed in one transaction.
const INDEXED_AT_ONCE: i64 = 500;

impl Lucid {
    /// Indexes what is new, about so many documents at most; whether there is more.
    pub async fn index_what_is_new(&self, most: usize) -> Result<bool> {
        let mut done = 0;
        while search::is_pending(&mut self.db.read().await?).await? {
            if done >= most {
                return Ok(true);
            }
            let mut tx = self.db.background().await?;
            let indexed = search::index(&mut tx, INDEXED_AT_ONCE).await?;
            tx.commit().await?;
            // What only others could index now is theirs.
            if indexed == 0 {
                return Ok(false);
            }
            done += indexed;
        }
        Ok(false)
    }
}
