//! A store's commits, and what each did.

use domain::{plural::count, rights::Action};
use leptos::prelude::*;
use service::{CommitView, HistoryRow};

use super::stores::store_heading;
use crate::{
    components::{
        diff::DiffLines,
        forms::form_token,
        layout::{Empty, Heading},
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
        let row = move |r: HistoryRow| {
            let from = r.commit.changeset_id.map(|id| view! { <a href=format!("/changesets/{id}")>"changeset"</a> });
            view! {
                <tr>
                    <td>{r.commit.revision}</td>
                    <td><a href=format!("/commits/{}", r.commit.id)><Visible text=r.commit.message /></a></td>
                    <td>{count(r.commit.versions, "memory")}</td>
                    <td>{from}</td>
                    <td>{r.committed_by}{r.solo.then(solo_badge)}</td>
                    <td><When at=r.commit.created_at now=now /></td>
                </tr>
            }
        };
        let body = if list.rows.is_empty() {
            view! { <Empty title="No commit yet">"Every write to this store is a commit and stays listed here."</Empty> }.into_any()
        } else {
            view! {
                <div class="scroll" tabindex="0" role="region" aria-label="Commits">
                    <table>
                        <thead><tr><th>"Revision"</th><th>"What"</th><th>"Touched"</th><th>"From"</th><th>"Committed by"</th><th>"When"</th></tr></thead>
                        <tbody>{list.rows.into_iter().map(row).collect_view()}</tbody>
                    </table>
                </div>
            }
            .into_any()
        };
        Ok(view! { {store_heading(&store, "History", None)}{body}{next.map(|href| view! { <p><a href=href>"Older"</a></p> })} }.into_any())
    })
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
        view! {
            <section class="card">
                <h2><a href=format!("/memories/{}", v.version.memory_id)><code>{v.version.path.to_string()}</code></a></h2>
                <p class="quiet">{v.version.operation.as_str()}", version "{v.version.number}{approved}</p>
                <DiffLines lines=lines />
            </section>
        }
    };
    view.versions.into_iter().map(one).collect_view()
}
