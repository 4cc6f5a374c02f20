//! When stores dream. A tick is taken by compare-and-swap on `next_run_at`, so any number of
//! processes fire it once.

use domain::{
    Timestamp,
    ids::{ScheduleId, StoreId},
};
use sqlx::FromRow;

use crate::{Result, Tx};

statements! {
    PUT = "INSERT INTO schedules (id, store_id, cron, time_zone, min_sessions, idle_minutes,
        enabled, next_run_at, created_by, created_at, distiller)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        ON CONFLICT (store_id) DO UPDATE SET cron = excluded.cron, time_zone = excluded.time_zone,
        min_sessions = excluded.min_sessions,
            idle_minutes = excluded.idle_minutes, enabled = excluded.enabled,
            next_run_at = excluded.next_run_at,
            distiller = excluded.distiller";
    OF_STORE = "SELECT id, store_id, cron, time_zone, min_sessions, idle_minutes, enabled,
        next_run_at, last_result, distiller FROM schedules WHERE store_id = $1";
    DUE = "SELECT id, store_id, cron, time_zone, min_sessions, idle_minutes, enabled, next_run_at,
        last_result, distiller FROM schedules
        WHERE enabled AND next_run_at <= $1 ORDER BY next_run_at LIMIT 100";
    SWITCH_OFF = "UPDATE schedules SET enabled = FALSE WHERE store_id = $1";
    TAKE = "UPDATE schedules SET next_run_at = $1, last_result = $2 WHERE id = $3
        AND next_run_at = $4 AND enabled";
}

/// The schedule of a store's dreams.
#[derive(Debug, Clone, FromRow)]
pub struct ScheduleRow {
    pub id: ScheduleId,
    pub store_id: StoreId,
    /// When, as five cron fields.
    pub cron: String,
    /// In which IANA time zone.
    pub time_zone: String,
    /// Only with at least so many sessions that no dream has seen.
    pub min_sessions: i64,
    /// Only if no session grew for so many minutes.
    pub idle_minutes: i64,
    /// True if it is on.
    pub enabled: bool,
    pub next_run_at: Timestamp,
    pub last_result: Option<String>,
    pub distiller: String,
}

/// Sets a store's schedule.
pub async fn put(tx: &mut Tx, schedule: &ScheduleRow, by: &str, at: Timestamp) -> Result<()> {
    let s = schedule;
    execute!(
        tx,
        PUT,
        s.id,
        s.store_id,
        s.cron.as_str(),
        s.time_zone.as_str(),
        s.min_sessions,
        s.idle_minutes,
        s.enabled,
        s.next_run_at,
        by,
        at,
        s.distiller.as_str()
    )?;
    Ok(())
}

/// A store's schedule, if it has one.
pub async fn of_store(tx: &mut Tx, store: StoreId) -> Result<Option<ScheduleRow>> {
    fetch_optional!(tx, ScheduleRow, OF_STORE, store)
}

/// Schedules whose tick has come.
pub async fn due(tx: &mut Tx, now: Timestamp) -> Result<Vec<ScheduleRow>> {
    fetch_all!(tx, ScheduleRow, DUE, now)
}

/// Takes a tick and sets the next; false if another process took it.
pub async fn take(
    tx: &mut Tx,
    schedule: &ScheduleRow,
    next: Timestamp,
    result: &str,
) -> Result<bool> {
    Ok(execute!(tx, TAKE, next, result, schedule.id, schedule.next_run_at)? == 1)
}

/// Switches a store's schedule off.
pub async fn switch_off(tx: &mut Tx, store: StoreId) -> Result<()> {
    execute!(tx, SWITCH_OFF, store)?;
    Ok(())
}
