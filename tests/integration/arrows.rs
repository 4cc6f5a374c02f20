//! The walls: a crate depends only on those to its left (docs/architecture.md).

use std::process::Command;

const ORDER: &[&str] = &[
    "audit", "domain", "dream", "distill", "embed", "store", "service", "app", "server",
];

#[test]
fn crates_depend_only_to_their_left() {
    let out = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: Vec<&str> = packages
        .iter()
        .map(|p| p["name"].as_str().unwrap())
        .collect();
    assert!(names.len() >= 9, "{names:?}");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let ours = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|d| d["kind"].is_null() && d["path"].is_string());
        for on in ours.map(|d| d["name"].as_str().unwrap()) {
            let allowed = match name {
                "frontend" => on == "app",
                _ => ORDER.iter().position(|&n| n == on) < ORDER.iter().position(|&n| n == name),
            };
            assert!(allowed, "{name} must not depend on {on}");
        }
    }
}

/// Only `service` may append to the audit trail or open a transaction; only `store` speaks SQL.
#[test]
fn no_crate_contains_words_of_another() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    for (folder, forbidden) in [
        (
            "app/src",
            &["sqlx", "store::", ".write().await", "audit_log"][..],
        ),
        ("server/src", &["sqlx::", "audit_log", "db.write()"]),
        ("crates/service/src", &["sqlx::", "SELECT ", "INSERT INTO"]),
        (
            "crates/dream/src",
            &["tokio", "std::fs", "SystemTime", "sqlx"],
        ),
        (
            "crates/domain/src",
            &["tokio", "std::fs", "SystemTime::now", "std::net"],
        ),
    ] {
        for file in rust_files(format!("{root}/{folder}").as_ref()) {
            let text = std::fs::read_to_string(&file).unwrap();
            for word in forbidden {
                assert!(!text.contains(word), "{} holds `{word}`", file.display());
            }
        }
    }
}

/// Every Rust file below a folder.
pub fn rust_files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// Forms carry the token of the sign-in, and what leptos does not escape is written in one place
/// each.
#[test]
fn pages_are_made_of_what_is_safe() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../app/src");
    let mut forms = 0;
    for file in rust_files(root.as_ref()) {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.display().to_string();
        for form in text.split("method=\"post\"").skip(1) {
            forms += 1;
            let start: String = form
                .chars()
                .skip_while(|&c| c != '>')
                .skip(1)
                .take(60)
                .collect();
            assert!(
                start.trim_start().starts_with("{form_token()}"),
                "a form in {name} does not begin with its token: {start}"
            );
        }
        if !name.ends_with("components/title.rs") {
            assert!(
                !text.contains("leptos_meta::Title") && !text.contains("<Title "),
                "{name} writes a title that is not escaped"
            );
        }
        if !name.ends_with("components/text_area.rs") {
            assert!(
                !text.contains("<textarea"),
                "{name} writes a text area that is not escaped"
            );
        }
        assert!(
            !text.contains("inner_html=")
                || name.contains("components/")
                || name.ends_with("shell.rs"),
            "{name} writes raw HTML"
        );
    }
    assert!(forms >= 50, "{forms}");
}

/// A transaction that reads nobody's rights is begun only where nobody acts, or where somebody is
/// just proving who they are. A new place is a decision, to be made here as well.
#[test]
fn transactions_without_an_actor_are_begun_in_few_places() {
    const PLACES: &[&str] = &[
        "accounts.rs",
        "authority.rs",
        "distilling/requests.rs",
        "dream_input.rs",
        "dreams.rs",
        "forms.rs",
        "housekeeping.rs",
        "lease.rs",
        "lib.rs",
        "meanings.rs",
        "notices.rs",
        "people.rs",
        "policies/applying.rs",
        "policies/evaluation.rs",
        "policies/lifecycle.rs",
        "privacy/erasing.rs",
        "privacy/retention.rs",
        "privacy/sealing.rs",
        "review/expiry.rs",
        "search/indexing.rs",
        "schedules.rs",
        "small_writes.rs",
        "audit_trail/proofs.rs",
        "audit_trail/verifying.rs",
        "web_sessions.rs",
        "worker.rs",
    ];
    let folder = std::path::Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../crates/service/src"
    ));
    let begins = |file: &std::path::PathBuf| {
        std::fs::read_to_string(file)
            .unwrap()
            .contains(".background()")
    };
    let found: std::collections::BTreeSet<String> = rust_files(folder)
        .into_iter()
        .filter(begins)
        .map(|file| file.strip_prefix(folder).unwrap().display().to_string())
        .collect();
    assert_eq!(found, PLACES.iter().map(|p| (*p).to_owned()).collect());
}
