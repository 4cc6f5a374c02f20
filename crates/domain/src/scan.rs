//! Looks for what must never slip past a reviewer in a proposed text: hidden characters, text that
//! redirects the agent. Each cue errs to the side of a label, because a label only asks for a
//! person.

use crate::redirection;

/// True if a character is invisible or changes how its neighbours are shown: zero-width,
/// bidirectional controls, tags, variation selectors beyond the usual one, soft hyphen, and
/// Unicode's other default-ignorable characters.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0e}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// True if a character of a text must be made visible to a reviewer: hidden ones, and controls
/// other than line feed and tab.
#[must_use]
pub fn must_be_shown(c: char) -> bool {
    is_hidden(c) || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// True if a character is of an alphabet whose letters look like Latin ones: Greek, Cyrillic,
/// Armenian, Cherokee, full-width forms and mathematical letters (the bulk of the single characters
/// in Unicode's confusables.txt for a-z).
const fn may_pass_for_latin(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}' | '\u{530}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{ff21}'..='\u{ff5a}' | '\u{1d400}'..='\u{1d7ff}')
}

/// The positions of characters that pass for Latin letters: those of such an alphabet in a word
/// that has Latin letters, too.
#[must_use]
pub fn look_alikes(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    if !text.chars().any(may_pass_for_latin) {
        return found;
    }
    let (mut word, mut latin) = (Vec::new(), false);
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        if c.is_alphabetic() {
            latin |= c.is_ascii_alphabetic();
            if may_pass_for_latin(c) {
                word.push(at);
            }
        } else {
            if latin {
                found.append(&mut word);
            }
            word.clear();
            latin = false;
        }
    }
    found
}

/// True if a text holds any character that must be made visible.
#[must_use]
pub fn has_hidden(text: &str) -> bool {
    text.chars().any(must_be_shown)
}

/// True if a text hides something from the person who reads it, or passes one letter for another.
/// What is only invisible in its proper place is shown and does no harm: the carriage return of a
/// line end, a joiner between emoji or in a script that is written with it.
#[must_use]
pub fn hides_something(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let hidden = |(at, c): (usize, &char)| must_be_shown(*c) && !is_in_place(&chars, at);
    chars.iter().enumerate().any(hidden) || !look_alikes(text).is_empty()
}

/// True if the invisible character at this position belongs there.
fn is_in_place(chars: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|i| chars.get(i)).copied();
    let after = chars.get(at + 1).copied();
    match chars[at] {
        '\r' => after == Some('\n'),
        // Zero-width joiner: between emoji, and in scripts that are written with it. Non-joiner: in
        // those scripts.
        '\u{200d}' => {
            let emoji = before.is_some_and(is_emoji_part) && after.is_some_and(is_emoji_part);
            emoji
                || (before.is_some_and(joins)
                    && after.is_none_or(|c| joins(c) || !c.is_alphabetic()))
        }
        '\u{200c}' => before.is_some_and(joins) && after.is_some_and(joins),
        // The text style of an emoji, and the selectors of Mongolian.
        '\u{fe0e}' => before.is_some_and(is_emoji_part),
        '\u{180b}'..='\u{180f}' => before.is_some_and(|c| matches!(c, '\u{1800}'..='\u{18af}')),
        // Tags spell the flags of regions, after a black flag and up to the cancel tag.
        '\u{e0020}'..='\u{e007f}' => in_flag(chars, at),
        _ => false,
    }
}

fn is_emoji_part(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2190}'..='\u{21ff}' | '\u{2b00}'..='\u{2bff}' | '\u{fe0f}' | '\u{fe0e}' | '\u{200d}')
}

/// Letters of scripts in which joiners are part of the spelling: Arabic, Syriac, Mongolian, and
/// those of India and its neighbours (Unicode Standard, 23.2).
fn joins(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{6ff}' | '\u{700}'..='\u{74f}' | '\u{750}'..='\u{77f}' | '\u{8a0}'..='\u{8ff}' | '\u{900}'..='\u{dff}'
        | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{1800}'..='\u{18af}' | '\u{fb50}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// True if a tag character is part of a flag: a black flag, letters and digits as tags, the cancel
/// tag.
fn in_flag(chars: &[char], at: usize) -> bool {
    let tag = |c: &char| matches!(c, '\u{e0020}'..='\u{e007f}');
    let start = chars[..at].iter().rposition(|c| !tag(c));
    let end = chars[at..].iter().position(|c| *c == '\u{e007f}');
    let short = start.is_some_and(|s| at - s <= 8);
    short
        && start.is_some_and(|s| chars[s] == '\u{1f3f4}')
        && end.is_some_and(|e| e <= 8 && chars[at..at + e].iter().all(tag))
}

/// True if a text holds a phrase or form that redirects an agent: sure enough for a dream to leave
/// it out. What only reads like it is proposed, and labelled for a person
/// ([`is_instruction_like`]).
#[must_use]
pub fn holds_an_instruction(text: &str) -> bool {
    redirection::has_a_hostile_form(text) || redirection::holds_a_phrase(text)
}

/// True if a text reads as an attempt to redirect the agent that loads it ([`crate::redirection`]).
#[must_use]
pub fn is_instruction_like(text: &str) -> bool {
    redirection::is_redirecting(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_pass_for_latin_are_found_in_latin_words_only() {
        assert_eq!(look_alikes("\u{440}aypal and \u{43f}\u{440}\u{438}"), [0]);
        assert_eq!(look_alikes("go to p\u{430}ge\u{ff21}"), [7, 11]);
        assert!(look_alikes("\u{3b1}\u{3b2} plain \u{e9}t\u{e9}").is_empty());
    }

    #[test]
    fn joiners_in_their_place_hide_nothing() {
        for fine in [
            "family 👨\u{200d}👩\u{200d}👧 ok",
            "heart ❤\u{fe0f}\u{200d}🔥",
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "one\r\ntwo",
            "flag 🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} here",
            "plain Ünïcödé и по-русски",
        ] {
            assert!(!hides_something(fine), "{fine:?}");
        }
        for bad in [
            "pay\u{200b}ment",
            "ad\u{200d}min",
            "ad\u{200c}min",
            "a\u{202e}b",
            "a\rb",
            "p\u{430}ypal",
            "x\u{e0041}\u{e0042}",
            "👨\u{200d}admin",
            "soft\u{ad}hyphen",
        ] {
            assert!(hides_something(bad), "{bad:?}");
        }
    }

    #[test]
    fn hidden_characters() {
        assert!(
            has_hidden("a\u{202e}b")
                && has_hidden("a\u{200b}")
                && has_hidden("a\u{7}")
                && has_hidden("a\r\n")
        );
        assert!(!has_hidden("plain\ttext\nü 👍\u{fe0f}"));
    }
}
