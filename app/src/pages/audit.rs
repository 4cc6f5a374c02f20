//! The audit trail: who did what to what, when.

use domain::{Timestamp, audit_action::AuditAction, rights::Action};
use leptos::prelude::*;
use service::{AuditFilter, AuditRow, Checkpoint, LastVerified, StoreName};

use crate::{
    actions::account::encoded,
    components::{
        days::by_day,
        forms::Refused,
        layout::{Empty, Heading, actor_mark, actor_name},
        text::Visible,
        when::When,
    },
    context::page,
};

/// Periods that the filter offers, in days.
const PERIODS: &[(i64, &str)] = &[
    (1, "the last day"),
    (7, "the last week"),
    (30, "the last 30 days"),
    (365, "the last year"),
];

/// The newest entries that one may see, by who, what, store and period.
#[component]
pub fn Audit() -> impl IntoView {
    page("audit", |request| async move {
        let days = request.asked::<i64>("days");
        let chosen = |name: &str| request.query.get(name).filter(|v| !v.is_empty()).cloned();
        let filter = AuditFilter {
            store: request.asked("store"),
            actor: chosen("who"),
            action: request.asked("what"),
            since: days.map(|d| request.now().plus_seconds(-d.clamp(0, 36_500) * 86_400)),
            before: request.asked("before"),
        };
        let list = request.lucid.audit(request.actor()?, &filter).await?;
        let stores = request.store_names().await?;
        let actors = request.lucid.audit_actors(request.actor()?).await?;
        let exact = chosen("times").as_deref() == Some("exact");
        let refused = request.refused().await;
        let actor = request.actor()?;
        let now = request.now();
        let state = if actor.may_in_general(Action::ReadAudit) {
            let last = request.lucid.last_verified(actor).await?;
            let end = request.lucid.signed_head().await?;
            Some(state(last.as_ref(), end.as_ref(), now))
        } else {
            None
        };
        let exports = actor
            .may_in_general(Action::ExportAudit)
            .then(|| exports(days));
        let kept = ["store", "who", "what", "days", "times"]
            .map(|name| {
                chosen(name)
                    .map(|v| format!("&{name}={}", encoded(&v)))
                    .unwrap_or_default()
            })
            .concat();
        let next = list.rows.last().filter(|_| list.more).map(|r| {
            view! {
                <p>
                    <a href=format!("/audit?before={}{kept}", r.row.seq)>"Older"</a>
                </p>
            }
        });
        let body = if list.rows.is_empty() {
            view! {
                <Empty title="No entries">
                    "Entries of the stores that you have access to appear here. Change the filter \
                     to see others."
                </Empty>
            }
            .into_any()
        } else {
            let proves = actor.may_in_general(Action::ExportAudit) && request.lucid.signs();
            by_day(
                list.rows,
                now,
                |r| r.row.at,
                |r| entry(r, (proves, exact), now),
            )
        };
        Ok(view! {
            <Heading title="Audit" action=exports.into_any() />
            <Refused form=refused />
            {state}
            {filters(&filter, (days, exact), &stores, &actors)}
            {body}
            {next}
        }
        .into_any())
    })
}

/// Says whether the trail verified when it was last checked.
pub fn verified(last: Option<&LastVerified>, now: Timestamp) -> AnyView {
    match last {
        Some(LastVerified {
            at,
            broken: Some(broken),
            ..
        }) => view! {
            <p class="notice" role="alert">
                <strong>"The trail does not verify. "</strong>
                <When at=*at now=now />
                ": "
                <span class="lines">{broken.clone()}</span>
            </p>
        }
        .into_any(),
        Some(v) => view! {
            <p>
                "Verified to entry "{v.entries}", "<When at=v.at now=now />
                ", with every row of the database that it covers."
            </p>
        }
        .into_any(),
        None => view! {
            <p>
                "Not verified yet; a worker does so each day, and "<code>"lucid audit verify"</code>
                " at any time."
            </p>
        }
        .into_any(),
    }
}

/// Says whether the trail verified when it was last checked, and whether it is signed.
fn state(last: Option<&LastVerified>, end: Option<&Checkpoint>, now: Timestamp) -> AnyView {
    let said = verified(last, now);
    let signed = match end {
        Some(c) => view! {
            " Signed at every entry, the last "
            <When at=Timestamp(c.at) now=now />
            "."
        }
        .into_any(),
        None => view! {
            " The trail is not signed: a person who can write to the database can rewrite it. \
             Start Lucid with --signing-key."
        }
        .into_any(),
    };
    view! {
        <div class="stack">
            {said}
            <p class="quiet">
                {signed}" "<a class="link" href="/audit/integrity">
                    "Key, checkpoints and proofs"
                </a>
            </p>
        </div>
    }
    .into_any()
}

/// Links to the trail as files, of the period that is shown.
fn exports(days: Option<i64>) -> AnyView {
    let days = days.map(|d| format!("&days={d}")).unwrap_or_default();
    let link = |format: &str, word: &'static str| {
        view! {
            <a class="button" href=format!("/export/audit?format={format}{days}") download>
                {word}
            </a>
        }
    };
    view! {
        {link("jsonl", "Export JSONL")}
        {link("csv", "Export CSV")}
    }
    .into_any()
}

fn filters(
    filter: &AuditFilter,
    (days, exact): (Option<i64>, bool),
    stores: &[StoreName],
    actors: &[(String, String)],
) -> impl IntoView + use<> {
    let store = |s: &StoreName| {
        view! {
            <option value=s.id.to_string() selected=filter.store == Some(s.id)>
                {s.name.clone()}
            </option>
        }
    };
    let action = |a: &AuditAction| view! { <option selected=filter.action == Some(*a)>{a.as_str()}</option> };
    let period = |(d, text): &(i64, &'static str)| {
        view! {
            <option value=d.to_string() selected=days == Some(*d)>
                {*text}
            </option>
        }
    };
    let someone = |(who, name): &(String, String)| {
        let selected = filter.actor.as_ref() == Some(who);
        view! {
            <option value=who.clone() selected=selected>
                {actor_name(name)}
            </option>
        }
    };
    // Somebody who is chosen by a link and made few entries.
    let other = filter
        .actor
        .clone()
        .filter(|who| actors.iter().all(|(known, _)| known != who));
    let other = other.map(|who| {
        view! {
            <option value=who.clone() selected=true>
                {who.clone()}
            </option>
        }
    });
    view! {
        <form method="get" action="/audit" class="filters">
            <label>
                "What "<select name="what">
                    <option value="">"everything"</option>
                    {AuditAction::ALL.iter().map(action).collect_view()}
                </select>
            </label>
            <label>
                "Store "<select name="store">
                    <option value="">"every store"</option>
                    {stores.iter().map(store).collect_view()}
                </select>
            </label>
            <label>
                "When "<select name="days">
                    <option value="">"ever"</option>
                    {PERIODS.iter().map(period).collect_view()}
                </select>
            </label>
            <label>
                "Who "<select name="who">
                    <option value="">"everybody"</option>
                    {other}
                    {actors.iter().map(someone).collect_view()}
                </select>
            </label>
            <label>
                "Times "<select name="times">
                    <option value="">"relative"</option>
                    <option value="exact" selected=exact>
                        "exact"
                    </option>
                </select>
            </label>
            <button>"Show"</button>
        </form>
    }
}

/// An entry as a sentence; its code, number, hash and payload are one click away.
fn entry(entry: AuditRow, (proves, exact): (bool, bool), now: Timestamp) -> impl IntoView {
    let about = about(&entry);
    let said = said(&entry);
    let r = entry.row;
    let mark = actor_mark(&r.actor, &entry.actor);
    let who = actor_name(&entry.actor);
    let details = r.payload.clone().unwrap_or_else(|| "erased".to_owned());
    let when = if exact {
        view! { <time datetime=r.at.rfc3339()>{r.at.exact()}</time> }.into_any()
    } else {
        view! { <When at=r.at now=now /> }.into_any()
    };
    let proof = proves.then(|| {
        let label = format!("Download a proof of entry {}", r.seq);
        view! {
            " "
            <a class="link" href=format!("/export/proof?entry={}", r.seq) download aria-label=label>
                "Proof"
            </a>
        }
    });
    view! {
        <li>
            {mark} <div>
                <p>
                    <a class="who" href=format!("/audit?who={}", encoded(&r.actor))>
                        <Visible text=who />
                    </a>
                    " "
                    {said}
                    " "
                    {about}
                </p>
                <details>
                    <summary class="quiet">
                        <code>{r.action}</code>
                        " · No. "
                        {r.seq}
                    </summary>
                    <p class="quiet">"Hash "<code class="wrap">{entry.hash}</code>{proof}</p>
                    <p>
                        <code class="wrap">
                            <Visible text=details />
                        </code>
                    </p>
                </details>
            </div> {when}
        </li>
    }
}

/// Returns what was done, in words; a decision says which.
fn said(entry: &AuditRow) -> String {
    let Ok(action) = entry.row.action.parse::<AuditAction>() else {
        return entry.row.action.clone();
    };
    let payload: serde_json::Value = entry
        .row
        .payload
        .as_deref()
        .and_then(|p| serde_json::from_str(p).ok())
        .unwrap_or_default();
    match (
        action,
        payload["policy"]["name"].as_str(),
        payload["to"].as_str(),
    ) {
        (AuditAction::ChangeDecide, ..) => {}
        (AuditAction::ChangesetCommit, Some(policy), _) => {
            return format!("committed, by the policy “{policy}”,");
        }
        (AuditAction::PolicyState, _, Some("draft")) => return "returned to draft".to_owned(),
        (AuditAction::PolicyState, _, Some("shadow")) => return "put in shadow".to_owned(),
        (AuditAction::PolicyState, _, Some("active")) => return "activated".to_owned(),
        (AuditAction::PolicyState, _, Some(state)) => return state.to_owned(),
        _ => return action.sentence().to_owned(),
    }
    let signed = if payload["signature"].is_string() {
        " and signed"
    } else {
        ""
    };
    match payload["verdict"].as_str() {
        Some("approve") => format!("approved{signed}"),
        Some("reject") => "rejected".to_owned(),
        Some("defer") => "deferred".to_owned(),
        _ => action.sentence().to_owned(),
    }
}

/// Shows what it is about: a change or changeset by its title, anything else by its id.
fn about(entry: &AuditRow) -> AnyView {
    let id = &entry.row.subject;
    // What people do to themselves needs no second name.
    if entry.row.actor.strip_prefix("person:") == Some(id.as_str()) {
        return ().into_any();
    }
    match (&entry.title, entry.changeset) {
        (Some(title), Some(changeset)) => {
            let of_change = if id.starts_with("chg_") {
                format!("?change={id}")
            } else {
                String::new()
            };
            view! {
                <a class="link" href=format!("/changesets/{changeset}{of_change}")>
                    "“"
                    <Visible text=title.clone() />
                    "”"
                </a>
            }
            .into_any()
        }
        (Some(name), None) if id.starts_with("policy_") => view! {
            "the policy "
            <a class="link" href=format!("/policies/{id}")>
                "“"
                <Visible text=name.clone() />
                "”"
            </a>
        }
        .into_any(),
        (Some(name), None) => match page_of(id) {
            Some(href) => view! {
                <a class="link" href=href>
                    <Visible text=name.clone() />
                </a>
            }
            .into_any(),
            None => view! {
                <strong title=id.to_owned()>
                    <Visible text=name.clone() />
                </strong>
            }
            .into_any(),
        },
        _ if id == "installation" => ().into_any(),
        _ => subject(id),
    }
}

/// The page of a subject, if it has one.
fn page_of(id: &str) -> Option<String> {
    let pages = [
        ("commit_", "/commits/"),
        ("chgset_", "/changesets/"),
        ("drm_", "/dreams/"),
        ("sesn_", "/sessions/"),
        ("memstore_", "/stores/"),
        ("mem_", "/memories/"),
        ("recall_", "/recalls/"),
    ];
    pages
        .iter()
        .find(|(prefix, _)| id.starts_with(prefix))
        .map(|(_, path)| format!("{path}{id}"))
}

/// The subject, with a link where it has a page.
fn subject(id: &str) -> AnyView {
    let short: String = id.chars().take(20).collect();
    match page_of(id) {
        Some(href) => view! {
            <a href=href title=id.to_owned()>
                <code>{short}"…"</code>
            </a>
        }
        .into_any(),
        None => view! { <code title=id.to_owned()>{short}</code> }.into_any(),
    }
}
