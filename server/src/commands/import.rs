//! `lucid import`: a first pass reads and checks every session into a spool, a second writes them, one transaction each.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use domain::{actor::Actor, ids::StoreId};
use indicatif::{ProgressBar, ProgressStyle};
use service::{
    Imported, Lucid,
    transcripts::{self, Options, Problem, Spool},
};

use crate::{Failure, cli::ImportArgs};

/// What an import did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Summary {
    /// New sessions.
    pub added: usize,
    /// Sessions that have grown.
    pub grown: usize,
    /// Events that were appended to them.
    pub appended: usize,
    /// Sessions that were there already.
    pub unchanged: usize,
    /// What was left out, and why.
    pub problems: Vec<Problem>,
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { added, grown, appended, unchanged, problems } = self;
        write!(f, "{added} added, {grown} grown by {appended} events, {unchanged} unchanged, {} left out", problems.len())
    }
}

/// Takes transcripts into a store.
pub async fn run(database: &str, args: &ImportArgs) -> Result<ExitCode, Failure> {
    let options = super::options(&args.format);
    let (paths, bar) = (args.paths.clone(), bar("reading", 0));
    let reading = bar.clone();
    let spool =
        tokio::task::spawn_blocking(move || spool_files(&paths, &options, &reading)).await.map_err(|e| Failure::Said(e.to_string()))??;
    bar.finish_and_clear();
    let lucid = super::open(database).await?;
    let actor = Actor::operator();
    let store = match lucid.store_named(&actor, &args.store).await? {
        Some(store) => store,
        None => lucid.create_store(&actor, &args.store, "").await?,
    };
    let summary = write(&lucid, &actor, store, spool).await?;
    lucid.close().await;
    for problem in &summary.problems {
        eprintln!("{problem}");
    }
    println!("{summary}");
    Ok(if summary.problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads every file into a spool.
pub fn spool_files(paths: &[PathBuf], options: &Options, bar: &ProgressBar) -> Result<Spool, Failure> {
    let failed = |path: &Path| {
        let name = path.display().to_string();
        move |e| Failure::Io(name, e)
    };
    let mut files = Vec::new();
    for path in paths {
        files.extend(transcripts::files(path).map_err(failed(path))?);
    }
    if files.is_empty() {
        return Err(Failure::Said("there is no .json or .jsonl file in what was given".to_owned()));
    }
    let bytes = files.iter().filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum();
    bar.set_length(bytes);
    let mut spool = Spool::new().map_err(|e| Failure::Io("the temporary folder".to_owned(), e))?;
    for file in &files {
        transcripts::read(file, options, &mut spool, &mut |n| bar.inc(n as u64)).map_err(failed(file))?;
    }
    Ok(spool)
}

/// Writes what was spooled.
pub async fn write(lucid: &Lucid, actor: &Actor, store: StoreId, spool: Spool) -> Result<Summary, Failure> {
    let spool_error = |e| Failure::Io("the temporary folder".to_owned(), e);
    let (sessions, problems, mut reader) = spool.finish().map_err(spool_error)?;
    let mut summary = Summary { problems, ..Summary::default() };
    let bar = bar("writing sessions", sessions.len() as u64);
    for session in &sessions {
        match lucid.import_session(actor, store, session, &mut reader).await {
            Ok(Imported::Added(_)) => summary.added += 1,
            Ok(Imported::Grown(_, events)) => {
                summary.grown += 1;
                summary.appended += events;
            }
            Ok(Imported::Unchanged(_)) => summary.unchanged += 1,
            Err(error) if error.kind() == service::Kind::Conflict => {
                summary.problems.push(Problem { file: session.name.clone(), line: 0, reason: error.message() });
            }
            Err(error) => return Err(error.into()),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(summary)
}

/// A bar on standard error; nothing where that is not a terminal.
fn bar(what: &'static str, length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:40} {percent}% {eta}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}
