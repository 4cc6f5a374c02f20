//! What people say as a rule ("always ..", "never ..", "from now on ..", "we use ..", a correction of the agent), not as a wish of one
//! moment. Only what users said is read: a rule that a tool or a web page states is no rule here, nor is one that somebody quotes.

use domain::{event::EventKind, statement::statements};
use serde::{Deserialize, Serialize};

use super::{
    Place,
    values::head,
    words::{BEFORE, INSIDE, MOMENT, NO_RULE, OPENINGS, REMEMBER},
};
use crate::types::Session;

/// Least and most words of a rule: shorter is no rule, longer is a story.
const WORDS: std::ops::RangeInclusive<usize> = 3..=40;
/// Rules of one session that are kept.
const MOST_RULES: usize = 30;

/// A rule that somebody said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Where.
    pub at: Place,
    /// In which words, white space folded.
    pub text: String,
    /// They asked that it be remembered.
    pub remember: bool,
}

/// Every rule that the session's users said.
pub fn of(session: &Session) -> Vec<Rule> {
    let mut found = Vec::new();
    for (event, one) in session.events.iter().enumerate().filter(|(_, e)| e.kind == EventKind::User) {
        if !one.text.is_ascii() && domain::scan::has_hidden(&one.text) {
            continue;
        }
        let read = head(&one.text);
        for text in statements(&unquoted(read)) {
            if found.len() == MOST_RULES {
                return found;
            }
            let Some(remember) = is_rule(&text) else { continue };
            // A statement folds white space; what does not stand verbatim cannot be quoted.
            if let Some(start) = read.find(&text) {
                found.push(Rule { at: Place { event, start, end: start + text.len() }, text, remember });
            }
        }
    }
    found
}

/// The text without quoted lines and fenced code: somebody else's words.
fn unquoted(text: &str) -> String {
    let mut fenced = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced && !line.trim_start().starts_with('>') {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

fn plain(text: &str) -> Vec<String> {
    let lower = text.to_lowercase().replace('’', "'").replace("don't", "do not").replace("remember:", "remember :");
    let lower = lower.replace("keep in mind:", "keep in mind :");
    lower
        .split([' ', ',', ';'])
        .map(|w| if w == ":" { w } else { w.trim_matches(['.', '!', '"', '—', '–', ':']) })
        .filter(|w| !w.is_empty() && *w != "-")
        .map(str::to_owned)
        .collect()
}

/// How many words at the beginning are one of these.
fn begins(words: &[String], with: &[&str]) -> Option<usize> {
    let count = |phrase: &&str| {
        let parts: Vec<&str> = phrase.split(' ').collect();
        (words.len() >= parts.len() && words.iter().zip(&parts).all(|(a, b)| a == b)).then_some(parts.len())
    };
    with.iter().filter_map(count).max()
}

/// The rest without politeness at its beginning.
fn after_politeness(mut words: &[String]) -> &[String] {
    while let Some(n) = begins(words, BEFORE) {
        words = &words[n..];
    }
    words
}

/// Whether a statement is said as a rule, and whether as one to be remembered.
fn is_rule(text: &str) -> Option<bool> {
    // Cheap first: most of what users say is no rule.
    if text.contains('?') || text.len() > 400 {
        return None;
    }
    let all = plain(text);
    let words = after_politeness(&all);
    if !WORDS.contains(&words.len()) || (words[0] == "never" && words[1] == "mind") {
        return None;
    }
    let joined = format!(" {} ", words.join(" "));
    if MOMENT.iter().any(|m| joined.contains(&format!(" {m} "))) {
        return None;
    }
    if begins(words, REMEMBER).is_some() {
        return Some(true);
    }
    let inside = INSIDE.iter().any(|i| joined.contains(&format!(" {i} ")));
    // "Don't use it anymore" corrects for good; "don't use it" may be for now.
    let stays = [" anymore ", " any more ", " again ", " ever "].iter().any(|w| joined.contains(w));
    if begins(words, &["do not"]).is_some() && stays && !words.iter().any(|w| matches!(w.as_str(), "i" | "me" | "my")) {
        return Some(false);
    }
    let Some(opening) = begins(words, OPENINGS) else {
        let of_speaker = words.iter().any(|w| matches!(w.as_str(), "i" | "i'm" | "i've" | "my" | "me"));
        return (inside && !of_speaker && !words.iter().any(|w| is_past(w))).then_some(false);
    };
    let after = words.iter().position(|w| w == "always" || w == "never").and_then(|n| words.get(n + 1));
    if after.is_some_and(|w| NO_RULE.contains(&w.as_str())) && opening < 2 {
        return None;
    }
    // "We never received it", "whenever I called" tell of the past; "for every bag I pay" needs a rule's verb as well.
    let tells = words.iter().skip(opening.saturating_sub(1)).take(4).any(|w| is_past(w));
    let first = words[0].as_str();
    let later = begins(words, &["in future", "in the future"]).is_some();
    let general = !later && matches!(first, "for" | "in" | "whenever" | "every" | "each" | "all" | "when" | "if" | "before" | "after");
    let commands = words.iter().any(|w| matches!(w.as_str(), "always" | "never" | "must" | "should" | "needs"))
        || joined.contains(" please ")
        || text.split_once(',').is_some_and(|(_, rest)| is_command(rest));
    // A rule speaks to the agent or of the team; "I" tells of the speaker.
    let of_speaker = words.iter().skip(opening).take(3).any(|w| matches!(w.as_str(), "i" | "i'm" | "i've" | "my" | "me"));
    let ok = !tells
        && (!general || commands)
        && (!of_speaker || first == "i" || begins(words, &["from now on", "going forward", "in future"]).is_some());
    ok.then_some(false)
}

fn is_past(word: &str) -> bool {
    (word.len() > 4
        && word.ends_with("ed")
        && !matches!(word, "need" | "needed" | "embed" | "indeed" | "speed" | "proceed" | "feed" | "exceed"))
        || matches!(word, "got" | "was" | "were" | "had" | "went" | "did" | "came" | "said" | "told" | "been" | "heard" | "saw" | "felt")
}

/// Whether what follows a comma reads as a command: a verb in its plain form, or a prohibition.
fn is_command(rest: &str) -> bool {
    let words = plain(rest);
    let first = after_politeness(&words).first().map(String::as_str).unwrap_or_default();
    matches!(
        first,
        "use"
            | "write"
            | "do"
            | "ask"
            | "send"
            | "add"
            | "include"
            | "put"
            | "format"
            | "check"
            | "start"
            | "end"
            | "keep"
            | "show"
            | "name"
            | "call"
            | "run"
            | "set"
            | "give"
            | "list"
            | "round"
            | "answer"
            | "reply"
            | "quote"
            | "link"
            | "sort"
            | "skip"
            | "leave"
            | "tag"
            | "sign"
            | "state"
            | "avoid"
            | "prefer"
            | "confirm"
            | "attach"
            | "convert"
            | "label"
            | "make"
            | "tell"
    )
}

/// A rule without politeness and without being asked to remember it, first letter large; as it is where nothing remains.
pub fn without_opening(text: &str) -> String {
    let mut rest = text.trim();
    loop {
        let lower = rest.to_ascii_lowercase();
        let strip = BEFORE.iter().chain(&[
            "remember to",
            "remember that",
            "remember this",
            "remember",
            "keep in mind that",
            "keep in mind",
            "make a note that",
            "note for the future",
            "note for next time",
            "for next time",
            "please note for the future",
        ]);
        let found = strip
            .filter_map(|phrase| lower.strip_prefix(phrase).filter(|after| after.starts_with([' ', ',', ':', '!', '.', '-'])).map(str::len))
            .min();
        let Some(left) = found else { break };
        let after = rest[rest.len() - left..].trim_start_matches([' ', ',', ':', '!', '.', '-', '—']);
        if after.split(' ').count() < 2 {
            break;
        }
        rest = after;
    }
    let mut chars = rest.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_and_wishes() {
        for rule in [
            "Always answer in German.",
            "Never deploy on a Friday.",
            "From now on, use the staging cluster.",
            "We use British spelling in all headlines.",
            "Please never send attachments.",
            "Don't ever share the price list.",
            "No, we write dates as 2026-11-22.",
            "Whenever you export a table, include the column names.",
            "For every report, add the source.",
            "Going forward, please round amounts to whole euros.",
            "As I said before, never use tabs.",
            "I want you to always sign as the support team.",
            "Use the new template from now on.",
            "Reports must always name their source.",
            "Our policy: anonymise names in reports.",
            "Don't use emojis in replies anymore.",
            "Next time, check the calendar first.",
            "All reports must be in PDF.",
            "When you write a summary, always start with the decision.",
        ] {
            assert_eq!(is_rule(rule), Some(false), "{rule}");
        }
        assert_eq!(is_rule("Remember to write dates as in ISO 8601."), Some(true));
        assert_eq!(is_rule("Please remember: amounts are in euros."), Some(true));
        for wish in [
            "I don't remember the reservation ID",
            "I'd always prefer a direct flight.",
            "I never received my refund.",
            "We never received the confirmation.",
            "You always say that.",
            "Do you always need my user ID?",
            "Never mind.",
            "I remember that it was cheaper.",
            "My flight is always late these days.",
            "Always use the aisle seat for this trip.",
            "For every bag I pay 30 dollars.",
            "Whenever I called, nobody answered.",
            "In all, that makes three passengers.",
            "We use it today only, please.",
            "Always the same trouble with this site!",
            "I should never have booked that.",
            "All seats are taken.",
            "Every time I call, nobody answers.",
            "If you want, I can wait.",
            "Don't call me again.",
        ] {
            assert_eq!(is_rule(wish), None, "{wish}");
        }
    }

    #[test]
    fn what_is_kept_of_it() {
        assert_eq!(without_opening("Please remember to always write dates as ISO."), "Always write dates as ISO.");
        assert_eq!(without_opening("remember: amounts are in euros"), "Amounts are in euros");
        assert_eq!(without_opening("No, we use tabs"), "We use tabs");
        assert_eq!(without_opening("Never deploy on Friday"), "Never deploy on Friday");
    }
}
