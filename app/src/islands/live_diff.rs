//! The diff beside an editor, as one types.
#![allow(missing_docs, reason = "the macro makes a struct beside each island")]

use leptos::prelude::*;

use crate::components::diff::Diff;

/// Shows what an edit would change, as it is typed into the text area of that id.
#[island]
pub fn LiveDiff(
    /// Id of the text area.
    area: String,
    /// The text that is in the memory; empty for a new one.
    base: String,
    /// The text that is proposed.
    proposed: String,
) -> impl IntoView {
    let (now, set_now) = signal(proposed);
    #[cfg(feature = "hydrate")]
    listen(&area, set_now);
    #[cfg(not(feature = "hydrate"))]
    let _ = (area, set_now);
    view! {
        <div class="live-diff" aria-live="off">
            {move || view! { <Diff before=base.clone() after=now.get() /> }}
        </div>
    }
}

#[cfg(feature = "hydrate")]
fn listen(area: &str, set_now: WriteSignal<String>) {
    use wasm_bindgen::{JsCast, prelude::Closure};
    let Some(area) = document()
        .get_element_by_id(area)
        .and_then(|e| e.dyn_into::<web_sys::HtmlTextAreaElement>().ok())
    else {
        return;
    };
    super::conflicts::listen(&area);
    let source = area.clone();
    let on_input = Closure::<dyn FnMut()>::new(move || set_now.set(source.value()));
    // The page owns the listener for as long as it lives.
    let _ = area.add_event_listener_with_callback("input", on_input.as_ref().unchecked_ref());
    on_input.forget();
}
