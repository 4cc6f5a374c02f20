//! A policy as it is written: its rules, when and how much they apply, and the cases that they must
//! pass. The same text is a version in the database and a file in a team's own repository.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Applying, Input, Outcome, Rule, evaluate, evaluate::lacks};
use crate::text_enum::text_enum;

text_enum! {
    OutcomeKind {
        /// The change is applied without a person.
        Allow => "allow",
        Forbid => "forbid",
        Review => "review",
    }
}

impl OutcomeKind {
    /// Returns what an outcome is.
    #[must_use]
    pub const fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Allow { .. } => Self::Allow,
            Outcome::Forbid { .. } => Self::Forbid,
            Outcome::Review { .. } => Self::Review,
        }
    }
}

/// A case: a change, and what the rules must say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    pub name: String,
    /// What is known of the change. What is left out is not known, not there, or not so.
    pub change: Input,
    pub expect: OutcomeKind,
}

/// A policy as it is written, exported and imported: JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyFile {
    /// What the policy is called; 1 to 120 characters where it is stored.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Why it is there; at most 1,000 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The rules, at most 50.
    pub rules: Vec<Rule>,
    /// When and how much they apply.
    pub applying: Applying,
    /// The cases, at most 500.
    pub tests: Vec<Case>,
}

/// Most rules of a policy.
const MOST_RULES: usize = 50;
/// Most cases of a policy.
const MOST_TESTS: usize = 500;
/// Longest name of a policy or a rule, in characters.
const NAME_CHARS: usize = 120;
/// Longest reason, in characters.
const REASON_CHARS: usize = 1_000;

/// The result of a test case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    pub name: String,
    pub expected: OutcomeKind,
    #[serde(flatten)]
    pub outcome: Outcome,
    /// True if that is what was expected.
    pub passed: bool,
}

/// The results of all test cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Each case, in the order of the file.
    pub cases: Vec<CaseResult>,
    /// Conditions of rules (`rule: condition`) that held in every case: no case would notice if
    /// they were gone.
    pub never_decided: Vec<String>,
}

impl PolicyFile {
    /// Reads a file and checks its rules.
    ///
    /// # Errors
    ///
    /// In words: what is wrong with which rule.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: Self = serde_json::from_str(text).map_err(|e| e.to_string())?;
        file.check()?;
        Ok(file)
    }

    /// Why it cannot be saved, if it cannot.
    ///
    /// # Errors
    ///
    /// In words: what is wrong with which rule or number.
    pub fn check(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        if self.rules.len() > MOST_RULES || self.tests.len() > MOST_TESTS {
            return Err(format!(
                "a policy has at most {MOST_RULES} rules and {MOST_TESTS} cases"
            ));
        }
        if self.name.chars().count() > NAME_CHARS || self.reason.chars().count() > REASON_CHARS {
            return Err(format!(
                "a name has at most {NAME_CHARS} characters, and a reason {REASON_CHARS}"
            ));
        }
        for rule in &self.rules {
            if rule.name.trim().is_empty() || rule.name.chars().count() > NAME_CHARS {
                return Err(format!("a rule's name has 1 to {NAME_CHARS} characters"));
            }
            rule.check()
                .map_err(|why| format!("rule “{}”: {why}", rule.name))?;
            if !names.insert(&rule.name) {
                return Err(format!("two rules are called “{}”", rule.name));
            }
        }
        if let Some(case) = self.tests.iter().find(|case| case.change.paths.is_empty()) {
            return Err(format!(
                "case “{}”: a change touches one path at least",
                case.name
            ));
        }
        self.applying.check()
    }

    /// The text that is stored and hashed: one text for equal policies.
    #[must_use]
    pub fn canonical(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The stores in which its rules allow something; nothing if one of them does so without naming
    /// any.
    #[must_use]
    pub fn stores(&self) -> Option<BTreeSet<crate::ids::StoreId>> {
        let allowing = || {
            self.rules
                .iter()
                .filter(|rule| rule.effect == super::Effect::Allow)
        };
        let named = allowing().all(|rule| !rule.stores.is_empty());
        named.then(|| {
            allowing()
                .flat_map(|rule| rule.stores.iter().copied())
                .collect()
        })
    }

    /// True if it can apply anything at all.
    #[must_use]
    pub fn allows(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.effect == super::Effect::Allow)
    }

    /// Asks the rules about every case.
    #[must_use]
    pub fn run(&self) -> Report {
        let one = |case: &Case| {
            let outcome = evaluate(&self.rules, &case.change);
            let said = OutcomeKind::of(&outcome);
            CaseResult {
                name: case.name.clone(),
                expected: case.expect,
                outcome,
                passed: said == case.expect,
            }
        };
        let undecided = |rule: &Rule| -> Vec<String> {
            let decided: BTreeSet<String> = self
                .tests
                .iter()
                .flat_map(|case| lacks(rule, &case.change))
                .map(|unmet| unmet.condition)
                .collect();
            let conditions = rule
                .conditions()
                .into_iter()
                .filter(|condition| !decided.contains(*condition));
            conditions
                .map(|condition| format!("{}: {condition}", rule.name))
                .collect()
        };
        Report {
            cases: self.tests.iter().map(one).collect(),
            never_decided: self.rules.iter().flat_map(undecided).collect(),
        }
    }
}

impl Report {
    /// True if every case passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.cases.iter().all(|case| case.passed)
    }

    /// As XML in the form of `JUnit`, which continuous integration shows.
    #[must_use]
    pub fn junit(&self) -> String {
        let escaped = |text: &str| {
            let plain: String = text
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect();
            plain
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
        };
        let failures = self.cases.iter().filter(|case| !case.passed).count();
        let one = |case: &CaseResult| {
            let name = escaped(&case.name);
            if case.passed {
                return format!("  <testcase name=\"{name}\"/>\n");
            }
            let why = escaped(&case.outcome.to_string());
            format!(
                "  <testcase name=\"{name}\"><failure message=\"expected {}: \
                 {why}\"/></testcase>\n",
                case.expected
            )
        };
        let cases: String = self.cases.iter().map(one).collect();
        format!(
            "<testsuite name=\"policy\" tests=\"{}\" \
             failures=\"{failures}\">\n{cases}</testsuite>\n",
            self.cases.len()
        )
    }
}
