//! `make eval`: how good the engine's findings are, on corpora that are not part of the project. Prints a table; a corpus that is not
//! there is named as skipped. `LUCID_EVAL_DATA` names the folder.
#![allow(clippy::expect_used, reason = "a measurement that cannot go on stops")]

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use domain::event::{EventKind, OutcomeResult};
use dream::{
    Event, Finding, Input, Session,
    similar::{Likeness, Prepared},
};
use service::transcripts::{self, Options, Spool};

fn main() {
    // `cargo test` passes arguments of its own; without a folder there is nothing to measure.
    let Some(folder) = std::env::var_os("LUCID_EVAL_DATA").map(PathBuf::from) else {
        println!("SKIPPED: set LUCID_EVAL_DATA to the folder with the corpora (make eval DATA=..)");
        return;
    };
    println!("{:<34} {:>8} {:>8} {:>20}", "what", "called", "good", "precision (95 %)");
    near_duplicates(&folder);
    if let Some(input) = sessions(&folder.join("tau-airline-trials01.json")) {
        failures(&input);
        splits(&input);
        shuffled(&input);
    }
    planted();
}

/// A rule's calls: how many, and how many of them were right.
#[derive(Default)]
struct Calls {
    called: usize,
    good: usize,
}

impl Calls {
    fn add(&mut self, good: bool) {
        self.called += 1;
        self.good += usize::from(good);
    }

    fn print(&self, what: &str) {
        let (low, high) = wilson(self.good, self.called);
        let precision = ratio(self.good, self.called);
        println!("{what:<34} {:>8} {:>8} {precision:>8.3} ({low:.3}-{high:.3})", self.called, self.good);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of pairs")]
fn ratio(good: usize, all: usize) -> f64 {
    if all == 0 { f64::NAN } else { good as f64 / all as f64 }
}

/// Wilson's interval for a share, 95 %.
#[expect(clippy::cast_precision_loss, reason = "counts of pairs")]
fn wilson(good: usize, all: usize) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let (p, n, z) = (ratio(good, all), all as f64, 1.96_f64);
    let center = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    ((center - half) / scale, (center + half) / scale)
}

/// The rows of a file of values with tabs between, without its head; `None`, and said so, if it is not there.
fn rows(folder: &Path, name: &str) -> Option<Vec<Vec<String>>> {
    let Ok(text) = std::fs::read_to_string(folder.join(name)) else {
        println!("SKIPPED: {name} is not in {}", folder.display());
        return None;
    };
    Some(text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect())
}

/// Same and alike on labelled pairs: MSRP (paraphrase or not), SICK (a contradiction must never be the same).
fn near_duplicates(folder: &Path) {
    let likeness = |a: &str, b: &str| Prepared::of(a).likeness(&Prepared::of(b));
    if let Some(rows) = rows(folder, "msrp-train.tsv") {
        let (mut same, mut alike, mut paraphrases) = (Calls::default(), Calls::default(), 0);
        for row in rows.iter().filter(|r| r.len() >= 5) {
            let good = row[0] == "1";
            paraphrases += usize::from(good);
            match likeness(&row[3], &row[4]) {
                Likeness::Same => same.add(good),
                Likeness::Alike => alike.add(good),
                Likeness::Different => {}
            }
        }
        same.print("merge, MSRP train");
        alike.print("ask, MSRP train");
        println!(
            "{:<34} {:>8} {:>8} {:>8.3}",
            "ask, MSRP train: recall",
            paraphrases,
            alike.good + same.good,
            ratio(alike.good + same.good, paraphrases)
        );
    }
    if let Some(rows) = rows(folder, "sick-train.tsv") {
        let mut same = Calls::default();
        let mut contradictions = 0;
        for row in rows.iter().filter(|r| r.len() >= 5 && likeness(&r[1], &r[2]) == Likeness::Same) {
            same.add(row[4] == "ENTAILMENT");
            contradictions += usize::from(row[4] == "CONTRADICTION");
        }
        same.print("merge, SICK train: entailment");
        println!("{:<34} {:>8}", "merge, SICK train: contradictions", contradictions);
    }
}

/// Transcripts in the engine's form; `None`, and said so, if they are not there.
fn sessions(path: &Path) -> Option<Input> {
    let mut spool = Spool::new().expect("a temporary file");
    if transcripts::read(path, &Options::default(), &mut spool, &mut |_| {}).is_err() {
        println!("SKIPPED: {} is not there", path.display());
        return None;
    }
    let (all, _, mut reader) = spool.finish().expect("the spool is read");
    let mut input = Input::default();
    for (n, spooled) in all.iter().enumerate() {
        let event =
            |e: domain::event::Event| Event { kind: e.kind, tool: e.tool, tool_use_id: e.tool_use_id, is_error: e.is_error, text: e.text };
        input.sessions.push(Session {
            key: format!("{n:06}"),
            agent: spooled.head.agent.clone(),
            subject: spooled.head.subject.clone(),
            task: spooled.head.task_key.clone(),
            outcome: spooled.head.outcome.map_or(OutcomeResult::Unknown, |o| o.result),
            events: (0..spooled.len()).map(|i| event(reader.event(spooled, i).expect("the spool is read"))).collect(),
        });
    }
    Some(input)
}

fn proposals(input: &Input) -> Vec<Finding> {
    let proposal = dream::run(input, &mut |_| ControlFlow::Continue(())).expect("nobody stops it");
    proposal.findings.into_iter().filter(Finding::is_proposed).collect()
}

fn content(finding: &Finding) -> &str {
    finding.change.iter().flat_map(|c| &c.edits).find_map(|e| e.content.as_deref()).unwrap_or_default()
}

/// Errors by tool and text with digits masked: a simpler signature than the engine's, to check it by another.
fn errors(input: &Input) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut found: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for session in &input.sessions {
        for event in session.events.iter().filter(|e| e.kind == EventKind::ToolResult && e.is_error) {
            let key = (event.tool.clone().unwrap_or_default(), masked(&event.text));
            found.entry(key).or_default().insert(session.task.clone().unwrap_or_default());
        }
    }
    found
}

fn masked(text: &str) -> String {
    let word = |w: &str| if w.chars().any(|c| c.is_ascii_digit()) { "#".to_owned() } else { w.to_owned() };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ").chars().take(60).collect()
}

/// Of the errors in two or more tasks, how many a proposal covers: its quote is one of them, and it names the tool.
fn covered(all: &BTreeMap<(String, String), BTreeSet<String>>, proposed: &[Finding], input: &Input) -> (usize, usize) {
    let recurring: Vec<_> = all.iter().filter(|(_, tasks)| tasks.len() >= 2).map(|(key, _)| key).collect();
    let covers = |(tool, text): &(String, String), f: &Finding| {
        let quotes = f.change.iter().flat_map(|c| &c.quotes).filter(|q| !q.counter);
        let mut events = quotes.map(|q| &input.sessions[q.session].events[q.event]);
        content(f).contains(tool.as_str()) && events.any(|e| e.tool.as_deref() == Some(tool) && masked(&e.text) == *text)
    };
    (recurring.iter().filter(|key| proposed.iter().any(|f| covers(key, f))).count(), recurring.len())
}

/// Recurring failures on the airline corpus.
fn failures(input: &Input) {
    let proposed = proposals(input);
    let (good, all) = covered(&errors(input), &proposed, input);
    println!("{:<34} {all:>8} {good:>8}", "tau: errors of 2+ tasks, covered");
    let longest = proposed.iter().map(|f| content(f).chars().count()).max().unwrap_or(0);
    let workflows = proposed.iter().filter(|f| f.kind == "workflow").count();
    println!("{:<34} {:>8}   longest {longest} characters, {workflows} workflows", "tau: proposals", proposed.len());
    let personal = proposed.iter().filter(|f| names_a_customer(content(f))).count();
    println!("{:<34} {personal:>8}", "tau: with a customer's data");
}

/// User ids (`mia_li_3668`), reservation ids (`ZFA04Y`), payment ids and dates.
fn names_a_customer(text: &str) -> bool {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-'));
    words.into_iter().any(|w| {
        let digits = w.chars().filter(char::is_ascii_digit).count();
        let upper = w.chars().filter(char::is_ascii_uppercase).count();
        digits >= 4 || (w.len() == 6 && digits + upper == 6 && digits > 0)
    })
}

/// Task-disjoint halves: what one half's proposals cover of the errors of the other.
fn splits(input: &Input) {
    let half = |odd: bool| {
        let of = |s: &&Session| s.task.as_deref().and_then(|t| t.parse::<usize>().ok()).is_some_and(|t| (t % 2 == 1) == odd);
        Input { sessions: input.sessions.iter().filter(of).cloned().collect(), ..Input::default() }
    };
    for odd in [false, true] {
        let (here, there) = (half(odd), half(!odd));
        let proposed = proposals(&here);
        let notes: String = proposed.iter().map(content).collect();
        let (mut known, mut all) = (0, 0);
        for ((tool, text), tasks) in errors(&there) {
            all += tasks.len();
            let words: Vec<&str> = text.split(['#', ' ', ':']).filter(|w| w.len() > 3 && *w != "Error").take(4).collect();
            known += if notes.contains(&tool) && words.iter().all(|w| notes.contains(w)) { tasks.len() } else { 0 };
        }
        let name = format!("tau: {} tasks on the others", if odd { "odd" } else { "even" });
        println!("{name:<34} {all:>8} {known:>8} {:>8.3}   from {} proposals", ratio(known, all), proposed.len());
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % limit.max(1)
    }
}

/// Runs of 200 in which a workflow is proposed though outcomes are shuffled within their tasks: at most 5 % should.
fn shuffled(input: &Input) {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut found = 0;
    for _ in 0..200 {
        let mut shuffled = input.clone();
        let mut by_task: BTreeMap<Option<String>, Vec<usize>> = BTreeMap::new();
        for (i, session) in input.sessions.iter().enumerate() {
            by_task.entry(session.task.clone()).or_default().push(i);
        }
        for tries in by_task.values() {
            let mut outcomes: Vec<OutcomeResult> = tries.iter().map(|&i| input.sessions[i].outcome).collect();
            for n in (1..outcomes.len()).rev() {
                outcomes.swap(n, dice.below(n + 1));
            }
            for (&i, outcome) in tries.iter().zip(outcomes) {
                shuffled.sessions[i].outcome = outcome;
            }
        }
        found += usize::from(proposals(&shuffled).iter().any(|f| f.kind == "workflow"));
    }
    println!("{:<34} {:>8} {found:>8} {:>8.3}   at most 0.050", "tau: workflows by chance", 200, ratio(found, 200));
}

/// Runs of 200 in which a planted order of steps (85 % success with it, 15 % without) is found, and in which one is found by chance.
fn planted() {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    for (name, with, without, bound) in
        [("planted step found (85/15)", 85, 15, "at least 0.700"), ("no step planted (50/50)", 50, 50, "at most 0.050")]
    {
        let mut found = 0;
        for _ in 0..200 {
            let sessions = (0..60).map(|n| planted_session(n, &mut dice, with, without)).collect();
            found += usize::from(proposals(&Input { sessions, ..Input::default() }).iter().any(|f| f.kind == "workflow"));
        }
        println!("{name:<34} {:>8} {found:>8} {:>8.3}   {bound}", 200, ratio(found, 200));
    }
}

fn planted_session(n: usize, dice: &mut Dice, with: usize, without: usize) -> Session {
    let call = |tool: &str| {
        let use_it = Event {
            kind: EventKind::ToolUse,
            tool: Some(tool.into()),
            tool_use_id: Some(tool.into()),
            is_error: false,
            text: r#"{"id":"1"}"#.into(),
        };
        let answer = Event { kind: EventKind::ToolResult, text: "done".into(), ..use_it.clone() };
        [use_it, answer]
    };
    let step = dice.below(2) == 0;
    // Other tools come and go by chance.
    let mut tools: Vec<&str> = ["list", "read", "note"].into_iter().filter(|_| dice.below(2) == 0).collect();
    tools.extend(if step { ["check", "write"] } else { ["write", "check"] });
    let outcome = if dice.below(100) < if step { with } else { without } { OutcomeResult::Success } else { OutcomeResult::Failure };
    Session {
        key: format!("{n:04}"),
        agent: None,
        subject: None,
        task: Some(format!("t{}", n % 12)),
        outcome,
        events: tools.into_iter().flat_map(call).collect(),
    }
}
