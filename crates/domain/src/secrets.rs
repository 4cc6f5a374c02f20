//! Finds credentials by rules in gitleaks' format: those of `secrets.toml`, and an operator's own
//! on top.

use std::sync::{LazyLock, OnceLock};

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

/// Largest compiled rule, in bytes: an operator's rule must not take the memory.
const COMPILED_BYTES: usize = 20_000_000;

/// A rule as it is in a file.
#[derive(Debug, Deserialize)]
struct Written {
    id: String,
    regex: String,
    #[serde(default, rename = "secretGroup")]
    secret_group: Option<usize>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    entropy: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct File {
    #[serde(default)]
    rules: Vec<Written>,
}

/// A rule ready to be used.
#[derive(Debug)]
struct Rule {
    regex: Regex,
    group: usize,
    keywords: Vec<String>,
    entropy: f64,
}

/// Why a file of rules is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRules {
    /// It is no TOML of that form.
    #[error("the file of secret rules cannot be read: {0}")]
    File(String),
    /// A rule's pattern does not hold.
    #[error("the secret rule `{0}` has a pattern that cannot be used: {1}")]
    Pattern(String, String),
    /// Own rules were set before.
    #[error("secret rules were set twice")]
    Twice,
}

static OWN: OnceLock<Vec<Rule>> = OnceLock::new();
static BUILT_IN: LazyLock<Vec<Rule>> =
    LazyLock::new(|| rules(include_str!("secrets.toml")).unwrap_or_default());

/// Adds an operator's rules, once, when the process starts. Returns how many there are.
pub fn add_own(file: &str) -> Result<usize, BadRules> {
    let own = rules(file)?;
    let count = own.len();
    OWN.set(own).map_err(|_| BadRules::Twice)?;
    Ok(count)
}

fn rules(file: &str) -> Result<Vec<Rule>, BadRules> {
    let file: File = toml::from_str(file).map_err(|e| BadRules::File(e.message().to_owned()))?;
    let compile = |w: Written| {
        let bad = |e: regex::Error| BadRules::Pattern(w.id.clone(), e.to_string());
        let regex = RegexBuilder::new(&w.regex)
            .size_limit(COMPILED_BYTES)
            .build()
            .map_err(bad)?;
        // As gitleaks does: the first group is the secret where the rule has one and does not say
        // otherwise.
        let group = w
            .secret_group
            .unwrap_or_else(|| usize::from(regex.captures_len() > 1))
            .min(regex.captures_len() - 1);
        let keywords = w.keywords.iter().map(|k| k.to_ascii_lowercase()).collect();
        Ok(Rule {
            regex,
            group,
            keywords,
            entropy: w.entropy.unwrap_or(0.0),
        })
    };
    file.rules.into_iter().map(compile).collect()
}

/// Byte ranges of the credentials in a text, in no order. `lower` is the text in ASCII lower case.
pub(crate) fn find(text: &str, lower: &str) -> Vec<(usize, usize)> {
    let all = BUILT_IN.iter().chain(OWN.get().into_iter().flatten());
    let named = all
        .filter(|r| r.keywords.is_empty() || r.keywords.iter().any(|k| lower.contains(k.as_str())));
    let found = named.flat_map(|rule| {
        let secrets = rule
            .regex
            .captures_iter(text)
            .filter_map(|c| c.get(rule.group));
        secrets
            .filter(|m| rule.entropy <= 0.0 || entropy(m.as_str()) >= rule.entropy)
            .map(|m| (m.start(), m.end()))
    });
    found.collect()
}

/// Shannon's entropy of a text's characters, in bits.
#[expect(clippy::cast_precision_loss, reason = "lengths of credentials")]
fn entropy(text: &str) -> f64 {
    let mut counts = std::collections::BTreeMap::new();
    text.chars()
        .for_each(|c| *counts.entry(c).or_insert(0_usize) += 1);
    let all = text.chars().count() as f64;
    counts
        .values()
        .map(|&n| n as f64 / all)
        .map(|p| -p * p.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_the_house_hold() {
        let own = rules(include_str!("secrets.toml")).unwrap();
        assert!(own.len() >= 30, "{}", own.len());
        assert!(
            own.iter().all(|r| !r.keywords.is_empty()),
            "a rule without keywords would be tried on every text"
        );
    }

    #[test]
    fn credentials_of_many_vendors_are_found() {
        let long = |n: usize| "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0".repeat(3)[..n].to_owned();
        let hex = |n: usize| "0123456789abcdef".repeat(5)[..n].to_owned();
        for secret in [
            format!("ghp_{}", long(36)),
            format!("xoxb-{}", long(30)),
            format!("hvs.{}", long(30)),
            format!("sk-ant-api03-{}", long(40)),
            format!("dapi{}", hex(32)),
            "hf_abcdefghijklmnopqrstuvwxyzabcdefgh".to_owned(),
            format!("sk_live_{}", long(24)),
            format!("key-{}", hex(32)),
            "AKIAQOSFODNNQEXAMPLE".to_owned(),
            format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}", long(20)),
        ] {
            let text = format!("the token {secret} was used");
            let found = find(&text, &text.to_ascii_lowercase());
            assert!(
                found.iter().any(|&(a, b)| text[a..b] == secret),
                "{secret}: {found:?}"
            );
        }
        let plain = "Ask for the token at the desk; sk-learn and key-value stores are fine, \
            npm_config too.";
        assert_eq!(find(plain, &plain.to_ascii_lowercase()), []);
    }

    #[test]
    fn own_rules_come_on_top_and_bad_ones_say_why() {
        assert!(
            matches!(rules("[[rules]]\nid = 'x'\nregex = '('"), Err(BadRules::Pattern(id, _)) if id == "x")
        );
        assert!(matches!(rules("rules = 5"), Err(BadRules::File(_))));
        let own = rules(
            "[[rules]]\nid = 'badge'\nregex = 'badge ([A-Z]{4}-[0-9]{4})'\nkeywords = \
             ['badge']\nentropy = 1.5\n",
        )
        .unwrap();
        assert_eq!(own[0].group, 1);
        assert!(
            own[0].regex.is_match("badge ABCD-1234")
                && entropy("ABCD-1234") > 1.5
                && entropy("AAAA") < 0.1
        );
    }
}
