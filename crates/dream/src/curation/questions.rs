//! Pairs of statements that a person should look at: alike and not the same, or saying different things of the same. Nothing follows
//! from them by itself.

use std::collections::BTreeSet;

use domain::statement::statements;

use super::similar::{self, Prepared};
use crate::{
    compose::short,
    findings::facts,
    types::{Memory, Question, QuestionKind},
};

/// Most questions that one dream asks; what is over it waits for the next.
const MAX_QUESTIONS: usize = 20;
/// Pairs among which those of different memories are looked for: a store of templates has more than anybody could be asked.
const ENOUGH: usize = 2_000;
/// Least words of a statement that is asked about: shorter ones are alike by chance.
const QUESTION_WORDS: usize = 4;

/// What should be asked: contradictions first.
pub fn find(memories: &[Memory], said: &[Vec<String>], prepared: &[Vec<Prepared>]) -> Vec<Question> {
    let question = |kind, ((m, s), (n, t)): ((usize, String), (usize, String))| {
        let title = match kind {
            QuestionKind::Contradiction => format!("“{}” and “{}”: which one holds?", short(&s), short(&t)),
            QuestionKind::Similar => format!("Do “{}” and “{}” say the same?", short(&s), short(&t)),
        };
        Question { kind, memories: [m, n], statements: [s, t], title }
    };
    let mut asked: Vec<Question> =
        facts::contradictions(memories, said).into_iter().map(|pair| question(QuestionKind::Contradiction, pair)).collect();
    let known: BTreeSet<[String; 2]> = asked.iter().map(|q| q.statements.clone()).collect();
    let alike = alike(said, prepared).into_iter().map(|pair| question(QuestionKind::Similar, pair));
    asked.extend(alike.filter(|q| !known.contains(&q.statements)));
    asked.truncate(MAX_QUESTIONS);
    asked
}

/// Statements of different memories that are alike, in the order of their memories.
fn alike(said: &[Vec<String>], prepared: &[Vec<Prepared>]) -> Vec<((usize, String), (usize, String))> {
    let long = |p: &Prepared| p.key().len() >= QUESTION_WORDS;
    let places: Vec<(usize, usize)> = prepared
        .iter()
        .enumerate()
        .flat_map(|(m, all)| all.iter().enumerate().filter(|(_, p)| long(p)).map(move |(s, _)| (m, s)))
        .collect();
    let all: Vec<&Prepared> = places.iter().map(|&(m, s)| &prepared[m][s]).collect();
    let pairs = similar::first_alike_pairs(&all, ENOUGH).into_iter().map(|(a, b)| (places[a], places[b]));
    pairs
        .filter(|((m, _), (n, _))| m != n)
        .take(MAX_QUESTIONS)
        .map(|((m, s), (n, t))| ((m, said[m][s].clone()), (n, said[n][t].clone())))
        .collect()
}

/// The statements of each memory, and made ready to be compared.
pub fn prepare(memories: &[Memory]) -> (Vec<Vec<String>>, Vec<Vec<Prepared>>) {
    let said: Vec<Vec<String>> = memories.iter().map(|m| statements(&m.content)).collect();
    let prepared = said.iter().map(|all| all.iter().map(|s| Prepared::of(s)).collect()).collect();
    (said, prepared)
}
