//! Which quotes to show first: those that together tell most. Five that say the same of one agent
//! in one hour inform nobody.

use std::collections::BTreeSet;

use crate::{Timestamp, event::OutcomeResult};

/// The facts about a quote besides its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuoteFacts<'a> {
    /// When it was said, if known.
    pub at: Option<Timestamp>,
    /// By which agent, if known.
    pub agent: Option<&'a str>,
    /// How its session ended, if known.
    pub outcome: Option<OutcomeResult>,
}

/// The positions of up to `most` quotes, in their order: the earliest, the latest, one of a session
/// that succeeded, one of a session that failed, one of each agent, then the others as they stand.
#[must_use]
pub fn informative(all: &[QuoteFacts<'_>], most: usize) -> Vec<usize> {
    let timed = || {
        all.iter()
            .enumerate()
            .filter_map(|(i, q)| q.at.map(|at| (at, i)))
    };
    let ended = |how: OutcomeResult| all.iter().position(|q| q.outcome == Some(how));
    let mut agents = BTreeSet::new();
    let first_of_agents = all
        .iter()
        .enumerate()
        .filter(|(_, q)| q.agent.is_some_and(|a| agents.insert(a)))
        .map(|(i, _)| i);
    let wanted = [
        timed().min().map(|(_, i)| i),
        timed().max().map(|(_, i)| i),
        ended(OutcomeResult::Success),
        ended(OutcomeResult::Failure),
    ];
    let mut chosen = BTreeSet::new();
    for i in wanted
        .into_iter()
        .flatten()
        .chain(first_of_agents)
        .chain(0..all.len())
    {
        if chosen.len() == most {
            break;
        }
        chosen.insert(i);
    }
    chosen.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn quote(at: i64, agent: &str, outcome: OutcomeResult) -> QuoteFacts<'_> {
        QuoteFacts {
            at: Some(Timestamp(at)),
            agent: Some(agent),
            outcome: Some(outcome),
        }
    }

    #[test]
    fn each_of_them_tells_something_else() {
        use OutcomeResult::{Failure, Success, Unknown};
        let all = [
            quote(5, "a", Failure),
            quote(1, "a", Failure),
            quote(6, "a", Failure),
            quote(9, "a", Failure),
            quote(7, "a", Success),
            quote(8, "b", Unknown),
        ];
        assert_eq!(informative(&all, 5), [0, 1, 3, 4, 5]);
        assert_eq!(informative(&all, 2), [1, 3]);
        assert_eq!(informative(&[], 5), Vec::<usize>::new());
    }

    proptest! {
        #[test]
        fn as_many_as_there_are(n in 0_usize..12, most in 0_usize..7, times in proptest::collection::vec(proptest::option::of(0_i64..9), 12)) {
            let all: Vec<_> = times[..n].iter().map(|t| QuoteFacts { at: t.map(Timestamp), agent: None, outcome: None }).collect();
            let chosen = informative(&all, most);
            prop_assert_eq!(chosen.len(), n.min(most));
            prop_assert!(chosen.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
