//! The signed end of the audit trail, sent out of reach of whoever can change the database: to a file, to an address, or both.

use std::{fs::OpenOptions, io::Write, path::PathBuf, time::Duration};

use audit::Checkpoint;
use service::Lucid;
use tokio_util::sync::CancellationToken;

use crate::cli::WorkArgs;

/// How often it is looked whether the trail has grown.
const EVERY: Duration = Duration::from_mins(1);
/// How long whoever is sent a checkpoint may take to answer.
const ANSWER: Duration = Duration::from_secs(20);

/// Where checkpoints are sent.
pub struct Sinks {
    file: Option<PathBuf>,
    url: Option<String>,
}

impl Sinks {
    /// Those of the settings.
    pub fn of(args: &WorkArgs) -> Self {
        Self { file: args.checkpoint_file.clone(), url: args.checkpoint_url.clone() }
    }

    /// Sends a checkpoint everywhere; what could not be reached is sent the next one.
    async fn take(&self, checkpoint: &Checkpoint) {
        let Ok(text) = serde_json::to_string(checkpoint) else { return };
        if let Some(file) = &self.file {
            let (file, line) = (file.clone(), format!("{text}\n"));
            let written = tokio::task::spawn_blocking(move || {
                let mut file = OpenOptions::new().create(true).append(true).open(file)?;
                file.write_all(line.as_bytes()).and_then(|()| file.sync_all())
            });
            if let Ok(Err(error)) = written.await {
                tracing::error!(error = &error as &dyn std::error::Error, "a checkpoint could not be written to its file");
            }
        }
        if let Some(url) = &self.url
            && let Err(error) = post(url, text).await
        {
            tracing::error!(error = &error as &dyn std::error::Error, "a checkpoint could not be sent");
        }
    }
}

async fn post(url: &str, text: String) -> reqwest::Result<()> {
    distill::install_tls();
    let client = reqwest::Client::builder().timeout(ANSWER).redirect(reqwest::redirect::Policy::none()).build()?;
    client.post(url).header("content-type", "application/json").body(text).send().await?.error_for_status().map(drop)
}

/// Sends the signed end each time that it has moved, until it is told to stop.
pub async fn send(lucid: Lucid, sinks: Sinks, stop: CancellationToken) {
    if sinks.file.is_none() && sinks.url.is_none() {
        return;
    }
    let mut sent = 0;
    loop {
        match lucid.signed_end().await {
            Ok(Some(end)) if end.size > sent => {
                sinks.take(&end).await;
                sent = end.size;
            }
            Ok(_) => {}
            Err(error) => tracing::error!(error = &error as &dyn std::error::Error, "the end of the trail could not be read"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
