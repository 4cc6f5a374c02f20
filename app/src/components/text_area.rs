//! The one text area. Leptos 0.8 does not escape the children of `<textarea>`, so this does: a text that holds
//! `</textarea><script>` stays a text. A leading line feed is written because HTML drops the first one.

use leptos::prelude::*;

/// A text area with a text that may be hostile.
#[component]
pub fn TextArea(
    /// Name of the field.
    name: &'static str,
    /// Id of the element.
    #[prop(into)]
    id: String,
    /// What stands in it.
    #[prop(into)]
    value: String,
    /// Lines shown.
    #[prop(default = 12)]
    rows: u32,
    /// What it is for, for those who cannot see its place.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    view! { <textarea name=name id=id rows=rows aria-label=label spellcheck="false" inner_html=escaped(&value)></textarea> }
}

/// The text as the content of a `<textarea>`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    out.push('\n');
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_ends_the_text_area() {
        assert_eq!(escaped("</textarea><script>&"), "\n&lt;/textarea&gt;&lt;script&gt;&amp;");
    }
}
