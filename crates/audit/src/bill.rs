//! A bill of memory: which versions of which memories a session was given, and who approved them.
//! It is an in-toto statement (v1) in a DSSE envelope, signed with the key of the trail, so that
//! anybody can check it offline; with an export of the trail, also that the commits it names wrote
//! those very contents.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{checkpoint::bytes, export::Line};

/// The media type of an in-toto statement (in-toto Attestation Framework, v1).
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The type of a statement.
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
/// The action of the entry that a bill was made; its payload holds the SHA-256 of the statement.
pub const MADE: &str = "session.bill";
/// The type of what a bill says.
pub const PREDICATE: &str = "urn:lucid:bill-of-memory:v1";

/// A signed envelope (DSSE v1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The media type of the payload.
    pub payload_type: String,
    pub payload: String,
    pub signatures: Vec<Signed>,
}

/// A signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Ed25519 public key, hexadecimal.
    pub keyid: String,
    /// Ed25519 signature over the pre-authentication encoding, base64.
    pub sig: String,
}

/// The contents of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    #[serde(rename = "_type")]
    pub kind: String,
    /// Each version that was given, with the SHA-256 of its content.
    pub subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// The session, and where each version comes from.
    pub predicate: Bill,
}

/// A version that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    pub name: String,
    /// `sha256`: of the content, hexadecimal.
    pub digest: BTreeMap<String, String>,
}

/// Which session was given what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bill {
    pub session: String,
    /// The agent, as the session's recorder named it.
    pub agent: Option<String>,
    /// When the bill was made, RFC 3339.
    pub made_at: String,
    /// What was given, in the order in which it was first loaded.
    pub memories: Vec<Given>,
    /// Versions that were given and are not listed, because the person who asked may not see their
    /// stores.
    pub left_out: usize,
}

/// A version that was given, and where it comes from. Times are RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    pub version: String,
    pub memory: String,
    /// The version's number in its memory.
    pub number: i64,
    pub store: String,
    pub store_name: String,
    pub path: String,
    /// SHA-256 of the content, hexadecimal; none if it was redacted since.
    pub sha256: Option<String>,
    /// The commit that wrote it.
    pub commit: String,
    /// The commit's number in the store.
    pub revision: i64,
    /// When it was committed.
    pub committed_at: String,
    pub committed_by: String,
    /// Who approved it; nobody where it was written directly or by a policy.
    pub approved_by: Vec<String>,
    /// How often the session loaded it.
    pub times: i64,
    /// When it was first loaded.
    pub first_loaded_at: String,
    /// When it was last loaded.
    pub last_loaded_at: String,
}

/// Why a bill does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBill {
    /// Not an envelope with a statement of this kind.
    #[error("this is not a bill of memory: {0}")]
    Form(String),
    /// No signature of the expected key holds.
    #[error("the signature of the bill does not hold")]
    Signature,
    /// It was signed with another key than expected.
    #[error("the bill was signed with the key {found}, not with {expected}")]
    OtherKey {
        /// The key it names.
        found: String,
        /// The key that was expected.
        expected: String,
    },
    /// The subjects are not the versions that are listed.
    #[error("the subjects of the bill are not the versions that it lists")]
    Subjects,
    /// The trail says that a commit wrote something else, or does not know the version.
    #[error("the trail disagrees: {0}")]
    Trail(String),
}

/// The bytes that are signed (DSSE's pre-authentication encoding).
fn signed_bytes(kind: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Statement {
    /// The statement of a bill.
    #[must_use]
    pub fn new(predicate: Bill) -> Self {
        Self {
            kind: STATEMENT.to_owned(),
            subject: subjects(&predicate),
            predicate_type: PREDICATE.to_owned(),
            predicate,
        }
    }

    /// Signs it with the 32 secret bytes of a key.
    ///
    /// # Errors
    ///
    /// If it cannot be written as JSON, which does not happen.
    pub fn sign(&self, secret: &[u8; 32]) -> serde_json::Result<Envelope> {
        let payload = serde_json::to_vec(self)?;
        let key = SigningKey::from_bytes(secret);
        let sig = STANDARD.encode(key.sign(&signed_bytes(PAYLOAD_TYPE, &payload)).to_bytes());
        let keyid = hex::encode(key.verifying_key().to_bytes());
        let payload = STANDARD.encode(payload);
        Ok(Envelope {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload,
            signatures: vec![Signed { keyid, sig }],
        })
    }
}

/// The subjects of a bill: what was given, but for what was redacted since.
fn subjects(bill: &Bill) -> Vec<Subject> {
    let one = |given: &Given| {
        let digest = BTreeMap::from([("sha256".to_owned(), given.sha256.clone()?)]);
        Some(Subject {
            name: given.version.clone(),
            digest,
        })
    };
    bill.memories.iter().filter_map(one).collect()
}

impl Envelope {
    /// SHA-256 of the statement's bytes, hexadecimal; of no bytes, if it is not base64.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(
            STANDARD.decode(&self.payload).unwrap_or_default(),
        ))
    }

    /// Checks form and signature; `expected` is the key that the reader trusts, if they know one.
    /// Returns what it says and the key.
    pub fn verify(&self, expected: Option<&str>) -> Result<(Statement, String), BadBill> {
        let form = |what: &str| BadBill::Form(what.to_owned());
        if self.payload_type != PAYLOAD_TYPE {
            return Err(form("its payload is of another type"));
        }
        let payload = STANDARD
            .decode(&self.payload)
            .map_err(|_| form("its payload is not base64"))?;
        let [signed] = &self.signatures[..] else {
            return Err(form("it has not exactly one signature"));
        };
        if let Some(expected) = expected.filter(|e| !e.eq_ignore_ascii_case(&signed.keyid)) {
            return Err(BadBill::OtherKey {
                found: signed.keyid.clone(),
                expected: expected.to_owned(),
            });
        }
        let key = bytes(&signed.keyid)
            .and_then(|key| VerifyingKey::from_bytes(&key).ok())
            .ok_or_else(|| form("its key is none"))?;
        let sig = STANDARD
            .decode(&signed.sig)
            .ok()
            .and_then(|sig| Signature::from_slice(&sig).ok());
        let sig = sig.ok_or_else(|| form("its signature is none"))?;
        key.verify_strict(&signed_bytes(PAYLOAD_TYPE, &payload), &sig)
            .map_err(|_| BadBill::Signature)?;
        let statement: Statement =
            serde_json::from_slice(&payload).map_err(|e| BadBill::Form(e.to_string()))?;
        if statement.kind != STATEMENT || statement.predicate_type != PREDICATE {
            return Err(form("its statement is of another type"));
        }
        if statement.subject != subjects(&statement.predicate) {
            return Err(BadBill::Subjects);
        }
        Ok((statement, signed.keyid.clone()))
    }
}

/// Holds a bill against an export of the trail, line by line. The export itself is verified
/// elsewhere. Only entries are believed: they are chained, while anybody can add a checkpoint of
/// their own between them.
#[derive(Debug, Default)]
pub struct TrailCheck {
    /// By version: what an entry says that it put, and the commit of the entry.
    written: BTreeMap<String, Written>,
    /// The SHA-256 of each bill that was made.
    made: BTreeSet<String>,
    window: bool,
}

#[derive(Debug)]
struct Written {
    memory: Option<String>,
    path: Option<String>,
    sha256: Option<String>,
    commit: Option<String>,
}

impl TrailCheck {
    /// Takes note of a line.
    pub fn line(&mut self, line: &Line) {
        let entry = match line {
            Line::Entry(entry) => entry,
            Line::Window { .. } => {
                self.window = true;
                return;
            }
            Line::Checkpoint(_) | Line::Head { .. } => return,
        };
        let payload: Value = entry
            .payload
            .as_deref()
            .and_then(|p| serde_json::from_str(p).ok())
            .unwrap_or_default();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        if entry.action == MADE {
            self.made.extend(text(&payload["sha256"]));
        }
        for version in payload["versions"].as_array().into_iter().flatten() {
            if let Some(id) = version["version"].as_str() {
                let written = Written {
                    memory: text(&version["memory"]),
                    path: text(&version["path"]),
                    sha256: text(&version["sha256"]),
                    commit: entry.commit.clone(),
                };
                self.written.insert(id.to_owned(), written);
            }
        }
    }

    /// Compares; how many contents the trail confirms. Versions whose entries record no SHA-256,
    /// because they are older, are the rest.
    pub fn finish(&self, envelope: &Envelope, bill: &Bill) -> Result<usize, BadBill> {
        let beginning = if self.window {
            " in this period; export all of it"
        } else {
            ""
        };
        if !self.made.contains(&envelope.sha256()) {
            return Err(BadBill::Trail(format!(
                "it has no entry that this bill was made{beginning}"
            )));
        }
        let mut confirmed = 0;
        for given in &bill.memories {
            let Some(written) = self.written.get(&given.version) else {
                return Err(BadBill::Trail(format!(
                    "it has no entry that wrote {}{beginning}",
                    given.version
                )));
            };
            let named = given
                .commit
                .rsplit_once('_')
                .map_or(given.commit.as_str(), |(_, hex)| hex);
            let differs = |written: &Option<String>, listed: &str| {
                written.as_deref().is_some_and(|written| written != listed)
            };
            if written.commit.as_deref() != Some(named) {
                return Err(BadBill::Trail(format!(
                    "{} was not written by {}",
                    given.version, given.commit
                )));
            }
            if differs(&written.memory, &given.memory) || differs(&written.path, &given.path) {
                return Err(BadBill::Trail(format!(
                    "{} is of another memory, or was at another path",
                    given.version
                )));
            }
            match (&written.sha256, &given.sha256) {
                (Some(written), Some(listed)) if written != listed => {
                    return Err(BadBill::Trail(format!(
                        "{} has the SHA-256 {written}, not {listed}",
                        given.version
                    )));
                }
                (Some(_), Some(_)) => confirmed += 1,
                _ => {}
            }
        }
        Ok(confirmed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill() -> Bill {
        let given = Given {
            version: "memver_1".into(),
            memory: "mem_1".into(),
            number: 2,
            store: "memstore_1".into(),
            store_name: "Ops".into(),
            path: "/deploy.md".into(),
            sha256: Some("ab".repeat(32)),
            commit: "commit_0a".into(),
            revision: 7,
            committed_at: "2026-03-01T00:00:00Z".into(),
            committed_by: "Rui".into(),
            approved_by: vec!["Ana".into()],
            times: 3,
            first_loaded_at: "2026-03-02T00:00:00Z".into(),
            last_loaded_at: "2026-03-03T00:00:00Z".into(),
        };
        let memories = vec![
            given.clone(),
            Given {
                version: "memver_2".into(),
                sha256: None,
                ..given
            },
        ];
        Bill {
            session: "sesn_1".into(),
            agent: None,
            made_at: "2026-03-04T00:00:00Z".into(),
            memories,
            left_out: 0,
        }
    }

    #[test]
    fn a_bill_holds_until_a_byte_of_it_changes() {
        let envelope = Statement::new(bill()).sign(&[7; 32]).unwrap();
        let (statement, key) = envelope.verify(None).unwrap();
        assert_eq!((statement.predicate, statement.subject.len()), (bill(), 1));
        assert!(envelope.verify(Some(&key.to_uppercase())).is_ok());
        assert!(matches!(
            envelope.verify(Some("00")),
            Err(BadBill::OtherKey { .. })
        ));
        let text = String::from_utf8(STANDARD.decode(&envelope.payload).unwrap()).unwrap();
        let forged = Envelope {
            payload: STANDARD.encode(text.replace("Ana", "Eva")),
            ..envelope.clone()
        };
        assert_eq!(forged.verify(None), Err(BadBill::Signature));
        let other = Envelope {
            payload_type: "text/plain".into(),
            ..envelope.clone()
        };
        assert!(matches!(other.verify(None), Err(BadBill::Form(_))));
        let unsigned = Envelope {
            signatures: vec![],
            ..envelope
        };
        assert!(matches!(unsigned.verify(None), Err(BadBill::Form(_))));
        let mut statement = Statement::new(bill());
        statement.subject.clear();
        assert_eq!(
            statement.sign(&[7; 32]).unwrap().verify(None),
            Err(BadBill::Subjects)
        );
    }

    #[test]
    fn a_trail_confirms_what_its_entries_say() {
        let envelope = Statement::new(bill()).sign(&[7; 32]).unwrap();
        let line = |action: &str, payload: Value, commit: &str| {
            let line = serde_json::json!({"type": "entry", "seq": 1, "at": 0, "actor": "", "action": action, "subject": "", "commit": commit,
                "salt": "", "payload": payload.to_string(), "commitment": "", "prev": "", "hash": ""});
            serde_json::from_value::<Line>(line).unwrap()
        };
        let wrote = |sha256: &str, path: &str, commit: &str| {
            let versions = ["memver_1", "memver_2"]
                .map(|version| serde_json::json!({"version": version, "memory": "mem_1", "path": path, "sha256": sha256}));
            line(
                "memory.write",
                serde_json::json!({"versions": versions}),
                commit,
            )
        };
        let made = line(MADE, serde_json::json!({"sha256": envelope.sha256()}), "");
        let checked = |lines: &[&Line]| {
            let mut check = TrailCheck::default();
            for line in lines {
                check.line(line);
            }
            check.finish(&envelope, &bill())
        };
        let sha256 = "ab".repeat(32);
        assert_eq!(
            checked(&[&wrote(&sha256, "/deploy.md", "0a"), &made]),
            Ok(1)
        );
        for (what, lines) in [
            (
                "the bill was never made",
                vec![&wrote(&sha256, "/deploy.md", "0a")],
            ),
            (
                "another commit wrote it",
                vec![&wrote(&sha256, "/deploy.md", "0b"), &made],
            ),
            (
                "something else was written",
                vec![&wrote("ef", "/deploy.md", "0a"), &made],
            ),
            (
                "it was elsewhere",
                vec![&wrote(&sha256, "/other.md", "0a"), &made],
            ),
            ("nothing was written", vec![&made]),
            (
                "a checkpoint of anybody's own proves nothing",
                vec![
                    &wrote(&sha256, "/deploy.md", "0a"),
                    &Line::Checkpoint(crate::Checkpoint::sign(&[7; 32], 1, 0, [0; 32])),
                ],
            ),
        ] {
            assert!(matches!(checked(&lines), Err(BadBill::Trail(_))), "{what}");
        }
    }
}
