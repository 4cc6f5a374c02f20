//! What a dream means for what waits and for what was committed: new evidence is appended, numbers
//! are counted anew, what no longer holds becomes obsolete. None of it makes a revision or touches
//! a decision.

use std::collections::BTreeSet;

use domain::ids::{ChangeId, ChangesetId, EvidenceId};
use dream::{Disposition, Finding, Proposal, Support};
use serde_json::json;
use store::{
    Tx,
    changes::{self, Counted, KnownRow},
    evidence, memories,
};

use crate::{
    Lucid, Result,
    dream_proposals::{Loaded, checked},
};

/// Quotes that a change may have altogether, appendix included.
const MOST_QUOTES: i64 = 20;
/// Kinds of findings that every dream looks for, so that one which is not found no longer holds.
const ALWAYS_LOOKED_FOR: &[&str] = &[
    "recurring_failure",
    "workflow",
    "standing_instruction",
    "fact_changed",
    "exact_duplicate",
    "near_duplicate",
    "restructure",
    "stale",
    "expired",
];

/// The finding of a proposal that is known by this.
fn finding_of<'a>(fingerprint: &str, proposal: &'a Proposal) -> Option<&'a Finding> {
    proposal
        .findings
        .iter()
        .find(|f| f.is_known_by(fingerprint))
}

/// Waiting changes of dreams whose findings no longer hold. What a person has worded since is
/// theirs, and stays. Without the meanings of what people say a rule is not found that was found by
/// them; that does not speak against it.
pub fn no_longer_found(
    known: &[KnownRow],
    proposal: &Proposal,
    by_meaning: bool,
) -> Vec<(ChangeId, ChangesetId)> {
    let gone = |k: &&KnownRow| {
        if !by_meaning && k.finding == "standing_instruction" {
            return false;
        }
        let looked_for = k.dream_id.is_some() && ALWAYS_LOOKED_FOR.contains(&k.finding.as_str());
        let holds = finding_of(&k.fingerprint, proposal)
            .is_some_and(|f| matches!(f.disposition, Disposition::Waits | Disposition::Proposed));
        k.state.is_open() && !k.conflicted && looked_for && k.revision == 1 && !holds
    };
    known
        .iter()
        .filter(gone)
        .map(|k| (k.id, k.changeset_id))
        .collect()
}

impl Lucid {
    /// Gives waiting changes the quotes that the dream found beside those that they have, and
    /// counts anew what backs them. Returns how many quotes were added.
    pub(crate) async fn append_evidence(
        &self,
        tx: &mut Tx,
        known: &[KnownRow],
        loaded: &Loaded,
        proposal: &Proposal,
    ) -> Result<usize> {
        let mut appended = 0;
        for waiting in known.iter().filter(|k| k.state.is_open() && !k.conflicted) {
            let Some(finding) = finding_of(&waiting.fingerprint, proposal)
                .filter(|f| f.disposition == Disposition::Waits)
            else {
                continue;
            };
            let counted = counted(&finding.support);
            if counted.sessions <= waiting.support_sessions {
                continue;
            }
            changes::recount(tx, waiting.id, counted).await?;
            let there = evidence::of_change(tx, waiting.id).await?;
            let known: BTreeSet<_> = there
                .iter()
                .map(|(event, start, _)| (*event, *start))
                .collect();
            let mut position = i64::try_from(there.len()).unwrap_or(i64::MAX);
            for quote in finding.change.iter().flat_map(|c| &c.quotes) {
                let Some(quote) = checked(tx, quote, loaded).await? else {
                    continue;
                };
                let start = i64::try_from(quote.start).unwrap_or(i64::MAX);
                if position < MOST_QUOTES && !known.contains(&(quote.event_id, start)) {
                    evidence::insert(
                        tx,
                        self.id(EvidenceId::new),
                        (waiting.id, position),
                        &quote,
                        true,
                    )
                    .await?;
                    position += 1;
                    appended += 1;
                }
            }
        }
        Ok(appended)
    }
}

fn counted(support: &Support) -> Counted {
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Counted {
        sessions: count(support.sessions),
        subjects: count(support.subjects),
        tasks: count(support.tasks),
        occurrences: count(support.occurrences),
        eligible: count(support.eligible),
    }
}

/// Writes beside each memory that a dream once proposed what backs it now.
pub async fn refresh_support(tx: &mut Tx, loaded: &Loaded, proposal: &Proposal) -> Result<()> {
    for known in &loaded.input.known {
        let Some(memory) = known.memory else { continue };
        let Some(finding) =
            finding_of(&known.fingerprint, proposal).filter(|f| f.support.sessions > 0)
        else {
            continue;
        };
        let last = finding
            .change
            .iter()
            .flat_map(|c| &c.quotes)
            .filter_map(|q| loaded.input.sessions[q.session].head.at)
            .max();
        let support = json!({"distinct": finding.support.distinct(), "counts": finding.support, "eligible": finding.support.eligible, "last_quoted_at": last});
        memories::refresh_support(tx, loaded.memories[memory].id, &support.to_string()).await?;
    }
    Ok(())
}
