//! What every form under `/do/` goes through before its action: it carries the token of the web
//! session, and one that cannot be read is refused on its own page.

use app::{actions::account::encoded, components::forms::TOKEN, context::Current};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use service::{Error, Lucid};

use super::{BODY_BYTES, guard::plain};

/// The header in which a client that is no form sends the token.
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-form-token");
/// The message about a form that cannot be read.
const UNREADABLE: &str = "the form came without a field that it needs, or with one that cannot be \
    read; reload the page and try again";

/// Lets an action run only for a form of the reader's own page.
pub async fn own(State(lucid): State<Lucid>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let current = request.extensions().get::<Current>().cloned();
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY_BYTES).await else {
        return plain(
            StatusCode::BAD_REQUEST,
            "The form broke off, or is too large.",
        );
    };
    if let Some(current) = &current
        && !signs_out_of_nothing(&parts.uri)
        && !is_own(&parts.headers, &bytes, &current.form_token)
    {
        tracing::warn!(
            path = parts.uri.path(),
            "a form without the token of its web session was refused"
        );
        return foreign();
    }
    let (headers, wants_html) = (parts.headers.clone(), wants_html(&parts.headers));
    let response = next
        .run(Request::from_parts(parts, Body::from(bytes)))
        .await;
    if !is_unreadable(&response) {
        return response;
    }
    if !wants_html {
        return plain(StatusCode::UNPROCESSABLE_ENTITY, UNREADABLE);
    }
    refused(&lucid, current.map(|c| c.user.id), &headers).await
}

/// Actions of somebody who proves who they are anew: their form may be older than the web session.
fn signs_out_of_nothing(uri: &Uri) -> bool {
    matches!(
        uri.path(),
        "/do/sign_in" | "/do/use_link" | "/do/request_access"
    )
}

/// True if a form carries the token, in its field or in the header.
pub fn is_own(headers: &HeaderMap, bytes: &[u8], token: &str) -> bool {
    let in_header = headers
        .get(TOKEN_HEADER)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|sent| sent == token);
    in_header
        || url::form_urlencoded::parse(bytes).any(|(name, value)| name == TOKEN && value == token)
}

/// The answer to a form that is not of the reader's own page.
pub fn foreign() -> Response {
    plain(
        StatusCode::FORBIDDEN,
        "Nothing was done: this form is not from a page of your present sign-in. Go back, reload \
         the page, and send it again.",
    )
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.contains("text/html"))
}

/// True if the server functions could not read their arguments: to a browser they answer with 302
/// and the error in the address, to others with 500 and a header. Actions of ours answer with
/// neither.
fn is_unreadable(response: &Response) -> bool {
    response.status() == StatusCode::FOUND || response.headers().contains_key("serverfnerror")
}

/// Leads back to the page that the form is on, which says what is wrong and answers with 422.
async fn refused(
    lucid: &Lucid,
    user: Option<domain::ids::UserId>,
    headers: &HeaderMap,
) -> Response {
    let page = headers
        .get(header::REFERER)
        .and_then(|v| v.to_str().ok())
        .and_then(|r| r.parse::<Uri>().ok());
    let path = page.as_ref().map_or("/queue", Uri::path);
    let path = if path.starts_with("/do/") || path.starts_with("//") {
        "/queue"
    } else {
        path
    };
    let error = Error::Invalid(UNREADABLE.to_owned());
    match lucid
        .keep_refused_form(user, &error, &std::collections::BTreeMap::new())
        .await
    {
        Ok(id) => Redirect::to(&format!("{}?refused={id}", encoded(path))).into_response(),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a refused form could not be kept"
            );
            plain(StatusCode::UNPROCESSABLE_ENTITY, UNREADABLE)
        }
    }
}
