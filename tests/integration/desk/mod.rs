//! The desk: what a change needs, new revisions, and several people at one queue.

mod collaboration;
mod needs;
mod revisions;

use domain::risk::RiskLevel;
use service::{ChangeView, Decision, Verdict};

use crate::world::World;

/// A decision on a change as it is shown.
fn decision(view: &ChangeView, verdict: Verdict) -> Decision {
    let c = &view.change;
    Decision {
        change: c.id,
        revision: c.revision,
        digest: c.digest.clone(),
        verdict,
        note: String::new(),
    }
}

/// A dream's change of high risk: two notes that say the same, written by a person.
async fn risky(world: &World) -> ChangeView {
    world
        .remember(&[("/a.md", "Same.", true), ("/b.md", "Same.", true)])
        .await;
    let changeset = world.dream().await.expect("a merge");
    let change = world.changes(changeset).await.remove(0);
    assert_eq!(change.change.risk_level, RiskLevel::High);
    change
}

async fn again(world: &World, view: &ChangeView) -> ChangeView {
    let all = world.changes(view.change.changeset_id).await;
    all.into_iter()
        .find(|c| c.change.id == view.change.id)
        .unwrap()
}
