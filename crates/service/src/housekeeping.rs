//! What grows with use and is of no use later is trimmed: expired web sessions, counts of failed
//! sign-ins, refused forms, answers kept for repeated requests, recorded reads, answers of models
//! and of policies. What was decided, written or recorded is never touched here.

use domain::Timestamp;
use store::{access_requests, forms, model_batches, policy_outcomes, reads, sign_in, vectors};

use crate::{Lucid, Result, accounts::BROWSER_SECONDS};

const DAY: i64 = 86_400;
/// Answers to repeated requests are kept for so many days.
const ANSWERS_DAYS: i64 = 7;
/// Reads of memory versions: a year and a month, so that last year's answer to "which sessions were
/// given this" is still there.
const READS_DAYS: i64 = 400;
/// Answers of models: as long as the window of sessions that a dream reads.
const MODEL_DAYS: i64 = 90;
/// Vectors of texts, as long as the window of sessions that a dream reads: what is still compared
/// then is made anew.
const VECTORS_DAYS: i64 = 90;
/// Days for which the answers of policies about decided changes are kept; what was applied, and on
/// which inputs, is kept for good.
const POLICY_DAYS: i64 = 7;
/// Days for which the answers of policies in shadow are kept: as long as a back-test goes back by
/// default.
const SHADOW_DAYS: i64 = 90;
/// Requests for access that nobody answered.
const REQUESTS_DAYS: i64 = 90;

/// Rows that were removed, by what they were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Web sessions that had expired.
    pub web_sessions: u64,
    pub forms: u64,
    /// Answers to repeated requests.
    pub answers: u64,
    pub reads: u64,
    pub model_answers: u64,
    pub policy_answers: u64,
}

impl Lucid {
    /// Trims everything once; one short transaction for each kind, so that nobody waits for long.
    #[tracing::instrument(skip_all)]
    pub async fn trim(&self) -> Result<Trimmed> {
        let ago = |days: i64| -> Timestamp { self.now().plus_seconds(-days * DAY) };
        let mut done = Trimmed::default();
        let mut tx = self.db.background().await?;
        done.web_sessions = sign_in::delete_expired(&mut tx, self.now()).await?;
        sign_in::drop_failures(&mut tx, ago(1)).await?;
        sign_in::drop_browsers(&mut tx, self.now().plus_seconds(-BROWSER_SECONDS)).await?;
        done.forms = forms::drop_drafts(
            &mut tx,
            self.now().plus_seconds(-crate::forms::KEPT_SECONDS),
        )
        .await?;
        tx.commit().await?;
        let mut tx = self.db.background().await?;
        done.answers = forms::drop_answers(&mut tx, ago(ANSWERS_DAYS)).await?;
        access_requests::drop_waiting(&mut tx, ago(REQUESTS_DAYS)).await?;
        tx.commit().await?;
        let mut tx = self.db.background().await?;
        done.reads = reads::drop_until(&mut tx, ago(READS_DAYS)).await?;
        tx.commit().await?;
        let mut tx = self.db.background().await?;
        done.model_answers = model_batches::drop_until(&mut tx, ago(MODEL_DAYS)).await?;
        vectors::drop_until(&mut tx, ago(VECTORS_DAYS)).await?;
        tx.commit().await?;
        let mut tx = self.db.background().await?;
        done.policy_answers =
            policy_outcomes::drop_until(&mut tx, ago(POLICY_DAYS), ago(SHADOW_DAYS)).await?;
        tx.commit().await?;
        Ok(done)
    }
}
