//! What dreams ask people. Each question is answered with one key; where something should change, a
//! change is proposed, and somebody else decides on it.

use domain::{
    Timestamp,
    ids::{ChangesetId, StoreId},
    plural::count,
    question::{Answer, QuestionKind},
};
use leptos::prelude::*;
use service::{AnsweredRow, QuestionView, SideView, SpokenView};

use super::transcript;
use crate::{
    components::{
        forms::{Refused, form_token},
        layout::{Empty, Heading},
        text::Visible,
        when::When,
    },
    context::page,
};

/// The questions of all stores, or of one.
#[component]
pub fn Questions() -> impl IntoView {
    page("questions", |request| async move {
        let actor = request.actor()?;
        let store: Option<StoreId> = request.asked("store");
        let mut open = request.lucid.questions(actor, store).await?;
        open.sort_by_key(|q| q.kind);
        let answered = request.lucid.answered_questions(actor, store).await?;
        let may_reopen = |store: StoreId| actor.may(domain::rights::Action::Decide, store);
        let refused = request.refused().await;
        let now = request.now();
        let proposed = request.asked::<ChangesetId>("proposed").map(|id| {
            view! {
                <p class="notice good">
                    "Proposed. "<a href=format!("/changesets/{id}")>"See the change"</a>
                    ". Another reviewer decides on it."
                </p>
            }
        });
        let one = store.map(|_| {
            view! {
                <p>
                    <a href="/questions">"Questions of all stores"</a>
                </p>
            }
        });
        // What only somebody should know comes last, and takes less room.
        let (notices, open): (Vec<QuestionView>, Vec<QuestionView>) = open
            .into_iter()
            .partition(|q| q.kind == QuestionKind::Notice);
        let to_know = (!notices.is_empty()).then(|| {
            view! {
                <h2>"To know"</h2>
                <p class="quiet">
                    "These need no answer. A finding that you mark as seen comes back when its \
                     evidence doubles."
                </p>
                <ul class="questions">
                    {notices.into_iter().map(|q| question(q, store, now)).collect_view()}
                </ul>
            }
        });
        let list = if open.is_empty() && to_know.is_some() {
            view! { <p>"No open questions."</p> }.into_any()
        } else if open.is_empty() {
            view! {
                <Empty title="No open questions">
                    "A dream asks here when statements contradict each other, when a fact may have \
                     changed, and when a failure has no known workaround."
                </Empty>
            }
            .into_any()
        } else {
            view! {
                <p class="quiet">
                    {count(open.len(), "question")}
                    ". Keys: j and k go from one to the next, 1, 2 and 3 answer."
                </p>
                <h2>"Open"</h2>
                <ul class="questions">
                    {open.into_iter().map(|q| question(q, store, now)).collect_view()}
                </ul>
            }
            .into_any()
        };
        let done = (!answered.is_empty()).then(|| {
            let rows = answered.into_iter().map(|a| {
                let may = may_reopen(a.store_id);
                answer_row(a, may, store, now)
            });
            view! {
                <h2>"Answered"</h2>
                <div class="scroll" tabindex="0" role="region" aria-label="Answered questions">
                    <table>
                        <thead>
                            <tr>
                                <th>"Question"</th>
                                <th>"Answer"</th>
                                <th>"By"</th>
                                <th>"When"</th>
                                <th>"Undo"</th>
                            </tr>
                        </thead>
                        <tbody>{rows.collect_view()}</tbody>
                    </table>
                </div>
            }
        });
        Ok(view! {
            <Heading title="Questions" />
            <Refused form=refused />
            {one}
            {proposed}
            {list}
            {to_know}
            {done}
        }
        .into_any())
    })
}

fn question(q: QuestionView, store: Option<StoreId>, now: Timestamp) -> impl IntoView {
    let anchor = format!("q{}", &q.fingerprint[..12.min(q.fingerprint.len())]);
    let heading = format!("{anchor}-title");
    let (here, named_by) = (format!("#{anchor}"), heading.clone());
    let seen = (q.sessions > 0).then(|| format!("seen in {}, ", count(q.sessions, "session")));
    let (for_it, against): (Vec<SpokenView>, Vec<SpokenView>) =
        q.quotes.into_iter().partition(|s| !s.counter);
    let other = (!against.is_empty()).then(|| {
        view! {
            <p class="quiet">"On the other side:"</p>
            {against.into_iter().map(|s| spoken(s, now)).collect_view()}
        }
    });
    let sides = (!q.sides.is_empty()).then(|| {
        let named = q.sides.len() > 1;
        let all = q
            .sides
            .iter()
            .enumerate()
            .map(|(n, side)| statement(n, side, named))
            .collect_view();
        view! { <div class="sides">{all}</div> }
    });
    let new = q.new.clone().map(|new| {
        view! {
            <p>
                "It would say: "<q>
                    <Visible text=new />
                </q>
            </p>
        }
    });
    let answers = q
        .may_answer
        .then(|| form(q.kind, q.store_id, &q.fingerprint, store));
    view! {
        <li class="card question" id=anchor data-row aria-labelledby=named_by>
            <p class="quiet">
                <span class="badge">{kind(q.kind)}</span>
                " "
                <a href=format!("/stores/{}", q.store_id)>
                    <Visible text=q.store_name />
                </a>
                ", "
                {seen}
                "asked by "
                <a href=format!("/dreams/{}", q.dream_id)>"a dream"</a>
                {q
                    .asked_at
                    .map(|at| {
                        view! {
                            " "
                            <When at=at now=now />
                        }
                    })}
            </p>
            <h3 id=heading>
                <a href=here data-open>
                    <Visible text=q.title />
                </a>
            </h3>
            {(q.kind == QuestionKind::Notice || q.kind == QuestionKind::Holds)
                .then(|| {
                    view! {
                        <p>
                            <Visible text=sentence(&q.why) />
                        </p>
                    }
                })}
            {sides}
            {new}
            {for_it.into_iter().map(|s| spoken(s, now)).collect_view()}
            {other}
            {answers}
        </li>
    }
}

/// With a large letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

fn statement(n: usize, side: &SideView, named: bool) -> impl IntoView + use<> {
    let name = named.then_some(if n == 0 { "First, in " } else { "Second, in " });
    view! {
        <figure class="quote">
            <blockquote>
                <Visible text=side.statement.clone() />
            </blockquote>
            <figcaption>
                {name}<a href=format!("/memories/{}", side.memory_id)>
                    <Visible text=side.path.to_string() />
                </a>
            </figcaption>
        </figure>
    }
}

fn spoken(s: SpokenView, now: Timestamp) -> impl IntoView {
    let place = transcript::address_of(s.session_id, s.seq);
    view! {
        <figure class="quote">
            <blockquote>
                <Visible text=s.masked />
            </blockquote>
            <figcaption>
                <a href=place>"in its session"</a>
                {s
                    .at
                    .map(|at| {
                        view! {
                            ", "
                            <When at=at now=now />
                        }
                    })}
            </figcaption>
        </figure>
    }
}

/// The buttons; the number before each is its key.
fn form(
    kind: QuestionKind,
    of: StoreId,
    fingerprint: &str,
    back: Option<StoreId>,
) -> impl IntoView + use<> {
    let buttons = kind
        .answers()
        .iter()
        .filter(|a| **a != Answer::Written)
        .enumerate()
        .map(|(n, answer)| {
            view! {
                <button name="answer" value=answer.as_str() data-key=(n + 1).to_string()>
                    <kbd aria-hidden="true">{n + 1}</kbd>
                    " "
                    {label(kind, *answer)}
                </button>
            }
        });
    let hidden = move |fingerprint: String| {
        view! {
            <input type="hidden" name="store" value=of.to_string() />
            <input type="hidden" name="question" value=fingerprint />
            <input
                type="hidden"
                name="back"
                value=back.map(|s| s.to_string()).unwrap_or_default()
            />
        }
    };
    let write = kind.answers().contains(&Answer::Written).then(|| {
        view! {
            <form method="post" action="/do/answer_question" class="stack">
                {form_token()}
                {hidden(fingerprint.to_owned())}
                <label>
                    "What to do about it"
                    <input
                        name="words"
                        maxlength="1000"
                        required
                        placeholder="Ask for at most 24 hours, day by day."
                    />
                </label>
                <button name="answer" value=Answer::Written.as_str()>
                    "Propose a note"
                </button>
            </form>
        }
    });
    let proposes = kind
        .answers()
        .iter()
        .any(|a| a.proposes() && *a != Answer::Written);
    let hint = proposes
        .then_some("Your answer becomes a proposed change. Another reviewer decides on it.");
    view! {
        {write}
        <form method="post" action="/do/answer_question" class="row">
            {form_token()}
            {hidden(fingerprint.to_owned())}
            {buttons.collect_view()}
        </form>
        {hint.map(|text| view! { <p class="quiet">{text}</p> })}
    }
}

const fn kind(kind: QuestionKind) -> &'static str {
    match kind {
        QuestionKind::Contradiction => "contradiction",
        QuestionKind::Similar => "the same?",
        QuestionKind::Holds => "still true?",
        QuestionKind::OpenFailure => "open failure",
        QuestionKind::Notice => "to know",
    }
}

const fn label(kind: QuestionKind, answer: Answer) -> &'static str {
    match (answer, kind) {
        (Answer::First, _) => "Keep the first",
        (Answer::Second, _) => "Keep the second",
        (Answer::Both, QuestionKind::Similar) => "Keep both: they differ",
        (Answer::Both, _) => "Keep both",
        (Answer::Changed, _) => "It no longer holds",
        (Answer::StillHolds, _) => "It still holds",
        (Answer::Written, _) => "Propose a note",
        (Answer::MendTool, _) => "The tool will be fixed",
        (Answer::Seen, QuestionKind::OpenFailure) => "Not now",
        (Answer::Seen, _) => "Seen",
    }
}

fn answer_row(
    a: AnsweredRow,
    may_reopen: bool,
    back: Option<StoreId>,
    now: Timestamp,
) -> impl IntoView {
    let change = a.changeset_id.map(|id| {
        view! {
            ": "
            <a href=format!("/changesets/{id}")>"the change"</a>
        }
    });
    let reopen = may_reopen.then(|| {
        view! {
            <form method="post" action="/do/reopen_question">
                {form_token()}
                <input type="hidden" name="store" value=a.store_id.to_string() />
                <input type="hidden" name="answer" value=a.id.to_string() />
                <input
                    type="hidden"
                    name="back"
                    value=back.map(|s| s.to_string()).unwrap_or_default()
                />
                <button>"Ask again"</button>
            </form>
        }
    });
    view! {
        <tr>
            <td>
                <Visible text=a.title />
            </td>
            <td>{label(a.kind, a.answer)}{change}</td>
            <td>
                <Visible text=a.answered_by />
            </td>
            <td>
                <When at=a.created_at now=now />
            </td>
            <td>{reopen}</td>
        </tr>
    }
}
