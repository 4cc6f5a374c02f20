//! What one was told: whose turn it is, who said something, what became of what one proposed. Links
//! open the item, and never decide.

use domain::{Timestamp, notice::NoticeReason};
use leptos::prelude::*;
use service::{NoticeRow, RecallNotice};

use crate::{
    components::{
        forms::form_token,
        layout::{Empty, Heading},
        text::Visible,
        when::When,
    },
    context::page,
};

/// `/inbox`: the notices of the person who is signed in.
#[component]
pub fn Inbox() -> impl IntoView {
    page("inbox", |request| async move {
        let actor = request.actor()?;
        let rows = request.lucid.inbox(actor).await?;
        let wants_mail = request.lucid.wants_mail(actor).await?;
        let recalls = request.lucid.recall_notices(actor).await?;
        let unread =
            rows.iter().any(|r| r.read_at.is_none()) || recalls.iter().any(|r| r.read_at.is_none());
        let now = request.now();
        let paused = request.lucid.paused_policies(actor).await?;
        let paused = paused
            .into_iter()
            .map(|p| {
                view! {
                    <div class="notice">
                        <strong>"Your policy “"<Visible text=p.name />"” is paused. "</strong>
                        {p.note}
                        " "
                        <a href=format!("/policies/{}", p.policy_id)>"View policy"</a>
                    </div>
                }
            })
            .collect_view();
        let about_recall = |r: RecallNotice| {
            let place = format!("/recalls/{}", r.recall_id);
            item(
                r.read_at.is_some(),
                "Sessions of yours loaded memory that was recalled",
                (place, r.path.to_string()),
                (r.store_name, r.created_at, now),
            )
        };
        let about_changeset = |r: NoticeRow| {
            let place = format!("/changesets/{}", r.changeset_id);
            item(
                r.read_at.is_some(),
                reason(r.reason),
                (place, r.title),
                (r.store_name, r.created_at, now),
            )
        };
        let all_read = unread.then(|| {
            view! {
                <form method="post" action="/do/read_all">
                    {form_token()}
                    <button>"Mark all as read"</button>
                </form>
            }
            .into_any()
        });
        let list = if rows.is_empty() && recalls.is_empty() {
            view! {
                <Empty title="Nothing yet">
                    "You are notified here when it is your turn to review, when a person comments, \
                     when your proposal is decided, and when memory is recalled that your agents \
                     loaded."
                </Empty>
            }
            .into_any()
        } else {
            view! {
                <ul class="inbox">
                    {recalls.into_iter().map(about_recall).collect_view()}
                    {rows.into_iter().map(about_changeset).collect_view()}
                </ul>
            }
            .into_any()
        };
        let (word, value) = if wants_mail {
            ("Stop emails", "no")
        } else {
            ("Email me when it is my turn", "yes")
        };
        Ok(view! {
            <Heading title="Inbox" />
            {paused}
            {all_read}
            {list}
            <form method="post" action="/do/mail_notices" class="card stack">
                {form_token()}
                <p class="quiet">
                    "Emails name the changeset and its store, never its content; one for each \
                     item. They need a mail server, which the operator sets up."
                </p>
                <input type="hidden" name="wants" value=value />
                <button>{word}</button>
            </form>
        }
        .into_any())
    })
}

/// An item of the list: whether it was read, what happened, where it leads, and in which store and
/// when it happened.
fn item(
    read: bool,
    what: &'static str,
    (place, title): (String, String),
    (store, at, now): (String, Timestamp, Timestamp),
) -> impl IntoView {
    let (class, mark) = if read {
        ("", "read")
    } else {
        ("unread", "unread")
    };
    view! {
        <li class=class>
            <span class="badge">{mark}</span>
            " "
            {what}
            ": "
            <a href=place data-open>
                <Visible text=title />
            </a>
            " "
            <span class="quiet">{store}", "<When at=at now=now /></span>
        </li>
    }
}

fn reason(why: NoticeReason) -> &'static str {
    match why {
        NoticeReason::YourTurn => "Your turn",
        NoticeReason::Comment => "New comment",
        NoticeReason::Conflict => "Memory changed since it was proposed",
        NoticeReason::Decided => "Decided",
    }
}
