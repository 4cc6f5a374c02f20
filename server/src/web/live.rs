//! Server-sent events: how far a dream is. One stream a page. However many watch a dream, one task looks at it; each stream checks
//! its own viewer's rights at each wake, and ends with the dream, the rights or the server.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::{context::Current, islands::progress::DreamProgress};
use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{actor::Actor, ids::DreamId};
use futures::stream;
use service::{DreamRow, Lucid};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often a dream that is watched is looked at.
const LOOK: Duration = Duration::from_millis(400);

/// What the streams need.
#[derive(Clone)]
pub struct Live {
    /// The use cases.
    pub lucid: Lucid,
    /// Ends every stream when the server stops.
    pub stop: CancellationToken,
    watched: Arc<Mutex<HashMap<DreamId, watch::Receiver<DreamProgress>>>>,
}

impl Live {
    /// Nothing is watched yet.
    pub fn new(lucid: Lucid, stop: CancellationToken) -> Self {
        Self { lucid, stop, watched: Arc::default() }
    }

    /// The progress of a dream as it changes; the first who watches it starts the task that looks.
    fn watch(&self, id: DreamId, now: DreamProgress) -> watch::Receiver<DreamProgress> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(receiver) = watched.get(&id) {
            return receiver.clone();
        }
        let (sender, receiver) = watch::channel(now);
        watched.insert(id, receiver.clone());
        tokio::spawn(self.clone().look(id, sender));
        receiver
    }

    /// Looks at a dream until it ends, the server stops, or nobody watches any more.
    async fn look(self, id: DreamId, sender: watch::Sender<DreamProgress>) {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep(LOOK) => {}
            }
            // One receiver is the one that is kept here.
            if sender.receiver_count() <= 1 {
                break;
            }
            let Ok(dream) = self.lucid.dream_row(&Actor::worker(), id).await else { break };
            let now = progress(&dream);
            let ended = has_ended(&now);
            sender.send_if_modified(|before| std::mem::replace(before, now.clone()) != now);
            if ended {
                break;
            }
        }
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }
}

fn progress(dream: &DreamRow) -> DreamProgress {
    let progress: serde_json::Value = serde_json::from_str(&dream.progress).unwrap_or_default();
    let count = |key: &str| progress[key].as_u64().unwrap_or(0);
    DreamProgress { state: dream.state.clone(), sessions_done: count("sessions_done"), sessions: count("sessions") }
}

fn has_ended(progress: &DreamProgress) -> bool {
    !matches!(progress.state.as_str(), "pending" | "running")
}

/// The stream of one dream.
pub async fn dream(State(live): State<Live>, Extension(current): Extension<Current>, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse::<DreamId>() else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(row) = live.lucid.dream_row(&current.actor, id).await else { return StatusCode::NOT_FOUND.into_response() };
    let mut receiver = live.watch(id, progress(&row));
    // What it is now is told at once.
    receiver.mark_changed();
    let events = stream::unfold(Some((live, current, receiver)), move |state| async move {
        let (live, current, mut receiver) = state?;
        tokio::select! {
            () = live.stop.cancelled() => return None,
            changed = receiver.changed() => changed.ok()?,
        }
        let told = receiver.borrow_and_update().clone();
        // Rights may have changed since the last wake.
        let (actor, _) = live.lucid.actor(current.user.id).await.ok()??;
        live.lucid.dream_row(&actor, id).await.ok()?;
        let ended = has_ended(&told);
        let event = Event::default().json_data(told).ok()?;
        Some((Ok::<_, Infallible>(event), (!ended).then_some((live, current, receiver))))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}
