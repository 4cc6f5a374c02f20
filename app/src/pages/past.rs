//! The past of a store: what it held at a revision or a time, and two revisions compared.

use domain::{
    Timestamp,
    ids::{MemoryId, StoreId},
    plural::count,
};
use leptos::prelude::*;
use service::{Between, Error, PastRow, StoreRow};

use super::stores::store_heading;
use crate::{
    actions::account::encoded,
    components::{diff::DiffLines, icon::Icon, layout::Empty, text::Visible, when::When},
    context::{Request, page},
};

/// Shows what a store held at the revision, or at the time, that the address names.
#[component]
pub fn AsOf() -> impl IntoView {
    page("memory", |request| async move {
        let (store, actor) = (store_of(&request).await?, request.actor()?);
        let time = request
            .query
            .get("time")
            .map(|t| t.trim())
            .filter(|t| !t.is_empty());
        let revision = match time {
            Some(time) => {
                request
                    .lucid
                    .revision_at(actor, store.id, moment(time)?)
                    .await?
            }
            None => request.asked("revision").unwrap_or(store.revision),
        };
        let past = request
            .lucid
            .as_of(
                actor,
                store.id,
                revision,
                request.query.get("after").map(String::as_str),
            )
            .await?;
        let now = request.now();
        let next = past
            .memories
            .rows
            .last()
            .filter(|_| past.memories.more)
            .map(|m| {
                let href = format!(
                    "/stores/{}/at?revision={revision}&after={}",
                    store.id,
                    encoded(m.path.as_str())
                );
                view! {
                    <p>
                        <a href=href>"Next page"</a>
                    </p>
                }
            });
        let list = if past.memories.rows.is_empty() {
            view! {
                <Empty title="Nothing was remembered yet">
                    "The store was empty at this revision. Choose a later one."
                </Empty>
            }
            .into_any()
        } else {
            table(past.memories.rows, now)
        };
        Ok(view! {
            {store_heading(&store, "History", None)}
            {bar(&store, revision, past.at, now)}
            {choose(&store, revision)}
            {list}
            {next}
        }
        .into_any())
    })
}

async fn store_of(request: &Request) -> service::Result<StoreRow> {
    let store = request
        .lucid
        .store(request.actor()?, request.id::<StoreId>("store")?)
        .await?;
    request.is_about(store.id);
    Ok(store)
}

/// A day or a minute as a browser's field has it, in UTC; of a day, its end.
fn moment(text: &str) -> service::Result<Timestamp> {
    let whole = match text.len() {
        10 => format!("{text}T23:59:59Z"),
        16 => format!("{text}:59Z"),
        _ => text.to_owned(),
    };
    Timestamp::parse(&whole).ok_or_else(|| {
        Error::Invalid(format!(
            "`{text}` is no time; write it as 2026-03-01T10:00, in UTC"
        ))
    })
}

/// Says that one looks at the past, and leads back.
fn bar(store: &StoreRow, revision: i64, at: Option<Timestamp>, now: Timestamp) -> AnyView {
    let id = store.id;
    let when = at.map(|at| {
        view! {
            ", committed "
            <When at=at now=now />
        }
    });
    let compare = (revision < store.revision).then(|| {
        view! {
            " "
            <a
                class="link"
                href=format!("/stores/{id}/compare?from={revision}&to={}", store.revision)
            >
                "Compare with now"
            </a>
        }
    });
    view! {
        <div class="notice info">
            <strong>"The store as of revision "{revision}</strong>
            {when}
            ". The newest is "
            {store.revision}
            "."
            {compare}
            " "
            <a class="link" href=format!("/stores/{id}")>
                "Back to now"
            </a>
        </div>
    }
    .into_any()
}

fn choose(store: &StoreRow, revision: i64) -> AnyView {
    view! {
        <form method="get" action=format!("/stores/{}/at", store.id) class="filters">
            <label>
                "Revision"
                <input
                    type="number"
                    name="revision"
                    value=revision.to_string()
                    min="0"
                    max=store.revision.to_string()
                />
            </label>
            <label class="wrap">"or as of (UTC)"<input type="datetime-local" name="time" /></label>
            <button>"Show"</button>
        </form>
    }
    .into_any()
}

fn table(rows: Vec<PastRow>, now: Timestamp) -> AnyView {
    let row = |m: PastRow| {
        let href = format!("/memories/{}?version={}", m.memory_id, m.number);
        view! {
            <tr>
                <td>
                    <a href=href>
                        <code>
                            <Visible text=m.path.to_string() />
                        </code>
                    </a>
                </td>
                <td>"Version "{m.number}</td>
                <td>
                    <When at=m.created_at now=now />
                </td>
            </tr>
        }
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Memories">
            <table>
                <thead>
                    <tr>
                        <th>"Memory"</th>
                        <th>"Version"</th>
                        <th>"Since"</th>
                    </tr>
                </thead>
                <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// Two revisions of a store, memory by memory.
#[component]
pub fn CompareRevisions() -> impl IntoView {
    page("memory", |request| async move {
        let store = store_of(&request).await?;
        let to = request.asked("to").unwrap_or(store.revision);
        let from: i64 = request.asked("from").unwrap_or((to - 1).max(0));
        let after = request.asked::<MemoryId>("after");
        let differing = request
            .lucid
            .compare_revisions(request.actor()?, store.id, (from, to), after)
            .await?;
        let next = differing
            .rows
            .last()
            .filter(|_| differing.more)
            .map(|last| {
                let href = format!(
                    "/stores/{}/compare?from={from}&to={to}&after={}",
                    store.id, last.memory
                );
                view! {
                    <p>
                        <a href=href>"Next page"</a>
                    </p>
                }
            });
        let form = view! {
            <form method="get" class="filters">
                <label>
                    "Compare revision"
                    <input type="number" name="from" value=from.to_string() min="0" required />
                </label>
                <label>
                    "with"<input type="number" name="to" value=to.to_string() min="0" required />
                </label>
                <button>"Compare"</button>
            </form>
        };
        let says = if differing.rows.is_empty() && after.is_none() {
            view! { <Empty title="No difference">"No memory was written between these revisions."</Empty> }.into_any()
        } else {
            let shown = count(differing.rows.len(), "memory");
            let more = if differing.more {
                ", and more on the next page"
            } else {
                ""
            };
            view! { <p class="quiet">{format!("Differs between revision {from} and {to}: {shown}{more}.")}</p> }
            .into_any()
        };
        Ok(view! {
            {store_heading(&store, "History", None)}
            {form}
            {says}
            {differing.rows.into_iter().map(one).collect_view()}
            {next}
        }
        .into_any())
    })
}

fn one(between: Between) -> AnyView {
    let (was, is) = (between.before, between.after);
    let path = is
        .as_ref()
        .or(was.as_ref())
        .map(ToString::to_string)
        .unwrap_or_default();
    let did = match (&was, &is) {
        (None, Some(_)) => "added".to_owned(),
        (Some(_), None) => "removed".to_owned(),
        (Some(a), Some(b)) if a != b => format!("moved from {a}"),
        (Some(_), Some(_)) => "changed".to_owned(),
        // Added and removed again in between.
        (None, None) => return ().into_any(),
    };
    view! {
        <section class="card">
            <h2>
                <a href=format!("/memories/{}", between.memory)>
                    <code>
                        <Visible text=path />
                    </code>
                </a>
            </h2>
            <p class="quiet">
                <Icon name="git-compare" />
                " "
                <Visible text=did />
            </p>
            <DiffLines lines=between.lines />
        </section>
    }
    .into_any()
}
