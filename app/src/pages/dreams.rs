//! Dreams: those of all stores, and those of one with its schedule.

use domain::plural::{cost, count};
use domain::{
    Timestamp,
    actor::Actor,
    dream_state::DreamState,
    ids::StoreId,
    rhythm::{Every, Rhythm, WEEKDAYS},
    rights::Action,
};
use leptos::prelude::*;
use service::{DreamRow, Estimate, Page, RefusedForm, ScheduleRow, StoreRow, next_ticks};

use super::stores::store_heading;
use crate::{
    components::{
        forms::{Refused, choices, form_token},
        layout::{Empty, Heading},
        text::Visible,
        text_area::TextArea,
        when::When,
    },
    context::{Request, page},
};

/// The newest dreams of every store.
#[component]
pub fn Dreams() -> impl IntoView {
    page("dreams", |request| async move {
        let actor = request.actor()?.clone();
        let dreams = request
            .lucid
            .dreams(&actor, None, request.asked("before"))
            .await?;
        let stores = request.lucid.stores(&actor).await?;
        let start = stores
            .iter()
            .filter(|s| actor.may(Action::Dream, s.id))
            .map(start_form)
            .collect_view();
        let list = if dreams.rows.is_empty() {
            view! {
                <Empty title="No dream yet">
                    "A dream reads the sessions and the memory of a store and proposes changes. \
                     Start one below."
                </Empty>
            }
            .into_any()
        } else {
            table(dreams, "/dreams", request.now())
        };
        Ok(view! {
            <Heading title="Dreams" />
            {list}
            <h2>"Start a dream"</h2>
            <ul class="cards">{start}</ul>
        }
        .into_any())
    })
}

fn start_form(store: &StoreRow) -> impl IntoView + use<> {
    view! {
        <li class="card">
            <h3>
                <a href=format!("/stores/{}/dreams", store.id)>
                    <Visible text=store.name.clone() />
                </a>
            </h3>
            <p class="quiet">
                {count(store.sessions, "session")}" · "{count(store.memories, "memory")}
            </p>
            <form method="post" action="/do/dream">
                {form_token()}
                <input type="hidden" name="store" value=store.id.to_string() />
                <button>"Dream now"</button>
            </form>
        </li>
    }
}

fn table(dreams: Page<DreamRow>, here: &str, now: Timestamp) -> AnyView {
    let older = dreams
        .rows
        .last()
        .filter(|_| dreams.more)
        .map(|d| format!("{here}?before={}", d.id));
    let older = older.map(|href| {
        view! {
            <p>
                <a href=href>"Older dreams"</a>
            </p>
        }
    });
    let row = move |d: DreamRow| {
        let proposed = match d.changeset_id {
            Some(id) => view! { <a href=format!("/changesets/{id}")>{count(stat(&d.stats, "proposed"), "change")}</a> }.into_any(),
            None if d.state == DreamState::Completed => "nothing".into_any(),
            None => ().into_any(),
        };
        view! {
            <tr>
                <td>
                    <a href=format!("/dreams/{}", d.id)>{d.state.as_str()}</a>
                </td>
                <td>
                    <a href=format!("/stores/{}", d.store_id)>
                        <Visible text=d.store_name />
                    </a>
                </td>
                <td>{proposed}</td>
                <td>
                    <When at=d.created_at now=now />
                </td>
            </tr>
        }
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Dreams">
            <table>
                <thead>
                    <tr>
                        <th>"State"</th>
                        <th>"Store"</th>
                        <th>"Proposed"</th>
                        <th>"Started"</th>
                    </tr>
                </thead>
                <tbody>{dreams.rows.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
        {older}
    }
    .into_any()
}

/// A number of a dream's stats or progress; 0 where it has none.
pub fn stat(stats: &str, key: &str) -> i64 {
    serde_json::from_str::<serde_json::Value>(stats)
        .ok()
        .and_then(|v| v[key].as_i64())
        .unwrap_or(0)
}

/// A store's dreams, the form that starts one, and its schedule.
#[component]
pub fn StoreDreams() -> impl IntoView {
    page("memory", |request| async move {
        let actor = request.actor()?.clone();
        let store = request.lucid.store(&actor, request.id("store")?).await?;
        request.is_about(store.id);
        let dreams = request
            .lucid
            .dreams(&actor, Some(store.id), request.asked("before"))
            .await?;
        let schedule = request.lucid.schedule(&actor, store.id).await?;
        let refused = request.refused().await;
        let may_dream = actor.may(Action::Dream, store.id);
        let estimates = if may_dream {
            request.lucid.estimates(&actor, store.id).await?
        } else {
            Vec::new()
        };
        let list = if dreams.rows.is_empty() {
            view! { <Empty title="No dream yet">"Start one, or set a schedule."</Empty> }.into_any()
        } else {
            table(
                dreams,
                &format!("/stores/{}/dreams", store.id),
                request.now(),
            )
        };
        Ok(view! {
            {store_heading(&store, "Dreams", None)}
            <Refused form=refused.clone() />
            {may_dream.then(|| instructed_form(&request, store.id, &estimates, refused.as_ref()))}
            {list}
            {schedule_part(&request, &actor, store.id, schedule, refused)}
        }
        .into_any())
    })
}

fn instructed_form(
    request: &Request,
    store: StoreId,
    estimates: &[(&'static str, Estimate)],
    refused: Option<&RefusedForm>,
) -> impl IntoView + use<> {
    let kept = refused
        .and_then(|f| f.fields.get("instructions").cloned())
        .unwrap_or_default();
    let distiller = distiller_choice(
        request,
        refused.and_then(|f| f.fields.get("distiller").cloned()),
    );
    view! {
        <form method="post" action="/do/dream" class="stack card">
            {form_token()}
            <input type="hidden" name="store" value=store.to_string() />
            <label>
                "Instructions (optional; you will not count as an approver of what this dream \
                 proposes)"
                <TextArea
                    name="instructions"
                    id="instructions"
                    value=kept
                    rows=2
                    label="Instructions"
                    maxlength=4_096
                />
            </label>
            <p class="quiet" id="instructing">
                "What to look at (“only failures of book_flight”) or leave out (“ignore \
                 preferences”). A model reads all of it; the built-in engine understands kinds of \
                 findings and names of tools."
            </p>
            {distiller}
            {estimates.iter().map(|(name, estimate)| estimated(name, *estimate)).collect_view()}
            <button class="primary">"Dream now"</button>
        </form>
    }
}

/// Shows what a dream with a model would take, said before it starts.
fn estimated(name: &'static str, e: Estimate) -> impl IntoView + use<> {
    let cost = (e.cost_micros > 0).then(|| format!(", about {}", cost(e.cost_micros)));
    let over = e
        .is_over
        .then_some(" That is more than one dream may take: the rest waits for the next one.");
    let text = if e.sessions == 0 {
        format!("With {name}: it has read every session; only new conclusions would be asked for.")
    } else {
        let (input, output) = (e.input_tokens / 1_000, e.output_tokens / 1_000);
        format!(
            "With {name}: {} to read, some {} tokens asked and {} answered{}.{}",
            count(e.sessions, "session"),
            thousands(input),
            thousands(output),
            cost.unwrap_or_default(),
            over.unwrap_or_default()
        )
    };
    view! { <p class="quiet">{text}</p> }
}

fn thousands(n: i64) -> String {
    if n == 0 {
        "fewer than 1,000".to_owned()
    } else {
        format!("{n},000")
    }
}

/// Shows what may distil, if there is a choice.
fn distiller_choice(request: &Request, chosen: Option<String>) -> Option<impl IntoView + use<>> {
    let names = request.lucid.distillers();
    let chosen = chosen.unwrap_or_else(|| "builtin".to_owned());
    (names.len() > 1).then(|| view! { <label>"Engine"<select name="distiller">{choices(&names, &chosen)}</select></label> })
}

fn schedule_part(
    request: &Request,
    actor: &Actor,
    store: StoreId,
    schedule: Option<ScheduleRow>,
    refused: Option<RefusedForm>,
) -> AnyView {
    let now = request.now();
    let state = match &schedule {
        Some(s) if s.enabled => on(s, now).into_any(),
        Some(_) => view! { <p>"The schedule is off."</p> }.into_any(),
        None => {
            view! { <p>"No schedule. This store dreams only when a person starts a dream."</p> }
                .into_any()
        }
    };
    let form = actor
        .may(Action::ManageStore, store)
        .then(|| schedule_form(request, store, schedule.as_ref(), refused));
    view! {
        <section class="setting">
            <div>
                <h2>"Schedule"</h2>
                {state}
            </div>
            {form}
        </section>
    }
    .into_any()
}

/// A schedule that is on: in words, what came of its last tick, and its next ones.
fn on(schedule: &ScheduleRow, now: Timestamp) -> impl IntoView + use<> {
    let rhythm = Rhythm::of_cron(&schedule.cron);
    let words = match rhythm.every {
        Every::Hour => "Every hour.".to_owned(),
        Every::Day => format!("Every day at {}.", rhythm.time()),
        Every::Week => format!(
            "Every {} at {}.",
            WEEKDAYS[usize::from(rhythm.weekday)],
            rhythm.time()
        ),
        Every::Cron => format!("As the cron pattern {} says.", schedule.cron),
    };
    let ticks = next_ticks(&schedule.cron, &schedule.time_zone, now, NEXT);
    let last = schedule
        .last_result
        .clone()
        .map(|result| view! { <p class="quiet">"Last time: "{result}"."</p> });
    let next = ticks
        .into_iter()
        .map(|t| view! { <li>{t}</li> })
        .collect_view();
    view! {
        <p>{words}</p>
        {last}
        <p class="quiet">"Next:"</p>
        <ol class="quiet">{next}</ol>
    }
}

/// Ticks of a schedule that are shown.
const NEXT: usize = 5;

fn schedule_form(
    request: &Request,
    store: StoreId,
    schedule: Option<&ScheduleRow>,
    refused: Option<RefusedForm>,
) -> impl IntoView + use<> {
    let kept = refused
        .filter(|f| f.fields.contains_key("cron"))
        .map(|f| f.fields);
    let value = |name: &str, stored: Option<String>, default: &str| {
        kept.as_ref()
            .and_then(|f| f.get(name).cloned())
            .or(stored)
            .unwrap_or_else(|| default.to_owned())
    };
    let cron = value("cron", schedule.map(|s| s.cron.clone()), "0 3 * * *");
    let rhythm = Rhythm::of_cron(&cron);
    let every = value("every", None, rhythm.every.as_str());
    let time = value("time", None, &rhythm.time());
    let weekday = value("weekday", None, &rhythm.weekday.to_string());
    let often = |e: Every| {
        let text = match e {
            Every::Hour => "Every hour",
            Every::Day => "Every day",
            Every::Week => "Every week",
            Every::Cron => "As a cron pattern says",
        };
        view! {
            <option value=e.as_str() selected=e.as_str() == every>
                {text}
            </option>
        }
    };
    let day = |(n, name): (usize, &&'static str)| {
        view! {
            <option value=n.to_string() selected=n.to_string() == weekday>
                {*name}
            </option>
        }
    };
    let zone = value("time_zone", schedule.map(|s| s.time_zone.clone()), "UTC");
    let sessions = value(
        "min_sessions",
        schedule.map(|s| s.min_sessions.to_string()),
        "5",
    );
    let idle = value(
        "idle_minutes",
        schedule.map(|s| s.idle_minutes.to_string()),
        "60",
    );
    let distiller = distiller_choice(
        request,
        Some(value(
            "distiller",
            schedule.map(|s| s.distiller.clone()),
            "builtin",
        )),
    );
    let on = kept.as_ref().map_or_else(
        || schedule.is_none_or(|s| s.enabled),
        |f| f.get("enabled").is_some_and(|v| !v.is_empty()),
    );
    view! {
        <form method="post" action="/do/schedule" class="stack card">
            {form_token()}
            <input type="hidden" name="store" value=store.to_string() />
            <label>
                "How often"
                <select name="every">
                    {[Every::Hour, Every::Day, Every::Week, Every::Cron]
                        .map(often)
                        .into_iter()
                        .collect_view()}
                </select>
            </label>
            <label class="if-week">
                "On"
                <select name="weekday">
                    {WEEKDAYS.iter().enumerate().map(day).collect_view()}
                </select>
            </label>
            <label class="if-time">"At"<input type="time" name="time" value=time /></label>
            <label class="if-cron">
                "Cron pattern (minute, hour, day, month, weekday)"<input name="cron" value=cron />
            </label>
            <label>"Time zone"<input name="time_zone" value=zone required /></label>
            <label>
                "Minimum new sessions"
                <input name="min_sessions" value=sessions inputmode="numeric" required />
            </label>
            <label>
                "Minutes without new events"
                <input name="idle_minutes" value=idle inputmode="numeric" required />
            </label>
            {distiller}
            <label class="check">
                <input type="checkbox" name="enabled" value="on" checked=on />
                " On"
            </label>
            <button>"Save schedule"</button>
        </form>
    }
}
