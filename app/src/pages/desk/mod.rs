//! The desk: one change of a changeset at a time, the list of what is left beside it, its evidence at the other side, and below what
//! can be decided, always at the same place. Complete without wasm: every key is a link or a button that is there.

mod actions;
mod beside;
mod change;
mod evidence;
mod list;

use domain::{
    Timestamp,
    changeset::ChangesetState,
    ids::{ChangeId, CommitId},
};
use leptos::prelude::*;
use service::{ChangeView, ChangesetView, Error, RefusedForm, UndoRow};

pub use beside::Beside;

use crate::{
    components::{
        forms::{Refused, form_token},
        layout::Heading,
        when::When,
    },
    context::{Request, page},
    islands::{desk::DeskKeys, live::Live},
};

/// What every part of the page needs.
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
    /// Nothing is masked in the quotes.
    pub reveal: bool,
    /// That the open change was looked at is not noted yet.
    pub unseen: bool,
}

impl Desk {
    /// The change that is open. A changeset without changes has none.
    pub fn open(&self) -> Option<&ChangeView> {
        self.view.changes.get(self.at)
    }

    pub fn now(&self) -> Timestamp {
        self.request.now()
    }

    /// The address of a change in this changeset.
    pub fn address(&self, change: ChangeId) -> String {
        format!("/changesets/{}?change={change}", self.view.changeset.id)
    }

    /// The refused input of a form on the open change with this verdict.
    pub fn kept(&self, verdict: &str) -> Option<&RefusedForm> {
        let id = self.open()?.change.id.to_string();
        let of = |f: &&RefusedForm| f.fields.get("change") == Some(&id) && f.fields.get("verdict").is_some_and(|v| v == verdict);
        self.refused.as_ref().filter(of)
    }
}

/// The page.
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
        let side = request.is_side_by_side().await;
        let signed = request.lucid.is_confirmed(&actor).await?;
        let desk = Desk { request, view, at, refused, signed, undo, side, reveal, unseen };
        Ok(layout(&desk, position))
    })
}

/// The change that the address names; else the first that waits for the reader; else the first.
fn chosen(request: &Request, view: &ChangesetView) -> service::Result<usize> {
    if let Some(wanted) = request.query.get("change") {
        return view.changes.iter().position(|c| c.change.id.to_string() == *wanted).ok_or(Error::NotFound("change"));
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
    let committed = desk.request.asked::<CommitId>("committed");
    let stream = format!("/live/changesets/{}?after={position}", row.id);
    let page = row.id.to_string();
    let class = if desk.side { "desk side" } else { "desk" };
    view! {
        <Heading title=row.title.clone() trail=vec![("/queue".into(), "Queue".into())] />
        <div id="desk" class=class data-key-scope="desk" data-page=page data-position=position.to_string()>
            {about(desk)}
            <Refused form=desk.refused.clone().filter(|f| !f.fields.contains_key("change")) />
            {committed.map(|commit| done(desk, commit))}
            <div class="desk-columns">
                {list::list(desk)}
                {desk.open().map(|open| view! { {change::change(desk, open)}{evidence::evidence(desk, open)} })}
            </div>
            {actions::bar(desk)}
            {desk.unseen.then(|| seen(desk))}
        </div>
        <DeskKeys />
        <Live stream=stream region="desk".to_owned() />
    }
    .into_any()
}

fn about(desk: &Desk) -> AnyView {
    let row = &desk.view.changeset;
    let dream = row.dream_id.map(|id| view! { " from "<a href=format!("/dreams/{id}")>"a dream"</a> });
    let claim = desk.view.claim.as_ref().map(|c| {
        let mine = desk.request.current.as_ref().is_some_and(|me| me.user.id == c.user_id);
        let who = if mine { "you work on it".to_owned() } else { format!("{} works on it", c.user_name) };
        let class = if mine { "badge claim mine" } else { "badge claim" };
        view! { " "<span class=class><span aria-hidden="true">"◉ "</span>{who}", until "<When at=c.until now=desk.now() /></span> }
    });
    let solo = desk.view.solo.then(|| view! { " "<span class="badge label" title="One person alone decides in this installation; every commit says so">"solo mode"</span> });
    let (neighbour, history) = (format!("/changesets/{}", row.id), format!("/stores/{}/history", row.store_id));
    view! {
        <div class="about">
            <span class="badge">{row.state.as_str()}</span>" proposed "<When at=row.created_at now=desk.now() />{dream}
            " by "{desk.view.created_by.clone()}" for "<a href=format!("/stores/{}", row.store_id)>{row.store_name.clone()}</a>
            {(!desk.view.owners.is_empty()).then(|| format!("; asked first: {}", desk.view.owners.join(", ")))}
            {claim}{solo}{withdraw(desk)}
            <span class="beside-links"><a href=format!("{neighbour}/before") data-key="[" rel="prev">"previous changeset"</a>" · "<a href=format!("{neighbour}/after") data-key="]" rel="next">"next changeset"</a>" · "<a href=history data-go="h">"history"</a></span>
        </div>
    }.into_any()
}

/// Notes that the open change was looked at: sent by the page itself, or, without scripts, by its reader.
fn seen(desk: &Desk) -> Option<AnyView> {
    let c = &desk.open()?.change;
    Some(
        view! {
            <form method="post" action="/do/note_opened" class="seen" data-seen>
                {form_token()}
                <input type="hidden" name="changeset" value=desk.view.changeset.id.to_string() />
                <input type="hidden" name="change" value=c.id.to_string() />
                <input type="hidden" name="revision" value=c.revision.to_string() />
                <button class="plain">"Mark as seen"</button>
            </form>
        }
        .into_any(),
    )
}

/// Taking one's own proposal back.
fn withdraw(desk: &Desk) -> Option<AnyView> {
    let row = &desk.view.changeset;
    let mine = desk.request.current.as_ref().is_some_and(|me| me.actor.who.to_string() == row.created_by);
    let id = row.id.to_string();
    (mine && row.origin != "dream" && row.state == ChangesetState::Open).then(|| {
        view! { <form method="post" action="/do/withdraw" class="inline">{form_token()}" "<input type="hidden" name="changeset" value=id /><button class="plain">"Withdraw"</button></form> }
            .into_any()
    })
}

/// What a commit did, and how to take it back.
fn done(desk: &Desk, commit: CommitId) -> AnyView {
    let changeset = desk.view.changeset.id.to_string();
    let undo = desk.view.may_decide.then(|| {
        view! {
            <form method="post" action="/do/revert" class="inline">{form_token()}
                <input type="hidden" name="changeset" value=changeset />
                <input type="hidden" name="commit" value=commit.to_string() />
                <button class="plain">"Undo"</button>
            </form>
            <span>" (proposes a changeset that takes it back)"</span>
        }
    });
    view! {
        <div class="notice good" role="status"><strong>"Committed. "</strong>"What was approved is in the memory now. "<a href=format!("/commits/{commit}")>"See the commit"</a>" · "{undo}</div>
    }.into_any()
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
