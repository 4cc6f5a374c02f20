//! Databases of the test's own: a SQLite file, and a PostgreSQL database on the cluster that
//! `tests/with-postgres.sh` starts.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection, PgConnection};
use store::Db;
use tokio::sync::OnceCell;

/// The variable that names the cluster: a URL of its maintenance database.
const CLUSTER: &str = "LUCID_TEST_POSTGRES";
static NEXT: AtomicU32 = AtomicU32::new(1);
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A database with its schema; what it stands on goes with it.
pub struct TestDb {
    /// Its URL.
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

impl TestDb {
    /// A SQLite database in a folder of its own.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self {
            url: format!("sqlite:{}", folder.path().join("test.db").display()),
            _folder: Some(folder),
        }
    }

    /// A PostgreSQL database, copied from a template that was migrated once.
    pub async fn postgres() -> Self {
        let cluster = cluster();
        let template = TEMPLATE.get_or_init(|| make_template(&cluster)).await;
        let name = format!(
            "lucid_test_{}_{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let mut admin = PgConnection::connect(&cluster)
            .await
            .expect("the test cluster answers");
        sqlx::query(sqlx::AssertSqlSafe(format!(
            "CREATE DATABASE {name} TEMPLATE {template}"
        )))
        .execute(&mut admin)
        .await
        .expect("a copy of the template");
        Self {
            url: named(&cluster, &name),
            _folder: None,
        }
    }

    /// Opens it.
    pub async fn open(&self) -> Db {
        Db::open(&self.url).await.expect("the database opens")
    }
}

fn cluster() -> String {
    std::env::var(CLUSTER).unwrap_or_else(|_| {
        panic!(
            "{CLUSTER} is not set: run `make test`, or `tests/with-postgres.sh cargo test ..`, \
             which starts a PostgreSQL for the tests"
        )
    })
}

async fn make_template(cluster: &str) -> String {
    let name = format!("lucid_template_{}", std::process::id());
    let mut admin = PgConnection::connect(cluster)
        .await
        .expect("the test cluster answers");
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut admin)
        .await
        .expect("a new database");
    Db::open(&named(cluster, &name))
        .await
        .expect("the schema")
        .close()
        .await;
    name
}

fn named(cluster: &str, database: &str) -> String {
    let (start, rest) = cluster.rsplit_once('/').expect("a URL with a database");
    let query = rest
        .split_once('?')
        .map(|(_, q)| format!("?{q}"))
        .unwrap_or_default();
    format!("{start}/{database}{query}")
}
