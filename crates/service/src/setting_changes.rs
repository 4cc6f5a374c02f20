//! Settings of the gate. What makes it stronger is set at once. What makes it weaker waits for a
//! second admin who is independent of the first, or, where there is none, is set at once and
//! recorded as overridden (rule 6).

use domain::{
    Timestamp,
    actor::{Actor, Grant, Role, StoreRole},
    audit_action::AuditAction,
    ids::{GrantId, PolicyId, SettingChangeId, StoreId, TeamId, UserId},
    memory::GateMode,
    policy::VersionState,
    review::Approvals,
    rights::Action,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    Tx,
    grants::{self, Grantee},
    memory_stores, policies, policy_outcomes,
    setting_changes::{self, SettingChangeRow},
    settings, users,
};

use crate::{
    Error, Lucid, Record, Result,
    authority::{Acting, Authorized},
    independence::Identities,
    people::{SOLO, grantee_exists},
    require_in_general,
};

/// A setting of the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "setting", rename_all = "snake_case")]
pub enum Setting {
    /// The gate mode of a store, and its budget.
    Gate {
        store: StoreId,
        mode: GateMode,
        /// Most tokens of all its memories together.
        budget_tokens: Option<i64>,
    },
    /// How many approvals a store asks for.
    Approvals { store: StoreId, to: Approvals },
    /// A role on a store or path for a person.
    GrantPerson { to: UserId, grant: Grant },
    /// A role on a store or path for a team.
    GrantTeam { to: TeamId, grant: Grant },
    /// A person's grant ends.
    RevokePerson {
        from: UserId,
        /// Which; its role does not count.
        grant: Grant,
    },
    /// A team's grant ends.
    RevokeTeam {
        from: TeamId,
        /// Which; its role does not count.
        grant: Grant,
    },
    /// Somebody joins a team that may decide.
    Join { team: TeamId, user: UserId },
    /// One person decides alone.
    Solo,
    /// A version of a policy becomes active, paused or retired.
    Policy {
        policy: PolicyId,
        /// What it is called, for the person who decides on this.
        name: String,
        version: i64,
        /// The digest of what it says; it is refused where it says something else by then.
        sha256: String,
        to: VersionState,
        /// The stores in which it applies changes: anyone who confirms it must know them.
        stores: Vec<StoreId>,
    },
    /// Stopped policies run again.
    LiftStop {
        /// In this store; nothing for all.
        store: Option<StoreId>,
        /// Since when they are stopped; a stop that was set later is not lifted by this.
        stopped_at: Timestamp,
    },
}

/// The result of changing a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// It waits for a second admin.
    Waits(SettingChangeId),
}

/// A setting that waits, as somebody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingSetting {
    pub row: SettingChangeRow,
    /// True if they asked for it, and so may only withdraw it.
    pub mine: bool,
    /// True if they may confirm it.
    pub may_confirm: bool,
}

impl Setting {
    pub(crate) const fn grant(to: Grantee, grant: Grant) -> Self {
        match to {
            Grantee::Person(to) => Self::GrantPerson { to, grant },
            Grantee::Team(to) => Self::GrantTeam { to, grant },
        }
    }

    pub(crate) const fn revoke(from: Grantee, grant: Grant) -> Self {
        match from {
            Grantee::Person(from) => Self::RevokePerson { from, grant },
            Grantee::Team(from) => Self::RevokeTeam { from, grant },
        }
    }

    /// Stores that anyone who confirms it must know.
    fn stores(&self) -> Vec<StoreId> {
        match self {
            Self::Policy { stores, .. } => stores.clone(),
            other => other.store().into_iter().collect(),
        }
    }

    const fn store(&self) -> Option<StoreId> {
        match self {
            Self::Gate { store, .. } | Self::Approvals { store, .. } => Some(*store),
            Self::GrantPerson { grant, .. }
            | Self::GrantTeam { grant, .. }
            | Self::RevokePerson { grant, .. }
            | Self::RevokeTeam { grant, .. } => Some(grant.store),
            Self::LiftStop { store, .. } => *store,
            Self::Join { .. } | Self::Solo | Self::Policy { .. } => None,
        }
    }
}

impl Lucid {
    /// Sets something that the caller has the right to set, under the lock of all rights: at once,
    /// or once a second admin confirms it.
    pub(crate) async fn set(
        &self,
        tx: &mut Tx,
        actor: &Acting,
        right: Authorized,
        setting: &Setting,
    ) -> Result<Outcome> {
        let Some(summary) = weakening(tx, actor, setting, self.now()).await? else {
            self.apply(tx, right, setting, &json!({})).await?;
            return Ok(Outcome::Done);
        };
        let Some(person) = actor.who.person() else {
            // The command line reaches the database itself: nobody could keep it from anything.
            self.apply(tx, right, setting, &json!({"weaker": summary}))
                .await?;
            return Ok(Outcome::Done);
        };
        let seconds = second_admins(tx, person, &setting.stores()).await?;
        if seconds.is_empty()
            && matches!(setting, Setting::Policy { .. })
            && !second_admins(tx, person, &[]).await?.is_empty()
        {
            let why = "no other admin has a grant on every store that this policy names; give one \
                a grant, or make a policy for each store";
            return Err(Error::Conflict(why.to_owned()));
        }
        if seconds.is_empty() {
            let why = json!({"weaker": summary, "overridden": "there is no second, independent \
                admin to confirm it"});
            self.apply(tx, right, setting, &why).await?;
            return Ok(Outcome::Done);
        }
        let id = self.id(SettingChangeId::new);
        let text = serde_json::to_string(setting)
            .map_err(|_| Error::Internal("a setting could not be written"))?;
        setting_changes::insert(
            tx,
            id,
            setting.store(),
            (&text, &summary),
            person,
            self.now(),
        )
        .await?;
        let payload = json!({"setting": setting, "summary": summary});
        let subject = id.to_string();
        let record = Record {
            action: AuditAction::SettingPropose,
            subject,
            store: setting.store(),
            commit: None,
            payload: &payload,
        };
        self.record(tx, right, record).await?;
        Ok(Outcome::Waits(id))
    }

    /// Returns what waits for a second admin, of what the actor may know of.
    #[tracing::instrument(skip_all)]
    pub async fn waiting_settings(&self, actor: &Actor) -> Result<Vec<WaitingSetting>> {
        require_in_general(actor, Action::ManagePeople)?;
        let mut tx = self.db.read().await?;
        let identities = Identities::read(&mut tx).await?;
        let me = actor.who.person();
        let mut seen = setting_changes::waiting(&mut tx).await?;
        seen.retain(|row| row.store_id.is_none_or(|s| actor.knows(s)));
        let view = |row: SettingChangeRow| WaitingSetting {
            mine: me == Some(row.proposed_by),
            may_confirm: me.is_some_and(|me| !identities.same(me, row.proposed_by))
                && knows_all(actor, &row),
            row,
        };
        Ok(seen.into_iter().map(view).collect())
    }

    /// Confirms a setting that another, independent admin asked for; it is set now.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn confirm_setting(&self, actor: &Actor, id: SettingChangeId) -> Result<()> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let (row, right) = self.waiting_setting(&mut tx, &actor, id).await?;
        let person = actor
            .who
            .person()
            .ok_or(Error::Forbidden("a person confirms a setting"))?;
        if Identities::read(&mut tx)
            .await?
            .same(person, row.proposed_by)
        {
            return Err(Error::Forbidden(
                "you asked for this yourself, or you and whoever did count as one person; another \
                 admin has to confirm it",
            ));
        }
        // The person who asked must still be able to ask.
        let proposer = users::get(&mut tx, row.proposed_by)
            .await?
            .filter(|u| u.disabled_at.is_none() && u.role == Role::Admin);
        if proposer.is_none() {
            return Err(Error::Conflict(
                "whoever asked for this is no admin any more; decline it".to_owned(),
            ));
        }
        let setting = read(&row)?;
        if !knows_all(&actor, &row) {
            return Err(Error::Forbidden(
                "it is about a store that you do not see; an admin with a grant on it has to \
                 confirm it",
            ));
        }
        if !setting_changes::decide(&mut tx, id, "confirmed", person, self.now()).await? {
            return Err(Error::Conflict(
                "somebody has decided on this in between".to_owned(),
            ));
        }
        let by =
            json!({"weaker": row.summary, "proposed_by": row.proposed_by, "confirmed_by": person});
        self.apply(&mut tx, right, &setting, &by).await?;
        let record = Record {
            action: AuditAction::SettingConfirm,
            subject: id.to_string(),
            store: row.store_id,
            commit: None,
            payload: &by,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    /// Declines a setting, or withdraws one's own.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn decline_setting(&self, actor: &Actor, id: SettingChangeId) -> Result<()> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let (row, right) = self.waiting_setting(&mut tx, &actor, id).await?;
        let person = actor
            .who
            .person()
            .ok_or(Error::Forbidden("a person declines a setting"))?;
        let state = if person == row.proposed_by {
            "withdrawn"
        } else {
            "declined"
        };
        if !setting_changes::decide(&mut tx, id, state, person, self.now()).await? {
            return Err(Error::Conflict(
                "somebody has decided on this in between".to_owned(),
            ));
        }
        let payload = json!({"state": state, "proposed_by": row.proposed_by});
        let record = Record {
            action: AuditAction::SettingDecline,
            subject: id.to_string(),
            store: row.store_id,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    async fn waiting_setting(
        &self,
        tx: &mut Tx,
        actor: &Acting,
        id: SettingChangeId,
    ) -> Result<(SettingChangeRow, Authorized)> {
        let right = actor.may_in_installation(Action::ManagePeople)?;
        let row = setting_changes::get(tx, id)
            .await?
            .filter(|row| row.store_id.is_none_or(|s| actor.knows(s)));
        let row = row.ok_or(Error::NotFound("setting"))?;
        if row.state != "waiting" {
            return Err(Error::Conflict(format!(
                "this setting was {} already",
                row.state
            )));
        }
        Ok((row, right))
    }

    /// Sets it, with its entry in the trail; `why` is added to what that says.
    async fn apply(
        &self,
        tx: &mut Tx,
        right: Authorized,
        setting: &Setting,
        why: &Value,
    ) -> Result<()> {
        let (action, subject, payload) = match setting {
            Setting::Gate {
                store,
                mode,
                budget_tokens,
            } => {
                memory_stores::set_gate(tx, *store, *mode, *budget_tokens, self.now()).await?;
                (
                    AuditAction::StoreGate,
                    store.to_string(),
                    json!({"gate_mode": mode, "budget_tokens": budget_tokens}),
                )
            }
            Setting::Approvals { store, to } => {
                let before = memory_stores::approvals(tx, *store).await?;
                memory_stores::set_approvals(tx, *store, *to, self.now()).await?;
                (
                    AuditAction::StoreApprovals,
                    store.to_string(),
                    json!({"from": before, "to": to}),
                )
            }
            Setting::GrantPerson { to, grant } => {
                self.give(tx, right, Grantee::Person(*to), grant).await?
            }
            Setting::GrantTeam { to, grant } => {
                self.give(tx, right, Grantee::Team(*to), grant).await?
            }
            Setting::RevokePerson { from, grant } => {
                self.take(tx, Grantee::Person(*from), grant).await?
            }
            Setting::RevokeTeam { from, grant } => {
                self.take(tx, Grantee::Team(*from), grant).await?
            }
            Setting::Join { team, user } => {
                grants::join(tx, *team, *user).await?;
                (
                    AuditAction::TeamJoin,
                    team.to_string(),
                    json!({"user": user}),
                )
            }
            Setting::Solo => {
                settings::put(tx, SOLO, "on").await?;
                (AuditAction::SoloBegin, "installation".to_owned(), json!({}))
            }
            Setting::Policy {
                policy,
                version,
                sha256,
                to,
                ..
            } => {
                self.move_policy(tx, (*policy, *version), sha256, *to)
                    .await?
            }
            Setting::LiftStop { store, stopped_at } => {
                let scope = policies::StopRow::scope_of(*store);
                if !policies::stops(tx)
                    .await?
                    .iter()
                    .any(|row| row.scope == scope && row.stopped_at == Some(*stopped_at))
                {
                    return Err(Error::Conflict(
                        "this stop was lifted or set anew meanwhile".to_owned(),
                    ));
                }
                // The cooling-off begins again: what is due would be applied before anybody could
                // look.
                policy_outcomes::forget_all(tx, *store).await?;
                policies::stop(tx, *store, None, &right.who().to_string(), "").await?;
                (
                    AuditAction::PolicyStopLift,
                    policies::StopRow::scope_of(*store),
                    json!({}),
                )
            }
        };
        let payload = merged(payload, why);
        self.record(
            tx,
            right,
            Record {
                action,
                subject,
                store: setting.store(),
                commit: None,
                payload: &payload,
            },
        )
        .await?;
        if *setting != Setting::Solo {
            self.end_solo_if_joined(tx).await?;
        }
        Ok(())
    }

    async fn give(
        &self,
        tx: &mut Tx,
        right: Authorized,
        to: Grantee,
        grant: &Grant,
    ) -> Result<(AuditAction, String, Value)> {
        let subject = grantee_exists(tx, to).await?;
        grants::grant(
            tx,
            self.id(GrantId::new),
            to,
            grant,
            &right.who().to_string(),
            self.now(),
        )
        .await?;
        Ok((
            AuditAction::GrantGive,
            subject,
            json!({"path": grant.path, "role": grant.role}),
        ))
    }

    async fn take(
        &self,
        tx: &mut Tx,
        from: Grantee,
        grant: &Grant,
    ) -> Result<(AuditAction, String, Value)> {
        let subject = grantee_exists(tx, from).await?;
        if !grants::revoke(tx, from, grant.store, &grant.path).await? {
            return Err(Error::Conflict("this grant is gone already".to_owned()));
        }
        Ok((
            AuditAction::GrantRevoke,
            subject,
            json!({"path": grant.path}),
        ))
    }
}

fn read(row: &SettingChangeRow) -> Result<Setting> {
    serde_json::from_str(&row.setting)
        .map_err(|_| Error::Internal("a waiting setting could not be read"))
}

/// True if somebody knows every store that a setting is about.
fn knows_all(actor: &Actor, row: &SettingChangeRow) -> bool {
    read(row).is_ok_and(|setting| setting.stores().iter().all(|store| actor.knows(*store)))
}

fn merged(mut payload: Value, why: &Value) -> Value {
    if let (Some(all), Some(more)) = (payload.as_object_mut(), why.as_object()) {
        all.extend(more.clone());
    }
    payload
}

/// Why a setting makes the gate weaker, in a sentence; `None` if it does not.
async fn weakening(
    tx: &mut Tx,
    actor: &Acting,
    setting: &Setting,
    at: Timestamp,
) -> Result<Option<String>> {
    Ok(match setting {
        Setting::Gate { store, mode, .. } => {
            let before = memory_stores::get(tx, *store)
                .await?
                .ok_or(Error::NotFound("store"))?;
            let weaker = before.gate_mode == GateMode::AllGated && *mode == GateMode::DreamsGated;
            weaker.then(|| "keys would write at once instead of proposing".to_owned())
        }
        Setting::Approvals { store, to } => fewer(memory_stores::approvals(tx, *store).await?, *to),
        Setting::GrantPerson { to, grant } => {
            weaker_grant(tx, actor, &[*to], Grantee::Person(*to), grant).await?
        }
        Setting::GrantTeam { to, grant } => {
            let members = members_of(tx, *to).await?;
            weaker_grant(tx, actor, &members, Grantee::Team(*to), grant).await?
        }
        Setting::RevokePerson { from, grant } => {
            owner_would_go(tx, Grantee::Person(*from), grant, None).await?
        }
        Setting::RevokeTeam { from, grant } => {
            owner_would_go(tx, Grantee::Team(*from), grant, None).await?
        }
        Setting::Join { team, user } => {
            let me = is_me(tx, actor, &[*user]).await?;
            let decides = grants::of_team(tx, *team)
                .await?
                .iter()
                .any(|g| g.role >= StoreRole::Reviewer);
            (me && decides)
                .then(|| "whoever asks for this would join a team that decides".to_owned())
        }
        Setting::Policy {
            policy,
            version,
            to,
            ..
        } => crate::policies::weaker(tx, (*policy, *version), *to, at).await?,
        Setting::LiftStop { store, .. } => {
            let whose = if store.is_some() {
                "the policies of this store"
            } else {
                "all policies"
            };
            Some(format!("{whose} would apply changes again"))
        }
        Setting::Solo => {
            Some("one person would decide alone, also on what they contributed to".to_owned())
        }
    })
}

fn fewer(from: Approvals, to: Approvals) -> Option<String> {
    let risks = [
        ("low", from.low, to.low),
        ("medium", from.medium, to.medium),
        ("high", from.high, to.high),
    ];
    let less: Vec<String> = risks
        .iter()
        .filter(|(_, a, b)| b < a)
        .map(|(risk, a, b)| format!("{risk} risk would need {b} instead of {a}"))
        .collect();
    let owners = from.owners_only && !to.owners_only;
    match (less.is_empty(), owners) {
        (true, false) => None,
        (true, true) => Some("approvals of others than owners would count".to_owned()),
        (false, owners) => Some(format!(
            "{}{}",
            less.join(", "),
            if owners {
                ", and not only owners' approvals would count"
            } else {
                ""
            }
        )),
    }
}

/// A grant that makes its giver eligible, or that takes an owner's name off a place.
async fn weaker_grant(
    tx: &mut Tx,
    actor: &Acting,
    people: &[UserId],
    to: Grantee,
    grant: &Grant,
) -> Result<Option<String>> {
    if grant.role < StoreRole::Owner
        && let Some(why) = owner_would_go(tx, to, grant, Some(grant.role)).await?
    {
        return Ok(Some(why));
    }
    let has = |g: &&Grant| {
        g.store == grant.store && g.role >= grant.role && g.path.holds(grant.path.as_str())
    };
    let gains = grant.role >= StoreRole::Reviewer && !actor.grants.iter().any(|g| has(&g));
    let me = gains && is_me(tx, actor, people).await?;
    Ok(me.then(|| {
        format!(
            "whoever asks for this would become {} on {}",
            grant.role, grant.path
        )
    }))
}

/// True if any of these people is the actor, or counts as one person with them.
async fn is_me(tx: &mut Tx, actor: &Acting, people: &[UserId]) -> Result<bool> {
    let Some(me) = actor.who.person() else {
        return Ok(false);
    };
    let identities = Identities::read(tx).await?;
    Ok(people.iter().any(|p| identities.same(*p, me)))
}

async fn owner_would_go(
    tx: &mut Tx,
    from: Grantee,
    grant: &Grant,
    instead: Option<StoreRole>,
) -> Result<Option<String>> {
    let of = |g: &&grants::GrantRow| match from {
        Grantee::Person(id) => g.user_id == Some(id),
        Grantee::Team(id) => g.team_id == Some(id),
    };
    let held = grants::of_store(tx, grant.store).await?;
    let owner = held
        .iter()
        .filter(of)
        .find(|g| g.path_prefix == grant.path && g.role == StoreRole::Owner);
    Ok(owner.map(|g| {
        let instead = instead
            .map(|role| format!(", but {role}"))
            .unwrap_or_default();
        format!(
            "{} would not be owner of {} any more{instead}",
            g.name, grant.path
        )
    }))
}

async fn members_of(tx: &mut Tx, team: TeamId) -> Result<Vec<UserId>> {
    Ok(grants::members(tx)
        .await?
        .into_iter()
        .filter(|(t, _)| *t == team)
        .map(|(_, u)| u)
        .collect())
}

/// Admins other than somebody, and independent of them, who could confirm a setting of some stores.
pub async fn second_admins(tx: &mut Tx, person: UserId, stores: &[StoreId]) -> Result<Vec<UserId>> {
    let identities = Identities::read(tx).await?;
    let mut seconds = Vec::new();
    for admin in users::all(tx)
        .await?
        .into_iter()
        .filter(|u| u.role == Role::Admin && u.disabled_at.is_none())
    {
        // Somebody who has never set a password cannot confirm anything.
        if identities.same(admin.id, person) || admin.password_hash.is_none() {
            continue;
        }
        let known = if stores.is_empty() {
            Vec::new()
        } else {
            grants::of_user(tx, admin.id).await?
        };
        if stores
            .iter()
            .all(|store| known.iter().any(|g| g.store == *store))
        {
            seconds.push(admin.id);
        }
    }
    Ok(seconds)
}
