//! A new policy: a preset, with what it would have done, or an empty one.

use domain::{
    ids::StoreId,
    plural::count,
    policy::{BackTest, Preset},
};
use leptos::prelude::*;
use service::{PRESET_DAYS, StoreName};

use crate::{
    components::{
        forms::{Refused, form_token, kept},
        layout::Heading,
    },
    context::page,
};

/// `/policies/new`: the presets to begin with.
#[component]
pub fn NewPolicy() -> impl IntoView {
    page("policies", |request| async move {
        let actor = request.actor()?;
        let store = request.asked::<StoreId>("store");
        let tried = request.lucid.try_presets(actor, store).await?;
        let stores = request.store_names().await?;
        let refused = request.refused().await;
        let typed = |name: &str| kept(refused.as_ref(), name).unwrap_or_default();
        let option = |s: &StoreName| {
            view! {
                <option value=s.id.to_string() selected=Some(s.id) == store>
                    {s.name.clone()}
                </option>
            }
        };
        let presets = tried
            .iter()
            .map(|(preset, report)| card(preset, report, store, &stores))
            .collect_view();
        Ok(view! {
            <Heading title="New policy" trail=vec![("/policies".into(), "Policies".into())] />
            <Refused form=refused.clone() />
            <p>
                "A new policy is a draft: it applies nothing until it has been tested and two \
                 admins have activated it."
            </p>
            <form method="get" class="filters">
                <label>
                    "Store "<select name="store">
                        <option value="">"All stores that I own"</option>
                        {stores.iter().map(option).collect_view()}
                    </select>
                </label>
                <button>"Show"</button>
            </form>
            <ul class="cards">
                <li class="card stack">
                    <h2>"Everything reviewed"</h2>
                    <p>
                        "A person decides on every change. This is how it is without a policy, so \
                         there is nothing to set up."
                    </p>
                </li>
                {presets}
            </ul>
            <h2>"Or begin with an empty policy"</h2>
            <form method="post" action="/do/create_policy" class="stack card">
                {form_token()}
                <label>
                    "Name"<input name="name" value=typed("name") maxlength="120" required />
                </label>
                <label>
                    "Why it is there"<input name="reason" value=typed("reason") maxlength="1000" />
                </label>
                <button>"Create draft"</button>
            </form>
        }
        .into_any())
    })
}

fn card(
    preset: &Preset,
    report: &BackTest,
    store: Option<StoreId>,
    stores: &[StoreName],
) -> AnyView {
    let place = store
        .and_then(|id| stores.iter().find(|s| s.id == id))
        .map_or_else(|| "all stores that you see".to_owned(), |s| s.name.clone());
    let numbers = if report.replayed == 0 {
        format!(
            "In {place}, no change was proposed in the last {PRESET_DAYS} days, so there is \
             nothing to test it on."
        )
    } else {
        format!(
            "In {place}, it would have applied {} of {} of the last {PRESET_DAYS} days, {} of them \
             against what people decided.",
            report.applied_in_all(),
            count(report.replayed, "change"),
            report.applied_against()
        )
    };
    view! {
        <li class="card stack">
            <h2>{preset.name}</h2>
            <p>{preset.sentence}</p>
            <p class="quiet">{numbers}</p>
            <form method="post" action="/do/create_policy">
                {form_token()}
                <input type="hidden" name="preset" value=preset.key />
                <input
                    type="hidden"
                    name="store"
                    value=store.map(|s| s.to_string()).unwrap_or_default()
                />
                <button>{format!("Use {}", preset.name)}</button>
            </form>
        </li>
    }
    .into_any()
}
