//! The main job: sign in, look at what a dream proposes, approve, reject, commit, and see memory,
//! history and audit change.

use fantoccini::key::Key;

use crate::{
    driver::{Browser, Settings},
    support::{mixed, process::Served},
};

/// A password that nobody uses elsewhere.
pub const PASSWORD: &str = "four plain words here";

/// Uses a one-time link: chooses a password and is signed in.
pub async fn sign_in(browser: &Browser, link: &str) {
    browser.go(link).await;
    browser.fill("input[name=password]", PASSWORD).await;
    browser.fill("input[name=again]", PASSWORD).await;
    browser.follow("button.primary").await;
    browser.wait_for_text("Queue").await;
}

/// From the queue to the first change that needs no signature.
pub async fn open_first(browser: &Browser) {
    browser
        .follow("main .row:not(:has(.risk.high)) a[href^='/changesets/']")
        .await;
    browser.find("article.change").await;
}

/// The change whose state is this, in the list.
fn marked(state: &str) -> String {
    format!(".desk-list a:has(.mark[title='{state}'])")
}

/// Everything after the decisions: one commit, seen in the memory, the history and the audit.
async fn commit_and_look(browser: &Browser, url: &str) {
    browser.click("button[data-key='commit']").await;
    browser
        .click("form[action='/do/commit'] button.primary")
        .await;
    browser.wait_for_text("Committed.").await;
    browser.find(&marked("committed")).await;
    browser.find(&marked("rejected")).await;
    browser.follow(".notice a[href^='/commits/']").await;
    browser.wait_for_text("approved by Rui Reviewer").await;
    browser.follow("section.card h2 a").await;
    browser.wait_for_text("Versions").await;
    assert!(
        browser.text().await.contains("Rui Reviewer"),
        "{}",
        browser.text().await
    );
    browser.go(&format!("{url}/audit")).await;
    let audit = browser.text().await;
    for action in [
        "changeset.commit",
        "change.decide",
        "dream.end",
        "session.import",
    ] {
        assert!(
            audit.contains(action),
            "{action} is not in the audit:\n{audit}"
        );
    }
}

#[tokio::test]
async fn a_reviewer_approves_rejects_and_commits_by_keyboard() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings::default()).await;
    sign_in(&browser, &lucid.link("reviewer@")).await;
    browser.wait_for_islands().await;
    // From the queue, without a mouse.
    browser.press("j").await;
    browser.find("#preview article.change h1").await;
    browser.press("j").await;
    browser.press("o").await;
    browser.find("#desk article.change").await;
    browser.wait_for_islands().await;
    browser.picture("desk").await;
    browser.press("a").await;
    browser.find(&marked("approved")).await;
    browser
        .find("article.change[data-change='pending']:focus")
        .await;
    browser.press("v").await;
    browser.find("#desk.side-by-side").await;
    browser.press("x").await;
    browser.press("2").await;
    browser
        .find("details[open] input[value=not_yet]:checked")
        .await;
    browser
        .fill("details[open] input[name=note]", "Seen too rarely")
        .await;
    browser.picture("desk-reject").await;
    browser
        .press(&format!("{}{}", Key::Control, Key::Enter))
        .await;
    browser.find(&marked("rejected")).await;
    browser
        .find("article.change[data-change='pending']:focus")
        .await;
    // How one looks at a diff stays, until one chooses otherwise.
    browser.find("#desk.side-by-side").await;
    browser.press("v").await;
    browser.find("#desk .diff-card .prose").await;
    browser.press("v").await;
    browser
        .find("#desk:not(.side-by-side) .diff-card .diff")
        .await;
    // Undone, and rejected again.
    browser.press("z").await;
    browser.wait_until_gone(&marked("rejected")).await;
    browser.press("x").await;
    browser.click("details[open] input[value=wording]").await;
    browser.click("details[open] button.danger").await;
    browser.find(&marked("rejected")).await;
    browser.find("article.change:focus").await;
    browser.press("?").await;
    browser.find("dialog[open]").await;
    browser.press(&Key::Escape.to_string()).await;
    browser.check_console().await;
    browser.picture("desk-approved").await;
    commit_and_look(&browser, &lucid.url).await;
    browser.check_console().await;
}

#[tokio::test]
async fn the_same_without_scripts() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings {
        without_scripts: true,
        ..Settings::default()
    })
    .await;
    sign_in(&browser, &lucid.link("reviewer@")).await;
    open_first(&browser).await;
    browser.follow("button[data-key='a']").await;
    browser.find(&marked("approved")).await;
    browser.click("details[data-key='x'] summary").await;
    // Without choosing why it is refused by the browser itself; with a reason it goes through.
    browser.click("details[open] input[value=wording]").await;
    browser.follow("details[open] button.danger").await;
    browser.find(&marked("rejected")).await;
    // Undone and rejected again.
    browser.follow("form[action='/do/undo'] button").await;
    browser.click("details[data-key='x'] summary").await;
    browser.click("details[open] input[value=never]").await;
    browser.follow("details[open] button.danger").await;
    browser.find(&marked("rejected")).await;
    // Edited: a revision that somebody else approves.
    browser.follow("a[data-key='e']").await;
    browser
        .fill("form[data-editing] textarea", "# In other words\n")
        .await;
    browser.follow("button[form='editor']").await;
    browser
        .wait_for_text("You contributed to this change")
        .await;
    commit_and_look(&browser, &lucid.url).await;
}

#[tokio::test]
async fn an_edit_shows_its_diff_while_typing_and_needs_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let reviewer = Browser::start(Settings::default()).await;
    sign_in(&reviewer, &lucid.link("reviewer@")).await;
    open_first(&reviewer).await;
    reviewer.wait_for_islands().await;
    // Also where the editor came with a change that was swapped in.
    let here = reviewer.address().await;
    reviewer.press("j").await;
    reviewer.wait_for_other_address(&here).await;
    reviewer.press("e").await;
    reviewer
        .fill(
            "form[data-editing] textarea",
            "# Other words\n\n</textarea><script>alert(1)</script>\n",
        )
        .await;
    reviewer.find("form[data-editing] .live-diff ins").await;
    reviewer.wait_for_text("Other words").await;
    reviewer.picture("desk-editor").await;
    reviewer.click("button[form='editor']").await;
    reviewer
        .wait_for_text("You contributed to this change")
        .await;
    reviewer.check_console().await;
    let address = reviewer.address().await;
    let admin = Browser::start(Settings::default()).await;
    sign_in(&admin, &lucid.link("admin@")).await;
    admin.go(&address).await;
    admin
        .wait_for_text("</textarea><script>alert(1)</script>")
        .await;
    admin.wait_for_islands().await;
    admin.click("button[data-key='a']").await;
    admin.find(&marked("approved")).await;
    admin.click("button[data-key='commit']").await;
    admin
        .click("form[action='/do/commit'] button.primary")
        .await;
    admin.wait_for_text("Committed.").await;
    admin.check_console().await;
}

#[tokio::test]
async fn a_conflict_is_shown_before_anybody_clicks_and_rebased_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings::default()).await;
    sign_in(&browser, &lucid.link("reviewer@")).await;
    // A new memory is proposed, and another one takes its place meanwhile.
    let database = format!("sqlite:{}", folder.path().join("demo.db").display());
    let other = mixed::open(&database).await;
    let store = other
        .stores(&domain::actor::Actor::operator())
        .await
        .unwrap()[0]
        .id;
    mixed::propose(
        &other,
        store,
        vec![(
            "/style/names.md".to_owned(),
            "# Names\n\n- Blur names.\n".to_owned(),
        )],
    )
    .await;
    other.close().await;
    crate::support::elsewhere::write_memory(
        folder.path(),
        "/style/names.md",
        "# Names\n\n- Names as people like.\n",
    )
    .await;
    browser
        .go(&format!("{}/queue?state=conflicted", lucid.url))
        .await;
    browser.follow("main .row a[data-open]").await;
    browser.wait_for_islands().await;
    let conflict = browser.text_of("article[data-change='conflicted']").await;
    assert!(
        conflict.contains("Base → now")
            && conflict.contains("Base → proposed")
            && conflict.contains("as people like"),
        "{conflict}"
    );
    assert!(
        !browser.holds("button[data-key='a']").await,
        "what is conflicted cannot be approved"
    );
    browser.picture("desk-conflict").await;
    browser.check_accessibility().await;
    browser.press("e").await;
    browser.find("form[data-editing] textarea").await;
    browser.picture("desk-rebase").await;
    browser.check_accessibility().await;
    // Saving is refused as long as a conflict is marked, and nothing that was typed is lost.
    browser.click("button[form='editor']").await;
    browser
        .wait_for_text("Resolve each marked conflict first")
        .await;
    assert!(
        browser
            .property_of("form[data-editing] textarea", "value")
            .await
            .unwrap()
            .contains("<<<<<<< now")
    );
    // A side is chosen with a button; the text and what it changes follow.
    browser.click(".conflicts [data-choice='proposed']").await;
    browser.wait_for_text("No conflict is left.").await;
    assert_eq!(
        browser
            .property_of("form[data-editing] textarea", "value")
            .await
            .unwrap(),
        "# Names\n\n- Blur names.\n"
    );
    assert!(!browser.holds("[data-conflict]").await);
    let focused = browser
        .page
        .execute("return document.activeElement.tagName", vec![])
        .await
        .unwrap();
    assert_eq!(
        focused, "TEXTAREA",
        "where the last conflict was, the text has the focus"
    );
    browser
        .fill(
            "form[data-editing] textarea",
            "# Names\n\n- Blur names, as people like.\n",
        )
        .await;
    browser.click("button[form='editor']").await;
    browser
        .wait_until_gone("article[data-change='conflicted']")
        .await;
    browser.wait_for_text("Revision 2").await;
    browser
        .wait_for_text("You contributed to this change")
        .await;
    // The keys `.` and `,` go through the differences.
    browser.press(".").await;
    let difference = "return document.activeElement.matches('[data-difference]')";
    assert_eq!(
        browser.page.execute(difference, vec![]).await.unwrap(),
        true
    );
    // An edit is taken back by a revision that says what the one before said; back into the
    // conflict it does not go.
    let discard = "form[action='/do/discard_revision'] button";
    browser.click(discard).await;
    browser.wait_for_text("is taken by another memory").await;
    browser.press("e").await;
    browser
        .fill("form[data-editing] textarea", "# Names\n\n- No names.\n")
        .await;
    browser.click("button[form='editor']").await;
    browser.wait_for_text("Revision 3").await;
    browser.click(discard).await;
    browser.wait_for_text("Revision 4").await;
    browser.wait_for_text("as people like").await;
    browser.check_console().await;
}
