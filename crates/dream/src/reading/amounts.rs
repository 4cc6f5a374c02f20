//! Values in one form, so that the same one written otherwise is known: `60 min` and `60 minutes`,
//! `$50` and `50 dollars`, `nine` and `9`, `8 pm` and `20:00`. Only for comparing; what is in a
//! memory is what somebody wrote.

use super::words::UNITS;

/// Units of one kind, the first as which all of them count.
const SAME: &[&[&str]] = &[
    &["%", "percent"],
    &["s", "sec", "second", "seconds"],
    &["min", "mins", "minute", "minutes"],
    &["h", "hour", "hours"],
    &["day", "days"],
    &["week", "weeks"],
    &["month", "months"],
    &["year", "years"],
    &["€", "eur", "euro", "euros"],
    &["$", "usd", "dollar", "dollars"],
    &["m", "metre", "metres", "meter", "meters"],
];
/// Numbers as words; "one" is mostly none.
#[rustfmt::skip]
const NUMBERS: &[(&str, &str)] = &[
    ("two", "2"), ("three", "3"), ("four", "4"), ("five", "5"), ("six", "6"), ("seven", "7"), ("eight", "8"),
    ("nine", "9"), ("ten", "10"), ("eleven", "11"), ("twelve", "12"), ("thirteen", "13"), ("fourteen", "14"),
    ("fifteen", "15"), ("sixteen", "16"), ("seventeen", "17"), ("eighteen", "18"), ("nineteen", "19"),
    ("twenty", "20"), ("thirty", "30"), ("forty", "40"), ("fifty", "50"), ("sixty", "60"), ("seventy", "70"),
    ("eighty", "80"), ("ninety", "90"), ("hundred", "100"), ("thousand", "1000"),
];

/// Days of the week, which come in plural, too: "on Thursdays".
pub const DAYS: &[&str] = &[
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// True if a word, in lower case, is a number.
pub fn is_number_word(lower: &str) -> bool {
    digits_of(lower).is_some()
}

/// The digits of a number in words, in lower case.
pub fn digits_of(lower: &str) -> Option<&'static str> {
    NUMBERS
        .iter()
        .find(|(word, _)| *word == lower)
        .map(|(_, digits)| *digits)
}

/// A unit as the first of those that mean the same; any other word as it is.
pub fn one_unit(lower: &str) -> &str {
    SAME.iter()
        .find(|kind| kind.contains(&lower))
        .map_or(lower, |kind| kind[0])
}

/// A value in its normal form: its number, if it is one, and its unit, or its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    number: Option<String>,
    rest: String,
}

impl Amount {
    /// A value as somebody wrote it.
    pub fn of(value: &str) -> Self {
        let lower = value.to_lowercase().replace('`', "");
        let spaced = lower
            .replace('$', " $ ")
            .replace('€', " € ")
            .replace('%', " % ");
        let mut number = None;
        let mut rest = Vec::new();
        for word in spaced.split_whitespace().flat_map(parted) {
            let digits = digits_of(word).map(str::to_owned);
            match digits.or_else(|| number_of(word)) {
                Some(found) if number.is_none() => number = Some(found),
                _ if DAYS.contains(&word.trim_end_matches('s')) => {
                    rest.push(word.trim_end_matches('s'));
                }
                _ => rest.push(one_unit(word)),
            }
        }
        clock(number, rest.join(" "))
    }

    /// True if it is the same as another, however they are written. A number without a unit is the
    /// same with any.
    pub fn is(&self, other: &Self) -> bool {
        self.number == other.number
            && (self.rest == other.rest
                || (self.number.is_some() && (self.rest.is_empty() || other.rest.is_empty())))
    }

    /// The normal form as text.
    pub fn text(&self) -> String {
        format!(
            "{} {}",
            self.number.as_deref().unwrap_or_default(),
            self.rest
        )
        .trim()
        .to_owned()
    }
}

/// `5mb` is `5` and `mb`; other words are as they are.
fn parted(word: &str) -> impl Iterator<Item = &str> {
    let end = word
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',')))
        .unwrap_or(word.len());
    let (number, unit) = word.split_at(end);
    let both = !number.is_empty() && UNITS.contains(&unit);
    let parts = if both { [number, unit] } else { [word, ""] };
    parts.into_iter().filter(|p| !p.is_empty())
}

/// A number: `1,200` has a mark of thousands, `1,5` a decimal one; a time of the day has two digits
/// for its hour.
fn number_of(word: &str) -> Option<String> {
    let digits = |c: char| c.is_ascii_digit();
    if !word.starts_with(digits)
        || !word
            .chars()
            .all(|c| digits(c) || matches!(c, '.' | ',' | ':'))
    {
        return None;
    }
    if let Some((hour, minute)) = word.split_once(':') {
        return Some(format!("{hour:0>2}:{minute}"));
    }
    let groups: Vec<&str> = word.split(',').collect();
    let of_thousands = groups.len() > 1
        && groups[0].len() <= 3
        && groups[1..]
            .iter()
            .all(|g| g.split('.').next().is_some_and(|g| g.len() == 3));
    Some(if of_thousands {
        groups.concat()
    } else {
        word.replace(',', ".")
    })
}

/// Times of the day count in hours and minutes: `8 pm` is `20:00`.
fn clock(number: Option<String>, rest: String) -> Amount {
    let half = match rest.as_str() {
        "am" => 0,
        "pm" => 12,
        _ => return Amount { number, rest },
    };
    let parsed = number.as_deref().and_then(|n| {
        let (hour, minute) = n.split_once(':').unwrap_or((n, "00"));
        Some((
            hour.parse::<u32>().ok().filter(|h| (1..=12).contains(h))?,
            minute.to_owned(),
        ))
    });
    match parsed {
        Some((hour, minute)) => Amount {
            number: Some(format!("{:02}:{minute}", hour % 12 + half)),
            rest: String::new(),
        },
        None => Amount { number, rest },
    }
}

/// As [`Amount::is`], of values as they were written.
pub fn same_value(a: &str, b: &str) -> bool {
    a == b || Amount::of(a).is(&Amount::of(b))
}

/// True if a value can be in another's place: both numbers of one kind, or neither a number.
pub fn is_alike(a: &str, b: &str) -> bool {
    let code = |v: &str| v.starts_with('`');
    let clock = |v: &str| v.contains(':');
    let (new, old) = (Amount::of(a), Amount::of(b));
    let digits = |v: &str| v.chars().any(|c| c.is_ascii_digit());
    let of_one_kind = match (&new.number, &old.number) {
        (Some(one), Some(other)) => {
            clock(one) == clock(other)
                && (unit(&new.rest) == unit(&old.rest)
                    || new.rest.is_empty()
                    || old.rest.is_empty())
        }
        (None, None) => digits(a) == digits(b),
        _ => false,
    };
    of_one_kind && (code(a) == code(b))
}

/// Returns what kind of thing a unit measures: minutes may be replaced by hours, never by
/// megabytes, and pages never by users. Words that are no units are of one kind.
fn unit(rest: &str) -> &str {
    match rest {
        "s" | "ms" | "min" | "h" | "day" | "week" | "month" | "year" => "time",
        "b" | "kb" | "mb" | "gb" | "tb" | "kib" | "mib" | "gib" => "bytes",
        "€" | "$" => "money",
        unit if UNITS.contains(&unit) => unit,
        _ => "",
    }
}

/// The new value with what is beside the old one's number, where it has nothing of its own: `8`
/// in the place of `5 euros` is `8 euros`, `14` in the place of `seven days` is `14 days`.
pub fn with_unit(new: &str, old: &str) -> String {
    let (n, o) = (Amount::of(new), Amount::of(old));
    if n.number.is_none()
        || !n.rest.is_empty()
        || new.contains(' ')
        || o.number.is_none()
        || o.rest.is_empty()
    {
        return new.to_owned();
    }
    let is_number = |word: &str| number_of(word).is_some() || is_number_word(&word.to_lowercase());
    let words: Vec<&str> = old.split(' ').collect();
    if let Some(at) = words.iter().position(|w| is_number(w)) {
        let with_new = words
            .iter()
            .enumerate()
            .map(|(i, w)| if i == at { new } else { w });
        return with_new.collect::<Vec<_>>().join(" ");
    }
    // "$5": the sign is at the number.
    match (
        old.find(|c: char| c.is_ascii_digit()),
        old.rfind(|c: char| c.is_ascii_digit()),
    ) {
        (Some(from), Some(to)) => format!("{}{new}{}", &old[..from], &old[to + 1..]),
        _ => new.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_in_other_forms() {
        for (a, b) in [
            ("60 min", "60 minutes"),
            ("$50", "50 dollars"),
            ("nine", "9"),
            ("8 pm", "20:00"),
            ("1,200 EUR", "1200 euros"),
            ("5", "5 euros"),
            ("Main", "main"),
            ("9:00", "9 am"),
            ("9:30", "09:30"),
            ("1.5 MB", "1,5 MB"),
            ("5MB", "5 MB"),
        ] {
            assert!(same_value(a, b), "{a} / {b}");
        }
        for (a, b) in [
            ("60 min", "60 h"),
            ("50", "51"),
            ("main", "trunk"),
            ("8 am", "20:00"),
            ("5 MB", "5 GB"),
            ("1,5 MB", "15 MB"),
        ] {
            assert!(!same_value(a, b), "{a} / {b}");
        }
    }

    #[test]
    fn values_of_one_kind_may_replace_each_other() {
        assert!(
            is_alike("15 minutes", "1 hour")
                && is_alike("5", "8 euros")
                && is_alike("main", "trunk")
                && is_alike("db-1", "db-7")
        );
        assert!(
            !is_alike("15 minutes", "40 MB")
                && !is_alike("15", "main")
                && !is_alike("`a`", "b")
                && !is_alike("9:15", "9")
        );
        assert_eq!(with_unit("8", "5 euros"), "8 euros");
        assert!(
            !is_alike("100 users", "5 pages")
                && is_alike("5MB", "10 MB")
                && is_alike("12 Harbour Street", "88 Mill Lane")
        );
        assert_eq!(with_unit("8", "$5"), "$8");
        assert_eq!(with_unit("14", "seven days"), "14 days");
        assert_eq!(with_unit("nine", "5 days"), "nine days");
        assert_eq!(with_unit("19:00", "18:00 Friday"), "19:00 Friday");
        assert_eq!(with_unit("8 kg", "5 kg"), "8 kg");
    }

    proptest::proptest! {
        #[test]
        fn any_values_can_be_compared(a in "[0-9.,:$€a-z ]{0,12}.{0,5}", b in "[0-9.,:$€a-z \
            ]{0,12}.{0,5}") {
            proptest::prop_assert!(same_value(&a, &a));
            proptest::prop_assert_eq!(same_value(&a, &b), same_value(&b, &a));
            let _ = (is_alike(&a, &b), with_unit(&a, &b));
        }
    }
}
