//! The digest that a decision names: SHA-256 over canonical bytes of what the person saw (rule 2).
//!
//! Canonical bytes, version 1: the ASCII text `lucid.change.v1`, then fields in a fixed order.
//! Every field is its length in bytes as a big-endian u64 followed by the bytes; an optional field
//! is the byte 0, or the byte 1 and the field; a list is its count as a field-less big-endian u64
//! followed by its items. It is never made over JSON, whose spelling is not fixed.

use sha2::{Digest, Sha256};

use crate::{
    Timestamp,
    changeset::{ChangeKind, Edit, Quote},
    ids::{ChangeId, SignInId, UserId},
};

/// SHA-256 of bytes, as lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The digest of a change as lower-case hexadecimal: over kind, edits with their bases, and the
/// evidence.
#[must_use]
pub fn change_digest(kind: ChangeKind, edits: &[Edit], quotes: &[Quote]) -> String {
    sha256_hex(&change_bytes(kind, edits, quotes))
}

/// The canonical bytes themselves, as the module describes them.
#[must_use]
pub fn change_bytes(kind: ChangeKind, edits: &[Edit], quotes: &[Quote]) -> Vec<u8> {
    let mut out = Canonical(b"lucid.change.v1".to_vec());
    out.field(kind.as_str().as_bytes());
    out.count(edits.len());
    for edit in edits {
        out.optional(edit.memory_id.map(|id| id.to_string()));
        out.optional(edit.base_version.map(|id| id.to_string()));
        out.optional(edit.base_sha256.as_deref());
        out.field(edit.path.as_str().as_bytes());
        out.optional(
            edit.new_path
                .as_ref()
                .map(crate::memory::MemoryPath::as_str),
        );
        out.optional(edit.content.as_deref());
    }
    out.count(quotes.len());
    for quote in quotes {
        out.field(quote.session_id.to_string().as_bytes());
        out.field(quote.event_id.to_string().as_bytes());
        out.count(quote.start);
        out.count(quote.end);
        out.field(sha256_hex(quote.text.as_bytes()).as_bytes());
        out.field(if quote.counter {
            b"counter"
        } else {
            b"support"
        });
    }
    out.0
}

/// The statement that a signature on a decision covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature<'a> {
    pub user: UserId,
    pub sign_in: SignInId,
    /// When they entered their password.
    pub confirmed_at: Timestamp,
    /// What they mean: `approved` or `reviewed`.
    pub meaning: &'a str,
    pub change: ChangeId,
    pub revision: i64,
    pub digest: &'a str,
}

/// The digest of a signature as lower-case hexadecimal: over `lucid.signature.v1` and the fields in
/// their order, as texts; the time in microseconds since the epoch.
#[must_use]
pub fn signature_digest(signature: &Signature<'_>) -> String {
    let mut out = Canonical(b"lucid.signature.v1".to_vec());
    out.field(signature.user.to_string().as_bytes());
    out.field(signature.sign_in.to_string().as_bytes());
    out.field(signature.confirmed_at.0.to_string().as_bytes());
    out.field(signature.meaning.as_bytes());
    out.field(signature.change.to_string().as_bytes());
    out.field(signature.revision.to_string().as_bytes());
    out.field(signature.digest.as_bytes());
    sha256_hex(&out.0)
}

struct Canonical(Vec<u8>);

impl Canonical {
    fn count(&mut self, n: usize) {
        self.0.extend_from_slice(&(n as u64).to_be_bytes());
    }

    fn field(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn optional(&mut self, text: Option<impl AsRef<str>>) {
        match text {
            None => self.0.push(0),
            Some(text) => {
                self.0.push(1);
                self.field(text.as_ref().as_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::ids::{EventId, SessionId};

    fn edit(path: &str, content: Option<&str>) -> Edit {
        let path = path.parse().unwrap();
        Edit {
            memory_id: None,
            base_version: None,
            base_sha256: None,
            path,
            new_path: None,
            content: content.map(Into::into),
        }
    }

    #[test]
    fn every_field_of_a_signature_counts() {
        let id = Uuid::from_u128;
        let one = Signature {
            user: UserId(id(1)),
            sign_in: SignInId(id(2)),
            confirmed_at: Timestamp(3),
            meaning: "approved",
            change: ChangeId(id(4)),
            revision: 5,
            digest: "6",
        };
        let others = [
            Signature {
                user: UserId(id(9)),
                ..one
            },
            Signature {
                sign_in: SignInId(id(9)),
                ..one
            },
            Signature {
                confirmed_at: Timestamp(9),
                ..one
            },
            Signature {
                meaning: "reviewed",
                ..one
            },
            Signature {
                change: ChangeId(id(9)),
                ..one
            },
            Signature { revision: 9, ..one },
            Signature { digest: "9", ..one },
        ];
        assert_eq!(signature_digest(&one).len(), 64);
        assert!(
            others
                .iter()
                .all(|other| signature_digest(other) != signature_digest(&one))
        );
    }

    /// Test vector: written out by hand from the description above, so that another program can be
    /// checked against it.
    #[test]
    fn vector_of_an_add_without_evidence() {
        let bytes = change_bytes(ChangeKind::Add, &[edit("/a", Some("hi"))], &[]);
        let mut expected = b"lucid.change.v1".to_vec();
        expected.extend([0, 0, 0, 0, 0, 0, 0, 3]);
        expected.extend(b"add");
        expected.extend([0, 0, 0, 0, 0, 0, 0, 1]);
        expected.extend([0, 0, 0]);
        expected.extend([0, 0, 0, 0, 0, 0, 0, 2]);
        expected.extend(b"/a");
        expected.push(0);
        expected.push(1);
        expected.extend([0, 0, 0, 0, 0, 0, 0, 2]);
        expected.extend(b"hi");
        expected.extend([0; 8]);
        assert_eq!(bytes, expected);
        assert_eq!(
            change_digest(ChangeKind::Add, &[edit("/a", Some("hi"))], &[]),
            "341e99571bd326667ebebff6fbceeba86aa67e0c59608ffc812c7430758c4365"
        );
    }

    #[test]
    fn every_part_counts() {
        let quote = |counter| Quote {
            session_id: SessionId(Uuid::nil()),
            event_id: EventId(Uuid::nil()),
            start: 0,
            end: 2,
            text: "hi".into(),
            counter,
        };
        let base = change_digest(ChangeKind::Add, &[edit("/a", Some("hi"))], &[quote(false)]);
        let others = [
            change_digest(
                ChangeKind::Update,
                &[edit("/a", Some("hi"))],
                &[quote(false)],
            ),
            change_digest(ChangeKind::Add, &[edit("/b", Some("hi"))], &[quote(false)]),
            change_digest(ChangeKind::Add, &[edit("/a", None)], &[quote(false)]),
            change_digest(ChangeKind::Add, &[edit("/a", Some(""))], &[quote(false)]),
            change_digest(ChangeKind::Add, &[edit("/a", Some("hi"))], &[quote(true)]),
            change_digest(ChangeKind::Add, &[edit("/a", Some("hi"))], &[]),
        ];
        assert!(others.iter().all(|other| *other != base));
    }
}
