//! Every SQL statement is prepared on both engines, and none stands outside the lists.

use sqlx::{Executor, SqlSafeStr};
use store::Db;

use crate::{arrows::rust_files, support::databases::TestDb};

#[tokio::test]
async fn every_statement_is_prepared_on_sqlite() {
    let on = TestDb::sqlite();
    let Db::Sqlite { write, .. } = on.open().await else {
        panic!("not SQLite")
    };
    let all = store::all_statements();
    assert!(all.len() > 80, "{}", all.len());
    for (family, name, sql) in all
        .into_iter()
        .filter(|(_, name, _)| !name.ends_with("_POSTGRES"))
    {
        if let Err(error) = (&write).prepare(sql.into_sql_str()).await {
            panic!("{family}::{name}: {error}\n{sql}");
        }
    }
    for (table, sql) in store::covered::row_statements(store::covered::Engine::Sqlite) {
        (&write)
            .prepare(sqlx::AssertSqlSafe(sql).into_sql_str())
            .await
            .unwrap_or_else(|e| panic!("{table}: {e}"));
    }
}

#[tokio::test]
async fn every_statement_is_prepared_on_postgres() {
    let on = TestDb::postgres().await;
    let Db::Postgres(pool) = on.open().await else {
        panic!("not PostgreSQL")
    };
    for (family, name, sql) in store::all_statements()
        .into_iter()
        .filter(|(_, name, _)| !name.ends_with("_SQLITE"))
    {
        if let Err(error) = (&pool).prepare(sql.into_sql_str()).await {
            panic!("{family}::{name}: {error}\n{sql}");
        }
    }
    for (table, sql) in store::covered::row_statements(store::covered::Engine::Postgres) {
        (&pool)
            .prepare(sqlx::AssertSqlSafe(sql).into_sql_str())
            .await
            .unwrap_or_else(|e| panic!("{table}: {e}"));
    }
}

/// The text without what begins with one line and ends with the next closing brace at the start of
/// a line.
fn without(text: &str, beginning: &str) -> String {
    let Some(start) = text.find(beginning) else {
        return text.to_owned();
    };
    let end = text[start..].find("\n}\n").expect("it ends") + start + 2;
    without(&format!("{}{}", &text[..start], &text[end..]), beginning)
}

#[test]
fn no_sql_is_outside_the_lists() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/store/src");
    // Covered rows are read by statements that are made from a list of tables; the tests above
    // prepare those, too.
    for file in rust_files(folder.as_ref())
        .into_iter()
        .filter(|file| !file.ends_with("covered/mod.rs"))
    {
        let text = std::fs::read_to_string(&file).unwrap();
        // What two statements of a list share is a macro before it.
        let outside = without(&without(&text, "statements! {\n"), "_sql {\n");
        for word in [
            "\"SELECT ",
            "\"INSERT ",
            "\"UPDATE ",
            "\"DELETE ",
            "\"WITH ",
        ] {
            assert!(
                !outside.contains(word),
                "{} has SQL outside its list",
                file.display()
            );
        }
    }
}
