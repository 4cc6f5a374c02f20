//! Logs, durations of use cases and traces: three layers over the same spans. A request has a span
//! (`web::requests`), so has each use case (`service`), and `sqlx` reports each statement within
//! them.

use std::{
    io::IsTerminal,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use metrics::histogram;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tokio::runtime::Handle;
use tracing::{Subscriber, span};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, Targets},
    layer::{Context, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::{
    Failure,
    cli::{Cli, LogFormat},
    outgoing,
};

/// The longest that one batch of spans may take to reach the collector.
const SEND: Duration = Duration::from_secs(10);
/// The longest that the last batch may take when the process ends.
const LAST_BATCH: Duration = Duration::from_secs(5);

/// What must be ended so that the last spans reach the collector.
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Starts to log, to measure and, if a collector is named, to send traces to it.
    pub fn begin(cli: &Cli) -> Result<Self, Failure> {
        let traces = cli.otlp_endpoint.as_deref().map(provider).transpose()?;
        let spans = traces.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("lucid"))
                .with_location(false)
                .with_threads(false)
                .with_filter(
                    Targets::new()
                        .with_target("server", LevelFilter::INFO)
                        .with_target("service", LevelFilter::INFO)
                        .with_target("sqlx", LevelFilter::DEBUG),
                )
        });
        let durations =
            Durations.with_filter(Targets::new().with_target("service", LevelFilter::INFO));
        // A second call (tests start several servers in one process) keeps the first subscriber.
        let _ = tracing_subscriber::registry()
            .with(log_lines(cli))
            .with(durations)
            .with(spans)
            .try_init();
        Ok(Self { traces })
    }

    /// Sends the last spans.
    pub async fn end(self) {
        let Some(traces) = self.traces else { return };
        let sent = tokio::task::spawn_blocking(move || traces.shutdown_with_timeout(LAST_BATCH));
        if let Ok(Err(error)) = sent.await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the last traces did not reach the collector"
            );
        }
    }
}

/// The lines on standard error.
fn log_lines(cli: &Cli) -> impl Layer<Registry> + use<> {
    let filter = EnvFilter::try_new(&cli.log).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let lines = if cli.log_format == LogFormat::Json {
        lines.json().boxed()
    } else {
        lines.boxed()
    };
    lines.with_filter(filter)
}

/// Records how long each use case took, under its name, for `/metrics`.
struct Durations;

/// When a use case began.
struct Started(Instant);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Durations {
    fn on_new_span(&self, _: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            #[expect(
                clippy::disallowed_methods,
                reason = "how long a use case took is measured, not decided by"
            )]
            span.extensions_mut().insert(Started(Instant::now()));
        }
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        if let Some(Started(at)) = span.extensions().get() {
            histogram!("lucid_use_case_seconds", "use_case" => span.name())
                .record(at.elapsed().as_secs_f64());
        }
    }
}

/// Sends spans in batches; `OTEL_BSP_*` and `OTEL_TRACES_SAMPLER*` hold, as every SDK has them.
fn provider(endpoint: &str) -> Result<SdkTracerProvider, Failure> {
    let failed = |e: &dyn std::fmt::Display| Failure::Said(format!("--otlp-endpoint: {e}"));
    let client = Collector::new().map_err(|e| failed(&e))?;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_http_client(client)
        .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
        .with_timeout(SEND)
        .build()
        .map_err(|e| failed(&e))?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name("lucid").build())
        .build())
}

/// The way to the collector. The SDK sends from a thread of its own, which has no runtime, so the
/// request runs on the server's.
#[derive(Debug)]
struct Collector {
    http: reqwest::Client,
    runtime: Handle,
    /// True after a batch did not arrive: that is logged once, and not every few seconds.
    away: AtomicBool,
}

impl Collector {
    fn new() -> reqwest::Result<Self> {
        Ok(Self {
            http: outgoing::client(SEND)?,
            runtime: Handle::current(),
            away: AtomicBool::new(false),
        })
    }

    fn note(&self, error: Option<&str>) {
        let was_away = self.away.swap(error.is_some(), Ordering::Relaxed);
        match error {
            Some(error) if !was_away => {
                tracing::warn!(
                    error,
                    "traces do not reach the collector, and are dropped until they do"
                );
            }
            None if was_away => tracing::info!("traces reach the collector again"),
            _ => {}
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let http = self.http.clone();
        let sent = self.runtime.spawn(async move {
            let answer = http.execute(request.try_into()?).await?;
            // Nobody reads what a collector answers.
            Ok::<_, reqwest::Error>(answer.status())
        });
        let status = match sent.await? {
            Ok(status) => status,
            Err(error) => {
                self.note(Some(&error.to_string()));
                return Err(error.into());
            }
        };
        let refused = (!status.is_success()).then(|| format!("it answered {status}"));
        self.note(refused.as_deref());
        Ok(Response::builder().status(status).body(Bytes::new())?)
    }
}
