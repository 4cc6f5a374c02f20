//! `/metrics` for Prometheus: requests by route, and what waits and is there. Off until a token is
//! set, because numbers tell, too.

use std::{sync::OnceLock, time::Duration};

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use service::Lucid;
use subtle::ConstantTimeEq;

/// How often the numbers of single requests are gathered into their histograms.
const UPKEEP: Duration = Duration::from_secs(5);

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// The state of the route.
#[derive(Clone)]
pub struct Metrics {
    pub lucid: Lucid,
    /// The bearer token that is asked for; without one there is nothing here.
    pub token: Option<String>,
}

fn recorder() -> Option<&'static PrometheusHandle> {
    RECORDER
        .get_or_init(|| PrometheusBuilder::new().install_recorder().ok())
        .as_ref()
}

/// Begins to count, and keeps what is counted small. Without it nothing is counted, and nothing
/// grows.
pub fn begin() {
    counter!("lucid_database_statements_total").absolute(service::statements_run());
    let Some(recorder) = recorder() else { return };
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            recorder.run_upkeep();
        }
    });
}

/// Counts a request under its route, never under its address.
pub fn count_request(method: &str, route: &str, status: u16, took: Duration) {
    // Whatever word a client makes up must not become a series of its own.
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    let method = known.iter().find(|k| **k == method).map_or("other", |k| *k);
    let labels = [
        ("method", method.to_owned()),
        ("route", route.to_owned()),
        ("status", status.to_string()),
    ];
    counter!("lucid_http_requests_total", &labels).increment(1);
    histogram!("lucid_http_request_seconds", &labels[..2]).record(took.as_secs_f64());
}

/// The numbers in Prometheus' text format.
pub async fn scrape(State(metrics): State<Metrics>, headers: HeaderMap) -> Response {
    let sent = headers
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.strip_prefix("Bearer "));
    let Some(token) = &metrics.token else {
        return super::guard::plain(
            StatusCode::NOT_FOUND,
            "Metrics are off; start Lucid with --metrics-token or LUCID_METRICS_TOKEN.",
        );
    };
    if !sent.is_some_and(|sent| bool::from(sent.as_bytes().ct_eq(token.as_bytes()))) {
        return super::guard::plain(
            StatusCode::UNAUTHORIZED,
            "Send the metrics token as a bearer token.",
        );
    }
    match metrics.lucid.installation_counts().await {
        Ok(now) => {
            set(&metrics.lucid, &now);
            if let Some(bytes) = metrics.lucid.wal_bytes().await {
                #[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
                gauge!("lucid_sqlite_wal_bytes").set(bytes as f64);
            }
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the numbers could not be read"
            );
            return super::guard::plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer",
            );
        }
    }
    counter!("lucid_database_statements_total").absolute(service::statements_run());
    let Some(recorder) = recorder() else {
        return super::guard::plain(StatusCode::NOT_FOUND, "Metrics are not recorded.");
    };
    recorder.run_upkeep();
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        recorder.render(),
    )
        .into_response()
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn set(lucid: &Lucid, now: &service::InstallationCounts) {
    let waits = now
        .oldest_undecided_at
        .map_or(0, |at| (lucid.now().0 - at.0).max(0) / 1_000_000);
    for (name, value) in [
        ("lucid_jobs_queued", now.jobs_queued),
        ("lucid_jobs_running", now.jobs_running),
        ("lucid_jobs_failed", now.jobs_failed),
        ("lucid_queue_undecided_changes", now.changes_undecided),
        ("lucid_queue_oldest_seconds", waits),
        ("lucid_dreams_completed", now.dreams_completed),
        ("lucid_dreams_failed", now.dreams_failed),
        ("lucid_commits", now.commits),
        ("lucid_audit_seq", now.audit_seq),
    ] {
        gauge!(name).set(value as f64);
    }
}
