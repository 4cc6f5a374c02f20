//! The dream engine: sessions and memory in, findings and changes out.
//!
//! Pure: it knows no database, network or clock, and the same input gives the same output, whatever the order of the sessions.
//! It proposes only; nothing here can reach a memory. Zero changes is a correct answer.

mod calls;
mod compose;
mod contrast;
mod duplicates;
mod failures;
pub mod loss;
mod recovery;
mod signature;
pub mod similar;
mod standing;
mod types;

use std::{collections::BTreeSet, ops::ControlFlow};

pub use loss::Loss;
pub use signature::of as signature_of;
pub use types::{
    Change, Disposition, Edit, Event, Finding, Input, Known, KnownState, Memory, Progress, Proposal, Question, Quote, Session, Stats,
    Support,
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
    let (workflows, steps_tried) = contrast::find(input);
    findings.extend(workflows);
    findings.extend(standing::find(input));
    let duplicates = duplicates::find(&input.memories);
    findings.extend(duplicates.findings);
    // The best supported first; ties by fingerprint, so that the order never depends on the input's.
    findings.sort_by(|a, b| {
        let by_support = |f: &Finding| (f.support.distinct(), f.support.occurrences);
        by_support(b).cmp(&by_support(a)).then_with(|| a.fingerprint.cmp(&b.fingerprint))
    });
    settle(&mut findings, input);
    give_paths(&mut findings, input);
    let stats = Stats {
        sessions: input.sessions.len(),
        events: input.sessions.iter().map(|s| s.events.len()).sum(),
        memories: input.memories.len(),
        tool_errors: failures.tool_errors,
        signatures: failures.signatures,
        steps_tried,
        proposed: findings.iter().filter(|f| f.is_proposed()).count(),
        held_back: findings.iter().filter(|f| !f.is_proposed()).count(),
    };
    Some(Proposal { findings, questions: duplicates.questions, stats })
}

/// Holds back what already waits, was committed or was rejected, and what is over the limits of number and loss.
fn settle(findings: &mut [Finding], input: &Input) {
    let mut proposed = 0;
    let store = loss::of_store(&input.memories);
    let mut lost = input.lost_recently;
    for finding in findings {
        if !finding.is_proposed() {
            continue;
        }
        let loses = finding.change.as_ref().map_or_else(Loss::default, |c| loss::of_change(c, &input.memories));
        let over = loses != Loss::default() && !lost.and(loses).is_within(store);
        let reason = input.known.iter().filter(|k| k.fingerprint == finding.fingerprint).find_map(|k| k.holds_back(&finding.support));
        let reason = reason.or_else(|| (proposed >= MAX_CHANGES).then(|| format!("a dream proposes at most {MAX_CHANGES} changes")));
        let reason = reason.or_else(|| {
            over.then(|| {
                format!("dreams may lose {} % of a store's statements and bytes in 30 days, and this would be more", loss::PERCENT)
            })
        });
        if let Some(reason) = reason {
            finding.disposition = Disposition::HeldBack(reason);
        } else {
            proposed += 1;
            lost = lost.and(loses);
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
