//! Errors of one tool that are one failure: a tree as in Drain (He et al., ICWS 2017) — by number
//! of words, then by the first words — with small groups in its leaves, whose members differ in few
//! words. Unlike Drain's, a group does not depend on the order in which the lines came: members of
//! a leaf that are close are linked, and links carry on.

use std::collections::BTreeMap;

/// Words that lead to a leaf.
const LEADING: usize = 2;
/// Least words of lines that may be grouped: in shorter ones every word counts.
const LEAST_WORDS: usize = 4;
/// Lines of a leaf that are compared with each other: more distinct ones are no failure that
/// recurs.
const LEAF: usize = 200;
/// Words that turn a line into another failure.
const TURNING: &[&str] = &[
    "not", "no", "never", "without", "already", "only", "before", "after", "on", "off", "in",
    "out", "up", "down", "above", "below", "over", "under", "more", "less", "too", "min", "max",
    "minimum", "maximum", "read", "write", "start", "end", "from", "to", "missing", "unknown",
];

/// The groups of distinct lines, by index into them.
pub fn group(lines: &[&str]) -> Vec<Vec<usize>> {
    let words: Vec<Vec<&str>> = lines.iter().map(|l| split(l)).collect();
    let mut leaves: BTreeMap<(usize, Vec<&str>), Vec<usize>> = BTreeMap::new();
    for (i, w) in words.iter().enumerate() {
        leaves
            .entry((w.len(), w.iter().take(LEADING).copied().collect()))
            .or_default()
            .push(i);
    }
    let mut groups = Vec::new();
    for mut leaf in leaves.into_values() {
        leaf.sort_by_key(|&i| lines[i]);
        groups.extend(linked(&leaf, &words));
    }
    groups
}

fn linked(leaf: &[usize], words: &[Vec<&str>]) -> Vec<Vec<usize>> {
    let mut root: Vec<usize> = (0..leaf.len()).collect();
    for a in 0..leaf.len().min(LEAF) {
        for b in a + 1..leaf.len().min(LEAF) {
            if close(&words[leaf[a]], &words[leaf[b]]) {
                link(&mut root, a, b);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (n, &line) in leaf.iter().enumerate() {
        groups.entry(root_of(&root, n)).or_default().push(line);
    }
    groups.into_values().collect()
}

/// The first member of the group that an element is in.
pub fn root_of(root: &[usize], mut i: usize) -> usize {
    while root[i] != i {
        i = root[i];
    }
    i
}

/// Makes one group of two elements' groups.
pub fn link(root: &mut [usize], a: usize, b: usize) {
    let (x, y) = (root_of(root, a), root_of(root, b));
    root[x.max(y)] = x.min(y);
}

/// Words, with a mask of several words (`<flight number>`) as one.
fn split(line: &str) -> Vec<&str> {
    let (mut words, mut start, mut masked) = (Vec::new(), 0, false);
    for (at, c) in line.char_indices() {
        match c {
            '<' => masked = true,
            '>' => masked = false,
            ' ' if !masked => {
                words.push(&line[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    words.push(&line[start..]);
    words
}

/// At most half of the words differ, at most a fifth are plain words that differ, and none of them
/// turns the meaning.
fn close(a: &[&str], b: &[&str]) -> bool {
    if a.len() != b.len() || a.len() < LEAST_WORDS {
        return false;
    }
    let (mut differ, mut plain) = (0, 0);
    for (x, y) in a.iter().zip(b).filter(|(x, y)| x != y) {
        let turns = |w: &str| TURNING.contains(&w.to_lowercase().as_str());
        if turns(x) || turns(y) {
            return false;
        }
        differ += 1;
        let is_plain = |w: &str| {
            w.chars()
                .all(|c| c.is_lowercase() || matches!(c, '.' | ',' | ':' | '_'))
        };
        plain += usize::from(is_plain(x) && is_plain(y));
    }
    differ * 2 <= a.len() && plain * 5 <= a.len()
}

/// Returns what the lines of a group have in common; what differs is masked.
pub fn template(lines: &[&str]) -> String {
    let mut lines = lines.iter().map(|l| split(l));
    let mut common: Vec<String> = lines
        .next()
        .unwrap_or_default()
        .into_iter()
        .map(str::to_owned)
        .collect();
    for words in lines {
        for (kept, _) in common
            .iter_mut()
            .zip(words)
            .filter(|(k, w)| k.as_str() != *w)
        {
            "<value>".clone_into(kept);
        }
    }
    common.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(lines: &[&str]) -> Vec<Vec<String>> {
        let mut all: Vec<Vec<String>> = group(lines)
            .into_iter()
            .map(|g| {
                let mut g: Vec<String> = g.into_iter().map(|i| lines[i].to_owned()).collect();
                g.sort();
                g
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn what_differs_in_a_value_is_one_failure() {
        let lines = [
            "Error: cabin economy is not offered",
            "Error: cabin business is not offered",
            "Error: cabin economy is not sold out",
        ];
        let found = groups(&lines);
        assert_eq!(found.len(), 2, "{found:?}");
        let of = group(&lines).into_iter().find(|g| g.len() == 2).unwrap();
        let members: Vec<&str> = of.iter().map(|&i| lines[i]).collect();
        assert_eq!(template(&members), "Error: cabin <value> is not offered");
        assert_eq!(
            groups(&[
                "Error: user Mia Li has no card",
                "Error: user Bo Chen has no card"
            ])
            .len(),
            1
        );
    }

    #[test]
    fn what_differs_in_what_it_says_is_not() {
        for (a, b) in [
            (
                "Error: not enough seats left",
                "Error: not enough balance left now",
            ),
            ("Error: file is already open", "Error: file is not open"),
            (
                "Error: retry before the window",
                "Error: retry after the window",
            ),
            ("disk full", "disk gone"),
        ] {
            assert_eq!(groups(&[a, b]).len(), 2, "{a} / {b}");
        }
    }

    proptest::proptest! {
        #[test]
        fn order_does_not_matter(lines in proptest::collection::hash_set("(Error: )?[ab]{1} \
            [ab]{1} (not |[A-C] )?[a-c]{1} [ab] <[ab ]{1,3}>", 0..12)) {
            let lines: Vec<String> = lines.into_iter().collect();
            let forward: Vec<&str> = lines.iter().map(String::as_str).collect();
            let back: Vec<&str> = forward.iter().rev().copied().collect();
            proptest::prop_assert_eq!(groups(&forward), groups(&back));
        }
    }
}
