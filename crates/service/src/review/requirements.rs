//! Who must approve a change, and whether they have: read once for a store, then asked change by
//! change.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    changeset::DecisionKind,
    ids::{StoreId, UserId},
    memory::PathPrefix,
    review::{Approvals, Requirement, requirement},
};
use store::{
    Tx,
    changes::{ChangeRow, EditRow},
    decisions::{Contributor, DecisionRow},
    grants::{self, DeciderRow},
    memory_stores, users,
};

use crate::{Result, independence::Identities, people::is_solo};

/// The requirements of a store, and the people who can meet them.
pub struct Requirements {
    approvals: Approvals,
    deciders: Vec<DeciderRow>,
    owners: Vec<(UserId, PathPrefix)>,
    issuers: BTreeMap<UserId, UserId>,
    identities: Identities,
    /// One person alone decides here, also on what they contributed to (rule 5).
    pub solo: bool,
}

/// The facts about one change and its changeset.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    pub change: &'a ChangeRow,
    /// Edits of the whole changeset.
    pub edits: &'a [EditRow],
    /// Hands in the whole changeset.
    pub hands: &'a [Contributor],
    /// Votes on the whole changeset.
    pub votes: &'a [DecisionRow],
}

impl<'a> Facts<'a> {
    fn paths(&self) -> BTreeSet<&'a str> {
        self.edits
            .iter()
            .filter(|e| e.change_id == self.change.id)
            .flat_map(EditRow::paths)
            .collect()
    }

    /// Standing approvals of this very revision and digest (rule 2).
    fn approvals(&self) -> impl Iterator<Item = &'a DecisionRow> + use<'a> {
        let c = self.change;
        self.votes.iter().filter(move |d| {
            d.change_id == c.id
                && d.verdict == DecisionKind::Approve
                && d.taken_back_at.is_none()
                && (d.revision, &d.digest) == (c.revision, &c.digest)
        })
    }
}

impl Requirements {
    /// Reads what a store asks for.
    pub async fn read(tx: &mut Tx, store: StoreId) -> Result<Self> {
        Ok(Self {
            approvals: memory_stores::approvals(tx, store).await?,
            deciders: grants::deciders(tx, store).await?,
            owners: grants::owners(tx, store).await?,
            issuers: users::issuers(tx).await?.into_iter().collect(),
            identities: Identities::read(tx).await?,
            solo: is_solo(tx).await?,
        })
    }

    /// How many approvals a change needs. Where one person alone decides, theirs is enough.
    pub fn needed(&self, change: &ChangeRow) -> usize {
        if self.solo {
            1
        } else {
            self.approvals.needed(change.risk_level)
        }
    }

    /// True if somebody contributed to the change, or counts as one person with somebody who did.
    pub fn contributed(&self, facts: Facts<'_>, user: UserId) -> bool {
        self.identities
            .contributed(facts.hands, facts.change.id, user)
    }

    /// Returns who issued the credential of an account and saw it, if anybody did.
    pub fn issuer(&self, user: UserId) -> Option<UserId> {
        self.issuers.get(&user).copied()
    }

    /// Accounts that may decide on every place that a change touches and did not contribute to it.
    pub fn deciders(&self, facts: Facts<'_>) -> BTreeSet<UserId> {
        let paths = facts.paths();
        let mut by_person: BTreeMap<UserId, Vec<&DeciderRow>> = BTreeMap::new();
        for row in &self.deciders {
            by_person.entry(row.user_id).or_default().push(row);
        }
        let everywhere = |rows: &[&DeciderRow]| {
            paths
                .iter()
                .all(|p| rows.iter().any(|r| r.path_prefix.holds(p)))
        };
        let counts = |user: UserId| self.solo || !self.contributed(facts, user);
        by_person
            .into_iter()
            .filter(|(user, rows)| counts(*user) && everywhere(rows))
            .map(|(user, _)| user)
            .collect()
    }

    /// Returns who is named for each place that a change touches, so that only they count there;
    /// `None` where nobody is.
    fn owners(&self, facts: Facts<'_>) -> Vec<Option<BTreeSet<UserId>>> {
        let whole = PathPrefix::default();
        let of = |path: &str| {
            let counts = |prefix: &PathPrefix| {
                (self.approvals.owners_only || *prefix != whole) && prefix.holds(path)
            };
            let named: BTreeSet<UserId> = self
                .owners
                .iter()
                .filter(|(_, prefix)| counts(prefix))
                .map(|(user, _)| *user)
                .collect();
            (self.approvals.owners_only || !named.is_empty()).then_some(named)
        };
        facts.paths().into_iter().map(of).collect()
    }

    /// Returns where a change is, with one more approval if somebody is about to give it.
    /// People are counted, not accounts.
    pub fn of(&self, facts: Facts<'_>, and: Option<UserId>) -> Requirement {
        let accounts = self.deciders(facts);
        let of = |all: BTreeSet<UserId>| self.identities.people(all);
        let owners: Vec<_> = self
            .owners(facts)
            .into_iter()
            .map(|named| named.map(of))
            .collect();
        // Only accounts that may decide approve anything, whoever else is one person with them.
        let approvers = of(facts
            .approvals()
            .map(|d| d.user_id)
            .chain(and)
            .filter(|u| accounts.contains(u))
            .collect());
        let owners: &[_] = if self.solo { &[] } else { &owners };
        let all = |people: &BTreeSet<UserId>| {
            accounts
                .iter()
                .copied()
                .filter(|a| people.contains(&self.identities.of(*a)))
                .collect()
        };
        match requirement(
            self.needed(facts.change),
            &of(accounts.clone()),
            owners,
            &approvers,
        ) {
            Requirement::Satisfied => Requirement::Satisfied,
            Requirement::Missing { approvals, from } => Requirement::Missing {
                approvals,
                from: all(&from),
            },
            Requirement::Impossible { needed, could } => Requirement::Impossible {
                needed,
                could: all(&could),
            },
        }
    }

    /// The approvals that count, one for each independent person who may still decide (rule 5).
    pub fn approvals<'a>(&self, facts: Facts<'a>) -> Vec<&'a DecisionRow> {
        let deciders = self.deciders(facts);
        let mut counted = BTreeSet::new();
        facts
            .approvals()
            .filter(|d| {
                deciders.contains(&d.user_id) && counted.insert(self.identities.of(d.user_id))
            })
            .collect()
    }

    /// How somebody is called.
    pub fn name(&self, user: UserId) -> String {
        self.deciders
            .iter()
            .find(|d| d.user_id == user)
            .map_or_else(|| user.to_string(), |d| d.name.clone())
    }
}
