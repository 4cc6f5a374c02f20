//! The review queue: what waits for a decision, change by change, by default what is the reader's
//! turn and the earliest due first. Every filter is part of the address.

mod empty;
mod filters;
mod rows;

use domain::{
    actor::Role,
    changeset::{ChangeKind, ChangesetOrigin},
    ids::{ChangeId, ChangesetId, StoreId},
    plural::count,
    risk::{Label, RiskLevel},
};
use leptos::prelude::*;
use service::{QueueFilter, WaitingChange};

use self::{
    empty::{empty, first_steps},
    filters::{address, filters, tabs},
    rows::{desk_of, ended_list, waiting_list},
};
use crate::{
    components::{forms::Refused, icon::Icon, layout::Heading},
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

/// The filters in the address.
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
        let stores = request.store_names().await?;
        let (list, counts, more, first) = if asked.state == "done" {
            let before = request.asked::<ChangesetId>("before");
            let done = request.lucid.done(&actor, &asked.filter, before).await?;
            let more = done
                .rows
                .last()
                .filter(|_| done.more)
                .map(|r| address(&request, &[("before", &r.changeset.id.to_string())]));
            let counts = request.lucid.queue_counts(&actor, &asked.filter).await?;
            let list = (!done.rows.is_empty()).then(|| ended_list(done.rows, request.now()));
            (list, counts, more, None)
        } else {
            let (page, counts) = request
                .lucid
                .waiting_changes(&actor, &asked.filter, asked.after)
                .await?;
            let place = |c: &WaitingChange| format!("{}:{}", c.due_at.0, c.id);
            let more = page
                .rows
                .last()
                .filter(|_| page.more)
                .map(|c| address(&request, &[("after", &place(c))]));
            let first = page.rows.first().map(desk_of);
            (
                (!page.rows.is_empty()).then(|| waiting_list(&request, page.rows)),
                counts,
                more,
                first,
            )
        };
        let samples = request.lucid.samples(&actor).await?.rows.len();
        let to_check =
            (samples > 0 && matches!(actor.role, Role::Admin | Role::Reviewer)).then(|| {
                let text = format!(
                    "{} that policies applied to check. ",
                    count(samples, "change")
                );
                view! {
                    <p class="tools">
                        <span class="badge info">"Sample"</span>
                        {text}
                        <a class="link" href="/policies#to-check">
                            "Check"
                        </a>
                    </p>
                }
            });
        let agents = request.lucid.agents(&actor).await?;
        let views = request.lucid.saved_views(&actor).await?;
        let options: Vec<(String, String)> = stores
            .iter()
            .map(|s| (s.id.to_string(), s.name.clone()))
            .collect();
        let list = match list {
            Some(list) => list,
            None => match first_steps(&request, counts.open).await? {
                Some(steps) => steps,
                None => empty(&request, &asked, &counts, stores.is_empty()),
            },
        };
        let action = actions(first);
        let refused = request.refused().await;
        Ok(view! {
            <Heading title="Queue" action=action />
            <div id="queue" data-key-scope="queue" data-position=position.to_string()>
                <Refused form=refused />
                {tabs(&request, &asked, &counts)}
                {filters(&request, &asked, &options, &agents, &views)}
                <div class="panes right">
                    <div>
                        {to_check}{list}
                        {more
                            .map(|href| {
                                view! {
                                    <p class="tools">
                                        <a class="button" href=href>
                                            "Show more"
                                        </a>
                                    </p>
                                }
                            })}
                    </div>
                    <aside class="pane last" aria-label="Preview">
                        <Preview />
                    </aside>
                </div>
            </div>
            <DeskKeys />
            <Live stream=format!("/live/queue?after={position}") region="queue".to_owned() />
        }
        .into_any())
    })
}

/// Returns what the address asks for. Who decides looks at their own turn first, everybody else at
/// what is open.
fn asked(request: &Request, decides: bool) -> Asked {
    let default = if decides { "mine" } else { "open" };
    let wanted = request.query.get("state").map_or(default, String::as_str);
    let state = STATES
        .iter()
        .map(|(word, _)| *word)
        .find(|word| *word == wanted)
        .unwrap_or(default);
    let one_of = |name: &str, words: &[&'static str]| {
        words
            .iter()
            .copied()
            .find(|w| request.query.get(name).is_some_and(|v| v == w))
    };
    let text = |name: &str| {
        request
            .query
            .get(name)
            .map(|t| t.trim().chars().take(200).collect::<String>())
            .filter(|t| !t.is_empty())
    };
    let filter = QueueFilter {
        store: request.asked::<StoreId>("store"),
        kind: request.asked::<ChangeKind>("kind"),
        label: request.asked::<Label>("label"),
        agent: text("agent"),
        text: text("q"),
        assignee: one_of("assignee", &["me", "nobody", "others"]),
        risk: request.asked::<RiskLevel>("risk"),
        origin: request.asked::<ChangesetOrigin>("origin"),
        policy: one_of("policy", &["allow", "review", "forbid", "held"]),
        state: Some(state).filter(|s| !matches!(*s, "open" | "done")),
    };
    Asked {
        state,
        filter,
        after: request.query.get("after").and_then(|a| parse_after(a)),
    }
}

fn parse_after(text: &str) -> Option<(i64, ChangeId)> {
    let (place, id) = text.split_once(':')?;
    Some((place.parse().ok()?, id.parse().ok()?))
}

fn actions(first: Option<String>) -> AnyView {
    let start = first.map(|href| {
        view! {
            <a class="button primary" href=href>
                "Start reviewing"
                <kbd class="key" aria-hidden="true">
                    "O"
                </kbd>
            </a>
        }
    });
    view! {
        <button form="chosen" class="quiet" data-key="bulk">
            <Icon name="list-checks" />
            "Review selected"
            <kbd class="key" aria-hidden="true">
                "B"
            </kbd>
        </button>
        {start}
    }
    .into_any()
}
