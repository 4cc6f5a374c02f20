//! What happened to a change so far: who proposed it, what people decided and said. And the field
//! to say more.

use domain::{
    Timestamp,
    changeset::{ChangesetOrigin, DecisionKind},
};
use leptos::prelude::*;
use service::{ChangeView, CommentRow, DecisionRow};

use super::{Desk, decide::named};
use crate::components::{
    forms::form_token,
    icon::Icon,
    layout::{Avatar, Machine},
    text::Visible,
    text_area::TextArea,
    when::When,
};

/// Proposals, decisions and comments on the change, oldest first.
pub fn activity(desk: &Desk, view: &ChangeView) -> AnyView {
    let mut all: Vec<(Timestamp, AnyView)> = vec![(view.change.created_at, proposed(desk))];
    all.extend(
        view.decisions
            .iter()
            .map(|d| (d.created_at, decision(desk, view, d))),
    );
    all.extend(view.comments.iter().map(|c| (c.created_at, said(desk, c))));
    all.sort_by_key(|(at, _)| *at);
    let items = all.into_iter().map(|(_, item)| item).collect_view();
    view! {
        <details class="slot" open>
            <summary>
                <h2>"Activity"</h2>
                <Icon name="chevron-down" />
            </summary>
            <div class="in">
                <ol class="timeline">{items}</ol>
                {comment(desk, view)}
            </div>
        </details>
    }
    .into_any()
}

fn item(desk: &Desk, who: &str, text: AnyView, at: Timestamp, note: Option<String>) -> AnyView {
    let me = who == desk.reader();
    let name = if me { "You".to_owned() } else { who.to_owned() };
    let note = note.filter(|n| !n.is_empty()).map(|n| {
        view! {
            <p class="wrap">
                <Visible text=n />
            </p>
        }
    });
    view! {
        <li>
            <Avatar name=who.to_owned() me=me />
            <div>
                <p>
                    <b>{name}</b>
                    " "
                    {text}
                </p>
                {note}
            </div>
            <When at=at now=desk.now() />
        </li>
    }
    .into_any()
}

fn proposed(desk: &Desk) -> AnyView {
    let row = &desk.view.changeset;
    let (by, at, now) = (desk.view.created_by.clone(), row.created_at, desk.now());
    if let Some(dream) = row.dream_id {
        return view! {
            <li>
                <Machine />
                <p>
                    <a href=format!("/dreams/{dream}")>"A dream"</a>
                    " proposed this"
                </p>
                <When at=at now=now />
            </li>
        }
        .into_any();
    }
    match row.origin {
        ChangesetOrigin::Agent => view! {
            <li>
                <Machine />
                <p>
                    <b>{by}</b>
                    " asked to write this"
                </p>
                <When at=at now=now />
            </li>
        }
        .into_any(),
        ChangesetOrigin::Revert => item(
            desk,
            &by,
            view! { "proposed to revert a commit" }.into_any(),
            at,
            None,
        ),
        _ => item(desk, &by, view! { "proposed this" }.into_any(), at, None),
    }
}

fn decision(desk: &Desk, view: &ChangeView, d: &DecisionRow) -> AnyView {
    let verdict = match (d.verdict, d.reject_code) {
        (DecisionKind::Approve, _) if d.meaning.is_some() => "approved and signed".to_owned(),
        (DecisionKind::Approve, _) => "approved".to_owned(),
        (DecisionKind::Reject, Some(code)) => format!("rejected: {}", code.explained()),
        (DecisionKind::Reject, None) => "rejected".to_owned(),
        _ => "deferred".to_owned(),
    };
    let older = (d.revision != view.change.revision).then(|| format!(" (revision {})", d.revision));
    let back = d.taken_back_at.map(|_| " (withdrawn)");
    let signed = d.meaning.clone().map(|meaning| {
        view! {
            " "
            <span
                class="badge signed"
                title="The password was entered for this. Name, time and meaning are bound to the \
                digest."
            >
                {meaning}
            </span>
        }
    });
    item(
        desk,
        &d.user_name,
        view! {
            {verdict}
            {older}
            {back}
            {signed}
        }
        .into_any(),
        d.created_at,
        Some(d.note.clone()),
    )
}

fn said(desk: &Desk, c: &CommentRow) -> AnyView {
    let older = desk
        .open()
        .filter(|v| v.change.revision != c.revision)
        .map(|_| format!(" on revision {}", c.revision));
    item(
        desk,
        &c.user_name,
        view! {
            "commented"
            {older}
        }
        .into_any(),
        c.created_at,
        Some(c.body.clone()),
    )
}

fn comment(desk: &Desk, view: &ChangeView) -> Option<AnyView> {
    if !view.may_decide || !desk.view.changeset.state.is_reviewed() {
        return None;
    }
    let kept = desk
        .kept("comment")
        .and_then(|f| f.fields.get("body").cloned());
    let open = kept.is_some();
    let id = format!("{}-comment", view.change.id);
    Some(
        view! {
            <details data-key="c" open=open>
                <summary class="button quiet">
                    <Icon name="message-square" />
                    "Comment"
                    <kbd class="key" aria-hidden="true">
                        "C"
                    </kbd>
                </summary>
                <form method="post" action="/do/comment" class="stack" data-swap>
                    {form_token()}
                    {named(desk, view)}
                    <TextArea
                        name="body"
                        id=id
                        value=kept.unwrap_or_default()
                        rows=3
                        label="Comment"
                    />
                    <button>"Comment"</button>
                </form>
            </details>
        }
        .into_any(),
    )
}
