//! A changeset: each change with its diff, its evidence and what may be done with it; at the end what will be committed.

use std::collections::BTreeMap;

use domain::{
    briefing::tokens,
    changeset::{ChangeKind, ChangeState, RejectCode},
    ids::CommitId,
    plural::count,
};
use leptos::prelude::*;
use service::{ChangeView, ChangesetView, DecisionRow, EditView, QuoteView, RefusedForm};

use crate::{
    components::{
        badges::{KindBadge, Labels, OutcomeBadge, RiskBadge, StateBadge},
        diff::Diff,
        forms::Refused,
        layout::Heading,
        text::Visible,
        text_area::TextArea,
        when::When,
    },
    context::{Request, page},
    islands::live_diff::LiveDiff,
};

/// Most texts of one change that can be edited at once; the form's fields are counted.
const EDITABLE: usize = 5;
/// Quotes that are shown unfolded.
const UNFOLDED_QUOTES: usize = 3;

/// What every part of the page needs.
#[derive(Clone)]
struct Desk {
    request: Request,
    may_decide: bool,
    refused: Option<RefusedForm>,
    changeset: String,
}

/// The page.
#[component]
pub fn Changeset() -> impl IntoView {
    page("queue", |request| async move {
        let view = request.lucid.changeset(request.actor()?, request.id("changeset")?).await?;
        let refused = request.refused().await;
        let committed = request.asked::<CommitId>("committed");
        let desk = Desk { may_decide: view.may_decide, refused: refused.clone(), changeset: view.changeset.id.to_string(), request };
        Ok(view! {
            <Heading title=view.changeset.title.clone() trail=vec![("/queue".into(), "Queue".into())] />
            {about(&desk, &view)}
            <Refused form=refused />
            {committed.map(done)}
            <div class="changes">{view.changes.iter().map(|c| change(&desk, c)).collect_view()}</div>
            {commit_bar(&desk, &view)}
        }
        .into_any())
    })
}

fn about(desk: &Desk, view: &ChangesetView) -> impl IntoView + use<> {
    let row = &view.changeset;
    let dream = row.dream_id.map(|id| view! { " from "<a href=format!("/dreams/{id}")>"a dream"</a> });
    view! {
        <p class="about">
            <span class="badge">{row.state.as_str()}</span>" proposed "<When at=row.created_at now=desk.request.now() />{dream}
            " by "{view.created_by.clone()}" for "<a href=format!("/stores/{}", row.store_id)>{row.store_name.clone()}</a>
            {(!view.owners.is_empty()).then(|| format!("; asked first: {}", view.owners.join(", ")))}
        </p>
    }
}

fn done(commit: CommitId) -> impl IntoView {
    view! {
        <div class="notice good" role="status"><strong>"Committed. "</strong>"What was approved is in the memory now. "<a href=format!("/commits/{commit}")>"See the commit"</a></div>
    }
}

fn change(desk: &Desk, view: &ChangeView) -> AnyView {
    let c = &view.change;
    let id = c.id.to_string();
    let (heading, labelled_by) = (format!("{id}-title"), format!("{id}-title"));
    let confidence = format!("{} %", c.confidence_bp / 100);
    let (counter, support): (Vec<&QuoteView>, Vec<&QuoteView>) = view.quotes.iter().partition(|q| q.row.counter);
    let has_evidence = c.kind != ChangeKind::Merge || !view.quotes.is_empty();
    let state = if c.conflicted { "conflicted" } else { c.state.as_str() };
    view! {
        <article class="change card" id=id data-change=state tabindex="-1" aria-labelledby=labelled_by>
            <header>
                <h2 id=heading><Visible text=c.title.clone() /></h2>
                <div class="badges"><KindBadge kind=c.kind /><RiskBadge level=c.risk_level /><StateBadge state=c.state conflicted=c.conflicted /></div>
            </header>
            <div class="body">
                <div class="proposal">
                    <p><Visible text=c.rationale.clone() /></p>
                    <p class="quiet">"Confidence "{confidence}" · revision "{c.revision}" · "{tokens_added(view)}</p>
                    <Labels labels=view.labels.clone() />
                    {c.conflicted.then(conflict_note)}
                    {view.edits.iter().map(|e| edit(e, c.conflicted)).collect_view()}
                </div>
                {has_evidence.then(|| evidence(desk, &support, &counter, c.eligible_sessions))}
            </div>
            {decisions(desk, view)}
            {actions(desk, view)}
        </article>
    }
    .into_any()
}

/// What a change adds to the briefing of every agent that loads these memories whole.
fn tokens_added(view: &ChangeView) -> String {
    let of = |text: Option<&String>| text.map_or(0, |t| tokens(t));
    let added: i64 = view.edits.iter().map(|e| of(e.content.as_ref()) - of(e.base_content.as_ref())).sum();
    match added {
        0 => "adds nothing to the briefing".to_owned(),
        1.. => format!("adds {} to the briefing", count(added, "token")),
        _ => format!("takes {} from the briefing", count(-added, "token")),
    }
}

fn conflict_note() -> impl IntoView {
    view! { <p class="notice bad"><strong>"Conflict. "</strong>"The memory has changed since this was proposed, so it cannot be approved as it stands. Reject it, or dream again: what still holds is then proposed against the memory as it is now, in place of this."</p> }
}

/// One edit: what becomes of a memory. In a conflict what stands there now is shown beside it.
fn edit(edit: &EditView, conflicted: bool) -> AnyView {
    let (before, after) = (edit.base_content.clone().unwrap_or_default(), edit.content.clone().unwrap_or_default());
    let what = match (&edit.memory_id, &edit.content) {
        (None, _) => "new memory",
        (_, None) => "goes",
        _ if before == after => "stays as it is",
        _ => "changes",
    };
    let path = edit.path.to_string();
    let place = match edit.memory_id {
        Some(id) => view! { <a href=format!("/memories/{id}")><code>{path}</code></a> }.into_any(),
        None => view! { <code>{path}</code> }.into_any(),
    };
    let moved = edit.new_path.as_ref().map(|to| view! { " → "<code>{to.to_string()}</code> });
    let now = conflicted.then(|| {
        let now = edit.now_content.clone();
        let text = now.clone().unwrap_or_default();
        let gone = now.is_none().then(|| view! { <p class="quiet">"It is no longer there."</p> });
        view! { <h4>"Before → now"</h4>{gone}<Diff before=before.clone() after=text /><h4>"Before → proposed"</h4> }
    });
    view! {
        <section class="edit">
            <h3>{place}{moved}" "<span class="quiet">{what}</span></h3>
            {now}
            <Diff before=before after=after />
        </section>
    }
    .into_any()
}

fn evidence(desk: &Desk, support: &[&QuoteView], counter: &[&QuoteView], eligible: i64) -> impl IntoView + use<> {
    let against = if counter.is_empty() {
        view! { <p class="quiet">{format!("None in {}.", count(eligible, "eligible session"))}</p> }.into_any()
    } else {
        counter.iter().map(|q| quote(desk, q)).collect_view().into_any()
    };
    let more = support.get(UNFOLDED_QUOTES..).filter(|rest| !rest.is_empty()).map(|rest| {
        let quotes = rest.iter().map(|q| quote(desk, q)).collect_view();
        view! { <details class="stack"><summary>{count(rest.len(), "more quote")}</summary>{quotes}</details> }
    });
    view! {
        <div class="evidence">
            <h3>"Evidence"</h3>
            {support.iter().take(UNFOLDED_QUOTES).map(|q| quote(desk, q)).collect_view()}
            {more}
            <h3>"Against it"</h3>
            {against}
        </div>
    }
}

fn quote(desk: &Desk, view: &QuoteView) -> impl IntoView + use<> {
    let row = &view.row;
    let href = format!("/sessions/{}?after={}#e{}", row.session_id, (row.seq - 20).max(0), row.seq);
    let who = [row.agent.clone(), row.subject.clone(), row.task_key.clone().map(|t| format!("task {t}"))];
    // Who is named came with the transcript: it is as hostile, and as personal, as the rest of it.
    let who = domain::masking::mask(&who.into_iter().flatten().collect::<Vec<_>>().join(" · "));
    let check = if view.verified {
        view! { <span title="The server found these very bytes in the stored event">"✓ verbatim"</span> }.into_any()
    } else {
        view! { <strong>"✕ not found in its event"</strong> }.into_any()
    };
    view! {
        <figure class="quote">
            <blockquote><Visible text=view.masked.clone() /></blockquote>
            <figcaption>
                {row.tool.clone().map(|t| view! { <code><Visible text=t /></code>" · " })}<Visible text=who />" · "<When at=row.occurred_at now=desk.request.now() />" "
                <OutcomeBadge outcome=row.outcome />" "{check}" "<a href=href>"in the session"</a>
            </figcaption>
        </figure>
    }
}

fn decisions(desk: &Desk, view: &ChangeView) -> impl IntoView + use<> {
    let one = |d: &DecisionRow| {
        let verdict = match (d.verdict.as_str(), d.reject_code) {
            ("approve", _) => "approved".to_owned(),
            ("reject", Some(code)) => format!("rejected ({})", code.explained().to_lowercase()),
            ("reject", None) => "rejected".to_owned(),
            (_, _) => "deferred".to_owned(),
        };
        let outdated = (d.revision != view.change.revision).then(|| format!(", revision {}", d.revision));
        let back = d.taken_back_at.map(|_| ", taken back");
        let note = (!d.note.is_empty()).then(|| view! { ": "<Visible text=d.note.clone() /> });
        view! { <li>{d.user_name.clone()}" "{verdict}{outdated}{back}" "<When at=d.created_at now=desk.request.now() />{note}</li> }
    };
    let list = view.decisions.iter().map(one).collect_view();
    (!view.decisions.is_empty()).then(|| view! { <ul class="decisions" aria-label="Decisions">{list}</ul> })
}

fn actions(desk: &Desk, view: &ChangeView) -> Option<AnyView> {
    let c = &view.change;
    if !view.may_decide {
        return None;
    }
    match c.state {
        ChangeState::Pending => Some(pending_actions(desk, view)),
        ChangeState::Approved | ChangeState::Rejected | ChangeState::Deferred => Some(
            view! {
                <footer class="actions">
                    <form method="post" action="/do/take_back">
                        {named(desk, view)}
                        <button data-key="z">"Take back"</button>
                    </form>
                </footer>
            }
            .into_any(),
        ),
        ChangeState::Committed => c
            .commit_id
            .map(|id| view! { <footer class="actions"><a href=format!("/commits/{id}")>"See the commit"</a></footer> }.into_any()),
        ChangeState::Obsolete => None,
    }
}

/// The fields by which an action names what was shown.
fn named(desk: &Desk, view: &ChangeView) -> impl IntoView + use<> {
    let c = &view.change;
    view! {
        <input type="hidden" name="changeset" value=desk.changeset.clone() />
        <input type="hidden" name="change" value=c.id.to_string() />
        <input type="hidden" name="revision" value=c.revision.to_string() />
    }
}

fn vote(desk: &Desk, view: &ChangeView, verdict: &'static str) -> impl IntoView + use<> {
    view! {
        {named(desk, view)}
        <input type="hidden" name="digest" value=view.change.digest.clone() />
        <input type="hidden" name="verdict" value=verdict />
    }
}

fn pending_actions(desk: &Desk, view: &ChangeView) -> AnyView {
    let c = &view.change;
    let refused = desk.refused.as_ref().filter(|f| f.fields.get("change") == Some(&c.id.to_string()));
    let refused_as = |verdict: &str| refused.filter(|f| f.fields.get("verdict").is_some_and(|v| v == verdict)).map(|f| f.fields.clone());
    let approve = if view.contributed {
        view! { <p class="quiet">"You had a hand in this change, so somebody else has to approve it."</p> }.into_any()
    } else if c.conflicted {
        ().into_any()
    } else {
        view! { <form method="post" action="/do/decide">{vote(desk, view, "approve")}<button class="primary" data-key="a">"Approve"</button></form> }.into_any()
    };
    view! {
        <footer class="actions">
            {approve}
            {reject(desk, view, refused_as("reject"))}
            {(!c.conflicted).then(|| editor(desk, view, refused_as("edit")))}
            <form method="post" action="/do/decide">{vote(desk, view, "defer")}<button data-key="d">"Defer"</button></form>
        </footer>
    }
    .into_any()
}

fn reject(desk: &Desk, view: &ChangeView, kept: Option<BTreeMap<String, String>>) -> impl IntoView + use<> {
    let open = kept.is_some();
    let kept = kept.unwrap_or_default();
    let chosen = kept.get("reject_code").cloned().unwrap_or_default();
    let option = |code: &RejectCode| view! { <option value=code.as_str() selected=code.as_str() == chosen>{code.explained()}</option> };
    let note = kept.get("note").cloned().unwrap_or_default();
    view! {
        <details data-key="x" open=open>
            <summary class="button">"Reject"</summary>
            <form method="post" action="/do/decide" class="stack">
                {vote(desk, view, "reject")}
                <label>"Why"<select name="reject_code" required><option value="">"Choose why"</option>{RejectCode::ALL.iter().map(option).collect_view()}</select></label>
                <label>"Note"<input name="note" maxlength="2000" value=note /></label>
                <button class="danger">"Reject"</button>
            </form>
        </details>
    }
}

fn editor(desk: &Desk, view: &ChangeView, kept: Option<BTreeMap<String, String>>) -> Option<AnyView> {
    let texts: Vec<&EditView> = view.edits.iter().filter(|e| e.content.is_some()).collect();
    if texts.is_empty() || texts.len() > EDITABLE {
        return None;
    }
    let open = kept.is_some();
    let kept = kept.unwrap_or_default();
    let field = |(n, e): (usize, &&EditView)| {
        let name = ["content_0", "content_1", "content_2", "content_3", "content_4"][n];
        let id = format!("{}-{name}", view.change.id);
        let proposed = kept.get(name).or(e.content.as_ref()).cloned().unwrap_or_default();
        let base = e.base_content.clone().unwrap_or_default();
        view! {
            <h4><code>{e.path.to_string()}</code></h4>
            <TextArea name=name id=id.clone() value=proposed.clone() label=format!("Content of {}", e.path) />
            <LiveDiff area=id base=base proposed=proposed />
        }
    };
    let fields = texts.iter().enumerate().map(field).collect_view();
    Some(
        view! {
            <details data-key="e" open=open>
                <summary class="button">"Edit"</summary>
                <form method="post" action="/do/edit_change" class="stack">
                    {named(desk, view)}
                    <input type="hidden" name="digest" value=view.change.digest.clone() />
                    {fields}
                    <p class="quiet">"Saving makes a new revision. Somebody else has to approve it then."</p>
                    <button class="primary">"Save as a new revision"</button>
                </form>
            </details>
        }
        .into_any(),
    )
}

/// What will happen, and the button that does it; always at the same place.
fn commit_bar(desk: &Desk, view: &ChangesetView) -> Option<AnyView> {
    let mine = || view.changes.iter().filter(|c| c.may_decide);
    let approved: Vec<&ChangeView> = mine().filter(|c| c.change.state == ChangeState::Approved).collect();
    let pending = mine().filter(|c| c.change.state == ChangeState::Pending).count();
    if !desk.may_decide || (approved.is_empty() && pending == 0) {
        return None;
    }
    let left = count(pending, "change");
    if approved.is_empty() {
        return Some(
            view! { <div class="commit-bar"><span>{left}" to decide. What you approve can be committed here."</span></div> }.into_any(),
        );
    }
    let expected =
        approved.iter().map(|c| format!("{}:{}:{}", c.change.id, c.change.revision, c.change.digest)).collect::<Vec<_>>().join(",");
    // The same list of the same revisions is the same commit, also if the button is pressed twice.
    let key = domain::canonical::sha256_hex(expected.as_bytes());
    let conflicted = approved.iter().any(|c| c.change.conflicted);
    let warning = conflicted.then(|| view! { <strong>" One of them is conflicted: take it back first."</strong> });
    Some(
        view! {
            <form method="post" action="/do/commit" class="commit-bar">
                <input type="hidden" name="changeset" value=desk.changeset.clone() />
                <input type="hidden" name="expected" value=expected />
                <input type="hidden" name="idempotency_key" value=key />
                <span>{effects(&approved)}{(pending > 0).then(|| format!(" {left} still to decide."))}{warning}</span>
                <button class="primary" data-key="commit">{format!("Commit {}", count(approved.len(), "change"))}</button>
            </form>
        }
        .into_any(),
    )
}

/// `2 memories added, 1 merged, 1 removed.`
fn effects(approved: &[&ChangeView]) -> String {
    let of = |kinds: &[ChangeKind]| approved.iter().filter(|c| kinds.contains(&c.change.kind)).count();
    let parts = [
        (of(&[ChangeKind::Add]), "added"),
        (of(&[ChangeKind::Update, ChangeKind::Supersede, ChangeKind::Restructure]), "changed"),
        (of(&[ChangeKind::Merge]), "merged"),
        (of(&[ChangeKind::Move]), "moved"),
        (of(&[ChangeKind::Remove]), "removed"),
    ];
    let mut words: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if let Some(first) = words.first_mut() {
        *first = first.replacen(' ', if first.starts_with("1 ") { " memory " } else { " memories " }, 1);
    }
    format!("{}.", words.join(", "))
}
