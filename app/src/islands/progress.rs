//! A running dream, live: one stream of server-sent events, closed while the tab is hidden.
#![allow(missing_docs, reason = "the macro makes a struct beside each island")]

use domain::dream_state::DreamState;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// One message of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DreamProgress {
    pub state: DreamState,
    pub sessions_done: u64,
    pub sessions: u64,
}

/// How far a dream is; the page loads anew when it has ended.
#[island]
pub fn LiveProgress(
    /// Address of the stream.
    stream: String,
    /// Where it was when the page was made.
    start: DreamProgress,
) -> impl IntoView {
    let (now, set_now) = signal(start);
    #[cfg(feature = "hydrate")]
    follow(stream, set_now);
    #[cfg(not(feature = "hydrate"))]
    let _ = (stream, set_now);
    let text = move || {
        let p = now.get();
        match p.state {
            DreamState::Pending => "Waits for a worker".to_owned(),
            DreamState::Running => {
                format!("Reading: {} of {} sessions", p.sessions_done, p.sessions)
            }
            other => format!("The dream is {other}"),
        }
    };
    view! {
        <div class="progress" role="status">
            <progress
                max=move || now.get().sessions.max(1)
                value=move || now.get().sessions_done
                aria-label="Sessions read"
            ></progress>
            <span>{text}</span>
        </div>
    }
}

#[cfg(feature = "hydrate")]
fn follow(address: String, set_now: WriteSignal<DreamProgress>) {
    super::stream::follow(address, move |text| {
        let Ok(progress) = serde_json::from_str::<DreamProgress>(&text) else {
            return;
        };
        let ended = progress.state.has_ended();
        set_now.set(progress);
        if ended {
            let _ = window().location().reload();
        }
    });
}
