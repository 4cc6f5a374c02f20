//! What worked after an error: the argument that was different, or the tool that was called in between, at the next success of the
//! same tool.

use std::collections::BTreeMap;

use crate::{
    reading::Next,
    window::{Vocabulary, Window},
};

/// One thing that was done differently.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Another value of an argument.
    Argument(String),
    /// Another tool first.
    Tool(String),
}

/// A next try with the session it was in.
pub type Try<'a> = (usize, &'a Next);

/// What many did next.
pub struct Shared<'a> {
    /// What it was.
    pub step: Step,
    /// Those with whom it worked.
    pub worked: Vec<Try<'a>>,
    /// Those with whom it failed again.
    pub failed: Vec<Try<'a>>,
}

/// The step that worked for most distinct subjects, tasks or sessions, if it did for at least `min`, and more often than not.
pub fn shared<'a>(tries: &[Try<'a>], window: &Window, min: usize) -> Option<Shared<'a>> {
    let mut by_step: BTreeMap<Step, (Vec<Try<'a>>, Vec<Try<'a>>)> = BTreeMap::new();
    for &(session, next) in tries {
        for step in steps(next) {
            let (worked, failed) = by_step.entry(step).or_default();
            if next.worked { worked.push((session, next)) } else { failed.push((session, next)) }
        }
    }
    by_step
        .into_iter()
        .map(|(step, (worked, failed))| (window.distinct(worked.iter().map(|t| t.0)), Shared { step, worked, failed }))
        .filter(|(n, s)| *n >= min && s.worked.len() > s.failed.len())
        // The most shared one; among equals the first by name, so that nothing depends on order.
        .max_by(|(n, a), (m, b)| n.cmp(m).then_with(|| b.step.cmp(&a.step)))
        .map(|(_, shared)| shared)
}

fn steps(next: &Next) -> impl Iterator<Item = Step> + '_ {
    next.arguments.iter().cloned().map(Step::Argument).chain(next.tools.iter().cloned().map(Step::Tool))
}

/// The value that the argument had in every success, if it belongs to the tool's vocabulary.
pub fn common_value(shared: &Shared, tool: &str, window: &Window, vocabulary: &Vocabulary) -> Option<String> {
    let Step::Argument(argument) = &shared.step else { return None };
    let value = |(_, next): &Try| next.values.iter().find(|(key, _)| key == argument).map(|(_, v)| v.clone());
    let mut values = shared.worked.iter().map(value);
    let first = values.next()??;
    let same = values.all(|v| v.as_ref() == Some(&first));
    (same && vocabulary.has(window, tool, argument, &first)).then_some(first)
}
