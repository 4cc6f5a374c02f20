//! `lucid worker`: works off dreams and schedules, and serves nothing.

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use crate::{
    Failure,
    cli::WorkArgs,
    models::{ModelArgs, with_models},
    work,
};

/// Works until it is interrupted; a job in hand is finished first.
pub async fn run(
    database: super::Database<'_>,
    models: &ModelArgs,
    expire_after: u32,
    args: WorkArgs,
) -> Result<ExitCode, Failure> {
    let lucid = with_models(
        super::with_transcripts(super::open(database).await?).await?,
        models,
    )?
    .with_expiry_days(expire_after);
    let stop = CancellationToken::new();
    println!("Lucid works on {}", lucid.engine());
    tokio::spawn(super::serve::stop_on_signal(stop.clone()));
    work::run(lucid.clone(), args, stop).await;
    lucid.close().await;
    Ok(ExitCode::SUCCESS)
}
