//! What a person can propose about a memory: other content, another path, its removal; freezing it,
//! or ending that.

use domain::{Timestamp, plural::count, validity};
use leptos::prelude::*;
use service::{MemoryRow, RefusedForm};

use crate::components::{
    forms::{self, form_token},
    icon::Icon,
    text_area::TextArea,
};

/// Proposing other content, another place, or a removal.
pub fn propose_forms(
    memory: &MemoryRow,
    content: &str,
    refused: Option<&RefusedForm>,
    open: bool,
) -> AnyView {
    let kept = |name: &str| forms::kept(refused, name);
    let (path, text) = (
        kept("path").unwrap_or_else(|| memory.path.to_string()),
        kept("content").unwrap_or_else(|| content.to_owned()),
    );
    let named = || {
        view! {
            <input type="hidden" name="store" value=memory.store_id.to_string() />
            <input type="hidden" name="memory" value=memory.id.to_string() />
            <input type="hidden" name="sha256" value=memory.content_sha256.clone() />
        }
    };
    view! {
        <details id="suggest" open=open || kept("content").is_some()>
            <summary class="button">
                <Icon name="pencil" />
                "Suggest an edit"
            </summary>
            <form method="post" action="/do/propose_edit" class="stack card">
                {form_token()}
                {named()}
                <label>"Path"<input name="path" value=path required maxlength="1024" /></label>
                <TextArea
                    name="content"
                    id="proposed-content"
                    value=text
                    label="Content"
                    required=true
                />
                <label>
                    "Why"
                    <input
                        name="reason"
                        value=kept("reason").unwrap_or_default()
                        required
                        maxlength="2000"
                    />
                </label>
                <p class="quiet">
                    "Your suggestion waits in the queue. Another reviewer decides on it."
                </p>
                <button class="primary">"Suggest this edit"</button>
            </form>
        </details>
        <details open=kept("removal_reason").is_some()>
            <summary class="button danger">"Suggest removal"</summary>
            <form method="post" action="/do/propose_removal" class="stack card">
                {form_token()}
                {named()}
                <label>
                    "Why"
                    <input
                        name="reason"
                        value=kept("removal_reason").unwrap_or_default()
                        required
                        maxlength="2000"
                    />
                </label>
                <button class="danger">"Suggest removal"</button>
            </form>
        </details>
    }
    .into_any()
}

/// Proposing when a statement is valid.
pub fn validity_form(
    memory: &MemoryRow,
    content: &str,
    refused: Option<&RefusedForm>,
    now: Timestamp,
) -> AnyView {
    let kept = |name: &str| forms::kept(refused, name);
    let all = validity::statements(content);
    if all.is_empty() {
        return ().into_any();
    }
    let chosen = kept("statement").unwrap_or_default();
    let option = |(number, statement): (usize, validity::Statement)| {
        let short: String = statement.text.chars().take(80).collect();
        let cut = if short.len() < statement.text.len() {
            "…"
        } else {
            ""
        };
        let when = statement.validity.map_or("", |v| {
            if v.holds(now) {
                " (valid now)"
            } else {
                " (not valid now)"
            }
        });
        view! {
            <option value=number.to_string() selected=chosen == number.to_string()>
                {format!("{short}{cut}{when}")}
            </option>
        }
    };
    view! {
        <details open=kept("validity_reason").is_some()>
            <summary class="button">"Suggest when it is valid"</summary>
            <form method="post" action="/do/propose_validity" class="stack card">
                {form_token()}
                <input type="hidden" name="store" value=memory.store_id.to_string() />
                <input type="hidden" name="memory" value=memory.id.to_string() />
                <input type="hidden" name="sha256" value=memory.content_sha256.clone() />
                <label>
                    "Statement"
                    <select name="statement">
                        {all.into_iter().enumerate().map(option).collect_view()}
                    </select>
                </label>
                <label>
                    "Valid from (UTC, empty: always)"
                    <input type="date" name="from" value=kept("from").unwrap_or_default() />
                </label>
                <label>
                    "Valid until, the last day (empty: for good)"
                    <input type="date" name="until" value=kept("until").unwrap_or_default() />
                </label>
                <label>
                    "Why"
                    <input
                        name="reason"
                        value=kept("validity_reason").unwrap_or_default()
                        required
                        maxlength="2000"
                    />
                </label>
                <p class="quiet">
                    "The days are written at the end of the statement. Outside of them, the \
                     briefing leaves it out."
                </p>
                <button class="primary">"Suggest these days"</button>
            </form>
        </details>
    }
    .into_any()
}

/// Says how many statements of a memory are not valid now, so that the briefing leaves them out.
pub fn not_valid(content: &str, now: Timestamp) -> AnyView {
    let Some((_, statements)) = validity::valid_at(content, now) else {
        return ().into_any();
    };
    let verb = if statements == 1 { "is" } else { "are" };
    view! {
        <p class="notice info">
            {count(statements, "statement")}" of this memory "{verb}
            " not valid today, so the briefing leaves "{if statements == 1 { "it" } else { "them" }}
            " out."
        </p>
    }
    .into_any()
}

/// Freezing it, or proposing to end that.
pub fn freeze_form(memory: &MemoryRow, refused: Option<&RefusedForm>) -> AnyView {
    let kept = forms::kept(refused, "freeze_reason");
    let (open, reason) = (kept.is_some(), kept.unwrap_or_default());
    let (action, word, says) = if memory.frozen {
        (
            "/do/propose_unfreeze",
            "Suggest unfreezing",
            "This is a high-risk change. Once it is approved, signed and committed, dreams and \
             keys can change the memory again.",
        )
    } else {
        (
            "/do/freeze",
            "Freeze",
            "Dreams and keys can then only propose changes to it, and each is high risk.",
        )
    };
    view! {
        <details open=open>
            <summary class="button">{word}</summary>
            <form method="post" action=action class="stack card">
                {form_token()}
                <input type="hidden" name="memory" value=memory.id.to_string() />
                <label>"Why"<input name="reason" value=reason required maxlength="2000" /></label>
                <p class="quiet">{says}</p>
                <button>{word}</button>
            </form>
        </details>
    }
    .into_any()
}
