//! The policies that are asked together: `forbid` of any of them beats `allow` of any other.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Applying, Effect, Input, Outcome, PolicyFile, Rule, evaluate};
use crate::ids::PolicyId;

/// A version of a policy in a set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    pub policy: PolicyId,
    pub name: String,
    pub version: i64,
    /// When and how much it applies.
    pub applying: Applying,
    /// Its rules, each named after the policy, so that names are unique in the set.
    rules: Vec<Rule>,
}

impl Member {
    /// A version of a policy.
    #[must_use]
    pub fn new(policy: PolicyId, name: &str, version: i64, file: &PolicyFile) -> Self {
        let named = |rule: &Rule| Rule {
            name: format!("{name}: {}", rule.name),
            ..rule.clone()
        };
        let rules = file.rules.iter().map(named).collect();
        Self {
            policy,
            name: name.to_owned(),
            version,
            applying: file.applying.clone(),
            rules,
        }
    }

    /// The rules of the policy, in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// True if one of these rules, as an outcome names them, is its own and allows.
    fn allows_by(&self, rules: &[String]) -> bool {
        self.rules
            .iter()
            .any(|rule| rule.effect == Effect::Allow && rules.contains(&rule.name))
    }
}

/// Policies that are asked together, one version of each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicySet(pub Vec<Member>);

impl PolicySet {
    /// The rules of all policies, in order.
    #[must_use]
    pub fn rules(&self) -> Vec<&Rule> {
        self.0.iter().flat_map(|member| &member.rules).collect()
    }

    /// Returns what the policies say of a change. Those that may not allow it (their authors
    /// contributed to it) can still forbid it.
    #[must_use]
    pub fn evaluate(&self, input: &Input, may_not_allow: &BTreeSet<PolicyId>) -> Outcome {
        let counts = |member: &&Member, rule: &Rule| {
            rule.effect == Effect::Forbid || !may_not_allow.contains(&member.policy)
        };
        evaluate(
            self.0.iter().flat_map(|member| {
                member
                    .rules
                    .iter()
                    .filter(move |rule| counts(&member, rule))
            }),
            input,
        )
    }

    /// The members whose rules allow a change, by what [`PolicySet::evaluate`] said of it.
    #[must_use]
    pub fn allowing(&self, outcome: &Outcome) -> Vec<&Member> {
        let Outcome::Allow { rules } = outcome else {
            return Vec::new();
        };
        self.0
            .iter()
            .filter(|member| member.allows_by(rules))
            .collect()
    }

    /// The set with a version of a policy in place of another, or besides.
    #[must_use]
    pub fn with(&self, member: Member) -> Self {
        let mut all = self.without(member.policy);
        all.0.push(member);
        all
    }

    /// The set without a policy.
    #[must_use]
    pub fn without(&self, policy: PolicyId) -> Self {
        Self(
            self.0
                .iter()
                .filter(|m| m.policy != policy)
                .cloned()
                .collect(),
        )
    }
}
