//! Memory that turned out wrong: found by search, its sessions worked off, and looked into by an
//! auditor who changes nothing.

use crate::{
    driver::{Browser, Settings},
    review::sign_in,
    support::process::{Served, run, user_link},
};

#[tokio::test]
async fn a_recall_is_worked_off_and_an_auditor_follows_it() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let database = format!("sqlite:{}", folder.path().join("demo.db").display());
    let rui = Browser::start(Settings::default()).await;
    sign_in(&rui, &lucid.link("reviewer@")).await;
    // From a word to the memory, and to who was given it.
    rui.go(&format!("{}/search?q=headlines", lucid.url)).await;
    rui.find("main mark").await;
    rui.check_accessibility().await;
    rui.picture("search").await;
    rui.follow("main a[href^='/memories/']").await;
    rui.follow("main a[href*='/loads']").await;
    rui.wait_for_text("54 sessions loaded it").await;
    rui.fill("input[name=reason]", "It told agents the wrong length.")
        .await;
    rui.follow("form[action='/do/open_recall'] button").await;
    rui.wait_for_text("0 of 54 marked").await;
    rui.wait_for_text("can be closed once the 54 left are marked")
        .await;
    // One by itself, with a note; a mistake is changed; then all the rest.
    rui.fill(
        "tbody tr:first-of-type input[name=note]",
        "Its headline was cut by hand.",
    )
    .await;
    rui.follow("tbody tr:first-of-type button[value=checked]")
        .await;
    rui.wait_for_text("1 of 54 marked").await;
    rui.choose("select[name=mark]", "told").await;
    rui.follow("form[action='/do/mark_all_recalled'] button")
        .await;
    rui.wait_for_text("54 of 54 marked").await;
    rui.wait_for_text("sessions go on loading it").await;
    rui.check_accessibility().await;
    rui.picture("recall").await;
    rui.fill("input[name=outcome]", "Three headlines were shortened.")
        .await;
    rui.follow("form[action='/do/close_recall'] button").await;
    rui.wait_for_text("Three headlines were shortened.").await;
    rui.find("form[action='/do/reopen_recall']").await;
    rui.check_console().await;

    let arguments = [
        "--database",
        &database,
        "user",
        "add",
        "ida@lucid.example",
        "--name",
        "Ida Auditor",
        "--role",
        "auditor",
    ];
    let (code, _, err) = run(&arguments);
    assert_eq!(code, 0, "{err}");
    let ida = Browser::start(Settings::default()).await;
    let link = user_link(&database, "ida@lucid.example");
    let token = link.rsplit('/').next().unwrap();
    sign_in(&ida, &format!("{}/link/{token}", lucid.url)).await;
    ida.wait_for_text("closed the recall of").await;
    assert!(
        ida.address().await.ends_with("/audit"),
        "an auditor lands on the audit"
    );
    ida.follow("main a[href^='/recalls/']").await;
    ida.wait_for_text("Three headlines were shortened.").await;
    assert!(
        !ida.holds("main form[action^='/do/']").await,
        "an auditor changes nothing here"
    );
    ida.follow("main nav a[href^='/memories/']").await;
    ida.wait_for_text("About this memory").await;
    assert!(
        !ida.holds("main form[action^='/do/']").await,
        "nor the memory"
    );
    ida.check_accessibility().await;
    ida.picture("auditor-memory").await;
    ida.check_console().await;
}
