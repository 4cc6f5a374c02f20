//! What an agent loads at the start of a session: whole memories within a budget of tokens, then
//! the titles of the rest, then how much was left out. The same memories and budget give the same
//! text, byte for byte.

use std::{collections::BTreeSet, fmt::Write};

/// Bytes of UTF-8 that count as one token: a fixed rule, so that a budget means the same
/// everywhere.
pub const BYTES_PER_TOKEN: usize = 4;
/// The budget where nobody names one.
pub const DEFAULT_BUDGET: i64 = 2_000;
/// Least budget: the heading and the closing line fit.
pub const LEAST_BUDGET: i64 = 100;
/// Largest budget: what all memories of a store could hold.
pub const LARGEST_BUDGET: i64 = 1_000_000;
/// The rule, as every answer says it.
pub const TOKEN_RULE: &str = "a token is 4 bytes of UTF-8, rounded up";
/// The heading above the titles.
const TITLES: &str = "\n## Known too, by title\n\n";
/// Before the memories that others replaced.
const SUPERSEDED: &str = "\n## No longer current\n\n";
/// Longest title of a memory, in characters.
const TITLE_CHARS: usize = 80;
/// Room that is kept for the closing line, in bytes.
const CLOSING_BYTES: usize = 80;
/// Longest heading, in bytes: a store's name may be long, and the least budget still holds.
const HEADING_BYTES: usize = 200;
/// Share of an error's words that a memory must hold to be about that error, in percent.
const SAME_ERROR_PERCENT: usize = 60;

/// Tokens of a text.
#[must_use]
pub fn tokens(text: &str) -> i64 {
    i64::try_from(text.len().div_ceil(BYTES_PER_TOKEN)).unwrap_or(i64::MAX)
}

/// Most bytes of so many tokens.
#[must_use]
pub fn bytes(tokens: i64) -> i64 {
    tokens.saturating_mul(i64::try_from(BYTES_PER_TOKEN).unwrap_or(1))
}

/// A committed memory, as a briefing takes it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known<'a> {
    pub path: &'a str,
    /// What it says, or how it begins.
    pub content: &'a str,
    /// True if that is all of it.
    pub whole: bool,
    /// True if only a person may change it.
    pub frozen: bool,
    /// Distinct subjects, else tasks, else sessions behind it; 0 where nobody counted.
    pub support: i64,
}

/// A briefing; the indices are those of the memories that were given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Briefing {
    /// The whole as Markdown.
    pub text: String,
    /// Memories that are in it whole, in order.
    pub whole: Vec<usize>,
    /// Memories of which only the title is in it, in order.
    pub titles: Vec<usize>,
    /// Memories of which not even the title fits.
    pub left_out: Vec<usize>,
}

/// A memory by everything but what it says, for choosing whose contents are worth reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<'a> {
    pub path: &'a str,
    /// Size of the content, in bytes.
    pub bytes: usize,
    /// True if only a person may change it.
    pub frozen: bool,
    /// Distinct subjects, else tasks, else sessions behind it; 0 where nobody counted.
    pub support: i64,
}

/// The memories that can have a place in a briefing of this budget, whole or by title, in the order
/// of [`compose`]; and how many more are for this agent. Sizes are taken without a last line end,
/// as [`compose`] does.
#[must_use]
pub fn choose(
    agent: Option<&str>,
    budget: i64,
    candidates: &[Candidate<'_>],
) -> (Vec<usize>, usize) {
    let mut room = usize::try_from(bytes(budget))
        .unwrap_or(0)
        .saturating_sub(CLOSING_BYTES);
    let mut order: Vec<usize> = (0..candidates.len())
        .filter(|&i| is_for(candidates[i].path, agent))
        .collect();
    order.sort_by_key(|&i| {
        (
            !candidates[i].frozen,
            -candidates[i].support,
            candidates[i].path,
        )
    });
    let all = order.len();
    let (mut chosen, mut rest) = (Vec::new(), Vec::new());
    for i in order {
        let section =
            candidates[i].path.len() + candidates[i].bytes.saturating_sub(1) + "\n## \n\n\n".len();
        if section <= room {
            room -= section;
            chosen.push(i);
        } else {
            rest.push(i);
        }
    }
    for i in rest {
        let line = candidates[i].path.len() + "- : .\n".len();
        if line > room {
            break;
        }
        room -= line;
        chosen.push(i);
    }
    let more = all - chosen.len();
    (chosen, more)
}

/// Composes a briefing of at most `budget` tokens; `more` memories are known beside those given,
/// and have no place in it. Frozen memories come first, then the best supported, then by path; one
/// that does not fit any more is among the titles. What is under `/agents/<name>` is for
/// that agent only.
#[must_use]
pub fn compose(
    title: &str,
    agent: Option<&str>,
    budget: i64,
    memories: &[Known<'_>],
    more: usize,
) -> Briefing {
    let budget = usize::try_from(bytes(budget)).unwrap_or(0);
    let mut order: Vec<usize> = (0..memories.len())
        .filter(|&i| is_for(memories[i].path, agent))
        .collect();
    order.sort_by_key(|&i| (!memories[i].frozen, -memories[i].support, memories[i].path));
    let cut = (0..=title.len().min(HEADING_BYTES))
        .rev()
        .find(|&n| title.is_char_boundary(n))
        .unwrap_or(0);
    let mut text = format!("# {}\n", &title[..cut]);
    let room = |text: &str, more: usize| text.len() + more + CLOSING_BYTES <= budget;
    let (mut whole, mut rest) = (Vec::new(), Vec::new());
    for i in order {
        let section = format!(
            "\n## {}\n\n{}\n",
            memories[i].path,
            memories[i].content.trim_end()
        );
        if memories[i].whole && room(&text, section.len()) {
            text.push_str(&section);
            whole.push(i);
        } else {
            rest.push(i);
        }
    }
    let (mut titles, mut left_out) = (Vec::new(), Vec::new());
    for i in rest {
        let line = format!(
            "- {}: {}\n",
            memories[i].path,
            title_of(memories[i].content)
        );
        let heading = if titles.is_empty() { TITLES } else { "" };
        if room(&text, heading.len() + line.len()) {
            text.push_str(heading);
            text.push_str(&line);
            titles.push(i);
        } else {
            left_out.push(i);
        }
    }
    let unnamed = left_out.len() + more;
    if titles.len() + unnamed > 0 {
        let _ = writeln!(
            text,
            "\nNot shown for lack of room: {} whole, {unnamed} not even by title.",
            titles.len() + unnamed
        );
    }
    Briefing {
        text,
        whole,
        titles,
        left_out,
    }
}

/// Adds lines about the memories that others replaced to a briefing, as far as its budget has room.
pub fn add_superseded(text: &mut String, budget: i64, lines: impl IntoIterator<Item = String>) {
    let budget = usize::try_from(bytes(budget)).unwrap_or(0);
    let mut heading = SUPERSEDED;
    for line in lines {
        if text.len() + heading.len() + line.len() > budget {
            return;
        }
        text.push_str(heading);
        text.push_str(&line);
        heading = "";
    }
}

/// True if a memory is for this agent: what is under `/agents/<name>` is for that one only.
#[must_use]
pub fn is_for(path: &str, agent: Option<&str>) -> bool {
    match path
        .strip_prefix("/agents/")
        .and_then(|rest| rest.split_once('/'))
    {
        Some((name, _)) => agent == Some(name),
        None => true,
    }
}

/// The first line that says something, without the marks of a heading, at most 80 characters.
#[must_use]
pub fn title_of(content: &str) -> String {
    let line = content
        .lines()
        .map(|l| l.trim_start_matches(['#', '-', '*', ' ']).trim())
        .find(|l| !l.is_empty())
        .unwrap_or("(empty)");
    if line.chars().count() <= TITLE_CHARS {
        line.to_owned()
    } else {
        line.chars().take(TITLE_CHARS).chain(['…']).collect()
    }
}

/// The memories that are about a failure of a tool, best match first: they name the tool, and hold
/// most words of the error, which is given as its signature (what changes from case to case
/// masked). Empty texts ask for nothing.
#[must_use]
pub fn about_failure(tool: &str, signature: &str, memories: &[Known<'_>]) -> Vec<usize> {
    let wanted = words(signature);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (i, memory) in memories.iter().enumerate() {
        let said = words(memory.content);
        let names_tool = tool.is_empty() || said.contains(&tool.to_lowercase());
        let held = wanted.iter().filter(|w| said.contains(*w)).count();
        let is_same = held * 100 >= wanted.len() * SAME_ERROR_PERCENT;
        if names_tool && is_same && !(tool.is_empty() && wanted.is_empty()) {
            found.push((held, i));
        }
    }
    found.sort_by_key(|&(held, i)| {
        (
            std::cmp::Reverse(held),
            -memories[i].support,
            memories[i].path,
        )
    });
    found.into_iter().map(|(_, i)| i).collect()
}

/// Words of two characters and more, lower case; masks as `<id>` are none.
fn words(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let unmasked = text
        .split('<')
        .map(|piece| piece.split_once('>').map_or(piece, |(_, rest)| rest))
        .collect::<Vec<_>>()
        .join(" ");
    let words = unmasked
        .split(|c: char| !is_part(c))
        .map(|w| w.trim_matches(['.', '-']).to_lowercase());
    words
        .filter(|w| w.chars().count() > 1 && w != "error")
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known<'a>(path: &'a str, content: &'a str, frozen: bool, support: i64) -> Known<'a> {
        Known {
            path,
            content,
            whole: true,
            frozen,
            support,
        }
    }

    #[test]
    fn frozen_then_supported_then_titles() {
        let long = "x".repeat(300);
        let memories = [
            known("/a", "# A\n\nplain", false, 1),
            known("/b", &long, false, 9),
            known("/c", "fixed", true, 0),
            known("/d", "# D", false, 5),
        ];
        let all = compose("T", None, 2_000, &memories, 0);
        assert_eq!(
            (all.whole, all.titles.len(), all.left_out.len()),
            (vec![2, 1, 3, 0], 0, 0)
        );
        let little = compose("T", None, 100, &memories, 0);
        assert_eq!(
            (little.whole.clone(), little.titles.clone()),
            (vec![2, 3, 0], vec![1]),
            "{}",
            little.text
        );
        assert!(
            little.text.contains("- /b: xxx")
                && little.text.contains("1 whole, 0 not even by title"),
            "{}",
            little.text
        );
        assert!(tokens(&little.text) <= 100);
    }

    #[test]
    fn what_is_another_agents_stays_out() {
        let memories = [
            known("/agents/bo/x", "bo", false, 0),
            known("/agents/al/x", "al", false, 0),
            known("/agents", "all", false, 0),
        ];
        assert_eq!(compose("T", Some("bo"), 2_000, &memories, 0).whole, [2, 0]);
        assert_eq!(compose("T", None, 2_000, &memories, 0).whole, [2]);
    }

    #[test]
    fn a_failure_finds_its_note() {
        let memories = [
            known(
                "/book",
                "# book fails: not enough seats\n\n- When: calling `book`.\n- The tool answered: \
                 `Error: not enough seats on flight <id>`",
                false,
                2,
            ),
            known(
                "/search",
                "# search fails\n\ncalling `search`: not enough results",
                false,
                2,
            ),
        ];
        assert_eq!(
            about_failure("book", "Error: not enough seats on flight <id>", &memories),
            [0]
        );
        assert_eq!(
            about_failure("", "not enough seats on flight <id>", &memories),
            [0]
        );
        assert_eq!(about_failure("search", "", &memories), [1]);
        assert!(
            about_failure("", "", &memories).is_empty()
                && about_failure("pay", "card declined", &memories).is_empty()
        );
    }

    proptest! {
        #[test]
        fn never_over_budget_and_nothing_lost(contents in prop::collection::vec("[a-zé\n#]{0,200}", 0..12), budget in LEAST_BUDGET..400) {
            let paths: Vec<String> = (0..contents.len()).map(|n| format!("/p{n}")).collect();
            let memories: Vec<Known<'_>> = contents.iter().zip(&paths).map(|(c, p)| known(p, c, c.len() % 3 == 0, tokens(c) % 5)).collect();
            let briefing = compose(&"Ä".repeat(300), None, budget, &memories, 0);
            prop_assert!(tokens(&briefing.text) <= budget, "{} > {budget}", tokens(&briefing.text));
            let mut every = [briefing.whole, briefing.titles, briefing.left_out].concat();
            every.sort_unstable();
            prop_assert_eq!(every, (0..memories.len()).collect::<Vec<_>>());
            // What is chosen before it is read stays in the budget, and counts what it leaves.
            let candidates: Vec<Candidate<'_>> = memories
                .iter()
                .map(|m| Candidate { path: m.path, bytes: m.content.len(), frozen: m.frozen, support: m.support })
                .collect();
            let (chosen, more) = choose(None, budget, &candidates);
            let read: Vec<Known<'_>> = chosen.iter().map(|&i| memories[i].clone()).collect();
            let briefing = compose("T", None, budget, &read, more);
            prop_assert!(tokens(&briefing.text) <= budget);
            prop_assert_eq!(briefing.whole.len() + briefing.titles.len() + briefing.left_out.len() + more, memories.len());
            let ample = choose(None, 4_000, &candidates).0.iter().map(|&i| memories[i].clone()).collect::<Vec<_>>();
            prop_assert_eq!(compose("T", None, 4_000, &ample, 0).text, compose("T", None, 4_000, &memories, 0).text);
        }
    }
}
