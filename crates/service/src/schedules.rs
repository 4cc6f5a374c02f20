//! When stores dream: five cron fields in a time zone, at least so many new sessions, and nothing
//! growing just then.

use croner::Cron;
use domain::{
    Timestamp,
    actor::Actor,
    audit_action::AuditAction,
    ids::{ScheduleId, StoreId},
    rights::Action,
};
use jiff::{Zoned, tz::TimeZone};
use serde_json::json;
use store::{
    Tx,
    schedules::{self, ScheduleRow},
    sessions,
};

use crate::{Error, Lucid, Record, Result, authority::Authorized, require};

/// The settings of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSchedule {
    /// Five cron fields, as `0 3 * * *`.
    pub cron: String,
    /// IANA time zone, as `Europe/Berlin`.
    pub time_zone: String,
    /// Only with at least so many new sessions.
    pub min_sessions: i64,
    /// Only if no session grew for so many minutes.
    pub idle_minutes: i64,
    /// True if it is on.
    pub enabled: bool,
    /// What distils: `builtin`, or a model that is set up.
    pub distiller: String,
}

impl Lucid {
    /// Sets a store's schedule.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn set_schedule(
        &self,
        actor: &Actor,
        store: StoreId,
        new: &NewSchedule,
    ) -> Result<()> {
        let (mut tx, actor) = self.begin(actor).await?;
        let right = actor.may_on(Action::ManageStore, store)?;
        if !(0..=100_000).contains(&new.min_sessions) || !(0..=10_080).contains(&new.idle_minutes) {
            return Err(Error::Invalid(
                "new sessions are 0 to 100,000 and idle minutes 0 to 10,080 (a week)".to_owned(),
            ));
        }
        let next_run_at = check_schedule(&new.cron, &new.time_zone, self.now())?;
        let row = ScheduleRow {
            id: self.id(ScheduleId::new),
            store_id: store,
            cron: new.cron.trim().to_owned(),
            time_zone: new.time_zone.trim().to_owned(),
            min_sessions: new.min_sessions,
            idle_minutes: new.idle_minutes,
            enabled: new.enabled,
            next_run_at,
            last_result: None,
            distiller: self.check_distiller(&new.distiller)?.to_owned(),
        };
        schedules::put(&mut tx, &row, &actor.who.to_string(), self.now()).await?;
        let payload = json!({"cron": row.cron, "time_zone": row.time_zone, "min_sessions": row.min_sessions, "idle_minutes": row.idle_minutes, "enabled": row.enabled});
        self.record(
            &mut tx,
            right,
            Record {
                action: AuditAction::ScheduleSet,
                subject: store.to_string(),
                store: Some(store),
                commit: None,
                payload: &payload,
            },
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// A store's schedule, if it has one.
    #[tracing::instrument(skip_all, fields(%store))]
    pub async fn schedule(&self, actor: &Actor, store: StoreId) -> Result<Option<ScheduleRow>> {
        require(actor, Action::SeeMemory, store)?;
        let mut tx = self.db.read().await?;
        Ok(schedules::of_store(&mut tx, store).await?)
    }

    /// Fires every schedule whose tick has come; each tick once, however many processes look. Ticks
    /// that were missed while nothing ran are one tick. Returns how many dreams were asked for.
    #[tracing::instrument(skip_all)]
    pub async fn fire_schedules(&self) -> Result<usize> {
        let mut tx = self.db.read().await?;
        let due = schedules::due(&mut tx, self.now()).await?;
        drop(tx);
        let mut asked = 0;
        for schedule in due {
            match self.fire(&schedule).await {
                Ok(fired) => asked += usize::from(fired),
                Err(error) => {
                    tracing::error!(store = %schedule.store_id, error = &error as &dyn std::error::Error, "a schedule could not fire; the \
                        others go on");
                }
            }
        }
        Ok(asked)
    }

    async fn fire(&self, schedule: &ScheduleRow) -> Result<bool> {
        let now = self.now();
        let mut tx = self.db.background().await?;
        let next = check_schedule(&schedule.cron, &schedule.time_zone, now)?;
        let reason = match self.why_not(&mut tx, schedule, now).await? {
            None => self.why_not_dream(&mut tx, schedule.store_id).await?,
            reason => reason,
        };
        if !schedules::take(
            &mut tx,
            schedule,
            next,
            reason.as_deref().unwrap_or("asked for a dream"),
        )
        .await?
        {
            return Ok(false);
        }
        if reason.is_none() {
            self.insert_dream(
                &mut tx,
                Authorized::worker(),
                schedule.store_id,
                (&schedule.distiller, None, &[]),
            )
            .await?;
        }
        tx.commit().await?;
        Ok(reason.is_none())
    }

    async fn why_not(
        &self,
        tx: &mut Tx,
        schedule: &ScheduleRow,
        now: Timestamp,
    ) -> Result<Option<String>> {
        let new = sessions::new_for_dreams(
            tx,
            schedule.store_id,
            now.plus_seconds(-crate::dreams::WINDOW_SECONDS),
        )
        .await?;
        if new < schedule.min_sessions {
            return Ok(Some(format!(
                "{new} new sessions; it waits for {}",
                schedule.min_sessions
            )));
        }
        let idle_since = now.plus_seconds(-schedule.idle_minutes.saturating_mul(60));
        let busy = sessions::newest_in(tx, schedule.store_id)
            .await?
            .is_some_and(|at| at > idle_since);
        Ok(busy.then(|| {
            format!(
                "a session grew within the last {} minutes",
                schedule.idle_minutes
            )
        }))
    }
}

/// The next tick after a time, or what is wrong with the schedule.
pub fn check_schedule(cron: &str, time_zone: &str, after: Timestamp) -> Result<Timestamp> {
    let pattern: Cron = cron.trim().parse().map_err(|e| {
        Error::Invalid(format!(
            "`{cron}` is not a cron pattern of five fields, as `0 3 * * *`: {e}"
        ))
    })?;
    if cron.split_whitespace().count() != 5 {
        return Err(Error::Invalid(format!(
            "`{cron}` does not have the five fields minute, hour, day, month, weekday"
        )));
    }
    let zone = TimeZone::get(time_zone.trim()).map_err(|_| {
        Error::Invalid(format!(
            "`{time_zone}` is not a time zone, as `UTC` or `Europe/Berlin`"
        ))
    })?;
    let from = jiff::Timestamp::from_microsecond(after.0)
        .map_err(|_| Error::Invalid("the clock is out of range".to_owned()))?;
    let next: Zoned = pattern
        .find_next_occurrence(&from.to_zoned(zone), false)
        .map_err(|e| Error::Invalid(format!("`{cron}` never comes: {e}")))?;
    Ok(Timestamp(next.timestamp().as_microsecond()))
}

/// True if a time is within so many hours after a tick.
pub fn is_within_hours_of(cron: &str, time_zone: &str, hours: u32, at: Timestamp) -> Result<bool> {
    Ok(check_schedule(cron, time_zone, at.plus_seconds(-i64::from(hours) * 3_600))? <= at)
}

/// The next ticks after a time, each in words of its own time zone: `Fri 27 Nov 2026, 03:00
/// Europe/Berlin`. As many as there are, at most so many; none where the schedule is wrong.
#[must_use]
pub fn next_ticks(cron: &str, time_zone: &str, after: Timestamp, most: usize) -> Vec<String> {
    let Ok(zone) = TimeZone::get(time_zone.trim()) else {
        return Vec::new();
    };
    let mut ticks = Vec::new();
    let mut at = after;
    while ticks.len() < most {
        let Ok(next) = check_schedule(cron, time_zone, at) else {
            break;
        };
        let Ok(shown) = jiff::Timestamp::from_microsecond(next.0) else {
            break;
        };
        ticks.push(format!(
            "{} {}",
            shown.to_zoned(zone.clone()).strftime("%a %-d %b %Y, %H:%M"),
            time_zone.trim()
        ));
        at = next;
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(cron: &str, zone: &str, after: &str) -> String {
        check_schedule(cron, zone, Timestamp::parse(after).unwrap())
            .unwrap()
            .rfc3339()
    }

    #[test]
    fn ticks_in_their_time_zone_over_summer_time() {
        assert_eq!(
            next("0 3 * * *", "UTC", "2026-11-22T03:00:00Z"),
            "2026-11-23T03:00:00Z"
        );
        assert_eq!(
            next("0 3 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z"),
            "2026-07-01T01:00:00Z"
        );
        assert_eq!(
            next("0 3 * * *", "Europe/Berlin", "2026-12-01T00:00:00Z"),
            "2026-12-01T02:00:00Z"
        );
        // 02:30 does not exist on the day that summer time begins; the tick is not lost for more
        // than that day.
        assert!(
            next("30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z").as_str()
                <= "2026-03-30T00:30:00Z"
        );
    }

    #[test]
    fn the_next_ticks_are_in_the_time_of_their_zone() {
        let from = Timestamp::parse("2026-03-28T12:00:00Z").unwrap();
        let ticks = next_ticks("0 3 * * *", "Europe/Berlin", from, 3);
        assert_eq!(
            ticks,
            [
                "Sun 29 Mar 2026, 03:00 Europe/Berlin",
                "Mon 30 Mar 2026, 03:00 Europe/Berlin",
                "Tue 31 Mar 2026, 03:00 Europe/Berlin"
            ],
            "summer time begins on the first of them"
        );
        assert!(
            next_ticks("nonsense", "UTC", from, 3).is_empty()
                && next_ticks("0 3 * * *", "Mars", from, 3).is_empty()
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let refused = |cron, zone| {
            check_schedule(cron, zone, Timestamp(0))
                .unwrap_err()
                .to_string()
        };
        assert!(refused("every night", "UTC").contains("cron pattern"));
        assert!(refused("0 0 3 * * *", "UTC").contains("five fields"));
        assert!(refused("0 3 * * *", "Mars/Base").contains("time zone"));
        assert!(refused("0 0 31 2 *", "UTC").contains("never comes"));
    }
}
