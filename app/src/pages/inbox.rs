//! What one was told: whose turn it is, who said something, what became of what one proposed. Links open the item, and never decide.

use leptos::prelude::*;
use service::NoticeRow;

use crate::{
    components::{
        forms::form_token,
        layout::{Empty, Heading},
        text::Visible,
        when::When,
    },
    context::page,
};

/// The inbox.
#[component]
pub fn Inbox() -> impl IntoView {
    page("inbox", |request| async move {
        let actor = request.actor()?;
        let rows = request.lucid.inbox(actor).await?;
        let wants_mail = request.lucid.wants_mail(actor).await?;
        let unread = rows.iter().any(|r| r.read_at.is_none());
        let now = request.now();
        let paused = request.lucid.paused_policies(actor).await?;
        let paused = paused
            .into_iter()
            .map(|p| view! { <div class="notice"><strong>"Your policy “"<Visible text=p.name />"” is paused. "</strong>{p.note}" "<a href=format!("/policies/{}", p.policy_id)>"View policy"</a></div> })
            .collect_view();
        let row = |r: NoticeRow| {
            let class = if r.read_at.is_none() { "unread" } else { "" };
            let mark = if r.read_at.is_none() { "unread" } else { "read" };
            view! {
                <li class=class>
                    <span class="badge">{mark}</span>" "{reason(&r.reason)}": "<a href=format!("/changesets/{}", r.changeset_id) data-open><Visible text=r.title /></a>
                    " "<span class="quiet">{r.store_name}", "<When at=r.created_at now=now /></span>
                </li>
            }
        };
        let all_read = unread.then(|| {
            view! { <form method="post" action="/do/read_all">{form_token()}<button>"Mark all as read"</button></form> }.into_any()
        });
        let list = if rows.is_empty() {
            view! { <Empty title="Nothing yet">"You are notified here when it is your turn to review, when a person comments, and when your proposal is decided."</Empty> }.into_any()
        } else {
            view! { <ul class="inbox">{rows.into_iter().map(row).collect_view()}</ul> }.into_any()
        };
        let (word, value) = if wants_mail { ("Stop emails", "no") } else { ("Email me when it is my turn", "yes") };
        Ok(view! {
            <Heading title="Inbox" />
            {paused}
            {all_read}
            {list}
            <form method="post" action="/do/mail_notices" class="card stack">{form_token()}
                <p class="quiet">"Emails name the changeset and its store, never its content; one for each item. They need a mail server, which the operator sets up."</p>
                <input type="hidden" name="wants" value=value />
                <button>{word}</button>
            </form>
        }
        .into_any())
    })
}

fn reason(word: &str) -> &'static str {
    match word {
        "your_turn" => "Your turn",
        "comment" => "New comment",
        "conflict" => "Memory changed since it was proposed",
        _ => "Decided",
    }
}
