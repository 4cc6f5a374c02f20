//! People: one-time links, signing in, and who somebody is when a request comes in.

use domain::{
    Timestamp,
    actor::{Actor, Grant, Role, StoreRole, Who},
    ids::{GrantId, StoreId, UserId},
};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{Tx, memory_stores, sign_in, users};

use crate::{Error, Lucid, Record, Result, actor_name};

/// How long a one-time link works, in seconds.
const LINK_SECONDS: i64 = 24 * 3_600;
/// Failed sign-ins after which tries are slowed down.
const FREE_FAILURES: i64 = 5;
/// Longest wait between tries, in seconds. Nobody is locked out for good.
const LONGEST_WAIT: i64 = 60;

/// A person to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Address.
    pub email: String,
    /// How the person is called.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Stores they get, each with the role on it.
    pub grants: Vec<(StoreId, StoreRole)>,
}

/// What a one-time link is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkPurpose {
    /// It makes the first admin.
    FirstAdmin,
    /// It sets the password of this person.
    SetPassword {
        /// Their name.
        name: String,
        /// Their address.
        email: String,
    },
}

/// A person as pages show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// Id.
    pub id: UserId,
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// Role.
    pub role: Role,
}

impl Lucid {
    /// Makes the one-time link that makes the first admin; `None` if somebody has an account already. Earlier ones end.
    pub async fn first_admin_link(&self) -> Result<Option<String>> {
        let mut tx = self.db.write().await?;
        if users::count(&mut tx).await? > 0 {
            return Ok(None);
        }
        sign_in::drop_first_admin_links(&mut tx, self.now()).await?;
        let token = self.insert_link(&mut tx, "first_admin", None).await?;
        self.record(
            &mut tx,
            &Actor::operator(),
            Record { action: "link.create", subject: "first_admin".into(), store: None, commit: None, payload: &json!({}) },
        )
        .await?;
        tx.commit().await?;
        Ok(Some(token))
    }

    async fn insert_link(&self, tx: &mut Tx, purpose: &str, user: Option<UserId>) -> Result<String> {
        let token = hex::encode(self.random_bytes::<32>());
        let now = self.now();
        sign_in::insert_link(tx, &token_hash(&token), purpose, user, now, now.plus_seconds(LINK_SECONDS)).await?;
        Ok(token)
    }

    /// What a link is for, without using it up.
    pub async fn link_purpose(&self, token: &str) -> Result<LinkPurpose> {
        let mut tx = self.db.read().await?;
        let link = sign_in::link(&mut tx, &token_hash(token), self.now()).await?.ok_or(Error::Link)?;
        let Some(id) = link.user_id else { return Ok(LinkPurpose::FirstAdmin) };
        let user = users::get(&mut tx, id).await?.filter(|u| u.disabled_at.is_none()).ok_or(Error::Link)?;
        Ok(LinkPurpose::SetPassword { name: user.name, email: user.email })
    }

    /// Uses a link: sets the password, and makes the first admin (with name and address) where it is for that.
    pub async fn use_link(&self, token: &str, password: &str, email: &str, name: &str) -> Result<UserId> {
        let purpose = self.link_purpose(token).await?;
        let (email, name) = if purpose == LinkPurpose::FirstAdmin { (check_email(email)?, check_name(name)?) } else { Default::default() };
        let hash = self.hash_password(password).await?;
        let now = self.now();
        let mut tx = self.db.write().await?;
        let link = sign_in::link(&mut tx, &token_hash(token), now).await?.ok_or(Error::Link)?;
        if !sign_in::use_link(&mut tx, &token_hash(token), now).await? {
            return Err(Error::Link);
        }
        let user = match link.user_id {
            Some(id) => {
                if !users::set_password(&mut tx, id, &hash).await? {
                    return Err(Error::Link);
                }
                // Whoever was signed in with the old password no longer is.
                sign_in::end_all_of(&mut tx, id, now).await?;
                id
            }
            None => self.insert_first_admin(&mut tx, email, name, hash).await?,
        };
        let actor = Actor { who: Who::Person(user), role: Role::Member, grants: Vec::new() };
        // A first admin is made by the link, with a grant on every store there is.
        let made = link.user_id.is_none().then_some(json!({"role": Role::Admin, "grants": "every store"}));
        let payload = json!({"purpose": link.purpose, "made": made});
        self.record(
            &mut tx,
            &actor,
            Record { action: "link.use", subject: user.to_string(), store: None, commit: None, payload: &payload },
        )
        .await?;
        tx.commit().await?;
        Ok(user)
    }

    /// The first admin gets a grant on every store there is: nobody else could give it.
    async fn insert_first_admin(&self, tx: &mut Tx, email: String, name: String, hash: String) -> Result<UserId> {
        if users::count(tx).await? > 0 {
            return Err(Error::Link);
        }
        let id = self.id(UserId::new);
        let row =
            users::UserRow { id, email, name, password_hash: Some(hash), role: Role::Admin, created_at: self.now(), disabled_at: None };
        users::insert(tx, &row).await?;
        for store in memory_stores::list(tx, domain::actor::Visible::All).await? {
            let grant = Grant { store: store.id, role: StoreRole::Owner };
            memory_stores::grant(tx, self.id(GrantId::new), id, grant, "operator", self.now()).await?;
        }
        Ok(id)
    }

    /// Adds a person, or only grants where the address is known, and makes the one-time link that sets their password.
    pub async fn add_user(&self, actor: &Actor, new: &NewUser) -> Result<(UserId, String)> {
        if !actor.is_admin() {
            return Err(Error::Forbidden("adding people needs the role admin"));
        }
        let (email, name) = (check_email(&new.email)?, check_name(&new.name)?);
        let by = actor_name(actor.who);
        let mut tx = self.db.write().await?;
        let known = users::by_email(&mut tx, &email).await?;
        if let Some(known) = known.as_ref().filter(|k| k.role != new.role) {
            return Err(Error::Conflict(format!(
                "{} is known as {}; their role is not changed by adding them again",
                known.email, known.role
            )));
        }
        let id = known.as_ref().map_or_else(|| self.id(UserId::new), |k| k.id);
        if known.is_none() {
            let row = users::UserRow { id, email, name, password_hash: None, role: new.role, created_at: self.now(), disabled_at: None };
            users::insert(&mut tx, &row).await?;
        }
        for &(store, role) in &new.grants {
            memory_stores::grant(&mut tx, self.id(GrantId::new), id, Grant { store, role }, &by, self.now()).await?;
        }
        let token = self.insert_link(&mut tx, "set_password", Some(id)).await?;
        let grants: Vec<_> = new.grants.iter().map(|(store, role)| json!({"store": store, "role": role})).collect();
        let payload = json!({"role": new.role, "grants": grants});
        self.record(&mut tx, actor, Record { action: "user.add", subject: id.to_string(), store: None, commit: None, payload: &payload })
            .await?;
        tx.commit().await?;
        Ok((id, token))
    }

    /// Checks address and password. Wrong ones are counted and slow down further tries under that address.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<UserId> {
        let email = email.trim().to_lowercase();
        let counted_as = hex::encode(Sha256::digest(email.as_bytes()));
        // Counted before the password is looked at, so that a thousand tries at once are a thousand tries.
        let mut tx = self.db.write().await?;
        if let Some((failures, last)) = sign_in::failures(&mut tx, &counted_as).await? {
            let left = seconds_to_wait(failures, last, self.now());
            if left > 0 {
                return Err(Error::TooMany(left));
            }
        }
        sign_in::count_failure(&mut tx, &counted_as, self.now()).await?;
        let user = users::by_email(&mut tx, &email).await?.filter(|u| u.disabled_at.is_none());
        tx.commit().await?;
        let hash = user.as_ref().and_then(|u| u.password_hash.clone());
        let good = password.len() <= 1_024 && self.verify_password(password, hash).await?;
        let (Some(user), true) = (&user, good) else {
            if let Some(user) = &user {
                let mut tx = self.db.write().await?;
                let nobody = Actor { who: Who::Worker, role: Role::Member, grants: Vec::new() };
                let record =
                    Record { action: "sign_in.fail", subject: user.id.to_string(), store: None, commit: None, payload: &json!({}) };
                self.record(&mut tx, &nobody, record).await?;
                tx.commit().await?;
            }
            // An address that nobody has is logged, not chained: else anybody could fill the trail.
            tracing::warn!(known = user.is_some(), "a sign-in failed");
            return Err(Error::SignIn);
        };
        let mut tx = self.db.write().await?;
        sign_in::clear_failures(&mut tx, &counted_as).await?;
        let actor = Actor { who: Who::Person(user.id), role: user.role, grants: Vec::new() };
        self.record(
            &mut tx,
            &actor,
            Record { action: "sign_in", subject: user.id.to_string(), store: None, commit: None, payload: &json!({}) },
        )
        .await?;
        tx.commit().await?;
        Ok(user.id)
    }

    /// Records that somebody signed out.
    pub async fn sign_out(&self, actor: &Actor) -> Result<()> {
        let Some(user) = actor.who.person() else { return Ok(()) };
        let mut tx = self.db.write().await?;
        self.record(
            &mut tx,
            actor,
            Record { action: "sign_out", subject: user.to_string(), store: None, commit: None, payload: &json!({}) },
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Who somebody is now, and what they were granted; `None` if the account is gone or disabled.
    pub async fn actor(&self, id: UserId) -> Result<Option<(Actor, UserView)>> {
        let mut tx = self.db.read().await?;
        let Some(user) = users::get(&mut tx, id).await?.filter(|u| u.disabled_at.is_none()) else { return Ok(None) };
        let grants = memory_stores::grants_of(&mut tx, id).await?;
        let view = UserView { id, name: user.name, email: user.email, role: user.role };
        Ok(Some((Actor { who: Who::Person(id), role: user.role, grants }, view)))
    }
}

/// Seconds until the next try is allowed: nothing for the first five, then 2, 4, 8 .. up to a minute after the last.
fn seconds_to_wait(failures: i64, last: Timestamp, now: Timestamp) -> i64 {
    let over = u32::try_from((failures - FREE_FAILURES).clamp(0, 30)).unwrap_or(0);
    let wait = if over == 0 { 0 } else { 2_i64.saturating_pow(over).min(LONGEST_WAIT) };
    (last.plus_seconds(wait).0 - now.0 + 999_999) / 1_000_000
}

fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

fn check_email(email: &str) -> Result<String> {
    let email = email.trim().to_lowercase();
    let good = email.len() <= 254
        && email.split_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'))
        && !email.chars().any(|c| c.is_whitespace() || domain::scan::must_be_shown(c));
    if good { Ok(email) } else { Err(Error::Invalid("this is not an e-mail address".to_owned())) }
}

fn check_name(name: &str) -> Result<String> {
    let name = name.trim().to_owned();
    let good = (1..=100).contains(&name.chars().count()) && !domain::scan::has_hidden(&name);
    if good { Ok(name) } else { Err(Error::Invalid("a name has 1 to 100 characters, none of them hidden".to_owned())) }
}
