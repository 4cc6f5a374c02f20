//! Taking sessions in by upload.

use domain::{ids::StoreId, rights::Action};
use leptos::prelude::*;
use service::transcripts::Format;

use crate::{
    components::{
        forms::{Refused, form_token},
        layout::{Empty, Heading},
        text::Visible,
    },
    context::page,
};

/// The form, and after an upload what came of it.
#[component]
pub fn Import() -> impl IntoView {
    page("sessions", |request| async move {
        let actor = request.actor()?.clone();
        let stores: Vec<_> = request
            .lucid
            .stores(&actor)
            .await?
            .into_iter()
            .filter(|s| actor.may(Action::RecordSessions, s.id))
            .collect();
        let refused = request.refused().await;
        let chosen = request.asked::<StoreId>("store");
        let done = request.query.get("done").map(|text| {
            view! {
                <div class="notice good" role="status">
                    <strong>"Imported. "</strong>
                    <Visible text=text.clone() />
                </div>
            }
        });
        let body = if stores.is_empty() {
            view! {
                <Empty title="No store to import into">
                    "An admin creates stores and grants access to them. "
                    <a href="/stores">"See the stores"</a>
                </Empty>
            }
            .into_any()
        } else {
            let mappings = request.lucid.mappings(&actor).await?;
            let named = request.query.get("mapping").cloned().unwrap_or_default();
            let mappings = mappings
                .into_iter()
                .map(|m| {
                    view! {
                        <option value=m.mapping.name.clone() selected=m.mapping.name == named>
                            {m.mapping.name.clone()}
                        </option>
                    }
                })
                .collect_view();
            let options = stores
                .into_iter()
                .map(|s| {
                    view! {
                        <option value=s.id.to_string() selected=Some(s.id) == chosen>
                            {s.name}
                        </option>
                    }
                })
                .collect_view();
            view! {
                <form
                    method="post"
                    action="/do/import"
                    enctype="multipart/form-data"
                    class="stack card"
                >
                    {form_token()}
                    <label>
                        "Store"<select name="store" required>
                            {options}
                        </select>
                    </label>
                    <label>
                        "Format"
                        <select name="format">
                            {Format::ALL
                                .iter()
                                .map(|(word, format)| {
                                    view! { <option value=*word>{format.name()}</option> }
                                })
                                .collect_view()}
                        </select>
                    </label>
                    <label>
                        "Mapping (for a format that is not listed)" <select name="mapping">
                            <option value="">"none"</option>
                            {mappings}
                        </select>
                    </label>
                    <p class="about">
                        "A mapping says where the parts of each record are. "
                        <a href="/mappings">"Manage mappings"</a>
                    </p>
                    <label>
                        "Agent, if the transcripts do not name one (optional)"
                        <input name="agent" maxlength="200" />
                    </label>
                    <label>
                        "Files (.json, .jsonl, .traj or exported .md, also compressed as .gz or \
                         .zst)"
                        <input
                            type="file"
                            name="file"
                            accept=".json,.jsonl,.ndjson,.traj,.md,.gz,.zst"
                            multiple
                            required
                        />
                    </label>
                    <button class="primary">"Import"</button>
                </form>
            }
            .into_any()
        };
        let trail = vec![("/sessions".into(), "Sessions".into())];
        Ok(view! {
            <Heading title="Import sessions" trail=trail />
            <Refused form=refused />
            {done}
            {body}
        }
        .into_any())
    })
}
