//! Exports of the trail: all of it or a period, in a form that verifies by itself, a page of lines
//! at a time.

use std::collections::VecDeque;

use audit::{
    Checkpoint, Verifier,
    export::{ExportedEntry, Line},
};
use domain::{Timestamp, actor::Actor, audit_action::AuditAction, rights::Action};
use serde_json::json;
use store::{Tx, audit_log, checkpoints};

use super::checkpoint;
use crate::{Error, Lucid, Result, require_in_general};

/// Entries that are read at once.
const PAGE: i64 = 1_000;

/// Which entries are exported: those from a time on, and before another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExportPeriod {
    /// From this time on; none: from the first.
    pub since: Option<Timestamp>,
    /// Before this time; none: up to the last.
    pub until: Option<Timestamp>,
}

/// An export that is being read: one snapshot of the trail.
pub struct Export {
    tx: Tx,
    /// How far it has come.
    after: i64,
    last: i64,
    hash: [u8; 32],
    signed: Option<Checkpoint>,
    checkpoints: VecDeque<Checkpoint>,
    window: Option<Line>,
    ended: bool,
}

impl Lucid {
    /// Begins an export, which is an entry itself, and the last one of an export of all. A period's
    /// end is signed anew.
    #[tracing::instrument(skip_all)]
    pub async fn export_audit(&self, actor: &Actor, period: ExportPeriod) -> Result<Export> {
        require_in_general(actor, Action::ExportAudit)?;
        let time = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
        let payload = json!({"since": time(period.since), "until": time(period.until)});
        self.record_about_the_trail(
            actor,
            AuditAction::AuditExport,
            Action::ExportAudit,
            &payload,
        )
        .await?;
        let mut tx = self.db.read().await?;
        let head = audit_log::head(&mut tx).await?;
        let after = match period.since {
            Some(since) => audit_log::last_before(&mut tx, since).await?,
            None => 0,
        };
        let last = match period.until {
            Some(until) => audit_log::last_before(&mut tx, until).await?.max(after),
            None => head.seq,
        };
        let hash = if last == head.seq {
            head.hash()
        } else {
            audit_log::hash_of(&mut tx, last).await?
        };
        let signed = match self.signing_key.as_deref() {
            Some(key) if last != head.seq && last > 0 => {
                leads_to(&mut tx, (last, hash), &head).await?;
                Some(Checkpoint::sign_head(key, last, self.now().0, hash))
            }
            _ if last == head.seq => head.signed(),
            _ => None,
        };
        let window = if after > 0 {
            Some(Line::Window {
                after,
                hash: hex::encode(audit_log::hash_of(&mut tx, after).await?),
            })
        } else {
            None
        };
        let signed_before = checkpoints::all(&mut tx).await?;
        let checkpoints = signed_before
            .iter()
            .map(checkpoint)
            .filter(|c| c.size > after && c.size <= last)
            .collect();
        Ok(Export {
            tx,
            after,
            last,
            hash,
            signed,
            checkpoints,
            window,
            ended: false,
        })
    }
}

/// Nothing is signed that does not lead to the signed end: from an entry on, each follows from the
/// one before.
async fn leads_to(
    tx: &mut Tx,
    (from, hash): (i64, [u8; 32]),
    head: &audit_log::Head,
) -> Result<()> {
    let broken = || Error::Store(store::Error::Trail);
    let mut verifier = Verifier::default();
    verifier.begin_after(from, hash).map_err(|_| broken())?;
    let mut after = from;
    while after < head.seq {
        let rows = audit_log::chain(tx, after, PAGE).await?;
        after = rows.last().map(|row| row.seq).ok_or_else(broken)?;
        for row in &rows {
            verifier
                .next(&row.entry(), None, row.rows.as_deref())
                .map_err(|_| broken())?;
        }
    }
    let signed = head.signed().ok_or_else(broken)?;
    signed
        .verify_head(None)
        .and_then(|()| signed.covers(verifier.hash()))
        .map_err(|_| broken())
}

impl Export {
    /// The next lines; none after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<Line>>> {
        let mut lines: Vec<Line> = self.window.take().into_iter().collect();
        let rows = if self.after < self.last {
            audit_log::chain(&mut self.tx, self.after, PAGE).await?
        } else {
            Vec::new()
        };
        for row in rows.iter().filter(|row| row.seq <= self.last) {
            lines.push(Line::Entry(ExportedEntry::new(
                &row.entry(),
                &row.salt,
                row.payload.clone(),
                row.rows.clone(),
            )));
            while let Some(checkpoint) = self.checkpoints.pop_front_if(|c| c.size <= row.seq) {
                lines.push(Line::Checkpoint(checkpoint));
            }
        }
        if let Some(row) = rows.last() {
            self.after = row.seq;
            return Ok(Some(lines));
        }
        if self.ended {
            return Ok(None);
        }
        self.ended = true;
        lines.push(Line::Head {
            seq: self.last,
            hash: hex::encode(self.hash),
            signed: self.signed.take(),
        });
        Ok(Some(lines))
    }
}
