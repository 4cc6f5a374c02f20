//! Search for statements in what one store remembers: by words, and with a sentence model also by
//! meaning.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{
    actor::Actor,
    ids::{MemoryId, StoreId},
    masking::mask,
    memory::MemoryPath,
    rights::Action,
    statement::statements,
};
use dream::similar::content_words;
use store::memories;

use super::QUERY_CHARS;
use crate::{Error, Lucid, Result, require};

/// Statements that are found at most.
const SHOWN: usize = 20;
/// Statements of one memory among them at most.
const OF_ONE: usize = 3;
/// Statements that get their vectors while somebody waits; the others have them from dreams, or are
/// found by words alone.
const NEW_VECTORS: usize = 200;
/// Least cosine of a statement with a query, in thousandths: queries are shorter than statements,
/// so they lie less near than two of these.
const NEAR: i32 = 350;
/// The constant of reciprocal rank fusion: the smaller, the more the first of a list counts
/// (Cormack, Clarke, Büttcher 2009 use 60, for longer lists).
const FUSION: usize = 20;

/// A statement that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub memory_id: MemoryId,
    pub path: MemoryPath,
    pub statement: String,
    /// It has none of the words; its meaning is near.
    pub by_meaning: bool,
}

/// The results of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The best first, at most 20.
    pub hits: Vec<Hit>,
    /// A sentence model took part; else only words were compared.
    pub by_meaning: bool,
}

struct Said<'m> {
    memory: &'m memories::MemoryContent,
    text: String,
    words: BTreeSet<String>,
}

impl Lucid {
    /// Statements of a store's memory that answer a query of 1 to 200 characters, in places that
    /// the actor may see.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn search_memory(&self, actor: &Actor, store: StoreId, query: &str) -> Result<Found> {
        require(actor, Action::SeeMemory, store)?;
        let query = query.trim();
        if query.is_empty() || query.chars().count() > QUERY_CHARS {
            return Err(Error::Invalid(format!(
                "search for 1 to {QUERY_CHARS} characters"
            )));
        }
        let contents = memories::contents_of_store(&mut self.db.read().await?, store).await?;
        let seen = contents
            .iter()
            .filter(|m| actor.may_at(Action::SeeMemory, store, &[m.path.as_str()]));
        let all: Vec<Said> = seen
            .flat_map(|memory| {
                // Headings say what the lines below are about, and are no answer by themselves.
                let (headings, lines): (Vec<&str>, Vec<&str>) =
                    memory.content.lines().partition(|l| l.starts_with('#'));
                let place = format!(
                    "{} {}",
                    memory.path.as_str().replace(['/', '-', '_', '.'], " "),
                    headings.join(" ")
                );
                let place = content_words(&place);
                let below = statements(&lines.join("\n"));
                let all = if below.is_empty() {
                    statements(&memory.content)
                } else {
                    below
                };
                all.into_iter().map(move |text| {
                    let words = content_words(&text)
                        .into_iter()
                        .chain(place.iter().cloned())
                        .collect();
                    Said {
                        memory,
                        text,
                        words,
                    }
                })
            })
            .collect();
        let by_words = by_words(&all, query);
        let near = self.statements_near(&all, query).await?;
        let by_meaning = near.is_some();
        let near = near.unwrap_or_default();
        let mut score: HashMap<usize, usize> = HashMap::new();
        for list in [&by_words, &near] {
            for (rank, n) in list.iter().enumerate() {
                *score.entry(*n).or_default() += 1_000_000 / (FUSION + rank);
            }
        }
        let mut order: Vec<(usize, usize)> = score.into_iter().collect();
        order.sort_by_key(|(n, score)| (std::cmp::Reverse(*score), *n));
        let has_words: BTreeSet<usize> = by_words.into_iter().collect();
        let mut of_one: BTreeMap<MemoryId, usize> = BTreeMap::new();
        let mut hits = Vec::new();
        for (n, _) in order {
            let said = &all[n];
            let shown = of_one.entry(said.memory.id).or_default();
            if *shown < OF_ONE && hits.len() < SHOWN {
                *shown += 1;
                let (memory_id, path) = (said.memory.id, said.memory.path.clone());
                hits.push(Hit {
                    memory_id,
                    path,
                    statement: mask(&said.text),
                    by_meaning: !has_words.contains(&n),
                });
            }
        }
        Ok(Found { hits, by_meaning })
    }

    /// The statements whose meaning is near the query's, the nearest first; none without a sentence
    /// model, or if it fails.
    async fn statements_near(&self, all: &[Said<'_>], query: &str) -> Result<Option<Vec<usize>>> {
        let texts: Vec<String> = std::iter::once(query.to_owned())
            .chain(all.iter().map(|s| s.text.clone()))
            .collect();
        let vectors = self.vectors_of(&texts, NEW_VECTORS).await?;
        let Some(asked) = vectors.of(query) else {
            return Ok(None);
        };
        let near = |(n, said): (usize, &Said)| {
            Some((vectors.of(&said.text)?.cosine(asked), n)).filter(|(cosine, _)| *cosine >= NEAR)
        };
        let mut found: Vec<(i32, usize)> = all.iter().enumerate().filter_map(near).collect();
        found.sort_by_key(|(cosine, n)| (std::cmp::Reverse(*cosine), *n));
        Ok(Some(
            found.into_iter().take(2 * SHOWN).map(|(_, n)| n).collect(),
        ))
    }
}

/// The statements that have words of the query, those with the rarest and most first. The last word
/// may be the beginning of one.
fn by_words(all: &[Said], query: &str) -> Vec<usize> {
    let words: Vec<String> = content_words(query);
    let begins = query
        .split_whitespace()
        .last()
        .map(|w| {
            w.trim_matches(|c: char| !c.is_alphanumeric())
                .to_lowercase()
        })
        .unwrap_or_default();
    let has = |said: &Said, word: &String, last: bool| {
        said.words.contains(word)
            || (last
                && begins.chars().count() >= 3
                && said.words.iter().any(|w| w.starts_with(&begins)))
    };
    let last = words.len().saturating_sub(1);
    #[expect(clippy::cast_precision_loss, reason = "counts of statements")]
    let weights: Vec<f64> = words
        .iter()
        .enumerate()
        .map(|(k, word)| {
            let holders = all.iter().filter(|s| has(s, word, k == last)).count();
            if holders == 0 {
                0.0
            } else {
                (1.0 + all.len() as f64 / holders as f64).ln()
            }
        })
        .collect();
    let score = |said: &Said| -> f64 {
        words
            .iter()
            .enumerate()
            .zip(&weights)
            .filter(|((k, word), _)| has(said, word, *k == last))
            .map(|(_, weight)| weight)
            .sum()
    };
    let mut found: Vec<(f64, usize)> = all
        .iter()
        .enumerate()
        .map(|(n, s)| (score(s), n))
        .filter(|(score, _)| *score > 0.0)
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    found.into_iter().take(2 * SHOWN).map(|(_, n)| n).collect()
}
