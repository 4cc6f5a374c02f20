//! Duplicates among memories: the same statements in the same order, word for word or but for what
//! carries no meaning.

use std::collections::BTreeMap;

use domain::{changeset::ChangeKind, plural};

use super::{MOST_EDITS, similar::Prepared};
use crate::{
    compose::short,
    types::{Change, Edit, Finding, Memory, Support},
};

/// Every group of memories that say the same.
pub fn find(memories: &[Memory], said: &[Vec<String>], prepared: &[Vec<Prepared>]) -> Vec<Finding> {
    let mut groups: BTreeMap<(bool, Vec<&[String]>), Vec<usize>> = BTreeMap::new();
    for (index, all) in prepared.iter().enumerate() {
        // A statement without words says nothing that could be compared; such a memory is left
        // alone.
        if !all.is_empty() && all.iter().all(|p| !p.key().is_empty()) {
            // Code is the same only if it is, character for character.
            let code = memories[index].content.contains("```");
            let key = if code {
                said[index].iter().map(std::slice::from_ref).collect()
            } else {
                all.iter().map(Prepared::key).collect()
            };
            groups.entry((code, key)).or_default().push(index);
        }
    }
    groups
        .into_values()
        .filter(|same| same.len() > 1)
        .flat_map(|same| merges(same, said, memories))
        .collect()
}

/// Word-for-word copies become one change, however many there are. Copies whose words differ become
/// several changes, each small enough to review; the next dream merges the copies that those
/// changes keep.
fn merges(mut same: Vec<usize>, said: &[Vec<String>], memories: &[Memory]) -> Vec<Finding> {
    // What a person vouched for stays; else the shortest path, which is the most general place.
    same.sort_by_key(|&i| {
        let m = &memories[i];
        (
            !m.frozen,
            !m.by_person,
            m.path.matches('/').count(),
            m.path.len(),
            m.path.clone(),
        )
    });
    let exact = same.iter().all(|&i| said[i] == said[same[0]]);
    let most = if exact { same.len() } else { MOST_EDITS };
    same.chunks(most)
        .enumerate()
        .filter(|(_, part)| part.len() > 1)
        .map(|(n, part)| merge(n, part, exact, said, memories))
        .collect()
}

fn merge(
    number: usize,
    same: &[usize],
    exact: bool,
    said: &[Vec<String>],
    memories: &[Memory],
) -> Finding {
    let (&kept, copies) = same.split_first().unwrap_or((&0, &[]));
    let (kind, confidence_bp) = if exact {
        ("exact_duplicate", 9_900)
    } else {
        ("near_duplicate", 9_500)
    };
    let title = format!(
        "Merge {} of “{}”",
        plural::count(same.len(), "copy"),
        short(&said[kept][0])
    );
    let frozen = copies.iter().any(|&i| memories[i].frozen);
    let removals = copies.iter().map(|&i| Edit {
        memory: Some(i),
        path: memories[i].path.clone(),
        new_path: None,
        content: None,
    });
    let keep = Edit {
        memory: Some(kept),
        path: memories[kept].path.clone(),
        new_path: None,
        content: Some(memories[kept].content.clone()),
    };
    let change = Change {
        kind: ChangeKind::Merge,
        rationale: rationale(exact, same.len(), &memories[kept].path),
        confidence_bp,
        tool_text: false,
        edits: std::iter::once(keep).chain(removals).collect(),
        quotes: Vec::new(),
        gentle: None,
    };
    let support = Support {
        occurrences: same.len(),
        ..Support::default()
    };
    // The changes of one group differ in the copy that they keep, so its path is part of the
    // fingerprint.
    let place = if number == 0 {
        String::new()
    } else {
        format!("\0{}", memories[kept].path)
    };
    let mut finding = Finding::new(kind, &(said[kept].join("\0") + &place), title, support);
    finding.change = Some(change);
    if frozen {
        finding.held_back("more than one of the copies is frozen")
    } else {
        finding
    }
}

fn rationale(exact: bool, count: usize, kept: &str) -> String {
    let memories = plural::count(count, "memory");
    if exact {
        let removed = if count == 2 {
            "the other is"
        } else {
            "the others are"
        };
        return format!(
            "{memories} say the same, statement for statement. `{kept}` is kept and {removed} \
             removed. No statement is lost."
        );
    }
    format!(
        "{memories} say the same, statement for statement; they differ in articles, punctuation, \
            contractions or the case of a first word only. \
         `{kept}` is kept and the others are removed. Their wording is lost, but nothing that they \
         say."
    )
}
