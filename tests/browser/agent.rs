//! A real agent's way with the official SDK: record sessions, dream, have it approved in the
//! browser, and be briefed.

use std::process::Command;

use serde_json::Value;

use crate::{
    driver::{Browser, Settings},
    review::PASSWORD,
    support::process::{Served, run},
};

/// Runs the agent; what it printed.
fn agent(served: &Served, key: &str, arguments: &[&str]) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/sdk");
    let done = Command::new(format!("{folder}/.venv/bin/python"))
        .arg(format!("{folder}/agent.py"))
        .args(arguments)
        .env("LUCID_URL", &served.url)
        .env("LUCID_KEY", key)
        .output()
        .expect("the SDK is missing: run tests/setup.sh");
    let out = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(
        done.status.success(),
        "{out}\n{}",
        String::from_utf8_lossy(&done.stderr)
    );
    serde_json::from_str(&out).expect("it prints JSON")
}

#[tokio::test]
async fn what_was_approved_is_in_the_next_briefing_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("agent.db").display());
    let lucid = Served::start(&database, &[]);
    let browser = Browser::start(Settings::default()).await;
    browser.go(&lucid.link("/link/")).await;
    for (field, text) in [
        ("name", "Ada"),
        ("email", "ada@lucid.example"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ] {
        browser.fill(&format!("input[name={field}]"), text).await;
    }
    browser.follow("button.primary").await;
    let scopes = [
        "sessions:write",
        "sessions:read",
        "memory:write",
        "memory:delete",
        "memory:read",
        "dreams:write",
    ];
    let mut add = vec!["--database", &database, "key", "add", "booking agent"];
    add.extend(scopes.iter().flat_map(|s| ["--scope", s]));
    let (code, key, err) = run(&add);
    assert_eq!(code, 0, "{err}");
    let done = agent(&lucid, key.trim(), &["record"]);
    // Ada owns the key through which the sessions came, so she contributed to what rests on them:
    // alone, she decides in solo mode.
    browser.go(&format!("{}/people", lucid.url)).await;
    browser.follow("form[action='/do/set_solo'] button").await;
    browser.wait_for_text("One person alone decides here").await;
    browser
        .go(&format!(
            "{}/changesets/{}",
            lucid.url,
            done["changeset"].as_str().unwrap()
        ))
        .await;
    browser.wait_for_text("book: not enough seats").await;
    assert!(
        browser.text().await.contains("0 → "),
        "what it costs in tokens stands there"
    );
    let store = done["store"].as_str().unwrap();
    // What waits is in no briefing.
    let before = agent(&lucid, key.trim(), &["brief", store]);
    assert_eq!(
        before["contents"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["/prices.md"]
    );
    assert!(
        !before["briefing"]["text"]
            .as_str()
            .unwrap()
            .contains("book fails"),
        "{before}"
    );
    assert_eq!(before["known"]["memories"], serde_json::json!([]));
    browser.wait_for_islands().await;
    browser.click("button[data-key='a']").await;
    browser.find(".desk-list .mark[title='approved']").await;
    browser.click("button[data-key='commit']").await;
    browser
        .click("form[action='/do/commit'] button.primary")
        .await;
    browser.wait_for_text("Committed.").await;
    let after = agent(&lucid, key.trim(), &["brief", store]);
    let contents = after["contents"].as_object().unwrap();
    assert_eq!(contents.len(), 2, "{contents:?}");
    let text = after["briefing"]["text"].as_str().unwrap();
    for (path, content) in contents {
        assert!(
            text.contains(path) && text.contains(content.as_str().unwrap().trim()),
            "{path} in {text}"
        );
    }
    let sections = text.lines().filter(|l| l.starts_with("## ")).count();
    assert_eq!(
        sections, 2,
        "what was approved, what was there, and nothing else: {text}"
    );
    assert_eq!(
        after["briefing"]["token_rule"],
        "a token is 4 bytes of UTF-8, rounded up"
    );
    assert_eq!(
        after["known"]["memories"].as_array().unwrap().len(),
        1,
        "{}",
        after["known"]
    );
    // A hook of a shell asks for Markdown alone.
    let address = format!(
        "{}/v1/memory_stores/{store}/briefing?agent=claude-code",
        lucid.url
    );
    let request = crate::support::http()
        .build()
        .unwrap()
        .get(address)
        .header("x-api-key", key.trim())
        .header("accept", "text/markdown");
    assert_eq!(request.send().await.unwrap().text().await.unwrap(), text);
    // The command line says the same.
    let (code, out, _) = run(&["--database", &database, "briefing", "Bookings"]);
    assert_eq!((code, out.as_str()), (0, text));
    browser.check_console().await;
}
