//! The changes of the changeset, what became of each, and which are chosen to be decided together.

use leptos::prelude::*;
use service::ChangeView;

use super::Desk;
use crate::components::{badges::state_mark, forms::form_token, text::Visible};

/// The list, with the way to the next and the one before.
pub fn list(desk: &Desk) -> AnyView {
    let all = &desk.view.changes;
    let left = all.iter().filter(|c| c.waits_for_reader()).count();
    let link = |c: &ChangeView, key: &'static str, text: &'static str| view! { <a href=desk.address(c.change.id) data-swap data-key=key>{text}</a> };
    let previous = desk.at.checked_sub(1).and_then(|i| all.get(i)).map(|c| link(c, "k", "← previous"));
    let next = all.get(desk.at + 1).map(|c| link(c, "j", "next →"));
    let rows = all.iter().enumerate().map(|(i, c)| row(desk, i, c)).collect_view();
    let many = (left > 1).then(|| view! { <button data-key="bulk">"Decide chosen …"</button> });
    let undo = desk.undo.as_ref().map(|u| {
        let what = match u.verdict.as_str() {
            "approve" => "approval of",
            "reject" => "rejection of",
            _ => "deferral of",
        };
        view! {
            <form method="post" action="/do/undo" class="undo" data-swap>{form_token()}
                <input type="hidden" name="back" value=desk.view.changeset.id.to_string() />
                <button class="plain" data-key="z">"Undo"</button>" "<span class="quiet">{what}" “"<Visible text=u.title.clone() />"”"</span>
            </form>
        }
    });
    view! {
        <nav class="desk-list" aria-label="Changes">
            <p class="quiet">{format!("{left} of {} wait for you", all.len())}</p>
            <form method="get" action="/bulk">
                <ol>{rows}</ol>
                {many}
            </form>
            <p class="steps">{previous}" "{next}</p>
            {undo}
        </nav>
    }
    .into_any()
}

fn row(desk: &Desk, at: usize, c: &ChangeView) -> AnyView {
    let id = c.change.id.to_string();
    let (icon, word) = state_mark(c.change.state, c.change.conflicted);
    let here = at == desk.at;
    let choose = c.waits_for_reader().then(|| {
        let label = format!("Choose “{}”", c.change.title);
        view! { <input type="checkbox" name=id.clone() value="on" aria-label=label data-key=here.then_some(" ") /> }
    });
    let risk = c.change.risk_level.as_str();
    view! {
        <li class=format!("risk-{risk}-edge") class:here=here>
            {choose}
            <a href=desk.address(c.change.id) data-swap aria-current=here.then_some("true")>
                <span class="mark" title=word aria-hidden="true">{icon}</span><span class="visually-hidden">{word}", "{risk}" risk: "</span>
                <Visible text=c.change.title.clone() />
            </a>
        </li>
    }
    .into_any()
}
