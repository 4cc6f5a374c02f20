//! What a back-test and the tests of a policy say, in words and bars.

use domain::{
    Timestamp,
    ids::ChangeId,
    plural::count,
    policy::{Agreement, BackTest, BuiltIn, Fate, Outcome, Report},
};
use leptos::prelude::*;
use service::BackTested;

use crate::components::{badges::label_word, text::Visible, when::When};

/// Returns what became of a change, for a sentence.
const fn fate_word(fate: Fate) -> &'static str {
    match fate {
        Fate::Approved => "approved by people",
        Fate::EditedFirst => "edited before it was approved",
        Fate::Rejected => "rejected by people",
        Fate::Reverted => "reverted later",
        Fate::Applied => "applied by a policy",
        Fate::Undecided => "not decided",
    }
}

/// The report of a back-test: first what people had decided against.
pub fn back_test(tested: &BackTested, now: Timestamp) -> AnyView {
    let report = &tested.report;
    let stale = (!tested.current).then(|| {
        view! {
            <div class="notice">
                <strong>"The draft has changed since. "</strong>
                "Run the back-test again."
            </div>
        }
    });
    let named = |id: &ChangeId, more: Option<&'static str>| {
        let more = more.map(|m| {
            view! {
                " "
                <span class="quiet">{m}</span>
            }
        });
        match tested.titles.get(id) {
            Some((title, changeset)) => view! {
                <li>
                    <a class="link" href=format!("/changesets/{changeset}?change={id}")>
                        <Visible text=title.clone() />
                    </a>
                    {more}
                </li>
            }
            .into_any(),
            None => {
                view! { <li class="quiet">"A change of a store that you do not see"{more}</li> }
                    .into_any()
            }
        }
    };
    let against = report.applied_against();
    let first = if against == 0 {
        view! {
            <div class="notice good">
                <strong>"It would have applied nothing that people decided against."</strong>
            </div>
        }
        .into_any()
    } else {
        let rows = report
            .against
            .iter()
            .take(SHOWN)
            .map(|(id, fate)| named(id, Some(fate_word(*fate))))
            .collect_view();
        let rest = against.saturating_sub(report.against.len().min(SHOWN));
        let more =
            (rest > 0).then(|| view! { <li class="quiet">{format!("and {rest} more")}</li> });
        view! {
            <div class="notice bad stack">
                <strong>
                    {format!(
                        "It would have applied {} that people decided against.",
                        count(against, "change"),
                    )}
                </strong>
                <ul class="stack">{rows}{more}</ul>
            </div>
        }
        .into_any()
    };
    let list = |title: String, ids: &[ChangeId]| {
        (!ids.is_empty()).then(|| {
            let rows = ids
                .iter()
                .take(SHOWN)
                .map(|id| named(id, None))
                .collect_view();
            view! {
                <details>
                    <summary>{title}</summary>
                    <ul class="stack">{rows}</ul>
                </details>
            }
        })
    };
    let words = |title: &'static str, all: &[String]| {
        (!all.is_empty()).then(|| {
            view! {
                <details>
                    <summary>{format!("{title} ({})", all.len())}</summary>
                    <ul>
                        {all
                            .iter()
                            .map(|w| {
                                view! {
                                    <li>
                                        <Visible text=w.clone() />
                                    </li>
                                }
                            })
                            .collect_view()}
                    </ul>
                </details>
            }
        })
    };
    let missing: Vec<String> = report
        .missing
        .iter()
        .map(|(what, n)| format!("{what}: in {}", count(*n, "question")))
        .collect();
    view! {
        {stale}
        <p class="quiet">
            {format!(
                "{} of the last {}. ",
                count(report.replayed, "change"),
                count(tested.row.days, "day"),
            )}<Visible text=tested.run_by.clone() />" ran it "<When at=tested.row.run_at now=now />
            "."
        </p>
        {first}
        {figures(report)}
        {agreement(report.agreement)}
        {list(
            format!("{} newly applied", count(report.newly_applied.len(), "change")),
            &report.newly_applied,
        )}
        {list(
            format!("{} no longer applied", count(report.newly_gated.len(), "change")),
            &report.newly_gated,
        )}
        {words("Conditions that never decided anything", &report.never_decided)}
        {words("Rules without effect", &report.without_effect)}
        {words("Values that were not known", &missing)}
    }
    .into_any()
}

/// Changes that a list of a report shows.
const SHOWN: usize = 10;

fn figures(report: &BackTest) -> AnyView {
    let of = |fate| report.applied_of(fate);
    let over = (report.over_cap > 0).then(|| {
        view! {
            <div>
                <b>{report.over_cap}</b>
                <small>"over the daily limit"</small>
            </div>
        }
    });
    view! {
        <div class="facts plain">
            <div>
                <b>{of(Fate::Rejected) + of(Fate::Reverted)}</b>
                <small>"people rejected or reverted"</small>
            </div>
            <div>
                <b>{of(Fate::EditedFirst)}</b>
                <small>"people edited first"</small>
            </div>
            <div>
                <b>{of(Fate::Approved)}</b>
                <small>"people approved too"</small>
            </div>
            <div>
                <b>{of(Fate::Undecided) + of(Fate::Applied)}</b>
                <small>"no person decided"</small>
            </div>
            <div>
                <b>{report.left}</b>
                <small>"left to people"</small>
            </div>
            {over}
        </div>
    }
    .into_any()
}

fn agreement(agreement: Option<Agreement>) -> AnyView {
    let Some(a) = agreement else {
        return view! {
            <p class="quiet">
                "No person decided on a change that it would have applied, so nothing can be said \
                 of agreement."
            </p>
        }
        .into_any();
    };
    let percent = |bp: u32| (bp + 50) / 100;
    let text = format!(
        "People said the same in {} of {} ({} to {}%, 95% confidence).",
        a.agreed,
        a.of,
        percent(a.low_bp),
        percent(a.high_bp)
    );
    view! { <p>{text}</p> }.into_any()
}

/// Shows what came of the tests.
pub fn tests(report: &Report) -> AnyView {
    if report.cases.is_empty() {
        return view! {
            <p class="quiet">
                "There is no test yet. A policy needs at least one that passes before it becomes \
                 active."
            </p>
        }
        .into_any();
    }
    let one = |case: &domain::policy::CaseResult| {
        let (class, word) = if case.passed {
            ("badge good", "Passes")
        } else {
            ("badge bad", "Fails")
        };
        let why =
            (!case.passed).then(|| view! { <span class="quiet">{format!("expected {}, but {}", case.expected, case.outcome)}</span> });
        view! {
            <li class="line wrap">
                <span class=class>{word}</span>
                <span>
                    <Visible text=case.name.clone() />
                </span>
                {why}
            </li>
        }
    };
    let undecided = (!report.never_decided.is_empty()).then(|| {
        let rows = report
            .never_decided
            .iter()
            .map(|c| {
                view! {
                    <li>
                        <Visible text=c.clone() />
                    </li>
                }
            })
            .collect_view();
        view! {
            <details>
                <summary>
                    {format!(
                        "{} that no test would notice were gone",
                        count(report.never_decided.len(), "condition"),
                    )}
                </summary>
                <ul>{rows}</ul>
            </details>
        }
    });
    view! {
        <ul class="stack">{report.cases.iter().map(one).collect_view()}</ul>
        {undecided}
    }
    .into_any()
}

/// Why a change is applied, or not, in a few words.
pub fn why(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Allow { rules } => format!("Would apply, by {}", rules.join(", ")),
        Outcome::Forbid {
            built_in,
            labels,
            rules,
        } => {
            let other = built_in
                .iter()
                .filter(|b| **b != BuiltIn::Label)
                .map(|b| built_in_word(*b).to_owned());
            let labels = labels.iter().map(|label| label_word(*label).to_lowercase());
            // A label and what is built in may say the same.
            let mut words: Vec<String> = Vec::new();
            for word in other.chain(labels).chain(rules.iter().cloned()) {
                if !words.contains(&word) {
                    words.push(word);
                }
            }
            format!("Needs a person: {}", words.join(", "))
        }
        Outcome::Review { unmet } if unmet.is_empty() => {
            "Needs review: no rule is about it".to_owned()
        }
        Outcome::Review { unmet } => {
            let mut nearest: Vec<&domain::policy::Unmet> = Vec::new();
            for rule in unmet.iter().map(|u| &u.rule) {
                let own: Vec<_> = unmet.iter().filter(|u| u.rule == *rule).collect();
                if nearest.is_empty() || own.len() < nearest.len() {
                    nearest = own;
                }
            }
            let words = nearest.iter().map(|u| {
                format!(
                    "{}{}",
                    u.condition.replace('_', " "),
                    if u.missing { " (not known)" } else { "" }
                )
            });
            let rule = nearest.first().map(|u| u.rule.clone()).unwrap_or_default();
            format!(
                "Needs review: “{rule}” asks for another {}",
                words.collect::<Vec<_>>().join(", ")
            )
        }
    }
}

/// Returns what no policy lifts, in a few words.
const fn built_in_word(why: BuiltIn) -> &'static str {
    match why {
        BuiltIn::Frozen => "frozen",
        BuiltIn::PersonWritten => "written by a person",
        BuiltIn::Label => "a label that only a person may pass",
        BuiltIn::HighRisk => "high risk",
        BuiltIn::NeedsPerson => "not a dream’s own proposal",
        BuiltIn::LossBudget => "over what dreams may lose",
        BuiltIn::ApprovedRecently => "approved by people in the last 30 days",
    }
}
