//! What waits for a decision: highest risk first, then oldest.

use domain::{
    ids::{ChangesetId, StoreId},
    rights::Action,
};
use leptos::prelude::*;
use service::QueueRow;

use crate::{
    components::{
        badges::{RiskBadge, risk_level},
        layout::{Empty, Heading},
        when::When,
    },
    context::{Request, page},
};

/// The first page is the queue.
#[component]
pub fn Home() -> impl IntoView {
    leptos_axum::redirect("/queue");
}

/// Changesets that are open, or all that are done.
#[component]
pub fn Queue() -> impl IntoView {
    page("queue", |request| async move {
        let actor = request.actor()?.clone();
        let done = request.query.get("state").is_some_and(|s| s == "done");
        let store = request.asked::<StoreId>("store");
        let after = request.query.get("after").and_then(|a| parse_after(a));
        let list = request.lucid.queue(&actor, !done, store, after).await?;
        let stores = request.lucid.stores(&actor).await?;
        let next = list.rows.last().filter(|_| list.more).map(|r| format!("{}:{}", r.risk, r.changeset.id));
        let options = stores
            .iter()
            .map(|s| view! { <option value=s.id.to_string() selected=Some(s.id) == store>{s.name.clone()}</option> })
            .collect_view();
        let filters = view! {
            <form method="get" action="/queue" class="filters">
                <label>"State "<select name="state"><option value="open" selected=!done>"open"</option><option value="done" selected=done>"done"</option></select></label>
                <label>"Store "<select name="store"><option value="">"every store"</option>{options}</select></label>
                <button>"Show"</button>
            </form>
        };
        let rows = if list.rows.is_empty() { empty(&request, done, stores.is_empty()) } else { table(&request, list.rows) };
        Ok(view! { <Heading title="Queue" />{filters}{rows}{next.map(|n| more(&request, &n))} }.into_any())
    })
}

fn parse_after(text: &str) -> Option<(i64, ChangesetId)> {
    let (risk, id) = text.split_once(':')?;
    Some((risk.parse().ok()?, id.parse().ok()?))
}

fn more(request: &Request, next: &str) -> impl IntoView + use<> {
    let kept = |name: &str| request.query.get(name).map(|v| format!("&{name}={v}")).unwrap_or_default();
    let href = format!("/queue?after={next}{}{}", kept("state"), kept("store"));
    view! { <p><a href=href>"Next page"</a></p> }
}

fn table(request: &Request, rows: Vec<QueueRow>) -> AnyView {
    let now = request.now();
    let row = move |r: QueueRow| {
        let href = format!("/changesets/{}", r.changeset.id);
        let risk = risk_level(r.risk).map(|level| view! { <RiskBadge level=level /> });
        let origin = match r.changeset.dream_id {
            Some(id) => view! { <a href=format!("/dreams/{id}")>"a dream"</a> }.into_any(),
            None => r.changeset.origin.clone().into_any(),
        };
        let waits = if r.pending + r.approved + r.deferred == 0 { r.changeset.state.to_string() } else { waiting(&r) };
        view! {
            <tr>
                <td>{risk}</td>
                <td><a href=href class="strong">{r.changeset.title}</a></td>
                <td>{waits}</td>
                <td><a href=format!("/stores/{}", r.changeset.store_id)>{r.changeset.store_name}</a></td>
                <td>{origin}</td>
                <td><When at=r.changeset.created_at now=now /></td>
            </tr>
        }
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Changesets">
            <table>
                <thead><tr><th>"Risk"</th><th>"Changeset"</th><th>"Waits for"</th><th>"Store"</th><th>"From"</th><th>"Since"</th></tr></thead>
                <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// `3 to decide, 1 to commit`.
fn waiting(row: &QueueRow) -> String {
    let parts =
        [(row.pending, "to decide"), (row.approved, "to commit"), (row.deferred, "deferred"), (row.conflicted, "of them conflicted")];
    parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect::<Vec<_>>().join(", ")
}

fn empty(request: &Request, done: bool, no_store: bool) -> AnyView {
    if done {
        return view! { <Empty title="Nothing is done yet">"Changesets appear here once every change in them was decided and what was approved was committed."</Empty> }.into_any();
    }
    if no_store {
        let admin = request.current.as_ref().is_some_and(|c| c.actor.may_in_general(Action::CreateStore));
        let how = if admin {
            "Make a memory store, then import sessions into it."
        } else {
            "You have no grant on a memory store yet. Ask an admin for one."
        };
        return view! { <Empty title="Nothing waits">{how}" "<a href="/stores">"To the stores"</a></Empty> }.into_any();
    }
    view! {
        <Empty title="Nothing waits for a decision">
            <p>"Dreams go over sessions and memory, and what they would change waits here for you. To see one:"</p>
            <ol><li><a href="/import">"Import sessions"</a></li><li><a href="/dreams">"Start a dream"</a></li></ol>
        </Empty>
    }
    .into_any()
}
