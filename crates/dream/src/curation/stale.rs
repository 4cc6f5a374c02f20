//! Stale memories: about a tool that was used in many sessions since, unchanged for a month, and
//! read by nobody. Where nobody records what agents read, or nobody knows when the memory was
//! written, nothing is called stale.

use std::collections::BTreeSet;

use domain::changeset::ChangeKind;

use crate::{
    compose,
    types::{Change, Edit, Finding},
    window::Window,
};

/// The name of this kind of finding.
pub const KIND: &str = "stale";
/// Sessions in which the memory could have applied.
const SESSIONS: usize = 50;
/// Days without a change.
const DAYS: i64 = 30;
/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// Memories that nobody needed though they could have applied.
pub fn find(window: &Window) -> Vec<Finding> {
    let Some(now) = window.now() else {
        return Vec::new();
    };
    let tools: BTreeSet<&str> = window
        .sessions()
        .flat_map(|(_, s)| s.features.firsts.iter().map(|f| f.tool.as_str()))
        .collect();
    let recorded = window
        .input
        .memories
        .iter()
        .any(|m| m.reads.is_some_and(|n| n > 0));
    let memories = window.input.memories.iter().enumerate();
    let unread = memories.filter(|(_, m)| {
        recorded
            && m.reads == Some(0)
            && !m.frozen
            && m.updated_at.is_some_and(|at| now - at >= DAYS * DAY)
    });
    let finding = |(index, memory): (usize, &crate::Memory)| {
        let named: Vec<&&str> = tools
            .iter()
            .filter(|t| t.len() > 3 && compose::names(&memory.content, t))
            .collect();
        let since = memory.updated_at?;
        let could = window.sessions().filter(|(_, s)| {
            s.head.at.is_some_and(|at| at > since)
                && s.features
                    .firsts
                    .iter()
                    .any(|f| named.iter().any(|t| **t == f.tool))
        });
        let mut support = window.support(could.map(|(i, _)| i));
        support.eligible = support.sessions;
        if support.sessions < SESSIONS {
            return None;
        }
        let mut finding = Finding::new(
            KIND,
            &format!("{}\0{}", memory.path, memory.content),
            format!("Stale: {}", memory.path),
            support,
        );
        finding.change = Some(Change {
            kind: ChangeKind::Remove,
            rationale: format!(
                "It names {}, which {} sessions used since it was last written {} days ago; no \
                 agent read it in the last {DAYS} days.",
                named
                    .iter()
                    .take(3)
                    .map(|t| format!("`{t}`"))
                    .collect::<Vec<_>>()
                    .join(", "),
                finding.support.sessions,
                (now - since) / DAY
            ),
            confidence_bp: 5_500,
            tool_text: false,
            edits: vec![Edit {
                memory: Some(index),
                path: memory.path.clone(),
                new_path: None,
                content: None,
            }],
            quotes: Vec::new(),
            gentle: None,
        });
        Some(finding)
    };
    unread.filter_map(finding).collect()
}
