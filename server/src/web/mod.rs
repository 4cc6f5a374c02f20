//! HTTP.
/// link
pub fn link(public_url: &str, token: &str) -> String { format!("{}/link/{token}", public_url.trim_end_matches('/')) }
