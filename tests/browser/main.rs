//! The main ways through Lucid in a real browser, with and without what runs in it.

#[path = "../support/mod.rs"]
mod support;

mod driver;
mod pages;
mod review;
