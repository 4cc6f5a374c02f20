//! The change of the row that has the focus, beside the queue: the desk's page of it is fetched,
//! and what is to be judged shown without anything that could decide.
#![allow(missing_docs, reason = "the macro makes a struct beside each island")]

use leptos::prelude::*;

/// Shows a preview of the row that has the focus; of the first row as long as none has.
#[island]
pub fn Preview() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    listen::listen();
    view! { <div id="preview" class="preview" aria-live="off"></div> }
}

#[cfg(feature = "hydrate")]
mod listen {
    use std::cell::{Cell, RefCell};

    use leptos::{
        prelude::{document, window},
        task::spawn_local,
    };
    use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{DomParser, Element, Event, HtmlAnchorElement, Response, SupportedType};

    use crate::islands::region::region;

    thread_local! {
        /// The address that is shown, or on its way.
        static SHOWN: RefCell<String> = const { RefCell::new(String::new()) };
        static LISTENING: Cell<bool> = const { Cell::new(false) };
    }

    /// Previews the first row, then each row that gets the focus.
    pub fn listen() {
        SHOWN.take();
        if let Some(first) =
            region().and_then(|r| r.query_selector("[data-row] a[data-open]").ok().flatten())
        {
            show(first);
        }
        // The island wakes anew each time the queue is renewed; the document stays.
        if LISTENING.replace(true) {
            return;
        }
        let on_focus = Closure::<dyn FnMut(Event)>::new(|event: Event| {
            let row = event
                .target()
                .and_then(|t| t.dyn_into::<Element>().ok())
                .and_then(|e| e.closest("[data-row]").ok().flatten());
            if let Some(link) = row.and_then(|r| r.query_selector("a[data-open]").ok().flatten()) {
                show(link);
            }
        });
        let _ = document()
            .add_event_listener_with_callback("focusin", on_focus.as_ref().unchecked_ref());
        on_focus.forget();
    }

    /// Fetches and shows what a row's link leads to. Where there is no room for it, nothing is
    /// fetched.
    fn show(link: Element) {
        let Some(place) = document().get_element_by_id("preview") else {
            return;
        };
        let Ok(link) = link.dyn_into::<HtmlAnchorElement>() else {
            return;
        };
        let address = link.href();
        if place.get_bounding_client_rect().width() < 1.0 || SHOWN.with_borrow(|s| *s == address) {
            return;
        }
        SHOWN.set(address.clone());
        spawn_local(async move {
            let article = fetch(&address).await;
            if SHOWN.with_borrow(|s| *s != address) {
                return;
            }
            match article {
                Ok(Some(article)) => place.replace_children_with_node_1(&article),
                _ => place.set_text_content(Some("This change could not be loaded.")),
            }
        });
    }

    /// The article of a desk's page, without forms and without what keys and focus look for.
    async fn fetch(address: &str) -> Result<Option<Element>, JsValue> {
        let response: Response = JsFuture::from(window().fetch_with_str(address))
            .await?
            .dyn_into()?;
        let html = JsFuture::from(response.text()?)
            .await?
            .as_string()
            .unwrap_or_default();
        let page = DomParser::new()?.parse_from_string(&html, SupportedType::TextHtml)?;
        let Some(article) = page.query_selector("body > main#main article.change")? else {
            return Ok(None);
        };
        let each = |css: &str, act: &dyn Fn(&Element)| {
            let Ok(all) = article.query_selector_all(css) else {
                return;
            };
            (0..all.length())
                .filter_map(|i| all.get(i)?.dyn_into::<Element>().ok())
                .for_each(|e| act(&e));
        };
        each("form, leptos-island, [data-seen]", &|e| e.remove());
        each("[id]", &|e| drop(e.remove_attribute("id")));
        each("[data-key]", &|e| drop(e.remove_attribute("data-key")));
        for name in ["id", "data-focus", "tabindex", "aria-labelledby"] {
            article.remove_attribute(name)?;
        }
        document()
            .import_node_with_deep(&article, true)?
            .dyn_into()
            .map(Some)
            .map_err(JsValue::from)
    }
}
