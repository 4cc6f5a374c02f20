//! People: one-time links, signing in, and who somebody is when a request comes in.

use domain::{
    Timestamp,
    actor::{Actor, Grant, Role, StoreRole, Who},
    ids::{GrantId, UserId},
    rights::Action,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{
    Tx,
    grants::{self, Grantee},
    memory_stores, sign_in, users,
};

use crate::{Error, Lucid, Record, Result};

/// How long a one-time link works, in seconds.
const LINK_SECONDS: i64 = 24 * 3_600;
/// Failed sign-ins after which tries are slowed down.
const FREE_FAILURES: i64 = 5;
/// Longest wait between tries, in seconds. Nobody is locked out for good.
const LONGEST_WAIT: i64 = 60;
/// Failures before the last so many seconds are forgotten at the next one.
const FORGOTTEN_SECONDS: i64 = 3_600;

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

/// One of somebody's own sign-ins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSignIn {
    /// What it is ended by.
    pub handle: String,
    /// Whether it is the one that asks.
    pub current: bool,
    /// What the browser called itself.
    pub browser: Option<String>,
    /// The network address it came from.
    pub from: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
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

    pub(crate) async fn insert_link(&self, tx: &mut Tx, purpose: &str, user: Option<UserId>) -> Result<String> {
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
        let about: Vec<&str> = match &purpose {
            LinkPurpose::SetPassword { name, email } => vec![name, email],
            LinkPurpose::FirstAdmin => vec![&name, &email],
        };
        let hash = self.hash_password(password, &about).await?;
        let now = self.now();
        let mut tx = self.db.write().await?;
        let link = sign_in::link(&mut tx, &token_hash(token), now).await?.ok_or(Error::Link)?;
        let user = if let Some(id) = link.user_id {
            // The person's row first, then their links: the order in which a reset takes them, too.
            if !users::set_password(&mut tx, id, &hash).await? || !sign_in::use_link(&mut tx, &token_hash(token), now).await? {
                return Err(Error::Link);
            }
            // Whoever was signed in with the old password no longer is.
            sign_in::end_all_of(&mut tx, id, now).await?;
            id
        } else {
            if !sign_in::use_link(&mut tx, &token_hash(token), now).await? {
                return Err(Error::Link);
            }
            self.insert_first_admin(&mut tx, email, name, hash).await?
        };
        let actor = Actor::signed_in(user, Role::Member, Vec::new());
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
            let owns = Grant::whole(store.id, StoreRole::Owner);
            grants::grant(tx, self.id(GrantId::new), Grantee::Person(id), &owns, "operator", self.now()).await?;
        }
        Ok(id)
    }

    /// Checks address and password. Wrong ones are counted and slow down further tries: from the same network address under the
    /// same account, under the account from anywhere, and from the same network address under any account.
    pub async fn sign_in(&self, email: &str, password: &str, from: Option<&str>) -> Result<UserId> {
        self.prove(email, password, from, "sign_in").await
    }

    /// Checks the password of whoever is signed in once more, counted as a sign-in is; what they sign rests on it for five minutes.
    pub async fn confirm_password(&self, actor: &Actor, password: &str, from: Option<&str>) -> Result<Timestamp> {
        let user = users::get(&mut self.db.read().await?, own_account(actor)?).await?.ok_or(Error::SignIn)?;
        match self.prove(&user.email, password, from, "password.confirm").await {
            Ok(_) => Ok(self.now()),
            Err(Error::SignIn) => Err(Error::Invalid("this is not your password; nothing was signed".to_owned())),
            Err(other) => Err(other),
        }
    }

    async fn prove(&self, email: &str, password: &str, from: Option<&str>, action: &'static str) -> Result<UserId> {
        let email = email.trim().to_lowercase();
        let counters = counters(&email, from);
        // Counted before the password is looked at, so that a thousand tries at once are a thousand tries.
        let now = self.now();
        let mut tx = self.db.write().await?;
        for counter in &counters {
            if let Some((failures, last)) = sign_in::failures(&mut tx, &counter.name).await? {
                let left = counter.seconds_to_wait(failures, last, now);
                if left > 0 {
                    return Err(Error::TooMany(left));
                }
            }
        }
        for counter in &counters {
            sign_in::count_failure(&mut tx, &counter.name, now, now.plus_seconds(-FORGOTTEN_SECONDS)).await?;
        }
        let user = users::by_email(&mut tx, &email).await?.filter(|u| u.disabled_at.is_none());
        tx.commit().await?;
        let hash = user.as_ref().and_then(|u| u.password_hash.clone());
        let good = password.len() <= 1_024 && self.verify_password(password, hash).await?;
        let mut tx = self.db.write().await?;
        // While the password was looked at, it may have been reset, or the account disabled: then it is not good any more.
        let now_stands = match &user {
            Some(user) => users::get(&mut tx, user.id).await?.filter(|u| u.disabled_at.is_none() && u.password_hash == user.password_hash),
            None => None,
        };
        let good = good && now_stands.is_some();
        let (Some(user), true) = (&user, good) else {
            if let Some(user) = &user {
                let nobody = Actor::signed_in(user.id, Role::Member, Vec::new());
                self.record(&mut tx, &Actor { who: Who::Worker, ..nobody }, about_account("sign_in.fail", user.id, &json!({}))).await?;
                tx.commit().await?;
            }
            // An address that nobody has is logged, not chained: else anybody could fill the trail.
            tracing::warn!(known = user.is_some(), "a sign-in failed");
            return Err(Error::SignIn);
        };
        for counter in &counters {
            sign_in::uncount_failure(&mut tx, &counter.name, counter.cleared_by_success).await?;
        }
        let actor = Actor::signed_in(user.id, user.role, Vec::new());
        self.record(&mut tx, &actor, about_account(action, user.id, &json!({}))).await?;
        tx.commit().await?;
        Ok(user.id)
    }

    /// Sets one's own password, who knows the one before; every other sign-in of the account ends.
    pub async fn change_password(&self, actor: &Actor, before: &str, after: &str, this: &[u8]) -> Result<()> {
        let id = own_account(actor)?;
        let user = users::get(&mut self.db.read().await?, id).await?.ok_or(Error::SignIn)?;
        if before.len() > 1_024 || !self.verify_password(before, user.password_hash).await? {
            return Err(Error::Invalid("the password you have now is another".to_owned()));
        }
        let hash = self.hash_password(after, &[&user.email, &user.name]).await?;
        let mut tx = self.db.write().await?;
        if !users::set_password(&mut tx, id, &hash).await? {
            return Err(Error::SignIn);
        }
        sign_in::end_others_of(&mut tx, id, &Sha256::digest(this)).await?;
        self.record(&mut tx, actor, about_account("password.change", id, &json!({}))).await?;
        Ok(tx.commit().await?)
    }

    /// One's own sign-ins, newest first; `this` is the id of the one that asks.
    pub async fn own_sign_ins(&self, actor: &Actor, this: &[u8]) -> Result<Vec<OwnSignIn>> {
        let id = own_account(actor)?;
        let this = hex::encode(Sha256::digest(this));
        let rows = sign_in::sessions_of(&mut self.db.read().await?, id, self.now()).await?;
        let view = |row: sign_in::SessionRow| {
            let data: serde_json::Value = serde_json::from_str(&row.data).unwrap_or_default();
            let text = |key: &str| data[key].as_str().map(str::to_owned);
            let handle = hex::encode(&row.id_hash);
            OwnSignIn {
                current: handle == this,
                handle,
                browser: text("browser"),
                from: text("from"),
                since: row.created_at,
                expires: row.expires_at,
            }
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// Ends one of one's own sign-ins by its handle, or with none all but the one that asks.
    pub async fn end_own_sign_in(&self, actor: &Actor, handle: Option<&str>, this: &[u8]) -> Result<()> {
        let id = own_account(actor)?;
        let mut tx = self.db.write().await?;
        match handle {
            Some(handle) => {
                let hash = hex::decode(handle).map_err(|_| Error::NotFound("sign-in"))?;
                if !sign_in::end_one_of(&mut tx, id, &hash).await? {
                    return Err(Error::NotFound("sign-in"));
                }
            }
            None => sign_in::end_others_of(&mut tx, id, &Sha256::digest(this)).await?,
        }
        self.record(&mut tx, actor, about_account("sign_in.end", id, &json!({"all_others": handle.is_none()}))).await?;
        Ok(tx.commit().await?)
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
        let grants = grants::of_user(&mut tx, id).await?;
        let view = UserView { id, name: user.name, email: user.email, role: user.role };
        Ok(Some((Actor::signed_in(id, user.role, grants), view)))
    }
}

/// Whoever is signed in: what is done to one's own account, no key and no process does.
fn own_account(actor: &Actor) -> Result<UserId> {
    match actor.who {
        Who::Person(id) => Ok(id),
        _ => Err(Error::Forbidden(Action::OwnAccount.needs())),
    }
}

/// A count of failed sign-ins under one name.
struct Counter {
    name: String,
    /// Failures before tries are slowed down.
    free: i64,
    /// Whether a good sign-in forgets them all, or only itself.
    cleared_by_success: bool,
}

/// What failures are counted under. Guessing from one place slows down that place, and leaves the owner of the account alone;
/// only guessing from everywhere slows the account down for all.
fn counters(email: &str, from: Option<&str>) -> Vec<Counter> {
    let hashed = |text: &str| hex::encode(Sha256::digest(text.as_bytes()));
    let mut all = vec![
        Counter { name: hashed(&format!("{email}\0{}", from.unwrap_or_default())), free: FREE_FAILURES, cleared_by_success: true },
        Counter { name: hashed(email), free: 10 * FREE_FAILURES, cleared_by_success: true },
    ];
    if let Some(place) = from {
        all.push(Counter { name: hashed(&format!("\0{place}")), free: 10 * FREE_FAILURES, cleared_by_success: false });
    }
    all
}

impl Counter {
    /// Seconds until the next try is allowed: nothing for the first ones, then 2, 4, 8 .. up to a minute after the last.
    fn seconds_to_wait(&self, failures: i64, last: Timestamp, now: Timestamp) -> i64 {
        let over = u32::try_from((failures - self.free).clamp(0, 30)).unwrap_or(0);
        let wait = if over == 0 { 0 } else { 2_i64.saturating_pow(over).min(LONGEST_WAIT) };
        // A clock that was set back must not lock anybody out for as long as it went.
        ((last.plus_seconds(wait).0 - now.0 + 999_999) / 1_000_000).min(LONGEST_WAIT)
    }
}

/// The audit entry of something that was done to an account.
pub fn about_account<'a>(action: &'static str, user: UserId, payload: &'a serde_json::Value) -> Record<'a> {
    Record { action, subject: user.to_string(), store: None, commit: None, payload }
}

pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

pub fn check_email(email: &str) -> Result<String> {
    let email = email.trim().to_lowercase();
    let good = email.len() <= 254
        && email.split_once('@').is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'))
        && !email.chars().any(|c| c.is_whitespace() || domain::scan::must_be_shown(c));
    if good { Ok(email) } else { Err(Error::Invalid("this is not an e-mail address".to_owned())) }
}

pub fn check_name(name: &str) -> Result<String> {
    let name = name.trim().to_owned();
    let good = (1..=100).contains(&name.chars().count()) && !domain::scan::has_hidden(&name);
    if good { Ok(name) } else { Err(Error::Invalid("a name has 1 to 100 characters, none of them hidden".to_owned())) }
}
