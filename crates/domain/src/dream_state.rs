//! The states of a dream.

use crate::text_enum::text_enum;

text_enum! {
    DreamState {
        /// Waits for a worker.
        Pending => "pending",
        Running => "running",
        Completed => "completed",
        Failed => "failed",
        Canceled => "canceled",
    }
}

impl DreamState {
    /// True if nothing more comes of it.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        !matches!(self, Self::Pending | Self::Running)
    }
}
