//! The one place that reads the system's clock and random numbers; everything else takes them as
//! parameters.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use domain::Timestamp;
use service::{Clock, Random};

/// The system's clock, truncated to microseconds.
pub fn system() -> Clock {
    Arc::new(now)
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge that the rest is given its clock from"
)]
fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The operating system's random numbers.
///
/// Without them no id, token or salt is safe, so Lucid stops rather than go on.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the edge that the rest is given its randomness from"
)]
pub fn system_random() -> Random {
    Arc::new(|bytes| {
        if getrandom::fill(bytes).is_err() {
            eprintln!("lucid: the operating system gives no random numbers");
            std::process::abort();
        }
    })
}
