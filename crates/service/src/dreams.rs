//! Dreams: asked for, run by a worker, canceled, looked at.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    changeset::ChangeState,
    dream_state::DreamState,
    ids::{DreamId, JobId, SessionId, StoreId},
    limits,
    rights::Action,
};
use dream::Progress;
use serde_json::json;
use store::{
    Page, Tx, changes,
    dreams::{self, DreamRow, FindingRow},
    jobs::{self, Claimed},
    memory_stores, sessions,
};

use crate::{
    Error, Lucid, Record, Result,
    authority::Authorized,
    distilling::Distilled,
    dream_proposals::{Loaded, Proposed},
    lease::LOST,
    names::Names,
    questions::Spoken,
};

/// History that a dream counts over, in seconds: 90 days.
pub const WINDOW_SECONDS: i64 = 90 * 86_400;
/// Most sessions of the window that one dream reads.
pub(crate) const WINDOW_SESSIONS: i64 = 100_000;
/// How often a running dream writes where it is and looks whether it was canceled.
pub(crate) const BEAT: Duration = Duration::from_millis(300);

/// The data that a dream read, and the work of its model.
type Read = (Loaded, Option<Distilled>);

/// Tells the engine to stop when it goes out of scope.
#[derive(Default)]
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A dream with what it saw.
#[derive(Debug, Clone)]
pub struct DreamView {
    pub dream: DreamRow,
    pub requested_by: String,
    pub findings: Vec<FindingRow>,
    /// How many sessions it pinned.
    pub sessions: usize,
    /// How many of its changes were committed.
    pub accepted: usize,
}

/// The sessions and events in which a finding was seen, as far as they are kept.
#[must_use]
pub fn places_of(finding: &FindingRow) -> Vec<(SessionId, i64)> {
    let quotes: Vec<Spoken> = serde_json::from_str(&finding.evidence).unwrap_or_default();
    quotes.into_iter().map(|q| (q.session, q.seq)).collect()
}

impl Lucid {
    /// Asks for a dream over a store's history. Refused while one waits or runs, or above 50
    /// undecided changes.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn request_dream(
        &self,
        actor: &Actor,
        store: StoreId,
        instructions: Option<&str>,
    ) -> Result<DreamId> {
        self.request_dream_over(actor, store, "builtin", instructions, &[])
            .await
    }

    /// As [`Lucid::request_dream`], with this distiller, over these sessions of the store only (at
    /// most 100); with none named, over its history.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn request_dream_over(
        &self,
        actor: &Actor,
        store: StoreId,
        distiller: &str,
        instructions: Option<&str>,
        chosen: &[SessionId],
    ) -> Result<DreamId> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_on(Action::Dream, store)?;
        let distiller = self.check_distiller(distiller)?;
        if chosen.len() > limits::SESSIONS_A_DREAM {
            return Err(Error::Invalid(format!(
                "a dream is over at most {} chosen sessions",
                limits::SESSIONS_A_DREAM
            )));
        }
        let instructions = instructions.map(str::trim).filter(|t| !t.is_empty());
        if instructions.is_some_and(|t| t.chars().count() > limits::INSTRUCTIONS_CHARS) {
            return Err(Error::Invalid(format!(
                "instructions have at most {} characters",
                limits::INSTRUCTIONS_CHARS
            )));
        }
        if let Some(reason) = self.why_not_dream(&mut tx, store).await? {
            return Err(Error::Conflict(reason));
        }
        for &session in chosen {
            if !sessions::stores_of(&mut tx, session)
                .await?
                .contains(&store)
            {
                return Err(Error::Invalid(format!(
                    "{session} is not a session of this store"
                )));
            }
        }
        let id = self
            .insert_dream(&mut tx, right, store, (distiller, instructions, chosen))
            .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Takes the store's lock and says why it cannot dream now.
    pub(crate) async fn why_not_dream(
        &self,
        tx: &mut Tx,
        store: StoreId,
    ) -> Result<Option<String>> {
        memory_stores::lock(tx, store).await?;
        if dreams::active(tx, store).await? > 0 {
            return Ok(Some(
                "this store is dreaming already; wait until it is done, or cancel it".to_owned(),
            ));
        }
        let undecided = changes::undecided_of_dreams(tx, store).await?;
        let paused = undecided > limits::UNDECIDED_CHANGES;
        Ok(paused.then(|| {
            format!(
                "{undecided} changes that dreams proposed wait for a decision; dreams pause above \
                 {}",
                limits::UNDECIDED_CHANGES
            )
        }))
    }

    /// Queues a dream with what it was told and the sessions that were chosen for it.
    pub(crate) async fn insert_dream(
        &self,
        tx: &mut Tx,
        right: Authorized,
        store: StoreId,
        (distiller, instructions, chosen): (&str, Option<&str>, &[SessionId]),
    ) -> Result<DreamId> {
        let id = self.id(DreamId::new);
        let now = self.now();
        dreams::insert(
            tx,
            id,
            store,
            (distiller, instructions, !chosen.is_empty()),
            &right.who().to_string(),
            now,
        )
        .await?;
        dreams::choose(tx, id, chosen).await?;
        jobs::insert(tx, self.id(JobId::new), "dream", id.0, now).await?;
        let payload = json!({"distiller": distiller, "instructions": instructions.is_some(), "sessions": chosen.len()});
        self.record(
            tx,
            right,
            Record {
                action: AuditAction::DreamRequest,
                subject: id.to_string(),
                store: Some(store),
                commit: None,
                payload: &payload,
            },
        )
        .await?;
        Ok(id)
    }

    /// Asks a dream to stop. It ends at its next step; what it found so far is not proposed.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn cancel_dream(&self, actor: &Actor, id: DreamId) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let dream = dreams::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("dream"))?;
        let right = actor.may_on(Action::Dream, dream.store_id)?;
        if !dreams::cancel(&mut tx, id).await? {
            return Err(Error::Conflict(format!(
                "this dream is already {}",
                dream.state
            )));
        }
        self.record(
            &mut tx,
            right,
            Record {
                action: AuditAction::DreamCancel,
                subject: id.to_string(),
                store: Some(dream.store_id),
                commit: None,
                payload: &json!({}),
            },
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// A page of the dreams that the actor may see, before one of them; newest first.
    #[tracing::instrument(skip_all)]
    pub async fn dreams(
        &self,
        actor: &Actor,
        store: Option<StoreId>,
        before: Option<DreamId>,
    ) -> Result<Page<DreamRow>> {
        let (visible, store) = actor.visible(Action::SeeDreams).narrowed(store);
        let mut tx = self.db.read().await?;
        Ok(dreams::list(&mut tx, visible, store, before, limits::PAGE).await?)
    }

    /// Returns where a dream stands, without what it saw: for the person who looks again and again.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn dream_row(&self, actor: &Actor, id: DreamId) -> Result<DreamRow> {
        let mut tx = self.db.read().await?;
        seen(&mut tx, actor, id).await
    }

    /// Returns where a dream stands, and the sessions that it pinned or that were chosen for it.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn dream_with_sessions(
        &self,
        actor: &Actor,
        id: DreamId,
    ) -> Result<(DreamRow, Vec<SessionId>)> {
        let mut tx = self.db.read().await?;
        let dream = seen(&mut tx, actor, id).await?;
        Ok((
            dream,
            dreams::pinned(&mut tx, id)
                .await?
                .into_iter()
                .map(|(session, _)| session)
                .collect(),
        ))
    }

    /// A dream with what it saw.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn dream(&self, actor: &Actor, id: DreamId) -> Result<DreamView> {
        let mut tx = self.db.read().await?;
        let dream = seen(&mut tx, actor, id).await?;
        let findings = dreams::findings(&mut tx, id).await?;
        let sessions = dreams::pinned(&mut tx, id).await?.len();
        let requested_by = Names::of_one(&mut tx, &dream.requested_by).await?;
        let accepted = match dream.changeset_id {
            Some(changeset) => changes::changes(&mut tx, changeset)
                .await?
                .iter()
                .filter(|c| c.state == ChangeState::Committed)
                .count(),
            None => 0,
        };
        Ok(DreamView {
            dream,
            requested_by,
            findings,
            sessions,
            accepted,
        })
    }

    /// Runs the dream of a claimed job to its end, and holds its lease meanwhile.
    pub(crate) async fn run_dream(&self, job: &Claimed, owner: &str) -> Result<()> {
        tokio::select! {
            done = self.dream_to_its_end(job, owner) => done,
            lost = self.hold_lease(job, owner) => lost,
        }
    }

    /// The last transaction proposes, ends the dream and ends the job together, and only if the
    /// lease still holds: a dream that was lost to another worker leaves nothing behind.
    async fn dream_to_its_end(&self, job: &Claimed, owner: &str) -> Result<()> {
        let id = DreamId(job.subject_id);
        let Some((dream, loaded)) = self.start_dream(id, job, owner).await? else {
            return Ok(());
        };
        let (loaded, distilled) = loaded.map_or((None, None), |(loaded, distilled)| {
            (Some(Arc::new(loaded)), distilled)
        });
        let proposal = match &loaded {
            Some(loaded) => self.think(id, loaded).await?,
            None => None,
        };
        let mut tx = self.db.background().await?;
        memory_stores::lock(&mut tx, dream.store_id).await?;
        let canceled = proposal.is_none() || dreams::is_canceled(&mut tx, id).await?;
        let (state, mut stats) = if canceled {
            (DreamState::Canceled, json!({}))
        } else {
            (
                DreamState::Completed,
                json!(proposal.as_ref().map(|p| &p.stats)),
            )
        };
        let proposed = match (&proposal, &loaded) {
            (Some(proposal), Some(loaded)) if !canceled => {
                self.propose(&mut tx, &dream, loaded, proposal).await?
            }
            _ => Proposed::default(),
        };
        stats["changeset"] = json!(proposed.changeset);
        stats["obsolete"] = json!(proposed.obsolete.len());
        stats["appended"] = json!(proposed.appended);
        stats["model"] = json!(distilled);
        stats["sentence_model"] = json!(loaded.as_ref().and_then(|l| l.sentence_model.clone()));
        let now = self.now();
        if !dreams::finish(&mut tx, id, state, &stats.to_string(), None, now).await?
            || !jobs::finish(&mut tx, job, owner, None, now).await?
        {
            return Err(LOST);
        }
        let worker = Authorized::worker();
        let store = Some(dream.store_id);
        let ended = json!({"state": state, "sessions": loaded.as_ref().map_or(0, |l| l.sessions.len()), "stats": stats, "obsolete": proposed.obsolete});
        if let Some(changeset) = proposed.changeset {
            let payload =
                json!({"dream": id, "changes": proposed.changes, "retired": proposed.retired});
            let record = Record {
                action: AuditAction::ChangesetPropose,
                subject: changeset.to_string(),
                store,
                commit: None,
                payload: &payload,
            };
            self.record(&mut tx, worker, record).await?;
        }
        self.record(
            &mut tx,
            worker,
            Record {
                action: AuditAction::DreamEnd,
                subject: id.to_string(),
                store,
                commit: None,
                payload: &ended,
            },
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Ends a dream whose job failed for good.
    pub(crate) async fn fail_dream(&self, tx: &mut Tx, id: DreamId, error: &Error) -> Result<()> {
        let now = self.now();
        if dreams::finish(
            tx,
            id,
            DreamState::Failed,
            "{}",
            Some(&error.message()),
            now,
        )
        .await?
            && let Some(dream) = dreams::get(tx, id).await?
        {
            let payload = json!({"state": "failed"});
            let record = Record {
                action: AuditAction::DreamEnd,
                subject: id.to_string(),
                store: Some(dream.store_id),
                commit: None,
                payload: &payload,
            };
            self.record(tx, Authorized::worker(), record).await?;
        }
        Ok(())
    }

    /// Pins the store's revision and each session's last event, and loads them. `None` if the dream
    /// has ended or was canceled; nothing loaded if it was canceled while it read.
    async fn start_dream(
        &self,
        id: DreamId,
        job: &Claimed,
        owner: &str,
    ) -> Result<Option<(DreamRow, Option<Read>)>> {
        let mut tx = self.db.background().await?;
        let dream = dreams::get(&mut tx, id)
            .await?
            .ok_or(Error::Internal("a job names a dream that is not there"))?;
        let revision = memory_stores::lock(&mut tx, dream.store_id).await?;
        if !jobs::heartbeat(
            &mut tx,
            job,
            owner,
            self.now().plus_seconds(crate::worker::LEASE_SECONDS),
        )
        .await?
        {
            return Err(LOST);
        }
        let worker = Authorized::worker();
        let record = |action, payload| Record {
            action,
            subject: id.to_string(),
            store: Some(dream.store_id),
            commit: None,
            payload,
        };
        if dream.cancel_requested || dream.state.has_ended() {
            let ended =
                dreams::finish(&mut tx, id, DreamState::Canceled, "{}", None, self.now()).await?;
            jobs::finish(&mut tx, job, owner, None, self.now()).await?;
            if ended {
                self.record(
                    &mut tx,
                    worker,
                    record(
                        AuditAction::DreamEnd,
                        &json!({"state": DreamState::Canceled}),
                    ),
                )
                .await?;
            }
            tx.commit().await?;
            return Ok(None);
        }
        let since = self.now().plus_seconds(-WINDOW_SECONDS);
        // On a second try the window is pinned already, and stays as it is.
        if dream.chosen {
            dreams::pin_chosen(&mut tx, id).await?;
        } else if dreams::pinned(&mut tx, id).await?.is_empty() {
            dreams::pin_window(&mut tx, id, dream.store_id, since, WINDOW_SESSIONS).await?;
        }
        let window = sessions::pinned(&mut tx, id).await?;
        dreams::start(&mut tx, id, revision, self.now()).await?;
        let payload =
            json!({"revision": revision, "sessions": window.len(), "attempt": job.attempt});
        self.record(&mut tx, worker, record(AuditAction::DreamStart, &payload))
            .await?;
        tx.commit().await?;
        let dream = dreams::get(&mut self.db.read().await?, id)
            .await?
            .ok_or(Error::Internal("a dream went away"))?;
        let read = self.read_all(&dream, &window, !dream.chosen).await?;
        Ok(Some((dream, read)))
    }

    /// Loads what the dream looks at, and asks its model, if it has one. `None` if it was canceled
    /// meanwhile.
    async fn read_all(
        &self,
        dream: &DreamRow,
        window: &[sessions::SessionRow],
        whole: bool,
    ) -> Result<Option<Read>> {
        let Some(mut loaded) = self.load(dream, window, whole).await? else {
            return Ok(None);
        };
        loaded.input.instructions.clone_from(&dream.instructions);
        let (model, goes_on) = self.give_meanings(dream, &mut loaded.input).await?;
        if !goes_on {
            return Ok(None);
        }
        loaded.sentence_model = model;
        if dream.distiller == "builtin" {
            return Ok(Some((loaded, None)));
        }
        let Some((candidates, distilled)) =
            self.distil(dream, window, &loaded.input.memories).await?
        else {
            return Ok(None);
        };
        loaded.input.candidates = candidates;
        Ok(Some((loaded, Some(distilled))))
    }

    /// Runs the engine on a thread of its own, while this one tells how far it is and listens for a
    /// cancel.
    async fn think(&self, id: DreamId, loaded: &Arc<Loaded>) -> Result<Option<dream::Proposal>> {
        let done = Arc::new(AtomicUsize::new(0));
        // Dropped when this future is (its lease was lost): the engine then stops at its next step,
        // too.
        let stop = StopOnDrop::default();
        let (seen, told, input) = (done.clone(), stop.0.clone(), loaded.clone());
        let mut engine = tokio::task::spawn_blocking(move || {
            dream::run(&input.input, &mut |progress: Progress| {
                seen.store(progress.sessions_done, Ordering::Relaxed);
                if told.load(Ordering::Relaxed) {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })
        });
        loop {
            tokio::select! {
                ended = &mut engine => return ended.map_err(|_| Error::Internal("the dream engine \
                    stopped in error")),
                () = tokio::time::sleep(BEAT) => {
                    let progress = Progress { sessions_done: done.load(Ordering::Relaxed), sessions: loaded.sessions.len() };
                    if !self.beat(id, progress).await? {
                        stop.0.store(true, Ordering::Relaxed);
                    }
                }
            }
        }
    }

    /// Writes where the dream is; false if it should stop.
    pub(crate) async fn beat(&self, id: DreamId, progress: Progress) -> Result<bool> {
        let mut tx = self.db.background().await?;
        dreams::progress(&mut tx, id, &json!(progress).to_string()).await?;
        let canceled = dreams::is_canceled(&mut tx, id).await?;
        tx.commit().await?;
        Ok(!canceled)
    }
}

/// The dream, if the actor may see it.
async fn seen(tx: &mut Tx, actor: &Actor, id: DreamId) -> Result<DreamRow> {
    dreams::get(tx, id)
        .await?
        .filter(|d| actor.may(Action::SeeDreams, d.store_id))
        .ok_or(Error::NotFound("dream"))
}
