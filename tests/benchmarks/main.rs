//! `make bench`: figures beside each other in one run, because the machine they run on is shared.
//! Nothing here passes or fails.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a benchmark measures time, and stops if it cannot"
)]

mod desk;
#[allow(dead_code, reason = "the benchmark uses a part of it")]
#[path = "../browser/driver.rs"]
mod driver;
mod history;
mod memory;
mod policies;
mod reading;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fmt::Write,
    io::{Read, Write as _},
    net::TcpStream,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use domain::event::{EventKind, OutcomeResult};

fn main() {
    // One of them alone: `cargo bench -p server -- desk`, `history`, `memory`, `policies` or
    // `reading`.
    if std::env::args().any(|a| a == "reading") {
        return reading::run();
    }
    if std::env::args().any(|a| a == "desk") {
        return desk::run();
    }
    if std::env::args().any(|a| a == "policies") {
        return policies::run();
    }
    if std::env::args().any(|a| a == "history") {
        return history::run();
    }
    if std::env::args().any(|a| a == "memory") {
        return memory::run();
    }
    reading::run();
    engine();
    dreaming();
    near_duplicates();
    many_sessions();
    pages();
    policies::run();
    memory::run();
    history::run();
    desk::run();
}

/// The median of several runs.
fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..9)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn line(what: &str, time: Duration, beside: &str, other: Duration) {
    let ratio = time.as_secs_f64() / other.as_secs_f64().max(1e-9);
    println!(
        "{what:<44} {:>9.2} ms   {beside:<28} {:>9.2} ms   ratio {ratio:.2}",
        time.as_secs_f64() * 1e3,
        other.as_secs_f64() * 1e3
    );
}

/// Transcripts of a realistic mix through the whole engine with all its guards, beside `serde_json`
/// parsing the same text.
fn engine() {
    let mut text = String::new();
    let mut sessions = Vec::new();
    for n in 0..400 {
        let session = chat(n);
        let messages: Vec<_> = session
            .events
            .iter()
            .map(|e| serde_json::json!({"role": e.kind, "name": e.tool, "content": e.text}))
            .collect();
        let _ = writeln!(
            text,
            "{}",
            serde_json::json!({"id": session.head.key, "messages": messages})
        );
        sessions.push(session);
    }
    let bytes: usize = sessions
        .iter()
        .flat_map(|s| &s.events)
        .map(|e| e.text.len())
        .sum();
    let ours = median(|| {
        let mut reader = dream::Reader::default();
        let input = dream::Input {
            sessions: sessions.iter().map(|s| reader.see(s)).collect(),
            ..dream::Input::default()
        };
        assert!(dream::run(&input, &mut |_| ControlFlow::Continue(())).is_some());
    });
    let parsed = median(|| {
        assert_eq!(
            serde_json::Deserializer::from_str(&text)
                .into_iter::<serde_json::Value>()
                .count(),
            400
        );
    });
    let megabytes = f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1e6;
    println!(
        "engine: {megabytes:.1} MB of events, {:.0} MB/s read and dreamed over",
        megabytes / ours.as_secs_f64()
    );
    line(
        "features and a dream over 400 chats",
        ours,
        "serde_json parses them",
        parsed,
    );
}

/// A chat: a prompt, questions, calls with JSON arguments and long answers, an error now and then.
fn chat(n: usize) -> dream::Session {
    let event = |kind, tool: Option<&str>, text: String| dream::Event {
        kind,
        tool: tool.map(str::to_owned),
        tool_use_id: None,
        is_error: text.starts_with("Error"),
        text,
    };
    let prompt =
        "You are an agent of an airline. Ask before you book. Never promise a refund that the \
         rules do not allow. "
            .repeat(40);
    let mut events = vec![event(EventKind::System, None, prompt)];
    for k in 0..10 {
        let tool = ["search", "details", "book", "pay"][k % 4];
        let asked = format!(
            "I would like to change flight H{n} on day {k}. My number is {n}-{k}, and the fare \
             should be under {} dollars.",
            100 + k
        );
        events.push(event(EventKind::User, None, asked));
        events.push(event(
            EventKind::Agent,
            None,
            "Let me look at that for you, one moment please. ".repeat(8),
        ));
        events.push(event(
            EventKind::ToolUse,
            Some(tool),
            format!(r#"{{"flight":"H{n}","day":{k},"cabin":"economy","passengers":[{{"name":"P{n}"}}]}}"#),
        ));
        let answer = if k == 7 {
            format!("Error: not enough seats on flight H{n}")
        } else {
            format!(
                r#"{{"flight":"H{n}","legs":[{}]}}"#,
                r#"{"from":"SFO","to":"JFK","seats":3,"price":152.5},"#
                    .repeat(40)
                    .trim_end_matches(',')
            )
        };
        events.push(event(EventKind::ToolResult, Some(tool), answer));
    }
    let head = dream::Head {
        recorders: Vec::new(),
        key: format!("{n:06}"),
        subject: Some(format!("u{}", n % 97)),
        task: Some(format!("t{}", n % 50)),
        ..dream::Head::default()
    };
    dream::Session { head, events }
}

/// Duplicates and questions over ten thousand memories, beside a thousand.
fn near_duplicates() {
    const WORDS: &[&str] = &[
        "invoice", "refund", "export", "report", "customer", "ticket", "backup", "deploy",
        "cluster", "budget", "weekly", "table", "column", "archive", "approval", "template",
        "language", "headline", "source", "summary", "mailbox", "calendar", "contract", "clause",
        "reviewer", "draft", "queue", "session", "limit", "region",
    ];
    let memories = |count: usize| -> Vec<dream::Memory> {
        let mut state = 7_u64;
        let mut word = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            WORDS[usize::try_from(state >> 33).unwrap_or(0) % WORDS.len()]
        };
        let mut statement = |n: usize| {
            format!(
                "- The {} of the {} goes with the {} to desk {} before the {}.",
                word(),
                word(),
                word(),
                n % 300,
                word()
            )
        };
        let one = |n: usize| {
            dream::Memory::plain(
                &format!("/{}/{n}.md", n % 40),
                &format!(
                    "# Note {n}\n\n{}\n{}\n{}\n",
                    statement(n),
                    statement(n + 1),
                    statement(n + 2)
                ),
            )
        };
        (0..count).map(one).collect()
    };
    let run = |memories: Vec<dream::Memory>| {
        let input = dream::Input {
            memories,
            ..dream::Input::default()
        };
        let start = Instant::now();
        assert!(dream::run(&input, &mut |_| ControlFlow::Continue(())).is_some());
        start.elapsed()
    };
    line(
        "dream over 10,000 memories",
        run(memories(10_000)),
        "over 1,000 memories",
        run(memories(1_000)),
    );
}

/// A dream over the features of 100,000 sessions, each read and let go, and the most memory that
/// the process ever held.
fn many_sessions() {
    let mut reader = dream::Reader::default();
    let start = Instant::now();
    let mut input = dream::Input::default();
    for n in 0..100_000 {
        let seen = reader.see(&chat(n));
        // As they come from the database.
        let stored = serde_json::to_string(&seen.features).expect("features are JSON");
        input.sessions.push(dream::Seen {
            head: seen.head,
            features: serde_json::from_str(&stored).expect("they were written just now"),
        });
    }
    let read = start.elapsed();
    let start = Instant::now();
    assert!(dream::run(&input, &mut |_| ControlFlow::Continue(())).is_some());
    line(
        "dream over the features of 100,000 sessions",
        start.elapsed(),
        "reading them all",
        read,
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .map_or("unknown", str::trim);
    println!("the most memory that this process held: {most}");
}

/// A dream over ten times the sessions, beside a dream over the sessions.
fn dreaming() {
    let few = input(500);
    let many = input(5_000);
    let run = |input: &dream::Input| {
        median(|| assert!(dream::run(input, &mut |_| ControlFlow::Continue(())).is_some()))
    };
    line(
        "dream over 5,000 sessions",
        run(&many),
        "over 500 sessions",
        run(&few),
    );
}

fn input(sessions: usize) -> dream::Input {
    let event = |kind, n: usize, text: String| dream::Event {
        kind,
        tool: Some(format!("tool{}", n % 7)),
        tool_use_id: None,
        is_error: text.starts_with("Error"),
        text,
    };
    let session = |n: usize| dream::Session {
        head: dream::Head {
            recorders: Vec::new(),
            key: n.to_string(),
            subject: Some(format!("subject-{}", n % 97)),
            outcome: if n.is_multiple_of(3) {
                OutcomeResult::Failure
            } else {
                OutcomeResult::Success
            },
            ..dream::Head::default()
        },
        events: vec![
            event(EventKind::ToolUse, n, format!(r#"{{"page":{n}}}"#)),
            event(
                EventKind::ToolResult,
                n,
                format!(
                    "Error: page {n} of kind {} is too large",
                    ["a", "b", "c"][n % 3]
                ),
            ),
            event(EventKind::ToolUse, n, r#"{"page":1}"#.into()),
            event(EventKind::ToolResult, n, "done".into()),
        ],
    };
    let mut reader = dream::Reader::default();
    dream::Input {
        sessions: (0..sessions).map(|n| reader.see(&session(n))).collect(),
        ..dream::Input::default()
    }
}

/// The demo's pages, beside the health check of the same server.
fn pages() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let served = support::process::Served::demo(folder.path());
    let address = served.url.trim_start_matches("http://").to_owned();
    let token = served
        .link("reviewer@")
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let form = format!("token={token}&password=four+plain+words+here&again=four+plain+words+here");
    let answer = exchange(
        &address,
        &format!(
            "POST /do/use_link HTTP/1.1\r\nHost: {address}\r\nContent-Type: \
             application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: \
             close\r\n\r\n{form}",
            form.len()
        ),
    );
    let cookies = answer
        .lines()
        .filter_map(|l| l.strip_prefix("set-cookie: "))
        .filter_map(|c| c.split(';').next());
    let cookie = cookies
        .into_iter()
        .find(|c| c.starts_with("__Host-lucid="))
        .unwrap_or_default()
        .to_owned();
    let get = |path: &str| {
        exchange(
            &address,
            &format!(
                "GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nConnection: \
                 close\r\n\r\n"
            ),
        )
    };
    let queue = get("/queue");
    let changeset = queue
        .split("href=\"")
        .find(|part| part.starts_with("/changesets/"))
        .and_then(|p| p.split('"').next())
        .unwrap_or("/queue")
        .to_owned();
    let bare = median(|| assert!(get("/healthz").contains("200 OK")));
    line(
        "page /queue",
        median(|| assert!(get("/queue").contains("200 OK"))),
        "/healthz",
        bare,
    );
    line(
        "page of a changeset with 9 changes",
        median(|| assert!(get(&changeset).contains("200 OK"))),
        "/healthz",
        bare,
    );
}

fn exchange(address: &str, request: &str) -> String {
    let mut stream =
        TcpStream::connect(address.replace("localhost", "127.0.0.1")).expect("the server answers");
    stream
        .write_all(request.as_bytes())
        .expect("the request is sent");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}
