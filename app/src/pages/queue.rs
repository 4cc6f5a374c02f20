//! What waits for a decision: by default what is the reader's turn, highest risk first, then oldest. Every filter stands in the address.

use domain::{
    Timestamp,
    actor::Role,
    changeset::ChangeKind,
    ids::{ChangesetId, StoreId},
    plural::count,
    rights::Action,
    risk::Label,
};
use leptos::prelude::*;
use service::{QueueCounts, QueueFilter, QueueRow, TURNS_COUNTED};

use crate::{
    actions::account::encoded,
    components::{
        badges::{RiskBadge, risk_level},
        layout::{Empty, Heading},
        text::Visible,
        when::When,
    },
    context::{Request, page},
    islands::{desk::DeskKeys, live::Live},
};

/// The states that can be looked at: the word in the address, and what the tab says.
const STATES: &[(&str, &str)] = &[
    ("mine", "My turn"),
    ("open", "All open"),
    ("overdue", "Overdue"),
    ("ready", "To commit"),
    ("conflicted", "Conflicted"),
    ("deferred", "Deferred"),
    ("done", "Done"),
];

/// What the address asks for beside the filter.
struct Asked {
    state: &'static str,
    filter: QueueFilter,
}

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
        let position = request.lucid.position().await?;
        let asked = asked(&request, matches!(actor.role, Role::Admin | Role::Reviewer));
        let (list, counts) = if asked.state == "done" {
            let done = request.lucid.done(&actor, &asked.filter, asked.filter.after.map(|(_, id)| id)).await?;
            (done, request.lucid.queue_counts(&actor, &asked.filter).await?)
        } else {
            request.lucid.queue_with_counts(&actor, &asked.filter).await?
        };
        let stores = request.lucid.store_names(&actor).await?;
        let agents = request.lucid.agents(&actor).await?;
        let next = list.rows.last().filter(|_| list.more).map(|r| format!("{}:{}", r.place(asked.filter.by_age), r.changeset.id));
        let options: Vec<(String, String)> = stores.iter().map(|s| (s.id.to_string(), s.name.clone())).collect();
        let rows =
            if list.rows.is_empty() { empty(&request, &asked, &counts, stores.is_empty()) } else { table(&request, &asked, list.rows) };
        Ok(view! {
            <Heading title="Queue" />
            <div id="queue" data-key-scope="queue" data-position=position.to_string()>
                {tabs(&request, &asked, &counts)}
                {filters(&request, &asked, &options, &agents)}
                {rows}
                {next.map(|n| view! { <p><a href=address(&request, &[("after", &n)])>"Next page"</a></p> })}
            </div>
            <DeskKeys />
            <Live stream=format!("/live/queue?after={position}") region="queue".to_owned() />
        }
        .into_any())
    })
}

/// What the address asks for. Who decides looks at their own turn first, everybody else at what is open.
fn asked(request: &Request, decides: bool) -> Asked {
    let default = if decides { "mine" } else { "open" };
    let wanted = request.query.get("state").map_or(default, String::as_str);
    let state = STATES.iter().map(|(word, _)| *word).find(|word| *word == wanted).unwrap_or(default);
    let assignee = ["me", "nobody", "others"].into_iter().find(|w| request.query.get("assignee").is_some_and(|a| a == w));
    let text = |name: &str| request.query.get(name).map(|t| t.trim().chars().take(200).collect::<String>()).filter(|t| !t.is_empty());
    let filter = QueueFilter {
        store: request.asked::<StoreId>("store"),
        kind: request.asked::<ChangeKind>("kind"),
        label: request.asked::<Label>("label"),
        agent: text("agent"),
        text: text("q"),
        assignee,
        state: Some(state).filter(|s| !matches!(*s, "open" | "done")),
        by_age: request.query.get("sort").is_some_and(|s| s == "due"),
        after: request.query.get("after").and_then(|a| parse_after(a)),
    };
    Asked { state, filter }
}

fn parse_after(text: &str) -> Option<(i64, ChangesetId)> {
    let (place, id) = text.split_once(':')?;
    Some((place.parse().ok()?, id.parse().ok()?))
}

/// This address with other values; an empty one is left out.
fn address(request: &Request, with: &[(&str, &str)]) -> String {
    let kept = ["state", "store", "kind", "label", "agent", "assignee", "q", "sort"];
    let value = |name: &str| {
        let new = with.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        new.or_else(|| request.query.get(name).cloned()).filter(|v| !v.is_empty()).map(|v| format!("{name}={}", encoded(&v)))
    };
    let after = with.iter().find(|(n, _)| *n == "after").map(|(_, v)| format!("after={}", encoded(v)));
    let parts: Vec<String> = kept.iter().filter_map(|n| value(n)).chain(after).collect();
    if parts.is_empty() { "/queue".to_owned() } else { format!("/queue?{}", parts.join("&")) }
}

fn tabs(request: &Request, asked: &Asked, counts: &QueueCounts) -> AnyView {
    let tab = |&(word, text): &(&'static str, &'static str)| {
        let number = match word {
            "mine" => Some(counts.mine),
            "open" => Some(counts.open),
            "overdue" => Some(counts.overdue),
            "ready" => Some(counts.ready),
            "conflicted" => Some(counts.conflicted),
            "deferred" => Some(counts.deferred),
            _ => None,
        };
        let number = number.map(|n| if word == "mine" && n >= TURNS_COUNTED { format!("{n}+") } else { n.to_string() });
        let number = number.map(|n| view! { " "<span class="quiet">{n}</span> });
        view! { <li><a href=address(request, &[("state", word)]) aria-current=(word == asked.state).then_some("page")>{text}{number}</a></li> }
    };
    view! { <nav class="tabs" aria-label="Which changesets"><ul>{STATES.iter().map(tab).collect_view()}</ul></nav> }.into_any()
}

fn choice(name: &'static str, label: &'static str, all: &str, options: &[(String, String)], chosen: &str) -> impl IntoView + use<> {
    let option = |(value, text): &(String, String)| view! { <option value=value.clone() selected=value == chosen>{text.clone()}</option> };
    view! { <label>{label}" "<select name=name><option value="">{all.to_owned()}</option>{options.iter().map(option).collect_view()}</select></label> }
}

fn filters(request: &Request, asked: &Asked, stores: &[(String, String)], agents: &[String]) -> AnyView {
    let words = |all: &[&str]| all.iter().map(|w| ((*w).to_owned(), w.replace('_', " "))).collect::<Vec<_>>();
    let kinds = words(&ChangeKind::ALL.iter().map(|k| k.as_str()).collect::<Vec<_>>());
    let labels = words(&Label::ALL.iter().map(|l| l.as_str()).collect::<Vec<_>>());
    let agents: Vec<(String, String)> = agents.iter().map(|a| (a.clone(), domain::masking::mask(a))).collect();
    let who = [("me", "me"), ("nobody", "nobody"), ("others", "somebody else")].map(|(v, t)| (v.to_owned(), t.to_owned()));
    let sorts = [("due".to_owned(), "due time".to_owned())];
    let now = |name: &str| request.query.get(name).cloned().unwrap_or_default();
    let any = ["store", "kind", "label", "agent", "assignee", "q", "sort"].iter().any(|n| !now(n).is_empty());
    let clear = any.then(|| view! { <a href=format!("/queue?state={}", asked.state)>"Clear"</a> });
    view! {
        <form method="get" action="/queue" class="filters">
            <input type="hidden" name="state" value=asked.state />
            <label class="search">"Search "<input type="search" name="q" value=now("q") maxlength="200" data-key="/" /></label>
            {choice("store", "Store", "every store", stores, &now("store"))}
            <details open=any><summary>"More filters"</summary>
                <div class="filters">
                    {choice("kind", "Kind", "every kind", &kinds, &now("kind"))}
                    {choice("label", "Label", "any label", &labels, &now("label"))}
                    {choice("agent", "Agent", "every agent", &agents, &now("agent"))}
                    {choice("assignee", "Claimed by", "anybody", &who, &now("assignee"))}
                    {choice("sort", "Order", "risk, then age", &sorts, &now("sort"))}
                </div>
            </details>
            <button>"Show"</button>
            {clear}
        </form>
    }
    .into_any()
}

fn table(request: &Request, asked: &Asked, rows: Vec<QueueRow>) -> AnyView {
    let now = request.now();
    let done = asked.state == "done";
    let body = rows.into_iter().map(|r| row(r, now, done)).collect_view();
    let bulk = (!done).then(|| view! { <button data-key="bulk">"Decide chosen …"</button> });
    let due = (!done).then(|| view! { <th>"Due"</th> });
    view! {
        <form method="get" action="/bulk" class="stack">
            <div class="scroll" tabindex="0" role="region" aria-label="Changesets">
                <table>
                    <thead><tr>{(!done).then(|| view! { <th><span class="visually-hidden">"Choose"</span></th> })}<th>"Risk"</th><th>"Changeset"</th><th>"Why it is here"</th><th>"Store"</th><th>"Since"</th>{due}</tr></thead>
                    <tbody>{body}</tbody>
                </table>
            </div>
            {bulk}
        </form>
    }
    .into_any()
}

fn row(r: QueueRow, now: Timestamp, done: bool) -> AnyView {
    let id = r.changeset.id.to_string();
    let href = format!("/changesets/{id}");
    let risk = risk_level(r.risk).map(|level| view! { <RiskBadge level=level /> });
    let label = format!("Choose “{}”", r.changeset.title);
    let choose = (!done).then(|| view! { <td><input type="checkbox" name=id value="on" aria-label=label data-key=" " /></td> });
    let claimed = r
        .claimed_name
        .clone()
        .map(|name| view! { " "<span class="badge claim"><span aria-hidden="true">"◉ "</span>{name}" works on it"</span> });
    let overdue = r.due_at.is_some_and(|at| at < now);
    let due = (!done).then(|| {
        let late = overdue.then(|| view! { " "<span class="badge state-conflicted">"overdue"</span> });
        let when = r.due_at.map(|at| view! { <When at=at now=now /> });
        view! { <td>{when}{late}</td> }
    });
    let why = if done { ended(&r) } else { why(&r) };
    view! {
        <tr data-row>
            {choose}
            <td>{risk}</td>
            <td><a href=href class="strong" data-open><Visible text=r.changeset.title /></a>{claimed}</td>
            <td>{why}</td>
            <td><a href=format!("/stores/{}", r.changeset.store_id)>{r.changeset.store_name}</a></td>
            <td><When at=r.changeset.created_at now=now /></td>
            {due}
        </tr>
    }
    .into_any()
}

/// Why it is here: `a dream proposed it: 3 to decide, 1 to commit`.
fn why(row: &QueueRow) -> String {
    let from = match row.changeset.origin.as_str() {
        "dream" => "a dream proposed it",
        "agent" => "an agent wanted to write",
        "revert" => "somebody takes a commit back",
        _ => "a person proposed it",
    };
    let parts =
        [(row.pending, "to decide"), (row.approved, "to commit"), (row.deferred, "deferred"), (row.conflicted, "of them conflicted")];
    let parts = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect::<Vec<_>>().join(", ");
    format!("{from}: {parts}")
}

/// What came of it: all, some or none.
fn ended(row: &QueueRow) -> String {
    match (row.committed, row.rejected) {
        (0, 0) => row.changeset.state.to_string(),
        (n, 0) => format!("{}: {n} committed", row.changeset.state),
        (0, m) => format!("{}: {m} rejected", row.changeset.state),
        (n, m) => format!("{}: {n} committed, {m} rejected", row.changeset.state),
    }
}

fn empty(request: &Request, asked: &Asked, counts: &QueueCounts, no_store: bool) -> AnyView {
    if asked.state == "done" {
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
    if counts.open > 0 {
        let what = if asked.state == "mine" { "Nothing waits for you" } else { "Nothing here" };
        let all = address(request, &[("state", "open")]);
        let open = count(counts.open, "changeset");
        return view! { <Empty title=what>{open}" open, and none of it fits what you look at: it is somebody else’s turn, or another filter. "<a href=all>"Show all open"</a></Empty> }
            .into_any();
    }
    view! {
        <Empty title="Nothing waits for a decision">
            <p>"Dreams go over sessions and memory, and what they would change waits here for you. To see one:"</p>
            <ol><li><a href="/import">"Import sessions"</a></li><li><a href="/dreams">"Start a dream"</a></li></ol>
        </Empty>
    }
    .into_any()
}
