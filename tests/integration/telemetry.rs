//! Traces over OTLP, read by a collector of the test's own.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span,
};
use prost::Message;

use crate::support::{databases::TestDb, process::Served};

/// The spans that arrived so far.
type Arrived = Arc<Mutex<Vec<Span>>>;

async fn take(State(arrived): State<Arrived>, body: Bytes) -> StatusCode {
    let sent = ExportTraceServiceRequest::decode(body).expect("OTLP in protobuf");
    let spans = sent
        .resource_spans
        .into_iter()
        .flat_map(|r| r.scope_spans)
        .flat_map(|s| s.spans);
    arrived.lock().unwrap().extend(spans);
    StatusCode::OK
}

async fn collector() -> (String, Arrived) {
    let arrived = Arrived::default();
    let router = Router::new()
        .route("/v1/traces", post(take))
        .with_state(arrived.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, arrived)
}

fn attributes(span: &Span) -> BTreeMap<&str, String> {
    span.attributes
        .iter()
        .map(|a| (a.key.as_str(), format!("{:?}", a.value)))
        .collect()
}

/// A request, the use case in it and the statements of that make one trace.
async fn one_trace(on: TestDb) {
    let (address, arrived) = collector().await;
    let mut served = Served::start(
        &on.url,
        &[
            "--otlp-endpoint",
            &address,
            "--metrics-token",
            "four-plain-words",
            "--no-worker",
        ],
    );
    let answer = crate::support::http()
        .build()
        .unwrap()
        .get(format!("{}/metrics?secret=word", served.url))
        .bearer_auth("four-plain-words")
        .send()
        .await
        .unwrap();
    let id = answer.headers()["request-id"].to_str().unwrap().to_owned();
    // What is left is sent when the server ends.
    tokio::task::spawn_blocking(move || served.terminate(20))
        .await
        .unwrap();
    let spans = arrived.lock().unwrap().clone();
    let request = spans
        .iter()
        .find(|s| s.name == "request")
        .expect("the request's span");
    let says = attributes(request);
    assert!(
        says["id"].contains(&id) && says["path"].contains("/metrics"),
        "{says:?}"
    );
    let use_case = spans
        .iter()
        .find(|s| s.name == "installation_counts")
        .expect("the use case's span");
    assert_eq!(use_case.parent_span_id, request.span_id);
    assert_eq!(use_case.trace_id, request.trace_id);
    let statement = use_case.events.first().expect("a statement in it");
    let keys: Vec<&str> = statement
        .attributes
        .iter()
        .map(|a| a.key.as_str())
        .collect();
    assert!(
        keys.contains(&"rows_returned") && keys.contains(&"elapsed_secs"),
        "{keys:?}"
    );
    let all = format!("{spans:?}");
    assert!(!all.contains("four-plain-words") && !all.contains("secret=word"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_one_trace_on_sqlite() {
    one_trace(TestDb::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_one_trace_on_postgres() {
    one_trace(TestDb::postgres().await).await;
}

/// Lucid works on without its collector, and says once that it is away.
#[tokio::test]
async fn a_collector_that_is_away_is_logged_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let on = TestDb::sqlite();
    let served = Served::start_logging(&on.url, &["--otlp-endpoint", &address], &log);
    let client = crate::support::http().build().unwrap();
    let mut said = 0;
    for _ in 0..150 {
        let page = client
            .get(format!("{}/sign-in", served.url))
            .send()
            .await
            .unwrap();
        assert!(page.status().is_success());
        said = std::fs::read_to_string(&log)
            .unwrap()
            .matches("traces do not reach the collector")
            .count();
        if said > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(said, 1);
}
