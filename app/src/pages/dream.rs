//! One dream: how far it is, and how sessions became proposals: what was read, found, dropped and
//! why, and what nothing explains.

use std::collections::BTreeMap;

use domain::plural::{cost, count};
use domain::{actor::Actor, dream_state::DreamState, ids::SessionId, rights::Action};
use leptos::prelude::*;
use service::{DreamRow, DreamView, FindingRow, places_of};

use super::{dreams::stat, transcript};
use crate::{
    components::{
        forms::{Refused, form_token},
        layout::Heading,
        text::Visible,
        when::When,
    },
    context::page,
    islands::progress::{DreamProgress, LiveProgress},
};

/// Examples shown of what was dropped for one reason.
const EXAMPLES: usize = 5;

/// One dream with what it saw.
#[component]
pub fn Dream() -> impl IntoView {
    page("dreams", |request| async move {
        let actor = request.actor()?.clone();
        let view = request.lucid.dream(&actor, request.id("dream")?).await?;
        let refused = request.refused().await;
        let now = request.now();
        let d = &view.dream;
        let trail = vec![
            ("/dreams".into(), "Dreams".into()),
            (
                format!("/stores/{}/dreams", d.store_id),
                d.store_name.clone(),
            ),
        ];
        let error = d
            .error
            .clone()
            .map(|e| view! { <p class="notice bad">{e}</p> });
        Ok(view! {
            <Heading title=format!("Dream, {}", d.state) trail=trail />
            <Refused form=refused />
            <p class="about">
                "Started by "{view.requested_by.clone()}" "<When at=d.created_at now=now />
                " · engine "{d.distiller.clone()}
            </p>
            {d.instructions.clone().map(|t| view! { <p>"Instructions: "<Visible text=t /></p> })}
            {error}
            {if d.state.has_ended() {
                ended(&actor, &view)
            } else {
                running(&actor, d)
            }}
        }
        .into_any())
    })
}

fn running(actor: &Actor, dream: &DreamRow) -> AnyView {
    let start = DreamProgress {
        state: dream.state,
        sessions_done: u64::try_from(stat(&dream.progress, "sessions_done")).unwrap_or(0),
        sessions: u64::try_from(stat(&dream.progress, "sessions")).unwrap_or(0),
    };
    let cancel = actor.may(Action::Dream, dream.store_id).then(|| {
        let asked = dream.cancel_requested;
        view! {
            <form method="post" action="/do/cancel_dream">
                {form_token()}
                <input type="hidden" name="dream" value=dream.id.to_string() />
                <button disabled=asked>{if asked { "Stopping" } else { "Cancel" }}</button>
            </form>
        }
    });
    view! {
        <LiveProgress stream=format!("/live/dreams/{}", dream.id) start=start />
        {cancel}
        <noscript>
            <p>
                <a href="">"Reload"</a>
            </p>
        </noscript>
    }
    .into_any()
}

fn ended(actor: &Actor, view: &DreamView) -> AnyView {
    let changeset = view.dream.changeset_id.map(|id| {
        view! {
            <p>
                <a class="button primary" href=format!("/changesets/{id}")>
                    "Review its proposals"
                </a>
            </p>
        }
    });
    let nothing = (view.dream.state == DreamState::Completed && changeset.is_none()).then(
        || view! { <p>"No changes proposed. Nothing new recurs and there are no duplicates."</p> },
    );
    let of = |disposition: &str| {
        view.findings
            .iter()
            .filter(|f| f.disposition == disposition)
            .collect::<Vec<_>>()
    };
    view! {
        {changeset}
        {nothing}
        <h2>"From sessions to proposals"</h2>
        {funnel(&view.dream)}
        {meanings(&view.dream.stats)}
        {budget(&view.dream.stats)}
        {unexplained(&view.dream.stats)}
        {model(view)}
        {asked(view)}
        <h2>"What it found"</h2>
        {list("Proposed", "What became a change.", &of("proposed"))}
        {dropped(&of("held_back"), actor.may(Action::SeeSessions, view.dream.store_id))}
    }
    .into_any()
}

/// Each step with its count; the bar is its share of the largest.
fn funnel(dream: &DreamRow) -> AnyView {
    let stats = &dream.stats;
    let findings = stat(stats, "proposed")
        + stat(stats, "held_back")
        + stat(stats, "insights")
        + stat(stats, "open_failures");
    let sessions = match (stat(stats, "subjects"), stat(stats, "tasks")) {
        (0, 0) => "read; whose they are and what the tasks were is unknown".to_owned(),
        (0, tasks) => format!("read, of {}; users unknown", count(tasks, "task")),
        (subjects, 0) => format!("read, of {}", count(subjects, "user")),
        (subjects, tasks) => format!(
            "read, of {} and {}",
            count(subjects, "user"),
            count(tasks, "task")
        ),
    };
    let steps = [
        (stat(stats, "sessions"), "session", sessions),
        (stat(stats, "answers"), "tool answer", "in them".to_owned()),
        (
            stat(stats, "tool_errors"),
            "error",
            "among those".to_owned(),
        ),
        (
            stat(stats, "signatures"),
            "distinct failure",
            "once what varies is masked".to_owned(),
        ),
        (
            stat(stats, "steps_tried"),
            "step",
            "held against outcomes within the same tasks".to_owned(),
        ),
        (
            findings,
            "finding",
            format!(
                "in sessions and {}",
                count(stat(stats, "memories"), "memory")
            ),
        ),
        (
            stat(stats, "proposed"),
            "proposal",
            "passed every check".to_owned(),
        ),
    ];
    let most = steps.iter().map(|s| s.0).max().unwrap_or(0).max(1);
    let step = |(n, noun, about): (i64, &str, String)| {
        view! {
            <li>
                <meter min="0" max=most value=n aria-label=count(n, noun)></meter>
                " "
                <strong>{count(n, noun)}</strong>
                " "
                <span class="quiet">{about}</span>
            </li>
        }
    };
    let later = [
        (
            stat(stats, "appended"),
            "quote",
            "added to what waits already",
        ),
        (
            stat(stats, "obsolete"),
            "waiting change",
            "no longer held and became obsolete",
        ),
    ];
    let later = later
        .into_iter()
        .filter(|l| l.0 > 0)
        .map(|(n, noun, about)| view! { <p>{count(n, noun)}" "{about}"."</p> })
        .collect_view();
    view! {
        <ol class="funnel">{steps.map(step).collect_view()}</ol>
        {later}
    }
    .into_any()
}

/// How statements were compared: with a sentence model, or by their words alone.
fn meanings(stats: &str) -> impl IntoView + use<> {
    let stats: serde_json::Value = serde_json::from_str(stats).unwrap_or_default();
    match stats["sentence_model"].as_str() {
        Some("failed") => view! {
            <p class="notice">
                "The sentence model failed, so statements were compared by their words only. The \
                 server log says why."
            </p>
        }
        .into_any(),
        Some(model) => view! {
            <p class="quiet">
                "Statements were compared by meaning, with the sentence model "
                <code>{model.to_owned()}</code>"."
            </p>
        }
        .into_any(),
        None => view! {
            <p class="quiet">
                "Statements were compared by their words only, because no sentence model is set \
                 up. Rules in different words and paraphrases were not found. The operator can set \
                 a model with " <code>"LUCID_EMBEDDING_MODEL"</code>"."
            </p>
        }
        .into_any(),
    }
}

/// How much of what dreams may take out is used.
fn budget(stats: &str) -> Option<impl IntoView + use<>> {
    let (lost, may) = (stat(stats, "lost"), stat(stats, "may_lose"));
    let open =
        serde_json::from_str::<serde_json::Value>(stats).is_ok_and(|s| s["clean_up"] == true);
    let clean_up = open.then_some(" A clean-up was open, so more could be proposed.");
    (may > 0).then(|| {
        view! {
            <p class="quiet">
                "Of the "{count(may, "statement")}
                " that dreams may remove from this memory in 30 days, "{lost}" "
                {if lost == 1 { "is" } else { "are" }}
                " used by open proposals and by commits without a person’s approval. What people \
                 approve does not count." {clean_up}
            </p>
        }
    })
}

fn unexplained(stats: &str) -> Option<impl IntoView + use<>> {
    let (failed, unexplained) = (stat(stats, "failed"), stat(stats, "unexplained"));
    (failed > 0).then(|| {
        view! {
            <p>
                {count(failed, "session")}" failed; "
                {if unexplained == failed {
                    "none".to_owned()
                } else {
                    (failed - unexplained).to_string()
                }} " of them show a recurring failure, and "
                <strong>{count(unexplained, "failure")}" nothing here explains"</strong>"."
            </p>
        }
    })
}

/// Shows what the model did and took.
fn model(view: &DreamView) -> Option<impl IntoView + use<>> {
    let stats: serde_json::Value = serde_json::from_str(&view.dream.stats).ok()?;
    let m = stats["model"].as_object()?;
    let n = |key: &str| m.get(key).and_then(serde_json::Value::as_i64).unwrap_or(0);
    let text = |key: &str| {
        m.get(key)
            .and_then(serde_json::Value::as_str)
            .map(str::to_owned)
    };
    let tokens = n("input_tokens") + n("output_tokens");
    let each = (view.accepted > 0).then(|| {
        let accepted = i64::try_from(view.accepted).unwrap_or(i64::MAX);
        view! {
            <p>
                {count(accepted, "change")}" of this dream were accepted: "
                {count(tokens / accepted, "token")}" and "{cost(n("cost_micros") / accepted)}
                " each."
            </p>
        }
    });
    let stopped = text("stopped")
        .map(|why| view! { <p class="notice">"It stopped asking: "<Visible text=why /></p> });
    // What went wrong is said where something did.
    let troubles = [
        (n("mended"), "answer", "had to be asked for twice"),
        (n("split"), "request", "had to be asked in halves"),
        (n("cut"), "answer", "broke off; the beginning was used"),
        (
            n("malformed"),
            "item",
            "did not have the form that was asked for",
        ),
        (n("dropped"), "answer", "could not be used"),
        (
            n("ungrounded"),
            "observation",
            "quoted text that is in no session",
        ),
        (n("quotes_unfound"), "quote", "not found in its session"),
        (
            n("quotes_unfit"),
            "quote",
            "too short or too long to prove anything",
        ),
        (
            n("quotes_personal"),
            "quote",
            "with personal data, left out",
        ),
        (
            n("left_out"),
            "observation",
            "over what one dream asks about, left out",
        ),
    ];
    let troubles = troubles
        .into_iter()
        .filter(|t| t.0 > 0)
        .map(|(n, noun, about)| view! { <li>{count(n, noun)}" "{about}</li> })
        .collect_view();
    Some(view! {
        <h2>"The model"</h2>
        {stopped}
        <p>
            <Visible text=text("model").unwrap_or_default() />
            " made "
            {count(n("observations"), "observation")}
            " of the sessions and "
            {count(n("candidates"), "change")}
            " of these. Reading them a second time, it found "
            {n("entailed")}
            " of them in their quotes as a whole and doubted "
            {n("doubted")}
            "."
        </p>
        <p class="quiet">
            {count(n("asked"), "request")}", "{n("kept")}" answered before; "
            {count(n("input_tokens"), "token")} " asked, "{n("output_tokens")}" answered; cost "
            {cost(n("cost_micros"))}". Prompts "<code>{text("prompts").unwrap_or_default()}</code>
            "."
        </p>
        <ul class="findings">{troubles}</ul>
        {each}
    })
}

fn item(f: &FindingRow) -> impl IntoView + use<> {
    let reason = (!f.reason.is_empty()).then(|| format!(" — {}", f.reason));
    view! {
        <li>
            <span class="badge">{f.kind.replace('_', " ")}</span>
            " "
            <Visible text=f.title.clone() />
            <span class="quiet">{reason}</span>
        </li>
    }
}

fn list(title: &str, about: &'static str, findings: &[&FindingRow]) -> Option<AnyView> {
    let title = format!("{title} ({})", findings.len());
    let items = findings.iter().map(|f| item(f)).collect_view();
    (!findings.is_empty()).then(|| {
        view! {
            <h3>{title}</h3>
            <p class="quiet">{about}</p>
            <ul class="findings">{items}</ul>
        }
        .into_any()
    })
}

/// Shows what people are asked or told, with the page on which they answer.
fn asked(view: &DreamView) -> Option<AnyView> {
    let of = |disposition: &str| {
        view.findings
            .iter()
            .filter(|f| f.disposition == disposition)
            .collect::<Vec<_>>()
    };
    let (questions, open, insights) = (of("question"), of("open"), of("insight"));
    (!(questions.is_empty() && open.is_empty() && insights.is_empty())).then(|| {
        view! {
            <h2>"For people"</h2>
            <p>
                "None of this is proposed. It needs a person who knows. "
                <a class="button" href=format!("/questions?store={}", view.dream.store_id)>
                    "Answer"
                </a>
            </p>
            {list(
                "Questions",
                "Statements that may be duplicates or contradict each other.",
                &questions,
            )}
            {list("Open failures", "Failures that recur without a known workaround.", &open)}
            {list("Insights", "For people to know, not for the memory.", &insights)}
        }
        .into_any()
    })
}

/// Shows where something was held back, so that somebody can look into it: an attack shows only
/// there.
fn seen_in(finding: &FindingRow) -> Option<AnyView> {
    let link = |(n, (session, event)): (usize, (SessionId, i64))| {
        let comma = (n > 0).then_some(", ");
        view! {
            {comma}
            <a class="link" href=transcript::address_of(session, event)>
                {format!("session {}", n + 1)}
            </a>
        }
    };
    let places = places_of(finding);
    let links = places.iter().copied().enumerate().map(link).collect_view();
    (!places.is_empty()).then(|| view! { <span class="quiet">" seen in "{links}</span> }.into_any())
}

/// Shows what was dropped, by reason, with examples, and, for who may see sessions, where it was
/// seen.
fn dropped(findings: &[&FindingRow], shows_sessions: bool) -> Option<AnyView> {
    let mut by_reason: BTreeMap<String, Vec<&FindingRow>> = BTreeMap::new();
    for f in findings {
        by_reason.entry(f.reason.clone()).or_default().push(f);
    }
    let mut groups: Vec<_> = by_reason.into_iter().collect();
    groups.sort_by_key(|(reason, all)| (std::cmp::Reverse(all.len()), reason.clone()));
    let group = |(reason, all): (String, Vec<&FindingRow>)| {
        let more = all.len().saturating_sub(EXAMPLES);
        let examples: Vec<_> = all
            .iter()
            .take(EXAMPLES)
            .map(|f| {
                let seen = shows_sessions.then(|| seen_in(f));
                view! {
                    <li>
                        <span class="badge">{f.kind.replace('_', " ")}</span>
                        " "
                        <Visible text=f.title.clone() />
                        {seen}
                    </li>
                }
            })
            .collect();
        let rest = (more > 0).then(|| view! { <li class="quiet">"and "{more}" more"</li> });
        view! {
            <li>
                <details open=all.len() <= EXAMPLES>
                    <summary>
                        <strong>{all.len()}</strong>
                        " "
                        {reason}
                    </summary>
                    <ul class="findings">{examples}{rest}</ul>
                </details>
            </li>
        }
    };
    let title = format!("Held back ({})", findings.len());
    (!findings.is_empty()).then(|| {
        view! {
            <h3>{title}</h3>
            <p class="quiet">"Found but not proposed, by reason."</p>
            <ul class="findings">{groups.into_iter().map(group).collect_view()}</ul>
        }
        .into_any()
    })
}
