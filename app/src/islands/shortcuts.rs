//! The keyboard: moves between changes and presses the buttons that are there. It adds no way that
//! a mouse does not have, and it acts in the page's own region only: markup from anywhere else is
//! never pressed.
#![allow(missing_docs, reason = "the macro makes a struct beside each island")]

use leptos::prelude::*;

/// Each key with its effect, as the map behind `?` shows it.
pub const MAP: &[(&str, &str)] = &[
    (
        "A",
        "Approve; asks for the password where the approval is signed",
    ),
    ("X", "Reject: opens the reasons, 1 to 7 chooses one"),
    ("E", "Edit, or resolve a conflict"),
    ("D", "Defer"),
    (
        "H",
        "Hold for review a change that a policy would apply (desk, queue)",
    ),
    ("T", "Withdraw my decision"),
    ("Z", "Undo my last decision, up to ten"),
    ("C", "Comment"),
    ("R", "Claim or release the changeset"),
    ("J / K", "Next / previous change or row"),
    ("[ / ]", "Previous / next changeset"),
    ("O", "Open the row, or the quote in its session"),
    ("N / P", "Next / previous quote"),
    (". / ,", "Next / previous difference"),
    ("V", "Next view of the diff: unified, split, preview"),
    ("M", "Reveal or mask"),
    ("I", "Related memories and past decisions"),
    ("Space", "Select"),
    ("B", "Review selected"),
    ("1 to 8", "Choose a reason or an answer"),
    ("Ctrl+Enter", "Send the open form; else commit"),
    ("Ctrl+K", "Search"),
    ("/", "Filter this page"),
    (
        "G, then Q U I M D S L A",
        "Go to queue, questions, inbox, memory, dreams, sessions, policies, audit",
    ),
    ("Esc", "Close, or discard an edit"),
    ("?", "This list"),
];

/// Listens for keys, and shows the map of them on `?`. Switched off in the map, it stays off in
/// this browser.
#[island]
pub fn Shortcuts() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    keys::listen();
    let row = |&(key, what): &(&'static str, &'static str)| {
        view! {
            <div>
                <dt>
                    <kbd>{key}</kbd>
                </dt>
                <dd>{what}</dd>
            </div>
        }
    };
    view! {
        <dialog id="keys" aria-labelledby="keys-title">
            <h2 id="keys-title">"Keyboard shortcuts"</h2>
            <dl>{MAP.iter().map(row).collect_view()}</dl>
            <label>
                <input type="checkbox" id="keys-off" />
                " Switch off single keys in this browser"
            </label>
            <form method="dialog">
                <button>"Close"</button>
            </form>
        </dialog>
    }
}

#[cfg(feature = "hydrate")]
mod keys {
    use std::cell::Cell;

    use crate::islands::{desk::swap, region::region};
    use leptos::prelude::{document, window};
    use wasm_bindgen::{JsCast, prelude::Closure};
    use web_sys::{
        Element, HtmlDetailsElement, HtmlDialogElement, HtmlElement, HtmlInputElement,
        KeyboardEvent,
    };

    const OFF: &str = "lucid-keys-off";

    thread_local! {
        /// True if the key before was `g`.
        static GOING: Cell<bool> = const { Cell::new(false) };
    }

    /// Listens for keys, and wires the switch and the button of the map of keys.
    pub fn listen() {
        let on_key = Closure::<dyn FnMut(KeyboardEvent)>::new(|event: KeyboardEvent| {
            if press(&event) {
                event.prevent_default();
            }
        });
        let _ =
            document().add_event_listener_with_callback("keydown", on_key.as_ref().unchecked_ref());
        on_key.forget();
        let Some(switch) = document()
            .get_element_by_id("keys-off")
            .and_then(|e| e.dyn_into::<HtmlInputElement>().ok())
        else {
            return;
        };
        switch.set_checked(is_off());
        let source = switch.clone();
        let on_switch = Closure::<dyn FnMut()>::new(move || {
            if let Ok(Some(storage)) = window().local_storage() {
                let _ = if source.checked() {
                    storage.set_item(OFF, "1")
                } else {
                    storage.remove_item(OFF)
                };
            }
        });
        let _ =
            switch.add_event_listener_with_callback("change", on_switch.as_ref().unchecked_ref());
        on_switch.forget();
        document()
            .document_element()
            .map(|root| root.set_attribute("data-awake", ""));
        if let Some(button) = document()
            .query_selector("#user [data-keys-map]")
            .ok()
            .flatten()
        {
            let on_click = Closure::<dyn FnMut()>::new(|| {
                map();
            });
            let _ =
                button.add_event_listener_with_callback("click", on_click.as_ref().unchecked_ref());
            on_click.forget();
        }
    }

    fn is_off() -> bool {
        window()
            .local_storage()
            .ok()
            .flatten()
            .and_then(|s| s.get_item(OFF).ok().flatten())
            .is_some()
    }

    /// True if the key did something.
    fn press(event: &KeyboardEvent) -> bool {
        if event.is_composing() || event.alt_key() {
            return false;
        }
        if is_busy(event) {
            return event.key() == "Escape" && leave_field();
        }
        if event.ctrl_key() || event.meta_key() {
            return match event.key().as_str() {
                "Enter" if !event.repeat() => {
                    submit_sheet()
                        || submit_field(event)
                        || submit_open()
                        || click("[data-key='commit']")
                }
                "k" => window().location().set_href("/search").is_ok(),
                _ => false,
            };
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
            "j" | "k" => {
                click(&format!("a[data-key='{key}']"))
                    || step("[data-row] a[data-open]", if key == "j" { 1 } else { -1 })
            }
            "n" | "p" => step("[data-quote]", if key == "n" { 1 } else { -1 }),
            "." | "," => step("[data-difference]", if key == "." { 1 } else { -1 }),
            "o" => open(),
            "g" => {
                GOING.set(true);
                true
            }
            "?" => map(),
            "/" => focus_on("input[data-key='/']"),
            " " => choose(),
            "a" | "t" | "r" if swap::is_fresh() => true,
            "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" if !event.repeat() => {
                choose_reason(&key) || press_in_row(&key)
            }
            "a" if !event.repeat() => approve(),
            "b" if !event.repeat() => click("button[data-key='bulk']"),
            "h" if !event.repeat() && find("[data-row]").is_some() => press_in_row(&key),
            "e" | "t" | "z" | "v" | "m" | "r" | "i" | "h" | "[" | "]" if !event.repeat() => {
                click(&format!("[data-key='{key}']"))
            }
            "x" | "d" | "c" if !event.repeat() => unfold(&format!("details[data-key='{key}']")),
            "Escape" => fold() || click("a[data-key='cancel']"),
            _ => false,
        }
    }

    /// True if the keys belong to something else: a field, a dialog.
    fn is_busy(event: &KeyboardEvent) -> bool {
        let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
        let in_field = target.is_some_and(|t| {
            t.closest(
                "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], \
                 dialog",
            )
            .ok()
            .flatten()
            .is_some()
        });
        let keys = event.ctrl_key() || event.meta_key();
        (in_field && !(keys && event.key() == "Enter"))
            || document()
                .query_selector("dialog[open]")
                .ok()
                .flatten()
                .is_some()
    }

    /// In a field, Ctrl+Enter sends the field's own form and no other.
    fn submit_field(event: &KeyboardEvent) -> bool {
        let target = event.target().and_then(|t| t.dyn_into::<Element>().ok());
        let target = target.filter(|t| {
            t.matches("input:not([type=checkbox]), textarea, select")
                .unwrap_or(false)
        });
        target
            .and_then(|t| t.closest("form").ok().flatten())
            .is_some_and(|form| submit(&form))
    }

    /// The sheet that is open before a commit is confirmed.
    fn submit_sheet() -> bool {
        find(".sheet:popover-open form").is_some_and(|form| submit(&form))
    }

    /// The form that is open to decide is sent from anywhere.
    fn submit_open() -> bool {
        let open = find("details[data-key][open] form, form[data-editing]");
        open.is_some_and(|form| submit(&form))
    }

    /// Presses a form's button: its own, or the one that names it.
    fn submit(form: &Element) -> bool {
        let named =
            find(&format!("button[form='{}']", form.id())).filter(|_| !form.id().is_empty());
        let button = form
            .query_selector("button")
            .ok()
            .flatten()
            .or(named)
            .and_then(|b| b.dyn_into::<HtmlElement>().ok());
        button.map(|b| b.click()).is_some()
    }

    /// Chooses a reason of the rejection that is open.
    fn choose_reason(key: &str) -> bool {
        let reason = find(&format!(
            "details[data-key='x'][open] input[data-choice='{key}']"
        ))
        .and_then(|e| e.dyn_into::<HtmlElement>().ok());
        reason.is_some_and(|r| {
            r.click();
            r.focus().is_ok()
        })
    }

    fn go(key: &str) -> bool {
        let to = match key {
            "q" => "/queue",
            "u" => "/questions",
            "i" => "/inbox",
            "m" => "/stores",
            "d" => "/dreams",
            "s" => "/sessions",
            "p" => "/people",
            "l" => "/policies",
            "a" => "/audit",
            _ => return false,
        };
        window().location().set_href(to).is_ok()
    }

    /// The first control of that kind in the region in which keys act.
    fn find(selector: &str) -> Option<Element> {
        region()?.query_selector(selector).ok().flatten()
    }

    /// Moves the focus by so many among what the selector finds; from nowhere, to the first.
    fn step(selector: &str, by: i32) -> bool {
        let Some(Ok(list)) = region().map(|r| r.query_selector_all(selector)) else {
            return false;
        };
        let all: Vec<HtmlElement> = (0..list.length())
            .filter_map(|i| list.get(i)?.dyn_into().ok())
            .collect();
        let focused = document().active_element();
        let at = focused.and_then(|f| {
            all.iter()
                .position(|e| e.is_same_node(Some(&f)) || e.contains(Some(&f)))
        });
        let last = all.len().saturating_sub(1);
        let to = match at {
            None => 0,
            Some(at) if by > 0 => (at + 1).min(last),
            Some(at) => at.saturating_sub(1),
        };
        let Some(next) = all.get(to) else {
            return false;
        };
        // What is folded away cannot take the focus.
        while let Some(fold) = next.closest("details:not([open])").ok().flatten() {
            let _ = fold.set_attribute("open", "");
        }
        next.focus().is_ok()
    }

    /// Returns what has the focus, if it is in the region.
    fn in_region() -> Option<Element> {
        let focused = document().active_element()?;
        region()?.contains(Some(&focused)).then_some(focused)
    }

    /// Opens what has the focus, or is inside of it.
    fn open() -> bool {
        let focused = in_region();
        let link = focused.and_then(|f| {
            if f.has_attribute("data-open") {
                Some(f)
            } else {
                f.query_selector("a[data-open]").ok().flatten()
            }
        });
        let link = link.or_else(|| find("[data-row] a[data-open]"));
        link.and_then(|l| l.dyn_into::<HtmlElement>().ok())
            .map(|l| l.click())
            .is_some()
    }

    /// Chooses the row that has the focus, or the change that is open.
    fn choose() -> bool {
        // A box that has the focus takes the key itself.
        if document()
            .active_element()
            .is_some_and(|e| e.matches("input").unwrap_or(false))
        {
            return false;
        }
        let row = in_region().and_then(|e| e.closest("[data-row]").ok().flatten());
        let here = |row: Element| row.query_selector("input[type=checkbox]").ok().flatten();
        let found = match row {
            Some(row) => here(row),
            None => find("input[type=checkbox][data-key=' ']"),
        };
        let on_button = document().active_element().is_some_and(|e| {
            e.matches("button, summary, a:not([data-open])")
                .unwrap_or(false)
        });
        !on_button
            && found
                .and_then(|e| e.dyn_into::<HtmlElement>().ok())
                .map(|e| e.click())
                .is_some()
    }

    /// Presses the button of that key in the row that has the focus, and in no other: nothing is
    /// decided that one does not look at.
    fn press_in_row(key: &str) -> bool {
        let row = in_region().and_then(|e| e.closest("[data-row]").ok().flatten());
        let button = row.and_then(|r| {
            r.query_selector(&format!("button[data-key='{key}']"))
                .ok()
                .flatten()
        });
        button
            .and_then(|b| b.dyn_into::<HtmlElement>().ok())
            .map(|b| b.click())
            .is_some()
    }

    /// Approves; where it is signed, and the password is not there yet, goes to its field.
    fn approve() -> bool {
        let Some(button) = find("[data-key='a']") else {
            return false;
        };
        let password = button
            .closest("form")
            .ok()
            .flatten()
            .and_then(|f| f.query_selector("input[type=password]").ok().flatten());
        match password.and_then(|p| p.dyn_into::<HtmlInputElement>().ok()) {
            Some(field) if field.value().is_empty() => field.focus().is_ok(),
            _ => click("[data-key='a']"),
        }
    }

    /// Gives the focus from a field back to the change.
    fn leave_field() -> bool {
        let in_dialog = document()
            .query_selector("dialog[open]")
            .ok()
            .flatten()
            .is_some();
        !in_dialog
            && (focus_on("article[data-focus]")
                || document()
                    .active_element()
                    .and_then(|e| e.dyn_into::<HtmlElement>().ok())
                    .is_some_and(|e| e.blur().is_ok()))
    }

    /// Closes what was unfolded to decide.
    fn fold() -> bool {
        let open =
            find("details[data-key][open]").and_then(|e| e.dyn_into::<HtmlDetailsElement>().ok());
        open.map(|d| d.set_open(false)).is_some()
    }

    fn focus_on(selector: &str) -> bool {
        let found = find(selector).and_then(|e| e.dyn_into::<HtmlElement>().ok());
        found.is_some_and(|e| e.focus().is_ok())
    }

    fn click(selector: &str) -> bool {
        let found = find(selector).and_then(|e| e.dyn_into::<HtmlElement>().ok());
        found.map(|e| e.click()).is_some()
    }

    fn unfold(selector: &str) -> bool {
        let details = find(selector).and_then(|e| e.dyn_into::<HtmlDetailsElement>().ok());
        let Some(details) = details else { return false };
        // One thing at a time: the bar has room for one.
        fold();
        details.set_open(true);
        let field = details
            .query_selector("select, textarea, input:not([type=hidden])")
            .ok()
            .flatten();
        field
            .and_then(|e| e.dyn_into::<HtmlElement>().ok())
            .is_some_and(|f| f.focus().is_ok())
    }

    fn map() -> bool {
        let dialog = document()
            .get_element_by_id("keys")
            .and_then(|e| e.dyn_into::<HtmlDialogElement>().ok());
        dialog.is_some_and(|d| d.show_modal().is_ok())
    }
}
