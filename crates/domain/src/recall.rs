//! A recall: memory turned out wrong after agents had loaded it. Each session that loaded it is
//! dealt with and marked, and then the recall is closed.

use crate::text_enum::text_enum;

text_enum! {
    /// The action that was taken on a session that loaded recalled memory.
    RecallMark {
        /// The people behind it were told.
        Told => "told",
        /// Its work was checked.
        Checked => "checked",
        /// It cannot have done any harm.
        Harmless => "harmless",
    }
}

impl RecallMark {
    /// Returns what pages call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Told => "People told",
            Self::Checked => "Work checked",
            Self::Harmless => "Harmless",
        }
    }
}

/// Longest reason, note or outcome, in characters.
pub const LONGEST_TEXT: usize = 1_000;
