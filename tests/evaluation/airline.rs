//! Recurring failures on recorded sessions of an airline's agent (tau-bench).

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::Path,
};

use domain::event::{EventKind, OutcomeResult};
use dream::{Event, Finding, Head, Input, Reader, Session};
use service::transcripts::{self, Options, Spool};

use crate::figures::ratio;

/// Sessions as they were recorded.
#[derive(Default, Clone)]
pub struct Corpus {
    pub sessions: Vec<Session>,
}

impl Corpus {
    /// What a dream sees of them.
    pub fn input(&self) -> Input {
        let mut reader = Reader::default();
        Input {
            sessions: self.sessions.iter().map(|s| reader.see(s)).collect(),
            ..Input::default()
        }
    }
}

/// Transcripts in the engine's form; `None`, and said so, if they are not there.
pub fn sessions(path: &Path) -> Option<Corpus> {
    let mut spool = Spool::new().expect("a temporary file");
    if transcripts::read(path, &Options::default(), &mut spool, &mut |_| {}).is_err() {
        println!("SKIPPED: {} is not there", path.display());
        return None;
    }
    let (all, _, mut reader) = spool.finish().expect("the spool is read");
    let mut corpus = Corpus::default();
    for (n, spooled) in all.iter().enumerate() {
        let event = |e: domain::event::Event| Event {
            kind: domain::event::counts_as(e.kind, e.speaker, e.standing),
            tool: e.tool,
            tool_use_id: e.tool_use_id,
            is_error: e.is_error,
            text: e.text,
        };
        corpus.sessions.push(Session {
            head: Head {
                recorders: Vec::new(),
                key: format!("{n:06}"),
                agent: spooled.head.agent.clone(),
                subject: spooled.head.subject.clone(),
                task: spooled.head.task_key.clone(),
                outcome: spooled
                    .head
                    .outcome
                    .map_or(OutcomeResult::Unknown, |o| o.result),
                at: None,
            },
            events: (0..spooled.len())
                .map(|i| event(reader.event(spooled, i).expect("the spool is read")))
                .collect(),
        });
    }
    Some(corpus)
}

pub fn proposals(input: &Input) -> Vec<Finding> {
    let proposal = dream::run(input, &mut |_| ControlFlow::Continue(())).expect("nobody stops it");
    proposal
        .findings
        .into_iter()
        .filter(Finding::is_proposed)
        .collect()
}

pub fn content(finding: &Finding) -> &str {
    finding
        .change
        .iter()
        .flat_map(|c| &c.edits)
        .find_map(|e| e.content.as_deref())
        .unwrap_or_default()
}

/// Errors by tool and text with digits masked: a simpler signature than the engine's, to check it
/// by another.
fn errors(input: &Corpus) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut found: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for session in &input.sessions {
        for event in session
            .events
            .iter()
            .filter(|e| e.kind == EventKind::ToolResult && e.is_error)
        {
            let key = (event.tool.clone().unwrap_or_default(), masked(&event.text));
            found
                .entry(key)
                .or_default()
                .insert(session.head.task.clone().unwrap_or_default());
        }
    }
    found
}

fn masked(text: &str) -> String {
    let word = |w: &str| {
        if w.chars().any(|c| c.is_ascii_digit()) {
            "#".to_owned()
        } else {
            w.to_owned()
        }
    };
    text.split_whitespace()
        .map(word)
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(60)
        .collect()
}

/// Of the errors in two or more tasks, how many a proposal covers: its quote is one of them, and it
/// names the tool.
fn covered(
    all: &BTreeMap<(String, String), BTreeSet<String>>,
    proposed: &[Finding],
    input: &Corpus,
) -> (usize, usize) {
    let recurring: Vec<_> = all
        .iter()
        .filter(|(_, tasks)| tasks.len() >= 2)
        .map(|(key, _)| key)
        .collect();
    let covers = |(tool, text): &(String, String), f: &Finding| {
        let quotes = f
            .change
            .iter()
            .flat_map(|c| &c.quotes)
            .filter(|q| !q.counter);
        let mut events = quotes.map(|q| &input.sessions[q.session].events[q.event]);
        content(f).contains(tool.as_str())
            && events.any(|e| e.tool.as_deref() == Some(tool) && masked(&e.text) == *text)
    };
    (
        recurring
            .iter()
            .filter(|key| proposed.iter().any(|f| covers(key, f)))
            .count(),
        recurring.len(),
    )
}

/// Recurring failures on the airline corpus.
pub fn failures(corpus: &Corpus) {
    let proposed = proposals(&corpus.input());
    let (good, all) = covered(&errors(corpus), &proposed, corpus);
    println!(
        "{:<34} {all:>8} {good:>8}",
        "tau: errors of 2+ tasks, covered"
    );
    let longest = proposed
        .iter()
        .map(|f| content(f).chars().count())
        .max()
        .unwrap_or(0);
    let workflows = proposed.iter().filter(|f| f.kind == "workflow").count();
    println!(
        "{:<34} {:>8}   longest {longest} characters, {workflows} workflows",
        "tau: proposals",
        proposed.len()
    );
    let personal = proposed
        .iter()
        .filter(|f| names_a_customer(content(f)))
        .count();
    println!("{:<34} {personal:>8}", "tau: with a customer's data");
}

/// User ids (`mia_li_3668`), reservation ids (`ZFA04Y`), payment ids and dates.
fn names_a_customer(text: &str) -> bool {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'));
    words.into_iter().any(|w| {
        let digits = w.chars().filter(char::is_ascii_digit).count();
        let upper = w.chars().filter(char::is_ascii_uppercase).count();
        digits >= 4 || (w.len() == 6 && digits + upper == 6 && digits > 0)
    })
}

/// Task-disjoint halves: what one half's proposals cover of the errors of the other.
pub fn splits(corpus: &Corpus) {
    let half = |odd: bool| {
        let of = |s: &&Session| {
            s.head
                .task
                .as_deref()
                .and_then(|t| t.parse::<usize>().ok())
                .is_some_and(|t| (t % 2 == 1) == odd)
        };
        Corpus {
            sessions: corpus.sessions.iter().filter(of).cloned().collect(),
        }
    };
    for odd in [false, true] {
        let (here, there) = (half(odd), half(!odd));
        let proposed = proposals(&here.input());
        let notes: String = proposed.iter().map(content).collect();
        let (mut known, mut all) = (0, 0);
        for ((tool, text), tasks) in errors(&there) {
            all += tasks.len();
            let words: Vec<&str> = text
                .split(['#', ' ', ':'])
                .filter(|w| w.len() > 3 && *w != "Error")
                .take(4)
                .collect();
            known += if notes.contains(&tool) && words.iter().all(|w| notes.contains(w)) {
                tasks.len()
            } else {
                0
            };
        }
        let name = format!(
            "tau: {} tasks on the others",
            if odd { "odd" } else { "even" }
        );
        println!(
            "{name:<34} {all:>8} {known:>8} {:>8.3}   from {} proposals",
            ratio(known, all),
            proposed.len()
        );
    }
}
