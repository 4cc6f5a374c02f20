//! The past of a store: what it held at a revision or a time, two revisions compared, which version
//! put each line of a memory there, and what was brought back. Reading it changes nothing; bringing
//! back is a proposal like any other.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    actor::Actor,
    diff::{self, Mark},
    ids::{ChangesetId, MemoryId, StoreId, VersionId},
    memory::MemoryPath,
    rights::Action,
};
use store::{
    Page, Tx, commits,
    history::{self, PastRow},
    memories::{self, VersionRow},
};

use crate::{
    Error, Lucid, MemoryWrite, Result,
    memory::{VersionView, content_of, version_view},
    names::Names,
    require,
};

/// Memories on a page of what a store held.
const PAGE: i64 = 200;
/// Memories on a page of a comparison, each with its diff.
const COMPARED: i64 = 20;
/// Versions that are read at once to find where lines come from.
const READ: i64 = 50;

/// The contents of a store at a revision.
#[derive(Debug, Clone)]
pub struct AsOf {
    pub revision: i64,
    /// When it was committed; none of the empty beginning.
    pub at: Option<Timestamp>,
    /// A page of its memories, by path.
    pub memories: Page<PastRow>,
}

/// The difference of a memory between two revisions.
#[derive(Debug, Clone)]
pub struct Between {
    pub memory: MemoryId,
    /// Where it was, if it was there.
    pub before: Option<MemoryPath>,
    /// Where it was later, if it was still there.
    pub after: Option<MemoryPath>,
    /// The lines with what became of each.
    pub lines: Vec<diff::Line>,
}

/// A version of a memory with what it said.
#[derive(Debug, Clone)]
pub struct PastVersion {
    pub version: VersionView,
    /// What it said; of one that deleted, what the one before said.
    pub content: String,
}

/// Consecutive lines of a memory that one version put there.
#[derive(Debug, Clone)]
pub struct Blamed {
    pub version: VersionView,
    /// Number of the first line, from 1.
    pub first: usize,
    pub lines: Vec<String>,
}

impl Lucid {
    /// Returns what a store held at a revision, a page of it after a path.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn as_of(
        &self,
        actor: &Actor,
        store: StoreId,
        revision: i64,
        after: Option<&str>,
    ) -> Result<AsOf> {
        require(actor, Action::SeeMemory, store)?;
        let mut tx = self.db.read().await?;
        let at = history::made_at(&mut tx, store, revision).await?;
        if at.is_none() && revision != 0 {
            return Err(Error::NotFound("revision"));
        }
        Ok(AsOf {
            revision,
            at,
            memories: history::as_of(&mut tx, store, revision, after.unwrap_or_default(), PAGE)
                .await?,
        })
    }

    /// The revision that a store had at a time; 0 before its first commit.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn revision_at(&self, actor: &Actor, store: StoreId, at: Timestamp) -> Result<i64> {
        require(actor, Action::SeeMemory, store)?;
        Ok(history::revision_at(&mut self.db.read().await?, store, at).await?)
    }

    /// The memories that two revisions of a store have otherwise, a page of them after a memory.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn compare_revisions(
        &self,
        actor: &Actor,
        store: StoreId,
        (from, to): (i64, i64),
        after: Option<MemoryId>,
    ) -> Result<Page<Between>> {
        require(actor, Action::SeeMemory, store)?;
        let page = history::between(
            &mut self.db.read().await?,
            store,
            (from, to),
            after,
            COMPARED,
        )
        .await?;
        let one = |row: history::BetweenRow| Between {
            memory: row.memory_id,
            before: row.path_before.filter(|_| row.before.is_some()),
            after: row.path_after.filter(|_| row.after.is_some()),
            lines: diff::lines(
                row.before.as_deref().unwrap_or_default(),
                row.after.as_deref().unwrap_or_default(),
            ),
        };
        Ok(Page {
            rows: page.rows.into_iter().map(one).collect(),
            more: page.more,
        })
    }

    /// One version of a memory, by number.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn past_version(
        &self,
        actor: &Actor,
        id: MemoryId,
        number: i64,
    ) -> Result<PastVersion> {
        let mut tx = self.db.read().await?;
        let row = version(&mut tx, actor, id, number).await?;
        let said = match &row.content_sha256 {
            Some(sha256) => Some(sha256.clone()),
            None => memories::version_numbered(&mut tx, id, number - 1)
                .await?
                .and_then(|before| before.content_sha256),
        };
        let content = content_of(&mut tx, said.as_deref()).await?;
        let names = Names::of_actors(&mut tx, [row.actor.as_str()]).await?;
        Ok(PastVersion {
            version: version_view(row, &names),
            content,
        })
    }

    /// Which version put each line of a memory there, as it is now; of a deleted one, as it was
    /// last.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn blame(&self, actor: &Actor, id: MemoryId) -> Result<Vec<Blamed>> {
        let mut tx = self.db.read().await?;
        let newest = memories::versions(&mut tx, id, i64::MAX, 1)
            .await?
            .rows
            .into_iter()
            .next();
        newest
            .filter(|v| actor.may(Action::SeeMemory, v.store_id))
            .ok_or(Error::NotFound("memory"))?;
        let (lines, origins) = origins(&mut tx, id).await?;
        let ids: BTreeSet<VersionId> = origins.iter().copied().collect();
        let rows = memories::versions_in(&mut tx, &ids.into_iter().collect::<Vec<_>>()).await?;
        let versions: BTreeMap<VersionId, VersionRow> =
            rows.into_iter().map(|row| (row.id, row)).collect();
        let names = Names::of_actors(
            &mut tx,
            versions.values().map(|v: &VersionRow| v.actor.as_str()),
        )
        .await?;
        let mut blamed: Vec<Blamed> = Vec::new();
        for (at, (line, origin)) in lines.into_iter().zip(origins).enumerate() {
            match blamed.last_mut() {
                Some(last) if last.version.version.id == origin => last.lines.push(line),
                _ => {
                    let row = versions
                        .get(&origin)
                        .cloned()
                        .ok_or(Error::Internal("a line comes from no version"))?;
                    blamed.push(Blamed {
                        version: version_view(row, &names),
                        first: at + 1,
                        lines: vec![line],
                    });
                }
            }
        }
        Ok(blamed)
    }

    /// Proposes to bring a version of a memory back: its content and path, or the whole memory if
    /// it is gone. Nothing is brought back before the proposal is approved and committed.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn propose_restore(
        &self,
        actor: &Actor,
        id: MemoryId,
        number: i64,
        reason: &str,
    ) -> Result<ChangesetId> {
        let then = self.past_version(actor, id, number).await?;
        if then.version.version.redacted_at.is_some() || then.content == domain::erasure::ERASED {
            return Err(Error::Conflict(format!(
                "the text of version {number} was erased, so it cannot be brought back"
            )));
        }
        let (store, path) = (
            then.version.version.store_id,
            then.version.version.path.clone(),
        );
        let now = memories::get(&mut self.db.read().await?, id).await?;
        let write = match now {
            Some(now) => MemoryWrite::Update {
                id,
                path: Some(path).filter(|path| *path != now.path),
                content: Some(then.content),
                expected_sha256: Some(now.content_sha256),
            },
            None => MemoryWrite::Create {
                path,
                content: then.content,
            },
        };
        let reason = if reason.trim().is_empty() {
            format!("Version {number} is brought back.")
        } else {
            reason.to_owned()
        };
        Ok(self.propose_change(actor, store, &write, &reason).await?.0)
    }

    /// The first commit of a store after a revision, with what it wrote.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn next_commit(
        &self,
        actor: &Actor,
        store: StoreId,
        after: i64,
    ) -> Result<Option<ExportedCommit>> {
        require(actor, Action::SeeMemory, store)?;
        let mut tx = self.db.read().await?;
        let Some(commit) = commits::next(&mut tx, store, after).await? else {
            return Ok(None);
        };
        let written = history::written(&mut tx, store, commit.revision).await?;
        let names = Names::of_actors(&mut tx, [commit.actor.as_str()]).await?;
        let approvals: serde_json::Value =
            serde_json::from_str(&commit.approvals).unwrap_or_default();
        let by = approvals
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|a| a["by"].as_array())
            .flatten();
        let mut approvers: Vec<String> = by
            .filter_map(|b| b["name"].as_str().map(str::to_owned))
            .collect();
        approvers.sort();
        approvers.dedup();
        Ok(Some(ExportedCommit {
            by: names.of(&commit.actor),
            commit,
            approvers,
            written,
        }))
    }
}

/// A commit as it is exported.
#[derive(Debug, Clone)]
pub struct ExportedCommit {
    pub commit: commits::CommitRow,
    pub by: String,
    /// Who approved any of it, by name.
    pub approvers: Vec<String>,
    pub written: Vec<history::CommittedRow>,
}

async fn version(tx: &mut Tx, actor: &Actor, id: MemoryId, number: i64) -> Result<VersionRow> {
    let row = memories::version_whole(tx, id, number).await?;
    row.filter(|v| actor.may(Action::SeeMemory, v.store_id))
        .ok_or(Error::NotFound("version"))
}

/// The lines that a memory has, or had last, and for each the version that put it there: from the
/// newest version back, a line comes from the first one whose predecessor does not have it.
async fn origins(tx: &mut Tx, id: MemoryId) -> Result<(Vec<String>, Vec<VersionId>)> {
    let mut lines: Vec<String> = Vec::new();
    let mut origins: Vec<VersionId> = Vec::new();
    // Lines that may come from further back: their place now, and in the text of the version that
    // is looked at.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut later: Option<(VersionId, String)> = None;
    let mut before = i64::MAX;
    loop {
        let page = history::said(tx, id, before, READ).await?;
        let Some(oldest) = page.last().map(|row| row.number) else {
            break;
        };
        for row in page {
            let Some(content) = row.content else { continue };
            if let Some((version, text)) = &later {
                open = older(&content, text, *version, open, &mut origins);
            } else {
                lines = content.lines().map(str::to_owned).collect();
                origins = vec![row.id; lines.len()];
                open = (0..lines.len()).map(|at| (at, at)).collect();
            }
            later = Some((row.id, content));
            if open.is_empty() {
                return Ok((lines, origins));
            }
        }
        before = oldest;
    }
    if let Some((version, _)) = later {
        for (now, _) in open {
            origins[now] = version;
        }
    }
    Ok((lines, origins))
}

/// Of the lines that are open in a later text, those that an older one has, with their place there;
/// the others come from the later.
fn older(
    old: &str,
    new: &str,
    version: VersionId,
    open: Vec<(usize, usize)>,
    origins: &mut [VersionId],
) -> Vec<(usize, usize)> {
    let same = diff::lines(old, new)
        .into_iter()
        .filter(|line| line.mark == Mark::Same);
    let places: BTreeMap<usize, usize> = same
        .filter_map(|line| Some((line.after? - 1, line.before? - 1)))
        .collect();
    let mut left = Vec::new();
    for (now, there) in open {
        match places.get(&there) {
            Some(&earlier) => left.push((now, earlier)),
            None => origins[now] = version,
        }
    }
    left
}
