//! The queue and a changeset as reviewers see them: with diff material, evidence, labels and who
//! has decided what.

use std::collections::BTreeMap;

use domain::{
    actor::{Actor, Role, StoreRole, Visible},
    audit_action::AuditAction,
    changeset::{ChangeState, DecisionKind},
    ids::{ChangeId, ChangesetId, EvidenceId, UserId},
    masking,
    review::Requirement,
    rights::Action,
    risk::Label,
};
use serde_json::json;
use store::{
    Page, Tx,
    changes::{self, ChangeRow, EditPaths, EditRow},
    changesets::{self, ChangesetRow, DoneRow, QueueFilter},
    claims::{self, ClaimRow},
    comments::{self, CommentRow},
    decisions::{self, DecisionRow},
    evidence::{self, EvidenceRow},
    grants::{self, GrantRow},
    queue::{self, QueueCounts, WaitingChange},
};

use crate::{
    Error, Lucid, Record, Result,
    independence::Identities,
    names::Names,
    people::is_solo,
    review::{Facts, Rebase, Requirements, rebase_of},
};

/// A changeset with everything that a decision needs.
#[derive(Debug, Clone)]
pub struct ChangesetView {
    pub changeset: ChangesetRow,
    pub created_by: String,
    /// Its changes in order.
    pub changes: Vec<ChangeView>,
    /// True if the actor may decide on any of it.
    pub may_decide: bool,
    /// Who owns the store or a path that is touched: they are asked first.
    pub owners: Vec<String>,
    pub claim: Option<ClaimRow>,
    /// One person alone decides in this installation.
    pub solo: bool,
}

/// A change with its edits, quotes and decisions.
#[derive(Debug, Clone)]
pub struct ChangeView {
    pub change: ChangeRow,
    pub labels: Vec<Label>,
    pub edits: Vec<EditView>,
    /// Quotes for and against it, masked.
    pub quotes: Vec<QuoteView>,
    /// Every vote on it, oldest first.
    pub decisions: Vec<DecisionRow>,
    /// True if the actor may decide on it: on a store, or on every path that it touches.
    pub may_decide: bool,
    /// True if the actor contributed to it, and so does not count as its approver.
    pub contributed: bool,
    /// True if the actor has approved the revision that stands.
    pub approved_by_me: bool,
    pub needs: Needs,
    /// What was said about it, oldest first.
    pub comments: Vec<CommentRow>,
}

impl ChangeView {
    /// True if a decision of the reader would move it on.
    #[must_use]
    pub fn waits_for_reader(&self) -> bool {
        self.may_decide && waits_for(&self.change, self.approved_by_me, self.contributed)
    }

    /// Shows its quotes with nothing masked, to who may decide on it. That they are looked at was
    /// recorded before ([`Lucid::reveal_quotes`]).
    pub fn unmask(&mut self) {
        if self.may_decide {
            for quote in &mut self.quotes {
                quote.masked.clone_from(&quote.row.quote);
            }
        }
    }

    /// How it would be carried over to the memory as it is now, if that has moved.
    #[must_use]
    pub fn rebase(&self) -> Option<Rebase> {
        let open = self.change.conflicted && self.change.state.is_open();
        open.then(|| rebase_of(&self.edits.iter().collect::<Vec<_>>()))
    }
}

/// The requirements of a change before its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// Approvals of independent people.
    pub approvals: usize,
    pub given: Vec<String>,
    /// Who could give one that is missing.
    pub from: Vec<String>,
    /// True if it has what it needs.
    pub satisfied: bool,
    /// True if there are too few people who could give what is missing.
    pub impossible: bool,
}

/// An edit with base, now and proposed.
pub type EditView = EditRow;

/// A quote with where it is.
#[derive(Debug, Clone)]
pub struct QuoteView {
    /// The stored row, with the names that its recorder gave masked.
    pub row: EvidenceRow,
    pub masked: String,
    /// True if it is in its event, byte for byte.
    pub verified: bool,
    /// True if the text of the event was erased, so that it can no longer be compared; without a
    /// text, the quote was erased, too.
    pub erased: bool,
}

impl QuoteView {
    /// Returns what pages show: the masked quote, or that it was erased.
    #[must_use]
    pub fn shown(&self) -> String {
        if self.row.quote.is_empty() {
            domain::erasure::ERASED.to_owned()
        } else {
            self.masked.clone()
        }
    }
}

impl Lucid {
    /// A page of what waits, change by change and the earliest due first, and how much of what is
    /// open fits the filter, its state left aside.
    #[tracing::instrument(skip_all)]
    pub async fn waiting_changes(
        &self,
        actor: &Actor,
        filter: &QueueFilter,
        after: Option<(i64, ChangeId)>,
    ) -> Result<(Page<WaitingChange>, QueueCounts)> {
        let (visible, filter) = narrowed(actor, filter);
        let (me, now) = (decider(actor), self.now());
        let mut tx = self.db.read().await?;
        let page = queue::waiting(
            &mut tx,
            visible,
            me,
            &filter,
            after,
            now,
            domain::limits::PAGE,
        )
        .await?;
        let counts = queue::counts(&mut tx, visible, me, &filter, now).await?;
        Ok((page, counts))
    }

    /// How much of what is open fits the filter, its state left aside.
    #[tracing::instrument(skip_all)]
    pub async fn queue_counts(&self, actor: &Actor, filter: &QueueFilter) -> Result<QueueCounts> {
        let (visible, filter) = narrowed(actor, filter);
        let mut tx = self.db.read().await?;
        Ok(queue::counts(&mut tx, visible, decider(actor), &filter, self.now()).await?)
    }

    /// How many changes wait for a decision of the actor, counted up to a limit. None for whoever
    /// decides nothing.
    #[tracing::instrument(skip_all)]
    pub async fn my_turn(&self, actor: &Actor, limit: i64) -> Result<i64> {
        let Some(me) = decider(actor) else {
            return Ok(0);
        };
        let mut tx = self.db.read().await?;
        Ok(queue::my_turn(&mut tx, actor.visible(Action::SeeChanges), me, limit).await?)
    }

    /// Changesets in which nothing is left to do, newest first.
    #[tracing::instrument(skip_all)]
    pub async fn done(
        &self,
        actor: &Actor,
        filter: &QueueFilter,
        before: Option<ChangesetId>,
    ) -> Result<Page<DoneRow>> {
        let (visible, filter) = narrowed(actor, filter);
        let mut tx = self.db.read().await?;
        Ok(changesets::done(
            &mut tx,
            visible,
            filter.store,
            filter.text.as_deref(),
            before,
            domain::limits::PAGE,
        )
        .await?)
    }

    /// Agents from which there is evidence that the actor may see.
    #[tracing::instrument(skip_all)]
    pub async fn agents(&self, actor: &Actor) -> Result<Vec<String>> {
        Ok(changesets::agents(
            &mut self.db.read().await?,
            actor.visible(Action::SeeChanges),
        )
        .await?)
    }

    /// The changeset with a change in the actor's turn that comes after this one in the queue, or
    /// before it; around the end if there is none.
    #[tracing::instrument(skip_all, fields(%of))]
    pub async fn neighbour(
        &self,
        actor: &Actor,
        of: ChangesetId,
        after: bool,
    ) -> Result<Option<ChangesetId>> {
        let (visible, filter) = narrowed(
            actor,
            &QueueFilter {
                state: Some("mine"),
                ..QueueFilter::default()
            },
        );
        let mut tx = self.db.read().await?;
        let rows = queue::waiting(
            &mut tx,
            visible,
            decider(actor),
            &filter,
            None,
            self.now(),
            NEIGHBOURS,
        )
        .await?
        .rows;
        let mut all: Vec<ChangesetId> = Vec::new();
        for row in rows {
            if !all.contains(&row.changeset_id) {
                all.push(row.changeset_id);
            }
        }
        let at = all.iter().position(|id| *id == of);
        let next = match (at, after) {
            (Some(at), true) => all.get(at + 1).or(all.first()),
            (Some(0) | None, false) => all.last(),
            (Some(at), false) => all.get(at - 1),
            (None, true) => all.first(),
        };
        Ok(next.copied().filter(|id| *id != of))
    }

    /// A changeset with everything that a decision needs.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn changeset(&self, actor: &Actor, id: ChangesetId) -> Result<ChangesetView> {
        let mut tx = self.db.read().await?;
        let changeset = seen(&mut tx, actor, id).await?;
        let edits = changes::edits(&mut tx, id).await?;
        let mut quotes = evidence::of_changeset(&mut tx, id, None).await?;
        mask_names(&mut quotes);
        let verified = evidence::verified(&mut tx, id).await?;
        let votes = decisions::of_changeset(&mut tx, id).await?;
        let hands = decisions::contributors_of_changeset(&mut tx, id).await?;
        let created_by = Names::of_one(&mut tx, &changeset.created_by).await?;
        let said = comments::of_changeset(&mut tx, id).await?;
        let rules = Requirements::read(&mut tx, changeset.store_id).await?;
        let claim = claims::of_changeset(&mut tx, id, self.now()).await?;
        let me = actor.who.person();
        let view = |change: ChangeRow| {
            let facts = Facts {
                change: &change,
                edits: &edits,
                hands: &hands,
                votes: &votes,
            };
            ChangeView {
                may_decide: may_decide(actor, &change, &edits),
                labels: serde_json::from_str(&change.labels).unwrap_or_default(),
                quotes: quotes
                    .iter()
                    .filter(|q| q.change_id == change.id)
                    .map(|q| quote(q, &verified))
                    .collect(),
                decisions: votes
                    .iter()
                    .filter(|d| d.change_id == change.id)
                    .cloned()
                    .collect(),
                contributed: me.is_some_and(|me| rules.contributed(facts, me)) && !rules.solo,
                approved_by_me: me.is_some_and(|me| has_approved(&votes, &change, me)),
                needs: needs(&rules, facts),
                comments: said
                    .iter()
                    .filter(|c| c.change_id == change.id)
                    .cloned()
                    .collect(),
                edits: edits
                    .iter()
                    .filter(|e| e.change_id == change.id)
                    .cloned()
                    .collect(),
                change,
            }
        };
        let changes: Vec<ChangeView> = changes::changes(&mut tx, id)
            .await?
            .into_iter()
            .map(view)
            .collect();
        let owns = |g: &GrantRow| {
            g.role == StoreRole::Owner
                && edits
                    .iter()
                    .flat_map(EditRow::paths)
                    .any(|p| g.path_prefix.holds(p))
        };
        let mut owners: Vec<String> = grants::of_store(&mut tx, changeset.store_id)
            .await?
            .into_iter()
            .filter(owns)
            .map(|g| g.name)
            .collect();
        owners.dedup();
        let may_decide = changes.iter().any(|c: &ChangeView| c.may_decide);
        Ok(ChangesetView {
            owners,
            may_decide,
            created_by,
            changes,
            claim,
            solo: rules.solo,
            changeset,
        })
    }

    /// The change of a changeset that waits for the actor after this one; around the end if there
    /// is none.
    #[tracing::instrument(skip_all, fields(%id, %after))]
    pub async fn next_waiting(
        &self,
        actor: &Actor,
        id: ChangesetId,
        after: ChangeId,
    ) -> Result<Option<ChangeId>> {
        let mut tx = self.db.read().await?;
        seen(&mut tx, actor, id).await?;
        let Some(me) = actor.who.person() else {
            return Ok(None);
        };
        let all = changes::changes(&mut tx, id).await?;
        let paths = changes::paths_of(&mut tx, &[id]).await?;
        let votes = decisions::of_changeset(&mut tx, id).await?;
        let hands = decisions::contributors_of_changeset(&mut tx, id).await?;
        let (identities, solo) = (Identities::read(&mut tx).await?, is_solo(&mut tx).await?);
        let waits = |c: &&ChangeRow| {
            let touched: Vec<&str> = paths
                .iter()
                .filter(|p| p.change_id == c.id)
                .flat_map(EditPaths::paths)
                .collect();
            let contributed = !solo && identities.contributed(&hands, c.id, me);
            c.id != after
                && waits_for(c, has_approved(&votes, c, me), contributed)
                && actor.may_at(Action::Decide, c.store_id, &touched)
        };
        let at = all.iter().position(|c| c.id == after).unwrap_or(0);
        let (before, rest) = all.split_at(at);
        Ok(rest.iter().chain(before).find(waits).map(|c| c.id))
    }

    /// Records that the quotes of a change are shown with nothing masked: to who decides on it,
    /// each time an entry in the audit.
    #[tracing::instrument(skip_all, fields(%change))]
    pub async fn reveal_quotes(&self, actor: &Actor, change: ChangeId) -> Result<ChangesetId> {
        let (mut tx, actor) = self.begin(actor).await?;
        let id = changes::changeset_of(&mut tx, change)
            .await?
            .ok_or(Error::NotFound("change"))?;
        seen(&mut tx, &actor, id).await?;
        let row = changes::changes(&mut tx, id)
            .await?
            .into_iter()
            .find(|c| c.id == change)
            .ok_or(Error::NotFound("change"))?;
        let edits = changes::edits(&mut tx, id).await?;
        let right = actor.may_on_paths(Action::Decide, row.store_id, &touched(&row, &edits))?;
        if actor.who.is_key() {
            return Err(Error::Forbidden("only a person looks at what is masked"));
        }
        let quotes = evidence::of_changeset(&mut tx, id, None).await?;
        let quotes: Vec<EvidenceId> = quotes
            .iter()
            .filter(|q| q.change_id == change)
            .map(|q| q.id)
            .collect();
        let payload = json!({"quotes": quotes, "revision": row.revision});
        let (subject, store) = (change.to_string(), Some(row.store_id));
        self.record(
            &mut tx,
            right,
            Record {
                action: AuditAction::ChangeReveal,
                subject,
                store,
                commit: None,
                payload: &payload,
            },
        )
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// A changeset without its changes.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn changeset_row(&self, actor: &Actor, id: ChangesetId) -> Result<ChangesetRow> {
        seen(&mut self.db.read().await?, actor, id).await
    }

    /// The changeset that a change is in.
    #[tracing::instrument(skip_all, fields(%change))]
    pub async fn changeset_of(&self, actor: &Actor, change: ChangeId) -> Result<ChangesetId> {
        let mut tx = self.db.read().await?;
        let id = changes::changeset_of(&mut tx, change)
            .await?
            .ok_or(Error::NotFound("change"))?;
        let seen = changesets::get(&mut tx, id)
            .await?
            .is_some_and(|c| actor.may(Action::SeeChanges, c.store_id));
        if seen {
            Ok(id)
        } else {
            Err(Error::NotFound("change"))
        }
    }
}

/// Waiting changes among whose changesets the next and the one before are looked for.
const NEIGHBOURS: i64 = 500;

/// Which of the stores that the filter asks for the actor may see.
fn narrowed(actor: &Actor, filter: &QueueFilter) -> (Visible, QueueFilter) {
    let (visible, store) = actor.visible(Action::SeeChanges).narrowed(filter.store);
    (
        visible,
        QueueFilter {
            store,
            ..filter.clone()
        },
    )
}

/// Anyone who decides at all: whose turn it can be.
fn decider(actor: &Actor) -> Option<UserId> {
    actor
        .who
        .person()
        .filter(|_| matches!(actor.role, Role::Admin | Role::Reviewer))
}

/// True if a change waits for a person who may decide on it and who has or has not approved it and
/// contributed to it. A contributor can still rebase a change whose memory has moved.
pub fn waits_for(change: &ChangeRow, approved: bool, contributed: bool) -> bool {
    change.state == ChangeState::Pending && !approved && (!contributed || change.conflicted)
}

/// True if somebody's approval is on the revision of a change that stands.
fn has_approved(votes: &[DecisionRow], change: &ChangeRow, user: UserId) -> bool {
    let standing = |d: &&DecisionRow| {
        d.user_id == user && d.verdict == DecisionKind::Approve && d.taken_back_at.is_none()
    };
    votes
        .iter()
        .filter(standing)
        .any(|d| d.change_id == change.id && d.revision == change.revision)
}

/// The paths that a change touches.
pub fn touched<'a>(change: &ChangeRow, edits: &'a [EditRow]) -> Vec<&'a str> {
    edits
        .iter()
        .filter(|e| e.change_id == change.id)
        .flat_map(EditRow::paths)
        .collect()
}

/// True if the actor may decide on a change: every path that it touches must be theirs to decide
/// on.
pub fn may_decide(actor: &Actor, change: &ChangeRow, edits: &[EditRow]) -> bool {
    actor.may_at(Action::Decide, change.store_id, &touched(change, edits))
}

/// A changeset, as if it were not there for the person who may not see it.
pub async fn seen(tx: &mut Tx, actor: &Actor, id: ChangesetId) -> Result<ChangesetRow> {
    let row = changesets::get(tx, id).await?;
    row.filter(|c| actor.may(Action::SeeChanges, c.store_id))
        .ok_or(Error::NotFound("changeset"))
}

fn needs(rules: &Requirements, facts: Facts<'_>) -> Needs {
    let state = rules.of(facts, None);
    let from = match &state {
        Requirement::Missing { from, .. } | Requirement::Impossible { could: from, .. } => {
            from.iter().map(|u| rules.name(*u)).collect()
        }
        Requirement::Satisfied => Vec::new(),
    };
    Needs {
        approvals: rules.needed(facts.change),
        given: rules
            .approvals(facts)
            .iter()
            .map(|d| d.user_name.clone())
            .collect(),
        from,
        satisfied: state == Requirement::Satisfied,
        impossible: matches!(state, Requirement::Impossible { .. }),
    }
}

fn quote(row: &EvidenceRow, verified: &[EvidenceId]) -> QuoteView {
    QuoteView {
        masked: masking::mask(&row.quote),
        verified: verified.contains(&row.id),
        erased: row.redacted_at.is_some(),
        row: row.clone(),
    }
}

/// Quotes as pages show them, everything sensitive in them masked.
pub fn quotes_of(mut rows: Vec<EvidenceRow>, verified: &[EvidenceId]) -> Vec<QuoteView> {
    mask_names(&mut rows);
    rows.iter().map(|row| quote(row, verified)).collect()
}

/// Masks what is sensitive in the names that recorders gave, each name once: many quotes share a
/// session and a tool.
fn mask_names(quotes: &mut [EvidenceRow]) {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    for row in quotes {
        for name in [
            &mut row.tool,
            &mut row.agent,
            &mut row.subject,
            &mut row.task_key,
            &mut row.external_id,
        ]
        .into_iter()
        .flatten()
        {
            let masked = known
                .entry(name.clone())
                .or_insert_with_key(|name| masking::mask(name));
            name.clone_from(masked);
        }
    }
}
