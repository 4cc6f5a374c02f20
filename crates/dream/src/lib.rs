//! The dream engine: sessions and memory in, findings and changes out.
//!
//! Pure: it knows no database, network or clock, and the same input gives the same output, whatever
//! the order of the sessions. It proposes only; nothing here can reach a memory. Zero changes is a
//! correct answer.
//!
//! The way of a session: [`reading`] keeps its features, once; `findings` count over the features
//! of all sessions of a window; [`curation`] looks at the memory; `disposition` says what becomes
//! of each finding.

mod compose;
pub mod curation;
pub mod curator;
mod disposition;
mod findings;
pub mod learned;
pub mod meaning;
pub mod model;
pub mod reading;
mod steering;
mod types;
mod window;

use std::{collections::BTreeSet, ops::ControlFlow};

use domain::event::OutcomeResult;

pub use compose::short;
pub use curation::{loss, loss::Loss, similar};
pub use reading::{Features, Reader};
pub use types::{
    Asks, Change, Disposition, Edit, Event, Finding, Head, Input, Known, KnownState, Memory,
    NotedFailure, Progress, Proposal, Question, QuestionKind, Quote, Seen, Session, Stats, Support,
    Taught,
};

use curation::{duplicates, expired, questions, repeated, restructure, stale};
use findings::{candidates, changed, contrast, divergence, facts, failures, standing};
use window::Window;

/// Most changes that one dream proposes; what is over it is held back and counted.
pub const MAX_CHANGES: usize = 20;
/// Texts whose meanings one dream compares, at most.
const MOST_WANTED: usize = 20_000;
/// Least words of a text whose meaning is compared: shorter ones mean too much.
const LEAST_COMPARED: usize = 3;
/// Distinct subjects, else tasks, else sessions that a pattern needs.
pub const MIN_SUPPORT: usize = 2;

/// Dreams: finds what recurs and what is double, leaves out what is known, and proposes the rest.
///
/// `tell` hears how far it is and may break off; then the answer is `None`. Sessions may come in
/// any order.
pub fn run(input: &Input, tell: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Option<Proposal> {
    let window = Window::of(input);
    let sessions = input.sessions.len();
    let mut step = |done: usize| {
        tell(Progress {
            sessions_done: sessions * done / 4,
            sessions,
        })
        .is_continue()
    };
    if !step(0) {
        return None;
    }
    let failures = failures::find(&window);
    if !step(1) {
        return None;
    }
    let noted = noted(&failures.recurring, input);
    let (workflows, steps_tried) = contrast::find(&window);
    let mut findings = failures.findings;
    findings.extend(workflows);
    findings.extend(standing::find(&window));
    let (said, prepared) = questions::prepare(&input.memories);
    let (told, changed) = changed::find(&window, &said);
    findings.extend(one_of_each(facts::find(&window, &said, &changed), told));
    if !step(2) {
        return None;
    }
    let doubles = duplicates::find(&input.memories, &said, &prepared);
    let merged = doubles
        .iter()
        .filter_map(|f| f.change.as_ref())
        .flat_map(|c| &c.edits)
        .filter_map(|e| e.memory)
        .collect();
    findings.extend(doubles);
    findings.extend(repeated::find(&input.memories, &merged));
    findings.extend(restructure::find(&input.memories, &input.taken_paths));
    findings.extend(expired::find(&window));
    findings.extend(stale::find(&window));
    findings.extend(divergence::find(&window));
    let by_model = candidates::find(&window);
    candidates::agree(&mut findings, by_model);
    if !step(3) {
        return None;
    }
    let questions = questions::find(input, &said, &prepared);
    // The best supported first; ties by fingerprint, so that the order never depends on the
    // input's.
    findings.sort_by(|a, b| {
        let by_support = |f: &Finding| (f.support.distinct(), f.support.occurrences);
        by_support(b)
            .cmp(&by_support(a))
            .then_with(|| a.fingerprint.cmp(&b.fingerprint))
    });
    let lost = disposition::settle(&mut findings, input);
    let stats = Stats {
        lost: lost.statements,
        may_lose: loss::of_store(&input.memories).statements * loss::PERCENT / 100,
        clean_up: input.clean_up,
        tool_errors: failures.tool_errors,
        signatures: failures.signatures,
        steps_tried,
        ..count(&window, &findings, &failures.explained)
    };
    Some(Proposal {
        findings,
        questions,
        noted,
        stats,
    })
}

/// The failures about which a note is in the memory as a change of a dream left it.
fn noted(recurring: &[failures::Recurring], input: &Input) -> Vec<NotedFailure> {
    let committed = |k: &&Known| k.state == KnownState::Committed && k.memory.is_some();
    let noted = recurring.iter().filter_map(|failure| {
        let known = input
            .known
            .iter()
            .filter(committed)
            .find(|k| failure.names.contains(&k.fingerprint))?;
        Some(NotedFailure {
            fingerprint: known.fingerprint.clone(),
            used: failure.used.clone(),
            met: failure.met.clone(),
        })
    });
    noted.collect()
}

/// The texts whose meanings a dream compares, each once: what people said as a rule or may have,
/// and what the memory says.
#[must_use]
pub fn wanted(input: &Input) -> Vec<String> {
    let rules = input
        .sessions
        .iter()
        .flat_map(|s| &s.features.rules)
        .map(|r| reading::without_opening(&r.text));
    let statements = questions::statements_of(&input.memories);
    let window = Window::of(input);
    let long = |text: &String| text.split(' ').count() >= LEAST_COMPARED;
    let mut wanted = rules
        .chain(statements.iter().flatten().cloned())
        .filter(long)
        .collect::<BTreeSet<String>>();
    // What may change a fact comes last: many mentions must not take the place of memory and rules.
    let mentions: Vec<String> = changed::wanted(&window, &statements)
        .into_iter()
        .filter(|text| long(text) && !wanted.contains(text))
        .collect();
    let room = MOST_WANTED.saturating_sub(wanted.len());
    wanted.extend(mentions.into_iter().take(room));
    wanted.into_iter().take(MOST_WANTED).collect()
}

/// A path in a folder for a note of this title, `/<folder>/<words>.md`, which is not taken.
#[must_use]
pub fn free_path(folder: &str, title: &str, taken: &BTreeSet<String>) -> String {
    compose::free_path(&compose::file(folder, title), taken)
}

/// Findings of two ways to find the same: of those with one fingerprint, the one that is proposed,
/// else the first.
fn one_of_each(first: Vec<Finding>, second: Vec<Finding>) -> Vec<Finding> {
    let mut kept = first;
    for finding in second {
        match kept
            .iter_mut()
            .find(|f| f.fingerprint == finding.fingerprint)
        {
            Some(same) if !same.is_proposed() => *same = finding,
            Some(_) => {}
            None => kept.push(finding),
        }
    }
    kept
}

fn count(window: &Window, findings: &[Finding], explained: &BTreeSet<usize>) -> Stats {
    let input = window.input;
    let failed: Vec<usize> = window
        .sessions()
        .filter(|(_, s)| s.head.outcome == OutcomeResult::Failure)
        .map(|(i, _)| i)
        .collect();
    let distinct = |of: fn(&Head) -> Option<&str>| {
        input
            .sessions
            .iter()
            .filter_map(|s| of(&s.head))
            .collect::<BTreeSet<_>>()
            .len()
    };
    let insights = findings
        .iter()
        .filter(|f| matches!(f.disposition, Disposition::Insight(_)))
        .count();
    let open_failures = findings
        .iter()
        .filter(|f| f.disposition == Disposition::Open)
        .count();
    let proposed = findings.iter().filter(|f| f.is_proposed()).count();
    Stats {
        sessions: input.sessions.len(),
        events: input.sessions.iter().map(|s| s.features.events).sum(),
        answers: input.sessions.iter().map(|s| s.features.answers).sum(),
        memories: input.memories.len(),
        proposed,
        insights,
        open_failures,
        held_back: findings.len() - proposed - insights - open_failures,
        unexplained: failed.iter().filter(|i| !explained.contains(i)).count(),
        failed: failed.len(),
        subjects: distinct(|h| h.subject.as_deref()),
        tasks: distinct(|h| h.task.as_deref()),
        ..Stats::default()
    }
}

#[cfg(test)]
mod tests;
