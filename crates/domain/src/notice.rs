//! The reasons for a notice.

use crate::text_enum::text_enum;

text_enum! {
    /// In the order in which every writer touches the rows of one changeset: two who touch the same
    /// rows in another order would wait for each other.
    NoticeReason {
        /// The memory moved below what waits.
        Conflict => "conflict",
        /// What they proposed was decided.
        Decided => "decided",
        YourTurn => "your_turn",
        Comment => "comment",
    }
}
