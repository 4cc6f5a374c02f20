//! The browser's half: wakes the islands that the server rendered. It holds nothing else.
#![cfg(target_arch = "wasm32")]

// The islands register themselves; naming the crate links them in.
use app as _;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called once by the page's boot script.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
