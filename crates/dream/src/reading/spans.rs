//! Values in free text, wherever they stand: numbers with their units, times of the day, days,
//! months, names and codes, each in a form in which the same value written otherwise is known.
//! Unlike [`super::values`] it asks for no copula: people mention in passing what is new.

use super::{
    amounts::{self, DAYS},
    words::{MONTHS, UNITS},
};

/// Tokens of one text that are read.
const MOST_TOKENS: usize = 400;
/// Titles before a person's name.
pub const TITLES: &[&str] = &[
    "mr",
    "mrs",
    "ms",
    "dr",
    "prof",
    "professor",
    "miss",
    "sir",
    "herr",
    "frau",
    "rev",
    "st",
];
/// Words with a large first letter that name nothing.
#[rustfmt::skip]
const NO_NAMES: &[&str] = &["i", "i'm", "i'd", "i've", "i'll", "ok", "faq", "fyi", "eod", "asap", "pls", "hi", "hello", "thanks"];
/// Currencies by their codes and signs.
#[rustfmt::skip]
pub const MONEY: &[&str] = &[
    "eur", "euro", "euros", "€", "usd", "dollar", "dollars", "$", "gbp", "pound", "pounds", "£", "chf", "nzd", "aud", "cad", "sek", "nok",
    "dkk", "pln", "inr", "jpy", "czk", "huf",
];
/// More units than those of memories' values, in the forms that people count in.
#[rustfmt::skip]
const COUNTED: &[&str] = &[
    "hrs", "cm", "mm", "ha", "km/h", "fps", "degrees", "points", "players", "gpus", "children", "kids", "languages", "tickets", "seats",
    "rooms", "approvals", "reviewers", "attempts", "retries", "workers", "replicas", "nodes", "copies", "cents", "litres", "tonnes", "nights",
];

/// A word, a number or a sign, with its first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As it was written.
    pub text: String,
    /// In lower case, with plain apostrophes.
    pub lower: String,
    /// First byte in the text.
    pub start: usize,
}

/// The kind of a value; a value is never replaced by one of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A number, with or without a unit.
    Number,
    /// A time of the day.
    Clock,
    /// A day of the week.
    Day,
    Month,
    /// A name: large first letters.
    Name,
    /// A channel, an address, a version, a word with signs inside.
    Code,
}

/// A value and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub first: usize,
    /// One past the last token.
    pub last: usize,
    pub kind: Kind,
    /// Its number or its words, in their normal form.
    pub value: String,
    /// The unit of a number; may be empty.
    pub unit: String,
}

/// The tokens of a text, up to a bound.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() && found.len() < MOST_TOKENS {
        let (start, c) = chars[at];
        let next = |n: usize| chars.get(n).map(|c| c.1);
        let opens = matches!(c, '#' | '@' | '/')
            && next(at + 1).is_some_and(char::is_alphanumeric)
            && (at == 0 || next(at - 1) == Some(' '));
        if !c.is_alphanumeric() && !opens {
            if !c.is_whitespace() {
                found.push(token(text, start, start + c.len_utf8()));
            }
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while let Some(c) = next(end) {
            let inside = next(end + 1).is_some_and(char::is_alphanumeric);
            let joins = match c {
                '\'' | '’' | '.' | ':' | '/' | '-' | '_' | '@' | '&' | '+' => inside,
                ',' => [end - 1, end + 1]
                    .iter()
                    .all(|n| next(*n).is_some_and(|c| c.is_ascii_digit())),
                '%' => next(end - 1).is_some_and(|c| c.is_ascii_digit()),
                c => c.is_alphanumeric(),
            };
            if !joins {
                break;
            }
            end += 1;
        }
        found.push(token(
            text,
            start,
            chars.get(end).map_or(text.len(), |c| c.0),
        ));
        at = end;
    }
    found
}

fn token(text: &str, start: usize, end: usize) -> Token {
    let text = text[start..end].to_owned();
    Token {
        lower: text.to_lowercase().replace('’', "'"),
        text,
        start,
    }
}

impl Token {
    /// True if it is a word or a number, not a sign.
    #[must_use]
    pub fn is_word(&self) -> bool {
        self.text.chars().any(char::is_alphanumeric)
    }

    /// One past its last byte.
    #[must_use]
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Without the `'s` of a possessive.
    fn bare(&self) -> &str {
        self.lower.strip_suffix("'s").unwrap_or(&self.lower)
    }

    fn is_large(&self) -> bool {
        self.text.chars().next().is_some_and(char::is_uppercase)
            && !NO_NAMES.contains(&self.lower.as_str())
    }
}

/// The values of a text, in order.
#[must_use]
pub fn spans(tokens: &[Token]) -> Vec<Span> {
    let mut found: Vec<Span> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        match span_at(tokens, at) {
            Some(span) => {
                at = span.last;
                found.push(span);
            }
            None => at += 1,
        }
    }
    // "0800 55501", "twenty five": parts of one number, of which none is a value.
    let parts = |a: &Span, b: &Span| {
        a.kind == Kind::Number && b.kind == Kind::Number && a.last == b.first && a.unit.is_empty()
    };
    let is_part = |n: usize| {
        (n > 0 && parts(&found[n - 1], &found[n]))
            || found.get(n + 1).is_some_and(|next| parts(&found[n], next))
    };
    let kept: Vec<bool> = (0..found.len()).map(|n| !is_part(n)).collect();
    let mut kept = kept.into_iter();
    found.retain(|_| kept.next().unwrap_or(true));
    found
}

fn span_at(tokens: &[Token], at: usize) -> Option<Span> {
    let token = &tokens[at];
    let bare = token.bare();
    let span = |last: usize, kind, value: String| Span {
        first: at,
        last,
        kind,
        value,
        unit: String::new(),
    };
    let after = tokens.get(at + 1).map_or("", |t| t.lower.as_str());
    if let Some(clock) = clock(bare, after) {
        return Some(span(
            at + 1 + usize::from(matches!(after, "am" | "pm" | "o'clock")),
            Kind::Clock,
            clock,
        ));
    }
    if let Some((number, own)) = number(bare) {
        let sign = at.checked_sub(1).map_or("", |n| tokens[n].lower.as_str());
        let (unit, last) = match own {
            Some(unit) => (unit, at + 1),
            None if is_unit(after) => (unit(after), at + 2),
            None if matches!(sign, "€" | "$" | "£") => (unit(sign), at + 1),
            None => (String::new(), at + 1),
        };
        return Some(Span {
            first: at,
            last,
            kind: Kind::Number,
            value: number,
            unit,
        });
    }
    if bare.chars().any(|c| c.is_ascii_digit()) || is_code(&token.text) {
        return Some(span(at + 1, Kind::Code, bare.to_owned()));
    }
    if let Some(day) = DAYS.iter().find(|d| {
        **d == bare.trim_end_matches('s')
            || (bare.len() >= 3 && bare.len() <= 5 && d.starts_with(bare))
    }) {
        let word = !matches!(bare, "sun" | "sat" | "mon" | "wed") || token.is_large();
        return word.then(|| span(at + 1, Kind::Day, (*day).to_owned()));
    }
    // "Jan de Boer", "June Park": a name.
    let in_name = token.is_large()
        && tokens
            .get(at + 1)
            .is_some_and(|t| t.is_large() || matches!(t.lower.as_str(), "de" | "van" | "von"));
    if MONTHS.contains(&bare) && !in_name && bare != "mar" && (bare.len() > 3 || token.is_large()) {
        return Some(span(at + 1, Kind::Month, bare.chars().take(3).collect()));
    }
    let last = name_end(tokens, at);
    if last.is_none() && is_mixed(&token.text) {
        return Some(span(at + 1, Kind::Code, bare.to_owned()));
    }
    last.map(|last| {
        let words: Vec<&str> = tokens[at..last]
            .iter()
            .filter(|t| t.is_word())
            .map(Token::bare)
            .filter(|w| !TITLES.contains(w))
            .collect();
        span(last, Kind::Name, words.join(" "))
    })
}

/// One past the last token of a name that begins here.
fn name_end(tokens: &[Token], at: usize) -> Option<usize> {
    let token = &tokens[at];
    let is_large = |n: usize| tokens.get(n).is_some_and(Token::is_large);
    let titled = TITLES.contains(&token.lower.as_str());
    let dot = usize::from(titled && tokens.get(at + 1).is_some_and(|t| t.text == "."));
    if titled {
        let named = tokens.get(at + 1 + dot).is_some_and(Token::is_word)
            && (token.is_large() || dot == 1 || is_large(at + 1));
        return named.then(|| {
            (at + 2 + dot..tokens.len())
                .find(|&n| !is_large(n))
                .unwrap_or(tokens.len())
        });
    }
    let begins = at == 0 || matches!(tokens[at - 1].text.as_str(), "." | "?" | "!" | ":" | "\"");
    let money = MONEY.contains(&token.lower.as_str());
    if !token.is_large()
        || money
        || (begins
            && (!is_large(at + 1) || crate::curation::similar::is_function_word(&token.lower)))
    {
        return None;
    }
    let goes_on = |n: usize| {
        is_large(n)
            || (tokens[n].text.starts_with(|c: char| c.is_ascii_digit())
                && !tokens[n].text.contains(':'))
    };
    Some(
        (at + 1..tokens.len())
            .find(|&n| !goes_on(n))
            .unwrap_or(tokens.len()),
    )
}

/// A time of the day as `HH:MM`.
fn clock(bare: &str, after: &str) -> Option<String> {
    let half = if bare.ends_with("pm") || after == "pm" {
        12
    } else {
        0
    };
    let marked = half == 12 || bare.ends_with("am") || matches!(after, "am" | "o'clock");
    let digits = bare.trim_end_matches("pm").trim_end_matches("am");
    let (hour, minute) = match digits.split_once([':', 'h']) {
        Some((hour, minute)) if minute.len() == 2 => (hour, minute.parse::<u32>().ok()?),
        None if marked => (digits, 0),
        _ => return None,
    };
    let hour = amounts::digits_of(hour)
        .unwrap_or(hour)
        .parse::<u32>()
        .ok()
        .filter(|h| *h < 25 && minute < 60)?;
    Some(format!(
        "{:02}:{minute:02}",
        if hour < 12 { hour + half } else { hour }
    ))
}

/// A number in digits, and the unit that is written at it.
fn number(bare: &str) -> Option<(String, Option<String>)> {
    if let Some(digits) = amounts::digits_of(bare) {
        return Some((digits.to_owned(), None));
    }
    let end = bare
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',')))
        .unwrap_or(bare.len());
    let (digits, rest) = bare.split_at(end);
    let digits = digits.trim_end_matches('.');
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || digits.matches('.').count() > 1 {
        return None;
    }
    let plain = if digits.split(',').skip(1).all(|g| g.len() == 3) {
        digits.replace(',', "")
    } else {
        digits.replace(',', ".")
    };
    match rest {
        "k" if !plain.contains('.') => Some((format!("{plain}000"), None)),
        "" | "st" | "nd" | "rd" | "th" => Some((plain, None)),
        rest if is_unit(rest) => Some((plain, Some(unit(rest)))),
        _ => None,
    }
}

fn is_unit(lower: &str) -> bool {
    (UNITS.contains(&lower) && !matches!(lower, "am" | "pm"))
        || MONEY.contains(&lower)
        || COUNTED.contains(&lower)
}

/// A unit in one of its forms.
fn unit(lower: &str) -> String {
    match lower {
        "£" | "pound" | "pounds" => "gbp".to_owned(),
        "hrs" => "h".to_owned(),
        other => match amounts::one_unit(other) {
            "s" => "s".to_owned(),
            unit => unit.trim_end_matches('s').to_owned(),
        },
    }
}

/// A word with signs inside that no sentence sets: a channel, an address, a path, a name of
/// programs.
fn is_code(text: &str) -> bool {
    text.starts_with(['#', '@', '/'])
        || text.contains(['_', '@'])
        || (text.len() > 3
            && (text.trim_matches('.').contains('.')
                || (text.contains('/') && !text.contains("and/or"))))
}

/// A name of programs by its case (`gitLab`, `PostgreSQL`), where it is no name of a sentence.
fn is_mixed(text: &str) -> bool {
    text.len() > 3
        && text
            .chars()
            .zip(text.chars().skip(1))
            .any(|(a, b)| a.is_lowercase() && b.is_uppercase())
}

impl Span {
    /// True if both are one value, however they are written. A part of a name names the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let part = |a: &str, b: &str| a.split(' ').any(|w| w == b);
        match (self.kind, other.kind) {
            (Kind::Name, Kind::Name) => {
                self.value == other.value
                    || part(&self.value, &other.value)
                    || part(&other.value, &self.value)
            }
            (Kind::Name | Kind::Code, Kind::Name | Kind::Code) => self.value == other.value,
            (Kind::Number, Kind::Number) => {
                self.value == other.value
                    && (self.unit == other.unit || self.unit.is_empty() || other.unit.is_empty())
            }
            (Kind::Number, Kind::Clock) => {
                self.unit.is_empty() && is_hour(&self.value, &other.value)
            }
            (Kind::Clock, Kind::Number) => {
                other.unit.is_empty() && is_hour(&other.value, &self.value)
            }
            (one, other_kind) => one == other_kind && self.value == other.value,
        }
    }

    /// True if it names something: a name, or a code.
    #[must_use]
    pub const fn is_name(&self) -> bool {
        matches!(self.kind, Kind::Name | Kind::Code)
    }

    /// True if it is an address: a host, a path, a mailbox.
    #[must_use]
    pub fn is_address(&self) -> bool {
        let host = || {
            self.value
                .split('.')
                .next_back()
                .is_some_and(|end| end.len() >= 2 && end.chars().all(char::is_alphabetic))
        };
        self.kind == Kind::Code
            && (self.value.contains('@')
                || self.value.contains('/')
                || (self.value.contains('.') && host()))
    }

    /// True if both hold one token.
    #[must_use]
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.first < other.last && other.first < self.last
    }

    /// True if it may replace the other: both are of one kind, and their units, too.
    #[must_use]
    pub fn fits(&self, other: &Self) -> bool {
        match (self.kind, other.kind) {
            (Kind::Name | Kind::Code, Kind::Name | Kind::Code) => {
                // A channel takes a channel's place, a version a version's.
                let sign = |v: &str| v.chars().next().filter(|c| matches!(c, '#' | '@' | '/'));
                let numbered = |v: &str| v.chars().any(|c| c.is_ascii_digit());
                sign(&self.value) == sign(&other.value)
                    && numbered(&self.value) == numbered(&other.value)
            }
            (Kind::Number, Kind::Number) => {
                let of = |unit: &str| {
                    if matches!(unit, "min" | "h" | "s" | "day" | "week" | "month" | "year") {
                        "time"
                    } else {
                        unit
                    }
                    .to_owned()
                };
                self.unit.is_empty() || other.unit.is_empty() || of(&self.unit) == of(&other.unit)
            }
            (one, other) => one == other,
        }
    }
}

/// `16` and `16:00` are one time of the day.
fn is_hour(number: &str, clock: &str) -> bool {
    number
        .parse::<u32>()
        .is_ok_and(|h| clock == format!("{h:02}:00") || clock == format!("{:02}:00", h + 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(Kind, String)> {
        spans(&tokens(text))
            .into_iter()
            .map(|s| (s.kind, format!("{} {}", s.value, s.unit).trim().to_owned()))
            .collect()
    }

    #[test]
    fn values_of_every_kind() {
        use Kind::{Clock, Code, Day, Month, Name, Number};
        for (text, wanted) in [
            (
                "we're on PostgreSQL 16 there now",
                vec![(Name, "postgresql 16")],
            ),
            ("it closes at 5:30 pm, i think", vec![(Clock, "17:30")]),
            (
                "the limit is 75,000 EUR now, was 50k",
                vec![(Number, "75000 €"), (Number, "50000")],
            ),
            (
                "everything goes to #incidents-live",
                vec![(Code, "#incidents-live")],
            ),
            (
                "deploys moved to Thursdays in march",
                vec![(Day, "thursday"), (Month, "mar")],
            ),
            (
                "call Dr. Mbeki, she has ten days",
                vec![(Name, "mbeki"), (Number, "10 day")],
            ),
            ("Marta signs above $500", vec![(Number, "500 $")]),
            (
                "ask Jonas Beck's deputy, no values",
                vec![(Name, "jonas beck")],
            ),
        ] {
            let wanted: Vec<(Kind, String)> =
                wanted.into_iter().map(|(k, v)| (k, v.to_owned())).collect();
            assert_eq!(read(text), wanted, "{text}");
        }
    }

    #[test]
    fn the_same_value_written_otherwise() {
        let one = |text: &str| spans(&tokens(text)).remove(0);
        for (a, b) in [
            ("16:00", "4 pm"),
            ("x Amira Haddad", "x Amira"),
            ("60 days", "60"),
            ("5k", "5,000"),
            ("ten minutes", "10 min"),
            ("5 s", "five seconds"),
        ] {
            assert!(one(a).is(&one(b)), "{a} / {b}");
        }
        for (a, b) in [
            ("16:00", "16:30"),
            ("60 days", "60 EUR"),
            ("5 s", "5 min"),
            ("x Amira", "x Bob"),
        ] {
            assert!(!one(a).is(&one(b)), "{a} / {b}");
        }
        assert!(
            one("2 weeks").fits(&one("10 days"))
                && !one("2 weeks").fits(&one("10 EUR"))
                && !one("Monday").fits(&one("10"))
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "(the |5 |16:00 |#a-b |Dr\\. |Ana |’s |€|1,000 |pm \
            |[/@#.,:'’-]|É){0,25}.{0,20}") {
            let tokens = tokens(&text);
            for span in spans(&tokens) {
                proptest::prop_assert!(span.first < span.last && span.last <= tokens.len());
                proptest::prop_assert!(text.get(tokens[span.first].start..tokens[span.last - 1].end()).is_some());
            }
        }
    }
}
