//! Small marks that say a state by word and icon, and by colour last.

use domain::{
    changeset::{ChangeKind, ChangeState},
    event::{OutcomeResult, OutcomeSource},
    risk::{Label, RiskLevel},
};
use leptos::prelude::*;

use super::icon::Icon;

/// Shows what a change does.
#[component]
pub fn KindBadge(kind: ChangeKind) -> impl IntoView {
    let (icon, word) = match kind {
        ChangeKind::Add => (view! { <Icon name="file-plus" /> }, "Add"),
        ChangeKind::Update => (view! { <Icon name="file-pen" /> }, "Update"),
        ChangeKind::Supersede => (view! { <Icon name="file-pen" /> }, "Supersede"),
        ChangeKind::Merge => (view! { <Icon name="git-merge" /> }, "Merge"),
        ChangeKind::Restructure => (view! { <Icon name="list-tree" /> }, "Restructure"),
        ChangeKind::Move => (view! { <Icon name="file-symlink" /> }, "Move"),
        ChangeKind::Remove => (view! { <Icon name="file-minus" /> }, "Remove"),
    };
    view! { <span class="kind">{icon}{word}</span> }
}

/// How risky a change is: a dot and a word, loud only where it is high.
#[component]
pub fn RiskBadge(
    level: RiskLevel,
    /// True if to say `High risk`, not `High`.
    #[prop(optional)]
    long: bool,
) -> impl IntoView {
    let word = match level {
        RiskLevel::High => "High",
        RiskLevel::Medium => "Medium",
        RiskLevel::Low => "Low",
    };
    let rest = if long {
        view! { " risk" }.into_any()
    } else {
        view! { <span class="visually-hidden">" risk"</span> }.into_any()
    };
    view! {
        <span class=format!("risk {}", level.as_str())>
            <span>{word}{rest}</span>
        </span>
    }
}

/// The word for a change's state.
#[must_use]
pub const fn state_word(state: ChangeState, conflicted: bool) -> &'static str {
    match state {
        ChangeState::Pending | ChangeState::Approved | ChangeState::Deferred if conflicted => {
            "conflicted"
        }
        ChangeState::Pending => "pending",
        ChangeState::Approved => "approved",
        ChangeState::Rejected => "rejected",
        ChangeState::Deferred => "deferred",
        ChangeState::Obsolete => "obsolete",
        ChangeState::Committed => "committed",
    }
}

/// The icon for a change's state.
pub fn state_icon(state: ChangeState, conflicted: bool) -> AnyView {
    match state {
        ChangeState::Pending | ChangeState::Approved | ChangeState::Deferred if conflicted => {
            view! { <Icon name="triangle-alert" /> }.into_any()
        }
        ChangeState::Pending => view! { <Icon name="hourglass" /> }.into_any(),
        ChangeState::Approved => view! { <Icon name="check" /> }.into_any(),
        ChangeState::Rejected => view! { <Icon name="x" /> }.into_any(),
        ChangeState::Deferred => view! { <Icon name="clock" /> }.into_any(),
        ChangeState::Obsolete => view! { <Icon name="history" /> }.into_any(),
        ChangeState::Committed => view! { <Icon name="git-commit-horizontal" /> }.into_any(),
    }
}

/// The state of a change, in words and color.
#[component]
pub fn StateBadge(
    state: ChangeState,
    /// True if a base moved.
    conflicted: bool,
) -> impl IntoView {
    let word = state_word(state, conflicted);
    view! { <span class=format!("badge state-{word}")>{state_icon(state, conflicted)}{word}</span> }
}

/// The word for a label on pages.
#[must_use]
pub const fn label_word(label: Label) -> &'static str {
    match label {
        Label::Destructive => "Loses a statement",
        Label::HumanWritten => "Written by a person",
        Label::Frozen => "Frozen",
        Label::Pii => "Personal data",
        Label::Secret => "Credential",
        Label::InstructionLike => "Possible prompt injection",
        Label::HiddenCharacters => "Hidden characters",
        Label::ToolText => "Unverified tool output",
        Label::SingleSource => "Single source",
        Label::ValueChanged => "Changes a value",
        Label::WideScope => "Many memories",
        Label::Large => "Large",
    }
}

/// The labels of a change, each with its reason.
#[component]
pub fn Labels(labels: Vec<Label>) -> impl IntoView {
    if labels.is_empty() {
        return ().into_any();
    }
    let one = |label: Label| {
        let high = matches!(
            label,
            Label::Destructive
                | Label::Pii
                | Label::Secret
                | Label::InstructionLike
                | Label::HiddenCharacters
        );
        let class = if high {
            "badge label bad"
        } else {
            "badge label"
        };
        view! {
            <li>
                <span class=class>
                    <Icon name="triangle-alert" />
                    {label_word(label)}
                </span>
                <span class="quiet">{label.reason()}</span>
            </li>
        }
    };
    view! {
        <ul class="labels" aria-label="Labels">
            {labels.into_iter().map(one).collect_view()}
        </ul>
    }
    .into_any()
}

/// How a session ended.
#[component]
pub fn OutcomeBadge(
    outcome: Option<OutcomeResult>,
    source: Option<OutcomeSource>,
) -> impl IntoView {
    let says = match source.filter(|_| outcome.is_some()) {
        None | Some(OutcomeSource::Stated) => "",
        Some(OutcomeSource::PullRequest) => "by its pull request",
        Some(OutcomeSource::Feedback) => "by feedback",
        Some(OutcomeSource::Checks) => "by its last check",
        Some(OutcomeSource::Claimed) => "only claimed",
    };
    let says = (!says.is_empty()).then(|| {
        view! {
            " "
            <span class="quiet">{says}</span>
        }
    });
    let badge = match outcome {
        Some(OutcomeResult::Success) => view! {
            <span class="badge outcome-success">
                <Icon name="check" />
                "Succeeded"
            </span>
        }
        .into_any(),
        Some(OutcomeResult::Failure) => view! {
            <span class="badge outcome-failure">
                <Icon name="x" />
                "Failed"
            </span>
        }
        .into_any(),
        _ => view! { <span class="badge outcome-unknown">"Outcome unknown"</span> }.into_any(),
    };
    view! {
        {badge}
        {says}
    }
}
