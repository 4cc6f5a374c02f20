//! Policies: written, moved on, tested, stopped; and changes that are held, given back and checked.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    changeset::ChangeKind,
    ids::{ChangeId, FreezeId, PolicyId, StoreId},
    plural::count,
    policy::{
        Applying, Bound, Case, Effect, Engine, Figure, FindingKind, PolicyFile, Preset, Rule,
        VersionState, Window, Writer,
    },
    rights::Action,
    risk::{Label, RiskLevel},
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use service::{Error, Kind, NewFreeze, SetStop, WouldApply};

use super::{Answer, answer, fields, id, people::after};
use crate::{components::text::visible, context::Request};

/// A rule as its form has it: every field a text, and a number by figure.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleForm {
    pub name: String,
    pub effect: String,
    pub kinds: Vec<String>,
    pub stores: Vec<String>,
    pub paths: String,
    pub agents: String,
    pub engine: String,
    pub risk: String,
    pub findings: Vec<String>,
    pub without: Vec<String>,
    pub with: Vec<String>,
    pub writers: Vec<String>,
    pub least: BTreeMap<String, String>,
    pub most: BTreeMap<String, String>,
    pub remove: String,
}

/// A policy as its form has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PolicyForm {
    pub name: String,
    pub reason: String,
    pub rules: Vec<RuleForm>,
    pub after_hours: String,
    pub most_a_day: String,
    pub share_percent: String,
    pub sample_percent: String,
    pub pause_over_percent: String,
    pub of_last: String,
    pub window_cron: String,
    pub window_zone: String,
    pub window_hours: String,
    pub expires_on: String,
    pub tests: String,
}

fn texts<T: std::fmt::Display>(all: &BTreeSet<T>) -> Vec<String> {
    all.iter().map(ToString::to_string).collect()
}

fn listed(all: &BTreeSet<String>) -> String {
    all.iter().cloned().collect::<Vec<_>>().join(", ")
}

impl From<&Rule> for RuleForm {
    fn from(rule: &Rule) -> Self {
        let bounds = |end: fn(&Bound) -> Option<u32>| -> BTreeMap<String, String> {
            rule.bounds
                .iter()
                .filter_map(|b| Some((b.figure.to_string(), end(b)?.to_string())))
                .collect()
        };
        Self {
            name: rule.name.clone(),
            effect: rule.effect.to_string(),
            kinds: texts(&rule.kinds),
            stores: texts(&rule.stores),
            paths: listed(&rule.paths),
            agents: listed(&rule.agents),
            engine: rule
                .engines
                .iter()
                .next()
                .map(ToString::to_string)
                .filter(|_| rule.engines.len() == 1)
                .unwrap_or_default(),
            risk: rule
                .risk_at_most
                .map(|risk| risk.to_string())
                .unwrap_or_default(),
            findings: texts(&rule.findings),
            without: texts(&rule.labels_none_of),
            with: texts(&rule.labels_any_of),
            writers: texts(&rule.last_writers),
            least: bounds(|b| b.at_least),
            most: bounds(|b| b.at_most),
            remove: String::new(),
        }
    }
}

impl From<&PolicyFile> for PolicyForm {
    fn from(file: &PolicyFile) -> Self {
        let a = &file.applying;
        let window = |part: fn(&Window) -> String| a.window.as_ref().map(part).unwrap_or_default();
        Self {
            name: file.name.clone(),
            reason: file.reason.clone(),
            rules: file.rules.iter().map(RuleForm::from).collect(),
            after_hours: a.after_hours.to_string(),
            most_a_day: a.most_a_day.to_string(),
            share_percent: a.share_percent.to_string(),
            sample_percent: a.sample_percent.to_string(),
            pause_over_percent: a.pause_over_percent.to_string(),
            of_last: a.of_last.to_string(),
            window_cron: window(|w| w.cron.clone()),
            window_zone: window(|w| w.time_zone.clone()),
            window_hours: window(|w| w.hours.to_string()),
            expires_on: a.expires_on.clone().unwrap_or_default(),
            tests: serde_json::to_string_pretty(&file.tests).unwrap_or_default(),
        }
    }
}

fn invalid(text: String) -> Error {
    Error::Invalid(text)
}

fn words<T: std::str::FromStr + Ord>(all: &[String], what: &str) -> service::Result<BTreeSet<T>> {
    all.iter()
        .map(|word| {
            word.parse()
                .map_err(|_| invalid(format!("`{word}` is no {what}")))
        })
        .collect()
}

fn one_of<T: std::str::FromStr>(word: &str, what: &str) -> service::Result<Option<T>> {
    match word.trim() {
        "" => Ok(None),
        word => word
            .parse()
            .map(Some)
            .map_err(|_| invalid(format!("`{word}` is no {what}"))),
    }
}

fn number(text: &str, what: &str) -> service::Result<u32> {
    text.trim()
        .parse()
        .map_err(|_| invalid(format!("{what} is a whole number, not “{}”", text.trim())))
}

/// Parts between commas and line ends.
fn parts(text: &str) -> BTreeSet<String> {
    text.split([',', '\n', '\r'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

impl RuleForm {
    fn rule(&self) -> service::Result<Rule> {
        let mut bounds = Vec::new();
        for figure in Figure::ALL {
            let end = |ends: &BTreeMap<String, String>| {
                let text = ends
                    .get(figure.as_str())
                    .map(|t| t.trim())
                    .filter(|t| !t.is_empty());
                text.map(|t| number(t, figure.words())).transpose()
            };
            let bound = Bound {
                figure: *figure,
                at_least: end(&self.least)?,
                at_most: end(&self.most)?,
            };
            if bound.at_least.is_some() || bound.at_most.is_some() {
                bounds.push(bound);
            }
        }
        let effect = one_of::<Effect>(&self.effect, "effect")?.unwrap_or(Effect::Allow);
        Ok(Rule {
            stores: words::<StoreId>(&self.stores, "store")?,
            paths: parts(&self.paths),
            agents: parts(&self.agents),
            engines: one_of::<Engine>(&self.engine, "engine")?
                .into_iter()
                .collect(),
            findings: words::<FindingKind>(&self.findings, "kind of finding")?,
            kinds: words::<ChangeKind>(&self.kinds, "kind of change")?,
            risk_at_most: one_of::<RiskLevel>(&self.risk, "risk")?,
            labels_none_of: words::<Label>(&self.without, "label")?,
            labels_any_of: words::<Label>(&self.with, "label")?,
            last_writers: words::<Writer>(&self.writers, "writer")?,
            bounds,
            ..Rule::new(self.name.trim(), effect)
        })
    }
}

impl PolicyForm {
    /// The policy that the form describes. A rule without a name is one that was not filled in.
    pub fn file(&self) -> service::Result<PolicyFile> {
        let empty = RuleForm {
            effect: "allow".to_owned(),
            ..RuleForm::default()
        };
        let blank = |ends: &BTreeMap<String, String>| ends.values().all(|v| v.trim().is_empty());
        let is_blank = |rule: &RuleForm| {
            let plain = RuleForm {
                least: BTreeMap::new(),
                most: BTreeMap::new(),
                name: String::new(),
                effect: empty.effect.clone(),
                ..rule.clone()
            };
            rule.name.trim().is_empty() && plain == empty && blank(&rule.least) && blank(&rule.most)
        };
        let kept = || {
            self.rules
                .iter()
                .filter(|rule| rule.remove.is_empty() && !is_blank(rule))
        };
        if kept().any(|rule| rule.name.trim().is_empty()) {
            return Err(invalid("give each rule a name, or remove it".to_owned()));
        }
        let filled = kept();
        let tests: Vec<Case> = match self.tests.trim() {
            "" => Vec::new(),
            text => serde_json::from_str(text)
                .map_err(|e| invalid(format!("the tests are not JSON as it is asked for: {e}")))?,
        };
        let window = if self.window_cron.trim().is_empty() {
            None
        } else {
            let time_zone = if self.window_zone.trim().is_empty() {
                "UTC"
            } else {
                self.window_zone.trim()
            };
            let hours = number(&self.window_hours, "the length of the window in hours")?;
            Some(Window {
                cron: self.window_cron.trim().to_owned(),
                time_zone: time_zone.to_owned(),
                hours,
            })
        };
        Ok(PolicyFile {
            name: self.name.trim().to_owned(),
            reason: self.reason.trim().to_owned(),
            rules: filled.map(RuleForm::rule).collect::<service::Result<_>>()?,
            applying: Applying {
                after_hours: number(&self.after_hours, "the cooling-off in hours")?,
                most_a_day: number(&self.most_a_day, "the number of changes a day")?,
                share_percent: number(&self.share_percent, "the share of a store")?,
                sample_percent: number(&self.sample_percent, "the sample")?,
                pause_over_percent: number(&self.pause_over_percent, "the limit of overrides")?,
                of_last: number(
                    &self.of_last,
                    "the number of changes that the limit looks back on",
                )?,
                window,
                expires_on: Some(self.expires_on.trim().to_owned()).filter(|day| !day.is_empty()),
            },
            tests,
        })
    }
}

/// Makes a policy: a preset's, or an empty one under a name. The store is the one that it is for;
/// without one, all that the admin owns.
#[server(prefix = "/do", endpoint = "create_policy")]
pub async fn create_policy(
    #[server(default)] preset: String,
    #[server(default)] store: String,
    #[server(default)] name: String,
    #[server(default)] reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let actor = request.actor()?;
        let stores = if store.is_empty() {
            let all = request.store_names().await?;
            all.into_iter()
                .map(|s| s.id)
                .filter(|s| actor.may(Action::ManageStore, *s))
                .collect()
        } else {
            vec![id::<StoreId>(&store, "store")?]
        };
        let mut file = match preset.as_str() {
            "" => PolicyFile {
                name: name.clone(),
                reason: reason.clone(),
                ..PolicyFile::default()
            },
            key => Preset::of(key)
                .ok_or(Error::NotFound("preset"))?
                .file(&stores),
        };
        if !preset.is_empty() {
            // A preset can be taken more than once.
            let taken: Vec<String> = request
                .lucid
                .policies(actor)
                .await?
                .policies
                .into_iter()
                .map(|p| p.name)
                .collect();
            let free = (1..=taken.len() + 1)
                .map(|n| {
                    if n == 1 {
                        file.name.clone()
                    } else {
                        format!("{} {n}", file.name)
                    }
                })
                .find(|name| !taken.contains(name));
            file.name = free.unwrap_or(file.name);
        }
        Ok(at(request.lucid.create_policy(actor, &file, None).await?))
    }
    .await;
    answer(
        &request,
        result,
        "/policies/new",
        fields([
            ("preset", &preset),
            ("store", &store),
            ("name", &name),
            ("reason", &reason),
        ]),
    )
    .await
}

/// Saves the draft of a policy. `shown` is the digest of the version that was edited.
#[server(prefix = "/do", endpoint = "save_policy")]
pub async fn save_policy(
    policy: String,
    shown: String,
    #[server(default)] form: PolicyForm,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = page_of(&policy);
    let typed = serde_json::to_string(&form).unwrap_or_default();
    let result = async {
        let policy: PolicyId = id(&policy, "policy")?;
        request
            .lucid
            .edit_policy(request.actor()?, policy, &shown, &form.file()?)
            .await?;
        Ok(at(policy))
    }
    .await;
    answer(&request, result, &back, fields([("form", &typed)])).await
}

/// Says what is wrong with a policy that is being typed, or what it would do with the changes that
/// wait. Nothing is kept.
#[server(prefix = "/do", endpoint = "check_policy")]
pub async fn check_policy(
    policy: String,
    #[server(default)] form: PolicyForm,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = page_of(&policy);
    let tried = async {
        request
            .lucid
            .try_policy(request.actor()?, &form.file()?)
            .await
    }
    .await;
    match tried {
        Ok(open) => {
            let message = would_do(&open);
            answer(&request, Ok(back), "", fields([]))
                .await
                .map(|answer| Answer { message, ..answer })
        }
        // A form that is not finished is what it is asked about, and no failure.
        Err(error) if error.kind() == Kind::Invalid => Ok(Answer {
            done: false,
            location: back,
            message: error.message(),
        }),
        Err(error) => answer(&request, Err(error), &back, fields([])).await,
    }
}

/// How many titles are listed.
const LISTED: usize = 5;

/// Returns what a policy would do with the changes that wait, a line each.
fn would_do(open: &[WouldApply]) -> String {
    let applied: Vec<&str> = open
        .iter()
        .filter(|w| w.outcome.is_allowed())
        .map(|w| w.title.as_str())
        .collect();
    let mut lines = vec![match (applied.len(), open.len()) {
        (_, 0) => "No change waits.".to_owned(),
        (0, all) => format!(
            "As typed, it would apply none of {}.",
            count(all, "open change")
        ),
        (n, all) => format!(
            "As typed, it would apply {n} of {}:",
            count(all, "open change")
        ),
    }];
    lines.extend(applied.iter().take(LISTED).map(|title| visible(title)));
    lines.extend(
        applied
            .len()
            .checked_sub(LISTED)
            .filter(|more| *more > 0)
            .map(|more| format!("and {more} more")),
    );
    lines.join("\n")
}

/// Adds a change that waits to the tests of a policy, with what its newest version says of it
/// today.
#[server(prefix = "/do", endpoint = "add_policy_test")]
pub async fn add_policy_test(
    policy: String,
    shown: String,
    change: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = page_of(&policy);
    let result = async {
        let policy: PolicyId = id(&policy, "policy")?;
        request
            .lucid
            .add_policy_test(
                request.actor()?,
                policy,
                &shown,
                id::<ChangeId>(&change, "change")?,
            )
            .await?;
        Ok(format!("{}#tests", at(policy)))
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

/// Moves a version on: `draft`, `shadow`, `active`, `paused` or `retired`.
#[server(prefix = "/do", endpoint = "move_policy")]
pub async fn move_policy(
    policy: String,
    version: i64,
    to: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = page_of(&policy);
    let result = async {
        let to: VersionState = to
            .parse()
            .map_err(|_| Error::Invalid("choose what becomes of this version".to_owned()))?;
        Ok(after(
            request
                .lucid
                .move_policy_on(request.actor()?, id(&policy, "policy")?, version, to)
                .await?,
            &back,
        ))
    }
    .await;
    answer(&request, result, &back, fields([])).await
}

/// Replays the changes of the last days through a version.
#[server(prefix = "/do", endpoint = "back_test_policy")]
pub async fn back_test_policy(
    policy: String,
    version: i64,
    days: i64,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let back = page_of(&policy);
    let result = async {
        let policy: PolicyId = id(&policy, "policy")?;
        request
            .lucid
            .back_test_policy(request.actor()?, policy, version, days)
            .await?;
        Ok(format!("{}?version={version}#back-test", at(policy)))
    }
    .await;
    answer(
        &request,
        result,
        &back,
        fields([("days", &days.to_string())]),
    )
    .await
}

/// Stops all policies, or those of a store.
#[server(prefix = "/do", endpoint = "stop_policies")]
pub async fn stop_policies(
    #[server(default)] store: String,
    #[server(default)] reason: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let stop = SetStop {
            store: some_store(&store)?,
            reason: reason.clone(),
        };
        request.lucid.stop_policies(request.actor()?, &stop).await?;
        Ok("/policies".to_owned())
    }
    .await;
    answer(
        &request,
        result,
        "/policies",
        fields([("store", &store), ("reason", &reason)]),
    )
    .await
}

/// Lets stopped policies run again, once a second admin agrees.
#[server(prefix = "/do", endpoint = "lift_stop")]
pub async fn lift_stop(#[server(default)] store: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        Ok(after(
            request
                .lucid
                .lift_stop(request.actor()?, some_store(&store)?)
                .await?,
            "/policies",
        ))
    }
    .await;
    answer(&request, result, "/policies", fields([])).await
}

/// Sets a time in which nothing is committed: from and until as `2026-11-28T10:00`, in UTC; the
/// people who may commit all the same by email, with commas.
#[server(prefix = "/do", endpoint = "set_freeze")]
pub async fn set_freeze(
    #[server(default)] store: String,
    starts_at: String,
    ends_at: String,
    reason: String,
    #[server(default)] exceptions: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let kept = fields([
        ("store", store.as_str()),
        ("starts_at", &starts_at),
        ("ends_at", &ends_at),
        ("freeze_reason", &reason),
        ("exceptions", &exceptions),
    ]);
    let result = async {
        let freeze = NewFreeze {
            store: some_store(&store)?,
            starts_at: minute(&starts_at)?,
            ends_at: minute(&ends_at)?,
            reason,
            exceptions: parts(&exceptions).into_iter().collect(),
        };
        request
            .lucid
            .freeze_commits(request.actor()?, &freeze)
            .await?;
        Ok("/policies#freezes".to_owned())
    }
    .await;
    answer(&request, result, "/policies#freezes", kept).await
}

/// Ends a freeze now, or takes one back that has not begun.
#[server(prefix = "/do", endpoint = "end_freeze")]
pub async fn end_freeze(freeze: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        request
            .lucid
            .end_freeze(request.actor()?, id::<FreezeId>(&freeze, "freeze")?)
            .await?;
        Ok("/policies#freezes".to_owned())
    }
    .await;
    answer(&request, result, "/policies#freezes", fields([])).await
}

/// The changes that policies apply next.
const QUEUE: &str = "/queue?policy=allow&state=open";

/// Takes a change away from the policies. Without its changeset, it was held in the queue, and that
/// is where it leads back to.
#[server(prefix = "/do", endpoint = "hold_change")]
pub async fn hold_change(
    #[server(default)] changeset: String,
    change: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let change: ChangeId = id(&change, "change")?;
        let held = request.lucid.hold_change(request.actor()?, change).await?;
        Ok(if changeset.is_empty() {
            QUEUE.to_owned()
        } else {
            format!("/changesets/{held}?change={change}")
        })
    }
    .await;
    let back = if changeset.is_empty() {
        QUEUE.to_owned()
    } else {
        super::review::back(&changeset, &change)
    };
    answer(&request, result, &back, fields([("change", &change)])).await
}

/// Gives a change back to the policies.
#[server(prefix = "/do", endpoint = "release_change")]
pub async fn release_change(changeset: String, change: String) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let change: ChangeId = id(&change, "change")?;
        let changeset = request
            .lucid
            .release_change(request.actor()?, change)
            .await?;
        Ok(format!("/changesets/{changeset}?change={change}"))
    }
    .await;
    answer(
        &request,
        result,
        &super::review::back(&changeset, &change),
        fields([("change", &change)]),
    )
    .await
}

/// Records what a person says of a change that a policy applied: `confirm` or `object`.
#[server(prefix = "/do", endpoint = "check_application")]
pub async fn check_application(
    changeset: String,
    change: String,
    verdict: String,
    #[server(default)] note: String,
) -> Result<Answer, ServerFnError> {
    let request = Request::of_action();
    let result = async {
        let confirmed = match verdict.as_str() {
            "confirm" => true,
            "object" => false,
            _ => {
                return Err(Error::Invalid(
                    "say whether you confirm the change or object".to_owned(),
                ));
            }
        };
        let change: ChangeId = id(&change, "change")?;
        let changeset = request
            .lucid
            .check_application(request.actor()?, change, confirmed, &note)
            .await?;
        Ok(format!("/changesets/{changeset}?change={change}"))
    }
    .await;
    answer(
        &request,
        result,
        &super::review::back(&changeset, &change),
        fields([("change", &change), ("note", &note)]),
    )
    .await
}

fn at(policy: PolicyId) -> String {
    format!("/policies/{policy}")
}

fn page_of(policy: &str) -> String {
    policy.parse().map_or_else(|_| "/policies".to_owned(), at)
}

fn some_store(text: &str) -> service::Result<Option<StoreId>> {
    if text.is_empty() {
        Ok(None)
    } else {
        id(text, "store").map(Some)
    }
}

/// A minute as a browser's field has it, in UTC.
fn minute(text: &str) -> service::Result<Timestamp> {
    let seconds = if text.len() == 16 {
        format!("{text}:00Z")
    } else {
        text.to_owned()
    };
    Timestamp::parse(&seconds).ok_or_else(|| {
        invalid(format!(
            "`{text}` is no time; write it as 2026-11-28T10:00, in UTC"
        ))
    })
}

#[cfg(test)]
mod tests {
    use domain::policy::PRESETS;

    use super::*;

    #[test]
    fn a_policy_goes_through_its_form_unchanged() {
        for preset in &PRESETS {
            let mut file = preset.file(&[StoreId::new(Timestamp(0), [5; 10])]);
            file.rules[0].paths = BTreeSet::from(["/a/**".to_owned(), "/b.md".to_owned()]);
            file.rules[0].agents = BTreeSet::from(["support".to_owned()]);
            file.rules[0].labels_none_of = BTreeSet::from([Label::Large]);
            file.applying.expires_on = Some("2027-03-31".to_owned());
            file.applying.window = Some(Window {
                cron: "0 22 * * *".to_owned(),
                time_zone: "UTC".to_owned(),
                hours: 2,
            });
            assert_eq!(PolicyForm::from(&file).file().unwrap(), file);
        }
    }

    #[test]
    fn what_is_wrong_in_a_form_is_said() {
        let good = PolicyForm::from(&PRESETS[0].file(&[]));
        let says = |form: PolicyForm| form.file().unwrap_err().message();
        assert!(
            says(PolicyForm {
                most_a_day: "many".to_owned(),
                ..good.clone()
            })
            .contains("changes a day")
        );
        assert!(
            says(PolicyForm {
                tests: "{".to_owned(),
                ..good.clone()
            })
            .contains("tests")
        );
        let mut bad = good;
        bad.rules[0].kinds.push("explode".to_owned());
        assert!(says(bad).contains("explode"));
        assert_eq!(
            minute("2026-11-28T10:00").unwrap(),
            Timestamp::parse("2026-11-28T10:00:00Z").unwrap()
        );
        assert!(minute("soon").is_err());
    }
}
