//! The line of a failed answer that says what failed. Shells begin with an exit code, tracebacks
//! with the least useful lines, tools wrap their message in JSON or in tags; the line that a person
//! would search for stands somewhere between.

use domain::event::names_an_exception;
use serde_json::Value;

/// Longer answers are looked at in their first and last parts of this many bytes: what failed is
/// said early or at the very end.
const LOOKED_AT: usize = 32 * 1024;
/// Tags that tools put around their errors.
const TAGS: &[&str] = &[
    "<tool_use_error>",
    "</tool_use_error>",
    "<error>",
    "</error>",
    "<stderr>",
    "</stderr>",
];
/// The fields of a JSON answer that hold its message.
const MESSAGES: &[&str] = &[
    "error",
    "message",
    "stderr",
    "detail",
    "error_message",
    "reason",
    "errors",
    "output",
    "stdout",
];
/// Words of a line in which something went wrong, in lower case.
const CUES: &[&str] = &[
    "not found",
    "no such",
    "denied",
    "cannot",
    "can't",
    "could not",
    "failed",
    "failure",
    "invalid",
    "unknown",
    "missing",
    "not allowed",
    "not authorized",
    "not permitted",
    "unauthorized",
    "forbidden",
    "timed out",
    "timeout",
    "refused",
    "unable to",
    "unexpected",
    "out of sync",
    "does not exist",
    "already exists",
    "must ",
    "expected",
    "exceed",
    "conflict",
];
/// Lines that every failure has, in lower case, as they begin.
const SAYS_NOTHING: &[&str] = &[
    "exit code",
    "exit status",
    "exited with",
    "process exited",
    "command failed",
    "command exited",
    "returncode",
    "traceback (most recent call last)",
    "during handling of the above",
    "the above exception was",
    "stdout:",
    "stderr:",
    "output:",
    "a complete log of this run",
    "file \"",
    "wall time",
    "duration:",
    "npm err! code",
    "npm error code",
    "npm err! errno",
    "npm error errno",
    "npm err! syscall",
    "npm error syscall",
    "npm err! path",
    "npm error path",
    "warning:",
    "note:",
    "hint:",
    "chunk id:",
    "original token count",
];
/// Lines that say only that something before them failed, in lower case.
const SAYS_LITTLE: &[&str] = &[
    "failed to push some refs",
    "error: process completed",
    "error: could not compile",
];
/// Words before a message that add nothing to it.
const LEADS: &[&str] = &["npm ERR!", "npm error", "E  "];

/// The part of a failed answer that says what went wrong, as byte range of at most `limit`
/// characters: the message inside a JSON object, else the line that names the failure, else the
/// first line with a word in it.
pub fn said(text: &str, limit: usize) -> (usize, usize) {
    let (start, end) = json_message(text).unwrap_or_else(|| best_line(text, 0));
    let cut = text[start..end]
        .char_indices()
        .nth(limit)
        .map_or(end, |(n, _)| start + n);
    (start, start + text[start..cut].trim_end().len())
}

/// Returns where the message of a JSON error object is, if it is there verbatim.
fn json_message(text: &str) -> Option<(usize, usize)> {
    let value: Value = serde_json::from_str(text.trim())
        .ok()
        .filter(Value::is_object)?;
    let message = message_of(&value)?;
    let (start, end) = best_line(message, 0);
    let line = &message[start..end];
    let at = text.find(line)?;
    (!line.is_empty()).then_some((at, at + line.len()))
}

/// Returns where the title of an HTML page is.
fn page_title(line: &str) -> Option<(usize, usize)> {
    let start = line.find("<title>")? + "<title>".len();
    let end = start + line[start..].find("</title>")?;
    (start < end).then_some((start, end))
}

/// Words after "failed" that add nothing to it.
const NO_MORE: &[&str] = &[
    "with", "code", "status", "exit", "signal", "non-zero", "nonzero", "error",
];

/// True if a line says no more than that something failed.
pub fn says_nothing(line: &str) -> bool {
    let lower = line.trim_start().to_lowercase();
    let more = |rest: &str| {
        let mut words =
            rest.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '<' || c == '>'));
        words.any(|w| {
            w.chars().any(char::is_alphabetic)
                && !w.starts_with('<')
                && !w.chars().any(|c| c.is_ascii_digit())
                && !NO_MORE.contains(&w)
        })
    };
    SAYS_NOTHING
        .iter()
        .any(|s| lower.strip_prefix(s).is_some_and(|rest| !more(rest)))
}

fn message_of(value: &Value) -> Option<&str> {
    MESSAGES.iter().find_map(|key| match value.get(key)? {
        Value::String(s) if s.chars().any(char::is_alphabetic) => Some(s.as_str()),
        inner @ Value::Object(_) => message_of(inner),
        Value::Array(all) => all
            .iter()
            .find_map(|one| one.as_str().or_else(|| message_of(one))),
        _ => None,
    })
}

/// The line that says most; `offset` is where the text begins in the whole.
fn best_line(text: &str, offset: usize) -> (usize, usize) {
    let mut best: Option<(u8, (usize, usize))> = None;
    for (start, line) in lines(text) {
        let (lead, core) = without_lead(line);
        if core.is_empty() || !core.chars().any(char::is_alphanumeric) {
            continue;
        }
        let points = points(line, core);
        // Of several exceptions the last was not caught; of other lines the first is the cause.
        let wins =
            best.is_none_or(|(most, _)| points > most || (points == most && points == EXCEPTION));
        if wins {
            let from = offset + start + lead;
            best = Some((points, (from, from + core.len())));
        }
    }
    let (start, end) = best.map_or((0, 0), |(_, (start, end))| (start - offset, end - offset));
    // A line may be a JSON object or a page that holds the message.
    let line = &text[start..end];
    let held = match line.as_bytes().first() {
        Some(b'{') => json_message(line),
        Some(b'<') => page_title(line),
        _ => None,
    };
    let (from, to) = held.unwrap_or((0, line.len()));
    (offset + start + from, offset + start + to)
}

/// The lines that are looked at, with where they begin.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let head = text.floor_char_boundary(LOOKED_AT);
    let tail = text
        .ceil_char_boundary(text.len().saturating_sub(LOOKED_AT))
        .max(head);
    let parts = [(0, &text[..head]), (tail, &text[tail..])];
    parts.into_iter().flat_map(|(from, part)| {
        part.split_inclusive('\n').scan(from, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line.trim_end_matches(['\n', '\r'])))
        })
    })
}

/// The line without tags and leads: how many bytes are before it, and what is left.
fn without_lead(line: &str) -> (usize, &str) {
    let mut core = line;
    loop {
        let before = core.len();
        core = core.trim_start();
        for lead in TAGS.iter().chain(LEADS) {
            core = core.strip_prefix(lead).unwrap_or(core);
        }
        if core.len() == before {
            break;
        }
    }
    let lead = line.len() - core.len();
    let mut core = core.trim_end();
    for tag in TAGS {
        core = core.strip_suffix(tag).unwrap_or(core).trim_end();
    }
    (lead, core)
}

/// A line that names an exception.
const EXCEPTION: u8 = 90;

fn points(line: &str, core: &str) -> u8 {
    let lower = core
        .get(..core.floor_char_boundary(200))
        .unwrap_or_default()
        .to_lowercase();
    let whole = line.trim_start().to_lowercase();
    if SAYS_NOTHING
        .iter()
        .any(|s| lower.starts_with(s) || whole.starts_with(s))
        || !core.chars().any(char::is_alphabetic)
    {
        return 1;
    }
    if line.starts_with("E   ") {
        return 95;
    }
    // The line after it says what it is about.
    if core.ends_with(':') || SAYS_LITTLE.iter().any(|s| lower.contains(s)) {
        return 5;
    }
    if lower.contains(" hook exited ") {
        return 70;
    }
    if names_an_exception(core) {
        return EXCEPTION;
    }
    let begins = [
        "error", "fatal", "panic", "err!", "failed", "failure", "thread '",
    ]
    .iter()
    .any(|w| lower.starts_with(w));
    let cue = CUES.iter().any(|cue| lower.contains(cue));
    match (begins, cue) {
        (true, _) => 80,
        (false, true) => 60,
        // npm says in each of its lines that it is one of an error.
        (false, false) if LEADS.iter().any(|l| whole.starts_with(&l.to_lowercase())) => 55,
        (false, false) if lower.contains("error") => 50,
        _ => 10,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> &str {
        let (start, end) = said(text, 300);
        &text[start..end]
    }

    #[test]
    fn the_line_that_a_person_would_search_for() {
        for (text, wanted) in [
            (
                "exit code 127\n/bin/sh: 1: ps: not found",
                "/bin/sh: 1: ps: not found",
            ),
            (
                "Exit code 1\nnpm ERR! code EUSAGE\nnpm ERR!\nnpm ERR! `npm ci` can only install \
                 when in sync\nnpm ERR! A complete log of this run",
                "`npm ci` can only install when in sync",
            ),
            (
                "Traceback (most recent call last):\n  File \"a.py\", line 3, in \
                 <module>\n    x()\nValueError: bad row 7\n\nDuring handling of the above \
                 exception, another exception occurred:\n\nKeyError: 'id'",
                "KeyError: 'id'",
            ),
            (
                "collected 3 items\n\ntests/a.py E\nE       fixture 'mocker' not \
                 found\n>       available fixtures: cache",
                "fixture 'mocker' not found",
            ),
            (
                "   Compiling x v0.1.0\nwarning: unused\nerror[E0432]: unresolved import `y`\n --> \
                 src/main.rs:1:5",
                "error[E0432]: unresolved import `y`",
            ),
            (
                "<tool_use_error>File has not been read yet. Read it first.</tool_use_error>",
                "File has not been read yet. Read it first.",
            ),
            (
                r#"{"ok":false,"error":{"code":12,"message":"rate limit of 30 reached"}}"#,
                "rate limit of 30 reached",
            ),
            (
                r#"{"exit_code":2,"stderr":"a\nfatal: not a git repository\n","stdout":""}"#,
                "fatal: not a git repository",
            ),
            (r#"{"errors":[{"detail":"role missing"}]}"#, "role missing"),
            ("\n\n  plain text\nmore", "plain text"),
            ("403 Forbidden: role missing", "403 Forbidden: role missing"),
            (
                "Chunk ID: b7236b\nProcess exited with code \
                 1\nOutput:\n{\"status\":502,\"error\":\"Bad Gateway\"}\n",
                "Bad Gateway",
            ),
            (
                "<html><head><title>502 Bad Gateway</title></head><body>x</body></html>",
                "502 Bad Gateway",
            ),
            (
                "ruff format --check\n2 files would be reformatted\npre-push hook exited with code \
                 1\nerror: failed to push some refs to 'x'",
                "pre-push hook exited with code 1",
            ),
            (
                "07:01:02  Encountered an error:\nCompilation Error in model a\n  'x' is undefined",
                "Compilation Error in model a",
            ),
        ] {
            assert_eq!(line(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_says_only_that_it_failed() {
        for line in [
            "Exit code 1",
            "Process exited with code 137",
            "Chunk ID: b7236b",
            "exit status <n>",
        ] {
            assert!(says_nothing(line), "{line}");
        }
        for line in [
            "Command failed: EACCES: permission denied",
            "stderr: disk full",
            "Exit code 137: out of memory",
        ] {
            assert!(!says_nothing(line), "{line}");
        }
    }

    #[test]
    fn hostile_texts_are_cut_not_panicked_on() {
        let long = "ü".repeat(70_000);
        assert_eq!(line(&long).chars().count(), 300);
        for text in [
            "",
            "\n\n",
            "{\"error\":\"\\n\"}",
            "<error>",
            "E   ",
            "npm ERR!",
            "{\"error\":[[]]}",
        ] {
            let (start, end) = said(text, 10);
            assert!(text.get(start..end).is_some(), "{text:?}");
        }
        let tail = format!("{}\nfatal: at the end", "é fine\n".repeat(20_000));
        assert_eq!(line(&tail), "fatal: at the end");
    }
}
