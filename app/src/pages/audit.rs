//! The audit trail: who did what to what, when.

use leptos::prelude::*;
use service::AuditRow;

use crate::{
    components::{
        layout::{Empty, Heading},
        text::Visible,
        when::When,
    },
    context::page,
};

/// The newest entries that one may see.
#[component]
pub fn Audit() -> impl IntoView {
    page("audit", |request| async move {
        let list = request.lucid.audit(request.actor()?, request.asked("before")).await?;
        let now = request.now();
        let next =
            list.rows.last().filter(|_| list.more).map(|r| view! { <p><a href=format!("/audit?before={}", r.row.seq)>"Older"</a></p> });
        let body = if list.rows.is_empty() {
            view! { <Empty title="No entry that you may see">"Entries of the stores that you were granted appear here."</Empty> }.into_any()
        } else {
            view! {
                <div class="scroll" tabindex="0" role="region" aria-label="Entries">
                    <table>
                        <thead><tr><th>"No."</th><th>"When"</th><th>"Who"</th><th>"What"</th><th>"To what"</th><th>"Details"</th><th>"Hash"</th></tr></thead>
                        <tbody>{list.rows.into_iter().map(|r| row(r, now)).collect_view()}</tbody>
                    </table>
                </div>
            }
            .into_any()
        };
        Ok(view! {
            <Heading title="Audit" />
            <p class="quiet">"Every entry is chained to the one before it by its hash. "<code>"lucid audit verify"</code>" checks the whole chain."</p>
            {body}{next}
        }
        .into_any())
    })
}

fn row(entry: AuditRow, now: domain::Timestamp) -> impl IntoView {
    let r = entry.row;
    let details = r.payload.clone().unwrap_or_else(|| "erased".to_owned());
    let short: String = entry.hash.chars().take(12).collect();
    view! {
        <tr>
            <td>{r.seq}</td>
            <td><When at=r.at now=now /></td>
            <td><Visible text=entry.actor /></td>
            <td><code>{r.action}</code></td>
            <td>{subject(&r.subject)}</td>
            <td><details><summary>"show"</summary><code class="wrap"><Visible text=details /></code></details></td>
            <td><code title=entry.hash>{short}</code></td>
        </tr>
    }
}

/// The subject, with a link where it has a page.
fn subject(id: &str) -> AnyView {
    let pages = [
        ("commit_", "/commits/"),
        ("chgset_", "/changesets/"),
        ("drm_", "/dreams/"),
        ("sesn_", "/sessions/"),
        ("memstore_", "/stores/"),
        ("mem_", "/memories/"),
    ];
    let short: String = id.chars().take(20).collect();
    match pages.iter().find(|(prefix, _)| id.starts_with(prefix)) {
        Some((_, path)) => view! { <a href=format!("{path}{id}") title=id.to_owned()><code>{short}"…"</code></a> }.into_any(),
        None => view! { <code title=id.to_owned()>{short}</code> }.into_any(),
    }
}
