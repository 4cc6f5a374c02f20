//! The evidence for a change and against it: a few quotes chosen to inform, then every quoted
//! session.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    changeset::ChangeKind,
    ids::SessionId,
    plural::count,
    quotes::{QuoteFacts, informative},
};
use leptos::prelude::*;
use service::{ChangeView, QuoteView};

use super::{super::transcript, Desk};
use crate::components::{
    badges::OutcomeBadge, forms::form_token, icon::Icon, text::Visible, when::When,
};

/// Quotes that are shown unfolded, those against it included: what can be taken in at a glance, and
/// is above the fold.
const QUOTES: usize = 3;
/// Characters of all of them together, captions included: of long ones there are fewer. (As many as
/// are above the fold at 1280 x 720.)
const QUOTED_CHARS: usize = 400;
/// As much room as a caption takes.
const CAPTION_CHARS: usize = 100;
/// Fewest that are shown unfolded, however long they are.
const FEWEST: usize = 2;
/// Of them against it, at most.
const AGAINST: usize = 2;

/// Quotes for and against the change, with links into their sessions.
pub fn evidence(desk: &Desk, view: &ChangeView) -> AnyView {
    let (against, support): (Vec<&QuoteView>, Vec<&QuoteView>) =
        view.quotes.iter().partition(|q| q.row.counter);
    let facts: Vec<QuoteFacts<'_>> = support
        .iter()
        .map(|q| QuoteFacts {
            at: q.row.occurred_at,
            agent: q.row.agent.as_deref(),
            outcome: q.row.outcome,
        })
        .collect();
    let length = |q: &QuoteView| q.masked.chars().count() + CAPTION_CHARS;
    let shown_against = if against
        .iter()
        .take(AGAINST)
        .map(|q| length(q))
        .sum::<usize>()
        > QUOTED_CHARS / 2
    {
        1
    } else {
        AGAINST
    };
    let spoken_against: usize = against.iter().take(shown_against).map(|q| length(q)).sum();
    let most = QUOTES - against.len().min(shown_against);
    let fits = |n: &usize| {
        spoken_against
            + informative(&facts, *n)
                .into_iter()
                .map(|i| length(support[i]))
                .sum::<usize>()
            <= QUOTED_CHARS
    };
    let chosen = informative(&facts, (FEWEST..=most).rev().find(fits).unwrap_or(FEWEST));
    let first = chosen
        .iter()
        .map(|&i| quote(desk, support[i]))
        .collect_view();
    let rest: Vec<&&QuoteView> = support
        .iter()
        .enumerate()
        .filter(|(i, _)| !chosen.contains(i))
        .map(|(_, q)| q)
        .collect();
    let more = (!rest.is_empty()).then(|| {
        let quotes = rest.iter().map(|q| quote(desk, q)).collect_view();
        view! {
            <details class="stack">
                <summary>{count(rest.len(), "more quote")}</summary>
                {quotes}
            </details>
        }
    });
    let none = support.is_empty().then(|| {
        let why = match view.change.kind {
            ChangeKind::Merge | ChangeKind::Restructure => {
                "It rests on the memories themselves, which are shown whole. No session is quoted."
            }
            _ => "No session is quoted.",
        };
        view! { <p class="muted">{why}</p> }
    });
    let quoted: BTreeSet<SessionId> = support.iter().map(|q| q.row.session_id).collect();
    let of = match view.change.support_sessions {
        n if n > 0 && !quoted.is_empty() => {
            format!(
                "{} of {} quoted",
                quoted.len().min(usize::try_from(n).unwrap_or(0)),
                count(n, "session")
            )
        }
        _ => String::new(),
    };
    let related = format!("/changes/{}/related", view.change.id);
    view! {
        <details class="slot evidence" open>
            <summary>
                <h2>"Evidence"</h2>
                <span class="muted">{of}</span>
                <Icon name="chevron-down" />
            </summary>
            <div class="in">
                {none}{first}{more} {sessions(desk, view)} {reveal(desk, view)}
                <h3>"Counter-evidence"</h3> {counter(desk, view, &against, shown_against)} <p>
                    <a href=related data-key="i">
                        "Related memories and past decisions"
                    </a>
                </p>
            </div>
        </details>
    }
    .into_any()
}

fn reveal(desk: &Desk, view: &ChangeView) -> Option<AnyView> {
    let masked = view.quotes.iter().any(|q| q.masked != q.row.quote);
    if desk.reveal {
        let back = desk.address(view.change.id);
        return Some(
            view! {
                <form method="post" action="/do/mask" class="inline" data-swap>
                    {form_token()}
                    <input type="hidden" name="back" value=back />
                    <button class="plain quiet" data-key="m" data-revealed>
                        <span>"Mask again"</span>
                    </button>
                </form>
            }
            .into_any(),
        );
    }
    let (changeset, change) = (
        desk.view.changeset.id.to_string(),
        view.change.id.to_string(),
    );
    (masked && view.may_decide).then(|| {
        view! {
            <form method="post" action="/do/reveal_quotes" class="inline" data-swap>
                {form_token()}
                <input type="hidden" name="changeset" value=changeset />
                <input type="hidden" name="change" value=change />
                <button class="plain quiet" data-key="m" title="The audit records that you looked">
                    <span>"Reveal masked text"</span>
                </button>
            </form>
        }
        .into_any()
    })
}

fn counter(desk: &Desk, view: &ChangeView, against: &[&QuoteView], shown: usize) -> AnyView {
    if against.is_empty() {
        let text = match view.change.eligible_sessions {
            0 => "No session could contradict this.".to_owned(),
            n => format!("None in the {} that could show it.", count(n, "session")),
        };
        return view! { <p class="muted">{text}</p> }.into_any();
    }
    let first = against
        .iter()
        .take(shown)
        .map(|q| quote(desk, q))
        .collect_view();
    let rest = against.get(shown..).filter(|r| !r.is_empty()).map(|r| {
        let quotes = r.iter().map(|q| quote(desk, q)).collect_view();
        view! {
            <details class="stack">
                <summary>{count(r.len(), "more quote")}</summary>
                {quotes}
            </details>
        }
    });
    view! {
        {first}
        {rest}
    }
    .into_any()
}

/// The address of a quote in its session.
pub fn place(q: &QuoteView) -> String {
    transcript::address_of(q.row.session_id, q.row.seq)
}

fn quote(desk: &Desk, view: &QuoteView) -> AnyView {
    let row = &view.row;
    // The name came with the transcript. It is masked, and as hostile as the rest of it.
    let who = row
        .agent
        .as_deref()
        .or(row.tool.as_deref())
        .unwrap_or("unknown agent")
        .to_owned();
    let check = match (view.erased, view.verified) {
        (true, _) => Some(
            view! {
                <strong class="quiet">"Transcript erased"</strong>
                " · "
            }
            .into_any(),
        ),
        (false, false) => Some(
            view! {
                <strong class="red unverified">"Not found in its event"</strong>
                " · "
            }
            .into_any(),
        ),
        (false, true) => None,
    };
    let late = row.appendix.then(|| {
        view! {
            " "
            <span
                class="badge"
                title="A later dream found this. Earlier approvals did not include it."
            >
                "Added later"
            </span>
        }
    });
    let gap = (row.gaps_near > 0).then(|| {
        let title = "Lines of the transcript near this quote could not be read";
        view! {
            " "
            <span class="badge" title=title>
                {count(row.gaps_near, "gap")}
                " nearby"
            </span>
        }
    });
    let class = if row.counter {
        "quote against"
    } else {
        "quote"
    };
    let label = format!("Open the quote in its session, {who}");
    let open = (!view.row.quote.is_empty()).then(|| {
        view! {
            " "
            <a class="link" href=place(view) aria-label=label data-open>
                "Open"
            </a>
        }
    });
    view! {
        <figure class=class tabindex="-1" data-quote>
            <blockquote>
                <Visible text=view.shown() />
            </blockquote>
            <figcaption>
                {check}<Visible text=who />" · "<When at=row.occurred_at now=desk.now() />" "
                <OutcomeBadge outcome=row.outcome source=row.outcome_source />{late}{gap}{open}
            </figcaption>
        </figure>
    }
    .into_any()
}

/// Every quoted session, once.
fn sessions(desk: &Desk, view: &ChangeView) -> Option<AnyView> {
    let mut by_session: BTreeMap<SessionId, Vec<&QuoteView>> = BTreeMap::new();
    for quote in &view.quotes {
        by_session
            .entry(quote.row.session_id)
            .or_default()
            .push(quote);
    }
    if by_session.is_empty() {
        return None;
    }
    let known = |value: &Option<String>, what: &str| {
        value.clone().unwrap_or_else(|| format!("unknown {what}"))
    };
    let row = |quotes: &Vec<&QuoteView>| {
        let first = quotes[0];
        let against = quotes.iter().filter(|q| q.row.counter).count();
        let says = format!("{} for, {against} against", quotes.len() - against);
        view! {
            <li>
                <p class="cut">
                    <a class="link" href=place(first)>
                        <Visible text=known(&first.row.external_id, "session") />
                    </a>
                </p>
                <p class="meta">
                    <span>
                        <Visible text=known(&first.row.agent, "agent") />
                    </span>
                    <span>
                        <Visible text=known(&first.row.task_key, "task") />
                    </span>
                    <OutcomeBadge outcome=first.row.outcome source=first.row.outcome_source />
                    <When at=first.row.occurred_at now=desk.now() />
                    <span>{says}</span>
                </p>
            </li>
        }
    };
    let summary = format!(
        "All {} quoted, verified verbatim",
        count(by_session.len(), "session")
    );
    let unverified = view
        .quotes
        .iter()
        .filter(|q| !q.verified && !q.erased)
        .count();
    let summary = if unverified == 0 {
        summary
    } else {
        format!(
            "All {} quoted; {unverified} not verified",
            count(by_session.len(), "session")
        )
    };
    Some(
        view! {
            <details>
                <summary>{summary}</summary>
                <ul class="stack">{by_session.values().map(row).collect_view()}</ul>
            </details>
        }
        .into_any(),
    )
}
