//! API keys: made by admins, shown once, hashed at rest; and who acts when a request comes with
//! one.

use std::str::FromStr;

use domain::{
    actor::Actor,
    audit_action::AuditAction,
    ids::{KeyId, StoreId, UserId},
    rights::{Action, Scope},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{
    Tx,
    keys::{self, KeyRow},
    users,
};

use crate::{Error, Lucid, Record, Result, authority::actor_of_key};

/// The prefix of every secret, so that scanners of leaked secrets recognise it.
const PREFIX: &str = "lucid_sk_";
/// Longest life of a key that has an end, in days: ten years.
const LONGEST_DAYS: i64 = 3_650;

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    pub name: String,
    /// Whose it is; the person who makes it, if nobody else is named.
    pub owner: Option<UserId>,
    /// The only store that it is for.
    pub store: Option<StoreId>,
    pub scopes: Vec<Scope>,
    /// After how many days it ends by itself.
    pub days: Option<i64>,
}

/// A key with what it may do, without its secret.
#[derive(Debug, Clone)]
pub struct KeyView {
    pub row: KeyRow,
    pub scopes: Vec<Scope>,
    /// True if it is still good.
    pub good: bool,
}

impl Lucid {
    /// Makes a key; the secret is in the answer and nowhere else. `review` and `admin` act as the
    /// owner, so nobody makes such a key for somebody else.
    #[tracing::instrument(skip_all)]
    pub async fn add_key(&self, actor: &Actor, new: &NewKey) -> Result<(KeyId, String)> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManageKeys)?;
        if let Some(store) = new.store {
            actor.may_on(Action::SeeMemory, store)?;
        }
        let name = new.name.trim();
        if !(1..=100).contains(&name.chars().count()) || domain::scan::has_hidden(name) {
            return Err(Error::Invalid(
                "a key's name has 1 to 100 characters, none of them hidden".to_owned(),
            ));
        }
        if new.scopes.is_empty() {
            let all = Scope::ALL
                .iter()
                .map(|s| s.as_str())
                .collect::<Vec<_>>()
                .join(", ");
            return Err(Error::Invalid(format!(
                "a key needs at least one scope: {all}"
            )));
        }
        if new.days.is_some_and(|d| !(1..=LONGEST_DAYS).contains(&d)) {
            return Err(Error::Invalid(format!(
                "a key ends after 1 to {LONGEST_DAYS} days, or never"
            )));
        }
        let me = actor.who.person();
        let owner = new
            .owner
            .or(me)
            .ok_or_else(|| Error::Invalid("a key belongs to a person; name one".to_owned()))?;
        let as_owner = new
            .scopes
            .iter()
            .any(|s| matches!(s, Scope::Review | Scope::Admin));
        if as_owner && me.is_some_and(|me| me != owner) {
            return Err(Error::Forbidden(
                "a key with review or admin acts as its owner; only they can make it",
            ));
        }
        if new.store.is_none() && me.is_some_and(|me| me != owner) {
            return Err(Error::Forbidden(
                "a key of somebody else's is for one store that you know; name it",
            ));
        }
        let mut scopes = new.scopes.clone();
        scopes.sort();
        scopes.dedup();
        let now = self.now();
        let user = users::get(&mut tx, owner)
            .await?
            .filter(|u| u.disabled_at.is_none())
            .ok_or(Error::NotFound("person"))?;
        let row = KeyRow {
            id: self.id(KeyId::new),
            user_id: owner,
            owner: user.name,
            store_id: new.store,
            name: name.to_owned(),
            scopes: scopes
                .iter()
                .map(|s| s.as_str())
                .collect::<Vec<_>>()
                .join(" "),
            created_at: now,
            expires_at: new.days.map(|d| now.plus_seconds(d * 86_400)),
            last_used_at: None,
            revoked_at: None,
            created_by: me,
        };
        let secret = format!("{PREFIX}{}", hex::encode(self.random_bytes::<32>()));
        keys::insert(&mut tx, &row, &hash(&secret)).await?;
        let payload = json!({"name": row.name, "owner": owner, "store": row.store_id, "scopes": scopes, "expires_at": row.expires_at});
        self.record(&mut tx, right, about(row.id, AuditAction::KeyAdd, &payload))
            .await?;
        tx.commit().await?;
        Ok((row.id, secret))
    }

    /// Every key on stores that the actor knows, newest last. That it was read is recorded: who has
    /// which key is worth knowing to an attacker.
    #[tracing::instrument(skip_all)]
    pub async fn keys(&self, actor: &Actor) -> Result<Vec<KeyView>> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_in_installation(Action::ManageKeys)?;
        let rows = keys::all(&mut tx).await?;
        let payload = json!({"keys": rows.len()});
        let record = Record {
            action: AuditAction::KeyList,
            subject: "installation".into(),
            store: None,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        let now = self.now();
        let view = |row: KeyRow| KeyView {
            scopes: scopes_of(&row),
            good: row.is_good(now),
            row,
        };
        Ok(rows
            .into_iter()
            .filter(|k| k.store_id.is_none_or(|s| actor.knows(s)))
            .map(view)
            .collect())
    }

    /// Ends a key at once.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn revoke_key(&self, actor: &Actor, id: KeyId) -> Result<()> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManageKeys)?;
        if !keys::revoke(&mut tx, id, self.now()).await? {
            return Err(Error::Conflict(
                "this key was revoked already, or never was".to_owned(),
            ));
        }
        self.record(
            &mut tx,
            right,
            about(id, AuditAction::KeyRevoke, &json!({})),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Returns who acts with this secret, and what they may do now. Its use is noted, within ten
    /// seconds.
    #[tracing::instrument(skip_all)]
    pub async fn key_actor(&self, secret: &str) -> Result<Actor> {
        let mut tx = self.db.read().await?;
        let now = self.now();
        let key = keys::by_secret(&mut tx, &hash(secret))
            .await?
            .filter(|k| k.is_good(now))
            .ok_or(Error::Key)?;
        let actor = actor_of_key(&mut tx, &key).await?.ok_or(Error::Key)?;
        self.small_writes.key_used(key.id, now);
        Ok(actor)
    }
}

/// The people who answer for an actor that stands by kind and id beside what it made: of a key, its
/// owner and who made it.
pub async fn answer_for(tx: &mut Tx, actor: &str) -> Result<Vec<UserId>> {
    if let Some(person) = actor.strip_prefix("person:") {
        return Ok(person.parse().into_iter().collect());
    }
    match actor.strip_prefix("key:").and_then(|id| id.parse().ok()) {
        Some(key) => Ok(keys::answer_for(tx, key).await?),
        None => Ok(Vec::new()),
    }
}

fn hash(secret: &str) -> Vec<u8> {
    // 256 random bits need no slow hash: there is nothing to guess.
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// The scopes of a key; words of a newer Lucid are left out.
pub fn scopes_of(key: &KeyRow) -> Vec<Scope> {
    key.scopes
        .split(' ')
        .filter_map(|s| Scope::from_str(s).ok())
        .collect()
}

fn about(id: KeyId, action: AuditAction, payload: &serde_json::Value) -> Record<'_> {
    Record {
        action,
        subject: id.to_string(),
        store: None,
        commit: None,
        payload,
    }
}
