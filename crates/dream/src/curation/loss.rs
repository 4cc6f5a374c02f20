//! What a dream may lose: at most a quarter of a store's statements and bytes, and all dreams
//! together that much in thirty days (rule 11). A statement that is elsewhere afterwards is not
//! lost: word for word, or but for articles, punctuation and contractions.

use std::collections::HashSet;

use domain::statement::{bare, statements, told};
use serde::{Deserialize, Serialize};

use super::similar;
use crate::types::{Change, Memory};

/// Share of a store that may be lost, in percent.
pub const PERCENT: usize = 25;

/// How much is lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    pub statements: usize,
    pub bytes: usize,
}

impl Loss {
    /// The sum of both losses.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            statements: self.statements + other.statements,
            bytes: self.bytes + other.bytes,
        }
    }

    /// True if it is at most the share of a store that may be lost.
    #[must_use]
    pub const fn is_within(self, store: Self) -> bool {
        self.statements * 100 <= store.statements * PERCENT
            && self.bytes * 100 <= store.bytes * PERCENT
    }
}

/// All that a store says.
#[must_use]
pub fn of_store(memories: &[Memory]) -> Loss {
    let said = memories.iter().flat_map(|m| statements(&m.content));
    said.fold(Loss::default(), |sum, s| {
        sum.and(Loss {
            statements: 1,
            bytes: s.len(),
        })
    })
}

/// Returns what a change would lose, if other changes may have taken these memories.
#[must_use]
pub fn of_change<S: std::hash::BuildHasher>(
    change: &Change,
    memories: &[Memory],
    taken: &HashSet<usize, S>,
) -> Loss {
    let touched: HashSet<usize> = change.edits.iter().filter_map(|e| e.memory).collect();
    let elsewhere = memories
        .iter()
        .enumerate()
        .filter(|(i, _)| !touched.contains(i) && !taken.contains(i))
        .map(|(_, m)| m.content.as_str());
    let after = change.edits.iter().filter_map(|e| e.content.as_deref());
    let kept: HashSet<String> = after
        .chain(elsewhere)
        .flat_map(statements)
        .flat_map(|s| told(&s))
        .collect();
    let said: HashSet<Vec<String>> = kept
        .iter()
        .map(|s| similar::key_of(s))
        .filter(|key| !key.is_empty())
        .collect();
    let before = touched
        .iter()
        .flat_map(|&i| statements(&memories[i].content));
    // The same statement twice is one: one of the two is no loss.
    let lost: HashSet<String> = before
        .filter(|s| !kept.contains(bare(s)) && !said.contains(&similar::key_of(s)))
        .collect();
    lost.iter().fold(Loss::default(), |sum, s| {
        sum.and(Loss {
            statements: 1,
            bytes: s.len(),
        })
    })
}
