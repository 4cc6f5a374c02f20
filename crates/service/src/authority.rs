//! The way to a write transaction. Anyone who acts for somebody gets one from [`Lucid::begin`],
//! which reads account, role, web session, grants, key and scopes again inside it, under a lock
//! that changes of rights wait for. A right is a value of [`Authorized`], and no audit entry can be
//! written without one. People and keys get it only from the transaction that `begin` returned, so
//! a use case that forgot to ask does not compile, and a right that was removed while a slow
//! request came in is gone when it writes (rule 7). The named constructors are for work without an
//! actor; a test lists the files that use them.

use domain::{
    Timestamp,
    actor::{Actor, Who},
    ids::{KeyId, SignInId, StoreId, UserId},
    rights::Action,
};
use store::{Db, Tx, grants, keys, sealing::SessionKeys, settings, sign_in, users};

use crate::{Error, Lucid, Result, keys::scopes_of};

/// The database, which other modules can read from but not write to past this one.
#[derive(Clone)]
pub struct Database {
    db: Db,
    session_keys: Option<SessionKeys>,
}

impl Database {
    /// Without keys, so transcripts are not sealed.
    pub const fn new(db: Db) -> Self {
        Self {
            db,
            session_keys: None,
        }
    }

    /// The same, sealing transcripts with keys in a folder.
    pub fn with_session_keys(self, keys: SessionKeys) -> Self {
        Self {
            session_keys: Some(keys),
            ..self
        }
    }

    /// The keys that seal transcripts, if a folder was named.
    pub const fn session_keys(&self) -> Option<&SessionKeys> {
        self.session_keys.as_ref()
    }

    /// A transaction for reading: one snapshot on either engine.
    pub async fn read(&self) -> Result<Tx> {
        Ok(self
            .db
            .read()
            .await?
            .with_session_keys(self.session_keys.clone()))
    }

    /// A transaction for what Lucid does by itself, for nobody: housekeeping, jobs, web sessions,
    /// counting failed sign-ins.
    pub async fn background(&self) -> Result<Tx> {
        Ok(self
            .db
            .write()
            .await?
            .with_session_keys(self.session_keys.clone()))
    }

    /// The tables, triggers and indices that are not as the migrations made them.
    pub async fn changed_schema(&self) -> Result<Vec<String>> {
        Ok(self.db.changed_schema().await?)
    }

    /// `SQLite` or `PostgreSQL`, for people.
    pub const fn engine(&self) -> &'static str {
        self.db.engine()
    }

    /// Writes a consistent copy to a file that is not there yet. SQLite only.
    pub async fn backup(&self, file: &std::path::Path) -> Result<()> {
        Ok(self.db.backup(file).await?)
    }

    /// Writes the files anew, without what was deleted; false if a reader was in the way.
    pub async fn rewrite(&self) -> Result<bool> {
        Ok(self.db.rewrite().await?)
    }

    /// Closes every connection; what is read or written after it fails.
    pub async fn close(&self) {
        self.db.close().await;
    }

    /// Size of the write-ahead log. SQLite only.
    pub async fn wal_bytes(&self) -> Option<u64> {
        self.db.wal_bytes().await
    }
}

/// Everything that an actor's rights depend on, as one write transaction read it. Reads as the
/// [`Actor`] that it is now.
pub struct Acting {
    actor: Actor,
    sign_in: Option<SignIn>,
}

/// The sign-in through which a person acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignIn {
    pub id: SignInId,
    /// When the password was last confirmed during it.
    pub confirmed_at: Option<Timestamp>,
}

impl std::ops::Deref for Acting {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.actor
    }
}

/// The right to do one thing, checked inside the transaction that does it.
#[derive(Debug, Clone, Copy)]
pub struct Authorized(Who);

impl Authorized {
    /// Whose right it is.
    pub const fn who(self) -> Who {
        self.0
    }

    /// Lucid's own background work.
    pub(crate) const fn worker() -> Self {
        Self(Who::Worker)
    }

    /// The person who runs the command line beside the database.
    pub(crate) const fn operator() -> Self {
        Self(Who::Operator)
    }

    /// Somebody who is not known: who asks for access, or fails to sign in.
    pub(crate) const fn anonymous() -> Self {
        Self(Who::Anonymous)
    }

    /// Anyone who has just proved who they are, by password or one-time link, on their own account.
    pub(crate) const fn proved(user: UserId) -> Self {
        Self(Who::Person(user))
    }
}

impl Acting {
    /// The sign-in, if a person acts through a web session.
    pub const fn sign_in(&self) -> Option<SignIn> {
        self.sign_in
    }

    /// The right to something on a whole store; as if it were not there, if they may not even know
    /// of it.
    pub fn may_on(&self, action: Action, store: StoreId) -> Result<Authorized> {
        self.may_on_paths(action, store, &["/"])
    }

    /// As [`Acting::may_on`], on these places in the store.
    pub fn may_on_paths(
        &self,
        action: Action,
        store: StoreId,
        paths: &[&str],
    ) -> Result<Authorized> {
        crate::require_at(&self.actor, action, store, paths)?;
        Ok(Authorized(self.who))
    }

    /// The right to something on the installation.
    pub fn may_in_installation(&self, action: Action) -> Result<Authorized> {
        crate::require_in_general(&self.actor, action)?;
        Ok(Authorized(self.who))
    }

    /// The right to something on what belongs to the actor alone: a key needs the scope for it.
    pub fn with_scope(&self, action: Action) -> Result<Authorized> {
        if self.has_scope(action) {
            Ok(Authorized(self.who))
        } else {
            Err(Error::Forbidden(action.needs()))
        }
    }

    /// The right of somebody who is signed in over their own account; no key and no process has it.
    pub fn own_account(&self) -> Result<(UserId, Authorized)> {
        match self.who {
            Who::Person(id) => Ok((id, Authorized(self.who))),
            _ => Err(Error::Forbidden(Action::OwnAccount.needs())),
        }
    }
}

/// Says whether a transaction changes what others may do: then it waits for every write in hand,
/// and they for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Changes {
    Rights,
    Anything,
}

impl Lucid {
    /// A write transaction for an actor, with what they may do now.
    pub(crate) async fn begin(&self, actor: &Actor) -> Result<(Tx, Acting)> {
        self.begin_with(actor, Changes::Anything).await
    }

    /// As [`Lucid::begin`], for what changes people, roles, grants, keys, teams or settings of the
    /// gate.
    pub(crate) async fn begin_changing_rights(&self, actor: &Actor) -> Result<(Tx, Acting)> {
        self.begin_with(actor, Changes::Rights).await
    }

    async fn begin_with(&self, actor: &Actor, changes: Changes) -> Result<(Tx, Acting)> {
        let mut tx = self.db.background().await?;
        if changes == Changes::Rights {
            settings::lock_people(&mut tx).await?;
        } else if actor.who.person().is_some() {
            settings::share_people(&mut tx).await?;
        }
        let acting = self
            .read_rights(&mut tx, actor)
            .await?
            .ok_or(Error::Ended)?;
        Ok((tx, acting))
    }

    /// The same actor with what they may do now; `None` if account, web session or key ended.
    #[tracing::instrument(skip_all)]
    pub async fn refreshed(&self, actor: &Actor) -> Result<Option<Actor>> {
        Ok(self
            .read_rights(&mut self.db.read().await?, actor)
            .await?
            .map(|acting| acting.actor))
    }

    pub(crate) async fn read_rights(&self, tx: &mut Tx, actor: &Actor) -> Result<Option<Acting>> {
        match actor.who {
            Who::Operator | Who::Worker | Who::Anonymous => Ok(Some(Acting {
                actor: actor.clone(),
                sign_in: None,
            })),
            Who::Person(id) => self.person_now(tx, actor, id).await,
            Who::Key(key, _) => self.key_now(tx, key).await,
        }
    }

    async fn person_now(&self, tx: &mut Tx, actor: &Actor, id: UserId) -> Result<Option<Acting>> {
        let Some(user) = users::get(tx, id)
            .await?
            .filter(|u| u.disabled_at.is_none())
        else {
            return Ok(None);
        };
        let sign_in = match actor.web_session {
            None => None,
            Some(session) => match sign_in::of_session(tx, &session.0, id, self.now()).await? {
                Some((id, confirmed_at)) => Some(SignIn { id, confirmed_at }),
                None => return Ok(None),
            },
        };
        let fresh = Actor {
            web_session: actor.web_session,
            ..Actor::signed_in(id, user.role, grants::of_user(tx, id).await?)
        };
        Ok(Some(Acting {
            actor: fresh,
            sign_in,
        }))
    }

    async fn key_now(&self, tx: &mut Tx, id: KeyId) -> Result<Option<Acting>> {
        let now = self.now();
        let Some(key) = keys::get(tx, id).await?.filter(|k| k.is_good(now)) else {
            return Ok(None);
        };
        Ok(Some(Acting {
            actor: actor_of_key(tx, &key).await?.ok_or(Error::Key)?,
            sign_in: None,
        }))
    }
}

/// Returns who acts with a key, and what they may do now; `None` if its owner's account ended.
pub async fn actor_of_key(tx: &mut Tx, key: &keys::KeyRow) -> Result<Option<Actor>> {
    let Some(owner) = users::get(tx, key.user_id)
        .await?
        .filter(|u| u.disabled_at.is_none())
    else {
        return Ok(None);
    };
    let mut held = grants::of_user(tx, key.user_id).await?;
    held.retain(|g| key.store_id.is_none_or(|only| g.store == only));
    let who = Who::Key(key.id, key.user_id);
    Ok(Some(Actor {
        who,
        role: owner.role,
        grants: held,
        scopes: scopes_of(key),
        only: key.store_id,
        web_session: None,
    }))
}
