//! The audit trail: who did what to what, when.

use domain::{audit_action::AuditAction, plural::count};
use leptos::prelude::*;
use service::{AuditFilter, AuditRow, Checkpoint, StoreName};

use crate::{
    actions::account::encoded,
    components::{
        forms::{Refused, form_token},
        layout::{Empty, Heading},
        text::Visible,
        when::When,
    },
    context::page,
};

/// Periods that the filter offers, in days.
const PERIODS: &[(i64, &str)] = &[(1, "the last day"), (7, "the last week"), (30, "the last 30 days"), (365, "the last year")];

/// The newest entries that one may see, by who, what, store and period.
#[component]
pub fn Audit() -> impl IntoView {
    page("audit", |request| async move {
        let days = request.asked::<i64>("days");
        let chosen = |name: &str| request.query.get(name).filter(|v| !v.is_empty()).cloned();
        let filter = AuditFilter {
            store: request.asked("store"),
            actor: chosen("who"),
            action: request.asked("what"),
            since: days.map(|d| request.now().plus_seconds(-d.clamp(0, 36_500) * 86_400)),
            before: request.asked("before"),
        };
        let list = request.lucid.audit(request.actor()?, &filter).await?;
        let stores = request.lucid.store_names(request.actor()?).await?;
        let refused = request.refused().await;
        let signed = match request.lucid.last_checkpoint(request.actor()?).await {
            Ok(last) => Some(checkpoint(last.as_ref(), request.now())),
            Err(_) => None,
        };
        let now = request.now();
        let kept = ["store", "who", "what", "days"]
            .map(|name| chosen(name).map(|v| format!("&{name}={}", encoded(&v))).unwrap_or_default())
            .concat();
        let next = list
            .rows
            .last()
            .filter(|_| list.more)
            .map(|r| view! { <p><a href=format!("/audit?before={}{kept}", r.row.seq)>"Older"</a></p> });
        let body = if list.rows.is_empty() {
            view! { <Empty title="No entry that you may see">"Entries of the stores that you were granted appear here; a filter may hide them."</Empty> }.into_any()
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
            <Refused form=refused />
            {signed}
            {filters(&filter, days, &stores)}
            {body}{next}
        }
        .into_any())
    })
}

/// The newest signed checkpoint, and the button that signs another.
fn checkpoint(last: Option<&Checkpoint>, now: domain::Timestamp) -> impl IntoView + use<> {
    let said = match last {
        Some(c) => view! { "The last signed checkpoint covers "{count(c.size, "entry")}", "<When at=domain::Timestamp(c.at) now=now />", with the key "<code title=c.public_key.clone()>{c.public_key.chars().take(12).collect::<String>()}"…"</code>". " }.into_any(),
        None => view! { "No checkpoint was signed yet: without one that somebody else keeps, nothing shows that the end was cut off. " }.into_any(),
    };
    view! {
        <form method="post" action="/do/sign_checkpoint" class="filters">{form_token()}
            <span>{said}</span>
            <button>"Sign a checkpoint"</button>
        </form>
    }
}

fn filters(filter: &AuditFilter, days: Option<i64>, stores: &[StoreName]) -> impl IntoView + use<> {
    let store = |s: &StoreName| view! { <option value=s.id.to_string() selected=filter.store == Some(s.id)>{s.name.clone()}</option> };
    let action = |a: &AuditAction| view! { <option selected=filter.action == Some(*a)>{a.as_str()}</option> };
    let period = |(d, text): &(i64, &'static str)| view! { <option value=d.to_string() selected=days == Some(*d)>{*text}</option> };
    // Who is chosen by following a name in the list.
    let who = filter.actor.clone().map(|who| view! { <label>"Who "<input name="who" value=who /></label> });
    view! {
        <form method="get" action="/audit" class="filters">
            <label>"What "<select name="what"><option value="">"everything"</option>{AuditAction::ALL.iter().map(action).collect_view()}</select></label>
            <label>"Store "<select name="store"><option value="">"every store"</option>{stores.iter().map(store).collect_view()}</select></label>
            <label>"When "<select name="days"><option value="">"ever"</option>{PERIODS.iter().map(period).collect_view()}</select></label>
            {who}
            <button>"Show"</button>
        </form>
    }
}

fn row(entry: AuditRow, now: domain::Timestamp) -> impl IntoView {
    let r = entry.row;
    let details = r.payload.clone().unwrap_or_else(|| "erased".to_owned());
    let short: String = entry.hash.chars().take(12).collect();
    view! {
        <tr>
            <td>{r.seq}</td>
            <td><When at=r.at now=now /></td>
            <td><a href=format!("/audit?who={}", encoded(&r.actor))><Visible text=entry.actor /></a></td>
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
