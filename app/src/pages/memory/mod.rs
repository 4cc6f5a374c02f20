//! One memory: its place in the tree, what it says, and why; and two of its versions compared.

mod about;
mod propose;
pub mod tree;

use domain::rights::Action;
use leptos::prelude::*;
use service::{MemoryAbout, MemoryView};

use crate::{
    components::{
        diff::DiffLines,
        forms::Refused,
        icon::Icon,
        layout::{Crumbs, Heading},
        prose::Prose,
        text::Visible,
        title::DocumentTitle,
    },
    context::{Request, page},
};

/// The memory.
#[component]
pub fn Memory() -> impl IntoView {
    page("memory", |request| async move {
        let actor = request.actor()?.clone();
        let view = request.lucid.memory(&actor, request.id("memory")?, request.asked("before")).await?;
        request.is_about(view.store_id);
        let store = request.lucid.store(&actor, view.store_id).await?;
        let tree = request.lucid.tree(&actor, store.id, Some(&view.path)).await?;
        let about = match &view.memory {
            Some(memory) => Some(request.lucid.memory_about(&actor, memory.id).await?),
            None => None,
        };
        let refused = request.refused().await;
        let suggests = request.query.contains_key("suggest");
        let forms = view.memory.as_ref().map(|m| {
            let may_propose = actor.may_at(Action::Propose, m.store_id, &[m.path.as_str()]);
            let may_freeze = actor.may_at(Action::Freeze, m.store_id, &[m.path.as_str()]);
            let edit = may_propose.then(|| propose::propose_forms(m, &view.content, refused.as_ref(), suggests));
            let freeze = (may_freeze && !m.frozen || may_propose && m.frozen).then(|| propose::freeze_form(m, refused.as_ref()));
            view! { <div class="stack">{edit}{freeze}</div> }
        });
        let gone = view.memory.is_none().then(|| view! { <p class="notice bad">"This memory was removed. This is what it last said."</p> });
        Ok(view! {
            <DocumentTitle text=format!("{} · Memory", view.path) />
            {head(&view, &store.name, forms.is_some())}
            <div class="panes">
                {tree::pane(store.id, &tree, Some(view.id), request.now())}
                <div class="mid">
                    <Refused form=refused />
                    {gone}
                    {waiting(about.as_ref())}
                    {content(&request, &view)}
                    <hr />
                    {forms}
                </div>
                <aside class="pane last" aria-label="About this memory">{about::rail(&view, about.as_ref(), request.now())}</aside>
            </div>
        }
        .into_any())
    })
}

/// Where one is, and what can be done.
fn head(view: &MemoryView, store: &str, may_suggest: bool) -> AnyView {
    let name = view.path.name().to_owned();
    let address = format!("/memories/{}", view.id);
    let folder = view.path.folder().trim_matches('/').replace('/', " / ");
    let store_link = format!("/stores/{}", view.store_id);
    let mut trail = vec![("/stores".into(), "Memory".into()), (store_link.clone(), store.to_owned())];
    if !folder.is_empty() {
        trail.push((store_link, folder));
    }
    let compare = (view.newest > 1).then(|| {
        let href = format!("{address}/compare?from={}&to={}", view.newest - 1, view.newest);
        view! { <a class="button quiet" href=href><Icon name="git-compare" />"Compare"</a> }
    });
    let suggest = may_suggest.then(|| {
        let href = format!("{address}?suggest=edit#suggest");
        view! { <a class="button" href=href><Icon name="pencil" />"Suggest an edit"</a> }
    });
    view! {
        <header class="head">
            <button class="button quiet icon list-button" popovertarget="list" aria-label="Show all memories"><Icon name="panel-left-open" /></button>
            <Crumbs trail=trail><h1><Visible text=name /></h1></Crumbs>
            <div class="head-actions">{compare}{suggest}</div>
        </header>
    }
    .into_any()
}

/// Proposals that wait for a decision.
fn waiting(about: Option<&MemoryAbout>) -> Option<AnyView> {
    let open = &about?.open;
    if open.is_empty() {
        return None;
    }
    let one = |c: &service::OpenChangeRow| {
        let href = format!("/changesets/{}?change={}", c.changeset_id, c.id);
        view! { <li><a href=href><Visible text=c.title.clone() /></a></li> }
    };
    let text = if open.len() == 1 {
        "A proposed change to this memory waits for review:"
    } else {
        "Proposed changes to this memory wait for review:"
    };
    Some(view! { <div class="notice info"><p>{text}</p><ul>{open.iter().map(one).collect_view()}</ul></div> }.into_any())
}

/// What it says, as a person reads it or as it is.
fn content(request: &Request, view: &MemoryView) -> AnyView {
    let source = request.query.get("view").is_some_and(|v| v == "source");
    let address = format!("/memories/{}", view.id);
    let current = |is: bool| is.then_some("true");
    let shown = if source {
        view! { <pre class="memory" tabindex="0" aria-label="Content"><Visible text=view.content.clone() /></pre> }.into_any()
    } else {
        view! { <Prose text=view.content.clone() /> }.into_any()
    };
    view! {
        <nav class="seg" aria-label="View">
            <a href=address.clone() aria-current=current(!source)>"Preview"</a>
            <a href=format!("{address}?view=source") aria-current=current(source)>"Source"</a>
        </nav>
        <article aria-label="Content">{shown}</article>
    }
    .into_any()
}

/// Any two versions side by side.
#[component]
pub fn Compare() -> impl IntoView {
    page("memory", |request| async move {
        let (from, to) = (request.asked("from").unwrap_or(1), request.asked("to").unwrap_or(1));
        let view = request.lucid.compare(request.actor()?, request.id("memory")?, from, to).await?;
        let store = request.lucid.store(request.actor()?, view.store_id).await?;
        let path = view.to.1.to_string();
        let trail = vec![
            ("/stores".into(), "Memory".into()),
            (format!("/stores/{}", store.id), store.name.clone()),
            (format!("/memories/{}", view.memory), path.clone()),
        ];
        let moved = (view.from.1 != view.to.1)
            .then(|| view! { <p>"It moved from "<code>{view.from.1.to_string()}</code>" to "<code>{path}</code>"."</p> });
        request.is_about(store.id);
        let form = choose_versions(&view);
        Ok(view! { <Heading title=format!("Versions {} and {}", view.from.0, view.to.0) trail=trail />{form}{moved}<DiffLines lines=view.lines /> }
            .into_any())
    })
}

/// Other versions to compare.
fn choose_versions(view: &service::CompareView) -> impl IntoView + use<> {
    view! {
        <form method="get" class="filters">
            <label>"Compare version"<input type="number" name="from" value=view.from.0.to_string() min="1" required /></label>
            <label>"with"<input type="number" name="to" value=view.to.0.to_string() min="1" required /></label>
            <button>"Compare"</button>
        </form>
    }
}
