//! Finds credentials by what is around them: a name and a value in a file, a header, an address
//! or a command, and sentences that say what a password is, in the languages that transcripts are
//! mostly written in. Credentials with a form of their own are in [`crate::secrets`].

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

/// The end of a name for a credential and the sign after it; the value is in quotes or runs to the
/// next separator.
static NAMED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?ix)
        ( pass(?:word|wd|phrase|code)? | pwd | passwort | kennwort | mot\ de\ passe | mdp | contraseña | clave | senha | пароль | パスワード | 密码 | 口令
            | secret | token | api[_-]?key | access[_-]?key | secret[_-]?key | private[_-]?key | auth[_-]?key | account[_-]?key
            | signing[_-]?key | encryption[_-]?key | credentials? | authorization | signature | session(?:_?id)? | jsessionid | phpsessid )
        \\?["']?[\ ]{0,3}(?:=>|:=|[=:：])[\ ]{0,3}"#,
    )
    .ok()
});

/// Longest value that is looked at as a whole, in bytes.
const LONGEST_VALUE: usize = 400;

/// A word for a password, whichever comes after it in the same sentence.
static SPOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:\b(?:pass(?:word|wd|phrase|code)|pwd?|passwort|kennwort|mot de passe|mdp|contraseña|clave|senha|parola d'ordine|пароль|secret key|api key|access key|token)\b|パスワード|暗証番号|密码|口令)",
    )
    .ok()
});

/// The words and marks that may be between `password` and the password.
static LINK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:\b(?:is|was|to|are|be|lautet|ist|est|es|é|são|è|e|with|use)\b:?|[:=：,]|->|は|是|为|：)[\s“«「'\x22]*").ok()
});

/// A code that is sent to prove who somebody is.
static CODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)(?: \b(?:otp|tan|pin|2fa|mfa|one[ -]?time(?:\ (?:pass)?code|\ password)? | (?:verification|security|sms|login|sign-?in|confirmation|access|authentication|auth)\ (?:code|pin)
            | your\ (?:\w+\ ){0,3}(?:code|pin) | einmal(?:code|passwort) | best(?:ä|ae)tigungscode | sicherheitscode | code\ de\ (?:validation|vérification|confirmation|sécurité)
            | c[óo]digo\ (?:de\ (?:verificaci[óo]n|verifica[çc][ãa]o|seguridad|seguran[çc]a|acceso|acesso)|sms) | codice\ (?:di\ (?:verifica|sicurezza)|otp) )\b
            | 認証コード|確認コード|验证码|校验码|인증번호 )
          (?:\s*(?:\b(?:is|was|lautet|ist|est|es|é|è|code|pin|reads?|said|says)\b|[:：=]|は|是|为|「|-)){0,3}\s* (?P<code>\d(?:[\ -]?\d){3,7})",
    )
    .ok()
});

/// The same, the code first: `771-204 is your sign-in code`.
static CODE_FIRST: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?P<code>\d{3}[- ]?\d{3}|\d{4,8}) (?:is your|ist Ihr|est votre|es tu|es su) (?:[\w.-]+ ){0,5}(?:code|pin|bestätigungscode)\b").ok()
});

/// User and password before the host of an address.
static IN_ADDRESS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"://(?P<user>[^\s:/@"'<>]*):(?P<pass>[^\s@"'<>]+)@[\w\[]"#).ok());

/// Words by which files, code and documents say that a value would be there.
const NO_VALUES: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "string",
    "str",
    "null",
    "none",
    "nil",
    "true",
    "false",
    "undefined",
    "required",
    "optional",
    "bearer",
    "basic",
    "digest",
    "value",
    "changeme",
    "redacted",
    "hidden",
    "example",
    "placeholder",
    "hunter",
    "bytes",
    "text",
    "varchar",
];

/// Words with digits that are no passwords.
const NAMES_WITH_DIGITS: &[&str] = &[
    "base64", "sha256", "sha512", "sha1", "md5", "oauth2", "argon2", "argon2id", "utf8", "http2",
    "bcrypt2", "v1", "v2", "pbkdf2", "oauth1", "totp6",
];

/// Byte ranges of the credentials in a text, in no order.
pub(crate) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    named(text, &mut found);
    spoken(text, &mut found);
    for pattern in [&*CODE, &*CODE_FIRST].into_iter().flatten() {
        found.extend(
            pattern
                .captures_iter(text)
                .filter_map(|c| c.name("code"))
                .map(|m| m.range()),
        );
    }
    for c in IN_ADDRESS.iter().flat_map(|r| r.captures_iter(text)) {
        if let (Some(user), Some(pass)) = (c.name("user"), c.name("pass"))
            && !replaces_a_value(pass.as_str())
        {
            found.push(user.start()..pass.end());
        }
    }
    found
}

fn named(text: &str, found: &mut Vec<Range<usize>>) {
    let Some(pattern) = NAMED.as_ref() else {
        return;
    };
    let mut searched = 0;
    for c in pattern.captures_iter(text) {
        let (Some(whole), Some(name)) = (c.get(0), c.get(1)) else {
            continue;
        };
        if whole.start() < searched {
            continue;
        }
        let before = text[..whole.start()]
            .trim_end_matches(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        let in_query = before.ends_with(['?', '&']);
        let (start, value, quoted) = value_after(text, whole.end(), in_query);
        searched = start + value.len();
        let lower = value.to_lowercase();
        // What follows the scheme of a header is the credential.
        let scheme = ["bearer ", "basic ", "token "]
            .iter()
            .find(|s| lower.starts_with(**s))
            .filter(|_| value.is_ascii());
        let (start, value) =
            scheme.map_or((start, value), |s| (start + s.len(), &value[s.len()..]));
        let equals = whole.as_str().trim_end().ends_with('=');
        if holds_credential(&name.as_str().to_lowercase(), value, quoted, equals) {
            found.push(start..start + value.len());
        }
    }
}

/// The value that begins here: where it begins, itself, and whether quotes are around it.
fn value_after(text: &str, at: usize, in_query: bool) -> (usize, &str, bool) {
    let rest = &text[at..];
    let inner = rest.trim_start_matches('\\');
    if let Some(quote) = inner.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        let start = at + rest.len() - inner.len() + 1;
        let value = &text[start..];
        let end = value
            .char_indices()
            .take_while(|&(i, c)| i < LONGEST_VALUE && c != '\n')
            .find(|&(_, c)| c == quote || c == '\\');
        if let Some((end, _)) = end.filter(|&(end, _)| end > 0) {
            return (start, &value[..end], true);
        }
    }
    // In an address the next parameter begins at `&`; in a file it belongs to the value.
    let stops: &[char] = if in_query {
        &['&', '#', ')', '>', ']']
    } else {
        &[',', ';', '}', '<', ')', ']', '`']
    };
    let stop = |&(i, c): &(usize, char)| {
        c.is_whitespace()
            || matches!(c, '"' | '\'' | '\\')
            || (i > 0 && (stops.contains(&c) || is_cjk(c)))
    };
    let end = rest
        .char_indices()
        .find(stop)
        .map_or(rest.len(), |(i, _)| i);
    (
        at,
        rest[..end].trim_end_matches(['.', ',', '、', '。']),
        false,
    )
}

/// True if what is after such a name is a credential and not a word of a sentence.
fn holds_credential(name: &str, value: &str, quoted: bool, equals: bool) -> bool {
    if replaces_a_value(value) || (value.contains(' ') && !quoted) {
        return false;
    }
    let is_word = value
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, '_' | '-'));
    let is_key = ["key", "token", "secret", "signature", "authorization"]
        .iter()
        .any(|e| name.ends_with(e))
        || name.contains("sess");
    match (quoted || equals, is_key) {
        (true, _) => {
            long_enough(value, is_key) && !(quoted && is_word && !equals && value.len() < 8)
        }
        (false, true) => value.chars().count() >= 8 && looks_random(value),
        (false, false) => is_password(value),
    }
}

/// True if a value in the place of a credential is long enough to be one.
fn long_enough(value: &str, keyish: bool) -> bool {
    let chars = value.chars().count();
    let plain_number = value.chars().all(|c| c.is_ascii_digit());
    if keyish {
        chars >= 8 && !plain_number
    } else {
        chars >= 8 || (chars >= 5 && is_password(value))
    }
}

fn spoken(text: &str, found: &mut Vec<Range<usize>>) {
    let (Some(words), Some(link)) = (SPOKEN.as_ref(), LINK.as_ref()) else {
        return;
    };
    for word in words.find_iter(text) {
        let rest = &text[word.end()..];
        let end = rest
            .char_indices()
            .find(|&(i, c)| c == '\n' || c == '。' || i > 100)
            .map_or(rest.len(), |(i, _)| i);
        let window = &rest[..end];
        // `password t7Pz-ochre`: the value itself.
        if let Some(value) = window.strip_prefix(' ').map(value_at)
            && is_password(value)
            && value.chars().any(|c| c.is_ascii_digit())
            && value.chars().any(char::is_lowercase)
        {
            let start = word.end() + 1;
            found.push(start..start + value.len());
            continue;
        }
        for m in link.find_iter(window) {
            let quoted = m.as_str().ends_with(['"', '\'', '“', '«', '「']);
            let start = word.end() + m.end();
            let value = if quoted {
                quoted_at(&text[start..])
            } else {
                value_at(&text[start..])
            };
            let crossed = window[..m.start()].contains(['.', ';', '!', '?']);
            let holds = if quoted {
                value.chars().count() >= 5 && !is_plain_word(value)
            } else {
                is_password(value)
            };
            if holds && !crossed && !replaces_a_value(value) {
                found.push(start..start + value.len());
                break;
            }
        }
    }
}

fn is_plain_word(value: &str) -> bool {
    value.chars().all(|c| c.is_lowercase() || c == '_')
}

/// The run of a text's start that can be a password; a full stop or comma after it is none of it.
fn value_at(text: &str) -> &str {
    let mut end = text.len();
    for (i, c) in text.char_indices() {
        if i > LONGEST_VALUE
            || c.is_whitespace()
            || matches!(c, '"' | '“' | '”' | '»' | '`' | '<' | '>')
            || (is_cjk(c) && i > 0)
        {
            end = i;
            break;
        }
    }
    text[..end].trim_end_matches(['.', ',', ';', ':', ')', '\''])
}

fn quoted_at(text: &str) -> &str {
    let mut start = text.char_indices().take_while(|&(i, _)| i <= 80);
    let end = start
        .find(|(_, c)| matches!(c, '"' | '”' | '»' | '」' | '\n'))
        .map_or(0, |(i, _)| i);
    if end > 0 {
        &text[..end]
    } else {
        value_at(text)
    }
}

fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{ff00}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}')
}

/// True if a word looks like a password and not like a word of a sentence, a path, an address, a
/// date or a call.
fn is_password(value: &str) -> bool {
    let chars = value.chars().count();
    let has = |f: fn(char) -> bool| value.chars().any(f);
    let letters = has(char::is_alphabetic);
    let digits = has(|c| c.is_ascii_digit());
    let inside = value.trim_matches(|c: char| !c.is_alphanumeric());
    let signs = inside.chars().filter(|c| !c.is_alphanumeric()).count();
    let strong = value
        .chars()
        .any(|c| matches!(c, '#' | '$' | '!' | '*' | '@' | '%' | '^' | '&' | '+'));
    let hyphens = inside
        .chars()
        .filter(|c| matches!(c, '-' | '_' | '.'))
        .count();
    let no_value = value.contains("://")
        || value.starts_with('/')
        || value.starts_with("./")
        || value.contains('(')
        || value.contains('@') && value.contains(".example")
        || value.contains("..");
    let lower = value.to_lowercase();
    let named = NAMES_WITH_DIGITS.contains(&lower.as_str())
        || lower.ends_with("-bit")
        || lower.ends_with("-digit")
        || lower.ends_with("-character")
        || lower.ends_with("-stellig");
    (5..=128).contains(&chars)
        && letters
        && !no_value
        && !named
        && ((digits && (inside.starts_with(char::is_alphabetic) || signs > 0 || chars >= 8))
            || (strong && signs > 0)
            || hyphens >= 2 && signs > 0 && !is_sentence_part(value))
}

/// `up-to-date`: words of a sentence with hyphens.
fn is_sentence_part(value: &str) -> bool {
    value.split(['-', '_', '.']).any(|p| {
        matches!(
            p,
            "to" | "of"
                | "in"
                | "the"
                | "a"
                | "up"
                | "and"
                | "or"
                | "on"
                | "by"
                | "re"
                | "sensitive"
        )
    })
}

/// True if a value of a key is more than a word: digits or both cases.
fn looks_random(value: &str) -> bool {
    let has = |f: fn(char) -> bool| value.chars().any(f);
    has(|c| c.is_ascii_digit())
        && has(char::is_alphabetic)
        && !value.contains('(')
        && !value.contains("://")
}

/// True if a text is in the place of a value: a variable, a mask, an expression, the name of
/// what belongs there.
pub(crate) fn replaces_a_value(value: &str) -> bool {
    let bare = value.trim_matches(|c: char| matches!(c, '"' | '\'' | '`' | '.' | ','));
    let lower = bare.to_lowercase();
    let upper_name = bare.len() >= 3 && bare.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        || (bare.contains('_')
            && bare
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
            && bare
                .split('_')
                .all(|p| p.chars().all(|c| c.is_ascii_uppercase()) || p.len() == 1));
    let repeated = bare
        .chars()
        .next()
        .is_some_and(|first| bare.chars().all(|c| c == first));
    let masked = bare.contains("***")
        || bare.contains("•••")
        || bare.contains("xxxx")
        || bare.contains("XXXX")
        || bare.contains("...")
        || bare.contains('…');
    let variable = bare.starts_with(['$', '<', '{', '[', '%', ':'])
        && !bare[1..].contains(['!', '#'])
        && (bare.len() < 2 || !bare[1..].starts_with(|c: char| c.is_ascii_digit()));
    let expression = bare.contains('(')
        || [
            "os.environ",
            "process.env",
            "env.",
            "secrets.",
            "config.",
            "settings.",
            "self.",
            "this.",
            "var.",
            "args.",
            "req.",
            "body.",
            "data.",
            "opts.",
            "options.",
            "params.",
            "request.",
            "getenv",
            "vault:",
            "file:",
            "op://",
            "env:",
        ]
        .iter()
        .any(|p| lower.starts_with(p));
    let named = NO_VALUES.contains(&lower.as_str())
        || lower.starts_with("your")
        || lower.starts_with("my_")
        || lower.contains("placeholder")
        || lower.contains("changeme");
    bare.is_empty() || upper_name || repeated || masked || variable || expression || named
}
