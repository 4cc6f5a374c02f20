//! What people say as a rule ("always ..", "never ..", "from now on ..", "we use ..", a correction
//! of the agent), not as a wish of one moment. Only what users said is read: a rule that a tool or
//! a web page states is no rule here, nor is one that somebody quotes.

use domain::{event::EventKind, statement::statements};
use serde::{Deserialize, Serialize};

use super::{
    Place, hash, other_languages,
    rule_words::REMEMBER,
    ruling::{Ruling, holds_for_more, may_stand, ruling},
    sentence::{taken_off, without_pasted, without_politeness},
    standing,
    values::head,
};
use crate::types::Session;

/// Rules of one session that are kept, and as many sentences that may be one.
const MOST_RULES: usize = 30;
/// How likely a sentence must be said for good to be kept, in thousandths: nine in ten that are.
pub const LEAST_LIKELY: u16 = 200;

/// A rule that somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub at: Place,
    /// In which words, white space folded.
    pub text: String,
    /// Its words say that it is a rule; else it only may be one.
    pub sure: bool,
    /// How likely it is said for good, in thousandths.
    pub likely: u16,
    /// They asked that it be remembered.
    pub remember: bool,
    /// Which of the session's messages in the user's role it is in, from 0.
    pub turn: usize,
    /// Hashes of the statements before and after it in its message, where they are long enough to
    /// be known again.
    pub beside: (Option<u64>, Option<u64>),
}

/// Every rule that the session's users said.
pub fn of(session: &Session) -> Vec<Rule> {
    let mut found: Vec<Rule> = Vec::new();
    for (turn, (event, one)) in session
        .events
        .iter()
        .enumerate()
        .filter(|(_, e)| e.kind == EventKind::User)
        .enumerate()
    {
        if !one.text.is_ascii() && domain::scan::has_hidden(&one.text) {
            continue;
        }
        let read = head(&one.text);
        let said = statements(&without_pasted(&unquoted(read)));
        for (n, text) in said.iter().enumerate() {
            let before = n.checked_sub(1).map(|n| said[n].as_str());
            let after = said.get(n + 1).is_some_and(|next| holds_for_more(next));
            let ruling = match ruling(text, before) {
                Ruling::None => other_languages::ruling(text),
                read => read,
            };
            let sure = match ruling {
                Ruling::None => false,
                Ruling::Instruction => after,
                Ruling::Rule | Ruling::Remember => true,
            };
            let likely = standing::likelihood(text);
            let kept = found.iter().filter(|r| r.sure == sure).count() < MOST_RULES;
            if !kept || !(sure || (likely >= LEAST_LIKELY && may_stand(text))) {
                continue;
            }
            let remember = ruling == Ruling::Remember;
            // A statement folds white space; what is not verbatim cannot be quoted.
            if let Some(start) = read.find(text.as_str()) {
                let beside = (
                    before.and_then(known_again),
                    said.get(n + 1).and_then(|next| known_again(next)),
                );
                found.push(Rule {
                    at: Place {
                        event,
                        start,
                        end: start + text.len(),
                    },
                    text: text.clone(),
                    sure,
                    likely,
                    remember,
                    turn,
                    beside,
                });
            }
        }
    }
    found
}

/// A statement is recognised by its first plain words: later ones may be filled in.
const KNOWN_WORDS: usize = 5;
/// With fewer ("Thanks") many would look the same.
const LEAST_KNOWN: usize = 3;

fn known_again(statement: &str) -> Option<u64> {
    let plain = |w: &&str| {
        w.trim_end_matches([',', '.', ':', ';', '!', '?'])
            .chars()
            .all(char::is_alphabetic)
    };
    let words: Vec<String> = statement
        .split_whitespace()
        .filter(plain)
        .take(KNOWN_WORDS)
        .map(str::to_lowercase)
        .collect();
    (words.len() >= LEAST_KNOWN).then(|| hash(words.join(" ").as_bytes()))
}

/// The text without quoted lines and fenced code: somebody else's words.
pub fn unquoted(text: &str) -> String {
    let mut fenced = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
            fenced = !fenced;
        } else if !fenced && !line.trim_start().starts_with('>') {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// A rule without politeness and without being asked to remember it, first letter large; as it is
/// where nothing remains.
pub fn without_opening(text: &str) -> String {
    let mut rest = text.trim();
    loop {
        let polite = without_politeness(rest);
        let asked = REMEMBER
            .iter()
            .map(|p| p.trim_end_matches(" :"))
            .chain(["remember"]);
        let after = asked
            .filter_map(|phrase| taken_off(polite, phrase, false))
            .min_by_key(|r| r.len())
            .unwrap_or(polite);
        if after.len() == rest.len() || after.split(' ').count() < 2 {
            break;
        }
        rest = after;
    }
    let mut chars = rest.chars();
    chars
        .next()
        .map(|c| c.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_it() {
        assert_eq!(
            without_opening("Please remember to always write dates as ISO."),
            "Always write dates as ISO."
        );
        assert_eq!(
            without_opening("remember: amounts are in euros"),
            "Amounts are in euros"
        );
        assert_eq!(without_opening("No, we use tabs"), "We use tabs");
        assert_eq!(
            without_opening("Never deploy on Friday"),
            "Never deploy on Friday"
        );
        // What would turn into its opposite, or into another thing, without its first word.
        for whole in [
            "No meetings before 9:30, ever.",
            "No invoices go out without a signature.",
            "Incorrect invoices must be returned.",
            "Team meetings should always have notes.",
            "Well-known terms stay as they are.",
        ] {
            assert_eq!(without_opening(whole), whole);
        }
        assert_eq!(without_opening("Nope. We use tabs"), "We use tabs");
        assert_eq!(without_opening("That’s wrong, we use tabs"), "We use tabs");
        assert_eq!(without_opening("No - we use tabs"), "We use tabs");
        assert_eq!(
            without_opening("Commit this to memory: amounts are in euros"),
            "Amounts are in euros"
        );
    }
}
