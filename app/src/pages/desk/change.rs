//! The change itself: what it says, how much is behind it, what is risky about it, what becomes of each memory.

use domain::{briefing::tokens, changeset::ChangeKind, plural::count, statement::fates};
use leptos::prelude::*;
use service::{ChangeView, CommentRow, DecisionRow, EditView, Needs};

use super::Desk;
use crate::components::{
    badges::{KindBadge, Labels, RiskBadge, StateBadge},
    diff::Diff,
    forms::form_token,
    number::Number,
    text::Visible,
    when::When,
};

/// Edits whose diffs are shown unfolded.
const UNFOLDED: usize = 2;
/// Statements whose fate is shown unfolded.
const FATES: usize = 8;

/// The middle column.
pub fn change(desk: &Desk, view: &ChangeView) -> AnyView {
    let c = &view.change;
    let id = c.id.to_string();
    let (title, labelled_by) = (format!("{id}-title"), format!("{id}-title"));
    let state = if c.conflicted { "conflicted" } else { c.state.as_str() };
    let deferred = c.defer_until.map(|at| view! { <p class="quiet">"Put off until "<When at=at now=desk.now() /></p> });
    view! {
        <article class="change" id=id data-change=state tabindex="-1" data-focus aria-labelledby=labelled_by>
            <header>
                <h2 id=title><Visible text=c.title.clone() /></h2>
                <div class="badges"><KindBadge kind=c.kind /><RiskBadge level=c.risk_level /><StateBadge state=c.state conflicted=c.conflicted /></div>
            </header>
            {numbers(view)}
            <p class="rationale"><Visible text=c.rationale.clone() /></p>
            <Labels labels=view.labels.clone() />
            {needs(&view.needs, view)}
            {deferred}
            {edits(desk, view)}
            {decisions(desk, view)}
            {comments(desk, &view.comments)}
        </article>
    }.into_any()
}

/// How much is behind it, each number with what it means.
fn numbers(view: &ChangeView) -> AnyView {
    let c = &view.change;
    let rate = (c.eligible_sessions > 0).then(|| {
        let percent = 100 * c.support_sessions / c.eligible_sessions;
        view! { <Number text=format!("{} of {} ({percent} %)", c.support_sessions, count(c.eligible_sessions, "session")) means="sessions in which it was seen, of those in which it could have been" /> }
    });
    let known = |n: i64, noun: &str, means: &'static str| (n > 0).then(|| view! { <Number text=count(n, noun) means=means /> });
    view! {
        <p class="numbers">
            {rate}
            {known(c.support_subjects, "user", "different end users, by their pseudonyms, in whose sessions it was seen")}
            {known(c.support_tasks, "task", "different tasks in which it was seen")}
            {c.recorders.map(|n| view! { <Number text=count(n, "recorder") means="independent people or systems through whom these sessions came. Users, tasks and teams are what they say; of one recorder nobody else confirms it" /> })}
            {(c.occurrences > c.support_sessions).then(|| known(c.occurrences, "time", "how often it was seen, several times in one session counted each time"))}
            {(c.confidence_bp > 0).then(|| view! { <Number text=format!("confidence {} %", c.confidence_bp / 100) means="how sure the distiller is; computed by rules for the built-in one, a model's own claim otherwise. No rule reads it" /> })}
            <Number text=tokens_added(view) means="what agents that load these memories whole read more or less, at 4 bytes a token" />
            <Number text=format!("revision {}", c.revision) means="each edit or rebase makes a new one; decisions count for the one that they name" />
        </p>
    }.into_any()
}

/// What a change adds to what agents load.
fn tokens_added(view: &ChangeView) -> String {
    let of = |text: Option<&String>| text.map_or(0, |t| tokens(t));
    let before: i64 = view.edits.iter().map(|e| of(e.base_content.as_ref())).sum();
    let after: i64 = view.edits.iter().map(|e| of(e.content.as_ref())).sum();
    format!("{before} → {}", count(after, "token"))
}

/// Whose approval it has, and whose it still needs.
fn needs(needs: &Needs, view: &ChangeView) -> Option<AnyView> {
    if !view.change.state.is_open() {
        return None;
    }
    let given = if needs.given.is_empty() { "none yet".to_owned() } else { format!("given by {}", needs.given.join(", ")) };
    let open = match (needs.satisfied, needs.impossible) {
        (true, _) => "satisfied".to_owned(),
        (_, true) if needs.from.is_empty() => "cannot be satisfied: nobody who may decide here is independent of it. An admin can grant somebody else the store, or ask for fewer approvals in its settings".to_owned(),
        (_, true) => format!("cannot be satisfied: only {} could give one. An admin can grant somebody else the store, or ask for fewer approvals in its settings", needs.from.join(", ")),
        _ => format!("missing; {} can give it", either(&needs.from)),
    };
    let class = if needs.satisfied {
        "needs good"
    } else if needs.impossible {
        "needs bad"
    } else {
        "needs"
    };
    Some(view! { <p class=class>"Needs "{count(needs.approvals, "approval")}", "{given}": "<strong>{open}</strong></p> }.into_any())
}

fn either(names: &[String]) -> String {
    match names {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} or {last}", rest.join(", ")),
    }
}

fn edits(desk: &Desk, view: &ChangeView) -> AnyView {
    let several = matches!(view.change.kind, ChangeKind::Merge | ChangeKind::Restructure) && view.edits.len() > 1;
    let conflict = view.change.conflicted.then(|| {
        view! { <p class="notice bad"><strong>"Conflict. "</strong>"The memory has changed since this was proposed, so it cannot be approved as it stands. Rebase it onto what stands there now, or reject it."</p> }
    });
    let fate = several.then(|| fate(view));
    let (toggle, other) = if desk.side { ("one below the other", "unified") } else { ("side by side", "side") };
    let (changeset, change) = (desk.view.changeset.id.to_string(), view.change.id.to_string());
    let switch = view! {
        <form method="post" action="/do/set_view" class="view-switch" data-swap>
            {form_token()}
            <input type="hidden" name="changeset" value=changeset />
            <input type="hidden" name="change" value=change />
            <input type="hidden" name="view" value=other />
            <button class="plain quiet" data-key="v">{toggle}</button>
        </form>
    };
    let unfolded = if several { 0 } else { UNFOLDED.min(view.edits.len()) };
    let (first, rest) = view.edits.split_at(unfolded);
    let shown = first.iter().map(|e| edit(e, view.change.conflicted)).collect_view();
    let folded = (!rest.is_empty()).then(|| {
        let text = format!("{} in full", count(rest.len(), "memory"));
        let open = view.change.conflicted;
        view! { <details class="stack" open=open><summary>{text}</summary>{rest.iter().map(|e| edit(e, open)).collect_view()}</details> }
    });
    view! { {conflict}{fate}<div class="edits">{switch}{shown}{folded}</div> }.into_any()
}

/// What becomes of each statement of a merge or restructuring.
fn fate(view: &ChangeView) -> AnyView {
    let before: Vec<(&EditView, &str)> = view.edits.iter().filter_map(|e| e.base_content.as_deref().map(|t| (e, t))).collect();
    let after: Vec<(&EditView, &str)> = view.edits.iter().filter_map(|e| e.content.as_deref().map(|t| (e, t))).collect();
    let texts = |list: &[(&EditView, &str)]| list.iter().map(|(_, t)| (*t).to_owned()).collect::<Vec<_>>();
    let (b, a) = (texts(&before), texts(&after));
    let all = fates(&b.iter().map(String::as_str).collect::<Vec<_>>(), &a.iter().map(String::as_str).collect::<Vec<_>>());
    let place = |e: &EditView| e.new_path.as_ref().unwrap_or(&e.path).to_string();
    let row = |f: &domain::statement::Fate| {
        let from = f.from.iter().map(|&i| place(before[i].0)).collect::<Vec<_>>().join(", ");
        let to = f.to.iter().map(|&i| place(after[i].0)).collect::<Vec<_>>().join(", ");
        let becomes = if f.to.is_empty() {
            view! { <strong class="lost">"lost"</strong> }.into_any()
        } else {
            view! { "stays in "<code>{to}</code> }.into_any()
        };
        view! { <li class:lost=f.to.is_empty()><span class="said"><Visible text=f.statement.clone() /></span><span class="quiet"><code>{from}</code>" → "{becomes}</span></li> }
    };
    let mut sorted = all;
    // What is lost comes first: it is what must be looked at.
    sorted.sort_by_key(|f| !f.to.is_empty());
    let lost = sorted.iter().filter(|f| f.to.is_empty()).count();
    let goes = view.edits.iter().filter(|e| e.memory_id.is_some() && e.content.is_none()).count();
    let summary = format!(
        "{} in {}; {} {}; {}.",
        count(sorted.len(), "statement"),
        count(before.len(), "memory"),
        count(goes, "memory"),
        if goes == 1 { "goes" } else { "go" },
        if lost == 0 { "nothing is lost".to_owned() } else { format!("{lost} lost") }
    );
    let first = sorted.iter().take(FATES.max(lost)).map(row).collect_view();
    let rest = sorted.get(FATES.max(lost)..).filter(|r| !r.is_empty()).map(|r| {
        view! { <details><summary>{format!("{} more that stay", r.len())}</summary><ul class="fates">{r.iter().map(row).collect_view()}</ul></details> }
    });
    view! { <section class="fate"><h3>"What becomes of each statement"</h3><p class="quiet">{summary}</p><ul class="fates">{first}</ul>{rest}</section> }.into_any()
}

/// One edit: what becomes of a memory. In a conflict what stands there now is shown beside it.
fn edit(edit: &EditView, conflicted: bool) -> AnyView {
    let (before, after) = (edit.base_content.clone().unwrap_or_default(), edit.content.clone().unwrap_or_default());
    let what = match (&edit.memory_id, &edit.content) {
        (None, _) => "new memory",
        (_, None) => "goes",
        _ if before == after && edit.new_path.is_some() => "moves",
        _ if before == after => "stays as it is",
        _ => "changes",
    };
    let path = edit.path.to_string();
    let place = match edit.memory_id {
        Some(id) => view! { <a href=format!("/memories/{id}")><code>{path}</code></a> }.into_any(),
        None => view! { <code>{path}</code> }.into_any(),
    };
    let moved = edit.new_path.as_ref().map(|to| view! { " → "<code>{to.to_string()}</code> });
    let has_moved = conflicted && edit.now_version != edit.base_version;
    let now = has_moved.then(|| {
        let now = edit.now_content.clone();
        let text = now.clone().unwrap_or_default();
        let gone = now.is_none().then(|| view! { <p class="quiet">"It is no longer there."</p> });
        view! { <h4>"Before → now"</h4>{gone}<Diff before=before.clone() after=text /><h4>"Before → proposed"</h4> }
    });
    view! { <section class="edit"><h3>{place}{moved}" "<span class="quiet">{what}</span></h3>{now}<Diff before=before after=after /></section> }.into_any()
}

fn decisions(desk: &Desk, view: &ChangeView) -> AnyView {
    let one = |d: &DecisionRow| {
        let verdict = match (d.verdict.as_str(), d.reject_code) {
            ("approve", _) => "approved".to_owned(),
            ("reject", Some(code)) => format!("rejected ({})", code.explained().to_lowercase()),
            ("reject", None) => "rejected".to_owned(),
            (_, _) => "deferred".to_owned(),
        };
        let outdated = (d.revision != view.change.revision).then(|| format!(", revision {}", d.revision));
        let back = d.taken_back_at.map(|_| ", taken back");
        let signed = d.meaning.clone().map(|meaning| view! { " "<span class="badge signed" title="The password was entered again for this; name, time and meaning are bound to the digest">"✎ signed “"{meaning}"”"</span> });
        let note = (!d.note.is_empty()).then(|| view! { ": "<Visible text=d.note.clone() /> });
        view! { <li>{d.user_name.clone()}" "{verdict}{outdated}{back}{signed}" "<When at=d.created_at now=desk.now() />{note}</li> }
    };
    let list = view.decisions.iter().map(one).collect_view();
    (!view.decisions.is_empty()).then(|| view! { <ul class="decisions" aria-label="Decisions">{list}</ul> }).into_any()
}

fn comments(desk: &Desk, comments: &[CommentRow]) -> AnyView {
    let one = |c: &CommentRow| view! { <li><p class="wrap"><Visible text=c.body.clone() /></p><span class="quiet">{c.user_name.clone()}", revision "{c.revision}", "<When at=c.created_at now=desk.now() /></span></li> };
    let list = comments.iter().map(one).collect_view();
    (!comments.is_empty()).then(|| view! { <section class="comments"><h3>"Comments"</h3><ol>{list}</ol></section> }).into_any()
}
