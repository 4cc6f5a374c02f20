//! HTTP: the router with its layers, outermost last.

pub mod assets;
mod csp;
mod export;
mod forms;
pub mod guard;
mod live;
mod metrics;
pub mod receiving;
pub mod requests;
mod serving;
mod session_store;
mod upload;

use std::time::Duration;

use app::{App, Assets, shell};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::StatusCode,
    middleware,
    response::IntoResponse,
    routing::{get, post},
};
use leptos::prelude::{LeptosOptions, provide_context};
use leptos_axum::{LeptosRoutes, generate_route_list, handle_server_fns_with_context};
use service::Lucid;
use tokio_util::sync::CancellationToken;
use tower_http::{
    csrf::CsrfLayer,
    limit::RequestBodyLimitLayer,
    timeout::{RequestBodyTimeoutLayer, TimeoutLayer},
};
use tower_sessions::{Expiry, SessionManagerLayer, cookie::SameSite};

use crate::{Failure, api};

pub use serving::serve;

/// Most bytes of a form or of a request to the API (an upload has its own limit).
pub const BODY_BYTES: usize = 10 * 1024 * 1024;
/// How long a page, an action or a request to the API may take.
pub const ANSWER_TIME: Duration = Duration::from_mins(1);
/// How long a client may pause while it sends a body.
const BODY_PAUSE: Duration = Duration::from_secs(20);
/// A web session ends after so long without a request.
const IDLE_HOURS: i64 = 8;

/// How the web is served.
#[derive(Debug, Clone)]
pub struct WebConfig {
    /// The address that browsers use, without a slash at the end.
    pub public_url: String,
    /// Plain http was allowed though the address is not this machine.
    pub insecure_http: bool,
    /// Lucid is behind a proxy and says where requests come from.
    pub behind_proxy: bool,
    /// What `/metrics` asks for; off without.
    pub metrics_token: Option<String>,
    /// True if `/styleguide` is served.
    pub style_guide: bool,
}

/// The address of a one-time link.
#[must_use]
pub fn link(public_url: &str, token: &str) -> String {
    format!("{}/link/{token}", public_url.trim_end_matches('/'))
}

impl WebConfig {
    /// Checks the public URL: https, or http on this machine, or http by explicit wish.
    pub fn new(public_url: &str, insecure_http: bool) -> Result<Self, Failure> {
        let public_url = public_url.trim_end_matches('/').to_owned();
        let path = public_url
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('/'))
            .map(|(_, path)| path);
        if path.is_some_and(|p| !p.is_empty()) {
            return Err(Failure::Said(format!(
                "the public URL {public_url} has a path, and Lucid serves at the root of a host \
                 only: give it a host name of its own"
            )));
        }
        let plain_http = public_url.strip_prefix("http://");
        let local = plain_http.is_some_and(|rest| {
            let host = rest.rsplit_once(':').map_or(rest, |(host, _)| host);
            matches!(host, "localhost" | "127.0.0.1" | "[::1]")
        });
        let allowed = local || (plain_http.is_some() && insecure_http);
        if !public_url.starts_with("https://") && !allowed {
            return Err(Failure::Said(format!(
                "the public URL {public_url} is not https. Put a proxy with TLS before Lucid, or \
                 say --insecure-http if you accept that passwords go over the wire in clear"
            )));
        }
        Ok(Self {
            insecure_http: plain_http.is_some() && !local,
            public_url,
            behind_proxy: false,
            metrics_token: None,
            style_guide: false,
        })
    }
}

/// The one page that shows every component.
fn style_guide(assets: Assets) -> Router<LeptosOptions> {
    let page = leptos_axum::render_app_async_with_context(
        || {},
        move || {
            csp::allow_own_scripts();
            app::style_guide(assets.clone())
        },
    );
    Router::new().route("/styleguide", get(page))
}

/// The router of the whole application: pages, API, streams and assets.
pub fn router(
    lucid: &Lucid,
    config: &WebConfig,
    stop: CancellationToken,
) -> Result<Router, Failure> {
    if config.metrics_token.is_some() {
        metrics::begin();
    }
    let options = LeptosOptions::builder().output_name("lucid").build();
    let assets = assets::addresses();
    if assets.boot.is_none() {
        tracing::warn!(
            "this binary was built without the site: pages have no style and no islands"
        );
    }
    let given = lucid.clone();
    let context = move || provide_context(given.clone());
    let in_actions = context.clone();
    let actions =
        post(move |request: Request| handle_server_fns_with_context(in_actions.clone(), request));
    let guide = config.style_guide.then(|| style_guide(assets.clone()));
    let pages = Router::new()
        .leptos_routes_with_context(&options, generate_route_list(App), context, move || {
            csp::allow_own_scripts();
            shell(assets.clone())
        })
        .merge(guide.unwrap_or_default())
        .route("/do/{action}", actions)
        .layer(middleware::from_fn_with_state(lucid.clone(), forms::own))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES))
        .layer(middleware::from_fn(guard::refuse_large_bodies))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            ANSWER_TIME,
        ))
        .with_state(options);
    let uploads = Router::new()
        .route("/do/import", post(upload::take))
        .layer(DefaultBodyLimit::max(receiving::UPLOAD_BYTES))
        .with_state(lucid.clone());
    let exports = Router::new()
        .route("/export/mapping", get(export::mapping))
        .route("/export/audit", get(export::audit))
        .route("/do/subject_letter", post(export::letter))
        .route("/export/proof", get(export::proof))
        .route("/export/tree_head", get(export::tree_head))
        .route("/export/recall", get(export::recall))
        .with_state(lucid.clone());
    // It leaves an entry in the trail, so it is sent by a form of Lucid's own.
    let bills = Router::new()
        .route("/do/bill", post(export::bill))
        .layer(middleware::from_fn_with_state(lucid.clone(), forms::own))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .with_state(lucid.clone());
    let live = Router::new()
        .route("/live/dreams/{id}", get(live::dream))
        .route("/live/queue", get(live::queue))
        .route("/live/changesets/{id}", get(live::changeset))
        .with_state(live::Live::new(lucid.clone(), stop));
    let reading = requests::Reading {
        public_url: config.public_url.as_str().into(),
        secure: !config.insecure_http,
        behind_proxy: config.behind_proxy,
    };
    let csrf = CsrfLayer::new()
        .add_trusted_origin(&config.public_url)
        .map_err(|e| Failure::Said(format!("the public URL cannot be used: {e}")))?;
    Ok(Router::new()
        .merge(pages)
        .merge(uploads)
        .merge(exports)
        .merge(bills)
        .merge(live)
        .fallback(not_found)
        .layer(middleware::from_fn_with_state(
            lucid.clone(),
            guard::signed_in,
        ))
        .layer(cookie(lucid, config))
        // Files and the health check need no session, and so no database.
        .route("/assets/{name}", get(assets::serve))
        .route(
            csp::REPORTS,
            post(csp::report)
                .layer(DefaultBodyLimit::max(csp::REPORT_BYTES))
                .with_state(lucid.clone()),
        )
        .route("/healthz", get(|| async { "ok" }))
        .route("/readyz", get(ready).with_state(lucid.clone()))
        .layer(csrf)
        // A key is sent on purpose, never by a browser on its own: no cookie, so no forged request.
        .merge(api::router(lucid.clone()))
        .route(
            "/metrics",
            get(metrics::scrape).with_state(metrics::Metrics {
                lucid: lucid.clone(),
                token: config.metrics_token.clone(),
            }),
        )
        .layer(RequestBodyTimeoutLayer::new(BODY_PAUSE))
        .layer(middleware::from_fn(guard::headers))
        .layer(middleware::from_fn_with_state(reading, requests::enter)))
}

/// Answers 200 if requests can be served: the database answers. `/healthz` says only that the
/// process is alive.
async fn ready(State(lucid): State<Lucid>) -> impl IntoResponse {
    match lucid.database_answers().await {
        Ok(()) => guard::plain(StatusCode::OK, "ready"),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the database does not answer"
            );
            guard::plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer",
            )
        }
    }
}

async fn not_found() -> impl IntoResponse {
    guard::plain(StatusCode::NOT_FOUND, "There is nothing at this address.")
}

/// The cookie: bound to this host, not readable by script, always secure but where plain http was
/// asked for.
fn cookie(
    lucid: &Lucid,
    config: &WebConfig,
) -> SessionManagerLayer<session_store::DatabaseSessions> {
    SessionManagerLayer::new(session_store::DatabaseSessions(lucid.clone()))
        .with_name(if config.insecure_http {
            "lucid"
        } else {
            "__Host-lucid"
        })
        .with_secure(!config.insecure_http)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(time::Duration::hours(IDLE_HOURS)))
}
