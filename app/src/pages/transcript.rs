//! The transcript of a session: who said what, with the conversations of its sub-agents in their
//! place. What is sensitive in it is masked.

use domain::{
    Timestamp,
    event::{EventKind, Speaker, Standing},
    ids::SessionId,
    plural::count,
    rights::Action,
};
use leptos::prelude::*;
use service::{EventRow, GivenMemory, Page, SessionRow};

use super::sessions::known;
use crate::{
    components::{
        badges::OutcomeBadge, forms::form_token, layout::Heading, text::Visible, when::When,
    },
    context::page,
};

/// Longest text of an event that is shown unfolded, in characters.
const UNFOLDED: usize = 2_000;
/// Most places of one kind that the outline names.
const OUTLINED: usize = 12;

/// The address of an event in its session, with what came before it.
pub fn address_of(session: SessionId, event: i64) -> String {
    format!("/sessions/{session}?after={}#e{event}", (event - 20).max(0))
}

/// A part of a session's transcript.
#[component]
pub fn Transcript() -> impl IntoView {
    page("sessions", |request| async move {
        let id = request.id::<SessionId>("session")?;
        let after = request.asked("after").unwrap_or(0);
        let reveal = request.is_revealed(&format!("{id} {after}")).await;
        let view = if reveal {
            request
                .lucid
                .revealed_transcript(request.actor()?, id, after)
                .await?
        } else {
            request
                .lucid
                .transcript(request.actor()?, id, after)
                .await?
        };
        let may_reveal = request.actor()?.may(Action::Decide, view.store);
        let masking = masking(id, after, reveal, may_reveal);
        let store = request.lucid.store(request.actor()?, view.store).await?;
        let now = request.now();
        let s = &view.session;
        let title = s.external_id.clone().unwrap_or_else(|| s.id.to_string());
        let trail = vec![
            ("/sessions".into(), "Sessions".into()),
            (format!("/stores/{}/sessions", store.id), store.name),
        ];
        let may_see_data = request.actor()?.may_in_general(Action::ManagePrivacy);
        let about = about(s, may_see_data);
        let given = given(
            id,
            request.lucid.given_to(request.actor()?, id).await?,
            request.lucid.signs(),
        );
        let later = later(id, &view.events);
        Ok(view! {
            <Heading title=title trail=trail />
            {about}
            {erased(&view.events.rows)}
            {given}
            {masking}
            {from_beginning(id, after)}
            {outline(&view.events.rows)}
            <ol class="transcript">
                {runs(view.events.rows).into_iter().map(|r| run(r, now)).collect_view()}
            </ol>
            {later}
        }
        .into_any())
    })
}

/// Shows what is masked, for those who may decide here, or masks it again.
fn masking(id: SessionId, after: i64, is_revealed: bool, may_reveal: bool) -> AnyView {
    if is_revealed {
        let back = format!("/sessions/{id}?after={after}");
        return view! {
            <p class="notice">"Nothing is masked here, and the audit says that you looked. "</p>
            <form method="post" action="/do/mask">
                {form_token()}
                <input type="hidden" name="back" value=back />
                <button>"Mask it again"</button>
            </form>
        }
        .into_any();
    }
    may_reveal
        .then(|| {
            view! {
                <form method="post" action="/do/reveal_session" class="quiet">
                    {form_token()}
                    <input type="hidden" name="session" value=id.to_string() />
                    <input type="hidden" name="after" value=after.to_string() />
                    <button>"Reveal what is masked"</button>
                    " (the audit will say so)"
                </form>
            }
        })
        .into_any()
}

/// Shows what is known of the session as a whole.
fn about(s: &SessionRow, may_see_data: bool) -> AnyView {
    let claims = [
        ("Agent", s.agent.clone()),
        ("User", s.subject.clone()),
        ("Team", s.team.clone()),
        ("Task", s.task_key.clone()),
        ("Format", Some(s.source.clone())),
    ];
    let claims = claims
        .map(|(name, value)| {
            view! {
                <div>
                    <dt>{name}</dt>
                    <dd>
                        <Visible text=known(value) />
                    </dd>
                </div>
            }
        })
        .collect_view();
    let data = (s.subject.is_some() && may_see_data).then(|| {
        view! {
            <div>
                <dt>"Their data"</dt>
                <dd>
                    <a class="link" href=format!("/subjects/{}", s.id)>
                        "What is known"
                    </a>
                </dd>
            </div>
        }
    });
    view! {
        <dl class="about">
            <div>
                <dt>"Outcome"</dt>
                <dd>
                    <OutcomeBadge outcome=s.outcome source=s.outcome_source />
                </dd>
            </div>
            {claims}
            <div>
                <dt>"Events"</dt>
                <dd>{count(s.event_count, "event")}</dd>
            </div>
            {data}
        </dl>
    }
    .into_any()
}

/// Says so if the retention rule erased the text.
fn erased(events: &[EventRow]) -> Option<AnyView> {
    events.first()?.erased_at?;
    Some(
        view! {
            <p class="notice info">
                "The text of this session was erased, because transcripts are kept for a time \
                 only."
            </p>
        }
        .into_any(),
    )
}

fn from_beginning(id: SessionId, after: i64) -> Option<AnyView> {
    (after > 0).then(|| {
        view! {
            <p>
                <a href=format!("/sessions/{id}")>"From the beginning"</a>
            </p>
        }
        .into_any()
    })
}

fn later(id: SessionId, events: &Page<EventRow>) -> Option<AnyView> {
    let last = events.rows.last().filter(|_| events.more)?;
    let address = format!("/sessions/{id}?after={}", last.seq);
    Some(
        view! {
            <p>
                <a href=address>"Later events"</a>
            </p>
        }
        .into_any(),
    )
}

/// The memory that the session was given, with the form that makes the file which proves it.
fn given(session: SessionId, (shown, all): (Vec<GivenMemory>, usize), signs: bool) -> AnyView {
    if shown.is_empty() {
        return ().into_any();
    }
    let more = all - shown.len();
    let more = (more > 0).then(
        || view! { <p class="quiet">{format!("And {more} more, which the bill lists.")}</p> },
    );
    let one = |g: GivenMemory| {
        let href = format!("/memories/{}?version={}", g.row.memory_id, g.row.number);
        let approved = if g.approved_by.is_empty() {
            String::new()
        } else {
            format!(", approved by {}", g.approved_by.join(", "))
        };
        view! {
            <li>
                <a href=href>
                    <code>
                        <Visible text=g.row.path.to_string() />
                    </code>
                </a>
                " "
                <span class="quiet">
                    "version "{g.row.number}", "{count(g.row.times, "time")}{approved}
                </span>
            </li>
        }
    };
    let bill = signs.then(|| {
        view! {
            <form method="post" action="/do/bill" class="line wrap">
                {form_token()}
                <input type="hidden" name="session" value=session.to_string() />
                <button>"Bill of memory"</button>
                <span class="quiet">
                    "A signed list of these versions, which anybody can verify offline. The audit \
                     records that it was made."
                </span>
            </form>
        }
    });
    view! {
        <details class="card">
            <summary>{format!("Memory that it was given ({all})")}</summary>
            <ul>{shown.into_iter().map(one).collect_view()}</ul>
            {more}
            {bill}
        </details>
    }
    .into_any()
}

/// Shows where the reader may want to jump to: errors, refusals, gaps. Nothing where there are
/// none.
fn outline(events: &[EventRow]) -> AnyView {
    let places = |name: &'static str, is: &dyn Fn(&EventRow) -> bool| {
        let found: Vec<i64> = events.iter().filter(|e| is(e)).map(|e| e.seq).collect();
        let more = found.len().saturating_sub(OUTLINED);
        let links = found
            .iter()
            .take(OUTLINED)
            .map(|seq| {
                view! {
                    " "
                    <a href=format!("#e{seq}")>{*seq}</a>
                }
            })
            .collect_view();
        let more = (more > 0).then(|| format!(" and {more} more"));
        (!found.is_empty()).then(|| view! { <li>{count(i64::try_from(found.len()).unwrap_or(i64::MAX), name)}":"{links}{more}</li> })
    };
    let errors = places("error", &|e| e.is_error);
    let refusals = places("refusal", &|e| e.kind == EventKind::Denial);
    let gaps = places("gap", &|e| e.kind == EventKind::Gap);
    if errors.is_none() && refusals.is_none() && gaps.is_none() {
        return ().into_any();
    }
    view! {
        <nav aria-label="Outline" class="outline">
            <ul>{errors}{refusals}{gaps}</ul>
        </nav>
    }
    .into_any()
}

/// Events that follow each other and belong together.
struct Run {
    thread: Option<String>,
    standing: Standing,
    from: Option<String>,
    events: Vec<EventRow>,
}

fn runs(events: Vec<EventRow>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for event in events {
        match runs.last_mut() {
            Some(last)
                if (&last.thread, last.standing, &last.from)
                    == (&event.thread, event.standing, &event.copied_from) =>
            {
                last.events.push(event);
            }
            _ => runs.push(Run {
                thread: event.thread.clone(),
                standing: event.standing,
                from: event.copied_from.clone(),
                events: vec![event],
            }),
        }
    }
    runs
}

/// A run: as it is, or nested where it is a sub-agent's, folded where it is a copy or was left.
fn run(run: Run, now: Timestamp) -> AnyView {
    let number = count(i64::try_from(run.events.len()).unwrap_or(i64::MAX), "event");
    let inner = run.events.into_iter().map(|e| event(e, now)).collect_view();
    let name = run.thread.map(|t| {
        view! {
            "Sub-agent "
            <code>
                <Visible text=t />
            </code>
            ": "
        }
    });
    match run.standing {
        Standing::Live if name.is_none() => inner.into_any(),
        Standing::Live => view! {
            <li>
                <details open class="thread">
                    <summary>{name}{number}</summary>
                    <ol class="transcript">{inner}</ol>
                </details>
            </li>
        }
        .into_any(),
        Standing::Copied => {
            let from = match run.from {
                Some(id) if id.parse::<SessionId>().is_ok() => {
                    view! { <a href=format!("/sessions/{id}")>"another session"</a> }.into_any()
                }
                Some(id) => view! {
                    "session "
                    <code>
                        <Visible text=id />
                    </code>
                }
                .into_any(),
                None => "another session".into_any(),
            };
            view! {
                <li>
                    <details class="thread aside">
                        <summary>{name}{number}" copied from another session"</summary>
                        <p class="quiet">
                            "Copied from "{from}". What happened there counts there, once."
                        </p>
                        <ol class="transcript">{inner}</ol>
                    </details>
                </li>
            }
            .into_any()
        }
        Standing::Abandoned => view! {
            <li>
                <details class="thread aside">
                    <summary>{name}{number}" on a branch that was left"</summary>
                    <p class="quiet">
                        "The conversation was rewound to before this point. It does not count as \
                         evidence."
                    </p>
                    <ol class="transcript">{inner}</ol>
                </details>
            </li>
        }
        .into_any(),
    }
}

/// A mark that tells speakers apart without colour, and the class of their events.
const fn mark(speaker: Speaker) -> (&'static str, &'static str) {
    match speaker {
        Speaker::Person => ("●", "user"),
        Speaker::Agent => ("◆", "agent"),
        Speaker::Tool => ("■", "tool"),
        Speaker::Harness => ("▲", "harness"),
        Speaker::ParentAgent => ("◈", "harness"),
        Speaker::Unknown => ("○", "raw"),
    }
}

fn event(event: EventRow, now: Timestamp) -> impl IntoView {
    let (sign, class) = mark(event.speaker);
    // Arguments are no prose.
    let class = if event.kind == EventKind::ToolUse {
        "tool"
    } else {
        class
    };
    let what = match event.kind {
        EventKind::Thinking => "thinks",
        EventKind::ToolUse => "calls",
        EventKind::ToolResult if event.is_error => "answers with an error",
        EventKind::ToolResult => "answers",
        EventKind::Denial if event.tool_use_id.is_some() => "refuses the call",
        EventKind::Denial => "interrupts",
        EventKind::Outcome => "names the outcome",
        EventKind::Gap => "a gap: these lines could not be read",
        EventKind::Raw => "kept as it came",
        EventKind::System | EventKind::User | EventKind::Agent => "",
    };
    let bad = if event.is_error || matches!(event.kind, EventKind::Gap | EventKind::Denial) {
        " error"
    } else {
        ""
    };
    let who = (event.kind != EventKind::Gap).then(|| {
        view! {
            <strong>
                <span aria-hidden="true">{sign}" "</span>
                {event.speaker.name()}
            </strong>
            " "
        }
    });
    let when = (event.kind != EventKind::Gap).then(|| {
        view! {
            " "
            <When at=event.occurred_at now=now />
        }
    });
    let tool = event.tool.map(|t| {
        view! {
            " "
            <code>
                <Visible text=t />
            </code>
        }
    });
    let long = event.text.chars().count() > UNFOLDED;
    let text = if long {
        let start: String = event.text.chars().take(200).collect();
        view! {
            <details>
                <summary>
                    <Visible text=start />
                    "… "
                    <span class="quiet">"show all"</span>
                </summary>
                <pre>
                    <Visible text=event.text />
                </pre>
            </details>
        }
        .into_any()
    } else {
        view! {
            <pre>
                <Visible text=event.text />
            </pre>
        }
        .into_any()
    };
    view! {
        <li class=format!("event {class}{bad}") id=format!("e{}", event.seq)>
            <div class="meta">
                <span class="number">{event.seq}</span>
                " "
                {who}
                {what}
                {tool}
                {when}
            </div>
            {text}
        </li>
    }
}
