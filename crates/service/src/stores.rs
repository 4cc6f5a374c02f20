//! Memory stores: made, described, gated, and gone behind a tombstone.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    actor::{Actor, Grant, Role, StoreRole},
    audit_action::AuditAction,
    ids::{GrantId, StoreId},
    memory::{GateMode, check_store_name},
    review::{Approvals, MOST_APPROVALS},
    rights::Action,
};
use serde_json::json;
use store::{
    Page, Tx, dreams,
    grants::{self, Grantee},
    memory_stores::{self, DeletedStore, Description, StoreName, StoreRow},
    schedules, users,
};

use crate::{
    Error, Lucid, Record, Result, require, require_in_general,
    setting_changes::{Outcome, Setting},
};

/// Longest description, in characters.
const DESCRIPTION_CHARS: usize = 1_024;
/// Largest budget of a store, in tokens: as much as its memories could hold.
const LARGEST_BUDGET: i64 = 256_000_000;
/// Longest clean-up, in days.
const MOST_CLEAN_UP_DAYS: i64 = 30;
/// Longest reason of a clean-up, in characters.
const REASON_CHARS: usize = 500;

/// How long a deleted store can be restored, in seconds: 30 days.
const RESTORABLE_SECONDS: i64 = 30 * 86_400;

/// How a store is called and what it is for; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreText {
    pub name: Option<String>,
    /// At most 1,024 characters.
    pub description: Option<String>,
    /// At most 16 pairs: keys of 1-64 characters, values of at most 512. A key with `None` goes,
    /// others stay.
    pub metadata: BTreeMap<String, Option<String>>,
}

impl Lucid {
    /// Makes an empty store. Who makes it owns it; one made on the command line is owned by every
    /// admin there is.
    #[tracing::instrument(skip_all)]
    pub async fn create_store(
        &self,
        actor: &Actor,
        name: &str,
        description: &str,
    ) -> Result<StoreId> {
        let text = StoreText {
            name: Some(name.to_owned()),
            description: Some(description.to_owned()),
            metadata: BTreeMap::new(),
        };
        self.create_store_with(actor, &text).await
    }

    /// As [`Lucid::create_store`], with metadata.
    #[tracing::instrument(skip_all)]
    pub async fn create_store_with(&self, actor: &Actor, text: &StoreText) -> Result<StoreId> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::CreateStore)?;
        let about = described(text, None)?;
        let id = self.id(StoreId::new);
        let by = actor.who.to_string();
        free_name(&mut tx, &about.name, None).await?;
        memory_stores::insert(&mut tx, id, &about, &by, self.now()).await?;
        // Somebody must be able to manage it, and somebody other than the key's owner to decide.
        let mut owners: Vec<_> = actor.who.person().into_iter().collect();
        if actor.role != Role::Admin || actor.who.person().is_none() {
            owners.extend(
                users::all(&mut tx)
                    .await?
                    .into_iter()
                    .filter(|u| u.role == Role::Admin && Some(u.id) != actor.who.person())
                    .map(|u| u.id),
            );
        }
        for &owner in &owners {
            let owns = Grant::whole(id, StoreRole::Owner);
            grants::grant(
                &mut tx,
                self.id(GrantId::new),
                Grantee::Person(owner),
                &owns,
                &by,
                self.now(),
            )
            .await?;
        }
        let payload = json!({"name": about.name, "owners": owners});
        self.record(
            &mut tx,
            right,
            about_store(AuditAction::StoreCreate, id, &payload),
        )
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Calls and describes a store otherwise.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn describe_store(
        &self,
        actor: &Actor,
        id: StoreId,
        text: &StoreText,
    ) -> Result<StoreRow> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_on(Action::DescribeStore, id)?;
        memory_stores::lock(&mut tx, id).await?;
        let before = memory_stores::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("store"))?;
        let about = described(text, Some(&before))?;
        free_name(&mut tx, &about.name, Some(id)).await?;
        memory_stores::describe(&mut tx, id, &about, self.now()).await?;
        let after = memory_stores::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("store"))?;
        let payload = json!({"name": about.name, "was": before.name, "description": about.description, "metadata": about.metadata});
        self.record(
            &mut tx,
            right,
            about_store(AuditAction::StoreDescribe, id, &payload),
        )
        .await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Sets what goes through the gate, and how many tokens all memories of the store may have
    /// together.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn set_gate(
        &self,
        actor: &Actor,
        id: StoreId,
        mode: GateMode,
        budget_tokens: Option<i64>,
    ) -> Result<Outcome> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_on(Action::ManageStore, id)?;
        if budget_tokens.is_some_and(|b| !(1..=LARGEST_BUDGET).contains(&b)) {
            return Err(Error::Invalid(format!(
                "a budget is 1 to {LARGEST_BUDGET} tokens, or none"
            )));
        }
        let outcome = self
            .set(
                &mut tx,
                &actor,
                right,
                &Setting::Gate {
                    store: id,
                    mode,
                    budget_tokens,
                },
            )
            .await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// Opens a clean-up for 1 to 30 days, with a reason: until it ends, dreams propose what loses
    /// more of the store than they may without one. What they propose is decided on as ever.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn open_clean_up(
        &self,
        actor: &Actor,
        id: StoreId,
        days: i64,
        reason: &str,
    ) -> Result<Timestamp> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_on(Action::ManageStore, id)?;
        let reason = reason.trim();
        if !(1..=MOST_CLEAN_UP_DAYS).contains(&days) {
            return Err(Error::Invalid(format!(
                "a clean-up takes 1 to {MOST_CLEAN_UP_DAYS} days"
            )));
        }
        if reason.is_empty() || reason.chars().count() > REASON_CHARS || reason.contains('\0') {
            return Err(Error::Invalid(format!(
                "say why, in 1 to {REASON_CHARS} characters"
            )));
        }
        memory_stores::lock(&mut tx, id).await?;
        let store = memory_stores::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("store"))?;
        if store.clean_up_until.is_some_and(|until| until > self.now()) {
            return Err(Error::Conflict(
                "a clean-up is open in this store already; end it first".to_owned(),
            ));
        }
        let until = self.now().plus_seconds(days * 86_400);
        memory_stores::set_clean_up(&mut tx, id, Some(until), self.now()).await?;
        let payload = json!({"until": until, "reason": reason});
        self.record(
            &mut tx,
            right,
            about_store(AuditAction::StoreCleanUp, id, &payload),
        )
        .await?;
        tx.commit().await?;
        Ok(until)
    }

    /// Ends a clean-up before its time.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn end_clean_up(&self, actor: &Actor, id: StoreId) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_on(Action::ManageStore, id)?;
        memory_stores::lock(&mut tx, id).await?;
        let store = memory_stores::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("store"))?;
        if store.clean_up_until.is_none_or(|until| until <= self.now()) {
            return Err(Error::Conflict(
                "no clean-up is open in this store".to_owned(),
            ));
        }
        memory_stores::set_clean_up(&mut tx, id, None, self.now()).await?;
        self.record(
            &mut tx,
            right,
            about_store(AuditAction::StoreCleanUpEnd, id, &json!({})),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// How many independent approvals changes of each risk need in a store.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn approvals(&self, actor: &Actor, id: StoreId) -> Result<Approvals> {
        require(actor, Action::SeeMemory, id)?;
        Ok(memory_stores::approvals(&mut self.db.read().await?, id).await?)
    }

    /// Sets it, 1 to 5 each and never fewer for more risk. What was approved and now lacks an
    /// approval is not committed before it has it.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn set_approvals(
        &self,
        actor: &Actor,
        id: StoreId,
        to: Approvals,
    ) -> Result<Outcome> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_on(Action::ManageStore, id)?;
        if !to.is_sound() {
            return Err(Error::Invalid(format!(
                "1 to {MOST_APPROVALS} approvals each, and never fewer for more risk"
            )));
        }
        let outcome = self
            .set(
                &mut tx,
                &actor,
                right,
                &Setting::Approvals { store: id, to },
            )
            .await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// Leaves a tombstone: nobody sees the store any more, its rows and its audit stay, and an
    /// admin can restore it for 30 days. A key cannot where everything is gated, or where people
    /// approved or wrote anything; a person types the store's name again.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn delete_store(
        &self,
        actor: &Actor,
        id: StoreId,
        again: Option<&str>,
    ) -> Result<()> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_on(Action::DeleteStore, id)?;
        memory_stores::lock(&mut tx, id).await?;
        let store = memory_stores::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("store"))?;
        if again.is_some_and(|name| name.trim() != store.name) {
            return Err(Error::Invalid(
                "type the name of the store to delete it".to_owned(),
            ));
        }
        if actor.who.is_key() && store.gate_mode == GateMode::AllGated {
            return Err(Error::Forbidden(
                "everything in this store goes through the gate; an admin can delete it, a key \
                 cannot",
            ));
        }
        if actor.who.is_key() && memory_stores::holds_what_people_decided(&mut tx, id).await? {
            return Err(Error::Forbidden(
                "this store holds memories that people wrote, froze or approved; an admin can \
                 delete it, a key cannot",
            ));
        }
        dreams::cancel_all(&mut tx, id).await?;
        schedules::switch_off(&mut tx, id).await?;
        memory_stores::delete(&mut tx, id, self.now()).await?;
        let payload =
            json!({"name": store.name, "memories": store.memories, "revision": store.revision});
        self.record(
            &mut tx,
            right,
            about_store(AuditAction::StoreDelete, id, &payload),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Stores that were deleted within the last 30 days, of those on which the admin held a grant;
    /// of all on the command line.
    #[tracing::instrument(skip_all)]
    pub async fn deleted_stores(&self, actor: &Actor) -> Result<Vec<DeletedStore>> {
        require_in_general(actor, Action::ManagePeople)?;
        let mut tx = self.db.read().await?;
        Ok(memory_stores::deleted_since(
            &mut tx,
            self.now().plus_seconds(-RESTORABLE_SECONDS),
            actor.who.person(),
        )
        .await?)
    }

    /// Brings a deleted store back under a free name, with its grants, memories and history; its
    /// schedule stays off.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn restore_store(&self, actor: &Actor, id: StoreId, name: &str) -> Result<()> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManagePeople)?;
        let gone = memory_stores::deleted_since(
            &mut tx,
            self.now().plus_seconds(-RESTORABLE_SECONDS),
            actor.who.person(),
        )
        .await?;
        if !gone.iter().any(|row| row.id == id) {
            return Err(Error::NotFound("deleted store"));
        }
        let name = check_store_name(name).map_err(|e| Error::Invalid(e.to_string()))?;
        free_name(&mut tx, &name, Some(id)).await?;
        if !memory_stores::restore(&mut tx, id, &name, self.now()).await? {
            return Err(Error::Conflict(
                "this store was restored already".to_owned(),
            ));
        }
        self.record(
            &mut tx,
            right,
            about_store(AuditAction::StoreRestore, id, &json!({"name": name})),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// The stores that the actor may see, by name.
    #[tracing::instrument(skip_all)]
    pub async fn stores(&self, actor: &Actor) -> Result<Vec<StoreRow>> {
        let (visible, only) = actor.visible(Action::SeeMemory).narrowed(None);
        let mut tx = self.db.read().await?;
        let all = memory_stores::list(&mut tx, visible).await?;
        Ok(all
            .into_iter()
            .filter(|s| only.is_none_or(|id| id == s.id))
            .collect())
    }

    /// A page of the stores that the actor may see, before a store; newest first.
    #[tracing::instrument(skip_all)]
    pub async fn newest_stores(
        &self,
        actor: &Actor,
        before: Option<StoreId>,
        limit: i64,
    ) -> Result<Page<StoreRow>> {
        let (visible, only) = actor.visible(Action::SeeMemory).narrowed(None);
        let mut tx = self.db.read().await?;
        Ok(memory_stores::newest(&mut tx, visible, only, before, limit).await?)
    }

    /// The names of the stores that the actor may see: for lists to choose from.
    #[tracing::instrument(skip_all)]
    pub async fn store_names(&self, actor: &Actor) -> Result<Vec<StoreName>> {
        let (visible, only) = actor.visible(Action::SeeMemory).narrowed(None);
        let mut tx = self.db.read().await?;
        let all = memory_stores::names(&mut tx, visible).await?;
        Ok(all
            .into_iter()
            .filter(|s| only.is_none_or(|id| id == s.id))
            .collect())
    }

    /// One store that the actor sees.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn store(&self, actor: &Actor, id: StoreId) -> Result<StoreRow> {
        require(actor, Action::SeeMemory, id)?;
        let mut tx = self.db.read().await?;
        memory_stores::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("store"))
    }

    /// The store of a name, for the command line.
    #[tracing::instrument(skip_all)]
    pub async fn store_named(&self, actor: &Actor, name: &str) -> Result<Option<StoreId>> {
        let mut tx = self.db.read().await?;
        Ok(memory_stores::by_name(&mut tx, name)
            .await?
            .filter(|&id| actor.may(Action::SeeMemory, id)))
    }
}

async fn free_name(tx: &mut Tx, name: &str, but: Option<StoreId>) -> Result<()> {
    match memory_stores::by_name(tx, name).await? {
        Some(other) if Some(other) != but => Err(Error::Conflict(format!(
            "there is a store called {name} already"
        ))),
        _ => Ok(()),
    }
}

/// The checked text, over what stood there before.
fn described(text: &StoreText, before: Option<&StoreRow>) -> Result<Description> {
    let name = text
        .name
        .clone()
        .or_else(|| before.map(|b| b.name.clone()))
        .unwrap_or_default();
    let name = check_store_name(&name).map_err(|e| Error::Invalid(e.to_string()))?;
    let description = text
        .description
        .clone()
        .or_else(|| before.map(|b| b.description.clone()))
        .unwrap_or_default();
    if description.chars().count() > DESCRIPTION_CHARS || description.contains('\0') {
        return Err(Error::Invalid(
            "a description has at most 1,024 characters, and no U+0000".to_owned(),
        ));
    }
    let mut metadata: BTreeMap<String, String> = before
        .and_then(|b| serde_json::from_str(&b.metadata).ok())
        .unwrap_or_default();
    for (key, value) in &text.metadata {
        match value {
            Some(value) => metadata.insert(key.clone(), value.clone()),
            None => metadata.remove(key),
        };
    }
    let fits = |(k, v): (&String, &String)| {
        (1..=64).contains(&k.chars().count())
            && v.chars().count() <= 512
            && !format!("{k}{v}").contains('\0')
    };
    if metadata.len() > 16 || !metadata.iter().all(fits) {
        return Err(Error::Invalid(
            "metadata has at most 16 pairs, keys of 1 to 64 characters, values of at most 512, no \
             U+0000"
                .to_owned(),
        ));
    }
    let metadata = serde_json::to_string(&metadata)
        .map_err(|_| Error::Internal("metadata could not be written"))?;
    Ok(Description {
        name,
        description,
        metadata,
    })
}

fn about_store(action: AuditAction, id: StoreId, payload: &serde_json::Value) -> Record<'_> {
    Record {
        action,
        subject: id.to_string(),
        store: Some(id),
        commit: None,
        payload,
    }
}
