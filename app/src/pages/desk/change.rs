//! The change itself: what it says and why, how much backs it, what is risky about it, and what
//! becomes of each memory.

use domain::{
    briefing::tokens,
    changeset::{ChangeKind, ChangeState},
    diff,
    plural::count,
    statement::fates,
};
use leptos::prelude::*;
use service::{ChangeView, EditView};

use super::{Desk, editor};
use crate::components::{
    badges::{KindBadge, Labels, RiskBadge, StateBadge},
    diff::{Diff, DiffLines, Side},
    drawings::{Bar, Squares},
    forms::form_token,
    icon::Icon,
    number::Number,
    prose::{Inline, Prose},
    text::Visible,
};

/// Edits whose diffs are shown unfolded.
const UNFOLDED: usize = 2;
/// Statements whose fate is shown unfolded.
const FATES: usize = 8;

/// The change itself: reason, labels, and the diff of each memory.
pub fn change(desk: &Desk, view: &ChangeView) -> AnyView {
    let c = &view.change;
    let id = c.id.to_string();
    let (title, labelled_by) = (format!("{id}-title"), format!("{id}-title"));
    let state = if c.conflicted {
        "conflicted"
    } else {
        c.state.as_str()
    };
    let is_plain = c.state == ChangeState::Pending && !c.conflicted;
    let state_badge =
        (!is_plain).then(|| view! { <StateBadge state=c.state conflicted=c.conflicted /> });
    let shown = if desk.editing {
        editor::editor(desk, view)
    } else {
        edits(desk, view)
    };
    let path = view
        .edits
        .first()
        .filter(|_| view.edits.len() == 1)
        .map(|e| {
            view! {
                <span>
                    <Icon name="file-text" />
                    <code>{e.path.to_string()}</code>
                </span>
            }
        });
    let several = (view.edits.len() > 1).then(|| {
        view! {
            <span>
                <Icon name="layers" />
                {count(view.edits.len(), "memory")}
            </span>
        }
    });
    view! {
        <article
            class="change"
            id=id
            data-change=state
            data-revision=c.revision
            tabindex="-1"
            data-focus=(!desk.editing).then_some("")
            aria-labelledby=labelled_by
        >
            <header>
                <h1 id=title>
                    <Visible text=c.title.clone() />
                </h1>
                <p class="meta">
                    <RiskBadge level=c.risk_level long=true />
                    <KindBadge kind=c.kind />
                    {path}
                    {several}
                    <Number
                        text=format!("Revision {}", c.revision)
                        means="Each edit makes a new revision. A decision counts for the revision \
                        that it names."
                    />
                    {state_badge}
                </p>
            </header>
            <section class="stack">
                <h2>"Why"</h2>
                <p class="rationale wrap">
                    <Inline text=c.rationale.clone() />
                </p>
                {facts(view)}
                <Labels labels=view.labels.clone() />
            </section>
            {shown}
        </article>
    }
    .into_any()
}

/// How much backs the change: up to four figures, each drawn and with what it counts.
fn facts(view: &ChangeView) -> Option<AnyView> {
    let c = &view.change;
    let mut all: Vec<AnyView> = Vec::new();
    if c.eligible_sessions > 0 {
        let text = format!(
            "{} of {}",
            c.support_sessions,
            count(c.eligible_sessions, "session")
        );
        let label = text.clone();
        all.push(
            view! {
                <div>
                    <b>{text}</b>
                    <Squares some=c.support_sessions all=c.eligible_sessions label=label />
                    <small>"showed this, of those that could"</small>
                </div>
            }
            .into_any(),
        );
    }
    let who: Vec<String> = [(c.support_subjects, "user"), (c.support_tasks, "task")]
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, what)| count(*n, what))
        .collect();
    if !who.is_empty() {
        let through = c
            .recorders
            .map(|n| format!("through {}", count(n, "recorder")));
        let times = (c.occurrences > c.support_sessions)
            .then(|| format!("seen {} in all", count(c.occurrences, "time")));
        let small = [through, times]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; ");
        all.push(
            view! {
                <div>
                    <b>{who.join(", ")}</b>
                    <small>{small}</small>
                </div>
            }
            .into_any(),
        );
    }
    if c.confidence_bp > 0 {
        let percent = c.confidence_bp / 100;
        all.push(
            view! {
                <div title="Computed by the built-in engine, or claimed by a model.">
                    <b>{format!("{percent}% confidence")}</b>
                    <Bar some=percent all=100 label=format!("{percent} percent") />
                    <small>"not used by any rule"</small>
                </div>
            }
            .into_any(),
        );
    }
    if !all.is_empty() {
        let (before, after) = loaded(view);
        all.push(
            view! {
                <div title="A token is 4 bytes of UTF-8, rounded up.">
                    <b>{format!("{before} → {}", count(after, "token"))}</b>
                    <small>"that agents load"</small>
                </div>
            }
            .into_any(),
        );
    }
    (!all.is_empty()).then(|| view! { <div class="facts">{all}</div> }.into_any())
}

/// Tokens of the memories before the change and after it.
fn loaded(view: &ChangeView) -> (i64, i64) {
    let of = |text: Option<&String>| text.map_or(0, |t| tokens(t));
    let before = view.edits.iter().map(|e| of(e.base_content.as_ref())).sum();
    (
        before,
        view.edits.iter().map(|e| of(e.content.as_ref())).sum(),
    )
}

fn edits(desk: &Desk, view: &ChangeView) -> AnyView {
    let several = matches!(
        view.change.kind,
        ChangeKind::Merge | ChangeKind::Restructure
    ) && view.edits.len() > 1;
    let conflict = view.change.conflicted.then(|| {
        view! {
            <p class="notice warn">
                <strong>"Conflict. "</strong>
                "The memory has changed since this was proposed. Resolve the conflict or reject \
                 the change."
            </p>
        }
    });
    let fate = several.then(|| fate(view));
    let unfolded = if several {
        0
    } else {
        UNFOLDED.min(view.edits.len())
    };
    let (first, rest) = view.edits.split_at(unfolded);
    let shown = first
        .iter()
        .enumerate()
        .map(|(i, e)| edit(desk, view, e, i == 0))
        .collect_view();
    let folded = (!rest.is_empty()).then(|| {
        let text = if several {
            format!("Show {} in full", count(rest.len(), "memory"))
        } else {
            format!("Show {}", count(rest.len(), "more memory"))
        };
        let open = view.change.conflicted;
        let all = rest
            .iter()
            .enumerate()
            .map(|(i, e)| edit(desk, view, e, several && i == 0))
            .collect_view();
        view! {
            <details class="stack" open=open>
                <summary>{text}</summary>
                <div class="edits">{all}</div>
            </details>
        }
    });
    view! { <div class="edits">{conflict}{fate}{shown}{folded}</div> }.into_any()
}

/// Shows what becomes of each statement of a merge or restructuring; what is lost comes first.
fn fate(view: &ChangeView) -> AnyView {
    let before: Vec<(&EditView, &str)> = view
        .edits
        .iter()
        .filter_map(|e| e.base_content.as_deref().map(|t| (e, t)))
        .collect();
    let after: Vec<(&EditView, &str)> = view
        .edits
        .iter()
        .filter_map(|e| e.content.as_deref().map(|t| (e, t)))
        .collect();
    let texts = |list: &[(&EditView, &str)]| {
        list.iter()
            .map(|(_, t)| (*t).to_owned())
            .collect::<Vec<_>>()
    };
    let (b, a) = (texts(&before), texts(&after));
    let mut all = fates(
        &b.iter().map(String::as_str).collect::<Vec<_>>(),
        &a.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let place = |e: &EditView| e.new_path.as_ref().unwrap_or(&e.path).to_string();
    let row = |f: &domain::statement::Fate| {
        let from = f
            .from
            .iter()
            .map(|&i| place(before[i].0))
            .collect::<Vec<_>>()
            .join(", ");
        let to =
            f.to.iter()
                .map(|&i| place(after[i].0))
                .collect::<Vec<_>>()
                .join(", ");
        let stays = f.to.len() == 1 && f.from.iter().any(|&i| place(before[i].0) == to);
        let (word, path) = if f.to.is_empty() {
            ("Lost", view! { <code>{from}</code> }.into_any())
        } else if stays {
            let copies =
                (f.from.len() > 1).then(|| format!(", once instead of {} times", f.from.len()));
            (
                "Kept",
                view! {
                    <code>{to}</code>
                    {copies}
                }
                .into_any(),
            )
        } else {
            (
                "Moved",
                view! {
                    <code>{from}</code>
                    " → "
                    <code>{to}</code>
                }
                .into_any(),
            )
        };
        view! {
            <li class:lost=f.to.is_empty()>
                <b>{word}</b>
                <span>
                    <Visible text=f.statement.clone() />
                </span>
                <small>{path}</small>
            </li>
        }
    };
    all.sort_by_key(|f| !f.to.is_empty());
    let lost = all.iter().filter(|f| f.to.is_empty()).count();
    let removed = view
        .edits
        .iter()
        .filter(|e| e.memory_id.is_some() && e.content.is_none())
        .count();
    let summary = format!(
        "{} in {}; {} removed; {}.",
        count(all.len(), "statement"),
        count(before.len(), "memory"),
        count(removed, "memory"),
        if lost == 0 {
            "nothing is lost".to_owned()
        } else {
            format!("{lost} lost")
        }
    );
    let first = all.iter().take(FATES.max(lost)).map(row).collect_view();
    let rest = all.get(FATES.max(lost)..).filter(|r| !r.is_empty()).map(|r| {
        view! {
            <details>
                <summary>{format!("Show {} that stay", count(r.len(), "more statement"))}</summary>
                <ul class="fates">{r.iter().map(row).collect_view()}</ul>
            </details>
        }
    });
    view! {
        <section class="diff-card" aria-label="What becomes of each statement">
            <header>
                <Icon name="git-merge" />
                <h2>"What becomes of each statement"</h2>
                <span class="quiet">{summary}</span>
            </header>
            <ul class="fates">{first}</ul>
            {rest}
        </section>
    }
    .into_any()
}

/// Shows what becomes of one memory. In a conflict, what it says now is shown too. The first
/// carries the switch between views.
fn edit(desk: &Desk, view: &ChangeView, edit: &EditView, first: bool) -> AnyView {
    let conflicted = view.change.conflicted;
    let (before, after) = (
        edit.base_content.clone().unwrap_or_default(),
        edit.content.clone().unwrap_or_default(),
    );
    let what = match (&edit.memory_id, &edit.content) {
        (None, _) => "new",
        (_, None) => "will be removed",
        _ if before == after && edit.new_path.is_some() => "moves",
        _ if before == after => "unchanged",
        _ => "",
    };
    let path = edit.path.to_string();
    let label = format!("Change to {path}");
    let place = match edit.memory_id {
        Some(id) => view! {
            <a href=format!("/memories/{id}")>
                <code>{path}</code>
            </a>
        }
        .into_any(),
        None => view! { <code>{path}</code> }.into_any(),
    };
    let moved = edit.new_path.as_ref().map(|to| {
        view! {
            " → "
            <code>{to.to_string()}</code>
        }
    });
    let has_moved = conflicted && edit.now_version != edit.base_version;
    let now = has_moved.then(|| {
        let text = edit.now_content.clone().unwrap_or_default();
        let gone = edit
            .now_content
            .is_none()
            .then(|| view! { <p class="quiet">"It has been removed meanwhile."</p> });
        view! {
            <h3>"Base → now"</h3>
            {gone}
            <Diff before=before.clone() after=text />
            <h3>"Base → proposed"</h3>
        }
    });
    let lines = diff::lines(&before, &after);
    let (plus, minus) = (Side::Added.count(&lines), Side::Removed.count(&lines));
    let badge = (!what.is_empty()).then(|| view! { <span class="badge">{what}</span> });
    let body = if desk.preview && !conflicted && edit.content.is_some() {
        view! { <Prose text=after /> }.into_any()
    } else {
        view! {
            {now}
            <DiffLines lines=lines />
        }
        .into_any()
    };
    view! {
        <section class="diff-card" aria-label=label>
            <header>
                <Icon name="file-text" />
                <span class="cut">{place}{moved}</span>
                {badge}
                <span class="delta">
                    <b>{format!("+{plus}")}</b>
                    " "
                    <s>{format!("−{minus}")}</s>
                </span>
                <span class="end"></span>
                {first.then(|| views(desk, view))}
            </header>
            {body}
        </section>
    }
    .into_any()
}

/// The switch between the views of a diff. It is kept for the rest of the sign-in.
fn views(desk: &Desk, view: &ChangeView) -> AnyView {
    let now = if desk.preview {
        "preview"
    } else if desk.side {
        "side"
    } else {
        "unified"
    };
    let all = [
        ("unified", "Unified"),
        ("side", "Split"),
        ("preview", "Preview"),
    ];
    let at = all.iter().position(|(word, _)| *word == now).unwrap_or(0);
    let next = all[(at + 1) % all.len()].0;
    let (changeset, change) = (
        desk.view.changeset.id.to_string(),
        view.change.id.to_string(),
    );
    let button = |(word, text): (&'static str, &'static str)| {
        view! {
            <button
                class="bare"
                name="view"
                value=word
                aria-current=(word == now).then_some("true")
                data-key=(word == next).then_some("v")
            >
                {text}
            </button>
        }
    };
    view! {
        <form method="post" action="/do/set_view" class="seg" data-swap>
            {form_token()}
            <input type="hidden" name="changeset" value=changeset />
            <input type="hidden" name="change" value=change />
            {all.map(button).collect_view()}
        </form>
    }
    .into_any()
}
