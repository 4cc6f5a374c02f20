//! Everything related to a change: memories that say nearly the same, what becomes of the memory's
//! history, which agents read it, and what was decided on changes like it. Read only; nothing
//! follows from it by itself.

use std::collections::BTreeSet;

use domain::{
    actor::Actor,
    briefing::tokens,
    ids::{ChangeId, MemoryId},
    limits,
    rights::Action,
    statement::statements,
};
use dream::similar::{Likeness, Prepared, content_words};
use store::{
    Tx,
    changes::{self, ChangeRow, DecidedRow, EditRow},
    changesets,
    decisions::{self, LikeRow},
    memories::{self, MemoryContent, VersionRow},
    memory_stores,
    reads::{self, ReaderRow},
};

use crate::{Error, Lucid, Result};

/// Statements of a change that others are looked for to.
const ASKED: usize = 10;
/// Memories that are compared with one statement; the rarest of its words choose them.
const COMPARED: i64 = 200;
/// Most that is shown.
const SHOWN: usize = 5;
/// Least words of a statement that others are looked for to: shorter ones are alike by chance.
const LEAST_WORDS: usize = 4;
/// Longest word by which memories are looked for: longer ones are no words, and engines limit what
/// they look for.
const LONGEST_WORD: usize = 64;
/// Least cosine of statements that mean nearly the same, in thousandths: what dreams ask about,
/// too.
const NEAR: i32 = 600;
/// Decided changes that one is compared with, the newest.
const DECIDED: i64 = 300;
/// Texts that get their vectors while somebody waits.
const NEW_VECTORS: usize = 60;
/// Reads are counted so many days back.
const READ_DAYS: i64 = 30;

/// A memory that says nearly what the change would say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimilarMemory {
    pub id: MemoryId,
    pub path: String,
    pub statement: String,
    pub proposed: String,
    /// True if both say the same; else a person should look at both.
    pub same: bool,
    /// Their words differ; their meaning is near.
    pub by_meaning: bool,
}

/// A memory that the change touches.
#[derive(Debug, Clone)]
pub struct TouchedMemory {
    pub id: MemoryId,
    pub path: String,
    /// Its versions, newest first.
    pub versions: Vec<VersionRow>,
    /// Agents that read it in the last 30 days.
    pub readers: Vec<ReaderRow>,
}

/// Everything related to a change.
#[derive(Debug, Clone)]
pub struct BesideView {
    pub change: ChangeRow,
    /// True if a new memory could take the place of a similar one.
    pub may_replace: bool,
    /// Memories that say nearly the same.
    pub similar: Vec<SimilarMemory>,
    /// Memories that it touches.
    pub touched: Vec<TouchedMemory>,
    /// What was decided on changes of its kind and finding.
    pub like: Vec<LikeRow>,
    /// Decided changes that mean nearly the same, the nearest first; found with a sentence model
    /// only.
    pub decided: Vec<DecidedRow>,
    /// A sentence model took part; else only words were compared.
    pub by_meaning: bool,
    /// Tokens of all memories of the store (4 bytes each), now and with the change.
    pub tokens: (i64, i64),
    /// The store's budget, if it has one.
    pub budget: Option<i64>,
}

impl Lucid {
    /// Returns everything related to a change.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn beside(&self, actor: &Actor, id: ChangeId) -> Result<BesideView> {
        let missing = || Error::NotFound("change");
        let mut tx = self.db.read().await?;
        let changeset = changes::changeset_of(&mut tx, id)
            .await?
            .ok_or_else(missing)?;
        let row = changesets::get(&mut tx, changeset)
            .await?
            .filter(|c| actor.may(Action::SeeChanges, c.store_id))
            .ok_or_else(missing)?;
        let change = changes::changes(&mut tx, changeset)
            .await?
            .into_iter()
            .find(|c| c.id == id)
            .ok_or_else(missing)?;
        let edits = changes::edits(&mut tx, changeset).await?;
        let may_decide = crate::changesets::may_decide(actor, &change, &edits);
        let edits: Vec<EditRow> = edits.into_iter().filter(|e| e.change_id == id).collect();
        let mut similar = similar(&mut tx, &change, &edits).await?;
        let mut touched = Vec::new();
        for edit in edits.iter().filter(|e| e.memory_id.is_some()).take(SHOWN) {
            let Some(memory) = edit.memory_id else {
                continue;
            };
            touched.push(TouchedMemory {
                id: memory,
                path: edit.now_path.as_ref().unwrap_or(&edit.path).to_string(),
                versions: memories::versions(&mut tx, memory, i64::MAX, limits::PAGE)
                    .await?
                    .rows,
                readers: reads::readers(
                    &mut tx,
                    memory,
                    self.now().plus_seconds(-READ_DAYS * 86_400),
                )
                .await?,
            });
        }
        let now = memories::tokens_of_store(&mut tx, row.store_id).await?;
        let of = |text: Option<&String>| text.map_or(0, |t| tokens(t));
        let added: i64 = edits
            .iter()
            .map(|e| of(e.content.as_ref()) - of(e.base_content.as_ref()))
            .sum();
        let budget = memory_stores::get(&mut tx, row.store_id)
            .await?
            .and_then(|s| s.budget_tokens);
        let one_new = edits.len() == 1 && edits[0].memory_id.is_none() && change.state.is_open();
        let like = decisions::like(&mut tx, &change).await?;
        let before = changes::decided(&mut tx, change.store_id, id, DECIDED).await?;
        let contents = memories::contents_of_store(&mut tx, change.store_id).await?;
        drop(tx);
        similar.retain(|s| actor.may_at(Action::SeeMemory, change.store_id, &[s.path.as_str()]));
        let contents = contents
            .into_iter()
            .filter(|m| actor.may_at(Action::SeeMemory, change.store_id, &[m.path.as_str()]))
            .collect();
        let (by_meaning, decided) = self
            .like_in_meaning(&change, &edits, contents, before, &mut similar)
            .await?;
        let tokens = (now, now + added);
        Ok(BesideView {
            may_replace: may_decide && one_new,
            similar,
            touched,
            like,
            decided,
            by_meaning,
            tokens,
            budget,
            change,
        })
    }

    /// Adds memories whose meaning is near, and finds decided changes that mean nearly the same.
    /// Says whether a sentence model took part.
    async fn like_in_meaning(
        &self,
        change: &ChangeRow,
        edits: &[EditRow],
        contents: Vec<MemoryContent>,
        before: Vec<DecidedRow>,
        similar: &mut Vec<SimilarMemory>,
    ) -> Result<(bool, Vec<DecidedRow>)> {
        let proposed: Vec<String> = brought(edits)
            .into_iter()
            .filter(|s| content_words(s).len() >= LEAST_WORDS)
            .collect();
        let touched = touched(edits);
        let said: Vec<(usize, String)> = contents
            .iter()
            .enumerate()
            .filter(|(_, m)| !touched.contains(&m.id))
            .flat_map(|(n, m)| statements(&m.content).into_iter().map(move |s| (n, s)))
            .collect();
        let own = std::iter::once(change.title.clone()).chain(proposed.iter().cloned());
        let texts: Vec<String> = own
            .chain(before.iter().map(|d| d.title.clone()))
            .chain(said.iter().map(|(_, s)| s.clone()))
            .collect();
        let vectors = self.vectors_of(&texts, NEW_VECTORS).await?;
        if vectors.is_empty() {
            return Ok((false, Vec::new()));
        }
        let cosine = |a: &str, b: &str| {
            vectors
                .of(a)
                .zip(vectors.of(b))
                .map(|(a, b)| a.cosine(b))
                .filter(|c| *c >= NEAR)
        };
        let pairs = said
            .iter()
            .flat_map(|(n, s)| proposed.iter().map(move |p| (n, s, p)));
        let mut found: Vec<(i32, usize, &String, &String)> = pairs
            .filter_map(|(n, s, p)| Some((cosine(s, p)?, *n, s, p)))
            .collect();
        found.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, n, statement, proposed) in found {
            let (id, path) = (contents[n].id, contents[n].path.to_string());
            if similar.len() < SHOWN && !similar.iter().any(|s| s.id == id) {
                let (statement, proposed) = (statement.clone(), proposed.clone());
                similar.push(SimilarMemory {
                    id,
                    path,
                    statement,
                    proposed,
                    same: false,
                    by_meaning: true,
                });
            }
        }
        let mut decided: Vec<(i32, DecidedRow)> = before
            .into_iter()
            .filter_map(|d| Some((cosine(&change.title, &d.title)?, d)))
            .collect();
        decided.sort_by_key(|(cosine, d)| {
            (std::cmp::Reverse(*cosine), std::cmp::Reverse(d.updated_at))
        });
        decided.truncate(SHOWN);
        Ok((true, decided.into_iter().map(|(_, d)| d).collect()))
    }
}

/// Returns what a change would newly say, as far as others are looked for to it.
fn brought(edits: &[EditRow]) -> Vec<String> {
    let before: BTreeSet<String> = edits
        .iter()
        .filter_map(|e| e.base_content.as_deref())
        .flat_map(statements)
        .collect();
    let after = edits
        .iter()
        .filter_map(|e| e.content.as_deref())
        .flat_map(statements);
    after.filter(|s| !before.contains(s)).take(ASKED).collect()
}

fn touched(edits: &[EditRow]) -> BTreeSet<MemoryId> {
    edits
        .iter()
        .flat_map(|e| [e.memory_id, e.now_id])
        .flatten()
        .collect()
}

/// Memories that the change does not touch and that say nearly what it brings.
async fn similar(tx: &mut Tx, change: &ChangeRow, edits: &[EditRow]) -> Result<Vec<SimilarMemory>> {
    let touched = touched(edits);
    let mut found: Vec<SimilarMemory> = Vec::new();
    for proposed in brought(edits) {
        let ready = Prepared::of(&proposed);
        let mut words = content_words(&proposed);
        if words.len() < LEAST_WORDS {
            continue;
        }
        // Long words are rare ones, near enough: no list of how often each is in a store is
        // kept.
        words.sort_by_key(|w| std::cmp::Reverse(w.chars().count()));
        words.retain(|w| w.chars().count() <= LONGEST_WORD);
        words.dedup();
        words.truncate(3);
        for (id, path, content) in
            memories::with_words(tx, change.store_id, &words, COMPARED).await?
        {
            if touched.contains(&id) || found.iter().any(|f| f.id == id) {
                continue;
            }
            let likeness = |s: &String| Prepared::of(s).likeness(&ready);
            let best = statements(&content)
                .into_iter()
                .map(|s| (likeness(&s), s))
                .filter(|(l, _)| *l != Likeness::Different);
            if let Some((likeness, statement)) = best.min_by_key(|(l, _)| *l != Likeness::Same) {
                let same = likeness == Likeness::Same;
                found.push(SimilarMemory {
                    id,
                    path: path.to_string(),
                    statement,
                    proposed: proposed.clone(),
                    same,
                    by_meaning: false,
                });
            }
        }
    }
    found.sort_by(|a, b| b.same.cmp(&a.same).then_with(|| a.path.cmp(&b.path)));
    found.truncate(SHOWN);
    Ok(found)
}
