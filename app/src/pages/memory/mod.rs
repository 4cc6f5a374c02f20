//! One memory: its place in the tree, what it says, and why; and two of its versions compared.

mod about;
mod blame;
mod propose;
pub mod tree;

use domain::{Timestamp, ids::MemoryId, rights::Action};
use leptos::prelude::*;
use service::{MemoryAbout, MemoryView, PastVersion, RefusedForm, VersionRow};

use crate::{
    components::{
        diff::DiffLines,
        forms::{self, Refused, form_token},
        icon::Icon,
        layout::{Crumbs, Heading},
        prose::Prose,
        text::Visible,
        title::DocumentTitle,
        when::When,
    },
    context::{Request, page},
};

/// `/memories/ID`: a memory, also after it was removed.
#[component]
pub fn Memory() -> impl IntoView {
    page("memory", |request| async move {
        let actor = request.actor()?.clone();
        let view = request
            .lucid
            .memory(&actor, request.id("memory")?, request.asked("before"))
            .await?;
        request.is_about(view.store_id);
        let store = request.lucid.store(&actor, view.store_id).await?;
        let tree = request
            .lucid
            .tree(&actor, store.id, Some(&view.path))
            .await?;
        let about = Some(request.lucid.memory_about(&actor, view.id).await?);
        let past = match request
            .asked::<i64>("version")
            .filter(|number| *number != view.newest || view.memory.is_none())
        {
            Some(number) => Some(request.lucid.past_version(&actor, view.id, number).await?),
            None => None,
        };
        let refused = request.refused().await;
        let suggests = request.query.contains_key("suggest");
        let editing = view.memory.as_ref().map(|m| {
            let may_propose = actor.may_at(Action::Propose, m.store_id, &[m.path.as_str()]);
            let may_freeze = actor.may_at(Action::Freeze, m.store_id, &[m.path.as_str()]);
            let edit = may_propose
                .then(|| propose::propose_forms(m, &view.content, refused.as_ref(), suggests));
            let freeze = (may_freeze && !m.frozen || may_propose && m.frozen)
                .then(|| propose::freeze_form(m, refused.as_ref()));
            let validity = may_propose
                .then(|| propose::validity_form(m, &view.content, refused.as_ref(), request.now()));
            view! { <div class="stack">{edit}{validity}{freeze}</div> }
        });
        let may_restore = actor.may_at(Action::Propose, view.store_id, &[view.path.as_str()]);
        let gone = (view.memory.is_none() && past.is_none()).then(|| {
            let restore =
                may_restore.then(|| restore(view.id, view.newest - 1, "Propose to restore it"));
            view! {
                <div class="notice bad">
                    <p>"This memory was removed. This is what it last said."</p>
                    {restore}
                </div>
            }
        });
        let may_redact = actor.may(Action::Redact, view.store_id);
        let past_bar = past.as_ref().map(|past| {
            past_bar(
                &view,
                past,
                (may_restore, may_redact),
                refused.as_ref(),
                request.now(),
            )
        });
        let not_valid = (view.memory.is_some() && past.is_none())
            .then(|| propose::not_valid(&view.content, request.now()));
        let content = content(&request, &view, past.as_ref()).await?;
        Ok(view! {
            <DocumentTitle text=format!("{} · Memory", view.path) />
            {head(&view, &store.name, editing.is_some())}
            <div class="panes">
                {tree::pane(store.id, &tree, Some(view.id), request.now())} <div class="mid">
                    <Refused form=refused />
                    {gone}
                    {past_bar}
                    {waiting(about.as_ref())}
                    {not_valid}
                    {content}
                    <hr />
                    {editing}
                </div> <aside class="pane last" aria-label="About this memory">
                    {about::rail(&view, about.as_ref(), request.now())}
                </aside>
            </div>
        }
        .into_any())
    })
}

/// Shows where one is, and what can be done.
fn head(view: &MemoryView, store: &str, may_suggest: bool) -> AnyView {
    let name = view.path.name().to_owned();
    let address = format!("/memories/{}", view.id);
    let folder = view.path.folder().trim_matches('/').replace('/', " / ");
    let store_link = format!("/stores/{}", view.store_id);
    let mut trail = vec![
        ("/stores".into(), "Memory".into()),
        (store_link.clone(), store.to_owned()),
    ];
    if !folder.is_empty() {
        trail.push((store_link, folder));
    }
    let compare = (view.newest > 1).then(|| {
        let href = format!(
            "{address}/compare?from={}&to={}",
            view.newest - 1,
            view.newest
        );
        view! {
            <a class="button quiet" href=href>
                <Icon name="git-compare" />
                "Compare"
            </a>
        }
    });
    let suggest = may_suggest.then(|| {
        let href = format!("{address}?suggest=edit#suggest");
        view! {
            <a class="button" href=href>
                <Icon name="pencil" />
                "Suggest an edit"
            </a>
        }
    });
    view! {
        <header class="head">
            <button
                class="button quiet icon list-button"
                popovertarget="list"
                aria-label="Show all memories"
            >
                <Icon name="panel-left-open" />
            </button>
            <Crumbs trail=trail>
                <h1>
                    <Visible text=name />
                </h1>
            </Crumbs>
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
        view! {
            <li>
                <a href=href>
                    <Visible text=c.title.clone() />
                </a>
            </li>
        }
    };
    let text = if open.len() == 1 {
        "A proposed change to this memory waits for review:"
    } else {
        "Proposed changes to this memory wait for review:"
    };
    Some(
        view! {
            <div class="notice info">
                <p>{text}</p>
                <ul>{open.iter().map(one).collect_view()}</ul>
            </div>
        }
        .into_any(),
    )
}

/// Says that one looks at an older version, and leads back or brings it back.
fn past_bar(
    view: &MemoryView,
    past: &PastVersion,
    (may_restore, may_redact): (bool, bool),
    refused: Option<&RefusedForm>,
    now: Timestamp,
) -> AnyView {
    let v = &past.version.version;
    let has_text = v.content_sha256.is_some() && v.redacted_at.is_none();
    let erased = v
        .redacted_at
        .map(|at| view! { <p>"Its text was erased "<When at=at now=now />"."</p> });
    let redact = (may_redact && has_text && (v.number < view.newest || view.memory.is_none()))
        .then(|| redact(v, refused));
    let restore = (may_restore && has_text)
        .then(|| restore(view.id, v.number, "Propose to restore this version"));
    let store = format!("/stores/{}/at?revision={}", v.store_id, v.revision);
    view! {
        <div class="notice info">
            <p>
                <strong>"Version "{v.number}" of "{view.newest}</strong>
                ", written "
                <When at=v.created_at now=now />
                " with "
                <a class="link" href=store>
                    "revision "
                    {v.revision}
                </a>
                " of the store. "
                <a class="link" href=format!("/memories/{}", view.id)>
                    "Show the newest"
                </a>
                " · "
                <a class="link" href=format!("/memories/{}/loads?from={}", view.id, v.number)>
                    "Who loaded it"
                </a>
            </p>
            {erased}
            {restore}
            {redact}
        </div>
    }
    .into_any()
}

/// Erases the text of a version.
fn redact(version: &VersionRow, refused: Option<&RefusedForm>) -> AnyView {
    let typed = forms::kept(refused, "redact_reason");
    let open = typed.is_some();
    view! {
        <details open=open>
            <summary class="quiet">"Erase this text"</summary>
            <form method="post" action="/do/redact_version" class="stack">
                {form_token()}
                <input type="hidden" name="memory" value=version.memory_id.to_string() />
                <input type="hidden" name="version" value=version.id.to_string() />
                <input type="hidden" name="number" value=version.number.to_string() />
                <p>
                    "For text that must not be kept, such as a password. It is erased for good \
                     wherever the same text was kept; who wrote and approved it, and when, stays. \
                     Backups that were made before still hold it."
                </p>
                <label>
                    "Reason"
                    <input
                        name="reason"
                        value=typed.unwrap_or_default()
                        required
                        maxlength="1000"
                    />
                </label>
                <button class="danger">"Erase this text"</button>
            </form>
        </details>
    }
    .into_any()
}

/// Proposes to bring a version back.
fn restore(id: MemoryId, version: i64, label: &'static str) -> AnyView {
    view! {
        <form method="post" action="/do/propose_restore" class="inline">
            {form_token()}
            <input type="hidden" name="memory" value=id.to_string() />
            <input type="hidden" name="version" value=version.to_string() />
            <button>{label}</button>
        </form>
    }
    .into_any()
}

/// Shows what it says, as a person reads it, as it is, or by the change that put each line there.
async fn content(
    request: &Request,
    view: &MemoryView,
    past: Option<&PastVersion>,
) -> service::Result<AnyView> {
    let asked = request.query.get("view").map_or("", String::as_str);
    let text = past.map_or(&view.content, |past| &past.content).clone();
    let shown = match asked {
        "source" => view! {
            <pre class="memory" tabindex="0" aria-label="Content">
                <Visible text=text />
            </pre>
        }
        .into_any(),
        "blame" if past.is_none() => {
            let lines = request.lucid.blame(request.actor()?, view.id).await?;
            blame::blame(view.id, lines, request.now())
        }
        _ => view! { <Prose text=text /> }.into_any(),
    };
    let version = past.map(|past| past.version.version.number);
    let tab = |name: &'static str, word: &'static str| {
        let query = [
            version.map(|n| format!("version={n}")),
            (!name.is_empty()).then(|| format!("view={name}")),
        ];
        let query = query.into_iter().flatten().collect::<Vec<_>>().join("&");
        let href = if query.is_empty() {
            format!("/memories/{}", view.id)
        } else {
            format!("/memories/{}?{query}", view.id)
        };
        let here = if matches!(asked, "source" | "blame") {
            asked
        } else {
            ""
        };
        view! {
            <a href=href aria-current=(here == name).then_some("true")>
                {word}
            </a>
        }
    };
    let by_change = past.is_none().then(|| tab("blame", "Line by line"));
    Ok(view! {
        <nav class="seg" aria-label="View">
            {tab("", "Preview")}
            {tab("source", "Source")}
            {by_change}
        </nav>
        <article aria-label="Content">{shown}</article>
    }
    .into_any())
}

/// Any two versions side by side.
#[component]
pub fn Compare() -> impl IntoView {
    page("memory", |request| async move {
        let (from, to) = (
            request.asked("from").unwrap_or(1),
            request.asked("to").unwrap_or(1),
        );
        let view = request
            .lucid
            .compare(request.actor()?, request.id("memory")?, from, to)
            .await?;
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
        Ok(view! {
            <Heading title=format!("Versions {} and {}", view.from.0, view.to.0) trail=trail />
            {form}
            {moved}
            <DiffLines lines=view.lines />
        }
        .into_any())
    })
}

/// Other versions to compare.
fn choose_versions(view: &service::CompareView) -> impl IntoView + use<> {
    view! {
        <form method="get" class="filters">
            <label>
                "Compare version"
                <input type="number" name="from" value=view.from.0.to_string() min="1" required />
            </label>
            <label>
                "with"<input type="number" name="to" value=view.to.0.to_string() min="1" required />
            </label>
            <button>"Compare"</button>
        </form>
    }
}
