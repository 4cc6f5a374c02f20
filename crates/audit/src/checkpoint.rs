//! Signed checkpoints: how long the chain was and what it ended with, at a time, signed with
//! Ed25519. A chain alone cannot show that its end was cut off; a checkpoint that somebody else
//! keeps can. What it does not prove: anyone who holds the server and the key can lie before
//! signing.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// The prefix of the signed bytes, so that no other signature can be taken for a checkpoint's.
const DOMAIN: &[u8] = b"lucid audit checkpoint v1\0";

/// The end that a trail keeps with itself is signed under another beginning: a checkpoint that was
/// kept cannot be put in its place.
const HEAD_DOMAIN: &[u8] = b"lucid audit head v1\0";

/// A signed statement about the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// How many entries the chain had.
    pub size: i64,
    /// When it was signed, in microseconds since the Unix epoch.
    pub at: i64,
    /// Hash of the last entry, hexadecimal.
    pub head: String,
    /// Ed25519 public key, hexadecimal.
    pub public_key: String,
    /// Ed25519 signature over the canonical bytes, hexadecimal.
    pub signature: String,
}

/// Why a checkpoint does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCheckpoint {
    /// Not hexadecimal of the right length, or no key.
    #[error("the checkpoint at {0} has a key, hash or signature of the wrong form")]
    Form(i64),
    /// The signature is not of this key over these bytes.
    #[error("the signature of the checkpoint at {0} does not hold")]
    Signature(i64),
    /// It was signed with another key than expected.
    #[error("the checkpoint at {size} was signed with the key {found}, not with {expected}")]
    OtherKey {
        size: i64,
        /// The key it names.
        found: String,
        /// The key that was expected.
        expected: String,
    },
    /// The chain says something else than it did when it was signed.
    #[error(
        "entry {size} has the hash {found}, but was signed with {signed}: the trail was changed \
         after the checkpoint"
    )]
    OtherHash {
        size: i64,
        found: String,
        /// Its hash in the checkpoint.
        signed: String,
    },
    /// The chain is shorter than it was.
    #[error(
        "a checkpoint covers {size} entries, but the trail has only {found}: its end was cut off"
    )]
    Cut {
        /// How many it covers.
        size: i64,
        /// How many there are.
        found: i64,
    },
}

/// The bytes that are signed: a prefix, then size and time as big-endian integers, then the hash.
fn signed_bytes(domain: &[u8], size: i64, at: i64, head: [u8; 32]) -> Vec<u8> {
    [domain, &size.to_be_bytes(), &at.to_be_bytes(), &head].concat()
}

impl Checkpoint {
    /// Signs the end of a chain with the 32 secret bytes of a key.
    #[must_use]
    pub fn sign(secret: &[u8; 32], size: i64, at: i64, head: [u8; 32]) -> Self {
        Self::sign_as(DOMAIN, secret, size, at, head)
    }

    /// Signs the end that a trail keeps with itself; it is no checkpoint to be kept elsewhere.
    #[must_use]
    pub fn sign_head(secret: &[u8; 32], size: i64, at: i64, head: [u8; 32]) -> Self {
        Self::sign_as(HEAD_DOMAIN, secret, size, at, head)
    }

    fn sign_as(domain: &[u8], secret: &[u8; 32], size: i64, at: i64, head: [u8; 32]) -> Self {
        let key = SigningKey::from_bytes(secret);
        let signature = key.sign(&signed_bytes(domain, size, at, head));
        Self {
            size,
            at,
            head: hex::encode(head),
            public_key: hex::encode(key.verifying_key().to_bytes()),
            signature: hex::encode(signature.to_bytes()),
        }
    }

    /// Checks signature and key; `expected` is the key that the reader trusts, if they know one.
    pub fn verify(&self, expected: Option<&str>) -> Result<(), BadCheckpoint> {
        self.verify_as(DOMAIN, expected)
    }

    /// As [`Checkpoint::verify`], of the end that a trail keeps with itself.
    pub fn verify_head(&self, expected: Option<&str>) -> Result<(), BadCheckpoint> {
        self.verify_as(HEAD_DOMAIN, expected)
    }

    fn verify_as(&self, domain: &[u8], expected: Option<&str>) -> Result<(), BadCheckpoint> {
        let form = || BadCheckpoint::Form(self.size);
        let key = VerifyingKey::from_bytes(&bytes(&self.public_key).ok_or_else(form)?)
            .map_err(|_| form())?;
        let signature = Signature::from_bytes(&bytes(&self.signature).ok_or_else(form)?);
        if let Some(expected) = expected.filter(|e| !e.eq_ignore_ascii_case(&self.public_key)) {
            return Err(BadCheckpoint::OtherKey {
                size: self.size,
                found: self.public_key.clone(),
                expected: expected.to_owned(),
            });
        }
        let said = signed_bytes(
            domain,
            self.size,
            self.at,
            bytes(&self.head).ok_or_else(form)?,
        );
        key.verify_strict(&said, &signature)
            .map_err(|_| BadCheckpoint::Signature(self.size))
    }

    /// Checks the checkpoint against the hash that the chain has at its place.
    pub fn covers(&self, found: [u8; 32]) -> Result<(), BadCheckpoint> {
        let found = hex::encode(found);
        if found == self.head {
            return Ok(());
        }
        Err(BadCheckpoint::OtherHash {
            size: self.size,
            found,
            signed: self.head.clone(),
        })
    }
}

/// The prefix of the bytes that are signed when one key succeeds another.
const SUCCESSION: &[u8] = b"lucid audit key v1\0";

/// The word of a key for the one that signs after it: an Ed25519 signature over `lucid audit key
/// v1`, a zero byte and the new public key as hexadecimal text.
#[must_use]
pub fn vouch(secret: &[u8; 32], new: &str) -> String {
    hex::encode(
        SigningKey::from_bytes(secret)
            .sign(&[SUCCESSION, new.as_bytes()].concat())
            .to_bytes(),
    )
}

/// True if a word is that of a public key for another one.
#[must_use]
pub fn vouches(public: &str, new: &str, word: &str) -> bool {
    let key = bytes(public).and_then(|key| VerifyingKey::from_bytes(&key).ok());
    let word = bytes(word).map(|word| Signature::from_bytes(&word));
    let (Some(key), Some(word)) = (key, word) else {
        return false;
    };
    key.verify_strict(&[SUCCESSION, new.as_bytes()].concat(), &word)
        .is_ok()
}

/// The public key of 32 secret bytes, hexadecimal.
#[must_use]
pub fn public_key(secret: &[u8; 32]) -> String {
    hex::encode(SigningKey::from_bytes(secret).verifying_key().to_bytes())
}

/// The bytes that a text of hexadecimal digits names; none if it names another number of them.
pub(crate) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).ok().map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_holds_until_a_byte_of_it_changes() {
        let good = Checkpoint::sign(&[7; 32], 12, 1_000, [3; 32]);
        let key = public_key(&[7; 32]);
        assert_eq!(good.verify(Some(&key)), Ok(()));
        assert_eq!(
            good.verify_head(None),
            Err(BadCheckpoint::Signature(12)),
            "a checkpoint is no head"
        );
        assert_eq!(good.covers([3; 32]), Ok(()));
        assert!(matches!(
            good.covers([4; 32]),
            Err(BadCheckpoint::OtherHash { size: 12, .. })
        ));
        assert!(matches!(
            good.verify(Some(&public_key(&[8; 32]))),
            Err(BadCheckpoint::OtherKey { .. })
        ));
        for changed in [
            Checkpoint {
                size: 13,
                ..good.clone()
            },
            Checkpoint {
                at: 1_001,
                ..good.clone()
            },
            Checkpoint {
                head: hex::encode([4; 32]),
                ..good.clone()
            },
            Checkpoint {
                public_key: public_key(&[8; 32]),
                ..good.clone()
            },
        ] {
            assert_eq!(
                changed.verify(None),
                Err(BadCheckpoint::Signature(changed.size))
            );
        }
        let short = Checkpoint {
            signature: "00".into(),
            ..good
        };
        assert_eq!(short.verify(None), Err(BadCheckpoint::Form(12)));
    }
}
