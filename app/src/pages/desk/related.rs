//! What is related to a change: memories that say nearly the same, as a question; the history and
//! the readers of what it touches; and past decisions on similar changes.

use domain::{
    changeset::{ChangeState, DecisionKind},
    ids::ChangeId,
    plural::count,
};
use leptos::prelude::*;
use service::{
    BesideView, DecidedRow, LikeRow, ReaderRow, SimilarMemory, TouchedMemory, VersionRow,
};

use crate::{
    components::{forms::form_token, layout::Heading, text::Visible, when::When},
    context::{Request, page},
};

/// Versions of a memory that are shown.
const VERSIONS: usize = 5;

/// `/changes/ID/related`: everything related to a change.
#[component]
pub fn Related() -> impl IntoView {
    page("queue", |request| async move {
        let id = request.id::<ChangeId>("change")?;
        let view = request.lucid.beside(request.actor()?, id).await?;
        let changeset = format!("/changesets/{}?change={id}", view.change.changeset_id);
        let trail = vec![
            ("/queue".into(), "Queue".into()),
            (changeset, view.change.title.clone()),
        ];
        let budget = view
            .budget
            .map(|b| format!(" of a budget of {b}"))
            .unwrap_or_default();
        let tokens = format!(
            "{} tokens in all memories of the store now, {} with this change{budget} (4 bytes a \
             token).",
            view.tokens.0, view.tokens.1
        );
        Ok(view! {
            <Heading title="Related memories and past decisions" trail=trail />
            <p class="quiet">{tokens}</p>
            <h2>"Memories that say nearly the same"</h2>
            {similar(&view)}
            <h2>"What it touches"</h2>
            {touched(&request, &view)}
            <h2>"Past decisions on similar changes"</h2>
            {decided(&view, request.now())}
            {like(&view)}
        }
        .into_any())
    })
}

fn similar(view: &BesideView) -> AnyView {
    if view.similar.is_empty() {
        return view! { <p class="quiet">"None in this store."</p> }.into_any();
    }
    view.similar
        .iter()
        .map(|s| question(view, s))
        .collect_view()
        .into_any()
}

/// The question to the reviewer: the same, keep both, or put the new one in the other's place?
fn question(view: &BesideView, s: &SimilarMemory) -> AnyView {
    let c = &view.change;
    let desk = format!("/changesets/{}?change={}", c.changeset_id, c.id);
    let named = || {
        view! {
            <input type="hidden" name="changeset" value=c.changeset_id.to_string() />
            <input type="hidden" name="change" value=c.id.to_string() />
            <input type="hidden" name="revision" value=c.revision.to_string() />
            <input type="hidden" name="digest" value=c.digest.clone() />
        }
    };
    let asked = match (s.same, s.by_meaning) {
        (true, _) => "They say the same in other words or order.",
        (false, true) => "Do they mean the same?",
        (false, false) => "Do they say the same?",
    };
    let answers = view.may_replace.then(|| {
        view! {
            <div class="line wrap">
                <form method="post" action="/do/decide">
                    {form_token()}
                    {named()}
                    <input type="hidden" name="verdict" value="reject" />
                    <input type="hidden" name="reject_code" value="never" />
                    <input
                        type="hidden"
                        name="note"
                        value=format!("The memory already says so: {}", s.path)
                    />
                    <button>"Same: reject the new one"</button>
                </form>
                <a class="button" href=desk>
                    "Keep both: back to the change"
                </a>
                <form method="post" action="/do/replace_instead">
                    {form_token()}
                    {named()}
                    <input type="hidden" name="memory" value=s.id.to_string() />
                    <button>"Replace the existing one"</button>
                </form>
            </div>
        }
    });
    view! {
        <section class="card question">
            <h3>{asked}</h3>
            <p>
                <span class="quiet">
                    "in "<a href=format!("/memories/{}", s.id)>
                        <code>{s.path.clone()}</code>
                    </a>": "
                </span>
                <Visible text=s.statement.clone() />
            </p>
            <p>
                <span class="quiet">"proposed: "</span>
                <Visible text=s.proposed.clone() />
            </p>
            {answers}
        </section>
    }
    .into_any()
}

fn touched(request: &Request, view: &BesideView) -> AnyView {
    if view.touched.is_empty() {
        return view! { <p class="quiet">"It touches no existing memory; it adds a new one."</p> }
            .into_any();
    }
    let now = request.now();
    let version = |v: &VersionRow| {
        view! {
            <li>
                "version "{v.number}" "{v.operation.as_str()}" "<When at=v.created_at now=now />": "
                <Visible text=v.message.clone() />
            </li>
        }
    };
    let reader = |r: &ReaderRow| {
        let who = r
            .agent
            .as_deref()
            .map_or_else(|| "an unnamed agent".to_owned(), domain::masking::mask);
        view! {
            <li>
                <Visible text=who />
                " read this "
                {count(r.times, "time")}
                ", last "
                <When at=r.last_at now=now />
            </li>
        }
    };
    let one = |m: &TouchedMemory| {
        let older = m.versions.len().saturating_sub(VERSIONS);
        let readers = if m.readers.is_empty() {
            view! { <p class="quiet">"No agent read it in the last 30 days."</p> }.into_any()
        } else {
            view! { <ul>{m.readers.iter().map(reader).collect_view()}</ul> }.into_any()
        };
        view! {
            <section class="card">
                <h3>
                    <a href=format!("/memories/{}", m.id)>
                        <code>{m.path.clone()}</code>
                    </a>
                </h3>
                <ul>{m.versions.iter().take(VERSIONS).map(version).collect_view()}</ul>
                {(older > 0)
                    .then(|| {
                        view! {
                            <p class="quiet">
                                {format!("{} before that", count(older, "version"))}
                            </p>
                        }
                    })}
                {readers}
            </section>
        }
    };
    view.touched.iter().map(one).collect_view().into_any()
}

/// Decided changes that mean nearly the same.
fn decided(view: &BesideView, now: domain::Timestamp) -> AnyView {
    if !view.by_meaning {
        return view! { <p class="quiet">"Compared by words only, because no sentence model is set up."</p> }
        .into_any();
    }
    let row = |d: &DecidedRow| {
        let word = if d.state == ChangeState::Committed {
            "committed"
        } else {
            "rejected"
        };
        view! {
            <li>
                <a href=format!("/changesets/{}?change={}", d.changeset_id, d.id)>
                    <Visible text=d.title.clone() />
                </a>
                ", "
                {word}
                " "
                <When at=d.updated_at now=now />
            </li>
        }
    };
    let rows = view.decided.iter().map(row).collect_view();
    (!view.decided.is_empty())
        .then(|| {
            view! {
                <p class="quiet">"Similar in meaning:"</p>
                <ul>{rows}</ul>
            }
        })
        .into_any()
}

fn like(view: &BesideView) -> AnyView {
    if view.like.is_empty() {
        return view! { <p class="quiet">"None yet. This is the first change of its kind in this store."</p> }
        .into_any();
    }
    let row = |l: &LikeRow| {
        let what = match (l.verdict, l.reject_code) {
            (DecisionKind::Approve, _) => "approved".to_owned(),
            (_, Some(code)) => format!("rejected: {}", code.explained().to_lowercase()),
            _ => "rejected".to_owned(),
        };
        view! { <li>{count(l.times, "time")}" "{what}</li> }
    };
    view! { <ul>{view.like.iter().map(row).collect_view()}</ul> }.into_any()
}
