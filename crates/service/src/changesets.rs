//! The queue and a changeset as reviewers see them: with diff material, evidence, labels and who has decided what.

use domain::{
    actor::{Actor, StoreRole},
    ids::{ChangeId, ChangesetId, EvidenceId, StoreId},
    masking,
    rights::Action,
    risk::Label,
};
use store::{
    Page,
    changes::{self, ChangeRow, EditRow},
    changesets::{self, ChangesetRow, QueueFilter, QueueRow},
    decisions::{self, DecisionRow},
    evidence::{self, EvidenceRow},
    grants::{self, GrantRow},
};

use crate::{Error, Lucid, Result, names::Names};

/// A changeset with everything that a decision needs.
#[derive(Debug, Clone)]
pub struct ChangesetView {
    /// The changeset.
    pub changeset: ChangesetRow,
    /// Who proposed it, by name.
    pub created_by: String,
    /// Its changes in order.
    pub changes: Vec<ChangeView>,
    /// Whether the actor may decide on any of it.
    pub may_decide: bool,
    /// Who owns the store or a path that is touched: they are asked first.
    pub owners: Vec<String>,
}

/// A change with its edits, quotes and decisions.
#[derive(Debug, Clone)]
pub struct ChangeView {
    /// The change.
    pub change: ChangeRow,
    /// Its labels.
    pub labels: Vec<Label>,
    /// Its edits.
    pub edits: Vec<EditView>,
    /// Quotes for and against it, masked.
    pub quotes: Vec<QuoteView>,
    /// Every vote on it, oldest first.
    pub decisions: Vec<DecisionRow>,
    /// Whether the actor may decide on it: on a store, or on every path that it touches.
    pub may_decide: bool,
    /// Whether the actor had a hand in it, and so does not count as its approver.
    pub contributed: bool,
}

/// An edit with base, now and proposed.
pub type EditView = EditRow;

/// A quote with where it stands.
#[derive(Debug, Clone)]
pub struct QuoteView {
    /// The stored row.
    pub row: EvidenceRow,
    /// The quote, masked.
    pub masked: String,
    /// Whether it stands in its event, byte for byte.
    pub verified: bool,
}

impl Lucid {
    /// A page of the queue: open changesets (or the others), highest risk first, then oldest.
    pub async fn queue(
        &self,
        actor: &Actor,
        open: bool,
        store: Option<StoreId>,
        after: Option<(i64, ChangesetId)>,
    ) -> Result<Page<QueueRow>> {
        let mut tx = self.db.read().await?;
        let (visible, store) = actor.visible(Action::SeeChanges).narrowed(store);
        let filter = QueueFilter { open, store, after };
        Ok(changesets::queue(&mut tx, visible, filter, domain::limits::PAGE).await?)
    }

    /// How many changes that the actor may see wait for something.
    pub async fn waiting(&self, actor: &Actor) -> Result<i64> {
        let mut tx = self.db.read().await?;
        Ok(changesets::waiting(&mut tx, actor.visible(Action::SeeChanges)).await?)
    }

    /// A changeset with everything that a decision needs.
    pub async fn changeset(&self, actor: &Actor, id: ChangesetId) -> Result<ChangesetView> {
        let mut tx = self.db.read().await?;
        let changeset = changesets::get(&mut tx, id)
            .await?
            .filter(|c| actor.may(Action::SeeChanges, c.store_id))
            .ok_or(Error::NotFound("changeset"))?;
        let edits = changes::edits(&mut tx, id).await?;
        let quotes = evidence::of_changeset(&mut tx, id).await?;
        let verified = evidence::verified(&mut tx, id).await?;
        let votes = decisions::of_changeset(&mut tx, id).await?;
        let hands = decisions::contributors_of_changeset(&mut tx, id).await?;
        let created_by = Names::all(&mut tx).await?.of(&changeset.created_by);
        let me = actor.who.person();
        let view = |change: ChangeRow| ChangeView {
            may_decide: may_decide(actor, &change, &edits),
            labels: serde_json::from_str(&change.labels).unwrap_or_default(),
            edits: edits.iter().filter(|e| e.change_id == change.id).cloned().collect(),
            quotes: quotes.iter().filter(|q| q.change_id == change.id).map(|q| quote(q, &verified)).collect(),
            decisions: votes.iter().filter(|d| d.change_id == change.id).cloned().collect(),
            contributed: hands.iter().any(|h| h.change_id == change.id && Some(h.user_id) == me),
            change,
        };
        let changes: Vec<ChangeView> = changes::changes(&mut tx, id).await?.into_iter().map(view).collect();
        let owns = |g: &GrantRow| g.role == StoreRole::Owner && edits.iter().flat_map(EditRow::paths).any(|p| g.path_prefix.holds(p));
        let mut owners: Vec<String> =
            grants::of_store(&mut tx, changeset.store_id).await?.into_iter().filter(owns).map(|g| g.name).collect();
        owners.dedup();
        Ok(ChangesetView { owners, may_decide: changes.iter().any(|c: &ChangeView| c.may_decide), created_by, changes, changeset })
    }

    /// The changeset that a change is in.
    pub async fn changeset_of(&self, actor: &Actor, change: ChangeId) -> Result<ChangesetId> {
        let mut tx = self.db.read().await?;
        let id = changes::changeset_of(&mut tx, change).await?.ok_or(Error::NotFound("change"))?;
        let seen = changesets::get(&mut tx, id).await?.is_some_and(|c| actor.may(Action::SeeChanges, c.store_id));
        if seen { Ok(id) } else { Err(Error::NotFound("change")) }
    }
}

/// Whether the actor may decide on a change: every path that it touches must be theirs to decide on.
pub fn may_decide(actor: &Actor, change: &ChangeRow, edits: &[EditRow]) -> bool {
    let touched: Vec<&str> = edits.iter().filter(|e| e.change_id == change.id).flat_map(EditRow::paths).collect();
    actor.may_at(Action::Decide, change.store_id, &touched)
}

fn quote(row: &EvidenceRow, verified: &[EvidenceId]) -> QuoteView {
    QuoteView { masked: masking::mask(&row.quote), verified: verified.contains(&row.id), row: row.clone() }
}
