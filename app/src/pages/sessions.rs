//! The sessions that were taken in, newest first.

use domain::{
    event::OutcomeResult,
    ids::{SessionId, StoreId},
};
use leptos::prelude::*;
use service::{SessionFilter, SessionRow};

use super::stores::store_heading;
use crate::{
    actions::account::encoded,
    components::{
        badges::OutcomeBadge,
        icon::Icon,
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
        let action = view! {
            <a class="button primary" href="/import">
                "Import sessions"
            </a>
        }
        .into_any();
        Ok(view! {
            <Heading title="Sessions" action=action />
            {list}
        }
        .into_any())
    })
}

/// The newest sessions of one store.
#[component]
pub fn StoreSessions() -> impl IntoView {
    page("memory", |request| async move {
        let store = request
            .lucid
            .store(request.actor()?, request.id("store")?)
            .await?;
        request.is_about(store.id);
        let list = list(
            &request,
            Some(store.id),
            &format!("/stores/{}/sessions", store.id),
        )
        .await?;
        let action = view! {
            <a class="button primary" href=format!("/import?store={}", store.id)>
                "Import sessions"
            </a>
        }
        .into_any();
        Ok(view! {
            {store_heading(&store, "Sessions", Some(action))}
            {list}
        }
        .into_any())
    })
}

async fn list(request: &Request, store: Option<StoreId>, here: &str) -> service::Result<AnyView> {
    let text = |name: &str| request.query.get(name).filter(|v| !v.is_empty()).cloned();
    let filter = SessionFilter {
        store,
        agent: text("agent"),
        outcome: request.asked("outcome"),
        errors: text("errors").is_some(),
        before: request.asked::<SessionId>("before"),
    };
    let page = request
        .lucid
        .sessions_where(request.actor()?, &filter)
        .await?;
    let filtered = filter.agent.is_some() || filter.outcome.is_some() || filter.errors;
    if page.rows.is_empty() && !filtered {
        return Ok(view! {
            <Empty title="No session yet">
                <p>
                    "A session is what an agent did. Import transcripts, and dreams learn from \
                     them."
                </p>
                <p>
                    <a class="button primary" href="/import">
                        <Icon name="upload" />
                        "Import sessions"
                    </a>
                </p>
            </Empty>
        }
        .into_any());
    }
    let kept = ["agent", "outcome", "errors"]
        .map(|n| {
            text(n)
                .map(|v| format!("&{n}={}", encoded(&v)))
                .unwrap_or_default()
        })
        .concat();
    let next = page
        .rows
        .last()
        .filter(|_| page.more)
        .map(|s| format!("{here}?before={}{kept}", s.id));
    let filters = filters(
        &request.lucid.agents(request.actor()?).await?,
        &filter,
        here,
    );
    if page.rows.is_empty() {
        let all = here.to_owned();
        return Ok(view! {
            {filters}
            <Empty title="No session matches">
                <a href=all>"Show all sessions"</a>
            </Empty>
        }
        .into_any());
    }
    let now = request.now();
    let row = move |s: SessionRow| {
        let name = s.external_id.clone().unwrap_or_else(|| s.id.to_string());
        view! {
            <tr>
                <td>
                    <a href=format!("/sessions/{}", s.id)>
                        <Visible text=name />
                    </a>
                </td>
                <td>
                    <Visible text=known(s.agent) />
                </td>
                <td>
                    <Visible text=known(s.subject) />
                </td>
                <td>
                    <Visible text=known(s.task_key) />
                </td>
                <td>
                    <OutcomeBadge outcome=s.outcome source=s.outcome_source />
                </td>
                <td>{s.event_count}</td>
                <td>{s.errors}</td>
                <td>
                    <When at=s.last_event_at now=now />
                </td>
            </tr>
        }
    };
    Ok(view! {
        {filters}
        <div class="scroll" tabindex="0" role="region" aria-label="Sessions">
            <table>
                <thead>
                    <tr>
                        <th>"Session"</th>
                        <th>"Agent"</th>
                        <th>"User"</th>
                        <th>"Task"</th>
                        <th>"Outcome"</th>
                        <th>"Events"</th>
                        <th>"Errors"</th>
                        <th>"Last event"</th>
                    </tr>
                </thead>
                <tbody>{page.rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
        {next
            .map(|href| {
                view! {
                    <p>
                        <a href=href>"Older"</a>
                    </p>
                }
            })}
    }
    .into_any())
}

/// By agent, by outcome, and only with errors.
fn filters(agents: &[String], filter: &SessionFilter, here: &str) -> AnyView {
    let agent = |a: &String| {
        view! {
            <option value=a.clone() selected=filter.agent.as_ref() == Some(a)>
                {domain::masking::mask(a)}
            </option>
        }
    };
    let outcome = |o: &OutcomeResult| {
        let word = match o {
            OutcomeResult::Success => "Succeeded",
            OutcomeResult::Failure => "Failed",
            OutcomeResult::Unknown => "Unknown",
        };
        view! {
            <option value=o.as_str() selected=filter.outcome == Some(*o)>
                {word}
            </option>
        }
    };
    view! {
        <form method="get" action=here.to_owned() class="filters">
            <label>
                "Agent"<select name="agent">
                    <option value="">"Every agent"</option>
                    {agents.iter().map(agent).collect_view()}
                </select>
            </label>
            <label>
                "Outcome"<select name="outcome">
                    <option value="">"Any outcome"</option>
                    {OutcomeResult::ALL.iter().map(outcome).collect_view()}
                </select>
            </label>
            <label>
                <input type="checkbox" name="errors" value="on" checked=filter.errors />
                "With errors only"
            </label>
            <button>"Filter"</button>
        </form>
    }
    .into_any()
}

/// Returns what the source said, or that it said nothing.
pub fn known(value: Option<String>) -> String {
    value.unwrap_or_else(|| "unknown".to_owned())
}
