//! Lucid as a whole, on both engines.

#[path = "../support/mod.rs"]
mod support;
