//! Erasing end users, legal holds, and how long transcripts are kept.

use domain::{
    Timestamp,
    erasure::{ErasureKind, ErasureState},
    ids::SessionId,
    plural::count,
};
use leptos::prelude::*;
use service::{
    ErasureView, HoldView, Keeping, PrivacyView, RefusedForm, SHORTEST_DAYS, StoreName, SubjectView,
};

use crate::{
    components::{
        forms::{self, Refused, form_token},
        layout::{Heading, actor_name},
        text::Visible,
        text_area::TextArea,
        when::When,
    },
    context::page,
};

/// Erasures, holds, and how long transcripts are kept.
#[component]
pub fn Erasure() -> impl IntoView {
    page("erasure", |request| async move {
        let view = request.lucid.privacy(request.actor()?).await?;
        let stores = request.store_names().await?;
        let refused = request.refused().await;
        let now = request.now();
        let find = view.may_manage.then(|| find(refused.as_ref()));
        let place = view
            .may_manage
            .then(|| place_hold(&stores, refused.as_ref()));
        let keep = keep(&view, refused.as_ref());
        let may = view.may_manage;
        Ok(view! {
            <Heading title="Erasure and holds" />
            <Refused form=refused.clone() />
            {find}
            <section class="stack">
                <h2>"Erasures"</h2>
                {erasures(view.erasures, now)}
            </section>
            <section class="stack">
                <h2>"Legal holds"</h2>
                {holds(view.holds, may, refused.as_ref(), now)}
            </section>
            {place}
            {keep}
        }
        .into_any())
    })
}

fn find(refused: Option<&RefusedForm>) -> impl IntoView + use<> {
    let subject = forms::kept(refused, "subject").unwrap_or_default();
    view! {
        <section class="setting">
            <div>
                <h2>"End user"</h2>
                <p class="quiet">
                    "See what is known of one, answer their request, erase it, or hold it."
                </p>
            </div>
            <form method="post" action="/do/find_subject" class="stack">
                {form_token()}
                <label>
                    "User, as recorders name them"
                    <input
                        name="subject"
                        value=subject
                        required
                        maxlength="300"
                        autocomplete="off"
                    />
                </label>
                <button>"Show what is known"</button>
            </form>
        </section>
    }
}

fn erasures(all: Vec<ErasureView>, now: Timestamp) -> AnyView {
    if all.is_empty() {
        return view! {
            <p class="muted">
                "Nothing was erased yet. To erase the text of an old version of a memory, open \
                 that version."
            </p>
        }
        .into_any();
    }
    view! {
        <ul class="cards">
            {all.into_iter().map(|erasure| erasure_card(erasure, now)).collect_view()}
        </ul>
    }
    .into_any()
}

fn erasure_card(erasure: ErasureView, now: Timestamp) -> AnyView {
    let row = erasure.row;
    let what = match row.kind {
        ErasureKind::Subject => row.subject.clone().map_or_else(
            || "An end user".to_owned(),
            |name| format!("End user {name}"),
        ),
        ErasureKind::Version => "A version of a memory".to_owned(),
        ErasureKind::Retention => "Old transcripts".to_owned(),
    };
    let state = match (row.state, row.cleaned_at) {
        (ErasureState::Waiting, _) => {
            view! { <span class="badge medium">"Waits for a second admin"</span> }.into_any()
        }
        (ErasureState::Withdrawn, _) => view! { <span class="badge">"Not done"</span> }.into_any(),
        (ErasureState::Done, None) => view! {
            <span class="badge" title="The files of the database are rewritten within minutes">
                "Erased, files not rewritten yet"
            </span>
        }
        .into_any(),
        (ErasureState::Done, Some(_)) => {
            view! { <span class="badge low">"Erased"</span> }.into_any()
        }
    };
    let asked_by = actor_name(&erasure.asked_by);
    let decided = erasure.decided_by.map(|by| {
        view! {
            " · "
            {if row.state == ErasureState::Done { "confirmed by " } else { "ended by " }}
            <Visible text=by />
        }
    });
    let also = row.also.filter(|also| !also.is_empty()).map(|also| {
        let also = also
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| format!("“{line}”"))
            .collect::<Vec<_>>()
            .join(", ");
        view! { <p>"Erased wherever they are, too: "<Visible text=also /></p> }
    });
    let kept = (!erasure.kept.is_empty()).then(|| {
        let kept = erasure.kept.join(", ");
        view! { <p>"Said to hold nothing of them, and kept: "<Visible text=kept /></p> }
    });
    let id = row.id.to_string();
    let confirm = erasure.may_confirm.then(|| {
        button(
            "/do/confirm_erasure",
            "erasure",
            &id,
            "Erase for good",
            "danger",
        )
    });
    let decline = erasure.may_decline.then(|| {
        let word = if erasure.may_confirm {
            "Decline"
        } else {
            "Withdraw"
        };
        button("/do/decline_erasure", "erasure", &id, word, "")
    });
    view! {
        <li class="card">
            <h3>
                <Visible text=what />
                " "
                {state}
            </h3>
            <p>
                <Visible text=row.reason />
            </p>
            {also}
            {kept}
            <p class="quiet">
                <Visible text=asked_by />
                " "
                <When at=row.asked_at now=now />
                {decided}
                {erased(&row.counts)}
            </p>
            {(confirm.is_some() || decline.is_some())
                .then(|| view! { <div class="line wrap">{confirm}{decline}</div> })}
        </li>
    }
    .into_any()
}

fn button(
    action: &'static str,
    name: &'static str,
    value: &str,
    word: &'static str,
    class: &'static str,
) -> AnyView {
    view! {
        <form method="post" action=action>
            {form_token()}
            <input type="hidden" name=name value=value.to_owned() />
            <button class=class>{word}</button>
        </form>
    }
    .into_any()
}

/// How much was erased, in words.
fn erased(counts: &str) -> String {
    let counts: serde_json::Value = serde_json::from_str(counts).unwrap_or_default();
    let words = [
        ("sessions", "session"),
        ("events", "event"),
        ("quotes", "quote"),
        ("versions", "version"),
        ("withdrawn", "withdrawn change"),
        ("entries", "audit detail"),
    ];
    let part = |(name, word)| {
        counts[name]
            .as_i64()
            .filter(|n| *n > 0)
            .map(|n| count(n, word))
    };
    let parts: Vec<String> = words.into_iter().filter_map(part).collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(" · {}", parts.join(", "))
    }
}

fn holds(all: Vec<HoldView>, may: bool, refused: Option<&RefusedForm>, now: Timestamp) -> AnyView {
    if all.is_empty() {
        return view! {
            <p class="muted">
                "No legal holds. While one is in force, nothing of the store, memory or end user \
                 that it is on can be erased."
            </p>
        }
        .into_any();
    }
    view! {
        <ul class="cards">
            {all.into_iter().map(|hold| hold_card(hold, may, refused, now)).collect_view()}
        </ul>
    }
    .into_any()
}

fn hold_card(hold: HoldView, may: bool, refused: Option<&RefusedForm>, now: Timestamp) -> AnyView {
    let row = hold.row;
    let id = row.id.to_string();
    let on = match (row.memory_id, row.store_id) {
        (Some(memory), _) => {
            let path = row.path.clone().unwrap_or_else(|| memory.to_string());
            view! {
                "Memory "
                <a href=format!("/memories/{memory}")>
                    <code>
                        <Visible text=path />
                    </code>
                </a>
            }
            .into_any()
        }
        (None, Some(store)) => {
            let name = row.store_name.clone().unwrap_or_else(|| store.to_string());
            view! {
                "Store "
                <a href=format!("/stores/{store}")>
                    <Visible text=name />
                </a>
            }
            .into_any()
        }
        (None, None) => view! {
            "End user "
            <Visible text=row.subject.clone().unwrap_or_default() />
        }
        .into_any(),
    };
    let (state, release) = if let Some(at) = row.released_at {
        let by = hold.released_by.unwrap_or_default();
        let why = row.release_reason.unwrap_or_default();
        let ended = view! {
            <p class="quiet">
                "Released by "<Visible text=by />" "<When at=at now=now />": "<Visible text=why />
            </p>
        };
        (
            view! { <span class="badge">"Released"</span> }.into_any(),
            ended.into_any(),
        )
    } else {
        let typed = forms::kept(
            refused.filter(|form| form.fields.get("hold") == Some(&id)),
            "release_reason",
        )
        .unwrap_or_default();
        let form = may.then(|| {
            view! {
                <form method="post" action="/do/release_hold" class="line wrap">
                    {form_token()}
                    <input type="hidden" name="hold" value=id />
                    <input
                        name="reason"
                        value=typed
                        required
                        maxlength="1000"
                        placeholder="Why it is released"
                        aria-label="Why it is released"
                    />
                    <button>"Release hold"</button>
                </form>
            }
        });
        (
            view! { <span class="badge medium">"In force"</span> }.into_any(),
            form.into_any(),
        )
    };
    view! {
        <li class="card">
            <h3>{on}" "{state}</h3>
            <p>
                <Visible text=row.reason />
            </p>
            <p class="quiet">
                "Placed by "<Visible text=hold.placed_by />" "<When at=row.placed_at now=now />
            </p>
            {release}
        </li>
    }
    .into_any()
}

fn place_hold(stores: &[StoreName], refused: Option<&RefusedForm>) -> AnyView {
    if stores.is_empty() {
        return ().into_any();
    }
    let kept = |name: &str| forms::kept(refused, name).unwrap_or_default();
    let (chosen, path, reason) = (kept("store"), kept("path"), kept("hold_reason"));
    let stores = stores.iter().map(|s| {
        view! {
            <option value=s.id.to_string() selected=chosen == s.id.to_string()>
                {s.name.clone()}
            </option>
        }
    });
    view! {
        <section class="setting">
            <div>
                <h2>"Place a legal hold"</h2>
                <p class="quiet">"To hold an end user, show what is known of them first."</p>
            </div>
            <form method="post" action="/do/place_hold" class="stack">
                {form_token()}
                <label>"Store"<select name="store">{stores.collect_view()}</select></label>
                <label>
                    "Path of one memory (empty: the whole store)"
                    <input name="path" value=path maxlength="1024" />
                </label>
                <label>
                    "Reason"<input name="reason" value=reason required maxlength="1000" />
                </label>
                <button>"Place hold"</button>
            </form>
        </section>
    }
    .into_any()
}

/// How long transcripts are kept, with the form that sets it.
fn keep(view: &PrivacyView, refused: Option<&RefusedForm>) -> AnyView {
    let now = view.transcript_days.map_or_else(
        || "Transcripts are kept without a limit.".to_owned(),
        |days| {
            let days = count(days, "day");
            format!(
                "{days} after the last event of a session, the text of its events is erased. The \
                 session itself stays listed, and so do the quotes that changes rest on."
            )
        },
    );
    let days = forms::kept(refused, "days").unwrap_or_else(|| {
        view.transcript_days
            .map(|d| d.to_string())
            .unwrap_or_default()
    });
    let form = view.may_manage.then(|| {
        view! {
            <form method="post" action="/do/set_retention" class="stack">
                {form_token()}
                <label>
                    {format!(
                        "Keep transcripts for days ({SHORTEST_DAYS} or more; empty: without a \
                         limit)",
                    )}<input name="days" value=days inputmode="numeric" />
                </label>
                <button>"Save"</button>
            </form>
        }
    });
    let sealed = if view.sealed {
        "They are sealed: when a transcript is erased its key is destroyed, and it can no longer \
         be read in older backups."
    } else {
        "They are not sealed: a backup from before an erasure still holds their text. Start Lucid \
         with --session-keys to change that."
    };
    view! {
        <section class="setting">
            <div>
                <h2>"Transcripts"</h2>
                <p class="quiet">{now}</p>
                <p class="quiet">{sealed}</p>
            </div>
            {form}
        </section>
    }
    .into_any()
}

/// Shows what is known of the end user of a session, with what can be done about it.
#[component]
pub fn Subject() -> impl IntoView {
    page("erasure", |request| async move {
        let session = request.id::<SessionId>("session")?;
        let refused = request.refused().await;
        let also = forms::kept(refused.as_ref(), "also").unwrap_or_default();
        let view = request
            .lucid
            .subject(request.actor()?, session, &also)
            .await?;
        let trail = vec![("/erasure".into(), "Erasure and holds".into())];
        let letter = request.lucid.signs().then(|| {
            view! {
                <section class="setting">
                    <div>
                        <h2>"Letter"</h2>
                        <p class="quiet">
                            "For an end user who asks what is known of them. It is signed, what \
                             points to other people in it is masked, and the audit records that it \
                             was made."
                        </p>
                    </div>
                    <form method="post" action="/do/subject_letter" class="stack">
                        {form_token()}
                        <input type="hidden" name="session" value=session.to_string() />
                        <button>"Download letter"</button>
                    </form>
                </section>
            }
        });
        let reason = forms::kept(refused.as_ref(), "hold_reason").unwrap_or_default();
        Ok(view! {
            <Heading title=format!("What is known of {}", view.name) trail=trail />
            <Refused form=refused.clone() />
            {known(&view)}
            {letter}
            <section class="setting">
                <div>
                    <h2>"Legal hold"</h2>
                    <p class="quiet">
                        "Nothing of this end user can be erased until it is released."
                    </p>
                </div>
                <form method="post" action="/do/place_hold" class="stack">
                    {form_token()}
                    <input type="hidden" name="session" value=session.to_string() />
                    <label>
                        "Reason"<input name="reason" value=reason required maxlength="1000" />
                    </label>
                    <button>"Place hold"</button>
                </form>
            </section>
            {erase(&view, session, refused.as_ref())}
        }
        .into_any())
    })
}

fn known(view: &SubjectView) -> impl IntoView + use<> {
    let sessions = i64::try_from(view.sessions).unwrap_or(i64::MAX);
    let texts = match view.texts {
        0 => "No text of memory, past or proposed, says what they said.".to_owned(),
        1 => "1 text of memory, past or proposed, says what they said.".to_owned(),
        n => format!("{n} texts of memory, past or proposed, say what they said."),
    };
    view! {
        <p>
            {count(sessions, "session")}" with "{count(view.events, "event")}", of which there "
            {if view.quotes == 1 { "is" } else { "are" }}" "{count(view.quotes, "quote")}". "{texts}
        </p>
    }
}

fn erase(view: &SubjectView, session: SessionId, refused: Option<&RefusedForm>) -> AnyView {
    if view.waits {
        return view! {
            <p class="notice info">
                "An erasure of this end user waits for a second admin. "
                <a class="link" href="/erasure">
                    "Open it"
                </a>
            </p>
        }
        .into_any();
    }
    let kept = |name: &str| forms::kept(refused, name).unwrap_or_default();
    let (also, reason, ticked) = (kept("also"), kept("reason"), kept("kept"));
    let one = |(memory, why): &(_, Keeping)| {
        let memory: &service::LiveMemory = memory;
        let id = memory.id.to_string();
        let why = match why {
            Keeping::Words => "says what they said, or names them",
            Keeping::Alone => "rests on their sessions alone",
        };
        let checked = ticked.split(' ').any(|kept| kept == id);
        view! {
            <li class="stack">
                <p>
                    <a href=format!("/memories/{id}")>
                        <code>
                            <Visible text=memory.path.to_string() />
                        </code>
                    </a>
                    " in "
                    <Visible text=memory.store_name.clone() />
                    ": "
                    {why}
                </p>
                <label class="check">
                    <input type="checkbox" name="kept[]" value=id checked=checked />
                    "I have read it: it holds nothing of them"
                </label>
            </li>
        }
    };
    let memories = (!view.memories.is_empty()).then(|| {
        view! {
            <p>
                "Memory that agents have now is changed only through review. Propose to change or \
                 remove each of these first, or say that it holds nothing of them:"
            </p>
            <ul>{view.memories.iter().map(one).collect_view()}</ul>
        }
    });
    let elsewhere = (view.elsewhere > 0).then(|| {
        let what = count(view.elsewhere, "memory");
        view! {
            <p>
                {format!(
                    "{what} in stores that you may not see must be looked at, too, by an admin who \
                     may.",
                )}
            </p>
        }
    });
    let open = i64::try_from(view.open).unwrap_or(i64::MAX);
    let open = (open > 0).then(|| {
        view! { <p>{count(open, "open change")}" that quote or repeat them will be withdrawn."</p> }
    });
    view! {
        <section class="setting">
            <div>
                <h2>"Erase"</h2>
                <p class="quiet">
                    "Their sessions, quotes, and every text that says what they said are erased \
                     for good, in the audit, too. The audit still verifies. Backups that were made \
                     before still hold it."
                </p>
            </div>
            <form method="post" action="/do/erase_subject" class="stack">
                {form_token()}
                <input type="hidden" name="session" value=session.to_string() />
                {memories}
                {elsewhere}
                {open}
                <label for="also">"Names and the like to erase as well, one a line"</label>
                <TextArea
                    name="also"
                    id="also"
                    value=also
                    rows=3
                    label="Names and the like to erase as well, one a line"
                    maxlength=1000
                />
                <label>
                    "Reason"<input name="reason" value=reason required maxlength="1000" />
                </label>
                <label>
                    "Type “erase” to erase it for good"
                    <input name="again" required autocomplete="off" />
                </label>
                <button class="danger">"Erase"</button>
            </form>
        </section>
    }
    .into_any()
}
