//! SQL, and only SQL: one module a table family, one text for both engines.
//!
//! Nothing here checks rights, decides or writes audit entries on its own; `service` does, inside
//! one [`Tx`]. The path and content of a memory are written by
//! [`commits::write`] and by nothing else; freezing and support are columns of their own, and an
//! erasure replaces text that it removes.

#[macro_use]
mod engine;

pub mod access_requests;
pub mod audit_log;
pub mod changes;
pub mod changesets;
pub mod checkpoints;
pub mod claims;
pub mod comments;
pub mod commit_freezes;
pub mod commits;
pub mod covered;
pub mod decisions;
pub mod dreams;
pub mod erasing;
pub mod erasures;
pub mod evidence;
pub mod features;
pub mod forms;
pub mod grants;
pub mod history;
pub mod insights;
pub mod jobs;
pub mod keys;
pub mod mappings;
pub mod memories;
pub mod memory_stores;
pub mod metrics;
pub mod model_batches;
pub mod note_effects;
pub mod notices;
pub mod policies;
pub mod policy_outcomes;
pub mod questions;
pub mod queue;
pub mod reads;
pub mod recalls;
pub mod saved_views;
pub mod schedules;
pub mod sealing;
pub mod search;
pub mod sessions;
pub mod setting_changes;
pub mod settings;
pub mod sign_in;
pub mod superseded;
pub mod users;
pub mod vectors;

#[cfg(feature = "faults")]
pub mod faults;

pub use engine::{
    Db, Error, Page, Result, Tx, key_file, newest_migration, read_key, statements_run,
};

/// Every statement of the crate, for the test that prepares them on both engines.
#[must_use]
pub fn all_statements() -> Vec<(&'static str, &'static str, &'static str)> {
    let families = [
        ("access_requests", access_requests::STATEMENTS),
        ("audit_log", audit_log::STATEMENTS),
        ("changes", changes::STATEMENTS),
        ("changesets", changesets::STATEMENTS),
        ("checkpoints", checkpoints::STATEMENTS),
        ("claims", claims::STATEMENTS),
        ("comments", comments::STATEMENTS),
        ("commit_freezes", commit_freezes::STATEMENTS),
        ("commits", commits::STATEMENTS),
        ("covered", covered::STATEMENTS),
        ("decisions", decisions::STATEMENTS),
        ("dreams", dreams::STATEMENTS),
        ("engine", engine::STATEMENTS),
        ("erasing", erasing::STATEMENTS),
        ("erasures", erasures::STATEMENTS),
        ("evidence", evidence::STATEMENTS),
        ("features", features::STATEMENTS),
        ("metrics", metrics::STATEMENTS),
        ("forms", forms::STATEMENTS),
        ("grants", grants::STATEMENTS),
        ("insights", insights::STATEMENTS),
        ("jobs", jobs::STATEMENTS),
        ("keys", keys::STATEMENTS),
        ("memories", memories::STATEMENTS),
        ("superseded", superseded::STATEMENTS),
        ("memory_stores", memory_stores::STATEMENTS),
        ("model_batches", model_batches::STATEMENTS),
        ("note_effects", note_effects::STATEMENTS),
        ("notices", notices::STATEMENTS),
        ("history", history::STATEMENTS),
        ("policies", policies::STATEMENTS),
        ("policy_outcomes", policy_outcomes::STATEMENTS),
        ("queue", queue::STATEMENTS),
        ("reads", reads::STATEMENTS),
        ("recalls", recalls::STATEMENTS),
        ("saved_views", saved_views::STATEMENTS),
        ("schedules", schedules::STATEMENTS),
        ("sealing", sealing::STATEMENTS),
        ("search", search::STATEMENTS),
        ("sessions", sessions::STATEMENTS),
        ("setting_changes", setting_changes::STATEMENTS),
        ("settings", settings::STATEMENTS),
        ("sign_in", sign_in::STATEMENTS),
        ("users", users::STATEMENTS),
        ("vectors", vectors::STATEMENTS),
    ];
    let columns = erasing::TEXTS.iter().flat_map(|column| {
        [column.read, column.write].map(|sql| ("erased texts", column.name, sql))
    });
    families
        .iter()
        .flat_map(|(family, list)| list.iter().map(|(name, sql)| (*family, *name, *sql)))
        .chain(columns)
        .collect()
}
