//! A store: what it is for, how it is doing, and its memories by path.

use domain::{Timestamp, ids::StoreId, plural::count, rights::Action};
use leptos::prelude::*;
use service::{DreamRow, Found, Hit, MemoryRow, RefusedForm, StoreRow};

use super::{memory::tree, stores::store_heading};
use crate::{
    actions::account::encoded,
    components::{
        forms::{self, Refused, form_token},
        icon::Icon,
        layout::Empty,
        text::Visible,
        text_area::TextArea,
        when::When,
    },
    context::{Request, page},
};

/// The tree of a store.
#[component]
pub fn Memories() -> impl IntoView {
    page("memory", |request| async move {
        let store = request
            .lucid
            .store(request.actor()?, request.id("store")?)
            .await?;
        let memories = request
            .lucid
            .memories(
                request.actor()?,
                store.id,
                request.query.get("after").map(String::as_str),
            )
            .await?;
        let now = request.now();
        let asked = request
            .query
            .get("q")
            .map(|q| q.trim().to_owned())
            .filter(|q| !q.is_empty());
        let found = match &asked {
            Some(query) => Some(
                request
                    .lucid
                    .search_memory(request.actor()?, store.id, query)
                    .await?,
            ),
            None => None,
        };
        request.is_about(store.id);
        let tree = request.lucid.tree(request.actor()?, store.id, None).await?;
        let about = health(&request, &store).await?;
        let next = memories
            .rows
            .last()
            .filter(|_| memories.more)
            .map(|m| format!("/stores/{}?after={}", store.id, encoded(m.path.as_str())));
        let next = next.filter(|_| asked.is_none()).map(|href| {
            view! {
                <p>
                    <a href=href>"Next page"</a>
                </p>
            }
        });
        let list = if let Some(found) = found {
            results(&found)
        } else if memories.rows.is_empty() {
            view! {
                <Empty title="Nothing is remembered yet">
                    <p>
                        "Import sessions into this store and start a dream. What you approve \
                         appears here."
                    </p>
                    <p>
                        <a class="button primary" href="/import">
                            "Import sessions"
                        </a>
                    </p>
                </Empty>
            }
            .into_any()
        } else {
            table(memories.rows, now)
        };
        let refused = request.refused().await;
        let may_propose =
            request.actor()?.knows(store.id) && request.actor()?.may(Action::SeeMemory, store.id);
        let begun = |name: &str| request.query.get(name).cloned();
        let propose = may_propose.then(|| propose_form(store.id, refused.as_ref(), &begun));
        let search = search_form(store.id, asked.unwrap_or_default());
        Ok(view! {
            {store_heading(&store, "Memories", None)}
            <div class="panes left">
                {tree::pane(store.id, &tree, None, now)} <div class="mid">
                    <Refused form=refused />
                    {search}
                    {about}
                    {list}
                    {next}
                    {propose}
                </div>
            </div>
        }
        .into_any())
    })
}

/// Shows what the store is for, how much is in it, and when it dreamt.
async fn health(request: &Request, store: &StoreRow) -> service::Result<AnyView> {
    let actor = request.actor()?;
    let now = request.now();
    let dreams = request.lucid.dreams(actor, Some(store.id), None).await?;
    let last = dreams.rows.iter().find_map(|d: &DreamRow| d.ended_at);
    let next = request
        .lucid
        .schedule(actor, store.id)
        .await?
        .filter(|s| s.enabled)
        .map(|s| s.next_run_at);
    let purpose = (!store.description.is_empty()).then(|| {
        view! {
            <p class="wrap">
                <Visible text=store.description.clone() />
            </p>
        }
    });
    let waiting = if store.waiting > 0 {
        let href = format!("/queue?state=open&store={}", store.id);
        view! {
            <a class="link" href=href>
                {count(store.waiting, "open change")}
            </a>
        }
        .into_any()
    } else {
        view! { "No open change" }.into_any()
    };
    let dreamt = match last {
        Some(at) => view! { <When at=at now=now /> }.into_any(),
        None => view! { "never" }.into_any(),
    };
    let due = match next {
        Some(at) => view! {
            "next "
            <When at=at now=now />
        }
        .into_any(),
        None => view! { "no schedule" }.into_any(),
    };
    Ok(view! {
        {purpose}
        <div class="facts">
            <div>
                <b>{count(store.memories, "memory")}</b>
                <small>"at revision "{store.revision}</small>
            </div>
            <div>
                <b>{waiting}</b>
                <small>"waiting for a decision or a commit"</small>
            </div>
            <div>
                <b>{count(store.sessions, "session")}</b>
                <small>"to learn from"</small>
            </div>
            <div>
                <b>"Last dream: "{dreamt}</b>
                <small>{due}</small>
            </div>
        </div>
    }
    .into_any())
}

fn search_form(store: StoreId, asked: String) -> impl IntoView {
    let back = (!asked.is_empty()).then(|| {
        view! {
            <a class="button" href=format!("/stores/{store}")>
                "Show all"
            </a>
        }
    });
    view! {
        <div class="memory-search">
            <button
                type="button"
                class="quiet icon list-button"
                popovertarget="list"
                aria-label="Show all memories"
            >
                <Icon name="panel-left-open" />
            </button>
            {(!asked.is_empty()).then(|| tree::search(store, asked, "Search again"))}
            {back}
        </div>
    }
}

/// Shows what a search found, the best first.
fn results(found: &Found) -> AnyView {
    let how = if found.by_meaning {
        "by words and by meaning"
    } else {
        "by words only, because no sentence model is set up"
    };
    if found.hits.is_empty() {
        return view! { <Empty title="Nothing found">"Try other words. The search looked "{how}"."</Empty> }.into_any();
    }
    let hit = |h: &Hit| {
        let near = h.by_meaning.then(|| {
            view! {
                " "
                <span class="badge info">"By meaning"</span>
            }
        });
        view! {
            <li data-row>
                <a href=format!("/memories/{}", h.memory_id) data-open>
                    <Visible text=h.statement.clone() />
                </a>
                {near}
                <div class="quiet">
                    <Visible text=h.path.to_string() />
                </div>
            </li>
        }
    };
    view! {
        <p class="quiet">{count(found.hits.len(), "statement")}" found "{how}"."</p>
        <ul class="inbox">{found.hits.iter().map(hit).collect_view()}</ul>
    }
    .into_any()
}

/// Proposing a new memory. A link may have begun one, as that of an open failure does; `begun` says
/// with what.
fn propose_form(
    store: StoreId,
    refused: Option<&RefusedForm>,
    begun: &dyn Fn(&str) -> Option<String>,
) -> impl IntoView + use<> {
    let kept = |name: &str| {
        forms::kept(refused, name)
            .or_else(|| begun(name))
            .unwrap_or_default()
    };
    let open = refused.is_some() || begun("content").is_some();
    view! {
        <details id="propose" open=open>
            <summary class="button">
                <Icon name="plus" />
                "Suggest a new memory"
            </summary>
            <form method="post" action="/do/propose_memory" class="stack card">
                {form_token()}
                <input type="hidden" name="store" value=store.to_string() />
                <label>
                    "Path (for example /team/topic.md)"
                    <input name="path" value=kept("path") required maxlength="1024" />
                </label>
                <TextArea
                    name="content"
                    id="proposed-content"
                    value=kept("content")
                    label="Content"
                    required=true
                />
                <label>
                    "Why"<input name="reason" value=kept("reason") required maxlength="2000" />
                </label>
                <p class="quiet">
                    "Your suggestion waits in the queue. Another reviewer decides on it."
                </p>
                <button class="primary">"Suggest this memory"</button>
            </form>
        </details>
    }
}

fn table(rows: Vec<MemoryRow>, now: Timestamp) -> AnyView {
    let row = move |m: MemoryRow| {
        let frozen = m.frozen.then(|| {
            view! {
                " "
                <span class="badge info">
                    <Icon name="snowflake" />
                    "Frozen"
                </span>
            }
        });
        let by = match (m.by_person, m.approved) {
            (true, _) => "A person",
            (_, true) => "A dream or agent, approved",
            _ => "An agent",
        };
        view! {
            <tr>
                <td>
                    <a href=format!("/memories/{}", m.id)>
                        <code>{m.path.to_string()}</code>
                    </a>
                    {frozen}
                </td>
                <td>{by}</td>
                <td>{m.number}</td>
                <td>{format!("{} bytes", m.bytes)}</td>
                <td>
                    <When at=m.updated_at now=now />
                </td>
            </tr>
        }
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Memories by path">
            <table>
                <thead>
                    <tr>
                        <th>"Memory"</th>
                        <th>"Last written by"</th>
                        <th>"Version"</th>
                        <th>"Size"</th>
                        <th>"Since"</th>
                    </tr>
                </thead>
                <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
