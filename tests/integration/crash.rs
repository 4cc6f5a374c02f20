//! What is killed in the middle leaves all of a session or nothing of it, and a trail that verifies.

use std::{
    fmt::Write,
    fs,
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    support::{
        databases::TestDb,
        process::{LUCID, run},
    },
    world::failing,
};

const SESSIONS: u32 = 400;

/// Kills an import again and again at different points, then lets it finish.
fn kill_imports(database: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.jsonl");
    let mut text = String::new();
    for n in 0..SESSIONS {
        writeln!(text, "{}", failing(&format!("s{n}"), &format!("t{}", n % 7), n)).unwrap();
    }
    fs::write(&file, text).unwrap();
    let path = file.display().to_string();
    for wait in [40, 90, 160, 250] {
        let mut import = Command::new(LUCID)
            .args(["--database", database, "import", &path, "--store", "Air"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        // SIGKILL: nothing in the process can tidy up.
        import.kill().unwrap();
        import.wait().unwrap();
        let (code, out, err) = run(&["--database", database, "audit", "verify"]);
        // Killed before it had even made the database, it left nothing.
        assert!(code == 0 || err.contains("there is no database at"), "after {wait} ms: {out}{err}");
    }
    let (code, out, err) = run(&["--database", database, "import", &path, "--store", "Air"]);
    assert_eq!(code, 0, "{out}{err}");
    let numbers: Vec<u32> = out.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let [added, grown, _, unchanged, left_out] = numbers[..] else { panic!("{out}") };
    assert_eq!((added + unchanged, grown, left_out), (SESSIONS, 0, 0), "no session is half there: {out}");
    let (code, out, _) = run(&["--database", database, "audit", "verify"]);
    assert_eq!(code, 0, "{out}");
    // One entry a session and one for the store, however often the import was killed.
    assert!(out.starts_with(&format!("{} entries verify", SESSIONS + 1)), "{out}");
}

#[test]
fn a_killed_import_on_sqlite() {
    let database = TestDb::sqlite();
    kill_imports(&database.url);
}

#[tokio::test]
async fn a_killed_import_on_postgres() {
    let database = TestDb::postgres().await;
    let url = database.url.clone();
    tokio::task::spawn_blocking(move || kill_imports(&url)).await.unwrap();
}
