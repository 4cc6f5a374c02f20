//! Reading memory and its history: what a store holds, since when, why, and who approved it.

use std::collections::BTreeMap;

use domain::{
    actor::{Actor, Who},
    diff,
    ids::{ChangeId, CommitId, MemoryId, SessionId, StoreId, VersionId},
    memory::MemoryPath,
    rights::Action,
};
use store::{
    Page, Tx,
    commits::{self, CommitFilter, CommitRow},
    memories::{self, MemoryRow, VersionRow, WrittenRow},
    reads::{self, Read, ReadCount},
};

use crate::{Error, Lucid, Result, names::Names, require};

/// A memory with its history.
#[derive(Debug, Clone)]
pub struct MemoryView {
    pub id: MemoryId,
    pub store_id: StoreId,
    /// The memory; none if it was deleted.
    pub memory: Option<MemoryRow>,
    /// The path that it stands, or last stood, at.
    pub path: MemoryPath,
    pub content: String,
    /// The number of its newest version.
    pub newest: i64,
    /// A page of its versions, newest first.
    pub versions: Vec<VersionView>,
    /// True if there are older ones.
    pub more: bool,
    /// How often agents read its current version.
    pub reads: Option<ReadCount>,
}

/// A version with who committed and who approved it.
#[derive(Debug, Clone)]
pub struct VersionView {
    pub version: VersionRow,
    pub committed_by: String,
    /// Who approved the change it came from, by name; empty for a direct write.
    pub approved_by: Vec<String>,
}

/// Two versions of a memory side by side.
#[derive(Debug, Clone)]
pub struct CompareView {
    pub memory: MemoryId,
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
    pub commit: CommitRow,
    pub committed_by: String,
    /// One person alone decided in the installation when it was made.
    pub solo: bool,
}

/// A commit with what it did to each memory.
#[derive(Debug, Clone)]
pub struct CommitView {
    pub commit: CommitRow,
    pub committed_by: String,
    /// What it wrote: each version, and the lines against the version before.
    pub versions: Vec<(VersionView, Vec<diff::Line>)>,
    /// True if it wrote more than these.
    pub more: bool,
    /// How many changes it is of; none of a direct write.
    pub changes: i64,
    /// One person alone decided in the installation when it was made.
    pub solo: bool,
}

/// Which part of a store is listed.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Only below this prefix, which ends with `/`.
    pub prefix: String,
    /// Only direct children; what is deeper is as one prefix.
    pub children_only: bool,
    /// Only after this path or prefix.
    pub after: Option<String>,
    /// At most so many items.
    pub limit: usize,
    pub contents: bool,
    /// The session that contents are read for.
    pub session: Option<SessionId>,
}

/// An item of a listing.
#[derive(Debug, Clone)]
pub enum Listed {
    /// A memory, with its content if that was asked for.
    Memory(Box<MemoryRow>, Option<String>),
    Prefix(String),
}

impl Listed {
    fn place(&self) -> &str {
        match self {
            Self::Memory(memory, _) => memory.path.as_str(),
            Self::Prefix(path) => path,
        }
    }

    /// The id of a memory; none for a prefix.
    #[must_use]
    pub fn memory_id(&self) -> Option<MemoryId> {
        match self {
            Self::Memory(memory, _) => Some(memory.id),
            Self::Prefix(_) => None,
        }
    }

    fn sha256(&self) -> Option<&str> {
        match self {
            Self::Memory(memory, _) => Some(&memory.content_sha256),
            Self::Prefix(_) => None,
        }
    }
}

impl Lucid {
    /// A part of a store, by path; and where the next page begins, if there is one.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn list_memories(
        &self,
        actor: &Actor,
        store: StoreId,
        listing: &Listing,
    ) -> Result<(Vec<Listed>, Option<String>)> {
        require(actor, Action::SeeMemory, store)?;
        if !listing.prefix.ends_with('/') || !listing.prefix.starts_with('/') {
            return Err(Error::Invalid(
                "a path prefix begins and ends with `/`".to_owned(),
            ));
        }
        let mut tx = self.db.read().await?;
        let (mut items, more) = page_of(&mut tx, store, listing).await?;
        items.truncate(listing.limit);
        let next = items
            .last()
            .filter(|_| more)
            .map(|last| last.place().to_owned());
        if listing.contents {
            add_contents(&mut tx, &mut items).await?;
            self.reads_for(&mut tx, actor, listing.session).await?;
            let versions = items.iter().filter_map(|item| match item {
                Listed::Memory(memory, _) => Some(memory.version_id),
                Listed::Prefix(_) => None,
            });
            self.record_reads(actor, store, listing.session, versions);
        }
        Ok((items, next))
    }

    /// Records that an agent read versions of a store's memories, and the session that it read them
    /// for. A person who looks at a memory is no agent that has read it.
    pub(crate) fn record_reads(
        &self,
        actor: &Actor,
        store: StoreId,
        session: Option<SessionId>,
        versions: impl IntoIterator<Item = VersionId>,
    ) {
        if matches!(actor.who, Who::Person(_)) {
            return;
        }
        let (at, reader) = (self.now(), actor.who.to_string());
        self.small_writes
            .read(versions.into_iter().map(|version| Read {
                store,
                version,
                session,
                at,
                reader: reader.clone(),
            }));
    }

    /// Refuses to record reads for a session that the actor neither sees nor recorded.
    pub(crate) async fn reads_for(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        session: Option<SessionId>,
    ) -> Result<()> {
        if let Some(session) = session {
            self.recorded_session(tx, actor, session, Action::SeeMemory)
                .await?;
        }
        Ok(())
    }

    /// A memory as it is now, with its content. That it was read is recorded, with the session that
    /// it is for.
    #[tracing::instrument(skip_all, fields(%store, %id))]
    pub async fn read_memory(
        &self,
        actor: &Actor,
        store: StoreId,
        id: MemoryId,
        session: Option<SessionId>,
    ) -> Result<(MemoryRow, String)> {
        require(actor, Action::SeeMemory, store)?;
        let mut tx = self.db.read().await?;
        self.reads_for(&mut tx, actor, session).await?;
        let memory = memories::get(&mut tx, id)
            .await?
            .filter(|m| m.store_id == store)
            .ok_or(Error::NotFound("memory"))?;
        let content = content_of(&mut tx, Some(&memory.content_sha256)).await?;
        self.record_reads(actor, store, session, [memory.version_id]);
        Ok((memory, content))
    }

    /// A memory as it is now, for a person who is about to propose another content. An agent
    /// has not read it thereby.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn read_for_edit(&self, actor: &Actor, id: MemoryId) -> Result<(MemoryRow, String)> {
        let mut tx = self.db.read().await?;
        let memory = memories::get(&mut tx, id)
            .await?
            .filter(|m| actor.may(Action::SeeMemory, m.store_id));
        let memory = memory.ok_or(Error::NotFound("memory"))?;
        let content = content_of(&mut tx, Some(&memory.content_sha256)).await?;
        Ok((memory, content))
    }

    /// A page of a store's memories by path, after a path.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn memories(
        &self,
        actor: &Actor,
        store: StoreId,
        after: Option<&str>,
    ) -> Result<Page<MemoryRow>> {
        require(actor, Action::SeeMemory, store)?;
        let mut tx = self.db.read().await?;
        let from = after.map_or_else(|| "/".to_owned(), right_after);
        let mut rows =
            memories::range(&mut tx, store, &from, &end_of("/"), MEMORIES_PAGE + 1).await?;
        let limit = usize::try_from(MEMORIES_PAGE).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(Page { rows, more })
    }

    /// A memory with a page of its history before a version's number, also after it was deleted.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn memory(
        &self,
        actor: &Actor,
        id: MemoryId,
        before: Option<i64>,
    ) -> Result<MemoryView> {
        let mut tx = self.db.read().await?;
        let newest = memories::versions(&mut tx, id, i64::MAX, 1)
            .await?
            .rows
            .into_iter()
            .next();
        let newest = newest
            .filter(|v| actor.may(Action::SeeMemory, v.store_id))
            .ok_or(Error::NotFound("memory"))?;
        let versions = memories::versions(
            &mut tx,
            id,
            before.unwrap_or(i64::MAX),
            domain::limits::PAGE,
        )
        .await?;
        let said = memories::last_said(&mut tx, id).await?;
        let content = content_of(&mut tx, said.as_deref()).await?;
        let memory = memories::get(&mut tx, id).await?;
        let reads = match &memory {
            Some(memory) => Some(reads::of_version(&mut tx, memory.version_id).await?),
            None => None,
        };
        let names =
            Names::of_actors(&mut tx, versions.rows.iter().map(|v| v.actor.as_str())).await?;
        let more = versions.more;
        let versions = versions
            .rows
            .into_iter()
            .map(|v| version_view(v, &names))
            .collect();
        Ok(MemoryView {
            id,
            store_id: newest.store_id,
            path: newest.path,
            newest: newest.number,
            memory,
            content,
            versions,
            more,
            reads,
        })
    }

    /// Two versions of a memory, by number.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn compare(
        &self,
        actor: &Actor,
        id: MemoryId,
        from: i64,
        to: i64,
    ) -> Result<CompareView> {
        let mut tx = self.db.read().await?;
        let newest = memories::versions(&mut tx, id, i64::MAX, 1)
            .await?
            .rows
            .into_iter()
            .next();
        let store_id = newest
            .map(|v| v.store_id)
            .filter(|&s| actor.may(Action::SeeMemory, s))
            .ok_or(Error::NotFound("memory"))?;
        let old = memories::version_numbered(&mut tx, id, from)
            .await?
            .ok_or(Error::NotFound("version"))?;
        let new = memories::version_numbered(&mut tx, id, to)
            .await?
            .ok_or(Error::NotFound("version"))?;
        let before = content_of(&mut tx, old.content_sha256.as_deref()).await?;
        let after = content_of(&mut tx, new.content_sha256.as_deref()).await?;
        let lines = diff::lines(&before, &after);
        Ok(CompareView {
            memory: id,
            store_id,
            from: (from, old.path),
            to: (to, new.path),
            lines,
        })
    }

    /// A store's commits before a revision, newest first.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn history(
        &self,
        actor: &Actor,
        store: StoreId,
        before: Option<i64>,
    ) -> Result<Page<HistoryRow>> {
        self.history_where(
            actor,
            store,
            &CommitFilter {
                before,
                ..CommitFilter::default()
            },
        )
        .await
    }

    /// The commits of a store that fit a filter, newest first.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn history_where(
        &self,
        actor: &Actor,
        store: StoreId,
        filter: &CommitFilter,
    ) -> Result<Page<HistoryRow>> {
        require(actor, Action::SeeMemory, store)?;
        let mut tx = self.db.read().await?;
        let page = commits::list(&mut tx, store, filter, domain::limits::PAGE).await?;
        let names = Names::of_actors(&mut tx, page.rows.iter().map(|c| c.actor.as_str())).await?;
        let rows = page
            .rows
            .into_iter()
            .map(|commit| HistoryRow {
                committed_by: names.of(&commit.actor),
                solo: in_solo_mode(&commit.approvals),
                commit,
            })
            .collect();
        Ok(Page {
            rows,
            more: page.more,
        })
    }

    /// A commit with a page of what it did to each memory, after a version.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn commit_view(
        &self,
        actor: &Actor,
        id: CommitId,
        after: Option<VersionId>,
    ) -> Result<CommitView> {
        let mut tx = self.db.read().await?;
        let commit = commits::get(&mut tx, id)
            .await?
            .filter(|c| actor.may(Action::SeeMemory, c.store_id))
            .ok_or(Error::NotFound("commit"))?;
        let names = Names::of_actors(&mut tx, [commit.actor.as_str()]).await?;
        let page = memories::written_by_commit(&mut tx, id, after, COMMIT_PAGE).await?;
        let written = |row: WrittenRow| {
            let lines = diff::lines(
                &row.content_before.unwrap_or_default(),
                &row.content_after.unwrap_or_default(),
            );
            (version_view(row.version, &names), lines)
        };
        let versions = page.rows.into_iter().map(written).collect();
        let solo = in_solo_mode(&commit.approvals);
        let changes = commits::changes(&mut tx, id).await?;
        Ok(CommitView {
            committed_by: names.of(&commit.actor),
            solo,
            commit,
            versions,
            more: page.more,
            changes,
        })
    }
}

/// Memories on a page of a store.
const MEMORIES_PAGE: i64 = 200;
/// Versions on a page of a commit, each with its diff.
const COMMIT_PAGE: i64 = 20;
/// Memories that are read together where most of them are under few prefixes.
const A_STRETCH: i64 = 1_000;

/// The least text after a path, and before everything that is after it: paths have no control
/// characters.
fn right_after(path: &str) -> String {
    format!("{path}\u{1}")
}

/// The least text after everything under a prefix: `0` comes right after `/`.
pub fn end_of(prefix: &str) -> String {
    format!("{}0", prefix.strip_suffix('/').unwrap_or(prefix))
}

/// The items of a listing in order, and whether there are more than were asked for. Reads what
/// is under a prefix only as far as it must: once the prefix is listed, reading goes on after
/// it.
async fn page_of(tx: &mut Tx, store: StoreId, listing: &Listing) -> Result<(Vec<Listed>, bool)> {
    let end = end_of(&listing.prefix);
    let mut from = match listing.after.as_deref() {
        Some(after) if after.ends_with('/') => end_of(after).max(listing.prefix.clone()),
        Some(after) => right_after(after).max(listing.prefix.clone()),
        None => listing.prefix.clone(),
    };
    let mut limit = i64::try_from(listing.limit).unwrap_or(A_STRETCH) + 1;
    let mut items: Vec<Listed> = Vec::new();
    loop {
        let rows = memories::range(tx, store, &from, &end, limit).await?;
        let is_last = rows.len() < usize::try_from(limit).unwrap_or(0);
        for memory in rows {
            let child = memory
                .path
                .as_str()
                .strip_prefix(&listing.prefix)
                .and_then(|rest| rest.split_once('/'));
            if let Some((child, _)) = child.filter(|_| listing.children_only) {
                let prefix = format!("{}{child}/", listing.prefix);
                from = end_of(&prefix);
                if items.last().is_none_or(|last| last.place() != prefix) {
                    items.push(Listed::Prefix(prefix));
                }
            } else {
                from = right_after(memory.path.as_str());
                items.push(Listed::Memory(Box::new(memory), None));
            }
            if items.len() > listing.limit {
                return Ok((items, true));
            }
        }
        if is_last {
            return Ok((items, false));
        }
        limit = A_STRETCH;
    }
}

/// Adds to each memory of a listing what it says.
async fn add_contents(tx: &mut Tx, items: &mut [Listed]) -> Result<()> {
    let hashes: Vec<&str> = items.iter().filter_map(Listed::sha256).collect();
    let contents: BTreeMap<String, String> =
        memories::contents(tx, &hashes).await?.into_iter().collect();
    for item in items {
        if let Listed::Memory(memory, content) = item {
            *content = contents.get(&memory.content_sha256).cloned();
        }
    }
    Ok(())
}

/// The content with this hash; empty if there is none, or it was erased.
pub async fn content_of(tx: &mut Tx, sha256: Option<&str>) -> Result<String> {
    match sha256 {
        Some(sha256) => Ok(memories::content(tx, sha256).await?.unwrap_or_default()),
        None => Ok(String::new()),
    }
}

/// An approver as a commit names them, with what they signed.
fn approver(by: &serde_json::Value) -> Option<String> {
    let name = by["name"].as_str()?;
    Some(by["signed"]["meaning"].as_str().map_or_else(
        || name.to_owned(),
        |meaning| format!("{name} (signed “{meaning}”)"),
    ))
}

/// True if one person alone decided when something was committed.
fn in_solo_mode(approvals: &str) -> bool {
    let approvals: serde_json::Value = serde_json::from_str(approvals).unwrap_or_default();
    approvals
        .as_array()
        .into_iter()
        .flatten()
        .any(|a| a["solo"] == true)
}

/// A version with the names of who committed and approved it.
pub fn version_view(version: VersionRow, names: &Names) -> VersionView {
    VersionView {
        committed_by: names.of(&version.actor),
        approved_by: approvers(&version.approvals, version.change_id),
        version,
    }
}

/// Returns who approved a change, by name, as its commit recorded it.
pub fn approvers(approvals: &str, change: Option<ChangeId>) -> Vec<String> {
    let Some(change) = change.map(|id| id.to_string()) else {
        return Vec::new();
    };
    let approvals: serde_json::Value = serde_json::from_str(approvals).unwrap_or_default();
    let of_change = approvals
        .as_array()
        .into_iter()
        .flatten()
        .filter(|a| a["change"].as_str() == Some(&change));
    of_change
        .filter_map(|a| a["by"].as_array())
        .flatten()
        .filter_map(approver)
        .collect()
}
