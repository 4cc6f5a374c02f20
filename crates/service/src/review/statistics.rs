//! How well we review: how long decisions take, where two who decided agreed, what was overridden,
//! what was reverted; overall, and of each reviewer for themselves and for admins. No names in any
//! other list, and no ranks: a quick reviewer is not a good one.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    actor::{Actor, Role},
    changeset::DecisionKind,
    ids::{ChangeId, UserId},
    rights::Action,
};
use store::decisions::{self, JudgedRow};

use crate::{Error, Lucid, Result};

/// How far back is looked, in days.
pub const DAYS: i64 = 90;
/// Most decisions that are counted.
const MOST: i64 = 50_000;

/// Figures of one reviewer, or of all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reviewing {
    /// Decisions, those withdrawn included.
    pub decisions: usize,
    pub approvals: usize,
    pub rejections: usize,
    /// From having it before one's eyes to deciding: the median, in seconds; of how many.
    pub seconds_looking: Option<(i64, usize)>,
    /// From the proposal to the decision: the median, in seconds.
    pub seconds_waiting: Option<i64>,
    /// Changes on which somebody else decided, too, and of these where both said the same.
    pub shared: usize,
    pub agreed: usize,
    /// Decisions that somebody else took back.
    pub overridden: usize,
    /// Approvals whose commit was reverted later.
    pub reverted: usize,
}

/// Figures of everybody and of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewStatistics {
    pub since: Timestamp,
    pub overall: Reviewing,
    /// Of each whom the viewer may see, by name.
    pub each: Vec<(String, Reviewing)>,
}

impl Lucid {
    /// How reviews went in the last 90 days, in stores that the actor may see.
    #[tracing::instrument(skip_all)]
    pub async fn review_statistics(&self, actor: &Actor) -> Result<ReviewStatistics> {
        let me = actor.who.person().ok_or(Error::SignIn)?;
        let since = self.now().plus_seconds(-DAYS * 86_400);
        let rows = decisions::since(
            &mut self.db.read().await?,
            since,
            actor.visible(Action::SeeChanges),
            MOST,
        )
        .await?;
        let mut by_person: BTreeMap<(String, UserId), Vec<&JudgedRow>> = BTreeMap::new();
        for row in rows
            .iter()
            .filter(|r| r.user_id == me || actor.role == Role::Admin)
        {
            by_person
                .entry((row.user_name.clone(), row.user_id))
                .or_default()
                .push(row);
        }
        let sides = sides(&rows);
        let each = by_person
            .into_iter()
            .map(|((name, _), own)| (name, figures(&own, &sides)))
            .collect();
        Ok(ReviewStatistics {
            since,
            overall: figures(&rows.iter().collect::<Vec<_>>(), &sides),
            each,
        })
    }
}

/// The last verdict of each person on each revision of each change.
type Sides = BTreeMap<(ChangeId, i64), BTreeMap<UserId, DecisionKind>>;

fn sides(rows: &[JudgedRow]) -> Sides {
    let mut sides: Sides = BTreeMap::new();
    // Newest first, so from the end: the last word stays. What its own maker undid was no word.
    for row in rows.iter().rev().filter(|r| {
        r.verdict != DecisionKind::Defer
            && !(r.taken_back_at.is_some() && r.taken_back_by == Some(r.user_id))
    }) {
        sides
            .entry((row.change_id, row.revision))
            .or_default()
            .insert(row.user_id, row.verdict);
    }
    sides
}

fn figures(rows: &[&JudgedRow], sides: &Sides) -> Reviewing {
    let of = |verdict: DecisionKind| rows.iter().filter(|r| r.verdict == verdict).count();
    let seconds = |from: Timestamp, to: Timestamp| (to.0 - from.0) / 1_000_000;
    let looking: Vec<i64> = rows
        .iter()
        .filter_map(|r| r.opened_at.map(|o| seconds(o, r.created_at)))
        .collect();
    let decided: BTreeSet<(ChangeId, i64)> =
        rows.iter().map(|r| (r.change_id, r.revision)).collect();
    let shared: Vec<&BTreeMap<UserId, DecisionKind>> = decided
        .iter()
        .filter_map(|k| sides.get(k))
        .filter(|said| said.len() > 1)
        .collect();
    let agreed = shared
        .iter()
        .filter(|said| said.values().collect::<BTreeSet<_>>().len() == 1)
        .count();
    let by_other = |r: &&&JudgedRow| {
        r.taken_back_at.is_some() && r.taken_back_by.is_some_and(|by| by != r.user_id)
    };
    Reviewing {
        decisions: rows.len(),
        approvals: of(DecisionKind::Approve),
        rejections: of(DecisionKind::Reject),
        seconds_looking: median(looking.clone()).map(|m| (m, looking.len())),
        seconds_waiting: median(
            rows.iter()
                .map(|r| seconds(r.proposed_at, r.created_at))
                .collect(),
        ),
        shared: shared.len(),
        agreed,
        overridden: rows.iter().filter(by_other).count(),
        reverted: rows
            .iter()
            .filter(|r| {
                r.reverted && r.verdict == DecisionKind::Approve && r.taken_back_at.is_none()
            })
            .count(),
    }
}

/// The middle one, or the lower of both.
fn median(mut all: Vec<i64>) -> Option<i64> {
    all.sort_unstable();
    all.get(all.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_middle_one() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![5, 1, 3]), Some(3));
        assert_eq!(median(vec![4, 1, 3, 9]), Some(3));
    }
}
