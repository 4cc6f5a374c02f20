//! The signature of an error: its first line with numbers, ids, paths, addresses and quoted values masked,
//! so that the same failure is the same text in every session.

use serde_json::{Map, Value};

/// Longest signature, in characters; what is longer is cut.
const LONGEST: usize = 160;

/// The part of an error's text that says what went wrong, as byte range: the message inside a JSON object, else the first
/// line with a word in it; at most `limit` characters.
pub fn said(text: &str, limit: usize) -> (usize, usize) {
    let (mut start, mut end) = json_message(text).unwrap_or((0, text.len()));
    while let Some(line_end) = text[start..end].find('\n').map(|n| start + n) {
        if text[start..line_end].chars().any(char::is_alphanumeric) {
            end = line_end;
            break;
        }
        start = line_end + 1;
    }
    start += text[start..end].len() - text[start..end].trim_start().len();
    let cut = text[start..end].char_indices().nth(limit).map_or(end, |(n, _)| start + n);
    end = start + text[start..cut].trim_end().len();
    (start, end)
}

/// Where the message of a JSON error object stands, if it stands there verbatim.
fn json_message(text: &str) -> Option<(usize, usize)> {
    let value: Value = serde_json::from_str(text).ok()?;
    let message = ["error", "message", "stderr"].iter().find_map(|k| match value.get(k)? {
        Value::String(s) if !s.is_empty() => Some(s.as_str()),
        Value::Object(o) => o.get("message").and_then(Value::as_str),
        _ => None,
    })?;
    let start = text.find(message)?;
    Some((start, start + message.len()))
}

/// The signature of an error's text.
#[must_use]
pub fn of(text: &str) -> String {
    of_call(text, &Map::new())
}

/// The signature of an error's text that answers a call: values of the call's arguments that it repeats are masked by the arguments' names.
pub fn of_call(text: &str, arguments: &Map<String, Value>) -> String {
    let (start, end) = said(text, 1_000);
    let mut repeated = Vec::new();
    values(arguments, "", &mut repeated);
    repeated.sort_by(|(a, x), (b, y)| b.len().cmp(&a.len()).then_with(|| (a, x).cmp(&(b, y))));
    let mut said = text[start..end].to_owned();
    for (value, key) in &repeated {
        said = replaced(&said, value, key);
    }
    let words: Vec<String> = unquoted(&said).split_whitespace().map(|w| mask(w).replace(GLUE, " ")).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

/// Holds the words of a mask together until the text is taken apart.
const GLUE: char = '\u{1}';
/// Values of a call's arguments that are looked for in its error.
const MOST_VALUES: usize = 64;

/// Every value that may stand in the error, with its argument's name as words. Plain words are the tool's language, or could be.
fn values(arguments: &Map<String, Value>, under: &str, found: &mut Vec<(String, String)>) {
    for (key, value) in arguments {
        value_of(if key.is_empty() { under } else { key }, value, found);
    }
}

fn value_of(key: &str, value: &Value, found: &mut Vec<(String, String)>) {
    if found.len() >= MOST_VALUES || !key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')) {
        return;
    }
    match value {
        Value::String(s) if s.len() >= 3 && s.len() <= 200 && !s.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
            let words: Vec<&str> = key.split(['_', '-', '.', ':']).filter(|w| !w.is_empty()).collect();
            found.push((s.clone(), words.join(&GLUE.to_string())));
        }
        Value::Array(all) => all.iter().for_each(|v| value_of(key, v, found)),
        Value::Object(inner) => values(inner, key, found),
        _ => {}
    }
}

/// The text with a value, where it stands between other characters than letters and digits, as `<name>`.
fn replaced(text: &str, value: &str, name: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(value) {
        let end = at + value.len();
        let alone = !rest[..at].ends_with(char::is_alphanumeric) && !rest[end..].starts_with(char::is_alphanumeric);
        out.push_str(&rest[..at]);
        if alone {
            out.push('<');
            out.push_str(name);
            out.push('>');
        } else {
            out.push_str(value);
        }
        rest = &rest[end..];
    }
    out + rest
}

/// The text with everything between quotes as `<value>`.
fn unquoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find(['"', '\'', '`']) {
        let quote = &rest[open..=open];
        let before_is_word = rest[..open].ends_with(char::is_alphanumeric);
        let close = rest[open + 1..].find(quote).filter(|_| !before_is_word);
        out.push_str(&rest[..open]);
        match close {
            Some(n) if n > 0 => {
                out.push_str("<value>");
                rest = &rest[open + n + 2..];
            }
            _ => {
                out.push_str(quote);
                rest = &rest[open + 1..];
            }
        }
    }
    out + rest
}

fn mask(word: &str) -> String {
    let outer = |c: char| matches!(c, ',' | ';' | ':' | '.' | '!' | '?' | '(' | ')' | '[' | ']' | '{' | '}');
    let core = word.trim_matches(outer);
    if core.is_empty() || core.starts_with('<') {
        return word.to_owned();
    }
    let masked = if core.contains("://") {
        "<url>"
    } else if core.contains('@') {
        "<email>"
    } else if core.matches('/').count() + core.matches('\\').count() >= 2 {
        "<path>"
    } else if core.chars().any(|c| c.is_ascii_digit()) {
        if core.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | '%' | '$' | ':' | 'x')) { "<n>" } else { "<id>" }
    } else {
        return word.to_owned();
    };
    word.replacen(core, masked, 1)
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
        assert_eq!(of("Error: not enough seats on flight HAT123"), "Error: not enough seats on flight <id>");
        assert_eq!(of("error: no such file '/var/log/a b.txt'"), "error: no such file <value>");
        assert_eq!(of("Error: cannot read /var/log/x.log"), "Error: cannot read <path>");
        assert_eq!(of("can't open it"), "can't open it");
        assert_eq!(of("Error: mail to ana@example.com via https://x.example/1 failed"), "Error: mail to <email> via <url> failed");
    }

    #[test]
    fn the_message_of_a_json_error() {
        let text = r#"{"ok":false,"error":{"code":12,"message":"rate limit of 30 reached"}}"#;
        let (start, end) = said(text, 300);
        assert_eq!(&text[start..end], "rate limit of 30 reached");
        assert_eq!(of(text), "rate limit of <n> reached");
    }

    #[test]
    fn hostile_texts_are_cut_not_panicked_on() {
        let long = "ü".repeat(5_000);
        assert_eq!(of(&long).chars().count(), LONGEST);
        let (start, end) = said(&long, 300);
        assert_eq!(long[start..end].chars().count(), 300);
        for text in ["", "\n\n", "\"", "'''", "`\"'", "{\"error\":\"\\n\"}", "   x"] {
            let (start, end) = said(text, 10);
            assert!(text.get(start..end).is_some(), "{text:?}");
            let _ = of(text);
        }
    }
}
