//! The signature of an error: the line that says what failed with numbers, ids, paths, addresses
//! and quoted values masked, so that the same failure is the same text in every session. What was
//! masked is kept beside it: what never varied is shown as it was.

use serde_json::{Map, Value};

use super::salient;

/// Longest signature, in characters; what is longer is cut.
const LONGEST: usize = 160;
/// Masks of one signature whose text is kept.
const MOST_MASKED: usize = 12;
/// Longest text of a mask that is kept, in characters.
const LONGEST_MASKED: usize = 60;

/// A masked line, and what was masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The line, with `<name>` for what varies.
    pub line: String,
    /// What each mask covers, in order; empty where it is too long or holds personal data.
    pub masked: Vec<String>,
}

/// The signature of an error's text.
#[must_use]
pub fn of(text: &str) -> String {
    of_call(text, &Map::new()).line
}

/// The signature of an error's text that answers a call: values of the call's arguments that it
/// repeats are masked by the arguments' names.
pub fn of_call(text: &str, arguments: &Map<String, Value>) -> Signature {
    let (start, end) = salient::said(text, 1_000);
    let mut repeated = Vec::new();
    values(arguments, "", &mut repeated);
    repeated.sort_by(|(a, x), (b, y)| b.len().cmp(&a.len()).then_with(|| (a, x).cmp(&(b, y))));
    let mut masks = Masks::default();
    let mut said: String = text[start..end]
        .chars()
        .map(|c| {
            if Masks::index(c).is_some() {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect();
    for (value, name) in &repeated {
        said = replaced(&said, value, name, &mut masks);
    }
    let said = unquoted(&said, &mut masks);
    let words: Vec<String> = said
        .split_whitespace()
        .map(|w| mask(w, &mut masks))
        .collect();
    masks.shown(&words.join(" "))
}

/// The masks so far. In the text, a character that no text holds marks each mask.
#[derive(Default)]
struct Masks {
    /// The name of each mask and what it covers.
    all: Vec<(String, String)>,
}

impl Masks {
    /// First of the characters that mark a mask (Unicode's second plane for private use).
    const FIRST: u32 = 0x10_0000;

    fn index(c: char) -> Option<usize> {
        u32::from(c)
            .checked_sub(Self::FIRST)
            .and_then(|n| usize::try_from(n).ok())
    }

    /// The character for a new mask.
    fn new_mask(&mut self, name: &str, covers: &str) -> char {
        let mark = u32::try_from(self.all.len())
            .ok()
            .and_then(|n| char::from_u32(Self::FIRST + n));
        self.all.push((name.to_owned(), covers.to_owned()));
        mark.unwrap_or('?')
    }

    /// The text as it was before anything was masked.
    fn unmasked(&self, text: &str) -> String {
        let part = |c: char| {
            Self::index(c)
                .and_then(|n| self.all.get(n))
                .map_or_else(|| c.to_string(), |(_, covers)| self.unmasked(covers))
        };
        text.chars().map(part).collect()
    }

    fn shown(&self, text: &str) -> Signature {
        let (mut line, mut masked, mut length) = (String::new(), Vec::new(), 0);
        for c in text.chars() {
            let mask = Self::index(c).and_then(|n| self.all.get(n));
            let part = mask.map_or_else(|| c.to_string(), |(name, _)| format!("<{name}>"));
            length += part.chars().count();
            if length > LONGEST {
                break;
            }
            line.push_str(&part);
            if let Some((_, covers)) = mask.filter(|_| masked.len() < MOST_MASKED) {
                let covers = self.unmasked(covers);
                let fits = covers.chars().count() <= LONGEST_MASKED
                    && domain::sensitive::sensitive_spans(&covers).is_empty();
                masked.push(if fits { covers } else { String::new() });
            }
        }
        Signature {
            line: line.trim_end().to_owned(),
            masked,
        }
    }
}

/// The line with what is the same in all of these as it was. `holds` says whether a value was seen
/// often enough to be shown.
pub fn with_constants(line: &str, masked: &[&[String]], holds: impl Fn(&str) -> bool) -> String {
    // A word in angle brackets that the tool wrote itself looks like a mask: then nobody knows
    // which is which.
    let (mut masks, mut left) = (0, line);
    while let Some((_, _, after)) = next_mask(left) {
        masks += 1;
        left = after;
    }
    if masked.iter().any(|one| one.len() != masks.min(MOST_MASKED)) {
        return line.to_owned();
    }
    let same = |n: usize| {
        let value = masked.first()?.get(n).filter(|value| !value.is_empty())?;
        (masked.iter().all(|one| one.get(n) == Some(value)) && holds(value))
            .then_some(value.as_str())
    };
    let (mut out, mut rest, mut n) = (String::new(), line, 0);
    while let Some((before, mask, after)) = next_mask(rest) {
        out.push_str(before);
        out.push_str(same(n).unwrap_or(mask));
        rest = after;
        n += 1;
    }
    out + rest
}

/// Returns what is before the next mask, the mask, and what follows.
fn next_mask(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let open = from + text[from..].find('<')?;
        let name = text[open + 1..].split('>').next().unwrap_or_default();
        let close = open + 1 + name.len();
        let is_name = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ')
            && text[close..].starts_with('>');
        if is_name {
            return Some((&text[..open], &text[open..=close], &text[close + 1..]));
        }
        from = open + 1;
    }
}

/// Values of a call's arguments that are looked for in its error.
const MOST_VALUES: usize = 64;

/// Every value that may be in the error, with its argument's name as words. Plain words are the
/// tool's language, or could be.
fn values(arguments: &Map<String, Value>, under: &str, found: &mut Vec<(String, String)>) {
    for (key, value) in arguments {
        value_of(if key.is_empty() { under } else { key }, value, found);
    }
}

fn value_of(key: &str, value: &Value, found: &mut Vec<(String, String)>) {
    if found.len() >= MOST_VALUES
        || !key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
    {
        return;
    }
    match value {
        Value::String(s)
            if s.len() >= 3
                && s.len() <= 200
                && !s.chars().all(|c| c.is_ascii_lowercase() || c == '_') =>
        {
            let words: Vec<&str> = key
                .split(['_', '-', '.', ':'])
                .filter(|w| !w.is_empty())
                .collect();
            found.push((s.clone(), words.join(" ")));
        }
        Value::Array(all) => all.iter().for_each(|v| value_of(key, v, found)),
        Value::Object(inner) => values(inner, key, found),
        _ => {}
    }
}

/// The text with a mask wherever a value is between other characters than letters and digits.
fn replaced(text: &str, value: &str, name: &str, masks: &mut Masks) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(value) {
        let end = at + value.len();
        let alone = !rest[..at].ends_with(char::is_alphanumeric)
            && !rest[end..].starts_with(char::is_alphanumeric);
        out.push_str(&rest[..at]);
        if alone {
            out.push(masks.new_mask(name, value));
        } else {
            out.push_str(value);
        }
        rest = &rest[end..];
    }
    out + rest
}

/// The text with a mask for everything between quotes.
fn unquoted(text: &str, masks: &mut Masks) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(['"', '\'', '`']) {
        let quote = &rest[open..=open];
        let before_is_word = rest[..open].ends_with(char::is_alphanumeric);
        let close = rest[open + 1..].find(quote).filter(|_| !before_is_word);
        out.push_str(&rest[..open]);
        match close {
            Some(n) if n > 0 => {
                let end = open + n + 2;
                out.push(masks.new_mask("value", &rest[open..end]));
                rest = &rest[end..];
            }
            _ => {
                out.push_str(quote);
                rest = &rest[open + 1..];
            }
        }
    }
    out + rest
}

/// Names of standards, which hold digits that never vary.
const STANDARDS: &[&str] = &[
    "E.164", "ISO-8601", "ISO8601", "UTF-8", "utf-8", "RFC3339", "SHA-256", "sha256", "IPv4",
    "IPv6", "OAuth2", "BCP47",
];

fn mask(word: &str, masks: &mut Masks) -> String {
    let outer = |c: char| {
        matches!(
            c,
            ',' | ';' | ':' | '.' | '!' | '?' | '(' | ')' | '[' | ']' | '{' | '}'
        )
    };
    let core = word.trim_matches(outer);
    let holds_a_mask = core.chars().any(|c| Masks::index(c).is_some());
    let is_a_compilers_code = core
        .strip_prefix("error[E")
        .is_some_and(|code| code.len() == 4 && code.chars().all(|c| c.is_ascii_digit()));
    if is_a_compilers_code || STANDARDS.contains(&core) {
        return word.to_owned();
    }
    if core.is_empty() || (holds_a_mask && !core.chars().any(|c| c.is_ascii_digit())) {
        return word.to_owned();
    }
    let name = if core.contains("://") {
        "url"
    } else if core.contains('@') {
        "email"
    } else if core.matches('/').count() + core.matches('\\').count() >= 2 {
        "path"
    } else if core.chars().any(|c| c.is_ascii_digit()) {
        if core.chars().all(|c| {
            c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | '%' | '$' | ':' | 'x')
        }) {
            "n"
        } else {
            "id"
        }
    } else {
        return word.to_owned();
    };
    word.replacen(core, &masks.new_mask(name, core).to_string(), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_varies_is_masked() {
        assert_eq!(
            of("Error: payment amount does not add up, total price is 1234, but paid 1200.50"),
            "Error: payment amount does not add up, total price is <n>, but paid <n>"
        );
        assert_eq!(
            of("Error: not enough seats on flight HAT123"),
            "Error: not enough seats on flight <id>"
        );
        assert_eq!(
            of("error: no such file '/var/log/a b.txt'"),
            "error: no such file <value>"
        );
        assert_eq!(
            of("Error: cannot read /var/log/x.log"),
            "Error: cannot read <path>"
        );
        assert_eq!(of("can't open it"), "can't open it");
        assert_eq!(
            of("error[E0502]: cannot borrow `x1` as mutable"),
            "error[E0502]: cannot borrow <value> as mutable"
        );
        assert_eq!(
            of("Error: phone 0301234 is not in E.164"),
            "Error: phone <n> is not in E.164"
        );
        assert_eq!(
            of("Error: mail to ana@example.com via https://x.example/1 failed"),
            "Error: mail to <email> via <url> failed"
        );
    }

    #[test]
    fn what_never_varied_is_shown() {
        let line = |hours: u32| {
            of_call(
                &format!("Error: time range exceeds 24 hours, asked for {hours} hours"),
                &Map::new(),
            )
        };
        let (a, b) = (line(50), line(51));
        assert_eq!(
            a.line,
            "Error: time range exceeds <n> hours, asked for <n> hours"
        );
        assert_eq!(
            (a.line.as_str(), &a.masked[..]),
            (b.line.as_str(), &["24".to_owned(), "50".to_owned()][..])
        );
        let shown = with_constants(&a.line, &[&a.masked, &b.masked], |_| true);
        assert_eq!(
            shown,
            "Error: time range exceeds 24 hours, asked for <n> hours"
        );
        assert_eq!(
            with_constants(&a.line, &[&a.masked, &b.masked], |_| false),
            a.line
        );
        assert_eq!(
            with_constants("a < b <no-mask> <n>", &[&["7".to_owned()]], |_| true),
            "a < b <no-mask> 7"
        );
        let lambda = of_call(
            "TypeError: <lambda>() takes 1 positional argument but 2 were given",
            &Map::new(),
        );
        assert_eq!(
            with_constants(&lambda.line, &[&lambda.masked], |_| true),
            lambda.line,
            "the tool's own brackets"
        );
        let arguments = serde_json::from_str(r#"{"document_id":"DOC-1"}"#).unwrap();
        let repeated = of_call("document 'DOC-1' is locked, see DOC-1", &arguments);
        assert_eq!(
            repeated.line,
            "document <value> is locked, see <document id>"
        );
        assert_eq!(repeated.masked, ["'DOC-1'", "DOC-1"]);
    }

    #[test]
    fn personal_data_is_not_kept_beside_the_line() {
        let signature = of_call("Error: no account for ana.li@example.com", &Map::new());
        assert_eq!(
            (signature.line.as_str(), &signature.masked[..]),
            ("Error: no account for <email>", &[String::new()][..])
        );
    }

    #[test]
    fn hostile_texts_are_cut_not_panicked_on() {
        assert_eq!(of(&"ü".repeat(5_000)).chars().count(), LONGEST);
        for text in [
            "",
            "\n\n",
            "\"",
            "'''",
            "`\"'",
            "{\"error\":\"\\n\"}",
            "   x",
            "\u{100000} a \u{100001}",
        ] {
            let _ = of(text);
        }
        assert_eq!(of("a \u{100000} b"), "a \u{fffd} b");
    }
}
