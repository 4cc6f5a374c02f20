//! What admins manage: who may come in, keys that are shown once, grants, and one's own account.

use crate::{
    driver::{Browser, Settings},
    review::{PASSWORD, sign_in},
    support::process::Served,
};

#[tokio::test]
async fn an_admin_lets_somebody_in_who_asked() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let visitor = Browser::start(Settings::default()).await;
    visitor.go(&format!("{}/sign-in", lucid.url)).await;
    visitor.follow("a[href='/request-access']").await;
    visitor.fill("input[name=name]", "Mia <b>Member</b>").await;
    visitor.fill("input[name=email]", "mia@lucid.example").await;
    visitor.fill("input[name=reason]", "I answer tickets").await;
    visitor.follow("button.primary").await;
    visitor.wait_for_text("Request sent").await;
    visitor.check_accessibility().await;
    let admin = Browser::start(Settings::default()).await;
    sign_in(&admin, &lucid.link("admin@")).await;
    admin.go(&format!("{}/people", lucid.url)).await;
    admin.wait_for_text("Mia <b>Member</b>").await;
    admin.check_accessibility().await;
    admin.picture("request-waits").await;
    admin
        .choose_nth("form[action='/do/accept_request'] select[name=store]", 1)
        .await;
    admin
        .follow("form[action='/do/accept_request'] button")
        .await;
    admin.wait_for_text("It is shown only now").await;
    admin.check_accessibility().await;
    admin.picture("one-time-link").await;
    let link = admin.text_of(".notice code").await;
    assert!(link.starts_with(&format!("{}/link/", lucid.url)), "{link}");
    admin.page.refresh().await.unwrap();
    assert!(
        !admin.text().await.contains("/link/"),
        "it is gone with its page"
    );
    sign_in(&visitor, &link).await;
    visitor.go(&format!("{}/stores", lucid.url)).await;
    visitor.wait_for_text("Studio agents").await;
    visitor.go(&format!("{}/people", lucid.url)).await;
    visitor.wait_for_text("You do not have access").await;
    // Their own account: a password, and the sign-ins that it ends.
    visitor.go(&format!("{}/account", lucid.url)).await;
    visitor.fill("input[name=before]", PASSWORD).await;
    visitor
        .fill("input[name=password]", "some other plain words")
        .await;
    visitor
        .fill("input[name=again]", "some other plain words")
        .await;
    visitor
        .follow("form[action='/do/change_password'] button")
        .await;
    visitor.wait_for_text("Password changed").await;
    visitor.check_accessibility().await;
    // Disabled, they are out at once.
    admin.follow("form[action='/do/set_disabled'] button").await;
    admin.wait_for_text("Enable account").await;
    visitor.go(&format!("{}/queue", lucid.url)).await;
    visitor.wait_for_text("Sign in").await;
    admin.check_console().await;
}

#[tokio::test]
async fn a_key_is_shown_once_and_a_refused_form_keeps_what_was_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings::default()).await;
    sign_in(&browser, &lucid.link("admin@")).await;
    browser.go(&format!("{}/keys", lucid.url)).await;
    browser.fill("input[name=name]", "triage agent").await;
    browser.fill("input[name=days]", "many").await;
    browser.click("input[value='sessions:write']").await;
    browser.click("input[value='memory:read']").await;
    browser.follow("form[action='/do/add_key'] button").await;
    browser.wait_for_text("Days are a whole number.").await;
    browser.check_accessibility().await;
    assert!(
        browser.holds("input[value='memory:read']:checked").await,
        "what was chosen is kept"
    );
    browser.fill("input[name=days]", "30").await;
    browser.follow("form[action='/do/add_key'] button").await;
    browser.wait_for_text("Copy its secret now").await;
    browser.check_accessibility().await;
    browser.picture("key-made").await;
    let secret = browser.text_of(".notice code").await;
    assert!(secret.starts_with("lucid_sk_"), "{secret}");
    let client = crate::support::http().build().unwrap();
    let list = || {
        client
            .get(format!("{}/v1/memory_stores", lucid.url))
            .header("x-api-key", &secret)
            .send()
    };
    assert_eq!(list().await.unwrap().status(), 200);
    browser.page.refresh().await.unwrap();
    assert!(!browser.text().await.contains("lucid_sk_"), "shown once");
    browser.follow("form[action='/do/revoke_key'] button").await;
    browser.wait_for_text("revoked").await;
    assert_eq!(list().await.unwrap().status(), 401);
    browser.check_console().await;
}

#[tokio::test]
async fn a_stores_settings_and_a_team() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings {
        without_scripts: true,
        ..Settings::default()
    })
    .await;
    sign_in(&browser, &lucid.link("admin@")).await;
    browser.go(&format!("{}/people", lucid.url)).await;
    browser
        .fill("form[action='/do/create_team'] input[name=name]", "Support")
        .await;
    browser
        .follow("form[action='/do/create_team'] button")
        .await;
    browser
        .choose_named(
            "form[action='/do/set_member'] select[name=user]",
            "Rui Reviewer",
        )
        .await;
    browser
        .follow("form[action='/do/set_member'] button:not(.plain)")
        .await;
    browser
        .find("button[aria-label='Remove Rui Reviewer from Support']")
        .await;
    browser.go(&format!("{}/stores", lucid.url)).await;
    browser.follow("main a[href^='/stores/']").await;
    browser
        .follow("nav[aria-label=Store] a[href$='/settings']")
        .await;
    browser.choose("select[name=gate_mode]", "all_gated").await;
    browser.fill("input[name=budget_tokens]", "none").await;
    browser.follow("form[action='/do/set_gate'] button").await;
    browser
        .wait_for_text("The budget is a whole number of tokens, or empty.")
        .await;
    browser.fill("input[name=budget_tokens]", "5000").await;
    browser.follow("form[action='/do/set_gate'] button").await;
    assert_eq!(
        browser
            .property_of("select[name=gate_mode]", "value")
            .await
            .as_deref(),
        Some("all_gated")
    );
    browser
        .choose_named(
            "form[action='/do/give_grant'] select[name=to]",
            "Team Support",
        )
        .await;
    browser
        .fill("form[action='/do/give_grant'] input[name=path]", "/notes")
        .await;
    browser.follow("form[action='/do/give_grant'] button").await;
    browser
        .follow("button[aria-label='Remove access of Support to /notes']")
        .await;
    assert!(!browser.text().await.contains("/notes"));
    browser.fill("input[name=again]", "another name").await;
    browser
        .follow("form[action='/do/delete_store'] button")
        .await;
    browser
        .wait_for_text("Type the name of the store to delete it.")
        .await;
    browser.fill("input[name=again]", "Studio agents").await;
    browser
        .follow("form[action='/do/delete_store'] button")
        .await;
    browser.wait_for_text("No memory store").await;
}

#[tokio::test]
async fn a_mapping_is_guessed_tried_saved_and_used() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings::default()).await;
    sign_in(&browser, &lucid.link("reviewer@")).await;
    browser.go(&format!("{}/import", lucid.url)).await;
    browser.follow("a[href='/mappings']").await;
    browser.wait_for_text("No mapping yet").await;
    browser.check_accessibility().await;
    browser.follow("main a[href='/mappings/edit']").await;
    browser.follow("button[value=guess]").await;
    browser
        .wait_for_text("The sample has to begin with a JSON object")
        .await;
    let sample = r#"{"chat_id":"c1","turns":[{"speaker":"gast","body":{"text":"A table <b>outside</b>, please."}},{"speaker":"bot","body":{"text":"Gladly."}}]}"#;
    browser.fill("textarea[name=sample]", sample).await;
    browser.follow("button[value=guess]").await;
    browser
        .wait_for_text("1 of 2 have a speaker and a text.")
        .await;
    assert_eq!(
        browser
            .property_of("input[name='parts[text]']", "value")
            .await
            .as_deref(),
        Some("/body/text")
    );
    browser.fill("textarea[name=roles]", "gast = user").await;
    browser.follow("button[value=preview]").await;
    browser
        .wait_for_text("2 of 2 have a speaker and a text.")
        .await;
    browser
        .wait_for_text("A table <b>outside</b>, please.")
        .await;
    browser.check_accessibility().await;
    browser.check_width().await;
    browser.picture("mapping-preview").await;
    browser.follow("button[value=save]").await;
    browser.wait_for_text("needs a name").await;
    browser.fill("input[name=name]", "Front desk").await;
    browser.follow("button[value=save]").await;
    browser.wait_for_text("Saved: Front desk").await;
    browser.check_accessibility().await;
    browser.picture("mappings-saved").await;
    browser.follow("main .notice a").await;
    assert_eq!(
        browser
            .property_of("select[name=mapping]", "value")
            .await
            .as_deref(),
        Some("Front desk")
    );
    browser.go(&format!("{}/mappings", lucid.url)).await;
    browser
        .follow("form[action='/do/delete_mapping'] button")
        .await;
    browser.wait_for_text("No mapping yet").await;
    browser.check_console().await;
}
