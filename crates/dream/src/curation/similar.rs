//! How alike two statements are. *Same*: they differ in nothing that carries meaning (articles,
//! punctuation, contractions, the case of a first word), so one of them can go; order, numbers,
//! names, negations, units, conditions, particles such as on and off, code and signs must all be
//! equal. *Alike*: a person should look at both; nothing follows from it by itself.
//!
//! The threshold of *alike* was chosen on the training part of the Microsoft Research Paraphrase
//! Corpus: precision .91 at recall .44.

use std::collections::{BTreeSet, HashMap};

/// Words that carry no meaning of their own in a statement. Nothing that says how many, when,
/// whether or how often is among them.
const EMPTY_WORDS: &[&str] = &["a", "an", "the", "please", "also", "that"];
/// Words without which two statements may still be about the same thing; for *alike* only.
const FUNCTION_WORDS: &[&str] = &[
    "a", "an", "the", "that", "this", "these", "those", "which", "who", "whom", "whose", "is",
    "are", "was", "were", "be", "been", "being", "am", "has", "have", "had", "having", "do",
    "does", "did", "will", "would", "shall", "of", "to", "in", "on", "at", "by", "for", "with",
    "from", "as", "into", "and", "or", "but", "also", "just", "then", "so", "very", "really",
    "quite", "too", "please", "there", "here", "it", "its", "his", "her", "their", "our", "your",
    "my", "he", "she", "they", "we", "you", "i", "said", "says",
];
/// Words that turn a statement round, or bind it to a condition: they must be the same in both.
const TURNING_WORDS: &[&str] = &[
    "not", "no", "never", "none", "nothing", "nobody", "neither", "nor", "without", "except",
    "unless", "until", "only", "before", "after", "if",
];
/// Characters of a statement beyond which it is not compared: no note's statement is that long, and
/// hostile ones could be.
const LONGEST: usize = 2_000;
/// Least share of common trigrams (Dice) of statements that are alike, in percent.
const ALIKE_PERCENT: usize = 74;

/// A statement made ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    key: Vec<String>,
    turning: Vec<String>,
    numbers: Vec<String>,
    /// Trigrams, ascending, each with how often it is there.
    grams: Vec<(Gram, u32)>,
    gram_count: usize,
}

/// How alike two statements are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likeness {
    /// They say the same; one can go.
    Same,
    /// A person should look at both.
    Alike,
    Different,
}

impl Prepared {
    /// Makes a statement ready.
    #[must_use]
    pub fn of(statement: &str) -> Self {
        let statement: String = statement.chars().take(LONGEST).collect();
        let tokens = tokens(&statement);
        let lower: Vec<String> = tokens.iter().map(|t| t.to_lowercase()).collect();
        let turning = lower
            .iter()
            .filter(|t| TURNING_WORDS.contains(&t.as_str()))
            .cloned()
            .collect();
        let content = content(&lower);
        let joined: Vec<char> = content.join(" ").chars().collect();
        let mut all: Vec<Gram> = joined.windows(3).map(gram).collect();
        all.sort_unstable();
        let mut grams: Vec<(Gram, u32)> = Vec::with_capacity(all.len());
        for one in all {
            match grams.last_mut() {
                Some((last, n)) if *last == one => *n += 1,
                _ => grams.push((one, 1)),
            }
        }
        Self {
            key: key(tokens),
            turning,
            numbers: numbers(&lower),
            grams,
            gram_count: joined.len().saturating_sub(2),
        }
    }

    /// Returns what statements that say the same have in common, and no others; empty for a
    /// statement without words.
    #[must_use]
    pub fn key(&self) -> &[String] {
        &self.key
    }

    /// How alike another one is.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> Likeness {
        if !self.key.is_empty() && self.key == other.key {
            return Likeness::Same;
        }
        if self.turning != other.turning || self.gram_count == 0 || other.gram_count == 0 {
            return Likeness::Different;
        }
        if self.common_percent(other) >= ALIKE_PERCENT {
            Likeness::Alike
        } else {
            Likeness::Different
        }
    }

    /// Share of common trigrams (Dice), in percent, rounded down.
    #[must_use]
    pub fn common_percent(&self, other: &Self) -> usize {
        let (mut a, mut b, mut common) = (0, 0, 0_usize);
        while let (Some((x, n)), Some((y, m))) = (self.grams.get(a), other.grams.get(b)) {
            common += if x == y { *n.min(m) as usize } else { 0 };
            a += usize::from(x <= y);
            b += usize::from(y <= x);
        }
        (200 * common)
            .checked_div(self.gram_count + other.gram_count)
            .unwrap_or(0)
    }

    /// True if both hold the same numbers, spans of code and addresses, in the same order.
    #[must_use]
    pub fn same_numbers(&self, other: &Self) -> bool {
        self.numbers == other.numbers
    }

    /// The trigrams, for an index; one that is there several times is as many: the first, the
    /// second ..
    fn grams(&self) -> impl Iterator<Item = (Gram, u32)> + '_ {
        self.grams
            .iter()
            .flat_map(|(g, n)| (0..*n).map(|k| (*g, k)))
    }
}

/// Three characters in one number: 21 bits hold each.
type Gram = u64;

fn gram(window: &[char]) -> Gram {
    window.iter().fold(0, |g, c| (g << 21) | u64::from(*c))
}

/// Returns what statements that say the same have in common, and no others; empty for a statement
/// without words.
#[must_use]
pub fn key_of(statement: &str) -> Vec<String> {
    key(tokens(&statement.chars().take(LONGEST).collect::<String>()))
}

/// The words of a text that carry content: lower case, without their plural, in order.
#[must_use]
pub fn content_words(text: &str) -> Vec<String> {
    content(
        &tokens(text)
            .iter()
            .map(|t| t.to_lowercase())
            .collect::<Vec<_>>(),
    )
}

/// Content words without what negates or stresses them, and whether they were negated: "never
/// answer" and "always answer" are opposites.
#[must_use]
pub fn without_negation(mut words: Vec<String>) -> (Vec<String>, bool) {
    let negates = |w: &String| matches!(w.as_str(), "not" | "no" | "never");
    let is_negated = words.iter().filter(|w| negates(w)).count() % 2 == 1;
    // Words come without their plural: "always" is "alway".
    words.retain(|w| !negates(w) && w != "alway");
    (words, is_negated)
}

/// True if a statement negates.
#[must_use]
pub fn is_negated(statement: &str) -> bool {
    tokens(statement).iter().any(|t| {
        matches!(
            t.to_lowercase().as_str(),
            "not" | "no" | "never" | "none" | "nobody" | "nothing" | "without"
        )
    })
}

fn content(lower: &[String]) -> Vec<String> {
    lower
        .iter()
        .filter(|t| t.chars().any(char::is_alphanumeric) && !is_function_word(t))
        .map(|t| stem(t))
        .collect()
}

/// True if two statements may be about the same thing without this word.
pub(crate) fn is_function_word(lower: &str) -> bool {
    FUNCTION_WORDS.contains(&lower)
}

/// Returns what holds a digit, is code or an address.
fn numbers(lower: &[String]) -> Vec<String> {
    let counts = |t: &&String| {
        t.starts_with('`') || t.contains("://") || t.chars().any(|c| c.is_ascii_digit())
    };
    lower.iter().filter(counts).cloned().collect()
}

/// Pairs of statements that are alike (not the same), by index, smaller first, in order. Found over
/// an index of rare trigrams: two texts with so many in common share one of the rarest 42 in a
/// hundred of each.
#[must_use]
pub fn alike_pairs<P: std::borrow::Borrow<Prepared>>(all: &[P]) -> Vec<(usize, usize)> {
    first_alike_pairs(all, usize::MAX)
}

/// As [`alike_pairs`], but stops when it has found so many.
#[must_use]
pub fn first_alike_pairs<P: std::borrow::Borrow<Prepared>>(
    all: &[P],
    most: usize,
) -> Vec<(usize, usize)> {
    let mut frequency: HashMap<(Gram, u32), usize> = HashMap::new();
    for one in all.iter().map(P::borrow) {
        for gram in one.grams() {
            *frequency.entry(gram).or_default() += 1;
        }
    }
    let mut index: HashMap<(Gram, u32), Vec<usize>> = HashMap::new();
    let mut pairs = BTreeSet::new();
    for (i, one) in all.iter().map(P::borrow).enumerate() {
        let mut grams: Vec<_> = one.grams().collect();
        grams.sort_by_key(|g| (frequency[g], *g));
        // Dice >= .74 means at least .74/(2-.74) = .587 of the grams of the smaller are common: one
        // of the rarest .413 of each is.
        let prefix = grams.len() - grams.len() * 58 / 100;
        let mut candidates = BTreeSet::new();
        for gram in grams.iter().take(prefix) {
            // What half of a store shares tells nothing, and would compare everything with
            // everything.
            let holders = index.entry(*gram).or_default();
            if holders.len() < 200 {
                candidates.extend(holders.iter().copied());
            }
            holders.push(i);
        }
        if pairs.len() >= most {
            break;
        }
        pairs.extend(
            candidates
                .into_iter()
                .filter(|&j| all[j].borrow().likeness(one) == Likeness::Alike)
                .map(|j| (j, i)),
        );
    }
    pairs.into_iter().collect()
}

/// The key: every token that carries meaning, in order.
fn key(tokens: Vec<String>) -> Vec<String> {
    let last = tokens.len().saturating_sub(1);
    let mut kept = Vec::new();
    for (at, token) in tokens.into_iter().enumerate() {
        // `plan A` at the end of a statement is a name, not an article.
        let empty = EMPTY_WORDS.contains(&token.to_lowercase().as_str())
            && at < last
            && (token != "A" || kept.is_empty());
        // At the end it shouts; before a word or a sign it is a negation in many languages of
        // machines.
        let shout = token == "!" && at == last;
        if empty
            || shout
            || matches!(
                token.as_str(),
                "." | "," | ";" | ":" | "\"" | "'" | "(" | ")" | "—" | "–" | "…"
            )
        {
            continue;
        }
        // Only the first word's case is that of its place; elsewhere `Polish` and `polish`, `US`
        // and `us` are different.
        let is_word = token.chars().skip(1).all(char::is_lowercase);
        kept.push(if at == 0 && is_word {
            token.to_lowercase()
        } else {
            token
        });
    }
    if kept.iter().any(|t| t.chars().any(char::is_alphanumeric)) {
        kept
    } else {
        Vec::new()
    }
}

/// Words, numbers, signs and spans of code, in order. Contractions are written out, thousands
/// without commas, per cent as `%`.
pub(crate) fn tokens(statement: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (n, part) in statement.split('`').enumerate() {
        if n % 2 == 1 {
            // Code is compared as it stands.
            found.push(format!("`{}`", part.trim()));
            continue;
        }
        let chars: Vec<char> = part.chars().map(plain).collect();
        let mut at = 0;
        while at < chars.len() {
            let c = chars[at];
            if c.is_whitespace() {
                at += 1;
            } else if c.is_alphanumeric() {
                let end = word_end(&chars, at);
                words(&chars[at..end].iter().collect::<String>(), &mut found);
                at = end;
            } else {
                // A dash between spaces is punctuation; before a digit it is a sign.
                let is_sign = c == '-' && chars.get(at + 1).is_some_and(char::is_ascii_digit);
                found.push(if c == '-' && !is_sign {
                    "—".to_owned()
                } else {
                    c.to_string()
                });
                at += 1;
            }
        }
    }
    found
}

/// Typographic quotes and dashes as plain ones.
const fn plain(c: char) -> char {
    match c {
        '’' | '‘' => '\'',
        '“' | '”' | '„' => '"',
        '−' => '-',
        other => other,
    }
}

/// Returns where the word that begins here ends: letters and digits, and single joiners between
/// them (`v1.2`, `well-known`, `a/b`, `don't`).
fn word_end(chars: &[char], start: usize) -> usize {
    let mut end = start;
    while end < chars.len() {
        let joins = matches!(
            chars[end],
            '.' | ',' | '-' | '_' | '/' | ':' | '@' | '\'' | '+' | '#' | '=' | '&'
        );
        let inside = joins && chars.get(end + 1).is_some_and(|c| c.is_alphanumeric());
        // A comma joins only the digits of a number.
        let comma = chars[end] == ','
            && !(end > 0
                && chars[end - 1].is_ascii_digit()
                && chars.get(end + 1).is_some_and(char::is_ascii_digit));
        if !(chars[end].is_alphanumeric() || (inside && !comma)) {
            break;
        }
        end += 1;
    }
    end
}

/// The word in its plain form: contractions in two words, thousands without commas.
fn words(word: &str, found: &mut Vec<String>) {
    let lower = word.to_lowercase();
    let whole = match lower.as_str() {
        "can't" | "cannot" => Some(["can", "not"]),
        "won't" => Some(["will", "not"]),
        _ => None,
    };
    if let Some(whole) = whole {
        found.extend(whole.map(str::to_owned));
    } else if let Some(verb) = word.strip_suffix("n't") {
        found.extend([verb.to_owned(), "not".to_owned()]);
    } else if let Some((subject, verb)) = ["'re", "'ll", "'ve", "'m"]
        .iter()
        .zip(["are", "will", "have", "am"])
        .find_map(|(s, v)| Some((word.strip_suffix(s)?, v)))
    {
        found.extend([subject.to_owned(), verb.to_owned()]);
    } else if matches!(lower.as_str(), "percent" | "per-cent") {
        found.push("%".to_owned());
    } else if is_grouped_number(word) {
        found.push(word.replace(',', ""));
    } else {
        found.push(word.to_owned());
    }
}

/// True if the word is a number with grouped digits: `1,000` or `12,000,000`.
fn is_grouped_number(word: &str) -> bool {
    let mut groups = word.split(',');
    let first = groups.next().unwrap_or_default();
    let digits = |g: &str| g.bytes().all(|b| b.is_ascii_digit());
    word.contains(',')
        && (1..=3).contains(&first.len())
        && digits(first)
        && groups.all(|g| g.len() == 3 && digits(g))
}

/// A word without its plural: enough for what is only alike.
pub(crate) fn stem(word: &str) -> String {
    let cut = |suffix: &str, least: usize| word.strip_suffix(suffix).filter(|w| w.len() >= least);
    if let Some(base) = cut("ies", 2) {
        return format!("{base}y");
    }
    if word.ends_with("ss") {
        return word.to_owned();
    }
    cut("s", 3).unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn likeness(a: &str, b: &str) -> Likeness {
        Prepared::of(a).likeness(&Prepared::of(b))
    }

    #[test]
    fn what_says_the_same() {
        for (a, b) in [
            ("Use the CSV export.", "Use CSV export"),
            ("Don't deploy on Fridays!", "Do not deploy on Fridays."),
            ("Please always answer in German.", "Always answer in German"),
            ("The limit is 1,000 rows.", "the limit is 1000 rows"),
            ("At least 10 % of them", "At least 10 percent of them."),
            ("Call `book_it` first.", "Call `book_it` first"),
            (
                "Anna’s team reads “handover” notes",
                "Anna's team reads \"handover\" notes",
            ),
        ] {
            assert_eq!(likeness(a, b), Likeness::Same, "{a} / {b}");
        }
    }

    #[test]
    fn what_does_not() {
        for (a, b) in [
            ("The limit is 1,000 rows.", "The limit is 1,100 rows."),
            ("Deploy on Fridays.", "Do not deploy on Fridays."),
            ("Turn the cache on.", "Turn the cache off."),
            ("A before B.", "B before A."),
            ("Retry after 5 s.", "Retry after 5 min."),
            ("Retry if it fails.", "Retry unless it fails."),
            ("Use plan A", "Use plan"),
            ("Send it to the US team", "Send it to us team"),
            ("The Polish page", "The polish page"),
            ("Call `book`.", "Call `Book`."),
            ("x > 5", "x < 5"),
            ("-5 degrees", "5 degrees"),
            ("Ana approves Ben's changes", "Ben approves Ana's changes"),
            ("Only admins may", "Admins may"),
            ("Is it on?", "It is on"),
            ("Use v1.2", "Use v1.3"),
            ("Was 5", "Is 5"),
            ("", ""),
            ("...", "!!!"),
        ] {
            assert_ne!(likeness(a, b), Likeness::Same, "{a} / {b}");
        }
    }

    #[test]
    fn what_repeats_itself_is_found_by_the_index_too() {
        let all: Vec<Prepared> = ["aaa cccc eef", "a cccc eef"]
            .iter()
            .map(|s| Prepared::of(s))
            .collect();
        assert_eq!(all[0].likeness(&all[1]), Likeness::Alike);
        assert_eq!(alike_pairs(&all), [(0, 1)]);
    }

    #[test]
    fn alike_is_for_a_person() {
        assert_eq!(
            likeness(
                "The export tool takes CSV files only below 5 MB",
                "Export tool takes CSV files only, below 5 MB in size"
            ),
            Likeness::Alike
        );
        assert_eq!(
            likeness(
                "The export takes CSV files",
                "The export takes no CSV files"
            ),
            Likeness::Different,
            "a negation is never overlooked"
        );
        let all: Vec<Prepared> = [
            "The export tool takes CSV files below 5 MB",
            "Nothing to do with it at all",
            "The export tool takes CSV files below 5 MB now",
        ]
        .iter()
        .map(|s| Prepared::of(s))
        .collect();
        assert_eq!(alike_pairs(&all), [(0, 2)]);
    }

    proptest::proptest! {
        #[test]
        fn anything_can_be_prepared(a in ".{0,200}", b in ".{0,200}") {
            let (a, b) = (Prepared::of(&a), Prepared::of(&b));
            proptest::prop_assert_eq!(a.likeness(&b), b.likeness(&a));
            if !a.key().is_empty() {
                proptest::prop_assert_eq!(a.likeness(&a), Likeness::Same);
            }
        }

        #[test]
        fn the_index_finds_what_comparing_all_finds(words in proptest::collection::vec("[ab]{1,3} \
            [cd]{2,4} [ef]{2,4}", 2..12)) {
            let all: Vec<Prepared> = words.iter().map(|w| Prepared::of(w)).collect();
            let mut expected = Vec::new();
            for i in 0..all.len() {
                for j in i + 1..all.len() {
                    if all[i].likeness(&all[j]) == Likeness::Alike { expected.push((i, j)); }
                }
            }
            proptest::prop_assert_eq!(alike_pairs(&all), expected);
        }
    }
}
