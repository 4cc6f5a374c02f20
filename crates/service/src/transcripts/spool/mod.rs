//! The temporary file between reading and writing: of every event its JSON with its long texts
//! behind it, and for each session where its events are.

mod sessions;

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
};

use domain::{
    canonical::sha256_hex,
    event::{Event, EventKind, SessionHead, Speaker, Standing},
};

use super::{Options, Problem, endings::Ending, formats::codex};
use sessions::{Turn, mark_copies, mark_forks};

pub(super) use sessions::SAID;
pub use sessions::{Spooled, roll};
pub(crate) use sessions::{is_of_source, says_what, second_id, words};

/// Sessions that were read, and what was wrong with others.
pub struct Spool {
    file: BufWriter<File>,
    end: u64,
    sessions: Vec<Spooled>,
    problems: Vec<Problem>,
    file_name: String,
    file_start: usize,
    /// How much was said to be wrong or skipped before the file.
    said_before: usize,
    /// Sessions that may go on in another file, by format and id.
    shared: HashMap<(&'static str, String), usize>,
    current: Option<usize>,
    doomed: bool,
    strict: bool,
    /// Gaps before the first session of a file.
    gaps_before: Vec<Event>,
    skipped: Vec<Problem>,
    counts: Counts,
}

/// How many events were read, by whose words they hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// By speaker, without what is kept as it came.
    pub by_speaker: BTreeMap<Speaker, usize>,
    /// Kept as they came.
    pub raw: usize,
    /// Lines that could not be read, each a gap in its session.
    pub gaps: usize,
    /// Events that stood there a second time.
    pub repeated: usize,
}

/// The contents of a spool when everything was read.
pub struct Finished {
    /// The sessions that are whole.
    pub sessions: Vec<Spooled>,
    pub problems: Vec<Problem>,
    /// Files and sessions that hold nothing to dream over, each named once.
    pub skipped: Vec<Problem>,
    /// Reads their events back.
    pub reader: SpoolReader,
}

/// Problems that are kept with their reasons; more are only counted.
pub(super) const KEPT_PROBLEMS: usize = 1_000;

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
            said_before: 0,
            shared: HashMap::new(),
            current: None,
            doomed: false,
            strict: false,
            gaps_before: Vec::new(),
            skipped: Vec::new(),
            counts: Counts::default(),
        })
    }

    /// How many events were read so far.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Names a file that is not read, and why.
    pub fn skip(&mut self, file: &str, reason: &str) {
        let reason = match self.skipped.len() {
            0..KEPT_PROBLEMS => reason,
            KEPT_PROBLEMS => "and more like this",
            _ => return,
        };
        self.skipped.push(Problem {
            file: file.to_owned(),
            line: 0,
            reason: reason.to_owned(),
        });
    }

    /// The sessions that are whole, and what was wrong with others.
    pub fn finish(self) -> io::Result<(Vec<Spooled>, Vec<Problem>, SpoolReader)> {
        let done = self.finish_with_skipped()?;
        Ok((done.sessions, done.problems, done.reader))
    }

    /// The same with what was skipped.
    pub fn finish_with_skipped(mut self) -> io::Result<Finished> {
        self.leave_out_what_says_nothing();
        self.finish_with_what_says_nothing()
    }

    /// The same with sessions of which nothing was understood.
    pub(super) fn finish_with_what_says_nothing(mut self) -> io::Result<Finished> {
        for session in &mut self.sessions {
            session.head.outcome = session
                .head
                .outcome
                .or_else(|| session.ending.outcome(&session.head));
            session.mark_abandoned();
        }
        mark_copies(&mut self.sessions);
        mark_forks(&mut self.sessions);
        self.file.flush()?;
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        let sessions = self.sessions.into_iter().filter(|s| !s.broken).collect();
        Ok(Finished {
            sessions,
            problems: self.problems,
            skipped: self.skipped,
            reader: SpoolReader { file },
        })
    }

    /// Where nothing in a session was understood, it is not taken in; where nothing at all was,
    /// that is a problem.
    fn leave_out_what_says_nothing(&mut self) {
        for session in self
            .sessions
            .iter_mut()
            .filter(|s| !s.broken && s.understood == 0 && !s.lines.is_empty())
        {
            session.broken = true;
            let reason = format!(
                "nothing in it was understood: {} kept as they came, none with a speaker and a \
                 text",
                domain::plural::count(
                    i64::try_from(session.lines.len()).unwrap_or(i64::MAX),
                    "line"
                )
            );
            self.skipped.push(Problem {
                file: session.name.clone(),
                line: 0,
                reason,
            });
        }
        if self.problems.is_empty() && self.sessions.iter().all(|s| s.broken) {
            self.problems.append(&mut self.skipped);
        }
    }

    pub(super) fn begin_file(&mut self, name: &str, strict: bool) {
        self.strict = strict;
        self.gaps_before.clear();
        name.clone_into(&mut self.file_name);
        self.file_start = self.sessions.len();
        self.said_before = self.problems.len() + self.skipped.len();
        self.current = None;
        self.doomed = false;
    }

    /// A line was lost: before a session has begun in this file, the one that begins next is
    /// broken.
    pub(super) fn doom_next(&mut self) {
        self.doomed = self.current.is_none();
    }

    pub(super) fn end_file(&mut self, options: &Options) {
        if let Some(gap) = self.gaps_before.first() {
            let reason = gap.text.clone();
            self.gaps_before.clear();
            self.leave();
            self.problem(0, reason);
        }
        let said_nothing = self.problems.len() + self.skipped.len() == self.said_before;
        if self.current.is_none() && self.sessions.len() == self.file_start && said_nothing {
            self.skip(
                &self.file_name.clone(),
                "it holds titles and notes of the program, and no session",
            );
        }
        for session in &mut self.sessions[self.file_start..] {
            options.complete(&mut session.head);
            session.tools = HashMap::new();
            if session.lines.is_empty() && !session.broken {
                session.broken = true;
                let reason = format!("session {} has no events", session.name);
                self.problems.push(Problem {
                    file: self.file_name.clone(),
                    line: 0,
                    reason,
                });
            }
        }
    }

    /// Records what is wrong with a line; the session that is being read, if any, is left out
    /// whole.
    pub(super) fn problem(&mut self, line: usize, reason: String) {
        if let Some(current) = self.current {
            self.sessions[current].broken = true;
        }
        match self.problems.len() {
            0..KEPT_PROBLEMS => self.problems.push(Problem {
                file: self.file_name.clone(),
                line,
                reason,
            }),
            KEPT_PROBLEMS => self.problems.push(Problem {
                file: self.file_name.clone(),
                line,
                reason: "and more like this".to_owned(),
            }),
            _ => {}
        }
    }

    /// Lines that could not be read: a gap in the session that is being read, or in the one that
    /// begins next; with `--strict` a problem.
    pub(super) fn gap(&mut self, line: usize, reason: &str, bytes: usize) -> io::Result<()> {
        if self.strict {
            self.doom_next();
            self.problem(line, reason.to_owned());
            return Ok(());
        }
        let text = format!(
            "{}: line {line} could not be read ({bytes} bytes): {reason}",
            self.file_name
        );
        // However often a file is read while it is written, a line is one gap.
        let id = format!(
            "gap:{}",
            &sha256_hex(format!("{line}\0{}", self.file_name).as_bytes())[..16]
        );
        let event = Event {
            external_id: Some(id),
            ..Event::new(EventKind::Gap, text)
        };
        self.counts.gaps += 1;
        if self.current.is_none() {
            self.gaps_before.push(event);
            return Ok(());
        }
        self.event(event)
    }

    /// Goes on with the session of this id wherever it began, also in another file, or begins it.
    /// It grows by the ids of its events.
    pub(super) fn shared_session(&mut self, source: &'static str, id: &str) -> io::Result<()> {
        if let Some(&index) = self.shared.get(&(source, id.to_owned())) {
            self.current = Some(index);
        } else {
            self.begin(
                source,
                SessionHead {
                    external_id: Some(id.to_owned()),
                    ..SessionHead::default()
                },
            );
            self.shared
                .insert((source, id.to_owned()), self.sessions.len() - 1);
            if let Some(session) = self.sessions.last_mut() {
                session.by_id = true;
            }
        }
        for gap in std::mem::take(&mut self.gaps_before) {
            self.event(gap)?;
        }
        Ok(())
    }

    /// Notes that the events since `from` are one line of a conversation that may branch.
    pub(super) fn turn(&mut self, id: &str, parent: Option<String>, typed: bool, from: usize) {
        if let Some(session) = self.current.map(|i| &mut self.sessions[i]) {
            let events = from..session.lines.len();
            session.turns.push(Turn {
                id: id.to_owned(),
                parent,
                typed,
                events,
            });
        }
    }

    /// How many events the session that is being read has.
    pub(super) fn events_so_far(&self) -> usize {
        self.current.map_or(0, |i| self.sessions[i].lines.len())
    }

    /// A session is the beginning of another, which holds all of it: it is not taken in a second
    /// time.
    pub(super) fn supersede(&mut self, session: usize) {
        self.counts.repeated += self.sessions[session].len();
        self.sessions[session].broken = true;
    }

    /// Begins a session; its number, for [`Spool::supersede`].
    pub(super) fn begin(&mut self, source: &'static str, head: SessionHead) -> usize {
        self.sessions.push(Spooled {
            head,
            source,
            name: format!(
                "{}#{}",
                self.file_name,
                self.sessions.len() - self.file_start + 1
            ),
            digest: String::new(),
            first_event_at: None,
            last_event_at: None,
            by_id: false,
            lines: Vec::new(),
            broken: std::mem::take(&mut self.doomed),
            tools: HashMap::new(),
            ids: HashMap::new(),
            places: Vec::new(),
            standing: HashMap::new(),
            turns: Vec::new(),
            understood: 0,
            ending: Ending::default(),
            words: Vec::new(),
        });
        self.current = Some(self.sessions.len() - 1);
        self.sessions.len() - 1
    }

    /// No session is being read: the next problem is nobody's.
    pub(super) fn leave(&mut self) {
        self.current = None;
    }

    /// Fills in what is not known yet of the session that is being read; how it ended is what was
    /// said last.
    pub(super) fn note(&mut self, said: SessionHead) {
        let Some(head) = self.head() else { return };
        head.agent = head.agent.take().or(said.agent);
        head.subject = head.subject.take().or(said.subject);
        head.team = head.team.take().or(said.team);
        head.task_key = head.task_key.take().or(said.task_key);
        head.outcome = said.outcome.or(head.outcome);
        for (key, value) in said.metadata {
            head.metadata.entry(key).or_insert(value);
        }
    }

    /// The session that is being read.
    pub(super) fn head(&mut self) -> Option<&mut SessionHead> {
        self.current.map(|i| &mut self.sessions[i].head)
    }

    /// Appends an event to the session that is being read; a tool's answer without a name gets that
    /// of its call.
    pub(super) fn event(&mut self, mut event: Event) -> io::Result<()> {
        let Some(session) = self.current.map(|i| &mut self.sessions[i]) else {
            return Ok(());
        };
        if session.by_id {
            let Some(id) = session.id_of(&event) else {
                self.counts.repeated += 1;
                return Ok(());
            };
            if session.copies_keep_ids() {
                session.places.push((id.clone(), session.lines.len()));
            }
            event.external_id = Some(id);
        } else {
            session.digest = roll(&session.digest, &event);
        }
        match event.kind {
            EventKind::Raw if event.speaker == Speaker::Unknown => self.counts.raw += 1,
            EventKind::Gap => {}
            _ => *self.counts.by_speaker.entry(event.speaker).or_default() += 1,
        }
        session.understood +=
            usize::from(event.speaker != Speaker::Unknown && !event.text.is_empty());
        match (event.kind, &event.tool, &event.tool_use_id) {
            (EventKind::ToolUse, Some(tool), Some(id)) => {
                session.tools.insert(id.clone(), tool.clone());
            }
            (EventKind::ToolResult | EventKind::Denial, None, Some(id)) => {
                event.tool = session.tools.get(id).cloned();
            }
            _ => {}
        }
        session.ending.see(&event);
        if session.source == codex::SOURCE {
            session
                .words
                .push((event.kind != EventKind::Raw).then(|| words(event.kind, None, &event.text)));
        }
        session.first_event_at = session.first_event_at.or(event.occurred_at);
        session.last_event_at = event.occurred_at.or(session.last_event_at);
        // Its long parts are as they are behind the rest: to write them as JSON takes longer than
        // to read the transcript.
        let (text, raw) = (
            std::mem::take(&mut event.text),
            std::mem::take(&mut event.raw),
        );
        let rest = serde_json::to_vec(&event)?;
        let len = |part: &[u8]| {
            u32::try_from(part.len()).map_err(|_| io::Error::other("an event is over 4 GB"))
        };
        let lens = [len(&rest)?, len(text.as_bytes())?, len(raw.as_bytes())?];
        session.lines.push((self.end, lens));
        self.end += lens.iter().map(|l| u64::from(*l)).sum::<u64>();
        self.file.write_all(&rest)?;
        self.file.write_all(text.as_bytes())?;
        self.file.write_all(raw.as_bytes())
    }
}

/// Reads the events of a spool back.
pub struct SpoolReader {
    file: File,
}

impl SpoolReader {
    /// The event at an index of a session.
    pub fn event(&mut self, session: &Spooled, index: usize) -> io::Result<Event> {
        let (offset, lens) = session.lines[index];
        self.file.seek(SeekFrom::Start(offset))?;
        let mut part = |len: u32| -> io::Result<Vec<u8>> {
            let mut bytes = vec![0; len as usize];
            self.file.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        let [rest, text, raw] = [part(lens[0])?, part(lens[1])?, part(lens[2])?];
        let string = |bytes| {
            String::from_utf8(bytes).map_err(|_| io::Error::other("the temporary file was changed"))
        };
        let mut event: Event = serde_json::from_slice(&rest)?;
        (event.text, event.raw) = (string(text)?, string(raw)?);
        if let Some((standing, from)) = session
            .standing
            .get(&index)
            .filter(|_| event.standing == Standing::Live)
        {
            event.standing = *standing;
            event.copied_from.clone_from(from);
        }
        Ok(event)
    }
}
