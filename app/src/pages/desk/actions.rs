//! What can be done with the open change, and what a commit will do: one bar, always at the same place. Each action names the revision
//! and digest that were shown.

use std::collections::BTreeMap;

use domain::{
    changeset::{Action, ChangeKind, ChangeState, RejectCode},
    plural::count,
    risk::RiskLevel,
};
use leptos::prelude::*;
use service::{ChangeView, EditView, RebaseEdit};

use super::Desk;
use crate::{
    components::{
        diff::Diff,
        forms::{Refused, form_token},
        text_area::TextArea,
    },
    islands::live_diff::LiveDiff,
};

/// Most texts of one change that can be edited at once; the form's fields are counted.
const EDITABLE: usize = 5;
/// The fields' names.
const CONTENTS: [&str; EDITABLE] = ["content_0", "content_1", "content_2", "content_3", "content_4"];

/// The bar.
pub fn bar(desk: &Desk) -> AnyView {
    let refused = desk.refused.clone().filter(|f| f.fields.contains_key("change"));
    let open = desk.open();
    view! {
        <section class="desk-bar" aria-label="Decide">
            <Refused form=refused />
            <div class="actions">
                {open.and_then(|c| decide(desk, c))}
                {open.filter(|c| c.may_decide && desk.view.changeset.state.is_reviewed()).map(|c| comment(desk, c))}
                {claim(desk)}
            </div>
            {commit(desk)}
        </section>
    }
    .into_any()
}

/// The fields by which an action names what was shown.
fn named(desk: &Desk, view: &ChangeView) -> impl IntoView + use<> {
    let c = &view.change;
    view! {
        <input type="hidden" name="changeset" value=desk.view.changeset.id.to_string() />
        <input type="hidden" name="change" value=c.id.to_string() />
        <input type="hidden" name="revision" value=c.revision.to_string() />
        <input type="hidden" name="digest" value=c.digest.clone() />
    }
}

fn vote(desk: &Desk, view: &ChangeView, verdict: &'static str) -> impl IntoView + use<> {
    view! { {named(desk, view)}<input type="hidden" name="verdict" value=verdict /> }
}

fn decide(desk: &Desk, view: &ChangeView) -> Option<AnyView> {
    let c = &view.change;
    if !view.may_decide {
        return Some(
            view! { <p class="quiet">"You can read this; deciding needs a reviewer’s grant on every path that it touches."</p> }.into_any(),
        );
    }
    if !desk.view.changeset.state.is_reviewed() {
        return Some(view! { <p class="quiet">"This changeset is "{desk.view.changeset.state.as_str()}"; nothing can be decided in it any more."</p> }.into_any());
    }
    let decided = view.decisions.iter().any(|d| d.taken_back_at.is_none() && d.revision == c.revision);
    let back = (decided && c.state.after(Action::TakeBack).is_ok()).then(|| {
        view! { <form method="post" action="/do/take_back" data-swap>{form_token()}{named(desk, view)}<button data-key="t">"Take back"</button></form> }
    });
    match c.state {
        ChangeState::Pending => {
            Some(view! { {approve(desk, view)}{reject(desk, view)}{editor(desk, view)}{defer(desk, view)}{back} }.into_any())
        }
        ChangeState::Approved | ChangeState::Deferred if c.conflicted => Some(view! { {rebase(desk, view)}{back} }.into_any()),
        ChangeState::Approved => {
            let more = (!view.needs.satisfied && !view.approved_by_me).then(|| approve(desk, view));
            Some(view! { {more}{back}{editor(desk, view)} }.into_any())
        }
        ChangeState::Rejected | ChangeState::Deferred => Some(back.into_any()),
        ChangeState::Committed => c.commit_id.map(|id| view! { <a href=format!("/commits/{id}")>"See the commit"</a> }.into_any()),
        ChangeState::Obsolete => Some(
            view! { <p class="quiet">"It no longer holds: a later dream did not find it any more, or it was taken back."</p> }.into_any(),
        ),
    }
}

fn approve(desk: &Desk, view: &ChangeView) -> AnyView {
    if view.change.conflicted {
        return rebase(desk, view);
    }
    if view.contributed {
        return view! { <p class="quiet">"You contributed to this change or brought its evidence (or count as one person with somebody who did), so somebody else has to approve it."</p> }.into_any();
    }
    // Where fewer approvals are asked for than when it was given, the one that stands is enough: approving it says so.
    if view.approved_by_me && !view.needs.satisfied {
        return view! { <p class="quiet">"You have approved it; it waits for somebody else."</p> }.into_any();
    }
    let sign = (view.change.risk_level == RiskLevel::High && !desk.signed).then(|| {
        view! { <label class="sign">"Password, to sign"<input type="password" name="password" autocomplete="current-password" maxlength="1024" required /></label> }
    });
    let word = if view.change.risk_level == RiskLevel::High { "Approve and sign" } else { "Approve" };
    view! { <form method="post" action="/do/decide" class="approve" data-swap>{form_token()}{vote(desk, view, "approve")}{sign}<button class="primary" data-key="a">{word}</button></form> }.into_any()
}

fn reject(desk: &Desk, view: &ChangeView) -> AnyView {
    let kept = desk.kept("reject").map(|f| f.fields.clone());
    let open = kept.is_some();
    let kept = kept.unwrap_or_default();
    let chosen = kept.get("reject_code").cloned().unwrap_or_default();
    let option = |code: &RejectCode| view! { <option value=code.as_str() selected=code.as_str() == chosen>{code.explained()}</option> };
    let note = kept.get("note").cloned().unwrap_or_default();
    view! {
        <details data-key="x" open=open>
            <summary class="button">"Reject"</summary>
            <form method="post" action="/do/decide" class="stack" data-swap>{form_token()}
                {vote(desk, view, "reject")}
                <label>"Why"<select name="reject_code" required><option value="">"Choose why"</option>{RejectCode::ALL.iter().map(option).collect_view()}</select></label>
                <label>"Note"<input name="note" maxlength="2000" value=note /></label>
                <button class="danger">"Reject"</button>
            </form>
        </details>
    }.into_any()
}

fn defer(desk: &Desk, view: &ChangeView) -> AnyView {
    let kept = desk.kept("defer").map(|f| f.fields.clone());
    let open = kept.is_some();
    let kept = kept.unwrap_or_default();
    let until = kept.get("until").cloned().unwrap_or_else(|| desk.now().plus_seconds(7 * 86_400).date());
    let least = desk.now().plus_seconds(86_400).date();
    view! {
        <details data-key="d" open=open>
            <summary class="button">"Defer"</summary>
            <form method="post" action="/do/decide" class="stack" data-swap>{form_token()}
                {vote(desk, view, "defer")}
                <label>"Until the morning of (UTC; empty: until somebody takes it back)"<input type="date" name="until" value=until min=least /></label>
                <label>"Note"<input name="note" maxlength="2000" value=kept.get("note").cloned().unwrap_or_default() /></label>
                <button>"Defer"</button>
            </form>
        </details>
    }.into_any()
}

fn editor(desk: &Desk, view: &ChangeView) -> Option<AnyView> {
    let texts: Vec<&EditView> = view.edits.iter().filter(|e| e.content.is_some()).collect();
    if texts.is_empty() || texts.len() > EDITABLE || view.change.conflicted {
        return None;
    }
    let kept = desk.kept("edit").map(|f| f.fields.clone());
    let open = kept.is_some();
    let kept = kept.unwrap_or_default();
    let fields: Vec<_> = texts
        .iter()
        .map(|e| (e.path.to_string(), e.base_content.clone().unwrap_or_default(), e.content.clone().unwrap_or_default()))
        .collect();
    Some(
        view! {
            <details data-key="e" open=open>
                <summary class="button">"Edit"</summary>
                <form method="post" action="/do/edit_change" class="stack" data-swap>{form_token()}
                    {named(desk, view)}
                    {texts_of(&view.change.id.to_string(), &fields, &kept)}
                    <p class="quiet">"Saving makes a new revision: it outdates the approvals so far, and somebody else has to approve it."</p>
                    <button class="primary">"Save as a new revision"</button>
                </form>
            </details>
        }
        .into_any(),
    )
}

/// Text areas with what they change beside them: path, text before, text that stands in them.
fn texts_of(change: &str, fields: &[(String, String, String)], kept: &BTreeMap<String, String>) -> AnyView {
    let field = |(n, (path, base, text)): (usize, &(String, String, String))| {
        let name = CONTENTS[n];
        let id = format!("{change}-{name}");
        let text = kept.get(name).unwrap_or(text).clone();
        view! {
            <h4><code>{path.clone()}</code></h4>
            <TextArea name=name id=id.clone() value=text.clone() label=format!("Content of {path}") />
            <LiveDiff area=id base=base.clone() proposed=text />
        }
    };
    fields.iter().enumerate().map(field).collect_view().into_any()
}

/// Carrying a conflicted change over to what stands there now.
fn rebase(desk: &Desk, view: &ChangeView) -> AnyView {
    let Some(rebase) = view.rebase().filter(|r| !r.edits.is_empty()) else {
        return view! { <p class="quiet">"What it would remove is gone already; reject it."</p> }.into_any();
    };
    let puts: Vec<&RebaseEdit> = rebase.edits.iter().filter(|e| e.merged.is_some()).collect();
    if puts.len() > EDITABLE {
        return view! { <p class="quiet">"It writes too many memories to be rebased here; reject it, the next dream proposes what still holds."</p> }.into_any();
    }
    let kept = desk.kept("rebase").map(|f| f.fields.clone());
    let open = kept.is_some();
    let kept = kept.unwrap_or_default();
    let against = rebase.edits.iter().map(|e| e.version.map_or_else(|| "-".to_owned(), |v| v.to_string())).collect::<Vec<_>>().join(",");
    let both: usize = puts.iter().filter_map(|e| e.merged.as_ref()).map(|m| m.both).sum();
    let fields: Vec<_> = puts
        .iter()
        .map(|e| (e.path.clone(), e.now.clone().unwrap_or_default(), e.merged.as_ref().map(|m| m.text.clone()).unwrap_or_default()))
        .collect();
    let goes = rebase.edits.iter().filter(|e| e.merged.is_none()).map(|e| view! { <h4><code>{e.path.clone()}</code>" goes, as it stands now"</h4><Diff before=e.now.clone().unwrap_or_default() after=String::new() /> }).collect_view();
    let what = match both {
        0 => "Both changes are brought together below; nothing touched the same lines. Look at it, then save.".to_owned(),
        n => format!("In {} both changed the same lines, and both stand below: keep what is right, then save.", count(n, "place")),
    };
    view! {
        <details data-key="e" open=open>
            <summary class="button primary">"Rebase"</summary>
            <form method="post" action="/do/rebase_change" class="stack" data-swap>{form_token()}
                {named(desk, view)}
                <input type="hidden" name="against" value=against />
                <p>{what}</p>
                {texts_of(&view.change.id.to_string(), &fields, &kept)}
                {goes}
                <p class="quiet">"Saving makes a new revision against the memory as it is now; the approvals so far are outdated, and somebody else has to approve it."</p>
                <button class="primary">"Save as a new revision"</button>
            </form>
        </details>
    }
    .into_any()
}

fn comment(desk: &Desk, view: &ChangeView) -> AnyView {
    let kept = desk.kept("comment").and_then(|f| f.fields.get("body").cloned());
    let open = kept.is_some();
    let id = format!("{}-comment", view.change.id);
    view! {
        <details data-key="c" open=open>
            <summary class="button">"Comment"</summary>
            <form method="post" action="/do/comment" class="stack" data-swap>{form_token()}
                {named(desk, view)}
                <TextArea name="body" id=id value=kept.unwrap_or_default() rows=3 label="Comment" />
                <button>"Say it"</button>
            </form>
        </details>
    }
    .into_any()
}

/// Pulling the changeset into one's own review, or letting go of it.
fn claim(desk: &Desk) -> Option<AnyView> {
    let me = desk.request.current.as_ref()?.user.id;
    if !desk.view.may_decide || !desk.view.changes.iter().any(|c| c.change.state.is_open()) {
        return None;
    }
    let (action, word) = match &desk.view.claim {
        None => ("/do/claim", "Claim"),
        Some(c) if c.user_id == me => ("/do/release", "Release"),
        Some(_) => return None,
    };
    let title = if action == "/do/claim" { "Others see that you work on it, for ten minutes at a time" } else { "Let somebody else go on" };
    Some(
        view! { <form method="post" action=action class="claim" data-swap>{form_token()}<input type="hidden" name="changeset" value=desk.view.changeset.id.to_string() /><button title=title data-key="r">{word}</button></form> }
            .into_any(),
    )
}

/// What will happen, and the button that does it.
fn commit(desk: &Desk) -> Option<AnyView> {
    let view = &desk.view;
    let mine = || view.changes.iter().filter(|c| c.may_decide);
    let ready = |c: &&ChangeView| c.change.state == ChangeState::Approved && c.needs.satisfied && !c.change.conflicted;
    let approved: Vec<&ChangeView> = mine().filter(ready).collect();
    let held = mine().filter(|c| c.change.state == ChangeState::Approved).count() - approved.len();
    let left = mine().filter(|c| c.waits_for_reader()).count();
    if !view.may_decide || (approved.is_empty() && left == 0 && held == 0) {
        return None;
    }
    let left = (left > 0).then(|| format!(" {} left for you.", count(left, "change")));
    let held = (held > 0).then(|| format!(" {} approved and conflicted, or lacking an approval: not in it.", count(held, "change")));
    if approved.is_empty() {
        return Some(
            view! { <div class="commit-bar"><span class="quiet">{left}{held}" What you approve can be committed here."</span></div> }
                .into_any(),
        );
    }
    let expected =
        approved.iter().map(|c| format!("{}:{}:{}", c.change.id, c.change.revision, c.change.digest)).collect::<Vec<_>>().join(",");
    // The same list of the same revisions is the same commit, also if the button is pressed twice.
    let key = domain::canonical::sha256_hex(expected.as_bytes());
    Some(
        view! {
            <form method="post" action="/do/commit" class="commit-bar" data-swap>{form_token()}
                <input type="hidden" name="changeset" value=view.changeset.id.to_string() />
                <input type="hidden" name="expected" value=expected />
                <input type="hidden" name="idempotency_key" value=key />
                <span>{left}{held}</span>
                <button class="primary" data-key="commit">{format!("Commit: {}", effects(&approved).trim_end_matches('.'))}</button>
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
