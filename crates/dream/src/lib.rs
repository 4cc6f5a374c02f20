//! The dream engine: sessions and memory in, findings and changes out.
//!
//! Pure: it knows no database, network or clock, and the same input gives the same output, whatever the order of the sessions.
//! It proposes only; nothing here can reach a memory. Zero changes is a correct answer.

mod calls;
mod compose;
mod duplicates;
mod failures;
mod recovery;
mod signature;
pub mod similar;
mod types;

use std::{collections::BTreeSet, ops::ControlFlow};

pub use signature::of as signature_of;
pub use types::{
    Change, Disposition, Edit, Event, Finding, Input, Known, KnownState, Memory, Progress, Proposal, Quote, Session, Stats, Support,
};

/// Most changes that one dream proposes; what is over it is held back and counted.
pub const MAX_CHANGES: usize = 20;
/// Distinct subjects, else tasks, else sessions that a pattern needs (design, "Numbers to start from").
pub const MIN_SUPPORT: usize = 2;

/// Dreams: finds what recurs and what is double, leaves out what is known, and proposes the rest.
///
/// `tell` hears how far it is and may break off; then the answer is `None`. Sessions may come in any order.
pub fn run(input: &Input, tell: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Option<Proposal> {
    let mut sessions: Vec<(usize, &Session)> = input.sessions.iter().enumerate().collect();
    sessions.sort_by(|(_, a), (_, b)| a.key.cmp(&b.key));
    let failures = failures::find(&sessions, input, tell)?;
    let mut findings = failures.findings;
    findings.extend(duplicates::find(&input.memories));
    // The best supported first; ties by fingerprint, so that the order never depends on the input's.
    findings.sort_by(|a, b| {
        let by_support = |f: &Finding| (f.support.distinct(), f.support.occurrences);
        by_support(b).cmp(&by_support(a)).then_with(|| a.fingerprint.cmp(&b.fingerprint))
    });
    settle(&mut findings, &input.known);
    give_paths(&mut findings, input);
    let stats = Stats {
        sessions: input.sessions.len(),
        events: input.sessions.iter().map(|s| s.events.len()).sum(),
        memories: input.memories.len(),
        tool_errors: failures.tool_errors,
        signatures: failures.signatures,
        proposed: findings.iter().filter(|f| f.is_proposed()).count(),
        held_back: findings.iter().filter(|f| !f.is_proposed()).count(),
    };
    Some(Proposal { findings, stats })
}

/// Holds back what already waits, was committed or was rejected, and what is over the limit.
fn settle(findings: &mut [Finding], known: &[Known]) {
    let mut proposed = 0;
    for finding in findings {
        if !finding.is_proposed() {
            continue;
        }
        let reason = known.iter().filter(|k| k.fingerprint == finding.fingerprint).find_map(|k| k.holds_back(&finding.support));
        let reason = reason.or_else(|| (proposed >= MAX_CHANGES).then(|| format!("a dream proposes at most {MAX_CHANGES} changes")));
        match reason {
            Some(reason) => finding.disposition = Disposition::HeldBack(reason),
            None => proposed += 1,
        }
    }
}

/// Gives each new memory a path that no memory, open change or other finding has.
fn give_paths(findings: &mut [Finding], input: &Input) {
    let mut taken: BTreeSet<String> = input.memories.iter().map(|m| m.path.clone()).chain(input.taken_paths.iter().cloned()).collect();
    for finding in findings.iter_mut().filter(|f| f.is_proposed()) {
        for edit in finding.change.iter_mut().flat_map(|c| &mut c.edits).filter(|e| e.memory.is_none()) {
            edit.path = compose::free_path(&edit.path, &taken);
            taken.insert(edit.path.clone());
        }
    }
}

#[cfg(test)]
mod tests;
