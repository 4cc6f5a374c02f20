//! Server-sent events: how far a dream is. One stream a page; rights are checked at each wake, and it ends with the dream or the server.

use std::{convert::Infallible, time::Duration};

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
use domain::ids::DreamId;
use futures::stream;
use service::Lucid;
use tokio_util::sync::CancellationToken;

/// How often the dream is looked at.
const WAKE: Duration = Duration::from_millis(400);

/// What the streams need.
#[derive(Clone)]
pub struct Live {
    /// The use cases.
    pub lucid: Lucid,
    /// Ends every stream when the server stops.
    pub stop: CancellationToken,
}

/// The stream of one dream.
pub async fn dream(State(live): State<Live>, Extension(current): Extension<Current>, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse::<DreamId>() else { return StatusCode::NOT_FOUND.into_response() };
    if live.lucid.dream_row(&current.actor, id).await.is_err() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let events = stream::unfold(Some((live, current)), move |state| async move {
        let (live, current) = state?;
        tokio::select! {
            () = live.stop.cancelled() => return None,
            () = tokio::time::sleep(WAKE) => {}
        }
        // Rights may have changed since the last wake.
        let (actor, _) = live.lucid.actor(current.user.id).await.ok()??;
        let dream = live.lucid.dream_row(&actor, id).await.ok()?;
        let progress: serde_json::Value = serde_json::from_str(&dream.progress).unwrap_or_default();
        let count = |key: &str| progress[key].as_u64().unwrap_or(0);
        let ended = !matches!(dream.state.as_str(), "pending" | "running");
        let told = DreamProgress { state: dream.state, sessions_done: count("sessions_done"), sessions: count("sessions") };
        let event = Event::default().json_data(told).ok()?;
        Some((Ok::<_, Infallible>(event), (!ended).then_some((live, current))))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}
