//! Finds data that points to a person by its form: mail addresses, phone numbers, payment cards,
//! bank accounts and national numbers.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

/// Mail addresses, also percent-encoded ones and those spelled with "(at)", in any script.
static MAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)([\p{L}\p{N}._%+'-]+)(?:@|%40| ?[(\[]at[)\]] ?)([\p{L}\p{N}-]+(?:(?:\.| ?[(\[]dot[)\]] ?)[\p{L}\p{N}-]+)*(?:\.| ?[(\[]dot[)\]] ?)([\p{L}\p{M}]{2,}))(:\S)?").ok()
});

/// Numbers as people print them: phones of the US (area code and exchange start with 2-9), the UK,
/// Germany, France, Brazil and Japan, Brazil's CPF, the UK's national insurance number.
static PRINTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        \([2-9]\d{2}\)\ ?[2-9]\d{2}[-.\ ]\d{4} | [2-9]\d{2}([-.])[2-9]\d{2}[-.]\d{4}
        | 0(?:7\d{3}\ \d{3}\ ?\d{3} | 20\ \d{4}\ \d{4} | 1\d{3}\ \d{3}\ ?\d{3} | 1\d{2}\ \d{3}\ \d{4})
        | 0\d{2,4}[/\ -]\ ?\d{2,4}[\ -]?\d{3,5}
        | 0[1-9](?:[\ .]\d{2}){4}
        | \(\d{2}\)\ ?9?\d{4}-\d{4}
        | 0\d{1,4}-\d{1,4}-\d{4}
        | \d{3}\.\d{3}\.\d{3}-\d{2}
        | [A-CEGHJ-PR-TW-Z]{2}\ \d{2}\ \d{2}\ \d{2}\ [A-D]
        | \+\d{1,3}[\ .(/)-]{0,2}\d(?:[\ .(/)-]{0,2}\d){6,13}",
    )
    .ok()
});

/// A number after a word for a phone.
static AFTER_PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:\b(?:tel|phone|mobile|cell|call|dial|handy|telefon|telefono|teléfono|telefone|celular|móvil|tél|téléphone|portable|whatsapp|sms)|電話|携帯|手机|电话)(?:\w|号码?|番号)*[^\d\n+]{0,24}?(\(?\d{2,5}\)?(?:[ ./-]?\d{2,5}){1,4})",
    )
    .ok()
});

/// International bank account numbers, in one or in fours.
static ACCOUNT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?").ok()
});

/// Byte ranges of a person's data in a text, in no order.
pub(crate) fn find(text: &str) -> Vec<Range<usize>> {
    let mut found = mail(text);
    found.extend(digit_groups(text));
    let printed = PRINTED
        .iter()
        .flat_map(|r| r.find_iter(text).map(|m| m.range()));
    found.extend(printed.filter(|r| is_alone(text, r)));
    let after = AFTER_PHONE
        .iter()
        .flat_map(|r| r.captures_iter(text))
        .filter_map(|c| c.get(1));
    let long = |t: &str| (7..=13).contains(&t.bytes().filter(u8::is_ascii_digit).count());
    found.extend(
        after
            .filter(|m| long(m.as_str()) && !is_date(m.as_str()))
            .map(|m| m.range())
            .filter(|r| is_alone(text, r)),
    );
    found.extend(accounts(text));
    found
}

/// `2025-11-03`, with or without a time after it.
fn is_date(text: &str) -> bool {
    let mut parts = text.split(['-', '.', '/', ' ']);
    matches!((parts.next(), parts.next(), parts.next()), (Some(y), Some(m), Some(d)) if y.len() == 4 && m.len() == 2 && d.len() >= 2 && (y.starts_with("20") || y.starts_with("19")))
}

/// True if neither digits, letters nor the rest of a longer number are around it.
fn is_alone(text: &str, range: &Range<usize>) -> bool {
    let mut before = text[..range.start].chars().rev();
    let mut after = text[range.end..].chars();
    let ends = |c: Option<char>, next: Option<char>| match c {
        Some(c) if c.is_ascii_alphanumeric() || c == '_' => false,
        Some('-' | '.' | '/' | '+' | '#') => !next.is_some_and(|n| n.is_ascii_alphanumeric()),
        _ => true,
    };
    let starts = !before.next().is_some_and(|c| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/' | '+' | '#' | '.')
    });
    starts && ends(after.next(), after.next())
}

fn mail(text: &str) -> Vec<Range<usize>> {
    if !text.contains('@')
        && !text.contains("%40")
        && !text.contains("at)")
        && !text.contains("at]")
        && !text.contains("AT)")
    {
        return Vec::new();
    }
    let Some(mail) = MAIL.as_ref() else {
        return Vec::new();
    };
    let found = mail.captures_iter(text).filter_map(|c| {
        let (whole, local) = (c.get(0)?, c.get(1)?);
        let end = c.get(2)?.end();
        // `git@host:path` is where a repository is.
        let is_repository = c.get(4).is_some() && matches!(local.as_str(), "git" | "svn" | "hg");
        // What is before the address in a query or a quotation is no part of it.
        let name = local.as_str().trim_start_matches(['\'', '.', '%']);
        (!is_repository && !name.is_empty())
            .then(|| whole.start() + (local.len() - name.len())..end)
    });
    found.collect()
}

fn accounts(text: &str) -> Vec<Range<usize>> {
    let Some(account) = ACCOUNT.as_ref() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(m) = account.find_at(text, at) {
        at = m.start() + 1;
        while !text.is_char_boundary(at) {
            at += 1;
        }
        if text[..m.start()]
            .chars()
            .next_back()
            .is_some_and(char::is_alphanumeric)
        {
            continue;
        }
        let plain = |t: &str| {
            t.chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_ascii_uppercase()
        };
        // A word may follow that reads like one more group.
        let ends = (m.start() + 15..=m.end())
            .rev()
            .filter(|&e| text.is_char_boundary(e));
        let whole = |&e: &usize| !text[e..].starts_with(|c: char| c.is_ascii_alphanumeric());
        if let Some(end) = ends
            .filter(whole)
            .find(|&e| plain(&text[m.start()..e]).parse::<iban::Iban>().is_ok())
        {
            found.push(m.start()..end);
            at = end;
        }
    }
    found
}

/// Groups of digits as in payment cards (13-19 digits that pass the Luhn check, ISO/IEC 7812-1), US
/// social security numbers (3-2-4) and international phone numbers (`+` and 8-15 digits, ITU-T
/// E.164).
fn digit_groups(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let starts = bytes[at].is_ascii_digit()
            || (bytes[at] == b'+' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit));
        if !starts || (at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_')) {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        while end < bytes.len()
            && (bytes[end].is_ascii_digit()
                || (matches!(bytes[end], b' ' | b'-')
                    && bytes.get(end + 1).is_some_and(u8::is_ascii_digit)))
        {
            end += 1;
        }
        found.extend(personal_in(text, at, end));
        at = end;
    }
    found
}

/// Longest of them, in bytes: nineteen digits with a separator after each.
const LONGEST_GROUP: usize = 40;

/// Returns what is personal in a run of digits and separators: a card may be after another
/// number and before one.
fn personal_in(text: &str, start: usize, end: usize) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let digit = |i: usize| bytes[i].is_ascii_digit();
    let mut found = Vec::new();
    let mut at = start;
    while at < end {
        let begins = at == start || (digit(at) && !digit(at - 1));
        // The longest one that begins here; ends are behind digits.
        let ends = (at + 1..=end.min(at + LONGEST_GROUP))
            .rev()
            .filter(|&e| digit(e - 1) && (e == end || !digit(e)));
        match begins
            .then(|| ends.into_iter().find(|&e| is_personal(&text[at..e])))
            .flatten()
        {
            Some(to) => {
                found.push(at..to);
                at = to;
            }
            None => at += 1,
        }
    }
    found
}

fn is_personal(group: &str) -> bool {
    let digits: Vec<u8> = group
        .bytes()
        .filter(u8::is_ascii_digit)
        .map(|b| b - b'0')
        .collect();
    let phone = group.starts_with('+') && (8..=15).contains(&digits.len());
    let parts: Vec<usize> = group.split(['-', ' ']).map(str::len).collect();
    // Printed in one, in fours, or as 4-6-5; other numbers side by side are none.
    let printed = parts.len() == 1
        || parts == [4, 6, 5]
        || parts
            .split_last()
            .is_some_and(|(last, fours)| *last <= 4 && fours.iter().all(|n| *n == 4));
    let card = (13..=19).contains(&digits.len()) && printed && luhn(&digits);
    phone || card || (parts == [3, 2, 4] && digits.len() == 9)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, &d)| {
            if i % 2 == 0 {
                u32::from(d)
            } else {
                [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][usize::from(d)]
            }
        })
        .sum();
    sum.is_multiple_of(10)
}
