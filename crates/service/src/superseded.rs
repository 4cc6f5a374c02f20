//! Memories that others replaced in one change. Their rows are gone from the memory, so that reads
//! and briefings do not have them; their versions are kept, and here they can be asked for.

use std::collections::BTreeMap;

use domain::{
    actor::Actor,
    ids::{MemoryId, SessionId, StoreId},
    memory::MemoryPath,
    rights::Action,
};
use store::superseded::{self, RemovedRow, SupersededRow};

use crate::{Error, Lucid, Result, require};

/// A memory that others replaced, as it was last.
#[derive(Debug, Clone)]
pub struct SupersededMemory {
    pub memory: RemovedRow,
    /// The memories that replaced it, at most 10.
    pub superseded_by: Vec<(MemoryId, MemoryPath)>,
}

impl Lucid {
    /// A memory that others replaced, with its last content. That it was read is recorded, as for
    /// any other.
    #[tracing::instrument(skip_all, fields(%store, %id))]
    pub async fn read_superseded(
        &self,
        actor: &Actor,
        store: StoreId,
        id: MemoryId,
        session: Option<SessionId>,
    ) -> Result<SupersededMemory> {
        require(actor, Action::SeeMemory, store)?;
        let mut tx = self.db.read().await?;
        self.reads_for(&mut tx, actor, session).await?;
        let memory = superseded::removed(&mut tx, id)
            .await?
            .filter(|m| m.row.store_id == store)
            .ok_or(Error::NotFound("memory"))?;
        let superseded_by = superseded::successors(&mut tx, memory.removal).await?;
        if superseded_by.is_empty() {
            return Err(Error::NotFound("memory"));
        }
        self.record_reads(actor, store, session, [memory.row.version_id]);
        Ok(SupersededMemory {
            memory,
            superseded_by,
        })
    }

    /// The memories that these ones replaced, by successor. Those of another store are left out.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn supersedes(
        &self,
        actor: &Actor,
        store: StoreId,
        ids: &[MemoryId],
    ) -> Result<BTreeMap<MemoryId, Vec<SupersededRow>>> {
        require(actor, Action::SeeMemory, store)?;
        let mut tx = self.db.read().await?;
        let mut by_successor: BTreeMap<MemoryId, Vec<SupersededRow>> = BTreeMap::new();
        for row in superseded::superseded_by(&mut tx, ids)
            .await?
            .into_iter()
            .filter(|row| row.store_id == store)
        {
            by_successor.entry(row.successor).or_default().push(row);
        }
        Ok(by_successor)
    }
}
