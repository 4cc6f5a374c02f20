//! The signed end of the audit trail, sent out of reach of the person who can change the database:
//! to a file, to an address, to a witness.

use std::{fs::OpenOptions, io::Write, path::PathBuf, time::Duration};

use audit::{
    Checkpoint,
    tlog::Proof,
    witness::{self, WitnessKey},
};
use domain::{Timestamp, actor::Actor};
use reqwest::StatusCode;
use service::{Cosignature, Lucid};
use tokio_util::sync::CancellationToken;

use crate::{Failure, cli::WorkArgs, outgoing};

/// How often it is looked whether the trail has grown.
const EVERY: Duration = Duration::from_mins(1);
/// How long anyone who is sent a checkpoint may take to answer.
const ANSWER: Duration = Duration::from_secs(20);
/// Most bytes of a witness's answer that are read.
const ANSWER_BYTES: usize = 65_536;

/// The places that checkpoints are sent to.
pub struct Sinks {
    file: Option<PathBuf>,
    url: Option<String>,
    witness: Option<(String, WitnessKey)>,
}

impl Sinks {
    /// Those of the settings.
    pub fn of(args: &WorkArgs) -> Self {
        Self {
            file: args.checkpoint_file.clone(),
            url: args.checkpoint_url.clone(),
            witness: args.witness_url.clone().zip(args.witness_key.clone()),
        }
    }

    /// Sends a checkpoint everywhere; what could not be reached is sent the next one.
    async fn take(&self, checkpoint: &Checkpoint) {
        let Ok(text) = serde_json::to_string(checkpoint) else {
            return;
        };
        if let Some(file) = &self.file {
            let (file, line) = (file.clone(), format!("{text}\n"));
            let written = tokio::task::spawn_blocking(move || {
                let mut file = OpenOptions::new().create(true).append(true).open(file)?;
                file.write_all(line.as_bytes())
                    .and_then(|()| file.sync_all())
            });
            if let Ok(Err(error)) = written.await {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a checkpoint could not be written to its file"
                );
            }
        }
        if let Some(url) = &self.url
            && let Err(error) = post(url, text).await
        {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "a checkpoint could not be sent"
            );
        }
    }
}

/// Has a witness cosign the tree head. It says itself which size it cosigned last; a proof leads
/// from there to the head.
async fn cosign(lucid: &Lucid, url: &str, key: &WitnessKey) -> Result<(), Failure> {
    let last = lucid
        .cosignatures(&Actor::operator())
        .await?
        .into_iter()
        .find(|c| c.witness == key.to_string());
    let mut size = last.and_then(|c| u64::try_from(c.size).ok()).unwrap_or(0);
    let client = outgoing::client(ANSWER).map_err(unreachable)?;
    // Once more if it knows another size: another server of this database, or one that was
    // restored, had it cosigned.
    for _ in 0..2 {
        let Proof::Growth {
            path, checkpoint, ..
        } = lucid.prove_growth(&Actor::operator(), size).await?
        else {
            return Ok(());
        };
        let body = witness::request(size, &path, &checkpoint).unwrap_or_default();
        let answer = client
            .post(format!("{}/add-checkpoint", url.trim_end_matches('/')))
            .body(body)
            .send()
            .await
            .map_err(unreachable)?;
        let (status, text) = (answer.status(), read(answer).await?);
        match status {
            StatusCode::OK => {
                let (note, seconds) = key
                    .cosigned(&checkpoint, &text)
                    .map_err(|e| Failure::Said(e.to_string()))?;
                let at = Timestamp(
                    i64::try_from(seconds)
                        .unwrap_or_default()
                        .saturating_mul(1_000_000),
                );
                let size = checkpoint
                    .lines()
                    .nth(1)
                    .and_then(|n| n.parse().ok())
                    .unwrap_or_default();
                lucid
                    .keep_cosignature(&Cosignature {
                        witness: key.to_string(),
                        size,
                        at,
                        note,
                    })
                    .await?;
                return Ok(());
            }
            StatusCode::CONFLICT => match text.trim().parse() {
                Ok(known) => size = known,
                Err(_) => {
                    return Err(Failure::Said(
                        "the witness did not say which size it cosigned last".to_owned(),
                    ));
                }
            },
            status => {
                let says: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
                return Err(Failure::Said(format!(
                    "the witness {} answered {status}: {says}",
                    key.name()
                )));
            }
        }
    }
    Err(Failure::Said(
        "the trail grew while the witness was asked".to_owned(),
    ))
}

/// The beginning of an answer, as text.
async fn read(mut answer: reqwest::Response) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(unreachable)? {
        bytes.extend_from_slice(&part);
        if bytes.len() > ANSWER_BYTES {
            return Err(Failure::Said(
                "the answer of the witness is too long".to_owned(),
            ));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn unreachable(error: reqwest::Error) -> Failure {
    Failure::Said(format!("the witness could not be reached: {error}"))
}

async fn post(url: &str, text: String) -> reqwest::Result<()> {
    outgoing::client(ANSWER)?
        .post(url)
        .header("content-type", "application/json")
        .body(text)
        .send()
        .await?
        .error_for_status()
        .map(drop)
}

/// Sends the signed end each time that it has moved, until it is told to stop.
pub async fn send(lucid: Lucid, sinks: Sinks, stop: CancellationToken) {
    if sinks.file.is_none() && sinks.url.is_none() && sinks.witness.is_none() {
        return;
    }
    let (mut sent, mut witnessed) = (0, 0);
    loop {
        match lucid.signed_end().await {
            Ok(Some(end)) => {
                if end.size > sent {
                    sinks.take(&end).await;
                    sent = end.size;
                }
                if let Some((url, key)) = sinks.witness.as_ref().filter(|_| end.size > witnessed) {
                    match cosign(&lucid, url, key).await {
                        Ok(()) => witnessed = end.size,
                        Err(error) => {
                            tracing::error!("the tree head could not be cosigned: {error}");
                        }
                    }
                }
            }
            Ok(None) => {}
            Err(error) => tracing::error!(
                error = &error as &dyn std::error::Error,
                "the end of the trail could not be read"
            ),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
