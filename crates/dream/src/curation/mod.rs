//! What the memory itself needs: doubles merged, questions asked, stale notes named, long ones
//! split, scattered ones told together.

pub mod duplicates;
pub mod expired;
pub mod loss;
pub mod questions;
pub mod repeated;
pub mod restructure;
pub mod similar;
pub mod stale;

/// Memories that one change may touch: as many as a person can review at once. The rest follows in
/// other changes or in a later dream.
const MOST_EDITS: usize = 10;
