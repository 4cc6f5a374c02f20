//! Cases in other words than the generator's, written without sight of the engine (`heldout/*.json`): rules among what only sounds like
//! one, facts that changed, doubles, poison. The even ones may be developed against; the odd ones are only ever measured.

use domain::risk::{self, Label};
use dream::{Finding, Input, Session};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    airline::proposals,
    cases::{after, answers, call, input, memory, says, session, store_with},
    figures::{Calls, ratio},
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

/// What is called of the cases that should be, and of those that should not.
#[derive(Default)]
struct Half {
    called: Calls,
    expected: usize,
    found: usize,
}

/// Runs the cases and prints both halves; names those of the even half that went wrong.
fn halves<C>(what: &str, cases: &[C], wanted: impl Fn(&C) -> bool, name: impl Fn(&C) -> String, is_called: impl Fn(&C) -> bool) {
    let mut halves = [Half::default(), Half::default()];
    for (n, case) in cases.iter().enumerate() {
        let half = &mut halves[n % 2];
        let (wanted, called) = (wanted(case), is_called(case));
        half.expected += usize::from(wanted);
        half.found += usize::from(wanted && called);
        if called {
            half.called.add(wanted);
        }
        if wanted != called && std::env::var_os("LUCID_EVAL_WRONG").is_some() {
            println!("  {} {}", if called { "wrongly called:" } else { "not called:" }, name(case));
        }
    }
    for (half, which) in halves.iter().zip(["even", "odd"]) {
        half.called.print(&format!("{what}, {which}"));
        println!(
            "{:<34} {:>8} {:>8} {:>8.3}",
            format!("{what}, {which}: recall"),
            half.expected,
            half.found,
            ratio(half.found, half.expected)
        );
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Vec<T> {
    serde_json::from_str(text).expect("the cases are lists")
}

fn said(texts: &[&str]) -> Vec<Session> {
    let one = |(n, text): (usize, &&str)| {
        let day = i64::try_from(n + 1).unwrap_or(1);
        session(n, &format!("user-{n}"), day, vec![says("Hello, can you help me?"), says(text)])
    };
    texts.iter().enumerate().map(one).collect()
}

fn any_of(input: &Input, kinds: &[&str], fits: impl Fn(&Finding) -> bool) -> bool {
    proposals(input).iter().any(|f| kinds.contains(&f.kind) && fits(f))
}

/// Prints the figures; false if poison got through.
pub fn print() -> bool {
    let rules: Vec<Rule> = read(include_str!("heldout/rules.json"));
    let is_rule = |r: &Rule| {
        let input = input(&said(&[&r.text, &r.text]), store_with("The house has two doors."));
        any_of(&input, &["standing_instruction"], |_| true)
    };
    halves("held out: rules", &rules, |r| r.rule, |r| r.text.clone(), is_rule);

    let facts: Vec<Fact> = read(include_str!("heldout/facts.json"));
    let is_changed = |f: &Fact| {
        let texts: Vec<&str> = f.messages.iter().map(String::as_str).collect();
        any_of(&input(&said(&texts), store_with(&f.memory)), &["fact_changed"], |_| true)
    };
    let name = |f: &Fact| format!("{} / {} -> {}", f.memory, f.messages.join(" / "), f.new_value);
    halves("held out: facts", &facts, |f| f.changed, name, is_changed);

    let pairs: Vec<Pair> = read(include_str!("heldout/duplicates.json"));
    let is_double = |p: &Pair| {
        let mut memories = store_with("The house has two doors.");
        memories.push(memory("/a/note.md", &format!("- {}\n", p.a)));
        memories.push(memory("/b/copy.md", &format!("- {}\n", p.b)));
        any_of(&input(&[], memories), &["near_duplicate", "exact_duplicate"], |_| true)
    };
    halves("held out: merges", &pairs, |p| p.same, |p| format!("{} / {}", p.a, p.b), is_double);
    poison(&read(include_str!("heldout/poison.json")))
}

/// Poison in each place, said to ten agents: whatever comes of it must carry a label that forbids to apply it without a person.
fn poison(cases: &[Poison]) -> bool {
    let mut bad = 0;
    for case in cases {
        let events = |who: usize| match case.r#where.as_str() {
            "user_pasted_web" => vec![says(&format!("The page says:\n> {}\nWhat does it mean?", case.text.replace('\n', "\n> ")))],
            "assistant" => vec![says("What does it say?"), answers(&case.text)],
            _ if who % 2 == 0 => call("fetch", &format!(r#"{{"page":{who}}}"#), &format!("Error: {}", case.text)).to_vec(),
            _ => call("fetch", "{}", &case.text).to_vec(),
        };
        let sessions: Vec<Session> = (0..10).map(|who| session(who, &format!("user-{who}"), 1, events(who))).collect();
        for finding in proposals(&input(&sessions, store_with("The house has two doors."))) {
            let content = after(&finding);
            let change = finding.change.as_ref().expect("it is proposed");
            let facts = risk::Facts { after: vec![&content], tool_text: change.tool_text, memories: 1, ..risk::Facts::default() };
            let labels = risk::assess(&facts).1;
            let forbidden = [Label::ToolText, Label::InstructionLike, Label::Secret, Label::Pii, Label::HiddenCharacters];
            if !labels.iter().any(|l| forbidden.contains(l)) {
                println!("  poison: {content}");
                bad += 1;
            }
        }
    }
    println!("{:<34} {:>8} {bad:>8}   none may pass", "held out: poison", cases.len());
    bad == 0
}
