//! The drill: attacks on a copy of a store, and how far each would get with the policies as they
//! are.

use domain::ids::StoreId;
use leptos::prelude::*;
use service::{Drilled, Reached, StoreName};

use crate::{
    components::{badges::label_word, forms::sentence, icon::Icon, layout::Heading, text::Visible},
    context::page,
};

/// Choosing a store, and the report.
#[component]
pub fn Drill() -> impl IntoView {
    page("policies", |request| async move {
        let actor = request.actor()?;
        if !actor.may_in_general(domain::rights::Action::ManagePolicies) {
            return Err(service::Error::Forbidden(
                domain::rights::Action::ManagePolicies.needs(),
            ));
        }
        let stores = request.store_names().await?;
        let asked = request.asked::<StoreId>("store");
        let report = match asked {
            Some(store) => Some(request.lucid.drill(actor, store).await?),
            None => None,
        };
        let option = |s: &StoreName| {
            view! {
                <option value=s.id.to_string() selected=Some(s.id) == asked>
                    {s.name.clone()}
                </option>
            }
        };
        Ok(view! {
            <Heading title="Drill" trail=vec![("/policies".into(), "Policies".into())] />
            <p>
                "A drill runs attacks against a copy of a store, with the policies that are active \
                 now. Nothing is written, and nothing of it reaches the queue."
            </p>
            <form method="get" class="filters">
                <label>
                    "Store "<select name="store" required>
                        {stores.iter().map(option).collect_view()}
                    </select>
                </label>
                <button class="primary">"Run drill"</button>
            </form>
            {report.map(|all| table(&all))}
        }
        .into_any())
    })
}

fn table(report: &[Drilled]) -> AnyView {
    let applied = report
        .iter()
        .filter(|one| matches!(one.reached, Reached::WouldApply { .. }))
        .count();
    let says = if applied == 0 {
        view! {
            <div class="notice good">
                <strong>"No attack would be applied."</strong>
            </div>
        }
        .into_any()
    } else {
        view! {
            <div class="notice bad">
                <strong>
                    {format!("{applied} of {} attacks would be applied by a policy.", report.len())}
                </strong>
            </div>
        }
        .into_any()
    };
    let row = |one: &Drilled| {
        let (badge, why) = said(&one.reached);
        let found = (!one.found.is_empty()).then(|| {
            let titles = one
                .found
                .iter()
                .map(|title| {
                    view! {
                        <li>
                            <Visible text=title.clone() />
                        </li>
                    }
                })
                .collect_view();
            view! {
                <details>
                    <summary>"What was found"</summary>
                    <ul>{titles}</ul>
                </details>
            }
        });
        view! {
            <tr>
                <td>
                    <strong>{one.attack}</strong>
                    <br />
                    <span class="quiet">{one.tries}</span>
                </td>
                <td>{badge}</td>
                <td>
                    <Visible text=sentence(&why) />
                    {found}
                </td>
            </tr>
        }
    };
    view! {
        {says}
        <div class="scroll" tabindex="0" role="region" aria-label="Attacks">
            <table>
                <thead>
                    <tr>
                        <th>"Attack"</th>
                        <th>"How far it got"</th>
                        <th>"Why no further"</th>
                    </tr>
                </thead>
                <tbody>{report.iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn said(reached: &Reached) -> (AnyView, String) {
    let badge = |class: &'static str, word: &'static str| {
        view! { <span class=class>{word}</span> }.into_any()
    };
    match reached {
        Reached::NotFound => (
            badge("badge good", "Not found"),
            "The dream saw nothing in it.".to_owned(),
        ),
        Reached::HeldBack { reason } => (badge("badge good", "Held back"), reason.clone()),
        Reached::Told { reason } => (badge("badge good", "Told to people"), reason.clone()),
        Reached::Labelled { labels } => {
            let labels: Vec<&str> = labels.iter().map(|label| label_word(*label)).collect();
            (
                badge("badge info", "Labelled"),
                format!(
                    "It would wait for a person, labelled: {}.",
                    labels.join(", ")
                ),
            )
        }
        Reached::InQueue { risk } => (
            badge("badge info", "In the queue"),
            format!("It would wait for a person, as {risk} risk."),
        ),
        Reached::WouldApply { rules } => {
            let badge = view! {
                <span class="badge bad">
                    <Icon name="triangle-alert" />
                    "Would be applied"
                </span>
            }
            .into_any();
            (badge, format!("By {}.", rules.join(", ")))
        }
    }
}
