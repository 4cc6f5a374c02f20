//! The audit trail's chain: what an entry is, how entries are chained by hash, and the verifier that runs offline.
//!
//! An entry holds a *commitment* to its payload, SHA-256 over a random salt and the payload, so that a payload can be erased
//! later and the chain still verifies. This crate depends on nothing of ours, so that an export can be checked without Lucid.
//! What a chain does not prove: whoever holds the database can rewrite all of it, and a cut tail leaves no trace in it.

pub mod checkpoint;
pub mod export;

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use checkpoint::{BadCheckpoint, Checkpoint};

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
    /// SHA-256 over salt and payload.
    pub commitment: [u8; 32],
    /// Hash of the entry before.
    pub prev: [u8; 32],
    /// Hash of this entry.
    pub hash: [u8; 32],
}

/// The commitment to a payload: SHA-256 over the salt (16 random bytes) and the payload's exact bytes.
#[must_use]
pub fn commitment(salt: &[u8], payload: &str) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update((salt.len() as u64).to_be_bytes());
    hash.update(salt);
    hash.update(payload.as_bytes());
    hash.finalize().into()
}

impl Entry {
    /// The hash that the other fields mean: SHA-256 over `lucid.audit.v1`, seq, time, the three texts (each with its length
    /// in bytes as big-endian u64), commitment and previous hash.
    #[must_use]
    pub fn computed_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(b"lucid.audit.v1");
        hash.update(self.seq.to_be_bytes());
        hash.update(self.at.to_be_bytes());
        for text in [&self.actor, &self.action, &self.subject] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
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

/// What is wrong with a trail, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A row is missing or was put in between.
    #[error("after entry {after} comes entry {found}: entries are missing or were inserted")]
    Gap {
        /// The last good entry.
        after: i64,
        /// What follows it.
        found: i64,
    },
    /// The entry names another predecessor.
    #[error("entry {seq} does not follow from entry {}: one of them was replaced", seq - 1)]
    Chain {
        /// The entry.
        seq: i64,
    },
    /// A field of the entry was changed.
    #[error("entry {seq} was changed: its fields do not give its hash")]
    Changed {
        /// The entry.
        seq: i64,
    },
    /// The payload beside an entry is not the one that was committed to.
    #[error("the payload of entry {seq} was changed")]
    Payload {
        /// The entry.
        seq: i64,
    },
    /// The trail ends before, or goes on after, the recorded head.
    #[error("the trail ends at entry {found}, but its head says {head}: the end was cut or added to")]
    Head {
        /// What the head row says.
        head: i64,
        /// Where the entries end.
        found: i64,
    },
    /// A signed checkpoint does not hold, or the trail no longer is what it says.
    #[error(transparent)]
    Checkpoint(#[from] BadCheckpoint),
}

/// Checks a trail entry by entry, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verifier {
    seq: i64,
    hash: [u8; 32],
    checkpoints: VecDeque<Checkpoint>,
    key: Option<String>,
}

impl Default for Verifier {
    fn default() -> Self {
        Self { seq: 0, hash: GENESIS, checkpoints: VecDeque::new(), key: None }
    }
}

impl Verifier {
    /// A verifier that also holds the trail against signed checkpoints, which must be of this key where one is trusted.
    pub fn expecting(mut checkpoints: Vec<Checkpoint>, key: Option<String>) -> Result<Self, Broken> {
        for checkpoint in &checkpoints {
            checkpoint.verify(key.as_deref())?;
        }
        checkpoints.sort_by_key(|c| c.size);
        Ok(Self { checkpoints: checkpoints.into(), key, ..Self::default() })
    }

    /// Checks a checkpoint that stands in the trail right after the entry that it covers.
    pub fn checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), Broken> {
        checkpoint.verify(self.key.as_deref())?;
        if checkpoint.size != self.seq {
            return Err(BadCheckpoint::Cut { size: checkpoint.size, found: self.seq }.into());
        }
        Ok(checkpoint.covers(self.hash)?)
    }

    /// Checks the next entry, and its payload where it is still there.
    pub fn next(&mut self, entry: &Entry, payload: Option<(&[u8], &str)>) -> Result<(), Broken> {
        if entry.seq != self.seq + 1 {
            return Err(Broken::Gap { after: self.seq, found: entry.seq });
        }
        if entry.computed_hash() != entry.hash {
            return Err(Broken::Changed { seq: entry.seq });
        }
        if entry.prev != self.hash {
            return Err(Broken::Chain { seq: entry.seq });
        }
        if payload.is_some_and(|(salt, text)| commitment(salt, text) != entry.commitment) {
            return Err(Broken::Payload { seq: entry.seq });
        }
        self.seq = entry.seq;
        self.hash = entry.hash;
        while let Some(checkpoint) = self.checkpoints.pop_front_if(|c| c.size <= entry.seq) {
            checkpoint.covers(self.hash)?;
        }
        Ok(())
    }

    /// Checks that the trail ends where the head row says; returns how many entries were good.
    pub fn finish(self, head_seq: i64, head_hash: [u8; 32]) -> Result<i64, Broken> {
        if let Some(beyond) = self.checkpoints.front() {
            return Err(BadCheckpoint::Cut { size: beyond.size, found: self.seq }.into());
        }
        if (self.seq, self.hash) == (head_seq, head_hash) { Ok(self.seq) } else { Err(Broken::Head { head: head_seq, found: self.seq }) }
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
            verifier.next(entry, Some((b"salt", payload)))?;
        }
        verifier.finish(head.seq, head.hash)
    }

    #[test]
    fn a_good_chain_verifies_also_without_payloads() {
        let good = chain(5);
        assert_eq!(verify(&good, &good[4].0), Ok(5));
        let mut verifier = Verifier::default();
        assert!(good.iter().all(|(e, _)| verifier.next(e, None).is_ok()));
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
        assert_eq!(tampered(&|c| drop(c.remove(2))), Broken::Gap { after: 2, found: 4 });
        assert_eq!(tampered(&|c| c.truncate(4)), Broken::Head { head: 6, found: 4 });
        assert_eq!(tampered(&|c| c[3].0.actor = "person:user_2".into()), Broken::Changed { seq: 4 });
        assert_eq!(tampered(&|c| c[3].1 = "{}".into()), Broken::Payload { seq: 4 });
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
        fn any_changed_field_is_found(at in 0usize..8, field in 0usize..5) {
            let good = chain(8);
            let head = good[7].0.clone();
            let mut bad = good;
            let entry = &mut bad[at].0;
            match field {
                0 => entry.at += 1,
                1 => entry.subject.push('x'),
                2 => entry.commitment[0] ^= 1,
                3 => entry.prev[31] ^= 1,
                _ => entry.hash[7] ^= 1,
            }
            prop_assert!(verify(&bad, &head).is_err());
        }
    }
}
