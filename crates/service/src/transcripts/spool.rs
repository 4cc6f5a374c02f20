//! The temporary file between reading and writing: every event as one JSON line, and for each session where its lines are.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
};

use domain::{
    Timestamp,
    canonical::sha256_hex,
    event::{Event, EventKind, SessionHead},
};
use sha2::{Digest, Sha256};

use super::{Options, Problem};

/// A session in the spool.
#[derive(Debug, Clone)]
pub struct Spooled {
    /// What is known of it beside its events.
    pub head: SessionHead,
    /// The format it came in.
    pub source: &'static str,
    /// `FILE#N`, counted from 1 in its file.
    pub name: String,
    /// Rolling digest over its events.
    pub digest: String,
    /// Time of the first event that has one.
    pub first_event_at: Option<Timestamp>,
    /// Time of the last event that has one.
    pub last_event_at: Option<Timestamp>,
    lines: Vec<(u64, u32)>,
    broken: bool,
    tools: HashMap<String, String>,
}

impl Spooled {
    /// How many events it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether it has no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// What makes it the same session in another import: its source and own id, else its content.
    #[must_use]
    pub fn import_key(&self, scope: &str) -> String {
        let own = match &self.head.external_id {
            Some(id) => format!("{scope}\0{}\0id\0{id}", self.source),
            None => format!("{scope}\0{}\0content\0{}", self.source, self.digest),
        };
        sha256_hex(own.as_bytes())
    }
}

/// The rolling digest after one more event.
#[must_use]
pub fn roll(digest: &str, event: &Event) -> String {
    let mut hash = Sha256::new();
    for part in [digest, event.kind.as_str(), &event.text, &event.raw] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex::encode(hash.finalize())
}

/// Sessions that were read, and what was wrong with others.
pub struct Spool {
    file: BufWriter<File>,
    end: u64,
    sessions: Vec<Spooled>,
    problems: Vec<Problem>,
    file_name: String,
    file_start: usize,
    open: HashMap<String, usize>,
    current: Option<usize>,
    doomed: bool,
}

/// Problems that are kept with their reasons; more are only counted.
const KEPT_PROBLEMS: usize = 1_000;

impl Spool {
    /// An empty spool in the system's temporary folder; it goes when it is dropped.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(256 * 1024, tempfile::tempfile()?),
            end: 0,
            sessions: Vec::new(),
            problems: Vec::new(),
            file_name: String::new(),
            file_start: 0,
            open: HashMap::new(),
            current: None,
            doomed: false,
        })
    }

    /// The sessions that are whole, and what was wrong with others.
    pub fn finish(mut self) -> io::Result<(Vec<Spooled>, Vec<Problem>, SpoolReader)> {
        self.file.flush()?;
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        let sessions = self.sessions.into_iter().filter(|s| !s.broken).collect();
        Ok((sessions, self.problems, SpoolReader { file }))
    }

    pub(super) fn begin_file(&mut self, name: &str) {
        name.clone_into(&mut self.file_name);
        self.file_start = self.sessions.len();
        self.open.clear();
        self.current = None;
        self.doomed = false;
    }

    /// A line was lost: before a session has begun in this file, the one that begins next is broken.
    pub(super) fn doom_next(&mut self) {
        self.doomed = self.current.is_none();
    }

    /// What was lost was a session of its own.
    pub(super) fn forgive(&mut self) {
        self.doomed = false;
    }

    pub(super) fn end_file(&mut self, options: &Options) {
        for session in &mut self.sessions[self.file_start..] {
            options.complete(&mut session.head);
            session.tools = HashMap::new();
            if session.lines.is_empty() && !session.broken {
                session.broken = true;
                let reason = format!("session {} has no events", session.name);
                self.problems.push(Problem { file: self.file_name.clone(), line: 0, reason });
            }
        }
    }

    /// Records what is wrong with a line; the session that is being read, if any, is left out whole.
    pub(super) fn problem(&mut self, line: usize, reason: String) {
        if let Some(current) = self.current {
            self.sessions[current].broken = true;
        }
        match self.problems.len() {
            0..KEPT_PROBLEMS => self.problems.push(Problem { file: self.file_name.clone(), line, reason }),
            KEPT_PROBLEMS => self.problems.push(Problem { file: self.file_name.clone(), line, reason: "and more like this".to_owned() }),
            _ => {}
        }
    }

    /// Goes on with the session of this id in this file, or begins it.
    pub(super) fn session(&mut self, source: &'static str, id: &str) {
        if let Some(&index) = self.open.get(id) {
            self.current = Some(index);
            return;
        }
        self.begin(source, SessionHead { external_id: Some(id.to_owned()), ..SessionHead::default() });
        self.open.insert(id.to_owned(), self.sessions.len() - 1);
    }

    /// Begins a session.
    pub(super) fn begin(&mut self, source: &'static str, head: SessionHead) {
        self.sessions.push(Spooled {
            head,
            source,
            name: format!("{}#{}", self.file_name, self.sessions.len() - self.file_start + 1),
            digest: String::new(),
            first_event_at: None,
            last_event_at: None,
            lines: Vec::new(),
            broken: std::mem::take(&mut self.doomed),
            tools: HashMap::new(),
        });
        self.current = Some(self.sessions.len() - 1);
    }

    /// No session is being read: the next problem is nobody's.
    pub(super) fn leave(&mut self) {
        self.current = None;
    }

    /// The session that is being read.
    pub(super) fn head(&mut self) -> Option<&mut SessionHead> {
        self.current.map(|i| &mut self.sessions[i].head)
    }

    /// Appends an event to the session that is being read; a tool's answer without a name gets that of its call.
    pub(super) fn event(&mut self, mut event: Event) -> io::Result<()> {
        let Some(session) = self.current.map(|i| &mut self.sessions[i]) else { return Ok(()) };
        match (event.kind, &event.tool, &event.tool_use_id) {
            (EventKind::ToolUse, Some(tool), Some(id)) => {
                session.tools.insert(id.clone(), tool.clone());
            }
            (EventKind::ToolResult, None, Some(id)) => event.tool = session.tools.get(id).cloned(),
            _ => {}
        }
        session.digest = roll(&session.digest, &event);
        session.first_event_at = session.first_event_at.or(event.occurred_at);
        session.last_event_at = event.occurred_at.or(session.last_event_at);
        let line = serde_json::to_vec(&event)?;
        let len = u32::try_from(line.len()).map_err(|_| io::Error::other("an event is over 4 GB"))?;
        session.lines.push((self.end, len));
        self.end += u64::from(len);
        self.file.write_all(&line)
    }
}

/// Reads events back.
pub struct SpoolReader {
    file: File,
}

impl SpoolReader {
    /// The event at an index of a session.
    pub fn event(&mut self, session: &Spooled, index: usize) -> io::Result<Event> {
        let (offset, len) = session.lines[index];
        let mut line = vec![0; len as usize];
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(&mut line)?;
        Ok(serde_json::from_slice(&line)?)
    }
}
