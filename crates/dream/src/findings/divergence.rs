//! Outcome divergence: tries at the same task of which some succeeded and some failed, and the
//! first call that changes something by which they differ. A lead for a person who asks why, never
//! a memory: one task may be special.

use std::collections::BTreeMap;

use domain::event::OutcomeResult;

use crate::{
    reading::{Act, Features},
    types::Finding,
    window::Window,
};

/// The name of this kind of finding.
pub const KIND: &str = "outcome_divergence";
/// Leads that one dream gives.
const MOST: usize = 20;
/// Least tries at one task, or at the same request, for a lead.
const LEAST_TRIES: usize = 6;
/// Tasks that a lead names.
const NAMED: usize = 3;
/// Sessions of no known task that are compared with each other by what they asked for.
const COMPARED: usize = 300;

/// One place where tries part, and the tasks whose tries do so there.
#[derive(Default)]
struct Parting {
    /// Tasks, by key; empty for sessions of no known task.
    tasks: Vec<String>,
    sessions: Vec<usize>,
    failed: usize,
    /// Most changing calls that tries have in common before.
    same: usize,
}

/// The leads: one for each place where tries part.
pub fn find(window: &Window) -> Vec<Finding> {
    let mut by_task: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (index, session) in window.sessions() {
        let Some(task) = session.head.task.as_deref() else {
            continue;
        };
        let (good, bad) = by_task.entry(task).or_default();
        match session.head.outcome {
            OutcomeResult::Success => good.push(index),
            OutcomeResult::Failure => bad.push(index),
            OutcomeResult::Unknown => {}
        }
    }
    let mut partings: BTreeMap<String, Parting> = BTreeMap::new();
    for (task, (good, bad)) in by_task
        .iter()
        .filter(|(_, (good, bad))| !good.is_empty() && !bad.is_empty())
    {
        part(Some(task), good, bad, window, &mut partings);
    }
    for (good, bad) in by_request(window) {
        part(None, &[good], &[bad], window, &mut partings);
    }
    // Of one task, few tries part somewhere by chance.
    let tells = |p: &Parting| p.tasks.len() >= 2 || p.sessions.len() >= LEAST_TRIES;
    let mut found: Vec<(String, Parting)> =
        partings.into_iter().filter(|(_, p)| tells(p)).collect();
    found.sort_by_key(|(place, p)| (std::cmp::Reverse(p.failed), place.clone()));
    found
        .iter()
        .take(MOST)
        .map(|(place, parting)| lead(place, parting, window))
        .collect()
}

/// Sessions of no known task that asked for nearly the same, one that succeeded and one that did
/// not. Guessed, so it is never more than a lead.
fn by_request(window: &Window) -> Vec<(usize, usize)> {
    let of = |outcome: OutcomeResult| -> Vec<usize> {
        let unknown = window
            .sessions()
            .filter(move |(_, s)| s.head.task.is_none() && s.head.outcome == outcome);
        unknown.map(|(i, _)| i).take(COMPARED).collect()
    };
    let good = of(OutcomeResult::Success);
    let features = |i: usize| &window.input.sessions[i].features;
    let pair = |bad: &usize| {
        Some((
            *good
                .iter()
                .find(|&&g| ask_the_same(features(g), features(*bad)))?,
            *bad,
        ))
    };
    of(OutcomeResult::Failure).iter().filter_map(pair).collect()
}

/// Adds where tries at a task part, if they do.
fn part(
    task: Option<&str>,
    good: &[usize],
    bad: &[usize],
    window: &Window,
    partings: &mut BTreeMap<String, Parting>,
) {
    let acts = |i: usize| &window.input.sessions[i].features;
    let (with, without) = (acts(good[0]), acts(bad[0]));
    let same = with
        .acts
        .iter()
        .zip(&without.acts)
        .take_while(|(a, b)| (&a.tool, a.arguments) == (&b.tool, b.arguments))
        .count();
    let (there, here) = (with.acts.get(same), without.acts.get(same));
    if there.is_none() && here.is_none() {
        return;
    }
    let parting = partings.entry(said(there, here)).or_default();
    parting.tasks.extend(task.map(str::to_owned));
    parting.sessions.extend(good.iter().chain(bad));
    parting.failed += bad.len();
    parting.same = parting.same.max(same);
}

fn lead(place: &str, parting: &Parting, window: &Window) -> Finding {
    let mut support = window.support(parting.sessions.iter().copied());
    support.eligible = parting.sessions.len();
    let tasks: Vec<String> = parting.tasks.iter().take(NAMED).map(|t| short(t)).collect();
    let more = parting.tasks.len().saturating_sub(NAMED);
    let subject = match (&tasks[..], more) {
        ([], _) => "The same request".to_owned(),
        ([task], 0) => format!("Task {task}"),
        (_, 0) => format!("Tasks {}", tasks.join(", ")),
        _ => format!("Tasks {} and {more} more", tasks.join(", ")),
    };
    let before = match parting.same {
        0 => "it is the first thing that they change".to_owned(),
        n => format!(
            "up to {} before that are the same",
            domain::plural::count(n, "changing call")
        ),
    };
    let all = parting.sessions.len();
    Finding::new(KIND, place, format!("{subject}: {place}"), support).insight(format!(
        "{} of {all} tries failed; {before}",
        parting.failed
    ))
}

/// A task's key for a title: short and masked.
fn short(task: &str) -> String {
    domain::masking::mask(task).chars().take(40).collect()
}

fn said(there: Option<&Act>, here: Option<&Act>) -> String {
    match (there, here) {
        (Some(a), Some(b)) if a.tool == b.tool => {
            format!("tries that fail call {} with other arguments", a.tool)
        }
        (Some(a), Some(b)) => format!(
            "tries that succeed call {} where others call {}",
            a.tool, b.tool
        ),
        (Some(a), None) => format!("tries that succeed go on with {} where others stop", a.tool),
        (None, Some(b)) => format!("tries that fail go on with {} where others stop", b.tool),
        (None, None) => String::new(),
    }
}

/// True if two sessions asked for nearly the same: at least six in ten of their words.
fn ask_the_same(a: &Features, b: &Features) -> bool {
    let common = a
        .request
        .iter()
        .filter(|w| b.request.binary_search(w).is_ok())
        .count();
    common >= 4 && 10 * common >= 6 * a.request.len().max(b.request.len())
}
