//! Standing instructions: what people say as a rule ("always ..", "never ..", "from now on ..", "we use .."), not as a wish of one moment.
//! Two speakers must have said it, or one must have said "remember". Only what users said is read: a rule that a tool or a web page
//! states is no rule here.

use std::collections::{BTreeMap, BTreeSet};

use domain::{canonical::sha256_hex, changeset::ChangeKind, event::EventKind, plural, scan, statement::statements};

use crate::{
    MIN_SUPPORT, compose,
    failures::support,
    similar::Prepared,
    types::{Change, Disposition, Edit, Finding, Input, Quote, Session},
};

/// Least and most words of a rule: shorter is no rule, longer is a story.
const WORDS: std::ops::RangeInclusive<usize> = 3..=40;
/// Quotes kept for a finding.
const QUOTES: usize = 5;
/// How a rule begins.
const OPENINGS: &[&[&str]] = &[
    &["always"],
    &["never"],
    &["from", "now", "on"],
    &["in", "future"],
    &["in", "the", "future"],
    &["going", "forward"],
    &["as", "a", "rule"],
    &["we", "use"],
    &["we", "always"],
    &["we", "never"],
    &["our", "policy", "is"],
    &["do", "not", "ever"],
    &["make", "sure", "to", "always"],
];
/// How somebody asks that a rule be kept.
const REMEMBER: &[&[&str]] = &[&["remember", "to"], &["remember", "that"], &["remember", "this"], &["remember", ":"]];

/// A rule that somebody said.
struct Said {
    session: usize,
    event: usize,
    text: String,
    remember: bool,
}

/// Every rule that was said.
pub fn find(input: &Input) -> Vec<Finding> {
    let mut groups: BTreeMap<Vec<String>, Vec<Said>> = BTreeMap::new();
    for (index, session) in input.sessions.iter().enumerate() {
        for said in rules(index, session) {
            groups.entry(Prepared::of(&said.text).key().to_vec()).or_default().push(said);
        }
    }
    groups.into_values().filter_map(|said| judge(&said, input)).collect()
}

fn rules(index: usize, session: &Session) -> Vec<Said> {
    let mut found = Vec::new();
    for (event, one) in session.events.iter().enumerate().filter(|(_, e)| e.kind == EventKind::User) {
        for text in statements(&one.text) {
            if let Some(remember) = is_rule(&text) {
                found.push(Said { session: index, event, text, remember });
            }
        }
    }
    found
}

/// Whether a statement is said as a rule, and whether as one to be remembered.
fn is_rule(text: &str) -> Option<bool> {
    let lower = text.to_lowercase().replace("don't", "do not").replace("please ", "").replace("remember:", "remember :");
    let words: Vec<&str> = lower.split([' ', ',']).filter(|w| !w.is_empty()).collect();
    if text.contains('?') || lower.starts_with("never mind") || !WORDS.contains(&words.len()) {
        return None;
    }
    let begins = |openings: &[&[&str]]| openings.iter().any(|o| words.starts_with(o));
    // "We never received it" and "we always wanted to" tell of the past; a rule says what is to be done.
    let tells = words.iter().take(4).any(|w| w.len() > 4 && w.ends_with("ed") && !matches!(*w, "need" | "needed"));
    match (begins(REMEMBER), begins(OPENINGS) && !tells) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

fn judge(said: &[Said], input: &Input) -> Option<Finding> {
    let first = said.iter().min_by_key(|s| (s.text.len(), &s.text))?;
    let mut support = support(said.iter().map(|s| s.session), &input.sessions);
    support.eligible = input.sessions.len();
    let remember = said.iter().any(|s| s.remember);
    let unfit = unfit(&first.text, &Prepared::of(&first.text), input);
    // One speaker who asked for it to be remembered speaks for themselves.
    let own = (support.distinct() < MIN_SUPPORT && remember).then(|| input.sessions[first.session].subject.clone()).flatten();
    let disposition = match unfit {
        Some(reason) => Disposition::HeldBack(reason.to_owned()),
        None if support.distinct() >= MIN_SUPPORT || own.is_some() => Disposition::Proposed,
        None => Disposition::HeldBack("one speaker only, or nobody knows how many".to_owned()),
    };
    let masked = domain::masking::mask(&first.text);
    let title: String = masked.chars().take(80).collect();
    let fingerprint = sha256_hex(format!("standing_instruction\0{}", Prepared::of(&first.text).key().join(" ")).as_bytes());
    let folder = own.as_deref().map_or_else(|| "/preferences".to_owned(), |who| format!("/people/{}", compose::slug(who)));
    let name: String = compose::slug(&first.text).chars().take(60).collect();
    let change = Change {
        kind: ChangeKind::Add,
        rationale: format!(
            "Said as a rule {} in {}{}.",
            compose::times(support.occurrences),
            plural::count(support.sessions, "session"),
            if remember { ", and asked to be remembered" } else { "" }
        ),
        confidence_bp: if remember { 7_500 } else { 6_500 },
        tool_text: false,
        edits: vec![Edit {
            memory: None,
            path: format!("{folder}/{}.md", name.trim_end_matches('-')),
            content: Some(format!("# {title}\n\n- {}\n- Why: users said so as a standing rule.\n", first.text)),
        }],
        quotes: quotes(said, &input.sessions),
    };
    Some(Finding { kind: "standing_instruction", fingerprint, title, support, disposition, change: Some(change) })
}

/// Why a rule must not become a memory.
fn unfit(text: &str, prepared: &Prepared, input: &Input) -> Option<&'static str> {
    if scan::has_hidden(text) {
        return Some("it holds characters that are not seen");
    }
    if !scan::sensitive_spans(text).is_empty() {
        return Some("it holds personal data or a credential");
    }
    if scan::is_instruction_like(text) {
        return Some("it reads as text that redirects an agent");
    }
    let says_so = |content: &str| statements(content).iter().any(|s| Prepared::of(s).key() == prepared.key());
    input.memories.iter().any(|m| says_so(&m.content)).then_some("the memory already says so")
}

/// The statement where it stands verbatim; sessions of different speakers first.
fn quotes(said: &[Said], sessions: &[Session]) -> Vec<Quote> {
    let mut seen = BTreeSet::new();
    let speaker = |s: &Said| sessions[s.session].subject.clone().or_else(|| sessions[s.session].task.clone());
    let (first, rest): (Vec<&Said>, Vec<&Said>) = said.iter().partition(|s| seen.insert(speaker(s)));
    let quote = |s: &&Said| {
        let start = sessions[s.session].events[s.event].text.find(&s.text)?;
        Some(Quote { session: s.session, event: s.event, start, end: start + s.text.len(), counter: false })
    };
    first.into_iter().chain(rest).collect::<Vec<_>>().iter().filter_map(quote).take(QUOTES).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_and_wishes() {
        for rule in [
            "Always answer in German.",
            "Never deploy on a Friday.",
            "From now on, use the staging cluster.",
            "We use British spelling in all headlines.",
            "Please never send attachments.",
            "Don't ever share the price list.",
        ] {
            assert_eq!(is_rule(rule), Some(false), "{rule}");
        }
        assert_eq!(is_rule("Remember to write dates as in ISO 8601."), Some(true));
        for wish in [
            "I don't remember the reservation ID",
            "I'd always prefer a direct flight.",
            "I never received my refund.",
            "We never received the confirmation.",
            "You always say that.",
            "Do you always need my user ID?",
            "Never mind.",
            "I remember that it was cheaper.",
            "My flight is always late these days.",
        ] {
            assert_eq!(is_rule(wish), None, "{wish}");
        }
    }
}
