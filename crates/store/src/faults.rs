//! Makes a statement fail on purpose, for the tests that fail each statement of a transaction in
//! turn. Built only with the feature `faults`, which no released binary has.

use std::{cell::Cell, future::Future};

tokio::task_local! {
    static LEFT: Cell<usize>;
}

/// Runs `work` so that its statement number `n` (from 0; a commit counts as one) fails as if the
/// connection broke. Beside what came of it: whether it got that far.
pub async fn failing_at<T>(n: usize, work: impl Future<Output = T>) -> (T, bool) {
    LEFT.scope(Cell::new(n), async {
        let done = work.await;
        (done, LEFT.with(Cell::get) == usize::MAX)
    })
    .await
}

/// True if the statement that comes next is the one. Once it has failed, everything after it works
/// again: code that goes on after an error must not be hidden by a second one.
pub(crate) fn fails() -> bool {
    let is_it = LEFT.try_with(|left| {
        let now = left.get();
        left.set(if now == usize::MAX {
            now
        } else {
            now.wrapping_sub(1)
        });
        now == 0
    });
    is_it.unwrap_or(false)
}
