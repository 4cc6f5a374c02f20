//! The decision: one primary action, the others beneath it, each form under the button that asked
//! for it. Each action names the revision and digest that were shown.

use domain::{
    changeset::{Action, ChangeState, RejectCode},
    risk::RiskLevel,
};
use leptos::prelude::*;
use service::ChangeView;

use super::{Desk, commit, editor, list};
use crate::components::{
    forms::{Refused, form_token},
    icon::Icon,
};

/// The section, always at the head of the right rail; at the foot of the window where there is no
/// rail.
pub fn decision(desk: &Desk) -> AnyView {
    let refused = desk
        .refused
        .clone()
        .filter(|f| f.fields.contains_key("change"));
    let open = desk.open();
    view! {
        <section class="decide" id="decision" tabindex="-1" aria-label="Decision">
            <Refused form=refused />
            {claimed(desk)}
            {open.and_then(|c| decide(desk, c))}
            {commit::button(desk)}
            {list::undo(desk)}
        </section>
    }
    .into_any()
}

/// The fields by which an action names what was shown.
pub fn named(desk: &Desk, view: &ChangeView) -> impl IntoView + use<> {
    let c = &view.change;
    view! {
        <input type="hidden" name="changeset" value=desk.view.changeset.id.to_string() />
        <input type="hidden" name="change" value=c.id.to_string() />
        <input type="hidden" name="revision" value=c.revision.to_string() />
        <input type="hidden" name="digest" value=c.digest.clone() />
    }
}

fn vote(desk: &Desk, view: &ChangeView, verdict: &'static str) -> impl IntoView + use<> {
    view! {
        {named(desk, view)}
        <input type="hidden" name="verdict" value=verdict />
    }
}

/// Why nothing can be decided here.
fn cannot(text: impl Into<String>) -> AnyView {
    view! {
        <p class="check-line">
            <Icon name="lock-open" />
            <span class="muted">{text.into()}</span>
        </p>
    }
    .into_any()
}

/// The key of a button, for those who look; screen readers know it from the map of keys.
pub fn key(name: &'static str) -> impl IntoView {
    view! {
        <kbd class="key" aria-hidden="true">
            {name}
        </kbd>
    }
}

fn decide(desk: &Desk, view: &ChangeView) -> Option<AnyView> {
    let c = &view.change;
    if !view.may_decide {
        return Some(cannot(
            "You can read this change. To decide on it you need the role reviewer on every path \
             that it touches.",
        ));
    }
    if !desk.view.changeset.state.is_reviewed() {
        return Some(cannot(format!(
            "This changeset is {}. Nothing in it can be decided any more.",
            desk.view.changeset.state
        )));
    }
    if desk.editing {
        return Some(editor::save(desk, view));
    }
    let decided = view
        .decisions
        .iter()
        .any(|d| d.taken_back_at.is_none() && d.revision == c.revision);
    let back = (decided && c.state.after(Action::TakeBack).is_ok()).then(|| {
        view! {
            <form method="post" action="/do/take_back" data-swap>
                {form_token()}
                {named(desk, view)}
                <button data-key="t">"Withdraw my decision"{key("T")}</button>
            </form>
        }
    });
    let edit = || {
        let discard =
            (c.revision > 1 && c.state.after(Action::Revise).is_ok()).then(|| discard(desk, view));
        view! {
            {editor::may_edit(desk, view).then(|| edit_link(desk, view))}
            {discard}
        }
    };
    match c.state {
        ChangeState::Pending => Some(
            view! {
                {approve(desk, view)}
                <div class="others">
                    {reject(desk, view)}{edit()}{defer(desk, view)}{claim(desk)}{back}
                </div>
            }
            .into_any(),
        ),
        ChangeState::Approved | ChangeState::Deferred if c.conflicted => Some(
            view! {
                {resolve(desk, view)}
                <div class="others">{back}{claim(desk)}</div>
            }
            .into_any(),
        ),
        ChangeState::Approved => {
            let more = (!view.needs.satisfied && !view.approved_by_me).then(|| approve(desk, view));
            Some(
                view! {
                    {more}
                    <div class="others">{back}{edit()}</div>
                }
                .into_any(),
            )
        }
        ChangeState::Rejected | ChangeState::Deferred => {
            Some(view! { <div class="others">{back}</div> }.into_any())
        }
        ChangeState::Committed => c.commit_id.map(|id| {
            view! {
                <a class="button" href=format!("/commits/{id}")>
                    "View commit"
                </a>
            }
            .into_any()
        }),
        ChangeState::Obsolete => Some(cannot(
            "This change no longer applies: a later dream did not find it again, or it was \
             withdrawn.",
        )),
    }
}

fn approve(desk: &Desk, view: &ChangeView) -> AnyView {
    if view.change.conflicted {
        return resolve(desk, view);
    }
    if view.contributed {
        let who = super::requirements::either(&view.needs.from, desk.reader());
        return cannot(format!(
            "You contributed to this change or its evidence, so {who} must approve it."
        ));
    }
    // Where fewer approvals are asked for than when it was given, the one that stands is enough:
    // approving it says so.
    if view.approved_by_me && !view.needs.satisfied {
        return view! {
            <p class="check-line">
                <Icon name="hourglass" />
                <span>"You approved this. It waits for others."</span>
            </p>
        }
        .into_any();
    }
    let sign = (view.change.risk_level == RiskLevel::High && !desk.signed).then(|| {
        view! {
            <label>
                "Password (signs your approval)"
                <input
                    type="password"
                    name="password"
                    autocomplete="current-password"
                    maxlength="1024"
                    required
                    autofocus=desk.kept("approve").is_some()
                />
            </label>
        }
    });
    let word = if view.change.risk_level == RiskLevel::High {
        "Approve and sign"
    } else {
        "Approve"
    };
    view! {
        <form method="post" action="/do/decide" class="approve" data-swap>
            {form_token()}
            {vote(desk, view, "approve")}
            {sign}
            <button class="primary" data-key="a">
                <span>{word}</span>
                {key("A")}
            </button>
        </form>
    }
    .into_any()
}

/// The way to the editor.
fn edit_link(desk: &Desk, view: &ChangeView) -> AnyView {
    let href = format!("{}&edit=1", desk.address(view.change.id));
    view! {
        <a class="button" href=href data-swap data-key="e">
            "Edit"
            {key("E")}
        </a>
    }
    .into_any()
}

/// Taking the last edit back.
fn discard(desk: &Desk, view: &ChangeView) -> AnyView {
    let (now, before) = (view.change.revision, view.change.revision - 1);
    let word = format!("Discard revision {now}");
    let title = format!(
        "Makes a new revision that says what revision {before} said. Who edited it still cannot \
         approve it."
    );
    view! {
        <form method="post" action="/do/discard_revision" data-swap>
            {form_token()}
            {named(desk, view)}
            <button title=title>{word}</button>
        </form>
    }
    .into_any()
}

/// The way to the editor that carries a conflicted change over to the memory as it is now.
fn resolve(desk: &Desk, view: &ChangeView) -> AnyView {
    if editor::may_edit(desk, view) {
        let href = format!("{}&edit=1", desk.address(view.change.id));
        return view! {
            <a class="button primary" href=href data-swap data-key="e">
                <span>"Resolve conflict"</span>
                {key("E")}
            </a>
        }
        .into_any();
    }
    if view.rebase().is_some_and(|r| !r.edits.is_empty()) {
        return cannot(
            "This change writes too many memories to be resolved here. Reject it; the next dream \
             proposes what still holds.",
        );
    }
    cannot("What this change would remove is gone already. Reject it.")
}

fn reject(desk: &Desk, view: &ChangeView) -> AnyView {
    let kept = desk.kept("reject").map(|f| f.fields.clone());
    let open = kept.is_some();
    let kept = kept.unwrap_or_default();
    let chosen = kept.get("reject_code").cloned().unwrap_or_default();
    let option = |(n, code): (usize, &RejectCode)| {
        let number = (n + 1).to_string();
        view! {
            <label class="option">
                <input
                    type="radio"
                    name="reject_code"
                    value=code.as_str()
                    required
                    checked=code.as_str() == chosen
                    data-choice=number.clone()
                />
                <span>{code.explained()}</span>
                <kbd class="key" aria-hidden="true">
                    {number}
                </kbd>
            </label>
        }
    };
    let note = kept.get("note").cloned().unwrap_or_default();
    view! {
        <details data-key="x" open=open>
            <summary class="button">"Reject"{key("X")}</summary>
            <form method="post" action="/do/decide" class="stack" data-swap>
                {form_token()}
                {vote(desk, view, "reject")}
                <div role="radiogroup" aria-label="Why">
                    {RejectCode::ALL.iter().enumerate().map(option).collect_view()}
                </div>
                <label>"Note (optional)"<input name="note" maxlength="2000" value=note /></label>
                <button class="danger primary">
                    <span>"Reject"</span>
                    {key("Ctrl ↵")}
                </button>
            </form>
        </details>
    }
    .into_any()
}

fn defer(desk: &Desk, view: &ChangeView) -> AnyView {
    let kept = desk.kept("defer").map(|f| f.fields.clone());
    let open = kept.is_some();
    let kept = kept.unwrap_or_default();
    let until = kept
        .get("until")
        .cloned()
        .unwrap_or_else(|| desk.now().plus_seconds(7 * 86_400).date());
    let least = desk.now().plus_seconds(86_400).date();
    view! {
        <details data-key="d" open=open>
            <summary class="button">"Defer"{key("D")}</summary>
            <form method="post" action="/do/decide" class="stack" data-swap>
                {form_token()}
                {vote(desk, view, "defer")}
                <label>
                    "Until (00:00 UTC)"<input type="date" name="until" value=until min=least />
                </label>
                <p class="quiet">
                    "Leave it empty to defer until a reviewer withdraws the deferral."
                </p>
                <label>
                    "Note (optional)"
                    <input
                        name="note"
                        maxlength="2000"
                        value=kept.get("note").cloned().unwrap_or_default()
                    />
                </label>
                <button class="primary">
                    <span>"Defer"</span>
                    {key("Ctrl ↵")}
                </button>
            </form>
        </details>
    }
    .into_any()
}

/// Shows who has claimed the changeset, and the way to release it.
fn claimed(desk: &Desk) -> Option<AnyView> {
    let claim = desk.view.claim.as_ref()?;
    let mine = desk
        .request
        .current
        .as_ref()
        .is_some_and(|me| me.user.id == claim.user_id);
    let left = claim.until.minutes_after(desk.now());
    let text = if mine {
        format!("Claimed by you · {left} min left")
    } else {
        format!("{} is reviewing · {left} min left", claim.user_name)
    };
    let class = if mine {
        "badge claim mine"
    } else {
        "badge claim"
    };
    let changeset = desk.view.changeset.id.to_string();
    let release = mine.then(|| {
        view! {
            <form method="post" action="/do/release" data-swap>
                {form_token()}
                <input type="hidden" name="changeset" value=changeset />
                <button class="plain" data-key="r">
                    "Release"
                </button>
            </form>
        }
    });
    Some(
        view! {
            <p class="line between">
                <span class=class title=claim.until.exact()>
                    <Icon name="hand" />
                    {text}
                </span>
                {release}
            </p>
        }
        .into_any(),
    )
}

/// The form that claims the changeset.
fn claim(desk: &Desk) -> Option<AnyView> {
    if desk.view.claim.is_some()
        || !desk.view.may_decide
        || !desk.view.changes.iter().any(|c| c.change.state.is_open())
    {
        return None;
    }
    let changeset = desk.view.changeset.id.to_string();
    Some(
        view! {
            <form method="post" action="/do/claim" data-swap>
                {form_token()}
                <input type="hidden" name="changeset" value=changeset />
                <button
                    class="icon"
                    data-key="r"
                    aria-label="Claim this changeset"
                    title="Claim: for ten minutes nobody else decides here  R"
                >
                    <Icon name="hand" />
                </button>
            </form>
        }
        .into_any(),
    )
}
