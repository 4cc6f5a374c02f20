//! The written table of who may do what: role x action x resource for people, a scope for keys.
//! [`Actor::may`](crate::actor::Actor) reads it, the page for admins shows it, and a test compares
//! every route and server function with it.

use crate::{
    actor::{Role, StoreRole},
    text_enum::text_enum,
};

text_enum! {
    /// A use that a key is allowed.
    Scope {
        /// Read sessions and their events.
        SessionsRead => "sessions:read",
        /// Record sessions, events and outcomes.
        SessionsWrite => "sessions:write",
        /// Read committed memory and the briefing.
        MemoryRead => "memory:read",
        /// Write memory and make stores; proposed instead of written where everything is gated.
        MemoryWrite => "memory:write",
        /// Delete memories and stores.
        MemoryDelete => "memory:delete",
        /// Read the drafts of dreams.
        DraftsRead => "drafts:read",
        /// Start, see and cancel dreams.
        DreamsWrite => "dreams:write",
        ChangesetsRead => "changesets:read",
        ChangesetsWrite => "changesets:write",
        /// Decide as the person who owns the key.
        Review => "review",
        /// Read the audit trail.
        AuditRead => "audit:read",
        /// Manage people, grants and schedules as the admin who owns the key.
        Admin => "admin",
    }
}

text_enum! {
    Action {
        /// Read memories, history, schedules and briefings.
        SeeMemory => "see memory",
        /// Read sessions and transcripts, masked.
        SeeSessions => "see sessions",
        /// Read dreams and what they saw.
        SeeDreams => "see dreams",
        /// Read changesets with their evidence, masked.
        SeeChanges => "see changesets",
        /// Import, upload and record sessions.
        RecordSessions => "record sessions",
        /// Save and delete mappings, which say where the parts of transcripts stand that are in no
        /// known form.
        ManageMappings => "manage mappings",
        /// Start and cancel dreams.
        Dream => "dream",
        /// Approve, reject, defer, edit, take back and commit.
        Decide => "decide",
        /// Propose a new memory, other content, another path or a removal.
        Propose => "propose changes",
        /// Freeze a memory, so that only people change it.
        Freeze => "freeze memories",
        /// Write memories at once, past the queue (versioned and audited).
        WriteMemory => "write memory",
        /// Delete memories at once, past the queue.
        DeleteMemory => "delete memory",
        /// Change a store's name, description and metadata.
        DescribeStore => "describe a store",
        /// Delete a store; it leaves a tombstone for 30 days.
        DeleteStore => "delete a store",
        /// Change a store's schedule, gate mode, budget, grants and owners.
        ManageStore => "manage a store",
        /// Erase the text of a past version.
        Redact => "erase versions",
        /// See and erase what is known of an end user, place and release legal holds, say how long
        /// transcripts are kept.
        ManagePrivacy => "manage erasure and holds",
        /// See which erasures there were, and which legal holds there are.
        SeePrivacy => "see erasures and holds",
        /// Make a memory store.
        CreateStore => "make a store",
        /// Invite, disable and reset people; roles, teams, grants, owners; accept or decline
        /// requests; solo mode.
        ManagePeople => "manage people",
        /// Read policies, what they did and would do, stops and freezes.
        SeePolicies => "see policies",
        /// Write, test, activate, pause and retire policies; lift stops; set freezes.
        ManagePolicies => "manage policies",
        /// Stop all policies, or those of a store.
        StopPolicies => "stop policies",
        /// Make and revoke API keys.
        ManageKeys => "manage keys",
        /// Read the entries of a store.
        ReadStoreAudit => "read a store's audit",
        /// Read entries of no store, verify the trail and sign a checkpoint.
        ReadAudit => "read the audit",
        /// Export the whole trail.
        ExportAudit => "export the audit",
        /// See and end one's own sign-ins, set one's password, ask for access.
        OwnAccount => "own account",
    }
}

/// The object of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// One store, or a part of it by path.
    Store,
    Installation,
    Own,
}

impl Resource {
    /// The word for pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Installation => "installation",
            Self::Own => "own account",
        }
    }
}

/// The condition under which a role may do an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    No,
    /// The role is enough.
    Yes,
    /// A grant of at least this power on the store.
    Granted(StoreRole),
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Right {
    pub action: Action,
    pub resource: Resource,
    /// For the roles in the order of [`Role::ALL`]: admin, reviewer, member, auditor.
    pub roles: [Access; 4],
    /// The scope with which a key may do it (on the stores of its owner's grants, and only on its
    /// own store if it has one).
    pub scope: Option<Scope>,
    /// True if the command line beside the database, and Lucid's own worker, may do it.
    pub unattended: bool,
}

use Access::{Granted, No, Yes};
use StoreRole::{Owner, Reader, Reviewer};

/// Auditors open everything that an entry of the trail can be about, and change nothing.
const READERS_AND_AUDITORS: [Access; 4] = [Granted(Reader), Granted(Reader), Granted(Reader), Yes];
const READERS: [Access; 4] = [Granted(Reader), Granted(Reader), Granted(Reader), No];
const REVIEWERS: [Access; 4] = [Granted(Reviewer), Granted(Reviewer), No, No];
const ADMINS: [Access; 4] = [Yes, No, No, No];
/// Admins who own the store: their role alone manages none.
const OWNING_ADMINS: [Access; 4] = [Granted(Owner), No, No, No];

/// The rights of every role and scope. A test of every route and server function reads it, and so
/// does the page for admins.
pub const TABLE: &[Right] = &[
    on_store(
        Action::SeeMemory,
        READERS_AND_AUDITORS,
        Some(Scope::MemoryRead),
    ),
    on_store(
        Action::SeeSessions,
        READERS_AND_AUDITORS,
        Some(Scope::SessionsRead),
    ),
    on_store(
        Action::SeeDreams,
        READERS_AND_AUDITORS,
        Some(Scope::DreamsWrite),
    ),
    on_store(
        Action::SeeChanges,
        READERS_AND_AUDITORS,
        Some(Scope::ChangesetsRead),
    ),
    on_store(
        Action::RecordSessions,
        REVIEWERS,
        Some(Scope::SessionsWrite),
    ),
    on_all(Action::ManageMappings, [Yes, Yes, No, No], None),
    on_store(Action::Dream, REVIEWERS, Some(Scope::DreamsWrite)),
    // A decision is a person's: never the worker's, never the command line's.
    Right {
        action: Action::Decide,
        resource: Resource::Store,
        roles: REVIEWERS,
        scope: Some(Scope::Review),
        unattended: false,
    },
    // A person proposes; agents write where the store's gate lets them.
    on_store(Action::Propose, READERS, Some(Scope::ChangesetsWrite)),
    Right {
        action: Action::Freeze,
        resource: Resource::Store,
        roles: REVIEWERS,
        scope: None,
        unattended: true,
    },
    on_store(
        Action::WriteMemory,
        [No, No, No, No],
        Some(Scope::MemoryWrite),
    ),
    on_store(
        Action::DeleteMemory,
        [No, No, No, No],
        Some(Scope::MemoryDelete),
    ),
    on_store(
        Action::DescribeStore,
        OWNING_ADMINS,
        Some(Scope::MemoryWrite),
    ),
    on_store(
        Action::DeleteStore,
        OWNING_ADMINS,
        Some(Scope::MemoryDelete),
    ),
    on_store(Action::ManageStore, OWNING_ADMINS, Some(Scope::Admin)),
    on_store(Action::Redact, OWNING_ADMINS, None),
    on_all(Action::ManagePrivacy, ADMINS, None),
    on_all(Action::SeePrivacy, [Yes, No, No, Yes], None),
    on_all(Action::CreateStore, ADMINS, Some(Scope::MemoryWrite)),
    on_all(Action::ManagePeople, ADMINS, Some(Scope::Admin)),
    on_all(
        Action::SeePolicies,
        [Yes, Yes, Yes, Yes],
        Some(Scope::Admin),
    ),
    on_all(Action::ManagePolicies, ADMINS, Some(Scope::Admin)),
    on_all(Action::StopPolicies, [Yes, Yes, No, No], Some(Scope::Admin)),
    on_all(Action::ManageKeys, ADMINS, None),
    on_store(
        Action::ReadStoreAudit,
        READERS_AND_AUDITORS,
        Some(Scope::AuditRead),
    ),
    on_all(Action::ReadAudit, [Yes, No, No, Yes], None),
    on_all(Action::ExportAudit, [No, No, No, Yes], None),
    Right {
        action: Action::OwnAccount,
        resource: Resource::Own,
        roles: [Yes, Yes, Yes, Yes],
        scope: None,
        unattended: false,
    },
];

const fn on_store(action: Action, roles: [Access; 4], scope: Option<Scope>) -> Right {
    Right {
        action,
        resource: Resource::Store,
        roles,
        scope,
        unattended: true,
    }
}

const fn on_all(action: Action, roles: [Access; 4], scope: Option<Scope>) -> Right {
    Right {
        action,
        resource: Resource::Installation,
        roles,
        scope,
        unattended: true,
    }
}

impl Action {
    /// Its row. Every action has one; a test sees to it.
    #[must_use]
    pub fn right(self) -> &'static Right {
        TABLE.iter().find(|r| r.action == self).unwrap_or(&NOBODY)
    }

    /// Returns what somebody is told who sees the store but may not do this.
    #[must_use]
    pub const fn needs(self) -> &'static str {
        match self {
            Self::RecordSessions | Self::Dream => {
                "this needs the role reviewer or admin, and a reviewer's grant on the store"
            }
            Self::ManageMappings => "mappings are for admins and reviewers",
            Self::Decide => {
                "deciding needs the role reviewer or admin, and a reviewer's grant on the store or \
                 on every path that is touched"
            }
            Self::Propose => {
                "proposing needs a grant on the store, and of a key the scope changesets:write"
            }
            Self::Freeze => {
                "freezing needs the role reviewer or admin, and a reviewer's grant on the memory's \
                 path"
            }
            Self::WriteMemory => {
                "a person proposes a change; only keys with memory:write, under the paths of their \
                 owner's grants, and the command line write directly"
            }
            Self::DeleteMemory => {
                "a person proposes a removal; only keys with memory:delete, under the paths of \
                 their owner's grants, and the command line delete directly"
            }
            Self::DescribeStore | Self::ManageStore | Self::DeleteStore | Self::Redact => {
                "this needs the role admin and an owner's grant on the whole store; of a key, its \
                 scope for it on the whole store"
            }
            Self::CreateStore => {
                "making a store needs the role admin, or a key with memory:write that is for no \
                 single store"
            }
            Self::ManagePeople => "managing people needs the role admin",
            Self::ManagePrivacy => "erasure, legal holds and retention are for admins",
            Self::SeePrivacy => "erasures and legal holds are for admins and auditors",
            Self::SeePolicies => {
                "policies are for who is signed in, and for keys with the scope admin"
            }
            Self::ManagePolicies => "managing policies needs the role admin",
            Self::StopPolicies => "stopping policies needs the role admin or reviewer",
            Self::ManageKeys => "managing keys needs the role admin",
            Self::ReadAudit => "this needs the role admin or auditor",
            Self::ExportAudit => {
                "exporting the whole audit trail needs the role auditor, or the command line"
            }
            Self::OwnAccount => "this needs somebody who is signed in",
            Self::SeeMemory
            | Self::SeeSessions
            | Self::SeeDreams
            | Self::SeeChanges
            | Self::ReadStoreAudit => {
                "this needs a grant on the store, and of a key the scope for it"
            }
        }
    }
}

const NOBODY: Right = Right {
    action: Action::OwnAccount,
    resource: Resource::Own,
    roles: [No, No, No, No],
    scope: None,
    unattended: false,
};

impl Right {
    /// Returns what a role needs.
    #[must_use]
    pub fn access(&self, role: Role) -> Access {
        Role::ALL
            .iter()
            .position(|&r| r == role)
            .map_or(No, |at| self.roles[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_exactly_one_row() {
        for &action in Action::ALL {
            assert_eq!(
                TABLE.iter().filter(|r| r.action == action).count(),
                1,
                "{action}"
            );
        }
        assert_eq!(TABLE.len(), Action::ALL.len());
    }

    #[test]
    fn an_auditor_reads_and_changes_nothing() {
        use Action::{
            ExportAudit, OwnAccount, ReadAudit, ReadStoreAudit, SeeChanges, SeeDreams, SeeMemory,
            SeePolicies, SeePrivacy, SeeSessions,
        };
        let reads = [
            ExportAudit,
            OwnAccount,
            ReadAudit,
            ReadStoreAudit,
            SeeChanges,
            SeeDreams,
            SeeMemory,
            SeePolicies,
            SeePrivacy,
            SeeSessions,
        ];
        for right in TABLE {
            let wanted = if reads.contains(&right.action) {
                Yes
            } else {
                No
            };
            assert_eq!(right.access(Role::Auditor), wanted, "{}", right.action);
        }
    }
}
