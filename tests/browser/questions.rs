//! What dreams ask, answered with one key.

use crate::{
    driver::{Browser, Settings},
    review::sign_in,
    support::process::Served,
};

#[tokio::test]
async fn a_question_is_answered_with_one_key_and_undone() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings::default()).await;
    sign_in(&browser, &lucid.link("reviewer@")).await;
    browser.go(&format!("{}/questions", lucid.url)).await;
    browser.wait_for_islands().await;
    browser.picture("questions").await;
    browser.check_accessibility().await;
    let first = browser.text_of(".question h3").await;
    // A key answers what has the focus, and nothing before that.
    browser.press("3").await;
    assert_eq!(browser.text_of(".question h3").await, first);
    browser.press("j").await;
    let number = format!(
        ".question:focus-within button[data-key='{}']",
        last_answer(&browser).await
    );
    browser.find(&number).await;
    let before = browser.text().await;
    browser.press(&last_answer(&browser).await).await;
    browser.wait_for_text("Ask again").await;
    assert!(!before.contains("Ask again"));
    let answered = browser.text_of("section table, .scroll table").await;
    assert!(answered.contains(first.trim()), "{answered}");
    browser.picture("questions-answered").await;
    browser.check_accessibility().await;
    browser.check_console().await;
}

/// The key of the last answer of the question that has the focus: it changes nothing in the memory.
async fn last_answer(browser: &Browser) -> String {
    let keys = ["3", "2", "1"];
    for key in keys {
        if browser
            .holds(&format!(".question:focus-within button[data-key='{key}']"))
            .await
        {
            return key.to_owned();
        }
    }
    panic!("no question has the focus");
}
