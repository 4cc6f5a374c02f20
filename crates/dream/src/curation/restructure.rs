//! Restructuring: a memory that became a book is split at its headings and keeps an index; in a
//! store with many short statements, those about the same are told together in one. Every statement
//! is in the result, word for word and once; nothing is lost.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use domain::{
    changeset::ChangeKind,
    plural,
    statement::{bare, statements},
};

use super::{MOST_EDITS, similar::Prepared};
use crate::{
    compose,
    types::{Change, Edit, Finding, Memory, Support},
};

/// The name of this kind of finding.
pub const KIND: &str = "restructure";
/// Statements of a memory from which on it is split.
const BOOK: usize = 60;
/// Least sections that it must have for that.
const SECTIONS: usize = 3;
/// Most sections that it may have: what has more is no book.
const MOST_SECTIONS: usize = 50;
/// Statements of a store from which on related ones are told together.
const MANY: usize = 100;
/// Changes of this kind in one dream.
const MOST_CHANGES: usize = 5;
/// Least share of statements that this must save to be worth a reviewer's time, in percent.
const WORTH: usize = 10;
/// How alike (share of common trigrams, Dice, in percent) statements are that are told together. At
/// .42 the observations of two conversations of the `LoCoMo` set become 14 and 17 % fewer, and
/// evidence is found among them as well as before.
const RELATED: usize = 42;
/// Statements that begin with the same word and are compared with each other.
const BUCKET: usize = 150;

/// Returns what should be otherwise.
pub fn find(memories: &[Memory], taken: &[String]) -> Vec<Finding> {
    let taken: BTreeSet<String> = memories
        .iter()
        .map(|m| m.path.clone())
        .chain(taken.iter().cloned())
        .collect();
    let mut found: Vec<Finding> = memories
        .iter()
        .enumerate()
        .filter_map(|(i, m)| split(i, m, taken.clone()))
        .collect();
    // One at a time: what is split is not told together in the same dream.
    if found.is_empty() {
        found.extend(together(memories));
    }
    found
}

fn free(memory: &Memory) -> bool {
    !memory.frozen && !memory.by_person
}

/// A section: its heading's words, and its lines with the heading.
type Section<'a> = (Option<&'a str>, Vec<&'a str>);

fn sections(content: &str) -> Vec<Section<'_>> {
    let mut all: Vec<Section> = vec![(None, Vec::new())];
    let (mut fenced, mut title) = (false, true);
    for line in content.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let heading = (!fenced)
            .then(|| line.strip_prefix("## ").or_else(|| line.strip_prefix("# ")))
            .flatten();
        // The first heading is the memory's title, if it is at the top.
        if let Some(heading) = heading.filter(|_| !(title && line.starts_with("# "))) {
            all.push((Some(heading.trim()), Vec::new()));
        }
        title &= line.trim().is_empty();
        if let Some(last) = all.last_mut() {
            last.1.push(line);
        }
    }
    all
}

fn split(index: usize, memory: &Memory, mut taken: BTreeSet<String>) -> Option<Finding> {
    if !free(memory) || memory.content.len() < BOOK * 4 {
        return None;
    }
    let count = statements(&memory.content).len();
    let sections = sections(&memory.content);
    if count < BOOK || sections.len() <= SECTIONS || sections.len() > MOST_SECTIONS {
        return None;
    }
    let stem = memory.path.strip_suffix(".md").unwrap_or(&memory.path);
    let mut edits = Vec::new();
    let largest = largest(&sections[1..]);
    let stays = |n: &usize| !largest.contains(n);
    let mut kept = sections[0].1.join("\n").trim_end().to_owned();
    kept.push_str("\n\n");
    for (_, (heading, lines)) in sections[1..].iter().enumerate().filter(|(n, _)| !stays(n)) {
        let path = compose::free_path(
            &format!("{stem}/{}.md", slug(heading.unwrap_or_default())),
            &taken,
        );
        let _ = writeln!(kept, "- `{path}`");
        edits.push(Edit {
            memory: None,
            path: path.clone(),
            new_path: None,
            content: Some(format!("{}\n", lines.join("\n").trim_end())),
        });
        taken.insert(path);
    }
    // The index is at the top: below a section that stays it would go with it the next time.
    for (_, (_, lines)) in sections[1..].iter().enumerate().filter(|(n, _)| stays(n)) {
        let _ = write!(kept, "\n{}\n", lines.join("\n").trim_end());
    }
    edits.insert(
        0,
        Edit {
            memory: Some(index),
            path: memory.path.clone(),
            new_path: None,
            content: Some(kept.trim_start().to_owned()),
        },
    );
    let title = format!(
        "Split {} into {} with an index",
        memory.path,
        plural::count(edits.len() - 1, "memory")
    );
    let rationale = format!(
        "`{}` holds {} in {}; an agent that needs one of them loads all. Every statement stays, \
         word for word.",
        memory.path,
        plural::count(count, "statement"),
        plural::count(sections.len() - 1, "section")
    );
    Some(finding(&memory.path, title, rationale, edits, count))
}

fn slug(heading: &str) -> String {
    let slug = compose::slug(heading);
    let slug = slug
        .chars()
        .take(60)
        .collect::<String>()
        .trim_matches('-')
        .to_owned();
    if slug.is_empty() {
        "part".to_owned()
    } else {
        slug
    }
}

fn finding(
    name: &str,
    title: String,
    rationale: String,
    edits: Vec<Edit>,
    count: usize,
) -> Finding {
    let mut finding = Finding::new(
        KIND,
        name,
        title,
        Support {
            occurrences: count,
            ..Support::default()
        },
    );
    finding.change = Some(Change {
        kind: ChangeKind::Restructure,
        rationale,
        confidence_bp: 6_000,
        tool_text: false,
        edits,
        quotes: Vec::new(),
        gentle: None,
    });
    finding
}

/// Which sections get a memory of their own: the longest, as many as one change may hold.
fn largest(sections: &[Section]) -> BTreeSet<usize> {
    let mut by_length: Vec<usize> = (0..sections.len()).collect();
    by_length.sort_by_key(|&n| {
        (
            std::cmp::Reverse(sections[n].1.iter().map(|l| l.len()).sum::<usize>()),
            n,
        )
    });
    by_length.into_iter().take(MOST_EDITS - 1).collect()
}

/// A line of a memory that is one statement.
struct Line {
    memory: usize,
    number: usize,
    /// Where its words hold: nothing for one that begins with a name, else its folder and heading.
    scope: String,
    prepared: Prepared,
}

fn lines(memories: &[Memory]) -> Vec<Line> {
    let names = names(memories);
    let mut found = Vec::new();
    // What is one person's stays where it is.
    for (memory, m) in memories
        .iter()
        .enumerate()
        .filter(|(_, m)| free(m) && !m.path.starts_with("/people/"))
    {
        let (mut fenced, mut heading) = (false, "");
        let all: Vec<&str> = m.content.lines().collect();
        for (number, line) in all.iter().enumerate() {
            fenced ^= line.trim_start().starts_with("```");
            if line.starts_with('#') && !fenced {
                heading = line;
            }
            let whole = statements(line);
            // Headings, quotations, code, labelled lines ("When: .."), lines of several sentences
            // and what goes on below stay as they are.
            let plain = !line.starts_with(['#', '>', '|', ' ', '\t']) && !line.contains(['`', ':']);
            let goes_on = all
                .get(number + 1)
                .is_some_and(|next| !next.trim().is_empty() && !next.starts_with(['-', '*', '#']));
            if fenced
                || !plain
                || goes_on
                || whole.len() != 1
                || whole[0].len() > 400
                || whole[0].contains("; ")
                || whole[0].ends_with("..")
            {
                continue;
            }
            let first = whole[0].split(' ').next().unwrap_or_default();
            let folder = m.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let scope = if names.contains(first) {
                String::new()
            } else {
                format!("{folder}\0{heading}")
            };
            found.push(Line {
                memory,
                number,
                scope,
                prepared: Prepared::of(&whole[0]),
            });
        }
    }
    found
}

/// Words that are written with a capital letter inside of statements, too: names, so that a
/// statement that begins with one says whom it is about.
fn names(memories: &[Memory]) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for statement in memories.iter().flat_map(|m| statements(&m.content)) {
        for word in statement.split(' ').skip(1) {
            let word = word
                .trim_matches(|c: char| !c.is_alphanumeric())
                .trim_end_matches("'s");
            if word.len() > 2 && word.chars().next().is_some_and(char::is_uppercase) {
                *seen.entry(word.to_owned()).or_default() += 1;
            }
        }
    }
    seen.into_iter()
        .filter(|(_, n)| *n >= 2)
        .map(|(word, _)| word)
        .collect()
}

/// The best pairs, each line in one at most.
fn pairs(lines: &[Line]) -> Vec<(usize, usize)> {
    let mut buckets: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (n, line) in lines.iter().enumerate() {
        if let Some(first) = line.prepared.key().first() {
            buckets.entry((&line.scope, first)).or_default().push(n);
        }
    }
    let mut scored = Vec::new();
    for bucket in buckets.values() {
        let near = &bucket[..bucket.len().min(BUCKET)];
        for (n, &a) in near.iter().enumerate() {
            let more = near[n + 1..]
                .iter()
                .map(|&b| (lines[a].prepared.common_percent(&lines[b].prepared), a, b));
            // What says the same is double, not related.
            scored.extend(more.filter(|(score, a, b)| {
                *score >= RELATED && lines[*a].prepared.key() != lines[*b].prepared.key()
            }));
        }
    }
    scored.sort_by_key(|&(score, a, b)| (std::cmp::Reverse(score), a, b));
    let mut used = BTreeSet::new();
    let mut chosen: Vec<(usize, usize)> = Vec::new();
    for (_, a, b) in scored {
        if !used.contains(&a) && !used.contains(&b) {
            used.extend([a, b]);
            chosen.push((a, b));
        }
    }
    chosen.sort_unstable();
    chosen
}

/// Pairs that one change can hold, and the memories that it touches.
#[derive(Default)]
struct Batch {
    pairs: Vec<(usize, usize)>,
    memories: BTreeSet<usize>,
}

/// Parts pairs so that each change touches few memories and no two changes the same. What is left
/// waits for the next dream.
fn batches(lines: &[Line], pairs: &[(usize, usize)]) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    let mut done: BTreeSet<usize> = BTreeSet::new();
    let mut open = Batch::default();
    for &(a, b) in pairs {
        let both = [lines[a].memory, lines[b].memory];
        if both.iter().any(|m| done.contains(m)) {
            continue;
        }
        let more = both
            .iter()
            .collect::<BTreeSet<_>>()
            .iter()
            .filter(|m| !open.memories.contains(**m))
            .count();
        if open.memories.len() + more > MOST_EDITS {
            let full = std::mem::take(&mut open);
            done.extend(&full.memories);
            batches.push(full);
            if both.iter().any(|m| done.contains(m)) {
                continue;
            }
        }
        open.memories.extend(both);
        open.pairs.push((a, b));
    }
    batches.extend((!open.pairs.is_empty()).then_some(open));
    batches
}

fn together(memories: &[Memory]) -> Vec<Finding> {
    let total: usize = memories.iter().map(|m| statements(&m.content).len()).sum();
    if total < MANY {
        return Vec::new();
    }
    let lines = lines(memories);
    let pairs = pairs(&lines);
    if pairs.len() * 100 < total * WORTH {
        return Vec::new();
    }
    let mut batches = batches(&lines, &pairs);
    // Those that save most first.
    batches.sort_by_key(|b| std::cmp::Reverse(b.pairs.len()));
    batches
        .iter()
        .take(MOST_CHANGES)
        .map(|batch| told_together(memories, &lines, batch))
        .collect()
}

fn told_together(memories: &[Memory], lines: &[Line], batch: &Batch) -> Finding {
    let split = |&memory: &usize| {
        (
            memory,
            memories[memory]
                .content
                .lines()
                .map(|l| Some(l.to_owned()))
                .collect(),
        )
    };
    let mut text: BTreeMap<usize, Vec<Option<String>>> = batch.memories.iter().map(split).collect();
    for &(a, b) in &batch.pairs {
        let (a, b) = (&lines[a], &lines[b]);
        let moved = text
            .get_mut(&b.memory)
            .and_then(|l| l[b.number].take())
            .unwrap_or_default();
        let said = statements(&moved).pop().unwrap_or_default();
        if let Some(Some(line)) = text.get_mut(&a.memory).map(|l| &mut l[a.number]) {
            *line = format!("{}; {said}", bare(line.trim_end()));
        }
    }
    let edits: Vec<Edit> = text
        .into_iter()
        .map(|(memory, lines)| {
            let content = lines
                .into_iter()
                .flatten()
                .map(|l| l + "\n")
                .collect::<String>();
            let empty = statements(&content).is_empty();
            Edit {
                memory: Some(memory),
                path: memories[memory].path.clone(),
                new_path: None,
                content: (!empty).then_some(content),
            }
        })
        .collect();
    let names: Vec<&str> = edits.iter().map(|e| e.path.as_str()).collect();
    let count = batch.pairs.len() * 2;
    let title = format!(
        "Tell {} about the same together",
        plural::count(count, "statement")
    );
    let rationale = format!(
        "{} in {} become {}: two that begin alike and are about the same are joined in one line. \
         Each is kept, word for word.",
        plural::count(count, "statement"),
        plural::count(names.len(), "memory"),
        count / 2
    );
    finding(&names.join("\0"), title, rationale, edits, count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curation::loss;

    #[test]
    fn a_book_is_split_and_keeps_an_index() {
        let mut book = "# Handbook\n\nRead the part that you need.\n".to_owned();
        for part in ["Refunds", "Bookings", "Seats", "Refunds"] {
            let _ = write!(book, "\n## {part}\n\n");
            for n in 0..20 {
                let at = book.len();
                let _ = writeln!(book, "- {part} rule {n} of part {at}.");
            }
        }
        let memories = [Memory::plain("/handbook.md", &book)];
        let [found] = &find(&memories, &[])[..] else {
            panic!("one finding")
        };
        let change = found.change.as_ref().unwrap();
        let paths: Vec<&str> = change.edits.iter().map(|e| e.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "/handbook.md",
                "/handbook/refunds.md",
                "/handbook/bookings.md",
                "/handbook/seats.md",
                "/handbook/refunds-2.md"
            ]
        );
        let mut after: Vec<String> = change
            .edits
            .iter()
            .flat_map(|e| statements(e.content.as_deref().unwrap()))
            .collect();
        for said in statements(&book) {
            let at = after
                .iter()
                .position(|s| *s == said)
                .unwrap_or_else(|| panic!("{said} is lost"));
            after.remove(at);
        }
        assert!(
            after.iter().all(|s| s.starts_with("`/handbook/")),
            "only the index is new: {after:?}"
        );
        assert_eq!(
            loss::of_change(change, &memories, &std::collections::HashSet::new()),
            loss::Loss::default()
        );
        let after: Vec<Memory> = change
            .edits
            .iter()
            .map(|e| Memory::plain(&e.path, e.content.as_deref().unwrap()))
            .collect();
        assert_eq!(find(&after, &[]), [], "once is enough");
    }

    #[test]
    fn a_person_can_read_each_change() {
        let mut book = "# Handbook\n".to_owned();
        for part in 0..30 {
            let _ = write!(book, "\n## Part {part}\n\n");
            for n in 0..=part {
                let _ = writeln!(
                    book,
                    "- Rule {n} of part {part} says what to do with case {n}."
                );
            }
        }
        let book = [Memory::plain("/handbook.md", &book)];
        let [found] = &find(&book, &[])[..] else {
            panic!("one finding")
        };
        let change = found.change.as_ref().unwrap();
        assert_eq!(change.edits.len(), MOST_EDITS);
        assert!(
            change
                .edits
                .iter()
                .any(|e| e.path == "/handbook/part-29.md"),
            "the longest parts go first"
        );
        assert_eq!(
            loss::of_change(change, &book, &std::collections::HashSet::new()),
            loss::Loss::default()
        );
        // The next dream splits off more sections, and the index keeps the links of the first
        // split.
        let after: Vec<Memory> = change
            .edits
            .iter()
            .map(|e| Memory::plain(&e.path, e.content.as_deref().unwrap()))
            .collect();
        let again = find(&after, &[]);
        let second = again
            .iter()
            .filter_map(|f| f.change.as_ref())
            .find(|c| c.edits[0].path == "/handbook.md")
            .unwrap();
        let index = second.edits[0].content.as_deref().unwrap();
        for edit in change
            .edits
            .iter()
            .chain(&second.edits)
            .filter(|e| e.path != "/handbook.md")
        {
            assert!(
                index.contains(&format!("- `{}`", edit.path)),
                "{} is not in the index",
                edit.path
            );
        }

        let note = |n: usize| {
            let said = (0..6).map(|k| {
                format!(
                    "- Berta likes the {n} o'clock ferry to island {k}.\n- Berta likes the slow \
                     ferry to island {k}.\n"
                )
            });
            Memory::plain(
                &format!("/notes/{n}.md"),
                &format!(
                    "# Note {n}\n\nTold on day {n}.\n\n{}",
                    said.collect::<String>()
                ),
            )
        };
        let notes: Vec<Memory> = (0..60).map(note).collect();
        let found = find(&notes, &[]);
        assert!(
            (2..=MOST_CHANGES).contains(&found.len()),
            "{} changes",
            found.len()
        );
        let mut touched = BTreeSet::new();
        for change in found.iter().filter_map(|f| f.change.as_ref()) {
            assert!(change.edits.len() <= MOST_EDITS);
            assert!(
                change.edits.iter().all(|e| touched.insert(e.memory)),
                "no two changes touch the same memory"
            );
            assert_eq!(
                loss::of_change(change, &notes, &std::collections::HashSet::new()),
                loss::Loss::default()
            );
        }
    }
}
