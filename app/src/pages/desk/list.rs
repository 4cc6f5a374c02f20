//! The changes of the changeset, grouped by what the reader has to do with each, and which are
//! selected to be decided together.

use domain::changeset::{ChangeState, DecisionKind};
use leptos::prelude::*;
use service::ChangeView;

use super::Desk;
use crate::components::{
    badges::{state_icon, state_word},
    forms::form_token,
    icon::Icon,
    text::Visible,
};

/// The list, with the way to the next change and the one before.
pub fn list(desk: &Desk) -> AnyView {
    let all: Vec<(usize, &ChangeView)> = desk.view.changes.iter().enumerate().collect();
    let is_mine = |c: &ChangeView| c.waits_for_reader();
    let is_past = |c: &ChangeView| {
        !is_mine(c) && !matches!(c.change.state, ChangeState::Pending | ChangeState::Deferred)
    };
    let part = |wanted: &dyn Fn(&ChangeView) -> bool| {
        all.iter()
            .copied()
            .filter(|(_, c)| wanted(c))
            .collect::<Vec<_>>()
    };
    let (mine, others, past) = (
        part(&is_mine),
        part(&|c| !is_mine(c) && !is_past(c)),
        part(&is_past),
    );
    let many = (mine.len() > 1).then(|| {
        view! {
            <button data-key="bulk">
                "Review selected"<kbd class="key" aria-hidden="true">
                    "B"
                </kbd>
            </button>
        }
    });
    let link = |at: usize, key: &'static str, text: &'static str| {
        desk.view.changes.get(at).map(|c| {
            view! {
                <a href=desk.address(c.change.id) data-swap data-key=key>
                    {text}
                </a>
            }
        })
    };
    let previous = desk
        .at
        .checked_sub(1)
        .and_then(|at| link(at, "k", "Previous change"));
    view! {
        <nav class="pane first desk-list" id="list" popover aria-label="Changes in this changeset">
            <form method="get" action="/bulk">
                {section(desk, "To decide", "todo", &mine)}
                {section(desk, "Waiting for others", "past", &others)}
                {section(desk, "Done", "past", &past)}
                {many}
            </form>
            <p class="visually-hidden">{previous}" "{link(desk.at + 1, "j", "Next change")}</p>
        </nav>
    }
    .into_any()
}

fn section(
    desk: &Desk,
    title: &'static str,
    class: &'static str,
    changes: &[(usize, &ChangeView)],
) -> Option<AnyView> {
    let rows = changes
        .iter()
        .map(|(at, c)| row(desk, *at, c))
        .collect_view();
    (!changes.is_empty()).then(|| {
        view! {
            <section>
                <h2>{title}" "<span>{changes.len()}</span></h2>
                <ul class=class>{rows}</ul>
            </section>
        }
        .into_any()
    })
}

fn row(desk: &Desk, at: usize, c: &ChangeView) -> AnyView {
    let id = c.change.id.to_string();
    let here = at == desk.at;
    let choose = c.waits_for_reader().then(|| {
        let label = format!("Select “{}”", c.change.title);
        view! {
            <input
                type="checkbox"
                name=id.clone()
                value="on"
                aria-label=label
                data-key=here.then_some(" ")
            />
        }
    });
    let risk = c.change.risk_level.as_str();
    let word = state_word(c.change.state, c.change.conflicted);
    let mark = (!c.waits_for_reader() || c.change.conflicted).then(|| {
        let colour = match c.change.state {
            ChangeState::Rejected => "mark red",
            ChangeState::Approved | ChangeState::Committed => "mark green",
            _ => "mark",
        };
        view! {
            <span class=colour title=word>
                {state_icon(c.change.state, c.change.conflicted)}
            </span>
        }
    });
    let path = c.edits.first().map(|e| {
        view! {
            <small class="cut">
                <code>{e.path.to_string()}</code>
            </small>
        }
    });
    view! {
        <li class=format!("risk-{risk}") class:here=here>
            <a href=desk.address(c.change.id) data-swap aria-current=here.then_some("true")>
                <span class=format!("dot {risk}")></span>
                <span class="name">
                    <span class="visually-hidden">{word}", "{risk}" risk: "</span>
                    <Visible text=c.change.title.clone() />
                </span>
                {mark}
                {path}
            </a>
            {choose}
        </li>
    }
    .into_any()
}

/// The reader's last decision, which can be undone: a toast as long as nothing else was done.
pub fn undo(desk: &Desk) -> Option<AnyView> {
    let u = desk.undo.as_ref()?;
    let what = match u.verdict {
        DecisionKind::Approve => "Approved",
        DecisionKind::Reject => "Rejected",
        DecisionKind::Defer => "Deferred",
    };
    Some(
        view! {
            <form method="post" action="/do/undo" class="line between" data-swap>
                {form_token()}
                <input type="hidden" name="back" value=desk.view.changeset.id.to_string() />
                <span class="quiet cut" data-done>
                    {what}
                    " “"
                    <Visible text=u.title.clone() />
                    "”"
                </span>
                <button class="plain" data-key="z">
                    <Icon name="undo-2" class="visually-hidden" />
                    "Undo"
                </button>
            </form>
        }
        .into_any(),
    )
}
