//! What keeps policies and commits from the memory: the stop of all policies and of a store's, and
//! freezes, in which people do not commit either.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    actor::Actor,
    audit_action::AuditAction,
    ids::{FreezeId, StoreId, UserId},
    rights::Action,
};
use serde_json::json;
use store::{
    Tx,
    commit_freezes::{self, FreezeRow},
    memory_stores, policies, users,
};

use crate::{
    Error, Lucid, Record, Result,
    authority::{Acting, Authorized},
    setting_changes::{Outcome, Setting},
};

/// Longest reason, in characters.
const REASON_CHARS: usize = 500;
/// Longest freeze, in days.
const MOST_DAYS: i64 = 366;

/// A stop that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetStop {
    /// In this store; nothing for all.
    pub store: Option<StoreId>,
    /// Why; at most 500 characters.
    pub reason: String,
}

/// A freeze that somebody sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFreeze {
    /// In this store; nothing for all.
    pub store: Option<StoreId>,
    pub starts_at: Timestamp,
    /// Until when; at most 366 days later.
    pub ends_at: Timestamp,
    /// Why; 1 to 500 characters.
    pub reason: String,
    /// The people who may commit all the same, by email.
    pub exceptions: Vec<String>,
}

/// A freeze as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    pub row: FreezeRow,
    /// The people who may commit all the same.
    pub exceptions: Vec<String>,
    /// True if it holds now.
    pub now: bool,
}

impl Lucid {
    /// Stops the policies of a store, or all, at once: nothing that is not committed yet is
    /// applied, and what is due waits. The worker that applies holds the store's lock and shares
    /// the stop's row, so that nothing lands once this has returned.
    #[tracing::instrument(skip_all)]
    pub async fn stop_policies(&self, actor: &Actor, stop: &SetStop) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = may_stop(&actor, Action::StopPolicies, stop.store)?;
        let reason = said(&stop.reason)?;
        if let Some(store) = stop.store {
            memory_stores::lock(&mut tx, store).await?;
        }
        policies::stop(
            &mut tx,
            stop.store,
            Some(self.now()),
            &actor.who.to_string(),
            reason,
        )
        .await?;
        let record = Record {
            action: AuditAction::PolicyStop,
            subject: policies::StopRow::scope_of(stop.store),
            store: stop.store,
            commit: None,
            payload: &json!({"reason": reason}),
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    /// True if the policies of a store, or all, are stopped.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn are_policies_stopped(&self, actor: &Actor, store: StoreId) -> Result<bool> {
        crate::require(actor, Action::SeeChanges, store)?;
        let scope = policies::StopRow::scope_of(Some(store));
        Ok(policies::stops(&mut self.db.read().await?)
            .await?
            .iter()
            .any(|row| row.scope == "all" || row.scope == scope))
    }

    /// Lets stopped policies run again, once a second admin agrees.
    #[tracing::instrument(skip_all)]
    pub async fn lift_stop(&self, actor: &Actor, store: Option<StoreId>) -> Result<Outcome> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = may_stop(&actor, Action::ManagePolicies, store)?;
        let scope = policies::StopRow::scope_of(store);
        let stopped_at = policies::stops(&mut tx)
            .await?
            .into_iter()
            .find(|row| row.scope == scope)
            .and_then(|row| row.stopped_at);
        let stopped_at =
            stopped_at.ok_or_else(|| Error::Conflict("this stop was lifted already".to_owned()))?;
        let outcome = self
            .set(
                &mut tx,
                &actor,
                right,
                &Setting::LiftStop { store, stopped_at },
            )
            .await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// Sets a time in which nothing is committed.
    #[tracing::instrument(skip_all)]
    pub async fn freeze_commits(&self, actor: &Actor, new: &NewFreeze) -> Result<FreezeId> {
        // Everybody who commits shares this lock, so that nothing lands once this has returned.
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = may_stop(&actor, Action::ManagePolicies, new.store)?;
        let reason = said(&new.reason)?;
        if reason.is_empty() {
            return Err(Error::Invalid(
                "say why nothing is committed; whoever wants to commit reads it".to_owned(),
            ));
        }
        if new.ends_at <= new.starts_at
            || new.ends_at <= self.now()
            || new.ends_at > new.starts_at.plus_seconds(MOST_DAYS * 86_400)
        {
            return Err(Error::Invalid(format!(
                "a freeze ends after it begins, in the future, and within {MOST_DAYS} days"
            )));
        }
        let mut exceptions: Vec<UserId> = Vec::new();
        for email in new
            .exceptions
            .iter()
            .map(|email| email.trim())
            .filter(|email| !email.is_empty())
        {
            let user = users::by_email(&mut tx, email).await?;
            exceptions.push(
                user.ok_or_else(|| Error::Invalid(format!("nobody here has the address {email}")))?
                    .id,
            );
        }
        let row = FreezeRow {
            id: self.id(FreezeId::new),
            store_id: new.store,
            store_name: None,
            starts_at: new.starts_at,
            ends_at: new.ends_at,
            reason: reason.to_owned(),
            exceptions: json!(exceptions).to_string(),
            created_by: actor.who.to_string(),
            created_at: self.now(),
        };
        commit_freezes::insert(&mut tx, &row).await?;
        let payload = json!({"from": row.starts_at, "until": row.ends_at, "reason": reason, "exceptions": exceptions});
        let record = Record {
            action: AuditAction::FreezeSet,
            subject: row.id.to_string(),
            store: new.store,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok(row.id)
    }

    /// Ends a freeze now, or takes one back that has not begun.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn end_freeze(&self, actor: &Actor, id: FreezeId) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let known = commit_freezes::to_come(&mut tx, self.now())
            .await?
            .into_iter()
            .find(|f| f.id == id);
        let freeze = known
            .filter(|f| f.store_id.is_none_or(|s| actor.knows(s)))
            .ok_or(Error::NotFound("freeze"))?;
        let right = may_stop(&actor, Action::ManagePolicies, freeze.store_id)?;
        if !commit_freezes::end(&mut tx, id, self.now()).await? {
            return Err(Error::Conflict("this freeze is over".to_owned()));
        }
        let record = Record {
            action: AuditAction::FreezeEnd,
            subject: id.to_string(),
            store: freeze.store_id,
            commit: None,
            payload: &json!({}),
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    /// Freezes that hold now or will, of stores that the actor knows.
    #[tracing::instrument(skip_all)]
    pub async fn freezes(&self, actor: &Actor) -> Result<Vec<Frozen>> {
        crate::require_in_general(actor, Action::SeePolicies)?;
        let mut tx = self.db.read().await?;
        let mut rows = commit_freezes::to_come(&mut tx, self.now()).await?;
        rows.retain(|f| f.store_id.is_none_or(|s| actor.knows(s)));
        let excepted: Vec<UserId> = rows.iter().flat_map(excepted).collect();
        let names: BTreeMap<UserId, String> = users::names(&mut tx, &excepted)
            .await?
            .into_iter()
            .collect();
        let one = |row: FreezeRow| {
            let exceptions = self::excepted(&row)
                .iter()
                .filter_map(|id| names.get(id).cloned())
                .collect();
            Frozen {
                now: row.starts_at <= self.now(),
                exceptions,
                row,
            }
        };
        Ok(rows.into_iter().map(one).collect())
    }

    /// The freeze that holds in a store now and does not except this person.
    pub(crate) async fn freeze_in(
        &self,
        tx: &mut Tx,
        store: StoreId,
        person: Option<UserId>,
    ) -> Result<Option<FreezeRow>> {
        let holds = |f: &FreezeRow| {
            f.starts_at <= self.now()
                && f.store_id.is_none_or(|s| s == store)
                && !person.is_some_and(|p| excepted(f).contains(&p))
        };
        Ok(commit_freezes::to_come(tx, self.now())
            .await?
            .into_iter()
            .find(holds))
    }

    /// Refuses a commit while a freeze holds.
    pub(crate) async fn refuse_while_frozen(
        &self,
        tx: &mut Tx,
        store: StoreId,
        person: Option<UserId>,
    ) -> Result<()> {
        match self.freeze_in(tx, store, person).await? {
            None => Ok(()),
            Some(freeze) => Err(Error::Conflict(format!(
                "commits are frozen until {}: {}. Your decisions stay; commit after that.",
                freeze.ends_at.exact(),
                freeze.reason
            ))),
        }
    }
}

/// The people who may commit during a freeze.
fn excepted(freeze: &FreezeRow) -> Vec<UserId> {
    serde_json::from_str(&freeze.exceptions).unwrap_or_default()
}

/// The right to stop: on the installation, and of a store that the actor knows.
fn may_stop(actor: &Acting, action: Action, store: Option<StoreId>) -> Result<Authorized> {
    if store.is_some_and(|store| !actor.knows(store)) {
        return Err(Error::NotFound("store"));
    }
    actor.may_in_installation(action)
}

fn said(reason: &str) -> Result<&str> {
    let reason = reason.trim();
    if reason.chars().count() > REASON_CHARS || reason.chars().any(char::is_control) {
        return Err(Error::Invalid(format!(
            "a reason is one line of at most {REASON_CHARS} characters"
        )));
    }
    Ok(reason)
}
