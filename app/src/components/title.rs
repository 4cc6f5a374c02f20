//! The one place that sets the document's title. `leptos_meta` writes it raw on the server, so that
//! a path with `</title>` in it would be markup; here it is escaped. A test sees to it that no
//! other file uses that component.

use leptos::prelude::*;
use leptos_meta::Title;

use super::escape::escaped;

/// Sets the document's title.
#[component]
pub fn DocumentTitle(
    /// Any text, also from agents.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <Title text=escaped(&text) /> }
}

/// Shows what is around every title.
#[component]
pub fn TitleFormat() -> impl IntoView {
    view! {
        <Title formatter=|page: String| {
            if page.is_empty() { "Lucid".to_owned() } else { format!("{page} · Lucid") }
        } />
    }
}
