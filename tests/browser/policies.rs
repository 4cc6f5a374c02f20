//! A policy from its preset to changes that it applied: written, tested, back-tested, shadowed,
//! activated by two admins, held, checked, frozen and stopped. The test is the worker, with a clock
//! that it moves.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use domain::Timestamp;
use service::Lucid;

use crate::{
    driver::{Browser, Settings},
    review::sign_in,
    support::process::{Served, run},
};

/// A worker on the demo's database, some seconds ahead of the server's clock.
struct Worker {
    lucid: Lucid,
    ahead: Arc<AtomicI64>,
}

impl Worker {
    async fn on(database: &str) -> Self {
        let ahead = Arc::new(AtomicI64::new(0));
        let (seconds, system) = (ahead.clone(), server::clock::system());
        let clock = move || -> Timestamp { system().plus_seconds(seconds.load(Ordering::Relaxed)) };
        let db = store::Db::open(database).await.unwrap();
        Self {
            lucid: Lucid::new(db, Arc::new(clock), server::clock::system_random()),
            ahead,
        }
    }

    /// Does what a worker does, once so many seconds have passed.
    async fn work_after(&self, seconds: i64) {
        self.ahead.fetch_add(seconds, Ordering::Relaxed);
        while self.lucid.ask_policies().await.unwrap() {}
        self.lucid.apply_due().await.unwrap();
    }
}

fn database(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("demo.db").display())
}

/// A second admin of the demo: the link that sets their password.
fn second_admin(database: &str, url: &str) -> String {
    let person = [
        "user",
        "add",
        "bea@lucid.example",
        "--name",
        "Bea",
        "--role",
        "admin",
        "--store",
        "Studio agents",
        "--grant",
        "owner",
    ];
    let (code, out, err) = run(&[
        &["--database", database][..],
        &person,
        &["--public-url", url],
    ]
    .concat());
    assert_eq!(code, 0, "{err}");
    out.split_whitespace()
        .find(|word| word.contains("/link/"))
        .unwrap()
        .to_owned()
}

/// From the preset to a version that waits for a second admin.
async fn to_activation(ada: &Browser, url: &str) {
    ada.go(&format!("{url}/policies/new")).await;
    ada.check_accessibility().await;
    ada.picture("policy-presets").await;
    ada.follow("form:has(input[value='trusting']) button").await;
    ada.wait_for_text("Trusting v1").await;
    // A number that is none is refused, and what was typed stays.
    ada.fill("input[name='form[sample_percent]']", "all").await;
    ada.follow("form[action='/do/save_policy'] button.primary")
        .await;
    ada.wait_for_text("Not saved").await;
    assert_eq!(
        ada.property_of("input[name='form[sample_percent]']", "value")
            .await
            .as_deref(),
        Some("all")
    );
    // What is typed is checked at once, and tried on what waits.
    ada.wait_for_islands().await;
    ada.fill("input[name='form[sample_percent]']", "some").await;
    ada.wait_for_text("a whole number, not “some”").await;
    ada.fill("input[name='form[sample_percent]']", "100").await;
    ada.wait_for_text("As typed, it would apply 2 of").await;
    ada.check_accessibility().await;
    ada.picture("policy-draft").await;
    ada.follow("form[action='/do/save_policy'] button.primary")
        .await;
    ada.follow("form:has(input[value='shadow']) button").await;
    ada.wait_for_text("Asked about").await;
    ada.follow("form:has(input[value='active']) button").await;
    ada.wait_for_text("back-test of this version first").await;
    ada.follow("form[action='/do/back_test_policy'] button")
        .await;
    ada.wait_for_text("of the last 90 days").await;
    ada.check_accessibility().await;
    ada.picture("policy-back-test").await;
    ada.follow("form:has(input[value='active']) button").await;
    ada.wait_for_text("Waiting for a second admin").await;
}

#[tokio::test]
async fn a_preset_becomes_a_policy_that_applied_changes() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let (url, database) = (&lucid.url, database(folder.path()));
    let worker = Worker::on(&database).await;
    let ada = Browser::start(Settings::default()).await;
    sign_in(&ada, &lucid.link("admin@")).await;
    let bea = Browser::start(Settings::default()).await;
    sign_in(&bea, &second_admin(&database, url)).await;
    to_activation(&ada, url).await;
    bea.go(&format!("{url}/policies")).await;
    bea.check_accessibility().await;
    bea.follow("form[action='/do/confirm_setting'] button")
        .await;
    bea.wait_for_text("Active").await;
    // One of the two changes that it would apply is held.
    worker.work_after(0).await;
    let rui = Browser::start(Settings::default()).await;
    sign_in(&rui, &lucid.link("reviewer@")).await;
    rui.go(&format!("{url}/queue?policy=allow&state=open"))
        .await;
    rui.wait_for_text("by Trusting v1").await;
    rui.wait_for_islands().await;
    rui.picture("queue-scheduled").await;
    rui.follow("main .row a[data-open]").await;
    rui.wait_for_text("unless a person decides or holds it before")
        .await;
    rui.wait_for_islands().await;
    rui.check_accessibility().await;
    rui.picture("desk-scheduled").await;
    rui.press("h").await;
    rui.wait_for_text("held it for review").await;
    rui.check_accessibility().await;
    // The same from the list: the row that has the focus, and the list stays.
    rui.click("form[action='/do/release_change'] button").await;
    rui.wait_for_text("unless a person decides or holds it before")
        .await;
    rui.go(&format!("{url}/queue?policy=allow&state=open"))
        .await;
    rui.wait_for_islands().await;
    rui.press("j").await;
    rui.press("h").await;
    rui.wait_for_text("All open\n1\n").await;
    worker.work_after(2 * 3_600).await;
    // The other was applied, and Rui, who did not write the policy, checks it.
    rui.go(&format!("{url}/policies")).await;
    rui.wait_for_text("1 applied change to check").await;
    rui.check_accessibility().await;
    rui.picture("policies").await;
    rui.follow("section[aria-labelledby='to-check'] a").await;
    rui.wait_for_text("Was it right to apply this?").await;
    rui.check_accessibility().await;
    rui.follow("button[value='confirm']").await;
    rui.wait_for_text("confirmed it").await;
    frozen_and_stopped(&ada, &rui, url).await;
    ada.check_console().await;
    rui.check_console().await;
    let (code, out, _) = run(&["--database", &database, "audit", "verify"]);
    assert_eq!(code, 0, "{out}");
}

/// A freeze keeps a commit waiting with its reason; the stop is on every page about policies.
async fn frozen_and_stopped(ada: &Browser, rui: &Browser, url: &str) {
    ada.go(&format!("{url}/policies")).await;
    ada.click("#freezes ~ details summary").await;
    let set = "for (const [name, at] of [['starts_at', -1], ['ends_at', 1]]) \
        document.querySelector(`input[name=${name}]`).value = new Date(Date.now() + at * \
        864e5).toISOString().slice(0, 16)";
    ada.page.execute(set, vec![]).await.unwrap();
    ada.fill(
        "form[action='/do/set_freeze'] input[name='reason']",
        "Quarter-end close",
    )
    .await;
    ada.follow("form[action='/do/set_freeze'] button").await;
    ada.wait_for_text("Quarter-end close").await;
    ada.check_accessibility().await;
    ada.picture("policies-frozen").await;
    rui.go(&format!("{url}/queue?policy=held&state=open")).await;
    rui.follow("main .row a[data-open]").await;
    rui.wait_for_islands().await;
    rui.press("a").await;
    rui.find(".desk-list a:has(.mark[title='approved'])").await;
    rui.click("button[data-key='commit']").await;
    rui.click("form[action='/do/commit'] button.primary").await;
    rui.wait_for_text("Quarter-end close").await;
    assert!(
        rui.text().await.contains("Your decisions stay"),
        "{}",
        rui.text().await
    );
    ada.click("button[popovertarget='stop']").await;
    ada.fill("#stop input[name='reason']", "Something is odd")
        .await;
    ada.follow("#stop button.danger").await;
    ada.wait_for_text("All policies are stopped").await;
    ada.check_accessibility().await;
    ada.picture("policies-stopped").await;
}

#[tokio::test]
async fn a_drill_says_how_far_each_attack_got() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings {
        width: 360,
        dark: true,
        ..Settings::default()
    })
    .await;
    sign_in(&browser, &lucid.link("admin@")).await;
    browser.go(&format!("{}/policies", lucid.url)).await;
    browser.check_width().await;
    browser.follow("a[href='/policies/drill']").await;
    browser.follow("main form button").await;
    browser.wait_for_text("No attack would be applied").await;
    browser.check_width().await;
    browser.check_accessibility().await;
    browser.picture("drill").await;
}
