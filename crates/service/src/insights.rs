//! How stores do, week by week: how sessions ended, how the memory grew, and what became of
//! proposals. Numbers with their n; nothing is concluded from few sessions.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    actor::Actor,
    changeset::{ChangeKind, ChangeState},
    event::{OutcomeResult, OutcomeSource},
    ids::StoreId,
    masking::mask,
    rights::Action,
    strata::Stratum,
};
use store::{
    insights::{self, OpenFailure, ProposalsRow, Seen, TaskRow, WEEK},
    note_effects::{self, NoteEffect},
};

use crate::{Lucid, Result};

/// Weeks that are looked at, this one included.
pub const WEEKS: usize = 13;

/// Weeks that are compared with those before, if nobody says which.
const RECENT_WEEKS: usize = 4;

/// Notes and failures that are listed.
const SHOWN: i64 = 50;

/// The counts of one week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Week {
    pub from: Timestamp,
    pub succeeded: i64,
    pub failed: i64,
    /// Sessions of which nobody said how they ended.
    pub unknown: i64,
    /// Memories that were added, changed and removed.
    pub added: i64,
    pub changed: i64,
    pub removed: i64,
    /// How many memories there were at its end.
    pub memories: i64,
    pub bytes: i64,
    pub commits: i64,
}

impl Week {
    const fn starting(from: Timestamp) -> Self {
        Self {
            from,
            succeeded: 0,
            failed: 0,
            unknown: 0,
            added: 0,
            changed: 0,
            removed: 0,
            memories: 0,
            bytes: 0,
            commits: 0,
        }
    }
}

/// The fates of the proposals of one kind and source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposals {
    pub accepted: i64,
    pub rejected: i64,
    /// Not decided, or put off.
    pub open: i64,
    /// Withdrawn, expired or overtaken.
    pub obsolete: i64,
}

impl Proposals {
    /// Of those that were decided, how many were accepted, and of how many.
    #[must_use]
    pub const fn acceptance(&self) -> (i64, i64) {
        (self.accepted, self.accepted + self.rejected)
    }

    fn add(&mut self, row: &ProposalsRow) {
        let to = match row.state {
            ChangeState::Approved | ChangeState::Committed => &mut self.accepted,
            ChangeState::Rejected => &mut self.rejected,
            ChangeState::Pending | ChangeState::Deferred => &mut self.open,
            ChangeState::Obsolete => &mut self.obsolete,
        };
        *to += row.number;
    }
}

/// How stores did in the last 13 weeks.
#[derive(Debug, Clone)]
pub struct Insights {
    /// The weeks, the oldest first; the last one is not over.
    pub weeks: Vec<Week>,
    /// When the comparison by task splits the sessions.
    pub split: Timestamp,
    /// Sessions with a known outcome by task, before and after the split; the task with the most
    /// sessions first.
    pub tasks: Vec<Stratum>,
    /// What became of proposals, by the kind of change and by who or what proposed: an engine,
    /// `agent`, `person` or `revert`.
    pub proposals: BTreeMap<(ChangeKind, String), Proposals>,
    /// Changes that wait for up to a day, a week, thirty days, and longer.
    pub waiting: [i64; 4],
    pub cost_micros: i64,
    /// How failures went on that a note is about; at most 50.
    pub notes: Vec<NoteEffect>,
    /// Failures that recur and that nobody found a way out of, each with its number of sessions; at
    /// most 50.
    pub open_failures: Vec<(OpenFailure, i64)>,
}

impl Insights {
    /// How many changes of models were accepted.
    #[must_use]
    pub fn accepted_of_models(&self) -> i64 {
        let of_model = |source: &str| !matches!(source, "builtin" | "agent" | "person" | "revert");
        self.proposals
            .iter()
            .filter(|((_, source), _)| of_model(source))
            .map(|(_, p)| p.accepted)
            .sum()
    }
}

impl Lucid {
    /// How the stores that the actor may see did, or one of them. `split` is the first week, from
    /// 1, of those that are compared with the weeks before; the last four weeks if none is given.
    #[tracing::instrument(skip_all)]
    pub async fn insights(
        &self,
        actor: &Actor,
        store: Option<StoreId>,
        split: Option<usize>,
    ) -> Result<Insights> {
        let now = self.now();
        let from = Timestamp(now.0 - WEEK * i64::try_from(WEEKS).unwrap_or(i64::MAX));
        let seen = |action| {
            let (visible, store) = actor.visible(action).narrowed(store);
            Seen { visible, store }
        };
        let mut tx = self.db.read().await?;
        let mut weeks: Vec<Week> = (0_i64..)
            .take(WEEKS)
            .map(|n| Week::starting(Timestamp(from.0 + n * WEEK)))
            .collect();
        let of = |week: i64| usize::try_from(week).unwrap_or_default().min(WEEKS - 1);
        for row in insights::sessions(&mut tx, seen(Action::SeeSessions), from, now).await? {
            let week = &mut weeks[of(row.week)];
            // What nobody but the agent said is not known.
            match row
                .result
                .filter(|_| row.source.is_some_and(OutcomeSource::decides))
            {
                Some(OutcomeResult::Success) => week.succeeded += row.number,
                Some(OutcomeResult::Failure) => week.failed += row.number,
                _ => week.unknown += row.number,
            }
        }
        let split = weeks[split
            .filter(|n| (1..WEEKS).contains(n))
            .unwrap_or(WEEKS - RECENT_WEEKS)]
        .from;
        let tasks =
            by_task(insights::tasks(&mut tx, seen(Action::SeeSessions), from, split, now).await?);
        let memory = seen(Action::SeeMemory);
        for row in insights::written(&mut tx, memory, from).await? {
            let week = &mut weeks[of(row.week)];
            week.added += row.added;
            week.changed += row.changed;
            week.removed += row.removed;
            week.bytes += row.bytes;
        }
        // From what there is now back to what there was.
        let (mut memories, mut bytes) = insights::size(&mut tx, memory).await?;
        for week in weeks.iter_mut().rev() {
            week.memories = memories;
            let grown = std::mem::replace(&mut week.bytes, bytes);
            memories -= week.added - week.removed;
            bytes -= grown;
        }
        for (week, number) in insights::commits(&mut tx, memory, from).await? {
            weeks[of(week)].commits += number;
        }
        let changes = seen(Action::SeeChanges);
        let mut proposals: BTreeMap<(ChangeKind, String), Proposals> = BTreeMap::new();
        for row in insights::proposals(&mut tx, changes, from).await? {
            proposals
                .entry((row.kind, row.source.clone()))
                .or_default()
                .add(&row);
        }
        let mut waiting = [0; 4];
        for (age, number) in insights::waiting(&mut tx, changes, now).await? {
            waiting[usize::try_from(age).unwrap_or_default().min(3)] = number;
        }
        let cost_micros = insights::cost(&mut tx, changes, from).await?;
        let notes = note_effects::list(&mut tx, memory, SHOWN).await?;
        let open = insights::open_failures(&mut tx, changes, SHOWN).await?;
        let counted = |row: OpenFailure| {
            let support: serde_json::Value = serde_json::from_str(&row.support).unwrap_or_default();
            (
                OpenFailure {
                    title: mask(&row.title),
                    ..row
                },
                support["sessions"].as_i64().unwrap_or_default(),
            )
        };
        let open_failures = open.into_iter().map(counted).collect();
        Ok(Insights {
            weeks,
            split,
            tasks,
            proposals,
            waiting,
            cost_micros,
            notes,
            open_failures,
        })
    }
}

/// Adds up the sessions of each task, the task with the most sessions first. What only the agent
/// claimed is not known.
fn by_task(rows: Vec<TaskRow>) -> Vec<Stratum> {
    let mut strata: BTreeMap<String, Stratum> = BTreeMap::new();
    for row in rows
        .into_iter()
        .filter(|row| row.source.decides() && row.result != OutcomeResult::Unknown)
    {
        let stratum = strata.entry(row.task_key).or_default();
        let side = if row.is_after {
            &mut stratum.after
        } else {
            &mut stratum.before
        };
        side.known += row.number;
        if row.result == OutcomeResult::Success {
            side.succeeded += row.number;
        }
    }
    let mut all: Vec<Stratum> = strata
        .into_iter()
        .map(|(task, s)| Stratum {
            task: mask(&task),
            ..s
        })
        .collect();
    all.sort_by_key(|s| std::cmp::Reverse(s.before.known + s.after.known));
    all
}
