//! Following transcripts that grow: `lucid import --watch` and `lucid record --watch`. Files are
//! looked at again and again rather than watched by the system, so that network file systems,
//! rotation and restarts need nothing of their own: a session takes in only the events that it does
//! not have, however often its file is read.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, SystemTime},
};

use domain::actor::Actor;
use indicatif::ProgressBar;
use service::transcripts::{self, Options};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    import::{Summary, spool_files, store_called, write},
    serve::stop_on_signal,
};
use crate::{Failure, cli::ImportArgs};

/// How often files are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// How many times as long as a reading took nothing is read after it, so that long files do not
/// keep a processor busy.
const REST: u32 = 10;

/// A file as it was when it was read last: its length and time.
type State = (u64, Option<SystemTime>);

/// Transcript files that are read on as they grow.
#[derive(Default)]
pub struct Following {
    known: HashMap<PathBuf, State>,
}

impl Following {
    /// The files that are new or have changed since they were [`Following::read`]. A path that is
    /// not there yet is waited for.
    pub fn changed(&self, paths: &[PathBuf]) -> Vec<(PathBuf, State)> {
        let found = paths
            .iter()
            .filter_map(|path| transcripts::files(path).ok())
            .flat_map(|found| found.files);
        found
            .filter_map(|file| Some((state(&file)?, file)))
            .filter(|(s, f)| self.known.get(f) != Some(s))
            .map(|(s, f)| (f, s))
            .collect()
    }

    /// Notes that these files were read as they were then.
    pub fn read(&mut self, files: Vec<(PathBuf, State)>) {
        self.known.extend(files);
    }
}

fn state(file: &Path) -> Option<State> {
    let meta = file.metadata().ok()?;
    Some((meta.len(), meta.modified().ok()))
}

/// Takes transcripts into a store, and what is added to them, until it is stopped.
pub async fn import(
    database: super::Database<'_>,
    args: &ImportArgs,
    store: &str,
    options: Options,
) -> Result<ExitCode, Failure> {
    let lucid = super::with_transcripts(super::open(database).await?).await?;
    let actor = Actor::operator();
    let store = store_called(&lucid, store).await?;
    let mut following = Following::default();
    let mut said = HashSet::new();
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    println!(
        "Following {}; stop with Ctrl-C.",
        args.paths
            .iter()
            .map(|p| p.display().to_string())
            .collect::<Vec<_>>()
            .join(", ")
    );
    loop {
        let changed = following.changed(&args.paths);
        let mut rest = EVERY;
        if !changed.is_empty() {
            let began = Instant::now();
            let files: Vec<PathBuf> = changed.iter().map(|(file, _)| file.clone()).collect();
            let reading = options.clone();
            let read = tokio::task::spawn_blocking(move || {
                spool_files(&files, &reading, &ProgressBar::hidden())
            });
            let done = match read.await.map_err(|e| Failure::Said(e.to_string()))? {
                Ok((spool, _)) => write(&lucid, &actor, store, spool).await,
                Err(failure) => Err(failure),
            };
            match done {
                Ok(summary) => {
                    following.read(changed);
                    tell(&summary, &mut said);
                }
                // A file that was moved away, a database that is busy: what was not taken in is
                // tried again.
                Err(failure) => {
                    if said.insert(failure.to_string()) {
                        eprintln!("{failure}; it is tried again");
                    }
                }
            }
            rest = rest.max(began.elapsed() * REST);
        }
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = stop.cancelled() => break,
        }
    }
    lucid.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Says what is new, and each problem of a file once.
fn tell(summary: &Summary, said: &mut HashSet<String>) {
    if summary.added + summary.grown > 0 {
        println!(
            "{} added, {} grown by {} events",
            summary.added, summary.grown, summary.appended
        );
    }
    for problem in &summary.problems {
        if said.insert(problem.to_string()) {
            eprintln!("{problem}");
        }
    }
}
