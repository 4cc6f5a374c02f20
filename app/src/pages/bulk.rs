//! Deciding on many changes together: what each would do is shown first, each is a decision of its own, and each says by itself
//! whether it went through. The address names what was chosen: changes, or changesets with all that waits in them.

use domain::{changeset::RejectCode, plural::count, review::BULK, risk::RiskLevel};
use leptos::prelude::*;
use service::{ChangeRow, Choice, ChosenChange};

use crate::{
    components::{
        badges::{KindBadge, RiskBadge, StateBadge},
        diff::Diff,
        forms::{Refused, form_token},
        layout::{Empty, Heading},
        text::Visible,
    },
    context::{Request, page},
};

/// The page.
#[component]
pub fn Bulk() -> impl IntoView {
    page("queue", |request| async move {
        let mut chosen = request.lucid.chosen(request.actor()?, &choices(&request)).await?;
        let refused = request.refused().await;
        if chosen.is_empty() {
            return Ok(view! {
                <Heading title="Decide together" trail=vec![("/queue".into(), "Queue".into())] />
                <Refused form=refused />
                <Empty title="Nothing was chosen">"Choose changes in the list of a changeset, or changesets in the queue, then press “Decide chosen”. "<a href="/queue">"To the queue"</a></Empty>
            }
            .into_any());
        }
        let over = chosen.len() > BULK;
        chosen.truncate(BULK);
        let open: Vec<&ChangeRow> = chosen.iter().filter(|c| c.waits_for_reader).map(|c| &c.change).collect();
        let high = open.iter().filter(|c| c.risk_level == RiskLevel::High).count();
        let rows = chosen.iter().map(row).collect_view();
        let form = (!open.is_empty()).then(|| decide(&request, &open, high));
        Ok(view! {
            <Heading title=format!("Decide on {} together", count(open.len(), "change")) trail=vec![("/queue".into(), "Queue".into())] />
            <Refused form=refused />
            {over.then(|| view! { <p class="notice bad">{format!("At most {BULK} are decided together; the first {BULK} are.")}</p> })}
            {(high > 0).then(|| view! { <p class="notice bad">{format!("{} of high risk: each is decided only if you have opened it, and approved only with your password.", count(high, "change"))}</p> })}
            <ul class="bulk">{rows}</ul>
            {form}
        }
        .into_any())
    })
}

/// What the address names: changes, and changesets.
fn choices(request: &Request) -> Vec<Choice> {
    let named = |name: &String| match (name.parse(), name.parse()) {
        (Ok(id), _) => Some(Choice::Changeset(id)),
        (_, Ok(id)) => Some(Choice::Change(id)),
        _ => None,
    };
    request.query.keys().take(BULK + 1).filter_map(named).collect()
}

fn row(chosen: &ChosenChange) -> AnyView {
    let c = &chosen.change;
    let href = format!("/changesets/{}?change={}", c.changeset_id, c.id);
    let edits = chosen.edits.as_deref().unwrap_or_default();
    let diffs = edits
        .iter()
        .take(3)
        .map(|e| {
            let (before, after) = (e.base_content.clone().unwrap_or_default(), e.content.clone().unwrap_or_default());
            view! { <h3><code>{e.path.to_string()}</code></h3><Diff before=before after=after /> }
        })
        .collect_view();
    let more = edits.len().saturating_sub(3);
    let more = (more > 0).then(|| view! { <p class="quiet">{format!("and {}", count(more, "more memory"))}</p> });
    let does = if chosen.edits.is_some() {
        view! { <details><summary>"What it would do"</summary>{diffs}{more}</details> }.into_any()
    } else {
        view! { <p class="quiet">"It is too large to be shown here. Open it to see what it would do."</p> }.into_any()
    };
    view! {
        <li class="card">
            <div class="badges"><KindBadge kind=c.kind /><RiskBadge level=c.risk_level /><StateBadge state=c.state conflicted=c.conflicted /></div>
            <h2><a href=href><Visible text=c.title.clone() /></a></h2>
            {does}
        </li>
    }.into_any()
}

fn decide(request: &Request, open: &[&ChangeRow], high: usize) -> AnyView {
    let expected = open.iter().map(|c| format!("{}:{}:{}", c.id, c.revision, c.digest)).collect::<Vec<_>>().join(",");
    let option = |code: &RejectCode| view! { <option value=code.as_str()>{code.explained()}</option> };
    let until = request.now().plus_seconds(7 * 86_400).date();
    let sign = (high > 0).then(|| view! { <label>"Password, to sign what is of high risk"<input type="password" name="password" autocomplete="current-password" maxlength="1024" /></label> });
    view! {
        <form method="post" action="/do/decide_many" class="stack card">{form_token()}
            <input type="hidden" name="expected" value=expected />
            <fieldset>
                <legend>"All of them"</legend>
                <label class="check"><input type="radio" name="verdict" value="approve" required />"approve"</label>
                <label class="check"><input type="radio" name="verdict" value="reject" />"reject"</label>
                <label class="check"><input type="radio" name="verdict" value="defer" />"defer"</label>
            </fieldset>
            <label>"Why, if they are rejected"<select name="reject_code"><option value="">"Choose why"</option>{RejectCode::ALL.iter().map(option).collect_view()}</select></label>
            <label>"Until when, if they are deferred"<input type="date" name="until" value=until /></label>
            <label>"Note"<input name="note" maxlength="2000" /></label>
            {sign}
            <p class="quiet">"Each is a decision of its own, with its own entry in the audit, and can be taken back by itself."</p>
            <button class="primary">{format!("Decide on {}", count(open.len(), "change"))}</button>
        </form>
    }.into_any()
}
