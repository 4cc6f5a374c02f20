//! What the queue says when it lists nothing: what to do.

use domain::{plural::count, rights::Action};
use leptos::prelude::*;
use service::QueueCounts;

use super::{Asked, filters::address};
use crate::{
    components::{icon::Icon, layout::Empty},
    context::Request,
};

/// Shows what an admin does first in a new installation, as a checklist; nothing once a dream has
/// run.
pub async fn first_steps(request: &Request, open: i64) -> service::Result<Option<AnyView>> {
    let actor = request.actor()?;
    if open > 0
        || !actor.may_in_general(Action::ManagePeople)
        || !request
            .lucid
            .dreams(actor, None, None)
            .await?
            .rows
            .is_empty()
    {
        return Ok(None);
    }
    let stores = request.lucid.stores(actor).await?;
    let people = request.lucid.people(actor).await?.people.len();
    let sessions: i64 = stores.iter().map(|s| s.sessions).sum();
    let steps = [
        (
            !stores.is_empty(),
            "/stores",
            "Create a memory store",
            "It holds what the agents of a team remember.",
        ),
        (
            people > 1,
            "/people",
            "Invite a second reviewer",
            "Changes of high risk need two independent people.",
        ),
        (
            sessions > 0,
            "/import",
            "Import sessions",
            "Transcripts of your agents, to learn from.",
        ),
        (
            false,
            "/dreams",
            "Start the first dream",
            "What it proposes waits here for your decision.",
        ),
    ];
    let next = steps.iter().position(|(done, ..)| !done);
    let step = |(n, (done, href, what, why)): (
        usize,
        (bool, &'static str, &'static str, &'static str),
    )| {
        let mark = if done {
            view! { <Icon name="check" class="ok" /> }.into_any()
        } else {
            view! { <Icon name="arrow-right" /> }.into_any()
        };
        let class = if next == Some(n) {
            "button primary"
        } else {
            "button"
        };
        let said = done.then(|| view! { <span class="visually-hidden">" (done)"</span> });
        view! {
            <li class="check-line">
                {mark}<div class="grow">
                    <a class=class href=href>
                        {what}
                    </a>
                    {said}
                    <p class="quiet">{why}</p>
                </div>
            </li>
        }
    };
    let steps = steps.into_iter().enumerate().map(step).collect_view();
    Ok(Some(
        view! {
            <section class="first-steps">
                <h2>"Nothing waits for a decision"</h2>
                <p class="muted">"Four steps lead to your first review."</p>
                <ol class="stack">{steps}</ol>
            </section>
        }
        .into_any(),
    ))
}

/// A queue without rows: why it is empty, and what to do next.
pub fn empty(request: &Request, asked: &Asked, counts: &QueueCounts, no_store: bool) -> AnyView {
    if asked.state == "done" {
        return view! {
            <Empty title="Nothing is done yet">
                "A changeset moves here when every change in it is decided and the approved ones \
                 are committed."
            </Empty>
        }
        .into_any();
    }
    if no_store {
        let (how, action) = if request
            .current
            .as_ref()
            .is_some_and(|c| c.actor.may_in_general(Action::CreateStore))
        {
            (
                "Create a memory store, then import sessions into it.",
                "Create a store",
            )
        } else {
            (
                "You have no access to a memory store yet. An admin can grant it.",
                "See the stores",
            )
        };
        return view! {
            <Empty title="Nothing waits for a decision">
                <p>{how}</p>
                <p>
                    <a class="button primary" href="/stores">
                        {action}
                    </a>
                </p>
            </Empty>
        }
        .into_any();
    }
    if counts.ready > 0 && asked.state == "mine" {
        let ready = address(request, &[("state", "ready")]);
        let text = format!(
            "{} approved and not committed yet.",
            count(counts.ready, "change")
        );
        return view! {
            <Empty title="You have decided everything">
                <p>{text}</p>
                <p>
                    <a class="button primary" href=ready>
                        "Show what is ready to commit"
                    </a>
                </p>
            </Empty>
        }
        .into_any();
    }
    if counts.open > 0 {
        let title = if asked.state == "mine" {
            "Nothing waits for you"
        } else {
            "Nothing matches"
        };
        let all = address(request, &[("state", "open")]);
        let open = format!("{} open in all.", count(counts.open, "change"));
        return view! {
            <Empty title=title>
                <p>{open}</p>
                <p>
                    <a class="button" href=all>
                        "Show all open changes"
                    </a>
                </p>
            </Empty>
        }
        .into_any();
    }
    view! {
        <Empty title="Nothing waits for a decision">
            <p>
                "A dream reads sessions and memory and proposes changes. They wait here for your \
                 decision."
            </p>
            <p class="line">
                <a class="button primary" href="/import">
                    <Icon name="upload" />
                    "Import sessions"
                </a>
                <a class="button" href="/dreams">
                    <Icon name="moon-star" />
                    "Start a dream"
                </a>
            </p>
        </Empty>
    }
    .into_any()
}
