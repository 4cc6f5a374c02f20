//! Signed tree heads as transparency logs have them (C2SP tlog-checkpoint in a signed-note), so
//! that existing witnesses can cosign them; and proofs of one entry, or of growth, that anybody
//! checks offline against such a head.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Entry,
    export::ExportedEntry,
    merkle::{self, Hash},
};

/// The algorithm byte of Ed25519 in a note's key id.
const ED25519: u8 = 1;
/// Before each signature line.
pub(crate) const DASH: &str = "\u{2014} ";

/// A tree head: how many entries a trail had, and the root over them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// Which trail: a name that no other log has, as `lucid.example/audit`.
    pub origin: String,
    pub size: u64,
    /// The root of the tree over their hashes.
    pub root: Hash,
}

/// Why a tree head or a proof is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    /// The signed text is not one.
    #[error("the tree head is not one: {0}")]
    Form(&'static str),
    /// No signature of the trail's key holds.
    #[error("the tree head has no signature of the key {0} that holds")]
    Signature(String),
    /// The entry is not what its own hash says.
    #[error("entry {0} is not what its hash says: it was changed")]
    Entry(i64),
    /// The path does not lead from the entry to the root.
    #[error("the proof does not lead from entry {entry} to the tree of {size} entries")]
    Inclusion {
        entry: i64,
        /// How many there are.
        size: u64,
    },
    /// The trees do not belong together.
    #[error(
        "the trail of {second} entries does not continue the one of {first} entries that was kept: \
         it was changed in between"
    )]
    Growth { first: u64, second: u64 },
    /// A proof is about another trail or size than what was kept.
    #[error("the proof is about {found}, but {kept} was kept")]
    Other { found: String, kept: String },
}

/// The four bytes that name a key of a kind in a note.
pub(crate) fn key_id(name: &str, kind: u8, public: &[u8; 32]) -> [u8; 4] {
    let digest: Hash = Sha256::new()
        .chain_update(name)
        .chain_update([b'\n', kind])
        .chain_update(public)
        .finalize()
        .into();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// The key as witnesses are told it: name, key id and public key.
#[must_use]
pub fn verifier_key(origin: &str, public: &[u8; 32]) -> String {
    key_text(origin, ED25519, public)
}

/// A key of a kind as notes name it: `NAME+ID+KEY`.
pub(crate) fn key_text(name: &str, kind: u8, public: &[u8; 32]) -> String {
    let key = STANDARD.encode([&[kind], public.as_slice()].concat());
    format!("{name}+{}+{key}", hex::encode(key_id(name, kind, public)))
}

/// Name, key id and signature of a signature line.
pub(crate) fn signature_of(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, signature) = line.strip_prefix(DASH)?.rsplit_once(' ')?;
    let bytes = STANDARD.decode(signature).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    Some((name, *id, signature.to_vec()))
}

impl TreeHead {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }

    /// The head as a signed note, by 32 secret bytes.
    #[must_use]
    pub fn sign(&self, secret: &[u8; 32]) -> String {
        let key = SigningKey::from_bytes(secret);
        let text = self.text();
        let id = key_id(&self.origin, ED25519, &key.verifying_key().to_bytes());
        let signature =
            STANDARD.encode([id.as_slice(), &key.sign(text.as_bytes()).to_bytes()].concat());
        format!("{text}\n{DASH}{} {signature}\n", self.origin)
    }

    /// Reads a signed note; one of its signatures must be of this key, 64 hexadecimal digits.
    /// Others, as of witnesses, are left alone.
    pub fn read(note: &str, public_key: &str) -> Result<Self, BadProof> {
        let split = note
            .rfind("\n\n")
            .ok_or(BadProof::Form("it has no signatures"))?;
        let (text, signatures) = (&note[..=split], &note[split + 2..]);
        let mut lines = text.lines();
        // A name as C2SP has it: nothing in it that another signed text could bring along.
        let is_name = |line: &&str| {
            !line.is_empty()
                && !line.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
        };
        let origin = lines
            .next()
            .filter(is_name)
            .ok_or(BadProof::Form("it has no origin"))?
            .to_owned();
        let size = lines
            .next()
            .filter(|n| *n == "0" || !n.starts_with(['0', '+']))
            .and_then(|n| n.parse().ok());
        let size = size.ok_or(BadProof::Form("its size is no number"))?;
        let root = lines
            .next()
            .and_then(|line| STANDARD.decode(line).ok())
            .and_then(|root| Hash::try_from(root).ok());
        let root = root.ok_or(BadProof::Form("its root is no hash"))?;
        if lines.next().is_some() {
            return Err(BadProof::Form("it has more lines than Lucid writes"));
        }
        let public: [u8; 32] =
            crate::checkpoint::bytes(public_key).ok_or(BadProof::Form("the key is none"))?;
        let key =
            VerifyingKey::from_bytes(&public).map_err(|_| BadProof::Form("the key is none"))?;
        let holds = |line: &str| {
            let (name, id, signature) = signature_of(line)?;
            let signature = Signature::from_slice(&signature).ok()?;
            (name == origin && id == key_id(&origin, ED25519, &public)).then_some(())?;
            key.verify_strict(text.as_bytes(), &signature).ok()
        };
        if signatures.lines().any(|line| holds(line).is_some()) {
            return Ok(Self { origin, size, root });
        }
        Err(BadProof::Signature(public_key.to_owned()))
    }
}

/// A proof, as a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Proof {
    /// That an entry is in the trail.
    Entry {
        /// The entry, as in an export.
        entry: Box<ExportedEntry>,
        /// Hashes from the entry to the root, hexadecimal.
        path: Vec<String>,
        /// The signed tree head.
        checkpoint: String,
    },
    /// That the trail of the head continues a shorter one.
    Growth {
        /// Entries of the shorter one.
        from: u64,
        /// Hashes that show it, hexadecimal.
        path: Vec<String>,
        /// The signed tree head.
        checkpoint: String,
    },
}

/// The result of a verified proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The tree head that it rests on.
    pub head: TreeHead,
    /// The entry that it is about, if it is about one.
    pub entry: Option<i64>,
    /// The size from which it shows growth.
    pub from: Option<u64>,
}

fn hashes(path: &[String]) -> Result<Vec<Hash>, BadProof> {
    path.iter()
        .map(|text| {
            crate::checkpoint::bytes(text).ok_or(BadProof::Form("a hash of the path is none"))
        })
        .collect()
}

/// The leaf of an entry.
#[must_use]
pub fn leaf_of(entry: &Entry) -> Hash {
    merkle::leaf(&entry.hash)
}

impl Proof {
    /// Checks a proof with the key of the trail, 64 hexadecimal digits, and, for growth, the signed
    /// tree head that was kept.
    pub fn verify(&self, public_key: &str, kept: Option<&str>) -> Result<Shown, BadProof> {
        let kept = kept
            .map(|note| TreeHead::read(note, public_key))
            .transpose()?;
        match self {
            Self::Entry {
                entry: exported,
                path,
                checkpoint,
            } => {
                let head = TreeHead::read(checkpoint, public_key)?;
                same_trail(&head, kept.as_ref())?;
                if let Some(kept) = kept.filter(|kept| *kept != head) {
                    return Err(BadProof::Other {
                        found: format!("a tree of {} entries", head.size),
                        kept: format!("one of {}", kept.size),
                    });
                }
                let entry = exported.checked().ok_or(BadProof::Entry(exported.seq))?;
                let index = entry
                    .seq
                    .checked_sub(1)
                    .and_then(|at| u64::try_from(at).ok())
                    .ok_or(BadProof::Entry(entry.seq))?;
                if !merkle::includes(
                    head.size,
                    &head.root,
                    index,
                    &leaf_of(&entry),
                    &hashes(path)?,
                ) {
                    return Err(BadProof::Inclusion {
                        entry: entry.seq,
                        size: head.size,
                    });
                }
                Ok(Shown {
                    head,
                    entry: Some(entry.seq),
                    from: None,
                })
            }
            Self::Growth {
                from,
                path,
                checkpoint,
            } => {
                let head = TreeHead::read(checkpoint, public_key)?;
                let kept =
                    kept.ok_or(BadProof::Form("the tree head that was kept is needed, too"))?;
                same_trail(&head, Some(&kept))?;
                if kept.size != *from {
                    return Err(BadProof::Other {
                        found: format!("a tree of {from} entries"),
                        kept: format!("one of {}", kept.size),
                    });
                }
                if !merkle::continues(
                    (kept.size, &kept.root),
                    (head.size, &head.root),
                    &hashes(path)?,
                ) {
                    return Err(BadProof::Growth {
                        first: kept.size,
                        second: head.size,
                    });
                }
                Ok(Shown {
                    head,
                    entry: None,
                    from: Some(*from),
                })
            }
        }
    }
}

fn same_trail(head: &TreeHead, kept: Option<&TreeHead>) -> Result<(), BadProof> {
    match kept.filter(|kept| kept.origin != head.origin) {
        Some(kept) => Err(BadProof::Other {
            found: head.origin.clone(),
            kept: kept.origin.clone(),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{GENESIS, commitment};

    const SECRET: [u8; 32] = [3; 32];

    /// Entries that follow each other, as an export has them.
    fn trail(entries: i64) -> Vec<(ExportedEntry, Hash)> {
        let mut prev = GENESIS;
        let one = |seq: i64| {
            let payload = format!("{{\"n\":{seq}}}");
            let entry = Entry {
                seq,
                at: seq,
                actor: "person:ana".into(),
                action: "sign_in".into(),
                subject: "x".into(),
                store: None,
                commit: None,
                rows: Some(crate::sha256("[]")),
                commitment: commitment(b"salt", &payload),
                prev,
                hash: GENESIS,
            }
            .sealed();
            prev = entry.hash;
            (
                ExportedEntry::new(&entry, b"salt", Some(payload), Some("[]".into())),
                leaf_of(&entry),
            )
        };
        (1..=entries).map(one).collect()
    }

    fn head(leaves: &[Hash]) -> String {
        TreeHead {
            origin: "lucid.example/audit".into(),
            size: leaves.len() as u64,
            root: merkle::root(leaves),
        }
        .sign(&SECRET)
    }

    fn texts(path: Vec<Hash>) -> Vec<String> {
        path.iter().map(hex::encode).collect()
    }

    #[test]
    fn an_entry_is_shown_to_be_in_the_trail_and_a_changed_one_is_not() {
        let key = crate::checkpoint::public_key(&SECRET);
        let all = trail(7);
        let leaves: Vec<Hash> = all.iter().map(|(_, leaf)| *leaf).collect();
        let proof = |entry: &ExportedEntry| Proof::Entry {
            entry: Box::new(entry.clone()),
            path: texts(merkle::inclusion(&leaves, 4).unwrap()),
            checkpoint: head(&leaves),
        };
        let shown = proof(&all[4].0).verify(&key, None).unwrap();
        assert_eq!((shown.entry, shown.head.size), (Some(5), 7));
        let mut other = all[4].0.clone();
        other.actor = "person:eve".into();
        assert_eq!(proof(&other).verify(&key, None), Err(BadProof::Entry(5)));
        other = all[4].0.clone();
        other.payload = Some("{}".into());
        assert_eq!(
            proof(&other).verify(&key, None),
            Err(BadProof::Entry(5)),
            "its details are bound, too"
        );
        other = all[4].0.clone();
        other.rows = Some("[[]]".into());
        assert_eq!(
            proof(&other).verify(&key, None),
            Err(BadProof::Entry(5)),
            "and its rows"
        );
        other.seq = i64::MIN;
        assert!(
            proof(&other).verify(&key, None).is_err(),
            "no number of an entry makes it panic"
        );
        assert_eq!(
            proof(&all[3].0).verify(&key, None),
            Err(BadProof::Inclusion { entry: 4, size: 7 })
        );
        assert!(matches!(
            proof(&all[4].0).verify(&crate::checkpoint::public_key(&[4; 32]), None),
            Err(BadProof::Signature(_))
        ));
    }

    #[test]
    fn growth_is_shown_and_a_changed_past_is_found() {
        let key = crate::checkpoint::public_key(&SECRET);
        let leaves: Vec<Hash> = trail(9).into_iter().map(|(_, leaf)| leaf).collect();
        let proof = Proof::Growth {
            from: 4,
            path: texts(merkle::consistency(&leaves, 4).unwrap()),
            checkpoint: head(&leaves),
        };
        assert_eq!(
            proof.verify(&key, Some(&head(&leaves[..4]))).unwrap().from,
            Some(4)
        );
        let mut forged = leaves.clone();
        forged.swap(1, 2);
        assert_eq!(
            proof.verify(&key, Some(&head(&forged[..4]))),
            Err(BadProof::Growth {
                first: 4,
                second: 9
            })
        );
        assert!(matches!(
            proof.verify(&key, Some(&head(&leaves[..5]))),
            Err(BadProof::Other { .. })
        ));
        assert!(proof.verify(&key, None).is_err());
    }

    #[test]
    fn a_note_with_a_witness_is_read_and_a_forged_one_is_not() {
        let key = crate::checkpoint::public_key(&SECRET);
        let note = head(&[[1; 32]]);
        let cosigned = format!(
            "{note}{DASH}witness.example/w1 {}\n",
            STANDARD.encode([7; 76])
        );
        assert_eq!(TreeHead::read(&cosigned, &key).unwrap().size, 1);
        for forged in [
            note.replace("\n1\n", "\n2\n"),
            note.replace("audit\n", "audits\n"),
            note.replace(DASH, "- "),
            String::new(),
            "a\n\n".into(),
        ] {
            assert!(TreeHead::read(&forged, &key).is_err(), "{forged}");
        }
        // A letter is signed with the same key; its text cannot be made into a tree head.
        let letter = crate::letter::sign(
            &SECRET,
            &format!("# What is known of x\n1\n{}\n", STANDARD.encode([9; 32])),
        );
        let signature = STANDARD.decode(letter.lines().last().unwrap()).unwrap();
        let public: [u8; 32] = crate::checkpoint::bytes(&key).unwrap();
        let text = format!(
            "lucid letter v1\0# What is known of x\n1\n{}\n",
            STANDARD.encode([9; 32])
        );
        let origin = text.lines().next().unwrap();
        let note = format!(
            "{text}\n{DASH}{origin} {}\n",
            STANDARD.encode([key_id(origin, ED25519, &public).as_slice(), &signature].concat())
        );
        assert!(matches!(
            TreeHead::read(&note, &key),
            Err(BadProof::Form(_))
        ));
        assert!(verifier_key("lucid.example/audit", &public).starts_with("lucid.example/audit+"));
    }
}
