//! Small marks that say a state by word and icon, and by colour last.

use domain::{
    changeset::{ChangeKind, ChangeState},
    event::{OutcomeResult, OutcomeSource},
    risk::{Label, RiskLevel},
};
use leptos::prelude::*;

/// What a change does.
#[component]
pub fn KindBadge(
    /// The kind.
    kind: ChangeKind,
) -> impl IntoView {
    let icon = match kind {
        ChangeKind::Add => "+",
        ChangeKind::Update | ChangeKind::Supersede => "✎",
        ChangeKind::Merge => "⇉",
        ChangeKind::Restructure => "⇄",
        ChangeKind::Move => "→",
        ChangeKind::Remove => "−",
    };
    view! { <span class="badge"><span aria-hidden="true">{icon}</span>" "{kind.as_str()}</span> }
}

/// How risky a change is.
#[component]
pub fn RiskBadge(
    /// The level.
    level: RiskLevel,
) -> impl IntoView {
    let (icon, class) = match level {
        RiskLevel::High => ("▲", "badge risk-high"),
        RiskLevel::Medium => ("◆", "badge risk-medium"),
        RiskLevel::Low => ("○", "badge risk-low"),
    };
    view! { <span class=class><span aria-hidden="true">{icon}</span>" "{level.as_str()}" risk"</span> }
}

/// The level that a number from the queue means.
#[must_use]
pub const fn risk_level(number: i64) -> Option<RiskLevel> {
    match number {
        3 => Some(RiskLevel::High),
        2 => Some(RiskLevel::Medium),
        1 => Some(RiskLevel::Low),
        _ => None,
    }
}

/// Icon and word of where a change stands.
#[must_use]
pub const fn state_mark(state: ChangeState, conflicted: bool) -> (&'static str, &'static str) {
    match state {
        ChangeState::Pending | ChangeState::Approved | ChangeState::Deferred if conflicted => ("⚠", "conflicted"),
        ChangeState::Pending => ("…", "pending"),
        ChangeState::Approved => ("✓", "approved"),
        ChangeState::Rejected => ("✕", "rejected"),
        ChangeState::Deferred => ("◷", "deferred"),
        ChangeState::Obsolete => ("⌀", "obsolete"),
        ChangeState::Committed => ("✔", "committed"),
    }
}

/// Where a change stands.
#[component]
pub fn StateBadge(
    /// The state.
    state: ChangeState,
    /// Whether a base moved.
    conflicted: bool,
) -> impl IntoView {
    let (icon, word) = state_mark(state, conflicted);
    let class = format!("badge state-{word}");
    view! { <span class=class><span aria-hidden="true">{icon}</span>" "{word}</span> }
}

/// The labels of a change, each with its reason.
#[component]
pub fn Labels(
    /// The labels.
    labels: Vec<Label>,
) -> impl IntoView {
    if labels.is_empty() {
        return ().into_any();
    }
    let one = |label: Label| view! { <li><span class="badge label">{label.as_str().replace('_', " ")}</span>" "<span class="quiet">{label.reason()}</span></li> };
    view! { <ul class="labels" aria-label="Labels">{labels.into_iter().map(one).collect_view()}</ul> }.into_any()
}

/// How a session ended.
#[component]
pub fn OutcomeBadge(
    /// The outcome.
    outcome: Option<OutcomeResult>,
    /// Who or what says so.
    source: Option<OutcomeSource>,
) -> impl IntoView {
    let says = match source.filter(|_| outcome.is_some()) {
        None | Some(OutcomeSource::Stated) => "",
        Some(OutcomeSource::PullRequest) => "by its pull request",
        Some(OutcomeSource::Feedback) => "by feedback",
        Some(OutcomeSource::Checks) => "by its last check",
        Some(OutcomeSource::Claimed) => "only claimed",
    };
    let says = (!says.is_empty()).then(|| view! { " "<span class="quiet">{says}</span> });
    let badge = match outcome {
        Some(OutcomeResult::Success) => view! { <span class="badge outcome-success"><span aria-hidden="true">"✓"</span>" success"</span> },
        Some(OutcomeResult::Failure) => view! { <span class="badge outcome-failure"><span aria-hidden="true">"✕"</span>" failure"</span> },
        _ => view! { <span class="badge outcome-unknown"><span aria-hidden="true">"?"</span>" unknown"</span> },
    };
    view! { {badge}{says} }
}
