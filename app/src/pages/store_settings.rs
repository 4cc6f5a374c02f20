//! A store's settings: name, gate, budget, who was granted what on it; and what an agent loads from
//! it.

use domain::{
    Timestamp,
    actor::StoreRole,
    memory::GateMode,
    plural::count,
    review::{Approvals, MOST_APPROVALS},
    rights::Action,
};
use leptos::prelude::*;
use service::{BriefingRequest, GrantRow, PeopleView, RefusedForm, StoreRow};

use super::stores::store_heading;
use crate::{
    components::{
        forms::{self, Refused, choices, form_token},
        text::Visible,
        waiting_settings::waiting_settings,
        when::When,
    },
    context::page,
};

/// The settings of a store.
#[component]
pub fn StoreSettings() -> impl IntoView {
    page("memory", |request| async move {
        let actor = request.actor()?;
        let store = request.lucid.store(actor, request.id("store")?).await?;
        request.is_about(store.id);
        let grants = request.lucid.grants_on(actor, store.id).await?;
        let manages = actor.may(Action::ManageStore, store.id);
        let waiting = if actor.may_in_general(Action::ManagePeople) {
            let all = request.lucid.waiting_settings(actor).await?;
            let of_store: Vec<_> = all
                .into_iter()
                .filter(|w| w.row.store_id == Some(store.id))
                .collect();
            waiting_settings(&of_store, Some(store.id.to_string()), request.now())
        } else {
            None
        };
        let people = if manages {
            Some(request.lucid.people(actor).await?)
        } else {
            None
        };
        let refused = request.refused().await;
        let needs = request.lucid.approvals(actor, store.id).await?;
        let forms = manages.then(|| {
            view! {
                {describe(&store, refused.as_ref())}
                {gate(&store, refused.as_ref())}
                {approvals(&store, needs)}
                {clean_up(&store, request.now(), refused.as_ref())}
            }
        });
        let end = manages.then(|| delete(&store));
        Ok(view! {
            {store_heading(&store, "Settings", None)}
            <Refused form=refused.clone() />
            {waiting}
            {(!manages)
                .then(|| {
                    view! {
                        {read_only(&store)}
                        <p>{needed(needs)}</p>
                    }
                })}
            {forms}
            <h2>"Access and owners"</h2>
            <p class="quiet">
                "A person with access sees the whole store. Reviewers and owners of a path decide \
                 on changes under it; owners are asked first."
            </p>
            {grants_table(&store, &grants, manages)}
            {people.map(|p| give(&store, &p, refused.as_ref()))}
            {end}
        }
        .into_any())
    })
}

fn gate_words(mode: GateMode) -> &'static str {
    match mode {
        GateMode::DreamsGated => "Review what dreams propose (keys write directly)",
        GateMode::AllGated => "Review everything (keys only propose)",
    }
}

fn read_only(store: &StoreRow) -> impl IntoView + use<> {
    let budget = store.budget_tokens.map_or_else(
        || "no budget".to_owned(),
        |b| format!("a budget of {b} tokens"),
    );
    view! { <p>{gate_words(store.gate_mode)}"; "{budget}"."</p> }
}

fn describe(store: &StoreRow, refused: Option<&RefusedForm>) -> impl IntoView + use<> {
    let kept = |name: &str, now: &str| forms::kept(refused, name).unwrap_or_else(|| now.to_owned());
    let (name, description) = (
        kept("name", &store.name),
        kept("description", &store.description),
    );
    view! {
        <section class="setting">
            <div>
                <h2>"Name"</h2>
            </div>
            <form method="post" action="/do/describe_store" class="stack">
                {form_token()}
                <input type="hidden" name="store" value=store.id.to_string() />
                <label>"Name"<input name="name" value=name required maxlength="255" /></label>
                <label>
                    "Purpose"<input name="description" value=description maxlength="1024" />
                </label>
                <button>"Save"</button>
            </form>
        </section>
    }
}

fn gate(store: &StoreRow, refused: Option<&RefusedForm>) -> impl IntoView + use<> {
    let kept = |name: &str| forms::kept(refused, name);
    let chosen = kept("gate_mode").unwrap_or_else(|| store.gate_mode.as_str().to_owned());
    let budget = kept("budget_tokens").unwrap_or_else(|| {
        store
            .budget_tokens
            .map(|b| b.to_string())
            .unwrap_or_default()
    });
    let option = |mode: &GateMode| {
        view! {
            <option value=mode.as_str() selected=mode.as_str() == chosen>
                {gate_words(*mode)}
            </option>
        }
    };
    view! {
        <section class="setting">
            <div>
                <h2>"Approval mode and budget"</h2>
            </div>
            <form method="post" action="/do/set_gate" class="stack">
                {form_token()}
                <input type="hidden" name="store" value=store.id.to_string() />
                <label>
                    "Approval mode"
                    <select name="gate_mode">
                        {GateMode::ALL.iter().map(option).collect_view()}
                    </select>
                </label>
                <label>
                    "Token budget of the store (4 bytes each; empty: none)"
                    <input name="budget_tokens" value=budget inputmode="numeric" />
                </label>
                <p class="quiet">
                    "Changes that would put the store over its budget are not proposed. Existing \
                     memories stay."
                </p>
                <button>"Save"</button>
            </form>
        </section>
    }
}

/// How many approvals changes need, in words.
fn needed(a: Approvals) -> String {
    let whose = if a.owners_only { " of owners" } else { "" };
    format!(
        "Changes of low, medium and high risk need {}, {} and {} independent approvals{whose}.",
        a.low, a.medium, a.high
    )
}

fn approvals(store: &StoreRow, now: Approvals) -> impl IntoView + use<> {
    let field = |name: &'static str, label: &'static str, value: i64| {
        view! {
            <label>
                {label}
                <input
                    type="number"
                    name=name
                    value=value.to_string()
                    min="1"
                    max=MOST_APPROVALS.to_string()
                    required
                />
            </label>
        }
    };
    view! {
        <section class="setting">
            <div>
                <h2>"Approvals"</h2>
            </div>
            <form method="post" action="/do/set_approvals" class="stack">
                {form_token()}
                <input type="hidden" name="store" value=store.id.to_string() />
                {field("low", "Approvals for low risk", now.low)}
                {field("medium", "Approvals for medium risk", now.medium)}
                {field("high", "Approvals for high risk", now.high)}
                <label class="check">
                    <input type="checkbox" name="owners_only" value="yes" checked=now.owners_only />
                    "Only approvals by the store’s owners count"
                </label>
                <p class="quiet">
                    "Lowering these requirements needs a second admin. Contributors to a change do \
                     not count as approvers. Where a path has an owner, only its owners count. A \
                     change that too few people can approve stays open."
                </p>
                <button>"Save"</button>
            </form>
        </section>
    }
}

/// Opens a clean-up, or says until when one is open.
fn clean_up(
    store: &StoreRow,
    now: Timestamp,
    refused: Option<&RefusedForm>,
) -> impl IntoView + use<> {
    let id = store.id.to_string();
    let form = if let Some(until) = store.clean_up_until.filter(|until| *until > now) {
        view! {
            <form method="post" action="/do/end_clean_up" class="stack card">
                {form_token()}
                <input type="hidden" name="store" value=id />
                <p>
                    "A clean-up is open; it ends "<When at=until now=now />
                    ". Until then dreams may propose any number of removals of duplicates, stale \
                     and contradicted statements."
                </p>
                <button>"End clean-up"</button>
            </form>
        }
        .into_any()
    } else {
        let kept = |name: &str| forms::kept(refused, name).filter(|v| !v.is_empty());
        let (days, reason) = (
            kept("days").unwrap_or_else(|| "7".to_owned()),
            kept("reason").unwrap_or_default(),
        );
        view! {
            <form method="post" action="/do/open_clean_up" class="stack card">
                {form_token()}
                <input type="hidden" name="store" value=id />
                <p class="quiet">
                    "Without a clean-up, dreams may remove at most a quarter of a store in 30 \
                     days; what people approve does not count. Open a clean-up to lift that limit \
                     for a while. Every proposal is still reviewed."
                </p>
                <label>
                    "Days"<input type="number" name="days" value=days min="1" max="30" required />
                </label>
                <label>"Why"<input name="reason" value=reason required maxlength="500" /></label>
                <button>"Open clean-up"</button>
            </form>
        }
        .into_any()
    };
    view! {
        <h2>"Clean-up"</h2>
        {form}
    }
}

fn grants_table(store: &StoreRow, grants: &[GrantRow], manages: bool) -> impl IntoView + use<> {
    let store = store.id.to_string();
    let row = |g: &GrantRow| {
        let to = g
            .user_id
            .map(|u| u.to_string())
            .or_else(|| g.team_id.map(|t| t.to_string()))
            .unwrap_or_default();
        let kind = if g.team_id.is_some() {
            "team"
        } else {
            "person"
        };
        let label = format!("Remove access of {} to {}", g.name, g.path_prefix);
        let revoke = manages.then(|| {
            view! {
                <form method="post" action="/do/revoke_grant">
                    {form_token()}
                    <input type="hidden" name="to" value=to />
                    <input type="hidden" name="store" value=store.clone() />
                    <input type="hidden" name="path" value=g.path_prefix.to_string() />
                    <button class="plain" aria-label=label>
                        "Remove access"
                    </button>
                </form>
            }
        });
        view! {
            <tr>
                <td>
                    <Visible text=g.name.clone() />
                </td>
                <td>{kind}</td>
                <td>
                    <code>{g.path_prefix.to_string()}</code>
                </td>
                <td>{g.role.as_str()}</td>
                <td>{revoke}</td>
            </tr>
        }
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Grants">
            <table>
                <thead>
                    <tr>
                        <th>"Who"</th>
                        <th>"Is"</th>
                        <th>"Path"</th>
                        <th>"Role"</th>
                        <th>"Change"</th>
                    </tr>
                </thead>
                <tbody>{grants.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
}

fn give(
    store: &StoreRow,
    people: &PeopleView,
    refused: Option<&RefusedForm>,
) -> impl IntoView + use<> {
    let kept = |name: &str| forms::kept(refused, name).unwrap_or_default();
    let (to, path) = (kept("to"), kept("path"));
    let path = if path.is_empty() {
        "/".to_owned()
    } else {
        path
    };
    let role = Some(kept("role"))
        .filter(|r| !r.is_empty())
        .unwrap_or_else(|| StoreRole::Reviewer.as_str().to_owned());
    let option = |id: String, name: String| {
        view! {
            <option selected=id == to value=id>
                {name}
            </option>
        }
    };
    let persons = people
        .people
        .iter()
        .map(|m| option(m.user.id.to_string(), m.user.name.clone()))
        .collect_view();
    let teams = people
        .teams
        .iter()
        .map(|(t, _)| option(t.id.to_string(), format!("Team {}", t.name)))
        .collect_view();
    view! {
        <form method="post" action="/do/give_grant" class="stack card">
            {form_token()}
            <input type="hidden" name="store" value=store.id.to_string() />
            <label>
                "Grant access to"<select name="to" required>
                    <option value="">"Choose a person or team"</option>
                    {persons}
                    {teams}
                </select>
            </label>
            <label>"Role"<select name="role">{choices(StoreRole::ALL, &role)}</select></label>
            <label>"Path"<input name="path" value=path required /></label>
            <button>"Grant access"</button>
        </form>
    }
}

fn delete(store: &StoreRow) -> impl IntoView + use<> {
    view! {
        <section class="setting">
            <div>
                <h2>"Delete"</h2>
            </div>
            <form method="post" action="/do/delete_store" class="stack">
                {form_token()}
                <input type="hidden" name="store" value=store.id.to_string() />
                <p>
                    "The store, its memory, changesets and sessions will no longer be visible. An \
                     admin can restore it for 30 days. The audit trail is kept."
                </p>
                <label>
                    {format!("Type its name, {}, to delete it", store.name)}
                    <input name="again" required autocomplete="off" />
                </label>
                <button class="danger">"Delete store"</button>
            </form>
        </section>
    }
}

/// Shows what an agent loads at the start of a session.
#[component]
pub fn Briefing() -> impl IntoView {
    page("memory", |request| async move {
        let actor = request.actor()?;
        let store = request.lucid.store(actor, request.id("store")?).await?;
        request.is_about(store.id);
        let text = |name: &str| request.query.get(name).cloned().filter(|v| !v.is_empty());
        let asked = BriefingRequest {
            agent: text("agent"),
            session: None,
            budget_tokens: request.asked("budget_tokens"),
            tool: text("tool"),
            error: text("error"),
            all_times: false,
            superseded: false,
        };
        let view = request.lucid.briefing(actor, store.id, &asked).await?;
        let field = |name: &str| text(name).unwrap_or_default();
        let (agent, tool, error) = (field("agent"), field("tool"), field("error"));
        let said = format!(
            "{} of {} tokens ({}). {} whole, {} by title, {} left out.",
            view.tokens,
            view.budget_tokens,
            domain::briefing::TOKEN_RULE,
            view.memories.len(),
            view.titles.len(),
            view.left_out
        );
        let not_valid = (view.not_valid > 0).then(|| {
            format!(
                " Left out, because not valid today: {}.",
                count(view.not_valid, "statement")
            )
        });
        Ok(view! {
            {store_heading(&store, "Briefing", None)}
            <p>
                "What an agent loads from this store at the start of a session: committed memory \
                 only, frozen and best supported first."
            </p>
            <form method="get" class="filters">
                <label>
                    "Tokens "
                    <input
                        name="budget_tokens"
                        value=view.budget_tokens.to_string()
                        inputmode="numeric"
                        size="7"
                    />
                </label>
                <label>"Agent "<input name="agent" value=agent /></label>
                <label>"Failure of the tool "<input name="tool" value=tool /></label>
                <label>"Error "<input name="error" value=error /></label>
                <button>"Show"</button>
            </form>
            <p class="quiet">{said}{not_valid}</p>
            <pre class="memory" tabindex="0" aria-label="Briefing">
                <Visible text=view.text />
            </pre>
        }
        .into_any())
    })
}
