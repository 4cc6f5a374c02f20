//! Files in each format, made after the real shape, beside what is read from them:
//! `tests/transcripts` and `tests/transcripts/expected`. After a wanted change
//! `LUCID_WRITE_EXPECTED=1` writes what is read; read the difference before it is committed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::PathBuf,
};

use super::super::*;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/transcripts")
}

/// Returns what is read from a file or folder, as text: a line a session, a line an event.
fn told(path: &Path) -> (String, BTreeSet<&'static str>) {
    let mut spool = Spool::new().unwrap();
    let found = files(path).unwrap();
    for (skipped, reason) in &found.skipped {
        spool.skip(&skipped.file_name().unwrap().to_string_lossy(), reason);
    }
    for file in &found.files {
        read(file, &Options::default(), &mut spool, &mut |_| {}).unwrap();
    }
    let counts = spool.counts().clone();
    let mut done = spool.finish_with_skipped().unwrap();
    let mut text = String::new();
    for session in &done.sessions {
        let head = &session.head;
        // What comes of the folder differs from one checkout to the next.
        let id = head.external_id.as_deref().unwrap_or("-");
        let made = id
            .rsplit_once(':')
            .filter(|(_, hash)| hash.len() == 12 && hash.chars().all(|c| c.is_ascii_hexdigit()));
        let id = made.map_or_else(|| id.to_owned(), |(name, _)| format!("{name}:.."));
        write!(text, "{} {id}", session.source).unwrap();
        for (name, value) in [
            ("agent", &head.agent),
            ("user", &head.subject),
            ("task", &head.task_key),
        ] {
            if let Some(value) = value {
                write!(text, " {name}={value}").unwrap();
            }
        }
        if let Some(outcome) = head.outcome {
            write!(text, " {}", outcome.result.as_str()).unwrap();
        }
        text.push('\n');
        for index in 0..session.len() {
            let e = done.reader.event(session, index).unwrap();
            write!(text, "  {} {}", e.kind.as_str(), e.speaker.as_str()).unwrap();
            for (name, value) in [
                ("tool", &e.tool),
                ("call", &e.tool_use_id),
                ("in", &e.thread),
            ] {
                if let Some(value) = value {
                    write!(text, " {name}={value}").unwrap();
                }
            }
            let error = if e.is_error { " error" } else { "" };
            let standing = if e.standing == domain::event::Standing::Live {
                ""
            } else {
                " abandoned"
            };
            let time = e
                .occurred_at
                .map_or("no time".to_owned(), domain::Timestamp::rfc3339);
            let what = if e.kind == domain::event::EventKind::Raw && e.text.is_empty() {
                "(as it came)".into()
            } else {
                format!("{:?}", e.text)
            };
            writeln!(text, "{error}{standing} [{time}] {what}").unwrap();
        }
    }
    for problem in done.problems {
        writeln!(text, "problem: {}", problem.reason).unwrap();
    }
    for skipped in done.skipped {
        writeln!(text, "skipped: {}", skipped.reason).unwrap();
    }
    let by: Vec<String> = counts
        .by_speaker
        .iter()
        .map(|(s, n)| format!("{n} {}", s.as_str()))
        .collect();
    writeln!(
        text,
        "read: {}; as it came: {}; gaps: {}; repeated: {}",
        by.join(", "),
        counts.raw,
        counts.gaps,
        counts.repeated
    )
    .unwrap();
    (text, done.sessions.iter().map(|s| s.source).collect())
}

#[test]
fn every_format_is_read_as_it_is_expected_to_be() {
    let expected = folder().join("expected");
    let mut wrong = Vec::new();
    let mut inputs: BTreeMap<&str, usize> = BTreeMap::new();
    let mut paths: Vec<_> = fs::read_dir(folder())
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| *p != expected)
        .collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (text, sources) = told(&path);
        for source in sources {
            *inputs.entry(source).or_default() += 1;
        }
        let file = expected.join(format!("{name}.txt"));
        if std::env::var_os("LUCID_WRITE_EXPECTED").is_some() {
            fs::write(&file, &text).unwrap();
        } else if fs::read_to_string(&file).ok().as_ref() != Some(&text) {
            wrong.push(format!("{name} is read as:\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (name, _) in Format::ALL.iter().filter(|(_, f)| *f != Format::Auto) {
        assert!(
            inputs.get(name).is_some_and(|n| *n >= 2),
            "{name} needs two files in tests/transcripts: {inputs:?}"
        );
    }
}
