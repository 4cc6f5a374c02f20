//! Sends a form from a script, as the browser itself would send it.

use leptos::prelude::window;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{FormData, Headers, HtmlFormElement, RequestInit, Response, UrlSearchParams};

/// A form's fields as they go over the wire.
pub fn fields(form: &HtmlFormElement) -> Option<UrlSearchParams> {
    let data = FormData::new_with_form(form).ok()?;
    let fields = UrlSearchParams::new().ok()?;
    for entry in data.entries() {
        let pair = js_sys::Array::from(&entry.ok()?);
        fields.append(&pair.get(0).as_string()?, &pair.get(1).as_string()?);
    }
    Some(fields)
}

/// Sends fields and asks for JSON.
pub async fn send(address: &str, fields: &UrlSearchParams) -> Result<Response, JsValue> {
    let request = RequestInit::new();
    let headers = Headers::new()?;
    headers.set("accept", "application/json")?;
    request.set_headers(&headers);
    request.set_method("POST");
    request.set_body(fields);
    JsFuture::from(window().fetch_with_str_and_init(address, &request))
        .await?
        .dyn_into()
}
