//! The words and rules of Lucid: ids, times, memory, sessions, changesets and their state machine,
//! roles, diff and digest. Nothing here reads a clock, a file, a socket or a random number, and
//! everything compiles to wasm, so that the server and the review desk in the browser decide by the
//! same code.

mod text_enum;

pub mod actor;
pub mod audit_action;
pub mod briefing;
pub mod canonical;
pub mod changeset;
mod credentials;
pub mod diff;
pub mod dream_state;
pub mod erasure;
pub mod event;
pub mod hostility;
pub mod ids;
pub mod linear;
pub mod masking;
pub mod memory;
pub mod merge;
pub mod notice;
mod personal;
pub mod plural;
pub mod policy;
pub mod question;
pub mod quotes;
pub mod recall;
pub mod redirection;
pub mod review;
pub mod rhythm;
pub mod rights;
pub mod risk;
pub mod scan;
pub mod search;
pub mod secrets;
pub mod sensitive;
pub mod statement;
pub mod strata;
pub mod timestamp;
pub mod validity;

pub use timestamp::Timestamp;

/// Limits and defaults that more than one part of Lucid needs.
pub mod limits {
    /// Longest instructions to a dream, in characters.
    pub const INSTRUCTIONS_CHARS: usize = 4_096;
    /// Undecided changes in one store above which its dreams pause.
    pub const UNDECIDED_CHANGES: i64 = 50;
    /// Most sessions that may be chosen for one dream.
    pub const SESSIONS_A_DREAM: usize = 100;
    /// Longest quote kept as evidence, in characters.
    pub const QUOTE_CHARS: usize = 300;
    /// Rows on one page of a list.
    pub const PAGE: i64 = 50;
    /// Most memories in one store.
    pub const MEMORIES_PER_STORE: i64 = 10_000;
}
