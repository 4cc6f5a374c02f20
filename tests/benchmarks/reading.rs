//! Transcripts into the spool, a hundred megabytes in each of the most used formats, beside
//! `serde_json` parsing the same lines; and the most memory that it took.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use service::transcripts::{self, Options, Spool};

use crate::line;

/// How much of each format is read, in bytes.
const BYTES: usize = 100_000_000;

/// Reads every format.
pub fn run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, write) in [
        ("Claude Code", claude_code as fn(usize) -> Vec<Value>),
        ("Codex", codex),
        ("OpenAI chats", openai),
        ("OpenTelemetry spans", spans),
        ("Managed Agents events", events),
    ] {
        let file = filled(folder.path(), name, write);
        let ours = fastest(|| {
            let mut spool = Spool::new().expect("a temporary file");
            transcripts::read(&file, &Options::default(), &mut spool, &mut |_| {})
                .expect("it reads");
            assert!(
                spool.counts().raw * 10 < spool.counts().by_speaker.values().sum::<usize>(),
                "{name} was not understood"
            );
        });
        let parsed = fastest(|| {
            let lines = BufReader::new(File::open(&file).expect("the file")).lines();
            assert!(
                lines
                    .map_while(Result::ok)
                    .all(|line| serde_json::from_str::<Value>(&line).is_ok())
            );
        });
        let megabytes = 1e-6 * f64::from(u32::try_from(BYTES).unwrap_or(u32::MAX));
        let held = most_held(|| {
            let mut spool = Spool::new().expect("a temporary file");
            transcripts::read(&file, &Options::default(), &mut spool, &mut |_| {})
                .expect("it reads");
            drop(spool.finish().expect("it ends"));
        });
        println!(
            "{name}: {:.0} MB/s into the spool, at most {held} held for {megabytes:.0} MB",
            megabytes / ours.as_secs_f64()
        );
        line(
            &format!("read {name}"),
            ours,
            "serde_json parses its lines",
            parsed,
        );
        std::fs::remove_file(&file).expect("it was written");
    }
}

/// The fastest of three runs: what is slower was something else on this machine.
fn fastest(mut run: impl FnMut()) -> Duration {
    let one = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..3).map(|_| one(&mut run)).min().unwrap_or_default()
}

/// The most memory that the process held while it did something, where the system can say so.
fn most_held(run: impl FnOnce()) -> String {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    run();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:"))
        .and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.map_or_else(
        || "an unknown amount".to_owned(),
        |k| format!("{} MB", k / 1_000),
    )
}

fn filled(folder: &Path, name: &str, write: fn(usize) -> Vec<Value>) -> PathBuf {
    let path = folder.join(format!("{}.jsonl", name.replace(' ', "-")));
    let mut file = BufWriter::new(File::create(&path).expect("a file"));
    let mut written = 0;
    for n in 0.. {
        for value in write(n) {
            let text = value.to_string();
            written += text.len() + 1;
            writeln!(file, "{text}").expect("it is written");
        }
        if written >= BYTES {
            break;
        }
    }
    file.flush().expect("it is written");
    path
}

const ASKED: &str = "The export of last week's orders failed again, so please look at what it says \
    and try it with a smaller page.";

fn said(n: usize) -> String {
    format!("I look at order {n} first. ")
        + &"Then I compare its lines with the invoice, one by one, and note what differs. "
            .repeat(6)
}

fn answer(n: usize) -> String {
    format!(
        r#"{{"order":{n},"lines":[{}]}}"#,
        r#"{"item":"crate","weight":12.5,"price":140},"#
            .repeat(25)
            .trim_end_matches(',')
    )
}

fn claude_code(n: usize) -> Vec<Value> {
    let session = format!("session-{}", n / 40);
    let one = |k: usize, kind: &str, content: Value| {
        json!({"type": kind, "sessionId": session, "uuid": format!("{n:08}-{k}"), "parentUuid": format!("{n:08}-{}", k.wrapping_sub(1)),
            "timestamp": "2026-11-10T00:01:00.000Z", "cwd": "/srv/shop", "version": "2.1.331", "message": {"role": kind, "content": content}})
    };
    vec![
        one(0, "user", json!(ASKED)),
        one(
            1,
            "assistant",
            json!([{"type": "text", "text": said(n)}, {"type": "tool_use", "id": format!("t{n}"), "name": "Read", "input": {"path": format!("/orders/{n}")}}]),
        ),
        one(
            2,
            "user",
            json!([{"type": "tool_result", "tool_use_id": format!("t{n}"), "content": answer(n)}]),
        ),
    ]
}

fn codex(n: usize) -> Vec<Value> {
    let item = |payload: Value| json!({"timestamp": "2026-11-10T00:01:00.000Z", "type": "response_item", "payload": payload});
    let mut lines = if n == 0 {
        vec![json!({"type": "session_meta", "payload": {"id": "bench"}})]
    } else {
        Vec::new()
    };
    lines.extend([
        json!({"timestamp": "2026-11-10T00:01:00.000Z", "type": "event_msg", "payload": {"type": "user_message", "message": ASKED}}),
        item(json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said(n)}]})),
        item(json!({"type": "function_call", "name": "shell", "call_id": format!("c{n}"), "arguments": format!("{{\"command\":\"cat {n}\"}}")})),
        item(json!({"type": "function_call_output", "call_id": format!("c{n}"), "output": answer(n)})),
    ]);
    lines
}

fn openai(n: usize) -> Vec<Value> {
    let turn = |k: usize| {
        [
            json!({"role": "user", "content": ASKED}),
            json!({"role": "assistant", "content": said(k), "tool_calls": [{"id": format!("c{k}"), "type": "function", "function": {"name": "read", "arguments": "{}"}}]}),
            json!({"role": "tool", "tool_call_id": format!("c{k}"), "content": answer(k)}),
        ]
    };
    vec![
        json!({"id": format!("chat-{n}"), "user": format!("u{}", n % 90), "messages": (0..10).flat_map(turn).collect::<Vec<_>>()}),
    ]
}

fn spans(n: usize) -> Vec<Value> {
    let turn = |k: usize| {
        vec![
            json!({"role": "user", "parts": [{"type": "text", "content": format!("{ASKED} {k}")}]}),
            json!({"role": "assistant", "parts": [{"type": "tool_call", "id": format!("c{n}-{k}"), "name": "read", "arguments": {"order": k}}]}),
            json!({"role": "tool", "parts": [{"type": "tool_call_response", "id": format!("c{n}-{k}"), "response": answer(k)}]}),
        ]
    };
    let span = |k: usize| {
        let history: Vec<Value> = (0..=k).flat_map(turn).collect();
        let said = json!([{"role": "assistant", "parts": [{"type": "text", "content": said(k)}]}]);
        json!({"traceId": format!("trace-{n}"), "spanId": format!("{n}-{k}"), "name": "chat", "startTimeUnixNano": "1770000000000000000",
            "attributes": [{"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                {"key": "gen_ai.input.messages", "value": {"stringValue": json!(history).to_string()}},
                {"key": "gen_ai.output.messages", "value": {"stringValue": said.to_string()}}]})
    };
    (0..4).map(span).collect()
}

fn events(n: usize) -> Vec<Value> {
    let session = format!("session-{}", n / 40);
    let text = |kind: &str, k: usize, text: &str| json!({"type": kind, "id": format!("sevt_{n}_{k}"), "session_id": session, "content": [{"type": "text", "text": text}]});
    vec![
        text("user.message", 0, ASKED),
        text("agent.message", 1, &said(n)),
        json!({"type": "agent.tool_use", "id": format!("sevt_{n}_2"), "session_id": session, "name": "read", "input": {"order": n}}),
        json!({"type": "agent.tool_result", "id": format!("sevt_{n}_3"), "session_id": session, "tool_use_id": format!("sevt_{n}_2"), "content": [{"type": "text", "text": answer(n)}]}),
    ]
}
