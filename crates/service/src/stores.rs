//! Memory stores.

use domain::{
    actor::{Actor, Grant, Need, StoreRole},
    ids::{GrantId, StoreId},
    memory::check_store_name,
};
use serde_json::json;
use store::{memory_stores, memory_stores::StoreRow, users};

use crate::{Error, Lucid, Record, Result, actor_name, require};

impl Lucid {
    /// Makes an empty store. Who makes it owns it; one made on the command line is owned by every admin there is.
    pub async fn create_store(&self, actor: &Actor, name: &str, description: &str) -> Result<StoreId> {
        if !actor.is_admin() {
            return Err(Error::Forbidden("making a store needs the role admin"));
        }
        let name = check_store_name(name).map_err(|e| Error::Invalid(e.to_string()))?;
        if description.chars().count() > 1_024 {
            return Err(Error::Invalid("a description has at most 1,024 characters".to_owned()));
        }
        let id = self.id(StoreId::new);
        let by = actor_name(actor.who);
        let mut tx = self.db.write().await?;
        if memory_stores::by_name(&mut tx, &name).await?.is_some() {
            return Err(Error::Conflict(format!("there is a store called {name} already")));
        }
        memory_stores::insert(&mut tx, id, &name, description, &by, self.now()).await?;
        let owners = match actor.who.person() {
            Some(person) => vec![person],
            None => users::all(&mut tx).await?.into_iter().filter(|u| u.role == domain::actor::Role::Admin).map(|u| u.id).collect(),
        };
        for &owner in &owners {
            let grant = Grant { store: id, role: StoreRole::Owner };
            memory_stores::grant(&mut tx, self.id(GrantId::new), owner, grant, &by, self.now()).await?;
        }
        self.record(
            &mut tx,
            actor,
            Record {
                action: "store.create",
                subject: id.to_string(),
                store: Some(id),
                commit: None,
                payload: &json!({"name": name, "owners": owners}),
            },
        )
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The stores that the actor may see, by name.
    pub async fn stores(&self, actor: &Actor) -> Result<Vec<StoreRow>> {
        let mut tx = self.db.read().await?;
        Ok(memory_stores::list(&mut tx, actor.visible()).await?)
    }

    /// One store.
    pub async fn store(&self, actor: &Actor, id: StoreId) -> Result<StoreRow> {
        require(actor, Need::See, id)?;
        let mut tx = self.db.read().await?;
        memory_stores::get(&mut tx, id).await?.ok_or(Error::NotFound("store"))
    }

    /// The store of a name, for the command line.
    pub async fn store_named(&self, actor: &Actor, name: &str) -> Result<Option<StoreId>> {
        let mut tx = self.db.read().await?;
        Ok(memory_stores::by_name(&mut tx, name).await?.filter(|&id| actor.may(Need::See, id)))
    }
}
