//! What a draft of a policy would do, while it is typed: what is wrong with it, and what it would
//! apply of the changes that wait.
#![allow(missing_docs, reason = "the macro makes a struct beside each island")]

use leptos::prelude::*;

/// Says in the form that it is in what the rules would do as they are typed. Without scripts, the
/// page says it once they are saved.
#[island]
pub fn PolicyCheck() -> impl IntoView {
    #[cfg(feature = "hydrate")]
    listen::listen();
    view! { <div id="checked" class="checked quiet" role="status"></div> }
}

#[cfg(feature = "hydrate")]
mod listen {
    use std::cell::Cell;

    use leptos::{
        prelude::{document, window},
        task::spawn_local,
    };
    use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{Element, HtmlFormElement};

    use crate::islands::posting::{fields, send};

    /// How long nothing is typed before the server is asked, in milliseconds.
    const PAUSE_MS: i32 = 400;

    thread_local! {
        static WAITING: Cell<i32> = const { Cell::new(0) };
    }

    /// Checks the policy whenever nothing was typed for a moment.
    pub fn listen() {
        let Some(place) = document().get_element_by_id("checked") else {
            return;
        };
        let Some(form) = place
            .closest("form")
            .ok()
            .flatten()
            .and_then(|f| f.dyn_into::<HtmlFormElement>().ok())
        else {
            return;
        };
        let source = form.clone();
        let on_pause = Closure::<dyn FnMut()>::new(move || {
            let (form, place) = (source.clone(), place.clone());
            spawn_local(async move { drop(ask(&form, &place).await) });
        });
        let on_input = Closure::<dyn FnMut()>::new(move || {
            window().clear_timeout_with_handle(WAITING.get());
            let pause = on_pause.as_ref().unchecked_ref();
            WAITING.set(
                window()
                    .set_timeout_with_callback_and_timeout_and_arguments_0(pause, PAUSE_MS)
                    .unwrap_or_default(),
            );
        });
        let _ = form.add_event_listener_with_callback("input", on_input.as_ref().unchecked_ref());
        on_input.forget();
    }

    /// Shows what the server says of the form as it is, unless something else was typed meanwhile.
    async fn ask(form: &HtmlFormElement, place: &Element) -> Result<(), JsValue> {
        let asked = WAITING.get();
        let response = send("/do/check_policy", &fields(form).ok_or(JsValue::NULL)?).await?;
        let text = JsFuture::from(response.text()?)
            .await?
            .as_string()
            .unwrap_or_default();
        let answer = js_sys::JSON::parse(&text)?;
        if WAITING.get() == asked {
            place.set_text_content(
                js_sys::Reflect::get(&answer, &"message".into())?
                    .as_string()
                    .as_deref(),
            );
        }
        Ok(())
    }
}
