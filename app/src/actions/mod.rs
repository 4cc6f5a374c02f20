//! Server functions: parse, actor, one service call, answer. Each has a plain address under `/do/`,
//! works as the target of a form without wasm, and answers JSON to clients that do not ask for
//! HTML.
#![expect(
    missing_docs,
    reason = "the macro makes a struct of each function's parameters; the function documents them"
)]

pub mod account;
pub mod dreams;
pub mod keys;
pub mod mappings;
pub mod memory;
pub mod people;
pub mod policies;
pub mod privacy;
pub mod questions;
pub mod recalls;
pub mod review;
pub mod stores;

use std::collections::BTreeMap;

use http::{HeaderValue, StatusCode, header, request::Parts};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use serde::{Deserialize, Serialize};
use service::{Error, Kind};

use crate::context::Request;

/// The answer of an action to a client that does not ask for HTML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// True if it was done.
    pub done: bool,
    pub location: String,
    /// Why it was not done.
    pub message: String,
}

/// The fields of a form, kept if it is refused.
pub(crate) type Fields = BTreeMap<String, String>;

/// The fields of a refused form, by name.
pub(crate) fn fields<const N: usize>(pairs: [(&str, &str); N]) -> Fields {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Answers a form: done, it leads to a page (303); refused, its input is kept and it leads back to
/// the page that shows it again.
pub(crate) async fn answer(
    request: &Request,
    result: service::Result<String>,
    back: &str,
    fields: Fields,
) -> Result<Answer, ServerFnError> {
    let wants_html = wants_html();
    let response = expect_context::<ResponseOptions>();
    let (done, location, message) = match result {
        Ok(location) => (true, location, String::new()),
        Err(error) => {
            if error.kind() == Kind::Internal {
                tracing::error!(error = &error as &dyn std::error::Error, "an action failed");
            }
            let location = if wants_html {
                refused(request, &error, back, &fields).await
            } else {
                back.to_owned()
            };
            if !wants_html {
                request.set_status(error.kind().status());
            }
            (false, location, error.message())
        }
    };
    if wants_html {
        if let Ok(to) = HeaderValue::from_str(&location) {
            response.insert_header(header::LOCATION, to);
        }
        response.set_status(StatusCode::SEE_OTHER);
    }
    Ok(Answer {
        done,
        location,
        message,
    })
}

async fn refused(request: &Request, error: &Error, back: &str, fields: &Fields) -> String {
    let user = request.current.as_ref().map(|c| c.user.id);
    let (path, anchor) = back
        .split_once('#')
        .map_or((back, ""), |(path, anchor)| (path, anchor));
    let join = if path.contains('?') { '&' } else { '?' };
    match request.lucid.keep_refused_form(user, error, fields).await {
        Ok(id) if anchor.is_empty() => format!("{path}{join}refused={id}"),
        Ok(id) => format!("{path}{join}refused={id}#{anchor}"),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a refused form could not be kept"
            );
            format!("{path}{join}trouble={}", error.kind().status())
        }
    }
}

fn wants_html() -> bool {
    let accept = use_context::<Parts>().and_then(|p| p.headers.get(header::ACCEPT).cloned());
    accept.is_some_and(|v| v.to_str().is_ok_and(|v| v.contains("text/html")))
}

/// An id from a form.
pub(crate) fn id<T: std::str::FromStr>(text: &str, what: &'static str) -> service::Result<T> {
    text.parse().map_err(|_| Error::NotFound(what))
}
