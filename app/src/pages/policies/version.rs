//! One policy: its rules as sentences or, as a draft, as a form; where it is in its life and what
//! it needs to go on; tests, back-test, what it would do now and what it did; its versions.

use domain::{
    Timestamp,
    ids::{PolicyId, StoreId},
    policy::{VersionState, Wider},
    rights::Action,
};
use leptos::prelude::*;
use service::{PolicyView, RefusedForm, StoreName};

use super::{editor, rate, report, state_badge};
use crate::{
    actions::policies::PolicyForm,
    components::{
        forms::{Refused, form_token, kept},
        icon::Icon,
        layout::Heading,
        text::Visible,
        waiting_settings::waiting_settings,
        when::When,
    },
    context::page,
};

/// A version of a policy.
#[component]
pub fn Policy() -> impl IntoView {
    page("policies", |request| async move {
        let actor = request.actor()?;
        let id = request.id::<PolicyId>("policy")?;
        let view = request
            .lucid
            .policy(actor, id, request.asked("version"))
            .await?;
        let stores = request.store_names().await?;
        let now = request.now();
        let manages = actor.may_in_general(Action::ManagePolicies);
        let waiting = if actor.may_in_general(Action::ManagePeople) {
            let all = request.lucid.waiting_settings(actor).await?;
            let own: Vec<_> = all
                .into_iter()
                .filter(|w| w.row.setting.contains(&id.to_string()))
                .collect();
            waiting_settings(&own, Some("policies".to_owned()), now)
        } else {
            None
        };
        let refused = request.refused().await;
        let newest = view
            .versions
            .first()
            .is_some_and(|v| v.number == view.version.number);
        let typed = kept(refused.as_ref(), "form")
            .and_then(|text| serde_json::from_str::<PolicyForm>(&text).ok());
        let asked = view.version.state == VersionState::Draft
            || request.query.contains_key("edit")
            || typed.is_some();
        let edits = manages && newest && asked;
        let rule = if edits {
            editor::form(
                &view,
                &typed.unwrap_or_else(|| PolicyForm::from(&view.file)),
                &stores,
            )
        } else {
            sentences(&view, &stores)
        };
        let actions = manages.then(|| actions(&view, newest, edits));
        let actions = view! {
            {state_badge(view.version.state)}
            {actions}
        }
        .into_any();
        let title = format!("{} v{}", view.summary.name, view.version.number);
        Ok(view! {
            <Heading
                title=title
                trail=vec![("/policies".into(), "Policies".into())]
                action=actions
            />
            <Refused form=refused.clone() />
            {waiting}
            {note(&view)}
            {steps(&view)}
            <div class="stack">
                <section class="card stack" aria-labelledby="rule">
                    <h2 id="rule">"Rule"</h2>
                    {rule}
                </section>
                {differences(&view)}
                {queue(&view, manages && newest && view.version.state == VersionState::Draft)}
                <section class="card stack" aria-labelledby="tests">
                    <h2 id="tests">"Tests"</h2>
                    {report::tests(&view.tests)}
                </section>
                {back_test(&view, manages, refused.as_ref(), now)}
                {did(&view, now)}
                {versions(&view, now)}
            </div>
        }
        .into_any())
    })
}

/// Why it is paused or retired.
fn note(view: &PolicyView) -> Option<AnyView> {
    let v = &view.version;
    (!v.note.is_empty()).then(|| {
        view! {
            <div class="notice">
                <strong>
                    {if v.state == VersionState::Paused { "Paused. " } else { "Over. " }}
                </strong>
                {v.note.clone()}
            </div>
        }
        .into_any()
    })
}

/// Shows where the version is on its way.
fn steps(view: &PolicyView) -> AnyView {
    let state = view.version.state;
    let at = match state {
        VersionState::Draft => 0,
        VersionState::Shadow => 1,
        _ => 2,
    };
    let words = [
        "Draft",
        "Shadow",
        if state == VersionState::Active {
            "Active"
        } else if at == 2 {
            "Was active"
        } else {
            "Active"
        },
    ];
    let step = |(n, word): (usize, &str)| {
        let mark = if n < at {
            view! { <Icon name="check" /> }.into_any()
        } else {
            view! { <b>{n + 1}</b> }.into_any()
        };
        view! { <li aria-current=(n == at).then_some("step")>{mark}{word.to_owned()}</li> }
    };
    let says = match (state, view.in_force) {
        (VersionState::Draft, Some(n)) => {
            format!("Version {n} stays in force until this one is activated.")
        }
        (VersionState::Draft, None) => {
            "A draft applies nothing. In shadow, it is asked about every change and still applies \
             nothing."
                .to_owned()
        }
        (VersionState::Shadow, _) => shadow_says(view),
        (VersionState::Active, _) => "It applies changes.".to_owned(),
        _ => "It applies nothing.".to_owned(),
    };
    view! {
        <div class="line wrap">
            <ol class="stepper" aria-label="Life of this version">
                {words.iter().copied().enumerate().map(step).collect_view()}
            </ol>
            <span class="quiet">{says}</span>
        </div>
    }
    .into_any()
}

fn shadow_says(view: &PolicyView) -> String {
    let s = view.summary.shadow.unwrap_or_default();
    format!(
        "It applies nothing. Asked about {} changes in 30 days, it would have applied {}; people \
         approved {} of them and rejected {}.",
        s.asked, s.allowed, s.approved, s.rejected
    )
}

/// Shows what can be done with the version.
fn actions(view: &PolicyView, newest: bool, edits: bool) -> AnyView {
    let (id, number) = (view.version.policy_id.to_string(), view.version.number);
    let go = |to: &'static str, word: &'static str, class: &'static str| {
        view! {
            <form method="post" action="/do/move_policy" class="inline">
                {form_token()}
                <input type="hidden" name="policy" value=id.clone() />
                <input type="hidden" name="version" value=number.to_string() />
                <input type="hidden" name="to" value=to />
                <button class=class>{word}</button>
            </form>
        }
        .into_any()
    };
    let edit = || {
        (newest && !edits).then(|| {
            view! {
                <a class="button" href=format!("/policies/{}?edit=yes", view.version.policy_id)>
                    <Icon name="pencil" />
                    "Edit"
                </a>
            }
        })
    };
    match view.version.state {
        VersionState::Draft => view! {
            {go("retired", "Discard", "quiet")}
            {go("shadow", "Start shadow run", "primary")}
        }
        .into_any(),
        VersionState::Shadow => view! {
            {go("draft", "Back to draft", "quiet")}
            {go("active", "Activate", "primary")}
        }
        .into_any(),
        VersionState::Active => view! {
            {go("retired", "Retire", "danger")}
            {edit()}
            {go("paused", "Pause", "")}
        }
        .into_any(),
        VersionState::Paused => view! {
            {go("retired", "Retire", "danger")}
            {edit()}
            {go("active", "Resume", "primary")}
        }
        .into_any(),
        VersionState::Retired => view! { {edit()} }.into_any(),
    }
}

/// The rules in words.
fn sentences(view: &PolicyView, stores: &[StoreName]) -> AnyView {
    let known = |id: StoreId| stores.iter().find(|s| s.id == id).map(|s| s.name.clone());
    let name = |id: StoreId| known(id).unwrap_or_else(|| "a store that you do not see".to_owned());
    let one = |rule: &domain::policy::Rule| {
        view! {
            <li>
                <strong>
                    <Visible text=rule.name.clone() />
                </strong>
                ": "
                <Visible text=rule.sentence(name) />
                "."
            </li>
        }
    };
    let rules = view.file.rules.iter().map(one).collect_view();
    let none = view
        .file
        .rules
        .is_empty()
        .then(|| view! { <p class="quiet">"There is no rule yet."</p> });
    let applying = view
        .file
        .allows()
        .then(|| view! { <p>"Applied "{view.file.applying.sentence()}</p> });
    let reason = (!view.file.reason.is_empty()).then(|| {
        view! {
            <p class="quiet">
                <Visible text=view.file.reason.clone() />
            </p>
        }
    });
    let by = if view.authors.is_empty() {
        String::new()
    } else {
        format!("Written by {}. ", view.authors.join(", "))
    };
    view! {
        {reason}
        {none}
        <ul class="stack">{rules}</ul>
        {applying}
        <p class="quiet">{by}"Owner: "<Visible text=view.version.owner_name.clone() />"."</p>
    }
    .into_any()
}

/// Shows what differs from the version in force, and whether it applies more.
fn differences(view: &PolicyView) -> Option<AnyView> {
    let before = view.in_force?;
    let one = |d: &domain::policy::Difference| {
        let old = d.before.clone().map(|t| {
            view! {
                <del>
                    <Visible text=t />
                </del>
                " "
            }
        });
        let new = d.after.clone().map(|t| {
            view! {
                <ins>
                    <Visible text=t />
                </ins>
            }
        });
        view! {
            <li>
                <Visible text=d.about.clone() />
                ": "
                {old}
                {new}
            </li>
        }
    };
    let rows = view.differences.iter().map(one).collect_view();
    let says = match &view.wider {
        None | Some(Wider::No) if view.looser.is_empty() => {
            view! { <p>"It applies nothing that version "{before}" does not."</p> }.into_any()
        }
        Some(Wider::Yes(change)) => {
            let example = serde_json::to_string_pretty(change).unwrap_or_default();
            view! {
                <div class="notice">
                    <strong>"It is more permissive. "</strong>
                    "It applies a change that version "
                    {before}
                    " does not:"
                    <pre class="memory" tabindex="0" aria-label="Example">
                        <Visible text=example />
                    </pre>
                </div>
            }
            .into_any()
        }
        Some(Wider::Undecided) => {
            view! { <p>"These rules are too many to say whether it applies more."</p> }.into_any()
        }
        _ => ().into_any(),
    };
    let looser = (!view.looser.is_empty())
        .then(|| view! { <p>{format!("It is looser: {}.", view.looser.join(", "))}</p> });
    let none = view
        .differences
        .is_empty()
        .then(|| view! { <p class="quiet">"Nothing differs."</p> });
    Some(
        view! {
            <section class="card stack" aria-labelledby="differences">
                <h2 id="differences">{format!("Changes from version {before}")}</h2>
                {says}
                {looser}
                {none}
                <ul class="stack">{rows}</ul>
            </section>
        }
        .into_any(),
    )
}

/// Shows what it would do with the changes that wait.
fn queue(view: &PolicyView, may_add: bool) -> AnyView {
    let all = &view.against_queue;
    let applied = all.iter().filter(|w| w.outcome.is_allowed()).count();
    let add = |w: &service::WouldApply| {
        let label = format!("Use as test: {}", w.title);
        view! {
            <form method="post" action="/do/add_policy_test" class="inline">
                {form_token()}
                <input type="hidden" name="policy" value=view.version.policy_id.to_string() />
                <input type="hidden" name="shown" value=view.version.sha256.clone() />
                <input type="hidden" name="change" value=w.change.to_string() />
                <button class="plain" aria-label=label>
                    "Use as test"
                </button>
            </form>
        }
    };
    let one = |w: &service::WouldApply| {
        let href = format!("/changesets/{}?change={}", w.changeset, w.change);
        let mark = if w.outcome.is_allowed() {
            view! { <Icon name="check" class="ok" /> }.into_any()
        } else {
            view! { <Icon name="x" /> }.into_any()
        };
        let why = report::why(&w.outcome);
        view! {
            <li class="check-line">
                {mark}<span>
                    <a href=href>
                        <Visible text=w.title.clone() />
                    </a>
                    <br />
                    <span class="quiet">
                        <Visible text=why />
                        " "
                        {may_add.then(|| add(w))}
                    </span>
                </span>
            </li>
        }
    };
    let says = if all.is_empty() {
        "No change waits.".to_owned()
    } else {
        format!("{applied} of {} open changes would apply.", all.len())
    };
    let shown = all.iter().take(IN_QUEUE).map(one).collect_view();
    let more = all.len().saturating_sub(IN_QUEUE);
    let more = (more > 0).then(|| view! { <p class="quiet">{format!("{more} more")}</p> });
    view! {
        <section class="card stack" aria-labelledby="against">
            <h2 id="against">"Against today’s queue"</h2>
            <p class="quiet">{says}</p>
            <ul class="stack">{shown}</ul>
            {more}
        </section>
    }
    .into_any()
}

/// Changes of the queue that are listed.
const IN_QUEUE: usize = 8;

fn back_test(
    view: &PolicyView,
    manages: bool,
    refused: Option<&RefusedForm>,
    now: Timestamp,
) -> AnyView {
    let days = kept(refused, "days").unwrap_or_else(|| "90".to_owned());
    let run = manages.then(|| {
        view! {
            <form method="post" action="/do/back_test_policy" class="filters">
                {form_token()}
                <input type="hidden" name="policy" value=view.version.policy_id.to_string() />
                <input type="hidden" name="version" value=view.version.number.to_string() />
                <label>
                    "Days "
                    <input type="number" name="days" value=days min="1" max="3650" required />
                </label>
                <button>"Run back-test"</button>
            </form>
        }
    });
    let body = match &view.back_test {
        Some(tested) => report::back_test(tested, now),
        None => view! {
            <p class="quiet">
                "It was not run on this version. It replays the changes of the past, and says what \
                 would have been applied against people’s decisions."
            </p>
        }
        .into_any(),
    };
    view! {
        <section class="card stack" aria-labelledby="back-test">
            <h2 id="back-test">"Back-test"</h2>
            {run}
            {body}
        </section>
    }
    .into_any()
}

/// Shows what the policy did.
fn did(view: &PolicyView, now: Timestamp) -> AnyView {
    let one = |a: &service::ApplicationRow| {
        let href = format!("/changesets/{}?change={}", a.changeset_id, a.change_id);
        let said = match (a.reverted, a.confirmed, a.sampled) {
            (true, ..) => "reverted",
            (_, Some(false), _) => "a person objected",
            (_, Some(true), _) => "confirmed",
            (_, None, true) => "to be checked",
            _ => "",
        };
        view! {
            <li class="line wrap">
                <a class="link" href=href>
                    <Visible text=a.title.clone() />
                </a>
                <span class="quiet">
                    "v"{a.number}", "<When at=a.applied_at now=now />" "{said}
                </span>
            </li>
        }
    };
    let sums = view.summary.did.map(|d| {
        let text = format!(
            "{} applied in 30 days, {}, {} of {} checked.",
            d.applied,
            rate(d.overridden, d.applied),
            d.checked,
            d.sampled
        );
        view! { <p>{text}</p> }
    });
    let none = view
        .applied
        .is_empty()
        .then(|| view! { <p class="quiet">"It has applied nothing yet."</p> });
    view! {
        <section class="card stack" aria-labelledby="did">
            <h2 id="did">"What it applied"</h2>
            {sums}
            {none}
            <ul class="stack">{view.applied.iter().map(one).collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn versions(view: &PolicyView, now: Timestamp) -> AnyView {
    let one = |v: &service::PolicyVersionRow| {
        let current = (v.number == view.version.number).then_some("page");
        let note = (!v.note.is_empty()).then(|| format!(" · {}", v.note));
        view! {
            <li class="line wrap">
                <a
                    class="link"
                    href=format!("/policies/{}?version={}", v.policy_id, v.number)
                    aria-current=current
                >
                    {format!("Version {}", v.number)}
                </a>
                {state_badge(v.state)}
                <span class="quiet">"since "<When at=v.state_since now=now />{note}</span>
            </li>
        }
    };
    view! {
        <section class="card stack" aria-labelledby="versions">
            <h2 id="versions">"Versions"</h2>
            <ul class="stack">{view.versions.iter().map(one).collect_view()}</ul>
        </section>
    }
    .into_any()
}
