//! Reading memory and its history: what a store holds, since when, why, and who approved it. And the direct write of
//! memories by whoever runs the command line, through the same door as everything.

use domain::{
    actor::{Actor, Need},
    canonical::sha256_hex,
    diff,
    ids::{CommitId, MemoryId, StoreId, VersionId},
    memory::{MemoryPath, check_content},
};
use serde_json::json;
use store::{
    Page, Tx,
    commits::{self, CommitRow, NewCommit, Outcome, Write},
    memories::{self, MemoryRow, VersionRow},
    memory_stores, users,
};

use crate::{Error, Lucid, Record, Result, actor_name, require, trail::name_of};

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
}

/// A memory to be written directly.
#[derive(Debug, Clone)]
pub struct NewMemory {
    /// Where.
    pub path: MemoryPath,
    /// What.
    pub content: String,
    /// Whether a person wrote it.
    pub by_person: bool,
}

impl Lucid {
    /// Every memory of a store by path.
    pub async fn memories(&self, actor: &Actor, store: StoreId) -> Result<Vec<MemoryRow>> {
        require(actor, Need::See, store)?;
        let mut tx = self.db.read().await?;
        Ok(memories::tree(&mut tx, store).await?)
    }

    /// A memory with its history, also after it was deleted.
    pub async fn memory(&self, actor: &Actor, id: MemoryId) -> Result<MemoryView> {
        let mut tx = self.db.read().await?;
        let versions = memories::versions(&mut tx, id).await?;
        let newest = versions.first().filter(|v| actor.may(Need::See, v.store_id)).ok_or(Error::NotFound("memory"))?;
        let (store_id, path) = (newest.store_id, newest.path.clone());
        let said = versions.iter().find_map(|v| v.content_sha256.clone());
        let content = content_of(&mut tx, said.as_deref()).await?;
        let memory = memories::get(&mut tx, id).await?;
        let names = users::all(&mut tx).await?;
        let versions = versions.into_iter().map(|v| version_view(v, &names)).collect();
        Ok(MemoryView { id, store_id, memory, path, content, versions })
    }

    /// Two versions of a memory, by number.
    pub async fn compare(&self, actor: &Actor, id: MemoryId, from: i64, to: i64) -> Result<CompareView> {
        let mut tx = self.db.read().await?;
        let versions = memories::versions(&mut tx, id).await?;
        let store_id = versions.first().map(|v| v.store_id).filter(|&s| actor.may(Need::See, s)).ok_or(Error::NotFound("memory"))?;
        let numbered = |n: i64| versions.iter().find(|v| v.number == n).ok_or(Error::NotFound("version"));
        let (old, new) = (numbered(from)?, numbered(to)?);
        let before = content_of(&mut tx, old.content_sha256.as_deref()).await?;
        let after = content_of(&mut tx, new.content_sha256.as_deref()).await?;
        let side = |v: &VersionRow| (v.number, v.path.clone());
        Ok(CompareView { memory: id, store_id, from: side(old), to: side(new), lines: diff::lines(&before, &after) })
    }

    /// A store's commits before a revision, newest first.
    pub async fn history(&self, actor: &Actor, store: StoreId, before: Option<i64>) -> Result<Page<HistoryRow>> {
        require(actor, Need::See, store)?;
        let mut tx = self.db.read().await?;
        let page = commits::list(&mut tx, store, before.unwrap_or(i64::MAX), domain::limits::PAGE).await?;
        let names = users::all(&mut tx).await?;
        let rows = page.rows.into_iter().map(|commit| HistoryRow { committed_by: name_of(&commit.actor, &names), commit }).collect();
        Ok(Page { rows, more: page.more })
    }

    /// A commit with what it did to each memory.
    pub async fn commit_view(&self, actor: &Actor, id: CommitId) -> Result<CommitView> {
        let mut tx = self.db.read().await?;
        let commit = commits::get(&mut tx, id).await?.filter(|c| actor.may(Need::See, c.store_id)).ok_or(Error::NotFound("commit"))?;
        let names = users::all(&mut tx).await?;
        let mut versions = Vec::new();
        for version in memories::versions_of_commit(&mut tx, id).await? {
            let before = memories::version_numbered(&mut tx, version.memory_id, version.number - 1).await?;
            let before = content_of(&mut tx, before.and_then(|(sha256, _)| sha256).as_deref()).await?;
            let after = content_of(&mut tx, version.content_sha256.as_deref()).await?;
            versions.push((version_view(version, &names), diff::lines(&before, &after)));
        }
        Ok(CommitView { committed_by: name_of(&commit.actor, &names), commit, versions })
    }

    /// Writes memories directly, in one commit: new ones, or other content at their paths. For whoever runs the command line.
    pub async fn write_memories(&self, actor: &Actor, store: StoreId, new: &[NewMemory], message: &str) -> Result<i64> {
        if actor.who.person().is_some() {
            return Err(Error::Forbidden("a person proposes a change; only the command line writes memories directly"));
        }
        let mut tx = self.db.write().await?;
        memory_stores::lock(&mut tx, store).await?;
        let mut writes = Vec::new();
        for memory in new {
            check_content(&memory.content).map_err(|e| Error::Invalid(format!("{}: {e}", memory.path)))?;
            let known = memories::at_path(&mut tx, store, &memory.path).await?;
            let sha256 = sha256_hex(memory.content.as_bytes());
            writes.push(Write {
                memory_id: known.as_ref().map_or_else(|| self.id(MemoryId::new), |m| m.id),
                version_id: self.id(VersionId::new),
                base: known.map(|m| m.version_id),
                to: Outcome::Put { path: memory.path.clone(), sha256, content: memory.content.clone() },
                change_id: None,
                by_person: memory.by_person,
            });
        }
        let id = self.id(CommitId::new);
        let commit = NewCommit {
            id,
            store_id: store,
            at: self.now(),
            actor: actor_name(actor.who),
            message: message.to_owned(),
            changeset_id: None,
            approvals: "[]".to_owned(),
        };
        let revision = commits::write(&mut tx, &commit, &writes).await?;
        let payload = json!({"revision": revision, "memories": writes.len()});
        self.record(
            &mut tx,
            actor,
            Record { action: "memory.write", subject: id.to_string(), store: Some(store), commit: Some(id), payload: &payload },
        )
        .await?;
        tx.commit().await?;
        Ok(revision)
    }
}

async fn content_of(tx: &mut Tx, sha256: Option<&str>) -> Result<String> {
    match sha256 {
        Some(sha256) => Ok(memories::content(tx, sha256).await?.unwrap_or_default()),
        None => Ok(String::new()),
    }
}

fn version_view(version: VersionRow, names: &[users::UserRow]) -> VersionView {
    let approvals: serde_json::Value = serde_json::from_str(&version.approvals).unwrap_or_default();
    let change = version.change_id.map(|id| id.to_string());
    let of_change = approvals.as_array().into_iter().flatten().filter(|a| a["change"].as_str() == change.as_deref() && change.is_some());
    let approved_by =
        of_change.filter_map(|a| a["by"].as_array()).flatten().filter_map(|by| by["name"].as_str().map(str::to_owned)).collect();
    VersionView { committed_by: name_of(&version.actor, names), approved_by, version }
}
