//! Use cases: each takes an [`Actor`](domain::actor::Actor), checks what it may, does its work in one transaction and appends
//! the audit entry as that transaction's last statement. Every way in (page, server function, API, command line, worker) comes
//! through here; nothing else checks rights, opens a transaction or writes audit.

mod accounts;
mod changesets;
mod commit;
mod dreams;
mod error;
mod forms;
mod import;
mod memory;
mod passwords;
mod propose;
mod review;
mod schedules;
mod sessions;
mod stores;
mod trail;
pub mod transcripts;
mod web_sessions;
mod worker;

use std::sync::Arc;

use domain::{
    Timestamp,
    actor::{Actor, Need, Who},
    ids::{CommitId, StoreId},
};
use serde_json::Value;
use store::{Db, Tx, audit_log};

pub use accounts::{LinkPurpose, NewUser, UserView};
pub use changesets::{ChangeView, ChangesetView, EditView, QuoteView};
pub use commit::{CommitRequest, Committed, Expected};
pub use dreams::DreamView;
pub use error::{Error, Kind, Result, Stale};
pub use forms::RefusedForm;
pub use import::Imported;
pub use memory::{CommitView, CompareView, HistoryRow, MemoryView, NewMemory, VersionView};
pub use propose::{PreviewInput, preview};
pub use review::{Decision, Verdict};
pub use schedules::{NewSchedule, check_schedule};
pub use sessions::{SessionView, TranscriptView};
pub use store::{
    Page,
    audit_log::Filter as AuditFilter,
    changesets::QueueRow,
    decisions::DecisionRow,
    dreams::{DreamRow, FindingRow},
    memories::MemoryRow,
    memory_stores::StoreRow,
    schedules::ScheduleRow,
    sessions::{EventRow, SessionRow},
};
pub use trail::{AuditRow, Verified};

/// Where the time comes from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// Where random bytes come from; fills the slice.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Lucid: a database, a clock and randomness, with every use case as a method.
#[derive(Clone)]
pub struct Lucid {
    db: Db,
    clock: Clock,
    random: Random,
    hashing: Arc<tokio::sync::Semaphore>,
    waiting_to_hash: Arc<tokio::sync::Semaphore>,
}

impl Lucid {
    /// Lucid on an open database.
    #[must_use]
    pub fn new(db: Db, clock: Clock, random: Random) -> Self {
        // Two at a time: a password hash takes 19 MiB and tens of milliseconds of one core (argon2's defaults).
        // At most 64 wait for that: at twenty hashes a second nobody waits longer than a few seconds, and the rest are told to.
        let places = |n| Arc::new(tokio::sync::Semaphore::new(n));
        Self { db, clock, random, hashing: places(2), waiting_to_hash: places(64) }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The database's engine, by name.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        self.db.engine()
    }

    /// Copies an SQLite database into a new file, while it is in use.
    pub async fn backup(&self, file: &std::path::Path) -> Result<()> {
        Ok(self.db.backup(file).await?)
    }

    /// Whether the database answers.
    pub async fn database_answers(&self) -> Result<()> {
        let mut tx = self.db.read().await?;
        store::audit_log::head(&mut tx).await?;
        Ok(())
    }

    /// Closes the database.
    pub async fn close(&self) {
        self.db.close().await;
    }

    fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }

    /// A new id of any kind.
    fn id<T>(&self, make: fn(Timestamp, [u8; 10]) -> T) -> T {
        make(self.now(), self.random_bytes())
    }

    /// Appends the audit entry of what the transaction does. The last statement before its commit.
    async fn record(&self, tx: &mut Tx, actor: &Actor, what: Record<'_>) -> Result<()> {
        let entry = audit_log::NewEntry {
            at: self.now(),
            actor: actor_name(actor.who),
            action: what.action,
            subject: what.subject,
            store_id: what.store,
            commit_id: what.commit,
            salt: self.random_bytes(),
            payload: what.payload.to_string(),
        };
        audit_log::append(tx, &entry).await?;
        Ok(())
    }
}

/// What an audit entry says.
struct Record<'a> {
    action: &'static str,
    subject: String,
    store: Option<StoreId>,
    commit: Option<CommitId>,
    payload: &'a Value,
}

/// Kind and id of an actor, as it stands in the audit trail and beside what it made.
fn actor_name(who: Who) -> String {
    match who {
        Who::Person(id) => format!("person:{id}"),
        other => other.kind().to_owned(),
    }
}

/// Refuses what the actor may not do: as if the store were not there, if it may not even see it.
fn require(actor: &Actor, need: Need, store: StoreId) -> Result<()> {
    if !actor.may(Need::See, store) {
        return Err(Error::NotFound("store"));
    }
    if actor.may(need, store) { Ok(()) } else { Err(Error::Forbidden(needs(need))) }
}

const fn needs(need: Need) -> &'static str {
    match need {
        Need::See => "seeing this needs a grant on the store",
        Need::Feed => "this needs the role reviewer or admin, and a reviewer's grant on the store",
        Need::Decide => "deciding needs the role reviewer or admin, and a reviewer's grant on the store",
        Need::Manage => "this needs the role admin, and a grant on the store",
    }
}
