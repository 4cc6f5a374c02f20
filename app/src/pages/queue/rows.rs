//! The rows of the queue: changes that wait, by when they are due, and changesets that are done.

use domain::{
    Timestamp,
    changeset::{ChangeState, ChangesetOrigin},
    plural::count,
    rights::Action,
};
use leptos::prelude::*;
use service::{DoneRow, WaitingChange};

use crate::{
    components::{
        badges::RiskBadge, forms::form_token, layout::Avatar, prose::Inline, text::Visible,
        when::When,
    },
    context::Request,
};

/// Returns where a change is decided.
pub fn desk_of(c: &WaitingChange) -> String {
    format!("/changesets/{}?change={}", c.changeset_id, c.id)
}

/// The list, in groups by when it is due.
pub fn waiting_list(request: &Request, rows: Vec<WaitingChange>) -> AnyView {
    let now = request.now();
    let mut groups: Vec<(&'static str, Vec<WaitingChange>)> = Vec::new();
    for c in rows {
        let group = due_group(&c, now);
        match groups.last_mut() {
            Some((last, inside)) if *last == group => inside.push(c),
            _ => groups.push((group, vec![c])),
        }
    }
    let me = request.current.as_ref().map(|c| c.user.id);
    let holds = |c: &WaitingChange| {
        request
            .actor()
            .is_ok_and(|actor| actor.may(Action::Decide, c.store_id))
    };
    let show = |(title, inside): (&'static str, Vec<WaitingChange>)| {
        let number = inside.len();
        view! {
            <h2>
                <b>{title}</b>
                " "
                {number}
            </h2>
            <ul>
                {inside.into_iter().map(|c| waiting_row(&c, now, me, holds(&c))).collect_view()}
            </ul>
        }
    };
    view! {
        <form method="get" action="/bulk" id="chosen" class="rows" aria-label="Changes">
            {groups.into_iter().map(show).collect_view()}
        </form>
        <form method="post" action="/do/hold_change" id="hold">
            {form_token()}
        </form>
    }
    .into_any()
}

fn due_group(c: &WaitingChange, now: Timestamp) -> &'static str {
    if c.state == ChangeState::Deferred {
        "Deferred"
    } else if c.due_at < now {
        "Overdue"
    } else if c.due_at < now.plus_seconds(86_400) {
        "Due within a day"
    } else {
        "Later"
    }
}

fn waiting_row(
    c: &WaitingChange,
    now: Timestamp,
    me: Option<domain::ids::UserId>,
    holds: bool,
) -> AnyView {
    let (id, href, due) = (c.id.to_string(), desk_of(c), due(c, now));
    let label = format!("Select “{}”", c.title);
    let approvals = format!(
        "{} of {}",
        c.given.min(c.needed),
        count(c.needed, "approval")
    );
    let pips = (0..c.needed)
        .map(|n| view! { <i class=if n < c.given { "on" } else { "" }></i> })
        .collect_view();
    let claimed = c.claimed_name.clone().map(|name| {
        let (who, title) = (format!("Claimed by {name}"), format!("Claimed by {name}"));
        view! {
            <span class="claim" title=title>
                <Avatar name=name me=c.claimed_by == me />
                <span class="visually-hidden">{who}</span>
            </span>
        }
    });
    view! {
        <li class="row" data-row>
            <input type="checkbox" name=id value="on" aria-label=label data-key=" " />
            <div class="b">
                <p class="t cut">
                    <a href=href data-open>
                        <Visible text=c.title.clone() />
                    </a>
                </p>
                <p class="d cut">{scheduled(c, now, holds)}<Inline text=substance(c) /></p>
            </div>
            <span class="c">
                <RiskBadge level=c.risk_level />
            </span>
            <span class="c">
                <span class="pips" role="img" aria-label=approvals>
                    {pips}
                </span>
                <span aria-hidden="true">{c.given.min(c.needed)}"/"{c.needed}</span>
            </span>
            {due}
            <span class="c num">{claimed}</span>
        </li>
    }
    .into_any()
}

fn due(c: &WaitingChange, now: Timestamp) -> AnyView {
    if c.state == ChangeState::Deferred {
        return view! { <span class="c num"></span> }.into_any();
    }
    let class = if c.due_at < now {
        "c num due late"
    } else if c.due_at < now.plus_seconds(86_400) {
        "c num due soon"
    } else {
        "c num due"
    };
    view! {
        <span class=class>
            <When at=c.due_at now=now />
        </span>
    }
    .into_any()
}

/// That a policy applies it, and when; and the button that keeps it from that.
fn scheduled(c: &WaitingChange, now: Timestamp, holds: bool) -> Option<AnyView> {
    let (at, name, version) = (c.applies_at?, c.policy_name.clone()?, c.policy_version?);
    let waits = c.state == ChangeState::Pending && !c.held && !c.conflicted;
    waits.then(|| {
        let when = if at <= now {
            "Applies next".to_owned()
        } else {
            format!("Applies {}", at.relative_to(now))
        };
        let label = format!("Hold “{}” for review", c.title);
        view! {
            {holds
                .then(|| {
                    view! {
                        <button
                            form="hold"
                            class="plain"
                            name="change"
                            value=c.id.to_string()
                            data-key="h"
                            aria-label=label
                        >
                            "Hold"
                        </button>
                        " "
                    }
                })}
            <strong title=at.exact()>{when}" by "<Visible text=name />" v"{version}". "</strong>
        }
        .into_any()
    })
}

/// One line from the change itself: what happened to it, else its reason's first sentence.
fn substance(c: &WaitingChange) -> String {
    let path = c.path.clone().unwrap_or_default();
    if c.conflicted {
        return format!("Conflict: {path} has changed since this was proposed.");
    }
    let said = first_sentence(&c.rationale);
    match c.origin {
        ChangesetOrigin::Agent => format!("An agent asks to write {path}. {said}"),
        _ if said.is_empty() => path,
        _ => said,
    }
}

/// The first sentence of a text, on one line.
fn first_sentence(text: &str) -> String {
    let line = text
        .lines()
        .map(str::trim)
        .find(|l| !l.is_empty())
        .unwrap_or_default();
    let end = line
        .match_indices(['.', '?', '!'])
        .map(|(i, _)| i + 1)
        .find(|&i| line[i..].starts_with(' '));
    line[..end.unwrap_or(line.len())].to_owned()
}

/// Changesets in which nothing is left to do.
pub fn ended_list(rows: Vec<DoneRow>, now: Timestamp) -> AnyView {
    let row = |r: DoneRow| {
        let href = format!("/changesets/{}", r.changeset.id);
        view! {
            <li class="row" data-row>
                <span></span>
                <div class="b">
                    <p class="t cut">
                        <a href=href data-open>
                            <Visible text=r.changeset.title.clone() />
                        </a>
                    </p>
                    <p class="d cut">
                        <Visible text=r.changeset.store_name.clone() />
                        ": "
                        {ended(&r)}
                    </p>
                </div>
                <span class="c"></span>
                <span class="c"></span>
                <span class="c num">
                    <When at=r.changeset.updated_at now=now />
                </span>
                <span class="c"></span>
            </li>
        }
    };
    view! {
        <div class="rows">
            <ul aria-label="Changesets">{rows.into_iter().map(row).collect_view()}</ul>
        </div>
    }
    .into_any()
}

/// Returns what came of a changeset: all of it, some or nothing.
fn ended(row: &DoneRow) -> String {
    match (row.committed, row.rejected) {
        (0, 0) => row.changeset.state.to_string(),
        (n, 0) => format!("{n} committed"),
        (0, m) => format!("{m} rejected"),
        (n, m) => format!("{n} committed, {m} rejected"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_ends_at_a_full_stop_before_a_space() {
        assert_eq!(
            first_sentence("\n It failed 3.5 times. Then it worked."),
            "It failed 3.5 times."
        );
        assert_eq!(first_sentence("no end"), "no end");
        assert_eq!(first_sentence("Été. 5 fois."), "Été.");
        assert_eq!(first_sentence(""), "");
    }
}
