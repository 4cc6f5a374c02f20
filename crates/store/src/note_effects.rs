//! How failures went on about which there is a note: counted by each dream over a whole store,
//! shown among the insights.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    ids::{ChangeId, DreamId, MemoryId, SessionId, StoreId},
    memory::MemoryPath,
};
use sqlx::FromRow;

use crate::{Result, Tx, engine::viewer, insights::Seen};

statements! {
    WRITTEN = "SELECT memory_id, MIN(created_at) AS at FROM memory_versions WHERE change_id = $1
        AND operation <> 'deleted'
        GROUP BY memory_id ORDER BY at, memory_id LIMIT 1";
    LOADED = "SELECT DISTINCT r.session_id FROM recorded_reads r JOIN memory_versions v
        ON v.id = r.version_id
        WHERE v.memory_id = $1 AND v.created_at >= $2 AND r.session_id IS NOT NULL";
    BEGAN = "SELECT s.id, COALESCE(s.first_event_at, s.created_at) FROM sessions s
        JOIN dream_sessions p ON p.session_id = s.id
        WHERE p.dream_id = $1";
    // Of a note whose failure no session of the window met, what was counted last stays.
    FORGET = "DELETE FROM note_effects WHERE store_id = $1
        AND NOT EXISTS (SELECT 1 FROM memory_versions v JOIN memories m ON m.version_id = v.id
        WHERE v.change_id = note_effects.change_id)";
    PUT = "INSERT INTO note_effects (change_id, store_id, memory_id, before_used, before_met,
        loaded_used, loaded_met, other_used, other_met)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (change_id) DO UPDATE
        SET before_used = excluded.before_used,
            before_met = excluded.before_met, loaded_used = excluded.loaded_used,
            loaded_met = excluded.loaded_met,
            other_used = excluded.other_used, other_met = excluded.other_met";
    LIST = concat!("SELECT n.change_id, n.memory_id, c.title, m.path, s.name AS store_name,
        n.before_used, n.before_met, n.loaded_used,
            n.loaded_met, n.other_used, n.other_met
        FROM note_effects n JOIN changes c ON c.id = n.change_id JOIN memories m
        ON m.id = n.memory_id JOIN stores s ON s.id = n.store_id
        WHERE ", seen_sql!("n.store_id"), " ORDER BY n.loaded_met DESC, n.before_met DESC,
            n.change_id LIMIT $3");
}

/// Sessions that used a tool, and how many of them met a failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Met {
    pub used: i64,
    pub met: i64,
}

/// How a failure went on that a note is about.
#[derive(Debug, Clone, FromRow)]
pub struct NoteEffect {
    pub change_id: ChangeId,
    pub memory_id: MemoryId,
    /// Of the change that wrote the note.
    pub title: String,
    pub path: MemoryPath,
    pub store_name: String,
    before_used: i64,
    before_met: i64,
    loaded_used: i64,
    loaded_met: i64,
    other_used: i64,
    other_met: i64,
}

impl NoteEffect {
    /// In sessions before the note was written.
    #[must_use]
    pub const fn before(&self) -> Met {
        Met {
            used: self.before_used,
            met: self.before_met,
        }
    }

    /// In sessions that loaded the note.
    #[must_use]
    pub const fn loaded(&self) -> Met {
        Met {
            used: self.loaded_used,
            met: self.loaded_met,
        }
    }

    /// In sessions since then that did not load it.
    #[must_use]
    pub const fn other(&self) -> Met {
        Met {
            used: self.other_used,
            met: self.other_met,
        }
    }
}

/// The memory that a change wrote, and when.
pub async fn written(tx: &mut Tx, change: ChangeId) -> Result<Option<(MemoryId, Timestamp)>> {
    fetch_optional!(tx, (MemoryId, Timestamp), WRITTEN, change)
}

/// The sessions that loaded a memory as it was since a time.
pub async fn loaded(
    tx: &mut Tx,
    memory: MemoryId,
    since: Timestamp,
) -> Result<BTreeSet<SessionId>> {
    Ok(fetch_all!(tx, (SessionId,), LOADED, memory, since)?
        .into_iter()
        .map(|(id,)| id)
        .collect())
}

/// When each session began that a dream reads.
pub async fn began(tx: &mut Tx, dream: DreamId) -> Result<BTreeMap<SessionId, Timestamp>> {
    Ok(fetch_all!(tx, (SessionId, Timestamp), BEGAN, dream)?
        .into_iter()
        .collect())
}

/// Forgets what was counted of notes of a store that are no longer as their change left them.
pub async fn forget(tx: &mut Tx, store: StoreId) -> Result<()> {
    execute!(tx, FORGET, store)?;
    Ok(())
}

/// Keeps what was counted: before the note, with it loaded, and since then without.
pub async fn put(
    tx: &mut Tx,
    (store, change, memory): (StoreId, ChangeId, MemoryId),
    [before, loaded, other]: [Met; 3],
) -> Result<()> {
    execute!(
        tx,
        PUT,
        change,
        store,
        memory,
        before.used,
        before.met,
        loaded.used,
        loaded.met,
        other.used,
        other.met
    )?;
    Ok(())
}

/// Returns what was counted in the stores that somebody sees, the note first that was followed
/// least.
pub async fn list(tx: &mut Tx, seen: Seen, limit: i64) -> Result<Vec<NoteEffect>> {
    fetch_all!(
        tx,
        NoteEffect,
        LIST,
        seen.store,
        viewer(seen.visible),
        limit
    )
}
