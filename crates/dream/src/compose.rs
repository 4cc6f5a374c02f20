//! Writes the note that a finding proposes: when it applies and what to do, in as few words as that
//! takes. No counts, ids or names of customers; words that a tool said are fenced and masked.

use std::collections::BTreeSet;

use crate::findings::{Fix, suggests};

/// A failure, as its note tells of it.
pub struct Failure<'a> {
    /// The tool or program that fails.
    pub subject: &'a str,
    /// It is a program that a shell runs.
    pub is_program: bool,
    /// What it says, with what varies masked.
    pub says: String,
}

impl Failure<'_> {
    /// The note's title: what a person would search for.
    pub fn title(&self) -> String {
        format!(
            "{}: {}",
            self.subject,
            first_part(point(&self.says, self.subject))
        )
    }

    /// Returns where the note goes: `/failures/<subject>-<words>.md`, without anything that may
    /// vary.
    pub fn path(&self, template: &str) -> String {
        let clause = first_part(point(template, self.subject));
        let words: Vec<&str> = clause
            .split(' ')
            .filter(|w| !w.contains(['<', '>']))
            .collect();
        let words = slug(&without_names(&words.join(" "), false, &|_| false).replace("<name>", ""));
        let words: Vec<&str> = words.split('-').filter(|w| !w.is_empty()).take(6).collect();
        let base: String = format!("/failures/{}-{}", slug(self.subject), words.join("-"))
            .chars()
            .take(100)
            .collect();
        format!("{}.md", base.trim_end_matches('-'))
    }

    /// The whole note as Markdown.
    pub fn note(&self, fix: &Fix) -> String {
        let verb = if self.is_program {
            "fails with"
        } else {
            "answers"
        };
        format!(
            "# {}\n\n- When: `{}` {verb} `{}`.\n- What to do: {}\n{}",
            self.title().replace('`', "'"),
            self.subject,
            fenced(&self.says),
            self.what_to_do(fix),
            Self::example(fix)
                .map(|line| format!("- Example: {line}\n"))
                .unwrap_or_default(),
        )
    }

    /// Returns what to do about it.
    pub fn what_to_do(&self, fix: &Fix) -> String {
        let subject = self.subject;
        match fix {
            Fix::Change {
                argument,
                to: Some(to),
                added: true,
                ..
            } => format!("pass `{argument}` as `{}`.", fenced(to)),
            Fix::Change {
                argument,
                to: Some(to),
                ..
            } => format!("set `{argument}` to `{}`.", fenced(to)),
            Fix::Change {
                argument,
                removed: true,
                ..
            } => format!("leave `{argument}` out."),
            Fix::Change {
                argument,
                added: true,
                ..
            } => format!("pass `{argument}` as well."),
            Fix::Change {
                argument,
                like: Some((Some(after), before)),
                ..
            } => {
                format!(
                    "write `{argument}` like `{}`, not like `{}`.",
                    fenced(after),
                    fenced(before)
                )
            }
            Fix::Change {
                argument,
                like: Some((None, before)),
                ..
            } => {
                format!(
                    "use another `{argument}` than one like `{}`.",
                    fenced(before)
                )
            }
            Fix::Change { argument, .. } if suggests(&self.says) => {
                format!("change `{argument}` as the answer suggests, then call `{subject}` again.")
            }
            Fix::Change { argument, .. } => {
                format!("call `{subject}` again with another `{argument}`.")
            }
            Fix::CallFirst(tool) => format!("call `{tool}` first, then `{subject}` again."),
            Fix::RunFirst(lines) => {
                let lines: Vec<String> = lines
                    .iter()
                    .map(|line| format!("`{}`", fenced(line)))
                    .collect();
                format!(
                    "run {} first, then `{subject}` again.",
                    lines.join(", then ")
                )
            }
            Fix::RunInstead(line, Some(before)) => {
                format!("run `{}` instead of `{}`.", fenced(line), fenced(before))
            }
            Fix::RunInstead(line, None) => format!("run `{}` instead.", fenced(line)),
            Fix::Again if self.is_program => {
                format!("run `{subject}` once more; the second run usually works.")
            }
            Fix::Again => format!(
                "call `{subject}` once more with the same arguments; the second call usually works."
            ),
        }
    }

    /// Returns what failed beside what worked, where both were always the same.
    fn example(fix: &Fix) -> Option<String> {
        let Fix::Change {
            argument,
            from: Some(from),
            to: Some(to),
            ..
        } = fix
        else {
            return None;
        };
        Some(format!(
            "`{argument}`: `{}` fails, `{}` works.",
            fenced(from),
            fenced(to)
        ))
    }
}

/// Returns what a failure says of itself, without what says that it is one, the shell that reports
/// it and the program that it is about.
fn point<'t>(says: &'t str, subject: &str) -> &'t str {
    let mut rest = says;
    let program = subject.split(' ').next().unwrap_or(subject);
    while let Some((first, after)) = rest.split_once(": ") {
        let lower = first.trim_matches(['[', ']']).to_lowercase();
        let line = lower.strip_prefix("line ").unwrap_or(&lower);
        let is_shell = matches!(
            lower.rsplit('/').next(),
            Some("sh" | "bash" | "zsh" | "dash")
        );
        let is_number =
            line == "<n>" || (!line.is_empty() && line.chars().all(|c| c.is_ascii_digit()));
        let code = lower.strip_prefix("error ").unwrap_or_default();
        let says_nothing = matches!(
            lower.as_str(),
            "error" | "fatal" | "err" | "failed" | "failure" | "exception"
        ) || (!code.is_empty()
            && (code == "<n>" || code.chars().all(|c| c.is_ascii_digit())));
        if !(is_shell
            || is_number
            || says_nothing
            || first == "<path>"
            || first == program
            || first == subject)
            || after.trim().is_empty()
        {
            break;
        }
        rest = after;
    }
    let cut = rest
        .get(..5)
        .filter(|start| start.eq_ignore_ascii_case("error"))
        .map_or(rest, |_| &rest[5..]);
    if cut.starts_with([':', ' ', '-']) {
        cut.trim_start_matches([':', ' ', '-'])
    } else {
        rest
    }
}

/// How clauses begin after which it is said what went wrong.
const GENERAL: &[&str] = &[
    "an error occurred",
    "encountered an error",
    "something went wrong",
];

/// The first clause, shortened. A clause that only says that something went wrong is skipped for
/// the one after it.
fn first_part(point: &str) -> String {
    let is_general = GENERAL.iter().any(|g| {
        point
            .get(..g.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(g))
    });
    let point = if is_general {
        point.split_once(": ").map_or(point, |(_, after)| after)
    } else {
        point
    };
    let end = [", ", "; ", ". ", " ("]
        .iter()
        .filter_map(|mark| point.find(mark))
        .filter(|&at| at >= 8)
        .min()
        .unwrap_or(point.len());
    let words: Vec<&str> = point[..end]
        .trim()
        .trim_end_matches('.')
        .split(' ')
        .collect();
    // "document <document>": the mask says nothing that the word before it does not.
    let repeats = |n: usize| {
        n > 0 && words[n].strip_prefix('<').and_then(|w| w.strip_suffix('>')) == Some(words[n - 1])
    };
    let said: Vec<&str> = (0..words.len())
        .filter(|&n| !repeats(n))
        .map(|n| words[n])
        .collect();
    shorten(&said.join(" "), 80)
}

fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        text.to_owned()
    } else {
        text.chars().take(limit).chain(['…']).collect()
    }
}

/// A text with as many whole words as its limit in characters allows.
pub fn whole_words(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let cut: String = text.chars().take(limit).collect();
    let end = cut
        .rfind(' ')
        .filter(|at| *at > limit / 2)
        .unwrap_or(cut.len());
    format!("{}…", cut[..end].trim_end_matches([',', ';', ':', ' ']))
}

/// Words that appear as code in content: on one line, without what would end the code.
pub fn fenced(text: &str) -> String {
    text.replace('`', "'")
}

/// A line with names masked that may be a customer's: words with a large first letter, but for the
/// first of a sentence and names of tools.
pub fn without_names(line: &str, are_known: bool, is_tool: &dyn Fn(&str) -> bool) -> String {
    let mut begins = true;
    let word = |w: &str| {
        let core = w.trim_matches(|c: char| !c.is_alphanumeric());
        let name = core.chars().next().is_some_and(char::is_uppercase)
            && core.chars().any(char::is_lowercase);
        let masked = name && !begins && !are_known && !is_tool(core);
        // A number or a mark at the beginning begins nothing: "(6) Could not resolve host".
        begins = w.ends_with(['.', ':', '!', '?', ';', '-'])
            || (begins && !w.chars().any(char::is_alphabetic));
        if masked {
            w.replacen(core, "<name>", 1)
        } else {
            w.to_owned()
        }
    };
    let words: Vec<String> = line.split(' ').map(word).collect();
    words.join(" ")
}

/// A statement for a title: short, and masked, because titles are in lists and in the history for
/// good.
#[must_use]
pub fn short(text: &str) -> String {
    let text = domain::masking::mask(text);
    if text.chars().count() <= 60 {
        text
    } else {
        text.chars().take(59).chain(['…']).collect()
    }
}

/// True if a text names a tool: as a word of its own, not as a part of another one.
pub fn names(text: &str, tool: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(tool)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + tool.len()..].starts_with(part))
}

/// Longest name of a file, in letters.
const LONGEST_NAME: usize = 48;
/// The shortest name of a file that says something, in letters.
const SHORTEST: usize = 3;

/// A path for a note in one of the usual folders: `/<folder>/<words>.md`.
pub fn file(folder: &str, text: &str) -> String {
    let whole = slug(text);
    // Whole words, as many as a short name holds.
    let end = whole
        .match_indices('-')
        .map(|(at, _)| at)
        .chain([whole.len()])
        .take_while(|at| *at <= LONGEST_NAME)
        .last();
    let name = whole.get(..end.unwrap_or(LONGEST_NAME)).unwrap_or_default();
    // A text in another script leaves no letters: its hash tells it from others.
    let other = || format!("note-{:08x}", crate::reading::hash(text.as_bytes()) >> 32);
    format!(
        "/{folder}/{}.md",
        if name.len() < SHORTEST {
            other()
        } else {
            name.to_owned()
        }
    )
}

/// The path, with a number before `.md` where it is taken.
pub fn free_path(path: &str, taken: &BTreeSet<String>) -> String {
    let base = path.strip_suffix(".md").unwrap_or(path);
    let numbered = (2..).map(|n| format!("{base}-{n}.md"));
    std::iter::once(path.to_owned())
        .chain(numbered)
        .find(|p| !taken.contains(p))
        .unwrap_or_default()
}

/// Letters and digits of a text in lower case, with dashes between.
pub fn slug(text: &str) -> String {
    let dashed: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .collect();
    dashed
        .split('-')
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join("-")
}

/// A number of times in words: `once`, `3 times`.
pub fn times(n: usize) -> String {
    if n == 1 {
        "once".to_owned()
    } else {
        format!("{n} times")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure<'a>(subject: &'a str, says: &str) -> Failure<'a> {
        Failure {
            subject,
            is_program: false,
            says: says.into(),
        }
    }

    #[test]
    fn a_note_says_when_and_what_to_do() {
        let change = |to: Option<&str>, from: Option<&str>| Fix::Change {
            argument: "window".into(),
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
            like: None,
            added: false,
            removed: false,
        };
        let logs = failure(
            "query_logs",
            "Error: time range exceeds 24 hours, asked for <n> hours",
        );
        assert_eq!(
            logs.note(&change(Some("day"), Some("week"))),
            "# query_logs: time range exceeds 24 hours\n\n- When: `query_logs` answers `Error: \
                time range exceeds 24 hours, asked for <n> hours`.\n\
             - What to do: set `window` to `day`.\n- Example: `window`: `week` fails, `day` \
             works.\n"
        );
        assert!(
            logs.note(&change(None, None))
                .contains("call `query_logs` again with another `window`")
        );
        let phone = failure("find", "Error: phone must be E.164");
        assert!(
            phone
                .note(&change(None, None))
                .contains("change `window` as the answer suggests")
        );
        let missing = Failure {
            subject: "ps",
            is_program: true,
            says: "/bin/sh: 1: ps: not found".into(),
        };
        let instead = Fix::RunInstead("ls /proc".into(), Some("ps aux".into()));
        assert_eq!(
            missing.note(&instead),
            "# ps: not found\n\n- When: `ps` fails with `/bin/sh: 1: ps: not found`.\n- What to \
             do: run `ls /proc` instead of `ps aux`.\n"
        );
    }

    #[test]
    fn titles_say_what_failed() {
        for (subject, says, title) in [
            (
                "pytest",
                "fixture 'mocker' not found",
                "pytest: fixture 'mocker' not found",
            ),
            (
                "git push",
                "fatal: the current branch has no upstream",
                "git push: the current branch has no upstream",
            ),
            (
                "copy",
                "AccessDenied: User etl is not authorized",
                "copy: AccessDenied: User etl is not authorized",
            ),
            (
                "zsh",
                "zsh: <n>: command not found: jq",
                "zsh: command not found: jq",
            ),
            ("book", "Error - no seats (of <n>)", "book: no seats"),
            ("x", "Errors were made", "x: Errors were made"),
            (
                "y",
                "Error 409: hold <n> has expired",
                "y: hold <n> has expired",
            ),
            (
                "aws s3",
                "An error occurred (Expired) when calling the <name> operation: The token has \
                 expired. (RequestId: <id>)",
                "aws s3: The token has expired",
            ),
        ] {
            assert_eq!(failure(subject, says).title(), title);
        }
    }

    #[test]
    fn names_of_people_are_masked_and_names_of_tools_are_not() {
        let masked = |line: &str| without_names(line, false, &|word| word == "Edit");
        assert_eq!(masked("no seat for Anna Li"), "no seat for <name> <name>");
        assert_eq!(
            masked("(6) Could not resolve host"),
            "(6) Could not resolve host"
        );
        assert_eq!(
            masked("File has not been read yet. Read it before Edit."),
            "File has not been read yet. Read it before Edit."
        );
    }

    #[test]
    fn paths_are_free_and_valid() {
        let first = failure("book_it", "").path("Error: not enough seats on flight <id>");
        assert_eq!(first, "/failures/book-it-not-enough-seats-on-flight.md");
        let second = free_path(&first, &BTreeSet::from([first.clone()]));
        assert_eq!(second, "/failures/book-it-not-enough-seats-on-flight-2.md");
        assert!(
            failure("täöl", "")
                .path("漢字")
                .parse::<domain::memory::MemoryPath>()
                .is_ok()
        );
    }
}
