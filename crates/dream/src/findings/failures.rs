//! Recurring failures: errors of one tool that are the same once what varies is masked, seen with two subjects (else tasks, else
//! sessions) and more, with what worked next where that holds up.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use domain::{changeset::ChangeKind, plural, scan, sensitive};

use super::{
    recovery::{self, Step, Try},
    templates,
};
use crate::{
    MIN_SUPPORT, compose,
    reading::{ToolError, is_for_good, is_plain_name, statement_hash},
    types::{Change, Edit, Finding, Quote, Support, fingerprint},
    window::{Vocabulary, Window},
};

/// What the name of this kind of finding is.
pub const KIND: &str = "recurring_failure";
/// Distinct subjects with whom a name must have stood in an error for it to be the tool's word and not a customer's.
const NAME_SUPPORT: usize = 3;

/// What reading the errors gave.
pub struct Failures {
    /// Findings, unsorted.
    pub findings: Vec<Finding>,
    /// Tool answers that are errors.
    pub tool_errors: usize,
    /// Distinct failures.
    pub signatures: usize,
    /// Sessions with an error that recurs.
    pub explained: BTreeSet<usize>,
}

/// One error and its session.
type Occurrence<'a> = (usize, &'a ToolError);

/// Errors that are one failure.
struct Group<'a> {
    tool: &'a str,
    /// Distinct masked lines, in the order in which sessions first showed them.
    lines: Vec<&'a str>,
    /// In the order of the sessions.
    occurrences: Vec<Occurrence<'a>>,
}

/// Finds the errors that recur.
pub fn find(window: &Window) -> Failures {
    let vocabulary = Vocabulary::of(window);
    let mut by_tool: BTreeMap<&str, Vec<Occurrence>> = BTreeMap::new();
    let mut users: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (index, session) in window.sessions() {
        for first in &session.features.firsts {
            users.entry(&first.tool).or_default().insert(index);
        }
        for error in &session.features.errors {
            users.entry(&error.tool).or_default().insert(index);
            by_tool.entry(&error.tool).or_default().push((index, error));
        }
    }
    let groups: Vec<Group> = by_tool.into_iter().flat_map(|(tool, occurrences)| grouped(tool, &occurrences)).collect();
    let mut found = Failures {
        findings: Vec::new(),
        tool_errors: window.sessions().map(|(_, s)| s.features.failed).sum(),
        signatures: groups.len(),
        explained: BTreeSet::new(),
    };
    for group in &groups {
        let eligible = users.get(group.tool).map_or(0, BTreeSet::len);
        if let Some(finding) = judge(group, eligible, window, &vocabulary) {
            if finding.support.distinct() >= MIN_SUPPORT {
                found.explained.extend(group.occurrences.iter().map(|o| o.0));
            }
            found.findings.push(finding);
        }
    }
    found
}

fn grouped<'a>(tool: &'a str, occurrences: &[Occurrence<'a>]) -> Vec<Group<'a>> {
    let mut lines: Vec<&str> = Vec::new();
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, error) in occurrences {
        place.entry(&error.signature).or_insert_with(|| {
            lines.push(&error.signature);
            lines.len() - 1
        });
    }
    let mut groups = Vec::new();
    let mut of_line = vec![0; lines.len()];
    for mut members in templates::group(&lines) {
        members.sort_unstable();
        for &line in &members {
            of_line[line] = groups.len();
        }
        groups.push(Group { tool, lines: members.iter().map(|&i| lines[i]).collect(), occurrences: Vec::new() });
    }
    for &(session, error) in occurrences {
        groups[of_line[place[error.signature.as_str()]]].occurrences.push((session, error));
    }
    groups
}

fn judge(group: &Group, eligible: usize, window: &Window, vocabulary: &Vocabulary) -> Option<Finding> {
    let mut support = window.support(group.occurrences.iter().map(|o| o.0));
    support.eligible = eligible;
    if support.sessions < 2 {
        return None;
    }
    let signature = compose::without_names(&templates::template(&group.lines), support.distinct() >= NAME_SUPPORT);
    let name = |line: &str| format!("{}\0{line}", group.tool);
    let mut finding = Finding::new(KIND, &name(group.lines[0]), compose::title(group.tool, &signature), support);
    finding.aliases = group.lines.iter().map(|line| fingerprint(KIND, &name(line))).collect();
    if let Some(reason) = unfit(group.tool, &signature, &finding.support) {
        // A title is shown in lists; what was held back for its words is not repeated there.
        if reason.conceals {
            finding.title = format!("an error of a tool, in {} sessions", finding.support.sessions);
        }
        return Some(finding.held_back(reason.text));
    }
    let change = propose(group, &signature, &finding.support, window, vocabulary);
    let content = change.edits[0].content.clone().unwrap_or_default();
    finding.change = Some(change);
    // Its title and the tool's words: an agent that was shown either knew.
    let hashes: Vec<u64> = domain::statement::statements(&content).iter().take(3).filter_map(|s| statement_hash(s)).collect();
    let sessions: BTreeSet<usize> = group.occurrences.iter().map(|o| o.0).collect();
    let told = window.told(&sessions, &hashes);
    if told * 2 > sessions.len() {
        return Some(finding.insight(format!("told but not followed: {told} of these {} sessions had been told", sessions.len())));
    }
    Some(finding)
}

struct Unfit {
    text: &'static str,
    conceals: bool,
}

/// Why a failure must not become a memory.
fn unfit(tool: &str, signature: &str, support: &Support) -> Option<Unfit> {
    let says = |text, conceals| Some(Unfit { text, conceals });
    if !is_plain_name(tool) {
        return says("the tool's name is not a plain identifier", true);
    }
    if scan::holds_an_instruction(signature) {
        return says("what the tool answered reads as an instruction to the agent", true);
    }
    if is_for_good(signature) {
        return says("what the tool answered reads as a rule for the agent, which an error is not", true);
    }
    if scan::has_hidden(signature) {
        return says("what the tool answered holds characters that are not seen", true);
    }
    if !sensitive::sensitive_spans(signature).is_empty() {
        return says("what the tool answered holds personal data or a credential", true);
    }
    if !signature.chars().any(char::is_alphabetic) {
        return says("what the tool answered has no words", false);
    }
    if support.distinct() < MIN_SUPPORT {
        return says("seen with one subject or task only", false);
    }
    None
}

fn propose(group: &Group, signature: &str, support: &Support, window: &Window, vocabulary: &Vocabulary) -> Change {
    let tries: Vec<Try> = group.occurrences.iter().filter_map(|(i, e)| e.next.as_ref().map(|n| (*i, n))).collect();
    let (advice, against) = match recovery::shared(&tries, window, MIN_SUPPORT) {
        Some(shared) if holds(&shared.worked, window) => {
            let value = recovery::common_value(&shared, group.tool, window, vocabulary);
            (Some((shared.step, value)), shared.failed)
        }
        Some(shared) => (None, shared.worked.into_iter().chain(shared.failed).collect()),
        None => (None, Vec::new()),
    };
    // What one subject alone calls an argument may be anything.
    let arguments = compose::Arguments {
        all: shared_names(group.occurrences.iter().map(|(i, e)| (*i, &e.arguments)), window),
        changed: shared_names(tries.iter().map(|(i, next)| (*i, &next.arguments)), window),
    };
    let content = compose::failure_note(group.tool, signature, advice.as_ref(), &arguments);
    // Names never stand in a path: it is seen before anything else.
    let path = compose::path(group.tool, &compose::without_names(signature, false));
    let mut quotes: Vec<Quote> = window.quotes(group.occurrences.iter().map(|(i, e)| (*i, e.at)), false);
    quotes.extend(window.quotes(against.iter().map(|(i, n)| (*i, n.at)), true));
    Change {
        kind: ChangeKind::Add,
        rationale: rationale(group, support, advice.as_ref(), against.len(), window),
        confidence_bp: confidence(support, advice.is_some()),
        tool_text: true,
        edits: vec![Edit { memory: None, path, new_path: None, content: Some(content) }],
        quotes,
        gentle: None,
    }
}

/// Names that stand with at least two subjects, tasks or sessions.
fn shared_names<'a>(seen: impl Iterator<Item = (usize, &'a Vec<String>)>, window: &Window) -> BTreeSet<&'a str> {
    let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (session, names) in seen {
        for name in names {
            by_name.entry(name).or_default().push(session);
        }
    }
    let enough = |by: &Vec<usize>| window.distinct(by.iter().copied()) >= MIN_SUPPORT;
    by_name.into_iter().filter(|(_, by)| enough(by)).map(|(name, _)| name).collect()
}

/// Whether the sessions in which it worked did not end worse than all together (rule of the recovery finding).
fn holds(worked: &[Try], window: &Window) -> bool {
    let (good, known) = window.endings(worked.iter().map(|t| t.0));
    let (all_good, all_known) = window.all_endings();
    // Where nobody knows how they ended, nothing speaks against it.
    known == 0 || good * all_known >= all_good * known
}

fn rationale(group: &Group, support: &Support, advice: Option<&(Step, Option<String>)>, against: usize, window: &Window) -> String {
    let (good, known) = window.endings(group.occurrences.iter().map(|o| o.0));
    let (base_good, base_known) = window.all_endings();
    let mut text = format!(
        "Seen {} in {} of {} that called `{}`{}.",
        compose::times(support.occurrences),
        support.sessions,
        plural::count(support.eligible, "session"),
        group.tool,
        match (support.subjects, support.tasks) {
            (0, 0) => String::new(),
            (0, tasks) => format!(", over {}", plural::count(tasks, "task")),
            (subjects, _) => format!(", with {}", plural::count(subjects, "user")),
        }
    );
    if known > 0 {
        let _ = write!(text, " {good} of the {known} with a known end succeeded; overall {base_good} of {base_known} did.");
    }
    text.push_str(match (advice.is_some(), against) {
        (true, 0) => " The way out below was taken with success by at least two of them; it failed for none.",
        (true, _) => " The way out below was taken with success by at least two of them; where it failed stands as counter-evidence.",
        (false, 0) => " No way out is proposed: none was shared by two of them.",
        (false, _) => " No way out is proposed: what some did next did not do better than the rest; it stands as counter-evidence.",
    });
    text
}

/// More support means more confidence, up to 95 %.
fn confidence(support: &Support, recovered: bool) -> i64 {
    let grown = i64::try_from(support.distinct()).unwrap_or(i64::MAX).saturating_mul(500).min(3_000);
    5_500 + grown + if recovered { 1_000 } else { 0 }
}
