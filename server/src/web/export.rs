//! Files to keep: a saved mapping as JSON.

use app::context::Current;
use axum::{
    Extension,
    extract::{Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use service::{Error, Lucid};

use super::guard;

/// Which mapping.
#[derive(Deserialize)]
pub struct Asked {
    name: String,
}

/// The mapping of a name, as a file for `lucid import --map`.
pub async fn mapping(State(lucid): State<Lucid>, Extension(current): Extension<Current>, Query(asked): Query<Asked>) -> Response {
    let refused = |error: &Error| {
        let status = StatusCode::from_u16(error.kind().status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        guard::plain(status, &error.message())
    };
    let mapping = match lucid.mapping(&current.actor, &asked.name).await {
        Ok(mapping) => mapping,
        Err(error) => return refused(&error),
    };
    let Ok(text) = serde_json::to_string_pretty(&*mapping) else { return refused(&Error::Internal("a mapping could not be written")) };
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"mapping.json\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, text + "\n").into_response()
}
