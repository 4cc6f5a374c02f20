//! One file a page, or a few pages of one thing.

pub mod account;
pub mod audit;
pub mod bulk;
pub mod desk;
pub mod dream;
pub mod dreams;
pub mod history;
pub mod import;
pub mod inbox;
pub mod insights;
pub mod keys;
pub mod mappings;
pub mod memories;
pub mod memory;
pub mod muted;
pub mod past;
pub mod people;
pub mod policies;
pub mod questions;
pub mod queue;
pub mod search;
pub mod sessions;
pub mod store_settings;
pub mod stores;
pub mod style_guide;
pub mod transcript;
