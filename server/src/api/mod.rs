//! The API under `/v1`, in the shapes of Managed Agents where it has them, so that its official SDK
//! can be pointed at Lucid. One file a family. A handler parses, calls one use case as the key's
//! actor, and answers; rights are checked in `service` alone.

mod answer;
mod briefing;
mod dreams;
mod memories;
mod policies;
mod sessions;
mod stores;
mod transcripts;

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRequestParts, Path},
    http::{StatusCode, header, request::Parts},
    middleware,
    routing::{get, post},
};
use domain::actor::Actor;
use service::{Error, Lucid};
use tower_http::{limit::RequestBodyLimitLayer, timeout::TimeoutLayer};

pub use answer::{ApiError, body};

use crate::web::{ANSWER_TIME, BODY_BYTES, guard, requests};

/// Every route of the API.
pub fn router(lucid: Lucid) -> Router {
    Router::new()
        .route("/v1/memory_stores", post(stores::create).get(stores::list))
        .route(
            "/v1/memory_stores/{id}",
            get(stores::retrieve)
                .post(stores::update)
                .delete(stores::delete),
        )
        .route(
            "/v1/memory_stores/{id}/memories",
            post(memories::create).get(memories::list),
        )
        .route(
            "/v1/memory_stores/{id}/memories/{memory}",
            get(memories::retrieve)
                .post(memories::update)
                .delete(memories::delete),
        )
        .route("/v1/memory_stores/{id}/briefing", get(briefing::retrieve))
        .route("/v1/sessions", post(sessions::create))
        .route("/v1/sessions/{id}", get(sessions::retrieve))
        .route("/v1/sessions/{id}/events", post(sessions::send))
        .route("/v1/sessions/{id}/outcome", post(sessions::outcome))
        .route("/v1/dreams", post(dreams::create))
        .route("/v1/dreams/{id}", get(dreams::retrieve))
        .route("/v1/dreams/{id}/cancel", post(dreams::cancel))
        .route("/v1/policies", post(policies::save).get(policies::list))
        .route("/v1/policies/try", post(policies::try_out))
        .route("/v1/policies/stop", post(policies::stop))
        .route("/v1/policies/{id}", get(policies::retrieve))
        .route(
            "/v1/policies/{id}/versions/{version}",
            get(policies::export),
        )
        .route(
            "/v1/policies/{id}/versions/{version}/back_test",
            post(policies::back_test),
        )
        .route(
            "/v1/policies/{id}/versions/{version}/state",
            post(policies::move_on),
        )
        .route("/v1/{*rest}", axum::routing::any(nowhere))
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES))
        .layer(middleware::from_fn(guard::refuse_large_bodies))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER_TIME,
        ))
        .with_state(lucid.clone())
        // Transcripts are long and taken in as they come: limits of their own.
        .merge(
            Router::new()
                .route("/v1/transcripts", post(transcripts::take))
                .with_state(lucid),
        )
}

async fn nowhere(Path(rest): Path<String>) -> ApiError {
    ApiError::of(
        StatusCode::NOT_FOUND,
        "not_found_error",
        &format!("there is no /v1/{rest} here"),
    )
}

async fn wrong_method() -> ApiError {
    ApiError::of(
        StatusCode::METHOD_NOT_ALLOWED,
        "invalid_request_error",
        "this address does not take this method",
    )
}

/// The actor of the key in `x-api-key`, or in a bearer token.
pub struct Key(pub Actor);

impl FromRequestParts<Lucid> for Key {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, lucid: &Lucid) -> Result<Self, ApiError> {
        let text = |name| {
            parts
                .headers
                .get(name)
                .and_then(|v: &axum::http::HeaderValue| v.to_str().ok())
        };
        let bearer = text(header::AUTHORIZATION).and_then(|v| v.strip_prefix("Bearer "));
        let Some(secret) = text(header::HeaderName::from_static("x-api-key")).or(bearer) else {
            return Err(ApiError::of(
                StatusCode::UNAUTHORIZED,
                "authentication_error",
                "send an API key as x-api-key or as a bearer token; `lucid key add` makes one",
            ));
        };
        let actor = lucid.key_actor(secret.trim()).await?;
        requests::acts(&parts.extensions, actor.who);
        Ok(Self(actor))
    }
}

/// An id from an address. One that cannot be an id names nothing.
fn id<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::NotFound(what))
}
