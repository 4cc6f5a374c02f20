//! What was rejected in a store and stays away: when each may come back, and the way to let it come
//! back now.

use domain::rights::Action;
use leptos::prelude::*;
use service::MutedRow;

use super::stores::store_heading;
use crate::{
    components::{
        forms::{Refused, form_token},
        layout::Empty,
        text::Visible,
        when::When,
    },
    context::page,
};

/// `/stores/ID/muted`: the rejected proposals that stay away.
#[component]
pub fn Muted() -> impl IntoView {
    page("memory", |request| async move {
        let actor = request.actor()?;
        let store = request.lucid.store(actor, request.id("store")?).await?;
        request.is_about(store.id);
        let muted = request.lucid.muted(actor, store.id).await?;
        let decides = actor.may(Action::Decide, store.id);
        let refused = request.refused().await;
        let now = request.now();
        let row = move |m: MutedRow| {
            let unmute = decides.then(|| {
                view! {
                    <form method="post" action="/do/unmute">
                        {form_token()}
                        <input type="hidden" name="store" value=store.id.to_string() />
                        <input type="hidden" name="change" value=m.change_id.to_string() />
                        <button>"Unmute"</button>
                    </form>
                }
            });
            view! {
                <tr>
                    <td>
                        <a href=format!("/changesets/{}", m.changeset_id)>
                            <Visible text=m.title />
                        </a>
                    </td>
                    <td>
                        <span class="badge">{m.finding.replace('_', " ")}</span>
                    </td>
                    <td>{m.reject_code.explained()}</td>
                    <td>{m.support}</td>
                    <td>
                        <When at=m.created_at now=now />
                    </td>
                    <td>{unmute}</td>
                </tr>
            }
        };
        let heading = store_heading(&store, "Muted", None);
        let list = if muted.is_empty() {
            view! {
                <Empty title="Nothing is muted">
                    "Rejected findings are listed here with the reason, so that dreams do not \
                     propose them again."
                </Empty>
            }
            .into_any()
        } else {
            view! {
                <div class="scroll" tabindex="0" role="region" aria-label="Muted findings">
                    <table>
                        <thead>
                            <tr>
                                <th>"Rejected"</th>
                                <th>"Finding"</th>
                                <th>"Why, and when it comes back"</th>
                                <th>"Cases at rejection"</th>
                                <th>"Since"</th>
                                <th>"Undo"</th>
                            </tr>
                        </thead>
                        <tbody>{muted.into_iter().map(row).collect_view()}</tbody>
                    </table>
                </div>
            }
            .into_any()
        };
        Ok(view! {
            {heading}
            <Refused form=refused />
            {list}
        }
        .into_any())
    })
}
