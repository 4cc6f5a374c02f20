//! Writes the note that a finding proposes: what it is about, when it applies, what to do and why.
//! No counts, ids or names of customers; words that a tool said stand fenced and masked.

use std::collections::BTreeSet;

use crate::recovery::Step;

/// Whether a tool's or argument's name may stand in content: letters, digits, `_`, `-`, `.`, `:`, at most 64.
pub fn is_plain_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
}

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
    let point = point(signature);
    let first = point.split([',', ';', '.', '(']).next().unwrap_or(point).trim();
    format!("{tool} fails: {}", shorten(first, 80))
}

fn shorten(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit { text.to_owned() } else { text.chars().take(limit).chain(['…']).collect() }
}

/// The tool's words as they stand in content: masked, on one line, without what would end the fence.
pub fn fenced(signature: &str) -> String {
    signature.replace('`', "'")
}

/// The argument that a step changes, if it is one.
pub fn argument_of(step: &Step) -> Option<&str> {
    match step {
        Step::Argument(name) => Some(name),
        Step::Tool(_) => None,
    }
}

/// The whole note on a recurring failure.
pub fn failure_note(tool: &str, signature: &str, advice: Option<&(Step, Option<String>)>, arguments: &BTreeSet<&str>) -> String {
    let act = match advice {
        Some((Step::Argument(name), Some(value))) if is_plain_name(name) => {
            format!("call `{tool}` with `{name}` set to `{value}`.")
        }
        Some((Step::Argument(name), None)) if is_plain_name(name) => {
            format!("do not repeat the call unchanged: correct `{name}` and call `{tool}` again.")
        }
        Some((Step::Tool(other), _)) if is_plain_name(other) => {
            format!("call `{other}` first, then `{tool}` again with what it answered.")
        }
        _ => check(tool, signature, arguments),
    };
    let why = if advice.is_some() {
        "this is what worked afterwards for several of those who met the error."
    } else {
        "it keeps coming back for different users or tasks."
    };
    format!(
        "# {}\n\n- When: calling `{tool}`.\n- The tool answered: `{}`\n- What to do: {act}\n- Why: {why}\n",
        title(tool, signature),
        fenced(signature)
    )
}

/// What to check before the call: the arguments that the error's words name, else all of them.
fn check(tool: &str, signature: &str, arguments: &BTreeSet<&str>) -> String {
    let words: BTreeSet<String> = signature.split(|c: char| !c.is_alphanumeric()).map(stem).filter(|w| w.len() > 2).collect();
    let plain: Vec<&str> = arguments.iter().copied().filter(|a| is_plain_name(a)).collect();
    let named: Vec<&str> = plain.iter().copied().filter(|a| a.split(['_', '-', '.']).any(|part| words.contains(&stem(part)))).collect();
    let to_check = if named.is_empty() { plain } else { named };
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
        let arguments = BTreeSet::from(["payment_methods", "user_id", "cabin"]);
        let note = failure_note("book", "Error: payment amount does not add up, total price is <n>", None, &arguments);
        assert!(note.starts_with("# book fails: payment amount does not add up\n"), "{note}");
        assert!(note.contains("check `payment_methods` against"), "{note}");
        let fix = (Step::Argument("format".into()), Some("csv".into()));
        assert!(failure_note("export", "Error: x", Some(&fix), &arguments).contains("with `format` set to `csv`"));
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
