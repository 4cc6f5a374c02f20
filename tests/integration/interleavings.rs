//! Several people at once do everything that can be done to a changeset, in random order. Whatever they do, nothing is committed that
//! lacks what it needs at the moment of its commit, nothing is lost, and everything is in a state that is listed.
//!
//! What is committed is judged by a second reckoning of the rule that is kept simple on purpose: it reads the stored rows and counts.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    actor::{Actor, Role, StoreRole},
    audit_action::AuditAction,
    changeset::{ChangeState, ChangesetState, RejectCode},
    ids::{ChangeId, ChangesetId},
    review::Approvals,
    risk::RiskLevel,
};
use service::{ChangeView, CommitRequest, Decision, Expected, Kind, NewMemory, Verdict};

use crate::{
    support::{
        databases::TestDb,
        soak::{Dice, rounds},
    },
    world::{World, add, failing},
};

/// Steps of one walk; a walk begins with a fresh proposal.
const STEPS: usize = 24;
/// Walks on each engine: in `make test`, and in `make soak`.
const WALKS: (usize, usize) = (40, 10_000);
/// Walks in one world.
const A_WORLD: usize = 100;

/// What the walk remembers of what it saw: decisions and commits name what was shown, which may be long outdated.
struct Walk<'a> {
    world: &'a World,
    people: Vec<Actor>,
    changeset: ChangesetId,
    seen: Vec<ChangeView>,
    writes: usize,
    commits: usize,
}

impl Walk<'_> {
    async fn look(&mut self) {
        self.seen = self.world.changes(self.changeset).await;
    }

    fn decision(view: &ChangeView, verdict: Verdict) -> Decision {
        let c = &view.change;
        Decision { change: c.id, revision: c.revision, digest: c.digest.clone(), verdict, note: String::new() }
    }

    /// One thing that somebody does. It may be refused; it may not fail.
    async fn step(&mut self, dice: &mut Dice) {
        let lucid = &self.world.lucid;
        let actor = self.people[pick(dice, self.people.len())].clone();
        let view = self.seen[pick(dice, self.seen.len())].clone();
        let shown = (view.change.revision, view.change.digest.as_str());
        let done = match dice.below(14) {
            0..=4 => self.world.decide(&actor, &Self::decision(&view, Verdict::Approve)).await.map(drop),
            5 => self.world.decide(&actor, &Self::decision(&view, Verdict::Reject(RejectCode::NotYet))).await.map(drop),
            6 => self.world.decide(&actor, &Self::decision(&view, Verdict::Defer(None))).await.map(drop),
            7 => lucid.take_back(&actor, view.change.id, view.change.revision).await.map(drop),
            8 => {
                let n = dice.below(1_000);
                let texts: Vec<String> = view.edits.iter().filter(|e| e.content.is_some()).map(|_| format!("# Edited {n}\n")).collect();
                lucid.edit_change(&actor, view.change.id, shown, &texts).await.map(drop)
            }
            9 => match view.rebase() {
                Some(rebase) => {
                    let against: Vec<_> = rebase.edits.iter().map(|e| e.version).collect();
                    let texts: Vec<String> =
                        rebase.edits.iter().filter_map(|e| e.merged.as_ref()).map(|m| format!("{}\n", m.text)).collect();
                    lucid.rebase_change(&actor, view.change.id, shown, &against, &texts).await.map(drop)
                }
                None => Ok(()),
            },
            10 | 11 => return self.commit(&actor, dice).await,
            12 => {
                self.writes += 1;
                let path = if dice.below(2) == 0 { "/a.md" } else { "/b.md" };
                let new =
                    NewMemory { path: path.parse().unwrap(), content: format!("Moved {}.\n", self.writes), by_person: dice.below(4) == 0 };
                lucid.write_memories(&Actor::operator(), self.world.store, &[new], "elsewhere").await.map(drop)
            }
            _ => match dice.below(4) {
                0 => lucid.claim(&actor, self.changeset).await,
                // What was undone in another walk would be open there again.
                1 if lucid.undoable(&actor).await.is_ok_and(|all| all.first().is_some_and(|u| u.changeset_id == self.changeset)) => {
                    lucid.undo(&actor).await.map(drop)
                }
                1 => Ok(()),
                2 => {
                    let n = 1 + i64::try_from(dice.below(2)).unwrap();
                    let to = Approvals { low: n, medium: n, high: 2, owners_only: dice.below(8) == 0 };
                    lucid.set_approvals(&self.people[0], self.world.store, to).await.map(drop)
                }
                _ => lucid.withdraw(&actor, self.changeset).await,
            },
        };
        refused_or_done(done);
    }

    /// Somebody commits what they saw as approved, also where it is no longer so, and some of what they only hope is.
    async fn commit(&mut self, actor: &Actor, dice: &mut Dice) {
        let hopes = dice.below(3) == 0;
        let wanted = self.seen.iter().filter(|c| c.change.state == ChangeState::Approved || hopes);
        let expected: Vec<Expected> =
            wanted.map(|c| Expected { change: c.change.id, revision: c.change.revision, digest: c.change.digest.clone() }).collect();
        let before = self.world.changes(self.changeset).await;
        let needed = self.world.lucid.approvals(&self.people[0], self.world.store).await.unwrap();
        let idempotency_key = format!("walk-{}-{}", self.commits, dice.below(1_000_000));
        let request = CommitRequest { changeset: self.changeset, expected: expected.clone(), idempotency_key };
        match self.world.lucid.commit(actor, &request).await {
            Ok(done) => {
                self.commits += 1;
                for named in &expected {
                    let change = before.iter().find(|c| c.change.id == named.change).unwrap();
                    assert_eq!(
                        (change.change.revision, &change.change.digest),
                        (named.revision, &named.digest),
                        "what was shown is what is committed"
                    );
                    assert_eq!(change.change.state, ChangeState::Approved);
                    assert!(!change.change.conflicted, "no base has moved");
                    self.judged(change, needed).await;
                }
                let after = self.world.changes(self.changeset).await;
                assert!(
                    after
                        .iter()
                        .filter(|c| expected.iter().any(|e| e.change == c.change.id))
                        .all(|c| c.change.commit_id == Some(done.commit))
                );
            }
            refused => refused_or_done(refused.map(drop)),
        }
    }

    /// The second reckoning: as many different people, who may decide there and neither proposed nor edited it, have a standing
    /// approval of this very digest; and those of high risk signed it.
    async fn judged(&self, change: &ChangeView, needed: Approvals) {
        let c = &change.change;
        let hands: BTreeSet<String> = self.hands(c.id).await;
        let owner = self.people[0].who.person().unwrap();
        let independent: BTreeSet<_> = change
            .decisions
            .iter()
            .filter(|d| d.verdict == "approve" && d.taken_back_at.is_none() && d.revision == c.revision && d.digest == c.digest)
            .filter(|d| !hands.contains(&d.user_id.to_string()) && (!needed.owners_only || d.user_id == owner))
            .filter(|d| c.risk_level != RiskLevel::High || d.confirmed_at.is_some())
            .map(|d| d.user_id)
            .collect();
        let enough = match c.risk_level {
            RiskLevel::Low => needed.low,
            RiskLevel::Medium => needed.medium,
            RiskLevel::High => needed.high,
        };
        assert!(i64::try_from(independent.len()).unwrap() >= enough, "{} of {enough} for {:?} {c:?}", independent.len(), change.decisions);
    }

    /// Whoever edited or rebased it, by the audit trail: the rows that the gate itself reads are not asked.
    async fn hands(&self, change: ChangeId) -> BTreeSet<String> {
        let mut hands = BTreeSet::new();
        for action in [AuditAction::ChangeEdit, AuditAction::ChangeRebase] {
            let filter = service::AuditFilter { action: Some(action), ..Default::default() };
            let rows = self.world.lucid.audit(&self.people[0], &filter).await.unwrap().rows;
            let of = rows.iter().filter(|r| r.row.subject == change.to_string());
            hands.extend(of.map(|r| r.row.actor.trim_start_matches("person:").to_owned()));
        }
        hands
    }
}

fn pick(dice: &mut Dice, among: usize) -> usize {
    usize::try_from(dice.below(among as u64)).unwrap()
}

/// Refused is fine: stale, forbidden, not possible. Anything else is a fault.
fn refused_or_done(done: service::Result<()>) {
    if let Err(error) = done {
        assert!(matches!(error.kind(), Kind::Conflict | Kind::Permission | Kind::Invalid), "{error}");
    }
}

async fn walk(world: &World, people: &[Actor], seed: u64) -> usize {
    world.lucid.set_approvals(&people[0], world.store, Approvals::default()).await.unwrap();
    let text = format!("Same in walk {seed}.\n");
    world.remember(&[("/a.md", &text, false), ("/b.md", &text, false)]).await;
    let tool = |n: u32| failing(&format!("s{seed}-{n}"), &format!("t{seed}-{n}"), n).replace("book", &format!("book{seed}"));
    world.import(&tool(1)).await;
    world.import(&tool(2)).await;
    let changeset = world.dream().await.expect("a changeset");
    let mut walk = Walk { world, people: people.to_vec(), changeset, seen: Vec::new(), writes: 0, commits: 0 };
    walk.look().await;
    let all: BTreeSet<ChangeId> = walk.seen.iter().map(|c| c.change.id).collect();
    let mut dice = Dice::new(seed + 1);
    let mut final_states: BTreeMap<ChangeId, ChangeState> = BTreeMap::new();
    for _ in 0..STEPS {
        walk.step(&mut dice).await;
        let now = world.lucid.changeset(&people[0], changeset).await.unwrap();
        // Nothing is lost, what has ended stays as it is, and a changeset is open while anything in it is.
        assert_eq!(now.changes.iter().map(|c| c.change.id).collect::<BTreeSet<_>>(), all);
        for change in &now.changes {
            if let Some(before) = final_states.get(&change.change.id) {
                assert_eq!(change.change.state, *before, "what is over stays over");
            }
            if matches!(change.change.state, ChangeState::Committed | ChangeState::Obsolete) {
                final_states.insert(change.change.id, change.change.state);
            }
        }
        let open = now.changes.iter().any(|c| c.change.state.is_open());
        assert_eq!(now.changeset.state, if open { ChangesetState::Open } else { ChangesetState::Closed });
        // Most look again before they go on; some act on what they saw a while ago.
        if dice.below(3) > 0 {
            walk.look().await;
        }
    }
    // What is left is turned down, so that the next walk begins with an empty queue.
    for change in walk.seen.iter().map(|c| c.change.id) {
        let now = async || world.changes(changeset).await.into_iter().find(|c| c.change.id == change).unwrap();
        // One's own vote first, then those of the others.
        while matches!(now().await.change.state, ChangeState::Approved | ChangeState::Deferred) {
            world.lucid.take_back(&people[0], change, now().await.change.revision).await.unwrap();
        }
        if now().await.change.state == ChangeState::Pending {
            world.vote(&people[0], &now().await, Verdict::Reject(RejectCode::Never)).await.unwrap();
        }
    }
    walk.commits
}

/// The walks from one seed to another, in a world of their own: a dream counts over all sessions of its window, and each walk adds some.
async fn walks(world: World, seeds: std::ops::Range<usize>) -> usize {
    let one = add(&world.lucid, "one", Role::Reviewer, vec![(world.store, StoreRole::Reviewer)]).await;
    let two = add(&world.lucid, "two", Role::Reviewer, vec![(world.store, StoreRole::Reviewer)]).await;
    let people = [world.admin.clone(), world.reviewer.clone(), one, two];
    let mut commits = 0;
    for seed in seeds {
        commits += walk(&world, &people, u64::try_from(seed).unwrap()).await;
    }
    world.verified().await;
    commits
}

async fn all_walks(world: impl AsyncFn() -> World) {
    let mut commits = 0;
    let all = rounds(WALKS.0, WALKS.1);
    for from in (0..all).step_by(A_WORLD) {
        commits += Box::pin(walks(world().await, from..all.min(from + A_WORLD))).await;
        println!("{} walks of {STEPS} steps, {commits} commits", all.min(from + A_WORLD));
    }
    assert!(commits > 10, "only {commits} commits went through: the walks prove little");
}

#[tokio::test]
async fn on_sqlite() {
    all_walks(async || World::on(TestDb::sqlite()).await).await;
}

#[tokio::test]
async fn on_postgres() {
    all_walks(async || World::on(TestDb::postgres().await).await).await;
}
