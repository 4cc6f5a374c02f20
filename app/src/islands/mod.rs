//! The only code that runs in the browser. Without it every page still works.

pub mod live_diff;
pub mod progress;
pub mod shortcuts;
