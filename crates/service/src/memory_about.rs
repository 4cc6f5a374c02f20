//! What is behind a memory: the change it was learned from with its evidence, proposals that
//! touch it, who reads it, and its place among the other memories of its store.

use std::collections::BTreeSet;

use domain::{
    actor::{Actor, StoreRole},
    ids::{MemoryId, SessionId, StoreId},
    memory::MemoryPath,
    rights::Action,
};
use store::{
    evidence,
    grants::{self, GrantRow},
    memories::{self, OpenChangeRow, OriginRow, TreeRow},
    reads::{self, ReaderRow},
    superseded,
};

use crate::{
    Error, Lucid, Result,
    changesets::{QuoteView, quotes_of},
    memory::end_of,
    names::Names,
    require,
};

/// Quotes that are shown with a memory; the others are with its change.
const QUOTES: usize = 3;
/// Open changes that are named.
const OPEN_CHANGES: i64 = 5;
/// Days of reading that are counted.
pub const READ_DAYS: i64 = 30;
/// Memories in a tree. A larger store shows one folder's.
const TREE: usize = 500;

/// The background of a memory.
#[derive(Debug, Clone)]
pub struct MemoryAbout {
    /// The change that its current version came from; none for a direct write.
    pub learned: Option<Learned>,
    /// Open changes that touch it, at most five.
    pub open: Vec<OpenChangeRow>,
    /// Agents that read it in the last [`READ_DAYS`] days, most often first.
    pub readers: Vec<ReaderRow>,
    pub owners: Vec<String>,
    pub frozen_by: Option<String>,
    /// Of a memory that was removed: what took its place.
    pub superseded_by: Vec<(MemoryId, MemoryPath)>,
}

/// The change that a memory was learned from.
#[derive(Debug, Clone)]
pub struct Learned {
    pub change: OriginRow,
    /// Its first quotes, masked.
    pub quotes: Vec<QuoteView>,
    /// Sessions that are quoted for it.
    pub quoted_sessions: usize,
}

/// The memories of a store, or of one folder of it, by path.
#[derive(Debug, Clone)]
pub struct Tree {
    pub rows: Vec<TreeRow>,
    /// The folder that it is limited to, because the store has more than fits.
    pub folder: Option<String>,
    /// True if even that has more.
    pub more: bool,
}

impl Lucid {
    /// Returns what is behind a memory; of one that is gone, behind its removal.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn memory_about(&self, actor: &Actor, id: MemoryId) -> Result<MemoryAbout> {
        let mut tx = self.db.read().await?;
        let newest = memories::versions(&mut tx, id, i64::MAX, 1)
            .await?
            .rows
            .into_iter()
            .next();
        let newest = newest
            .filter(|v| actor.may(Action::SeeMemory, v.store_id))
            .ok_or(Error::NotFound("memory"))?;
        let sees_changes = actor.may(Action::SeeChanges, newest.store_id);
        let origin = memories::origin(&mut tx, newest.id)
            .await?
            .filter(|_| sees_changes);
        let learned = match origin {
            Some(change) => {
                let rows =
                    evidence::of_changeset(&mut tx, change.changeset_id, Some(change.id)).await?;
                let verified = evidence::verified(&mut tx, change.changeset_id).await?;
                let quoted: BTreeSet<SessionId> = rows
                    .iter()
                    .filter(|q| !q.counter)
                    .map(|q| q.session_id)
                    .collect();
                Some(Learned {
                    quotes: quotes_of(rows, &verified)
                        .into_iter()
                        .take(QUOTES)
                        .collect(),
                    quoted_sessions: quoted.len(),
                    change,
                })
            }
            None => None,
        };
        let open = if sees_changes {
            memories::open_changes(&mut tx, id, OPEN_CHANGES).await?
        } else {
            Vec::new()
        };
        let readers =
            reads::readers(&mut tx, id, self.now().plus_seconds(-READ_DAYS * 86_400)).await?;
        let owns =
            |g: &GrantRow| g.role == StoreRole::Owner && g.path_prefix.holds(newest.path.as_str());
        let mut owners: Vec<String> = grants::of_store(&mut tx, newest.store_id)
            .await?
            .into_iter()
            .filter(owns)
            .map(|g| g.name)
            .collect();
        owners.dedup();
        let frozen_by = match memories::get(&mut tx, id).await?.and_then(|m| m.frozen_by) {
            Some(by) => Some(Names::of_one(&mut tx, &by).await?),
            None => None,
        };
        let superseded_by = superseded::successors(&mut tx, newest.id).await?;
        Ok(MemoryAbout {
            learned,
            open,
            readers,
            owners,
            frozen_by,
            superseded_by,
        })
    }

    /// A store's memories by path; of a store with more than 500, those in the folder of one of
    /// them.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn tree(
        &self,
        actor: &Actor,
        store: StoreId,
        around: Option<&MemoryPath>,
    ) -> Result<Tree> {
        require(actor, Action::SeeMemory, store)?;
        let mut tx = self.db.read().await?;
        let limit = i64::try_from(TREE).unwrap_or(i64::MAX) + 1;
        let mut rows = memories::tree(&mut tx, store, "/", &end_of("/"), limit).await?;
        let mut folder = None;
        if let Some(path) = around.filter(|_| rows.len() > TREE) {
            let inside = path.folder().trim_end_matches('/').to_owned() + "/";
            rows = memories::tree(&mut tx, store, &inside, &end_of(&inside), limit).await?;
            folder = Some(inside);
        }
        let more = rows.len() > TREE;
        rows.truncate(TREE);
        Ok(Tree { rows, folder, more })
    }
}
