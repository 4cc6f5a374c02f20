//! Several people, an agent and the operator do at once everything that can be done to a changeset,
//! each as a task of its own, with what they saw and the rights they had a moment ago. Whatever
//! they do, nothing is committed that lacks what it needs at that moment, nothing is lost, and
//! everything is in a state that is listed.
//!
//! What was committed is judged by a second reckoning of the rule that is kept simple on purpose:
//! it replays the audit trail, which has everything in the order in which it took effect, and asks
//! none of the tables that the gate reads.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use audit::export::{ExportedEntry, Line};
use domain::{
    actor::{Actor, Grant, Role, StoreRole},
    audit_action::AuditAction,
    changeset::{ChangeState, ChangesetState, RejectCode},
    ids::{ChangeId, ChangesetId, UserId},
    review::Approvals,
    risk::RiskLevel,
};
use serde_json::Value;
use service::{ChangeView, CommitRequest, Expected, Grantee, Kind, NewMemory, Verdict};
use tokio::task::JoinSet;

use crate::{
    support::{
        databases::TestDb,
        soak::{Dice, rounds},
    },
    world::{World, actor, add, failing, open_changesets, sign_in},
};

/// Steps of each task in one walk; a walk begins with a fresh proposal.
const STEPS: usize = 12;
/// Walks on each engine: in `make test`, and in `make soak`.
const WALKS: (usize, usize) = (30, 10_000);
/// Walks in one world.
const A_WORLD: usize = 50;

/// What went through, by what it was, to be held against the trail.
type Done = Arc<Mutex<BTreeMap<AuditAction, usize>>>;

/// Somebody who reviews in a walk: decisions and commits name what they saw, which may be long
/// outdated, and act with the rights that they had when they signed in.
struct Person {
    world: Arc<World>,
    id: UserId,
    actor: Actor,
    changeset: ChangesetId,
    seen: Vec<ChangeView>,
    dice: Dice,
    done: Done,
}

impl Person {
    /// The time between the head of a request and its last byte.
    async fn slow_body(&mut self) {
        match self.dice.below(4) {
            0 => tokio::time::sleep(Duration::from_millis(self.dice.below(6))).await,
            1 => tokio::task::yield_now().await,
            _ => {}
        }
    }

    async fn walk(mut self) {
        for _ in 0..STEPS {
            // Most look again before they go on; some act on what they saw a while ago.
            if self.seen.is_empty() || self.dice.below(3) > 0 {
                self.seen = self.world.changes(self.changeset).await;
            }
            self.slow_body().await;
            if let Err(error) = self.step().await {
                let refused = [
                    Kind::Conflict,
                    Kind::Permission,
                    Kind::Invalid,
                    Kind::Authentication,
                    Kind::NotFound,
                ];
                assert!(
                    refused.contains(&error.kind()),
                    "refused is fine, failed is not: {error:?}"
                );
                // A new sign-in, if the account stands.
                if error.kind() == Kind::Authentication
                    && let Some(actor) = sign_in(&self.world.lucid, self.id).await
                {
                    self.actor = actor;
                }
            }
        }
    }

    fn count(&self, action: AuditAction) {
        *self.done.lock().unwrap().entry(action).or_default() += 1;
    }

    /// One thing that somebody does. It may be refused; it may not fail.
    async fn step(&mut self) -> service::Result<()> {
        let at = usize::try_from(self.dice.below(self.seen.len() as u64)).unwrap();
        let view = self.seen[at].clone();
        let shown = (view.change.revision, view.change.digest.as_str());
        let (world, actor) = (self.world.clone(), self.actor.clone());
        let lucid = &world.lucid;
        match self.dice.below(14) {
            0..=4 => self.decide(&view, Verdict::Approve).await,
            5 => {
                self.decide(&view, Verdict::Reject(RejectCode::NotYet))
                    .await
            }
            6 => self.decide(&view, Verdict::Defer(None)).await,
            7 => {
                lucid
                    .take_back(&actor, view.change.id, view.change.revision)
                    .await?;
                self.count(AuditAction::ChangeTakeBack);
                Ok(())
            }
            8 => {
                let n = self.dice.below(1_000);
                let texts: Vec<String> = view
                    .edits
                    .iter()
                    .filter(|e| e.content.is_some())
                    .map(|_| format!("# Edited {n}\n"))
                    .collect();
                lucid
                    .edit_change(&actor, view.change.id, shown, &texts)
                    .await?;
                self.count(AuditAction::ChangeEdit);
                Ok(())
            }
            9 => {
                let Some(rebase) = view.rebase() else {
                    return Ok(());
                };
                let against: Vec<_> = rebase.edits.iter().map(|e| e.version).collect();
                let texts: Vec<String> = rebase
                    .edits
                    .iter()
                    .filter_map(|e| e.merged.as_ref())
                    .map(|m| format!("{}\n", crate::world::keep_both(&m.text)))
                    .collect();
                lucid
                    .rebase_change(&actor, view.change.id, shown, &against, &texts)
                    .await?;
                self.count(AuditAction::ChangeRebase);
                Ok(())
            }
            10..=12 => self.commit().await,
            _ => match self.dice.below(4) {
                0 => lucid.claim(&actor, self.changeset).await,
                1 => {
                    lucid.undo(&actor).await?;
                    self.count(AuditAction::ChangeTakeBack);
                    Ok(())
                }
                2 => lucid.release(&actor, self.changeset).await,
                _ => lucid.withdraw(&actor, self.changeset).await,
            },
        }
    }

    async fn decide(&self, view: &ChangeView, verdict: Verdict) -> service::Result<()> {
        self.world.vote(&self.actor, view, verdict).await?;
        self.count(AuditAction::ChangeDecide);
        Ok(())
    }

    /// Commits what was seen as approved, also where it is no longer so, and sometimes what one
    /// only hopes is.
    async fn commit(&mut self) -> service::Result<()> {
        let hopes = self.dice.below(3) == 0;
        let wanted = self
            .seen
            .iter()
            .filter(|c| c.change.state == ChangeState::Approved || hopes);
        let expected: Vec<Expected> = wanted
            .map(|c| Expected {
                change: c.change.id,
                revision: c.change.revision,
                digest: c.change.digest.clone(),
            })
            .collect();
        let idempotency_key = format!("walk-{}-{}", self.id, self.dice.below(1_000_000_000));
        let request = CommitRequest {
            changeset: self.changeset,
            expected,
            idempotency_key,
        };
        self.world.lucid.commit(&self.actor, &request).await?;
        self.count(AuditAction::ChangesetCommit);
        Ok(())
    }
}

/// Takes rights from people and gives them back, and changes how many approvals are asked for.
async fn changes_rights(world: Arc<World>, people: Vec<UserId>, mut dice: Dice) {
    let (lucid, operator, store) = (&world.lucid, Actor::operator(), world.store);
    let reviewer = Grant::whole(store, StoreRole::Reviewer);
    for _ in 0..STEPS / 2 {
        let who = people[1 + usize::try_from(dice.below(people.len() as u64 - 1)).unwrap()];
        let pause = Duration::from_millis(dice.below(8));
        match dice.below(4) {
            0 => {
                lucid.set_disabled(&operator, who, true).await.unwrap();
                tokio::time::sleep(pause).await;
                lucid.set_disabled(&operator, who, false).await.unwrap();
            }
            1 => {
                lucid
                    .revoke(&operator, Grantee::Person(who), &reviewer)
                    .await
                    .unwrap();
                tokio::time::sleep(pause).await;
                lucid
                    .grant(&operator, Grantee::Person(who), &reviewer)
                    .await
                    .unwrap();
            }
            2 => {
                lucid.set_role(&operator, who, Role::Member).await.unwrap();
                tokio::time::sleep(pause).await;
                lucid
                    .set_role(&operator, who, Role::Reviewer)
                    .await
                    .unwrap();
            }
            _ => {
                let n = 1 + i64::try_from(dice.below(2)).unwrap();
                let to = Approvals {
                    low: n,
                    medium: n,
                    high: 2,
                    owners_only: dice.below(8) == 0,
                };
                lucid.set_approvals(&operator, store, to).await.unwrap();
                tokio::time::sleep(pause).await;
            }
        }
    }
    lucid
        .set_approvals(&operator, store, Approvals::default())
        .await
        .unwrap();
}

/// Writes to the memories that the changes are about; how many writes went through.
async fn writes(world: Arc<World>, mut dice: Dice, writes: Arc<AtomicUsize>) {
    for n in 0..STEPS / 3 {
        tokio::time::sleep(Duration::from_millis(dice.below(6))).await;
        let path = ["/a.md", "/b.md"][usize::try_from(dice.below(2)).unwrap()];
        let content = format!("Moved {n}, {}.\n", dice.below(1_000_000));
        let new = NewMemory {
            path: path.parse().unwrap(),
            content,
            by_person: dice.below(4) == 0,
        };
        world
            .lucid
            .write_memories(&Actor::operator(), world.store, &[new], "elsewhere")
            .await
            .unwrap();
        writes.fetch_add(1, Ordering::Relaxed);
    }
}

/// One walk from a fresh proposal until every task is done.
async fn walk(world: &Arc<World>, people: &[UserId], seed: u64, done: &Done) {
    let text = format!("Same in walk {seed}.\n");
    world
        .remember(&[("/a.md", &text, false), ("/b.md", &text, false)])
        .await;
    let tool = |n: u32| {
        failing(&format!("s{seed}-{n}"), &format!("t{seed}-{n}"), n)
            .replace("book", &format!("book{seed}"))
    };
    world.import(&tool(1)).await;
    world.import(&tool(2)).await;
    let changeset = world.dream().await.expect("a changeset");
    let all: BTreeSet<ChangeId> = world
        .changes(changeset)
        .await
        .iter()
        .map(|c| c.change.id)
        .collect();
    let before = world
        .lucid
        .store(&world.admin, world.store)
        .await
        .unwrap()
        .revision;
    let commits = |done: &Done| {
        done.lock()
            .unwrap()
            .get(&AuditAction::ChangesetCommit)
            .copied()
            .unwrap_or_default()
    };
    let (committed, written) = (commits(done), Arc::new(AtomicUsize::new(0)));
    let mut tasks = JoinSet::new();
    for (n, &id) in people.iter().enumerate() {
        let actor = actor(&world.lucid, id).await;
        let dice = Dice::new(seed * 100 + n as u64 + 1);
        let person = Person {
            world: world.clone(),
            id,
            actor,
            changeset,
            seen: Vec::new(),
            dice,
            done: done.clone(),
        };
        tasks.spawn(person.walk());
    }
    tasks.spawn(changes_rights(
        world.clone(),
        people.to_vec(),
        Dice::new(seed * 100 + 50),
    ));
    tasks.spawn(writes(
        world.clone(),
        Dice::new(seed * 100 + 60),
        written.clone(),
    ));
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    // Nothing is lost: every change is there, every write is a commit, and a changeset is open
    // while anything in it is.
    let now = world
        .lucid
        .changeset(&world.admin, changeset)
        .await
        .unwrap();
    assert_eq!(
        now.changes
            .iter()
            .map(|c| c.change.id)
            .collect::<BTreeSet<_>>(),
        all
    );
    let open = now.changes.iter().any(|c| c.change.state.is_open());
    assert_eq!(
        now.changeset.state,
        if open {
            ChangesetState::Open
        } else {
            ChangesetState::Closed
        }
    );
    let after = world
        .lucid
        .store(&world.admin, world.store)
        .await
        .unwrap()
        .revision;
    let wrote = commits(done) - committed + written.load(Ordering::Relaxed);
    assert_eq!(
        usize::try_from(after - before).unwrap(),
        wrote,
        "each write is one commit"
    );
    world.conflicts_agree().await;
    turn_down_the_rest(world, people[0], done).await;
}

/// What is still open is rejected, so that the next walk begins with an empty queue.
async fn turn_down_the_rest(world: &World, admin: UserId, done: &Done) {
    let admin = actor(&world.lucid, admin).await;
    let count = |action| *done.lock().unwrap().entry(action).or_default() += 1;
    for changeset in open_changesets(&world.lucid, &admin).await {
        for change in world.changes(changeset).await.iter().map(|c| c.change.id) {
            let now = async || {
                world
                    .changes(changeset)
                    .await
                    .into_iter()
                    .find(|c| c.change.id == change)
                    .unwrap()
            };
            // One's own vote first, then those of the others.
            while matches!(
                now().await.change.state,
                ChangeState::Approved | ChangeState::Deferred
            ) {
                world
                    .lucid
                    .take_back(&admin, change, now().await.change.revision)
                    .await
                    .unwrap();
                count(AuditAction::ChangeTakeBack);
            }
            if now().await.change.state == ChangeState::Pending {
                world
                    .vote(&admin, &now().await, Verdict::Reject(RejectCode::Never))
                    .await
                    .unwrap();
                count(AuditAction::ChangeDecide);
            }
        }
    }
}

/// A standing approval: revision, digest, and whether it was signed.
type Approval = (i64, String, bool);

/// Who may do what, and what was done to each change, up to one entry of the trail.
#[derive(Default)]
struct Replay {
    roles: BTreeMap<String, String>,
    disabled: BTreeSet<String>,
    grants: BTreeMap<String, String>,
    needed: Approvals,
    contributors: BTreeMap<String, BTreeSet<String>>,
    approvals: BTreeMap<String, BTreeMap<String, Approval>>,
    committed: BTreeSet<String>,
    counts: BTreeMap<String, usize>,
}

impl Replay {
    fn entry(&mut self, entry: &ExportedEntry, risks: &BTreeMap<String, RiskLevel>) {
        let payload: Value =
            serde_json::from_str(entry.payload.as_deref().unwrap_or("{}")).unwrap();
        let text = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
        let who = entry.actor.trim_start_matches("person:").to_owned();
        let subject = entry.subject.clone();
        *self.counts.entry(entry.action.clone()).or_default() += 1;
        match entry.action.parse::<AuditAction>().unwrap() {
            AuditAction::UserRole => drop(self.roles.insert(subject, text("to"))),
            AuditAction::UserDisable => drop(self.disabled.insert(subject)),
            AuditAction::UserEnable => drop(self.disabled.remove(&subject)),
            AuditAction::GrantGive => drop(self.grants.insert(subject, text("role"))),
            AuditAction::GrantRevoke => drop(self.grants.remove(&subject)),
            AuditAction::StoreApprovals => {
                self.needed = serde_json::from_value(payload["to"].clone()).unwrap();
            }
            AuditAction::ChangeEdit | AuditAction::ChangeRebase => {
                self.untouched(&subject, entry);
                self.contributors.entry(subject).or_default().insert(who);
            }
            AuditAction::ChangeDecide => {
                self.untouched(&subject, entry);
                let votes = self.approvals.entry(subject).or_default();
                votes.remove(&who);
                if text("verdict") == "approve" {
                    votes.insert(
                        who,
                        (
                            payload["revision"].as_i64().unwrap(),
                            text("digest"),
                            !payload["confirmed_at"].is_null(),
                        ),
                    );
                }
            }
            AuditAction::ChangeTakeBack => {
                self.untouched(&subject, entry);
                let votes = self.approvals.entry(subject).or_default();
                if payload["overrides"] == true {
                    votes.clear();
                } else {
                    drop(votes.remove(&who));
                }
            }
            AuditAction::ChangesetCommit => {
                for change in payload["changes"].as_array().unwrap() {
                    let id = change["change"].as_str().unwrap();
                    assert!(
                        self.committed.insert(id.to_owned()),
                        "{id} was committed twice"
                    );
                    let shown = (
                        change["revision"].as_i64().unwrap(),
                        change["digest"].as_str().unwrap(),
                    );
                    self.judge(id, shown, risks[id], entry);
                }
            }
            _ => {}
        }
    }

    fn untouched(&self, change: &str, entry: &ExportedEntry) {
        assert!(
            !self.committed.contains(change),
            "what is over stays over: {entry:?}"
        );
    }

    /// The change has as many approvals of this revision and digest as its risk requires, each by
    /// another person who may decide there now and did not contribute. Approvals of high risk are
    /// signed.
    fn judge(&self, change: &str, shown: (i64, &str), risk: RiskLevel, entry: &ExportedEntry) {
        let role = |user: &String| self.roles.get(user).map_or("", String::as_str);
        let grant = |user: &String| self.grants.get(user).map_or("", String::as_str);
        let decides = |user: &String| {
            !self.disabled.contains(user)
                && matches!(role(user), "admin" | "reviewer")
                && (grant(user) == "owner"
                    || (grant(user) == "reviewer" && !self.needed.owners_only))
        };
        let shaped = self.contributors.get(change).cloned().unwrap_or_default();
        let votes = self.approvals.get(change).cloned().unwrap_or_default();
        let counts = votes.iter().filter(|(user, (revision, digest, signed))| {
            (*revision, digest.as_str()) == shown
                && decides(user)
                && !shaped.contains(*user)
                && (*signed || risk != RiskLevel::High)
        });
        let needed = match risk {
            RiskLevel::Low => self.needed.low,
            RiskLevel::Medium => self.needed.medium,
            RiskLevel::High => self.needed.high,
        };
        let counted = counts.count();
        assert!(
            i64::try_from(counted).unwrap() >= needed,
            "{counted} of {needed} approvals for {change} at {}: {votes:?}",
            entry.seq
        );
    }
}

/// Replays the trail, and holds what went through against it.
async fn judged(world: &World, done: &Done, changesets: &[ChangesetId]) -> usize {
    let mut risks = BTreeMap::new();
    for id in changesets {
        for change in world.changes(*id).await {
            risks.insert(change.change.id.to_string(), change.change.risk_level);
        }
    }
    let mut replay = Replay {
        needed: Approvals::default(),
        ..Replay::default()
    };
    let mut entries = Vec::new();
    let mut export = world
        .lucid
        .export_audit(&Actor::operator(), service::ExportPeriod::default())
        .await
        .unwrap();
    while let Some(lines) = export.next().await.unwrap() {
        entries.extend(lines.into_iter().filter_map(|line| {
            if let Line::Entry(entry) = line {
                Some(entry)
            } else {
                None
            }
        }));
    }
    for entry in &entries {
        // Whom the world began with: an account's first role is in the entry that made it.
        if entry.action == AuditAction::UserAdd.to_string() {
            let payload: Value = serde_json::from_str(entry.payload.as_deref().unwrap()).unwrap();
            replay.roles.insert(
                entry.subject.clone(),
                payload["role"].as_str().unwrap().to_owned(),
            );
            for grant in payload["grants"].as_array().into_iter().flatten() {
                replay.grants.insert(
                    entry.subject.clone(),
                    grant["role"].as_str().unwrap().to_owned(),
                );
            }
        }
        replay.entry(entry, &risks);
    }
    for (action, count) in done.lock().unwrap().iter() {
        assert_eq!(
            replay
                .counts
                .get(action.as_str())
                .copied()
                .unwrap_or_default(),
            *count,
            "{action}: each that went through is an entry"
        );
    }
    world.verified().await;
    replay.committed.len()
}

/// The walks from one seed to another, in a world of their own: a dream counts over all sessions of
/// its window, and each walk adds some.
async fn walks(world: World, seeds: std::ops::Range<usize>) -> usize {
    let world = Arc::new(world);
    let mut people = vec![
        world.admin.who.person().unwrap(),
        world.reviewer.who.person().unwrap(),
    ];
    for name in ["one", "two"] {
        people.push(
            add(
                &world.lucid,
                name,
                Role::Reviewer,
                vec![(world.store, StoreRole::Reviewer)],
            )
            .await
            .who
            .person()
            .unwrap(),
        );
    }
    let done = Done::default();
    for seed in seeds {
        walk(&world, &people, u64::try_from(seed).unwrap(), &done).await;
    }
    let mut changesets = Vec::new();
    let mut before = None;
    loop {
        let page = world
            .lucid
            .done(&world.admin, &service::QueueFilter::default(), before)
            .await
            .unwrap();
        changesets.extend(page.rows.iter().map(|r| r.changeset.id));
        before = changesets.last().copied();
        if !page.more {
            break;
        }
    }
    judged(&world, &done, &changesets).await
}

async fn all_walks(world: impl AsyncFn() -> World) {
    let mut committed = 0;
    let all = rounds(WALKS.0, WALKS.1);
    for from in (0..all).step_by(A_WORLD) {
        committed += Box::pin(walks(world().await, from..all.min(from + A_WORLD))).await;
        println!(
            "{} walks, {committed} changes committed",
            all.min(from + A_WORLD)
        );
    }
    assert!(
        committed > all / 5,
        "only {committed} changes were committed: the walks prove little"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_sqlite() {
    all_walks(async || World::on(TestDb::sqlite()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn on_postgres() {
    all_walks(async || World::on(TestDb::postgres().await).await).await;
}
