//! Mappings: the saved ones, and the form in which one is made from a sample and tried on it.

use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::*;
use service::{
    SavedMapping,
    transcripts::{
        Options, Source,
        mapping::{Preview, Seen, preview},
    },
};

use crate::{
    actions::{
        account::encoded,
        mappings::{fields_of, mapping_of},
    },
    components::{
        forms::{Refused, form_token},
        layout::{Empty, Heading},
        text::Visible,
        text_area::TextArea,
        when::When,
    },
    context::{Request, page},
};

/// `/mappings`: saved mappings, and the form that tries a new one.
#[component]
pub fn Mappings() -> impl IntoView {
    page("sessions", |request| async move {
        let saved = request.lucid.mappings(request.actor()?).await?;
        let refused = request.refused().await;
        let done = request.query.get("done").map(|name| {
            let import = format!("/import?mapping={}", encoded(name));
            view! {
                <div class="notice good" role="status">
                    <strong>"Saved: "</strong>
                    <Visible text=name.clone() />
                    ". "
                    <a href=import>"Import with it"</a>
                </div>
            }
        });
        let list = if saved.is_empty() {
            view! {
                <Empty title="No mapping yet">
                    "Lucid reads the formats of many agents. For any other format, a mapping says \
                     where the parts of each record are. "
                    <a href="/mappings/edit">"Make one from a sample"</a>
                </Empty>
            }
            .into_any()
        } else {
            let rows = saved.iter().map(|m| row(m, &request)).collect_view();
            view! {
                <p>
                    <a class="button primary" href="/mappings/edit">
                        "New mapping"
                    </a>
                </p>
                <div class="scroll" tabindex="0" role="region" aria-label="Mappings">
                    <table>
                        <thead>
                            <tr>
                                <th>"Name"</th>
                                <th>"Saved by"</th>
                                <th>"When"</th>
                                <th>"As JSON"</th>
                                <th>"Delete"</th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }
            .into_any()
        };
        let trail = vec![
            ("/sessions".into(), "Sessions".into()),
            ("/import".into(), "Import sessions".into()),
        ];
        Ok(view! {
            <Heading title="Mappings" trail=trail />
            <Refused form=refused />
            {done}
            {list}
        }
        .into_any())
    })
}

fn row(saved: &SavedMapping, request: &Request) -> impl IntoView + use<> {
    let name = saved.mapping.name.clone();
    let query = encoded(&name);
    let (edit, export) = (
        format!("/mappings/edit?name={query}"),
        format!("/export/mapping?name={query}"),
    );
    let label = format!("Delete {name}");
    view! {
        <tr>
            <td>
                <a href=edit>
                    <Visible text=name.clone() />
                </a>
            </td>
            <td>
                <Visible text=saved.updated_by.clone() />
            </td>
            <td>
                <When at=saved.updated_at now=request.now() />
            </td>
            <td>
                <a href=export download>
                    "Download"
                </a>
            </td>
            <td>
                <form method="post" action="/do/delete_mapping">
                    {form_token()}
                    <input type="hidden" name="name" value=name />
                    <button class="danger" aria-label=label>
                        "Delete"
                    </button>
                </form>
            </td>
        </tr>
    }
}

/// Each part with what is there.
const PARTS: &[(&str, &str)] = &[
    ("records", "Path of the list of records, if there is one"),
    ("role", "Who speaks"),
    ("text", "What was said, or what a tool answered"),
    ("tool", "The tool"),
    ("arguments", "What the tool is called with"),
    ("call", "What pairs a call with its answer"),
    ("error", "Whether the tool failed"),
    ("time", "When"),
    ("id", "The record's own id"),
    ("session", "The session"),
    ("user", "The end user"),
    ("agent", "The agent"),
    ("team", "The team"),
    ("task", "The task"),
    ("outcome", "How the session ended"),
];

/// The form, with what becomes of the sample.
#[component]
pub fn Edit() -> impl IntoView {
    page("sessions", |request| async move {
        let actor = request.actor()?;
        let refused = request.refused().await;
        let fields = match (&refused, request.query.get("name")) {
            (Some(form), _) => form.fields.clone(),
            (None, Some(name)) => fields_of(&*request.lucid.mapping(actor, name).await?),
            (None, None) => {
                request.lucid.mappings(actor).await?;
                match request.asked("draft") {
                    Some(id) => request
                        .lucid
                        .refused_form(actor.who.person(), id)
                        .await?
                        .map(|form| form.fields)
                        .unwrap_or_default(),
                    None => BTreeMap::new(),
                }
            }
        };
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let seen = seen(&fields);
        let part = |&(name, what): &(&'static str, &'static str)| {
            let example = if name == "records" { "/turns" } else { "" };
            view! {
                <label>
                    {what}
                    <input
                        name=format!("parts[{name}]")
                        value=field(name)
                        placeholder=example
                        spellcheck="false"
                        class="mono"
                    />
                </label>
            }
        };
        let trail = vec![
            ("/sessions".into(), "Sessions".into()),
            ("/import".into(), "Import sessions".into()),
            ("/mappings".into(), "Mappings".into()),
        ];
        Ok(view! {
            <Heading title="Mapping" trail=trail />
            <Refused form=refused />
            <p>
                "Paste the first records of a transcript, let the parts be guessed, look at what \
                 becomes of them, and save the mapping by its name. A part is a JSON pointer: "
                <code>"/body/text"</code>" is the key "<code>"text"</code>" inside "
                <code>"body"</code>
                ". Several places may be given; the first that holds something counts."
            </p>
            <form method="post" action="/do/edit_mapping" class="stack">
                {form_token()}
                <label for="sample">"Sample (JSON, or JSON a line)"</label>
                <TextArea name="sample" id="sample" value=field("sample") rows=8 label="Sample" />
                <p>
                    <button name="what" value="guess">
                        "Guess the parts from the sample"
                    </button>
                </p>
                <fieldset class="cards">
                    <legend>"Parts of a record"</legend>
                    {PARTS.iter().map(part).collect_view()}
                </fieldset>
                <label for="roles">
                    "Other words for who speaks, one a line: word = user, agent, thinking, system, \
                     tool, denial or raw"
                </label>
                <TextArea
                    name="roles"
                    id="roles"
                    value=field("roles")
                    rows=3
                    label="Other words for who speaks"
                />
                <label>"Name"<input name="name" maxlength="80" value=field("name") /></label>
                <p class="actions">
                    <button name="what" value="preview">
                        "Preview"
                    </button>
                    <button name="what" value="save" class="primary">
                        "Save"
                    </button>
                </p>
            </form>
            {seen}
        }
        .into_any())
    })
}

/// Shows what becomes of the sample's first records.
fn seen(fields: &BTreeMap<String, String>) -> AnyView {
    let sample = fields.get("sample").map_or("", |s| s.trim());
    if sample.is_empty() {
        return ().into_any();
    }
    let mapping = match mapping_of(fields) {
        Ok(mapping) => mapping,
        Err(reason) => {
            return view! {
                <p id="seen" class="quiet">
                    {crate::components::forms::sentence(&reason)}
                </p>
            }
            .into_any();
        }
    };
    let options = Options {
        mapping: Some(Arc::new(mapping)),
        ..Options::default()
    };
    let Ok(preview) = preview(sample.as_bytes(), &Source::named("sample.jsonl"), &options) else {
        return view! { <p id="seen">"The sample could not be read."</p> }.into_any();
    };
    table(preview).into_any()
}

fn table(preview: Preview) -> impl IntoView {
    let understood = preview.understood;
    let count = preview.events.len();
    let problems = preview
        .problems
        .into_iter()
        .map(|p| {
            view! {
                <li>
                    <Visible text=p />
                </li>
            }
        })
        .collect_view();
    let row = |e: Seen| {
        let about: Vec<String> = e
            .about
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        let kind = if e.is_error {
            format!("{}, an error", e.kind.as_str().replace('_', " "))
        } else {
            e.kind.as_str().replace('_', " ")
        };
        view! {
            <tr>
                <td>
                    <Visible text=e.session />
                    <br />
                    <span class="quiet">
                        <Visible text=about.join("; ") />
                    </span>
                </td>
                <td>{e.speaker.name()}</td>
                <td>{kind}</td>
                <td>
                    <Visible text=e.tool.unwrap_or_default() />
                </td>
                <td>{e.time.unwrap_or_default()}</td>
                <td class="wrap">
                    <Visible text=e.text />
                </td>
            </tr>
        }
    };
    view! {
        <section id="seen" class="stack" aria-label="Preview" tabindex="-1">
            <h2>"What becomes of the first records"</h2>
            <p role="status">{format!("{understood} of {count} have a speaker and a text.")}</p>
            <ul>{problems}</ul>
            <div class="scroll" tabindex="0" role="region" aria-label="Records">
                <table>
                    <thead>
                        <tr>
                            <th>"Session"</th>
                            <th>"Speaker"</th>
                            <th>"Event"</th>
                            <th>"Tool"</th>
                            <th>"Time"</th>
                            <th>"Text"</th>
                        </tr>
                    </thead>
                    <tbody>{preview.events.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        </section>
    }
}
