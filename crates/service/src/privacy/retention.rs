//! How long transcripts are kept. When that time is over, what the events of a session say is
//! erased; that there was a session, how it ended, and quotes that changes rest on stay.

use domain::{
    actor::Actor, audit_action::AuditAction, erasure::ErasureKind, ids::ErasureId, rights::Action,
};
use serde_json::json;
use store::{
    Tx, erasing,
    erasures::{self, ErasureRow},
    sealing, sessions, settings,
};

use crate::{Error, Lucid, Record, Result, authority::Authorized};

/// The setting: a number of days.
const TRANSCRIPT_DAYS: &str = "transcript_days";
/// Fewest days for which transcripts are kept: as long as the window of sessions that a dream
/// reads.
pub const SHORTEST_DAYS: i64 = 90;
/// Most days: a hundred years.
const LONGEST_DAYS: i64 = 36_500;
/// Sessions that are erased in one transaction.
const AT_ONCE: i64 = 200;

impl Lucid {
    /// Sets after how many days without an event the text of a session is erased, 90 to 36,500;
    /// `None` keeps it.
    #[tracing::instrument(skip_all)]
    pub async fn set_transcript_days(&self, actor: &Actor, days: Option<i64>) -> Result<()> {
        let (mut tx, acting) = self.begin(actor).await?;
        let right = acting.may_in_installation(Action::ManagePrivacy)?;
        if days.is_some_and(|days| !(SHORTEST_DAYS..=LONGEST_DAYS).contains(&days)) {
            return Err(Error::Invalid(format!(
                "transcripts are kept for {SHORTEST_DAYS} to {LONGEST_DAYS} days, or without a \
                 limit"
            )));
        }
        let before = transcript_days(&mut tx).await?;
        settings::put(
            &mut tx,
            TRANSCRIPT_DAYS,
            &days.map_or_else(String::new, |days| days.to_string()),
        )
        .await?;
        let payload = json!({"transcript_days": days, "before": before});
        let record = Record {
            action: AuditAction::RetentionSet,
            subject: "installation".into(),
            store: None,
            commit: None,
            payload: &payload,
        };
        self.record(&mut tx, right, record).await?;
        Ok(tx.commit().await?)
    }

    /// Erases transcripts that are older than they are kept, but for those under a hold; what a
    /// worker does by itself, once a day, because the database's files are written anew afterwards.
    /// Returns how many.
    #[tracing::instrument(skip_all)]
    pub async fn apply_retention(&self) -> Result<usize> {
        let mut tx = self.db.read().await?;
        let Some(days) = transcript_days(&mut tx).await? else {
            return Ok(0);
        };
        let yesterday = self.now().plus_seconds(-86_400);
        if erasures::last_retention(&mut tx)
            .await?
            .is_some_and(|last| last > yesterday)
        {
            return Ok(0);
        }
        drop(tx);
        let before = self.now().plus_seconds(-days * 86_400);
        let mut all = 0;
        loop {
            if erasing::old_sessions(&mut self.db.read().await?, before, 1)
                .await?
                .is_empty()
            {
                return Ok(all);
            }
            let mut tx = self.db.background().await?;
            // A hold is placed under the same lock.
            settings::lock_people(&mut tx).await?;
            let sessions = erasing::old_sessions(&mut tx, before, AT_ONCE).await?;
            let mut events = 0;
            for &session in &sessions {
                sessions::lock(&mut tx, session).await?;
                events += erasing::erase_transcript(&mut tx, session, self.now()).await?;
                sealing::change_key(&mut tx, session, self.now()).await?;
            }
            if all == 0 {
                erasing::drop_vectors(&mut tx).await?;
            }
            let counts = json!({"sessions": sessions.len(), "events": events});
            let id = self.id(ErasureId::new);
            let by = Authorized::worker().who().to_string();
            let reason = format!("Transcripts are kept for {days} days.");
            let row = ErasureRow::done(
                id,
                ErasureKind::Retention,
                reason,
                by,
                counts.to_string(),
                self.now(),
            );
            erasures::insert(&mut tx, &row).await?;
            let record = Record {
                action: AuditAction::RetentionApply,
                subject: id.to_string(),
                store: None,
                commit: None,
                payload: &counts,
            };
            self.record(&mut tx, Authorized::worker(), record).await?;
            tx.commit().await?;
            all += sessions.len();
        }
    }
}

/// After how many days transcripts are erased; never if none.
pub async fn transcript_days(tx: &mut Tx) -> Result<Option<i64>> {
    Ok(settings::get(tx, TRANSCRIPT_DAYS)
        .await?
        .and_then(|days| days.parse().ok()))
}
