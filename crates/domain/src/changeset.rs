//! Changesets and changes: what a change is, in which states it may be, and the one table of what
//! may happen to it. Whatever is not in the table is refused with a named error.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{EventId, MemoryId, SessionId, VersionId},
    memory::MemoryPath,
    text_enum::text_enum,
};

text_enum! {
    /// The effect of a change on the memory.
    ChangeKind {
        Add => "add",
        /// Other content for a memory.
        Update => "update",
        /// Several memories become one.
        Merge => "merge",
        /// A newer fact in place of an older one.
        Supersede => "supersede",
        /// Several memories become several others.
        Restructure => "restructure",
        Move => "move",
        Remove => "remove",
    }
}

text_enum! {
    ChangeState {
        /// Waits for a decision.
        Pending => "pending",
        Approved => "approved",
        Rejected => "rejected",
        Deferred => "deferred",
        Obsolete => "obsolete",
        Committed => "committed",
    }
}

impl ChangeState {
    /// True if something may still come of it.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Approved | Self::Deferred)
    }
}

text_enum! {
    ChangesetState {
        /// Some change is pending, deferred, or approved but not yet committed.
        Open => "open",
        /// Nothing is left to do.
        Closed => "closed",
        /// Withdrawn by the person who proposed it.
        Withdrawn => "withdrawn",
        /// Nobody decided in time.
        Expired => "expired",
    }
}

impl ChangesetState {
    /// True if anything can still be decided in it: a closed one opens again when a decision is
    /// withdrawn.
    #[must_use]
    pub const fn is_reviewed(self) -> bool {
        matches!(self, Self::Open | Self::Closed)
    }
}

text_enum! {
    Action {
        /// A person approves it, and with that it has every approval that it needs.
        Approve => "approve",
        /// A person approves it, and it needs more, or had enough.
        Endorse => "endorse",
        /// A person turns it down.
        Reject => "reject",
        /// A person puts it off.
        Defer => "defer",
        /// A decision is withdrawn, or a deferral's date has come.
        TakeBack => "take_back",
        /// It gets a new revision.
        Revise => "revise",
        /// It no longer holds.
        Retire => "retire",
        /// It goes into the memory.
        Commit => "commit",
        /// A policy puts it into the memory.
        Apply => "apply",
    }
}

text_enum! {
    /// A decision as it is stored: without its reason and its date.
    DecisionKind {
        Approve => "approve",
        Reject => "reject",
        Defer => "defer",
    }
}

text_enum! {
    /// A person's part in a change. A contributor cannot approve the change (rule 5).
    Contribution {
        /// Wrote the whole text.
        Wrote => "wrote",
        /// Proposed it, or owns the key that it came through.
        Proposed => "proposed",
        Edited => "edited",
        /// Reverted the commit that it brings back.
        Reverted => "reverted",
        /// Recorded the sessions that it rests on.
        Recorded => "recorded",
        /// Gave the dream its instructions.
        Instructed => "instructed",
    }
}

text_enum! {
    /// Who proposed a changeset.
    ChangesetOrigin {
        Dream => "dream",
        Person => "person",
        Revert => "revert",
        Agent => "agent",
    }
}

text_enum! {
    /// Why a change was rejected; decides when the finding may come back (rule 12).
    RejectCode {
        /// Never propose this again.
        Never => "never",
        /// May come back when support has doubled.
        NotYet => "not_yet",
        /// The agent's instructions already say so.
        AlreadyInInstructions => "already_in_instructions",
        /// The tool or the prompt should be mended instead.
        FixToolOrPrompt => "fix_tool_or_prompt",
        /// Holds for one customer only.
        OneCustomer => "one_customer",
        WrongPlace => "wrong_place",
        /// Should be said otherwise.
        Wording => "wording",
    }
}

impl RejectCode {
    /// The code for a person.
    #[must_use]
    pub const fn explained(self) -> &'static str {
        match self {
            Self::Never => "Never propose this again",
            Self::NotYet => "Not enough evidence: propose again when it doubles",
            Self::AlreadyInInstructions => "Already in the agent's instructions",
            Self::FixToolOrPrompt => "Fix the tool or the prompt instead",
            Self::OneCustomer => "Applies to one customer only",
            Self::WrongPlace => "Wrong location",
            Self::Wording => "Needs rewording",
        }
    }
}

/// A condition of an action besides the state; `service` checks it inside the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    None,
    /// The bases have not moved, and the decision names the current revision and digest.
    Fresh,
    /// As `Fresh`, and as many independent people as its risk needs approved this very digest.
    FreshAndApproved,
    /// As `Fresh`, and the active policies allow it.
    FreshAndAllowed,
}

/// Every transition there is: from, action, to, guard.
pub const TRANSITIONS: &[(ChangeState, Action, ChangeState, Guard)] = {
    use Action::{Apply, Approve, Commit, Defer, Endorse, Reject, Retire, Revise, TakeBack};
    use ChangeState::{Approved, Committed, Deferred, Obsolete, Pending, Rejected};
    &[
        (Pending, Approve, Approved, Guard::Fresh),
        (Pending, Endorse, Pending, Guard::Fresh),
        (Approved, Endorse, Approved, Guard::Fresh),
        (Pending, Reject, Rejected, Guard::None),
        (Pending, Defer, Deferred, Guard::None),
        // One of the approvals that it needs; it waits for the others still.
        (Pending, TakeBack, Pending, Guard::None),
        (Approved, TakeBack, Pending, Guard::None),
        (Rejected, TakeBack, Pending, Guard::None),
        (Deferred, TakeBack, Pending, Guard::None),
        (Pending, Revise, Pending, Guard::None),
        (Approved, Revise, Pending, Guard::None),
        (Rejected, Revise, Pending, Guard::None),
        (Deferred, Revise, Pending, Guard::None),
        (Pending, Retire, Obsolete, Guard::None),
        (Approved, Retire, Obsolete, Guard::None),
        (Deferred, Retire, Obsolete, Guard::None),
        (Approved, Commit, Committed, Guard::FreshAndApproved),
        (Pending, Apply, Committed, Guard::FreshAndAllowed),
    ]
};

/// An action that the table does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a change that is {from} cannot be changed by `{action}`")]
pub struct NotAllowed {
    /// The state it is in.
    pub from: ChangeState,
    pub action: Action,
}

impl ChangeState {
    /// The state after an action and what must hold for it.
    pub fn after(self, action: Action) -> Result<(Self, Guard), NotAllowed> {
        TRANSITIONS
            .iter()
            .find(|(from, act, ..)| *from == self && *act == action)
            .map(|&(_, _, to, guard)| (to, guard))
            .ok_or(NotAllowed { from: self, action })
    }
}

/// The state of a changeset that was neither withdrawn nor has expired, from the states of its
/// changes.
#[must_use]
pub fn derived_state(changes: impl IntoIterator<Item = ChangeState>) -> ChangesetState {
    if changes.into_iter().any(ChangeState::is_open) {
        ChangesetState::Open
    } else {
        ChangesetState::Closed
    }
}

/// One edit of a change. What it was proposed against is named exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The memory; none for a new one.
    pub memory_id: Option<MemoryId>,
    /// The version it was proposed against; none for a new memory.
    pub base_version: Option<VersionId>,
    /// SHA-256 of the content it was proposed against, hexadecimal; none for a new memory.
    pub base_sha256: Option<String>,
    /// The path before, or of the new memory.
    pub path: MemoryPath,
    /// The path after, if it moves.
    pub new_path: Option<MemoryPath>,
    /// The content after; none for a removal.
    pub content: Option<String>,
}

/// A verbatim quote that backs or contradicts a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub session_id: SessionId,
    pub event_id: EventId,
    /// First byte in the event's normalised text.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    pub text: String,
    /// True if it speaks against the change.
    pub counter: bool,
}

impl Quote {
    /// True if the quote is in the event's text, byte for byte (rule 9).
    #[must_use]
    pub fn holds_in(&self, event_text: &str) -> bool {
        event_text.get(self.start..self.end) == Some(self.text.as_str()) && !self.text.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn committed_and_obsolete_are_final() {
        for state in [ChangeState::Committed, ChangeState::Obsolete] {
            for &action in Action::ALL {
                assert_eq!(
                    state.after(action),
                    Err(NotAllowed {
                        from: state,
                        action
                    })
                );
            }
        }
    }

    #[test]
    fn no_transition_is_listed_twice_and_only_people_and_policies_commit() {
        for (i, a) in TRANSITIONS.iter().enumerate() {
            assert!(
                TRANSITIONS[i + 1..]
                    .iter()
                    .all(|b| (a.0, a.1) != (b.0, b.1)),
                "{a:?}"
            );
        }
        let committing: Vec<_> = TRANSITIONS
            .iter()
            .filter(|t| t.2 == ChangeState::Committed)
            .map(|t| (t.0, t.1, t.3))
            .collect();
        let by_people = (
            ChangeState::Approved,
            Action::Commit,
            Guard::FreshAndApproved,
        );
        assert_eq!(
            committing,
            [
                by_people,
                (ChangeState::Pending, Action::Apply, Guard::FreshAndAllowed)
            ]
        );
    }

    proptest! {
        /// Random walks: whatever happens, a commit is preceded by an approval with nothing but it
        /// in between, or is a policy's.
        #[test]
        fn walks(actions in proptest::collection::vec(proptest::sample::select(Action::ALL), 0..40)) {
            let mut state = ChangeState::Pending;
            let mut last = None;
            for action in actions {
                let Ok((next, _)) = state.after(action) else { continue };
                if next == ChangeState::Committed && action != Action::Apply {
                    prop_assert_eq!(last, Some(Action::Approve));
                }
                prop_assert!(ChangeState::ALL.contains(&next));
                state = next;
                // One more approval of what is approved changes nothing.
                if action != Action::Endorse {
                    last = Some(action);
                }
            }
            prop_assert_eq!(derived_state([state]) == ChangesetState::Open, state.is_open());
        }
    }

    #[test]
    fn a_quote_holds_only_verbatim_and_on_character_boundaries() {
        let id = uuid::Uuid::nil();
        let quote = |start, end, text: &str| Quote {
            session_id: SessionId(id),
            event_id: EventId(id),
            start,
            end,
            text: text.into(),
            counter: false,
        };
        assert!(quote(3, 6, "abc").holds_in("üxabc".replace('x', "-").as_str()));
        assert!(!quote(0, 3, "abd").holds_in("abc"));
        assert!(!quote(1, 3, "\u{fffd}-").holds_in("ü-"));
        assert!(!quote(0, 0, "").holds_in("abc"));
        assert!(!quote(0, 30, "abc").holds_in("abc"));
    }
}
