//! Goes from one change to the next without loading the page anew: what a link or form marked
//! `data-swap` leads to is fetched, and its region put in place of the one that is there. The
//! server decides and renders as ever; what is seen is always what it said.
#![allow(missing_docs, reason = "the macro makes a struct beside each island")]

use leptos::prelude::*;

/// Listens on the page's regions for links and forms that are swapped.
#[island]
pub fn DeskKeys() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    swap::listen();
    view! { <div class="visually-hidden" role="status" id="desk-says"></div> }
}

/// What happens in the browser.
#[cfg(feature = "hydrate")]
pub mod swap {
    use std::cell::Cell;

    use crate::islands::{
        posting::{fields, send},
        region as own,
    };
    use leptos::{
        prelude::{document, window},
        task::spawn_local,
    };
    use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{
        CustomEvent, CustomEventInit, Document, DomParser, Element, Event, HtmlAnchorElement,
        HtmlElement, HtmlFormElement, HtmlInputElement, HtmlTextAreaElement, MouseEvent,
        RequestInit, Response, SubmitEvent, SupportedType, UrlSearchParams,
    };

    thread_local! {
        /// True if something that somebody asked for is on its way: a second decision waits for
        /// what the first one leads to.
        static BUSY: Cell<bool> = const { Cell::new(false) };
        /// How often that was asked. What renews the page by itself is dropped if somebody asked
        /// for something meanwhile.
        static ASKED: Cell<u32> = const { Cell::new(0) };
        /// When another change, or another revision of it, was last shown, in milliseconds since
        /// the epoch.
        static ARRIVED: Cell<f64> = const { Cell::new(0.0) };
    }

    /// Nobody reads a change in less than this, in milliseconds: a decision that comes sooner was
    /// meant for the one before.
    const UNSEEN_MS: f64 = 200.0;

    /// The next step once a page was fetched.
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub enum After {
        /// The address changes, and the focus goes to what is new.
        Go,
        /// Back or forward: the address has changed already.
        Back,
        /// The same page anew: focus and place stay.
        Renew,
    }

    /// Listens for clicks, forms and the way back, and records the change that is shown as seen.
    pub fn listen() {
        let on_click = Closure::<dyn FnMut(MouseEvent)>::new(|event: MouseEvent| {
            let plain = event.button() == 0
                && !event.ctrl_key()
                && !event.meta_key()
                && !event.shift_key()
                && !event.alt_key();
            let link = target(&event)
                .and_then(|t| t.closest("a[data-swap]").ok().flatten())
                .and_then(|e| e.dyn_into::<HtmlAnchorElement>().ok());
            let link = link.filter(|l| own::region().is_some_and(|r| r.contains(Some(l))));
            if let (true, Some(link)) = (plain, link) {
                event.prevent_default();
                if may_leave(None) {
                    go(link.href(), None, After::Go);
                }
            }
        });
        let _ =
            document().add_event_listener_with_callback("click", on_click.as_ref().unchecked_ref());
        on_click.forget();
        let on_submit = Closure::<dyn FnMut(SubmitEvent)>::new(|event: SubmitEvent| {
            let form = target(&event)
                .filter(|t| t.has_attribute("data-swap"))
                .and_then(|t| t.dyn_into::<HtmlFormElement>().ok());
            let form = form.filter(|f| own::region().is_some_and(|r| r.contains(Some(f))));
            let Some(form) = form else { return };
            event.prevent_default();
            if let Some(fields) = fields(&form).filter(|_| may_leave(Some(&form))) {
                // The button that was pressed may have a say of its own.
                let pressed = event
                    .submitter()
                    .map(|b| (b.get_attribute("name"), b.get_attribute("value")));
                if let Some((Some(name), Some(value))) = pressed {
                    fields.append(&name, &value);
                }
                go(form.action(), Some(fields), After::Go);
            }
        });
        let _ = document()
            .add_event_listener_with_callback("submit", on_submit.as_ref().unchecked_ref());
        on_submit.forget();
        let on_back = Closure::<dyn FnMut()>::new(|| {
            if let Ok(address) = window().location().href() {
                go(address, None, After::Back);
            }
        });
        let _ =
            window().add_event_listener_with_callback("popstate", on_back.as_ref().unchecked_ref());
        on_back.forget();
        note_seen();
    }

    /// Records that the reader saw the change: sends the page's own form for it, which is there
    /// only until it was sent.
    fn note_seen() {
        let form = own::region().and_then(|r| r.query_selector("form[data-seen]").ok().flatten());
        let Some(form) = form.and_then(|f| f.dyn_into::<HtmlFormElement>().ok()) else {
            return;
        };
        let Some(fields) = fields(&form) else { return };
        spawn_local(async move {
            if send(&form.action(), &fields)
                .await
                .is_ok_and(|answer| answer.ok())
            {
                form.remove();
            }
        });
    }

    fn target(event: &Event) -> Option<Element> {
        event.target().and_then(|t| t.dyn_into::<Element>().ok())
    }

    /// Fetches what an address leads to and puts its region in place of the one that is there. What
    /// cannot be swapped is loaded.
    pub fn go(address: String, post: Option<UrlSearchParams>, after: After) {
        let by_itself = after == After::Renew;
        if BUSY.get() {
            return;
        }
        if !by_itself {
            ASKED.set(ASKED.get().wrapping_add(1));
            set_busy(true);
        }
        let asked = ASKED.get();
        spawn_local(async move {
            let posted = post.is_some();
            let done = fetch(&address, post).await;
            if by_itself && (ASKED.get() != asked || is_in_use()) {
                return;
            }
            set_busy(false);
            match done {
                Ok((landed, page)) if put(&page, &landed, after) => {}
                // Renewing is nobody's wish in particular: it is tried again with the next news.
                _ if after == After::Renew => {}
                // What was sent may have been done; its page says so.
                Ok((landed, _)) => drop(window().location().set_href(&landed)),
                Err(_) if posted => say(
                    "Lucid did not answer. Reload the page to see whether your decision was \
                     recorded.",
                ),
                Err(_) => drop(window().location().set_href(&address)),
            }
        });
    }

    fn set_busy(busy: bool) {
        BUSY.set(busy);
        if let Some(region) = region(&document()) {
            let _ = region.set_attribute("aria-busy", if busy { "true" } else { "false" });
        }
    }

    async fn fetch(
        address: &str,
        post: Option<UrlSearchParams>,
    ) -> Result<(String, Document), JsValue> {
        let request = RequestInit::new();
        let headers = web_sys::Headers::new()?;
        headers.set("accept", "text/html")?;
        request.set_headers(&headers);
        if let Some(fields) = post {
            request.set_method("POST");
            request.set_body(&fields);
        }
        let response: Response =
            JsFuture::from(window().fetch_with_str_and_init(address, &request))
                .await?
                .dyn_into()?;
        let html = JsFuture::from(response.text()?)
            .await?
            .as_string()
            .unwrap_or_default();
        let page = DomParser::new()?.parse_from_string(&html, SupportedType::TextHtml)?;
        Ok((response.url(), page))
    }

    fn region(page: &Document) -> Option<Element> {
        let all = page
            .query_selector_all("body > main#main > [data-key-scope]")
            .ok()?;
        (all.length() == 1)
            .then(|| all.get(0)?.dyn_into::<Element>().ok())
            .flatten()
    }

    /// Puts the page's region in place of the one that is there; false if there is none of that
    /// name.
    fn put(page: &Document, landed: &str, after: After) -> bool {
        let (Some(new), Some(old)) = (region(page), region(&document())) else {
            return false;
        };
        // Another changeset has another heading and another stream: it is loaded.
        if new.id() != old.id() || new.get_attribute("data-page") != old.get_attribute("data-page")
        {
            return false;
        }
        let focused = document()
            .active_element()
            .filter(|e| old.contains(Some(e)))
            .and_then(|e| path_of(&e));
        let Ok(new) = document().import_node_with_deep(&new, true) else {
            return false;
        };
        let Ok(new) = new.dyn_into::<Element>() else {
            return false;
        };
        let _ = old.replace_with_with_node_1(&new);
        if shown_change(&new) != shown_change(&old) {
            ARRIVED.set(js_sys::Date::now());
        }
        document().set_title(&page.title());
        counts(page);
        if after == After::Go
            && let Ok(history) = window().history()
        {
            let _ = history.push_state_with_url(&JsValue::NULL, "", Some(landed));
        }
        let woken = CustomEventInit::new();
        woken.set_bubbles(true);
        if let Ok(event) = CustomEvent::new_with_event_init_dict("lucid:swapped", &woken) {
            let _ = new.dispatch_event(&event);
        }
        note_seen();
        if after == After::Renew {
            if let Some(same) = focused.and_then(|path| new.query_selector(&path).ok().flatten()) {
                focus(&same);
            }
        } else {
            arrive(&new);
        }
        true
    }

    /// The change that a region shows, with its revision.
    fn shown_change(region: &Element) -> Option<(String, Option<String>)> {
        let change = region.query_selector("article.change").ok().flatten()?;
        Some((change.id(), change.get_attribute("data-revision")))
    }

    /// Keeps the counts of the bar in step with the page.
    fn counts(page: &Document) {
        let nav = |d: &Document| d.query_selector("nav#side").ok().flatten();
        if let (Some(new), Some(old)) = (nav(page), nav(&document())) {
            old.set_inner_html(&new.inner_html());
        }
    }

    /// Focuses the refused form, else the next change, and announces what was done.
    fn arrive(region: &Element) {
        announce(region);
        let wanted = ["[role='alert']", "[data-focus]"];
        if let Some(element) = wanted
            .iter()
            .find_map(|css| region.query_selector(css).ok().flatten())
        {
            focus(&element);
        }
        window().scroll_to_with_x_and_y(0.0, 0.0);
    }

    /// Tells screen readers what was decided and how much is left.
    fn announce(region: &Element) {
        let said = |e: Element| {
            e.get_attribute("data-done")
                .filter(|text| !text.is_empty())
                .or_else(|| e.text_content())
        };
        let text = |css: &str| {
            region
                .query_selector(css)
                .ok()
                .flatten()
                .and_then(said)
                .unwrap_or_default()
        };
        if let Some(place) = document().get_element_by_id("desk-says") {
            place.set_class_name("visually-hidden");
            place.set_text_content(Some(
                format!("{}. {}.", text("[data-done]"), text("[data-left]"))
                    .trim_start_matches(". "),
            ));
        }
    }

    fn focus(element: &Element) {
        if let Some(element) = element.dyn_ref::<HtmlElement>() {
            let options = web_sys::FocusOptions::new();
            options.set_prevent_scroll(true);
            let _ = element.focus_with_options(&options);
        }
    }

    /// How the element that has the focus is found again.
    fn path_of(element: &Element) -> Option<String> {
        let by = |name: &str| {
            element.get_attribute(name).map(|v| {
                format!(
                    "{}[{name}='{}']",
                    element.tag_name().to_lowercase(),
                    v.replace('\'', "\\'")
                )
            })
        };
        if element.id().is_empty() {
            by("href").or_else(|| by("data-key")).or_else(|| by("name"))
        } else {
            Some(format!("[id='{}']", element.id()))
        }
    }

    /// Says something to everybody, also to who cannot see it.
    pub fn say(text: &str) {
        if let Some(place) = document().get_element_by_id("desk-says") {
            place.set_text_content(Some(text));
            let _ = place.class_list().remove_1("visually-hidden");
            let _ = place.class_list().add_2("notice", "bad");
        }
    }

    /// True if somebody is at work in the region: then it is not replaced under their hands.
    pub fn is_in_use() -> bool {
        let any = |css: &str| document().query_selector(css).ok().flatten().is_some();
        let typing = document().active_element().is_some_and(|e| {
            e.matches("input:not([type=checkbox]), textarea, select")
                .unwrap_or(false)
        });
        let revealed = any("[data-key-scope] [data-revealed]");
        let at_work = "[data-key-scope] details[data-key][open], [data-editing], \
            .sheet:popover-open, [data-key-scope] input[type=checkbox]:checked, dialog[open]";
        typing || revealed || BUSY.get() || has_typed(None) || any(at_work)
    }

    /// True if something was typed into a form of the region, but this one, that would be gone if
    /// the page was made anew.
    fn has_typed(but: Option<&HtmlFormElement>) -> bool {
        let typed = "[data-key-scope] form[data-swap] textarea, [data-key-scope] form[data-swap] \
            input:not([type=hidden])";
        let Ok(fields) = document().query_selector_all(typed) else {
            return false;
        };
        (0..fields.length())
            .filter_map(|i| fields.get(i)?.dyn_into::<Element>().ok())
            .any(|field| {
                let of_this = but.is_some_and(|form| form.contains(Some(&field)));
                let changed = match (
                    field.dyn_ref::<HtmlTextAreaElement>(),
                    field.dyn_ref::<HtmlInputElement>(),
                ) {
                    (Some(area), _) => area
                        .default_value()
                        .is_ok_and(|stood| stood != area.value()),
                    (_, Some(input)) => input.value() != input.default_value(),
                    _ => false,
                };
                changed && !of_this
            })
    }

    /// True if what was typed may be lost; asked only if something was.
    fn may_leave(but: Option<&HtmlFormElement>) -> bool {
        !has_typed(but)
            || window()
                .confirm_with_message("Discard your unsaved text?")
                .unwrap_or(true)
    }

    /// True if another change was shown just now, so that a key that is pressed twice would decide
    /// on what nobody has seen yet.
    pub fn is_fresh() -> bool {
        ARRIVED.get() + UNSEEN_MS > js_sys::Date::now()
    }
}
