//! What a model proposed, under the same checks as everything else: quotes that were found, distinct subjects, no personal data, no
//! secrets, no instructions, nothing long, no literal that could be a customer's.

use std::collections::{BTreeSet, HashMap};

use domain::{changeset::ChangeKind, scan, sensitive};

use crate::{
    MIN_SUPPORT, compose,
    curation::similar,
    model::Candidate,
    types::{Change, Edit, Finding},
    window::Window,
};

/// What the name of this kind of finding is.
pub const KIND: &str = "model_candidate";
/// Longest content, in characters.
const LONGEST: usize = 1_200;

/// Every candidate, judged.
pub fn find(window: &Window) -> Vec<Finding> {
    let places: HashMap<&str, usize> = window.sessions().map(|(i, s)| (s.head.key.as_str(), i)).collect();
    window.input.candidates.iter().map(|c| judge(c, &places, window)).collect()
}

fn judge(candidate: &Candidate, places: &HashMap<&str, usize>, window: &Window) -> Finding {
    let raw = &candidate.raw;
    let seen: Vec<_> = candidate.grounded.iter().filter_map(|(key, at)| Some((*places.get(key.as_str())?, *at))).collect();
    let mut support = window.support(seen.iter().map(|s| s.0));
    support.eligible = window.input.sessions.len();
    let statements: Vec<&str> = raw.statements.iter().map(|s| s.trim().trim_start_matches(['-', '*', '#', ' '])).collect();
    // A model words the same thing otherwise each time: the words themselves, in any order, are what it is known by.
    let words: BTreeSet<String> = statements.iter().flat_map(|s| similar::content_words(s)).collect();
    let name = words.into_iter().collect::<Vec<_>>().join(" ");
    let title: String = domain::masking::mask(raw.title.trim()).chars().take(80).collect();
    let finding = Finding::new(KIND, &name, title, support);
    let text = format!("{}\n{}", raw.title, statements.join("\n"));
    if let Some(reason) = unfit(&text) {
        let hidden = Finding { title: "what a model proposed".to_owned(), ..finding };
        return hidden.held_back(reason);
    }
    if finding.support.distinct() < MIN_SUPPORT {
        return finding.held_back("its quotes stand with one subject or task only, or were not found");
    }
    let folder = match raw.kind.as_str() {
        "failure" => "failures",
        "workflow" => "workflows",
        "preference" => "preferences",
        _ => "facts",
    };
    let content = format!("# {}\n\n- {}\n", finding.title.trim_start_matches('#').trim(), statements.join("\n- "));
    let mut finding = finding;
    finding.change = Some(Change {
        kind: ChangeKind::Add,
        rationale: "A model proposed this; its quotes were found word for word in the sessions, and the counts are the engine's."
            .to_owned(),
        confidence_bp: 5_000,
        tool_text: candidate.tool_only,
        edits: vec![Edit { memory: None, path: compose::file(folder, &finding.title), new_path: None, content: Some(content) }],
        quotes: window.quotes(seen, false),
        gentle: None,
    });
    finding
}

/// Why it must not become a memory.
fn unfit(text: &str) -> Option<&'static str> {
    if text.chars().count() > LONGEST {
        return Some("it is longer than a note may be");
    }
    if !sensitive::sensitive_spans(text).is_empty() {
        return Some("it holds personal data or a credential");
    }
    if scan::holds_an_instruction(text) {
        return Some("it reads as text that redirects an agent");
    }
    if scan::has_hidden(&text.replace('\n', " ")) {
        return Some("it holds characters that are not seen");
    }
    let literal = |w: &str| {
        let core = w.trim_matches(|c: char| !c.is_alphanumeric());
        let digits = core.chars().filter(char::is_ascii_digit).count();
        digits >= 4 || (digits > 0 && core.len() >= 6 && core.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()))
    };
    if text.split_whitespace().any(literal) {
        return Some("it holds an id, a date or a number that may be one customer's");
    }
    (text.contains("://") || text.contains("![")).then_some("it holds an address or a picture")
}
