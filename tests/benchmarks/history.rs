//! Finding and looking back: search, a store as of a revision, its history, the lines of a memory
//! and the audit trail, in stores of 10,000 memories each. `LUCID_BENCH_STORES` says how many
//! stores (10; 100 are a million memories). Figures of one store beside those of all show how much
//! the size of an installation costs; there is no limit here that passes or fails.

use std::time::{Duration, Instant};

use domain::{actor::Actor, ids::StoreId};
use service::{Lucid, MemoryWrite, NewMemory, SearchRequest};

use crate::support::{databases::TestDb, mixed};

/// Memories in each store; the most that one holds.
const MEMORIES: u64 = 10_000;
/// Words in each memory, and different words in all.
const WORDS: u64 = 60;
const VOCABULARY: u64 = 50_000;
/// Queries of each kind.
const QUERIES: u64 = 60;

/// Everything here, on a runtime of its own.
pub fn run() {
    let stores: u64 = std::env::var("LUCID_BENCH_STORES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(10);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        measure("SQLite", &TestDb::sqlite(), stores).await;
        if std::env::var_os("LUCID_TEST_POSTGRES").is_some() {
            measure("PostgreSQL", &TestDb::postgres().await, stores).await;
        } else {
            println!("history: PostgreSQL is left out; run it through tests/with-postgres.sh");
        }
    });
}

async fn measure(engine: &str, on: &TestDb, stores: u64) {
    let lucid = mixed::open(&on.url).await;
    let mut first = None;
    let start = Instant::now();
    for n in 0..stores {
        let store = fill(&lucid, n).await;
        if n == 0 {
            first = Some(store);
            changed(&lucid, store).await;
            figures(&lucid, &format!("{engine}, {MEMORIES} memories"), store).await;
        }
    }
    println!(
        "history {engine}: {} memories written and indexed in {:.0} s",
        stores * MEMORIES,
        start.elapsed().as_secs_f64()
    );
    if let Some(store) = first.filter(|_| stores > 1) {
        figures(
            &lucid,
            &format!("{engine}, {} memories", stores * MEMORIES),
            store,
        )
        .await;
    }
    verified(&lucid, engine).await;
    lucid.close().await;
}

/// A word by its rank: the lower, the more often it is used.
fn word(rank: u64) -> String {
    let letters = b"bcdfghjklmnpqrstvwxz";
    let mut text = String::new();
    let mut n = rank + 400;
    while n > 0 {
        text.push(char::from(letters[usize::try_from(n % 20).expect("small")]));
        text.push(char::from(b"aeiou"[usize::try_from(n % 5).expect("small")]));
        n /= 20;
    }
    text
}

/// A number below a limit, the same each time (splitmix64, Steele et al. 2014).
fn below(seed: u64, limit: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)) % limit
}

/// A rank as in natural text: the k-th word is used 1/k as often as the first (Zipf 1935).
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "ranks up to the vocabulary"
)]
fn rank(seed: u64) -> u64 {
    let uniform = below(seed, 1_000_000) as f64 / 1_000_000.0;
    ((VOCABULARY as f64).powf(uniform) as u64).min(VOCABULARY) - 1
}

/// Fills a store, in ten commits, and indexes it.
async fn fill(lucid: &Lucid, number: u64) -> StoreId {
    let operator = Actor::operator();
    let store = lucid
        .create_store(&operator, &format!("History {number}"), "")
        .await
        .expect("a store");
    for part in 0..10 {
        let note = |n: u64| {
            let seed = number * MEMORIES + n;
            let words: Vec<String> = (0..WORDS).map(|w| word(rank(seed * WORDS + w))).collect();
            let lines: Vec<String> = words
                .chunks(10)
                .map(|line| format!("- {}.", line.join(" ")))
                .collect();
            NewMemory {
                path: format!("/{}/{n}.md", word(below(seed, 200)))
                    .parse()
                    .expect("a path"),
                content: lines.join("\n") + "\n",
                by_person: false,
            }
        };
        let notes: Vec<NewMemory> = (part * MEMORIES / 10..(part + 1) * MEMORIES / 10)
            .map(note)
            .collect();
        lucid
            .write_memories(&operator, store, &notes, &format!("Part {part}"))
            .await
            .expect("notes");
        lucid
            .index_new_documents(usize::MAX)
            .await
            .expect("an index");
    }
    store
}

/// A memory with 200 versions, each a commit.
async fn changed(lucid: &Lucid, store: StoreId) {
    let operator = Actor::operator();
    let id = lucid
        .memories(&operator, store, None)
        .await
        .expect("memories")
        .rows[0]
        .id;
    for n in 0..200 {
        let lines: Vec<String> = (0..50)
            .map(|line| {
                format!(
                    "- Line {line} as of {}.\n",
                    if line == n % 50 { n } else { 0 }
                )
            })
            .collect();
        let content = lines.concat();
        let write = MemoryWrite::Update {
            id,
            path: None,
            content: Some(content),
            expected_sha256: None,
        };
        lucid
            .write_memory(&operator, store, &write)
            .await
            .expect("a version");
    }
}

async fn figures(lucid: &Lucid, what: &str, store: StoreId) {
    for (kind, ranks) in [
        ("top 100", 0..100),
        ("medium", 1_000..5_000),
        ("rare", 30_000..50_000),
    ] {
        for (place, store) in [("one store", Some(store)), ("all stores", None)] {
            let mut times = Vec::new();
            let mut found = 0;
            for n in 0..QUERIES {
                let text = word(ranks.start + below(n, ranks.end - ranks.start));
                let start = Instant::now();
                let request = SearchRequest {
                    text,
                    store,
                    ..SearchRequest::default()
                };
                found += lucid
                    .search(&Actor::operator(), &request)
                    .await
                    .expect("a search")
                    .memories
                    .len();
                times.push(start.elapsed());
            }
            print_times(
                what,
                &format!("search {kind}, {place} ({found} hits)"),
                times,
            );
        }
    }
    let operator = Actor::operator();
    let id = lucid
        .memories(&operator, store, None)
        .await
        .expect("memories")
        .rows[0]
        .id;
    let mut times = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    for n in 0..20 {
        let start = Instant::now();
        lucid
            .as_of(&operator, store, 5 + n, None)
            .await
            .expect("as of");
        times[0].push(start.elapsed());
        let start = Instant::now();
        lucid.blame(&operator, id).await.expect("blame");
        times[1].push(start.elapsed());
        let start = Instant::now();
        lucid
            .history(&operator, store, None)
            .await
            .expect("history");
        times[2].push(start.elapsed());
        let start = Instant::now();
        lucid
            .compare_revisions(&operator, store, (3, 9), None)
            .await
            .expect("a comparison");
        times[3].push(start.elapsed());
    }
    for (name, times) in [
        "as of a revision, a page",
        "lines of a memory of 200 versions",
        "history, a page",
        "two revisions compared, a page",
    ]
    .into_iter()
    .zip(times)
    {
        print_times(what, name, times);
    }
}

fn print_times(what: &str, name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| {
        times[(times.len() * percent / 100).min(times.len() - 1)].as_secs_f64() * 1e3
    };
    println!(
        "history {what:<32} {name:<44} median {:>8.2} ms   p95 {:>8.2} ms",
        at(50),
        at(95)
    );
}

async fn verified(lucid: &Lucid, engine: &str) {
    let start = Instant::now();
    let verified = lucid
        .check_audit(&Actor::operator())
        .await
        .expect("a check")
        .expect("it holds");
    let seconds = start.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "counts")]
    let (entries, rows) = (
        verified.entries as f64 / seconds,
        verified.rows as f64 / seconds,
    );
    println!(
        "history {engine}: verified in {seconds:.1} s: {entries:.0} entries and {rows:.0} rows a \
         second"
    );
}
