//! Server-sent events: how far a dream is, what happens in the queue and in a changeset. One stream
//! a page. However many watch, one task looks for them all; each stream checks its own viewer's
//! rights at each wake, and ends with the dream, the rights or the server.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use app::{
    context::Current,
    islands::{live::News, progress::DreamProgress},
};
use axum::{
    Extension,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use domain::{
    actor::Actor,
    ids::{ChangesetId, DreamId, StoreId},
    rights::Action,
};
use futures::{StreamExt, stream};
use serde::Deserialize;
use service::{DreamRow, Happened, Lucid};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How often a dream that is watched is looked at.
const LOOK: Duration = Duration::from_millis(400);

/// How often the audit trail is looked at, while anybody watches.
const LOOK_AT_TRAIL: Duration = Duration::from_secs(1);

/// How often a page that is looked at renews its viewer's claim, if nothing else wakes it.
const RENEW_CLAIM: Duration = Duration::from_mins(1);

/// The state that the streams share.
#[derive(Clone)]
pub struct Live {
    pub lucid: Lucid,
    /// Ends every stream when the server stops.
    pub stop: CancellationToken,
    watched: Arc<Mutex<HashMap<DreamId, watch::Receiver<DreamProgress>>>>,
    /// Position of the last entry of the trail, as it was last seen.
    position: watch::Sender<i64>,
}

impl Live {
    /// Nothing is watched yet; the trail is looked at from now on, whenever somebody is there.
    pub fn new(lucid: Lucid, stop: CancellationToken) -> Self {
        let live = Self {
            lucid,
            stop,
            watched: Arc::default(),
            position: watch::channel(0).0,
        };
        tokio::spawn(live.clone().look_at_trail());
        live
    }

    async fn look_at_trail(self) {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_AT_TRAIL) => {}
            }
            if self.position.receiver_count() == 0 {
                continue;
            }
            // A database that does not answer is said by what needs it; the next look may be
            // luckier.
            if let Ok(now) = self.lucid.position().await {
                self.position
                    .send_if_modified(|before| std::mem::replace(before, now) != now);
            }
        }
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
            let Ok(dream) = self.lucid.dream_row(&Actor::worker(), id).await else {
                break;
            };
            let now = progress(&dream);
            let ended = has_ended(&now);
            sender.send_if_modified(|before| std::mem::replace(before, now.clone()) != now);
            if ended {
                break;
            }
        }
        self.watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&id);
    }
}

fn progress(dream: &DreamRow) -> DreamProgress {
    let progress: serde_json::Value = serde_json::from_str(&dream.progress).unwrap_or_default();
    let count = |key: &str| progress[key].as_u64().unwrap_or(0);
    DreamProgress {
        state: dream.state,
        sessions_done: count("sessions_done"),
        sessions: count("sessions"),
    }
}

fn has_ended(progress: &DreamProgress) -> bool {
    progress.state.has_ended()
}

/// The stream of one dream.
pub async fn dream(
    State(live): State<Live>,
    Extension(current): Extension<Current>,
    Path(id): Path<String>,
) -> Response {
    let Ok(id) = id.parse::<DreamId>() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(row) = live.lucid.dream_row(&current.actor, id).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut receiver = live.watch(id, progress(&row));
    // What it is now is told at once.
    receiver.mark_changed();
    let trail = live.position.subscribe();
    let events = stream::unfold(
        Some((live, current, receiver, trail)),
        move |state| async move {
            let (live, current, mut receiver, mut trail) = state?;
            loop {
                let progressed = tokio::select! {
                    () = live.stop.cancelled() => return None,
                    changed = receiver.changed() => changed.map(|()| true).ok()?,
                    // Signing out, a reset and disabling an account are entries of the trail.
                    moved = trail.changed() => moved.map(|()| false).ok()?,
                };
                // Rights may have changed since the last wake, and the sign-in may have ended.
                let actor = live.lucid.refreshed(&current.actor).await.ok()??;
                live.lucid.dream_row(&actor, id).await.ok()?;
                if !progressed {
                    continue;
                }
                let told = receiver.borrow_and_update().clone();
                let ended = has_ended(&told);
                let event = Event::default().json_data(told).ok()?;
                return Some((
                    Ok::<_, Infallible>(event),
                    (!ended).then_some((live, current, receiver, trail)),
                ));
            }
        },
    );
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

/// From where on a stream tells.
#[derive(Debug, Deserialize)]
pub struct From {
    /// Position in the trail when the page was made.
    #[serde(default)]
    after: i64,
}

/// The part of the news that a page is about.
#[derive(Debug, Clone, Copy)]
enum About {
    /// Every changeset that the viewer may see.
    Queue,
    /// One, and the memory that it would change.
    Changeset(ChangesetId, StoreId),
}

impl About {
    fn holds(self, happened: &Happened) -> bool {
        match self {
            Self::Queue => true,
            Self::Changeset(id, store) => {
                happened.changeset == Some(id) || (happened.moved && happened.store == store)
            }
        }
    }
}

/// The stream of the queue.
pub async fn queue(
    State(live): State<Live>,
    Extension(current): Extension<Current>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Response {
    tell(
        live,
        current,
        About::Queue,
        resumed(&headers).unwrap_or(from.after),
    )
}

/// The stream of one changeset. It renews its viewer's claim, if they have one.
pub async fn changeset(
    State(live): State<Live>,
    Extension(current): Extension<Current>,
    Path(id): Path<String>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Response {
    let Ok(id) = id.parse::<ChangesetId>() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let Ok(row) = live.lucid.changeset_row(&current.actor, id).await else {
        return StatusCode::NOT_FOUND.into_response();
    };
    tell(
        live,
        current,
        About::Changeset(id, row.store_id),
        resumed(&headers).unwrap_or(from.after),
    )
}

/// Returns where a stream that broke goes on, as the browser says.
fn resumed(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.parse().ok()
}

fn tell(live: Live, current: Current, about: About, after: i64) -> Response {
    let mut receiver = live.position.subscribe();
    // What happened before it was there is told as well.
    receiver.mark_changed();
    let hello = event(&News {
        seq: after,
        text: String::new(),
    });
    let rest = stream::unfold(
        (live, current, receiver, after),
        move |(live, current, mut receiver, mut after)| async move {
            loop {
                tokio::select! {
                    () = live.stop.cancelled() => return None,
                    () = tokio::time::sleep(RENEW_CLAIM) => {}
                    changed = receiver.changed() => changed.ok()?,
                }
                receiver.borrow_and_update();
                // Rights may have changed since the last wake, and the sign-in may have ended.
                let actor = live.lucid.refreshed(&current.actor).await.ok()??;
                if let About::Changeset(id, store) = about {
                    if !actor.may(Action::SeeChanges, store) {
                        return None;
                    }
                    // Anyone who lost the right to it keeps what is left of a claim, and no more.
                    let _ = live.lucid.renew_claim(&actor, id).await;
                }
                let mut last = None;
                loop {
                    let (news, up_to) = live.lucid.news(&actor, after).await.ok()?;
                    let more = up_to > after;
                    after = up_to;
                    last = news.into_iter().rfind(|h| about.holds(h)).or(last);
                    if !more {
                        break;
                    }
                }
                // One word for all that happened since: the page looks anew once.
                if let Some(last) = last {
                    let told = event(&News {
                        seq: after,
                        text: last.text,
                    });
                    return Some((told, (live, current, receiver, after)));
                }
            }
        },
    );
    let events = stream::once(async move { hello }).chain(rest);
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

fn event(news: &News) -> Result<Event, axum::Error> {
    Event::default().id(news.seq.to_string()).json_data(news)
}
