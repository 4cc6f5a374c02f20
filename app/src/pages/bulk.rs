//! Deciding on many changes together: what each would do is shown first, each is a decision of its own, and each says by itself
//! whether it went through. The address names what was chosen: changes, or changesets with all that waits in them.

use domain::{
    changeset::RejectCode,
    ids::{ChangeId, ChangesetId},
    plural::count,
    review::BULK,
    risk::RiskLevel,
};
use leptos::prelude::*;
use service::ChangeView;

use super::desk::waits_for_reader;
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

/// Bytes of contents and proposed contents that the page shows; what is larger is opened by itself.
const SHOWN_BYTES: usize = 256 * 1024;

/// A change that was chosen.
struct Chosen {
    view: ChangeView,
    /// Whether its diff is shown here. Where it is not, its contents are not kept either.
    shown: bool,
}

/// The page.
#[component]
pub fn Bulk() -> impl IntoView {
    page("queue", |request| async move {
        let mut chosen = chosen(&request).await?;
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
        let open: Vec<&ChangeView> = chosen.iter().map(|c| &c.view).filter(|c| waits_for_reader(c)).take(BULK).collect();
        let high = open.iter().filter(|c| c.change.risk_level == RiskLevel::High).count();
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

/// Every change that the address names, in its changeset's order.
async fn chosen(request: &Request) -> service::Result<Vec<Chosen>> {
    let actor = request.actor()?;
    let mut changesets: Vec<(ChangesetId, Option<ChangeId>)> = Vec::new();
    for name in request.query.keys().take(BULK + 1) {
        if let Ok(id) = name.parse::<ChangesetId>() {
            changesets.push((id, None));
        } else if let Ok(id) = name.parse::<ChangeId>() {
            changesets.push((request.lucid.changeset_of(actor, id).await?, Some(id)));
        }
    }
    let (mut all, mut room) = (Vec::new(), SHOWN_BYTES);
    let mut read: Vec<ChangesetId> = changesets.iter().map(|(id, _)| *id).collect();
    read.dedup();
    for id in read {
        let view = request.lucid.changeset(actor, id).await?;
        let whole = changesets.contains(&(id, None));
        let named = |c: &ChangeView| changesets.contains(&(id, Some(c.change.id)));
        for mut view in view.changes.into_iter().filter(|c| named(c) || (whole && c.change.state.is_open())) {
            let size = |text: &Option<String>| text.as_ref().map_or(0, String::len);
            let bytes: usize = view.edits.iter().map(|e| size(&e.base_content) + size(&e.content)).sum();
            let shown = bytes <= room;
            if shown {
                room -= bytes;
            } else {
                view.edits.clear();
                view.quotes.clear();
            }
            all.push(Chosen { view, shown });
        }
    }
    Ok(all)
}

fn row(chosen: &Chosen) -> AnyView {
    let c = &chosen.view;
    let href = format!("/changesets/{}?change={}", c.change.changeset_id, c.change.id);
    let diffs = c
        .edits
        .iter()
        .take(3)
        .map(|e| {
            let (before, after) = (e.base_content.clone().unwrap_or_default(), e.content.clone().unwrap_or_default());
            view! { <h3><code>{e.path.to_string()}</code></h3><Diff before=before after=after /> }
        })
        .collect_view();
    let more = c.edits.len().saturating_sub(3);
    let more = (more > 0).then(|| view! { <p class="quiet">{format!("and {}", count(more, "more memory"))}</p> });
    let does = if chosen.shown {
        view! { <details><summary>"What it would do"</summary>{diffs}{more}</details> }.into_any()
    } else {
        view! { <p class="quiet">"It is too large to be shown here. Open it to see what it would do."</p> }.into_any()
    };
    view! {
        <li class="card">
            <div class="badges"><KindBadge kind=c.change.kind /><RiskBadge level=c.change.risk_level /><StateBadge state=c.change.state conflicted=c.change.conflicted /></div>
            <h2><a href=href><Visible text=c.change.title.clone() /></a></h2>
            {does}
        </li>
    }.into_any()
}

fn decide(request: &Request, open: &[&ChangeView], high: usize) -> AnyView {
    let expected = open.iter().map(|c| format!("{}:{}:{}", c.change.id, c.change.revision, c.change.digest)).collect::<Vec<_>>().join(",");
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
