//! Recalls of memory that turned out wrong: who loaded it, what was done about each of them, and
//! the list of all recalls.

use domain::{Timestamp, ids::RecallId, memory::Operation, plural::count, recall::RecallMark};
use leptos::prelude::*;
use service::{Loaded, Loads, RecallRow, RecallView, RefusedForm};

use crate::{
    components::{
        badges::OutcomeBadge,
        forms::{self, Refused, form_token},
        layout::{Empty, Heading, actor_name},
        text::Visible,
        when::When,
    },
    context::page,
};

/// `/recalls`: all recalls that the reader sees.
#[component]
pub fn Recalls() -> impl IntoView {
    page("memory", |request| async move {
        let all = request.lucid.recalls(request.actor()?, None).await?;
        let now = request.now();
        let list = if all.is_empty() {
            view! {
                <Empty title="No recalls">
                    "When memory turns out wrong, open it and choose “Who loaded it”. A recall \
                     lists every session that was given it, until each is dealt with."
                </Empty>
            }
            .into_any()
        } else {
            view! { <ul class="cards">{all.into_iter().map(|recall| card(recall, now)).collect_view()}</ul> }.into_any()
        };
        Ok(view! {
            <Heading title="Recalls" trail=vec![("/stores".into(), "Memory".into())] />
            {list}
        }
        .into_any())
    })
}

fn card(recall: RecallRow, now: Timestamp) -> impl IntoView {
    let state = state_badge(&recall);
    let done = format!("{} of {} marked", recall.marked, recall.loaded);
    view! {
        <li class="card">
            <h2>
                <a href=format!("/recalls/{}", recall.id)>
                    <Visible text=recall.path.to_string() />
                </a>
                " "
                {state}
            </h2>
            <p>
                <Visible text=recall.reason />
            </p>
            <p class="quiet">
                <Visible text=recall.store_name />
                " · opened "
                <When at=recall.opened_at now=now />
                " · "
                {done}
            </p>
        </li>
    }
}

fn state_badge(recall: &RecallRow) -> AnyView {
    if recall.closed_at.is_some() {
        view! { <span class="badge">"Closed"</span> }.into_any()
    } else {
        view! { <span class="badge medium">"Open"</span> }.into_any()
    }
}

/// Shows who loaded some versions of a memory, with the form that opens a recall of them.
#[component]
pub fn MemoryLoads() -> impl IntoView {
    page("memory", |request| async move {
        let actor = request.actor()?.clone();
        let memory = request.id("memory")?;
        let from: i64 = request.asked("from").unwrap_or(1);
        let loads = request
            .lucid
            .loads(&actor, memory, (from, request.asked("to").unwrap_or(from)))
            .await?;
        let store = request.lucid.store(&actor, loads.store_id).await?;
        request.is_about(store.id);
        let refused = request.refused().await;
        let (now, path) = (request.now(), loads.path.to_string());
        let trail = vec![
            ("/stores".into(), "Memory".into()),
            (format!("/stores/{}", store.id), store.name.clone()),
            (format!("/memories/{memory}"), path),
        ];
        let reason = forms::kept(refused.as_ref(), "reason").unwrap_or_default();
        let open = request
            .lucid
            .recalls_of(&actor, memory)
            .await?
            .into_iter()
            .map(|recall| {
                let badge = state_badge(&recall);
                view! {
                    <li>
                        <a class="link" href=format!("/recalls/{}", recall.id)>
                            "Recall of "
                            {versions(recall.first_version, recall.last_version)}
                        </a>
                        " "
                        {badge}
                    </li>
                }
            });
        let open = open.collect_view();
        let (first, last) = loads.versions;
        let form = loads.may_work.then(|| {
            view! {
                <section class="setting">
                    <div>
                        <h2>"Recall"</h2>
                        <p class="quiet">
                            "Was this wrong? A recall keeps the list until you have said of each \
                             session what was done about it."
                        </p>
                    </div>
                    <form method="post" action="/do/open_recall" class="stack">
                        {form_token()}
                        <input type="hidden" name="memory" value=memory.to_string() />
                        <input type="hidden" name="from" value=first.to_string() />
                        <input type="hidden" name="to" value=last.to_string() />
                        <label>
                            "What was wrong"
                            <input name="reason" value=reason required maxlength="1000" />
                        </label>
                        <button class="primary">"Open recall"</button>
                    </form>
                </section>
            }
        });
        Ok(view! {
            <Heading title=format!("Who loaded {}", versions(first, last)) trail=trail />
            <Refused form=refused />
            {choose(first, last)}
            {summary(&loads, now)}
            <ul>{open}</ul>
            {form}
            {table(&loads, None, None, now)}
        }
        .into_any())
    })
}

/// Other versions to ask about.
fn choose(first: i64, last: i64) -> impl IntoView {
    view! {
        <form method="get" class="filters">
            <label>
                "From version"
                <input type="number" name="from" value=first.to_string() min="1" required />
            </label>
            <label>
                "to version"
                <input type="number" name="to" value=last.to_string() min="1" required />
            </label>
            <button>"Show"</button>
        </form>
    }
}

fn versions(first: i64, last: i64) -> String {
    if first == last {
        format!("version {first}")
    } else {
        format!("versions {first} to {last}")
    }
}

/// How many loaded the versions, and between which commits they could.
fn summary(loads: &Loads, now: Timestamp) -> AnyView {
    let counts = loads.counts;
    let outside = counts.loaded - counts.sessions;
    let outside =
        (outside > 0).then(|| format!(" and {} outside of sessions", count(outside, "reader")));
    let (revision, at) = loads.from;
    let until = match (loads.until, loads.last) {
        (Some((revision, at, Operation::Deleted)), _) => view! {
            " and removed with revision "
            {revision}
            ", "
            <When at=at now=now />
        }
        .into_any(),
        (Some((revision, at, _)), _) => view! {
            " and replaced with revision "
            {revision}
            ", "
            <When at=at now=now />
        }
        .into_any(),
        (None, Operation::Deleted) => {
            view! { "; its last version is that it was removed" }.into_any()
        }
        (None, _) => view! {
            ", and "
            <strong>"is still what the memory says"</strong>
        }
        .into_any(),
    };
    view! {
        <p>
            {count(counts.sessions, "session")}{outside}" loaded "
            {if loads.versions.0 == loads.versions.1 { "it" } else { "them" }}", "
            {count(counts.times, "time")}" in all. " "It was committed with revision "{revision}", "
            <When at=at now=now />{until}"."
        </p>
    }
    .into_any()
}

/// The sessions and readers; with the forms that mark them, if the recall is worked on.
fn table(
    loads: &Loads,
    recall: Option<(RecallId, bool)>,
    refused: Option<&RefusedForm>,
    now: Timestamp,
) -> AnyView {
    if loads.rows.is_empty() {
        return view! {
            <Empty title="Nobody loaded it">
                "No read of these versions is on record. Reads are kept for 400 days, those of \
                 recalled versions for good."
            </Empty>
        }
        .into_any();
    }
    let marks = recall.is_some();
    let head = marks.then(|| view! { <th>"Done"</th> });
    let rows = loads
        .rows
        .iter()
        .map(|loaded| row(loaded, recall, refused, now))
        .collect_view();
    let all = loads.counts.loaded;
    let shown = i64::try_from(loads.rows.len()).unwrap_or(i64::MAX);
    let more = (all > shown).then(|| {
        view! {
            <p class="quiet">
                {format!(
                    "{shown} of {all} are shown. Marked ones move to the end; the file has all of \
                     them.",
                )}
            </p>
        }
    });
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Who loaded it">
            <table>
                <thead>
                    <tr>
                        <th>"Session"</th>
                        <th>"Agent"</th>
                        <th>"Owner"</th>
                        <th>"Loaded"</th>
                        <th>"Last"</th>
                        <th>"Outcome"</th>
                        {head}
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
        {more}
    }
    .into_any()
}

fn row(
    loaded: &Loaded,
    recall: Option<(RecallId, bool)>,
    refused: Option<&RefusedForm>,
    now: Timestamp,
) -> AnyView {
    let row = &loaded.row;
    let session = match row.session_id {
        Some(id) if !row.here => {
            let short: String = id.to_string().chars().take(20).collect();
            view! {
                <code title=id.to_string()>{short}"…"</code>
                " "
                <span class="muted">"in another store"</span>
            }
            .into_any()
        }
        Some(id) => {
            let title = row.external_id.clone().unwrap_or_else(|| id.to_string());
            view! {
                <a href=format!("/sessions/{id}") class="cut">
                    <Visible text=title />
                </a>
            }
            .into_any()
        }
        None => view! { <span class="muted">"Outside of sessions"</span> }.into_any(),
    };
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    let owner = if loaded.owner.is_empty() {
        "unknown".to_owned()
    } else {
        actor_name(&loaded.owner)
    };
    let outcome = row
        .session_id
        .filter(|_| row.here)
        .map(|_| view! { <OutcomeBadge outcome=row.outcome source=row.outcome_source /> });
    let done = recall.map(|(id, may)| view! { <td>{mark(loaded, (id, may), refused, now)}</td> });
    view! {
        <tr>
            <td>{session}</td>
            <td>
                <Visible text=known(&row.agent) />
            </td>
            <td>
                <Visible text=owner />
            </td>
            <td>{count(row.times, "time")}</td>
            <td>
                <When at=row.last_at now=now />
            </td>
            <td>{outcome}</td>
            {done}
        </tr>
    }
    .into_any()
}

/// Shows what was done about one, and the form that says so.
fn mark(
    loaded: &Loaded,
    (recall, may): (RecallId, bool),
    refused: Option<&RefusedForm>,
    now: Timestamp,
) -> AnyView {
    let row = &loaded.row;
    let typed = refused
        .filter(|form| form.fields.get("loaded_by") == Some(&loaded.loaded_by))
        .and_then(|form| form.fields.get("note").cloned());
    let (Some(mark), Some(at)) = (row.mark, row.marked_at) else {
        return if may {
            mark_form(loaded, recall, typed, false)
        } else {
            view! { <span class="muted">"Open"</span> }.into_any()
        };
    };
    let note = row
        .note
        .clone()
        .filter(|note| !note.is_empty())
        .map(|note| {
            view! {
                ": "
                <Visible text=note />
            }
        });
    let by = loaded.marked_by.clone().unwrap_or_default();
    let open = typed.is_some();
    let change = may.then(|| {
        let form = mark_form(loaded, recall, typed.or_else(|| row.note.clone()), true);
        view! {
            <details open=open>
                <summary class="quiet">"Change"</summary>
                {form}
            </details>
        }
    });
    view! {
        <p>
            <strong>{mark.label()}</strong>
            {note}
        </p>
        <p class="quiet">
            <Visible text=by />
            " "
            <When at=at now=now />
        </p>
        {change}
    }
    .into_any()
}

fn mark_form(loaded: &Loaded, recall: RecallId, note: Option<String>, again: bool) -> AnyView {
    let name = loaded
        .row
        .external_id
        .clone()
        .unwrap_or_else(|| loaded.loaded_by.clone());
    let button = |mark: &RecallMark| {
        let label = format!("{}: {name}", mark.label());
        view! {
            <button name="mark" value=mark.as_str() aria-label=label>
                {mark.label()}
            </button>
        }
    };
    view! {
        <form method="post" action="/do/mark_recalled" class="line wrap">
            {form_token()}
            <input type="hidden" name="recall" value=recall.to_string() />
            <input type="hidden" name="loaded_by" value=loaded.loaded_by.clone() />
            {again.then(|| view! { <input type="hidden" name="again" value="true" /> })}
            <input
                name="note"
                maxlength="1000"
                placeholder="Note"
                value=note.unwrap_or_default()
                aria-label=format!("Note on {name}")
            />
            {RecallMark::ALL.iter().map(button).collect_view()}
        </form>
    }
    .into_any()
}

/// `/recalls/ID`: the sessions and agents of one recall.
#[component]
pub fn Recall() -> impl IntoView {
    page("memory", |request| async move {
        let id = request.id::<RecallId>("recall")?;
        let view = request.lucid.recall(request.actor()?, id).await?;
        request.is_about(view.recall.store_id);
        request.lucid.read_recall(request.actor()?, id).await?;
        let refused = request.refused().await;
        let now = request.now();
        let recall = &view.recall;
        let trail = vec![
            ("/recalls".into(), "Recalls".into()),
            (
                format!("/stores/{}", recall.store_id),
                recall.store_name.clone(),
            ),
            (
                format!("/memories/{}", recall.memory_id),
                recall.path.to_string(),
            ),
        ];
        let file = view! {
            <a class="button" href=format!("/export/recall?id={id}") download>
                "Export CSV"
            </a>
        }
        .into_any();
        let open = recall.closed_at.is_none();
        let may = view.loads.may_work && open;
        let what = versions(recall.first_version, recall.last_version);
        Ok(view! {
            <Heading title=format!("Recall of {what}") trail=trail action=file />
            <Refused form=refused.clone() />
            {about(&view, now)}
            {summary(&view.loads, now)}
            {(may && view.loads.counts.marked < view.loads.counts.loaded)
                .then(|| mark_all(&view, refused.as_ref()))}
            {table(&view.loads, Some((id, may)), refused.as_ref(), now)}
            {view
                .loads
                .may_work
                .then(|| end(&view, forms::kept(refused.as_ref(), "outcome").unwrap_or_default()))}
        }
        .into_any())
    })
}

/// Why it was opened, how far it is, and how it ended.
fn about(view: &RecallView, now: Timestamp) -> AnyView {
    let recall = &view.recall;
    let counts = view.loads.counts;
    let closed = recall.closed_at.map(|at| {
        let by = view.closed_by.clone().unwrap_or_default();
        let outcome = recall.outcome.clone().unwrap_or_default();
        view! {
            <div>
                <dt>"Closed"</dt>
                <dd>
                    <Visible text=outcome />
                    " — "
                    <Visible text=by />
                    ", "
                    <When at=at now=now />
                </dd>
            </div>
        }
    });
    let state = state_badge(recall);
    view! {
        <dl class="about">
            <div>
                <dt>"State"</dt>
                <dd>{state}</dd>
            </div>
            <div>
                <dt>"What was wrong"</dt>
                <dd>
                    <Visible text=recall.reason.clone() />
                </dd>
            </div>
            <div>
                <dt>"Opened"</dt>
                <dd>
                    <Visible text=view.opened_by.clone() />
                    ", "
                    <When at=recall.opened_at now=now />
                </dd>
            </div>
            <div>
                <dt>"Progress"</dt>
                <dd>{format!("{} of {} marked", counts.marked, counts.loaded)}</dd>
            </div>
            {closed}
        </dl>
        <progress
            max=counts.loaded.max(1).to_string()
            value=counts.marked.to_string()
            aria-label="Marked"
        ></progress>
    }
    .into_any()
}

/// The form that marks all the rest at once.
fn mark_all(view: &RecallView, refused: Option<&RefusedForm>) -> AnyView {
    let note = refused
        .filter(|form| !form.fields.contains_key("loaded_by"))
        .and_then(|form| form.fields.get("note").cloned());
    let left = view.loads.counts.loaded - view.loads.counts.marked;
    let option = |mark: &RecallMark| view! { <option value=mark.as_str()>{mark.label()}</option> };
    view! {
        <form method="post" action="/do/mark_all_recalled" class="filters">
            {form_token()}
            <input type="hidden" name="recall" value=view.recall.id.to_string() />
            <label class="wrap">
                "Mark all that are left as"
                <select name="mark">{RecallMark::ALL.iter().map(option).collect_view()}</select>
            </label>
            <label>
                "Note"<input name="note" maxlength="1000" value=note.unwrap_or_default() />
            </label>
            <button>{format!("Mark {left}")}</button>
        </form>
    }
    .into_any()
}

/// The form that closes it, or opens it again.
fn end(view: &RecallView, outcome: String) -> AnyView {
    let id = view.recall.id.to_string();
    if view.recall.closed_at.is_some() {
        let since = view.loads.counts.loaded - view.loads.counts.marked;
        let since = (since > 0).then(|| view! {
            <p class="notice warn">
                {format!(
                    "{since} more loaded it after the recall was closed. Reopen the recall to work \
                     on them.",
                )}
            </p>
        });
        return view! {
            {since}
            <form method="post" action="/do/reopen_recall">
                {form_token()}
                <input type="hidden" name="recall" value=id />
                <button>"Reopen recall"</button>
            </form>
        }
        .into_any();
    }
    let left = view.loads.counts.loaded - view.loads.counts.marked;
    if left > 0 && outcome.is_empty() {
        return view! {
            <p class="quiet">
                {format!("The recall can be closed once the {left} left are marked.")}
            </p>
        }
        .into_any();
    }
    let still = view.loads.until.is_none() && view.loads.last != Operation::Deleted;
    let still = still.then(|| view! {
        <p class="notice warn">
            "The memory still says this, so sessions go on loading it. Correct the memory before \
             you close the recall."
        </p>
    });
    view! {
        {still}
        <form method="post" action="/do/close_recall" class="stack">
            {form_token()}
            <input type="hidden" name="recall" value=id />
            <label>
                "What came of it"<input name="outcome" value=outcome required maxlength="1000" />
            </label>
            <button class="primary">"Close recall"</button>
        </form>
    }
    .into_any()
}
