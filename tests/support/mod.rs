//! What every test of the whole needs: databases of its own on both engines, and a running `lucid`.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod databases;
pub mod elsewhere;
pub mod mixed;
pub mod model;
pub mod process;
pub mod proxy;
pub mod soak;

/// The cookie of the web session among those that an answer sets.
pub fn session_cookie(answer: &reqwest::Response) -> String {
    let all = answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .filter_map(|v| v.to_str().ok());
    let session = all
        .map(|c| c.split(';').next().unwrap_or_default())
        .find(|c| c.starts_with("__Host-lucid=") || c.starts_with("lucid="));
    session.expect("the answer begins a web session").to_owned()
}

/// What the forms of a web session carry, as its pages have it. Empty where there is no session.
pub fn form_token(cookie: &str) -> String {
    let value = cookie.split(';').find_map(|c| {
        c.trim()
            .trim_start_matches("__Host-")
            .strip_prefix("lucid=")
    });
    let Some(id) = value.and_then(|v| v.parse::<tower_sessions::session::Id>().ok()) else {
        return String::new();
    };
    service::form_token(&id.0.to_be_bytes())
}

/// A client for HTTP, with the library for TLS that Lucid itself uses.
pub fn http() -> reqwest::ClientBuilder {
    distill::install_tls();
    reqwest::Client::builder()
}
