//! What every request gets before anything looks at it: an id, where it came from, and a span in
//! the log. What a request asks for is logged by its path; a one-time link's token and a query are
//! not.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use app::context::Client;
use axum::{
    extract::{ConnectInfo, MatchedPath, Request, State},
    http::{Extensions, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, info_span};

/// The header under which client and server speak of a request; it is also the SDK's.
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// The request's span, for the person who finds out later who acts: by then another span may be the
/// current one.
#[derive(Clone)]
struct Entered(tracing::Span);

/// Names who acts in the log, once that is known: by id, never by name.
pub fn acts(extensions: &Extensions, who: domain::actor::Who) {
    if let Some(Entered(span)) = extensions.get() {
        span.record("who", tracing::field::display(who));
    }
}

/// Longest name of a browser that is kept, in characters.
const BROWSER_CHARS: usize = 200;

/// How requests are read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// The address that browsers use.
    pub public_url: Arc<str>,
    /// True if cookies are for https (or this machine) only.
    pub secure: bool,
    /// Lucid is behind a proxy, and the last address in its `X-Forwarded-For` is the client's.
    pub behind_proxy: bool,
}

/// Gives the request its id, its client and its span; counts it.
pub async fn enter(State(reading): State<Reading>, mut request: Request, next: Next) -> Response {
    let mut bytes = [0; 12];
    crate::clock::system_random()(&mut bytes);
    let id = format!("req_{}", hex::encode(bytes));
    let client = client(&request, &reading, &id);
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |p| p.as_str().to_owned());
    let span = info_span!(
        "request",
        id,
        method = %request.method(),
        path = shown_path(request.uri().path()),
        from = client.address,
        who = tracing::field::Empty
    );
    request.extensions_mut().insert(client);
    request.extensions_mut().insert(Entered(span.clone()));
    let method = request.method().as_str().to_owned();
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a request took is measured, not decided by"
    )]
    let start = Instant::now();
    let mut response = async {
        let response = next.run(request).await;
        let status = response.status().as_u16();
        if status >= 500 || status == 403 {
            tracing::warn!(
                status,
                "{}",
                if status == 403 { "refused" } else { "answered" }
            );
        } else if status == 401 {
            tracing::info!(status, "not signed in, or with a key that is not good");
        } else {
            tracing::debug!(status, "answered");
        }
        response
    }
    .instrument(span)
    .await;
    super::metrics::count_request(&method, &route, response.status().as_u16(), start.elapsed());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if reading.public_url.starts_with("https://") {
        // Two years, as ASVS 5.0, 3.4.1 wants at least one.
        response.headers_mut().insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000"),
        );
    }
    response
}

/// The path as it may be in a log.
fn shown_path(path: &str) -> &str {
    if path.starts_with("/link/") {
        "/link/***"
    } else {
        path
    }
}

fn client(request: &Request, reading: &Reading, id: &str) -> Client {
    let text = |name: &HeaderName| {
        request
            .headers()
            .get_all(name)
            .iter()
            .next_back()
            .and_then(|v| v.to_str().ok())
    };
    let forwarded =
        text(&HeaderName::from_static("x-forwarded-for")).filter(|_| reading.behind_proxy);
    let forwarded = forwarded
        .and_then(|all| all.rsplit(',').next())
        .and_then(|one| one.trim().parse::<std::net::IpAddr>().ok());
    let peer = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|ConnectInfo(at)| at.ip());
    let browser = text(&header::USER_AGENT).map(|b| {
        b.chars()
            .filter(|c| !c.is_control())
            .take(BROWSER_CHARS)
            .collect()
    });
    Client {
        address: forwarded.or(peer).map(|ip| ip.to_string()),
        browser,
        public_url: reading.public_url.to_string(),
        secure: reading.secure,
        request_id: id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn address(forwarded: &[&str], behind_proxy: bool) -> Option<String> {
        let mut request = Request::new(Body::empty());
        for one in forwarded {
            request
                .headers_mut()
                .append("x-forwarded-for", HeaderValue::from_str(one).unwrap());
        }
        request
            .extensions_mut()
            .insert(ConnectInfo(SocketAddr::from(([10, 0, 0, 1], 4711))));
        client(
            &request,
            &Reading {
                public_url: "https://lucid.example.com".into(),
                secure: true,
                behind_proxy,
            },
            "req_1",
        )
        .address
    }

    #[test]
    fn only_the_last_proxy_is_believed_and_only_if_there_is_one() {
        assert_eq!(
            address(&["203.0.113.9"], false).as_deref(),
            Some("10.0.0.1")
        );
        assert_eq!(
            address(&["198.51.100.1, 203.0.113.9"], true).as_deref(),
            Some("203.0.113.9"),
            "what the client wrote itself is not believed"
        );
        assert_eq!(
            address(&["198.51.100.1", "203.0.113.9"], true).as_deref(),
            Some("203.0.113.9")
        );
        assert_eq!(address(&["nonsense"], true).as_deref(), Some("10.0.0.1"));
        assert_eq!(address(&[], true).as_deref(), Some("10.0.0.1"));
    }

    #[test]
    fn a_links_token_is_not_logged() {
        assert_eq!(shown_path("/link/0123456789abcdef"), "/link/***");
        assert_eq!(shown_path("/queue"), "/queue");
    }
}
