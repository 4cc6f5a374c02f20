//! What a change needs before it may be committed, as a checklist.

use domain::{changeset::ChangeState, plural::count, risk::RiskLevel};
use leptos::prelude::*;
use service::ChangeView;

use super::Desk;
use crate::components::{forms::capital, icon::Icon, when::When};

/// The slot; there is none once the change is decided for good.
pub fn requirements(desk: &Desk, view: &ChangeView) -> Option<AnyView> {
    let c = &view.change;
    if !c.state.is_open() {
        return None;
    }
    let needs = &view.needs;
    let given = needs.given.len().min(needs.approvals);
    let deferred = c
        .defer_until
        .filter(|_| c.state == ChangeState::Deferred)
        .map(|at| {
            view! {
                <p class="check-line">
                    <Icon name="clock" />
                    <span>"Deferred until "<When at=at now=desk.now() /></span>
                </p>
            }
        });
    let mine = view.may_decide.then(|| {
        if view.contributed {
            line(
                false,
                "You contributed to this change, so your approval does not count",
            )
        } else {
            line(true, "You did not contribute to this change")
        }
    });
    let fresh = if c.conflicted {
        line(false, "The memory has changed since this was proposed")
    } else {
        line(true, "The memory has not changed since")
    };
    let sign = (c.risk_level == RiskLevel::High).then(|| {
        let text = "High risk: each approval is signed with the password";
        view! {
            <p class="check-line">
                <Icon name="key-round" />
                <span>{text}</span>
            </p>
        }
    });
    Some(
        view! {
            <details class="slot" open>
                <summary>
                    <h2>"Requirements"</h2>
                    <span class="muted">{given}" of "{needs.approvals}</span>
                    <Icon name="chevron-down" />
                </summary>
                <div class="in needs">{approvals(desk, view)}{mine}{fresh}{sign}{deferred}</div>
            </details>
        }
        .into_any(),
    )
}

fn line(ok: bool, text: &'static str) -> AnyView {
    if ok {
        view! {
            <p class="check-line">
                <Icon name="check" class="ok" />
                <span>{text}</span>
            </p>
        }
        .into_any()
    } else {
        view! {
            <p class="check-line">
                <Icon name="triangle-alert" class="no" />
                <span>{text}</span>
            </p>
        }
        .into_any()
    }
}

/// Whose approval it has, and who can give what is missing.
fn approvals(desk: &Desk, view: &ChangeView) -> AnyView {
    let needs = &view.needs;
    let given = needs.given.len().min(needs.approvals);
    let label = format!("{given} of {}", count(needs.approvals, "approval"));
    let pips = (0..needs.approvals)
        .map(|n| view! { <i class=if n < given { "on" } else { "" }></i> })
        .collect_view();
    let have = match &needs.given[..] {
        [] => String::new(),
        all => format!("{} approved. ", joined(all, desk.reader(), "and")),
    };
    let missing = needs.approvals - given;
    let more = match (needs.satisfied, needs.impossible) {
        (true, _) => "Nothing is missing.".to_owned(),
        (_, true) if needs.from.is_empty() => {
            "Nobody independent can approve this. An admin can add a reviewer to this store or ask \
             for fewer approvals."
                .to_owned()
        }
        (_, true) => format!(
            "{} more needed, and only {} could give one. An admin can add a reviewer to this store \
             or ask for fewer approvals.",
            count(missing, "approval"),
            either(&needs.from, desk.reader())
        ),
        _ => format!(
            "{} needed. {} can give it.",
            count(missing, "approval"),
            capital(&either(&needs.from, desk.reader()))
        ),
    };
    view! {
        <p class="check-line">
            <span class="pips" role="img" aria-label=label>
                {pips}
            </span>
            <span>{have}{more}</span>
        </p>
    }
    .into_any()
}

/// Names with `or` before the last, the reader as `you` and first.
pub fn either(names: &[String], reader: &str) -> String {
    joined(names, reader, "or")
}

fn joined(names: &[String], reader: &str, word: &str) -> String {
    let (mut all, others): (Vec<String>, Vec<String>) =
        names.iter().cloned().partition(|n| n == reader);
    for name in &mut all {
        "you".clone_into(name);
    }
    all.extend(others);
    match &all[..] {
        [] => "an independent reviewer".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} {word} {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_comes_first_as_you() {
        let names = ["Ada".to_owned(), "Rui".to_owned(), "Jun".to_owned()];
        assert_eq!(either(&names, "Rui"), "you, Ada or Jun");
        assert_eq!(capital(&either(&names[..1], "Rui")), "Ada");
        assert_eq!(joined(&names[..2], "Rui", "and"), "you and Ada");
        assert_eq!(either(&[], "Rui"), "an independent reviewer");
    }
}
