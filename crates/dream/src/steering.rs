//! What anyone who asks for a dream tells it, as far as the builtin engine heeds it: sentences that
//! leave out or ask only for kinds of findings and tools. A model reads the whole text.

use std::collections::BTreeSet;

use domain::statement::statements;

use crate::types::{Finding, Input};

/// Words for the kinds of findings.
const KINDS: &[(&str, &[&str])] = &[
    ("recurring_failure", &["failure", "error", "failing"]),
    ("workflow", &["workflow", "procedure", "order of steps"]),
    ("workflow_gone", &["workflow", "procedure"]),
    (
        "standing_instruction",
        &["preference", "instruction", "rule"],
    ),
    ("fact_changed", &["fact", "value"]),
    ("exact_duplicate", &["duplicate", "double", "merge"]),
    ("near_duplicate", &["duplicate", "double", "merge"]),
    ("restructure", &["restructur", "split", "regroup"]),
    ("stale", &["stale", "unread"]),
    ("expired", &["expired", "expiry"]),
    ("model_candidate", &["candidate"]),
];
/// How a sentence leaves something out.
const OUT: &[&str] = &[
    "ignore",
    "skip",
    "leave out",
    "without",
    "except",
    "not interested in",
    "do not propose",
    "don't propose",
    "no more",
];
/// How a sentence asks for something only.
const ONLY: &[&str] = &["only", "focus on", "just", "concentrate on", "nothing but"];

/// The kinds and tools that instructions leave out, or alone ask for.
#[derive(Debug, Default)]
pub struct Steering<'a> {
    out: BTreeSet<&'a str>,
    only: BTreeSet<&'a str>,
}

impl<'a> Steering<'a> {
    /// Reads the instructions of a dream.
    pub fn of(input: &'a Input) -> Self {
        let mut steering = Self::default();
        let Some(told) = &input.instructions else {
            return steering;
        };
        let tools: BTreeSet<&str> = input
            .sessions
            .iter()
            .flat_map(|s| s.features.firsts.iter().map(|f| f.tool.as_str()))
            .collect();
        for sentence in statements(&told.replace(';', "\n"))
            .iter()
            .map(|s| s.to_lowercase())
        {
            let kinds = KINDS
                .iter()
                .filter(|(_, words)| words.iter().any(|w| sentence.contains(w)))
                .map(|(kind, _)| *kind);
            let named = tools
                .iter()
                .copied()
                .filter(|t| t.len() > 2 && sentence.contains(&t.to_lowercase()));
            let meant: Vec<&str> = kinds.chain(named).collect();
            if OUT.iter().any(|w| sentence.contains(w)) {
                steering.out.extend(meant);
            } else if ONLY.iter().any(|w| sentence.contains(w)) {
                steering.only.extend(meant);
            }
        }
        steering
    }

    /// Why the instructions leave a finding out, if they do.
    pub fn leaves_out(&self, finding: &Finding) -> Option<String> {
        let is = |meant: &&str| {
            let text = finding
                .change
                .iter()
                .flat_map(|c| &c.edits)
                .filter_map(|e| e.content.as_deref());
            **meant == *finding.kind
                || (!KINDS.iter().any(|(kind, _)| kind == meant)
                    && text.into_iter().any(|t| t.contains(&format!("`{meant}`"))))
        };
        if self.out.iter().any(is) {
            return Some("the dream's instructions leave it out".to_owned());
        }
        // "Only failures of book": of every group that is named, one must hold.
        let (kinds, tools): (Vec<&&str>, Vec<&&str>) = self
            .only
            .iter()
            .partition(|m| KINDS.iter().any(|(kind, _)| kind == *m));
        let misses = |group: &[&&str]| !group.is_empty() && !group.iter().any(|m| is(m));
        (misses(&kinds) || misses(&tools))
            .then(|| "the dream's instructions ask for something else only".to_owned())
    }
}
