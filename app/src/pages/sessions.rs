//! The sessions that were taken in, newest first.

use domain::ids::{SessionId, StoreId};
use leptos::prelude::*;
use service::SessionRow;

use super::stores::store_heading;
use crate::{
    components::{
        badges::OutcomeBadge,
        layout::{Empty, Heading},
        text::Visible,
        when::When,
    },
    context::{Request, page},
};

/// The newest sessions of every store.
#[component]
pub fn Sessions() -> impl IntoView {
    page("sessions", |request| async move {
        let list = list(&request, None, "/sessions").await?;
        let action = view! { <a class="button primary" href="/import">"Import"</a> }.into_any();
        Ok(view! { <Heading title="Sessions" action=action />{list} }.into_any())
    })
}

/// The newest sessions of one store.
#[component]
pub fn StoreSessions() -> impl IntoView {
    page("memory", |request| async move {
        let store = request.lucid.store(request.actor()?, request.id("store")?).await?;
        request.is_about(store.id);
        let list = list(&request, Some(store.id), &format!("/stores/{}/sessions", store.id)).await?;
        let action = view! { <a class="button primary" href=format!("/import?store={}", store.id)>"Import"</a> }.into_any();
        Ok(view! { {store_heading(&store, "Sessions", Some(action))}{list} }.into_any())
    })
}

async fn list(request: &Request, store: Option<StoreId>, here: &str) -> service::Result<AnyView> {
    let page = request.lucid.sessions(request.actor()?, store, request.asked::<SessionId>("before")).await?;
    if page.rows.is_empty() {
        return Ok(view! { <Empty title="No session yet">"Sessions are what agents did: import transcripts, and dreams can go over them. "<a href="/import">"Import"</a></Empty> }.into_any());
    }
    let next = page.rows.last().filter(|_| page.more).map(|s| format!("{here}?before={}", s.id));
    let now = request.now();
    let row = move |s: SessionRow| {
        let name = s.external_id.clone().unwrap_or_else(|| s.id.to_string());
        view! {
            <tr>
                <td><a href=format!("/sessions/{}", s.id)><Visible text=name /></a></td>
                <td><Visible text=known(s.agent) /></td>
                <td><Visible text=known(s.subject) /></td>
                <td><Visible text=known(s.task_key) /></td>
                <td><OutcomeBadge outcome=s.outcome source=s.outcome_source /></td>
                <td>{s.event_count}</td>
                <td>{s.errors}</td>
                <td><When at=s.last_event_at now=now /></td>
            </tr>
        }
    };
    Ok(view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Sessions">
            <table>
                <thead><tr><th>"Session"</th><th>"Agent"</th><th>"User"</th><th>"Task"</th><th>"Outcome"</th><th>"Events"</th><th>"Errors"</th><th>"Last event"</th></tr></thead>
                <tbody>{page.rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
        {next.map(|href| view! { <p><a href=href>"Older"</a></p> })}
    }
    .into_any())
}

/// What the source said, or that it said nothing.
pub fn known(value: Option<String>) -> String {
    value.unwrap_or_else(|| "unknown".to_owned())
}
