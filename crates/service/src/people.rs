//! People: invited, changed, disabled; teams; what they are granted; requests for access; solo
//! mode.

use std::collections::BTreeMap;

use domain::{
    actor::{Actor, Grant, Role, Who},
    audit_action::AuditAction,
    ids::{AccessRequestId, GrantId, StoreId, TeamId, UserId},
    rights::Action,
};
use serde_json::json;
use store::{
    Tx,
    access_requests::{self, RequestRow},
    grants::{self, Grantee, TeamRow},
    settings, sign_in,
    users::{self, UserRow},
};

use crate::{
    Error, Lucid, Record, Result,
    accounts::{about_account, check_email, check_name},
    authority::{Acting, Authorized},
    independence::Identities,
    require, require_in_general,
    setting_changes::{Outcome, Setting},
};

/// Requests for access that one network may send in a day. There is no limit over all: else one
/// flood would stop everybody.
const REQUESTS_A_DAY: i64 = 5;
/// The setting that holds `on` where one person alone decides.
pub(crate) const SOLO: &str = "solo";

/// A person to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub email: String,
    /// How the person is called.
    pub name: String,
    pub role: Role,
    pub grants: Vec<Grant>,
}

/// A person with what they were granted.
#[derive(Debug, Clone)]
pub struct Member {
    pub user: UserRow,
    /// Grants of their own and of their teams, on stores that the viewer knows.
    pub grants: Vec<Grant>,
    /// Their teams, by name.
    pub teams: Vec<String>,
}

/// Everything that the page for admins shows.
#[derive(Debug, Clone)]
pub struct PeopleView {
    pub people: Vec<Member>,
    /// Every team with who is in it.
    pub teams: Vec<(TeamRow, Vec<UserId>)>,
    pub requests: Vec<RequestRow>,
    /// True if one person alone decides.
    pub solo: bool,
    /// How many independent people may decide in some store.
    pub eligible: usize,
    /// Who counts as one person with whom: each account whose credential somebody else issued and
    /// saw, with that somebody.
    pub issued: Vec<(UserId, UserId)>,
}

/// The fate of a one-time link.
#[derive(Clone, PartialEq, Eq)]
pub enum Link {
    None,
    /// It went to its owner by mail, and nobody else saw it.
    Mailed,
    /// It is shown to the person who asked for it, once.
    Shown(String),
}

impl Link {
    /// The token, if it is to be shown.
    #[must_use]
    pub fn shown(self) -> Option<String> {
        match self {
            Self::Shown(token) => Some(token),
            Self::None | Self::Mailed => None,
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Mailed => "Mailed",
            Self::Shown(_) => "Shown(..)",
        })
    }
}

/// Sends one-time links to their owners, where a mail server is set up.
#[async_trait::async_trait]
pub trait LinkMail: Send + Sync {
    /// Sends the link with this token to a name and address; why it could not, if it could not.
    async fn send(&self, name: &str, email: &str, token: &str) -> std::result::Result<(), String>;
}

impl Lucid {
    /// Adds a person, or only grants where the address is known; and makes the one-time link that
    /// sets their password, where they have none yet. (A link to another password is
    /// [`Lucid::reset_password`]'s alone: an address that somebody typed is no proof.)
    #[tracing::instrument(skip_all)]
    pub async fn add_user(&self, actor: &Actor, new: &NewUser) -> Result<(UserId, Link)> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManagePeople)?;
        // Managing people opens no store: anyone who grants one manages it.
        for grant in &new.grants {
            actor.may_on(Action::ManageStore, grant.store)?;
        }
        let (id, token) = self.insert_user(&mut tx, &actor, new).await?;
        let payload = json!({"role": new.role, "grants": new.grants});
        self.end_solo_if_joined(&mut tx).await?;
        self.record(
            &mut tx,
            right,
            about_account(AuditAction::UserAdd, id, &payload),
        )
        .await?;
        tx.commit().await?;
        Ok((id, self.deliver(&actor, id, token).await?))
    }

    async fn insert_user(
        &self,
        tx: &mut Tx,
        actor: &Acting,
        new: &NewUser,
    ) -> Result<(UserId, Option<String>)> {
        let (email, name) = (check_email(&new.email)?, check_name(&new.name)?);
        let known = users::by_email(tx, &email).await?;
        if let Some(known) = known.as_ref().filter(|k| k.role != new.role) {
            return Err(Error::Conflict(format!(
                "{} is known as {}; their role is not changed by adding them again",
                known.email, known.role
            )));
        }
        let me = actor.who.person();
        if let (Some(me), Some(known)) = (me, &known)
            && !new.grants.is_empty()
            && Identities::read(tx).await?.same(me, known.id)
        {
            return Err(Error::Conflict(
                "this account counts as one person with you; give it grants on the store's \
                 settings page, where a second admin confirms them"
                    .to_owned(),
            ));
        }
        let id = known
            .as_ref()
            .map_or_else(|| self.id(UserId::new), |k| k.id);
        if known.is_none() {
            let row = UserRow {
                id,
                email,
                name,
                password_hash: None,
                role: new.role,
                created_at: self.now(),
                disabled_at: None,
                credential_issuer: None,
            };
            users::insert(tx, &row).await?;
        }
        for grant in &new.grants {
            grants::grant(
                tx,
                self.id(GrantId::new),
                Grantee::Person(id),
                grant,
                &actor.who.to_string(),
                self.now(),
            )
            .await?;
        }
        if known.is_some_and(|k| k.password_hash.is_some()) {
            return Ok((id, None));
        }
        Ok((
            id,
            Some(
                self.insert_link(tx, "set_password", Some(id), self.sees_links(actor))
                    .await?,
            ),
        ))
    }

    /// Returns who sees the links that an actor makes: nobody where they go by mail; the person who
    /// asks, where they are shown. What the command line prints is for the person who runs the
    /// server, who needs no account to act.
    fn sees_links(&self, actor: &Actor) -> Option<UserId> {
        actor.who.person().filter(|_| self.link_mail.is_none())
    }

    /// Sends a link to its owner, or gives it to be shown where no mail server is set up, or on the
    /// command line.
    async fn deliver(&self, actor: &Actor, id: UserId, token: Option<String>) -> Result<Link> {
        let Some(token) = token else {
            return Ok(Link::None);
        };
        let Some(mail) = self
            .link_mail
            .as_ref()
            .filter(|_| actor.who.person().is_some())
        else {
            return Ok(Link::Shown(token));
        };
        let user = users::get(&mut self.db.read().await?, id)
            .await?
            .ok_or(Error::NotFound("person"))?;
        mail.send(&user.name, &user.email, &token)
            .await
            .map_err(Error::Mail)?;
        Ok(Link::Mailed)
    }

    /// Makes a one-time link for a known address on the command line, where nobody with an account
    /// sees it. The password that is there works until the link is used.
    #[tracing::instrument(skip_all)]
    pub async fn operator_link(&self, actor: &Actor, email: &str) -> Result<String> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManagePeople)?;
        if actor.who.person().is_some() {
            return Err(Error::Forbidden(
                "this link is made on the command line only",
            ));
        }
        let user = users::by_email(&mut tx, &check_email(email)?)
            .await?
            .filter(|u| u.disabled_at.is_none());
        let user = user.ok_or(Error::NotFound("person"))?;
        let token = self
            .insert_link(&mut tx, "set_password", Some(user.id), None)
            .await?;
        self.record(
            &mut tx,
            right,
            about_account(
                AuditAction::LinkCreate,
                user.id,
                &json!({"printed": "on the server"}),
            ),
        )
        .await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Everybody, their teams and grants, and who asks to join.
    #[tracing::instrument(skip_all)]
    pub async fn people(&self, actor: &Actor) -> Result<PeopleView> {
        require_in_general(actor, Action::ManagePeople)?;
        let mut tx = self.db.read().await?;
        let teams = grants::teams(&mut tx).await?;
        let members = grants::members(&mut tx).await?;
        let in_team = |team: TeamId| {
            members
                .iter()
                .filter(|(t, _)| *t == team)
                .map(|(_, u)| *u)
                .collect::<Vec<_>>()
        };
        let teams: Vec<(TeamRow, Vec<UserId>)> = teams
            .into_iter()
            .map(|t| (t.clone(), in_team(t.id)))
            .collect();
        let mut held: BTreeMap<UserId, Vec<Grant>> = BTreeMap::new();
        // What others have on stores that this admin was not granted is none of their business
        // (rule 13).
        for (user, grant) in grants::of_all(&mut tx)
            .await?
            .into_iter()
            .filter(|(_, g)| actor.knows(g.store))
        {
            held.entry(user).or_default().push(grant);
        }
        let mut people = Vec::new();
        for user in users::all(&mut tx).await? {
            let held = held.remove(&user.id).unwrap_or_default();
            let teams = teams
                .iter()
                .filter(|(_, members)| members.contains(&user.id))
                .map(|(t, _)| t.name.clone())
                .collect();
            people.push(Member {
                user,
                grants: held,
                teams,
            });
        }
        let requests = access_requests::waiting(&mut tx).await?;
        let eligible = eligible(&mut tx).await?;
        let issued = users::issuers(&mut tx).await?;
        Ok(PeopleView {
            people,
            teams,
            requests,
            solo: is_solo(&mut tx).await?,
            eligible,
            issued,
        })
    }

    /// Changes what somebody is. The last admin stays one.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn set_role(&self, actor: &Actor, id: UserId, role: Role) -> Result<()> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManagePeople)?;
        let user = users::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("person"))?;
        if !users::set_role(&mut tx, id, user.role, role).await? {
            return Err(Error::Conflict(
                "their role was changed in between; look again".to_owned(),
            ));
        }
        one_admin_stays(&mut tx).await?;
        self.end_solo_if_joined(&mut tx).await?;
        self.record(
            &mut tx,
            right,
            about_account(
                AuditAction::UserRole,
                id,
                &json!({"from": user.role, "to": role}),
            ),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Disables an account, with its sign-ins, links and keys, or enables it again. Nobody disables
    /// themselves or the last admin.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn set_disabled(&self, actor: &Actor, id: UserId, disabled: bool) -> Result<()> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManagePeople)?;
        if actor.who.person() == Some(id) && disabled {
            return Err(Error::Conflict(
                "nobody disables their own account; another admin can".to_owned(),
            ));
        }
        users::get(&mut tx, id)
            .await?
            .ok_or(Error::NotFound("person"))?;
        if !users::set_disabled(&mut tx, id, disabled.then(|| self.now())).await? {
            return Err(Error::Conflict(format!(
                "the account is {} already",
                if disabled { "disabled" } else { "enabled" }
            )));
        }
        one_admin_stays(&mut tx).await?;
        if disabled {
            sign_in::end_all_of(&mut tx, id, self.now()).await?;
        }
        self.end_solo_if_joined(&mut tx).await?;
        let action = if disabled {
            AuditAction::UserDisable
        } else {
            AuditAction::UserEnable
        };
        self.record(&mut tx, right, about_account(action, id, &json!({})))
            .await?;
        Ok(tx.commit().await?)
    }

    /// Ends somebody's sign-ins and makes a link with which they choose a new password; the old one
    /// no longer works.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn reset_password(&self, actor: &Actor, id: UserId) -> Result<Link> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManagePeople)?;
        users::get(&mut tx, id)
            .await?
            .filter(|u| u.disabled_at.is_none())
            .ok_or(Error::NotFound("person"))?;
        users::forget_password(&mut tx, id).await?;
        sign_in::end_all_of(&mut tx, id, self.now()).await?;
        let token = self
            .insert_link(&mut tx, "set_password", Some(id), self.sees_links(&actor))
            .await?;
        self.record(
            &mut tx,
            right,
            about_account(AuditAction::UserReset, id, &json!({})),
        )
        .await?;
        tx.commit().await?;
        self.deliver(&actor, id, Some(token)).await
    }

    /// Gives a role on a store or path. Where that makes the giver eligible, or takes an
    /// owner's name away, a second admin confirms it.
    #[tracing::instrument(skip_all)]
    pub async fn grant(&self, actor: &Actor, to: Grantee, grant: &Grant) -> Result<Outcome> {
        self.set_grant(actor, to, grant.store, &Setting::grant(to, grant.clone()))
            .await
    }

    /// Takes a grant back; an owner's with a second admin.
    #[tracing::instrument(skip_all)]
    pub async fn revoke(&self, actor: &Actor, from: Grantee, grant: &Grant) -> Result<Outcome> {
        self.set_grant(
            actor,
            from,
            grant.store,
            &Setting::revoke(from, grant.clone()),
        )
        .await
    }

    async fn set_grant(
        &self,
        actor: &Actor,
        grantee: Grantee,
        store: StoreId,
        setting: &Setting,
    ) -> Result<Outcome> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_on(Action::ManageStore, store)?;
        grantee_exists(&mut tx, grantee).await?;
        let outcome = self.set(&mut tx, &actor, right, setting).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// Returns who was granted what on a store.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn grants_on(&self, actor: &Actor, store: StoreId) -> Result<Vec<grants::GrantRow>> {
        require(actor, Action::SeeMemory, store)?;
        Ok(grants::of_store(&mut self.db.read().await?, store).await?)
    }

    /// Creates a team without members.
    #[tracing::instrument(skip_all)]
    pub async fn create_team(&self, actor: &Actor, name: &str) -> Result<TeamId> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManagePeople)?;
        let team = TeamRow {
            id: self.id(TeamId::new),
            name: check_name(name)?,
        };
        grants::insert_team(&mut tx, &team, &actor.who.to_string(), self.now())
            .await
            .map_err(|error| {
                if error.is_duplicate() {
                    Error::Conflict(format!("there is a team called {} already", team.name))
                } else {
                    error.into()
                }
            })?;
        let payload = json!({"name": team.name});
        self.record(
            &mut tx,
            right,
            Record {
                action: AuditAction::TeamCreate,
                subject: team.id.to_string(),
                store: None,
                commit: None,
                payload: &payload,
            },
        )
        .await?;
        tx.commit().await?;
        Ok(team.id)
    }

    /// Puts somebody into a team, or takes them out.
    #[tracing::instrument(skip_all, fields(%team, %user))]
    pub async fn set_member(
        &self,
        actor: &Actor,
        team: TeamId,
        user: UserId,
        inside: bool,
    ) -> Result<Outcome> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManagePeople)?;
        grants::team(&mut tx, team)
            .await?
            .ok_or(Error::NotFound("team"))?;
        users::get(&mut tx, user)
            .await?
            .ok_or(Error::NotFound("person"))?;
        if inside {
            // Who comes in gets what the team has: anyone who puts them in manages that.
            for store in grants::stores_of_team(&mut tx, team).await? {
                actor.may_on(Action::ManageStore, store)?;
            }
            let outcome = self
                .set(&mut tx, &actor, right, &Setting::Join { team, user })
                .await?;
            tx.commit().await?;
            return Ok(outcome);
        }
        grants::leave(&mut tx, team, user).await?;
        let payload = json!({"user": user});
        let record = Record {
            action: AuditAction::TeamLeave,
            subject: team.to_string(),
            store: None,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok(Outcome::Done)
    }

    /// Asks for access; anybody may, once per mail address and a few times a day per network, with
    /// up to 1,000 characters of why.
    #[tracing::instrument(skip_all)]
    pub async fn request_access(
        &self,
        email: &str,
        name: &str,
        reason: &str,
        from: Option<&str>,
    ) -> Result<AccessRequestId> {
        let reason = reason.trim();
        if reason.chars().count() > 1_000 {
            return Err(Error::Invalid(
                "the reason has at most 1,000 characters".to_owned(),
            ));
        }
        let request = RequestRow {
            id: self.id(AccessRequestId::new),
            email: check_email(email)?,
            name: check_name(name)?,
            reason: reason.to_owned(),
            state: "waiting".to_owned(),
            created_at: self.now(),
        };
        let network = from.map(network_of);
        let mut tx = self.db.background().await?;
        if let Some(network) = &network
            && access_requests::count_from(&mut tx, network, self.now().plus_seconds(-86_400))
                .await?
                >= REQUESTS_A_DAY
        {
            return Err(Error::Conflict(format!(
                "{REQUESTS_A_DAY} requests came from your network within a day, and no more are \
                 taken from it until tomorrow; ask an admin of this Lucid directly"
            )));
        }
        // Who asked already is told the same: nobody learns from this form which addresses are
        // known.
        if access_requests::count_waiting(&mut tx, &request.email).await? == 0 {
            access_requests::insert(&mut tx, &request, network.as_deref()).await?;
            let subject = request.id.to_string();
            let record = Record {
                action: AuditAction::AccessRequest,
                subject,
                store: None,
                commit: None,
                payload: &json!({}),
            };
            self.record(&mut tx, Authorized::anonymous(), record)
                .await?;
            tx.commit().await?;
        }
        Ok(request.id)
    }

    /// Accepts a request: makes the account with this role (or only grants, where the address is
    /// known) and its one-time link.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn accept_request(
        &self,
        actor: &Actor,
        id: AccessRequestId,
        role: Role,
        grant: Option<&Grant>,
    ) -> Result<(UserId, Link)> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManagePeople)?;
        if let Some(grant) = grant {
            actor.may_on(Action::ManageStore, grant.store)?;
        }
        let request = self.take_request(&mut tx, &actor, id, "accepted").await?;
        let known = users::by_email(&mut tx, &request.email).await?;
        let role = known.map_or(role, |user| user.role);
        let new = NewUser {
            email: request.email,
            name: request.name,
            role,
            grants: grant.cloned().into_iter().collect(),
        };
        let (user, token) = self.insert_user(&mut tx, &actor, &new).await?;
        self.end_solo_if_joined(&mut tx).await?;
        let payload = json!({"user": user, "role": role, "grants": new.grants});
        let record = Record {
            action: AuditAction::AccessAccept,
            subject: id.to_string(),
            store: None,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        tx.commit().await?;
        Ok((user, self.deliver(&actor, user, token).await?))
    }

    /// Declines a request for access.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn decline_request(&self, actor: &Actor, id: AccessRequestId) -> Result<()> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManagePeople)?;
        self.take_request(&mut tx, &actor, id, "declined").await?;
        let record = Record {
            action: AuditAction::AccessDecline,
            subject: id.to_string(),
            store: None,
            commit: None,
            payload: &json!({}),
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    async fn take_request(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        id: AccessRequestId,
        state: &str,
    ) -> Result<RequestRow> {
        let request = access_requests::get(tx, id)
            .await?
            .ok_or(Error::NotFound("request"))?;
        if !access_requests::decide(tx, id, state, &actor.who.to_string(), self.now()).await? {
            return Err(Error::Conflict(format!(
                "this request was {} already",
                request.state
            )));
        }
        Ok(request)
    }

    /// Lets the one person who may decide approve also what they contributed to, or ends that. Each
    /// commit says so (rule 5).
    #[tracing::instrument(skip_all)]
    pub async fn set_solo(&self, actor: &Actor, on: bool) -> Result<Outcome> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManagePeople)?;
        let eligible = eligible(&mut tx).await?;
        if on && eligible != 1 {
            return Err(Error::Conflict(format!(
                "solo mode is for one person who may decide; here are {eligible}"
            )));
        }
        let outcome = if on {
            self.set(&mut tx, &actor, right, &Setting::Solo).await?
        } else {
            settings::put(&mut tx, SOLO, "off").await?;
            let record = Record {
                action: AuditAction::SoloEnd,
                subject: "installation".into(),
                store: None,
                commit: None,
                payload: &json!({}),
            };
            self.record(&mut tx, right, record).await?;
            Outcome::Done
        };
        tx.commit().await?;
        Ok(outcome)
    }

    /// Ends solo mode as soon as a second person may decide.
    pub(crate) async fn end_solo_if_joined(&self, tx: &mut Tx) -> Result<()> {
        if settings::get(tx, SOLO).await?.as_deref() == Some("on") && eligible(tx).await? > 1 {
            settings::put(tx, SOLO, "off").await?;
            let record = Record {
                action: AuditAction::SoloEnd,
                subject: "installation".into(),
                store: None,
                commit: None,
                payload: &json!({"joined": true}),
            };
            self.record(tx, Authorized::worker(), record).await?;
        }
        Ok(())
    }
}

/// True if one person alone decides: it was set so, and still nobody else could.
pub async fn is_solo(tx: &mut Tx) -> Result<bool> {
    Ok(settings::get(tx, SOLO).await?.as_deref() == Some("on") && eligible(tx).await? <= 1)
}

/// How many independent people may decide somewhere.
async fn eligible(tx: &mut Tx) -> Result<usize> {
    let accounts = grants::eligible(tx, None).await?;
    Ok(Identities::read(tx).await?.people(accounts).len())
}

/// The network of an address: itself, or its /64 for IPv6, of which one household has as many
/// addresses as it likes.
fn network_of(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V6(v6)) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        _ => address.chars().take(64).collect(),
    }
}

async fn one_admin_stays(tx: &mut Tx) -> Result<()> {
    if users::admins(tx).await? > 0 {
        return Ok(());
    }
    Err(Error::Conflict(
        "this is the last admin; make somebody else one first".to_owned(),
    ))
}

/// How the audit trail names a person or team; an error if there is none.
pub async fn grantee_exists(tx: &mut Tx, to: Grantee) -> Result<String> {
    match to {
        Grantee::Person(id) => users::get(tx, id)
            .await?
            .map(|u| Who::Person(u.id).to_string())
            .ok_or(Error::NotFound("person")),
        Grantee::Team(id) => grants::team(tx, id)
            .await?
            .map(|t| format!("team:{}", t.id))
            .ok_or(Error::NotFound("team")),
    }
}
