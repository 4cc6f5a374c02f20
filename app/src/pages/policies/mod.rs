//! Auto-apply policies: what each does, what always needs a person, stops and freezes; a new one
//! from a preset; and one policy with its rules, tests, back-test and versions.

mod drill;
mod editor;
mod freezes;
mod presets;
mod report;
mod version;

use domain::{
    Timestamp,
    plural::count,
    policy::{Agreement, Effect, VersionState},
    rights::Action,
};
use leptos::prelude::*;
use service::{PoliciesView, PolicySummary, StoreName};

pub use self::{drill::Drill, presets::NewPolicy, report::why, version::Policy};
use crate::{
    components::{
        forms::{Refused, form_token, kept},
        icon::Icon,
        layout::{Empty, Heading},
        text::Visible,
        waiting_settings::waiting_settings,
        when::When,
    },
    context::page,
};

/// `/policies`: all policies that the reader sees.
#[component]
pub fn Policies() -> impl IntoView {
    page("policies", |request| async move {
        let actor = request.actor()?;
        let view = request.lucid.policies(actor).await?;
        let stores = request.store_names().await?;
        let now = request.now();
        let waiting = if actor.may_in_general(Action::ManagePeople) {
            let all = request.lucid.waiting_settings(actor).await?;
            let of_policies: Vec<_> = all
                .into_iter()
                .filter(|w| is_of_policies(&w.row.setting))
                .collect();
            waiting_settings(&of_policies, Some("policies".to_owned()), now)
        } else {
            None
        };
        let samples = request.lucid.samples(actor).await?.rows;
        let refused = request.refused().await;
        let reason = kept(refused.as_ref(), "reason").unwrap_or_default();
        let actions = actions(&view, &stores, &reason);
        let to_check = samples.iter().map(|a| {
            let href = format!("/changesets/{}?change={}", a.changeset_id, a.change_id);
            view! {
                <li class="line wrap">
                    <a class="link" href=href>
                        <Visible text=a.title.clone() />
                    </a>
                    <span class="quiet">
                        <Visible text=a.policy_name.clone() />
                        " v"
                        {a.number}
                        " applied it "
                        <When at=a.applied_at now=now />
                        " in "
                        <Visible text=a.store_name.clone() />
                    </span>
                </li>
            }
        });
        let to_check = (!samples.is_empty()).then(|| {
            view! {
                <section aria-labelledby="to-check" class="stack">
                    <h2 id="to-check">
                        {format!("{} to check", count(samples.len(), "applied change"))}
                    </h2>
                    <ul class="stack">{to_check.collect_view()}</ul>
                </section>
            }
        });
        let list = if view.policies.is_empty() {
            let first = view.may_manage.then(|| {
                view! {
                    <a class="button primary" href="/policies/new">
                        "New policy"
                    </a>
                }
            });
            view! {
                <Empty title="Everything is reviewed">
                    <p>"No policy applies changes. A person decides on each one."</p>
                    {first}
                </Empty>
            }
            .into_any()
        } else {
            view! {
                {figures(&view)}
                <section class="rows policies" aria-label="Policies">
                    {lists(&view)}
                    {built_in()}
                </section>
            }
            .into_any()
        };
        let paused = view
            .policies
            .iter()
            .filter(|p| p.version.state == VersionState::Paused && !p.version.note.is_empty());
        let paused = paused
            .map(|p| {
                view! {
                    <div class="notice">
                        <strong>"“"<Visible text=p.name.clone() />"” paused itself. "</strong>
                        {p.version.note.clone()}
                        " "
                        <a href=format!("/policies/{}", p.id)>"View what it applied"</a>
                    </div>
                }
            })
            .collect_view();
        let freezes = freezes::section(&view, &stores, refused.as_ref(), now);
        Ok(view! {
            <Heading title="Policies" action=actions />
            <Refused form=refused.clone() />
            {stops(&view, &stores, now)}
            {waiting}
            {paused}
            {to_check}
            {list}
            {freezes}
        }
        .into_any())
    })
}

/// True if a waiting setting is about policies. It is stored with its kind first.
fn is_of_policies(setting: &str) -> bool {
    setting.starts_with(r#"{"setting":"policy""#)
        || setting.starts_with(r#"{"setting":"lift_stop""#)
}

fn actions(view: &PoliciesView, stores: &[StoreName], reason: &str) -> AnyView {
    let new = view.may_manage.then(|| {
        view! {
            <a class="button primary" href="/policies/new">
                <Icon name="plus" />
                "New policy"
            </a>
        }
    });
    let stop = view.may_stop.then(|| {
        let options = stores
            .iter()
            .map(|s| view! { <option value=s.id.to_string()>{s.name.clone()}</option> })
            .collect_view();
        view! {
            <button type="button" class="danger" popovertarget="stop">
                <Icon name="pause" />
                "Stop policies…"
            </button>
            <div class="menu filter" id="stop" popover>
                <form method="post" action="/do/stop_policies" class="stack">
                    {form_token()}
                    <p>
                        "Nothing more is applied by a policy until two admins let them run again. \
                         What is due waits, and its cooling-off begins again then."
                    </p>
                    <label>
                        "Where"<select name="store">
                            <option value="">"In all stores"</option>
                            {options}
                        </select>
                    </label>
                    <label>
                        "Why"<input name="reason" value=reason.to_owned() maxlength="500" />
                    </label>
                    <button class="danger primary">"Stop now"</button>
                </form>
            </div>
        }
    });
    let drill = view.may_manage.then(|| {
        view! {
            <a class="button quiet" href="/policies/drill">
                "Run a drill"
            </a>
        }
    });
    view! {
        {drill}
        {stop}
        {new}
    }
    .into_any()
}

fn stops(view: &PoliciesView, stores: &[StoreName], now: Timestamp) -> Vec<AnyView> {
    let one = |(stop, by): &(service::StopRow, String)| {
        let store = stores.iter().find(|s| s.id.to_string() == stop.scope);
        let whose = store.map_or_else(
            || "All policies".to_owned(),
            |s| format!("The policies of {}", s.name),
        );
        let scope = store.map(|s| s.id.to_string()).unwrap_or_default();
        let lift = view.may_manage.then(|| {
            view! {
                <form method="post" action="/do/lift_stop" class="inline">
                    {form_token()}
                    <input type="hidden" name="store" value=scope />
                    <button>"Let them run again"</button>
                </form>
            }
        });
        let reason = (!stop.reason.is_empty()).then(|| {
            view! {
                "“"
                <Visible text=stop.reason.clone() />
                "” "
            }
        });
        view! {
            <div class="notice bad line wrap">
                <span>
                    <strong>
                        <Visible text=whose />
                        " are stopped. "
                    </strong>
                    {reason}
                    <Visible text=by.clone() />
                    " stopped them "
                    <When at=stop.stopped_at now=now />
                    "."
                </span>
                {lift}
            </div>
        }
        .into_any()
    };
    view.stops.iter().map(one).collect()
}

/// Shows what all policies together did.
fn figures(view: &PoliciesView) -> AnyView {
    let did = || view.policies.iter().filter_map(|p| p.did.as_ref());
    let (applied, overridden): (i64, i64) = (
        did().map(|d| d.applied).sum(),
        did().map(|d| d.overridden).sum(),
    );
    let (checked, confirmed): (i64, i64) = (
        did().map(|d| d.checked).sum(),
        did().map(|d| d.confirmed).sum(),
    );
    let all = applied + view.by_people;
    let share = if all == 0 {
        "–".to_owned()
    } else {
        format!("{}%", applied * 100 / all)
    };
    let of = |n: i64, m: i64| {
        if m == 0 {
            "–".to_owned()
        } else {
            format!("{n} of {m}")
        }
    };
    view! {
        <div class="facts plain">
            <div>
                <b>{applied}</b>
                <small>"changes applied by policy in 30 days"</small>
            </div>
            <div>
                <b>{share}</b>
                <small>{format!("of all changes; people decided {}", view.by_people)}</small>
            </div>
            <div>
                <b>{of(overridden, applied)}</b>
                <small>"overridden or reverted"</small>
            </div>
            <div>
                <b>{of(confirmed, checked)}</b>
                <small>"checked changes confirmed"</small>
            </div>
        </div>
    }
    .into_any()
}

fn lists(view: &PoliciesView) -> AnyView {
    let (forbidding, applying): (Vec<&PolicySummary>, Vec<&PolicySummary>) = view
        .policies
        .iter()
        .partition(|p| !p.file.allows() && p.file.rules.iter().any(|r| r.effect == Effect::Forbid));
    let section = |title: &'static str, all: &[&PolicySummary]| {
        (!all.is_empty()).then(|| {
            view! {
                <h2>
                    <b>{title}</b>
                    " "
                    {all.len()}
                </h2>
                <ul>{all.iter().map(|p| row(p)).collect_view()}</ul>
            }
        })
    };
    view! {
        {section("Apply changes", &applying)}
        {section("Forbid applying", &forbidding)}
    }
    .into_any()
}

fn row(p: &PolicySummary) -> AnyView {
    let sentence = if p.file.reason.is_empty() {
        "No reason is given.".to_owned()
    } else {
        p.file.reason.clone()
    };
    let beside = p
        .to_come
        .as_ref()
        .map(|v| view! { <span class="quiet">{format!("v{} {}", v.number, v.state)}</span> });
    let (did, rate) = match (&p.did, &p.shadow) {
        (Some(did), _) => (
            format!("{} applied", did.applied),
            rate(did.overridden, did.applied),
        ),
        (None, Some(s)) => (
            format!("would apply {} of {}", s.allowed, s.asked),
            format!("people rejected {}", s.rejected),
        ),
        (None, None) => ("0 applied".to_owned(), "–".to_owned()),
    };
    let ends = p
        .file
        .applying
        .expires_on
        .clone()
        .map(|day| view! { <span class="quiet">"ends "{day}</span> });
    view! {
        <li class="row">
            <div class="b">
                <p class="t cut">
                    <a href=format!("/policies/{}", p.id)>
                        <Visible text=p.name.clone() />
                    </a>
                    " "
                    <span class="quiet">"v"{p.version.number}</span>
                    " "
                    {beside}
                </p>
                <p class="d cut">
                    <Visible text=sentence />
                </p>
            </div>
            <span class="c">{state_badge(p.version.state)}</span>
            <span class="c num">{did}</span>
            <span class="c num">{rate}</span>
            <span class="c num">{ends}</span>
        </li>
    }
    .into_any()
}

/// How often people decided against what was applied, with the interval once there is enough to say
/// something.
pub fn rate(overridden: i64, applied: i64) -> String {
    let number = |n: i64| usize::try_from(n).unwrap_or(0);
    match Agreement::new(number(overridden), number(applied)) {
        None => "–".to_owned(),
        Some(a) => format!(
            "{}% overridden, {}–{}%",
            overridden * 100 / applied,
            (a.low_bp + 50) / 100,
            (a.high_bp + 50) / 100
        ),
    }
}

/// The state of a version.
pub fn state_badge(state: VersionState) -> AnyView {
    let (class, word) = match state {
        VersionState::Draft => ("badge", "Draft"),
        VersionState::Shadow => ("badge info", "Shadow"),
        VersionState::Active => ("badge good", "Active"),
        VersionState::Paused => ("badge warn", "Paused"),
        VersionState::Retired => ("badge", "Retired"),
    };
    view! { <span class=class>{word}</span> }.into_any()
}

/// The built-in limits that no policy can lift.
const BUILT_IN: &[(&str, &str)] = &[
    (
        "High risk",
        "A statement or memory would be lost, or the content itself is suspicious.",
    ),
    (
        "Written or frozen by people",
        "Anything that a person wrote, froze, or approved in the last 30 days.",
    ),
    (
        "Suspicious content",
        "Personal data, credentials, possible prompt injections and hidden characters.",
    ),
    (
        "Untrusted origin",
        "Text that only a tool said, and findings that came through one recorder.",
    ),
    (
        "People’s proposals",
        "Whatever a person or an agent proposed, edited or reverted, and answers to questions.",
    ),
    (
        "Loss over the limit",
        "What would take dreams over a quarter of a store in 30 days.",
    ),
];

fn built_in() -> AnyView {
    let one = |&(title, text): &(&'static str, &'static str)| {
        view! {
            <li class="row">
                <div class="b">
                    <p class="t">{title}</p>
                    <p class="d cut">{text}</p>
                </div>
                <span class="c">
                    <span class="badge bad">
                        <Icon name="ban" />
                        "Forbid"
                    </span>
                </span>
                <span class="c num">"Built in"</span>
            </li>
        }
    };
    view! {
        <h2>
            <b>"Always needs a person"</b>
            " "
            {BUILT_IN.len()}
        </h2>
        <ul>{BUILT_IN.iter().map(one).collect_view()}</ul>
    }
    .into_any()
}
