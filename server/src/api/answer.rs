//! How the API answers: JSON, and on failure `{"type":"error","error":{"type","message"}}` with a
//! stable type.

use axum::{
    Json,
    body::Bytes,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use service::{Error, Kind, transcripts::clean_json};

/// Why a request was not done.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    kind: &'static str,
    message: String,
    wait: Option<i64>,
}

impl ApiError {
    /// An error that no use case gave.
    pub fn of(status: StatusCode, kind: &'static str, message: &str) -> Self {
        Self {
            status,
            kind,
            message: message.to_owned(),
            wait: None,
        }
    }

    /// A request that cannot be read.
    pub fn invalid(message: &str) -> Self {
        Self::of(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let kind = error.kind();
        if matches!(kind, Kind::Internal | Kind::Unavailable | Kind::Full) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a request to the API failed"
            );
        }
        let wait = match error {
            Error::TooMany(seconds) => Some(seconds),
            _ => (kind == Kind::Unavailable).then_some(5),
        };
        let status =
            StatusCode::from_u16(kind.api_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self {
            status,
            kind: kind.api_type(),
            message: error.message(),
            wait,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response =
            (self.status, Json(error_body(self.kind, &self.message))).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait));
        }
        // The SDK tries a 409 again by itself; here the same request can only be refused again.
        if self.status == StatusCode::CONFLICT {
            headers.insert(
                HeaderName::from_static("x-should-retry"),
                HeaderValue::from_static("false"),
            );
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// The body of every error.
pub fn error_body(kind: &str, message: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}})
}

/// A request's body: JSON, cleaned of U+0000 and lone surrogates only where `clean` says so. Memory
/// content is refused with them, not cleaned: the client's hash must hold.
pub fn body<T: DeserializeOwned>(bytes: &Bytes, clean: bool) -> Result<T, ApiError> {
    if clean {
        return parsed(&cleaned(bytes)?);
    }
    serde_json::from_slice(bytes).map_err(|e| unreadable(&e))
}

/// A request's body as text, cleaned.
pub fn cleaned(bytes: &Bytes) -> Result<String, ApiError> {
    clean_json(bytes.to_vec()).map_err(|e| unreadable(&e))
}

/// JSON that may point into its text.
pub fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|e| unreadable(&e))
}

fn unreadable(why: &dyn std::fmt::Display) -> ApiError {
    ApiError::invalid(&format!("the body cannot be read: {why}"))
}
