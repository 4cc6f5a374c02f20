//! The day up to which a statement says that something holds: "valid until 31 March 2026", "expires
//! 2026-02-01", "runs through Q1 2026". Dates that could be read in two ways (03/04/2026) are none.

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
/// Words that say by themselves that something ends.
const ENDS: &[&str] = &[
    "expire",
    "expires",
    "expired",
    "expiring",
    "lapses",
    "lapsed",
    "lapse",
    "ends",
    "ended",
    "ending",
    "closes",
    "closed",
    "discontinued",
];
/// Words that lead to the last day.
const LEADS: &[&str] = &["until", "till", "til", "through", "thru", "to"];
/// Words that make a lead say that something ends.
const HOLDS: &[&str] = &[
    "valid",
    "effective",
    "runs",
    "run",
    "running",
    "temporary",
    "temporarily",
    "offer",
    "offered",
    "available",
    "applies",
    "apply",
    "extended",
    "waived",
    "suspended",
    "paused",
    "force",
    "lasts",
    "good",
    "pilot",
    "trial",
    "covers",
    "booked",
    "lent",
    "loan",
    "interim",
    "acting",
    "promo",
    "promotion",
    "discount",
    "sale",
    "licence",
    "license",
    "permit",
    "closed",
];
/// Words between such a word and the date.
const BETWEEN: &[&str] = &[
    "the",
    "end",
    "of",
    "on",
    "at",
    "day",
    "is",
    "was",
    "by",
    "close",
    "business",
    "and",
    "including",
    "last",
    "i.e",
    "ie",
    "e.g",
    "its",
    "in",
];
/// After these the statement tells of what was.
const PAST: &[&str] = &[
    "was", "were", "had", "used", "did", "moved", "signed", "became", "founded", "since", "before",
    "stayed", "lived", "worked", "kept", "went", "ran",
];
/// Words after a date that only says which things are meant: "invoices up to 2023 are in the
/// archive".
const VERBS: &[&str] = &[
    "is", "are", "was", "were", "has", "have", "had", "go", "goes", "stand", "stands", "live",
    "lives", "keep", "keeps", "stay", "stays", "belong", "belongs", "can", "must", "may", "should",
    "will", "use", "uses", "need", "needs", "remain", "remains", "sit", "sits", "count",
];

/// How surely a statement ends on its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sure {
    /// It says so: "expires on ..", "valid until ..".
    Says,
    /// It names a last day, and may mean something else.
    Perhaps,
}

/// The last day that a statement names for what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ends {
    /// The first moment after it, in microseconds since the epoch.
    pub after: i64,
    /// The date as it is written.
    pub written: String,
    pub sure: Sure,
}

/// Up to when a statement holds, if it says so; of several dates the latest.
#[must_use]
pub fn ends(statement: &str) -> Option<Ends> {
    let words: Vec<&str> = statement.split_whitespace().take(100).collect();
    let lower: Vec<String> = words.iter().map(|w| bare(w).to_lowercase()).collect();
    let mut found: Option<Ends> = None;
    let mut n = 0;
    while n < words.len() {
        let Some((after, taken)) = date(&lower[n..]) else {
            n += 1;
            continue;
        };
        // A verb after a comma or colon begins something else.
        let ends_clause = words[n + taken - 1].ends_with([',', ':', ';', '.', ')']);
        let next = lower
            .get(n + taken)
            .filter(|_| !ends_clause)
            .map_or("", String::as_str);
        if let Some(sure) = how(&lower, n, next)
            && found.as_ref().is_none_or(|f| f.after < after)
        {
            let written = words[n..n + taken]
                .join(" ")
                .trim_matches(|c: char| !c.is_alphanumeric())
                .to_owned();
            found = Some(Ends {
                after,
                written,
                sure,
            });
        }
        n += taken;
    }
    found
}

/// Returns what leads to the date that is at `start`, before the word `next`.
fn how(words: &[String], start: usize, next: &str) -> Option<Sure> {
    let mut at = start;
    while at > 0 && BETWEEN.contains(&words[at - 1].as_str()) {
        at -= 1;
    }
    let lead = words[..at].last()?.as_str();
    let before = &words[..at - 1];
    let has = |all: &[&str]| before.iter().any(|w| all.contains(&w.as_str()));
    if ENDS.contains(&lead) {
        return Some(Sure::Says);
    }
    // "The last day is 3 May 2026."
    if words[at..start].iter().any(|w| w == "last")
        || (words[at..start].iter().any(|w| w == "day") && lead == "last")
    {
        return Some(Sure::Says);
    }
    if !LEADS.contains(&lead) || (lead == "to" && before.last().is_some_and(|w| w == "up")) {
        return None;
    }
    if has(PAST) || VERBS.contains(&next) {
        return None;
    }
    if has(HOLDS) || has(ENDS) {
        return Some(Sure::Says);
    }
    (lead != "to").then_some(Sure::Perhaps)
}

/// The date at the beginning of these words, as the first moment after it, and how many words it
/// takes.
fn date(words: &[String]) -> Option<(i64, usize)> {
    let word = |n: usize| words.get(n).map_or("", String::as_str);
    let (first, second, third) = (word(0), word(1), word(2));
    if let Some(after) = numeric(first) {
        return Some((after, 1));
    }
    // 31 March 2026, 31st of March 2026.
    let of = usize::from(second == "of");
    if let (Some(day), Some(month), Some(year)) =
        (day(first), month(word(1 + of)), year(word(2 + of)))
    {
        return Some((next_day(year, month, day)?, 3 + of));
    }
    if let Some(month) = month(first) {
        // March 31, 2026; else March 2026.
        if let (Some(day), Some(year)) = (day(second), year(third)) {
            return Some((next_day(year, month, day)?, 3));
        }
        return Some((month_end(year(second)?, month)?, 2));
    }
    let quarter = first
        .strip_prefix('q')
        .and_then(|q| q.parse::<u8>().ok())
        .filter(|q| (1..=4).contains(q));
    if let (Some(quarter), Some(year)) = (quarter, year(second)) {
        return Some((month_end(year, quarter * 3)?, 2));
    }
    Some((month_end(year(first)?, 12)?, 1))
}

/// 2026-03-31, 2026/03/31, 31.03.2026, 31/03/2026 where the 31 can be no month, 2026-03.
fn numeric(word: &str) -> Option<i64> {
    let parts: Vec<&str> = word.split(['-', '/', '.']).collect();
    let number = |part: &str| part.parse::<u8>().ok().filter(|_| part.len() <= 2);
    match parts[..] {
        [y, m, d] if y.len() == 4 => next_day(year(y)?, number(m)?, number(d)?),
        [d, m, y] if y.len() == 4 && (word.contains('.') || number(d)? > 12) => {
            next_day(year(y)?, number(m)?, number(d)?)
        }
        [y, m] if y.len() == 4 && word.contains('-') && m.len() == 2 => {
            month_end(year(y)?, number(m)?)
        }
        _ => None,
    }
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| !c.is_alphanumeric())
}

fn day(word: &str) -> Option<u8> {
    let number = ["st", "nd", "rd", "th"]
        .iter()
        .find_map(|end| word.strip_suffix(end))
        .unwrap_or(word);
    number
        .parse()
        .ok()
        .filter(|d| (1..=31).contains(d) && number.len() <= 2)
}

fn month(word: &str) -> Option<u8> {
    let short: String = word.chars().take(3).collect();
    let at = MONTHS.iter().position(|m| *m == short)?;
    let whole = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ][at];
    (whole.starts_with(word) || (word == "sept" && at == 8))
        .then(|| u8::try_from(at + 1).unwrap_or(1))
}

fn year(word: &str) -> Option<i32> {
    word.parse()
        .ok()
        .filter(|y| (1990..2100).contains(y) && word.len() == 4)
}

/// The first moment of the day after; none for a day that there is not.
fn next_day(year: i32, month: u8, day: u8) -> Option<i64> {
    if !(1..=12).contains(&month) || day == 0 || day > days_in(year, month) {
        return None;
    }
    Some((days_from_civil(year, month, day) + 1) * DAY)
}

fn month_end(year: i32, month: u8) -> Option<i64> {
    (1..=12)
        .contains(&month)
        .then(|| next_day(year, month, days_in(year, month)))?
}

const fn days_in(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the epoch to a day of the proleptic Gregorian calendar (Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i32, month: u8, day: u8) -> i64 {
    let (month, day) = (i64::from(month), i64::from(day));
    let year = i64::from(year) - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_in_many_forms() {
        for (text, day) in [
            ("Valid until 31 March 2026.", "2026-04-01"),
            ("Valid until March 31st, 2026", "2026-04-01"),
            ("valid until the 1st of May 2026", "2026-05-02"),
            ("It expires on 2026-02-28.", "2026-03-01"),
            ("The pilot runs through April 2026.", "2026-05-01"),
            ("The offer holds until the end of Q1 2026.", "2026-04-01"),
            (
                "Temporary till 15.05.2026: use the side door.",
                "2026-05-16",
            ),
            ("Free parking until 2025.", "2026-01-01"),
            ("Booked until 29/02/2028", "2028-03-01"),
        ] {
            let found = ends(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(domain::Timestamp(found.after).date(), day, "{text}");
        }
    }

    #[test]
    fn what_names_a_date_and_does_not_end_is_left_alone() {
        for text in [
            "Invoices up to 2023 are in the old archive.",
            "The lab moved to Basel on 1 March 2024.",
            "The team was in Bern until 2024.",
            "Tickets closed until March 2024 are in the old system.",
            "Keep receipts until the year is closed.",
            "Written 03/04/2026.",
            "Free until 31 February 2026.",
            "The report is due on 2026-01-01.",
            "until",
            "",
        ] {
            assert_eq!(ends(text), None, "{text}");
        }
    }
}
