//! Values in one form, so that the same one written otherwise is known: `60 min` and `60 minutes`, `$50` and `50 dollars`, `nine` and
//! `9`, `8 pm` and `20:00`. Only for comparing; what stands in a memory is what somebody wrote.

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
/// Numbers as words.
const NUMBERS: &[(&str, &str)] = &[
    ("two", "2"),
    ("three", "3"),
    ("four", "4"),
    ("five", "5"),
    ("six", "6"),
    ("seven", "7"),
    ("eight", "8"),
    ("nine", "9"),
    ("ten", "10"),
    ("eleven", "11"),
    ("twelve", "12"),
    ("fifteen", "15"),
    ("twenty", "20"),
    ("thirty", "30"),
    ("forty", "40"),
    ("fifty", "50"),
    ("sixty", "60"),
    ("ninety", "90"),
];

/// Days of the week, which come in plural, too: "on Thursdays".
const DAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// Whether a word, in lower case, is a number.
pub fn is_number_word(lower: &str) -> bool {
    NUMBERS.iter().any(|(word, _)| *word == lower)
}

/// A value: its number, if it is one, and its unit, or its words.
#[derive(Debug, PartialEq, Eq)]
struct Amount {
    number: Option<String>,
    rest: String,
}

fn amount(value: &str) -> Amount {
    let lower = value.to_lowercase().replace('`', "");
    let spaced = lower.replace('$', " $ ").replace('€', " € ").replace('%', " % ");
    let mut number = None;
    let mut rest = Vec::new();
    for word in spaced.split_whitespace() {
        let digits = NUMBERS.iter().find(|(w, _)| *w == word).map(|(_, n)| (*n).to_owned());
        let plain = word.replace(',', "");
        let is_number =
            plain.chars().next().is_some_and(|c| c.is_ascii_digit()) && plain.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ':'));
        match digits.or_else(|| is_number.then_some(plain)) {
            Some(found) if number.is_none() => number = Some(found),
            _ if DAYS.contains(&word.trim_end_matches('s')) => rest.push(word.trim_end_matches('s')),
            _ => rest.push(SAME.iter().find(|kind| kind.contains(&word)).map_or(word, |kind| kind[0])),
        }
    }
    clock(number, rest.join(" "))
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
        Some((hour.parse::<u32>().ok().filter(|h| (1..=12).contains(h))?, minute.to_owned()))
    });
    match parsed {
        Some((hour, minute)) => Amount { number: Some(format!("{:02}:{minute}", hour % 12 + half)), rest: String::new() },
        None => Amount { number, rest },
    }
}

/// Whether two values are the same, however they are written. A number without a unit is the same with any.
pub fn same_value(a: &str, b: &str) -> bool {
    let (a, b) = (amount(a), amount(b));
    a.number == b.number && (a.rest == b.rest || (a.number.is_some() && (a.rest.is_empty() || b.rest.is_empty())))
}

/// Whether a value can stand in another's place: both numbers of one kind, or neither a number.
pub fn is_alike(a: &str, b: &str) -> bool {
    let code = |v: &str| v.starts_with('`');
    let clock = |v: &str| v.contains(':');
    let (new, old) = (amount(a), amount(b));
    let digits = |v: &str| v.chars().any(|c| c.is_ascii_digit());
    let of_one_kind = match (&new.number, &old.number) {
        (Some(one), Some(other)) => {
            clock(one) == clock(other) && (unit(&new.rest) == unit(&old.rest) || new.rest.is_empty() || old.rest.is_empty())
        }
        (None, None) => digits(a) == digits(b),
        _ => false,
    };
    of_one_kind && (code(a) == code(b))
}

/// What kind of thing a unit measures: minutes may be replaced by hours, never by megabytes. Other words are of one kind.
fn unit(rest: &str) -> &str {
    match rest {
        "s" | "ms" | "min" | "h" | "day" | "week" | "month" | "year" => "time",
        "b" | "kb" | "mb" | "gb" | "tb" | "kib" | "mib" | "gib" => "bytes",
        "€" | "$" => "money",
        "%" | "m" | "km" | "kg" | "g" => rest,
        _ => "",
    }
}

/// The new value with the old one's unit, where it has none of its own: `8` in the place of `5 euros` is `8 euros`.
pub fn with_unit(new: &str, old: &str) -> String {
    let (n, o) = (amount(new), amount(old));
    let bare = new.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    if !bare || n.number.is_none() || o.number.is_none() || o.rest.is_empty() {
        return new.to_owned();
    }
    match old.find(|c: char| c.is_ascii_digit()) {
        Some(at) => {
            let end = at + old[at..].find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',' | ':'))).unwrap_or(old.len() - at);
            format!("{}{new}{}", &old[..at], &old[end..])
        }
        None => new.to_owned(),
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
        ] {
            assert!(same_value(a, b), "{a} / {b}");
        }
        for (a, b) in [("60 min", "60 h"), ("50", "51"), ("main", "trunk"), ("8 am", "20:00"), ("5 MB", "5 GB")] {
            assert!(!same_value(a, b), "{a} / {b}");
        }
    }

    #[test]
    fn what_may_stand_in_its_place() {
        assert!(is_alike("15 minutes", "1 hour") && is_alike("5", "8 euros") && is_alike("main", "trunk") && is_alike("db-1", "db-7"));
        assert!(!is_alike("15 minutes", "40 MB") && !is_alike("15", "main") && !is_alike("`a`", "b") && !is_alike("9:15", "9"));
        assert_eq!(with_unit("8", "5 euros"), "8 euros");
        assert_eq!(with_unit("8", "$5"), "$8");
        assert_eq!(with_unit("8 kg", "5 kg"), "8 kg");
    }

    proptest::proptest! {
        #[test]
        fn any_values_can_be_compared(a in "[0-9.,:$€a-z ]{0,12}.{0,5}", b in "[0-9.,:$€a-z ]{0,12}.{0,5}") {
            proptest::prop_assert!(same_value(&a, &a));
            proptest::prop_assert_eq!(same_value(&a, &b), same_value(&b, &a));
            let _ = (is_alike(&a, &b), with_unit(&a, &b));
        }
    }
}
