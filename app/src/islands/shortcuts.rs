//! The keyboard: moves between changes and presses the buttons that are there. It adds no way that a mouse does not have.
#![allow(missing_docs, reason = "the macro makes a struct beside each island")]

use leptos::prelude::*;

/// What each key does, as the map behind `?` shows it.
pub const MAP: &[(&str, &str)] = &[
    ("j / k", "next / previous change"),
    ("a", "approve"),
    ("x", "reject: opens the reasons"),
    ("e", "edit"),
    ("d", "defer"),
    ("z", "take the decision back"),
    ("Ctrl+Enter", "commit; in a field: send its form"),
    ("g then q, m, d, s, a", "go to queue, memory, dreams, sessions, audit"),
    ("?", "this map"),
];

/// Listens for keys, and shows the map of them on `?`. Switched off in the map, it stays off in this browser.
#[island]
pub fn Shortcuts() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    keys::listen();
    let row = |&(key, what): &(&'static str, &'static str)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div> };
    view! {
        <dialog id="keys" aria-labelledby="keys-title">
            <h2 id="keys-title">"Keyboard"</h2>
            <dl>{MAP.iter().map(row).collect_view()}</dl>
            <label><input type="checkbox" id="keys-off" />" Switch single keys off in this browser"</label>
            <form method="dialog"><button>"Close"</button></form>
        </dialog>
    }
}

#[cfg(feature = "hydrate")]
mod keys {
    use std::cell::Cell;

    use leptos::prelude::{document, window};
    use wasm_bindgen::{JsCast, prelude::Closure};
    use web_sys::{Element, HtmlDetailsElement, HtmlDialogElement, HtmlElement, HtmlInputElement, KeyboardEvent};

    const OFF: &str = "lucid-keys-off";

    thread_local! {
        /// Whether the key before was `g`.
        static GOING: Cell<bool> = const { Cell::new(false) };
    }

    pub fn listen() {
        let on_key = Closure::<dyn FnMut(KeyboardEvent)>::new(|event: KeyboardEvent| {
            if press(&event) {
                event.prevent_default();
            }
        });
        let _ = document().add_event_listener_with_callback("keydown", on_key.as_ref().unchecked_ref());
        on_key.forget();
        let Some(switch) = document().get_element_by_id("keys-off").and_then(|e| e.dyn_into::<HtmlInputElement>().ok()) else { return };
        switch.set_checked(is_off());
        let source = switch.clone();
        let on_switch = Closure::<dyn FnMut()>::new(move || {
            if let Ok(Some(storage)) = window().local_storage() {
                let _ = if source.checked() { storage.set_item(OFF, "1") } else { storage.remove_item(OFF) };
            }
        });
        let _ = switch.add_event_listener_with_callback("change", on_switch.as_ref().unchecked_ref());
        on_switch.forget();
        document().document_element().map(|root| root.set_attribute("data-awake", ""));
    }

    fn is_off() -> bool {
        window().local_storage().ok().flatten().and_then(|s| s.get_item(OFF).ok().flatten()).is_some()
    }

    /// Whether the key did something.
    fn press(event: &KeyboardEvent) -> bool {
        if event.is_composing() || event.alt_key() || is_busy(event) {
            return false;
        }
        if event.ctrl_key() || event.meta_key() {
            return event.key() == "Enter" && !event.repeat() && (submit_field(event) || click("[data-key='commit']"));
        }
        if is_off() && event.key() != "?" {
            return false;
        }
        let going = GOING.replace(false);
        let key = event.key();
        if going {
            return go(&key);
        }
        match key.as_str() {
            "j" => step(1),
            "k" => step(-1),
            "g" => {
                GOING.set(true);
                true
            }
            "?" => map(),
            "a" | "d" | "z" if !event.repeat() => click_in_current(&format!("[data-key='{key}']")),
            "x" | "e" if !event.repeat() => unfold(&format!("details[data-key='{key}']")),
            _ => false,
        }
    }

    /// Whether the keys belong to something else: a field, a dialog.
    fn is_busy(event: &KeyboardEvent) -> bool {
        let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
        let in_field = target
            .is_some_and(|t| t.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog").ok().flatten().is_some());
        let keys = event.ctrl_key() || event.meta_key();
        (in_field && !(keys && event.key() == "Enter")) || document().query_selector("dialog[open]").ok().flatten().is_some()
    }

    /// In a field, Ctrl+Enter sends the field's own form and no other.
    fn submit_field(event: &KeyboardEvent) -> bool {
        let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
        let form = target.and_then(|t| t.closest("form").ok().flatten());
        let button = form.and_then(|f| f.query_selector("button").ok().flatten()).and_then(|b| b.dyn_into::<HtmlElement>().ok());
        button.map(|b| b.click()).is_some()
    }

    fn go(key: &str) -> bool {
        let to = match key {
            "q" => "/queue",
            "m" => "/stores",
            "d" => "/dreams",
            "s" => "/sessions",
            "a" => "/audit",
            _ => return false,
        };
        window().location().set_href(to).is_ok()
    }

    fn changes() -> Vec<HtmlElement> {
        let Ok(list) = document().query_selector_all("[data-change]") else { return Vec::new() };
        (0..list.length()).filter_map(|i| list.get(i)?.dyn_into().ok()).collect()
    }

    /// The change that has the focus, else the first that waits, else the first.
    fn current() -> Option<HtmlElement> {
        let focused = document().active_element().and_then(|e| e.closest("[data-change]").ok().flatten());
        focused.and_then(|e| e.dyn_into().ok()).or_else(|| {
            let waiting = document().query_selector("[data-change='pending']").ok().flatten();
            waiting.and_then(|e| e.dyn_into().ok()).or_else(|| changes().into_iter().next())
        })
    }

    fn step(by: i32) -> bool {
        let changes = changes();
        let focused = document().active_element().and_then(|e| e.closest("[data-change]").ok().flatten());
        let at = focused.and_then(|f| changes.iter().position(|c| c.is_same_node(Some(&f))));
        let last = changes.len().saturating_sub(1);
        let to = match at {
            None => 0,
            Some(at) if by > 0 => (at + 1).min(last),
            Some(at) => at.saturating_sub(1),
        };
        changes.get(to).is_some_and(|change| {
            change.scroll_into_view();
            change.focus().is_ok()
        })
    }

    fn click(selector: &str) -> bool {
        let found = document().query_selector(selector).ok().flatten().and_then(|e| e.dyn_into::<HtmlElement>().ok());
        found.map(|e| e.click()).is_some()
    }

    fn click_in_current(selector: &str) -> bool {
        let found = current().and_then(|c| c.query_selector(selector).ok().flatten()).and_then(|e| e.dyn_into::<HtmlElement>().ok());
        found.map(|e| e.click()).is_some()
    }

    fn unfold(selector: &str) -> bool {
        let details =
            current().and_then(|c| c.query_selector(selector).ok().flatten()).and_then(|e| e.dyn_into::<HtmlDetailsElement>().ok());
        let Some(details) = details else { return false };
        details.set_open(true);
        let field = details.query_selector("select, textarea").ok().flatten().and_then(|e| e.dyn_into::<HtmlElement>().ok());
        field.is_some_and(|f| f.focus().is_ok())
    }

    fn map() -> bool {
        let dialog = document().get_element_by_id("keys").and_then(|e| e.dyn_into::<HtmlDialogElement>().ok());
        dialog.is_some_and(|d| d.show_modal().is_ok())
    }
}
