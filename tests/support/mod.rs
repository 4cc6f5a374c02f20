//! What every test of the whole needs: databases of its own on both engines, and a running `lucid`.

#![allow(dead_code, reason = "each test binary uses its part")]

pub mod databases;
pub mod elsewhere;
pub mod mixed;
pub mod model;
pub mod process;
pub mod proxy;
pub mod soak;

/// A client for HTTP, with the library for TLS that Lucid itself uses.
pub fn http() -> reqwest::ClientBuilder {
    distill::install_tls();
    reqwest::Client::builder()
}
