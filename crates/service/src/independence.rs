//! Which accounts are one person for the gate. Anyone who issued the credential that an account has
//! now, and saw its link, can act as that account: the two count as one until the credential is
//! replaced in a way that the issuer did not see (rule 5).

use std::collections::{BTreeMap, BTreeSet};

use domain::ids::{ChangeId, UserId};
use store::{Tx, decisions::Contributor, users};

use crate::Result;

/// Accounts that count as one person, by one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identities(BTreeMap<UserId, UserId>);

impl Identities {
    /// As it is in the database.
    pub async fn read(tx: &mut Tx) -> Result<Self> {
        Ok(Self::of_pairs(&users::issuers(tx).await?))
    }

    /// Account and issuer are one person, and so is everybody who is one person with either: an
    /// admin who issued two accounts could approve with both.
    fn of_pairs(pairs: &[(UserId, UserId)]) -> Self {
        let mut one = Self::default();
        for &(account, issuer) in pairs {
            let (a, b) = (one.of(account), one.of(issuer));
            let (kept, other) = (a.min(b), a.max(b));
            for known in [account, issuer] {
                one.0.entry(known).or_insert(kept);
            }
            for person in one.0.values_mut().filter(|p| **p == other) {
                *person = kept;
            }
        }
        one
    }

    /// The account that stands for somebody.
    #[must_use]
    pub fn of(&self, user: UserId) -> UserId {
        self.0.get(&user).copied().unwrap_or(user)
    }

    /// True if two accounts count as one person.
    #[must_use]
    pub fn same(&self, a: UserId, b: UserId) -> bool {
        self.of(a) == self.of(b)
    }

    /// True if somebody, or an account that counts as the same person, contributed to a change.
    #[must_use]
    pub fn contributed(
        &self,
        contributors: &[Contributor],
        change: ChangeId,
        user: UserId,
    ) -> bool {
        contributors
            .iter()
            .any(|c| c.change_id == change && self.same(c.user_id, user))
    }

    /// The people behind some accounts, each by one of their accounts.
    #[must_use]
    pub fn people(&self, accounts: impl IntoIterator<Item = UserId>) -> BTreeSet<UserId> {
        accounts.into_iter().map(|a| self.of(a)).collect()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    #[test]
    fn accounts_that_one_admin_issued_are_one_person_in_whatever_order_they_are_read() {
        let pairs = [
            (user(2), user(1)),
            (user(3), user(1)),
            (user(5), user(4)),
            (user(4), user(3)),
        ];
        for rotation in 0..pairs.len() {
            let mut order = pairs;
            order.rotate_left(rotation);
            let one = Identities::of_pairs(&order);
            assert!((2..=5).all(|n| one.same(user(1), user(n))), "{one:?}");
            assert!(!one.same(user(1), user(9)));
        }
        assert_eq!(
            Identities::default()
                .people([user(1), user(2), user(1)])
                .len(),
            2
        );
    }
}
