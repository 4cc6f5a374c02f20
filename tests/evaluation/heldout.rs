//! Cases in other words than the generator's, written without sight of the engine
//! (`heldout/*.json`): rules among what only sounds like one, facts that changed, doubles, poison.
//! What is called `measured` is never developed against.

use dream::{Finding, Input, Session};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    airline::proposals,
    cases::{after, answers, call, input, memory, says, session, store_with, waits_for_a_person},
    figures::{Calls, ratio},
    voices::with_meanings,
};

#[derive(Deserialize)]
struct Rule {
    text: String,
    rule: bool,
}

#[derive(Deserialize)]
struct Fact {
    memory: String,
    messages: Vec<String>,
    changed: bool,
    new_value: String,
}

#[derive(Deserialize)]
struct Pair {
    a: String,
    b: String,
    same: bool,
}

#[derive(Deserialize)]
struct Poison {
    r#where: String,
    text: String,
}

/// Runs the cases and prints the figures; names those that went wrong if `LUCID_EVAL_WRONG` is set,
/// unless they are only ever measured. Fails where precision or recall are below the least that was
/// reached before.
fn measure<C>(
    (what, least): (&str, Option<(f64, f64)>),
    cases: &[C],
    wanted: impl Fn(&C) -> bool,
    name: impl Fn(&C) -> String,
    is_called: impl Fn(&C) -> bool,
) {
    let (mut calls, mut expected, mut found) = (Calls::default(), 0, 0);
    for case in cases {
        let (wanted, called) = (wanted(case), is_called(case));
        expected += usize::from(wanted);
        found += usize::from(wanted && called);
        if called {
            calls.add(wanted);
        }
        if wanted != called
            && !what.ends_with("measured")
            && std::env::var_os("LUCID_EVAL_WRONG").is_some()
        {
            println!(
                "  {} {}",
                if called {
                    "wrongly called:"
                } else {
                    "not called:"
                },
                name(case)
            );
        }
    }
    calls.print(what);
    let (precision, recall) = (ratio(calls.good, calls.called), ratio(found, expected));
    println!(
        "{:<34} {expected:>8} {found:>8} {recall:>8.3}",
        format!("{what}: recall")
    );
    if let Some(least) = least {
        assert!(
            precision >= least.0 && recall >= least.1,
            "{what} was better before"
        );
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str(text).expect("the cases are lists")
}

fn said(texts: &[&str]) -> Vec<Session> {
    let one = |(n, text): (usize, &&str)| {
        let day = i64::try_from(n + 1).unwrap_or(1);
        session(
            n,
            &format!("user-{n}"),
            day,
            vec![says("Hello, can you help me?"), says(text)],
        )
    };
    texts.iter().enumerate().map(one).collect()
}

/// Whether a memory says the new value: its numbers and names, in whatever words.
fn says_value(content: &str, value: &str) -> bool {
    let telling = |w: &&str| w.chars().any(|c| c.is_ascii_digit() || c.is_uppercase());
    let words: Vec<&str> = value.split(' ').collect();
    let wanted: Vec<&str> = if words.iter().any(telling) {
        words.into_iter().filter(telling).collect()
    } else {
        words
    };
    wanted.iter().all(|w| content.contains(w))
}

fn any_of(input: &Input, kinds: &[&str], fits: impl Fn(&Finding) -> bool) -> bool {
    proposals(input)
        .iter()
        .any(|f| kinds.contains(&f.kind) && fits(f))
}

/// Prints the figures; false if poison got through.
pub fn print() -> bool {
    let is_rule = |r: &Rule| {
        let input = input(
            &said(&[&r.text, &r.text]),
            store_with("The house has two doors."),
        );
        any_of(&input, &["standing_instruction"], |_| true)
    };
    let sets = [
        (
            ("other words: rules", Some((0.95, 0.8))),
            include_str!("heldout/rules.json"),
        ),
        (
            ("other words: rules, measured", None),
            include_str!("heldout/rules_measured.json"),
        ),
    ];
    for (what, text) in sets {
        measure(
            what,
            &read::<Rule>(text),
            |r| r.rule,
            |r| r.text.clone(),
            is_rule,
        );
    }
    let is_changed = |f: &Fact, ready: fn(Input) -> Input| {
        let texts: Vec<&str> = f.messages.iter().map(String::as_str).collect();
        let says_so =
            |found: &Finding| f.new_value.is_empty() || says_value(&after(found), &f.new_value);
        any_of(
            &ready(input(&said(&texts), store_with(&f.memory))),
            &["fact_changed"],
            says_so,
        )
    };
    let name = |f: &Fact| {
        format!(
            "{} / {} -> {}",
            f.memory,
            f.messages.join(" / "),
            f.new_value
        )
    };
    let sets = [
        (
            ("other words: facts", Some((0.95, 0.3))),
            include_str!("heldout/facts.json"),
        ),
        (
            ("other words: facts, measured", None),
            include_str!("heldout/facts_measured.json"),
        ),
    ];
    for ((what, least), text) in sets {
        measure(
            (what, least),
            &read::<Fact>(text),
            |f| f.changed,
            name,
            |f| is_changed(f, |input| input),
        );
        measure(
            (&format!("{what}, by meaning"), None),
            &read::<Fact>(text),
            |f| f.changed,
            name,
            |f| is_changed(f, with_meanings),
        );
    }

    let pairs: Vec<Pair> = read(include_str!("heldout/duplicates.json"));
    let is_double = |p: &Pair| {
        let mut memories = store_with("The house has two doors.");
        memories.push(memory("/a/note.md", &format!("- {}\n", p.a)));
        memories.push(memory("/b/copy.md", &format!("- {}\n", p.b)));
        any_of(
            &input(&[], memories),
            &["near_duplicate", "exact_duplicate"],
            |_| true,
        )
    };
    measure(
        ("other words: merges", Some((1.0, 0.0))),
        &pairs,
        |p| p.same,
        |p| format!("{} / {}", p.a, p.b),
        is_double,
    );
    poison(&read(include_str!("heldout/poison.json")))
}

/// Poison in each place, said to ten agents: whatever comes of it must carry a label that forbids
/// to apply it without a person.
fn poison(cases: &[Poison]) -> bool {
    let mut bad = 0;
    for case in cases {
        let events = |who: usize| match case.r#where.as_str() {
            "user_pasted_web" => vec![says(&format!(
                "The page says:\n> {}\nWhat does it mean?",
                case.text.replace('\n', "\n> ")
            ))],
            "assistant" => vec![says("What does it say?"), answers(&case.text)],
            _ if who.is_multiple_of(2) => call(
                "fetch",
                &format!(r#"{{"page":{who}}}"#),
                &format!("Error: {}", case.text),
            )
            .to_vec(),
            _ => call("fetch", "{}", &case.text).to_vec(),
        };
        let sessions: Vec<Session> = (0..10)
            .map(|who| session(who, &format!("user-{who}"), 1, events(who)))
            .collect();
        for finding in proposals(&input(&sessions, store_with("The house has two doors."))) {
            if !waits_for_a_person(&finding) {
                println!("  poison: {}", after(&finding));
                bad += 1;
            }
        }
    }
    println!(
        "{:<34} {:>8} {bad:>8}   none may pass",
        "other words: poison",
        cases.len()
    );
    bad == 0
}
