//! For each line of a memory the change that put it there, when, and who approved it.

use domain::{Timestamp, ids::MemoryId};
use leptos::prelude::*;
use service::Blamed;

use crate::components::{text::Visible, when::When};

/// The lines in groups, each with its change.
pub fn blame(id: MemoryId, groups: Vec<Blamed>, now: Timestamp) -> AnyView {
    let group = |g: Blamed| {
        let rows = g.lines.len();
        let line = |(at, text): (usize, String)| {
            let (first, number) = (at == 0, g.first + at);
            let why = first.then(|| {
                view! {
                    <td class="why" rowspan=rows.to_string()>
                        {why(id, &g, now)}
                    </td>
                }
            });
            view! {
                <tr class=if first {
                    "first"
                } else {
                    ""
                }>
                    {why}<td class="num quiet">{number}</td><td class="line">
                        <Visible text=text />
                    </td>
                </tr>
            }
        };
        g.lines
            .clone()
            .into_iter()
            .enumerate()
            .map(line)
            .collect_view()
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Content by change">
            <table class="blame">
                <thead>
                    <tr>
                        <th>"Put there by"</th>
                        <th>"Line"</th>
                        <th>"Text"</th>
                    </tr>
                </thead>
                <tbody>{groups.into_iter().map(group).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// The change, with its evidence one click away; a direct write leads to its commit.
fn why(id: MemoryId, g: &Blamed, now: Timestamp) -> AnyView {
    let v = &g.version.version;
    let (title, href) = match (v.change_id, v.changeset_id, &v.change_title) {
        (Some(change), Some(changeset), Some(title)) => (
            title.clone(),
            format!("/changesets/{changeset}?change={change}"),
        ),
        _ => (v.message.clone(), format!("/commits/{}", v.commit_id)),
    };
    let approved = if g.version.approved_by.is_empty() {
        format!("written directly by {}", g.version.committed_by)
    } else {
        format!("approved by {}", g.version.approved_by.join(", "))
    };
    view! {
        <a href=href>
            <Visible text=title />
        </a>
        <small class="quiet">
            <a href=format!("/memories/{id}?version={}", v.number)>"Version "{v.number}</a>
            ", "
            <When at=v.created_at now=now />
            ", "
            <Visible text=approved />
        </small>
    }
    .into_any()
}
