//! When and how much a policy applies of what its rules allow, how it is watched, and when it ends.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Longest cooling-off, in hours: 30 days.
const MOST_HOURS: u32 = 720;
/// Most changes that a policy applies in 24 hours.
const MOST_A_DAY: u32 = 1_000;
/// Most changes that the limit of overrides looks back on.
const MOST_LOOKED_BACK: u32 = 1_000;

/// The hours in which a policy applies changes: each begins at a tick of the cron expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// When it opens: five cron fields, as `0 22 * * *`.
    pub cron: String,
    /// IANA time zone of these, as `Europe/Berlin`.
    pub time_zone: String,
    /// How long it stays open, in hours; 1 to 24.
    pub hours: u32,
}

/// When and how much a policy applies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Applying {
    /// Hours from the proposal until it is applied, in which anybody who may decide can hold it; 0
    /// to 720.
    pub after_hours: u32,
    /// Most changes in any 24 hours, in all stores together; 1 to 1,000.
    pub most_a_day: u32,
    /// Most memories of a store that it changes in any 24 hours, in percent of those that the store
    /// holds; 1 to 100. One memory is always allowed.
    pub share_percent: u32,
    /// Share of what it applied that a person is asked to check afterwards, in percent.
    pub sample_percent: u32,
    /// It pauses itself when people overrode more than this share, in percent ..
    pub pause_over_percent: u32,
    /// .. of so many of its last changes; 1 to 1,000.
    pub of_last: u32,
    /// Only in these hours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// It applies nothing from this day on (`2027-03-31`, at 0:00 UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<String>,
}

/// The beginning of a day, in UTC.
fn midnight(day: &str) -> Option<Timestamp> {
    Timestamp::parse(&format!("{day}T00:00:00Z"))
}

impl Default for Applying {
    fn default() -> Self {
        Self {
            after_hours: 24,
            most_a_day: 10,
            share_percent: 100,
            sample_percent: 10,
            pause_over_percent: 10,
            of_last: 20,
            window: None,
            expires_on: None,
        }
    }
}

impl Applying {
    /// Why it cannot be saved, if it cannot. Cron expression and time zone are checked by whoever
    /// can read them.
    ///
    /// # Errors
    ///
    /// In words: which number is out of its range.
    pub fn check(&self) -> Result<(), String> {
        let within = |name: &str, n: u32, least: u32, most: u32| {
            if (least..=most).contains(&n) {
                Ok(())
            } else {
                Err(format!("{name} is {least} to {most}, not {n}"))
            }
        };
        within("the cooling-off in hours", self.after_hours, 0, MOST_HOURS)?;
        within(
            "the number of changes a day",
            self.most_a_day,
            1,
            MOST_A_DAY,
        )?;
        within(
            "the share of a store in percent",
            self.share_percent,
            1,
            100,
        )?;
        within("the sample in percent", self.sample_percent, 0, 100)?;
        within(
            "the limit of overrides in percent",
            self.pause_over_percent,
            0,
            100,
        )?;
        within(
            "the number of changes that it looks back on",
            self.of_last,
            1,
            MOST_LOOKED_BACK,
        )?;
        if let Some(window) = &self.window {
            within("the length of the window in hours", window.hours, 1, 24)?;
        }
        if let Some(day) = self
            .expires_on
            .as_deref()
            .filter(|day| midnight(day).is_none())
        {
            return Err(format!("`{day}` is no day; write it as 2027-03-31"));
        }
        Ok(())
    }

    /// When it ends, if it does.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        midnight(self.expires_on.as_deref()?)
    }

    /// When a change that was proposed then may be applied at the earliest.
    #[must_use]
    pub const fn due(&self, proposed_at: Timestamp) -> Timestamp {
        proposed_at.plus_seconds(self.after_hours as i64 * 3_600)
    }

    /// How many of so many memories may change in 24 hours.
    #[must_use]
    pub fn share_of(&self, memories: i64) -> i64 {
        (memories.saturating_mul(i64::from(self.share_percent)) / 100).max(1)
    }

    /// True if so many overrides among so many of its last changes are more than it bears.
    #[must_use]
    pub const fn is_over_limit(&self, overridden: usize, of: usize) -> bool {
        overridden * 100 > self.pause_over_percent as usize * of
    }

    /// In which ways it applies more, sooner or less watched than another, in words.
    #[must_use]
    pub fn looser_than(&self, other: &Self) -> Vec<String> {
        let mut looser = Vec::new();
        let mut put = |is: bool, words: String| {
            if is {
                looser.push(words);
            }
        };
        put(
            self.after_hours < other.after_hours,
            format!(
                "after {} instead of {} hours",
                self.after_hours, other.after_hours
            ),
        );
        put(
            self.most_a_day > other.most_a_day,
            format!(
                "{} instead of {} changes a day",
                self.most_a_day, other.most_a_day
            ),
        );
        let share = format!(
            "{}% instead of {}% of a store a day",
            self.share_percent, other.share_percent
        );
        put(self.share_percent > other.share_percent, share);
        let sample = format!(
            "{}% instead of {}% checked afterwards",
            self.sample_percent, other.sample_percent
        );
        put(self.sample_percent < other.sample_percent, sample);
        let limit = format!(
            "pauses over {}% instead of {}% overrides",
            self.pause_over_percent, other.pause_over_percent
        );
        put(self.pause_over_percent > other.pause_over_percent, limit);
        let back = format!(
            "its limit of overrides looks back on {} instead of {} changes",
            self.of_last, other.of_last
        );
        put(self.of_last > other.of_last, back);
        put(
            other.window.is_some() && self.window != other.window,
            "at other hours".to_owned(),
        );
        let later = other.expires_on.is_some()
            && self
                .expires_on
                .as_ref()
                .is_none_or(|day| Some(day) > other.expires_on.as_ref());
        put(later, "for longer".to_owned());
        looser
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_their_range_are_refused_in_words() {
        assert_eq!(Applying::default().check(), Ok(()));
        let bad = Applying {
            most_a_day: 0,
            ..Applying::default()
        };
        assert_eq!(
            bad.check(),
            Err("the number of changes a day is 1 to 1000, not 0".to_owned())
        );
        assert!(
            Applying {
                expires_on: Some("soon".to_owned()),
                ..Applying::default()
            }
            .check()
            .is_err()
        );
    }

    #[test]
    fn a_limit_of_overrides_is_passed_not_reached() {
        let ten = Applying::default();
        assert!(!ten.is_over_limit(2, 20));
        assert!(ten.is_over_limit(3, 20));
        assert!(!ten.is_over_limit(0, 0));
    }

    #[test]
    fn a_policy_ends_at_the_beginning_of_its_day() {
        let ends = Applying {
            expires_on: Some("2027-03-31".to_owned()),
            ..Applying::default()
        }
        .expires_at()
        .unwrap();
        assert_eq!(ends.rfc3339(), "2027-03-31T00:00:00Z");
    }

    #[test]
    fn looser_is_told_in_words() {
        let before = Applying::default();
        let after = Applying {
            after_hours: 1,
            sample_percent: 0,
            ..Applying::default()
        };
        assert_eq!(
            after.looser_than(&before),
            [
                "after 1 instead of 24 hours",
                "0% instead of 10% checked afterwards"
            ]
        );
        assert!(before.looser_than(&after).is_empty());
    }
}
