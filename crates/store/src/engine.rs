//! The two engines behind one face. SQLite has one writer and a pool of readers; PostgreSQL one
//! pool. A [`Tx`] is what every read and write takes; the macros below run one SQL text on
//! whichever engine it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use domain::actor::Visible;
use sqlx::{
    PgPool, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use uuid::Uuid;

use crate::{
    covered,
    sealing::{Sealing, SessionKeys},
};

/// Declares the statements of a module and the list of them.
macro_rules! statements {
    ($($(#[$meta:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$meta])* const $name: &str = $sql;)+
        /// Every statement of this module, by name.
        pub const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}

statements! {
    /// A transaction id that is younger than all that was deleted so far.
    NEXT_XID_POSTGRES = "SELECT CAST(CAST(pg_current_xact_id() AS xid) AS TEXT)";
    /// How many transactions are older than a transaction id. As long as there is one, VACUUM keeps
    /// rows that were deleted. Of ANALYZE everybody is shown only that it runs.
    OLDER_POSTGRES = "SELECT (SELECT COUNT(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
        AND (datname = current_database() OR backend_type = 'walsender')
        AND (age(backend_xmin) > age(CAST($1 AS xid)) OR age(backend_xid) > age(CAST($1 AS xid))))
        + (SELECT COUNT(*) FROM pg_stat_progress_analyze WHERE datname = current_database())";
}

/// Statements that this process ran since it started.
static STATEMENTS_RUN: AtomicU64 = AtomicU64::new(0);

/// How many statements this process ran since it started, those that failed among them.
#[must_use]
pub fn statements_run() -> u64 {
    STATEMENTS_RUN.load(Ordering::Relaxed)
}

/// Counts the statement that comes next, and says whether it is to fail on purpose; never but in
/// tests of that.
pub(crate) fn fails() -> bool {
    STATEMENTS_RUN.fetch_add(1, Ordering::Relaxed);
    #[cfg(feature = "faults")]
    return crate::faults::fails();
    #[cfg(not(feature = "faults"))]
    false
}

/// How it fails: as if the connection broke.
pub(crate) fn failed() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())
}

/// Runs one query on whichever engine the transaction is of.
macro_rules! on_engine {
    ($tx:expr, $query:expr, $method:ident $(, $arg:expr)*) => {
        match $tx {
            _ if $crate::engine::fails() => Err($crate::engine::failed()),
            $crate::Tx::Sqlite(t) => $query$(.bind($arg))*.$method(&mut **t).await,
            $crate::Tx::Postgres(t) => $query$(.bind($arg))*.$method(&mut **t).await,
        }
    };
}

/// All rows, as a type that derives `FromRow`.
macro_rules! fetch_all {
    ($tx:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        on_engine!($tx, sqlx::query_as::<_, $row>($sql), fetch_all $(, $arg)*).map_err($crate::Error::from)
    };
}

/// The row, if there is one.
macro_rules! fetch_optional {
    ($tx:expr, $row:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        on_engine!($tx, sqlx::query_as::<_, $row>($sql), fetch_optional $(, $arg)*).map_err($crate::Error::from)
    };
}

/// The first column of the one row there must be.
macro_rules! fetch_scalar {
    ($tx:expr, $value:ty, $sql:expr $(, $arg:expr)* $(,)?) => {
        on_engine!($tx, sqlx::query_scalar::<_, $value>($sql), fetch_one $(, $arg)*).map_err($crate::Error::from)
    };
}

/// Runs a statement; the number of rows it touched.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $arg:expr)* $(,)?) => {
        match $tx {
            _ if $crate::engine::fails() => Err($crate::engine::failed()),
            $crate::Tx::Sqlite(t) => sqlx::query($sql)$(.bind($arg))*.execute(&mut **t).await.map(|done| done.rows_affected()),
            $crate::Tx::Postgres(t) => sqlx::query($sql)$(.bind($arg))*.execute(&mut **t).await.map(|done| done.rows_affected()),
        }
        .map_err($crate::Error::from)
    };
}

/// Gives every row of a statement to a closure, one after the other; none is kept.
macro_rules! each_row {
    ($tx:expr, $row:ty, $sql:expr, $take:expr) => {
        match $tx {
            _ if $crate::engine::fails() => return Err($crate::engine::failed().into()),
            $crate::Tx::Sqlite(t) => {
                let mut rows = sqlx::query_as::<_, $row>($sql).fetch(&mut **t);
                while let Some(row) = futures::TryStreamExt::try_next(&mut rows).await? {
                    $take(row);
                }
            }
            $crate::Tx::Postgres(t) => {
                let mut rows = sqlx::query_as::<_, $row>($sql).fetch(&mut **t);
                while let Some(row) = futures::TryStreamExt::try_next(&mut rows).await? {
                    $take(row);
                }
            }
        }
    };
}

/// The condition that a store is one of those that are asked about.
macro_rules! seen_sql {
    ($store:literal) => {
        concat!(
            "(CAST($1 AS UUID) IS NULL OR ",
            $store,
            " = $1)
            AND (CAST($2 AS UUID) IS NULL OR EXISTS (SELECT 1 FROM user_grants g
            WHERE g.store_id = ",
            $store,
            " AND g.user_id = $2))
            AND EXISTS (SELECT 1 FROM stores z WHERE z.id = ",
            $store,
            " AND z.deleted_at IS NULL)"
        )
    };
}

/// Most values of a list that one statement looks for: a page of rows.
pub(crate) const LISTED: usize = 50;

/// The parameters `$1` to `$50`: as many as [`LISTED`].
macro_rules! fifty {
    () => {
        "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, \
            $20, $21, $22, $23, $24, $25, \
         $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, \
         $44, $45, $46, $47, $48, $49, $50"
    };
}

/// All rows whose column is in a list of any length, as a type that derives `FromRow`. The
/// statement takes [`fifty`] parameters; those that a short list leaves are NULL, which equals
/// nothing.
macro_rules! fetch_listed {
    ($tx:expr, $row:ty, $sql:expr, $list:expr) => {{
        let mut rows: Vec<$row> = Vec::new();
        for part in $list.chunks($crate::engine::LISTED) {
            let slots = (0..$crate::engine::LISTED).map(|n| part.get(n));
            let more = match $tx {
                _ if $crate::engine::fails() => Err($crate::engine::failed()),
                $crate::Tx::Sqlite(t) => {
                    slots
                        .fold(sqlx::query_as::<_, $row>($sql), |query, value| {
                            query.bind(value)
                        })
                        .fetch_all(&mut **t)
                        .await
                }
                $crate::Tx::Postgres(t) => {
                    slots
                        .fold(sqlx::query_as::<_, $row>($sql), |query, value| {
                            query.bind(value)
                        })
                        .fetch_all(&mut **t)
                        .await
                }
            };
            rows.extend(more.map_err($crate::Error::from)?);
        }
        $crate::Result::Ok(rows)
    }};
}

/// Bytes to which SQLite's write-ahead log is cut back.
const WAL_BYTES: u64 = 64 * 1024 * 1024;

static SQLITE_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/postgres");

/// The newest migration that this binary brings; both engines have the same.
#[must_use]
pub fn newest_migration() -> i64 {
    SQLITE_MIGRATIONS
        .iter()
        .map(|m| m.version)
        .max()
        .unwrap_or(0)
}

/// SQLite only: it reads one consistent state, and so goes over a reader.
const BACKUP: &str = "VACUUM INTO $1";

/// SQLite only: writes the file anew, without what was deleted from it.
const REWRITE: &str = "VACUUM";
/// SQLite only: moves the write-ahead log into the file and empties it. Gives 1 first if a reader
/// stood in the way.
const EMPTY_WAL: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
/// How often, and how long apart, [`OLDER_POSTGRES`] is looked at before the rewrite is put off.
const LOOKS: u32 = 30;
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// PostgreSQL only: writes the tables anew that can hold what somebody said.
const REWRITE_TABLES: &str = "VACUUM (FULL) answers, audit, audit_touched, change_edits, changes, changesets, comments, commits, contents, decisions,
    dreams, erasures, events, evidence, findings, form_drafts, idempotency_keys, jobs, legal_holds, memories, memory_versions, model_batches,
    outcomes, policy_applications, policy_back_tests, policy_inputs, policy_outcomes, policy_shadows, recall_marks, recalls, search_documents,
    session_features, sessions, setting_changes, vectors";

/// Waits a moment until no transaction of `PostgreSQL` is left that began before; false if one
/// still is.
async fn is_oldest(pool: &PgPool) -> Result<bool> {
    let xid: String = sqlx::query_scalar(NEXT_XID_POSTGRES)
        .fetch_one(pool)
        .await?;
    for _ in 0..LOOKS {
        let older: i64 = sqlx::query_scalar(OLDER_POSTGRES)
            .bind(&xid)
            .fetch_one(pool)
            .await?;
        if older == 0 {
            return Ok(true);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
    Ok(false)
}

/// An error below the use cases.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database refused or is gone.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database schema could not be brought up to date")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The database file or its lock could not be opened.
    #[error("cannot open {path}: {source}")]
    File {
        path: String,
        source: std::io::Error,
    },
    /// The URL is of neither engine.
    #[error("`{0}` is neither a sqlite: nor a postgres: URL")]
    Url(String),
    /// A base moved between reading and writing (rule 3).
    #[error("the memory changed in between")]
    Moved,
    /// The engine cannot do it.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The trail is signed with a key that was not given.
    #[error(
        "the audit trail of this database is signed with the key {0}, and nothing may be written \
            without it"
    )]
    SigningKey(String),
    /// The end of the trail is not as the last entry left it.
    #[error(
        "the end of the audit trail was changed past Lucid, and nothing is written until that is \
            mended; run `lucid audit verify`"
    )]
    Trail,
    /// The schema is not as this Lucid makes it.
    #[error(
        "the database's schema is not as this Lucid makes it ({0}), and nothing is written to it; \
            if a newer Lucid migrated it, start that one"
    )]
    Schema(String),
    /// The key of a sealed transcript is gone, or is none.
    #[error(
        "{0}; if it was not erased, start Lucid with the folder that holds it (--session-keys)"
    )]
    SessionKey(String),
    /// The row is not there, or the state it must be in has changed.
    #[error("it is no longer in the state it was in")]
    Stale,
}

/// The result of everything in this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// True if the database could not be reached, or went away in between.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        let Self::Database(error) = self else {
            return false;
        };
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Tls(_) => true,
            // PostgreSQL: connection exceptions, and the server starting up or shutting down.
            sqlx::Error::Database(e) => e
                .code()
                .is_some_and(|c| c.starts_with("08") || c.starts_with("57P")),
            _ => false,
        }
    }

    fn code(&self) -> Option<String> {
        match self {
            Self::Database(sqlx::Error::Database(e))
            | Self::Migrate(
                sqlx::migrate::MigrateError::Execute(sqlx::Error::Database(e))
                | sqlx::migrate::MigrateError::ExecuteMigration(sqlx::Error::Database(e), _),
            ) => e.code().map(std::borrow::Cow::into_owned),
            _ => None,
        }
    }

    /// True if the file is no SQLite database, or a damaged one (`SQLITE_NOTADB`,
    /// `SQLITE_CORRUPT`).
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.code()
            .is_some_and(|c| matches!(c.as_str(), "26" | "11" | "267" | "523" | "779"))
    }

    /// True if the file, or its folder, may not be opened or written (`SQLITE_CANTOPEN`,
    /// `SQLITE_READONLY`, `SQLITE_PERM`).
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::File { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied)
            || self
                .code()
                .is_some_and(|c| matches!(c.as_str(), "14" | "8" | "3" | "1032" | "1544"))
    }

    /// True if the disk under the database is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        // SQLite: SQLITE_FULL, its write that found no room, and the index of its log that could
        // not grow (SQLITE_IOERR_SHMSIZE); PostgreSQL: disk_full.
        self.code()
            .is_some_and(|c| matches!(c.as_str(), "13" | "778" | "4874" | "53100"))
    }

    /// True if a unique constraint refused the row.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(e)) if e.is_unique_violation())
    }
}

/// An open database of either engine.
#[derive(Debug, Clone)]
pub enum Db {
    Sqlite {
        /// Any number of readers.
        read: SqlitePool,
        /// The only writer of this process.
        write: SqlitePool,
        /// The key in the file beside it, if there is one: it signs the audit trail.
        key: Option<[u8; 32]>,
        /// The version of the schema that was last compared with Lucid's own.
        schema: Arc<AtomicI64>,
    },
    /// The one for teams.
    Postgres(PgPool),
}

/// A transaction on either engine. Dropped without [`Tx::commit`], it never happened.
#[derive(Debug)]
pub enum Tx {
    Sqlite(Open<sqlx::Sqlite>),
    Postgres(Open<sqlx::Postgres>),
}

/// A transaction of an engine, with what it knows of the keys of sealed transcripts. Statements run
/// on it as on its connection.
#[derive(Debug)]
pub struct Open<D: sqlx::Database> {
    tx: sqlx::Transaction<'static, D>,
    sealing: Sealing,
}

impl<D: sqlx::Database> From<sqlx::Transaction<'static, D>> for Open<D> {
    fn from(tx: sqlx::Transaction<'static, D>) -> Self {
        Self {
            tx,
            sealing: Sealing::default(),
        }
    }
}

impl<D: sqlx::Database> std::ops::Deref for Open<D> {
    type Target = D::Connection;

    fn deref(&self) -> &D::Connection {
        &self.tx
    }
}

impl<D: sqlx::Database> std::ops::DerefMut for Open<D> {
    fn deref_mut(&mut self) -> &mut D::Connection {
        &mut self.tx
    }
}

impl Tx {
    /// Makes everything since the beginning of the transaction durable, or nothing.
    pub async fn commit(self) -> Result<()> {
        if fails() {
            return Err(failed().into());
        }
        match self {
            Self::Sqlite(open) => open.tx.commit().await?,
            Self::Postgres(open) => open.tx.commit().await?,
        }
        Ok(())
    }

    /// The same, sealing transcripts and opening sealed ones with these keys.
    #[must_use]
    pub fn with_session_keys(mut self, keys: Option<SessionKeys>) -> Self {
        *self.sealing() = Sealing::with(keys);
        self
    }

    /// Returns what this transaction knows of the keys of sealed transcripts.
    pub(crate) const fn sealing(&mut self) -> &mut Sealing {
        match self {
            Self::Sqlite(open) => &mut open.sealing,
            Self::Postgres(open) => &mut open.sealing,
        }
    }
}

impl Db {
    /// Opens `sqlite:PATH` or `postgres://..` and brings its schema up to date. On SQLite the file
    /// is made if it is missing.
    pub async fn open(url: &str) -> Result<Self> {
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options: PgConnectOptions = url.parse()?;
            let pool = PgPoolOptions::new()
                .max_connections(16)
                .acquire_timeout(Duration::from_secs(5))
                .connect_with(options)
                .await?;
            POSTGRES_MIGRATIONS.run(&pool).await?;
            let db = Self::Postgres(pool);
            db.fold_titles().await?;
            return Ok(db);
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            return Err(Error::Url(without_password(url)));
        };
        let db = open_sqlite(Path::new(path.trim_start_matches("//"))).await?;
        db.fold_titles().await?;
        Ok(db)
    }

    /// Folds titles that were stored before there was a form for searching, or by an older server
    /// beside this one.
    async fn fold_titles(&self) -> Result<()> {
        loop {
            let mut tx = self.write().await?;
            let folded = crate::changesets::fold_titles(&mut tx).await?
                + crate::changes::fold_titles(&mut tx).await?;
            tx.commit().await?;
            if folded == 0 {
                return Ok(());
            }
        }
    }

    /// A transaction for reading: one snapshot on either engine, so that what a page shows and the
    /// digest beside it belong together.
    pub async fn read(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { read, .. } => Tx::Sqlite(read.begin().await?.into()),
            Self::Postgres(pool) => Tx::Postgres(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                    .await?
                    .into(),
            ),
        })
    }

    /// A transaction for writing. Never hold it across a network or model call, and never begin one
    /// inside another.
    pub async fn write(&self) -> Result<Tx> {
        Ok(match self {
            Self::Sqlite { write, schema, .. } => {
                let mut tx = write.begin_with("BEGIN IMMEDIATE").await?;
                let version = sqlx::query_scalar::<_, i64>(covered::SCHEMA_VERSION)
                    .fetch_one(&mut *tx)
                    .await?;
                if schema.load(Ordering::Relaxed) != version {
                    self.refuse_changed_schema().await?;
                    schema.store(version, Ordering::Relaxed);
                }
                let mut tx = Tx::Sqlite(tx.into());
                covered::forget(&mut tx).await?;
                tx
            }
            Self::Postgres(pool) => Tx::Postgres(pool.begin().await?.into()),
        })
    }

    async fn refuse_changed_schema(&self) -> Result<()> {
        let changed = self.changed_schema().await?;
        if changed.is_empty() {
            Ok(())
        } else {
            Err(Error::Schema(
                changed.into_iter().take(3).collect::<Vec<_>>().join(", "),
            ))
        }
    }

    /// Tables, views, triggers and indices that are not as this Lucid's migrations make them: a
    /// trigger that somebody planted writes along with honest transactions. SQLite only.
    pub async fn changed_schema(&self) -> Result<Vec<String>> {
        let Self::Sqlite { read, .. } = self else {
            return Ok(Vec::new());
        };
        let wanted = OWN_SCHEMA.get_or_try_init(own_schema).await?;
        let is: BTreeMap<String, String> = sqlx::query_as::<_, (String, String)>(covered::SCHEMA)
            .fetch_all(read)
            .await?
            .into_iter()
            .collect();
        let names: BTreeSet<&String> = is.keys().chain(wanted.keys()).collect();
        Ok(names
            .into_iter()
            .filter(|name| is.get(*name) != wanted.get(*name))
            .cloned()
            .collect())
    }

    /// The key that signs the audit trail, if it is beside the database.
    #[must_use]
    pub const fn signing_key(&self) -> Option<[u8; 32]> {
        match self {
            Self::Sqlite { key, .. } => *key,
            Self::Postgres(_) => None,
        }
    }

    /// The name of the engine, as pages and `doctor` show it.
    #[must_use]
    pub const fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// Copies an SQLite database into a file that does not exist yet, while it is in use: one
    /// consistent state.
    pub async fn backup(&self, file: &Path) -> Result<()> {
        let Self::Sqlite { read, .. } = self else {
            return Err(Error::Unsupported(
                "a PostgreSQL database is backed up with its own pg_dump, or by its server's \
                    archive",
            ));
        };
        if file.exists() {
            return Err(Error::File {
                path: file.display().to_string(),
                source: std::io::ErrorKind::AlreadyExists.into(),
            });
        }
        // VACUUM INTO takes an empty file as one that is not there, and leaves its rights as they
        // are.
        make_private(file)?;
        sqlx::query(BACKUP)
            .bind(file.display().to_string())
            .execute(read)
            .await?;
        Ok(())
    }

    /// Writes the files of the database anew, so that they hold nothing that was erased. Writers
    /// wait meanwhile; on PostgreSQL readers of the tables, too. False if a transaction that began
    /// before was in the way: it keeps `SQLite`'s write-ahead log from being emptied, and
    /// `PostgreSQL` from dropping deleted rows. Then it is to be tried again.
    pub async fn rewrite(&self) -> Result<bool> {
        match self {
            Self::Sqlite { write, .. } => {
                let mut connection = write.acquire().await?;
                sqlx::query(REWRITE).execute(&mut *connection).await?;
                let busy = sqlx::query_scalar::<_, i64>(EMPTY_WAL)
                    .fetch_one(&mut *connection)
                    .await?;
                Ok(busy == 0)
            }
            Self::Postgres(pool) => {
                if !is_oldest(pool).await? {
                    return Ok(false);
                }
                sqlx::query(REWRITE_TABLES).execute(pool).await?;
                Ok(true)
            }
        }
    }

    /// Bytes of SQLite's write-ahead log; `None` on PostgreSQL, or where there is none.
    pub async fn wal_bytes(&self) -> Option<u64> {
        let Self::Sqlite { read, .. } = self else {
            return None;
        };
        let file = read.connect_options().get_filename().to_owned();
        let mut name = file.into_os_string();
        name.push("-wal");
        tokio::task::spawn_blocking(move || std::fs::metadata(name).map(|m| m.len()).ok())
            .await
            .ok()
            .flatten()
    }

    /// Closes every connection of every pool.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { read, write, .. } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// The schema that this Lucid's migrations make.
static OWN_SCHEMA: tokio::sync::OnceCell<BTreeMap<String, String>> =
    tokio::sync::OnceCell::const_new();

async fn own_schema() -> Result<BTreeMap<String, String>> {
    let fresh = SqlitePoolOptions::new()
        .max_connections(1)
        .connect("sqlite::memory:")
        .await?;
    SQLITE_MIGRATIONS.run(&fresh).await?;
    let schema = sqlx::query_as::<_, (String, String)>(covered::SCHEMA)
        .fetch_all(&fresh)
        .await?;
    fresh.close().await;
    Ok(schema.into_iter().collect())
}

async fn open_sqlite(path: &Path) -> Result<Db> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(30))
        // Else `INSERT OR REPLACE` deletes rows past the triggers that guard them.
        .pragma("recursive_triggers", "ON")
        // The write-ahead log is cut back to this after each checkpoint, however large a long read
        // once made it.
        .pragma("journal_size_limit", WAL_BYTES.to_string())
        .pragma("trusted_schema", "OFF");
    make_private(path)?;
    // The writer, and with it the file and the schema, comes first: readers cannot make them.
    let lock_path = path.with_extension("migrate-lock");
    let file_error = |source| Error::File {
        path: lock_path.display().to_string(),
        source,
    };
    let lock = File::create(&lock_path).map_err(file_error)?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock))
        .await
        .map_err(|e| file_error(e.into()))?
        .map_err(file_error)?;
    // A commit that a full disk refused is rolled back by SQLite itself, and the connection then
    // takes itself for one that is still in a transaction: every later write would fail on it. Such
    // a connection is closed and another opened.
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(Duration::from_mins(1))
        .before_acquire(|connection, _| {
            Box::pin(async move { Ok(!sqlx::Connection::is_in_transaction(connection)) })
        })
        .connect_with(options.clone())
        .await?;
    SQLITE_MIGRATIONS.run(&write).await?;
    drop(lock);
    let read = SqlitePoolOptions::new()
        .max_connections(8)
        .connect_with(options.read_only(true))
        .await?;
    Ok(Db::Sqlite {
        read,
        write,
        key: read_key(&key_file(path))?,
        schema: Arc::new(AtomicI64::new(-1)),
    })
}

/// Returns where the key is that signs the audit trail of an SQLite database, unless another file
/// is named.
#[must_use]
pub fn key_file(database: &Path) -> PathBuf {
    database.with_extension("signing-key")
}

/// The key in a file: 32 bytes as 64 hexadecimal digits. None if there is no file.
pub fn read_key(file: &Path) -> Result<Option<[u8; 32]>> {
    let failed = |source| Error::File {
        path: file.display().to_string(),
        source,
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut key = [0; 32];
    let read = hex::decode_to_slice(text.trim(), &mut key);
    read.map_err(|_| {
        failed(std::io::Error::other(
            "it holds no signing key, which is 64 hexadecimal digits",
        ))
    })?;
    Ok(Some(key))
}

/// Makes the file, if it is not there, for its owner's eyes only; what SQLite puts beside it gets
/// the same rights.
fn make_private(path: &Path) -> Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(Error::File {
            path: path.display().to_string(),
            source,
        }),
    }
}

fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            format!("{}://***{}", &url[..scheme], &url[at..])
        }
        _ => url.to_owned(),
    }
}

/// A text as it is searched: each letter without its case, in every script, wherever it stands (`ß`
/// is `ss`, and a final `ς` is `σ`). SQLite's own `LOWER` knows ASCII only.
pub(crate) fn folded(text: &str) -> String {
    text.chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

/// A pattern that finds a text as it was typed, in any case, in what [`folded`] gave; `!` escapes.
pub(crate) fn like(text: &str) -> String {
    let escaped: String = folded(text)
        .chars()
        .flat_map(|c| {
            matches!(c, '%' | '_' | '!')
                .then_some('!')
                .into_iter()
                .chain([c])
        })
        .collect();
    format!("%{escaped}%")
}

/// The viewer as a parameter: NULL sees all, a person what was granted, and the nil id nothing.
pub(crate) fn viewer(visible: Visible) -> Option<Uuid> {
    match visible {
        Visible::All => None,
        Visible::GrantedTo(user) => Some(user.0),
        // A list that is narrowed to one store is asked with `Visible::narrowed`; one that was not
        // shows nothing.
        Visible::OneOf(..) | Visible::Nothing => Some(Uuid::nil()),
    }
}

/// One page of a list that is paged by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub rows: Vec<T>,
    /// True if there are more after the last row.
    pub more: bool,
}

impl<T> Page<T> {
    /// Makes a page of `limit` rows from up to `limit + 1` that were fetched.
    pub(crate) fn of(mut rows: Vec<T>, limit: i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let more = rows.len() > limit;
        rows.truncate(limit);
        Self { rows, more }
    }
}

#[cfg(test)]
mod tests {
    use super::without_password;

    #[test]
    fn a_refused_url_never_shows_its_password() {
        assert_eq!(
            without_password("mysql://ana:hunter2@db/x"),
            "mysql://***@db/x"
        );
        assert_eq!(without_password("file.db"), "file.db");
    }
}
