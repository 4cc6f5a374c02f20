//! A running dream, live: one stream of server-sent events, closed while the tab is hidden.
#![allow(missing_docs, reason = "the macro makes a struct beside each island")]

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// What the stream says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DreamProgress {
    /// `pending`, `running`, `completed`, `failed` or `canceled`.
    pub state: String,
    /// Sessions read.
    pub sessions_done: u64,
    /// Sessions to read.
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
        match p.state.as_str() {
            "pending" => "Waits for a worker".to_owned(),
            "running" => format!("Reading: {} of {} sessions", p.sessions_done, p.sessions),
            other => format!("The dream is {other}"),
        }
    };
    view! {
        <div class="progress" role="status">
            <progress max=move || now.get().sessions.max(1) value=move || now.get().sessions_done aria-label="Sessions read"></progress>
            <span>{text}</span>
        </div>
    }
}

#[cfg(feature = "hydrate")]
fn follow(address: String, set_now: WriteSignal<DreamProgress>) {
    use std::{cell::RefCell, rc::Rc};
    use wasm_bindgen::{JsCast, prelude::Closure};
    use web_sys::{EventSource, MessageEvent, VisibilityState};

    let open: Rc<RefCell<Option<EventSource>>> = Rc::default();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let Some(progress) = event.data().as_string().and_then(|t| serde_json::from_str::<DreamProgress>(&t).ok()) else { return };
        let ended = !matches!(progress.state.as_str(), "pending" | "running");
        set_now.set(progress);
        if ended {
            let _ = window().location().reload();
        }
    });
    let callback = on_message.as_ref().unchecked_ref::<js_sys::Function>().clone();
    on_message.forget();
    let switch = move || {
        let visible = document().visibility_state() == VisibilityState::Visible;
        let mut open = open.borrow_mut();
        if !visible {
            if let Some(source) = open.take() {
                source.close();
            }
        } else if open.is_none()
            && let Ok(source) = EventSource::new(&address)
        {
            source.set_onmessage(Some(&callback));
            *open = Some(source);
        }
    };
    switch();
    let on_switch = Closure::<dyn FnMut()>::new(switch);
    let _ = document().add_event_listener_with_callback("visibilitychange", on_switch.as_ref().unchecked_ref());
    on_switch.forget();
}
