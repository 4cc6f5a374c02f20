//! What worked after an error: the arguments that were different, or the tool that was called in between, at the next
//! success of the same tool.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::{calls::Call, types::Session};

/// How many calls after a failure the next try of the tool is looked for: later it has hardly to do with it.
const LOOKED_AHEAD: usize = 20;
/// Most tools between failure and next try: with more nobody can say which of them helped.
const TOOLS_BETWEEN: usize = 5;

/// What made the next success different.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Recovery {
    /// Arguments with another value, added or left out.
    pub arguments: Vec<String>,
    /// Tools called in between.
    pub tools: Vec<String>,
}

/// A recovery with where it was seen.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What it was.
    pub recovery: Recovery,
    /// Index of the session.
    pub session: usize,
    /// Index of the answer that was a success, or failed again.
    pub answer: usize,
    /// The arguments' values after, for those that are short words.
    pub values: BTreeMap<String, String>,
    /// Whether it worked.
    pub worked: bool,
}

/// What the next call of the same tool after the failed one did differently, whether it worked or not.
pub fn after(calls: &[Call], failed: usize, session: usize) -> Option<Seen> {
    let before = &calls[failed];
    let offset = calls[failed + 1..].iter().take(LOOKED_AHEAD).position(|c| c.tool == before.tool)?;
    let next = &calls[failed + 1 + offset];
    let between: BTreeSet<&str> = calls[failed + 1..=failed + offset].iter().filter(|c| !c.is_error).map(|c| c.tool).collect();
    if between.len() > TOOLS_BETWEEN {
        return None;
    }
    let arguments = changed(&before.arguments, &next.arguments);
    let recovery = Recovery { arguments, tools: between.into_iter().map(str::to_owned).collect() };
    if recovery.arguments.is_empty() && recovery.tools.is_empty() {
        return None;
    }
    let short = |key: &String| Some((key.clone(), word(next.arguments.get(key)?)?));
    let values = recovery.arguments.iter().filter_map(short).collect();
    Some(Seen { recovery, session, answer: next.answer, values, worked: !next.is_error })
}

fn changed(before: &Map<String, Value>, after: &Map<String, Value>) -> Vec<String> {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    keys.into_iter().filter(|k| before.get(*k) != after.get(*k)).cloned().collect()
}

/// A value that may belong to a tool's vocabulary: a boolean, or a short word of letters.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::Bool(b) => Some(b.to_string()),
        Value::String(s) if (1..=24).contains(&s.len()) && s.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '-' | '.')) => {
            Some(s.clone())
        }
        _ => None,
    }
}

/// The recovery that most distinct subjects, tasks or sessions share, if at least `min` do: by its single argument or tool.
/// The second value holds what was tried in the same way and failed again.
pub fn shared<'a>(seen: &'a [Seen], sessions: &[Session], min: usize) -> Option<(Step, Vec<&'a Seen>, Vec<&'a Seen>)> {
    let mut by_step: BTreeMap<Step, (Vec<&Seen>, Vec<&Seen>)> = BTreeMap::new();
    for one in seen {
        for step in steps(&one.recovery) {
            let (worked, failed) = by_step.entry(step).or_default();
            if one.worked { worked.push(one) } else { failed.push(one) }
        }
    }
    by_step
        .into_iter()
        .map(|(step, (worked, failed))| (distinct(&worked, sessions), step, worked, failed))
        .filter(|(n, _, worked, failed)| *n >= min && worked.len() > failed.len())
        // The most shared one; among equals the first by name, so that nothing depends on order.
        .max_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.cmp(&a.1)))
        .map(|(_, step, worked, failed)| (step, worked, failed))
}

/// One thing that was done differently.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Another value of an argument.
    Argument(String),
    /// Another tool first.
    Tool(String),
}

fn steps(recovery: &Recovery) -> impl Iterator<Item = Step> + '_ {
    let arguments = recovery.arguments.iter().cloned().map(Step::Argument);
    arguments.chain(recovery.tools.iter().cloned().map(Step::Tool))
}

fn distinct(seen: &[&Seen], sessions: &[Session]) -> usize {
    crate::failures::support(seen.iter().map(|s| s.session), sessions).distinct()
}

/// The value that the argument had in every success, if it belongs to the tool's vocabulary: seen with at least three
/// distinct subjects, tasks or sessions.
pub fn common_value(worked: &[&Seen], argument: &str, sessions: &[Session]) -> Option<String> {
    let mut values: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
    for seen in worked {
        values.entry(seen.values.get(argument)?).or_default().push(seen);
    }
    let (value, seen) = values.pop_first()?;
    (values.is_empty() && distinct(&seen, sessions) >= 3).then(|| value.to_owned())
}
