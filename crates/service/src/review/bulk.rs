//! Many decisions at once: each is one of its own, with its own audit entry, and each says by
//! itself whether it went through.

use std::collections::BTreeSet;

use domain::{
    actor::Actor,
    ids::{ChangeId, ChangesetId},
    review::BULK,
    rights::Action,
    risk::RiskLevel,
};
use store::{
    Tx,
    changes::{self, ChangeRow, EditPaths, EditRow},
    changesets, comments, decisions,
};

use super::Decision;
use crate::{
    Error, Lucid, Result, changesets::waits_for, independence::Identities, people::is_solo,
};

/// Bytes of contents and proposed contents that are read to be shown together; what is larger is
/// opened by itself.
const SHOWN_BYTES: i64 = 256 * 1024;
/// Changesets whose changes are read together.
const CHANGESETS_READ: usize = 50;

/// The changes that somebody chose to decide on together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// One change, whatever its state is.
    Change(ChangeId),
    /// Every open change of a changeset.
    Changeset(ChangesetId),
}

/// A change that was chosen.
#[derive(Debug, Clone)]
pub struct ChosenChange {
    pub change: ChangeRow,
    /// Its edits with their contents; `None` where those would be too much to be shown beside the
    /// others.
    pub edits: Option<Vec<EditRow>>,
    /// True if a decision of the reader would move it on.
    pub waits_for_reader: bool,
}

/// The result of one decision among many.
#[derive(Debug)]
pub struct BulkResult {
    pub change: ChangeId,
    /// Its title, if it is known.
    pub title: String,
    /// Why it was not done; nothing if it was.
    pub refused: Option<Error>,
}

impl Lucid {
    /// The changes that were chosen, each changeset's in its order: at most one more than can be
    /// decided on together. Read from one snapshot.
    #[tracing::instrument(skip_all)]
    pub async fn chosen(&self, actor: &Actor, choices: &[Choice]) -> Result<Vec<ChosenChange>> {
        let mut tx = self.db.read().await?;
        let in_changesets = changesets_of(&mut tx, choices).await?;
        let (mut ids, mut once) = (Vec::new(), BTreeSet::new());
        ids.extend(
            in_changesets
                .iter()
                .map(|(id, _)| *id)
                .filter(|id| once.insert(*id)),
        );
        let independence = (Identities::read(&mut tx).await?, is_solo(&mut tx).await?);
        let mut all = Vec::new();
        for part in ids.chunks(CHANGESETS_READ) {
            let stores = changesets::stores_of(&mut tx, part).await?;
            if part.iter().any(|id| {
                !stores
                    .iter()
                    .any(|(c, store)| c == id && actor.may(Action::SeeChanges, *store))
            }) {
                return Err(Error::NotFound("changeset"));
            }
            all.extend(read_chosen(&mut tx, actor, (part, &in_changesets), &independence).await?);
            all.truncate(BULK + 1);
            if all.len() > BULK {
                break;
            }
        }
        add_edits(&mut tx, &mut all).await?;
        Ok(all.into_iter().map(|(chosen, _)| chosen).collect())
    }

    /// Casts up to 200 votes, one after the other. A change of high risk is decided only by whoever
    /// has had this revision of it before their eyes.
    #[tracing::instrument(skip_all)]
    pub async fn decide_many(
        &self,
        actor: &Actor,
        decisions: &[Decision],
    ) -> Result<Vec<BulkResult>> {
        if decisions.is_empty() || decisions.len() > BULK {
            return Err(Error::Invalid(format!(
                "choose 1 to {BULK} changes; {} were chosen",
                decisions.len()
            )));
        }
        let mut seen = BTreeSet::new();
        let mut results = Vec::new();
        for decision in decisions.iter().filter(|d| seen.insert(d.change)) {
            let (title, refused) = match self.one_of_many(actor, decision).await {
                Ok(title) => (title, None),
                // A database that is gone refuses the rest as well; what was done is done, and says
                // so.
                Err((title, error)) => (title, Some(error)),
            };
            results.push(BulkResult {
                change: decision.change,
                title,
                refused,
            });
        }
        Ok(results)
    }

    async fn one_of_many(
        &self,
        actor: &Actor,
        decision: &Decision,
    ) -> std::result::Result<String, (String, Error)> {
        let unnamed = |e: Error| (String::new(), e);
        let (mut tx, actor) = self.begin(actor).await.map_err(unnamed)?;
        let opened = self
            .open(&mut tx, &actor, decision.change)
            .await
            .map_err(unnamed)?;
        let title = opened.change.title.clone();
        let named = |e: Error| (title.clone(), e);
        let (change, user) = (&opened.change, opened.user);
        if change.risk_level == RiskLevel::High {
            let seen = comments::is_opened(&mut tx, change.id, change.revision, user)
                .await
                .map_err(|e| named(e.into()))?;
            if !seen {
                return Err(named(Error::Conflict(
                    "it is of high risk: open it, look at it, then decide".to_owned(),
                )));
            }
        }
        self.cast(&mut tx, &actor, &opened, decision)
            .await
            .map_err(named)?;
        tx.commit().await.map_err(|e| (title.clone(), e.into()))?;
        Ok(title)
    }
}

/// Returns what was chosen, by changeset: one change of it, or all that are open.
async fn changesets_of(
    tx: &mut Tx,
    choices: &[Choice],
) -> Result<Vec<(ChangesetId, Option<ChangeId>)>> {
    let changes: Vec<ChangeId> = choices
        .iter()
        .filter_map(|c| {
            if let Choice::Change(id) = c {
                Some(*id)
            } else {
                None
            }
        })
        .collect();
    let known = changes::changesets_of(tx, &changes).await?;
    let of = |choice: &Choice| match choice {
        Choice::Changeset(id) => Ok((*id, None)),
        Choice::Change(id) => known
            .iter()
            .find(|(change, _)| change == id)
            .map(|(_, set)| (*set, Some(*id)))
            .ok_or(Error::NotFound("change")),
    };
    choices.iter().map(of).collect()
}

/// The chosen changes of some changesets with the bytes of their contents, not yet with their
/// edits.
async fn read_chosen(
    tx: &mut Tx,
    actor: &Actor,
    (ids, choices): (&[ChangesetId], &[(ChangesetId, Option<ChangeId>)]),
    (identities, solo): &(Identities, bool),
) -> Result<Vec<(ChosenChange, i64)>> {
    let mut rows = changes::changes_of(tx, ids).await?;
    let paths = changes::paths_of(tx, ids).await?;
    let hands = decisions::contributors_of(tx, ids).await?;
    let approvers = decisions::approvers_of(tx, ids).await?;
    let me = actor.who.person();
    let is_chosen = |c: &ChangeRow| {
        let whole = c.state.is_open() && choices.contains(&(c.changeset_id, None));
        whole || choices.contains(&(c.changeset_id, Some(c.id)))
    };
    rows.retain(is_chosen);
    rows.sort_by_key(|c| (ids.iter().position(|id| *id == c.changeset_id), c.position));
    let view = |change: ChangeRow| {
        let edits = || paths.iter().filter(|p| p.change_id == change.id);
        let touched: Vec<&str> = edits().flat_map(EditPaths::paths).collect();
        let may_decide = actor.may_at(Action::Decide, change.store_id, &touched);
        let contributed = me.is_some_and(|me| identities.contributed(&hands, change.id, me));
        let approved = me.is_some_and(|me| approvers.contains(&(change.id, me)));
        let waits_for_reader = may_decide && waits_for(&change, approved, contributed && !solo);
        let bytes = edits().map(|p| p.bytes).sum();
        (
            ChosenChange {
                edits: None,
                waits_for_reader,
                change,
            },
            bytes,
        )
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Reads the edits of as many changes as there is room for, the first ones first.
async fn add_edits(tx: &mut Tx, all: &mut [(ChosenChange, i64)]) -> Result<()> {
    let mut room = SHOWN_BYTES;
    let fitting = all.iter().filter(|(_, bytes)| {
        let fits = *bytes <= room;
        room -= if fits { *bytes } else { 0 };
        fits
    });
    let fitting: Vec<ChangeId> = fitting.map(|(chosen, _)| chosen.change.id).collect();
    let mut edits = changes::edits_of(tx, &fitting).await?;
    for (chosen, _) in all
        .iter_mut()
        .filter(|(chosen, _)| fitting.contains(&chosen.change.id))
    {
        let (own, others): (Vec<_>, Vec<_>) = edits
            .into_iter()
            .partition(|e| e.change_id == chosen.change.id);
        chosen.edits = Some(own);
        edits = others;
    }
    Ok(())
}
