//! Rules that two people say in their own words, among sentences that are none; paraphrases,
//! contradictions and near-misses of a memory; facts that changed in natural words. Written by
//! somebody who did not see the engine, before it could do this; only ever measured.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::{LazyLock, Mutex},
};

use dream::{
    Finding, Input, Session,
    meaning::{Embedder, Vector},
};
use embed::SentenceModel;
use serde::Deserialize;

use crate::{
    airline::proposals,
    cases::{after, input, memory, says, session, store_with},
    figures::{Calls, ratio},
};

/// Rules in one window.
const TOGETHER: usize = 10;

#[derive(Deserialize)]
struct Voices {
    a: String,
    b: String,
}

#[derive(Deserialize)]
struct Several {
    rules: Vec<SeveralSay>,
    others: Vec<String>,
}

#[derive(Deserialize)]
struct SeveralSay {
    messages: Vec<String>,
}

#[derive(Deserialize)]
struct Pairs {
    paraphrases: Vec<[String; 2]>,
    contradictions: Vec<[String; 2]>,
    near_misses: Vec<[String; 2]>,
}

#[derive(Deserialize)]
struct Fact {
    memory: String,
    said: Vec<String>,
    expect: Option<String>,
}

static MODEL: LazyLock<Option<SentenceModel>> = LazyLock::new(|| {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../target/models/all-minilm-l6-v2"
    );
    SentenceModel::load(Path::new(folder))
        .inspect_err(|e| println!("SKIPPED: {e}"))
        .ok()
});
static KNOWN: LazyLock<Mutex<HashMap<String, Vector>>> = LazyLock::new(Mutex::default);

/// Gives the input its vectors, if there is a model.
pub fn with_meanings(mut input: Input) -> Input {
    let Some(model) = MODEL.as_ref() else {
        return input;
    };
    let mut known = KNOWN.lock().expect("nothing panicked while it was held");
    for text in dream::wanted(&input) {
        if !known.contains_key(&text) {
            let vector = model
                .embed(std::slice::from_ref(&text))
                .expect("the model works")
                .remove(0);
            known.insert(text.clone(), vector);
        }
        input.vectors.put(text.clone(), known[&text].clone());
    }
    input
}

/// Prints the figures, with a sentence model and without.
pub fn print() {
    for meanings in [false, true] {
        if meanings && MODEL.is_none() {
            return;
        }
        let ready = |input: Input| {
            if meanings {
                with_meanings(input)
            } else {
                input
            }
        };
        let how = if meanings { "by meaning" } else { "by words" };
        rules(how, ready);
        questions(how, ready);
        facts(how, ready);
    }
}

fn rules(how: &str, ready: impl Fn(Input) -> Input) {
    let rules: Vec<Voices> =
        serde_json::from_str(include_str!("heldout/voices_measured.json")).expect("a list");
    let distractors: Vec<String> =
        serde_json::from_str(include_str!("heldout/distractors_measured.json")).expect("a list");
    let two: Vec<Vec<String>> = rules.into_iter().map(|r| vec![r.a, r.b]).collect();
    voices(
        &format!("two voices, {how}, measured"),
        &two,
        &distractors,
        &ready,
    );
    let several: Several =
        serde_json::from_str(include_str!("heldout/several_voices_measured.json"))
            .expect("rules and others");
    let several_rules: Vec<Vec<String>> = several.rules.into_iter().map(|r| r.messages).collect();
    voices(
        &format!("3 to 5 voices, {how}, measured"),
        &several_rules,
        &several.others,
        &ready,
    );
}

/// Rules as several people say them, ten in one window among what is none.
fn voices(
    name: &str,
    rules: &[Vec<String>],
    distractors: &[String],
    ready: &impl Fn(Input) -> Input,
) {
    let (mut calls, mut found) = (Calls::default(), 0);
    for together in rules.chunks(TOGETHER) {
        // Each message in a session and by a person of its own; which rule it is of.
        let of_rule = together
            .iter()
            .enumerate()
            .flat_map(|(n, r)| r.iter().map(move |said| (Some(n), said)));
        let said: Vec<(Option<usize>, &String)> = of_rule
            .chain(distractors.iter().map(|d| (None, d)))
            .collect();
        let one = |(n, (_, text)): (usize, &(Option<usize>, &String))| {
            session(
                n,
                &format!("user-{n}"),
                1,
                vec![says("Hello, can you help me?"), says(text)],
            )
        };
        let sessions: Vec<Session> = said.iter().enumerate().map(one).collect();
        let mut right: BTreeSet<usize> = BTreeSet::new();
        for finding in proposals(&ready(input(
            &sessions,
            store_with("The house has two doors."),
        ))) {
            let quoted: BTreeSet<Option<usize>> = finding
                .change
                .iter()
                .flat_map(|c| &c.quotes)
                .map(|q| said[q.session].0)
                .collect();
            let voices = finding
                .change
                .iter()
                .flat_map(|c| &c.quotes)
                .map(|q| q.session)
                .collect::<BTreeSet<_>>()
                .len();
            let rule = quoted
                .first()
                .copied()
                .flatten()
                .filter(|_| quoted.len() == 1 && voices >= 2);
            calls.add(rule.is_some());
            right.extend(rule);
            if std::env::var_os("LUCID_EVAL_NOTES").is_some() {
                println!("  {}", after(&finding).lines().nth(2).unwrap_or_default());
            }
        }
        found += right.len();
    }
    calls.print(name);
    println!(
        "{:<34} {:>8} {found:>8} {:>8.3}",
        "  recall",
        rules.len(),
        ratio(found, rules.len())
    );
}

fn questions(how: &str, ready: impl Fn(Input) -> Input) {
    let pairs: Pairs = serde_json::from_str(include_str!("heldout/duplicates_measured.json"))
        .expect("three lists");
    let asked = |[a, b]: &[String; 2]| {
        let mut memories = store_with("The house has two doors.");
        memories.push(memory("/a/note.md", &format!("- {a}\n")));
        memories.push(memory("/b/other.md", &format!("- {b}\n")));
        let proposal = dream::run(
            &ready(Input {
                memories,
                ..Input::default()
            }),
            &mut |_| std::ops::ControlFlow::Continue(()),
        );
        let merged = |f: &Finding| f.is_proposed() && f.kind.ends_with("duplicate");
        proposal.is_some_and(|p| {
            p.questions.iter().any(|q| q.memories == [2, 3]) || p.findings.iter().any(merged)
        })
    };
    for (what, pairs) in [
        ("paraphrases asked", &pairs.paraphrases),
        ("contradictions asked", &pairs.contradictions),
        ("near-misses asked", &pairs.near_misses),
    ] {
        let n = pairs.iter().filter(|p| asked(p)).count();
        println!(
            "{:<34} {:>8} {n:>8} {:>8.3}",
            format!("{what}, {how}, measured"),
            pairs.len(),
            ratio(n, pairs.len())
        );
    }
}

fn facts(how: &str, ready: impl Fn(Input) -> Input) {
    let facts: Vec<Fact> =
        serde_json::from_str(include_str!("heldout/facts_voices_measured.json")).expect("a list");
    let (mut calls, mut found) = (Calls::default(), 0);
    for fact in &facts {
        let said = fact.said.iter().enumerate();
        let sessions: Vec<Session> = said
            .map(|(n, text)| {
                session(
                    n,
                    &format!("user-{n}"),
                    i64::try_from(n + 1).unwrap_or(1),
                    vec![says("Hello, can you help me?"), says(text)],
                )
            })
            .collect();
        let mut right = false;
        for finding in proposals(&ready(input(&sessions, store_with(&fact.memory))))
            .iter()
            .filter(|f| f.kind == "fact_changed")
        {
            let new = fact.expect.as_deref().is_some_and(|value| {
                after(finding)
                    .to_lowercase()
                    .contains(&value.to_lowercase())
            });
            calls.add(new);
            right |= new;
        }
        found += usize::from(right);
    }
    let changed = facts.iter().filter(|f| f.expect.is_some()).count();
    calls.print(&format!("changed facts, {how}, measured"));
    println!(
        "{:<34} {changed:>8} {found:>8} {:>8.3}",
        "  recall",
        ratio(found, changed)
    );
}
