//! How actors are called: people by name, keys by name and owner, others by what they are.

use std::collections::BTreeMap;

use domain::actor::Who;
use store::{Tx, keys, users};

use crate::Result;

/// Names by kind and id of an actor.
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<String, String>);

impl Names {
    /// Everybody there is.
    pub async fn all(tx: &mut Tx) -> Result<Self> {
        let people = users::all(tx).await?.into_iter().map(|u| (Who::Person(u.id).to_string(), u.name));
        let keys = keys::all(tx).await?.into_iter();
        let keys = keys.map(|k| (Who::Key(k.id, k.user_id).to_string(), format!("{} (key of {})", k.name, k.owner)));
        Ok(Self(people.chain(keys).collect()))
    }

    /// An actor as people call it.
    pub fn of(&self, actor: &str) -> String {
        self.0.get(actor).map_or_else(|| actor.to_owned(), String::clone)
    }
}
