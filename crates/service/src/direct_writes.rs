//! Writing memory past the queue: by agents, where their store's gate lets them, and by whoever
//! runs the command line. Every write is a commit through the same door, with its version and its
//! audit entry. What the gate does not let through becomes a proposal.

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    canonical::sha256_hex,
    ids::{ChangeId, ChangesetId, CommitId, MemoryId, StoreId, VersionId},
    limits,
    memory::{GateMode, MemoryPath, check_content},
    rights::Action,
};
use serde_json::json;
use store::{
    Tx,
    commits::{self, NewCommit, Outcome, Write},
    memories::{self, MemoryRow},
    memory_stores::{self, StoreRow},
};

use crate::{
    Error, Lucid, Record, Result, Stale, authority::Authorized, commit::recorded,
    single_proposals::Proposal,
};

/// A memory to be written directly.
#[derive(Debug, Clone)]
pub struct NewMemory {
    pub path: MemoryPath,
    pub content: String,
    /// True if a person wrote it.
    pub by_person: bool,
}

/// A write that an agent asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemoryWrite {
    Create {
        /// Where; it must be free.
        path: MemoryPath,
        content: String,
    },
    /// Other content, another path, or both; `None` stays as it is.
    Update {
        id: MemoryId,
        path: Option<MemoryPath>,
        content: Option<String>,
        /// Only if this is the hash of what it says now.
        expected_sha256: Option<String>,
    },
    /// It is removed; its versions stay.
    Delete {
        id: MemoryId,
        /// Only if this is the hash of what it says now.
        expected_sha256: Option<String>,
    },
}

impl MemoryWrite {
    /// Returns what it needs the right to.
    const fn action(&self) -> Action {
        match self {
            Self::Create { .. } | Self::Update { .. } => Action::WriteMemory,
            Self::Delete { .. } => Action::DeleteMemory,
        }
    }
}

/// The result of a write.
#[derive(Debug, Clone)]
pub enum Written {
    /// It was written at once.
    Committed {
        /// The memory as it is now; none if it was deleted.
        memory: Option<MemoryRow>,
        id: MemoryId,
    },
    /// It waits for a person.
    Proposed {
        changeset: ChangesetId,
        change: ChangeId,
        /// Why it was not written at once.
        reason: &'static str,
    },
}

/// A write with what is there now.
pub struct Target {
    pub before: Option<MemoryRow>,
    pub path: MemoryPath,
    /// What it will say; none if it goes.
    pub content: Option<String>,
}

impl Lucid {
    /// Writes, proposes or deletes one memory of a store, as its gate says; only under the paths
    /// that the actor was granted.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn write_memory(
        &self,
        actor: &Actor,
        store: StoreId,
        write: &MemoryWrite,
    ) -> Result<Written> {
        let (mut tx, actor) = self.begin(actor).await?;
        if !actor.knows(store) {
            return Err(Error::NotFound("store"));
        }
        if !actor.has_scope(write.action()) {
            return Err(Error::Forbidden(write.action().needs()));
        }
        memory_stores::lock(&mut tx, store).await?;
        let row = memory_stores::get(&mut tx, store)
            .await?
            .ok_or(Error::NotFound("store"))?;
        let target = target(&mut tx, store, write).await?;
        let right = actor.may_on_paths(write.action(), store, &target.paths())?;
        check(&mut tx, store, &target, write).await?;
        let said = target.content.as_deref().map(|c| sha256_hex(c.as_bytes()));
        if let (Some(before), Some(said)) = (&target.before, &said)
            && (&before.path, &before.content_sha256) == (&target.path, said)
        {
            // The same again is no write.
            return Ok(Written::Committed {
                id: before.id,
                memory: target.before,
            });
        }
        if let Some(reason) = gate(&row, target.before.as_ref()) {
            let (changeset, change) = self
                .propose_write(&mut tx, right, &row, &Proposal::by_key(target))
                .await?;
            tx.commit().await?;
            return Ok(Written::Proposed {
                changeset,
                change,
                reason,
            });
        }
        let id = target
            .before
            .as_ref()
            .map_or_else(|| self.id(MemoryId::new), |m| m.id);
        let one = Write {
            memory_id: id,
            version_id: self.id(VersionId::new),
            base: target.before.as_ref().map(|m| m.version_id),
            to: match (&target.content, said) {
                (Some(content), Some(sha256)) => Outcome::Put {
                    path: target.path.clone(),
                    sha256,
                    content: content.clone(),
                },
                _ => Outcome::Delete,
            },
            change_id: None,
            by_person: false,
        };
        let verb = if target.content.is_none() {
            "Delete"
        } else {
            "Write"
        };
        self.commit_writes(
            &mut tx,
            right,
            store,
            &[one],
            &format!("{verb} {}", target.path),
        )
        .await?;
        let memory = memories::get(&mut tx, id).await?;
        tx.commit().await?;
        Ok(Written::Committed { memory, id })
    }

    /// Writes memories directly, in one commit: new ones, or other content at their paths. For
    /// anyone who runs the command line.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn write_memories(
        &self,
        actor: &Actor,
        store: StoreId,
        new: &[NewMemory],
        message: &str,
    ) -> Result<i64> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_on(Action::WriteMemory, store)?;
        if actor.who.is_key() {
            return Err(Error::Forbidden(
                "a key writes one memory at a time, as its store's gate lets it",
            ));
        }
        memory_stores::lock(&mut tx, store).await?;
        let mut writes = Vec::new();
        for memory in new {
            check_content(&memory.content)
                .map_err(|e| Error::Invalid(format!("{}: {e}", memory.path)))?;
            let known = memories::at_path(&mut tx, store, &memory.path).await?;
            let sha256 = sha256_hex(memory.content.as_bytes());
            writes.push(Write {
                memory_id: known
                    .as_ref()
                    .map_or_else(|| self.id(MemoryId::new), |m| m.id),
                version_id: self.id(VersionId::new),
                base: known.map(|m| m.version_id),
                to: Outcome::Put {
                    path: memory.path.clone(),
                    sha256,
                    content: memory.content.clone(),
                },
                change_id: None,
                by_person: memory.by_person,
            });
        }
        let revision = self
            .commit_writes(&mut tx, right, store, &writes, message)
            .await?;
        tx.commit().await?;
        Ok(revision)
    }

    /// The commit of direct writes with its audit entry, the last statement of the transaction that
    /// the caller commits.
    async fn commit_writes(
        &self,
        tx: &mut Tx,
        right: Authorized,
        store: StoreId,
        writes: &[Write],
        message: &str,
    ) -> Result<i64> {
        let id = self.id(CommitId::new);
        let commit = NewCommit {
            id,
            store_id: store,
            at: self.now(),
            actor: right.who().to_string(),
            message: message.to_owned(),
            changeset_id: None,
            approvals: "[]".to_owned(),
        };
        let revision = commits::write(tx, &commit, writes).await?;
        if commits::memory_count(tx, store).await? > limits::MEMORIES_PER_STORE {
            return Err(Error::Invalid(format!(
                "a store holds at most {} memories",
                limits::MEMORIES_PER_STORE
            )));
        }
        self.tell_conflicts(tx, store).await?;
        let versions: Vec<_> = writes.iter().map(recorded).collect();
        let payload = json!({"revision": revision, "memories": writes.len(), "versions": versions});
        let record = Record {
            action: AuditAction::MemoryWrite,
            subject: id.to_string(),
            store: Some(store),
            commit: Some(id),
            payload: &payload,
        };
        self.record(tx, right, record).await?;
        Ok(revision)
    }
}

impl Target {
    /// The paths that the write touches.
    pub fn paths(&self) -> Vec<&str> {
        let before = self.before.as_ref().map(|m| m.path.as_str());
        before.into_iter().chain([self.path.as_str()]).collect()
    }
}

/// Why a key's write has to be proposed; `None` if it may be written at once (rule 11: what a
/// person wrote, froze or approved, a person changes).
fn gate(store: &StoreRow, before: Option<&MemoryRow>) -> Option<&'static str> {
    if store.gate_mode == GateMode::AllGated {
        return Some("every write to this store is proposed");
    }
    match before {
        Some(memory) if memory.frozen => Some("this memory is frozen"),
        Some(memory) if memory.by_person => Some("a person wrote this memory"),
        Some(memory) if memory.approved => Some("people approved what this memory says"),
        _ => None,
    }
}

/// Returns what is there now, and what is to be there.
pub async fn target(tx: &mut Tx, store: StoreId, write: &MemoryWrite) -> Result<Target> {
    let found = |id, memory: Option<MemoryRow>| {
        memory
            .filter(|m: &MemoryRow| m.store_id == store && m.id == id)
            .ok_or(Error::NotFound("memory"))
    };
    let target = match write {
        MemoryWrite::Create { path, content } => Target {
            before: None,
            path: path.clone(),
            content: Some(content.clone()),
        },
        MemoryWrite::Update {
            id, path, content, ..
        } => {
            let memory = found(*id, memories::get(tx, *id).await?)?;
            let content = match content {
                Some(content) => content.clone(),
                None => crate::memory::content_of(tx, Some(&memory.content_sha256)).await?,
            };
            Target {
                path: path.clone().unwrap_or_else(|| memory.path.clone()),
                before: Some(memory),
                content: Some(content),
            }
        }
        MemoryWrite::Delete { id, .. } => {
            let memory = found(*id, memories::get(tx, *id).await?)?;
            Target {
                path: memory.path.clone(),
                before: Some(memory),
                content: None,
            }
        }
    };
    Ok(target)
}

/// Refuses what was written against another content, is no content, or is to be where another
/// memory is. Asked after the right to write there, so that the refusal tells nothing to a person
/// without that right.
pub async fn check(
    tx: &mut Tx,
    store: StoreId,
    target: &Target,
    write: &MemoryWrite,
) -> Result<()> {
    if let (
        Some(before),
        MemoryWrite::Update {
            expected_sha256, ..
        }
        | MemoryWrite::Delete {
            expected_sha256, ..
        },
    ) = (&target.before, write)
    {
        expected(before, expected_sha256.as_deref())?;
    }
    if let Some(content) = &target.content {
        check_content(content).map_err(|e| Error::Invalid(e.to_string()))?;
    }
    let moves = target.before.as_ref().is_none_or(|m| m.path != target.path);
    if moves && memories::at_path(tx, store, &target.path).await?.is_some() {
        return Err(Error::Conflict(format!(
            "there is a memory at {} already; update it by its id",
            target.path
        )));
    }
    Ok(())
}

fn expected(memory: &MemoryRow, sha256: Option<&str>) -> Result<()> {
    match sha256 {
        Some(sha256) if sha256 != memory.content_sha256 => {
            let why = format!("its content_sha256 is {} now", memory.content_sha256);
            Err(Error::Stale(vec![Stale {
                what: memory.path.to_string(),
                why,
            }]))
        }
        _ => Ok(()),
    }
}
