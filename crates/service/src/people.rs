//! People: invited, changed, disabled; teams; what they are granted; requests for access; solo mode.

use domain::{
    actor::{Actor, Grant, Role, Who},
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
    require, require_in_general,
};

/// Most requests for access that wait at once; more would be somebody's flood.
const WAITING_REQUESTS: i64 = 200;
/// The setting that holds `on` where one person alone decides.
const SOLO: &str = "solo";

/// A person to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Address.
    pub email: String,
    /// How the person is called.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// What they get.
    pub grants: Vec<Grant>,
}

/// A person with what they were granted.
#[derive(Debug, Clone)]
pub struct Member {
    /// The account.
    pub user: UserRow,
    /// Grants of their own and of their teams, on stores that the viewer knows.
    pub grants: Vec<Grant>,
    /// Their teams, by name.
    pub teams: Vec<String>,
}

/// Everything that the page for admins shows.
#[derive(Debug, Clone)]
pub struct PeopleView {
    /// Everybody, by name.
    pub people: Vec<Member>,
    /// Every team with who is in it.
    pub teams: Vec<(TeamRow, Vec<UserId>)>,
    /// Requests that wait.
    pub requests: Vec<RequestRow>,
    /// Whether one person alone decides.
    pub solo: bool,
    /// How many people may decide in some store.
    pub eligible: i64,
}

impl Lucid {
    /// Adds a person, or only grants where the address is known; and makes the one-time link that sets their password, where they
    /// have none yet. (A link to another password is [`Lucid::reset_password`]'s alone: an address that somebody typed is no proof.)
    pub async fn add_user(&self, actor: &Actor, new: &NewUser) -> Result<(UserId, Option<String>)> {
        require_in_general(actor, Action::ManagePeople)?;
        // Managing people opens no store: whoever grants one manages it.
        for grant in &new.grants {
            require(actor, Action::ManageStore, grant.store)?;
        }
        let mut tx = self.db.write().await?;
        settings::lock_people(&mut tx).await?;
        let (id, token) = self.insert_user(&mut tx, actor, new).await?;
        let payload = json!({"role": new.role, "grants": new.grants});
        self.end_solo_if_joined(&mut tx).await?;
        self.record(&mut tx, actor, about_account("user.add", id, &payload)).await?;
        tx.commit().await?;
        Ok((id, token))
    }

    async fn insert_user(&self, tx: &mut Tx, actor: &Actor, new: &NewUser) -> Result<(UserId, Option<String>)> {
        let (email, name) = (check_email(&new.email)?, check_name(&new.name)?);
        let known = users::by_email(tx, &email).await?;
        if let Some(known) = known.as_ref().filter(|k| k.role != new.role) {
            return Err(Error::Conflict(format!(
                "{} is known as {}; their role is not changed by adding them again",
                known.email, known.role
            )));
        }
        let id = known.as_ref().map_or_else(|| self.id(UserId::new), |k| k.id);
        if known.is_none() {
            let row = UserRow { id, email, name, password_hash: None, role: new.role, created_at: self.now(), disabled_at: None };
            users::insert(tx, &row).await?;
        }
        for grant in &new.grants {
            grants::grant(tx, self.id(GrantId::new), Grantee::Person(id), grant, &actor.who.to_string(), self.now()).await?;
        }
        if known.is_some_and(|k| k.password_hash.is_some()) {
            return Ok((id, None));
        }
        Ok((id, Some(self.insert_link(tx, "set_password", Some(id)).await?)))
    }

    /// Everybody, their teams and grants, and who asks to join.
    pub async fn people(&self, actor: &Actor) -> Result<PeopleView> {
        require_in_general(actor, Action::ManagePeople)?;
        let mut tx = self.db.read().await?;
        let teams = grants::teams(&mut tx).await?;
        let members = grants::members(&mut tx).await?;
        let in_team = |team: TeamId| members.iter().filter(|(t, _)| *t == team).map(|(_, u)| *u).collect::<Vec<_>>();
        let teams: Vec<(TeamRow, Vec<UserId>)> = teams.into_iter().map(|t| (t.clone(), in_team(t.id))).collect();
        let mut people = Vec::new();
        for user in users::all(&mut tx).await? {
            // What others have on stores that this admin was not granted is none of their business (rule 11).
            let mut held = grants::of_user(&mut tx, user.id).await?;
            held.retain(|g| actor.knows(g.store));
            let teams = teams.iter().filter(|(_, members)| members.contains(&user.id)).map(|(t, _)| t.name.clone()).collect();
            people.push(Member { user, grants: held, teams });
        }
        let requests = access_requests::waiting(&mut tx).await?;
        let eligible = grants::eligible(&mut tx, None).await?;
        Ok(PeopleView { people, teams, requests, solo: is_solo(&mut tx).await?, eligible })
    }

    /// Changes what somebody is. The last admin stays one.
    pub async fn set_role(&self, actor: &Actor, id: UserId, role: Role) -> Result<()> {
        require_in_general(actor, Action::ManagePeople)?;
        let mut tx = self.db.write().await?;
        settings::lock_people(&mut tx).await?;
        let user = users::get(&mut tx, id).await?.ok_or(Error::NotFound("person"))?;
        if !users::set_role(&mut tx, id, user.role, role).await? {
            return Err(Error::Conflict("their role was changed in between; look again".to_owned()));
        }
        one_admin_stays(&mut tx).await?;
        self.end_solo_if_joined(&mut tx).await?;
        self.record(&mut tx, actor, about_account("user.role", id, &json!({"from": user.role, "to": role}))).await?;
        Ok(tx.commit().await?)
    }

    /// Disables an account, with its sign-ins, links and keys, or enables it again. Nobody disables themselves or the last admin.
    pub async fn set_disabled(&self, actor: &Actor, id: UserId, disabled: bool) -> Result<()> {
        require_in_general(actor, Action::ManagePeople)?;
        if actor.who.person() == Some(id) && disabled {
            return Err(Error::Conflict("nobody disables their own account; another admin can".to_owned()));
        }
        let mut tx = self.db.write().await?;
        settings::lock_people(&mut tx).await?;
        users::get(&mut tx, id).await?.ok_or(Error::NotFound("person"))?;
        if !users::set_disabled(&mut tx, id, disabled.then(|| self.now())).await? {
            return Err(Error::Conflict(format!("the account is {} already", if disabled { "disabled" } else { "enabled" })));
        }
        one_admin_stays(&mut tx).await?;
        if disabled {
            sign_in::end_all_of(&mut tx, id, self.now()).await?;
        }
        self.end_solo_if_joined(&mut tx).await?;
        let action = if disabled { "user.disable" } else { "user.enable" };
        self.record(&mut tx, actor, about_account(action, id, &json!({}))).await?;
        Ok(tx.commit().await?)
    }

    /// Ends somebody's sign-ins and makes a link with which they choose a new password; the old one no longer works.
    pub async fn reset_password(&self, actor: &Actor, id: UserId) -> Result<String> {
        require_in_general(actor, Action::ManagePeople)?;
        let mut tx = self.db.write().await?;
        users::get(&mut tx, id).await?.filter(|u| u.disabled_at.is_none()).ok_or(Error::NotFound("person"))?;
        users::forget_password(&mut tx, id).await?;
        sign_in::end_all_of(&mut tx, id, self.now()).await?;
        let token = self.insert_link(&mut tx, "set_password", Some(id)).await?;
        self.record(&mut tx, actor, about_account("user.reset", id, &json!({}))).await?;
        tx.commit().await?;
        Ok(token)
    }

    /// Gives a role on a store or path; whoever gives it knows the store.
    pub async fn grant(&self, actor: &Actor, to: Grantee, grant: &Grant) -> Result<()> {
        require(actor, Action::ManageStore, grant.store)?;
        let mut tx = self.db.write().await?;
        settings::lock_people(&mut tx).await?;
        let subject = grantee_exists(&mut tx, to).await?;
        grants::grant(&mut tx, self.id(GrantId::new), to, grant, &actor.who.to_string(), self.now()).await?;
        self.end_solo_if_joined(&mut tx).await?;
        let payload = json!({"path": grant.path, "role": grant.role});
        let record = Record { action: "grant.give", subject, store: Some(grant.store), commit: None, payload: &payload };
        self.record(&mut tx, actor, record).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a grant back.
    pub async fn revoke(&self, actor: &Actor, from: Grantee, grant: &Grant) -> Result<()> {
        require(actor, Action::ManageStore, grant.store)?;
        let mut tx = self.db.write().await?;
        let subject = grantee_exists(&mut tx, from).await?;
        if !grants::revoke(&mut tx, from, grant.store, &grant.path).await? {
            return Err(Error::Conflict("this grant is gone already".to_owned()));
        }
        let payload = json!({"path": grant.path});
        let record = Record { action: "grant.revoke", subject, store: Some(grant.store), commit: None, payload: &payload };
        self.record(&mut tx, actor, record).await?;
        Ok(tx.commit().await?)
    }

    /// Who was granted what on a store.
    pub async fn grants_on(&self, actor: &Actor, store: StoreId) -> Result<Vec<grants::GrantRow>> {
        require(actor, Action::SeeMemory, store)?;
        Ok(grants::of_store(&mut self.db.read().await?, store).await?)
    }

    /// Makes a team.
    pub async fn create_team(&self, actor: &Actor, name: &str) -> Result<TeamId> {
        require_in_general(actor, Action::ManagePeople)?;
        let team = TeamRow { id: self.id(TeamId::new), name: check_name(name)? };
        let mut tx = self.db.write().await?;
        grants::insert_team(&mut tx, &team, &actor.who.to_string(), self.now()).await.map_err(|error| {
            if error.is_duplicate() { Error::Conflict(format!("there is a team called {} already", team.name)) } else { error.into() }
        })?;
        let payload = json!({"name": team.name});
        self.record(
            &mut tx,
            actor,
            Record { action: "team.create", subject: team.id.to_string(), store: None, commit: None, payload: &payload },
        )
        .await?;
        tx.commit().await?;
        Ok(team.id)
    }

    /// Puts somebody into a team, or takes them out.
    pub async fn set_member(&self, actor: &Actor, team: TeamId, user: UserId, inside: bool) -> Result<()> {
        require_in_general(actor, Action::ManagePeople)?;
        let mut tx = self.db.write().await?;
        settings::lock_people(&mut tx).await?;
        grants::team(&mut tx, team).await?.ok_or(Error::NotFound("team"))?;
        users::get(&mut tx, user).await?.ok_or(Error::NotFound("person"))?;
        if inside {
            // Who comes in gets what the team has: whoever puts them in manages that.
            for store in grants::stores_of_team(&mut tx, team).await? {
                require(actor, Action::ManageStore, store)?;
            }
            grants::join(&mut tx, team, user).await?;
        } else {
            grants::leave(&mut tx, team, user).await?;
        }
        self.end_solo_if_joined(&mut tx).await?;
        let action = if inside { "team.join" } else { "team.leave" };
        let payload = json!({"user": user});
        self.record(&mut tx, actor, Record { action, subject: team.to_string(), store: None, commit: None, payload: &payload }).await?;
        Ok(tx.commit().await?)
    }

    /// Asks for access; anybody may, once per address, with up to 1,000 characters of why.
    pub async fn request_access(&self, email: &str, name: &str, reason: &str) -> Result<AccessRequestId> {
        let reason = reason.trim();
        if reason.chars().count() > 1_000 {
            return Err(Error::Invalid("the reason has at most 1,000 characters".to_owned()));
        }
        let request = RequestRow {
            id: self.id(AccessRequestId::new),
            email: check_email(email)?,
            name: check_name(name)?,
            reason: reason.to_owned(),
            state: "waiting".to_owned(),
            created_at: self.now(),
        };
        let mut tx = self.db.write().await?;
        if access_requests::count_waiting(&mut tx, None).await? >= WAITING_REQUESTS {
            return Err(Error::TooMany(3_600));
        }
        // Who asked already is told the same: nobody learns from this form which addresses are known.
        if access_requests::count_waiting(&mut tx, Some(&request.email)).await? == 0 {
            access_requests::insert(&mut tx, &request).await?;
            tx.commit().await?;
        }
        Ok(request.id)
    }

    /// Accepts a request: makes the account with this role (or only grants, where the address is known) and its one-time link.
    pub async fn accept_request(
        &self,
        actor: &Actor,
        id: AccessRequestId,
        role: Role,
        grant: Option<&Grant>,
    ) -> Result<(UserId, Option<String>)> {
        require_in_general(actor, Action::ManagePeople)?;
        if let Some(grant) = grant {
            require(actor, Action::ManageStore, grant.store)?;
        }
        let mut tx = self.db.write().await?;
        settings::lock_people(&mut tx).await?;
        let request = self.take_request(&mut tx, actor, id, "accepted").await?;
        let known = users::by_email(&mut tx, &request.email).await?;
        let role = known.map_or(role, |user| user.role);
        let new = NewUser { email: request.email, name: request.name, role, grants: grant.cloned().into_iter().collect() };
        let (user, token) = self.insert_user(&mut tx, actor, &new).await?;
        self.end_solo_if_joined(&mut tx).await?;
        let payload = json!({"user": user, "role": role, "grants": new.grants});
        let record = Record { action: "access.accept", subject: id.to_string(), store: None, commit: None, payload: &payload };
        self.record(&mut tx, actor, record).await?;
        tx.commit().await?;
        Ok((user, token))
    }

    /// Declines a request.
    pub async fn decline_request(&self, actor: &Actor, id: AccessRequestId) -> Result<()> {
        require_in_general(actor, Action::ManagePeople)?;
        let mut tx = self.db.write().await?;
        self.take_request(&mut tx, actor, id, "declined").await?;
        let record = Record { action: "access.decline", subject: id.to_string(), store: None, commit: None, payload: &json!({}) };
        self.record(&mut tx, actor, record).await?;
        Ok(tx.commit().await?)
    }

    async fn take_request(&self, tx: &mut Tx, actor: &Actor, id: AccessRequestId, state: &str) -> Result<RequestRow> {
        let request = access_requests::get(tx, id).await?.ok_or(Error::NotFound("request"))?;
        if !access_requests::decide(tx, id, state, &actor.who.to_string(), self.now()).await? {
            return Err(Error::Conflict(format!("this request was {} already", request.state)));
        }
        Ok(request)
    }

    /// Lets the one person who may decide approve also what they had a hand in, or ends that. Each commit says so (rule 5).
    pub async fn set_solo(&self, actor: &Actor, on: bool) -> Result<()> {
        require_in_general(actor, Action::ManagePeople)?;
        let mut tx = self.db.write().await?;
        settings::lock_people(&mut tx).await?;
        let eligible = grants::eligible(&mut tx, None).await?;
        if on && eligible != 1 {
            return Err(Error::Conflict(format!("solo mode is for one person who may decide; here are {eligible}")));
        }
        settings::put(&mut tx, SOLO, if on { "on" } else { "off" }).await?;
        let action = if on { "solo.begin" } else { "solo.end" };
        self.record(&mut tx, actor, Record { action, subject: "installation".into(), store: None, commit: None, payload: &json!({}) })
            .await?;
        Ok(tx.commit().await?)
    }

    /// Ends solo mode as soon as a second person may decide.
    async fn end_solo_if_joined(&self, tx: &mut Tx) -> Result<()> {
        if is_solo(tx).await? && grants::eligible(tx, None).await? > 1 {
            settings::put(tx, SOLO, "off").await?;
            let record =
                Record { action: "solo.end", subject: "installation".into(), store: None, commit: None, payload: &json!({"joined": true}) };
            self.record(tx, &Actor::worker(), record).await?;
        }
        Ok(())
    }
}

/// Whether one person alone decides: it was set so, and still nobody else could.
pub async fn is_solo(tx: &mut Tx) -> Result<bool> {
    Ok(settings::get(tx, SOLO).await?.as_deref() == Some("on") && grants::eligible(tx, None).await? <= 1)
}

async fn one_admin_stays(tx: &mut Tx) -> Result<()> {
    if users::admins(tx).await? > 0 {
        return Ok(());
    }
    Err(Error::Conflict("this is the last admin; make somebody else one first".to_owned()))
}

async fn grantee_exists(tx: &mut Tx, to: Grantee) -> Result<String> {
    match to {
        Grantee::Person(id) => users::get(tx, id).await?.map(|u| Who::Person(u.id).to_string()).ok_or(Error::NotFound("person")),
        Grantee::Team(id) => grants::team(tx, id).await?.map(|t| format!("team:{}", t.id)).ok_or(Error::NotFound("team")),
    }
}
