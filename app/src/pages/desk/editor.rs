//! The editor, in place of the diff: other contents for a change, or, where the memory has moved,
//! carrying it over to what is there now. Either makes a new revision. Its form is in the middle of
//! the desk, the button that sends it where all decisions are.

use std::collections::BTreeMap;

use domain::{
    changeset::ChangeState,
    merge::{Conflict, conflicts},
    plural::count,
};
use leptos::prelude::*;
use service::{ChangeView, Rebase, RebaseEdit};

use super::{Desk, decide::named};
use crate::{
    components::{diff::Diff, forms::form_token, icon::Icon, text::Visible, text_area::TextArea},
    islands::live_diff::LiveDiff,
};

/// Most texts of one change that can be edited at once; the form's fields are counted.
const EDITABLE: usize = 5;
/// The names of the fields with the contents.
const CONTENTS: [&str; EDITABLE] = [
    "content_0",
    "content_1",
    "content_2",
    "content_3",
    "content_4",
];
/// The form's id, by which the button in the rail names it.
const FORM: &str = "editor";

/// True if the change can be edited here, or resolved where it is in conflict.
pub fn may_edit(desk: &Desk, view: &ChangeView) -> bool {
    if !view.may_decide || !desk.view.changeset.state.is_reviewed() || !view.change.state.is_open()
    {
        return false;
    }
    if view.change.conflicted {
        return view
            .rebase()
            .is_some_and(|r| !r.edits.is_empty() && puts(&r).len() <= EDITABLE);
    }
    let texts = view.edits.iter().filter(|e| e.content.is_some()).count();
    view.change.state != ChangeState::Deferred && (1..=EDITABLE).contains(&texts)
}

/// The edits of a rebase that write something.
fn puts(rebase: &Rebase) -> Vec<&RebaseEdit> {
    rebase.edits.iter().filter(|e| e.merged.is_some()).collect()
}

/// The form that edits the contents of a change.
pub fn editor(desk: &Desk, view: &ChangeView) -> AnyView {
    if view.change.conflicted {
        return view
            .rebase()
            .map_or_else(|| ().into_any(), |rebase| resolve(desk, view, &rebase));
    }
    let kept = desk
        .kept("edit")
        .map(|f| f.fields.clone())
        .unwrap_or_default();
    let fields: Vec<_> = view
        .edits
        .iter()
        .filter(|e| e.content.is_some())
        .map(|e| {
            (
                e.path.to_string(),
                e.base_content.clone().unwrap_or_default(),
                e.content.clone().unwrap_or_default(),
            )
        })
        .collect();
    view! {
        <form
            method="post"
            action="/do/edit_change"
            class="stack editor"
            id=FORM
            data-editing
            data-swap
        >
            {form_token()}
            {named(desk, view)}
            {texts(&view.change.id.to_string(), &fields, &kept)}
        </form>
    }
    .into_any()
}

/// Carrying a conflicted change over to the memory as it is now.
fn resolve(desk: &Desk, view: &ChangeView, rebase: &Rebase) -> AnyView {
    let kept = desk
        .kept("rebase")
        .map(|f| f.fields.clone())
        .unwrap_or_default();
    let against = rebase
        .edits
        .iter()
        .map(|e| e.version.map_or_else(|| "-".to_owned(), |v| v.to_string()))
        .collect::<Vec<_>>()
        .join(",");
    let puts = puts(rebase);
    let both: usize = puts
        .iter()
        .filter_map(|e| e.merged.as_ref())
        .map(|m| m.both)
        .sum();
    let fields: Vec<_> = puts
        .iter()
        .map(|e| {
            (
                e.path.clone(),
                e.now.clone().unwrap_or_default(),
                e.merged
                    .as_ref()
                    .map(|m| m.text.clone())
                    .unwrap_or_default(),
            )
        })
        .collect();
    let removed = rebase.edits.iter().filter(|e| e.merged.is_none());
    let removed = removed.map(|e| {
        view! {
            <h3>
                <code>{e.path.clone()}</code>
                " will be removed, as it is now"
            </h3>
            <Diff before=e.now.clone().unwrap_or_default() after=String::new() />
        }
    });
    let what = match both {
        0 => "Both changes are merged below; they touch different lines. Check the result, then \
            save it."
            .to_owned(),
        n => format!(
            "{}, marked in the text: first the lines as they are now, then as proposed. Choose a \
             side of each, or edit the text and delete the marks. Then save it.",
            count(n, "conflict")
        ),
    };
    view! {
        <form
            method="post"
            action="/do/rebase_change"
            class="stack editor"
            id=FORM
            data-editing
            data-swap
        >
            {form_token()}
            {named(desk, view)}
            <input type="hidden" name="against" value=against />
            <p>{what}</p>
            {texts(&view.change.id.to_string(), &fields, &kept)}
            {removed.collect_view()}
        </form>
    }
    .into_any()
}

/// Text areas with what they change beneath them: path, text before, text in the area.
fn texts(
    change: &str,
    fields: &[(String, String, String)],
    kept: &BTreeMap<String, String>,
) -> AnyView {
    let field = |(n, (path, base, text)): (usize, &(String, String, String))| {
        let name = CONTENTS[n];
        let id = format!("{change}-{name}");
        let text = kept.get(name).unwrap_or(text).clone();
        let conflicts = marked(&id, &conflicts(&text));
        view! {
            <h3>
                <code>{path.clone()}</code>
            </h3>
            {conflicts}
            <TextArea
                name=name
                id=id.clone()
                value=text.clone()
                label=format!("Content of {path}")
            />
            <LiveDiff area=id base=base.clone() proposed=text />
        }
    };
    fields
        .iter()
        .enumerate()
        .map(field)
        .collect_view()
        .into_any()
}

/// The conflicts that are marked in the text area of this id, with a button for either side.
fn marked(area: &str, all: &[Conflict]) -> Option<AnyView> {
    let button = |(word, text): (&'static str, &'static str)| {
        view! {
            <button type="button" data-choice=word>
                {text}
            </button>
        }
    };
    let card = |conflict: &Conflict| {
        view! {
            <section class="conflict" data-conflict aria-label="Conflict">
                <div>
                    <h4>"Now"</h4>
                    <pre>
                        <Visible text=conflict.now.clone() />
                    </pre>
                </div>
                <div>
                    <h4>"Proposed"</h4>
                    <pre>
                        <Visible text=conflict.proposed.clone() />
                    </pre>
                </div>
                <p class="line">
                    {[("now", "Keep now"), ("proposed", "Take proposed"), ("both", "Keep both")]
                        .map(button)
                        .collect_view()}
                </p>
            </section>
        }
    };
    let left = format!("{} left.", count(all.len(), "conflict"));
    (!all.is_empty()).then(|| {
        view! {
            <div class="conflicts stack" data-conflicts-of=area.to_owned()>
                <p class="quiet" role="status">
                    {left}
                </p>
                {all.iter().map(card).collect_view()}
            </div>
        }
        .into_any()
    })
}

/// Shows what takes the place of the decision while the editor is open.
pub fn save(desk: &Desk, view: &ChangeView) -> AnyView {
    let others: Vec<String> = view
        .needs
        .from
        .iter()
        .filter(|n| *n != desk.reader())
        .cloned()
        .collect();
    let warning = if others.is_empty() && !desk.view.solo {
        view! {
            <p class="notice warn">
                "If you save this, nobody is left to approve it: an editor does not count as an \
                 approver. An admin can grant somebody else access to this store."
            </p>
        }
        .into_any()
    } else {
        view! {
            <p class="quiet">
                "Saving makes a new revision. Approvals so far no longer count, and you cannot \
                 approve it yourself."
            </p>
        }
        .into_any()
    };
    let word = format!("Save revision {}", view.change.revision + 1);
    view! {
        <button form=FORM class="primary">
            <span>{word}</span>
            <kbd class="key" aria-hidden="true">
                "Ctrl ↵"
            </kbd>
        </button>
        <div class="others">
            <a class="button" href=desk.address(view.change.id) data-swap data-key="cancel">
                <Icon name="x" />
                "Discard"
                <kbd class="key" aria-hidden="true">
                    "Esc"
                </kbd>
            </a>
        </div>
        {warning}
    }
    .into_any()
}
