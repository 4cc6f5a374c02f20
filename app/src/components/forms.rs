//! What forms share.

use leptos::prelude::*;
use service::RefusedForm;

/// Says that a form was refused, and why.
#[component]
pub fn Refused(
    /// The refused form, if the address names one.
    form: Option<RefusedForm>,
) -> impl IntoView {
    form.map(|form| {
        view! {
            <div class="notice bad" role="alert" tabindex="-1" autofocus>
                <strong>{if form.fields.contains_key("partly") { "Not all of it was done. " } else { "Nothing was changed. " }}</strong>
                {sentence(&form.message)}
            </div>
        }
    })
}

/// A message as a sentence: it begins with a capital and ends with a full stop.
#[must_use]
pub fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let end = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}
