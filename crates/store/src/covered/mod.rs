//! The rows that the audit trail covers. Triggers note each of them that a transaction writes, with
//! what it holds then, in `audit_touched`; appending an entry takes the notes and binds the SHA-256
//! of each row, and a transaction that leaves a note behind cannot commit. So no code path can
//! change a covered row without an entry, and anyone who replays the entries knows what each row
//! must be.
//!
//! The text of a row is what the engine makes of it: `json_array` on SQLite, a row as text on
//! PostgreSQL. Texts are never compared across engines.

mod tables;

use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use sqlx::FromRow;

pub use self::tables::{NOT_COVERED, TABLES};
use crate::{Result, Tx};

statements! {
    TOUCHED_SQLITE = "SELECT tbl, k, before, content FROM audit_touched ORDER BY tbl, k";
    TOUCHED_POSTGRES = "SELECT tbl, k, before, content FROM audit_touched
        WHERE txid = CAST(pg_current_xact_id() AS TEXT) ORDER BY tbl, k";
    INTEGRITY_SQLITE = "PRAGMA integrity_check(20)";
    CONTENTS = "SELECT sha256, bytes, content FROM contents";
    NO_CONTENT = "SELECT v.content_sha256 FROM memory_versions v LEFT JOIN contents c
        ON c.sha256 = v.content_sha256
            WHERE v.content_sha256 IS NOT NULL AND c.sha256 IS NULL
        UNION SELECT m.content_sha256 FROM memories m LEFT JOIN contents c
        ON c.sha256 = m.content_sha256 WHERE c.sha256 IS NULL
        UNION SELECT e.content_sha256 FROM change_edits e LEFT JOIN contents c
        ON c.sha256 = e.content_sha256
            WHERE e.content_sha256 IS NOT NULL AND c.sha256 IS NULL
        UNION SELECT e.base_sha256 FROM change_edits e LEFT JOIN contents c
        ON c.sha256 = e.base_sha256
            WHERE e.base_sha256 IS NOT NULL AND c.sha256 IS NULL";
    FORGET = "DELETE FROM audit_touched";
}

/// SQLite only: everything that its schema has, but for indices and statistics that it makes
/// itself.
pub(crate) const SCHEMA: &str = "SELECT type || ' ' || name, tbl_name || ' ' || COALESCE(sql, '')
    FROM sqlite_master
    WHERE NOT (type = 'index' AND sql IS NULL) AND name NOT IN ('sqlite_stat1', 'sqlite_stat4',
    'sqlite_sequence')";
/// SQLite only: a number that each change of the schema raises.
pub(crate) const SCHEMA_VERSION: &str = "PRAGMA schema_version";
/// A table of which every row is covered.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    pub name: &'static str,
    /// The columns that name a row, of those below.
    key: &'static str,
    /// What is covered: each column with its kind (`u` an id, `x` bytes, `t` text, `i` a number,
    /// `b` yes or no).
    columns: &'static str,
    /// Columns that are not covered, because they follow from others or say only how often
    /// something ran.
    pub left_out: &'static [&'static str],
    /// Rows that are not covered, as a condition on the column named by `{}`.
    only: &'static str,
}

/// Which of the two engines an expression is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// The part of a key that a column holds, as text; `of` names the row it is read from.
    fn key(self, of: &str, (column, kind): (&str, &str)) -> String {
        match (self, kind) {
            (_, "t") => format!("{of}{column}"),
            (Self::Sqlite, "u" | "x") => format!("lower(hex({of}{column}))"),
            _ => format!("CAST({of}{column} AS TEXT)"),
        }
    }

    /// The text of all columns. On SQLite `quote` tells apart values of different kinds that JSON
    /// writes alike (NULL, no bytes, bytes that are JSON themselves); of texts, which it cuts at
    /// U+0000, the kind is enough.
    fn content<'a>(self, of: &str, columns: impl Iterator<Item = (&'a str, &'a str)>) -> String {
        let value = |(column, kind): (&str, &str)| match (self, kind) {
            (Self::Sqlite, "t") => format!("typeof({of}{column}), {of}{column}"),
            (Self::Sqlite, _) => format!("quote({of}{column})"),
            (Self::Postgres, _) => format!("{of}{column}"),
        };
        let all = columns.map(value).collect::<Vec<_>>().join(", ");
        match self {
            Self::Sqlite => format!("json_array({all})"),
            Self::Postgres => format!("CAST(ROW({all}) AS TEXT)"),
        }
    }
}

impl Table {
    /// Name and kind of each covered column.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        self.columns.split(' ').filter_map(|c| c.split_once(':'))
    }

    /// The columns that name a row.
    #[must_use]
    pub fn key(&self) -> Vec<&'static str> {
        self.key.split(' ').collect()
    }

    /// Returns what names a row, as SQL.
    fn key_of(&self, engine: Engine, of: &str) -> String {
        let part = |name: &str| {
            self.columns()
                .find(|(column, _)| *column == name)
                .map(|column| engine.key(of, column))
        };
        self.key
            .split(' ')
            .filter_map(part)
            .collect::<Vec<_>>()
            .join(" || '/' || ")
    }

    /// Returns what a row holds, as SQL.
    fn content_of(&self, engine: Engine, of: &str) -> String {
        engine.content(of, self.columns())
    }

    /// Every covered row: what names it and what it holds.
    fn rows(&self, engine: Engine) -> String {
        let only = if self.only.is_empty() {
            String::new()
        } else {
            format!(" WHERE {}", self.only.replace("{}", ""))
        };
        format!(
            "SELECT {} AS k, {} AS content FROM {}{only}",
            self.key_of(engine, ""),
            self.content_of(engine, ""),
            self.name
        )
    }

    /// The triggers that note what is written; a migration holds them word for word.
    #[must_use]
    pub fn triggers(&self, engine: Engine) -> String {
        match engine {
            Engine::Sqlite => self.sqlite_triggers(),
            Engine::Postgres => self.postgres_triggers(),
        }
    }

    fn sqlite_triggers(&self) -> String {
        let mut sql = String::new();
        for (event, row) in [("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")] {
            let of = format!("{row}.");
            let differs = || {
                self.columns()
                    .map(|(c, _)| format!("OLD.{c} IS NOT NEW.{c}"))
                    .collect::<Vec<_>>()
                    .join(" OR ")
            };
            let mut when: Vec<String> = Vec::new();
            if !self.only.is_empty() {
                when.push(self.only.replace("{}", &of));
            }
            if event == "update" {
                when.push(format!("({})", differs()));
            }
            let when = if when.is_empty() {
                String::new()
            } else {
                format!(" WHEN {}", when.join(" AND "))
            };
            let (key, name) = (self.key_of(Engine::Sqlite, &of), self.name);
            let before = if event == "insert" {
                "NULL".to_owned()
            } else {
                self.content_of(Engine::Sqlite, "OLD.")
            };
            let content = if event == "delete" {
                "NULL".to_owned()
            } else {
                self.content_of(Engine::Sqlite, "NEW.")
            };
            let _ = writeln!(
                sql,
                "CREATE TRIGGER {name}_covered_{event} AFTER {} ON {name}{when}\nBEGIN\n    \
                 INSERT INTO audit_touched (tbl, k, before, content) \
                 VALUES ('{name}', {key}, {before}, {content})\n    \
                 ON CONFLICT (tbl, k) DO UPDATE SET content = excluded.content;\nEND;",
                event.to_uppercase()
            );
        }
        sql
    }

    fn postgres_triggers(&self) -> String {
        let name = self.name;
        let one = |of: &str, before: &str, content: &str| {
            format!(
                "INSERT INTO audit_touched (tbl, k, before, content) \
                 VALUES ('{name}', {}, {before}, {content})\n        \
                 ON CONFLICT (txid, tbl, k) DO UPDATE SET content = EXCLUDED.content;",
                self.key_of(Engine::Postgres, of)
            )
        };
        let (old, new) = (
            self.content_of(Engine::Postgres, "OLD."),
            self.content_of(Engine::Postgres, "NEW."),
        );
        let mut sql = format!(
            "CREATE FUNCTION {name}_covered() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n    \
             IF TG_OP = 'DELETE' THEN\n        {}\n    \
             ELSIF TG_OP = 'UPDATE' THEN\n        {}\n    \
             ELSE\n        {}\n    END IF;\n    RETURN NULL;\nEND $$;\n",
            one("OLD.", &old, "NULL"),
            one("NEW.", &old, &new),
            one("NEW.", "NULL", &new)
        );
        for (event, row) in [("insert", "NEW"), ("update", "NEW"), ("delete", "OLD")] {
            let mut when: Vec<String> = Vec::new();
            if !self.only.is_empty() {
                when.push(self.only.replace("{}", &format!("{row}.")));
            }
            if event == "update" {
                let row = |of: &str| {
                    self.columns()
                        .map(|(c, _)| format!("{of}.{c}"))
                        .collect::<Vec<_>>()
                        .join(", ")
                };
                when.push(format!(
                    "ROW({}) IS DISTINCT FROM ROW({})",
                    row("OLD"),
                    row("NEW")
                ));
            }
            let when = if when.is_empty() {
                String::new()
            } else {
                format!(" WHEN ({})", when.join(" AND "))
            };
            let _ = writeln!(
                sql,
                "CREATE TRIGGER {name}_covered_{event} AFTER {} \
                 ON {name} FOR EACH ROW{when} EXECUTE FUNCTION {name}_covered();",
                event.to_uppercase()
            );
        }
        sql
    }
}

/// The row that an entry binds: table, name, and the SHA-256 of its contents; none if it was
/// deleted.
pub type Bound = audit::Row;

/// The SHA-256 of a row, lower-case hexadecimal: over `lucid.row.v1`, table, key and content, each
/// but the last ended by a zero byte.
#[must_use]
pub fn digest(table: &str, key: &str, content: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["lucid.row.v1", table, key] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(content.as_bytes());
    hex::encode(hash.finalize())
}

#[derive(FromRow)]
struct Touched {
    tbl: String,
    k: String,
    before: Option<String>,
    content: Option<String>,
}

/// Drops what is noted before a transaction wrote anything: only another program can have left it,
/// and no entry is to take it.
pub(crate) async fn forget(tx: &mut Tx) -> Result<()> {
    execute!(tx, FORGET)?;
    Ok(())
}

/// The statements that read covered rows, for the test that prepares them.
#[must_use]
pub fn row_statements(engine: Engine) -> Vec<(&'static str, String)> {
    TABLES
        .iter()
        .map(|table| (table.name, table.rows(engine)))
        .collect()
}

/// Takes the notes of what this transaction wrote so far.
pub async fn take(tx: &mut Tx) -> Result<Vec<Bound>> {
    let sql = if matches!(tx, Tx::Sqlite(_)) {
        TOUCHED_SQLITE
    } else {
        TOUCHED_POSTGRES
    };
    let rows = fetch_all!(tx, Touched, sql)?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    execute!(tx, FORGET)?;
    let bound = |row: Touched| {
        let of = |text: Option<&String>| text.map(|text| digest(&row.tbl, &row.k, text));
        let (after, before) = (of(row.content.as_ref()), of(row.before.as_ref()));
        (row.tbl, row.k, after, before)
    };
    // What was made and removed again in between was never there.
    Ok(rows
        .into_iter()
        .map(bound)
        .filter(|row| row.2.is_some() || row.3.is_some())
        .collect())
}

/// Gives every covered row of a table to `take`: what names it, and its SHA-256.
pub async fn each(tx: &mut Tx, table: &Table, mut take: impl FnMut(String, String)) -> Result<()> {
    let sql = table.rows(engine_of(tx));
    let mut one = |(key, content): (String, String)| {
        let digest = digest(table.name, &key, &content);
        take(key, digest);
    };
    each_row!(tx, (String, String), sqlx::AssertSqlSafe(sql), one);
    Ok(())
}

/// The SHA-256 by which each content is stored that is not, or is no longer, what it says.
pub async fn changed_contents(tx: &mut Tx) -> Result<Vec<String>> {
    let mut changed = Vec::new();
    let mut one = |(sha256, bytes, content): (String, i64, String)| {
        if hex::encode(audit::sha256(&content)) != sha256
            || i64::try_from(content.len()) != Ok(bytes)
        {
            changed.push(sha256);
        }
    };
    each_row!(tx, (String, i64, String), CONTENTS, one);
    Ok(changed)
}

/// Returns what SQLite's own check of its file finds: pages, indices and constraints that
/// contradict each other. PostgreSQL has no such check.
pub async fn damage(tx: &mut Tx) -> Result<Vec<String>> {
    if matches!(tx, Tx::Postgres(_)) {
        return Ok(Vec::new());
    }
    let all = fetch_all!(tx, (String,), INTEGRITY_SQLITE)?;
    Ok(all
        .into_iter()
        .map(|(text,)| text)
        .filter(|text| text != "ok")
        .collect())
}

/// The SHA-256 of contents that a version, memory or edit names and that are not there.
pub async fn missing_contents(tx: &mut Tx) -> Result<Vec<String>> {
    Ok(fetch_all!(tx, (String,), NO_CONTENT)?
        .into_iter()
        .map(|(sha256,)| sha256)
        .collect())
}

/// Which engine a transaction is of.
const fn engine_of(tx: &Tx) -> Engine {
    match tx {
        Tx::Sqlite(_) => Engine::Sqlite,
        Tx::Postgres(_) => Engine::Postgres,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All migrations of an engine, in order.
    fn migrations(folder: &str) -> String {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../migrations")
            .join(folder);
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        files
            .into_iter()
            .map(|file| std::fs::read_to_string(file).unwrap())
            .collect()
    }

    /// A new column of a covered table needs a migration with the triggers that this prints.
    #[test]
    fn the_migrations_hold_the_triggers_of_every_covered_table() {
        for (engine, folder) in [(Engine::Sqlite, "sqlite"), (Engine::Postgres, "postgres")] {
            let text = migrations(folder);
            for table in TABLES {
                let wanted = table.triggers(engine);
                assert!(
                    text.contains(&wanted),
                    "no migration of {folder} has:\n{wanted}"
                );
            }
        }
    }
}
