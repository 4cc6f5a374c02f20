//! The one text area. Leptos 0.8 does not escape the children of `<textarea>`, so this does: a text
//! that holds `</textarea><script>` stays a text. A leading line feed is written because HTML drops
//! the first one.

use leptos::prelude::*;

use super::escape::escaped;

/// A text area with a text that may be hostile.
#[component]
pub fn TextArea(
    /// Name of the field.
    name: &'static str,
    /// Id of the element.
    #[prop(into)]
    id: String,
    #[prop(into)] value: String,
    #[prop(default = 12)] rows: u32,
    /// What it is for, for those who cannot see its place.
    #[prop(into)]
    label: String,
    /// Most characters, if there is a limit.
    #[prop(optional)]
    maxlength: Option<u32>,
    /// True if something must be in it.
    #[prop(optional)]
    required: bool,
) -> impl IntoView {
    view! {
        <textarea
            name=name
            id=id
            rows=rows
            aria-label=label
            maxlength=maxlength.map(|n| n.to_string())
            required=required
            spellcheck="false"
            inner_html=format!("\n{}", escaped(&value))
        ></textarea>
    }
}
