//! Rules of the desk: how many approvals a change needs and whose, how long a claim and a signature
//! hold, when a decision is due. Pure: who may decide and who owns what is read by `service` and
//! given to it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Timestamp, ids::UserId, risk::RiskLevel};

/// A claim on a changeset lasts so long, in seconds; the person who works on it renews it.
pub const CLAIM_SECONDS: i64 = 10 * 60;
/// A password that was entered signs for so long, in seconds.
pub const SIGNING_SECONDS: i64 = 5 * 60;
/// Decisions that a person can undo, the last first.
pub const UNDO_RING: i64 = 10;
/// Most changes that one bulk decision takes.
pub const BULK: usize = 200;
/// A changeset in which nobody decided for so many days expires, unless the installation says
/// another number; 0 is never.
pub const EXPIRY_DAYS: u32 = 90;
/// Longest that a change may be put off, in days.
pub const DEFERRAL_DAYS: i64 = 365;
/// Most approvals that a store may ask for.
pub const MOST_APPROVALS: i64 = 5;

const HOUR: i64 = 3_600;

/// How many seconds after it was proposed a change of this risk is due: a day, three days, a week.
#[must_use]
pub const fn due_seconds(level: RiskLevel) -> i64 {
    match level {
        RiskLevel::High => 24 * HOUR,
        RiskLevel::Medium => 72 * HOUR,
        RiskLevel::Low => 168 * HOUR,
    }
}

/// True if a password that was entered then still signs.
#[must_use]
pub fn signs(confirmed_at: Option<Timestamp>, now: Timestamp) -> bool {
    confirmed_at.is_some_and(|at| at <= now && now <= at.plus_seconds(SIGNING_SECONDS))
}

/// How many independent approvals changes of each risk need in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approvals {
    pub low: i64,
    pub medium: i64,
    pub high: i64,
    /// Only approvals of the store's owners count. Without it they are asked first, and everybody's
    /// count who may decide; but where somebody is named for a path, only theirs count there,
    /// always.
    pub owners_only: bool,
}

impl Default for Approvals {
    fn default() -> Self {
        Self {
            low: 1,
            medium: 1,
            high: 2,
            owners_only: false,
        }
    }
}

impl Approvals {
    /// For this risk; never fewer than one.
    #[must_use]
    pub fn needed(self, level: RiskLevel) -> usize {
        let asked = match level {
            RiskLevel::Low => self.low,
            RiskLevel::Medium => self.medium,
            RiskLevel::High => self.high,
        };
        usize::try_from(asked).unwrap_or(1).max(1)
    }

    /// True if a store may ask for this: one to [`MOST_APPROVALS`] each, and never fewer for more
    /// risk.
    #[must_use]
    pub fn is_sound(self) -> bool {
        let in_range = |n: i64| (1..=MOST_APPROVALS).contains(&n);
        in_range(self.low) && in_range(self.high) && (self.low..=self.high).contains(&self.medium)
    }
}

/// A requirement that a change still has to meet before its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    Satisfied,
    /// So many approvals, of these people (any of them).
    Missing {
        approvals: usize,
        from: BTreeSet<UserId>,
    },
    /// More approvals than there are people who could give them. It stays open: nothing passes
    /// because nobody could stop it.
    Impossible {
        /// How many it needs on the place that has too few.
        needed: usize,
        could: BTreeSet<UserId>,
    },
}

/// The requirement that is met if `approvers` are enough.
///
/// `deciders` are the people who may decide on the whole change and had no hand in it; an approval
/// of anybody else does not count. `owners` are those named for each place that it touches: where
/// anybody is named only they count, also if none of them can decide any more; a place for which
/// nobody is named (`None`) is everybody's.
#[must_use]
pub fn requirement(
    needed: usize,
    deciders: &BTreeSet<UserId>,
    owners: &[Option<BTreeSet<UserId>>],
    approvers: &BTreeSet<UserId>,
) -> Requirement {
    let nobody_named = [None];
    let places = if owners.is_empty() {
        &nobody_named
    } else {
        owners
    };
    let (mut missing, mut from) = (0, BTreeSet::new());
    for named in places {
        let pool: BTreeSet<UserId> = match named {
            None => deciders.clone(),
            Some(named) => deciders.intersection(named).copied().collect(),
        };
        let have = approvers.intersection(&pool).count();
        if have >= needed {
            continue;
        }
        if pool.len() < needed {
            return Requirement::Impossible {
                needed,
                could: pool,
            };
        }
        missing = missing.max(needed - have);
        from.extend(pool.difference(approvers));
    }
    if missing == 0 {
        Requirement::Satisfied
    } else {
        Requirement::Missing {
            approvals: missing,
            from,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn people(ids: &[u128]) -> BTreeSet<UserId> {
        ids.iter().map(|&n| UserId(Uuid::from_u128(n))).collect()
    }

    #[test]
    fn owners_are_asked_where_they_are_named() {
        let all = people(&[1, 2, 3]);
        assert_eq!(
            requirement(1, &all, &[], &people(&[2])),
            Requirement::Satisfied
        );
        assert_eq!(
            requirement(1, &all, &[Some(people(&[1]))], &people(&[2])),
            Requirement::Missing {
                approvals: 1,
                from: people(&[1])
            }
        );
        assert_eq!(
            requirement(1, &all, &[Some(people(&[1])), None], &people(&[1])),
            Requirement::Satisfied
        );
        // Two places with owners of their own need one of each.
        assert_eq!(
            requirement(
                1,
                &all,
                &[Some(people(&[1])), Some(people(&[3]))],
                &people(&[1])
            ),
            Requirement::Missing {
                approvals: 1,
                from: people(&[3])
            }
        );
    }

    #[test]
    fn what_nobody_can_approve_is_never_passed() {
        assert_eq!(
            requirement(1, &people(&[]), &[], &people(&[1])),
            Requirement::Impossible {
                needed: 1,
                could: people(&[])
            }
        );
        // An owner who contributed to it is no decider, and nobody steps in for them.
        assert_eq!(
            requirement(1, &people(&[2]), &[Some(people(&[1]))], &people(&[2])),
            Requirement::Impossible {
                needed: 1,
                could: people(&[])
            }
        );
        // Nor for one whose account is closed: that somebody is named counts, not that they are
        // there.
        assert_eq!(
            requirement(1, &people(&[2]), &[Some(people(&[]))], &people(&[2])),
            Requirement::Impossible {
                needed: 1,
                could: people(&[])
            }
        );
        assert_eq!(
            requirement(2, &people(&[2]), &[], &people(&[2])),
            Requirement::Impossible {
                needed: 2,
                could: people(&[2])
            }
        );
    }

    #[test]
    fn a_signature_holds_five_minutes_and_not_from_the_future() {
        let at = Timestamp(1_000_000_000);
        assert!(signs(Some(at), at) && signs(Some(at), at.plus_seconds(SIGNING_SECONDS)));
        assert!(
            !signs(Some(at), at.plus_seconds(SIGNING_SECONDS + 1))
                && !signs(Some(at), Timestamp(1))
                && !signs(None, at)
        );
    }

    #[test]
    fn less_risk_never_needs_more() {
        assert!(Approvals::default().is_sound());
        for (low, medium, high) in [(0, 1, 1), (1, 0, 1), (2, 1, 2), (1, 3, 2), (1, 1, 6)] {
            assert!(
                !Approvals {
                    low,
                    medium,
                    high,
                    owners_only: false
                }
                .is_sound(),
                "{low} {medium} {high}"
            );
        }
    }

    proptest! {
        /// Satisfied means: on every place, so many of those who count there.
        #[test]
        fn satisfied_is_what_it_says(
            needed in 1_usize..4,
            deciders in proptest::collection::btree_set(0_u128..6, 0..6),
            owners in proptest::collection::vec(proptest::option::of(proptest::collection::btree_set(0_u128..6, 0..4)), 0..3),
            approvers in proptest::collection::btree_set(0_u128..6, 0..6),
        ) {
            let set = |s: &BTreeSet<u128>| people(&s.iter().copied().collect::<Vec<_>>());
            let owners: Vec<_> = owners.iter().map(|o| o.as_ref().map(set)).collect();
            let (deciders, approvers) = (set(&deciders), set(&approvers));
            let independent: BTreeSet<_> = approvers.intersection(&deciders).copied().collect();
            let enough = |named: &Option<BTreeSet<UserId>>| independent.iter().filter(|u| named.as_ref().is_none_or(|n| n.contains(u))).count() >= needed;
            let expected = if owners.is_empty() { independent.len() >= needed } else { owners.iter().all(enough) };
            let got = requirement(needed, &deciders, &owners, &approvers);
            prop_assert_eq!(got == Requirement::Satisfied, expected);
            if let Requirement::Missing { from, .. } = got {
                prop_assert!(!from.is_empty() && from.is_subset(&deciders) && from.is_disjoint(&approvers));
            }
        }
    }
}
