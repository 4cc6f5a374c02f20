//! The inbox: who is told what, once for each person, reason and changeset. Telling never decides
//! anything, and what is told is never more than the person may see anyway.

use std::collections::BTreeSet;

use domain::{
    actor::Actor,
    changeset::{ChangeState, ChangesetOrigin},
    ids::{ChangesetId, NoticeId, StoreId, UserId},
    notice::NoticeReason,
    review::Requirement,
};
use store::{
    Tx,
    changes::{self, ChangeRow},
    changesets, decisions,
    notices::{self, MailRow, NoticeRow},
    recalls,
};

use crate::{
    Error, Lucid, Result,
    keys::answer_for,
    review::{Facts, Requirements},
};

/// Rows that the inbox shows.
const SHOWN: i64 = 100;
/// Messages among which the next is looked for, while other processes take some.
const MAILS_LOOKED_AT: i64 = 20;

impl Lucid {
    /// Tells these people something about a changeset.
    pub(crate) async fn tell(
        &self,
        tx: &mut Tx,
        reason: NoticeReason,
        changeset: ChangesetId,
        users: impl Iterator<Item = UserId>,
    ) -> Result<()> {
        for user in users {
            notices::put(
                tx,
                self.id(NoticeId::new),
                user,
                reason,
                changeset,
                self.now(),
            )
            .await?;
        }
        Ok(())
    }

    /// Tells everybody whose approval something in it still lacks that a changeset waits for them,
    /// except the person who brought that about.
    pub(crate) async fn tell_turn(
        &self,
        tx: &mut Tx,
        changeset: ChangesetId,
        except: Option<UserId>,
    ) -> Result<()> {
        let hands = decisions::contributors_of_changeset(tx, changeset).await?;
        let votes = decisions::of_changeset(tx, changeset).await?;
        let asked = |asked: &Requirements, facts: Facts<'_>| {
            let facts = Facts {
                hands: &hands,
                votes: &votes,
                ..facts
            };
            match asked.of(facts, None) {
                Requirement::Satisfied => BTreeSet::new(),
                Requirement::Missing { from, .. } => from,
                Requirement::Impossible { could, .. } => could,
            }
        };
        let who = concerned(tx, changeset, |c| c.state == ChangeState::Pending, asked).await?;
        self.tell(
            tx,
            NoticeReason::YourTurn,
            changeset,
            who.into_iter().filter(|u| Some(*u) != except),
        )
        .await
    }

    /// Tells anyone who may mend it, those who contributed to it too, that the memory moved below
    /// what waits in a store; for each changeset once, until its conflicts are mended.
    pub(crate) async fn tell_conflicts(&self, tx: &mut Tx, store: StoreId) -> Result<()> {
        notices::mended_in_store(tx, store).await?;
        for changeset in changes::conflicts_untold(tx, store).await? {
            let who = concerned(
                tx,
                changeset,
                |c| c.conflicted && c.state.is_open(),
                Requirements::deciders,
            )
            .await?;
            self.tell(tx, NoticeReason::Conflict, changeset, who.into_iter())
                .await?;
        }
        Ok(())
    }

    /// Tells the person who proposed a changeset, or owns the key it came through, what became of
    /// it.
    pub(crate) async fn tell_proposer(&self, tx: &mut Tx, changeset: ChangesetId) -> Result<()> {
        let Some(row) = changesets::get(tx, changeset)
            .await?
            .filter(|c| c.origin != ChangesetOrigin::Dream)
        else {
            return Ok(());
        };
        let who = answer_for(tx, &row.created_by).await?;
        self.tell(tx, NoticeReason::Decided, changeset, who.into_iter())
            .await
    }

    /// Returns what somebody was told: unread first, then newest.
    #[tracing::instrument(skip_all)]
    pub async fn inbox(&self, actor: &Actor) -> Result<Vec<NoticeRow>> {
        let user = reader(actor)?;
        Ok(notices::of_user(&mut self.db.read().await?, user, SHOWN).await?)
    }

    /// How much of it is unread.
    #[tracing::instrument(skip_all)]
    pub async fn unread(&self, actor: &Actor) -> Result<i64> {
        match reader(actor) {
            Ok(user) => {
                let mut tx = self.db.read().await?;
                Ok(notices::unread(&mut tx, user).await? + recalls::unread(&mut tx, user).await?)
            }
            Err(_) => Ok(0),
        }
    }

    /// Marks everything as read, or what was said about one changeset.
    #[tracing::instrument(skip_all)]
    pub async fn mark_read(&self, actor: &Actor, changeset: Option<ChangesetId>) -> Result<()> {
        let user = reader(actor)?;
        if changeset.is_some() && notices::unread(&mut self.db.read().await?, user).await? == 0 {
            return Ok(());
        }
        let (mut tx, _) = self.begin(actor).await?;
        if let Some(id) = changeset {
            notices::read(&mut tx, user, id, self.now()).await?;
        } else {
            notices::read_all(&mut tx, user, self.now()).await?;
            recalls::read(&mut tx, user, None, self.now()).await?;
        }
        Ok(tx.commit().await?)
    }

    /// True if one wants to be told by email, too.
    #[tracing::instrument(skip_all)]
    pub async fn wants_mail(&self, actor: &Actor) -> Result<bool> {
        Ok(notices::wants_mail(&mut self.db.read().await?, reader(actor)?).await?)
    }

    /// Sets it; off unless somebody asks for it.
    #[tracing::instrument(skip_all)]
    pub async fn set_wants_mail(&self, actor: &Actor, wants: bool) -> Result<()> {
        let user = reader(actor)?;
        let (mut tx, _) = self.begin(actor).await?;
        notices::set_wants_mail(&mut tx, user, wants).await?;
        Ok(tx.commit().await?)
    }

    /// Takes the next message that is to be sent: each is given to one process only, and once.
    #[tracing::instrument(skip_all)]
    pub async fn take_mail(&self) -> Result<Option<MailRow>> {
        for mail in notices::to_mail(&mut self.db.read().await?, MAILS_LOOKED_AT).await? {
            let mut tx = self.db.background().await?;
            let taken = notices::take_for_mail(&mut tx, mail.id, self.now()).await?;
            tx.commit().await?;
            if taken {
                return Ok(Some(mail));
            }
        }
        Ok(None)
    }

    /// Puts back what could not be sent, to be tried again.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn not_mailed(&self, id: NoticeId) -> Result<()> {
        let mut tx = self.db.background().await?;
        notices::not_mailed(&mut tx, id).await?;
        Ok(tx.commit().await?)
    }
}

/// Everybody whom some of these changes concern.
async fn concerned(
    tx: &mut Tx,
    changeset: ChangesetId,
    which: impl Fn(&ChangeRow) -> bool,
    whom: impl Fn(&Requirements, Facts<'_>) -> BTreeSet<UserId>,
) -> Result<BTreeSet<UserId>> {
    let Some(row) = changesets::get(tx, changeset).await? else {
        return Ok(BTreeSet::new());
    };
    let asked = Requirements::read(tx, row.store_id).await?;
    let edits = changes::edits(tx, changeset).await?;
    let all = changes::changes(tx, changeset).await?;
    let facts = |change| Facts {
        change,
        edits: &edits,
        hands: &[],
        votes: &[],
    };
    Ok(all
        .iter()
        .filter(|c| which(c))
        .flat_map(|change| whom(&asked, facts(change)))
        .collect())
}

/// An inbox is a person's.
pub(crate) fn reader(actor: &Actor) -> Result<UserId> {
    actor
        .who
        .person()
        .filter(|_| !actor.who.is_key())
        .ok_or(Error::Forbidden(
            "an inbox belongs to somebody who is signed in",
        ))
}
