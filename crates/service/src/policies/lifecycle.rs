//! The life of a policy: written as a draft, asked in shadow, tested against the past, activated by
//! two admins, paused, resumed and retired. A version that was once past its draft never changes;
//! editing it makes a new one.

use domain::{
    Timestamp,
    actor::Actor,
    audit_action::AuditAction,
    canonical::sha256_hex,
    ids::{ChangeId, PolicyId, StoreId, UserId},
    policy::{Case, Effect, Input, OutcomeKind, PolicyFile, VersionState, Wider, evaluate, wider},
    rights::Action,
};
use serde_json::{Value, json};
use store::{
    Tx,
    policies::{self, VersionRow},
    policy_outcomes,
};

use super::evaluation::{self, Policies};
use crate::{
    Error, Lucid, Record, Result,
    authority::{Acting, Authorized},
    schedules,
    setting_changes::{Outcome, Setting},
};

/// A back-test counts for so long, in seconds: a day.
const TEST_SECONDS: i64 = 86_400;

impl Lucid {
    /// Makes a policy with a first draft; the name is the file's. Anyone who makes it owns it,
    /// unless another owner is named: on the command line, one has to be.
    #[tracing::instrument(skip_all)]
    pub async fn create_policy(
        &self,
        actor: &Actor,
        file: &PolicyFile,
        owner: Option<UserId>,
    ) -> Result<PolicyId> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = may_write(&actor, file)?;
        checked(file, self.now())?;
        let owner = owner
            .or_else(|| actor.who.person())
            .ok_or(Error::Forbidden("a policy has an owner: name one"))?;
        if policies::by_name(&mut tx, file.name.trim())
            .await?
            .is_some()
        {
            return Err(Error::Conflict(format!(
                "a policy called “{}” is there already; edit it, or take another name",
                file.name.trim()
            )));
        }
        let id = self.id(PolicyId::new);
        policies::insert(&mut tx, id, file.name.trim(), owner, self.now()).await?;
        self.save(&mut tx, right, (id, owner), None, file).await?;
        tx.commit().await?;
        Ok(id)
    }

    /// Writes the draft of a policy: the one that is there, or a new version. A version in shadow
    /// goes back to being a draft first. `shown` is the digest of the version that was edited.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn edit_policy(
        &self,
        actor: &Actor,
        id: PolicyId,
        shown: &str,
        file: &PolicyFile,
    ) -> Result<i64> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = may_write(&actor, file)?;
        checked(file, self.now())?;
        let versions = policies::of_policy(&mut tx, id).await?;
        let newest = versions.first().ok_or(Error::NotFound("policy"))?;
        // What somebody does not see, they would take away without knowing.
        may_write(&actor, &evaluation::file_of(newest)?)?;
        if newest.sha256 != shown {
            return Err(Error::Conflict(
                "somebody saved another version meanwhile; open the policy again and repeat your \
                 edit"
                    .to_owned(),
            ));
        }
        if policies::by_name(&mut tx, file.name.trim())
            .await?
            .is_some_and(|other| other != id)
        {
            return Err(Error::Conflict(format!(
                "another policy is called “{}”",
                file.name.trim()
            )));
        }
        policies::rename(&mut tx, id, file.name.trim()).await?;
        let number = self
            .save(&mut tx, right, (id, newest.owner_id), Some(newest), file)
            .await?;
        tx.commit().await?;
        Ok(number)
    }

    /// Adds a test to the draft of a policy: a change as it is known now, and what the version says
    /// of it today.
    #[tracing::instrument(skip_all, fields(%id, %change))]
    pub async fn add_policy_test(
        &self,
        actor: &Actor,
        id: PolicyId,
        shown: &str,
        change: ChangeId,
    ) -> Result<i64> {
        let visible = actor.visible(Action::SeeChanges);
        let mut tx = self.db.read().await?;
        let newest = policies::of_policy(&mut tx, id)
            .await?
            .into_iter()
            .next()
            .ok_or(Error::NotFound("policy"))?;
        let input = policy_outcomes::input(&mut tx, change, visible)
            .await?
            .ok_or(Error::NotFound("change"))?;
        drop(tx);
        let input: Input =
            serde_json::from_str(&input).map_err(|_| Error::Internal("an input cannot be read"))?;
        let mut file = evaluation::file_of(&newest)?;
        let expect = OutcomeKind::of(&evaluate(&file.rules, &input));
        // A title may be of a store that not everybody sees who sees the policy.
        let number = file.tests.len() + 1;
        file.tests.push(Case {
            name: format!(
                "{number}: a waiting {} of {} risk ({expect})",
                input.kind, input.risk
            ),
            change: input,
            expect,
        });
        self.edit_policy(actor, id, shown, &file).await
    }

    /// Saves a file as the draft of the policy that it names, or as a new policy.
    #[tracing::instrument(skip_all)]
    pub async fn import_policy(
        &self,
        actor: &Actor,
        file: &PolicyFile,
        owner: Option<UserId>,
    ) -> Result<(PolicyId, i64)> {
        let known = policies::by_name(&mut self.db.read().await?, file.name.trim()).await?;
        let Some(id) = known else {
            return Ok((self.create_policy(actor, file, owner).await?, 1));
        };
        let newest = policies::of_policy(&mut self.db.read().await?, id).await?;
        let shown = newest.first().map(|v| v.sha256.clone()).unwrap_or_default();
        Ok((id, self.edit_policy(actor, id, &shown, file).await?))
    }

    async fn save(
        &self,
        tx: &mut Tx,
        right: Authorized,
        (id, owner): (PolicyId, UserId),
        newest: Option<&VersionRow>,
        file: &PolicyFile,
    ) -> Result<i64> {
        let file = &PolicyFile {
            name: file.name.trim().to_owned(),
            ..file.clone()
        };
        let content = file.canonical();
        let sha256 = sha256_hex(content.as_bytes());
        let number = match newest {
            Some(draft) if draft.state == VersionState::Draft => {
                if !policies::rewrite(tx, id, draft.number, (&content, &sha256)).await? {
                    return Err(Error::Conflict(
                        "this version is no draft any more".to_owned(),
                    ));
                }
                draft.number
            }
            _ => {
                if let Some(shadow) = newest.filter(|v| v.state == VersionState::Shadow) {
                    policies::set_state(
                        tx,
                        shadow,
                        VersionState::Retired,
                        "A newer draft took its place.",
                        self.now(),
                    )
                    .await?;
                    evaluation::next_epoch(tx).await?;
                }
                let number = newest.map_or(1, |v| v.number + 1);
                policies::insert_version(tx, id, number, (&content, &sha256), self.now()).await?;
                // The person who wrote the rules before wrote these, too.
                if let Some(before) = newest {
                    policies::copy_authors(tx, id, before.number, number).await?;
                }
                number
            }
        };
        // Of a file that is imported beside the database, its owner counts as the author.
        policies::wrote(tx, id, number, right.who().person().unwrap_or(owner)).await?;
        let payload = json!({"version": number, "sha256": sha256, "policy": in_trail(file)});
        self.record_policy(tx, right, AuditAction::PolicySave, id, &payload)
            .await?;
        Ok(number)
    }

    pub(crate) async fn record_policy(
        &self,
        tx: &mut Tx,
        right: Authorized,
        action: AuditAction,
        id: PolicyId,
        payload: &Value,
    ) -> Result<()> {
        self.record(
            tx,
            right,
            Record {
                action,
                subject: id.to_string(),
                store: None,
                commit: None,
                payload,
            },
        )
        .await
    }

    /// Moves a version on in its life. What lets more be applied without a person waits for a
    /// second admin.
    #[tracing::instrument(skip_all, fields(%id))]
    pub async fn move_policy_on(
        &self,
        actor: &Actor,
        id: PolicyId,
        number: i64,
        to: VersionState,
    ) -> Result<Outcome> {
        let (mut tx, actor) = self.begin_changing_rights(actor).await?;
        let right = actor.may_in_installation(Action::ManagePolicies)?;
        let row = version(&mut tx, id, number).await?;
        self.may_move(&mut tx, &row, to).await?;
        let outcome = if matches!(to, VersionState::Draft | VersionState::Shadow) {
            let (action, _, payload) = self
                .move_policy(&mut tx, (id, number), &row.sha256, to)
                .await?;
            self.record_policy(&mut tx, right, action, id, &payload)
                .await?;
            Outcome::Done
        } else {
            // Where changes are applied is a matter of each store, and of the admins who own it.
            let file = evaluation::file_of(&row)?;
            let stores: Vec<StoreId> = if to == VersionState::Active {
                file.stores().unwrap_or_default().into_iter().collect()
            } else {
                Vec::new()
            };
            for store in &stores {
                actor.may_on(Action::ManageStore, *store)?;
            }
            let (name, sha256) = (row.name.clone(), row.sha256.clone());
            self.set(
                &mut tx,
                &actor,
                right,
                &Setting::Policy {
                    policy: id,
                    name,
                    version: number,
                    sha256,
                    to,
                    stores,
                },
            )
            .await?
        };
        tx.commit().await?;
        Ok(outcome)
    }

    /// Refuses a step of a version whose conditions are not met.
    async fn may_move(&self, tx: &mut Tx, row: &VersionRow, to: VersionState) -> Result<()> {
        use VersionState::{Active, Draft, Paused, Retired, Shadow};
        let allowed = matches!(
            (row.state, to),
            (Draft, Shadow)
                | (Shadow, Draft | Active)
                | (Active, Paused)
                | (Paused, Active)
                | (Draft | Shadow | Active | Paused, Retired)
        );
        if !allowed {
            return Err(Error::Conflict(format!(
                "version {} is {}, so it cannot become {to}",
                row.number, row.state
            )));
        }
        let file = evaluation::file_of(row)?;
        if to == Shadow && file.rules.is_empty() {
            return Err(Error::Invalid(
                "a policy without rules does nothing; add one first".to_owned(),
            ));
        }
        if to != Active {
            return Ok(());
        }
        if file
            .applying
            .expires_at()
            .is_some_and(|ends| ends <= self.now())
        {
            return Err(Error::Conflict(
                "this version has expired; edit when it ends first".to_owned(),
            ));
        }
        if file.stores().is_none() {
            let why = "name the stores in each rule that applies changes: a policy applies them \
                nowhere else";
            return Err(Error::Conflict(why.to_owned()));
        }
        let report = file.run();
        if report.cases.is_empty() || !report.passed() {
            let failing = report
                .cases
                .iter()
                .find(|case| !case.passed)
                .map(|case| case.name.clone());
            return Err(Error::Conflict(failing.map_or_else(
                || {
                    "a policy needs at least one test that passes before it becomes active"
                        .to_owned()
                },
                |name| {
                    format!(
                        "the test “{name}” fails; a policy becomes active when all of its tests \
                         pass"
                    )
                },
            )));
        }
        let tested = policies::last_back_test(tx, row.policy_id, row.number).await?;
        let fresh = tested.is_some_and(|t| {
            t.sha256 == row.sha256 && t.run_at > self.now().plus_seconds(-TEST_SECONDS)
        });
        if fresh {
            Ok(())
        } else {
            Err(Error::Conflict(
                "run the back-test of this version first; it counts for a day".to_owned(),
            ))
        }
    }

    /// Retires active versions that have expired, unless they forbid something: that stays
    /// forbidden until a person retires them.
    pub(crate) async fn retire_expired(&self) -> Result<()> {
        let expired = |row: &VersionRow| {
            evaluation::file_of(row).is_ok_and(|file| {
                !forbids(&file)
                    && file
                        .applying
                        .expires_at()
                        .is_some_and(|ends| ends <= self.now())
            })
        };
        let active = policies::in_state(&mut self.db.read().await?, VersionState::Active).await?;
        for row in active.into_iter().filter(expired) {
            let mut tx = self.db.background().await?;
            store::settings::lock_people(&mut tx).await?;
            if policies::set_state(
                &mut tx,
                &row,
                VersionState::Retired,
                "It expired.",
                self.now(),
            )
            .await?
            {
                evaluation::next_epoch(&mut tx).await?;
                let payload = json!({"version": row.number, "from": row.state, "to": VersionState::Retired, "note": "It expired."});
                self.record_policy(
                    &mut tx,
                    Authorized::worker(),
                    AuditAction::PolicyState,
                    row.policy_id,
                    &payload,
                )
                .await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// Moves a version on, and what the trail says of it. The caller records it.
    pub(crate) async fn move_policy(
        &self,
        tx: &mut Tx,
        (id, number): (PolicyId, i64),
        sha256: &str,
        to: VersionState,
    ) -> Result<(AuditAction, String, Value)> {
        let row = version(tx, id, number).await?;
        if row.sha256 != sha256 {
            return Err(Error::Conflict(
                "this version says something else than when it was asked for; decline this, and \
                 ask again"
                    .to_owned(),
            ));
        }
        self.may_move(tx, &row, to).await?;
        policies::lock(tx, id).await?;
        if to == VersionState::Active {
            for before in policies::of_policy(tx, id)
                .await?
                .iter()
                .filter(|v| v.number != number)
            {
                if matches!(before.state, VersionState::Active | VersionState::Paused) {
                    policies::set_state(
                        tx,
                        before,
                        VersionState::Retired,
                        &format!("Version {number} took its place."),
                        self.now(),
                    )
                    .await?;
                }
            }
        }
        // A version that was asked in shadow never changes: going back to a draft makes a new one
        // that says the same.
        let (state, note) = match to {
            VersionState::Draft => (
                VersionState::Retired,
                format!("Went back to a draft, version {}.", number + 1),
            ),
            to => (to, String::new()),
        };
        if !policies::set_state(tx, &row, state, &note, self.now()).await? {
            return Err(Error::Conflict(
                "this version was changed meanwhile".to_owned(),
            ));
        }
        if to == VersionState::Draft {
            policies::insert_version(tx, id, number + 1, (&row.content, &row.sha256), self.now())
                .await?;
            policies::copy_authors(tx, id, number, number + 1).await?;
        }
        evaluation::next_epoch(tx).await?;
        let file = evaluation::file_of(&row)?;
        let payload = json!({"version": number, "from": row.state, "to": to, "sha256": row.sha256, "policy": in_trail(&file)});
        Ok((AuditAction::PolicyState, id.to_string(), payload))
    }
}

/// Why a move makes the gate weaker, in a sentence; `None` if it does not.
pub async fn weaker(
    tx: &mut Tx,
    (id, number): (PolicyId, i64),
    to: VersionState,
    at: Timestamp,
) -> Result<Option<String>> {
    let row = version(tx, id, number).await?;
    let file = evaluation::file_of(&row)?;
    let name = &row.name;
    match to {
        VersionState::Active if file.allows() => Ok(Some(format!(
            "“{name}” version {number} would apply changes without a person"
        ))),
        // Of the rules that are in force then, does one apply what is forbidden now, by this
        // version or by the one before it?
        VersionState::Active | VersionState::Paused | VersionState::Retired => {
            let now = Policies::read(tx, at).await?.active;
            let then = if to == VersionState::Active {
                now.with(evaluation::member(&row)?)
            } else {
                now.without(id)
            };
            let opens = wider(&now.rules(), &then.rules()) != Wider::No;
            Ok(opens.then(|| {
                format!(
                    "“{name}” version {number}, {to}: what a policy forbids now could be applied"
                )
            }))
        }
        _ => Ok(None),
    }
}

fn forbids(file: &PolicyFile) -> bool {
    file.rules.iter().any(|rule| rule.effect == Effect::Forbid)
}

/// Returns what the trail has of a policy: its rules, without the changes that its tests are made
/// of.
fn in_trail(file: &PolicyFile) -> PolicyFile {
    PolicyFile {
        tests: Vec::new(),
        ..file.clone()
    }
}

/// The version, whatever its state.
pub async fn version(tx: &mut Tx, id: PolicyId, number: i64) -> Result<VersionRow> {
    let versions = policies::of_policy(tx, id).await?;
    versions
        .into_iter()
        .find(|v| v.number == number)
        .ok_or(Error::NotFound("policy"))
}

/// The right to write a policy; stores that it names must be known to the person who writes it.
fn may_write(actor: &Acting, file: &PolicyFile) -> Result<Authorized> {
    let right = actor.may_in_installation(Action::ManagePolicies)?;
    match file
        .rules
        .iter()
        .flat_map(|rule| &rule.stores)
        .find(|store| !actor.knows(**store))
    {
        Some(_) => Err(Error::NotFound("store")),
        None => Ok(right),
    }
}

fn checked(file: &PolicyFile, now: domain::Timestamp) -> Result<()> {
    if file.name.trim().is_empty() || file.name.chars().any(char::is_control) {
        return Err(Error::Invalid("a policy has a name of one line".to_owned()));
    }
    // Rules are named after their policy: `policy: rule`.
    if file.name.contains(": ") {
        return Err(Error::Invalid(
            "a policy's name has no colon followed by a space".to_owned(),
        ));
    }
    file.check().map_err(Error::Invalid)?;
    if let Some(window) = &file.applying.window {
        schedules::check_schedule(&window.cron, &window.time_zone, now)?;
    }
    Ok(())
}
