//! The frame around every page, and the pages that say why there is nothing.

use domain::actor::Role;
use leptos::prelude::*;
use service::UserView;

use super::{
    forms::{form_token, sentence},
    text::Visible,
    title::DocumentTitle,
};
use crate::islands::shortcuts::Shortcuts;

const PLACES: &[(&str, &str, &str)] = &[
    ("queue", "/queue", "Queue"),
    ("questions", "/questions", "Questions"),
    ("inbox", "/inbox", "Inbox"),
    ("memory", "/stores", "Memory"),
    ("dreams", "/dreams", "Dreams"),
    ("sessions", "/sessions", "Sessions"),
    ("audit", "/audit", "Audit"),
    ("insights", "/insights", "Insights"),
];

/// What admins manage.
const ADMIN_PLACES: &[(&str, &str, &str)] = &[("people", "/people", "People"), ("keys", "/keys", "Keys")];

/// Navigation, who is signed in, and the page.
#[component]
pub fn Frame(
    /// Which part of Lucid the page is in.
    here: &'static str,
    /// Who is signed in.
    user: Option<UserView>,
    /// How many changes wait.
    waiting: i64,
    /// How much they were told and have not read.
    unread: i64,
    /// The page.
    children: Children,
) -> impl IntoView {
    let Some(user) = user else {
        return view! { <main id="main" class="narrow">{children()}</main> }.into_any();
    };
    let place = |&(name, href, text): &(&'static str, &'static str, &'static str)| {
        let count = match name {
            "queue" => Some((waiting, "wait")),
            "inbox" => Some((unread, "unread")),
            _ => None,
        };
        let badge = count
            .filter(|(n, _)| *n > 0)
            .map(|(n, what)| view! { <span class="count">{n}<span class="visually-hidden">" "{what}</span></span> });
        view! { <li><a href=href aria-current=(name == here).then_some("page")>{text}{badge}</a></li> }
    };
    let admin = if user.role == Role::Admin { ADMIN_PLACES } else { &[] };
    view! {
        <a class="skip" href="#main">"Skip to the page"</a>
        <header class="bar">
            <a class="brand" href="/queue">"Lucid"</a>
            <nav aria-label="Lucid"><ul>{PLACES.iter().chain(admin).map(place).collect_view()}</ul></nav>
            <div class="who">
                <a class="quiet" href="/account">{user.name}" · "{user.role.as_str()}</a>
                <span class="quiet keys-hint">"Keys: "<kbd>"?"</kbd></span>
                <form method="post" action="/do/sign_out">{form_token()}<button class="plain">"Sign out"</button></form>
            </div>
        </header>
        <main id="main">{children()}</main>
        <Shortcuts />
    }
    .into_any()
}

/// A page's heading with its primary action at the right.
#[component]
pub fn Heading(
    /// What the page is.
    #[prop(into)]
    title: String,
    /// The way here: address and text of each step.
    #[prop(optional)]
    trail: Vec<(String, String)>,
    /// The primary action.
    #[prop(optional)]
    action: Option<AnyView>,
) -> impl IntoView {
    let steps = trail.into_iter().map(|(href, text)| view! { <li><a href=href>{text}</a></li> }).collect_view();
    view! {
        <DocumentTitle text=title.clone() />
        <div class="heading">
            <div>
                <nav aria-label="Way here" class="trail"><ol>{steps}</ol></nav>
                <h1><Visible text=title /></h1>
            </div>
            {action}
        </div>
    }
}

/// A list with nothing in it: what it is for, and what to do.
#[component]
pub fn Empty(
    /// In one line.
    title: &'static str,
    /// What to do.
    children: Children,
) -> impl IntoView {
    view! { <div class="empty"><h2>{title}</h2><div>{children()}</div></div> }
}

/// Why a page could not be shown.
#[component]
pub fn ErrorPage(
    /// HTTP status.
    status: u16,
    /// Why.
    message: String,
) -> impl IntoView {
    let title = match status {
        403 => "You may not do this",
        404 => "Not found",
        401 => "Sign in first",
        409 => "It has changed",
        _ => "That did not work",
    };
    view! {
        <Heading title=title />
        <p>{sentence(&message)}</p>
        <p><a href="/queue">"To the queue"</a></p>
    }
}

/// What an address that leads nowhere shows.
#[component]
pub fn NotFound() -> impl IntoView {
    crate::context::page("", |_| async { Err(service::Error::NotFound("page")) })
}
