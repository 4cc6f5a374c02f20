//! Statements that stand more than once, in one memory or in several that are no doubles as a
//! whole: the line stays in one place and goes from the others. Lines that say the same but for
//! articles, punctuation and contractions count, as everywhere.

use std::collections::{BTreeMap, BTreeSet};

use domain::{changeset::ChangeKind, plural, statement::statements};

use super::similar;
use crate::{
    compose::short,
    types::{Change, Edit, Finding, Memory, Support},
};

/// Least words of a line that counts: shorter ones are said again on purpose.
const LEAST_WORDS: usize = 3;
/// How lines begin that belong to the notes' own form.
pub const FORM: &[&str] = &[
    "When:",
    "Why:",
    "What to do:",
    "Example:",
    "What worked",
    "The tool answered:",
    "Replaced, no longer true:",
];

/// A line that is one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    memory: usize,
    line: usize,
}

/// Returns what is in several places, but not in memories that are merged as a whole.
pub fn find(memories: &[Memory], merged: &BTreeSet<usize>) -> Vec<Finding> {
    let mut by_key: BTreeMap<Vec<String>, Vec<Place>> = BTreeMap::new();
    for (memory, m) in memories
        .iter()
        .enumerate()
        .filter(|(i, _)| !merged.contains(i))
    {
        for (line, key) in keys(&m.content) {
            by_key.entry(key).or_default().push(Place { memory, line });
        }
    }
    by_key.retain(|_, places| places.len() > 1);
    components(&by_key)
        .into_iter()
        .filter_map(|group| merge(&group, memories))
        .collect()
}

/// Plain lines of one statement, with what says the same in common.
fn keys(content: &str) -> Vec<(usize, Vec<String>)> {
    let mut fenced = false;
    let mut found = Vec::new();
    let all: Vec<&str> = content.lines().collect();
    for (n, line) in all.iter().enumerate() {
        fenced ^= line.trim_start().starts_with("```");
        // What goes on below is no line of its own.
        let goes_on = all
            .get(n + 1)
            .is_some_and(|next| next.starts_with([' ', '\t']) && !next.trim().is_empty());
        if fenced || goes_on || line.starts_with(['#', '>', '|', ' ', '\t', '`']) {
            continue;
        }
        let said = statements(line);
        if let [one] = &said[..]
            && !FORM.iter().any(|f| one.starts_with(f))
        {
            let key = similar::key_of(one);
            if key.len() >= LEAST_WORDS {
                found.push((n, key));
            }
        }
    }
    found
}

/// The keys whose places share memories, because no two changes may touch one memory.
fn components(by_key: &BTreeMap<Vec<String>, Vec<Place>>) -> Vec<Vec<(&Vec<String>, &Vec<Place>)>> {
    let mut groups: Vec<(BTreeSet<usize>, Vec<_>)> = Vec::new();
    for (key, places) in by_key {
        let mut memories: BTreeSet<usize> = places.iter().map(|p| p.memory).collect();
        let mut members = vec![(key, places)];
        let (touching, apart): (Vec<_>, Vec<_>) = groups
            .into_iter()
            .partition(|(of, _)| !of.is_disjoint(&memories));
        groups = apart;
        for (of, more) in touching {
            memories.extend(of);
            members.extend(more);
        }
        groups.push((memories, members));
    }
    let sorted = |mut members: Vec<_>| {
        members.sort();
        members
    };
    groups
        .into_iter()
        .map(|(_, members)| sorted(members))
        .collect()
}

fn merge(group: &[(&Vec<String>, &Vec<Place>)], memories: &[Memory]) -> Option<Finding> {
    let guarded = |m: usize| memories[m].frozen || memories[m].by_person;
    let mut gone: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let mut kept: BTreeSet<usize> = BTreeSet::new();
    let mut told: Vec<String> = Vec::new();
    let mut exact = true;
    for (_, places) in group {
        let mut places = (*places).clone();
        // What a person vouched for stays; else the most general place.
        places.sort_by_key(|p| {
            (
                !guarded(p.memory),
                memories[p.memory].path.matches('/').count(),
                memories[p.memory].path.clone(),
                p.line,
            )
        });
        let said = |p: &Place| {
            memories[p.memory]
                .content
                .lines()
                .nth(p.line)
                .map(|l| statements(l).concat())
                .unwrap_or_default()
        };
        let first = said(&places[0]);
        let others: Vec<Place> = places[1..]
            .iter()
            .filter(|p| !guarded(p.memory))
            .copied()
            .collect();
        if others.is_empty() {
            continue;
        }
        exact &= others.iter().all(|p| said(p) == first);
        kept.insert(places[0].memory);
        for p in others {
            gone.entry(p.memory).or_default().insert(p.line);
        }
        told.push(first);
    }
    let first = told.first()?;
    let touched: BTreeSet<usize> = kept.iter().chain(gone.keys()).copied().collect();
    let edits: Vec<Edit> = touched
        .iter()
        .map(|&m| edit(m, memories, gone.get(&m)))
        .collect();
    let title = match told.len() {
        1 => format!("Keep “{}” in one place", short(first)),
        n => format!(
            "Keep {} like “{}” in one place each",
            plural::count(n, "statement"),
            short(first)
        ),
    };
    let name = group
        .iter()
        .map(|(key, _)| key.join(" "))
        .collect::<Vec<_>>()
        .join("\0");
    let count = gone.values().map(BTreeSet::len).sum::<usize>();
    let mut finding = Finding::new(
        if exact {
            "exact_duplicate"
        } else {
            "near_duplicate"
        },
        &name,
        title,
        Support {
            occurrences: count + told.len(),
            ..Support::default()
        },
    );
    finding.change = Some(Change {
        kind: ChangeKind::Merge,
        rationale: format!(
            "{} in more than one place, {}. {} removed where it is repeated; everything else is \
             kept.",
            match told.len() {
                1 => "It is".to_owned(),
                n => format!("{} are", plural::count(n, "statement")),
            },
            if exact {
                "word for word"
            } else {
                "but for articles, punctuation or contractions"
            },
            match count {
                1 => "One line is".to_owned(),
                n => format!("{} are", plural::count(n, "line")),
            },
        ),
        confidence_bp: if exact { 9_500 } else { 9_000 },
        tool_text: false,
        edits,
        quotes: Vec::new(),
        gentle: None,
    });
    Some(finding)
}

/// The memory without these lines; nothing, if only headings would be left.
fn edit(memory: usize, memories: &[Memory], gone: Option<&BTreeSet<usize>>) -> Edit {
    let m = &memories[memory];
    let lines = m.content.split_inclusive('\n').enumerate();
    let content: String = lines
        .filter(|(n, _)| gone.is_none_or(|g| !g.contains(n)))
        .map(|(_, l)| l)
        .collect();
    let says = content
        .lines()
        .any(|l| !l.starts_with('#') && !statements(l).is_empty());
    Edit {
        memory: Some(memory),
        path: m.path.clone(),
        new_path: None,
        content: says.then_some(content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(memories: &[Memory]) -> Vec<Vec<(String, Option<String>)>> {
        let edits = |f: &Finding| {
            f.change
                .as_ref()
                .unwrap()
                .edits
                .iter()
                .map(|e| (e.path.clone(), e.content.clone()))
                .collect()
        };
        find(memories, &BTreeSet::new()).iter().map(edits).collect()
    }

    #[test]
    fn a_repeated_line_is_kept_once() {
        let a = "# Exports\n\n- Do not export more than two tables.\n- Ask before noon.\n";
        let b = "# Mixed notes\n\n- Refunds need two signatures.\n- Don't export more than two \
            tables!\n";
        let [edits] = &after(&[Memory::plain("/a.md", a), Memory::plain("/x/b.md", b)])[..] else {
            panic!()
        };
        assert_eq!(edits[0], ("/a.md".into(), Some(a.into())));
        assert_eq!(
            edits[1],
            (
                "/x/b.md".into(),
                Some("# Mixed notes\n\n- Refunds need two signatures.\n".into())
            )
        );
        // What a person wrote stays, and the other goes.
        let by_person = Memory {
            by_person: true,
            ..Memory::plain("/x/b.md", b)
        };
        let [edits] = &after(&[Memory::plain("/a.md", a), by_person.clone()])[..] else {
            panic!()
        };
        assert_eq!(
            edits[0].1.as_deref(),
            Some("# Exports\n\n- Ask before noon.\n")
        );
        assert!(
            after(&[
                Memory {
                    by_person: true,
                    ..Memory::plain("/a.md", a)
                },
                by_person
            ])
            .is_empty()
        );
    }

    #[test]
    fn what_differs_or_belongs_to_a_notes_form_is_no_repetition() {
        for (a, b) in [
            (
                "- Do not export more than two tables.",
                "- Do not export more than three tables.",
            ),
            (
                "- Why: it keeps coming back for different users.",
                "- Why: it keeps coming back for different users.",
            ),
            ("- Ask first.", "- Ask first."),
            (
                "```\nrm -rf the old build folder\n```",
                "```\nrm -rf the old build folder\n```",
            ),
        ] {
            let memories = [
                Memory::plain("/a.md", &format!("# A\n\n{a}\n- One more thing here.\n")),
                Memory::plain(
                    "/b.md",
                    &format!("# B\n\n{b}\n- Another thing stands here.\n"),
                ),
            ];
            assert!(after(&memories).is_empty(), "{a} / {b}");
        }
        let [edits] = &after(&[Memory::plain(
            "/a.md",
            "# A\n\n- Keep the tone of replies friendly, please.\n- Other.\n- Keep the tone of \
             replies friendly.\n",
        )])[..] else {
            panic!()
        };
        assert_eq!(
            edits[0].1.as_deref(),
            Some("# A\n\n- Keep the tone of replies friendly, please.\n- Other.\n")
        );
    }
}
