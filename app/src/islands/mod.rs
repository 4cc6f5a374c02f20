//! The only code that runs in the browser. Without it every page still works.

#[cfg(feature = "hydrate")]
mod conflicts;
pub mod desk;
pub mod live;
pub mod live_diff;
pub mod policy_check;
#[cfg(feature = "hydrate")]
mod posting;
pub mod preview;
pub mod progress;
#[cfg(feature = "hydrate")]
mod region;
pub mod shortcuts;
#[cfg(feature = "hydrate")]
mod stream;
