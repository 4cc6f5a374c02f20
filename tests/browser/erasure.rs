//! An end user's request in the browser: what is known, the letter, a hold that refuses, the
//! erasure with its second admin; and a version whose text is erased.

use std::path::Path;

use crate::{
    driver::{Browser, Settings},
    review::sign_in,
    support::process::{Served, run},
};

/// Types a reason into a form and sends it.
async fn send(browser: &Browser, action: &str, reason: &str) {
    let form = format!("form[action='/do/{action}']");
    browser
        .fill(&format!("{form} input[name=reason]"), reason)
        .await;
    let before = browser.address().await;
    browser.click(&format!("{form} button")).await;
    browser.wait_for_other_address(&before).await;
}

async fn known_of(browser: &Browser, url: &str, user: &str) {
    browser.go(&format!("{url}/erasure")).await;
    browser.fill("input[name=subject]", user).await;
    let before = browser.address().await;
    browser
        .click("form[action='/do/find_subject'] button")
        .await;
    browser.wait_for_other_address(&before).await;
    browser
        .wait_for_text(&format!("What is known of {user}"))
        .await;
}

fn second_admin(folder: &Path) {
    let database = format!("sqlite:{}", folder.join("demo.db").display());
    let (code, out, err) = run(&[
        "--database",
        &database,
        "user",
        "add",
        "second@lucid.example",
        "--name",
        "Sam Second",
        "--role",
        "admin",
    ]);
    assert_eq!(code, 0, "{out}{err}");
}

#[tokio::test]
async fn an_end_user_is_erased_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let url = lucid.url.clone();
    let browser = Browser::start(Settings::default()).await;
    sign_in(&browser, &lucid.link("admin@")).await;

    known_of(&browser, &url, "customer-07").await;
    browser.check_accessibility().await;
    assert!(browser.text_of("main").await.contains("Download letter"));

    // While it is held, it is not erased, and what was typed stays.
    send(&browser, "place_hold", "Case 12 of the court").await;
    browser.wait_for_text("Case 12 of the court").await;
    known_of(&browser, &url, "customer-07").await;
    browser
        .fill(
            "form[action='/do/erase_subject'] input[name=again]",
            "erase",
        )
        .await;
    send(&browser, "erase_subject", "They asked for it").await;
    browser
        .wait_for_text("under a legal hold: Case 12 of the court")
        .await;
    assert_eq!(
        browser
            .property_of(
                "form[action='/do/erase_subject'] input[name=reason]",
                "value"
            )
            .await
            .as_deref(),
        Some("They asked for it")
    );
    browser.go(&format!("{url}/erasure")).await;
    browser
        .fill(
            "form[action='/do/release_hold'] input[name=reason]",
            "The case is closed",
        )
        .await;
    browser
        .click("form[action='/do/release_hold'] button")
        .await;
    browser
        .wait_until_gone("form[action='/do/release_hold']")
        .await;
    browser.wait_for_text("The case is closed").await;

    // With a second admin, who has chosen a password, it waits for that one.
    second_admin(folder.path());
    let database = format!("sqlite:{}", folder.path().join("demo.db").display());
    let (_, link, _) = run(&[
        "--database",
        &database,
        "user",
        "link",
        "second@lucid.example",
    ]);
    let link = link
        .split_whitespace()
        .find(|word| word.contains("/link/"))
        .expect("a link")
        .to_owned();
    let link = format!("{url}/link/{}", link.split("/link/").nth(1).unwrap());
    let other = Browser::start(Settings::default()).await;
    sign_in(&other, &link).await;
    known_of(&browser, &url, "customer-07").await;
    browser
        .fill(
            "form[action='/do/erase_subject'] input[name=again]",
            "erase",
        )
        .await;
    send(&browser, "erase_subject", "They asked for it").await;
    browser.wait_for_text("Waits for a second admin").await;
    assert!(
        !browser.holds("form[action='/do/confirm_erasure']").await,
        "not by whoever asked"
    );
    other.go(&format!("{url}/erasure")).await;
    other.check_accessibility().await;
    other
        .click("form[action='/do/confirm_erasure'] button")
        .await;
    other.wait_for_text("confirmed by Sam Second").await;
    other.fill("input[name=subject]", "customer-07").await;
    let before = other.address().await;
    other.click("form[action='/do/find_subject'] button").await;
    other.wait_for_other_address(&before).await;
    other
        .wait_for_text("No session is of an end user of this name")
        .await;
    let (code, out, _) = run(&["--database", &database, "audit", "verify"]);
    assert_eq!(code, 0, "{out}");
}
