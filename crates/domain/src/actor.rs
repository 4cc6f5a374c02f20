//! Who acts, and what they may do. One table, asked by `service` and by nothing else.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{StoreId, UserId},
    text_enum::text_enum,
};

text_enum! {
    /// What a person is in the installation.
    Role {
        /// Manages people, grants, schedules, policies and keys; with a grant also reviews.
        Admin => "admin",
        /// Decides and commits in the stores of their grants.
        Reviewer => "reviewer",
        /// Reads the stores of their grants.
        Member => "member",
        /// Reads the audit only.
        Auditor => "auditor",
    }
}

text_enum! {
    /// What a grant gives on its store. The order of definition is the order of power.
    StoreRole {
        /// Sees it.
        Reader => "reader",
        /// Decides and commits.
        Reviewer => "reviewer",
        /// Decides, and is asked first.
        Owner => "owner",
    }
}

/// Who stands behind an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Who {
    /// Somebody signed in.
    Person(UserId),
    /// Whoever runs the command line beside the database.
    Operator,
    /// Lucid itself, in the background.
    Worker,
}

impl Who {
    /// The word for the kind of actor in the audit trail.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Operator => "operator",
            Self::Worker => "worker",
        }
    }

    /// The person, if it is one.
    #[must_use]
    pub const fn person(self) -> Option<UserId> {
        match self {
            Self::Person(id) => Some(id),
            _ => None,
        }
    }
}

/// A right on a whole store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The store.
    pub store: StoreId,
    /// What it gives.
    pub role: StoreRole,
}

/// Who acts and what they were granted, as it stood when the request came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Who.
    pub who: Who,
    /// Their role; `Admin` for operator and worker.
    pub role: Role,
    /// Their grants.
    pub grants: Vec<Grant>,
}

/// What an action needs on one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// See the store and everything in it.
    See,
    /// Put sessions in, start and cancel dreams.
    Feed,
    /// Decide on changes, edit and commit them.
    Decide,
    /// Change its schedule and settings.
    Manage,
}

/// Which stores a list may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible {
    /// All of them.
    All,
    /// Those that this person was granted.
    GrantedTo(UserId),
    /// None.
    Nothing,
}

impl Actor {
    /// Lucid's own background work.
    #[must_use]
    pub const fn worker() -> Self {
        Self { who: Who::Worker, role: Role::Admin, grants: Vec::new() }
    }

    /// Whoever runs the command line beside the database.
    #[must_use]
    pub const fn operator() -> Self {
        Self { who: Who::Operator, role: Role::Admin, grants: Vec::new() }
    }

    /// Whether the actor may do what needs this right on this store. Operator and worker see and feed every store but never
    /// decide: a decision is a person's, signed in. An admin's role alone opens no store.
    #[must_use]
    pub fn may(&self, need: Need, store: StoreId) -> bool {
        if self.who.person().is_none() {
            return need != Need::Decide;
        }
        let Some(granted) = self.grants.iter().filter(|g| g.store == store).map(|g| g.role).max() else { return false };
        match (self.role, need) {
            (role, Need::See) => role != Role::Auditor,
            (Role::Admin | Role::Reviewer, Need::Feed | Need::Decide) => granted >= StoreRole::Reviewer,
            (Role::Admin, Need::Manage) => true,
            _ => false,
        }
    }

    /// Whether the actor may create stores and manage people.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }

    /// The stores whose rows a list may show to the actor.
    #[must_use]
    pub fn visible(&self) -> Visible {
        match (self.who.person(), self.role) {
            (None, _) => Visible::All,
            (Some(_), Role::Auditor) => Visible::Nothing,
            (Some(id), _) => Visible::GrantedTo(id),
        }
    }

    /// The stores whose audit entries the actor may read.
    #[must_use]
    pub fn visible_audit(&self) -> Visible {
        if self.role == Role::Auditor { Visible::All } else { self.visible() }
    }

    /// Whether the actor may read the audit entries that belong to no store: people, links, stores being made.
    #[must_use]
    pub fn sees_storeless_audit(&self) -> bool {
        matches!(self.role, Role::Admin | Role::Auditor)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const STORE: StoreId = StoreId(Uuid::from_u128(1));
    const OTHER: StoreId = StoreId(Uuid::from_u128(2));

    fn person(role: Role, store_role: StoreRole) -> Actor {
        let grants = vec![Grant { store: STORE, role: store_role }];
        Actor { who: Who::Person(UserId(Uuid::from_u128(9))), role, grants }
    }

    #[test]
    fn the_table() {
        use Need::{Decide, Feed, Manage, See};
        use StoreRole::{Reader, Reviewer};
        for (role, grant, allowed) in [
            (Role::Admin, Reviewer, &[See, Feed, Decide, Manage][..]),
            (Role::Admin, Reader, &[See, Manage]),
            (Role::Reviewer, StoreRole::Owner, &[See, Feed, Decide]),
            (Role::Reviewer, Reviewer, &[See, Feed, Decide]),
            (Role::Reviewer, Reader, &[See]),
            (Role::Member, Reviewer, &[See]),
            (Role::Auditor, Reviewer, &[]),
        ] {
            let actor = person(role, grant);
            for need in [See, Feed, Decide, Manage] {
                assert_eq!(actor.may(need, STORE), allowed.contains(&need), "{role} with {grant}: {need:?}");
                assert!(!actor.may(need, OTHER), "{role} on a store without a grant: {need:?}");
            }
        }
    }

    #[test]
    fn nobody_but_a_person_decides() {
        assert!(!Actor::worker().may(Need::Decide, STORE) && !Actor::operator().may(Need::Decide, STORE));
        assert!(Actor::operator().may(Need::Feed, STORE));
    }

    #[test]
    fn lists_show_granted_stores_only() {
        let admin = person(Role::Admin, StoreRole::Reader);
        assert_eq!(Some(admin.visible()), admin.who.person().map(Visible::GrantedTo));
        assert_eq!(person(Role::Auditor, StoreRole::Reader).visible(), Visible::Nothing);
        assert_eq!(person(Role::Auditor, StoreRole::Reader).visible_audit(), Visible::All);
        assert_ne!(admin.visible_audit(), Visible::All, "an admin's role alone opens no store's audit");
        assert_eq!(Actor::operator().visible(), Visible::All);
    }
}
