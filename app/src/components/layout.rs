//! The frame around every page: sidebar, top bar on a phone, menus; the page's head; and the pages
//! that say why there is nothing.

use domain::{actor::Role, ids::StoreId};
use leptos::prelude::*;
use service::{StoreName, UserView};

use super::{
    forms::{form_token, sentence},
    icon::Icon,
    text::Visible,
    title::DocumentTitle,
};
use crate::islands::shortcuts::Shortcuts;

/// An entry of the sidebar.
struct Place {
    name: &'static str,
    href: &'static str,
    /// The address within a store, where the page is about one.
    within: Option<&'static str>,
    text: &'static str,
    icon: &'static str,
    roles: &'static [Role],
}

const DECIDE: &[Role] = &[Role::Admin, Role::Reviewer];
const READ: &[Role] = &[Role::Admin, Role::Reviewer, Role::Member];
const ALL: &[Role] = &[Role::Admin, Role::Reviewer, Role::Member, Role::Auditor];
const ANSWER: &[Role] = &[Role::Admin, Role::Auditor];
const ADMIN: &[Role] = &[Role::Admin];

const SECTIONS: &[(&str, &[Place])] = &[
    (
        "Review",
        &[
            Place {
                name: "queue",
                href: "/queue",
                within: None,
                text: "Queue",
                icon: "inbox",
                roles: ALL,
            },
            Place {
                name: "questions",
                href: "/questions",
                within: None,
                text: "Questions",
                icon: "circle-help",
                roles: DECIDE,
            },
            Place {
                name: "inbox",
                href: "/inbox",
                within: None,
                text: "Inbox",
                icon: "bell",
                roles: READ,
            },
        ],
    ),
    (
        "Store",
        &[
            Place {
                name: "memory",
                href: "/stores",
                within: Some(""),
                text: "Memory",
                icon: "book-text",
                roles: ALL,
            },
            Place {
                name: "dreams",
                href: "/dreams",
                within: Some("/dreams"),
                text: "Dreams",
                icon: "moon-star",
                roles: ALL,
            },
            Place {
                name: "sessions",
                href: "/sessions",
                within: Some("/sessions"),
                text: "Sessions",
                icon: "messages-square",
                roles: ALL,
            },
            Place {
                name: "insights",
                href: "/insights",
                within: None,
                text: "Insights",
                icon: "chart-line",
                roles: READ,
            },
        ],
    ),
    (
        "Govern",
        &[
            Place {
                name: "policies",
                href: "/policies",
                within: None,
                text: "Policies",
                icon: "workflow",
                roles: ALL,
            },
            Place {
                name: "audit",
                href: "/audit",
                within: None,
                text: "Audit",
                icon: "shield-check",
                roles: ALL,
            },
            Place {
                name: "erasure",
                href: "/erasure",
                within: None,
                text: "Erasure and holds",
                icon: "eraser",
                roles: ANSWER,
            },
        ],
    ),
    (
        "Workspace",
        &[
            Place {
                name: "people",
                href: "/people",
                within: None,
                text: "People",
                icon: "users",
                roles: ADMIN,
            },
            Place {
                name: "keys",
                href: "/keys",
                within: None,
                text: "API keys",
                icon: "key-round",
                roles: ADMIN,
            },
        ],
    ),
];

/// The pages of the sidebar that somebody of a role sees: name and address.
pub fn places(role: Role) -> Vec<(&'static str, &'static str)> {
    let all = SECTIONS.iter().flat_map(|(_, places)| places.iter());
    all.filter(|p| p.roles.contains(&role))
        .map(|p| (p.text, p.href))
        .collect()
}

/// The contents of the frame around a page.
#[derive(Debug, Clone, Default)]
pub struct Framed {
    /// Decisions that wait for the reader, or, for readers who decide nothing, changes that are
    /// open.
    pub waiting: i64,
    /// Notices that they have not read.
    pub unread: i64,
    /// Stores that they see, by name.
    pub stores: Vec<StoreName>,
    /// The store that the page is about.
    pub store: Option<StoreId>,
    /// True on the desk: the navigation is a rail of icons, and a link skips to the decision.
    pub is_desk: bool,
}

/// Most that a badge counts.
pub const COUNTED: i64 = 100;

/// Navigation, who is signed in, and the page.
#[component]
pub fn Frame(
    /// Which part of Lucid the page is in.
    here: &'static str,
    user: Option<UserView>,
    /// What the frame shows around the page.
    framed: Framed,
    children: Children,
) -> impl IntoView {
    let Some(user) = user else {
        return view! {
            <main id="main" class="door" tabindex="-1">
                {children()}
            </main>
        }
        .into_any();
    };
    let chosen = framed
        .stores
        .iter()
        .find(|s| Some(s.id) == framed.store)
        .map(|s| s.name.clone());
    let shown = chosen.unwrap_or_else(|| "All stores".to_owned());
    let sections = SECTIONS
        .iter()
        .filter_map(|(title, places)| section(title, places, here, &user, &framed))
        .collect_view();
    let waits = format!("Queue, {} waiting", framed.waiting);
    let side = if framed.is_desk { "side rail" } else { "side" };
    let skip_to_decision = framed.is_desk.then(|| {
        view! {
            <a class="skip" href="#decision">
                "Skip to the decision"
            </a>
        }
    });
    view! {
        <a class="skip" href="#main">
            "Skip to content"
        </a>
        {skip_to_decision}
        <header class="top">
            <button class="button quiet icon" popovertarget="side" aria-label="Open navigation">
                <Icon name="menu" />
            </button>
            <Logo />
            <b class="cut">{shown.clone()}</b>
            <a class="button quiet icon end" href="/search" aria-label="Search">
                <Icon name="search" />
            </a>
            <a class="button quiet icon" href="/queue" aria-label=waits>
                <Icon name="inbox" />
            </a>
        </header>
        <nav class=side id="side" popover aria-label="Main">
            <div class="side-head">
                <button class="switcher" popovertarget="stores" title="Choose a store">
                    <Logo />
                    <span class="label grow cut">{shown}</span>
                    <Icon name="chevrons-up-down" />
                </button>
                <a class="search" href="/search" title="Search (Ctrl K)" data-go="search">
                    <Icon name="search" />
                    <span class="search-label">"Search"</span>
                    <kbd class="key" aria-hidden="true">
                        "Ctrl K"
                    </kbd>
                </a>
            </div>
            {sections}
            <ul class="side-foot">
                <li>
                    <button popovertarget="user" title=user.name.clone()>
                        <Avatar name=user.name.clone() me=true />
                        <span class="label grow cut">{user.name.clone()}</span>
                    </button>
                </li>
            </ul>
        </nav>
        <main id="main" tabindex="-1">
            {children()}
        </main>
        {stores_menu(&framed, user.role)}
        <div class="menu user" id="user" popover>
            <a href="/account">
                <Icon name="user-round" />
                "Account and sign-ins"
            </a>
            <button type="button" data-keys-map>
                <Icon name="keyboard" />
                "Keyboard shortcuts"
                <kbd class="key" aria-hidden="true">
                    "?"
                </kbd>
            </button>
            <hr />
            <form method="post" action="/do/sign_out">
                {form_token()}
                <button>
                    <Icon name="log-out" />
                    "Sign out"
                </button>
            </form>
        </div>
        <Shortcuts />
    }
    .into_any()
}

fn section(
    title: &'static str,
    places: &'static [Place],
    here: &'static str,
    user: &UserView,
    framed: &Framed,
) -> Option<AnyView> {
    let seen: Vec<&Place> = places
        .iter()
        .filter(|p| p.roles.contains(&user.role))
        .collect();
    if seen.is_empty() {
        return None;
    }
    let id = format!("nav-{}", title.to_lowercase());
    let place = |p: &&Place| {
        let (number, what) = match p.name {
            "queue" => (framed.waiting, "waiting"),
            "inbox" => (framed.unread, "unread"),
            _ => (0, ""),
        };
        let class = if p.name == "queue" {
            "count hot"
        } else {
            "count"
        };
        let shown = if number >= COUNTED {
            format!("{}+", COUNTED - 1)
        } else {
            number.to_string()
        };
        let badge = (number > 0).then(|| view! { <span class=class>{shown}<span class="visually-hidden">" "{what}</span></span> });
        let href = match (framed.store, p.within) {
            (Some(store), Some(path)) => format!("/stores/{store}{path}"),
            _ => p.href.to_owned(),
        };
        let current = (p.name == here).then_some("page");
        view! {
            <li>
                <a href=href aria-current=current title=p.text>
                    <Icon name=p.icon />
                    <span class="label">{p.text}</span>
                    {badge}
                </a>
            </li>
        }
    };
    Some(
        view! {
            <section>
                <h2 id=id.clone()>{title}</h2>
                <ul aria-labelledby=id>{seen.iter().map(place).collect_view()}</ul>
            </section>
        }
        .into_any(),
    )
}

/// Stores that are listed in the menu; more are on their page.
const LISTED: usize = 12;

fn stores_menu(framed: &Framed, role: Role) -> AnyView {
    let one = |s: &StoreName| {
        let current = (Some(s.id) == framed.store).then_some("true");
        view! {
            <a href=format!("/stores/{}", s.id) aria-current=current>
                <Icon name="database" />
                <span class="cut">
                    <Visible text=s.name.clone() />
                </span>
            </a>
        }
    };
    let listed = framed.stores.iter().take(LISTED).map(one).collect_view();
    let new = (role == Role::Admin).then(|| {
        view! {
            <a href="/stores#new">
                <Icon name="plus" />
                "New store"
            </a>
        }
    });
    view! {
        <div class="menu stores" id="stores" popover>
            {listed}
            <hr />
            <a href="/stores">
                <Icon name="layers" />
                "All stores"
            </a>
            {new}
        </div>
    }
    .into_any()
}

/// The sign of Lucid.
#[component]
pub fn Logo() -> impl IntoView {
    view! {
        <svg class="logo" viewBox="0 0 20 20" aria-hidden="true">
            <path fill="currentColor" d="M10 1a9 9 0 1 0 9 9 7 7 0 0 1-9-9Z" />
            <circle cx="14.5" cy="5.5" r="2.2" fill="currentColor" opacity=".55" />
        </svg>
    }
}

/// A person's initials, next to their name.
#[component]
pub fn Avatar(
    #[prop(into)] name: String,
    /// True if it is the reader.
    #[prop(optional)]
    me: bool,
) -> impl IntoView {
    let first = |word: &str| {
        word.chars()
            .find(|c| c.is_alphanumeric())
            .map(|c| c.to_uppercase().collect::<String>())
    };
    let words: Vec<String> = name.split_whitespace().filter_map(first).collect();
    let initials = match &words[..] {
        [] => "?".to_owned(),
        [one] => one.clone(),
        [one, .., last] => format!("{one}{last}"),
    };
    view! {
        <span class=if me { "avatar me" } else { "avatar" } aria-hidden="true">
            {initials}
        </span>
    }
}

/// Returns what pages call an actor: people and keys by their names.
#[must_use]
pub fn actor_name(actor: &str) -> String {
    let name = match actor {
        "worker" => "Lucid",
        "operator" => "The operator",
        "anonymous" => "An unknown visitor",
        name => name,
    };
    name.to_owned()
}

/// The sign beside what an actor did: a person's initials, or the sign of a machine. `actor` is as
/// the trail has it, `name` for people.
pub fn actor_mark(actor: &str, name: &str) -> AnyView {
    if actor.contains("user_") {
        view! { <Avatar name=name.to_owned() /> }.into_any()
    } else {
        view! { <Machine /> }.into_any()
    }
}

/// The sign of a dream, or of a system, where a person has their initials.
#[component]
pub fn Machine() -> impl IntoView {
    view! {
        <span class="avatar dream" aria-hidden="true">
            <Icon name="moon-star" />
        </span>
    }
}

/// A page's head: where one is, and its actions at the right, the primary one last.
#[component]
pub fn Heading(
    #[prop(into)] title: String,
    /// The way here: address and text of each step.
    #[prop(optional)]
    trail: Vec<(String, String)>,
    #[prop(optional)] action: Option<AnyView>,
) -> impl IntoView {
    let actions = action.map(|a| view! { <div class="head-actions">{a}</div> });
    view! {
        <DocumentTitle text=title.clone() />
        <header class="head">
            <Crumbs trail=trail>
                <h1>
                    <Visible text=title />
                </h1>
            </Crumbs>
            {actions}
        </header>
    }
}

/// The way to a page and, at its end, the page.
#[component]
pub fn Crumbs(
    /// Address and text of each step.
    trail: Vec<(String, String)>,
    children: Children,
) -> impl IntoView {
    let step = |(href, text): (String, String)| {
        view! {
            <li>
                <a href=href class="cut">
                    <Visible text=text />
                </a>
                <Icon name="chevron-right" />
            </li>
        }
    };
    let steps = (!trail.is_empty()).then(|| {
        view! {
            <nav aria-label="Breadcrumb">
                <ol>{trail.into_iter().map(step).collect_view()}</ol>
            </nav>
        }
    });
    view! { <div class="crumbs grow">{steps}{children()}</div> }
}

/// A list with nothing in it: what it is for, and what to do.
#[component]
pub fn Empty(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <div class="empty">
            <Icon name="inbox" />
            <h2>{title}</h2>
            <div>{children()}</div>
        </div>
    }
}

/// Why a page could not be shown, and a way on.
#[component]
pub fn ErrorPage(
    status: u16,
    message: String,
    /// The id by which the log names the request.
    request_id: String,
) -> impl IntoView {
    let title = match status {
        403 => "You do not have access",
        404 => "Not found",
        401 => "Sign in first",
        409 => "This has changed",
        _ => "Something went wrong",
    };
    let on = match status {
        401 => view! {
            <a class="button primary" href="/sign-in">
                "Sign in"
            </a>
        }
        .into_any(),
        403 => view! {
            <p>"An admin can give you the role or the grant that you need."</p>
            <a class="button primary" href="/">
                "Back to your start page"
            </a>
        }
        .into_any(),
        _ => view! {
            <a class="button primary" href="/">
                "Back to your start page"
            </a>
        }
        .into_any(),
    };
    // What the server could not do is in its log, under this id.
    let reference = (status >= 500 && !request_id.is_empty()).then(|| {
        view! {
            <p class="quiet">
                "If you ask for help, quote this request: " <code>{request_id}</code>
            </p>
        }
    });
    view! {
        <Heading title=title />
        <div class="empty">
            <Icon name="triangle-alert" />
            <h2>{sentence(&message)}</h2>
            {on}
            {reference}
        </div>
    }
}

/// Shows what an address that leads nowhere shows.
#[component]
pub fn NotFound() -> impl IntoView {
    crate::context::page("", |_| async { Err(service::Error::NotFound("page")) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_of_the_first_and_the_last_name() {
        let of = |name: &str| {
            let html = view! { <Avatar name=name.to_owned() /> }.to_html();
            html.split('>')
                .nth(1)
                .and_then(|rest| rest.split('<').next())
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(of("Rui Miguel Ferreira"), "RF");
        assert_eq!(of("élodie"), "É");
        assert_eq!(of("<b> ()"), "B");
        assert_eq!(of("--"), "?");
    }
}
