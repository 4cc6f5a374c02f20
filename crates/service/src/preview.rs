//! What a dream would propose, without a database: the command line's preview.

use domain::{canonical::sha256_hex, masking};
use dream::{Disposition, Finding, Input, QuestionKind, Session};
use serde_json::{Value, json};

use crate::dream_proposals::assess;

/// The input of a preview: the engine's, and the names of its sessions and events at their source.
pub struct PreviewInput {
    pub input: Input,
    /// The sessions as they were read, for their quotes.
    pub sessions: Vec<Session>,
    /// Id of each session and of each of its events.
    pub names: Vec<(String, Vec<String>)>,
}

/// Dreams without a database and prints what would be proposed.
#[must_use]
pub fn preview(preview: &PreviewInput) -> Value {
    let proposal = dream::run(&preview.input, &mut |_| std::ops::ControlFlow::Continue(()));
    let Some(proposal) = proposal else {
        return json!({"changes": [], "questions": [], "insights": [], "open_failures": [], "stats": {}});
    };
    let changes: Vec<Value> = proposal
        .findings
        .iter()
        .filter(|f| f.is_proposed())
        .filter_map(|f| preview_change(f, preview))
        .collect();
    let held: Vec<Value> = proposal
        .findings
        .iter()
        .filter_map(|f| match &f.disposition {
            Disposition::HeldBack(reason) => Some(json!({"finding": f.kind, "title": f.title, "reason": reason, "support": f.support})),
            _ => None,
        })
        .collect();
    let insight = |f: &Finding| match &f.disposition {
        Disposition::Insight(reason) => {
            let evidence: Vec<Value> = f
                .evidence
                .iter()
                .map(|q| preview_quote(q, preview))
                .collect();
            let asks =
                f.asks.as_ref().map(|a| json!({"path": preview.input.memories[a.memory].path, "statement": a.statement, "new": a.new}));
            Some(
                json!({"finding": f.kind, "title": f.title, "reason": reason, "support": f.support, "evidence": evidence, "asks": asks}),
            )
        }
        _ => None,
    };
    let insights: Vec<Value> = proposal.findings.iter().filter_map(insight).collect();
    let open: Vec<Value> = proposal
        .findings
        .iter()
        .filter(|f| f.disposition == Disposition::Open)
        .map(|f| open_failure(f, preview))
        .collect();
    let mut stats = json!(proposal.stats);
    stats["held_back_findings"] = Value::Array(held);
    let kind = |q: &dream::Question| match q.kind {
        QuestionKind::Contradiction => "contradiction",
        QuestionKind::Similar => "similar",
    };
    let question = |q: &dream::Question| json!({"kind": kind(q), "title": q.title, "statements": q.statements, "paths": q.memories.map(|i| &preview.input.memories[i].path)});
    let questions: Vec<Value> = proposal.questions.iter().map(question).collect();
    stats["compared_by"] = json!(if preview.input.vectors.is_empty() {
        "words"
    } else {
        "meaning"
    });
    json!({"changes": changes, "questions": questions, "insights": insights, "open_failures": open, "stats": stats})
}

/// A failure that nobody found a way out of: the tool or program, what it said, how much backs it,
/// and where.
fn open_failure(finding: &Finding, preview: &PreviewInput) -> Value {
    let (tool, error) = finding
        .title
        .split_once(": ")
        .unwrap_or(("", &finding.title));
    let evidence: Vec<Value> = finding
        .evidence
        .iter()
        .map(|q| preview_quote(q, preview))
        .collect();
    json!({"tool": tool, "error": error, "title": finding.title, "support": finding.support, "evidence": evidence})
}

fn preview_change(finding: &Finding, preview: &PreviewInput) -> Option<Value> {
    let change = finding.change.as_ref()?;
    let (level, labels) = assess(finding, change, &preview.input.memories, None);
    let quotes = |counter: bool| -> Vec<Value> {
        change
            .quotes
            .iter()
            .filter(|q| q.counter == counter)
            .map(|q| preview_quote(q, preview))
            .collect()
    };
    let base = |e: &dream::Edit| {
        e.memory
            .map(|i| sha256_hex(preview.input.memories[i].content.as_bytes()))
    };
    let edits: Vec<Value> = change
        .edits
        .iter()
        .map(|e| json!({"path": e.path, "new_path": e.new_path, "base_sha256": base(e), "content": e.content}))
        .collect();
    Some(json!({
        "kind": change.kind,
        "title": finding.title,
        "rationale": change.rationale,
        "confidence_bp": change.confidence_bp,
        "risk": {"level": level, "labels": labels},
        "edits": edits,
        "evidence": quotes(false),
        "counter_evidence": quotes(true),
        "finding": finding.kind,
        "support": finding.support,
    }))
}

fn preview_quote(quote: &dream::Quote, preview: &PreviewInput) -> Value {
    let (session, events) = &preview.names[quote.session];
    let text = &preview.sessions[quote.session].events[quote.event].text[quote.start..quote.end];
    json!({"session_id": session, "event_id": events[quote.event], "quote": text, "masked_quote": masking::mask(text)})
}
