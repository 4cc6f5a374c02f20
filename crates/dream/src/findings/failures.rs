//! Recurring failures: errors of one tool (of a shell, of one program) that are the same once what
//! varies is masked, seen with two subjects (else tasks, else sessions) and more. With what worked
//! next they become a note; without, they are open failures, which a person may know the way out
//! of.

use std::collections::{BTreeMap, BTreeSet};

use domain::{changeset::ChangeKind, plural, scan, sensitive};

use super::{
    recovery::{self, Recovery, Try},
    templates,
};
use crate::{
    MIN_SUPPORT, compose,
    reading::{ToolError, is_for_good, is_plain_name, says_nothing, signature, statement_hash},
    types::{Change, Edit, Finding, Quote, Support, fingerprint},
    window::{QUOTES, Window},
};

/// The name of this kind of finding.
pub const KIND: &str = "recurring_failure";
/// Distinct subjects with whom a name must have stood in an error for it to be the tool's word and
/// not a customer's.
const NAME_SUPPORT: usize = 3;

/// Parts of commands that destroy, force or bypass a check.
const DANGEROUS: &[&str] = &[
    "rm -r",
    "rm -f",
    "--force",
    "push -f",
    "reset --hard",
    "chmod 777",
    "sudo ",
    "--no-verify",
    "| sh",
    "| bash",
    "drop table",
    "DROP TABLE",
    "--privileged",
    "--insecure",
    " -k ",
    "dd if=",
    "mkfs",
    "--trusted-host",
    "--break-system-packages",
];

/// The failures that were found in the errors of all sessions.
pub struct Failures {
    pub findings: Vec<Finding>,
    /// Tool answers that are errors.
    pub tool_errors: usize,
    pub signatures: usize,
    /// Sessions with an error that recurs.
    pub explained: BTreeSet<usize>,
    /// Which sessions each failure met.
    pub recurring: Vec<Recurring>,
}

/// A failure, whether it recurs or not.
pub struct Recurring {
    /// The fingerprints by which it may be known.
    pub names: BTreeSet<String>,
    /// Sessions that used the tool.
    pub used: BTreeSet<usize>,
    /// Those among them that met the failure.
    pub met: BTreeSet<usize>,
}

/// One error and its session.
type Occurrence<'a> = (usize, &'a ToolError);

/// Errors that are one failure.
struct Group<'a> {
    tool: &'a str,
    /// Of a shell, the program.
    program: Option<&'a str>,
    /// Distinct masked lines, in the order in which sessions first showed them.
    lines: Vec<&'a str>,
    /// In the order of the sessions.
    occurrences: Vec<Occurrence<'a>>,
}

impl Group<'_> {
    /// Returns what failed, as a person would call it.
    fn subject(&self) -> &str {
        self.program.unwrap_or(self.tool)
    }
}

impl Group<'_> {
    /// Returns what the finding is known by, of one of its lines.
    fn name(&self, line: &str) -> String {
        match self.program {
            Some(program) => format!("{}\0{program}\0{line}", self.tool),
            None => format!("{}\0{line}", self.tool),
        }
    }
}

/// Finds the errors that recur.
pub fn find(window: &Window) -> Failures {
    let mut by_tool: BTreeMap<(&str, Option<&str>), Vec<Occurrence>> = BTreeMap::new();
    let mut users: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for (index, session) in window.sessions() {
        for first in &session.features.firsts {
            users.entry(&first.tool).or_default().insert(index);
        }
        for error in &session.features.errors {
            users.entry(&error.tool).or_default().insert(index);
            by_tool
                .entry((&error.tool, error.program.as_deref()))
                .or_default()
                .push((index, error));
        }
    }
    let groups: Vec<Group> = by_tool
        .into_iter()
        .flat_map(|(tool, occurrences)| grouped(tool, &occurrences))
        .collect();
    let mut found = Failures {
        findings: Vec::new(),
        tool_errors: window.sessions().map(|(_, s)| s.features.failed).sum(),
        signatures: groups.len(),
        explained: BTreeSet::new(),
        recurring: Vec::new(),
    };
    for group in &groups {
        let used = users.get(group.tool).cloned().unwrap_or_default();
        let names = group
            .lines
            .iter()
            .map(|line| fingerprint(KIND, &group.name(line)))
            .collect();
        found.recurring.push(Recurring {
            names,
            used,
            met: group.occurrences.iter().map(|o| o.0).collect(),
        });
        let eligible = users.get(group.tool).map_or(0, BTreeSet::len);
        if let Some(finding) = judge(group, eligible, window) {
            if finding.support.distinct() >= MIN_SUPPORT {
                found
                    .explained
                    .extend(group.occurrences.iter().map(|o| o.0));
            }
            found.findings.push(finding);
        }
    }
    found
}

fn grouped<'a>(
    (tool, program): (&'a str, Option<&'a str>),
    occurrences: &[Occurrence<'a>],
) -> Vec<Group<'a>> {
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
        groups.push(Group {
            tool,
            program,
            lines: members.iter().map(|&i| lines[i]).collect(),
            occurrences: Vec::new(),
        });
    }
    for &(session, error) in occurrences {
        groups[of_line[place[error.signature.as_str()]]]
            .occurrences
            .push((session, error));
    }
    groups
}

fn judge(group: &Group, eligible: usize, window: &Window) -> Option<Finding> {
    let mut support = window.support(group.occurrences.iter().map(|o| o.0));
    support.eligible = eligible;
    if support.sessions < 2 {
        return None;
    }
    let failure = compose::Failure {
        subject: group.subject(),
        is_program: group.program.is_some(),
        says: said(group, &support, window),
    };
    let mut finding = Finding::new(KIND, &group.name(group.lines[0]), failure.title(), support);
    finding.aliases = group
        .lines
        .iter()
        .map(|line| fingerprint(KIND, &group.name(line)))
        .collect();
    finding.evidence = window.quotes(group.occurrences.iter().map(|(i, e)| (*i, e.at)), false);
    if let Some(reason) = unfit(group, &failure.says, &finding.support) {
        // A title is shown in lists; what was held back for its words is not repeated there.
        if reason.conceals {
            finding.title = format!(
                "an error of a tool, in {} sessions",
                finding.support.sessions
            );
        }
        return Some(finding.held_back(reason.text));
    }
    let is_program = group.program.is_some();
    if is_program && is_of_the_work(&failure.says) {
        return Some(finding.held_back("what a compiler or a test says of the work itself"));
    }
    let tries: Vec<Try> = group
        .occurrences
        .iter()
        .filter_map(|(i, e)| e.next.as_ref().map(|n| (*i, n)))
        .collect();
    let Some(recovery) = recovery::find(&tries, &failure.says, is_program, window) else {
        // Of all whom it met, and not only of those who got out of it: one who edited something
        // must not hide what others cannot mend.
        let edited = window.distinct(
            tries
                .iter()
                .filter(|t| t.1.worked && recovery::is_edited(t.1))
                .map(|t| t.0),
        );
        if is_program && edited >= MIN_SUPPORT && edited * 2 >= finding.support.distinct() {
            return Some(
                finding
                    .held_back("it worked once files had been edited: the work itself had failed"),
            );
        }
        return Some(finding.open());
    };
    // What agents did is no more to be trusted than what tools said; some of it a person should
    // think of themselves.
    let advice = failure.what_to_do(&recovery.fix);
    if unfit_words(&advice).is_some() || DANGEROUS.iter().any(|d| advice.contains(d)) {
        return Some(finding.open());
    }
    let content = failure.note(&recovery.fix);
    // Its title and the tool's words: an agent that was shown either knew.
    let hashes: Vec<u64> = domain::statement::statements(&content)
        .iter()
        .take(2)
        .filter_map(|s| statement_hash(s))
        .collect();
    finding.change = Some(propose(
        group,
        &failure,
        content,
        &recovery,
        &finding.support,
        window,
    ));
    let sessions: BTreeSet<usize> = group.occurrences.iter().map(|o| o.0).collect();
    let told = window.told(&sessions, &hashes);
    if told * 2 > sessions.len() {
        return Some(finding.insight(format!(
            "told but not followed: {told} of these {} sessions had been told",
            sessions.len()
        )));
    }
    Some(finding)
}

/// How compilers and test runners say that the code that is being worked on is wrong, in lower
/// case. That is what they are run for.
const OF_THE_WORK: &[&str] = &[
    "error[e0",
    "assertionerror",
    "assert ",
    "--- fail",
    "expect(received)",
    "failure in test",
    "test failed",
    "tests failed",
];

fn is_of_the_work(says: &str) -> bool {
    let lower = says.to_lowercase();
    OF_THE_WORK
        .iter()
        .any(|mark| lower.contains(mark) && (*mark != "assert " || lower.starts_with(mark)))
}

/// Returns what the tool said, with all that varies masked, and only that: names of customers too,
/// but not names of tools.
fn said(group: &Group, support: &Support, window: &Window) -> String {
    let are_known = support.distinct() >= NAME_SUPPORT;
    let template = templates::template(&group.lines);
    let line = match group.lines[..] {
        [_] => {
            let masked: Vec<&[String]> = group
                .occurrences
                .iter()
                .map(|(_, e)| &e.masked[..])
                .collect();
            let is_number = |value: &str| {
                value
                    .chars()
                    .all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '%' | ':'))
            };
            let enough = |value: &str| {
                support.distinct()
                    >= if is_number(value) {
                        MIN_SUPPORT
                    } else {
                        NAME_SUPPORT
                    }
            };
            signature::with_constants(&template, &masked, enough)
        }
        _ => template.clone(),
    };
    let says = |line: &str| compose::without_names(line, are_known, &|word| window.is_tool(word));
    // A value that never varied and may not be shown stays masked.
    let shown = says(&line);
    if unfit_words(&shown).is_some() {
        says(&template)
    } else {
        shown
    }
}

struct Unfit {
    text: &'static str,
    conceals: bool,
}

/// Why a failure must not become a memory.
fn unfit(group: &Group, says: &str, support: &Support) -> Option<Unfit> {
    let because = |text, conceals| Some(Unfit { text, conceals });
    if !is_plain_name(group.tool) {
        return because("the tool's name is not a plain identifier", true);
    }
    if let Some(reason) = unfit_words(says) {
        return because(reason, true);
    }
    if says_nothing(says) {
        return because("what the tool answered says only that it failed", false);
    }
    if !says.chars().any(char::is_alphabetic) {
        return because("what the tool answered has no words", false);
    }
    if support.distinct() < MIN_SUPPORT {
        return because("seen with one subject or task only", false);
    }
    None
}

fn unfit_words(says: &str) -> Option<&'static str> {
    if scan::holds_an_instruction(says) {
        return Some("what the tool answered reads as an instruction to the agent");
    }
    if is_for_good(says) {
        return Some("what the tool answered reads as a rule for the agent, which an error is not");
    }
    if scan::has_hidden(says) {
        return Some("what the tool answered holds characters that are not seen");
    }
    (!sensitive::sensitive_spans(says).is_empty())
        .then_some("what the tool answered holds personal data or a credential")
}

fn propose(
    group: &Group,
    failure: &compose::Failure,
    content: String,
    recovery: &Recovery,
    support: &Support,
    window: &Window,
) -> Change {
    // One of the quotes shows the call that worked.
    let example = recovery::example(recovery)
        .map(|(i, at)| window.quotes([(i, at)], false))
        .unwrap_or_default();
    let mut quotes: Vec<Quote> =
        window.quotes(group.occurrences.iter().map(|(i, e)| (*i, e.at)), false);
    quotes.truncate(QUOTES - example.len());
    quotes.extend(example);
    quotes.extend(window.quotes(recovery.failed.iter().map(|(i, n)| (*i, n.at)), true));
    Change {
        kind: ChangeKind::Add,
        rationale: rationale(group, support, recovery),
        confidence_bp: confidence(support),
        tool_text: true,
        // Names and numbers are never in a path: it is seen before anything else, and stays when
        // they turn out to vary.
        edits: vec![Edit {
            memory: None,
            path: failure.path(&templates::template(&group.lines)),
            new_path: None,
            content: Some(content),
        }],
        quotes,
        gentle: None,
    }
}

fn rationale(group: &Group, support: &Support, recovery: &Recovery) -> String {
    let whom = match (support.subjects, support.tasks) {
        (0, 0) => String::new(),
        (0, tasks) => format!(", over {}", plural::count(tasks, "task")),
        (subjects, _) => format!(", with {}", plural::count(subjects, "user")),
    };
    let (worked, tried) = (
        recovery.worked.len(),
        recovery.worked.len() + recovery.failed.len(),
    );
    format!(
        "Seen {} in {} of {} that called `{}`{whom}. With what the note says, the next call worked \
         {worked} of {tried} times{}.",
        compose::times(support.occurrences),
        support.sessions,
        plural::count(support.eligible, "session"),
        group.tool,
        if recovery.failed.is_empty() {
            ""
        } else {
            "; where it failed again, it is shown as counter-evidence"
        },
    )
}

/// More support means more confidence, up to 95 %.
fn confidence(support: &Support) -> i64 {
    let grown = i64::try_from(support.distinct())
        .unwrap_or(i64::MAX)
        .saturating_mul(500)
        .min(3_000);
    6_500 + grown
}
