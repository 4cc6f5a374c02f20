//! What sessions show together that none shows alone. Each kind of finding says how many back it and what speaks against it; whether it
//! becomes a change is settled later.

pub mod candidates;
pub mod changed;
mod claims;
pub mod contrast;
pub mod divergence;
pub mod facts;
pub mod failures;
pub mod meanings;
mod recovery;
pub mod standing;
mod templates;

pub use recovery::Fix;
