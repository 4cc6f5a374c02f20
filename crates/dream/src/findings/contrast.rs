//! Workflow contrast: which steps, and which orders of steps, went with success *within tries at
//! the same task*. Tasks differ in how hard they are and in what they need, so tries at different
//! tasks are never compared, and whether a call came before another one is asked only of the tries
//! that made the other one. An exact conditional test over the tasks with mixed outcomes (given
//! each task's successes and how many tries took the step), Benjamini-Hochberg over everything that
//! could have been called (Tarone, Biometrics 1990); worded as association. Zero is a correct
//! answer, and the usual one.

use std::collections::{BTreeMap, BTreeSet};

use domain::{changeset::ChangeKind, event::OutcomeResult, plural};

use crate::{
    compose,
    reading::{First, Place},
    types::{Change, Edit, Finding, KnownState, Seen, fingerprint},
    window::Window,
};

/// The name of this kind of finding.
pub const KIND: &str = "workflow";

/// Least tasks with mixed outcomes: with fewer there is too little to tell.
const MIN_TASKS: usize = 8;
/// Benjamini-Hochberg: share of false ones among what is called.
const FALSE_SHARE: f64 = 0.1;
/// Chance of calling anything where there is nothing.
const ANY_BY_CHANCE: f64 = 0.05;
/// From this p-value on, a step is explained by another one.
const EXPLAINED: f64 = 0.1;
/// From this p-value on, what was called once is called no longer.
const GONE: f64 = 0.2;
/// Most steps and orders that are tried; those that most tasks can tell of first.
const MAX_TRIED: usize = 2_000;
/// A tool ends a session if it is the last call of so many of the sessions that call it, in a
/// hundred.
const ENDS_PERCENT: usize = 90;
/// Leads that were too weak for a note.
const MOST_WEAK: usize = 3;
/// A lead is shown if so many like it are expected by chance, at most.
const WEAK_BY_CHANCE: f64 = 0.5;

/// A tool that a session called, or a program that its shell ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Call<'a> {
    name: &'a str,
    is_program: bool,
}

/// Something that a session may have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step<'a> {
    Called(Call<'a>),
    /// Called the first before it first called the second.
    Before(Call<'a>, Call<'a>),
}

/// A task with mixed outcomes: the sessions that tried it and whether each succeeded.
struct Task {
    tries: Vec<(usize, bool)>,
}

/// The evidence about one step from the tries at all tasks.
struct Evidence {
    with: (usize, usize),
    without: (usize, usize),
    /// Tasks that were tried with the step and without it.
    tasks: usize,
    /// Chance of so many successes or more with the step, if it had nothing to do with success.
    p: f64,
    /// The least that this could have been, had every success taken the step.
    least_p: f64,
    /// Hash of which tries took the step: two steps with the same one cannot be told apart.
    taken: u64,
}

/// Every step that went with success, and how many were tried.
pub fn find(window: &Window) -> (Vec<Finding>, usize) {
    let tasks = mixed_tasks(window);
    if tasks.len() < MIN_TASKS {
        return (Vec::new(), 0);
    }
    let tries: BTreeMap<usize, Vec<Call>> = tasks
        .iter()
        .flat_map(|t| &t.tries)
        .map(|&(i, _)| (i, calls(&window.input.sessions[i])))
        .collect();
    let ending = ending(&tries, window);
    let weighed = weigh_all(&tasks, &tries, &ending);
    let judged = testable(distinct(&weighed, &tries));
    let count = judged.len();
    let called = benjamini_hochberg(&judged.iter().map(|j| j.evidence.p).collect::<Vec<_>>());
    let mut findings = Vec::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut clearer: Vec<Step> = Vec::new();
    for (n, one) in judged.iter().enumerate() {
        // Of steps that say nearly the same, the clearest is enough.
        let (Step::Called(tool) | Step::Before(tool, _)) = one.step;
        let weak = n >= called;
        let weak_enough =
            findings.len() < called + MOST_WEAK && one.evidence.p * real(count) <= WEAK_BY_CHANCE;
        if (weak && !weak_enough) || told.contains(tool.name) {
            continue;
        }
        if clearer
            .iter()
            .any(|other| explains(*other, one, &tasks, &tries))
        {
            continue;
        }
        told.insert(tool.name);
        clearer.push(one.step);
        let found = finding(one, (&tasks, &tries, count), window);
        findings.push(if weak {
            too_weak(found, one.evidence, count)
        } else {
            found
        });
    }
    findings.extend(
        weighed
            .iter()
            .filter(|(_, e)| e.p >= GONE)
            .filter_map(|(step, evidence)| gone(*step, evidence, &tries, window)),
    );
    (findings, count)
}

/// A step among those that cannot be told apart from it.
struct Judged<'a, 'b> {
    step: Step<'a>,
    same: Vec<Step<'a>>,
    evidence: &'b Evidence,
}

/// A step and what the tries say of it.
type Weighed<'a, 'b> = (Step<'a>, &'b Evidence);

/// Returns what every step that some task can tell of says.
fn weigh_all<'a>(
    tasks: &[Task],
    tries: &BTreeMap<usize, Vec<Call<'a>>>,
    ending: &BTreeSet<Call<'a>>,
) -> Vec<(Step<'a>, Evidence)> {
    let mut of_tasks: BTreeMap<Step<'a>, BTreeSet<usize>> = BTreeMap::new();
    for (n, task) in tasks.iter().enumerate() {
        for step in task.tries.iter().flat_map(|t| steps(&tries[&t.0])) {
            let (Step::Called(first) | Step::Before(first, _)) = step;
            // What ends a session is its end and not a way to it.
            if !ending.contains(&first) {
                of_tasks.entry(step).or_default().insert(n);
            }
        }
    }
    let mut known: Vec<(Step, BTreeSet<usize>)> = of_tasks.into_iter().collect();
    known.sort_by_key(|(step, tasks)| (std::cmp::Reverse(tasks.len()), *step));
    known.truncate(MAX_TRIED);
    let weighed = known
        .into_iter()
        .map(|(step, of)| (step, weigh(step, of.iter().map(|&n| &tasks[n]), tries)));
    weighed.filter(|(_, e)| e.tasks > 0).collect()
}

/// One for all steps that the same tries took. An order says more than a call, and the call that
/// comes next more than a later one.
fn distinct<'a, 'b>(
    weighed: &'b [(Step<'a>, Evidence)],
    tries: &BTreeMap<usize, Vec<Call<'a>>>,
) -> Vec<Judged<'a, 'b>> {
    let mut by_tries: BTreeMap<(usize, usize, u64), Vec<Weighed<'a, '_>>> = BTreeMap::new();
    for (step, evidence) in weighed {
        let (with, without) = (evidence.with.1, evidence.without.1);
        by_tries
            .entry((with, without, evidence.taken))
            .or_default()
            .push((*step, evidence));
    }
    let one = |mut same: Vec<Weighed<'a, 'b>>| {
        same.sort_by_key(|(step, _)| {
            (
                matches!(step, Step::Called(_)),
                calls_between(*step, tries),
                *step,
            )
        });
        let (step, evidence) = same.first().copied()?;
        Some(Judged {
            step,
            same: same.into_iter().map(|s| s.0).collect(),
            evidence,
        })
    };
    by_tries.into_values().filter_map(one).collect()
}

/// How many other first calls come between the two of an order, over all tries.
fn calls_between(step: Step, tries: &BTreeMap<usize, Vec<Call>>) -> usize {
    let Step::Before(first, second) = step else {
        return 0;
    };
    let place = |calls: &[Call], call: Call| calls.iter().position(|c| *c == call);
    tries
        .values()
        .filter_map(|calls| Some(place(calls, second)?.saturating_sub(place(calls, first)?)))
        .sum()
}

/// The steps that could have been called at all, the clearest first: of a step that too few tasks
/// can tell of, chance says nothing.
fn testable<'a, 'b>(mut all: Vec<Judged<'a, 'b>>) -> Vec<Judged<'a, 'b>> {
    all.sort_by(|a, b| {
        a.evidence
            .least_p
            .total_cmp(&b.evidence.least_p)
            .then_with(|| a.step.cmp(&b.step))
    });
    let could = |k: usize| {
        all.iter()
            .take_while(|j| j.evidence.least_p * real(k) <= ANY_BY_CHANCE)
            .count()
    };
    let k = (1..=all.len())
        .find(|&k| could(k) <= k)
        .unwrap_or(all.len());
    all.truncate(could(k));
    all.sort_by(|a, b| {
        a.evidence
            .p
            .total_cmp(&b.evidence.p)
            .then_with(|| a.step.cmp(&b.step))
    });
    all
}

/// The calls that end sessions: an answer that is handed in, a ticket that is closed.
fn ending<'a>(tries: &BTreeMap<usize, Vec<Call<'a>>>, window: &Window<'a>) -> BTreeSet<Call<'a>> {
    let mut counts: BTreeMap<Call, (usize, usize)> = BTreeMap::new();
    for (&session, calls) in tries {
        let last = window.input.sessions[session].features.last.as_deref();
        for call in calls {
            let (all, ends) = counts.entry(*call).or_default();
            *all += 1;
            *ends += usize::from(last == Some(call.name));
        }
    }
    counts
        .into_iter()
        .filter(|(_, (all, ends))| ends * 100 >= all * ENDS_PERCENT)
        .map(|(call, _)| call)
        .collect()
}

/// A note that a dream once proposed, for which the same test shows nothing any more: it should go.
fn gone(
    step: Step<'_>,
    evidence: &Evidence,
    tries: &BTreeMap<usize, Vec<Call>>,
    window: &Window,
) -> Option<Finding> {
    let print = fingerprint(KIND, &name(step));
    let known = window.input.known.iter().find(|k| {
        k.fingerprint == print && k.state == KnownState::Committed && k.memory.is_some()
    })?;
    let memory = known.memory?;
    let path = window.input.memories[memory].path.clone();
    let support = window.support(
        tries
            .iter()
            .filter(|(_, calls)| took(step, calls))
            .map(|(&i, _)| i),
    );
    let mut finding = Finding::new(
        "workflow_gone",
        &name(step),
        format!("No longer so: {}", note(step).0),
        support,
    );
    finding.change = Some(Change {
        kind: ChangeKind::Remove,
        rationale: format!(
            "Within the same tasks, {}: no difference beyond chance any more (p {:.2}).",
            effect(evidence),
            evidence.p
        ),
        confidence_bp: 6_000,
        tool_text: false,
        edits: vec![Edit {
            memory: Some(memory),
            path,
            new_path: None,
            content: None,
        }],
        quotes: Vec::new(),
        gentle: None,
    });
    Some(finding)
}

/// Tasks that were tried with success and without.
fn mixed_tasks(window: &Window) -> Vec<Task> {
    let mut by_task: BTreeMap<&str, Vec<(usize, bool)>> = BTreeMap::new();
    for (index, Seen { head, .. }) in window.sessions() {
        let (Some(task), true) = (head.task.as_deref(), head.outcome != OutcomeResult::Unknown)
        else {
            continue;
        };
        by_task
            .entry(task)
            .or_default()
            .push((index, head.outcome == OutcomeResult::Success));
    }
    let mixed =
        |tries: &Vec<(usize, bool)>| tries.iter().any(|t| t.1) && tries.iter().any(|t| !t.1);
    by_task
        .into_values()
        .filter(mixed)
        .map(|tries| Task { tries })
        .collect()
}

/// The first call of each tool and program of a session, in order.
fn calls(session: &Seen) -> Vec<Call<'_>> {
    session
        .features
        .firsts
        .iter()
        .map(|f| Call {
            name: f.name(),
            is_program: f.program.is_some(),
        })
        .collect()
}

/// Returns what a session did: the tools that it called, and which was first called before which.
fn steps<'a>(order: &[Call<'a>]) -> Vec<Step<'a>> {
    let mut found: Vec<Step<'a>> = order.iter().map(|c| Step::Called(*c)).collect();
    for (at, first) in order.iter().enumerate() {
        found.extend(
            order[at + 1..]
                .iter()
                .map(|second| Step::Before(*first, *second)),
        );
    }
    found
}

fn took(step: Step, calls: &[Call]) -> bool {
    let place = |call: Call| calls.iter().position(|c| *c == call);
    match step {
        Step::Called(tool) => place(tool).is_some(),
        Step::Before(first, second) => place(first).zip(place(second)).is_some_and(|(a, b)| a < b),
    }
}

/// True if a try can tell of a step: of an order only one that made the second call.
fn tells(step: Step, calls: &[Call]) -> bool {
    match step {
        Step::Called(_) => true,
        Step::Before(_, second) => calls.contains(&second),
    }
}

/// True if a clearer step leaves nothing for this one to say: among tries that took the clearer one
/// alike, it makes no difference beyond chance. A call that only comes along with what helps is no
/// way to success.
fn explains(
    clearer: Step,
    judged: &Judged,
    tasks: &[Task],
    tries: &BTreeMap<usize, Vec<Call>>,
) -> bool {
    let part = |task: &Task, with: bool| Task {
        tries: task
            .tries
            .iter()
            .filter(|t| took(clearer, &tries[&t.0]) == with)
            .copied()
            .collect(),
    };
    let parts: Vec<Task> = tasks
        .iter()
        .flat_map(|task| [part(task, true), part(task, false)])
        .collect();
    let within = weigh(judged.step, parts.iter(), tries);
    // If hardly any task can tell the two steps apart, neither explains the other.
    within.p > EXPLAINED && within.least_p < judged.evidence.least_p.sqrt()
}

fn weigh<'t>(
    step: Step,
    tasks: impl Iterator<Item = &'t Task>,
    tries: &BTreeMap<usize, Vec<Call>>,
) -> Evidence {
    let mut evidence = Evidence {
        with: (0, 0),
        without: (0, 0),
        tasks: 0,
        p: 1.0,
        least_p: 1.0,
        taken: 0,
    };
    // The distribution of how many successes took the step, over all tasks, if the step had nothing
    // to do with success.
    let mut chance = vec![1.0_f64];
    let mut takers: Vec<u8> = Vec::new();
    for task in tasks {
        let (mut all, mut good, mut taken, mut both) = (0, 0, 0, 0);
        let mut of_task: Vec<u8> = Vec::new();
        for &(session, success) in task.tries.iter().filter(|t| tells(step, &tries[&t.0])) {
            let took_it = took(step, &tries[&session]);
            all += 1;
            good += usize::from(success);
            taken += usize::from(took_it);
            both += usize::from(success && took_it);
            of_task.extend(session.to_le_bytes());
            of_task.push(u8::from(took_it));
        }
        // Only tasks that were tried with the step and without it, and with both outcomes, tell
        // anything.
        if taken > 0 && taken < all && good > 0 && good < all {
            evidence.with = (evidence.with.0 + both, evidence.with.1 + taken);
            evidence.without = (
                evidence.without.0 + good - both,
                evidence.without.1 + all - taken,
            );
            evidence.tasks += 1;
            chance = convolve(&chance, &hypergeometric(all, good, taken));
            takers.extend(of_task);
        }
    }
    evidence.p = chance.iter().skip(evidence.with.0).sum::<f64>().min(1.0);
    evidence.least_p = chance.last().copied().unwrap_or(1.0);
    evidence.taken = crate::reading::hash(&takers);
    evidence
}

/// The probabilities that 0, 1, 2 .. of `taken` tries out of `all`, of which `good` succeeded, are
/// successes. By ratios only, so that every machine computes the same.
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
            weight *=
                real(good - k) * real(taken - k) / (real(k + 1) * real(all + k + 1 - good - taken));
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

/// How many of the ascending p-values are called: by Benjamini-Hochberg, and none at all unless the
/// smallest holds by Bonferroni, so that a dream over nothing but chance proposes a workflow in at
/// most one case of twenty.
fn benjamini_hochberg(ascending: &[f64]) -> usize {
    let all = real(ascending.len());
    if ascending.first().is_none_or(|p| p * all > ANY_BY_CHANCE) {
        return 0;
    }
    let holds = |&(n, p): &(usize, &f64)| *p <= FALSE_SHARE * real(n + 1) / all;
    ascending
        .iter()
        .enumerate()
        .filter(holds)
        .map(|(n, _)| n + 1)
        .max()
        .unwrap_or(0)
}

type Context<'a, 'b> = (&'b [Task], &'b BTreeMap<usize, Vec<Call<'a>>>, usize);

fn finding(one: &Judged, (tasks, tries, tried): Context<'_, '_>, window: &Window) -> Finding {
    let (step, evidence) = (one.step, one.evidence);
    let all = || {
        tasks
            .iter()
            .flat_map(|t| &t.tries)
            .filter(|(i, _)| took(step, &tries[i]))
    };
    let good: Vec<usize> = all().filter(|t| t.1).map(|t| t.0).collect();
    let bad: Vec<usize> = all().filter(|t| !t.1).map(|t| t.0).collect();
    let mut support = window.support(good.iter().copied());
    support.eligible = tries.len();
    let (title, content) = note(step);
    let places = |of: &[usize]| {
        of.iter()
            .filter_map(|&i| Some((i, place(step, &window.input.sessions[i])?)))
            .collect::<Vec<_>>()
    };
    let mut quotes = window.quotes(places(&good), false);
    quotes.extend(window.quotes(places(&bad), true));
    let rationale = format!(
        "Within the same tasks, {} (p {:.4} by an exact test over {} that can tell; {} tested; at \
            most a tenth of those \
         reported are expected to be chance). An association, not a proof.",
        effect(evidence),
        evidence.p,
        plural::count(evidence.tasks, "task"),
        plural::count(tried, "step"),
    );
    let mut finding = Finding::new(KIND, &name(step), title, support);
    finding.aliases = one
        .same
        .iter()
        .map(|same| fingerprint(KIND, &name(*same)))
        .collect();
    finding.change = Some(Change {
        kind: ChangeKind::Add,
        rationale,
        confidence_bp: 6_000,
        tool_text: false,
        edits: vec![Edit {
            memory: None,
            path: compose::file("workflows", &name(step)),
            new_path: None,
            content: Some(content),
        }],
        quotes,
        gentle: None,
    });
    finding
}

/// The same as a lead for people.
fn too_weak(finding: Finding, evidence: &Evidence, tried: usize) -> Finding {
    let mut weak = finding.insight(format!(
        "too weak for a note: within the same tasks, {} (p {:.3}; {} tested)",
        effect(evidence),
        evidence.p,
        plural::count(tried, "step")
    ));
    weak.evidence = weak
        .change
        .take()
        .map(|change| change.quotes)
        .unwrap_or_default();
    weak
}

/// How many succeeded with the step and without it, and the difference with its 95 % interval
/// (Newcombe, Statistics in Medicine 1998).
fn effect(evidence: &Evidence) -> String {
    let ((good_with, all_with), (good_without, all_without)) = (evidence.with, evidence.without);
    let (with, without) = (
        real(good_with) / real(all_with),
        real(good_without) / real(all_without),
    );
    let ((with_low, with_high), (without_low, without_high)) = (
        wilson(good_with, all_with),
        wilson(good_without, all_without),
    );
    let low = with - without - (with - with_low).hypot(without_high - without);
    let high = with - without + (with_high - with).hypot(without - without_low);
    format!(
        "{good_with} of {all_with} tries with this step succeeded and {good_without} of \
            {all_without} without it: {:+.0} percentage points, \
         95 % interval {:+.0} to {:+.0}",
        100.0 * (with - without),
        100.0 * low,
        100.0 * high
    )
}

/// Wilson's 95 % interval of a share.
fn wilson(good: usize, all: usize) -> (f64, f64) {
    const Z: f64 = 1.959_964;
    let (n, p) = (real(all), real(good) / real(all));
    let middle = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    (
        (middle - half) / (1.0 + Z * Z / n),
        (middle + half) / (1.0 + Z * Z / n),
    )
}

/// Returns what a step is known by.
fn name(step: Step) -> String {
    match step {
        Step::Called(tool) => tool.name.to_owned(),
        Step::Before(first, second) => format!("{} before {}", first.name, second.name),
    }
}

/// Title and content of the note.
fn note(step: Step) -> (String, String) {
    let verb = |call: Call| if call.is_program { "run" } else { "call" };
    let (title, act) = match step {
        Step::Called(tool) => (
            format!("{} {} in tasks like these", capital(verb(tool)), tool.name),
            format!(
                "{} `{}` in tasks of this kind.",
                capital(verb(tool)),
                tool.name
            ),
        ),
        Step::Before(first, second) => (
            format!("Before {}, {} {}", second.name, verb(first), first.name),
            format!(
                "Before the first `{}`, {} `{}`.",
                second.name,
                verb(first),
                first.name
            ),
        ),
    };
    let why = "tries at the same task succeeded more often when they did. This is an association, \
        not a proof.";
    let content = format!("# {title}\n\n- {act}\n- Why: {why}\n");
    (title, content)
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars
        .next()
        .map(|c| c.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// Returns where the step's tool was first called.
fn place(step: Step, session: &Seen) -> Option<Place> {
    let (Step::Called(tool) | Step::Before(tool, _)) = step;
    session
        .features
        .firsts
        .iter()
        .find(|f: &&First| f.name() == tool.name)
        .map(|f| f.at)
        .filter(|at| at.start < at.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_test_is_the_known_one() {
        // Fisher's tea: eight cups, four with milk first, all told right: 1 in 70.
        let tea = hypergeometric(8, 4, 4);
        assert!(
            (tea[4] - 1.0 / 70.0).abs() < 1e-12 && (tea.iter().sum::<f64>() - 1.0).abs() < 1e-12,
            "{tea:?}"
        );
        let two = convolve(&tea, &tea);
        assert!((two[8] - 1.0 / 4_900.0).abs() < 1e-12);
        assert_eq!(hypergeometric(5, 5, 2), [0.0, 0.0, 1.0]);
    }

    #[test]
    fn the_share_of_false_ones_is_bounded() {
        assert_eq!(benjamini_hochberg(&[]), 0);
        assert_eq!(benjamini_hochberg(&[0.2, 0.3]), 0);
        assert_eq!(
            benjamini_hochberg(&[0.01, 0.04, 0.09, 0.5]),
            2,
            "0.04 is within 0.1 * 2 / 4"
        );
        assert_eq!(
            benjamini_hochberg(&[0.02, 0.05]),
            2,
            "0.05 of two is within a tenth"
        );
        assert_eq!(
            benjamini_hochberg(&[0.04, 0.05]),
            0,
            "but the smallest must hold by itself"
        );
    }
}
