//! The desk in use: what a decision costs, two people at one changeset, live across processes, hostile proposals, large text, zoom.

use domain::actor::Role;
use fantoccini::key::Key;
use serde_json::Value;

use crate::{
    driver::{Browser, Settings},
    review::{PASSWORD, sign_in},
    support::{databases::TestDb, mixed, process::Served},
};

/// What one change asks of a reviewer before they decide.
const LOOK: &str = r"
    const visible = (node) => {
        for (let e = node.parentElement; e; e = e.parentElement) {
            if (e.matches('.visually-hidden, option, textarea, script, [hidden]')) return false;
            if (e.matches('details:not([open])') && !node.parentElement.closest('summary')) return false;
        }
        return true;
    };
    const words = (root) => {
        if (!root) return 0;
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        let n = 0;
        while (walker.nextNode()) if (visible(walker.currentNode)) n += walker.currentNode.data.split(/\s+/).filter((w) => /[\p{L}\p{N}]/u.test(w)).length;
        return n;
    };
    const article = document.querySelector('article.change'), evidence = document.querySelector('aside.evidence');
    const bar = document.querySelector('.desk-bar').getBoundingClientRect();
    const needed = [...article.querySelectorAll('h2, .numbers, .needs, .diff, .fates, .rationale'), ...evidence.querySelectorAll('figure.quote')]
        .filter((e) => !e.closest('details:not([open])'));
    const fold = Math.min(bar.top, 720 - bar.height);
    const below = needed.filter((e) => e.getBoundingClientRect().bottom > fold + 1).map((e) => e.className || e.tagName);
    return { id: article.id, kind: article.querySelector('.badge').innerText, change: words(article), evidence: words(evidence),
             list: words(document.querySelector('.desk-list')), frame: words(document.querySelector('.desk > .about')) + words(document.querySelector('.desk-bar')), below,
             quotes: evidence.querySelectorAll(':scope > figure.quote').length, sign: !!document.querySelector('input[name=password]'), scrolled: window.scrollY,
             waits: !!document.querySelector('button[data-key=a]'), conflicted: !!article.matches('[data-change=conflicted]') };
";

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// The middle of some numbers.
fn median(mut all: Vec<u64>) -> u64 {
    all.sort_unstable();
    all[all.len() / 2]
}

/// A hundred mixed changes, decided by keys alone. What it costs is printed; how long it takes is the benchmark's to say.
#[tokio::test]
async fn a_hundred_mixed_changes_are_decided_by_keys_alone() {
    let on = TestDb::sqlite();
    let lucid = mixed::open(&on.url).await;
    let mut stores = Vec::new();
    for n in 0..7 {
        stores.push(mixed::store(&lucid, n).await);
    }
    let token = mixed::people(&lucid, &stores, &[("one", Role::Reviewer), ("two", Role::Reviewer)]).await.remove(0);
    lucid.close().await;
    let served = Served::start(&on.url, &["--no-worker"]);
    let browser = Browser::start(Settings { height: 720, ..Settings::default() }).await;
    sign_in(&browser, &format!("{}/link/{token}", served.url)).await;
    browser.wait_for_islands().await;
    browser.press("j").await;
    browser.press("o").await;
    browser.find("article.change").await;
    browser.wait_for_islands().await;
    browser.picture("desk-720").await;
    let (mut costs, mut keys, mut decided) = (Vec::new(), 0, 0);
    let mut kinds = std::collections::BTreeMap::<String, usize>::new();
    while decided < 100 {
        let look = browser.page.execute(LOOK, vec![]).await.unwrap();
        if look["waits"] != true && look["conflicted"] != true {
            // Nothing more waits in this changeset: on to the next one.
            let here = browser.address().await;
            browser.press("]").await;
            keys += 1;
            browser.wait_for_other_address(&here).await;
            browser.find("article.change").await;
            browser.wait_for_islands().await;
            continue;
        }
        let id = look["id"].as_str().unwrap().to_owned();
        let gone = format!("article.change[id='{id}']:has(h2)");
        *kinds.entry(look["kind"].as_str().unwrap().to_owned()).or_default() += 1;
        let before = keys;
        if decided % 4 == 3 {
            browser.press("x").await;
            browser.find("details[open] select[name=reject_code]").await.send_keys("Not").await.unwrap();
            browser.press(&format!("{}{}", Key::Control, Key::Enter)).await;
            keys += 5;
        } else {
            browser.press("a").await;
            keys += 1;
            if look["sign"] == true {
                browser.press(PASSWORD).await;
                browser.press(&Key::Enter.to_string()).await;
                keys += PASSWORD.len() + 1;
            }
        }
        decided += 1;
        browser.wait_for_decided(&gone).await;
        costs.push((look, keys - before));
    }
    let words = |l: &Value| number(l, "change") + number(l, "evidence");
    let all: Vec<u64> = costs.iter().map(|(l, _)| words(l)).collect();
    let whole: Vec<u64> = costs.iter().map(|(l, _)| words(l) + number(l, "list") + number(l, "frame")).collect();
    let above = costs.iter().filter(|(l, _)| l["below"].as_array().unwrap().is_empty()).count();
    let scrolls = costs.iter().filter(|(l, _)| number(l, "scrolled") > 0).count();
    println!("100 decisions over {kinds:?}");
    println!("words of change and evidence: median {}, most {}", median(all.clone()), all.iter().max().unwrap());
    println!("words of the whole desk with list and bar: median {}", median(whole));
    println!(
        "keys: {keys} in all, median {} a change; scrolled before {scrolls}; above the fold at 1280 x 720: {above} of 100",
        median(costs.iter().map(|(_, k)| *k as u64).collect())
    );
    for (look, _) in costs.iter().filter(|(l, _)| !l["below"].as_array().unwrap().is_empty()) {
        println!("below the fold: {} {}", look["kind"], look["below"]);
    }
    assert!(median(all) <= 250, "too much to read");
    assert!(above >= 90, "too much below the fold");
    assert_eq!(scrolls, 0);
    assert!(kinds.len() >= 5, "{kinds:?}");
    browser.check_console().await;
}
