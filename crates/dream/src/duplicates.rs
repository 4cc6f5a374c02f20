//! Exact duplicates among memories: the same statements, word for word and in the same order.

use std::collections::BTreeMap;

use domain::{canonical::sha256_hex, changeset::ChangeKind, plural, statement::statements};

use crate::types::{Change, Disposition, Edit, Finding, Memory, Support};

/// Every group of memories that say exactly the same.
pub fn find(memories: &[Memory]) -> Vec<Finding> {
    let mut groups: BTreeMap<Vec<String>, Vec<usize>> = BTreeMap::new();
    for (index, memory) in memories.iter().enumerate() {
        let said = statements(&memory.content);
        if !said.is_empty() {
            groups.entry(said).or_default().push(index);
        }
    }
    groups.into_iter().filter(|(_, same)| same.len() > 1).map(|(said, same)| merge(&said, same, memories)).collect()
}

fn merge(said: &[String], mut same: Vec<usize>, memories: &[Memory]) -> Finding {
    // What a person vouched for stays; else the shortest path, which is the most general place.
    same.sort_by_key(|&i| {
        let m = &memories[i];
        (!m.frozen, !m.by_person, m.path.matches('/').count(), m.path.len(), m.path.clone())
    });
    let (&kept, copies) = same.split_first().unwrap_or((&0, &[]));
    let fingerprint = sha256_hex(format!("exact_duplicate\0{}", said.join("\0")).as_bytes());
    let title = format!("Merge {} of “{}”", plural::count(same.len(), "copy"), short(&said[0]));
    let frozen = copies.iter().any(|&i| memories[i].frozen);
    let removals = copies.iter().map(|&i| Edit { memory: Some(i), path: memories[i].path.clone(), content: None });
    let keep = Edit { memory: Some(kept), path: memories[kept].path.clone(), content: Some(memories[kept].content.clone()) };
    let change = Change {
        kind: ChangeKind::Merge,
        rationale: format!(
            "{} say the same, statement for statement. `{}` stays as it is; the others go. No statement is lost.",
            plural::count(same.len(), "memory"),
            memories[kept].path
        ),
        confidence_bp: 9_900,
        tool_text: false,
        edits: std::iter::once(keep).chain(removals).collect(),
        quotes: Vec::new(),
    };
    let disposition =
        if frozen { Disposition::HeldBack("more than one of the copies is frozen".to_owned()) } else { Disposition::Proposed };
    let support = Support { occurrences: same.len(), ..Support::default() };
    Finding { kind: "exact_duplicate", fingerprint, title, support, disposition, change: Some(change) }
}

/// A statement for a title: short, and masked, because titles stand in lists and in the history for good.
fn short(text: &str) -> String {
    let text = domain::masking::mask(text);
    if text.chars().count() <= 60 { text } else { text.chars().take(59).chain(['…']).collect() }
}
