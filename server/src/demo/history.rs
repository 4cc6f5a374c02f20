//! What happened in the demo before its visitor came: for a month, dreams merged notes, a reviewer
//! decided, and a policy in shadow said what it would have done.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use domain::{
    Timestamp,
    actor::Actor,
    changeset::{ChangeState, RejectCode},
    ids::{ChangesetId, StoreId},
    policy::{PRESETS, VersionState},
};
use service::{ChangeView, CommitRequest, Decision, Expected, Lucid, NewMemory, Verdict};

use crate::{Failure, commands};

/// How many days ago the policy went into shadow.
const POLICY_DAYS: i64 = 30;

/// Two notes with their paths, and whether the reviewer lets them become one.
struct Pair(&'static str, &'static str, &'static str, bool);

/// The nights: how many days ago, and the notes that agents had written twice by then.
const NIGHTS: &[(i64, &[Pair])] = &[
    (
        29,
        &[
            Pair(
                "/howto/exports.md",
                "/notes/2026-07/exports.md",
                "# Exports\n\n- Ask for the month before you export a report.\n",
                true,
            ),
            Pair(
                "/howto/uploads.md",
                "/notes/2026-07/uploads.md",
                "# Uploads\n\n- Compress pictures to two megabytes before the upload.\n",
                true,
            ),
        ],
    ),
    (
        26,
        &[
            Pair(
                "/regions/north.md",
                "/regions/south.md",
                "# Shifts\n\n- The desk is staffed from eight to six.\n",
                false,
            ),
            Pair(
                "/howto/search.md",
                "/notes/2026-08/search.md",
                "# Search\n\n- Search the archive by month first, then by word.\n",
                true,
            ),
        ],
    ),
    (
        23,
        &[
            Pair(
                "/howto/reports.md",
                "/notes/2026-08/reports.md",
                "# Reports\n\n- Put the summary on the first page of a report.\n",
                true,
            ),
            Pair(
                "/howto/threads.md",
                "/notes/2026-08/threads.md",
                "# Threads\n\n- Answer in the thread in which the question was asked.\n",
                true,
            ),
        ],
    ),
];

/// A Lucid whose clock stood at that many days before now, and goes on by a microsecond at each
/// look.
pub fn days_ago(lucid: &Lucid, days: i64) -> Lucid {
    let then = AtomicI64::new(lucid.now().plus_seconds(-days * 86_400).0);
    lucid.clone().with_clock(Arc::new(move || {
        Timestamp(then.fetch_add(1, Ordering::Relaxed))
    }))
}

/// Writes a month of history into the demo's store.
pub async fn fill(
    lucid: &Lucid,
    store: StoreId,
    admin: &Actor,
    reviewer: &Actor,
) -> Result<(), Failure> {
    let operator = Actor::operator();
    let then = days_ago(lucid, POLICY_DAYS);
    let policy = then
        .create_policy(admin, &PRESETS[0].file(&[store]), None)
        .await?;
    then.move_policy_on(admin, policy, 1, VersionState::Shadow)
        .await?;
    for (days, pairs) in NIGHTS {
        let then = days_ago(lucid, *days);
        let note = |path: &str, content: &str| {
            let path = path
                .parse()
                .map_err(|e| Failure::Said(format!("{path}: {e}")))?;
            Ok::<_, Failure>(NewMemory {
                path,
                content: content.to_owned(),
                by_person: false,
            })
        };
        let mut notes = Vec::new();
        for Pair(one, other, content, _) in *pairs {
            notes.extend([note(one, content)?, note(other, content)?]);
        }
        then.write_memories(&operator, store, &notes, "Notes of the agents")
            .await?;
        let dream = then.request_dream(admin, store, None).await?;
        let Some(changeset) = commands::dream::wait(&then, &operator, dream)
            .await?
            .changeset_id
        else {
            continue;
        };
        while then.ask_policies().await? {}
        decide(&days_ago(lucid, days - 1), reviewer, changeset, pairs).await?;
    }
    Ok(())
}

/// The reviewer decides on a night's changes on the day after.
async fn decide(
    lucid: &Lucid,
    reviewer: &Actor,
    changeset: ChangesetId,
    pairs: &[Pair],
) -> Result<(), Failure> {
    let approves = |change: &ChangeView| {
        let touches = |pair: &&Pair| {
            change
                .edits
                .iter()
                .any(|e| [pair.0, pair.1].contains(&e.path.as_str()))
        };
        pairs.iter().find(touches).is_none_or(|pair| pair.3)
    };
    for change in lucid.changeset(reviewer, changeset).await?.changes {
        let verdict = if approves(&change) {
            Verdict::Approve
        } else {
            Verdict::Reject(RejectCode::Never)
        };
        let note = if approves(&change) {
            ""
        } else {
            "Each region keeps its own note."
        };
        let c = &change.change;
        let decision = Decision {
            change: c.id,
            revision: c.revision,
            digest: c.digest.clone(),
            verdict,
            note: note.to_owned(),
        };
        lucid.decide(reviewer, &decision).await?;
    }
    let approved = lucid
        .changeset(reviewer, changeset)
        .await?
        .changes
        .into_iter()
        .filter(|c| c.change.state == ChangeState::Approved);
    let expected = approved
        .map(|c| Expected {
            change: c.change.id,
            revision: c.change.revision,
            digest: c.change.digest,
        })
        .collect();
    let request = CommitRequest {
        changeset,
        expected,
        idempotency_key: format!("demo-{changeset}"),
    };
    lucid.commit(reviewer, &request).await?;
    Ok(())
}
