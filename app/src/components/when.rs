//! Times: relative, with the exact time and zone on hover and focus; what is not known says so.

use domain::Timestamp;
use leptos::prelude::*;

/// A point in time, or that it is not known.
#[component]
pub fn When(#[prop(into)] at: Option<Timestamp>, now: Timestamp) -> impl IntoView {
    match at {
        Some(at) => view! {
            <time datetime=at.rfc3339() data-exact=at.exact() tabindex="0">
                {at.relative_to(now)}
            </time>
        }
        .into_any(),
        None => view! { <span class="quiet">"time unknown"</span> }.into_any(),
    }
}
