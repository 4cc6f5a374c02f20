//! What sessions show together that none shows alone. Each kind of finding says how many back it
//! and what speaks against it; whether it becomes a change is settled later.

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

pub use recovery::{Fix, suggests};

/// A truth as a number that a classifier weighs.
fn yes(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}

/// A count as a number that a classifier weighs.
fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
