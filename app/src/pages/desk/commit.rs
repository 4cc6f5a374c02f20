//! Committing: a sheet says what becomes of each memory and who approved it, before the approved
//! changes are written together.

use domain::{changeset::ChangeState, plural::count};
use leptos::prelude::*;
use service::{ChangeView, EditView};

use super::{Desk, decide::key};
use crate::components::{forms::form_token, icon::Icon, text::Visible};

/// The sheet's id, by which its button names it.
const SHEET: &str = "commit-sheet";

/// The changes that a commit would write.
fn ready(desk: &Desk) -> Vec<&ChangeView> {
    let is_ready = |c: &&ChangeView| {
        c.may_decide
            && c.change.state == ChangeState::Approved
            && c.needs.satisfied
            && !c.change.conflicted
    };
    desk.view.changes.iter().filter(is_ready).collect()
}

/// The button that opens the sheet. It is the primary action once nothing is left to decide.
pub fn button(desk: &Desk) -> Option<AnyView> {
    let ready = ready(desk);
    if !desk.view.may_decide || ready.is_empty() || desk.editing {
        return None;
    }
    let left = desk.view.changes.iter().any(ChangeView::waits_for_reader);
    let class = if left { "" } else { "primary" };
    Some(
        view! {
            <button type="button" class=class popovertarget=SHEET data-key="commit">
                <span>{format!("Commit {}…", count(ready.len(), "change"))}</span>
                {key("Ctrl ↵")}
            </button>
        }
        .into_any(),
    )
}

/// The sheet that opens before a commit; nothing if nothing is approved.
pub fn sheet(desk: &Desk) -> Option<AnyView> {
    let ready = ready(desk);
    if !desk.view.may_decide || ready.is_empty() {
        return None;
    }
    let expected = ready
        .iter()
        .map(|c| format!("{}:{}:{}", c.change.id, c.change.revision, c.change.digest))
        .collect::<Vec<_>>()
        .join(",");
    // The same list of the same revisions is the same commit, also if the button is pressed twice.
    let idempotency = domain::canonical::sha256_hex(expected.as_bytes());
    let title = format!(
        "Commit {} to {}",
        count(ready.len(), "change"),
        desk.view.changeset.store_name
    );
    Some(
        view! {
            <section class="sheet" id=SHEET popover aria-labelledby="commit-title">
                <form method="post" action="/do/commit" class="stack" data-swap>
                    {form_token()}
                    <h2 id="commit-title">
                        <Visible text=title />
                    </h2>
                    <input
                        type="hidden"
                        name="changeset"
                        value=desk.view.changeset.id.to_string()
                    />
                    <input type="hidden" name="expected" value=expected />
                    <input type="hidden" name="idempotency_key" value=idempotency />
                    <ul class="stack">{ready.iter().map(|c| change(c)).collect_view()}</ul>
                    {left_out(desk, ready.len())}
                    <p class="muted">
                        "These changes are written together, as one commit with an entry in the \
                         audit trail."
                    </p>
                    <div class="line">
                        <button class="primary" autofocus>
                            <span>{format!("Commit {}", count(ready.len(), "change"))}</span>
                            {key("Ctrl ↵")}
                        </button>
                        <button type="button" popovertarget=SHEET popovertargetaction="hide">
                            "Cancel"
                        </button>
                    </div>
                </form>
            </section>
        }
        .into_any(),
    )
}

/// Shows what becomes of each memory of a change, and who approved it.
fn change(c: &ChangeView) -> AnyView {
    let edit = |e: &EditView| {
        let path = e.new_path.as_ref().unwrap_or(&e.path).to_string();
        match (&e.memory_id, &e.content) {
            (None, _) => view! {
                <li class="meta">
                    <Icon name="file-plus" />
                    <span>"Adds "<code>{path}</code></span>
                </li>
            }
            .into_any(),
            (_, None) => view! {
                <li class="meta red">
                    <Icon name="file-minus" />
                    <span>"Removes "<code>{path}</code></span>
                </li>
            }
            .into_any(),
            _ if e.new_path.is_some() => view! {
                <li class="meta">
                    <Icon name="file-symlink" />
                    <span>"Moves "<code>{e.path.to_string()}</code>" to "<code>{path}</code></span>
                </li>
            }
            .into_any(),
            _ => view! {
                <li class="meta">
                    <Icon name="file-pen" />
                    <span>"Changes "<code>{path}</code></span>
                </li>
            }
            .into_any(),
        }
    };
    let by = format!("Approved by {}", c.needs.given.join(", "));
    view! {
        <li>
            <p class="strong">
                <Visible text=c.change.title.clone() />
            </p>
            <ul>{c.edits.iter().map(edit).collect_view()}</ul>
            <p class="quiet">{by}</p>
        </li>
    }
    .into_any()
}

/// Shows what the commit does not include, and why.
fn left_out(desk: &Desk, ready: usize) -> Option<AnyView> {
    let mine = || desk.view.changes.iter().filter(|c| c.may_decide);
    let short = mine()
        .filter(|c| c.change.state == ChangeState::Approved)
        .count()
        - ready;
    let undecided = mine().filter(|c| c.waits_for_reader()).count();
    let parts = [
        (short, "approved but in conflict or short of an approval"),
        (undecided, "not decided yet"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, why)| format!("{n} {why}"))
        .collect();
    (!parts.is_empty()).then(|| {
        view! { <p class="notice">{format!("Not included: {}.", parts.join("; "))}</p> }.into_any()
    })
}
