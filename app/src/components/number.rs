//! A number that matters, with what it means on hover and focus.

use leptos::prelude::*;

/// A number in words, with what it means.
#[component]
pub fn Number(
    /// As it is read: `6 of 100 sessions`.
    #[prop(into)]
    text: String,
    means: &'static str,
) -> impl IntoView {
    view! {
        <span class="number-of" tabindex="0" data-means=means>
            {text}
            <span class="visually-hidden">" ("{means}")"</span>
        </span>
    }
}
