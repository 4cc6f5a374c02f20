//! Points in time: microseconds since the Unix epoch, UTC. What is not known is `None`, never a
//! made-up time.

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::plural;

/// Microseconds since 1970-01-01T00:00:00Z. Integers order and hash the same on every engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "sqlx", derive(sqlx::Type), sqlx(transparent))]
#[serde(transparent)]
pub struct Timestamp(pub i64);

/// Microseconds in one second.
const SECOND: i64 = 1_000_000;

impl Timestamp {
    /// The time some seconds later (or earlier, if negative); saturates.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(SECOND)))
    }

    /// Whole milliseconds since the epoch; 0 for times before it.
    #[must_use]
    pub fn millis(self) -> u64 {
        u64::try_from(self.0 / 1_000).unwrap_or(0)
    }

    /// Reads RFC 3339 text; `None` where it is not.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parsed = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(parsed.unix_timestamp_nanos() / 1_000)
            .ok()
            .map(Self)
    }

    /// RFC 3339 in UTC to the second, as `2026-11-22T03:00:00Z`; the number itself where it is out
    /// of the calendar.
    #[must_use]
    pub fn rfc3339(self) -> String {
        self.date_time()
            .and_then(|t| t.replace_nanosecond(0).ok()?.format(&Rfc3339).ok())
            .unwrap_or_else(|| format!("{} us", self.0))
    }

    /// The day, as a form's date field takes it: `2026-11-22`, in UTC.
    #[must_use]
    pub fn date(self) -> String {
        self.rfc3339().chars().take(10).collect()
    }

    /// The day for people: `22 November 2026`, in UTC.
    #[must_use]
    pub fn day(self) -> String {
        self.date_time().map_or_else(
            || self.date(),
            |t| format!("{} {} {}", t.day(), t.month(), t.year()),
        )
    }

    /// Six in the morning of a day (`2026-11-22`), in UTC; `None` where it is no day.
    #[must_use]
    pub fn morning_of(date: &str) -> Option<Self> {
        Self::parse(&format!("{date}T06:00:00Z"))
    }

    /// For people: `2026-11-22 03:00 UTC`.
    #[must_use]
    pub fn exact(self) -> String {
        let text = self.rfc3339();
        match (text.get(0..10), text.get(11..19)) {
            (Some(day), Some(clock)) => format!("{day} {clock} UTC"),
            _ => text,
        }
    }

    /// For people: how long before `now` this was, in the largest whole unit (`3 hours ago`, `just
    /// now`, `in 2 days`).
    #[must_use]
    pub fn relative_to(self, now: Self) -> String {
        let seconds = (now.0.saturating_sub(self.0)) / SECOND;
        let (count, unit) = match seconds.unsigned_abs() {
            0..=59 => return "just now".to_owned(),
            s @ 60..=3_599 => (s / 60, "minute"),
            s @ 3_600..=86_399 => (s / 3_600, "hour"),
            s @ 86_400..=2_591_999 => (s / 86_400, "day"),
            s @ 2_592_000..=31_535_999 => (s / 2_592_000, "month"),
            s => (s / 31_536_000, "year"),
        };
        let counted = plural::count(count, unit);
        if seconds < 0 {
            format!("in {counted}")
        } else {
            format!("{counted} ago")
        }
    }

    /// Whole minutes from another time to this one, rounded up; 0 where it is past.
    #[must_use]
    pub const fn minutes_after(self, now: Self) -> i64 {
        let micros = self.0.saturating_sub(now.0);
        if micros <= 0 {
            0
        } else {
            (micros - 1) / (60 * SECOND) + 1
        }
    }

    fn date_time(self) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_in_words() {
        assert_eq!(
            Timestamp::parse("2026-03-04T23:59:59Z").unwrap().day(),
            "4 March 2026"
        );
        assert_eq!(Timestamp(i64::MAX).day(), Timestamp(i64::MAX).date());
    }

    #[test]
    fn text_and_back() {
        let t = Timestamp::parse("2026-11-22T03:04:05.123456789Z").unwrap();
        assert_eq!(t.0 % SECOND, 123_456);
        assert_eq!(t.rfc3339(), "2026-11-22T03:04:05Z");
        assert_eq!(t.exact(), "2026-11-22 03:04:05 UTC");
        assert_eq!(Timestamp::parse("yesterday"), None);
    }

    #[test]
    fn relative_times_have_plurals_and_a_future() {
        let now = Timestamp(0).plus_seconds(10_000_000);
        assert_eq!(now.plus_seconds(-30).relative_to(now), "just now");
        assert_eq!(now.plus_seconds(-60).relative_to(now), "1 minute ago");
        assert_eq!(now.plus_seconds(-7_200).relative_to(now), "2 hours ago");
        assert_eq!(now.plus_seconds(172_800).relative_to(now), "in 2 days");
    }

    #[test]
    fn absurd_times_are_shown_not_panicked_on() {
        assert!(Timestamp(i64::MAX).rfc3339().ends_with(" us"));
        assert_eq!(Timestamp(i64::MIN).plus_seconds(-1), Timestamp(i64::MIN));
        let _ = Timestamp(i64::MIN).relative_to(Timestamp(i64::MAX));
    }
}
