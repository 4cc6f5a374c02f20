//! People: one-time links, signing in, and who somebody is when a request comes in.

use domain::{
    Timestamp,
    actor::{Actor, Grant, Role, StoreRole, WebSession, Who},
    audit_action::AuditAction,
    ids::{GrantId, SignInId, UserId},
    rights::Action,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use store::{
    Tx,
    grants::{self, Grantee},
    memory_stores, settings, sign_in, users,
};

use crate::{Error, Lucid, Record, Result, authority::Authorized};

/// How long a one-time link works, in seconds.
const LINK_SECONDS: i64 = 24 * 3_600;
/// Failed sign-ins after which tries are slowed down.
const FREE_FAILURES: i64 = 5;
/// Longest wait between tries, in seconds. Nobody is locked out for good.
const LONGEST_WAIT: i64 = 60;
/// Failures before the last so many seconds are forgotten at the next one.
const FORGOTTEN_SECONDS: i64 = 3_600;
/// How long a browser is known after the last sign-in from it, in seconds: half a year.
pub(crate) const BROWSER_SECONDS: i64 = 182 * 86_400;
/// The subject under which the trail counts failed sign-ins of addresses without an account.
const UNKNOWN_ADDRESSES: &str = "unknown addresses";

/// The purpose of a one-time link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkPurpose {
    /// It makes the first admin.
    FirstAdmin,
    /// It sets the password of this person.
    SetPassword { name: String, email: String },
}

/// One of somebody's own sign-ins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnSignIn {
    pub handle: String,
    /// True if it is the one that asks.
    pub current: bool,
    pub browser: Option<String>,
    /// The network address it came from.
    pub from: Option<String>,
    pub since: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
}

/// A person as pages show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
}

/// The address and browser of a sign-in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Place<'a> {
    pub address: Option<&'a str>,
    /// The token that the browser keeps since somebody signed in there.
    pub browser: Option<&'a str>,
}

/// Somebody who has just signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub user: UserId,
    /// The sign-in, as the trail names it.
    pub sign_in: SignInId,
    /// The token by which the browser is known from now on.
    pub browser: String,
}

impl Lucid {
    /// Makes the one-time link that makes the first admin; `None` if somebody has an account
    /// already. Earlier ones end.
    #[tracing::instrument(skip_all)]
    pub async fn first_admin_link(&self) -> Result<Option<String>> {
        let mut tx = self.db.background().await?;
        if users::count(&mut tx).await? > 0 {
            return Ok(None);
        }
        sign_in::drop_first_admin_links(&mut tx, self.now()).await?;
        let token = self.insert_link(&mut tx, "first_admin", None, None).await?;
        let record = Record {
            action: AuditAction::LinkCreate,
            subject: "first_admin".into(),
            store: None,
            commit: None,
            payload: &json!({}),
        };
        self.record(&mut tx, Authorized::operator(), record).await?;
        tx.commit().await?;
        Ok(Some(token))
    }

    /// Stores a one-time link. `issued_by` is the account that will see it, if that is not its
    /// owner.
    pub(crate) async fn insert_link(
        &self,
        tx: &mut Tx,
        purpose: &str,
        user: Option<UserId>,
        issued_by: Option<UserId>,
    ) -> Result<String> {
        let token = hex::encode(self.random_bytes::<32>());
        let now = self.now();
        sign_in::insert_link(
            tx,
            &token_hash(&token),
            purpose,
            user,
            issued_by,
            (now, now.plus_seconds(LINK_SECONDS)),
        )
        .await?;
        Ok(token)
    }

    /// Returns what a link is for, without using it up.
    #[tracing::instrument(skip_all)]
    pub async fn link_purpose(&self, token: &str) -> Result<LinkPurpose> {
        let mut tx = self.db.read().await?;
        let link = sign_in::link(&mut tx, &token_hash(token), self.now())
            .await?
            .ok_or(Error::Link)?;
        let Some(id) = link.user_id else {
            return Ok(LinkPurpose::FirstAdmin);
        };
        let user = users::get(&mut tx, id)
            .await?
            .filter(|u| u.disabled_at.is_none())
            .ok_or(Error::Link)?;
        Ok(LinkPurpose::SetPassword {
            name: user.name,
            email: user.email,
        })
    }

    /// Uses a link: sets the password, and makes the first admin (with name and address) where it
    /// is for that. Who saw the link stays recorded on the credential.
    #[tracing::instrument(skip_all)]
    pub async fn use_link(
        &self,
        token: &str,
        password: &str,
        email: &str,
        name: &str,
        place: Place<'_>,
    ) -> Result<SignedIn> {
        let purpose = self.link_purpose(token).await?;
        let (email, name) = if purpose == LinkPurpose::FirstAdmin {
            (check_email(email)?, check_name(name)?)
        } else {
            Default::default()
        };
        let about: Vec<&str> = match &purpose {
            LinkPurpose::SetPassword { name, email } => vec![name, email],
            LinkPurpose::FirstAdmin => vec![&name, &email],
        };
        let hash = self.hash_password(password, &about).await?;
        let now = self.now();
        let mut tx = self.db.background().await?;
        // Signing somebody out and changing who is independent of whom: every write that relies on
        // either is over or still to begin.
        settings::lock_people(&mut tx).await?;
        let link = sign_in::link(&mut tx, &token_hash(token), now)
            .await?
            .ok_or(Error::Link)?;
        if !sign_in::use_link(&mut tx, &token_hash(token), now).await? {
            return Err(Error::Link);
        }
        let user = if let Some(id) = link.user_id {
            if !users::set_password(&mut tx, id, &hash, link.issued_by).await? {
                return Err(Error::Link);
            }
            // Anyone who was signed in with the old password no longer is, and their browsers are
            // strangers.
            sign_in::end_all_of(&mut tx, id, now).await?;
            sign_in::forget_browsers_of(&mut tx, id).await?;
            id
        } else {
            self.insert_first_admin(&mut tx, email, name, hash).await?
        };
        let signed_in = self.signed_in(&mut tx, user, place).await?;
        // A first admin is made by the link, with a grant on every store there is.
        let made = link
            .user_id
            .is_none()
            .then_some(json!({"role": Role::Admin, "grants": "every store"}));
        let payload = json!({"purpose": link.purpose, "made": made, "issued_by": link.issued_by, "sign_in": signed_in.sign_in});
        self.record(
            &mut tx,
            Authorized::proved(user),
            about_account(AuditAction::LinkUse, user, &payload),
        )
        .await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// The first admin gets a grant on every store there is: nobody else could give it.
    async fn insert_first_admin(
        &self,
        tx: &mut Tx,
        email: String,
        name: String,
        hash: String,
    ) -> Result<UserId> {
        if users::count(tx).await? > 0 {
            return Err(Error::Link);
        }
        let id = self.id(UserId::new);
        let row = users::UserRow {
            id,
            email,
            name,
            password_hash: Some(hash),
            role: Role::Admin,
            created_at: self.now(),
            disabled_at: None,
            credential_issuer: None,
        };
        users::insert(tx, &row).await?;
        for store in memory_stores::list(tx, domain::actor::Visible::All).await? {
            let owns = Grant::whole(store.id, StoreRole::Owner);
            grants::grant(
                tx,
                self.id(GrantId::new),
                Grantee::Person(id),
                &owns,
                "operator",
                self.now(),
            )
            .await?;
        }
        Ok(id)
    }

    /// A new sign-in of somebody, in a browser that is known from now on.
    async fn signed_in(&self, tx: &mut Tx, user: UserId, place: Place<'_>) -> Result<SignedIn> {
        let kept = place
            .browser
            .filter(|token| token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit()));
        let browser = kept.map_or_else(|| hex::encode(self.random_bytes::<32>()), str::to_owned);
        sign_in::know_browser(tx, &token_hash(&browser), user, self.now()).await?;
        Ok(SignedIn {
            user,
            sign_in: self.id(SignInId::new),
            browser,
        })
    }

    /// Checks address and password. Wrong ones are counted and slow down further tries: from the
    /// same network address under the same account, under the account from anywhere, and from the
    /// same network address under any account. A browser from which the account has signed in
    /// before has a count of its own instead of the account's: nobody elsewhere can lock its owner
    /// out.
    #[tracing::instrument(skip_all)]
    pub async fn sign_in(&self, email: &str, password: &str, place: Place<'_>) -> Result<SignedIn> {
        let email = email.trim().to_lowercase();
        let now = self.now();
        let mut tx = self.db.background().await?;
        let user = users::by_email(&mut tx, &email)
            .await?
            .filter(|u| u.disabled_at.is_none());
        let known = match (&user, place.browser) {
            (Some(user), Some(token)) => {
                sign_in::is_known_browser(
                    &mut tx,
                    &token_hash(token),
                    user.id,
                    now.plus_seconds(-BROWSER_SECONDS),
                )
                .await?
            }
            _ => false,
        };
        let counters = sign_in_counters(&email, place, known);
        self.count_try(&mut tx, &counters).await?;
        tx.commit().await?;
        let hash = user.as_ref().and_then(|u| u.password_hash.clone());
        let good = password.len() <= 1_024 && self.verify_password(password, hash).await?;
        let mut tx = self.db.background().await?;
        // While the password was looked at, it may have been reset, or the account disabled: then
        // it is not good any more.
        let stands = match &user {
            Some(user) => still_has(&mut tx, user).await?,
            None => false,
        };
        let (Some(user), true) = (&user, good && stands) else {
            self.record_failed_sign_in(&mut tx, user.as_ref().map(|u| u.id))
                .await?;
            tx.commit().await?;
            tracing::warn!(known = user.is_some(), "a sign-in failed");
            return Err(Error::SignIn);
        };
        for counter in &counters {
            sign_in::uncount_failure(&mut tx, &counter.name, counter.cleared_by_success).await?;
        }
        let signed_in = self.signed_in(&mut tx, user.id, place).await?;
        let payload = json!({"sign_in": signed_in.sign_in});
        self.record(
            &mut tx,
            Authorized::proved(user.id),
            about_account(AuditAction::SignIn, user.id, &payload),
        )
        .await?;
        tx.commit().await?;
        Ok(signed_in)
    }

    /// Counts a try before the password is looked at, so that a thousand tries at once are a
    /// thousand tries; refused while it must wait.
    async fn count_try(&self, tx: &mut Tx, counters: &[Counter]) -> Result<()> {
        let now = self.now();
        for counter in counters {
            if let Some((failures, last)) = sign_in::failures(tx, &counter.name).await? {
                let left = counter.seconds_to_wait(failures, last, now);
                if left > 0 {
                    return Err(Error::TooMany(left));
                }
            }
        }
        for counter in counters {
            sign_in::count_failure(tx, &counter.name, now, now.plus_seconds(-FORGOTTEN_SECONDS))
                .await?;
        }
        Ok(())
    }

    /// A failed sign-in in the trail. Of addresses that nobody has, the first hundred in an hour
    /// have an entry each and then every hundredth: else anybody could fill the trail.
    async fn record_failed_sign_in(&self, tx: &mut Tx, user: Option<UserId>) -> Result<()> {
        if let Some(user) = user {
            return self
                .record(
                    tx,
                    Authorized::anonymous(),
                    about_account(AuditAction::SignInFail, user, &json!({})),
                )
                .await;
        }
        let now = self.now();
        sign_in::count_failure(
            tx,
            UNKNOWN_ADDRESSES,
            now,
            now.plus_seconds(-FORGOTTEN_SECONDS),
        )
        .await?;
        let failures = sign_in::failures(tx, UNKNOWN_ADDRESSES)
            .await?
            .map_or(1, |(failures, _)| failures);
        if failures > 100 && failures % 100 != 0 {
            return Ok(());
        }
        let payload = json!({"failures": failures});
        let record = Record {
            action: AuditAction::SignInFail,
            subject: "unknown address".into(),
            store: None,
            commit: None,
            payload: &payload,
        };
        self.record(tx, Authorized::anonymous(), record).await
    }

    /// Checks the password of the person who is signed in once more: what they sign rests on it for
    /// five minutes, in this sign-in alone. Wrong ones are counted for the sign-in, so that nobody
    /// elsewhere can keep somebody from signing.
    #[tracing::instrument(skip_all)]
    pub async fn confirm_password(&self, actor: &Actor, password: &str) -> Result<()> {
        let user = self
            .own_password(actor, password, "wrong password; nothing was signed")
            .await?;
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let (id, right) = actor.own_account()?;
        let session = actor.web_session.ok_or(Error::Ended)?;
        if !still_has(&mut tx, &user).await?
            || !sign_in::confirm(&mut tx, &session.0, id, self.now()).await?
        {
            return Err(Error::Ended);
        }
        let payload = json!({"sign_in": actor.sign_in().map(|s| s.id)});
        self.record(
            &mut tx,
            right,
            about_account(AuditAction::PasswordConfirm, id, &payload),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Sets one's own password, who knows the one before; every other sign-in of the account ends.
    #[tracing::instrument(skip_all)]
    pub async fn change_password(&self, actor: &Actor, before: &str, after: &str) -> Result<()> {
        let user = self
            .own_password(actor, before, "the password you have now is another")
            .await?;
        let hash = self
            .hash_password(after, &[&user.email, &user.name])
            .await?;
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let (id, right) = actor.own_account()?;
        let now_is = user.password_hash.as_deref().unwrap_or_default();
        if !users::change_password(&mut tx, id, now_is, &hash).await? {
            return Err(Error::Conflict(
                "your password was changed or reset in between; sign in again".to_owned(),
            ));
        }
        sign_in::end_others_of(&mut tx, id, &hash_of(&actor)).await?;
        self.record(
            &mut tx,
            right,
            about_account(AuditAction::PasswordChange, id, &json!({})),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Checks the password of the person who is signed in, counted for their sign-in; the account
    /// as it was then.
    async fn own_password(
        &self,
        actor: &Actor,
        password: &str,
        otherwise: &str,
    ) -> Result<users::UserRow> {
        let (mut tx, acting) = self.begin(actor).await?;
        let (id, _) = acting.own_account()?;
        let counter = Counter {
            name: hashed(&format!("confirm\0{}", hex::encode(hash_of(&acting)))),
            free: FREE_FAILURES,
            cleared_by_success: true,
        };
        self.count_try(&mut tx, std::slice::from_ref(&counter))
            .await?;
        let user = users::get(&mut tx, id).await?.ok_or(Error::Ended)?;
        tx.commit().await?;
        let good = password.len() <= 1_024
            && self
                .verify_password(password, user.password_hash.clone())
                .await?;
        let (mut tx, acting) = self.begin(actor).await?;
        let (id, right) = acting.own_account()?;
        if good {
            sign_in::uncount_failure(&mut tx, &counter.name, true).await?;
        } else {
            let payload = json!({"sign_in": acting.sign_in().map(|s| s.id)});
            self.record(
                &mut tx,
                right,
                about_account(AuditAction::PasswordFail, id, &payload),
            )
            .await?;
        }
        tx.commit().await?;
        if good {
            Ok(user)
        } else {
            Err(Error::Invalid(otherwise.to_owned()))
        }
    }

    /// One's own sign-ins, newest first.
    #[tracing::instrument(skip_all)]
    pub async fn own_sign_ins(&self, actor: &Actor) -> Result<Vec<OwnSignIn>> {
        let id = own_account(actor)?;
        let this = hex::encode(hash_of(actor));
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
    #[tracing::instrument(skip_all)]
    pub async fn end_own_sign_in(&self, actor: &Actor, handle: Option<&str>) -> Result<()> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let (id, right) = actor.own_account()?;
        match handle {
            Some(handle) => {
                let hash = hex::decode(handle).map_err(|_| Error::NotFound("sign-in"))?;
                if !sign_in::end_one_of(&mut tx, id, &hash).await? {
                    return Err(Error::NotFound("sign-in"));
                }
            }
            None => sign_in::end_others_of(&mut tx, id, &hash_of(&actor)).await?,
        }
        let payload = json!({"all_others": handle.is_none()});
        self.record(
            &mut tx,
            right,
            about_account(AuditAction::SignInEnd, id, &payload),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Records that somebody signed out; their web session is ended by the caller.
    #[tracing::instrument(skip_all)]
    pub async fn sign_out(&self, actor: &Actor) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let (user, right) = actor.own_account()?;
        let payload = json!({"sign_in": actor.sign_in().map(|s| s.id)});
        self.record(
            &mut tx,
            right,
            about_account(AuditAction::SignOut, user, &payload),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Returns who somebody is now through a web session (or in this process, with none), and what
    /// they were granted; `None` if the account or the session ended.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn actor(
        &self,
        id: UserId,
        session: Option<WebSession>,
    ) -> Result<Option<(Actor, UserView)>> {
        let mut tx = self.db.read().await?;
        let asked = Actor {
            web_session: session,
            ..Actor::signed_in(id, Role::Member, Vec::new())
        };
        let Some(acting) = self.read_rights(&mut tx, &asked).await? else {
            return Ok(None);
        };
        let Some(user) = users::get(&mut tx, id).await? else {
            return Ok(None);
        };
        let view = UserView {
            id,
            name: user.name,
            email: user.email,
            role: user.role,
        };
        Ok(Some(((*acting).clone(), view)))
    }

    /// True if the password was confirmed in this sign-in within the time that it signs for.
    #[tracing::instrument(skip_all)]
    pub async fn is_confirmed(&self, actor: &Actor) -> Result<bool> {
        let acting = self.read_rights(&mut self.db.read().await?, actor).await?;
        Ok(acting
            .and_then(|a| a.sign_in())
            .is_some_and(|s| domain::review::signs(s.confirmed_at, self.now())))
    }
}

/// True if an account still has the password that was looked at.
async fn still_has(tx: &mut Tx, then: &users::UserRow) -> Result<bool> {
    let now = users::get(tx, then.id).await?;
    Ok(now.is_some_and(|u| u.disabled_at.is_none() && u.password_hash == then.password_hash))
}

/// The hash of the web session that somebody acts through; that of none, if there is none.
fn hash_of(actor: &Actor) -> [u8; 32] {
    actor.web_session.map_or([0; 32], |session| session.0)
}

/// The person who is signed in: what is done to one's own account, no key and no process does.
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
    /// True if a good sign-in forgets them all, or only itself.
    cleared_by_success: bool,
}

fn hashed(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// Returns what failures are counted under. Guessing from one place slows down that place, and
/// leaves the owner of the account alone; only guessing from everywhere slows the account down, and
/// then not for browsers that it knows (OWASP's device cookies).
fn sign_in_counters(email: &str, place: Place<'_>, known_browser: bool) -> Vec<Counter> {
    let here = format!("{email}\0{}", place.address.unwrap_or_default());
    let mut all = vec![Counter {
        name: hashed(&here),
        free: FREE_FAILURES,
        cleared_by_success: true,
    }];
    match place.browser.filter(|_| known_browser) {
        Some(token) => {
            let own = format!("{email}\0browser\0{token}");
            all = vec![Counter {
                name: hashed(&own),
                free: FREE_FAILURES,
                cleared_by_success: true,
            }];
        }
        None => all.push(Counter {
            name: hashed(email),
            free: 10 * FREE_FAILURES,
            cleared_by_success: true,
        }),
    }
    if let Some(address) = place.address {
        all.push(Counter {
            name: hashed(&format!("\0{address}")),
            free: 10 * FREE_FAILURES,
            cleared_by_success: false,
        });
    }
    all
}

impl Counter {
    /// Seconds until the next try is allowed: nothing for the first ones, then 2, 4, 8 .. up to a
    /// minute after the last.
    fn seconds_to_wait(&self, failures: i64, last: Timestamp, now: Timestamp) -> i64 {
        let over = u32::try_from((failures - self.free).clamp(0, 30)).unwrap_or(0);
        let wait = if over == 0 {
            0
        } else {
            2_i64.saturating_pow(over).min(LONGEST_WAIT)
        };
        // A clock that was set back must not lock anybody out for as long as it went.
        ((last.plus_seconds(wait).0 - now.0 + 999_999) / 1_000_000).min(LONGEST_WAIT)
    }
}

/// The audit entry of something that was done to an account.
pub fn about_account(action: AuditAction, user: UserId, payload: &serde_json::Value) -> Record<'_> {
    Record {
        action,
        subject: user.to_string(),
        store: None,
        commit: None,
        payload,
    }
}

/// SHA-256 of a token: what the database keeps instead of it.
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// The address in lower case; an error if it is none.
pub fn check_email(email: &str) -> Result<String> {
    let email = email.trim().to_lowercase();
    let good = email.len() <= 254
        && email.split_once('@').is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !host.contains('@')
        })
        && !email
            .chars()
            .any(|c| c.is_whitespace() || domain::scan::must_be_shown(c));
    if good {
        Ok(email)
    } else {
        Err(Error::Invalid("this is not an e-mail address".to_owned()))
    }
}

/// The name without spaces around it; an error if it is empty, longer than 100 characters, or
/// hides characters.
pub fn check_name(name: &str) -> Result<String> {
    let name = name.trim().to_owned();
    let good = (1..=100).contains(&name.chars().count()) && !domain::scan::has_hidden(&name);
    if good {
        Ok(name)
    } else {
        Err(Error::Invalid(
            "a name has 1 to 100 characters, none of them hidden".to_owned(),
        ))
    }
}
