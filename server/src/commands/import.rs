//! `lucid import`: a first pass reads and checks every session into a spool, a second writes them,
//! one transaction each.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use domain::{actor::Actor, ids::StoreId};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use service::{
    Imported, Lucid, NewMemory,
    transcripts::{self, Counts, Finished, Options, Problem, Source, Spool},
};

use crate::{Failure, cli::ImportArgs};

/// The counts of an import.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Summary {
    pub added: usize,
    /// Sessions that have grown.
    pub grown: usize,
    /// Events that were appended to them.
    pub appended: usize,
    /// Sessions that were there already.
    pub unchanged: usize,
    pub problems: Vec<Problem>,
    /// What holds nothing to dream over, and why; no problem.
    pub skipped: Vec<Problem>,
    /// How many events were read, by whose words they hold.
    pub counts: Counts,
}

impl Summary {
    /// The same in one line, with what was skipped.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        let skipped: Vec<String> = self
            .skipped
            .iter()
            .take(5)
            .map(ToString::to_string)
            .collect();
        let skipped = if skipped.is_empty() {
            String::new()
        } else {
            format!(". Skipped: {}", skipped.join("; "))
        };
        self.to_string().replace('\n', ". ") + &skipped
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            added,
            grown,
            appended,
            unchanged,
            problems,
            ..
        } = self;
        write!(
            f,
            "{added} added, {grown} grown by {appended} events, {unchanged} unchanged, {} left out",
            problems.len()
        )?;
        let counts = &self.counts;
        let by: Vec<String> = counts
            .by_speaker
            .iter()
            .map(|(speaker, n)| format!("{n} {}", speaker.name()))
            .collect();
        if !by.is_empty() {
            write!(
                f,
                "\nEvents read: {}; {} kept as they came",
                by.join(", "),
                counts.raw
            )?;
        }
        if counts.repeated > 0 {
            write!(f, "; {} stood there a second time", counts.repeated)?;
        }
        if counts.gaps > 0 {
            write!(
                f,
                "; {} could not be read and {} a gap",
                counts.gaps,
                if counts.gaps == 1 { "is" } else { "are each" }
            )?;
        }
        Ok(())
    }
}

/// Takes transcripts into a store.
pub async fn run(database: super::Database<'_>, args: &ImportArgs) -> Result<ExitCode, Failure> {
    let mut options = super::options(&args.format)?;
    if let Some(file) = &args.pull_requests {
        options.pull_requests = Arc::new(pull_requests(file)?);
    }
    let Some(store) = args.store.as_deref().filter(|_| !args.preview) else {
        return super::map_preview::run(&args.paths, &options);
    };
    if args.watch {
        return super::follow::import(database, args, store, options).await;
    }
    let (paths, bar) = (args.paths.clone(), bar("reading", 0));
    let reading = bar.clone();
    let (spool, notes) =
        tokio::task::spawn_blocking(move || spool_files(&paths, &options, &reading))
            .await
            .map_err(|e| Failure::Said(e.to_string()))??;
    bar.finish_and_clear();
    let lucid = super::with_transcripts(super::open(database).await?).await?;
    let actor = Actor::operator();
    let store = store_called(&lucid, store).await?;
    let summary = write(&lucid, &actor, store, spool).await?;
    let taken = if args.with_memory {
        take_memories(&lucid, &actor, store, &notes).await?
    } else {
        0
    };
    lucid.close().await;
    for skipped in &summary.skipped {
        eprintln!("skipped {skipped}");
    }
    for problem in &summary.problems {
        eprintln!("{problem}");
    }
    println!("{summary}");
    let found = domain::plural::count(i64::try_from(notes.len()).unwrap_or(i64::MAX), "file");
    match (taken, notes.is_empty()) {
        (_, true) => {}
        (0, false) => println!(
            "{found} of an agent's own memory beside the sessions; --with-memory takes them in."
        ),
        (_, false) => println!("{found} of an agent's own memory taken in"),
    }
    Ok(if summary.problems.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// True if each pull request of a list was merged; those that are open say nothing.
fn pull_requests(file: &Path) -> Result<HashMap<String, bool>, Failure> {
    #[derive(Deserialize)]
    struct Listed {
        #[serde(alias = "html_url", alias = "web_url")]
        url: String,
        state: String,
        #[serde(default, alias = "merged_at", alias = "mergedAt")]
        merged: Option<serde_json::Value>,
    }
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|e| Failure::Io(name.clone(), e))?;
    let listed: Vec<Listed> = serde_json::from_str(&text).map_err(|e| {
        Failure::Said(format!(
            "{name} is no list of pull requests, each with `url` and `state`: {e}"
        ))
    })?;
    let ended = |pr: Listed| {
        let merged = pr.merged.is_some_and(|m| !m.is_null() && m != false)
            || pr.state.eq_ignore_ascii_case("merged");
        let closed = pr.state.eq_ignore_ascii_case("closed");
        (merged || closed).then(|| (pr.url.trim_end_matches('/').to_owned(), merged))
    };
    Ok(listed.into_iter().filter_map(ended).collect())
}

/// The store of a name, made if it is not there.
pub async fn store_called(lucid: &Lucid, name: &str) -> Result<StoreId, Failure> {
    let actor = Actor::operator();
    Ok(match lucid.store_named(&actor, name).await? {
        Some(store) => store,
        None => lucid.create_store(&actor, name, "").await?,
    })
}

/// Writes the memory files of an agent, each at `/memory/` and its name.
async fn take_memories(
    lucid: &Lucid,
    actor: &Actor,
    store: StoreId,
    files: &[PathBuf],
) -> Result<usize, Failure> {
    let mut all = Vec::new();
    for file in files {
        let name = file.display().to_string();
        let content = std::fs::read_to_string(file).map_err(|e| Failure::Io(name.clone(), e))?;
        let path = format!(
            "/memory/{}",
            file.file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default()
        );
        let path = path
            .parse()
            .map_err(|e| Failure::Said(format!("{name}: {e}")))?;
        all.push(NewMemory {
            path,
            content,
            by_person: false,
        });
    }
    if !all.is_empty() {
        lucid
            .write_memories(actor, store, &all, "Memory files of an agent")
            .await?;
    }
    Ok(all.len())
}

/// Reads every file into a spool; the memory files that are beside them are returned with it.
pub fn spool_files(
    paths: &[PathBuf],
    options: &Options,
    bar: &ProgressBar,
) -> Result<(Spool, Vec<PathBuf>), Failure> {
    let failed = |path: &Path| {
        let name = path.display().to_string();
        move |e| Failure::Io(name, e)
    };
    let mut found = transcripts::Found::default();
    for path in paths.iter().filter(|p| p.as_os_str() != "-") {
        let mut more = transcripts::files(path).map_err(failed(path))?;
        found.files.append(&mut more.files);
        found.skipped.append(&mut more.skipped);
        found.memories.append(&mut more.memories);
    }
    let piped = paths.iter().any(|p| p.as_os_str() == "-");
    if found.files.is_empty() && !piped {
        return Err(Failure::Said(
            "there is no .json, .jsonl, .ndjson or .traj file in what was given".to_owned(),
        ));
    }
    let bytes = found
        .files
        .iter()
        .filter_map(|f| f.metadata().ok())
        .map(|m| m.len())
        .sum();
    bar.set_length(bytes);
    let mut spool = Spool::new().map_err(|e| Failure::Io("the temporary folder".to_owned(), e))?;
    for (path, reason) in &found.skipped {
        spool.skip(&path.display().to_string(), reason);
    }
    for file in &found.files {
        transcripts::read(file, options, &mut spool, &mut |n| bar.inc(n as u64))
            .map_err(failed(file))?;
    }
    if piped {
        let source = Source::named("standard input");
        transcripts::read_from(
            std::io::stdin().lock(),
            &source,
            options,
            &mut spool,
            &mut |_| {},
        )
        .map_err(failed(Path::new("-")))?;
    }
    Ok((spool, found.memories))
}

/// Writes what was spooled.
pub async fn write(
    lucid: &Lucid,
    actor: &Actor,
    store: StoreId,
    spool: Spool,
) -> Result<Summary, Failure> {
    let spool_error = |e| Failure::Io("the temporary folder".to_owned(), e);
    let counts = spool.counts().clone();
    let Finished {
        sessions,
        problems,
        skipped,
        mut reader,
    } = spool.finish_with_skipped().map_err(spool_error)?;
    let mut summary = Summary {
        problems,
        skipped,
        counts,
        ..Summary::default()
    };
    let bar = bar("writing sessions", sessions.len() as u64);
    for session in &sessions {
        match lucid
            .import_session(actor, store, session, &mut reader)
            .await
        {
            Ok(Imported::Added(_)) => summary.added += 1,
            Ok(Imported::Grown(_, events)) => {
                summary.grown += 1;
                summary.appended += events;
            }
            Ok(Imported::Unchanged(_)) => summary.unchanged += 1,
            Err(error) if error.kind() == service::Kind::Conflict => {
                summary.problems.push(Problem {
                    file: session.name.clone(),
                    line: 0,
                    reason: error.message(),
                });
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
