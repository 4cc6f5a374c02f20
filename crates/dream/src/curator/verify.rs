//! The third pass: whether the quotes of a change show what it says. The model judges its own
//! changes, without the observations and the reasons that led to them.

use std::{collections::BTreeMap, fmt::Write};

use domain::masking::mask;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    ANSWER_TOKENS, Action, Candidate, Found, Item, Second, folded, list, marked, task, text,
};
use crate::{
    model::{Ask, Role},
    types::Memory,
};

/// Changes of one request.
pub const TOGETHER: usize = 10;
/// Quotes of a change that are shown.
const QUOTES: usize = 24;
/// Longest reason, in characters.
const REASON_CHARS: usize = 240;

/// The judgement of a model on one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    pub change: String,
    /// Why, in one sentence.
    pub reason: String,
    pub verdict: Word,
}

/// The support that the quotes give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    Entailed,
    Partly,
    Not,
}

impl Item for Verdict {
    const LIST: &'static str = "verdicts";
    const MOST: usize = 2 * TOGETHER;

    fn wrong(&self) -> Option<&'static str> {
        self.reason.trim().is_empty().then_some("reason is empty")
    }
}

/// True if a second reading can say anything of it: a note that goes elsewhere says nothing new.
#[must_use]
pub fn can_be_read(candidate: &Candidate) -> bool {
    candidate.action != Action::Move
}

/// Returns what is asked of some changes, by label.
#[must_use]
pub fn ask(
    changes: &[(String, &Candidate)],
    memories: &[Memory],
    instructions: Option<&str>,
) -> Ask {
    let text: String = changes
        .iter()
        .map(|(label, candidate)| shown(label, candidate, memories))
        .collect();
    Ask {
        system: task(super::PROMPTS[2], instructions),
        turns: vec![(Role::User, text)],
        schema: schema(),
        max_tokens: ANSWER_TOKENS,
    }
}

/// The quotes of a change that are read a second time, and that count: of each session one, then
/// another of each, up to 24.
#[must_use]
pub fn shown_quotes(candidate: &Candidate) -> Vec<&Found> {
    let mut of_session: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ranked: Vec<(usize, usize, &Found)> = Vec::new();
    for (n, quote) in candidate.quotes.iter().enumerate() {
        let rank = of_session.entry(&quote.session).or_default();
        ranked.push((*rank, n, quote));
        *rank += 1;
    }
    ranked.sort_by_key(|(rank, n, _)| (*rank, *n));
    ranked
        .into_iter()
        .take(QUOTES)
        .map(|(_, _, quote)| quote)
        .collect()
}

fn shown(label: &str, candidate: &Candidate, memories: &[Memory]) -> String {
    let mut text = String::new();
    for target in &candidate.targets {
        let _ = writeln!(text, "about the note: {target}");
    }
    for line in &candidate.replaces {
        let _ = writeln!(text, "this line would go: {}", mask(line));
    }
    for statement in &candidate.statements {
        let _ = writeln!(text, "statement: {statement}");
    }
    if candidate.action == Action::Remove {
        text.push_str("statement: The note no longer holds, or another note says all of it.\n");
    }
    for quote in shown_quotes(candidate) {
        let _ = writeln!(
            text,
            "quote of a {}: {}",
            json!(quote.by).as_str().unwrap_or_default(),
            json!(mask(&quote.text))
        );
    }
    // What a note becomes rests on what the notes say.
    if matches!(candidate.action, Action::Merge | Action::Remove) {
        for memory in memories
            .iter()
            .filter(|m| candidate.targets.contains(&m.path))
        {
            let content: String = mask(&memory.content).chars().take(4_000).collect();
            let _ = writeln!(text, "the note {} says: {}", memory.path, json!(content));
        }
    }
    marked("change", "", &text).replacen("<change ", &format!("<change {label} "), 1)
}

/// Of the answer; by the order of names the reason is written before the verdict.
fn schema() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["verdicts"],
        "properties": {"verdicts": list(json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["change", "reason", "verdict"],
            "properties": {
                "change": text(8),
                "reason": text(REASON_CHARS),
                "verdict": {"type": "string", "enum": [Word::Entailed, Word::Partly, Word::Not]},
            },
        }), TOGETHER)},
    })
}

/// Returns what the second reading found of the change with this label; of several verdicts the
/// worst one.
#[must_use]
pub fn second(label: &str, verdicts: &[Verdict]) -> Second {
    let reason = |v: &Verdict| {
        folded(&v.reason)
            .chars()
            .take(REASON_CHARS)
            .collect::<String>()
    };
    let of = |word: Word| {
        verdicts
            .iter()
            .find(|v| v.change.trim() == label && v.verdict == word)
    };
    match (of(Word::Not), of(Word::Partly), of(Word::Entailed)) {
        (Some(v), ..) => Second::Not(reason(v)),
        (None, Some(v), _) => Second::Partly(reason(v)),
        (None, None, Some(_)) => Second::Entailed,
        (None, None, None) => Second::None,
    }
}
