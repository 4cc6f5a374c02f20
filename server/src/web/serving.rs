//! Accepts connections, and lets no slow or idle client hold one for long. `axum::serve` sets no
//! time by which a request's head must have come, so that a thousand clients that send a byte a
//! minute would be a thousand open connections.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, http::Request};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::Failure;

/// How long a client may take to send the head of a request.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// Most connections at once; more wait to be accepted.
const CONNECTIONS: usize = 10_000;
/// How long requests in hand may take after the server was told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until told to stop, then lets requests in hand finish for a while.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> Result<(), Failure> {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    // HTTP/1.1 alone: a server that first waits to see which version is spoken waits for ever for a
    // client that says nothing. A proxy speaks HTTP/2 to browsers.
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME);
    loop {
        let next = async {
            (
                places.clone().acquire_owned().await,
                listener.accept().await,
            )
        };
        let (place, accepted) = tokio::select! {
            next = next => next,
            () = stop.cancelled() => break,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, or a client that went away: neither ends the server.
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a connection could not be accepted"
                );
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let connection = builder.serve_connection(
            TokioIo::new(prompt(stream)),
            TowerToHyperService::new(answering(&router, from)),
        );
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "a connection ended in error"
                );
            }
            drop(place);
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(GRACE) => tracing::warn!("requests that took too long were cut \
            off"),
    }
    Ok(())
}

/// Small answers go out at once.
fn prompt(stream: TcpStream) -> TcpStream {
    let _ = stream.set_nodelay(true);
    stream
}

/// The router, told where the connection comes from.
fn answering(
    router: &Router,
    from: SocketAddr,
) -> impl tower::Service<
    Request<hyper::body::Incoming>,
    Response = axum::response::Response,
    Error = Infallible,
    Future = impl Future<Output = Result<axum::response::Response, Infallible>> + Send + 'static,
> + Clone
+ Send
+ 'static {
    let router = router.clone();
    tower::service_fn(move |request: Request<hyper::body::Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(from));
        router.clone().oneshot(request)
    })
}
