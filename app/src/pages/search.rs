//! One search over everything that the reader may see: pages to go to, statements in memory, and open changes.

use domain::plural::count;
use leptos::prelude::*;
use service::{Hit, QueueFilter, StoreName, WaitingChange};

use crate::{
    components::{
        badges::RiskBadge,
        icon::Icon,
        layout::{Empty, Heading, places},
        text::Visible,
    },
    context::{Request, page},
};

/// Stores whose memory is searched at once; in more, one has to be chosen.
const STORES: usize = 5;
/// Open changes that are shown.
const CHANGES: usize = 10;

/// The page.
#[component]
pub fn Search() -> impl IntoView {
    page("search", |request| async move {
        let asked = request.query.get("q").map(|q| q.trim().chars().take(200).collect::<String>()).unwrap_or_default();
        let stores = request.store_names().await?;
        let found = if asked.is_empty() { jump(&request, "") } else { results(&request, &asked, &stores).await? };
        Ok(view! {
            <Heading title="Search" />
            <form method="get" action="/search" class="line" role="search" aria-label="Everything">
                <span class="find grow"><Icon name="search" /><input type="search" name="q" value=asked maxlength="200" placeholder="Memories, changes, pages" aria-label="Search everything" data-key="/" autofocus /></span>
                <button class="primary">"Search"</button>
            </form>
            {found}
        }
        .into_any())
    })
}

async fn results(request: &Request, asked: &str, stores: &[StoreName]) -> service::Result<AnyView> {
    let actor = request.actor()?;
    let mut found: Vec<(&StoreName, Vec<Hit>)> = Vec::new();
    for store in stores.iter().take(STORES) {
        found.push((store, request.lucid.search_memory(actor, store.id, asked).await?.hits));
    }
    found.retain(|(_, hits)| !hits.is_empty());
    let filter = QueueFilter { text: Some(asked.to_owned()), ..QueueFilter::default() };
    let (changes, counts) = request.lucid.waiting_changes(actor, &filter, None).await?;
    let others = stores.len().saturating_sub(STORES);
    let limited = (others > 0).then(|| {
        let text = format!("Memory was searched in the first {STORES} stores by name. To search one of the other {others}, open it.");
        view! { <p class="quiet">{text}" "<a href="/stores">"All stores"</a></p> }
    });
    let memory = found.iter().map(|(store, hits)| memory(store, hits)).collect_view();
    let nothing = found.is_empty() && changes.rows.is_empty();
    let empty = nothing
        .then(|| view! { <Empty title="Nothing found">"No memory and no open change has these words. Try fewer or other words."</Empty> });
    Ok(view! { {jump(request, asked)}{memory}{limited}{open_changes(&changes.rows, counts.open)}{empty} }.into_any())
}

/// Pages whose name begins so; all of them where nothing was asked.
fn jump(request: &Request, asked: &str) -> AnyView {
    let Some(current) = &request.current else { return ().into_any() };
    let begins = asked.to_lowercase();
    let fitting: Vec<_> = places(current.user.role).into_iter().filter(|(text, _)| text.to_lowercase().starts_with(&begins)).collect();
    if fitting.is_empty() {
        return ().into_any();
    }
    let links = fitting
        .into_iter()
        .map(|(text, href)| view! { <li data-row><a class="button" href=href data-open>{text}<Icon name="arrow-right" /></a></li> });
    view! { <section class="stack"><h2>"Go to"</h2><ul class="line wrap">{links.collect_view()}</ul></section> }.into_any()
}

fn memory(store: &StoreName, hits: &[Hit]) -> AnyView {
    let hit = |h: &Hit| {
        let near = h.by_meaning.then(|| view! { " "<span class="badge info">"By meaning"</span> });
        view! {
            <li data-row>
                <a href=format!("/memories/{}", h.memory_id) data-open><Visible text=h.statement.clone() /></a>{near}
                <div class="quiet"><code><Visible text=h.path.to_string() /></code></div>
            </li>
        }
    };
    view! {
        <section class="stack">
            <h2>"Memory of "<Visible text=store.name.clone() /></h2>
            <ul class="inbox">{hits.iter().map(hit).collect_view()}</ul>
        </section>
    }
    .into_any()
}

fn open_changes(rows: &[WaitingChange], all: i64) -> Option<AnyView> {
    if rows.is_empty() {
        return None;
    }
    let row = |c: &WaitingChange| {
        let href = format!("/changesets/{}?change={}", c.changeset_id, c.id);
        view! {
            <li data-row>
                <a href=href data-open><Visible text=c.title.clone() /></a>
                <div class="meta"><RiskBadge level=c.risk_level /><span><Visible text=c.store_name.clone() /></span></div>
            </li>
        }
    };
    Some(
        view! {
            <section class="stack">
                <h2>{count(all, "open change")}</h2>
                <ul class="inbox">{rows.iter().take(CHANGES).map(row).collect_view()}</ul>
            </section>
        }
        .into_any(),
    )
}
