//! The sessions that a dream counts over, in one order whatever the input's was, and what several
//! findings ask of them.

use std::collections::BTreeSet;

use crate::{
    reading::Place,
    types::{Head, Input, Quote, Seen, Support},
};

/// Quotes kept for and against a change.
pub const QUOTES: usize = 5;

/// The input, looked at in the order of the sessions' keys.
pub struct Window<'a> {
    pub input: &'a Input,
    order: Vec<usize>,
    /// Every tool that was called.
    tools: BTreeSet<&'a str>,
}

impl<'a> Window<'a> {
    /// Orders the sessions of a dream's input.
    pub fn of(input: &'a Input) -> Self {
        let mut order: Vec<usize> = (0..input.sessions.len()).collect();
        order.sort_by(|&a, &b| input.sessions[a].head.key.cmp(&input.sessions[b].head.key));
        let tools = input
            .sessions
            .iter()
            .flat_map(|s| &s.features.firsts)
            .map(|f| f.tool.as_str())
            .collect();
        Self {
            input,
            order,
            tools,
        }
    }

    /// Every session with its index in the input, in order.
    pub fn sessions(&self) -> impl Iterator<Item = (usize, &'a Seen)> + '_ {
        self.order.iter().map(|&i| (i, &self.input.sessions[i]))
    }

    /// Returns what is known of a session.
    pub fn head(&self, index: usize) -> &'a Head {
        &self.input.sessions[index].head
    }

    /// Returns who speaks in a session, as far as that is known: its subject, else its task, else
    /// the session itself.
    pub fn speaker(&self, index: usize) -> &'a str {
        let head = self.head(index);
        head.subject
            .as_deref()
            .or(head.task.as_deref())
            .unwrap_or(&head.key)
    }

    /// The time of the newest session, which the engine takes for now because it has no clock; none
    /// if no session's time is known.
    pub fn now(&self) -> Option<i64> {
        self.input.sessions.iter().filter_map(|s| s.head.at).max()
    }

    /// True if any session called a tool of this name.
    pub fn is_tool(&self, name: &str) -> bool {
        self.tools.contains(name)
    }

    /// Support by the sessions in which something was seen, named once for each time it was.
    pub fn support(&self, seen_in: impl IntoIterator<Item = usize>) -> Support {
        let mut support = Support::default();
        let (mut distinct, mut subjects, mut tasks) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (mut tasks_of_unknown, mut unknown, mut recorders) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::<u32>::new());
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
        (support.sessions, support.subjects, support.tasks) =
            (distinct.len(), subjects.len(), tasks.len());
        support.recorders = recorders.len();
        support.known_apart = subjects
            .len()
            .max(tasks_of_unknown.len())
            .max(unknown.len());
        support
    }

    /// Distinct subjects, else tasks, else sessions among these.
    pub fn distinct(&self, seen_in: impl IntoIterator<Item = usize>) -> usize {
        self.support(seen_in).distinct()
    }

    /// Quotes through different recorders first, then from different subjects, tasks and sessions,
    /// else in the given order; at most [`QUOTES`].
    pub fn quotes(
        &self,
        places: impl IntoIterator<Item = (usize, Place)>,
        counter: bool,
    ) -> Vec<Quote> {
        let mut seen = BTreeSet::new();
        let mut recorders = BTreeSet::new();
        let (first, others): (Vec<_>, Vec<_>) = places.into_iter().partition(|(i, _)| {
            let new = self
                .head(*i)
                .recorders
                .iter()
                .filter(|r| recorders.insert(**r))
                .count();
            new > 0 && seen.insert(self.speaker(*i))
        });
        let (second, rest): (Vec<_>, Vec<_>) = others
            .into_iter()
            .partition(|(i, _)| seen.insert(self.speaker(*i)));
        let quote = |(session, at): (usize, Place)| Quote {
            session,
            event: at.event,
            start: at.start,
            end: at.end,
            counter,
        };
        first
            .into_iter()
            .chain(second)
            .chain(rest)
            .take(QUOTES)
            .map(quote)
            .collect()
    }

    /// In how many of these sessions the agent had been told one of these statements.
    pub fn told(&self, sessions: &BTreeSet<usize>, hashes: &[u64]) -> usize {
        let told = |i: &&usize| {
            hashes.iter().any(|h| {
                self.input.sessions[**i]
                    .features
                    .told
                    .binary_search(h)
                    .is_ok()
            })
        };
        sessions.iter().filter(told).count()
    }
}
