//! Facts that changed: what says that a value is so now, which line of the memory it is about, and
//! what all mentions say together.

use domain::{
    event::EventKind,
    linear::{
        Hashed, Linear, Named,
        learn::{self, Pace},
    },
};
use dream::{
    Event, Head, Input, Memory, Reader, Session,
    learned::{
        changed::{CHANGE_NAMES, Grouped, Heads, LINK_NAMES, Linked, Reading},
        with_reading,
    },
};

use crate::{Folders, Meanings, objects, share, text, texts};

const PACE: Pace = Pace {
    passes: 20,
    rate: 0.2,
    decay: 1e-4,
};
/// How strongly weights are drawn to zero.
const DECAY: f64 = 3.0;
/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// A line of a memory, and what people said later.
struct Entry {
    memory: String,
    kind: String,
    expect: Option<String>,
    input: Input,
}

impl Entry {
    fn read(object: &serde_json::Value, meanings: &mut Meanings) -> Self {
        let memory = text(object, "memory");
        let event = |text: String| Event {
            kind: EventKind::User,
            tool: None,
            tool_use_id: None,
            is_error: false,
            text,
        };
        let session = |(n, said): (usize, String)| {
            let day = i64::try_from(n + 1).unwrap_or(1) * DAY;
            let head = Head {
                key: format!("session-{n}"),
                subject: Some(format!("person-{n}")),
                at: Some(day),
                recorders: vec![u32::try_from(n).unwrap_or(0)],
                ..Head::default()
            };
            Reader::default().see(&Session {
                head,
                events: vec![event(said)],
            })
        };
        let note = |(n, line): (usize, String)| Memory {
            path: format!("/notes/{n}.md"),
            content: format!("- {line}\n"),
            frozen: false,
            by_person: false,
            updated_at: Some(0),
            reads: None,
        };
        let lines = [memory.clone()].into_iter().chain(texts(object, "others"));
        let mut input = Input {
            sessions: texts(object, "said")
                .into_iter()
                .enumerate()
                .map(session)
                .collect(),
            memories: lines.enumerate().map(note).collect(),
            ..Input::default()
        };
        input.vectors = meanings.of(&dream::wanted(&input));
        Self {
            memory,
            kind: text(object, "kind"),
            expect: object["expect"].as_str().map(str::to_owned),
            input,
        }
    }

    /// True if a value is the new one of the entry's line.
    fn is_new(&self, statement: &str, value: &str) -> bool {
        let (value, memory) = (value.to_lowercase(), self.memory.to_lowercase());
        let same = |expect: &String| {
            let expect = expect.to_lowercase();
            expect.contains(&value) || (value.contains(&expect) && !memory.contains(&value))
        };
        statement == self.memory && self.kind == "changed" && self.expect.as_ref().is_some_and(same)
    }

    fn is(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.kind.as_str())
    }
}

/// The training rows of the first two classifiers.
#[derive(Default)]
struct Rows {
    so_now: Vec<(Hashed, bool)>,
    line: Vec<(Vec<f64>, bool)>,
}

impl Rows {
    fn of(entries: &[Entry]) -> Self {
        let mut rows = Self::default();
        for entry in entries {
            with_reading(&entry.input, |reading: &Reading| {
                reading
                    .linked
                    .iter()
                    .for_each(|l| rows.add(entry, reading, l));
            });
        }
        rows
    }

    fn add(&mut self, entry: &Entry, reading: &Reading, linked: &Linked) {
        let (statement, _, value) = reading.labelled(linked);
        let new = entry.is_new(&entry.memory, value);
        if entry.is(&["contradicting"]) || (entry.is(&["changed"]) && !new) {
            return;
        }
        let own = statement == entry.memory;
        if own && !entry.is(&["other_thing"]) {
            self.so_now.push((reading.so_now(linked), new));
        }
        self.line.push((
            linked.link.to_vec(),
            own && !entry.is(&["other_thing", "other_owner"]),
        ));
    }
}

/// The first two classifiers; the third one is not looked at yet.
fn heads(rows: &[&Rows]) -> (Linear, Named) {
    let so_now: Vec<(&Hashed, bool)> = rows
        .iter()
        .flat_map(|r| &r.so_now)
        .map(|(h, yes)| (h, *yes))
        .collect();
    let line: Vec<(Vec<f64>, bool)> = rows.iter().flat_map(|r| r.line.clone()).collect();
    (learn::linear(&so_now, PACE), learn::named(&line, 1.0))
}

/// A group of mentions, with whether it states the new value of the entry's line, or is of an entry
/// that teaches nothing.
struct Example {
    group: Grouped,
    right: bool,
    teaches: bool,
    told: String,
}

fn examples(entries: &[Entry], (so_now, line): &(Linear, Named)) -> Vec<Vec<Example>> {
    let heads = Heads {
        so_now: so_now.clone(),
        line: line.clone(),
        change: learn::named(&[], 1.0),
    };
    let of = |entry: &Entry| {
        with_reading(&entry.input, |reading| {
            let example = |group: Grouped| {
                let (statement, said, value) = reading.labelled_group(&group);
                let (right, told) = (
                    entry.is_new(statement, value),
                    format!("{} | {statement} | {value} | {said}", entry.kind),
                );
                Example {
                    group,
                    right,
                    teaches: !entry.is(&["contradicting"]),
                    told,
                }
            };
            reading
                .grouped(&heads)
                .into_iter()
                .filter(|group| group.several)
                .map(example)
                .collect()
        })
    };
    entries.iter().map(of).collect()
}

fn taught<'a>(examples: impl Iterator<Item = &'a Example>) -> Named {
    let rows: Vec<(Vec<f64>, bool)> = examples
        .filter(|e| e.teaches)
        .map(|e| (e.group.values.to_vec(), e.right))
        .collect();
    learn::named(&rows, DECAY)
}

/// The development set of changed facts in the form of the others: the other lines of a memory are
/// those of the entries after it.
fn developed(folders: &Folders, meanings: &mut Meanings) -> Vec<Entry> {
    let facts = objects(&folders.training.join("../heldout/facts.json"));
    let line = |n: usize| text(&facts[n % facts.len()], "memory");
    let entry = |(n, fact): (usize, &serde_json::Value)| {
        let changed = fact["changed"] == true;
        let new = text(fact, "new_value");
        serde_json::json!({
            "memory": line(n),
            "others": [line(n + 7), line(n + 13)],
            "said": fact["messages"],
            "kind": if changed { "changed" } else { "trap" },
            "expect": changed.then_some(new),
        })
    };
    let entries: Vec<serde_json::Value> = facts.iter().enumerate().map(entry).collect();
    entries.iter().map(|o| Entry::read(o, meanings)).collect()
}

pub fn train(folders: &Folders, meanings: &mut Meanings) {
    let read = |n: usize, meanings: &mut Meanings| {
        objects(&folders.training.join(format!("changed_{n}.json")))
            .iter()
            .map(|o| Entry::read(o, meanings))
            .collect::<Vec<Entry>>()
    };
    let mut authors: Vec<Vec<Entry>> = (1..=5).map(|n| read(n, meanings)).collect();
    authors.push(developed(folders, meanings));
    let rows: Vec<Rows> = authors.iter().map(|entries| Rows::of(entries)).collect();
    let without = |left_out: &[usize]| {
        heads(
            &rows
                .iter()
                .enumerate()
                .filter(|(n, _)| !left_out.contains(n))
                .map(|(_, r)| r)
                .collect::<Vec<_>>(),
        )
    };
    let mut scores: Vec<(f64, bool, String)> = Vec::new();
    for held in 0..authors.len() {
        let inner = (0..authors.len())
            .filter(|n| *n != held)
            .flat_map(|n| examples(&authors[n], &without(&[held, n])))
            .flatten();
        let change = taught(inner.collect::<Vec<_>>().iter());
        for groups in examples(&authors[held], &without(&[held])) {
            // As the engine does: the best value of each line; here, of the entry.
            let best = groups
                .into_iter()
                .map(|e| (change.odds(&e.group.values), e))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            scores.extend(best.map(|(odds, e)| (odds, e.right, e.told)));
        }
    }
    let all = authors
        .iter()
        .flatten()
        .filter(|e| e.is(&["changed"]))
        .count();
    let traps = authors.iter().map(Vec::len).sum::<usize>() - all;
    println!(
        "changed facts: at most {:.3} of {all} can be found; {traps} traps",
        share(scores.iter().filter(|s| s.1).count(), all)
    );
    for least in [-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0] {
        let called = scores.iter().filter(|s| s.0 >= least);
        let (called, right) = (called.clone().count(), called.filter(|s| s.1).count());
        println!(
            "changed facts, log-odds from {least}: recall {:.3}, precision {:.3}",
            share(right, all),
            share(right, called)
        );
    }
    if std::env::var_os("LUCID_TRAIN_WRONG").is_some() {
        scores.sort_by(|a, b| b.0.total_cmp(&a.0));
        scores
            .iter()
            .filter(|s| !s.1 && s.0 > 0.0)
            .for_each(|s| println!("  {:.2} {}", s.0, s.2));
    }
    let all = (0..authors.len())
        .flat_map(|n| examples(&authors[n], &without(&[n])))
        .flatten()
        .collect::<Vec<_>>();
    let (so_now, line) = without(&[]);
    let findings = folders.engine.join("findings/changed");
    std::fs::write(findings.join("so_now.weights"), so_now.bytes())
        .expect("the weights are written");
    std::fs::write(findings.join("line.weights"), line.text(&LINK_NAMES))
        .expect("the weights are written");
    std::fs::write(
        findings.join("change.weights"),
        taught(all.iter()).text(&CHANGE_NAMES),
    )
    .expect("the weights are written");
}
