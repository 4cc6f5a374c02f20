//! The rows of the database as the trail has them: each entry lists those that were written with
//! it, and replaying all entries gives what every row must be. Whatever the database holds
//! otherwise was written past Lucid.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use crate::Entry;

/// A row as an entry binds it: the table, what names the row, the SHA-256 of what it holds,
/// hexadecimal, none if it was deleted; and of what it held before, none if it was not there.
pub type Row = (String, String, Option<String>, Option<String>);

/// The name under which an entry says that the payload of another one, named by its position, was
/// erased.
pub const ERASED: &str = "erased_payload";
/// The name under which an entry says which key signs from then on; deleted, it no longer does. A
/// key after another one comes with the word of that ([`crate::checkpoint::vouch`]), or with
/// [`LOST`].
pub const KEY: &str = "signing_key";
/// Instead of the word of the key before: the operator said that it was lost.
pub const LOST: &str = "lost";

/// The name under which the first entry that binds rows binds what those before it do not: their
/// stores and commits.
pub const EARLIER: &str = "earlier_entries";

/// The SHA-256 over stores and commits of entries of the first version, in order.
#[derive(Debug, Clone, Default)]
pub struct Earlier(Sha256);

impl Earlier {
    /// Takes in an entry.
    pub fn take(&mut self, entry: &Entry) {
        self.0.update(entry.seq.to_be_bytes());
        for id in [&entry.store, &entry.commit] {
            let id = id.as_deref().unwrap_or_default();
            self.0.update((id.len() as u64).to_be_bytes());
            self.0.update(id.as_bytes());
        }
    }

    /// The SHA-256 of all that it took in, hexadecimal.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(self.0.clone().finalize())
    }
}

/// The text that an entry stores of its rows: a JSON list of lists.
#[must_use]
pub fn text(rows: &[Row]) -> String {
    serde_json::to_string(rows).unwrap_or_default()
}

/// A row of the database that the trail has otherwise.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// It holds something else than the trail says.
    #[error("{table} {key} was changed past the trail; entry {entry} wrote it")]
    Changed {
        table: String,
        key: String,
        /// The entry that wrote it last.
        entry: i64,
    },
    /// An entry that wrote it found it otherwise than the entry before had left it.
    #[error("{table} {key} was changed past the trail before entry {entry} wrote it anew")]
    Overwritten {
        table: String,
        key: String,
        /// The entry that found it so.
        entry: i64,
    },
    /// It is there more than once.
    #[error("{table} {key} is there more than once")]
    Twice { table: String, key: String },
    /// The database file itself is damaged, or was edited so that its parts contradict each other.
    #[error("the database's own check finds: {0}")]
    Damaged(String),
    #[error("{table} {key} was removed past the trail; entry {entry} wrote it")]
    Removed {
        table: String,
        key: String,
        /// The entry that wrote it last.
        entry: i64,
    },
    /// No entry knows of it.
    #[error("{table} {key} was added past the trail: no entry wrote it")]
    Added { table: String, key: String },
    /// A text that is stored by its SHA-256 has another one.
    #[error("the content {sha256} was changed in place")]
    Content {
        /// The SHA-256 that it is stored by.
        sha256: String,
    },
    /// A part of the database's schema is not as Lucid makes it.
    #[error(
        "the {0} of the database is not as Lucid makes it: it may write along with honest \
         transactions, or keep them from being noted"
    )]
    Schema(String),
    /// A text that a row names is not there.
    #[error("the content {sha256} is missing")]
    MissingContent {
        /// The SHA-256 that it was stored by.
        sha256: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    digest: Box<str>,
    entry: i64,
    seen: bool,
}

/// The rows that the trail says there are, by replaying it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    tables: HashMap<String, HashMap<Box<str>, Known>>,
    found: Vec<Disagreement>,
}

impl Rows {
    /// Takes in what an entry wrote. What it found is compared with what was left there, unless it
    /// binds all rows for the first time (`all`) or the beginning of the trail is not known
    /// (`window`).
    pub fn apply(&mut self, entry: i64, rows: Vec<Row>, all: bool, window: bool) {
        for (table, key, digest, before) in rows {
            if matches!(table.as_str(), ERASED | KEY | EARLIER) {
                continue;
            }
            let keys = self.tables.entry(table.clone()).or_default();
            let known = keys.get(key.as_str()).map(|known| &*known.digest);
            if !all && known != before.as_deref() && !(window && known.is_none()) {
                self.found.push(Disagreement::Overwritten {
                    table,
                    key: key.clone(),
                    entry,
                });
            }
            match digest {
                Some(digest) => drop(keys.insert(
                    key.into(),
                    Known {
                        digest: digest.into(),
                        entry,
                        seen: false,
                    },
                )),
                None => drop(keys.remove(key.as_str())),
            }
        }
    }

    /// Returns what entries found otherwise than it was left.
    pub fn take_found(&mut self) -> Vec<Disagreement> {
        std::mem::take(&mut self.found)
    }

    /// Compares a row of the database with what the trail says of it.
    pub fn compare(&mut self, table: &str, key: &str, digest: &str) -> Option<Disagreement> {
        let known = self
            .tables
            .get_mut(table)
            .and_then(|keys| keys.get_mut(key));
        let (table, key) = (table.to_owned(), key.to_owned());
        let Some(known) = known else {
            return Some(Disagreement::Added { table, key });
        };
        if std::mem::replace(&mut known.seen, true) {
            return Some(Disagreement::Twice { table, key });
        }
        (*known.digest != *digest).then_some(Disagreement::Changed {
            table,
            key,
            entry: known.entry,
        })
    }

    /// Returns what the trail has of a table and the database was not seen to have, by name.
    #[must_use]
    pub fn missing(&self, table: &str) -> Vec<Disagreement> {
        let keys = self
            .tables
            .get(table)
            .into_iter()
            .flatten()
            .filter(|(_, known)| !known.seen);
        let mut all: Vec<(i64, &str)> = keys.map(|(key, known)| (known.entry, &**key)).collect();
        all.sort_unstable();
        let missing = |(entry, key): (i64, &str)| Disagreement::Removed {
            table: table.to_owned(),
            key: key.to_owned(),
            entry,
        };
        all.into_iter().map(missing).collect()
    }

    /// How many rows the trail has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tables.values().map(HashMap::len).sum()
    }

    /// True if it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: &str, digest: Option<&str>, before: Option<&str>) -> Row {
        (
            "memories".to_owned(),
            key.to_owned(),
            digest.map(str::to_owned),
            before.map(str::to_owned),
        )
    }

    #[test]
    fn each_disagreement_is_named_with_its_entry() {
        let mut rows = Rows::default();
        let all = vec![
            row("a", Some("1"), None),
            row("b", Some("1"), None),
            row("c", Some("1"), None),
        ];
        rows.apply(1, all, true, false);
        rows.apply(
            2,
            vec![row("a", Some("2"), Some("1")), row("c", None, Some("1"))],
            false,
            false,
        );
        assert_eq!(rows.take_found(), []);
        assert_eq!(rows.len(), 2);
        let mut other = rows.clone();
        assert_eq!(rows.compare("memories", "a", "2"), None);
        let (table, key) = ("memories".to_owned(), "a".to_owned());
        assert_eq!(
            rows.compare("memories", "a", "2"),
            Some(Disagreement::Twice {
                table: table.clone(),
                key: key.clone()
            })
        );
        assert_eq!(
            other.compare("memories", "a", "1"),
            Some(Disagreement::Changed {
                table: table.clone(),
                key: key.clone(),
                entry: 2
            })
        );
        // An entry that overwrites what was changed tells of it for good.
        other.apply(3, vec![row("a", Some("4"), Some("3"))], false, false);
        assert_eq!(
            other.take_found(),
            [Disagreement::Overwritten {
                table: table.clone(),
                key,
                entry: 3
            }]
        );
        assert_eq!(
            rows.compare("memories", "c", "1"),
            Some(Disagreement::Added {
                table: table.clone(),
                key: "c".to_owned()
            })
        );
        assert_eq!(
            rows.missing("memories"),
            [Disagreement::Removed {
                table,
                key: "b".to_owned(),
                entry: 1
            }]
        );
        assert_eq!(rows.missing("users"), []);
    }
}
