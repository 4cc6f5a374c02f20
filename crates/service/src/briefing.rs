//! The way out: what an agent loads at the start of a session, and what is known about a failure.
//! Committed memory only, ever (rule 13): nothing here reads a changeset, a draft or a dream.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    actor::Actor,
    briefing::{self, Candidate, Known, tokens},
    ids::{MemoryId, SessionId, StoreId, VersionId},
    memory::MemoryPath,
    rights::Action,
    validity,
};
use store::{
    Tx,
    memories::{self, BriefingRow, RankedRow},
    memory_stores::{self, StoreRow},
    superseded::{self, SupersededRow},
};

use crate::{Error, Lucid, Result, require};

/// Longest agent, tool or error that is asked about, in characters.
const ASKED_CHARS: usize = 4_096;

/// Contents of up to so many bytes are looked at for what they say of a failure, however small the
/// budget.
const LEAST_BYTES: i64 = 16_384;

/// Memories that are read one by one by their hashes; for more, all are read at once.
const MOST_CHOSEN: usize = 500;

/// The options of a briefing.
#[derive(Debug, Clone, Default)]
pub struct BriefingRequest {
    /// Which agent asks: memories under `/agents/<name>` are for that one only.
    pub agent: Option<String>,
    /// The session that it is for; what it read is recorded.
    pub session: Option<SessionId>,
    /// At most so many tokens; 2,000 where none is named.
    pub budget_tokens: Option<i64>,
    /// Only what is known about failures of this tool.
    pub tool: Option<String>,
    /// Only what is known about this error.
    pub error: Option<String>,
    /// Also statements that are not valid yet, or no longer.
    pub all_times: bool,
    /// Also, by title, the memories that those of the briefing replaced.
    pub superseded: bool,
}

/// A briefing with what is in it.
#[derive(Debug, Clone)]
pub struct BriefingView {
    pub store: StoreRow,
    pub budget_tokens: i64,
    /// Tokens of the text.
    pub tokens: i64,
    /// Statements that were left out because they are not valid now.
    pub not_valid: usize,
    /// The whole as Markdown.
    pub text: String,
    /// Memories that are in it whole.
    pub memories: Vec<BriefedMemory>,
    /// Memories of which only the title is in it.
    pub titles: Vec<BriefedMemory>,
    /// How many more there are.
    pub left_out: usize,
    /// The memories that those of the briefing replaced, if they were asked for. The text names as
    /// many as fit.
    pub superseded: Vec<SupersededTitle>,
}

/// A memory that one of a briefing replaced.
#[derive(Debug, Clone)]
pub struct SupersededTitle {
    /// The title of its last content.
    pub title: String,
    /// The path of the memory that replaced it.
    pub successor_path: MemoryPath,
    /// The memory, and when it was replaced.
    pub row: SupersededRow,
}

/// A memory in a briefing.
#[derive(Debug, Clone)]
pub struct BriefedMemory {
    pub id: MemoryId,
    /// The version that was read.
    pub version_id: VersionId,
    pub path: MemoryPath,
    pub title: String,
    /// True if only a person may change it.
    pub frozen: bool,
    /// Distinct subjects, else tasks, else sessions behind it.
    pub support: i64,
}

impl SupersededTitle {
    fn line(&self) -> String {
        let (path, day) = (&self.row.path, self.row.superseded_at.date());
        let (successor, title) = (&self.successor_path, &self.title);
        format!("- {path} (replaced by {successor} on {day}): {title}\n")
    }
}

impl Lucid {
    /// Composes a briefing and records which versions were read.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn briefing(
        &self,
        actor: &Actor,
        store: StoreId,
        asked: &BriefingRequest,
    ) -> Result<BriefingView> {
        require(actor, Action::SeeMemory, store)?;
        let budget_tokens = asked.budget_tokens.unwrap_or(briefing::DEFAULT_BUDGET);
        if !(briefing::LEAST_BUDGET..=briefing::LARGEST_BUDGET).contains(&budget_tokens) {
            let (least, largest) = (briefing::LEAST_BUDGET, briefing::LARGEST_BUDGET);
            return Err(Error::Invalid(format!(
                "a briefing has {least} to {largest} tokens ({})",
                briefing::TOKEN_RULE
            )));
        }
        if [&asked.agent, &asked.tool, &asked.error]
            .into_iter()
            .flatten()
            .any(|t| t.chars().count() > ASKED_CHARS)
        {
            return Err(Error::Invalid(format!(
                "agent, tool and error have at most {ASKED_CHARS} characters"
            )));
        }
        let mut tx = self.db.read().await?;
        let row = memory_stores::get(&mut tx, store)
            .await?
            .ok_or(Error::NotFound("store"))?;
        self.reads_for(&mut tx, actor, asked.session).await?;
        let (tool, error) = (
            asked.tool.as_deref().unwrap_or_default(),
            asked.error.as_deref().unwrap_or_default(),
        );
        let asks_for_failure = !tool.is_empty() || !error.is_empty();
        // What is known of a failure is found by what every memory says.
        let chosen = if asks_for_failure {
            None
        } else {
            chosen_rows(&mut tx, store, asked.agent.as_deref(), budget_tokens).await?
        };
        let (mut rows, more) = match chosen {
            Some(chosen) => chosen,
            None => (
                memories::for_briefing(
                    &mut tx,
                    store,
                    briefing::bytes(budget_tokens).max(LEAST_BYTES),
                )
                .await?,
                0,
            ),
        };
        let not_valid = if asked.all_times {
            0
        } else {
            leave_out_invalid(&mut rows, self.now())
        };
        let known: Vec<Known<'_>> = rows
            .iter()
            .map(|r| Known {
                path: r.path.as_str(),
                content: &r.content,
                whole: r.whole,
                frozen: r.frozen,
                support: support(r),
            })
            .collect();
        let about: Option<Vec<usize>> = asks_for_failure
            .then(|| briefing::about_failure(tool, &dream::reading::signature::of(error), &known));
        let title = match &about {
            Some(found) if found.is_empty() => format!(
                "Nothing is known in {} about this failure (revision {})",
                row.name, row.revision
            ),
            Some(_) => format!(
                "What {} knows about this failure (revision {})",
                row.name, row.revision
            ),
            None => format!("What {} remembers (revision {})", row.name, row.revision),
        };
        // Of a failure, what matches best comes first, whatever its support.
        let chosen: Vec<Known<'_>> = match &about {
            Some(found) => (1..)
                .zip(found)
                .map(|(n, &i)| Known {
                    support: -n,
                    frozen: false,
                    ..known[i].clone()
                })
                .collect(),
            None => known.clone(),
        };
        let composed =
            briefing::compose(&title, asked.agent.as_deref(), budget_tokens, &chosen, more);
        let at = |n: usize| &rows[about.as_ref().map_or(n, |found| found[n])];
        let listed =
            |indices: &[usize]| indices.iter().map(|&n| briefed(at(n))).collect::<Vec<_>>();
        let mut view = BriefingView {
            store: row,
            budget_tokens,
            tokens: 0,
            not_valid,
            memories: listed(&composed.whole),
            titles: listed(&composed.titles),
            left_out: composed.left_out.len() + more,
            text: composed.text,
            superseded: Vec::new(),
        };
        if asked.superseded {
            add_superseded(&mut tx, &mut view, asked.agent.as_deref()).await?;
        }
        view.tokens = tokens(&view.text);
        let versions = view.memories.iter().map(|m| m.version_id);
        self.record_reads(actor, store, asked.session, versions);
        Ok(view)
    }
}

/// Adds the memories that those of a briefing replaced, by title.
async fn add_superseded(tx: &mut Tx, view: &mut BriefingView, agent: Option<&str>) -> Result<()> {
    let paths: BTreeMap<MemoryId, MemoryPath> = view
        .memories
        .iter()
        .chain(&view.titles)
        .map(|m| (m.id, m.path.clone()))
        .collect();
    let successors: Vec<MemoryId> = paths.keys().copied().collect();
    let mut rows = superseded::superseded_by(tx, &successors).await?;
    rows.retain(|row| briefing::is_for(row.path.as_str(), agent));
    let hashes: Vec<&str> = rows.iter().map(|row| row.content_sha256.as_str()).collect();
    let beginnings: BTreeMap<String, String> = memories::beginnings(tx, &hashes)
        .await?
        .into_iter()
        .collect();
    for row in rows {
        let title = briefing::title_of(
            beginnings
                .get(&row.content_sha256)
                .map_or("", String::as_str),
        );
        let successor_path = paths[&row.successor].clone();
        view.superseded.push(SupersededTitle {
            title,
            successor_path,
            row,
        });
    }
    view.superseded
        .sort_by(|a, b| (&a.row.path, a.row.memory_id).cmp(&(&b.row.path, b.row.memory_id)));
    let lines = view.superseded.iter().map(SupersededTitle::line);
    briefing::add_superseded(&mut view.text, view.budget_tokens, lines);
    Ok(())
}

/// Leaves out statements that are not valid at a moment, and memories that then say nothing.
/// Returns how many statements those are.
fn leave_out_invalid(rows: &mut Vec<BriefingRow>, at: Timestamp) -> usize {
    let mut gone = 0;
    rows.retain_mut(|row| {
        let Some((left, statements)) = validity::valid_at(&row.content, at) else {
            return true;
        };
        gone += statements;
        row.content = left;
        validity::says_anything(&row.content)
    });
    gone
}

/// The memories that can have a place in a briefing, with what they say or how that begins, and how
/// many more there are; `None` where so many fit that reading all of them at once is less work.
async fn chosen_rows(
    tx: &mut Tx,
    store: StoreId,
    agent: Option<&str>,
    budget_tokens: i64,
) -> Result<Option<(Vec<BriefingRow>, usize)>> {
    let ranked = memories::ranked(tx, store).await?;
    let candidates: Vec<Candidate<'_>> = ranked.iter().map(candidate).collect();
    let (chosen, more) = briefing::choose(agent, budget_tokens, &candidates);
    if chosen.len() > MOST_CHOSEN {
        return Ok(None);
    }
    let limit = briefing::bytes(budget_tokens);
    let hashes = |whole: bool| -> Vec<&str> {
        chosen
            .iter()
            .map(|&i| &ranked[i])
            .filter(|r| (r.bytes <= limit) == whole)
            .map(|r| r.content_sha256.as_str())
            .collect()
    };
    let mut contents: BTreeMap<String, String> = memories::contents(tx, &hashes(true))
        .await?
        .into_iter()
        .collect();
    contents.extend(memories::beginnings(tx, &hashes(false)).await?);
    let row = |&i: &usize| {
        let r = &ranked[i];
        BriefingRow {
            id: r.id,
            path: r.path.clone(),
            version_id: r.version_id,
            frozen: r.frozen,
            whole: r.bytes <= limit,
            content: contents.get(&r.content_sha256).cloned().unwrap_or_default(),
            support: r.support,
            refreshed: r.refreshed.clone(),
        }
    };
    Ok(Some((chosen.iter().map(row).collect(), more)))
}

fn candidate(row: &RankedRow) -> Candidate<'_> {
    Candidate {
        path: row.path.as_str(),
        bytes: usize::try_from(row.bytes).unwrap_or(usize::MAX),
        frozen: row.frozen,
        support: counted(&row.refreshed, row.support),
    }
}

fn briefed(row: &BriefingRow) -> BriefedMemory {
    BriefedMemory {
        id: row.id,
        version_id: row.version_id,
        path: row.path.clone(),
        title: briefing::title_of(&row.content),
        frozen: row.frozen,
        support: support(row),
    }
}

/// Refuses what would put a store over its budget. What makes it smaller is always let through.
pub async fn fits_budget(
    tx: &mut Tx,
    store: &StoreRow,
    before: Option<&str>,
    after: Option<&str>,
) -> Result<()> {
    let added = after.map_or(0, tokens) - before.map_or(0, tokens);
    let Some(budget) = store.budget_tokens.filter(|_| added > 0) else {
        return Ok(());
    };
    let now = memories::tokens_of_store(tx, store.id).await?;
    if now + added <= budget {
        return Ok(());
    }
    Err(Error::Conflict(over_budget(now, added, budget)))
}

/// Returns what is said of a change that would put a store over its budget.
pub fn over_budget(now: i64, added: i64, budget: i64) -> String {
    format!("the store's budget is {budget} tokens; it holds {now}, and this would add {added}")
}

/// Returns what backs a memory.
fn support(row: &BriefingRow) -> i64 {
    counted(&row.refreshed, row.support)
}

/// Returns what backs a memory: as the last dream counted it, else as the change that wrote it
/// said.
fn counted(refreshed: &str, of_change: i64) -> i64 {
    let refreshed: serde_json::Value = serde_json::from_str(refreshed).unwrap_or_default();
    refreshed["distinct"].as_i64().unwrap_or(of_change)
}
