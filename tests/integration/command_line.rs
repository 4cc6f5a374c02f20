//! The command line as people run it.

use std::{fs, io::Write, path::Path};

use serde_json::Value;

use crate::{support::process::run, world::failing};

fn database(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("test.db").display())
}

#[test]
fn import_says_what_it_did_and_what_was_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let file = folder.path().join("chats.jsonl");
    fs::write(
        &file,
        format!(
            "{}\n{{\"id\":\"broken\",\"messages\":[{{\n{}\n",
            failing("a", "1", 1),
            failing("b", "2", 2)
        ),
    )
    .unwrap();
    let path = file.display().to_string();
    let import = |path: &str| run(&["--database", &database, "import", path, "--store", "Air"]);
    let (code, out, err) = import(&path);
    let first = |out: &str| out.lines().next().unwrap_or_default().to_owned();
    assert_eq!(
        (code, first(&out).as_str()),
        (1, "2 added, 0 grown by 0 events, 0 unchanged, 1 left out"),
        "{err}"
    );
    assert!(
        out.contains("Events read: ") && out.contains(" person"),
        "{out}"
    );
    assert!(err.contains("chats.jsonl:2: it is not valid JSON"), "{err}");
    let (code, out, _) = import(&path);
    assert_eq!(
        (code, first(&out).as_str()),
        (1, "0 added, 0 grown by 0 events, 2 unchanged, 1 left out")
    );
    let (code, out, err) = run(&["--database", &database, "dream", "--store", "Air", "--wait"]);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("2 sessions, 1 findings proposed") && out.contains("chgset_"),
        "{out}"
    );
    let (code, out, _) = run(&["--database", &database, "audit", "verify"]);
    assert!(code == 0 && out.contains("entries verify"), "{out}");
    let (code, _, err) = run(&[
        "--database",
        &database,
        "dream",
        "--store",
        "Nobody's",
        "--wait",
    ]);
    assert!(
        code == 1 && err.contains("no store called Nobody's"),
        "{err}"
    );
}

#[test]
fn what_is_no_transcript_is_refused_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    for (name, content, why) in [
        ("no.json", &b"this is not JSON"[..], "not valid JSON"),
        ("empty.jsonl", b"", "empty"),
        (
            "cut.json",
            b"[{\"messages\":[{\"role\":\"user\",\"con",
            "cut off",
        ),
        ("binary.jsonl", b"\xff\xfe\x00\x01", "UTF-8"),
        ("other.jsonl", b"{\"a\":1}\n", "none of the formats"),
    ] {
        let file = folder.path().join(name);
        fs::write(&file, content).unwrap();
        let (code, out, err) = run(&[
            "--database",
            &database,
            "import",
            &file.display().to_string(),
            "--store",
            "Air",
        ]);
        assert!(
            code == 1 && out.starts_with("0 added") && err.contains(name) && err.contains(why),
            "{name}: {out}{err}"
        );
    }
    let (code, _, err) = run(&[
        "--database",
        &database,
        "import",
        "/nowhere/at/all.json",
        "--store",
        "Air",
    ]);
    assert!(code == 1 && err.contains("/nowhere/at/all.json"), "{err}");
}

#[test]
fn a_line_of_200_mb_is_refused_and_the_rest_goes_in() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("long.jsonl");
    let mut out = std::io::BufWriter::new(fs::File::create(&file).unwrap());
    write!(
        out,
        "{{\"id\":\"long\",\"messages\":[{{\"role\":\"user\",\"content\":\""
    )
    .unwrap();
    let megabyte = vec![b'x'; 1_000_000];
    for _ in 0..200 {
        out.write_all(&megabyte).unwrap();
    }
    writeln!(out, "\"}}]}}\n{}", failing("a", "1", 1)).unwrap();
    drop(out);
    let (code, said, err) = run(&[
        "--database",
        &database(folder.path()),
        "import",
        &file.display().to_string(),
        "--store",
        "Air",
    ]);
    assert!(code == 1 && said.starts_with("1 added"), "{said}{err}");
    assert!(
        err.contains("long.jsonl:1: it is 200 MB long; the limit is 134 MB"),
        "{err}"
    );
}

#[test]
fn preview_prints_the_proposal_without_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let sessions = folder.path().join("chats.jsonl");
    fs::write(
        &sessions,
        format!("{}\n{}\n", failing("a", "1", 1), failing("b", "2", 2)),
    )
    .unwrap();
    let memories = folder.path().join("memories");
    fs::create_dir_all(memories.join("notes")).unwrap();
    fs::write(memories.join("one.md"), "Same.").unwrap();
    fs::write(memories.join("notes/two.md"), "Same.").unwrap();
    let (sessions, memories) = (
        sessions.display().to_string(),
        memories.display().to_string(),
    );
    let preview = || {
        run(&[
            "dream",
            "--preview",
            "--json",
            "--sessions",
            &sessions,
            "--memories",
            &memories,
        ])
    };
    let (code, out, err) = preview();
    assert_eq!(code, 0, "{err}");
    let proposal: Value = serde_json::from_str(&out).unwrap();
    let changes = proposal["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 2, "{out}");
    let add = &changes[0];
    assert_eq!(
        (
            add["kind"].as_str(),
            add["evidence"][0]["session_id"].as_str()
        ),
        (Some("add"), Some("a"))
    );
    assert_eq!(
        add["evidence"][0]["quote"],
        "Error: not enough seats on flight H1"
    );
    assert_eq!(add["edits"][0]["base_sha256"], Value::Null);
    assert!(
        add["risk"]["labels"]
            .as_array()
            .unwrap()
            .iter()
            .any(|l| l == "tool_text")
    );
    let merge = &changes[1];
    assert_eq!(
        (
            merge["edits"][0]["path"].as_str(),
            merge["edits"][1]["content"].as_str()
        ),
        (Some("/one.md"), None)
    );
    assert!(merge["edits"][1]["base_sha256"].is_string());
    assert!(proposal["questions"].is_array() && proposal["stats"]["sessions"] == 2);
    let (_, again, _) = preview();
    assert_eq!(out, again, "the same in gives the same out, byte for byte");
    assert!(!folder.path().join("lucid.db").exists());
}

#[test]
fn what_only_reads_makes_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    for arguments in [
        &["audit", "verify"][..],
        &["audit", "export"],
        &["dream", "--store", "Air"],
        &["backup", "/nowhere/copy.db"],
    ] {
        let (code, out, err) = run(&[&["--database", database.as_str()], arguments].concat());
        assert!(
            code == 1 && out.is_empty() && err.contains("there is no database at"),
            "{arguments:?}: {out}{err}"
        );
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn an_export_verifies_offline_and_each_tampering_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let chats = folder.path().join("chats.jsonl");
    fs::write(
        &chats,
        format!(
            "{}\n{}\n{}\n",
            failing("a", "1", 1),
            failing("b", "2", 2),
            failing("c", "3", 3)
        ),
    )
    .unwrap();
    run(&[
        "--database",
        &database,
        "import",
        &chats.display().to_string(),
        "--store",
        "Air",
    ]);
    let (code, export, err) = run(&["--database", &database, "audit", "export"]);
    assert_eq!(code, 0, "{err}");
    let file = folder.path().join("audit.jsonl");
    let verify = |text: &str| {
        fs::write(&file, text).unwrap();
        let (code, out, _) = run(&[
            "--database",
            "sqlite:/nowhere/at.all",
            "audit",
            "verify",
            "--export",
            &file.display().to_string(),
        ]);
        (code, out)
    };
    // The last one says that it was exported.
    assert_eq!(verify(&export), (0, "5 entries verify\n".to_owned()));
    let lines: Vec<&str> = export.lines().collect();
    let without = |n: usize| [&lines[..n], &lines[n + 1..]].concat().join("\n");
    for (tampered, says) in [
        (
            export.replacen("session.import", "session.inport", 1),
            "entry 2 was changed",
        ),
        (
            export.replacen("\\\"last\\\":5", "\\\"last\\\":6", 1),
            "the payload of entry 2 was changed",
        ),
        (without(1), "after entry 1 comes entry 3"),
        (without(4), "its head says 5"),
        (without(5), "the head, is missing"),
        (
            format!("{}\n{}", lines[0], export),
            "after entry 1 comes entry 1",
        ),
        ("{}".to_owned(), "line 1 is not a line of an export"),
    ] {
        let (code, out) = verify(&tampered);
        assert!(
            code == 1 && out.contains("does NOT verify") && out.contains(says),
            "{says}: {out}"
        );
    }
}

#[test]
fn a_backup_of_a_running_database_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let served = crate::support::process::Served::demo(folder.path());
    let database = format!("sqlite:{}", folder.path().join("demo.db").display());
    let copy = folder.path().join("copy.db");
    let (code, out, err) = run(&[
        "--database",
        &database,
        "backup",
        &copy.display().to_string(),
    ]);
    assert!(
        code == 0 && out.contains("audit entries verify"),
        "{out}{err}"
    );
    drop(served);
    let (code, _, err) = run(&[
        "--database",
        &database,
        "backup",
        &copy.display().to_string(),
    ]);
    assert!(
        code == 1 && err.contains("copy.db"),
        "an existing file is never written over: {err}"
    );
    std::fs::copy(
        folder.path().join("demo.signing-key"),
        folder.path().join("copy.signing-key"),
    )
    .unwrap();
    let again =
        crate::support::process::Served::start(&format!("sqlite:{}", copy.display()), &["--demo"]);
    assert!(
        again.said.contains("Sign in with these links"),
        "{}",
        again.said
    );
}

/// The development corpus, where it is at hand: 100 sessions in, nothing twice, the five errors of
/// two or more tasks.
#[test]
fn the_shared_corpus() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/data/tau-airline-trials01.json"
    );
    if !Path::new(corpus).exists() {
        eprintln!("SKIPPED: the development corpus is not beside this checkout");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = database(folder.path());
    let import = || {
        run(&["--database", &database, "import", corpus, "--store", "Air"])
            .1
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        import(),
        "100 added, 0 grown by 0 events, 0 unchanged, 0 left out"
    );
    assert_eq!(
        import(),
        "0 added, 0 grown by 0 events, 100 unchanged, 0 left out"
    );
    let dream = || run(&["--database", &database, "dream", "--store", "Air", "--wait"]).1;
    let first = dream();
    assert!(
        first.contains("100 sessions, 3 findings proposed"),
        "{first}"
    );
    assert!(dream().contains("100 sessions, 0 findings proposed"));
}

#[test]
fn every_format_is_in_the_readme_and_in_the_help() {
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let (_, help, _) = run(&["import", "--help"]);
    for (name, _) in service::transcripts::Format::ALL {
        assert!(
            readme.contains(&format!("`{name}`")) || *name == "auto",
            "{name} is not in the README"
        );
        assert!(help.contains(name), "{name} is not in the help: {help}");
    }
}

/// Every setting that the command line knows stands in the README's table.
#[test]
fn every_setting_is_in_the_readme() {
    use clap::CommandFactory;
    let readme = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let command = server::cli::Cli::command();
    let mut found = 0;
    for one in std::iter::once(&command).chain(command.get_subcommands()) {
        for argument in one.get_arguments() {
            let Some(variable) = argument.get_env().and_then(std::ffi::OsStr::to_str) else {
                continue;
            };
            let flag = argument.get_long().unwrap();
            assert!(
                readme.contains(&format!("`{variable}`")) && readme.contains(&format!("--{flag}`")),
                "--{flag} ({variable}) is not in the README"
            );
            found += 1;
        }
    }
    assert!(found >= 10, "{found}");
    for subcommand in command.get_subcommands().filter(|c| c.get_name() != "help") {
        assert!(
            readme.contains(&format!("lucid {}", subcommand.get_name())),
            "lucid {} is not in the README",
            subcommand.get_name()
        );
    }
}

#[test]
fn policies_are_kept_in_a_repository_and_brought_back() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("p.db").display());
    let policy =
        |arguments: &[&str]| run(&[&["--database", &database, "policy"], arguments].concat());
    let (code, _, err) = policy(&["list"]);
    assert!(code == 1 && err.contains("there is no database"), "{err}");
    let file = folder.path().join("chats.jsonl");
    fs::write(&file, crate::world::failing("s1", "t1", 1)).unwrap();
    let (code, _, err) = run(&[
        "--database",
        &database,
        "import",
        &file.display().to_string(),
        "--store",
        "Air",
    ]);
    assert_eq!(code, 0, "{err}");
    let (_, out, _) = policy(&["list"]);
    assert!(out.contains("no policy"), "{out}");
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/policies/careful-merges.json"
    );
    let (code, _, err) = policy(&["import", example]);
    assert!(code == 1 && err.contains("owner"), "{err}");
    let (code, _, err) = policy(&["import", example, "--owner", "nobody@lucid.example"]);
    assert!(code == 1 && err.contains("nobody@lucid.example"), "{err}");
    run(&[
        "--database",
        &database,
        "user",
        "add",
        "ada@lucid.example",
        "--name",
        "Ada",
        "--role",
        "admin",
    ]);
    let (code, out, err) = policy(&["import", example, "--owner", "ada@lucid.example"]);
    assert!(code == 0 && out.contains("v1 is a draft"), "{out}{err}");
    let (code, out, _) = policy(&["export", "Careful merges"]);
    let kept = folder.path().join("kept.json");
    fs::write(&kept, &out).unwrap();
    let same: domain::policy::PolicyFile = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, same),
        (
            0,
            domain::policy::PolicyFile::parse(&fs::read_to_string(example).unwrap()).unwrap()
        )
    );
    fs::write(
        &kept,
        out.replace("\"after_hours\": 48", "\"after_hours\": 1"),
    )
    .unwrap();
    let kept = kept.display().to_string();
    let (code, out, _) = run(&["policy", "compare", example, &kept]);
    assert!(
        code == 1 && out.contains("after 1 instead of 48 hours"),
        "{out}"
    );
    let (code, out, _) = policy(&["import", &kept]);
    assert!(
        code == 0 && out.contains("v1 is a draft"),
        "the draft is written anew: {out}"
    );
    let (code, out, _) = policy(&["show", "Careful merges"]);
    assert!(
        code == 0 && out.contains("after 1 hour") && out.contains("8 passed"),
        "{out}"
    );
    let (code, out, _) = policy(&["back-test", "Careful merges"]);
    assert!(
        code == 0 && out.contains("of 0 changes, it would have applied 0"),
        "{out}"
    );
    let (code, _, err) = policy(&["show", "Nothing"]);
    assert!(code == 1 && err.contains("no policy is called"), "{err}");
    let (_, out, _) = policy(&["list"]);
    assert!(out.contains("Careful merges v1 draft"), "{out}");
    let (code, out, err) = run(&["--database", &database, "drill", "Air"]);
    assert!(
        code == 0 && out.contains("Poison in documents") && !out.contains("WOULD"),
        "{out}{err}"
    );
    let (code, out, _) = run(&["--database", &database, "drill", "Air", "--json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert!(code == 0 && report.as_array().unwrap().len() >= 10, "{out}");
    let (code, _, err) = run(&["--database", &database, "drill", "Nowhere"]);
    assert!(code == 1 && err.contains("Nowhere"), "{err}");
}

/// The fields of the published schema are those that a file has.
#[test]
fn the_schema_of_policies_has_the_fields_of_a_policy() {
    let schema = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/policies/policy.schema.json"
    );
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let fields = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<std::collections::BTreeSet<_>>()
    };
    let of = |name: &str| fields(&schema["$defs"][name]["properties"]);
    let refused = |text: &str| {
        serde_json::from_str::<domain::policy::PolicyFile>(text)
            .unwrap_err()
            .to_string()
    };
    // Serde names every field that it knows where it meets one that it does not.
    for (name, text) in [
        ("rule", r#"{"rules": [{"zzz": 1}]}"#),
        ("applying", r#"{"applying": {"zzz": 1}}"#),
        ("case", r#"{"tests": [{"zzz": 1}]}"#),
        ("change", r#"{"tests": [{"change": {"zzz": 1}}]}"#),
    ] {
        let why = refused(text);
        let known: std::collections::BTreeSet<String> = why
            .split('`')
            .skip(3)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        assert_eq!(of(name), known, "{why}");
    }
    let words = |all: &[Value]| {
        all.iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let change = &schema["$defs"]["change"]["properties"];
    let kinds: Vec<String> = domain::changeset::ChangeKind::ALL
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(words(change["kind"]["enum"].as_array().unwrap()), kinds);
    let labels: Vec<String> = domain::risk::Label::ALL
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        words(change["labels"]["items"]["enum"].as_array().unwrap()),
        labels
    );
    let figures: Vec<String> = domain::policy::Figure::ALL
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        words(
            change["figures"]["propertyNames"]["enum"]
                .as_array()
                .unwrap()
        ),
        figures
    );
}

#[test]
fn policies_are_tested_and_compared_without_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/policies/careful-merges.json"
    );
    let (code, out, err) = run(&["policy", "test", example]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.contains("8 passed, 0 failed") && !out.contains("would notice"),
        "{out}"
    );
    // Another bound: a case fails, in every form of the report.
    let text = fs::read_to_string(example).unwrap();
    let wider = folder.path().join("wider.json");
    fs::write(
        &wider,
        text.replace(
            "\"recorders\", \"at_least\": 2",
            "\"recorders\", \"at_least\": 1",
        ),
    )
    .unwrap();
    let wider = wider.display().to_string();
    let (code, out, _) = run(&["policy", "test", &wider]);
    let failed = "FAILED  a note of five users through one recorder waits: expected review, but \
        allowed by well-supported notes";
    assert!(
        code == 1 && out.contains(failed) && out.contains("7 passed, 1 failed"),
        "{out}"
    );
    let (code, out, _) = run(&["policy", "test", &wider, "--format", "json"]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, report["cases"][3]["passed"].as_bool()),
        (1, Some(false))
    );
    let (code, out, _) = run(&["policy", "test", &wider, "--format", "junit"]);
    assert!(
        code == 1 && out.contains("tests=\"8\" failures=\"1\""),
        "{out}"
    );
    // Compared: the one is wider, with an example of a change; the other way round it is not.
    let (code, out, _) = run(&["policy", "compare", example, &wider]);
    assert!(code == 1 && out.contains("\"recorders\": 1"), "{out}");
    let (code, out, _) = run(&["policy", "compare", &wider, example]);
    assert!(code == 0 && out.contains("applies nothing that"), "{out}");
    let (code, _, err) = run(&[
        "policy",
        "test",
        &folder.path().join("none.json").display().to_string(),
    ]);
    assert!(code == 1 && err.contains("none.json"), "{err}");
}
