//! How often a store dreams, without knowing cron: every hour, every day or every week at a time.
//! Anything else is a cron pattern.

use crate::text_enum::text_enum;

text_enum! {
    Every {
        /// At the start of every hour.
        Hour => "hour",
        /// Every day at a time.
        Day => "day",
        /// Every week on a day, at a time.
        Week => "week",
        /// As a cron pattern says.
        Cron => "cron",
    }
}

/// The days of the week as cron numbers them, Sunday first.
pub const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// How often, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rhythm {
    pub every: Every,
    /// The hour, 0 to 23.
    pub hour: u8,
    /// The minute, 0 to 59.
    pub minute: u8,
    /// The day of the week, 0 is Sunday.
    pub weekday: u8,
}

impl Rhythm {
    /// The rhythm that a cron pattern of five fields means, if it is one of those that need no
    /// cron.
    #[must_use]
    pub fn of_cron(pattern: &str) -> Self {
        let fields: Vec<&str> = pattern.split_whitespace().collect();
        let number = |at: usize, end: u8| {
            fields
                .get(at)
                .and_then(|f| f.parse::<u8>().ok())
                .filter(|n| *n < end)
        };
        let any = |at: usize| fields.get(at) == Some(&"*");
        let (minute, hour, weekday) = (number(0, 60), number(1, 24), number(4, 7));
        let every = match (minute, hour, weekday) {
            _ if fields.len() != 5 || !any(2) || !any(3) => Every::Cron,
            (Some(0), None, None) if any(1) && any(4) => Every::Hour,
            (Some(_), Some(_), None) if any(4) => Every::Day,
            (Some(_), Some(_), Some(_)) => Every::Week,
            _ => Every::Cron,
        };
        Self {
            every,
            hour: hour.unwrap_or(3),
            minute: minute.unwrap_or(0),
            weekday: weekday.unwrap_or(1),
        }
    }

    /// The rhythm of a form: a time as `03:00` and a day as cron numbers it. `None` if either
    /// cannot be read.
    #[must_use]
    pub fn of_form(every: Every, time: &str, weekday: &str) -> Option<Self> {
        if matches!(every, Every::Hour | Every::Cron) {
            return Some(Self {
                every,
                hour: 0,
                minute: 0,
                weekday: 0,
            });
        }
        let (hour, rest) = time.trim().split_once(':')?;
        // Browsers may send seconds, too.
        let minute = rest.split(':').next()?;
        let (hour, minute) = (
            hour.parse().ok().filter(|h| *h < 24)?,
            minute.parse().ok().filter(|m| *m < 60)?,
        );
        let weekday = if every == Every::Week {
            weekday.trim().parse().ok().filter(|d| *d < 7)?
        } else {
            0
        };
        Some(Self {
            every,
            hour,
            minute,
            weekday,
        })
    }

    /// The cron pattern; `None` where that is written by hand.
    #[must_use]
    pub fn cron(&self) -> Option<String> {
        match self.every {
            Every::Hour => Some("0 * * * *".to_owned()),
            Every::Day => Some(format!("{} {} * * *", self.minute, self.hour)),
            Every::Week => Some(format!(
                "{} {} * * {}",
                self.minute, self.hour, self.weekday
            )),
            Every::Cron => None,
        }
    }

    /// The time as a form shows it.
    #[must_use]
    pub fn time(&self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for pattern in ["0 * * * *", "30 3 * * *", "5 22 * * 0", "0 0 * * 6"] {
            assert_eq!(Rhythm::of_cron(pattern).cron().as_deref(), Some(pattern));
        }
        for pattern in [
            "*/5 * * * *",
            "0 3 1 * *",
            "0 3 * 2 *",
            "0 3 * * 7",
            "0 3 * * 1-5",
            "30 * * * *",
            "",
            "0 3 * *",
            "a b c d e",
        ] {
            assert_eq!(Rhythm::of_cron(pattern).every, Every::Cron, "{pattern}");
        }
        assert_eq!(
            Rhythm::of_form(Every::Week, "07:05", "2")
                .unwrap()
                .cron()
                .unwrap(),
            "5 7 * * 2"
        );
        assert_eq!(
            Rhythm::of_form(Every::Day, "23:59:00", "").unwrap().time(),
            "23:59"
        );
        for (time, day) in [
            ("24:00", "0"),
            ("7", "0"),
            ("07:60", "0"),
            ("07:00", "7"),
            ("", ""),
        ] {
            assert_eq!(
                Rhythm::of_form(Every::Week, time, day),
                None,
                "{time} {day}"
            );
        }
    }
}
