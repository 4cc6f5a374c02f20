//! Outcome divergence: tries at the same task of which some succeeded and some failed, and the first call that changes something by
//! which they differ. A lead for a person who asks why, never a memory: one task may be special.

use std::collections::BTreeMap;

use domain::event::OutcomeResult;

use crate::{
    reading::{Act, Features},
    types::Finding,
    window::Window,
};

/// What the name of this kind of finding is.
pub const KIND: &str = "outcome_divergence";
/// Leads that one dream gives.
const MOST: usize = 20;
/// Sessions of no known task that are compared with each other by what they asked for.
const COMPARED: usize = 300;

/// The leads, by task.
pub fn find(window: &Window) -> Vec<Finding> {
    let mut by_task: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (index, session) in window.sessions() {
        let Some(task) = session.head.task.as_deref() else { continue };
        let (good, bad) = by_task.entry(task).or_default();
        match session.head.outcome {
            OutcomeResult::Success => good.push(index),
            OutcomeResult::Failure => bad.push(index),
            OutcomeResult::Unknown => {}
        }
    }
    let mixed = by_task.into_iter().filter(|(_, (good, bad))| !good.is_empty() && !bad.is_empty());
    let by_task = mixed.filter_map(|(task, (good, bad))| lead(task, &good, &bad, window));
    by_task.chain(by_request(window)).take(MOST).collect()
}

/// The same for sessions of no known task that asked for nearly the same. Guessed, so it is never more than a lead.
fn by_request(window: &Window) -> Vec<Finding> {
    let of = |outcome: OutcomeResult| -> Vec<usize> {
        let unknown = window.sessions().filter(move |(_, s)| s.head.task.is_none() && s.head.outcome == outcome);
        unknown.map(|(i, _)| i).take(COMPARED).collect()
    };
    let good = of(OutcomeResult::Success);
    let features = |i: usize| &window.input.sessions[i].features;
    let pair = |bad: &usize| Some((*good.iter().find(|&&g| ask_the_same(features(g), features(*bad)))?, *bad));
    let pairs: Vec<(usize, usize)> = of(OutcomeResult::Failure).iter().filter_map(pair).collect();
    pairs.into_iter().filter_map(|(good, bad)| lead(&format!("like {}", window.head(bad).key), &[good], &[bad], window)).collect()
}

fn lead(task: &str, good: &[usize], bad: &[usize], window: &Window) -> Option<Finding> {
    let acts = |i: usize| &window.input.sessions[i].features;
    let (with, without) = (acts(good[0]), acts(bad[0]));
    let same = with.acts.iter().zip(&without.acts).take_while(|(a, b)| (&a.tool, a.arguments) == (&b.tool, b.arguments)).count();
    let (there, here) = (with.acts.get(same), without.acts.get(same));
    if there.is_none() && here.is_none() {
        return None;
    }
    let mut support = window.support(good.iter().chain(bad).copied());
    support.eligible = good.len() + bad.len();
    let title = format!("Tries at task {} part at {}", short(task), said(there, here));
    let finding = Finding::new(KIND, task, title, support);
    let before = match same {
        0 => "from their first changing call on".to_owned(),
        n => format!("after {} that they have in common", domain::plural::count(n, "changing call")),
    };
    Some(finding.insight(format!("a lead for a person: {} of {} tries failed; they part {before}", bad.len(), good.len() + bad.len())))
}

/// A task's key for a title: short and masked.
fn short(task: &str) -> String {
    domain::masking::mask(task).chars().take(40).collect()
}

fn said(there: Option<&Act>, here: Option<&Act>) -> String {
    let name = |act: Option<&Act>| act.map_or_else(|| "nothing more".to_owned(), |a| a.tool.clone());
    match (there, here) {
        (Some(a), Some(b)) if a.tool == b.tool => format!("the arguments of {}", a.tool),
        _ => format!("{} where it succeeded, {} where it failed", name(there), name(here)),
    }
}

/// Whether two sessions asked for nearly the same: at least six in ten of their words.
fn ask_the_same(a: &Features, b: &Features) -> bool {
    let common = a.request.iter().filter(|w| b.request.binary_search(w).is_ok()).count();
    common >= 4 && 10 * common >= 6 * a.request.len().max(b.request.len())
}
