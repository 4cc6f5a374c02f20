//! Rules in words, and what differs between two versions.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Applying, Bound, Effect, Figure, PolicyFile, Rule};

impl Figure {
    /// Returns what it counts, for a sentence.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Confidence => "basis points of confidence",
            Self::Users => "users",
            Self::Tasks => "tasks",
            Self::Sessions => "sessions",
            Self::Agents => "agents",
            Self::Recorders => "recorders",
            Self::Quotes => "quotes",
            Self::CounterQuotes => "quotes against it",
            Self::StatementsRemoved => "statements lost",
            Self::BytesChanged => "bytes changed",
            Self::Readers => "sessions that read it in 30 days",
        }
    }
}

impl Bound {
    /// Returns what it asks for.
    #[must_use]
    pub fn words(&self) -> String {
        let what = self.figure.words();
        match (self.at_least, self.at_most) {
            (_, Some(0)) => format!("no {what}"),
            (Some(least), None) => format!("at least {least} {what}"),
            (None, Some(most)) => format!("at most {most} {what}"),
            (Some(least), Some(most)) => format!("{least} to {most} {what}"),
            (None, None) => format!("any number of {what}"),
        }
    }
}

impl Rule {
    /// Its conditions, each by what it is about and in words.
    #[must_use]
    pub fn clauses(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let mut put = |about: &str, words: String| all.push((about.to_owned(), words));
        let list = |words: Vec<String>| either(&words);
        if !self.kinds.is_empty() {
            put(
                "kind",
                list(self.kinds.iter().map(ToString::to_string).collect()),
            );
        }
        if !self.stores.is_empty() {
            put(
                "store",
                list(self.stores.iter().map(ToString::to_string).collect()),
            );
        }
        if !self.paths.is_empty() {
            put("path", list(self.paths.iter().cloned().collect()));
        }
        if !self.agents.is_empty() {
            put("agent", list(self.agents.iter().cloned().collect()));
        }
        if !self.engines.is_empty() {
            put(
                "engine",
                list(self.engines.iter().map(ToString::to_string).collect()),
            );
        }
        if !self.findings.is_empty() {
            put(
                "finding",
                list(self.findings.iter().map(ToString::to_string).collect()),
            );
        }
        if let Some(most) = self.risk_at_most {
            put("risk", format!("at most {most} risk"));
        }
        if !self.labels_none_of.is_empty() {
            put(
                "labels",
                format!(
                    "not labelled {}",
                    list(self.labels_none_of.iter().copied().map(label).collect())
                ),
            );
        }
        if !self.labels_any_of.is_empty() {
            put(
                "labels",
                format!(
                    "labelled {}",
                    list(self.labels_any_of.iter().copied().map(label).collect())
                ),
            );
        }
        if !self.last_writers.is_empty() {
            put(
                "last writer",
                list(self.last_writers.iter().map(ToString::to_string).collect()),
            );
        }
        for bound in self.bounds.iter().filter(|b| b.restricts()) {
            put(bound.figure.as_str(), bound.words());
        }
        all
    }

    /// The rule as a sentence; stores by the names that `name` gives them.
    #[must_use]
    pub fn sentence(&self, name: impl Fn(crate::ids::StoreId) -> String) -> String {
        let kinds: Vec<String> = self.kinds.iter().map(ToString::to_string).collect();
        let mut said = if kinds.is_empty() {
            "any change".to_owned()
        } else {
            format!("{} changes", either(&kinds))
        };
        if !self.paths.is_empty() {
            let _ = write!(
                said,
                " in {}",
                either(&self.paths.iter().cloned().collect::<Vec<_>>())
            );
        }
        if !self.stores.is_empty() {
            let _ = write!(
                said,
                " of {}",
                either(&self.stores.iter().map(|id| name(*id)).collect::<Vec<_>>())
            );
        }
        let rest = self
            .clauses()
            .into_iter()
            .filter(|(about, _)| !matches!(about.as_str(), "kind" | "path" | "store"));
        let rest: Vec<String> = rest
            .map(|(about, words)| match about.as_str() {
                "agent" => format!("from {words}"),
                "engine" => format!("found by {words}"),
                "finding" => format!("about a {words}"),
                "last writer" => format!("last written by {words}"),
                _ => words,
            })
            .collect();
        if !rest.is_empty() {
            let _ = write!(said, " with {}", rest.join(", "));
        }
        match self.effect {
            Effect::Allow => format!("Apply {said}"),
            Effect::Forbid => format!("Never apply {said}"),
        }
    }
}

impl Applying {
    /// Returns what it says, each by what it is about and in words.
    #[must_use]
    pub fn clauses(&self) -> Vec<(String, String)> {
        let mut all = vec![
            (
                "cooling-off".to_owned(),
                format!("{} hours", self.after_hours),
            ),
            (
                "a day".to_owned(),
                format!("at most {} changes", self.most_a_day),
            ),
            (
                "share of a store a day".to_owned(),
                format!("{}%", self.share_percent),
            ),
            (
                "checked afterwards".to_owned(),
                format!("{}%", self.sample_percent),
            ),
            (
                "pauses itself".to_owned(),
                format!(
                    "over {}% overrides of its last {}",
                    self.pause_over_percent, self.of_last
                ),
            ),
        ];
        if let Some(window) = &self.window {
            let words = format!(
                "{} hours from {} ({})",
                window.hours, window.cron, window.time_zone
            );
            all.push(("window".to_owned(), words));
        }
        if let Some(day) = &self.expires_on {
            all.push(("ends".to_owned(), day.clone()));
        }
        all
    }

    /// The difference as a sentence for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        let after = match self.after_hours {
            0 => "at once".to_owned(),
            1 => "after 1 hour".to_owned(),
            n => format!("after {n} hours"),
        };
        let window = self.window.as_ref().map_or_else(String::new, |w| {
            format!(
                ", only within {} hours of `{}` ({})",
                w.hours, w.cron, w.time_zone
            )
        });
        let ends = self
            .expires_on
            .as_ref()
            .map_or_else(String::new, |day| format!(", until {day}"));
        format!(
            "{after}{window}, at most {} a day, and have a person check {}% afterwards{ends}. \
             Pause if people override more than {}% of its last {} changes.",
            self.most_a_day, self.sample_percent, self.pause_over_percent, self.of_last
        )
    }
}

fn label(label: crate::risk::Label) -> String {
    label.as_str().replace('_', " ")
}

fn either(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} or {last}", all.join(", ")),
    }
}

/// The differences between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The rule and what of it, or what of when it applies.
    pub about: String,
    /// What the first says; nothing if it says nothing about it.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Returns what differs between two versions, rule by rule and in words.
#[must_use]
pub fn differences(before: &PolicyFile, after: &PolicyFile) -> Vec<Difference> {
    let said = |file: &PolicyFile| -> Vec<(String, String)> {
        let of = |rule: &Rule| {
            let effect = ("effect".to_owned(), rule.effect.to_string());
            let all: Vec<_> = std::iter::once(effect).chain(rule.clauses()).collect();
            all.into_iter()
                .map(|(about, words)| (format!("{}: {about}", rule.name), words))
                .collect::<Vec<_>>()
        };
        let rules = file.rules.iter().flat_map(of);
        rules
            .chain(file.applying.clauses())
            .chain([("reason".to_owned(), file.reason.clone())])
            .collect()
    };
    let (old, new) = (said(before), said(after));
    let find = |all: &[(String, String)], about: &str| {
        let words: Vec<&str> = all
            .iter()
            .filter(|(a, _)| a == about)
            .map(|(_, words)| words.as_str())
            .collect();
        (!words.is_empty()).then(|| words.join(", "))
    };
    let mut abouts: Vec<&str> = Vec::new();
    for (about, _) in old.iter().chain(&new) {
        if !abouts.contains(&about.as_str()) {
            abouts.push(about);
        }
    }
    let one = |about: &&str| Difference {
        about: (*about).to_owned(),
        before: find(&old, about),
        after: find(&new, about),
    };
    abouts
        .iter()
        .map(one)
        .filter(|d| d.before != d.after)
        .collect()
}
