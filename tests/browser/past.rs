//! Why an agent believes a line, what was remembered before, and how it is brought back.

use crate::{
    driver::{Browser, Settings},
    review::sign_in,
    support::process::Served,
};

/// Approves and commits the first change of the queue that adds something; ends on its memory.
async fn add_a_memory(rui: &Browser, url: &str) {
    rui.go(&format!("{url}/queue?kind=add&state=open")).await;
    rui.follow("main .row a[data-open]").await;
    rui.wait_for_islands().await;
    rui.press("a").await;
    rui.find(".desk-list a:has(.mark[title='approved'])").await;
    rui.click("button[data-key='commit']").await;
    rui.click("form[action='/do/commit'] button.primary").await;
    rui.wait_for_text("Committed.").await;
    rui.follow(".notice a[href^='/commits/']").await;
    rui.follow("section.card h2 a").await;
}

#[tokio::test]
async fn from_a_line_to_its_quote_and_from_the_past_to_a_proposal() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let rui = Browser::start(Settings::default()).await;
    sign_in(&rui, &lucid.link("reviewer@")).await;
    add_a_memory(&rui, &lucid.url).await;
    // When, why and who are on the page of the memory itself.
    for said in ["Learned", "Approved by", "Rui Reviewer", "Evidence"] {
        rui.wait_for_text(said).await;
    }
    // Why does the agent believe this line? One click to the lines, the second to the change with
    // its quotes.
    rui.follow("nav.seg a[href$='view=blame']").await;
    rui.wait_for_text("approved by Rui Reviewer").await;
    rui.check_accessibility().await;
    rui.picture("memory-lines").await;
    rui.follow("table.blame a[href^='/changesets/']").await;
    rui.find("figure[data-quote] blockquote").await;
    // What was remembered at the first revision, and what has changed since.
    rui.go(&format!("{}/stores", lucid.url)).await;
    let store = rui
        .property_of("main a[href^='/stores/memstore']", "href")
        .await
        .unwrap();
    rui.go(&format!("{store}/history")).await;
    rui.follow("main a[href$='revision=1']").await;
    rui.wait_for_text("The store as of revision 1").await;
    rui.check_accessibility().await;
    rui.picture("store-as-of").await;
    rui.follow(".notice a[href*='/compare']").await;
    rui.wait_for_text("Differs between revision 1 and").await;
    rui.check_accessibility().await;
    // A version that was merged away is brought back: as a proposal, not at once.
    rui.go(&format!("{store}/at?revision=1")).await;
    gone(&rui).await;
    rui.wait_for_text("Propose to restore this version").await;
    rui.check_accessibility().await;
    rui.picture("memory-past").await;
    rui.follow("form[action='/do/propose_restore'] button")
        .await;
    rui.wait_for_text("Version 1 is brought back.").await;
    rui.check_console().await;
}

/// Opens a memory of the past that is not there any more.
async fn gone(rui: &Browser) {
    let past = rui.address().await;
    for n in 1..=4 {
        rui.follow(&format!("main tbody tr:nth-of-type({n}) a"))
            .await;
        if rui.text().await.contains("Propose to restore this version") {
            return;
        }
        rui.go(&past).await;
    }
    panic!("every memory of the first revision is still as it was");
}
