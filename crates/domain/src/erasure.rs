//! What a text holds of one end user: a run of words as they said it, a value that points to them,
//! or the name by which they are known. Erasing an end user finds it by these, wherever else it was
//! copied to.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
};

use serde_json::Value;

use crate::{search::tokens, sensitive::sensitive_spans, text_enum::text_enum};

/// The text that replaces erased text. Its SHA-256 is [`ERASED_SHA256`], which the database's
/// triggers let take the place of any other.
pub const ERASED: &str = "[erased]";
/// The SHA-256 of [`ERASED`], hexadecimal.
pub const ERASED_SHA256: &str = "774971fa368a7f694e7546f7e9865ddd68cbbb53f3ea4e78e9e50dd9b58b3201";
/// Longest reason of an erasure or a hold, in characters.
pub const LONGEST_REASON: usize = 1_000;
/// Shortest name that is looked for in texts, in characters: shorter ones are in too many words.
const SHORTEST_NAME: usize = 4;
/// Least letters of a name of one word without a digit that is searched for: shorter ones, such as
/// `user` and `agent`, are ordinary words.
const SHORTEST_WORD: usize = 8;
/// So many words in a row, as they were said, are a person's own. Fewer are often what anybody
/// says.
const RUN: usize = 8;
/// So many letters those words have at least together: in scripts without spaces a word is a pair
/// of letters.
const LETTERS: usize = 24;
/// So many pairs of letters are a person's own in scripts without spaces.
const PAIRS: usize = 20;
/// A number of so many digits points to somebody or something of theirs, unless it is a day or a
/// round number.
const DIGITS: usize = 7;

text_enum! {
    ErasureKind {
        /// All that is known of an end user.
        Subject => "subject",
        /// The text of one version of a memory.
        Version => "version",
        /// Transcripts that were older than they are kept.
        Retention => "retention",
    }
}

text_enum! {
    /// How far an erasure is.
    ErasureState {
        /// A second admin has not confirmed it yet.
        Waiting => "waiting",
        Done => "done",
        /// It was withdrawn or declined.
        Withdrawn => "withdrawn",
    }
}

/// The words of an end user that are searched for in other texts.
#[derive(Debug, Clone, Default)]
pub struct TheirWords {
    hasher: RandomState,
    /// Hashes of every run of eight words that they said.
    runs: HashSet<u64>,
    /// Names, numbers, addresses and the like, as tokens, by their first one.
    values: HashMap<String, HashSet<Vec<String>>>,
}

impl TheirWords {
    /// Returns what is found by the name alone.
    #[must_use]
    pub fn of(subject: &str) -> Self {
        let mut words = Self::default();
        let letters = subject.chars().count();
        let is_telling = subject.contains(|c: char| c.is_ascii_digit())
            || tokens(subject).len() > 1
            || letters >= SHORTEST_WORD;
        if letters >= SHORTEST_NAME && is_telling {
            words.add_value(subject);
        }
        words
    }

    /// Adds names and the like that are looked for as well, one a line.
    pub fn add_lines(&mut self, lines: &str) {
        for line in lines
            .lines()
            .map(str::trim)
            .filter(|line| line.chars().count() >= SHORTEST_NAME)
        {
            self.add_value(line);
        }
    }

    /// Adds what the end user said.
    pub fn add_said(&mut self, text: &str) {
        let tokens = tokens(text);
        for run in runs(&tokens) {
            let hash = self.hasher.hash_one(run);
            self.runs.insert(hash);
        }
        for number in tokens.iter().filter(|t| is_telling_number(t)) {
            self.values
                .entry(number.clone())
                .or_default()
                .insert(vec![number.clone()]);
        }
    }

    /// Adds addresses, numbers and secrets that the end user gave.
    pub fn add_personal(&mut self, text: &str) {
        for span in sensitive_spans(text) {
            self.add_value(&text[span.start..span.end]);
        }
    }

    fn add_value(&mut self, value: &str) {
        let tokens = tokens(value);
        if let Some(first) = tokens.first() {
            self.values.entry(first.clone()).or_default().insert(tokens);
        }
    }

    /// True if a text holds any of it.
    #[must_use]
    pub fn are_in(&self, text: &str) -> bool {
        let tokens = tokens(text);
        let value_at = |at: usize| {
            self.values
                .get(&tokens[at])
                .is_some_and(|all| all.iter().any(|value| tokens[at..].starts_with(value)))
        };
        runs(&tokens).any(|run| self.runs.contains(&self.hasher.hash_one(run)))
            || (0..tokens.len()).any(value_at)
    }

    /// A text without them: the strings of a JSON list or object that hold any are replaced, any
    /// other text as a whole. `None` if it holds nothing of them.
    #[must_use]
    pub fn erased_from(&self, text: &str) -> Option<String> {
        if text.starts_with(['{', '['])
            && let Ok(mut value) = serde_json::from_str::<Value>(text)
        {
            return self.erase_in(&mut value).then(|| value.to_string());
        }
        self.are_in(text).then(|| ERASED.to_owned())
    }

    /// Replaces the strings of a JSON value that hold any of it; whether there were such.
    fn erase_in(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) if self.are_in(text) => {
                ERASED.clone_into(text);
                true
            }
            Value::Array(all) => self.erase_in_all(all.iter_mut()),
            // The names of fields are Lucid's own.
            Value::Object(fields) => self.erase_in_all(fields.values_mut()),
            _ => false,
        }
    }

    fn erase_in_all<'a>(&self, values: impl Iterator<Item = &'a mut Value>) -> bool {
        let mut any = false;
        for value in values {
            any |= self.erase_in(value);
        }
        any
    }
}

/// The runs of words by which a text is known to be somebody's own.
fn runs(tokens: &[String]) -> impl Iterator<Item = &[String]> {
    let letters = |run: &[String]| run.iter().map(|word| word.chars().count()).sum::<usize>();
    let words = tokens
        .windows(RUN)
        .filter(move |run| letters(run) >= LETTERS);
    let is_pairs = |run: &&[String]| {
        run.iter()
            .all(|word| word.chars().count() <= 2 && !word.is_ascii())
    };
    words.chain(tokens.windows(PAIRS).filter(is_pairs))
}

/// True if a number points to something: not `2026-11-27` as `20261127`, and no round one.
fn is_telling_number(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let is_day =
        word.len() == 8 && digits == 8 && (word.starts_with("19") || word.starts_with("20"));
    digits >= DIGITS && !is_day && !word.ends_with("000")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> TheirWords {
        let mut words = TheirWords::of("cust-4711");
        words.add_said("Please never call me before ten in the morning, my order is 30931774.");
        words.add_personal("Customer record: ana.li@example.com");
        words.add_said("All since 20261127, and the limit is 1000000 rows.");
        words.add_lines("Ana Li\n\n  Li \n");
        words
    }

    #[test]
    fn what_erased_texts_say_has_the_hash_that_the_database_knows() {
        assert_eq!(
            crate::canonical::sha256_hex(ERASED.as_bytes()),
            ERASED_SHA256
        );
    }

    #[test]
    fn words_numbers_addresses_and_the_name_are_found_in_any_case() {
        let words = words();
        for text in [
            "CUST 4711 prefers mail",
            "as ana li asked",
            "They said: never call me before ten in the morning!",
            "order 30931774 was late",
            "write to Ana.Li@example.com",
        ] {
            assert!(words.are_in(text), "{text}");
        }
        for text in [
            "Li asked",
            "Never call before ten",
            "cust-47115",
            "cust 471",
            "order 3093177",
            "since 20261127",
            "limit 1000000",
            "ana@example.com",
            "",
            "please never call me before ten",
        ] {
            assert!(!words.are_in(text), "{text}");
        }
        for name in ["al", "user", "agent", "the"] {
            assert!(
                !TheirWords::of(name).are_in(&format!("{name} dente")),
                "{name} is a word"
            );
        }
        assert!(TheirWords::of("Quetzalina").are_in("quetzalina's seat"));
    }

    #[test]
    fn a_script_without_spaces_is_searched_too() {
        let mut words = TheirWords::of("x");
        words.add_said("祖母はいつも眠っている狐の隣の窓側の席を予約しますので朝十時より前には電話をかけないでください");
        assert!(
            words.are_in("メモ：祖母はいつも眠っている狐の隣の窓側の席を予約します、と言われた")
        );
        assert!(
            !words.are_in("朝十時より前には電話をかけない"),
            "a greeting or a common phrase is shorter"
        );
    }

    #[test]
    fn only_the_strings_of_json_that_hold_them_are_replaced() {
        let words = words();
        let facts = r#"{"count":3,"subjects":["cust-4711","cust-1"]}"#;
        let erased = words.erased_from(facts).unwrap();
        let value: Value = serde_json::from_str(&erased).unwrap();
        assert_eq!(
            (&value["count"], &value["subjects"]),
            (&Value::from(3), &serde_json::json!(["[erased]", "cust-1"]))
        );
        assert!(!erased.contains("4711"), "{erased}");
        assert_eq!(words.erased_from(r#"{"count":3}"#), None);
        assert_eq!(words.erased_from("of cust-4711").as_deref(), Some(ERASED));
        assert_eq!(
            words.erased_from("{cust-4711").as_deref(),
            Some(ERASED),
            "what only looks like JSON"
        );
    }
}
