//! How well we review: how long decisions take, where two agree, what was overridden or reverted. Each sees their own; admins see all.

use domain::plural::count;
use leptos::prelude::*;
use service::{FIGURE_DAYS, Reviewing};

use crate::{
    components::layout::{Empty, Heading},
    context::page,
};

/// The figures.
#[component]
pub fn Insights() -> impl IntoView {
    page("insights", |request| async move {
        let figures = request.lucid.review_figures(request.actor()?).await?;
        let body = if figures.overall.decisions == 0 {
            view! { <Empty title="Nothing was decided yet">"Once changes are approved and rejected, this page says how long that takes and how often two who decide agree."</Empty> }.into_any()
        } else {
            let each = figures.each.iter().map(|(name, r)| row(name, r)).collect_view();
            view! {
                <div class="scroll" tabindex="0" role="region" aria-label="Reviews">
                    <table>
                        <thead><tr><th>"Who"</th><th>"Decisions"</th><th>"Approved"</th><th>"Rejected"</th><th>"Looked at it for"</th><th>"Waited for"</th><th>"Agreed"</th><th>"Overridden"</th><th>"Reverted"</th></tr></thead>
                        <tbody>{row("Everybody", &figures.overall)}{each}</tbody>
                    </table>
                </div>
                <ul class="quiet">
                    <li>"Looked at it for: from opening a revision to deciding on it, the median; in brackets of how many. Short is not good by itself."</li>
                    <li>"Waited for: from the proposal to the decision, the median."</li>
                    <li>"Agreed: of the changes on which somebody else decided as well, those where both said the same."</li>
                    <li>"Overridden: somebody else took the decision back. Reverted: what was approved was taken back after its commit."</li>
                </ul>
            }
            .into_any()
        };
        Ok(view! {
            <Heading title="How we review" />
            <p class="quiet">{format!("The last {FIGURE_DAYS} days, in stores that you may see. Each sees their own figures and those of all together; admins see everybody’s.")}</p>
            {body}
        }
        .into_any())
    })
}

fn row(name: &str, r: &Reviewing) -> impl IntoView + use<> {
    let looking = r.seconds_looking.map_or_else(|| "–".to_owned(), |(s, n)| format!("{} ({n})", lasting(s)));
    let waiting = r.seconds_waiting.map_or_else(|| "–".to_owned(), lasting);
    let agreed = if r.shared == 0 { "–".to_owned() } else { format!("{} of {}", r.agreed, r.shared) };
    view! { <tr><td>{name.to_owned()}</td><td>{r.decisions}</td><td>{r.approvals}</td><td>{r.rejections}</td><td>{looking}</td><td>{waiting}</td><td>{agreed}</td><td>{r.overridden}</td><td>{r.reverted}</td></tr> }
}

/// A time in its two largest words: `3 minutes`, `2 days`.
fn lasting(seconds: i64) -> String {
    match seconds {
        s if s < 60 => count(s, "second"),
        s if s < 3_600 => count(s / 60, "minute"),
        s if s < 172_800 => count(s / 3_600, "hour"),
        s => count(s / 86_400, "day"),
    }
}
