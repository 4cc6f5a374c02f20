//! Sessions, and the transcript of one. What is sensitive in it is masked.

use domain::plural::count;
use domain::{
    event::EventKind,
    ids::{SessionId, StoreId},
    rights::Action,
};
use leptos::prelude::*;
use service::{EventRow, SessionRow};

use super::stores::store_heading;
use crate::{
    components::{
        badges::OutcomeBadge,
        forms::form_token,
        layout::{Empty, Heading},
        text::Visible,
        when::When,
    },
    context::{Request, page},
};

/// Longest text of an event that is shown unfolded, in characters.
const UNFOLDED: usize = 2_000;

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
                <td><OutcomeBadge outcome=s.outcome /></td>
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
fn known(value: Option<String>) -> String {
    value.unwrap_or_else(|| "unknown".to_owned())
}

/// A part of a session's transcript.
#[component]
pub fn Transcript() -> impl IntoView {
    page("sessions", |request| async move {
        let id = request.id::<SessionId>("session")?;
        let after = request.asked("after").unwrap_or(0);
        let reveal = request.is_revealed(&format!("{id} {after}")).await;
        let view = if reveal {
            request.lucid.revealed_transcript(request.actor()?, id, after).await?
        } else {
            request.lucid.transcript(request.actor()?, id, after).await?
        };
        let masking = if reveal {
            view! { <p class="notice">"Nothing is masked here, and the audit says that you looked. "</p><form method="post" action="/do/mask">{form_token()}<input type="hidden" name="back" value=format!("/sessions/{id}?after={after}") /><button>"Mask it again"</button></form> }.into_any()
        } else {
            let may = request.actor()?.may(Action::Decide, view.store);
            may.then(|| {
                view! {
                    <form method="post" action="/do/reveal_session" class="quiet">
                        {form_token()}
                        <input type="hidden" name="session" value=id.to_string() />
                        <input type="hidden" name="after" value=after.to_string() />
                        <button>"Reveal what is masked"</button>" (the audit will say so)"
                    </form>
                }
            })
            .into_any()
        };
        let store = request.lucid.store(request.actor()?, view.store).await?;
        let now = request.now();
        let s = &view.session;
        let title = s.external_id.clone().unwrap_or_else(|| s.id.to_string());
        let trail = vec![("/sessions".into(), "Sessions".into()), (format!("/stores/{}/sessions", store.id), store.name)];
        let earlier = (after > 0).then(|| view! { <p><a href=format!("/sessions/{id}")>"From the beginning"</a></p> });
        let next = view
            .events
            .rows
            .last()
            .filter(|_| view.events.more)
            .map(|e| view! { <p><a href=format!("/sessions/{id}?after={}", e.seq)>"Later events"</a></p> });
        let about = [
            ("Agent", s.agent.clone()),
            ("User", s.subject.clone()),
            ("Team", s.team.clone()),
            ("Task", s.task_key.clone()),
            ("Format", Some(s.source.clone())),
        ];
        let about = about.map(|(name, value)| view! { <div><dt>{name}</dt><dd><Visible text=known(value) /></dd></div> }).collect_view();
        Ok(view! {
            <Heading title=title trail=trail />
            <dl class="about"><div><dt>"Outcome"</dt><dd><OutcomeBadge outcome=s.outcome /></dd></div>{about}<div><dt>"Events"</dt><dd>{count(s.event_count, "event")}</dd></div></dl>
            {masking}
            {earlier}
            <ol class="transcript">{view.events.rows.into_iter().map(|e| event(e, now)).collect_view()}</ol>
            {next}
        }
        .into_any())
    })
}

fn event(event: EventRow, now: domain::Timestamp) -> impl IntoView {
    let (who, class) = match event.kind {
        EventKind::System => ("system", "event system"),
        EventKind::User => ("user", "event user"),
        EventKind::Agent => ("agent", "event agent"),
        EventKind::Thinking => ("thinking", "event thinking"),
        EventKind::ToolUse => ("calls", "event tool"),
        EventKind::ToolResult if event.is_error => ("answers with an error", "event tool error"),
        EventKind::ToolResult => ("answers", "event tool"),
        EventKind::Denial => ("refused", "event denial"),
        EventKind::Outcome => ("outcome", "event outcome"),
        EventKind::Gap => ("gap", "event gap"),
        EventKind::Raw => ("kept as it came", "event raw"),
    };
    let tool = event.tool.map(|t| view! { <code><Visible text=t /></code>" " });
    let long = event.text.chars().count() > UNFOLDED;
    let text = if long {
        let start: String = event.text.chars().take(200).collect();
        view! { <details><summary><Visible text=start />"… "<span class="quiet">"show all"</span></summary><pre><Visible text=event.text /></pre></details> }.into_any()
    } else {
        view! { <pre><Visible text=event.text /></pre> }.into_any()
    };
    view! {
        <li class=class id=format!("e{}", event.seq)>
            <div class="meta"><span class="number">{event.seq}</span>" "{tool}<strong>{who}</strong>" "<When at=event.occurred_at now=now /></div>
            {text}
        </li>
    }
}
