//! Reads transcripts: a first pass that checks every session and brings its events to one form in a temporary file (the spool),
//! so that nothing is written to a database before all of a session is known to be good, and memory stays bounded.

mod claude_code;
mod events;
mod openai;
mod pieces;
mod spool;
mod values;

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::{Path, PathBuf},
};

use domain::event::SessionHead;
use serde_json::Value;

pub use events::read as read_event;
pub use pieces::clean as clean_json;
pub use spool::{Spool, SpoolReader, Spooled, roll};

/// Longest single event, in bytes of its JSON.
pub const EVENT_BYTES: usize = 10 * 1024 * 1024;

/// In which form a transcript is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Found out from the first value of each file.
    Auto,
    /// Chats of OpenAI messages, a JSON list or one a line.
    OpenAi,
    /// What Claude Code writes, one object a line.
    ClaudeCode,
    /// Managed Agents event objects.
    Events,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Self::Auto),
            "openai" => Ok(Self::OpenAi),
            "claude-code" => Ok(Self::ClaudeCode),
            "events" => Ok(Self::Events),
            other => Err(format!("`{other}` is not a format: auto, openai, claude-code or events")),
        }
    }
}

/// How transcripts are read.
#[derive(Debug, Clone)]
pub struct Options {
    /// In which form they are.
    pub format: Format,
    /// The agent, where the transcript does not say.
    pub agent: Option<String>,
    /// The team, where the transcript does not say.
    pub team: Option<String>,
    /// The key that holds the end user, beside `user`.
    pub subject_key: Option<String>,
    /// The key that holds the task, beside `task_id`.
    pub task_key: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { format: Format::Auto, agent: None, team: None, subject_key: None, task_key: None }
    }
}

impl Options {
    /// Fills in what the transcript did not say.
    fn complete(&self, head: &mut SessionHead) {
        head.agent = head.agent.take().or_else(|| self.agent.clone());
        head.team = head.team.take().or_else(|| self.team.clone());
    }
}

/// What is wrong with a transcript, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name as it was given.
    pub file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
    /// Why.
    pub reason: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.reason),
            line => write!(f, "{}:{line}: {}", self.file, self.reason),
        }
    }
}

/// The files that a path means: itself, or every `.json` and `.jsonl` below a folder, in order of their names.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(path)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type()?;
        if kind.is_dir() {
            found.extend(files(&path)?);
        } else if kind.is_file() && path.extension().is_some_and(|e| e == "json" || e == "jsonl") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Reads one file into the spool. What is wrong with single sessions becomes problems of the spool; an error means
/// that the file itself could not be read, or the spool not written. `tell` hears how many bytes were read.
pub fn read(path: &Path, options: &Options, spool: &mut Spool, tell: &mut dyn FnMut(usize)) -> io::Result<()> {
    let name = path.display().to_string();
    let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let whole = path.extension().is_some_and(|e| e == "json");
    read_from(File::open(path)?, &Source { name, stem, whole }, options, spool, tell)
}

/// Where a transcript comes from.
#[derive(Debug, Clone)]
pub struct Source {
    /// The file's name as it is shown.
    pub name: String,
    /// Its name without folder and extension: the session's id where the format leaves it there.
    pub stem: String,
    /// Whether values may go over several lines.
    pub whole: bool,
}

/// As [`read`], from anything that can be read.
pub fn read_from(from: impl Read, source: &Source, options: &Options, spool: &mut Spool, tell: &mut dyn FnMut(usize)) -> io::Result<()> {
    let counted = Counted { from, tell };
    let mut pieces = pieces::Pieces::new(BufReader::with_capacity(256 * 1024, counted), source.whole);
    let mut reader: Option<Box<dyn Reader>> = None;
    spool.begin_file(&source.name);
    let mut any = false;
    while let Some(piece) = pieces.next()? {
        any = true;
        let at = Place { source, options };
        let text = match piece.text {
            Ok(text) => text,
            Err(reason) => {
                blame(reader.as_deref_mut(), spool);
                spool.problem(piece.line, reason);
                continue;
            }
        };
        if reader.is_none() {
            match recognise(options.format, &text) {
                Ok(found) => reader = Some(found),
                Err(reason) => {
                    blame(None, spool);
                    spool.problem(piece.line, reason);
                    continue;
                }
            }
        }
        if let Some(reader) = &mut reader
            && let Err(reason) = reader.take(&text, &at, spool)?
        {
            spool.problem(piece.line, reason);
        }
    }
    if !any {
        spool.problem(0, "the file is empty".to_owned());
    }
    spool.end_file(options);
    Ok(())
}

/// Where a value comes from.
struct Place<'a> {
    source: &'a Source,
    options: &'a Options,
}

/// A value could not be read at all: in a format of one session a value it is nobody's problem but its own; in a format of one
/// event a value the session that goes on is broken, or, before any has begun, the one that begins next.
fn blame(reader: Option<&mut (dyn Reader + 'static)>, spool: &mut Spool) {
    if reader.is_some_and(|r| r.holds_whole_sessions()) { spool.leave() } else { spool.doom_next() }
}

/// Takes the values of one file in one format.
trait Reader {
    /// Whether each value is a session of its own.
    fn holds_whole_sessions(&self) -> bool {
        false
    }

    /// The outer error is the spool's; the inner one is the value's.
    fn take(&mut self, text: &str, at: &Place, spool: &mut Spool) -> io::Result<Result<(), String>>;
}

fn recognise(format: Format, text: &str) -> Result<Box<dyn Reader>, String> {
    let format = if format == Format::Auto { detect(text)? } else { format };
    Ok(match format {
        Format::ClaudeCode => Box::new(claude_code::ClaudeCode::default()),
        Format::Events => Box::new(events::Events::default()),
        Format::OpenAi | Format::Auto => Box::new(openai::OpenAi),
    })
}

fn detect(text: &str) -> Result<Format, String> {
    let keys: values::Keys = serde_json::from_str(text).map_err(|e| values::not_json(&e))?;
    let kind = keys.0.get("type").and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let has = |key: &str| keys.0.contains_key(key);
    match kind {
        _ if has("messages") || has("traj") => Ok(Format::OpenAi),
        Some(kind) if kind == "session" || kind.contains('.') => Ok(Format::Events),
        Some(_)
            if ["message", "sessionId", "session_id", "uuid", "summary", "leafUuid", "messageId", "timestamp"].iter().any(|k| has(k)) =>
        {
            Ok(Format::ClaudeCode)
        }
        _ => Err("it is in none of the formats openai (`messages` or `traj`), claude-code or events; say which with --format".to_owned()),
    }
}

struct Counted<'a, R> {
    from: R,
    tell: &'a mut dyn FnMut(usize),
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer)?;
        (self.tell)(n);
        Ok(n)
    }
}

/// Parses one event's JSON, within its limit.
fn parse(text: &str) -> Result<Value, String> {
    if text.len() > EVENT_BYTES {
        return Err(format!("an event is {} MB long; the limit is {} MB", text.len() / 1_000_000, EVENT_BYTES / 1_000_000));
    }
    serde_json::from_str(text).map_err(|e| values::not_json(&e))
}

#[cfg(test)]
mod tests;
