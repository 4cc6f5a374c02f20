//! What dreams ask people: about two statements of the memory, about one that may no longer hold,
//! about a failure without a way out, or only that somebody takes note. Each kind has its answers,
//! and each answer says what follows.

use crate::text_enum::text_enum;

text_enum! {
    QuestionKind {
        /// Two statements say different things of the same.
        Contradiction => "contradiction",
        /// Two statements are alike, and not the same.
        Similar => "similar",
        /// People seem to say that a statement no longer holds.
        Holds => "holds",
        /// A failure recurs, and nobody found a way out.
        OpenFailure => "open_failure",
        Notice => "notice",
    }
}

text_enum! {
    Answer {
        /// Keep the first statement; the second one goes.
        First => "first",
        /// Keep the second statement; the first one goes.
        Second => "second",
        Both => "both",
        /// It has changed, as people say.
        Changed => "changed",
        StillHolds => "still_holds",
        /// What to do about the failure, in words.
        Written => "written",
        /// The tool should be mended.
        MendTool => "mend_tool",
        /// Somebody has taken note.
        Seen => "seen",
    }
}

impl QuestionKind {
    /// Returns what can be answered, in the order of the keys 1, 2, 3.
    #[must_use]
    pub const fn answers(self) -> &'static [Answer] {
        use Answer::{Both, Changed, First, MendTool, Second, Seen, StillHolds, Written};
        match self {
            Self::Contradiction | Self::Similar => &[First, Second, Both],
            Self::Holds => &[Changed, StillHolds],
            Self::OpenFailure => &[MendTool, Seen, Written],
            Self::Notice => &[Seen],
        }
    }
}

impl Answer {
    /// True if a change to the memory is proposed, which somebody else decides on.
    #[must_use]
    pub const fn proposes(self) -> bool {
        matches!(
            self,
            Self::First | Self::Second | Self::Changed | Self::Written
        )
    }

    /// True if the question is answered for good. Others come back when twice as much backs them.
    #[must_use]
    pub const fn is_for_good(self) -> bool {
        matches!(
            self,
            Self::First | Self::Second | Self::Both | Self::MendTool
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_belongs_to_a_question_and_every_question_can_be_closed() {
        for answer in Answer::ALL {
            assert!(
                QuestionKind::ALL
                    .iter()
                    .any(|kind| kind.answers().contains(answer)),
                "{answer}"
            );
        }
        for kind in QuestionKind::ALL {
            assert!(
                kind.answers().iter().any(|answer| !answer.proposes()),
                "{kind}: somebody may not want to change anything"
            );
        }
    }
}
