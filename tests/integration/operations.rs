//! Running Lucid: backup under load, checkpoints, the doctor, metrics, keys and briefings on the command line.

use std::{fs, path::Path, time::Duration};

use reqwest::StatusCode;

use crate::{
    support::process::{Served, run},
    world::failing,
};

fn url(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// Transcripts in a file.
fn sessions(folder: &Path, name: &str, from: u32, to: u32) -> String {
    let file = folder.join(name);
    let text: String = (from..to).map(|n| failing(&format!("s{n}"), &format!("t{n}"), n) + "\n").collect();
    fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn a_backup_under_load_restores_to_what_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let database = url(&folder.path().join("live.db"));
    let first = sessions(folder.path(), "first.jsonl", 0, 50);
    assert_eq!(run(&["--database", &database, "import", &first, "--store", "Air"]).0, 0);
    let many = sessions(folder.path(), "many.jsonl", 50, 1_500);
    let writing = std::thread::spawn({
        let database = database.clone();
        move || run(&["--database", &database, "import", &many, "--store", "Air"])
    });
    let mut entries = Vec::new();
    for n in 0..4 {
        std::thread::sleep(Duration::from_millis(150));
        let copy = folder.path().join(format!("copy{n}.db"));
        let (code, out, err) = run(&["--database", &database, "backup", &copy.display().to_string()]);
        assert_eq!(code, 0, "{out}{err}");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&copy).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "a backup is its owner's");
        let (code, out, err) = run(&["--database", &url(&copy), "audit", "verify"]);
        assert_eq!(code, 0, "{out}{err}");
        entries.push(out.split(' ').next().unwrap().parse::<u32>().unwrap());
        // What was restored works with the key, which no backup holds: it dreams, and what it finds can be decided on.
        if n == 0 {
            let (code, _, err) = run(&["--database", &url(&copy), "dream", "--store", "Air", "--wait"]);
            assert!(code == 1 && err.contains("Put its file beside the database"), "{err}");
            fs::copy(folder.path().join("live.signing-key"), folder.path().join("copy0.signing-key")).unwrap();
            let (code, out, err) = run(&["--database", &url(&copy), "dream", "--store", "Air", "--wait"]);
            assert!(code == 0 && out.contains("chgset_"), "{out}{err}");
        }
    }
    let (code, out, err) = writing.join().unwrap();
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        entries[0] >= 51 && entries.windows(2).all(|w| w[0] <= w[1]) && entries[0] < entries[3],
        "taken while it was written: {entries:?}"
    );
    let (code, _, err) = run(&["--database", &database, "backup", &folder.path().join("copy0.db").display().to_string()]);
    assert!(code == 1 && err.contains("copy0.db"), "nothing is overwritten: {err}");
}

#[test]
fn a_checkpoint_shows_a_cut_end_and_a_rewritten_trail() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let database = url(&path.join("a.db"));
    let file = sessions(path, "chats.jsonl", 0, 5);
    assert_eq!(run(&["--database", &database, "import", &file, "--store", "Air"]).0, 0);
    let other_key = path.join("other.key").display().to_string();
    let (code, _, err) = run(&["--database", &database, "--signing-key", &other_key, "audit", "checkpoint"]);
    assert!(code == 1 && err.contains("is signed with the key"), "one trail, one key: {err}");
    let key = path.join("a.signing-key");
    let (code, signed, err) = run(&["--database", &database, "audit", "checkpoint"]);
    assert_eq!(code, 0, "{err}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "the key is its owner's");
    let kept = path.join("kept.json").display().to_string();
    fs::write(&kept, &signed).unwrap();
    let public = serde_json::from_str::<serde_json::Value>(&signed).unwrap()["public_key"].as_str().unwrap().to_owned();
    let (code, export, _) = run(&["--database", &database, "audit", "export"]);
    assert!(code == 0 && export.contains("\"type\":\"checkpoint\""), "{export}");
    let exported = path.join("export.jsonl");
    fs::write(&exported, &export).unwrap();
    let verify = |file: &Path, more: &[&str]| run(&[&["audit", "verify", "--export", &file.display().to_string()][..], more].concat());
    assert_eq!(verify(&exported, &["--checkpoint", &kept, "--public-key", &public]).0, 0);
    let (code, out, _) = verify(&exported, &["--public-key", &"0".repeat(64)]);
    assert!(code == 1 && out.contains("was signed with the key"), "{out}");
    // The end cut off, and a head made to fit: the chain alone does not show it, the checkpoint does.
    let lines: Vec<&str> = export.lines().collect();
    let third: serde_json::Value = serde_json::from_str(lines[2]).unwrap();
    let cut = path.join("cut.jsonl");
    let head = serde_json::json!({"type": "head", "seq": 3, "hash": third["hash"]});
    fs::write(&cut, format!("{}\n{head}\n", lines[..3].join("\n"))).unwrap();
    let (code, out, _) = verify(&cut, &[]);
    assert!(code == 1 && out.contains("is signed, but not up to its end"), "{out}");
    let (code, out, _) = verify(&cut, &["--checkpoint", &kept]);
    assert!(code == 1 && out.contains("its end was cut off"), "{out}");
    // A trail that was written anew, with other times, verifies by itself and not against the checkpoint.
    let other = url(&path.join("b.db"));
    assert_eq!(run(&["--database", &other, "import", &file, "--store", "Air"]).0, 0);
    assert_eq!(run(&["--database", &other, "audit", "verify"]).0, 0);
    let (code, out, _) = run(&["--database", &other, "audit", "verify", "--checkpoint", &kept]);
    assert!(code == 1 && (out.contains("was changed after the checkpoint") || out.contains("cut off")), "{out}");
    // A signature that was changed is no signature.
    fs::write(&kept, signed.replacen("\"size\":6", "\"size\":5", 1)).unwrap();
    let (code, out, _) = run(&["--database", &database, "audit", "verify", "--checkpoint", &kept]);
    assert!(code == 1 && out.contains("does not hold"), "{out}");
}

#[test]
fn the_doctor_names_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let database = url(&folder.path().join("d.db"));
    let (code, out, _) = run(&["--database", &database, "doctor"]);
    assert!(code == 1 && out.contains("BAD   database") && out.contains("there is no database at"), "{out}");
    let file = sessions(folder.path(), "chats.jsonl", 0, 3);
    run(&["--database", &database, "import", &file, "--store", "Air"]);
    let (code, out, _) = run(&["--database", &database, "doctor", "--public-url", "https://lucid.example.com"]);
    assert_eq!(code, 0, "{out}");
    for good in ["ok    public URL   https://lucid.example.com", "ok    migrations", "ok    audit", "ok    file", "ok    clock"] {
        assert!(out.contains(good), "{good} in\n{out}");
    }
    let key = folder.path().join("key");
    fs::write(&key, "not a key").unwrap();
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let key = key.display().to_string();
    let (code, out, _) = run(&["--database", &database, "--signing-key", &key, "doctor", "--public-url", "http://lucid.example.com"]);
    assert!(code == 1 && out.contains("BAD   signing key") && out.contains("BAD   public URL"), "{out}");
}

#[tokio::test]
async fn metrics_are_off_until_they_have_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let client = crate::support::http().build().unwrap();
    let get = |served: &Served, token: &str| client.get(format!("{}/metrics", served.url)).bearer_auth(token).send();
    let off = Served::start(&url(&folder.path().join("off.db")), &[]);
    assert_eq!(get(&off, "").await.unwrap().status(), StatusCode::NOT_FOUND);
    let on = Served::start(&url(&folder.path().join("on.db")), &["--demo", "--metrics-token", "four-plain-words"]);
    assert_eq!(get(&on, "wrong").await.unwrap().status(), StatusCode::UNAUTHORIZED);
    let page = client.get(format!("{}/sign-in", on.url)).send().await.unwrap();
    let id = page.headers()["request-id"].to_str().unwrap().to_owned();
    assert!(id.starts_with("req_") && id.len() == 28, "{id}");
    let text = get(&on, "four-plain-words").await.unwrap().text().await.unwrap();
    for line in [
        "lucid_http_requests_total{method=\"GET\",route=\"/sign-in\",status=\"200\"} 1",
        "lucid_queue_undecided_changes 9",
        "lucid_dreams_completed 4",
        "lucid_commits 7",
        "lucid_jobs_queued 0",
        "lucid_audit_seq",
        "lucid_queue_oldest_seconds",
        "lucid_http_request_seconds",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}

#[test]
fn keys_and_briefings_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let database = url(&folder.path().join("k.db"));
    let file = sessions(folder.path(), "chats.jsonl", 0, 3);
    run(&["--database", &database, "import", &file, "--store", "Air"]);
    let lucid = |arguments: &[&str]| run(&[&["--database", &database][..], arguments].concat());
    let (code, _, err) = lucid(&["key", "add", "agent", "--scope", "memory:read"]);
    assert!(code == 1 && err.contains("nobody has an account yet"), "{err}");
    lucid(&["user", "add", "ada@lucid.example", "--name", "Ada", "--role", "admin", "--store", "Air"]);
    let (code, out, err) = lucid(&["key", "add", "agent", "--scope", "memory:read", "--store", "Air", "--days", "7"]);
    assert!(code == 0 && out.trim().starts_with("lucid_sk_") && out.trim().len() == 73, "{out}{err}");
    let (_, list, _) = lucid(&["key", "list"]);
    assert!(list.contains("good") && list.contains("memory:read") && !list.contains(out.trim()), "{list}");
    let id = list.split_whitespace().next().unwrap();
    assert_eq!(lucid(&["key", "revoke", id]).0, 0);
    assert!(lucid(&["key", "list"]).1.contains("ended"));
    let (code, _, err) = lucid(&["key", "add", "agent", "--scope", "everything"]);
    assert!(code == 2 && err.contains("everything"), "{err}");
    let (code, out, err) = lucid(&["briefing", "Air"]);
    assert!(code == 0 && out.starts_with("# What Air remembers (revision 0)") && err.contains("a token is 4 bytes"), "{out}{err}");
    let (code, _, err) = lucid(&["briefing", "Nowhere"]);
    assert!(code == 1 && err.contains("no store called Nowhere"), "{err}");
}
