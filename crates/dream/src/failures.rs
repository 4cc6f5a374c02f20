//! Recurring failures: the same error of the same tool with several subjects, tasks or sessions, and what worked afterwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    ops::ControlFlow,
};

use domain::{canonical::sha256_hex, changeset::ChangeKind, event::OutcomeResult, limits::QUOTE_CHARS, plural, scan};

use crate::{
    MIN_SUPPORT,
    calls::{self, Call},
    compose,
    recovery::{self, Seen},
    signature,
    types::{Change, Disposition, Edit, Finding, Input, Progress, Quote, Session, Support},
};

/// Quotes kept for and against a change.
const QUOTES: usize = 5;

/// What reading the sessions gave.
pub struct Failures {
    /// Findings, unsorted.
    pub findings: Vec<Finding>,
    /// Tool answers that are errors.
    pub tool_errors: usize,
    /// Distinct signatures.
    pub signatures: usize,
}

/// One error of one signature.
struct Occurrence {
    session: usize,
    answer: usize,
    arguments: Vec<String>,
}

#[derive(Default)]
struct Group {
    occurrences: Vec<Occurrence>,
    recoveries: Vec<Seen>,
}

/// Reads every session and finds the errors that recur. `None` if it was told to stop.
pub fn find(sessions: &[(usize, &Session)], input: &Input, tell: &mut dyn FnMut(Progress) -> ControlFlow<()>) -> Option<Failures> {
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    let mut users: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
    for (done, &(index, session)) in sessions.iter().enumerate() {
        if tell(Progress { sessions_done: done, sessions: sessions.len() }).is_break() {
            return None;
        }
        let calls = calls::of(session);
        for (at, call) in calls.iter().enumerate() {
            users.entry(call.tool.to_owned()).or_default().insert(index);
            if call.is_error {
                note(groups.entry((call.tool.to_owned(), signature::of(call.text))).or_default(), &calls, at, index);
            }
        }
    }
    let tool_errors = groups.values().map(|g| g.occurrences.len()).sum();
    let signatures = groups.len();
    let finding = |((tool, signature), group): (&(String, String), &Group)| {
        let eligible = users.get(tool).map_or(0, BTreeSet::len);
        judge(tool, signature, group, eligible, input)
    };
    Some(Failures { findings: groups.iter().filter_map(finding).collect(), tool_errors, signatures })
}

fn note(group: &mut Group, calls: &[Call], at: usize, session: usize) {
    let call = &calls[at];
    group.occurrences.push(Occurrence { session, answer: call.answer, arguments: call.arguments.keys().cloned().collect() });
    group.recoveries.extend(recovery::after(calls, at, session));
}

/// Support by the sessions in which something was seen, once for each time it was.
pub fn support(seen_in: impl Iterator<Item = usize>, sessions: &[Session]) -> Support {
    let mut support = Support::default();
    let (mut distinct, mut subjects, mut tasks) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for index in seen_in {
        support.occurrences += 1;
        distinct.insert(index);
        subjects.extend(sessions[index].subject.as_deref());
        tasks.extend(sessions[index].task.as_deref());
    }
    (support.sessions, support.subjects, support.tasks) = (distinct.len(), subjects.len(), tasks.len());
    support
}

fn judge(tool: &str, signature: &str, group: &Group, eligible: usize, input: &Input) -> Option<Finding> {
    let mut support = support(group.occurrences.iter().map(|o| o.session), &input.sessions);
    support.eligible = eligible;
    if support.sessions < 2 {
        return None;
    }
    let title = compose::title(tool, signature);
    let fingerprint = sha256_hex(format!("recurring_failure\0{tool}\0{signature}").as_bytes());
    let mut finding = Finding { kind: "recurring_failure", fingerprint, title, support, disposition: Disposition::Proposed, change: None };
    if let Some(reason) = unfit(tool, signature, &finding.support, input) {
        // A title is shown in lists; what was held back for its words is not repeated there.
        if reason.conceals {
            finding.title = format!("an error of a tool, in {} sessions", finding.support.sessions);
        }
        finding.disposition = Disposition::HeldBack(reason.text.to_owned());
        return Some(finding);
    }
    finding.change = Some(propose(tool, signature, group, &finding.support, input));
    Some(finding)
}

struct Unfit {
    text: &'static str,
    conceals: bool,
}

/// Why a failure must not become a memory.
fn unfit(tool: &str, signature: &str, support: &Support, input: &Input) -> Option<Unfit> {
    let says = |text, conceals| Some(Unfit { text, conceals });
    if !compose::is_plain_name(tool) {
        return says("the tool's name is not a plain identifier", true);
    }
    if scan::is_instruction_like(signature) {
        return says("what the tool answered reads as an instruction to the agent", true);
    }
    if scan::has_hidden(signature) {
        return says("what the tool answered holds characters that are not seen", true);
    }
    if !scan::sensitive_spans(signature).is_empty() {
        return says("what the tool answered holds personal data or a credential", true);
    }
    if !signature.chars().any(char::is_alphabetic) {
        return says("what the tool answered has no words", false);
    }
    if support.distinct() < MIN_SUPPORT {
        return says("seen with one subject or task only", false);
    }
    let covers = |content: &str| content.contains(tool) && content.contains(&compose::fenced(signature));
    if input.memories.iter().any(|m| covers(&m.content)) {
        return says("the memory already says so", false);
    }
    None
}

fn propose(tool: &str, signature: &str, group: &Group, support: &Support, input: &Input) -> Change {
    let sessions = &input.sessions;
    let found = recovery::shared(&group.recoveries, sessions, MIN_SUPPORT);
    let holds = |worked: &[&Seen]| success_rate(worked.iter().map(|s| s.session), sessions) >= success_rate(0..sessions.len(), sessions);
    let (advice, against) = match found {
        Some((step, worked, failed)) if holds(&worked) => {
            let value = compose::argument_of(&step).and_then(|a| recovery::common_value(&worked, a, sessions));
            (Some((step, value)), failed)
        }
        Some((_, worked, failed)) => (None, worked.into_iter().chain(failed).collect()),
        None => (None, Vec::new()),
    };
    let arguments = group.occurrences.iter().flat_map(|o| &o.arguments).map(String::as_str).collect();
    let content = compose::failure_note(tool, signature, advice.as_ref(), &arguments);
    let mut quotes = supporting(group, sessions);
    quotes.extend(against.iter().take(QUOTES).map(|seen| quote(seen.session, seen.answer, sessions, true)));
    Change {
        kind: ChangeKind::Add,
        rationale: rationale(tool, group, support, advice.is_some(), sessions),
        confidence_bp: confidence(support, advice.is_some()),
        tool_text: true,
        edits: vec![Edit { memory: None, path: compose::path(tool, signature), content: Some(content) }],
        quotes,
    }
}

/// Quotes from different subjects, tasks and sessions first, in the order of the sessions' keys.
fn supporting(group: &Group, sessions: &[Session]) -> Vec<Quote> {
    let mut seen = BTreeSet::new();
    let mut first = Vec::new();
    let mut rest = Vec::new();
    for one in &group.occurrences {
        let session = &sessions[one.session];
        let who = session.subject.as_deref().or(session.task.as_deref()).unwrap_or(&session.key);
        if seen.insert(who) { first.push(one) } else { rest.push(one) }
    }
    first.into_iter().chain(rest).take(QUOTES).map(|o| quote(o.session, o.answer, sessions, false)).collect()
}

fn quote(session: usize, event: usize, sessions: &[Session], counter: bool) -> Quote {
    let text = &sessions[session].events[event].text;
    let (mut start, mut end) = signature::said(text, QUOTE_CHARS);
    if start == end {
        (start, end) = (0, text.char_indices().nth(QUOTE_CHARS).map_or(text.len(), |(n, _)| n));
    }
    Quote { session, event, start, end, counter }
}

/// Successes in a thousand among the distinct sessions whose outcome is known; 0 where none is.
fn success_rate(seen_in: impl Iterator<Item = usize>, sessions: &[Session]) -> usize {
    let (good, known) = endings(seen_in, sessions);
    (good * 1_000).checked_div(known).unwrap_or(0)
}

fn endings(seen_in: impl Iterator<Item = usize>, sessions: &[Session]) -> (usize, usize) {
    let distinct: BTreeSet<usize> = seen_in.collect();
    let known = distinct.iter().filter(|&&i| sessions[i].outcome != OutcomeResult::Unknown);
    let good = distinct.iter().filter(|&&i| sessions[i].outcome == OutcomeResult::Success).count();
    (good, known.count())
}

fn rationale(tool: &str, group: &Group, support: &Support, recovered: bool, sessions: &[Session]) -> String {
    let (good, known) = endings(group.occurrences.iter().map(|o| o.session), sessions);
    let (base_good, base_known) = endings(0..sessions.len(), sessions);
    let mut text = format!(
        "Seen {} in {} of {} that called `{tool}`{}.",
        compose::times(support.occurrences),
        support.sessions,
        plural::count(support.eligible, "session"),
        match (support.subjects, support.tasks) {
            (0, 0) => String::new(),
            (0, tasks) => format!(", over {}", plural::count(tasks, "task")),
            (subjects, _) => format!(", with {}", plural::count(subjects, "user")),
        }
    );
    if known > 0 {
        let _ = write!(text, " {good} of the {known} with a known end succeeded; overall {base_good} of {base_known} did.");
    }
    text.push_str(if recovered {
        " The way out below was taken with success by at least two of them."
    } else {
        " No way out is proposed: none was shared by two of them and did better than the rest."
    });
    text
}

/// More support means more confidence, up to 95 %.
fn confidence(support: &Support, recovered: bool) -> i64 {
    let grown = i64::try_from(support.distinct()).unwrap_or(i64::MAX).saturating_mul(500).min(3_000);
    5_500 + grown + if recovered { 1_000 } else { 0 }
}
