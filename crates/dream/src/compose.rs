//! Writes the note that a finding proposes: what it is about, when it applies, what to do and why.
//! No counts, ids or names of customers; words that a tool said stand fenced and masked.

use std::collections::BTreeSet;

use crate::{findings::Step, reading::is_plain_name};

/// What the signature says, without a leading `Error:`.
fn point(signature: &str) -> &str {
    let rest = match signature.get(..5) {
        Some(start) if start.eq_ignore_ascii_case("error") => &signature[5..],
        _ => signature,
    };
    rest.trim_start_matches([':', ' ', '-'])
}

/// The note's title.
pub fn title(tool: &str, signature: &str) -> String {
    format!("{tool} fails: {}", first_part(signature))
}

/// What the signature says up to its first comma, shortened.
fn first_part(signature: &str) -> String {
    let point = point(signature);
    shorten(point.split([',', ';', '.', '(']).next().unwrap_or(point).trim(), 80)
}

fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit { text.to_owned() } else { text.chars().take(limit).chain(['…']).collect() }
}

/// The tool's words as they stand in content: masked, on one line, without what would end the fence.
pub fn fenced(signature: &str) -> String {
    signature.replace('`', "'")
}

/// The signature with names masked that may be a customer's: words with a large first letter, but for the first one.
pub fn without_names(signature: &str, are_known: bool) -> String {
    let lead = signature.len() - point(signature).len();
    let mut first = true;
    let word = |w: &str| {
        let core = w.trim_matches(|c: char| !c.is_alphanumeric());
        let name = core.chars().next().is_some_and(char::is_uppercase) && core.chars().any(char::is_lowercase);
        let masked = name && !first && !are_known;
        first = false;
        if masked { w.replacen(core, "<name>", 1) } else { w.to_owned() }
    };
    let rest: Vec<String> = signature[lead..].split(' ').map(word).collect();
    format!("{}{}", &signature[..lead], rest.join(" "))
}

/// A statement for a title: short, and masked, because titles stand in lists and in the history for good.
pub fn short(text: &str) -> String {
    let text = domain::masking::mask(text);
    if text.chars().count() <= 60 { text } else { text.chars().take(59).chain(['…']).collect() }
}

/// Whether a text names a tool: as a word of its own, not as a part of another one.
pub fn names(text: &str, tool: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(tool).any(|(at, _)| !text[..at].ends_with(part) && !text[at + tool.len()..].starts_with(part))
}

/// The shortest name of a file that says something, in letters.
const SHORTEST: usize = 3;

/// A path for a note in one of the usual folders: `/<folder>/<words>.md`.
pub fn file(folder: &str, text: &str) -> String {
    let name: String = slug(text).chars().take(60).collect();
    let name = name.trim_end_matches('-');
    // A text in another script leaves no letters: its hash tells it from others.
    let other = || format!("note-{:08x}", crate::reading::hash(text.as_bytes()) >> 32);
    format!("/{folder}/{}.md", if name.len() < SHORTEST { other() } else { name.to_owned() })
}

/// The whole note on a recurring failure. What worked is a line of its own, so that learning it loses nothing of the note.
pub fn failure_note(tool: &str, signature: &str, advice: Option<&(Step, Option<String>)>, arguments: &Arguments) -> String {
    let worked = match advice {
        Some((Step::Argument(name), Some(value))) if is_plain_name(name) => {
            Some(format!("calling `{tool}` with `{name}` set to `{value}`."))
        }
        Some((Step::Argument(name), None)) if is_plain_name(name) => Some(format!("correcting `{name}` and calling `{tool}` again.")),
        Some((Step::Tool(other), _)) if is_plain_name(other) => {
            Some(format!("calling `{other}` first, then `{tool}` again with what it answered."))
        }
        _ => None,
    };
    let worked = worked.map(|w| format!("- What worked afterwards: {w}\n")).unwrap_or_default();
    format!(
        "# {tool} fails: `{}`\n\n- When: calling `{tool}`.\n- The tool answered: `{}`\n- What to do: {}\n{worked}- Why: it keeps coming back for different users or tasks.\n",
        fenced(&first_part(signature)),
        fenced(signature),
        check(tool, signature, arguments),
    )
}

/// The arguments of calls that failed, as at least two subjects call them.
#[derive(Debug, Default)]
pub struct Arguments<'a> {
    /// All of them.
    pub all: BTreeSet<&'a str>,
    /// Those that several changed at their next try.
    pub changed: BTreeSet<&'a str>,
}

/// What to check before the call: the arguments that several changed at their next try, else those that the error's words name, else all.
fn check(tool: &str, signature: &str, arguments: &Arguments) -> String {
    let words: BTreeSet<String> = signature.split(|c: char| !c.is_alphanumeric()).map(stem).filter(|w| w.len() > 2).collect();
    let plain: Vec<&str> = arguments.all.iter().copied().filter(|a| is_plain_name(a)).collect();
    let changed: Vec<&str> = arguments.changed.iter().copied().filter(|a| is_plain_name(a)).collect();
    let named: Vec<&str> = plain.iter().copied().filter(|a| a.split(['_', '-', '.']).any(|part| words.contains(&stem(part)))).collect();
    let to_check = [changed, named, plain].into_iter().find(|list| !list.is_empty()).unwrap_or_default();
    if to_check.is_empty() {
        return format!("before calling `{tool}`, check what the answer names, and do not repeat the call unchanged.");
    }
    let list: Vec<String> = to_check.iter().take(5).map(|a| format!("`{a}`")).collect();
    format!("before calling `{tool}`, check {} against what the answer names, and do not repeat the call unchanged.", list.join(", "))
}

/// A word without its plural `s`, lower case: enough to see that `payments` and `payment` are one.
fn stem(word: &str) -> String {
    let lower = word.to_lowercase();
    lower.strip_suffix('s').unwrap_or(&lower).to_owned()
}

/// Where the note should go: `/failures/<tool>-<words>.md`.
pub fn path(tool: &str, signature: &str) -> String {
    let words = slug(point(signature));
    let words: Vec<&str> = words.split('-').filter(|w| !w.is_empty()).take(6).collect();
    let base: String = format!("/failures/{}-{}", slug(tool), words.join("-")).chars().take(100).collect();
    format!("{}.md", base.trim_end_matches('-'))
}

/// The path, with a number before `.md` where it is taken.
pub fn free_path(path: &str, taken: &BTreeSet<String>) -> String {
    let base = path.strip_suffix(".md").unwrap_or(path);
    let numbered = (2..).map(|n| format!("{base}-{n}.md"));
    std::iter::once(path.to_owned()).chain(numbered).find(|p| !taken.contains(p)).unwrap_or_default()
}

/// Letters and digits of a text in lower case, with dashes between.
pub fn slug(text: &str) -> String {
    let dashed: String = text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    dashed.split('-').filter(|w| !w.is_empty()).collect::<Vec<_>>().join("-")
}

/// `once`, `3 times`.
pub fn times(n: usize) -> String {
    if n == 1 { "once".to_owned() } else { format!("{n} times") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_when_what_and_why() {
        let mut arguments = Arguments { all: BTreeSet::from(["payment_methods", "user_id", "cabin"]), ..Arguments::default() };
        let note = failure_note("book", "Error: payment amount does not add up, total price is <n>", None, &arguments);
        assert!(note.starts_with("# book fails: `payment amount does not add up`\n"), "{note}");
        assert!(note.contains("check `payment_methods` against"), "{note}");
        arguments.changed.insert("cabin");
        assert!(failure_note("book", "Error: payment is off", None, &arguments).contains("check `cabin` against"));
        let fix = (Step::Argument("format".into()), Some("csv".into()));
        assert!(
            failure_note("export", "Error: x", Some(&fix), &arguments)
                .contains("worked afterwards: calling `export` with `format` set to `csv`.")
        );
    }

    #[test]
    fn paths_are_free_and_valid() {
        let first = path("book_it", "Error: not enough seats on flight <id>");
        assert_eq!(first, "/failures/book-it-not-enough-seats-on-flight-id.md");
        let second = free_path(&first, &BTreeSet::from([first.clone()]));
        assert_eq!(second, "/failures/book-it-not-enough-seats-on-flight-id-2.md");
        assert!(path("täöl", "漢字").parse::<domain::memory::MemoryPath>().is_ok());
    }
}
