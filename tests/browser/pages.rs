//! Every page: accessible in light and dark, no wider than the window at 320 px, nothing in the
//! console.

use crate::{
    driver::{Browser, Settings},
    review::{open_first, sign_in},
    support::process::Served,
};

/// The first link whose address begins so, on a page.
async fn first_link(browser: &Browser, page: &str, start: &str) -> String {
    browser.go(page).await;
    browser
        .property_of(&format!("main a[href^='{start}']"), "href")
        .await
        .expect("a link has an address")
}

/// Every page of the demo, found by its links.
async fn addresses(browser: &Browser, url: &str) -> Vec<(&'static str, String)> {
    let store = first_link(browser, &format!("{url}/stores"), "/stores/").await;
    let memory = first_link(browser, &store, "/memories/").await;
    let commit = first_link(browser, &format!("{store}/history"), "/commits/").await;
    let dream = first_link(browser, &format!("{url}/dreams"), "/dreams/").await;
    let session = first_link(browser, &format!("{url}/sessions"), "/sessions/").await;
    let changeset = first_link(browser, &format!("{url}/queue"), "/changesets/").await;
    browser.go(&format!("{memory}/loads?from=1")).await;
    browser.fill("input[name=reason]", "It was wrong.").await;
    let before = browser.address().await;
    browser.click("form[action='/do/open_recall'] button").await;
    browser.wait_for_other_address(&before).await;
    let recall = browser.address().await;
    let person = first_link(browser, &format!("{url}/people"), "/people/").await;
    vec![
        ("queue", format!("{url}/queue")),
        ("queue-done", format!("{url}/queue?state=done")),
        ("inbox", format!("{url}/inbox")),
        ("questions", format!("{url}/questions")),
        ("insights", format!("{url}/insights")),
        ("bulk", bulk_of(&changeset)),
        (
            "related",
            first_link(browser, &changeset, "/changes/").await,
        ),
        ("changeset", changeset.clone()),
        ("changeset-editor", format!("{changeset}&edit=1")),
        ("search", format!("{url}/search?q=logs")),
        ("stores", format!("{url}/stores")),
        ("store", store.clone()),
        ("store-search", format!("{store}?q=open+questions")),
        ("history", format!("{store}/history")),
        ("store-dreams", format!("{store}/dreams")),
        ("store-sessions", format!("{store}/sessions")),
        ("store-at", format!("{store}/at?revision=1")),
        ("store-compare", format!("{store}/compare?from=0")),
        ("compare", format!("{memory}/compare?from=1&to=1")),
        ("memory-lines", format!("{memory}?view=blame")),
        ("memory-loads", format!("{memory}/loads?from=1")),
        ("recalls", format!("{url}/recalls")),
        ("recall", recall),
        ("memory", memory),
        ("commit", commit),
        ("dreams", format!("{url}/dreams")),
        ("dream", dream),
        ("sessions", format!("{url}/sessions")),
        ("session", session.clone()),
        ("import", format!("{url}/import")),
        ("mappings", format!("{url}/mappings")),
        ("mapping", format!("{url}/mappings/edit")),
        ("store-briefing", format!("{store}/briefing")),
        ("store-muted", format!("{store}/muted")),
        ("store-settings", format!("{store}/settings")),
        ("audit", format!("{url}/audit")),
        ("integrity", format!("{url}/audit/integrity")),
        ("erasure", format!("{url}/erasure")),
        ("subject", session.replace("/sessions/", "/subjects/")),
        ("account", format!("{url}/account")),
        ("people", format!("{url}/people")),
        ("person", person),
        ("rights", format!("{url}/rights")),
        ("keys", format!("{url}/keys")),
        ("request-access", format!("{url}/request-access")),
        ("not-found", format!("{url}/changesets/chgset_0")),
    ]
}

/// Everything of a changeset, to be decided together.
fn bulk_of(changeset: &str) -> String {
    let (start, rest) = changeset.split_once("/changesets/").unwrap();
    format!("{start}/bulk?{}=on", rest.split('?').next().unwrap())
}

async fn look_at_all(settings: Settings, name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(settings).await;
    browser.go(&format!("{}/sign-in", lucid.url)).await;
    browser.check_accessibility().await;
    browser.picture(&format!("{name}-sign-in")).await;
    browser.go(&lucid.link("admin@")).await;
    browser.check_accessibility().await;
    sign_in(&browser, &lucid.link("admin@")).await;
    for (page, address) in addresses(&browser, &lucid.url).await {
        browser.go(&address).await;
        browser.wait_for_islands().await;
        browser.check_accessibility().await;
        browser.check_width().await;
        browser.picture(&format!("{name}-{page}")).await;
        if page != "not-found" {
            browser.check_console().await;
        }
    }
    // With the editor and the reasons open.
    browser.go(&format!("{}/queue", lucid.url)).await;
    open_first(&browser).await;
    browser.wait_for_islands().await;
    browser.press("e").await;
    browser.check_accessibility().await;
    browser.check_width().await;
    browser.picture(&format!("{name}-editor")).await;
}

#[tokio::test]
async fn every_page_in_light() {
    look_at_all(Settings::default(), "light").await;
}

#[tokio::test]
async fn every_page_in_dark() {
    look_at_all(
        Settings {
            dark: true,
            ..Settings::default()
        },
        "dark",
    )
    .await;
}

#[tokio::test]
async fn every_page_on_a_narrow_screen() {
    look_at_all(
        Settings {
            width: 320,
            ..Settings::default()
        },
        "narrow",
    )
    .await;
}
