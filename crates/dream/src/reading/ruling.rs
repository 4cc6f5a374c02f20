//! True if a sentence is said as a rule for the agent, by its words alone: an opening ("from now
//! on", "we use"), a scope ("never again", "in all cases"), a norm about a kind of thing ("quotes
//! for Swiss clients must be in francs"), a condition with a command ("when you export, include
//! .."). What somebody else says, what holds for this once, a question and a story are none.

use super::{
    other_languages,
    phrases::{HOLDS_FOR_MORE, INSIDE, LASTING, LEADS, MOMENT, OPENINGS, REMEMBER, REPORTED},
    rule_words::{COMMANDS, NO_RULE},
    sentence::{begins, is_past, is_plural, plain, without_politeness, without_quotations},
};

/// Least and most words of a rule: shorter is no rule, longer is a story.
const WORDS: std::ops::RangeInclusive<usize> = 3..=40;
/// Least words of a sentence that only may be a rule: of "Go on then" and "Evening shift here"
/// nobody can tell.
const LEAST_WORDS: usize = 4;
/// Words by which questions begin.
const ASKING: &[&str] = &[
    "who", "whose", "what", "what's", "where", "why", "how", "which", "is", "are", "does", "did",
    "has", "was", "were",
];
/// Longest sentence that is read, in bytes.
const LONGEST: usize = 400;

/// The kind of a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    None,
    /// What to do, without a word of how long: a rule only if the next sentence says that it holds
    /// for more.
    Instruction,
    Rule,
    /// A rule that the speaker asks to be remembered.
    Remember,
}

/// Returns what a sentence is; `before` is the one before it, which may be the "no" of a
/// correction.
pub fn ruling(text: &str, before: Option<&str>) -> Ruling {
    if text.len() > LONGEST {
        return Ruling::None;
    }
    let own = without_quotations(text);
    let polite = without_politeness(&own);
    let words = &plain(polite)[..];
    if !WORDS.contains(&words.len()) || (words[0] == "never" && words[1] == "mind") {
        return Ruling::None;
    }
    if is_of_now(words) || REPORTED.are_in(words) {
        return Ruling::None;
    }
    if text.contains('?') {
        return if asks_for_good(words, LASTING.are_in(words)) {
            Ruling::Rule
        } else {
            Ruling::None
        };
    }
    if REMEMBER.begin(words).is_some() {
        return Ruling::Remember;
    }
    let said = Said {
        text,
        words,
        inside: INSIDE.are_in(words),
        corrects: polite.len() < own.trim_start().len() || before.is_some_and(is_no),
    };
    if said.is_rule() {
        Ruling::Rule
    } else if said.is_instruction() {
        Ruling::Instruction
    } else {
        Ruling::None
    }
}

/// True if a sentence may be said for good though no word of it says so: it is no question, of no
/// moment, and nobody else's.
pub fn may_stand(text: &str) -> bool {
    let words = plain(without_politeness(&without_quotations(text)));
    let answers = words.first().is_some_and(|w| {
        matches!(
            w.as_str(),
            "yes" | "yeah" | "yep" | "sure" | "okay" | "ok" | "correct" | "thanks"
        )
    });
    // An identifier belongs to one case.
    let names_a_case = words.iter().any(|w| {
        w.len() >= 5
            && w.chars().any(|c| c.is_ascii_digit())
            && w.chars().any(|c| c.is_ascii_alphabetic())
            && w.chars().all(char::is_alphanumeric)
    });
    // People type questions without a mark, too.
    let asks = words.first().is_some_and(|w| ASKING.contains(&w.as_str()));
    let is_one = text.len() <= LONGEST
        && WORDS.contains(&words.len())
        && words.len() >= LEAST_WORDS
        && !text.contains('?')
        && !asks;
    is_one && !answers && !names_a_case && !is_of_now(&words) && !REPORTED.are_in(&words)
}

/// Words by which a text says of itself that it holds from now on.
const FOR_GOOD: &[&str] = &[
    "from now on",
    "from here on",
    "from today on",
    "going forward",
    "moving forward",
    "henceforth",
    "until further notice",
    "for all future",
];

/// True if a text says of itself that it holds from now on. An error says what is wrong; it does
/// not say that.
pub fn is_for_good(text: &str) -> bool {
    let english = |s: &str| {
        let words = plain(s);
        (0..words.len()).any(|n| begins(&words[n..], FOR_GOOD).is_some())
    };
    domain::statement::statements(text)
        .iter()
        .any(|s| english(s) || other_languages::ruling(s) != Ruling::None)
}

/// True if it is for this once; "from today" is for good.
fn is_of_now(words: &[String]) -> bool {
    let since = |at: usize| {
        words[at] == "today"
            && at > 0
            && matches!(words[at - 1].as_str(), "from" | "of" | "starting")
    };
    let now = |at: usize| MOMENT.begin(&words[at..]).is_some() && !since(at);
    (0..words.len()).any(now)
}

/// True if a polite question asks for something to be done so from now on: "could you always send
/// .."
fn asks_for_good(words: &[String], lasting: bool) -> bool {
    let asks = [
        "could you",
        "can you",
        "would you",
        "could we",
        "can we",
        "will you",
        "may i ask you to",
        "would it be possible to",
    ];
    let Some(at) = begins(words, &asks) else {
        return false;
    };
    let rest = &words[at + usize::from(words.get(at).is_some_and(|w| w == "please"))..];
    let always = rest.first().is_some_and(|w| w == "always" || w == "never")
        && rest.get(1).is_some_and(|w| COMMANDS.contains(&w.as_str()));
    always || (lasting && !words.iter().any(|w| w == "if" || w == "is" || w == "be"))
}

/// True if a sentence says of the one before that it holds for more than this once.
pub fn holds_for_more(text: &str) -> bool {
    !text.contains('?')
        && HOLDS_FOR_MORE
            .begin(&plain(without_politeness(text)))
            .is_some()
}

/// A sentence, taken apart.
struct Said<'a> {
    text: &'a str,
    /// Lower case, without politeness at the beginning.
    words: &'a [String],
    /// It holds a phrase that makes it a rule wherever it stands.
    inside: bool,
    /// It follows a "no".
    corrects: bool,
}

impl Said<'_> {
    fn is_rule(&self) -> bool {
        if self.tells_why() {
            return false;
        }
        if self.is_led()
            || self.ends_for_good()
            || self.forbids_for_good()
            || self.is_norm()
            || self.is_conditional()
            || self.is_custom()
        {
            return true;
        }
        match OPENINGS.begin(self.words) {
            Some(opening) => self.opens_well(opening),
            None => self.inside && !self.is_of_speaker() && !self.tells() || self.would_rather(),
        }
    }

    /// A custom as the reason for something else: "we use Slack for everything, so I missed your
    /// email".
    fn tells_why(&self) -> bool {
        let reason = |pair: &[String]| {
            matches!(pair[0].as_str(), "so" | "but" | "and" | "because") && pair[1] == "i"
        };
        (self.words[0] == "we" && self.words.windows(2).any(reason))
            || begins(
                self.words,
                &["we write about", "we write to", "we write you"],
            )
            .is_some()
            || begins(
                self.words,
                &[
                    "our convention is in",
                    "our convention is on",
                    "our convention is at",
                    "our policy number",
                ],
            )
            .is_some()
    }

    /// "New rule: ..", "for the future: .."
    fn is_led(&self) -> bool {
        let Some(at) = self
            .words
            .iter()
            .position(|w| w == ":")
            .filter(|at| (1..=8).contains(at))
        else {
            return false;
        };
        self.words.len() >= at + 4 && LEADS.are_in(&self.words[..at]) && !self.tells()
    }

    /// "No meetings before 9:30, ever", ".. every time".
    fn ends_for_good(&self) -> bool {
        let ends = |with: &[&str]| {
            self.words.len() > with.len() && self.words[self.words.len() - with.len()..] == *with
        };
        let comma = self.text.rsplit_once(',').is_some_and(|(_, rest)| {
            matches!(
                rest.trim_matches([' ', '.', '!']).to_lowercase().as_str(),
                "ever" | "always" | "never" | "every time" | "each time"
            )
        });
        (comma || ends(&["every", "single", "time"]) || ends(&["each", "and", "every", "time"]))
            && !self.tells()
    }

    /// "Don't use it anymore" corrects for good; "don't use it" may be for now. "Stop adding a
    /// greeting" corrects, too.
    fn forbids_for_good(&self) -> bool {
        let personal = self
            .words
            .iter()
            .any(|w| matches!(w.as_str(), "i" | "me" | "my"));
        let for_good = |w: &String| {
            matches!(
                w.as_str(),
                "anymore" | "again" | "ever" | "any" | "anything" | "anyone" | "anybody" | "either"
            )
        };
        let never = begins(self.words, &["do not"]).is_some()
            && self.words.iter().any(for_good)
            && !personal;
        let stops = begins(self.words, &["stop", "quit", "refrain from"])
            .and_then(|n| self.words.get(n))
            .is_some_and(|w| w.ends_with("ing"));
        let now = self
            .words
            .iter()
            .any(|w| matches!(w.as_str(), "that" | "this" | "it" | "calling"));
        let all = self.words.iter().any(|w| {
            matches!(
                w.as_str(),
                "everything" | "every" | "all" | "always" | "whenever" | "any"
            )
        });
        never || (stops && (all || !(now || personal)))
    }

    /// Returns what must be with a kind of thing: "any payment over 5,000 needs a second approver".
    fn is_norm(&self) -> bool {
        let first = self.words[0].as_str();
        let kind = matches!(first, "any" | "every" | "each" | "all" | "no")
            || is_plural(first)
            || is_plural(&self.words[1]);
        let modal = self.words.iter().take(12).position(|w| {
            matches!(
                w.as_str(),
                "must" | "should" | "need" | "needs" | "have" | "has" | "belong" | "go"
            )
        });
        let Some(at) = modal.filter(|at| (1..=8).contains(at)) else {
            return false;
        };
        let next = self.words.get(at + 1).map_or("", String::as_str);
        let obliges = match self.words[at].as_str() {
            "have" | "has" => next == "to",
            "need" | "needs" => next == "to" || next == "a" || next == "an",
            // "Board papers go on the blue template": a norm only where it corrects.
            "belong" | "go" => self.corrects,
            _ => true,
        };
        let here = |w: &String| {
            matches!(
                w.as_str(),
                "i" | "i'm"
                    | "we"
                    | "my"
                    | "me"
                    | "you"
                    | "your"
                    | "this"
                    | "that"
                    | "these"
                    | "those"
                    | "it"
                    | "there"
                    | "our"
            )
        };
        kind && obliges && !self.words.iter().take(at + 1).any(here) && !self.tells()
    }

    /// A condition that comes again, and a command: "whenever you export a table, include ..".
    fn is_conditional(&self) -> bool {
        let first = self.words[0].as_str();
        let second = self.words[1].as_str();
        let again = match first {
            "when" | "whenever" => {
                matches!(
                    second,
                    "you" | "a" | "an" | "any" | "someone" | "somebody" | "anyone"
                ) || second.ends_with("ing")
            }
            "if" => matches!(
                second,
                "a" | "an" | "any" | "someone" | "somebody" | "anyone" | "no"
            ),
            "before" | "after" => second == "you" || second.ends_with("ing"),
            _ => false,
        };
        let always = self
            .words
            .iter()
            .skip(2)
            .any(|w| matches!(w.as_str(), "always" | "never" | "must"));
        let command = self
            .text
            .split_once(',')
            .is_some_and(|(_, rest)| is_command(rest));
        // "When translating for us leave names untouched": the command follows whom it is for.
        let pairs = self.words.windows(2).skip(1);
        let led = second.ends_with("ing")
            && pairs.into_iter().any(|p| {
                matches!(p[0].as_str(), "us" | "me" | "them") && COMMANDS.contains(&p[1].as_str())
            });
        // "If the flight is late, call me" is about one flight.
        let standing = first != "if" || always || !self.words.iter().any(|w| w == "the");
        again && (always || command || led) && standing && !self.tells()
    }

    /// Returns what a group does: "on this team we squash before merging", "in this house we don't
    /// abbreviate".
    fn is_custom(&self) -> bool {
        let place = matches!(
            self.words[0].as_str(),
            "in" | "on" | "at" | "with" | "within"
        ) && matches!(self.words[1].as_str(), "this" | "our" | "the" | "my");
        let we = self.words.iter().take(6).position(|w| w == "we");
        place
            && we.is_some_and(|at| at >= 3)
            && !self.tells()
            && !self
                .words
                .iter()
                .any(|w| matches!(w.as_str(), "will" | "are" | "can" | "could" | "might"))
    }

    /// True if what follows an opening is a rule for the agent or of the team.
    fn opens_well(&self, opening: usize) -> bool {
        let words = self.words;
        let after = words
            .iter()
            .position(|w| w == "always" || w == "never")
            .and_then(|n| words.get(n + 1));
        if after.is_some_and(|w| NO_RULE.contains(&w.as_str())) && opening < 2 {
            return false;
        }
        // "We never received it", "whenever I called" tell of the past; "for every bag I pay" needs
        // a rule's verb as well.
        let tells = words
            .iter()
            .skip(opening.saturating_sub(1))
            .take(4)
            .any(|w| is_past(w));
        let first = words[0].as_str();
        let later = begins(words, &["in future", "in the future", "in general"]).is_some();
        let general = !later
            && matches!(
                first,
                "for"
                    | "in"
                    | "whenever"
                    | "every"
                    | "each"
                    | "all"
                    | "when"
                    | "if"
                    | "before"
                    | "after"
                    | "generally"
                    | "we"
            );
        // "We want a room for two" is a wish; "we use tabs" says how things are done.
        let we_do = first == "we"
            && !begins(
                words,
                &[
                    "we want",
                    "we keep",
                    "we put",
                    "we avoid",
                    "we sign",
                    "we say",
                    "we report",
                ],
            )
            .is_some_and(|_| self.is_of_moment());
        let commands = we_do
            || self.inside
            || words.iter().any(|w| {
                matches!(
                    w.as_str(),
                    "always" | "never" | "must" | "should" | "needs" | "please"
                )
            })
            || self
                .text
                .split_once(',')
                .is_some_and(|(_, rest)| is_command(rest));
        // A rule speaks to the agent or of the team; "I" tells of the speaker, unless it is said to
        // hold from now on.
        let of_speaker = words
            .iter()
            .skip(opening)
            .take(3)
            .any(|w| matches!(w.as_str(), "i" | "i'm" | "i've" | "my" | "me"));
        let lasting = [
            "from now on",
            "from here on",
            "from here on out",
            "going forward",
            "in future",
            "as a rule",
            "as a general rule",
            "as a general matter",
            "on principle",
            "next time",
        ];
        let wants = words
            .iter()
            .any(|w| matches!(w.as_str(), "want" | "prefer" | "need" | "like"));
        let lasts = begins(words, &lasting).is_some();
        let orders = matches!(first, "always" | "never")
            && words.get(1).is_some_and(|w| COMMANDS.contains(&w.as_str()));
        !tells
            && (!general || commands)
            && (!of_speaker
                || orders
                || first == "i"
                || (lasts && (wants || !words.iter().skip(opening).take(1).any(|w| w == "i'm"))))
    }

    /// "I'd rather you asked before changing production": how to work, not what to do now.
    fn would_rather(&self) -> bool {
        let asks = [
            "i'd rather you",
            "i would rather you",
            "i'd prefer you",
            "i'd prefer it if you",
            "i would prefer it if you",
            "it would be great if you could",
            "it would be nice if you could",
        ];
        let how = |w: &String| {
            matches!(
                w.as_str(),
                "before"
                    | "when"
                    | "whenever"
                    | "than"
                    | "always"
                    | "never"
                    | "generally"
                    | "every"
            )
        };
        begins(self.words, &asks).is_some_and(|at| self.words.iter().skip(at).any(how))
    }

    /// Returns what to do, said plainly: a command, or how things of a kind are done.
    fn is_instruction(&self) -> bool {
        let first = self.words[0].as_str();
        let of_team = first == "we" || is_plural(first) || first == "it's";
        (COMMANDS.contains(&first) || of_team || self.text.contains(", not ") || self.corrects)
            && !self.tells()
    }

    fn is_of_speaker(&self) -> bool {
        self.words
            .iter()
            .any(|w| matches!(w.as_str(), "i" | "i'm" | "i've" | "my" | "me"))
    }

    /// A wish of a group for itself: "we want two rooms", "we keep getting errors".
    fn is_of_moment(&self) -> bool {
        self.words.iter().any(|w| {
            matches!(
                w.as_str(),
                "a" | "our" | "getting" | "having" | "it" | "this" | "that"
            )
        })
    }

    fn tells(&self) -> bool {
        self.words.iter().any(|w| is_past(w))
    }
}

/// A "no" before a correction: "Wrong template!", "No.", "That's the US spelling."
fn is_no(text: &str) -> bool {
    let words: Vec<String> = plain(text);
    let first = words.first().map_or("", String::as_str);
    words.len() <= 5
        && matches!(
            first,
            "no" | "nope" | "nah" | "wrong" | "incorrect" | "not" | "that's" | "er" | "careful"
        )
}

/// True if what follows a comma reads as a command: a verb in its plain form, or a prohibition.
fn is_command(rest: &str) -> bool {
    plain(without_politeness(rest))
        .first()
        .is_some_and(|first| COMMANDS.contains(&first.as_str()))
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
            "From here on out, answer me in French.",
            "From today onwards, alerts below severity 2 can wait till morning.",
            "nope. we use pnpm here, not npm",
            "Any payment over 5,000 needs a second approver.",
            "On this team we squash before merging.",
            "New rule: no library goes in without asking.",
            "No meetings before 9:30, ever.",
            "Quit adding a conclusion to everything you write for me!",
            "Don't round anything in the ledger exports.",
            "Could you always send the link along with the document?",
            "I'd rather you asked too often than too rarely.",
        ] {
            assert_eq!(ruling(rule, None), Ruling::Rule, "{rule}");
        }
        assert_eq!(
            ruling("Remember to write dates as in ISO 8601.", None),
            Ruling::Remember
        );
        assert_eq!(
            ruling("Please remember: amounts are in euros.", None),
            Ruling::Remember
        );
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
            "Whenever you're ready, send it over.",
            "We use Slack for pretty much everything, so I missed your email.",
            "Translate this: \"From now on, all visitors must sign in at reception.\"",
            "Please always be kind to each other, as my grandmother used to say.",
            "My doctor wants me to always take it with food.",
            "If I asked you to always use bullet points, could you do it?",
            "Let me know every time slot that's free on Monday.",
            "You don't always have to ask me.",
        ] {
            assert_ne!(ruling(wish, None), Ruling::Rule, "{wish}");
        }
    }

    proptest::proptest! {
        #[test]
        fn anything_can_be_judged(text in ".{0,300}", words in "(always |never |we |use |if |a \
            |\"|“|, |: |don't |any |bags ){0,20}") {
            ruling(&text, Some(&words));
            ruling(&words, Some(&text));
            holds_for_more(&words);
        }
    }
}
