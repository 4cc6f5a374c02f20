//! `lucid import --preview`: what becomes of the first records of a transcript, and a mapping to
//! begin with.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use service::transcripts::{
    self, Options, Source,
    mapping::{Mapping, Preview, preview},
};

use crate::Failure;

/// How much of a file is looked at.
const LOOKED_AT: u64 = 16 * 1024 * 1024;

/// Prints what each file's first records become. The exit code says whether all were understood.
pub fn run(paths: &[PathBuf], options: &Options) -> Result<ExitCode, Failure> {
    let mut understood = true;
    for path in paths {
        let files = if path.as_os_str() == "-" {
            vec![path.clone()]
        } else {
            transcripts::files(path)
                .map_err(|e| Failure::Io(path.display().to_string(), e))?
                .files
        };
        for file in files {
            understood &= one(&file, options)?;
        }
    }
    Ok(if understood {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn one(file: &Path, options: &Options) -> Result<bool, Failure> {
    let name = file.display().to_string();
    let failed = |e| Failure::Io(name.clone(), e);
    let mut bytes = Vec::new();
    if name == "-" {
        std::io::stdin()
            .lock()
            .take(LOOKED_AT)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
    } else {
        File::open(file)
            .map_err(failed)?
            .take(LOOKED_AT)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
    }
    let source = Source::named(if name == "-" { "standard input" } else { &name });
    let seen = preview(&bytes, &source, options).map_err(failed)?;
    println!("{name}");
    print(&seen);
    if seen.understood == 0 && options.mapping.is_none() {
        if let Some(guess) = Mapping::guess_from(&bytes) {
            println!(
                "\nNothing was understood. A mapping to begin with, to be saved as a file and \
                 given with --map:\n{guess}"
            );
        }
        return Ok(false);
    }
    Ok(seen.understood > 0)
}

fn print(seen: &Preview) {
    let mut session = "";
    for event in &seen.events {
        if event.session != session {
            session = &event.session;
            let about: Vec<String> = event
                .about
                .iter()
                .map(|(name, value)| format!(", {name} {value}"))
                .collect();
            println!("  session {session}{}", about.concat());
        }
        let tool = event
            .tool
            .as_ref()
            .map(|t| format!(" {t}"))
            .unwrap_or_default();
        let error = if event.is_error { ", an error" } else { "" };
        let time = event
            .time
            .as_ref()
            .map(|t| format!(" at {t}"))
            .unwrap_or_default();
        println!(
            "    {} by {}{tool}{error}{time}: {}",
            event.kind.as_str().replace('_', " "),
            event.speaker.name(),
            event.text.replace('\n', " ")
        );
    }
    for problem in &seen.problems {
        println!("  {problem}");
    }
}
