//! The part of a page that scripts may act in: what the server rendered inside the one `main`.
//! Where a page has two, something put markup into it, and scripts do nothing.

use leptos::prelude::document;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// The region, if the page is as the server made it.
pub fn region() -> Option<Element> {
    let all = document().query_selector_all("main, [id='main']").ok()?;
    if all.length() != 1 {
        return None;
    }
    let main = all.get(0)?.dyn_into::<Element>().ok()?;
    main.matches("body > main#main")
        .unwrap_or(false)
        .then_some(main)
}
