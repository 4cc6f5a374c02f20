//! Duplicates among memories: the same statements in the same order, word for word or but for what carries no meaning; and pairs of
//! statements that are only alike, which a person should look at and nobody merges.

use std::collections::BTreeMap;

use domain::{canonical::sha256_hex, changeset::ChangeKind, plural, statement::statements};

use crate::{
    similar::{self, Prepared},
    types::{Change, Disposition, Edit, Finding, Memory, Question, Support},
};

/// Most questions that one dream asks; what is over it waits for the next.
const MAX_QUESTIONS: usize = 20;
/// Least words of a statement that is asked about: shorter ones are alike by chance.
const QUESTION_WORDS: usize = 5;

/// What is double, and what is only alike.
pub struct Duplicates {
    /// Groups of memories that say the same.
    pub findings: Vec<Finding>,
    /// Statements of different memories that are alike.
    pub questions: Vec<Question>,
}

/// Every group of memories that say the same, and every pair of statements that is alike.
pub fn find(memories: &[Memory]) -> Duplicates {
    let said: Vec<Vec<String>> = memories.iter().map(|m| statements(&m.content)).collect();
    let prepared: Vec<Vec<Prepared>> = said.iter().map(|all| all.iter().map(|s| Prepared::of(s)).collect()).collect();
    let mut groups: BTreeMap<Vec<&[String]>, Vec<usize>> = BTreeMap::new();
    for (index, all) in prepared.iter().enumerate() {
        // A statement without words says nothing that could be compared; such a memory is left alone.
        if !all.is_empty() && all.iter().all(|p| !p.key().is_empty()) {
            groups.entry(all.iter().map(Prepared::key).collect()).or_default().push(index);
        }
    }
    let findings = groups.into_values().filter(|same| same.len() > 1).map(|same| merge(same, &said, memories)).collect();
    Duplicates { findings, questions: questions(&said, &prepared) }
}

fn merge(mut same: Vec<usize>, said: &[Vec<String>], memories: &[Memory]) -> Finding {
    // What a person vouched for stays; else the shortest path, which is the most general place.
    same.sort_by_key(|&i| {
        let m = &memories[i];
        (!m.frozen, !m.by_person, m.path.matches('/').count(), m.path.len(), m.path.clone())
    });
    let (&kept, copies) = same.split_first().unwrap_or((&0, &[]));
    let exact = same.iter().all(|&i| said[i] == said[kept]);
    let (kind, confidence_bp) = if exact { ("exact_duplicate", 9_900) } else { ("near_duplicate", 9_500) };
    let fingerprint = sha256_hex(format!("{kind}\0{}", said[kept].join("\0")).as_bytes());
    let title = format!("Merge {} of “{}”", plural::count(same.len(), "copy"), short(&said[kept][0]));
    let frozen = copies.iter().any(|&i| memories[i].frozen);
    let removals = copies.iter().map(|&i| Edit { memory: Some(i), path: memories[i].path.clone(), content: None });
    let keep = Edit { memory: Some(kept), path: memories[kept].path.clone(), content: Some(memories[kept].content.clone()) };
    let change = Change {
        kind: ChangeKind::Merge,
        rationale: rationale(exact, same.len(), &memories[kept].path),
        confidence_bp,
        tool_text: false,
        edits: std::iter::once(keep).chain(removals).collect(),
        quotes: Vec::new(),
    };
    let disposition =
        if frozen { Disposition::HeldBack("more than one of the copies is frozen".to_owned()) } else { Disposition::Proposed };
    let support = Support { occurrences: same.len(), ..Support::default() };
    Finding { kind, fingerprint, title, support, disposition, change: Some(change) }
}

fn rationale(exact: bool, count: usize, kept: &str) -> String {
    let memories = plural::count(count, "memory");
    if exact {
        return format!("{memories} say the same, statement for statement. `{kept}` stays as it is; the others go. No statement is lost.");
    }
    format!(
        "{memories} say the same, statement for statement; they differ in articles, punctuation, contractions or the case of a first word only. \
         `{kept}` stays as it is; the others go. Their wording is lost, nothing that they say."
    )
}

/// Statements of different memories that are alike, in the order of their memories.
fn questions(said: &[Vec<String>], prepared: &[Vec<Prepared>]) -> Vec<Question> {
    let long = |p: &Prepared| p.key().len() >= QUESTION_WORDS;
    let places: Vec<(usize, usize)> = prepared
        .iter()
        .enumerate()
        .flat_map(|(m, all)| all.iter().enumerate().filter(|(_, p)| long(p)).map(move |(s, _)| (m, s)))
        .collect();
    let all: Vec<Prepared> = places.iter().map(|&(m, s)| prepared[m][s].clone()).collect();
    let pairs = similar::alike_pairs(&all).into_iter().map(|(a, b)| (places[a], places[b]));
    let question = |((m, s), (n, t)): ((usize, usize), (usize, usize))| Question {
        memories: [m, n],
        statements: [said[m][s].clone(), said[n][t].clone()],
        title: format!("Do “{}” and “{}” say the same?", short(&said[m][s]), short(&said[n][t])),
    };
    pairs.filter(|((m, _), (n, _))| m != n).take(MAX_QUESTIONS).map(question).collect()
}

/// A statement for a title: short, and masked, because titles stand in lists and in the history for good.
fn short(text: &str) -> String {
    let text = domain::masking::mask(text);
    if text.chars().count() <= 60 { text } else { text.chars().take(59).chain(['…']).collect() }
}
