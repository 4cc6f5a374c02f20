//! Ids: `UUIDv7`, each kind a type of its own, shown with its prefix (`mem_0197...`). Making one
//! takes the time and ten random bytes as parameters, so that tests and replays decide them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{Builder, Uuid};

use crate::Timestamp;

/// Text that is not an id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id of the form {prefix}_<32 hexadecimal digits>")]
pub struct BadId {
    text: String,
    prefix: &'static str,
}

macro_rules! id {
    ($($(#[$meta:meta])* $name:ident = $prefix:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
        pub struct $name(pub Uuid);

        impl $name {
            /// The prefix of the id when it is shown.
            pub const PREFIX: &'static str = $prefix;

            /// A new id from the time (milliseconds count) and ten random bytes.
            #[must_use]
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                Self(Builder::from_unix_timestamp_millis(now.millis(), &random).into_uuid())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix(concat!($prefix, "_"))
                    .filter(|hex| hex.len() == 32)
                    .and_then(|hex| Uuid::try_parse(hex).ok())
                    .map(Self)
                    .ok_or_else(|| BadId { text: text.chars().take(80).collect(), prefix: $prefix })
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

id! {
    StoreId = "memstore";
    /// A memory: the same through all its versions.
    MemoryId = "mem";
    /// One write of a memory.
    VersionId = "memver";
    /// A set of versions written together.
    CommitId = "commit";
    /// A session of an agent.
    SessionId = "sesn";
    /// An event of a session.
    EventId = "sevt";
    DreamId = "drm";
    /// An answer to a question of a dream.
    AnswerId = "answer";
    ChangesetId = "chgset";
    /// A change: the unit of decision.
    ChangeId = "chg";
    /// A quote that backs or contradicts a change.
    EvidenceId = "evd";
    DecisionId = "dec";
    /// A person with an account.
    UserId = "user";
    /// One sign-in of a person, from the password to the end of its web session.
    SignInId = "sign";
    /// A setting that waits for a second admin.
    SettingChangeId = "setting";
    PolicyId = "policy";
    /// A time in which nothing is committed.
    FreezeId = "freeze";
    /// A recall of memory that turned out wrong.
    RecallId = "recall";
    /// An erasure of what is known of an end user, or of one text.
    ErasureId = "erasure";
    HoldId = "hold";
    /// A key for the API.
    KeyId = "key";
    /// People who get grants together.
    TeamId = "team";
    /// Somebody's request for access.
    AccessRequestId = "ask";
    /// A right on a store.
    GrantId = "grant";
    /// A schedule of dreams.
    ScheduleId = "sched";
    JobId = "job";
    /// Refused form input that is kept for the page that shows it.
    DraftId = "draft";
    /// A comment on a change.
    CommentId = "cmt";
    /// Something that a person is told.
    NoticeId = "note";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_shows_and_sorts_by_time() {
        let early = MemoryId::new(Timestamp(1_000_000), [7; 10]);
        let late = MemoryId::new(Timestamp(2_000_000), [0; 10]);
        assert!(early < late);
        assert_eq!(early.to_string().parse::<MemoryId>(), Ok(early));
        assert!(early.to_string().starts_with("mem_"));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let store = StoreId::new(Timestamp(1), [0; 10]).to_string();
        assert!(store.parse::<MemoryId>().is_err());
        assert!("mem_".parse::<MemoryId>().is_err());
        assert!("mem_zz".parse::<MemoryId>().is_err());
    }
}
