//! How actors are called: people by name, keys by name and owner, others by what they are.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    actor::Who,
    ids::{KeyId, UserId},
};
use store::{Tx, keys, users};

use crate::Result;

/// Names by kind and id of an actor.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Those of some actors, each given as kind and id. One statement for each kind and 50 of them.
    pub async fn of_actors(tx: &mut Tx, actors: impl IntoIterator<Item = &str>) -> Result<Self> {
        let actors: BTreeSet<&str> = actors.into_iter().collect();
        let ids = |kind: &str| {
            actors
                .iter()
                .filter_map(|a| a.strip_prefix(kind))
                .collect::<Vec<_>>()
        };
        let people: Vec<UserId> = ids("person:")
            .into_iter()
            .filter_map(|id| id.parse().ok())
            .collect();
        let of_keys: Vec<KeyId> = ids("key:")
            .into_iter()
            .filter_map(|id| id.parse().ok())
            .collect();
        let mut names = BTreeMap::new();
        for (id, name) in users::names(tx, &people).await? {
            names.insert(Who::Person(id).to_string(), name);
        }
        for (id, name, owner) in keys::names(tx, &of_keys).await? {
            names.insert(format!("key:{id}"), format!("{name} (key of {owner})"));
        }
        Ok(Self(names))
    }

    /// The name of one actor.
    pub async fn of_one(tx: &mut Tx, actor: &str) -> Result<String> {
        Ok(Self::of_actors(tx, [actor]).await?.of(actor))
    }

    /// An actor as people call it.
    pub fn of(&self, actor: &str) -> String {
        self.0
            .get(actor)
            .map_or_else(|| actor.to_owned(), String::clone)
    }
}
