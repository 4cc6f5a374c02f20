//! Facts that changed: a memory states a value, and later sessions state another one for the same
//! thing, again and again. The newest value must be stated by two subjects (else tasks, else
//! sessions) and nobody may have stated another one since. Sessions of unknown time say nothing
//! here, because nobody knows what was later.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{changeset::ChangeKind, scan, sensitive, statement::statements};

use super::changed::Statement;
use crate::{
    MIN_SUPPORT,
    compose::{self, short},
    curation::similar,
    reading::{Amount, Place, Stated, is_alike, same_value, stated_in, with_unit},
    types::{Change, Edit, Finding, Memory, fingerprint},
    window::Window,
};

/// The name of this kind of finding.
pub const KIND: &str = "fact_changed";

/// Different values of one thing that are shown against each other.
const MOST_VALUES: usize = 5;
/// Why a statement cannot be replaced.
pub const NOT_ALONE: &str =
    "the statement is in the memory more than once, or in another form; a person should change it";
/// The prefix of a statement that no longer holds and is kept.
const REPLACED: &str = "Replaced, no longer true:";

/// The memory with other words in a statement's place, and the same with the old ones kept below as
/// a quotation; none if the statement is in it more than once, or not as it is.
pub fn superseded(
    memory: &Memory,
    (index, statement): (usize, &str),
    new: &str,
) -> Option<(Edit, Edit)> {
    let quoted = format!("{new}\n\n{REPLACED}\n> {statement}\n");
    Some((
        edit(memory, (index, statement), new)?,
        edit(memory, (index, statement), &quoted)?,
    ))
}

/// Words beside a fact that do not make it another one: when it changed, who says so.
const SOFT: &[&str] = &[
    "day",
    "nowaday",
    "present",
    "moment",
    "time",
    "last",
    "week",
    "month",
    "year",
    "yesterday",
    "ago",
    "morning",
    "quarter",
    "apparently",
    "team",
    "colleague",
    "told",
    "heard",
    "learn",
    "everyone",
    "everybody",
    "thank",
    "hello",
    "hi",
    "yes",
    "well",
    "way",
    "also",
    "only",
    "finally",
    "officially",
    "permanently",
    "announced",
    "announc",
    "mean",
];

/// A statement of a memory that holds a value.
struct Fact<'a> {
    memory: usize,
    statement: &'a str,
    about: Vec<String>,
    values: Vec<String>,
    /// It tells of somebody else's.
    of_others: bool,
    /// The value that may change: the last one, after the copula.
    old: String,
    /// The same in its normal form.
    amount: Amount,
}

/// The statement of one session about it.
struct Heard {
    session: usize,
    at: i64,
    place: Place,
    value: String,
    aim: Aim,
    by_tool: bool,
}

/// Every fact of the memory that sessions contradict, but for statements of which a change is
/// proposed already.
pub fn find(window: &Window, said: &[Vec<String>], changed: &BTreeSet<Statement>) -> Vec<Finding> {
    let facts = facts(said, &window.input.memories);
    let mut by_word: HashMap<&str, Vec<usize>> = HashMap::new();
    for (n, fact) in facts.iter().enumerate() {
        // Any statement about it holds half of its words, so it holds one of any half and one more;
        // the longest are the rarest.
        let mut words: Vec<&String> = fact.about.iter().collect();
        words.sort_by_key(|w| std::cmp::Reverse((w.len(), *w)));
        for word in words.into_iter().take(fact.about.len() / 2 + 1) {
            by_word.entry(word).or_default().push(n);
        }
    }
    let mut heard: BTreeMap<usize, Vec<Heard>> = BTreeMap::new();
    for (index, session) in window.sessions() {
        let Some(at) = session.head.at else { continue };
        for stated in &session.features.stated {
            let near: BTreeSet<usize> = stated
                .about
                .iter()
                .filter_map(|w| by_word.get(w.as_str()))
                .flatten()
                .copied()
                .collect();
            for n in near {
                let fact = &facts[n];
                let later = window.input.memories[fact.memory]
                    .updated_at
                    .is_none_or(|written| at > written);
                let Some((value, aim)) = value_for(fact, stated).filter(|_| later) else {
                    continue;
                };
                let heard = heard.entry(n).or_default();
                // A sentence and a clause of it say it once.
                let again = |h: &&mut Heard| {
                    h.place.event == stated.at.event && same_value(&h.value, &value)
                };
                match heard
                    .iter_mut()
                    .rev()
                    .take_while(|h| h.session == index)
                    .find(again)
                {
                    Some(before) if before.aim == Aim::Sure || aim == Aim::Loose => {}
                    Some(before) => {
                        (before.place, before.aim, before.value) = (stated.at, aim, value);
                    }
                    None => heard.push(Heard {
                        session: index,
                        at,
                        place: stated.at,
                        value,
                        aim,
                        by_tool: stated.by_tool,
                    }),
                }
            }
        }
    }
    let is_changed = |n: usize| changed.contains(&(facts[n].memory, facts[n].statement.to_owned()));
    heard
        .into_iter()
        .filter(|(n, _)| !is_changed(*n))
        .filter_map(|(n, heard)| judge(&facts[n], heard, window))
        .collect()
}

fn facts<'a>(said: &'a [Vec<String>], memories: &[Memory]) -> Vec<Fact<'a>> {
    // A quotation is no statement of the memory's own.
    let own = |(m, s): &(usize, &String)| {
        !memories[*m]
            .content
            .lines()
            .any(|l| l.strip_prefix("> ").is_some_and(|q| q.trim() == s.as_str()))
    };
    let all = said
        .iter()
        .enumerate()
        .flat_map(|(m, all)| all.iter().map(move |s| (m, s)));
    all.filter(own).filter_map(|(m, s)| fact(m, s)).collect()
}

fn fact(memory: usize, statement: &str) -> Option<Fact<'_>> {
    let parted = stated_in(statement)?;
    let (old, after) = parted.values.last().cloned()?;
    let (about, amount, of_others) = (parted.about, Amount::of(&old), parted.of_others);
    // A value that is before the copula names the thing ("room 5 is closed"): another one is
    // another thing.
    after.then(|| Fact {
        memory,
        statement,
        about,
        values: parted.values.into_iter().map(|(v, _)| v).collect(),
        of_others,
        old,
        amount,
    })
}

/// How surely a session speaks of the fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// All of the fact's words, all but one and that it changed, or half of them and the old value:
    /// another value of the same thing.
    Sure,
    /// Half of its words and hardly another: it counts only for a value that somebody stated
    /// surely.
    Loose,
}

/// The value that a session states for the fact, if it is about the same thing; all other values
/// equal.
fn value_for(fact: &Fact, stated: &Stated) -> Option<(String, Aim)> {
    // Theirs is not ours, whatever it is.
    if stated.of_others != fact.of_others {
        return None;
    }
    let (all, said) = (
        fact.about.len(),
        fact.about
            .iter()
            .filter(|w| stated.about.binary_search(w).is_ok())
            .count(),
    );
    if said * 2 < all || said == 0 {
        return None;
    }
    let others = &fact.values[..fact.values.len() - 1];
    let rest: Vec<&String> = stated
        .values
        .iter()
        .filter(|v| !others.contains(v))
        .collect();
    if stated.values.iter().filter(|v| others.contains(v)).count() != others.len() {
        return None;
    }
    let is_old = |v: &str| v == fact.old || Amount::of(v).is(&fact.amount);
    // More words than the fact's are of another thing where words of the fact are missing; one for
    // another of three may be the same in other words, if the old value is named as well.
    let more = stated
        .about
        .iter()
        .filter(|w| !fact.about.contains(w) && !SOFT.contains(&w.as_str()))
        .count();
    let names_old = stated.was.iter().any(|v| is_old(v));
    let nearly = all >= 3 && said + 1 == all;
    let aim = if said == all {
        let sure = more <= usize::from(all >= 4 || names_old);
        if sure {
            Aim::Sure
        } else {
            (more <= 2).then_some(Aim::Loose)?
        }
    } else if more > usize::from(nearly) {
        return None;
    } else if names_old || (more == 0 && nearly && stated.changed) {
        Aim::Sure
    } else {
        Aim::Loose
    };
    // A value that is beside the old one, which is not said to be over, may be another thing's.
    let (one, more) = rest.split_first()?;
    if more.iter().any(|v| v != one) {
        return None;
    }
    if is_old(one) {
        return Some((fact.old.clone(), aim));
    }
    is_alike(one, &fact.old).then(|| (with_unit(one, &fact.old), aim))
}

fn judge(fact: &Fact, mut heard: Vec<Heard>, window: &Window) -> Option<Finding> {
    heard.sort_by(|a, b| {
        (a.at, &window.head(a.session).key, a.place).cmp(&(
            b.at,
            &window.head(b.session).key,
            b.place,
        ))
    });
    let newest = heard.iter().rfind(|h| h.aim == Aim::Sure)?.value.clone();
    // What is loosely about it counts for what somebody stated surely; where it says another value
    // it is only shown, as against it.
    let amount = Amount::of(&newest);
    let is_newest = |h: &Heard| h.value == newest || Amount::of(&h.value).is(&amount);
    let (heard, loosely): (Vec<Heard>, Vec<Heard>) = heard
        .into_iter()
        .partition(|h| h.aim == Aim::Sure || is_newest(h));
    if amount.is(&fact.amount) {
        return None;
    }
    // Since it was first stated, nobody may have stated another one.
    let since = heard
        .iter()
        .rposition(|h| !is_newest(h))
        .map_or(0, |n| n + 1);
    let (before, now) = heard.split_at(since);
    let mut support = window.support(now.iter().map(|h| h.session));
    support.eligible = heard
        .iter()
        .map(|h| h.session)
        .collect::<BTreeSet<_>>()
        .len();
    let memory = &window.input.memories[fact.memory];
    let named = |value: &str| named(&memory.path, fact.statement, value);
    // The same value in other words is the same finding; what was decided on before values had a
    // normal form is still known.
    let name = named(&newest);
    let title = format!("Now {}: {}", short(&newest), short(fact.statement));
    let mut finding = Finding::new(KIND, &name, title, support);
    finding.aliases = vec![fingerprint(
        KIND,
        &format!(
            "{}\0{}\0{}",
            memory.path,
            fact.statement,
            newest.to_lowercase()
        ),
    )];
    if let Some(reason) = unfit(&newest) {
        "another value for what a memory states".clone_into(&mut finding.title);
        return Some(finding.held_back(reason));
    }
    if finding.support.distinct() < MIN_SUPPORT {
        return Some(
            finding.held_back("the newest value was stated with one subject or task only"),
        );
    }
    let new = replaced(fact.statement, &fact.old, &newest);
    let Some((plain, kept)) =
        new.and_then(|new| superseded(memory, (fact.memory, fact.statement), &new))
    else {
        return Some(finding.held_back(NOT_ALONE));
    };
    let mut quotes = window.quotes(now.iter().map(|h| (h.session, h.place)), false);
    quotes.extend(window.quotes(
        before.iter().chain(&loosely).map(|h| (h.session, h.place)),
        true,
    ));
    finding.change = Some(Change {
        kind: ChangeKind::Supersede,
        rationale: format!(
            "The memory says “{}”. Since then sessions state `{newest}` {}, and the last other \
             value before that. Nobody stated another one since.",
            fact.statement,
            compose::times(now.len()),
        ),
        confidence_bp: 7_000,
        tool_text: now.iter().all(|h| h.by_tool),
        edits: vec![plain],
        quotes,
        // Where no more may be lost, the old statement stays below as a quotation.
        gentle: Some(vec![kept]),
    });
    Some(finding)
}

/// Returns what names the finding that a statement's value is another one now: the same value in
/// other words is the same finding.
pub fn named(path: &str, statement: &str, value: &str) -> String {
    format!("{path}\0{statement}\0{}", Amount::of(value).text())
}

/// Why a value must not be written to the memory.
pub fn unfit(value: &str) -> Option<&'static str> {
    if !sensitive::sensitive_spans(value).is_empty() {
        return Some("the new value is personal data or a credential");
    }
    if scan::has_hidden(value) || scan::holds_an_instruction(value) || value.chars().count() > 80 {
        return Some("the new value is no plain value");
    }
    None
}

/// The statement with the new value in the old one's place: the last time it is there as a word
/// of its own. None where a sign is before it, which is no part of the value.
fn replaced(statement: &str, old: &str, new: &str) -> Option<String> {
    // A value's words may be in other case in the statement.
    let (lower, wanted) = (statement.to_ascii_lowercase(), old.to_ascii_lowercase());
    let alone = |at: &usize| {
        let before = statement[..*at].chars().next_back();
        let after = statement[at + old.len()..].chars().next();
        ![before, after]
            .into_iter()
            .flatten()
            .any(char::is_alphanumeric)
    };
    let at = lower
        .match_indices(&wanted)
        .map(|(at, _)| at)
        .filter(alone)
        .last()?;
    let signed = statement[..at].ends_with(['-', '−', '+']);
    (!signed).then(|| format!("{}{new}{}", &statement[..at], &statement[at + old.len()..]))
}

/// The memory with other words in the statement's place, if it is there once, as it is.
fn edit(memory: &Memory, (index, statement): (usize, &str), new: &str) -> Option<Edit> {
    let mut places = Vec::new();
    let mut at = 0;
    for line in memory.content.split_inclusive('\n') {
        if statements(line).iter().any(|s| s == statement) {
            // A sentence of its own: nothing of another one before or after it.
            let own = |start: usize| {
                let (before, after) = (line[..start].trim_end(), &line[start + statement.len()..]);
                let begins = before
                    .chars()
                    .all(|c| matches!(c, '#' | '-' | '*' | '>' | ' '))
                    || before.ends_with(['.', '!', '?']);
                begins
                    && (after.trim().is_empty()
                        || after.starts_with(' ') && statement.ends_with(['.', '!', '?']))
            };
            places.extend(
                line.match_indices(statement)
                    .map(|(start, _)| start)
                    .filter(|&s| own(s))
                    .map(|s| at + s),
            );
        }
        at += line.len();
    }
    let [start] = places[..] else { return None };
    let rest = &memory.content[start + statement.len()..];
    let before = &memory.content[..start];
    // After lines of its own, what followed on the same line is a paragraph of its own.
    let content = if new.ends_with('\n') && !rest.is_empty() && !rest.starts_with('\n') {
        format!("{before}{new}\n{}", rest.trim_start_matches(' '))
    } else {
        format!("{before}{new}{rest}")
    };
    Some(Edit {
        memory: Some(index),
        path: memory.path.clone(),
        new_path: None,
        content: Some(content),
    })
}

/// Pairs of the memory's own statements that say different values of the same thing, or the
/// opposite: for a person to look at.
pub fn contradictions(
    memories: &[Memory],
    said: &[Vec<String>],
) -> Vec<((usize, String), (usize, String))> {
    let facts = facts(said, memories);
    let mut by_about: BTreeMap<(&[String], &[String]), Vec<&Fact>> = BTreeMap::new();
    for fact in &facts {
        by_about
            .entry((&fact.about, &fact.values[..fact.values.len() - 1]))
            .or_default()
            .push(fact);
    }
    let mut found = Vec::new();
    for same in by_about.values() {
        // One for each value: a thousand memories that agree are no contradiction.
        let mut apart: Vec<&Fact> = Vec::new();
        for fact in same {
            if apart.len() < MOST_VALUES && !apart.iter().any(|a| a.amount.is(&fact.amount)) {
                apart.push(fact);
            }
        }
        let pairs = apart.windows(2).filter(|p| is_alike(&p[0].old, &p[1].old));
        found.extend(pairs.map(|p| {
            (
                (p[0].memory, p[0].statement.to_owned()),
                (p[1].memory, p[1].statement.to_owned()),
            )
        }));
    }
    found.extend(negations(said));
    found
}

/// Pairs that are equal but for a negation.
fn negations(said: &[Vec<String>]) -> Vec<((usize, String), (usize, String))> {
    let mut plain: BTreeMap<Vec<String>, (usize, &String)> = BTreeMap::new();
    let mut negated: Vec<(Vec<String>, usize, &String)> = Vec::new();
    for (memory, statement) in said
        .iter()
        .enumerate()
        .flat_map(|(m, all)| all.iter().map(move |s| (m, s)))
    {
        let words = similar::content_words(statement);
        let (without, is_negated) = similar::without_negation(words);
        if without.len() < 2 {
            continue;
        }
        if is_negated {
            negated.push((without, memory, statement));
        } else {
            plain.entry(without).or_insert((memory, statement));
        }
    }
    let pair = |(key, memory, statement): (Vec<String>, usize, &String)| {
        plain
            .get(&key)
            .map(|(m, s)| ((*m, (*s).clone()), (memory, statement.clone())))
    };
    negated.into_iter().filter_map(pair).collect()
}
