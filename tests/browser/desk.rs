//! The desk in use: what a decision costs, two people at one changeset, live across processes,
//! hostile proposals, large text, zoom.

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
    const article = document.querySelector('article.change'), evidence = document.querySelector('details.evidence');
    const bar = document.querySelector('.decide');
    const needed = [...article.querySelectorAll('h1, h2, .facts, .diff, .fates, .rationale'), document.querySelector('.needs'), ...evidence.querySelectorAll('figure.quote')]
        .filter((e) => e && !e.closest('details:not([open])'));
    const fold = 720;
    const below = needed.filter((e) => e.getBoundingClientRect().bottom > fold + 1).map((e) => `${e.className || e.tagName} ends at ${Math.round(e.getBoundingClientRect().bottom)}`);
    return { id: article.id, kind: article.querySelector('.kind').innerText, change: words(article), evidence: words(evidence),
             list: words(document.querySelector('.desk-list')), frame: words(document.querySelector('#desk > .head')) + words(bar), below,
             quotes: evidence.querySelectorAll(':scope > .in > figure.quote').length, sign: !!document.querySelector('input[name=password]'), scrolled: window.scrollY,
             waits: !!document.querySelector('button[data-key=a]'), conflicted: !!article.matches('[data-change=conflicted]') };
";

fn number(value: &Value, name: &str) -> u64 {
    value[name]
        .as_u64()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
}

/// The middle of some numbers.
fn median(mut all: Vec<u64>) -> u64 {
    all.sort_unstable();
    all[all.len() / 2]
}

/// A hundred mixed changes, decided by keys alone. What it costs is printed; how long it takes is
/// the benchmark's to say.
#[tokio::test]
async fn a_hundred_mixed_changes_are_decided_by_keys_alone() {
    let on = TestDb::sqlite();
    let lucid = mixed::open(&on.url).await;
    let mut stores = Vec::new();
    for n in 0..7 {
        stores.push(mixed::store(&lucid, n).await);
    }
    let token = mixed::people(
        &lucid,
        &stores,
        &[("one", Role::Reviewer), ("two", Role::Reviewer)],
    )
    .await
    .remove(0);
    lucid.close().await;
    let served = Served::start(&on.url, &["--no-worker"]);
    let browser = Browser::start(Settings {
        height: 720,
        ..Settings::default()
    })
    .await;
    sign_in(&browser, &format!("{}/link/{token}", served.url)).await;
    browser.wait_for_islands().await;
    browser.press("j").await;
    browser.press("o").await;
    browser.find("#desk article.change").await;
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
        let gone = format!("#desk article.change[id='{id}']");
        *kinds
            .entry(look["kind"].as_str().unwrap().to_owned())
            .or_default() += 1;
        let before = keys;
        // As long as nobody could have read it, a key decides nothing.
        tokio::time::sleep(std::time::Duration::from_millis(220)).await;
        if decided % 4 == 3 {
            browser.press("x").await;
            browser.press("2").await;
            browser
                .press(&format!("{}{}", Key::Control, Key::Enter))
                .await;
            keys += 3;
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
    let whole: Vec<u64> = costs
        .iter()
        .map(|(l, _)| words(l) + number(l, "list") + number(l, "frame"))
        .collect();
    let above = costs
        .iter()
        .filter(|(l, _)| l["below"].as_array().unwrap().is_empty())
        .count();
    let scrolls = costs
        .iter()
        .filter(|(l, _)| number(l, "scrolled") > 0)
        .count();
    println!("100 decisions over {kinds:?}");
    println!(
        "words of change and evidence: median {}, most {}",
        median(all.clone()),
        all.iter().max().unwrap()
    );
    println!(
        "words of the whole desk with list and bar: median {}",
        median(whole)
    );
    println!(
        "keys: {keys} in all, median {} a change; scrolled before {scrolls}; above the fold at \
         1280 x 720: {above} of 100",
        median(costs.iter().map(|(_, k)| *k as u64).collect())
    );
    for (look, _) in costs
        .iter()
        .filter(|(l, _)| !l["below"].as_array().unwrap().is_empty())
    {
        println!("below the fold: {} {}", look["kind"], look["below"]);
    }
    assert!(median(all) <= 250, "too much to read");
    assert!(above >= 90, "too much below the fold");
    assert_eq!(scrolls, 0);
    assert!(kinds.len() >= 5, "{kinds:?}");
    browser.check_console().await;
}

/// Every change of the demo stands whole above the fold, nine of ten at least; of a folder of real
/// sessions too, where one is named.
#[tokio::test]
async fn everything_a_decision_needs_is_above_the_fold() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::demo(folder.path());
    let database = format!("sqlite:{}", folder.path().join("demo.db").display());
    let mut wanted = vec!["Studio agents".to_owned()];
    if let Ok(corpus) = std::env::var("LUCID_EVAL_DATA") {
        let lucid = mixed::open(&database).await;
        let file = std::path::Path::new(&corpus).join("tau-airline-trials01.json");
        let people = lucid
            .people(&domain::actor::Actor::operator())
            .await
            .unwrap()
            .people;
        let store = lucid
            .create_store(&domain::actor::Actor::operator(), "Airline", "")
            .await
            .unwrap();
        mixed::import(&lucid, store, &std::fs::read_to_string(file).unwrap()).await;
        lucid
            .request_dream(&domain::actor::Actor::operator(), store, None)
            .await
            .unwrap();
        while lucid.work_once("corpus").await.unwrap() {}
        for person in people {
            let grant = domain::actor::Grant::whole(store, domain::actor::StoreRole::Reviewer);
            lucid
                .grant(
                    &domain::actor::Actor::operator(),
                    service::Grantee::Person(person.user.id),
                    &grant,
                )
                .await
                .unwrap();
        }
        lucid.close().await;
        wanted.push("Airline".to_owned());
    }
    let browser = Browser::start(Settings {
        height: 720,
        ..Settings::default()
    })
    .await;
    sign_in(&browser, &served.link("reviewer@")).await;
    let wanted_stores = wanted.len();
    for store in wanted {
        let chosen = format!("{}/queue?state=open", served.url);
        browser.go(&chosen).await;
        if wanted_stores > 1 {
            let link = format!("//a[contains(@href, 'store=') and contains(., '{store}')]");
            let of_store = browser
                .page
                .find(fantoccini::Locator::XPath(&link))
                .await
                .unwrap()
                .prop("href")
                .await
                .unwrap()
                .unwrap();
            browser.go(&of_store).await;
        }
        let first = browser
            .property_of("main .row a[data-open]", "href")
            .await
            .unwrap();
        // The changeset without a change begins at its first.
        browser.go(first.split('?').next().unwrap()).await;
        let (mut seen, mut above) = (0, 0);
        loop {
            let look = browser.page.execute(LOOK, vec![]).await.unwrap();
            seen += 1;
            above += usize::from(look["below"].as_array().unwrap().is_empty());
            println!(
                "{store}: {} {} words, below the fold: {}",
                look["kind"],
                number(&look, "change") + number(&look, "evidence"),
                look["below"]
            );
            let next = browser
                .page
                .execute(
                    "return document.querySelector('a[data-key=j]')?.href ?? ''",
                    vec![],
                )
                .await
                .unwrap();
            match next.as_str() {
                Some("") | None => break,
                Some(next) => browser.go(next).await,
            }
        }
        assert!(
            seen >= 5 && above * 10 >= seen * 9,
            "{store}: {above} of {seen}"
        );
    }
}

/// Opens the same changeset in two browsers, one for each person of the demo.
async fn two_at_one(served: [&Served; 2], links: [&str; 2]) -> [Browser; 2] {
    let one = Browser::start(Settings::default()).await;
    sign_in(&one, links[0]).await;
    one.go(&format!("{}/queue?state=open", served[0].url)).await;
    crate::review::open_first(&one).await;
    one.find("html[data-live='on']").await;
    let path = one.address().await.replace(&served[0].url, "");
    let two = Browser::start(Settings::default()).await;
    sign_in(&two, links[1]).await;
    two.go(&format!("{}{path}", served[1].url)).await;
    two.find("html[data-live='on']").await;
    [one, two]
}

/// Seconds until a text is there.
async fn seconds_until(browser: &Browser, css: &str) -> f64 {
    let start = tokio::time::Instant::now();
    browser.find(css).await;
    start.elapsed().as_secs_f64()
}

#[tokio::test]
async fn two_people_at_one_changeset_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let [admin, reviewer] = two_at_one(
        [&lucid, &lucid],
        [&lucid.link("admin@"), &lucid.link("reviewer@")],
    )
    .await;
    reviewer.press("r").await;
    reviewer.find(".claim.mine").await;
    println!(
        "a claim was seen after {:.1} s",
        seconds_until(&admin, ".badge.claim:not(.mine)").await
    );
    admin.picture("desk-claimed").await;
    assert!(admin.text().await.contains("Rui Reviewer is reviewing"));
    // A decision of one is seen by the other, who is at the same change.
    reviewer.press("a").await;
    println!(
        "a decision was seen after {:.1} s",
        seconds_until(&admin, ".desk-list .mark[title='approved']").await
    );
    // What somebody types into is not replaced under their hands; they are told.
    reviewer.press("c").await;
    reviewer
        .fill("details[data-key=c][open] textarea", "Who knows this tool?")
        .await;
    // (Two further on: the reviewer is at the change between.)
    for _ in 0..2 {
        let here = admin.address().await;
        admin.press("j").await;
        admin.wait_for_other_address(&here).await;
    }
    admin.press("d").await;
    admin
        .press(&format!("{}{}", Key::Control, Key::Enter))
        .await;
    reviewer.find(".live-news a").await;
    assert_eq!(
        reviewer
            .property_of("details[data-key=c][open] textarea", "value")
            .await
            .unwrap(),
        "Who knows this tool?"
    );
    reviewer
        .click("details[data-key=c][open] form[action='/do/comment'] button")
        .await;
    reviewer.wait_for_text("commented").await;
    // Both decide on the same change at the same time: the second is refused, with what has
    // happened.
    admin.go(&reviewer.address().await).await;
    admin.find("article[data-change='pending']").await;
    // (The page would renew itself first: what was shown is kept aside, as a slow line would keep
    // it.)
    let keep = "const f = document.querySelector('form.approve').cloneNode(true); \
        f.removeAttribute('data-swap'); f.id = 'late'; f.hidden = true; document.body.append(f)";
    admin.page.execute(keep, vec![]).await.unwrap();
    reviewer.press("x").await;
    reviewer
        .click("details[data-key=x][open] input[value=wording]")
        .await;
    reviewer
        .click("details[data-key=x][open] button.danger")
        .await;
    reviewer.find(".desk-list .mark[title='rejected']").await;
    admin
        .page
        .execute("document.getElementById('late').submit()", vec![])
        .await
        .unwrap();
    admin.wait_for_text("It is rejected meanwhile").await;
    admin.picture("desk-409").await;
    admin.check_console().await;
    reviewer.check_console().await;
}

#[tokio::test]
async fn two_processes_on_one_postgres_tell_each_other() {
    let on = TestDb::postgres().await;
    let first = Served::start(&on.url, &["--demo"]);
    let second = Served::start(&on.url, &["--no-worker"]);
    let link = |role: &str, at: &Served| first.link(role).replace(&first.url, &at.url);
    let [admin, reviewer] = two_at_one(
        [&first, &second],
        [&link("admin@", &first), &link("reviewer@", &second)],
    )
    .await;
    reviewer.press("a").await;
    let seconds = seconds_until(&admin, ".desk-list .mark[title='approved']").await;
    println!("a decision in another process was seen after {seconds:.1} s");
    // In the queue, too.
    admin.go(&format!("{}/queue?state=open", first.url)).await;
    admin.find("html[data-live='on']").await;
    reviewer.press("r").await;
    println!(
        "a claim in another process was seen in the queue after {:.1} s",
        seconds_until(&admin, ".row .claim").await
    );
    admin.picture("queue-claimed").await;
    admin.check_console().await;
}

/// Everything that a proposal may try on the page that shows it.
fn hostile() -> Vec<(String, String)> {
    let at = |name: &str| format!("/hostile/{name}.md");
    vec![
        (
            at("html"),
            "<h1>big</h1><script>window.pwned = 1</script><img src=x onerror='window.pwned = 1'>"
                .into(),
        ),
        (
            at("markdown"),
            "![tracker](https://evil.example/a.png) [click](javascript:window.pwned=1)".into(),
        ),
        (
            at("area"),
            "</textarea><script>window.pwned = 1</script>".into(),
        ),
        (
            at("island"),
            "<leptos-island data-component=\"DeskKeys\" \
             data-props=\"{}\"></leptos-island></code></div></article>"
                .into(),
        ),
        (
            at("bidi"),
            "Pay \u{202e}001\u{202c} euros to \u{2066}x\u{2069}".into(),
        ),
        (
            at("hidden"),
            "Ig\u{200b}nore\u{feff} this\u{00ad} and\u{e0041}\u{e0042}".into(),
        ),
        (at("alike"), "Sign in at \u{0440}aypal.example".into()),
        (at("line"), "word ".repeat(20_000).trim_end().to_owned()),
        (at("unbroken"), "x".repeat(100_000)),
        (at("lines"), "- a line\n".repeat(10_000)),
    ]
}

#[tokio::test]
async fn hostile_proposals_are_shown_and_do_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::demo(folder.path());
    let database = format!("sqlite:{}", folder.path().join("demo.db").display());
    let lucid = mixed::open(&database).await;
    let store = lucid
        .stores(&domain::actor::Actor::operator())
        .await
        .unwrap()[0]
        .id;
    mixed::propose(&lucid, store, hostile()).await;
    lucid.close().await;
    for (name, settings) in [
        ("wide", Settings::default()),
        (
            "narrow",
            Settings {
                width: 320,
                ..Settings::default()
            },
        ),
    ] {
        let browser = Browser::start(settings).await;
        if name == "wide" {
            sign_in(&browser, &served.link("reviewer@")).await;
        } else {
            sign_in(&browser, &served.link("admin@")).await;
        }
        browser
            .go(&format!("{}/queue?state=open&q=hostile", served.url))
            .await;
        let found = "return [...document.querySelectorAll('.row a[data-open]')].map((a) => a.href)";
        let all: Vec<String> =
            serde_json::from_value(browser.page.execute(found, vec![]).await.unwrap()).unwrap();
        assert_eq!(all.len(), hostile().len());
        for address in all {
            browser.go(&address).await;
            browser.wait_for_islands().await;
            browser.check_width().await;
            let title = browser.text_of("article.change h1").await;
            let took = "const t = performance.getEntriesByType('navigation')[0]; return \
                [Math.round(t.responseEnd), Math.round(t.domInteractive), \
                Math.round(performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? \
                0), document.querySelectorAll('*').length]";
            println!(
                "{title}: answered, parsed, painted (ms), elements: {}",
                browser.page.execute(took, vec![]).await.unwrap()
            );
            let state = browser
                .page
                .execute(
                    "return [window.pwned ?? 0, document.querySelectorAll('article .diff script, \
                     article .diff img, article .diff leptos-island, article .diff h1').length, \
                     document.querySelectorAll('article.change .hidden-char').length, \
                     document.querySelectorAll('.decide').length]",
                    vec![],
                )
                .await
                .unwrap();
            assert_eq!(
                (&state[0], &state[1], &state[3]),
                (&0.into(), &0.into(), &1.into()),
                "{title}"
            );
            if title.contains("bidi") || title.contains("hidden.md") {
                assert!(
                    state[2].as_u64().unwrap() >= 4,
                    "{title}: what hides is shown: {state}"
                );
            }
            if title.contains("alike") {
                assert_eq!(
                    state[2], 1,
                    "{title}: what passes for another letter is shown"
                );
            }
            browser.press("e").await;
            browser.find("form[data-editing] textarea").await;
            browser.check_width().await;
            if title.contains("bidi") || title.contains("unbroken") {
                browser
                    .picture(&format!(
                        "hostile-{name}-{}",
                        if title.contains("bidi") {
                            "bidi"
                        } else {
                            "unbroken"
                        }
                    ))
                    .await;
                browser.check_accessibility().await;
            }
            browser.check_console().await;
        }
    }
}

/// Twice as large letters, as a browser's zoom makes them, and no motion: everything is still there
/// and works.
#[tokio::test]
async fn at_twice_the_size_everything_works() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    // A window of 1280 at 200 % is one of 640 with two points a pixel.
    let browser = Browser::start(Settings {
        width: 640,
        ..Settings::default()
    })
    .await;
    sign_in(&browser, &lucid.link("reviewer@")).await;
    browser.check_width().await;
    crate::review::open_first(&browser).await;
    browser.wait_for_islands().await;
    browser.check_width().await;
    browser.check_accessibility().await;
    browser.picture("desk-zoom").await;
    browser.press("x").await;
    browser
        .click("details[data-key=x][open] input[value=wording]")
        .await;
    browser.check_width().await;
    browser
        .click("details[data-key=x][open] button.danger")
        .await;
    browser.find(".desk-list .mark[title='rejected']").await;
    // A transition that the last click began ends by itself; anything else would go on.
    let moves = "return document.getAnimations().length";
    let mut moving = browser.page.execute(moves, vec![]).await.unwrap();
    for _ in 0..40 {
        if moving == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        moving = browser.page.execute(moves, vec![]).await.unwrap();
    }
    assert_eq!(moving, 0, "nothing moves by itself");
    browser.check_console().await;
}

/// The states that a changeset can be in, each looked at: high risk with its signature, half
/// approved, many chosen, a question, done, an error.
#[tokio::test]
async fn every_state_of_the_desk() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings::default()).await;
    sign_in(&browser, &lucid.link("reviewer@")).await;
    crate::review::open_first(&browser).await;
    browser.wait_for_islands().await;
    let high = ".desk-list li.risk-high a";
    browser.click(high).await;
    browser.find("input[name=password]").await;
    browser.picture("desk-high-risk").await;
    browser.check_accessibility().await;
    // A wrong password signs nothing, and says so.
    browser.press("a").await;
    browser.press("not my password").await;
    browser.press(&Key::Enter.to_string()).await;
    browser.wait_for_text("Wrong password").await;
    browser.picture("desk-error").await;
    browser.check_accessibility().await;
    browser.fill("input[name=password]", PASSWORD).await;
    browser.press(&Key::Enter.to_string()).await;
    browser.find("article.change:focus").await;
    browser.click(high).await;
    browser.wait_for_text("It waits for others").await;
    assert!(browser.text().await.contains("approved and signed"));
    browser.picture("desk-half-approved").await;
    // Many at once: chosen with the space bar, shown, decided each by itself.
    browser
        .go(browser.address().await.split('?').next().unwrap())
        .await;
    browser.wait_for_islands().await;
    browser.press(" ").await;
    browser.find(".desk-list li.here input:checked").await;
    browser.click(".desk-list li:not(.here) input").await;
    browser.press("b").await;
    browser.wait_for_text("2 selected changes").await;
    browser.click("input[value=approve]").await;
    browser.picture("bulk").await;
    browser.check_accessibility().await;
    browser
        .follow("form[action='/do/decide_many'] button")
        .await;
    browser.wait_for_text("Nothing is selected").await;
    // Beside it: similar memories are a question.
    browser.go(&format!("{}/queue?state=open", lucid.url)).await;
    crate::review::open_first(&browser).await;
    browser.follow("a[data-key='i']").await;
    browser
        .wait_for_text("Memories that say nearly the same")
        .await;
    browser.picture("beside").await;
    browser.go(&format!("{}/insights", lucid.url)).await;
    browser.wait_for_text("Everybody").await;
    browser.picture("insights").await;
    browser
        .go(&format!("{}/queue?state=conflicted", lucid.url))
        .await;
    browser.picture("queue-empty").await;
    browser.check_accessibility().await;
    browser.check_console().await;
}

/// Moves the focus by so many presses of Tab until the selector finds it; how many that took.
async fn tabs_until(browser: &Browser, css: &str) -> usize {
    for n in 1..=60 {
        browser.press(&Key::Tab.to_string()).await;
        let there = format!("return document.activeElement.matches(\"{css}\")");
        if browser.page.execute(&there, vec![]).await.unwrap() == true {
            return n;
        }
    }
    panic!("{css} is not reached by Tab");
}

/// The desk by Tab alone: the skip link leads to the decision, and nothing moves once the page is
/// there.
#[tokio::test]
async fn the_decision_is_a_few_tabs_away_and_nothing_moves() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings::default()).await;
    sign_in(&browser, &lucid.link("reviewer@")).await;
    crate::review::open_first(&browser).await;
    browser.wait_for_islands().await;
    let skip = tabs_until(&browser, "a.skip[href='#decision']").await;
    browser.press(&Key::Enter.to_string()).await;
    let approve = tabs_until(&browser, "button[data-key=a]").await;
    println!("Tab stops to Approve: {}", skip + approve);
    assert!(skip + approve <= 12);
    let shift = "const done = arguments[0]; let sum = 0; new PerformanceObserver((l) => { for \
        (const e of l.getEntries()) if (!e.hadRecentInput) sum += e.value; }).observe({ type: \
        'layout-shift', buffered: true }); setTimeout(() => done(sum), 500);";
    browser.page.refresh().await.unwrap();
    browser.wait_for_islands().await;
    let moved = browser
        .page
        .execute_async(shift, vec![])
        .await
        .unwrap()
        .as_f64()
        .unwrap();
    println!("layout shift on the desk: {moved:.4}");
    assert!(moved < 0.01, "the desk moves after it was painted: {moved}");
}

/// Colours that the person's system chooses, and no motion: axe finds nothing on the queue and the
/// desk.
#[tokio::test]
async fn forced_colours_and_no_motion() {
    let folder = tempfile::tempdir().unwrap();
    let lucid = Served::demo(folder.path());
    let browser = Browser::start(Settings::default()).await;
    browser
        .emulate(&[
            ("forced-colors", "active"),
            ("prefers-reduced-motion", "reduce"),
            ("prefers-contrast", "more"),
        ])
        .await;
    sign_in(&browser, &lucid.link("reviewer@")).await;
    assert_eq!(
        browser
            .page
            .execute(
                "return matchMedia('(forced-colors: active)').matches",
                vec![]
            )
            .await
            .unwrap(),
        true
    );
    browser.wait_for_islands().await;
    browser.check_accessibility().await;
    browser.picture("queue-forced-colors").await;
    crate::review::open_first(&browser).await;
    browser.wait_for_islands().await;
    browser.check_accessibility().await;
    browser.picture("desk-forced-colors").await;
    browser.check_console().await;
}
