//! What worked after an error, read from what was done: another value of an argument, a call in
//! between, another command, or the same call once more. Judged by whether the next try worked, and
//! by nothing that happened later in the session.

use std::collections::BTreeMap;

use crate::{
    MIN_SUPPORT,
    curation::similar,
    reading::{
        Between, Changed, Next, Place, command, edits_files, has_part, is_plain_name, only_looks,
    },
    window::Window,
};

/// Distinct subjects with whom a value or a command line must have worked to be the tool's and not
/// a customer's.
const VALUE_SUPPORT: usize = 3;
/// Programs that look and change nothing: run in between, they mend nothing.
const LOOKS: &[&str] = &[
    "ls", "cat", "pwd", "echo", "which", "head", "tail", "grep", "rg", "find", "cd", "env", "type",
    "stat", "wc",
];

/// Names of tools by which an agent thinks, plans or speaks, and by which it edits its own work, as
/// it does betweenany two tries: called in between, they are no way out of a failure.
const THINKS: &[&str] = &[
    "edit",
    "multiedit",
    "notebookedit",
    "write",
    "str",
    "patch",
    "think",
    "thought",
    "thinking",
    "plan",
    "todo",
    "todowrite",
    "reflect",
    "scratchpad",
    "respond",
    "message",
    "reply",
];
/// By which files are edited in a shell.
const EDITING: &[&str] = &["apply_patch", "patch", "sed -i", "tee"];
/// Parts of errors that say that a value is not known.
const NOT_THERE: &[&str] = &[
    "not found",
    "no such",
    "does not exist",
    "doesn't exist",
    "unknown ",
    "could not find",
    "no match",
];
/// Parts of errors that say what to do instead.
const SUGGESTS: &[&str] = &[
    "use ",
    "pass ",
    "must ",
    "expected",
    "should ",
    "instead",
    "valid ",
    "one of",
    "allowed",
    "format",
    "did you mean",
    "try ",
    "require",
    "need",
    "provide",
    "specify",
    "only ",
];
/// A step that says only which argument to change must have worked for so many, in a hundred, or be
/// named by the error.
const VAGUE_PERCENT: usize = 80;

/// One thing that was done differently. In the order in which one is preferred where they are as
/// good.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    /// Another value of an argument.
    Argument(String),
    Call(String),
    /// A command first, with what varies masked.
    Run(String),
    /// Another command, with what varies masked.
    Instead(String),
    Again,
}

/// A next try with the session it was in.
pub type Try<'a> = (usize, &'a Next);

/// A remedy for a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fix {
    Change {
        argument: String,
        /// What it was in every failed call, where that was the same.
        from: Option<String>,
        /// What it was in every call that worked, where that was the same.
        to: Option<String>,
        /// How it is written in calls that worked, if always in one way, and in those that failed:
        /// an example of each.
        like: Option<(Option<String>, String)>,
        /// It was not given before.
        added: bool,
        /// It was left out.
        removed: bool,
    },
    /// Call another tool first.
    CallFirst(String),
    /// Run commands first, in this order.
    RunFirst(Vec<String>),
    /// Run a command instead of the one that failed, if that was always the same.
    RunInstead(String, Option<String>),
    /// Call it once more.
    Again,
}

/// A step that many took after a failure, and how it went.
pub struct Recovery<'a> {
    pub fix: Fix,
    /// Those with whom it worked.
    pub worked: Vec<Try<'a>>,
    /// Those with whom it failed again.
    pub failed: Vec<Try<'a>>,
}

/// The step that worked for most distinct subjects, tasks or sessions: for at least two, and more
/// often than not. A step that names what to do goes before one that says only which argument to
/// change, if nearly as many took it. `says` is what the error says.
///
/// Of a program that failed, tries after an edit of files say nothing, nor does what was only
/// looked at: the edit mended it.
pub fn find<'a>(
    tries: &[Try<'a>],
    says: &str,
    is_program: bool,
    window: &Window,
) -> Option<Recovery<'a>> {
    let tries: Vec<Try> = tries
        .iter()
        .filter(|t| !is_program || !is_edited(t.1))
        .copied()
        .collect();
    let looks = |step: &Step| matches!(step, Step::Call(tool) if only_looks(tool));
    let mut by_step: BTreeMap<Step, (Vec<Try<'a>>, Vec<Try<'a>>)> = BTreeMap::new();
    for &(session, next) in &tries {
        for step in steps(next)
            .into_iter()
            .filter(|step| !is_program || !looks(step))
        {
            let (worked, failed) = by_step.entry(step).or_default();
            if next.worked {
                worked.push((session, next));
            } else {
                failed.push((session, next));
            }
        }
    }
    let found: Vec<(usize, Recovery)> = by_step
        .into_iter()
        .filter(|(step, (worked, failed))| {
            worked.len() > failed.len() && helps(step, worked.len(), failed.len(), &tries, window)
        })
        .map(|(step, (worked, failed))| {
            (
                window.distinct(worked.iter().map(|t| t.0)),
                Recovery {
                    fix: fix(&step, &worked, window),
                    worked,
                    failed,
                },
            )
        })
        .filter(|(n, _)| *n >= MIN_SUPPORT)
        .collect();
    let most = found.iter().map(|(n, _)| *n).max()?;
    let near = found
        .into_iter()
        .filter(|(n, r)| 10 * n >= 8 * most && r.is_worth_saying(*n, says));
    // Among equals the first, in the order of steps, so that nothing depends on the order of
    // sessions.
    near.min_by_key(|(n, recovery)| (recovery.fix.is_vague(), std::cmp::Reverse(*n)))
        .map(|(_, recovery)| recovery)
}

/// True if a call in between has to do with the success: without it, fewer tries worked. What was
/// changed in the call itself is the only difference that a tool can see.
fn helps(step: &Step, worked: usize, failed: usize, tries: &[Try], window: &Window) -> bool {
    match step {
        Step::Call(_) | Step::Run(_) => {
            let others: Vec<&Try> = tries
                .iter()
                .filter(|t| !steps(t.1).contains(step))
                .collect();
            let others_worked: Vec<usize> =
                others.iter().filter(|t| t.1.worked).map(|t| t.0).collect();
            let few = window.distinct(others_worked.iter().copied()) < VALUE_SUPPORT;
            few || worked * others.len() > others_worked.len() * (worked + failed)
        }
        // Once may be chance.
        Step::Again => worked > 2 * failed,
        Step::Argument(_) | Step::Instead(_) => true,
    }
}

/// True if files were edited before this try.
pub fn is_edited(next: &Next) -> bool {
    let edits = |b: &Between| match &b.command {
        None => edits_files(&b.tool),
        Some(line) => EDITING.iter().any(|e| {
            line == e
                || line
                    .strip_prefix(e)
                    .is_some_and(|rest| rest.starts_with(' '))
        }),
    };
    next.between.iter().any(edits)
}

fn steps(next: &Next) -> Vec<Step> {
    // What is written as before has changed its type only, or was too long to be kept.
    let differs = |c: &&Changed| {
        is_plain_name(&c.name) && (c.before != c.after || c.before.as_deref() == Some(""))
    };
    let mut steps: Vec<Step> = next
        .changed
        .iter()
        .filter(differs)
        .map(|c| Step::Argument(c.name.clone()))
        .collect();
    steps.extend(next.between.iter().filter_map(step_between));
    let other = |c: &&Changed| {
        let masked = |line: Option<&str>| line.map(command::masked);
        c.after.as_deref().is_some_and(|line| !line.is_empty())
            && masked(c.before.as_deref()) != masked(c.after.as_deref())
    };
    steps.extend(
        next.command
            .as_ref()
            .filter(other)
            .and_then(|c| c.after.as_deref())
            .map(|l| Step::Instead(command::masked(l))),
    );
    if next.changed.is_empty() && steps.is_empty() && next.command.is_none() {
        steps.push(Step::Again);
    }
    steps.sort();
    steps.dedup();
    steps
}

fn step_between(between: &Between) -> Option<Step> {
    match &between.command {
        None => (is_plain_name(&between.tool) && !has_part(&between.tool, THINKS))
            .then(|| Step::Call(between.tool.clone())),
        Some(line) => {
            let program = line.split(' ').next().unwrap_or_default();
            (!line.is_empty() && !LOOKS.contains(&program))
                .then(|| Step::Run(command::masked(line)))
        }
    }
}

/// The step with the values that may be shown: those that are the same in every try that worked,
/// which come from two and more.
fn fix(step: &Step, worked: &[Try], window: &Window) -> Fix {
    let distinct = window.distinct(worked.iter().map(|t| t.0));
    let line = |lines: &mut dyn Iterator<Item = &str>| {
        constant(lines)
            .filter(|_| distinct >= VALUE_SUPPORT)
            .map(str::to_owned)
    };
    match step {
        Step::Argument(name) => change(name, worked, distinct),
        Step::Call(tool) => Fix::CallFirst(tool.clone()),
        Step::Run(masked) => {
            let lines = || {
                worked.iter().flat_map(|(session, next)| {
                    next.between
                        .iter()
                        .map(move |b| (*session, b.command.as_deref()))
                })
            };
            let one = |masked: &String| {
                let same: Vec<(usize, &str)> = lines()
                    .filter_map(|(s, l)| Some((s, l?)))
                    .filter(|(_, l)| command::masked(l) == *masked)
                    .collect();
                // Each line by itself must have been run by enough to be shown as it is.
                let shown = window.distinct(same.iter().map(|s| s.0)) >= VALUE_SUPPORT;
                constant(same.iter().map(|s| s.1))
                    .filter(|_| shown)
                    .map_or_else(|| masked.clone(), str::to_owned)
            };
            Fix::RunFirst(run_with(masked, worked, window).iter().map(one).collect())
        }
        Step::Instead(masked) => {
            let commands = || worked.iter().filter_map(|(_, next)| next.command.as_ref());
            let after = line(&mut commands().filter_map(|c| c.after.as_deref()))
                .unwrap_or_else(|| masked.clone());
            Fix::RunInstead(
                after,
                line(&mut commands().filter_map(|c| c.before.as_deref())),
            )
        }
        Step::Again => Fix::Again,
    }
}

/// Commands that a way out has, at most.
const MOST_COMMANDS: usize = 3;

/// The commands that nearly all ran who ran this one, in the order in which most ran them. Each
/// counts once for a try, and nearly all means people, not tries: what one of them ran is no part
/// of the way out.
fn run_with(masked: &str, worked: &[Try], window: &Window) -> Vec<String> {
    let mut places: BTreeMap<String, BTreeMap<(usize, usize), usize>> = BTreeMap::new();
    for (n, (session, next)) in worked.iter().enumerate() {
        let mut ran: Vec<&Between> = next
            .between
            .iter()
            .filter(|b| matches!(step_between(b), Some(Step::Run(_))))
            .collect();
        ran.sort_by_key(|b| b.call);
        for (place, one) in ran.iter().enumerate() {
            places
                .entry(command::masked(one.command.as_deref().unwrap_or_default()))
                .or_default()
                .entry((*session, n))
                .or_insert(place);
        }
    }
    let people = window.distinct(worked.iter().map(|t| t.0));
    let nearly_all = |at: &BTreeMap<(usize, usize), usize>| {
        let who = window.distinct(at.keys().map(|k| k.0));
        who >= MIN_SUPPORT && 10 * who >= 9 * people && 10 * at.len() >= 9 * worked.len()
    };
    let kept = places
        .into_iter()
        .filter(|(line, at)| line == masked || nearly_all(at));
    let mut all: Vec<(String, Vec<usize>)> = kept
        .map(|(line, at)| (line, at.into_values().collect()))
        .collect();
    all.sort_by_key(|(line, at)| {
        (
            1_000 * at.iter().sum::<usize>() / at.len().max(1),
            line.clone(),
        )
    });
    let lines: Vec<String> = all
        .into_iter()
        .map(|(line, _)| line)
        .take(MOST_COMMANDS)
        .collect();
    if lines.iter().any(|l| l == masked) {
        lines
    } else {
        vec![masked.to_owned()]
    }
}

fn change(name: &str, worked: &[Try], distinct: usize) -> Fix {
    let changes: Vec<&Changed> = worked
        .iter()
        .filter_map(|(_, next)| next.changed.iter().find(|c| c.name == name))
        .collect();
    let values = |of: fn(&Changed) -> Option<&str>| -> Option<Vec<&str>> {
        changes.iter().map(|c| of(c)).collect()
    };
    let before = values(|c| c.before.as_deref());
    let after = values(|c| c.after.as_deref());
    let may_show = |_: &&str| distinct >= VALUE_SUPPORT;
    let same = |all: &Option<Vec<&str>>| {
        all.as_ref()
            .and_then(|all| constant(all.iter().copied()))
            .filter(may_show)
            .map(str::to_owned)
    };
    let (from, to) = (same(&before), same(&after));
    let like = match (&before, &after) {
        (Some(before), Some(after)) if to.is_none() => written_like(after, before),
        _ => None,
    };
    Fix::Change {
        argument: name.to_owned(),
        added: changes.iter().all(|c| c.before.is_none()),
        removed: changes.iter().all(|c| c.after.is_none()),
        from,
        to,
        like,
    }
}

/// The value that all of these have, if they have one.
fn constant<'v>(mut values: impl Iterator<Item = &'v str>) -> Option<&'v str> {
    let first = values.next().filter(|v| !v.is_empty())?;
    values.all(|v| v == first).then_some(first)
}

/// An example of how numbers and dates were written where it worked, and of how where it did not,
/// if both ways are always the same; of names with a number (`credit_card_123`) what is before
/// it.
fn written_like(after: &[&str], before: &[&str]) -> Option<(Option<String>, String)> {
    let lead = |v: &str| {
        v.find(|c: char| c.is_ascii_digit())
            .map(|at| v[..at].to_owned())
            .filter(|l| l.len() >= 3 && !l.contains(' '))
    };
    let common = |values: &[&str]| {
        let first = lead(values.first()?)?;
        values
            .iter()
            .all(|v| lead(v).as_deref() == Some(&first))
            .then_some(first)
    };
    if let Some(b) = common(before)
        && after.iter().all(|v| lead(v).is_some_and(|a| a != b))
    {
        return Some((common(after).map(|a| format!("{a}<n>")), format!("{b}<n>")));
    }
    // The shape alone: the digits are a customer's.
    let shape = |value: &str| -> String {
        value
            .chars()
            .map(|c| if c.is_ascii_digit() { 'N' } else { c })
            .collect()
    };
    let of = |values: &[&str]| {
        let first = shape(values.first()?);
        let is_number = first.contains('N')
            && !first
                .chars()
                .any(|c| c.is_alphabetic() && !matches!(c, 'N' | 'T' | 'Z'));
        (is_number && values.iter().all(|v| shape(v) == first)).then_some(first)
    };
    (of(after)? != of(before)?).then(|| (of(after), of(before).unwrap_or_default()))
}

/// True if an error says what to do instead.
pub fn suggests(says: &str) -> bool {
    let lower = says.to_lowercase();
    SUGGESTS.iter().any(|s| lower.contains(s))
}

impl Recovery<'_> {
    /// True if it says enough. Which argument to change is worth knowing if the error names it, or
    /// if it nearly always worked.
    fn is_worth_saying(&self, distinct: usize, says: &str) -> bool {
        let Fix::Change { argument, .. } = &self.fix else {
            return true;
        };
        let named = || {
            let words = similar::content_words(says);
            argument
                .split(['_', '-', '.'])
                .any(|part| part.len() >= 4 && words.contains(&similar::stem(&part.to_lowercase())))
        };
        let (worked, all) = (self.worked.len(), self.worked.len() + self.failed.len());
        let lower = says.to_lowercase();
        // If the value was not found, another value that worked only shows that the first was a
        // mistake.
        let was_wrong = || NOT_THERE.iter().any(|s| lower.contains(s)) && !suggests(says);
        !self.fix.is_vague()
            || ((named() || (distinct > MIN_SUPPORT && worked * 100 >= all * VAGUE_PERCENT))
                && !was_wrong())
    }
}

impl Fix {
    /// True if it says where to look, and not what to do.
    const fn is_vague(&self) -> bool {
        match self {
            Self::Change {
                to,
                like,
                added,
                removed,
                ..
            } => to.is_none() && like.is_none() && !*added && !*removed,
            Self::Again => true,
            _ => false,
        }
    }
}

/// Returns where what helped was called, with its session: the first in the order of the sessions.
pub fn example(recovery: &Recovery) -> Option<(usize, Place)> {
    let helped = |next: &Next| match &recovery.fix {
        Fix::CallFirst(tool) => next
            .between
            .iter()
            .find(|b| b.tool == *tool)
            .and_then(|b| b.call),
        Fix::RunFirst(lines) => next
            .between
            .iter()
            .find(|b| {
                b.command.as_deref().is_some_and(|c| {
                    lines
                        .first()
                        .is_some_and(|line| command::masked(c) == command::masked(line))
                })
            })
            .and_then(|b| b.call),
        _ => next.call,
    };
    recovery
        .worked
        .iter()
        .find_map(|(session, next)| Some((*session, helped(next)?)))
}
