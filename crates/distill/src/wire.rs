//! Sends one request and reads one answer: retries within a deadline, follows no redirect, reads no
//! more than an answer can be, and connects to private addresses only where the operator says so.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use dream::model::Failed;
use reqwest::{
    Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{HeaderValue, RETRY_AFTER},
};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use url::{Host, Url};

use crate::{BadSettings, Settings};

/// Longest answer, in bytes: a hundred times what is asked for.
const ANSWER_BYTES: usize = 2_000_000;
/// First wait between two tries; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait between two tries that nobody asked for.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// A server of models.
pub struct Wire {
    http: reqwest::Client,
    base: Url,
    key: Option<String>,
    deadline: Duration,
}

/// The result of one try.
enum Tried {
    Done(Value),
    /// Trying again may help, after the wait that the server asked for.
    Again(String, Option<Duration>),
    Ended(Failed),
}

impl Wire {
    /// A client for a base address.
    pub fn new(mut base: Url, settings: &Settings) -> Result<Self, BadSettings> {
        crate::install_tls();
        let plain = base.scheme() == "http" && settings.private;
        if (base.scheme() != "https" && !plain)
            || base.host().is_none()
            || !base.username().is_empty()
        {
            return Err(BadSettings::Url(settings.url.clone()));
        }
        // A name is checked when it is resolved, at every connection: it may point elsewhere by
        // then.
        let address = match base.host() {
            Some(Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
            _ => None,
        };
        if !settings.private && address.is_some_and(is_private) {
            return Err(BadSettings::Private(settings.url.clone()));
        }
        if settings
            .key
            .as_deref()
            .is_some_and(|k| HeaderValue::from_str(k).is_err())
        {
            return Err(BadSettings::Key);
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .dns_resolver(Arc::new(Resolver {
                private: settings.private,
            }));
        let http = client
            .build()
            .map_err(|e| BadSettings::Client(e.to_string()))?;
        Ok(Self {
            http,
            base,
            key: settings.key.clone(),
            deadline: settings.deadline,
        })
    }

    /// The key, if there is one.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Sends a request until it is answered, refused, or its deadline has come.
    pub async fn post(
        &self,
        path: &str,
        headers: &[(&'static str, String)],
        body: &Value,
    ) -> Result<Value, Failed> {
        let end = Instant::now() + self.deadline;
        let mut wait = FIRST_WAIT;
        loop {
            let tried = tokio::time::timeout_at(end, self.once(path, headers, body)).await;
            let (why, asked) = match tried {
                Ok(Tried::Done(answer)) => return Ok(answer),
                Ok(Tried::Ended(failed)) => return Err(failed),
                Ok(Tried::Again(why, asked)) => (why, asked),
                Err(_) => {
                    return Err(Failed::Unreachable(
                        "it did not answer before the deadline".to_owned(),
                    ));
                }
            };
            let pause = asked.unwrap_or(wait);
            if Instant::now() + pause >= end {
                return Err(Failed::Unreachable(why));
            }
            tracing::info!(
                reason = why,
                pause_ms = pause.as_millis(),
                "a model is asked again"
            );
            sleep(pause).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Returns what the server says of its refusal: shortened, masked, and without the key, which
    /// some repeat.
    fn said(&self, status: StatusCode, body: &[u8]) -> String {
        let message = serde_json::from_slice::<Value>(body)
            .ok()
            .and_then(|v| v["error"]["message"].as_str().map(str::to_owned));
        let without_key = |text: String| {
            self.key()
                .filter(|k| !k.is_empty())
                .map_or(text.clone(), |key| text.replace(key, "[key]"))
        };
        let message = message.map(|m| {
            domain::masking::mask(&without_key(m))
                .chars()
                .take(200)
                .collect::<String>()
        });
        format!(
            "{status}{}",
            message.map(|m| format!(": {m}")).unwrap_or_default()
        )
    }

    async fn once(&self, path: &str, headers: &[(&'static str, String)], body: &Value) -> Tried {
        let Ok(url) = self.base.join(path) else {
            return Tried::Ended(Failed::Refused("its address cannot be used".to_owned()));
        };
        let mut request = self.http.post(url).json(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = match request.send().await {
            Ok(response) => response,
            // The error names the address, not the key; the cause says what happened.
            Err(error) => return Tried::Again(cause(&error), None),
        };
        let status = response.status();
        let asked = retry_after(&response);
        let text = match read(response).await {
            Ok(text) => text,
            Err(Broken::TooLong) => {
                return Tried::Ended(Failed::Nonsense(format!(
                    "it is longer than {ANSWER_BYTES} bytes"
                )));
            }
            Err(Broken::Cut(why)) => return Tried::Again(why, None),
        };
        if status.is_success() {
            return serde_json::from_slice(&text).map_or_else(
                |e| Tried::Again(format!("its body is no JSON: {e}"), None),
                Tried::Done,
            );
        }
        let busy = matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS
        );
        // Some servers call a format that they do not know their own error; the same request will
        // not do better.
        let format = ["response_format", "json_schema"]
            .iter()
            .any(|w| String::from_utf8_lossy(&text).contains(w));
        if matches!(
            status,
            StatusCode::BAD_REQUEST
                | StatusCode::PAYLOAD_TOO_LARGE
                | StatusCode::UNPROCESSABLE_ENTITY
        ) && !format
        {
            return Tried::Ended(Failed::Unfit(self.said(status, &text)));
        }
        if !format && (busy || status.is_server_error()) {
            Tried::Again(status.to_string(), asked)
        } else {
            Tried::Ended(Failed::Refused(self.said(status, &text)))
        }
    }
}

enum Broken {
    TooLong,
    Cut(String),
}

async fn read(mut response: Response) -> Result<Vec<u8>, Broken> {
    let mut text = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if text.len() + chunk.len() > ANSWER_BYTES => {
                return Err(Broken::TooLong);
            }
            Ok(Some(chunk)) => text.extend_from_slice(&chunk),
            Ok(None) => return Ok(text),
            Err(error) => return Err(Broken::Cut(cause(&error))),
        }
    }
}

/// The innermost cause, which names no address.
fn cause(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    error.to_string().chars().take(200).collect()
}

/// Seconds that the server asks to wait; a date is not read, the usual wait stands then.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds: f64 = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    (0.0..=86_400.0)
        .contains(&seconds)
        .then(|| Duration::from_secs_f64(seconds))
}

/// Resolves names, and hides private addresses unless they are allowed.
struct Resolver {
    private: bool,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let private = self.private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<SocketAddr> =
                found.filter(|a| private || !is_private(a.ip())).collect();
            if allowed.is_empty() {
                return Err(
                    "the name has no public address; private ones are not allowed \
                     (LUCID_MODEL_PRIVATE)"
                        .into(),
                );
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// True if an address is this machine's, a private network's, or one of the special ones (IANA's
/// special-purpose registries).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || a == 0
                || a >= 240
        }
        IpAddr::V6(v6) => {
            let part = v6.segments();
            let inner = |a: u16, b: u16| {
                is_private(IpAddr::V4(Ipv4Addr::from(
                    (u32::from(a) << 16) | u32::from(b),
                )))
            };
            // Addresses of the old kind inside of new ones: mapped, compatible, NAT64, 6to4.
            let mapped = part[..5] == [0; 5]
                && (part[5] == 0xffff || part[5] == 0)
                && inner(part[6], part[7]);
            let translated =
                part[0] == 0x64 && part[1] == 0xff9b && (part[2] == 1 || inner(part[6], part[7]));
            let special = v6.is_loopback() || v6.is_unspecified() || v6.is_multicast();
            let local = (part[0] & 0xfe00) == 0xfc00 || (part[0] & 0xffc0) == 0xfe80;
            mapped
                || translated
                || special
                || local
                || part[0] == 0x2002
                || (part[0] == 0x2001 && part[1] == 0xdb8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
        ] {
            assert!(is_private(private.parse().unwrap()), "{private}");
        }
        for public in ["1.1.1.1", "8.8.8.8", "2606:4700::1111"] {
            assert!(!is_private(public.parse().unwrap()), "{public}");
        }
    }
}
