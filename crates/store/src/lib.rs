//! SQL, and only SQL: one module a table family, one text for both engines.
//!
//! Nothing here checks rights, decides or writes audit entries on its own; `service` does, inside one [`Tx`].
//! Memory rows are written by [`commits::write`] and by nothing else.

#[macro_use]
mod engine;

pub mod audit_log;
pub mod changes;
pub mod changesets;
pub mod commits;
pub mod decisions;
pub mod dreams;
pub mod evidence;
pub mod forms;
pub mod jobs;
pub mod memories;
pub mod memory_stores;
pub mod schedules;
pub mod sessions;
pub mod sign_in;
pub mod users;

pub use engine::{Db, Error, Page, Result, Tx};

/// Every statement of the crate, for the test that prepares them on both engines.
#[must_use]
pub fn all_statements() -> Vec<(&'static str, &'static str, &'static str)> {
    let families = [
        ("audit_log", audit_log::STATEMENTS),
        ("changes", changes::STATEMENTS),
        ("changesets", changesets::STATEMENTS),
        ("commits", commits::STATEMENTS),
        ("decisions", decisions::STATEMENTS),
        ("dreams", dreams::STATEMENTS),
        ("evidence", evidence::STATEMENTS),
        ("forms", forms::STATEMENTS),
        ("jobs", jobs::STATEMENTS),
        ("memories", memories::STATEMENTS),
        ("memory_stores", memory_stores::STATEMENTS),
        ("schedules", schedules::STATEMENTS),
        ("sessions", sessions::STATEMENTS),
        ("sign_in", sign_in::STATEMENTS),
        ("users", users::STATEMENTS),
    ];
    families.iter().flat_map(|(family, list)| list.iter().map(|(name, sql)| (*family, *name, *sql))).collect()
}
