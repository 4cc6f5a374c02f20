//! What has just happened in the stores that somebody may see, in words, for pages that are open.
//! The audit trail is the feed: it is in the order of commits, and every process writes it.

use std::collections::BTreeMap;

use domain::{
    actor::{Actor, Who},
    audit_action::AuditAction,
    ids::{ChangeId, ChangesetId},
    rights::Action,
};
use store::{audit_log, changes};

use crate::{Lucid, Result, names::Names};

/// Entries that are looked at together; more come with the next look.
const A_LOOK: i64 = 500;

/// How far back a page that was away for long is told: after more it shows everything anew anyway.
const MOST_NEWS: i64 = 2_000;

/// An event of the live feed, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// In words: `Rui Reviewer decided on a change`.
    pub text: String,
    /// In which changeset, if in one.
    pub changeset: Option<ChangesetId>,
    /// True if the memory of its store moved, so that what waits there may be conflicted now.
    pub moved: bool,
    pub store: domain::ids::StoreId,
}

impl Lucid {
    /// The position of the last entry.
    #[tracing::instrument(skip_all)]
    pub async fn position(&self) -> Result<i64> {
        Ok(audit_log::head(&mut self.db.read().await?).await?.seq)
    }

    /// Returns what happened after a position in stores whose changesets the actor may see, and the
    /// position that this goes up to.
    #[tracing::instrument(skip_all)]
    pub async fn news(&self, actor: &Actor, after: i64) -> Result<(Vec<Happened>, i64)> {
        // One snapshot: an entry that is appended between two reads is not passed over.
        let mut tx = self.db.read().await?;
        let head = audit_log::head(&mut tx).await?.seq;
        let after = after.max(head - MOST_NEWS);
        let rows = audit_log::news(&mut tx, after, A_LOOK).await?;
        let Some(last) = rows.last().map(|r| r.seq) else {
            return Ok((Vec::new(), head.max(after)));
        };
        let names = Names::of_actors(&mut tx, rows.iter().map(|r| r.actor.as_str())).await?;
        let told: Vec<ChangeId> = rows
            .iter()
            .filter(|r| r.changeset_id.is_none())
            .filter_map(|r| r.subject.parse().ok())
            .collect();
        let changesets: BTreeMap<ChangeId, ChangesetId> = changes::changesets_of(&mut tx, &told)
            .await?
            .into_iter()
            .collect();
        let mut news = Vec::new();
        for row in rows {
            let Ok(action) = row.action.parse::<AuditAction>() else {
                continue;
            };
            let Some(what) = action
                .news()
                .filter(|_| actor.may(Action::SeeChanges, row.store_id))
            else {
                continue;
            };
            let changeset = match (row.changeset_id, row.subject.parse::<ChangeId>()) {
                (Some(id), _) => Some(id),
                (None, Ok(change)) => changesets.get(&change).copied(),
                (None, Err(_)) => row.subject.parse::<ChangesetId>().ok(),
            };
            let who = if row.actor == Who::Worker.to_string() {
                "Lucid".to_owned()
            } else {
                names.of(&row.actor)
            };
            let moved = action.moves_memory();
            news.push(Happened {
                text: format!("{who} {what}"),
                changeset,
                moved,
                store: row.store_id,
            });
        }
        Ok((news, last))
    }
}
