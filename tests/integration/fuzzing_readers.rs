//! Every reader of transcripts on files that were broken: no panic, and nothing that stood on a
//! whole line is lost. Seconds in `make test`; ten minutes in `make soak`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use domain::event::EventKind;
use service::transcripts::{self, Options, Source, Spool, mapping};

use crate::support::soak::{Dice, rounds};

fn below(dice: &mut Dice, limit: usize) -> usize {
    usize::try_from(dice.below(limit.max(1) as u64)).unwrap()
}

/// The files of every format.
fn samples() -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/transcripts");
    let mut files = transcripts::files(&folder).unwrap().files;
    files.retain(|f| !f.display().to_string().contains("/expected/"));
    assert!(files.len() > 30, "{}", files.len());
    files
        .into_iter()
        .map(|f| (f.clone(), fs::read(&f).unwrap()))
        .collect()
}

/// What is read: how often each kind of event with each text, and what was said of the rest.
fn read(
    name: &Path,
    bytes: &[u8],
    strict: bool,
) -> (BTreeMap<(EventKind, String), usize>, Vec<String>) {
    let mut spool = Spool::new().unwrap();
    let options = Options {
        strict,
        ..Options::default()
    };
    transcripts::read_from(
        bytes,
        &Source::named(&name.display().to_string()),
        &options,
        &mut spool,
        &mut |_| {},
    )
    .unwrap();
    let mut done = spool.finish_with_skipped().unwrap();
    let mut found = BTreeMap::new();
    for session in &done.sessions {
        for index in 0..session.len() {
            let event = done.reader.event(session, index).unwrap();
            *found.entry((event.kind, event.text)).or_default() += 1;
        }
    }
    let told: Vec<String> = done
        .problems
        .iter()
        .chain(&done.skipped)
        .map(ToString::to_string)
        .collect();
    assert!(told.len() <= 2_000, "{}", told.len());
    (found, told)
}

/// Pieces that break JSON, or that a reader may stumble over.
const PIECES: &[&[u8]] = &[
    b"\0",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b",",
    b"\n",
    b"null",
    b"-1",
    b"1e999",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\xe2\x80\xae",
    b"{\"role\":7}",
    b"{\"type\":[]}",
    b"99999999999999999999999",
    b"<task>",
    b"</system-reminder>",
    b"\r",
];

fn broken(dice: &mut Dice, good: &[u8], others: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for _ in 0..=below(dice, 6) {
        let at = below(dice, bytes.len());
        match below(dice, 7) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..at, PIECES[below(dice, PIECES.len())].iter().copied())),
            2 => drop(bytes.drain(at..(at + below(dice, 60)).min(bytes.len()))),
            3 if !bytes.is_empty() => bytes[at] = u8::try_from(below(dice, 256)).unwrap(),
            4 => {
                let other = &others[below(dice, others.len())].1;
                let from = below(dice, other.len());
                let part = other[from..(from + 300).min(other.len())].to_vec();
                drop(bytes.splice(at..at, part));
            }
            5 => {
                let part = bytes[at..(at + 200).min(bytes.len())].to_vec();
                drop(bytes.splice(at..at, part));
            }
            _ => {
                let deep = if below(dice, 2) == 0 { b"[" } else { b"{" }.repeat(below(dice, 400));
                drop(bytes.splice(at..at, deep));
            }
        }
    }
    bytes
}

#[test]
fn no_reader_breaks_on_what_is_in_a_file() {
    let samples = samples();
    let mut dice = Dice::new(20_261_126);
    let long = rounds(0, 1) == 1;
    #[expect(
        clippy::disallowed_methods,
        reason = "how long to go on is no part of what is tested"
    )]
    let start = std::time::Instant::now();
    let mut done = 0;
    while done < 40 || (long && start.elapsed() < Duration::from_mins(10)) {
        for (name, good) in &samples {
            let bytes = broken(&mut dice, good, &samples);
            read(name, &bytes, below(&mut dice, 2) == 0);
            mapping::preview(&bytes, &Source::named("x.jsonl"), &Options::default()).unwrap();
            if let Some(guess) = mapping::Mapping::guess_from(&bytes) {
                // A guess may lack what nothing was found for, but never be wrong in form.
                let read: serde_json::Value = serde_json::from_str(&guess).unwrap();
                assert!(read.is_object());
            }
        }
        done += 1;
    }
    println!("{done} rounds over {} files", samples.len());
}

/// Lines that cannot be read.
const BAD_LINES: &[&str] = &[
    "not JSON",
    "{\"type\":\"user\",\"message\":{\"content\":\"cut",
    "\u{0}\u{0}\u{0}\u{0}",
    "{\"a\":[[[[[[[[",
    "{\"a\":1}}",
    "\"a text\"",
];

#[test]
fn whole_lines_are_never_lost() {
    let mut dice = Dice::new(7);
    let mut tried = 0;
    for (name, good) in samples() {
        let Ok(text) = String::from_utf8(good) else {
            continue;
        };
        if name.extension().is_none_or(|e| e != "jsonl") {
            continue;
        }
        let (before, _) = read(&name, text.as_bytes(), false);
        let lines: Vec<&str> = text.lines().collect();
        for _ in 0..rounds(12, 2_000) {
            let mut broken = lines.clone();
            let bad = BAD_LINES[below(&mut dice, BAD_LINES.len())];
            let at = below(&mut dice, lines.len() + 1);
            broken.insert(at, bad);
            let (after, told) = read(&name, (broken.join("\n") + "\n").as_bytes(), false);
            for (event, times) in &before {
                assert!(
                    after.get(event).is_some_and(|n| n >= times),
                    "{}: {event:?} is lost when line {at} is {bad:?}: {told:?}",
                    name.display()
                );
            }
            let gap = after.keys().any(|(kind, _)| *kind == EventKind::Gap);
            let kept = after.values().sum::<usize>() > before.values().sum::<usize>();
            assert!(
                gap || kept || !told.is_empty(),
                "{}: nothing says that line {at} is {bad:?}",
                name.display()
            );
            tried += 1;
        }
    }
    assert!(tried > 100, "{tried}");
}
