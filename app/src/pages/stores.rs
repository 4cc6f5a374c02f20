//! The memory stores that one may see.

use domain::{plural::count, rights::Action};
use leptos::prelude::*;
use service::{DeletedStore, StoreRow};

use crate::{
    components::{
        forms::{self, Refused, form_token},
        layout::{Empty, Heading},
        text::Visible,
        when::When,
    },
    context::page,
};

/// The list, and for admins the form that makes one.
#[component]
pub fn Stores() -> impl IntoView {
    page("memory", |request| async move {
        let actor = request.actor()?.clone();
        let stores = request.lucid.stores(&actor).await?;
        let refused = request.refused().await;
        let list = if stores.is_empty() {
            let how = if actor.may_in_general(Action::CreateStore) {
                "Create one below.".into_any()
            } else {
                view! {
                    "You have no access to a store yet. "
                    <a href="/request-access">"Request access"</a>
                    "."
                }
                .into_any()
            };
            view! {
                <Empty title="No memory store yet">
                    "A memory store holds what a team's agents remember. "{how}
                </Empty>
            }
            .into_any()
        } else {
            view! { <ul class="cards">{stores.into_iter().map(card).collect_view()}</ul> }
                .into_any()
        };
        let kept = |name: &str| forms::kept(refused.as_ref(), name).unwrap_or_default();
        let (name, description) = (kept("name"), kept("description"));
        let form = actor.may_in_general(Action::CreateStore).then(|| {
            view! {
                <section class="setting">
                    <div>
                        <h2>"New store"</h2>
                    </div>
                    <form method="post" action="/do/create_store" class="stack">
                        {form_token()}
                        <label>
                            "Name"<input name="name" value=name required maxlength="255" />
                        </label>
                        <label>
                            "Purpose"<input name="description" value=description maxlength="1024" />
                        </label>
                        <button class="primary">"Create store"</button>
                    </form>
                </section>
            }
        });
        let gone = if actor.may_in_general(Action::ManagePeople) {
            request.lucid.deleted_stores(&actor).await?
        } else {
            Vec::new()
        };
        let gone = (!gone.is_empty()).then(|| deleted(gone, request.now()));
        let recalls = view! {
            <a class="button" href="/recalls">
                "Recalls"
            </a>
        }
        .into_any();
        Ok(view! {
            <Heading title="Memory" action=recalls />
            <Refused form=refused />
            {list}
            {form}
            {gone}
        }
        .into_any())
    })
}

/// Stores that can still be restored.
fn deleted(gone: Vec<DeletedStore>, now: domain::Timestamp) -> impl IntoView {
    let one = move |s: DeletedStore| {
        view! {
            <li class="card">
                <form method="post" action="/do/restore_store" class="filters">
                    {form_token()}
                    <input type="hidden" name="store" value=s.id.to_string() />
                    <span>
                        <strong>
                            <Visible text=s.name.clone() />
                        </strong>
                        ", deleted "
                        <When at=s.deleted_at now=now />
                    </span>
                    <label>
                        "Restore as "
                        <input name="name" value=s.name.clone() required maxlength="255" />
                    </label>
                    <button>"Restore"</button>
                </form>
            </li>
        }
    };
    view! {
        <section>
            <h2>"Deleted stores"</h2>
            <p class="quiet">
                "A deleted store can be restored for 30 days, with its memories, history and \
                 access. Its schedule stays off."
            </p>
            <ul class="cards">{gone.into_iter().map(one).collect_view()}</ul>
        </section>
    }
}

fn card(store: StoreRow) -> impl IntoView {
    let waiting = (store.waiting > 0).then(|| {
        view! {
            " · "
            <a href=format!(
                "/queue?store={}",
                store.id,
            )>{count(store.waiting, "change")}" waiting"</a>
        }
    });
    view! {
        <li class="card">
            <h2>
                <a href=format!("/stores/{}", store.id)>
                    <Visible text=store.name />
                </a>
            </h2>
            <p>
                <Visible text=store.description />
            </p>
            <p class="quiet">
                {count(store.memories, "memory")}" · "{count(store.sessions, "session")}
                " · revision "{store.revision}{waiting}
            </p>
        </li>
    }
}

/// The heading of a store's pages, with the way between them.
pub fn store_heading(store: &StoreRow, here: &'static str, action: Option<AnyView>) -> AnyView {
    let id = store.id;
    let tab = move |(name, path): (&'static str, &'static str)| {
        view! {
            <li>
                <a href=format!("/stores/{id}{path}") aria-current=(name == here).then_some("page")>
                    {name}
                </a>
            </li>
        }
    };
    let tabs = [
        ("Memories", ""),
        ("History", "/history"),
        ("Dreams", "/dreams"),
        ("Sessions", "/sessions"),
        ("Muted", "/muted"),
        ("Briefing", "/briefing"),
        ("Settings", "/settings"),
    ]
    .map(tab)
    .collect_view();
    let action = action.unwrap_or_else(|| ().into_any());
    view! {
        <Heading
            title=store.name.clone()
            trail=vec![("/stores".into(), "Memory".into())]
            action=action
        />
        <nav aria-label="Store" class="tabs">
            <ul>{tabs}</ul>
        </nav>
    }
    .into_any()
}
