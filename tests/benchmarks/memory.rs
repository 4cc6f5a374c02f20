//! An agent's memory over HTTP, beside the same use cases with the same statements in this process: what the API itself costs. A store of
//! 3,000 memories on SQLite; one client, and sixteen at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{
    actor::{Actor, Grant, Role, StoreRole},
    ids::{MemoryId, StoreId},
    rights::Scope,
};
use service::{Listing, Lucid, MemoryWrite, NewKey, NewMemory, NewUser};

use crate::support::{databases::TestDb, http, mixed, process::Served};

/// Memories in the store before anything is measured.
const MEMORIES: usize = 3_000;
/// How long each figure is measured.
const EACH: Duration = Duration::from_secs(4);

/// What a client does again and again.
#[derive(Clone, Copy)]
enum Does {
    List,
    Read,
    Create,
}

/// A store with a key, on a database of its own.
struct Filled {
    on: TestDb,
    store: StoreId,
    memories: Vec<MemoryId>,
    secret: String,
}

impl Filled {
    async fn new() -> Self {
        let on = TestDb::sqlite();
        let lucid = mixed::open(&on.url).await;
        let operator = Actor::operator();
        let store = lucid.create_store(&operator, "Bench", "").await.expect("a store");
        let note = |n: usize| NewMemory {
            path: format!("/notes/{:02}/{n:04}.md", n / 100).parse().expect("a path"),
            content: format!("# Note {n}\n\n- Region {n} reports in the {} hour.\n", n % 24),
            by_person: false,
        };
        let notes: Vec<NewMemory> = (0..MEMORIES).map(note).collect();
        lucid.write_memories(&operator, store, &notes, "filled").await.expect("the memories");
        let grants = vec![Grant::whole(store, StoreRole::Owner)];
        let owner = NewUser { email: "bench@lucid.example".into(), name: "Bench".into(), role: Role::Member, grants };
        let (owner, _) = lucid.add_user(&operator, &owner).await.expect("an owner");
        let scopes = vec![Scope::MemoryRead, Scope::MemoryWrite];
        let new = NewKey { name: "bench".into(), owner: Some(owner), store: Some(store), scopes, days: None };
        let (_, secret) = lucid.add_key(&operator, &new).await.expect("a key");
        let memories = lucid.memories(&operator, store, None).await.expect("memories").rows.iter().map(|m| m.id).collect();
        lucid.close().await;
        Self { on, store, memories, secret }
    }

    fn memory(&self, n: usize) -> MemoryId {
        self.memories[n * 7 % self.memories.len()]
    }
}

/// Everything here, on a runtime of its own.
pub fn run() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        println!("memory: {MEMORIES} memories on SQLite, {} s for each figure", EACH.as_secs());
        for (what, does) in [("list of 20", Does::List), ("read", Does::Read), ("create", Does::Create)] {
            for clients in [1, 16] {
                let raw = in_process(does, clients).await;
                let over_http = over_http(does, clients).await;
                let ratio = over_http / raw.max(1e-9);
                println!(
                    "memory {what:<12} {clients:>2} at once {over_http:>9.0} a second over HTTP   {raw:>9.0} without   ratio {ratio:.2}"
                );
            }
        }
    });
}

/// Runs this many clients at once. Returns how many requests they complete together, per second.
async fn rate<F>(clients: usize, client: impl Fn(Arc<AtomicUsize>) -> F) -> f64
where
    F: Future<Output = ()> + Send + 'static,
{
    let done = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..clients {
        tasks.spawn(client(done.clone()));
    }
    tokio::time::sleep(EACH).await;
    let count = done.load(Ordering::Relaxed);
    let taken = start.elapsed();
    tasks.shutdown().await;
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / taken.as_secs_f64()
}

/// The use cases alone, with the look at the key that the API has before each.
async fn in_process(does: Does, clients: usize) -> f64 {
    let filled = Arc::new(Filled::new().await);
    let lucid = mixed::open(&filled.on.url).await;
    let next = Arc::new(AtomicUsize::new(0));
    let counted = rate(clients, |done| {
        let (lucid, filled, next) = (lucid.clone(), filled.clone(), next.clone());
        async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                once(&lucid, &filled, does, n).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
    .await;
    lucid.close().await;
    counted
}

async fn once(lucid: &Lucid, filled: &Filled, does: Does, n: usize) {
    let actor = lucid.key_actor(&filled.secret).await.expect("the key is good");
    match does {
        Does::List => {
            let listing = Listing { prefix: "/".into(), children_only: false, after: None, limit: 20, contents: false };
            assert_eq!(lucid.list_memories(&actor, filled.store, &listing).await.expect("a list").0.len(), 20);
        }
        Does::Read => drop(lucid.read_memory(&actor, filled.store, filled.memory(n)).await.expect("a memory")),
        Does::Create => {
            let path = format!("/new/{n:07}.md").parse().expect("a path");
            let write = MemoryWrite::Create { path, content: format!("Note {n}.\n") };
            lucid.write_memory(&actor, filled.store, &write).await.expect("a write");
        }
    }
}

async fn over_http(does: Does, clients: usize) -> f64 {
    let filled = Arc::new(Filled::new().await);
    let served = Served::start(&filled.on.url, &["--no-worker"]);
    let client = http().build().expect("a client");
    let memories = format!("{}/v1/memory_stores/{}/memories", served.url, filled.store);
    let next = Arc::new(AtomicUsize::new(0));
    rate(clients, |done| {
        let (client, filled, next, memories) = (client.clone(), filled.clone(), next.clone(), memories.clone());
        async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                let request = match does {
                    Does::List => client.get(format!("{memories}?limit=20&view=basic")),
                    Does::Read => client.get(format!("{memories}/{}", filled.memory(n))),
                    Does::Create => {
                        let body = serde_json::json!({"path": format!("/new/{n:07}.md"), "content": format!("Note {n}.\n")});
                        client.post(&memories).json(&body)
                    }
                };
                let answer = request.header("x-api-key", &filled.secret).send().await.expect("it answers");
                assert!(answer.status().is_success(), "{}", answer.status());
                answer.bytes().await.expect("a body");
                done.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
    .await
}
