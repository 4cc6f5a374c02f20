//! What the memory itself needs: doubles merged, questions asked, stale notes named, long ones split, scattered ones told together.

pub mod duplicates;
pub mod expired;
pub mod loss;
pub mod questions;
pub mod repeated;
pub mod restructure;
pub mod similar;
pub mod stale;
