//! Which changes the queue shows: tabs, filters and saved views. All of it is in the address.

use domain::{changeset::ChangeKind, risk::Label};
use leptos::prelude::*;
use service::{QueueCounts, SavedView, TURNS_COUNTED};

use super::{Asked, STATES};
use crate::{
    actions::account::encoded,
    components::{badges::label_word, forms::form_token, icon::Icon, text::Visible},
    context::Request,
};

/// The filters that an address keeps.
const KEPT: &[&str] = &[
    "state", "store", "risk", "kind", "label", "origin", "agent", "assignee", "policy", "q",
];

/// This address with other values; an empty one is left out.
pub fn address(request: &Request, with: &[(&str, &str)]) -> String {
    let value = |name: &str| {
        let new = with
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, v)| (*v).to_owned());
        new.or_else(|| request.query.get(name).cloned())
            .filter(|v| !v.is_empty())
            .map(|v| format!("{name}={}", encoded(&v)))
    };
    let pages = with
        .iter()
        .filter(|(n, _)| !KEPT.contains(n))
        .map(|(n, v)| format!("{n}={}", encoded(v)));
    let parts: Vec<String> = KEPT.iter().filter_map(|n| value(n)).chain(pages).collect();
    if parts.is_empty() {
        "/queue".to_owned()
    } else {
        format!("/queue?{}", parts.join("&"))
    }
}

/// The states of the queue, each with its count.
pub fn tabs(request: &Request, asked: &Asked, counts: &QueueCounts) -> AnyView {
    let tab = |&(word, text): &(&'static str, &'static str)| {
        let number = match word {
            "mine" => Some(counts.mine),
            "others" => Some((counts.pending - counts.mine).max(0)),
            "open" => Some(counts.open),
            "overdue" => Some(counts.overdue),
            "ready" => Some(counts.ready),
            "conflicted" => Some(counts.conflicted),
            "deferred" => Some(counts.deferred),
            _ => None,
        };
        let number = number.map(|n| {
            if word == "mine" && n >= TURNS_COUNTED {
                format!("{n}+")
            } else {
                n.to_string()
            }
        });
        let number = number.map(|n| {
            view! {
                " "
                <span>{n}</span>
            }
        });
        view! {
            <li>
                <a
                    href=address(request, &[("state", word)])
                    aria-current=(word == asked.state).then_some("page")
                >
                    {text}
                    {number}
                </a>
            </li>
        }
    };
    view! {
        <nav class="tabs" aria-label="Queue views">
            <ul>{STATES.iter().map(tab).collect_view()}</ul>
        </nav>
    }
    .into_any()
}

/// A filter: a menu of links, and, once it is set, the way to take it off.
fn chip(
    request: &Request,
    name: &'static str,
    title: &'static str,
    options: &[(String, String)],
) -> AnyView {
    let now = request.query.get(name).cloned().unwrap_or_default();
    if let Some((_, text)) = options.iter().find(|(value, _)| *value == now) {
        let off = address(request, &[(name, "")]);
        let label = format!("Remove the filter {title}: {text}");
        return view! {
            <a class="chip on" href=off aria-label=label>
                {title}
                ": "
                <Visible text=text.clone() />
                <Icon name="x" />
            </a>
        }
        .into_any();
    }
    let option = |(value, text): &(String, String)| {
        view! {
            <a href=address(request, &[(name, value)])>
                <Visible text=text.clone() />
            </a>
        }
    };
    let id = format!("filter-{name}");
    view! {
        <button type="button" class="chip bare" popovertarget=id.clone()>
            {title}
            <Icon name="chevron-down" />
        </button>
        <div class="menu filter" id=id popover>
            {options.iter().map(option).collect_view()}
        </div>
    }
    .into_any()
}

/// The reader's saved views, and the form that saves the filters as they are.
fn saved(request: &Request, views: &[SavedView]) -> AnyView {
    let query = address(request, &[])
        .strip_prefix("/queue?")
        .unwrap_or_default()
        .to_owned();
    let shown = views.iter().find(|v| v.query == query && !query.is_empty());
    let title = shown.map_or_else(|| "Saved views".to_owned(), |v| format!("View: {}", v.name));
    let class = if shown.is_some() {
        "chip on bare"
    } else {
        "chip bare"
    };
    let named = |query: String| view! { <input type="hidden" name="query" value=query /> };
    let one = |v: &SavedView| {
        let current = (v.query == query).then_some("true");
        let href = format!("/queue?{}", v.query);
        let label = format!("Remove the view {}", v.name);
        view! {
            <div class="line">
                <a href=href aria-current=current>
                    <span class="cut">
                        <Visible text=v.name.clone() />
                    </span>
                </a>
                <form method="post" action="/do/delete_view">
                    {form_token()}
                    {named(query.clone())}
                    <input type="hidden" name="name" value=v.name.clone() />
                    <button aria-label=label>
                        <Icon name="x" />
                    </button>
                </form>
            </div>
        }
    };
    let list = views.iter().map(one).collect_view();
    let rule = (!views.is_empty()).then(|| view! { <hr /> });
    let form = if query.is_empty() {
        view! { <p class="quiet">"Choose a tab or a filter, then save it here under a name."</p> }
            .into_any()
    } else {
        view! {
            <form method="post" action="/do/save_view" class="stack">
                {form_token()}
                {named(query.clone())}
                <label>"Name of this view"<input name="name" maxlength="40" required /></label>
                <button>"Save view"</button>
            </form>
        }
        .into_any()
    };
    view! {
        <button type="button" class=class popovertarget="views">
            <Visible text=title />
            <Icon name="chevron-down" />
        </button>
        <div class="menu filter" id="views" popover>
            {list}
            {rule}
            {form}
        </div>
    }
    .into_any()
}

/// The search, the filters that can be set, and the saved views.
pub fn filters(
    request: &Request,
    asked: &Asked,
    stores: &[(String, String)],
    agents: &[String],
    views: &[SavedView],
) -> AnyView {
    let pairs = |all: &[(&str, &str)]| {
        all.iter()
            .map(|(v, t)| ((*v).to_owned(), (*t).to_owned()))
            .collect::<Vec<_>>()
    };
    let kinds: Vec<_> = ChangeKind::ALL
        .iter()
        .map(|k| (k.as_str().to_owned(), k.as_str().to_owned()))
        .collect();
    let labels: Vec<_> = Label::ALL
        .iter()
        .map(|l| (l.as_str().to_owned(), label_word(*l).to_owned()))
        .collect();
    let agents: Vec<_> = agents
        .iter()
        .map(|a| (a.clone(), domain::masking::mask(a)))
        .collect();
    let risks = pairs(&[("high", "High"), ("medium", "Medium"), ("low", "Low")]);
    let sources = pairs(&[
        ("dream", "A dream"),
        ("agent", "An agent"),
        ("person", "A person"),
        ("revert", "A revert"),
    ]);
    let who = pairs(&[
        ("me", "Me"),
        ("nobody", "Nobody"),
        ("others", "Somebody else"),
    ]);
    let outcomes = pairs(&[
        ("allow", "Scheduled"),
        ("review", "Needs review"),
        ("forbid", "Always needs a person"),
        ("held", "Held for review"),
    ]);
    let kept = KEPT
        .iter()
        .filter(|n| **n != "q")
        .filter_map(|n| request.query.get(*n).map(|v| (*n, v.clone())));
    let kept = kept
        .map(|(n, v)| view! { <input type="hidden" name=n value=v /> })
        .collect_view();
    let done = asked.state == "done";
    let chips = (!done).then(|| {
        view! {
            {chip(request, "risk", "Risk", &risks)}
            {chip(request, "kind", "Kind", &kinds)}
            {chip(request, "label", "Label", &labels)}
            {chip(request, "origin", "Source", &sources)}
            {(!agents.is_empty()).then(|| chip(request, "agent", "Agent", &agents))}
            {chip(request, "assignee", "Claimed by", &who)}
            {chip(request, "policy", "Policy", &outcomes)}
        }
    });
    let order = if done { "Newest first" } else { "Due first" };
    view! {
        <div class="tools">
            <form
                method="get"
                action="/queue"
                class="find"
                role="search"
                aria-label="Filter the queue"
            >
                <Icon name="search" />
                {kept}
                <input
                    type="search"
                    name="q"
                    value=request.query.get("q").cloned().unwrap_or_default()
                    maxlength="200"
                    placeholder="Filter by title or path"
                    aria-label="Filter the queue"
                    data-key="/"
                />
            </form>
            {(stores.len() > 1).then(|| chip(request, "store", "Store", stores))}
            {chips}
            {saved(request, views)}
            <span class="quiet end">{order}</span>
        </div>
    }
    .into_any()
}
