//! Dreams: those of all stores, those of one with its schedule, and one with what it saw.

use domain::plural::count;
use domain::{actor::Actor, ids::StoreId, rights::Action};
use leptos::prelude::*;
use service::{DreamRow, DreamView, FindingRow, RefusedForm, ScheduleRow, StoreRow};

use super::stores::store_heading;
use crate::{
    components::{
        forms::Refused,
        layout::{Empty, Heading},
        text::Visible,
        when::When,
    },
    context::{Request, page},
    islands::progress::{DreamProgress, LiveProgress},
};

/// The newest dreams of every store.
#[component]
pub fn Dreams() -> impl IntoView {
    page("dreams", |request| async move {
        let actor = request.actor()?.clone();
        let dreams = request.lucid.dreams(&actor, None).await?;
        let stores = request.lucid.stores(&actor).await?;
        let start = stores.iter().filter(|s| actor.may(Action::Dream, s.id)).map(start_form).collect_view();
        let list = if dreams.is_empty() {
            view! { <Empty title="No dream yet">"A dream goes over the sessions and the memory of a store and proposes what to change. Start one below."</Empty> }.into_any()
        } else {
            table(dreams, request.now())
        };
        Ok(view! { <Heading title="Dreams" />{list}<h2>"Start a dream"</h2><ul class="cards">{start}</ul> }.into_any())
    })
}

fn start_form(store: &StoreRow) -> impl IntoView + use<> {
    view! {
        <li class="card">
            <h3><a href=format!("/stores/{}/dreams", store.id)><Visible text=store.name.clone() /></a></h3>
            <p class="quiet">{count(store.sessions, "session")}" · "{count(store.memories, "memory")}</p>
            <form method="post" action="/do/dream"><input type="hidden" name="store" value=store.id.to_string() /><button>"Dream now"</button></form>
        </li>
    }
}

fn table(dreams: Vec<DreamRow>, now: domain::Timestamp) -> AnyView {
    let row = move |d: DreamRow| {
        let proposed = match d.changeset_id {
            Some(id) => view! { <a href=format!("/changesets/{id}")>{count(stat(&d.stats, "proposed"), "change")}</a> }.into_any(),
            None if d.state == "completed" => "nothing".into_any(),
            None => ().into_any(),
        };
        view! {
            <tr>
                <td><a href=format!("/dreams/{}", d.id)>{d.state}</a></td>
                <td><a href=format!("/stores/{}", d.store_id)><Visible text=d.store_name /></a></td>
                <td>{proposed}</td>
                <td><When at=d.created_at now=now /></td>
            </tr>
        }
    };
    view! {
        <div class="scroll" tabindex="0" role="region" aria-label="Dreams">
            <table>
                <thead><tr><th>"State"</th><th>"Store"</th><th>"Proposed"</th><th>"Asked for"</th></tr></thead>
                <tbody>{dreams.into_iter().map(row).collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}

fn stat(stats: &str, key: &str) -> i64 {
    serde_json::from_str::<serde_json::Value>(stats).ok().and_then(|v| v[key].as_i64()).unwrap_or(0)
}

/// A store's dreams, the form that starts one, and its schedule.
#[component]
pub fn StoreDreams() -> impl IntoView {
    page("memory", |request| async move {
        let actor = request.actor()?.clone();
        let store = request.lucid.store(&actor, request.id("store")?).await?;
        let dreams = request.lucid.dreams(&actor, Some(store.id)).await?;
        let schedule = request.lucid.schedule(&actor, store.id).await?;
        let refused = request.refused().await;
        let list = if dreams.is_empty() {
            view! { <Empty title="No dream yet">"Start one, or set a schedule."</Empty> }.into_any()
        } else {
            table(dreams, request.now())
        };
        Ok(view! {
            {store_heading(&store, "Dreams", None)}
            <Refused form=refused.clone() />
            {actor.may(Action::Dream, store.id).then(|| instructed_form(store.id, refused.as_ref()))}
            {list}
            {schedule_part(&request, &actor, store.id, schedule, refused)}
        }
        .into_any())
    })
}

fn instructed_form(store: StoreId, refused: Option<&RefusedForm>) -> impl IntoView + use<> {
    let kept = refused.and_then(|f| f.fields.get("instructions").cloned()).unwrap_or_default();
    view! {
        <form method="post" action="/do/dream" class="stack card">
            <input type="hidden" name="store" value=store.to_string() />
            <label>"Instructions (optional; whoever instructs does not count as an approver)"<input name="instructions" maxlength="4096" value=kept /></label>
            <button class="primary">"Dream now"</button>
        </form>
    }
}

fn schedule_part(request: &Request, actor: &Actor, store: StoreId, schedule: Option<ScheduleRow>, refused: Option<RefusedForm>) -> AnyView {
    let now = request.now();
    let stands = match &schedule {
        Some(s) if s.enabled => view! { <p>"On: "<code>{s.cron.clone()}</code>" in "{s.time_zone.clone()}", next "<When at=s.next_run_at now=now />". "{s.last_result.clone()}</p> }.into_any(),
        Some(_) => view! { <p>"Off."</p> }.into_any(),
        None => view! { <p>"None: this store dreams only when somebody asks."</p> }.into_any(),
    };
    let form = actor.may(Action::ManageStore, store).then(|| schedule_form(store, schedule.as_ref(), refused));
    view! { <h2>"Schedule"</h2>{stands}{form} }.into_any()
}

fn schedule_form(store: StoreId, schedule: Option<&ScheduleRow>, refused: Option<RefusedForm>) -> impl IntoView + use<> {
    let kept = refused.filter(|f| f.fields.contains_key("cron")).map(|f| f.fields);
    let value = |name: &str, stored: Option<String>, default: &str| {
        kept.as_ref().and_then(|f| f.get(name).cloned()).or(stored).unwrap_or_else(|| default.to_owned())
    };
    let cron = value("cron", schedule.map(|s| s.cron.clone()), "0 3 * * *");
    let zone = value("time_zone", schedule.map(|s| s.time_zone.clone()), "UTC");
    let sessions = value("min_sessions", schedule.map(|s| s.min_sessions.to_string()), "5");
    let idle = value("idle_minutes", schedule.map(|s| s.idle_minutes.to_string()), "60");
    let on = kept.as_ref().map_or_else(|| schedule.is_none_or(|s| s.enabled), |f| f.get("enabled").is_some_and(|v| !v.is_empty()));
    view! {
        <form method="post" action="/do/schedule" class="stack card">
            <input type="hidden" name="store" value=store.to_string() />
            <label>"When (minute, hour, day, month, weekday)"<input name="cron" value=cron required /></label>
            <label>"Time zone"<input name="time_zone" value=zone required /></label>
            <label>"With at least so many new sessions"<input name="min_sessions" value=sessions inputmode="numeric" required /></label>
            <label>"After so many minutes in which no session grew"<input name="idle_minutes" value=idle inputmode="numeric" required /></label>
            <label class="check"><input type="checkbox" name="enabled" value="on" checked=on />" On"</label>
            <button>"Save the schedule"</button>
        </form>
    }
}

/// One dream with what it saw.
#[component]
pub fn Dream() -> impl IntoView {
    page("dreams", |request| async move {
        let actor = request.actor()?.clone();
        let view = request.lucid.dream(&actor, request.id("dream")?).await?;
        let refused = request.refused().await;
        let now = request.now();
        let d = &view.dream;
        let trail = vec![("/dreams".into(), "Dreams".into()), (format!("/stores/{}/dreams", d.store_id), d.store_name.clone())];
        let error = d.error.clone().map(|e| view! { <p class="notice bad">{e}</p> });
        Ok(view! {
            <Heading title=format!("Dream, {}", d.state) trail=trail />
            <Refused form=refused />
            <p class="about">"Asked for by "{view.requested_by.clone()}" "<When at=d.created_at now=now />" · distiller "{d.distiller.clone()}</p>
            {d.instructions.clone().map(|t| view! { <p>"Instructions: "<Visible text=t /></p> })}
            {error}
            {if matches!(d.state.as_str(), "pending" | "running") { running(&actor, d) } else { ended(&view) }}
        }
        .into_any())
    })
}

fn running(actor: &Actor, dream: &DreamRow) -> AnyView {
    let start = DreamProgress {
        state: dream.state.clone(),
        sessions_done: u64::try_from(stat(&dream.progress, "sessions_done")).unwrap_or(0),
        sessions: u64::try_from(stat(&dream.progress, "sessions")).unwrap_or(0),
    };
    let cancel = actor.may(Action::Dream, dream.store_id).then(|| {
        let asked = dream.cancel_requested;
        view! {
            <form method="post" action="/do/cancel_dream">
                <input type="hidden" name="dream" value=dream.id.to_string() />
                <button disabled=asked>{if asked { "Stopping" } else { "Cancel" }}</button>
            </form>
        }
    });
    view! { <LiveProgress stream=format!("/live/dreams/{}", dream.id) start=start />{cancel}<noscript><p><a href="">"Look again"</a></p></noscript> }.into_any()
}

fn ended(view: &DreamView) -> AnyView {
    let stats = &view.dream.stats;
    let numbers = [
        ("sessions", "session"),
        ("events", "event"),
        ("memories", "memory"),
        ("tool_errors", "tool error"),
        ("signatures", "distinct error"),
    ];
    let number = |(key, noun): (&str, &str)| view! { <li>{count(stat(stats, key), noun)}</li> };
    let changeset = view
        .dream
        .changeset_id
        .map(|id| view! { <p><a class="button primary" href=format!("/changesets/{id}")>"Review what it proposes"</a></p> });
    let nothing = (view.dream.state == "completed" && changeset.is_none())
        .then(|| view! { <p>"It proposes nothing, and that is a good answer: nothing new recurs and nothing is double."</p> });
    let (proposed, held): (Vec<&FindingRow>, Vec<&FindingRow>) = view.findings.iter().partition(|f| f.disposition == "proposed");
    let list = |title: &str, findings: Vec<&FindingRow>| {
        let title = format!("{title} ({})", findings.len());
        let one = |f: &FindingRow| {
            let reason = (!f.reason.is_empty()).then(|| format!(" — {}", f.reason));
            view! { <li><span class="badge">{f.kind.replace('_', " ")}</span>" "<Visible text=f.title.clone() /><span class="quiet">{reason}</span></li> }
        };
        let items = findings.into_iter().map(one).collect_view();
        view! { <h2>{title}</h2><ul class="findings">{items}</ul> }
    };
    view! {
        {changeset}{nothing}
        <h2>"What it read"</h2>
        <ul class="numbers">{numbers.map(number).collect_view()}</ul>
        {list("Proposed", proposed)}
        {list("Held back", held)}
    }
    .into_any()
}
