//! `lucid serve`: pages, and the worker beside them.

use std::{process::ExitCode, sync::Arc};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    Failure,
    cli::ServeArgs,
    demo,
    mail::Mailer,
    models::{ModelArgs, with_models},
    web::{self, WebConfig},
    work,
};

/// Serves until it is interrupted.
pub async fn run(
    database: super::Database<'_>,
    (models, expire_after): (&ModelArgs, u32),
    args: ServeArgs,
) -> Result<ExitCode, Failure> {
    // A thousand people with a page open each are more files than many systems allow at first.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "the limit of open files could not be raised"
        );
    }
    let listener = TcpListener::bind(&args.listen)
        .await
        .map_err(|e| Failure::Io(format!("listening on {}", args.listen), e))?;
    let address = listener
        .local_addr()
        .map_err(|e| Failure::Io(args.listen.clone(), e))?;
    let public_url = args
        .public_url
        .unwrap_or_else(|| format!("http://localhost:{}", address.port()));
    let config = WebConfig::new(&public_url, args.insecure_http)?;
    let config = WebConfig {
        behind_proxy: args.behind_proxy,
        metrics_token: args.metrics_token,
        style_guide: args.style_guide,
        ..config
    };
    let lucid = super::with_transcripts(super::open(database).await?).await?;
    let lucid = with_models(lucid, models)?.with_expiry_days(expire_after);
    let mailer = Mailer::new(&args.mail, &config.public_url)?;
    let lucid = match &mailer {
        Some(mailer) => lucid.with_link_mail(Arc::new(mailer.clone())),
        None => lucid,
    };
    lucid.note_public_url(&config.public_url).await?;
    if args.demo {
        demo::load(&lucid, &config.public_url).await?;
    } else if let Some(token) = lucid.first_admin_link().await? {
        println!(
            "Nobody has an account yet. Make the first one, an admin, here (once, within 24 \
             hours):\n{}\n",
            web::link(&config.public_url, &token)
        );
    }
    let stop = CancellationToken::new();
    let router = web::router(&lucid, &config, stop.clone())?;
    println!("Lucid serves on {} ({})", config.public_url, lucid.engine());
    tokio::spawn(work::flush_small_writes(lucid.clone(), stop.clone()));
    let mailer = mailer.map(|mailer| tokio::spawn(mailer.run(lucid.clone(), stop.clone())));
    let worker = (!args.no_worker)
        .then(|| tokio::spawn(work::run(lucid.clone(), args.work.clone(), stop.clone())));
    tokio::spawn(stop_on_signal(stop.clone()));
    web::serve(listener, router, stop.clone()).await?;
    stop.cancel();
    for task in [worker, mailer].into_iter().flatten() {
        let _ = task.await;
    }
    lucid.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Cancels the token on SIGTERM or Ctrl+C.
pub async fn stop_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    if let Ok(mut terminate) = signal(SignalKind::terminate()) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    } else {
        let _ = tokio::signal::ctrl_c().await;
    }
    stop.cancel();
}
