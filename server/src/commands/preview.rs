//! `lucid dream --preview`: what a dream would propose, without a database.

use std::{fs, io::Write, path::Path, process::ExitCode};

use domain::{event::OutcomeResult, memory::MemoryPath};
use dream::{Event, Head, Input, Memory, Reader, Session};
use indicatif::ProgressBar;
use service::{
    PreviewInput,
    transcripts::{SpoolReader, Spooled},
};

use super::import::spool_files;
use crate::{
    Failure,
    cli::DreamArgs,
    models::{ModelArgs, sentence_model},
};

/// Prints the proposal as JSON. What is wrong with single sessions goes to standard error.
pub fn run(models: &ModelArgs, args: &DreamArgs) -> Result<ExitCode, Failure> {
    let mut preview = PreviewInput {
        input: Input::default(),
        sessions: Vec::new(),
        names: Vec::new(),
    };
    if !args.sessions.is_empty() {
        let (spool, _) = spool_files(
            &args.sessions,
            &super::options(&args.format)?,
            &ProgressBar::hidden(),
        )?;
        let (sessions, problems, mut reader) = spool.finish().map_err(spool_failed)?;
        for problem in problems {
            eprintln!("{problem}");
        }
        for session in &sessions {
            take(session, &mut reader, &mut preview)?;
        }
        let mut reader = Reader::default();
        preview.input.sessions = preview.sessions.iter().map(|s| reader.see(s)).collect();
    }
    if let Some(folder) = &args.memories {
        memories(folder, folder, &mut preview.input.memories)?;
    }
    if let Some(model) = sentence_model(models)? {
        service::with_meanings(&mut preview.input, model.as_ref())
            .map_err(|e| Failure::Said(e.to_string()))?;
    }
    let proposal = serde_json::to_string_pretty(&service::preview(&preview))
        .map_err(|e| Failure::Said(e.to_string()))?;
    // Anyone who reads only the beginning of it closes the pipe.
    match writeln!(std::io::stdout(), "{proposal}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::Io("standard output".to_owned(), error))
        }
        _ => Ok(ExitCode::SUCCESS),
    }
}

fn spool_failed(error: std::io::Error) -> Failure {
    Failure::Io("the temporary folder".to_owned(), error)
}

fn take(
    spooled: &Spooled,
    reader: &mut SpoolReader,
    preview: &mut PreviewInput,
) -> Result<(), Failure> {
    let mut events = Vec::new();
    let mut ids = Vec::new();
    let mut at = None;
    for index in 0..spooled.len() {
        let event = reader.event(spooled, index).map_err(spool_failed)?;
        at = event.occurred_at.or(at);
        ids.push(event.external_id.unwrap_or_else(|| index.to_string()));
        events.push(Event {
            kind: domain::event::counts_as(event.kind, event.speaker, event.standing),
            tool: event.tool,
            tool_use_id: event.tool_use_id,
            is_error: event.is_error,
            text: event.text,
        });
    }
    let head = &spooled.head;
    let id = head
        .external_id
        .clone()
        .unwrap_or_else(|| spooled.name.clone());
    let head = Head {
        recorders: Vec::new(),
        // The same id may be in two files; their places tell them apart.
        key: format!("{id}\0{}", spooled.name),
        agent: head.agent.clone(),
        subject: head.subject.clone(),
        task: head.task_key.clone(),
        outcome: head
            .outcome
            .map_or(OutcomeResult::Unknown, domain::event::Outcome::decided),
        at: at.map(|t| t.0),
    };
    preview.sessions.push(Session { head, events });
    preview.names.push((id, ids));
    Ok(())
}

/// Every file of a folder as a memory at `/` and its relative path, in order of the paths.
fn memories(root: &Path, folder: &Path, found: &mut Vec<Memory>) -> Result<(), Failure> {
    let failed = |path: &Path| {
        let name = path.display().to_string();
        move |e| Failure::Io(name, e)
    };
    let mut entries = fs::read_dir(folder)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(failed(folder))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            memories(root, &path, found)?;
            continue;
        }
        let relative = path
            .strip_prefix(root)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        let memory_path: MemoryPath = format!("/{relative}")
            .parse()
            .map_err(|e| Failure::Said(format!("{}: {e}", path.display())))?;
        let content = fs::read_to_string(&path).map_err(failed(&path))?;
        domain::memory::check_content(&content)
            .map_err(|e| Failure::Said(format!("{}: {e}", path.display())))?;
        found.push(Memory::plain(memory_path.as_str(), &content));
    }
    Ok(())
}
