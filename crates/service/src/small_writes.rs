//! Small writes that nobody waits for: when a key was last used, what an agent read. They are
//! gathered here and written in one transaction at most every ten seconds; the last ones are lost
//! in a crash, and that is accepted.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{Timestamp, ids::KeyId};
use store::{
    keys,
    reads::{self, Read},
};

use crate::{Lucid, Result};

/// Most reads that wait at once; more are dropped and counted, so that a database that is gone
/// cannot fill the memory.
const MOST_READS: usize = 50_000;

/// The writes that wait for the next batch.
#[derive(Clone, Default)]
pub struct SmallWrites(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    keys: BTreeMap<KeyId, Timestamp>,
    reads: Vec<Read>,
    dropped: usize,
}

impl SmallWrites {
    /// Notes that a key was used.
    pub fn key_used(&self, id: KeyId, at: Timestamp) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .keys
            .insert(id, at);
    }

    /// Notes what was read.
    pub fn read(&self, new: impl IntoIterator<Item = Read>) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for read in new {
            if waiting.reads.len() < MOST_READS {
                waiting.reads.push(read);
            } else {
                waiting.dropped += 1;
            }
        }
    }

    /// Puts back what could not be written, before what came since.
    fn put_back(&self, old: Waiting) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, at) in old.keys {
            waiting.keys.entry(key).or_insert(at);
        }
        let since = std::mem::replace(&mut waiting.reads, old.reads);
        let room = MOST_READS.saturating_sub(waiting.reads.len());
        waiting.dropped += since.len().saturating_sub(room);
        waiting.reads.extend(since.into_iter().take(room));
    }

    fn take(&self) -> Waiting {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lucid {
    /// Writes what waits. Called every ten seconds, and before the database is closed.
    #[tracing::instrument(skip_all)]
    pub async fn flush_small_writes(&self) -> Result<()> {
        let waiting = self.small_writes.take();
        if waiting.dropped > 0 {
            tracing::warn!(
                reads = waiting.dropped,
                "recorded reads were dropped: too many waited for the database"
            );
        }
        if waiting.keys.is_empty() && waiting.reads.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.write_small(&waiting).await {
            // What could not be written waits for the next time; a read of what is gone meanwhile
            // must not keep the others.
            self.small_writes.put_back(waiting);
            return Err(error);
        }
        Ok(())
    }

    async fn write_small(&self, waiting: &Waiting) -> Result<()> {
        let mut tx = self.db.background().await?;
        for (&key, &at) in &waiting.keys {
            keys::used(&mut tx, key, at).await?;
        }
        reads::insert(&mut tx, &waiting.reads).await?;
        Ok(tx.commit().await?)
    }
}
