//! The draft of a policy as a form: each rule a sentence whose blanks are fields, then when and how
//! much it applies, then its tests.

use std::collections::BTreeMap;

use domain::{
    changeset::ChangeKind,
    policy::{Bound, Engine, Figure, FindingKind, Writer},
    risk::{Label, RiskLevel},
};
use leptos::prelude::*;
use service::{PolicyView, StoreName};

use crate::{
    actions::policies::{PolicyForm, RuleForm},
    components::{
        badges::label_word,
        forms::{capital, form_token},
        text_area::TextArea,
    },
    islands::policy_check::PolicyCheck,
};

/// The form, with what was typed where it was refused.
pub fn form(view: &PolicyView, typed: &PolicyForm, stores: &[StoreName]) -> AnyView {
    let rules = typed
        .rules
        .iter()
        .enumerate()
        .map(|(n, rule)| one_rule(n, rule, stores))
        .collect_view();
    let next = typed.rules.len();
    let empty = RuleForm {
        effect: "allow".to_owned(),
        ..RuleForm::default()
    };
    let new_version = (view.version.state != domain::policy::VersionState::Draft).then(
        || view! { <p class="quiet">"Saving makes a new draft. This version stays as it is."</p> },
    );
    view! {
        <form method="post" action="/do/save_policy" class="stack policy">
            {form_token()}
            <input type="hidden" name="policy" value=view.version.policy_id.to_string() />
            <input type="hidden" name="shown" value=view.version.sha256.clone() />
            {new_version}
            <label>
                "Name"<input name="form[name]" value=typed.name.clone() maxlength="120" required />
            </label>
            <label>
                "Why it is there"
                <input name="form[reason]" value=typed.reason.clone() maxlength="1000" />
            </label>
            {rules}
            <details open=next == 0>
                <summary>"Add a rule"</summary>
                {one_rule(next, &empty, stores)}
            </details>
            {applying(typed)}
            <details>
                <summary>"Tests, as JSON"</summary>
                <p class="quiet">
                    "Each is a change and what must come of it: allow, forbid or review."
                </p>
                <TextArea
                    name="form[tests]"
                    id="tests-json"
                    value=typed.tests.clone()
                    rows=14
                    label="Tests"
                />
            </details>
            <PolicyCheck />
            <button class="primary">"Save draft"</button>
        </form>
    }
    .into_any()
}

fn field(n: usize, name: &str) -> String {
    format!("form[rules][{n}][{name}]")
}

/// A choice with an empty first option.
fn choice(
    name: String,
    label: &'static str,
    any: &'static str,
    all: Vec<(String, String)>,
    chosen: &str,
) -> AnyView {
    let option = |(value, text): (String, String)| {
        view! {
            <option selected=value == chosen value=value.clone()>
                {text}
            </option>
        }
    };
    view! {
        <select name=name aria-label=label>
            <option value="">{any}</option>
            {all.into_iter().map(option).collect_view()}
        </select>
    }
    .into_any()
}

/// A menu of boxes of which any number can be ticked.
fn boxes(
    n: usize,
    name: &'static str,
    title: &'static str,
    all: Vec<(String, String)>,
    chosen: &[String],
) -> AnyView {
    let said: Vec<String> = all
        .iter()
        .filter(|(value, _)| chosen.contains(value))
        .map(|(_, text)| text.clone())
        .collect();
    let said = if said.is_empty() {
        "any".to_owned()
    } else {
        said.join(", ")
    };
    let one = |(at, (value, text)): (usize, (String, String))| {
        let checked = chosen.contains(&value);
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    name=format!("{}[{at}]", field(n, name))
                    value=value
                    checked=checked
                />
                {text}
            </label>
        }
    };
    view! {
        <details class="boxes">
            <summary>{title}": "<b>{said}</b></summary>
            <div class="line wrap">{all.into_iter().enumerate().map(one).collect_view()}</div>
        </details>
    }
    .into_any()
}

fn pairs<T: std::fmt::Display + Copy>(
    all: &[T],
    text: impl Fn(T) -> String,
) -> Vec<(String, String)> {
    all.iter()
        .map(|one| (one.to_string(), text(*one)))
        .collect()
}

fn one_rule(n: usize, rule: &RuleForm, stores: &[StoreName]) -> AnyView {
    let risks = pairs(&[RiskLevel::Low, RiskLevel::Medium], |risk| {
        format!("at most {risk} risk")
    });
    let engines = pairs(Engine::ALL, |engine| {
        if engine == Engine::BuiltIn {
            "the built-in engine".to_owned()
        } else {
            "a model".to_owned()
        }
    });
    let labels = || pairs(Label::ALL, |label| label_word(label).to_owned());
    let stores = stores
        .iter()
        .map(|s| (s.id.to_string(), s.name.clone()))
        .collect();
    let effect = |value: &'static str, text: &'static str| {
        view! {
            <option value=value selected=rule.effect == value>
                {text}
            </option>
        }
    };
    let removes = (!rule.name.is_empty()).then(|| {
        view! {
            <label class="check">
                <input
                    type="checkbox"
                    name=field(n, "remove")
                    value="yes"
                    checked=!rule.remove.is_empty()
                />
                "Remove this rule"
            </label>
        }
    });
    let text = |name: &'static str, label: &'static str, value: &str, hint: &'static str| {
        view! {
            <label>
                {label}<input name=field(n, name) value=value.to_owned() placeholder=hint />
            </label>
        }
    };
    view! {
        <fieldset class="stack card">
            <legend>
                {if rule.name.is_empty() { "New rule".to_owned() } else { rule.name.clone() }}
            </legend>
            {text("name", "Name of the rule", &rule.name, "merges that lose nothing")}
            <p class="sentence">
                <select name=field(n, "effect") aria-label="Effect">
                    {effect("allow", "Apply")}
                    {effect("forbid", "Never apply")}
                </select>
                <span>"changes in"</span>
                <input
                    name=field(n, "paths")
                    value=rule.paths.clone()
                    placeholder="all paths, or /style/**, /notes/dates.md"
                    aria-label="Paths"
                />
                <span>"of"</span>
                {choice(field(n, "risk"), "Risk", "any risk", risks, &rule.risk)}
                <span>"found by"</span>
                {choice(field(n, "engine"), "Engine", "any engine", engines, &rule.engine)}
            </p>
            <div class="conditions">
                {boxes(
                    n,
                    "kinds",
                    "Kinds",
                    pairs(ChangeKind::ALL, |k| capital(k.as_str())),
                    &rule.kinds,
                )}
                {boxes(
                    n,
                    "findings",
                    "About",
                    pairs(FindingKind::ALL, |f| capital(f.as_str())),
                    &rule.findings,
                )} {boxes(n, "stores", "Stores", stores, &rule.stores)}
                {boxes(n, "without", "Without a label", labels(), &rule.without)}
                {boxes(n, "with", "With at least one label", labels(), &rule.with)}
                {boxes(
                    n,
                    "writers",
                    "Last written by",
                    pairs(Writer::ALL, |w| capital(w.as_str())),
                    &rule.writers,
                )} {numbers(n, rule)}
            </div>
            {text(
                "agents",
                "Agents (as their recorders name them, with commas; empty: any)",
                &rule.agents,
                "",
            )}
            {removes}
        </fieldset>
    }
    .into_any()
}

/// Bounds on numbers, each with what it counts.
fn numbers(n: usize, rule: &RuleForm) -> AnyView {
    let end = |ends: &BTreeMap<String, String>, word: &str| {
        ends.get(word).and_then(|v| v.trim().parse().ok())
    };
    let set = Figure::ALL.iter().filter_map(|figure| {
        let bound = Bound {
            figure: *figure,
            at_least: end(&rule.least, figure.as_str()),
            at_most: end(&rule.most, figure.as_str()),
        };
        (bound.at_least.is_some() || bound.at_most.is_some()).then(|| bound.words())
    });
    let set: Vec<String> = set.collect();
    let row = |figure: &Figure| {
        let word = figure.as_str();
        let input = |end: &'static str, label: &'static str, values: &BTreeMap<String, String>| {
            let value = values.get(word).cloned().unwrap_or_default();
            view! {
                <input
                    name=format!("{}[{word}]", field(n, end))
                    value=value
                    inputmode="numeric"
                    size="6"
                    aria-label=format!("{label} {}", figure.words())
                />
            }
        };
        let claimed = figure.is_claimed().then_some(" (claimed by recorders)");
        view! {
            <tr>
                <td>{capital(figure.words())}<span class="quiet">{claimed}</span></td>
                <td>{input("least", "At least", &rule.least)}</td>
                <td>{input("most", "At most", &rule.most)}</td>
            </tr>
        }
    };
    view! {
        <details class="boxes">
            <summary>
                "Numbers: "<b>{if set.is_empty() { "any".to_owned() } else { set.join(", ") }}</b>
            </summary>
            <div class="scroll" tabindex="0" role="region" aria-label="Numbers">
                <table>
                    <thead>
                        <tr>
                            <th>"What"</th>
                            <th>"At least"</th>
                            <th>"At most"</th>
                        </tr>
                    </thead>
                    <tbody>{Figure::ALL.iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        </details>
    }
    .into_any()
}

fn applying(typed: &PolicyForm) -> AnyView {
    let number = |name: &'static str, label: &'static str, value: &str| {
        view! {
            <input
                name=format!("form[{name}]")
                value=value.to_owned()
                inputmode="numeric"
                size="4"
                aria-label=label
                required
            />
        }
    };
    let text = |name: &'static str, label: &'static str, value: &str, hint: &'static str| {
        view! {
            <label>
                {label}
                <input name=format!("form[{name}]") value=value.to_owned() placeholder=hint />
            </label>
        }
    };
    view! {
        <p class="sentence">
            <span>"Apply after"</span>
            {number("after_hours", "Hours of cooling-off", &typed.after_hours)}
            <span>"hours, at most"</span>
            {number("most_a_day", "Changes a day", &typed.most_a_day)}
            <span>"changes and"</span>
            {number("share_percent", "Percent of a store a day", &typed.share_percent)}
            <span>"% of a store a day, and ask a person to check"</span>
            {number("sample_percent", "Percent to check", &typed.sample_percent)}
            <span>"% afterwards. Pause if people override more than"</span>
            {number("pause_over_percent", "Percent of overrides", &typed.pause_over_percent)}
            <span>"% of the last"</span>
            {number("of_last", "Changes looked back on", &typed.of_last)}
            <span>"changes."</span>
        </p>
        <details open=!typed.window_cron.is_empty() || !typed.expires_on.is_empty()>
            <summary>"Hours and end"</summary>
            <div class="stack">
                {text(
                    "window_cron",
                    "Applies only after (five cron fields; empty: at any time)",
                    &typed.window_cron,
                    "0 22 * * *",
                )} {text("window_zone", "Time zone of these", &typed.window_zone, "UTC")}
                {text("window_hours", "For so many hours", &typed.window_hours, "8")}
                <label>
                    "Ends on"
                    <input type="date" name="form[expires_on]" value=typed.expires_on.clone() />
                </label>
            </div>
        </details>
    }
    .into_any()
}
