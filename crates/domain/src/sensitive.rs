//! Finds what must be masked before a text is shown: credentials ([`crate::secrets`] by their own
//! form, [`crate::credentials`] by what is around them) and data that points to a person
//! ([`crate::personal`]).

use crate::{credentials, personal, secrets};

/// The kind of a sensitive span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensitive {
    Secret,
    /// Data that points to a person.
    Personal,
}

/// A sensitive span of a text, as byte range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    pub kind: Sensitive,
}

/// Every sensitive span of a text, in order, not overlapping.
#[must_use]
pub fn sensitive_spans(text: &str) -> Vec<Span> {
    let lower = text.to_ascii_lowercase();
    let by_form = secrets::find(text, &lower)
        .into_iter()
        .map(|(start, end)| start..end);
    let by_form = by_form.filter(|r| {
        !credentials::replaces_a_value(&text[r.clone()]) || text[r.clone()].contains("PRIVATE KEY")
    });
    let secret = by_form.chain(credentials::find(text)).map(|r| Span {
        start: r.start,
        end: r.end,
        kind: Sensitive::Secret,
    });
    let person = personal::find(text).into_iter().map(|r| Span {
        start: r.start,
        end: r.end,
        kind: Sensitive::Personal,
    });
    let mut spans: Vec<Span> = secret.chain(person).filter(|s| s.start < s.end).collect();
    spans.sort_by_key(|s| (s.start, s.end));
    let mut kept: Vec<Span> = Vec::new();
    for span in spans {
        match kept.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => kept.push(span),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(text: &str) -> Vec<(&str, Sensitive)> {
        sensitive_spans(text)
            .iter()
            .map(|s| (&text[s.start..s.end], s.kind))
            .collect()
    }

    #[test]
    fn finds_credentials() {
        assert_eq!(
            kinds("use ghp_0123456789abcdefghijABCDEFGHIJ0123 now"),
            [("ghp_0123456789abcdefghijABCDEFGHIJ0123", Sensitive::Secret)]
        );
        assert_eq!(
            kinds(r#"{"password": "hunter2hunter2"}"#),
            [("hunter2hunter2", Sensitive::Secret)]
        );
        assert_eq!(kinds("the password is checked"), []);
        assert_eq!(kinds("sk-"), []);
        assert_eq!(
            kinds("Authorization: Bearer abc.def-1234"),
            [("abc.def-1234", Sensitive::Secret)]
        );
        assert_eq!(
            kinds("aws_secret_access_key=AbCdEfGh12345"),
            [("AbCdEfGh12345", Sensitive::Secret)]
        );
        assert_eq!(
            kinds(r#"{\"password\": \"hunter2hunter2\"}"#),
            [("hunter2hunter2", Sensitive::Secret)]
        );
        assert_eq!(
            kinds("postgres://ana:pw@db/x"),
            [("ana:pw", Sensitive::Secret)]
        );
        let long = "password=".repeat(20_000);
        assert_eq!(
            sensitive_spans(&long).len(),
            1,
            "one pass, however often the name comes"
        );
    }

    #[test]
    fn finds_personal_data() {
        assert_eq!(
            kinds("mail ana.li@example.com."),
            [("ana.li@example.com", Sensitive::Personal)]
        );
        assert_eq!(
            kinds("card 4111 1111 1111 1111 ok"),
            [("4111 1111 1111 1111", Sensitive::Personal)]
        );
        assert_eq!(kinds("order 4111111111111112"), []);
        assert_eq!(
            kinds("250 4111 1111 1111 1111"),
            [("4111 1111 1111 1111", Sensitive::Personal)]
        );
        assert_eq!(
            kinds("card 4111 1111 1111 1111 12/27"),
            [("4111 1111 1111 1111", Sensitive::Personal)]
        );
        assert_eq!(
            kinds("4111-1111-1111-1111 123"),
            [("4111-1111-1111-1111", Sensitive::Personal)]
        );
        let long = "1 ".repeat(200_000);
        assert!(sensitive_spans(&long).is_empty(), "one pass, however long");
        assert_eq!(
            kinds("call +49 30 1234567"),
            [("+49 30 1234567", Sensitive::Personal)]
        );
        assert_eq!(
            kinds("ssn 123-45-6789"),
            [("123-45-6789", Sensitive::Personal)]
        );
        assert_eq!(kinds("on 2026-11-22 at 10:30 retry 5 times"), []);
    }

    proptest! {
        #[test]
        fn spans_are_ordered_disjoint_and_on_character_boundaries(text in "\\PC{0,60}|[a-z@.+0-9 \
            =:\"-]{0,80}|password=\\PC{0,20}") {
            let mut end = 0;
            for span in sensitive_spans(&text) {
                prop_assert!(span.start >= end && span.start < span.end);
                prop_assert!(text.get(span.start..span.end).is_some());
                end = span.end;
            }
        }
    }
}
