//! The audit trail's chain: what an entry is, how entries are chained by hash, and the verifier
//! that runs offline.
//!
//! An entry holds a *commitment* to its payload, SHA-256 over a random salt and the payload, so
//! that a payload can be erased later and the chain still verifies; and it binds the rows of the
//! database that were written with it, by their SHA-256, so that the whole state can be checked
//! against the trail ([`rows`]). This crate depends on nothing of ours, so that an export can be
//! checked without Lucid. What a chain does not prove: anyone who holds the database and the
//! signing key can rewrite all of it.

pub mod bill;
pub mod checkpoint;
pub mod export;
pub mod letter;
pub mod merkle;
pub mod rows;
pub mod tlog;
mod verifier;
pub mod witness;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use checkpoint::{BadCheckpoint, Checkpoint};
pub use rows::{Disagreement, Row, Rows};
pub use verifier::{Broken, Verifier};

/// The hash before the first entry.
pub const GENESIS: [u8; 32] = [0; 32];

/// One entry of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Position, from 1, without gaps.
    pub seq: i64,
    /// When, in microseconds since the Unix epoch.
    pub at: i64,
    /// Who: kind and id, as `person:user_...`.
    pub actor: String,
    /// What was done, as `changeset.commit`.
    pub action: String,
    /// To what: the id of the thing.
    pub subject: String,
    /// The store that it was done in, as 32 hexadecimal digits.
    pub store: Option<String>,
    /// The commit that the entry is of, likewise.
    pub commit: Option<String>,
    /// SHA-256 of the text that lists the rows written with it. Entries of the first version have
    /// none, and do not bind store and commit.
    pub rows: Option<[u8; 32]>,
    /// SHA-256 over salt and payload.
    pub commitment: [u8; 32],
    /// Hash of the entry before.
    pub prev: [u8; 32],
    /// Hash of this entry.
    pub hash: [u8; 32],
}

/// The commitment to a payload: SHA-256 over the salt (16 random bytes) and the payload's exact
/// bytes.
#[must_use]
pub fn commitment(salt: &[u8], payload: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((salt.len() as u64).to_be_bytes());
    hash.update(salt);
    hash.update(payload.as_bytes());
    hash.finalize().into()
}

/// The SHA-256 of a text.
#[must_use]
pub fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

impl Entry {
    /// The hash that the other fields mean: SHA-256 over `lucid.audit.v2`, seq, time, the five
    /// texts (each with its length in bytes as big-endian u64; none is empty), the hash of the
    /// rows, commitment and previous hash. Without rows it is `lucid.audit.v1`, the first three
    /// texts, commitment and previous hash.
    #[must_use]
    pub fn computed_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(if self.rows.is_some() {
            b"lucid.audit.v2"
        } else {
            b"lucid.audit.v1"
        });
        hash.update(self.seq.to_be_bytes());
        hash.update(self.at.to_be_bytes());
        let mut text = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        };
        text(&self.actor);
        text(&self.action);
        text(&self.subject);
        if let Some(rows) = self.rows {
            text(self.store.as_deref().unwrap_or_default());
            text(self.commit.as_deref().unwrap_or_default());
            hash.update(rows);
        }
        hash.update(self.commitment);
        hash.update(self.prev);
        hash.finalize().into()
    }

    /// The entry with its hash set.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.hash = self.computed_hash();
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Chain = Vec<(Entry, String)>;

    fn chain(n: i64) -> Vec<(Entry, String)> {
        let mut prev = GENESIS;
        (1..=n)
            .map(|seq| {
                let payload = format!("{{\"n\":{seq}}}");
                let entry = Entry {
                    seq,
                    at: seq * 1_000,
                    actor: "person:user_1".into(),
                    action: "changeset.commit".into(),
                    subject: format!("commit_{seq}"),
                    store: (seq % 2 == 0).then(|| "ab".repeat(16)),
                    commit: None,
                    rows: Some(sha256("[]")),
                    commitment: commitment(b"salt", &payload),
                    prev,
                    hash: GENESIS,
                }
                .sealed();
                prev = entry.hash;
                (entry, payload)
            })
            .collect()
    }

    fn verify(chain: &[(Entry, String)], head: &Entry) -> Result<i64, Broken> {
        let mut verifier = Verifier::default();
        for (entry, payload) in chain {
            verifier.next(entry, Some((b"salt", payload)), Some("[]"))?;
        }
        verifier.finish(head.seq, head.hash, None)
    }

    #[test]
    fn a_good_chain_verifies_also_without_payloads() {
        let good = chain(5);
        assert_eq!(verify(&good, &good[4].0), Ok(5));
        let mut verifier = Verifier::default();
        // Its hashes do; but what was erased must have been said to be.
        assert!(
            good.iter()
                .all(|(e, _)| verifier.next(e, None, Some("[]")).is_ok())
        );
        assert_eq!(
            verifier.finish(5, good[4].0.hash, None),
            Err(Broken::Erased { seq: 1 })
        );
    }

    fn entry(seq: i64, prev: [u8; 32], rows: &str) -> Entry {
        let (actor, action, subject) = ("system:worker".to_owned(), "x".to_owned(), "y".to_owned());
        let commitment = commitment(b"salt", "{}");
        let rows = Some(sha256(rows));
        Entry {
            seq,
            at: seq,
            actor,
            action,
            subject,
            store: None,
            commit: None,
            rows,
            commitment,
            prev,
            hash: GENESIS,
        }
        .sealed()
    }

    #[test]
    fn an_erasure_is_good_only_if_a_later_entry_says_so() {
        let erased = |at: &str| rows::text(&[(rows::ERASED.to_owned(), at.to_owned(), None, None)]);
        for (says, wanted) in [("1", Ok(2)), ("2", Err(Broken::Erased { seq: 1 }))] {
            let first = entry(1, GENESIS, "[]");
            let second = entry(2, first.hash, &erased(says));
            let mut verifier = Verifier::default();
            verifier.next(&first, None, Some("[]")).unwrap();
            verifier
                .next(&second, Some((b"salt", "{}")), Some(&erased(says)))
                .unwrap();
            assert_eq!(verifier.finish(2, second.hash, None), wanted);
        }
    }

    #[test]
    fn a_signed_trail_is_signed_up_to_its_end_by_a_key_that_it_names() {
        let key = checkpoint::public_key(&[7; 32]);
        let named = rows::text(&[(rows::KEY.to_owned(), key, Some(String::new()), None)]);
        let first = entry(1, GENESIS, &named);
        let second = entry(2, first.hash, "[]");
        let mut verifier = Verifier::default();
        verifier
            .next(&first, Some((b"salt", "{}")), Some(&named))
            .unwrap();
        let at_first = verifier.clone();
        verifier
            .next(&second, Some((b"salt", "{}")), Some("[]"))
            .unwrap();
        let sign = |secret: u8, seq: i64, hash| Checkpoint::sign_head(&[secret; 32], seq, 0, hash);
        let finish = |with: Option<&Checkpoint>| verifier.clone().finish(2, second.hash, with);
        assert_eq!(finish(Some(&sign(7, 2, second.hash))), Ok(2));
        assert_eq!(finish(None), Err(Broken::Unsigned { found: 2 }));
        assert_eq!(
            finish(Some(&sign(8, 2, second.hash))),
            Err(Broken::Unsigned { found: 2 })
        );
        let old = sign(7, 1, first.hash);
        assert!(at_first.finish(1, first.hash, Some(&old)).is_ok());
        assert!(matches!(
            finish(Some(&old)),
            Err(Broken::Checkpoint(BadCheckpoint::Cut { size: 1, found: 2 }))
        ));
    }

    #[test]
    fn a_key_follows_another_only_with_its_word() {
        let (old, new) = (
            checkpoint::public_key(&[7; 32]),
            checkpoint::public_key(&[8; 32]),
        );
        let named = |key: &str, word: &str| {
            rows::text(&[(
                rows::KEY.to_owned(),
                key.to_owned(),
                Some(word.to_owned()),
                None,
            )])
        };
        let first_rows = named(&old, "");
        let first = entry(1, GENESIS, &first_rows);
        let good = checkpoint::vouch(&[7; 32], &new);
        for (word, wanted) in [
            (good.as_str(), Ok(2)),
            ("", Err(Broken::Key { seq: 2 })),
            (rows::LOST, Ok(2)),
        ] {
            let second_rows = named(&new, word);
            let second = entry(2, first.hash, &second_rows);
            let mut verifier = Verifier::default();
            verifier
                .next(&first, Some((b"salt", "{}")), Some(&first_rows))
                .unwrap();
            let done = verifier.next(&second, Some((b"salt", "{}")), Some(&second_rows));
            let end = Checkpoint::sign_head(&[8; 32], 2, 0, second.hash);
            assert_eq!(
                verifier.lost_keys(),
                if word == rows::LOST { &[2][..] } else { &[] }
            );
            let done = done.and_then(|()| verifier.finish(2, second.hash, Some(&end)));
            assert_eq!(done, wanted);
            // Who trusts the old key trusts the new one by its word alone.
            let mut trusting = Verifier::expecting(Vec::new(), Some(old.clone())).unwrap();
            trusting
                .next(&first, Some((b"salt", "{}")), Some(&first_rows))
                .unwrap();
            let done = trusting.next(&second, Some((b"salt", "{}")), Some(&second_rows));
            assert_eq!(
                done.and_then(|()| trusting.finish(2, second.hash, Some(&end)))
                    .is_ok(),
                word == good
            );
        }
        assert!(!checkpoint::vouches(&new, &new, &good) && !checkpoint::vouches(&old, &old, &good));
    }

    #[test]
    fn rows_are_bound_and_no_later_entry_is_without() {
        let first = entry(1, GENESIS, "[]");
        let mut verifier = Verifier::default();
        assert_eq!(
            verifier.next(&first, None, Some("[ ]")),
            Err(Broken::BoundRows { seq: 1 })
        );
        assert_eq!(
            verifier.next(&first, None, None),
            Err(Broken::BoundRows { seq: 1 })
        );
        verifier.next(&first, None, Some("[]")).unwrap();
        let old = Entry {
            rows: None,
            ..entry(2, first.hash, "[]")
        }
        .sealed();
        assert_eq!(
            verifier.next(&old, None, None),
            Err(Broken::Downgrade { seq: 2 })
        );
        // A window begins anywhere, but only at the beginning.
        let mut window = Verifier::default();
        window.begin_after(1, first.hash).unwrap();
        assert!(
            window
                .next(&entry(2, first.hash, "[]"), None, Some("[]"))
                .is_ok()
                && window.is_window()
        );
        assert_eq!(
            window.begin_after(7, first.hash),
            Err(Broken::Order { after: 2, found: 8 })
        );
    }

    #[test]
    fn each_tampering_is_found_and_named() {
        let good = chain(6);
        let head = good[5].0.clone();
        let tampered = |f: &dyn Fn(&mut Chain)| {
            let mut chain = good.clone();
            f(&mut chain);
            verify(&chain, &head).unwrap_err()
        };
        assert_eq!(
            tampered(&|c| drop(c.remove(2))),
            Broken::Gap { after: 2, found: 4 }
        );
        assert_eq!(
            tampered(&|c| drop(c.drain(..2))),
            Broken::Front { found: 3 }
        );
        assert_eq!(
            tampered(&|c| c.swap(2, 3)),
            Broken::Gap { after: 2, found: 4 }
        );
        assert_eq!(
            tampered(&|c| c.insert(3, c[2].clone())),
            Broken::Order { after: 3, found: 3 }
        );
        assert_eq!(
            tampered(&|c| c.truncate(4)),
            Broken::Head { head: 6, found: 4 }
        );
        assert_eq!(
            tampered(&|c| c[3].0.actor = "person:user_2".into()),
            Broken::Changed { seq: 4 }
        );
        assert_eq!(
            tampered(&|c| c[3].1 = "{}".into()),
            Broken::Payload { seq: 4 }
        );
        assert_eq!(
            tampered(&|c| {
                c[2].0.action = "x".into();
                c[2].0 = c[2].0.clone().sealed();
            }),
            Broken::Chain { seq: 4 }
        );
    }

    proptest! {
        #[test]
        fn any_changed_field_is_found(at in 0usize..8, field in 0usize..8) {
            let good = chain(8);
            let head = good[7].0.clone();
            let mut bad = good;
            let entry = &mut bad[at].0;
            match field {
                0 => entry.at += 1,
                1 => entry.subject.push('x'),
                2 => entry.commitment[0] ^= 1,
                3 => entry.prev[31] ^= 1,
                4 => entry.store = Some("cd".repeat(16)),
                5 => entry.commit = Some("cd".repeat(16)),
                6 => entry.rows = Some(sha256("[1]")),
                _ => entry.hash[7] ^= 1,
            }
            prop_assert!(verify(&bad, &head).is_err());
        }
    }
}
