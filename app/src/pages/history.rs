//! A store's commits, and what each did.

use domain::{Timestamp, memory::Operation, plural::count, rights::Action};
use leptos::prelude::*;
use service::{CommitView, HistoryRow};

use super::stores::store_heading;
use crate::{
    components::{
        days::by_day,
        diff::DiffLines,
        forms::form_token,
        layout::{Empty, Heading, actor_mark, actor_name},
        text::Visible,
        when::When,
    },
    context::page,
};

/// The commits of a store, newest first.
#[component]
pub fn History() -> impl IntoView {
    page("memory", |request| async move {
        let store = request.lucid.store(request.actor()?, request.id("store")?).await?;
        request.is_about(store.id);
        let list = request.lucid.history(request.actor()?, store.id, request.asked("before")).await?;
        let now = request.now();
        let next = list.rows.last().filter(|_| list.more).map(|r| format!("/stores/{}/history?before={}", store.id, r.commit.revision));
        let body = if list.rows.is_empty() {
            view! { <Empty title="No commit yet">"Every write to this store is a commit and stays listed here."</Empty> }.into_any()
        } else {
            by_day(list.rows, now, |r| r.commit.created_at, |r| entry(r, now))
        };
        let as_of = view! {
            <form method="get" action=format!("/stores/{}/at", store.id) class="filters">
                <label class="wrap">"What was remembered as of (UTC)"<input type="datetime-local" name="time" required /></label>
                <button>"Show"</button>
            </form>
        };
        Ok(view! { {store_heading(&store, "History", None)}{as_of}{body}{next.map(|href| view! { <p><a href=href>"Older"</a></p> })} }
            .into_any())
    })
}

/// A commit in the list.
fn entry(row: HistoryRow, now: Timestamp) -> impl IntoView {
    let (commit, by) = (row.commit, row.committed_by);
    let mark = actor_mark(&commit.actor, &by);
    let from = commit.changeset_id.map(|id| view! { ", from "<a class="link" href=format!("/changesets/{id}")>"a changeset"</a> });
    let at = format!("/stores/{}/at?revision={}", commit.store_id, commit.revision);
    view! {
        <li>
            {mark}
            <div>
                <p><a href=format!("/commits/{}", commit.id)><Visible text=commit.message /></a></p>
                <p class="quiet">{actor_name(&by)}" wrote "{count(commit.versions, "memory")}{from}" · "<a class="link" href=at>"revision "{commit.revision}</a>{row.solo.then(solo_badge)}</p>
            </div>
            <When at=commit.created_at now=now />
        </li>
    }
}

/// A commit with what it did to each memory.
#[component]
pub fn Commit() -> impl IntoView {
    page("memory", |request| async move {
        let view = request.lucid.commit_view(request.actor()?, request.id("commit")?, request.asked("after")).await?;
        let store = request.lucid.store(request.actor()?, view.commit.store_id).await?;
        request.is_about(store.id);
        let now = request.now();
        let trail = vec![
            ("/stores".into(), "Memory".into()),
            (format!("/stores/{}", store.id), store.name),
            (format!("/stores/{}/history", store.id), "History".into()),
        ];
        let from = view.commit.changeset_id.map(|id| view! { " from "<a href=format!("/changesets/{id}")>"a changeset"</a> });
        let paths: Vec<&str> = view.versions.iter().map(|(v, _)| v.version.path.as_str()).collect();
        let may_revert = request.actor()?.may_at(Action::Decide, store.id, &paths);
        let revert = may_revert.then(|| {
            view! { <form method="post" action="/do/revert">{form_token()}<input type="hidden" name="commit" value=view.commit.id.to_string() /><button title="Proposes the inverse, through review">"Revert commit"</button></form> }
                .into_any()
        });
        let solo = view.solo.then(solo_badge);
        let next = view.versions.last().filter(|_| view.more).map(|(v, _)| format!("/commits/{}?after={}", view.commit.id, v.version.id));
        Ok(view! {
            <Heading title=format!("Revision {}", view.commit.revision) trail=trail />
            {revert}
            <p class="about">
                <strong><Visible text=view.commit.message.clone() /></strong>" · committed by "{view.committed_by.clone()}" "
                <When at=view.commit.created_at now=now />{from}{solo}
            </p>
            {versions(view)}
            {next.map(|href| view! { <p><a href=href>"Next page"</a></p> })}
        }
        .into_any())
    })
}

/// Says that one person alone decided.
fn solo_badge() -> impl IntoView {
    view! { " "<span class="badge label">"solo mode"</span> }
}

fn versions(view: CommitView) -> impl IntoView {
    let one = |(v, lines): (service::VersionView, Vec<domain::diff::Line>)| {
        let approved = (!v.approved_by.is_empty()).then(|| format!(" · approved by {}", v.approved_by.join(", ")));
        let loads = format!("/memories/{}/loads?from={}", v.version.memory_id, v.version.number);
        let loads = (v.version.operation != Operation::Deleted).then(|| view! { " · "<a class="link" href=loads>"Who loaded it"</a> });
        view! {
            <section class="card">
                <h2><a href=format!("/memories/{}", v.version.memory_id)><code>{v.version.path.to_string()}</code></a></h2>
                <p class="quiet">{v.version.operation.as_str()}", version "{v.version.number}{approved}{loads}</p>
                <DiffLines lines=lines />
            </section>
        }
    };
    view.versions.into_iter().map(one).collect_view()
}
