//! Freezes: times in which nothing is committed.

use domain::Timestamp;
use leptos::prelude::*;
use service::{Frozen, PoliciesView, RefusedForm, StoreName};

use crate::components::{
    forms::{form_token, kept},
    text::Visible,
    when::When,
};

/// The freezes that hold or will, and, for admins, the form that sets one.
pub fn section(
    view: &PoliciesView,
    stores: &[StoreName],
    refused: Option<&RefusedForm>,
    now: Timestamp,
) -> AnyView {
    let rows = view
        .freezes
        .iter()
        .map(|f| row(f, view.may_manage, now))
        .collect_view();
    let none = view
        .freezes
        .is_empty()
        .then(|| view! { <p class="quiet">"No freeze is set."</p> });
    let form = view.may_manage.then(|| form(stores, refused));
    view! {
        <section aria-labelledby="freezes" class="stack">
            <h2 id="freezes">"Freezes"</h2>
            <p class="quiet">
                "During a freeze nothing is committed, by a policy or by a person. Decisions stay."
            </p>
            {none}
            <ul class="cards">{rows}</ul>
            {form}
        </section>
    }
    .into_any()
}

fn row(f: &Frozen, may_end: bool, now: Timestamp) -> AnyView {
    let place = f
        .row
        .store_name
        .clone()
        .unwrap_or_else(|| "All stores".to_owned());
    let when = if f.now {
        view! {
            "until "
            {f.row.ends_at.exact()}
        }
        .into_any()
    } else {
        view! {
            "from "
            <When at=f.row.starts_at now=now />
            ", until "
            {f.row.ends_at.exact()}
        }
        .into_any()
    };
    let but = (!f.exceptions.is_empty())
        .then(|| format!(" {} may commit all the same.", f.exceptions.join(", ")));
    let end = may_end.then(|| {
        view! {
            <form method="post" action="/do/end_freeze" class="inline">
                {form_token()}
                <input type="hidden" name="freeze" value=f.row.id.to_string() />
                <button>{if f.now { "End freeze" } else { "Cancel freeze" }}</button>
            </form>
        }
    });
    view! {
        <li class="card">
            <p>
                <strong>
                    <Visible text=place />
                </strong>
                ", "
                {when}
                ": “"
                <Visible text=f.row.reason.clone() />
                "”."
                {but}
            </p>
            {end}
        </li>
    }
    .into_any()
}

fn form(stores: &[StoreName], refused: Option<&RefusedForm>) -> AnyView {
    let typed = |name: &str| kept(refused, name).unwrap_or_default();
    let chosen = typed("store");
    let option = |s: &StoreName| {
        let id = s.id.to_string();
        view! {
            <option selected=id == chosen value=id>
                {s.name.clone()}
            </option>
        }
    };
    view! {
        <details open=refused.is_some_and(|f| f.fields.contains_key("freeze_reason"))>
            <summary>"Set a freeze"</summary>
            <form method="post" action="/do/set_freeze" class="stack card">
                {form_token()}
                <label>
                    "Where"<select name="store">
                        <option value="">"All stores"</option>
                        {stores.iter().map(option).collect_view()}
                    </select>
                </label>
                <label>
                    "From (UTC)"
                    <input
                        type="datetime-local"
                        name="starts_at"
                        value=typed("starts_at")
                        required
                    />
                </label>
                <label>
                    "Until (UTC)"
                    <input type="datetime-local" name="ends_at" value=typed("ends_at") required />
                </label>
                <label>
                    "Why"
                    <input name="reason" value=typed("freeze_reason") maxlength="500" required />
                </label>
                <label>
                    "People who may commit all the same (emails, with commas)"
                    <input name="exceptions" value=typed("exceptions") />
                </label>
                <button>"Set freeze"</button>
            </form>
        </details>
    }
    .into_any()
}
