//! Who is signed in, and the headers that every answer carries.

use std::fmt::Write;

use app::{
    actions::account::{SIGNED_IN_AT, USER, encoded},
    context::Current,
};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use domain::{Timestamp, ids::UserId};
use service::Lucid;
use tower_sessions::Session;

/// A web session ends so long after signing in, whatever happens; in seconds.
const ABSOLUTE_SECONDS: i64 = 24 * 3_600;
/// The idle limit slides only when the session is written; it is, at most so often, in seconds.
const TOUCH_SECONDS: i64 = 300;
const TOUCHED_AT: &str = "touched_at";

/// Pages and actions that need nobody signed in.
fn is_public(path: &str) -> bool {
    path == "/sign-in" || path.starts_with("/link/") || path.starts_with("/assets/") || matches!(path, "/do/sign_in" | "/do/use_link" | "/healthz")
}

/// Puts who is signed in into the request; who is not is led to the sign-in page.
pub async fn signed_in(State(lucid): State<Lucid>, session: Session, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    match current(&lucid, &session).await {
        Ok(Some(current)) => {
            request.extensions_mut().insert(current);
        }
        Ok(None) if is_public(&path) => {}
        Ok(None) if request.method() == Method::GET => {
            let wanted = request.uri().path_and_query().map_or("/queue", |p| p.as_str());
            return Redirect::to(&format!("/sign-in?next={}", encoded(wanted))).into_response();
        }
        Ok(None) => return (StatusCode::UNAUTHORIZED, "Sign in first: your session has ended.").into_response(),
        Err(()) => return (StatusCode::SERVICE_UNAVAILABLE, "Lucid cannot reach its database. Try again in a moment.").into_response(),
    }
    next.run(request).await
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
    let found = lucid.actor(user).await.map_err(unreadable)?;
    Ok(found.map(|(actor, user)| Current { actor, user }))
}

fn unreadable(error: impl std::error::Error + 'static) {
    tracing::error!(error = &error as &dyn std::error::Error, "a web session could not be read");
}

/// The headers that keep a page to itself. Pages have no inline script or style, so none is allowed.
pub async fn headers(request: Request, next: Next) -> Response {
    let is_asset = request.uri().path().starts_with("/assets/");
    let mut response = next.run(request).await;
    let out = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        out.insert(name, HeaderValue::from_static(value));
    }
    out.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    out.insert("permissions-policy", HeaderValue::from_static("camera=(), geolocation=(), microphone=()"));
    if !is_asset {
        // What agents remember is nobody's cache's.
        out.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A one-line answer for a request that was refused before it reached a page.
pub fn plain(status: StatusCode, message: &str) -> Response {
    let mut text = String::new();
    let _ = writeln!(text, "{message}");
    (status, text).into_response()
}
