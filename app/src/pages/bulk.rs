//! Deciding on several selected changes. The page shows the effect of each first; each is a
//! decision of its own, with its own result. High-risk changes are decided one by one only. The
//! address names the selection: changes, or changesets with all their pending changes.

use domain::{
    changeset::RejectCode,
    plural::count,
    review::BULK,
    risk::{Label, RiskLevel},
};
use leptos::prelude::*;
use service::{Choice, ChosenChange};

use crate::{
    components::{
        badges::{KindBadge, Labels, RiskBadge},
        diff::Diff,
        forms::{Refused, form_token},
        layout::{Empty, Heading},
        prose::Inline,
        text::Visible,
    },
    context::{Request, page},
};

/// `/bulk`: decides on many changes at once.
#[component]
pub fn Bulk() -> impl IntoView {
    page("queue", |request| async move {
        let mut chosen = request
            .lucid
            .chosen(request.actor()?, &choices(&request))
            .await?;
        let refused = request.refused().await;
        let over = chosen.len() > BULK;
        chosen.truncate(BULK);
        // What is decided already is no part of it.
        let open: Vec<&ChosenChange> = chosen.iter().filter(|c| c.waits_for_reader).collect();
        let trail = || vec![("/queue".into(), "Queue".into())];
        if open.is_empty() {
            return Ok(view! {
                <Heading title="Review selected" trail=trail() />
                <Refused form=refused />
                <Empty title="Nothing is selected">
                    <p>
                        "Select changes in the queue or on the desk, then choose Review selected."
                    </p>
                    <p>
                        <a class="button primary" href="/queue">
                            "Go to the queue"
                        </a>
                    </p>
                </Empty>
            }
            .into_any());
        }
        let high = open
            .iter()
            .filter(|c| c.change.risk_level == RiskLevel::High)
            .count();
        let rows = open.iter().map(|c| row(c)).collect_view();
        let limit = over.then(|| {
            view! {
                <p class="notice warn">
                    {format!(
                        "At most {BULK} changes are decided together. The first {BULK} are below.",
                    )}
                </p>
            }
        });
        let single = (high > 0).then(|| {
            view! {
                <p class="notice warn">
                    {format!(
                        "{} of high risk: open it to decide it by itself.",
                        count(high, "change"),
                    )}
                </p>
            }
        });
        Ok(view! {
            <Heading
                title=format!("Review {}", count(open.len(), "selected change"))
                trail=trail()
            />
            <Refused form=refused />
            {limit}
            {single}
            <form method="post" action="/do/decide_many" class="stack">
                {form_token()}
                <ul class="bulk">{rows}</ul>
                {(open.len() > high).then(|| decide(&request))}
            </form>
        }
        .into_any())
    })
}

/// Returns what the address names: changes, and changesets.
fn choices(request: &Request) -> Vec<Choice> {
    let named = |name: &String| match (name.parse(), name.parse()) {
        (Ok(id), _) => Some(Choice::Changeset(id)),
        (_, Ok(id)) => Some(Choice::Change(id)),
        _ => None,
    };
    request
        .query
        .keys()
        .take(BULK + 1)
        .filter_map(named)
        .collect()
}

fn row(chosen: &ChosenChange) -> AnyView {
    let c = &chosen.change;
    let href = format!("/changesets/{}?change={}", c.changeset_id, c.id);
    let edits = chosen.edits.as_deref().unwrap_or_default();
    let diffs = edits
        .iter()
        .take(EDITS)
        .map(|e| {
            let (before, after) = (
                e.base_content.clone().unwrap_or_default(),
                e.content.clone().unwrap_or_default(),
            );
            view! {
                <h3>
                    <code>{e.path.to_string()}</code>
                </h3>
                <Diff before=before after=after />
            }
        })
        .collect_view();
    let more = edits.len().saturating_sub(EDITS);
    let more = (more > 0)
        .then(|| view! { <p class="quiet">{format!("and {}", count(more, "more memory"))}</p> });
    let does = if chosen.edits.is_some() {
        view! {
            {diffs}
            {more}
        }
        .into_any()
    } else {
        view! {
            <p class="quiet">
                "This change is too large to be shown here. Open it to see what it does."
            </p>
        }
        .into_any()
    };
    let value = format!("{}:{}:{}", c.id, c.revision, c.digest);
    let title = c.title.clone();
    let choose = if c.risk_level == RiskLevel::High {
        view! {
            <a class="button" href=href.clone()>
                "Open to decide"
            </a>
        }
        .into_any()
    } else {
        view! {
            <input
                type="checkbox"
                name="chosen[]"
                value=value
                checked
                aria-label=format!("Include “{title}”")
            />
        }
        .into_any()
    };
    let support = (c.eligible_sessions > 0).then(|| {
        view! {
            <span>
                {format!("{} of {}", c.support_sessions, count(c.eligible_sessions, "session"))}
            </span>
        }
    });
    let labels: Vec<Label> = serde_json::from_str(&c.labels).unwrap_or_default();
    view! {
        <li class="card">
            <div class="line">
                {choose}<h2>
                    <a href=href>
                        <Visible text=title />
                    </a>
                </h2>
            </div>
            <p class="meta">
                <RiskBadge level=c.risk_level long=true />
                <KindBadge kind=c.kind />
                {support}
            </p>
            <p>
                <Inline text=c.rationale.clone() />
            </p>
            <Labels labels=labels />
            {does}
        </li>
    }
    .into_any()
}

/// Edits of a change that are shown.
const EDITS: usize = 3;

fn decide(request: &Request) -> AnyView {
    let option =
        |code: &RejectCode| view! { <option value=code.as_str()>{code.explained()}</option> };
    let until = request.now().plus_seconds(7 * 86_400).date();
    view! {
        <div class="card stack">
            <fieldset>
                <legend>"Decision on each selected change"</legend>
                <label class="check">
                    <input type="radio" name="verdict" value="approve" required />
                    "Approve"
                </label>
                <label class="check">
                    <input type="radio" name="verdict" value="reject" />
                    "Reject"
                </label>
                <label class="check">
                    <input type="radio" name="verdict" value="defer" />
                    "Defer"
                </label>
            </fieldset>
            <label>
                "Reason, if you reject"<select name="reject_code">
                    <option value="">"Choose a reason"</option>
                    {RejectCode::ALL.iter().map(option).collect_view()}
                </select>
            </label>
            <label>
                "Until, if you defer (00:00 UTC)"<input type="date" name="until" value=until />
            </label>
            <label>"Note (optional)"<input name="note" maxlength="2000" /></label>
            <p class="quiet">
                "Each change gets its own decision and its own audit entry. You can withdraw each \
                 by itself."
            </p>
            <button class="primary">"Decide selected changes"</button>
        </div>
    }
    .into_any()
}
