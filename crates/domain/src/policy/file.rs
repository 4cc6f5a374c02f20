//! Rules in a file, with the cases that they must pass, as a team keeps them in its own repository.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Input, Outcome, Rule, evaluate, evaluate::lacks};
use crate::text_enum::text_enum;

text_enum! {
    /// What a case expects.
    Expected {
        /// The change is applied without a person.
        Allow => "allow",
        /// It never is.
        Forbid => "forbid",
        /// A person decides.
        Review => "review",
    }
}

/// A case: a change, and what the rules must say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// What is known of the change. What is left out is not known, not there, or not so.
    pub change: Input,
    /// What must come of it.
    pub expect: Expected,
}

/// The file: JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyFile {
    /// The rules.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// The cases.
    #[serde(default)]
    pub tests: Vec<Case>,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseResult {
    /// What it is called.
    pub name: String,
    /// What was expected.
    pub expected: Expected,
    /// What the rules say.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Whether that is what was expected.
    pub passed: bool,
}

/// What came of all cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Each case, in the order of the file.
    pub cases: Vec<CaseResult>,
    /// Conditions of rules (`rule: condition`) that held in every case: no case would notice if they were gone.
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
        let mut names = BTreeSet::new();
        for rule in &file.rules {
            rule.check().map_err(|why| format!("rule “{}”: {why}", rule.name))?;
            if !names.insert(&rule.name) {
                return Err(format!("two rules are called “{}”", rule.name));
            }
        }
        Ok(file)
    }

    /// Asks the rules about every case.
    #[must_use]
    pub fn run(&self) -> Report {
        let one = |case: &Case| {
            let outcome = evaluate(&self.rules, &case.change);
            let said = match outcome {
                Outcome::Allow { .. } => Expected::Allow,
                Outcome::Forbid { .. } => Expected::Forbid,
                Outcome::Review { .. } => Expected::Review,
            };
            CaseResult { name: case.name.clone(), expected: case.expect, outcome, passed: said == case.expect }
        };
        let undecided = |rule: &Rule| -> Vec<String> {
            let decided: BTreeSet<String> =
                self.tests.iter().flat_map(|case| lacks(rule, &case.change)).map(|unmet| unmet.condition).collect();
            let conditions = rule.conditions().into_iter().filter(|condition| !decided.contains(*condition));
            conditions.map(|condition| format!("{}: {condition}", rule.name)).collect()
        };
        Report { cases: self.tests.iter().map(one).collect(), never_decided: self.rules.iter().flat_map(undecided).collect() }
    }
}

impl Report {
    /// Whether every case passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.cases.iter().all(|case| case.passed)
    }

    /// As XML in the form of `JUnit`, which continuous integration shows.
    #[must_use]
    pub fn junit(&self) -> String {
        let escaped = |text: &str| {
            let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
        };
        let failures = self.cases.iter().filter(|case| !case.passed).count();
        let one = |case: &CaseResult| {
            let name = escaped(&case.name);
            if case.passed {
                return format!("  <testcase name=\"{name}\"/>\n");
            }
            let why = escaped(&case.outcome.to_string());
            format!("  <testcase name=\"{name}\"><failure message=\"expected {}: {why}\"/></testcase>\n", case.expected)
        };
        let cases: String = self.cases.iter().map(one).collect();
        format!("<testsuite name=\"policy\" tests=\"{}\" failures=\"{failures}\">\n{cases}</testsuite>\n", self.cases.len())
    }
}
