//! What reviewers say to each other about a change, and what each of them has had before their
//! eyes.

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    ids::{ChangeId, ChangesetId, CommentId, UserId},
    notice::NoticeReason,
    rights::Action as Right,
};
use serde_json::json;
use std::collections::BTreeSet;
use store::{
    changes, changesets,
    comments::{self, CommentRow},
    decisions, notices,
};

use crate::{
    Error, Lucid, Result,
    changesets::{ChangeView, may_decide},
    require,
};

/// Most comments on one change; a longer talk belongs elsewhere.
const MOST_COMMENTS: i64 = 200;

impl Lucid {
    /// Says something about a change, 1 to 4,000 characters; everybody who had to do with it is
    /// told.
    #[tracing::instrument(skip_all, fields(%change))]
    pub async fn comment(
        &self,
        actor: &Actor,
        change: ChangeId,
        body: &str,
    ) -> Result<ChangesetId> {
        let body = body.trim();
        if body.is_empty() || body.chars().count() > 4_000 {
            return Err(Error::Invalid(
                "a comment has 1 to 4,000 characters".to_owned(),
            ));
        }
        let (mut tx, actor) = self.begin(actor).await?;
        let opened = self.open(&mut tx, &actor, change).await?;
        if comments::count(&mut tx, change).await? >= MOST_COMMENTS {
            return Err(Error::Invalid(format!(
                "a change has at most {MOST_COMMENTS} comments"
            )));
        }
        let row = CommentRow {
            id: self.id(CommentId::new),
            change_id: change,
            revision: opened.change.revision,
            user_id: opened.user,
            user_name: String::new(),
            body: body.to_owned(),
            created_at: self.now(),
        };
        comments::insert(&mut tx, &row).await?;
        let spoke = comments::of_changeset(&mut tx, opened.changeset)
            .await?
            .into_iter()
            .filter(|c| c.change_id == change)
            .map(|c| c.user_id);
        let decided = opened
            .votes
            .iter()
            .filter(|d| d.change_id == change)
            .map(|d| d.user_id);
        let had_a_hand = opened
            .hands
            .iter()
            .filter(|h| h.change_id == change)
            .map(|h| h.user_id);
        let told: BTreeSet<UserId> = spoke
            .chain(decided)
            .chain(had_a_hand)
            .filter(|u| *u != opened.user)
            .collect();
        self.tell(
            &mut tx,
            NoticeReason::Comment,
            opened.changeset,
            told.into_iter(),
        )
        .await?;
        // What people say can be erased one day; the trail says only that they did.
        let payload = json!({"comment": row.id, "revision": row.revision});
        self.record_change(
            &mut tx,
            opened.right,
            AuditAction::ChangeComment,
            &opened.change,
            &payload,
        )
        .await?;
        tx.commit().await?;
        Ok(opened.changeset)
    }

    /// Notes that a person who may decide on a change has this revision of it before their eyes:
    /// what bulk decisions on high risk ask for, and what the time to a decision is counted from.
    /// Anybody else's look is not noted.
    #[tracing::instrument(skip_all, fields(%change))]
    pub async fn note_opened(&self, actor: &Actor, change: ChangeId, revision: i64) -> Result<()> {
        let Some(user) = actor.who.person().filter(|_| !actor.who.is_key()) else {
            return Ok(());
        };
        let mut tx = self.db.read().await?;
        if comments::is_opened(&mut tx, change, revision, user).await? {
            return Ok(());
        }
        let id = changes::changeset_of(&mut tx, change)
            .await?
            .ok_or(Error::NotFound("change"))?;
        let row = changesets::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("change"))?;
        require(actor, Right::SeeChanges, row.store_id)?;
        let all = changes::changes(&mut tx, id).await?;
        let edits = changes::edits(&mut tx, id).await?;
        drop(tx);
        if !all
            .iter()
            .any(|c| c.id == change && c.revision == revision && may_decide(actor, c, &edits))
        {
            return Ok(());
        }
        let (mut tx, _) = self.begin(actor).await?;
        comments::opened(&mut tx, change, revision, user, self.now()).await?;
        Ok(tx.commit().await?)
    }

    /// True if a person who may decide on a change has not had this revision of it before their
    /// eyes, or has not read what they were told of its changeset: then the page lets that be
    /// noted.
    #[tracing::instrument(skip_all)]
    pub async fn is_unseen(&self, actor: &Actor, view: &ChangeView) -> Result<bool> {
        let Some(user) = actor.who.person().filter(|_| !actor.who.is_key()) else {
            return Ok(false);
        };
        let mut tx = self.db.read().await?;
        let c = &view.change;
        let opened =
            !view.may_decide || comments::is_opened(&mut tx, c.id, c.revision, user).await?;
        Ok(!opened || notices::unread_of(&mut tx, user, c.changeset_id).await? > 0)
    }

    /// A person's last decisions that can be undone, the last first.
    #[tracing::instrument(skip_all)]
    pub async fn undoable(&self, actor: &Actor) -> Result<Vec<decisions::UndoRow>> {
        let user = actor
            .who
            .person()
            .ok_or(Error::Forbidden("only a person decides"))?;
        let mut tx = self.db.read().await?;
        Ok(decisions::last_of(&mut tx, user, domain::review::UNDO_RING).await?)
    }
}
