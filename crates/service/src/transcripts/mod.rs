//! Reads transcripts: a first pass that checks every session and brings its events to one form in a temporary file (the spool),
//! so that nothing is written to a database before all of a session is known to be good, and memory stays bounded.

mod claude_code;
mod codex;
mod events;
mod marks;
mod openai;
mod pieces;
mod spool;
mod values;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use domain::event::{Event, SessionHead};
use serde_json::Value;

pub use events::read as read_event;
pub use pieces::clean as clean_json;
use spool::KEPT_PROBLEMS;
pub use spool::{Counts, Finished, Spool, SpoolReader, Spooled, roll};
pub(crate) use spool::{is_of_source, said};

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
    /// What Codex writes: rollouts, and the items of `exec --json`.
    Codex,
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
            "codex" => Ok(Self::Codex),
            "events" => Ok(Self::Events),
            other => Err(format!("`{other}` is not a format: auto, openai, claude-code, codex or events")),
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
    /// Whether a line that cannot be read leaves its session out, rather than being a gap in it.
    pub strict: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { format: Format::Auto, agent: None, team: None, subject_key: None, task_key: None, strict: false }
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

/// Files of a folder that hold transcripts, and those that are known to hold none.
#[derive(Debug, Default)]
pub struct Found {
    /// Transcripts, a session's own file before those of its sub-agents.
    pub files: Vec<PathBuf>,
    /// What is not read, and why.
    pub skipped: Vec<(PathBuf, &'static str)>,
    /// Memory files of an agent that stand beside its sessions.
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
                "tool-results" => found.skipped.push((path, "answers of tools that their session names")),
                "workflows" if folder.ends_with("subagents") => walk_workflows(&path, found)?,
                _ => walk(&path, found)?,
            }
        } else if kind.is_file() && name == "sessions-index.json" {
            found.skipped.push((path, "an index of the sessions beside it"));
        } else if kind.is_file() && EXTENSIONS.iter().any(|e| without_packing(&name).ends_with(e)) {
            found.files.push(path);
        }
    }
    Ok(())
}

/// Journals of workflows say which step began when; the sub-agents of a workflow are transcripts.
fn walk_workflows(folder: &Path, found: &mut Found) -> io::Result<()> {
    let mut inner = Found::default();
    walk(folder, &mut inner)?;
    let (journals, files): (Vec<_>, Vec<_>) = inner.files.into_iter().partition(|f| stem(f) == "journal");
    found.skipped.extend(journals.into_iter().map(|f| (f, "a journal of a workflow's steps")));
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
const EXTENSIONS: &[&str] = &[".json", ".jsonl", ".ndjson", ".traj"];
/// How the names of packed files end.
const PACKED: &[&str] = &[".gz", ".zst"];

fn without_packing(name: &str) -> &str {
    PACKED.iter().find_map(|e| name.strip_suffix(e)).unwrap_or(name)
}

/// A file's name without folder and extensions.
fn stem(path: &Path) -> String {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let name = without_packing(&name);
    EXTENSIONS.iter().find_map(|e| name.strip_suffix(e)).unwrap_or(name).to_owned()
}

/// Reads one file into the spool. What is wrong with single sessions becomes problems of the spool; an error means
/// that the file itself could not be read, or the spool not written. `tell` hears how many bytes were read.
pub fn read(path: &Path, options: &Options, spool: &mut Spool, tell: &mut dyn FnMut(usize)) -> io::Result<()> {
    read_from(File::open(path)?, &Source::named(&path.display().to_string()), options, spool, tell)
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

impl Source {
    /// What a file's name says: values of a `.json` or `.traj` file may go over several lines.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let whole = Path::new(without_packing(name)).extension().is_some_and(|e| e == "json" || e == "traj");
        Self { stem: stem(Path::new(name)), whole, name: name.to_owned() }
    }
}

/// Most bytes that a packed file may unpack to: what is larger was packed to fill the disk.
const UNPACKED_BYTES: u64 = 16 * 1024 * 1024 * 1024;

/// What a file holds, unpacked where it is packed, which its first bytes say.
fn unpacked<'a>(from: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut from = BufReader::with_capacity(64 * 1024, from);
    Ok(match from.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(Unpacked { from: flate2::bufread::MultiGzDecoder::new(from), left: UNPACKED_BYTES }),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(from).map_err(|e| damaged(&e))?;
            Box::new(Unpacked { from: decoder, left: UNPACKED_BYTES })
        }
        _ => Box::new(from),
    })
}

/// Unpacks up to a limit; whatever goes wrong is the file's.
struct Unpacked<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer).map_err(|e| damaged(&e))?;
        self.left = self.left.checked_sub(n as u64).ok_or_else(|| damaged(&"it is over 16 GB"))?;
        Ok(n)
    }
}

fn damaged(why: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it cannot be unpacked: {why}"))
}

/// As [`read`], from anything that can be read.
pub fn read_from(from: impl Read, source: &Source, options: &Options, spool: &mut Spool, tell: &mut dyn FnMut(usize)) -> io::Result<()> {
    spool.begin_file(&source.name, options.strict);
    match read_pieces(from, source, options, spool, tell) {
        // What is damaged is this file; those beside it go on.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            spool.leave();
            spool.problem(0, error.to_string());
        }
        other => other?,
    }
    spool.end_file(options);
    Ok(())
}

fn read_pieces(from: impl Read, source: &Source, options: &Options, spool: &mut Spool, tell: &mut dyn FnMut(usize)) -> io::Result<()> {
    let counted = Counted { from, tell };
    let mut pieces = pieces::Pieces::new(BufReader::with_capacity(256 * 1024, unpacked(counted)?), source.whole);
    let mut reader: Option<Box<dyn Reader>> = None;
    let at = Place { source, options };
    let mut any = false;
    // What could not be read before it was known in which format the file is: line, reason, bytes.
    let mut unread: Vec<(usize, String, usize)> = Vec::new();
    while let Some(piece) = pieces.next()? {
        any = true;
        let taken = match &piece.text {
            Ok(text) => take(&mut reader, text, &at, spool, &mut unread)?,
            Err(reason) => Err(reason.clone()),
        };
        let Err(reason) = taken else { continue };
        let Some(known) = &reader else {
            // A file of which nothing can be read must not fill the memory with reasons.
            if unread.len() <= KEPT_PROBLEMS {
                unread.push((piece.line, reason, piece.bytes));
            }
            continue;
        };
        if known.holds_whole_sessions() {
            // A chat that cannot be read is lost, and nobody else's problem.
            spool.leave();
            spool.problem(piece.line, reason);
            continue;
        }
        if piece.open && !options.strict {
            // The file is being written: its last line is read when it is whole.
            spool.skip(&source.name, "its last line is not whole yet; import it again when the session has gone on");
            continue;
        }
        let rest = piece.text.as_deref().ok().and_then(whole_at_the_end);
        spool.gap(piece.line, &reason, piece.bytes - rest.map_or(0, str::len))?;
        if let Some(rest) = rest.filter(|_| !options.strict)
            && let Err(reason) = take(&mut reader, rest, &at, spool, &mut unread)?
        {
            spool.gap(piece.line, &reason, rest.len())?;
        }
    }
    for (line, reason, _) in unread {
        spool.problem(line, reason);
    }
    if !any {
        spool.skip(&source.name, "it is empty");
    }
    Ok(())
}

/// Takes a value in the format of its file, which the first one that can be read decides. What could not be read before it is a gap where
/// lines are events, and a problem where each value is a session.
fn take(
    reader: &mut Option<Box<dyn Reader>>,
    text: &str,
    at: &Place,
    spool: &mut Spool,
    unread: &mut Vec<(usize, String, usize)>,
) -> io::Result<Result<(), String>> {
    if reader.is_none() {
        let found = match recognise(at.options.format, text) {
            Ok(found) => found,
            Err(reason) => return Ok(Err(reason)),
        };
        for (line, reason, bytes) in unread.drain(..) {
            if found.holds_whole_sessions() { spool.problem(line, reason) } else { spool.gap(line, &reason, bytes)? }
        }
        *reader = Some(found);
    }
    match reader {
        Some(reader) => reader.take(text, at, spool),
        None => Ok(Ok(())),
    }
}

/// Most places at which a torn line is tried for a whole object, and the longest line that is.
const TRIES: usize = 64;
const TRIED_BYTES: usize = 1024 * 1024;

/// The object that a torn line ends with: another process wrote it into the middle of the line.
fn whole_at_the_end(line: &str) -> Option<&str> {
    let starts = line.match_indices("{\"").map(|(n, _)| n).skip(1).take(TRIES);
    let whole = |rest: &&str| rest.contains("\"type\"") && serde_json::from_str::<serde::de::IgnoredAny>(rest).is_ok();
    (line.len() <= TRIED_BYTES).then(|| starts.map(|n| &line[n..]).find(whole)).flatten()
}

/// Where a value comes from.
struct Place<'a> {
    source: &'a Source,
    options: &'a Options,
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
        Format::Codex => Box::new(codex::Codex::default()),
        Format::Events => Box::new(events::Events::default()),
        Format::OpenAi | Format::Auto => Box::new(openai::OpenAi::default()),
    })
}

fn detect(text: &str) -> Result<Format, String> {
    let keys: values::Keys = serde_json::from_str(text).map_err(|e| values::not_json(&e))?;
    let kind = keys.0.get("type").and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let has = |key: &str| keys.0.contains_key(key);
    match kind {
        _ if has("messages") || has("traj") => Ok(Format::OpenAi),
        Some(kind) if codex::is_line(&kind, has("payload")) => Ok(Format::Codex),
        Some(kind) if kind == "session" || kind.contains('.') => Ok(Format::Events),
        Some(_)
            if ["message", "sessionId", "session_id", "uuid", "summary", "leafUuid", "messageId", "timestamp"].iter().any(|k| has(k)) =>
        {
            Ok(Format::ClaudeCode)
        }
        _ => {
            Err("it is in none of the formats openai (`messages` or `traj`), claude-code, codex or events; say which with --format"
                .to_owned())
        }
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

/// What a line without an id of its own is known by.
fn line_id(raw: &str) -> String {
    format!("line:{}", &domain::canonical::sha256_hex(raw.as_bytes())[..16])
}

/// The events of one line: its JSON is kept with the first of them only, and the others have its id with a number.
fn numbered(mut events: Vec<Event>) -> Vec<Event> {
    let whole = events.first().map(|e| e.external_id.clone().unwrap_or_else(|| line_id(&e.raw)));
    for (number, event) in events.iter_mut().enumerate().skip(1) {
        event.raw = String::new();
        event.external_id = whole.as_ref().map(|id| format!("{id}#{number}"));
    }
    events
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
