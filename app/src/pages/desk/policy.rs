//! What the policies say of a change: when one applies it, or why a person decides; what one
//! applied, and whether somebody has checked it.

use domain::{changeset::ChangeState, policy::Outcome};
use leptos::prelude::*;
use service::{Answered, ApplicationRow, ChangeView};

use super::{
    Desk,
    decide::{key, named},
};
use crate::{
    components::{forms::form_token, icon::Icon, text::Visible, when::When},
    pages::policies::why,
};

/// The slot; there is none where the policies were not asked, as for what was decided before they
/// were there.
pub fn policy(desk: &Desk, view: &ChangeView) -> Option<AnyView> {
    let id = view.change.id;
    let body = match (desk.applied.get(&id), desk.answers.get(&id)) {
        (Some(applied), _) => applied_by(desk, view, applied),
        (None, Some(answer))
            if view.change.state.is_open() && answer.row.revision == view.change.revision =>
        {
            said(desk, view, answer)
        }
        _ => return None,
    };
    // Folded where it says no more than that a person decides: the evidence is what matters then.
    let answer = desk
        .answers
        .get(&id)
        .filter(|_| !desk.applied.contains_key(&id));
    let brief = match answer.map(|a| (&a.outcome, a.row.held_at)) {
        Some((Outcome::Forbid { .. }, None)) => "needs a person",
        Some((Outcome::Review { .. }, None)) => "needs review",
        _ => "",
    };
    Some(
        view! {
            <details class="slot" open=brief.is_empty()>
                <summary>
                    <h2>"Policy"</h2>
                    <span class="muted">{brief}</span>
                    <Icon name="chevron-down" />
                </summary>
                <div class="in needs">{body}</div>
            </details>
        }
        .into_any(),
    )
}

fn said(desk: &Desk, view: &ChangeView, answer: &Answered) -> AnyView {
    let row = &answer.row;
    if let (Some(at), Some(by)) = (row.held_at, &row.held_by) {
        let back = may_hold(view).then(|| {
            form(
                desk,
                view,
                "/do/release_change",
                "Give back to the policies",
                None,
            )
        });
        return view! {
            <p class="check-line">
                <Icon name="pause" />
                <span>
                    <Visible text=by.clone() />
                    " held it for review "
                    <When at=at now=desk.now() />
                    "."
                </span>
            </p>
            {back}
        }
        .into_any();
    }
    match (&answer.outcome, row.policy_id, row.due_at) {
        (Outcome::Allow { .. }, Some(policy), Some(due))
            if view.change.state == ChangeState::Pending =>
        {
            let name = format!(
                "{} v{}",
                row.policy_name.clone().unwrap_or_default(),
                row.number.unwrap_or_default()
            );
            let when = if due <= desk.now() {
                view! { "Applies next" }.into_any()
            } else {
                view! {
                    "Applies "
                    <When at=due now=desk.now() />
                }
                .into_any()
            };
            let hold = may_hold(view)
                .then(|| form(desk, view, "/do/hold_change", "Hold for review", Some("h")));
            let stopped = desk.stopped.then(|| {
                view! {
                    <p class="check-line">
                        <Icon name="ban" />
                        <span>"Policies are stopped, so it waits."</span>
                    </p>
                }
            });
            view! {
                <p class="check-line">
                    <Icon name="workflow" />
                    <span>
                        <b>{when}</b>
                        " by "
                        <a class="link" href=format!("/policies/{policy}")>
                            <Visible text=name />
                        </a>
                        ", unless a person decides or holds it before."
                    </span>
                </p>
                {stopped}
                {hold}
            }
            .into_any()
        }
        (outcome, ..) => view! {
            <p class="check-line">
                <Icon name="user-check" />
                <span>
                    <Visible text=why(outcome) />
                    "."
                </span>
            </p>
        }
        .into_any(),
    }
}

const fn may_hold(view: &ChangeView) -> bool {
    view.may_decide
}

fn form(
    desk: &Desk,
    view: &ChangeView,
    action: &'static str,
    word: &'static str,
    shortcut: Option<&'static str>,
) -> AnyView {
    view! {
        <form method="post" action=action data-swap>
            {form_token()}
            {named(desk, view)}
            <button class="full" data-key=shortcut>
                <Icon name="pause" />
                {word}
                {shortcut.map(|_| key("H"))}
            </button>
        </form>
    }
    .into_any()
}

fn applied_by(desk: &Desk, view: &ChangeView, a: &ApplicationRow) -> AnyView {
    let name = format!("{} v{}", a.policy_name, a.number);
    let reverted = a.reverted.then(|| {
        view! {
            <p class="check-line">
                <Icon name="undo-2" />
                <span>"It was reverted later."</span>
            </p>
        }
    });
    let checked = match (a.confirmed, a.checked_by.clone()) {
        (Some(confirmed), Some(by)) => {
            let word = if confirmed {
                " confirmed it"
            } else {
                " objected"
            };
            let note = (!a.note.is_empty()).then(|| {
                view! {
                    ": “"
                    <Visible text=a.note.clone() />
                    "”"
                }
            });
            view! {
                <p class="check-line">
                    <Icon name="user-check" />
                    <span>
                        <Visible text=by />
                        {word}
                        {note}
                        "."
                    </span>
                </p>
            }
            .into_any()
        }
        _ if a.sampled => check(desk, view),
        _ => ().into_any(),
    };
    view! {
        <p class="check-line">
            <Icon name="workflow" />
            <span>
                <a class="link" href=format!("/policies/{}?version={}", a.policy_id, a.number)>
                    <Visible text=name />
                </a>
                " applied it "
                <When at=a.applied_at now=desk.now() />
                ". "
                <a class="link" href=format!("/commits/{}", a.commit_id)>
                    "View commit"
                </a>
            </span>
        </p>
        {reverted}
        {checked}
    }
    .into_any()
}

/// The change is in the sample that a person checks.
fn check(desk: &Desk, view: &ChangeView) -> AnyView {
    if !view.may_decide {
        return view! { <p class="muted">"It is in the sample that a reviewer checks."</p> }
            .into_any();
    }
    view! {
        <form method="post" action="/do/check_application" class="stack">
            {form_token()}
            {named(desk, view)}
            <p>"Was it right to apply this? It is in the sample that a person checks."</p>
            <label>"Note"<input name="note" maxlength="2000" /></label>
            <p class="line wrap">
                <button name="verdict" value="confirm">
                    "Confirm"
                </button>
                <button name="verdict" value="object" class="danger">
                    "Object"
                </button>
            </p>
        </form>
    }
    .into_any()
}
