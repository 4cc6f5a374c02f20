//! Who acts, and what they may do. The rights themselves are in one table ([`crate::rights`]);
//! here it is asked, by `service` and by nothing else.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{KeyId, StoreId, UserId},
    memory::PathPrefix,
    rights::{Access, Action, Resource, Scope},
    text_enum::text_enum,
};

text_enum! {
    /// The role of a person in the installation.
    Role {
        /// Manages people, grants, schedules, policies and keys; with a grant also reviews.
        Admin => "admin",
        /// Decides and commits in the stores of their grants.
        Reviewer => "reviewer",
        /// Reads the stores of their grants.
        Member => "member",
        /// Reads the audit, and everything in every store that it is about.
        Auditor => "auditor",
    }
}

text_enum! {
    /// The rights that a grant gives on its store or path. The order of definition is the order of
    /// power.
    StoreRole {
        Reader => "reader",
        Reviewer => "reviewer",
        /// Decides, and is asked first.
        Owner => "owner",
    }
}

/// The person, key or process behind an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Who {
    Person(UserId),
    /// An API key, and the person who owns it.
    Key(KeyId, UserId),
    /// The person who runs the command line beside the database.
    Operator,
    /// Lucid itself, in the background.
    Worker,
    /// Somebody who is not signed in. They have no rights; the trail names them so where they did
    /// something nevertheless.
    Anonymous,
}

impl Who {
    /// The person who answers for it: the one who is signed in, or owns the key.
    #[must_use]
    pub const fn person(self) -> Option<UserId> {
        match self {
            Self::Person(id) | Self::Key(_, id) => Some(id),
            Self::Operator | Self::Worker | Self::Anonymous => None,
        }
    }

    /// True if it is a key.
    #[must_use]
    pub const fn is_key(self) -> bool {
        matches!(self, Self::Key(..))
    }
}

/// Kind and id, as they are in the audit trail and beside what somebody made.
impl std::fmt::Display for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Key(id, _) => write!(f, "key:{id}"),
            Self::Operator => f.write_str("operator"),
            Self::Worker => f.write_str("worker"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

/// A right on a store, or on the part of it under a path. Anyone who has any grant on a store sees
/// all of it; what else a grant gives, it gives under its path only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub store: StoreId,
    /// The part of it.
    pub path: PathPrefix,
    pub role: StoreRole,
}

impl Grant {
    /// A grant on a whole store.
    #[must_use]
    pub fn whole(store: StoreId, role: StoreRole) -> Self {
        Self {
            store,
            path: PathPrefix::default(),
            role,
        }
    }
}

/// A web session by the SHA-256 of its id, as the database knows it. The id itself signs people in
/// and stays in their browser.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct WebSession(pub [u8; 32]);

impl std::fmt::Debug for WebSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebSession(..)")
    }
}

/// The acting person, key or process with its grants, as they were when the request came in. Reads
/// rely on it; a write reads all of it again inside its transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub who: Who,
    /// Their role, or that of the key's owner; `Admin` for operator and worker.
    pub role: Role,
    /// Their grants; of a key, its owner's on the stores that it is for.
    pub grants: Vec<Grant>,
    /// What a key may be used for; empty for everybody else.
    pub scopes: Vec<Scope>,
    /// The one store that a key is for, if it is for one.
    pub only: Option<StoreId>,
    /// The web session through which a person acts. Whatever they do ends with it.
    pub web_session: Option<WebSession>,
}

/// Which stores a list may show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visible {
    All,
    /// Those that this person was granted.
    GrantedTo(UserId),
    /// Those that this person was granted, of these only one.
    OneOf(UserId, StoreId),
    Nothing,
}

impl Visible {
    /// The same with the store that was asked for: what is narrowed to one store shows that one or
    /// nothing.
    #[must_use]
    pub fn narrowed(self, asked: Option<StoreId>) -> (Self, Option<StoreId>) {
        match self {
            Self::OneOf(user, only) if asked.is_none_or(|s| s == only) => {
                (Self::GrantedTo(user), Some(only))
            }
            Self::OneOf(..) => (Self::Nothing, asked),
            other => (other, asked),
        }
    }
}

impl Actor {
    /// Lucid's own background work.
    #[must_use]
    pub const fn worker() -> Self {
        Self::unattended(Who::Worker)
    }

    /// The person who runs the command line beside the database.
    #[must_use]
    pub const fn operator() -> Self {
        Self::unattended(Who::Operator)
    }

    const fn unattended(who: Who) -> Self {
        Self {
            who,
            role: Role::Admin,
            grants: Vec::new(),
            scopes: Vec::new(),
            only: None,
            web_session: None,
        }
    }

    /// The actor of a person who is signed in.
    #[must_use]
    pub const fn signed_in(id: UserId, role: Role, grants: Vec<Grant>) -> Self {
        Self {
            who: Who::Person(id),
            role,
            grants,
            scopes: Vec::new(),
            only: None,
            web_session: None,
        }
    }

    /// The same person through this web session.
    #[must_use]
    pub fn through(self, session: WebSession) -> Self {
        Self {
            web_session: Some(session),
            ..self
        }
    }

    /// True if the actor may do this to the whole of this store. An admin's role alone opens no
    /// store.
    #[must_use]
    pub fn may(&self, action: Action, store: StoreId) -> bool {
        self.may_at(action, store, &["/"])
    }

    /// True if the actor may do this to these places in a store: memory paths, or `/` for the whole
    /// of it.
    #[must_use]
    pub fn may_at(&self, action: Action, store: StoreId, paths: &[&str]) -> bool {
        let right = action.right();
        match self.who {
            Who::Anonymous => false,
            Who::Operator | Who::Worker => right.unattended,
            Who::Person(_) => self.granted(right.access(self.role), store, paths),
            Who::Key(..) => {
                // Deciding and managing are done as the owner; what agents do, the scope allows on
                // the owner's stores. What touches memory is bound to the paths that the owner was
                // granted.
                let as_owner = matches!(right.scope, Some(Scope::Review | Scope::Admin));
                self.has_scope(action)
                    && self.role != Role::Auditor
                    && match action {
                        _ if as_owner => self.granted(right.access(self.role), store, paths),
                        Action::WriteMemory
                        | Action::DeleteMemory
                        | Action::Propose
                        | Action::DescribeStore
                        | Action::DeleteStore => self.holds(StoreRole::Reader, store, paths),
                        _ => self.granted(Access::Granted(StoreRole::Reader), store, paths),
                    }
            }
        }
    }

    /// True if nothing but a grant could be missing: a key has the scope, everybody else needs
    /// none.
    #[must_use]
    pub fn has_scope(&self, action: Action) -> bool {
        !self.who.is_key()
            || action
                .right()
                .scope
                .is_some_and(|s| self.scopes.contains(&s))
    }

    /// The only store that the actor's grants are for, where they are for one alone.
    #[must_use]
    pub fn only_store(&self) -> Option<StoreId> {
        let mut stores = self.grants.iter().map(|g| g.store);
        let first = stores.next()?;
        stores.all(|s| s == first).then_some(first)
    }

    /// True if the actor may know that this store is there at all.
    #[must_use]
    pub fn knows(&self, store: StoreId) -> bool {
        match self.who {
            Who::Anonymous => false,
            Who::Operator | Who::Worker => true,
            Who::Person(_) if self.role == Role::Auditor => true,
            Who::Person(_) | Who::Key(..) => {
                self.role != Role::Auditor && self.grants.iter().any(|g| g.store == store)
            }
        }
    }

    fn granted(&self, needs: Access, store: StoreId, paths: &[&str]) -> bool {
        match needs {
            Access::No => false,
            Access::Yes => true,
            Access::Granted(StoreRole::Reader) => self.grants.iter().any(|g| g.store == store),
            Access::Granted(role) => self.holds(role, store, paths),
        }
    }

    /// True if each of these places is under a grant of at least this power.
    fn holds(&self, role: StoreRole, store: StoreId, paths: &[&str]) -> bool {
        let holds = |path: &&str| {
            self.grants
                .iter()
                .any(|g| g.store == store && g.role >= role && g.path.holds(path))
        };
        !paths.is_empty() && paths.iter().all(holds)
    }

    /// True if the actor may do this to the installation, or to their own account.
    #[must_use]
    pub fn may_in_general(&self, action: Action) -> bool {
        let right = action.right();
        right.resource != Resource::Store
            && match self.who {
                Who::Anonymous => false,
                Who::Operator | Who::Worker => right.unattended,
                Who::Person(_) => right.access(self.role) == Access::Yes,
                Who::Key(..) => {
                    let as_owner =
                        right.scope != Some(Scope::Admin) || right.access(self.role) == Access::Yes;
                    self.only.is_none()
                        && self.role != Role::Auditor
                        && as_owner
                        && self.has_scope(action)
                }
            }
    }

    /// The stores whose rows a list of this kind may show to the actor.
    #[must_use]
    pub fn visible(&self, action: Action) -> Visible {
        match (self.who, action.right().access(self.role)) {
            (Who::Operator | Who::Worker, _) | (Who::Person(_), Access::Yes) => Visible::All,
            (Who::Anonymous, _) | (_, Access::No) => Visible::Nothing,
            (Who::Person(id), Access::Granted(_)) => Visible::GrantedTo(id),
            (Who::Key(..), _) if !self.has_scope(action) => Visible::Nothing,
            (Who::Key(_, owner), _) => self.only.map_or(Visible::GrantedTo(owner), |store| {
                Visible::OneOf(owner, store)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const STORE: StoreId = StoreId(Uuid::from_u128(1));
    const OTHER: StoreId = StoreId(Uuid::from_u128(2));
    const ME: UserId = UserId(Uuid::from_u128(9));

    fn person(role: Role, store_role: StoreRole) -> Actor {
        Actor::signed_in(ME, role, vec![Grant::whole(STORE, store_role)])
    }

    fn key(role: Role, store_role: StoreRole, scopes: &[Scope]) -> Actor {
        Actor {
            who: Who::Key(KeyId(Uuid::from_u128(7)), ME),
            scopes: scopes.to_vec(),
            ..person(role, store_role)
        }
    }

    #[test]
    fn the_table_for_people() {
        use Action::{Decide, Dream, ManageStore, ReadStoreAudit, SeeMemory, WriteMemory};
        use StoreRole::{Reader, Reviewer};
        for (role, grant, allowed) in [
            (
                Role::Admin,
                StoreRole::Owner,
                &[SeeMemory, Dream, Decide, ManageStore, ReadStoreAudit][..],
            ),
            (
                Role::Admin,
                Reviewer,
                &[SeeMemory, Dream, Decide, ReadStoreAudit],
            ),
            (Role::Admin, Reader, &[SeeMemory, ReadStoreAudit]),
            (
                Role::Reviewer,
                StoreRole::Owner,
                &[SeeMemory, Dream, Decide, ReadStoreAudit],
            ),
            (Role::Reviewer, Reader, &[SeeMemory, ReadStoreAudit]),
            (Role::Member, Reviewer, &[SeeMemory, ReadStoreAudit]),
            (Role::Auditor, Reviewer, &[SeeMemory, ReadStoreAudit]),
        ] {
            let actor = person(role, grant);
            for action in [
                SeeMemory,
                Dream,
                Decide,
                ManageStore,
                ReadStoreAudit,
                WriteMemory,
            ] {
                assert_eq!(
                    actor.may(action, STORE),
                    allowed.contains(&action),
                    "{role} with {grant}: {action}"
                );
                let everywhere =
                    role == Role::Auditor && matches!(action, SeeMemory | ReadStoreAudit);
                assert_eq!(
                    actor.may(action, OTHER),
                    everywhere,
                    "{role} on a store without a grant: {action}"
                );
            }
        }
    }

    #[test]
    fn a_grant_on_a_path_decides_there_and_sees_everything() {
        let path = "/people".parse().unwrap();
        let actor = Actor::signed_in(
            ME,
            Role::Reviewer,
            vec![Grant {
                store: STORE,
                path,
                role: StoreRole::Reviewer,
            }],
        );
        assert!(actor.may(Action::SeeMemory, STORE) && !actor.may(Action::Decide, STORE));
        assert!(actor.may_at(Action::Decide, STORE, &["/people/ana.md"]));
        assert!(
            !actor.may_at(Action::Decide, STORE, &["/people/ana.md", "/other.md"]),
            "every place must be granted"
        );
        assert!(
            !actor.may_at(Action::Decide, STORE, &["/peoples.md"])
                && !actor.may_at(Action::Decide, STORE, &[])
        );
    }

    #[test]
    fn nobody_but_a_person_decides() {
        assert!(
            !Actor::worker().may(Action::Decide, STORE)
                && !Actor::operator().may(Action::Decide, STORE)
        );
        assert!(Actor::operator().may(Action::RecordSessions, STORE));
    }

    #[test]
    fn a_key_does_what_its_scopes_say_on_its_owners_stores() {
        let agent = key(
            Role::Member,
            StoreRole::Reader,
            &[Scope::MemoryRead, Scope::MemoryWrite],
        );
        assert!(agent.may(Action::SeeMemory, STORE) && agent.may(Action::WriteMemory, STORE));
        assert!(
            !agent.may(Action::SeeMemory, OTHER)
                && !agent.may(Action::SeeSessions, STORE)
                && !agent.may(Action::Decide, STORE)
        );
        assert_eq!(agent.visible(Action::SeeMemory), Visible::GrantedTo(ME));
        assert_eq!(agent.visible(Action::SeeChanges), Visible::Nothing);
        // Deciding is the owner's right, lent to the key: a member's key cannot decide, whatever
        // its scopes.
        assert!(
            !key(Role::Member, StoreRole::Reviewer, &[Scope::Review]).may(Action::Decide, STORE)
        );
        assert!(
            key(Role::Reviewer, StoreRole::Reviewer, &[Scope::Review]).may(Action::Decide, STORE)
        );
        assert!(
            !key(Role::Member, StoreRole::Reader, &[Scope::Admin])
                .may_in_general(Action::ManagePeople)
        );
        let bound = Actor {
            only: Some(STORE),
            ..agent
        };
        assert!(!bound.may_in_general(Action::CreateStore));
        let visible = bound.visible(Action::SeeMemory);
        assert_eq!(visible, Visible::OneOf(ME, STORE));
        assert_eq!(
            visible.narrowed(None),
            (Visible::GrantedTo(ME), Some(STORE))
        );
        assert_eq!(visible.narrowed(Some(OTHER)).0, Visible::Nothing);
    }

    #[test]
    fn a_key_writes_under_its_owners_paths_and_deletes_only_where_it_says_so() {
        let path = "/agents".parse().unwrap();
        let grants = vec![Grant {
            store: STORE,
            path,
            role: StoreRole::Reader,
        }];
        let writes = Actor {
            grants,
            ..key(
                Role::Member,
                StoreRole::Reader,
                &[Scope::MemoryRead, Scope::MemoryWrite],
            )
        };
        assert!(
            writes.may_at(Action::WriteMemory, STORE, &["/agents/a.md"])
                && !writes.may_at(Action::WriteMemory, STORE, &["/ops/a.md"])
        );
        assert!(
            !writes.may_at(Action::WriteMemory, STORE, &["/agents/a.md", "/ops/a.md"]),
            "a move needs both places"
        );
        assert!(!writes.may_at(Action::DeleteMemory, STORE, &["/agents/a.md"]));
        let deletes = Actor {
            scopes: vec![Scope::MemoryDelete],
            ..writes
        };
        assert!(
            deletes.may_at(Action::DeleteMemory, STORE, &["/agents/a.md"])
                && !deletes.may_at(Action::DeleteMemory, STORE, &["/ops/a.md"])
        );
    }

    #[test]
    fn lists_show_granted_stores_only() {
        assert_eq!(
            person(Role::Admin, StoreRole::Reader).visible(Action::SeeMemory),
            Visible::GrantedTo(ME)
        );
        assert_eq!(
            person(Role::Auditor, StoreRole::Reader).visible(Action::SeeMemory),
            Visible::All
        );
        assert_eq!(
            person(Role::Auditor, StoreRole::Reader).visible(Action::ReadStoreAudit),
            Visible::All
        );
        let admin = person(Role::Admin, StoreRole::Reader);
        assert_ne!(
            admin.visible(Action::ReadStoreAudit),
            Visible::All,
            "an admin's role alone opens no store's audit"
        );
        assert_eq!(Actor::operator().visible(Action::SeeMemory), Visible::All);
    }
}
