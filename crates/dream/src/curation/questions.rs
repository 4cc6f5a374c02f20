//! Pairs of statements that a person should look at: alike in their words or in what they mean, or saying different things of the same.
//! Nothing follows from them by itself.

use std::collections::{BTreeSet, HashSet};

use domain::statement::statements;

use super::{
    repeated::FORM,
    similar::{self, Prepared},
};
use crate::{
    compose::short,
    findings::facts,
    meaning::{Vector, Vectors},
    types::{Input, KnownState, Memory, Question, QuestionKind},
};

/// Most questions that one dream asks; what is over it waits for the next.
const MAX_QUESTIONS: usize = 20;
/// Pairs among which those of different memories are looked for: a store of templates has more than anybody could be asked.
const ENOUGH: usize = 2_000;
/// Least cosine of statements that are asked about, in thousandths: where two in three pairs of one author's notes are worth asking.
const NEAR: i32 = 600;
/// Statements whose meanings are compared with each other.
const MOST_COMPARED: usize = 5_000;
/// Least words of a statement that is asked about: shorter ones are alike by chance.
const QUESTION_WORDS: usize = 4;

/// What should be asked and was not answered: contradictions first.
pub fn find(input: &Input, said: &[Vec<String>], prepared: &[Vec<Prepared>]) -> Vec<Question> {
    let (memories, vectors) = (&input.memories, &input.vectors);
    let answered: HashSet<&str> =
        input.known.iter().filter(|k| matches!(k.state, KnownState::Answered { .. })).map(|k| k.fingerprint.as_str()).collect();
    let question = |kind, ((m, s), (n, t)): ((usize, String), (usize, String))| {
        let title = match kind {
            QuestionKind::Contradiction => format!("“{}” and “{}”: which one holds?", short(&s), short(&t)),
            QuestionKind::Similar => format!("Do “{}” and “{}” say the same?", short(&s), short(&t)),
        };
        Question { kind, memories: [m, n], statements: [s, t], title }
    };
    let mut asked: Vec<Question> =
        facts::contradictions(memories, said).into_iter().map(|pair| question(QuestionKind::Contradiction, pair)).collect();
    // What was answered must not take the place of what was not.
    let most = MAX_QUESTIONS + answered.len();
    let near = near(said, prepared, vectors, most);
    let opposed = near.iter().filter(|(_, opposed)| *opposed).map(|(pair, _)| question(QuestionKind::Contradiction, pair.clone()));
    let mut others: Vec<Question> = opposed.collect();
    others.extend(alike(said, prepared, most).into_iter().map(|pair| question(QuestionKind::Similar, pair)));
    others.extend(near.iter().filter(|(_, opposed)| !*opposed).map(|(pair, _)| question(QuestionKind::Similar, pair.clone())));
    let mut known: BTreeSet<[String; 2]> = asked.iter().map(|q| q.statements.clone()).collect();
    asked.extend(others.into_iter().filter(|q| known.insert(q.statements.clone())));
    asked.retain(|q| !answered.contains(q.fingerprint().as_str()));
    asked.truncate(MAX_QUESTIONS);
    asked
}

/// A cosine, and the memory and the number of two statements.
type Near = (i32, (usize, usize), (usize, usize));

/// Two statements, each with its memory.
type Pair = ((usize, String), (usize, String));

/// Statements of different memories that mean nearly the same, the nearest first, each pair with whether one forbids what the other does
/// not, or holds other numbers.
fn near(said: &[Vec<String>], prepared: &[Vec<Prepared>], vectors: &Vectors, most: usize) -> Vec<(Pair, bool)> {
    let all: Vec<(usize, usize, &Vector)> = said
        .iter()
        .enumerate()
        .flat_map(|(m, all)| all.iter().enumerate().map(move |(s, text)| (m, s, text)))
        .filter(|(m, s, text)| prepared[*m][*s].key().len() >= QUESTION_WORDS && !FORM.iter().any(|f| text.starts_with(f)))
        .filter_map(|(m, s, text)| Some((m, s, vectors.of(text)?)))
        .take(MOST_COMPARED)
        .collect();
    let mut found: Vec<Near> = Vec::new();
    for (at, (m, s, vector)) in all.iter().enumerate() {
        for (n, t, other) in all[at + 1..].iter().filter(|other| other.0 != *m) {
            let cosine = vector.cosine(other);
            if cosine >= NEAR && prepared[*m][*s].key() != prepared[*n][*t].key() {
                found.push((cosine, (*m, *s), (*n, *t)));
            }
        }
        // A store of templates has more near pairs than memory should hold.
        if found.len() > ENOUGH {
            keep_nearest(&mut found, most);
        }
    }
    keep_nearest(&mut found, most);
    let pair = |(_, (m, s), (n, t)): Near| {
        let (a, b) = (&said[m][s], &said[n][t]);
        let opposed = similar::is_negated(a) != similar::is_negated(b) || numbers(a) != numbers(b);
        (((m, a.clone()), (n, b.clone())), opposed)
    };
    found.into_iter().map(pair).collect()
}

/// Leaves the nearest pairs only, the nearest first.
fn keep_nearest(found: &mut Vec<Near>, most: usize) {
    found.sort_by_key(|(cosine, a, b)| (std::cmp::Reverse(*cosine), *a, *b));
    found.truncate(most);
}

/// The numbers of a statement, in order; code holds none.
fn numbers(statement: &str) -> Vec<String> {
    let is_number = |t: &String| !t.starts_with('`') && t.chars().any(|c| c.is_ascii_digit());
    similar::tokens(statement).into_iter().filter(is_number).collect()
}

/// Statements of different memories that are alike, in the order of their memories.
fn alike(said: &[Vec<String>], prepared: &[Vec<Prepared>], most: usize) -> Vec<Pair> {
    let long = |p: &Prepared| p.key().len() >= QUESTION_WORDS;
    let places: Vec<(usize, usize)> = prepared
        .iter()
        .enumerate()
        .flat_map(|(m, all)| all.iter().enumerate().filter(|(_, p)| long(p)).map(move |(s, _)| (m, s)))
        .collect();
    let all: Vec<&Prepared> = places.iter().map(|&(m, s)| &prepared[m][s]).collect();
    let pairs = similar::first_alike_pairs(&all, ENOUGH).into_iter().map(|(a, b)| (places[a], places[b]));
    pairs.filter(|((m, _), (n, _))| m != n).take(most).map(|((m, s), (n, t))| ((m, said[m][s].clone()), (n, said[n][t].clone()))).collect()
}

/// The statements of each memory.
pub fn statements_of(memories: &[Memory]) -> Vec<Vec<String>> {
    memories.iter().map(|m| statements(&m.content)).collect()
}

/// The statements of each memory, and made ready to be compared.
pub fn prepare(memories: &[Memory]) -> (Vec<Vec<String>>, Vec<Vec<Prepared>>) {
    let said = statements_of(memories);
    let prepared = said.iter().map(|all| all.iter().map(|s| Prepared::of(s)).collect()).collect();
    (said, prepared)
}
