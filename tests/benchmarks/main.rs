//! `make bench`: figures beside each other in one run, because the machine they run on is shared. Nothing here passes or fails.
#![allow(clippy::expect_used, clippy::panic, clippy::disallowed_methods, reason = "a benchmark measures time, and stops if it cannot")]

#[allow(dead_code, reason = "the benchmark uses a part of it")]
#[path = "../support/process.rs"]
mod process;

use std::{
    fmt::Write,
    io::{Read, Write as _},
    net::TcpStream,
    ops::ControlFlow,
    time::{Duration, Instant},
};

use domain::event::{EventKind, OutcomeResult};
use service::transcripts::{self, Options, Source, Spool};

fn main() {
    reading();
    dreaming();
    pages();
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
    println!("{what:<44} {:>9.2} ms   {beside:<28} {:>9.2} ms   ratio {ratio:.2}", time.as_secs_f64() * 1e3, other.as_secs_f64() * 1e3);
}

/// Transcripts into the spool, beside `serde_json` reading the same text.
fn reading() {
    let mut text = String::new();
    for n in 0..2_000 {
        let said = "The export failed again with the same message, so I tried a smaller page. ".repeat(20);
        let _ = writeln!(
            text,
            r#"{{"id":"s{n}","messages":[{{"role":"user","content":"{said}"}},{{"role":"tool","name":"export","content":"Error: page {n} is too large"}}]}}"#
        );
    }
    let source = Source { name: "bench".into(), stem: "bench".into(), whole: false };
    let ours = median(|| {
        let mut spool = Spool::new().expect("a temporary file");
        transcripts::read_from(text.as_bytes(), &source, &Options::default(), &mut spool, &mut |_| {}).expect("it reads");
    });
    let parsed = median(|| {
        let values = serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>().count();
        assert_eq!(values, 2_000);
    });
    let megabytes = f64::from(u32::try_from(text.len()).unwrap_or(u32::MAX)) / 1e6;
    println!("transcripts: {megabytes:.1} MB, {:.0} MB/s into the spool", megabytes / ours.as_secs_f64());
    line("read, check and spool", ours, "serde_json parses it", parsed);
}

/// A dream over ten times the sessions, beside a dream over the sessions.
fn dreaming() {
    let few = input(500);
    let many = input(5_000);
    let run = |input: &dream::Input| median(|| assert!(dream::run(input, &mut |_| ControlFlow::Continue(())).is_some()));
    line("dream over 5,000 sessions", run(&many), "over 500 sessions", run(&few));
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
            key: n.to_string(),
            subject: Some(format!("subject-{}", n % 97)),
            outcome: if n.is_multiple_of(3) { OutcomeResult::Failure } else { OutcomeResult::Success },
            ..dream::Head::default()
        },
        events: vec![
            event(EventKind::ToolUse, n, format!(r#"{{"page":{n}}}"#)),
            event(EventKind::ToolResult, n, format!("Error: page {n} of kind {} is too large", ["a", "b", "c"][n % 3])),
            event(EventKind::ToolUse, n, r#"{"page":1}"#.into()),
            event(EventKind::ToolResult, n, "done".into()),
        ],
    };
    let mut reader = dream::Reader::default();
    dream::Input { sessions: (0..sessions).map(|n| reader.see(&session(n))).collect(), ..dream::Input::default() }
}

/// The demo's pages, beside the health check of the same server.
fn pages() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let served = process::Served::demo(folder.path());
    let address = served.url.trim_start_matches("http://").to_owned();
    let token = served.link("reviewer@").rsplit('/').next().unwrap_or_default().to_owned();
    let form = format!("token={token}&password=four+plain+words+here&again=four+plain+words+here");
    let answer = exchange(
        &address,
        &format!(
            "POST /do/use_link HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        ),
    );
    let cookie =
        answer.lines().find_map(|l| l.strip_prefix("set-cookie: ")).and_then(|c| c.split(';').next()).unwrap_or_default().to_owned();
    let get = |path: &str| {
        exchange(&address, &format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"))
    };
    let queue = get("/queue");
    let changeset = queue
        .split("href=\"")
        .find(|part| part.starts_with("/changesets/"))
        .and_then(|p| p.split('"').next())
        .unwrap_or("/queue")
        .to_owned();
    let bare = median(|| assert!(get("/healthz").contains("200 OK")));
    line("page /queue", median(|| assert!(get("/queue").contains("200 OK"))), "/healthz", bare);
    line("page of a changeset with 8 changes", median(|| assert!(get(&changeset).contains("200 OK"))), "/healthz", bare);
}

fn exchange(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address.replace("localhost", "127.0.0.1")).expect("the server answers");
    stream.write_all(request.as_bytes()).expect("the request is sent");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}
