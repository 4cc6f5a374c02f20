//! API keys for admins: made, shown once, revoked.

use std::collections::BTreeSet;

use domain::rights::{Scope, TABLE};
use leptos::prelude::*;
use service::{KeyView, PeopleView, RefusedForm, StoreName};

use crate::{
    components::{
        forms::{self, Refused, form_token},
        layout::{Empty, Heading},
        text::Visible,
        when::When,
    },
    context::{Request, page},
};

/// Every key, and the form that makes one.
#[component]
pub fn Keys() -> impl IntoView {
    page("keys", |request| async move {
        let actor = request.actor()?;
        let keys = request.lucid.keys(actor).await?;
        let stores = request.store_names().await?;
        let people = request.lucid.people(actor).await?;
        let refused = request.refused().await;
        let secret = request.shown_once("key").map(|secret| {
            view! {
                <div class="notice good" role="status">
                    <p>
                        <strong>
                            "Key created. Copy its secret now; Lucid keeps only a hash and cannot \
                             show it again:"
                        </strong>
                    </p>
                    <p>
                        <code class="wrap">{secret}</code>
                    </p>
                </div>
            }
        });
        let list = if keys.is_empty() {
            view! {
                <Empty title="No key yet">
                    "Agents use a key to record sessions and read memory. Create one below, or \
                     with " <code>"lucid key add"</code>"."
                </Empty>
            }
            .into_any()
        } else {
            let rows = keys
                .iter()
                .map(|k| row(k, &stores, &request))
                .collect_view();
            view! {
                <div class="scroll" tabindex="0" role="region" aria-label="Keys">
                    <table>
                        <thead>
                            <tr>
                                <th>"Name"</th>
                                <th>"Owner"</th>
                                <th>"Scopes"</th>
                                <th>"Store"</th>
                                <th>"Last used"</th>
                                <th>"Expires"</th>
                                <th>"State"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }
            .into_any()
        };
        Ok(view! {
            <Heading title="API keys" />
            <Refused form=refused.clone() />
            {secret}
            {list}
            {form(&stores, &people, refused.as_ref(), &request)}
        }
        .into_any())
    })
}

fn row(key: &KeyView, stores: &[StoreName], request: &Request) -> impl IntoView + use<> {
    let row = &key.row;
    let store = row.store_id.map_or_else(
        || "Every store of its owner".to_owned(),
        |id| {
            stores
                .iter()
                .find(|s| s.id == id)
                .map_or_else(|| "a deleted store".to_owned(), |s| s.name.clone())
        },
    );
    let used = match row.last_used_at {
        Some(at) => view! { <When at=at now=request.now() /> }.into_any(),
        None => "never".into_any(),
    };
    let ends = match row.expires_at {
        Some(at) => view! { <When at=at now=request.now() /> }.into_any(),
        None => "never".into_any(),
    };
    let state = if key.good {
        let label = format!("Revoke {}", row.name);
        view! {
            <form method="post" action="/do/revoke_key">
                {form_token()}
                <input type="hidden" name="key" value=row.id.to_string() />
                <button class="danger" aria-label=label>
                    "Revoke"
                </button>
            </form>
        }
        .into_any()
    } else if row.revoked_at.is_some() {
        "revoked".into_any()
    } else {
        "expired".into_any()
    };
    view! {
        <tr>
            <td>
                <Visible text=row.name.clone() />
            </td>
            <td>{row.owner.clone()}</td>
            <td>
                <code>{row.scopes.clone()}</code>
            </td>
            <td>{store}</td>
            <td>{used}</td>
            <td>{ends}</td>
            <td>{state}</td>
        </tr>
    }
}

fn form(
    stores: &[StoreName],
    people: &PeopleView,
    refused: Option<&RefusedForm>,
    request: &Request,
) -> impl IntoView + use<> {
    let kept = |name: &str| forms::kept(refused, name).unwrap_or_default();
    let (name, store, owner, days) = (kept("name"), kept("store"), kept("owner"), kept("days"));
    let checked: BTreeSet<String> = kept("scopes").split(' ').map(str::to_owned).collect();
    let me = request.current.as_ref().map(|c| c.user.id);
    let owners = people
        .people
        .iter()
        .filter(|m| m.user.disabled_at.is_none())
        .map(|m| {
            let id = m.user.id.to_string();
            let selected = if owner.is_empty() {
                Some(m.user.id) == me
            } else {
                owner == id
            };
            view! {
                <option value=id selected=selected>
                    {m.user.name.clone()}
                </option>
            }
        });
    let owners = owners.collect_view();
    let stores = stores.iter().map(|s| {
        view! {
            <option value=s.id.to_string() selected=store == s.id.to_string()>
                {s.name.clone()}
            </option>
        }
    });
    let scope = |scope: &Scope| {
        let allows: Vec<&str> = TABLE
            .iter()
            .filter(|r| r.scope == Some(*scope))
            .map(|r| r.action.as_str())
            .collect();
        let allows = if allows.is_empty() {
            "nothing yet".to_owned()
        } else {
            allows.join(", ")
        };
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    name="scopes[]"
                    value=scope.as_str()
                    checked=checked.contains(scope.as_str())
                />
                <code>{scope.as_str()}</code>
                <span class="quiet">{allows}</span>
            </label>
        }
    };
    view! {
        <section class="setting">
            <div>
                <h2>"New key"</h2>
            </div>
            <form method="post" action="/do/add_key" class="stack">
                {form_token()}
                <label>"Purpose"<input name="name" value=name required maxlength="100" /></label>
                <fieldset class="stack">
                    <legend>"Scopes"</legend>
                    {Scope::ALL.iter().map(scope).collect_view()}
                </fieldset>
                <label>
                    "Store"<select name="store">
                        <option value="">"Every store of its owner"</option>
                        {stores.collect_view()}
                    </select>
                </label>
                <label>
                    "Owner (does not count as an approver of what comes through the key)"
                    <select name="owner">{owners}</select>
                </label>
                <label>
                    "Expires after days (empty: never)"
                    <input name="days" value=days inputmode="numeric" />
                </label>
                <button class="primary">"Create key"</button>
            </form>
        </section>
    }
}
