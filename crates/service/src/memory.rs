//! Reading memory and its history: what a store holds, since when, why, and who approved it.

use domain::{
    actor::Actor,
    diff,
    ids::{CommitId, MemoryId, StoreId},
    memory::MemoryPath,
    rights::Action,
};
use store::{
    Page, Tx,
    commits::{self, CommitRow},
    memories::{self, MemoryRow, VersionRow},
    reads::{self, Read, ReadCount},
};

use crate::{Error, Lucid, Result, names::Names, require};

/// A memory with its history.
#[derive(Debug, Clone)]
pub struct MemoryView {
    /// Its id.
    pub id: MemoryId,
    /// Its store.
    pub store_id: StoreId,
    /// The memory; none if it was deleted.
    pub memory: Option<MemoryRow>,
    /// The path that it stands, or last stood, at.
    pub path: MemoryPath,
    /// What it says, or last said.
    pub content: String,
    /// Its versions, newest first.
    pub versions: Vec<VersionView>,
    /// How often agents read its current version.
    pub reads: Option<ReadCount>,
}

/// A version with who committed and who approved it.
#[derive(Debug, Clone)]
pub struct VersionView {
    /// The version.
    pub version: VersionRow,
    /// Who committed, by name.
    pub committed_by: String,
    /// Who approved the change it came from, by name; empty for a direct write.
    pub approved_by: Vec<String>,
}

/// Two versions of a memory side by side.
#[derive(Debug, Clone)]
pub struct CompareView {
    /// The memory.
    pub memory: MemoryId,
    /// Its store.
    pub store_id: StoreId,
    /// Number and path of the older one.
    pub from: (i64, MemoryPath),
    /// Number and path of the newer one.
    pub to: (i64, MemoryPath),
    /// The lines with what became of each.
    pub lines: Vec<diff::Line>,
}

/// A commit in a store's history.
#[derive(Debug, Clone)]
pub struct HistoryRow {
    /// The commit.
    pub commit: CommitRow,
    /// Who committed, by name.
    pub committed_by: String,
    /// One person alone decided in the installation when it was made.
    pub solo: bool,
}

/// A commit with what it did to each memory.
#[derive(Debug, Clone)]
pub struct CommitView {
    /// The commit.
    pub commit: CommitRow,
    /// Who committed, by name.
    pub committed_by: String,
    /// What it wrote: each version, and the lines against the version before.
    pub versions: Vec<(VersionView, Vec<diff::Line>)>,
    /// One person alone decided in the installation when it was made.
    pub solo: bool,
}

/// Which part of a store is listed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Only below this prefix, which ends with `/`.
    pub prefix: String,
    /// Only direct children; what is deeper stands as one prefix.
    pub children_only: bool,
    /// Only after this path or prefix.
    pub after: Option<String>,
    /// At most so many items.
    pub limit: usize,
    /// With their contents.
    pub contents: bool,
}

/// An item of a listing.
#[derive(Debug, Clone)]
pub enum Listed {
    /// A memory, with its content if that was asked for.
    Memory(Box<MemoryRow>, Option<String>),
    /// What is deeper under this path.
    Prefix(String),
}

impl Listed {
    fn place(&self) -> &str {
        match self {
            Self::Memory(memory, _) => memory.path.as_str(),
            Self::Prefix(path) => path,
        }
    }
}

impl Lucid {
    /// A part of a store, by path; and where the next page begins, if there is one.
    pub async fn list_memories(&self, actor: &Actor, store: StoreId, listing: &Listing) -> Result<(Vec<Listed>, Option<String>)> {
        require(actor, Action::SeeMemory, store)?;
        if !listing.prefix.ends_with('/') || !listing.prefix.starts_with('/') {
            return Err(Error::Invalid("a path prefix begins and ends with `/`".to_owned()));
        }
        let mut tx = self.db.read().await?;
        let mut items: Vec<Listed> = Vec::new();
        for memory in memories::tree(&mut tx, store).await? {
            let Some(rest) = memory.path.as_str().strip_prefix(&listing.prefix) else { continue };
            let item = match rest.split_once('/').filter(|_| listing.children_only) {
                Some((child, _)) => Listed::Prefix(format!("{}{child}/", listing.prefix)),
                None => Listed::Memory(Box::new(memory), None),
            };
            let again = items.last().is_some_and(|last| matches!(last, Listed::Prefix(_)) && last.place() == item.place());
            if !again && listing.after.as_deref().is_none_or(|after| item.place() > after) {
                items.push(item);
            }
        }
        items.sort_by(|a, b| a.place().cmp(b.place()));
        let next = (items.len() > listing.limit).then(|| items[listing.limit - 1].place().to_owned());
        items.truncate(listing.limit);
        if listing.contents {
            for item in &mut items {
                if let Listed::Memory(memory, content) = item {
                    *content = Some(content_of(&mut tx, Some(&memory.content_sha256)).await?);
                }
            }
        }
        Ok((items, next))
    }

    /// A memory as it stands now, with its content. That it was read is recorded.
    pub async fn read_memory(&self, actor: &Actor, store: StoreId, id: MemoryId) -> Result<(MemoryRow, String)> {
        require(actor, Action::SeeMemory, store)?;
        let mut tx = self.db.read().await?;
        let memory = memories::get(&mut tx, id).await?.filter(|m| m.store_id == store).ok_or(Error::NotFound("memory"))?;
        let content = content_of(&mut tx, Some(&memory.content_sha256)).await?;
        self.small_writes.read([Read { store, version: memory.version_id, session: None, at: self.now() }]);
        Ok((memory, content))
    }

    /// A memory as it stands now, for a person who is about to propose another content. An agent has not read it thereby.
    pub async fn read_for_edit(&self, actor: &Actor, id: MemoryId) -> Result<(MemoryRow, String)> {
        let mut tx = self.db.read().await?;
        let memory = memories::get(&mut tx, id).await?.filter(|m| actor.may(Action::SeeMemory, m.store_id));
        let memory = memory.ok_or(Error::NotFound("memory"))?;
        let content = content_of(&mut tx, Some(&memory.content_sha256)).await?;
        Ok((memory, content))
    }

    /// Every memory of a store by path.
    pub async fn memories(&self, actor: &Actor, store: StoreId) -> Result<Vec<MemoryRow>> {
        require(actor, Action::SeeMemory, store)?;
        let mut tx = self.db.read().await?;
        Ok(memories::tree(&mut tx, store).await?)
    }

    /// A memory with its history, also after it was deleted.
    pub async fn memory(&self, actor: &Actor, id: MemoryId) -> Result<MemoryView> {
        let mut tx = self.db.read().await?;
        let versions = memories::versions(&mut tx, id).await?;
        let newest = versions.first().filter(|v| actor.may(Action::SeeMemory, v.store_id)).ok_or(Error::NotFound("memory"))?;
        let (store_id, path) = (newest.store_id, newest.path.clone());
        let said = versions.iter().find_map(|v| v.content_sha256.clone());
        let content = content_of(&mut tx, said.as_deref()).await?;
        let memory = memories::get(&mut tx, id).await?;
        let reads = match &memory {
            Some(memory) => Some(reads::of_version(&mut tx, memory.version_id).await?),
            None => None,
        };
        let names = Names::all(&mut tx).await?;
        let versions = versions.into_iter().map(|v| version_view(v, &names)).collect();
        Ok(MemoryView { id, store_id, memory, path, content, versions, reads })
    }

    /// Two versions of a memory, by number.
    pub async fn compare(&self, actor: &Actor, id: MemoryId, from: i64, to: i64) -> Result<CompareView> {
        let mut tx = self.db.read().await?;
        let versions = memories::versions(&mut tx, id).await?;
        let store_id =
            versions.first().map(|v| v.store_id).filter(|&s| actor.may(Action::SeeMemory, s)).ok_or(Error::NotFound("memory"))?;
        let numbered = |n: i64| versions.iter().find(|v| v.number == n).ok_or(Error::NotFound("version"));
        let (old, new) = (numbered(from)?, numbered(to)?);
        let before = content_of(&mut tx, old.content_sha256.as_deref()).await?;
        let after = content_of(&mut tx, new.content_sha256.as_deref()).await?;
        let side = |v: &VersionRow| (v.number, v.path.clone());
        Ok(CompareView { memory: id, store_id, from: side(old), to: side(new), lines: diff::lines(&before, &after) })
    }

    /// A store's commits before a revision, newest first.
    pub async fn history(&self, actor: &Actor, store: StoreId, before: Option<i64>) -> Result<Page<HistoryRow>> {
        require(actor, Action::SeeMemory, store)?;
        let mut tx = self.db.read().await?;
        let page = commits::list(&mut tx, store, before.unwrap_or(i64::MAX), domain::limits::PAGE).await?;
        let names = Names::all(&mut tx).await?;
        let rows = page
            .rows
            .into_iter()
            .map(|commit| HistoryRow { committed_by: names.of(&commit.actor), solo: in_solo_mode(&commit.approvals), commit })
            .collect();
        Ok(Page { rows, more: page.more })
    }

    /// A commit with what it did to each memory.
    pub async fn commit_view(&self, actor: &Actor, id: CommitId) -> Result<CommitView> {
        let mut tx = self.db.read().await?;
        let commit =
            commits::get(&mut tx, id).await?.filter(|c| actor.may(Action::SeeMemory, c.store_id)).ok_or(Error::NotFound("commit"))?;
        let names = Names::all(&mut tx).await?;
        let mut versions = Vec::new();
        for version in memories::versions_of_commit(&mut tx, id).await? {
            let before = memories::version_numbered(&mut tx, version.memory_id, version.number - 1).await?;
            let before = content_of(&mut tx, before.and_then(|b| b.content_sha256).as_deref()).await?;
            let after = content_of(&mut tx, version.content_sha256.as_deref()).await?;
            versions.push((version_view(version, &names), diff::lines(&before, &after)));
        }
        Ok(CommitView { committed_by: names.of(&commit.actor), solo: in_solo_mode(&commit.approvals), commit, versions })
    }
}

pub async fn content_of(tx: &mut Tx, sha256: Option<&str>) -> Result<String> {
    match sha256 {
        Some(sha256) => Ok(memories::content(tx, sha256).await?.unwrap_or_default()),
        None => Ok(String::new()),
    }
}

/// An approver as a commit names them, with what they signed.
fn approver(by: &serde_json::Value) -> Option<String> {
    let name = by["name"].as_str()?;
    Some(by["signed"]["meaning"].as_str().map_or_else(|| name.to_owned(), |meaning| format!("{name} (signed “{meaning}”)")))
}

/// Whether one person alone decided when something was committed.
fn in_solo_mode(approvals: &str) -> bool {
    let approvals: serde_json::Value = serde_json::from_str(approvals).unwrap_or_default();
    approvals.as_array().into_iter().flatten().any(|a| a["solo"] == true)
}

fn version_view(version: VersionRow, names: &Names) -> VersionView {
    let approvals: serde_json::Value = serde_json::from_str(&version.approvals).unwrap_or_default();
    let change = version.change_id.map(|id| id.to_string());
    let of_change = approvals.as_array().into_iter().flatten().filter(|a| a["change"].as_str() == change.as_deref() && change.is_some());
    let approved_by = of_change.filter_map(|a| a["by"].as_array()).flatten().filter_map(approver).collect();
    VersionView { committed_by: names.of(&version.actor), approved_by, version }
}
