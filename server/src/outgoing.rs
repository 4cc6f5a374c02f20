//! Requests to other servers: witnesses, sinks of checkpoints, collectors of traces, another Lucid.

use std::time::Duration;

/// A client that waits at most this long for an answer. It follows no redirect: a key is for the
/// address that it was given for, and no other.
pub fn client(timeout: Duration) -> reqwest::Result<reqwest::Client> {
    distill::install_tls();
    reqwest::Client::builder()
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .build()
}
