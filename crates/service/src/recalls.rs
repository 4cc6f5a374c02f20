//! Recalls. Memory that turned out wrong was loaded by sessions before it was corrected: a recall
//! lists each of them, with its agent, its end and its owner, until a person has said of each what
//! was done about it. Opening, every mark and closing are in the trail.

use std::collections::BTreeSet;

use domain::{
    Timestamp,
    actor::Actor,
    audit_action::AuditAction,
    ids::{MemoryId, RecallId, StoreId, UserId},
    memory::{MemoryPath, Operation},
    recall::{LONGEST_TEXT, RecallMark},
    rights::Action,
};
use serde_json::json;
use store::{
    Tx,
    memories::{self, VersionRow},
    memory_stores,
    recalls::{
        self, LoadedCounts, LoadedRow, NewMark, NewRecall, RecallNotice, RecallRow, Recalled,
    },
};

use crate::{
    Error, Lucid, Record, Result,
    authority::{Acting, Authorized},
    keys::answer_for,
    names::Names,
    notices::reader,
    sessions::mask_name,
};

/// Rows that a page shows.
const SHOWN: i64 = 200;
/// Rows that are marked at once, exported, or named by the entry of a closed recall.
const MOST: i64 = 100_000;
/// Recalls that the inbox shows.
const TOLD: i64 = 100;
/// Seconds for which the inbox still shows a recall that was read: thirty days.
const TOLD_SECONDS: i64 = 30 * 86_400;
/// Recalls that a page lists.
const LISTED: i64 = 200;

/// A session that loaded wrong memory, or a reader who did so outside of sessions.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The session and its marks; names in it are masked.
    pub row: LoadedRow,
    /// What names it: the session's id, or the reader.
    pub loaded_by: String,
    /// Who recorded the session, or read outside of one, by name.
    pub owner: String,
    pub marked_by: Option<String>,
}

/// The item of a recall that is marked.
#[derive(Debug, Clone, Copy)]
pub enum Marked<'a> {
    /// All that have no mark yet.
    Left,
    /// One that has no mark yet.
    One(&'a str),
    /// One, whether it has a mark or not.
    Again(&'a str),
}

/// The sessions and agents that loaded some versions of a memory.
#[derive(Debug, Clone)]
pub struct Loads {
    pub memory: MemoryId,
    pub store_id: StoreId,
    /// Where the last of the versions was.
    pub path: MemoryPath,
    /// Numbers of the first and the last version.
    pub versions: (i64, i64),
    /// Revision and time of the commit that wrote the first of them.
    pub from: (i64, Timestamp),
    /// What the last of them did: of one that removed the memory there is nothing to load.
    pub last: Operation,
    /// Revision and time of the commit that ended the last of them, and what it did; none while it
    /// is the newest.
    pub until: Option<(i64, Timestamp, Operation)>,
    /// How many loaded them.
    pub counts: LoadedCounts,
    /// Those without a mark first, then the latest; at most 200.
    pub rows: Vec<Loaded>,
    /// True if the actor may open a recall and work on it.
    pub may_work: bool,
}

/// A recall with who loaded what it is about.
#[derive(Debug, Clone)]
pub struct RecallView {
    pub recall: RecallRow,
    pub opened_by: String,
    pub closed_by: Option<String>,
    pub loads: Loads,
}

impl Lucid {
    /// Returns who loaded these versions of a memory; none is a recall yet.
    #[tracing::instrument(skip_all, fields(%memory))]
    pub async fn loads(
        &self,
        actor: &Actor,
        memory: MemoryId,
        (first, last): (i64, i64),
    ) -> Result<Loads> {
        self.flush_small_writes().await?;
        let mut tx = self.db.read().await?;
        loads_of(&mut tx, actor, (memory, first, last, None), SHOWN).await
    }

    /// Opens a recall of these versions of a memory, for a reason of 1 to 1,000 characters.
    #[tracing::instrument(skip_all, fields(%memory))]
    pub async fn open_recall(
        &self,
        actor: &Actor,
        memory: MemoryId,
        (first, last): (i64, i64),
        reason: &str,
    ) -> Result<RecallId> {
        self.flush_small_writes().await?;
        let (mut tx, acting) = self.begin(actor).await?;
        let loads = loads_of(&mut tx, &acting, (memory, first, last, None), 1).await?;
        let right = acting.may_on_paths(Action::Decide, loads.store_id, &[loads.path.as_str()])?;
        let opened_by = person(&acting)?;
        let reason = text(reason, "a reason")?;
        memory_stores::lock(&mut tx, loads.store_id).await?;
        overlaps_none(&mut tx, memory, (first, last)).await?;
        let id = self.id(RecallId::new);
        recalls::insert(
            &mut tx,
            &NewRecall {
                id,
                store: loads.store_id,
                memory,
                first,
                last,
                reason,
                opened_by,
                at: self.now(),
            },
        )
        .await?;
        let told = self
            .tell_owners(&mut tx, id, (memory, (first, last)), opened_by)
            .await?;
        let payload = json!({"memory": memory, "path": loads.path, "versions": [first, last], "reason": reason, "loaded": loads.counts.loaded,
            "sessions": loads.counts.sessions, "told": told});
        self.record_recall(
            &mut tx,
            right,
            AuditAction::RecallOpen,
            (id, loads.store_id),
            &payload,
        )
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Notifies the owners of the sessions that loaded the versions, and of reads outside sessions,
    /// except the person who opened the recall. Returns how many were notified.
    async fn tell_owners(
        &self,
        tx: &mut Tx,
        id: RecallId,
        (memory, versions): (MemoryId, (i64, i64)),
        opened_by: UserId,
    ) -> Result<usize> {
        let mut owners = BTreeSet::new();
        for actor in recalls::owners(tx, memory, versions).await? {
            owners.extend(answer_for(tx, &actor).await?);
        }
        owners.remove(&opened_by);
        for &user in &owners {
            recalls::tell(tx, id, user, self.now()).await?;
        }
        Ok(owners.len())
    }

    /// Open recalls of memory that the actor's sessions loaded: unread ones first, at most 100.
    #[tracing::instrument(skip_all)]
    pub async fn recall_notices(&self, actor: &Actor) -> Result<Vec<RecallNotice>> {
        let Ok(user) = reader(actor) else {
            return Ok(Vec::new());
        };
        let mut rows = recalls::told(&mut self.db.read().await?, user, TOLD).await?;
        rows.retain(|row| {
            row.read_at.is_none() || row.created_at.plus_seconds(TOLD_SECONDS) > self.now()
        });
        Ok(rows)
    }

    /// Marks a recall as read, for who opened its page.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn read_recall(&self, actor: &Actor, id: RecallId) -> Result<()> {
        let Ok(user) = reader(actor) else {
            return Ok(());
        };
        let unread = recalls::told(&mut self.db.read().await?, user, TOLD).await?;
        if !unread
            .iter()
            .any(|n| n.recall_id == id && n.read_at.is_none())
        {
            return Ok(());
        }
        let (mut tx, _) = self.begin(actor).await?;
        recalls::read(&mut tx, user, Some(id), self.now()).await?;
        Ok(tx.commit().await?)
    }

    /// The recalls of the stores that the actor may see: open ones first, then the newest, at most
    /// 200.
    #[tracing::instrument(skip_all)]
    pub async fn recalls(&self, actor: &Actor, store: Option<StoreId>) -> Result<Vec<RecallRow>> {
        let (visible, store) = actor.visible(Action::SeeSessions).narrowed(store);
        Ok(recalls::list(&mut self.db.read().await?, visible, store, LISTED).await?)
    }

    /// The newest recalls of a memory, at most 20.
    #[tracing::instrument(skip_all, fields(%memory))]
    pub async fn recalls_of(&self, actor: &Actor, memory: MemoryId) -> Result<Vec<RecallRow>> {
        let mut all = recalls::of_memory(&mut self.db.read().await?, memory).await?;
        all.retain(|recall| sees(actor, recall.store_id));
        Ok(all)
    }

    /// A recall with who loaded what it is about, at most 200 of them.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn recall(&self, actor: &Actor, id: RecallId) -> Result<RecallView> {
        self.recall_with(actor, id, SHOWN).await
    }

    /// A recall with everybody who loaded what it is about, to be kept as a file.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn whole_recall(&self, actor: &Actor, id: RecallId) -> Result<RecallView> {
        self.recall_with(actor, id, MOST).await
    }

    async fn recall_with(&self, actor: &Actor, id: RecallId, limit: i64) -> Result<RecallView> {
        self.flush_small_writes().await?;
        let mut tx = self.db.read().await?;
        let recall = recalls::get(&mut tx, id)
            .await?
            .filter(|r| sees(actor, r.store_id))
            .ok_or(Error::NotFound("recall"))?;
        let loads = loads_of(
            &mut tx,
            actor,
            (
                recall.memory_id,
                recall.first_version,
                recall.last_version,
                Some(id),
            ),
            limit,
        )
        .await?;
        let people: Vec<String> = [Some(recall.opened_by), recall.closed_by]
            .into_iter()
            .flatten()
            .map(actor_of)
            .collect();
        let names = Names::of_actors(&mut tx, people.iter().map(String::as_str)).await?;
        let name = |user: UserId| names.of(&actor_of(user));
        Ok(RecallView {
            opened_by: name(recall.opened_by),
            closed_by: recall.closed_by.map(name),
            loads,
            recall,
        })
    }

    /// Records what was done about sessions or readers of a recall. Returns how many were marked.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn mark_recalled(
        &self,
        actor: &Actor,
        id: RecallId,
        which: &Marked<'_>,
        mark: RecallMark,
        note: &str,
    ) -> Result<usize> {
        let (mut tx, acting) = self.begin(actor).await?;
        let (recall, right) = worked_on(&mut tx, &acting, id).await?;
        let by = person(&acting)?;
        if recall.closed_at.is_some() {
            return Err(Error::Conflict(
                "this recall is closed; reopen it to change a mark".to_owned(),
            ));
        }
        let note = note.trim();
        if note.chars().count() > LONGEST_TEXT || note.contains('\0') {
            return Err(Error::Invalid(format!(
                "a note has at most {LONGEST_TEXT} characters"
            )));
        }
        let rows = recalls::loaded(&mut tx, recalled(&recall), MOST).await?;
        let one = |name: &str| {
            rows.iter()
                .find(|row| named(row) == name)
                .ok_or(Error::NotFound("session in this recall"))
        };
        let chosen: Vec<&LoadedRow> = match which {
            Marked::Left => rows.iter().filter(|row| row.mark.is_none()).collect(),
            Marked::One(name) if one(name)?.mark.is_some() => {
                return Err(Error::Conflict(
                    "this was marked meanwhile; look at it again before you change it".to_owned(),
                ));
            }
            Marked::One(name) | Marked::Again(name) => vec![one(name)?],
        };
        let chosen: Vec<(String, &LoadedRow)> =
            chosen.into_iter().map(|row| (named(row), row)).collect();
        if chosen.is_empty() {
            return Err(Error::Conflict(
                "nothing in this recall is left to be marked".to_owned(),
            ));
        }
        for (loaded_by, row) in &chosen {
            let new = NewMark {
                recall: id,
                loaded_by,
                session: row.session_id,
                mark,
                note,
                by,
                at: self.now(),
            };
            recalls::mark(&mut tx, &new).await?;
        }
        let marked: Vec<&str> = chosen.iter().map(|(name, _)| name.as_str()).collect();
        let payload = json!({"mark": mark, "note": note, "loaded_by": marked});
        self.record_recall(
            &mut tx,
            right,
            AuditAction::RecallMark,
            (id, recall.store_id),
            &payload,
        )
        .await?;
        tx.commit().await?;
        Ok(marked.len())
    }

    /// Closes a recall in which everything is marked, with what came of it in 1 to 1,000
    /// characters.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn close_recall(&self, actor: &Actor, id: RecallId, outcome: &str) -> Result<()> {
        self.flush_small_writes().await?;
        let (mut tx, acting) = self.begin(actor).await?;
        let (recall, right) = worked_on(&mut tx, &acting, id).await?;
        let by = person(&acting)?;
        let outcome = text(outcome, "what came of it")?;
        let rows = recalls::loaded(&mut tx, recalled(&recall), MOST).await?;
        let open = rows.iter().filter(|r| r.mark.is_none()).count();
        if open > 0 {
            return Err(Error::Conflict(format!(
                "{} not marked yet; mark each, then close the recall",
                plural(open)
            )));
        }
        if !recalls::close(&mut tx, id, by, self.now(), outcome).await? {
            return Err(Error::Conflict("this recall is closed already".to_owned()));
        }
        let loaded: Vec<_> = rows.iter().map(|r| json!([named(r), r.mark])).collect();
        let payload = json!({"outcome": outcome, "loaded": loaded});
        self.record_recall(
            &mut tx,
            right,
            AuditAction::RecallClose,
            (id, recall.store_id),
            &payload,
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Opens a closed recall again.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn reopen_recall(&self, actor: &Actor, id: RecallId) -> Result<()> {
        let (mut tx, acting) = self.begin(actor).await?;
        let (recall, right) = worked_on(&mut tx, &acting, id).await?;
        person(&acting)?;
        overlaps_none(
            &mut tx,
            recall.memory_id,
            (recall.first_version, recall.last_version),
        )
        .await?;
        if !recalls::reopen(&mut tx, id).await? {
            return Err(Error::Conflict("this recall is open already".to_owned()));
        }
        self.record_recall(
            &mut tx,
            right,
            AuditAction::RecallReopen,
            (id, recall.store_id),
            &json!({}),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    async fn record_recall(
        &self,
        tx: &mut Tx,
        right: Authorized,
        action: AuditAction,
        (id, store): (RecallId, StoreId),
        payload: &serde_json::Value,
    ) -> Result<()> {
        self.record(
            tx,
            right,
            Record {
                action,
                subject: id.to_string(),
                store: Some(store),
                commit: None,
                payload,
            },
        )
        .await
    }
}

fn plural(open: usize) -> String {
    if open == 1 {
        "1 session or reader is".to_owned()
    } else {
        format!("{open} sessions or readers are")
    }
}

/// A person as the trail names them.
pub fn actor_of(user: UserId) -> String {
    domain::actor::Who::Person(user).to_string()
}

fn sees(actor: &Actor, store: StoreId) -> bool {
    actor.may(Action::SeeMemory, store) && actor.may(Action::SeeSessions, store)
}

fn person(acting: &Acting) -> Result<UserId> {
    acting
        .who
        .person()
        .filter(|_| !acting.who.is_key())
        .ok_or(Error::Forbidden("a person: keys work on no recall"))
}

/// A text that a person gives: 1 to 1,000 characters.
pub fn text<'a>(given: &'a str, what: &str) -> Result<&'a str> {
    let given = given.trim();
    if (1..=LONGEST_TEXT).contains(&given.chars().count()) && !given.contains('\0') {
        return Ok(given);
    }
    Err(Error::Invalid(format!(
        "{what} is missing, or has more than {LONGEST_TEXT} characters"
    )))
}

const fn recalled(recall: &RecallRow) -> Recalled {
    Recalled {
        store: recall.store_id,
        memory: recall.memory_id,
        first: recall.first_version,
        last: recall.last_version,
        recall: Some(recall.id),
    }
}

/// Returns what names a row in a recall.
fn named(row: &LoadedRow) -> String {
    row.session_id
        .map_or_else(|| row.reader.clone(), |id| id.to_string())
}

/// Refuses versions that an open recall covers already: of each session is said once what was done.
async fn overlaps_none(tx: &mut Tx, memory: MemoryId, (first, last): (i64, i64)) -> Result<()> {
    let overlaps =
        |r: &RecallRow| r.closed_at.is_none() && r.first_version <= last && first <= r.last_version;
    match recalls::of_memory(tx, memory)
        .await?
        .into_iter()
        .find(overlaps)
    {
        Some(open) => {
            let (first, last) = (open.first_version, open.last_version);
            Err(Error::Conflict(format!(
                "an open recall covers versions {first} to {last} of this memory: work on that one"
            )))
        }
        None => Ok(()),
    }
}

/// A recall that the actor may work on; nobody else works on one of its store until the transaction
/// ends.
async fn worked_on(tx: &mut Tx, acting: &Acting, id: RecallId) -> Result<(RecallRow, Authorized)> {
    let recall = recalls::get(tx, id)
        .await?
        .filter(|r| sees(acting, r.store_id))
        .ok_or(Error::NotFound("recall"))?;
    let right = acting.may_on_paths(Action::Decide, recall.store_id, &[recall.path.as_str()])?;
    memory_stores::lock(tx, recall.store_id).await?;
    Ok((
        recalls::get(tx, id)
            .await?
            .ok_or(Error::NotFound("recall"))?,
        right,
    ))
}

async fn loads_of(
    tx: &mut Tx,
    actor: &Actor,
    (memory, first, last, recall): (MemoryId, i64, i64, Option<RecallId>),
    limit: i64,
) -> Result<Loads> {
    if first > last {
        return Err(Error::Invalid(
            "the first version comes before the last, or is the same".to_owned(),
        ));
    }
    let version = async |tx: &mut Tx, number: i64| -> Result<Option<VersionRow>> {
        Ok(memories::version_whole(tx, memory, number)
            .await?
            .filter(|v| sees(actor, v.store_id)))
    };
    let (of_first, of_last) = (first, last);
    let first = version(tx, of_first)
        .await?
        .ok_or(Error::NotFound("version"))?;
    let last = version(tx, of_last)
        .await?
        .ok_or(Error::NotFound("version"))?;
    let of = Recalled {
        store: first.store_id,
        memory,
        first: of_first,
        last: of_last,
        recall,
    };
    let until = match of.last.checked_add(1) {
        Some(next) => version(tx, next)
            .await?
            .map(|v| (v.revision, v.created_at, v.operation)),
        None => None,
    };
    let counts = recalls::counts(tx, of).await?;
    let mut rows = recalls::loaded(tx, of, limit).await?;
    // A key may have read it for a session of another store, which is not shown here.
    for row in rows.iter_mut().filter(|row| !row.here) {
        (row.agent, row.team, row.external_id, row.recorder) = (None, None, None, None);
        (row.outcome, row.outcome_source) = (None, None);
    }
    for row in &mut rows {
        for name in [&mut row.agent, &mut row.team, &mut row.external_id] {
            mask_name(name);
        }
    }
    let people: Vec<String> = rows
        .iter()
        .filter_map(|r| r.marked_by)
        .map(actor_of)
        .collect();
    let owners = rows
        .iter()
        .map(|r| r.recorder.as_deref().unwrap_or(&r.reader));
    let names = Names::of_actors(tx, owners.chain(people.iter().map(String::as_str))).await?;
    let loaded = |row: LoadedRow| {
        let owner = names.of(row.recorder.as_deref().unwrap_or(&row.reader));
        Loaded {
            owner,
            loaded_by: named(&row),
            marked_by: row.marked_by.map(|user| names.of(&actor_of(user))),
            row,
        }
    };
    Ok(Loads {
        memory: of.memory,
        store_id: first.store_id,
        may_work: actor.may_at(Action::Decide, first.store_id, &[last.path.as_str()]),
        versions: (of.first, of.last),
        from: (first.revision, first.created_at),
        last: last.operation,
        path: last.path,
        until,
        counts,
        rows: rows.into_iter().map(loaded).collect(),
    })
}
