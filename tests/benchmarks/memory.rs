//! An agent's memory over HTTP, beside the same use cases with the same statements in this process:
//! what the API itself costs. A store of 3,000 memories on SQLite; one client, and sixteen at once.

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

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use crate::support::{databases::TestDb, mixed, process::Served};

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
        let store = lucid
            .create_store(&operator, "Bench", "")
            .await
            .expect("a store");
        let note = |n: usize| NewMemory {
            path: format!("/notes/{:02}/{n:04}.md", n / 100)
                .parse()
                .expect("a path"),
            content: format!(
                "# Note {n}\n\n- Region {n} reports in the {} hour.\n",
                n % 24
            ),
            by_person: false,
        };
        let notes: Vec<NewMemory> = (0..MEMORIES).map(note).collect();
        lucid
            .write_memories(&operator, store, &notes, "filled")
            .await
            .expect("the memories");
        let grants = vec![Grant::whole(store, StoreRole::Owner)];
        let owner = NewUser {
            email: "bench@lucid.example".into(),
            name: "Bench".into(),
            role: Role::Member,
            grants,
        };
        let (owner, _) = lucid.add_user(&operator, &owner).await.expect("an owner");
        let scopes = vec![Scope::MemoryRead, Scope::MemoryWrite];
        let new = NewKey {
            name: "bench".into(),
            owner: Some(owner),
            store: Some(store),
            scopes,
            days: None,
        };
        let (_, secret) = lucid.add_key(&operator, &new).await.expect("a key");
        let memories = lucid
            .memories(&operator, store, None)
            .await
            .expect("memories")
            .rows
            .iter()
            .map(|m| m.id)
            .collect();
        lucid.close().await;
        Self {
            on,
            store,
            memories,
            secret,
        }
    }

    fn memory(&self, n: usize) -> MemoryId {
        self.memories[n * 7 % self.memories.len()]
    }
}

/// Everything here, on a runtime of its own.
pub fn run() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        println!(
            "memory: {MEMORIES} memories on SQLite, {} s for each figure",
            EACH.as_secs()
        );
        for (what, does) in [
            ("list of 20", Does::List),
            ("read", Does::Read),
            ("create", Does::Create),
        ] {
            for clients in [1, 16] {
                let raw = in_process(does, clients).await;
                let over_http = over_http(does, clients).await;
                let ratio = over_http / raw.max(1e-9);
                println!(
                    "memory {what:<12} {clients:>2} at once {over_http:>9.0} a second over \
                     HTTP   {raw:>9.0} without   ratio {ratio:.2}"
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
    let actor = lucid
        .key_actor(&filled.secret)
        .await
        .expect("the key is good");
    match does {
        Does::List => {
            let listing = Listing {
                prefix: "/".into(),
                children_only: false,
                after: None,
                limit: 20,
                contents: false,
                session: None,
            };
            assert_eq!(
                lucid
                    .list_memories(&actor, filled.store, &listing)
                    .await
                    .expect("a list")
                    .0
                    .len(),
                20
            );
        }
        Does::Read => drop(
            lucid
                .read_memory(&actor, filled.store, filled.memory(n), None)
                .await
                .expect("a memory"),
        ),
        Does::Create => {
            let path = format!("/new/{n:07}.md").parse().expect("a path");
            let write = MemoryWrite::Create {
                path,
                content: format!("Note {n}.\n"),
            };
            lucid
                .write_memory(&actor, filled.store, &write)
                .await
                .expect("a write");
        }
    }
}

async fn over_http(does: Does, clients: usize) -> f64 {
    let filled = Arc::new(Filled::new().await);
    let served = Served::start(&filled.on.url, &["--no-worker"]);
    let address = served
        .url
        .trim_start_matches("http://")
        .replace("localhost", "127.0.0.1");
    let next = Arc::new(AtomicUsize::new(0));
    rate(clients, |done| {
        let (filled, next, address) = (filled.clone(), next.clone(), address.clone());
        let memories = format!("/v1/memory_stores/{}/memories", filled.store);
        async move {
            let mut connection = Connection::open(&address, &filled.secret).await;
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                match does {
                    Does::List => connection.send("GET", &format!("{memories}?limit=20&view=basic"), "").await,
                    Does::Read => connection.send("GET", &format!("{memories}/{}", filled.memory(n)), "").await,
                    Does::Create => {
                        let body = serde_json::json!({"path": format!("/new/{n:07}.md"), "content": format!("Note {n}.\n")});
                        connection.send("POST", &memories, &body.to_string()).await;
                    }
                }
                done.fetch_add(1, Ordering::Relaxed);
            }
        }
    })
    .await
}

/// A connection that is kept open. It does no more than it must: the client shares the processor
/// with the server that is measured.
struct Connection {
    stream: BufReader<TcpStream>,
    headers: String,
}

impl Connection {
    async fn open(address: &str, secret: &str) -> Self {
        let stream = TcpStream::connect(address)
            .await
            .expect("the server answers");
        stream.set_nodelay(true).expect("no delay");
        let headers =
            format!("Host: {address}\r\nx-api-key: {secret}\r\nContent-Type: application/json\r\n");
        Self {
            stream: BufReader::new(stream),
            headers,
        }
    }

    /// Sends a request and reads its answer, which must be a success.
    async fn send(&mut self, method: &str, path: &str, body: &str) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n{body}",
            self.headers,
            body.len()
        );
        self.stream
            .write_all(request.as_bytes())
            .await
            .expect("the request is sent");
        let (mut line, mut length) = (String::new(), None);
        self.stream.read_line(&mut line).await.expect("an answer");
        assert!(line.starts_with("HTTP/1.1 2"), "{line}");
        loop {
            line.clear();
            self.stream.read_line(&mut line).await.expect("a header");
            match line.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse::<usize>().ok();
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut content = vec![0; length.expect("the answer says how long it is")];
        self.stream.read_exact(&mut content).await.expect("a body");
    }
}
