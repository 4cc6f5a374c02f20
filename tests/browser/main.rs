//! The main ways through Lucid in a real browser, with and without what runs in it.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

#[path = "../support/mod.rs"]
mod support;

mod agent;
mod desk;
mod driver;
mod erasure;
mod first_steps;
mod keyboard;
mod managing;
mod pages;
mod past;
mod policies;
mod questions;
mod recalls;
mod review;
mod screens;
