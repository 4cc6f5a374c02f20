//! Checks a trail entry by entry, in order, and says what is wrong with the first that is not as it
//! was written.

use std::collections::{BTreeSet, VecDeque};

use crate::{
    BadCheckpoint, Checkpoint, Disagreement, Entry, GENESIS,
    checkpoint::vouches,
    commitment,
    rows::{self, Earlier, Row, Rows},
    sha256,
};

/// How many rows that disagree are named in a message.
const NAMED: usize = 20;

/// The first fault of a trail, with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The beginning is missing.
    #[error("the trail begins with entry {found}: its front was cut off")]
    Front {
        /// The first entry that is there.
        found: i64,
    },
    #[error("after entry {after} comes entry {found}: what was between was removed")]
    Gap {
        /// The last good entry.
        after: i64,
        found: i64,
    },
    /// An entry is where a later one must be.
    #[error("after entry {after} comes entry {found}: entries were reordered, or inserted")]
    Order {
        /// The last good entry.
        after: i64,
        found: i64,
    },
    /// The entry names another predecessor.
    #[error("entry {seq} does not follow from entry {}: one of them was replaced", seq - 1)]
    Chain { seq: i64 },
    /// A field of the entry was changed.
    #[error("entry {seq} was changed: its fields do not give its hash")]
    Changed { seq: i64 },
    /// The payload beside an entry is not the one that was committed to.
    #[error("the payload of entry {seq} was changed")]
    Payload { seq: i64 },
    /// A payload is not there, and no entry says that it was erased.
    #[error("the payload of entry {seq} was removed, and no entry says that it was erased")]
    Erased { seq: i64 },
    /// The list of rows beside an entry is not the one that it binds.
    #[error("the rows of entry {seq} were changed")]
    BoundRows { seq: i64 },
    /// Stores or commits of the entries before the first that binds rows are not what that one
    /// says.
    #[error("the store or commit of an entry before {seq} was changed")]
    Earlier {
        /// The first entry that binds rows.
        seq: i64,
    },
    /// All rows are bound a second time.
    #[error(
        "entry {seq} binds all rows anew, as only the first may: what was changed before it is not \
         to be told"
    )]
    Again { seq: i64 },
    /// An entry of the first version after one that binds rows.
    #[error("entry {seq} binds no rows, though entries before it do: it was replaced")]
    Downgrade { seq: i64 },
    /// The trail ends before, or goes on after, the recorded head.
    #[error("the trail ends at entry {found}, but its head says {head}: {}", if head > found { "its end was cut off" } else { "entries were added" })]
    Head { head: i64, found: i64 },
    /// The trail is a signed one, and its end is not signed.
    #[error(
        "the trail is signed, but not up to its end at entry {found}: entries were added or \
         replaced without the key"
    )]
    Unsigned { found: i64 },
    /// A reader who trusts a key was given a trail that says that it was lost.
    #[error(
        "from entry {seq} on another key signs, because the one before was said to be lost: the \
         key that you trust does not vouch for it"
    )]
    Lost { seq: i64 },
    /// A checkpoint that was kept is of what a window does not hold.
    #[error("the checkpoint at {size} is of entries before this window: it says nothing of it")]
    BeforeWindow {
        /// How many entries it covers.
        size: i64,
    },
    /// Another key signs from an entry on, and the one before does not say so.
    #[error(
        "entry {seq} names another signing key without the word of the key before: from there on \
         the trail was written by somebody else"
    )]
    Key { seq: i64 },
    /// A signed checkpoint does not hold, or the trail no longer is what it says.
    #[error(transparent)]
    Checkpoint(#[from] BadCheckpoint),
    /// Rows of the database are not as the trail has them.
    #[error("{}", listed(.0))]
    Rows(Vec<Disagreement>),
}

fn listed(all: &[Disagreement]) -> String {
    let mut lines: Vec<String> = all.iter().take(NAMED).map(ToString::to_string).collect();
    if all.len() > NAMED {
        lines.push(format!("and {} more", all.len() - NAMED));
    }
    lines.join("\n")
}

/// Checks a trail entry by entry, in order.
#[derive(Debug, Clone)]
pub struct Verifier {
    seq: i64,
    hash: [u8; 32],
    checkpoints: VecDeque<Checkpoint>,
    /// The key that the reader trusts, and those that it gave its word for; none if they trust
    /// none.
    trusted: BTreeSet<String>,
    /// The keys that sign, as the entries so far say.
    signers: BTreeSet<String>,
    /// Entries whose payload is not there and whose erasure no entry has told yet.
    erased: BTreeSet<i64>,
    /// Where it begins, if not with the first entry.
    window: bool,
    /// The first entry that binds rows.
    since: Option<i64>,
    rows: Option<Rows>,
    earlier: Earlier,
    /// Where a key was said to be lost.
    lost: Vec<i64>,
}

impl Default for Verifier {
    fn default() -> Self {
        Self {
            seq: 0,
            hash: GENESIS,
            checkpoints: VecDeque::new(),
            trusted: BTreeSet::new(),
            signers: BTreeSet::new(),
            erased: BTreeSet::new(),
            window: false,
            since: None,
            rows: None,
            earlier: Earlier::default(),
            lost: Vec::new(),
        }
    }
}

impl Verifier {
    /// A verifier that also holds the trail against signed checkpoints, which must be of this key
    /// where one is trusted.
    pub fn expecting(
        mut checkpoints: Vec<Checkpoint>,
        key: Option<String>,
    ) -> Result<Self, Broken> {
        for checkpoint in &checkpoints {
            checkpoint.verify(None)?;
        }
        checkpoints.sort_by_key(|c| c.size);
        let trusted = key
            .into_iter()
            .map(|key| key.to_ascii_lowercase())
            .collect();
        Ok(Self {
            checkpoints: checkpoints.into(),
            trusted,
            ..Self::default()
        })
    }

    /// The same, that also rebuilds what every row must be.
    #[must_use]
    pub fn rebuilding(self) -> Self {
        Self {
            rows: Some(Rows::default()),
            ..self
        }
    }

    /// Begins after an entry of this hash: the trail is a window of the whole one.
    pub fn begin_after(&mut self, seq: i64, hash: [u8; 32]) -> Result<(), Broken> {
        if self.seq != 0 || self.window || seq < 1 {
            return Err(Broken::Order {
                after: self.seq,
                found: seq.saturating_add(1),
            });
        }
        (self.seq, self.hash, self.window) = (seq, hash, true);
        while let Some(checkpoint) = self.checkpoints.pop_front_if(|c| c.size <= seq) {
            if checkpoint.size < seq {
                return Err(Broken::BeforeWindow {
                    size: checkpoint.size,
                });
            }
            self.is_trusted(&checkpoint)?;
            checkpoint.covers(hash)?;
        }
        Ok(())
    }

    /// True if it does not begin with the first entry.
    #[must_use]
    pub const fn is_window(&self) -> bool {
        self.window
    }

    /// The hash of the last entry so far.
    #[must_use]
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The first entry that binds rows, from which on the state can be rebuilt.
    #[must_use]
    pub const fn since(&self) -> Option<i64> {
        self.since
    }

    /// Returns what every row must be, as the entries so far have it; empty unless it is
    /// [`rebuilding`](Self::rebuilding).
    pub fn take_rows(&mut self) -> Rows {
        self.rows.take().unwrap_or_default()
    }

    /// Checks a checkpoint that is stored in the trail right after the entry that it covers.
    pub fn checkpoint(&self, checkpoint: &Checkpoint) -> Result<(), Broken> {
        checkpoint.verify(None)?;
        self.is_trusted(checkpoint)?;
        if checkpoint.size != self.seq {
            return Err(BadCheckpoint::Cut {
                size: checkpoint.size,
                found: self.seq,
            }
            .into());
        }
        Ok(checkpoint.covers(self.hash)?)
    }

    /// Refuses a checkpoint of a key that neither is trusted nor follows a trusted one.
    fn is_trusted(&self, checkpoint: &Checkpoint) -> Result<(), BadCheckpoint> {
        match self.trusted.first() {
            Some(expected) if !self.trusted.contains(&checkpoint.public_key) => {
                let (found, expected) = (checkpoint.public_key.clone(), expected.clone());
                Err(BadCheckpoint::OtherKey {
                    size: checkpoint.size,
                    found,
                    expected,
                })
            }
            _ => Ok(()),
        }
    }

    /// Checks the next entry, its payload where it is still there, and the text of the rows that it
    /// binds.
    pub fn next(
        &mut self,
        entry: &Entry,
        payload: Option<(&[u8], &str)>,
        text: Option<&str>,
    ) -> Result<(), Broken> {
        let (after, found, seq) = (self.seq, entry.seq, entry.seq);
        if found != after + 1 {
            return Err(match after {
                0 if found > 1 && !self.window => Broken::Front { found },
                _ if found > after => Broken::Gap { after, found },
                _ => Broken::Order { after, found },
            });
        }
        if entry.computed_hash() != entry.hash {
            return Err(Broken::Changed { seq });
        }
        if entry.prev != self.hash {
            return Err(Broken::Chain { seq });
        }
        match payload {
            Some((salt, text)) if commitment(salt, text) != entry.commitment => {
                return Err(Broken::Payload { seq });
            }
            Some(_) => {}
            None => drop(self.erased.insert(seq)),
        }
        self.bind(entry, text)?;
        (self.seq, self.hash) = (seq, entry.hash);
        while let Some(checkpoint) = self.checkpoints.pop_front_if(|c| c.size <= seq) {
            self.is_trusted(&checkpoint)?;
            checkpoint.covers(self.hash)?;
        }
        Ok(())
    }

    /// Takes in the rows that an entry binds.
    fn bind(&mut self, entry: &Entry, text: Option<&str>) -> Result<(), Broken> {
        let seq = entry.seq;
        let Some(bound) = entry.rows else {
            self.earlier.take(entry);
            return if self.since.is_some() || text.is_some() {
                Err(Broken::Downgrade { seq })
            } else {
                Ok(())
            };
        };
        let text = text
            .filter(|text| sha256(text) == bound)
            .ok_or(Broken::BoundRows { seq })?;
        let listed: Vec<Row> = serde_json::from_str(text).map_err(|_| Broken::BoundRows { seq })?;
        self.since.get_or_insert(seq);
        let first = self.since == Some(seq);
        if listed.iter().filter(|row| row.0 == rows::KEY).count() > 1 {
            return Err(Broken::Key { seq });
        }
        for (table, key, digest, _) in &listed {
            match table.as_str() {
                // Only what comes later can say that a payload was erased.
                rows::ERASED => drop(
                    key.parse::<i64>()
                        .map(|erased| erased < seq && self.erased.remove(&erased)),
                ),
                rows::KEY => self.name_key(seq, key, digest.as_deref())?,
                // A second beginning would bind whatever the rows had become by then.
                rows::EARLIER if self.since != Some(seq) => return Err(Broken::Again { seq }),
                rows::EARLIER if !self.window && *digest != Some(self.earlier.digest()) => {
                    return Err(Broken::Earlier { seq });
                }
                _ => {}
            }
        }
        if let Some(rows) = &mut self.rows {
            rows.apply(seq, listed, first, self.window);
        }
        Ok(())
    }

    /// Takes in that a key signs from an entry on, or no longer does.
    fn name_key(&mut self, seq: i64, key: &str, word: Option<&str>) -> Result<(), Broken> {
        // A key can only be followed by another one.
        let word = word.ok_or(Broken::Key { seq })?;
        if word == rows::LOST {
            if !self.trusted.is_empty() {
                return Err(Broken::Lost { seq });
            }
            self.lost.push(seq);
        } else if !self.window
            && !self.signers.is_empty()
            && !self.signers.iter().any(|old| vouches(old, key, word))
        {
            return Err(Broken::Key { seq });
        }
        if self.trusted.iter().any(|old| vouches(old, key, word)) {
            self.trusted.insert(key.to_owned());
        }
        // One key signs at a time.
        self.signers = BTreeSet::from([key.to_owned()]);
        Ok(())
    }

    /// Entries from which on another key signs without the word of the one before, which was said
    /// to be lost.
    #[must_use]
    pub fn lost_keys(&self) -> &[i64] {
        &self.lost
    }

    /// Checks that the trail ends where the head row says, and is signed there if it is a signed
    /// one; returns how many entries were good.
    pub fn finish(
        self,
        head_seq: i64,
        head_hash: [u8; 32],
        signed: Option<&Checkpoint>,
    ) -> Result<i64, Broken> {
        let found = self.seq;
        if let Some(beyond) = self.checkpoints.front() {
            return Err(BadCheckpoint::Cut {
                size: beyond.size,
                found,
            }
            .into());
        }
        if (found, self.hash) != (head_seq, head_hash) {
            return Err(Broken::Head {
                head: head_seq,
                found,
            });
        }
        if let Some(&seq) = self.erased.first() {
            return Err(Broken::Erased { seq });
        }
        match signed {
            Some(checkpoint) => {
                checkpoint.verify_head(None)?;
                self.is_trusted(checkpoint)?;
                if checkpoint.size != found {
                    return Err(BadCheckpoint::Cut {
                        size: checkpoint.size,
                        found,
                    }
                    .into());
                }
                checkpoint.covers(self.hash)?;
                let known = self.window || self.signers.contains(&checkpoint.public_key);
                if known {
                    Ok(found)
                } else {
                    Err(Broken::Unsigned { found })
                }
            }
            // Who trusts a key is given nothing that it did not sign.
            None if self.signers.is_empty() && self.trusted.is_empty() => Ok(found),
            None => Err(Broken::Unsigned { found }),
        }
    }
}
