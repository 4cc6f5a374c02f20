//! Reads transcripts: a first pass that checks every session and brings its events to one form in a
//! temporary file (the spool), so that nothing is written to a database before all of a session is
//! known to be good, and memory stays bounded.

mod documents;
mod endings;
mod files;
mod formats;
mod lines;
pub mod mapping;
mod marks;
mod messages;
mod pieces;
mod spool;
mod values;

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::Arc,
};

use domain::event::{Event, Outcome, OutcomeResult, OutcomeSource, SessionHead};
use serde_json::Value;

pub use files::{Found, Source, files};
pub use formats::{Format, read_event};
pub use pieces::clean as clean_json;
use spool::KEPT_PROBLEMS;
pub use spool::{Counts, Finished, Spool, SpoolReader, Spooled, roll};
pub(crate) use spool::{is_of_source, says_what, second_id, words};

/// Longest single event, in bytes of its JSON.
pub const EVENT_BYTES: usize = 10 * 1024 * 1024;

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
    /// True if a line that cannot be read leaves its session out, rather than being a gap in it.
    pub strict: bool,
    /// Most bytes that a packed file may unpack to: what is larger was packed to fill the disk.
    pub unpacked_bytes: u64,
    /// True if pull requests were merged (or closed without), by their addresses.
    pub pull_requests: Arc<HashMap<String, bool>>,
    /// Where the parts of a form stand that is none of those known here.
    pub mapping: Option<Arc<mapping::Mapping>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            format: Format::Auto,
            agent: None,
            team: None,
            subject_key: None,
            task_key: None,
            strict: false,
            unpacked_bytes: UNPACKED_BYTES,
            pull_requests: Arc::default(),
            mapping: None,
        }
    }
}

impl Options {
    /// Fills in what the transcript did not say.
    fn complete(&self, head: &mut SessionHead) {
        head.agent = head.agent.take().or_else(|| self.agent.clone());
        head.team = head.team.take().or_else(|| self.team.clone());
        let pull_request = head.metadata.get("pull_request").and_then(Value::as_str);
        if let Some(merged) =
            pull_request.and_then(|url| self.pull_requests.get(url.trim_end_matches('/')))
        {
            let result = if *merged {
                OutcomeResult::Success
            } else {
                OutcomeResult::Failure
            };
            head.outcome = Some(Outcome {
                source: OutcomeSource::PullRequest,
                ..Outcome::stated(result)
            });
        }
    }
}

/// A fault of a transcript, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name as it was given.
    pub file: String,
    /// The line, from 1; 0 for the file as a whole.
    pub line: usize,
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

/// Reads one file into the spool. What is wrong with single sessions becomes problems of the spool;
/// an error means that the file itself could not be read, or the spool not written. `tell` hears
/// how many bytes were read.
pub fn read(
    path: &Path,
    options: &Options,
    spool: &mut Spool,
    tell: &mut dyn FnMut(usize),
) -> io::Result<()> {
    read_from(
        File::open(path)?,
        &Source::of_file(path),
        options,
        spool,
        tell,
    )
}

/// Most bytes that a packed file may unpack to on the command line.
pub const UNPACKED_BYTES: u64 = 16 * 1024 * 1024 * 1024;
/// The same for what is sent over the network.
pub const UNPACKED_BYTES_SENT: u64 = 2 * 1024 * 1024 * 1024;

/// Returns what a file holds, unpacked where it is packed, which its first bytes say.
fn unpacked<'a>(from: impl Read + 'a, most: u64) -> io::Result<Box<dyn Read + 'a>> {
    let mut from = BufReader::with_capacity(64 * 1024, from);
    Ok(match from.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(Unpacked {
            from: flate2::bufread::MultiGzDecoder::new(from),
            left: most,
        }),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(Unpacked {
            from: Frames::new(from)?,
            left: most,
        }),
        _ => Box::new(from),
    })
}

/// A file of Zstandard frames, one after the other, as programs write it that append to a packed
/// file.
struct Frames<R: BufRead> {
    /// The frame that is being read; none after the last.
    frame: Option<ruzstd::decoding::StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>,
}

impl<R: BufRead> Frames<R> {
    fn new(from: R) -> io::Result<Self> {
        Ok(Self {
            frame: Some(ruzstd::decoding::StreamingDecoder::new(from).map_err(|e| damaged(&e))?),
        })
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(frame) = &mut self.frame {
            let n = frame.read(buffer)?;
            if n > 0 || buffer.is_empty() {
                return Ok(n);
            }
            let Some(mut rest) = self
                .frame
                .take()
                .map(ruzstd::decoding::StreamingDecoder::into_inner)
            else {
                break;
            };
            if !rest.fill_buf()?.is_empty() {
                *self = Self::new(rest)?;
            }
        }
        Ok(0)
    }
}

/// Unpacks up to a limit; whatever goes wrong is the file's.
struct Unpacked<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer).map_err(|e| damaged(&e))?;
        self.left = self
            .left
            .checked_sub(n as u64)
            .ok_or_else(|| damaged(&"it is larger than may be unpacked"))?;
        Ok(n)
    }
}

fn damaged(why: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("it cannot be unpacked: {why}"),
    )
}

/// As [`read`], from anything that can be read.
pub fn read_from(
    from: impl Read,
    source: &Source,
    options: &Options,
    spool: &mut Spool,
    tell: &mut dyn FnMut(usize),
) -> io::Result<()> {
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

fn read_pieces(
    from: impl Read,
    source: &Source,
    options: &Options,
    spool: &mut Spool,
    tell: &mut dyn FnMut(usize),
) -> io::Result<()> {
    let counted = Counted { from, tell };
    if source.markdown {
        return read_markdown(unpacked(counted, options.unpacked_bytes)?, source, spool);
    }
    let mut pieces = pieces::Pieces::new(
        BufReader::with_capacity(256 * 1024, unpacked(counted, options.unpacked_bytes)?),
        source.whole,
    );
    let mut reader: Option<Box<dyn Reader>> = None;
    let mut at = Place {
        source,
        options,
        number: 0,
    };
    // What could not be read before it was known in which format the file is: line, reason, bytes.
    let mut unread: Vec<(usize, String, usize)> = Vec::new();
    while let Some(piece) = pieces.next()? {
        at.number += 1;
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
            spool.skip(
                &source.name,
                "its last line is not whole yet; import it again when the session has gone on",
            );
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
    if reader.is_none() && !unread.is_empty() && files::is_expected_beside(&source.name) {
        spool.skip(
            &source.name,
            "it holds no transcript; programs leave such a file beside them",
        );
        return Ok(());
    }
    for (line, reason, _) in unread {
        spool.problem(line, reason);
    }
    if at.number == 0 {
        spool.skip(&source.name, "it is empty");
    }
    Ok(())
}

/// Reads a chat that was exported as a text.
fn read_markdown(from: impl Read, source: &Source, spool: &mut Spool) -> io::Result<()> {
    let mut text = Vec::new();
    from.take(pieces::LONGEST as u64).read_to_end(&mut text)?;
    let read = String::from_utf8(text)
        .map_err(|_| "it is not UTF-8 text".to_owned())
        .and_then(|t| formats::read_markdown(&t));
    match read {
        Ok(chat) => documents::write("markdown", vec![chat], source, &mut HashSet::new(), spool)?
            .unwrap_or_default(),
        Err(reason) => spool.problem(0, reason),
    }
    Ok(())
}

/// Takes a value in the format of its file, which the first one that can be read decides. What
/// could not be read before it is a gap where lines are events, and a problem where each value is a
/// session.
fn take(
    reader: &mut Option<Box<dyn Reader>>,
    text: &str,
    at: &Place,
    spool: &mut Spool,
    unread: &mut Vec<(usize, String, usize)>,
) -> io::Result<Result<(), String>> {
    if reader.is_none() {
        let found = match formats::reader(at.options, text) {
            Ok(found) => found,
            Err(reason) => return Ok(Err(reason)),
        };
        for (line, reason, bytes) in unread.drain(..) {
            if found.holds_whole_sessions() {
                spool.problem(line, reason);
            } else {
                spool.gap(line, &reason, bytes)?;
            }
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
    let starts = line
        .match_indices("{\"")
        .map(|(n, _)| n)
        .skip(1)
        .take(TRIES);
    let whole = |rest: &&str| {
        rest.contains("\"type\"") && serde_json::from_str::<serde::de::IgnoredAny>(rest).is_ok()
    };
    (line.len() <= TRIED_BYTES)
        .then(|| starts.map(|n| &line[n..]).find(whole))
        .flatten()
}

/// The place of a value.
struct Place<'a> {
    source: &'a Source,
    options: &'a Options,
    /// Its number among the values of its file, from 1; values that cannot be read count.
    number: usize,
}

/// Takes the values of one file in one format.
trait Reader {
    /// True if each value is a session of its own.
    fn holds_whole_sessions(&self) -> bool {
        false
    }

    /// The outer error is the spool's; the inner one is the value's.
    fn take(&mut self, text: &str, at: &Place, spool: &mut Spool)
    -> io::Result<Result<(), String>>;
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

/// Returns what a line without an id of its own is known by.
fn line_id(raw: &str) -> String {
    format!(
        "line:{}",
        &domain::canonical::sha256_hex(raw.as_bytes())[..16]
    )
}

/// The events of one line: its JSON is kept with the first of them only, and the others have its id
/// with a number.
fn numbered(mut events: Vec<Event>, raw: &str) -> Vec<Event> {
    let whole = events.first().and_then(|e| e.external_id.clone());
    for (number, event) in events.iter_mut().enumerate() {
        if number == 0 {
            raw.clone_into(&mut event.raw);
        } else {
            event.external_id = whole.as_ref().map(|id| format!("{id}#{number}"));
        }
    }
    events
}

/// Parses one event's JSON, within its limit.
fn parse(text: &str) -> Result<Value, String> {
    if text.len() > EVENT_BYTES {
        return Err(format!(
            "an event is {} MB long; the limit is {} MB",
            text.len() / 1_000_000,
            EVENT_BYTES / 1_000_000
        ));
    }
    serde_json::from_str(text).map_err(|e| values::not_json(&e))
}

#[cfg(test)]
mod tests;
