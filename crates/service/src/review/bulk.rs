//! Many decisions at once: each is one of its own, with its own audit entry, and each says by itself whether it went through.

use std::collections::BTreeSet;

use domain::{actor::Actor, ids::ChangeId, review::BULK, risk::RiskLevel};
use store::comments;

use super::Decision;
use crate::{Error, Lucid, Result};

/// What came of one decision among many.
#[derive(Debug)]
pub struct BulkResult {
    /// The change.
    pub change: ChangeId,
    /// Its title, if it is known.
    pub title: String,
    /// Why it was not done; nothing if it was.
    pub refused: Option<Error>,
}

impl Lucid {
    /// Casts up to 200 votes, one after the other. A change of high risk is decided only by whoever has had this revision of it
    /// before their eyes.
    pub async fn decide_many(&self, actor: &Actor, decisions: &[Decision]) -> Result<Vec<BulkResult>> {
        if decisions.is_empty() || decisions.len() > BULK {
            return Err(Error::Invalid(format!("choose 1 to {BULK} changes; {} were chosen", decisions.len())));
        }
        let mut seen = BTreeSet::new();
        let mut results = Vec::new();
        for decision in decisions.iter().filter(|d| seen.insert(d.change)) {
            let (title, refused) = match self.one_of_many(actor, decision).await {
                Ok(title) => (title, None),
                // A database that is gone refuses the rest as well; what was done is done, and says so.
                Err((title, error)) => (title, Some(error)),
            };
            results.push(BulkResult { change: decision.change, title, refused });
        }
        Ok(results)
    }

    async fn one_of_many(&self, actor: &Actor, decision: &Decision) -> std::result::Result<String, (String, Error)> {
        let unnamed = |e: Error| (String::new(), e);
        let (mut tx, actor) = self.begin(actor).await.map_err(unnamed)?;
        let opened = self.open(&mut tx, &actor, decision.change).await.map_err(unnamed)?;
        let title = opened.change.title.clone();
        let named = |e: Error| (title.clone(), e);
        let (change, user) = (&opened.change, opened.user);
        if change.risk_level == RiskLevel::High {
            let seen = comments::is_opened(&mut tx, change.id, change.revision, user).await.map_err(|e| named(e.into()))?;
            if !seen {
                return Err(named(Error::Conflict("it is of high risk: open it, look at it, then decide".to_owned())));
            }
        }
        self.cast(&mut tx, &actor, &opened, decision).await.map_err(named)?;
        tx.commit().await.map_err(|e| (title.clone(), e.into()))?;
        Ok(title)
    }
}
