//! What the law asks of memory: erasing what is known of an end user, or the text of one version;
//! legal holds, which refuse both; the letter that says what is known; and how long transcripts are
//! kept.

mod erasing;
mod letter;
mod retention;
mod sealing;
mod subject_data;

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    ids::{HoldId, MemoryId, SessionId, StoreId, UserId},
    memory::MemoryPath,
    rights::Action,
};
use serde_json::json;
use store::{
    Tx, erasing as texts,
    erasures::{self, ErasureRow, Held, HoldRow},
    memories, memory_stores,
};

pub use self::{
    erasing::{AskedErasure, Erasure},
    letter::Letter,
    retention::SHORTEST_DAYS,
    sealing::SealingState,
    subject_data::{Keeping, SubjectView},
};
use crate::{
    Error, Lucid, Record, Result,
    independence::Identities,
    names::Names,
    recalls::{actor_of, text},
    require_in_general,
};

/// Erasures and holds that the page lists.
const LISTED: i64 = 100;

/// An erasure as the page shows it.
#[derive(Debug, Clone)]
pub struct ErasureView {
    /// The erasure; the end user's name in it is masked.
    pub row: ErasureRow,
    pub asked_by: String,
    /// Who confirmed or declined it, by name.
    pub decided_by: Option<String>,
    /// Memories that were said to hold nothing of them, while it waits; without those of stores
    /// that the actor may not see.
    pub kept: Vec<String>,
    /// True if the actor may confirm it.
    pub may_confirm: bool,
    /// True if the actor may decline or withdraw it.
    pub may_decline: bool,
}

/// A hold as the page shows it.
#[derive(Debug, Clone)]
pub struct HoldView {
    /// The hold; the end user's name in it is masked.
    pub row: HoldRow,
    pub placed_by: String,
    pub released_by: Option<String>,
}

/// Erasures, holds, and how long transcripts are kept.
#[derive(Debug, Clone)]
pub struct PrivacyView {
    /// Those that wait first, then the newest.
    pub erasures: Vec<ErasureView>,
    /// Those in force first, then the newest.
    pub holds: Vec<HoldView>,
    /// After so many days without an event the text of a session is erased; never if none.
    pub transcript_days: Option<i64>,
    /// True if transcripts are sealed.
    pub sealed: bool,
    /// True if the actor may change any of it.
    pub may_manage: bool,
}

/// The object of a legal hold.
#[derive(Debug, Clone, Copy)]
pub enum HoldOn {
    Store(StoreId),
    Memory(MemoryId),
    /// The end user of a session.
    SubjectOf(SessionId),
}

impl Lucid {
    /// Erasures, legal holds, and how long transcripts are kept.
    #[tracing::instrument(skip_all)]
    pub async fn privacy(&self, actor: &Actor) -> Result<PrivacyView> {
        require_in_general(actor, Action::SeePrivacy)?;
        let mut tx = self.db.read().await?;
        let erasures = erasures::list(&mut tx, LISTED).await?;
        let holds = erasures::holds(&mut tx, LISTED).await?;
        let people = erasures.iter().filter_map(|e| e.decided_by).chain(
            holds
                .iter()
                .flat_map(|h| [Some(h.placed_by), h.released_by])
                .flatten(),
        );
        let actors: Vec<String> = people
            .map(actor_of)
            .chain(erasures.iter().map(|e| e.asked_by.clone()))
            .collect();
        let names = Names::of_actors(&mut tx, actors.iter().map(String::as_str)).await?;
        let name = |user: UserId| names.of(&actor_of(user));
        let may_manage = actor.may_in_general(Action::ManagePrivacy);
        let me = actor.who.person();
        let identities = Identities::read(&mut tx).await?;
        let mut kept = Vec::new();
        for erasure in &erasures {
            kept.push(kept_paths(&mut tx, actor, erasure).await?);
        }
        let erasures = erasures.into_iter().zip(kept).map(|(mut row, kept)| {
            crate::sessions::mask_name(&mut row.subject);
            if !may_manage {
                row.also = None;
            }
            let waits = may_manage && row.state == domain::erasure::ErasureState::Waiting;
            ErasureView {
                asked_by: names.of(&row.asked_by),
                decided_by: row.decided_by.map(name),
                may_confirm: waits
                    && me
                        .zip(erasing::asker(&row))
                        .is_some_and(|(me, asker)| !identities.same(me, asker)),
                kept,
                may_decline: waits,
                row,
            }
        });
        let holds = holds.into_iter().map(|mut row| {
            crate::sessions::mask_name(&mut row.subject);
            if row
                .of_store
                .is_some_and(|store| !actor.may(Action::SeeMemory, store))
            {
                (row.path, row.store_name) = (None, None);
            }
            HoldView {
                placed_by: name(row.placed_by),
                released_by: row.released_by.map(name),
                row,
            }
        });
        let (erasures, holds) = (erasures.collect(), holds.collect());
        Ok(PrivacyView {
            erasures,
            holds,
            transcript_days: retention::transcript_days(&mut tx).await?,
            sealed: self.seals_transcripts(),
            may_manage,
        })
    }

    /// The newest session of an end user, by which pages name them: a name has no place in an
    /// address.
    #[tracing::instrument(skip_all)]
    pub async fn session_of_subject(&self, actor: &Actor, subject: &str) -> Result<SessionId> {
        require_in_general(actor, Action::ManagePrivacy)?;
        let sessions = texts::sessions_of(&mut self.db.read().await?, subject.trim()).await?;
        let missing = || {
            Error::Invalid(
                "no session is of an end user of this name; it is written as the recorder wrote it"
                    .to_owned(),
            )
        };
        sessions.last().copied().ok_or_else(missing)
    }

    /// The memory at a path of a store.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn memory_at(&self, actor: &Actor, store: StoreId, path: &str) -> Result<MemoryId> {
        crate::require(actor, Action::SeeMemory, store)?;
        let path: MemoryPath = path
            .parse()
            .map_err(|_| Error::Invalid(format!("{path} is no path of a memory")))?;
        let memory = memories::at_path(&mut self.db.read().await?, store, &path).await?;
        memory
            .map(|m| m.id)
            .ok_or_else(|| Error::Invalid(format!("there is no memory at {path} in this store")))
    }

    /// Places a legal hold for a reason of 1 to 1,000 characters: nothing of what it is on is
    /// erased until it is released.
    #[tracing::instrument(skip_all)]
    pub async fn place_hold(&self, actor: &Actor, on: HoldOn, reason: &str) -> Result<HoldId> {
        let (mut tx, acting) = self.begin_changing_rights(actor).await?;
        let right = acting.may_in_installation(Action::ManagePrivacy)?;
        let (by, _) = acting.own_account()?;
        let reason = text(reason, "a reason")?;
        let (held, store) = match on {
            HoldOn::Store(id) => {
                memory_stores::get(&mut tx, id)
                    .await?
                    .filter(|_| acting.knows(id))
                    .ok_or(Error::NotFound("store"))?;
                (Held::Store(id), Some(id))
            }
            HoldOn::Memory(id) => {
                let newest = memories::versions(&mut tx, id, i64::MAX, 1)
                    .await?
                    .rows
                    .into_iter()
                    .next();
                let newest = newest
                    .filter(|v| acting.may(Action::SeeMemory, v.store_id))
                    .ok_or(Error::NotFound("memory"))?;
                (Held::Memory(id), Some(newest.store_id))
            }
            HoldOn::SubjectOf(session) => {
                (Held::Subject(subject_of(&mut tx, session).await?), None)
            }
        };
        let id = self.id(HoldId::new);
        erasures::place(&mut tx, id, &held, reason, by, self.now()).await?;
        let payload = match &held {
            Held::Store(id) => json!({"store": id, "reason": reason}),
            Held::Memory(id) => json!({"memory": id, "reason": reason}),
            // Who it is stays out of the trail: their name can be erased once the hold is released.
            Held::Subject(_) => json!({"reason": reason}),
        };
        let record = Record {
            action: AuditAction::HoldPlace,
            subject: id.to_string(),
            store,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Releases a legal hold for a reason of 1 to 1,000 characters.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn release_hold(&self, actor: &Actor, id: HoldId, reason: &str) -> Result<()> {
        let (mut tx, acting) = self.begin(actor).await?;
        let right = acting.may_in_installation(Action::ManagePrivacy)?;
        let (by, _) = acting.own_account()?;
        let reason = text(reason, "a reason")?;
        let hold = erasures::hold(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("hold"))?;
        if hold.released_at.is_some() {
            return Err(Error::Conflict("this hold was released before".to_owned()));
        }
        erasures::release(&mut tx, id, by, self.now(), reason).await?;
        let payload = json!({"reason": reason});
        let record = Record {
            action: AuditAction::HoldRelease,
            subject: id.to_string(),
            store: hold.store_id,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }
}

/// Refuses to erase what a hold is on.
async fn refuse_held(
    tx: &mut Tx,
    subject: Option<&str>,
    stores: &[StoreId],
    memories: &[MemoryId],
) -> Result<()> {
    for hold in erasures::holds_in_force(tx).await? {
        let on_subject = hold.subject.is_some() && hold.subject.as_deref() == subject;
        let on_store =
            hold.memory_id.is_none() && hold.store_id.is_some_and(|id| stores.contains(&id));
        let on_memory = hold.memory_id.is_some_and(|id| memories.contains(&id));
        if on_subject || on_store || on_memory {
            let what = match (&hold.subject, &hold.path) {
                (Some(_), _) => "the end user".to_owned(),
                (None, Some(path)) => path.clone(),
                (None, None) => format!("the store {}", hold.store_name.unwrap_or_default()),
            };
            return Err(Error::Conflict(format!(
                "nothing was erased, because {what} is under a legal hold: {}",
                hold.reason
            )));
        }
    }
    Ok(())
}

/// Returns where the memories are, or were last, that were said to hold nothing of an end user.
async fn kept_paths(tx: &mut Tx, actor: &Actor, row: &ErasureRow) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    if row.state == domain::erasure::ErasureState::Waiting {
        let kept: Vec<(MemoryId, String)> = serde_json::from_str(&row.kept).unwrap_or_default();
        for (id, _) in kept {
            let memory = memories::get(tx, id)
                .await?
                .filter(|m| actor.may(Action::SeeMemory, m.store_id));
            paths.extend(memory.map(|m| m.path.to_string()));
        }
    }
    Ok(paths)
}

/// The end user of a session; refused if it has none.
async fn subject_of(tx: &mut Tx, session: SessionId) -> Result<String> {
    texts::subject_of(tx, session)
        .await?
        .ok_or(Error::NotFound("end user"))
}
