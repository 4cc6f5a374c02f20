//! The form token, and the fields of a form that was refused.

use leptos::prelude::*;
use service::RefusedForm;

/// Name of the field that carries the token of the web session.
pub const TOKEN: &str = "form_token";

/// The form token of the web session, provided to everything on a page as context.
#[derive(Debug, Clone)]
pub struct FormToken(pub String);

/// The field that every form of somebody who is signed in carries: the server refuses a form
/// without it, so that markup which somebody smuggled into a page cannot do anything.
pub fn form_token() -> impl IntoView {
    use_context::<FormToken>()
        .map(|FormToken(token)| view! { <input type="hidden" name=TOKEN value=token /> })
}

/// Says that a form was refused, and why.
#[component]
pub fn Refused(
    /// The refused form, if the address names one.
    form: Option<RefusedForm>,
) -> impl IntoView {
    form.map(|form| {
        view! {
            <div class="notice bad" role="alert" tabindex="-1" autofocus>
                <strong>
                    {if form.fields.contains_key("partly") {
                        "Partly done. "
                    } else {
                        "Not saved. "
                    }}
                </strong>
                {sentence(&form.message)}
            </div>
        }
    })
}

/// Returns what was typed into a field of a form that was refused.
pub fn kept(refused: Option<&RefusedForm>, name: &str) -> Option<String> {
    refused.and_then(|form| form.fields.get(name).cloned())
}

/// The options of a choice between words, one of them chosen.
pub fn choices<T: std::fmt::Display>(all: &[T], chosen: &str) -> impl IntoView + use<T> {
    let option = |word: String| view! { <option selected=word == chosen>{word.clone()}</option> };
    all.iter().map(|one| option(one.to_string())).collect_view()
}

/// A message as a sentence: it begins with a capital and ends with a full stop.
#[must_use]
pub fn sentence(message: &str) -> String {
    let end = if message.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{}{end}", capital(message))
}

/// A text with a capital at its beginning.
#[must_use]
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .collect();
    format!("{first}{}", chars.as_str())
}
