//! One memory: what it says, since when, why, and who approved it; and two of its versions compared.

use domain::{Timestamp, plural::count};
use leptos::prelude::*;
use service::{MemoryView, VersionView};

use crate::{
    components::{diff::DiffLines, layout::Heading, text::Visible, when::When},
    context::page,
};

/// The memory with its versions.
#[component]
pub fn Memory() -> impl IntoView {
    page("memory", |request| async move {
        let view = request.lucid.memory(request.actor()?, request.id("memory")?).await?;
        let store = request.lucid.store(request.actor()?, view.store_id).await?;
        let now = request.now();
        let trail = vec![("/stores".into(), "Memory".into()), (format!("/stores/{}", store.id), store.name)];
        let gone = view.memory.is_none().then(|| view! { <p class="notice bad">"It was deleted. This is what it last said."</p> });
        let frozen = view.memory.as_ref().is_some_and(|m| m.frozen).then(|| view! { <span class="badge">"frozen"</span> });
        Ok(view! {
            <Heading title=view.path.to_string() trail=trail />
            {gone}{frozen}
            <pre class="memory" tabindex="0" aria-label="Content"><Visible text=view.content.clone() /></pre>
            {reads(&view, now)}
            <h2>"Versions"</h2>
            {compare_form(&view)}
            {versions(&view, now)}
        }
        .into_any())
    })
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

fn compare_form(view: &MemoryView) -> Option<AnyView> {
    let newest = view.versions.first()?.version.number;
    if newest < 3 {
        return None;
    }
    let options = |chosen: i64| (1..=newest).map(|n| view! { <option selected=n == chosen>{n}</option> }).collect_view();
    Some(
        view! {
            <form method="get" action=format!("/memories/{}/compare", view.id) class="filters">
                <label>"Compare "<select name="from">{options(1)}</select></label>
                <label>"with "<select name="to">{options(newest)}</select></label>
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
