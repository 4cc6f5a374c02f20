//! Which files of a folder hold transcripts, and which are beside them and are known to hold
//! none.

use std::{
    io,
    path::{Path, PathBuf},
};

use domain::canonical::sha256_hex;

/// Files of a folder that hold transcripts, and those that are known to hold none.
#[derive(Debug, Default)]
pub struct Found {
    /// Transcripts, a session's own file before those of its sub-agents.
    pub files: Vec<PathBuf>,
    pub skipped: Vec<(PathBuf, &'static str)>,
    /// Memory files of an agent that are beside its sessions.
    pub memories: Vec<PathBuf>,
}

/// The files that a path means: itself, or what a folder holds, in order of their names.
pub fn files(path: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    if path.is_dir() {
        walk(path, &mut found)?;
    } else {
        found.files.push(path.to_owned());
    }
    Ok(found)
}

/// Files beside transcripts of which the name alone says that they are none: the name, the file
/// that must be beside it if any, and what it is.
const BESIDE: &[(&str, Option<&str>, &str)] = &[
    (
        "sessions-index.json",
        None,
        "an index of the sessions beside it",
    ),
    // What the screen showed is read where it is all there is.
    (
        "ui_messages.json",
        Some(CLINE),
        "what the screen showed of the conversation beside it",
    ),
    (
        "task_metadata.json",
        Some(CLINE),
        "what the program noted of the conversation beside it",
    ),
];
/// The file that holds a conversation in Cline's folder of a task.
const CLINE: &str = "api_conversation_history.json";
/// Files of which nothing can be read and that are expected to be beside transcripts.
const EXPECTED: &[&str] = &[
    "sessions.json",
    "session_index.jsonl",
    "history.jsonl",
    "logs.json",
    "settings.json",
    "config.json",
];

/// True if a file that holds no transcript is one that programs leave beside transcripts.
pub(super) fn is_expected_beside(name: &str) -> bool {
    Path::new(without_packing(name))
        .file_name()
        .is_some_and(|n| EXPECTED.iter().any(|e| n == *e))
}

fn walk(folder: &Path, found: &mut Found) -> io::Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    // A session's file `s.jsonl` comes before its folder `s`.
    entries.sort_by_key(|e| (stem(&e.path()), e.path().is_dir(), e.file_name()));
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type()?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if kind.is_dir() {
            match name.as_str() {
                // There may be transcripts among the notes.
                "memory" => {
                    found.memories.extend(notes(&path)?);
                    walk(&path, found)?;
                }
                "tool-results" => found
                    .skipped
                    .push((path, "answers of tools that their session names")),
                "workflows" if folder.ends_with("subagents") => walk_workflows(&path, found)?,
                _ => walk(&path, found)?,
            }
        } else if let Some(what) = is_beside(folder, &name).filter(|_| kind.is_file()) {
            found.skipped.push((path, what));
        } else if kind.is_file() && is_transcript(&name) {
            found.files.push(path);
        }
    }
    Ok(())
}

fn is_beside(folder: &Path, name: &str) -> Option<&'static str> {
    let known = |(_, beside, _): &&(&str, Option<&str>, &str)| {
        beside.is_none_or(|b| folder.join(b).exists())
    };
    BESIDE
        .iter()
        .filter(|(n, ..)| *n == name)
        .find(known)
        .map(|(.., what)| *what)
}

fn is_transcript(name: &str) -> bool {
    let name = without_packing(name);
    // Of texts, only those that are named as an export is.
    EXTENSIONS.iter().any(|e| name.ends_with(e))
        || (name.starts_with("cursor_") && has_extension(name, "md"))
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|e| e == extension)
}

/// Journals of workflows say which step began when; the sub-agents of a workflow are transcripts.
fn walk_workflows(folder: &Path, found: &mut Found) -> io::Result<()> {
    let mut inner = Found::default();
    walk(folder, &mut inner)?;
    let (journals, files): (Vec<_>, Vec<_>) =
        inner.files.into_iter().partition(|f| stem(f) == "journal");
    found.skipped.extend(
        journals
            .into_iter()
            .map(|f| (f, "a journal of a workflow's steps")),
    );
    found.skipped.append(&mut inner.skipped);
    found.files.extend(files);
    Ok(())
}

fn notes(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && path.extension().is_some_and(|e| e == "md") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// How the names of transcripts end.
const EXTENSIONS: &[&str] = &[".traj.json", ".json", ".jsonl", ".ndjson", ".traj"];
/// How the names of packed files end.
const PACKED: &[&str] = &[".gz", ".zst"];

fn without_packing(name: &str) -> &str {
    PACKED
        .iter()
        .find_map(|e| name.strip_suffix(e))
        .unwrap_or(name)
}

/// A file's name without folder and extensions.
fn stem(path: &Path) -> String {
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let name = without_packing(&name);
    EXTENSIONS
        .iter()
        .chain(&[".md"])
        .find_map(|e| name.strip_suffix(e))
        .unwrap_or(name)
        .to_owned()
}

/// Names of files that are the same for every session, so that the folder's name is the session's.
const SAME_FOR_ALL: &[&str] = &[
    "api_conversation_history",
    "ui_messages",
    "events",
    "trajectory",
    "session",
    "messages",
    "transcript",
];

/// The origin of a transcript.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file's name as it is shown.
    pub name: String,
    /// Its name without folder and extension, or its folder's where files of this name are in every
    /// session's folder: the session's id where the format leaves it there.
    pub stem: String,
    /// True if values may go over several lines.
    pub whole: bool,
    /// True if it is a text in Markdown.
    pub(super) markdown: bool,
    /// The folder that it is in, as far as it is known.
    folder: String,
}

impl Source {
    /// Returns what a file's name says: values of a `.json` or `.traj` file may go over several
    /// lines.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let plain = without_packing(name);
        let own = stem(Path::new(name));
        let folder = Path::new(name)
            .parent()
            .and_then(Path::file_name)
            .map(|f| f.to_string_lossy().into_owned());
        let stem = folder
            .filter(|_| SAME_FOR_ALL.contains(&own.as_str()))
            .unwrap_or(own);
        let whole = has_extension(plain, "json") || has_extension(plain, "traj");
        let folder = Path::new(name)
            .parent()
            .map(|f| f.display().to_string())
            .unwrap_or_default();
        Self {
            stem,
            whole,
            markdown: has_extension(plain, "md"),
            name: name.to_owned(),
            folder,
        }
    }

    /// The same of a file that is there: its folder is known by its full path.
    pub(super) fn of_file(path: &Path) -> Self {
        let named = Self::named(&path.display().to_string());
        let folder = path
            .canonicalize()
            .ok()
            .and_then(|p| p.parent().map(|f| f.display().to_string()));
        Self {
            folder: folder.unwrap_or_else(|| named.folder.clone()),
            ..named
        }
    }

    /// The id of a session whose transcript gives it none: the file's name, and a hash of its
    /// folder and of how the session begins, so that files of one name in several folders, or
    /// uploaded one after the other, are not taken for one session.
    pub(super) fn id_of(&self, begins: &str) -> String {
        self.id_of_run(&self.stem, begins)
    }

    /// The same with another name in front: that of a task, which several runs may share.
    pub(super) fn id_of_run(&self, name: &str, begins: &str) -> String {
        let hash = sha256_hex(
            [self.folder.as_bytes(), b"\0", begins.as_bytes()]
                .concat()
                .as_slice(),
        );
        format!("{name}:{}", &hash[..12])
    }
}
