//! A signed letter: text for a person to read, with a signature at its end that `lucid audit verify
//! --letter` checks offline.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use crate::checkpoint::bytes;

/// Between the text and its signature.
const SEPARATOR: &str = "\n----- signature -----\n";
/// Before the text in what is signed, so that no other signature of the key can be put in its
/// place.
const DOMAIN: &[u8] = b"lucid letter v1\0";

/// Why a letter is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLetter {
    /// There is no signature at its end.
    #[error("the letter has no signature at its end")]
    Unsigned,
    /// It was signed by another key than the one that is trusted.
    #[error("the letter is signed with the key {found}, not with {expected}")]
    OtherKey {
        /// The key that signed.
        found: String,
        /// The key that is trusted.
        expected: String,
    },
    /// The text is not what was signed.
    #[error("the letter was changed after it was signed")]
    Changed,
}

/// Returns what is signed: the SHA-256 of the text, so that no text can be taken for a tree head or
/// anything else that the key signs.
fn signed(text: &str) -> Vec<u8> {
    [DOMAIN, &crate::sha256(text)].concat()
}

/// The text with its signature by 32 secret bytes.
#[must_use]
pub fn sign(secret: &[u8; 32], text: &str) -> String {
    let key = SigningKey::from_bytes(secret);
    let signature = STANDARD.encode(key.sign(&signed(text)).to_bytes());
    format!(
        "{text}{SEPARATOR}Ed25519 key {}\n{signature}\n",
        hex::encode(key.verifying_key().to_bytes())
    )
}

/// Checks a letter; returns the public key that signed it, hexadecimal, and the text.
pub fn verify<'a>(letter: &'a str, expected: Option<&str>) -> Result<(String, &'a str), BadLetter> {
    let (text, end) = letter.rsplit_once(SEPARATOR).ok_or(BadLetter::Unsigned)?;
    let mut lines = end.lines();
    let found = lines
        .next()
        .and_then(|line| line.strip_prefix("Ed25519 key "))
        .ok_or(BadLetter::Unsigned)?
        .trim()
        .to_owned();
    let signature = lines
        .next()
        .and_then(|line| STANDARD.decode(line.trim()).ok())
        .ok_or(BadLetter::Unsigned)?;
    if lines.next().is_some() {
        return Err(BadLetter::Changed);
    }
    if let Some(expected) = expected.filter(|key| !key.eq_ignore_ascii_case(&found)) {
        return Err(BadLetter::OtherKey {
            found,
            expected: expected.to_owned(),
        });
    }
    let key = bytes::<32>(&found)
        .and_then(|key| VerifyingKey::from_bytes(&key).ok())
        .ok_or(BadLetter::Unsigned)?;
    let signature = Signature::from_slice(&signature).map_err(|_| BadLetter::Unsigned)?;
    key.verify_strict(&signed(text), &signature)
        .map_err(|_| BadLetter::Changed)?;
    Ok((found, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_is_believed_only_as_it_was_signed() {
        let letter = sign(&[7; 32], "# What is known of ana\n");
        let key = crate::checkpoint::public_key(&[7; 32]);
        assert_eq!(
            verify(&letter, Some(&key)),
            Ok((key.clone(), "# What is known of ana\n"))
        );
        assert_eq!(
            verify(&letter.replace("ana", "bob"), Some(&key)),
            Err(BadLetter::Changed)
        );
        assert!(matches!(
            verify(&sign(&[8; 32], "x"), Some(&key)),
            Err(BadLetter::OtherKey { .. })
        ));
        assert_eq!(
            verify("# What is known of ana\n", None),
            Err(BadLetter::Unsigned)
        );
        assert_eq!(
            verify(&format!("{letter}more\n"), Some(&key)),
            Err(BadLetter::Changed),
            "nothing may follow the signature"
        );
    }
}
