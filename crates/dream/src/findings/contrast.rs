//! Workflow contrast: which steps, and which orders of steps, went with success *within tries at the same task*. Tasks differ in how
//! hard they are and in what they need, so tries at different tasks are never compared. An exact conditional test over the tasks with
//! mixed outcomes (given each task's successes and how many tries took the step), Benjamini-Hochberg over everything that was tried;
//! worded as association. Zero is a correct answer, and the usual one.

use std::collections::{BTreeMap, BTreeSet};

use domain::{changeset::ChangeKind, event::OutcomeResult, plural};

use crate::{
    compose,
    reading::{First, Place, is_plain_name},
    types::{Change, Edit, Finding, KnownState, Seen, fingerprint},
    window::Window,
};

/// What the name of this kind of finding is.
pub const KIND: &str = "workflow";

/// Least tasks with mixed outcomes: with fewer there is too little to tell.
const MIN_TASKS: usize = 8;
/// Benjamini-Hochberg: share of false ones among what is called.
const FALSE_SHARE: f64 = 0.1;
/// Chance of calling anything where there is nothing.
const ANY_BY_CHANCE: f64 = 0.05;
/// From this p-value on, what was called once is called no longer.
const GONE: f64 = 0.2;
/// Most steps and orders that are tried; the most frequent first.
const MAX_TRIED: usize = 2_000;

/// Something that a session may have done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step<'a> {
    /// Called the tool.
    Called(&'a str),
    /// Called the first before it first called the second.
    Before(&'a str, &'a str),
}

/// A task with mixed outcomes: the sessions that tried it and whether each succeeded.
struct Task {
    tries: Vec<(usize, bool)>,
}

/// What the tries at all tasks say of one step.
struct Evidence {
    with: (usize, usize),
    without: (usize, usize),
    p: f64,
}

/// Every step that went with success, and how many were tried.
pub fn find(window: &Window) -> (Vec<Finding>, usize) {
    let tasks = mixed_tasks(window);
    if tasks.len() < MIN_TASKS {
        return (Vec::new(), 0);
    }
    let took: BTreeMap<usize, BTreeSet<Step<'_>>> =
        tasks.iter().flat_map(|t| &t.tries).map(|&(i, _)| (i, steps(&window.input.sessions[i]))).collect();
    let mut seen: BTreeMap<&Step<'_>, usize> = BTreeMap::new();
    for step in took.values().flatten() {
        *seen.entry(step).or_default() += 1;
    }
    // What nearly all or hardly any did cannot be told apart from the rest.
    let all = took.len();
    let mut tried: Vec<(&Step<'_>, usize)> = seen.into_iter().filter(|(_, n)| n * 10 >= all && n * 10 <= all * 9).collect();
    tried.sort_by_key(|&(step, n)| (std::cmp::Reverse(n), step));
    tried.truncate(MAX_TRIED);
    let count = tried.len();
    let mut judged: Vec<(&Step<'_>, Evidence)> = tried.into_iter().map(|(step, _)| (step, weigh(step, &tasks, &took))).collect();
    judged.sort_by(|(a, x), (b, y)| x.p.total_cmp(&y.p).then_with(|| a.cmp(b)));
    let called = benjamini_hochberg(&judged.iter().map(|(_, e)| e.p).collect::<Vec<_>>());
    let mut findings = Vec::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for (step, evidence) in judged.iter().take(called) {
        // Of steps that say nearly the same, the clearest is enough.
        let tool = match step {
            Step::Called(tool) | Step::Before(tool, _) => *tool,
        };
        if told.insert(tool) {
            findings.push(finding(step, evidence, (&tasks, &took, count), window));
        }
    }
    findings.extend(judged.iter().filter(|(_, e)| e.p >= GONE).filter_map(|(step, evidence)| gone(step, evidence, &took, window)));
    (findings, count)
}

/// A note that a dream once proposed, for which the same test shows nothing any more: it should go.
fn gone(step: &Step<'_>, evidence: &Evidence, took: &BTreeMap<usize, BTreeSet<Step<'_>>>, window: &Window) -> Option<Finding> {
    let (title, _, _, name) = note(step);
    let print = fingerprint(KIND, &name);
    let known = window.input.known.iter().find(|k| k.fingerprint == print && k.state == KnownState::Committed && k.memory.is_some())?;
    let memory = known.memory?;
    let path = window.input.memories[memory].path.clone();
    let support = window.support(took.iter().filter(|(_, steps)| steps.contains(step)).map(|(&i, _)| i));
    let mut finding = Finding::new("workflow_gone", &name, format!("No longer so: {title}"), support);
    finding.change = Some(Change {
        kind: ChangeKind::Remove,
        rationale: format!(
            "Within the same tasks, {} of {} tries with this step succeeded, and {} of {} without it: no difference beyond chance any more (p {:.2}).",
            evidence.with.0, evidence.with.1, evidence.without.0, evidence.without.1, evidence.p
        ),
        confidence_bp: 6_000,
        tool_text: false,
        edits: vec![Edit { memory: Some(memory), path, new_path: None, content: None }],
        quotes: Vec::new(),
        gentle: None,
    });
    Some(finding)
}

/// Tasks that were tried with success and without.
fn mixed_tasks(window: &Window) -> Vec<Task> {
    let mut by_task: BTreeMap<&str, Vec<(usize, bool)>> = BTreeMap::new();
    for (index, Seen { head, .. }) in window.sessions() {
        let (Some(task), true) = (head.task.as_deref(), head.outcome != OutcomeResult::Unknown) else { continue };
        by_task.entry(task).or_default().push((index, head.outcome == OutcomeResult::Success));
    }
    let mixed = |tries: &Vec<(usize, bool)>| tries.iter().any(|t| t.1) && tries.iter().any(|t| !t.1);
    by_task.into_values().filter(mixed).map(|tries| Task { tries }).collect()
}

/// What a session did: the tools that it called, and which was first called before which.
fn steps(session: &Seen) -> BTreeSet<Step<'_>> {
    let order: Vec<&str> = session.features.firsts.iter().map(|f| f.tool.as_str()).filter(|t| is_plain_name(t)).collect();
    let mut found: BTreeSet<Step<'_>> = order.iter().map(|t| Step::Called(t)).collect();
    for (at, first) in order.iter().enumerate() {
        found.extend(order[at + 1..].iter().map(|second| Step::Before(first, second)));
    }
    found
}

fn weigh(step: &Step<'_>, tasks: &[Task], took: &BTreeMap<usize, BTreeSet<Step<'_>>>) -> Evidence {
    let (mut with, mut without) = ((0, 0), (0, 0));
    // The distribution of how many successes took the step, over all tasks, if the step had nothing to do with success.
    let mut chance = vec![1.0_f64];
    for task in tasks {
        let (mut good, mut taken, mut both) = (0, 0, 0);
        for &(session, success) in &task.tries {
            let took_it = took[&session].contains(step);
            good += usize::from(success);
            taken += usize::from(took_it);
            both += usize::from(success && took_it);
        }
        // Only tasks that were tried with the step and without it tell anything.
        if taken > 0 && taken < task.tries.len() {
            with = (with.0 + both, with.1 + taken);
            without = (without.0 + good - both, without.1 + task.tries.len() - taken);
            chance = convolve(&chance, &hypergeometric(task.tries.len(), good, taken));
        }
    }
    let p = chance.iter().skip(with.0).sum::<f64>().min(1.0);
    Evidence { with, without, p }
}

/// The probabilities that 0, 1, 2 .. of `taken` tries out of `all`, of which `good` succeeded, are successes. By ratios only, so that
/// every machine computes the same.
fn hypergeometric(all: usize, good: usize, taken: usize) -> Vec<f64> {
    let (least, most) = ((taken + good).saturating_sub(all), taken.min(good));
    let mut weights = vec![0.0; least];
    let mut weight = 1.0_f64;
    for k in least..=most {
        weights.push(weight);
        // Only the ratios matter; large numbers of tries would leave what a float can hold.
        if weight > 1e250 {
            for w in &mut weights {
                *w *= 1e-250;
            }
            weight *= 1e-250;
        }
        if k < most {
            weight *= real(good - k) * real(taken - k) / (real(k + 1) * real(all + k + 1 - good - taken));
        }
    }
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|w| w / sum).collect()
}

#[expect(clippy::cast_precision_loss, reason = "numbers of sessions")]
const fn real(n: usize) -> f64 {
    n as f64
}

fn convolve(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; a.len() + b.len() - 1];
    for (i, x) in a.iter().enumerate() {
        for (j, y) in b.iter().enumerate() {
            out[i + j] += x * y;
        }
    }
    out
}

/// How many of the ascending p-values are called: by Benjamini-Hochberg, and none at all unless the smallest holds by Bonferroni, so
/// that a dream over nothing but chance proposes a workflow in at most one case of twenty.
fn benjamini_hochberg(ascending: &[f64]) -> usize {
    let all = real(ascending.len());
    if ascending.first().is_none_or(|p| p * all > ANY_BY_CHANCE) {
        return 0;
    }
    let holds = |&(n, p): &(usize, &f64)| *p <= FALSE_SHARE * real(n + 1) / all;
    ascending.iter().enumerate().filter(holds).map(|(n, _)| n + 1).max().unwrap_or(0)
}

type Context<'a, 'b> = (&'b [Task], &'b BTreeMap<usize, BTreeSet<Step<'a>>>, usize);

fn finding(step: &Step<'_>, evidence: &Evidence, (tasks, took, tried): Context<'_, '_>, window: &Window) -> Finding {
    let all = || tasks.iter().flat_map(|t| &t.tries).filter(|(i, _)| took[i].contains(step));
    let good: Vec<usize> = all().filter(|t| t.1).map(|t| t.0).collect();
    let bad: Vec<usize> = all().filter(|t| !t.1).map(|t| t.0).collect();
    let mut support = window.support(good.iter().copied());
    support.eligible = took.len();
    let (title, content, path, name) = note(step);
    let places = |of: &[usize]| of.iter().filter_map(|&i| Some((i, place(step, &window.input.sessions[i])?))).collect::<Vec<_>>();
    let mut quotes = window.quotes(places(&good), false);
    quotes.extend(window.quotes(places(&bad), true));
    let share = |(good, all): (usize, usize)| format!("{good} of {all}");
    let rationale = format!(
        "Within the same tasks, {} tries with this step succeeded, and {} without it (p {:.4} by an exact test over {} with mixed outcomes; \
         one of {} that were tried, at most a tenth of those called being chance). An association, not a proof.",
        share(evidence.with),
        share(evidence.without),
        evidence.p,
        plural::count(tasks.len(), "task"),
        plural::count(tried, "step"),
    );
    let mut finding = Finding::new(KIND, &name, title, support);
    finding.change = Some(Change {
        kind: ChangeKind::Add,
        rationale,
        confidence_bp: 6_000,
        tool_text: false,
        edits: vec![Edit { memory: None, path, new_path: None, content: Some(content) }],
        quotes,
        gentle: None,
    });
    finding
}

/// Title, content, path and name of the note.
fn note(step: &Step<'_>) -> (String, String, String, String) {
    let (title, when, act, name) = match step {
        Step::Called(tool) => (
            format!("Calling {tool} goes with success"),
            "a task of the kind in which others called it, too.".to_owned(),
            format!("consider calling `{tool}`."),
            (*tool).to_owned(),
        ),
        Step::Before(first, second) => (
            format!("{first} before {second} goes with success"),
            format!("before the first call of `{second}`."),
            format!("call `{first}` first, then `{second}`."),
            format!("{first} before {second}"),
        ),
    };
    let content = format!(
        "# {title}\n\n- When: {when}\n- What to do: {act}\n- Why: tries at the same tasks that did so succeeded more often than those that did not. \
         This is an association, not a proof.\n"
    );
    let path = compose::file("workflows", &name);
    (title, content, path, name)
}

/// Where the step's tool was first called.
fn place(step: &Step<'_>, session: &Seen) -> Option<Place> {
    let (Step::Called(tool) | Step::Before(tool, _)) = step;
    session.features.firsts.iter().find(|f: &&First| f.tool == *tool).map(|f| f.at).filter(|at| at.start < at.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_test_is_the_known_one() {
        // Fisher's tea: eight cups, four with milk first, all told right: 1 in 70.
        let tea = hypergeometric(8, 4, 4);
        assert!((tea[4] - 1.0 / 70.0).abs() < 1e-12 && (tea.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{tea:?}");
        let two = convolve(&tea, &tea);
        assert!((two[8] - 1.0 / 4_900.0).abs() < 1e-12);
        assert_eq!(hypergeometric(5, 5, 2), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn the_share_of_false_ones_is_bounded() {
        assert_eq!(benjamini_hochberg(&[]), 0);
        assert_eq!(benjamini_hochberg(&[0.2, 0.3]), 0);
        assert_eq!(benjamini_hochberg(&[0.01, 0.04, 0.09, 0.5]), 2, "0.04 is within 0.1 * 2 / 4");
        assert_eq!(benjamini_hochberg(&[0.02, 0.05]), 2, "0.05 of two is within a tenth");
        assert_eq!(benjamini_hochberg(&[0.04, 0.05]), 0, "but the smallest must hold by itself");
    }
}
