//! The review queue: what waits for a decision, change by change, by default what is the reader's turn and the earliest due first. Every
//! filter stands in the address.

use domain::{
    Timestamp,
    actor::Role,
    changeset::{ChangeKind, ChangeState},
    ids::{ChangeId, ChangesetId, StoreId},
    plural::count,
    rights::Action,
    risk::{Label, RiskLevel},
};
use leptos::prelude::*;
use service::{QueueCounts, QueueFilter, QueueRow, TURNS_COUNTED, WaitingChange};

use crate::{
    actions::account::encoded,
    components::{
        badges::{RiskBadge, label_word},
        icon::Icon,
        layout::{Avatar, Empty, Heading},
        prose::Inline,
        text::Visible,
        when::When,
    },
    context::{Request, page},
    islands::{desk::DeskKeys, live::Live, preview::Preview},
};

/// The states that can be looked at: the word in the address, and what the tab says.
const STATES: &[(&str, &str)] = &[
    ("mine", "My turn"),
    ("others", "Waiting for others"),
    ("ready", "Ready to commit"),
    ("conflicted", "Conflicts"),
    ("deferred", "Deferred"),
    ("overdue", "Overdue"),
    ("open", "All open"),
    ("done", "Done"),
];

/// What the address asks for.
struct Asked {
    state: &'static str,
    filter: QueueFilter,
    after: Option<(i64, ChangeId)>,
}

/// Each role begins where its work is.
#[component]
pub fn Home() -> impl IntoView {
    let role = Request::of_page().current.map(|c| c.user.role);
    leptos_axum::redirect(match role {
        Some(Role::Auditor) => "/audit",
        Some(Role::Member) => "/stores",
        _ => "/queue",
    });
}

/// Changes that wait, or changesets that are done.
#[component]
pub fn Queue() -> impl IntoView {
    page("queue", |request| async move {
        let actor = request.actor()?.clone();
        let position = request.lucid.position().await?;
        let asked = asked(&request, matches!(actor.role, Role::Admin | Role::Reviewer));
        if let Some(store) = asked.filter.store {
            request.is_about(store);
        }
        let stores = request.lucid.store_names(&actor).await?;
        let (list, counts, more, first) = if asked.state == "done" {
            let before = request.asked::<ChangesetId>("before");
            let done = request.lucid.done(&actor, &asked.filter, before).await?;
            let more = done.rows.last().filter(|_| done.more).map(|r| address(&request, &[("before", &r.changeset.id.to_string())]));
            let counts = request.lucid.queue_counts(&actor, &asked.filter).await?;
            let list = (!done.rows.is_empty()).then(|| ended_list(done.rows, request.now()));
            (list, counts, more, None)
        } else {
            let (page, counts) = request.lucid.waiting_changes(&actor, &asked.filter, asked.after).await?;
            let place = |c: &WaitingChange| format!("{}:{}", c.due_at.0, c.id);
            let more = page.rows.last().filter(|_| page.more).map(|c| address(&request, &[("after", &place(c))]));
            let first = page.rows.first().map(desk_of);
            ((!page.rows.is_empty()).then(|| waiting_list(&request, page.rows)), counts, more, first)
        };
        let agents = request.lucid.agents(&actor).await?;
        let options: Vec<(String, String)> = stores.iter().map(|s| (s.id.to_string(), s.name.clone())).collect();
        let list = match list {
            Some(list) => list,
            None => match first_steps(&request, counts.open).await? {
                Some(steps) => steps,
                None => empty(&request, &asked, &counts, stores.is_empty()),
            },
        };
        let action = actions(first);
        Ok(view! {
            <Heading title="Queue" action=action />
            <div id="queue" data-key-scope="queue" data-position=position.to_string()>
                {tabs(&request, &asked, &counts)}
                {filters(&request, &asked, &options, &agents)}
                <div class="panes right">
                    <div>{list}{more.map(|href| view! { <p class="tools"><a class="button" href=href>"Show more"</a></p> })}</div>
                    <aside class="pane last" aria-label="Preview"><Preview /></aside>
                </div>
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
    let one_of = |name: &str, words: &[&'static str]| words.iter().copied().find(|w| request.query.get(name).is_some_and(|v| v == w));
    let text = |name: &str| request.query.get(name).map(|t| t.trim().chars().take(200).collect::<String>()).filter(|t| !t.is_empty());
    let filter = QueueFilter {
        store: request.asked::<StoreId>("store"),
        kind: request.asked::<ChangeKind>("kind"),
        label: request.asked::<Label>("label"),
        agent: text("agent"),
        text: text("q"),
        assignee: one_of("assignee", &["me", "nobody", "others"]),
        risk: request.asked::<RiskLevel>("risk"),
        origin: one_of("origin", &["dream", "agent", "person", "revert"]),
        state: Some(state).filter(|s| !matches!(*s, "open" | "done")),
        ..QueueFilter::default()
    };
    Asked { state, filter, after: request.query.get("after").and_then(|a| parse_after(a)) }
}

fn parse_after(text: &str) -> Option<(i64, ChangeId)> {
    let (place, id) = text.split_once(':')?;
    Some((place.parse().ok()?, id.parse().ok()?))
}

/// The filters that an address keeps.
const KEPT: &[&str] = &["state", "store", "risk", "kind", "label", "origin", "agent", "assignee", "q"];

/// This address with other values; an empty one is left out.
fn address(request: &Request, with: &[(&str, &str)]) -> String {
    let value = |name: &str| {
        let new = with.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        new.or_else(|| request.query.get(name).cloned()).filter(|v| !v.is_empty()).map(|v| format!("{name}={}", encoded(&v)))
    };
    let pages = with.iter().filter(|(n, _)| !KEPT.contains(n)).map(|(n, v)| format!("{n}={}", encoded(v)));
    let parts: Vec<String> = KEPT.iter().filter_map(|n| value(n)).chain(pages).collect();
    if parts.is_empty() { "/queue".to_owned() } else { format!("/queue?{}", parts.join("&")) }
}

/// Where a change is decided.
fn desk_of(c: &WaitingChange) -> String {
    format!("/changesets/{}?change={}", c.changeset_id, c.id)
}

fn actions(first: Option<String>) -> AnyView {
    let start = first.map(|href| {
        view! { <a class="button primary" href=href>"Start reviewing"<kbd class="key" aria-hidden="true">"O"</kbd></a> }
    });
    view! {
        <button form="chosen" class="quiet" data-key="bulk"><Icon name="list-checks" />"Review selected"<kbd class="key" aria-hidden="true">"B"</kbd></button>
        {start}
    }
    .into_any()
}

fn tabs(request: &Request, asked: &Asked, counts: &QueueCounts) -> AnyView {
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
        let number = number.map(|n| if word == "mine" && n >= TURNS_COUNTED { format!("{n}+") } else { n.to_string() });
        let number = number.map(|n| view! { " "<span>{n}</span> });
        view! { <li><a href=address(request, &[("state", word)]) aria-current=(word == asked.state).then_some("page")>{text}{number}</a></li> }
    };
    view! { <nav class="tabs" aria-label="Queue views"><ul>{STATES.iter().map(tab).collect_view()}</ul></nav> }.into_any()
}

/// A filter: a menu of links, and, once it is set, the way to take it off.
fn chip(request: &Request, name: &'static str, title: &'static str, options: &[(String, String)]) -> AnyView {
    let now = request.query.get(name).cloned().unwrap_or_default();
    if let Some((_, text)) = options.iter().find(|(value, _)| *value == now) {
        let off = address(request, &[(name, "")]);
        let label = format!("Remove the filter {title}: {text}");
        return view! { <a class="chip on" href=off aria-label=label>{title}": "<Visible text=text.clone() /><Icon name="x" /></a> }
            .into_any();
    }
    let option = |(value, text): &(String, String)| view! { <a href=address(request, &[(name, value)])><Visible text=text.clone() /></a> };
    let id = format!("filter-{name}");
    view! {
        <button type="button" class="chip bare" popovertarget=id.clone()>{title}<Icon name="chevron-down" /></button>
        <div class="menu filter" id=id popover>{options.iter().map(option).collect_view()}</div>
    }
    .into_any()
}

fn filters(request: &Request, asked: &Asked, stores: &[(String, String)], agents: &[String]) -> AnyView {
    let pairs = |all: &[(&str, &str)]| all.iter().map(|(v, t)| ((*v).to_owned(), (*t).to_owned())).collect::<Vec<_>>();
    let kinds: Vec<_> = ChangeKind::ALL.iter().map(|k| (k.as_str().to_owned(), k.as_str().to_owned())).collect();
    let labels: Vec<_> = Label::ALL.iter().map(|l| (l.as_str().to_owned(), label_word(*l).to_owned())).collect();
    let agents: Vec<_> = agents.iter().map(|a| (a.clone(), domain::masking::mask(a))).collect();
    let risks = pairs(&[("high", "High"), ("medium", "Medium"), ("low", "Low")]);
    let sources = pairs(&[("dream", "A dream"), ("agent", "An agent"), ("person", "A person"), ("revert", "A revert")]);
    let who = pairs(&[("me", "Me"), ("nobody", "Nobody"), ("others", "Somebody else")]);
    let kept = KEPT.iter().filter(|n| **n != "q").filter_map(|n| request.query.get(*n).map(|v| (*n, v.clone())));
    let kept = kept.map(|(n, v)| view! { <input type="hidden" name=n value=v /> }).collect_view();
    let done = asked.state == "done";
    let chips = (!done).then(|| {
        view! {
            {chip(request, "risk", "Risk", &risks)}
            {chip(request, "kind", "Kind", &kinds)}
            {chip(request, "label", "Label", &labels)}
            {chip(request, "origin", "Source", &sources)}
            {(!agents.is_empty()).then(|| chip(request, "agent", "Agent", &agents))}
            {chip(request, "assignee", "Claimed by", &who)}
        }
    });
    let order = if done { "Newest first" } else { "Due first" };
    view! {
        <div class="tools">
            <form method="get" action="/queue" class="find" role="search" aria-label="Filter the queue">
                <Icon name="search" />
                {kept}
                <input type="search" name="q" value=request.query.get("q").cloned().unwrap_or_default() maxlength="200" placeholder="Filter by title or path" aria-label="Filter the queue" data-key="/" />
            </form>
            {(stores.len() > 1).then(|| chip(request, "store", "Store", stores))}
            {chips}
            <span class="quiet end">{order}</span>
        </div>
    }
    .into_any()
}

/// The list, in groups by when it is due.
fn waiting_list(request: &Request, rows: Vec<WaitingChange>) -> AnyView {
    let now = request.now();
    let mut groups: Vec<(&'static str, Vec<WaitingChange>)> = Vec::new();
    for c in rows {
        let group = due_group(&c, now);
        match groups.last_mut() {
            Some((last, inside)) if *last == group => inside.push(c),
            _ => groups.push((group, vec![c])),
        }
    }
    let me = request.current.as_ref().map(|c| c.user.id);
    let show = |(title, inside): (&'static str, Vec<WaitingChange>)| {
        let number = inside.len();
        view! {
            <h2><b>{title}</b>" "{number}</h2>
            <ul>{inside.into_iter().map(|c| waiting_row(c, now, me)).collect_view()}</ul>
        }
    };
    view! { <form method="get" action="/bulk" id="chosen" class="rows" aria-label="Changes">{groups.into_iter().map(show).collect_view()}</form> }
        .into_any()
}

fn due_group(c: &WaitingChange, now: Timestamp) -> &'static str {
    if c.state == ChangeState::Deferred {
        "Deferred"
    } else if c.due_at < now {
        "Overdue"
    } else if c.due_at < now.plus_seconds(86_400) {
        "Due within a day"
    } else {
        "Later"
    }
}

fn waiting_row(c: WaitingChange, now: Timestamp, me: Option<domain::ids::UserId>) -> AnyView {
    let (id, href, due) = (c.id.to_string(), desk_of(&c), due(&c, now));
    let label = format!("Select “{}”", c.title);
    let approvals = format!("{} of {}", c.given.min(c.needed), count(c.needed, "approval"));
    let pips = (0..c.needed).map(|n| view! { <i class=if n < c.given { "on" } else { "" }></i> }).collect_view();
    let claimed = c.claimed_name.clone().map(|name| {
        let (who, title) = (format!("Claimed by {name}"), format!("Claimed by {name}"));
        view! { <span class="claim" title=title><Avatar name=name me=c.claimed_by == me /><span class="visually-hidden">{who}</span></span> }
    });
    view! {
        <li class="row" data-row>
            <input type="checkbox" name=id value="on" aria-label=label data-key=" " />
            <div class="b">
                <p class="t cut"><a href=href data-open><Visible text=c.title.clone() /></a></p>
                <p class="d cut"><Inline text=substance(&c) /></p>
            </div>
            <span class="c"><RiskBadge level=c.risk_level /></span>
            <span class="c"><span class="pips" role="img" aria-label=approvals>{pips}</span><span aria-hidden="true">{c.given.min(c.needed)}"/"{c.needed}</span></span>
            {due}
            <span class="c num">{claimed}</span>
        </li>
    }
    .into_any()
}

fn due(c: &WaitingChange, now: Timestamp) -> AnyView {
    if c.state == ChangeState::Deferred {
        return view! { <span class="c num"></span> }.into_any();
    }
    let class = if c.due_at < now {
        "c num due late"
    } else if c.due_at < now.plus_seconds(86_400) {
        "c num due soon"
    } else {
        "c num due"
    };
    view! { <span class=class><When at=c.due_at now=now /></span> }.into_any()
}

/// One line from the change itself: what happened to it, else its reason's first sentence.
fn substance(c: &WaitingChange) -> String {
    let path = c.path.clone().unwrap_or_default();
    if c.conflicted {
        return format!("Conflict: {path} has changed since this was proposed.");
    }
    let said = first_sentence(&c.rationale);
    match c.origin.as_str() {
        "agent" => format!("An agent asks to write {path}. {said}"),
        _ if said.is_empty() => path,
        _ => said,
    }
}

/// The first sentence of a text, on one line.
fn first_sentence(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or_default();
    let end = line.match_indices(['.', '?', '!']).map(|(i, _)| i + 1).find(|&i| line[i..].starts_with(' '));
    line[..end.unwrap_or(line.len())].to_owned()
}

/// Changesets in which nothing is left to do.
fn ended_list(rows: Vec<QueueRow>, now: Timestamp) -> AnyView {
    let row = |r: QueueRow| {
        let href = format!("/changesets/{}", r.changeset.id);
        view! {
            <li class="row" data-row>
                <span></span>
                <div class="b"><p class="t cut"><a href=href data-open><Visible text=r.changeset.title.clone() /></a></p><p class="d cut"><Visible text=r.changeset.store_name.clone() />": "{ended(&r)}</p></div>
                <span class="c"></span><span class="c"></span>
                <span class="c num"><When at=r.changeset.updated_at now=now /></span>
                <span class="c"></span>
            </li>
        }
    };
    view! { <div class="rows"><ul aria-label="Changesets">{rows.into_iter().map(row).collect_view()}</ul></div> }.into_any()
}

/// What came of a changeset: all of it, some or nothing.
fn ended(row: &QueueRow) -> String {
    match (row.committed, row.rejected) {
        (0, 0) => row.changeset.state.to_string(),
        (n, 0) => format!("{n} committed"),
        (0, m) => format!("{m} rejected"),
        (n, m) => format!("{n} committed, {m} rejected"),
    }
}

/// What an admin does first in a new installation, as a checklist; nothing once a dream has run.
async fn first_steps(request: &Request, open: i64) -> service::Result<Option<AnyView>> {
    let actor = request.actor()?;
    if open > 0 || !actor.may_in_general(Action::ManagePeople) || !request.lucid.dreams(actor, None, None).await?.rows.is_empty() {
        return Ok(None);
    }
    let stores = request.lucid.stores(actor).await?;
    let people = request.lucid.people(actor).await?.people.len();
    let sessions: i64 = stores.iter().map(|s| s.sessions).sum();
    let steps = [
        (!stores.is_empty(), "/stores", "Create a memory store", "It holds what the agents of a team remember."),
        (people > 1, "/people", "Invite a second reviewer", "Changes of high risk need two independent people."),
        (sessions > 0, "/import", "Import sessions", "Transcripts of your agents, to learn from."),
        (false, "/dreams", "Start the first dream", "What it proposes waits here for your decision."),
    ];
    let next = steps.iter().position(|(done, ..)| !done);
    let step = |(n, (done, href, what, why)): (usize, (bool, &'static str, &'static str, &'static str))| {
        let mark =
            if done { view! { <Icon name="check" class="ok" /> }.into_any() } else { view! { <Icon name="arrow-right" /> }.into_any() };
        let class = if next == Some(n) { "button primary" } else { "button" };
        let said = done.then(|| view! { <span class="visually-hidden">" (done)"</span> });
        view! { <li class="check-line">{mark}<div class="grow"><a class=class href=href>{what}</a>{said}<p class="quiet">{why}</p></div></li> }
    };
    let steps = steps.into_iter().enumerate().map(step).collect_view();
    Ok(Some(view! { <section class="first-steps"><h2>"Nothing waits for a decision"</h2><p class="muted">"Four steps lead to your first review."</p><ol class="stack">{steps}</ol></section> }.into_any()))
}

fn empty(request: &Request, asked: &Asked, counts: &QueueCounts, no_store: bool) -> AnyView {
    if asked.state == "done" {
        return view! { <Empty title="Nothing is done yet">"A changeset moves here when every change in it is decided and the approved ones are committed."</Empty> }
            .into_any();
    }
    if no_store {
        let (how, action) = if request.current.as_ref().is_some_and(|c| c.actor.may_in_general(Action::CreateStore)) {
            ("Create a memory store, then import sessions into it.", "Create a store")
        } else {
            ("You have no access to a memory store yet. An admin can grant it.", "See the stores")
        };
        return view! { <Empty title="Nothing waits for a decision"><p>{how}</p><p><a class="button primary" href="/stores">{action}</a></p></Empty> }
            .into_any();
    }
    if counts.ready > 0 && asked.state == "mine" {
        let ready = address(request, &[("state", "ready")]);
        let text = format!("{} approved and not committed yet.", count(counts.ready, "change"));
        return view! { <Empty title="You have decided everything"><p>{text}</p><p><a class="button primary" href=ready>"Show what is ready to commit"</a></p></Empty> }
            .into_any();
    }
    if counts.open > 0 {
        let title = if asked.state == "mine" { "Nothing waits for you" } else { "Nothing matches" };
        let all = address(request, &[("state", "open")]);
        let open = format!("{} open in all.", count(counts.open, "change"));
        return view! { <Empty title=title><p>{open}</p><p><a class="button" href=all>"Show all open changes"</a></p></Empty> }.into_any();
    }
    view! {
        <Empty title="Nothing waits for a decision">
            <p>"A dream reads sessions and memory and proposes changes. They wait here for your decision."</p>
            <p class="line"><a class="button primary" href="/import"><Icon name="upload" />"Import sessions"</a><a class="button" href="/dreams"><Icon name="moon-star" />"Start a dream"</a></p>
        </Empty>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_ends_at_a_full_stop_before_a_space() {
        assert_eq!(first_sentence("\n It failed 3.5 times. Then it worked."), "It failed 3.5 times.");
        assert_eq!(first_sentence("no end"), "no end");
        assert_eq!(first_sentence("Été. 5 fois."), "Été.");
        assert_eq!(first_sentence(""), "");
    }
}
