//! Lists of phrases that are looked for among a sentence's words, found by their first word: most
//! of what people say holds none.

use std::{collections::HashMap, sync::LazyLock};

use super::{rule_words, words};

/// Phrases, by their first words.
pub struct Phrases(HashMap<&'static str, Vec<Vec<&'static str>>>);

impl Phrases {
    fn of(list: &'static [&'static str]) -> Self {
        let mut by_first: HashMap<&str, Vec<Vec<&str>>> = HashMap::new();
        for phrase in list {
            let parts: Vec<&str> = phrase.split(' ').collect();
            by_first.entry(parts[0]).or_default().push(parts);
        }
        Self(by_first)
    }

    /// How many words at the beginning are one of these; of several the longest.
    pub fn begin(&self, words: &[String]) -> Option<usize> {
        let begins = |phrase: &&Vec<&str>| {
            words.len() >= phrase.len()
                && words
                    .iter()
                    .zip(phrase.iter())
                    .all(|(word, part)| word == part)
        };
        self.0
            .get(words.first()?.as_str())?
            .iter()
            .filter(begins)
            .map(Vec::len)
            .max()
    }

    /// True if one of these is anywhere.
    pub fn are_in(&self, words: &[String]) -> bool {
        (0..words.len()).any(|at| self.begin(&words[at..]).is_some())
    }
}

macro_rules! lists {
    ($($name:ident = $list:path;)*) => { $(pub static $name: LazyLock<Phrases> = LazyLock::new(|| Phrases::of($list));)* };
}

lists! {
    OPENINGS = rule_words::OPENINGS;
    INSIDE = rule_words::INSIDE;
    REMEMBER = rule_words::REMEMBER;
    MOMENT = rule_words::MOMENT;
    REPORTED = rule_words::REPORTED;
    HOLDS_FOR_MORE = rule_words::HOLDS_FOR_MORE;
    LEADS = rule_words::LEADS;
    LASTING = rule_words::LASTING;
    TEMPORARY = words::TEMPORARY;
}
