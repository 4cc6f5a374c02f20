//! The queue and the desk with much in them: 10,000 changes that wait, 100 stores of 10,000
//! memories each; in a real browser where it is the browser that counts.

use std::time::{Duration, Instant};

use domain::{actor::Role, ids::StoreId};
use service::{Lucid, NewMemory};

use crate::{
    driver::{Browser, Settings},
    line, median,
    support::{databases::TestDb, mixed, process::Served},
};

/// Stores, memories of each, and changes that wait in each.
const STORES: usize = 100;
const MEMORIES: usize = 10_000;
const WAITING: usize = 100;
/// Decisions that are timed in the page.
const DECISIONS: usize = 60;

/// Everything here, on a runtime of its own. Smaller numbers to try it out: `LUCID_BENCH_SMALL=1`.
pub fn run() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let small = std::env::var_os("LUCID_BENCH_SMALL").is_some();
        let (stores, memories) = if small { (10, 200) } else { (STORES, MEMORIES) };
        let on = TestDb::sqlite();
        let start = Instant::now();
        let (token, waiting) = fill(&on.url, stores, memories).await;
        println!(
            "desk: {stores} stores of {memories} memories, {waiting} changes wait (SQLite, filled \
             in {:.0} s)",
            start.elapsed().as_secs_f64()
        );
        let served = Served::start(&on.url, &["--no-worker"]);
        let browser = Browser::start(Settings {
            height: 720,
            ..Settings::default()
        })
        .await;
        sign_in(&browser, &format!("{}/link/{token}", served.url)).await;
        paints(&browser, &served).await;
        next_items(&browser, &served).await;
    });
}

async fn fill(url: &str, stores: usize, memories: usize) -> (String, i64) {
    let lucid = mixed::open(url).await;
    let mut ids = Vec::new();
    for n in 0..8 {
        ids.push(mixed::store(&lucid, 900 + n).await);
    }
    for n in 0..stores {
        ids.push(large_store(&lucid, n, memories).await);
    }
    let token = mixed::people(&lucid, &ids, &[("bench", Role::Reviewer)])
        .await
        .remove(0);
    let all = service::QueueFilter::default();
    let waiting = lucid
        .queue_counts(&domain::actor::Actor::operator(), &all)
        .await
        .expect("a count")
        .open;
    lucid.close().await;
    (token, waiting)
}

async fn large_store(lucid: &Lucid, number: usize, memories: usize) -> StoreId {
    let operator = domain::actor::Actor::operator();
    let id = lucid
        .create_store(&operator, &format!("Large {number:03}"), "")
        .await
        .expect("a store");
    let note = |n: usize| NewMemory {
        path: format!("/notes/{:03}/{n:05}.md", n / 100)
            .parse()
            .expect("a path"),
        content: format!(
            "# Note {n} of store {number}\n\n- Region {n} of tenant {number} reports in the {} \
             hour.\n",
            n % 24
        ),
        by_person: false,
    };
    let all: Vec<NewMemory> = (0..memories).map(note).collect();
    lucid
        .write_memories(&operator, id, &all, "filled")
        .await
        .expect("the memories");
    let wanted = (0..WAITING).map(|n| {
        (
            format!("/proposed/{n:03}.md"),
            format!("# Proposal {n}\n\n- Tenant {number} asks for {n}.\n"),
        )
    });
    mixed::propose(lucid, id, wanted.collect()).await;
    id
}

async fn sign_in(browser: &Browser, link: &str) {
    browser.go(link).await;
    browser
        .fill("input[name=password]", "four plain words here")
        .await;
    browser
        .fill("input[name=again]", "four plain words here")
        .await;
    browser.follow("button.primary").await;
}

/// When the browser first paints a page, counted from the navigation; the median of nine.
async fn first_paint(browser: &Browser, address: &str) -> Duration {
    let mut times = Vec::new();
    for _ in 0..9 {
        browser.go(address).await;
        browser.wait_for_islands().await;
        // The entry is written a frame or two after the paint.
        let script = "const done = arguments[0]; const look = () => { const e = \
            performance.getEntriesByName('first-contentful-paint')[0]; e ? done(e.startTime) : \
            setTimeout(look, 20); }; look();";
        let time = browser
            .page
            .execute_async(script, vec![])
            .await
            .expect("the paint")
            .as_f64()
            .unwrap_or(0.0);
        times.push(Duration::from_secs_f64(time / 1e3));
    }
    times.sort_unstable();
    times[times.len() / 2]
}

async fn paints(browser: &Browser, served: &Served) {
    let bare = first_paint(browser, &format!("{}/inbox", served.url)).await;
    for (what, path) in [
        ("my turn", "/queue"),
        ("all open, by due time", "/queue?state=open&sort=due"),
        ("a search in all open", "/queue?state=open&q=proposed%2F05"),
    ] {
        let time = first_paint(browser, &format!("{}{path}", served.url)).await;
        line(
            &format!("first paint of the queue: {what}"),
            time,
            "of a bare page (/inbox)",
            bare,
        );
    }
}

/// From the key that decides to the focus on the next change, measured in the page.
async fn next_items(browser: &Browser, served: &Served) {
    let listen = "window.taken = []; let at = 0;
        document.addEventListener('keydown', () => { at = performance.now(); }, true);
        document.addEventListener('focusin', (e) => { if (at && e.target.matches('article.change')) { window.taken.push(performance.now() - at); at = 0; } });";
    let mut taken: Vec<f64> = Vec::new();
    browser
        .go(&format!("{}/queue?q=from+a+dream", served.url))
        .await;
    let found = "return [...document.querySelectorAll('.row a[data-open]')].map((a) => a.href)";
    let all: Vec<String> =
        serde_json::from_value(browser.page.execute(found, vec![]).await.expect("links"))
            .expect("addresses");
    for address in all {
        browser.go(&address).await;
        browser.wait_for_islands().await;
        browser
            .page
            .execute(listen, vec![])
            .await
            .expect("it listens");
        for n in 0..9 {
            // What is signed needs a password, which is no next item; it is passed over.
            let signed = browser
                .page
                .execute(
                    "return !!document.querySelector('input[name=password]')",
                    vec![],
                )
                .await
                .expect("a look");
            tokio::time::sleep(Duration::from_millis(250)).await;
            browser
                .press(if signed == true || n % 3 == 2 {
                    "j"
                } else {
                    "a"
                })
                .await;
            for _ in 0..200 {
                let count = browser
                    .page
                    .execute("return window.taken.length", vec![])
                    .await
                    .expect("a count");
                if count.as_u64().unwrap_or(0) > n {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        let times: Vec<f64> = serde_json::from_value(
            browser
                .page
                .execute("return window.taken", vec![])
                .await
                .expect("times"),
        )
        .expect("numbers");
        taken.extend(times);
        if taken.len() >= DECISIONS {
            break;
        }
    }
    taken.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        taken
            .get((taken.len() * percent / 100).min(taken.len().saturating_sub(1)))
            .copied()
            .unwrap_or(0.0)
    };
    let http = {
        let address = served.url.trim_start_matches("http://").to_owned();
        median(|| {
            drop(crate::exchange(
                &address,
                &format!("GET /sign-in HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"),
            ));
        })
    };
    println!(
        "next item focused after a key, {} times: median {:.0} ms, p95 {:.0} ms, most {:.0} ms; a \
         bare page (/sign-in) of the same server takes {:.1} ms",
        taken.len(),
        at(50),
        at(95),
        at(100),
        http.as_secs_f64() * 1e3
    );
}
