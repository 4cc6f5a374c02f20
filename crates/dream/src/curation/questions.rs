//! Pairs of statements that a person should look at: alike in their words or in what they mean, or
//! saying different things of the same. Nothing follows from them by itself.

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
    types::{Input, KnownState, Memory, Question, QuestionKind, Taught},
};

/// Most questions that one dream asks; what is over it waits for the next.
const MAX_QUESTIONS: usize = 20;
/// Pairs among which those of different memories are looked for: a store of templates has more than
/// anybody could be asked.
const ENOUGH: usize = 2_000;
/// Least cosine of statements that are asked about, in thousandths: where two in three pairs of one
/// author's notes are worth asking.
const NEAR: i32 = 600;
/// The cosine that answers can raise it to, in thousandths: what is nearer is asked about in every
/// store.
const MOST_NEAR: i32 = 900;
/// How many more pairs may have been told apart than were worth asking, before fewer are asked
/// about: a first answer is no pattern.
const FORGIVEN: usize = 2;
/// Statements whose meanings are compared with each other.
const MOST_COMPARED: usize = 5_000;
/// Least words of a statement that is asked about: shorter ones are alike by chance.
const QUESTION_WORDS: usize = 4;

/// Returns what should be asked and was not answered: contradictions first.
pub fn find(input: &Input, said: &[Vec<String>], prepared: &[Vec<Prepared>]) -> Vec<Question> {
    let (memories, vectors) = (&input.memories, &input.vectors);
    let answered: HashSet<&str> = input
        .known
        .iter()
        .filter(|k| matches!(k.state, KnownState::Answered { .. }))
        .map(|k| k.fingerprint.as_str())
        .collect();
    let question = |kind, ((m, s), (n, t)): Pair, near| {
        let title = match kind {
            QuestionKind::Contradiction => {
                format!("“{}” and “{}”: which one holds?", short(&s), short(&t))
            }
            QuestionKind::Similar => {
                format!("Do “{}” and “{}” say the same?", short(&s), short(&t))
            }
        };
        Question {
            kind,
            memories: [m, n],
            statements: [s, t],
            title,
            near,
        }
    };
    let mut asked: Vec<Question> = facts::contradictions(memories, said)
        .into_iter()
        .map(|pair| question(QuestionKind::Contradiction, pair, None))
        .collect();
    // What was answered must not take the place of what was not.
    let most = MAX_QUESTIONS + answered.len();
    let worth = |kind| least_worth_asking(&input.taught, kind);
    let (opposed_from, similar_from) = (
        worth(QuestionKind::Contradiction),
        worth(QuestionKind::Similar),
    );
    let near = near(said, prepared, vectors, (opposed_from, similar_from), most);
    let of_kind = |opposed: bool, kind: QuestionKind| {
        let asked = near.iter().filter(move |n| n.opposed == opposed);
        asked.map(move |n| question(kind, n.pair.clone(), Some(n.cosine)))
    };
    let mut others: Vec<Question> = of_kind(true, QuestionKind::Contradiction).collect();
    let alike = alike(said, prepared).into_iter().map(|pair| {
        let near = vectors
            .of(&pair.0.1)
            .zip(vectors.of(&pair.1.1))
            .map(|(a, b)| a.cosine(b));
        question(QuestionKind::Similar, pair, near)
    });
    others.extend(
        alike
            .filter(|q| similar_from == NEAR || q.near.is_none_or(|near| near >= similar_from))
            .take(most),
    );
    others.extend(of_kind(false, QuestionKind::Similar));
    let mut known: BTreeSet<[String; 2]> = asked.iter().map(|q| q.statements.clone()).collect();
    asked.extend(
        others
            .into_iter()
            .filter(|q| known.insert(q.statements.clone())),
    );
    asked.retain(|q| !answered.contains(q.fingerprint().as_str()));
    asked.truncate(MAX_QUESTIONS);
    asked
}

/// From which cosine on pairs are asked about in this store, in thousandths: the lowest at which,
/// of what was answered from there on, not many more were told apart than were worth asking.
fn least_worth_asking(taught: &[Taught], kind: QuestionKind) -> i32 {
    let right = |from: i32| {
        let answered = taught.iter().filter(|t| t.kind == kind && t.near >= from);
        let (worth, not): (Vec<&Taught>, Vec<&Taught>) = answered.partition(|t| t.worth);
        not.len() <= worth.len() + FORGIVEN
    };
    (NEAR..MOST_NEAR)
        .step_by(25)
        .find(|from| right(*from))
        .unwrap_or(MOST_NEAR)
}

/// A cosine, and the memory and the number of two statements.
type Place = (i32, (usize, usize), (usize, usize));

/// Two statements, each with its memory.
type Pair = ((usize, String), (usize, String));

/// Two statements of different memories that mean nearly the same.
struct Near {
    pair: Pair,
    cosine: i32,
    /// One forbids what the other does not, or holds other numbers.
    opposed: bool,
}

/// Statements of different memories that mean nearly the same, the nearest first: from these
/// cosines on, for opposed ones and others.
fn near(
    said: &[Vec<String>],
    prepared: &[Vec<Prepared>],
    vectors: &Vectors,
    from: (i32, i32),
    most: usize,
) -> Vec<Near> {
    let all: Vec<(usize, usize, &Vector)> = said
        .iter()
        .enumerate()
        .flat_map(|(m, all)| all.iter().enumerate().map(move |(s, text)| (m, s, text)))
        .filter(|(m, s, text)| {
            prepared[*m][*s].key().len() >= QUESTION_WORDS
                && !FORM.iter().any(|f| text.starts_with(f))
        })
        .filter_map(|(m, s, text)| Some((m, s, vectors.of(text)?)))
        .take(MOST_COMPARED)
        .collect();
    let surely = from.0.max(from.1);
    let mut found: Vec<Place> = Vec::new();
    for (at, (m, s, vector)) in all.iter().enumerate() {
        for (n, t, other) in all[at + 1..].iter().filter(|other| other.0 != *m) {
            let cosine = vector.cosine(other);
            // Words are only looked at where the two thresholds differ.
            let is_asked = || {
                cosine >= surely
                    || cosine
                        >= if opposed(&said[*m][*s], &said[*n][*t]) {
                            from.0
                        } else {
                            from.1
                        }
            };
            if cosine >= NEAR && is_asked() && prepared[*m][*s].key() != prepared[*n][*t].key() {
                found.push((cosine, (*m, *s), (*n, *t)));
            }
        }
        // A store of templates has more near pairs than memory should hold.
        if found.len() > ENOUGH {
            keep_nearest(&mut found, most);
        }
    }
    keep_nearest(&mut found, most);
    let pair = |(cosine, (m, s), (n, t)): Place| {
        let (a, b) = (&said[m][s], &said[n][t]);
        Near {
            pair: ((m, a.clone()), (n, b.clone())),
            cosine,
            opposed: opposed(a, b),
        }
    };
    found.into_iter().map(pair).collect()
}

/// True if one of two statements forbids what the other does not, or holds other numbers.
fn opposed(a: &str, b: &str) -> bool {
    similar::is_negated(a) != similar::is_negated(b) || numbers(a) != numbers(b)
}

/// Leaves the nearest pairs only, the nearest first.
fn keep_nearest(found: &mut Vec<Place>, most: usize) {
    found.sort_by_key(|(cosine, a, b)| (std::cmp::Reverse(*cosine), *a, *b));
    found.truncate(most);
}

/// The numbers of a statement, in order; code holds none.
fn numbers(statement: &str) -> Vec<String> {
    let is_number = |t: &String| !t.starts_with('`') && t.chars().any(|c| c.is_ascii_digit());
    similar::tokens(statement)
        .into_iter()
        .filter(is_number)
        .collect()
}

/// Statements of different memories that are alike, in the order of their memories.
fn alike(said: &[Vec<String>], prepared: &[Vec<Prepared>]) -> Vec<Pair> {
    let long = |p: &Prepared| p.key().len() >= QUESTION_WORDS;
    let places: Vec<(usize, usize)> = prepared
        .iter()
        .enumerate()
        .flat_map(|(m, all)| {
            all.iter()
                .enumerate()
                .filter(|(_, p)| long(p))
                .map(move |(s, _)| (m, s))
        })
        .collect();
    let all: Vec<&Prepared> = places.iter().map(|&(m, s)| &prepared[m][s]).collect();
    let pairs = similar::first_alike_pairs(&all, ENOUGH)
        .into_iter()
        .map(|(a, b)| (places[a], places[b]));
    pairs
        .filter(|((m, _), (n, _))| m != n)
        .map(|((m, s), (n, t))| ((m, said[m][s].clone()), (n, said[n][t].clone())))
        .collect()
}

/// The statements of each memory.
pub fn statements_of(memories: &[Memory]) -> Vec<Vec<String>> {
    memories.iter().map(|m| statements(&m.content)).collect()
}

/// The statements of each memory, and made ready to be compared.
pub fn prepare(memories: &[Memory]) -> (Vec<Vec<String>>, Vec<Vec<Prepared>>) {
    let said = statements_of(memories);
    let prepared = said
        .iter()
        .map(|all| all.iter().map(|s| Prepared::of(s)).collect())
        .collect();
    (said, prepared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_answered_teaches_what_is_worth_asking() {
        let taught = |near: i32, worth: bool| Taught {
            kind: QuestionKind::Similar,
            near,
            worth,
        };
        let from = |taught: &[Taught]| least_worth_asking(taught, QuestionKind::Similar);
        assert_eq!(from(&[]), NEAR);
        let told_apart: Vec<Taught> = (0..6).map(|n| taught(610 + n * 10, false)).collect();
        assert_eq!(from(&told_apart[..2]), NEAR, "a first answer is no pattern");
        assert_eq!(
            from(&told_apart),
            650,
            "of what is nearer, two were told apart"
        );
        let worth: Vec<Taught> = (0..4).map(|n| taught(700 + n, true)).collect();
        assert_eq!(
            from(&[told_apart.clone(), worth].concat()),
            NEAR,
            "half of them are worth it"
        );
        let never: Vec<Taught> = (0..9).map(|_| taught(990, false)).collect();
        assert_eq!(from(&never), MOST_NEAR);
        assert_eq!(
            least_worth_asking(&told_apart, QuestionKind::Contradiction),
            NEAR,
            "each kind has its own"
        );
    }
}
