//! The export of a trail: one JSON object a line, bytes as lower-case hexadecimal; the last line is
//! the head. It holds everything that verifying needs, so that a copy can be checked by anybody,
//! offline.

use serde::{Deserialize, Serialize};

use crate::{Broken, Checkpoint, Entry, Verifier};

/// A line of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Line {
    Entry(ExportedEntry),
    /// A signed checkpoint, right after the last entry that it covers.
    Checkpoint(Checkpoint),
    /// The first line of a window: the entry before it, which is not in it.
    Window {
        /// Position of the entry before.
        after: i64,
        hash: String,
    },
    Head {
        /// Position of the last entry.
        seq: i64,
        hash: String,
        /// The checkpoint of the end, if the trail is signed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        signed: Option<Checkpoint>,
    },
}

/// An entry with its payload and the salt of its commitment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportedEntry {
    pub seq: i64,
    /// When, in microseconds since the Unix epoch.
    pub at: i64,
    pub actor: String,
    pub action: String,
    pub subject: String,
    /// In which store, as 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// The commit that it is of, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The rows that it binds, as it stores them; none in entries of the first version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// Salt of the commitment.
    pub salt: String,
    /// The details; none once they were erased.
    pub payload: Option<String>,
    /// SHA-256 over salt and payload.
    pub commitment: String,
    /// Hash of the entry before.
    pub prev: String,
    /// Hash of this entry.
    pub hash: String,
}

impl ExportedEntry {
    /// The line of an entry.
    #[must_use]
    pub fn new(entry: &Entry, salt: &[u8], payload: Option<String>, rows: Option<String>) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            actor: entry.actor.clone(),
            action: entry.action.clone(),
            subject: entry.subject.clone(),
            store: entry.store.clone(),
            commit: entry.commit.clone(),
            rows,
            salt: hex::encode(salt),
            payload,
            commitment: hex::encode(entry.commitment),
            prev: hex::encode(entry.prev),
            hash: hex::encode(entry.hash),
        }
    }

    /// The entry, if it is what its hash says, with its rows and, unless they were erased, its
    /// details.
    pub(crate) fn checked(&self) -> Option<Entry> {
        let entry = self.entry();
        let salt = hex::decode(&self.salt).unwrap_or_default();
        let told = self
            .payload
            .as_deref()
            .is_none_or(|payload| crate::commitment(&salt, payload) == entry.commitment);
        (told && entry.clone().sealed().hash == entry.hash).then_some(entry)
    }

    fn entry(&self) -> Entry {
        Entry {
            seq: self.seq,
            at: self.at,
            actor: self.actor.clone(),
            action: self.action.clone(),
            subject: self.subject.clone(),
            store: self.store.clone(),
            commit: self.commit.clone(),
            rows: self.rows.as_deref().map(crate::sha256),
            commitment: bytes(&self.commitment),
            prev: bytes(&self.prev),
            hash: bytes(&self.hash),
        }
    }
}

/// Hash bytes of a line; what is no hash becomes zeros, which match nothing.
fn bytes(text: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    if hex::decode_to_slice(text, &mut bytes).is_err() {
        bytes = [0; 32];
    }
    bytes
}

/// Checks an export line by line.
#[derive(Debug, Default, Clone)]
pub struct ExportVerifier {
    verifier: Verifier,
    ended: Option<i64>,
}

impl ExportVerifier {
    /// A verifier that also holds the export against checkpoints that were kept elsewhere, and
    /// trusts only this key.
    pub fn expecting(kept: Vec<Checkpoint>, key: Option<String>) -> Result<Self, Broken> {
        Ok(Self {
            verifier: Verifier::expecting(kept, key)?.rebuilding(),
            ended: None,
        })
    }

    /// True if the export does not begin with the first entry.
    #[must_use]
    pub const fn is_window(&self) -> bool {
        self.verifier.is_window()
    }

    /// Checks the next line.
    pub fn next(&mut self, line: &Line) -> Result<(), Broken> {
        match line {
            Line::Window { after, hash } => self.verifier.begin_after(*after, bytes(hash)),
            Line::Entry(exported) => {
                if let Some(head) = self.ended {
                    return Err(Broken::Head {
                        head,
                        found: exported.seq,
                    });
                }
                // A salt that is not hexadecimal is no salt: then no payload matches the
                // commitment.
                let salt = hex::decode(&exported.salt).unwrap_or_default();
                let payload = exported.payload.as_deref().map(|p| (salt.as_slice(), p));
                self.verifier
                    .next(&exported.entry(), payload, exported.rows.as_deref())
            }
            Line::Checkpoint(checkpoint) => self.verifier.checkpoint(checkpoint),
            Line::Head { seq, hash, signed } => {
                let found = self.verifier.take_rows().take_found();
                if !found.is_empty() {
                    return Err(Broken::Rows(found));
                }
                self.ended = Some(self.verifier.clone().finish(
                    *seq,
                    bytes(hash),
                    signed.as_ref(),
                )?);
                Ok(())
            }
        }
    }

    /// How many entries were good; `None` if the head line is missing, so that the end may have
    /// been cut off.
    #[must_use]
    pub fn finish(self) -> Option<i64> {
        self.ended
    }
}
