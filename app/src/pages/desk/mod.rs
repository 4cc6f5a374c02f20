//! The desk: one change of a changeset at a time. At the left the list of changes, in the middle
//! what is to be judged, at the right the decision, what it needs, the evidence and what happened
//! so far, always in the same place. Complete without wasm: every key is a link or a button that is
//! there.

mod activity;
mod change;
mod commit;
mod decide;
mod editor;
mod evidence;
mod list;
mod policy;
mod related;
mod requirements;

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    changeset::{ChangesetOrigin, ChangesetState},
    ids::{ChangeId, CommitId},
};
use leptos::prelude::*;
use service::{Answered, ApplicationRow, ChangeView, ChangesetView, Error, RefusedForm, UndoRow};

pub use evidence::place;
pub use related::Related;

use crate::{
    components::{
        forms::{Refused, form_token},
        icon::Icon,
        layout::Crumbs,
        text::Visible,
        title::DocumentTitle,
    },
    context::{Request, page},
    islands::{desk::DeskKeys, live::Live},
};

/// The data that every part of the page needs.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone)]
pub struct Desk {
    pub request: Request,
    pub view: ChangesetView,
    /// Position of the change that is open.
    pub at: usize,
    /// Input of a form that was refused.
    pub refused: Option<RefusedForm>,
    /// The password was entered in the last minutes: what is signed needs it not again.
    pub signed: bool,
    /// The reader's decision that is undone next.
    pub undo: Option<UndoRow>,
    /// Both sides of a diff beside each other.
    pub side: bool,
    /// New contents as a person reads them, in place of diffs.
    pub preview: bool,
    /// Nothing is masked in the quotes.
    pub reveal: bool,
    /// That the open change was looked at is not noted yet.
    pub unseen: bool,
    /// The editor is open in place of the diff.
    pub editing: bool,
    /// What the policies say of the changes.
    pub answers: BTreeMap<ChangeId, Answered>,
    /// Which of them policies applied.
    pub applied: BTreeMap<ChangeId, ApplicationRow>,
    /// The policies of the store, or all, are stopped.
    pub stopped: bool,
}

impl Desk {
    /// The change that is open. A changeset without changes has none.
    pub fn open(&self) -> Option<&ChangeView> {
        self.view.changes.get(self.at)
    }

    /// The time that the page is of.
    pub fn now(&self) -> Timestamp {
        self.request.now()
    }

    /// The address of a change in this changeset.
    pub fn address(&self, change: ChangeId) -> String {
        format!("/changesets/{}?change={change}", self.view.changeset.id)
    }

    /// The name of the reader.
    pub fn reader(&self) -> &str {
        self.request.current.as_ref().map_or("", |c| &c.user.name)
    }

    /// The refused input of a form on the open change with this verdict.
    pub fn kept(&self, verdict: &str) -> Option<&RefusedForm> {
        let id = self.open()?.change.id.to_string();
        let of = |f: &&RefusedForm| {
            f.fields.get("change") == Some(&id)
                && f.fields.get("verdict").is_some_and(|v| v == verdict)
        };
        self.refused.as_ref().filter(of)
    }
}

/// `/changesets/ID`: the desk.
#[component]
pub fn Changeset() -> impl IntoView {
    page("queue", |request| async move {
        let actor = request.actor()?.clone();
        let id = request.id("changeset")?;
        let position = request.lucid.position().await?;
        let mut view = request.lucid.changeset(&actor, id).await?;
        let at = chosen(&request, &view)?;
        let (mut reveal, mut unseen) = (false, false);
        if let Some(open) = view.changes.get_mut(at) {
            reveal = open.may_decide && request.is_revealed(&open.change.id.to_string()).await;
            if reveal {
                open.unmask();
            }
            unseen = request.lucid.is_unseen(&actor, open).await?;
        }
        let undo = request.lucid.undoable(&actor).await?.into_iter().next();
        let refused = request.refused().await;
        let shown = request.diff_view().await;
        let (side, preview) = (shown == "side", shown == "preview");
        let signed = request.lucid.is_confirmed(&actor).await?;
        request.is_about(view.changeset.store_id);
        let editing = request.query.contains_key("edit");
        let (answers, applied) = request.lucid.policy_answers(&actor, &[id]).await?;
        let stopped = request
            .lucid
            .are_policies_stopped(&actor, view.changeset.store_id)
            .await?;
        let mut desk = Desk {
            request,
            view,
            at,
            refused,
            signed,
            undo,
            side,
            preview,
            reveal,
            unseen,
            editing,
            answers,
            applied,
            stopped,
        };
        desk.editing |= desk.kept("edit").is_some() || desk.kept("rebase").is_some();
        desk.editing &= desk.open().is_some_and(|c| editor::may_edit(&desk, c));
        Ok(layout(&desk, position))
    })
}

/// The change that the address names; else the first that waits for the reader; else the first.
fn chosen(request: &Request, view: &ChangesetView) -> service::Result<usize> {
    if let Some(wanted) = request.query.get("change") {
        return view
            .changes
            .iter()
            .position(|c| c.change.id.to_string() == *wanted)
            .ok_or(Error::NotFound("change"));
    }
    Ok(view
        .changes
        .iter()
        .position(ChangeView::waits_for_reader)
        .or_else(|| view.changes.iter().position(|c| c.change.state.is_open()))
        .unwrap_or(0))
}

fn layout(desk: &Desk, position: i64) -> AnyView {
    let row = &desk.view.changeset;
    desk.request.show_as_desk();
    let committed = desk.request.asked::<CommitId>("committed");
    let stream = format!("/live/changesets/{}?after={position}", row.id);
    let class = if desk.side { "side-by-side" } else { "" };
    let elsewhere = desk
        .refused
        .clone()
        .filter(|f| !f.fields.contains_key("change"));
    let middle = desk.open().map(|open| change::change(desk, open));
    let rail = desk.open().map(|open| {
        view! {
            {requirements::requirements(desk, open)}
            {policy::policy(desk, open)}
            {evidence::evidence(desk, open)}
            {activity::activity(desk, open)}
        }
    });
    view! {
        <DocumentTitle text=format!("{} · Queue", row.title) />
        <div
            id="desk"
            class=class
            data-key-scope="desk"
            data-page=row.id.to_string()
            data-position=position.to_string()
        >
            {head(desk)}
            <div class="panes">
                {list::list(desk)} <div class="mid">
                    <Refused form=elsewhere />
                    {committed.map(|commit| done(desk, commit))}
                    {middle}
                </div> <aside class="pane last" aria-label="Decision and context">
                    {decide::decision(desk)}
                    {desk.unseen.then(|| seen(desk))}
                    {rail}
                </aside>
            </div>
            {commit::sheet(desk)}
        </div>
        <DeskKeys />
        <Live stream=stream region="desk".to_owned() />
    }
    .into_any()
}

/// Shows where one is, how much is left, and the way to other changesets.
fn head(desk: &Desk) -> AnyView {
    let row = &desk.view.changeset;
    let all = &desk.view.changes;
    let left = all.iter().filter(|c| c.waits_for_reader()).count();
    let step = |(i, c): (usize, &ChangeView)| {
        let class = if i == desk.at {
            "now"
        } else if c.waits_for_reader() {
            ""
        } else {
            "past"
        };
        view! { <i class=class></i> }
    };
    let steps = (all.len() > 1 && all.len() <= STEPS).then(|| {
        view! {
            <span class="steps" aria-hidden="true">
                {all.iter().enumerate().map(step).collect_view()}
            </span>
        }
    });
    let solo = desk.view.solo.then(|| {
        view! {
            <span
                class="badge label"
                title="One person alone decides in this installation; every commit says so"
            >
                "Solo mode"
            </span>
        }
    });
    let address = format!("/changesets/{}", row.id);
    let title = row.title.clone();
    view! {
        <header class="head">
            <button
                class="button quiet icon list-button"
                popovertarget="list"
                aria-label="Show the list of changes"
            >
                <Icon name="panel-left-open" />
            </button>
            <Crumbs trail=vec![("/queue".into(), "Queue".into())]>
                <b class="cut">
                    <Visible text=title />
                </b>
            </Crumbs>
            {solo}
            <span class="line quiet">
                {steps}<span data-left>{format!("{left} left for you")}</span>
            </span>
            <div class="head-actions">
                <a
                    class="button quiet icon"
                    href=format!("{address}/before")
                    data-key="["
                    rel="prev"
                    aria-label="Previous changeset"
                    title="Previous changeset  ["
                >
                    <Icon name="chevron-up" />
                </a>
                <a
                    class="button quiet icon"
                    href=format!("{address}/after")
                    data-key="]"
                    rel="next"
                    aria-label="Next changeset"
                    title="Next changeset  ]"
                >
                    <Icon name="chevron-down" />
                </a>
                {withdraw(desk)}
            </div>
        </header>
    }
    .into_any()
}

/// Most changes that are drawn as steps.
const STEPS: usize = 24;

/// Notes that the open change was looked at: sent by the page itself, or, without scripts, by its
/// reader.
fn seen(desk: &Desk) -> Option<AnyView> {
    let c = &desk.open()?.change;
    Some(
        view! {
            <form method="post" action="/do/note_opened" class="seen" data-seen>
                {form_token()}
                <input type="hidden" name="changeset" value=desk.view.changeset.id.to_string() />
                <input type="hidden" name="change" value=c.id.to_string() />
                <input type="hidden" name="revision" value=c.revision.to_string() />
                <button class="plain">"Mark as viewed"</button>
            </form>
        }
        .into_any(),
    )
}

/// Taking one's own proposal back.
fn withdraw(desk: &Desk) -> Option<AnyView> {
    let row = &desk.view.changeset;
    let mine = desk
        .request
        .current
        .as_ref()
        .is_some_and(|me| me.actor.who.to_string() == row.created_by);
    let id = row.id.to_string();
    (mine && row.origin != ChangesetOrigin::Dream && row.state == ChangesetState::Open).then(|| {
        view! {
            <form method="post" action="/do/withdraw" class="inline">
                {form_token()}
                <input type="hidden" name="changeset" value=id />
                <button>"Withdraw changeset"</button>
            </form>
        }
        .into_any()
    })
}

/// Shows what a commit did, and how to revert it.
fn done(desk: &Desk, commit: CommitId) -> AnyView {
    let changeset = desk.view.changeset.id.to_string();
    let undo = desk.view.may_decide.then(|| {
        view! {
            <form method="post" action="/do/revert" class="inline">
                {form_token()}
                <input type="hidden" name="changeset" value=changeset />
                <input type="hidden" name="commit" value=commit.to_string() />
                <button class="plain">"Revert commit"</button>
            </form>
            <span>" (proposes the inverse, through review)"</span>
        }
    });
    view! {
        <div class="notice good" data-done="Committed">
            <strong>"Committed. "</strong>
            "The approved changes are in the memory now. "
            <a href=format!("/commits/{commit}")>"View commit"</a>
            " · "
            {undo}
        </div>
    }
    .into_any()
}

/// Leads to the changeset in the reader's turn that comes after this one.
#[component]
pub fn After() -> impl IntoView {
    neighbour(true)
}

/// Leads to the one before.
#[component]
pub fn Before() -> impl IntoView {
    neighbour(false)
}

fn neighbour(after: bool) -> AnyView {
    page("queue", move |request| async move {
        let id = request.id("changeset")?;
        request.lucid.changeset_row(request.actor()?, id).await?;
        let to = request.lucid.neighbour(request.actor()?, id, after).await?;
        request.lead_to(&to.map_or_else(|| "/queue".to_owned(), |to| format!("/changesets/{to}")));
        Ok(().into_any())
    })
}
