//! Running Lucid: backup under load, checkpoints, the doctor, metrics, keys and briefings on the
//! command line.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer, SigningKey};
use reqwest::StatusCode;
use sha2::{Digest, Sha256};

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
    let text: String = (from..to)
        .map(|n| failing(&format!("s{n}"), &format!("t{n}"), n) + "\n")
        .collect();
    fs::write(&file, text).unwrap();
    file.display().to_string()
}

#[test]
fn a_backup_under_load_restores_to_what_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let database = url(&folder.path().join("live.db"));
    let first = sessions(folder.path(), "first.jsonl", 0, 50);
    assert_eq!(
        run(&["--database", &database, "import", &first, "--store", "Air"]).0,
        0
    );
    let many = sessions(folder.path(), "many.jsonl", 50, 1_500);
    let writing = std::thread::spawn({
        let database = database.clone();
        move || run(&["--database", &database, "import", &many, "--store", "Air"])
    });
    let mut entries = Vec::new();
    for n in 0..4 {
        std::thread::sleep(Duration::from_millis(150));
        let copy = folder.path().join(format!("copy{n}.db"));
        let (code, out, err) = run(&[
            "--database",
            &database,
            "backup",
            &copy.display().to_string(),
        ]);
        assert_eq!(code, 0, "{out}{err}");
        let mode = std::os::unix::fs::PermissionsExt::mode(
            &std::fs::metadata(&copy).unwrap().permissions(),
        );
        assert_eq!(mode & 0o777, 0o600, "a backup is its owner's");
        let (code, out, err) = run(&["--database", &url(&copy), "audit", "verify"]);
        assert_eq!(code, 0, "{out}{err}");
        entries.push(out.split(' ').next().unwrap().parse::<u32>().unwrap());
        // What was restored works with the key, which no backup holds: it dreams, and what it finds
        // can be decided on.
        if n == 0 {
            let (code, _, err) = run(&[
                "--database",
                &url(&copy),
                "dream",
                "--store",
                "Air",
                "--wait",
            ]);
            assert!(
                code == 1 && err.contains("Put its file beside the database"),
                "{err}"
            );
            fs::copy(
                folder.path().join("live.signing-key"),
                folder.path().join("copy0.signing-key"),
            )
            .unwrap();
            let (code, out, err) = run(&[
                "--database",
                &url(&copy),
                "dream",
                "--store",
                "Air",
                "--wait",
            ]);
            assert!(code == 0 && out.contains("chgset_"), "{out}{err}");
        }
    }
    let (code, out, err) = writing.join().unwrap();
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        entries[0] >= 51 && entries.windows(2).all(|w| w[0] <= w[1]) && entries[0] < entries[3],
        "taken while it was written: {entries:?}"
    );
    let (code, _, err) = run(&[
        "--database",
        &database,
        "backup",
        &folder.path().join("copy0.db").display().to_string(),
    ]);
    assert!(
        code == 1 && err.contains("copy0.db"),
        "nothing is overwritten: {err}"
    );
}

#[test]
fn a_checkpoint_shows_a_cut_end_and_a_rewritten_trail() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let database = url(&path.join("a.db"));
    let file = sessions(path, "chats.jsonl", 0, 5);
    assert_eq!(
        run(&["--database", &database, "import", &file, "--store", "Air"]).0,
        0
    );
    let other_key = path.join("other.key").display().to_string();
    let (code, _, err) = run(&[
        "--database",
        &database,
        "--signing-key",
        &other_key,
        "audit",
        "checkpoint",
    ]);
    assert!(
        code == 1 && err.contains("is signed with the key"),
        "one trail, one key: {err}"
    );
    let key = path.join("a.signing-key");
    let (code, signed, err) = run(&["--database", &database, "audit", "checkpoint"]);
    assert_eq!(code, 0, "{err}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600, "the key is its owner's");
    let kept = path.join("kept.json").display().to_string();
    fs::write(&kept, &signed).unwrap();
    let public = serde_json::from_str::<serde_json::Value>(&signed).unwrap()["public_key"]
        .as_str()
        .unwrap()
        .to_owned();
    let (code, export, _) = run(&["--database", &database, "audit", "export"]);
    assert!(
        code == 0 && export.contains("\"type\":\"checkpoint\""),
        "{export}"
    );
    let exported = path.join("export.jsonl");
    fs::write(&exported, &export).unwrap();
    let verify = |file: &Path, more: &[&str]| {
        run(&[
            &["audit", "verify", "--export", &file.display().to_string()][..],
            more,
        ]
        .concat())
    };
    assert_eq!(
        verify(&exported, &["--checkpoint", &kept, "--public-key", &public]).0,
        0
    );
    let (code, out, _) = verify(&exported, &["--public-key", &"0".repeat(64)]);
    assert!(
        code == 1 && out.contains("was signed with the key"),
        "{out}"
    );
    // The end cut off, and a head made to fit: the chain alone does not show it, the checkpoint
    // does.
    let lines: Vec<&str> = export.lines().collect();
    let third: serde_json::Value = serde_json::from_str(lines[2]).unwrap();
    let cut = path.join("cut.jsonl");
    let head = serde_json::json!({"type": "head", "seq": 3, "hash": third["hash"]});
    fs::write(&cut, format!("{}\n{head}\n", lines[..3].join("\n"))).unwrap();
    let (code, out, _) = verify(&cut, &[]);
    assert!(
        code == 1 && out.contains("is signed, but not up to its end"),
        "{out}"
    );
    let (code, out, _) = verify(&cut, &["--checkpoint", &kept]);
    assert!(code == 1 && out.contains("its end was cut off"), "{out}");
    // A trail that was written anew, with other times, verifies by itself and not against the
    // checkpoint.
    let other = url(&path.join("b.db"));
    assert_eq!(
        run(&["--database", &other, "import", &file, "--store", "Air"]).0,
        0
    );
    assert_eq!(run(&["--database", &other, "audit", "verify"]).0, 0);
    let (code, out, _) = run(&[
        "--database",
        &other,
        "audit",
        "verify",
        "--checkpoint",
        &kept,
    ]);
    assert!(
        code == 1 && (out.contains("was changed after the checkpoint") || out.contains("cut off")),
        "{out}"
    );
    // A signature that was changed is no signature.
    fs::write(&kept, signed.replacen("\"size\":6", "\"size\":5", 1)).unwrap();
    let (code, out, _) = run(&[
        "--database",
        &database,
        "audit",
        "verify",
        "--checkpoint",
        &kept,
    ]);
    assert!(code == 1 && out.contains("does not hold"), "{out}");
}

#[test]
fn a_second_implementation_says_the_same_of_every_published_export() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let vectors = Path::new(root).join("crates/audit/vectors");
    let cases: Vec<serde_json::Value> =
        serde_json::from_str(&fs::read_to_string(vectors.join("cases.json")).unwrap()).unwrap();
    assert!(cases.len() > 20, "{}", cases.len());
    let folder = tempfile::tempdir().unwrap();
    for case in cases {
        let file = vectors
            .join(case["file"].as_str().unwrap())
            .display()
            .to_string();
        let mut args = vec![format!("{root}/docs/verify_audit.py"), file.clone()];
        if let Some(key) = case["public_key"].as_str() {
            args.extend(["--public-key".to_owned(), key.to_owned()]);
        }
        if case["checkpoint"].is_object() {
            let kept = folder.path().join("kept.json");
            fs::write(&kept, case["checkpoint"].to_string()).unwrap();
            args.extend(["--checkpoint".to_owned(), kept.display().to_string()]);
        }
        let done = std::process::Command::new("python3")
            .args(&args)
            .output()
            .expect("python3 is needed for this test: apt-get install python3");
        let out = String::from_utf8(done.stdout).unwrap();
        assert_eq!(
            done.status.success(),
            case["entries"].is_number(),
            "{file}: {out}{}",
            String::from_utf8_lossy(&done.stderr)
        );
        let says = case["says"].as_str().unwrap();
        assert!(out.contains(says), "{file}: {says}: {out}");
        // And so does the command, of the same file.
        let ours: Vec<&str> = ["audit", "verify", "--export"]
            .into_iter()
            .chain(args[1..].iter().map(String::as_str))
            .collect();
        let (code, out, _) = run(&ours);
        assert!(
            (code == 0) == case["entries"].is_number() && out.contains(says),
            "{file}: {out}"
        );
    }
}

#[test]
fn a_period_of_the_trail_verifies_by_itself_and_opens_in_a_spreadsheet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let database = url(&path.join("a.db"));
    // Times are given to the second.
    let import = |name: &str, first: u32, last: u32| {
        let file = sessions(path, name, first, last);
        assert_eq!(
            run(&["--database", &database, "import", &file, "--store", "Air"]).0,
            0
        );
        std::thread::sleep(Duration::from_millis(1_100));
        server::clock::system()().rfc3339()
    };
    let since = import("first.jsonl", 0, 5);
    let until = import("second.jsonl", 5, 7);
    import("third.jsonl", 7, 9);
    let trail = |args: &[&str]| run(&[&["--database", &database, "audit"][..], args].concat());
    let verify = |text: &str, more: &[&str]| {
        let file = path.join("export.jsonl");
        fs::write(&file, text).unwrap();
        run(&[
            &["audit", "verify", "--export", &file.display().to_string()][..],
            more,
        ]
        .concat())
    };
    let (_, whole, _) = trail(&["export"]);
    let (code, out, _) = verify(&whole, &[]);
    assert!(code == 0 && out.contains("entries verify"), "{out}");
    let (code, window, err) = trail(&["export", "--since", &since, "--until", &until]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(window.matches("\"type\":\"entry\"").count(), 2, "{window}");
    let (code, out, _) = verify(&window, &[]);
    assert!(
        code == 0 && out.contains("a window of the trail: it verifies up to entry 8"),
        "{out}"
    );
    // A period in which nothing happened verifies, too; one whose entries were left out does not.
    let (_, empty, _) = trail(&["export", "--until", "2001-01-01"]);
    assert_eq!(verify(&empty, &[]).0, 0, "{empty}");
    let without: String = window
        .lines()
        .filter(|l| !l.contains("\"seq\":7,"))
        .flat_map(|l| [l, "\n"])
        .collect();
    assert_eq!(verify(&without, &[]).0, 1);
    let (code, csv, _) = trail(&["export", "--format", "csv"]);
    assert!(
        code == 0
            && csv.starts_with(
                "entry,time,actor,action,subject,store,commit,payload,hash\r\n\"1\",\"20"
            ),
        "{csv}"
    );
    assert_eq!(
        trail(&["export", "--since", "soon"]).0,
        2,
        "a time that is none is refused by the command line"
    );
}

#[test]
fn another_key_signs_the_trail_from_then_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let database = url(&path.join("a.db"));
    let file = sessions(path, "chats.jsonl", 0, 3);
    assert_eq!(
        run(&["--database", &database, "import", &file, "--store", "Air"]).0,
        0
    );
    let first = key_of(&database, &[]);
    let new = path.join("new.key").display().to_string();
    let (code, out, err) = run(&["--database", &database, "audit", "replace-key", &new]);
    assert_eq!(code, 0, "{out}{err}");
    let (code, _, err) = run(&["--database", &database, "audit", "checkpoint"]);
    assert!(
        code == 1 && err.contains("is signed with the key"),
        "the old key no longer signs: {err}"
    );
    let second = key_of(&database, &["--signing-key", &new]);
    assert_ne!(first, second);
    // Who trusts the first key trusts the second, by its word.
    let verify = |key: &str| {
        run(&[
            "--database",
            &database,
            "--signing-key",
            &new,
            "audit",
            "verify",
            "--public-key",
            key,
        ])
    };
    let (code, out, _) = verify(&first);
    assert!(
        code == 0 && out.contains(&format!("its end is signed with the key {second}")),
        "{out}"
    );
    // A key that is lost: the trail goes on, and says so.
    let third = path.join("third.key").display().to_string();
    let (code, _, err) = run(&[
        "--database",
        &database,
        "--signing-key",
        &third,
        "audit",
        "replace-key",
        &third,
    ]);
    assert_eq!(code, 1, "{err}");
    let (code, _, err) = run(&[
        "--database",
        &database,
        "audit",
        "replace-key",
        &third,
        "--lost",
    ]);
    assert_eq!(code, 0, "{err}");
    let (code, out, _) = run(&[
        "--database",
        &database,
        "--signing-key",
        &third,
        "audit",
        "verify",
    ]);
    assert!(code == 0 && out.contains("WARNING: from entry"), "{out}");
    let (code, out, _) = run(&[
        "--database",
        &database,
        "--signing-key",
        &third,
        "audit",
        "verify",
        "--public-key",
        &first,
    ]);
    assert!(
        code == 1 && out.contains("the key that you trust does not vouch for it"),
        "{out}"
    );
}

/// The public key of a checkpoint that is signed now.
fn key_of(database: &str, more: &[&str]) -> String {
    let (code, out, err) = run(&[
        &["--database", database][..],
        more,
        &["audit", "checkpoint"],
    ]
    .concat());
    assert_eq!(code, 0, "{err}");
    serde_json::from_str::<serde_json::Value>(&out).unwrap()["public_key"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn checkpoints_are_sent_away_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let database = url(&folder.path().join("a.db"));
    let kept = folder.path().join("kept.jsonl");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/checkpoints", listener.local_addr().unwrap());
    let (sender, mut received) = tokio::sync::mpsc::channel(8);
    let take = move |body: String| async move { drop(sender.send(body).await) };
    let router = axum::Router::new().route("/checkpoints", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let file = sessions(folder.path(), "chats.jsonl", 0, 3);
    assert_eq!(
        run(&["--database", &database, "import", &file, "--store", "Air"]).0,
        0
    );
    let sinks = [
        "--checkpoint-file".to_owned(),
        kept.display().to_string(),
        "--checkpoint-url".to_owned(),
        address,
    ];
    let sinks: Vec<&str> = sinks.iter().map(String::as_str).collect();
    let served = crate::support::process::Served::start(&database, &sinks);
    let sent: audit::Checkpoint = serde_json::from_str(&received.recv().await.unwrap()).unwrap();
    drop(served);
    let text = fs::read_to_string(&kept).unwrap();
    assert_eq!(
        serde_json::from_str::<audit::Checkpoint>(text.lines().next().unwrap()).unwrap(),
        sent
    );
    let one = folder.path().join("one.json");
    fs::write(&one, text.lines().next().unwrap()).unwrap();
    let (code, out, _) = run(&[
        "--database",
        &database,
        "audit",
        "verify",
        "--checkpoint",
        &one.display().to_string(),
    ]);
    assert_eq!(code, 0, "{out}");
}

/// A witness as C2SP has it: it cosigns only what continues the tree that it cosigned last.
#[derive(Clone)]
struct Witness {
    key: Arc<SigningKey>,
    trail: String,
    seen: Arc<Mutex<(u64, [u8; 32])>>,
}

impl Witness {
    const NAME: &str = "witness.example/w1";

    fn id(&self) -> [u8; 4] {
        let public = self.key.verifying_key().to_bytes();
        let text = [Self::NAME.as_bytes(), b"\n\x04", &public].concat();
        Sha256::digest(text)[..4].try_into().unwrap()
    }

    fn verifier_key(&self) -> String {
        let key = [&[4], self.key.verifying_key().to_bytes().as_slice()].concat();
        format!(
            "{}+{}+{}",
            Self::NAME,
            hex::encode(self.id()),
            STANDARD.encode(key)
        )
    }

    fn answer(&self, body: &str) -> (StatusCode, String) {
        let (asked, note) = body.split_once("\n\n").unwrap();
        let mut lines = asked.lines();
        let old: u64 = lines
            .next()
            .and_then(|l| l.strip_prefix("old "))
            .unwrap()
            .parse()
            .unwrap();
        let path: Vec<[u8; 32]> = lines
            .map(|l| STANDARD.decode(l).unwrap().try_into().unwrap())
            .collect();
        let head = audit::tlog::TreeHead::read(note, &self.trail).unwrap();
        let mut seen = self.seen.lock().unwrap();
        if old != seen.0 {
            return (StatusCode::CONFLICT, format!("{}\n", seen.0));
        }
        let first = if old == 0 { head.root } else { seen.1 };
        if old > 0 && !audit::merkle::continues((old, &first), (head.size, &head.root), &path) {
            return (
                StatusCode::UNPROCESSABLE_ENTITY,
                "it does not continue".to_owned(),
            );
        }
        *seen = (head.size, head.root);
        let time = 1_795_000_000_u64;
        let text = audit::witness::WitnessKey::cosigned_text(time, &head.text());
        let signed = [
            self.id().as_slice(),
            &time.to_be_bytes(),
            &self.key.sign(text.as_bytes()).to_bytes(),
        ]
        .concat();
        (
            StatusCode::OK,
            format!("\u{2014} {} {}\n", Self::NAME, STANDARD.encode(signed)),
        )
    }
}

#[tokio::test]
async fn a_witness_cosigns_what_only_grew() {
    let folder = tempfile::tempdir().unwrap();
    let database = url(&folder.path().join("a.db"));
    let import = |name: &str| {
        let file = sessions(folder.path(), name, 0, 3);
        assert_eq!(
            run(&[
                "--database",
                &database,
                "import",
                &file,
                "--store",
                name.trim_end_matches(".jsonl")
            ])
            .0,
            0
        );
    };
    import("Air.jsonl");
    let trail = key_of(&database, &[]);
    let witness = Witness {
        key: SigningKey::from_bytes(&[8; 32]).into(),
        trail,
        seen: Arc::default(),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/log/", listener.local_addr().unwrap());
    let (own, (sender, mut received)) = (witness.clone(), tokio::sync::mpsc::channel(8));
    let take = move |body: String| async move {
        let answer = own.answer(&body);
        sender.send(answer.0).await.ok();
        answer
    };
    let router = axum::Router::new().route("/log/add-checkpoint", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let key = witness.verifier_key();
    let arguments = ["--witness-url", &address, "--witness-key", &key];
    let head = || {
        let (code, out, err) = run(&["--database", &database, "audit", "tree-head", "--cosigned"]);
        (code, out, err)
    };
    assert!(head().2.contains("no witness has cosigned"));
    let mut sizes = Vec::new();
    for round in 0..3 {
        // The third time the witness knows another size than this database: one that was put back
        // from a copy.
        if round == 2 {
            let mut seen = witness.seen.lock().unwrap();
            sizes.push(seen.0);
            *seen = (0, [0; 32]);
        }
        let served = crate::support::process::Served::start(&database, &arguments);
        let mut answer = received.recv().await.unwrap();
        if round == 2 {
            assert_eq!(answer, StatusCode::CONFLICT);
            answer = received.recv().await.unwrap();
        }
        assert_eq!(answer, StatusCode::OK, "round {round}");
        let cosigned = || {
            witness
                .verifier_key()
                .parse::<audit::witness::WitnessKey>()
                .unwrap()
        };
        // It is kept just after the answer.
        let mut kept = head();
        for _ in 0..100 {
            let size = witness.seen.lock().unwrap().0.to_string();
            if kept.1.lines().nth(1) == Some(&size) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            kept = head();
        }
        let (note, line) = kept.1.split_at(kept.1.trim_end().rfind('\n').unwrap() + 1);
        assert_eq!(
            cosigned().cosigned(note, line).unwrap().1,
            1_795_000_000,
            "{}",
            kept.1
        );
        drop(served);
        import(if round == 0 {
            "Rail.jsonl"
        } else {
            "Sea.jsonl"
        });
    }
    assert!(sizes[0] > 0);
}

#[test]
fn the_doctor_names_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let database = url(&folder.path().join("d.db"));
    let (code, out, _) = run(&["--database", &database, "doctor"]);
    assert!(
        code == 1 && out.contains("BAD   database") && out.contains("there is no database at"),
        "{out}"
    );
    let file = sessions(folder.path(), "chats.jsonl", 0, 3);
    run(&["--database", &database, "import", &file, "--store", "Air"]);
    let (code, out, _) = run(&[
        "--database",
        &database,
        "doctor",
        "--public-url",
        "https://lucid.example.com",
    ]);
    assert_eq!(code, 0, "{out}");
    for good in [
        "ok    public URL   https://lucid.example.com",
        "ok    migrations",
        "ok    audit",
        "ok    file",
        "ok    clock",
    ] {
        assert!(out.contains(good), "{good} in\n{out}");
    }
    let key = folder.path().join("key");
    fs::write(&key, "not a key").unwrap();
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let key = key.display().to_string();
    let (code, out, _) = run(&[
        "--database",
        &database,
        "--signing-key",
        &key,
        "doctor",
        "--public-url",
        "http://lucid.example.com",
    ]);
    assert!(
        code == 1 && out.contains("BAD   signing key") && out.contains("BAD   public URL"),
        "{out}"
    );
}

fn keys_in(folder: &str) -> usize {
    let parts = fs::read_dir(folder)
        .unwrap()
        .map(|part| part.unwrap().path())
        .filter(|part| part.is_dir());
    parts.map(|part| fs::read_dir(part).unwrap().count()).sum()
}

#[test]
fn the_folder_of_session_keys_is_the_right_one_or_nothing_starts() {
    let folder = tempfile::tempdir().unwrap();
    let database = url(&folder.path().join("d.db"));
    let elsewhere = tempfile::tempdir().unwrap();
    let named = |keys: &str, rest: &[&str]| {
        run(&[&["--database", &database, "--session-keys", keys][..], rest].concat())
    };
    let file = sessions(folder.path(), "chats.jsonl", 0, 3);
    let inside = folder.path().join("keys").display().to_string();
    let (code, _, said) = named(&inside, &["import", &file, "--store", "Air"]);
    assert!(
        code == 1 && said.contains("is in the folder of the database"),
        "{said}"
    );
    let keys = elsewhere.path().join("keys").display().to_string();
    let (code, _, said) = named(&keys, &["import", &file, "--store", "Air"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(keys_in(&keys), 3);
    let (code, _, said) = run(&["--database", &database, "import", &file, "--store", "Air"]);
    assert!(
        code == 1 && said.contains("name the folder of their keys with --session-keys"),
        "{said}"
    );
    let (code, out, _) = named(
        &keys,
        &["doctor", "--public-url", "https://lucid.example.com"],
    );
    assert!(code == 0 && out.contains("ok    transcripts"), "{out}");
    let other = elsewhere.path().join("other").display().to_string();
    let (code, _, said) = named(&other, &["import", &file, "--store", "Air"]);
    assert!(
        code == 1 && said.contains("is not the one that this database is used with"),
        "{said}"
    );
    let (code, out, _) = named(
        &other,
        &["doctor", "--public-url", "https://lucid.example.com"],
    );
    assert!(code == 1 && out.contains("BAD   transcripts"), "{out}");
    let copy = elsewhere.path().join("copy.db").display().to_string();
    let (code, out, said) = named(&keys, &["backup", &copy]);
    assert!(
        code == 0 && out.contains("keys of its sealed transcripts are not in it"),
        "{out}{said}"
    );
}

#[tokio::test]
async fn metrics_are_off_until_they_have_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let client = crate::support::http().build().unwrap();
    let get = |served: &Served, token: &str| {
        client
            .get(format!("{}/metrics", served.url))
            .bearer_auth(token)
            .send()
    };
    let off = Served::start(&url(&folder.path().join("off.db")), &[]);
    assert_eq!(get(&off, "").await.unwrap().status(), StatusCode::NOT_FOUND);
    let on = Served::start(
        &url(&folder.path().join("on.db")),
        &["--demo", "--metrics-token", "four-plain-words"],
    );
    assert_eq!(
        get(&on, "wrong").await.unwrap().status(),
        StatusCode::UNAUTHORIZED
    );
    let page = client
        .get(format!("{}/sign-in", on.url))
        .send()
        .await
        .unwrap();
    let id = page.headers()["request-id"].to_str().unwrap().to_owned();
    assert!(id.starts_with("req_") && id.len() == 28, "{id}");
    // The first reading has a duration in the second.
    get(&on, "four-plain-words").await.unwrap();
    let text = get(&on, "four-plain-words")
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for line in [
        "lucid_http_requests_total{method=\"GET\",route=\"/sign-in\",status=\"200\"} 1",
        "lucid_queue_undecided_changes 9",
        "lucid_dreams_completed 4",
        "lucid_commits 7",
        "lucid_jobs_queued 0",
        "lucid_audit_seq",
        "lucid_queue_oldest_seconds",
        "lucid_http_request_seconds",
        "lucid_use_case_seconds_count{use_case=\"installation_counts\"}",
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
    assert!(
        code == 1 && err.contains("nobody has an account yet"),
        "{err}"
    );
    lucid(&[
        "user",
        "add",
        "ada@lucid.example",
        "--name",
        "Ada",
        "--role",
        "admin",
        "--store",
        "Air",
    ]);
    let (code, out, err) = lucid(&[
        "key",
        "add",
        "agent",
        "--scope",
        "memory:read",
        "--store",
        "Air",
        "--days",
        "7",
    ]);
    assert!(
        code == 0 && out.trim().starts_with("lucid_sk_") && out.trim().len() == 73,
        "{out}{err}"
    );
    let (_, list, _) = lucid(&["key", "list"]);
    assert!(
        list.contains("good") && list.contains("memory:read") && !list.contains(out.trim()),
        "{list}"
    );
    let id = list.split_whitespace().next().unwrap();
    assert_eq!(lucid(&["key", "revoke", id]).0, 0);
    assert!(lucid(&["key", "list"]).1.contains("ended"));
    let (code, _, err) = lucid(&["key", "add", "agent", "--scope", "everything"]);
    assert!(code == 2 && err.contains("everything"), "{err}");
    let (code, out, err) = lucid(&["briefing", "Air"]);
    assert!(
        code == 0
            && out.starts_with("# What Air remembers (revision 0)")
            && err.contains("a token is 4 bytes"),
        "{out}{err}"
    );
    let (code, _, err) = lucid(&["briefing", "Nowhere"]);
    assert!(
        code == 1 && err.contains("no store called Nowhere"),
        "{err}"
    );
}
