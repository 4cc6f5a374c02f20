//! A new installation, from the first start's link to a dream's changeset, all in the browser.

use std::fs;

use crate::{
    driver::{Browser, Settings},
    review::PASSWORD,
    support::process::Served,
};

fn chat(number: u32) -> String {
    let call = |id: u32, page: u32| serde_json::json!({"role": "assistant", "tool_calls": [{"id": format!("c{id}"), "function": {"name": "export", "arguments": format!("{{\"page\":{page}}}")}}]});
    let messages = [
        call(1, 9),
        serde_json::json!({"role": "tool", "tool_call_id": "c1", "content": "Error: page is too \
            large"}),
        call(2, 1),
        serde_json::json!({"role": "tool", "tool_call_id": "c2", "content": "done"}),
    ];
    serde_json::json!({"id": format!("s{number}"), "task_id": format!("t{number}"), "messages": messages}).to_string()
}

#[tokio::test]
async fn from_an_empty_installation_to_a_changeset() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("new.db").display());
    let lucid = Served::start(&database, &["--no-worker"]);
    let browser = Browser::start(Settings::default()).await;
    browser.go(&lucid.link("/link/")).await;
    browser.wait_for_text("You are the first person here").await;
    browser.check_accessibility().await;
    browser.picture("first-admin").await;
    browser.fill("input[name=name]", "Ada").await;
    browser.fill("input[name=email]", "ada@lucid.example").await;
    browser.fill("input[name=password]", PASSWORD).await;
    // Two passwords that differ are refused, and what was typed but for them is still there.
    browser
        .fill("input[name=again]", "something else entirely")
        .await;
    browser.follow("button.primary").await;
    browser
        .wait_for_text("The two passwords are not the same.")
        .await;
    browser.check_accessibility().await;
    assert_eq!(
        browser
            .property_of("input[name=name]", "value")
            .await
            .as_deref(),
        Some("Ada")
    );
    browser.fill("input[name=password]", PASSWORD).await;
    browser.fill("input[name=again]", PASSWORD).await;
    browser.follow("button.primary").await;
    browser.wait_for_text("Nothing waits for a decision").await;
    browser.check_accessibility().await;
    browser.picture("empty-queue").await;
    browser.follow(".first-steps a.primary").await;
    browser.wait_for_text("No memory store").await;
    browser.check_accessibility().await;
    browser.fill("input[name=name]", "Exports").await;
    browser
        .follow("form[action='/do/create_store'] button")
        .await;
    browser.wait_for_text("Nothing is remembered yet").await;
    browser.check_accessibility().await;
    for (page, says) in [
        ("history", "No commit yet"),
        ("sessions", "No session yet"),
        ("dreams", "No dream yet"),
    ] {
        browser
            .follow(&format!("nav[aria-label=Store] a[href*='{page}']"))
            .await;
        browser.wait_for_text(says).await;
        browser.check_accessibility().await;
    }
    upload(&browser, &lucid, folder.path()).await;
    dream_live(&browser, &lucid, &database).await;
    browser.check_console().await;
}

/// Two sessions by upload.
async fn upload(browser: &Browser, lucid: &Served, folder: &std::path::Path) {
    let file = folder.join("chats.jsonl");
    fs::write(&file, format!("{}\n{}\n", chat(1), chat(2))).unwrap();
    browser.go(&format!("{}/import", lucid.url)).await;
    browser
        .type_into("input[type=file]", &file.display().to_string())
        .await;
    browser.follow("form[action='/do/import'] button").await;
    browser.wait_for_text("2 added").await;
}

/// A dream waits for a worker, another process does it, and the page follows without being touched.
async fn dream_live(browser: &Browser, lucid: &Served, database: &str) {
    browser.go(&format!("{}/dreams", lucid.url)).await;
    browser.follow("form[action='/do/dream'] button").await;
    browser.wait_for_text("Waits for a worker").await;
    browser.wait_for_islands().await;
    browser.check_accessibility().await;
    browser.picture("dream-waits").await;
    let worker = Served::start(database, &[]);
    browser.wait_for_text("Review its proposals").await;
    drop(worker);
    browser.follow("a[href^='/changesets/']").await;
    browser.wait_for_text("export: page is too large").await;
    // A second dream finds what waits already, and can be canceled before anybody works on it.
    browser.go(&format!("{}/dreams", lucid.url)).await;
    browser.follow("form[action='/do/dream'] button").await;
    browser.wait_for_text("Waits for a worker").await;
    browser
        .follow("form[action='/do/cancel_dream'] button")
        .await;
    browser.wait_for_text("Stopping").await;
}
