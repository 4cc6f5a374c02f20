//! A changeset from the first decision to the commit by keys alone, and what a screen reader hears
//! on the way; and views that are saved.

use std::time::Duration;

use fantoccini::key::Key;

use crate::{
    driver::{Browser, Settings},
    review::{PASSWORD, open_first, sign_in},
    support::process::Served,
};

/// Collects what the live region says, in order.
const HEAR: &str = "
    window.heard = [];
    new MutationObserver(() => {
        const text = document.getElementById('desk-says')?.textContent.trim();
        if (text && window.heard.at(-1) !== text) window.heard.push(text);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });";

/// Presses a key once the change that is shown could have been read, and waits until another is.
async fn decide(browser: &Browser, keys: &[String]) {
    let change = browser
        .property_of("#desk article.change", "id")
        .await
        .unwrap();
    // As long as nobody could have read it, a key decides nothing.
    tokio::time::sleep(Duration::from_millis(250)).await;
    for key in keys {
        browser.press(key).await;
    }
    browser
        .wait_for_decided(&format!("#desk article.change[id='{change}']"))
        .await;
}

#[tokio::test]
async fn nine_changes_and_a_commit_take_thirteen_keys() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings::default()).await;
    sign_in(&browser, &lucid.link("reviewer@")).await;
    open_first(&browser).await;
    browser.wait_for_islands().await;
    browser.page.execute(HEAR, vec![]).await.unwrap();
    let mut keys = 0;
    for _ in 0..9 {
        let signs = browser.holds("#decision input[name=password]").await;
        // The first key goes to the password, which is not counted, and Enter sends it.
        let pressed = if signs {
            vec!["a".to_owned(), PASSWORD.to_owned(), Key::Enter.to_string()]
        } else {
            vec!["a".to_owned()]
        };
        keys += if signs { 2 } else { 1 };
        decide(&browser, &pressed).await;
    }
    let send = format!("{}{}", Key::Control, Key::Enter);
    tokio::time::sleep(Duration::from_millis(250)).await;
    browser.press(&send).await;
    browser.find(".sheet:popover-open").await;
    browser.press(&send).await;
    keys += 2;
    browser.wait_for_text("Committed.").await;
    println!("9 changes and a commit: {keys} keys and the password");
    assert!(keys <= 13, "{keys}");
    let heard: Vec<String> = serde_json::from_value(
        browser
            .page
            .execute("return window.heard || []", vec![])
            .await
            .unwrap(),
    )
    .unwrap();
    println!("a screen reader hears: {heard:#?}");
    assert!(heard.len() >= 8, "each decision is announced: {heard:?}");
    assert!(
        heard[0].starts_with("Approved") && heard[0].contains("8 left"),
        "{heard:?}"
    );
    assert!(heard.last().unwrap().starts_with("Committed"), "{heard:?}");
    browser.check_console().await;
}

#[tokio::test]
async fn filters_are_saved_as_a_view() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings::default()).await;
    sign_in(&browser, &lucid.link("reviewer@")).await;
    browser.wait_for_islands().await;
    browser.click("button[popovertarget='views']").await;
    browser.wait_for_text("Choose a tab or a filter").await;
    browser
        .go(&format!("{}/queue?state=open&risk=high", lucid.url))
        .await;
    browser.wait_for_islands().await;
    browser.click("button[popovertarget='views']").await;
    // The menu opens beneath its button.
    let beneath = "const b = document.querySelector(\"button[popovertarget='views']\").getBoundingClientRect(), m = document.getElementById('views').getBoundingClientRect();
        return m.top >= b.bottom && m.top < b.bottom + 12 && m.right > b.left && m.left < b.right && m.right <= innerWidth";
    assert_eq!(browser.page.execute(beneath, vec![]).await.unwrap(), true);
    browser
        .fill("#views input[name=name]", "High risk & <open>")
        .await;
    browser.check_accessibility().await;
    browser.picture("queue-save-view").await;
    browser
        .follow("#views form[action='/do/save_view'] button")
        .await;
    browser.wait_for_text("View: High risk & <open>").await;
    // It is there from anywhere, and leads back to the same filters.
    browser.go(&format!("{}/queue", lucid.url)).await;
    browser.wait_for_islands().await;
    browser.click("button[popovertarget='views']").await;
    browser.picture("queue-views").await;
    browser.check_accessibility().await;
    browser.follow("#views a[href*='risk=high']").await;
    assert!(
        browser
            .address()
            .await
            .ends_with("/queue?state=open&risk=high"),
        "{}",
        browser.address().await
    );
    browser.wait_for_islands().await;
    browser.click("button[popovertarget='views']").await;
    browser
        .follow("#views form[action='/do/delete_view'] button")
        .await;
    assert!(
        !browser.holds("#views form[action='/do/delete_view']").await,
        "it is gone"
    );
    browser.check_console().await;
}
