//! How stores and reviews do: sessions, memory and proposals by week, drawn with a table beneath;
//! how long decisions take, where two agree, what was overridden or reverted. Each sees their own
//! reviews; admins see all.

use domain::{
    Timestamp,
    changeset::ChangeKind,
    plural::{cost, count},
    strata::{ENOUGH, Outcomes, Stratum, standardised},
};
use leptos::prelude::*;
use service::{
    FIGURE_DAYS, Met, NoteEffect, OpenFailure, Proposals, ReviewStatistics, Reviewing, StoreName,
    WEEKS, Week,
};

use crate::{
    components::{
        chart::{BarOf, Bars, Series},
        layout::{Empty, Heading},
        text::Visible,
    },
    context::page,
};

/// Tasks that are listed.
const TASKS_SHOWN: usize = 20;
const SESSIONS: &[Series] = &[
    ("Succeeded", "c-good"),
    ("Failed", "c-bad"),
    ("Outcome unknown", "c-none"),
];
const MEMORY: &[Series] = &[("Memories", "c-main")];
const WRITTEN: &[Series] = &[
    ("Added", "c-good"),
    ("Changed", "c-main"),
    ("Removed", "c-bad"),
];

/// `/insights`: figures of one store, or of all that the reader sees.
#[component]
pub fn Insights() -> impl IntoView {
    page("insights", |request| async move {
        let actor = request.actor()?;
        let stores = request.store_names().await?;
        let store = request
            .asked("store")
            .filter(|id| stores.iter().any(|s| s.id == *id));
        let split = request.asked("split");
        let insights = request.lucid.insights(actor, store, split).await?;
        let figures = request.lucid.review_statistics(actor).await?;
        let option = |s: &StoreName| {
            view! {
                <option value=s.id.to_string() selected=store == Some(s.id)>
                    {s.name.clone()}
                </option>
            }
        };
        Ok(view! {
            <Heading title="Insights" />
            <form method="get" class="filters">
                <label>
                    "Store "<select name="store">
                        <option value="">"every store"</option>
                        {stores.iter().map(option).collect_view()}
                    </select>
                </label>
                <label class="wrap">
                    "Compare by task from "<select name="split">{splits(&insights)}</select>
                </label>
                <button>"Show"</button>
            </form>
            {weeks(&insights)}
            {tasks(&insights)}
            {failures(&insights)}
            {proposals(&insights)}
            {reviews(&figures)}
        }
        .into_any())
    })
}

/// Shows what happened week by week.
fn weeks(insights: &service::Insights) -> AnyView {
    let bars = |parts: &dyn Fn(&Week) -> Vec<i64>, marks: bool| {
        let one = |w: &Week| BarOf {
            label: short_day(w.from),
            parts: parts(w),
            marks: if marks { w.commits } else { 0 },
        };
        insights.weeks.iter().map(one).collect::<Vec<_>>()
    };
    let (succeeded, known): (i64, i64) = insights.weeks.iter().fold((0, 0), |(s, k), w| {
        (s + w.succeeded, k + w.succeeded + w.failed)
    });
    let unknown: i64 = insights.weeks.iter().map(|w| w.unknown).sum();
    let rate = match known {
        0 if unknown == 0 => format!("No session in the last {WEEKS} weeks."),
        0 => format!(
            "Of {} nobody said how it ended. Record outcomes to see how agents do.",
            count(unknown, "session")
        ),
        _ => format!(
            "{succeeded} of {} with a known outcome succeeded ({}%).",
            count(known, "session"),
            succeeded * 100 / known
        ),
    };
    view! {
        <section class="stack">
            <h2>"Sessions"</h2>
            <p>{rate}</p>
            <Bars
                title="Sessions"
                series=SESSIONS
                bars=bars(&|w| vec![w.succeeded, w.failed, w.unknown], true)
                marked="Commits"
            />
            <p class="quiet">
                "A commit changes the memory that agents load. A higher success rate after a \
                 commit does not prove that the commit caused it."
            </p>
        </section>
        <section class="stack">
            <h2>"Memory"</h2>
            <p>{now_holds(insights)}</p>
            <Bars
                title="Memories at the end of each week"
                series=MEMORY
                bars=bars(&|w| vec![w.memories], false)
            />
            <Bars
                title="Memories written"
                series=WRITTEN
                bars=bars(&|w| vec![w.added, w.changed, w.removed], false)
            />
        </section>
    }
    .into_any()
}

/// The weeks from which on sessions can be compared with those before.
fn splits(insights: &service::Insights) -> AnyView {
    let option = |(n, week): (usize, &Week)| {
        view! {
            <option value=n selected=week.from == insights.split>
                {week.from.day()}
            </option>
        }
    };
    insights
        .weeks
        .iter()
        .enumerate()
        .skip(1)
        .map(option)
        .collect_view()
        .into_any()
}

/// How sessions of the same tasks ended before and after a day.
fn tasks(insights: &service::Insights) -> AnyView {
    let day = insights.split.day();
    let (before, after) = insights
        .tasks
        .iter()
        .fold((0, 0), |(b, a), t| (b + t.before.known, a + t.after.known));
    let text = match standardised(&insights.tasks) {
        Some(rates) => format!(
            "Over the same mix of tasks, {}% succeeded before {day} and {}% since (n = {} and {}).",
            percent(rates.before),
            percent(rates.after),
            rates.compared.0,
            rates.compared.1
        ),
        None if before + after == 0 => {
            "No session names its task and has a known outcome.".to_owned()
        }
        None => format!(
            "Not enough data to compare rates: {ENOUGH} sessions of the same tasks are needed \
             before and after {day}. {} with a task and a known outcome: {before} before, {after} \
             since.",
            count(before + after, "session")
        ),
    };
    let row = |t: &Stratum| {
        let side = |o: Outcomes| {
            if o.known == 0 {
                "–".to_owned()
            } else {
                format!("{} of {}", o.succeeded, o.known)
            }
        };
        view! {
            <tr>
                <td>
                    <Visible text=t.task.clone() />
                </td>
                <td>{side(t.before)}</td>
                <td>{side(t.after)}</td>
            </tr>
        }
    };
    let more = insights.tasks.len().saturating_sub(TASKS_SHOWN);
    let table = (!insights.tasks.is_empty()).then(|| {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Sessions by task">
                <table>
                    <thead>
                        <tr>
                            <th>"Task"</th>
                            <th>{format!("Succeeded before {day}")}</th>
                            <th>{format!("Succeeded since {day}")}</th>
                        </tr>
                    </thead>
                    <tbody>{insights.tasks.iter().take(TASKS_SHOWN).map(row).collect_view()}</tbody>
                </table>
            </div>
        }
    });
    let rest = (more > 0).then(|| {
        let others = count(i64::try_from(more).unwrap_or(i64::MAX), "more task");
        view! { <p class="quiet">{format!("{others} with fewer sessions.")}</p> }
    });
    view! {
        <section class="stack">
            <h2>"Success by task"</h2>
            <p>{text}</p>
            {table}
            {rest}
        </section>
    }
    .into_any()
}

fn percent(share: f64) -> String {
    format!("{:.0}", share * 100.0)
}

/// A day without its year, as `3 Nov`.
fn short_day(at: Timestamp) -> String {
    let day = at.day();
    let mut words = day.split(' ');
    let (number, month) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    format!("{number} {}", month.chars().take(3).collect::<String>())
}

fn now_holds(insights: &service::Insights) -> String {
    let now = insights.weeks.last();
    let (memories, bytes) = now.map_or((0, 0), |w| (w.memories, w.bytes));
    let removed: i64 = insights.weeks.iter().map(|w| w.removed).sum();
    format!(
        "{} with {} now; {removed} removed in {WEEKS} weeks.",
        count(memories, "memory"),
        count(bytes, "byte")
    )
}

/// How failures went on that a note is about, and those that nobody found a way out of.
fn failures(insights: &service::Insights) -> AnyView {
    let note = |n: &NoteEffect| {
        view! {
            <tr>
                <td>
                    <a class="link" href=format!("/memories/{}", n.memory_id)>
                        <Visible text=n.title.clone() />
                    </a>
                    " "
                    <span class="quiet">{n.store_name.clone()}</span>
                </td>
                <td>{met(n.before())}</td>
                <td>{met(n.loaded())}</td>
                <td>{met(n.other())}</td>
            </tr>
        }
    };
    let notes = if insights.notes.is_empty() {
        view! {
            <p>
                "No failure with a note yet. Once a note about a recurring failure is approved, \
                 the next dream counts here whether it helped."
            </p>
        }
        .into_any()
    } else {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Failures with a note">
                <table>
                    <thead>
                        <tr>
                            <th>"Failure"</th>
                            <th>"Before the note"</th>
                            <th>"With the note loaded"</th>
                            <th>"Since then, without it"</th>
                        </tr>
                    </thead>
                    <tbody>{insights.notes.iter().map(note).collect_view()}</tbody>
                </table>
            </div>
            <p class="quiet">
                {format!(
                    "Sessions that met the failure, of those that used the tool, in the window of \
                     the last dream. A session that met it with the note loaded was told and did \
                     not follow it. Below {ENOUGH} sessions a rate would say little, so none is \
                     given.",
                )}
            </p>
        }
        .into_any()
    };
    let open = |(f, sessions): &(OpenFailure, i64)| {
        view! {
            <li>
                <a class="link" href=format!("/dreams/{}", f.dream_id)>
                    <Visible text=f.title.clone() />
                </a>
                " "
                <span class="quiet">
                    {format!("{}, {}", count(*sessions, "session"), f.store_name)}
                </span>
            </li>
        }
    };
    let unexplained = (!insights.open_failures.is_empty()).then(|| {
        view! {
            <h3>"Without a workaround"</h3>
            <p class="quiet">
                "Failures that recur and for which no session found a workaround. If you know one, \
                 propose it as a memory."
            </p>
            <ul>{insights.open_failures.iter().map(open).collect_view()}</ul>
        }
    });
    view! {
        <section class="stack">
            <h2>"Recurring failures"</h2>
            {notes}
            {unexplained}
        </section>
    }
    .into_any()
}

/// How many sessions met a failure, with the rate where there are enough.
fn met(counted: Met) -> String {
    match counted.used {
        0 => "–".to_owned(),
        used if used < ENOUGH => format!("{} of {used}", counted.met),
        used => format!("{} of {used} ({}%)", counted.met, counted.met * 100 / used),
    }
}

/// Returns what models cost, and each change of theirs that was accepted.
fn cost_of_models(insights: &service::Insights) -> Option<String> {
    let accepted = insights.accepted_of_models();
    (insights.cost_micros > 0).then(|| match accepted {
        0 => format!(
            "Models cost {} in {WEEKS} weeks; no change of theirs was accepted.",
            cost(insights.cost_micros)
        ),
        n => format!(
            "Models cost {} in {WEEKS} weeks, {} for each of {}.",
            cost(insights.cost_micros),
            cost(insights.cost_micros / n),
            count(n, "accepted change")
        ),
    })
}

/// Shows what became of proposals, and what waits.
fn proposals(insights: &service::Insights) -> AnyView {
    let row = |((kind, source), p): (&(ChangeKind, String), &Proposals)| {
        let (accepted, decided) = p.acceptance();
        let acceptance = if decided == 0 {
            "–".to_owned()
        } else {
            format!("{accepted} of {decided}")
        };
        view! {
            <tr>
                <td>{kind.as_str()}</td>
                <td>{called(source)}</td>
                <td>{acceptance}</td>
                <td>{p.rejected}</td>
                <td>{p.open}</td>
                <td>{p.obsolete}</td>
            </tr>
        }
    };
    let table = if insights.proposals.is_empty() {
        view! { <p>{format!("No change was proposed in the last {WEEKS} weeks.")}</p> }.into_any()
    } else {
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Proposals">
                <table>
                    <thead>
                        <tr>
                            <th>"Kind"</th>
                            <th>"Proposed by"</th>
                            <th>"Accepted"</th>
                            <th>"Rejected"</th>
                            <th>"Open"</th>
                            <th>"Obsolete"</th>
                        </tr>
                    </thead>
                    <tbody>{insights.proposals.iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    let [day, week, month, longer] = insights.waiting;
    view! {
        <section class="stack">
            <h2>"Proposals"</h2>
            {table}
            {cost_of_models(insights).map(|text| view! { <p class="quiet">{text}</p> })}
            <p class="quiet">
                {format!(
                    "Waiting now: {day} for up to a day, {week} for up to a week, {month} for up \
                     to 30 days, {longer} for longer.",
                )}
            </p>
        </section>
    }
    .into_any()
}

/// Returns who or what proposed, in words.
fn called(source: &str) -> String {
    match source {
        "agent" => "Agents".to_owned(),
        "person" => "People".to_owned(),
        "revert" => "Reverts".to_owned(),
        "builtin" => "Dreams, built-in engine".to_owned(),
        engine => format!("Dreams, {engine}"),
    }
}

/// Shows the statistics of reviews, overall and for each reviewer that the reader may see.
fn reviews(figures: &ReviewStatistics) -> AnyView {
    let body = if figures.overall.decisions == 0 {
        view! {
            <Empty title="No decisions yet">
                "Once changes are approved and rejected, this page shows how long that takes and \
                 how often reviewers agree."
            </Empty>
        }
        .into_any()
    } else {
        let each = figures
            .each
            .iter()
            .map(|(name, r)| row(name, r))
            .collect_view();
        view! {
            <div class="scroll" tabindex="0" role="region" aria-label="Reviews">
                <table>
                    <thead>
                        <tr>
                            <th>"Who"</th>
                            <th>"Decisions"</th>
                            <th>"Approved"</th>
                            <th>"Rejected"</th>
                            <th>"Review time"</th>
                            <th>"Time to decision"</th>
                            <th>"Agreed"</th>
                            <th>"Overridden"</th>
                            <th>"Reverted"</th>
                        </tr>
                    </thead>
                    <tbody>{row("Everybody", &figures.overall)}{each}</tbody>
                </table>
            </div>
            <ul class="quiet">
                <li>
                    "Review time: median from opening a revision to the decision; in brackets, of \
                     how many decisions."
                </li>
                <li>"Time to decision: median from the proposal to the decision."</li>
                <li>
                    "Agreed: of the changes on which another reviewer decided too, those with the \
                     same verdict."
                </li>
                <li>
                    "Overridden: another person withdrew the decision. Reverted: the approved \
                     change was reverted after its commit."
                </li>
            </ul>
        }
        .into_any()
    };
    view! {
        <section class="stack">
            <h2>"Reviews"</h2>
            <p class="quiet">
                {format!(
                    "Reviews of the last {FIGURE_DAYS} days in the stores that you see. You see \
                     your own figures and those of everybody together; admins see each person’s.",
                )}
            </p>
            {body}
        </section>
    }
    .into_any()
}

fn row(name: &str, r: &Reviewing) -> impl IntoView + use<> {
    let looking = r
        .seconds_looking
        .map_or_else(|| "–".to_owned(), |(s, n)| format!("{} ({n})", lasting(s)));
    let waiting = r.seconds_waiting.map_or_else(|| "–".to_owned(), lasting);
    let agreed = if r.shared == 0 {
        "–".to_owned()
    } else {
        format!("{} of {}", r.agreed, r.shared)
    };
    view! {
        <tr>
            <td>{name.to_owned()}</td>
            <td>{r.decisions}</td>
            <td>{r.approvals}</td>
            <td>{r.rejections}</td>
            <td>{looking}</td>
            <td>{waiting}</td>
            <td>{agreed}</td>
            <td>{r.overridden}</td>
            <td>{r.reverted}</td>
        </tr>
    }
}

/// A time in its two largest words: `3 minutes`, `2 days`.
fn lasting(seconds: i64) -> String {
    match seconds {
        s if s < 60 => count(s, "second"),
        s if s < 3_600 => count(s / 60, "minute"),
        s if s < 172_800 => count(s / 3_600, "hour"),
        s => count(s / 86_400, "day"),
    }
}
