//! The second pass: which changes follow from all observations together, beside what the memory
//! says and what reviewers turned down.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Write,
};

use domain::masking::mask;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ANSWER_TOKENS, Action, Candidate, Found, Item, Observation, Second, THOUGHTS, Topic,
    answer::is_line,
    folded, list, marked,
    observe::{STATEMENT_CHARS, head},
    task, text,
};
use crate::{
    curation::similar,
    model::{Ask, Role},
    types::{Head, Memory},
};

/// Bytes of observations in one request: with the memory beside them some 20,000 tokens.
const PART_BYTES: usize = 40_000;
/// Requests of one dream at most; the observations that most people share come first.
pub const MOST_PARTS: usize = 12;
/// Bytes of the memory that stand whole in one request.
const MEMORY_BYTES: usize = 32_000;
/// Bytes of one note that are shown.
const NOTE_BYTES: usize = 8_000;
/// Other notes of which path and title are shown.
const OTHERS: usize = 300;
/// Rejected proposals that are shown, the newest ones.
const MOST_REJECTED: usize = 40;
/// Notes that are looked up for one observation.
const NOTES_EACH: usize = 2;
/// Share of an observation's words, weighed by how rare they are, that a note must have to be shown
/// whole, in percent.
const TOUCHED_PERCENT: f64 = 25.0;
/// Share of common words (Dice) from which two observations are put beside each other, in percent.
const BESIDE_PERCENT: usize = 34;
/// A word in more observations than these does not bring any two together.
const COMMON_WORD: usize = 50;
/// Most changes of one answer.
const MOST: usize = 20;
/// Lines that a change writes or replaces.
const MOST_LINES: usize = 6;
/// Observations that a change names.
const MOST_NAMED: usize = 40;
/// Longest title, in characters.
const TITLE_CHARS: usize = 80;

/// A change as a model gives it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Raw {
    pub action: Action,
    pub kind: Topic,
    pub title: String,
    /// The lines that it would write.
    pub statements: Vec<String>,
    /// Paths of the notes that it is about.
    #[serde(default)]
    pub targets: Vec<String>,
    /// Lines of these that would go.
    #[serde(default)]
    pub replaces: Vec<String>,
    #[serde(default)]
    pub new_path: String,
    /// Ids of the observations that it rests on.
    #[serde(default)]
    pub observations: Vec<String>,
    /// Why, in one line.
    #[serde(default)]
    pub reason: String,
}

impl Item for Raw {
    const LIST: &'static str = "changes";
    const MOST: usize = MOST;

    fn wrong(&self) -> Option<&'static str> {
        if !is_line(&self.title, TITLE_CHARS) {
            return Some("title is empty, has several lines or more than 80 characters");
        }
        if self.statements.len() > MOST_LINES
            || self.statements.iter().any(|s| !is_line(s, STATEMENT_CHARS))
        {
            return Some(
                "statements are more than 6, or one is empty, has several lines or more than 240 \
                 characters",
            );
        }
        let targets = self.targets.len();
        match self.action {
            Action::Add if self.statements.is_empty() => Some("an `add` has no statements"),
            Action::Add if targets > 0 => {
                Some("an `add` names targets; use `update` for a note that is there")
            }
            Action::Update if targets != 1 => Some("an `update` names one target"),
            Action::Update if self.statements.is_empty() && self.replaces.is_empty() => {
                Some("an `update` changes nothing")
            }
            Action::Merge if targets < 2 => Some("a `merge` names fewer than two targets"),
            Action::Move if targets != 1 || self.new_path.is_empty() => {
                Some("a `move` names one target and a new_path")
            }
            Action::Remove if targets != 1 => Some("a `remove` names one target"),
            _ => None,
        }
    }
}

/// A proposal that reviewers turned down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    pub title: String,
    pub why: String,
}

/// The inputs of a request for changes.
pub struct Sources<'a> {
    /// The observations of all sessions.
    pub observations: &'a [Observation],
    /// What is known of each session, by its key.
    pub heads: &'a HashMap<String, Head>,
    pub memories: &'a [Memory],
    /// The words of each note, by [`words_of`].
    pub notes: &'a [BTreeSet<String>],
    pub rejected: &'a [Rejected],
    pub instructions: Option<&'a str>,
}

/// Observations that are asked about together, by index: those that share words beside each other,
/// those that most people share first.
#[must_use]
pub fn parts(sources: &Sources) -> Vec<Vec<usize>> {
    let all = sources.observations;
    let words: Vec<BTreeSet<String>> = all
        .iter()
        .map(|o| similar::content_words(&o.statement).into_iter().collect())
        .collect();
    let mut holders: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (n, words) in words.iter().enumerate() {
        for word in words {
            holders.entry(word).or_default().push(n);
        }
    }
    let mut root: Vec<usize> = (0..all.len()).collect();
    for same in holders.values().filter(|h| h.len() <= COMMON_WORD) {
        for (k, &a) in same.iter().enumerate() {
            for &b in &same[k + 1..] {
                let common = words[a].intersection(&words[b]).count();
                if 200 * common >= BESIDE_PERCENT * (words[a].len() + words[b].len()) {
                    join(&mut root, a, b);
                }
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for n in 0..all.len() {
        groups.entry(find(&mut root, n)).or_default().push(n);
    }
    let who = |n: &usize| {
        let session = all[*n].session();
        let head = sources.heads.get(session);
        head.and_then(|h| h.subject.as_deref().or(h.task.as_deref()))
            .unwrap_or(session)
    };
    let mut groups: Vec<(usize, Vec<usize>)> = groups
        .into_values()
        .map(|g| (g.iter().map(who).collect::<BTreeSet<_>>().len(), g))
        .collect();
    groups.sort_by_key(|(people, group)| (std::cmp::Reverse((*people, group.len())), group[0]));
    let (mut parts, mut bytes): (Vec<Vec<usize>>, usize) = (Vec::new(), usize::MAX);
    for n in groups.into_iter().flat_map(|(_, group)| group) {
        let size = line(n, &all[n], sources).len();
        if bytes.saturating_add(size) > PART_BYTES {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.push(n);
        }
    }
    parts
}

fn find(root: &mut [usize], mut n: usize) -> usize {
    while root[n] != n {
        root[n] = root[root[n]];
        n = root[n];
    }
    n
}

fn join(root: &mut [usize], a: usize, b: usize) {
    let (a, b) = (find(root, a), find(root, b));
    root[a.max(b)] = a.min(b);
}

/// Returns what is asked of a part of the observations.
#[must_use]
pub fn ask(part: &[usize], sources: &Sources) -> Ask {
    let mut text = String::new();
    let touched = touched(part, sources);
    for &n in &touched {
        let memory = &sources.memories[n];
        let mut content = mask(&memory.content);
        if let Some((at, _)) = content.char_indices().find(|(at, _)| *at >= NOTE_BYTES) {
            content.truncate(at);
            content.push_str("\n(and so on)");
        }
        let kept = if memory.frozen {
            " (frozen: nobody but a person changes it)"
        } else {
            ""
        };
        text.push_str(&marked(
            "memory",
            "",
            &format!("path: {}{kept}\n{}\n", memory.path, content.trim_end()),
        ));
    }
    let rest = sources
        .memories
        .iter()
        .enumerate()
        .filter(|(n, m)| m.is_shared() && !touched.contains(n));
    let others: Vec<String> = rest.take(OTHERS).map(title).collect();
    if !others.is_empty() {
        text.push_str("Other notes, by path and first line:\n");
        text.push_str(&marked("others", "", &others.concat()));
    }
    if !sources.rejected.is_empty() {
        let one = |r: &Rejected| format!("- {} ({})\n", mask(&r.title), r.why);
        text.push_str("Reviewers turned these down:\n");
        text.push_str(&marked(
            "rejected",
            "",
            &sources
                .rejected
                .iter()
                .take(MOST_REJECTED)
                .map(one)
                .collect::<String>(),
        ));
    }
    text.push_str("The observations:\n");
    text.push_str(&marked(
        "observations",
        "",
        &part
            .iter()
            .map(|&n| line(n, &sources.observations[n], sources))
            .collect::<String>(),
    ));
    Ask {
        system: task(super::PROMPTS[1], sources.instructions),
        turns: vec![(Role::User, text)],
        schema: schema(),
        max_tokens: ANSWER_TOKENS,
    }
}

/// The words of each note, by which those that matter are looked up: made once for all requests of
/// a dream.
#[must_use]
pub fn words_of(memories: &[Memory]) -> Vec<BTreeSet<String>> {
    let words = |m: &Memory| {
        similar::content_words(&format!(
            "{} {}",
            m.path.replace(['/', '-'], " "),
            m.content
        ))
        .into_iter()
        .collect()
    };
    memories.iter().map(words).collect()
}

fn title((_, memory): (usize, &Memory)) -> String {
    let first = memory
        .content
        .lines()
        .find(|l| !l.trim().is_empty())
        .unwrap_or_default();
    format!(
        "- {}: {}\n",
        memory.path,
        mask(first.trim()).chars().take(120).collect::<String>()
    )
}

/// An observation as it is shown, with its id.
fn line(n: usize, observation: &Observation, sources: &Sources) -> String {
    let known = sources
        .heads
        .get(observation.session())
        .map(head)
        .unwrap_or_default();
    let mut text = format!(
        "o{} {} {known}\n  {}\n",
        n + 1,
        json!(observation.topic).as_str().unwrap_or_default(),
        observation.statement
    );
    for quote in &observation.quotes {
        let _ = writeln!(
            text,
            "  {}: {}",
            json!(quote.by).as_str().unwrap_or_default(),
            json!(mask(&quote.text))
        );
    }
    text
}

/// Notes that are shown whole, by index: all of a small memory; else those that share enough rare
/// words with some observation of the part, those that share most first, as many as fit.
fn touched(part: &[usize], sources: &Sources) -> Vec<usize> {
    let shared: Vec<usize> = (0..sources.memories.len())
        .filter(|n| sources.memories[*n].is_shared())
        .collect();
    if shared
        .iter()
        .map(|n| sources.memories[*n].content.len().min(NOTE_BYTES))
        .sum::<usize>()
        <= MEMORY_BYTES
    {
        return shared;
    }
    let notes = sources.notes;
    let mut in_notes: HashMap<&str, usize> = HashMap::new();
    for word in notes.iter().flatten() {
        *in_notes.entry(word).or_default() += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of notes")]
    let weight = |word: &str| {
        (1.0 + notes.len() as f64 / in_notes.get(word).copied().unwrap_or(1) as f64).ln()
    };
    let mut best: BTreeMap<usize, f64> = BTreeMap::new();
    for &n in part {
        let words: BTreeSet<String> = similar::content_words(&sources.observations[n].statement)
            .into_iter()
            .collect();
        let whole: f64 = words.iter().map(|w| weight(w)).sum();
        let mut shares: Vec<(f64, usize)> = notes
            .iter()
            .enumerate()
            .map(|(m, note)| {
                (
                    100.0 * words.intersection(note).map(|w| weight(w)).sum::<f64>()
                        / whole.max(f64::EPSILON),
                    m,
                )
            })
            .filter(|(share, m)| *share >= TOUCHED_PERCENT && sources.memories[*m].is_shared())
            .collect();
        shares.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (share, m) in shares.into_iter().take(NOTES_EACH) {
            let kept = best.entry(m).or_insert(share);
            *kept = kept.max(share);
        }
    }
    let mut order: Vec<(usize, f64)> = best.into_iter().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut bytes = 0;
    let mut fits = |n: &usize| {
        bytes += sources.memories[*n].content.len().min(NOTE_BYTES);
        bytes <= MEMORY_BYTES
    };
    let mut kept: Vec<usize> = order
        .into_iter()
        .map(|(n, _)| n)
        .take_while(|n| fits(n))
        .collect();
    kept.sort_unstable();
    kept
}

/// Of the answer. Servers that hold a model to a schema write the properties in the order of their
/// names: `analysis` comes first.
fn schema() -> Value {
    let lines = || list(text(STATEMENT_CHARS), MOST_LINES);
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["analysis", "changes"],
        "properties": {"analysis": list(text(THOUGHTS.1), THOUGHTS.0), "changes": list(json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["action", "kind", "title", "statements", "targets", "replaces", "new_path", "observations", "reason"],
            "properties": {
                "action": {"type": "string", "enum": [Action::Add, Action::Update, Action::Merge, Action::Move, Action::Remove]},
                "kind": {"type": "string", "enum": [Topic::Preference, Topic::Fact, Topic::Failure, Topic::Workflow]},
                "title": text(TITLE_CHARS),
                "statements": lines(),
                "targets": lines(),
                "replaces": lines(),
                "new_path": text(STATEMENT_CHARS),
                "observations": list(text(8), MOST_NAMED),
                "reason": text(STATEMENT_CHARS),
            },
        }), MOST)},
    })
}

/// The change with the quotes of the observations that it names.
#[must_use]
pub fn ground(raw: Raw, observations: &[Observation], model: &str) -> Candidate {
    let named: BTreeSet<usize> = raw
        .observations
        .iter()
        .filter_map(|id| {
            id.trim()
                .strip_prefix('o')?
                .parse::<usize>()
                .ok()?
                .checked_sub(1)
        })
        .collect();
    let mut quotes: Vec<Found> = Vec::new();
    for quote in named
        .iter()
        .filter_map(|n| observations.get(*n))
        .flat_map(|o| &o.quotes)
    {
        if !quotes.contains(quote) {
            quotes.push(quote.clone());
        }
    }
    Candidate {
        model: model.to_owned(),
        action: raw.action,
        topic: raw.kind,
        title: folded(&raw.title),
        statements: raw
            .statements
            .iter()
            .map(|s| folded(s.trim().trim_start_matches(['-', '*', '#', ' '])))
            .collect(),
        targets: {
            let mut seen = BTreeSet::new();
            raw.targets
                .into_iter()
                .filter(|t| seen.insert(t.clone()))
                .collect()
        },
        replaces: raw.replaces,
        new_path: Some(raw.new_path).filter(|p| !p.is_empty()),
        reason: folded(&raw.reason).chars().take(STATEMENT_CHARS).collect(),
        quotes,
        second: Second::None,
    }
}
