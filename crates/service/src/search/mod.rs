//! Search over everything that somebody may see: what is remembered and what was, proposed changes,
//! sessions, and people. Words, "phrases" and beginnings* are found in an index; what is shown is
//! read from the rows themselves, so nothing is shown that is gone.

mod indexing;
mod statements;

use std::{cmp::Reverse, collections::BTreeMap, ops::Range, time::Duration};

use domain::{
    Timestamp,
    actor::{Actor, Visible},
    changeset::ChangeState,
    ids::{ChangeId, ChangesetId, MemoryId, SessionId, StoreId, UserId, VersionId},
    masking::mask,
    memory::MemoryPath,
    rights::Action,
    search::{DocumentKind, Term, marks, terms, tokens},
};
use store::{
    Tx, memory_stores,
    search::{self, Asked, FoundRow},
    users,
};

pub use self::statements::{Found, Hit};
use crate::{Error, Lucid, Result};

/// Longest query, in characters.
pub const QUERY_CHARS: usize = 200;
/// Documents among which the best are chosen: the newest that have every word.
const CANDIDATES: i64 = 200;
/// Hits of each kind that are shown.
const SHOWN: usize = 20;
/// With fewer documents that have the whole words, words that only begin so are looked for as well.
const FEW: usize = 5;
/// Most documents that somebody who searches waits for; the rest are indexed in the background.
const WAITED_FOR: usize = 2_000;
/// How long a search waits for them.
const INDEX_WAIT: Duration = Duration::from_secs(2);
/// Longest excerpt, in characters.
const EXCERPT: usize = 240;
/// Characters of a text by which it is ranked: enough for most notes, and little work for the
/// longest.
const RANKED: usize = 8_000;
/// People that are shown, or that a name may mean.
const PEOPLE: usize = 10;
/// The parameter k1 of BM25 (Robertson and Walker 1994; 1.2 is usual).
const SATURATION: f64 = 1.2;
/// The weight of a word in the path or title; in the text it is 1.
const TITLE: f64 = 2.0;

/// The words and filters of a search.
#[derive(Debug, Clone, Default)]
pub struct SearchRequest {
    /// Words, "phrases in quotes" and beginnings*; 1 to 200 characters.
    pub text: String,
    /// Only in this store.
    pub store: Option<StoreId>,
    /// Only what was made at this time or later.
    pub since: Option<Timestamp>,
    /// Only what was made before this time.
    pub until: Option<Timestamp>,
    /// Only what a person of this name wrote, approved, decided on or recorded; a part of the name
    /// is enough.
    pub person: Option<String>,
}

/// A text with what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// A line or a part of one, masked.
    pub text: String,
    /// The bytes of it that were found.
    pub marks: Vec<Range<usize>>,
}

/// A memory that was found, as it is or as it was.
#[derive(Debug, Clone)]
pub struct MemoryHit {
    pub memory_id: MemoryId,
    pub store_id: StoreId,
    pub store_name: String,
    pub path: MemoryPath,
    /// The number of the version that was found.
    pub number: i64,
    /// When that was written.
    pub at: Timestamp,
    /// True if the memory still exists.
    pub alive: bool,
    /// The line that has most of the words.
    pub excerpt: Excerpt,
}

/// A change that was found.
#[derive(Debug, Clone)]
pub struct ChangeHit {
    pub id: ChangeId,
    pub changeset_id: ChangesetId,
    pub store_name: String,
    pub title: Excerpt,
    pub state: ChangeState,
    /// When it was proposed.
    pub at: Timestamp,
}

/// A session that was found.
#[derive(Debug, Clone)]
pub struct SessionHit {
    pub id: SessionId,
    /// What its source calls it, or its id.
    pub title: Excerpt,
    /// Agent, team, task and user, as far as they are known.
    pub about: Excerpt,
    /// When it was taken in.
    pub at: Timestamp,
}

/// A person that was found.
#[derive(Debug, Clone)]
pub struct PersonHit {
    pub id: UserId,
    pub name: Excerpt,
}

/// The results of a search: of each kind the best first, at most 20.
#[derive(Debug, Clone, Default)]
pub struct SearchResults {
    pub memories: Vec<MemoryHit>,
    /// What was remembered: older versions, and memories that were removed.
    pub past: Vec<MemoryHit>,
    /// Changes, whatever became of them.
    pub changes: Vec<ChangeHit>,
    pub sessions: Vec<SessionHit>,
    /// People, for those who manage them.
    pub people: Vec<PersonHit>,
    /// Nothing has all the words: these memories have some of them.
    pub some_words: bool,
}

impl SearchResults {
    /// True if nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.memories.is_empty()
            && self.past.is_empty()
            && self.changes.is_empty()
            && self.sessions.is_empty()
            && self.people.is_empty()
    }
}

/// A query that was understood.
struct Query<'a> {
    terms: Vec<Term>,
    request: &'a SearchRequest,
    person: Option<UserId>,
    names: BTreeMap<StoreId, String>,
    /// True if one of the words is enough.
    any: bool,
}

impl Lucid {
    /// Looks for everything that the actor may see.
    #[tracing::instrument(skip_all)]
    pub async fn search(&self, actor: &Actor, request: &SearchRequest) -> Result<SearchResults> {
        if request.text.trim().is_empty() || request.text.chars().count() > QUERY_CHARS {
            return Err(Error::Invalid(format!(
                "search for 1 to {QUERY_CHARS} characters"
            )));
        }
        // If another writer holds the database, the search continues without the newest documents.
        match tokio::time::timeout(INDEX_WAIT, self.index_new_documents(WAITED_FOR)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a search found its index not up to date"
            ),
            Err(_) => tracing::warn!(
                seconds = INDEX_WAIT.as_secs(),
                "a search did not wait longer for its index"
            ),
        }
        let mut tx = self.db.read().await?;
        let person = match request
            .person
            .as_deref()
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            Some(name) => Some(called(&mut tx, actor, name).await?),
            None => None,
        };
        let query = Query {
            terms: terms(&request.text),
            request,
            person,
            names: BTreeMap::new(),
            any: false,
        };
        if query.terms.is_empty() {
            return Ok(SearchResults::default());
        }
        let seen = |action| actor.visible(action).narrowed(request.store);
        let memory = Places::of(&mut tx, seen(Action::SeeMemory)).await?;
        let query = Query {
            names: memory.names.clone(),
            ..query
        };
        let changes = Places::of(&mut tx, seen(Action::SeeChanges)).await?;
        let sessions = Places::of(&mut tx, seen(Action::SeeSessions)).await?;
        let mut found = SearchResults {
            memories: memories(&mut tx, &query, &memory, true).await?,
            past: memories(&mut tx, &query, &memory, false).await?,
            changes: changes_of(&mut tx, &query, &changes).await?,
            sessions: sessions_of(&mut tx, &query, &sessions).await?,
            people: Vec::new(),
            some_words: false,
        };
        if actor.may_in_general(Action::ManagePeople)
            && request.store.is_none()
            && query.person.is_none()
        {
            found.people = people(&mut tx, &query.terms).await?;
        }
        if found.is_empty() && query.terms.len() > 1 {
            let query = Query { any: true, ..query };
            found.memories = memories(&mut tx, &query, &memory, true).await?;
            found.some_words = true;
        }
        Ok(found)
    }

    /// The one person whose name has these words, for filters; what to do, if it is not one.
    #[tracing::instrument(skip_all)]
    pub async fn person_called(&self, actor: &Actor, name: &str) -> Result<UserId> {
        called(&mut self.db.read().await?, actor, name).await
    }
}

/// The stores in which somebody may look.
struct Places {
    /// `None`: all of them.
    only: Option<Vec<StoreId>>,
    names: BTreeMap<StoreId, String>,
}

impl Places {
    async fn of(tx: &mut Tx, (visible, store): (Visible, Option<StoreId>)) -> Result<Self> {
        let seen = memory_stores::names(tx, visible).await?;
        let names: BTreeMap<StoreId, String> = seen
            .into_iter()
            .map(|s| (s.id, s.name))
            .filter(|(id, _)| store.is_none_or(|s| s == *id))
            .collect();
        let only =
            (store.is_some() || visible != Visible::All).then(|| names.keys().copied().collect());
        Ok(Self { only, names })
    }
}

/// The documents of a kind that fit: those that have the words and, where they are few, also those
/// that have words that begin so.
async fn candidates(
    tx: &mut Tx,
    query: &Query<'_>,
    places: &Places,
    kind: DocumentKind,
    current: bool,
) -> Result<Vec<FoundRow>> {
    let asked = |terms| Asked {
        kind,
        stores: places.only.as_deref(),
        terms,
        any: query.any,
        current,
        since: query.request.since.unwrap_or(Timestamp(i64::MIN)),
        until: query.request.until.unwrap_or(Timestamp(i64::MAX)),
        person: query.person,
        limit: CANDIDATES,
    };
    let mut found = search::find(tx, &asked(&query.terms)).await?;
    let beginnings: Vec<Term> = beginnings(&query.terms);
    if found.len() < FEW && beginnings != query.terms {
        add(&mut found, search::find(tx, &asked(&beginnings)).await?);
    }
    Ok(found)
}

/// Adds what is not there yet.
fn add(found: &mut Vec<FoundRow>, more: Vec<FoundRow>) {
    for row in more {
        if !found.contains(&row) {
            found.push(row);
        }
    }
}

/// The same terms, each word of three letters or more also as the beginning of one.
fn beginnings(terms: &[Term]) -> Vec<Term> {
    let begins = |term: &Term| Term {
        prefix: term.prefix
            || term
                .tokens
                .last()
                .is_some_and(|word| word.chars().count() >= 3),
        tokens: term.tokens.clone(),
    };
    terms.iter().map(begins).collect()
}

/// How well a document fits: how many of the words it has, then how often, those in its title more.
fn score(terms: &[Term], title: &[String], text: &[String]) -> f64 {
    let of = |term: &Term| {
        let counted = |tokens: &[String]| {
            #[expect(clippy::cast_precision_loss, reason = "a count of words")]
            let n = term.count(tokens) as f64;
            n / (n + SATURATION)
        };
        let has = counted(text) + TITLE * counted(title);
        if has > 0.0 { 1.0 + has } else { 0.0 }
    };
    terms.iter().map(of).sum()
}

/// The part of a text by which it is ranked.
fn beginning(text: &str) -> &str {
    text.char_indices()
        .nth(RANKED)
        .map_or(text, |(at, _)| &text[..at])
}

/// The best of some documents, each with its score; the newer first where they are equal.
fn best<T>(query: &Query<'_>, all: Vec<T>, words: impl Fn(&T) -> (String, String)) -> Vec<T> {
    let wide = beginnings(&query.terms);
    let mut scored: Vec<(f64, T)> = all
        .into_iter()
        .map(|one| {
            let (title, text) = words(&one);
            let (title, text) = (tokens(&title), tokens(beginning(&text)));
            // What has the word itself is before what has one that begins so.
            (
                score(&query.terms, &title, &text) + 0.5 * score(&wide, &title, &text),
                one,
            )
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(SHOWN).map(|(_, one)| one).collect()
}

async fn memories(
    tx: &mut Tx,
    query: &Query<'_>,
    places: &Places,
    current: bool,
) -> Result<Vec<MemoryHit>> {
    let rows = candidates(tx, query, places, DocumentKind::Memory, current).await?;
    let ids: Vec<VersionId> = rows.iter().map(|row| VersionId(row.subject_id)).collect();
    let mut all = search::versions(tx, &ids).await?;
    all.sort_by_key(|v| Reverse((v.created_at, v.id)));
    if !current {
        // One hit of each memory is enough: the newest version that has the words.
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|v| seen.insert(v.memory_id));
    }
    let chosen = best(query, all, |v| {
        (v.path.to_string(), v.content.clone().unwrap_or_default())
    });
    let hit = |v: search::FoundVersion| MemoryHit {
        store_name: query.names.get(&v.store_id).cloned().unwrap_or_default(),
        excerpt: excerpt(&v.content.unwrap_or_default(), &query.terms),
        memory_id: v.memory_id,
        store_id: v.store_id,
        path: v.path,
        number: v.number,
        at: v.created_at,
        alive: v.alive,
    };
    Ok(chosen.into_iter().map(hit).collect())
}

async fn changes_of(tx: &mut Tx, query: &Query<'_>, places: &Places) -> Result<Vec<ChangeHit>> {
    let rows = candidates(tx, query, places, DocumentKind::Change, true).await?;
    let ids: Vec<ChangeId> = rows.iter().map(|row| ChangeId(row.subject_id)).collect();
    let mut all = search::changes(tx, &ids).await?;
    all.sort_by_key(|c| Reverse((c.created_at, c.id)));
    let chosen = best(query, all, |c| (c.title.clone(), c.rationale.clone()));
    let hit = |c: search::FoundChange| ChangeHit {
        store_name: places.names.get(&c.store_id).cloned().unwrap_or_default(),
        title: marked(c.title, &query.terms),
        id: c.id,
        changeset_id: c.changeset_id,
        state: c.state,
        at: c.created_at,
    };
    Ok(chosen.into_iter().map(hit).collect())
}

async fn sessions_of(tx: &mut Tx, query: &Query<'_>, places: &Places) -> Result<Vec<SessionHit>> {
    let rows = candidates(tx, query, places, DocumentKind::Session, true).await?;
    let mut ids: Vec<SessionId> = rows.iter().map(|row| SessionId(row.subject_id)).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut all = search::sessions(tx, &ids).await?;
    all.sort_by_key(|s| Reverse((s.created_at, s.id)));
    let about = |s: &search::FoundSession| {
        [&s.agent, &s.team, &s.task_key, &s.subject]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(" · ")
    };
    let chosen = best(query, all, |s| {
        (s.external_id.clone().unwrap_or_default(), about(s))
    });
    let hit = |s: search::FoundSession| SessionHit {
        about: marked(about(&s), &query.terms),
        title: marked(
            s.external_id.unwrap_or_else(|| s.id.to_string()),
            &query.terms,
        ),
        id: s.id,
        at: s.created_at,
    };
    Ok(chosen.into_iter().map(hit).collect())
}

/// People whose name has all the words, or words that begin so.
async fn people(tx: &mut Tx, terms: &[Term]) -> Result<Vec<PersonHit>> {
    let wide = beginnings(terms);
    let fits = |name: &str| {
        let tokens = tokens(name);
        wide.iter().all(|term| term.count(&tokens) > 0)
    };
    let all = users::all(tx)
        .await?
        .into_iter()
        .filter(|user| fits(&user.name));
    Ok(all
        .take(PEOPLE)
        .map(|user| PersonHit {
            id: user.id,
            name: marked(user.name, terms),
        })
        .collect())
}

/// The one person who is called just so, or whose name alone has these words; among those whom the
/// actor can know of.
async fn called(tx: &mut Tx, actor: &Actor, name: &str) -> Result<UserId> {
    let wide = beginnings(&terms(name));
    let fits = |(_, called): &&(UserId, String)| {
        let tokens = tokens(called);
        !wide.is_empty() && wide.iter().all(|term| term.count(&tokens) > 0)
    };
    let (visible, _) = actor.visible(Action::SeeMemory).narrowed(None);
    let all = users::known(tx, visible).await?;
    if let Some((exact, _)) = all.iter().find(|(_, called)| called == name) {
        return Ok(*exact);
    }
    match all.iter().filter(fits).collect::<Vec<_>>()[..] {
        [(one, _)] => Ok(*one),
        [] => Err(Error::Invalid(format!(
            "nobody whom you know here is called “{name}”"
        ))),
        _ => Err(Error::Invalid(format!(
            "more than one person is called “{name}”; write the whole name"
        ))),
    }
}

/// A text, masked, with the words marked.
fn marked(text: String, terms: &[Term]) -> Excerpt {
    let text = mask(&text);
    Excerpt {
        marks: marks(&text, &beginnings(terms)),
        text,
    }
}

/// The line of a text that has most of the words, masked, cut around the first of them.
fn excerpt(text: &str, terms: &[Term]) -> Excerpt {
    let wide = beginnings(terms);
    let fits = |line: &&str| {
        let tokens = tokens(line);
        let both = |terms: &[Term]| terms.iter().filter(|term| term.count(&tokens) > 0).count();
        (
            both(terms),
            both(&wide),
            Reverse(usize::from(line.starts_with('#'))),
        )
    };
    // `max_by_key` keeps the last of equals, and the first is wanted.
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let line = lines.rev().max_by_key(fits).unwrap_or_default();
    let line = mask(line.trim().trim_start_matches(['#', '-', '*', ' ']));
    let first = marks(&line, &wide).first().map_or(0, |mark| mark.start);
    let text = around(&line, first);
    Excerpt {
        marks: marks(&text, &wide),
        text,
    }
}

/// At most so many characters of a line, with the given byte among them.
fn around(line: &str, at: usize) -> String {
    let length = line.chars().count();
    if length <= EXCERPT {
        return line.to_owned();
    }
    let before = line[..at].chars().count();
    let start = before.saturating_sub(EXCERPT / 4).min(length - EXCERPT);
    let cut: String = line.chars().skip(start).take(EXCERPT).collect();
    let (left, right) = (
        if start > 0 { "…" } else { "" },
        if start + EXCERPT < length { "…" } else { "" },
    );
    format!("{left}{cut}{right}")
}
