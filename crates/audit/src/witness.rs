//! Witnesses: servers of others that cosign tree heads of a trail once they have seen that it only
//! grew (C2SP tlog-witness and tlog-cosignature). With a cosigned head, a trail that was rewritten
//! together with its key is found out.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};

use crate::tlog::{key_id, key_text, signature_of};

/// The algorithm byte of a cosignature in a note's key id.
const COSIGNATURE: u8 = 4;

/// The public key of a witness, as it tells it: `NAME+ID+KEY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: [u8; 4],
    key: VerifyingKey,
}

/// Why a key or an answer of a witness is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadWitness {
    /// The key is none.
    #[error("a witness's key is NAME+ID+KEY, the key in base64 and of the kind 4 (a cosignature)")]
    Key,
    /// The answer has no cosignature that holds.
    #[error("the answer of the witness has no cosignature of its key over this tree head")]
    Cosignature,
}

impl FromStr for WitnessKey {
    type Err = BadWitness;

    fn from_str(text: &str) -> Result<Self, BadWitness> {
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(BadWitness::Key);
        };
        let bytes = STANDARD.decode(key).map_err(|_| BadWitness::Key)?;
        let public: [u8; 32] = bytes
            .strip_prefix(&[COSIGNATURE])
            .and_then(|key| key.try_into().ok())
            .ok_or(BadWitness::Key)?;
        let key = VerifyingKey::from_bytes(&public).map_err(|_| BadWitness::Key)?;
        let own = key_id(name, COSIGNATURE, &public);
        let is_name =
            !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control());
        (is_name && hex::encode(own) == id)
            .then(|| Self {
                name: name.to_owned(),
                id: own,
                key,
            })
            .ok_or(BadWitness::Key)
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&key_text(&self.name, COSIGNATURE, self.key.as_bytes()))
    }
}

/// Returns what a witness is sent to `add-checkpoint`: the size it cosigned last, the proof that
/// the trail only grew since, and the signed head. Hashes are hexadecimal.
#[must_use]
pub fn request(cosigned: u64, path: &[String], note: &str) -> Option<String> {
    let mut body = format!("old {cosigned}\n");
    for hash in path {
        body.push_str(&STANDARD.encode(hex::decode(hash).ok()?));
        body.push('\n');
    }
    body.push('\n');
    body.push_str(note);
    Some(body)
}

impl WitnessKey {
    /// Returns what the witness calls itself.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text that a cosignature is over: when it was made, in seconds since 1970, and the text
    /// of the head.
    #[must_use]
    pub fn cosigned_text(time: u64, text: &str) -> String {
        format!("cosignature/v1\ntime {time}\n{text}")
    }

    /// The signed head with the witness's line from its answer, and when it cosigned, in seconds
    /// since 1970.
    pub fn cosigned(&self, note: &str, answer: &str) -> Result<(String, u64), BadWitness> {
        let text = note
            .rfind("\n\n")
            .map(|end| &note[..=end])
            .ok_or(BadWitness::Cosignature)?;
        let found = answer.lines().find_map(|line| {
            let (name, id, signed) = signature_of(line)?;
            let (time, signature) = signed.split_first_chunk::<8>()?;
            let time = u64::from_be_bytes(*time);
            let signature = Signature::from_slice(signature).ok()?;
            (name == self.name && id == self.id).then_some(())?;
            self.key
                .verify_strict(Self::cosigned_text(time, text).as_bytes(), &signature)
                .ok()?;
            Some((line, time))
        });
        let (line, time) = found.ok_or(BadWitness::Cosignature)?;
        Ok((format!("{note}{line}\n"), time))
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;
    use crate::tlog::{DASH, TreeHead};

    fn key_of(name: &str, secret: &SigningKey) -> WitnessKey {
        key_text(name, COSIGNATURE, &secret.verifying_key().to_bytes())
            .parse()
            .unwrap()
    }

    fn line(key: &WitnessKey, secret: &SigningKey, time: u64, text: &str) -> String {
        let signature = secret
            .sign(WitnessKey::cosigned_text(time, text).as_bytes())
            .to_bytes();
        let bytes = [key.id.as_slice(), &time.to_be_bytes(), &signature].concat();
        format!("{DASH}{} {}\n", key.name, STANDARD.encode(bytes))
    }

    #[test]
    fn a_cosignature_holds_for_its_head_key_and_time_alone() {
        let (own, other) = (
            SigningKey::from_bytes(&[1; 32]),
            SigningKey::from_bytes(&[2; 32]),
        );
        let key = key_of("witness.example/w1", &own);
        assert_eq!(key.to_string().parse::<WitnessKey>().unwrap(), key);
        let head = TreeHead {
            origin: "lucid.example/audit".into(),
            size: 3,
            root: [7; 32],
        };
        let note = head.sign(&[9; 32]);
        let answer = line(&key, &own, 1_700_000_000, &head.text());
        let (cosigned, time) = key.cosigned(&note, &answer).unwrap();
        assert_eq!(time, 1_700_000_000);
        // What the trail's own key signed still reads, with the witness's line left alone.
        assert_eq!(
            TreeHead::read(&cosigned, &crate::checkpoint::public_key(&[9; 32])).unwrap(),
            head
        );
        let grown = TreeHead {
            size: 4,
            ..head.clone()
        };
        for wrong in [
            line(&key, &other, 1_700_000_000, &head.text()),
            line(&key, &own, 1_700_000_000, &grown.text()),
            line(
                &key_of("witness.example/w2", &own),
                &own,
                1_700_000_000,
                &head.text(),
            ),
            String::new(),
            format!("{DASH}witness.example/w1 AAAA\n"),
        ] {
            assert_eq!(
                key.cosigned(&note, &wrong),
                Err(BadWitness::Cosignature),
                "{wrong}"
            );
        }
        for wrong in [
            "",
            "a+b",
            "w+00000000+BAAA",
            &key.to_string().replace("w1", "w2"),
        ] {
            assert_eq!(wrong.parse::<WitnessKey>(), Err(BadWitness::Key), "{wrong}");
        }
    }

    #[test]
    fn a_request_is_as_witnesses_read_it() {
        let body = request(
            5,
            &["00".repeat(32), "ff".repeat(32)],
            "note\n\nsignature\n",
        )
        .unwrap();
        let hash = |byte: u8| STANDARD.encode([byte; 32]);
        assert_eq!(
            body,
            format!("old 5\n{}\n{}\n\nnote\n\nsignature\n", hash(0), hash(255))
        );
        assert_eq!(request(0, &["xy".into()], ""), None);
    }
}
