//! One search over everything that the reader may see: pages to go to, what is remembered and what
//! was, changes, sessions, people.

use domain::{Timestamp, changeset::ChangeState, plural::count};
use leptos::prelude::*;
use service::{
    ChangeHit, Excerpt, Hit, Kind, MemoryHit, PersonHit, QUERY_CHARS, SearchRequest, SearchResults,
    SessionHit, StoreName,
};

use crate::{
    components::{
        forms::sentence,
        icon::Icon,
        layout::{Empty, Heading, places},
        text::Visible,
        when::When,
    },
    context::{Request, page},
};

const DAY: i64 = 86_400;
/// The periods that the form offers, in days.
const PERIODS: &[(i64, &str)] = &[
    (7, "the last week"),
    (30, "the last month"),
    (365, "the last year"),
];

/// `/search`: results in every kind of content.
#[component]
pub fn Search() -> impl IntoView {
    page("search", |request| async move {
        let text = request
            .query
            .get("q")
            .map(|q| q.trim().chars().take(QUERY_CHARS).collect::<String>())
            .unwrap_or_default();
        let days: Option<i64> = request
            .asked("days")
            .filter(|days| (1..=36_500).contains(days));
        let asked = SearchRequest {
            store: request.asked("store"),
            since: days.map(|days| request.now().plus_seconds(-days * DAY)),
            until: None,
            person: request
                .query
                .get("person")
                .cloned()
                .filter(|name| !name.trim().is_empty()),
            text,
        };
        let stores = request.store_names().await?;
        let found = if asked.text.is_empty() {
            jump(&request, "")
        } else {
            match results(&request, &asked).await {
                Err(error) if error.kind() == Kind::Invalid => {
                    request.set_status(error.kind().status());
                    view! {
                        <p class="notice bad" role="alert">
                            {sentence(&error.message())}
                        </p>
                    }
                    .into_any()
                }
                found => found?,
            }
        };
        Ok(view! {
            <Heading title="Search" />
            {form(&asked, days, &stores)}
            {found}
        }
        .into_any())
    })
}

fn form(asked: &SearchRequest, days: Option<i64>, stores: &[StoreName]) -> impl IntoView + use<> {
    let store = |s: &StoreName| {
        view! {
            <option value=s.id.to_string() selected=asked.store == Some(s.id)>
                {s.name.clone()}
            </option>
        }
    };
    let period = |(d, text): &(i64, &'static str)| {
        view! {
            <option value=d.to_string() selected=days == Some(*d)>
                {*text}
            </option>
        }
    };
    let person = asked.person.clone().unwrap_or_default();
    view! {
        <form method="get" action="/search" class="stack" role="search" aria-label="Everything">
            <div class="line">
                <span class="find grow">
                    <Icon name="search" />
                    <input
                        type="search"
                        name="q"
                        value=asked.text.clone()
                        maxlength=QUERY_CHARS.to_string()
                        placeholder="Memory, changes, sessions, pages"
                        aria-label="Search everything"
                        data-key="/"
                        autofocus
                    />
                </span>
                <button class="primary">"Search"</button>
            </div>
            <div class="filters">
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
                <label>"Person "<input name="person" value=person maxlength="100" /></label>
            </div>
            <p class="quiet">
                "All words must be there. \"Quotes\" keep words together; an asterisk finds words \
                 that begin so, as in back*."
            </p>
        </form>
    }
}

async fn results(request: &Request, asked: &SearchRequest) -> service::Result<AnyView> {
    let actor = request.actor()?;
    let found = request.lucid.search(actor, asked).await?;
    // One store can also be searched by meaning, where a sentence model is set up.
    let near = match asked.store {
        Some(store) if asked.person.is_none() && asked.since.is_none() => request
            .lucid
            .search_memory(actor, store, &asked.text)
            .await?
            .hits
            .into_iter()
            .filter(|hit| hit.by_meaning)
            .collect(),
        _ => Vec::new(),
    };
    let now = request.now();
    let nothing = found.is_empty() && near.is_empty();
    let SearchResults {
        memories,
        past,
        changes,
        sessions,
        people,
        some_words,
    } = found;
    let some = (some_words && !memories.is_empty()).then(|| {
        view! { <p class="notice">"Nothing has all of these words. These memories have some of them."</p> }
    });
    let empty = nothing.then(|| {
        view! {
            <Empty title="Nothing found">
                "Nothing that you have access to has these words. Try fewer or other words, or the \
                 beginning of one with an asterisk."
            </Empty>
        }
    });
    Ok(view! {
        {jump(request, &asked.text)}
        {some}
        {section("Memory", memories, |hit| memory(hit, now))}
        {section("By meaning", near, by_meaning)}
        {section("Past memory", past, |hit| memory(hit, now))}
        {section("Changes", changes, |hit| change(hit, now))}
        {section("Sessions", sessions, |hit| session(hit, now))}
        {section("People", people, person)}
        {empty}
    }
    .into_any())
}

/// Hits of one kind; nothing where there are none.
fn section<T>(title: &'static str, hits: Vec<T>, row: impl Fn(T) -> AnyView) -> Option<AnyView> {
    if hits.is_empty() {
        return None;
    }
    let found = count(hits.len(), "hit");
    Some(
        view! {
            <section class="stack">
                <h2>{title}" "<span class="muted">{found}</span></h2>
                <ul class="inbox">{hits.into_iter().map(row).collect_view()}</ul>
            </section>
        }
        .into_any(),
    )
}

/// Pages whose name begins so; all of them where nothing was asked.
fn jump(request: &Request, asked: &str) -> AnyView {
    let Some(current) = &request.current else {
        return ().into_any();
    };
    let begins = asked.to_lowercase();
    let fitting: Vec<_> = places(current.user.role)
        .into_iter()
        .filter(|(text, _)| text.to_lowercase().starts_with(&begins))
        .collect();
    if fitting.is_empty() {
        return ().into_any();
    }
    let links = fitting.into_iter().map(|(text, href)| {
        view! {
            <li data-row>
                <a class="button" href=href data-open>
                    {text}
                    <Icon name="arrow-right" />
                </a>
            </li>
        }
    });
    view! {
        <section class="stack">
            <h2>"Go to"</h2>
            <ul class="line wrap">{links.collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// A text with what was found marked in it.
fn found_in(excerpt: Excerpt) -> AnyView {
    let Excerpt { text, marks } = excerpt;
    let mut parts: Vec<AnyView> = Vec::new();
    let mut at = 0;
    for mark in marks {
        parts.push(view! { <Visible text=text[at..mark.start].to_owned() /> }.into_any());
        parts.push(
            view! {
                <mark>
                    <Visible text=text[mark.clone()].to_owned() />
                </mark>
            }
            .into_any(),
        );
        at = mark.end;
    }
    parts.push(view! { <Visible text=text[at..].to_owned() /> }.into_any());
    parts.collect_view().into_any()
}

fn memory(hit: MemoryHit, now: Timestamp) -> AnyView {
    let gone = (!hit.alive).then(|| view! { <span class="badge">"Removed"</span> });
    // The page leads from the newest version, if this is it, to the memory as it is.
    let href = format!("/memories/{}?version={}", hit.memory_id, hit.number);
    view! {
        <li data-row>
            <a href=href data-open>
                {found_in(hit.excerpt)}
            </a>
            <div class="meta">
                <code>
                    <Visible text=hit.path.to_string() />
                </code>
                <span>
                    <Visible text=hit.store_name />
                </span>
                <span>"version "{hit.number}</span>
                {gone}
                <When at=hit.at now=now />
            </div>
        </li>
    }
    .into_any()
}

fn by_meaning(hit: Hit) -> AnyView {
    view! {
        <li data-row>
            <a href=format!("/memories/{}", hit.memory_id) data-open>
                <Visible text=hit.statement.clone() />
            </a>
            <div class="meta">
                <code>
                    <Visible text=hit.path.to_string() />
                </code>
            </div>
        </li>
    }
    .into_any()
}

fn change(hit: ChangeHit, now: Timestamp) -> AnyView {
    let href = format!("/changesets/{}?change={}", hit.changeset_id, hit.id);
    let state = match hit.state {
        ChangeState::Pending => "Open",
        ChangeState::Approved => "Approved",
        ChangeState::Rejected => "Rejected",
        ChangeState::Deferred => "Deferred",
        ChangeState::Obsolete => "Obsolete",
        ChangeState::Committed => "Committed",
    };
    view! {
        <li data-row>
            <a href=href data-open>
                {found_in(hit.title)}
            </a>
            <div class="meta">
                <span class="badge">{state}</span>
                <span>
                    <Visible text=hit.store_name />
                </span>
                <When at=hit.at now=now />
            </div>
        </li>
    }
    .into_any()
}

fn session(hit: SessionHit, now: Timestamp) -> AnyView {
    view! {
        <li data-row>
            <a href=format!("/sessions/{}", hit.id) data-open>
                {found_in(hit.title)}
            </a>
            <div class="meta">
                <span>{found_in(hit.about)}</span>
                <When at=hit.at now=now />
            </div>
        </li>
    }
    .into_any()
}

fn person(hit: PersonHit) -> AnyView {
    view! {
        <li data-row>
            <a href=format!("/people/{}", hit.id) data-open>
                {found_in(hit.name)}
            </a>
        </li>
    }
    .into_any()
}
