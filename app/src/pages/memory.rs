//! One memory: what it says, since when, why, and who approved it; and two of its versions compared.

use domain::{Timestamp, plural::count, rights::Action};
use leptos::prelude::*;
use service::{MemoryRow, MemoryView, RefusedForm, VersionView};

use crate::{
    components::{
        diff::DiffLines,
        forms::{self, Refused, form_token},
        layout::Heading,
        text::Visible,
        text_area::TextArea,
        when::When,
    },
    context::page,
};

/// The memory with its versions.
#[component]
pub fn Memory() -> impl IntoView {
    page("memory", |request| async move {
        let view = request.lucid.memory(request.actor()?, request.id("memory")?, request.asked("before")).await?;
        let store = request.lucid.store(request.actor()?, view.store_id).await?;
        let now = request.now();
        let trail = vec![("/stores".into(), "Memory".into()), (format!("/stores/{}", store.id), store.name)];
        let gone = view.memory.is_none().then(|| view! { <p class="notice bad">"It was deleted. This is what it last said."</p> });
        let frozen = view.memory.as_ref().filter(|m| m.frozen).map(|m| is_frozen(m, now));
        let refused = request.refused().await;
        let actor = request.actor()?;
        let propose = view.memory.as_ref().map(|m| {
            let may_propose = actor.may_at(Action::Propose, m.store_id, &[m.path.as_str()]);
            let may_freeze = actor.may_at(Action::Freeze, m.store_id, &[m.path.as_str()]);
            let edit = may_propose.then(|| propose_forms(m, &view.content, refused.as_ref()));
            let freeze = (may_freeze && !m.frozen || may_propose && m.frozen).then(|| freeze_form(m, refused.as_ref()));
            view! { {edit}{freeze} }
        });
        Ok(view! {
            <Heading title=view.path.to_string() trail=trail />
            <Refused form=refused />
            {gone}{frozen}
            <pre class="memory" tabindex="0" aria-label="Content"><Visible text=view.content.clone() /></pre>
            {reads(&view, now)}
            {propose}
            <h2>"Versions"</h2>
            {compare_form(&view)}
            {versions(&view, now)}
            {older(&view)}
        }
        .into_any())
    })
}

/// That only people change it, since when and why.
fn is_frozen(memory: &MemoryRow, now: Timestamp) -> AnyView {
    let why = memory.frozen_reason.clone().map(|why| view! { ": "<Visible text=why /> });
    view! { <p><span class="badge">"frozen"</span>" Only people change it, through the queue. "{memory.frozen_at.map(|at| view! { "Since "<When at=at now=now /> })}{why}</p> }
        .into_any()
}

/// Proposing other content, another place, or a removal.
fn propose_forms(memory: &MemoryRow, content: &str, refused: Option<&RefusedForm>) -> AnyView {
    let kept = |name: &str| forms::kept(refused, name);
    let (path, text) = (kept("path").unwrap_or_else(|| memory.path.to_string()), kept("content").unwrap_or_else(|| content.to_owned()));
    let named = || {
        view! {
            <input type="hidden" name="store" value=memory.store_id.to_string() />
            <input type="hidden" name="memory" value=memory.id.to_string() />
            <input type="hidden" name="sha256" value=memory.content_sha256.clone() />
        }
    };
    view! {
        <details open=kept("content").is_some()>
            <summary class="button">"Propose an edit"</summary>
            <form method="post" action="/do/propose_edit" class="stack card">
                {form_token()}
                {named()}
                <label>"Path"<input name="path" value=path required maxlength="1024" /></label>
                <TextArea name="content" id="proposed-content" value=text label="Content" required=true />
                <label>"Why"<input name="reason" value=kept("reason").unwrap_or_default() required maxlength="2000" /></label>
                <p class="quiet">"It goes into the queue; somebody else decides on it."</p>
                <button class="primary">"Propose"</button>
            </form>
        </details>
        <details open=kept("removal_reason").is_some()>
            <summary class="button">"Propose its removal"</summary>
            <form method="post" action="/do/propose_removal" class="stack card">
                {form_token()}
                {named()}
                <label>"Why"<input name="reason" value=kept("removal_reason").unwrap_or_default() required maxlength="2000" /></label>
                <button class="danger">"Propose the removal"</button>
            </form>
        </details>
    }
    .into_any()
}

/// Freezing it, or proposing to end that.
fn freeze_form(memory: &MemoryRow, refused: Option<&RefusedForm>) -> AnyView {
    let kept = forms::kept(refused, "freeze_reason");
    let (open, reason) = (kept.is_some(), kept.unwrap_or_default());
    let (action, word, says) = if memory.frozen {
        (
            "/do/propose_unfreeze",
            "Propose to unfreeze",
            "This is a high-risk change. Dreams and keys can change the memory again once it is approved, signed and committed.",
        )
    } else {
        ("/do/freeze", "Freeze", "From now on dreams and keys only propose changes to it, and each is of high risk.")
    };
    view! {
        <details open=open>
            <summary class="button">{word}</summary>
            <form method="post" action=action class="stack card">
                {form_token()}
                <input type="hidden" name="memory" value=memory.id.to_string() />
                <label>"Why"<input name="reason" value=reason required maxlength="2000" /></label>
                <p class="quiet">{says}</p>
                <button>{word}</button>
            </form>
        </details>
    }
    .into_any()
}

/// How often agents read what it says now.
fn reads(view: &MemoryView, now: Timestamp) -> Option<AnyView> {
    let read = view.reads.as_ref()?;
    let tokens = domain::briefing::tokens(&view.content);
    let said = match read.times {
        0 => view! { "Agents have not read this version yet." }.into_any(),
        n => view! { "Agents read this version "{count(n, "time")}", in "{count(read.sessions, "known session")}", last "<When at=read.last_at now=now />"." }.into_any(),
    };
    Some(view! { <p class="quiet">{said}" It takes "{count(tokens, "token")}" of a briefing."</p> }.into_any())
}

fn versions(view: &MemoryView, now: Timestamp) -> impl IntoView + use<> {
    let id = view.id;
    let row = move |v: &VersionView| {
        let version = &v.version;
        let approved = if v.approved_by.is_empty() { "—".to_owned() } else { v.approved_by.join(", ") };
        let before = version.number - 1;
        let compare = (before > 0).then(
            || view! { <a href=format!("/memories/{id}/compare?from={before}&to={}", version.number)>{format!("against {before}")}</a> },
        );
        view! {
            <tr>
                <td>{version.number}</td>
                <td>{version.operation.as_str()}</td>
                <td><a href=format!("/commits/{}", version.commit_id)><Visible text=version.message.clone() /></a></td>
                <td>{approved}</td>
                <td>{v.committed_by.clone()}</td>
                <td><When at=version.created_at now=now /></td>
                <td>{compare}</td>
            </tr>
        }
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Versions">
            <table>
                <thead><tr><th>"Version"</th><th>"What"</th><th>"Why"</th><th>"Approved by"</th><th>"Committed by"</th><th>"When"</th><th>"Compare"</th></tr></thead>
                <tbody>{view.versions.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}

/// The way to older versions.
fn older(view: &MemoryView) -> Option<AnyView> {
    let last = view.versions.last().filter(|_| view.more)?;
    let href = format!("/memories/{}?before={}", view.id, last.version.number);
    Some(view! { <p><a href=href>"Older versions"</a></p> }.into_any())
}

fn compare_form(view: &MemoryView) -> Option<AnyView> {
    let newest = view.newest;
    if newest < 3 {
        return None;
    }
    Some(
        view! {
            <form method="get" action=format!("/memories/{}/compare", view.id) class="filters">
                <label>"Compare version "<input type="number" name="from" value="1" min="1" max=newest required /></label>
                <label>"with "<input type="number" name="to" value=newest min="1" max=newest required /></label>
                <button>"Show"</button>
            </form>
        }
        .into_any(),
    )
}

/// Any two versions side by side.
#[component]
pub fn Compare() -> impl IntoView {
    page("memory", |request| async move {
        let (from, to) = (request.asked("from").unwrap_or(1), request.asked("to").unwrap_or(1));
        let view = request.lucid.compare(request.actor()?, request.id("memory")?, from, to).await?;
        let store = request.lucid.store(request.actor()?, view.store_id).await?;
        let path = view.to.1.to_string();
        let trail = vec![
            ("/stores".into(), "Memory".into()),
            (format!("/stores/{}", store.id), store.name),
            (format!("/memories/{}", view.memory), path.clone()),
        ];
        let moved = (view.from.1 != view.to.1)
            .then(|| view! { <p>"It moved from "<code>{view.from.1.to_string()}</code>" to "<code>{path}</code>"."</p> });
        Ok(view! { <Heading title=format!("Version {} and {}", view.from.0, view.to.0) trail=trail />{moved}<DiffLines lines=view.lines /> }.into_any())
    })
}
