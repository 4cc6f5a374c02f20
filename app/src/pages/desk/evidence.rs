//! What speaks for a change and what against it: five quotes chosen to inform, then every session, then what stands beside it.

use std::collections::BTreeMap;

use domain::{
    changeset::ChangeKind,
    ids::SessionId,
    plural::count,
    quotes::{QuoteFacts, informative},
};
use leptos::prelude::*;
use service::{ChangeView, QuoteView};

use super::Desk;
use crate::components::{badges::OutcomeBadge, forms::form_token, text::Visible, when::When};

/// Quotes that are shown unfolded, those against it included: what can be taken in at a glance, and stands above the fold.
const QUOTES: usize = 5;
/// Characters of all of them together, captions included: of long ones there are fewer. (As many as stand above the fold at 1280 x 720.)
const QUOTED_CHARS: usize = 820;
/// As much room as a caption takes.
const CAPTION_CHARS: usize = 100;
/// Fewest that are shown unfolded, however long they are.
const FEWEST: usize = 2;
/// Of them against it, at most.
const AGAINST: usize = 2;

/// The right column.
pub fn evidence(desk: &Desk, view: &ChangeView) -> AnyView {
    let (against, support): (Vec<&QuoteView>, Vec<&QuoteView>) = view.quotes.iter().partition(|q| q.row.counter);
    let facts: Vec<QuoteFacts<'_>> =
        support.iter().map(|q| QuoteFacts { at: q.row.occurred_at, agent: q.row.agent.as_deref(), outcome: q.row.outcome }).collect();
    let length = |q: &QuoteView| q.masked.chars().count() + CAPTION_CHARS;
    let shown_against = if against.iter().take(AGAINST).map(|q| length(q)).sum::<usize>() > QUOTED_CHARS / 2 { 1 } else { AGAINST };
    let spoken_against: usize = against.iter().take(shown_against).map(|q| length(q)).sum();
    let most = QUOTES - against.len().min(shown_against);
    let fits = |n: &usize| spoken_against + informative(&facts, *n).into_iter().map(|i| length(support[i])).sum::<usize>() <= QUOTED_CHARS;
    let chosen = informative(&facts, (FEWEST..=most).rev().find(fits).unwrap_or(FEWEST));
    let first = chosen.iter().map(|&i| quote(desk, support[i])).collect_view();
    let rest: Vec<&&QuoteView> = support.iter().enumerate().filter(|(i, _)| !chosen.contains(i)).map(|(_, q)| q).collect();
    let more = (!rest.is_empty()).then(|| {
        let quotes = rest.iter().map(|q| quote(desk, q)).collect_view();
        view! { <details class="stack"><summary>{count(rest.len(), "more quote")}</summary>{quotes}</details> }
    });
    let none = support.is_empty().then(|| {
        let why = match view.change.kind {
            ChangeKind::Merge | ChangeKind::Restructure => {
                "It rests on the memories themselves, which are shown whole; no session is quoted."
            }
            _ => "No session is quoted.",
        };
        view! { <p class="quiet">{why}</p> }
    });
    let beside = format!("/changes/{}/beside", view.change.id);
    view! {
        <aside class="evidence" aria-label="Evidence">
            <div class="evidence-head"><h3>"Evidence"</h3>{reveal(desk, view)}</div>
            {none}{first}{more}
            <h3>"Against it"</h3>
            {counter(desk, view, &against, shown_against)}
            {sessions(desk, view)}
            <p><a href=beside data-key="i">"Similar memories, history, readers, like decisions"</a></p>
        </aside>
    }
    .into_any()
}

fn reveal(desk: &Desk, view: &ChangeView) -> Option<AnyView> {
    let masked = view.quotes.iter().any(|q| q.masked != q.row.quote);
    if desk.reveal {
        let back = desk.address(view.change.id);
        return Some(
            view! { <form method="post" action="/do/mask" class="inline" data-swap>{form_token()}<input type="hidden" name="back" value=back /><button class="plain quiet" data-key="m" data-revealed>"mask again"</button></form> }
                .into_any(),
        );
    }
    let (changeset, change) = (desk.view.changeset.id.to_string(), view.change.id.to_string());
    (masked && view.may_decide).then(|| {
        view! {
            <form method="post" action="/do/reveal_quotes" class="inline" data-swap>
                {form_token()}
                <input type="hidden" name="changeset" value=changeset />
                <input type="hidden" name="change" value=change />
                <button class="plain quiet" data-key="m" title="The audit will say that you looked">"reveal what is masked"</button>
            </form>
        }
        .into_any()
    })
}

fn counter(desk: &Desk, view: &ChangeView, against: &[&QuoteView], shown: usize) -> AnyView {
    if against.is_empty() {
        let text = match view.change.eligible_sessions {
            0 => "None was looked for: no session could have shown it.".to_owned(),
            n => format!("None in {}.", count(n, "eligible session")),
        };
        return view! { <p class="quiet">{text}</p> }.into_any();
    }
    let first = against.iter().take(shown).map(|q| quote(desk, q)).collect_view();
    let rest = against.get(shown..).filter(|r| !r.is_empty()).map(|r| {
        let quotes = r.iter().map(|q| quote(desk, q)).collect_view();
        view! { <details class="stack"><summary>{format!("{} more against it", r.len())}</summary>{quotes}</details> }
    });
    view! { {first}{rest} }.into_any()
}

/// Where the quote stands in its session.
fn place(q: &QuoteView) -> String {
    format!("/sessions/{}?after={}#e{}", q.row.session_id, (q.row.seq - 20).max(0), q.row.seq)
}

fn quote(desk: &Desk, view: &QuoteView) -> AnyView {
    let row = &view.row;
    // The name came with the transcript. It is masked, and as hostile as the rest of it.
    let who = row.agent.as_deref().or(row.tool.as_deref()).unwrap_or("agent unknown").to_owned();
    let check = if view.verified {
        view! { <span class="verified" title="The server found these very bytes in the stored event">"✓ verbatim"</span> }.into_any()
    } else {
        view! { <strong class="unverified">"✕ not found in its event"</strong> }.into_any()
    };
    let late = row.appendix.then(
        || view! { " "<span class="badge" title="A later dream found it; it is no part of what was approved before">"added later"</span> },
    );
    let gap = (row.gaps_near > 0).then(|| {
        let title = "Lines of the transcript near this quote could not be read";
        view! { " "<span class="badge" title=title>{count(row.gaps_near, "gap")}" near it"</span> }
    });
    view! {
        <figure class="quote" tabindex="-1" data-quote>
            <blockquote><Visible text=view.masked.clone() /></blockquote>
            <figcaption><Visible text=who />" · "<When at=row.occurred_at now=desk.now() />" "<OutcomeBadge outcome=row.outcome source=row.outcome_source />" "{check}{late}{gap}" "<a href=place(view) data-open>"open"</a></figcaption>
        </figure>
    }.into_any()
}

/// Every session that is quoted, once.
fn sessions(desk: &Desk, view: &ChangeView) -> Option<AnyView> {
    let mut by_session: BTreeMap<SessionId, Vec<&QuoteView>> = BTreeMap::new();
    for quote in &view.quotes {
        by_session.entry(quote.row.session_id).or_default().push(quote);
    }
    if by_session.is_empty() {
        return None;
    }
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
    let row = |quotes: &Vec<&QuoteView>| {
        let first = quotes[0];
        let against = quotes.iter().filter(|q| q.row.counter).count();
        let says = format!("{} for, {against} against", quotes.len() - against);
        view! {
            <tr>
                <td><a href=place(first)><Visible text=known(&first.row.external_id) /></a></td>
                <td><Visible text=known(&first.row.agent) /></td>
                <td><Visible text=known(&first.row.task_key) /></td>
                <td><OutcomeBadge outcome=first.row.outcome source=first.row.outcome_source /></td>
                <td><When at=first.row.occurred_at now=desk.now() /></td>
                <td>{says}</td>
            </tr>
        }
    };
    let summary = format!("All {} that are quoted", count(by_session.len(), "session"));
    Some(
        view! {
            <details>
                <summary>{summary}</summary>
                <div class="scroll" tabindex="0" role="region" aria-label="Quoted sessions">
                    <table><thead><tr><th>"Session"</th><th>"Agent"</th><th>"Task"</th><th>"Outcome"</th><th>"When"</th><th>"Quotes"</th></tr></thead><tbody>{by_session.values().map(row).collect_view()}</tbody></table>
                </div>
            </details>
        }
        .into_any(),
    )
}
