//! The sessions that a dream counts over, in one order whatever the input's was, and what several findings ask of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::event::OutcomeResult;

use crate::{
    reading::Place,
    types::{Head, Input, Quote, Seen, Support},
};

/// Quotes kept for and against a change.
pub const QUOTES: usize = 5;
/// Distinct subjects (else tasks, else sessions) in whose calls a value must stand to belong to a tool's vocabulary.
const VOCABULARY_SUPPORT: usize = 3;

/// The input, looked at in the order of the sessions' keys.
pub struct Window<'a> {
    /// What the dream may look at.
    pub input: &'a Input,
    order: Vec<usize>,
    /// How many sessions succeeded, and of how many the end is known.
    all_endings: (usize, usize),
}

impl<'a> Window<'a> {
    /// Orders the sessions.
    pub fn of(input: &'a Input) -> Self {
        let mut order: Vec<usize> = (0..input.sessions.len()).collect();
        order.sort_by(|&a, &b| input.sessions[a].head.key.cmp(&input.sessions[b].head.key));
        let ended = |how: fn(OutcomeResult) -> bool| input.sessions.iter().filter(|s| how(s.head.outcome)).count();
        let all_endings = (ended(|o| o == OutcomeResult::Success), ended(|o| o != OutcomeResult::Unknown));
        Self { input, order, all_endings }
    }

    /// Every session with its index in the input, in order.
    pub fn sessions(&self) -> impl Iterator<Item = (usize, &'a Seen)> + '_ {
        self.order.iter().map(|&i| (i, &self.input.sessions[i]))
    }

    /// What is known of a session.
    pub fn head(&self, index: usize) -> &'a Head {
        &self.input.sessions[index].head
    }

    /// Support by the sessions in which something was seen, named once for each time it was.
    pub fn support(&self, seen_in: impl IntoIterator<Item = usize>) -> Support {
        let mut support = Support::default();
        let (mut distinct, mut subjects, mut tasks) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (mut tasks_of_unknown, mut unknown, mut recorders) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::<u32>::new());
        for index in seen_in {
            support.occurrences += 1;
            distinct.insert(index);
            let head = self.head(index);
            subjects.extend(head.subject.as_deref());
            tasks.extend(head.task.as_deref());
            recorders.extend(&head.recorders);
            match (&head.subject, &head.task) {
                (Some(_), _) => {}
                (None, Some(task)) => {
                    tasks_of_unknown.insert(task);
                }
                (None, None) => {
                    unknown.insert(index);
                }
            }
        }
        (support.sessions, support.subjects, support.tasks) = (distinct.len(), subjects.len(), tasks.len());
        support.recorders = recorders.len();
        support.known_apart = subjects.len().max(tasks_of_unknown.len()).max(unknown.len());
        support
    }

    /// Distinct subjects, else tasks, else sessions among these.
    pub fn distinct(&self, seen_in: impl IntoIterator<Item = usize>) -> usize {
        self.support(seen_in).distinct()
    }

    /// How many distinct sessions succeeded, and of how many the end is known.
    pub fn endings(&self, seen_in: impl IntoIterator<Item = usize>) -> (usize, usize) {
        let distinct: BTreeSet<usize> = seen_in.into_iter().collect();
        let known = distinct.iter().filter(|&&i| self.head(i).outcome != OutcomeResult::Unknown).count();
        (distinct.iter().filter(|&&i| self.head(i).outcome == OutcomeResult::Success).count(), known)
    }

    /// As [`Window::endings`], over all sessions.
    pub const fn all_endings(&self) -> (usize, usize) {
        self.all_endings
    }

    /// Quotes through different recorders first, then from different subjects, tasks and sessions, else in the given order; at most
    /// [`QUOTES`].
    pub fn quotes(&self, places: impl IntoIterator<Item = (usize, Place)>, counter: bool) -> Vec<Quote> {
        let mut seen = BTreeSet::new();
        let who = |i: usize| {
            let head = self.head(i);
            head.subject.as_deref().or(head.task.as_deref()).unwrap_or(&head.key)
        };
        let mut recorders = BTreeSet::new();
        let (first, others): (Vec<_>, Vec<_>) = places.into_iter().partition(|(i, _)| {
            let new = self.head(*i).recorders.iter().filter(|r| recorders.insert(**r)).count();
            new > 0 && seen.insert(who(*i))
        });
        let (second, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(|(i, _)| seen.insert(who(*i)));
        let quote = |(session, at): (usize, Place)| Quote { session, event: at.event, start: at.start, end: at.end, counter };
        first.into_iter().chain(second).chain(rest).take(QUOTES).map(quote).collect()
    }

    /// In how many of these sessions the agent had been told one of these statements.
    pub fn told(&self, sessions: &BTreeSet<usize>, hashes: &[u64]) -> usize {
        let told = |i: &&usize| hashes.iter().any(|h| self.input.sessions[**i].features.told.binary_search(h).is_ok());
        sessions.iter().filter(told).count()
    }
}

/// The words that belong to the tools' vocabulary: enum-like values seen in the calls of enough subjects.
pub struct Vocabulary<'a> {
    seen: HashMap<(&'a str, &'a str), BTreeMap<&'a str, Vec<usize>>>,
}

impl<'a> Vocabulary<'a> {
    /// Gathers the words of all calls.
    pub fn of(window: &Window<'a>) -> Self {
        let mut seen: HashMap<_, BTreeMap<_, Vec<usize>>> = HashMap::new();
        for (index, session) in window.sessions() {
            for (tool, argument, value) in &session.features.words {
                let values = seen.entry((tool.as_str(), argument.as_str())).or_default();
                values.entry(value.as_str()).or_default().push(index);
            }
        }
        Self { seen }
    }

    /// Whether the value may stand in content: enough subjects used it, and on average each value of the argument was used by
    /// several (a customer's first name is a word, too, but hardly two have the same).
    pub fn has(&self, window: &Window, tool: &str, argument: &str, value: &str) -> bool {
        let Some(values) = self.seen.get(&(tool, argument)) else { return false };
        let users: usize = values.values().map(|v| window.distinct(v.iter().copied())).sum();
        users >= 2 * values.len() && values.get(value).is_some_and(|v| window.distinct(v.iter().copied()) >= VOCABULARY_SUPPORT)
    }
}
