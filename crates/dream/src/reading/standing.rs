//! How likely a sentence is said for good, and not for this once: a linear classifier over hashed
//! words and letter groups, trained on labelled sentences of many voices
//! (`tests/evaluation/training`, by `make train`). It finds rules that hold no word by which rules
//! are known; whether one becomes a proposal is decided over several people, never by one sentence.

use std::sync::LazyLock;

use domain::linear::{Hashed, Linear, features};

static MODEL: LazyLock<Option<Linear>> =
    LazyLock::new(|| Linear::of(include_bytes!("standing.weights").as_slice()));

/// Returns what the classifier sees of a sentence: its words and letters in lower case, and what
/// asks and what shouts as words of their own.
#[must_use]
pub fn seen(text: &str) -> Hashed {
    let marked = text
        .to_lowercase()
        .replace('’', "'")
        .replace("n't", " not")
        .replace('?', " askmark ")
        .replace(':', " colonmark ");
    features(&marked)
}

/// How likely it is said for good, in thousandths; 0 if the weights are broken.
#[must_use]
pub fn likelihood(text: &str) -> u16 {
    MODEL.as_ref().map_or(0, |model| likelihood_by(model, text))
}

/// How likely a sentence is said for good by these weights, in thousandths.
#[must_use]
pub fn likelihood_by(model: &Linear, text: &str) -> u16 {
    let odds = model.odds(&seen(text));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1,000"
    )]
    let thousandths = (1_000.0 / (1.0 + (-f64::from(odds)).exp())).round() as u16;
    thousandths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_for_good_is_likelier_than_what_is_said_for_once() {
        for (standing, once) in [
            (
                "we don't put prices in subject lines",
                "skip the subject line for this one",
            ),
            (
                "Anything above 500 goes past Mara first.",
                "Could you ask Mara about the 500?",
            ),
            (
                "Logs with customer data don't leave the EU cluster.",
                "my old boss wanted everything in Excel",
            ),
        ] {
            assert!(
                likelihood(standing) > 500 && likelihood(once) < 500,
                "{standing} {} / {once} {}",
                likelihood(standing),
                likelihood(once)
            );
        }
    }
}
