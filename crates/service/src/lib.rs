//! Use cases: each takes an [`Actor`](domain::actor::Actor), checks what it may, does its work in
//! one transaction and appends the audit entry as that transaction's last statement. Every way in
//! (page, server function, API, command line, worker) comes through here; nothing else checks
//! rights, opens a transaction or writes audit.

mod accounts;
mod activity;
mod assessment;
mod audit_trail;
mod authority;
mod bill;
mod briefing;
mod changesets;
mod commit;
mod direct_writes;
mod distilling;
mod dream_input;
mod dream_proposals;
mod dreams;
mod drill;
mod error;
mod forms;
mod history;
mod housekeeping;
mod import;
mod independence;
mod insights;
mod keys;
mod lease;
mod mappings;
mod meanings;
mod memory;
mod memory_about;
mod metrics;
mod muted;
mod names;
mod notices;
mod passwords;
mod pending_refresh;
mod people;
mod policies;
mod preview;
mod privacy;
mod questions;
mod recalls;
mod recording;
mod related;
mod revert;
mod review;
mod saved_views;
mod schedules;
mod search;
mod sessions;
mod setting_changes;
mod single_proposals;
mod small_writes;
mod stores;
mod superseded;
pub mod transcripts;
mod web_sessions;
mod worker;

use std::sync::Arc;

use authority::{Authorized, Database};
use domain::{
    Timestamp,
    actor::Actor,
    audit_action::AuditAction,
    ids::{CommitId, StoreId},
    rights::Action,
};
use dream::meaning::Embedder;
use serde_json::Value;
use store::{Db, Tx, audit_log};

pub use accounts::{LinkPurpose, OwnSignIn, Place, SignedIn, UserView};
pub use activity::Happened;
pub use audit::Checkpoint;
pub use audit_trail::{AuditRow, Export, ExportPeriod, LastVerified, TrailKey, Verified};
pub use bill::GivenMemory;
pub use briefing::{BriefedMemory, BriefingRequest, BriefingView, SupersededTitle};
pub use changesets::{ChangeView, ChangesetView, EditView, Needs, QuoteView};
pub use commit::{CommitRequest, Committed, Expected};
pub use direct_writes::{MemoryWrite, NewMemory, Written};
pub use distilling::{Distillers, Estimate, Limits as ModelLimits};
pub use dreams::{DreamView, places_of};
pub use drill::{Drilled, Reached};
pub use error::{Error, Kind, Result, Stale};
pub use forms::RefusedForm;
pub use history::{AsOf, Between, Blamed, ExportedCommit, PastVersion};
pub use housekeeping::Trimmed;
pub use import::Imported;
pub use insights::{Insights, Proposals, WEEKS, Week};
pub use keys::{KeyView, NewKey};
pub use mappings::SavedMapping;
pub use meanings::with_meanings;
pub use memory::{CommitView, CompareView, HistoryRow, Listed, Listing, MemoryView, VersionView};
pub use memory_about::{Learned, MemoryAbout, READ_DAYS, Tree};
pub use people::{Link, LinkMail, Member, NewUser, PeopleView};
pub use policies::{
    Answered, BackTested, Frozen, NewFreeze, PRESET_DAYS, PoliciesView, PolicySummary, PolicyView,
    SetStop, ShadowSums, WouldApply,
};
pub use preview::{PreviewInput, preview};
pub use privacy::{
    AskedErasure, Erasure, ErasureView, HoldOn, HoldView, Keeping, Letter, PrivacyView,
    SHORTEST_DAYS, SealingState, SubjectView,
};
pub use questions::{QuestionView, SideView, SpokenView};
pub use recalls::{Loaded, Loads, Marked, RecallView};
pub use recording::{EVENTS_A_REQUEST, NewRecording, Once, Recorded};
pub use related::{BesideView, SimilarMemory, TouchedMemory};
pub use review::{
    BulkResult, Choice, ChosenChange, DAYS as FIGURE_DAYS, Decision, Rebase, RebaseEdit,
    ReviewStatistics, Reviewing, Undone, Verdict,
};
pub use schedules::{NewSchedule, check_schedule, next_ticks};
pub use search::{
    ChangeHit, Excerpt, Found, Hit, MemoryHit, PersonHit, QUERY_CHARS, SearchRequest,
    SearchResults, SessionHit,
};
pub use sessions::{SessionView, TranscriptView};
pub use setting_changes::{Outcome, Setting, WaitingSetting};
pub use store::{
    Page,
    access_requests::RequestRow,
    audit_log::Filter as AuditFilter,
    changes::ChangeRow,
    changesets::{DoneRow, QueueFilter},
    checkpoints::Cosignature,
    claims::ClaimRow,
    comments::CommentRow,
    commit_freezes::FreezeRow,
    commits::CommitFilter,
    decisions::{DecisionRow, LikeRow, MutedRow, UndoRow},
    dreams::{DreamRow, FindingRow},
    erasing::LiveMemory,
    grants::{GrantRow, Grantee, TeamRow},
    history::PastRow,
    insights::OpenFailure,
    memories::{MemoryRow, OpenChangeRow, TreeRow, VersionRow},
    memory_stores::{DeletedStore, StoreName, StoreRow},
    metrics::InstallationCounts,
    note_effects::{Met, NoteEffect},
    notices::{MailRow, NoticeRow},
    policies::{BackTestRow, StopRow, VersionRow as PolicyVersionRow},
    policy_outcomes::{ApplicationRow, OutcomeRow, SumRow},
    queue::{QueueCounts, TURNS_COUNTED, WaitingChange},
    reads::ReaderRow,
    recalls::{LoadedCounts, RecallNotice, RecallRow},
    saved_views::SavedView,
    schedules::ScheduleRow,
    sessions::{EventRow, SessionFilter, SessionRow},
    statements_run,
    superseded::{RemovedRow, SupersededRow},
};
pub use store::{changes::DecidedRow, questions::AnsweredRow};
pub use stores::StoreText;
pub use superseded::SupersededMemory;
pub use web_sessions::{form_token, web_session_of};

/// The source of the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;
/// The source of random bytes; fills the slice.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Lucid: a database, a clock and randomness, with every use case as a method.
#[derive(Clone)]
pub struct Lucid {
    db: Database,
    clock: Clock,
    random: Random,
    hashing: Arc<tokio::sync::Semaphore>,
    waiting_to_hash: Arc<tokio::sync::Semaphore>,
    small_writes: small_writes::SmallWrites,
    signing_key: Option<Arc<[u8; 32]>>,
    distillers: Distillers,
    embedder: Option<Arc<dyn Embedder>>,
    expiry_days: u32,
    asked_of: Arc<std::sync::atomic::AtomicI64>,
    link_mail: Option<Arc<dyn LinkMail>>,
    tree: Arc<tokio::sync::Mutex<audit_trail::Tree>>,
}

impl Lucid {
    /// Lucid on an open database.
    #[must_use]
    pub fn new(db: Db, clock: Clock, random: Random) -> Self {
        // Two at a time: a password hash takes 19 MiB and tens of milliseconds of one core
        // (argon2's defaults). At most 64 wait for that: at twenty hashes a second nobody waits
        // longer than a few seconds, and the rest are told to.
        let signing_key = db.signing_key().map(Arc::new);
        let places = |n| Arc::new(tokio::sync::Semaphore::new(n));
        Self {
            db: Database::new(db),
            clock,
            random,
            hashing: places(2),
            waiting_to_hash: places(64),
            small_writes: small_writes::SmallWrites::default(),
            signing_key,
            distillers: Distillers::default(),
            embedder: None,
            expiry_days: domain::review::EXPIRY_DAYS,
            asked_of: Arc::default(),
            link_mail: None,
            tree: Arc::default(),
        }
    }

    /// The same, signing the audit trail with these 32 secret bytes instead of those beside the
    /// database.
    #[must_use]
    pub fn with_signing_key(self, secret: [u8; 32]) -> Self {
        Self {
            signing_key: Some(Arc::new(secret)),
            ..self
        }
    }

    /// The same, able to dream with these models.
    #[must_use]
    pub fn with_distillers(self, distillers: Distillers) -> Self {
        Self { distillers, ..self }
    }

    /// The same, able to compare meanings with a sentence model.
    #[must_use]
    pub fn with_embedder(self, embedder: Arc<dyn Embedder>) -> Self {
        Self {
            embedder: Some(embedder),
            ..self
        }
    }

    /// The same, where one-time links go to their owners by mail and are shown to nobody.
    #[must_use]
    pub fn with_link_mail(self, mail: Arc<dyn LinkMail>) -> Self {
        Self {
            link_mail: Some(mail),
            ..self
        }
    }

    /// The same, where a changeset in which nobody decides expires after so many days; 0 is never.
    #[must_use]
    pub fn with_expiry_days(self, expiry_days: u32) -> Self {
        Self {
            expiry_days,
            ..self
        }
    }

    /// The same on another clock: what examples say of the past is written in the past.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// The current time by the clock that was given.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The database's engine, by name.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        self.db.engine()
    }

    /// Copies an SQLite database into a new file, while it is in use; for the person who runs the
    /// command line.
    #[tracing::instrument(skip_all)]
    pub async fn backup(&self, file: &std::path::Path) -> Result<()> {
        self.db.backup(file).await?;
        let mut tx = self.db.background().await?;
        let record = Record {
            action: AuditAction::BackupCreate,
            subject: "installation".into(),
            store: None,
            commit: None,
            payload: &serde_json::json!({}),
        };
        self.record(&mut tx, Authorized::operator(), record).await?;
        Ok(tx.commit().await?)
    }

    /// Bytes of SQLite's write-ahead log; `None` on PostgreSQL.
    #[tracing::instrument(skip_all)]
    pub async fn wal_bytes(&self) -> Option<u64> {
        self.db.wal_bytes().await
    }

    /// Keeps the address that browsers use, for links that the command line prints.
    #[tracing::instrument(skip_all)]
    pub async fn note_public_url(&self, url: &str) -> Result<()> {
        if self.public_url().await?.as_deref() == Some(url) {
            return Ok(());
        }
        let mut tx = self.db.background().await?;
        store::settings::put(&mut tx, PUBLIC_URL, url).await?;
        let payload = &serde_json::json!({"url": url});
        let record = Record {
            action: AuditAction::PublicUrl,
            subject: "installation".into(),
            store: None,
            commit: None,
            payload,
        };
        self.record(&mut tx, Authorized::operator(), record).await?;
        Ok(tx.commit().await?)
    }

    /// The address that browsers use, as the server on this database said when it last started.
    #[tracing::instrument(skip_all)]
    pub async fn public_url(&self) -> Result<Option<String>> {
        Ok(store::settings::get(&mut self.db.read().await?, PUBLIC_URL).await?)
    }

    /// An error if the database does not answer.
    #[tracing::instrument(skip_all)]
    pub async fn database_answers(&self) -> Result<()> {
        let mut tx = self.db.read().await?;
        store::audit_log::head(&mut tx).await?;
        Ok(())
    }

    /// Closes the database, after the last small writes.
    #[tracing::instrument(skip_all)]
    pub async fn close(&self) {
        if let Err(error) = self.flush_small_writes().await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the last small writes were lost"
            );
        }
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
    async fn record(&self, tx: &mut Tx, by: Authorized, what: Record<'_>) -> Result<()> {
        audit_log::append(tx, &self.entry(by, what), self.signing_key.as_deref()).await?;
        Ok(())
    }

    /// The entry of what somebody did, as it is appended.
    fn entry(&self, by: Authorized, what: Record<'_>) -> audit_log::NewEntry {
        audit_log::NewEntry {
            at: self.now(),
            actor: by.who().to_string(),
            action: what.action,
            subject: what.subject,
            store_id: what.store,
            commit_id: what.commit,
            salt: self.random_bytes(),
            payload: what.payload.to_string(),
        }
    }
}

/// The setting that holds the address that browsers use.
const PUBLIC_URL: &str = "public_url";

/// The contents of an audit entry.
struct Record<'a> {
    action: AuditAction,
    subject: String,
    store: Option<StoreId>,
    commit: Option<CommitId>,
    payload: &'a Value,
}

/// Refuses what the actor may not do to a store: as if it were not there, if they may not even know
/// of it.
fn require(actor: &Actor, action: Action, store: StoreId) -> Result<()> {
    require_at(actor, action, store, &["/"])
}

/// As [`require`], on these places in the store.
fn require_at(actor: &Actor, action: Action, store: StoreId, paths: &[&str]) -> Result<()> {
    if !actor.knows(store) {
        return Err(Error::NotFound("store"));
    }
    if actor.may_at(action, store, paths) {
        Ok(())
    } else {
        Err(Error::Forbidden(action.needs()))
    }
}

/// Refuses what the actor may not do to the installation.
fn require_in_general(actor: &Actor, action: Action) -> Result<()> {
    if actor.may_in_general(action) {
        Ok(())
    } else {
        Err(Error::Forbidden(action.needs()))
    }
}
