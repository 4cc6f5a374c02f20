//! Rule 3.1 in the database: whoever writes past the one door is refused by the engine itself.

use store::Db;

use crate::world::{World, failing, on_both_engines};

on_both_engines!(
    a_quote_that_is_no_longer_in_its_event_is_shown_as_such,
    what_was_written_stays,
    a_memory_row_needs_its_version,
    a_commit_needs_its_audit_entry,
    replacing_is_no_way_around
);

/// Runs raw SQL in a transaction of its own, as somebody would who knows how rows are noted for the
/// trail; the engine's refusal, if any.
pub async fn raw(db: &Db, sql: &'static str) -> Result<(), String> {
    const FORGET: &str = "DELETE FROM audit_touched";
    let done = match db {
        Db::Sqlite { write, .. } => {
            async {
                let mut tx = write.begin().await?;
                sqlx::raw_sql(sql).execute(&mut *tx).await?;
                sqlx::raw_sql(FORGET).execute(&mut *tx).await?;
                tx.commit().await
            }
            .await
        }
        Db::Postgres(pool) => {
            async {
                let mut tx = pool.begin().await?;
                sqlx::raw_sql(sql).execute(&mut *tx).await?;
                sqlx::raw_sql(FORGET).execute(&mut *tx).await?;
                tx.commit().await
            }
            .await
        }
    };
    done.map_err(|e: sqlx::Error| e.to_string())
}

async fn what_was_written_stays(world: World) {
    let changeset = world.proposal().await;
    world.import(&failing("s3", "t3", 3)).await;
    let change = world.changes(changeset).await.remove(0);
    world
        .vote(&world.reviewer, &change, service::Verdict::Approve)
        .await
        .unwrap();
    let request = world.commit_request(changeset, "one").await;
    world.lucid.commit(&world.reviewer, &request).await.unwrap();
    for sql in [
        "UPDATE audit SET actor = 'nobody' WHERE seq = 1",
        "UPDATE audit SET payload = '{}' WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 1",
        "UPDATE commits SET message = 'other'",
        "DELETE FROM commits",
        "UPDATE memory_versions SET path = '/other'",
        "UPDATE memory_versions SET by_person = TRUE",
        "UPDATE memory_versions SET content_sha256 = NULL",
        "DELETE FROM memory_versions",
        "UPDATE events SET text = 'other'",
        "UPDATE events SET is_error = FALSE",
        "DELETE FROM events",
        "DELETE FROM decisions",
        "UPDATE decisions SET actor = 'person:user_other'",
        "UPDATE contents SET content = 'other'",
        "UPDATE memories SET path = '/other'",
        "UPDATE memories SET content_sha256 = (SELECT MAX(sha256) FROM contents WHERE sha256 <> \
         memories.content_sha256)",
    ] {
        assert!(
            raw(&world.db, sql).await.is_err(),
            "the engine allowed: {sql}"
        );
    }
    // Redaction is the one thing that may be done.
    raw(
        &world.db,
        "UPDATE events SET text = '', raw = '', redacted_at = 1 WHERE seq = 1",
    )
    .await
    .unwrap();
    world.verified().await;
    // Payloads can be erased, but not so that nobody notices.
    raw(&world.db, "UPDATE audit SET payload = NULL WHERE seq = 1")
        .await
        .unwrap();
    let broken = world
        .lucid
        .check_audit(&world.admin)
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(broken, audit::Broken::Erased { seq: 1 });
}

async fn a_memory_row_needs_its_version(world: World) {
    world.remember(&[("/a.md", "Text.", false)]).await;
    let sneaked = "INSERT INTO memories (id, store_id, path, version_id, content_sha256, frozen, support, created_at, updated_at)
        SELECT id, store_id, '/sneaked.md', version_id, content_sha256, FALSE, '{}', 1, 1 FROM (SELECT s.id AS id, m.store_id, m.version_id, m.content_sha256 FROM memories m, stores s) x";
    assert!(raw(&world.db, sneaked).await.is_err());
    assert_eq!(world.paths().await, ["/a.md"]);
}

async fn a_commit_needs_its_audit_entry(world: World) {
    let sneaked =
        "INSERT INTO commits (id, store_id, revision, created_at, actor, message, approvals)
        SELECT id, id, 99, 1, 'nobody', 'sneaked', '[]' FROM stores";
    assert!(raw(&world.db, sneaked).await.is_err());
}

async fn replacing_is_no_way_around(world: World) {
    if let Db::Postgres(_) = world.db {
        // PostgreSQL has no INSERT OR REPLACE; its TRUNCATE is what goes past row triggers.
        for truncate in [
            "TRUNCATE audit CASCADE",
            "TRUNCATE decisions CASCADE",
            "TRUNCATE commits CASCADE",
            "TRUNCATE memory_versions CASCADE",
            "TRUNCATE events CASCADE",
        ] {
            assert!(
                raw(&world.db, truncate).await.is_err(),
                "the engine allowed: {truncate}"
            );
        }
        return;
    }
    let replaced = "INSERT OR REPLACE INTO audit SELECT seq, at, 'nobody', action, subject, \
        store_id, commit_id, salt, payload, commitment, prev, hash, rows FROM audit WHERE seq = 1";
    assert!(raw(&world.db, replaced).await.is_err());
    world.verified().await;
}

async fn a_quote_that_is_no_longer_in_its_event_is_shown_as_such(world: World) {
    let changeset = world.proposal().await;
    let verified =
        |changes: Vec<service::ChangeView>| changes[0].quotes.iter().filter(|q| q.verified).count();
    assert_eq!(
        verified(world.changes(changeset).await),
        3,
        "two errors, and the call that worked"
    );
    let redact = "UPDATE events SET text = 'ü', raw = '', redacted_at = 1 WHERE is_error";
    raw(&world.db, redact).await.unwrap();
    assert_eq!(
        verified(world.changes(changeset).await),
        1,
        "the call was not redacted"
    );
}
