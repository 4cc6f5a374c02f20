//! Following transcripts that grow: what is added is taken in once, through rotation, restarts and
//! while Lucid is away.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::json;
use sqlx::{Connection, SqliteConnection};

use crate::support::process::{LUCID, Served, run};

fn line(session: &str, n: usize) -> String {
    json!({"type": "user", "sessionId": session, "uuid": format!("{session}-{n}"), "message": {"content": format!("words {n}")}})
        .to_string()
        + "\n"
}

fn append(file: &Path, text: &str) {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

struct Running(Child);

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self(
            Command::new(LUCID)
                .args(arguments)
                .stdout(Stdio::null())
                .spawn()
                .expect("lucid starts"),
        )
    }

    /// Kills it where it stands, as a power cut does.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many events there are, and how many different ones.
async fn events(file: &Path) -> (i64, i64) {
    let Ok(mut connection) = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await
    else {
        return (0, 0);
    };
    sqlx::query_as("SELECT COUNT(*), COUNT(DISTINCT external_id) FROM events")
        .fetch_one(&mut connection)
        .await
        .unwrap_or((0, 0))
}

/// Waits until there are so many events, each once.
async fn until(file: &Path, expected: i64) {
    let mut found = (0, 0);
    for _ in 0..600 {
        found = events(file).await;
        if found == (expected, expected) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{found:?} events after a minute, not {expected}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_folder_is_taken_in_through_rotation_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, db) = (folder.path().join("logs"), folder.path().join("test.db"));
    fs::create_dir(&logs).unwrap();
    let database = format!("sqlite:{}", db.display());
    let arguments = [
        "--database",
        &database,
        "import",
        &logs.display().to_string(),
        "--store",
        "Air",
        "--watch",
    ];
    let log = logs.join("a.jsonl");
    append(&log, &line("a", 1));
    let mut watching = Running::start(&arguments);
    until(&db, 1).await;
    append(&log, &line("a", 2));
    until(&db, 2).await;
    // A line that is being written is no gap, and is read when it is whole.
    let third = line("a", 3);
    append(&log, &third[..20]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(events(&db).await, (2, 2));
    append(&log, &third[20..]);
    until(&db, 3).await;
    // Rotated: the old file under another name, a new one in its place.
    fs::rename(&log, logs.join("a.1.jsonl")).unwrap();
    append(&log, &line("a", 4));
    until(&db, 4).await;
    watching.kill();
    append(&log, &line("a", 5));
    append(&logs.join("b.jsonl"), &line("b", 1));
    let _again = Running::start(&arguments);
    until(&db, 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_from_elsewhere_arrives_once_also_after_lucid_was_away() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, db, state) = (
        folder.path().join("logs"),
        folder.path().join("test.db"),
        folder.path().join("state.json"),
    );
    fs::create_dir(&logs).unwrap();
    let database = format!("sqlite:{}", db.display());
    let first = folder.path().join("first.jsonl");
    append(&first, &line("first", 1));
    let lucid = |arguments: &[&str]| run(&[&["--database", &database], arguments].concat());
    let (code, _, err) = lucid(&["import", &first.display().to_string(), "--store", "Air"]);
    assert_eq!(code, 0, "{err}");
    let (code, _, err) = lucid(&[
        "user",
        "add",
        "ada@example.com",
        "--name",
        "Ada",
        "--role",
        "admin",
        "--store",
        "Air",
        "--grant",
        "owner",
    ]);
    assert_eq!(code, 0, "{err}");
    let key = |scope: &str| {
        let (code, out, err) =
            lucid(&["key", "add", "machine", "--scope", scope, "--store", "Air"]);
        assert_eq!(code, 0, "{err}");
        out.split_whitespace()
            .find(|w| w.starts_with("lucid_"))
            .unwrap_or_else(|| panic!("no key in {out}"))
            .to_owned()
    };
    let (good, reads) = (key("sessions:write"), key("memory:read"));
    let mut served = Served::start(&database, &["--no-worker"]);
    let to = served.url.clone();
    let (logs_named, state_named) = (logs.display().to_string(), state.display().to_string());
    let record = |key: &str, more: &[&str]| {
        run(&[
            &[
                "record",
                &logs_named,
                "--to",
                &to,
                "--key",
                key,
                "--state",
                &state_named,
            ],
            more,
        ]
        .concat())
    };
    append(&logs.join("a.jsonl"), &line("a", 1));
    let (code, _, err) = record(&reads, &[]);
    assert!(code == 1 && err.contains("sessions:write"), "{err}");
    let (code, _, err) = record("lucid_nothing", &[]);
    assert!(code == 1 && err.contains("refuses"), "{err}");
    let (code, out, err) = record(&good, &[]);
    assert!(code == 0 && out.contains("a.jsonl: 1 added"), "{out}{err}");
    until(&db, 2).await;
    let (code, out, err) = record(&good, &[]);
    assert!(
        code == 0 && out.is_empty(),
        "what was sent is not sent again: {out}{err}"
    );
    // Without its state it sends all again, and nothing arrives twice.
    fs::remove_file(&state).unwrap();
    assert_eq!(record(&good, &[]).0, 0);
    until(&db, 2).await;
    let _watching = Running::start(&[
        "record",
        &logs_named,
        "--to",
        &to,
        "--key",
        &good,
        "--state",
        &state_named,
        "--watch",
    ]);
    append(&logs.join("a.jsonl"), &line("a", 2));
    until(&db, 3).await;
    served.terminate(20);
    append(&logs.join("a.jsonl"), &line("a", 3));
    append(&logs.join("b.jsonl"), &line("b", 1));
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(events(&db).await, (3, 3));
    let port = to.rsplit(':').next().unwrap().to_owned();
    let _served = Served::start(
        &database,
        &["--no-worker", "--listen", &format!("127.0.0.1:{port}")],
    );
    until(&db, 5).await;
}
