//! `lucid record`: sends this machine's transcripts to a Lucid elsewhere. A changed file is sent
//! whole and packed; Lucid takes in what it does not have, so that nothing arrives twice. What
//! cannot be sent stays in its file and is sent when Lucid is there again.

use std::{
    collections::{BTreeMap, HashSet},
    io::{Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use app::actions::account::encoded;
use flate2::{Compression, write::GzEncoder};
use reqwest::{Client, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{follow::Following, serve::stop_on_signal};
use crate::{Failure, cli::RecordArgs, outgoing, web::receiving::UPLOAD_BYTES};

/// How often files are looked at.
const EVERY: Duration = Duration::from_secs(2);
/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
/// How long one file may take.
const SENDING: Duration = Duration::from_mins(10);

/// The answer for a session that another import takes in at the same moment.
const BUSY: &str = "import it again";

/// The positions up to which files were sent, kept over restarts.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Sent {
    /// The hash of what each file held when it was sent, by its path and where it was sent to.
    files: BTreeMap<String, String>,
}

/// Why a file was not taken.
enum Refusal {
    /// Lucid cannot be reached, or asks to wait: everything is tried again.
    Later(String),
    /// It could not take this file just now: the others go on, and it is tried again.
    Again(String),
    /// The file itself is refused: it is tried again when it has changed.
    File(String),
    /// Nothing can be sent: the key, the address or the store is wrong.
    All(String),
}

/// Sends what is there, and with `--watch` what comes.
pub async fn run(args: &RecordArgs) -> Result<ExitCode, Failure> {
    let client = client()?;
    let mut sent = read_state(&args.state)?;
    let mut following = Following::default();
    let mut pause = EVERY;
    let mut told = HashSet::new();
    let stop = CancellationToken::new();
    if args.watch {
        tokio::spawn(stop_on_signal(stop.clone()));
        println!("Sending to {}; stop with Ctrl-C.", args.to);
    }
    loop {
        let mut failed = 0;
        // What this command keeps may be in a folder that it follows.
        let is_own = |file: &Path| absolute(file) == absolute(&args.state);
        for (file, state) in following
            .changed(&args.paths)
            .into_iter()
            .filter(|(file, _)| !is_own(file))
        {
            let reading = file.clone();
            let read = tokio::task::spawn_blocking(move || packed(&reading))
                .await
                .map_err(|e| Failure::Said(e.to_string()))?;
            let (packed, hash) = match read {
                Ok(read) => read,
                // Another program may have moved it away.
                Err(failure) => {
                    failed += 1;
                    if told.insert(failure.to_string()) {
                        eprintln!("{failure}");
                    }
                    continue;
                }
            };
            let asked = [
                args.store.as_deref(),
                args.agent.as_deref(),
                args.team.as_deref(),
            ]
            .map(Option::unwrap_or_default)
            .join(" ");
            let known = format!(
                "{} {} {asked} {}",
                args.to.trim_end_matches('/'),
                args.format,
                absolute(&file).display()
            );
            if sent.files.get(&known) == Some(&hash) {
                following.read(vec![(file, state)]);
                continue;
            }
            match send(&client, args, &file, packed).await {
                Ok(answer) => {
                    pause = EVERY;
                    tell(&file, &answer);
                    if answer.to_string().contains(BUSY) {
                        continue;
                    }
                }
                Err(Refusal::Again(reason)) => {
                    failed += 1;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    eprintln!("{}: {reason}; it is tried again", file.display());
                    continue;
                }
                Err(Refusal::All(reason)) => return Err(Failure::Said(reason)),
                Err(Refusal::File(reason)) => {
                    failed += 1;
                    if told.insert(reason.clone()) {
                        eprintln!("{}: {reason}", file.display());
                    }
                }
                Err(Refusal::Later(reason)) => {
                    if !args.watch {
                        return Err(Failure::Said(format!(
                            "{reason}; what was not sent is sent when this command is run again"
                        )));
                    }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    eprintln!("{reason}; trying again in {} s", pause.as_secs());
                    break;
                }
            }
            sent.files.insert(known, hash);
            following.read(vec![(file, state)]);
            write_state(&args.state, &sent)?;
        }
        if !args.watch {
            return Ok(if failed == 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
        }
    }
}

fn client() -> Result<Client, Failure> {
    outgoing::client(SENDING).map_err(|e| Failure::Said(format!("no HTTP client: {e}")))
}

/// A file's contents packed, and their hash.
fn packed(file: &Path) -> Result<(Vec<u8>, String), Failure> {
    let failed = |e| Failure::Io(file.display().to_string(), e);
    let mut from = std::fs::File::open(file).map_err(failed)?;
    let mut hash = Sha256::new();
    let mut to = GzEncoder::new(Vec::new(), Compression::fast());
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let n = from.read(&mut buffer).map_err(failed)?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
        to.write_all(&buffer[..n]).map_err(failed)?;
    }
    Ok((to.finish().map_err(failed)?, hex::encode(hash.finalize())))
}

async fn send(
    client: &Client,
    args: &RecordArgs,
    file: &Path,
    packed: Vec<u8>,
) -> Result<Value, Refusal> {
    if packed.len() > UPLOAD_BYTES {
        return Err(Refusal::File(format!(
            "packed it has {} MB; the limit is {} MB",
            packed.len() / 1_000_000,
            UPLOAD_BYTES / 1_000_000
        )));
    }
    let format = args.format.to_string();
    let name = name(file);
    let mut query = vec![("name", name.as_str()), ("format", format.as_str())];
    let more = [
        ("store", &args.store),
        ("agent", &args.agent),
        ("team", &args.team),
    ];
    query.extend(
        more.into_iter()
            .filter_map(|(key, value)| Some((key, value.as_deref()?))),
    );
    let query: String = query
        .iter()
        .map(|(k, v)| format!("{k}={}", encoded(v)))
        .collect::<Vec<_>>()
        .join("&");
    let address = format!("{}/v1/transcripts?{query}", args.to.trim_end_matches('/'));
    let request = client
        .post(&address)
        .header("x-api-key", &args.key)
        .body(packed);
    let answer = request.send().await.map_err(|e| {
        if e.is_builder() {
            Refusal::All(format!("{} is no address: {e}", args.to))
        } else {
            Refusal::Later(format!("{} cannot be reached: {}", args.to, root(&e)))
        }
    })?;
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    let said = body
        .pointer("/error/message")
        .and_then(Value::as_str)
        .unwrap_or("no reason was given")
        .to_owned();
    Err(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
            Refusal::All(format!("{} refuses: {said}", args.to))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Refusal::Later(said),
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            Refusal::Later(format!("{} answers {status}: {said}", args.to))
        }
        s if s.is_server_error() => Refusal::Again(format!("{} answers {s}: {said}", args.to)),
        s if s.is_redirection() => Refusal::All(format!(
            "{} answers with another address: give that one",
            args.to
        )),
        _ => Refusal::File(said),
    })
}

/// The last reason of an error.
fn root(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// The name by which a file is sent: its own with its folder's, which may name the session.
fn name(file: &Path) -> String {
    // Two parts are enough to tell sessions apart, and do not say where on this machine they stand.
    let parts: Vec<String> = absolute(file)
        .components()
        .rev()
        .take(2)
        .map(|c| c.as_os_str().to_string_lossy().into_owned())
        .collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

fn absolute(file: &Path) -> PathBuf {
    std::path::absolute(file).unwrap_or_else(|_| file.to_owned())
}

fn tell(file: &Path, answer: &Value) {
    let number = |key: &str| answer.get(key).and_then(Value::as_u64).unwrap_or(0);
    if number("added") + number("grown") > 0 {
        println!(
            "{}: {} added, {} grown by {} events",
            file.display(),
            number("added"),
            number("grown"),
            number("events_appended")
        );
    }
    for list in ["left_out", "skipped"] {
        for problem in answer
            .get(list)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            eprintln!(
                "{}: {}",
                file.display(),
                problem
                    .get("reason")
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            );
        }
    }
}

fn read_state(path: &Path) -> Result<Sent, Failure> {
    let failed = |e| Failure::Io(path.display().to_string(), e);
    match std::fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).map_err(|e| {
            Failure::Said(format!(
                "{} does not hold what `lucid record` keeps ({e}); name another file with --state",
                path.display()
            ))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Sent::default()),
        Err(error) => Err(failed(error)),
    }
}

/// Writes the state beside its file first, so that an end in the middle leaves the one before.
fn write_state(path: &Path, sent: &Sent) -> Result<(), Failure> {
    let failed = |e| Failure::Io(path.display().to_string(), e);
    let text = serde_json::to_string_pretty(sent).map_err(|e| Failure::Said(e.to_string()))?;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    std::fs::write(&beside, text).map_err(failed)?;
    std::fs::rename(&beside, path).map_err(failed)
}
