//! Who is signed in, and the headers that every answer carries.

use std::{fmt::Write, time::Duration};

use app::{
    actions::account::{SIGNED_IN_AT, USER, encoded},
    context::Current,
};
use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use domain::{Timestamp, ids::UserId};
use futures::StreamExt;
use service::{Lucid, form_token, web_session_of};
use tower_sessions::Session;

use crate::api::ApiError;

/// A web session ends so long after signing in, whatever happens; in seconds.
const ABSOLUTE_SECONDS: i64 = 24 * 3_600;
/// The idle limit slides only when the session is written; it is, at most so often, in seconds.
const TOUCH_SECONDS: i64 = 300;
const TOUCHED_AT: &str = "touched_at";
/// Bytes of a body over the limit that are read and thrown away, at most.
const DRAINED_BYTES: usize = 64 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// Pages and actions that need nobody signed in; files and the health check are outside of this
/// altogether.
fn is_public(path: &str) -> bool {
    matches!(
        path,
        "/sign-in"
            | "/request-access"
            | "/styleguide"
            | "/do/sign_in"
            | "/do/use_link"
            | "/do/request_access"
    ) || path.starts_with("/link/")
}

/// Puts who is signed in into the request; who is not is led to the sign-in page.
pub async fn signed_in(
    State(lucid): State<Lucid>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    match current(&lucid, &session).await {
        Ok(Some(current)) => {
            super::requests::acts(request.extensions(), current.actor.who);
            request.extensions_mut().insert(current);
        }
        Ok(None) if is_public(&path) => {}
        Ok(None) if request.method() == Method::GET => {
            let wanted = request
                .uri()
                .path_and_query()
                .map_or("/queue", |p| p.as_str());
            return Redirect::to(&format!("/sign-in?next={}", encoded(wanted))).into_response();
        }
        Ok(None) => return session_ended(&request),
        Err(()) => {
            return (
                StatusCode::SERVICE_UNAVAILABLE,
                "Lucid cannot reach its database. Try again in a moment.",
            )
                .into_response();
        }
    }
    next.run(request).await
}

/// Returns what was sent cannot be done without knowing who sent it; the way back is shown, and the
/// browser's own way back still has the text.
fn session_ended(request: &Request) -> Response {
    let referer = request
        .headers()
        .get(header::REFERER)
        .and_then(|v| v.to_str().ok())
        .and_then(|r| r.parse::<Uri>().ok());
    let next = referer.map_or_else(|| "/queue".to_owned(), |r| r.path().to_owned());
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><title>Sign in again · Lucid</title><h1>Your session has \
            ended</h1>\
         <p>Nothing was done. Go back in your browser to see what you had typed and copy it, or \
         <a href=\"/sign-in?next={}\">sign in again</a>.</p></html>",
        encoded(&next)
    );
    (StatusCode::UNAUTHORIZED, Html(page)).into_response()
}

async fn current(lucid: &Lucid, session: &Session) -> Result<Option<Current>, ()> {
    let user: Option<UserId> = session.get(USER).await.map_err(unreadable)?;
    let Some(user) = user else { return Ok(None) };
    let since: Option<Timestamp> = session.get(SIGNED_IN_AT).await.map_err(unreadable)?;
    let now = lucid.now();
    if since.is_none_or(|at| at.plus_seconds(ABSOLUTE_SECONDS) <= now) {
        session.flush().await.map_err(unreadable)?;
        return Ok(None);
    }
    let touched: Option<Timestamp> = session.get(TOUCHED_AT).await.map_err(unreadable)?;
    if touched.is_none_or(|at| at.plus_seconds(TOUCH_SECONDS) <= now) {
        session.insert(TOUCHED_AT, now).await.map_err(unreadable)?;
    }
    let Some(id) = session.id().map(|id| id.0.to_be_bytes()) else {
        return Ok(None);
    };
    // Anyone who was disabled, or whose sign-in ended elsewhere, is nobody here.
    let found = lucid
        .actor(user, Some(web_session_of(&id)))
        .await
        .map_err(unreadable)?;
    Ok(found.map(|(actor, user)| Current {
        actor,
        user,
        form_token: form_token(&id),
    }))
}

fn unreadable(error: impl std::error::Error + 'static) {
    tracing::error!(
        error = &error as &dyn std::error::Error,
        "a web session could not be read"
    );
}

/// Refuses a body that says it is over the limit. What was sent is read and thrown away first, for
/// a while: a connection that is closed with bytes unread is reset, and the answer is lost with it.
pub async fn refuse_large_bodies(request: Request, next: Next) -> Response {
    let announced = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse::<usize>().ok());
    if announced.is_none_or(|bytes| bytes <= super::BODY_BYTES) {
        return next.run(request).await;
    }
    let of_api = request.uri().path().starts_with("/v1/");
    let mut body = request.into_body().into_data_stream();
    let mut left = DRAINED_BYTES;
    let drained = async {
        while let Some(Ok(chunk)) = body.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(DRAIN_TIME, drained).await;
    let message = format!(
        "At most {} MiB can be sent at once.",
        super::BODY_BYTES / 1_048_576
    );
    if of_api {
        return ApiError::of(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", &message)
            .into_response();
    }
    plain(StatusCode::PAYLOAD_TOO_LARGE, &message)
}

/// The headers that keep an answer to itself. A page brings its own policy, with the nonce of its
/// scripts.
pub async fn headers(request: Request, next: Next) -> Response {
    let is_asset = request.uri().path().starts_with("/assets/");
    let mut response = next.run(request).await;
    let out = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=()",
        ),
        (
            HeaderName::from_static("reporting-endpoints"),
            "csp=\"/csp-report\"",
        ),
    ] {
        out.insert(name, HeaderValue::from_static(value));
    }
    if !out.contains_key(header::CONTENT_SECURITY_POLICY)
        && let Ok(policy) = HeaderValue::from_str(&super::csp::policy(""))
    {
        out.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if !is_asset {
        // What agents remember is nobody's cache's.
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// A one-line answer for a request that was refused before it reached a page.
pub fn plain(status: StatusCode, message: &str) -> Response {
    let mut text = String::new();
    let _ = writeln!(text, "{message}");
    (status, text).into_response()
}
