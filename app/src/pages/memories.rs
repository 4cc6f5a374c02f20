//! What a store remembers, as a tree by path.

use std::collections::BTreeMap;

use domain::{ids::StoreId, rights::Action};
use leptos::prelude::*;
use service::{Found, Hit, MemoryRow, RefusedForm};

use super::stores::store_heading;
use crate::{
    actions::account::encoded,
    components::{
        forms::{self, Refused, form_token},
        layout::Empty,
        text::Visible,
        text_area::TextArea,
        when::When,
    },
    context::page,
};

/// The tree of a store.
#[component]
pub fn Memories() -> impl IntoView {
    page("memory", |request| async move {
        let store = request.lucid.store(request.actor()?, request.id("store")?).await?;
        let memories = request.lucid.memories(request.actor()?, store.id, request.query.get("after").map(String::as_str)).await?;
        let now = request.now();
        let asked = request.query.get("q").map(|q| q.trim().to_owned()).filter(|q| !q.is_empty());
        let found = match &asked {
            Some(query) => Some(request.lucid.search_memory(request.actor()?, store.id, query).await?),
            None => None,
        };
        let about = (!store.description.is_empty()).then(|| view! { <p><Visible text=store.description.clone() /></p> });
        let next =
            memories.rows.last().filter(|_| memories.more).map(|m| format!("/stores/{}?after={}", store.id, encoded(m.path.as_str())));
        let next = next.filter(|_| asked.is_none()).map(|href| view! { <p><a href=href>"Next page"</a></p> });
        let list = if let Some(found) = found {
            results(&found)
        } else if memories.rows.is_empty() {
            view! {
                <Empty title="Nothing is remembered yet">
                    "Import sessions into this store and start a dream; what you approve of it stands here. "<a href="/import">"Import sessions"</a>
                </Empty>
            }
            .into_any()
        } else {
            let mut folders: BTreeMap<String, Vec<MemoryRow>> = BTreeMap::new();
            for memory in memories.rows {
                folders.entry(memory.path.folder().to_owned()).or_default().push(memory);
            }
            folders.into_iter().map(|(folder, inside)| section(folder, inside, now)).collect_view().into_any()
        };
        let refused = request.refused().await;
        let may_propose = request.actor()?.knows(store.id) && request.actor()?.may(Action::SeeMemory, store.id);
        let begun = |name: &str| request.query.get(name).cloned();
        let propose = may_propose.then(|| propose_form(store.id, refused.as_ref(), &begun));
        Ok(view! { {store_heading(&store, "Memories", None)}<Refused form=refused />{about}{search_form(store.id, asked.unwrap_or_default())}{list}{next}{propose} }.into_any())
    })
}

fn search_form(store: StoreId, asked: String) -> impl IntoView {
    let back = (!asked.is_empty()).then(|| view! { <a href=format!("/stores/{store}")>"Show all"</a> });
    view! {
        <form method="get" action=format!("/stores/{store}") class="memory-search" role="search">
            <label><span class="visually-hidden">"Search this memory"</span><input type="search" name="q" value=asked maxlength="200" placeholder="Search this memory" data-key="/" /></label>
            <button>"Search"</button>{back}
        </form>
    }
}

/// What a search found, the best first.
fn results(found: &Found) -> AnyView {
    let how = if found.by_meaning { "by words and by meaning" } else { "by words alone: no sentence model is set up" };
    if found.hits.is_empty() {
        return view! { <Empty title="Nothing found">"Try other words; "{how}"."</Empty> }.into_any();
    }
    let hit = |h: &Hit| {
        let near = h.by_meaning.then(|| view! { " "<span class="badge">"by meaning"</span> });
        view! {
            <li data-row>
                <a href=format!("/memories/{}", h.memory_id) data-open><Visible text=h.statement.clone() /></a>{near}
                <div class="quiet"><Visible text=h.path.to_string() /></div>
            </li>
        }
    };
    view! {
        <p class="quiet">{domain::plural::count(found.hits.len(), "statement")}" found "{how}"."</p>
        <ul class="inbox">{found.hits.iter().map(hit).collect_view()}</ul>
    }
    .into_any()
}

/// Proposing a new memory. A link may have begun one, as that of an open failure does; `begun` says with what.
fn propose_form(store: StoreId, refused: Option<&RefusedForm>, begun: &dyn Fn(&str) -> Option<String>) -> impl IntoView + use<> {
    let kept = |name: &str| forms::kept(refused, name).or_else(|| begun(name)).unwrap_or_default();
    let open = refused.is_some() || begun("content").is_some();
    view! {
        <details id="propose" open=open>
            <summary class="button">"Propose a new memory"</summary>
            <form method="post" action="/do/propose_memory" class="stack card">
                {form_token()}
                <input type="hidden" name="store" value=store.to_string() />
                <label>"Path, as /team/topic.md"<input name="path" value=kept("path") required maxlength="1024" /></label>
                <TextArea name="content" id="proposed-content" value=kept("content") label="Content" required=true />
                <label>"Why"<input name="reason" value=kept("reason") required maxlength="2000" /></label>
                <p class="quiet">"It goes into the queue; somebody else decides on it."</p>
                <button class="primary">"Propose"</button>
            </form>
        </details>
    }
}

fn section(folder: String, inside: Vec<MemoryRow>, now: domain::Timestamp) -> impl IntoView {
    let row = move |m: MemoryRow| {
        let frozen = m.frozen.then(|| view! { " "<span class="badge">"frozen"</span> });
        let by = if m.by_person { "a person" } else { "not a person" };
        view! {
            <tr>
                <td><a href=format!("/memories/{}", m.id)><code>{m.path.name().to_owned()}</code></a>{frozen}</td>
                <td>"version "{m.number}</td>
                <td>{format!("{} bytes", m.bytes)}</td>
                <td>{by}</td>
                <td><When at=m.updated_at now=now /></td>
            </tr>
        }
    };
    view! {
        <section>
            <h2><code>{folder.clone()}</code></h2>
            <div class="scroll" tabindex="0" role="region" aria-label=format!("Memories in {folder}")>
                <table>
                    <thead><tr><th>"Memory"</th><th>"Version"</th><th>"Size"</th><th>"Written by"</th><th>"Since"</th></tr></thead>
                    <tbody>{inside.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        </section>
    }
}
