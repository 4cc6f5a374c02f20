//! Masks what is sensitive before a quote or a transcript is shown. Revealing it is a right of its
//! own and is audited.

use crate::sensitive::{Sensitive, sensitive_spans};

/// The text with every secret as `[secret]` and every personal datum as `[personal]`.
#[must_use]
pub fn mask(text: &str) -> String {
    mask_unless(text, |_| false)
}

/// As [`mask`], but leaves what `is_own` says of that it may be shown.
#[must_use]
pub fn mask_unless(text: &str, is_own: impl Fn(&str) -> bool) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for span in sensitive_spans(text)
        .into_iter()
        .filter(|span| !is_own(&text[span.start..span.end]))
    {
        masked.push_str(&text[at..span.start]);
        masked.push_str(match span.kind {
            Sensitive::Secret => "[secret]",
            Sensitive::Personal => "[personal]",
        });
        at = span.end;
    }
    masked.push_str(&text[at..]);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_and_leaves_the_rest() {
        assert_eq!(
            mask("write to ana@example.com, password=hunter2hunter2!"),
            "write to [personal], password=[secret]"
        );
        assert_eq!(mask("nothing here"), "nothing here");
        let shown = mask_unless("ana@example.com and bob@example.com", |value| {
            value.starts_with("ana")
        });
        assert_eq!(shown, "ana@example.com and [personal]");
    }
}
