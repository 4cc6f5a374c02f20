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
            view! { <Empty title="No decisions yet">"Once changes are approved and rejected, this page shows how long that takes and how often reviewers agree."</Empty> }.into_any()
        } else {
            let each = figures.each.iter().map(|(name, r)| row(name, r)).collect_view();
            view! {
                <div class="scroll" tabindex="0" role="region" aria-label="Reviews">
                    <table>
                        <thead><tr><th>"Who"</th><th>"Decisions"</th><th>"Approved"</th><th>"Rejected"</th><th>"Review time"</th><th>"Time to decision"</th><th>"Agreed"</th><th>"Overridden"</th><th>"Reverted"</th></tr></thead>
                        <tbody>{row("Everybody", &figures.overall)}{each}</tbody>
                    </table>
                </div>
                <ul class="quiet">
                    <li>"Review time: median from opening a revision to the decision; in brackets, of how many decisions."</li>
                    <li>"Time to decision: median from the proposal to the decision."</li>
                    <li>"Agreed: of the changes on which another reviewer decided too, those with the same verdict."</li>
                    <li>"Overridden: another person withdrew the decision. Reverted: the approved change was reverted after its commit."</li>
                </ul>
            }
            .into_any()
        };
        Ok(view! {
            <Heading title="Insights" />
            <p class="quiet">{format!("Reviews of the last {FIGURE_DAYS} days in the stores that you see. You see your own figures and those of everybody together; admins see each person’s.")}</p>
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
