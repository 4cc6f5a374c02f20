//! Lucid as a whole: the walls between crates, the SQL, and every use case on both engines.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]
#![allow(
    clippy::too_many_lines,
    reason = "a test tells one story from its beginning to its end"
)]

#[path = "../support/mod.rs"]
mod support;

mod world;

mod agents;
mod arrows;
mod changed_facts;
mod command_line;
mod contributors;
mod crash;
mod desk;
mod dreaming;
mod erasure;
mod failing_statements;
mod faults;
mod follow;
mod fuzzing;
mod fuzzing_readers;
mod gate;
mod hostile_values;
mod http;
mod import;
mod interleavings;
mod kinds;
mod lists;
mod mail;
mod mappings;
mod meanings;
mod memory_guard;
mod models;
mod operations;
mod past;
mod people;
mod policies;
mod proofs;
mod questions;
mod reading;
mod real_model;
mod recalls;
mod rights;
mod schedules;
mod sealing;
mod search;
mod slow_requests;
mod snapshots;
mod statements;
mod tampering;
mod telemetry;
mod trust;
mod upkeep;
mod words;
mod workers;
